//! Proposes a batch of payments to providers.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, Hash, OrganisationId, Party, RegionId, codec, sha256_parts};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::batch::{BatchStanding, LineRow, LineStanding, PAYOUT_LINES_MAX, PayoutBatch};
use super::rejection;
use super::signing::require_bureau;
use super::table::{BATCHES, LAST_BATCH};
use super::view::{last_batch, require_rules};
use crate::kernel::account::{Account, Books};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting;
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};

/// A payment that is proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PayoutLine {
    /// Who is to be paid.
    pub provider: OrganisationId,
    /// How much; at most what is payable.
    pub amount: Amount,
    /// The salted hash of the bank account, see `account_tag`.
    pub account: Hash,
}

/// The hash of a bank account under a salt that bureau and approver alone have.
#[must_use]
pub fn account_tag(salt: &Hash, account: &str) -> Hash {
    sha256_parts(&[b"yibao/bank-account/v1", salt.as_bytes(), account.as_bytes()])
}

/// Proposes payments of what is payable to providers. Nothing moves before another organisation
/// approves. Signed by the region's bureau with scope `treasury`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposePayout {
    /// The region that pays.
    pub region: RegionId,
    /// The batch's number: the one after the region's last.
    pub batch: u32,
    /// The day on which the bank is asked to pay.
    pub execute_on: CivilDate,
    /// The payments, 1 to 500, sorted by provider, each once.
    #[schemars(length(min = 1, max = 500))]
    pub lines: Vec<PayoutLine>,
}

impl ProposePayout {
    /// The hash of day and lines, which an approver signs.
    #[must_use]
    pub fn lines_hash(&self) -> Hash {
        let content = codec::encode(&(self.execute_on, &self.lines));
        sha256_parts(&[b"yibao/payout-lines/v1", &content])
    }
}

/// What is payable to a provider now.
pub(super) fn require_payable(
    state: &(impl Read + ?Sized),
    region: RegionId,
    (provider, amount): (OrganisationId, Amount),
) -> Result<(), Rejection> {
    let account = Account::ProviderPayable(Books::of(provider, region));
    let payable = posting::balance(state, &account);
    require(i128::from(amount.minor()) <= payable, || rejection::EXCEEDS_PAYABLE.with(provider))
}

impl Kind for ProposePayout {
    const NUMBER: u16 = 1204;
    const NAME: &'static str = "propose_payout";

    fn check(&self) -> Result<(), Rejection> {
        let few = (1..=PAYOUT_LINES_MAX).contains(&self.lines.len());
        let sorted = self.lines.is_sorted_by(|a, b| a.provider < b.provider);
        let amounts = self.lines.iter().all(|line| !line.amount.is_zero());
        require(few && sorted && amounts, || rejection::PAYOUT_LINES.reject())
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_bureau(context, state, self.region).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let (bureau, proposer) = require_bureau(context, state, self.region)?;
        require_rules(state, self.region)?;
        let next = last_batch(state, self.region).saturating_add(1);
        require(self.batch == next, || rejection::BATCH_NUMBER.with(next))?;
        for line in &self.lines {
            require_payable(state, self.region, (line.provider, line.amount))?;
        }
        let lines = self.lines.iter().map(|line| LineRow {
            provider: line.provider,
            amount: line.amount,
            account: line.account,
            standing: LineStanding::Waiting,
        });
        let row = PayoutBatch {
            execute_on: self.execute_on,
            lines_hash: self.lines_hash(),
            lines: lines.collect(),
            proposer,
            proposed: context.time,
            approved: None,
            standing: BatchStanding::Proposed,
        };
        BATCHES.put(state, &(self.region, self.batch), &row);
        LAST_BATCH.put(state, &self.region, &self.batch);
        Ok(Outcome::event("payout_proposed", [Party::Organisation(bureau)])
            .with("lines", FieldValue::Hash(row.lines_hash)))
    }
}
