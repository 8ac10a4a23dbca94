//! Mobile payment over the national interface: charges, the person's own confirmation on the phone,
//! refund and revocation.

use adapters::clock::Clock as _;
use gateway::nhsa::signature::{Received, Scheme as _};
use gateway::port::Order;
use gateway::{Chain as _, Port as _};
use ledger::Content;
use primitives::{codec, sha256};
use serde_json::{Value, json};

use crate::nhsa::{claim, identified};
use crate::support::hospital::{CODE, MOBILE_SECRET, message, sealing};
use crate::support::wallets::{NAME, NUMBER, confirmation, joined};
use crate::support::{Ask, REGION, World, id_of, organisation, person};

/// The input of 6201 for somebody who was identified, 300.00 in class A and 100.00 in class B.
pub fn upload((certificate, number): &(Value, Value), order: &str) -> Value {
    let line = |serial: &str, item: &str, amount: &str| {
        json!({
            "feedetlSn": serial, "feeOcurTime": "2026-01-10 09:00:00", "medListCodg": item,
            "detItemFeeSumamt": amount, "cnt": "1", "pric": amount
        })
    };
    json!({
        "data": {
            "orgCodg": CODE, "medOrgOrd": order, "psnNo": number,
            "ecToken": certificate["mdtrt_cert_no"], "insutype": "310", "iptOtpNo": "MZ0001",
            "medType": "11", "psnSetlway": "01", "chrgBchno": "B1", "medfeeSumamt": "400.00",
            "preselfpayAmt": "10.00", "acctUsedFlag": "1"
        },
        "feedetailList": [line("1", "X1", "300"), line("2", "B1", "100")],
        "diseinfoList": [{ "diagCode": "E11.9", "diagName": "2型糖尿病" }]
    })
}

/// What asks about an order, from the answer to its upload.
pub fn about(uploaded: &Value) -> Value {
    let data = &uploaded["data"];
    json!({ "data": {
        "orgCodg": CODE, "payOrdId": data["payOrdId"], "payToken": data["payToken"]
    } })
}

/// The input of 6203 for all of an order.
pub fn refund(about: &Value) -> Value {
    let mut asked = about.clone();
    for (name, value) in [("appRefdSn", "TK0001"), ("refdType", "ALL"), ("totlRefdAmt", "40000")] {
        asked["data"][name] = json!(value);
    }
    asked
}

/// What waits on person 1's phone.
pub fn waiting(world: &World) -> Value {
    let list = Ask::get(format!("/v1/persons/{}/requests", id_of(person(1))));
    world.ask(&list.token(&world.token(person(1)))).expect(200).json()["requests"].clone()
}

/// Person 1 confirms what waits; the receipt.
pub fn confirmed(world: &World) -> Value {
    let request = waiting(world)[0]["request"].clone();
    let id = request.as_str().unwrap().parse().unwrap();
    let kept = world.port.wallet().unwrap().directory.request(&id).unwrap().unwrap();
    let content: Content = codec::decode(&kept.content).unwrap();
    let path = format!("/v1/requests/{id}/confirmations");
    let ask = Ask::post(path, &confirmation(world, &content)).token(&world.token(person(1)));
    world.ask(&ask).expect(201).json()["receipt"].clone()
}

/// The bank's word on what a receipt orders.
pub fn bank_says(world: &World, receipt: &Value, outcome: &Value) {
    let effects = receipt["effects"].as_array().unwrap();
    assert_eq!(effects.len(), 1);
    let body = json!({
        "effect": effects[0]["reference"], "rail_reference": sha256(b"rail"), "result": outcome
    });
    world.accepted(&[organisation("bank")], "confirm_effect", body);
}

fn state(world: &World, serial: u16, about: &Value) -> Value {
    world.carried_out(serial, "6301", about)["data"]["ordStas"].clone()
}

