//! What a newcomer does: it asks one peer after the other until one has told what fits.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bft::PeerName;
use bft::newcomer::Newcomer;
use ledger::Genesis;
use primitives::{Hash, Timestamp, codec};
use proof::tile::TILE_WIDTH;

use super::trust::Trust;
use super::{Answer, HANDOVERS_MAX, Offer, PIECE_BYTES, Question, TILE_BYTES};
use crate::history::{self, Handover, History, HistoryError};
use crate::runtime::{OpenError, check_all, keep_genesis, thread_count};
use crate::signature::FastVerifier;
use crate::store::base::{Base, BaseFiles, Beginning, remove_if_there};
use crate::store::{
    BlockLog, Disk, DiskFile, LogLimits, Snapshot, StoreError, StoredBlock, TileLog, snapshot,
    tiles,
};

/// How many questions to a peer are on their way at once.
const WINDOW: usize = 8;
/// How many bytes a snapshot may have: far more than any state that fits into memory.
const SNAPSHOT_BYTES_MAX: u64 = 1 << 40;

/// How to fetch.
pub struct FetchConfig {
    /// The newcomer's place among the nodes, which must let it in.
    pub network: bft::Network,
    /// The history's file, which must be none of a ledger that is of use.
    pub history: PathBuf,
    /// Sizes of the log's files.
    pub log: LogLimits,
    /// 32 secret random bytes of this node.
    pub randomness: [u8; 32],
    /// How long a peer has for each answer, and the first peer to be reached.
    pub patience: Duration,
}

/// What was fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The height of the block that the folder begins with.
    pub height: u64,
    /// Its value id, to be compared with what others read out.
    pub value_id: Hash,
    /// Its time.
    pub time: Timestamp,
    /// How many rows the state has.
    pub rows: u64,
    /// How many receipts there were.
    pub receipts: u64,
    /// How often the validators had changed.
    pub handovers: usize,
    /// How many bytes the snapshot has.
    pub bytes: u64,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A peer is asked for this snapshot.
    Offered {
        /// The height.
        height: u64,
        /// Its bytes.
        bytes: u64,
    },
    /// So many bytes of the snapshot are here.
    Snapshot(u64),
    /// So many hashes of receipts are here.
    Receipts(u64),
    /// What was fetched is compared.
    Comparing,
}

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The folder is not new.
    #[error(
        "the data folder has a ledger already; start it with `yibao serve`. To begin with a \
         snapshot instead, remove `blocks`, `snapshots`, `receipts` and `history.sqlite` in its \
         folder `node`, and nothing else: the keys and `signed` stay"
    )]
    NotNew,
    /// Nobody was there.
    #[error(
        "no other node was reached at {asked} within {seconds} s; make sure that this node was let \
         in (`yibao network admit`), that they are up, and that both reach each other's address"
    )]
    NoPeer {
        /// Where it was tried.
        asked: String,
        /// For how long.
        seconds: u64,
    },
    /// Nobody has a snapshot.
    #[error(
        "no node that was reached has a snapshot yet: the ledger is young; start with `yibao \
         serve`, which fetches every block"
    )]
    NoSnapshot,
    /// Nobody told what fits.
    #[error("what was fetched is of no use: {}", .0.join("; "))]
    Refused(Vec<String>),
    /// The network cannot be used.
    #[error(transparent)]
    Network(#[from] bft::BftError),
    /// The folder cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The history cannot be written.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The folder is another ledger's.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Why one peer is of no use, or nothing is.
enum Failed {
    Peer(String),
    Here(SyncError),
}

impl<E: Into<SyncError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self::Here(error.into())
    }
}

fn peer<T>(reason: impl Into<String>) -> Result<T, Failed> {
    Err(Failed::Peer(reason.into()))
}

