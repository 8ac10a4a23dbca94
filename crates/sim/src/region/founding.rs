//! How the region comes into being: stage after stage, each begun when all of the one before is
//! accepted. A crash may fall into any of it.

use std::sync::{Arc, OnceLock};

use benefit::{Payer, Plan};
use ledger::kernel::month::CalendarMonth;
use ledger::modules::clearing::{ClearingRules, SetClearingRules};
use ledger::modules::coverage::ImportPersons;
use ledger::modules::fund::{
    AssignPayerFund, Contribute, CreditPersonalAccounts, CreditRow, CreditSource, OpenFund,
};
use ledger::modules::interregion::{InterregionRules, SetInterregionRules};
use ledger::modules::organisation::{AdmitOrganisation, AuthoriseKey, OrganisationKind};
use ledger::modules::plan::{ApprovePlan, DraftPlan, PlanBytes, PublishPlan, ReviewPlan};
use primitives::{Amount, CivilDate, FundId, Hash, Rate, RegionId, Text, codec, sha256};

use super::genesis::EVERY_SCOPE;
use super::{CRITICAL, DAY_MILLIS, NEIGHBOUR, POOL, PREMIUMS, REGION, Region, SCHEME, START, plan};
use crate::actor::{Draft, organisation};

/// The versions of the plan that are published at the founding: year, and share of a stay.
const VERSIONS: [(i32, &str); 3] = [(2025, "85%"), (2026, "82%"), (2027, "80%")];
/// What is in the pool at the start, in minor units: little enough that it can run dry.
const POOL_START: u64 = 20_000_000;
/// Where the rules come from.
const SOURCE: &str = "made up for the simulator";
/// What must stay in the pool, in minor units.
const POOL_FLOOR: u64 = 100_000;

impl Region {
    /// The transactions of the founding, stage by stage.
    #[must_use]
    pub fn founding(&self) -> Vec<Vec<Draft>> {
        let stages = vec![
            self.admissions(),
            [self.authorisations(), self.plans(), self.people()].concat(),
            self.approvals(),
            self.publications(),
            [self.funds(), self.rules()].concat(),
            [self.first_money(), vec![self.aid_rules()], self.transfer_rules()].concat(),
            self.premium_seasons(),
            self.registrations(),
        ];
        let lasting = |draft: Draft| draft.valid_for(2 * DAY_MILLIS);
        stages.into_iter().map(|stage| stage.into_iter().map(lasting).collect()).collect()
    }

    fn admissions(&self) -> Vec<Draft> {
        let admit = |one: &super::Provider| {
            let body = AdmitOrganisation {
                organisation: one.code,
                kind: OrganisationKind::Provider,
                region: one.region,
                level: Some(one.level),
                root_key: one.root.public_key(),
            };
            Draft::new(&body, &[&self.bureau, &self.finance])
        };
        self.providers.iter().map(admit).collect()
    }

    fn authorisations(&self) -> Vec<Draft> {
        let authorise = |one: &super::Provider| {
            let body = AuthoriseKey {
                organisation: one.code,
                key: one.actor.public_key(),
                scopes: EVERY_SCOPE.to_vec(),
                expires: START.plus_millis(700 * DAY_MILLIS),
            };
            Draft::new(&body, &[&one.root])
        };
        self.providers.iter().map(authorise).collect()
    }

    fn plans(&self) -> Vec<Draft> {
        let mut drafts = Vec::new();
        for (region, version, plan) in versions() {
            let draft = DraftPlan {
                region,
                scheme: SCHEME,
                version,
                plan: PlanBytes(codec::encode(&*plan)),
                catalogue_root: Hash::default(),
                supersedes: Vec::new(),
            };
            drafts.push(Draft::new(&draft, &[self.bureau_of(region)]));
            let review = ReviewPlan { region, scheme: SCHEME, version, hash: plan.hash() };
            let is_own = region == REGION;
            let reviewer = if is_own { &self.reviewer } else { &self.neighbour_reviewer };
            drafts.push(Draft::new(&review, &[reviewer]));
        }
        drafts
    }

    fn approvals(&self) -> Vec<Draft> {
        let approve = |(region, version, plan): (RegionId, u16, Arc<Plan>)| {
            let approver = organisation("finance");
            let hash = plan.hash();
            let body = ApprovePlan { region, scheme: SCHEME, version, hash, approver };
            Draft::new(&body, &[&self.finance])
        };
        versions().map(approve).collect()
    }

    fn publications(&self) -> Vec<Draft> {
        let publish = |(region, version, plan): (RegionId, u16, Arc<Plan>)| {
            let hash = plan.hash();
            let body = PublishPlan { region, scheme: SCHEME, version, hash };
            Draft::new(&body, &[self.bureau_of(region)])
        };
        versions().map(publish).collect()
    }

