//! What an adjudication answers: the split of the bill, what it does to the running amounts, and a
//! compact trace from which the explanation is rendered at the edge.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Rate, SlotId};
use serde::{Deserialize, Serialize};

use crate::{accumulator::AccumulatorChange, facts::FamilyGrant, word::Payer};

/// What one payer pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PayerShare {
    /// The payer.
    pub payer: Payer,
    /// The amount, above zero.
    pub amount: Amount,
}

/// What one family-account grant pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FamilyShare {
    /// The number by which the caller knows the grant.
    pub grant: u32,
    /// The amount, above zero.
    pub amount: Amount,
}

/// The split of a bill, or of the part of a stay that falls into one period of a plan.
///
/// `total = self_paid + over_cap + class_b_share + in_policy
///        = payers + personal_account + family_accounts + cash`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Adjudication {
    /// What the bill charges (`medfee_sumamt`).
    pub total: Amount,
    /// Class C and outside conditions (`fulamt_ownpay_amt`).
    pub self_paid: Amount,
    /// Above price caps (`overlmt_selfpay`).
    pub over_cap: Amount,
    /// First shares of class B (`preselfpay_amt`).
    pub class_b_share: Amount,
    /// What benefits apply to (`inscp_scp_amt`).
    pub in_policy: Amount,
    /// Deductible taken by the steps that the plan marks as the deductible (`act_pay_dedc`).
    pub deductible: Amount,
    /// What each payer pays, by payer number; payers that pay nothing are left out.
    pub payers: Vec<PayerShare>,
    /// What the personal account pays (`acct_pay`).
    pub personal_account: Amount,
    /// What each family-account grant pays, in the order given (`acct_mulaid_pay`).
    pub family_accounts: Vec<FamilyShare>,
    /// What the person pays (`psn_cash_pay`).
    pub cash: Amount,
    /// How the running amounts change, in the order of their keys.
    pub changes: Vec<AccumulatorChange>,
    /// Why, step by step.
    pub trace: Vec<TraceEntry>,
}

impl Adjudication {
    /// What this payer pays.
    #[must_use]
    pub fn paid_by(&self, payer: Payer) -> Amount {
        let share = self.payers.iter().find(|share| share.payer == payer);
        share.map_or(Amount::ZERO, |share| share.amount)
    }

    /// What all payers pay together, without accounts and cash.
    #[must_use]
    pub fn paid_by_payers(&self) -> Amount {
        sum(self.payers.iter().map(|share| share.amount))
    }

    /// What all family accounts pay together.
    #[must_use]
    pub fn paid_by_family(&self) -> Amount {
        sum(self.family_accounts.iter().map(|share| share.amount))
    }

    /// Takes what was paid from accounts off what the next part of a stay may use.
    pub fn spend(&self, personal_account: &mut Amount, family_accounts: &mut [FamilyGrant]) {
        *personal_account = personal_account.saturating_sub(self.personal_account);
        for offer in family_accounts {
            let shares = self.family_accounts.iter().filter(|share| share.grant == offer.grant);
            offer.available = offer.available.saturating_sub(sum(shares.map(|share| share.amount)));
        }
    }

    /// Whether both ways of adding up give the total.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        let parts = [self.self_paid, self.over_cap, self.class_b_share, self.in_policy];
        let paid = [self.paid_by_payers(), self.personal_account, self.paid_by_family(), self.cash];
        Amount::checked_sum(parts) == Some(self.total)
            && Amount::checked_sum(paid) == Some(self.total)
    }
}

fn sum(amounts: impl Iterator<Item = Amount>) -> Amount {
    amounts.fold(Amount::ZERO, Amount::saturating_add)
}

/// One thing a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceEntry {
    /// The step's place in the plan, from 0.
    pub step: u8,
    /// The slot for which the step ran, 0 for none.
    pub slot: SlotId,
    /// What it did.
    pub note: TraceNote,
}

