//! 3505: something is sold to a person, in a settlement or for cash. The number of the sale and its
//! trace codes are kept, these as hashes; the ledger has no fact of a sale yet.

use primitives::CivilDate;
use serde_json::{Value, json};

use super::desk::Message;
use super::field::{Field, Form, Node, Record, instant};
use super::refusal::Refusal;
use super::trace::{CODES, TRDN_FLAG, codes_in, require_form};
use super::{Run, Transaction};

const SALE: &str = "sale";

pub(super) const INPUT: Node = Node::one(
    "selinfo",
    &[
        Field::needed("med_list_codg", Form::Text(50), "医疗目录编码（国家）"),
        Field::needed("fixmedins_hilist_id", Form::Text(30), "定点医药机构目录编号"),
        Field::needed("fixmedins_hilist_name", Form::Text(200), "定点医药机构目录名称"),
        Field::needed("fixmedins_bchno", Form::Text(30), "定点医药机构批次流水号，机构内唯一"),
        Field::optional("prsc_dr_name", Form::Text(50), "开方医师姓名"),
        Field::optional("phar_name", Form::Text(50), "药师姓名"),
        Field::optional("phar_prac_cert_no", Form::Text(50), "药师执业资格证号"),
        Field::needed("hi_feesetl_type", Form::Text(3), "医保费用结算类型")
            .of(&[("1", "医保结算"), ("2", "自费")]),
        Field::optional("setl_id", Form::Text(30), "结算 ID；医保结算时必填"),
        Field::needed("mdtrt_sn", Form::Text(30), "就医流水号；医保结算时为就诊 ID"),
        Field::needed("manu_lotnum", Form::Text(30), "生产批号"),
        Field::needed("manu_date", Form::Day, "生产日期"),
        Field::optional("expy_end", Form::Day, "有效期止"),
        Field::needed("rx_flag", Form::Text(3), "处方药标志").of(&[("0", "否"), ("1", "是")]),
        TRDN_FLAG,
        Field::optional("rxno", Form::Text(40), "处方号"),
        Field::needed("rtal_docno", Form::Text(40), "零售单据号"),
        Field::optional("drug_trac_codg", Form::Text(100), "药品追溯码；多个时用 drugtracinfo"),
        Field::optional("drug_prod_barc", Form::Text(30), "药品条形码"),
        Field::needed("sel_retn_cnt", Form::Decimal(16, 4), "销售或退货数量"),
        Field::needed("sel_retn_time", Form::Instant, "销售或退货时间"),
        Field::optional("sel_retn_opter_name", Form::Text(50), "经办人姓名"),
    ],
);

pub(super) const OUTPUT: Node = Node::one(
    "result",
    &[
        Field::needed("retRslt", Form::Text(3), "处理结果：1 成功"),
        Field::needed("msgRslt", Form::Text(200), "处理结果说明"),
    ],
);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "3505",
    name: "商品销售",
    input: &[INPUT, CODES],
    output: &[OUTPUT],
    run: Run::Answer(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    let codes = codes_of(message, record)?;
    let day = sale_day(message, record)?;
    if record.get("expy_end").is_some() && record.day("expy_end")? < day {
        let words = "药品在销售时已过有效期，不能销售；请核对有效期";
        return Err(Refusal::at(record.path("expy_end"), words));
    }
    let is_insured = record.text("hi_feesetl_type") == "1";
    if is_insured {
        require_settlement(message, record)?;
        let is_untraced =
            message.institution.profile.untraced_items.contains(record.text("med_list_codg"));
        if codes.is_empty() && !is_untraced {
            let words = "医保结算的药品须扫描追溯码；无码药品请在机构配置中登记";
            return Err(Refusal::at(record.path("drug_trac_codg"), words));
        }
    }
    let _one_sale = message.one_sale();
    message.keep_sale(record)?;
    let by = if is_insured { record.text("mdtrt_sn") } else { message.envelope.msgid() };
    message.keep_traces((&codes, by), false, record.text("trdn_flag") == "1")?;
    Ok(done())
}

/// What is answered when all is well.
pub(super) fn done() -> Value {
    json!({ "result": { "retRslt": "1", "msgRslt": "成功" } })
}

/// The trace codes of a sale, wherever the message has them.
///
/// # Errors
/// The first that is wrong.
pub(super) fn codes_of(message: &Message<'_>, record: &Record) -> Result<Vec<String>, Refusal> {
    let input = &message.envelope.input;
    let mut codes = codes_in(input)?;
    if codes.is_empty() {
        codes = codes_in(&input[INPUT.name])?;
    }
    if let Some(code) = record.get("drug_trac_codg") {
        require_form(code, &record.path("drug_trac_codg"))?;
        if codes.iter().all(|one| one != code) {
            codes.push(code.to_owned());
        }
    }
    Ok(codes)
}

/// The day of a sale or return, which is not to come.
///
/// # Errors
/// When it is, or nothing was sold.
pub(super) fn sale_day(message: &Message<'_>, record: &Record) -> Result<CivilDate, Refusal> {
    if record.text("sel_retn_cnt") == "0" {
        return Err(Refusal::at(record.path("sel_retn_cnt"), "应大于零；请改正后重发"));
    }
    let day = instant(record.text("sel_retn_time")).map(|(day, _)| day);
    let past = day.filter(|day| *day <= message.today());
    past.ok_or_else(|| Refusal::at(record.path("sel_retn_time"), "不能晚于今日；请核对时间后重发"))
}

/// The settlement that the sale names is one of this hospital, of the visit that it names.
fn require_settlement(message: &Message<'_>, record: &Record) -> Result<(), Refusal> {
    let settled = message.settlement(record.text("mdtrt_sn"))?;
    let number = settled.as_ref().and_then(|one| one.pointer("/setlinfo/setl_id"));
    if number.and_then(Value::as_str).is_some_and(|number| record.get("setl_id") == Some(number)) {
        return Ok(());
    }
    let words = "本机构没有该就诊的这次结算；请核对setl_id与mdtrt_sn（就诊ID）";
    Err(Refusal::at(record.path("setl_id"), words))
}

impl Message<'_> {
    /// Enters a sale or return under its number, once.
    ///
    /// # Errors
    /// When another one has the number.
    pub(super) fn keep_sale(&self, record: &Record) -> Result<(), Refusal> {
        let (book, number) = (&self.institution.book, record.text("fixmedins_bchno"));
        let kept = book.get(SALE, number)?;
        let msgid = self.envelope.msgid().as_bytes();
        if kept.is_some_and(|one| one != msgid) {
            let words = "已用于另一次销售或退货；请更换流水号后重发";
            return Err(Refusal::at(record.path("fixmedins_bchno"), words));
        }
        Ok(book.put(SALE, number, msgid)?)
    }
}
