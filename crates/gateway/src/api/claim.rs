//! Claims for bills that were paid in full: a person sends photographs and what they are, and sees
//! what becomes of them. The bureau's desk is in [`desk`].
//!
//! Where a claim stands is on the ledger, which has a commitment to the documents and the tags of
//! the invoices; the documents lie sealed in the bureau's directory.
//!
//! Invariants: no claim is filed whose documents are not kept or whose invoices are others than it
//! says (test `documents_and_invoices_belong_to_the_claim`); only the person and a clerk of the
//! bureau see them (test `only_the_person_and_the_bureaus_clerk_see_a_claim`), and a proxy those
//! that the same proxy filed (test `a_proxy_claims_and_sees_what_it_filed`).

use adapters::directory::KeptClaim;
use axum::http::{Method, StatusCode};
use base64ct::{Base64, Encoding as _};
use borsh::{BorshDeserialize, BorshSerialize};
use ledger::Transaction;
use ledger::modules::claim::{self, ClaimRow, FileClaim};
use ledger::modules::coverage::{self, Standing};
use ledger::modules::network;
use primitives::{Currency, Hash, Party, PersonId, RegionId, codec, detail, sha256, sha256_parts};
use serde::de::DeserializeOwned;

use super::binding::read_documents;
use super::code::may_act;
use super::family::relative;
use super::machine::execute_kept;
use super::objection::body_of;
use super::receipt::not_found;
use super::transaction::read_content;
use crate::call::Call;
use crate::endpoint::{
    Access, AnswerKind, BodyKind, Endpoint, JSON_BYTES_MAX, Parameter, Reply, schema_of,
};
use crate::problem::{Problem, code, foreign};
use crate::session::Session;
use crate::wallet::Wallet;
use form::{
    ClaimFiled, ClaimRulesView, ClaimStanding, ClaimStatement, ClaimSummary, ClaimView, Invoice,
    InvoiceTagList, InvoiceTagRequest, NewClaim, Payee, PayoutView, PersonClaims,
};

pub mod converted;
pub mod correction;
pub mod desk;
pub mod form;

/// The most photographs of one claim.
const DOCUMENTS_MAX: usize = 8;
/// The most bytes of a claim: its photographs as text, and what else it says.
const CLAIM_BYTES_MAX: usize = 5 << 20;
/// The most invoices of one claim.
const INVOICES_MAX: usize = 16;
/// The most characters of a word of an invoice, or of who gave the care.
const WORD_MAX: usize = 100;
/// The most characters of what a person adds.
const WORDS_MAX: usize = 2_000;

/// Who files and sees a person's claims.
const CLAIMANT_RULE: &str = "the person, a guardian of today, the home region's bureau, and, where the region lets \
                             proxies claim, a relative who may act for the person";
const PERSON: Parameter = Parameter::path("person", "the person's id", schema_of::<PersonId>);
const CLAIM: Parameter =
    Parameter::path("claim", "the id of the transaction that filed it", schema_of::<Hash>);

/// The endpoints of a person's claims.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "/v1/regions/{region}/claim-rules",
        operation: "get_claim_rules",
        summary: "Gives the rules by which people claim for bills that they paid in full",
        access: Access::Public(rules),
        parameters: &[Parameter::path("region", "the region's code", schema_of::<u32>)],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<ClaimRulesView>),
        problems: &[],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/persons/{person}/invoice-tags",
        operation: "create_invoice_tags",
        summary: "Gives the tags by which the ledger knows invoices: hashes under the bureau's key",
        access: Access::Party { rule: CLAIMANT_RULE, handle: tags },
        parameters: &[PERSON],
        body: BodyKind::Json(schema_of::<InvoiceTagRequest>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(200, schema_of::<InvoiceTagList>),
        problems: &[code::NO_WALLET, code::NOT_YOURS],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/persons/{person}/claims",
        operation: "file_claim",
        summary: "Claims for bills that were paid in full: keeps the photographs, sealed, and puts the claim \
                  on the ledger; the bureau has to decide",
        access: Access::Party { rule: CLAIMANT_RULE, handle: file },
        parameters: &[PERSON],
        body: BodyKind::Signed(schema_of::<NewClaim>, CLAIM_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<ClaimFiled>),
        problems: &[
            code::NO_WALLET,
            code::NOT_YOURS,
            code::CHANGE_INVALID,
            code::STATEMENT_DIFFERS,
            code::SIGNATURE_INVALID,
            code::UNAVAILABLE,
        ],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/persons/{person}/claims",
        operation: "list_claims",
        summary: "Lists a person's claims and where each stands, the newest first",
        access: Access::Party { rule: CLAIMANT_RULE, handle: list },
        parameters: &[PERSON],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<PersonClaims>),
        problems: &[code::NO_WALLET, code::NOT_YOURS],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/claims/{claim}",
        operation: "get_claim",
        summary: "Gives a claim with its photographs, and once it is accepted its lines, its split and why",
        access: Access::Party {
            rule: "the person, a guardian of today, the proxy who filed it, or the region's bureau by a \
                   key with the scope `clerk`",
            handle: get,
        },
        parameters: &[CLAIM],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<ClaimView>),
        problems: &[code::NO_WALLET, code::NOT_FOUND, code::SCOPE_MISSING],
    },
];

