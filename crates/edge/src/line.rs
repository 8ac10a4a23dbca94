//! The line to the platform, and whether it is there.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use adapters::clock::{Clock as _, SystemClock};
use gateway::nhsa::signature::{KEY_HEADER, SIGNATURE_HEADER, hmac_sm3};
use gateway::nhsa::signer::{self, QUESTION_WAIT, Questions, SignedQuestions};
use primitives::Timestamp;
use ureq::Agent;

const PATH: &str = "/nhsa/v1";
const HEALTH: &str = "/health/ready";
const ANSWER_BYTES_MAX: u64 = 32 << 20;

/// What came back.
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The type of the body.
    pub media_type: String,
    /// The body.
    pub bytes: Vec<u8>,
}

/// No answer came, so that nobody knows whether the message arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut;

/// How the line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineStanding {
    /// Whether the platform answered last.
    pub is_up: bool,
    /// Since when.
    pub since: Timestamp,
}

/// Whether something answers.
pub struct Watched(Mutex<LineStanding>);

impl Default for Watched {
    /// It counts as answering until it does not.
    fn default() -> Self {
        Self(Mutex::new(LineStanding { is_up: true, since: SystemClock.now() }))
    }
}

impl Watched {
    fn lock(&self) -> MutexGuard<'_, LineStanding> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How it is.
    #[must_use]
    pub fn standing(&self) -> LineStanding {
        *self.lock()
    }

    /// Notes how it is now; whether that is another.
    pub fn note(&self, is_up: bool) -> bool {
        let mut standing = self.lock();
        let is_other = standing.is_up != is_up;
        if is_other {
            *standing = LineStanding { is_up, since: SystemClock.now() };
        }
        is_other
    }
}

/// The platform.
pub struct Platform {
    agent: Agent,
    /// For what is answered when there is something.
    waiting: Agent,
    /// Where it is.
    pub url: String,
    line: Watched,
    changed: Condvar,
}

impl Platform {
    /// The platform at this address; it counts as reachable until it does not answer.
    #[must_use]
    pub fn new(url: &str, timeout: Duration) -> Self {
        let agent = |timeout, is_error| -> Agent {
            let config = Agent::config_builder()
                .http_status_as_error(is_error)
                .max_redirects(0)
                .timeout_global(Some(timeout))
                .build();
            config.into()
        };
        Self {
            agent: agent(timeout, false),
            waiting: agent(timeout + QUESTION_WAIT, true),
            url: url.trim_end_matches('/').to_owned(),
            line: Watched::default(),
            changed: Condvar::new(),
        }
    }

    /// How the line is.
    #[must_use]
    pub fn standing(&self) -> LineStanding {
        self.line.standing()
    }

    fn note(&self, is_up: bool) {
        if self.line.note(is_up) {
            self.changed.notify_all();
        }
    }

    /// Waits until the line changes, somebody wakes who waits, or this time is over.
    pub fn wait(&self, most: Duration) {
        let waited = self.changed.wait_timeout(self.line.lock(), most);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Wakes those who wait.
    pub fn wake(&self) {
        self.changed.notify_all();
    }

    /// Asks whether the platform takes transactions, and notes the answer.
    pub fn probe(&self) -> bool {
        let asked = self.agent.get(format!("{}{HEALTH}", self.url)).call();
        let is_up = asked.is_ok_and(|response| response.status().is_success());
        self.note(is_up);
        is_up
    }

    /// Sends a hospital's message, signed anew by its secret.
    ///
    /// # Errors
    /// When no answer of the platform came; the line counts as cut from then on.
    pub fn send(&self, (code, secret): (&str, &[u8]), body: &[u8]) -> Result<Reply, Cut> {
        self.passed(Some((code, secret)), body)
    }

    /// Passes on what is sealed in its body, as it came.
    ///
    /// # Errors
    /// As [`Platform::send`].
    pub fn pass_sealed(&self, body: &[u8]) -> Result<Reply, Cut> {
        self.passed(None, body)
    }

    /// Tells the platform what was signed, and waits for what there is to sign next.
    ///
    /// # Errors
    /// When no answer came; nothing is concluded from it for the line.
    pub fn questions(
        &self,
        (code, secret): (&str, &[u8]),
        signed: &SignedQuestions,
    ) -> Result<Questions, Cut> {
        let body = serde_json::to_vec(signed).unwrap_or_default();
        let post = self.waiting.post(format!("{}{}", self.url, signer::PATH));
        let post = post.header("Content-Type", "application/json").header(KEY_HEADER, code);
        let tag = hmac_sm3(secret, SystemClock.now(), &body);
        let answered = post.header(SIGNATURE_HEADER, tag).send(&body[..]);
        let mut answered = answered.map_err(|_| Cut)?;
        let reader = answered.body_mut().with_config().limit(ANSWER_BYTES_MAX);
        let bytes = reader.read_to_vec().map_err(|_| Cut)?;
        serde_json::from_slice(&bytes).map_err(|_| Cut)
    }

    fn passed(&self, by: Option<(&str, &[u8])>, body: &[u8]) -> Result<Reply, Cut> {
        let sent = self.sent(by, body);
        // Messages go out whole: one that came in part was broken on the way.
        let is_there = |reply: &Reply| !matches!(reply.status, 400 | 408 | 502..=504);
        let reply = sent.ok().filter(is_there);
        self.note(reply.is_some());
        reply.ok_or(Cut)
    }

    fn sent(&self, by: Option<(&str, &[u8])>, body: &[u8]) -> Result<Reply, ureq::Error> {
        let now = SystemClock.now();
        let mut post = self.agent.post(format!("{}{PATH}", self.url));
        post = post.header("Content-Type", "application/json");
        if let Some((code, secret)) = by {
            post = post.header(KEY_HEADER, code);
            post = post.header(SIGNATURE_HEADER, hmac_sm3(secret, now, body));
        }
        let mut response = post.send(body)?;
        let status = response.status().as_u16();
        let media_type = response.headers().get("content-type");
        let media_type = media_type.and_then(|one| one.to_str().ok()).unwrap_or_default();
        let media_type = media_type.to_owned();
        let reader = response.body_mut().with_config().limit(ANSWER_BYTES_MAX);
        Ok(Reply { status, media_type, bytes: reader.read_to_vec()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openssl_makes_the_same_signature() {
        // printf '1767225600000\n{"infno":"9001"}' | openssl dgst -sm3 -mac HMAC -macopt \
        //   "key:synthetic secret of a test hospital"
        let secret = b"synthetic secret of a test hospital";
        assert_eq!(
            hmac_sm3(secret, Timestamp::from_millis(1_767_225_600_000), b"{\"infno\":\"9001\"}"),
            "1767225600000:1ABFC505AD7B686E2A03B7CBE55C6C3C3F97A7182F8F4546DA8AC76D03236BBD"
        );
    }

    #[test]
    fn a_port_that_nobody_answers_on_is_a_line_that_is_cut() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", taken.local_addr().unwrap());
        drop(taken);
        let platform = Platform::new(&url, Duration::from_secs(5));
        assert!(platform.standing().is_up);
        assert!(platform.send(("H62010000001", b"secret"), b"{}").is_err());
        assert!(!platform.standing().is_up && !platform.probe());
    }
}
