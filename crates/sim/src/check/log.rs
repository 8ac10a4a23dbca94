//! The receipt log: it only grows, is what the headers say, and keeps everything that was shown.

use std::collections::BTreeMap;

use ledger::Receipt;
use ledger::kernel::block::{Block, TIME_JUMP_MILLIS_MAX};
use node::NodeHandle;
use node::runtime::ReadView;
use primitives::{Hash, Timestamp, codec, sha256};
use proof::log::{Frontier, leaf_hash, verify_consistency, verify_inclusion};
use proof::tile::{TILE_WIDTH, Tile, decode_entries, encode_tile};

use super::{Rule, Violation, read_receipt, require};

/// A copy of the log as it was shown, by digest.
#[derive(Default)]
pub struct LogCheck {
    height: u64,
    time: Timestamp,
    value_id: Hash,
    state_root: Hash,
    log: Frontier,
    /// Every block as it was shown, by digest.
    blocks: Vec<Hash>,
    receipts: Vec<Hash>,
    leaves: Vec<Hash>,
    by_transaction: BTreeMap<Hash, Vec<u64>>,
    /// What clients were told before the block was looked at.
    told: Vec<(Hash, u64, Hash)>,
    acknowledged: u64,
}

fn same(holds: bool, words: impl FnOnce() -> String) -> Result<(), Violation> {
    require(Rule::Recovery, holds, words)
}

fn digest(receipt: &Receipt) -> Hash {
    sha256(&codec::encode(receipt))
}

impl LogCheck {
    /// The height of the last block that was looked at.
    #[must_use]
    pub const fn height(&self) -> u64 {
        self.height
    }

    /// Block time of the last block that was looked at.
    #[must_use]
    pub const fn time(&self) -> Timestamp {
        self.time
    }

