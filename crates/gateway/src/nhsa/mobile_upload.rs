//! 6201: the charges of somebody who pays by phone. A visit is registered for them (`check_in`),
//! and what becomes of each line is said at once. The same order again gives the same answer.

use primitives::{Amount, CivilDate, Hash, sha256};
use serde_json::{Value, json};

use super::desk::{Care, KnownLine, KnownPerson, Message, bill_of};
use super::field::{CHRG_BCHNO, Field, Form, INSUTYPE, IPT_OTP_NO, Node, PSN_NO, Record, yuan};
use super::lines::{CNT, FEE_OCUR_TIME, FEE_SUMAMT, FEEDETL_SN, MED_LIST_CODG, PRIC, line};
use super::order::{ORG_CODG, Order, PAY_ORD_ID, PAY_TOKEN, Step, require_own};
use super::particulars::DIAGNOSES_MAX;
use super::preview::{MEDFEE_SUMAMT, PSN_SETLWAY, SUMS};
use super::refusal::Refusal;
use super::register::{Opening, open, subject_of};
use super::split::lines_of;
use super::{Run, Transaction};

/// The most lines of an order.
const LINES_MAX: usize = 100;

const INPUT: Node = Node::one(
    "data",
    &[
        ORG_CODG,
        Field::needed("medOrgOrd", Form::Text(30), "医疗机构订单号，机构内唯一"),
        PSN_NO.or("psnNo"),
        Field::optional(
            "ecToken",
            Form::Text(50),
            "电子凭证动态码，与1101相同；与身份证号二者必填其一",
        ),
        Field::optional("idNo", Form::Text(50), "身份证号，与1101相同"),
        INSUTYPE,
        Field::optional("insuCode", Form::Text(6), "参保地区划；须与报文外层一致"),
        IPT_OTP_NO.or("iptOtpNo"),
        Field::needed("med_type", Form::Text(6), "医疗类别").or("medType"),
        Field::optional("begntime", Form::Day, "开始时间；不填为当日"),
        PSN_SETLWAY.or("psnSetlway"),
        CHRG_BCHNO.or("chrgBchno"),
        MEDFEE_SUMAMT.or("medfeeSumamt"),
        SUMS[0].or("fulamtOwnpayAmt"),
        SUMS[1].or("overlmtSelfpay"),
        SUMS[2].or("preselfpayAmt"),
        SUMS[3].or("inscpScpAmt"),
        Field::optional("acctUsedFlag", Form::Text(3), "个人账户使用标志；不填为使用")
            .of(&[("0", "不用"), ("1", "使用，由参保人在手机确认")]),
    ],
);

const LINES: Node = Node::list(
    "feedetailList",
    &[
        FEEDETL_SN.or("feedetlSn"),
        FEE_OCUR_TIME.or("feeOcurTime"),
        MED_LIST_CODG.or("medListCodg"),
        FEE_SUMAMT.or("detItemFeeSumamt"),
        CNT,
        PRIC,
    ],
);

const DIAGNOSES: Node = Node::list(
    "diseinfoList",
    &[
        Field::needed("diag_code", Form::Text(20), "诊断代码").or("diagCode"),
        Field::optional("diag_name", Form::Text(100), "诊断名称").or("diagName"),
        Field::optional("vali_flag", Form::Text(3), "有效标志；不填为有效")
            .or("valiFlag")
            .of(&[("1", "有效"), ("0", "无效")]),
    ],
);

const OUTPUT: &[Node] = &[
    Node::one(
        "data",
        &[
            PAY_ORD_ID,
            PAY_TOKEN,
            Field::needed("mdtrtId", Form::Text(30), "就诊 ID；改到窗口结算（2206、2207）时用"),
        ],
    ),
    Node::list("feedetailList", super::split::LINE_OUTPUT),
];

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "6201",
    name: "移动支付费用上传",
    input: &[INPUT, LINES, DIAGNOSES],
    output: OUTPUT,
    run: Run::Answer(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    require_own(message, record)?;
    let number = Order::number(message, record.text("medOrgOrd"));
    message.alone("order", &number, |message| upload(message, record, &number))
}

fn upload(message: &Message<'_>, record: &Record, number: &str) -> Result<Value, Refusal> {
    let input = &message.envelope.input;
    let uploaded = sha256(input.to_string().as_bytes());
    let lines = read_lines(record, input)?;
    if let Some(known) = Order::get(message, number)? {
        return again(message, record, (number, &known), uploaded, &lines);
    }
    let known = known_person(message, record)?;
    let kind = message.require_kind(record, Care::Outpatient)?;
    if record.get("insuCode").is_some_and(|code| code != area(message)) {
        let words = "与报文外层的参保地区划不一致；请改正后重发";
        return Err(Refusal::at(record.path("insuCode"), words));
    }
    let day = admitted(message, record, &lines)?;
    let subject = subject_of(message, record, (known.person, kind, day))?;
    let (diagnoses, groups) = diagnoses(message, input)?;
    // What is wrong with a line is said before anything happens.
    let told = lines_of(message.call, &subject, &lines, &groups)?;
    require_sums(record, &told)?;
    let own_number = record.text("ipt_otp_no");
    let mdtrt_id = open(message, record, Opening { known, subject, own_number })?;
    message.keep_description(&mdtrt_id, &diagnoses)?;
    message.keep_lines(&mdtrt_id, &lines)?;
    let order = Order {
        mdtrt_id,
        own_number: record.text("medOrgOrd").to_owned(),
        psn_no: record.text("psn_no").to_owned(),
        uploaded,
        uses_account: record.get("acctUsedFlag") != Some("0"),
        step: Step::Saved,
    };
    order.keep(message, number)?;
    Ok(answer(message, number, &order, told))
}

