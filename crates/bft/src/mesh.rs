//! Connections between named peers: TCP, encrypted and proved by the Noise protocol (`IK`).
//!
//! Whoever has something to say connects: what a node sends goes over the connection that it
//! opened, what it hears comes over one that its peer opened. So nobody has to agree on which of
//! two connections is kept. A name is a Noise public key; the first message proves it, and a
//! stranger gets no answer. The ledger's name is part of the handshake: two ledgers never meet.
//!
//! Invariants: what a peer that cannot be reached is to be told takes bounded memory; a peer that
//! sends more than is handled waits in its own connection; no message is larger than
//! [`MESSAGE_BYTES_MAX`].

pub mod secret;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io::{self, Error, ErrorKind};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use proof::header::ChainId;
use snow::params::NoiseParams;
use snow::resolvers::{CryptoResolver, DefaultResolver};

use self::secret::{Secret, dial, greet, hear as hear_word, noise, say as say_word, set_up, wake};
use crate::machine::Event;
use crate::{BLOCK_BYTES_MAX, BftError, FETCH_BLOCKS_MAX, Network};

const PATTERN: &str = "Noise_IK_25519_ChaChaPoly_SHA256";
const PROLOGUE: &str = "yibao/mesh/v1/";
/// The largest message: an answer with as many blocks as there may be, and their certificates.
pub const MESSAGE_BYTES_MAX: u32 = (BLOCK_BYTES_MAX + (64 << 10)) * FETCH_BLOCKS_MAX;
/// The most that waits for one peer; what is older is dropped, since the engine says it again.
const WAITING_BYTES_MAX: usize = 16 << 20;
const WAITING_MAX: usize = 4_096;
/// How often a connection is used at the least, so that a dead one is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// After how long without a word a connection is given up.
const SILENCE_MAX: Duration = Duration::from_secs(20);
/// How soon a peer that cannot be reached is tried again: twice as late each time, to this.
const RETRY_MIN: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(5);
/// How many may prove their names at once; the oldest of them makes room for one more.
const GUESTS_MAX: usize = 64;

/// The name of a node in the network: its public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PeerName(pub [u8; 32]);

impl fmt::Display for PeerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PeerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerName({self})")
    }
}

impl FromStr for PeerName {
    type Err = BftError;

    fn from_str(text: &str) -> Result<Self, BftError> {
        let wrong = || BftError::Name(text.to_owned());
        let digits = text.as_bytes();
        if digits.len() != 64 || digits.iter().any(|one| !matches!(one, b'0'..=b'9' | b'a'..=b'f'))
        {
            return Err(wrong());
        }
        let mut name = [0; 32];
        for (byte, pair) in name.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
        }
        Ok(Self(name))
    }
}

/// The key that names a node in the network. It signs nothing of the ledger.
#[derive(Clone)]
pub struct PeerKey([u8; 32]);

impl PeerKey {
    /// The key of these secret bytes.
    #[must_use]
    pub const fn from_secret(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    /// The node's name.
    ///
    /// # Errors
    /// When the cryptography is not there; never with this build.
    pub fn name(&self) -> Result<PeerName, BftError> {
        let params = params()?;
        let mut dh = DefaultResolver
            .resolve_dh(&params.dh)
            .ok_or_else(|| BftError::Start("X25519 is not built in".to_owned()))?;
        dh.set(&self.0);
        let name = dh.pubkey().try_into();
        name.map(PeerName).map_err(|_| BftError::Start("a public key has 32 bytes".to_owned()))
    }
}

impl fmt::Debug for PeerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PeerKey(..)")
    }
}

/// Another node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its name, which its key proves.
    pub name: PeerName,
    /// Where it listens, such as `10.0.0.2:7410`.
    pub address: String,
}

fn params() -> Result<NoiseParams, BftError> {
    PATTERN.parse().map_err(|error: snow::Error| BftError::Start(error.to_string()))
}

/// All connections of a node.
pub struct Mesh {
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
    listening: SocketAddr,
}

struct Shared {
    key: PeerKey,
    prologue: Vec<u8>,
    params: NoiseParams,
    events: SyncSender<Event>,
    is_stopped: AtomicBool,
    own: PeerName,
    links: RwLock<Links>,
    /// Connections that others opened, by a number of their own, and whose they are once they have
    /// proved it.
    heard: Mutex<BTreeMap<u64, (Option<PeerName>, TcpStream)>>,
    guests: AtomicUsize,
}

