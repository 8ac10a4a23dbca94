//! The national interface over a real ledger: messages of a hospital's system, accepted and
//! refused.

use adapters::clock::Clock as _;
use gateway::Chain as _;
use gateway::nhsa::TRANSACTIONS;
use gateway::port::Order;
use serde_json::{Value, json};

use crate::support::hospital::{CODE, message, signed_at, signed_before};
use crate::support::wallets::{NAME, NUMBER, joined, shown_code};
use crate::support::{Ask, World, person};

fn sign_in() -> Value {
    json!({ "signIn": { "opter_no": "0012", "mac": "00-00", "ip": "10.0.0.8" } })
}

/// Person 1 shows the wallet's code: what the desk sent, and the number it got.
pub fn identified(world: &World, serial: u16) -> (Value, Value) {
    let code = shown_code(world);
    let certificate = json!({ "mdtrt_cert_type": "01", "mdtrt_cert_no": code });
    let known = world.carried_out(serial, "1101", &json!({ "data": certificate }));
    assert_eq!(known["baseinfo"]["psn_name"], "陈玉兰");
    assert_eq!(known["insuinfo"][0]["insutype"], "310");
    assert_eq!(known["insuinfo"][0]["psn_insu_stas"], "1");
    assert_eq!(known["insuinfo"][0]["balc"], Value::Null, "no desk learns a balance");
    (certificate, known["baseinfo"]["psn_no"].clone())
}

/// The input of 2201 for somebody who was identified.
pub fn registration((certificate, number): &(Value, Value)) -> Value {
    let mut data = certificate.clone();
    data["psn_no"] = number.clone();
    data["insutype"] = json!("310");
    data["begntime"] = json!("2026-01-10 08:30:00");
    data["ipt_otp_no"] = json!("MZ0001");
    json!({ "data": data })
}

/// How many receipts person 1 sees.
fn receipts(world: &World) -> usize {
    let found = world.port.receipts_of(person(1), Order::NewestFirst, None, 100);
    found.unwrap().len()
}

#[test]
fn a_clerk_signs_in_and_out_and_the_number_counts_meanwhile() {
    let world = World::insured();
    let signed = world.carried_out(1, "9001", &sign_in());
    let number = signed["signinoutb"]["sign_no"].clone();
    let out = json!({ "signOut": { "sign_no": number, "opter_no": "0012" } });
    let mut under = message(2, "9001", &sign_in());
    under["sign_no"] = number.clone();
    assert_eq!(world.told(&under)["infcode"], 0);
    world.carried_out(3, "9002", &out);
    assert!(world.refused(4, "9002", &out).contains("sign_no"));
    under["msgid"] = json!(format!("{CODE}202601100830000005"));
    assert!(world.told(&under)["err_msg"].as_str().unwrap().contains("重新签到"));
}

#[test]
fn the_envelope_comes_and_goes_in_both_forms_and_both_spellings() {
    let world = World::insured();
    let mut text = message(1, "9001", &json!(sign_in().to_string()));
    let area = text["mdtrtarea_admvs"].take();
    text.as_object_mut().unwrap().remove("mdtrtarea_admvs");
    text["mdtrtarea_admdvs"] = area;
    let answer = world.told(&text);
    let output: Value = serde_json::from_str(answer["output"].as_str().unwrap()).unwrap();
    assert_eq!(output["signinoutb"]["sign_time"], "2026-01-10 08:30:00");
    let reference = answer["inf_refmsgid"].as_str().unwrap();
    assert!(reference.starts_with("62010020260110") && reference.len() == 30, "{reference}");
    assert_eq!(answer["respond_time"].as_str().unwrap().len(), 17);
}

