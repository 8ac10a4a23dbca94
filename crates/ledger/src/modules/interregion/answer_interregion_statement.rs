//! Answers a statement between regions: agrees, apart from named items.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Currency, Hash, OrganisationId, Party, RegionId, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::item::{Dispute, DisputeReason, ItemRow};
use super::rejection;
use super::statement::{Answer, RegionStatement};
use super::table::{ITEMS, PAIRS, STATEMENTS};
use crate::kernel::account::{Account, Books, RegionPair};
use crate::kernel::context::Context;
use crate::kernel::month::CalendarMonth;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting::{self, Entry};
use crate::kernel::receipt::{Outcome, amount_value};
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;
use crate::modules::organisation::Scope;
use crate::modules::person::require_bureau;

/// How many items an answer disputes at the most. Our own limit: it bounds the transaction.
pub const DISPUTED_ITEMS_MAX: usize = 64;

/// An item that is disputed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DisputedItem {
    /// Its number; one of the statement's own.
    pub number: u64,
    /// How much of it, at most all.
    pub amount: Amount,
    /// Why.
    pub reason: DisputeReason,
}

/// Answers a statement between regions: agrees to it, apart from the items that are named. What is
/// agreed to is set off against what the region of care has to pay the insured one, and the rest is
/// payable to its bureau; what is disputed waits. Signed with scope `treasury` by the bureau of the
/// insured region, or by the one of the region of care once the last day for an answer has passed,
/// which disputes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerInterregionStatement {
    /// The insured region, which owes.
    pub insured: RegionId,
    /// The region of care, which advanced.
    pub care: RegionId,
    /// The statement's month.
    pub month: CalendarMonth,
    /// The hash over the items that were looked at: the statement's.
    pub items: Hash,
    /// What is disputed, 0 to 64 items, sorted by number, each once.
    #[schemars(length(max = 64))]
    pub disputed: Vec<DisputedItem>,
    /// Which bureau answers.
    pub by: OrganisationId,
}

impl AnswerInterregionStatement {
    const fn pair(&self) -> RegionPair {
        RegionPair { insured: self.insured, care: self.care }
    }

    fn require_open(&self, state: &Overlay<'_>) -> Result<RegionStatement, Rejection> {
        let statement = STATEMENTS.get(state, &(self.pair(), self.month));
        let statement = statement.ok_or_else(|| rejection::UNKNOWN_STATEMENT.reject())?;
        require(statement.answer.is_none(), || rejection::ALREADY_ANSWERED.reject())?;
        require(statement.items == self.items, || rejection::ITEMS_DIFFER.with(statement.items))?;
        Ok(statement)
    }

    /// The region of care answers only what the insured region left unanswered for too long.
    fn require_entitled(
        &self,
        context: &Context<'_>,
        state: &Overlay<'_>,
        statement: &RegionStatement,
    ) -> Result<(), Rejection> {
        let insured = network::view::require_region(state, self.insured)?;
        let today = context.day(insured.settings.utc_offset_minutes);
        let is_late = today > statement.answer_by && self.disputed.is_empty();
        require(self.by == insured.bureau || is_late, || {
            let day = statement.answer_by;
            rejection::ANSWER_NOT_DUE.with(detail!("the last day is {day}", day))
        })
    }

    /// Notes the disputes; answers what is disputed in all.
    fn dispute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
        statement: &RegionStatement,
    ) -> Result<Amount, Rejection> {
        let mut sum = Amount::ZERO;
        for one in &self.disputed {
            let key = (self.pair(), one.number);
            let own = statement.after_item < one.number && one.number <= statement.to_item;
            let row = ITEMS.get(state, &key).filter(|row| {
                own && !row.item.is_return && row.dispute.is_none() && one.amount <= row.item.amount
            });
            let row = row.ok_or_else(|| rejection::NOT_DISPUTABLE.with(one.number))?;
            let dispute = Dispute {
                month: self.month,
                reason: one.reason,
                amount: one.amount,
                raised: context.time,
                ended: None,
            };
            ITEMS.put(state, &key, &ItemRow { dispute: Some(dispute), ..row });
            sum = sum.saturating_add(one.amount);
        }
        Ok(sum)
    }

    /// What is agreed to and what the other region has to pay come off each other, each in its own
    /// books; answers how much.
    fn set_off(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
        (agreed, currency): (Amount, Currency),
    ) -> Result<Amount, Rejection> {
        let pair = self.pair();
        let bureau = network::view::require_region(state, self.insured)?.bureau;
        let theirs = Account::ProviderPayable(Books::of(bureau, self.care));
        let amount = agreed.min(Amount::at_least_zero(posting::balance(state, &theirs)));
        if amount.is_zero() {
            return Ok(amount);
        }
        let own = Entry {
            debit: Account::OwedToRegion(pair),
            credit: Account::AdvancedForRegion(pair.reversed()),
            amount,
        };
        let other = Entry { debit: theirs, credit: Account::AdvancedForRegion(pair), amount };
        posting::post(state, context.time, currency, &[own, other])?;
        Ok(amount)
    }
}

impl Kind for AnswerInterregionStatement {
    const NUMBER: u16 = 1403;
    const NAME: &'static str = "answer_interregion_statement";

    fn check(&self) -> Result<(), Rejection> {
        let few = self.disputed.len() <= DISPUTED_ITEMS_MAX;
        let sorted = self.disputed.is_sorted_by(|a, b| a.number < b.number);
        let amounts = self.disputed.iter().all(|one| !one.amount.is_zero());
        require(few && sorted && amounts, || rejection::DISPUTE_LIST.reject())
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let bureau = |region| network::view::is_bureau(state, region, self.by);
        let region = [self.insured, self.care].into_iter().find(|region| bureau(*region));
        let region = region.ok_or_else(|| rejection::NOT_ITS_BUREAU.with(self.by))?;
        require_bureau(context, state, region, Scope::Treasury).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let pair = self.pair();
        let mut statement = self.require_open(state)?;
        self.require_entitled(context, state, &statement)?;
        let [insured, care] = [
            network::view::require_region(state, self.insured)?,
            network::view::require_region(state, self.care)?,
        ];
        let currency = insured.currency;
        let disputed = self.dispute(context, state, &statement)?;
        let agreed = statement.payable.saturating_sub(disputed);
        let set_off = self.set_off(context, state, (agreed, currency))?;
        let payable = Account::ProviderPayable(Books::of(care.bureau, self.insured));
        for (credit, amount) in [
            (Account::DisputedWithRegion(pair), disputed),
            (payable, agreed.saturating_sub(set_off)),
        ] {
            if !amount.is_zero() {
                let entry = Entry { debit: Account::OwedToRegion(pair), credit, amount };
                posting::post(state, context.time, currency, &[entry])?;
            }
        }
        statement.answer = Some(Answer {
            by: self.by,
            time: context.time,
            agreed,
            set_off,
            disputed,
            disputed_items: self.disputed.iter().map(|one| one.number).collect(),
        });
        STATEMENTS.put(state, &(pair, self.month), &statement);
        let mut row = PAIRS.get(state, &pair).unwrap_or_default();
        row.waits = false;
        PAIRS.put(state, &pair, &row);
        let concerns = [care.bureau, insured.bureau].map(Party::Organisation);
        Ok(Outcome::event("interregion_statement_answered", concerns)
            .with("agreed", amount_value(agreed, currency))
            .with("set_off", amount_value(set_off, currency))
            .with("disputed", amount_value(disputed, currency)))
    }
}
