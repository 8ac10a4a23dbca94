//! A node that has no ledger yet: it asks those that have one, and orders nothing.
//!
//! What is asked and answered are words of the ledger's own; here is only the way. A newcomer is
//! let in by the same names as every node, and must be reachable like one: answers come over the
//! connection that its peer opens.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use proof::header::ChainId;

use crate::codec::{Message, Wire as _};
use crate::machine::Event;
use crate::mesh::{Mesh, PeerName};
use crate::{BftError, EVENTS_MAX, Network};

/// Asks peers. Its connections end when it is dropped.
#[derive(Debug)]
pub struct Newcomer {
    mesh: Mesh,
    events: Receiver<Event>,
    /// Those to whom there is a connection, and those whose own connection has brought something.
    connected: BTreeSet<PeerName>,
    heard: BTreeSet<PeerName>,
    reached: BTreeSet<PeerName>,
}

impl Newcomer {
    /// Listens, and connects to the peers of this place.
    ///
    /// # Errors
    /// When the address cannot be used, or the system gives no thread.
    pub fn start(network: &Network, chain_id: ChainId) -> Result<Self, BftError> {
        let (sender, events) = sync_channel(EVENTS_MAX);
        let mesh = Mesh::start(network, chain_id, sender)?;
        let (connected, heard, reached) = Default::default();
        Ok(Self { mesh, events, connected, heard, reached })
    }

    /// The peers that hear what is asked, and whose answers arrive. A peer that still holds its
    /// connection to an earlier newcomer at this address would answer into nothing until it finds
    /// out; it says how far it is as soon as its connection is a new one, and is reached then.
    #[must_use]
    pub const fn reached(&self) -> &BTreeSet<PeerName> {
        &self.reached
    }

    /// Asks one peer; what it answers, if it does, comes by [`Newcomer::receive`]. A question has
    /// at most [`crate::ASK_BYTES_MAX`] bytes.
    pub fn ask(&self, peer: PeerName, question: Vec<u8>) {
        self.mesh.send(Some(peer), Message::Ask(question).encode());
    }

    /// The next answer of this peer, or none until then. What others say meanwhile is passed over.
    pub fn receive(&mut self, peer: PeerName, until: Instant) -> Option<Vec<u8>> {
        loop {
            if let Some((from, bytes)) = self.event(until)?
                && from == peer
                && let Ok(Message::Answer(bytes)) = Message::decode(&bytes)
            {
                return Some(bytes);
            }
        }
    }

    /// Waits for further peers, for this long at the most; whether one came.
    pub fn wait_for_peers(&mut self, at_most: Duration) -> bool {
        let (until, before) = (Instant::now() + at_most, self.reached.len());
        while self.reached.len() == before {
            if self.event(until).is_none() {
                return false;
            }
        }
        true
    }

    /// The next thing that came from a peer, `None` when nothing did.
    fn event(&mut self, until: Instant) -> Option<Option<(PeerName, Vec<u8>)>> {
        let left = until.saturating_duration_since(Instant::now());
        let (peer, came) = match self.events.recv_timeout(left).ok()? {
            Event::Connected(peer) => {
                self.connected.insert(peer);
                (peer, None)
            }
            Event::Received(peer, bytes) => {
                self.heard.insert(peer);
                (peer, Some((peer, bytes)))
            }
            Event::Wake => return Some(None),
        };
        if self.connected.contains(&peer) && self.heard.contains(&peer) {
            self.reached.insert(peer);
        }
        Some(came)
    }
}