fn answer(message: &Message<'_>, number: &str, order: &Order, lines: Vec<Value>) -> Value {
    json!({
        "data": {
            "payOrdId": number, "payToken": Order::token(message, number),
            "mdtrtId": order.mdtrt_id
        },
        "feedetailList": lines
    })
}

/// The answer to an order that is there already, if it is the same.
fn again(
    message: &Message<'_>,
    record: &Record,
    (number, known): (&str, &Order),
    uploaded: Hash,
    lines: &[KnownLine],
) -> Result<Value, Refusal> {
    if known.uploaded != uploaded {
        let words = "该订单号已上传另一份费用；请更换订单号，或先撤销（6401）后以新订单号上传";
        return Err(Refusal::at(record.path("medOrgOrd"), words));
    }
    let visit = message.visit_numbered(&known.mdtrt_id)?.visit;
    let subject = message.call.any_visit(visit).map(|seen| seen.subject).map_err(|_| {
        let words = "该订单已撤销；请更换订单号重新上传";
        Refusal::at(record.path("medOrgOrd"), words)
    })?;
    let groups = message.diagnosis_groups(&known.mdtrt_id)?;
    let told = lines_of(message.call, &subject, lines, &groups)?;
    Ok(answer(message, number, known, told))
}

/// Who was identified today by what is shown here.
fn known_person(message: &Message<'_>, record: &Record) -> Result<KnownPerson, Refusal> {
    match (record.get("ecToken"), record.get("idNo")) {
        (Some(_), _) => message.person_with(record, "01", "ecToken"),
        (None, Some(_)) => message.person_with(record, "02", "idNo"),
        (None, None) => {
            let words = "动态码与身份证号（idNo）必填其一，与1101相同；请填写后重发";
            Err(Refusal::at(record.path("ecToken"), words))
        }
    }
}

fn area<'a>(message: &'a Message<'_>) -> &'a str {
    message.envelope.fields.get("insuplc_admdvs").unwrap_or_default()
}

/// The day on which the visit begins; no line is of an earlier one.
fn admitted(
    message: &Message<'_>,
    record: &Record,
    lines: &[KnownLine],
) -> Result<CivilDate, Refusal> {
    let day = match record.get("begntime") {
        Some(_) => record.day("begntime")?,
        None => message.today(),
    };
    let is_before = |line: &&KnownLine| line.day < day;
    if let Some(line) = lines.iter().find(is_before) {
        let words = format!("流水号 {} 的费用发生在就诊开始之前；请改正后重发", line.feedetl_sn);
        return Err(Refusal::at("feedetailList", words));
    }
    Ok(day)
}

fn read_lines(record: &Record, input: &Value) -> Result<Vec<KnownLine>, Refusal> {
    let batch = record.text("chrg_bchno");
    let mut lines: Vec<KnownLine> = Vec::new();
    for one in LINES.read(input, LINES_MAX)? {
        let line = KnownLine { batch: batch.to_owned(), ..line(&one)? };
        if lines.iter().any(|other| other.feedetl_sn == line.feedetl_sn) {
            let words = "流水号重复；请更换流水号后重发";
            return Err(Refusal::at(one.path("feedetl_sn"), words));
        }
        lines.push(line);
    }
    let wrong = |_| {
        let words = "明细的单价×数量与金额不符，或编码、数量、单价有误；请核对后重发";
        Refusal::at("feedetailList", words)
    };
    bill_of(&lines, &[]).map_err(wrong)?;
    let charged = lines.iter().map(|line| Amount::from_minor(line.amount));
    let charged = charged.fold(Amount::ZERO, Amount::saturating_add);
    if record.amount("medfee_sumamt")? != charged {
        let words = format!("与明细合计 {} 元不符；请核对后重发", yuan(charged));
        return Err(Refusal::at(record.path("medfee_sumamt"), words));
    }
    Ok(lines)
}

/// Sums that the hospital gives are those of the lines.
fn require_sums(record: &Record, lines: &[Value]) -> Result<(), Refusal> {
    for (field, of_line) in [
        ("fulamt_ownpay_amt", "fulamt_ownpay_amt"),
        ("overlmt_selfpay", "overlmt_amt"),
        ("preselfpay_amt", "preselfpay_amt"),
        ("inscp_scp_amt", "inscp_scp_amt"),
    ] {
        if record.get(field).is_none() {
            continue;
        }
        let given = record.amount(field)?;
        let fen = |line: &Value| line[of_line].as_str()?.replace('.', "").parse::<u64>().ok();
        let sum = Amount::from_minor(lines.iter().filter_map(fen).sum());
        if given != sum {
            let words = format!("与明细合计 {} 元不符；请核对后重发", yuan(sum));
            return Err(Refusal::at(record.path(field), words));
        }
    }
    Ok(())
}

/// The diagnoses as the book keeps them, and their groups of the catalogue.
fn diagnoses(message: &Message<'_>, input: &Value) -> Result<(Value, Vec<String>), Refusal> {
    let found = match input.get(DIAGNOSES.name) {
        None | Some(Value::Null) => Vec::new(),
        Some(_) => DIAGNOSES.read(input, DIAGNOSES_MAX)?,
    };
    let kept = |one: &Record| {
        let text = |name| one.get(name).map(str::to_owned);
        json!({
            "diag_code": text("diag_code"), "diag_name": text("diag_name"),
            "vali_flag": text("vali_flag")
        })
    };
    let kept = json!({ "diseinfo": found.iter().map(kept).collect::<Vec<_>>() });
    let groups = message.groups_of(&kept);
    Ok((kept, groups))
}
