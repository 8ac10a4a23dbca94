//! 2206: what a settlement would come to. Nothing is kept.

use benefit::Bill;
use ledger::modules::visit::{Split, VisitRow, VisitSubject};
use primitives::Amount;
use serde_json::Value;

use super::desk::{Care, KnownLine, KnownPerson, KnownVisit, Message, bill_of};
use super::field::{CHRG_BCHNO, Field, Form, INSUTYPE, MDTRT_ID, Node, PSN_NO, Record, yuan};
use super::identify::{CERT_NO, CERT_TYPE};
use super::refusal::Refusal;
use super::split::{self, DETAIL, FIGURES, LINE_OUTPUT, Settled};
use super::{Run, Transaction};
use crate::access::SeenVisit;
use crate::api::quote::{QuoteView, quote_bill, quote_bill_with_account};

/// What is asked of a settlement and of its preview.
pub(super) const INPUT: Node = Node::one(
    "data",
    &[
        PSN_NO,
        CERT_TYPE,
        CERT_NO,
        Field::needed("med_type", Form::Text(6), "医疗类别"),
        MEDFEE_SUMAMT,
        PSN_SETLWAY,
        MDTRT_ID,
        CHRG_BCHNO,
        ACCT_USED_FLAG,
        INSUTYPE,
        INVONO,
        SUMS[0],
        SUMS[1],
        SUMS[2],
        SUMS[3],
    ],
);

/// What the bill charges in all.
pub(super) const MEDFEE_SUMAMT: Field =
    Field::needed("medfee_sumamt", Form::Decimal(16, 2), "医疗费总额，等于明细之和");
/// How the hospital is paid.
pub(super) const PSN_SETLWAY: Field =
    Field::needed("psn_setlway", Form::Text(6), "个人结算方式").of(&[("01", "按项目结算")]);
/// The hospital's invoice.
pub(super) const INVONO: Field = Field::optional("invono", Form::Text(20), "发票号");
/// Whether the personal account pays.
pub(super) const ACCT_USED_FLAG: Field =
    Field::needed("acct_used_flag", Form::Text(3), "个人账户使用标志")
        .of(&[("0", "不用"), ("1", "使用：须本人在手机上确认，且账户足以支付全部个人负担")]);

/// Sums that the hospital may give as it computed them.
pub(super) const SUMS: [Field; 4] = [
    Field::optional("fulamt_ownpay_amt", Form::Decimal(16, 2), "全自费金额"),
    Field::optional("overlmt_selfpay", Form::Decimal(16, 2), "超限价金额"),
    Field::optional("preselfpay_amt", Form::Decimal(16, 2), "先行自付金额"),
    Field::optional("inscp_scp_amt", Form::Decimal(16, 2), "符合政策范围金额"),
];

/// What is answered to both.
pub(super) const OUTPUT: &[Node] = &[
    Node::one("setlinfo", FIGURES),
    Node::list("setldetail", DETAIL),
    Node::list("feedetail", LINE_OUTPUT),
];

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "2206",
    name: "门诊预结算",
    input: &[INPUT],
    output: OUTPUT,
    run: Run::Answer(run),
};

/// A visit whose bill is to be settled.
pub(super) struct Claimed {
    /// Who, as this hospital knows the person.
    pub person: KnownPerson,
    /// The visit in the hospital's book.
    pub known: KnownVisit,
    /// Of what care it is.
    pub care: Care,
    /// Its lines; of outpatient care all of one batch.
    pub lines: Vec<KnownLine>,
    /// The catalogue's groups of its diagnoses.
    pub diagnosis_groups: Vec<String>,
}

impl Claimed {
    /// Reads what a message asks to be settled.
    ///
    /// # Errors
    /// Who is not there, or what is not offered.
    pub fn read(message: &Message<'_>, record: &Record, care: Care) -> Result<Self, Refusal> {
        let person = message.present_person(record)?;
        let known = message.known_visit(record)?;
        let number = record.text("mdtrt_id");
        let lines = message.lines(number)?;
        match care {
            Care::Outpatient => require_batch(message, record, &lines)?,
            Care::Stay if lines.is_empty() => {
                let words = "该住院没有费用明细；请先做2301上传";
                return Err(Refusal::at(record.path("mdtrt_id"), words));
            }
            Care::Stay => {}
        }
        let diagnosis_groups = message.diagnosis_groups(number)?;
        Ok(Self { person, known, care, lines, diagnosis_groups })
    }

