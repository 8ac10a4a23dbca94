//! The sequencer of a ledger with one validator: every proposal is decided at once.
//!
//! One durable write per block: the certificate is made first and kept together with the block. If
//! the node dies in between, nobody has seen the signature, so another block may take the height.

use proof::header::{Certificate, CommitSignature, commit_message};

use crate::{Application, Engine, EngineError, Next, Signer, Step};

/// The round of every solo decision.
const ROUND: u32 = 0;

/// Orders blocks alone.
#[derive(Debug)]
pub struct Solo<S> {
    signer: S,
}

impl<S: Signer> Solo<S> {
    /// The sequencer with this validator's key.
    pub const fn new(signer: S) -> Self {
        Self { signer }
    }

    /// Whether the validators are this signer alone.
    fn is_sequencer(&self, next: &Next) -> bool {
        match next.validators.validators() {
            [only] => {
                only.organisation == self.signer.organisation()
                    && only.key == self.signer.public_key()
            }
            _ => false,
        }
    }
}

impl<A: Application, S: Signer> Engine<A> for Solo<S> {
    fn step(&mut self, application: &mut A) -> Result<Step, EngineError<A::Error>> {
        let next = application.next();
        let height = next.height;
        if !self.is_sequencer(&next) {
            let (organisation, key) = (self.signer.organisation(), self.signer.public_key());
            return Err(EngineError::NotTheSequencer { height, organisation, key });
        }
        let proposal = application.propose(height, ROUND).map_err(EngineError::Application)?;
        let Some(proposal) = proposal else { return Ok(Step::Idle) };
        let header = &proposal.header;
        if header.height != height {
            return Err(EngineError::WrongHeight { expected: height, proposed: header.height });
        }
        let value_id = header.value_id();
        let message = commit_message(header.chain_id, height, ROUND, value_id);
        let signature = self.signer.sign(&message)?;
        let signatures =
            vec![CommitSignature { organisation: self.signer.organisation(), signature }];
        let certificate = Certificate { height, round: ROUND, value_id, signatures };
        application.commit(proposal, certificate).map_err(EngineError::Application)?;
        Ok(Step::Decided(height))
    }
}