/// Fills the folder of a new node with the newest snapshot that its peers have, so that it begins
/// there. What an interrupted attempt left is removed first.
///
/// # Errors
/// Why it could not be. The folder is then as new as before, unless it cannot be written: then only
/// another attempt makes it of use.
pub fn fetch<D: Disk>(
    disk: D,
    genesis: &Genesis,
    config: &FetchConfig,
    mut progress: impl FnMut(Progress),
) -> Result<Fetched, SyncError> {
    let disk = Arc::new(disk);
    let base = BaseFiles::new(Arc::clone(&disk));
    if base.read()? != Beginning::Unfinished && has_ledger(&*disk)? {
        return Err(SyncError::NotNew);
    }
    keep_genesis(&*disk, genesis)?;
    base.begin()?;
    let mut newcomer = Newcomer::start(&config.network, genesis.chain_id)?;
    let (mut tried, mut refused) = (Vec::new(), Vec::new());
    let mut until = Instant::now() + config.patience;
    loop {
        let next = newcomer.reached().iter().find(|name| !tried.contains(*name)).copied();
        let Some(name) = next else {
            let left = until.saturating_duration_since(Instant::now());
            if tried.len() < config.network.peers.len() && newcomer.wait_for_peers(left) {
                continue;
            }
            clear(&*disk, &config.history)?;
            base.abandon()?;
            return Err(nobody(&config.network, config.patience, tried.is_empty(), refused));
        };
        tried.push(name);
        clear(&*disk, &config.history)?;
        let mut attempt =
            Attempt { disk: &disk, genesis, config, newcomer: &mut newcomer, peer: name };
        match attempt.run(&mut progress) {
            Ok(fetched) => {
                base.end(&Base {
                    height: fetched.height,
                    value_id: fetched.value_id,
                    receipts: fetched.receipts,
                })?;
                return Ok(fetched);
            }
            Err(Failed::Here(error)) => return Err(error),
            Err(Failed::Peer(reason)) => {
                tracing::warn!(peer = %name, reason, "a peer's snapshot is of no use");
                refused.push(format!("{}: {reason}", address(&config.network, name)));
                until = Instant::now() + config.patience;
            }
        }
    }
}

fn address(network: &bft::Network, name: PeerName) -> String {
    let peer = network.peers.iter().find(|peer| peer.name == name);
    peer.map_or_else(|| name.to_string(), |peer| peer.address.clone())
}

const NONE_YET: &str = "it has no snapshot yet";

fn nobody(
    network: &bft::Network,
    patience: Duration,
    is_first: bool,
    refused: Vec<String>,
) -> SyncError {
    if is_first {
        let asked: Vec<_> = network.peers.iter().map(|peer| peer.address.as_str()).collect();
        return SyncError::NoPeer { asked: asked.join(", "), seconds: patience.as_secs() };
    }
    if refused.iter().all(|reason| reason.ends_with(NONE_YET)) {
        return SyncError::NoSnapshot;
    }
    SyncError::Refused(refused)
}

/// The folders that a fetched ledger fills.
const FILLED: [&str; 3] = ["blocks", "snapshots", "receipts"];

