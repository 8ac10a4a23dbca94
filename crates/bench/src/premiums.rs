//! A premium season at its fullest: a registration list of a million, and people who pay while ten
//! thousand others are in the middle of paying.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Instant;

use anyhow::{Result, anyhow, ensure};
use benefit::{AgeBand, IncomeClass, Payer, PersonClasses, Sex};
use ledger::Transaction;
use ledger::kernel::account::Account;
use ledger::kernel::effect::{Effect, EffectResult};
use ledger::kernel::month::CalendarMonth;
use ledger::kernel::posting;
use ledger::modules::coverage::AttestedFacts;
use ledger::modules::fund::{CreditPersonalAccounts, CreditRow, CreditSource, OpenFund};
use ledger::modules::premium::{
    AccountPremium, LockPremium, PayPremiums, PayPremiumsFromAccounts, PremiumClass, PremiumItem,
    PremiumSeason, PremiumSource, RegisterPremiums, RegisteredPremium, SeasonId, SetPremiumSeason,
    WaitingRule, view,
};
use ledger::modules::visit::{CashLeg, ConfirmEffect, RailKind};
use node::NodeHandle;
use primitives::{Amount, CivilDate, FundId, Hash, Party, Period, SchemeId, Text, UtcOffset};

use crate::ceiling::Mix;
use crate::figures::{Bar, Figures};
use crate::in_process;
use crate::region::{self, REGION, Region, Signer, Size, must};
use crate::settlement::on_all_cores;

/// Premiums that stand locked while others are paid.
const LOCKS: u64 = 10_000;
/// The most rows of a batch.
const ROWS: u64 = 500;
/// Batches on their way at once.
const BATCHES: usize = 100;
/// So many payments later comes the bank's word: more than are on their way at once.
const WORD_AFTER: usize = 5_000;
/// What is due, in minor units.
const PREMIUM: u64 = 20_000;
const FUND: FundId = FundId(39);
const SCHEME: SchemeId = SchemeId(390);
const CLASS: u8 = 1;

/// How much is measured.
struct Load {
    people: u64,
    by_rail: u64,
    from_accounts: u64,
}

struct Bench<'a> {
    region: &'a Region,
    node: &'a NodeHandle,
    season: SeasonId,
    today: CivilDate,
    load: Load,
}

fn words<const N: usize>(text: &str) -> Result<Text<N>> {
    Text::new(text).map_err(|why| anyhow!("{why:?}"))
}

/// Takes the figures of a premium season.
///
/// # Errors
/// When the ledger refuses something, or counts otherwise than was sent.
pub fn measure(figures: &mut Figures, folder: &Path, is_quick: bool) -> Result<()> {
    let load = if is_quick {
        Load { people: 100_000, by_rail: 12_000, from_accounts: 12_000 }
    } else {
        Load { people: 1_000_000, by_rail: 60_000, from_accounts: 60_000 }
    };
    let folder = tempfile::tempdir_in(folder)?;
    let region = Region::new(Size { people: load.people, funds: 1, mix: Mix::Ed25519 });
    let genesis = region.found(folder.path())?;
    let node = in_process::open(folder.path(), &genesis)?;
    region.enrol_uncovered(&node)?;
    let today = region::clock().now().day(UtcOffset(480));
    let year = u16::try_from(today.year() + 1)?;
    let season = SeasonId { region: REGION, scheme: SCHEME, year };
    let bench = Bench { region: &region, node: &node, season, today, load };
    bench.open()?;
    bench.register(figures)?;
    bench.lock()?;
    bench.pay(figures)?;
    bench.check()?;
    node.stop();
    Ok(())
}

