//! A ledger of opaque payloads in memory: what an engine needs of one, in its smallest form.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, Condvar, Mutex};

use bft::equivocation::is_proved;
use consensus::{
    Application, Equivocation, Next, Origin, Proposal, Replica, SignedValue, Undecided, Verdict,
};
use primitives::{Hash, OrganisationId, Timestamp, codec, sha256};
use proof::header::{Certificate, ChainId, HEADER_VERSION, Header, ValidatorSet};

use crate::keys::Dalek;

/// A block of the test: its header and the payloads behind it.
pub type Block = (Header, Vec<Vec<u8>>);

/// What outlives the engine, as a disk does.
#[derive(Default)]
pub struct Kept {
    pub blocks: Vec<(Vec<u8>, Certificate)>,
    pub pool: Vec<Vec<u8>>,
    undecided: BTreeMap<Hash, (u64, Undecided, Vec<u8>)>,
    pub accused: BTreeSet<OrganisationId>,
    /// The last block for which a lost disk can have signed, where one was lost.
    pub signed_to: u64,
    /// How many blocks were found not to follow.
    pub refused: u64,
}

/// What is kept, and whoever waits for it.
#[derive(Default)]
pub struct Shared {
    pub kept: Mutex<Kept>,
    pub changed: Condvar,
}

impl Kept {
    pub fn height(&self) -> u64 {
        u64::try_from(self.blocks.len()).unwrap()
    }

    pub fn decided(&self) -> impl Iterator<Item = Vec<u8>> {
        self.blocks.iter().flat_map(|(block, _)| codec::decode::<Block>(block).unwrap().1)
    }

    /// Takes payloads into the pool that are neither there nor decided.
    pub fn take(&mut self, payloads: Vec<Vec<u8>>) {
        let mut known: BTreeSet<_> = self.decided().chain(self.pool.iter().cloned()).collect();
        self.pool.extend(payloads.into_iter().filter(|one| known.insert(one.clone())));
    }

    /// Forgets all after this block; those who submitted something submit it again.
    pub fn go_back(&mut self, height: u64) {
        self.blocks.truncate(usize::try_from(height).unwrap());
        self.undecided.clear();
    }

    fn parent(&self) -> Hash {
        self.blocks.last().map_or(Hash::default(), |(block, _)| {
            codec::decode::<Block>(block).unwrap().0.value_id()
        })
    }
}

/// One node's ledger.
pub struct Ledger {
    pub shared: Arc<Shared>,
    pub chain_id: ChainId,
    pub validators: ValidatorSet,
    pub own: OrganisationId,
    /// Otherwise it proposes what does not follow, and takes it for right.
    pub is_honest: bool,
}

impl Ledger {
    fn header(&self, kept: &Kept, payloads: &[Vec<u8>]) -> Header {
        Header {
            version: HEADER_VERSION,
            chain_id: self.chain_id,
            height: kept.height() + 1,
            time: Timestamp::from_millis(kept.height()),
            parent: kept.parent(),
            transaction_root: sha256(&codec::encode(payloads)),
            receipt_log_size: 0,
            receipt_log_root: Hash::default(),
            state_root: Hash::default(),
            next_validators: self.validators.hash(),
        }
    }
}

fn proposal(block: &[u8]) -> Proposal {
    let (header, _) = codec::decode::<Block>(block).unwrap();
    Proposal { header, block: block.into() }
}

impl Application for Ledger {
    type Error = Infallible;

    fn next(&self) -> Next {
        let height = self.shared.kept.lock().unwrap().height() + 1;
        Next { height, validators: self.validators.clone() }
    }

    fn propose(&mut self, _: u64, round: u32) -> Result<Option<Proposal>, Infallible> {
        self.propose_in_turn(round).map(Some)
    }

    fn commit(&mut self, proposal: Proposal, certificate: Certificate) -> Result<(), Infallible> {
        let mut kept = self.shared.kept.lock().unwrap();
        let (header, payloads) = codec::decode::<Block>(&proposal.block).unwrap();
        assert_eq!(header.height, kept.height() + 1);
        assert_eq!(header.parent, kept.parent());
        kept.blocks.push((proposal.block.to_vec(), certificate));
        kept.pool.retain(|one| !payloads.contains(one));
        kept.undecided.clear();
        self.shared.changed.notify_all();
        Ok(())
    }
}

