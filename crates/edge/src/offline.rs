//! What is answered without the line: what the book can say, and what is taken to be sent when the
//! line is back. What cannot be done without the platform is refused for now, with the remedy.

use adapters::edge::{Change, Standing};
use gateway::nhsa::clock_time;
use gateway::nhsa::field::{Record, yuan};
use gateway::nhsa::refusal::Refusal;
use primitives::Amount;
use serde_json::{Value, json};

use crate::answer::{Asked, failed};
use crate::house::{
    ALIAS, BILL, Content, House, PERSON, SESSION, SETTLED, SPENT, WORDS, json_bytes,
};
use crate::known::{Line, Person, Visit, VisitStanding};
use crate::learn::{as_of, day_of, follow, opened, put_visit};
use crate::numbers::{NOTHING, NUMBER, PENDING, is_own, number};

/// What marks a settlement that is to be settled.
pub const TO_BE_SETTLED: &str = "待结算";

/// Whose message it is, by the number under which the hospital knows the person.
///
/// # Errors
/// When the book fails.
pub fn person_of(asked: &Asked<'_>) -> Result<Option<String>, Refusal> {
    let record = asked.record();
    if asked.infno() == "1101" {
        let person = asked.house.person_of_card(record.text("mdtrt_cert_no")).map_err(failed)?;
        return Ok(person.map(|person| person.psn_no));
    }
    if let Some(number) = record.get("psn_no") {
        return Ok(Some(number.to_owned()));
    }
    let visit = record.get("mdtrt_id").or_else(|| record.get("mdtrt_sn")).unwrap_or_default();
    Ok(asked.house.visit(visit).map_err(failed)?.map(|visit| visit.psn_no))
}

/// What became of a settlement that was taken without the line, or of any that the edge saw.
///
/// # Errors
/// When it is still to be settled, was refused, or is not known.
pub fn outcome(asked: &Asked<'_>) -> Result<Value, Refusal> {
    let (house, record) = (asked.house, asked.record());
    let number = record.text("setl_id");
    let at = |words: &str| Refusal::at(record.path("setl_id"), words);
    if let Some(output) = house.read::<Value>(SETTLED, number).map_err(failed)? {
        if text(&output, "psn_no") != record.text("psn_no") {
            return Err(Refusal::at(record.path("psn_no"), "不是该笔结算的人员；请改正后重发"));
        }
        return Ok(output);
    }
    let Some(seq) = house.read::<i64>(BILL, number).map_err(failed)? else {
        return Err(at("本机构没有该笔结算；请核对结算 ID 后重发"));
    };
    match house.read::<String>(WORDS, &seq.to_string()).map_err(failed)? {
        // Not the last word: it may be settled anew under another message.
        Some(words) => Err(Refusal::for_now(format!(
            "{}：平台未予结算：{words}；请按此改正后，以新报文重新结算或撤销",
            record.path("setl_id")
        ))),
        None => Err(Refusal::for_now(format!(
            "{}：{TO_BE_SETTLED}，线路恢复后自动结算；请稍后以原报文重发",
            record.path("setl_id")
        ))),
    }
}

fn text<'a>(output: &'a Value, name: &str) -> &'a str {
    output.pointer(&format!("/setlinfo/{name}")).and_then(Value::as_str).unwrap_or_default()
}

/// Takes a message without the line; what is kept of it, and its output.
///
/// # Errors
/// What is wrong with it, or that it needs the line.
pub fn taken(asked: &Asked<'_>) -> Result<(Change, Value), Refusal> {
    let mut change = Change::default();
    let output = match asked.infno() {
        "9001" => sign_in(asked, &mut change),
        "9002" => return sign_out(asked, change),
        "1101" => identified(asked, &mut change)?,
        "2201" | "2401" => open(asked, &mut change)?,
        "2206" | "2303" => {
            let visit = claimed(asked)?;
            figures(asked, &visit, None)?
        }
        "2207" | "2304" => settle(asked, &mut change)?,
        "2202" | "2203" | "2204" | "2205" | "2301" | "2302" | "2402" | "2403" | "2405" | "2404" => {
            of_visit(asked, &mut change)?
        }
        _ => return Err(needs_line(asked)),
    };
    Ok((change, output))
}

