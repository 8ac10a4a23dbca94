//! A hospital, a patient and a plan that pays half, for tests of payments outside.

use benefit::source::PlanSource;
use benefit::{Category, CategorySums, ItemClass, Payer, SumKey, SumRow, VisitType};
use ledger::kernel::context::PlanMemo;
use ledger::kernel::registry::Kind;
use ledger::modules::coverage::{self, AttestedFacts, CoverageTerms, EnrolCoverage};
use ledger::modules::fund::{AssignPayerFund, Contribute, OpenFund};
use ledger::modules::organisation::{AdmitOrganisation, AuthoriseKey, OrganisationKind, Scope};
use ledger::modules::person::{EnrolPerson, KeyGrade, NewKey, NewPerson};
use ledger::modules::plan::{ApprovePlan, DraftPlan, PlanBytes, PublishPlan, ReviewPlan};
use ledger::modules::visit::{
    CashLeg, CheckIn, Consent, Identification, QuoteRequest, RailKind, RefundVisit, RetryEffect,
    SettleVisit, SettlementRecord, TakeOverEffect, VisitSubject, quote, quote_remaining,
};
use ledger::{Authorisation, Effect, Receipt, Transaction};
use node::NodeHandle;
use primitives::{
    Amount, CivilDate, FundId, Hash, Party, Period, PersonId, SchemeId, SlotId, Text, Timestamp,
    VisitId, codec, sha256,
};
use proof::receipt::OutcomeCode;

use crate::world::{DAY, REGION, content, key, organisation};

const EMPLOYEE: SchemeId = SchemeId(310);
const PATIENT: PersonId = PersonId([1; 16]);
const POOL: FundId = FundId(100);

const PLAN: &str = r#"
[plan]
id = "half"
name = { en = "test" }
region = 620100
scheme = 310
currency = "CNY"
valid = { from = "2026-01-01", to = "2026-12-31" }
visit_types = ["outpatient"]

[[step]]
id = "half"
kind = "benefit"
payer = "pooled_fund"
rates = [{ rate = "50%" }]
words = { en = "half of everything" }
source = "test"
"#;

/// Who signs with which key: `CODE` with the key of that name, `CODE=NAME` with another one, and
/// `patient` is the patient.
fn sign(now: Timestamp, body: &impl Kind, number: u64, signers: &[&str]) -> Transaction {
    let mut content = content("bureau", number, now, body);
    let authorisations = signers.iter().map(|signer| {
        let (code, name) = signer.split_once('=').unwrap_or((signer, signer));
        let party = match code {
            "patient" => Party::Person(PATIENT),
            code => Party::Organisation(organisation(code)),
        };
        (party, key(name))
    });
    let authorisations: Vec<_> = authorisations.collect();
    content.author = authorisations[0].0;
    let id = content.id();
    let authorisations = authorisations.into_iter().map(|(party, key)| Authorisation {
        party,
        key: key.public_key(),
        signature: key.sign(&id),
    });
    let mut transaction = Transaction { authorisations: authorisations.collect(), content };
    transaction.sort_authorisations();
    transaction
}

/// Submits on behalf of these signers, and expects that it happens.
pub struct Desk<'a> {
    pub node: &'a NodeHandle,
    pub now: Timestamp,
    pub number: u64,
}

