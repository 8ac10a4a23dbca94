//! Approves a batch of payments.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, OrganisationId, Party, RegionId};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::batch::{BatchStanding, require_batch};
use super::propose_payout::require_payable;
use super::rejection;
use super::signing::require_approver;
use super::table::BATCHES;
use crate::kernel::account::{Account, Books};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting::{self, Entry};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;

/// Approves a proposed batch: what is payable is in payment from now on, and the bank may be told.
/// Signed with scope `treasury` by a finance authority or regulator of the governing set other than
/// the bureau.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovePayout {
    /// The region that pays.
    pub region: RegionId,
    /// The batch.
    pub batch: u32,
    /// The hash of day and lines that were looked at.
    pub lines: Hash,
    /// Who approves.
    pub approver: OrganisationId,
}

impl Kind for ApprovePayout {
    const NUMBER: u16 = 1205;
    const NAME: &'static str = "approve_payout";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_approver(context, state, self.region, self.approver)
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let key = (self.region, self.batch);
        let mut row = require_batch(state, &key, BatchStanding::Proposed)?;
        require(row.lines_hash == self.lines, || rejection::LINES_DIFFER.with(row.lines_hash))?;
        let region = network::view::require_region(state, self.region)?;
        for line in &row.lines {
            require_payable(state, self.region, (line.provider, line.amount))?;
            let books = Books::of(line.provider, self.region);
            let entry = Entry {
                debit: Account::ProviderPayable(books),
                credit: Account::ProviderInPayment(books),
                amount: line.amount,
            };
            posting::post(state, context.time, region.currency, &[entry])?;
        }
        row.approved = Some((self.approver, context.time));
        row.standing = BatchStanding::Approved;
        BATCHES.put(state, &key, &row);
        let providers = row.lines.iter().map(|line| line.provider);
        let concerns = providers.chain([region.bureau, self.approver]).map(Party::Organisation);
        Ok(Outcome::event("payout_approved", concerns)
            .with("lines", FieldValue::Hash(row.lines_hash)))
    }
}
