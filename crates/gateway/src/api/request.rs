//! Requests: a desk sends a settlement to its patient's phone, where it is confirmed or refused.
//!
//! What is asked is complete: the transaction's whole content, so that the wallet computes its id
//! from what it shows. Bureau and bank sign when the person's signature has come, and no sooner:
//! what
//! was taken back or is over can then not be settled by anybody. Whether it was confirmed is read
//! off the ledger.
//!
//! Invariant: a request is kept only when the bureau has sorted the bill again with the same sums
//! and the ledger, tried with these signatures, lacks nothing but the person's (test
//! `a_request_lacks_nothing_but_the_persons_signature`).

use adapters::directory::{Request, RequestAnswer};
use adapters::notice::About;
use axum::http::{Method, StatusCode};
use benefit::{Bill, CategorySums};
use borsh::{BorshDeserialize, BorshSerialize};
use ledger::kernel::registry::Kind as _;
use ledger::modules::family;
use ledger::modules::organisation::Scope;
use ledger::modules::visit::{CashLeg, Consent, SettleVisit, VisitRow, VisitSubject};
use ledger::{Authorisation, Content, Transaction};
use primitives::{Detail, Hash, Party, PersonId, Timestamp, VisitId, codec, detail};
use proof::receipt::OutcomeCode;
use vault::{BillContent, Envelope, EnvelopeContext};

use super::code::{may_act, require_provider};
use super::family::relative;
use super::machine::signed_too;
use super::quote::sorted_bill;
use super::receipt::not_found;
use super::refund::keep_bill;
use super::transaction::{SubmittedView, read_content, refused, submit_signed};
use crate::access::{PERSON_RULE, SeenVisit};
use crate::call::Call;
use crate::endpoint::{
    Access, AnswerKind, BodyKind, Endpoint, JSON_BYTES_MAX, Parameter, Reply, schema_of,
};
use crate::notices::note;
use crate::port::{SubmitError, VaultError};
use crate::problem::{Problem, code, foreign};
use crate::session::Session;
use crate::wallet::{Machine, Wallet};

mod form;

pub use form::{
    CashLegRequest, Confirmation, ContentHead, NewRequest, Refusal, RequestList, RequestStanding,
    RequestView, WhyRefused,
};

/// The most bytes of a request: a bill of some 5,000 lines beside its sums.
const REQUEST_BYTES_MAX: usize = 3 << 20;
/// For how long somebody may be asked, in milliseconds: half an hour. Our own limit.
pub(super) const REQUEST_MILLIS_MAX: u64 = 30 * 60_000;

const REQUEST: Parameter =
    Parameter::path("request", "the id of the transaction that is asked for", schema_of::<Hash>);
const VISIT: Parameter = Parameter::path("visit", "the visit's id", schema_of::<VisitId>);
const PROVIDER_RULE: &str = "the visit's provider, by a key with the scope `settle`";