fn sorted(numbers: impl Iterator<Item = u16>) -> Vec<u16> {
    let mut numbers: Vec<u16> = numbers.collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn what_is_wrong_is_named_with_the_field_and_nothing_happens() {
    let world = World::insured();
    let unknown = world.refused(1, "4101", &json!({}));
    let (_, offered) = unknown.split_once("现有：").unwrap();
    let is_offered = |number: u16| {
        offered.split('、').any(|run| {
            let (first, last) = run.split_once('-').unwrap_or((run, run));
            (first.parse().unwrap()..=last.parse().unwrap()).contains(&number)
        })
    };
    let all = TRANSACTIONS.iter().map(|one| one.number.parse().unwrap());
    assert!(all.clone().all(is_offered) && !is_offered(4101), "{unknown}");
    assert!((1..9_999).filter(|number| is_offered(*number)).eq(sorted(all)), "{unknown}");
    for (field, value) in [
        ("msgid", json!("1")),
        ("msgid", json!(format!("{CODE}202613100830000001"))),
        ("opter_type", json!("9")),
        ("inf_time", json!("yesterday")),
        ("fixmedins_code", json!("H62010000002")),
        ("input", json!("no json")),
        ("input", Value::Null),
        ("input", json!("x".repeat(40_001))),
    ] {
        let mut wrong = message(2, "9001", &sign_in());
        wrong[field] = value;
        let answer = world.told(&wrong);
        let words = answer["err_msg"].as_str().unwrap();
        assert!(answer["infcode"] == -1 && words.starts_with(field), "{field}: {answer}");
    }
    let words = world.refused(2, "9001", &json!({ "signIn": { "mac": "1" } }));
    assert!(words.starts_with("signIn.opter_no：必填"), "{words}");
    // What is no message at all is answered by an envelope too.
    let now = world.clock.now().millis();
    let broken = world.ask(&signed_at(b"{\"infno\"", now)).expect(200).json();
    assert_eq!(broken["infcode"], -1);
    let large = world.ask(&signed_at(&vec![b' '; 9 << 20], now)).expect(413).json();
    assert_eq!(large["infcode"], -1);
    assert!(large["err_msg"].as_str().unwrap().contains('；'), "{large}");
    let mut padded = message(3, "9001", &sign_in());
    padded["more"] = json!("x".repeat(300 * 1024));
    assert!(world.told(&padded)["err_msg"].as_str().unwrap().contains("分批"));
}

#[test]
fn only_the_hospitals_system_is_let_in() {
    let world = World::insured();
    let body = message(1, "9001", &sign_in());
    let good = world.nhsa(&body);
    let with = |name: &str, value: &str| {
        let mut ask = good.clone();
        ask.headers.iter_mut().filter(|(one, _)| *one == name).for_each(|one| one.1 = value.into());
        ask
    };
    let mut changed = good.clone();
    changed.body =
        message(1, "9001", &json!({ "signIn": { "opter_no": "13" } })).to_string().into();
    let old = signed_at(body.to_string().as_bytes(), world.clock.now().millis() - 301_000);
    let bare = Ask::post("/nhsa/v1", &body);
    let wrong =
        [with("x-ca-key", "H62010000002"), with("x-ca-signature", "1:00"), changed, old, bare];
    let answers: Vec<Value> = wrong.iter().map(|ask| world.ask(ask).expect(200).json()).collect();
    for answer in &answers {
        assert_eq!((&answer["infcode"], &answer["err_msg"]), (&json!(-1), &answers[0]["err_msg"]));
    }
    assert_eq!(world.ask(&good).expect(200).json()["infcode"], 0, "none of them used the number");
}

#[test]
fn the_secret_before_is_taken_beside_the_new_one_until_its_day_is_over() {
    let world = World::insured();
    let asked = |serial: u16| {
        let body = message(serial, "9001", &sign_in()).to_string();
        let ask = signed_before(body.as_bytes(), world.clock.now().millis());
        world.ask(&ask).expect(200).json()
    };
    assert_eq!(asked(1)["infcode"], 0);
    world.carried_out(2, "9001", &sign_in());
    world.clock.advance_millis(24 * 60 * 60_000);
    assert!(asked(3)["err_msg"].as_str().unwrap().starts_with("x-ca-signature："));
    world.carried_out(4, "9001", &sign_in());
}

#[test]
fn who_mistypes_keeps_no_other_workplace_and_no_other_person_waiting() {
    let world = World::insured();
    joined(&world);
    let ask = |serial: u16, opter: &str, name: &str| {
        let shown = json!({ "mdtrt_cert_type": "02", "mdtrt_cert_no": NUMBER, "psn_name": name });
        let mut asked = message(serial, "1101", &json!({ "data": shown }));
        asked["opter"] = json!(opter);
        let answer = world.told(&asked);
        answer["err_msg"].as_str().unwrap_or_default().to_owned()
    };
    // Another number at the same workplace, so that the workplace waits and not the number.
    let other = json!({
        "data": { "mdtrt_cert_type": "02", "mdtrt_cert_no": "620102199001010011", "psn_name": "张三" }
    });
    for serial in 1..=20 {
        assert!(world.refused(serial, "1101", &other).contains("不符，或"), "{serial}");
    }
    assert!(ask(21, "0012", NAME).contains("次数过多"));
    assert_eq!(ask(22, "0013", NAME), "");
    // The name that was tried with one number has used up its tries, at every workplace.
    assert!(ask(23, "0015", "张三").contains("次数过多"));
    // One number at many workplaces: it waits, wherever it is tried.
    for serial in 30..50 {
        assert!(ask(serial, &format!("w{serial}"), "李四").contains("不符，或"), "{serial}");
    }
    assert!(ask(60, "0014", NAME).contains("次数过多"));
}

#[test]
fn the_same_message_gets_the_same_bytes_and_another_under_its_number_is_refused() {
    let world = World::insured();
    let known = identified(&world, 1);
    let body = message(2, "2201", &registration(&known));
    let first = world.ask(&world.nhsa(&body)).expect(200);
    assert_eq!(first.json()["infcode"], 0, "{}", first.text());
    world.clock.advance_millis(60_000);
    assert_eq!(world.ask(&world.nhsa(&body)).body, first.body);
    let mut other = body.clone();
    other["input"]["data"]["ipt_otp_no"] = json!("MZ0002");
    assert!(world.told(&other)["err_msg"].as_str().unwrap().starts_with("msgid："));
}

#[test]
fn a_registration_opens_a_visit_and_its_undoing_closes_it() {
    let world = World::insured();
    let known = identified(&world, 1);
    let before = receipts(&world);
    let registered = world.carried_out(2, "2201", &registration(&known));
    let id = registered["data"]["mdtrt_id"].clone();
    let opened = receipts(&world);
    assert_eq!(opened, before + 1, "the wallet sees it at once");
    let undo = |number: &str| {
        json!({
            "data": { "psn_no": known.1, "mdtrt_id": id, "ipt_otp_no": number }
        })
    };
    assert!(world.refused(3, "2202", &undo("MZ0009")).contains("ipt_otp_no"));
    world.carried_out(4, "2202", &undo("MZ0001"));
    let again = world.refused(5, "2202", &undo("MZ0001"));
    assert!(again.contains('；'), "{again}");
    // The code counted once, and what was shown must be what was identified by.
    assert!(world.refused(6, "1101", &json!({ "data": known.0 })).contains("code"));
    let mut other = registration(&known);
    other["data"]["mdtrt_cert_no"] = json!("12345678901234");
    assert!(world.refused(7, "2201", &other).contains("重新做1101"));
    let mut stranger = registration(&known);
    stranger["data"]["psn_no"] = json!("00");
    assert!(world.refused(8, "2201", &stranger).contains("psn_no"));
}

#[test]
fn an_identity_number_needs_the_name_that_belongs_to_it() {
    let world = World::insured();
    joined(&world);
    let ask = |name: &str| {
        json!({
            "data": { "mdtrt_cert_type": "02", "mdtrt_cert_no": NUMBER, "psn_name": name }
        })
    };
    let wrong = world.refused(1, "1101", &ask("张三"));
    assert!(!wrong.contains(NUMBER) && !wrong.contains("张三"), "{wrong}");
    let known = world.carried_out(2, "1101", &ask(NAME));
    assert_eq!(known["baseinfo"]["certno"], NUMBER);
    assert!(world.refused(3, "1101", &ask("")).contains("psn_name"));
    let card = json!({ "data": { "mdtrt_cert_type": "03", "mdtrt_cert_no": "1" } });
    assert!(world.refused(4, "1101", &card).contains("02 居民身份证"));
}

/// One line of 2204.
pub fn line(known: &(Value, Value), id: &Value, serial: &str, item: &str, amount: &str) -> Value {
    json!({
        "feedetl_sn": serial, "mdtrt_id": id, "psn_no": known.1, "chrg_bchno": "B1",
        "fee_ocur_time": "2026-01-10 09:00:00", "med_list_codg": item,
        "det_item_fee_sumamt": amount, "cnt": 1, "pric": amount
    })
}

/// The input of 2206 and 2207.
pub fn claim(known: &(Value, Value), id: &Value, total: &str) -> Value {
    let mut data = known.0.clone();
    for (name, value) in [
        ("psn_no", known.1.clone()),
        ("mdtrt_id", id.clone()),
        ("med_type", json!("11")),
        ("medfee_sumamt", json!(total)),
        ("psn_setlway", json!("01")),
        ("chrg_bchno", json!("B1")),
        ("acct_used_flag", json!("0")),
        ("insutype", json!("310")),
    ] {
        data[name] = value;
    }
    json!({ "data": data })
}

/// A registered visit of person 1 with 300.00 in class A and 100.00 in class B.
pub fn charged(world: &World) -> ((Value, Value), Value) {
    let known = identified(world, 1);
    let registered = world.carried_out(2, "2201", &registration(&known));
    let id = registered["data"]["mdtrt_id"].clone();
    let lines = json!({ "feedetail": [
        line(&known, &id, "1", "X1", "300.00"), line(&known, &id, "2", "B1", "100")
    ] });
    let told = world.carried_out(3, "2204", &lines);
    let (one, two) = (&told["result"][0], &told["result"][1]);
    assert_eq!((&one["inscp_scp_amt"], &one["chrgitm_lv"]), (&json!("300.00"), &json!("01")));
    assert_eq!((&two["preselfpay_amt"], &two["selfpay_prop"]), (&json!("10.00"), &json!("0.1000")));
    (known, id)
}

#[test]
fn a_visit_is_charged_previewed_settled_and_undone_and_the_wallet_sees_it_at_once() {
    let world = World::insured();
    let (known, id) = charged(&world);
    let before = receipts(&world);
    let preview = world.carried_out(4, "2206", &claim(&known, &id, "400"));
    assert_eq!(receipts(&world), before, "a preview keeps nothing");
    let settled = world.carried_out(5, "2207", &claim(&known, &id, "400.00"));
    let info = &settled["setlinfo"];
    for (field, amount) in [
        ("medfee_sumamt", "400.00"),
        ("preselfpay_amt", "10.00"),
        ("inscp_scp_amt", "390.00"),
        ("act_pay_dedc", "100.00"),
        ("hifp_pay", "145.00"),
        ("pool_prop_selfpay", "0.5000"),
        ("fund_pay_sumamt", "145.00"),
        ("psn_part_amt", "255.00"),
        ("acct_pay", "0.00"),
        ("psn_cash_pay", "255.00"),
    ] {
        assert_eq!(info[field], amount, "{field}: {info}");
        assert_eq!(preview["setlinfo"][field], amount, "{field}");
    }
    assert_eq!(info["medins_setl_id"], format!("{CODE}202601100830000005"));
    let detail = &settled["setldetail"][0];
    assert_eq!(
        (&detail["fund_pay_type"], &detail["fund_payamt"]),
        (&json!("310100"), &json!("145.00"))
    );
    assert!(detail["setl_proc_info"].as_str().unwrap().contains("起付"), "{detail}");
    assert_eq!(settled["feedetail"][1]["feedetl_sn"], "2");
    let newest = world.port.receipts_of(person(1), Order::NewestFirst, None, 1).unwrap();
    let record = &newest[0].receipt;
    assert_eq!(record.events[0].name, "visit_settled", "{record:?}");
    // A second click under another number does not settle twice, and changes come too late.
    assert!(world.refused(6, "2207", &claim(&known, &id, "400.00")).contains("已结算"));
    let late = json!({ "feedetail": [line(&known, &id, "3", "X1", "1")] });
    assert!(world.refused(7, "2204", &late).contains("mdtrt_id"));
    let undo = |number: &Value| {
        json!({
            "data": { "setl_id": number, "mdtrt_id": id, "psn_no": known.1 }
        })
    };
    assert!(world.refused(8, "2208", &undo(&json!("0"))).contains("setl_id"));
    let undone = world.carried_out(9, "2208", &undo(&info["setl_id"]));
    assert_eq!(undone["setlinfo"]["medfee_sumamt"], "-400.00");
    assert_eq!(undone["setlinfo"]["act_pay_dedc"], "-100.00");
    assert_eq!(undone["setlinfo"]["acct_pay"], "0.00");
    assert_eq!(undone["setldetail"][0]["fund_payamt"], "-145.00");
    assert!(world.refused(10, "2208", &undo(&info["setl_id"])).contains("已经撤销"));
}

#[test]
fn wrong_sums_accounts_kinds_and_lines_are_named_and_nothing_is_settled() {
    let world = World::insured();
    let (known, id) = charged(&world);
    let before = receipts(&world);
    let with = |field: &str, value: &str| {
        let mut input = claim(&known, &id, "400.00");
        input["data"][field] = json!(value);
        input
    };
    let wrong = [
        ("medfee_sumamt", "399.99", "400.00"),
        ("preselfpay_amt", "9.00", "10.00"),
        ("acct_used_flag", "1", "手机"),
        ("med_type", "21", "11"),
        ("chrg_bchno", "B2", "2205"),
        ("insutype", "390", "险种"),
        ("mdtrt_id", "0", "2201"),
        ("mdtrt_cert_no", "12345678901234", "1101"),
    ];
    for (serial, (field, value, remedy)) in (10..).zip(wrong) {
        let words = world.refused(serial, "2207", &with(field, value));
        assert!(words.starts_with(&format!("data.{field}：")), "{words}");
        assert!(words.contains(remedy), "{words}");
    }
    let changed = json!({ "feedetail": [line(&known, &id, "1", "X1", "301")] });
    assert!(world.refused(20, "2204", &changed).contains("feedetail[0].feedetl_sn"));
    let mut odd = line(&known, &id, "3", "X1", "1");
    odd["cnt"] = json!("2");
    assert!(world.refused(21, "2204", &json!({ "feedetail": [odd] })).contains("单价"));
    let same = json!({ "feedetail": [line(&known, &id, "1", "X1", "300")] });
    world.carried_out(22, "2204", &same);
    world.carried_out(23, "2206", &claim(&known, &id, "400"));
    let undo = json!({ "data": { "mdtrt_id": id, "chrg_bchno": "0000", "psn_no": known.1 } });
    world.carried_out(24, "2205", &undo);
    assert!(world.refused(25, "2206", &claim(&known, &id, "400")).contains("2204"));
    assert_eq!(receipts(&world), before);
}

#[test]
fn what_the_visit_is_for_is_kept_and_binds_the_settlement() {
    let world = World::insured();
    let (known, id) = charged(&world);
    let described = |kind: &str| {
        json!({
            "mdtrtinfo": {
                "mdtrt_id": id, "psn_no": known.1, "med_type": kind, "begntime": "2026-01-10"
            },
            "diseinfo": [{
                "diag_type": "1", "diag_srt_no": 1, "diag_code": "J00", "diag_name": "普通感冒",
                "diag_dept": "A03", "diag_time": "2026-01-10 09:00:00", "vali_flag": "1"
            }]
        })
    };
    assert!(world.refused(4, "2203", &described("21")).contains("mdtrtinfo.med_type"));
    let mut bare = described("11");
    bare["diseinfo"][0]["diag_code"] = Value::Null;
    assert!(world.refused(5, "2203", &bare).contains("diseinfo[0].diag_code"));
    world.carried_out(6, "2203A", &described("12"));
    assert!(world.refused(7, "2207", &claim(&known, &id, "400")).contains("2203"));
    world.carried_out(8, "2203", &described("11"));
    world.carried_out(9, "2207A", &claim(&known, &id, "400"));
    assert!(world.refused(10, "2203", &described("11")).contains("已结算"));
}

#[test]
fn a_message_of_unknown_outcome_ends_reversed_whether_it_came_or_not() {
    let world = World::insured();
    let (known, id) = charged(&world);
    let msgid = |serial: u16| message(serial, "2207", &json!({}))["msgid"].clone();
    let reverse = |serial: u16, number: &str| json!({ "data": { "psn_no": known.1, "omsgid": msgid(serial), "oinfno": number } });
    let settlement = claim(&known, &id, "400");
    // It never came; when it comes, it is refused.
    world.carried_out(20, "2601", &reverse(4, "2207"));
    assert!(world.refused(4, "2207", &settlement).contains("msgid"));
    // It came and happened.
    let settled = message(5, "2207", &settlement);
    let first = world.ask(&world.nhsa(&settled));
    assert_eq!(first.json()["infcode"], 0, "{}", first.text());
    assert!(world.refused(21, "2601", &reverse(5, "2201")).contains("oinfno"));
    assert!(world.refused(22, "2601", &reverse(2, "2201")).contains("已经结算"));
    let before = receipts(&world);
    world.carried_out(23, "2601", &reverse(5, "2207"));
    assert_eq!(receipts(&world), before + 1, "it is given back");
    world.carried_out(23, "2601", &reverse(5, "2207"));
    world.carried_out(24, "2601", &reverse(5, "2207"));
    assert_eq!(receipts(&world), before + 1, "and once");
    assert_eq!(world.ask(&world.nhsa(&settled)).body, first.body);
    // A registration.
    let again = identified(&world, 30);
    world.carried_out(31, "2201", &registration(&again));
    let before = receipts(&world);
    world.carried_out(32, "2601", &reverse(31, "2201"));
    world.carried_out(33, "2601", &reverse(31, "2201"));
    assert_eq!(receipts(&world), before + 1);
    assert!(world.refused(34, "2601", &reverse(34, "2201")).contains("omsgid"));
}
