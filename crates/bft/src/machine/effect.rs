//! What the core asks for: signatures, blocks, words to others, and what must not be forgotten.

use std::mem::take;

use consensus::{EngineError, Proposal, Replica};
use futures_util::FutureExt as _;
use malachite_consensus::{
    ConsensusMsg, Effect, Error, Input, LivenessMsg, LocallyProposedValue, MisbehaviorEvidence,
    Resumable as _, Resume, SignedConsensusMsg, VoteExtensionError, process,
};
use malachite_signing::{Verifier as _, VerifierExt as _};
use malachite_types::{CommitCertificate, Round, SignedMessage};
use primitives::{Hash, OrganisationId};
use proof::header::{Certificate, CommitSignature};

use crate::BLOCK_BYTES_MAX;
use crate::codec::{Carried, Message, Wire as _};
use crate::context::{Height, Ours, Sealed, Value};
use crate::guard::GuardError;
use crate::sign::{proposal_message, proposal_place, vote_message, vote_place};

use super::receive::proposed;
use super::{Failure, Machine, Phase, Work, broken};

impl Machine {
    /// Hands one input to the core and does what it asks for.
    pub(super) fn feed<A: Replica>(
        &mut self,
        input: Input<Ours>,
        app: &mut A,
    ) -> Result<(), Failure<A>> {
        let Some(mut core) = self.core.take() else { return Ok(()) };
        let mut failure = None;
        let result: Result<(), Error<Ours>> = process!(
            input: input,
            state: &mut core,
            metrics: &(),
            with: effect => self.effect(effect, app, &mut failure)
        );
        if let Some(failure) = failure {
            return Err(failure);
        }
        if self.is_muted {
            // Nothing more is signed at this height, and nothing that was signed here is used.
            self.phase = Phase::Watching;
            self.timers.clear();
            self.work.clear();
            return Ok(());
        }
        self.core = Some(core);
        result.map_err(broken)
    }

    /// Does what the core asks for. What fails is noted, and ends the machine afterwards.
    fn effect<A: Replica>(
        &mut self,
        effect: Effect<Ours>,
        app: &mut A,
        failure: &mut Option<Failure<A>>,
    ) -> Result<Resume<Ours>, String> {
        Ok(match effect {
            Effect::CancelAllTimeouts(r) => {
                self.timers.clear();
                r.resume_with(())
            }
            Effect::CancelTimeout(timeout, r) => {
                self.timers.retain(|(one, _)| *one != timeout);
                r.resume_with(())
            }
            Effect::ScheduleTimeout(timeout, r) => {
                let at = self.now.saturating_add(self.timeouts.duration_for(timeout));
                self.timers.retain(|(one, _)| *one != timeout);
                self.timers.push((timeout, at));
                r.resume_with(())
            }
            Effect::StartRound(_, round, _, _, r) => {
                note(failure, self.start_round(round, app));
                r.resume_with(())
            }
            Effect::PublishConsensusMsg(message, r) => {
                note(failure, self.publish_signed(message).map_err(EngineError::Log));
                r.resume_with(())
            }
            Effect::PublishLivenessMsg(message, r) => {
                self.send(None, &Message::Liveness(message));
                r.resume_with(())
            }
            Effect::RepublishVote(vote, r) => {
                self.send(None, &Message::Liveness(LivenessMsg::Vote(vote)));
                r.resume_with(())
            }
            Effect::RepublishRoundCertificate(certificate, r) => {
                let message = LivenessMsg::SkipRoundCertificate(certificate);
                self.send(None, &Message::Liveness(message));
                r.resume_with(())
            }
            Effect::GetValue(_, round, _, r) => {
                self.work.push_back(Work::Propose(round));
                r.resume_with(())
            }
            Effect::RestreamProposal(_, round, valid_round, proposer, value_id, r) => {
                match app.undecided_block(&value_id) {
                    Ok(Some(proposal)) => {
                        let round = round.as_u32().unwrap_or(0);
                        self.publish(round, valid_round.as_u32(), proposer.0, &proposal);
                    }
                    Ok(None) => tracing::warn!(%value_id, "a block to be sent again is not here"),
                    Err(error) => note(failure, Err(EngineError::Application(error))),
                }
                r.resume_with(())
            }
            Effect::Decide(certificate, _, r) => {
                note(failure, self.decide(&certificate, app));
                r.resume_with(())
            }
            Effect::Finalize(_, _, evidence, r) => {
                // Unless the block was missing, which others have.
                if failure.is_none() && app.next().height != self.height {
                    self.finalize(&evidence, app);
                }
                r.resume_with(())
            }
            Effect::SignVote(vote, r) => {
                let message = vote_message(self.chain_id, &vote);
                r.resume_with(SignedMessage::new(vote, self.sign(&message, failure)?))
            }
            Effect::SignProposal(offer, r) => {
                let message = proposal_message(self.chain_id, &offer);
                r.resume_with(SignedMessage::new(offer, self.sign(&message, failure)?))
            }
            Effect::WalAppend(_, entry, r) => {
                if self.phase != Phase::Replaying && self.signing.is_some() {
                    let appended = self.log.append(&entry.encode());
                    note(failure, appended.map_err(EngineError::Log));
                }
                r.resume_with(())
            }
            checked => self.checked(checked)?,
        })
    }

