//! The engine alone: four validators that order bytes which nobody reads.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use bft::Bft;
use borsh::BorshDeserialize as _;
use consensus::{
    Application, Engine as _, Equivocation, Next, Origin, Proposal, Replica, Undecided, Verdict,
};
use ledger::kernel::block::BLOCK_BYTES_MAX;
use node::runtime::{BLOCK_TRANSACTIONS_MAX, BlockSigner};
use node::signature::{FastVerifier, Scheme, SecretKey};
use primitives::{Hash, OrganisationId, Timestamp, codec};
use proof::header::{Certificate, ChainId, HEADER_VERSION, Header, Validator, ValidatorSet};

use crate::validators::{free_ports, place};

const VALIDATORS: usize = 4;
/// Left free in a block, for its header.
const HEADER_ROOM: usize = 4_096;

/// A ledger that keeps nothing but its height.
struct Empty {
    chain_id: ChainId,
    validators: ValidatorSet,
    own: OrganisationId,
    height: u64,
    parent: Hash,
    payload: Arc<[u8]>,
    known: BTreeMap<Hash, (Undecided, Proposal)>,
    decided: Arc<AtomicU64>,
}

impl Empty {
    fn know(&mut self, origin: Origin, proposal: Proposal) -> Hash {
        let Origin { round, valid_round, proposer, .. } = origin;
        let value_id = proposal.header.value_id();
        let undecided = Undecided { round, valid_round, proposer, value_id };
        self.known.entry(value_id).or_insert((undecided, proposal));
        value_id
    }
}

impl Application for Empty {
    type Error = Infallible;

    fn next(&self) -> Next {
        Next { height: self.height + 1, validators: self.validators.clone() }
    }

    fn propose(&mut self, _: u64, round: u32) -> Result<Option<Proposal>, Infallible> {
        self.propose_in_turn(round).map(Some)
    }

    fn commit(&mut self, proposal: Proposal, _: Certificate) -> Result<(), Infallible> {
        (self.height, self.parent) = (proposal.header.height, proposal.header.value_id());
        self.known.clear();
        self.decided.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

impl Replica for Empty {
    fn has_work(&mut self) -> bool {
        true
    }

    /// It is never restored.
    fn has_moved_on(&self) -> bool {
        true
    }

    fn propose_in_turn(&mut self, round: u32) -> Result<Proposal, Infallible> {
        let own = self.known.values().find(|(one, _)| one.proposer == self.own);
        if let Some((_, proposal)) = own {
            return Ok(proposal.clone());
        }
        let header = Header {
            version: HEADER_VERSION,
            chain_id: self.chain_id,
            height: self.height + 1,
            time: Timestamp::from_millis(self.height),
            parent: self.parent,
            transaction_root: Hash::default(),
            receipt_log_size: 0,
            receipt_log_root: Hash::default(),
            state_root: Hash::default(),
            next_validators: self.validators.hash(),
        };
        let block = [Cow::from(codec::encode(&header)), Cow::from(&self.payload[..])].concat();
        let proposal = Proposal { header, block: block.into() };
        let proposer = self.own;
        let origin = Origin { round, valid_round: None, proposer, is_decided: false };
        self.know(origin, proposal.clone());
        Ok(proposal)
    }

    fn header_of(&self, block: &[u8]) -> Option<Header> {
        Header::deserialize(&mut &*block).ok()
    }

    fn judge(&mut self, origin: Origin, block: &[u8]) -> Result<Verdict, Infallible> {
        Ok(match self.header_of(block) {
            Some(header) if header.height == self.height + 1 => {
                Verdict::Valid(self.know(origin, Proposal { header, block: block.into() }))
            }
            _ => Verdict::Unreadable,
        })
    }

    fn undecided(&self) -> Vec<Undecided> {
        self.known.values().map(|(one, _)| one.clone()).collect()
    }

    fn undecided_block(&mut self, value_id: &Hash) -> Result<Option<Proposal>, Infallible> {
        Ok(self.known.get(value_id).map(|(_, proposal)| proposal.clone()))
    }

    fn decisions(&self, _: u64, _: usize) -> Vec<(Vec<u8>, Certificate)> {
        Vec::new()
    }

    fn take(&mut self, _: Vec<Vec<u8>>) {}

    fn accuse(&mut self, _: &[Equivocation]) {}
}

fn key(number: usize) -> SecretKey {
    SecretKey::from_seed(Scheme::Ed25519, &[u8::try_from(number).unwrap_or(0) + 101; 32])
}

fn organisation(number: usize) -> OrganisationId {
    crate::region::organisation(&format!("validator-{number}"))
}

/// How many transactions of so many bytes four validators decide each second in full blocks, all on
/// this machine, when nobody reads or keeps them.
///
/// # Errors
/// When the engine does not work.
pub fn settlements_per_second(folder: &Path, bytes: usize, span: Duration) -> Result<f64> {
    let in_block = ((BLOCK_BYTES_MAX - HEADER_ROOM) / bytes.max(1)).min(BLOCK_TRANSACTIONS_MAX);
    let payload: Arc<[u8]> = vec![0x5a; in_block * bytes].into();
    let folder = tempfile::tempdir_in(folder)?;
    let ports = free_ports(VALIDATORS)?;
    let validator = |number: usize| Validator {
        organisation: organisation(number),
        key: key(number).public_key(),
        power: 1,
    };
    let validators = ValidatorSet::new((0..VALIDATORS).map(validator).collect())
        .map_err(|error| anyhow!("{error}"))?;
    let chain_id: ChainId = "empty".parse().map_err(|error| anyhow!("{error}"))?;
    let is_over = Arc::new(AtomicBool::new(false));
    let counts: Vec<_> = (0..VALIDATORS).map(|_| Arc::new(AtomicU64::new(0))).collect();
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for (number, decided) in counts.iter().enumerate() {
            let mut engine = Bft::start(bft::Config {
                chain_id,
                key: Some(Arc::new(BlockSigner::new(organisation(number), key(number)))),
                organisation: organisation(number),
                verifier: Arc::new(FastVerifier),
                validators: validators.clone(),
                network: place(folder.path(), &ports, number)?,
            })?;
            let mut ledger = Empty {
                chain_id,
                validators: validators.clone(),
                own: organisation(number),
                height: 0,
                parent: Hash::default(),
                payload: Arc::clone(&payload),
                known: BTreeMap::new(),
                decided: Arc::clone(decided),
            };
            let is_over = Arc::clone(&is_over);
            threads.push(scope.spawn(move || -> Result<()> {
                while !is_over.load(Ordering::Acquire) {
                    if engine.step(&mut ledger)? == consensus::Step::Idle {
                        engine.wait(Duration::from_millis(50));
                    }
                }
                Ok(())
            }));
        }
        // The first blocks wait for connections.
        let first = &counts[0];
        let begin = Instant::now();
        while first.load(Ordering::Relaxed) < 5 && begin.elapsed() < span * 4 {
            thread::sleep(Duration::from_millis(20));
        }
        let (before, begin) = (first.load(Ordering::Relaxed), Instant::now());
        thread::sleep(span);
        let blocks = first.load(Ordering::Relaxed) - before;
        let seconds = begin.elapsed().as_secs_f64();
        is_over.store(true, Ordering::Release);
        for thread in threads {
            thread.join().map_err(|_| anyhow!("a validator ended"))?.context("the engine")?;
        }
        Ok(blocks as f64 * in_block as f64 / seconds)
    })
}
