//! The family account: a region's rules, where somebody stands, and what one relative asks another
//! to agree to. The payer signs first and sends; the member's phone shows it, computes what it
//! signs from what it shows, and agrees.

use axum::http::{Method, StatusCode};
use ledger::kernel::registry::Kind;
use ledger::modules::family::{
    self, Agreement, AidGrant, AidMeter, BindMember, BindingRefusal, GrantAid, Month, MonthCount,
};
use ledger::{Authorisation, Content};
use primitives::{CivilDate, Hash, Party, PersonId, RegionId, codec, detail};

use adapters::directory::FamilyRequest;
use adapters::notice::About;

use super::code::{CodeLookup, read_code};
use super::receipt::not_found;
use super::request::{Confirmation, ContentHead};
use super::transaction::{SubmittedView, TransactionRequest, read_content, submit_signed};
use crate::access::PERSON_RULE;
use crate::call::Call;
use crate::endpoint::{
    Access, AnswerKind, BodyKind, Endpoint, JSON_BYTES_MAX, Parameter, Reply, schema_of,
};
use crate::notices::note;
use crate::problem::{Problem, code};
use crate::session::Session;

const PERSON: Parameter = Parameter::path("person", "the person's id", schema_of::<PersonId>);
const REQUEST: Parameter =
    Parameter::path("request", "the id of the transaction that is asked for", schema_of::<Hash>);

mod approval;
mod form;

pub use form::{
    AidView, ApplicationStanding, ApplicationView, BoundView, FaceCheck, FamilyAsked,
    FamilyRequestList, FamilyRequestView, FamilyRules, FamilyView, MonthView, Relative,
};

/// The endpoints of the family account.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "/v1/regions/{region}/family-rules",
        operation: "get_family_rules",
        summary: "Gives a region's rules of the proxy, of mutual aid and of transfers, as far as it has set \
                  them",
        access: Access::Public(rules),
        parameters: &[Parameter::path(
            "region",
            "the region's six-digit administrative code",
            schema_of::<u32>,
        )],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<FamilyRules>),
        problems: &[code::NOT_FOUND],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/persons/{person}/family",
        operation: "get_family",
        summary: "Says whom a person is bound to, whose account helps whom, and what is left of the month",
        access: Access::Party { rule: PERSON_RULE, handle: family_of },
        parameters: &[PERSON],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<FamilyView>),
        problems: &[code::NOT_YOURS],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/persons/{person}/family-lookups",
        operation: "look_up_member",
        summary: "Says whose wallet shows this code, to somebody who wants to act or pay for that \
                  person; a code counts once",
        access: Access::Party { rule: "the person", handle: look_up },
        parameters: &[PERSON],
        body: BodyKind::Json(schema_of::<CodeLookup>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(200, schema_of::<Relative>),
        problems: &[code::NO_WALLET, code::NOT_YOURS, code::CODE_WRONG, code::TOO_MANY_REQUESTS],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/persons/{person}/family-requests",
        operation: "ask_member",
        summary: "Asks a relative to agree on the own phone to a `bind_member` or a `grant_aid`, signed by \
                  the person who will act or pay; or the second person to a payment above the limits \
                  (`settle_visit`, `pay_premiums`, `pay_premiums_from_accounts`, `send_transfer`) or \
                  to `set_payment_limits`, signed by whoever pays",
        access: Access::Party { rule: "the person", handle: ask },
        parameters: &[PERSON],
        body: BodyKind::Signed(schema_of::<TransactionRequest>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<FamilyRequestView>),
        problems: &[
            code::NO_WALLET,
            code::NOT_YOURS,
            code::FAMILY_REQUESTS_TOO_MANY,
            code::REQUEST_OVER,
        ],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/persons/{person}/family-requests",
        operation: "list_family_requests",
        summary: "Lists what a person is asked to agree to and has asked others, the newest first, at most 20",
        access: Access::Party { rule: "the person", handle: list },
        parameters: &[PERSON],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<FamilyRequestList>),
        problems: &[code::NO_WALLET, code::NOT_YOURS],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/family-requests/{request}/confirmations",
        operation: "confirm_family_request",
        summary: "Agrees to what a relative asks, with the member's signature; the answer comes once it is \
                  durable",
        access: Access::Party { rule: "the member who is asked", handle: confirm },
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
        method: Method::DELETE,
        path: "/v1/family-requests/{request}",
        operation: "end_family_request",
        summary: "Takes a request back, or refuses it",
        access: Access::Party { rule: "the one who asks and the one who is asked", handle: end },
        parameters: &[REQUEST],
        body: BodyKind::None,
        answer: AnswerKind::Nothing,
        problems: &[code::NO_WALLET, code::NOT_FOUND],
    },
];