/// The endpoints of requests.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "/v1/visits/{visit}/cash-legs",
        operation: "create_cash_leg",
        summary: "Notes that the cash part of a visit is to be taken from the patient's bound card, and \
                  gives the leg that the settlement carries; the same attempt again gives the same leg",
        access: Access::Party { rule: PROVIDER_RULE, handle: cash_leg },
        parameters: &[VISIT],
        body: BodyKind::Json(schema_of::<CashLegRequest>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<CashLeg>),
        problems: &[
            code::NO_WALLET,
            code::NOT_FOUND,
            code::NOT_YOURS,
            code::SCOPE_MISSING,
            code::NO_BOUND_CARD,
        ],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/visits/{visit}/requests",
        operation: "create_request",
        summary: "Sends a settlement to the patient's phone: sorts its bill again, seals it, and \
                  keeps it until it is answered or over; an earlier request of the same visit is \
                  withdrawn",
        access: Access::Party { rule: PROVIDER_RULE, handle: create },
        parameters: &[VISIT],
        body: BodyKind::Signed(schema_of::<NewRequest>, REQUEST_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<RequestView>),
        problems: &[
            code::NO_WALLET,
            code::NOT_FOUND,
            code::NOT_YOURS,
            code::SCOPE_MISSING,
            code::REQUEST_INVALID,
            code::BILL_DIFFERS,
            code::BILL_INVALID,
            code::CATALOGUE_MISSING,
            code::BILLS_TOO_MANY,
        ],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/persons/{person}/requests",
        operation: "list_requests",
        summary: "Lists the requests that wait for a person, the newest first, at most 20",
        access: Access::Party { rule: PERSON_RULE, handle: list },
        parameters: &[Parameter::path("person", "the person's id", schema_of::<PersonId>)],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<RequestList>),
        problems: &[code::NO_WALLET, code::NOT_YOURS],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/requests/{request}",
        operation: "get_request",
        summary: "Gives a request and where it stands",
        access: Access::Party {
            rule: "the request's person and provider, and the relative who is asked",
            handle: get,
        },
        parameters: &[REQUEST],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<RequestView>),
        problems: &[code::NO_WALLET, code::NOT_FOUND],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/requests/{request}/confirmations",
        operation: "confirm_request",
        summary: "Confirms a request with the person's signature; bureau and bank add theirs, and the answer \
                  comes once it is durable. The same again gives the same receipt with status 200",
        access: Access::Party { rule: "whoever is asked", handle: confirm },
        parameters: &[REQUEST],
        body: BodyKind::Json(schema_of::<Confirmation>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<SubmittedView>),
        problems: &[
            code::NO_WALLET,
            code::NOT_FOUND,
            code::REQUEST_OVER,
            code::IN_PROGRESS,
            code::SIGNATURE_INVALID,
            code::UNAVAILABLE,
        ],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/requests/{request}/refusals",
        operation: "refuse_request",
        summary: "Refuses a request; the desk sees why at once",
        access: Access::Party { rule: "whoever is asked", handle: refuse },
        parameters: &[REQUEST],
        body: BodyKind::Json(schema_of::<Refusal>, JSON_BYTES_MAX),
        answer: AnswerKind::Nothing,
        problems: &[code::NO_WALLET, code::NOT_FOUND, code::REQUEST_OVER],
    },
    Endpoint {
        method: Method::DELETE,
        path: "/v1/requests/{request}",
        operation: "withdraw_request",
        summary: "Takes a request back",
        access: Access::Party { rule: "the request's provider", handle: withdraw },
        parameters: &[REQUEST],
        body: BodyKind::None,
        answer: AnswerKind::Nothing,
        problems: &[code::NO_WALLET, code::NOT_FOUND, code::REQUEST_OVER],
    },
];

/// The bill of a request as the directory keeps it.
#[derive(BorshSerialize, BorshDeserialize)]
struct KeptBill {
    salt: Hash,
    text: String,
}

/// An open visit of the signed-in provider.
///
/// # Errors
/// `not_found`, `not_yours`, `scope_not_held`.
pub(super) fn own_open_visit(call: &Call, session: &Session) -> Result<SeenVisit, Problem> {
    require_provider(call, session, Scope::Settle)?;
    let seen = call.visit(session, call.path("visit")?)?;
    if session.party != Party::Organisation(seen.subject.provider) {
        return Err(Problem::new(&code::NOT_YOURS));
    }
    match seen.row {
        VisitRow::Open(_) => Ok(seen),
        VisitRow::Settled(_) | VisitRow::Cancelled => Err(not_found()),
    }
}

