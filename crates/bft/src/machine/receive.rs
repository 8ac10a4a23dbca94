//! What others say.

use consensus::{EngineError, Origin, Replica, Reply, Undecided, Verdict};
use malachite_consensus::{Input, LivenessMsg, ProposedValue, SignedConsensusMsg};
use malachite_types::{Context as _, Round, Validator as _, Validity, ValueOrigin, Vote as _};

use crate::codec::{Carried, Message};
use crate::context::{Address, Height, Members, Ours, Value};
use crate::sign::{Check, proposal_message, vote_message};
use crate::{FETCH_BLOCKS_MAX, PeerName};

use super::{
    AHEAD_MAX, ASIDE_PER_PEER_MAX, FETCH_PAUSE, Failure, Machine, PER_ROUND_MAX, Phase,
    ROUNDS_AHEAD_MAX, STATUS_PAUSE, Work,
};

impl Machine {
    pub(super) fn receive<A: Replica>(
        &mut self,
        peer: PeerName,
        message: Message,
        app: &mut A,
    ) -> Result<(), Failure<A>> {
        match message {
            Message::Consensus(message) => {
                let height = message.height().0;
                let input = match message {
                    SignedConsensusMsg::Vote(vote) => Input::Vote(vote),
                    SignedConsensusMsg::Proposal(proposal) => Input::Proposal(proposal),
                };
                self.receive_input(peer, height, input, app)?;
            }
            Message::Liveness(message) => {
                let (height, input) = match message {
                    LivenessMsg::Vote(vote) => (vote.height(), Input::Vote(vote)),
                    LivenessMsg::PolkaCertificate(polka) => {
                        (polka.height, Input::PolkaCertificate(polka))
                    }
                    LivenessMsg::SkipRoundCertificate(certificate) => {
                        (certificate.height, Input::RoundCertificate(certificate))
                    }
                };
                self.receive_input(peer, height.0, input, app)?;
            }
            Message::Block(carried) => self.receive_block(peer, carried, app)?,
            Message::Transactions(list) => {
                app.take(list);
                self.work.push_back(Work::Next);
            }
            Message::Status(tip) => {
                self.tips.insert(peer, tip);
                if tip.saturating_add(1) < self.height {
                    self.tell_status(peer);
                }
            }
            // A peer that asks for the same again at once had its answer, or is about to.
            Message::Fetch(first) if self.is_answered(peer, first) => {}
            Message::Fetch(first) => {
                let count = usize::try_from(FETCH_BLOCKS_MAX).unwrap_or(1);
                let decided = app.decisions(first, count);
                self.send(Some(peer), &Message::Decided(decided));
            }
            Message::Decided(list) => self.receive_decided(peer, list, app)?,
            Message::Question(bytes) => {
                self.asked.insert(peer, bytes);
            }
            Message::Reply(bytes) => app.replied(&bytes),
            Message::Ask(question) => {
                if let Some(answer) = app.answer(&question) {
                    self.send(Some(peer), &Message::Answer(answer));
                }
            }
            // Who has a ledger asked nothing.
            Message::Answer(_) => {}
        }
        Ok(())
    }

    /// Whether a peer was given these blocks, or later ones, a moment ago. Notes what it asks for.
    fn is_answered(&mut self, peer: PeerName, first: u64) -> bool {
        let given = self.given.get(&peer);
        let is_answered = given
            .is_some_and(|(last, at)| first <= *last && self.now < at.saturating_add(FETCH_PAUSE));
        if !is_answered {
            self.given.insert(peer, (first, self.now));
        }
        is_answered
    }

    /// What ledgers ask each other: passed on and answered as soon as this one can.
    pub(super) fn talk<A: Replica>(&mut self, app: &mut A) {
        if let Some(question) = app.question() {
            self.send(None, &Message::Question(question));
        }
        for (peer, question) in std::mem::take(&mut self.asked) {
            match app.reply(&question) {
                Reply::Now(bytes) => self.send(Some(peer), &Message::Reply(bytes)),
                Reply::Later => {
                    self.asked.insert(peer, question);
                }
                Reply::Never => {}
            }
        }
    }

    fn tell_status(&mut self, peer: PeerName) {
        let told = self.told.get(&peer).copied();
        if told.is_none_or(|told| self.now >= told.saturating_add(STATUS_PAUSE)) {
            self.told.insert(peer, self.now);
            self.send(Some(peer), &Message::Status(self.height.saturating_sub(1)));
        }
    }

