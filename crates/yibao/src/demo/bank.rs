//! The demonstration's simulated outside: a bank per currency, a till per provider, and the
//! outboxes that drive what the ledger orders.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use adapters::clock::Clock;
use adapters::effect::RailName;
use adapters::rail::card::{BindCard, BoundCard, CardBinding as _, CardNumber};
use adapters::rail::counter::{Clerk, Counter, Taking};
use adapters::rail::sandbox_bank::{NewCustomer, SandboxBank, SandboxBankConfig};
use adapters::rail::{Action, Order, Outcome, Rail, Reference, Style, Token, Verdict};
use adapters::sqlite::Place;
use anyhow::{Context as _, Result, bail};
use ledger::modules::visit::{CashLeg, RailKind};
use node::outbox::{Authorisation, Note, Outbox, OutboxConfig};
use node::runtime::NodeHandle;
use node::signature::SecretKey;
use primitives::{Amount, CivilDate, Currency, OrganisationId, Text, VisitId, sha256_parts};

use super::actor::Actor;
use super::chamber::organisation_of;
use crate::serving::rails::{RailEntry, keep_rails};

/// The name that settlements call the bank's rail by.
pub const BANK_RAIL: &str = "sandbox_bank";
/// The name that settlements call a till by.
pub const COUNTER_RAIL: &str = "counter";

/// How many customers the bank takes in at once.
const CUSTOMERS_AT_ONCE: usize = 500;

fn outbox(
    node: &NodeHandle,
    folder: &Path,
    (organisation, key): (OrganisationId, SecretKey),
    rail: (&str, Arc<dyn Rail>),
    is_clerks: bool,
    clock: &Arc<dyn Clock>,
) -> Result<Outbox> {
    let name: RailName = Text::new(rail.0).map_err(anyhow::Error::msg)?;
    let clerk_rails = if is_clerks { BTreeSet::from([name.clone()]) } else { BTreeSet::new() };
    let config = OutboxConfig {
        organisation,
        book: Place::File(folder.join("effects.sqlite")),
        outbox: Place::File(folder.join("outbox.sqlite")),
        rails: BTreeMap::from([(name, rail.1)]),
        clerk_rails,
        clock: Arc::clone(clock),
        key,
        is_after_loss: false,
    };
    Outbox::open(node.clone(), config).context("the outbox cannot be opened")
}

/// The simulated bank with the outbox of the organisation that runs it.
pub struct Bank {
    bank: Arc<SandboxBank>,
    executor: Arc<Actor>,
    outbox: Arc<Outbox>,
}

impl Bank {
    /// Opens the bank in its organisation's folder.
    ///
    /// # Errors
    /// When its books cannot be opened.
    pub fn open(
        node: &NodeHandle,
        folder: &Path,
        (executor, key): (Arc<Actor>, SecretKey),
        currency: Currency,
        clock: &Arc<dyn Clock>,
        seed: u64,
    ) -> Result<Self> {
        let mut config = SandboxBankConfig::new(currency, Style::PayAndRefund, seed);
        config.payment_limit = Amount::from_minor(50_000_000);
        config.daily_limit = Amount::from_minor(500_000_000);
        let name: RailName = Text::new(BANK_RAIL).map_err(anyhow::Error::msg)?;
        keep_rails(folder, &key, vec![RailEntry::sandbox_bank(name, &config)])?;
        let place = Place::File(folder.join("bank.sqlite"));
        let bank = Arc::new(SandboxBank::open(&place, config, Arc::clone(clock))?);
        let organisation = organisation_of(&executor)?;
        let rail: Arc<dyn Rail> = Arc::new(bank.rail(organisation));
        let outbox = outbox(node, folder, (organisation, key), (BANK_RAIL, rail), false, clock)?;
        Ok(Self { bank, executor, outbox: Arc::new(outbox) })
    }

