//! A person objects.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, Party};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{Objection, SettlementRecord, VISITS, VisitRow};
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::person::{self, Actor};

/// For how long a settlement may be objected to: 180 days after it or its last change. Our own
/// limit.
pub(super) const OBJECTION_MILLIS_MAX: u64 = 180 * 24 * 3_600 * 1_000;

/// Objects to a settlement; the provider has to answer, or the bureau in its place after the
/// region's deadline. The words lie in the vault. Signed by the person, a guardian or, for somebody
/// without keys or who has died, a desk of the home region's bureau.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectToSettlement {
    /// The settlement as it stands.
    pub original: SettlementRecord,
    /// The salted commitment to the words.
    pub statement: Hash,
    /// Who speaks for the person.
    pub by: Actor,
}

impl Kind for ObjectToSettlement {
    const NUMBER: u16 = 708;
    const NAME: &'static str = "object_to_settlement";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        person::require_speaker(context, state, self.original.subject.person, self.by).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let mut settled = view::require_record(state, &self.original)?;
        require(settled.objection.is_none(), || rejection::OBJECTION_STATE.reject())?;
        let latest = settled.revised.plus_millis(OBJECTION_MILLIS_MAX);
        require(context.time <= latest, || rejection::OBJECTION_TOO_LATE.reject())?;
        let (raised, statement) = (context.time, self.statement);
        settled.objection = Some(Objection { raised, statement, upheld: false });
        VISITS.put(state, &self.original.visit, &VisitRow::Settled(settled));
        let subject = &self.original.subject;
        let bureau = view::bureau_of(state, subject)?;
        let concerns = [
            Party::Organisation(subject.provider),
            Party::Organisation(bureau),
            Party::Person(subject.person),
        ];
        Ok(Outcome::event("settlement_objected", concerns))
    }
}