fn needs_line(asked: &Asked<'_>) -> Refusal {
    let why = if asked.house.platform.standing().is_up {
        "该人员或本机构尚有待补传的业务"
    } else {
        "与医保平台的线路中断"
    };
    Refusal::for_now(format!("{why}，本交易（{}）须联网办理；请稍后以原报文重发", asked.infno()))
}

/// Puts the message into the order of what goes to the platform.
fn queue(
    asked: &Asked<'_>,
    change: &mut Change,
    (visit, own, is_bill): (&str, &str, bool),
) -> Result<i64, Refusal> {
    let house = asked.house;
    let content = Content {
        infno: asked.infno().to_owned(),
        body: asked.body.to_owned(),
        visit: visit.to_owned(),
        number: own.to_owned(),
        at: asked.now,
    };
    let person = person_of(asked)?.unwrap_or_default();
    let by = (asked.envelope.msgid(), person.as_str());
    let taken = house.next_taken(&content, by, is_bill).map_err(failed)?;
    let seq = taken.seq;
    change.taken = Some(taken);
    Ok(seq)
}

fn sign_in(asked: &Asked<'_>, change: &mut Change) -> Value {
    let own = number(asked.house, "sign", asked.envelope.msgid());
    change.put(SESSION, &own, b"open".to_vec());
    change.put(NUMBER, &own, NOTHING.to_vec());
    let time = asked.envelope.fields.text("inf_time");
    json!({ "signinoutb": { "sign_time": time, "sign_no": own } })
}

fn sign_out(asked: &Asked<'_>, mut change: Change) -> Result<(Change, Value), Refusal> {
    let own = asked.record().text("sign_no");
    let known = asked.house.book.get(SESSION, own).map_err(failed)?;
    if known.as_deref() != Some(b"open") {
        let words = "签到编号无效或已签退；请重新签到（9001）";
        return Err(Refusal::at(asked.record().path("sign_no"), words));
    }
    change.put(SESSION, own, b"ended".to_vec());
    if !is_own(own) {
        queue(asked, &mut change, ("", "", false))?;
    }
    let time = asked.envelope.fields.text("inf_time");
    Ok((change, json!({ "signoutoutb": { "sign_time": time } })))
}

fn identified(asked: &Asked<'_>, change: &mut Change) -> Result<Value, Refusal> {
    let record = asked.record();
    let person = asked.house.person_of_card(record.text("mdtrt_cert_no")).map_err(failed)?;
    if record.text("mdtrt_cert_type") != "02" {
        return Err(needs_line(asked).of(record.path("mdtrt_cert_type")));
    }
    let Some(person) = person else {
        let words = "本机构未曾核验过该人员，断网时不能受理；请稍后以原报文重发，急诊可先自费";
        return Err(Refusal::for_now(words).of(record.path("mdtrt_cert_no")));
    };
    if person.name != record.text("psn_name") {
        let words = "姓名与证件号不符；请核对证件后重发";
        return Err(Refusal::at(record.path("mdtrt_cert_no"), words));
    }
    queue(asked, change, ("", "", false))?;
    Ok(as_of(&person))
}

/// The person of a message shows the card by which the platform knows who it is.
fn present(asked: &Asked<'_>, record: &Record) -> Result<Person, Refusal> {
    let number = record.text("psn_no");
    let person: Option<Person> = asked.house.read(PERSON, number).map_err(failed)?;
    let person = person.ok_or_else(|| {
        let words = "本机构没有该人员；请先做1101，请稍后以原报文重发";
        Refusal::for_now(words).of(record.path("psn_no"))
    })?;
    if record.text("mdtrt_cert_type") != "02" || person.number != record.text("mdtrt_cert_no") {
        let words = "与1101所示凭证不一致；请改正后重发";
        return Err(Refusal::at(record.path("mdtrt_cert_no"), words));
    }
    Ok(person)
}

