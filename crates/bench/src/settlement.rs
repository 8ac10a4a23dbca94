//! Settlements, signed beforehand: what is measured is only what the node does with them.

use std::thread;

use anyhow::{Result, anyhow};
use benefit::{Category, CategorySums, ItemClass, SumKey, SumRow, VisitType};
use ledger::Transaction;
use ledger::kernel::context::PlanMemo;
use ledger::modules::coverage;
use ledger::modules::visit::{
    CashLeg, CheckIn, Consent, Identification, QuoteRequest, RailKind, SettleVisit, VisitSubject,
    quote, view,
};
use node::NodeHandle;
use primitives::{Amount, Hash, Party, SlotId, Text, VisitId, sha256_parts};

use crate::process;
use crate::region::{self, PROVIDERS, REGION, Region, Signer, must};

/// How many visits are checked in at once.
const AT_ONCE: usize = 4_000;
/// The five lines of every bill: category number and minor units in policy.
const LINES: [(u8, u64); 5] = [(1, 2_000), (4, 18_000), (5, 24_000), (7, 9_500), (13, 31_500)];

/// Makes settlements of people in a row, each of another visit.
pub struct Maker<'a> {
    region: &'a Region,
    next: u64,
    providers: u32,
}

/// The visit of the settlement of this number.
#[must_use]
pub fn visit_id(number: u64) -> VisitId {
    let hash = sha256_parts(&[b"yibao/bench-visit/v1", &number.to_le_bytes()]);
    let mut id = [0; 16];
    id.copy_from_slice(&hash.0[..16]);
    VisitId(id)
}

/// The sorted bill of every settlement.
#[must_use]
pub fn sums() -> CategorySums {
    let row = |(category, amount): &(u8, u64)| {
        let key = SumKey {
            service_date: region::service_day(),
            category: Category::from_number(*category).expect("a category of the standard"),
            class: ItemClass::A,
            programme: 0,
            slot: SlotId(0),
        };
        SumRow { in_policy: Amount::from_minor(*amount), ..SumRow::empty(key) }
    };
    CategorySums::new(LINES.iter().map(row).collect()).expect("five rows with keys of their own")
}

/// Makes what belongs to these numbers, on all cores.
///
/// # Errors
/// When one cannot be made.
pub fn on_all_cores<T: Send>(
    numbers: &[u64],
    make: impl Fn(u64) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let make = &make;
    thread::scope(|scope| {
        let size = numbers.len().div_ceil(process::cores()).max(1);
        let threads: Vec<_> = numbers
            .chunks(size)
            .map(|part| {
                scope.spawn(move || part.iter().map(|one| make(*one)).collect::<Result<Vec<_>>>())
            })
            .collect();
        let mut all = Vec::with_capacity(numbers.len());
        for one in threads {
            all.extend(one.join().map_err(|_| anyhow!("a thread that signs ended"))??);
        }
        Ok(all)
    })
}

impl<'a> Maker<'a> {
    /// Begins with the first person.
    #[must_use]
    pub const fn new(region: &'a Region) -> Self {
        Self { region, next: 0, providers: PROVIDERS }
    }

    /// The same, all at one provider.
    #[must_use]
    pub const fn of_first_provider(region: &'a Region) -> Self {
        Self { region, next: 0, providers: 1 }
    }

    /// Checks `count` visits in and gives the signed transactions that settle them.
    ///
    /// # Errors
    /// When the ledger refuses a visit.
    pub fn make(&mut self, node: &NodeHandle, count: usize) -> Result<Vec<Transaction>> {
        let mut all = Vec::with_capacity(count);
        while all.len() < count {
            let many = AT_ONCE.min(count - all.len()) as u64;
            let numbers: Vec<u64> = (self.next..self.next + many).collect();
            self.next += many;
            let check_ins = on_all_cores(&numbers, |number| Ok(self.check_in(number)))?;
            must(node, check_ins)?;
            all.extend(on_all_cores(&numbers, |number| self.settle(node, number))?);
        }
        Ok(all)
    }

    fn provider(&self, number: u64) -> &Signer {
        let place = usize::try_from(number % u64::from(self.providers)).unwrap_or(0);
        &self.region.providers[place]
    }

    /// Whose visit it is: everybody in turn, in an order that has nothing to do with how people
    /// were enrolled.
    const fn person(&self, number: u64) -> u64 {
        // A prime that divides no size of a region visits everybody once a round.
        number.wrapping_mul(1_000_003) % self.region.size.people
    }

    fn subject(&self, number: u64) -> VisitSubject {
        let Party::Organisation(provider) = self.provider(number).party() else {
            unreachable!("providers are organisations")
        };
        let person = self.person(number);
        VisitSubject {
            person: region::person(person),
            provider,
            region: REGION,
            scheme: self.region.scheme(person),
            visit_type: VisitType::Outpatient,
            admitted: region::service_day(),
            diagnosis_group: 0,
        }
    }

    fn check_in(&self, number: u64) -> Transaction {
        let body = CheckIn {
            visit: visit_id(number),
            subject: self.subject(number),
            identification: Identification::WalletCode,
            evidence: Hash::default(),
        };
        self.region.sign(&[self.provider(number)], "check in", number, &body)
    }

    fn settle(&self, node: &NodeHandle, number: u64) -> Result<Transaction> {
        let view = node.view();
        let now = region::clock().now();
        let subject = self.subject(number);
        let sums = sums();
        let request = QuoteRequest {
            subject: &subject,
            sums: &sums,
            use_personal_account: true,
            personal_account: view::personal_account(&view.state, subject.person, now),
            family_accounts: Vec::new(),
            accumulators: coverage::view::running_amounts(
                &view.state,
                subject.person,
                REGION,
                subject.scheme,
            ),
            keep_plans_of: &[],
            keep_facts: false,
        };
        let split = quote(&view.state, &PlanMemo::default(), request)
            .map_err(|rejection| anyhow!("the benchmark's own bill was refused: {rejection}"))?
            .split;
        let leg = CashLeg {
            executor: subject.provider,
            rail: Text::new("counter").map_err(|words| anyhow!("{words:?}"))?,
            kind: RailKind::Counter,
            authorisation: sha256_parts(&[b"yibao/bench-till/v1", &number.to_le_bytes()]),
        };
        let body = SettleVisit {
            visit: visit_id(number),
            bill: sha256_parts(&[b"yibao/bench-bill/v1", &number.to_le_bytes()]),
            sums,
            use_personal_account: true,
            use_family_account: false,
            cash: (!split.cash.is_zero()).then_some(leg),
            split,
            consent: Consent::OwnKey,
        };
        let person = Signer::person(self.person(number));
        let signers = [self.provider(number), &self.region.bureau, &person];
        Ok(self.region.sign(&signers, "settle", number, &body))
    }
}
