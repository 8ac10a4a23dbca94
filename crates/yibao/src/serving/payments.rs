//! An organisation's payments outside: its outbox, its tills, and the days of its rails that were
//! compared with their statements.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use adapters::effect::{Difference, RailName, Reconciliation};
use adapters::rail::StatementLine;
use adapters::rail::card::CardBinding;
use adapters::rail::counter::{Clerk, Counter};
use gateway::payments::{
    DifferenceKind, OpenPayment, PaymentDifference, PaymentNote, Payments, RailInfo, ReconciledDay,
    WaitsFor,
};
use gateway::port::PortError;
use node::outbox::{Authorisation, BookError, Note, OpenReason, Outbox};
use primitives::{Amount, CivilDate, Currency, Hash, OrganisationId, Timestamp, UtcOffset};

/// How many days of a rail are compared again and again before they are left as they are: a rail's
/// word may come late. Our own limit.
const DAYS: i32 = 7;
/// How many days of a rail are kept for those who ask. Our own limit.
const KEPT_DAYS: i32 = 31;

/// A rail that belongs to an outbox.
pub struct OwnRail {
    /// The currency of its amounts.
    pub currency: Currency,
    /// In which its days begin.
    pub offset: UtcOffset,
    /// Its tills, if it has any.
    pub counter: Option<Arc<Counter>>,
    /// Binds its cards, if it has any.
    pub binding: Option<Arc<dyn CardBinding>>,
}

/// The payments of one organisation.
pub struct OwnPayments {
    outbox: Arc<Outbox>,
    rails: BTreeMap<RailName, OwnRail>,
    days: Mutex<BTreeMap<(RailName, CivilDate), ReconciledDay>>,
}

impl OwnPayments {
    /// The payments that this outbox drives on these rails.
    #[must_use]
    pub fn new(outbox: Arc<Outbox>, rails: BTreeMap<RailName, OwnRail>) -> Self {
        Self { outbox, rails, days: Mutex::default() }
    }

    /// Whose they are.
    #[must_use]
    pub fn organisation(&self) -> OrganisationId {
        self.outbox.organisation()
    }

    /// Who binds cards of these rails, and which rail it is.
    #[must_use]
    pub fn binding(&self) -> Option<(&RailName, &Arc<dyn CardBinding>)> {
        self.rails.iter().find_map(|(name, rail)| Some((name, rail.binding.as_ref()?)))
    }

    /// What drives them.
    #[must_use]
    pub const fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    fn days(&self) -> MutexGuard<'_, BTreeMap<(RailName, CivilDate), ReconciledDay>> {
        self.days.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Compares the last days of every rail with its statement, those that did not agree before
    /// once more. The present day is not over and is left out.
    pub fn reconcile(&self, now: Timestamp) {
        for (name, rail) in &self.rails {
            let today = now.day(rail.offset);
            for back in (1..=DAYS).rev() {
                let Some(day) = today.plus_days(-back) else { continue };
                if !self.days().get(&(name.clone(), day)).is_some_and(is_good) {
                    let reconciled = self.reconcile_day(name, day, rail.offset);
                    self.days().insert((name.clone(), day), reconciled);
                }
            }
            let first = today.plus_days(-KEPT_DAYS);
            self.days()
                .retain(|(one, day), _| one != name || first.is_none_or(|first| *day >= first));
        }
    }

    fn reconcile_day(&self, rail: &RailName, day: CivilDate, offset: UtcOffset) -> ReconciledDay {
        match self.outbox.reconcile(rail, day, offset) {
            Ok(found) => {
                let day = reconciled(day, found);
                if !is_good(&day) {
                    let (organisation, differences) = (self.organisation(), day.differences.len());
                    tracing::error!(%organisation, rail = &**rail, day = %day.day, differences,
                        "a rail's statement and the books do not agree");
                }
                day
            }
            Err(error) => {
                let organisation = self.organisation();
                tracing::error!(%organisation, rail = &**rail, %day, %error, "no statement");
                let nothing = Amount::ZERO;
                let (lines, differences) = (None, Vec::new());
                ReconciledDay {
                    day,
                    lines,
                    collected: nothing,
                    refunded: nothing,
                    paid_out: nothing,
                    differences,
                }
            }
        }
    }

