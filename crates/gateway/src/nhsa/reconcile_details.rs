//! 3202: the hospital's rows of some days, in a file that came by 9101, against the ledger's. The
//! answer names a file with every difference: only ours, only theirs, or other amounts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::desk::Message;
use super::field::{Field, Form, MDTRT_ID, Node, PSN_NO, Record, signed_yuan};
use super::file::{StoredFile, packed, text_of};
use super::reconcile_totals::{COUNT, FUND_PAY, MEDFEE, MONEY, RESULT, WORDS};
use super::refusal::Refusal;
use super::statement::{
    self, Asked, BEGINS, CLEARING_TYPES, ENDS, ROWS_MAX, Row, SETL_OPTINS, Sums, difference,
};
use super::{Run, Transaction, clock_time};

const INPUT: Node = Node::one(
    "data",
    &[
        SETL_OPTINS,
        Field::needed("file_qury_no", Form::Text(30), "明细文件的文件查询号，来自9101"),
        BEGINS,
        ENDS,
        MEDFEE,
        FUND_PAY,
        Field::needed("cash_payamt", MONEY, "现金支付金额；只核对是否平账，不在明细中"),
        COUNT,
        Field::optional("insutype", Form::Text(6), "险种类型；不填为全部"),
        Field::optional("clr_type", Form::Text(6), "清算类别；不填为全部").of(CLEARING_TYPES),
    ],
);

const OUTPUT: Node = Node::one(
    "fileinfo",
    &[
        Field::needed("file_qury_no", Form::Text(30), "结果文件的文件查询号，用9102下载"),
        Field::needed("filename", Form::Text(200), "结果文件名"),
        Field::needed("dld_endtime", Form::Instant, "下载截止时间"),
        RESULT,
        WORDS,
    ],
);

const SETL_ID: Field = Field::needed("setl_id", Form::Text(30), "结算 ID");
const IS_REFUND: Field = Field::needed("refd_setl_flag", Form::Text(3), "退费结算标志")
    .of(&[("0", "结算"), ("1", "撤销或退费")]);

/// A line of the hospital's file: the values in this order, tabs between them.
pub(super) const LINE: Node = Node::list(
    "9101明细文件的行",
    &[
        SETL_ID,
        MDTRT_ID,
        PSN_NO,
        Field::needed("medfee_sumamt", MONEY, "医疗费总额；退费的正负均可"),
        Field::needed("fund_pay_sumamt", MONEY, "基金支付总额"),
        Field::needed("acct_pay", MONEY, "个人账户支付"),
        IS_REFUND,
    ],
);

/// A line of the file of differences, written alike.
pub(super) const RESULT_LINE: Node = Node::list(
    "9102结果文件的行",
    &[
        PSN_NO,
        MDTRT_ID,
        SETL_ID,
        Field::optional("msgid", Form::Text(30), "结算报文编号"),
        Field::needed("stmt_rslt", Form::Text(6), "对账结果").of(DIFFERENCES),
        IS_REFUND,
        Field::needed("memo", Form::Text(500), "说明"),
        Field::needed("medfee_sumamt", MONEY, "医疗费总额：平台的；平台没有时为机构的"),
        Field::needed("fund_pay_sumamt", MONEY, "基金支付总额，同上"),
        Field::needed("acct_pay", MONEY, "个人账户支付，同上"),
    ],
);

const DIFFERENCES: &[(&str, &str)] = &[("101", "平台多"), ("102", "机构多"), ("103", "数据不一致")];
const ONLY_OURS: &str = "101";
const ONLY_THEIRS: &str = "102";
const DIFFERENT: &str = "103";

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "3202",
    name: "医药机构费用结算对明细账",
    input: &[INPUT],
    output: &[OUTPUT],
    run: Run::Answer(run),
};

/// A settlement, or what was given back of it.
type Key = (String, bool);

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    let asked = Asked::read(message, record)?;
    let path = record.path("file_qury_no");
    let theirs = lines(&text_of(&message.stored_file(record)?, &path)?)?;
    require_sums(record, &theirs)?;
    let mut ours: BTreeMap<Key, Row> = BTreeMap::new();
    let mut sums = Sums::default();
    for row in statement::rows(message, &asked)? {
        sums = sums.plus(row.sums);
        let more = row.sums;
        let add = |earlier: &mut Row| earlier.sums = earlier.sums.plus(more);
        ours.entry(key(&row)).and_modify(add).or_insert(row);
    }
    let mut found = compare(&theirs, &ours);
    found.sort_by_key(|one| key(one.row));
    let text: Result<String, Refusal> = found.iter().map(|one| one.line(message)).collect();
    let cash = difference("现金支付金额", record.signed_amount("cash_payamt")?, sums.cash);
    let name = format!("result_{}.txt", message.envelope.msgid());
    let file = StoredFile { bytes: packed(&name, &text?)?, name: name.replace(".txt", ".zip") };
    let (number, until) = message.keep_file(&file)?;
    let count = |kind: &str| found.iter().filter(|one| one.kind == kind).count();
    let (result, words) = match (found.as_slice(), cash) {
        ([], None) => ("0", "平".to_owned()),
        ([], Some(cash)) => ("1", format!("明细平；{cash}")),
        (_, cash) => {
            let [ours, theirs, different] = [ONLY_OURS, ONLY_THEIRS, DIFFERENT].map(count);
            let words = format!(
                "不平：平台多 {ours} 笔，机构多 {theirs} 笔，数据不一致 {different} 笔；请用9102下载结果文件逐笔核对"
            );
            ("1", cash.map_or(words.clone(), |cash| format!("{words}；{cash}")))
        }
    };
    Ok(json!({ "fileinfo": {
        "file_qury_no": number, "filename": file.name, "dld_endtime": clock_time(until),
        "stmt_rslt": result, "stmt_rslt_dscr": words
    } }))
}