fn cash_leg(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let seen = own_open_visit(call, session)?;
    let wallet = call.wallet()?;
    let CashLegRequest { attempt, payer } = call.json()?;
    let person = seen.subject.person;
    // Whoever may not act for the patient pays nothing for the patient.
    if payer.is_some_and(|payer| !may_act(call, payer, person)) {
        return Err(Problem::rejected(&family::rejection::NOT_BOUND.reject()));
    }
    let visit: VisitId = call.path("visit")?;
    let payer_bytes = payer.map_or_else(Vec::new, |payer| payer.0.to_vec());
    let what = [visit.0.as_slice(), &attempt.to_le_bytes(), &payer_bytes].concat();
    let (_, leg) = wallet.card_leg(payer.unwrap_or(person), &what)?;
    Ok(Reply::json(&leg)?.status(StatusCode::CREATED))
}

pub(super) fn invalid(why: Detail) -> Problem {
    Problem::new(&code::REQUEST_INVALID).with(why)
}

fn create(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let seen = own_open_visit(call, session)?;
    let wallet = call.wallet()?;
    let request: NewRequest = call.json()?;
    let content = read_content(call, request.content.clone())?;
    let body = settlement(call, &wallet, &seen.subject, &content)?;
    if !matches!(body.consent, Consent::OwnKey | Consent::Proxy { .. }) {
        return Err(invalid(detail!("its consent must be the person's own key, or a relative's")));
    }
    let latest = call.instant().plus_millis(REQUEST_MILLIS_MAX);
    if content.valid_until > latest {
        return Err(invalid(detail!("it must end within half an hour")));
    }
    let sent = SentBill { text: &request.bill, salt: &request.salt };
    let sealed = opened_bill(call, &seen.subject, (&body.bill, &body.sums), &sent)?;
    let asked = Transaction { content, authorisations: request.authorisations };
    let request = ask_person(call, &seen, &body, (&sealed, request.bill), asked)?;
    Ok(Reply::json(&view(call, request)?)?.status(StatusCode::CREATED))
}

/// Sends a settlement, which lacks the person's signature only, with its bill and the text of that
/// to the phone; an earlier request of the visit is withdrawn.
///
/// # Errors
/// Why it would not be settled; `too_many_bills`.
pub(crate) fn ask_person(
    call: &Call,
    seen: &SeenVisit,
    body: &SettleVisit,
    (sealed, text): (&BillContent, String),
    Transaction { content, authorisations }: Transaction,
) -> Result<Request, Problem> {
    let wallet = call.wallet()?;
    let signed = codec::encode(&authorisations);
    let transaction = co_signed(&wallet, content.clone(), body, authorisations)?;
    require_only_the_person_missing(call, transaction)?;
    keep_sealed(call, &wallet, seen, body.visit, sealed)?;
    let kept = KeptBill { salt: Hash(sealed.salt), text };
    let request = Request {
        id: content.id(),
        visit: body.visit,
        person: seen.subject.person,
        asked: asked_by(body, seen.subject.person),
        provider: seen.subject.provider,
        expires: content.valid_until,
        content: codec::encode(&content),
        signed,
        bill: codec::encode(&kept),
        sent: call.now,
        answer: None,
    };
    wallet.directory.put_request(&request)?;
    note((&wallet, &call.view), request.asked, About::Request, &request.id);
    Ok(request)
}

/// Whose signature a settlement waits for.
const fn asked_by(body: &SettleVisit, person: PersonId) -> PersonId {
    match body.consent {
        Consent::Proxy { payer } => payer,
        _ => person,
    }
}

/// The settlement of a content that a desk brings for the visit in the path.
///
/// # Errors
/// `invalid_request`, `malformed_transaction`.
pub(super) fn settlement(
    call: &Call,
    wallet: &Wallet,
    subject: &VisitSubject,
    content: &Content,
) -> Result<SettleVisit, Problem> {
    if content.kind != SettleVisit::NUMBER {
        return Err(invalid(detail!("only `settle_visit` is sent to a phone")));
    }
    let body: SettleVisit =
        codec::decode(&content.body).map_err(|_| Problem::new(&code::TRANSACTION_MALFORMED))?;
    if content.chain_id != call.gateway.port.chain().chain_id() {
        return Err(invalid(detail!("it is meant for another ledger")));
    }
    if content.author != Party::Organisation(subject.provider) {
        return Err(invalid(detail!("the provider must be its author")));
    }
    if body.visit != call.path::<VisitId>("visit")? {
        return Err(invalid(detail!("it settles another visit")));
    }
    let is_served = subject.region == wallet.region;
    if !is_served {
        return Err(invalid(detail!(
            "the patient is insured elsewhere; use that bureau's gateway"
        )));
    }
    Ok(body)
}

