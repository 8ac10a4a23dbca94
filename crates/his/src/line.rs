//! The line to the platform: messages with a signature, or sealed, over a network that breaks.

use std::sync::Arc;
use std::time::Duration;

use crate::HisError;
use crate::message::Moment;
use crate::seal::Seal;
use crate::signer::Signer;
use crate::wire::{Cut, Network, Outgoing, Reply, Wire};

/// The line of one workplace.
pub struct Line {
    wire: Arc<dyn Wire>,
    code: String,
    signer: Signer,
    seal: Option<Seal>,
}

impl Line {
    /// A line to this address for the hospital with this code and what it signs with.
    ///
    /// # Errors
    /// When the address is not one of plain HTTP.
    pub fn new(url: &str, code: &str, signer: Signer) -> Result<Self, HisError> {
        Ok(Self::over(Arc::new(Network::to(url)?), code, signer))
    }

    /// The same over any network.
    #[must_use]
    pub fn over(wire: Arc<dyn Wire>, code: &str, signer: Signer) -> Self {
        Self { wire, code: code.to_owned(), signer, seal: None }
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

    /// What seals this message, where it goes sealed.
    fn seal_of(&self, body: &str) -> Option<&Seal> {
        self.seal.as_ref().filter(|_| Seal::takes(body))
    }

    fn sealed(&self, seal: &Seal, body: &str) -> Outgoing {
        let body = seal.closed(body, self.wire.now_millis() / 1_000);
        Outgoing { headers: Vec::new(), body }
    }

    /// A message as it goes out now.
    fn ready(&self, body: &str) -> Outgoing {
        match self.seal_of(body) {
            Some(seal) => self.sealed(seal, body),
            None => self.signer.signed(&self.code, (body, self.wire.now_millis())),
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
        let another = self.signer.another();
        self.wire.post(&another.signed(&self.code, (body, self.wire.now_millis())))
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
        let now = self.wire.now_millis();
        self.wire.post(&self.signer.signed_late(&self.code, (body, now), millis))
    }

    /// Sends a message on a line that breaks.
    ///
    /// # Errors
    /// When there is no line at all.
    pub fn cut(&self, body: &str, place: Cut) -> Result<(), HisError> {
        self.wire.cut(&self.ready(body), place)
    }
}