impl ApplicationStanding {
    /// Where the last application of these two stands; nothing where a binding came of it.
    fn of(call: &Call, (payer, member): (PersonId, PersonId), today: CivilDate) -> Option<Self> {
        let state = &call.view.state;
        if family::view::holds(state, (payer, member), today) {
            return None;
        }
        if let Some(refusal) = family::view::refusal(state, payer, member) {
            let BindingRefusal { reason, decided } = refusal;
            return Some(Self::Refused { reason, decided });
        }
        let until = family::view::application(state, payer, member)?.until;
        Some(if today <= until { Self::Waiting { until } } else { Self::Expired })
    }
}

/// Somebody's name, where this node keeps a directory.
pub(super) fn relative(call: &Call, person: PersonId) -> Result<Relative, Problem> {
    Ok(Relative { person, name: call.name_of(person)?.unwrap_or_default() })
}

fn rules(call: &Call) -> Result<Reply, Problem> {
    let (region, state) = (RegionId(call.path("region")?), &call.view.state);
    let proxy = family::view::proxy_rules(state, region).map(|rules| (*rules).clone());
    let aid = family::view::aid_rules(state, region).map(|rules| (*rules).clone());
    let transfer = family::view::transfer_rules(state, region).map(|rules| (*rules).clone());
    Reply::json(&FamilyRules { proxy, aid, transfer })
}

fn family_of(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let id: PersonId = call.path("person")?;
    let (region, state) = (call.person(session, id)?.region, &call.view.state);
    let today = call.today(region).ok_or_else(not_found)?;
    let (row, month) = (family::view::family(state, id), Month::of(today));
    let rules = family::view::proxy_rules(state, region);
    let bound = |payer, member, other| -> Result<Option<BoundView>, Problem> {
        let Some(one) = family::view::binding(state, payer, member) else { return Ok(None) };
        Ok(Some(BoundView {
            relative: relative(call, other)?,
            relation: one.relation,
            ground: one.ground,
            since: one.since,
            until: one.until,
            holds: family::view::holds(state, (payer, member), today),
        }))
    };
    let members = row.members.iter().map(|one| bound(id, *one, *one));
    let payers = row.payers.iter().map(|one| bound(*one, id, *one));
    let applications = row.applied_for.iter().filter_map(|one| {
        let standing = ApplicationStanding::of(call, (id, *one), today)?;
        Some(relative(call, *one).map(|relative| ApplicationView { relative, standing }))
    });
    let helps = row.helps.iter().filter_map(|(member, number)| {
        let grant = family::view::grant(state, *member, *number)?;
        Some(aid_view(call, (*member, *number), &grant, today))
    });
    let helped_by = row.grants.iter().filter_map(|number| {
        let grant = family::view::grant(state, id, *number)?;
        Some(aid_view(call, (grant.payer, *number), &grant, today))
    });
    let view = FamilyView {
        region,
        today,
        month: MonthView {
            bound: MonthCount::in_month(row.bound, month),
            bound_max: rules.as_ref().map(|rules| rules.members_per_payer_per_month_max),
            was_bound: MonthCount::in_month(row.was_bound, month),
            was_bound_max: rules.as_ref().map(|rules| rules.bindings_per_member_per_month_max),
            again_from: month.next(),
        },
        members: members.filter_map(Result::transpose).collect::<Result<_, _>>()?,
        payers: payers.filter_map(Result::transpose).collect::<Result<_, _>>()?,
        applications: applications.collect::<Result<_, _>>()?,
        helps: helps.collect::<Result<_, _>>()?,
        helped_by: helped_by.collect::<Result<_, _>>()?,
        face_check: call
            .gateway
            .port
            .wallet()
            .map(|wallet| FaceCheck { is_simulated: wallet.authority.is_simulated() }),
    };
    Reply::json(&view)
}

fn aid_view(
    call: &Call,
    (other, number): (PersonId, u32),
    grant: &AidGrant,
    today: CivilDate,
) -> Result<AidView, Problem> {
    let (month_paid, year_paid) = AidMeter::on(grant.meter, today);
    Ok(AidView {
        relative: relative(call, other)?,
        number,
        terms: grant.terms.clone(),
        since: grant.since,
        month_paid,
        year_paid,
        left: grant.left_on(today),
        uses: grant.uses.clone(),
    })
}

fn look_up(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let id = call.own_person(session)?;
    let found = read_code(call, session)?;
    if found == id {
        return Err(Problem::new(&code::CODE_WRONG).at("code"));
    }
    Reply::json(&relative(call, found)?)
}