impl Replica for Ledger {
    fn has_work(&mut self) -> bool {
        !self.shared.kept.lock().unwrap().pool.is_empty()
    }

    fn has_moved_on(&self) -> bool {
        let kept = self.shared.kept.lock().unwrap();
        kept.height() >= kept.signed_to
    }

    fn propose_in_turn(&mut self, round: u32) -> Result<Proposal, Infallible> {
        let mut kept = self.shared.kept.lock().unwrap();
        let own = kept.undecided.values().find(|(_, one, _)| one.proposer == self.own);
        if let Some((_, _, block)) = own {
            return Ok(proposal(block));
        }
        let mut payloads = kept.pool.clone();
        let mut header = self.header(&kept, &payloads);
        if !self.is_honest {
            // Each time another thing that is not so.
            match (header.height + u64::from(round)) % 5 {
                0 => header.state_root = sha256(b"another state"),
                1 => header.parent = sha256(b"another parent"),
                2 => header.next_validators = sha256(b"nobody"),
                3 => payloads.extend(kept.decided().next()),
                _ => header.time = Timestamp::from_millis(u64::MAX),
            }
        }
        let (height, value_id) = (header.height, header.value_id());
        let block = codec::encode(&(header, payloads));
        let undecided = Undecided { round, valid_round: None, proposer: self.own, value_id };
        kept.undecided.insert(value_id, (height, undecided, block.clone()));
        Ok(proposal(&block))
    }

    fn header_of(&self, block: &[u8]) -> Option<Header> {
        codec::decode::<Block>(block).ok().map(|(header, _)| header)
    }

    fn judge(&mut self, origin: Origin, block: &[u8]) -> Result<Verdict, Infallible> {
        let mut kept = self.shared.kept.lock().unwrap();
        let Ok((header, payloads)) = codec::decode::<Block>(block) else {
            return Ok(Verdict::Unreadable);
        };
        let value_id = header.value_id();
        let decided: BTreeSet<_> = kept.decided().collect();
        let is_new = payloads.iter().all(|one| !decided.contains(one));
        if header != self.header(&kept, &payloads) || !is_new {
            kept.refused += 1;
            return Ok(Verdict::Invalid(value_id));
        }
        let Origin { round, valid_round, proposer, .. } = origin;
        let undecided = Undecided { round, valid_round, proposer, value_id };
        let known = (header.height, undecided, block.to_vec());
        kept.undecided.entry(value_id).or_insert(known);
        Ok(Verdict::Valid(value_id))
    }

    fn undecided(&self) -> Vec<Undecided> {
        let kept = self.shared.kept.lock().unwrap();
        kept.undecided.values().map(|(_, one, _)| one.clone()).collect()
    }

    fn undecided_block(&mut self, value_id: &Hash) -> Result<Option<Proposal>, Infallible> {
        let kept = self.shared.kept.lock().unwrap();
        Ok(kept.undecided.get(value_id).map(|(_, _, block)| proposal(block)))
    }

    fn decisions(&self, first: u64, count: usize) -> Vec<(Vec<u8>, Certificate)> {
        let kept = self.shared.kept.lock().unwrap();
        let first = usize::try_from(first).unwrap().saturating_sub(1);
        kept.blocks.iter().skip(first).take(count).cloned().collect()
    }

    fn take(&mut self, transactions: Vec<Vec<u8>>) {
        self.shared.kept.lock().unwrap().take(transactions);
    }

    fn accuse(&mut self, equivocations: &[Equivocation]) {
        for one in equivocations {
            let key = &self.validators.get(one.organisation).unwrap().key;
            assert!(is_proved(self.chain_id, one, key, &Dalek), "{one:?}");
            // Of two things that are one, and of a thing that was not signed, nobody is accused.
            let [first, second] = one.signed.clone();
            let same = Equivocation { signed: [first.clone(), first.clone()], ..one.clone() };
            let moved = SignedValue { signature: second.signature.clone(), ..first.clone() };
            let moved = Equivocation { signed: [moved, second], ..one.clone() };
            for untrue in [same, moved, Equivocation { round: one.round + 1, ..one.clone() }] {
                assert!(!is_proved(self.chain_id, &untrue, key, &Dalek), "{untrue:?}");
            }
            self.shared.kept.lock().unwrap().accused.insert(one.organisation);
        }
    }
}
