//! A person's own data: keys, guardians, lock, card, coverage, running amounts. Nothing here says
//! who somebody is.

use axum::http::Method;
use benefit::{Accumulators, Filing};
use ledger::modules::coverage::{self, AttestedFacts, Coverage, Standing};
use ledger::modules::person::{
    self, DaySpending, KeyGrade, Lock, PaymentLimits, PersonRow, PersonStatus,
};
use primitives::{
    Amount, CivilDate, Hash, Party, Period, PersonId, PublicKey, RegionId, SchemeId, SlotId,
    Timestamp,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::recovery::{RecoveryView, recovery_view};
use crate::access::PERSON_RULE;
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::problem::{Problem, code};
use crate::session::Session;

/// The endpoints of persons.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "/v1/persons/{person}",
        operation: "get_person",
        summary: "Gives a person's keys, guardians, lock, card and a recovery that waits",
        access: Access::Party { rule: PERSON_RULE, handle: get },
        parameters: &[Parameter::path("person", "the person's id", schema_of::<PersonId>)],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<PersonView>),
        problems: &[code::NOT_YOURS],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/persons/{person}/coverages",
        operation: "list_coverages",
        summary: "Gives a person's coverages with what is attested, filings, slots and running amounts",
        access: Access::Party { rule: PERSON_RULE, handle: coverages },
        parameters: &[Parameter::path("person", "the person's id", schema_of::<PersonId>)],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<CoverageList>),
        problems: &[code::NOT_YOURS],
    },
];

/// A person.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Person")]
pub struct PersonView {
    /// The random id.
    pub person: PersonId,
    /// The home region.
    pub region: RegionId,
    /// A salted commitment to the identity record that bureau and authority keep.
    pub commitment: Hash,
    /// The last day on which care counts, for a person whose account is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_after: Option<CivilDate>,
    /// The person's own keys.
    pub keys: Vec<PersonKeyView>,
    /// What the keys together spent today.
    pub spent_today: Amount,
    /// Who may act for the person, and when.
    pub guardians: Vec<GuardianView>,
    /// The lock, while there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<LockView>,
    /// The card, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<CardView>,
    /// The recovery that waits, or was stopped and keeps others from being asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery: Option<RecoveryView>,
    /// What is paid without a second person, if there are limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<LimitsView>,
}

/// A person's limits.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "PersonLimits")]
pub struct LimitsView {
    /// What holds.
    pub present: PaymentLimits,
    /// The second person's name, where this bureau knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approver_name: Option<String>,
    /// What may still be paid today without the second person, in minor units.
    pub left_today: Amount,
    /// What takes its place, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<WaitingLimitsView>,
}

/// Limits that wait.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "WaitingPersonLimits")]
pub struct WaitingLimitsView {
    /// What will hold; none at all when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<PaymentLimits>,
    /// From when on.
    pub from: Timestamp,
}

/// One of a person's keys.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "PersonKey")]
pub struct PersonKeyView {
    /// The public key.
    pub key: PublicKey,
    /// What kind it is.
    pub grade: KeyGrade,
    /// The most one payment may take, in minor units.
    pub payment_max: Amount,
    /// Up to how much the person's keys together may have spent today when this one pays.
    pub day_max: Amount,
    /// When it was added.
    pub added_at: Timestamp,
}

/// A guardian.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Guardian")]
pub struct GuardianView {
    /// Who.
    pub guardian: PersonId,
    /// The name, where this bureau knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// From when to when.
    pub period: Period,
}

/// A lock.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Lock")]
pub struct LockView {
    /// Who locked.
    pub by: Party,
    /// Since when.
    pub since: Timestamp,
    /// When the unlock was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlock_asked: Option<Timestamp>,
}

impl LockView {
    /// That of a row.
    #[must_use]
    pub const fn of(lock: &Lock) -> Self {
        Self { by: lock.by, since: lock.since, unlock_asked: lock.unlock_asked }
    }
}

/// A card.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Card")]
pub struct CardView {
    /// A salted commitment to the card's number.
    pub commitment: Hash,
    /// Whether it is blocked for good.
    pub blocked: bool,
    /// Wrong PINs in a row.
    pub pin_failures: u8,
    /// What was spent with it today.
    pub spent_today: Amount,
}

/// A person's coverages.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CoverageList {
    /// The day on which the standing is told.
    pub today: CivilDate,
    /// The coverages, ended ones of two years among them.
    pub coverages: Vec<CoverageView>,
    /// The running amounts.
    pub running_amounts: Vec<RunningAmounts>,
}

/// A coverage.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Coverage")]
pub struct CoverageView {
    /// The insured place.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// From when to when.
    pub period: Period,
    /// How it stands today.
    pub standing: CoverageStanding,
    /// When it rests.
    pub suspensions: Vec<Period>,
    /// What the bureau attested.
    pub facts: Vec<AttestedFacts>,
    /// Registrations for care elsewhere.
    pub filings: Vec<FilingView>,
    /// Chronic diseases and programmes as numbered slots; nothing here names a disease.
    pub slots: Vec<SlotView>,
}

/// How a coverage stands.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CoverageStanding {
    /// It holds.
    Active,
    /// It has not begun.
    NotYet,
    /// The waiting period lasts.
    Waiting,
    /// It rests.
    Suspended,
    /// It is over.
    Ended,
}

