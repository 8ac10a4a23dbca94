//! Many light nodes in one process: an operator runs them for small clinics, each with its own
//! folder, keys and vault, behind an address of its own.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use adapters::clock::{Clock, SystemClock};
use anyhow::{Context as _, Result};
use clap::Args;
use serde::Deserialize;

use crate::command::input::{bad, read_toml};
use crate::serving::folder::operator;
use crate::serving::light::{FILE_BYTES_MAX, is_light, open_light};
use crate::serving::limits::{Limits, fit_to_open_files, read_limits};
use crate::serving::log::{self, LogFormat};
use crate::serving::{HttpServer, open_port};

#[derive(Args)]
pub struct Host {
    /// Which folders, and where each answers: `[[clinic]]` with `data` and `listen`.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Clients reach the gateways through TLS, which a proxy in front of them ends.
    #[arg(long)]
    behind_tls: bool,
    /// The form of the log on the standard error stream; YIBAO_LOG chooses how much of it.
    #[arg(long, value_enum, default_value_t)]
    log_format: LogFormat,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HostFile {
    clinic: Vec<Clinic>,
}

/// One clinic.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Clinic {
    /// Its data folder, as `yibao light join` makes one.
    data: PathBuf,
    /// Where its gateway answers.
    listen: SocketAddr,
}

impl Host {
    pub fn run(self) -> Result<ExitCode> {
        log::start(self.log_format)?;
        let file: HostFile = read_toml("the clinics", &self.file, FILE_BYTES_MAX)?;
        check(&file.clinic).map_err(|words| bad(format!("`{}`: {words}", self.file.display())))?;
        // All ports first: nothing is begun that nobody could reach.
        let ports = file.clinic.iter().map(|clinic| open_port(clinic.listen));
        let ports = ports.collect::<Result<Vec<_>>>()?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (count, mut servers) = (file.clinic.len(), Vec::new());
        for (clinic, listener) in file.clinic.iter().zip(ports) {
            let shown = clinic.data.display();
            let begin = || -> Result<HttpServer> {
                let Limits { gateway: mut config, .. } = read_limits(&clinic.data)?;
                config.is_behind_tls = self.behind_tls;
                fit_to_open_files(&mut config, count);
                let (_, port) = open_light(&clinic.data, &clock)?;
                HttpServer::start_with(Arc::new(port), Arc::clone(&clock), listener, config, 1)
            };
            let server = begin().with_context(|| format!("the clinic in `{shown}`"))?;
            let organisation = operator(&clinic.data)?;
            println!("serving `{organisation}` on http://{}", server.address());
            servers.push(server);
        }
        // Whoever started this may wait for the lines.
        std::io::stdout().flush()?;
        if let Some(first) = servers.first_mut() {
            first.wait_for_signal();
        }
        servers.into_iter().try_for_each(HttpServer::stop)?;
        println!("stopped");
        Ok(ExitCode::SUCCESS)
    }
}

/// What is wrong with the list, in words for its author.
fn check(clinics: &[Clinic]) -> Result<(), String> {
    if clinics.is_empty() {
        return Err("it names no clinic; write a `[[clinic]]`".to_owned());
    }
    let mut folders = BTreeSet::new();
    for clinic in clinics {
        let shown = clinic.data.display();
        if !is_light(&clinic.data) {
            return Err(format!("`{shown}` is no light node's; make one with `yibao light join`"));
        }
        if !folders.insert(clinic.data.canonicalize().unwrap_or_else(|_| clinic.data.clone())) {
            return Err(format!("`{shown}` is named twice; name each folder once"));
        }
    }
    Ok(())
}
