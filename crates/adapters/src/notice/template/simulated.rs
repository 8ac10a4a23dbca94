//! The providers of text messages and of WeChat, played: they take requests and call back in their
//! real forms, write down what they would have sent, and reach nobody. Named so to everybody who
//! chooses them.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::hmac;
use primitives::{Hash, PersonId, Timestamp};

use super::{Filled, Provider, ProviderAnswer, ProviderReport, SmsRequest, WechatRequest, answer};
use crate::clock::Clock;
use crate::notice::{Channel, HandOverError, SignedReport};

/// How long a message is on its way, in milliseconds.
pub const TRAVEL_MILLIS: u64 = 2_000;
/// A number that ends so is nobody's.
pub const NOBODYS_END: &str = "0000";
/// Messages to a number that ends so are taken and never arrive.
pub const SWITCHED_OFF_END: &str = "0001";

/// A message that a provider would have sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// To which number or follower.
    pub to: String,
    /// Which registered template.
    pub template: String,
    /// The words.
    pub words: String,
}

#[derive(Default)]
struct Inner {
    taken: BTreeSet<Hash>,
    sent: Vec<Sent>,
    on_the_way: Vec<(Timestamp, ProviderReport)>,
    silences: u32,
}

/// A provider that reaches nobody.
#[derive(Clone)]
pub struct SimulatedProvider {
    channel: Channel,
    secret: hmac::Key,
    clock: Arc<dyn Clock>,
    /// Where what would have been sent is written down, a line each.
    file: Option<PathBuf>,
    inner: Arc<Mutex<Inner>>,
}

/// The most messages that are remembered; the file has all.
const SENT_MAX: usize = 1_000;

impl SimulatedProvider {
    /// A provider of this channel, which signs its calls with the secret.
    #[must_use]
    pub fn new(
        channel: Channel,
        secret: &Hash,
        clock: Arc<dyn Clock>,
        file: Option<PathBuf>,
    ) -> Self {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, &secret.0);
        Self { channel, secret, clock, file, inner: Arc::default() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it would have sent, the newest last.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent> {
        self.lock().sent.clone()
    }

    /// It does not answer the next requests.
    pub fn be_silent(&self, requests: u32) {
        self.lock().silences = requests;
    }

    fn take(&self, (to, template): (&str, &str), words: &Filled, reference: Hash) -> u16 {
        let is_number = self.channel == Channel::Sms;
        if is_number && to.ends_with(NOBODYS_END) {
            return answer::NUMBER_UNKNOWN;
        }
        let mut inner = self.lock();
        if !inner.taken.insert(reference) {
            return 0;
        }
        let arrives = self.clock.now().plus_millis(TRAVEL_MILLIS);
        let success = !(is_number && to.ends_with(SWITCHED_OFF_END));
        inner.on_the_way.push((arrives, ProviderReport { out_id: reference, success }));
        let words = format!("{}\t{}", words.title, words.body);
        let sent = Sent { to: to.to_owned(), template: template.to_owned(), words };
        self.write_down(&sent);
        if inner.sent.len() >= SENT_MAX {
            inner.sent.remove(0);
        }
        inner.sent.push(sent);
        0
    }

    fn write_down(&self, sent: &Sent) {
        let Some(path) = &self.file else { return };
        // Phones and codes stand in it.
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        let line = format!("{}\t{}\t{}\n", self.clock.now(), sent.to, sent.words);
        if let Err(error) = file.and_then(|mut file| file.write_all(line.as_bytes())) {
            tracing::warn!(%error, "a simulated message cannot be written down");
        }
    }
}

impl Provider for SimulatedProvider {
    fn ask(&self, request: &[u8]) -> Result<Vec<u8>, HandOverError> {
        {
            let mut inner = self.lock();
            if inner.silences > 0 {
                inner.silences = inner.silences.saturating_sub(1);
                return Err(HandOverError::Silent);
            }
        }
        let code = if self.channel == Channel::Sms {
            serde_json::from_slice(request).map_or(answer::MALFORMED, |asked: SmsRequest| {
                let to = (asked.phone_number.as_str(), asked.template_code.as_str());
                self.take(to, &asked.template_param, asked.out_id)
            })
        } else {
            serde_json::from_slice(request).map_or(answer::MALFORMED, |asked: WechatRequest| {
                let to = (asked.touser.as_str(), asked.template_id.as_str());
                self.take(to, &asked.data, asked.client_msg_id)
            })
        };
        serde_json::to_vec(&ProviderAnswer { code }).map_err(|_| HandOverError::Silent)
    }

    fn is_simulated(&self) -> bool {
        true
    }

    fn follower(&self, person: PersonId) -> Option<String> {
        let mut context = hmac::Context::with_key(&self.secret);
        context.update(b"follower");
        context.update(&person.0);
        let tag = context.sign();
        let bytes = <[u8; 32]>::try_from(tag.as_ref()).ok()?;
        (self.channel == Channel::Wechat).then(|| format!("o{}", Hash(bytes)))
    }

    fn reports(&self, now: Timestamp) -> Vec<SignedReport> {
        let mut inner = self.lock();
        let (due, rest) = std::mem::take(&mut inner.on_the_way)
            .into_iter()
            .partition(|(arrives, _)| *arrives <= now);
        inner.on_the_way = rest;
        let due: Vec<(Timestamp, ProviderReport)> = due;
        let signed = due.into_iter().filter_map(|(_, report)| {
            let body = serde_json::to_vec(&report).ok()?;
            let tag = hmac::sign(&self.secret, &body);
            let signature = Hash(<[u8; 32]>::try_from(tag.as_ref()).ok()?).to_string();
            Some(SignedReport { body, signature })
        });
        signed.collect()
    }
}
