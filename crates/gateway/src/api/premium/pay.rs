//! Premiums from a wallet: somebody is found by name and number, premiums are locked by the bureau
//! as the wallet's channel, and paid together from the payer's bound card.
//!
//! Invariants: a payer learns of a stranger's premium whether it can be paid, and what is due only
//! with a lock on it (test `of_a_strangers_premium_a_payer_learns_no_reason`); the bank signs for
//! the payer's own card and for no other payment than the one that the card's leg was made for
//! (test `a_payment_takes_money_from_the_payers_own_card_alone`).

use adapters::identity::Identity;
use axum::http::{Method, StatusCode};
use ledger::kernel::effect::{EffectAction, EffectStatus};
use ledger::kernel::registry::Kind as _;
use ledger::modules::network;
use ledger::modules::premium::{
    self, AccountPayment, LockPremium, PaidItem, PayPremiums, PremiumPayment, PremiumSource,
    ReleasePremium, SeasonId, rejection,
};
use ledger::modules::visit::CashLeg;
use ledger::{Authorisation, Content, IdempotencyKey, Transaction};
use primitives::{
    Amount, CivilDate, Currency, Detail, Hash, OrganisationId, Party, PersonId, Timestamp, codec,
    detail,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::concerns;
use crate::api::identity;
use crate::api::machine::{execute, signed, signed_too};
use crate::api::receipt::not_found;
use crate::api::transaction::{SubmittedView, TransactionRequest, read_content, submit_signed};
use crate::call::Call;
use crate::endpoint::{
    Access, AnswerKind, BodyKind, Endpoint, JSON_BYTES_MAX, Parameter, Reply, schema_of,
};
use crate::problem::{Problem, code};
use crate::session::Session;
use crate::wallet::{CardExecutor, Machine, Wallet};

const PAYER: Parameter = Parameter::path("person", "the payer's id", schema_of::<PersonId>);
/// Who pays by a wallet.
const PAYER_RULE: &str = "the person";

/// The endpoints of paying by a wallet.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "/v1/persons/{person}/premium-lookups",
        operation: "look_up_premium",
        summary: "Finds somebody by name and identity number whose premium the payer may pay; of a stranger \
                  whose premium cannot be paid now nothing is said, not even whether there is such a person",
        access: Access::Party { rule: PAYER_RULE, handle: look_up },
        parameters: &[PAYER],
        body: BodyKind::Json(schema_of::<PremiumLookup>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(200, schema_of::<PremiumPayee>),
        problems: &[code::NO_WALLET, code::NOT_YOURS, code::PREMIUM_NOT_PAYABLE, code::UNAVAILABLE],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/persons/{person}/premium-locks",
        operation: "lock_premium",
        summary: "Locks a premium for the payer, so that nobody else pays it meanwhile, or takes the payer's \
                  lock over from another channel; says what is due",
        access: Access::Party { rule: PAYER_RULE, handle: lock },
        parameters: &[PAYER],
        body: BodyKind::Json(schema_of::<PremiumLockRequest>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<PremiumLockView>),
        problems: &[
            code::NO_WALLET,
            code::NOT_YOURS,
            code::NOT_FOUND,
            code::PREMIUM_NOT_PAYABLE,
            code::UNAVAILABLE,
        ],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/persons/{person}/premium-releases",
        operation: "release_premium",
        summary: "Ends a lock that the payer has through this wallet's channel, before its time",
        access: Access::Party { rule: PAYER_RULE, handle: release },
        parameters: &[PAYER],
        body: BodyKind::Json(schema_of::<PremiumLockRequest>, JSON_BYTES_MAX),
        answer: AnswerKind::Nothing,
        problems: &[code::NO_WALLET, code::NOT_YOURS, code::UNAVAILABLE],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/persons/{person}/premium-cash-legs",
        operation: "create_premium_cash_leg",
        summary: "Notes that a payment of premiums is to be taken from the payer's bound card, and gives \
                  channel and leg for `pay_premiums`; the same key again gives the same leg",
        access: Access::Party { rule: PAYER_RULE, handle: cash_leg },
        parameters: &[PAYER],
        body: BodyKind::Json(schema_of::<PremiumCashLegRequest>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<PremiumCashLeg>),
        problems: &[code::NO_WALLET, code::NOT_YOURS, code::NO_BOUND_CARD],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/persons/{person}/premium-payments",
        operation: "pay_premiums",
        summary: "Puts a payment of premiums on the ledger that the payer signed; the bank adds its \
                  signature, and the answer comes once it is durable. The same again gives the same \
                  receipt with status 200",
        access: Access::Party { rule: PAYER_RULE, handle: pay },
        parameters: &[PAYER],
        body: BodyKind::Signed(schema_of::<TransactionRequest>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<SubmittedView>),
        problems: &[
            code::NO_WALLET,
            code::NOT_YOURS,
            code::REQUEST_INVALID,
            code::PREMIUM_NOT_PAYABLE,
            code::NO_BOUND_CARD,
            code::IN_PROGRESS,
        ],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/premium-payments/{reference}",
        operation: "get_premium_payment",
        summary: "Gives a payment of premiums, or one given back: for whom how much, and where it stands",
        access: Access::Party {
            rule: "the payer, channel, executor and collector, and the region's bureau; of what personal \
                   accounts paid the payer, the collector and the bureau",
            handle: payment,
        },
        parameters: &[Parameter::path(
            "reference",
            "the reference under which the rail knows it, or the transaction where personal accounts paid",
            schema_of::<Hash>,
        )],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<PremiumPaymentView>),
        problems: &[code::NOT_FOUND],
    },
];

