//! Two bureaus and what their regions owe each other: months stated and answered, items disputed,
//! money paid, sent back and confirmed.

use ledger::kernel::account::{Account, Books, RegionPair};
use ledger::kernel::month::CalendarMonth;
use ledger::kernel::posting;
use ledger::modules::clearing::{
    ApprovePayout, BankWord, BatchStanding, LineStanding, PayoutLine, PayoutResult, ProposePayout,
    RecordPayoutResults, WithdrawPayout, view as clearing,
};
use ledger::modules::interregion::view::{self, PairRow};
use ledger::modules::interregion::{
    AnswerInterregionStatement, CloseInterregionMonth, ConfirmRegionPayment, DisputeReason,
    DisputedItem, EndItemDispute,
};
use primitives::{Amount, Party, Text, sha256};

use super::Intent;
use crate::actor::{Draft, SharedActor, organisation};
use crate::job::Persistence;
use crate::region::{NEIGHBOUR, REGION, bureau_code, day};
use crate::world::World;

impl World {
    /// The bureaus of the two regions do what is next between them, in one of the two directions.
    pub(super) fn clear_between_regions(&mut self) {
        let ours = RegionPair { insured: REGION, care: NEIGHBOUR };
        let pair = if self.dice.chance(500) { ours } else { ours.reversed() };
        match self.dice.below(100) {
            0..50 => self.state_or_answer(pair),
            50..92 => self.move_payment(pair),
            92..98 => self.end_some_dispute(pair),
            _ => self.change_rules(pair),
        }
    }

    fn by_bureau<K: ledger::kernel::registry::Kind>(&mut self, body: &K, bureau: &SharedActor) {
        self.offer(Intent::Office, Draft::new(body, &[bureau]), Persistence::Once);
    }

    fn bureau_in(&self, region: primitives::RegionId) -> SharedActor {
        SharedActor::clone(self.region.bureau_of(region))
    }

    fn state_or_answer(&mut self, pair: RegionPair) {
        let Some(row) = self.with_state(|state| view::pair(state, pair)) else { return };
        // Now and then somebody does not look whether the last one was answered.
        if row.waits && !self.dice.chance(50) {
            self.answer_statement(pair, &row);
        } else {
            self.state_month(pair, &row);
        }
    }

    fn state_month(&mut self, pair: RegionPair, row: &PairRow) {
        let today = self.today();
        let last = CalendarMonth::before(today);
        let next = row.stated.map_or(last, |(_, last)| Some(last.next()));
        let Some(month) = next.filter(|next| next.is_over(today)) else { return };
        let RegionPair { insured, care } = pair;
        let bureau = self.bureau_in(care);
        self.by_bureau(&CloseInterregionMonth { care, insured, month }, &bureau);
    }

    fn answer_statement(&mut self, pair: RegionPair, row: &PairRow) {
        let Some((_, month)) = row.stated else { return };
        let statement = self.with_state(|state| view::statement(state, pair, month));
        let Some(statement) = statement else { return };
        let RegionPair { insured, care } = pair;
        let is_late = self.today() > statement.answer_by;
        // The region of care answers in the other's place when it may, and now and then before.
        let per_mille = if is_late { 600 } else { 60 };
        let in_its_place = self.dice.chance(per_mille);
        let region = if in_its_place { care } else { insured };
        let mut disputed = Vec::new();
        for number in statement.after_item + 1..=statement.to_item {
            let item = self.with_state(|state| view::item(state, pair, number));
            let Some(item) = item.filter(|row| !row.item.is_return) else { continue };
            if !in_its_place && disputed.len() < 3 && self.dice.chance(150) {
                let amount = Amount::from_minor(self.dice.between(1, item.item.amount.minor()));
                disputed.push(DisputedItem { number, amount, reason: DisputeReason::Doubtful });
            }
        }
        let (items, by) = (statement.items, bureau_code(region));
        let body = AnswerInterregionStatement { insured, care, month, items, disputed, by };
        let bureau = self.bureau_in(region);
        self.by_bureau(&body, &bureau);
    }

    fn end_some_dispute(&mut self, pair: RegionPair) {
        let open = self.with_state(|state| {
            let items = view::pair(state, pair).map_or(0, |row| row.items);
            let is_open = |number: &u64| {
                view::item(state, pair, *number)
                    .and_then(|row| row.dispute)
                    .is_some_and(|dispute| dispute.ended.is_none())
            };
            (1..=items).filter(is_open).collect::<Vec<u64>>()
        });
        if open.is_empty() {
            return;
        }
        let item = *self.dice.pick(&open);
        let bureau = self.bureau_in(pair.insured);
        let finance = SharedActor::clone(&self.region.finance);
        let signer = if self.dice.chance(300) { finance } else { bureau };
        let Party::Organisation(by) = signer.party else { return };
        let RegionPair { insured, care } = pair;
        self.by_bureau(&EndItemDispute { insured, care, item, by }, &signer);
    }