type Links = BTreeMap<PeerName, Arc<Link>>;

/// What goes to one peer.
struct Link {
    address: String,
    /// It is no peer any more.
    is_over: AtomicBool,
    waiting: Mutex<Waiting>,
    came: Condvar,
}

#[derive(Default)]
struct Waiting {
    messages: VecDeque<Arc<[u8]>>,
    bytes: usize,
    stream: Option<TcpStream>,
}

impl Link {
    fn to(address: String) -> Self {
        let (waiting, came) = (Mutex::default(), Condvar::new());
        Self { address, is_over: AtomicBool::new(false), waiting, came }
    }

    /// Ends what is sent to it; its thread ends by itself.
    fn end(&self) {
        self.is_over.store(true, Ordering::Release);
        // Under the lock, so that nobody falls asleep between looking and waiting.
        let waiting = self.lock();
        if let Some(stream) = &waiting.stream {
            drop(stream.shutdown(Shutdown::Both));
        }
        self.came.notify_all();
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, bytes: Arc<[u8]>) {
        let mut waiting = self.lock();
        waiting.bytes += bytes.len();
        waiting.messages.push_back(bytes);
        while waiting.bytes > WAITING_BYTES_MAX || waiting.messages.len() > WAITING_MAX {
            let Some(oldest) = waiting.messages.pop_front() else { break };
            waiting.bytes -= oldest.len();
        }
        drop(waiting);
        self.came.notify_one();
    }

    /// The next message; `None` after a while without one, so that the connection is used.
    fn pop(&self) -> Option<Arc<[u8]>> {
        let waiting = self.lock();
        let (mut waiting, _) = self
            .came
            .wait_timeout_while(waiting, KEEP_ALIVE, |waiting| {
                waiting.messages.is_empty() && !self.is_over()
            })
            .unwrap_or_else(PoisonError::into_inner);
        let message = waiting.messages.pop_front()?;
        waiting.bytes -= message.len();
        Some(message)
    }
}

impl Mesh {
    /// Listens, and connects to all peers as soon as they are there.
    ///
    /// # Errors
    /// When nobody can connect to the address, or a peer's address is none.
    pub fn start(
        network: &Network,
        chain_id: ChainId,
        events: SyncSender<Event>,
    ) -> Result<Self, BftError> {
        let own = network.peer_key.name()?;
        network.peers.iter().try_for_each(|peer| check_address(&peer.address))?;
        check_address(&network.listen)?;
        let failed = |reason| BftError::Listen { address: network.listen.clone(), reason };
        let listener = TcpListener::bind(&network.listen).map_err(failed)?;
        let listening = listener.local_addr().map_err(failed)?;
        let shared = Arc::new(Shared {
            key: network.peer_key.clone(),
            prologue: format!("{PROLOGUE}{chain_id}").into_bytes(),
            params: params()?,
            events,
            is_stopped: AtomicBool::new(false),
            own,
            links: RwLock::default(),
            heard: Mutex::default(),
            guests: AtomicUsize::new(0),
        });
        let mut mesh = Self { shared, listener: None, listening };
        let shared = Arc::clone(&mesh.shared);
        mesh.listener = Some(spawn("yibao-listen", move || listen(&shared, &listener))?);
        mesh.set_peers(&network.peers)?;
        Ok(mesh)
    }

