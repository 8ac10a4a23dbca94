//! The simulated region: its organisations, its people, its plan and its funds, and how it is
//! founded.

pub mod founding;
pub mod genesis;
pub mod people;
pub mod premiums;

use benefit::source::PlanSource;
use benefit::{HospitalLevel, Plan};
use primitives::{
    CivilDate, FundId, OrganisationId, RegionId, SchemeId, Timestamp, UtcOffset, sha256,
};
use proof::header::ChainId;

use crate::actor::{Actor, SharedActor, organisation};
use crate::dice::Dice;
use people::Person;

/// The region.
pub const REGION: RegionId = RegionId(999_900);
/// The region next door, of another province: some of its people are treated here, and some of
/// this one's there.
pub const NEIGHBOUR: RegionId = RegionId(988_800);
/// The one scheme of each.
pub const SCHEME: SchemeId = SchemeId(310);
/// The fund that pays `pooled_fund`.
pub const POOL: FundId = FundId(1);
/// The fund that pays `critical_illness`.
pub const CRITICAL: FundId = FundId(2);
/// The fund that premiums are for.
pub const PREMIUMS: FundId = FundId(3);
/// The scheme whose premiums are paid.
pub const RESIDENTS: SchemeId = SchemeId(390);
/// The premium of a year, in minor units.
pub const PREMIUM: u64 = 9_000;
/// The years whose premiums are paid.
pub const SEASONS: [u16; 2] = [2026, 2027];
/// How many persons owe a premium.
const RESIDENT_COUNT: u64 = 3;
/// Its calendar.
pub const OFFSET: UtcOffset = UtcOffset(480);
/// 2025-12-01T00:00:00Z: early enough that a run can see the turn of the year.
pub const START: Timestamp = Timestamp::from_millis(1_764_547_200_000);
/// Milliseconds of a day.
pub const DAY_MILLIS: u64 = 24 * 3_600 * 1_000;

/// A provider of one of the two regions.
pub struct Provider {
    /// Its code.
    pub code: OrganisationId,
    /// Where it lies.
    pub region: RegionId,
    /// Its level.
    pub level: HospitalLevel,
    /// Its key for everything.
    pub actor: SharedActor,
    /// Its key that stays offline.
    pub root: SharedActor,
}

/// Everybody who signs.
pub struct Region {
    /// The ledger's name.
    pub chain_id: ChainId,
    /// The bureau.
    pub bureau: SharedActor,
    /// The bureau's second key, for the review of plans.
    pub reviewer: SharedActor,
    /// The bureau of the region next door.
    pub neighbour: SharedActor,
    /// Its second key.
    pub neighbour_reviewer: SharedActor,
    /// Whether the region pays in batches, as the one next door always does.
    pub pays_in_batches: bool,
    /// The finance authority.
    pub finance: SharedActor,
    /// The identity authority.
    pub identity: SharedActor,
    /// The bank, which runs two rails.
    pub bank: SharedActor,
    /// An outsider: a valid key that the ledger does not know.
    pub stranger: SharedActor,
    /// The providers, the last one next door.
    pub providers: Vec<Provider>,
    /// The insured, the last ones next door.
    pub people: Vec<Person>,
    /// Those who owe a premium, and are insured by it alone.
    pub residents: Vec<Person>,
}

/// The code of the bureau.
pub const BUREAU: &str = "bureau";
/// The code of the bureau next door.
pub const NEIGHBOUR_BUREAU: &str = "neighbour";
/// How many insured the region next door has.
const NEIGHBOURS: u64 = 2;
/// The code of the bank.
pub const BANK: &str = "bank";

impl Region {
    /// The bureau of a region.
    #[must_use]
    pub fn bureau_of(&self, region: RegionId) -> &SharedActor {
        if region == NEIGHBOUR { &self.neighbour } else { &self.bureau }
    }

    /// The region of a world.
    #[must_use]
    pub fn new(dice: &mut Dice) -> Self {
        let providers = [
            ("hospital", REGION, HospitalLevel::TertiaryA),
            ("county", REGION, HospitalLevel::Secondary),
            ("clinic", REGION, HospitalLevel::Community),
            ("next-door", NEIGHBOUR, HospitalLevel::TertiaryA),
        ];
        let providers = providers.map(|(code, region, level)| Provider {
            code: organisation(code),
            region,
            level,
            actor: Actor::organisation(code, "online"),
            root: Actor::organisation(code, "root"),
        });
        let mut people: Vec<Person> =
            (0..dice.between(4, 8)).map(|number| Person::new(dice, number)).collect();
        people.extend((0..NEIGHBOURS).map(|number| Person::next_door(dice, number)));
        Self {
            chain_id: "sim".parse().expect("a short name"),
            bureau: Actor::organisation(BUREAU, "online"),
            reviewer: Actor::organisation(BUREAU, "reviewer"),
            neighbour: Actor::organisation(NEIGHBOUR_BUREAU, "online"),
            neighbour_reviewer: Actor::organisation(NEIGHBOUR_BUREAU, "reviewer"),
            pays_in_batches: dice.chance(500),
            finance: Actor::organisation("finance", "online"),
            identity: Actor::organisation("identity", "online"),
            bank: Actor::organisation(BANK, "online"),
            stranger: Actor::organisation(BUREAU, "stranger"),
            providers: providers.into(),
            people,
            residents: (0..RESIDENT_COUNT).map(Person::resident).collect(),
        }
    }
}

/// The code of a region's bureau.
#[must_use]
pub fn bureau_code(region: RegionId) -> OrganisationId {
    organisation(if region == NEIGHBOUR { NEIGHBOUR_BUREAU } else { BUREAU })
}

/// A region's plan of a year, in which the pool pays `stay` of a stay.
///
/// # Panics
/// When the plan in this crate does not load; a test shows that it does.
#[must_use]
pub fn plan(region: RegionId, year: i32, stay: &str) -> Plan {
    let text = include_str!("plan.toml").replace("YEAR", &year.to_string()).replace("STAY", stay);
    let text = text.replace("REGION", &region.to_string());
    let source: PlanSource = toml::from_str(&text).expect("the simulator's plan is TOML");
    let plan = benefit::compile(&source, sha256(text.as_bytes()));
    plan.expect("the simulator's plan compiles")
}

/// A day of the calendar.
///
/// # Panics
/// When there is no such day: days are literals of this crate.
#[must_use]
pub fn day(year: i32, month: u8, day: u8) -> CivilDate {
    CivilDate::from_ymd(year, month, day).expect("a day of the calendar")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_loads_and_its_example_comes_out() {
        for year in [2025, 2026, 2027] {
            let plan = plan(REGION, year, "85%");
            plan.check_examples().unwrap();
        }
        let one = plan(REGION, 2026, "85%").hash();
        assert_ne!(one, plan(REGION, 2026, "80%").hash());
        assert_ne!(one, plan(NEIGHBOUR, 2026, "85%").hash());
    }
}
