//! From the genesis to the block of a snapshot, by certificates.

use ledger::Genesis;
use ledger::kernel::state::Seeds;
use primitives::Verifier;
use proof::header::{Certificate, ChainId, HEADER_VERSION, Header, ValidatorSet};

use super::Offer;
use crate::history::Handover;
use crate::store::Snapshot;

/// Who certifies, as far as it was told.
#[derive(Clone, Debug)]
pub(super) struct Trust {
    chain_id: ChainId,
    seeds: Seeds,
    /// The last block after which others certified; 0 for none.
    height: u64,
    validators: ValidatorSet,
}

impl Trust {
    /// Who certifies the first block.
    pub(super) fn new(genesis: &Genesis) -> Self {
        let ledger = genesis.ledger();
        let (seeds, validators) = (ledger.state().seeds(), ledger.tip().validators.clone());
        Self { chain_id: genesis.chain_id, seeds, height: 0, validators }
    }

    /// Who certifies the block behind the last handover, and those behind it.
    pub(super) const fn validators(&self) -> &ValidatorSet {
        &self.validators
    }

    /// The last block after which others certified.
    pub(super) const fn height(&self) -> u64 {
        self.height
    }

    /// Takes a further handover in, up to the block of this height; whether it is one.
    pub(super) fn follow(
        &mut self,
        handover: &Handover,
        up_to: u64,
        verifier: &impl Verifier,
    ) -> Result<(), &'static str> {
        let Handover { header, certificate, validators } = handover;
        if header.height <= self.height || header.height > up_to {
            return Err("a change of validators is out of its order");
        }
        self.certified(header, certificate, verifier)?;
        if header.next_validators != validators.hash() {
            return Err("a block names other validators than were told");
        }
        (self.height, self.validators) = (header.height, validators.clone());
        Ok(())
    }

    /// Whether the offered snapshot is of a final block. Must follow all handovers below it.
    pub(super) fn offered(
        &self,
        offer: &Offer,
        verifier: &impl Verifier,
    ) -> Result<(), &'static str> {
        self.certified(&offer.header, &offer.certificate, verifier)
    }

    /// Whether a snapshot is the state after this block, which was found to be final.
    pub(super) fn fits(&self, header: &Header, snapshot: &Snapshot) -> Result<(), &'static str> {
        let Snapshot { tip, state, .. } = snapshot;
        let rules = [
            (snapshot.header == *header, "it is of another block"),
            (state.seeds() == self.seeds, "its rows are blinded in another way"),
            (tip.time == header.time, "it has another time"),
            (tip.validators.hash() == header.next_validators, "it names other validators"),
        ];
        rules.iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, reason)| Err(reason))
    }

    fn certified(
        &self,
        header: &Header,
        certificate: &Certificate,
        verifier: &impl Verifier,
    ) -> Result<(), &'static str> {
        if header.version != HEADER_VERSION || header.chain_id != self.chain_id {
            return Err("a block is of another ledger");
        }
        let checked = self.validators.verify_certificate(header, certificate, verifier);
        checked.map_err(|_| "a block is not final: too few of its validators signed it")
    }
}
