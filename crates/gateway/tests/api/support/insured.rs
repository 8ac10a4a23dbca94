//! The region with a plan, a catalogue, a fund, covered persons and an open visit.

use benefit::Catalogue;
use benefit::source::{CatalogueSource, PlanSource};
use ledger::Transaction;
use ledger::modules::plan::{ApprovePlan, DraftPlan, PlanBytes, PublishPlan, ReviewPlan};
use primitives::{Hash, RegionId, SchemeId, VisitId, codec, sha256};
use serde_json::{Value, json};
use vault::{BillContent, Envelope, ReaderSecret, envelope::EnvelopeContext};

use super::keys::public;
use super::{Ask, DAY, REGION, START, World, id_of, organisation, person};

/// Outpatient: 100.00 deductible a year, then 50 %; the account pays what is left.
pub const PLAN: &str = r#"
[plan]
id = "test-employee"
name = { en = "test", zh-Hans = "测试" }
region = 620100
scheme = 310
currency = "CNY"
valid = { from = "2026-01-01", to = "2026-12-31" }
visit_types = ["outpatient", "inpatient", "pharmacy"]

[[accumulator]]
id = "deductible_met"
number = 1
period = "year"

[[step]]
id = "outpatient"
kind = "benefit"
payer = "pooled_fund"
deductibles = [{ amount = "100", counts = "deductible_met" }]
rates = [{ rate = "50%" }]
words = { en = "half of what exceeds 100 yuan a year", zh-Hans = "年度起付100元，超出部分报销一半" }
source = "test"

[[step]]
id = "account"
kind = "personal_account"
base = { parts = ["in_policy", "class_b_share", "over_cap", "self_paid"] }
words = { en = "the account pays what is left" }
source = "test"
"#;

const CATALOGUE: &str = r#"
[catalogue]
id = "test"
region = 620100
currency = "CNY"

[[item]]
code = "X1"
valid = { from = "2020-01-01" }
class = "A"
category = "treatment"

[[item]]
code = "B1"
valid = { from = "2020-01-01" }
class = "B"
share = "10%"
category = "western_medicine"

[[item]]
code = "L1"
valid = { from = "2020-01-01" }
class = "A"
category = "western_medicine"
limited_use = [{ diagnosis_groups = ["diabetes"] }]
"#;

/// The visit of person 1 at `hospital` that is open.
pub const VISIT: VisitId = VisitId([9; 16]);

impl World {
    /// It is 10 January 2026: the plan of 2026 is published, the pool holds 1,000,000.00, persons 1
    /// and 2 are covered, person 1 has 50.00 in the personal account and an open visit at
    /// `hospital`.
    pub fn insured() -> Self {
        Self::insured_with(gateway::Config::default())
    }

    /// The same behind a gateway with these limits.
    pub fn insured_with(config: gateway::Config) -> Self {
        let world = Self::with_config(config);
        world.publish_plan();
        world.fill_fund();
        for number in [1, 2] {
            world.cover(number);
        }
        (0..9).for_each(|_| world.port.pass_day());
        world.check_in(VISIT);
        world
    }

    /// Opens a visit of person 1 at `hospital`.
    pub fn check_in(&self, visit: VisitId) {
        self.check_in_at(visit, "hospital");
    }

    /// Opens a visit of person 1 at this provider.
    pub fn check_in_at(&self, visit: VisitId, provider: &str) {
        self.accepted(
            &[organisation(provider)],
            "check_in",
            json!({
                "visit": visit, "subject": subject_at(1, provider), "identification": "wallet_code",
                "evidence": "00".repeat(32)
            }),
        );
    }

    fn publish_plan(&self) {
        let bureau = organisation("bureau");
        let expires = START.plus_millis(300 * DAY);
        let body = json!({
            "organisation": "bureau", "key": public("reviewer"), "scopes": ["publish"],
            "expires": expires
        });
        self.accepted_with("bureau-root", bureau, "authorise_key", body);
        let source: PlanSource = toml::from_str(PLAN).unwrap();
        let source_hash = sha256(PLAN.as_bytes());
        let plan = benefit::compile(&source, source_hash).unwrap();
        let catalogue: CatalogueSource = toml::from_str(CATALOGUE).unwrap();
        let catalogue = Catalogue::compile(&catalogue).unwrap();
        let (region, scheme, version) = (RegionId(REGION), SchemeId(310), 1);
        let hash = plan.hash();
        let draft = DraftPlan {
            region,
            scheme,
            version,
            plan: PlanBytes(codec::encode(&plan)),
            catalogue_root: catalogue.hash(),
            supersedes: vec![],
        };
        let review = ReviewPlan { region, scheme, version, hash };
        let approver = "regulator".parse().unwrap();
        let approve = ApprovePlan { region, scheme, version, hash, approver };
        let publish = PublishPlan { region, scheme, version, hash };
        self.accepted(&[bureau], "draft_plan", json!(draft));
        self.accepted_with("reviewer", bureau, "review_plan", json!(review));
        self.accepted(&[organisation("regulator")], "approve_plan", json!(approve));
        self.accepted(&[bureau], "publish_plan", json!(publish));
        self.port.keep(catalogue, (source_hash, source));
    }

