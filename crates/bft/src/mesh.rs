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

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io::{self, Error, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use proof::header::ChainId;
use snow::params::NoiseParams;
use snow::resolvers::{CryptoResolver, DefaultResolver};
use snow::{HandshakeState, TransportState};

use crate::machine::Event;
use crate::{BLOCK_BYTES_MAX, BftError, FETCH_BLOCKS_MAX, Network};

const PATTERN: &str = "Noise_IK_25519_ChaChaPoly_SHA256";
const PROLOGUE: &str = "yibao/mesh/v1/";
/// The largest message: an answer with as many blocks as there may be, and their certificates.
pub const MESSAGE_BYTES_MAX: u32 = (BLOCK_BYTES_MAX + (64 << 10)) * FETCH_BLOCKS_MAX;
/// What Noise encrypts at once.
const CHUNK_BYTES: usize = 65_535;
const TAG_BYTES: usize = 16;
const HANDSHAKE_BYTES_MAX: usize = 1_024;
/// The most that waits for one peer; what is older is dropped, since the engine says it again.
const WAITING_BYTES_MAX: usize = 16 << 20;
const WAITING_MAX: usize = 4_096;
/// How long a handshake, or a write, may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a connection is used at the least, so that a dead one is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// After how long without a word a connection is given up.
const SILENCE_MAX: Duration = Duration::from_secs(20);
/// How soon a peer that cannot be reached is tried again: twice as late each time, to this.
const RETRY_MIN: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(5);
/// How many may prove their names at once.
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
    links: BTreeMap<PeerName, Link>,
    /// Connections that others opened, by a number of their own.
    heard: Mutex<BTreeMap<u64, TcpStream>>,
    guests: AtomicUsize,
}

/// What goes to one peer.
struct Link {
    address: String,
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
    fn pop(&self, is_stopped: &AtomicBool) -> Option<Arc<[u8]>> {
        let waiting = self.lock();
        let (mut waiting, _) = self
            .came
            .wait_timeout_while(waiting, KEEP_ALIVE, |waiting| {
                waiting.messages.is_empty() && !is_stopped.load(Ordering::Acquire)
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
        let mut links = BTreeMap::new();
        for peer in &network.peers {
            check_address(&peer.address)?;
            let (waiting, came) = (Mutex::default(), Condvar::new());
            if peer.name != own {
                links.insert(peer.name, Link { address: peer.address.clone(), waiting, came });
            }
        }
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
            links,
            heard: Mutex::default(),
            guests: AtomicUsize::new(0),
        });
        let mut mesh = Self { shared, listener: None, listening };
        let shared = Arc::clone(&mesh.shared);
        mesh.listener = Some(spawn("yibao-listen", move || listen(&shared, &listener))?);
        for name in mesh.shared.links.keys().copied() {
            let shared = Arc::clone(&mesh.shared);
            spawn("yibao-speak", move || {
                if let Some(link) = shared.links.get(&name) {
                    speak(&shared, name, link);
                }
            })?;
        }
        Ok(mesh)
    }

    /// Sends to one peer, or to all. Whoever cannot be reached hears the newest of it later.
    pub fn send(&self, to: Option<PeerName>, bytes: Arc<[u8]>) {
        match to {
            Some(name) => {
                if let Some(link) = self.shared.links.get(&name) {
                    link.push(bytes);
                }
            }
            None => self.shared.links.values().for_each(|link| link.push(Arc::clone(&bytes))),
        }
    }

    /// The peers that hear what is sent to them.
    #[must_use]
    pub fn connected(&self) -> Vec<PeerName> {
        let links = self.shared.links.iter();
        links.filter(|(_, link)| link.lock().stream.is_some()).map(|(name, _)| *name).collect()
    }
}