    /// How many receipts were looked at.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.receipts.len() as u64
    }

    /// How many acknowledgements clients were given.
    #[must_use]
    pub const fn acknowledged_count(&self) -> u64 {
        self.acknowledged
    }

    /// A client was told of a receipt.
    pub(super) fn acknowledged(
        &mut self,
        id: Hash,
        index: u64,
        receipt: &Receipt,
    ) -> Result<(), Violation> {
        self.acknowledged += 1;
        require(Rule::AcknowledgedKept, receipt.record.transaction_id == id, || {
            format!("transaction {id} was answered with the receipt of another one")
        })?;
        self.told.push((id, index, digest(receipt)));
        self.compare_told()
    }

    fn compare_told(&mut self) -> Result<(), Violation> {
        let (known, later): (Vec<_>, Vec<_>) =
            self.told.drain(..).partition(|(_, index, _)| *index < self.receipts.len() as u64);
        self.told = later;
        for (id, index, digest) in known {
            let is_same = self.receipts.get(index as usize) == Some(&digest);
            require(Rule::AcknowledgedKept, is_same, || {
                format!(
                    "transaction {id} was acknowledged as receipt {index}, which is another one"
                )
            })?;
        }
        Ok(())
    }

    /// The next block, with its receipts.
    pub(super) fn block(&mut self, block: &Block, receipts: &[Receipt]) -> Result<(), Violation> {
        let header = &block.header;
        let height = header.height;
        for receipt in receipts {
            let index = self.receipts.len() as u64;
            let leaf = leaf_hash(&receipt.record.leaf());
            self.log.push(leaf);
            self.leaves.push(leaf);
            self.receipts.push(digest(receipt));
            self.by_transaction.entry(receipt.record.transaction_id).or_default().push(index);
        }
        let latest = self.time.plus_millis(TIME_JUMP_MILLIS_MAX);
        let rules = [
            (height == self.height + 1, "its height"),
            (header.parent == self.value_id, "its parent"),
            (receipts.len() == block.transactions.len(), "the number of its receipts"),
            (header.receipt_log_size == self.log.size(), "the size of the receipt log"),
            (header.receipt_log_root == self.log.root(), "the root of the receipt log"),
            (self.time <= header.time, "its time, which went back"),
            (self.height == 0 || header.time <= latest, "its time, which jumped"),
        ];
        for (holds, what) in rules {
            require(Rule::AppendOnly, holds, || format!("block {height} is wrong in {what}"))?;
        }
        self.height = height;
        self.time = header.time;
        self.value_id = header.value_id();
        self.blocks.push(sha256(&codec::encode(block)));
        self.state_root = header.state_root;
        Ok(())
    }

    /// The node stands where the blocks end.
    pub(super) fn compare_tip(&mut self, view: &ReadView) -> Result<(), Violation> {
        let is_same = view.tip.height == self.height
            && (self.height == 0 || view.tip.value_id == self.value_id)
            && view.tip.log == self.log;
        require(Rule::AppendOnly, is_same, || {
            format!("the node stands at {}, its blocks end at {}", view.tip.height, self.height)
        })?;
        self.compare_told()?;
        require(Rule::AcknowledgedKept, self.told.is_empty(), || {
            format!("{:?} was acknowledged and is in no block", self.told[0].0)
        })?;
        let is_root = self.height == 0 || view.state.root() == self.state_root;
        require(Rule::Recovery, is_root, || {
            format!("the state is not the one of block {}'s header", self.height)
        })
    }

    /// After a start: everything that was shown before is there.
    ///
    /// # Errors
    /// What is lost or changed.
    pub fn after_start(&self, node: &NodeHandle) -> Result<(), Violation> {
        let tip = node.view().tip.clone();
        require(Rule::AcknowledgedKept, tip.log.size() >= self.size(), || {
            format!("{} receipts were shown, {} are there", self.size(), tip.log.size())
        })?;
        for (index, known) in (0..).zip(&self.receipts) {
            let receipt = read_receipt(node, index)?;
            require(Rule::AcknowledgedKept, digest(&receipt) == *known, || {
                format!("receipt {index} has other bytes than before")
            })?;
        }
        let broken = |words: String| Violation::new(Rule::AppendOnly, words);
        let proof = node.consistency_proof(self.size(), tip.log.size());
        let proof = proof.map_err(|error| broken(error.to_string()))?;
        let (old, new) = (self.log.root(), tip.log.root());
        verify_consistency(self.size(), old, tip.log.size(), new, &proof)
            .map_err(|error| broken(format!("the log is no continuation: {error}")))
    }

    /// At the end: every receipt is found by its transaction, and a sample is proved to be in the
    /// log.
    ///
    /// # Errors
    /// What is not found or not proved.
    pub fn at_rest(&self, node: &NodeHandle) -> Result<(), Violation> {
        let broken = |words: String| Violation::new(Rule::AppendOnly, words);
        for (id, places) in &self.by_transaction {
            let placed = node.receipt_by_transaction(id);
            let placed = placed.map_err(|error| broken(error.to_string()))?;
            let is_found = placed.is_some_and(|placed| places.contains(&placed.index));
            require(Rule::AcknowledgedKept, is_found, || format!("{id} is not found"))?;
        }
        let (size, root) = (self.log.size(), self.log.root());
        for index in (0..size).step_by(37) {
            let leaf = leaf_hash(&read_receipt(node, index)?.record.leaf());
            let path = node.inclusion_proof(index, size);
            let path = path.map_err(|error| broken(error.to_string()))?;
            verify_inclusion(leaf, index, size, root, &path)
                .map_err(|error| broken(format!("receipt {index} is not proved: {error}")))?;
        }
        Ok(())
    }

    /// Asks a node for blocks, receipts, tiles, proofs and the checkpoint, of which any part may be
    /// damaged: whether it answers all of it.
    ///
    /// # Errors
    /// An answer that is another than it was.
    pub fn says_the_same(&self, node: &NodeHandle) -> Result<bool, Violation> {
        let mut answers_all = true;
        for (height, known) in (1..).zip(&self.blocks) {
            match node.block(height) {
                Ok(Some(block)) => {
                    let is_same = sha256(&codec::encode(&block)) == *known;
                    same(is_same, || format!("block {height} is another one"))?;
                }
                _ => answers_all = false,
            }
        }
        for (index, known) in (0..).zip(&self.receipts) {
            match node.receipt_at(index) {
                Ok(Some(receipt)) => {
                    let is_same = digest(&receipt) == *known;
                    same(is_same, || format!("receipt {index} is another one"))?;
                }
                _ => answers_all = false,
            }
        }
        answers_all &= self.tiles_are_the_same(node)?;
        let (size, root) = (self.log.size(), self.log.root());
        for (index, leaf) in (0..).zip(&self.leaves).step_by(29) {
            let Ok(path) = node.inclusion_proof(index, size) else {
                answers_all = false;
                continue;
            };
            let is_proved = verify_inclusion(*leaf, index, size, root, &path).is_ok();
            same(is_proved, || format!("the proof of receipt {index} is wrong"))?;
        }
        let Ok(signed) = node.checkpoint() else { return Ok(false) };
        let is_same = signed.checkpoint().size == size && signed.checkpoint().root == root;
        same(is_same, || String::from("the checkpoint is another one"))?;
        Ok(answers_all)
    }

    fn tiles_are_the_same(&self, node: &NodeHandle) -> Result<bool, Violation> {
        let mut answers_all = true;
        for tile in Tile::all(self.log.size()).filter(|tile| tile.level() == 0) {
            let first = tile.index() as usize * usize::from(TILE_WIDTH);
            let leaves = &self.leaves[first..first + usize::from(tile.width())];
            match (node.tile(tile), node.entry_bundle(tile)) {
                (Ok(Some(hashes)), Ok(Some(entries))) => {
                    let entries = decode_entries(&entries).unwrap_or_default();
                    let hashed: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
                    let is_same = hashes == encode_tile(leaves) && hashed == leaves;
                    same(is_same, || format!("`{}` is another one", tile.path()))?;
                }
                _ => answers_all = false,
            }
        }
        Ok(answers_all)
    }

    /// Whether a transaction was accepted, as the log has it, is for the caller; this is where its
    /// receipts are.
    #[must_use]
    pub fn places_of(&self, id: &Hash) -> &[u64] {
        self.by_transaction.get(id).map_or(&[], Vec::as_slice)
    }

    /// The root of the state after the last block.
    #[must_use]
    pub const fn state_root(&self) -> Hash {
        self.state_root
    }

    /// The root of the receipt log.
    #[must_use]
    pub fn log_root(&self) -> Hash {
        self.log.root()
    }
}
