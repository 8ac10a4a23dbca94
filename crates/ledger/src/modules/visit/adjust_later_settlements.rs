//! Takes what a refund or correction changes for later settlements.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Party, detail};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::consent::{Consent, Whose};
use super::later::{self, LATER_MAX, Later, Replayed};
use super::table::SettlementRecord;
use super::{rejection, view};
use crate::kernel::account::Account;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::{Outcome, amount_value};
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::{self, Scope};
use crate::modules::plan::{self, Difference, Direction};
use crate::modules::{network, voucher};

/// Takes what a refund or correction of an earlier visit changes for the person's later
/// settlements: they are adjudicated again in their order, as if the earlier visit had always been
/// what it is now, and the differences are booked as those of a policy with effect in the past are.
/// What funds owe goes to the personal account at once; what the person owes becomes a receivable
/// of the fund. Nobody has to take it: without this transaction later settlements stay.
///
/// Signed by the bureau of the insured place (`countersign`), which says with it that no later
/// settlement is left out, and by the person, a guardian, or with card and PIN; not by others in
/// the person's name. Providers neither sign nor learn of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdjustLaterSettlements {
    /// The visit that was refunded or corrected, as it stands.
    pub changed: SettlementRecord,
    /// Every later settlement of the person in the same scheme at the same insured place, as it
    /// stands, in the order in which they were settled: 1 to 128.
    #[schemars(length(min = 1, max = 128))]
    pub later: Vec<SettlementRecord>,
    /// What changes for the person, in the same order, as it was shown.
    #[schemars(length(min = 1, max = 128))]
    pub differences: Vec<Difference>,
    /// Who agrees, and how.
    pub consent: Consent,
}

impl AdjustLaterSettlements {
    /// What flows in this direction altogether.
    fn total(&self, direction: Direction) -> Amount {
        let fitting = self.differences.iter().filter(|row| row.direction == direction);
        fitting.fold(Amount::ZERO, |sum, row| sum.saturating_add(row.amount))
    }

    fn outcome(&self, state: &Overlay<'_>, replayed: &[Replayed]) -> Result<Outcome, Rejection> {
        let subject = &self.changed.subject;
        let rows = replayed.iter().filter_map(|one| one.next.as_ref());
        let funds = rows.flat_map(|row| {
            let between = row.between.iter().flat_map(|entry| [entry.debit, entry.credit]);
            between.chain([Account::Fund { region: row.region, fund: row.fund }])
        });
        let mut concerns = later::owners(state, funds);
        concerns.push(Party::Organisation(view::bureau_of(state, subject)?));
        concerns.push(Party::Person(subject.person));
        let currency = network::view::require_region(state, subject.region)?.currency;
        let count = u64::try_from(self.differences.len()).unwrap_or(u64::MAX);
        let (to, from) = (self.total(Direction::ToPerson), self.total(Direction::FromPerson));
        Ok(Outcome::event("later_settlements_adjusted", concerns)
            .with("settlements", FieldValue::Number(count))
            .with("to_person", amount_value(to, currency))
            .with("from_person", amount_value(from, currency))
            .with("consent", self.consent.field()?))
    }
}

impl Kind for AdjustLaterSettlements {
    const NUMBER: u16 = 715;
    const NAME: &'static str = "adjust_later_settlements";

    fn check(&self) -> Result<(), Rejection> {
        let few = (1..=LATER_MAX).contains(&self.later.len());
        require(few, || rejection::LATER_COUNT.reject())?;
        let own = !self.consent.is_given_by_others();
        require(own, || {
            rejection::CONSENT_TOO_WEAK
                .with(detail!("the person, a guardian, or card and PIN agree"))
        })
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        view::require_record(state, &self.changed)?;
        let bureau = view::bureau_of(state, &self.changed.subject)?;
        organisation::view::require_signed(context, state, bureau, Scope::Countersign).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let later = Later { changed: &self.changed, records: &self.later };
        let replayed = later.replay(state, context.plans, context.time)?;
        let now: Vec<Difference> = replayed.iter().filter_map(|one| one.difference).collect();
        require(!now.is_empty(), || {
            rejection::NOTHING_CHANGES.with(detail!("no later settlement changes"))
        })?;
        require(now == self.differences, || rejection::LATER_OUTDATED.reject())?;
        let outcome = self.outcome(state, &replayed)?;
        let subject = &self.changed.subject;
        let cash = (self.total(Direction::FromPerson), None);
        let who = Whose::of(subject);
        self.consent.require(context, state, who, Amount::ZERO, cash)?;
        for one in &replayed {
            if one.difference.is_some() {
                voucher::adjust_settlement(state, one.settlement, one.own_share)?;
            }
            plan::rebook(state, context.time, one.settlement, one.next.as_ref())?;
        }
        Ok(outcome)
    }
}