/// Whose premium somebody wants to pay.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PremiumLookup {
    /// Which season.
    pub season: SeasonId,
    /// The name as in the identity document.
    #[schemars(length(max = 200))]
    pub name: String,
    /// The 18 characters of the identity number, or a foreign document such as `JP:TK1234567`.
    #[schemars(length(max = 40))]
    pub number: String,
}

/// Somebody whose premium may be paid.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PremiumPayee {
    /// The id on the ledger.
    pub person: PersonId,
}

/// A premium to be locked or released.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PremiumLockRequest {
    /// Which season.
    pub season: SeasonId,
    /// Whose premium.
    pub person: PersonId,
}

/// A lock of the payer's.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "PremiumLock")]
pub struct PremiumLockView {
    /// From when on it counts no longer.
    pub until: Timestamp,
    /// How much is due, in minor units.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// From when benefits hold if it is paid today.
    pub benefits_from: CivilDate,
}

/// A payment that will be signed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PremiumCashLegRequest {
    /// The idempotency key that its transaction will have.
    pub idempotency_key: IdempotencyKey,
}

/// How it is paid.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PremiumCashLeg {
    /// The channel that the payment names.
    pub channel: OrganisationId,
    /// The leg that the payment carries.
    pub cash: CashLeg,
}

/// A payment of premiums, or one given back.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "PremiumPayment")]
pub struct PremiumPaymentView {
    /// The reference under which the rail knows it, or the transaction where personal accounts
    /// paid.
    pub reference: Hash,
    /// Which season.
    pub season: SeasonId,
    /// Who pays.
    pub payer: Party,
    /// Through whose channel; nothing where personal accounts paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<OrganisationId>,
    /// Whose rail moves the money; nothing where personal accounts paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executor: Option<OrganisationId>,
    /// To collect or to give back.
    pub action: EffectAction,
    /// Where it stands; what personal accounts pay is done at once.
    pub status: EffectStatus,
    /// All of it, in minor units.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// For whom how much.
    pub items: Vec<PaidPremium>,
}

/// One premium of a payment.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PaidPremium {
    /// Whose premium.
    pub person: PersonId,
    /// How much.
    pub amount: Amount,
    /// From when benefits hold once it is paid.
    pub benefits_from: CivilDate,
    /// Which personal account paid it; nothing where a rail did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<PremiumSource>,
    /// How much of it the payer's own account pays beside a rail; 0 where one of both pays all.
    pub from_account: Amount,
}

impl PaidPremium {
    const fn of(item: &PaidItem, source: Option<PremiumSource>) -> Self {
        let PaidItem { person, amount, benefits_from, from_account, .. } = *item;
        Self { person, amount, benefits_from, source, from_account }
    }
}

/// Whether where this premium stands is for this session to know.
fn is_known(call: &Call, session: &Session, season: SeasonId, person: PersonId) -> bool {
    let state = &call.view.state;
    let found =
        premium::view::season(state, season).zip(premium::view::record(state, season, person));
    found.map_or_else(
        || call.person(session, person).is_ok(),
        |(terms, record)| concerns(call, session, (&terms, person), &record),
    )
}

fn look_up(call: &Call, session: &Session) -> Result<Reply, Problem> {
    call.own_person(session)?;
    let wallet = call.wallet()?;
    let PremiumLookup { season, name, number } = call.json()?;
    let identity = Identity { name, number: number.trim().to_owned() };
    let is_meant =
        |person| is_known(call, session, season, person) || is_payable(call, season, person);
    let unknown = Problem::new(&code::PREMIUM_NOT_PAYABLE);
    let person = identity::find(call, session, (&wallet, &identity), is_meant, unknown)?;
    Reply::json(&PremiumPayee { person })
}