impl Desk<'_> {
    pub fn accepted(&mut self, signers: &[&str], body: &impl Kind) -> (u64, Receipt) {
        self.number += 1;
        let submitted = self.node.submit(sign(self.now, body, self.number, signers)).unwrap();
        let receipt = (*submitted.receipt).clone();
        let outcome = receipt.record.outcome;
        assert_eq!(outcome, OutcomeCode::Accepted, "{:?}", receipt.rejection_detail);
        (submitted.receipt_index, receipt)
    }

    /// Everything that must be there before the first visit.
    pub fn prepare(&mut self) {
        let governing = ["bureau", "authority", "regulator"];
        let expires = self.now.plus_millis(300 * DAY);
        let (hospital, bureau) = (organisation("hospital"), organisation("bureau"));
        let reviewer = AuthoriseKey {
            organisation: bureau,
            key: key("reviewer").public_key(),
            scopes: vec![Scope::Publish],
            expires,
        };
        self.accepted(&["bureau=bureau-root"], &reviewer);
        let admit = AdmitOrganisation {
            organisation: hospital,
            kind: OrganisationKind::Provider,
            region: REGION,
            level: Some(benefit::HospitalLevel::TertiaryA),
            root_key: key("hospital-root").public_key(),
        };
        self.accepted(&governing, &admit);
        let desk = AuthoriseKey {
            organisation: hospital,
            key: key("hospital").public_key(),
            scopes: vec![Scope::Settle, Scope::Clerk, Scope::Execute],
            expires,
        };
        self.accepted(&["hospital=hospital-root"], &desk);
        self.publish_plan();
        self.open_pool();
        let new = NewPerson {
            id: PATIENT,
            commitment: sha256(b"commitment"),
            blind_index: sha256(b"blind index"),
            keys: vec![NewKey {
                key: key("patient").public_key(),
                grade: KeyGrade::Device,
                payment_max: Amount::from_minor(10_000_000),
                day_max: Amount::from_minor(10_000_000),
            }],
        };
        self.accepted(&["bureau", "authority"], &EnrolPerson { region: REGION, person: new });
        let first = date("2026-01-01");
        let facts = AttestedFacts {
            period: Period { from: first, to: Some(date("2027-12-31")) },
            age: benefit::AgeBand::new(30, 60).unwrap(),
            sex: benefit::Sex::Unstated,
            person_classes: benefit::PersonClasses::NONE.with(benefit::PersonClass::Active),
            income_class: benefit::IncomeClass::NONE,
            unbroken_years: 0,
            claim_free_years: 0,
            month_of_75: false,
            family: None,
        };
        let period = Period { from: first, to: None };
        let coverage = CoverageTerms { scheme: EMPLOYEE, period, benefits_from: None, facts };
        self.accepted(&["bureau"], &EnrolCoverage { person: PATIENT, region: REGION, coverage });
    }

    fn publish_plan(&mut self) {
        let source: PlanSource = toml::from_str(PLAN).unwrap();
        let plan = benefit::compile(&source, sha256(PLAN.as_bytes())).unwrap();
        let (region, scheme, version, hash) = (REGION, EMPLOYEE, 1, plan.hash());
        let draft = DraftPlan {
            region,
            scheme,
            version,
            plan: PlanBytes(codec::encode(&plan)),
            catalogue_root: Hash::default(),
            supersedes: vec![],
        };
        self.accepted(&["bureau"], &draft);
        self.accepted(&["bureau=reviewer"], &ReviewPlan { region, scheme, version, hash });
        let approver = organisation("regulator");
        self.accepted(&["regulator"], &ApprovePlan { region, scheme, version, hash, approver });
        self.accepted(&["bureau"], &PublishPlan { region, scheme, version, hash });
    }

    fn open_pool(&mut self) {
        let open = OpenFund {
            region: REGION,
            fund: POOL,
            owner: organisation("bureau"),
            purpose: Payer::PooledFund,
            year: None,
            floor: Amount::ZERO,
        };
        self.accepted(&["bureau"], &open);
        let assign = AssignPayerFund {
            region: REGION,
            scheme: EMPLOYEE,
            payer: Payer::PooledFund,
            from: date("2025-01-01"),
            fund: Some(POOL),
        };
        self.accepted(&["bureau"], &assign);
        let contribute = Contribute {
            region: REGION,
            fund: POOL,
            amount: Amount::from_minor(100_000_000),
            reference: sha256(b"contribution"),
        };
        self.accepted(&["bureau"], &contribute);
    }

    /// Settles a visit of two equal lines, twice `cash` together: the pool pays half. Gives the
    /// receipt.
    pub fn settle(&mut self, visit: u8, cash: u64, rail: &str, authorisation: Hash) -> Receipt {
        let subject = VisitSubject {
            person: PATIENT,
            provider: organisation("hospital"),
            region: REGION,
            scheme: EMPLOYEE,
            visit_type: VisitType::Outpatient,
            admitted: date("2026-01-01"),
            diagnosis_group: 0,
        };
        let check_in = CheckIn {
            visit: VisitId([visit; 16]),
            subject: subject.clone(),
            identification: Identification::WalletCode,
            evidence: Hash::default(),
        };
        self.accepted(&["hospital"], &check_in);
        let sums = sums(&[(Category::Treatment, cash), (Category::Laboratory, cash)]);
        let view = self.node.view();
        let state = &view.state;
        let request = QuoteRequest {
            subject: &subject,
            sums: &sums,
            use_personal_account: false,
            personal_account: Amount::ZERO,
            family_accounts: Vec::new(),
            accumulators: coverage::view::running_amounts(state, PATIENT, REGION, EMPLOYEE),
            keep_plans_of: &[],
            keep_facts: false,
        };
        let split = quote(state, &PlanMemo::default(), request).unwrap().split;
        assert_eq!(split.cash.minor(), cash);
        let body = SettleVisit {
            visit: VisitId([visit; 16]),
            bill: sha256(&[visit]),
            sums,
            use_personal_account: false,
            use_family_account: false,
            cash: Some(leg(rail, authorisation)),
            split,
            consent: Consent::OwnKey,
        };
        self.accepted(&["hospital", "bureau", "patient"], &body).1
    }

    /// Takes one of the two lines back, so that half the cash is refunded.
    pub fn refund_half(&mut self, settled: &Receipt) -> Receipt {
        let original: SettlementRecord = codec::decode(&settled.witness).unwrap();
        let row = original.sums.rows().iter().find(|row| row.key.category == Category::Laboratory);
        let remaining = CategorySums::new(vec![*row.unwrap()]).unwrap();
        let (view, memo) = (self.node.view(), PlanMemo::default());
        let split = quote_remaining(&view.state, &memo, &original, &remaining, self.now).unwrap();
        let bill = sha256(b"remaining");
        let body = RefundVisit { original, bill, remaining, split, cash: None, consent: None };
        self.accepted(&["hospital", "bureau"], &body).1
    }

    /// The bureau takes a payment over that the hospital leaves open.
    pub fn take_over(&mut self, effect: Hash) -> Receipt {
        let rail = Text::new("bank").unwrap();
        let body = TakeOverEffect { effect, rail, answer: sha256(b"not seen") };
        self.accepted(&["bureau"], &body).1
    }

    /// Orders a failed payment anew.
    pub fn retry(&mut self, effect: Hash, rail: &str, authorisation: Hash) -> Receipt {
        let consent = Some(Consent::OwnKey);
        let body = RetryEffect { effect, cash: leg(rail, authorisation), consent };
        self.accepted(&["hospital", "patient"], &body).1
    }
}

fn leg(rail: &str, authorisation: Hash) -> CashLeg {
    let kind = if rail == "counter" { RailKind::Counter } else { RailKind::Bound };
    let (executor, rail) = (organisation("hospital"), Text::new(rail).unwrap());
    CashLeg { executor, rail, kind, authorisation }
}

fn date(text: &str) -> CivilDate {
    text.parse().unwrap()
}

fn sums(parts: &[(Category, u64)]) -> CategorySums {
    let row = |(category, in_policy): &(Category, u64)| {
        let key = SumKey {
            service_date: date("2026-01-01"),
            category: *category,
            class: ItemClass::A,
            programme: 0,
            slot: SlotId(0),
        };
        SumRow { in_policy: Amount::from_minor(*in_policy), ..SumRow::empty(key) }
    };
    CategorySums::new(parts.iter().map(row).collect()).unwrap()
}

/// The reference of the only payment that a receipt orders.
pub fn effect_of(receipt: &Receipt) -> Hash {
    let [effect] = &receipt.effects[..] else { panic!("{:?}", receipt.effects) };
    Effect::reference(receipt.record.transaction_id, effect.number)
}
