//! The forms of consent, and what each allows.

use benefit::VisitType;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, PersonId, RegionId, Text, detail};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cash::{CashLeg, RailKind};
use super::rejection;
use super::table::VisitSubject;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::{self, Scope};
use crate::modules::{family, network, person};

/// Whose money is asked for, and for what.
#[derive(Clone, Copy)]
pub(super) struct Whose {
    /// The person.
    pub person: PersonId,
    /// The region whose rules count.
    pub region: RegionId,
    /// The kind of care; left out where it was agreed to before and only fails to be paid.
    pub visit_type: Option<VisitType>,
}

impl Whose {
    /// The person of a visit.
    pub(super) const fn of(subject: &VisitSubject) -> Self {
        let VisitSubject { person, region, visit_type, .. } = *subject;
        Self { person, region, visit_type: Some(visit_type) }
    }
}

/// Who agrees to a settlement in the person's name, and how. It stands in receipt and voucher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "form", deny_unknown_fields)]
pub enum Consent {
    /// The person's own key signs.
    OwnKey,
    /// A guardian's key signs.
    Guardian {
        /// Who.
        guardian: PersonId,
    },
    /// The person's card with a PIN that the bureau checked online; the bureau signs with scope
    /// `clerk`.
    DeskCard,
    /// An identity card shown at the desk: fund-paid care, and little cash over the counter, never
    /// the personal account. The provider answers for it. Contestable.
    IdentityCard,
    /// Nobody can agree: provider and bureau witness it. The same limits. Contestable.
    EmergencyWitness {
        /// Why nobody could.
        reason: EmergencyReason,
    },
    /// A relative to whom the person is bound signs, with the person's own money and cover.
    Proxy {
        /// Who.
        payer: PersonId,
    },
}

/// Why nobody could agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmergencyReason {
    /// The person was unconscious.
    Unconscious,
    /// The person is a newborn without a guardian on the ledger.
    Newborn,
    /// The person has died.
    Death,
}

impl Consent {
    /// The stable name, shown in receipt and voucher.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::OwnKey => "own_key",
            Self::Guardian { .. } => "guardian",
            Self::DeskCard => "desk_card",
            Self::IdentityCard => "identity_card",
            Self::EmergencyWitness { .. } => "emergency_witness",
            Self::Proxy { .. } => "proxy",
        }
    }

    /// The name as the fact that a voucher may show.
    pub(super) fn field(&self) -> Result<FieldValue, Rejection> {
        let name = Text::new(self.name()).map_err(|words| rejection::CONSENT_TOO_WEAK.with(words));
        name.map(FieldValue::Text)
    }

    /// Whether only organisations sign under this form, neither the person nor a guardian, and no
    /// PIN was checked. Then the personal account and bound cards never pay: cash goes over a
    /// counter within the region's limit, or stays a receivable of the provider; and the
    /// person may contest it. A lock changes nothing in this, so fund-paid care always goes on.
    #[must_use]
    pub const fn is_given_by_others(&self) -> bool {
        matches!(self, Self::IdentityCard | Self::EmergencyWitness { .. })
    }

    /// Whether the personal account may pay under this form.
    #[must_use]
    pub const fn allows_personal_account(&self) -> bool {
        !self.is_given_by_others()
    }

    /// The consent is given for this much money of the person, own and relatives' accounts
    /// together, and cash; what it used up is noted.
    ///
    /// # Errors
    /// Whose signature, right or limit is missing.
    pub(super) fn require(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
        Whose { person, region, visit_type }: Whose,
        accounts: Amount,
        (cash, leg): (Amount, Option<&CashLeg>),
    ) -> Result<(), Rejection> {
        require(self.allows_personal_account() || accounts.is_zero(), || {
            rejection::CONSENT_TOO_WEAK
                .with(detail!("`{consent}` was given", consent = self.name()))
        })?;
        if self.is_given_by_others() {
            require_counter(state, region, cash, leg)?;
        }
        let own = accounts.saturating_add(cash);
        match self {
            Self::OwnKey if own.is_zero() => {
                person::view::require_key_despite_lock(context, state, person).map(|_| ())
            }
            Self::OwnKey => {
                let used = person::view::require_key(context, state, person, own)?;
                person::view::note_key_spending(state, &used)
            }
            Self::Guardian { guardian } if own.is_zero() => {
                person::view::require_guardian_despite_lock(context, state, person, *guardian)
                    .map(|_| ())
            }
            Self::Guardian { guardian } => {
                let used = person::view::require_guardian(context, state, person, *guardian, own)?;
                person::view::note_key_spending(state, &used)
            }
            Self::DeskCard => {
                let used = person::view::require_card(context, state, person, own)?;
                person::view::note_card_spending(state, &used)
            }
            Self::IdentityCard => Ok(()),
            Self::EmergencyWitness { .. } => Self::require_witness(context, state, region),
            Self::Proxy { payer } => {
                family::view::require_proxy_accepted(state, region, visit_type)?;
                let pair = (person, *payer);
                let used = family::view::require_proxy(context, state, pair, own)?;
                person::view::note_key_spending(state, &used)
            }
        }
    }

    fn require_witness(
        context: &Context<'_>,
        state: &(impl Read + ?Sized),
        region: RegionId,
    ) -> Result<(), Rejection> {
        let bureau = network::view::require_region(state, region)?.bureau;
        organisation::view::require_signed(context, state, bureau, Scope::Clerk).map(|_| ())
    }
}

/// Cash that nobody of the person's side agreed to goes over a counter, where whoever hands it over
/// sees it, and within the region's limit. Without a leg nothing is taken: it stays a receivable.
fn require_counter(
    state: &(impl Read + ?Sized),
    region: RegionId,
    cash: Amount,
    leg: Option<&CashLeg>,
) -> Result<(), Rejection> {
    let Some(leg) = leg else { return Ok(()) };
    require(leg.kind == RailKind::Counter, || {
        rejection::CONSENT_TOO_WEAK
            .with(detail!("take cash over a counter, or leave it as a receivable"))
    })?;
    let region = network::view::require_region(state, region)?;
    let most = region.settings.witnessed_cash_max;
    require(cash <= most, || {
        rejection::WITNESSED_CASH_LIMIT
            .with(detail!("at most {most}", most = (most, region.currency)))
    })
}
