//! The region's premiums: seasons, who owes one, and whose accounts may help; and how money goes
//! from wallet to wallet, here and next door.

use ledger::modules::family::{
    Agreement, AidPurpose, AidRules, AidTerms, GrantAid, NightStop, Relation, SendTransfer,
    SetAidRules, SetTransferRules, TransferRules,
};
use ledger::modules::premium::{
    PremiumClass, PremiumSeason, RegisterPremiums, RegisteredPremium, SeasonId, SetPremiumSeason,
    WaitingRule,
};
use primitives::{Amount, Period, PersonId, Text};

use super::people::Person;
use super::{NEIGHBOUR, PREMIUM, PREMIUMS, REGION, RESIDENTS, Region, SEASONS, day};
use crate::actor::{Draft, organisation};

/// The class of everybody who owes a premium.
const CLASS: u8 = 1;
/// The only relation.
const RELATIVE: u8 = 1;
/// The most of one transfer between wallets, in minor units.
pub const TRANSFER_MAX: u64 = 2 * PREMIUM;
/// How many transfers somebody sends a day.
pub const TRANSFERS_A_DAY: u8 = 3;
/// After how many days what is not claimed comes back.
pub const CLAIM_DAYS: u8 = 2;
/// When nothing is sent, in minutes of the day: over midnight.
pub const NIGHT: (u16, u16) = (23 * 60, 6 * 60);
const SOURCE: &str = "made up for the simulator";

/// The season of a year.
#[must_use]
pub const fn season(year: u16) -> SeasonId {
    SeasonId { region: REGION, scheme: RESIDENTS, year }
}

fn words<const N: usize>(text: &str) -> Text<N> {
    Text::new(text).expect("short words of this file")
}

/// The year that a season covers.
fn cover(year: u16) -> Period {
    let year = i32::from(year);
    Period { from: day(year, 1, 1), to: Some(day(year, 12, 31)) }
}

impl Region {
    /// The terms of every season. A premium costs the same whenever it is paid.
    pub(super) fn premium_seasons(&self) -> Vec<Draft> {
        let amount = Amount::from_minor(PREMIUM);
        let class = PremiumClass {
            number: CLASS,
            name: words("full"),
            amount,
            late_amount: amount,
            repair_amount: amount,
        };
        let set = |year: u16| SetPremiumSeason {
            season: season(year),
            terms: PremiumSeason {
                fund: PREMIUMS,
                collector: organisation(super::BUREAU),
                cover: cover(year),
                window: Period { from: day(2025, 12, 1), to: Some(day(i32::from(year), 6, 30)) },
                late_until: None,
                classes: vec![class.clone()],
                lock_minutes: 20,
                locks_per_payer: 2,
                locks_per_record: 200,
                waiting: WaitingRule {
                    months: 3,
                    per_further_year: 1,
                    long_break_years: 4,
                    long_break_months: 6,
                },
                source: words(SOURCE),
            },
        };
        SEASONS.map(|year| Draft::new(&set(year), &[&self.bureau])).into()
    }

    /// Every resident owes every premium.
    pub(super) fn registrations(&self) -> Vec<Draft> {
        let register = |year: u16| {
            let row = |one: &Person| RegisteredPremium {
                person: one.id,
                class: CLASS,
                missed_years: 0,
                newborn_until: None,
                facts: one.facts(cover(year)),
            };
            let rows = self.residents.iter().map(row).collect();
            Draft::new(&RegisterPremiums { season: season(year), rows }, &[&self.bureau])
        };
        SEASONS.map(register).into()
    }

    /// Relatives' accounts may pay premiums.
    pub(super) fn aid_rules(&self) -> Draft {
        let rules = AidRules {
            relations: vec![Relation { number: RELATIVE, name: words("relative") }],
            members_per_payer_max: 8,
            accounts_per_bill_max: 3,
            direct_below_age: 0,
            pays_premiums: true,
            bill_max: Amount::from_minor(20 * PREMIUM),
            month_max: Amount::from_minor(20 * PREMIUM),
            year_max: Amount::from_minor(60 * PREMIUM),
            source: words(SOURCE),
        };
        Draft::new(&SetAidRules { region: REGION, rules }, &[&self.bureau])
    }

    /// Money goes from wallet to wallet in both regions, and between them.
    pub(super) fn transfer_rules(&self) -> Vec<Draft> {
        let rules = TransferRules {
            relations: vec![Relation { number: RELATIVE, name: words("relative") }],
            transfers_per_day_max: TRANSFERS_A_DAY,
            transfer_max: Amount::from_minor(TRANSFER_MAX),
            night: Some(NightStop { from_minute: NIGHT.0, until_minute: NIGHT.1 }),
            claim_days: CLAIM_DAYS,
            to_other_regions: true,
            source: words(SOURCE),
        };
        let set = |region| {
            let body = SetTransferRules { region, rules: rules.clone() };
            Draft::new(&body, &[self.bureau_of(region)])
        };
        [REGION, NEIGHBOUR].map(set).into()
    }

    /// The account of this person helps this resident with premiums: so many a month and a year.
    #[must_use]
    pub fn grant(&self, payer: &Person, member: &Person, [month, year]: [u64; 2]) -> Draft {
        let of = |count: u64| Amount::from_minor(count * PREMIUM);
        let terms = AidTerms {
            relation: RELATIVE,
            purpose: AidPurpose::Premiums,
            visit_types: Vec::new(),
            bill_max: of(1),
            month_max: of(month),
            year_max: of(year),
            rank: 0,
            until: None,
        };
        let agreement = Agreement::OwnKey;
        let body = GrantAid { payer: payer.id, member: member.id, terms, agreement };
        Draft::new(&body, &[&payer.actor, &member.actor])
    }
}

/// So much from one wallet to another.
#[must_use]
pub const fn send(sender: PersonId, receiver: PersonId, amount: Amount) -> SendTransfer {
    SendTransfer { sender, receiver, relation: RELATIVE, amount }
}
