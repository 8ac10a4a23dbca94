//! Web Push: a notice through the push service of a browser's maker (RFC 8030), encrypted for the
//! browser alone (RFC 8291), under this bureau's name (VAPID, RFC 8292).
//!
//! A browser says at which address it is reached. That address comes from a person's device, so it
//! is sent to only when it lies at a service that the operator named: otherwise anybody could make
//! this program call any machine (decision record 0044).

use std::{
    collections::BTreeMap,
    fmt,
    str::FromStr,
    sync::{Mutex, PoisonError},
};

use aws_lc_rs::{
    agreement::{ECDH_P256, PrivateKey},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use borsh::{BorshDeserialize, BorshSerialize};
use http::{Request, Uri, header};
use primitives::{Hash, Timestamp, sha256_parts};
use serde::Serialize;
use web_push_native::{Auth, WebPushBuilder, p256::PublicKey};

use super::{Address, Channel, Dispatch, HandOverError, Notice, Report, SignedReport};
use crate::clock::Clock;

/// The longest address of a browser at its push service, in bytes. Our own limit.
pub const ENDPOINT_BYTES_MAX: usize = 1_024;
/// For how long a push service keeps a notice for a browser that is off, in seconds: a day.
const VALID_SECONDS: u64 = 24 * 3_600;
/// For how long a signed name counts, in seconds.
///
/// > This claim MUST NOT be more than 24 hours from the time of the request — RFC 8292, section 2.
const NAME_SECONDS: u64 = 12 * 3_600;
/// Every notice is a multiple of so many bytes, so that its length tells nothing of what it says.
/// All that there are fit into one (test `every_push_has_the_same_length`).
const PAYLOAD_BYTES: usize = 512;
/// An answer that took longer than this, in milliseconds, counts as slow.
const SLOW_MILLIS: u64 = 2_000;
/// How long a push service that is silent or slow is not asked, in milliseconds, so that it holds
/// up no other. Less than the shortest pause before a notice is tried again.
const REST_MILLIS: u64 = 9_000;
/// How often another scalar is tried, before there is no key: each fails once in 2^32 times.
const KEY_TRIES: u8 = 8;

/// A browser as its push service knows it. It shows itself nowhere.
#[derive(Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Subscription {
    /// Its address at the push service.
    pub endpoint: String,
    /// Its public key, an uncompressed point of P-256.
    pub key: Vec<u8>,
    /// The secret that it shares with whoever may send to it, 16 bytes.
    pub secret: [u8; 16],
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subscription(hidden)")
    }
}

/// A push service that browsers may name: scheme and host, such as `https://fcm.googleapis.com`;
/// `https://*.push.apple.com` stands for every host below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushService {
    scheme: String,
    host: String,
    is_suffix: bool,
    port: Option<u16>,
}

/// Not a push service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write a push service as scheme and host, such as `https://push.example`; only one on this \
     machine may go without TLS"
)]
pub struct PushServiceError;

/// Scheme, host and port of an address that names nothing else before its path.
fn origin(uri: &Uri) -> Option<(&str, &str, Option<u16>)> {
    let authority = uri.authority()?;
    // `user@host` would read as another host than it is.
    let is_plain = !authority.as_str().contains('@');
    is_plain.then_some((uri.scheme_str()?, authority.host(), authority.port_u16()))
}

fn is_this_machine(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

impl FromStr for PushService {
    type Err = PushServiceError;

    fn from_str(text: &str) -> Result<Self, PushServiceError> {
        let (is_suffix, plain) = match text.split_once("://*.") {
            Some((scheme, rest)) => (true, format!("{scheme}://{rest}")),
            None => (false, text.to_owned()),
        };
        let uri: Uri = plain.parse().map_err(|_| PushServiceError)?;
        let (scheme, host, port) = origin(&uri).ok_or(PushServiceError)?;
        let is_open = scheme == "https" || (scheme == "http" && is_this_machine(host));
        if !is_open || !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(PushServiceError);
        }
        Ok(Self { scheme: scheme.to_owned(), host: host.to_ascii_lowercase(), is_suffix, port })
    }
}

impl PushService {
    fn serves(&self, uri: &Uri) -> bool {
        let Some((scheme, host, port)) = origin(uri) else { return false };
        let host = host.to_ascii_lowercase();
        let is_host = if self.is_suffix {
            host.strip_suffix(&self.host).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        } else {
            host == self.host
        };
        is_host && scheme == self.scheme && port == self.port
    }
}