    /// Connects to these peers from now on, and to no others: who is not named any more is neither
    /// told anything nor heard. An address that is none is passed over, and told in the log.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn set_peers(&self, peers: &[Peer]) -> Result<(), BftError> {
        let wanted = peers.iter().filter(|peer| {
            let fine = check_address(&peer.address);
            if let Err(error) = &fine {
                tracing::error!(peer = %peer.name, %error, "a peer cannot be reached");
            }
            fine.is_ok() && peer.name != self.shared.own
        });
        let wanted: BTreeMap<_, _> = wanted.map(|peer| (peer.name, &peer.address)).collect();
        let mut links = self.shared.links.write().unwrap_or_else(PoisonError::into_inner);
        let mut left = Vec::new();
        links.retain(|name, link| {
            let is_wanted = wanted.get(name).is_some_and(|address| **address == link.address);
            if !is_wanted {
                link.end();
                left.push(*name);
            }
            is_wanted
        });
        for (name, address) in wanted {
            if links.contains_key(&name) {
                continue;
            }
            let link = Arc::new(Link::to(address.clone()));
            links.insert(name, Arc::clone(&link));
            left.retain(|other| *other != name);
            let shared = Arc::clone(&self.shared);
            spawn("yibao-speak", move || speak(&shared, name, &link))?;
        }
        drop(links);
        let heard = self.shared.heard.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, stream) in heard.values() {
            if name.is_some_and(|name| left.contains(&name)) {
                drop(stream.shutdown(Shutdown::Both));
            }
        }
        Ok(())
    }

    /// Sends to one peer, or to all. Whoever cannot be reached hears the newest of it later.
    pub fn send(&self, to: Option<PeerName>, bytes: Arc<[u8]>) {
        let links = self.shared.links();
        match to {
            Some(name) => {
                if let Some(link) = links.get(&name) {
                    link.push(bytes);
                }
            }
            None => links.values().for_each(|link| link.push(Arc::clone(&bytes))),
        }
    }

    /// The peers that hear what is sent to them.
    #[must_use]
    pub fn connected(&self) -> Vec<PeerName> {
        let links = self.shared.links();
        let links = links.iter().filter(|(_, link)| link.lock().stream.is_some());
        links.map(|(name, _)| *name).collect()
    }
}

impl Drop for Mesh {
    fn drop(&mut self) {
        let shared = &self.shared;
        shared.is_stopped.store(true, Ordering::Release);
        shared.links().values().for_each(|link| link.end());
        // Wakes the listener, so that the address is free when this returns. The others end by
        // themselves: a reader at the latest when nobody takes what it has read.
        wake(self.listening);
        if let Some(listener) = self.listener.take() {
            drop(listener.join());
        }
        for (_, stream) in shared.heard.lock().unwrap_or_else(PoisonError::into_inner).values() {
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}

impl fmt::Debug for Mesh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mesh({})", self.listening)
    }
}

fn check_address(address: &str) -> Result<(), BftError> {
    let wrong =
        |reason: &str| BftError::Address { address: address.to_owned(), reason: reason.to_owned() };
    let (host, port) = address.rsplit_once(':').ok_or_else(|| wrong("it has no port"))?;
    if host.is_empty() {
        return Err(wrong("it has no host"));
    }
    port.parse::<u16>().map(drop).map_err(|_| wrong("its port is no number up to 65535"))
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, BftError> {
    let thread = Builder::new().name(name.to_owned()).spawn(run);
    thread.map_err(|error| BftError::Start(error.to_string()))
}

impl Shared {
    /// A connection that another opened is over.
    fn end(&self, number: u64) {
        self.guests.fetch_sub(1, Ordering::AcqRel);
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
    }

    /// Ends the oldest connection over which nobody has proved a name.
    fn dismiss_oldest(&self) -> bool {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let unnamed = heard.iter().find(|(_, (whose, _))| whose.is_none());
        let Some(number) = unnamed.map(|(number, _)| *number) else { return false };
        if let Some((_, stream)) = heard.remove(&number) {
            drop(stream.shutdown(Shutdown::Both));
        }
        true
    }

    fn links(&self) -> RwLockReadGuard<'_, Links> {
        self.links.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes whose a connection is; whether it is still a peer's.
    fn knows(&self, number: u64, name: PeerName) -> bool {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((whose, _)) = heard.get_mut(&number) {
            *whose = Some(name);
        }
        drop(heard);
        self.links().contains_key(&name)
    }

    fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Acquire)
    }

    fn builder(&self) -> Result<snow::Builder<'_>, snow::Error> {
        snow::Builder::new(self.params.clone())
            .prologue(&self.prologue)?
            .local_private_key(&self.key.0)
    }

    /// Connects to a peer and proves both names.
    fn connect(&self, name: PeerName, address: &str) -> io::Result<Secret> {
        let mut stream = dial(address)?;
        set_up(&stream)?;
        let builder = self.builder().and_then(|one| one.remote_public_key(&name.0));
        let mut handshake = builder.and_then(snow::Builder::build_initiator).map_err(noise)?;
        greet(&mut handshake, &mut stream)?;
        Secret::after(handshake, stream)
    }

    /// Lets a peer prove its name; a stranger gets no answer.
    fn welcome(&self, mut stream: TcpStream) -> io::Result<(PeerName, Secret)> {
        set_up(&stream)?;
        let handshake = self.builder().and_then(snow::Builder::build_responder);
        let mut handshake = handshake.map_err(noise)?;
        hear_word(&mut handshake, &mut stream)?;
        let name = handshake.get_remote_static().and_then(|key| key.try_into().ok());
        let name = name.map(PeerName).filter(|name| self.links().contains_key(name));
        let name = name.ok_or_else(|| Error::new(ErrorKind::PermissionDenied, "a stranger"))?;
        say_word(&mut handshake, &mut stream)?;
        stream.set_read_timeout(Some(SILENCE_MAX))?;
        Ok((name, Secret::after(handshake, stream)?))
    }
}

