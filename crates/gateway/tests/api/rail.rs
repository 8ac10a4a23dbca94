//! Rails and tills: payments recorded, taken, handed out and compared, each by its owner's people.

use adapters::rail::counter::Clerk;
use adapters::rail::{Action, Order, Outcome, Rail as _, Reference, Verdict};
use gateway::port::Port as _;
use primitives::{Amount, Text, sha256};
use serde_json::{Value, json};

use crate::support::insured::VISIT;
use crate::support::keys::public;
use crate::support::wallets::{confirm_untaken, send_request, take_collected};
use crate::support::{Answered, Ask, DAY, START, World, organisation};

const RAIL: &str = "/v1/organisations/hospital/rails/counter";

struct Desk<'a> {
    world: &'a World,
    token: String,
}

impl<'a> Desk<'a> {
    fn new(world: &'a World) -> Self {
        Self { world, token: world.token(organisation("hospital")) }
    }

    fn get(&self, path: &str) -> Answered {
        self.world.ask(&Ask::get(format!("{RAIL}{path}")).token(&self.token))
    }

    fn post(&self, path: &str, body: Value) -> Answered {
        self.world.ask(&Ask::post(format!("{RAIL}{path}"), &body).token(&self.token))
    }

    /// The ledger orders a payment that lies in the till of `clerk-1`.
    fn ordered(&self, attempt: u32, minor: u64) {
        let payments = self.world.port.payments("hospital".parse().unwrap()).unwrap();
        let counter = payments.counter(&Text::new("counter").unwrap()).unwrap();
        let from = "clerk-1".parse::<Clerk>().unwrap().till();
        let action = Action::Pay { from, amount: Amount::from_minor(minor) };
        let reference = Reference::of_authorisation(&VISIT, attempt);
        assert!(matches!(
            counter.perform(&Order { reference, action }),
            Outcome::Final(Verdict::Done(_))
        ));
    }

    fn take(&self, due: &str, tendered: &str) -> Answered {
        self.post(
            "/takings",
            json!({
                "visit": VISIT, "clerk": "clerk-1", "due": due, "tendered": tendered,
                "salt": sha256(b"salt")
            }),
        )
    }
}

#[test]
fn a_clerk_opens_a_shift_takes_money_and_closes_by_counting() {
    let world = World::new();
    let desk = Desk::new(&world);
    desk.take("700", "1000").problem(409, "till_refused");
    desk.get("/shifts/clerk-1").problem(404, "not_found");
    let opened = desk.post("/shifts", json!({ "clerk": "clerk-1", "float": "5000" }));
    assert_eq!(opened.expect(201).json()["expected"], "5000");
    let again = desk.post("/shifts", json!({ "clerk": "clerk-1", "float": "5000" }));
    again.problem(409, "till_refused");
    let taken = desk.take("700", "1000").expect(201).json();
    assert_eq!(taken["change"], "300");
    // The same again is the same payment.
    assert_eq!(desk.take("700", "1000").expect(201).json(), taken);
    let short = desk.take("700", "100").problem(409, "till_refused");
    assert!(short["detail"].as_str().unwrap().contains("6.00"), "{short}");
    assert_eq!(desk.get("/shifts/clerk-1").expect(200).json()["expected"], "5700");
    let close = |body: Value| desk.post("/shifts/clerk-1/close", body);
    let problem = close(json!({ "counted": "5600" })).problem(409, "till_refused");
    assert!(problem["detail"].as_str().unwrap().contains("1.00"), "{problem}");
    let closed = close(json!({ "counted": "5600", "explanation": "a coin fell" }));
    assert_eq!(closed.expect(200).json()["closed"]["short"], "100");
    close(json!({ "counted": "0" })).problem(404, "not_found");
    let named = desk.post("/shifts", json!({ "clerk": "Mr Smith", "float": "0" }));
    assert_eq!(named.problem(422, "invalid_field")["field"], "clerk");
}