#[test]
fn an_order_is_uploaded_placed_confirmed_in_the_wallet_paid_and_refunded() {
    let world = World::insured();
    let known = identified(&world, 1);
    let uploaded = world.carried_out(2, "6201", &upload(&known, "DD0001"));
    let line = &uploaded["feedetailList"][1];
    assert_eq!(
        (&line["feedetl_sn"], &line["preselfpay_amt"]),
        (&json!("2"), &json!("10.00")),
        "what becomes of each line is said at once"
    );
    let order = about(&uploaded);
    assert_eq!(state(&world, 3, &order), "0");
    assert_eq!(waiting(&world), json!([]));
    let placed = world.carried_out(4, "6202", &order);
    let data = &placed["data"];
    for (field, value) in [
        ("ordStas", "2"),
        ("setlType", "ALL"),
        ("feeSumamt", "40000"),
        ("fundPay", "14500"),
        ("psnAcctPay", "5000"),
        ("ownPayAmt", "20500"),
        ("hospPartAmt", "0"),
    ] {
        assert_eq!(data[field], value, "{field}: {placed}");
    }
    assert_eq!(waiting(&world).as_array().unwrap().len(), 1, "the wallet is asked at once");
    // A second click asks nobody again.
    assert_eq!(world.carried_out(5, "6202", &order), placed);
    let receipt = confirmed(&world);
    let newest = world.port.receipts_of(person(1), Order::NewestFirst, None, 1).unwrap();
    assert_eq!(newest[0].receipt.events[0].name, "visit_settled", "it is there at once");
    let settled = world.carried_out(6, "6301", &order);
    assert_eq!(
        (&settled["data"]["ordStas"], &settled["data"]["ownPayAmt"]),
        (&json!("4"), &json!("20500"))
    );
    // What the bank has not answered can not be given back yet.
    let early = world.refused(7, "6203", &refund(&order));
    assert!(early.contains('；'), "{early}");
    bank_says(&world, &receipt, &json!({ "outcome": "done", "amount": "20500" }));
    let done = world.carried_out(8, "6301", &order);
    assert_eq!(done["data"]["ordStas"], "6");
    assert!(done["data"]["traceTime"].as_str().unwrap().starts_with("2026-01-10 "), "{done}");
    assert!(world.refused(9, "6401", &order).contains("6203"));
    let given_back = world.carried_out(11, "6203", &refund(&order));
    assert_eq!(given_back["data"]["refStatus"], "SUCC");
    assert_eq!(given_back["data"]["psnAcctRefdAmt"], "5000");
    assert_eq!(state(&world, 12, &order), "7");
    assert!(world.refused(13, "6203", &refund(&order)).contains("已经退款"));
}

#[test]
fn wrong_parts_of_a_refund_are_named_and_nothing_is_given_back() {
    let world = World::insured();
    let known = identified(&world, 1);
    let order = about(&world.carried_out(2, "6201", &upload(&known, "DD0001")));
    assert!(world.refused(3, "6203", &refund(&order)).contains("6401"), "not settled");
    world.carried_out(4, "6202", &order);
    let receipt = confirmed(&world);
    bank_says(&world, &receipt, &json!({ "outcome": "done", "amount": "20500" }));
    for (serial, (field, value, words)) in (5..).zip([
        ("totlRefdAmt", "39999", "data.totlRefdAmt"),
        ("cashRefdAmt", "1", "20500"),
        ("fundRefdAmt", "14501", "14500"),
        ("refdType", "CASH", "ALL"),
        ("refdType", "HI", "6201"),
        ("appRefdSn", "", "必填"),
    ]) {
        let mut wrong = refund(&order);
        wrong["data"][field] = json!(value);
        let told = world.refused(serial, "6203", &wrong);
        assert!(told.contains(field) && told.contains(words), "{field}: {told}");
    }
    assert_eq!(state(&world, 20, &order), "6");
}

