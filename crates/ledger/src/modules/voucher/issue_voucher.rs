//! Notes that a voucher was issued.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, OrganisationId, Party};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::{IssuedVoucher, SETTLEMENTS, VoucherPurpose, require_settlement};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::{self, Scope};
use crate::modules::{network, person};

/// Notes that a sealed voucher of a settlement was issued, once for each purpose. Signed by the
/// provider with scope `settle`, or by the bureau of the person's home region with scope
/// `countersign`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueVoucher {
    /// The transaction that settled the visit first.
    pub settlement: Hash,
    /// What the voucher is for.
    pub purpose: VoucherPurpose,
    /// Who issues it.
    pub issuer: OrganisationId,
    /// The salted hash of the sealed file.
    pub seal: Hash,
}

impl Kind for IssueVoucher {
    const NUMBER: u16 = 801;
    const NAME: &'static str = "issue_voucher";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let row = require_settlement(state, &self.settlement)?;
        let home = person::view::person(state, row.person).map(|person| person.region);
        let scope = if self.issuer == row.provider {
            Scope::Settle
        } else if home.is_some_and(|home| network::view::is_bureau(state, home, self.issuer)) {
            Scope::Countersign
        } else {
            return Err(rejection::NOT_THE_ISSUER.with(self.issuer));
        };
        organisation::view::require_signed(context, state, self.issuer, scope).map(|_| ())
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        let mut row = require_settlement(state, &self.settlement)?;
        require(row.issued.iter().all(|issued| issued.purpose != self.purpose), || {
            rejection::ALREADY_ISSUED.reject()
        })?;
        let (purpose, issuer, seal) = (self.purpose, self.issuer, self.seal);
        row.issued.push(IssuedVoucher { purpose, issuer, seal });
        SETTLEMENTS.put(state, &self.settlement, &row);
        let concerns = [Party::Organisation(issuer), Party::Person(row.person)];
        Ok(Outcome::event("voucher_issued", concerns)
            .with("settlement", FieldValue::Hash(self.settlement))
            .with("seal", FieldValue::Hash(seal)))
    }
}