/// What a step did, with the numbers before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TraceNote {
    /// The step looked at this much.
    Base {
        /// What the step applies to.
        amount: Amount,
    },
    /// A cap on what may be looked at cut it down.
    BaseCapped {
        /// Which of the step's base caps, from 0.
        cap: u8,
        /// What the cap allows in its period.
        limit: Amount,
        /// What had been used before.
        used: Amount,
        /// What it cut off.
        cut: Amount,
    },
    /// A deductible was taken first.
    Deductible {
        /// Which of the step's deductibles, from 0: the one of which least was open.
        deductible: u8,
        /// What the deductible is for its period.
        full: Amount,
        /// What had been met before.
        met: Amount,
        /// What was taken now.
        taken: Amount,
    },
    /// A change to the rate of the tier that the next [`TraceNote::Tier`] speaks of.
    RateChanged {
        /// Which of the step's changes to rates, from 0.
        change: u8,
        /// The rate before.
        before: Rate,
        /// The rate after.
        after: Rate,
    },
    /// A tier of the rate table.
    Tier {
        /// Which tier, from 0.
        tier: u8,
        /// Where it begins.
        above: Amount,
        /// Where the next one begins; none for the last.
        below: Option<Amount>,
        /// The part of the base that lies in it.
        part: Amount,
        /// The rate as the table lists it.
        listed: Rate,
        /// The rate after adjustments.
        rate: Rate,
        /// What the tier gives; none when the step rounds its tiers together.
        benefit: Option<Amount>,
    },
    /// All tiers together, rounded once.
    Rounded {
        /// What they give.
        benefit: Amount,
    },
    /// A change to the amount that the next note of another kind speaks of.
    AmountChanged {
        /// Why it was changed.
        why: AmountReason,
        /// The amount before.
        before: Amount,
        /// The amount after.
        after: Amount,
    },
    /// A cap cut the benefit down.
    Capped {
        /// Which of the step's caps, from 0.
        cap: u8,
        /// What the cap allows in its period.
        limit: Amount,
        /// What had been used before.
        used: Amount,
        /// What it cut off.
        cut: Amount,
    },
    /// A fixed amount.
    FixedAmount {
        /// What the amount is for its period.
        full: Amount,
        /// What had been used before.
        used: Amount,
        /// What it gives now.
        gives: Amount,
    },
    /// The person keeps a fixed amount.
    Copay {
        /// What the person keeps in its period.
        full: Amount,
        /// What had been kept before.
        used: Amount,
        /// What the person keeps now.
        kept: Amount,
    },
    /// A limit on what the person bears.
    Limited {
        /// Which of the step's limits, from 0.
        limit_no: u8,
        /// What the person bears at most in its period.
        limit: Amount,
        /// What the person had borne before.
        borne: Amount,
        /// What is above the limit now.
        excess: Amount,
    },
    /// The step paid.
    Paid {
        /// What it paid.
        amount: Amount,
        /// What is left of what it looked at.
        left: Amount,
    },
    /// An account paid.
    Account {
        /// The grant's place in the facts, from 1; 0 for the personal account.
        account: u8,
        /// What was there.
        available: Amount,
        /// What it paid.
        paid: Amount,
    },
    /// An amount was added to an accumulator.
    Counted {
        /// The accumulator's number.
        number: u16,
        /// What was added.
        added: Amount,
    },
}

/// Why the amount of a deductible, cap, limit, copay or fixed amount is not the listed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AmountReason {
    /// It is listed per day.
    Days {
        /// The days of the stay.
        days: u16,
    },
    /// One of its `changes` holds.
    Change {
        /// Which, from 0.
        change: u8,
    },
    /// It changes from visit to visit.
    Visit {
        /// The visit's number.
        number: u64,
    },
    /// It grows with unbroken and claim-free years.
    Years,
    /// A share of what was charged comes on top.
    Share {
        /// The share.
        share: Rate,
        /// What of the charged amount it is taken of.
        charged: Amount,
    },
}
