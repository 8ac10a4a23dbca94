//! Small plans for tests, compiled from their source as everywhere, and one way to publish them.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use alloc::{format, string::String, vec};
use benefit::{compile, source::PlanSource};
use primitives::{Hash, Party, SchemeId, sha256};

use super::{DAY, REGION, World, organisation, public};
use crate::modules::organisation::{AuthoriseKey, Scope};
use crate::modules::plan::{
    ApprovePlan, DraftPlan, PlanBytes, PublishPlan, ReviewPlan, view::last_version,
};

/// The scheme of the tests' plans: employee basic.
pub(crate) const EMPLOYEES: SchemeId = SchemeId(310);

/// A plan of [`REGION`] and [`EMPLOYEES`] in which the pooled fund pays this share of outpatient
/// and inpatient bills, then the personal account; for the days from the first to the last, if
/// there is one.
pub(crate) fn source(rate: &str, from: &str, to: Option<&str>) -> String {
    let to = to.map(|to| format!(", to = \"{to}\"")).unwrap_or_default();
    format!(
        r#"
[plan]
id = "lanzhou-employee"
name = {{ en = "Lanzhou employees, test" }}
region = 620100
scheme = 310
currency = "CNY"
valid = {{ from = "{from}"{to} }}
visit_types = ["outpatient", "inpatient"]

[[accumulator]]
id = "pool_paid"
number = 2
period = "year"

[[step]]
id = "pool"
kind = "benefit"
payer = "pooled_fund"
rates = [{{ rate = "{rate}" }}]
caps = [{{ amount = "50000", counts = "pool_paid" }}]
words = {{ en = "the pooled fund pays its share" }}
source = "test"

[[step]]
id = "account"
kind = "personal_account"
base = {{ parts = ["in_policy", "class_b_share", "over_cap", "self_paid"] }}
words = {{ en = "the personal account may pay the person's whole share" }}
source = "test"

[[example]]
id = "self-paid"
about = "nothing is in policy, so all is cash"
source = "test"
[[example.visit]]
date = "{from}"
facts = {{ visit_type = "outpatient", hospital_level = "tertiary_a", person_classes = ["active"] }}
row = [{{ self_paid = "1000" }}]
expect = {{ cash = "1000" }}
"#
    )
}

/// The compiled form of a plan file.
pub(crate) fn compiled(source: &str) -> PlanBytes {
    let file: PlanSource = toml::from_str(source).unwrap();
    let plan = compile(&file, sha256(source.as_bytes())).unwrap();
    PlanBytes(primitives::codec::encode(&plan))
}

impl World {
    /// The bureau signs with this key, which is authorised when it is new.
    pub(crate) fn bureau_signs_with(&mut self, name: &'static str) {
        let bureau = organisation("bureau");
        let party = Party::Organisation(bureau);
        let known =
            crate::modules::organisation::view::key(self.ledger.state(), bureau, public(name));
        if known.is_none() {
            self.keys.insert(party, "bureau-root");
            let authorise = AuthoriseKey {
                organisation: bureau,
                key: public(name),
                scopes: vec![Scope::Publish],
                expires: self.now.plus_millis(700 * DAY),
            };
            self.accepted(&[party], &authorise);
        }
        self.keys.insert(party, name);
    }

    /// Drafts the next version of [`EMPLOYEES`] with the bureau's own key.
    pub(crate) fn draft(&mut self, source: &str, supersedes: &[u16]) -> DraftPlan {
        let version = last_version(self.ledger.state(), REGION, EMPLOYEES) + 1;
        let draft = DraftPlan {
            region: REGION,
            scheme: EMPLOYEES,
            version,
            plan: compiled(source),
            catalogue_root: Hash([3; 32]),
            supersedes: supersedes.to_vec(),
        };
        self.accepted(&[Party::Organisation(organisation("bureau"))], &draft);
        draft
    }

    /// Drafts, reviews and approves the next version; answers what publishes it.
    pub(crate) fn approved(&mut self, source: &str, supersedes: &[u16]) -> PublishPlan {
        let [bureau, _, regulator] = Self::governing();
        let draft = self.draft(source, supersedes);
        let (version, hash) = (draft.version, sha256(&draft.plan.0));
        self.bureau_signs_with("bureau-reviewer");
        let review = ReviewPlan { region: REGION, scheme: EMPLOYEES, version, hash };
        self.accepted(&[bureau], &review);
        self.keys.remove(&bureau);
        let approver = organisation("regulator");
        let approve = ApprovePlan { region: REGION, scheme: EMPLOYEES, version, hash, approver };
        self.accepted(&[regulator], &approve);
        PublishPlan { region: REGION, scheme: EMPLOYEES, version, hash }
    }

    /// Publishes the next version of [`EMPLOYEES`]; answers its number.
    pub(crate) fn publish(&mut self, source: &str, supersedes: &[u16]) -> u16 {
        let publish = self.approved(source, supersedes);
        self.accepted(&[Self::governing()[0]], &publish);
        publish.version
    }
}