/// An itemised bill as a desk sends it.
pub(super) struct SentBill<'a> {
    /// JSON text, byte for byte as the commitment has it.
    pub text: &'a str,
    /// The salt of the commitment.
    pub salt: &'a Hash,
}

/// The bill behind a commitment, once the bureau has sorted it again and come to the same sums.
///
/// # Errors
/// `bill_differs`, `invalid_bill`, `catalogue_missing`.
pub(super) fn opened_bill(
    call: &Call,
    subject: &VisitSubject,
    (commitment, expected): (&Hash, &CategorySums),
    sent: &SentBill<'_>,
) -> Result<BillContent, Problem> {
    let content = BillContent {
        salt: sent.salt.0,
        bill: sent.text.as_bytes().to_vec(),
        sums: codec::encode(expected),
    };
    if content.commitment() != *commitment {
        return Err(Problem::new(&code::BILL_DIFFERS).at("content.body.bill"));
    }
    let bill: Bill = serde_json::from_str(sent.text).map_err(|error| {
        Problem::new(&code::BILL_INVALID).at("bill").with(foreign::json(&error))
    })?;
    let (sums, _) = sorted_bill(call, subject, bill)?;
    if sums != *expected {
        return Err(Problem::new(&code::BILL_DIFFERS).at("content.body.sums"));
    }
    Ok(content)
}

/// The transaction with what bureau and bank sign: the bureau has sorted the bill itself, and the
/// bank takes only what it has noted for this visit.
///
/// # Errors
/// When a machine does not sign.
pub(super) fn co_signed(
    wallet: &Wallet,
    content: Content,
    body: &SettleVisit,
    authorisations: Vec<Authorisation>,
) -> Result<Transaction, Problem> {
    let executor = body.cash.as_ref().and_then(|leg| wallet.executors.get(&leg.executor));
    let mut machines: Vec<&dyn Machine> = vec![&*wallet.bureau];
    machines.extend(executor.map(|executor| &**executor as &dyn Machine));
    signed_too(content, authorisations, &machines)
}

/// The ledger is asked: with these signatures it must lack the person's, and nothing else.
fn require_only_the_person_missing(call: &Call, transaction: Transaction) -> Result<(), Problem> {
    match call.gateway.port.chain().rehearse(transaction) {
        Err(SubmitError::Rejected(rejection))
            if rejection.code == ledger::modules::person::rejection::SIGNATURE_MISSING =>
        {
            Ok(())
        }
        Err(error) => Err(refused(&error)),
        Ok(_) => Err(invalid(detail!("it lacks no signature"))),
    }
}

