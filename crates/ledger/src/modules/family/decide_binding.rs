//! Decides on an application to bind a child.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{CivilDate, PersonId, Text};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::binding::{Pair, bind, require_bindable, rules_of};
use super::rejection;
use super::table::{APPLICATIONS, Binding, BindingGround, BindingRefusal, FAMILIES, REFUSALS};
use super::view::family;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::Scope;
use crate::modules::person::{self, require_bureau};

/// Decides on an application to act for a child. Agreeing binds, with the slots of the month.
/// Signed by the bureau of the child's home region with scope `clerk`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideBinding {
    /// Who applied.
    pub payer: PersonId,
    /// For whom.
    pub member: PersonId,
    /// What the bureau says.
    pub decision: BindingDecision,
}

/// What the bureau says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BindingDecision {
    /// The documents prove the relation.
    Agree {
        /// The last day: when the child is old enough to agree in person at the latest. The last
        /// day of a month or year does not give the birthday away.
        until: CivilDate,
    },
    /// They do not.
    Refuse {
        /// Why.
        reason: RefusalReason,
    },
}

/// Why an application is refused. A list, since no free text stands on the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// The documents cannot be read.
    Unreadable,
    /// They do not name these two persons.
    OtherPersons,
    /// They do not prove the relation.
    RelationNotProven,
    /// They are out of date.
    OutOfDate,
    /// A guardian objects, or a court has decided otherwise.
    Disputed,
}

impl RefusalReason {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::OtherPersons => "other_persons",
            Self::RelationNotProven => "relation_not_proven",
            Self::OutOfDate => "out_of_date",
            Self::Disputed => "disputed",
        }
    }
}

impl Kind for DecideBinding {
    const NUMBER: u16 = 1005;
    const NAME: &'static str = "decide_binding";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let region = person::view::require_person(state, self.member)?.region;
        require_bureau(context, state, region, Scope::Clerk).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let pair = Pair { payer: self.payer, member: self.member };
        let application = APPLICATIONS
            .get(state, &pair.key())
            .ok_or_else(|| rejection::NO_APPLICATION.reject())?;
        let (rules, today) = rules_of(context, state, pair.member)?;
        require(today <= application.until, || {
            rejection::APPLICATION_EXPIRED.with(application.until)
        })?;
        APPLICATIONS.remove(state, &pair.key());
        let concerns = pair.concerns(state);
        match self.decision {
            BindingDecision::Agree { until } => {
                require_bindable(context, state, pair, (application.relation, true))?;
                let latest = today.plus_days(i32::from(rules.own_consent_age).saturating_mul(366));
                require(today < until && Some(until) <= latest, || {
                    rejection::INVALID_BINDING_END.with(until)
                })?;
                let binding = Binding {
                    relation: application.relation,
                    ground: BindingGround::Documents,
                    since: context.time,
                    until: Some(until),
                };
                bind(context, state, pair, &binding)?;
                let mut row = family(state, pair.payer);
                row.applied_for.retain(|one| *one != pair.member);
                FAMILIES.put(state, &pair.payer, &row);
                Ok(Outcome::event("member_bound", concerns).with("until", FieldValue::Date(until)))
            }
            BindingDecision::Refuse { reason } => {
                // The payer stays in the list with the reason, until the next application.
                let refusal = BindingRefusal { reason, decided: context.time };
                REFUSALS.put(state, &pair.key(), &refusal);
                let name = Text::new(reason.name())
                    .map_err(|words| rejection::NO_APPLICATION.with(words))?;
                Ok(Outcome::event("binding_refused", concerns)
                    .with("reason", FieldValue::Text(name)))
            }
        }
    }
}
