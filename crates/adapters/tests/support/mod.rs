//! Benches of the embedded rails: books in a temporary folder, a clock that is moved by hand.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::sync::Arc;

use adapters::{
    clock::{Clock, ManualClock},
    rail::{
        Rail, Reference, Style, Token,
        card::{BindCard, CardBinding},
        conformance::Bench,
        counter::{Clerk, Counter},
        sandbox_bank::{AccountNumber, NewCustomer, SandboxBank, SandboxBankConfig},
    },
    sqlite::Place,
};
use primitives::{Amount, CivilDate, Currency, OrganisationId, Timestamp, UtcOffset, sha256_parts};

/// 2026-03-31, noon in China.
pub const NOON: Timestamp = Timestamp::from_millis(1_774_929_600_000);
pub const CHINA: UtcOffset = UtcOffset(480);

pub fn reference(name: &str) -> Reference {
    Reference(sha256_parts(&[b"test/", name.as_bytes()]))
}

pub fn yuan(yuan: u64) -> Amount {
    Amount::from_minor(yuan * 100)
}

pub fn hospital() -> OrganisationId {
    "hospital-1".parse().unwrap()
}

/// A sandbox bank in a folder, with a rich and a poor customer.
pub struct BankBench {
    pub folder: tempfile::TempDir,
    pub clock: Arc<ManualClock>,
    pub config: SandboxBankConfig,
    pub rich: AccountNumber,
    pub poor: AccountNumber,
    pub rich_token: Token,
    pub poor_token: Token,
}

impl BankBench {
    pub fn new(style: Style) -> Self {
        Self::with(SandboxBankConfig::new(Currency::CNY, style, 7))
    }

    pub fn with(config: SandboxBankConfig) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(NOON));
        let place = Place::File(folder.path().join("bank.sqlite"));
        let bank = SandboxBank::open(&place, config, Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
        let bank = Arc::new(bank);
        let new = |holder: &str, opening| NewCustomer { holder: String::from(holder), opening };
        let customers =
            bank.open_accounts(&[new("Rich Test", yuan(1_000_000)), new("Poor Test", yuan(50))]);
        let customers = customers.unwrap();
        let token = |n: usize, holder: &str| {
            let bind = BindCard {
                reference: reference(holder),
                number: customers[n].card.clone(),
                holder_name: String::from(holder),
            };
            bank.rail(hospital()).bind_card(&bind).unwrap().token
        };
        let (rich_token, poor_token) = (token(0, "Rich Test"), token(1, "Poor Test"));
        let (rich, poor) = (customers[0].account, customers[1].account);
        Self { folder, clock, config, rich, poor, rich_token, poor_token }
    }

    pub fn place(&self) -> Place {
        Place::File(self.folder.path().join("bank.sqlite"))
    }

    pub fn bank(&self) -> Arc<SandboxBank> {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Arc::new(SandboxBank::open(&self.place(), self.config, clock).unwrap())
    }
}

impl Bench for BankBench {
    fn open(&self) -> Arc<dyn Rail> {
        Arc::new(self.bank().rail(hospital()))
    }
    fn payer(&self) -> Token {
        self.rich_token.clone()
    }
    fn poor_payer(&self) -> Option<Token> {
        Some(self.poor_token.clone())
    }
    fn now(&self) -> Timestamp {
        self.clock.now()
    }
    fn today(&self) -> CivilDate {
        self.clock.now().day(CHINA)
    }
    fn advance_millis(&self, millis: u64) {
        self.clock.advance_millis(millis);
    }
    fn audit(&self) -> Result<(), String> {
        let audit = self.bank().books().audit().unwrap();
        if audit.is_sound() { Ok(()) } else { Err(format!("{audit:?}")) }
    }
}

/// A counter in a folder, with one clerk whose shift is open.
pub struct CounterBench {
    pub folder: tempfile::TempDir,
    pub clock: Arc<ManualClock>,
    pub clerk: Clerk,
}

impl CounterBench {
    pub fn new() -> Self {
        let bench = Self {
            folder: tempfile::tempdir().unwrap(),
            clock: Arc::new(ManualClock::at(NOON)),
            clerk: "clerk-7".parse().unwrap(),
        };
        bench.counter().open_shift(&bench.clerk, yuan(500)).unwrap();
        bench
    }

    pub fn place(&self) -> Place {
        Place::File(self.folder.path().join("counter.sqlite"))
    }

    pub fn counter(&self) -> Counter {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Counter::open(&self.place(), Currency::CNY, CHINA, clock).unwrap()
    }
}

impl Bench for CounterBench {
    fn open(&self) -> Arc<dyn Rail> {
        Arc::new(self.counter())
    }
    fn payer(&self) -> Token {
        self.clerk.till()
    }
    fn poor_payer(&self) -> Option<Token> {
        None
    }
    fn now(&self) -> Timestamp {
        self.clock.now()
    }
    fn today(&self) -> CivilDate {
        self.clock.now().day(CHINA)
    }
    fn advance_millis(&self, millis: u64) {
        self.clock.advance_millis(millis);
    }
    fn audit(&self) -> Result<(), String> {
        let audit = self.counter().books().audit().unwrap();
        if audit.is_sound() { Ok(()) } else { Err(format!("{audit:?}")) }
    }
}
