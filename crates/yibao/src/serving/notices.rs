//! How a bureau tells people of things, as `[notices]` in its `wallet.toml` says it.
//!
//! ```toml
//! [notices]
//! contact = "mailto:notices@bureau.example"       # where a push service complains; without it
//!                                                 # no browser is told
//! push_services = ["https://fcm.googleapis.com"]  # to whom pushes go, and to nobody else
//! wallet_wait_seconds = 10      # how long the open wallet has the word alone,
//! push_wait_seconds = 120       # then browsers,
//! wechat_wait_seconds = 300     # then WeChat; a text message comes last
//! messages_per_day_max = 10     # of WeChat, and of text messages, for one person
//! simulated = false             # WeChat and text messages that reach nobody, to try things
//! ```

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use adapters::clock::Clock;
use adapters::directory::DirectoryKey;
use adapters::notice::push::{PushContact, PushLine, PushName, PushService, Status, WebPush};
use adapters::notice::template::{Templates, simulated::SimulatedProvider};
use adapters::notice::{Channel, HandOverError, Notice, NoticeBook, NoticePost, Waits};
use adapters::sqlite::Place;
use anyhow::{Context as _, Result};
use gateway::api::notice::notice_words;
use gateway::port::{Figure, FigureValue};
use gateway::wallet::Notices;
use node::signature::SecretKey;
use primitives::{Hash, sha256_parts};
use serde::{Deserialize, Serialize};
use ureq::Agent;
use ureq::http::Request;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};

use crate::command::input::bad;

const BOOK: &str = "notices.sqlite";
/// Where the simulated providers write down what they would have sent, in the bureau's folder.
const SIMULATED: [(Channel, &str); 2] =
    [(Channel::Wechat, "simulated-wechat.tsv"), (Channel::Sms, "simulated-sms.tsv")];
/// How long a push service may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The push services of the browsers that people have.
const PUSH_SERVICES: [&str; 4] = [
    "https://fcm.googleapis.com",
    "https://updates.push.services.mozilla.com",
    "https://*.push.apple.com",
    "https://*.notify.windows.com",
];

/// The part of the file that says how people are told of things.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NoticesFile {
    /// Where a push service complains: an address with `mailto:` or `https:`. Without it no browser
    /// is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// To whom pushes go.
    pub push_services: Vec<String>,
    /// How long the open wallet has the word alone.
    pub wallet_wait_seconds: u64,
    /// How long browsers have it then.
    pub push_wait_seconds: u64,
    /// How long WeChat has it then.
    pub wechat_wait_seconds: u64,
    /// How many messages somebody gets in a day by WeChat, and how many by text message.
    pub messages_per_day_max: u32,
    /// Whether there are WeChat and text messages that reach nobody, to try things.
    pub simulated: bool,
}

impl Default for NoticesFile {
    fn default() -> Self {
        Self {
            contact: None,
            push_services: PUSH_SERVICES.map(str::to_owned).to_vec(),
            wallet_wait_seconds: 10,
            push_wait_seconds: 120,
            wechat_wait_seconds: 300,
            messages_per_day_max: 10,
            simulated: false,
        }
    }
}

/// The line to push services: through TLS, to where it is told and nowhere else.
struct HttpsLine(Agent);

impl HttpsLine {
    fn new() -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(RootCerts::WebPki)
            .unversioned_rustls_crypto_provider(provider)
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .max_redirects(0)
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(TIMEOUT))
            .build();
        Self(config.into())
    }
}

impl PushLine for HttpsLine {
    fn send(&self, request: Request<Vec<u8>>) -> Result<Status, HandOverError> {
        match self.0.run(request) {
            Ok(answer) => Ok(answer.status().as_u16()),
            Err(error) => {
                // The address is a person's; what went wrong is said without it.
                let kind = match error {
                    ureq::Error::Timeout(_) => "it took too long",
                    ureq::Error::HostNotFound => "its name is not found",
                    ureq::Error::Tls(_) | ureq::Error::Rustls(_) => "its certificate is not valid",
                    _ => "the connection failed",
                };
                tracing::warn!(kind, "a push service does not answer");
                Err(HandOverError::Silent)
            }
        }
    }
}

