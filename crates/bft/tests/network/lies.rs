//! What one validator of four does that is not honest.
//!
//! It has a key that counts and peers that listen, so that whatever it says reaches the others as
//! said by a validator. It knows how messages are written ([`BLOCK`] and the others are their first
//! bytes), and no honest key.

use std::sync::Arc;
use std::time::Duration;

use consensus::Signer as _;
use primitives::{OrganisationId, codec};

use crate::keys::TestKey;
use crate::worlds::Random;

/// The first byte of messages with votes and proposals.
const CONSENSUS: u8 = 0;
/// The first byte of a message with a block.
const BLOCK: u8 = 2;
/// The first byte of a message that tells a height.
const STATUS: u8 = 4;
/// The first byte of a message that asks for blocks.
const FETCH: u8 = 5;
/// The first byte of a message with decided blocks.
const DECIDED: u8 = 6;
/// How much of what was said is kept to be said again.
const HEARD_MAX: usize = 400;

/// How long it is silent between two inventions.
const PAUSE: Duration = Duration::from_millis(50);

/// A way to lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lie {
    /// It runs twice with one key: it proposes and votes two things at once. Some of its bytes are
    /// changed.
    Twin,
    /// Blocks and votes reach only some of the others, and blocks that are asked for nobody.
    Withholds,
    /// It proposes blocks that do not follow from the ledger, or in another time or place.
    Invalid,
    /// What anybody said once it says again: stale proposals, votes of other rounds, old blocks.
    Repeats,
    /// It makes up blocks for every height and round, tells of heights that are not there, asks for
    /// blocks without end, and sends noise.
    Floods,
}

/// All of them.
pub const LIES: [Lie; 5] = [Lie::Twin, Lie::Withholds, Lie::Invalid, Lie::Repeats, Lie::Floods];

/// What is sent instead of something.
pub enum Said {
    /// Nothing.
    Nothing,
    /// What it is.
    AsItIs,
    /// This.
    Otherwise(Arc<[u8]>),
}

/// The validator that lies, and how often it did.
pub struct Liar {
    pub lie: Lie,
    pub told: u64,
    /// When it invents something next: what it is answered does not make it say more.
    next: Duration,
    heard: Vec<Arc<[u8]>>,
}

impl Liar {
    pub fn new(lie: Lie) -> Self {
        Self { lie, told: 0, next: Duration::ZERO, heard: Vec::new() }
    }

    /// Whatever goes over the network it may have heard.
    pub fn hears(&mut self, random: &mut Random, bytes: &Arc<[u8]>) {
        if self.lie != Lie::Repeats {
            return;
        }
        if self.heard.len() < HEARD_MAX {
            self.heard.push(Arc::clone(bytes));
        } else if random.is_chosen(10) {
            let at = usize::try_from(random.below(HEARD_MAX as u64)).unwrap();
            self.heard[at] = Arc::clone(bytes);
        }
    }

    /// What it makes of something that its program has to say to another.
    pub fn says(&mut self, random: &mut Random, to: usize, bytes: &Arc<[u8]>) -> Said {
        let first = bytes.first().copied().unwrap_or(u8::MAX);
        match self.lie {
            Lie::Twin if random.is_chosen(10) => {
                self.told += 1;
                let mut changed = bytes.to_vec();
                let at = usize::try_from(random.below(changed.len() as u64)).unwrap();
                changed[at] ^= u8::try_from(1 + random.below(255)).unwrap();
                Said::Otherwise(changed.into())
            }
            Lie::Withholds => {
                let is_withheld = match first {
                    BLOCK | CONSENSUS => to == 0 || random.is_chosen(40),
                    DECIDED => true,
                    _ => false,
                };
                self.told += u64::from(is_withheld);
                if is_withheld { Said::Nothing } else { Said::AsItIs }
            }
            Lie::Invalid => {
                self.told += u64::from(first == BLOCK);
                Said::AsItIs
            }
            Lie::Twin | Lie::Repeats | Lie::Floods => Said::AsItIs,
        }
    }

    /// What it says that its program does not.
    pub fn invents(
        &mut self,
        random: &mut Random,
        (now, height): (Duration, u64),
    ) -> Vec<Arc<[u8]>> {
        if now < self.next {
            return Vec::new();
        }
        self.next = now + PAUSE;
        let invented: Vec<_> = match self.lie {
            Lie::Repeats => {
                let count = random.below(6);
                let one = |_| {
                    let at = random.below(self.heard.len() as u64);
                    self.heard.get(usize::try_from(at).unwrap()).cloned()
                };
                (0..count).filter_map(one).collect()
            }
            Lie::Floods => (0..10).map(|_| noise(random, height)).collect(),
            Lie::Twin | Lie::Withholds | Lie::Invalid => Vec::new(),
        };
        self.told += invented.len() as u64;
        invented
    }
}

/// A message that says nothing true.
fn noise(random: &mut Random, height: u64) -> Arc<[u8]> {
    let there = height.saturating_sub(2) + random.below(8);
    let bytes: Vec<u8> = match random.below(5) {
        0 => codec::encode(&(STATUS, there + random.below(1_000))),
        1 => codec::encode(&(FETCH, random.below(there + 2))),
        2 => {
            let any = random.below(40);
            let block: Vec<u8> = (0..any).map(|_| random.next().to_le_bytes()[0]).collect();
            let proposer = TestKey::new(usize::try_from(random.below(4)).unwrap()).organisation();
            let round = u32::try_from(random.below(12)).unwrap();
            let carried: (u8, u64, u32, Option<u32>, OrganisationId, Vec<u8>) =
                (BLOCK, there, round, None, proposer, block);
            codec::encode(&carried)
        }
        3 => codec::encode(&(DECIDED, 0_u32)),
        _ => (0..random.below(200)).map(|_| random.next().to_le_bytes()[0]).collect(),
    };
    bytes.into()
}
