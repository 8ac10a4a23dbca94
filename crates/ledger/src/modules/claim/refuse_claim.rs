//! Refuses a claim.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, Party, Text};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::{
    CLAIMS, ClaimRow, ClaimStanding, free_invoices, require_claim, require_waiting,
};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::Rejection;
use crate::modules::network;
use crate::modules::organisation::Scope;
use crate::modules::person::require_bureau;

/// Refuses a claim with a reason; its invoices may be claimed again. Signed by the region's bureau
/// with scope `clerk`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefuseClaim {
    /// The transaction that filed it.
    pub claim: Hash,
    /// Why.
    pub reason: ClaimRefusal,
}

/// Why a claim is refused. A list, since no free text stands on the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClaimRefusal {
    /// The documents cannot be read.
    Unreadable,
    /// Something is missing: an invoice, the list of lines, the summary of the stay.
    DocumentsMissing,
    /// The invoices are of somebody else.
    OtherPerson,
    /// The provider settled with the insurance already.
    SettledAlready,
    /// Somebody else has to pay: work injury, an accident with a party at fault.
    ThirdPartyPays,
    /// The scheme does not pay for such care.
    OutsideScheme,
    /// The issuer does not know the invoice.
    NotGenuine,
}

impl ClaimRefusal {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::DocumentsMissing => "documents_missing",
            Self::OtherPerson => "other_person",
            Self::SettledAlready => "settled_already",
            Self::ThirdPartyPays => "third_party_pays",
            Self::OutsideScheme => "outside_scheme",
            Self::NotGenuine => "not_genuine",
        }
    }
}

impl Kind for RefuseClaim {
    const NUMBER: u16 = 1104;
    const NAME: &'static str = "refuse_claim";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let region = require_claim(state, &self.claim)?.region;
        require_bureau(context, state, region, Scope::Clerk).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let row = require_waiting(state, &self.claim)?;
        free_invoices(state, &row);
        let bureau = network::view::require_region(state, row.region)?.bureau;
        let concerns = [Party::Person(row.person), Party::Organisation(bureau)];
        let (reason, decided) = (self.reason, context.time);
        let row = ClaimRow { standing: ClaimStanding::Refused { reason, decided }, ..row };
        CLAIMS.put(state, &self.claim, &row);
        let name =
            Text::new(reason.name()).map_err(|words| rejection::UNKNOWN_CLAIM.with(words))?;
        Ok(Outcome::event("claim_refused", concerns).with("reason", FieldValue::Text(name)))
    }
}
