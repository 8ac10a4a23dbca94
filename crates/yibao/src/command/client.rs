//! A gateway as a client sees it: sign in, ask, send, sign out.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, anyhow};
use clap::Args;
use gateway::session::challenge::sign_in_message;
use node::signature::SecretKey;
use primitives::Party;
use proof::header::ChainId;
use serde_json::{Value, json};
use ureq::http::Uri;
use ureq::{Agent, RequestBuilder};

use super::input::bad;
use super::keys::read_key;
use super::language;

/// How long a gateway may take for an answer; its own limit is 30 seconds.
const TIMEOUT: Duration = Duration::from_secs(60);
/// A receipt is some kilobytes; a batch's may be some hundred.
const ANSWER_BYTES_MAX: u64 = 16 << 20;

/// Who asks a gateway, and which.
#[derive(Args)]
pub struct Who {
    /// The gateway, such as `http://localhost:8420`.
    #[arg(long, default_value = "http://localhost:8420")]
    url: Uri,
    /// The key file to sign in with; without it only what is public is answered.
    #[arg(long, value_name = "KEYFILE", requires = "party")]
    key: Option<PathBuf>,
    /// Whose key it is: `organisation:CODE` or `person:ID`.
    #[arg(long, requires = "key")]
    party: Option<Party>,
    /// The name of the ledger; the gateway's own word when left out.
    #[arg(long, value_name = "CHAIN", requires = "key")]
    chain: Option<ChainId>,
}

/// A gateway's answer.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body as it came: text, or a document.
    pub body: Vec<u8>,
}

impl Answer {
    /// Whether it was done.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// The body as JSON; nothing when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// Says why not, in the gateway's own words; exit code 1.
    #[must_use]
    pub fn refused(&self, what: &str) -> ExitCode {
        let body = self.json();
        let word = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let detail = match word("detail") {
            "" => format!("status {}", self.status),
            detail => detail.to_owned(),
        };
        eprintln!("yibao: {what}: {detail}");
        for (title, name) in [("code", "code"), ("remedy", "remedy"), ("request", "instance")] {
            if !word(name).is_empty() {
                eprintln!("  {title:<8} {}", word(name));
            }
        }
        ExitCode::from(1)
    }
}

/// What is asked of a gateway.
pub struct Request<'a> {
    /// The path with its query, from `/` on.
    pub path: &'a str,
    /// What is sent; without it the request only reads.
    pub body: Option<&'a str>,
    /// The key against doing it twice, where one is needed.
    pub idempotency_key: Option<&'a str>,
}

/// A connection to a gateway, signed in or not.
pub struct Client {
    agent: Agent,
    base: String,
    token: Option<String>,
}

/// A client, or the answer of a gateway that does not let it in.
pub enum Entry {
    /// It is in.
    In(Client),
    /// The gateway refused.
    Refused(Answer),
}

impl Who {
    /// The same; without a key, with the first of these that is there, for this party.
    #[must_use]
    pub fn or_key_of(mut self, party: Party, keys: &[PathBuf]) -> Self {
        if self.key.is_none()
            && let Some(key) = keys.iter().find(|key| key.exists())
        {
            (self.key, self.party) = (Some(key.clone()), Some(party));
        }
        self
    }

    /// Whether there is a key to sign in with.
    #[must_use]
    pub const fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Who signs, and with which key.
    ///
    /// # Errors
    /// When no key is named, or it cannot be read.
    pub fn signer(&self) -> Result<(Party, SecretKey)> {
        let (Some(key), Some(party)) = (&self.key, self.party) else {
            return Err(bad("name the key with `--key KEYFILE --party organisation:CODE`"));
        };
        Ok((party, read_key(key)?))
    }

    /// The name of the ledger: as it was given, or by the gateway's own word.
    ///
    /// # Errors
    /// When nobody answers, or it is no gateway.
    pub fn chain_id(&self) -> Result<ChainId> {
        match self.chain {
            Some(chain_id) => Ok(chain_id),
            None => Client::new(&self.url)?.chain_id(),
        }
    }

    /// Connects, and signs in where there is a key.
    ///
    /// # Errors
    /// When the address or the key is not one, or nobody answers.
    pub fn enter(&self) -> Result<Entry> {
        let client = Client::new(&self.url)?;
        let (Some(key), Some(party)) = (&self.key, self.party) else {
            return Ok(Entry::In(client));
        };
        let key = read_key(key)?;
        let chain_id = match self.chain {
            Some(chain_id) => chain_id,
            None => client.chain_id()?,
        };
        client.sign_in(chain_id, party, &key)
    }
}

