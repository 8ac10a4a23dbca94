//! Persons: their records, wallets, guardians and premiums.

use serde_json::{Value, json};

use super::{Given, Own, Status, Trial, bureau, hospital, one, other, party, public, two};
use crate::binding::{application, applied, child, child_identity};
use crate::card;
use crate::claim::{
    acceptance, claim, correction, nothing_remains, payout, payout_key, review, tags_request,
    waiting,
};
use crate::desk_act;
use crate::face;
use crate::premium::{SEASON, lookup, premium_row, season, wallet_payment};
use crate::premium_desk::{line, list, registration};
use crate::recovery::WARD;
use crate::registry::{self, STRANGERS};
use crate::support::wallets::{FACE, NAME, NEWCOMERS, shown_code};
use crate::support::{Ask, REGION, id_of, person};

/// The premium of person 1.
fn premium() -> String {
    format!("{SEASON}/persons/{}", id_of(one()))
}

pub(super) fn person_trials() -> Vec<Trial> {
    vec![
        public("get_premium_season", |_| Ask::get(SEASON), 200),
        public(
            "list_premium_seasons",
            |_| Ask::get(format!("/v1/regions/{REGION}/premium-seasons")),
            200,
        ),
        party(
            "get_premium_figures",
            |_| Ask::get(format!("{SEASON}/figures")),
            (hospital, Status(403)),
            (bureau, Own(|figures| figures["classes"][0]["class"] == 1)),
        ),
        party(
            "get_premium",
            |_| Ask::get(premium()),
            (hospital, Own(|premium| premium.get("details").is_none())),
            (one, Own(|premium| premium["details"]["class"] == 1)),
        ),
        party(
            "get_person",
            |_| Ask::get(format!("/v1/persons/{}", id_of(one()))),
            (hospital, Status(403)),
            (one, Status(200)),
        ),
        party(
            "list_coverages",
            |_| Ask::get(format!("/v1/persons/{}/coverages", id_of(one()))),
            (two, Status(403)),
            (bureau, Status(200)),
        ),
        party(
            "get_personal_account",
            |_| Ask::get(format!("/v1/persons/{}/account", id_of(one()))),
            (two, Status(403)),
            (one, Status(200)),
        ),
        party(
            "list_organisation_accounts",
            |_| Ask::get("/v1/organisations/hospital/accounts"),
            (bureau, Status(403)),
            (hospital, Status(200)),
        ),
        party(
            "get_fund",
            |_| Ask::get(format!("/v1/regions/{REGION}/funds/1")),
            (hospital, Status(403)),
            (bureau, Status(200)),
        ),
        party(
            "get_state_proof",
            |_| Ask::get(format!("/v1/proofs/personal_account/{}", id_of(one()))),
            (two, Status(403)),
            (one, Status(200)),
        ),
    ]
}

pub(super) fn wallet_trials() -> Vec<Trial> {
    vec![
        party(
            "bind_card",
            |_| Ask::post(card::path(1), &card::new_card(0)),
            (two, Status(403)),
            (one, Status(201)),
        ),
        // After the trial above, in their order.
        party(
            "unbind_card",
            |_| Ask::delete(card::path(1)),
            (two, Status(403)),
            (one, Status(204)),
        ),
        party(
            "get_profile",
            |_| Ask::get(format!("/v1/persons/{}/profile", id_of(one()))),
            (hospital, Status(403)),
            (one, Status(200)),
        ),
        party(
            "create_code",
            |_| Ask::post(format!("/v1/persons/{}/codes", id_of(one())), &json!({})),
            (two, Status(403)),
            (one, Status(201)),
        ),
        party(
            "look_up_code",
            |given| Ask::post("/v1/codes/lookups", &json!({ "code": shown_code(&given.world) })),
            (one, Status(403)),
            (hospital, Status(200)),
        ),
        // Whoever may look, hears which field is no number.
        party(
            "look_up_identity_card",
            |_| Ask::post("/v1/identity-cards/lookups", &json!({ "name": NAME, "number": "1" })),
            (bureau, Status(403)),
            (hospital, Status(422)),
        ),
        party(
            "list_receptions",
            |_| Ask::get("/v1/organisations/hospital/receptions"),
            (other, Status(403)),
            (hospital, Own(|list| list["visits"].is_array())),
        ),
    ]
}

/// What a wallet asks about the own premium of person 1.
fn wallet_premium(what: &str, body: &Value) -> Ask {
    Ask::post(format!("/v1/persons/{}/premium-{what}", id_of(one())), body)
}

