//! The personal account at a hospital's counter: the person confirms on the phone, and the same
//! message again has the settlement.

use serde_json::{Value, json};

use crate::nhsa::{claim, identified, line, registration};
use crate::nhsa_mobile::{confirmed, waiting};
use crate::nhsa_stay;
use crate::support::hospital::message;
use crate::support::{Ask, World, person};

/// A registered visit of person 1 with one line of 40.00, which the account can pay, and what
/// settles it with the account.
fn charged(world: &World) -> ((Value, Value), Value, Value) {
    let known = identified(world, 1);
    let registered = world.carried_out(2, "2201", &registration(&known));
    let id = registered["data"]["mdtrt_id"].clone();
    let lines = json!({ "feedetail": [line(&known, &id, "1", "X1", "40.00")] });
    world.carried_out(3, "2204", &lines);
    let mut asked = claim(&known, &id, "40.00");
    asked["data"]["acct_used_flag"] = json!("1");
    (known, id, asked)
}

/// What is said of a message that is not carried out now.
fn words(answer: &Value) -> &str {
    assert_eq!(answer["infcode"], -1, "{answer}");
    answer["err_msg"].as_str().unwrap()
}

/// Sends a settlement of 40 yuan until the person has confirmed it on the phone; its sums.
fn settled_from_the_account(world: &World, settle: &Value) -> Value {
    for _ in 0..2 {
        let told = world.told(settle);
        assert!(words(&told).starts_with("data.acct_used_flag：已发送至参保人手机"), "{told}");
        assert_eq!(waiting(world).as_array().unwrap().len(), 1);
    }
    confirmed(world);
    let settled = world.ask(&world.nhsa(settle)).expect(200);
    let answer = settled.json();
    assert_eq!(answer["infcode"], 0, "{answer}");
    let info = answer["output"]["setlinfo"].clone();
    assert_eq!((&info["acct_pay"], &info["psn_cash_pay"]), (&json!("40.00"), &json!("0.00")));
    assert_eq!(world.ask(&world.nhsa(settle)).expect(200).body, settled.body, "the same bytes");
    info
}

#[test]
fn the_account_pays_at_the_counter_once_the_person_confirmed_on_the_phone() {
    let world = World::insured();
    let (known, id, asked) = charged(&world);
    let preview = world.carried_out(4, "2206", &asked);
    assert_eq!(preview["setlinfo"]["acct_pay"], "40.00");
    assert_eq!(preview["setlinfo"]["psn_cash_pay"], "0.00");
    assert_eq!(waiting(&world), json!([]), "a preview asks nobody");
    let settle = message(5, "2207", &asked);
    let info = settled_from_the_account(&world, &settle);
    let undo = json!({
        "data": { "setl_id": info["setl_id"], "mdtrt_id": id, "psn_no": known.1 }
    });
    assert_eq!(world.carried_out(6, "2208", &undo)["setlinfo"]["acct_pay"], "-40.00");
}

#[test]
fn the_account_pays_for_a_stay_once_the_person_confirmed_on_the_phone() {
    let world = World::insured();
    let known = identified(&world, 1);
    let told = world.carried_out(2, "2401", &nhsa_stay::admission(&known, "E11.900"));
    let id = told["result"]["mdtrt_id"].clone();
    let list = |serial: &str| {
        let line = nhsa_stay::line(&known, &id, (serial, "X1"), "2026-01-06", "20.00");
        json!({ "feedetail": [line] })
    };
    world.carried_out(3, "2301", &list("1"));
    world.carried_out(4, "2301", &list("2"));
    let mut asked = nhsa_stay::settlement(&known, &id, "40.00");
    asked["data"]["acct_used_flag"] = json!("1");
    let early = message(5, "2304", &asked);
    assert!(words(&world.told(&early)).contains("2402"), "first the stay ends");
    assert_eq!(waiting(&world), json!([]));
    let discharge = nhsa_stay::discharge(&known, &id, "2026-01-10", "E11.900");
    world.carried_out(6, "2402", &discharge);
    assert_eq!(world.carried_out(7, "2303", &asked)["setlinfo"]["acct_pay"], "40.00");
    let settle = message(8, "2304", &asked);
    let info = settled_from_the_account(&world, &settle);
    let mut undo = nhsa_stay::of(&known, &id);
    undo["data"]["setl_id"] = info["setl_id"].clone();
    assert_eq!(world.carried_out(9, "2305", &undo)["setlinfo"]["acct_pay"], "-40.00");
}

