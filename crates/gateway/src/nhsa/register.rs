//! 2201: a visit is registered, which opens it on the ledger: `check_in`.

use benefit::VisitType;
use ledger::modules::visit::{CheckIn, Identification, VisitSubject};
use primitives::{Hash, VisitId, sha256_parts};
use serde_json::{Value, json};

use super::desk::{Care, KnownVisit, Message};
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
    let number = open(message, record, Opening { kind, own_number })?;
    let psn_no = record.text("psn_no");
    Ok(json!({ "data": { "mdtrt_id": number, "psn_no": psn_no, "ipt_otp_no": own_number } }))
}

/// What a visit is opened as.
pub(super) struct Opening<'a> {
    /// The kind of care.
    pub kind: VisitType,
    /// The hospital's own number of it.
    pub own_number: &'a str,
}

/// Opens a visit of somebody who is there, on the day in `begntime`; its number here.
///
/// # Errors
/// Who is not there, or why the ledger does not open it.
pub(super) fn open(
    message: &Message<'_>,
    record: &Record,
    opening: Opening<'_>,
) -> Result<String, Refusal> {
    let known = message.present_person(record)?;
    let scheme = message.scheme(record, record.text("insutype"))?;
    let subject = VisitSubject {
        person: known.person,
        provider: message.institution.organisation(),
        region: message.insured_region()?,
        scheme,
        visit_type: opening.kind,
        admitted: record.day("begntime")?,
        diagnosis_group: 0,
    };
    let [visit, salt] = [message.id("visit"), message.id("evidence")];
    let visit = VisitId(visit.first_chunk().copied().unwrap_or_default());
    message.put(&[message.machine()], || {
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
    let ipt_otp_no = opening.own_number.to_owned();
    message.keep_visit(&number, &KnownVisit { visit, psn_no, ipt_otp_no })?;
    Ok(number)
}
