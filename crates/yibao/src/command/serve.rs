//! `yibao serve`: an existing data folder behind its gateway, until it is told to stop.

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use adapters::clock::{Clock, SystemClock};
use anyhow::Result;
use clap::Args;
use gateway::Config;
use node::runtime::{Health, NodeHandle};

use super::input::bad;
use crate::serving::light::{is_light, open_door, open_light};
use crate::serving::limits::{Limits, fit_to_open_files, read_limits};
use crate::serving::log::{self, LogFormat};
use crate::serving::{HttpServer, NodePort, Start, Upkeep, open_node, open_port, rails};

#[derive(Args)]
pub struct Serve {
    /// The data folder, as `yibao demo --data DIR` makes one.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where to answer: an address and a port; with port 0 the system chooses one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8420", value_parser = address)]
    listen: SocketAddr,
    /// Clients reach this gateway through TLS, which a proxy in front of it ends: browsers are told
    /// to insist on it.
    #[arg(long)]
    behind_tls: bool,
    /// The address of a proxy whose X-Forwarded-For header says where a client is; may be given
    /// several times. Without it, all clients of a proxy share one limit of refused sign-ins.
    #[arg(long, value_name = "ADDRESS")]
    trusted_proxy: Vec<IpAddr>,
    /// The data folder is a restored backup, and the newest copy of its blocks that there is. Say
    /// so once, and never of two copies: each would sign a history of its own.
    #[arg(long)]
    newest_copy: bool,
    /// Newer blocks than those in the data folder are lost for good. Its log then goes on under
    /// another name, so that nothing that was signed is contradicted; vouchers of what was lost
    /// stay valid under the earlier name. Say so once, after everything else was tried.
    #[arg(long, conflicts_with = "newest_copy")]
    state_loss: bool,
    /// On a network for rehearsals, whose id ends with `-rehearsal`: be a release that knows the
    /// rules up to this number.
    #[arg(long, value_name = "NUMBER")]
    rehearse_protocol: Option<u32>,
    /// Where light nodes of other organisations may ask this full node, such as `0.0.0.0:7420`;
    /// without it none may.
    #[arg(long, value_name = "ADDRESS")]
    light_nodes: Option<String>,
    /// The form of the log on the standard error stream; YIBAO_LOG chooses how much of it.
    #[arg(long, value_enum, default_value_t)]
    log_format: LogFormat,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "write an address of this machine and a port, such as 127.0.0.1:8420".to_owned()
    })
}

impl Serve {
    pub fn run(self) -> Result<ExitCode> {
        log::start(self.log_format)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let listener = open_port(self.listen)?;
        let Limits { gateway, mempool, disk } = read_limits(&self.data)?;
        if is_light(&self.data) {
            return self.serve_light(clock, listener, gateway);
        }
        let start = (self.start(), self.rehearse_protocol);
        let (node, report) = open_node(&self.data, Arc::clone(&clock), (mempool, disk), start)?;
        tracing::info!(
            chain = %node.chain_id(),
            height = node.view().tip.height,
            snapshot = report.snapshot_height,
            blocks_replayed = report.blocks_replayed,
            "the node is up"
        );
        let served = self.serve(&node, clock, listener, gateway);
        let health = node.status();
        node.stop();
        served?;
        match health {
            Health::Failed(words) => {
                Err(anyhow::anyhow!("the node had stopped by itself: {words}"))
            }
            Health::Running | Health::Stopped => {
                println!("stopped; everything acknowledged is on the disk");
                Ok(ExitCode::SUCCESS)
            }
        }
    }

    /// Answers out of a light node until the process is told to stop.
    fn serve_light(
        self,
        clock: Arc<dyn Clock>,
        listener: TcpListener,
        limits: Config,
    ) -> Result<ExitCode> {
        let signs = self.newest_copy || self.state_loss || self.rehearse_protocol.is_some();
        if signs || self.light_nodes.is_some() {
            return Err(bad(
                "a light node signs no blocks and answers no other nodes: leave --newest-copy, \
                 --state-loss, --rehearse-protocol and --light-nodes away",
            ));
        }
        let (chain, port) = open_light(&self.data, &clock)?;
        let mut server = HttpServer::start(Arc::new(port), clock, listener, self.config(limits))?;
        println!("serving `{}` on http://{}", chain.chain_id(), server.address());
        // Whoever started this may wait for the line.
        std::io::stdout().flush()?;
        server.wait_for_signal();
        server.stop()?;
        println!("stopped");
        Ok(ExitCode::SUCCESS)
    }

    fn config(&self, limits: Config) -> Config {
        let mut config = Config {
            is_behind_tls: self.behind_tls,
            trusted_proxies: self.trusted_proxy.iter().map(IpAddr::to_canonical).collect(),
            ..limits
        };
        fit_to_open_files(&mut config, 1);
        config
    }

    const fn start(&self) -> Start {
        match (self.newest_copy, self.state_loss) {
            (_, true) => Start::AfterLoss,
            (true, false) => Start::NewestCopy,
            (false, false) => Start::Usual,
        }
    }

    /// Answers and drives payments outside until the process is told to stop.
    fn serve(
        self,
        node: &NodeHandle,
        clock: Arc<dyn Clock>,
        listener: TcpListener,
        limits: Config,
    ) -> Result<()> {
        let payments = rails::open_payments(&self.data, node, &clock, self.state_loss)?;
        let upkeep = Upkeep::new(&self.data, node.clone(), payments.clone(), Arc::clone(&clock))?;
        let config = self.config(limits);
        let port = NodePort::new(node, self.data.clone(), Arc::clone(&upkeep))?;
        let door = self.light_nodes.as_deref();
        let door = door.map(|at| open_door(&self.data, port.shared_chain(), &clock, at));
        let door = door.transpose()?;
        let mut server = HttpServer::start(Arc::new(port), clock, listener, config)?;
        let _upkeep = upkeep.start()?;
        let driving = payments
            .iter()
            .map(|one| Arc::clone(one.outbox()).start())
            .collect::<Result<Vec<_>, _>>()?;
        tracing::info!(outboxes = driving.len(), "payments outside are driven");
        println!("serving `{}` on http://{}", node.chain_id(), server.address());
        if let Some(door) = &door {
            println!("light nodes may ask at {}", door.address());
        }
        // Whoever started this may wait for the line.
        std::io::stdout().flush()?;
        server.wait_for_signal();
        drop(door);
        tracing::info!("told to stop: open requests are finished first");
        server.stop()
    }
}
