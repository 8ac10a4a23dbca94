//! The line to the platform: HTTP with a signature, and a line that breaks.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sm3::Sm3;
use ureq::Agent;

use crate::HisError;
use crate::message::now_millis;

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
        Ok(Self { agent: config.into(), address, code, secret: secret.to_vec() })
    }

    /// The header by which a body is known to be the hospital's: the time in milliseconds, a
    /// colon, and HMAC-SM3 over time, line feed and body in upper-case hex.
    fn signature(&self, body: &str, (secret, now): (&[u8], u64)) -> String {
        let mut mac = Hmac::<Sm3>::new_from_slice(secret).expect("HMAC takes keys of any length");
        mac.update(format!("{now}\n").as_bytes());
        mac.update(body.as_bytes());
        format!("{now}:{}", hex::encode_upper(mac.finalize().into_bytes()))
    }

    /// Sends a message.
    ///
    /// # Errors
    /// When no answer came.
    pub fn send(&self, body: &str) -> Result<Reply, HisError> {
        self.send_signed(body, (&self.secret, now_millis()))
    }

    /// The same with another secret or clock than it should be.
    ///
    /// # Errors
    /// When no answer came.
    pub fn send_signed(&self, body: &str, by: (&[u8], u64)) -> Result<Reply, HisError> {
        let failed = |error: ureq::Error| self.failed(&error);
        let mut response = self
            .agent
            .post(format!("http://{}{PATH}", self.address))
            .header("Content-Type", "application/json")
            .header("x-ca-key", &self.code)
            .header("x-ca-signature", self.signature(body, by))
            .send(body)
            .map_err(failed)?;
        let status = response.status().as_u16();
        let reader = response.body_mut().with_config().limit(ANSWER_BYTES_MAX);
        Ok(Reply { status, bytes: reader.read_to_vec().map_err(failed)? })
    }

    /// Sends a message with a wrong secret.
    ///
    /// # Errors
    /// When no answer came.
    pub fn send_with_another_secret(&self, body: &str) -> Result<Reply, HisError> {
        let mut secret = self.secret.clone();
        secret.reverse();
        self.send_signed(body, (&secret, now_millis()))
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
        let signature = self.signature(body, (&self.secret, now_millis()));
        let (address, code, length) = (&self.address, &self.code, body.len());
        let head = format!(
            "POST {PATH} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nx-ca-key: \
             {code}\r\nx-ca-signature: {signature}\r\nContent-Length: {length}\r\n\r\n"
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
