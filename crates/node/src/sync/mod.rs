//! A node that begins with the state of another instead of with the first block.
//!
//! What the newcomer believes, it believes by proof, from the genesis that it was told: the
//! validators of the genesis certified the block after which others do, those the next such block,
//! and so on to the block of the snapshot ([`trust`]). That block's header has the root of all
//! rows, the root of the receipt log and the hash of the next validators; what was fetched must
//! come to them. What those who decided the blocks agreed on is not executed again: a newcomer
//! believes two thirds of them, as a light node does. Receipts before the block are known by their
//! hashes, so that vouchers can be proved, and are not here themselves.
//!
//! Reading order: this file (what is asked and answered), [`trust`], [`serve`] (who has a ledger),
//! [`fetch`] (who has none).

pub mod fetch;
pub(crate) mod serve;
mod trust;

use borsh::{BorshDeserialize, BorshSerialize};
use proof::header::{Certificate, Header};
use proof::tile::TILE_WIDTH;

pub use fetch::{FetchConfig, Fetched, Progress, SyncError, fetch};

use crate::history::Handover;

/// How long a piece of a snapshot is, in bytes; the last one is shorter.
pub(crate) const PIECE_BYTES: u64 = 512 << 10;
/// How many tiles of the receipt log are told at once.
pub(crate) const TILES_MAX: u64 = 64;
/// How many bytes a tile has.
pub(crate) const TILE_BYTES: usize = TILE_WIDTH as usize * 32;
/// How many handovers are told at once.
pub(crate) const HANDOVERS_MAX: usize = 16;

const _: () = assert!(
    PIECE_BYTES as usize + 64 <= bft::ANSWER_BYTES_MAX as usize
        && TILES_MAX as usize * TILE_BYTES + 64 <= bft::ANSWER_BYTES_MAX as usize
);

/// What a newcomer asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum Question {
    /// Which snapshot there is.
    Newest,
    /// After which blocks behind this height others certified.
    Handovers(u64),
    /// The piece of the snapshot of this height that begins at this byte.
    Piece { height: u64, offset: u64 },
    /// The hashes of the entries of the receipt log in full tiles, from this tile on.
    Tiles(u64),
    /// The block of this height.
    Block(u64),
}

/// What it is told.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum Answer {
    /// The newest snapshot; none yet.
    Newest(Option<Box<Offer>>),
    /// Handovers behind this height, oldest first; none when there is no further one.
    Handovers(u64, Vec<Handover>),
    /// The bytes of a snapshot from this one on.
    Piece { height: u64, offset: u64, bytes: Vec<u8> },
    /// Tiles from this one on.
    Tiles(u64, Vec<u8>),
    /// A block, with what made it final.
    Block(u64, Vec<u8>),
    /// It is not kept any more.
    Gone,
}

/// A snapshot that can be had.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Offer {
    /// The header of its block.
    pub(crate) header: Header,
    /// What made the block final.
    pub(crate) certificate: Certificate,
    /// How many bytes the snapshot has.
    pub(crate) bytes: u64,
}
