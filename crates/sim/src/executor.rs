//! Those who execute effects: the bank's outbox and one of every provider's till. Their books lie
//! in files that survive every death of the process.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use adapters::effect::RailName;
use adapters::rail::{Rail, Token};
use adapters::sqlite::Place;
use node::NodeHandle;
use node::outbox::{
    Authorisation, OpenEffect, OpenReason, Outbox, OutboxConfig, OutboxFailure, StepReport,
};
use primitives::{Hash, OrganisationId, Party, Text};

use crate::actor::{Actor, organisation};
use crate::clock::{Trap, TrappedClock, run_process};
use crate::rails::{CLEARING, COUNTER, CREDIT, DEBIT, Rails, bank};
use crate::region::{BUREAU, Region};

/// How often an outbox steps at once when there is always more to do.
const STEPS_AT_ONCE: usize = 8;

/// All outboxes of a world, open as long as the node is.
pub struct Executors {
    /// The bank's.
    pub bank: Outbox,
    /// The bureau's, for payments that it takes over.
    pub bureau: Outbox,
    /// One per provider, in their order.
    pub tills: Vec<Outbox>,
}

/// How a round of the outboxes ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// All stepped; whether one of them did something.
    Done {
        /// Whether anything was done.
        has_worked: bool,
    },
    /// The process died at a trap.
    Killed,
}

/// What outboxes need besides the node.
pub struct Surroundings<'a> {
    /// Who signs.
    pub region: &'a Region,
    /// The rails.
    pub rails: &'a Rails,
    /// The world's clock.
    pub clock: &'a Arc<adapters::clock::ManualClock>,
    /// Where a process may die.
    pub trap: &'a Arc<Trap>,
    /// Where the books lie.
    pub folder: &'a Path,
}

impl Executors {
    /// Opens the outboxes on a node.
    ///
    /// # Errors
    /// When a book cannot be opened.
    pub fn open(node: &NodeHandle, around: &Surroundings<'_>) -> Result<Self, OutboxFailure> {
        let (debit, credit) = (&around.rails.debit, &around.rails.credit);
        let rails = BTreeMap::from([
            (name(DEBIT), Arc::clone(&debit.line.trapped)),
            (name(CREDIT), Arc::clone(&credit.line.trapped)),
        ]);
        let bank = around.open(node, bank(), rails, BTreeSet::new())?;
        let clearing =
            BTreeMap::from([(name(CLEARING), Arc::clone(&around.rails.clearing.0.trapped))]);
        let bureau = around.open(node, organisation(BUREAU), clearing, BTreeSet::new())?;
        let providers = around.region.providers.iter().zip(&around.rails.tills);
        let tills = providers.map(|(provider, till)| {
            let rails = BTreeMap::from([(name(COUNTER), Arc::clone(&till.line.trapped))]);
            around.open(node, provider.code, rails, BTreeSet::from([name(COUNTER)]))
        });
        Ok(Self { bank, bureau, tills: tills.collect::<Result<_, _>>()? })
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Outbox> {
        [&self.bank, &self.bureau].into_iter().chain(&self.tills)
    }

    /// Every outbox does what can be done now; the bank's does not while the bank sleeps.
    ///
    /// # Errors
    /// When a book fails.
    pub fn round(&self, bank_sleeps: bool) -> Result<Round, OutboxFailure> {
        let mut has_worked = false;
        for outbox in self.all().skip(usize::from(bank_sleeps)) {
            for _ in 0..STEPS_AT_ONCE {
                let Some(report) = run_process(|| outbox.step()) else {
                    return Ok(Round::Killed);
                };
                if report? == StepReport::default() {
                    break;
                }
                has_worked = true;
            }
        }
        Ok(Round::Done { has_worked })
    }

    /// Keeps an authorisation in the outbox of its executor; gives the commitment.
    ///
    /// # Panics
    /// When the book fails: a book on a sound disk does not.
    #[must_use]
    pub fn record(&self, owner: Owner, authorisation: &Authorisation) -> Hash {
        let kept = self.of(owner).record_authorisation(authorisation);
        kept.expect("a sound book takes it")
    }

    /// The outbox of an owner.
    #[must_use]
    pub fn of(&self, owner: Owner) -> &Outbox {
        match owner {
            Owner::Bank => &self.bank,
            Owner::Bureau => &self.bureau,
            Owner::Provider(place) => &self.tills[place],
        }
    }

    /// What waits for a clerk of this provider.
    ///
    /// # Panics
    /// When the book fails.
    #[must_use]
    pub fn waiting_for_clerk(&self, provider: usize) -> Vec<OpenEffect> {
        let open = self.tills[provider].worklist(256).expect("a sound book can be read");
        open.into_iter().filter(|one| one.reason == OpenReason::Clerk).collect()
    }

    /// A clerk hands out the money of an effect; nothing when it does not wait any more.
    pub fn hand_out(&self, provider: usize, effect: &Hash, till: &Token) {
        // Another clerk may have been quicker.
        let _ = self.tills[provider].hand_out(effect, till);
    }

    /// Effects that no rail was told of, in words.
    ///
    /// # Panics
    /// When a book fails.
    #[must_use]
    pub fn stuck(&self) -> Vec<String> {
        let open = self.all().flat_map(|outbox| outbox.worklist(256).expect("a sound book"));
        open.map(|one| format!("{}: {:?}", one.reference, one.reason)).collect()
    }

    /// How many effects the ledger still waits for.
    ///
    /// # Panics
    /// When a book fails.
    #[must_use]
    pub fn open_count(&self) -> u64 {
        self.all().map(|outbox| outbox.open_count().expect("a sound book can be read")).sum()
    }
}

/// Whose outbox it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// The bank's.
    Bank,
    /// The bureau's.
    Bureau,
    /// The provider's at this place of the region's list.
    Provider(usize),
}

impl Surroundings<'_> {
    fn open(
        &self,
        node: &NodeHandle,
        organisation: OrganisationId,
        rails: BTreeMap<RailName, Arc<dyn Rail>>,
        clerk_rails: BTreeSet<RailName>,
    ) -> Result<Outbox, OutboxFailure> {
        let file =
            |name: &str| Place::File(self.folder.join(format!("{organisation}-{name}.sqlite")));
        let config = OutboxConfig {
            organisation,
            book: file("effects"),
            outbox: file("outbox"),
            rails,
            clerk_rails,
            clock: Arc::new(TrappedClock {
                clock: Arc::clone(self.clock),
                trap: Arc::clone(self.trap),
            }),
            key: Actor::new(Party::Organisation(organisation), "online").into_key(),
            is_after_loss: false,
        };
        Outbox::open(node.clone(), config)
    }
}

/// A rail's name.
///
/// # Panics
/// When it is none: names are literals of this crate.
#[must_use]
pub fn name(rail: &str) -> RailName {
    Text::new(rail).expect("a short name")
}
