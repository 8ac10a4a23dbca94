//! A desk that pays: reads from a gateway, signs and sends.

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Args;
use gateway::api::clearing::{ClearingView, PayoutView};
use gateway::api::interregion::InterregionView;
use ledger::kernel::registry::Kind;
use node::signature::SecretKey;
use primitives::{OrganisationId, Party, RegionId};
use proof::header::ChainId;
use serde::de::DeserializeOwned;

use crate::command::client::{Client, Entry, Request, Who};
use crate::command::input::bad;
use crate::command::tx::signed;

/// Why a command stopped.
pub enum Stopped {
    /// The gateway said no, and it was said why.
    Refused(ExitCode),
    /// Something went wrong.
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Stopped {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

/// Where and as whom.
#[derive(Args)]
pub struct At {
    /// The region's six-digit code.
    #[arg(long, value_name = "REGION")]
    region: u32,
    #[command(flatten)]
    who: Who,
}

/// A desk that is signed in.
pub struct Desk {
    pub region: RegionId,
    pub organisation: OrganisationId,
    client: Client,
    chain: ChainId,
    key: SecretKey,
}

impl At {
    /// Signs in.
    pub fn enter(&self) -> Result<Desk, Stopped> {
        let (party, key) = self.who.signer()?;
        let Party::Organisation(organisation) = party else {
            return Err(bad("`--party`: an organisation pays; write `organisation:CODE`").into());
        };
        let chain = self.who.chain_id()?;
        match self.who.enter()? {
            Entry::In(client) => {
                let region = RegionId(self.region);
                Ok(Desk { region, organisation, client, chain, key })
            }
            Entry::Refused(answer) => {
                Err(Stopped::Refused(answer.refused("the gateway does not let you in")))
            }
        }
    }
}

impl Desk {
    /// Reads something of the region's clearing.
    pub fn read<T: DeserializeOwned>(&self, rest: &str) -> Result<T, Stopped> {
        self.get(&format!("/v1/regions/{}/clearing{rest}", self.region))
    }

    /// Reads from the gateway.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Stopped> {
        let answer = self.client.read(path)?;
        if !answer.is_good() {
            return Err(Stopped::Refused(answer.refused("the gateway does not answer this")));
        }
        serde_json::from_slice(&answer.body).map_err(|error| {
            anyhow!("the gateway's answer is not understood, it is of another version: {error}")
                .into()
        })
    }

    /// How the region pays.
    pub fn clearing(&self) -> Result<ClearingView, Stopped> {
        self.read("")
    }

    /// The regions with which the region clears.
    pub fn counterparts(&self) -> Result<BTreeSet<RegionId>, Stopped> {
        let view: InterregionView =
            self.get(&format!("/v1/regions/{}/interregion", self.region))?;
        Ok(view.counterparts.into_iter().map(|one| one.region).collect())
    }

    /// A batch.
    pub fn batch(&self, number: u32) -> Result<PayoutView, Stopped> {
        self.read(&format!("/batches/{number}"))
    }

    /// Signs a transaction and sends it.
    pub fn send<K: Kind>(&self, kind: &K) -> Result<(), Stopped> {
        let party = Party::Organisation(self.organisation);
        let (body, idempotency_key) = signed(self.chain, party, &self.key, kind)?;
        let request = Request {
            path: "/v1/transactions",
            body: Some(&body),
            idempotency_key: Some(&idempotency_key),
        };
        let answer = self.client.ask(&request).map_err(|error| {
            anyhow!("{error:#}; it may have happened or not: look with `yibao clearing statement`")
        })?;
        if answer.is_good() {
            return Ok(());
        }
        let what = format!("`{}` did not happen", K::NAME);
        Err(Stopped::Refused(answer.refused(&what)))
    }

    /// Closes the session.
    pub fn leave(self) {
        self.client.sign_out();
    }
}