fn open(asked: &Asked<'_>, change: &mut Change) -> Result<Value, Refusal> {
    let record = asked.record();
    present(asked, record)?;
    let own = number(asked.house, "visit", asked.envelope.msgid());
    put_visit(change, &opened(asked, &own));
    change.put(NUMBER, &own, PENDING.to_vec());
    queue(asked, change, (&own, &own, false))?;
    Ok(if asked.infno() == "2401" {
        json!({ "result": { "mdtrt_id": own } })
    } else {
        json!({ "data": {
            "mdtrt_id": own, "psn_no": record.text("psn_no"),
            "ipt_otp_no": record.text("ipt_otp_no")
        } })
    })
}

/// The visit of a message, which must be open.
fn open_visit(asked: &Asked<'_>) -> Result<Visit, Refusal> {
    let record = asked.record();
    let visit = asked.house.visit(record.text("mdtrt_id")).map_err(failed)?;
    let visit = visit.ok_or_else(|| {
        let words = "前置机没有该就诊，断网时不能办理；请稍后以原报文重发";
        Refusal::for_now(words).of(record.path("mdtrt_id"))
    })?;
    let at = |words: &str| Err(Refusal::at(record.path("mdtrt_id"), words));
    if visit.psn_no != record.text("psn_no") {
        return Err(Refusal::at(record.path("psn_no"), "不是该就诊的人员；请改正后重发"));
    }
    match &visit.standing {
        VisitStanding::Open => Ok(visit),
        VisitStanding::Undone => at("该就诊已撤销；请重新登记"),
        VisitStanding::Settled(_) => at("该就诊已结算或待结算，不能再次办理"),
        VisitStanding::Returned => at("该就诊的结算已撤销；请重新登记"),
    }
}

fn of_visit(asked: &Asked<'_>, change: &mut Change) -> Result<Value, Refusal> {
    let record = asked.record();
    // 2203 and its like name the person in a part of their own; the others in each record.
    let mut visit = open_visit(asked)?;
    let at = |words: &str| Refusal::at(record.path("mdtrt_id"), words);
    let infno = asked.infno();
    let other = asked.records.iter().find(|one| one.text("mdtrt_id") != record.text("mdtrt_id"));
    if other.is_some() {
        return Err(at("一次报文只能是同一就诊的明细；请分开发送"));
    }
    match infno {
        "2204" | "2301" if visit.is_discharged => {
            return Err(at("已办理出院；需要补录请先做2405出院撤销"));
        }
        "2204" | "2301" => check_lines(asked, &visit)?,
        "2404" if !visit.lines.is_empty() => {
            return Err(at("该住院已有费用明细；请先以2302撤销"));
        }
        "2405" if !visit.is_discharged => return Err(at("尚未办理出院，无须撤销")),
        "2402" => discharge(record, &visit)?,
        "2302" => check_taken_back(asked, &visit)?,
        _ => {}
    }
    follow(asked, &mut visit)?;
    if matches!(infno, "2204" | "2301") {
        visit.check_lines()?;
    }
    put_visit(change, &visit);
    queue(asked, change, (&visit.number, "", false))?;
    Ok(match infno {
        "2204" | "2301" => {
            let lines: Vec<Value> = lines_of(asked)?.iter().map(told).collect();
            json!({ "result": lines })
        }
        _ => Value::Null,
    })
}

fn discharge(record: &Record, visit: &Visit) -> Result<(), Refusal> {
    let end = record.text("endtime");
    match visit.lines.iter().find(|line| line.day.as_str() > end) {
        Some(line) => {
            let words = format!("{} 还有费用；请改正出院时间，或先以2302撤销该明细", line.day);
            Err(Refusal::at(record.path("endtime"), words))
        }
        None => Ok(()),
    }
}