    /// How many differences the kept days have, and how many of the days had no statement.
    #[must_use]
    pub fn disagreement(&self) -> (u64, u64) {
        let days = self.days();
        let differences: usize = days.values().map(|day| day.differences.len()).sum();
        let missing = days.values().filter(|day| day.lines.is_none()).count();
        let count = |count| u64::try_from(count).unwrap_or(u64::MAX);
        (count(differences), count(missing))
    }
}

/// Whether nothing is left to find out about a day.
fn is_good(day: &ReconciledDay) -> bool {
    day.lines.is_some() && day.differences.is_empty()
}

fn reconciled(day: CivilDate, found: Reconciliation) -> ReconciledDay {
    let of = |kind, line: StatementLine| PaymentDifference {
        reference: line.reference,
        kind,
        amount: line.amount,
    };
    let differences = found.differences.into_iter().map(|difference| match difference {
        Difference::OnlyAtRail(line) => of(DifferenceKind::OnlyAtRail, line),
        Difference::StillOpen(line) => of(DifferenceKind::StillOpen, line),
        Difference::NotDone(line) => of(DifferenceKind::NotDone, line),
        Difference::Amount { line, .. } => of(DifferenceKind::Amount, line),
        Difference::OnlyInOutbox { reference, amount } => {
            PaymentDifference { reference, kind: DifferenceKind::OnlyInBooks, amount }
        }
    });
    ReconciledDay {
        day,
        lines: Some(u64::try_from(found.lines).unwrap_or(u64::MAX)),
        collected: found.collected,
        refunded: found.refunded,
        paid_out: found.paid_out,
        differences: differences.collect(),
    }
}

fn failed(error: BookError) -> PortError {
    PortError::Failed(error.to_string())
}

impl Payments for OwnPayments {
    fn rails(&self) -> Vec<RailInfo> {
        let rails = self.rails.iter().map(|(name, rail)| RailInfo {
            rail: name.clone(),
            currency: rail.currency,
            has_tills: rail.counter.is_some(),
        });
        rails.collect()
    }

    fn record_authorisation(
        &self,
        rail: &RailName,
        note: PaymentNote,
        salt: Hash,
    ) -> Result<Hash, PortError> {
        let note = match note {
            PaymentNote::Held { reference, amount } => Note::Held { reference, amount },
            PaymentNote::Paid { reference, from, amount } => Note::Paid { reference, from, amount },
            PaymentNote::Later { from } => Note::Later { from },
        };
        let authorisation = Authorisation { rail: rail.clone(), note, salt };
        self.outbox.record_authorisation(&authorisation).map_err(failed)
    }

    fn worklist(&self, rail: &RailName, limit: u32) -> Result<Vec<OpenPayment>, PortError> {
        let open = self.outbox.worklist(limit).map_err(failed)?;
        let own = open.into_iter().filter(|one| *one.effect.rail == **rail);
        let payments = own.map(|one| OpenPayment {
            effect: one.reference,
            action: one.effect.action,
            amount: one.effect.amount,
            currency: one.effect.currency,
            waits_for: match one.reason {
                OpenReason::New => WaitsFor::Nothing,
                OpenReason::Clerk => WaitsFor::Clerk,
                OpenReason::Stuck(words) => WaitsFor::Operator(words),
            },
        });
        Ok(payments.collect())
    }

    fn hand_out(&self, effect: &Hash, clerk: &Clerk) -> Result<bool, PortError> {
        match self.outbox.hand_out(effect, &clerk.till()) {
            Ok(()) => Ok(true),
            Err(BookError::NotWaiting(_)) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    fn counter(&self, rail: &RailName) -> Option<Arc<Counter>> {
        self.rails.get(rail)?.counter.clone()
    }

    fn reconciled(&self, rail: &RailName) -> Vec<ReconciledDay> {
        let days = self.days();
        days.iter().filter(|((one, _), _)| one == rail).map(|(_, day)| day.clone()).collect()
    }
}
