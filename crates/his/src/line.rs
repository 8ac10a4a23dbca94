//! The line to the platform: messages with a signature, or sealed, over a network that breaks.

use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sm3::Sm3;

use crate::HisError;
use crate::message::Moment;
use crate::seal::Seal;
use crate::wire::{Cut, Network, Outgoing, Reply, Wire};

/// The line of one workplace.
pub struct Line {
    wire: Arc<dyn Wire>,
    code: String,
    secret: Vec<u8>,
    seal: Option<Seal>,
}

impl Line {
    /// A line to this address for the hospital with this code and secret.
    ///
    /// # Errors
    /// When the address is not one of plain HTTP.
    pub fn new(url: &str, code: &str, secret: &[u8]) -> Result<Self, HisError> {
        Ok(Self::over(Arc::new(Network::to(url)?), code, secret))
    }

    /// The same over any network.
    #[must_use]
    pub fn over(wire: Arc<dyn Wire>, code: &str, secret: &[u8]) -> Self {
        Self { wire, code: code.to_owned(), secret: secret.to_vec(), seal: None }
    }

    /// The same, on which messages of mobile payment go sealed.
    #[must_use]
    pub fn with_seal(self, seal: Option<Seal>) -> Self {
        Self { seal, ..self }
    }

    /// This moment.
    #[must_use]
    pub fn now(&self) -> Moment {
        Moment(self.wire.now_millis())
    }

    /// Lets time pass.
    pub fn wait(&self, span: Duration) {
        self.wire.wait(span);
    }

    /// The header by which a body is known to be the hospital's: the time in milliseconds, a
    /// colon, and HMAC-SM3 over time, line feed and body in upper-case hex.
    fn signature(body: &str, (secret, now): (&[u8], u64)) -> String {
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
    fn signed(&self, body: &str, by: (&[u8], u64)) -> Outgoing {
        let signature = Self::signature(body, by);
        let headers = vec![("x-ca-key", self.code.clone()), ("x-ca-signature", signature)];
        Outgoing { headers, body: body.to_owned() }
    }

    fn sealed(&self, seal: &Seal, body: &str) -> Outgoing {
        let body = seal.closed(body, self.wire.now_millis() / 1_000);
        Outgoing { headers: Vec::new(), body }
    }

    /// A message as it goes out now.
    fn ready(&self, body: &str) -> Outgoing {
        match self.seal_of(body) {
            Some(seal) => self.sealed(seal, body),
            None => self.signed(body, (&self.secret, self.wire.now_millis())),
        }
    }

    /// Sends a message.
    ///
    /// # Errors
    /// When no answer came.
    pub fn send(&self, body: &str) -> Result<Reply, HisError> {
        let reply = self.wire.post(&self.ready(body))?;
        let opened = self.seal_of(body).and_then(|seal| seal.opened(&reply.bytes));
        // Who is not known is answered in the open.
        Ok(match opened {
            Some(answer) => Reply { bytes: answer.into_bytes(), ..reply },
            None => reply,
        })
    }

    /// Sends a message with a wrong secret.
    ///
    /// # Errors
    /// When no answer came.
    pub fn send_with_another_secret(&self, body: &str) -> Result<Reply, HisError> {
        if let Some(seal) = self.seal_of(body) {
            return self.wire.post(&self.sealed(&seal.with_another_secret(), body));
        }
        let mut secret = self.secret.clone();
        secret.reverse();
        self.wire.post(&self.signed(body, (&secret, self.wire.now_millis())))
    }

    /// Sends any message as one of mobile payment, which the platform takes for those only.
    ///
    /// # Errors
    /// When no answer came.
    pub fn send_as_mobile(&self, body: &str) -> Result<Reply, HisError> {
        let Some(seal) = &self.seal else { return self.send(body) };
        let reply = self.wire.post(&self.sealed(seal, body))?;
        let opened = seal.opened(&reply.bytes).map(String::into_bytes);
        Ok(Reply { bytes: opened.unwrap_or_default(), ..reply })
    }

    /// Sends a message by a clock that is this many milliseconds slow.
    ///
    /// # Errors
    /// When no answer came.
    pub fn send_late(&self, body: &str, millis: u64) -> Result<Reply, HisError> {
        let slow = self.wire.now_millis().saturating_sub(millis);
        self.wire.post(&self.signed(body, (&self.secret, slow)))
    }

    /// Sends a message on a line that breaks.
    ///
    /// # Errors
    /// When there is no line at all.
    pub fn cut(&self, body: &str, place: Cut) -> Result<(), HisError> {
        self.wire.cut(&self.ready(body), place)
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
        assert_eq!(
            Line::signature("{\"infno\":\"9001\"}", (secret, 1_767_225_600_000)),
            "1767225600000:1ABFC505AD7B686E2A03B7CBE55C6C3C3F97A7182F8F4546DA8AC76D03236BBD"
        );
    }
}
