//! The way of a transaction to a gateway: sign in, submit, sign out.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, anyhow};
use clap::Args;
use gateway::session::challenge::sign_in_message;
use ledger::registry;
use node::signature::{FastVerifier, SecretKey};
use primitives::Party;
use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::Uri;

use super::file::TransactionFile;
use crate::command::input::bad;
use crate::command::keys::read_key;

/// How long a gateway may take for an answer; its own limit is 30 seconds.
const TIMEOUT: Duration = Duration::from_secs(60);
/// A receipt is some kilobytes; a batch's may be some hundred.
const ANSWER_BYTES_MAX: u64 = 16 << 20;

#[derive(Args)]
pub struct Send {
    /// The signed transaction.
    file: PathBuf,
    /// The gateway, such as `http://localhost:8420`.
    #[arg(long)]
    url: Uri,
    /// The key file to sign in with: of the author, a signer, or an organisation that may govern.
    #[arg(long, value_name = "KEYFILE")]
    key: PathBuf,
    /// Whose key it is: `organisation:CODE` or `person:ID`; the author when left out.
    #[arg(long)]
    party: Option<Party>,
}

/// A gateway's answer.
struct Answer {
    status: u16,
    body: Value,
}

struct Client {
    agent: Agent,
    base: String,
    token: Option<String>,
}

impl Send {
    pub fn run(self) -> Result<ExitCode> {
        let base = base(&self.url)?;
        let file = TransactionFile::read(&self.file)?;
        let key = read_key(&self.key)?;
        if let Err(error) = file.transaction().verify(&FastVerifier, &registry()) {
            let shown = self.file.display();
            return Err(bad(format!(
                "the transaction `{shown}`: {error}; sign it with `yibao tx sign`"
            )));
        }
        let party = self.party.unwrap_or(file.content.author);
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(TIMEOUT))
            .build();
        let mut client = Client { agent: config.into(), base, token: None };
        if let Some(answer) = client.sign_in(&file, party, &key)? {
            return Ok(refused("the gateway does not let you in", &answer));
        }
        let answer = client.submit(&file);
        client.sign_out();
        let answer = answer?;
        match answer.status {
            200 | 201 => {
                println!("{}", serde_json::to_string_pretty(&answer.body)?);
                Ok(ExitCode::SUCCESS)
            }
            _ => Ok(refused("the transaction did not happen", &answer)),
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

/// Says why not, in the gateway's own words.
fn refused(what: &str, answer: &Answer) -> ExitCode {
    let word = |name: &str| answer.body.get(name).and_then(Value::as_str).unwrap_or_default();
    let detail = match word("detail") {
        "" => format!("status {}", answer.status),
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

impl Client {
    /// Signs in; an answer means that the gateway refused.
    fn sign_in(
        &mut self,
        file: &TransactionFile,
        party: Party,
        key: &SecretKey,
    ) -> Result<Option<Answer>> {
        let asked = self.post("/v1/sessions/challenges", &json!({ "party": party }), None)?;
        let Some(challenge) = asked.body.get("challenge").and_then(Value::as_str) else {
            return Ok(Some(asked));
        };
        // The text is built here, so that a gateway cannot have something else signed.
        let message = sign_in_message(file.content.chain_id, party, challenge);
        let request = json!({
            "party": party,
            "challenge": challenge,
            "key": key.public_key(),
            "signature": key.sign(&message),
        });
        let answer = self.post("/v1/sessions", &request, None)?;
        self.token = answer.body.get("token").and_then(Value::as_str).map(str::to_owned);
        Ok(if self.token.is_some() { None } else { Some(answer) })
    }

    fn submit(&self, file: &TransactionFile) -> Result<Answer> {
        let form: Value = serde_json::from_str(&file.to_text())?;
        let idempotency_key = file.idempotency_key().to_string();
        self.post("/v1/transactions", &form, Some(&idempotency_key)).map_err(|error| {
            anyhow!("{error:#}; it may have happened or not: send the same file again, it happens once at most")
        })
    }

    fn sign_out(&self) {
        let request = self.agent.delete(format!("{}/v1/session", self.base));
        let token = self.token.as_deref().unwrap_or_default();
        // A session that is not closed ends by itself.
        let _ = request.header("Authorization", format!("Bearer {token}")).call();
    }

    fn post(&self, path: &str, body: &Value, idempotency_key: Option<&str>) -> Result<Answer> {
        let mut request = self
            .agent
            .post(format!("{}{path}", self.base))
            .header("Content-Type", "application/json")
            .header("Accept-Language", super::language::of_environment().tag());
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        if let Some(key) = idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        let failed = |error: ureq::Error| anyhow!("`{}` does not answer: {error}", self.base);
        let mut response = request.send(body.to_string()).map_err(failed)?;
        let status = response.status().as_u16();
        let reader = response.body_mut().with_config().limit(ANSWER_BYTES_MAX);
        let text = reader.read_to_string().map_err(failed)?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer { status, body })
    }
}