fn check_taken_back(asked: &Asked<'_>, visit: &Visit) -> Result<(), Refusal> {
    let missing = asked.records.iter().find(|record| {
        let serial = record.text("feedetl_sn");
        serial != "0000" && !visit.lines.iter().any(|line| line.serial == serial)
    });
    match missing {
        Some(record) => {
            Err(Refusal::at(record.path("feedetl_sn"), "没有该明细，或已撤销；请核对后重发"))
        }
        None => Ok(()),
    }
}

fn lines_of(asked: &Asked<'_>) -> Result<Vec<Line>, Refusal> {
    asked.records.iter().map(Line::read).collect()
}

fn check_lines(asked: &Asked<'_>, visit: &Visit) -> Result<(), Refusal> {
    for (record, line) in asked.records.iter().zip(lines_of(asked)?) {
        let known = visit.lines.iter().find(|known| known.serial == line.serial);
        if known.is_some_and(|known| *known != line) {
            let words = "流水号已用于另一条明细；请更换流水号，或先做2205、2302撤销";
            return Err(Refusal::at(record.path("feedetl_sn"), words));
        }
    }
    Ok(())
}

/// What is said of a line before the platform has sorted it: all of it in policy, until then.
fn told(line: &Line) -> Value {
    let amount = yuan(Amount::from_minor(line.fen));
    json!({
        "feedetl_sn": line.serial, "det_item_fee_sumamt": amount, "cnt": line.count,
        "pric": line.price, "selfpay_prop": "0.0000", "fulamt_ownpay_amt": "0.00",
        "overlmt_amt": "0.00", "preselfpay_amt": "0.00", "inscp_scp_amt": amount,
        "chrgitm_lv": "01", "exp_content": TO_BE_SETTLED
    })
}

/// The visit that a settlement or its preview is of; what it claims must be what was charged.
fn claimed(asked: &Asked<'_>) -> Result<Visit, Refusal> {
    let record = asked.record();
    let visit = open_visit(asked)?;
    present(asked, record)?;
    if record.text("acct_used_flag") == "1" {
        let words = "断网时不能使用个人账户，须本人在手机上确认；请改填0，或待线路恢复后办理";
        return Err(Refusal::at(record.path("acct_used_flag"), words));
    }
    if visit.is_stay && asked.infno() == "2304" && !visit.is_discharged {
        return Err(Refusal::at(record.path("mdtrt_id"), "尚未办理出院；请先做2402"));
    }
    let batch = record.text("chrg_bchno");
    let field = if visit.is_stay { "mdtrt_id" } else { "chrg_bchno" };
    if visit.lines.is_empty() {
        let words = "没有费用明细；请先做2204、2301上传";
        return Err(Refusal::at(record.path(field), words));
    }
    if let Some(line) = visit.lines.iter().find(|line| !visit.is_stay && line.batch != batch) {
        let words = format!("本次就诊还有批次 {} 的明细；请先以2205撤销或并入同一批次", line.batch);
        return Err(Refusal::at(record.path(field), words));
    }
    let total = visit.total();
    if record.amount("medfee_sumamt")? != total {
        let words = format!("与已上传明细的合计 {} 元不符；请核对明细后重发", yuan(total));
        return Err(Refusal::at(record.path("medfee_sumamt"), words));
    }
    Ok(visit)
}

fn settle(asked: &Asked<'_>, change: &mut Change) -> Result<Value, Refusal> {
    let (house, record) = (asked.house, asked.record());
    let mut visit = claimed(asked)?;
    within_caps(house, asked, &visit, change)?;
    let own = number(house, "settlement", asked.envelope.msgid());
    let output = figures(asked, &visit, Some(&own))?;
    visit.standing = VisitStanding::Settled(own.clone());
    if visit.med_type.is_empty() {
        record.text("med_type").clone_into(&mut visit.med_type);
    }
    put_visit(change, &visit);
    change.put(NUMBER, &own, PENDING.to_vec());
    let seq = queue(asked, change, (&visit.number, &own, true))?;
    change.put(BILL, &own, json_bytes(&seq));
    Ok(output)
}

