//! The light node: what it believes, and how it asks.
//!
//! One thread follows the headers; whoever reads, reads after the last header that was believed.
//! What a peer says is checked against that header before anybody sees it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use adapters::clock::Clock;
use gateway::port::{Head, IndexedReceipt, PortError, SubmitError, Submitted, View};
use ledger::kernel::block::Rules;
use ledger::kernel::transaction::TransactionError;
use ledger::{Registry, Rejection, Transaction, registry};
use primitives::{Hash, Timestamp, Verifier};
use proof::header::{ChainId, Header, ValidatorSet};
use proof::log::{leaf_hash, verify_inclusion};
use proof::policy::Policy;
use proof::receipt::ReceiptSeed;

use crate::headers::{Headers, TrustRoot};
use crate::peers::{Judged, Peer, PeerError, Peers};
use crate::question::{
    Answer, CertifiedHeader, HEADERS_MAX, Place, ProvenReceipt, Question, Refused,
};
use crate::rows::{OpenVisits, ProvenRows, Reading};

/// How soon a peer that failed is asked for headers again: twice as late each time, to this.
const RETRY_MIN: Duration = Duration::from_millis(100);
pub(crate) const RETRY_MAX: Duration = Duration::from_secs(5);
/// How many transactions may be on their way at once.
pub(crate) const SUBMISSIONS_MAX: usize = 256;
/// After how long an overloaded node is asked again.
pub(crate) const LATER: Duration = Duration::from_secs(1);
/// How many rules, with the plans that they decoded, are kept for rehearsals.
const RULES_MAX: usize = 4;

/// What a light node begins with.
pub struct LightConfig {
    /// Where it begins to believe.
    pub root: TrustRoot,
    /// Whom it asks, in this order.
    pub peers: Vec<Arc<dyn Peer>>,
    /// Where it keeps its headers; in memory only without a folder.
    pub folder: Option<PathBuf>,
    /// Whom vouchers are checked against.
    pub policies: Vec<Policy>,
    /// What the time is.
    pub clock: Arc<dyn Clock>,
    /// Seeds maps in memory; random.
    pub seed: u64,
}

/// A light node. Clones are the same node, which ends with the last of them.
pub struct LightNode<V: Verifier + Send + Sync + 'static>(pub(crate) Arc<Owner<V>>);

impl<V: Verifier + Send + Sync + 'static> Clone for LightNode<V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

pub(crate) struct Owner<V: Verifier + Send + Sync + 'static> {
    pub(crate) inner: Arc<Inner<V>>,
    follower: Option<JoinHandle<()>>,
}

pub(crate) struct Inner<V> {
    pub(crate) chain_id: ChainId,
    pub(crate) peers: Arc<Peers>,
    pub(crate) verifier: V,
    pub(crate) registry: Registry,
    pub(crate) policies: Vec<Policy>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) seed: u64,
    pub(crate) visits: Arc<OpenVisits>,
    pub(crate) headers: Mutex<Headers>,
    pub(crate) present: RwLock<Present>,
    pub(crate) came: Condvar,
    pub(crate) waiting: Mutex<()>,
    pub(crate) rules: Mutex<Vec<Rules>>,
    pub(crate) submissions: AtomicUsize,
    pub(crate) is_over: AtomicBool,
}

/// Where the node stands.
#[derive(Clone)]
pub(crate) struct Present {
    pub(crate) header: Option<Header>,
    pub(crate) head: Head,
    pub(crate) rows: Arc<ProvenRows>,
}

