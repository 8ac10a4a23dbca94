//! What the ledger is told about an effect, and whether it still wants to hear it.

use ledger::kernel::effect::EffectResult;
use ledger::kernel::registry::Kind;
use ledger::kernel::transaction::TRANSACTION_VERSION;
use ledger::modules::awaited_executor;
use ledger::modules::visit::ConfirmEffect;
use ledger::{Authorisation, Content, IdempotencyKey, State, Transaction};
use primitives::{Hash, OrganisationId, Party, codec};
use proof::header::ChainId;

use super::Word;
use super::book::FinalEffect;
use crate::signature::SecretKey;

/// Signs for the executor.
pub(super) struct Confirmer {
    pub(super) chain_id: ChainId,
    pub(super) organisation: OrganisationId,
    pub(super) key: SecretKey,
}

impl Confirmer {
    /// Whether the ledger waits for this executor's word on the effect. `false` when it has one,
    /// when somebody else took over, or when it knows no such effect.
    pub(super) fn is_awaited(&self, state: &State, effect: &Hash) -> bool {
        awaited_executor(state, effect) == Some(self.organisation)
    }

    /// The transaction that tells the word: the same content for the same arguments, so that it is
    /// one transaction however often it is sent.
    pub(super) fn transaction(&self, told: &FinalEffect, key: [u8; 16]) -> Transaction {
        let result = match told.word {
            Word::Done { amount } => EffectResult::Done { amount },
            Word::Failed { reason } => EffectResult::Failed { reason },
        };
        let (effect, rail_reference) = (told.reference, told.rail_reference);
        let author = Party::Organisation(self.organisation);
        let content = Content {
            version: TRANSACTION_VERSION,
            chain_id: self.chain_id,
            author,
            idempotency_key: IdempotencyKey(key),
            valid_until: told.valid_until,
            kind: ConfirmEffect::NUMBER,
            body: codec::encode(&ConfirmEffect { effect, result, rail_reference }),
        };
        let signature = self.key.sign(&content.id());
        let authorisation = Authorisation { party: author, key: self.key.public_key(), signature };
        Transaction { content, authorisations: vec![authorisation] }
    }
}
