//! What a ledger starts with, as a file that every node shares.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{
    Currency, Hash, OrganisationId, PublicKey, RegionId, Text, Timestamp, codec, sha256_parts,
};
use proof::header::{ChainId, ValidatorSet};
use proof::log::Frontier;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::block::{Ledger, Tip};
use crate::kernel::overlay::Overlay;
use crate::kernel::state::{Seeds, State};
use crate::modules::network::{self, NetworkRow, RegionRow, RegionSettings};
use crate::modules::organisation::{
    self, OnlineKey, OrganisationKind, OrganisationRow, Scope, Standing,
};

/// What a ledger starts with. Its hash is part of what a newcomer must trust.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// The ledger's name.
    pub chain_id: ChainId,
    /// The instant before the first block.
    pub time: Timestamp,
    /// The salt of the state's keys: random, chosen once, and known to whoever checks a state
    /// proof.
    pub salt: Hash,
    /// The secret that blinds the state's values: random, chosen once, and known only to those who
    /// execute the ledger. Whoever has it can try values of rows against state proofs; keep this
    /// file as private as the ledger.
    pub secret: Hash,
    /// The rpId of passkeys.
    pub rp_id: Text<253>,
    /// The web origins in which passkeys may sign.
    pub origins: Vec<Text<253>>,
    /// The first regions.
    pub regions: Vec<GenesisRegion>,
    /// The first organisations.
    pub organisations: Vec<GenesisOrganisation>,
    /// Who governs: codes of organisations named above.
    pub governing: Vec<OrganisationId>,
    /// Who certifies blocks.
    pub validators: ValidatorSet,
}

/// A region at genesis.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GenesisRegion {
    /// The six-digit administrative code.
    pub region: RegionId,
    /// The organisation that runs it.
    pub bureau: OrganisationId,
    /// The currency of its funds.
    pub currency: Currency,
    /// Calendar and limits.
    pub settings: RegionSettings,
}

/// An organisation at genesis.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GenesisOrganisation {
    /// Its public code.
    pub organisation: OrganisationId,
    /// What it is; never a provider, which has a level and is admitted later.
    pub kind: OrganisationKind,
    /// The region it belongs to.
    pub region: RegionId,
    /// The key that stays offline.
    pub root_key: PublicKey,
    /// Its keys in daily use.
    pub keys: Vec<GenesisKey>,
}

/// An online key at genesis.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GenesisKey {
    /// The key.
    pub key: PublicKey,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// From when on it counts no more.
    pub expires: Timestamp,
}

impl Genesis {
    /// What a newcomer compares with what others told him: SHA-256 of `yibao/genesis/v1` and the
    /// bytes.
    #[must_use]
    pub fn hash(&self) -> Hash {
        sha256_parts(&[b"yibao/genesis/v1", &codec::encode(self)])
    }

    /// The ledger before its first block.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        let mut state = State::new(Seeds { salt: self.salt, secret: self.secret });
        let mut overlay = Overlay::new(&state);
        self.write(&mut overlay);
        overlay.keep_transaction();
        let writes = overlay.into_writes();
        state.commit(writes.iter().map(|(key, value)| (key.as_slice(), value.as_deref())));
        let tip = Tip {
            height: 0,
            value_id: Hash::default(),
            time: self.time,
            log: Frontier::new(),
            validators: self.validators.clone(),
        };
        Ledger::new(self.chain_id, state, tip)
    }

    fn write(&self, overlay: &mut Overlay<'_>) {
        let mut governing = self.governing.clone();
        governing.sort();
        assert!(
            governing.len() <= network::GOVERNING_MAX,
            "a governing set of more than {} members could never act",
            network::GOVERNING_MAX
        );
        let row =
            NetworkRow { governing, rp_id: self.rp_id.clone(), origins: self.origins.clone() };
        let regions: Vec<(RegionId, RegionRow)> = self
            .regions
            .iter()
            .map(|region| {
                let row = RegionRow {
                    bureau: region.bureau,
                    currency: region.currency,
                    settings: region.settings.clone(),
                };
                (region.region, row)
            })
            .collect();
        let is_run = |region: &GenesisRegion| {
            self.organisations.iter().any(|one| {
                (one.organisation, one.kind, one.region)
                    == (region.bureau, OrganisationKind::Bureau, region.region)
            })
        };
        assert!(self.regions.iter().all(is_run), "a region is run by a bureau of its own");
        network::write_genesis(overlay, &row, &regions);
        for one in &self.organisations {
            let row = OrganisationRow {
                kind: one.kind,
                region: one.region,
                level: None,
                root_key: one.root_key,
                standing: Standing::Active,
            };
            let keys: Vec<(PublicKey, OnlineKey)> = one
                .keys
                .iter()
                .map(|key| {
                    (key.key, OnlineKey { scopes: key.scopes.clone(), expires: key.expires })
                })
                .collect();
            organisation::write_genesis(overlay, one.organisation, &row, &keys);
        }
    }
}
