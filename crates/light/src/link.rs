//! The encrypted connection between a light node and a full one.
//!
//! Noise `NK`: the full node proves the name by which the light node knows it; whoever listens in
//! between hears nothing. Then the light node proves whose it is: it signs the hash of this very
//! handshake with an online key of its organisation, which the full node looks up on the ledger. A
//! key that expires or is withdrawn ends its connections with the next question; a stranger is told
//! nothing.

use std::collections::BTreeMap;
use std::io::{self, Error, ErrorKind};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use adapters::clock::Clock;
use bft::mesh::secret::{Secret, dial, greet, hear, noise, say, set_up, wake};
use bft::mesh::{PeerKey, PeerName};
use borsh::{BorshDeserialize, BorshSerialize};
use gateway::session::registered::registered;
use primitives::{Hash, OrganisationId, Party, PublicKey, Signature, codec, sha256_parts};
use proof::header::ChainId;

use crate::peers::{Peer, PeerError};
use crate::question::{Answer, Question};
use crate::serve::Service;

const PATTERN: &str = "Noise_NK_25519_ChaChaPoly_SHA256";
const PROLOGUE: &str = "yibao/light/v1/";
const SIGN_IN_TAG: &[u8] = b"yibao/light-sign-in/v1";
/// How long an answer may take; a wait for the next block is shorter.
const ANSWER_PATIENCE: Duration = Duration::from_secs(15);
/// How long the answer may take to a transaction, which waits for its block.
const SUBMIT_PATIENCE: Duration = Duration::from_secs(60);
/// The largest message of whoever signs in, and the largest question.
const SIGN_IN_BYTES_MAX: u32 = 1_024;
const QUESTION_BYTES_MAX: u32 = 2 << 20;
/// After how long without a question a connection is closed.
const SILENCE_MAX: Duration = Duration::from_secs(120);
/// How many connections a full node keeps.
const CONNECTIONS_MAX: usize = 2_048;
/// How many of them one organisation has.
const CONNECTIONS_PER_ORGANISATION_MAX: usize = 64;
/// How many idle connections a light node keeps to a peer.
const IDLE_MAX: usize = 16;

/// Who signs in, over which handshake.
#[derive(BorshSerialize, BorshDeserialize)]
struct SignIn {
    organisation: OrganisationId,
    key: PublicKey,
    signature: Signature,
}

/// What an organisation signs to sign in over the connection with this handshake.
fn sign_in_message(organisation: OrganisationId, handshake: &[u8]) -> Hash {
    sha256_parts(&[SIGN_IN_TAG, &codec::encode(&organisation), handshake])
}

fn builder<'a>(prologue: &'a [u8]) -> io::Result<snow::Builder<'a>> {
    let params = PATTERN.parse().map_err(noise)?;
    snow::Builder::new(params).prologue(prologue).map_err(noise)
}

fn prologue(chain_id: ChainId) -> Vec<u8> {
    format!("{PROLOGUE}{chain_id}").into_bytes()
}

/// Signs with an online key of the organisation.
pub trait SignsIn: Send + Sync {
    /// The public key.
    fn key(&self) -> PublicKey;

    /// The key's signature of this message.
    fn sign(&self, message: &Hash) -> Signature;
}

/// A full node that is reached over an encrypted connection.
pub struct Link {
    name: PeerName,
    address: String,
    prologue: Vec<u8>,
    organisation: OrganisationId,
    signer: Arc<dyn SignsIn>,
    idle: Mutex<Vec<Secret>>,
}

impl Link {
    /// The full node of this name at this address, such as `10.0.0.2:7420`, asked for this
    /// organisation.
    #[must_use]
    pub fn to(
        (name, address): (PeerName, String),
        chain_id: ChainId,
        organisation: OrganisationId,
        signer: Arc<dyn SignsIn>,
    ) -> Self {
        let (prologue, idle) = (prologue(chain_id), Mutex::default());
        Self { name, address, prologue, organisation, signer, idle }
    }

