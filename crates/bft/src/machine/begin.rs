//! A height begins, or goes on where the log ends.

use consensus::{EngineError, Replica};
use malachite_consensus::{Input, Params, State, ThresholdParams};
use malachite_types::{ValuePayload, VoteExtensionPolicy};
use primitives::Hash;

use crate::codec::Wire as _;
use crate::context::{Address, Height, Members, Ours};
use crate::guard::Place;
use crate::sign::{proposal_message, proposal_place, vote_message, vote_place};

use super::{AHEAD_MAX, AHEAD_MESSAGES_MAX, Failure, Machine, Phase};

impl Machine {
    /// Begins the height, or goes on with it where the log ends.
    pub(super) fn begin<A: Replica>(&mut self, app: &mut A) -> Result<(), Failure<A>> {
        let height = Height(self.height);
        let entries = self.open_log().map_err(EngineError::Log)?;
        self.watch_if_unknown(app.has_moved_on()).map_err(EngineError::Log)?;
        if self.is_muted {
            self.phase = Phase::Watching;
            return Ok(());
        }
        let members = Members::from(&self.validators);
        if self.core.is_none() {
            let params = Params {
                address: Address(self.own),
                threshold_params: ThresholdParams::default(),
                value_payload: ValuePayload::ProposalAndParts,
                enabled: self.signing.is_some(),
            };
            let queue = usize::try_from(AHEAD_MAX).unwrap_or(1);
            let core = State::new(Ours, height, members.clone(), params, queue, AHEAD_MESSAGES_MAX);
            self.core = Some(core);
        }
        self.phase = Phase::Running;
        let policy = VoteExtensionPolicy::default();
        self.feed(Input::StartHeight(height, members, false, None, policy), app)?;
        if entries.is_empty() {
            return Ok(());
        }
        tracing::info!(%height, entries = entries.len(), "the height goes on where the log ends");
        if let Some(core) = &mut self.core {
            core.index_wal_entries(&entries);
        }
        self.phase = Phase::Replaying;
        for entry in entries {
            self.feed(entry, app)?;
            if self.phase != Phase::Replaying {
                // Decided while it was read, or watching.
                break;
            }
        }
        if let Some(core) = &mut self.core {
            core.reset_entries_index();
        }
        if self.phase == Phase::Replaying {
            self.phase = Phase::Running;
        }
        Ok(())
    }

    /// A key of which nobody here knows what it signed watches until the others have moved on. Who
    /// decides alone waits for nobody.
    fn watch_if_unknown(&mut self, has_moved_on: bool) -> std::io::Result<()> {
        let is_alone = self.validators.validators().len() == 1;
        let Some(signing) = &mut self.signing else { return Ok(()) };
        if !signing.guard.must_watch() {
            return Ok(());
        }
        if has_moved_on || is_alone {
            return signing.guard.has_watched();
        }
        tracing::warn!(
            height = self.height,
            "what this validator's key signed before is not known here: it watches until a block \
             was made after the first start without it"
        );
        self.is_muted = true;
        Ok(())
    }

    /// The log's entries of this height; makes this node watch when they cannot be all.
    fn open_log(&mut self) -> std::io::Result<Vec<Input<Ours>>> {
        let Some(signing) = &self.signing else { return Ok(Vec::new()) };
        let (height, own) = (self.height, self.own);
        let (mut entries, mut is_whole) = (Vec::new(), true);
        if self.log.height() == height {
            let (bytes, is_read) = self.log.entries()?;
            is_whole = is_read;
            for entry in bytes {
                match Input::decode(&entry) {
                    Ok(entry) => entries.push(entry),
                    Err(_) => is_whole = false,
                }
            }
        } else {
            self.log.reset(height)?;
        }
        let known: Vec<_> = entries.iter().filter_map(|entry| self.signed_in(entry)).collect();
        let mut signed = signing.guard.signed();
        let is_forgotten = signed.any(|(place, message)| {
            place.height > height || place.height == height && !known.contains(&(place, message))
        });
        let member = self.validators.get(own);
        let is_other = member.is_some_and(|one| one.key != signing.key.public_key());
        if !is_whole || is_forgotten {
            tracing::warn!(height, "the log does not know all that the key signed: watching");
            self.is_muted = true;
        } else if is_other {
            tracing::error!(height, %own, "the key here is not the validator's: watching");
            self.is_muted = true;
        }
        Ok(entries)
    }

    /// What an entry of the log is, if this node signed it.
    fn signed_in(&self, entry: &Input<Ours>) -> Option<(Place, Hash)> {
        match entry {
            Input::Vote(vote) if vote.message.address.0 == self.own => {
                Some((vote_place(&vote.message)?, vote_message(self.chain_id, &vote.message)))
            }
            Input::Proposal(offer) if offer.message.address.0 == self.own => Some((
                proposal_place(&offer.message)?,
                proposal_message(self.chain_id, &offer.message),
            )),
            _ => None,
        }
    }
}