fn has_ledger<D: Disk>(disk: &D) -> Result<bool, StoreError> {
    for folder in ["blocks", "snapshots"] {
        let names = disk.names(folder).map_err(StoreError::io(folder))?;
        if !names.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes what an earlier attempt left.
fn clear<D: Disk>(disk: &D, history: &Path) -> Result<(), SyncError> {
    for path in tiles::paths_on(disk).map_err(StoreError::io("receipts"))? {
        disk.remove(&path).map_err(StoreError::io(&path))?;
    }
    for folder in FILLED {
        for name in disk.names(folder).map_err(StoreError::io(folder))? {
            let path = format!("{folder}/{name}");
            if name.ends_with(".log") || name.contains(".snapshot") {
                disk.remove(&path).map_err(StoreError::io(&path))?;
            }
        }
    }
    History::remove(history)?;
    Ok(())
}

/// Everything from one peer.
struct Attempt<'a, D: Disk> {
    disk: &'a Arc<D>,
    genesis: &'a Genesis,
    config: &'a FetchConfig,
    newcomer: &'a mut Newcomer,
    peer: PeerName,
}

impl<D: Disk> Attempt<'_, D> {
    fn run(&mut self, progress: &mut impl FnMut(Progress)) -> Result<Fetched, Failed> {
        let Answer::Newest(offer) = self.ask(Question::Newest)? else {
            return peer("it answers something else");
        };
        let Some(offer) = offer else { return peer(NONE_YET) };
        let height = offer.header.height;
        if offer.bytes > SNAPSHOT_BYTES_MAX {
            return peer("its snapshot is too long");
        }
        let (trust, mut handovers) = self.trust(&offer)?;
        progress(Progress::Offered { height, bytes: offer.bytes });
        self.snapshot(&offer, progress)?;
        progress(Progress::Comparing);
        let path = snapshot::path_at(height);
        let loaded = match snapshot::load(&**self.disk, &part(height)) {
            Ok(loaded) => loaded,
            Err(error) => return peer(format!("its snapshot: {error}")),
        };
        trust
            .fits(&offer.header, &loaded)
            .or_else(|reason| peer(format!("its snapshot: {reason}")))?;
        let block = self.block(&offer, &trust)?;
        let tiles = self.tiles(&loaded, progress)?;
        let Offer { header, certificate, bytes } = *offer;
        if header.next_validators != trust.validators().hash() {
            let validators = loaded.tip.validators.clone();
            handovers.push(Handover { header: header.clone(), certificate, validators });
        }
        tiles.sync()?;
        let (disk, limits) = (Arc::clone(self.disk), self.config.log);
        let mut log = BlockLog::beginning_at(disk, limits, self.config.randomness, height);
        log.append(&codec::encode(&block))?;
        let receipts = header.receipt_log_size;
        let mut history = History::open(&self.config.history, self.genesis.hash())?;
        let value_id = header.value_id();
        let genesis = self.genesis.hash();
        history.begin(history::Progress { genesis, height, value_id, receipts }, &handovers)?;
        history.make_durable()?;
        let name = || {
            self.disk.rename(&part(height), &path)?;
            self.disk.sync_folder("snapshots")
        };
        name().map_err(StoreError::io(&path))?;
        let (time, rows) = (header.time, loaded.state.entry_count());
        let handovers = handovers.len();
        Ok(Fetched { height, value_id, time, rows, receipts, handovers, bytes })
    }

    /// What the peer answers to this.
    fn ask(&mut self, question: Question) -> Result<Answer, Failed> {
        self.newcomer.ask(self.peer, codec::encode(&question));
        self.receive()
    }

    fn receive(&mut self) -> Result<Answer, Failed> {
        let until = Instant::now() + self.config.patience;
        let Some(bytes) = self.newcomer.receive(self.peer, until) else {
            return peer("it does not answer");
        };
        match codec::decode(&bytes) {
            Ok(Answer::Gone) => peer("it does not keep that any more; try again"),
            Ok(answer) => Ok(answer),
            Err(_) => peer("it answers something else"),
        }
    }

    /// Who certifies the block of the snapshot, and after which blocks that changed.
    fn trust(&mut self, offer: &Offer) -> Result<(Trust, Vec<Handover>), Failed> {
        let (mut trust, mut all) = (Trust::new(self.genesis), Vec::new());
        let last = offer.header.height.saturating_sub(1);
        loop {
            let behind = trust.height();
            let Answer::Handovers(told, list) = self.ask(Question::Handovers(behind))? else {
                return peer("it answers something else");
            };
            if told != behind {
                return peer("it answers something else");
            }
            let is_end = list.len() < HANDOVERS_MAX;
            for handover in list {
                if handover.header.height > last {
                    trust.offered(offer, &FastVerifier).or_else(peer)?;
                    return Ok((trust, all));
                }
                trust.follow(&handover, last, &FastVerifier).or_else(peer)?;
                all.push(handover);
            }
            if is_end {
                trust.offered(offer, &FastVerifier).or_else(peer)?;
                return Ok((trust, all));
            }
        }
    }

    /// Writes the snapshot beside its name.
    fn snapshot(
        &mut self,
        offer: &Offer,
        progress: &mut impl FnMut(Progress),
    ) -> Result<(), Failed> {
        let (height, bytes) = (offer.header.height, offer.bytes);
        let path = part(height);
        let failed = StoreError::io(&path);
        remove_if_there(&**self.disk, &path).map_err(&failed)?;
        let file = self.disk.create(&path).map_err(&failed)?;
        let pieces = bytes.div_ceil(PIECE_BYTES);
        let ask = |piece: u64| Question::Piece { height, offset: piece * PIECE_BYTES };
        let mut here = 0;
        self.in_order(0..pieces, ask, |piece, answer| {
            let at = piece * PIECE_BYTES;
            match answer {
                Answer::Piece { height: of, offset, bytes: told }
                    if of == height
                        && offset == at
                        && told.len() as u64 == PIECE_BYTES.min(bytes - at) =>
                {
                    file.write_at(at, &told).map_err(StoreError::io(&path))?;
                    here += told.len() as u64;
                    progress(Progress::Snapshot(here));
                    Ok(())
                }
                _ => peer("it answers something else"),
            }
        })?;
        file.sync().map_err(StoreError::io(&path))?;
        Ok(())
    }

    /// The block of the snapshot, whose transactions must be those of its header.
    fn block(&mut self, offer: &Offer, trust: &Trust) -> Result<StoredBlock, Failed> {
        let height = offer.header.height;
        let Answer::Block(of, bytes) = self.ask(Question::Block(height))? else {
            return peer("it answers something else");
        };
        let stored = codec::decode::<StoredBlock>(&bytes).ok().filter(|_| of == height);
        let Some(stored) = stored else { return peer("it answers something else") };
        let Ok(block) = codec::decode::<ledger::Block>(&stored.block) else {
            return peer("its block is none");
        };
        let offered = Offer {
            header: block.header.clone(),
            certificate: stored.certificate.clone(),
            bytes: 0,
        };
        if block.header != offer.header || trust.offered(&offered, &FastVerifier).is_err() {
            return peer("its block is another one than that of the snapshot");
        }
        let registry = ledger::kernel::registry::registry();
        let Ok(verified) = check_all(&block.transactions, &registry, thread_count()) else {
            return peer("a transaction of its block is not validly signed");
        };
        if ledger::kernel::block::transaction_root(&verified) != block.header.transaction_root {
            return peer("the transactions of its block are others than its header says");
        }
        Ok(stored)
    }

    /// The receipt log, made from the hashes of its entries up to the root in the header.
    fn tiles(
        &mut self,
        loaded: &Snapshot,
        progress: &mut impl FnMut(Progress),
    ) -> Result<TileLog<D>, Failed> {
        let log = TileLog::new(Arc::clone(self.disk));
        let size = loaded.tip.log.size();
        let width = u64::from(TILE_WIDTH);
        let tiles = size / width;
        let groups = tiles.div_ceil(super::TILES_MAX);
        let ask = |group: u64| Question::Tiles(group * super::TILES_MAX);
        self.in_order(0..groups, ask, |group, answer| {
            let first = group * super::TILES_MAX;
            let count = super::TILES_MAX.min(tiles - first);
            let Answer::Tiles(from, bytes) = answer else {
                return peer("it answers something else");
            };
            let expected = usize::try_from(count).unwrap_or(0).saturating_mul(TILE_BYTES);
            // There may be more by now than when the snapshot was made.
            let Some(bytes) = bytes.get(..expected).filter(|_| from == first) else {
                return peer("it answers something else");
            };
            let (hashes, _) = bytes.as_chunks::<32>();
            let hashes: Vec<Hash> = hashes.iter().copied().map(Hash).collect();
            log.push_hashes(&hashes)?;
            progress(Progress::Receipts((first + count) * width));
            Ok(())
        })?;
        for entry in loaded.partial_tiles.entries() {
            log.push(entry)?;
        }
        if log.size() != size
            || log.root() != loaded.header.receipt_log_root
            || log.partial_tiles() != loaded.partial_tiles
        {
            return peer("its receipts are not those of the block of its snapshot");
        }
        Ok(log)
    }

    /// Asks one question after the other, some at once, and takes the answers in their order.
    fn in_order(
        &mut self,
        range: std::ops::Range<u64>,
        question: impl Fn(u64) -> Question,
        mut take: impl FnMut(u64, Answer) -> Result<(), Failed>,
    ) -> Result<(), Failed> {
        let mut to_ask = range.clone();
        for number in to_ask.by_ref().take(WINDOW) {
            self.newcomer.ask(self.peer, codec::encode(&question(number)));
        }
        for number in range {
            // A peer answers in the order in which it is asked.
            let answer = self.receive()?;
            take(number, answer)?;
            if let Some(next) = to_ask.next() {
                self.newcomer.ask(self.peer, codec::encode(&question(next)));
            }
        }
        Ok(())
    }
}

/// Where a snapshot lies until it is whole and compared.
fn part(height: u64) -> String {
    format!("{}.part", snapshot::path_at(height))
}