fn is_payable(call: &Call, season: SeasonId, person: PersonId) -> bool {
    let today = call.today(season.region);
    today.is_some_and(|today| {
        premium::view::is_payable(&call.view.state, season, person, (call.instant(), today))
    })
}

fn lock(call: &Call, session: &Session) -> Result<Reply, Problem> {
    call.own_person(session)?;
    let wallet = call.wallet()?;
    let PremiumLockRequest { season, person } = call.json()?;
    let channel = wallet.bureau.organisation();
    let body = LockPremium { season, person, payer: session.party, channel };
    execute(call, signed(call, &[&*wallet.bureau], &body)?).map_err(|problem| {
        // Too many locks are the payer's own matter; all else is about the premium.
        let is_own = problem.code == rejection::TOO_MANY_LOCKS.name;
        let tells = !is_own && rejection::ALL.iter().any(|one| one.name == problem.code);
        if tells && !is_known(call, session, season, person) {
            Problem::new(&code::PREMIUM_NOT_PAYABLE)
        } else {
            problem
        }
    })?;
    Ok(Reply::json(&locked(call, session, season, person)?)?.status(StatusCode::CREATED))
}

/// The lock as it stands now, for its payer.
fn locked(
    call: &Call,
    session: &Session,
    season: SeasonId,
    person: PersonId,
) -> Result<PremiumLockView, Problem> {
    let view = call.gateway.port.chain().view();
    let region = network::view::region(&view.state, season.region).ok_or_else(not_found)?;
    let now = call.now.max(view.tip.time);
    let terms = premium::view::season(&view.state, season).ok_or_else(not_found)?;
    let record = premium::view::record(&view.state, season, person).ok_or_else(not_found)?;
    let own = record.lock_at(now).filter(|lock| lock.payer == session.party);
    let lock = own.ok_or_else(|| Problem::new(&code::PREMIUM_NOT_PAYABLE))?;
    let day = now.day(region.settings.utc_offset_minutes);
    let due = terms.due(&record, day, 0).map_err(|error| Problem::rejected(&error))?;
    Ok(PremiumLockView {
        until: lock.until,
        amount: due.amount,
        currency: region.currency,
        benefits_from: due.benefits_from,
    })
}

fn release(call: &Call, session: &Session) -> Result<Reply, Problem> {
    call.own_person(session)?;
    let wallet = call.wallet()?;
    let PremiumLockRequest { season, person } = call.json()?;
    let record = premium::view::record(&call.view.state, season, person);
    let lock = record.and_then(|record| record.lock_at(call.instant()));
    let channel = wallet.bureau.organisation();
    if !lock.is_some_and(|lock| lock.payer == session.party && lock.channel == channel) {
        return Err(Problem::rejected(&rejection::NOT_YOURS.reject()));
    }
    let body = ReleasePremium { season, person };
    execute(call, signed(call, &[&*wallet.bureau], &body)?)?;
    Ok(Reply::nothing())
}

/// The leg of a payment, bound to payer and transaction.
fn leg<'a>(
    wallet: &'a Wallet,
    payer: PersonId,
    key: &IdempotencyKey,
) -> Result<(&'a dyn CardExecutor, CashLeg), Problem> {
    wallet.card_leg(payer, &[b"premiums".as_slice(), &payer.0, &key.0].concat())
}

fn cash_leg(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let payer = call.own_person(session)?;
    let wallet = call.wallet()?;
    let PremiumCashLegRequest { idempotency_key } = call.json()?;
    let (_, cash) = leg(&wallet, payer, &idempotency_key)?;
    let view = PremiumCashLeg { channel: wallet.bureau.organisation(), cash };
    Ok(Reply::json(&view)?.status(StatusCode::CREATED))
}

fn invalid(why: Detail) -> Problem {
    Problem::new(&code::REQUEST_INVALID).with(why)
}