impl<V: Verifier + Send + Sync + 'static> LightNode<V> {
    /// Opens the node and follows the headers from then on.
    ///
    /// # Errors
    /// When its folder cannot be used, or the system gives no thread.
    pub fn open(config: LightConfig, verifier: V) -> std::io::Result<Self> {
        let LightConfig { root, peers, folder, policies, clock, seed } = config;
        let headers = match folder {
            Some(folder) => Headers::open(&root, &folder)?,
            None => Headers::new(&root),
        };
        let (peers, visits) = (Arc::new(Peers::new(peers)), Arc::<OpenVisits>::default());
        let present = present_of(&headers, root.time, |place| {
            ProvenRows::new(Arc::clone(&peers), place, seed, Arc::clone(&visits))
        });
        let inner = Arc::new(Inner {
            chain_id: root.chain_id,
            peers,
            verifier,
            registry: registry(),
            policies,
            clock,
            seed,
            visits,
            headers: Mutex::new(headers),
            present: RwLock::new(present),
            came: Condvar::new(),
            waiting: Mutex::default(),
            rules: Mutex::default(),
            submissions: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
        });
        let follower = Arc::clone(&inner);
        let follower = Builder::new()
            .name("yibao-light-follow".to_owned())
            .spawn(move || follower.follow_on())?;
        Ok(Self(Arc::new(Owner { inner, follower: Some(follower) })))
    }

    /// The height of the last header that is believed.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.0.inner.present().head.height
    }

    /// Follows nothing any more; whoever waits for receipts is told that none will come.
    pub fn stop(&self) {
        self.0.inner.is_over.store(true, Ordering::Release);
        self.0.inner.wake();
    }

    /// Follows what peers have now.
    ///
    /// # Errors
    /// When nobody can be asked, or nobody tells the truth.
    pub fn follow(&self) -> Result<(), PeerError> {
        while self.0.inner.follow(false)? {}
        Ok(())
    }
}

