//! Starting the engine, and what becomes of its messages.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use consensus::Next;
use malachite::app::consensus::{MisbehaviorEvidence, ProposedValue, VoteExtensionError};
use malachite::app::engine::host::{HeightParams, Next as EngineNext, SyncedValueOutcome};
use malachite::app::streaming::{StreamContent, StreamId, StreamMessage};
use malachite::app::types::codec::Codec;
use malachite::app::types::core::{
    CommitCertificate, ExtendedCommitCertificate, ExtendedCommitSignature, LinearTimeouts, Round,
    SigningScheme, Validity,
};
use malachite::app::types::sync::RawDecidedValue;
use malachite::app::types::{Keypair, LocallyProposedValue, PeerId};
use malachite::{
    AppMsg, Channels, ConsensusContext, EngineBuilder, EngineHandle, NetworkContext,
    NetworkIdentity, NetworkMsg, RequestContext, SyncContext, WalContext,
};
use malachite_signing::Signer;
use primitives::{Hash, OrganisationId};
use proof::header::{Certificate, ChainId, CommitSignature};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};

use crate::codec::Borsh;
use crate::context::{Address, Carried, Height, Members, Ours, Part, Scheme, Sealed, Value};
use crate::guard::Guard;
use crate::settings::{Settings, settings};
use crate::sign::{Check, Guarded};
use crate::{
    BLOCK_BYTES_MAX, BftError, Config, Origin, Patience, Proposed, Reply, Request, SYNC_BLOCKS_MAX,
    TRANSACTION_BATCH_MAX, Undecided, Verdict,
};

/// By how much each further round waits longer.
const ROUND_DELTA: Duration = Duration::from_millis(250);
/// The longest that a round waits.
const ROUND_MAX: Duration = Duration::from_secs(10);
/// How far ahead of the present height blocks of others are kept aside, as the engine keeps votes.
const AHEAD_MAX: u64 = 10;
/// How many blocks of others are kept aside at the most.
const ASIDE_MAX: usize = 32;
/// How many rounds ahead of the present one a block is looked at.
const ROUNDS_AHEAD_MAX: u32 = 16;
/// How many blocks one peer may have judged for one round: its own, and one that is tried again.
const PER_ROUND_MAX: u32 = 2;
/// How many transactions wait to be passed on; what is more is dropped, since whoever submitted it
/// is answered by the node that has it.
const OUTBOX_MAX: usize = 16_384;
/// The most bytes of transactions in one message.
const GOSSIP_BYTES_MAX: usize = 128 << 10;

/// The key that names a node in the network. It signs nothing of the ledger.
#[derive(Clone)]
pub struct PeerKey(Keypair);

impl PeerKey {
    /// The key of these 32 secret bytes.
    ///
    /// # Panics
    /// Never: any 32 bytes are an Ed25519 secret.
    #[must_use]
    pub fn from_secret(secret: [u8; 32]) -> Self {
        Self(Keypair::ed25519_from_bytes(secret).expect("any 32 bytes are an Ed25519 secret"))
    }

    /// The node's name, as it stands at the end of an address.
    #[must_use]
    pub fn name(&self) -> String {
        self.0.public().to_peer_id().to_string()
    }
}

impl fmt::Debug for PeerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerKey({})", self.name())
    }
}

/// A running engine. It ends when this is dropped.
pub struct Bft {
    runtime: Option<Runtime>,
    handle: Option<EngineHandle>,
    outbox: mpsc::Sender<Vec<u8>>,
}

impl Bft {
    /// Starts the engine; its questions come at once.
    ///
    /// # Errors
    /// When an address is none, or the folder or the port cannot be used.
    pub fn start(config: Config) -> Result<Self, BftError> {
        let settings = settings(&config)?;
        std::fs::create_dir_all(&config.network.folder)?;
        let mut builder = Builder::new_multi_thread();
        let runtime =
            builder.worker_threads(2).thread_name("yibao-consensus").enable_all().build()?;
        let (outbox, outgoing) = mpsc::channel(OUTBOX_MAX);
        let (engine, handle) = runtime.block_on(build(settings, &config))?;
        let Channels { consensus, network, .. } = engine;
        runtime.spawn(pass_on(outgoing, network.clone()));
        runtime.spawn(Loop::new(config, network).run(consensus));
        Ok(Self { runtime: Some(runtime), handle: Some(handle), outbox })
    }