fn pay(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let payer = call.own_person(session)?;
    let wallet = call.wallet()?;
    let TransactionRequest { content, authorisations } = call.json()?;
    let content = read_content(call, content)?;
    let body = payment_of(session, &wallet, &content)?;
    let (executor, leg) = leg(&wallet, payer, &content.idempotency_key)?;
    if body.cash != leg {
        return Err(invalid(detail!("its leg must be the one that was given for its key")));
    }
    // What is on the ledger already gives its receipt again, whatever became of it.
    let id = content.id();
    let is_new = call.gateway.port.chain().receipt_of_transaction(id)?.is_none();
    let may_pay = |person| is_known(call, session, body.season, person);
    if is_new && !body.items.iter().all(|item| may_pay(item.person)) {
        return Err(Problem::new(&code::PREMIUM_NOT_PAYABLE));
    }
    let executor: &dyn Machine = executor;
    submit_signed(call, session.party, signed_too(content, authorisations, &[executor])?)
}

/// Whether the signed-in person may bring this payment.
///
/// # Errors
/// What is wrong with it.
pub(in crate::api) fn payable(
    call: &Call,
    session: &Session,
    content: &Content,
) -> Result<bool, Problem> {
    let payer = call.own_person(session)?;
    let wallet = call.wallet()?;
    let body = payment_of(session, &wallet, content)?;
    let (_, leg) = leg(&wallet, payer, &content.idempotency_key)?;
    let may_pay = |person| is_known(call, session, body.season, person);
    Ok(body.cash == leg && body.items.iter().all(|item| may_pay(item.person)))
}

/// A payment with what its executor signs.
///
/// # Errors
/// When the executor does not sign.
pub(in crate::api) fn with_executor(
    call: &Call,
    payer: PersonId,
    content: Content,
    signed: Vec<Authorisation>,
) -> Result<Transaction, Problem> {
    let wallet = call.wallet()?;
    let (executor, _) = leg(&wallet, payer, &content.idempotency_key)?;
    let executor: &dyn Machine = executor;
    signed_too(content, signed, &[executor])
}

/// The payment of a content that a wallet may bring.
fn payment_of(
    session: &Session,
    wallet: &Wallet,
    content: &Content,
) -> Result<PayPremiums, Problem> {
    if content.kind != PayPremiums::NUMBER {
        return Err(invalid(detail!("only `pay_premiums` is brought here")));
    }
    let body: PayPremiums =
        codec::decode(&content.body).map_err(|_| Problem::new(&code::TRANSACTION_MALFORMED))?;
    if content.author != session.party || body.payer != session.party {
        return Err(invalid(detail!("the signed-in person must be author and payer")));
    }
    if body.channel != wallet.bureau.organisation() {
        return Err(invalid(detail!("its channel must be the one that was given with the leg")));
    }
    Ok(body)
}

fn payment(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let reference: Hash = call.path("reference")?;
    let state = &call.view.state;
    let by_rail = premium::view::payment(state, &reference).map(|paid| by_rail(reference, &paid));
    let by_account = || {
        let paid = premium::view::account_payment(state, &reference)?;
        Some(by_account(reference, &paid))
    };
    let found = by_rail.or_else(by_account).filter(|payment| may_see(call, session, payment));
    Reply::json(&found.ok_or_else(not_found)?)
}

fn by_rail(reference: Hash, paid: &PremiumPayment) -> PremiumPaymentView {
    // What is given back over a rail is the rail's part alone.
    let held = paid.items.iter().filter(|_| paid.action == EffectAction::Collect);
    let account = held.fold(Amount::ZERO, |sum, item| sum.saturating_add(item.from_account));
    PremiumPaymentView {
        reference,
        season: paid.season,
        payer: paid.payer,
        channel: Some(paid.channel),
        executor: Some(paid.executor),
        action: paid.action,
        status: paid.status,
        amount: paid.amount.saturating_add(account),
        currency: paid.currency,
        items: paid.items.iter().map(|item| PaidPremium::of(item, None)).collect(),
    }
}

fn by_account(reference: Hash, paid: &AccountPayment) -> PremiumPaymentView {
    let items = paid.items.iter().map(|one| PaidPremium::of(&one.item, Some(one.source)));
    PremiumPaymentView {
        reference,
        season: paid.season,
        payer: Party::Person(paid.payer),
        channel: None,
        executor: None,
        action: EffectAction::Collect,
        status: EffectStatus::Done,
        amount: paid.amount,
        currency: paid.currency,
        items: items.collect(),
    }
}

fn may_see(call: &Call, session: &Session, payment: &PremiumPaymentView) -> bool {
    let state = &call.view.state;
    let Party::Organisation(id) = session.party else { return payment.payer == session.party };
    let collector = premium::view::season(state, payment.season).map(|terms| terms.collector);
    payment.payer == session.party
        || [payment.channel, payment.executor, collector].contains(&Some(id))
        || network::view::is_bureau(state, payment.season.region, id)
}
