//! The neighbouring region, where some people of the made-up region are treated: a bureau and a
//! hospital of its own, rules by which both clear, filings of some, and a month that waits for its
//! answer.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use benefit::{Filing, HospitalLevel, VisitType};
use ledger::kernel::account::RegionPair;
use ledger::kernel::month::CalendarMonth;
use ledger::modules::coverage::RecordFiling;
use ledger::modules::interregion::{
    CloseInterregionMonth, InterregionRules, SetInterregionRules, view,
};
use ledger::modules::network::{OpenRegion, view as network};
use ledger::modules::organisation::OrganisationKind;
use node::signature::Scheme;
use primitives::{
    CivilDate, Currency, OrganisationId, Party, Period, RegionId, SlotId, Text, UtcOffset,
};

use super::actor::Actor;
use super::chamber::{Chamber, commitment};
use super::desk::{Provider, Visit};
use super::founding::{ONLINE, ROOT, code};
use super::population::{self, Population, ProviderSeed};
use super::region::Stage;

/// It stands where Xi'an is, in the province next door.
pub const REGION: RegionId = RegionId(610_100);
/// Its bureau.
pub const BUREAU: &str = "neighbour";
/// What people call it.
const BUREAU_NAME: &str = "邻市医疗保障事务中心";
/// Its hospital.
const HOSPITAL: &str = "neighbour-1";
/// What people call it.
const HOSPITAL_NAME: &str = "邻市人民医院";
/// Where the numbers come from.
const SOURCE: &str = "国办函〔2022〕22号 医保异地就医直接结算；期限为示例";
/// Of those who would go to the largest hospital, one in so many goes to the neighbouring region.
const ELSEWHERE_ONE_IN: u8 = 12;

/// Whoever acts for the neighbouring region.
pub struct Neighbour {
    bureau: Actor,
}

impl Stage<'_> {
    /// Opens the neighbouring region, and sends some of these visits to its hospital.
    ///
    /// # Errors
    /// What the demonstration cannot go on with.
    pub(super) fn neighbour(
        &self,
        chamber: &Chamber<'_>,
        population: &Population,
        (providers, visits): (&mut BTreeMap<OrganisationId, Provider>, &mut [Visit]),
    ) -> Result<Neighbour> {
        let party = Party::Organisation(code(BUREAU));
        let key = |purpose| Actor::from_seed(party, Scheme::Ed25519, &self.seed, purpose);
        let (root, bureau) = (key(ROOT), key(ONLINE));
        self.keep_keys(BUREAU, &[ROOT, ONLINE])?;
        self.keep_name(BUREAU, BUREAU_NAME)?;
        chamber.admit(REGION, OrganisationKind::Bureau, &[(&root, &bureau, None)])?;
        let own = network::region(&self.node.view().state, population::REGION);
        let settings = own.context("the made-up region is open")?.settings.clone();
        let (region, currency) = (REGION, Currency::CNY);
        let open = OpenRegion { region, bureau: code(BUREAU), currency, settings };
        chamber.act(&self.founders.governing(), &open)?;
        let seed = ProviderSeed {
            code: code(HOSPITAL),
            name: HOSPITAL_NAME.to_owned(),
            level: HospitalLevel::TertiaryA,
        };
        providers.extend(self.providers(chamber, REGION, &[seed], Some(currency))?);
        let from = CivilDate::from_ymd(self.last_day.year() - 1, 1, 1).context("a day")?;
        for (region, signer) in [(population::REGION, &self.founders.bureau), (REGION, &bureau)] {
            let source = Text::new(SOURCE).map_err(anyhow::Error::msg)?;
            let rules = InterregionRules { answer_within_days: 20, pay_within_days: 30, source };
            chamber.act(&[signer], &SetInterregionRules { region, from, rules: Some(rules) })?;
        }
        self.send_there(chamber, population, visits)?;
        Ok(Neighbour { bureau })
    }

    /// Some go to the hospital next door: those who live there, those who were referred, and those
    /// who filed nothing.
    fn send_there(
        &self,
        chamber: &Chamber<'_>,
        population: &Population,
        visits: &mut [Visit],
    ) -> Result<()> {
        let year = self.last_day.year();
        let from = CivilDate::from_ymd(year, 1, 1).context("a day")?;
        let period = Period { from, to: CivilDate::from_ymd(year, 12, 31) };
        let largest: Vec<OrganisationId> = population
            .providers
            .iter()
            .filter(|one| one.level == HospitalLevel::TertiaryA)
            .map(|one| one.code)
            .collect();
        let mut filings: BTreeMap<usize, RecordFiling> = BTreeMap::new();
        for visit in visits {
            let [draw, kind, ..] = visit.id.0;
            // A chronic disease is filed with a hospital at home.
            let goes = largest.contains(&visit.subject.provider)
                && visit.subject.visit_type != VisitType::ChronicSpecial
                && draw.is_multiple_of(ELSEWHERE_ONE_IN);
            if !goes {
                continue;
            }
            visit.subject.provider = code(HOSPITAL);
            let filing = match kind % 3 {
                0 => Filing::LongTerm,
                1 => Filing::Referral,
                _ => continue,
            };
            let person = visit.subject.person;
            filings.entry(visit.patient).or_insert_with(|| RecordFiling {
                person,
                region: population::REGION,
                scheme: visit.subject.scheme,
                number: SlotId(1),
                filing,
                place: REGION,
                period,
                commitment: commitment("filing", person, "what was filed is off the ledger"),
            });
        }
        let filings: Vec<RecordFiling> = filings.into_values().collect();
        // Somebody who joined late in the year has no cover that the filing could begin with.
        let acts: Vec<_> =
            filings.into_iter().map(|filing| (vec![&self.founders.bureau], filing)).collect();
        chamber.try_all(&acts).map(|_| ())
    }

    /// The neighbouring region states what it advanced; the made-up region has not answered yet.
    pub(super) fn neighbour_states(
        &self,
        chamber: &Chamber<'_>,
        neighbour: &Neighbour,
    ) -> Result<()> {
        let pair = RegionPair { insured: population::REGION, care: REGION };
        let Some(row) = view::pair(&self.node.view().state, pair) else { return Ok(()) };
        let today = self.now().day(UtcOffset(480));
        let month = CalendarMonth::before(today).context("a month")?;
        let body = CloseInterregionMonth { care: REGION, insured: population::REGION, month };
        chamber.act(&[&neighbour.bureau], &body)?;
        println!(
            "{} items between the made-up region and its neighbour; {} waits for its answer",
            row.items, BUREAU
        );
        Ok(())
    }
}
