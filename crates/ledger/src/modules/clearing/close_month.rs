//! Closes a provider's month: the statement.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, OrganisationId, Party, RegionId, Rounding};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::signing::require_bureau;
use super::statement::{ClearingRow, StatementRow};
use super::table::{BUDGETS, CLEARED, HELD, PROVIDERS, PROVIDERS_MAX, STATEMENTS};
use super::view::require_rules;
use crate::kernel::account::{Account, AccountRow, Books, Floor};
use crate::kernel::context::Context;
use crate::kernel::month::CalendarMonth;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting::{self, Entry};
use crate::kernel::receipt::{Outcome, amount_value};
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;
use crate::modules::organisation::{self, OrganisationKind, rejection as organisations};

/// Closes a provider's month: what is due becomes payable, less what is held back. Everything
/// counts that was posted up to this block, and whoever has the provider's receipts comes to the
/// same. What the provider owes goes on to its next month. Signed by the region's bureau with scope
/// `treasury`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseMonth {
    /// The region that pays.
    pub region: RegionId,
    /// The provider.
    pub provider: OrganisationId,
    /// The month; it is over, and the one after the last that was closed.
    pub month: CalendarMonth,
}

/// The due of a provider for which nothing was settled yet.
fn untouched(currency: primitives::Currency) -> AccountRow {
    AccountRow::open(currency, Floor::None)
}

impl CloseMonth {
    const fn books(&self) -> Books {
        Books::of(self.provider, self.region)
    }

    fn require_next(
        &self,
        state: &Overlay<'_>,
        today: CivilDate,
    ) -> Result<Option<ClearingRow>, Rejection> {
        require(self.month.is_over(today), || rejection::MONTH_NOT_OVER.reject())?;
        let last = CLEARED.get(state, &self.books());
        require(last.is_none_or(|row| row.last.next() == self.month), || {
            rejection::MONTH_OUT_OF_ORDER.reject()
        })?;
        Ok(last)
    }

    /// Notes a provider that has its first statement.
    fn enlist(&self, state: &mut Overlay<'_>) -> Result<(), Rejection> {
        let mut all = PROVIDERS.get(state, &self.region).unwrap_or_default();
        if let Err(at) = all.binary_search(&self.provider) {
            require(all.len() < PROVIDERS_MAX, || rejection::TOO_MANY_PROVIDERS.reject())?;
            all.insert(at, self.provider);
            PROVIDERS.put(state, &self.region, &all);
        }
        Ok(())
    }

    /// The month's budget, where one was set.
    fn budget(&self, state: &Overlay<'_>) -> Option<Amount> {
        let months = BUDGETS.get(state, &(self.books(), self.month.year))?;
        months.get(usize::from(self.month.month.checked_sub(1)?)).copied()
    }

    fn add_held(&self, state: &mut Overlay<'_>, amount: Amount) {
        let key = (self.books(), self.month.year);
        let mut held = HELD.get(state, &key).unwrap_or_default();
        held.held = held.held.saturating_add(amount);
        HELD.put(state, &key, &held);
    }
}

impl Kind for CloseMonth {
    const NUMBER: u16 = 1203;
    const NAME: &'static str = "close_month";

    fn check(&self) -> Result<(), Rejection> {
        require(self.month.number().is_some(), || rejection::INVALID_MONTH.reject())
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_bureau(context, state, self.region).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let region = network::view::require_region(state, self.region)?;
        let rules = require_rules(state, self.region)?;
        // A suspended provider is still paid what it is owed.
        let provider = organisation::view::organisation(state, self.provider)
            .ok_or_else(|| organisations::UNKNOWN_ORGANISATION.with(self.provider))?;
        require(provider.kind == OrganisationKind::Provider, || {
            organisations::WRONG_KIND.with(self.provider)
        })?;
        let today = context.day(region.settings.utc_offset_minutes);
        let last = self.require_next(state, today)?;
        self.enlist(state)?;
        let (books, currency) = (self.books(), region.currency);
        let due = Account::ProviderDue(books);
        let row = posting::account(state, &due).unwrap_or_else(|| untouched(currency));
        let (credits, debits) = last.map_or((0, 0), |last| (last.credits, last.debits));
        let open = Amount::at_least_zero(row.balance());
        let held_back = open.share(rules.hold_back, Rounding::Floor);
        let payable = open.saturating_sub(held_back);
        let statement = StatementRow {
            after_height: last.map_or(0, |last| last.height),
            to_height: context.height,
            carried: Amount::at_least_zero(i128::from(debits).saturating_sub(i128::from(credits))),
            settled: Amount::from_minor(row.credits.saturating_sub(credits)),
            returned: Amount::from_minor(row.debits.saturating_sub(debits)),
            held_back,
            payable,
            owing: Amount::at_least_zero(row.balance().saturating_neg()),
            budget: self.budget(state),
            pay_by: today.plus_days(i32::from(rules.pay_within_days)).unwrap_or(today),
            closed: context.time,
        };
        for (credit, amount) in [
            (Account::ProviderHeldBack(books), held_back),
            (Account::ProviderPayable(books), payable),
        ] {
            if !amount.is_zero() {
                let entry = Entry { debit: due, credit, amount };
                posting::post(state, context.time, currency, &[entry])?;
            }
        }
        self.add_held(state, held_back);
        STATEMENTS.put(state, &(books, self.month), &statement);
        let cleared = ClearingRow {
            first: last.map_or(self.month, |last| last.first),
            last: self.month,
            height: context.height,
            credits: row.credits,
            debits: row.debits.saturating_add(open.minor()),
        };
        CLEARED.put(state, &books, &cleared);
        let concerns = [region.bureau, self.provider].map(Party::Organisation);
        Ok(Outcome::event("month_closed", concerns)
            .with("settled", amount_value(statement.settled, currency))
            .with("returned", amount_value(statement.returned, currency))
            .with("held_back", amount_value(held_back, currency))
            .with("payable", amount_value(payable, currency)))
    }
}