/// What is taken without the line has a bound for each person and day, and for how many wait.
fn within_caps(
    house: &House,
    asked: &Asked<'_>,
    visit: &Visit,
    change: &mut Change,
) -> Result<(), Refusal> {
    let (_, waiting) = house.book.count(Standing::Waiting).map_err(failed)?;
    if waiting >= house.setup.bills_max {
        return Err(Refusal::for_now(format!(
            "断网期间待结算已达上限 {waiting} 笔；请待线路恢复后办理，请稍后以原报文重发"
        )));
    }
    let name = format!("{}/{}", visit.psn_no, day_of(asked.now));
    let before = house.read::<u64>(SPENT, &name).map_err(failed)?.unwrap_or_default();
    let after = before.saturating_add(visit.total().minor());
    let most = house.setup.yuan_per_person_and_day_max;
    if after > most.saturating_mul(100) {
        let words = format!(
            "断网期间每人每日最多受理 {most} 元，今日已受理 {} 元；请待线路恢复后办理，\
             请稍后以原报文重发",
            yuan(Amount::from_minor(before))
        );
        return Err(Refusal::for_now(words).of(asked.record().path("medfee_sumamt")));
    }
    change.put(SPENT, &name, json_bytes(&after));
    Ok(())
}

/// What is said of a bill before it is settled: nobody pays yet but the person, at the most all.
fn figures(asked: &Asked<'_>, visit: &Visit, own: Option<&str>) -> Result<Value, Refusal> {
    let record = asked.record();
    let person: Option<Person> = asked.house.read(PERSON, &visit.psn_no).map_err(failed)?;
    let total = yuan(visit.total());
    let mut info = json!({
        "mdtrt_id": record.text("mdtrt_id"), "setl_id": own, "psn_no": visit.psn_no,
        "psn_name": person.map(|person| person.name).unwrap_or_default(),
        "insutype": record.text("insutype"), "clr_type": visit.clearing(),
        "clr_optins": asked.envelope.fields.text("insuplc_admdvs"),
        "setl_time": own.map(|_| clock_time(asked.now)),
        "medins_setl_id": asked.envelope.msgid(),
        "medfee_sumamt": total, "inscp_scp_amt": total, "psn_part_amt": total,
        "psn_cash_pay": total, "pool_prop_selfpay": "0.0000", "setl_stas": TO_BE_SETTLED,
        "exp_content": "待结算：断网受理，金额以线路恢复后平台结算为准；可用5203查询"
    });
    for field in ZEROS {
        info[field] = json!("0.00");
    }
    let lines: Vec<Value> = visit.lines.iter().map(told).collect();
    Ok(json!({ "setlinfo": info, "setldetail": [], "feedetail": lines }))
}

/// What nobody pays before it is settled.
const ZEROS: [&str; 15] = [
    "fulamt_ownpay_amt",
    "overlmt_selfpay",
    "preselfpay_amt",
    "act_pay_dedc",
    "hifp_pay",
    "cvlserv_pay",
    "hifes_pay",
    "hifmi_pay",
    "hifob_pay",
    "maf_pay",
    "oth_pay",
    "fund_pay_sumamt",
    "acct_pay",
    "acct_mulaid_pay",
    "hosp_part_amt",
];

/// The platform's number of a visit stands for the edge's from now on, and the other way round.
pub(crate) fn name_visit(change: &mut Change, own: &str, platform: &str) {
    change.put(NUMBER, own, platform.as_bytes().to_vec());
    change.put(ALIAS, platform, json_bytes(&own));
}