/// What the directory keeps besides the photographs.
#[derive(BorshSerialize, BorshDeserialize)]
struct Kept {
    salt: Hash,
    statement: String,
}

/// The salted commitment to what is said and to the photographs.
fn commitment(kept: &Kept, photographs: &[Vec<u8>]) -> Hash {
    let said = sha256(kept.statement.as_bytes());
    let hashes: Vec<Hash> = photographs.iter().map(|one| sha256(one)).collect();
    let head: [&[u8]; 3] = [b"yibao/claim-documents/v1", &kept.salt.0, &said.0];
    let rest = hashes.iter().map(|hash| hash.0.as_slice());
    sha256_parts(&head.into_iter().chain(rest).collect::<Vec<_>>())
}

fn invalid(field: &str, why: primitives::Detail) -> Problem {
    Problem::new(&code::FIELD_INVALID).at(field).with(why)
}

fn require_word(field: &str, text: &str) -> Result<(), Problem> {
    if (1..=WORD_MAX).contains(&text.trim().chars().count()) {
        return Ok(());
    }
    Err(invalid(field, detail!("write 1 to {max} characters", max = WORD_MAX)))
}

fn require_invoices(field: &str, invoices: &[Invoice]) -> Result<(), Problem> {
    if !(1..=INVOICES_MAX).contains(&invoices.len()) {
        return Err(invalid(field, detail!("name 1 to {max} invoices", max = INVOICES_MAX)));
    }
    for (at, one) in invoices.iter().enumerate() {
        require_word(&format!("{field}[{at}].issuer"), &one.issuer)?;
        require_word(&format!("{field}[{at}].number"), &one.number)?;
        // A tag is of letters and digits; without any, all such invoices would be one.
        if !one.number.chars().any(char::is_alphanumeric) {
            let field = format!("{field}[{at}].number");
            return Err(invalid(&field, detail!("write 1 to {max} characters", max = WORD_MAX)));
        }
    }
    Ok(())
}

/// The tags of these invoices, ascending, each once.
fn tags_of(wallet: &Wallet, invoices: &[Invoice]) -> Vec<Hash> {
    let tag = |one: &Invoice| wallet.directory.invoice_tag(&one.issuer, &one.number);
    let mut tags: Vec<Hash> = invoices.iter().map(tag).collect();
    tags.sort();
    tags.dedup();
    tags
}

fn rules(call: &Call) -> Result<Reply, Problem> {
    let region = RegionId(call.path("region")?);
    let rules = claim::view::rules(&call.view.state, region);
    let own = network::view::region(&call.view.state, region).map(|found| found.currency);
    let takes_others = rules.as_ref().is_some_and(|rules| rules.foreign.is_some());
    let others = Currency::ALL.into_iter().filter(|one| takes_others && Some(*one) != own);
    let currencies = own.into_iter().chain(others).collect();
    Reply::json(&ClaimRulesView { rules, currencies })
}

/// The person of the path and who claims: whoever may know everything of the person, or a proxy.
fn claimant(call: &Call, session: &Session) -> Result<(PersonId, Option<PersonId>), Problem> {
    let person: PersonId = call.path("person")?;
    let refused = match call.person(session, person) {
        Ok(_) => return Ok((person, None)),
        Err(refused) => refused,
    };
    match session.party {
        Party::Person(proxy) if proxies_claim(call, proxy, person)? => Ok((person, Some(proxy))),
        _ => Err(refused),
    }
}

/// Whether this relative may act for the person, in a region where proxies claim.
fn proxies_claim(call: &Call, proxy: PersonId, person: PersonId) -> Result<bool, Problem> {
    let region = call.wallet()?.region;
    let rules = claim::view::rules(&call.view.state, region);
    Ok(rules.is_some_and(|rules| rules.proxies_claim) && may_act(call, proxy, person))
}