    /// Passes a transaction on to all other validators, as long as there is room.
    pub fn pass_on(&self, transaction: Vec<u8>) {
        if self.outbox.try_send(transaction).is_err() {
            tracing::debug!("a transaction is not passed on: too many wait");
        }
    }
}

impl Drop for Bft {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            handle.actor.stop(None);
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(2));
        }
    }
}

impl fmt::Debug for Bft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bft")
    }
}

async fn build(
    settings: Settings,
    config: &Config,
) -> Result<(Channels<Ours>, EngineHandle), BftError> {
    let check = Check { chain_id: config.chain_id, verifier: Arc::clone(&config.verifier) };
    let own = Address(config.organisation);
    let keypair = config.network.peer_key.0.clone();
    let (identity, consensus) = match &config.key {
        Some(key) => {
            let guard = Mutex::new(Guard::open(&config.network.guard)?);
            let signer = Guarded { chain_id: config.chain_id, key: Arc::clone(key), guard };
            let peer = keypair.public().to_peer_id().to_bytes();
            let public = Scheme::encode_public_key(&key.public_key());
            let proof = signer.sign_validator_proof(public, peer).await;
            let proof = proof.map_err(|error| BftError::Start(error.to_string()))?;
            let proof = Borsh.encode(&proof).map_err(|error| BftError::Start(error.to_string()))?;
            let (name, address) = (settings.moniker.clone(), own.to_string());
            let identity = NetworkIdentity::new_validator(name, keypair, address, proof);
            let signer = Box::new(signer);
            (identity, ConsensusContext::new_validator(own, Box::new(check), signer))
        }
        None => {
            let identity = NetworkIdentity::new(settings.moniker.clone(), keypair, None);
            (identity, ConsensusContext::new_full_node(own, Box::new(check)))
        }
    };
    EngineBuilder::new(Ours, settings)
        .with_default_wal(WalContext::new(config.network.folder.join("consensus-1.wal"), Borsh))
        .with_default_network(NetworkContext::new(identity, Borsh))
        .with_default_sync(SyncContext::new(Borsh))
        .with_default_consensus(consensus)
        .with_default_request(RequestContext::new(16))
        .build()
        .await
        .map_err(|error| BftError::Start(format!("{error:#}")))
}

/// Sends transactions on in batches: what came while the last one was sent goes together.
async fn pass_on(mut outgoing: mpsc::Receiver<Vec<u8>>, network: mpsc::Sender<NetworkMsg<Ours>>) {
    while let Some(first) = outgoing.recv().await {
        let (mut bytes, mut batch) = (first.len(), vec![first]);
        let most = usize::try_from(TRANSACTION_BATCH_MAX).unwrap_or(1);
        while batch.len() < most && bytes < GOSSIP_BYTES_MAX {
            let Ok(next) = outgoing.try_recv() else { break };
            bytes = bytes.saturating_add(next.len());
            batch.push(next);
        }
        if network.send(message(Part::Transactions(batch))).await.is_err() {
            return;
        }
    }
}

/// A message of its own stream: each is whole.
fn message(part: Part) -> NetworkMsg<Ours> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let stream = StreamId::new(number.to_be_bytes().to_vec().into());
    NetworkMsg::PublishProposalPart(StreamMessage::new(stream, 0, StreamContent::Data(part)))
}

fn params(next: &Next, patience: Patience) -> (Height, HeightParams<Ours>) {
    let Patience { propose, vote } = patience;
    let timeouts = LinearTimeouts {
        propose,
        propose_delta: ROUND_DELTA,
        prevote: vote,
        prevote_delta: ROUND_DELTA,
        precommit: vote,
        precommit_delta: ROUND_DELTA,
        rebroadcast: propose.saturating_add(vote),
        max_timeout: ROUND_MAX,
    };
    let members = Members::from(&next.validators);
    (Height(next.height), HeightParams::new(members, timeouts, None))
}

