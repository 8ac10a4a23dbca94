//! What the transactions share: what the hospital remembers, and how something goes to the ledger
//! for a message.

use std::sync::Arc;

use adapters::sqlite::Mark;
use benefit::bill::{BillText, LineText};
use benefit::decimal::DecimalText;
use benefit::{Bill, VisitType};
use borsh::{BorshDeserialize, BorshSerialize};
use ledger::Transaction;
use ledger::kernel::registry::Kind;
use ledger::modules::visit::{VisitRow, is_stay};
use primitives::{
    Amount, CivilDate, Currency, Hash, PersonId, RegionId, SchemeId, SlotId, UtcOffset, VisitId,
    codec, sha256_parts,
};

use super::field::{Record, yuan};
use super::refusal::Refusal;
use super::signer::HospitalMachine;
use super::{CLOCK_MINUTES, Institution};
use crate::access::SeenVisit;
use crate::api::machine::{execute, signed};
use crate::call::Call;
use crate::nhsa::envelope::Envelope;
use crate::port::IndexedReceipt;
use crate::problem::{Problem, code};
use crate::wallet::{Machine, Wallet};
use serde_json::Value;

const SESSION: &str = "session";
const PERSON: &str = "person";
/// What is kept, named and claimed for a visit.
pub(super) const VISIT: &str = "visit";
const LINES: &str = "lines";
const SETTLEMENT: &str = "settlement";
const REVERSED: &str = "reversed";

/// Of what a transaction is: the interface has numbers for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    /// Without admission: 22xx.
    Outpatient,
    /// A stay: 23xx and 24xx.
    Stay,
}

impl Care {
    /// That of a kind of care.
    #[must_use]
    pub const fn of(kind: VisitType) -> Self {
        if is_stay(kind) { Self::Stay } else { Self::Outpatient }
    }
}

/// A message that is being carried out.
pub struct Message<'a> {
    /// The request.
    pub call: &'a Call,
    /// The hospital.
    pub institution: &'a Institution,
    /// The message.
    pub envelope: &'a Envelope,
    /// When it came, among what the book was told.
    pub mark: Mark,
}

/// Somebody whom this hospital identified.
#[derive(Clone, BorshSerialize, BorshDeserialize)]
pub struct KnownPerson {
    /// Who on the ledger.
    pub person: PersonId,
    /// The name as the bureau has it.
    pub name: String,
    /// What was shown: the code of the kind of certificate.
    pub certificate: String,
    /// A hash of what was shown, under the hospital's own key.
    pub shown: String,
    /// On which day.
    pub day: CivilDate,
}

/// A visit that this hospital opened.
#[derive(Clone, BorshSerialize, BorshDeserialize)]
pub struct KnownVisit {
    /// Its id on the ledger.
    pub visit: VisitId,
    /// Whose it is here.
    pub psn_no: String,
    /// The hospital's own number of it.
    pub ipt_otp_no: String,
}

/// A line of a visit's bill.
#[derive(Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct KnownLine {
    /// The hospital's own number of it.
    pub feedetl_sn: String,
    /// The batch in which it was charged.
    pub batch: String,
    /// The item's code in the catalogue.
    pub item_code: String,
    /// The day of the service.
    pub day: CivilDate,
    /// How many.
    pub quantity: String,
    /// The price of one.
    pub price: String,
    /// What the line charges, in fen.
    pub amount: u64,
}