fn tags(call: &Call, session: &Session) -> Result<Reply, Problem> {
    claimant(call, session)?;
    let wallet = call.wallet()?;
    let InvoiceTagRequest { invoices } = call.json()?;
    require_invoices("invoices", &invoices)?;
    let tags = tags_of(&wallet, &invoices);
    if tags.len() != invoices.len() {
        return Err(Problem::rejected(&claim::rejection::INVOICE_LIST.reject()));
    }
    Reply::json(&InvoiceTagList { tags })
}

/// JSON that somebody signed, byte for byte.
fn read_json<T: DeserializeOwned>(field: &str, text: &str) -> Result<T, Problem> {
    let wrong = |error| Problem::new(&code::FIELD_INVALID).at(field).with(foreign::json(&error));
    serde_json::from_str(text).map_err(wrong)
}

fn file(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let (person, _) = claimant(call, session)?;
    let wallet = call.wallet()?;
    let NewClaim { content, authorisations, statement, documents, salt } = call.json()?;
    let content = read_content(call, content)?;
    let body: FileClaim = body_of(call, &content)?;
    let is_own = body.person == person && body.region == wallet.region;
    if !is_own || content.author != session.party {
        return Err(Problem::new(&code::CHANGE_INVALID).at("content"));
    }
    let said: ClaimStatement = read_json("statement", &statement)?;
    require_word("statement.provider", &said.provider)?;
    require_invoices("statement.invoices", &said.invoices)?;
    if said.words.chars().count() > WORDS_MAX {
        let why = detail!("write at most {max} characters", max = WORDS_MAX);
        return Err(invalid("statement.words", why));
    }
    require_currency(call, body.region, said.currency)?;
    let photographs = read_documents(&documents, DOCUMENTS_MAX)?;
    let kept = Kept { salt, statement };
    let fits = commitment(&kept, &photographs) == body.documents
        && tags_of(&wallet, &said.invoices) == body.invoices;
    if !fits {
        return Err(Problem::new(&code::STATEMENT_DIFFERS).at("statement"));
    }
    let id = content.id();
    let kept = KeptClaim { id, person, statement: codec::encode(&kept), raised: call.instant() };
    wallet.directory.put_claim(&kept, &codec::encode(&photographs))?;
    execute_kept(call, Transaction::signed_by(content, authorisations), || {
        let _ = wallet.directory.forget_claim(&id);
    })?;
    Ok(Reply::json(&ClaimFiled { claim: id })?.status(StatusCode::CREATED))
}

/// The region takes bills in this currency.
fn require_currency(
    call: &Call,
    region: RegionId,
    currency: Option<Currency>,
) -> Result<(), Problem> {
    let state = &call.view.state;
    let own = network::view::region(state, region).ok_or_else(not_found)?.currency;
    let rules = claim::view::rules(state, region);
    let takes_others = rules.is_some_and(|rules| rules.foreign.is_some());
    match currency.filter(|one| *one != own && !takes_others) {
        None => Ok(()),
        Some(other) => Err(Problem::rejected(&claim::rejection::CURRENCY_NOT_ACCEPTED.with(other))),
    }
}

/// What is said of a claim.
fn statement_of(kept: &KeptClaim) -> Result<(Kept, ClaimStatement), Problem> {
    let internal = || Problem::new(&code::INTERNAL);
    let said: Kept = codec::decode(&kept.statement).map_err(|_| internal())?;
    let statement = serde_json::from_str(&said.statement).map_err(|_| internal())?;
    Ok((said, statement))
}

/// Where a claim stands, in words for people.
fn standing_of(call: &Call, row: &ClaimRow) -> Result<ClaimStanding, Problem> {
    let state = &call.view.state;
    Ok(match &row.standing {
        claim::ClaimStanding::Waiting => {
            let today = call.today(row.region).ok_or_else(not_found)?;
            ClaimStanding::Waiting { until: row.until, is_late: row.until < today }
        }
        claim::ClaimStanding::Withdrawn => ClaimStanding::Withdrawn,
        claim::ClaimStanding::Refused { reason, decided } => {
            ClaimStanding::Refused { reason: *reason, decided: *decided }
        }
        claim::ClaimStanding::Accepted(accepted) => {
            let payout = accepted.payout.and_then(|one| claim::view::payout(state, &one));
            ClaimStanding::Accepted {
                decided: accepted.decided,
                transaction_id: accepted.transaction_id,
                total: accepted.total,
                paid: accepted.paid,
                owed_back: accepted.owed_back,
                payout: payout.map(|one| PayoutView {
                    executor: one.executor,
                    status: one.status,
                    ordered: one.ordered,
                    confirmed: one.confirmed,
                }),
            }
        }
    })
}

