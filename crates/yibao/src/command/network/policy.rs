//! `yibao network policy`: whom somebody trusts who keeps vouchers of a network.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Args;
use ureq::http::Uri;

use super::no_gateway;
use crate::command::client::Client;
use crate::serving::folder::replace_file;

#[derive(Args)]
pub struct Policy {
    /// The gateway of a node of the ledger.
    #[arg(long, default_value = "http://localhost:8420")]
    url: Uri,
    /// Where to write it; printed when left out.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Policy {
    pub fn run(self) -> Result<ExitCode> {
        let client = Client::new(&self.url)?;
        let answer = client.read("/log/policy")?;
        let text = String::from_utf8(answer.body).map_err(|_| no_gateway(&self.url))?;
        proof::policy::Policy::parse(text.as_bytes()).map_err(|_| no_gateway(&self.url))?;
        match &self.output {
            None => print!("{text}"),
            Some(file) => {
                replace_file(file, text.as_bytes())
                    .with_context(|| format!("`{}` cannot be written", file.display()))?;
                println!("wrote `{}`; compare it with what another of them gives", file.display());
            }
        }
        client.sign_out();
        Ok(ExitCode::SUCCESS)
    }
}
