//! Bugs that a test plants into a world, to show that a checker finds them. A world without any is
//! what the seeds run.

use ledger::kernel::block::Block;
use ledger::{Receipt, State};

/// A bug of a rail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RailBug {
    /// Every payment and refund moves money twice, the second time under a reference of its own.
    MovesTwice,
    /// Money moves under another reference than the one that was asked for.
    MovesUnderAnotherReference,
    /// A payment is made and the executor is told that it was refused.
    SaysRefused,
    /// No call is ever answered.
    NeverAnswers,
    /// The code that calls the rail panics.
    Panics,
}

/// A bug of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskBug {
    /// Syncs of the block log do nothing, once the region is founded.
    Lies,
    /// At a power cut the disk comes back as it was some blocks before, whole and consistent.
    ComesBackOlder,
}

/// A bug of a desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeskBug {
    /// It gives cash back as soon as it has no answer, although the settlement can still happen.
    GivesBackTooEarly,
    /// Somebody else signs with a person's own key: what a broken check of signatures would let in.
    StealsKeys,
    /// What a contribution was booked with is forgotten, and it is booked anew.
    BooksTwice,
}

/// What a node shows of itself after some blocks; a lens may bend it.
pub struct Shown {
    /// The new blocks, each with its receipts.
    pub blocks: Vec<(Block, Vec<Receipt>)>,
    /// The state after the last of them.
    pub state: State,
}

/// Bends what the checkers see, as a bug in the ledger would.
pub type Lens = Box<dyn FnMut(&mut Shown) + Send>;

/// What is planted in a world.
#[derive(Default)]
pub struct Planted {
    /// In the rails.
    pub rail: Option<RailBug>,
    /// In the disk.
    pub disk: Option<DiskBug>,
    /// In the desks.
    pub desk: Option<DeskBug>,
    /// Between node and checkers.
    pub lens: Option<Lens>,
}

impl std::fmt::Debug for Planted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Planted")
            .field("rail", &self.rail)
            .field("disk", &self.disk)
            .field("desk", &self.desk)
            .field("lens", &self.lens.is_some())
            .finish()
    }
}
