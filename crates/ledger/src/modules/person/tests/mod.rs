#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]
//! Alice, Bob and Carol, and what is asked of their keys.

mod cards;
mod enrolment;
mod form;
mod guardians;
mod keys;
mod leaving;
mod limits;
mod locks;
mod recovery;

use super::table::PERSONS;
use super::*;
use crate::kernel::account::{Account, Floor};
use crate::kernel::context::{Context, PlanMemo};
use crate::kernel::overlay::Overlay;
use crate::kernel::posting;
use crate::kernel::receipt::Receipt;
use crate::kernel::rejection::{Code, Rejection, kernel};
use crate::kernel::transaction::{Authorisation, Transaction};
use crate::modules::coverage::{self, AttestFacts};
use crate::modules::network::{OpenRegion, rejection as network};
use crate::modules::organisation::{
    OrganisationKind, RevokeKey, SuspendOrganisation, rejection as organisations,
};
use crate::testing::{
    DAY, HOUR, REGION, TestVerifier, World, fen, organisation, passkey, person, public, settings,
};
use alloc::{format, sync::Arc, vec, vec::Vec};
use primitives::{
    Amount, CivilDate, Currency, Hash, Party, Period, PersonId, RegionId, SchemeId, Timestamp,
    sha256,
};
use proof::receipt::FieldValue;

const ALICE: PersonId = PersonId([1; 16]);
const BOB: PersonId = PersonId([2; 16]);
const CAROL: PersonId = PersonId([3; 16]);
const DINGXI: RegionId = RegionId(621_100);

fn org(code: &str) -> Party {
    Party::Organisation(organisation(code))
}

fn own(id: PersonId) -> Party {
    Party::Person(id)
}

/// The day of the world's start in the region's calendar, and so many days later.
fn day(later: i32) -> CivilDate {
    CivilDate::from_ymd(2026, 1, 1).and_then(|first| first.plus_days(later)).unwrap()
}

fn device(name: &str) -> NewKey {
    let (payment_max, day_max) = (fen(20_000), fen(30_000));
    NewKey { key: public(name), grade: KeyGrade::Device, payment_max, day_max }
}

fn new_person(number: u8, keys: Vec<NewKey>) -> EnrolPerson {
    let person = NewPerson {
        id: person(number),
        commitment: sha256(b"identity record"),
        blind_index: sha256(&[number]),
        keys,
    };
    EnrolPerson { region: REGION, person }
}

fn bureau_and_authority() -> [Party; 2] {
    [org("bureau"), org("authority")]
}

/// Alice, Bob and Carol are enrolled; Alice has one device key named `alice`.
fn world() -> World {
    let mut world = World::new();
    world.accepted(&bureau_and_authority(), &new_person(1, vec![device("alice")]));
    world.keys.insert(own(ALICE), "alice");
    world.enrol(2);
    world.enrol(3);
    world
}

fn row(world: &World, id: PersonId) -> PersonRow {
    Arc::unwrap_or_clone(view::person(world.ledger.state(), id).unwrap())
}

/// What a function of the view says of a transaction with these signers, at a time.
fn judge_at<T>(
    world: &mut World,
    time: Timestamp,
    signers: &[Party],
    overlay: &mut Overlay<'_>,
    judge: impl FnOnce(&Context<'_>, &mut Overlay<'_>) -> T,
) -> T {
    let content = world.content(signers[0], &AskUnlock { person: ALICE });
    let transaction = world.sign(&content, signers);
    let plans = PlanMemo::default();
    let chain_id = world.ledger.chain_id();
    let (transaction, plans) = (&transaction, &plans);
    let validators = &world.ledger.tip().validators;
    let context = Context { chain_id, height: 1, time, transaction, validators, plans };
    judge(&context, overlay)
}

fn judge<T>(
    world: &mut World,
    signers: &[Party],
    judge: impl FnOnce(&Context<'_>, &mut Overlay<'_>) -> T,
) -> T {
    let state = world.ledger.state().clone();
    let now = world.now;
    judge_at(world, now, signers, &mut Overlay::new(&state), judge)
}

/// What a settlement does: judges the key and notes what it pays.
fn spend_by_key(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    person: PersonId,
    amount: Amount,
) -> Result<view::UsedKey, Rejection> {
    let used = view::require_key(context, state, person, amount)?;
    view::note_key_spending(state, &used).map(|()| used)
}

fn spend_by_guardian(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    person: PersonId,
    guardian: PersonId,
    amount: Amount,
) -> Result<view::UsedKey, Rejection> {
    let used = view::require_guardian(context, state, person, guardian, amount)?;
    view::note_key_spending(state, &used).map(|()| used)
}

fn spend_by_card(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    person: PersonId,
    amount: Amount,
) -> Result<view::UsedCard, Rejection> {
    let used = view::require_card(context, state, person, amount)?;
    view::note_card_spending(state, &used).map(|()| used)
}

#[track_caller]
fn refused<T>(result: Result<T, Rejection>, code: Code) {
    match result {
        Ok(_) => panic!("`{}` was expected", code.name),
        Err(rejection) => assert_eq!(rejection.code.name, code.name, "{rejection}"),
    }
}

fn concerns(receipt: &Receipt, party: Party) -> bool {
    receipt.events.iter().any(|event| event.concerns.contains(&party))
}

fn guardian(ground: GuardianGround, to: Option<CivilDate>) -> SetGuardian {
    SetGuardian { person: ALICE, guardian: BOB, period: Period { from: day(0), to }, ground }
}

fn card() -> RegisterCard {
    RegisterCard { person: ALICE, commitment: Hash([9; 32]) }
}

fn pay_by_card(world: &mut World, amount: u64) -> Result<view::UsedCard, Rejection> {
    judge(world, &[org("bureau")], |context, state| {
        spend_by_card(context, state, ALICE, fen(amount))
    })
}

fn add(new: NewKey, by: Actor) -> AddPersonKey {
    AddPersonKey { person: ALICE, by, new }
}

fn lock(by: Actor) -> LockPerson {
    LockPerson { person: ALICE, by }
}

fn unlock(by: Actor) -> UnlockPerson {
    UnlockPerson { person: ALICE, by }
}

/// Opens the region next door.
fn open_dingxi(world: &mut World, currency: Currency) {
    world.admit_in(DINGXI, "dingxi", OrganisationKind::Bureau, None);
    let bureau = organisation("dingxi");
    let open = OpenRegion { region: DINGXI, bureau, currency, settings: settings() };
    world.accepted(&World::governing(), &open);
}
