use super::{OUTSIDE, at, bureau, fund, funded, hash, personal};
use crate::kernel::account::{Account, Books, Floor};
use crate::kernel::block::{Ledger, execute_block};
use crate::kernel::overlay::Overlay;
use crate::kernel::posting::{
    Entry, account, held, hold, open_account, post, post_hold, set_floor, void_hold,
};
use crate::kernel::rejection::Rejection;
use crate::kernel::state::State;
use crate::kernel::transaction::VerifiedTransaction;
use crate::modules::fund::{Contribute, FundAddress, SetFundFloor, TransferBetweenFunds};
use crate::testing::{REGION, World, fen, organisation};
use alloc::{collections::BTreeMap, vec::Vec};
use primitives::{Amount, Currency, FundId, Hash};
use proof::header::Header;
use proptest::{collection::vec, prelude::*};

const CNY: Currency = Currency::CNY;
const PERSONS: u8 = 4;

/// One thing that may happen to money. Numbers are reduced to accounts and holds that exist.
#[derive(Clone, Debug)]
enum Act {
    Post { debit: u8, credit: u8, amount: u64 },
    PostTwo { debit: u8, credit: u8, amount: u64 },
    Hold { debit: u8, credit: u8, amount: u64, lasts: u64 },
    PostHold { which: u8, amount: u64 },
    VoidHold { which: u8 },
    SetFloor { which: u8, floor: u64 },
    Wait(u64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let money = prop_oneof![4 => 0..200_u64, 1 => Just(u64::MAX), 1 => Just(u64::MAX - 100)];
    let act = prop_oneof![
        4 => (0..6_u8, 0..6_u8, money.clone())
            .prop_map(|(debit, credit, amount)| Act::Post { debit, credit, amount }),
        1 => (0..6_u8, 0..6_u8, 0..200_u64)
            .prop_map(|(debit, credit, amount)| Act::PostTwo { debit, credit, amount }),
        3 => (0..6_u8, 0..6_u8, money.clone(), 0..60_u64)
            .prop_map(|(debit, credit, amount, lasts)| Act::Hold { debit, credit, amount, lasts }),
        2 => (0..40_u8, 0..200_u64).prop_map(|(which, amount)| Act::PostHold { which, amount }),
        1 => (0..40_u8).prop_map(|which| Act::VoidHold { which }),
        1 => (0..6_u8, 0..100_u64).prop_map(|(which, floor)| Act::SetFloor { which, floor }),
        1 => (0..40_u64).prop_map(Act::Wait),
    ];
    vec(act, 0..120)
}

fn place(number: u8) -> Account {
    match number {
        0 => OUTSIDE,
        1 => Account::Rail(Books::of(organisation("hospital"), REGION)),
        other => personal(other - 2),
    }
}

/// What the books must be, in the plainest form: a balance and a floor per account, and the holds.
#[derive(Default)]
struct Model {
    balances: BTreeMap<Account, i128>,
    floors: BTreeMap<Account, i128>,
    holds: BTreeMap<Hash, (Entry, u64)>,
}

impl Model {
    fn held(&self, which: &Account, now: u64) -> i128 {
        let counts = |(entry, expires): &&(Entry, u64)| entry.debit == *which && now < *expires;
        let held = self.holds.values().filter(counts);
        held.map(|(entry, _)| i128::from(entry.amount.minor())).sum()
    }

    fn may(&self, entry: &Entry, now: u64) -> bool {
        let Some(floor) = self.floors.get(&entry.debit) else { return true };
        let balance = self.balances.get(&entry.debit).copied().unwrap_or(0);
        balance - self.held(&entry.debit, now) - i128::from(entry.amount.minor()) >= *floor
    }

    fn book(&mut self, entry: &Entry) {
        *self.balances.entry(entry.debit).or_default() -= i128::from(entry.amount.minor());
        *self.balances.entry(entry.credit).or_default() += i128::from(entry.amount.minor());
    }
}

/// The books under test and the model beside them.
struct Run {
    state: State,
    model: Model,
    now: u64,
    made: Vec<Hash>,
}

impl Run {
    fn new() -> Self {
        let mut run = Self {
            state: State::new(super::SEEDS),
            model: Model::default(),
            now: 0,
            made: Vec::new(),
        };
        for number in 0..PERSONS {
            run.model.floors.insert(personal(number), 0);
        }
        run.change(|overlay| {
            (0..PERSONS).try_for_each(|number| {
                open_account(overlay, personal(number), CNY, Floor::AtLeast(Amount::ZERO))
            })
        })
        .unwrap();
        run
    }