fn key(row: &Row) -> Key {
    (row.setl_id.clone(), row.is_refund)
}

/// The hospital's rows. What was given back counts as less than none, however it is signed.
fn lines(text: &str) -> Result<Vec<Row>, Refusal> {
    let mut rows = Vec::new();
    let lines = text.trim_start_matches('\u{feff}').lines();
    for (at, line) in (1..).zip(lines).filter(|(_, line)| !line.trim().is_empty()) {
        if rows.len() == ROWS_MAX {
            let words = format!("超过 {ROWS_MAX} 行；请缩短对账期间，分次对账");
            return Err(Refusal::at("data.file_qury_no", words));
        }
        rows.push(line_of(line, &format!("第{at}行"))?);
    }
    Ok(rows)
}

fn line_of(line: &str, place: &str) -> Result<Row, Refusal> {
    let values: Vec<&str> = line.split('\t').collect();
    if values.len() != LINE.fields.len() {
        let words = format!(
            "应有 {} 列，以制表符分隔，实有 {} 列；请按字段表重新生成文件",
            LINE.fields.len(),
            values.len()
        );
        return Err(Refusal::at(place, words));
    }
    let named = LINE.fields.iter().zip(values);
    let members: Map<String, Value> =
        named.map(|(field, value)| (field.name.to_owned(), json!(value))).collect();
    let record = LINE.record(&members, place)?;
    let is_refund = record.text("refd_setl_flag") == "1";
    let amount = |name: &str| {
        let amount = record.signed_amount(name)?;
        Ok::<_, Refusal>(if is_refund { -amount.abs() } else { amount })
    };
    Ok(Row {
        psn_no: record.text("psn_no").to_owned(),
        mdtrt_id: record.text("mdtrt_id").to_owned(),
        setl_id: record.text("setl_id").to_owned(),
        is_refund,
        sums: Sums {
            total: amount("medfee_sumamt")?,
            funds: amount("fund_pay_sumamt")?,
            account: amount("acct_pay")?,
            cash: 0,
        },
    })
}

/// The sums that the message gives are those of its file.
fn require_sums(record: &Record, theirs: &[Row]) -> Result<(), Refusal> {
    let sums = theirs.iter().fold(Sums::default(), |sums, row| sums.plus(row.sums));
    for (name, amount) in [("medfee_sumamt", sums.total), ("fund_pay_sumamt", sums.funds)] {
        if record.signed_amount(name)? != amount {
            let words = format!("与明细文件的合计 {} 元不符；请核对文件", signed_yuan(amount));
            return Err(Refusal::at(record.path(name), words));
        }
    }
    if record.text("fixmedins_setl_cnt") != theirs.len().to_string() {
        let words = format!("与明细文件的行数 {} 不符；请核对文件", theirs.len());
        return Err(Refusal::at(record.path("fixmedins_setl_cnt"), words));
    }
    Ok(())
}

/// Something that is not the same on both sides.
struct Found<'a> {
    kind: &'static str,
    row: &'a Row,
    memo: String,
}

impl Found<'_> {
    fn line(&self, message: &Message<'_>) -> Result<String, Refusal> {
        let Row { psn_no, mdtrt_id, setl_id, is_refund, sums } = self.row;
        let msgid = message.settled_by(mdtrt_id)?;
        let values: [&str; 10] = [
            psn_no,
            mdtrt_id,
            setl_id,
            &msgid,
            self.kind,
            if *is_refund { "1" } else { "0" },
            &self.memo,
            &signed_yuan(sums.total),
            &signed_yuan(sums.funds),
            &signed_yuan(sums.account),
        ];
        Ok(format!("{}\r\n", values.join("\t")))
    }
}

fn compare<'a>(theirs: &'a [Row], ours: &'a BTreeMap<Key, Row>) -> Vec<Found<'a>> {
    let mut found = Vec::new();
    let mut seen: BTreeSet<Key> = BTreeSet::new();
    for row in theirs {
        let key = key(row);
        match (seen.insert(key.clone()), ours.get(&key)) {
            (false, _) => {
                let memo = "机构文件中重复；平台只有一笔".to_owned();
                found.push(Found { kind: ONLY_THEIRS, row, memo });
            }
            (true, None) => {
                let memo = "平台没有该笔；请核对结算是否成功，或是否已冲正（2601）".to_owned();
                found.push(Found { kind: ONLY_THEIRS, row, memo });
            }
            (true, Some(own)) => {
                if let Some(memo) = differing(row, own) {
                    found.push(Found { kind: DIFFERENT, row: own, memo });
                }
            }
        }
    }
    let missing = ours.iter().filter(|(key, _)| !seen.contains(key)).map(|(_, row)| Found {
        kind: ONLY_OURS,
        row,
        memo: "机构没有该笔；请补记，结果未知的请做2601冲正".to_owned(),
    });
    found.extend(missing);
    found
}

fn differing(theirs: &Row, ours: &Row) -> Option<String> {
    let other = |name: &str, theirs: &str, ours: &str| {
        (theirs != ours).then(|| format!("{name} 机构 {theirs} 平台 {ours}"))
    };
    let found = [
        difference("医疗费总额", theirs.sums.total, ours.sums.total),
        difference("基金支付总额", theirs.sums.funds, ours.sums.funds),
        difference("个人账户支付", theirs.sums.account, ours.sums.account),
        other("就诊ID", &theirs.mdtrt_id, &ours.mdtrt_id),
        other("人员编号", &theirs.psn_no, &ours.psn_no),
    ];
    let found: Vec<String> = found.into_iter().flatten().collect();
    (!found.is_empty()).then(|| found.join("；"))
}
