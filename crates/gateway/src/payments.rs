//! An organisation's payments outside as its own people see them: its rails, what waits for a hand,
//! its tills, and what does not agree with a rail's statement.

use ledger::kernel::effect::EffectAction;
use std::sync::Arc;

use adapters::effect::RailName;
use adapters::rail::counter::{Clerk, Counter};
use adapters::rail::{Reference, Token};
use primitives::{Amount, CivilDate, Currency, Hash};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::port::PortError;

/// The payments of one organisation whose rails are driven here.
pub trait Payments: Send + Sync {
    /// Its rails.
    fn rails(&self) -> Vec<RailInfo>;

    /// Keeps what a rail holds, took or is to take, before the settlement that names it is signed;
    /// gives the commitment that the settlement carries. The same again gives the same.
    ///
    /// # Errors
    /// When it is not kept.
    fn record_authorisation(
        &self,
        rail: &RailName,
        note: PaymentNote,
        salt: Hash,
    ) -> Result<Hash, PortError>;

    /// Ordered payments of a rail that the rail was not told yet, oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    fn worklist(&self, rail: &RailName, limit: u32) -> Result<Vec<OpenPayment>, PortError>;

    /// A clerk hands out the money of a payment that waits for one; `false` when it does not.
    ///
    /// # Errors
    /// When it is not kept.
    fn hand_out(&self, effect: &Hash, clerk: &Clerk) -> Result<bool, PortError>;

    /// The tills of a rail, if it has any.
    fn counter(&self, rail: &RailName) -> Option<Arc<Counter>>;

    /// The last days of a rail that were compared with its statement, oldest first.
    fn reconciled(&self, rail: &RailName) -> Vec<ReconciledDay>;
}

/// A rail of an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Rail")]
pub struct RailInfo {
    /// What settlements call it.
    #[schemars(with = "String")]
    pub rail: RailName,
    /// The currency of its amounts.
    pub currency: Currency,
    /// Whether clerks take and hand out its money at tills.
    pub has_tills: bool,
}

/// What a rail has promised or done before a settlement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "note", rename_all = "snake_case", deny_unknown_fields)]
pub enum PaymentNote {
    /// The rail holds this amount under this reference.
    Held {
        /// Of the hold.
        #[schemars(with = "Hash")]
        reference: Reference,
        /// How much is held.
        amount: Amount,
    },
    /// The rail has taken this amount already.
    Paid {
        /// Of the payment.
        #[schemars(with = "Hash")]
        reference: Reference,
        /// What it was taken from: the token of a bound card or of a till.
        #[schemars(with = "String")]
        from: Token,
        /// How much was taken.
        amount: Amount,
    },
    /// Nothing happened yet; the money is to be taken from here once the ledger orders it, or for
    /// a payout to go there.
    Later {
        /// The token of a bound card.
        #[schemars(with = "String")]
        from: Token,
    },
}

/// A payment that the ledger ordered and that no rail was told yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OpenPayment {
    /// Its reference on the ledger.
    pub effect: Hash,
    /// What to do.
    pub action: EffectAction,
    /// How much.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// What it waits for.
    pub waits_for: WaitsFor,
}

/// What an open payment waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitsFor {
    /// Nothing: the rail is told next.
    Nothing,
    /// A clerk, who hands the money out.
    Clerk,
    /// Somebody who does what these words for operators say.
    Operator(String),
}

/// A day of a rail, compared with the rail's own statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReconciledDay {
    /// The day, in the rail's calendar.
    pub day: CivilDate,
    /// How many lines the statement has; left out when the rail gave none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<u64>,
    /// What the rail collected.
    pub collected: Amount,
    /// What the rail gave back.
    pub refunded: Amount,
    /// What the rail paid out.
    pub paid_out: Amount,
    /// What does not agree; empty on a good day.
    pub differences: Vec<PaymentDifference>,
}

/// A movement of money on which a rail and this organisation's books do not agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PaymentDifference {
    /// Under which reference.
    #[schemars(with = "Hash")]
    pub reference: Reference,
    /// What does not agree.
    pub kind: DifferenceKind,
    /// The amount on the rail's statement, or in the books where the statement has none.
    pub amount: Amount,
}

/// How a rail and the books do not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// The rail moved money that no payment of the ledger asked for.
    OnlyAtRail,
    /// The rail moved money and its word has not arrived yet.
    StillOpen,
    /// The rail moved money for a payment that it refused.
    NotDone,
    /// The rail said that it moved money, and its statement does not have it.
    OnlyInBooks,
    /// Both have it, with different amounts.
    Amount,
}