    fn change(
        &mut self,
        act: impl FnOnce(&mut Overlay<'_>) -> Result<(), Rejection>,
    ) -> Result<(), Rejection> {
        super::change(&mut self.state, act)
    }

    fn post(&mut self, entries: &[Entry]) {
        let now = self.now;
        let expected = entries.iter().all(|entry| self.model.may(entry, now));
        let result = self.change(|overlay| post(overlay, at(now), CNY, entries));
        match result {
            Ok(()) => {
                assert!(expected || entries.len() > 1, "an entry went below a floor");
                entries.iter().for_each(|entry| self.model.book(entry));
            }
            Err(rejection) if rejection.code.name == "insufficient_balance" => {
                assert!(!expected || entries.len() > 1);
            }
            Err(_) => {}
        }
    }

    fn hold(&mut self, entry: Entry, expires: u64) {
        let now = self.now;
        let id = hash(u8::try_from(self.made.len()).unwrap());
        let expected = self.model.may(&entry, now);
        let result = self.change(|overlay| hold(overlay, at(now), id, CNY, entry, at(expires)));
        match result {
            Ok(()) => {
                assert!(expected, "a hold went below a floor");
                self.made.push(id);
                self.model.holds.insert(id, (entry, expires));
            }
            Err(rejection) => {
                assert!(rejection.code.name != "insufficient_balance" || !expected);
            }
        }
    }

    fn post_hold(&mut self, which: u8, amount: u64) {
        let Some(id) = self.made.get(usize::from(which)).copied() else { return };
        let now = self.now;
        if self.change(|overlay| post_hold(overlay, at(now), &id, fen(amount))).is_ok() {
            let (entry, expires) = self.model.holds.remove(&id).expect("it was pending");
            assert!(now < expires && amount <= entry.amount.minor());
            let entry = Entry { amount: fen(amount), ..entry };
            assert!(self.model.may(&entry, now));
            self.model.book(&entry);
        }
    }

    fn act(&mut self, act: &Act) {
        match *act {
            Act::Post { debit, credit, amount } => {
                self.post(&[super::entry(place(debit), place(credit), amount)]);
            }
            Act::PostTwo { debit, credit, amount } => {
                let entry = super::entry(place(debit), place(credit), amount);
                self.post(&[entry, entry]);
            }
            Act::Hold { debit, credit, amount, lasts } => {
                let entry = super::entry(place(debit), place(credit), amount);
                self.hold(entry, self.now + lasts);
            }
            Act::PostHold { which, amount } => self.post_hold(which, amount),
            Act::VoidHold { which } => {
                let Some(id) = self.made.get(usize::from(which)).copied() else { return };
                let done = self.change(|overlay| void_hold(overlay, &id)).is_ok();
                let known = self.model.holds.remove(&id);
                // An expired one may be gone by itself.
                assert!(!done || known.is_some());
                assert!(done || known.is_none_or(|(_, expires)| expires <= self.now));
            }
            Act::SetFloor { which, floor } => {
                let which = personal(which % PERSONS);
                // Only what is there may be protected, so that "never below its floor" can be
                // asserted.
                if self.model.balances.get(&which).copied().unwrap_or(0) >= i128::from(floor) {
                    let floor_of = Floor::AtLeast(fen(floor));
                    self.change(|overlay| set_floor(overlay, which, floor_of)).unwrap();
                    self.model.floors.insert(which, i128::from(floor));
                }
            }
            Act::Wait(millis) => self.now += millis,
        }
    }

    fn check(&self) {
        let mut sum = 0;
        for number in 0..6 {
            let which = place(number);
            let balance = account(&self.state, &which).map_or(0, |row| row.balance());
            assert_eq!(balance, self.model.balances.get(&which).copied().unwrap_or(0));
            let floor = self.model.floors.get(&which).copied().unwrap_or(i128::MIN);
            assert!(balance >= floor, "{which:?} is below its floor");
            sum += balance;
            if let Some(row) = account(&self.state, &which).filter(|row| row.floor != Floor::None) {
                assert_eq!(
                    i128::from(row.held_at(at(self.now)).minor()),
                    self.model.held(&which, self.now)
                );
            }
        }
        assert_eq!(sum, 0);
        for id in &self.made {
            let waits = held(&self.state, id).is_some();
            match self.model.holds.get(id) {
                Some((_, expires)) => assert!(waits || *expires <= self.now),
                None => assert!(!waits, "what is posted or let go leaves no row"),
            }
        }
    }
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn run(acts: &[Act]) -> Hash {
    let mut run = Run::new();
    for act in acts {
        run.act(act);
        run.check();
    }
    run.state.root()
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn the_ledger_sums_to_zero(acts in acts()) {
        let first = run(&acts);
        prop_assert_eq!(first, run(&acts), "the same acts give the same root");
    }
}

/// What the bureau may send: mostly transfers, some of them impossible.
#[derive(Clone, Debug)]
enum Order {
    Transfer { back: bool, amount: u64 },
    Contribute { fund: u16, amount: u64 },
    Floor { fund: u16, floor: u64 },
    Again(u8),
}

fn orders() -> impl Strategy<Value = Vec<Vec<Order>>> {
    let order = prop_oneof![
        5 => (any::<bool>(), 0..900_u64)
            .prop_map(|(back, amount)| Order::Transfer { back, amount }),
        2 => (1..4_u16, 0..500_u64).prop_map(|(fund, amount)| Order::Contribute { fund, amount }),
        1 => (1..3_u16, 0..500_u64).prop_map(|(fund, floor)| Order::Floor { fund, floor }),
        1 => (0..20_u8).prop_map(Order::Again),
    ];
    vec(vec(order, 0..6), 1..6)
}

fn transaction(
    world: &mut World,
    order: &Order,
    earlier: &[VerifiedTransaction],
) -> Option<VerifiedTransaction> {
    let address = |number| FundAddress { region: REGION, fund: FundId(number) };
    let content = match *order {
        Order::Transfer { back, amount } => {
            let (from, to) = if back { (2, 1) } else { (1, 2) };
            let (from, to) = (address(from), address(to));
            world.content(bureau(), &TransferBetweenFunds { from, to, amount: fen(amount) })
        }
        Order::Contribute { fund, amount } => {
            let reference = hash(u8::try_from(amount % 100).unwrap());
            let fund = FundId(fund);
            world.content(
                bureau(),
                &Contribute { region: REGION, fund, amount: fen(amount), reference },
            )
        }
        Order::Floor { fund, floor } => {
            let floor = fen(floor);
            world.content(bureau(), &SetFundFloor { region: REGION, fund: FundId(fund), floor })
        }
        Order::Again(which) => return earlier.get(usize::from(which)).cloned(),
    };
    Some(world.sign(&content, &[bureau()]))
}

fn replay(ledger: &mut Ledger, blocks: &[(u64, Vec<VerifiedTransaction>)]) -> Vec<Header> {
    let execute =
        |(time, block): &(u64, Vec<VerifiedTransaction>)| execute_block(ledger, at(*time), block).0;
    blocks.iter().map(execute).collect()
}

fn again(ledger: &Ledger, tip: &crate::kernel::block::Tip, state: &State) -> Ledger {
    Ledger::new(ledger.chain_id(), state.clone(), tip.clone())
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn the_same_blocks_give_the_same_headers(orders in orders()) {
        let mut world = funded();
        let (state, tip) = (world.ledger.state().clone(), world.ledger.tip().clone());
        let mut earlier = Vec::new();
        let mut blocks = Vec::new();
        for block in &orders {
            let mut transactions = Vec::new();
            for order in block {
                if let Some(one) = transaction(&mut world, order, &earlier) {
                    earlier.push(one.clone());
                    transactions.push(one);
                }
            }
            world.now = world.now.plus_millis(1_000);
            blocks.push((world.now.millis(), transactions));
        }
        let first = replay(&mut world.ledger, &blocks);
        let mut second = again(&world.ledger, &tip, &state);
        prop_assert_eq!(&first, &replay(&mut second, &blocks));
        prop_assert_eq!(world.ledger.tip(), second.tip());
        let rows = |ledger: &Ledger| -> Vec<(Hash, Vec<u8>)> {
            ledger.state().entries().map(|(key, value)| (key, value.to_vec())).collect()
        };
        prop_assert_eq!(rows(&world.ledger), rows(&second));
        let rebuilt = State::from_entries(second.state().seeds(), rows(&second));
        prop_assert_eq!(rebuilt.root(), second.state().root(), "a snapshot has the same root");
        let sum: i128 = [OUTSIDE, fund(1), fund(2)].iter().map(|one| world.balance(*one)).sum();
        prop_assert_eq!(sum, 0);
    }
}
