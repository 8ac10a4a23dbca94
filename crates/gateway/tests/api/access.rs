//! Every operation is tried without a session, by a party that it does not concern, and by one that
//! it does. The table has a trial for every endpoint, or the first test fails.
//!
//! Reading order: this file (how a trial goes), then the trials: [`open`], [`persons`], [`visits`],
//! [`money`], [`notices`].

mod money;
mod notices;
mod open;
mod persons;
mod visits;

use std::collections::BTreeSet;

use gateway::endpoint::Access;
use primitives::{Party, VisitId};
use serde_json::{Value, json};

use money::{clearing_trials, interregion_trials, rail_trials};
use notices::notice_trials;
use open::{own_trials, public_trials, transaction_trials};
use persons::{
    binding_trials, claim_trials, desk_trials, face_trials, family_trials, guardian_trials,
    person_trials, premium_desk_trials, premium_trials, wallet_trials,
};
use visits::{
    audit_trials, contest_trials, grant_trials, inquiry_trials, objection_trials, plan_trials,
    request_trials, visit_trials,
};

use crate::audit::audited;
use crate::claim::claimable;
use crate::clearing::cleared;
use crate::contest::{BY_CARD, settle_by_card};
use crate::family::familial;
use crate::interregion::next_door;
use crate::premium::seasonal;
use crate::recovery::guarded;
use crate::support::events::Events;
use crate::support::insured::{VISIT, sealed, settle};
use crate::support::wallets::confirm_visit;
use crate::support::{Ask, REGION, World, id_of, keys, organisation, person};

/// A region with an open visit of person 1 at `hospital`, its sealed bill, and a settled visit.
struct Given {
    world: World,
    /// The receipt of the settlement: of person 1, `hospital` and `bureau`.
    settlement: Value,
}

const SETTLED: VisitId = VisitId([8; 16]);

/// The visit for which requests are sent.
const ASKED: VisitId = VisitId([7; 16]);

/// The visit that is confirmed on a phone, objected to and refunded.
const REFUNDED: VisitId = VisitId([6; 16]);

fn given() -> Given {
    let world = claimable(familial(seasonal(World::insured())));
    world.check_in(SETTLED);
    world.check_in(ASKED);
    world.check_in(REFUNDED);
    confirm_visit(&world, REFUNDED);
    settle_by_card(&world, BY_CARD);
    let settlement = settle(&world, SETTLED);
    let world = next_door(guarded(audited(cleared(world))));
    let (commitment, envelope, _) = sealed(VISIT, b"bill");
    let put = Ask::put(format!("/v1/visits/{VISIT}/bills/{commitment}"), &envelope.encode());
    world.ask(&put.token(&world.token(organisation("hospital")))).expect(204);
    Given { world, settlement }
}