impl Client {
    /// A connection on which nobody has signed in.
    ///
    /// # Errors
    /// When the address is not one of plain HTTP.
    pub fn new(url: &Uri) -> Result<Self> {
        let base = base(url)?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(TIMEOUT))
            .build();
        Ok(Self { agent: config.into(), base, token: None })
    }

    /// The name of the ledger behind the gateway, by its own word.
    ///
    /// # Errors
    /// When nobody answers, or it is no gateway.
    pub fn chain_id(&self) -> Result<ChainId> {
        let answer =
            self.ask(&Request { path: "/v1/network", body: None, idempotency_key: None })?;
        let said = answer.json();
        let words = |name: &str| said.get(name).and_then(Value::as_str);
        if let (Some(title), Some(remedy)) = (words("title"), words("remedy")) {
            let base = &self.base;
            return Err(anyhow!("`{base}` cannot say which ledger it serves: {title}; {remedy}"));
        }
        let wrong =
            || anyhow!("`{}` does not say which ledger it serves; is it a gateway?", self.base);
        words("chain_id").unwrap_or_default().parse().map_err(|_| wrong())
    }

    /// Signs in.
    ///
    /// # Errors
    /// When nobody answers.
    pub fn sign_in(mut self, chain_id: ChainId, party: Party, key: &SecretKey) -> Result<Entry> {
        let body = json!({ "party": party }).to_string();
        let asked = self.post("/v1/sessions/challenges", &body)?;
        let challenge = asked.json();
        let Some(challenge) = challenge.get("challenge").and_then(Value::as_str) else {
            return Ok(Entry::Refused(asked));
        };
        // The text is built here, so that a gateway cannot have something else signed.
        let message = sign_in_message(chain_id, party, challenge);
        let request = json!({
            "party": party,
            "challenge": challenge,
            "key": key.public_key(),
            "signature": key.sign(&message),
        });
        let answer = self.post("/v1/sessions", &request.to_string())?;
        self.token = answer.json().get("token").and_then(Value::as_str).map(str::to_owned);
        Ok(if self.token.is_some() { Entry::In(self) } else { Entry::Refused(answer) })
    }

    fn post(&self, path: &str, body: &str) -> Result<Answer> {
        self.ask(&Request { path, body: Some(body), idempotency_key: None })
    }

    /// Asks; with a body by POST, without one by GET.
    ///
    /// # Errors
    /// When nobody answers.
    pub fn ask(&self, request: &Request<'_>) -> Result<Answer> {
        let url = format!("{}{}", self.base, request.path);
        let sent = match request.body {
            Some(body) => {
                let mut post = self.signed(self.agent.post(&url));
                post = post.header("Content-Type", "application/json");
                if let Some(key) = request.idempotency_key {
                    post = post.header("Idempotency-Key", key);
                }
                post.send(body)
            }
            None => self.signed(self.agent.get(&url)).call(),
        };
        self.answer(sent)
    }

    /// Reads something.
    ///
    /// # Errors
    /// When nobody answers.
    pub fn read(&self, path: &str) -> Result<Answer> {
        self.ask(&Request { path, body: None, idempotency_key: None })
    }

    /// Sends bytes by POST or PUT.
    ///
    /// # Errors
    /// When nobody answers.
    pub fn send_bytes(&self, method: &str, path: &str, bytes: Vec<u8>) -> Result<Answer> {
        let url = format!("{}{path}", self.base);
        let send = if method == "PUT" { self.agent.put(url) } else { self.agent.post(url) };
        let send = send.header("Content-Type", "application/octet-stream");
        self.answer(self.signed(send).send(bytes))
    }

    fn signed<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        let request = request.header("Accept-Language", language::of_environment().tag());
        match &self.token {
            Some(token) => request.header("Authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    fn answer(
        &self,
        sent: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Answer> {
        let failed = |error: ureq::Error| anyhow!("`{}` does not answer: {error}", self.base);
        let mut response = sent.map_err(failed)?;
        let status = response.status().as_u16();
        let reader = response.body_mut().with_config().limit(ANSWER_BYTES_MAX);
        Ok(Answer { status, body: reader.read_to_vec().map_err(failed)? })
    }

    /// Closes the session, if there is one. One that is not closed ends by itself.
    pub fn sign_out(self) {
        if let Some(token) = self.token {
            let request = self.agent.delete(format!("{}/v1/session", self.base));
            let _ = request.header("Authorization", format!("Bearer {token}")).call();
        }
    }
}

/// The address without a slash at its end.
fn base(url: &Uri) -> Result<String> {
    let is_plain = url.scheme_str() == Some("http");
    let is_bare = url.path() == "/" && url.query().is_none();
    match url.authority() {
        Some(authority) if is_plain && is_bare => Ok(format!("http://{authority}")),
        _ if url.scheme_str() == Some("https") => Err(bad(
            "`--url`: this program speaks http only; name the gateway's own port, or a tunnel to it",
        )),
        _ => Err(bad("`--url`: write `http://HOST:PORT`, such as http://localhost:8420")),
    }
}
