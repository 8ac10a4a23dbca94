//! Plans as the log has them.

use std::collections::BTreeMap;
use std::sync::Arc;

use benefit::Plan;
use ledger::modules::plan::DraftPlan;
use primitives::{Hash, codec};

use super::Executed;

/// Every plan that was drafted, by its hash.
#[derive(Default)]
pub struct PlanCheck {
    plans: BTreeMap<Hash, Arc<Plan>>,
}

impl PlanCheck {
    pub(super) fn accepted(&mut self, executed: &Executed<'_>) {
        let Some(body) = executed.body::<DraftPlan>() else { return };
        if let Ok(plan) = codec::decode::<Plan>(&body.plan.0) {
            self.plans.insert(plan.hash(), Arc::new(plan));
        }
    }

    /// The plan with this hash.
    #[must_use]
    pub fn plan(&self, hash: &Hash) -> Option<&Arc<Plan>> {
        self.plans.get(hash)
    }
}