/// Tells one peer what there is for it, over one connection after the other.
fn speak(shared: &Shared, name: PeerName, link: &Link) {
    let mut retry = RETRY_MIN;
    while !link.is_over() {
        match shared.connect(name, &link.address) {
            Ok(mut secret) => {
                retry = RETRY_MIN;
                tracing::info!(peer = %name, "connected");
                let result = say(shared, name, link, &mut secret);
                link.lock().stream = None;
                if let Err(error) = result {
                    tracing::info!(peer = %name, %error, "not connected any more");
                }
            }
            Err(error) => tracing::debug!(peer = %name, %error, "not reached"),
        }
        let waiting = link.lock();
        let pause = link.came.wait_timeout_while(waiting, retry, |_| !link.is_over());
        drop(pause);
        retry = (retry * 2).min(RETRY_MAX);
    }
}

fn say(shared: &Shared, name: PeerName, link: &Link, secret: &mut Secret) -> io::Result<()> {
    {
        let mut waiting = link.lock();
        if link.is_over() {
            return Ok(());
        }
        waiting.stream = Some(secret.stream.try_clone()?);
    }
    if shared.events.send(Event::Connected(name)).is_err() {
        return Ok(());
    }
    while !link.is_over() {
        match link.pop() {
            Some(message) => secret.send(&message)?,
            None => secret.send(&[])?,
        }
    }
    Ok(())
}

fn listen(shared: &Arc<Shared>, listener: &TcpListener) {
    for number in 0.. {
        let accepted = listener.accept();
        if shared.is_stopped() {
            return;
        }
        let Ok((stream, address)) = accepted else {
            // Out of handles, say: they come back.
            std::thread::park_timeout(RETRY_MIN);
            continue;
        };
        if shared.guests.fetch_add(1, Ordering::AcqRel) >= GUESTS_MAX + shared.links().len() {
            // Strangers keep nobody out: who has waited longest without a name makes room.
            if !shared.dismiss_oldest() {
                shared.guests.fetch_sub(1, Ordering::AcqRel);
                tracing::debug!(%address, "too many connections");
                continue;
            }
        }
        let Ok(copy) = stream.try_clone() else {
            shared.guests.fetch_sub(1, Ordering::AcqRel);
            continue;
        };
        let here = Arc::clone(shared);
        shared.heard.lock().unwrap_or_else(PoisonError::into_inner).insert(number, (None, copy));
        let heard = spawn("yibao-hear", move || {
            if let Err(error) = hear(&here, number, stream) {
                tracing::debug!(%address, %error, "a connection ended");
            }
            here.end(number);
        });
        if let Err(error) = heard {
            tracing::warn!(%address, %error, "a connection is not heard");
            shared.end(number);
        }
    }
}

fn hear(shared: &Shared, number: u64, stream: TcpStream) -> io::Result<()> {
    let (name, mut secret) = shared.welcome(stream)?;
    if !shared.knows(number, name) {
        return Ok(());
    }
    tracing::debug!(peer = %name, "heard");
    while !shared.is_stopped() {
        let message = secret.receive()?;
        if !message.is_empty() && shared.events.send(Event::Received(name, message)).is_err() {
            break;
        }
    }
    Ok(())
}
