//! The payments of the one organisation here that has a rail: real tills, and a list of what waits.

use ledger::kernel::effect::EffectAction;
use std::sync::{Arc, Mutex};

use adapters::clock::ManualClock;
use adapters::effect::RailName;
use adapters::rail::counter::{Clerk, Counter};
use adapters::sqlite::Place;
use gateway::payments::{
    DifferenceKind, OpenPayment, PaymentDifference, PaymentNote, Payments, RailInfo, ReconciledDay,
    WaitsFor,
};
use gateway::port::PortError;
use primitives::{Amount, CivilDate, Currency, Hash, UtcOffset, sha256};

/// Whose payments they are.
pub const OWNER: &str = "hospital";
/// Its rail.
pub const RAIL: &str = "counter";

pub struct TillPayments {
    counter: Arc<Counter>,
    /// Payments that wait for a clerk.
    waiting: Mutex<Vec<OpenPayment>>,
}

impl TillPayments {
    pub fn new(clock: Arc<ManualClock>) -> Self {
        let counter = Counter::open(&Place::Memory, Currency::CNY, UtcOffset(480), clock).unwrap();
        let waiting = OpenPayment {
            effect: sha256(b"refund"),
            action: EffectAction::Refund,
            amount: Amount::from_minor(700),
            currency: Currency::CNY,
            waits_for: WaitsFor::Clerk,
        };
        Self { counter: Arc::new(counter), waiting: Mutex::new(vec![waiting]) }
    }
}

impl Payments for TillPayments {
    fn rails(&self) -> Vec<RailInfo> {
        let rail = RailName::new(RAIL).unwrap();
        vec![RailInfo { rail, currency: Currency::CNY, has_tills: true }]
    }

    fn record_authorisation(
        &self,
        rail: &RailName,
        note: PaymentNote,
        salt: Hash,
    ) -> Result<Hash, PortError> {
        Ok(sha256(format!("{} {note:?} {salt}", &**rail).as_bytes()))
    }

    fn worklist(&self, _: &RailName, limit: u32) -> Result<Vec<OpenPayment>, PortError> {
        let waiting = self.waiting.lock().unwrap();
        Ok(waiting.iter().take(usize::try_from(limit).unwrap()).cloned().collect())
    }

    fn hand_out(&self, effect: &Hash, _: &Clerk) -> Result<bool, PortError> {
        let mut waiting = self.waiting.lock().unwrap();
        let before = waiting.len();
        waiting.retain(|one| one.effect != *effect);
        Ok(waiting.len() < before)
    }

    fn counter(&self, rail: &RailName) -> Option<Arc<Counter>> {
        (**rail == *RAIL).then(|| Arc::clone(&self.counter))
    }

    fn reconciled(&self, _: &RailName) -> Vec<ReconciledDay> {
        let difference = PaymentDifference {
            reference: adapters::rail::Reference(sha256(b"who knows")),
            kind: DifferenceKind::OnlyAtRail,
            amount: Amount::from_minor(500),
        };
        vec![ReconciledDay {
            day: CivilDate::from_ymd(2026, 1, 9).unwrap(),
            lines: Some(1),
            collected: Amount::from_minor(500),
            refunded: Amount::ZERO,
            paid_out: Amount::ZERO,
            differences: vec![difference],
        }]
    }
}