fn own_premium() -> Value {
    json!({ "season": season(), "person": id_of(one()) })
}

/// What the bureau's desk asks about premiums.
fn desk_premium(what: &str, body: &Value) -> Ask {
    Ask::post(format!("/v1/organisations/bureau/premium-{what}"), body)
}

pub(super) fn premium_desk_trials() -> Vec<Trial> {
    vec![
        party(
            "find_premium",
            |given| {
                child(&given.world);
                desk_premium("lookups", &lookup())
            },
            (hospital, Status(403)),
            (bureau, Own(|found| found["name"] == NAME)),
        ),
        party(
            "read_premium_list",
            |given| {
                child(&given.world);
                desk_premium("lists", &list(&[line("full")]))
            },
            (hospital, Status(403)),
            (bureau, Own(|read| read["lines"][0]["row"]["class"] == 1)),
        ),
        party(
            "register_premiums",
            |given| {
                let content = registration(&given.world, &[premium_row(&id_of(two()), 1)]);
                desk_premium("registrations", &given.world.submission(&content, &[bureau()]))
            },
            (two, Status(403)),
            (bureau, Status(201)),
        ),
    ]
}

/// In this order: the last ones pay.
pub(super) fn premium_trials() -> Vec<Trial> {
    vec![
        // The stranger is not registered, of which nobody is told.
        party(
            "look_up_premium",
            |_| wallet_premium("lookups", &lookup()),
            (two, Status(403)),
            (one, Status(409)),
        ),
        party(
            "lock_premium",
            |_| wallet_premium("locks", &own_premium()),
            (two, Status(403)),
            (one, Status(201)),
        ),
        party(
            "release_premium",
            |_| wallet_premium("releases", &own_premium()),
            (two, Status(403)),
            (one, Status(204)),
        ),
        party(
            "create_premium_cash_leg",
            |_| wallet_premium("cash-legs", &json!({ "idempotency_key": "0f".repeat(16) })),
            (bureau, Status(403)),
            (one, Status(201)),
        ),
        party(
            "pay_premiums",
            |given| {
                let content = wallet_payment(&given.world, &[id_of(one())]);
                wallet_premium("payments", &given.world.submission(&content, &[one()]))
            },
            (two, Status(403)),
            (one, Status(201)),
        ),
        party(
            "get_premium_payment",
            |given| Ask::get(format!("/v1/premium-payments/{}", premium_payment(given))),
            (two, Status(404)),
            (one, Own(|payment| payment["payer"] == one().to_string())),
        ),
    ]
}

/// The payment that person 1's premium waits for; a new one when there is none.
fn premium_payment(given: &Given) -> String {
    let world = &given.world;
    let token = world.token(one());
    let own = world.ask(&Ask::get(premium()).token(&token)).expect(200).json();
    if let Some(payment) = own["details"]["standing"]["payment"].as_str() {
        return payment.to_owned();
    }
    let content = wallet_payment(world, &[id_of(one())]);
    let pay = wallet_premium("payments", &world.submission(&content, &[one()]));
    let receipt = world.ask(&pay.token(&token)).expect(201).json();
    receipt["receipt"]["effects"][0]["reference"].as_str().unwrap().to_owned()
}

/// What person 1 asks person 2 to agree to.
fn asked(given: &Given) -> ledger::Content {
    let bind = json!({
        "payer": id_of(one()), "member": id_of(two()), "relation": 1, "agreement": "own_key"
    });
    given.world.content(one(), "bind_member", bind)
}

fn family_path(what: &str) -> String {
    format!("/v1/persons/{}/{what}", id_of(one()))
}

/// A request of person 1 that waits for person 2, and its content.
fn family_request(given: &Given) -> (String, ledger::Content) {
    let (world, content) = (&given.world, asked(given));
    let body = world.submission(&content, &[one()]);
    let ask = Ask::post(family_path("family-requests"), &body).token(&world.token(one()));
    let request = world.ask(&ask).expect(201).json();
    (format!("/v1/family-requests/{}", request["request"].as_str().unwrap()), content)
}