impl Bench<'_> {
    fn cover(&self) -> Result<Period> {
        let of = |month, day| CivilDate::from_ymd(i32::from(self.season.year), month, day);
        let (from, to) = (of(1, 1).ok_or_else(|| anyhow!("a day"))?, of(12, 31));
        Ok(Period { from, to })
    }

    fn act(&self, transaction: Transaction) -> Result<()> {
        must(self.node, vec![transaction])
    }

    /// The fund, the season, and money on the accounts that will pay.
    fn open(&self) -> Result<()> {
        let bureau = &self.region.bureau;
        let open = OpenFund {
            region: REGION,
            fund: FUND,
            owner: region::organisation("bureau"),
            purpose: Payer::PooledFund,
            year: None,
            floor: Amount::ZERO,
        };
        self.act(self.region.sign(&[bureau], "open fund", 0, &open))?;
        let amount = Amount::from_minor(PREMIUM);
        let class = PremiumClass {
            number: CLASS,
            name: words("full")?,
            amount,
            late_amount: amount,
            repair_amount: amount,
        };
        let terms = PremiumSeason {
            fund: FUND,
            collector: region::organisation("bureau"),
            cover: self.cover()?,
            window: Period { from: self.today, to: self.today.plus_days(30) },
            late_until: None,
            classes: vec![class],
            lock_minutes: 1_440,
            locks_per_payer: 10,
            locks_per_record: 5,
            waiting: WaitingRule {
                months: 3,
                per_further_year: 1,
                long_break_years: 4,
                long_break_months: 6,
            },
            source: words("made up for the benchmark")?,
        };
        let set = SetPremiumSeason { season: self.season, terms };
        self.act(self.region.sign(&[bureau], "season", 0, &set))?;
        let first = self.load.by_rail;
        let accounts: Vec<u64> = (first..first + self.load.from_accounts).collect();
        for (batch, part) in (1..).zip(accounts.chunks(400)) {
            let rows = part.iter().map(|one| CreditRow { person: region::person(*one), amount });
            let credit = CreditPersonalAccounts {
                region: REGION,
                source: CreditSource::Outside,
                month: CalendarMonth { year: 2026, month: 1 },
                batch,
                rows: rows.collect(),
            };
            self.act(self.region.sign(&[bureau], "credit", u64::from(batch), &credit))?;
        }
        Ok(())
    }

    /// The registration list, in batches that are signed beforehand.
    fn register(&self, figures: &mut Figures) -> Result<()> {
        let facts = AttestedFacts {
            period: self.cover()?,
            age: AgeBand::new(30, 60).unwrap_or_default(),
            sex: Sex::Unstated,
            person_classes: PersonClasses::NONE,
            income_class: IncomeClass::NONE,
            unbroken_years: 3,
            claim_free_years: 0,
            month_of_75: false,
            family: None,
        };
        let row = |number| RegisteredPremium {
            person: region::person(number),
            class: CLASS,
            missed_years: 0,
            newborn_until: None,
            facts,
        };
        let batches: Vec<u64> = (0..self.load.people.div_ceil(ROWS)).collect();
        let mut seconds = 0.0;
        for some in batches.chunks(BATCHES) {
            let signed = on_all_cores(some, |batch| {
                let last = ((batch + 1) * ROWS).min(self.load.people);
                let rows = (batch * ROWS..last).map(row).collect();
                let body = RegisterPremiums { season: self.season, rows };
                Ok(self.region.sign(&[&self.region.bureau], "register", batch, &body))
            })?;
            let begin = Instant::now();
            must(self.node, signed)?;
            seconds += begin.elapsed().as_secs_f64();
        }
        let a_second = self.load.people as f64 / seconds;
        let least = 1_000_000.0 / 60.0;
        figures.note("premiums/registered", a_second, "rows/s", Bar::AtLeast(least));
        figures.note("premiums/register_1m", 1_000_000.0 / a_second, "s", Bar::AtMost(60.0));
        figures.note("ratio/premiums/registered_to_bar", a_second / least, "x", Bar::AtLeast(1.0));
        Ok(())
    }

    /// The last of the list are in the middle of paying.
    fn lock(&self) -> Result<()> {
        let first = self.load.people - LOCKS;
        let numbers: Vec<u64> = (first..self.load.people).collect();
        for some in numbers.chunks(2_000) {
            let signed = on_all_cores(some, |number| {
                let body = LockPremium {
                    season: self.season,
                    person: region::person(number),
                    payer: Party::Person(region::person(number)),
                    channel: region::organisation("bureau"),
                };
                Ok(self.region.sign(&[&self.region.bureau], "lock", number, &body))
            })?;
            must(self.node, signed)?;
        }
        Ok(())
    }

    /// The payment of one premium over a rail, signed by payer and executor, and the executor's
    /// word on it.
    fn by_rail(&self, number: u64) -> Result<[Transaction; 2]> {
        let payer = Signer::person(number);
        let bureau = region::organisation("bureau");
        let amount = Amount::from_minor(PREMIUM);
        let body = PayPremiums {
            season: self.season,
            payer: payer.party(),
            channel: bureau,
            items: vec![PremiumItem {
                person: region::person(number),
                repair_years: 0,
                amount,
                from_account: Amount::ZERO,
            }],
            cash: CashLeg {
                executor: bureau,
                rail: words("bank")?,
                kind: RailKind::Bound,
                authorisation: Hash::default(),
            },
        };
        let pay = self.region.sign(&[&payer, &self.region.bureau], "pay", number, &body);
        let word = ConfirmEffect {
            effect: Effect::reference(pay.content.id(), 0),
            result: EffectResult::Done { amount },
            rail_reference: Hash::default(),
        };
        Ok([pay, self.region.sign(&[&self.region.bureau], "word", number, &word)])
    }

    fn by_account(&self, number: u64) -> Transaction {
        let payer = Signer::person(number);
        let item = AccountPremium {
            person: region::person(number),
            repair_years: 0,
            amount: Amount::from_minor(PREMIUM),
            source: PremiumSource::PersonalAccount,
        };
        let payer_id = region::person(number);
        let body =
            PayPremiumsFromAccounts { season: self.season, payer: payer_id, items: vec![item] };
        self.region.sign(&[&payer], "pay from account", number, &body)
    }

    /// As many as the node takes: over a rail with the word on each some time later, and from
    /// accounts.
    fn pay(&self, figures: &mut Figures) -> Result<()> {
        let all = self.load.by_rail;
        let numbers: Vec<u64> = (0..all).collect();
        let both = on_all_cores(&numbers, |number| self.by_rail(number))?;
        let mut mixed = Vec::with_capacity(both.len() * 2);
        let mut waiting = VecDeque::new();
        for [pay, word] in both {
            mixed.push(pay);
            waiting.push_back(word);
            if waiting.len() > WORD_AFTER {
                mixed.extend(waiting.pop_front());
            }
        }
        mixed.extend(waiting);
        let outcome = in_process::saturate(self.node, &in_process::encoded(&mixed))?;
        let a_second = outcome.per_second / 2.0;
        let bar = Bar::AtLeast(1_000.0);
        figures.note("premiums/paid_10k_locks", a_second, "payments/s", bar);
        figures.note("premiums/paid_10k_locks_p99", outcome.p99, "ms", Bar::Told);
        figures.note("ratio/premiums/paid_to_bar", a_second / 1_000.0, "x", Bar::AtLeast(1.0));
        let numbers: Vec<u64> = (all..all + self.load.from_accounts).collect();
        let payments = on_all_cores(&numbers, |number| Ok(self.by_account(number)))?;
        let outcome = in_process::saturate(self.node, &in_process::encoded(&payments))?;
        figures.note("premiums/from_accounts_10k_locks", outcome.per_second, "payments/s", bar);
        Ok(())
    }

    /// Locks stand, every payment is counted once, and the fund has it.
    fn check(&self) -> Result<()> {
        let view = self.node.view();
        let now = region::clock().now();
        let locked = view::locked(&view.state, self.season, now);
        ensure!(locked == LOCKS, "{locked} premiums are locked");
        let paid = view::tally(&view.state, self.season, CLASS).paid;
        let sent = self.load.by_rail + self.load.from_accounts;
        ensure!(u64::from(paid.persons) == sent, "{} premiums are paid", paid.persons);
        let fund = Account::Fund { region: REGION, fund: FUND };
        let balance = posting::balance(&view.state, &fund);
        ensure!(balance == i128::from(sent * PREMIUM), "the fund has {balance}");
        Ok(())
    }
}