    /// Opens an account for each holder and binds its card; in the same order.
    ///
    /// # Errors
    /// When the books fail.
    pub fn open_accounts(&self, holders: &[(String, Amount)]) -> Result<Vec<BoundCard>> {
        let organisation = organisation_of(&self.executor)?;
        let rail = self.bank.rail(organisation);
        let mut bound = Vec::with_capacity(holders.len());
        for part in holders.chunks(CUSTOMERS_AT_ONCE) {
            let new: Vec<NewCustomer> = part
                .iter()
                .map(|(holder, opening)| NewCustomer { holder: holder.clone(), opening: *opening })
                .collect();
            let customers = self.bank.open_accounts(&new)?;
            for (customer, (holder, _)) in customers.iter().zip(part) {
                let number = (bound.len() as u64).to_le_bytes();
                let reference = Reference(sha256_parts(&[b"yibao/demo-card/v1", &number]));
                let request = BindCard {
                    reference,
                    number: customer.card.clone(),
                    holder_name: holder.clone(),
                };
                bound.push(rail.bind_card(&request)?);
            }
        }
        Ok(bound)
    }

    /// Issues a card to each holder, which is not bound; in the same order.
    ///
    /// # Errors
    /// When the books fail.
    pub fn issue(&self, holders: &[(String, Amount)]) -> Result<Vec<CardNumber>> {
        let new: Vec<NewCustomer> = holders
            .iter()
            .map(|(holder, opening)| NewCustomer { holder: holder.clone(), opening: *opening })
            .collect();
        Ok(self.bank.open_accounts(&new)?.into_iter().map(|customer| customer.card).collect())
    }

    /// Lets a card be good until this day only.
    ///
    /// # Errors
    /// When the books fail.
    pub fn expire(&self, card: &CardNumber, day: CivilDate) -> Result<()> {
        Ok(self.bank.set_last_day(card, day)?)
    }

    /// Blocks a card.
    ///
    /// # Errors
    /// When the books fail.
    pub fn block(&self, card: &CardNumber) -> Result<()> {
        Ok(self.bank.set_blocked(card, true)?)
    }

    /// The payment that a transaction about `what` names: taken from this card once the ledger
    /// orders it.
    ///
    /// # Errors
    /// When the book fails.
    pub fn later(&self, from: &Token, what: &[u8]) -> Result<CashLeg> {
        let executor = organisation_of(&self.executor)?;
        let note = Note::Later { from: from.clone() };
        cash_leg(&self.outbox, executor, BANK_RAIL, note, what)
    }

    /// The bank's own books, for the close.
    ///
    /// # Errors
    /// When it is run by a person.
    pub fn book(&self) -> Result<OutsideBook> {
        Ok(OutsideBook::Bank(Arc::clone(&self.bank), organisation_of(&self.executor)?))
    }

    /// Who signs for the bank.
    #[must_use]
    pub fn executor(&self) -> &Actor {
        &self.executor
    }

    /// The outbox that drives its payments.
    #[must_use]
    pub const fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }
}

fn cash_leg(
    outbox: &Outbox,
    executor: OrganisationId,
    rail: &str,
    note: Note,
    what: &[u8],
) -> Result<CashLeg> {
    let name: RailName = Text::new(rail).map_err(anyhow::Error::msg)?;
    let salt = sha256_parts(&[b"yibao/demo-authorisation/v1", what]);
    let authorisation = outbox.record_authorisation(&Authorisation { rail: name, note, salt })?;
    let kind = if rail == COUNTER_RAIL { RailKind::Counter } else { RailKind::Bound };
    let rail = Text::new(rail).map_err(anyhow::Error::msg)?;
    Ok(CashLeg { executor, rail, kind, authorisation })
}

/// A provider's till with its outbox.
pub struct Till {
    counter: Arc<Counter>,
    executor: Arc<Actor>,
    outbox: Arc<Outbox>,
    clerk: Clerk,
    taking: Mutex<()>,
}