impl Drop for Mesh {
    fn drop(&mut self) {
        let shared = &self.shared;
        shared.is_stopped.store(true, Ordering::Release);
        for link in shared.links.values() {
            // Under the lock, so that nobody falls asleep between looking and waiting.
            let waiting = link.lock();
            if let Some(stream) = &waiting.stream {
                drop(stream.shutdown(Shutdown::Both));
            }
            link.came.notify_all();
        }
        // Wakes the listener, so that the address is free when this returns. The others end by
        // themselves: a reader at the latest when nobody takes what it has read.
        drop(TcpStream::connect_timeout(&reachable(self.listening), Duration::from_secs(1)));
        if let Some(listener) = self.listener.take() {
            drop(listener.join());
        }
        for stream in shared.heard.lock().unwrap_or_else(PoisonError::into_inner).values() {
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}

impl fmt::Debug for Mesh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mesh({})", self.listening)
    }
}

/// Where this machine reaches a socket that listens everywhere.
fn reachable(listening: SocketAddr) -> SocketAddr {
    let mut address = listening;
    if address.ip().is_unspecified() {
        let local = if address.is_ipv4() { "127.0.0.1" } else { "::1" };
        if let Ok(ip) = local.parse() {
            address.set_ip(ip);
        }
    }
    address
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

fn noise(error: snow::Error) -> Error {
    Error::new(ErrorKind::InvalidData, error)
}

/// One frame: two bytes of length and what Noise made.
fn write_frame(stream: &mut impl Write, frame: &[u8]) -> io::Result<()> {
    let length = u16::try_from(frame.len()).map_err(|_| Error::from(ErrorKind::InvalidInput))?;
    stream.write_all(&[&length.to_be_bytes(), frame].concat())
}

fn read_frame(stream: &mut impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let length = usize::from(u16::from_be_bytes(length));
    if length > most {
        return Err(Error::new(ErrorKind::InvalidData, "a frame is longer than allowed"));
    }
    let mut frame = vec![0; length];
    stream.read_exact(&mut frame)?;
    Ok(frame)
}

/// An encrypted connection in one direction.
struct Secret {
    stream: TcpStream,
    transport: TransportState,
}

impl Secret {
    fn after(handshake: HandshakeState, stream: TcpStream) -> io::Result<Self> {
        Ok(Self { stream, transport: handshake.into_transport_mode().map_err(noise)? })
    }

    /// Sends a message in as many frames as it needs; the first one begins with its length.
    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        let length = u32::try_from(message.len()).map_err(|_| ErrorKind::InvalidInput)?;
        let plain = [&length.to_be_bytes(), message].concat();
        let mut cipher = vec![0; CHUNK_BYTES];
        let mut out = Vec::with_capacity(plain.len() + plain.len() / 1_000 + 64);
        for chunk in plain.chunks(CHUNK_BYTES - TAG_BYTES) {
            let count = self.transport.write_message(chunk, &mut cipher).map_err(noise)?;
            write_frame(&mut out, cipher.get(..count).unwrap_or_default())?;
        }
        self.stream.write_all(&out)
    }

    fn receive(&mut self) -> io::Result<Vec<u8>> {
        let first = self.receive_chunk()?;
        let (length, rest) = first
            .split_first_chunk::<4>()
            .ok_or_else(|| Error::new(ErrorKind::InvalidData, "a message has no length"))?;
        let length = u32::from_be_bytes(*length);
        if length > MESSAGE_BYTES_MAX {
            return Err(Error::new(ErrorKind::InvalidData, "a message is longer than allowed"));
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let mut message = rest.to_vec();
        while message.len() < length {
            message.extend(self.receive_chunk()?);
        }
        if message.len() == length {
            Ok(message)
        } else {
            Err(Error::new(ErrorKind::InvalidData, "a message is longer than it says"))
        }
    }

    fn receive_chunk(&mut self) -> io::Result<Vec<u8>> {
        let frame = read_frame(&mut self.stream, CHUNK_BYTES)?;
        let mut plain = vec![0; frame.len()];
        let count = self.transport.read_message(&frame, &mut plain).map_err(noise)?;
        plain.truncate(count);
        Ok(plain)
    }
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
        let mut failure = Error::new(ErrorKind::NotFound, "the address has no host");
        for address in address.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(stream) => return self.greet(name, stream),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    fn greet(&self, name: PeerName, mut stream: TcpStream) -> io::Result<Secret> {
        set_up(&stream)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let builder = self.builder().and_then(|one| one.remote_public_key(&name.0));
        let mut handshake = builder.and_then(snow::Builder::build_initiator).map_err(noise)?;
        let mut buffer = vec![0; HANDSHAKE_BYTES_MAX];
        let count = handshake.write_message(&[], &mut buffer).map_err(noise)?;
        write_frame(&mut stream, buffer.get(..count).unwrap_or_default())?;
        let answer = read_frame(&mut stream, HANDSHAKE_BYTES_MAX)?;
        handshake.read_message(&answer, &mut buffer).map_err(noise)?;
        Secret::after(handshake, stream)
    }

    /// Lets a peer prove its name; a stranger gets no answer.
    fn welcome(&self, mut stream: TcpStream) -> io::Result<(PeerName, Secret)> {
        set_up(&stream)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let handshake = self.builder().and_then(snow::Builder::build_responder);
        let mut handshake = handshake.map_err(noise)?;
        let mut buffer = vec![0; HANDSHAKE_BYTES_MAX];
        let first = read_frame(&mut stream, HANDSHAKE_BYTES_MAX)?;
        handshake.read_message(&first, &mut buffer).map_err(noise)?;
        let name = handshake.get_remote_static().and_then(|key| key.try_into().ok());
        let name = name.map(PeerName).filter(|name| self.links.contains_key(name));
        let name = name.ok_or_else(|| Error::new(ErrorKind::PermissionDenied, "a stranger"))?;
        let count = handshake.write_message(&[], &mut buffer).map_err(noise)?;
        write_frame(&mut stream, buffer.get(..count).unwrap_or_default())?;
        stream.set_read_timeout(Some(SILENCE_MAX))?;
        Ok((name, Secret::after(handshake, stream)?))
    }
}

fn set_up(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(PATIENCE))
}