impl<V: Verifier + Send + Sync + 'static> Drop for Owner<V> {
    fn drop(&mut self) {
        self.inner.is_over.store(true, Ordering::Release);
        self.inner.wake();
        // A follower that waits at a peer ends with that question; nothing depends on it.
        if let Some(follower) = self.follower.take()
            && follower.is_finished()
        {
            drop(follower.join());
        }
        let mut headers = lock(&self.inner.headers);
        if let Err(error) = headers.keep() {
            tracing::warn!(%error, "the headers are not written down");
        }
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn present_of(
    headers: &Headers,
    genesis: Timestamp,
    rows: impl FnOnce((u64, Hash)) -> ProvenRows,
) -> Present {
    let header = headers.last().cloned();
    let head = Head {
        height: headers.height(),
        time: header.as_ref().map_or(genesis, |header| header.time),
        receipts: header.as_ref().map_or(0, |header| header.receipt_log_size),
        validators: headers.validators().clone(),
    };
    let state_root = header.as_ref().map_or_else(Hash::default, |header| header.state_root);
    let rows = Arc::new(rows((head.height, state_root)));
    Present { header, head, rows }
}

pub(crate) fn failed(error: PeerError) -> PortError {
    PortError::Unreachable(error.to_string())
}

fn other<T>() -> Judged<T> {
    Judged::Lie("it answers another question".to_owned())
}

/// An answer that is no answer.
pub(crate) fn no_answer<T>(answer: Answer) -> Judged<T> {
    match answer {
        Answer::Failed(reason) => Judged::Failed(reason),
        Answer::NotYours => Judged::Failed("it does not tell this organisation".to_owned()),
        Answer::Gone => Judged::Failed("it does not have that any more".to_owned()),
        _ => other(),
    }
}

impl<V: Verifier + Send + Sync + 'static> Inner<V> {
    pub(crate) fn present(&self) -> Present {
        self.present.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    pub(crate) fn wake(&self) {
        // Under the lock, so that nobody falls asleep between looking and waiting.
        let _waiting = lock(&self.waiting);
        self.came.notify_all();
    }

    /// Waits so long, or until the node stops.
    pub(crate) fn pause(&self, time: Duration) {
        let waiting = lock(&self.waiting);
        drop(self.came.wait_timeout_while(waiting, time, |()| !self.is_over()));
    }

    /// The follower's thread.
    pub(crate) fn follow_on(&self) {
        let mut retry = RETRY_MIN;
        while !self.is_over() {
            match self.follow(true) {
                Ok(true) => retry = RETRY_MIN,
                // A peer that is about to stop, or does not mean to wait, answers at once.
                Ok(false) => self.pause(RETRY_MIN),
                Err(error) => {
                    tracing::warn!(%error, "the headers are not followed");
                    self.pause(retry);
                    retry = (retry * 2).min(RETRY_MAX);
                }
            }
        }
        self.wake();
    }

    /// Asks for the next headers and believes those that are proved; whether anything came of it.
    /// Where the node stands moves on once it has all of them: of the states in between peers keep
    /// nothing.
    pub(crate) fn follow(&self, wait: bool) -> Result<bool, PeerError> {
        let from = lock(&self.headers).height().saturating_add(1);
        let question = Question::Headers { from, wait: wait && !self.is_behind() };
        let judge = |answer| match answer {
            Answer::Headers(told) => match self.believe(&told) {
                Ok(came) => Judged::True((came, told.len() < HEADERS_MAX)),
                Err(reason) => Judged::Lie(reason),
            },
            answer => no_answer(answer),
        };
        let (came, are_all) = self.peers.ask(&question, judge)?;
        if are_all && self.is_behind() {
            self.move_on()?;
            return Ok(true);
        }
        Ok(came)
    }

    /// Believes the headers that continue the chain; whether there were any.
    fn believe(&self, told: &[CertifiedHeader]) -> Result<bool, String> {
        let mut headers = lock(&self.headers);
        let before = headers.height();
        let result = told.iter().try_for_each(|one| {
            // Another thread may have believed some of them meanwhile.
            if one.header.height <= headers.height() {
                return Ok(());
            }
            let is_other = one.header.next_validators != headers.validators().hash();
            let named = if is_other { self.named(one.header.next_validators)? } else { None };
            headers
                .accept(&one.header, &one.certificate, named.as_ref(), &self.verifier)
                .map_err(|error| error.to_string())
        });
        if headers.is_due()
            && let Err(error) = headers.keep()
        {
            tracing::warn!(%error, "the headers are not written down");
        }
        result.map(|()| headers.height() > before)
    }

    /// Whether headers are believed of which nothing can be read yet.
    fn is_behind(&self) -> bool {
        let (height, present) = (lock(&self.headers).height(), self.present());
        height > present.head.height || height > 0 && !present.rows.is_prepared()
    }

    /// Stands after the last header that is believed, as soon as something can be read there.
    fn move_on(&self) -> Result<(), PeerError> {
        let (seed, visits) = (self.seed, Arc::clone(&self.visits));
        let rows = |place| ProvenRows::new(Arc::clone(&self.peers), place, seed, visits);
        let genesis = self.present().head.time;
        let present = present_of(&lock(&self.headers), genesis, rows);
        present.rows.prepare()?;
        let mut shared = self.present.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have come further meanwhile.
        if present.head.height >= shared.head.height {
            *shared = present;
        }
        drop(shared);
        self.wake();
        Ok(())
    }

    /// The validators with this hash, from whoever knows them.
    pub(crate) fn named(&self, hash: Hash) -> Result<Option<ValidatorSet>, String> {
        let judge = |answer| match answer {
            Answer::Validators(Some(set)) if set.hash() == hash => Judged::True(Some(set)),
            Answer::Validators(Some(_)) => Judged::Lie("it names other validators".to_owned()),
            Answer::Validators(None) => Judged::Failed("it does not know them".to_owned()),
            answer => no_answer(answer),
        };
        let named = self.peers.ask(&Question::Validators(hash), judge);
        named.map_err(|error| error.to_string())
    }

    pub(crate) fn view(&self) -> View {
        let mut present = self.present();
        if let Some(emptied) = present.rows.emptied() {
            present.rows = Arc::new(emptied);
            let mut shared = self.present.write().unwrap_or_else(PoisonError::into_inner);
            if shared.head.height == present.head.height {
                shared.rows = Arc::clone(&present.rows);
            }
        }
        let reading = if present.rows.is_prepared() {
            Reading::of(present.rows)
        } else {
            Reading::of_nothing(present.rows)
        };
        View { state: Arc::new(reading), tip: present.head }
    }

    /// Whether a receipt is one of the log behind this header, and its facts are its record's.
    pub(crate) fn judge_receipt(
        &self,
        header: &Header,
        proven: ProvenReceipt,
    ) -> Result<IndexedReceipt, String> {
        let ProvenReceipt { index, receipt, path } = proven;
        let leaf = leaf_hash(&receipt.record.leaf());
        let (size, root) = (header.receipt_log_size, header.receipt_log_root);
        verify_inclusion(leaf, index, size, root, &path).map_err(|error| error.to_string())?;
        if receipt.record.chain_id != self.chain_id {
            return Err("a receipt is of another ledger".to_owned());
        }
        let commitments = ReceiptSeed(receipt.seed.0).commit(&receipt.fields);
        if commitments.ok().as_ref() != Some(&receipt.record.commitments) {
            return Err(format!("the facts of receipt {index} are not those of its record"));
        }
        Ok(IndexedReceipt { index, receipt: Arc::new(receipt) })
    }

    pub(crate) fn judge_receipts(
        &self,
        header: &Header,
        proven: Vec<ProvenReceipt>,
    ) -> Judged<Vec<IndexedReceipt>> {
        let judged = proven.into_iter().map(|one| self.judge_receipt(header, one));
        match judged.collect() {
            Ok(receipts) => Judged::True(receipts),
            Err(reason) => Judged::Lie(reason),
        }
    }

    pub(crate) fn receipt(&self, place: Place) -> Result<Option<IndexedReceipt>, PortError> {
        let Some(header) = self.present().header else { return Ok(None) };
        let is_asked = |found: &IndexedReceipt| match place {
            Place::Index(index) => found.index == index,
            Place::Transaction(id) => found.receipt.record.transaction_id == id,
        };
        let judge = |answer| match answer {
            Answer::Receipt(None) => Judged::True(None),
            Answer::Receipt(Some(proven)) => match self.judge_receipt(&header, *proven) {
                Ok(found) if is_asked(&found) => Judged::True(Some(found)),
                Ok(_) => other(),
                Err(reason) => Judged::Lie(reason),
            },
            answer => no_answer(answer),
        };
        let question = Question::Receipt { place, size: header.receipt_log_size };
        self.peers.ask(&question, judge).map_err(failed)
    }

    /// Puts a transaction on its way and waits for what becomes of it.
    pub(crate) fn submit(&self, transaction: Transaction) -> Result<Submitted, SubmitError> {
        let done = match self.peers.ask_once(&Question::Submit(Box::new(transaction))) {
            Ok(Answer::Submitted(Ok(done))) => done,
            Ok(Answer::Submitted(Err(refused))) => return Err(self.refused(refused)),
            Ok(_) => return Err(SubmitError::Overloaded { retry_after: LATER }),
            Err(PeerError::NotReached { .. } | PeerError::Nobody) => {
                return Err(SubmitError::Overloaded { retry_after: LATER });
            }
            Err(error) => {
                tracing::warn!(%error, "whether a transaction happened is not known");
                return Err(SubmitError::Unknown);
            }
        };
        // Another thread may believe the header meanwhile, so that this one finds nothing new.
        for wait in [false, true] {
            while self.present().head.height < done.height && self.follow(wait) == Ok(true) {}
        }
        if self.present().head.height < done.height {
            return Err(SubmitError::Unknown);
        }
        match self.receipt(Place::Index(done.index)) {
            Ok(Some(receipt)) => Ok(Submitted { receipt, is_duplicate: done.is_duplicate }),
            Ok(None) | Err(_) => Err(SubmitError::Unknown),
        }
    }

    pub(crate) fn refused(&self, refused: Refused) -> SubmitError {
        match refused {
            // It was valid here.
            Refused::Invalid(_) => SubmitError::Invalid(TransactionError::Malformed),
            Refused::Rejected(number, detail) => match self.registry.rejection(number) {
                Some(code) => SubmitError::Rejected(Rejection { code: *code, detail }),
                None => SubmitError::Unknown,
            },
            Refused::InProgress => SubmitError::InProgress,
            Refused::Overloaded(millis) => {
                SubmitError::Overloaded { retry_after: Duration::from_millis(millis) }
            }
            Refused::Unknown => SubmitError::Unknown,
            Refused::Stopped => SubmitError::Stopped,
        }
    }

    pub(crate) fn with_rules<T>(&self, run: impl FnOnce(&Rules) -> T) -> T {
        let kept = lock(&self.rules).pop();
        let rules = kept.unwrap_or_else(|| Rules::of(self.chain_id));
        let value = run(&rules);
        let mut kept = lock(&self.rules);
        if kept.len() < RULES_MAX {
            kept.push(rules);
        }
        value
    }

    /// The receipts from a place of the log on that concern this node's organisation, and the place
    /// behind them.
    pub(crate) fn log(&self, from: u64) -> Result<(Vec<IndexedReceipt>, u64), PeerError> {
        let Some(header) = self.present().header else { return Ok((Vec::new(), from)) };
        let size = header.receipt_log_size;
        let judge = |answer| match answer {
            Answer::Log(_, next) if next < from => Judged::Lie("it goes back".to_owned()),
            Answer::Log(proven, next) => match self.judge_receipts(&header, proven) {
                Judged::True(receipts) => Judged::True((receipts, next.min(size))),
                Judged::Lie(reason) => Judged::Lie(reason),
                Judged::Failed(reason) => Judged::Failed(reason),
            },
            answer => no_answer(answer),
        };
        self.peers.ask(&Question::Log { from, size }, judge)
    }
}