/// A claim of the ledger with what is said of it.
fn summary(call: &Call, row: &ClaimRow, kept: &KeptClaim) -> Result<ClaimSummary, Problem> {
    let (_, said) = statement_of(kept)?;
    let region = network::view::region(&call.view.state, row.region).ok_or_else(not_found)?;
    Ok(ClaimSummary {
        claim: kept.id,
        person: relative(call, row.person)?,
        scheme: row.scheme,
        from: row.from,
        to: row.to,
        provider: said.provider,
        invoices: said.invoices,
        currency: said.currency.unwrap_or(region.currency),
        words: said.words,
        filed: row.filed,
        payee: relative(call, payee(call, row)?)?,
        standing: standing_of(call, row)?,
    })
}

fn list(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let (person, proxy) = claimant(call, session)?;
    let wallet = call.wallet()?;
    let state = &call.view.state;
    let mut claims = Vec::new();
    let shown = |row: &ClaimRow| proxy.is_none_or(|proxy| row.filed_by == Party::Person(proxy));
    for id in claim::view::claims_of(state, wallet.region, person).iter().rev() {
        let row = claim::view::claim(state, id).filter(shown);
        if let (Some(row), Some(kept)) = (row, wallet.directory.claim(id)?) {
            claims.push(summary(call, &row, &kept)?);
        }
    }
    let (region, today) = (wallet.region, call.today(wallet.region).ok_or_else(not_found)?);
    let scheme = coverage::view::coverage(state, person).and_then(|row| {
        let here = row.coverages.iter().filter(|one| one.region == region);
        let mut active = here.filter(|one| one.standing_on(today) == Standing::Active);
        active.next().map(|one| one.scheme)
    });
    let row = ledger::modules::person::view::person(state, person).ok_or_else(not_found)?;
    let guardians = row.guardians.iter().map(|one| one.guardian);
    let guardians = guardians.filter(|one| row.is_guarded_by(*one, today));
    let payees = std::iter::once(person).chain(guardians).map(|one| {
        let has_card = wallet.directory.card(one)?.is_some();
        Ok(Payee { relative: relative(call, one)?, has_card })
    });
    let payees = payees.collect::<Result<_, Problem>>()?;
    Reply::json(&PersonClaims { claims, today, scheme, region, payees })
}

/// To whom the money of a claim goes today.
fn payee(call: &Call, row: &ClaimRow) -> Result<PersonId, Problem> {
    let today = call.today(row.region).ok_or_else(not_found)?;
    Ok(claim::view::payee_on(&call.view.state, row, today))
}

/// A claim that the session may see: its row, and what is kept of it.
fn seen(call: &Call, session: &Session) -> Result<(ClaimRow, KeptClaim), Problem> {
    let id: Hash = call.path("claim")?;
    let row = claim::view::claim(&call.view.state, &id).ok_or_else(not_found)?;
    if matches!(session.party, Party::Organisation(_)) {
        call.require_clerk(session, not_found)?;
    } else if call.person(session, row.person).is_err() {
        let Party::Person(proxy) = session.party else { return Err(not_found()) };
        let is_own = row.filed_by == session.party && proxies_claim(call, proxy, row.person)?;
        if !is_own {
            return Err(not_found());
        }
    }
    let kept = call.wallet()?.directory.claim(&id)?.ok_or_else(not_found)?;
    Ok((row, kept))
}

fn get(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let (row, kept) = seen(call, session)?;
    let wallet = call.wallet()?;
    let (said, _) = statement_of(&kept)?;
    let sealed = wallet.directory.claim_photographs(&kept.id)?;
    let photographs: Option<Vec<Vec<u8>>> = match sealed {
        Some(bytes) => Some(codec::decode(&bytes).map_err(|_| Problem::new(&code::INTERNAL))?),
        None => None,
    };
    if photographs.as_ref().is_some_and(|shown| commitment(&said, shown) != row.documents) {
        return Err(Problem::new(&code::INTERNAL));
    }
    let shown = photographs.unwrap_or_default();
    let reviewed = match &row.standing {
        claim::ClaimStanding::Accepted(accepted) => desk::reviewed(call, &row, &accepted.record)?,
        _ => None,
    };
    let (bill, quote, converted) = match reviewed {
        Some(found) => (Some(found.bill), Some(found.quote), found.converted),
        None => (None, None, None),
    };
    Reply::json(&ClaimView {
        summary: summary(call, &row, &kept)?,
        documents: shown.iter().map(|one| Base64::encode_string(one)).collect(),
        bill,
        quote,
        converted,
    })
}