/// Our certificate of a decision; signatures in the order of the organisations.
fn certificate_of(decided: &CommitCertificate<Ours>) -> Certificate {
    let mut signatures: Vec<_> = decided
        .commit_signatures
        .iter()
        .map(|one| CommitSignature {
            organisation: one.address.0,
            signature: one.signature.0.clone(),
        })
        .collect();
    signatures.sort_by_key(|one| one.organisation);
    Certificate {
        height: decided.height.0,
        round: decided.round.as_u32().unwrap_or(0),
        value_id: decided.value_id,
        signatures,
    }
}

fn decided_value(block: Vec<u8>, certificate: Certificate) -> RawDecidedValue<Ours> {
    let commit_signatures = certificate
        .signatures
        .into_iter()
        .map(|one| {
            ExtendedCommitSignature::new(Address(one.organisation), Sealed(one.signature), None)
        })
        .collect();
    let certificate = ExtendedCommitCertificate {
        height: Height(certificate.height),
        round: Round::new(certificate.round),
        value_id: certificate.value_id,
        commit_signatures,
    };
    RawDecidedValue::new(block.into(), certificate)
}

fn equivocators(evidence: &MisbehaviorEvidence<Ours>) -> Vec<OrganisationId> {
    let votes = evidence.votes.iter().map(|(who, _)| who.0);
    let proposals = evidence.proposals.iter().map(|(who, _)| who.0);
    votes.chain(proposals).collect::<BTreeSet<_>>().into_iter().collect()
}

fn proposed(height: u64, one: &Undecided) -> ProposedValue<Ours> {
    ProposedValue {
        height: Height(height),
        round: Round::new(one.round),
        valid_round: Round::from(one.valid_round),
        proposer: Address(one.proposer),
        value: Value(one.value_id),
        validity: Validity::from_bool(one.is_valid),
    }
}

/// What a verdict makes of a block of others; `None` when nothing can be said.
fn judged(height: u64, origin: Origin, verdict: Verdict) -> Option<ProposedValue<Ours>> {
    let (value_id, is_valid) = match verdict {
        Verdict::Valid(id) => (id, true),
        Verdict::Invalid(id) => (id, false),
        Verdict::Unreadable | Verdict::NotNow => return None,
    };
    let Origin { round, valid_round, proposer, .. } = origin;
    Some(proposed(height, &Undecided { round, valid_round, proposer, value_id, is_valid }))
}

/// Turns the engine's messages into requests, one at a time and without waiting for an answer.
struct Loop {
    chain_id: ChainId,
    own: OrganisationId,
    patience: Patience,
    on_transactions: Box<dyn Fn(Vec<Vec<u8>>) + Send + Sync>,
    on_request: Box<dyn Fn(Request) + Send + Sync>,
    network: mpsc::Sender<NetworkMsg<Ours>>,
    height: u64,
    round: u32,
    /// The last height whose block was fetched from others.
    fetched: u64,
    /// Blocks of heights that have not begun.
    aside: Vec<Carried>,
    /// How many blocks a peer had judged, by round.
    judged: BTreeMap<(u32, PeerId), u32>,
}

impl Loop {
    fn new(config: Config, network: mpsc::Sender<NetworkMsg<Ours>>) -> Self {
        let Config { chain_id, organisation: own, on_transactions, on_request, .. } = config;
        let patience = config.network.patience;
        let (aside, judged) = (Vec::new(), BTreeMap::new());
        let (height, round, fetched) = (0, 0, 0);
        Self {
            chain_id,
            own,
            patience,
            on_transactions,
            on_request,
            network,
            height,
            round,
            fetched,
            aside,
            judged,
        }
    }

    async fn run(mut self, mut messages: mpsc::Receiver<AppMsg<Ours>>) {
        while let Some(message) = messages.recv().await {
            self.handle(message);
        }
        tracing::debug!(chain_id = %self.chain_id, "the consensus engine ended");
    }

    fn ask(&self, request: Request) {
        (self.on_request)(request);
    }