/// Tells one peer what there is for it, over one connection after the other.
fn speak(shared: &Shared, name: PeerName, link: &Link) {
    let mut retry = RETRY_MIN;
    while !shared.is_stopped() {
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
        let pause = link.came.wait_timeout_while(waiting, retry, |_| !shared.is_stopped());
        drop(pause);
        retry = (retry * 2).min(RETRY_MAX);
    }
}

fn say(shared: &Shared, name: PeerName, link: &Link, secret: &mut Secret) -> io::Result<()> {
    {
        let mut waiting = link.lock();
        waiting.stream = Some(secret.stream.try_clone()?);
    }
    if shared.events.send(Event::Connected(name)).is_err() {
        return Ok(());
    }
    while !shared.is_stopped() {
        match link.pop(&shared.is_stopped) {
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
        if shared.guests.fetch_add(1, Ordering::AcqRel) >= GUESTS_MAX + shared.links.len() {
            shared.guests.fetch_sub(1, Ordering::AcqRel);
            tracing::debug!(%address, "too many connections");
            continue;
        }
        let Ok(copy) = stream.try_clone() else {
            shared.guests.fetch_sub(1, Ordering::AcqRel);
            continue;
        };
        let here = Arc::clone(shared);
        shared.heard.lock().unwrap_or_else(PoisonError::into_inner).insert(number, copy);
        let heard = spawn("yibao-hear", move || {
            if let Err(error) = hear(&here, stream) {
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

fn hear(shared: &Shared, stream: TcpStream) -> io::Result<()> {
    let (name, mut secret) = shared.welcome(stream)?;
    tracing::debug!(peer = %name, "heard");
    while !shared.is_stopped() {
        let message = secret.receive()?;
        if !message.is_empty() && shared.events.send(Event::Received(name, message)).is_err() {
            break;
        }
    }
    Ok(())
}