/// Keeps the bill sealed for provider and bureau before anything of it is settled.
///
/// # Errors
/// `invalid_bill`, `too_many_bills`.
pub(crate) fn keep_sealed(
    call: &Call,
    wallet: &Wallet,
    seen: &SeenVisit,
    visit: VisitId,
    content: &BillContent,
) -> Result<(), Problem> {
    let organisations = [seen.subject.provider, wallet.bureau.organisation()];
    let readers = organisations.iter().filter_map(|one| wallet.readers.get(one));
    let readers: Vec<_> = readers.copied().collect();
    let context = EnvelopeContext { visit, commitment: content.commitment() };
    let mut seed = [0_u8; 32];
    getrandom::fill(&mut seed).map_err(|_| Problem::new(&code::INTERNAL))?;
    let too_large = |error| Problem::new(&code::BILL_INVALID).at("bill").with(error);
    let bytes = content.encode().map_err(too_large)?;
    let envelope = Envelope::seal(&bytes, &context, &readers, &mut vault::randomness(seed))
        .map_err(|error| {
            tracing::error!(%error, "a bill cannot be sealed");
            Problem::new(&code::INTERNAL)
        })?;
    match call.gateway.port.put_bill(visit, context.commitment, &envelope.encode()) {
        // The same bill was sent before, under another seal.
        Ok(()) | Err(VaultError::Taken) => Ok(()),
        Err(VaultError::TooMany) => Err(Problem::new(&code::BILLS_TOO_MANY)),
        Err(VaultError::Failed(error)) => Err(error.into()),
    }
}

/// A request as its desk and whoever is asked see it.
///
/// # Errors
/// When the directory or the ledger's history fails.
pub(super) fn view(call: &Call, request: Request) -> Result<RequestView, Problem> {
    let broken = |_| Problem::new(&code::INTERNAL);
    let content: Content = codec::decode(&request.content).map_err(broken)?;
    let body: SettleVisit = codec::decode(&content.body).map_err(broken)?;
    let KeptBill { salt, text } = codec::decode(&request.bill).map_err(broken)?;
    Ok(RequestView {
        request: request.id,
        visit: request.visit,
        patient: relative(call, request.person)?,
        provider: request.provider,
        sent: request.sent,
        expires: request.expires,
        head: ContentHead::of(&content),
        body,
        bill: text,
        salt,
        standing: standing(call, &request.id, request.answer, request.expires)?,
    })
}

/// Where a request stands.
///
/// # Errors
/// When the ledger's history fails.
pub(crate) fn standing_of(call: &Call, request: &Request) -> Result<RequestStanding, Problem> {
    standing(call, &request.id, request.answer, request.expires)
}

/// What the ledger says comes first: somebody may refuse on one phone and confirm on another.
fn standing(
    call: &Call,
    id: &Hash,
    answer: Option<RequestAnswer>,
    expires: Timestamp,
) -> Result<RequestStanding, Problem> {
    let receipt = call.gateway.port.chain().receipt_of_transaction(*id)?;
    let settled = receipt.filter(|one| one.receipt.record.outcome == OutcomeCode::Accepted);
    Ok(match (settled, answer) {
        (Some(receipt), _) => RequestStanding::Settled { receipt: receipt.index },
        (None, Some(RequestAnswer::Refused { reason })) => {
            RequestStanding::Refused { reason: reason.into() }
        }
        (None, Some(RequestAnswer::Withdrawn)) => RequestStanding::Withdrawn,
        (None, None) if call.instant() > expires => RequestStanding::Over,
        (None, None) => RequestStanding::Waiting,
    })
}

fn list(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let id: PersonId = call.path("person")?;
    call.person(session, id)?;
    let open = call.wallet()?.directory.open_requests(id, call.now)?;
    let views = open.into_iter().map(|request| view(call, request));
    let mut requests = views.collect::<Result<Vec<_>, _>>()?;
    requests.retain(|request| request.standing == RequestStanding::Waiting);
    Reply::json(&RequestList { requests })
}

/// The request in the path, if it is between the session's party and somebody.
fn own_request(call: &Call, session: &Session) -> Result<Request, Problem> {
    let id: Hash = call.path("request")?;
    let found = call.wallet()?.directory.request(&id)?.ok_or_else(not_found)?;
    let is_own = match session.party {
        Party::Person(person) => [found.person, found.asked].contains(&person),
        Party::Organisation(provider) => found.provider == provider,
    };
    if is_own { Ok(found) } else { Err(not_found()) }
}

fn get(call: &Call, session: &Session) -> Result<Reply, Problem> {
    Reply::json(&view(call, own_request(call, session)?)?)
}