impl Till {
    /// Opens a provider's till and the shift of its one clerk.
    ///
    /// # Errors
    /// When its books cannot be opened.
    pub fn open(
        node: &NodeHandle,
        folder: &Path,
        (executor, key): (Arc<Actor>, SecretKey),
        currency: Currency,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self> {
        let organisation = organisation_of(&executor)?;
        let place = Place::File(folder.join("counter.sqlite"));
        let offset = primitives::UtcOffset(480);
        let name: RailName = Text::new(COUNTER_RAIL).map_err(anyhow::Error::msg)?;
        let entry = RailEntry::Counter { name, currency, utc_offset_minutes: offset };
        keep_rails(folder, &key, vec![entry])?;
        let counter = Arc::new(Counter::open(&place, currency, offset, Arc::clone(clock))?);
        let clerk: Clerk = "clerk-1".parse().map_err(anyhow::Error::msg)?;
        counter.open_shift(&clerk, Amount::from_minor(50_000))?;
        let rail: Arc<dyn Rail> = Arc::clone(&counter) as Arc<dyn Rail>;
        let outbox = outbox(node, folder, (organisation, key), (COUNTER_RAIL, rail), true, clock)?;
        Ok(Self { counter, executor, outbox: Arc::new(outbox), clerk, taking: Mutex::default() })
    }

    /// Takes the money over the counter; the settlement names it.
    ///
    /// # Errors
    /// When the books fail.
    pub fn take(&self, due: Amount, visit: VisitId) -> Result<CashLeg> {
        let executor = organisation_of(&self.executor)?;
        let reference = Reference::of_authorisation(&visit, 0);
        {
            let _one_clerk = self.taking.lock().unwrap_or_else(PoisonError::into_inner);
            let taking = Taking { reference, clerk: self.clerk.clone(), due, tendered: due };
            self.counter.take_money(&taking)?;
        }
        let note = Note::Paid { reference, from: self.clerk.till(), amount: due };
        cash_leg(&self.outbox, executor, COUNTER_RAIL, note, &visit.0)
    }

    /// Hands back what was taken for a visit that was not settled after all.
    ///
    /// # Errors
    /// When the till does not give it back.
    pub fn give_back(&self, taken: Amount, visit: VisitId) -> Result<()> {
        let original = Reference::of_authorisation(&visit, 0);
        let order = Order {
            reference: Reference::of_authorisation(&visit, 1),
            action: Action::Refund { original, amount: taken, to: Some(self.clerk.till()) },
        };
        let _one_clerk = self.taking.lock().unwrap_or_else(PoisonError::into_inner);
        match self.counter.perform(&order) {
            Outcome::Final(Verdict::Done(_)) => Ok(()),
            other => bail!("the till does not give money back: {other:?}"),
        }
    }

    /// The till's own books, for the close.
    ///
    /// # Errors
    /// When it is run by a person.
    pub fn book(&self) -> Result<OutsideBook> {
        let organisation = organisation_of(&self.executor)?;
        Ok(OutsideBook::Till(Arc::clone(&self.counter), self.clerk.clone(), organisation))
    }

    /// The outbox that reports what was taken.
    #[must_use]
    pub const fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }
}

/// Books that an organisation outside the ledger keeps of its own.
pub enum OutsideBook {
    /// A bank's, for the organisation that runs it.
    Bank(Arc<SandboxBank>, OrganisationId),
    /// A till's, of one clerk.
    Till(Arc<Counter>, Clerk, OrganisationId),
}

impl OutsideBook {
    /// Whose rail it is.
    #[must_use]
    pub const fn organisation(&self) -> OrganisationId {
        match self {
            Self::Bank(_, organisation) | Self::Till(_, _, organisation) => *organisation,
        }
    }

    /// What it has collected less what it gave back, in minor units.
    ///
    /// # Errors
    /// When the books fail.
    pub fn collected(&self) -> Result<i128> {
        Ok(match self {
            Self::Bank(bank, organisation) => {
                bank.organisation_balance(*organisation)?.minor().into()
            }
            Self::Till(counter, clerk, _) => {
                let shift = counter.open_shift_of(clerk)?;
                i128::from(shift.taken.minor()) - i128::from(shift.given_back.minor())
            }
        })
    }

    /// Whether the books are whole in themselves.
    ///
    /// # Errors
    /// When the books fail.
    pub fn is_sound(&self) -> Result<bool> {
        Ok(match self {
            Self::Bank(bank, _) => bank.books().audit()?,
            Self::Till(counter, ..) => counter.books().audit()?,
        }
        .is_sound())
    }
}