/// The notices of the bureau in this folder; what its keys come from is the directory's secret.
///
/// # Errors
/// What is wrong with the file, the book or a service.
pub fn open_notices(
    folder: &Path,
    file: &NoticesFile,
    secret: &SecretKey,
    clock: &Arc<dyn Clock>,
) -> Result<Notices> {
    let derived = |meaning: &[u8]| sha256_parts(&[b"yibao/notices/v1", meaning, secret.as_bytes()]);
    let place = Place::File(folder.join(BOOK));
    let book = NoticeBook::open(&place, &DirectoryKey(derived(b"book").0))
        .with_context(|| format!("the notice book in `{}` cannot be opened", folder.display()))?;
    let push = web_push(file, &derived(b"push"), clock)?.map(Arc::new);
    let mut channels: Vec<Arc<dyn Notice>> = Vec::new();
    channels.extend(push.clone().map(|push| push as Arc<dyn Notice>));
    for (channel, name) in SIMULATED.into_iter().filter(|_| file.simulated) {
        let secret = derived(channel.name().as_bytes());
        let written = Some(folder.join(name));
        let provider = SimulatedProvider::new(channel, &secret, Arc::clone(clock), written);
        channels.push(Arc::new(Templates::new(channel, Box::new(provider), &secret)));
    }
    let millis = |seconds: u64| seconds.saturating_mul(1_000);
    let waits = Waits {
        wallet: millis(file.wallet_wait_seconds),
        push: millis(file.push_wait_seconds),
        wechat: millis(file.wechat_wait_seconds),
    };
    let limits = (waits, file.messages_per_day_max);
    let post = NoticePost::new(book, channels, notice_words, limits, Arc::clone(clock));
    Ok(Notices { post: Arc::new(post), push })
}

/// The channel of browsers; none without a service or a contact.
fn web_push(file: &NoticesFile, secret: &Hash, clock: &Arc<dyn Clock>) -> Result<Option<WebPush>> {
    let services = file.push_services.iter().map(|text| {
        text.parse::<PushService>().map_err(|words| bad(format!("push service `{text}`: {words}")))
    });
    let services = services.collect::<Result<Vec<_>>>()?;
    if services.is_empty() {
        return Ok(None);
    }
    let Some(contact) = &file.contact else {
        tracing::warn!(
            "no browser is told of notices: write into `[notices]` of `wallet.toml` as `contact` \
             where a push service complains, or `push_services = []`"
        );
        return Ok(None);
    };
    let contact = contact.parse::<PushContact>();
    let contact = contact.map_err(|words| bad(format!("the contact of notices: {words}")))?;
    let name = PushName::new(secret, &contact);
    let name = name.context("no key for pushes comes of this secret; make another one")?;
    Ok(Some(WebPush::new(services, name, Box::new(HttpsLine::new()), Arc::clone(clock))))
}

/// What an operator watches of notices; nothing was told where no wallet is served.
#[must_use]
pub fn figures(post: Option<&NoticePost>) -> Vec<Figure> {
    let nothing = || Channel::FALLBACK.map(|channel| (channel, [0; 3])).to_vec();
    let counted = post.map_or_else(nothing, NoticePost::counted);
    let waiting = post.map_or(0, NoticePost::waiting);
    let by_channel = |at: usize| {
        let figure = |(channel, counts): &(Channel, [u64; 3])| {
            (channel.name().to_owned(), counts.get(at).copied().unwrap_or_default())
        };
        FigureValue::TotalBy("channel", counted.iter().map(figure).collect())
    };
    let total = |name, meaning, at| Figure { name, meaning, value: by_channel(at) };
    vec![
        Figure::count("notices_waiting", "Notices that wait for a next step", waiting),
        total("notices_handed", "Notices that a channel took", 0),
        total("notices_arrived", "Notices that arrived by a channel", 1),
        total("notices_failed", "Notices that did not arrive by a channel", 2),
    ]
}

#[cfg(test)]
mod tests {
    use adapters::clock::ManualClock;
    use node::signature::Scheme;
    use primitives::Timestamp;

    use super::*;

    fn opened(text: &str) -> Result<Vec<(Channel, bool)>> {
        let folder = tempfile::tempdir()?;
        let file: NoticesFile = toml::from_str(text)?;
        let secret = SecretKey::from_seed(Scheme::Ed25519, &[1; 32]);
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(0))) as Arc<dyn Clock>;
        Ok(open_notices(folder.path(), &file, &secret, &clock)?.post.channels())
    }

    #[test]
    fn nobody_is_told_by_a_way_that_the_operator_did_not_set_up() {
        assert_eq!(opened("").unwrap(), [], "no contact, no provider");
        let contact = "contact = 'mailto:notices@bureau.example'";
        assert_eq!(opened(contact).unwrap(), [(Channel::Push, false)]);
        assert_eq!(opened(&format!("{contact}\npush_services = []")).unwrap(), []);
        let simulated = [(Channel::Wechat, true), (Channel::Sms, true)];
        assert_eq!(opened("simulated = true").unwrap(), simulated);
        let error = opened("contact = 'mailto:postmaster@localhost'").unwrap_err().to_string();
        assert!(error.contains("contact") && error.contains("mailto:"), "{error}");
    }
}
