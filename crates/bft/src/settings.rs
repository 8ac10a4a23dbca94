//! The engine's settings: what of it is used, and under which names.

use std::fmt;
use std::time::Duration;

use malachite::app::config::{
    ConsensusConfig, NodeConfig, PubSubProtocol, ValuePayload, ValueSyncConfig,
};

use crate::{BftError, Config, SYNC_BLOCKS_MAX};

/// How often nodes tell each other where they are.
const STATUS_INTERVAL: Duration = Duration::from_secs(2);
/// The engine's settings, in its own words.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) moniker: String,
    consensus: ConsensusConfig,
    sync: ValueSyncConfig,
}

impl NodeConfig for Settings {
    fn moniker(&self) -> &str {
        &self.moniker
    }
    fn consensus(&self) -> &ConsensusConfig {
        &self.consensus
    }
    fn consensus_mut(&mut self) -> &mut ConsensusConfig {
        &mut self.consensus
    }
    fn value_sync(&self) -> &ValueSyncConfig {
        &self.sync
    }
    fn value_sync_mut(&mut self) -> &mut ValueSyncConfig {
        &mut self.sync
    }
}

fn address<T: std::str::FromStr<Err: fmt::Display>>(text: &str) -> Result<T, BftError> {
    text.parse().map_err(|error: T::Err| BftError::Address {
        address: text.to_owned(),
        reason: error.to_string(),
    })
}

/// Two ledgers never meet, even if their nodes are told of each other: all names carry the ledger's
/// own.
pub(crate) fn settings(config: &Config) -> Result<Settings, BftError> {
    let (chain, network) = (config.chain_id, &config.network);
    let mut consensus = ConsensusConfig {
        value_payload: ValuePayload::ProposalAndParts,
        ..ConsensusConfig::default()
    };
    let p2p = &mut consensus.p2p;
    p2p.listen_addr = address(&network.listen)?;
    p2p.persistent_peers =
        network.peers.iter().map(|peer| address(peer)).collect::<Result<_, _>>()?;
    p2p.persistent_peers_only = true;
    p2p.protocol = PubSubProtocol::default();
    p2p.discovery.enabled = false;
    p2p.discovery.max_connections_per_ip = 64;
    p2p.discovery.ip_throttle_duration = Duration::from_millis(1);
    p2p.channel_names.consensus = format!("/yibao/{chain}/consensus");
    p2p.channel_names.proposal_parts = format!("/yibao/{chain}/blocks");
    p2p.channel_names.sync = format!("/yibao/{chain}/sync");
    p2p.channel_names.liveness = format!("/yibao/{chain}/liveness");
    p2p.protocol_names.consensus = format!("/yibao/{chain}/consensus/1");
    p2p.protocol_names.discovery_kad = format!("/yibao/{chain}/kad/1");
    p2p.protocol_names.discovery_regres = format!("/yibao/{chain}/discovery/1");
    p2p.protocol_names.sync = format!("/yibao/{chain}/sync/1");
    p2p.protocol_names.validator_proof = format!("/yibao/{chain}/validator/1");
    let sync = ValueSyncConfig {
        enabled: true,
        status_update_interval: STATUS_INTERVAL,
        request_timeout: Duration::from_secs(5),
        batch_size: usize::try_from(SYNC_BLOCKS_MAX).unwrap_or(1),
        ..ValueSyncConfig::default()
    };
    Ok(Settings { moniker: config.organisation.to_string(), consensus, sync })
}