    fn funds(&self) -> Vec<Draft> {
        let funds = [(POOL, Payer::PooledFund, POOL_FLOOR), (CRITICAL, Payer::CriticalIllness, 0)];
        let premiums = OpenFund {
            region: REGION,
            fund: PREMIUMS,
            owner: organisation(super::BUREAU),
            purpose: Payer::PooledFund,
            year: None,
            floor: Amount::ZERO,
        };
        let mut drafts = vec![Draft::new(&premiums, &[&self.bureau])];
        for region in [REGION, NEIGHBOUR] {
            let bureau = self.bureau_of(region);
            for (fund, payer, floor) in funds {
                let open = OpenFund {
                    region,
                    fund,
                    owner: super::bureau_code(region),
                    purpose: payer,
                    year: None,
                    floor: Amount::from_minor(floor),
                };
                drafts.push(Draft::new(&open, &[bureau]));
                let from = super::day(2025, 1, 1);
                let (scheme, fund) = (SCHEME, Some(fund));
                let assign = AssignPayerFund { region, scheme, payer, from, fund };
                drafts.push(Draft::new(&assign, &[bureau]));
            }
        }
        drafts
    }

    /// How care elsewhere is cleared, and who pays in batches.
    fn rules(&self) -> Vec<Draft> {
        let mut drafts = Vec::new();
        for region in [REGION, NEIGHBOUR] {
            let bureau = self.bureau_of(region);
            drafts.push(self.interregion_rules(region, super::day(2025, 1, 1), Some([3, 10])));
            if region == REGION && !self.pays_in_batches {
                continue;
            }
            let rules = ClearingRules {
                hold_back: Rate::ZERO,
                pay_within_days: 10,
                clear_within_days: 5,
                source: Text::new(SOURCE).expect("short words"),
            };
            drafts.push(Draft::new(&SetClearingRules { region, rules }, &[bureau]));
        }
        drafts
    }

    /// A region's rules of care elsewhere for admissions from a day on, with the days for an answer
    /// and for a payment; or none from then on.
    #[must_use]
    pub fn interregion_rules(
        &self,
        region: RegionId,
        from: CivilDate,
        days: Option<[u16; 2]>,
    ) -> Draft {
        let rules = days.map(|[answer_within_days, pay_within_days]| InterregionRules {
            answer_within_days,
            pay_within_days,
            source: Text::new(SOURCE).expect("short words"),
        });
        Draft::new(&SetInterregionRules { region, from, rules }, &[self.bureau_of(region)])
    }

    fn first_money(&self) -> Vec<Draft> {
        let mut drafts = Vec::new();
        for region in [REGION, NEIGHBOUR] {
            for (fund, reference) in [(POOL, "first contribution"), (CRITICAL, "first subsidy")] {
                drafts.push(self.contribution_to(
                    region,
                    (fund, POOL_START),
                    sha256(reference.as_bytes()),
                ));
            }
            drafts.push(self.credit_in(region, (2025, 12), 1, 40_000));
        }
        drafts
    }

    fn people(&self) -> Vec<Draft> {
        let import = |region| {
            let rows = self.of(region).map(super::Person::import).collect();
            let signers = [self.bureau_of(region), &self.identity];
            Draft::new(&ImportPersons { region, rows }, &signers)
        };
        [REGION, NEIGHBOUR].map(import).into()
    }

    /// Everybody who is insured in a region.
    fn of(&self, region: RegionId) -> impl Iterator<Item = &super::Person> {
        let all = self.people.iter().chain(&self.residents);
        all.filter(move |one| one.region == region)
    }

    /// Money that comes into a fund under a reference of its own.
    #[must_use]
    pub fn contribution(&self, fund: FundId, amount: u64, reference: Hash) -> Draft {
        self.contribution_to(REGION, (fund, amount), reference)
    }

    fn contribution_to(
        &self,
        region: RegionId,
        (fund, amount): (FundId, u64),
        reference: Hash,
    ) -> Draft {
        let amount = Amount::from_minor(amount);
        let body = Contribute { region, fund, amount, reference };
        Draft::new(&body, &[self.bureau_of(region)])
    }

    /// A month's contribution to the personal account of everybody in the region.
    #[must_use]
    pub fn credit(&self, year: u16, month: u8, batch: u32, amount: u64) -> Draft {
        self.credit_in(REGION, (year, month), batch, amount)
    }

    fn credit_in(
        &self,
        region: RegionId,
        (year, month): (u16, u8),
        batch: u32,
        amount: u64,
    ) -> Draft {
        let amount = Amount::from_minor(amount);
        let rows = self.of(region).map(|one| CreditRow { person: one.id, amount });
        let body = CreditPersonalAccounts {
            region,
            source: CreditSource::Outside,
            month: CalendarMonth { year, month },
            batch,
            rows: rows.collect(),
        };
        Draft::new(&body, &[self.bureau_of(region)])
    }
}

fn versions() -> impl Iterator<Item = (RegionId, u16, Arc<Plan>)> {
    // Compiling is no part of what is simulated, and the same in every world.
    static COMPILED: OnceLock<Vec<(RegionId, u16, Arc<Plan>)>> = OnceLock::new();
    let compile = |region| {
        let all = (1..).zip(VERSIONS);
        all.map(move |(version, (year, stay))| {
            (region, version, Arc::new(plan(region, year, stay)))
        })
    };
    let compiled =
        COMPILED.get_or_init(|| [REGION, NEIGHBOUR].into_iter().flat_map(compile).collect());
    compiled.iter().cloned()
}