/// A registration for care elsewhere.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "CareFiling")]
pub struct FilingView {
    /// Its number within the coverage.
    pub number: SlotId,
    /// What kind it is.
    pub filing: Filing,
    /// Where care is registered for.
    pub place: RegionId,
    /// From when to when.
    pub period: Period,
    /// A salted commitment to what was filed.
    pub commitment: Hash,
}

/// A chronic disease or a programme.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "CoverageSlot")]
pub struct SlotView {
    /// Its number within the coverage.
    pub slot: SlotId,
    /// The benefit group, as the plan numbers them.
    pub group: u8,
    /// An amount of the slot's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// From when to when.
    pub period: Period,
    /// A salted commitment to what it means.
    pub commitment: Hash,
}

/// A person's running amounts in a scheme.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RunningAmounts {
    /// The insured place.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// The amounts, by number and period; shared ones of a family among them.
    pub accumulators: Accumulators,
}

fn get(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let id: PersonId = call.path("person")?;
    let row = call.person(session, id)?;
    Reply::json(&person_view(call, id, &row)?)
}

fn person_view(call: &Call, id: PersonId, row: &PersonRow) -> Result<PersonView, Problem> {
    let today = call.today(row.region);
    let spent = |spent| today.map_or(Amount::ZERO, |today| DaySpending::on(spent, today));
    Ok(PersonView {
        person: id,
        region: row.region,
        commitment: row.commitment,
        closed_after: match row.status {
            PersonStatus::Active => None,
            PersonStatus::Closed { last_day } => Some(last_day),
        },
        keys: row
            .keys
            .iter()
            .map(|key| PersonKeyView {
                key: key.key,
                grade: key.grade,
                payment_max: key.payment_max,
                day_max: key.day_max,
                added_at: key.added_at,
            })
            .collect(),
        spent_today: spent(row.spent),
        guardians: row
            .guardians
            .iter()
            .map(|one| {
                let (guardian, period) = (one.guardian, one.period);
                Ok(GuardianView { guardian, name: call.name_of(guardian)?, period })
            })
            .collect::<Result<Vec<_>, Problem>>()?,
        lock: row.lock.as_ref().map(LockView::of),
        card: row.card.as_ref().map(|card| CardView {
            commitment: card.commitment,
            blocked: card.blocked,
            pin_failures: card.pin_failures,
            spent_today: spent(card.spent),
        }),
        recovery: recovery_view(call, id)?,
        limits: limits_view(call, id, today)?,
    })
}

fn limits_view(
    call: &Call,
    id: PersonId,
    today: Option<CivilDate>,
) -> Result<Option<LimitsView>, Problem> {
    let now = call.instant();
    let Some(row) = person::view::limits(&call.view.state, id) else { return Ok(None) };
    let Some(present) = row.at(now) else { return Ok(None) };
    let spent = today.map_or(Amount::ZERO, |today| DaySpending::on(row.spent, today));
    let waiting = row.waits_at(now);
    Ok(Some(LimitsView {
        present,
        approver_name: call.name_of(present.approver)?,
        left_today: present.day_max.saturating_sub(spent),
        waiting: waiting.map(|one| WaitingLimitsView { limits: one.limits, from: one.from }),
    }))
}

fn coverages(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let id: PersonId = call.path("person")?;
    let row = call.person(session, id)?;
    let state = &call.view.state;
    let today = call.today(row.region).ok_or_else(|| Problem::new(&code::INTERNAL))?;
    let coverages =
        coverage::view::coverage(state, id).map(|row| row.coverages).unwrap_or_default();
    let mut schemes: Vec<(RegionId, SchemeId)> =
        coverages.iter().map(|one| (one.region, one.scheme)).collect();
    schemes.sort();
    schemes.dedup();
    let running_amounts = schemes.into_iter().map(|(region, scheme)| RunningAmounts {
        region,
        scheme,
        accumulators: coverage::view::accumulators_on(state, id, region, scheme, today),
    });
    Reply::json(&CoverageList {
        today,
        coverages: coverages.iter().map(|one| coverage_view(one, today)).collect(),
        running_amounts: running_amounts.collect(),
    })
}

/// How a coverage stands on a day.
pub(crate) fn standing_on(one: &Coverage, today: CivilDate) -> CoverageStanding {
    match one.standing_on(today) {
        Standing::Active => CoverageStanding::Active,
        Standing::NotYet { .. } => CoverageStanding::NotYet,
        Standing::Waiting { .. } => CoverageStanding::Waiting,
        Standing::Suspended { .. } => CoverageStanding::Suspended,
        Standing::Ended { .. } => CoverageStanding::Ended,
    }
}

fn coverage_view(one: &Coverage, today: CivilDate) -> CoverageView {
    CoverageView {
        region: one.region,
        scheme: one.scheme,
        period: one.period,
        standing: standing_on(one, today),
        suspensions: one.suspensions.clone(),
        facts: one.facts.clone(),
        filings: one
            .filings
            .iter()
            .map(|entry| FilingView {
                number: entry.number,
                filing: entry.filing,
                place: entry.place,
                period: entry.period,
                commitment: entry.commitment,
            })
            .collect(),
        slots: one
            .slots
            .iter()
            .map(|entry| SlotView {
                slot: entry.slot,
                group: entry.group,
                amount: entry.amount,
                period: entry.period,
                commitment: entry.commitment,
            })
            .collect(),
    }
}
