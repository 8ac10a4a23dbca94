//! Tests of the kernel: money, transactions, blocks, replay, and what any bytes do to any kind.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod block;
mod body;
mod idempotency;
mod money;
mod replay;
mod sample;
mod transaction;

use crate::kernel::account::{Account, Floor};
use crate::kernel::overlay::Overlay;
use crate::kernel::posting::{Entry, open_account, post};
use crate::kernel::rejection::{Code, Rejection};
use crate::kernel::state::{Seeds, State};
use crate::kernel::transaction::Content;
use crate::modules::fund::{Contribute, FundAddress, OpenFund, TransferBetweenFunds};
use crate::testing::{REGION, World, fen, organisation, person};
use benefit::Payer;
use primitives::{Amount, Currency, FundId, Hash, Party, Timestamp};
use proof::receipt::OutcomeCode;

/// What is random in a ledger, made plain for tests.
const SEEDS: Seeds = Seeds { salt: Hash([7; 32]), secret: Hash([8; 32]) };
const OUTSIDE: Account = Account::Outside(REGION);

/// The personal account of this number.
fn personal(number: u8) -> Account {
    Account::PersonalAccount(person(number))
}

fn fund(number: u16) -> Account {
    Account::Fund { region: REGION, fund: FundId(number) }
}

fn entry(debit: Account, credit: Account, amount: u64) -> Entry {
    Entry { debit, credit, amount: fen(amount) }
}

fn hash(number: u8) -> Hash {
    Hash([number; 32])
}

const fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// A state in which `personal(1)` and `personal(2)` are open and the first has this much.
fn opened(balance: u64) -> State {
    let mut state = State::new(SEEDS);
    change(&mut state, |overlay| {
        let floor = Floor::AtLeast(Amount::ZERO);
        open_account(overlay, personal(1), Currency::CNY, floor)?;
        open_account(overlay, personal(2), Currency::CNY, floor)?;
        match balance {
            0 => Ok(()),
            some => post(overlay, at(0), Currency::CNY, &[entry(OUTSIDE, personal(1), some)]),
        }
    })
    .unwrap();
    state
}

/// Runs a change as a transaction: all of it is committed, or nothing.
fn change(
    state: &mut State,
    act: impl FnOnce(&mut Overlay<'_>) -> Result<(), Rejection>,
) -> Result<(), Rejection> {
    let base = state.clone();
    let mut overlay = Overlay::new(&base);
    let result = act(&mut overlay);
    match result {
        Ok(()) => drop(overlay.keep_transaction()),
        Err(_) => overlay.discard_transaction(),
    }
    let writes = overlay.into_writes();
    assert!(result.is_ok() || writes.is_empty(), "a discarded transaction left a write");
    state.commit(writes.iter().map(|(key, value)| (key.as_slice(), value.as_deref())));
    result
}

/// The change is rejected with this code and the root stays.
#[track_caller]
fn refused(
    state: &mut State,
    code: Code,
    act: impl FnOnce(&mut Overlay<'_>) -> Result<(), Rejection>,
) {
    let root = state.root();
    let rejection = change(state, act).expect_err("a rejection was expected");
    assert_eq!(rejection.code, code, "{rejection}");
    assert_eq!(state.root(), root);
}

const fn rejected(code: Code) -> OutcomeCode {
    OutcomeCode::Rejected(code.number)
}

fn bureau() -> Party {
    Party::Organisation(organisation("bureau"))
}

/// A world in which the bureau's fund 1 holds 1,000 minor units and its fund 2 none.
fn funded() -> World {
    let mut world = World::new();
    for number in [1, 2] {
        let open = OpenFund {
            region: REGION,
            fund: FundId(number),
            owner: organisation("bureau"),
            purpose: Payer::PooledFund,
            year: None,
            floor: Amount::ZERO,
        };
        world.accepted(&[bureau()], &open);
    }
    let fill =
        Contribute { region: REGION, fund: FundId(1), amount: fen(1_000), reference: hash(1) };
    world.accepted(&[bureau()], &fill);
    world
}

/// Moves this much from fund 1 to fund 2.
fn transfer(amount: u64) -> TransferBetweenFunds {
    let address = |number| FundAddress { region: REGION, fund: FundId(number) };
    TransferBetweenFunds { from: address(1), to: address(2), amount: fen(amount) }
}

/// The content of such a transfer, by the bureau, with a new idempotency key.
fn moving(world: &mut World, amount: u64) -> Content {
    world.content(bureau(), &transfer(amount))
}
