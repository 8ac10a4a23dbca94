//! An organisation's rails, and how a region pays its providers.

use primitives::sha256;
use serde_json::json;

use super::{Given, Own, Status, Trial, bureau, hospital, other, party};
use crate::clearing::path;
use crate::interregion::path as between;
use crate::support::insured::VISIT;
use crate::support::{Ask, REGION};

const RAIL: &str = "/v1/organisations/hospital/rails/counter";

/// An operation on the hospital's rail, which no other organisation may try.
const fn rail(operation: &'static str, ask: fn(&Given) -> Ask, status: u16) -> Trial {
    party(operation, ask, (other, Status(403)), (hospital, Status(status)))
}

pub(super) fn rail_trials() -> Vec<Trial> {
    vec![
        rail("list_rails", |_| Ask::get("/v1/organisations/hospital/rails"), 200),
        rail(
            "record_authorisation",
            |_| {
                let payment = json!({ "note": "later", "from": "card:1" });
                let body = json!({ "payment": payment, "salt": sha256(b"salt") });
                Ask::post(format!("{RAIL}/authorisations"), &body)
            },
            201,
        ),
        rail("list_open_payments", |_| Ask::get(format!("{RAIL}/worklist")), 200),
        rail(
            "hand_out",
            |_| {
                let body = json!({ "effect": sha256(b"refund"), "clerk": "clerk-1" });
                Ask::post(format!("{RAIL}/hand-outs"), &body)
            },
            204,
        ),
        rail("list_reconciliations", |_| Ask::get(format!("{RAIL}/reconciliations")), 200),
        // From here on one after the other, as in a day at the till.
        rail(
            "open_shift",
            |_| Ask::post(format!("{RAIL}/shifts"), &json!({ "clerk": "clerk-1", "float": "0" })),
            201,
        ),
        rail(
            "take_money",
            |_| {
                let body = json!({
                    "visit": VISIT, "clerk": "clerk-1", "due": "700", "tendered": "700",
                    "salt": sha256(b"salt")
                });
                Ask::post(format!("{RAIL}/takings"), &body)
            },
            201,
        ),
        rail("list_takings", |_| Ask::get(format!("{RAIL}/takings/{VISIT}")), 200),
        // Whoever may, hears that the payment does not lie there.
        rail(
            "hand_back_money",
            |_| {
                let body = json!({ "attempt": 9, "clerk": "clerk-1", "reason": "wrong bill" });
                Ask::post(format!("{RAIL}/takings/{VISIT}/returns"), &body)
            },
            404,
        ),
        rail("get_shift", |_| Ask::get(format!("{RAIL}/shifts/clerk-1")), 200),
        rail(
            "close_shift",
            |_| Ask::post(format!("{RAIL}/shifts/clerk-1/close"), &json!({ "counted": "700" })),
            200,
        ),
    ]
}

pub(super) fn clearing_trials() -> Vec<Trial> {
    let payer = |operation, ask: fn(&Given) -> Ask| {
        party(operation, ask, (hospital, Status(403)), (bureau, Status(200)))
    };
    vec![
        payer("get_clearing", |_| Ask::get(path(""))),
        payer("get_payout", |_| Ask::get(path("/batches/1"))),
        payer("get_bank_day", |_| Ask::get(path("/days/2026-01-09"))),
        party(
            "list_statements",
            |_| Ask::get(path("/providers/hospital")),
            (other, Status(403)),
            (hospital, Own(|list| list["books"]["organisation"] == "hospital")),
        ),
    ]
}

pub(super) fn interregion_trials() -> Vec<Trial> {
    let trial = |operation, ask: fn(&Given) -> Ask| {
        party(operation, ask, (hospital, Status(403)), (bureau, Status(200)))
    };
    vec![
        trial("get_interregion", |_| Ask::get(format!("/v1/regions/{REGION}/interregion"))),
        trial("list_region_statements", |_| Ask::get(between(""))),
        trial("get_region_statement", |_| Ask::get(between("/statements/2025/12"))),
    ]
}