#[test]
fn insurance_alone_comes_back_where_nothing_else_was_paid() {
    let world = World::insured();
    let known = identified(&world, 1);
    let mut uploaded = upload(&known, "DD0001");
    uploaded["data"]["medfeeSumamt"] = json!("40.00");
    uploaded["data"]["preselfpayAmt"] = json!("0.00");
    let mut line = uploaded["feedetailList"][0].clone();
    for field in ["detItemFeeSumamt", "pric"] {
        line[field] = json!("40.00");
    }
    uploaded["feedetailList"] = json!([line]);
    let order = about(&world.carried_out(2, "6201", &uploaded));
    assert_eq!(world.carried_out(3, "6202", &order)["data"]["setlType"], "HI");
    confirmed(&world);
    assert_eq!(state(&world, 4, &order), "6");
    let mut asked = refund(&order);
    asked["data"]["totlRefdAmt"] = json!("4000");
    asked["data"]["refdType"] = json!("CASH");
    let told = world.refused(5, "6203", &asked);
    assert!(told.starts_with("data.refdType") && told.contains("ALL"), "{told}");
    asked["data"]["refdType"] = json!("HI");
    assert_eq!(world.carried_out(6, "6203", &asked)["data"]["psnAcctRefdAmt"], "4000");
    assert_eq!(state(&world, 7, &order), "7");
}

#[test]
fn an_order_that_is_revoked_refused_or_over_is_never_paid() {
    let world = World::insured();
    let known = identified(&world, 1);
    let revoked = about(&world.carried_out(2, "6201", &upload(&known, "DD0001")));
    world.carried_out(3, "6202", &revoked);
    let told = world.carried_out(4, "6401", &revoked);
    assert_eq!(told["data"]["ordStas"], "12");
    assert_eq!(waiting(&world), json!([]), "nobody can confirm it");
    assert_eq!(world.carried_out(5, "6401", &revoked)["data"]["ordStas"], "12", "twice is once");
    assert!(world.refused(6, "6202", &revoked).contains("6201"));
    assert!(world.refused(7, "6201", &upload(&known, "DD0001")).contains("medOrgOrd"));

    let refused = about(&world.carried_out(8, "6201", &upload(&known, "DD0002")));
    world.carried_out(9, "6202", &refused);
    let id = waiting(&world)[0]["request"].as_str().unwrap().to_owned();
    let no = Ask::post(format!("/v1/requests/{id}/refusals"), &json!({ "reason": "wrong_bill" }));
    world.ask(&no.token(&world.token(person(1)))).expect(204);
    let told = world.carried_out(10, "6301", &refused);
    assert_eq!(told["data"]["ordStas"], "15");
    assert!(told["data"]["ordStasDscr"].as_str().unwrap().contains("拒绝"));

    let over = about(&world.carried_out(11, "6201", &upload(&known, "DD0003")));
    world.carried_out(12, "6202", &over);
    world.clock.advance_millis(15 * 60_000 + 1);
    let told = world.carried_out(13, "6301", &over);
    assert!(told["data"]["ordStasDscr"].as_str().unwrap().contains("逾期"), "{told}");
    assert_eq!(world.carried_out(14, "6202", &over)["data"]["ordStas"], "15", "not asked again");
    assert_eq!(world.carried_out(15, "6401", &over)["data"]["ordStas"], "12");
}

#[test]
fn what_a_counter_settles_is_no_longer_paid_by_phone() {
    let world = World::insured();
    let known = identified(&world, 1);
    let uploaded = world.carried_out(2, "6201", &upload(&known, "DD0001"));
    let order = about(&uploaded);
    world.carried_out(3, "6202", &order);
    let mut at_counter = claim(&known, &uploaded["data"]["mdtrtId"], "400.00");
    at_counter["data"]["chrg_bchno"] = json!("B1");
    world.carried_out(4, "2207", &at_counter);
    let told = world.carried_out(5, "6301", &order);
    assert_eq!(told["data"]["ordStas"], "15");
    assert!(told["data"]["ordStasDscr"].as_str().unwrap().contains("窗口"), "{told}");
    assert!(world.refused(6, "6203", &refund(&order)).contains("payOrdId"));
}