/// A bill as the API takes it; the lines have the numbers of their places, from 1.
///
/// # Errors
/// What is wrong with a line.
pub fn bill_of(lines: &[KnownLine], diagnosis_groups: &[String]) -> Result<Bill, Refusal> {
    let text = |(number, line): (u32, &KnownLine)| LineText {
        line_no: number,
        item_code: line.item_code.clone(),
        name: String::new(),
        service_date: line.day,
        quantity: Some(DecimalText(line.quantity.clone())),
        unit_price: Some(DecimalText(line.price.clone())),
        amount: DecimalText(yuan(Amount::from_minor(line.amount))),
        category: None,
        programme: 0,
        slot: SlotId(0),
    };
    let lines: Vec<LineText> = (1..).zip(lines).map(text).collect();
    let diagnosis_groups = diagnosis_groups.to_vec();
    let bill = BillText { currency: Currency::CNY, lines, diagnosis_groups };
    // The bill's own words are English; what the tables say was checked before.
    Bill::try_from(bill).map_err(|_| {
        Refusal::new("feedetail：明细的单价×数量与金额不符，或编码、数量、单价有误；请核对后重发")
    })
}

impl Message<'_> {
    /// What signs for the hospital.
    #[must_use]
    pub fn machine(&self) -> HospitalMachine<'_> {
        HospitalMachine { signer: &self.institution.signer, msgid: self.envelope.msgid() }
    }

    /// The bureau behind this node.
    ///
    /// # Errors
    /// When it is not here.
    pub fn wallet(&self) -> Result<Arc<Wallet>, Refusal> {
        Ok(self.call.wallet()?)
    }

    /// Today by the clock of the interface.
    #[must_use]
    pub fn today(&self) -> CivilDate {
        self.call.instant().day(UtcOffset(CLOCK_MINUTES))
    }

    /// The region in which the patient is insured.
    ///
    /// # Errors
    /// When the envelope does not say, or it is another bureau's.
    pub fn insured_region(&self) -> Result<RegionId, Refusal> {
        let fields = &self.envelope.fields;
        let text = fields.get("insuplc_admdvs").ok_or_else(|| {
            Refusal::at("insuplc_admdvs", "本交易必填（参保地区划）；请填写后重发")
        })?;
        let served = self.wallet()?.region;
        let region = text.parse().ok().map(RegionId).filter(|region| *region == served);
        region.ok_or_else(|| {
            let words = format!("本节点只受理 {} 参保人；异地就医请接入参保地平台", served.0);
            Refusal::at("insuplc_admdvs", words)
        })
    }

    /// What the code in `med_type` is here, which must be such care.
    ///
    /// # Errors
    /// When it is not, with those that are.
    pub fn require_kind(&self, record: &Record, care: Care) -> Result<VisitType, Refusal> {
        let kinds = &self.institution.profile.med_types;
        let kind = kinds.get(record.text("med_type")).filter(|kind| Care::of(**kind) == care);
        if let Some(kind) = kind {
            return Ok(*kind);
        }
        let fitting = kinds.iter().filter(|(_, kind)| Care::of(**kind) == care);
        let codes: Vec<&str> = fitting.map(|(code, _)| code.as_str()).collect();
        let words = format!("本机构未开通该医疗类别；可用：{}", codes.join("、"));
        Err(Refusal::at(record.path("med_type"), words))
    }

    /// A `sign_no` in the envelope must be of a session that is open; it may be left out. What was
    /// sent on in its session is only asked about when the same bytes come again, also afterwards.
    ///
    /// # Errors
    /// When it is not open.
    pub fn require_open_session(&self) -> Result<(), Refusal> {
        let Some(number) = self.envelope.fields.get("sign_no") else { return Ok(()) };
        if self.institution.book.outgoing(self.envelope.msgid())?.is_some() {
            return Ok(());
        }
        self.require_session(number)
    }

    /// The session of this number is open.
    ///
    /// # Errors
    /// When it is not.
    pub fn require_session(&self, number: &str) -> Result<(), Refusal> {
        let kept = self.institution.book.get(SESSION, number)?;
        if kept.as_deref() == Some(b"open") {
            return Ok(());
        }
        Err(Refusal::at("sign_no", "签到编号无效或已签退；请重新签到（9001）"))
    }

    /// Opens or ends a session.
    ///
    /// # Errors
    /// When the book fails.
    pub fn put_session(&self, number: &str, is_open: bool) -> Result<(), Refusal> {
        let state: &[u8] = if is_open { b"open" } else { b"ended" };
        Ok(self.institution.book.put(SESSION, number, state)?)
    }

    /// A name of the hospital's own for something, which nobody else can compute.
    #[must_use]
    pub fn name(&self, kind: &str, of: &[u8]) -> String {
        self.institution.book.name(kind, of)
    }

    /// An id that follows from the message, so that carrying it out again gives the same.
    #[must_use]
    pub fn id(&self, meaning: &str) -> [u8; 32] {
        let name = self.name(meaning, self.envelope.msgid().as_bytes());
        sha256_parts(&[b"yibao/nhsa-id/v1", meaning.as_bytes(), name.as_bytes()]).0
    }

    /// The scheme of this code.
    ///
    /// # Errors
    /// When it is no code of a scheme.
    pub fn scheme(&self, record: &Record, code: &str) -> Result<SchemeId, Refusal> {
        code.parse().map(SchemeId).map_err(|_| {
            Refusal::at(record.path("insutype"), "应为数字代码，如 310、390；请改正后重发")
        })
    }

    /// The number under which this hospital knows a person.
    #[must_use]
    pub fn person_number(&self, person: PersonId) -> String {
        self.name(PERSON, &person.0)
    }

    /// The number under which this hospital knows the settlement of a transaction.
    #[must_use]
    pub fn settlement_number(&self, transaction: &Hash) -> String {
        self.name(SETTLEMENT, &transaction.0)
    }

    /// Enters somebody who was identified; gives the number under which the hospital knows them.
    ///
    /// # Errors
    /// When the book fails.
    pub fn keep_person(&self, known: &KnownPerson) -> Result<String, Refusal> {
        let number = self.person_number(known.person);
        self.institution.book.put(PERSON, &number, &codec::encode(known))?;
        Ok(number)
    }

    /// Somebody whom this hospital identified, by `psn_no`.
    ///
    /// # Errors
    /// When nobody was identified under it.
    pub fn known_person(&self, record: &Record) -> Result<KnownPerson, Refusal> {
        let kept = self.institution.book.get(PERSON, record.text("psn_no"))?;
        let known = kept.map(|bytes| codec::decode(&bytes)).transpose().map_err(damaged)?;
        known.ok_or_else(|| {
            let words = "本机构未识别过该人员编号；请先做1101人员信息获取";
            Refusal::at(record.path("psn_no"), words)
        })
    }

    /// The same, who showed this very certificate today.
    ///
    /// # Errors
    /// When somebody else did, or on another day.
    pub fn present_person(&self, record: &Record) -> Result<KnownPerson, Refusal> {
        self.person_with(record, record.text("mdtrt_cert_type"), "mdtrt_cert_no")
    }

    /// The same, with the kind of certificate and the field that has its number.
    ///
    /// # Errors
    /// As [`Message::present_person`].
    pub(super) fn person_with(
        &self,
        record: &Record,
        kind: &str,
        field: &str,
    ) -> Result<KnownPerson, Refusal> {
        let known = self.known_person(record)?;
        let number = record.text(field);
        let is_same = known.certificate == kind
            && known.shown == self.name("shown", number.as_bytes())
            && known.day == self.today();
        if is_same {
            return Ok(known);
        }
        let words = "与当日1101识别所用凭证不一致；请请参保人出示凭证，重新做1101";
        Err(Refusal::at(record.path(field), words))
    }

    /// Enters a visit under its number.
    ///
    /// # Errors
    /// When the book fails.
    pub fn keep_visit(&self, number: &str, known: &KnownVisit) -> Result<(), Refusal> {
        Ok(self.institution.book.put(VISIT, number, &codec::encode(known))?)
    }

    /// A visit of this hospital and of the person in `psn_no`, by `mdtrt_id`.
    ///
    /// # Errors
    /// When there is none.
    pub fn known_visit(&self, record: &Record) -> Result<KnownVisit, Refusal> {
        let kept = self.institution.book.get(VISIT, record.text("mdtrt_id"))?;
        let known: Option<KnownVisit> =
            kept.map(|bytes| codec::decode(&bytes)).transpose().map_err(damaged)?;
        known.filter(|known| known.psn_no == record.text("psn_no")).ok_or_else(|| {
            let words =
                "本机构没有该人员的这次就诊；请核对mdtrt_id与psn_no，或先做2201挂号、2401入院";
            Refusal::at(record.path("mdtrt_id"), words)
        })
    }

    /// A visit of this hospital by its number.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn visit_numbered(&self, number: &str) -> Result<KnownVisit, Refusal> {
        let kept = self.institution.book.get(VISIT, number)?.ok_or_else(|| damaged(()))?;
        codec::decode(&kept).map_err(damaged)
    }

    /// Whether a visit was registered through this interface.
    ///
    /// # Errors
    /// When the book fails.
    pub fn is_own_visit(&self, number: &str) -> Result<bool, Refusal> {
        Ok(self.institution.book.has(VISIT, number)?)
    }

    /// Does something while no other message works on the same, and sees the ledger as it is then:
    /// another message may have been carried out after this one came.
    ///
    /// # Errors
    /// When another message does, or those of what is done.
    pub(super) fn alone<T>(
        &self,
        kind: &'static str,
        name: &str,
        run: impl FnOnce(&Message<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let busy = || Refusal::for_now("同一就诊或原报文正在处理；请稍后以原报文重发");
        let _claim = self.institution.claim(kind, name).ok_or_else(busy)?;
        let call = &Call { view: self.call.gateway.port.chain().view(), ..self.call.clone() };
        run(&Message { call, ..*self })
    }

    /// A visit on the ledger that is open and of such care, for its subject.
    ///
    /// # Errors
    /// When it is settled or undone, or other care.
    pub(super) fn open_visit(
        &self,
        record: &Record,
        visit: VisitId,
        care: Care,
    ) -> Result<SeenVisit, Refusal> {
        let seen = self.call.any_visit(visit).ok();
        let open = seen.filter(|seen| matches!(seen.row, VisitRow::Open(_)));
        let open = open.ok_or_else(|| {
            let words = match care {
                Care::Outpatient => "该就诊已结算或已撤销挂号；需要更改请先做2208，或重新挂号",
                Care::Stay => "该住院已结算或已撤销入院；需要更改请先做2305，或重新办理入院",
            };
            Refusal::at(record.path("mdtrt_id"), words)
        })?;
        self.require_care(record, &open, care)?;
        Ok(open)
    }

    /// A visit is of such care.
    ///
    /// # Errors
    /// When it is not.
    pub(super) fn require_care(
        &self,
        record: &Record,
        seen: &SeenVisit,
        care: Care,
    ) -> Result<(), Refusal> {
        if Care::of(seen.subject.visit_type) == care {
            return Ok(());
        }
        let words = match care {
            Care::Outpatient => "该就诊为住院；请使用23xx、24xx交易",
            Care::Stay => "该就诊为门诊；请使用22xx交易",
        };
        Err(Refusal::at(record.path("mdtrt_id"), words))
    }

    /// A stay on the ledger that is open.
    ///
    /// # Errors
    /// As [`Message::open_visit`].
    pub(super) fn open_stay(&self, record: &Record, visit: VisitId) -> Result<SeenVisit, Refusal> {
        self.open_visit(record, visit, Care::Stay)
    }

    /// The scheme in `insutype` is that of the visit.
    ///
    /// # Errors
    /// When it is another one.
    pub(super) fn require_scheme(&self, record: &Record, seen: &SeenVisit) -> Result<(), Refusal> {
        if seen.subject.scheme.0.to_string() == record.text("insutype") {
            return Ok(());
        }
        Err(Refusal::at(record.path("insutype"), "与挂号或入院时的险种不一致；请改正后重发"))
    }

    /// The one visit that all of these records are about.
    ///
    /// # Errors
    /// When they are about several.
    pub(super) fn one_visit<'r>(
        &self,
        first: &'r Record,
        records: &[Record],
    ) -> Result<&'r str, Refusal> {
        let is_other = |one: &&Record| {
            ["mdtrt_id", "psn_no"].iter().any(|name| one.text(name) != first.text(name))
        };
        records.iter().find(is_other).map_or(Ok(first.text("mdtrt_id")), |other| {
            let words = "一份报文只能处理一次就诊的明细；请分开发送";
            Err(Refusal::at(other.path("mdtrt_id"), words))
        })
    }

    /// The lines of a visit that were uploaded and not taken back.
    ///
    /// # Errors
    /// When the book fails.
    pub fn lines(&self, number: &str) -> Result<Vec<KnownLine>, Refusal> {
        let kept = self.institution.book.get(LINES, number)?;
        let lines = kept.map(|bytes| codec::decode(&bytes)).transpose().map_err(damaged)?;
        Ok(lines.unwrap_or_default())
    }

    /// Enters the lines of a visit.
    ///
    /// # Errors
    /// When the book fails.
    pub fn keep_lines(&self, number: &str, lines: &Vec<KnownLine>) -> Result<(), Refusal> {
        Ok(self.institution.book.put(LINES, number, &codec::encode(lines))?)
    }

    /// Enters what was answered to a settlement, for its undoing.
    ///
    /// # Errors
    /// When the book fails.
    pub fn keep_settlement(&self, number: &str, output: &Value) -> Result<(), Refusal> {
        Ok(self.institution.book.put(SETTLEMENT, number, output.to_string().as_bytes())?)
    }

    /// Enters that a settlement was reversed: it has not happened.
    ///
    /// # Errors
    /// When the book fails.
    pub fn keep_reversed(&self, number: &str) -> Result<(), Refusal> {
        Ok(self.institution.book.put(REVERSED, number, b"reversed")?)
    }

    /// Whether a settlement was reversed.
    ///
    /// # Errors
    /// When the book fails.
    pub fn is_reversed(&self, number: &str) -> Result<bool, Refusal> {
        Ok(self.institution.book.has(REVERSED, number)?)
    }

    /// What was answered to a settlement, if there was one.
    ///
    /// # Errors
    /// When the book fails.
    pub fn settlement(&self, number: &str) -> Result<Option<Value>, Refusal> {
        let kept = self.institution.book.get(SETTLEMENT, number)?;
        kept.map(|bytes| serde_json::from_slice(&bytes)).transpose().map_err(damaged)
    }

    /// Puts a transaction on the ledger for this message. It is kept before it goes, so that a
    /// message that comes again after a crash sends the very same, which happens once.
    ///
    /// # Errors
    /// Why it was not accepted.
    pub fn put<K: Kind>(
        &self,
        machines: &[&dyn Machine],
        body: impl FnOnce() -> Result<K, Refusal>,
    ) -> Result<IndexedReceipt, Refusal> {
        let (book, msgid) = (&self.institution.book, self.envelope.msgid());
        let transaction: Transaction = match book.outgoing(msgid)? {
            Some(bytes) => codec::decode(&bytes).map_err(damaged)?,
            None => {
                let transaction = signed(self.call, machines, &body()?)?;
                book.keep_outgoing(msgid, self.mark, &codec::encode(&transaction))?;
                transaction
            }
        };
        Ok(execute(self.call, transaction)?)
    }
}

/// The book opened, and holds something else than was written.
pub(super) fn damaged(_: impl Sized) -> Refusal {
    Refusal::from(Problem::new(&code::INTERNAL))
}
