//! `yibao demo`: a made-up region, settled and then served.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use clap::Args;

use crate::demo::{Options, run, wallets};
use crate::serving::{HttpServer, NodePort, Upkeep, open_port, rails, web};

#[derive(Args)]
pub struct Demo {
    /// How many made-up people live in the region.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    people: u32,
    /// How many organisations validate: 1, or 4 to 5 as a network of processes on this machine, of
    /// which one is killed and comes back while visits are settled.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = organisations)]
    orgs: usize,
    /// The same seed makes the same region.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// End when everything is settled instead of serving.
    #[arg(long)]
    once: bool,
    /// Where the data goes; a folder of an earlier demonstration is cleared.
    #[arg(long, default_value = "yibao-demo")]
    data: PathBuf,
    /// A further push service, such as one that is played on this machine, to which notices for
    /// browsers may go.
    #[arg(long, value_name = "URL")]
    push_service: Option<String>,
    /// Where to serve afterwards.
    #[arg(long, default_value = "127.0.0.1:8420")]
    listen: SocketAddr,
}

fn organisations(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ (1 | 4 | 5)) => Ok(number),
        _ => Err("write 1, 4 or 5: fewer than four cannot go on without one".to_owned()),
    }
}

impl Demo {
    pub fn run(self) -> Result<ExitCode> {
        let people = usize::try_from(self.people).unwrap_or(usize::MAX);
        // Before anything is settled: a region that cannot be served is not worth the wait.
        let listener = if self.once { None } else { Some(open_port(self.listen)?) };
        let page_port = match &listener {
            Some(listener) => listener.local_addr()?.port(),
            None => self.listen.port(),
        };
        let (seed, data, organisations) = (self.seed, self.data, self.orgs);
        let options = Options { people, seed, data, page_port, organisations };
        let demonstration = run(&options)?;
        // The other organisations' nodes end last.
        let (node, _network) = (demonstration.node, demonstration.network);
        if !demonstration.is_clean {
            node.stop();
            return Ok(ExitCode::from(1));
        }
        let Some(listener) = listener else {
            node.stop();
            return Ok(ExitCode::SUCCESS);
        };
        // From here on it is served like any other data folder.
        drop(demonstration.outboxes);
        if let Some(service) = self.push_service {
            wallets::push_to(&options.data.join("bureau"), service)?;
        }
        let clock = Arc::clone(&demonstration.clock);
        let payments = rails::open_payments(&options.data, &node, &clock, false)?;
        let upkeep = Upkeep::new(&options.data, node.clone(), payments.clone(), clock)?;
        let driving: Vec<_> = payments
            .iter()
            .map(|one| Arc::clone(one.outbox()).start())
            .collect::<Result<_, _>>()?;
        let looking_after = upkeep.start()?;
        let folder = options.data.clone();
        let port = NodePort::new(&node, options.data, Arc::clone(&upkeep))?;
        let config = gateway::Config::default();
        let mut server = HttpServer::start(Arc::new(port), demonstration.clock, listener, config)
            .inspect_err(|_| node.stop())?;
        // Passkeys want a name, not a number.
        let page = format!("http://localhost:{}", server.address().port());
        println!("\nserving on {page}; press Ctrl-C to stop");
        if web::FILES.is_empty() {
            println!("  built without its web app: run `make web` and build again to have it");
        } else {
            let folder = folder.display();
            println!("  the family's wallet      {page}/");
            println!("  who may join             {folder}/family/newcomers.toml");
            println!("  the hospital's desk      {page}/desks");
            println!("  its organisation, key    hospital-1, {folder}/hospital-1/keys/online.key");
        }
        server.wait_for_signal();
        let stopped = server.stop();
        drop((driving, looking_after));
        node.stop();
        stopped?;
        println!("stopped; everything acknowledged is on the disk");
        Ok(ExitCode::SUCCESS)
    }
}