pub(super) fn family_trials() -> Vec<Trial> {
    vec![
        public("get_family_rules", |_| Ask::get(format!("/v1/regions/{REGION}/family-rules")), 200),
        party(
            "list_transfers",
            |_| Ask::get(family_path("transfers")),
            (hospital, Status(403)),
            (bureau, Own(|transfers| transfers["sent"] == json!([]))),
        ),
        party(
            "get_family",
            |_| Ask::get(family_path("family")),
            (hospital, Status(403)),
            (bureau, Own(|family| family["members"] == json!([]))),
        ),
        party(
            "look_up_member",
            |given| {
                let path = format!("/v1/persons/{}/family-lookups", id_of(two()));
                Ask::post(path, &json!({ "code": shown_code(&given.world) }))
            },
            (one, Status(403)),
            (two, Own(|found| found["person"] == id_of(one()))),
        ),
        party(
            "ask_member",
            |given| {
                let body = given.world.submission(&asked(given), &[one()]);
                Ask::post(family_path("family-requests"), &body)
            },
            (two, Status(403)),
            (one, Status(201)),
        ),
        party(
            "list_family_requests",
            |_| Ask::get(family_path("family-requests")),
            (two, Status(403)),
            (one, Status(200)),
        ),
        // The one who asks cannot agree for the other.
        party(
            "confirm_family_request",
            |given| {
                let (path, content) = family_request(given);
                let authorisation = given.world.authorise(&content, two(), &two().to_string());
                let body = json!({ "authorisation": authorisation });
                Ask::post(format!("{path}/confirmations"), &body)
            },
            (one, Status(404)),
            (two, Status(201)),
        ),
        party(
            "end_family_request",
            |given| Ask::delete(family_request(given).0),
            (hospital, Status(404)),
            (two, Status(204)),
        ),
    ]
}

/// After those of applications: a child that is bound is not applied for.
pub(super) fn face_trials() -> Vec<Trial> {
    vec![
        party(
            "look_up_face_member",
            |given| {
                child(&given.world);
                Ask::post(family_path("face-lookups"), &child_identity())
            },
            (two, Status(403)),
            (one, Own(|found| found["name"] == NAME)),
        ),
        party(
            "bind_by_face",
            |given| {
                let member = child(&given.world);
                Ask::post(family_path("face-bindings"), &face::binding(&given.world, member, FACE))
            },
            (two, Status(403)),
            (one, Status(201)),
        ),
    ]
}

pub(super) fn binding_trials() -> Vec<Trial> {
    vec![
        party(
            "look_up_child",
            |given| {
                child(&given.world);
                Ask::post(family_path("child-lookups"), &child_identity())
            },
            (two, Status(403)),
            (one, Own(|found| found["name"] == NAME)),
        ),
        party(
            "apply_for_binding",
            |given| {
                let child = child(&given.world);
                Ask::post(family_path("binding-applications"), &application(&given.world, child).1)
            },
            (two, Status(403)),
            (one, Status(201)),
        ),
        party(
            "list_binding_applications",
            |_| Ask::get("/v1/organisations/bureau/binding-applications"),
            (hospital, Status(403)),
            (bureau, Own(|list| list["applications"].is_array())),
        ),
        party(
            "get_binding_application",
            |given| {
                let child = child(&given.world);
                Ask::get(format!("/v1/binding-applications/{}", applied(&given.world, child)))
            },
            (one, Status(404)),
            (bureau, Own(|one| one["child_name"] == NAME)),
        ),
    ]
}

fn desk(given: &Given, what: &str, body: &Value) -> Ask {
    Ask::post(format!("/v1/claims/{}/{what}", waiting(&given.world)), body)
}

pub(super) fn claim_trials() -> Vec<Trial> {
    vec![
        public(
            "list_exchange_rates",
            |_| Ask::get("/v1/organisations/bureau/exchange-rates/JPY/CNY/2026"),
            200,
        ),
        public("get_claim_rules", |_| Ask::get(format!("/v1/regions/{REGION}/claim-rules")), 200),
        party(
            "create_invoice_tags",
            |_| Ask::post(family_path("invoice-tags"), &tags_request(&["00"])),
            (two, Status(403)),
            (one, Own(|found| found["tags"].as_array().is_some_and(|tags| tags.len() == 1))),
        ),
        party(
            "file_claim",
            |given| Ask::post(family_path("claims"), &claim(&given.world, 1, &["00"]).1),
            (two, Status(403)),
            (one, Status(201)),
        ),
        party(
            "list_claims",
            |_| Ask::get(family_path("claims")),
            (two, Status(403)),
            (one, Own(|list| list["claims"][0]["person"]["person"] == id_of(one()))),
        ),
        party(
            "get_claim",
            |given| Ask::get(format!("/v1/claims/{}", waiting(&given.world))),
            (hospital, Status(404)),
            (one, Own(|one| one["documents"].as_array().is_some_and(|all| all.len() == 2))),
        ),
        party(
            "list_open_claims",
            |_| Ask::get("/v1/organisations/bureau/claims"),
            (hospital, Status(403)),
            (bureau, Own(|list| list["claims"].is_array())),
        ),
        party(
            "quote_claim",
            |given| desk(given, "quotes", &review(&["00"])),
            (one, Status(404)),
            (bureau, Own(|quote| quote["paid"].is_string())),
        ),
        party(
            "create_claim_payout_leg",
            |given| desk(given, "payout-legs", &payout_key(&waiting(&given.world))),
            (one, Status(404)),
            (bureau, Status(201)),
        ),
        // Nothing is owed for a claim that waits.
        party(
            "pay_claim",
            |given| desk(given, "payouts", &payout(&given.world, &waiting(&given.world))),
            (one, Status(404)),
            (bureau, Status(422)),
        ),
        party(
            "accept_claim",
            |given| {
                let sent = acceptance(&given.world, &waiting(&given.world), &review(&["00"]));
                desk(given, "acceptances", &sent)
            },
            (one, Status(404)),
            (bureau, Status(201)),
        ),
        // Of a claim that waits nothing was accepted.
        party(
            "quote_claim_correction",
            |given| desk(given, "correction-quotes", &nothing_remains()),
            (one, Status(404)),
            (bureau, Status(422)),
        ),
        party(
            "correct_claim",
            |given| desk(given, "corrections", &correction(&given.world, &waiting(&given.world))),
            (one, Status(404)),
            (bureau, Status(422)),
        ),
    ]
}

