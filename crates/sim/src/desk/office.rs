//! The bureau and the people: money that comes in and goes out, floors, locks.

use ledger::kernel::account::{Account, Books};
use ledger::modules::fund::{FundAddress, PayProvider, SetFundFloor, TransferBetweenFunds};
use ledger::modules::person::view as persons;
use ledger::modules::person::{Actor as By, AskUnlock, Lock, LockPerson, UnlockPerson};
use ledger::modules::voucher::MarkVoucherUsed;
use primitives::{Amount, Currency, sha256};

use super::Intent;
use crate::actor::Draft;
use crate::job::{Fate, Persistence};
use crate::planted::DeskBug;
use crate::region::{CRITICAL, POOL, REGION};
use crate::world::World;

impl World {
    /// The bureau does one of its regular things.
    pub(super) fn run_office(&mut self) {
        match self.dice.below(8) {
            0 | 1 => self.contribute(),
            6 | 7 => self.mark_voucher(),
            2 => self.credit_accounts(),
            3 => self.set_floor(),
            4 => self.transfer(),
            _ => self.pay_provider(),
        }
    }

    fn contribute(&mut self) {
        let number = self.books.number();
        let draft = self.contribution(number, 0);
        let job = self.offer(Intent::Contribution(number), draft, Persistence::Once);
        self.books.contributions.entry(number).or_default().push(job);
    }

    /// The contribution with the bureau's own number, and the number of the try in the reference:
    /// an honest bureau has one reference.
    fn contribution(&mut self, number: u64, attempt: u64) -> Draft {
        let fund = if number.is_multiple_of(3) { CRITICAL } else { POOL };
        let amount = 10_000 + (number % 17) * 90_000;
        let reference = sha256(&[number.to_le_bytes(), attempt.to_le_bytes()].concat());
        self.region.contribution(fund, amount, reference)
    }

    /// The planted bug: what was not answered is booked anew, under another reference.
    pub(super) fn book_again_what_is_not_known(&mut self) {
        if self.planted.desk != Some(DeskBug::BooksTwice) {
            return;
        }
        let unknown = self.books.contributions.iter().find(|(_, jobs)| {
            jobs.len() == 1
                && self.jobs[jobs[0]].is_sent
                && self.jobs[jobs[0]].fate == Fate::Unknown
        });
        let Some(number) = unknown.map(|(number, _)| *number) else { return };
        let draft = self.contribution(number, 1);
        let job = self.offer(Intent::Contribution(number), draft, Persistence::Once);
        self.books.contributions.entry(number).or_default().push(job);
    }

    fn credit_accounts(&mut self) {
        let batch = u32::try_from(self.books.number()).unwrap_or(u32::MAX);
        let amount = self.dice.between(1_000, 60_000);
        let draft = self.region.credit(2026, 1, batch, amount);
        self.offer(Intent::Office, draft, Persistence::Once);
    }

    fn set_floor(&mut self) {
        let floor = Amount::from_minor(self.dice.below(300_000));
        let body = SetFundFloor { region: REGION, fund: POOL, floor };
        let draft = Draft::new(&body, &[&self.region.bureau]);
        self.offer(Intent::Office, draft, Persistence::Once);
    }

    fn transfer(&mut self) {
        let address = |fund| FundAddress { region: REGION, fund };
        let (from, to) = *self.dice.pick(&[(POOL, CRITICAL), (CRITICAL, POOL)]);
        // Now and then more than there is, which the floor stops.
        let amount = Amount::from_minor(self.dice.between(1, 30_000_000));
        let body = TransferBetweenFunds { from: address(from), to: address(to), amount };
        let draft = Draft::new(&body, &[&self.region.bureau]);
        self.offer(Intent::Office, draft, Persistence::Once);
    }

    fn pay_provider(&mut self) {
        let provider = self.dice.pick(&self.region.providers).code;
        let due = self.audit.money.balance(&Account::ProviderDue(Books::of(provider, REGION)));
        let Ok(due) = u64::try_from(due) else { return };
        if due == 0 {
            return;
        }
        let amount = Amount::from_minor(self.dice.between(1, due));
        let (region, payer) = (REGION, crate::actor::organisation(crate::region::BUREAU));
        let reference = self.statement();
        let body = PayProvider { region, payer, provider, amount, reference };
        let draft = Draft::new(&body, &[&self.region.bureau]);
        self.offer(Intent::Office, draft, Persistence::Once);
    }

    fn lock_of(&self, place: usize) -> Option<Lock> {
        let id = self.region.people[place].id;
        self.with_state(|state| persons::person(state, id)).and_then(|row| row.lock.clone())
    }

    /// Most often somebody who is locked, so that not everybody is in the end.
    fn someone_to_lock_or_unlock(&mut self) -> usize {
        let locked: Vec<usize> =
            (0..self.region.people.len()).filter(|place| self.lock_of(*place).is_some()).collect();
        if locked.is_empty() || self.dice.chance(200) {
            self.dice.place(self.region.people.len())
        } else {
            *self.dice.pick(&locked)
        }
    }

    /// A second payer reimburses some of what a person bore, now and then more than there is left.
    fn mark_voucher(&mut self) {
        let is_settled = |one: &super::visit::Visit| one.record.is_some();
        let Some(visit) = self.some_visit(is_settled) else { return };
        let Some((_, record)) = &self.visits[visit].record else { return };
        let own = record.own_share();
        let (settlement, most) =
            (record.transaction_id, own.minor().saturating_add(own.minor() / 4));
        let amount = Amount::from_minor(self.dice.between(1, most.max(1)));
        let payer = crate::actor::organisation(crate::region::BUREAU);
        let currency = Currency::CNY;
        let body = MarkVoucherUsed { settlement, payer, amount, currency, guardian: None };
        let person = self.person_of(visit);
        let draft = Draft::new(&body, &[&self.region.bureau, &person]);
        self.offer(Intent::Office, draft, Persistence::Once);
    }

    /// A person locks everything, or asks for the key.
    pub(super) fn lock_or_unlock(&mut self) {
        let place = self.someone_to_lock_or_unlock();
        let person = &self.region.people[place];
        let (id, actor) = (person.id, &person.actor);
        let lock = self.lock_of(place);
        let draft = match lock {
            None if self.dice.chance(300) => {
                Draft::new(&LockPerson { person: id, by: By::OwnKey }, &[actor])
            }
            None => return,
            Some(_) if self.dice.chance(400) => {
                let body = UnlockPerson { person: id, by: By::Desk };
                let bureau = self.region.bureau_of(self.region.people[place].region);
                Draft::new(&body, &[bureau, &self.region.identity])
            }
            Some(lock) if lock.unlock_asked.is_none() => {
                Draft::new(&AskUnlock { person: id }, &[actor])
            }
            Some(_) => Draft::new(&UnlockPerson { person: id, by: By::OwnKey }, &[actor]),
        };
        self.offer(Intent::Office, draft, Persistence::Once);
    }
}
