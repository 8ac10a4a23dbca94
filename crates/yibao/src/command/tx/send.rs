//! The way of a transaction to a gateway: sign in, submit, sign out.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Args;
use ledger::registry;
use node::signature::FastVerifier;
use primitives::Party;
use ureq::http::Uri;

use super::file::TransactionFile;
use crate::command::client::{Client, Entry, Request};
use crate::command::input::bad;
use crate::command::keys::read_key;

#[derive(Args)]
pub struct Send {
    /// The signed transaction.
    file: PathBuf,
    /// The gateway, such as `http://localhost:8420`.
    #[arg(long)]
    url: Uri,
    /// The key file to sign in with: of the author, a signer, or an organisation that may govern.
    #[arg(long, value_name = "KEYFILE")]
    key: PathBuf,
    /// Whose key it is: `organisation:CODE` or `person:ID`; the author when left out.
    #[arg(long)]
    party: Option<Party>,
}

impl Send {
    pub fn run(self) -> Result<ExitCode> {
        let client = Client::new(&self.url)?;
        let file = TransactionFile::read(&self.file)?;
        let key = read_key(&self.key)?;
        if let Err(error) = file.transaction().verify(&FastVerifier, &registry()) {
            let shown = self.file.display();
            return Err(bad(format!(
                "the transaction `{shown}`: {error}; sign it with `yibao tx sign`"
            )));
        }
        let party = self.party.unwrap_or(file.content.author);
        let client = match client.sign_in(file.content.chain_id, party, &key)? {
            Entry::In(client) => client,
            Entry::Refused(answer) => return Ok(answer.refused("the gateway does not let you in")),
        };
        let request = Request {
            path: "/v1/transactions",
            body: Some(&file.to_text()),
            idempotency_key: Some(&file.idempotency_key().to_string()),
        };
        let answer = client.ask(&request).map_err(|error| {
            anyhow!("{error:#}; it may have happened or not: send the same file again, it happens once at most")
        });
        client.sign_out();
        let answer = answer?;
        if !answer.is_good() {
            return Ok(answer.refused("the transaction did not happen"));
        }
        println!("{}", serde_json::to_string_pretty(&answer.json())?);
        Ok(ExitCode::SUCCESS)
    }
}