    fn fill_fund(&self) {
        let bureau = [organisation("bureau")];
        for (kind, body) in [
            (
                "open_fund",
                json!({ "region": REGION, "fund": 1, "owner": "bureau", "purpose": "pooled_fund", "floor": "0" }),
            ),
            (
                "assign_payer_fund",
                json!({ "region": REGION, "scheme": 310, "payer": "pooled_fund", "from": "2026-01-02", "fund": 1 }),
            ),
            (
                "contribute",
                json!({ "region": REGION, "fund": 1, "amount": "100000000", "reference": sha256(b"money") }),
            ),
        ] {
            self.accepted(&bureau, kind, body);
        }
    }

    fn cover(&self, number: u8) {
        let year = json!({ "from": "2026-01-01", "to": "2026-12-31" });
        let bureau = [organisation("bureau")];
        self.accepted(
            &bureau,
            "enrol_coverage",
            json!({
                "person": id_of(person(number)), "region": REGION,
                "coverage": {
                    "scheme": 310, "period": year,
                    "facts": {
                        "period": year, "age": { "from": 30, "below": 40 }, "sex": "female",
                        "person_classes": ["active"]
                    }
                }
            }),
        );
        if number == 1 {
            self.accepted(
                &bureau,
                "credit_personal_accounts",
                json!({
                    "region": REGION, "source": "outside", "month": { "year": 2026, "month": 1 },
                    "batch": 1, "rows": [{ "person": id_of(person(1)), "amount": "5000" }]
                }),
            );
        }
    }

    /// Executes a transaction that its author signs with the key of this name.
    pub fn accepted_with(
        &self,
        key: &str,
        author: primitives::Party,
        kind: &str,
        body: Value,
    ) -> u64 {
        let content = self.content(author, kind, body);
        let authorisations = vec![self.authorise(&content, author, key)];
        self.execute(Transaction { content, authorisations })
    }
}

/// What an outpatient visit of a person at `hospital` is about.
pub fn subject(number: u8) -> Value {
    subject_at(number, "hospital")
}

/// What an outpatient visit of a person at this provider is about.
pub fn subject_at(number: u8, provider: &str) -> Value {
    json!({
        "person": id_of(person(number)), "provider": provider, "region": REGION, "scheme": 310,
        "visit_type": "outpatient", "admitted": "2026-01-05"
    })
}

/// A bill of 300.00 in class A and 100.00 in class B with a share of 10 %.
pub fn bill() -> Value {
    json!({
        "currency": "CNY",
        "lines": [
            { "line_no": 1, "item_code": "X1", "service_date": "2026-01-05", "amount": "300" },
            { "line_no": 2, "item_code": "B1", "service_date": "2026-01-05", "amount": "100" }
        ]
    })
}

/// Settles an open visit of person 1 through the API; the receipt.
pub fn settle(world: &World, visit: VisitId) -> Value {
    settle_at(world, visit, "hospital")
}

/// Settles an open visit of person 1 at this provider through the API; the receipt.
pub fn settle_at(world: &World, visit: VisitId, provider: &str) -> Value {
    let token = world.token(organisation(provider));
    let request = json!({ "visit": visit, "bill": bill(), "use_personal_account": true });
    let quoted = world.ask(&Ask::post("/v1/quotes", &request).token(&token)).expect(200).json();
    let body = json!({
        "visit": visit, "bill": sha256(b"bill"), "sums": quoted["sums"], "use_personal_account": true,
        "split": quoted["split"], "consent": { "form": "own_key" },
        "cash": { "executor": provider, "rail": "counter", "authorisation": sha256(b"till") }
    });
    let provider_party = organisation(provider);
    let content = world.content(provider_party, "settle_visit", body);
    let signers = [provider_party, organisation("bureau"), person(1)];
    let ask = world.submit(&content, &signers).token(&token);
    world.ask(&ask).expect(201).json()["receipt"].clone()
}

/// A sealed bill of a visit with its commitment and its reader.
pub fn sealed(visit: VisitId, text: &[u8]) -> (Hash, Envelope, ReaderSecret) {
    let reader = ReaderSecret::from_seed(&[1; 32]);
    let content = BillContent { salt: [2; 32], bill: text.to_vec(), sums: vec![3] };
    let commitment = content.commitment();
    let context = EnvelopeContext { visit, commitment };
    let bytes = content.encode().unwrap();
    let mut random = vault::randomness(sha256(text).0);
    let envelope = Envelope::seal(&bytes, &context, &[reader.key()], &mut random).unwrap();
    (commitment, envelope, reader)
}