/// What somebody gets.
enum Gets {
    /// This status.
    Status(u16),
    /// Status 200, and of the JSON this holds: the party's own and nothing of others.
    Own(fn(&Value) -> bool),
    /// A stream whose first receipt, once person 2 has locked itself, is of this event.
    Hears(&'static str),
}
use Gets::{Hears, Own, Status};

/// One operation tried three ways.
struct Trial {
    operation: &'static str,
    ask: fn(&Given) -> Ask,
    no_session: u16,
    wrong: (fn() -> Party, Gets),
    right: (fn() -> Party, Gets),
}

fn one() -> Party {
    person(1)
}

fn two() -> Party {
    person(2)
}

fn hospital() -> Party {
    organisation("hospital")
}

fn other() -> Party {
    organisation("other")
}

fn auditor() -> Party {
    organisation("auditor")
}

fn bureau() -> Party {
    organisation("bureau")
}

/// An operation for everybody: the same answer with and without a session.
const fn public(operation: &'static str, ask: fn(&Given) -> Ask, status: u16) -> Trial {
    let same = (two as fn() -> Party, Status(status));
    Trial { operation, ask, no_session: status, wrong: same, right: (one, Status(status)) }
}

/// An operation for a party: without a session 401.
const fn party(
    operation: &'static str,
    ask: fn(&Given) -> Ask,
    wrong: (fn() -> Party, Gets),
    right: (fn() -> Party, Gets),
) -> Trial {
    Trial { operation, ask, no_session: 401, wrong, right }
}

fn submission(given: &Given, path: &str) -> Ask {
    let lock = json!({ "person": id_of(one()), "by": "own_key" });
    let content = given.world.content(one(), "lock_person", lock);
    let ask = given.world.submit(&content, &[one()]);
    Ask { path: path.to_owned(), ..ask }
}

/// Whether all of these sessions were opened with a party's key, and one of them asks.
fn are_sessions_of(list: &Value, party: Party) -> bool {
    let sessions = list["sessions"].as_array().unwrap();
    let key = keys::public(&party.to_string()).to_string();
    let asks = sessions.iter().filter(|session| session["is_this"] == true).count();
    asks == 1 && sessions.iter().all(|session| session["key"] == key.as_str())
}

fn commitment() -> String {
    sealed(VISIT, b"bill").0.to_string()
}

fn receipt_id(given: &Given) -> String {
    given.settlement["id"].to_string()
}

fn trials() -> Vec<Trial> {
    [
        public_trials(),
        // Before anybody locks person 1.
        inquiry_trials(),
        request_trials(),
        objection_trials(),
        contest_trials(),
        plan_trials(),
        guardian_trials(),
        premium_desk_trials(),
        premium_trials(),
        family_trials(),
        binding_trials(),
        claim_trials(),
        face_trials(),
        desk_trials(),
        own_trials(),
        transaction_trials(),
        person_trials(),
        visit_trials(),
        grant_trials(),
        rail_trials(),
        clearing_trials(),
        interregion_trials(),
        audit_trials(),
        wallet_trials(),
        notice_trials(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn every_endpoint_has_one_trial() {
    let endpoints: BTreeSet<&str> =
        gateway::api::endpoints().iter().map(|endpoint| endpoint.operation).collect();
    let tried: Vec<&str> = trials().iter().map(|trial| trial.operation).collect();
    let distinct: BTreeSet<&str> = tried.iter().copied().collect();
    assert_eq!(distinct.len(), tried.len(), "an operation has two trials");
    let missing: Vec<_> = endpoints.difference(&distinct).collect();
    let extra: Vec<_> = distinct.difference(&endpoints).collect();
    assert!(missing.is_empty(), "add a trial to tests/api/access.rs for {missing:?}");
    assert!(extra.is_empty(), "there is no endpoint for the trials {extra:?}");
}

#[test]
fn a_trial_expects_a_session_exactly_where_the_endpoint_does() {
    for trial in trials() {
        let endpoint = gateway::api::endpoints()
            .iter()
            .find(|endpoint| endpoint.operation == trial.operation)
            .unwrap();
        let wanted = trial.no_session == 401;
        assert_eq!(endpoint.access.needs_session(), wanted, "{}", trial.operation);
        // Where a rule names parties, the wrong one gets nothing.
        if let Access::Party { .. } = endpoint.access {
            let refused = matches!(trial.wrong.1, Status(403 | 404));
            assert!(refused, "{} has no wrong party", trial.operation);
        }
    }
}

fn check(trial: &Trial, who: &str, given: &Given, ask: &Ask, gets: &Gets) {
    let name = format!("`{}` by {who}", trial.operation);
    match gets {
        Status(status) => {
            let answer = given.world.ask(ask);
            assert_eq!(answer.status, *status, "{name}: {}", answer.text());
        }
        Own(holds) => {
            let answer = given.world.ask(ask);
            assert_eq!(answer.status, 200, "{name}: {}", answer.text());
            assert!(holds(&answer.json()), "{name}: {}", answer.text());
        }
        Hears(event) => {
            let mut stream = Events::answering(&given.world, ask);
            // Something of the wrong party's own, so that there is something to hear.
            let lock = json!({ "person": id_of(two()), "by": "own_key" });
            given.world.accepted(&[two()], "lock_person", lock);
            let (_, receipt) = stream.take(&given.world).unwrap();
            assert_eq!(receipt["events"], json!([event]), "{name}");
        }
    }
}

#[test]
fn nobody_without_a_session_gets_what_is_not_public() {
    let given = given();
    for trial in trials() {
        let ask = (trial.ask)(&given);
        check(&trial, "nobody", &given, &ask, &Status(trial.no_session));
    }
}

#[test]
fn the_wrong_party_gets_nothing_of_others() {
    let given = given();
    for trial in trials() {
        let (party, gets) = &trial.wrong;
        let ask = (trial.ask)(&given).token(&given.world.token(party()));
        check(&trial, "the wrong party", &given, &ask, gets);
    }
}

#[test]
fn the_right_party_gets_what_it_asks_for() {
    let given = given();
    for trial in trials() {
        let (party, gets) = &trial.right;
        let ask = (trial.ask)(&given).token(&given.world.token(party()));
        check(&trial, "the right party", &given, &ask, gets);
    }
}

#[test]
fn a_guardian_sees_what_the_bureau_and_the_person_see() {
    let given = given();
    let world = &given.world;
    let path = format!("/v1/persons/{}", id_of(one()));
    let as_two = || world.ask(&Ask::get(&path).token(&world.token(two())));
    as_two().problem(403, "not_yours");
    world.accepted(
        &[one(), two()],
        "set_guardian",
        json!({
            "person": id_of(one()), "guardian": id_of(two()), "ground": "own_wish",
            "period": { "from": "2026-01-01", "to": "2026-01-20" }
        }),
    );
    as_two().expect(200);
    // Guardianship ends by itself.
    (0..11).for_each(|_| world.port.pass_day());
    as_two().problem(403, "not_yours");
}

#[test]
fn what_does_not_exist_looks_like_what_is_somebody_elses() {
    let given = given();
    let token = given.world.token(two());
    let get = |path: String| {
        let mut answer = given.world.ask(&Ask::get(path).token(&token)).json();
        answer.as_object_mut().unwrap().remove("instance");
        answer
    };
    let nobody = "0e".repeat(16);
    assert_eq!(get(format!("/v1/persons/{nobody}")), get(format!("/v1/persons/{}", id_of(one()))));
    assert_eq!(get(format!("/v1/visits/{nobody}")), get(format!("/v1/visits/{VISIT}")));
    let there = format!("/v1/receipts/{}", receipt_id(&given));
    assert_eq!(get("/v1/receipts/999999".to_owned()), get(there));
    let fund = |number: u16| get(format!("/v1/regions/{REGION}/funds/{number}"));
    assert_eq!(fund(1), fund(77));
}