    /// What is payable goes into a batch, the batch to the bank, the bank's word onto the ledger,
    /// and what came in is confirmed.
    fn move_payment(&mut self, pair: RegionPair) {
        let region = pair.insured;
        let (last, batch) = self.with_state(|state| {
            let last = clearing::last_batch(state, region);
            (last, clearing::batch(state, region, last))
        });
        let bureau = self.bureau_in(region);
        let standing = batch.as_ref().map(|batch| batch.standing);
        let line = batch.as_ref().and_then(|batch| batch.lines.first());
        match (standing, line.map(|line| (&line.standing, line.amount))) {
            (Some(BatchStanding::Proposed), _) if self.dice.chance(150) => {
                let by = bureau_code(region);
                self.by_bureau(&WithdrawPayout { region, batch: last, by }, &bureau);
            }
            (Some(BatchStanding::Proposed), _) => {
                let Some(lines) = batch.map(|batch| batch.lines_hash) else { return };
                let approver = organisation("finance");
                let body = ApprovePayout { region, batch: last, lines, approver };
                let finance = SharedActor::clone(&self.region.finance);
                self.by_bureau(&body, &finance);
            }
            (Some(BatchStanding::Approved), Some((LineStanding::Waiting, amount))) => {
                let is_refused = self.dice.chance(150);
                self.record_word(
                    (pair, last),
                    amount,
                    if is_refused { Said::No } else { Said::Paid },
                );
            }
            (Some(BatchStanding::Approved), Some((LineStanding::Paid { .. }, amount)))
                if self.dice.chance(150) =>
            {
                self.record_word((pair, last), amount, Said::CameBack);
            }
            _ if self.dice.chance(600) => self.confirm_payment(pair),
            _ => self.propose(pair, last + 1),
        }
    }

    fn propose(&mut self, pair: RegionPair, batch: u32) {
        let (region, provider) = (pair.insured, bureau_code(pair.care));
        let account = Account::ProviderPayable(Books::of(provider, region));
        let payable = self.with_state(|state| posting::balance(state, &account));
        let payable = Amount::at_least_zero(payable).minor();
        if payable == 0 {
            return;
        }
        let amount = if self.dice.chance(600) { payable } else { self.dice.between(1, payable) };
        let (amount, account) = (Amount::from_minor(amount), sha256(b"the other bureau's account"));
        let lines = vec![PayoutLine { provider, amount, account }];
        let body = ProposePayout { region, batch, execute_on: self.today(), lines };
        let bureau = self.bureau_in(region);
        self.by_bureau(&body, &bureau);
    }

    fn record_word(&mut self, (pair, batch): (RegionPair, u32), amount: Amount, said: Said) {
        let (day, reference) = (self.today(), self.statement());
        let reason = || Text::new("AC04").expect("four letters");
        let word = match said {
            Said::Paid => BankWord::Paid { amount, day, reference },
            Said::No => BankWord::Failed { reason: reason() },
            Said::CameBack => BankWord::Returned { amount, day, reference, reason: reason() },
        };
        let results = vec![PayoutResult { line: 0, word }];
        let bureau = self.bureau_in(pair.insured);
        let body = RecordPayoutResults { region: pair.insured, batch, results };
        self.by_bureau(&body, &bureau);
    }

    fn confirm_payment(&mut self, pair: RegionPair) {
        let row = self.with_state(|state| view::pair(state, pair));
        let under_way = row.map_or(0, |row| row.under_way.minor());
        if under_way == 0 {
            return;
        }
        // In one lot or in several; now and then more than was paid.
        let amount = match self.dice.below(10) {
            0..6 => under_way,
            6..9 => self.dice.between(1, under_way),
            _ => under_way + 1,
        };
        let (day, reference) = (self.today(), self.statement());
        let RegionPair { insured, care } = pair;
        let amount = Amount::from_minor(amount);
        let body = ConfirmRegionPayment { care, insured, amount, day, reference };
        let bureau = self.bureau_in(care);
        self.by_bureau(&body, &bureau);
    }

    /// A region has other rules from some day on, or none.
    fn change_rules(&mut self, pair: RegionPair) {
        let today = self.today();
        let from = *self.dice.pick(&[day(2025, 1, 1), today, today.plus_days(9).unwrap_or(today)]);
        let answer = u16::try_from(self.dice.between(1, 5)).unwrap_or(1);
        let days = self.dice.chance(700).then_some([answer, answer + 5]);
        let draft = self.region.interregion_rules(pair.insured, from, days);
        self.offer(Intent::Office, draft, Persistence::Once);
    }
}

/// What the bank says of a payment.
enum Said {
    Paid,
    No,
    CameBack,
}
