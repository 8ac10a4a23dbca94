//! Notices: each person's own, apart from what browsers and providers report.

use primitives::sha256;
use serde_json::json;

use super::{Own, Status, Trial, one, party, public, two};
use crate::notice::{browser, own_path};
use crate::support::Ask;

/// A path of person 1.
fn own(rest: &str) -> String {
    own_path(1, rest)
}

pub(super) fn notice_trials() -> Vec<Trial> {
    vec![
        party(
            "choose_notices",
            |_| {
                let body = json!({ "wechat": false, "sms": true });
                Ask { method: "PUT", ..Ask::post(own("/notices"), &body) }
            },
            (two, Status(403)),
            (one, Own(|board| board["choice"] == json!({ "wechat": false, "sms": true }))),
        ),
        // After the trial above, in their order.
        party(
            "list_notices",
            |_| Ask::get(own("/notices")),
            (two, Status(403)),
            (one, Own(|board| board["choice"]["sms"] == true)),
        ),
        party(
            "see_notices",
            |_| Ask::post(own("/notices/seen"), &json!({ "through": 9 })),
            (two, Status(403)),
            (one, Status(204)),
        ),
        party(
            "add_browser",
            |_| Ask::post(own("/browsers"), &browser(1)),
            (two, Status(403)),
            (one, Status(201)),
        ),
        party(
            "remove_browser",
            |_| Ask::delete(own(&format!("/browsers/{}", sha256(b"none")))),
            (two, Status(403)),
            (one, Status(404)),
        ),
        party(
            "send_phone_code",
            |_| Ask::post(own("/phones"), &json!({ "number": "13900001234" })),
            (two, Status(403)),
            (one, Status(204)),
        ),
        party(
            "confirm_phone",
            |_| Ask::post(own("/phones/confirmations"), &json!({ "code": "no code" })),
            (two, Status(403)),
            (one, Status(422)),
        ),
        party(
            "remove_phone",
            |_| Ask::delete(own("/phones")),
            (two, Status(403)),
            (one, Status(404)),
        ),
        party(
            "end_notices",
            |_| Ask::delete(own("/notices")),
            (two, Status(403)),
            (one, Status(204)),
        ),
        public(
            "report_arrival",
            |_| Ask::post("/v1/notice-arrivals", &json!({ "reference": sha256(b"none") })),
            404,
        ),
        public(
            "report_delivery",
            |_| {
                let ask = Ask::bytes("POST", "/v1/notice-reports/sms", b"{}");
                ask.with("report-signature", "00".repeat(32))
            },
            403,
        ),
    ]
}
