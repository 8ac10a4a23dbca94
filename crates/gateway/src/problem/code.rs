//! The gateway's own problems. Names are never reused; their words are in `locales/`.

/// A kind of problem: its stable name and its HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProblemCode {
    /// The stable name.
    pub name: &'static str,
    /// The HTTP status.
    pub status: u16,
}

macro_rules! problems {
    ($($(#[$doc:meta])* $constant:ident = $status:literal, $name:literal;)*) => {
        $(
            $(#[$doc])*
            pub const $constant: ProblemCode = ProblemCode { name: $name, status: $status };
        )*
        /// Every problem of the gateway.
        pub const ALL: &[ProblemCode] = &[$($constant),*];
    };
}

problems! {
    /// The address names nothing here.
    NOT_FOUND = 404, "not_found";
    /// The address exists, but not with this method.
    METHOD_NOT_ALLOWED = 405, "method_not_allowed";
    /// The address is longer than allowed.
    ADDRESS_TOO_LONG = 414, "address_too_long";
    /// More or longer headers than allowed.
    HEADERS_TOO_LARGE = 431, "headers_too_large";
    /// The body is longer than allowed.
    BODY_TOO_LARGE = 413, "body_too_large";
    /// The body did not come in time.
    BODY_TOO_SLOW = 408, "body_too_slow";
    /// The body broke off.
    BODY_INCOMPLETE = 400, "body_incomplete";
    /// The body is not of the media type needed.
    MEDIA_TYPE = 415, "unsupported_media_type";
    /// The body is not JSON.
    JSON_MALFORMED = 400, "malformed_json";
    /// The JSON is nested deeper than allowed.
    JSON_TOO_DEEP = 400, "json_too_deep";
    /// A field of the body, address or query is wrong.
    FIELD_INVALID = 422, "invalid_field";
    /// A header is wrong.
    HEADER_INVALID = 400, "invalid_header";
    /// The node has more to do than it can do now.
    OVERLOADED = 503, "overloaded";
    /// The node is not taking transactions.
    UNAVAILABLE = 503, "unavailable";
    /// The answer did not come in time; what was asked for may still happen.
    STILL_WORKING = 504, "still_working";
    /// The edge that holds a hospital's key did not sign in time.
    EDGE_SILENT = 503, "edge_silent";
    /// The edge that holds a hospital's key does not sign this.
    EDGE_REFUSES = 422, "edge_refuses";
    /// The node failed.
    INTERNAL = 500, "internal_error";
    /// Too many requests from one party or place.
    TOO_MANY_REQUESTS = 429, "too_many_requests";
    /// No session.
    SESSION_MISSING = 401, "session_missing";
    /// The session ended: expired, signed out, or its key was revoked.
    SESSION_ENDED = 401, "session_ended";
    /// The challenge is unknown, used or too old.
    CHALLENGE_ENDED = 401, "challenge_ended";
    /// Key, signature or party do not allow signing in.
    SIGN_IN_REFUSED = 401, "sign_in_refused";
    /// This concerns another party.
    NOT_YOURS = 403, "not_yours";
    /// The key that signed in lacks the scope for this.
    SCOPE_MISSING = 403, "scope_not_held";
    /// The payment does not wait for a clerk.
    NOT_WAITING_FOR_CLERK = 409, "not_waiting_for_clerk";
    /// The till does not do this now.
    TILL_REFUSED = 409, "till_refused";
    /// The `Idempotency-Key` header is missing.
    IDEMPOTENCY_KEY_MISSING = 400, "idempotency_key_missing";
    /// The `Idempotency-Key` header is not the transaction's own key.
    IDEMPOTENCY_KEY_DIFFERS = 400, "idempotency_key_differs";
    /// A transaction with this key is in progress.
    IN_PROGRESS = 409, "in_progress";
    /// The bytes are not a transaction.
    TRANSACTION_MALFORMED = 400, "malformed_transaction";
    /// The body of the transaction does not fit its kind.
    TRANSACTION_BODY_INVALID = 422, "invalid_transaction_body";
    /// There is no kind of this name.
    KIND_UNKNOWN = 422, "no_such_kind";
    /// A signature of the transaction is not valid.
    SIGNATURE_INVALID = 422, "invalid_signature";
    /// The receipt is not in a signed checkpoint yet.
    VOUCHER_NOT_READY = 409, "voucher_not_ready";
    /// The receipt has no field of this name.
    VOUCHER_FIELD_UNKNOWN = 422, "no_such_receipt_field";
    /// Another body is kept under this name.
    BILL_EXISTS = 409, "bill_exists";
    /// The visit has as many sealed bills as it may have.
    BILLS_TOO_MANY = 409, "too_many_bills";
    /// The visit is settled, so its bills stay as they are.
    VISIT_CLOSED = 409, "bills_closed";
    /// The bytes are not an envelope.
    ENVELOPE_INVALID = 422, "invalid_envelope";
    /// The bytes are no grant that this envelope takes at this time.
    GRANT_INVALID = 422, "invalid_grant";
    /// The bill cannot be adjudicated as it is.
    BILL_INVALID = 422, "invalid_bill";
    /// One of several fields is needed, and only one.
    ONE_OF_NEEDED = 422, "one_of_needed";
    /// More later settlements than one transaction takes.
    LATER_TOO_MANY = 409, "too_many_later_settlements";
    /// This gateway serves no wallet.
    NO_WALLET = 404, "no_wallet_here";
    /// Name and number do not belong together in the register.
    IDENTITY_UNCONFIRMED = 403, "identity_unconfirmed";
    /// Name and number are another person's than the transaction's.
    OTHER_PERSON = 409, "other_person";
    /// The activation code does not fit, is over, or was wrong too often.
    ACTIVATION_WRONG = 403, "activation_wrong";
    /// A guardian's code does not fit, is over, or was wrong too often.
    RECOVERY_CODE_WRONG = 403, "recovery_code_wrong";
    /// The code for another device does not fit, is over, or was used.
    DEVICE_CODE_WRONG = 403, "device_code_wrong";
    /// The person has a key already.
    HAS_WALLET = 409, "has_wallet";
    /// The ticket of the identity check is too old or not ours.
    TICKET_ENDED = 409, "ticket_ended";
    /// The PIN of the device is wrong.
    DEVICE_PIN_WRONG = 403, "device_pin_wrong";
    /// The PIN of the device was wrong too often; its key is lost.
    DEVICE_PIN_GONE = 403, "device_pin_gone";
    /// The rotating code is wrong, over or used.
    CODE_WRONG = 422, "code_wrong";
    /// The patient has no bound card.
    NO_BOUND_CARD = 409, "no_bound_card";
    /// The register knows the person, who is not enrolled on the ledger.
    NOT_ENROLLED = 404, "not_enrolled";
    /// Somebody else's premium cannot be paid now; why is for that person.
    PREMIUM_NOT_PAYABLE = 409, "premium_not_payable";
    /// The settlement is none that is sent to a phone.
    REQUEST_INVALID = 422, "invalid_request";
    /// Bill, sums and commitment do not belong together.
    BILL_DIFFERS = 422, "bill_differs";
    /// The request was answered, taken back, or is over.
    REQUEST_OVER = 409, "request_over";
    /// The words of an objection or answer do not belong to the transaction.
    STATEMENT_DIFFERS = 422, "statement_differs";
    /// The transaction is none that belongs here.
    CHANGE_INVALID = 422, "invalid_change";
    /// The objection was answered.
    OBJECTION_CLOSED = 409, "objection_closed";
    /// Too many inquiries of the person wait for an answer.
    INQUIRIES_TOO_MANY = 409, "too_many_inquiries";
    /// Too many requests of the person wait for relatives.
    FAMILY_REQUESTS_TOO_MANY = 409, "too_many_family_requests";
    /// No child insured here has this name and number.
    CHILD_NOT_FOUND = 404, "child_not_found";
    /// The picture does not show the member.
    FACE_DIFFERS = 403, "face_differs";
    /// The authority has no face of the member to compare with.
    NO_FACE = 409, "no_face";
    /// The inquiry was answered.
    INQUIRY_ANSWERED = 409, "inquiry_answered";
    /// The text is no plan file, or one whose examples do not come out.
    PLAN_FILE_INVALID = 422, "invalid_plan_file";
    /// The file is not the one that the version was compiled from.
    PLAN_FILE_DIFFERS = 422, "plan_file_differs";
    /// The file of the version is not kept at this node.
    PLAN_FILE_MISSING = 404, "plan_file_missing";
    /// Another simulation goes on.
    SIMULATION_RUNNING = 409, "simulation_running";
    /// No bank here knows the card.
    CARD_UNKNOWN = 422, "card_unknown";
    /// The card's holder has another name.
    CARD_OF_SOMEBODY_ELSE = 422, "card_of_somebody_else";
    /// The card is blocked.
    CARD_BLOCKED = 422, "bank_card_blocked";
    /// The card has expired.
    CARD_EXPIRED = 422, "card_expired";
    /// There is nothing on the card's account.
    CARD_EMPTY = 422, "card_empty";
    /// The bank refused the card for another reason.
    CARD_DECLINED = 422, "card_declined";
    /// The bank did not answer.
    BANK_SILENT = 503, "bank_silent";
    /// The audit is not granted, or over.
    AUDIT_NOT_OPEN = 409, "audit_not_open";
    /// The evidence is larger than one file may be.
    AUDIT_PACK_TOO_LARGE = 409, "audit_pack_too_large";
    /// The person did not ask for notices.
    NOTICES_OFF = 409, "notices_off";
    /// The browser's push service is none that this node sends to.
    PUSH_SERVICE_UNKNOWN = 422, "push_service_unknown";
    /// No text message reaches this number.
    PHONE_UNREACHED = 422, "phone_unreached";
    /// The code that was sent to a phone is wrong, over or used.
    PHONE_CODE_WRONG = 422, "phone_code_wrong";
    /// Too many codes were sent for one person today.
    PHONE_CODES_TOO_MANY = 429, "too_many_phone_codes";
    /// A report of a delivery does not carry its provider's signature.
    REPORT_UNSIGNED = 403, "report_unsigned";
    /// The catalogue is not kept at this node.
    CATALOGUE_MISSING = 404, "catalogue_missing";
}
