//! Visits: their bills, grants, requests for confirmation and objections.

use primitives::Hash;
use serde_json::json;
use vault::{EnvelopeContext, Grant, ReaderSecret};

use super::{
    ASKED, Given, Own, REFUNDED, SETTLED, Status, Trial, auditor, bureau, commitment, hospital,
    one, other, party, two,
};
use crate::audit;
use crate::contest::{BY_CARD, contest, decision, raised};
use crate::correction::new_correction;
use crate::inquiry::inquire;
use crate::plan_version::{self, VERSIONS, next_file};
use crate::support::insured::{PLAN, VISIT, sealed};
use crate::support::wallets::{
    Cash, NAME, NUMBER, confirmation, new_answer, new_objection, new_refund, new_request, object,
    send_request, settled,
};
use crate::support::{Ask, START, id_of};

/// In this order: what is decided is contested no more.
pub(super) fn contest_trials() -> Vec<Trial> {
    vec![
        party(
            "create_contest",
            |given| {
                let path = format!("/v1/visits/{BY_CARD}/contests");
                Ask::post(path, &contest(&given.world))
            },
            (two, Status(404)),
            (one, Status(201)),
        ),
        party(
            "list_visit_contests",
            |_| Ask::get(format!("/v1/visits/{BY_CARD}/contests")),
            (other, Status(404)),
            (hospital, Status(200)),
        ),
        party(
            "list_contestable_visits",
            |_| Ask::get(format!("/v1/persons/{}/contestable-visits", id_of(one()))),
            (hospital, Status(403)),
            (bureau, Own(|list| list["visits"].is_array())),
        ),
        party(
            "list_stays",
            |_| Ask::get(format!("/v1/persons/{}/stays", id_of(one()))),
            (bureau, Status(403)),
            (one, Own(|list| list["stays"].is_array())),
        ),
        party(
            "list_contests",
            |_| Ask::get("/v1/organisations/bureau/contests"),
            (hospital, Status(403)),
            (bureau, Own(|list| list["contests"].is_array())),
        ),
        party(
            "decide_contest",
            |given| {
                let path = format!("/v1/contests/{}/decisions", raised(&given.world));
                Ask::post(path, &decision(&given.world, "rejected").1)
            },
            (hospital, Status(403)),
            (bureau, Status(201)),
        ),
    ]
}

pub(super) fn plan_trials() -> Vec<Trial> {
    vec![
        party(
            "list_plan_versions",
            |_| Ask::get(VERSIONS),
            (hospital, Status(403)),
            (bureau, Own(|list| list["versions"][0]["version"] == 1)),
        ),
        party(
            "read_plan_file",
            |_| Ask::post("/v1/regions/620100/plan-files", &plan_version::file(&next_file())),
            (hospital, Status(403)),
            (bureau, Own(|read| read["draft"]["version"] == 2)),
        ),
        party(
            "keep_plan_file",
            |_| Ask::post(format!("{VERSIONS}/1/file"), &plan_version::file(PLAN)),
            (one, Status(403)),
            (bureau, Status(204)),
        ),
        party(
            "compare_plan_versions",
            |_| Ask::get(format!("{VERSIONS}/1/comparison")),
            (auditor, Status(403)),
            (bureau, Own(|told| told["comparison"]["rules"].as_array().unwrap().len() == 2)),
        ),
        party("simulate_plan_version", simulation, (hospital, Status(403)), (bureau, Status(202))),
        party(
            "get_plan_simulation",
            |given| {
                let begin = simulation(given).token(&given.world.token(bureau()));
                // One of before may go on yet; it is the same.
                assert!([202, 409].contains(&given.world.ask(&begin).status));
                Ask::get(format!("{VERSIONS}/1/simulation?against=1"))
            },
            (hospital, Status(403)),
            (bureau, Own(|simulation| simulation["against"] == 1)),
        ),
    ]
}

fn simulation(_: &Given) -> Ask {
    Ask::post(format!("{VERSIONS}/1/simulations"), &json!({ "against": 1 }))
}

