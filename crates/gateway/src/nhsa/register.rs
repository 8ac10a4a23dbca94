//! 2201: a visit is registered, which opens it on the ledger: `check_in`.

use benefit::VisitType;
use ledger::modules::visit::{CheckIn, Identification, VisitSubject};
use primitives::{CivilDate, Hash, PersonId, VisitId, sha256_parts};
use serde_json::{Value, json};

use super::desk::{Care, KnownPerson, KnownVisit, Message};
use super::field::{Field, Form, INSUTYPE, IPT_OTP_NO, MDTRT_ID, Node, PSN_NO, Record};
use super::identify::{CERT_NO, CERT_TYPE};
use super::refusal::Refusal;
use super::{Run, Transaction};

const INPUT: Node = Node::one(
    "data",
    &[
        Field::needed("psn_no", Form::Text(30), "人员编号，来自1101"),
        INSUTYPE,
        Field::needed("begntime", Form::Day, "开始时间"),
        CERT_TYPE,
        CERT_NO,
        IPT_OTP_NO,
        Field::optional("med_type", Form::Text(6), "医疗类别；不填为本机构的普通门诊或购药"),
        Field::optional("atddr_no", Form::Text(30), "医师编码"),
        Field::optional("dr_name", Form::Text(50), "医师姓名"),
        Field::optional("dept_code", Form::Text(30), "科室编码"),
        Field::optional("dept_name", Form::Text(100), "科室名称"),
        Field::optional("caty", Form::Text(6), "科别"),
    ],
);

const OUTPUT: Node = Node::one("data", &[MDTRT_ID, PSN_NO, IPT_OTP_NO]);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "2201",
    name: "门诊挂号",
    input: &[INPUT],
    output: &[OUTPUT],
    run: Run::Answer(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    let own_number = record.text("ipt_otp_no");
    let kind = match record.get("med_type") {
        Some(_) => message.require_kind(record, Care::Outpatient)?,
        None => message.usual_kind(record)?,
    };
    let known = message.present_person(record)?;
    let day = record.day("begntime")?;
    let subject = subject_of(message, record, (known.person, kind, day))?;
    let number = open(message, record, Opening { known, subject, own_number })?;
    let psn_no = record.text("psn_no");
    Ok(json!({ "data": { "mdtrt_id": number, "psn_no": psn_no, "ipt_otp_no": own_number } }))
}

/// What a visit is opened as.
pub(super) struct Opening<'a> {
    /// Who is there.
    pub known: KnownPerson,
    /// What it is about.
    pub subject: VisitSubject,
    /// The hospital's own number of it.
    pub own_number: &'a str,
}

/// What a visit of such care that begins on this day is about, under the scheme in `insutype`.
///
/// # Errors
/// When the region or the scheme cannot be.
pub(super) fn subject_of(
    message: &Message<'_>,
    record: &Record,
    (person, visit_type, admitted): (PersonId, VisitType, CivilDate),
) -> Result<VisitSubject, Refusal> {
    Ok(VisitSubject {
        person,
        provider: message.institution.organisation(),
        region: message.insured_region()?,
        scheme: message.scheme(record, record.text("insutype"))?,
        visit_type,
        admitted,
        diagnosis_group: 0,
    })
}

/// Opens a visit; its number here.
///
/// # Errors
/// Why the ledger does not open it.
pub(super) fn open(
    message: &Message<'_>,
    record: &Record,
    Opening { known, subject, own_number }: Opening<'_>,
) -> Result<String, Refusal> {
    let [visit, salt] = [message.id("visit"), message.id("evidence")];
    let visit = VisitId(visit.first_chunk().copied().unwrap_or_default());
    message.put(&[&message.machine()], || {
        let identification = match known.certificate.as_str() {
            "01" => Identification::WalletCode,
            _ => Identification::IdentityDocument,
        };
        let shown = known.shown.as_bytes();
        let evidence: Hash = sha256_parts(&[b"yibao/nhsa-evidence/v1", &salt, shown]);
        Ok(CheckIn { visit, subject, identification, evidence })
    })?;
    let number = message.name("visit", &visit.0);
    let psn_no = record.text("psn_no").to_owned();
    let ipt_otp_no = own_number.to_owned();
    message.keep_visit(&number, &KnownVisit { visit, psn_no, ipt_otp_no })?;
    Ok(number)
}
