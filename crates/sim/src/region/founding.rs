//! How the region comes into being: stage after stage, each begun when all of the one before is
//! accepted. A crash may fall into any of it.

use std::sync::{Arc, OnceLock};

use benefit::{Payer, Plan};
use ledger::kernel::month::CalendarMonth;
use ledger::modules::coverage::ImportPersons;
use ledger::modules::fund::{
    AssignPayerFund, Contribute, CreditPersonalAccounts, CreditRow, CreditSource, OpenFund,
};
use ledger::modules::organisation::{AdmitOrganisation, AuthoriseKey, OrganisationKind};
use ledger::modules::plan::{ApprovePlan, DraftPlan, PlanBytes, PublishPlan, ReviewPlan};
use primitives::{Amount, FundId, Hash, codec, sha256};

use super::genesis::EVERY_SCOPE;
use super::{CRITICAL, DAY_MILLIS, POOL, PREMIUMS, REGION, Region, SCHEME, START, plan};
use crate::actor::{Draft, organisation};

/// The versions of the plan that are published at the founding: year, and share of a stay.
const VERSIONS: [(i32, &str); 3] = [(2025, "85%"), (2026, "82%"), (2027, "80%")];
/// What is in the pool at the start, in minor units: little enough that it can run dry.
const POOL_START: u64 = 20_000_000;
/// What must stay in the pool, in minor units.
const POOL_FLOOR: u64 = 100_000;

impl Region {
    /// The transactions of the founding, stage by stage.
    #[must_use]
    pub fn founding(&self) -> Vec<Vec<Draft>> {
        let stages = vec![
            self.admissions(),
            [self.authorisations(), self.plans(), vec![self.people()]].concat(),
            self.approvals(),
            self.publications(),
            self.funds(),
            vec![
                self.contribution(POOL, POOL_START, sha256(b"first contribution")),
                self.contribution(CRITICAL, POOL_START, sha256(b"first subsidy")),
                self.credit(2025, 12, 1, 40_000),
                self.aid_rules(),
            ],
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
                region: REGION,
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
        for (version, plan) in versions() {
            let draft = DraftPlan {
                region: REGION,
                scheme: SCHEME,
                version,
                plan: PlanBytes(codec::encode(&*plan)),
                catalogue_root: Hash::default(),
                supersedes: Vec::new(),
            };
            drafts.push(Draft::new(&draft, &[&self.bureau]));
            let review = ReviewPlan { region: REGION, scheme: SCHEME, version, hash: plan.hash() };
            drafts.push(Draft::new(&review, &[&self.reviewer]));
        }
        drafts
    }

    fn approvals(&self) -> Vec<Draft> {
        let approve = |(version, plan): (u16, Arc<Plan>)| {
            let approver = organisation("finance");
            let hash = plan.hash();
            let body = ApprovePlan { region: REGION, scheme: SCHEME, version, hash, approver };
            Draft::new(&body, &[&self.finance])
        };
        versions().map(approve).collect()
    }

    fn publications(&self) -> Vec<Draft> {
        let publish = |(version, plan): (u16, Arc<Plan>)| {
            let hash = plan.hash();
            let body = PublishPlan { region: REGION, scheme: SCHEME, version, hash };
            Draft::new(&body, &[&self.bureau])
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
        for (fund, payer, floor) in funds {
            let open = OpenFund {
                region: REGION,
                fund,
                owner: organisation(super::BUREAU),
                purpose: payer,
                year: None,
                floor: Amount::from_minor(floor),
            };
            drafts.push(Draft::new(&open, &[&self.bureau]));
            let from = super::day(2025, 1, 1);
            let (region, scheme, fund) = (REGION, SCHEME, Some(fund));
            let assign = AssignPayerFund { region, scheme, payer, from, fund };
            drafts.push(Draft::new(&assign, &[&self.bureau]));
        }
        drafts
    }

    fn people(&self) -> Draft {
        let rows = self.people.iter().chain(&self.residents).map(super::Person::import).collect();
        Draft::new(&ImportPersons { region: REGION, rows }, &[&self.bureau, &self.identity])
    }

    /// Money that comes into a fund under a reference of its own.
    #[must_use]
    pub fn contribution(&self, fund: FundId, amount: u64, reference: Hash) -> Draft {
        let amount = Amount::from_minor(amount);
        Draft::new(&Contribute { region: REGION, fund, amount, reference }, &[&self.bureau])
    }

    /// A month's contribution to everybody's personal account.
    #[must_use]
    pub fn credit(&self, year: u16, month: u8, batch: u32, amount: u64) -> Draft {
        let amount = Amount::from_minor(amount);
        let all = self.people.iter().chain(&self.residents);
        let rows = all.map(|one| CreditRow { person: one.id, amount });
        let body = CreditPersonalAccounts {
            region: REGION,
            source: CreditSource::Outside,
            month: CalendarMonth { year, month },
            batch,
            rows: rows.collect(),
        };
        Draft::new(&body, &[&self.bureau])
    }
}

fn versions() -> impl Iterator<Item = (u16, Arc<Plan>)> {
    // Compiling is no part of what is simulated, and the same in every world.
    static COMPILED: OnceLock<Vec<Arc<Plan>>> = OnceLock::new();
    let compiled = COMPILED
        .get_or_init(|| VERSIONS.iter().map(|(year, stay)| Arc::new(plan(*year, stay))).collect());
    (1..).zip(compiled.iter().cloned())
}