#[test]
fn what_the_person_refused_or_the_hospital_reversed_is_not_settled() {
    let world = World::insured();
    let (known, _, asked) = charged(&world);
    let refused = message(5, "2207", &asked);
    assert!(words(&world.told(&refused)).contains("手机"));
    let request = waiting(&world)[0]["request"].as_str().unwrap().to_owned();
    let no = json!({ "reason": "other_way" });
    let no = Ask::post(format!("/v1/requests/{request}/refusals"), &no);
    world.ask(&no.token(&world.token(person(1)))).expect(204);
    assert!(words(&world.told(&refused)).contains("拒绝"));

    let reversed = message(6, "2207", &asked);
    assert!(words(&world.told(&reversed)).contains("手机"));
    let reverse = json!({
        "data": { "psn_no": known.1, "omsgid": reversed["msgid"], "oinfno": "2207" }
    });
    let reverse = message(7, "2601", &reverse);
    assert!(words(&world.told(&reverse)).contains("已撤回"));
    assert_eq!(waiting(&world), json!([]));
    assert_eq!(world.told(&reverse)["infcode"], 0);
    assert!(words(&world.told(&reversed)).contains("已被冲正"));
}

#[test]
fn a_changed_bill_or_a_counter_that_takes_cash_ends_the_asking() {
    let world = World::insured();
    let (known, id, asked) = charged(&world);
    assert!(words(&world.told(&message(5, "2207", &asked))).contains("手机"));
    let more = json!({ "feedetail": [line(&known, &id, "2", "X1", "5.00")] });
    world.carried_out(6, "2204", &more);
    assert_eq!(waiting(&world), json!([]));
    let mut asked = asked.clone();
    asked["data"]["medfee_sumamt"] = json!("45.00");
    assert!(words(&world.told(&message(7, "2207", &asked))).contains("手机"));
    assert_eq!(waiting(&world).as_array().unwrap().len(), 1);
    asked["data"]["acct_used_flag"] = json!("0");
    let info = world.carried_out(8, "2207", &asked)["setlinfo"].clone();
    assert_eq!((&info["acct_pay"], &info["psn_cash_pay"]), (&json!("0.00"), &json!("45.00")));
    assert_eq!(waiting(&world), json!([]));
}

#[test]
fn who_signed_out_meanwhile_still_hears_what_became_of_a_message_that_was_sent_on() {
    let world = World::insured();
    let (_, _, asked) = charged(&world);
    let clerk = json!({ "signIn": { "opter_no": "001", "mac": "00-00", "ip": "10.0.0.1" } });
    let session = world.carried_out(4, "9001", &clerk)["signinoutb"]["sign_no"].clone();
    let in_session = |serial: u16| {
        let mut settle = message(serial, "2207", &asked);
        settle["sign_no"] = session.clone();
        settle
    };
    let sent = in_session(5);
    assert!(words(&world.told(&sent)).contains("手机"));
    let out = json!({ "signOut": { "sign_no": session, "opter_no": "001" } });
    world.carried_out(6, "9002", &out);
    assert!(words(&world.told(&in_session(7))).contains("sign_no"), "nothing new is begun");
    confirmed(&world);
    let told = world.told(&sent);
    assert_eq!(told["infcode"], 0, "{told}");
}