pub(super) fn visit_trials() -> Vec<Trial> {
    vec![
        party(
            "get_visit",
            |_| Ask::get(format!("/v1/visits/{SETTLED}")),
            (other, Status(404)),
            (hospital, Status(200)),
        ),
        party(
            "get_effect",
            |given| {
                let reference = given.settlement["effects"][0]["reference"].as_str().unwrap();
                Ask::get(format!("/v1/effects/{reference}"))
            },
            (two, Status(404)),
            (one, Status(200)),
        ),
        // The visit's own provider is the wrong party: it would learn of its patient's other
        // visits.
        party(
            "get_later_settlements",
            |_| Ask::get(format!("/v1/persons/{}/visits/{SETTLED}/later", id_of(one()))),
            (hospital, Status(404)),
            (one, Status(200)),
        ),
        party(
            "put_bill",
            |_| {
                let (commitment, envelope, _) = sealed(VISIT, b"another");
                let path = format!("/v1/visits/{VISIT}/bills/{commitment}");
                Ask::put(path, &envelope.encode())
            },
            (one, Status(403)),
            (hospital, Status(204)),
        ),
        party(
            "list_bills",
            |_| Ask::get(format!("/v1/visits/{VISIT}/bills")),
            (two, Status(404)),
            (one, Status(200)),
        ),
        party(
            "get_bill",
            |_| Ask::get(format!("/v1/visits/{VISIT}/bills/{}", commitment())),
            (other, Status(404)),
            (bureau, Status(200)),
        ),
    ]
}

pub(super) fn grant_trials() -> Vec<Trial> {
    vec![
        party(
            "grant_bill",
            |given| {
                let (commitment, envelope, reader) = sealed(VISIT, b"bill");
                let grant = Grant {
                    reader: ReaderSecret::from_seed(&[7; 32]).key(),
                    purpose: primitives::Text::new("sample").unwrap(),
                    valid_until: given.world.gateway.clock.now().plus_millis(60_000),
                };
                let context = EnvelopeContext { visit: VISIT, commitment };
                let mut random = vault::randomness([8; 32]);
                let key = envelope.grant_key(&reader, &context, &grant, START, &mut random);
                let path = format!("/v1/visits/{VISIT}/bills/{commitment}/grants");
                Ask::bytes("POST", path, &key.unwrap().encode())
            },
            (auditor, Status(404)),
            (one, Status(204)),
        ),
        // After the trial above, in their order.
        party(
            "revoke_bill_grant",
            |_| {
                let reader = ReaderSecret::from_seed(&[7; 32]).key();
                let path = format!("/v1/visits/{VISIT}/bills/{}/grants/{reader}", commitment());
                Ask::delete(path)
            },
            (other, Status(404)),
            (bureau, Status(204)),
        ),
        party(
            "list_bill_accesses",
            |_| Ask::get(format!("/v1/visits/{VISIT}/bills/{}/accesses", commitment())),
            (auditor, Status(404)),
            (one, Own(|list| list["accesses"].is_array())),
        ),
    ]
}

pub(super) fn audit_trials() -> Vec<Trial> {
    let sample = |operation, ask: fn(&Given) -> Ask| {
        party(operation, ask, (bureau, Status(404)), (auditor, Status(200)))
    };
    vec![
        party(
            "list_audits",
            |_| Ask::get(audit::path("")),
            (hospital, Status(403)),
            (auditor, Own(|list| list["audits"][0]["auditor"] == "auditor")),
        ),
        party(
            "get_audit",
            |_| Ask::get(audit::path("/1")),
            (hospital, Status(404)),
            (bureau, Status(200)),
        ),
        sample("get_audit_sample", |_| Ask::get(audit::path("/1/sample"))),
        sample("get_audited_settlement", |_| {
            Ask::get(audit::path(&format!("/1/sample/{SETTLED}")))
        }),
        sample("get_audit_pack", |_| Ask::get(audit::path("/1/pack"))),
    ]
}

/// The address of a request that was just sent to person 1.
fn sent_request(given: &Given) -> String {
    format!("/v1/requests/{}", send_request(&given.world, ASKED).id())
}

/// In this order: the last one settles the visit.
pub(super) fn request_trials() -> Vec<Trial> {
    vec![
        party(
            "create_cash_leg",
            |_| Ask::post(format!("/v1/visits/{ASKED}/cash-legs"), &json!({})),
            (other, Status(404)),
            (hospital, Status(201)),
        ),
        party(
            "create_request",
            |given| {
                let (_, body) = new_request(&given.world, ASKED, Cash::Till);
                Ask::post(format!("/v1/visits/{ASKED}/requests"), &body)
            },
            (other, Status(404)),
            (hospital, Status(201)),
        ),
        // Whoever may settle, hears that the consent is none for a desk.
        party(
            "settle_at_desk",
            |given| {
                let (_, mut body) = new_request(&given.world, ASKED, Cash::Till);
                body["identity"] = json!({ "name": NAME, "number": NUMBER });
                Ask::post(format!("/v1/visits/{ASKED}/settlements"), &body)
            },
            (other, Status(404)),
            (hospital, Status(422)),
        ),
        // Its desks saw neither code nor card of this patient, and are shown nobody.
        party(
            "get_reception",
            |_| Ask::get(format!("/v1/visits/{ASKED}/reception")),
            (other, Status(404)),
            (
                hospital,
                Own(|seen| {
                    seen["subject"]["provider"] == "hospital" && seen.get("patient").is_none()
                }),
            ),
        ),
        party(
            "list_requests",
            |_| Ask::get(format!("/v1/persons/{}/requests", id_of(one()))),
            (hospital, Status(403)),
            (one, Status(200)),
        ),
        party(
            "get_request",
            |given| Ask::get(sent_request(given)),
            (two, Status(404)),
            (hospital, Status(200)),
        ),
        party(
            "refuse_request",
            |given| {
                let path = format!("{}/refusals", sent_request(given));
                Ask::post(path, &json!({ "reason": "not_mine" }))
            },
            (hospital, Status(404)),
            (one, Status(204)),
        ),
        party(
            "withdraw_request",
            |given| Ask::delete(sent_request(given)),
            (one, Status(404)),
            (hospital, Status(204)),
        ),
        party(
            "confirm_request",
            |given| {
                let content = send_request(&given.world, ASKED);
                let path = format!("/v1/requests/{}/confirmations", content.id());
                Ask::post(path, &confirmation(&given.world, &content))
            },
            (hospital, Status(404)),
            (one, Status(201)),
        ),
    ]
}

