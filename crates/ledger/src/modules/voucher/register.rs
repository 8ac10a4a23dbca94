//! What the module `visit` tells this one.

use alloc::vec::Vec;
use primitives::{Amount, Currency, Hash, OrganisationId, PersonId, detail};

use super::rejection;
use super::table::{SETTLEMENTS, SettlementRow, require_settlement};
use crate::kernel::overlay::Overlay;
use crate::kernel::rejection::{Rejection, require};

/// A visit was settled: this much of it the person bears, through personal account and cash.
pub(crate) fn register_settlement(
    state: &mut Overlay<'_>,
    transaction_id: Hash,
    person: PersonId,
    provider: OrganisationId,
    own_share: Amount,
    currency: Currency,
) {
    let row = SettlementRow {
        person,
        provider,
        currency,
        own_share,
        issued: Vec::new(),
        marks: Vec::new(),
    };
    SETTLEMENTS.put(state, &transaction_id, &row);
}

/// A settlement was refunded or corrected: now this much is the person's own. Vouchers issued
/// before tell of amounts that no longer stand, so new ones may be issued.
///
/// # Errors
/// `unknown_settlement`; `share_already_reimbursed` when a second payer has reimbursed more than
/// would be left: that payer takes it back first, so that nobody is paid twice.
pub(crate) fn adjust_settlement(
    state: &mut Overlay<'_>,
    transaction_id: Hash,
    own_share: Amount,
) -> Result<(), Rejection> {
    let mut row = require_settlement(state, &transaction_id)?;
    let marked = row.marked();
    require(marked <= own_share, || {
        rejection::SHARE_REIMBURSED
            .with(detail!("{reimbursed} were reimbursed", reimbursed = (marked, row.currency)))
    })?;
    row.own_share = own_share;
    row.issued.clear();
    SETTLEMENTS.put(state, &transaction_id, &row);
    Ok(())
}