#[test]
fn a_card_that_gives_nothing_leaves_an_order_that_says_what_to_do() {
    let world = World::insured();
    let known = identified(&world, 1);
    let order = about(&world.carried_out(2, "6201", &upload(&known, "DD0001")));
    world.carried_out(3, "6202", &order);
    let receipt = confirmed(&world);
    bank_says(&world, &receipt, &json!({ "outcome": "failed", "reason": 1 }));
    let told = world.carried_out(4, "6301", &order);
    assert_eq!(told["data"]["ordStas"], "14");
    assert!(told["data"]["ordStasDscr"].as_str().unwrap().contains("窗口补收"), "{told}");
}

#[test]
fn wrong_uploads_are_named_as_they_were_spelt_and_open_nothing() {
    let world = World::insured();
    let known = identified(&world, 1);
    let now = world.clock.now().millis();
    for (serial, (path, value, words)) in (10..).zip([
        ("/data/orgCodg", json!("H62010000002"), "data.orgCodg"),
        ("/data/medfeeSumamt", json!("401"), "data.medfeeSumamt：与明细合计 400.00"),
        ("/data/preselfpayAmt", json!("9.00"), "data.preselfpayAmt：与明细合计 10.00"),
        ("/data/psnNo", json!("00"), "data.psnNo"),
        ("/data/ecToken", json!("12345678901234"), "data.ecToken：与当日1101"),
        ("/data/ecToken", Value::Null, "data.ecToken：动态码与身份证号"),
        ("/data/insuCode", json!("620200"), "data.insuCode"),
        ("/data/medType", json!("21"), "data.medType"),
        ("/data/medOrgOrd", json!(""), "data.medOrgOrd：必填"),
        ("/data/iptOtpNo", json!("x".repeat(31)), "data.iptOtpNo：超过 30"),
        ("/feedetailList/0/cnt", json!("2"), "feedetailList：明细的单价×数量"),
        ("/feedetailList/1/feedetlSn", json!("1"), "feedetailList[1].feedetlSn：流水号重复"),
        ("/feedetailList/1/medListCodg", Value::Null, "feedetailList[1].medListCodg：必填"),
        ("/feedetailList/1/feeOcurTime", json!("2026-01-09"), "feedetailList：流水号 2"),
    ]) {
        let mut wrong = upload(&known, "DD0001");
        *wrong.pointer_mut(path).unwrap_or(&mut Value::Null) = value.clone();
        if path == "/data/insuCode" {
            wrong["data"]["insuCode"] = value;
        }
        let told = world.refused(serial, "6201", &wrong);
        assert!(told.starts_with(words) && told.contains('；'), "{path}: {told}");
    }
    assert_eq!(world.clock.now().millis(), now);
    // None of them opened a visit: the order is still free.
    let uploaded = world.carried_out(30, "6201", &upload(&known, "DD0001"));
    let order = about(&uploaded);
    // The same again under another number is the same order; another bill under its number is not.
    assert_eq!(world.carried_out(31, "6201", &upload(&known, "DD0001")), uploaded);
    let mut other = upload(&known, "DD0001");
    other["data"]["iptOtpNo"] = json!("MZ0002");
    assert!(world.refused(32, "6201", &other).starts_with("data.medOrgOrd"));
    for (serial, number) in [(33, "6202"), (34, "6203"), (35, "6301"), (36, "6401")] {
        let mut wrong = refund(&order);
        wrong["data"]["payToken"] = json!("00");
        assert!(world.refused(serial, number, &wrong).starts_with("data.payToken"), "{number}");
        wrong["data"]["payOrdId"] = json!("00");
        let told = world.refused(serial + 10, number, &wrong);
        assert!(told.starts_with("data.payOrdId"), "{number}: {told}");
    }
}