/// Before the request of these trials is answered.
pub(super) fn inquiry_trials() -> Vec<Trial> {
    vec![
        party(
            "create_inquiry",
            |given| {
                let request = send_request(&given.world, ASKED).id();
                let said = json!({ "about": "bill", "reason": "twice", "lines": [1] });
                let body = json!({ "key": "0a".repeat(16), "request": request, "said": said });
                Ask::post(format!("/v1/persons/{}/inquiries", id_of(one())), &body)
            },
            (two, Status(403)),
            (one, Status(201)),
        ),
        party(
            "list_own_inquiries",
            |_| Ask::get(format!("/v1/persons/{}/inquiries", id_of(one()))),
            (bureau, Status(403)),
            (one, Status(200)),
        ),
        party(
            "list_inquiries",
            |_| Ask::get("/v1/organisations/hospital/inquiries"),
            (bureau, Status(403)),
            (hospital, Status(200)),
        ),
        party(
            "answer_inquiry",
            |given| {
                let number = inquire(&given.world, &json!({ "about": "other", "words": "why?" }));
                let body = json!({ "words": "so" });
                Ask::post(format!("/v1/inquiries/{number}/answers"), &body)
            },
            (hospital, Status(404)),
            (bureau, Status(204)),
        ),
    ]
}

/// The objection that waits for an answer; a new one when there is none.
fn objection(given: &Given) -> Hash {
    let world = &given.world;
    if settled(world, REFUNDED).get("objected").is_none() {
        return object(world, REFUNDED);
    }
    let ask = Ask::get(format!("/v1/visits/{REFUNDED}/objections"));
    let list = world.ask(&ask.token(&world.token(one()))).expect(200).json();
    serde_json::from_value(list["objections"][0]["objection"].clone()).unwrap()
}

pub(super) fn objection_trials() -> Vec<Trial> {
    vec![
        party(
            "create_objection",
            |given| {
                let (_, body) = new_objection(&given.world, REFUNDED);
                Ask::post(format!("/v1/visits/{REFUNDED}/objections"), &body)
            },
            (hospital, Status(403)),
            (one, Status(201)),
        ),
        party(
            "list_visit_objections",
            |_| Ask::get(format!("/v1/visits/{REFUNDED}/objections")),
            (two, Status(404)),
            (one, Status(200)),
        ),
        party(
            "list_objections",
            |_| Ask::get("/v1/organisations/hospital/objections"),
            (other, Status(403)),
            (hospital, Status(200)),
        ),
        party(
            "write_answer",
            |given| {
                let id = objection(given);
                let (_, body) = new_answer(&given.world, REFUNDED, "dismissed");
                Ask::post(format!("/v1/objections/{id}/answers"), &body)
            },
            (other, Status(404)),
            (hospital, Status(204)),
        ),
        party(
            "get_visit_bill",
            |_| Ask::get(format!("/v1/visits/{REFUNDED}/bill")),
            (other, Status(404)),
            (one, Status(200)),
        ),
        party(
            "create_refund",
            |given| {
                let (_, body) = new_refund(&given.world, REFUNDED);
                Ask::post(format!("/v1/visits/{REFUNDED}/refunds"), &body)
            },
            (other, Status(404)),
            (hospital, Status(201)),
        ),
        // After the refund above, in their order.
        party(
            "create_correction",
            |given| {
                let body = new_correction(&given.world, REFUNDED);
                Ask::post(format!("/v1/visits/{REFUNDED}/corrections"), &body)
            },
            (other, Status(404)),
            (hospital, Status(201)),
        ),
    ]
}