fn invalid(field: &str) -> Problem {
    Problem::new(&code::FIELD_INVALID)
        .at(field)
        .with(detail!("ask for `bind_member` or `grant_aid` with `own_key`, in the own name"))
}

/// What a content asks of whom, if it is one of the two and asks for the member's own key.
fn asked(call: &Call, content: &Content) -> Result<(FamilyAsked, [PersonId; 2]), Problem> {
    if content.chain_id != call.gateway.port.chain().chain_id() {
        return Err(invalid("content.chain_id"));
    }
    let malformed = |_| Problem::new(&code::TRANSACTION_MALFORMED).at("content.body");
    let (asked, agreement, between) = match content.kind {
        BindMember::NUMBER => {
            let body: BindMember = codec::decode(&content.body).map_err(malformed)?;
            let between = [body.payer, body.member];
            (FamilyAsked::BindMember(body), body.agreement, between)
        }
        GrantAid::NUMBER => {
            let body: GrantAid = codec::decode(&content.body).map_err(malformed)?;
            let (agreement, between) = (body.agreement, [body.payer, body.member]);
            (FamilyAsked::GrantAid(body), agreement, between)
        }
        _ => return Err(invalid("content.kind")),
    };
    if agreement != Agreement::OwnKey {
        return Err(invalid("content.body.agreement"));
    }
    Ok((asked, between))
}

fn ask(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let id = call.own_person(session)?;
    let TransactionRequest { content, authorisations } = call.json()?;
    let content = read_content(call, content)?;
    let member = if approval::asked(&content)?.is_some() {
        approval::whom(call, session, (id, &content), &authorisations)?
    } else {
        let (_, [payer, member]) = asked(call, &content)?;
        if payer != id || content.author != session.party {
            return Err(invalid("content.body.payer"));
        }
        member
    };
    let request = FamilyRequest {
        id: content.id(),
        payer: id,
        member,
        content: codec::encode(&content),
        signed: codec::encode(&authorisations),
        sent: call.now,
        expires: content.valid_until,
    };
    if !call.wallet()?.directory.put_family_request(&request)? {
        return Err(Problem::new(&code::FAMILY_REQUESTS_TOO_MANY));
    }
    note((&*call.wallet()?, &call.view), member, About::Family, &request.id);
    Ok(Reply::json(&view(call, &request)?)?.status(StatusCode::CREATED))
}

fn content_of(request: &FamilyRequest) -> Result<Content, Problem> {
    codec::decode(&request.content).map_err(|_| Problem::new(&code::INTERNAL))
}

fn view(call: &Call, request: &FamilyRequest) -> Result<FamilyRequestView, Problem> {
    let content = content_of(request)?;
    let asked = match approval::asked(&content)? {
        Some(payment) => payment,
        None => asked(call, &content)?.0,
    };
    let (payer, member) = (request.payer, request.member);
    Ok(FamilyRequestView {
        request: request.id,
        payer: relative(call, payer)?,
        member: relative(call, member)?,
        sent: request.sent,
        expires: request.expires,
        head: ContentHead::of(&content),
        asked,
    })
}

fn list(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let id = call.own_person(session)?;
    let open = call.wallet()?.directory.family_requests(id, call.now)?;
    let requests = open.iter().map(|request| view(call, request)).collect::<Result<_, _>>()?;
    Reply::json(&FamilyRequestList { requests })
}

/// The request in the path, between the session's party and somebody.
fn between(call: &Call, session: &Session) -> Result<FamilyRequest, Problem> {
    let id: Hash = call.path("request")?;
    let found = call.wallet()?.directory.family_request(&id)?.ok_or_else(not_found)?;
    let is_own = [found.payer, found.member].map(Party::Person).contains(&session.party);
    if is_own { Ok(found) } else { Err(not_found()) }
}

fn confirm(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let request = between(call, session)?;
    if session.party != Party::Person(request.member) {
        return Err(not_found());
    }
    let Confirmation { authorisation } = call.json()?;
    if authorisation.party != session.party {
        let words = detail!("it must be the signed-in person's");
        return Err(Problem::new(&code::FIELD_INVALID).at("authorisation.party").with(words));
    }
    let mut authorisations: Vec<Authorisation> =
        codec::decode(&request.signed).map_err(|_| Problem::new(&code::INTERNAL))?;
    authorisations.push(authorisation);
    let content = content_of(&request)?;
    let transaction = approval::completed(call, request.payer, content, authorisations)?;
    // It is gone whatever the ledger says: what was rejected is asked anew with what was mended.
    call.wallet()?.directory.end_family_request(&request.id)?;
    submit_signed(call, session.party, transaction)
}

fn end(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let request = between(call, session)?;
    call.wallet()?.directory.end_family_request(&request.id)?;
    Ok(Reply::nothing())
}