    /// What becomes of each line.
    ///
    /// # Errors
    /// When they cannot be sorted.
    pub fn lines_of(
        &self,
        message: &Message<'_>,
        subject: &VisitSubject,
    ) -> Result<Vec<Value>, Refusal> {
        split::lines_of(message.call, subject, &self.lines, &self.diagnosis_groups)
    }

    /// The bill.
    ///
    /// # Errors
    /// What is wrong with a line.
    pub fn bill(&self) -> Result<Bill, Refusal> {
        bill_of(&self.lines, &self.diagnosis_groups)
    }

    /// What an open visit comes to; the sums that the hospital gives must be those of the lines.
    ///
    /// # Errors
    /// The sum that differs, or why it cannot be adjudicated.
    pub fn quote(
        &self,
        message: &Message<'_>,
        record: &Record,
    ) -> Result<(SeenVisit, QuoteView), Refusal> {
        let seen = message.open_visit(record, self.known.visit, self.care)?;
        message.require_scheme(record, &seen)?;
        if self.care == Care::Outpatient {
            message.require_opened_kind(record, seen.subject.visit_type)?;
        }
        let charged = self.lines.iter().map(|line| Amount::from_minor(line.amount));
        let charged = charged.fold(Amount::ZERO, Amount::saturating_add);
        require_same(record, "medfee_sumamt", charged)?;
        let quote = match &seen.row {
            VisitRow::Open(open) if uses_account(record) => {
                quote_bill_with_account(message.call, open, self.bill()?)?
            }
            _ => quote_bill(message.call, &seen.subject, self.bill()?)?,
        };
        let Split { self_paid, over_cap, class_b_share, in_policy, .. } = quote.split;
        for (field, amount) in [
            ("fulamt_ownpay_amt", self_paid),
            ("overlmt_selfpay", over_cap),
            ("preselfpay_amt", class_b_share),
            ("inscp_scp_amt", in_policy),
        ] {
            require_same(record, field, amount)?;
        }
        Ok((seen, quote))
    }
}

/// Whether a message asks for the personal account.
pub(super) fn uses_account(record: &Record) -> bool {
    record.text("acct_used_flag") == "1"
}

/// All lines are of the batch that is to be settled, and the kind of care is as it was described.
fn require_batch(
    message: &Message<'_>,
    record: &Record,
    lines: &[KnownLine],
) -> Result<(), Refusal> {
    message.require_kind(record, Care::Outpatient)?;
    let described = message.described_kind(record.text("mdtrt_id"))?;
    if described.is_some_and(|kind| kind != record.text("med_type")) {
        let words = "与2203上传的医疗类别不一致；请改正后重发";
        return Err(Refusal::at(record.path("med_type"), words));
    }
    let batch = record.text("chrg_bchno");
    if let Some(other) = lines.iter().find(|line| line.batch != batch) {
        let words =
            format!("本次就诊还有批次 {} 的明细；请先以2205撤销或并入同一批次", other.batch);
        return Err(Refusal::at(record.path("chrg_bchno"), words));
    }
    if lines.is_empty() {
        let words = "该批次没有明细；请先做2204上传";
        return Err(Refusal::at(record.path("chrg_bchno"), words));
    }
    Ok(())
}

/// A sum that is given must be the sum of the lines.
fn require_same(record: &Record, field: &str, amount: Amount) -> Result<(), Refusal> {
    if record.get(field).is_none() || record.amount(field)? == amount {
        return Ok(());
    }
    let words = format!("与已上传明细的合计 {} 元不符；请核对明细后重发", yuan(amount));
    Err(Refusal::at(record.path(field), words))
}

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    preview(message, record, &Claimed::read(message, record, Care::Outpatient)?)
}

/// What a settlement would come to.
///
/// # Errors
/// Why it cannot be settled like this.
pub(super) fn preview(
    message: &Message<'_>,
    record: &Record,
    claimed: &Claimed,
) -> Result<Value, Refusal> {
    let (seen, quote) = claimed.quote(message, record)?;
    let settled = Settled {
        mdtrt_id: record.text("mdtrt_id"),
        setl_id: None,
        transaction: None,
        psn_no: record.text("psn_no"),
        name: &claimed.person.name,
        subject: &seen.subject,
        time: None,
    };
    let mut output = split::answer(message, &settled, &quote.split, quote.explanation.as_ref());
    let lines = claimed.lines_of(message, &seen.subject)?;
    output["feedetail"] = Value::Array(lines);
    Ok(output)
}
