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
use crate::modules::person;

/// For how long a settlement may be objected to: 180 days after it. Our own limit.
pub(super) const OBJECTION_MILLIS_MAX: u64 = 180 * 24 * 3_600 * 1_000;

/// Objects to a settlement; the provider has to answer. The words lie in the vault. Signed by the
/// person.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    BorshSerialize,
    BorshDeserialize,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ObjectToSettlement {
    /// The settlement as it stands.
    pub original: SettlementRecord,
    /// The salted commitment to the words.
    pub statement: Hash,
}

impl Kind for ObjectToSettlement {
    const NUMBER: u16 = 708;
    const NAME: &'static str = "object_to_settlement";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let who = self.original.subject.person;
        person::view::require_key_despite_lock(context, state, who).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let mut settled = view::require_record(state, &self.original)?;
        require(settled.objection.is_none(), || rejection::OBJECTION_STATE.reject())?;
        let latest = settled.settled.plus_millis(OBJECTION_MILLIS_MAX);
        require(context.time <= latest, || rejection::OBJECTION_TOO_LATE.reject())?;
        settled.objection = Some(Objection { raised: context.time, statement: self.statement });
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