/// Notes an answer of one side, while the request waits.
fn answer(call: &Call, request: &Request, answer: RequestAnswer) -> Result<Reply, Problem> {
    let over = || Problem::new(&code::REQUEST_OVER);
    let standing = standing(call, &request.id, request.answer, request.expires)?;
    if standing != RequestStanding::Waiting {
        return Err(over());
    }
    let is_noted = call.wallet()?.directory.answer_request(&request.id, answer)?;
    if is_noted { Ok(Reply::nothing()) } else { Err(over()) }
}

/// A request that waits for the signed-in person's signature.
fn asked_of(call: &Call, session: &Session) -> Result<Request, Problem> {
    let request = own_request(call, session)?;
    if session.party == Party::Person(request.asked) { Ok(request) } else { Err(not_found()) }
}

fn confirm(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let request = asked_of(call, session)?;
    let Confirmation { authorisation } = call.json()?;
    if authorisation.party != session.party {
        let words = detail!("it must be the signed-in person's");
        return Err(Problem::new(&code::FIELD_INVALID).at("authorisation.party").with(words));
    }
    match standing(call, &request.id, request.answer, request.expires)? {
        // What is settled gives its receipt again.
        RequestStanding::Waiting | RequestStanding::Settled { .. } => {}
        RequestStanding::Refused { .. } | RequestStanding::Withdrawn | RequestStanding::Over => {
            return Err(Problem::new(&code::REQUEST_OVER));
        }
    }
    let transaction = signed_by_persons(call, &request, vec![authorisation])?;
    submit_signed(call, session.party, transaction)
}

/// The settlement with what persons signed, its bill kept, and bureau and bank beside them.
fn signed_by_persons(
    call: &Call,
    request: &Request,
    persons: Vec<Authorisation>,
) -> Result<Transaction, Problem> {
    let broken = |_| Problem::new(&code::INTERNAL);
    let content: Content = codec::decode(&request.content).map_err(broken)?;
    let body: SettleVisit = codec::decode(&content.body).map_err(broken)?;
    let mut signed: Vec<Authorisation> = codec::decode(&request.signed).map_err(broken)?;
    signed.extend(persons);
    let wallet = call.wallet()?;
    let KeptBill { salt, text } = codec::decode(&request.bill).map_err(broken)?;
    keep_bill(&wallet, &body.bill, (salt, &text, ""), call.now)?;
    co_signed(&wallet, content, &body, signed)
}

/// Whether a settlement is asked of this person and waits.
///
/// # Errors
/// When the directory or the ledger's history fails.
pub(super) fn kept_for(call: &Call, id: &Hash, asked: PersonId) -> Result<bool, Problem> {
    let Some(request) = call.wallet()?.directory.request(id)? else { return Ok(false) };
    let standing = standing_of(call, &request)?;
    Ok(request.asked == asked && standing == RequestStanding::Waiting)
}

/// The settlement that a second person agrees to after the one who was asked, while it waits.
///
/// # Errors
/// `not_found`, `request_over`, and when a machine does not sign.
pub(super) fn confirmed(
    call: &Call,
    id: &Hash,
    persons: Vec<Authorisation>,
) -> Result<Transaction, Problem> {
    let request = call.wallet()?.directory.request(id)?.ok_or_else(not_found)?;
    if standing_of(call, &request)? != RequestStanding::Waiting {
        return Err(Problem::new(&code::REQUEST_OVER));
    }
    signed_by_persons(call, &request, persons)
}

fn refuse(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let request = asked_of(call, session)?;
    let Refusal { reason } = call.json()?;
    answer(call, &request, RequestAnswer::Refused { reason: reason.into() })
}

fn withdraw(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let request = own_request(call, session)?;
    if session.party != Party::Organisation(request.provider) {
        return Err(not_found());
    }
    answer(call, &request, RequestAnswer::Withdrawn)
}