    fn handle(&mut self, message: AppMsg<Ours>) {
        let patience = self.patience;
        match message {
            AppMsg::ConsensusReady { reply } => self.ask(Request::Start {
                reply: Reply::new(move |next: Next| give(reply, params(&next, patience))),
            }),
            AppMsg::StartedRound { height, round, reply_value, .. } => {
                self.begin(height.0, round.as_u32().unwrap_or(0), reply_value);
            }
            AppMsg::GetValue { height, round, reply, .. } => self.propose(height, round, reply),
            AppMsg::ExtendVote { reply, .. } => give(reply, None),
            AppMsg::VerifyVoteExtensions { extensions, reply, .. } => {
                // Nobody adds anything to votes, so nothing of it is acceptable.
                let verdict = |(who, ())| (who, Err(VoteExtensionError::InvalidVoteExtension));
                give(reply, extensions.into_iter().map(verdict).collect());
            }
            AppMsg::RestreamProposal { height, round, valid_round, address, value_id } => {
                self.restream(height.0, round, valid_round, address.0, value_id);
            }
            AppMsg::GetHistoryMinHeight { reply } => {
                self.ask(Request::First { reply: Reply::new(|first| give(reply, Height(first))) });
            }
            AppMsg::ReceivedProposalPart { from, published_by, part, reply } => {
                self.receive(published_by.unwrap_or(from), part, reply);
            }
            AppMsg::Decided { certificate, reply, .. } => self.ask(Request::Decided {
                certificate: certificate_of(&certificate),
                reply: Reply::new(move |()| give(reply, ())),
            }),
            AppMsg::Finalized { certificate, evidence, reply, .. } => {
                self.ask(Request::Finalized {
                    height: certificate.height.0,
                    is_fetched: certificate.height.0 == self.fetched,
                    equivocators: equivocators(&evidence),
                    reply: Reply::new(move |next: Next| {
                        let is_next = next.height > certificate.height.0;
                        let (height, params) = params(&next, patience);
                        give(
                            reply,
                            if is_next {
                                EngineNext::Start(height, params)
                            } else {
                                EngineNext::Restart(height, params)
                            },
                        );
                    }),
                });
            }
            AppMsg::GetDecidedValues { range, reply } => {
                let first = range.start().0;
                let last = range.end().0.min(first.saturating_add(u64::from(SYNC_BLOCKS_MAX) - 1));
                let reply = Reply::new(|blocks: Vec<(Vec<u8>, Certificate)>| {
                    let values = blocks.into_iter();
                    give(reply, values.map(|(block, by)| decided_value(block, by)).collect());
                });
                self.ask(Request::Decisions { first, last, reply });
            }
            AppMsg::ProcessSyncedValue { height, round, proposer, value_bytes, reply } => {
                let round = round.as_u32().unwrap_or(0);
                let (proposer, is_decided) = (proposer.0, true);
                let origin = Origin { round, valid_round: None, proposer, is_decided };
                let height = height.0;
                self.fetched = height;
                let reply = Reply::new(move |verdict| {
                    let outcome = match (judged(height, origin, verdict), verdict) {
                        (Some(value), _) => SyncedValueOutcome::Verdict(value),
                        (None, Verdict::NotNow) => SyncedValueOutcome::LocalTransientError,
                        (None, _) => SyncedValueOutcome::PeerFault,
                    };
                    give(reply, outcome);
                });
                let block = value_bytes.to_vec();
                self.ask(Request::Judge { height, origin, block, reply });
            }
        }
    }

    /// A round begins: what was kept aside for its height is judged, and all that is known goes to
    /// the engine.
    fn begin(&mut self, height: u64, round: u32, reply: oneshot::Sender<Vec<ProposedValue<Ours>>>) {
        if height != self.height {
            self.judged.clear();
        }
        (self.height, self.round) = (height, round);
        let aside = std::mem::take(&mut self.aside);
        let (now, later): (Vec<_>, Vec<_>) = aside
            .into_iter()
            .filter(|one| one.height >= height)
            .partition(|one| one.height == height);
        self.aside = later;
        let values = Arc::new(Mutex::new(Vec::new()));
        for carried in now {
            let origin = origin_of(&carried);
            let values = Arc::clone(&values);
            let reply = Reply::new(move |verdict| {
                let mut values = values.lock().unwrap_or_else(PoisonError::into_inner);
                values.extend(judged(height, origin, verdict));
            });
            self.ask(Request::Judge { height, origin, block: carried.block, reply });
        }
        // Requests are answered in their order, so this answer is the last one.
        let reply = Reply::new(move |known: Vec<Undecided>| {
            let mut values =
                std::mem::take(&mut *values.lock().unwrap_or_else(PoisonError::into_inner));
            values.extend(known.iter().map(|one| proposed(height, one)));
            give(reply, values);
        });
        self.ask(Request::Undecided { height, reply });
    }