/// What a push service answered.
pub type Status = u16;

/// Takes requests to push services. It follows no redirection.
pub trait PushLine: Send + Sync {
    /// Sends it; the status of the answer.
    ///
    /// # Errors
    /// When there was none.
    fn send(&self, request: Request<Vec<u8>>) -> Result<Status, HandOverError>;
}

/// Where a push service complains: an address with `mailto:` or `https:` that the world reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushContact(String);

/// Not an address where a push service could complain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write where a push service complains as `mailto:NAME@DOMAIN` or `https://DOMAIN/..`, with a \
     domain that the world knows: some services refuse others"
)]
pub struct PushContactError;

impl FromStr for PushContact {
    type Err = PushContactError;

    fn from_str(text: &str) -> Result<Self, PushContactError> {
        let domain = if let Some(address) = text.strip_prefix("mailto:") {
            let (name, domain) = address.split_once('@').ok_or(PushContactError)?;
            (!name.is_empty()).then(|| domain.to_owned())
        } else {
            let uri: Uri = text.parse().map_err(|_| PushContactError)?;
            uri.host().filter(|_| uri.scheme_str() == Some("https")).map(str::to_owned)
        };
        // The last part of a name that the world knows is a word; of an address it is a number.
        let is_known = |domain: &str| {
            let (rest, last) = domain.rsplit_once('.').unwrap_or_default();
            let is_word = last.len() > 1 && last.bytes().all(|byte| byte.is_ascii_alphabetic());
            is_word && !rest.is_empty() && !domain.contains([' ', '@', '?'])
        };
        domain
            .filter(|domain| is_known(domain))
            .map(|_| Self(text.to_owned()))
            .ok_or(PushContactError)
    }
}

/// The name under which a bureau sends: a key that browsers ask for when they subscribe.
pub struct PushName {
    pair: EcdsaKeyPair,
    contact: PushContact,
}

/// What is signed (RFC 8292, section 2).
#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    exp: u64,
    sub: &'a str,
}

impl PushName {
    /// The name that follows from a secret. `None` when there is no such key.
    #[must_use]
    pub fn new(secret: &Hash, contact: &PushContact) -> Option<Self> {
        (0..KEY_TRIES).find_map(|round| {
            let scalar = sha256_parts(&[b"yibao/push-name/v1", &secret.0, &[round]]).0;
            let private = PrivateKey::from_private_key(&ECDH_P256, &scalar).ok()?;
            let public = private.compute_public_key().ok()?;
            let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
            let pair =
                EcdsaKeyPair::from_private_key_and_public_key(algorithm, &scalar, public.as_ref());
            Some(Self { pair: pair.ok()?, contact: contact.clone() })
        })
    }

    /// The public key, as browsers want it.
    #[must_use]
    pub fn key(&self) -> String {
        Base64UrlUnpadded::encode_string(self.pair.public_key().as_ref())
    }

    /// The header by which a push service knows who sends to this address.
    fn header(&self, uri: &Uri, now: Timestamp) -> Option<String> {
        let (scheme, host, port) = origin(uri)?;
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        let claims = Claims {
            aud: &format!("{scheme}://{host}{port}"),
            exp: (now.millis() / 1_000).saturating_add(NAME_SECONDS),
            sub: &self.contact.0,
        };
        let encode = Base64UrlUnpadded::encode_string;
        let head = encode(br#"{"typ":"JWT","alg":"ES256"}"#);
        let claims = encode(&serde_json::to_vec(&claims).ok()?);
        let signed = format!("{head}.{claims}");
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).ok()?;
        Some(format!("vapid t={signed}.{}, k={}", encode(signature.as_ref()), self.key()))
    }
}

/// What the browser's worker reads; nobody between here and there can.
#[derive(Serialize)]
struct Payload<'a> {
    reference: &'a Hash,
    about: &'static str,
    title: &'a str,
    body: &'a str,
    language: &'a str,
}

/// The channel of Web Push.
pub struct WebPush {
    services: Vec<PushService>,
    name: PushName,
    line: Box<dyn PushLine>,
    clock: std::sync::Arc<dyn Clock>,
    /// The hosts that are silent or slow, and until when they are not asked.
    resting: Mutex<BTreeMap<String, Timestamp>>,
}

