//! What an operator may set, with defaults for one small machine. Every bound is our own limit.

use std::net::IpAddr;
use std::time::Duration;

use crate::session::SessionLimits;
use crate::session::limit::Rate;

/// The gateway's limits.
#[derive(Clone, Debug)]
pub struct Config {
    /// Requests that are answered at once; more get `overloaded`. Health and figures have places of
    /// their own, so that operators see a node that has too much to do.
    pub requests_max: usize,
    /// Transactions among them; the rest of the places is for those who read.
    pub submissions_max: usize,
    /// Bytes of bodies in memory at once, JSON as large as it may be once it is taken apart; a
    /// request whose body does not fit gets `overloaded`.
    pub body_bytes_max: usize,
    /// Bytes of large answers that wait for slow readers at once; one that does not fit is
    /// `overloaded`.
    pub answer_bytes_max: usize,
    /// Connections at once; more wait to be accepted.
    pub connections_max: usize,
    /// Connections of one address at once (an IPv6 /64 network is one); more are closed. Trusted
    /// proxies may have as many as they like.
    pub connections_per_address_max: usize,
    /// Streams of live events at once.
    pub streams_max: usize,
    /// Streams of live events of one party at once.
    pub streams_per_party_max: usize,
    /// How long a client may take to send its headers, and a connection may be idle.
    pub header_timeout: Duration,
    /// How long a client may take to send its body.
    pub body_timeout: Duration,
    /// How long a client may take nothing of an answer that waits for it.
    pub write_timeout: Duration,
    /// How long a request may take to be answered.
    pub answer_timeout: Duration,
    /// How long a stream of live events is silent before it says so.
    pub stream_keep_alive: Duration,
    /// Sessions.
    pub sessions: SessionLimits,
    /// Requests without a session, or with one that is over, from one address.
    pub address_rate: Rate,
    /// Requests of one session.
    pub session_rate: Rate,
    /// Requests of one person, with all its sessions.
    pub person_rate: Rate,
    /// Requests of one organisation, with all its sessions.
    pub organisation_rate: Rate,
    /// Refused sign-ins of one party from one address at once.
    pub sign_in_failures_max: u32,
    /// Refused sign-ins from one address at once, whoever they were for.
    pub address_failures_max: u32,
    /// After how many milliseconds one more refused sign-in is allowed.
    pub sign_in_failure_refill_millis: u64,
    /// The proxies whose forwarded-for header is believed; nobody else's is.
    pub trusted_proxies: Vec<IpAddr>,
    /// Whether clients reach the gateway through TLS, so that browsers may insist on it.
    pub is_behind_tls: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            requests_max: 1_024,
            submissions_max: 768,
            body_bytes_max: 128 << 20,
            answer_bytes_max: 128 << 20,
            connections_max: 2_048,
            connections_per_address_max: 512,
            streams_max: 1_024,
            streams_per_party_max: 8,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(20),
            write_timeout: Duration::from_secs(20),
            answer_timeout: Duration::from_secs(30),
            stream_keep_alive: Duration::from_secs(20),
            sessions: SessionLimits::default(),
            address_rate: Rate { per_second: 200, burst: 2_000 },
            session_rate: Rate { per_second: 1_000, burst: 5_000 },
            person_rate: Rate { per_second: 20, burst: 200 },
            organisation_rate: Rate { per_second: 2_000, burst: 10_000 },
            sign_in_failures_max: 20,
            address_failures_max: 200,
            sign_in_failure_refill_millis: 3_000,
            trusted_proxies: Vec::new(),
            is_behind_tls: false,
        }
    }
}

/// The longest address (path and query) in bytes.
pub const ADDRESS_BYTES_MAX: usize = 2_048;
/// The most bytes of a request's head that are buffered; longer ones get 431 from the protocol
/// itself.
pub const HEAD_BUFFER_BYTES: usize = 64 * 1_024;
/// Places for health and figures, beside those of [`Config::requests_max`].
pub const OPERATOR_REQUESTS_MAX: usize = 16;
/// The most headers of a request.
pub const HEADERS_MAX: usize = 64;
/// The most bytes of all headers' names and values.
pub const HEADER_BYTES_MAX: usize = 16 * 1_024;