    fn propose(
        &self,
        height: Height,
        round: Round,
        reply: oneshot::Sender<LocallyProposedValue<Ours>>,
    ) {
        let network = self.network.clone();
        let number = round.as_u32().unwrap_or(0);
        let (runtime, own) = (tokio::runtime::Handle::current(), self.own);
        let reply = Reply::new(move |proposed: Proposed| {
            give(reply, LocallyProposedValue::new(height, round, Value(proposed.value_id)));
            let carried = Carried {
                height: height.0,
                round: number,
                valid_round: None,
                proposer: own,
                block: proposed.block.to_vec(),
            };
            publish(&runtime, network, carried);
        });
        self.ask(Request::Propose { height: height.0, round: number, reply });
    }

    fn restream(
        &self,
        height: u64,
        round: Round,
        valid_round: Round,
        proposer: OrganisationId,
        value_id: Hash,
    ) {
        let (network, runtime) = (self.network.clone(), tokio::runtime::Handle::current());
        let (round, valid_round) = (round.as_u32().unwrap_or(0), valid_round.as_u32());
        let reply = Reply::new(move |block: Option<Arc<[u8]>>| {
            let Some(block) = block else { return };
            let block = block.to_vec();
            publish(&runtime, network, Carried { height, round, valid_round, proposer, block });
        });
        self.ask(Request::Block { value_id, reply });
    }

    fn receive(
        &mut self,
        peer: PeerId,
        part: StreamMessage<Part>,
        reply: oneshot::Sender<Option<ProposedValue<Ours>>>,
    ) {
        let carried = match part.content {
            StreamContent::Data(Part::Block(carried)) => *carried,
            StreamContent::Data(Part::Transactions(list)) => {
                (self.on_transactions)(list);
                return give(reply, None);
            }
            StreamContent::Fin => return give(reply, None),
        };
        let height = carried.height;
        if height > self.height {
            self.ask(Request::Ahead { height });
            let is_near = height <= self.height.saturating_add(AHEAD_MAX);
            if is_near && self.aside.len() < ASIDE_MAX && !self.aside.contains(&carried) {
                self.aside.push(carried);
            }
            return give(reply, None);
        }
        let seen = self.judged.entry((carried.round, peer)).or_default();
        let is_far = carried.round > self.round.saturating_add(ROUNDS_AHEAD_MAX);
        if height < self.height || is_far || *seen >= PER_ROUND_MAX {
            return give(reply, None);
        }
        *seen += 1;
        let origin = origin_of(&carried);
        let reply = Reply::new(move |verdict| give(reply, judged(height, origin, verdict)));
        self.ask(Request::Judge { height, origin, block: carried.block, reply });
    }
}

fn origin_of(carried: &Carried) -> Origin {
    let Carried { round, valid_round, proposer, .. } = *carried;
    Origin { round, valid_round, proposer, is_decided: false }
}

/// Sends a block to all others, from whatever thread.
fn publish(
    runtime: &tokio::runtime::Handle,
    network: mpsc::Sender<NetworkMsg<Ours>>,
    carried: Carried,
) {
    debug_assert!(carried.block.len() <= usize::try_from(BLOCK_BYTES_MAX).unwrap_or(usize::MAX));
    runtime.spawn(async move { network.send(message(Part::Block(Box::new(carried)))).await });
}

/// Answers the engine; one that ended does not hear it.
fn give<T>(reply: oneshot::Sender<T>, answer: T) {
    drop(reply.send(answer));
}
