//! The line to the platform: HTTP with a signature, or a sealed body, and a line that breaks.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sm3::Sm3;
use ureq::Agent;

use crate::HisError;
use crate::message::now_millis;
use crate::seal::Seal;

/// The path of the interface.
const PATH: &str = "/nhsa/v1";
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(60);
const ANSWER_BYTES_MAX: u64 = 16 << 20;

/// The line of one workplace.
pub struct Line {
    agent: Agent,
    address: String,
    code: String,
    secret: Vec<u8>,
    seal: Option<Seal>,
}

/// A message as it goes out.
struct Sealed {
    headers: Vec<(&'static str, String)>,
    body: String,
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

impl Line {
    /// A line to this address for the hospital with this code and secret.
    ///
    /// # Errors
    /// When the address is not one of plain HTTP.
    pub fn new(url: &str, code: &str, secret: &[u8]) -> Result<Self, HisError> {
        let address = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
        let address = address.filter(|rest| !rest.is_empty() && !rest.contains('/'));
        let address = address.ok_or_else(|| HisError::Address(url.to_owned()))?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(TIMEOUT))
            .build();
        let (address, code) = (address.to_owned(), code.to_owned());
        Ok(Self { agent: config.into(), address, code, secret: secret.to_vec(), seal: None })
    }

    /// The same, on which messages of mobile payment go sealed.
    #[must_use]
    pub fn with_seal(self, seal: Option<Seal>) -> Self {
        Self { seal, ..self }
    }

    /// The header by which a body is known to be the hospital's: the time in milliseconds, a
    /// colon, and HMAC-SM3 over time, line feed and body in upper-case hex.
    fn signature(&self, body: &str, (secret, now): (&[u8], u64)) -> String {
        let mut mac = Hmac::<Sm3>::new_from_slice(secret).expect("HMAC takes keys of any length");
        mac.update(format!("{now}\n").as_bytes());
        mac.update(body.as_bytes());
        format!("{now}:{}", hex::encode_upper(mac.finalize().into_bytes()))
    }

    /// What seals this message, where it goes sealed.
    fn seal_of(&self, body: &str) -> Option<&Seal> {
        self.seal.as_ref().filter(|_| Seal::takes(body))
    }

    /// A message with its signature, by this secret and clock.
    fn signed(&self, body: &str, by: (&[u8], u64)) -> Sealed {
        let signature = self.signature(body, by);
        let headers = vec![("x-ca-key", self.code.clone()), ("x-ca-signature", signature)];
        Sealed { headers, body: body.to_owned() }
    }

    /// A message as it goes out now.
    fn ready(&self, body: &str) -> Sealed {
        match self.seal_of(body) {
            Some(seal) => sealed_now(seal, body),
            None => self.signed(body, (&self.secret, now_millis())),
        }
    }

    /// Sends a message.
    ///
    /// # Errors
    /// When no answer came.
    pub fn send(&self, body: &str) -> Result<Reply, HisError> {
        let reply = self.post(&self.ready(body))?;
        let opened = self.seal_of(body).and_then(|seal| seal.opened(&reply.bytes));
        // Who is not known is answered in the open.
        Ok(match opened {
            Some(answer) => Reply { bytes: answer.into_bytes(), ..reply },
            None => reply,
        })
    }

    /// The same with another secret or clock than it should be.
    ///
    /// # Errors
    /// When no answer came.
    pub fn send_signed(&self, body: &str, by: (&[u8], u64)) -> Result<Reply, HisError> {
        self.post(&self.signed(body, by))
    }

    fn post(&self, Sealed { headers, body }: &Sealed) -> Result<Reply, HisError> {
        let failed = |error: ureq::Error| self.failed(&error);
        let post = self.agent.post(format!("http://{}{PATH}", self.address));
        let post = headers.iter().fold(post, |post, (name, value)| post.header(*name, value));
        let post = post.header("Content-Type", "application/json");
        let mut response = post.send(body).map_err(failed)?;
        let status = response.status().as_u16();
        let reader = response.body_mut().with_config().limit(ANSWER_BYTES_MAX);
        Ok(Reply { status, bytes: reader.read_to_vec().map_err(failed)? })
    }

    /// Sends a message with a wrong secret.
    ///
    /// # Errors
    /// When no answer came.
    pub fn send_with_another_secret(&self, body: &str) -> Result<Reply, HisError> {
        if let Some(seal) = self.seal_of(body) {
            return self.post(&sealed_now(&seal.with_another_secret(), body));
        }
        let mut secret = self.secret.clone();
        secret.reverse();
        self.send_signed(body, (&secret, now_millis()))
    }

    /// Sends any message as one of mobile payment, which the platform takes for those only.
    ///
    /// # Errors
    /// When no answer came.
    pub fn send_as_mobile(&self, body: &str) -> Result<Reply, HisError> {
        let Some(seal) = &self.seal else { return self.send(body) };
        let reply = self.post(&sealed_now(seal, body))?;
        let opened = seal.opened(&reply.bytes).map(String::into_bytes);
        Ok(Reply { bytes: opened.unwrap_or_default(), ..reply })
    }

    /// Sends a message by a clock that is this many milliseconds slow.
    ///
    /// # Errors
    /// When no answer came.
    pub fn send_late(&self, body: &str, millis: u64) -> Result<Reply, HisError> {
        self.send_signed(body, (&self.secret, now_millis().saturating_sub(millis)))
    }

    /// Sends a message on a line that breaks.
    ///
    /// # Errors
    /// When there is no line at all.
    pub fn cut(&self, body: &str, place: Cut) -> Result<(), HisError> {
        let Sealed { headers, body } = self.ready(body);
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

    fn failed(&self, error: &impl ToString) -> HisError {
        HisError::Line { address: self.address.clone(), why: error.to_string() }
    }
}

fn sealed_now(seal: &Seal, body: &str) -> Sealed {
    Sealed { headers: Vec::new(), body: seal.closed(body, now_millis() / 1_000) }
}

#[cfg(test)]
mod tests {
    use super::Line;

    #[test]
    fn openssl_makes_the_same_signature() {
        // printf '1767225600000\n{"infno":"9001"}' | openssl dgst -sm3 -mac HMAC -macopt \
        //   "key:synthetic secret of a test hospital"
        let secret = b"synthetic secret of a test hospital";
        let line = Line::new("http://localhost:1", "H62010000001", secret).expect("a line");
        assert_eq!(
            line.signature("{\"infno\":\"9001\"}", (secret, 1_767_225_600_000)),
            "1767225600000:1ABFC505AD7B686E2A03B7CBE55C6C3C3F97A7182F8F4546DA8AC76D03236BBD"
        );
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        for url in ["https://localhost:1", "localhost:1", "http://", "http://a/b"] {
            assert!(Line::new(url, "", b"").is_err(), "{url}");
        }
    }
}