#[test]
fn who_has_no_card_or_is_not_insured_is_told_what_to_do_and_nothing_is_placed() {
    let world = World::insured();
    let newcomer = joined(&world);
    let shown = json!({
        "mdtrt_cert_type": "02", "mdtrt_cert_no": NUMBER, "psn_name": NAME
    });
    let known = world.carried_out(1, "1101", &json!({ "data": shown }));
    let mut asked = upload(&(shown, known["baseinfo"]["psn_no"].clone()), "DD0001");
    asked["data"]["ecToken"] = Value::Null;
    asked["data"]["idNo"] = json!(NUMBER);
    let told = world.refused(2, "6201", &asked);
    assert!(told.contains('；') && !told.contains(NUMBER), "{told}");
    let year = json!({ "from": "2026-01-01", "to": "2026-12-31" });
    let coverage = json!({
        "person": newcomer, "region": REGION,
        "coverage": {
            "scheme": 310, "period": year,
            "facts": {
                "period": year, "age": { "from": 30, "below": 40 }, "sex": "female",
                "person_classes": ["active"]
            }
        }
    });
    world.accepted(&[organisation("bureau")], "enrol_coverage", coverage);
    let order = about(&world.carried_out(3, "6201", &asked));
    let told = world.refused(4, "6202", &order);
    assert!(told.contains("没有绑定银行卡") && told.contains("窗口"), "{told}");
    assert_eq!(state(&world, 5, &order), "0");
}

/// What is answered to a message that is sealed with this secret, as it came.
fn told_sealed(world: &World, secret: &[u8], message: &Value) -> Vec<u8> {
    let now = world.clock.now();
    let body = sealing(secret).seal(message.to_string().as_bytes(), secret, now);
    let ask = Ask { method: "POST", body, ..Ask::get("/nhsa/v1") };
    world.ask(&ask.with("content-type", "application/json")).expect(200).body
}

#[test]
fn a_sealed_body_is_opened_answered_sealed_and_taken_for_mobile_payment_only() {
    let world = World::insured();
    let known = identified(&world, 1);
    let opened = |body: &[u8]| -> Vec<u8> {
        let received = Received { body, now: world.clock.now(), ..Received::default() };
        sealing(MOBILE_SECRET).opened(received, MOBILE_SECRET).unwrap().into_owned()
    };
    let asked = message(2, "6201", &upload(&known, "DD0001"));
    let answer = opened(&told_sealed(&world, MOBILE_SECRET, &asked));
    let read: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(read["infcode"], 0, "{read}");
    assert!(read["output"]["data"]["payToken"].is_string());
    // The same message is the same, whether it is sealed again or comes as others do.
    assert_eq!(opened(&told_sealed(&world, MOBILE_SECRET, &asked)), answer);
    assert_eq!(world.ask(&world.nhsa(&asked)).expect(200).body, answer);
    // What is refused is refused inside.
    let wrong = message(3, "6201", &json!({ "data": { "orgCodg": CODE } }));
    let told: Value =
        serde_json::from_slice(&opened(&told_sealed(&world, MOBILE_SECRET, &wrong))).unwrap();
    assert!(told["err_msg"].as_str().unwrap().starts_with("data.medOrgOrd"), "{told}");
    let other = message(4, "9001", &json!({ "signIn": { "opter_no": "1", "mac": "", "ip": "" } }));
    let told: Value =
        serde_json::from_slice(&opened(&told_sealed(&world, MOBILE_SECRET, &other))).unwrap();
    assert!(told["err_msg"].as_str().unwrap().starts_with("infno：加密报文只受理移动支付"));
    // Who does not show the secret learns nothing, and nothing of it is sealed.
    let told: Value =
        serde_json::from_slice(&told_sealed(&world, b"another secret of nobody", &asked)).unwrap();
    assert_eq!(told["infcode"], -1);
    assert!(told["err_msg"].as_str().unwrap().starts_with("signData："), "{told}");
}