    fn connect(&self) -> io::Result<Secret> {
        let mut stream = dial(&self.address)?;
        set_up(&stream)?;
        let builder = builder(&self.prologue)?.remote_public_key(&self.name.0).map_err(noise)?;
        let mut handshake = builder.build_initiator().map_err(noise)?;
        greet(&mut handshake, &mut stream)?;
        let message = sign_in_message(self.organisation, handshake.get_handshake_hash());
        let sign_in = SignIn {
            organisation: self.organisation,
            key: self.signer.key(),
            signature: self.signer.sign(&message),
        };
        let mut secret = Secret::after(handshake, stream)?;
        secret.send(&codec::encode(&sign_in))?;
        Ok(secret)
    }

    fn idle(&self) -> Option<Secret> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

impl Peer for Link {
    fn ask(&self, question: &Question) -> Result<Answer, PeerError> {
        let bytes = codec::encode(question);
        let not_reached =
            |error: Error| PeerError::NotReached { peer: self.name(), reason: error.to_string() };
        let no_answer =
            |error: Error| PeerError::NoAnswer { peer: self.name(), reason: error.to_string() };
        let may_repeat = !matches!(question, Question::Submit(_));
        let patience = if may_repeat { ANSWER_PATIENCE } else { SUBMIT_PATIENCE };
        let exchange = |secret: &mut Secret| {
            secret.stream().set_read_timeout(Some(patience))?;
            secret.send(&bytes)?;
            secret.receive()
        };
        // An idle connection may have been closed meanwhile. What must not happen twice unseen goes
        // over a new one.
        let idle = if may_repeat { self.idle() } else { None };
        let mut answered = None;
        if let Some(mut secret) = idle
            && let Ok(answer) = exchange(&mut secret)
        {
            answered = Some((secret, answer));
        }
        let (secret, answer) = match answered {
            Some(answered) => answered,
            None => {
                let mut secret = self.connect().map_err(not_reached)?;
                let answer = exchange(&mut secret).map_err(no_answer)?;
                (secret, answer)
            }
        };
        let answer = codec::decode(&answer).map_err(|error| PeerError::Lie {
            peer: self.name(),
            reason: format!("its answer is none: {error}"),
        })?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push(secret);
        }
        Ok(answer)
    }

    fn name(&self) -> String {
        format!("{} at {}", self.name, self.address)
    }
}

/// Listens for light nodes and answers them; ends when it is dropped.
pub struct Listener {
    shared: Arc<Shared>,
    listening: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    service: Service,
    key: [u8; 32],
    prologue: Vec<u8>,
    clock: Arc<dyn Clock>,
    connections: Mutex<BTreeMap<u64, (Option<OrganisationId>, TcpStream)>>,
    is_over: AtomicBool,
}

