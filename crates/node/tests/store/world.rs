//! A small deterministic ledger over the real state and receipt log, and a node that runs it.

use ledger::{Seeds, State, Tip};
use node::store::{
    Disk, LogLimits, Report, Snapshot, Store, StoreError, StoreOptions, StoredBlock,
};
use primitives::{Hash, PublicKey, Timestamp, codec};
use proof::header::{Certificate, HEADER_VERSION, Header, Validator, ValidatorSet};
use proof::log::{Frontier, leaf_hash};

pub const OPTIONS: StoreOptions = StoreOptions {
    limits: LogLimits { segment_bytes: 8 << 10, zeros_bytes: 3_000 },
    key: [3; 32],
    known_height: 0,
};
/// A snapshot is taken after every fifth block.
pub const SNAPSHOT_EVERY: u64 = 5;

/// Where the ledger stands.
#[derive(Clone)]
pub struct World {
    pub tip: Tip,
    pub state: State,
}

/// What one block gives.
pub struct Executed {
    pub block: StoredBlock,
    pub header: Header,
    pub leaves: Vec<Vec<u8>>,
    pub world: World,
}

impl World {
    pub fn genesis() -> Self {
        let validator = Validator {
            organisation: "bureau".parse().unwrap(),
            key: PublicKey::Ed25519([1; 32]),
            power: 1,
        };
        let tip = Tip {
            height: 0,
            value_id: Hash::default(),
            time: Timestamp::from_millis(0),
            log: Frontier::new(),
            validators: ValidatorSet::new(vec![validator]).unwrap(),
        };
        Self { tip, state: State::new(Seeds { salt: Hash([4; 32]), secret: Hash([5; 32]) }) }
    }

    /// The block that always follows here.
    pub fn next(&self) -> Executed {
        let height = self.tip.height + 1;
        let mut state = self.state.clone();
        let rows: Vec<(Vec<u8>, Option<Vec<u8>>)> = (0..height % 7 * 4)
            .map(|row| {
                let key = (height * row % 61).to_le_bytes().to_vec();
                let value = (height + row).to_le_bytes().to_vec();
                (key, (row % 5 != 4).then_some(value))
            })
            .collect();
        state.commit(rows.iter().map(|(key, value)| (&key[..], value.as_deref())));
        let mut log = self.tip.log.clone();
        let leaves: Vec<Vec<u8>> = (0..height * 13 % 60)
            .map(|index| format!("receipt {index} of block {height}").into_bytes())
            .collect();
        leaves.iter().for_each(|leaf| log.push(leaf_hash(leaf)));
        let header = Header {
            version: HEADER_VERSION,
            chain_id: "store-test".parse().unwrap(),
            height,
            time: Timestamp::from_millis(height * 1_000),
            parent: self.tip.value_id,
            transaction_root: Hash::default(),
            receipt_log_size: log.size(),
            receipt_log_root: log.root(),
            state_root: state.root(),
            next_validators: self.tip.validators.hash(),
        };
        let value_id = header.value_id();
        // Bodies of many lengths, without a run of zeros.
        let body = (0..height * 397 % 2_900).map(|at| at.to_le_bytes()[0] | 1).collect::<Vec<u8>>();
        let certificate = Certificate { height, round: 0, value_id, signatures: Vec::new() };
        let block = StoredBlock { block: codec::encode(&(&header, body)), certificate };
        let (time, validators) = (header.time, self.tip.validators.clone());
        let world = Self { tip: Tip { height, value_id, time, log, validators }, state };
        Executed { block, header, leaves, world }
    }
}

/// A node: opens the store, comes back to where it was, and goes on.
pub struct Node<D: Disk> {
    pub store: Store<D>,
    pub world: World,
    pub header: Option<Header>,
    pub report: Report,
    /// From which height blocks were replayed.
    pub replayed_after: u64,
}

impl<D: Disk> Node<D> {
    pub fn start(disk: D) -> Result<Self, StoreError> {
        let opened = Store::open(disk, OPTIONS)?;
        let mut store = opened.store;
        store.settle()?;
        let (mut world, mut header) = match opened.snapshot {
            Some(snapshot) => {
                (World { tip: snapshot.tip, state: snapshot.state }, Some(snapshot.header))
            }
            None => (World::genesis(), None),
        };
        let replayed_after = world.tip.height;
        let replayed = store.replay(replayed_after, |height, block| {
            let next = world.next();
            assert_eq!(next.header.height, height);
            assert_eq!(block, next.block, "block {height} is whole and the right one");
            (world, header) = (next.world, Some(next.header));
            Ok::<_, std::convert::Infallible>(next.leaves)
        });
        match replayed {
            Ok(last) => assert_eq!(last, world.tip.height),
            Err(node::store::ReplayError::Store(error)) => return Err(error),
            Err(node::store::ReplayError::Block(never)) => match never {},
        }
        assert_eq!(store.tiles().size(), world.tip.log.size());
        assert_eq!(store.tiles().root(), world.tip.log.root());
        Ok(Self { store, world, header, report: opened.report, replayed_after })
    }

    /// Appends the next block; when it returns, the block is acknowledged.
    pub fn append(&mut self) -> Result<u64, StoreError> {
        let next = self.world.next();
        self.store.append(&next.block)?;
        self.store.push_receipts(&next.leaves)?;
        (self.world, self.header) = (next.world, Some(next.header));
        Ok(self.world.tip.height)
    }

    /// Appends so many blocks without a snapshot.
    pub fn append_blocks(&mut self, count: u64) {
        for _ in 0..count {
            self.append().unwrap();
        }
    }

    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            header: self.header.clone().unwrap(),
            tip: self.world.tip.clone(),
            state: self.world.state.clone(),
            partial_tiles: self.store.tiles().partial_tiles(),
        }
    }

    /// Goes on to this height with snapshots in between, and tells of each acknowledged block.
    pub fn run(&mut self, to: u64, mut acknowledge: impl FnMut(u64)) -> Result<(), StoreError> {
        while self.world.tip.height < to {
            acknowledge(self.append()?);
            if self.world.tip.height.is_multiple_of(SNAPSHOT_EVERY) {
                let snapshot = self.snapshot();
                self.store.write_snapshot(&snapshot)?;
            }
        }
        Ok(())
    }
}

/// The world at this height, computed without any disk.
pub fn world_at(height: u64) -> World {
    (0..height).fold(World::genesis(), |world, _| world.next().world)
}

pub fn assert_same(found: &World, expected: &World) {
    assert_eq!(found.tip, expected.tip);
    assert_eq!(found.state.root(), expected.state.root());
    assert!(found.state.entries().eq(expected.state.entries()));
}