    /// Signatures and certificates of others.
    fn checked(&self, effect: Effect<Ours>) -> Result<Resume<Ours>, String> {
        const AT_ONCE: &str = "our checks wait for nothing";
        let check = &self.check;
        Ok(match effect {
            Effect::VerifySignature(signed, key, r) => {
                let SignedMessage { message, signature } = &signed;
                let result = match message {
                    ConsensusMsg::Vote(vote) => {
                        check.verify_signed_vote(vote, signature, &key).now_or_never()
                    }
                    ConsensusMsg::Proposal(offer) => {
                        check.verify_signed_proposal(offer, signature, &key).now_or_never()
                    }
                };
                let is_valid = result.ok_or(AT_ONCE)?.is_ok_and(|result| result.is_valid());
                r.resume_with(is_valid)
            }
            Effect::VerifyCommitCertificate(certificate, members, thresholds, r) => {
                let result =
                    check.verify_commit_certificate(&Ours, &certificate, &members, thresholds);
                r.resume_with(result.now_or_never().ok_or(AT_ONCE)?)
            }
            Effect::VerifyPolkaCertificate(certificate, members, thresholds, r) => {
                let result =
                    check.verify_polka_certificate(&Ours, &certificate, &members, thresholds);
                r.resume_with(result.now_or_never().ok_or(AT_ONCE)?)
            }
            Effect::VerifyRoundCertificate(certificate, members, thresholds, r) => {
                let result =
                    check.verify_round_certificate(&Ours, &certificate, &members, thresholds);
                r.resume_with(result.now_or_never().ok_or(AT_ONCE)?)
            }
            // Nothing is added to votes, and what was missed is fetched without the core.
            Effect::ExtendVote(_, _, _, _, r) => r.resume_with(None),
            Effect::VerifyVoteExtension(_, _, _, _, _, _, r) => {
                r.resume_with(Err(VoteExtensionError::InvalidVoteExtension))
            }
            other => return Err(format!("the engine asks for what it is never given: {other:?}")),
        })
    }

    fn sign<E>(
        &self,
        message: &Hash,
        failure: &mut Option<EngineError<E>>,
    ) -> Result<Sealed, String> {
        let signing = self.signing.as_ref().ok_or("there is no key")?;
        signing.key.sign(message).map(Sealed).map_err(|error| {
            let words = error.to_string();
            failure.get_or_insert(EngineError::Signer(error));
            words
        })
    }

    /// Log and guard are durable before what is signed leaves.
    fn publish_signed(&mut self, message: SignedConsensusMsg<Ours>) -> std::io::Result<()> {
        if self.is_muted {
            return Ok(());
        }
        self.log.flush()?;
        let (place, signed) = match &message {
            SignedConsensusMsg::Vote(vote) => {
                (vote_place(&vote.message), vote_message(self.chain_id, &vote.message))
            }
            SignedConsensusMsg::Proposal(offer) => {
                (proposal_place(&offer.message), proposal_message(self.chain_id, &offer.message))
            }
        };
        let (Some(place), Some(signing)) = (place, &mut self.signing) else { return Ok(()) };
        match signing.guard.allow(place, signed) {
            Ok(()) => self.send(None, &Message::Consensus(message)),
            Err(GuardError::Disk(error)) => return Err(error),
            Err(refused @ GuardError::SignedBefore { .. }) => {
                tracing::warn!(error = %refused, "watching until the height is over");
                self.is_muted = true;
            }
        }
        Ok(())
    }