impl WebPush {
    /// A channel to these services.
    #[must_use]
    pub fn new(
        services: Vec<PushService>,
        name: PushName,
        line: Box<dyn PushLine>,
        clock: std::sync::Arc<dyn Clock>,
    ) -> Self {
        Self { services, name, line, clock, resting: Mutex::default() }
    }

    /// The key that browsers ask for when they subscribe.
    #[must_use]
    pub fn key(&self) -> String {
        self.name.key()
    }

    /// Where a browser's address may be sent to; `None` when no service of the configuration has
    /// it.
    fn uri(&self, endpoint: &str) -> Option<Uri> {
        if endpoint.len() > ENDPOINT_BYTES_MAX {
            return None;
        }
        let uri: Uri = endpoint.parse().ok()?;
        self.services.iter().any(|service| service.serves(&uri)).then_some(uri)
    }

    /// Whether a browser's address lies at a service of the configuration.
    #[must_use]
    pub fn knows(&self, endpoint: &str) -> bool {
        self.uri(endpoint).is_some()
    }

    fn request(
        &self,
        subscription: &Subscription,
        dispatch: &Dispatch,
    ) -> Result<Request<Vec<u8>>, HandOverError> {
        let gone = HandOverError::Gone;
        let uri = self.uri(&subscription.endpoint).ok_or(gone)?;
        let key = PublicKey::from_sec1_bytes(&subscription.key).map_err(|_| gone)?;
        let payload = Payload {
            reference: &dispatch.reference,
            about: dispatch.sort(),
            title: &dispatch.phrase.title,
            body: &dispatch.phrase.body,
            language: &dispatch.language,
        };
        let mut payload = serde_json::to_vec(&payload).map_err(|_| HandOverError::Silent)?;
        // Spaces behind it change nothing of a text in JSON.
        payload.resize(payload.len().next_multiple_of(PAYLOAD_BYTES), b' ');
        let name = self.name.header(&uri, self.clock.now()).ok_or(HandOverError::Silent)?;
        let name = name.parse().map_err(|_| HandOverError::Silent)?;
        let builder = WebPushBuilder::new(uri, key, Auth::from(subscription.secret))
            .with_valid_duration(std::time::Duration::from_secs(VALID_SECONDS));
        let mut request = builder.build(payload).map_err(|_| HandOverError::Silent)?;
        request.headers_mut().insert(header::AUTHORIZATION, name);
        Ok(request)
    }

    /// Sends it, unless the host is resting.
    fn send(&self, request: Request<Vec<u8>>) -> Result<Status, HandOverError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let before = self.clock.now();
        let resting = || self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        if resting().get(&host).is_some_and(|until| before < *until) {
            return Err(HandOverError::Silent);
        }
        let answer = self.line.send(request);
        let now = self.clock.now();
        let is_slow = now.millis().saturating_sub(before.millis()) > SLOW_MILLIS;
        if is_slow || answer == Err(HandOverError::Silent) {
            let mut resting = resting();
            resting.retain(|_, until| now < *until);
            resting.insert(host, now.plus_millis(REST_MILLIS));
        }
        answer
    }
}

/// Whether these bytes are a key that something can be encrypted for.
#[must_use]
pub fn is_key(bytes: &[u8]) -> bool {
    PublicKey::from_sec1_bytes(bytes).is_ok()
}

impl Notice for WebPush {
    fn channel(&self) -> Channel {
        Channel::Push
    }

    fn is_simulated(&self) -> bool {
        false
    }

    fn hand_over(&self, address: &Address, dispatch: &Dispatch) -> Result<(), HandOverError> {
        let Address::Push(subscription) = address else { return Err(HandOverError::Gone) };
        let status = self.send(self.request(subscription, dispatch)?)?;
        match status {
            200..=299 => Ok(()),
            // RFC 8030, section 7.3. A 403 may be a mistake of ours and forgets nobody.
            404 | 410 => Err(HandOverError::Gone),
            408 | 425 | 429 | 500..=599 => Err(HandOverError::Silent),
            other => Err(HandOverError::Refused(other)),
        }
    }

    /// Arrivals are told by the browser itself, which knows the reference from the payload.
    fn read_report(&self, _: &SignedReport) -> Option<Report> {
        None
    }
}
