//! Fetching what others have decided.

use consensus::{EngineError, Origin, Replica, Verdict};
use proof::header::Certificate;

use crate::PeerName;
use crate::codec::Message;

use super::{DISTRUST, Failure, Fetching, LAG, Machine, Phase, Work, broken};

impl Machine {
    /// Whether blocks are fetched that may come at once: then a height is not begun that others
    /// have ended. Nobody can hold a height up for longer by telling of blocks that are not there.
    pub(super) fn is_catching_up(&self) -> bool {
        self.fetching.as_ref().is_some_and(|one| self.now < one.since.saturating_add(LAG))
    }

    pub(super) fn distrust(&mut self, peer: PeerName) {
        self.tips.remove(&peer);
        self.distrusted.insert(peer, self.now.saturating_add(DISTRUST));
    }

    /// Asks for decided blocks when others have some that this node does not decide by itself.
    pub(super) fn fetch_if_behind(&mut self) {
        if self.fetching.is_some() {
            return;
        }
        let now = self.now;
        self.distrusted.retain(|_, until| now < *until);
        let trusted = self.tips.iter().filter(|(peer, _)| !self.distrusted.contains_key(peer));
        let Some((&from, &tip)) = trusted.max_by_key(|(_, tip)| **tip) else { return };
        if tip < self.height {
            self.lag_until = None;
            return;
        }
        let takes_part = matches!(self.phase, Phase::Running | Phase::Replaying);
        if tip == self.height && takes_part {
            let until = *self.lag_until.get_or_insert(self.now.saturating_add(LAG));
            if self.now < until {
                return;
            }
        }
        self.lag_until = None;
        self.fetching = Some(Fetching { from, since: self.now });
        self.send(Some(from), &Message::Fetch(self.height));
    }

    pub(super) fn receive_decided<A: Replica>(
        &mut self,
        peer: PeerName,
        list: Vec<(Vec<u8>, Certificate)>,
        app: &mut A,
    ) -> Result<(), Failure<A>> {
        if self.fetching.as_ref().is_none_or(|one| one.from != peer) {
            return Ok(());
        }
        self.fetching = None;
        let mut is_any = false;
        for (block, certificate) in list {
            if certificate.height < app.next().height {
                // The votes that were under way decided it meanwhile.
                is_any = true;
                continue;
            }
            if !self.take_decided_block(&block, certificate, app)? {
                is_any = false;
                break;
            }
            is_any = true;
        }
        if !is_any {
            tracing::warn!(%peer, height = self.height, "a peer has not the blocks that it told of");
            self.distrust(peer);
        }
        if app.next().height != self.height {
            self.renew(app);
            self.work.push_back(Work::Next);
        } else if self.phase == Phase::Idle {
            self.work.push_back(Work::Next);
        }
        Ok(())
    }

    /// Commits a block that others decided; whether it is one.
    fn take_decided_block<A: Replica>(
        &mut self,
        block: &[u8],
        certificate: Certificate,
        app: &mut A,
    ) -> Result<bool, Failure<A>> {
        let next = app.next();
        let Some(header) = app.header_of(block) else { return Ok(false) };
        if header.height != next.height {
            return Ok(false);
        }
        let verifier = &*self.check.verifier;
        if let Err(error) = next.validators.verify_certificate(&header, &certificate, verifier) {
            tracing::warn!(height = header.height, %error, "a fetched block is not certified");
            return Ok(false);
        }
        let round = certificate.round;
        let origin = Origin { round, valid_round: None, proposer: self.own, is_decided: true };
        let verdict = app.judge(origin, block).map_err(EngineError::Application)?;
        if verdict != Verdict::Valid(certificate.value_id) {
            // From one peer it is a block that was changed on the way; from all of them it means
            // that another version made it, or that this node's own state is damaged.
            tracing::error!(
                height = header.height,
                value_id = %certificate.value_id,
                "a fetched block is certified, and does not follow from this node's ledger"
            );
            return Ok(false);
        }
        let known = app.undecided_block(&certificate.value_id).map_err(EngineError::Application)?;
        let proposal = known.ok_or_else(|| broken("a block that was just kept is not there"))?;
        app.commit(proposal, certificate).map_err(EngineError::Application)?;
        self.decided = Some(header.height);
        Ok(true)
    }
}