    /// A round begins: what was kept aside for its height is judged, and the core hears of all
    /// blocks that are known.
    fn start_round<A: Replica>(&mut self, round: Round, app: &mut A) -> Result<(), Failure<A>> {
        self.round = round.as_u32().unwrap_or(0);
        let height = self.height;
        let aside = take(&mut self.aside).into_iter();
        let (now, later): (Vec<_>, _) = aside.partition(|(_, one)| one.height == height);
        self.aside = later;
        for (_, carried) in now {
            self.judge(&carried, app)?;
        }
        for one in app.undecided() {
            self.know(proposed(height, &one, true));
        }
        Ok(())
    }

    pub(super) fn propose<A: Replica>(
        &mut self,
        round: Round,
        app: &mut A,
    ) -> Result<(), Failure<A>> {
        let Some(number) = round.as_u32() else { return Ok(()) };
        if self.phase != Phase::Running || number != self.round {
            return Ok(());
        }
        let proposal = app.propose_in_turn(number).map_err(EngineError::Application)?;
        let (height, value) = (Height(self.height), Value(proposal.header.value_id()));
        // The block goes first, so that whoever hears the proposal can judge it at once.
        self.publish(number, None, self.own, &proposal);
        self.feed(Input::Propose(LocallyProposedValue::new(height, round, value)), app)
    }

    fn publish(
        &mut self,
        round: u32,
        valid_round: Option<u32>,
        proposer: OrganisationId,
        proposal: &Proposal,
    ) {
        let (height, block) = (self.height, proposal.block.to_vec());
        debug_assert!(block.len() <= usize::try_from(BLOCK_BYTES_MAX).unwrap_or(usize::MAX));
        let carried = Carried { height, round, valid_round, proposer, block };
        self.send(None, &Message::Block(carried));
    }

    fn decide<A: Replica>(
        &mut self,
        decided: &CommitCertificate<Ours>,
        app: &mut A,
    ) -> Result<(), Failure<A>> {
        self.log.flush().map_err(EngineError::Log)?;
        let certificate = certificate_of(decided);
        let known = app.undecided_block(&certificate.value_id).map_err(EngineError::Application)?;
        let Some(proposal) = known else {
            // The ledger was taken out and fetched up to the block before, and the log stayed.
            let height = self.height;
            if self.validators.validators().len() == 1 {
                return Err(broken(format!("block {height}, which is decided, is not here")));
            }
            tracing::warn!(height, "a block that is decided is not here: it is fetched");
            self.is_muted = true;
            return Ok(());
        };
        app.commit(proposal, certificate).map_err(EngineError::Application)?;
        self.decided = Some(self.height);
        Ok(())
    }

    fn finalize<A: Replica>(&mut self, evidence: &MisbehaviorEvidence<Ours>, app: &mut A) {
        let found = crate::equivocation::of(evidence);
        if !found.is_empty() {
            app.accuse(&found);
        }
        self.send(None, &Message::Status(self.height));
        self.renew(app);
        self.work.push_back(Work::Next);
    }
}

/// Notes the first failure.
fn note<E>(failure: &mut Option<EngineError<E>>, result: Result<(), EngineError<E>>) {
    if let Err(error) = result {
        failure.get_or_insert(error);
    }
}

/// Our certificate of a decision; signatures in the order of the organisations.
fn certificate_of(decided: &CommitCertificate<Ours>) -> Certificate {
    let mut signatures: Vec<_> = decided
        .commit_signatures
        .iter()
        .map(|one| CommitSignature {
            organisation: one.address.0,
            signature: one.signature.0.clone(),
        })
        .collect();
    signatures.sort_by_key(|one| one.organisation);
    Certificate {
        height: decided.height.0,
        round: decided.round.as_u32().unwrap_or(0),
        value_id: decided.value_id,
        signatures,
    }
}