/// What the bureau's desk sends about people.
fn at_desk(what: &str, body: &Value) -> Ask {
    Ask::post(format!("/v1/organisations/bureau/{what}"), body)
}

pub(super) fn desk_trials() -> Vec<Trial> {
    vec![
        party(
            "find_person",
            |given| {
                child(&given.world);
                at_desk("person-lookups", &desk_act::identity())
            },
            (hospital, Status(403)),
            (bureau, Own(|found| found["name"] == NAME)),
        ),
        party(
            "create_desk_act",
            |given| {
                let world = &given.world;
                let lock = desk_act::content(world, "lock_person", id_of(person(3)));
                at_desk("desk-acts", &desk_act::act(world, &lock, "phone_lost"))
            },
            (one, Status(403)),
            (bureau, Status(201)),
        ),
        party(
            "list_desk_acts",
            |_| Ask::get(format!("/v1/persons/{}/desk-acts", id_of(one()))),
            (two, Status(403)),
            (one, Status(200)),
        ),
        party(
            "read_registry_list",
            |_| at_desk("registry-lists", &json!({ "lines": [registry::line(STRANGERS[0])] })),
            (hospital, Status(403)),
            (bureau, Own(|read| read["lines"][0]["step"] == "enrol")),
        ),
        party(
            "import_registry",
            |given| {
                at_desk("registry-imports", &registry::enrolled(&given.world, &STRANGERS[1..2]))
            },
            (one, Status(403)),
            (bureau, Status(201)),
        ),
        party(
            "create_activation",
            |_| {
                let [.., (name, number)] = NEWCOMERS;
                at_desk("activations", &json!({ "name": name, "number": number }))
            },
            (hospital, Status(403)),
            (bureau, Status(201)),
        ),
    ]
}

pub(super) fn guardian_trials() -> Vec<Trial> {
    vec![
        party(
            "look_up_guardian",
            |given| {
                let path = format!("/v1/persons/{}/guardian-lookups", id_of(two()));
                Ask::post(path, &json!({ "code": shown_code(&given.world) }))
            },
            (one, Status(403)),
            (two, Status(200)),
        ),
        party(
            "create_recovery_code",
            |_| Ask::post(format!("/v1/persons/{WARD}/recovery-codes"), &json!({})),
            (bureau, Status(403)),
            (one, Status(201)),
        ),
        party(
            "create_device_code",
            |_| Ask::post(format!("/v1/persons/{}/device-codes", id_of(one())), &json!({})),
            (bureau, Status(403)),
            (one, Status(201)),
        ),
        party(
            "get_device_code",
            |_| Ask::get(format!("/v1/persons/{}/device-codes", id_of(one()))),
            (two, Status(403)),
            (one, Own(|code| code.get("asked").is_none())),
        ),
        party(
            "end_device_code",
            |_| Ask::delete(format!("/v1/persons/{}/device-codes", id_of(one()))),
            (bureau, Status(403)),
            (one, Status(204)),
        ),
        party(
            "list_wards",
            |_| Ask::get(format!("/v1/persons/{}/wards", id_of(one()))),
            (two, Status(403)),
            (one, Status(200)),
        ),
    ]
}