#[test]
fn money_for_a_bill_that_came_to_nothing_is_handed_back_and_named_in_the_shift() {
    let world = World::insured();
    let desk = Desk::new(&world);
    let taken_for = format!("/takings/{VISIT}");
    let back = |attempt: u32, reason: &str| {
        let body = json!({ "attempt": attempt, "clerk": "clerk-1", "reason": reason });
        desk.post(&format!("{taken_for}/returns"), body)
    };
    let take = |attempt: u32, due: &str| {
        let body = json!({
            "visit": VISIT, "attempt": attempt, "clerk": "clerk-1", "due": due, "tendered": "1000",
            "salt": sha256(b"salt")
        });
        desk.post("/takings", body)
    };
    assert_eq!(desk.get(&taken_for).expect(200).json()["takings"], json!([]));
    back(0, "wrong bill").problem(404, "not_found");
    desk.post("/shifts", json!({ "clerk": "clerk-1", "float": "5000" })).expect(201);
    take(0, "700").expect(201);
    // The bill is another one now: nothing more is taken while this lies in the till.
    let problem = take(1, "600").problem(409, "till_refused");
    assert!(problem["detail"].as_str().unwrap().contains("CT-"), "{problem}");
    back(0, " ").problem(409, "till_refused");
    // Whoever is asked could still confirm it.
    let request = send_request(&world, VISIT);
    back(0, "wrong bill").problem(409, "till_refused");
    let withdraw = Ask::delete(format!("/v1/requests/{}", request.id())).token(&desk.token);
    world.ask(&withdraw).expect(204);
    assert_eq!(back(0, "wrong bill").expect(201).json()["amount"], "700");
    take(0, "700").problem(409, "till_refused");
    take(1, "600").expect(201);
    let list = desk.get(&taken_for).expect(200).json();
    let [first, second] = list["takings"].as_array().unwrap().as_slice() else { panic!("{list}") };
    assert_eq!((&first["given_back"], &second["given_back"]), (&json!("700"), &json!("0")));
    assert_eq!((&second["attempt"], &second["clerk"]), (&json!(1), &json!("clerk-1")));
    let shift = desk.get("/shifts/clerk-1").expect(200).json();
    assert_eq!((&shift["expected"], &shift["given_back"]), (&json!("5600"), &json!("700")));
    assert_eq!(shift["handed_back"][0]["reason"], "wrong bill");
    assert_eq!(shift["handed_back"][0]["payment"], first["rail_reference"]);
}

#[test]
fn money_that_settled_a_visit_is_refunded_and_not_handed_back() {
    let world = World::insured();
    let desk = Desk::new(&world);
    desk.post("/shifts", json!({ "clerk": "clerk-1", "float": "5000" })).expect(201);
    desk.take("700", "700").expect(201);
    let receipt = confirm_untaken(&world, VISIT);
    let refused = || {
        let body = json!({ "clerk": "clerk-1", "reason": "wrong bill" });
        let problem = desk.post(&format!("/takings/{VISIT}/returns"), body);
        let problem = problem.problem(409, "till_refused");
        assert!(problem["detail"].as_str().unwrap().contains("请通过退费退还"), "{problem}");
    };
    // The ledger's order is on its way to the till, and reaches it.
    refused();
    desk.ordered(0, 700);
    refused();
    take_collected(&world, &receipt);
    refused();
    assert_eq!(desk.get("/shifts/clerk-1").expect(200).json()["expected"], "5700");
}

#[test]
fn money_that_waits_for_a_clerk_is_on_the_worklist_until_it_is_handed_out() {
    let world = World::new();
    let desk = Desk::new(&world);
    let list = desk.get("/worklist").expect(200).json();
    let waiting = &list["payments"][0];
    assert_eq!((&waiting["waits_for"], &waiting["amount"]), (&json!("clerk"), &json!("700")));
    let hand_out = json!({ "effect": waiting["effect"], "clerk": "clerk-1" });
    desk.post("/hand-outs", hand_out.clone()).expect(204);
    assert_eq!(desk.get("/worklist").expect(200).json()["payments"], json!([]));
    desk.post("/hand-outs", hand_out).problem(409, "not_waiting_for_clerk");
}

#[test]
fn a_payment_is_recorded_by_a_token_and_never_by_a_card_number() {
    let world = World::new();
    let desk = Desk::new(&world);
    let record = |from: &str| {
        let payment = json!({ "note": "later", "from": from });
        desk.post("/authorisations", json!({ "payment": payment, "salt": sha256(b"salt") }))
    };
    let commitment = record("card:1").expect(201).json();
    assert_eq!(record("card:1").expect(201).json(), commitment);
    let problem = record("6222020000000000000").problem(422, "invalid_field");
    assert!(!problem.to_string().contains("6222"), "{problem}");
    let days = desk.get("/reconciliations").expect(200).json();
    assert_eq!(days["days"][0]["differences"][0]["kind"], "only_at_rail");
}

#[test]
fn a_key_without_the_scope_and_a_rail_that_is_not_there_are_refused() {
    let world = World::new();
    let desk = Desk::new(&world);
    for path in ["bank/worklist", "bank/reconciliations", "bank/shifts/clerk-1"] {
        let ask = Ask::get(format!("/v1/organisations/hospital/rails/{path}")).token(&desk.token);
        world.ask(&ask).problem(404, "not_found");
    }
    let hospital = organisation("hospital");
    let expires = START.plus_millis(300 * DAY);
    for (key, scope, worklist) in [("desk", "clerk", 200), ("settling", "settle", 403)] {
        let body = json!({
            "organisation": "hospital", "key": public(key), "scopes": [scope], "expires": expires
        });
        world.accepted_with("hospital-root", hospital, "authorise_key", body);
        let session = world.ask(&world.sign_in_with(hospital, key)).expect(201).json();
        let token = session["token"].as_str().unwrap();
        let get = |path: &str| world.ask(&Ask::get(format!("{RAIL}{path}")).token(token));
        assert_eq!(get("/worklist").status, worklist);
        get("/reconciliations").problem(403, "scope_not_held");
    }
}
