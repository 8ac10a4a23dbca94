//! What a hospital files for somebody at the bureau: care elsewhere, chronic care, a birth. The
//! ledger has a number and a salted commitment; what was filed lies sealed in the hospital's book.
//!
//! Invariants: the bureau's machine signs only what the profile says that the bureau takes from
//! this hospital; nothing that is filed begins before the day on which it is filed; no disease
//! reaches the ledger (tests in `tests/api/nhsa_filing.rs`).

use std::collections::BTreeSet;

use borsh::{BorshDeserialize, BorshSerialize};
use ledger::kernel::registry::Kind;
use ledger::modules::coverage;
use ledger::modules::coverage::{AssignSlot, Coverage};
use primitives::{Hash, Period, PersonId, SlotId, codec, sha256_parts};
use serde_json::{Value, json};

use super::desk::{Message, damaged};
use super::field::{Field, Form, Node, Record};
use super::refusal::Refusal;
use crate::problem::Problem;

const FILED: &str = "filed";
/// What is kept under the number of a filing.
const FILING: &str = "filing";

/// From when and to when something is filed.
pub(super) const BEGNDATE: Field = Field::needed("begndate", Form::Day, "开始日期，不早于备案当日");
pub(super) const ENDDATE: Field = Field::optional("enddate", Form::Day, "结束日期");

/// Whom to ask.
pub(super) const TEL: Field = Field::optional("tel", Form::Text(50), "联系电话");

/// What is answered: the number of what was filed.
pub(super) const OUTPUT: Node =
    Node::one("result", &[Field::needed("trt_dcla_detl_sn", Form::Text(30), "待遇申报明细流水号")]);

/// Somebody for whom something is to be filed.
pub(super) struct Filer {
    /// Who.
    pub person: PersonId,
    /// The coverage under which it is filed.
    pub coverage: Coverage,
    /// From when to when.
    pub period: Period,
    /// Hides what was filed in the commitment.
    salt: [u8; 32],
}

/// What was filed, in the book.
#[derive(BorshSerialize, BorshDeserialize)]
struct Kept {
    /// Opens the commitment, with the text.
    salt: [u8; 32],
    /// What was filed, as it came.
    text: String,
    /// From when to when.
    period: Period,
    /// Its number.
    number: String,
}

impl Filer {
    /// Who is filed for, under which coverage, and when.
    ///
    /// # Errors
    /// When the person was not identified today or is not covered, or the days cannot be.
    pub fn read(message: &Message<'_>, record: &Record) -> Result<Self, Refusal> {
        let person = message.person_of_today(record)?;
        let scheme = message.scheme(record, record.text("insutype"))?;
        let from = record.day("begndate")?;
        let to = record.get("enddate").map(|_| record.day("enddate")).transpose()?;
        let is_again = message.institution.book.outgoing(message.envelope.msgid())?.is_some();
        if from < message.today() && !is_again {
            let words = "不能早于备案当日；请填写当日或以后的日期";
            return Err(Refusal::at(record.path("begndate"), words));
        }
        if to.is_some_and(|to| to < from) {
            let words = "早于开始日期；请改正后重发";
            return Err(Refusal::at(record.path("enddate"), words));
        }
        let (state, region) = (&message.call.view.state, message.wallet()?.region);
        let found = coverage::view::require_active_coverage(state, person, region, scheme, from);
        let coverage = found.map_err(|rejection| Problem::rejected(&rejection))?;
        Ok(Self { person, coverage, period: Period { from, to }, salt: message.id("salt") })
    }

    /// The commitment to what a message files.
    pub fn commitment(&self, message: &Message<'_>) -> Hash {
        let text = message.envelope.input.to_string();
        sha256_parts(&[b"yibao/nhsa-filing/v1", &self.salt, text.as_bytes()])
    }

    /// Nothing is filed already for these days under this name.
    ///
    /// # Errors
    /// What is there.
    fn require_new(
        &self,
        message: &Message<'_>,
        record: &Record,
        name: &str,
    ) -> Result<(), Refusal> {
        let kept = message.institution.book.get(FILED, name)?;
        let kept: Option<Kept> =
            kept.map(|bytes| codec::decode(&bytes)).transpose().map_err(damaged)?;
        let is_other = |one: &Kept| one.number != Self::number(message);
        match kept.filter(|one| is_other(one) && one.period.overlaps(&self.period)) {
            None => Ok(()),
            Some(one) => {
                let words = format!(
                    "该参保人在这段时间已有本机构的同一备案（{}）；不需再次备案",
                    one.number
                );
                Err(Refusal::at(record.path("begndate"), words))
            }
        }
    }

    fn number(message: &Message<'_>) -> String {
        message.name(FILING, message.envelope.msgid().as_bytes())
    }

    /// Files something once for these days under a name of the person's: the bureau signs, whose
    /// word the hospital has. The text goes into the book after the ledger took it; the same
    /// message again goes on where it was.
    ///
    /// # Errors
    /// What is there already, or why it is not filed.
    pub fn file<K: Kind>(
        &self,
        message: &Message<'_>,
        record: &Record,
        name: &str,
        body: impl FnOnce() -> K,
    ) -> Result<Value, Refusal> {
        let name = message.name(FILED, format!("{}/{name}", record.text("psn_no")).as_bytes());
        message.alone(FILED, &name, |message| {
            self.require_new(message, record, &name)?;
            message.put(&[&*message.wallet()?.bureau], || Ok(body()))?;
            let (number, text) = (Self::number(message), message.envelope.input.to_string());
            let kept = Kept { salt: self.salt, text, period: self.period, number: number.clone() };
            message.institution.book.put(FILED, &name, &codec::encode(&kept))?;
            Ok(json!({ "result": { "trt_dcla_detl_sn": number } }))
        })
    }

    /// Files a numbered slot of a group of the plan under this name.
    ///
    /// # Errors
    /// Why it is not filed.
    pub fn assign(
        &self,
        message: &Message<'_>,
        record: &Record,
        (name, group): (&str, u8),
    ) -> Result<Value, Refusal> {
        let commitment = self.commitment(message);
        self.file(message, record, name, || {
            let taken = self.coverage.slots.iter().map(|one| one.slot);
            AssignSlot {
                person: self.person,
                region: self.coverage.region,
                scheme: self.coverage.scheme,
                slot: free(taken.collect()),
                group,
                amount: None,
                period: self.period,
                commitment,
            }
        })
    }
}

/// The lowest number that is free.
pub(super) fn free(taken: BTreeSet<SlotId>) -> SlotId {
    (1..).map(SlotId).find(|number| !taken.contains(number)).unwrap_or(SlotId(0))
}
