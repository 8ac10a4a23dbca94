//! What a workplace reaches the world by: a network and a clock. The real one is HTTP over TCP;
//! whoever tries the platform in one thread from one seed brings another.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ureq::Agent;

use crate::HisError;

/// The path of the interface.
const PATH: &str = "/nhsa/v1";
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(60);
const ANSWER_BYTES_MAX: u64 = 16 << 20;

/// Headers of a message.
pub type Headers = Vec<(&'static str, String)>;

/// A message as it goes out.
pub struct Outgoing {
    /// What shows whose it is; nothing where the body does.
    pub headers: Headers,
    /// The body.
    pub body: String,
}

/// What came back.
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub bytes: Vec<u8>,
}

impl Reply {
    /// The body as a text; what is none in UTF-8 reads as nothing that is known.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// Where a line breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// In the middle of the message: the platform never has it.
    Halfway,
    /// After the message and before its answer: nobody knows.
    BeforeTheAnswer,
    /// Within the answer: it was carried out, and the hospital does not know.
    WithinTheAnswer,
}

/// A network and a clock.
pub trait Wire: Send + Sync {
    /// Sends a message.
    ///
    /// # Errors
    /// When no answer came.
    fn post(&self, message: &Outgoing) -> Result<Reply, HisError>;

    /// Sends a message on a line that breaks.
    ///
    /// # Errors
    /// When there is no line at all.
    fn cut(&self, message: &Outgoing, place: Cut) -> Result<(), HisError>;

    /// Milliseconds since 1970.
    fn now_millis(&self) -> u64;

    /// Lets time pass.
    fn wait(&self, span: Duration);
}

/// The network of this machine, to one address.
pub struct Network {
    agent: Agent,
    address: String,
}

impl Network {
    /// To this address.
    ///
    /// # Errors
    /// When it is not one of plain HTTP.
    pub fn to(url: &str) -> Result<Self, HisError> {
        let address = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
        let address = address.filter(|rest| !rest.is_empty() && !rest.contains('/'));
        let address = address.ok_or_else(|| HisError::Address(url.to_owned()))?.to_owned();
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(TIMEOUT))
            .build();
        Ok(Self { agent: config.into(), address })
    }

    fn failed(&self, error: &impl ToString) -> HisError {
        HisError::Line { address: self.address.clone(), why: error.to_string() }
    }
}

impl Wire for Network {
    fn post(&self, Outgoing { headers, body }: &Outgoing) -> Result<Reply, HisError> {
        let failed = |error: ureq::Error| self.failed(&error);
        let post = self.agent.post(format!("http://{}{PATH}", self.address));
        let post = headers.iter().fold(post, |post, (name, value)| post.header(*name, value));
        let post = post.header("Content-Type", "application/json");
        let mut response = post.send(body).map_err(failed)?;
        let status = response.status().as_u16();
        let reader = response.body_mut().with_config().limit(ANSWER_BYTES_MAX);
        Ok(Reply { status, bytes: reader.read_to_vec().map_err(failed)? })
    }

    fn cut(&self, Outgoing { headers, body }: &Outgoing, place: Cut) -> Result<(), HisError> {
        let (address, length) = (&self.address, body.len());
        let headers: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!(
            "POST {PATH} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n{headers}\
             Content-Length: {length}\r\n\r\n"
        );
        let sent = match place {
            Cut::Halfway => body.as_bytes().get(..length / 2).unwrap_or_default(),
            Cut::BeforeTheAnswer | Cut::WithinTheAnswer => body.as_bytes(),
        };
        let failed = |error: std::io::Error| self.failed(&error);
        let mut stream = TcpStream::connect(address.as_str()).map_err(failed)?;
        stream.write_all(head.as_bytes()).map_err(failed)?;
        stream.write_all(sent).map_err(failed)?;
        if place == Cut::WithinTheAnswer {
            stream.read_exact(&mut [0]).map_err(failed)?;
        }
        let _ = stream.shutdown(Shutdown::Both);
        Ok(())
    }

    fn now_millis(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn wait(&self, span: Duration) {
        thread::sleep(span);
    }
}

#[cfg(test)]
mod tests {
    use super::Network;

    #[test]
    fn an_address_that_is_none_is_refused() {
        for url in ["https://localhost:1", "localhost:1", "http://", "http://a/b"] {
            assert!(Network::to(url).is_err(), "{url}");
        }
    }
}
