//! A hospital whose edge holds its key: what a message needs signed is asked of the edge.

use adapters::clock::Clock as _;
use gateway::Chain as _;
use gateway::nhsa::signer::{EdgeKey, Question, Questions, Signer, Unsigned};
use ledger::modules::visit::CheckIn;
use primitives::codec;
use serde_json::{Value, json};

use crate::nhsa::{identified, registration};
use crate::support::hospital::{institution_signed_by, message, signed_to};
use crate::support::keys::{public, sign};
use crate::support::{Ask, World};

const PATH: &str = "/nhsa/v1/signatures";

fn world() -> World {
    let world = World::insured();
    let key = EdgeKey::new("hospital".parse().unwrap(), public("hospital"));
    world.port.reopen(|| institution_signed_by(Signer::Edge(key)));
    world
}

impl World {
    fn edge(&self, signed: &Value) -> Ask {
        let body = json!({ "signed": signed }).to_string();
        signed_to(PATH, body.as_bytes(), self.clock.now().millis())
    }

    /// What there is to sign once the edge has said this.
    fn asked_after(&self, signed: &Value) -> Vec<Question> {
        let answer = self.ask(&self.edge(signed)).expect(200).json();
        serde_json::from_value::<Questions>(answer).unwrap().asked
    }
}

#[test]
fn the_edge_signs_what_a_message_needs_and_nobody_else_does() {
    let world = world();
    let person = identified(&world, 1);
    let opening = message(2, "2201", &registration(&person));
    let answer = world.start(&world.nhsa(&opening));
    let asked = world.asked_after(&json!([]));
    let [question] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(question.msgid, opening["msgid"].as_str().unwrap());
    let content = question.content().expect("the content that the id names");
    assert!(codec::decode::<CheckIn>(&content.body).is_ok(), "what is signed can be read");
    let other = Question { id: primitives::Hash([7; 32]), ..question.clone() };
    assert!(other.content().is_none());

    let signed = json!([{ "id": question.id, "signature": sign("hospital", &question.id) }]);
    let next = world.start(&world.edge(&signed));
    let answer = world.wait(answer).unwrap().json();
    assert_eq!((&answer["infcode"], &answer["err_msg"]), (&json!(0), &Value::Null), "{answer}");
    // The same message gets the same answer, and nothing is asked for it any more.
    assert_eq!(world.told(&opening), answer);
    let second = message(
        3,
        "2202",
        &json!({ "data": {
        "psn_no": person.1, "mdtrt_id": answer["output"]["data"]["mdtrt_id"], "ipt_otp_no": "MZ0001"
    } }),
    );
    let undone = world.start(&world.nhsa(&second));
    let asked: Questions = serde_json::from_value(world.wait(next).unwrap().json()).unwrap();
    let [question] = asked.asked.as_slice() else { panic!("{asked:?}") };
    // A signature by another key is none.
    let forged = json!([{ "id": question.id, "signature": sign("bureau", &question.id) }]);
    let _next = world.start(&world.edge(&forged));
    let answer = world.wait(undone).unwrap().json();
    let words = answer["err_msg"].as_str().unwrap();
    assert!(words.contains("拒绝签名") && answer["infcode"] == -1, "{answer}");
}

#[test]
fn what_the_edge_does_not_sign_has_not_happened() {
    let reasons = [
        (Unsigned::NotOurs, "不是本院"),
        (Unsigned::NotUnderWay, "以原报文重发"),
        (Unsigned::NotAsked, "另一交易"),
        (Unsigned::OtherVisit, "就诊不符"),
        (Unsigned::OtherPerson, "人员不符"),
        (Unsigned::OtherSum, "总额不符"),
    ];
    let world = world();
    let person = identified(&world, 1);
    let before = world.port.view().tip.receipts;
    let mut asked = Vec::new();
    for (serial, (reason, words)) in (2..).zip(reasons) {
        let opening = message(serial, "2201", &registration(&person));
        let answer = world.start(&world.nhsa(&opening));
        if asked.is_empty() {
            asked = world.asked_after(&json!([]));
        }
        let id = asked.remove(0).id;
        let next = world.start(&world.edge(&json!([{ "id": id, "refused": reason }])));
        let answer = world.wait(answer).unwrap().json();
        let said = answer["err_msg"].as_str().unwrap();
        assert!(said.contains(words) && answer["infcode"] == -1, "{answer}");
        next.abort();
    }
    assert_eq!(world.port.view().tip.receipts, before);
}

#[test]
fn only_the_hospitals_own_edge_is_asked() {
    let hosted = World::insured();
    // It asks in vain for as long as the key is hosted, and its hospital's messages are taken.
    for _ in 0..20 {
        hosted.ask(&hosted.edge(&json!([]))).problem(403, "not_yours");
    }
    identified(&hosted, 1);
    let world = world();
    let mut forged = world.edge(&json!([]));
    forged.body.push(b' ');
    world.ask(&forged).problem(403, "not_yours");
    world.ask(&Ask::post(PATH, &json!({ "signed": [] }))).problem(403, "not_yours");
    world.ask(&world.edge(&json!([{ "id": 7 }]))).problem(422, "invalid_field");
}