    /// Whether a validator signed this: only then has anybody begun a height. A peer may be no
    /// validator, and whoever it is does not make the others order blocks of nothing.
    fn is_signed(&self, input: &Input<Ours>) -> bool {
        let Check { chain_id, .. } = self.check;
        let (who, message, signature) = match input {
            Input::Vote(vote) => {
                let message = vote_message(chain_id, &vote.message);
                (vote.message.address, message, &vote.signature)
            }
            Input::Proposal(offer) => {
                let message = proposal_message(chain_id, &offer.message);
                (offer.message.address, message, &offer.signature)
            }
            _ => return false,
        };
        let validator = self.validators.get(who.0);
        validator.is_some_and(|one| self.check.is_valid(&one.key, &message, &signature.0))
    }

    /// Notes that a peer is at a height; whether what it sent belongs to the present one or later.
    /// With `input`, what may show that the height has begun.
    fn note_height<A: Replica>(
        &mut self,
        peer: PeerName,
        (height, input): (u64, Option<&Input<Ours>>),
        app: &mut A,
    ) -> Result<bool, Failure<A>> {
        if height < self.height {
            // It does not know yet, or it would not be there.
            self.tell_status(peer);
            return Ok(false);
        }
        let tip = self.tips.entry(peer).or_default();
        *tip = (*tip).max(height.saturating_sub(1));
        let is_near = height <= self.height.saturating_add(AHEAD_MAX);
        if is_near && height > self.begun && input.is_some_and(|input| self.is_signed(input)) {
            self.begun = height;
        }
        let is_begun = self.begun >= height;
        if self.phase == Phase::Idle && height == self.height && is_begun && !self.is_catching_up()
        {
            self.begin(app)?;
        }
        Ok(true)
    }

    fn receive_input<A: Replica>(
        &mut self,
        peer: PeerName,
        height: u64,
        input: Input<Ours>,
        app: &mut A,
    ) -> Result<(), Failure<A>> {
        if self.note_height(peer, (height, Some(&input)), app)? && self.core.is_some() {
            // The core keeps what is of a later height.
            self.work.push_back(Work::Input(input));
        }
        Ok(())
    }

    fn receive_block<A: Replica>(
        &mut self,
        peer: PeerName,
        carried: Carried,
        app: &mut A,
    ) -> Result<(), Failure<A>> {
        let height = carried.height;
        if !self.note_height(peer, (height, None), app)? {
            return Ok(());
        }
        if height > self.height || self.phase != Phase::Running {
            let is_near = height <= self.height.saturating_add(AHEAD_MAX);
            let there = |(from, one): &&(PeerName, Carried)| *from == peer && one.height == height;
            let kept = self.aside.iter().filter(there).count();
            let is_new = self.aside.iter().all(|(_, one)| *one != carried);
            if is_near && is_new && kept < ASIDE_PER_PEER_MAX {
                self.aside.push((peer, carried));
            }
            return Ok(());
        }
        let seen = self.judged.entry((carried.round, peer)).or_default();
        let is_far = carried.round > self.round.saturating_add(ROUNDS_AHEAD_MAX);
        if is_far || *seen >= PER_ROUND_MAX {
            return Ok(());
        }
        *seen += 1;
        self.judge(&carried, app)
    }

    /// Whether a block is offered by whoever has the turn in its round: nobody votes for another.
    fn has_turn(&self, carried: &Carried) -> bool {
        let members = Members::from(&self.validators);
        let (height, round) = (Height(carried.height), Round::new(carried.round));
        Ours.select_proposer(&members, height, round).address().0 == carried.proposer
    }

    /// Judges a block of this height and tells the core what it is.
    pub(super) fn judge<A: Replica>(
        &mut self,
        carried: &Carried,
        app: &mut A,
    ) -> Result<(), Failure<A>> {
        if !self.has_turn(carried) {
            return Ok(());
        }
        let Carried { height, round, valid_round, proposer, .. } = *carried;
        let origin = Origin { round, valid_round, proposer, is_decided: false };
        let verdict = app.judge(origin, &carried.block).map_err(EngineError::Application)?;
        let (value_id, is_valid) = match verdict {
            Verdict::Valid(id) => (id, true),
            Verdict::Invalid(id) => (id, false),
            Verdict::Unreadable => return Ok(()),
        };
        let one = Undecided { round, valid_round, proposer, value_id };
        self.know(proposed(height, &one, is_valid));
        Ok(())
    }

    pub(super) fn know(&mut self, value: ProposedValue<Ours>) {
        self.work.push_back(Work::Input(Input::ProposedValue(value, ValueOrigin::Consensus)));
    }
}

pub(super) fn proposed(height: u64, one: &Undecided, is_valid: bool) -> ProposedValue<Ours> {
    ProposedValue {
        height: Height(height),
        round: Round::new(one.round),
        valid_round: Round::from(one.valid_round),
        proposer: Address(one.proposer),
        value: Value(one.value_id),
        validity: Validity::from_bool(is_valid),
    }
}