impl Listener {
    /// Listens at this address, such as `0.0.0.0:7420`; the key's public half is the name by which
    /// light nodes know this node.
    ///
    /// # Errors
    /// When nobody can connect to the address, or the system gives no thread.
    pub fn start(
        service: Service,
        address: &str,
        key: [u8; 32],
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let listening = listener.local_addr()?;
        let shared = Arc::new(Shared {
            prologue: prologue(service.chain().chain_id()),
            service,
            key,
            clock,
            connections: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let here = Arc::clone(&shared);
        let thread = Builder::new()
            .name("yibao-light-listen".to_owned())
            .spawn(move || listen(&here, &listener))?;
        Ok(Self { shared, listening, thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.listening
    }

    /// How many light nodes are connected, and of how many organisations.
    #[must_use]
    pub fn connected(&self) -> (usize, usize) {
        let connections = self.shared.connections();
        let whose: std::collections::BTreeSet<_> =
            connections.values().filter_map(|(whose, _)| *whose).collect();
        (connections.len(), whose.len())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        wake(self.listening);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
        for (_, stream) in self.shared.connections().values() {
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}

impl Shared {
    fn connections(
        &self,
    ) -> std::sync::MutexGuard<'_, BTreeMap<u64, (Option<OrganisationId>, TcpStream)>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the organisation's key may ask now.
    fn is_known(&self, organisation: OrganisationId, key: PublicKey) -> bool {
        let view = self.service.chain().view();
        let now = self.clock.now().max(view.tip.time);
        registered(view.rows(), Party::Organisation(organisation), key, now).is_some()
    }

    fn welcome(&self, mut stream: TcpStream) -> io::Result<(Secret, OrganisationId, PublicKey)> {
        set_up(&stream)?;
        let builder = builder(&self.prologue)?.local_private_key(&self.key).map_err(noise)?;
        let mut handshake = builder.build_responder().map_err(noise)?;
        hear(&mut handshake, &mut stream)?;
        say(&mut handshake, &mut stream)?;
        let hash = handshake.get_handshake_hash().to_vec();
        let mut secret = Secret::after(handshake, stream)?;
        let stranger = || Error::new(ErrorKind::PermissionDenied, "a stranger");
        let sign_in: SignIn = {
            let bytes = secret.receive_at_most(SIGN_IN_BYTES_MAX)?;
            codec::decode(&bytes).map_err(|_| stranger())?
        };
        let SignIn { organisation, key, signature } = sign_in;
        let message = sign_in_message(organisation, &hash);
        let verified = self.service.chain().verify_signature(&key, &message, &signature);
        // An assertion of a passkey is no signature of an organisation.
        let is_signed = matches!(verified, Ok(None));
        if !is_signed || !self.is_known(organisation, key) {
            return Err(stranger());
        }
        secret.stream().set_read_timeout(Some(SILENCE_MAX))?;
        Ok((secret, organisation, key))
    }

    fn hear(&self, number: u64, stream: TcpStream) -> io::Result<()> {
        let (mut secret, organisation, key) = self.welcome(stream)?;
        {
            let mut connections = self.connections();
            let own = connections.values().filter(|(whose, _)| *whose == Some(organisation));
            if own.count() >= CONNECTIONS_PER_ORGANISATION_MAX {
                return Err(Error::new(ErrorKind::QuotaExceeded, "too many connections"));
            }
            if let Some((whose, _)) = connections.get_mut(&number) {
                *whose = Some(organisation);
            }
        }
        while !self.is_over.load(Ordering::Acquire) {
            let question = secret.receive_at_most(QUESTION_BYTES_MAX)?;
            if !self.is_known(organisation, key) {
                return Err(Error::new(ErrorKind::PermissionDenied, "the key counts no more"));
            }
            let answer = match codec::decode::<Question>(&question) {
                Ok(question) => self.service.answer(organisation, question),
                Err(error) => Answer::Failed(format!("this is no question: {error}")),
            };
            secret.send(&codec::encode(&answer))?;
        }
        Ok(())
    }
}

fn listen(shared: &Arc<Shared>, listener: &TcpListener) {
    for number in 0.. {
        let accepted = listener.accept();
        if shared.is_over.load(Ordering::Acquire) {
            return;
        }
        let Ok((stream, address)) = accepted else {
            // Out of handles, say: they come back.
            std::thread::park_timeout(Duration::from_millis(100));
            continue;
        };
        let Ok(copy) = stream.try_clone() else { continue };
        {
            let mut connections = shared.connections();
            if connections.len() >= CONNECTIONS_MAX {
                tracing::debug!(%address, "too many light nodes");
                continue;
            }
            connections.insert(number, (None, copy));
        }
        let here = Arc::clone(shared);
        let heard = Builder::new().name("yibao-light-hear".to_owned()).spawn(move || {
            if let Err(error) = here.hear(number, stream) {
                tracing::debug!(%address, %error, "a light node's connection ended");
            }
            here.connections().remove(&number);
        });
        if let Err(error) = heard {
            tracing::warn!(%address, %error, "a light node is not heard");
            shared.connections().remove(&number);
        }
    }
}

/// The name by which light nodes know the full node with this key.
///
/// # Errors
/// When the cryptography is not there; never with this build.
pub fn name_of(key: [u8; 32]) -> io::Result<PeerName> {
    PeerKey::from_secret(key).name().map_err(|error| Error::other(error.to_string()))
}
