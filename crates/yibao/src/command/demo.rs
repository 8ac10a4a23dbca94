//! `yibao demo`: a made-up region, settled and then served.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use clap::Args;

use crate::demo::{Options, run};
use crate::serving::{HttpServer, NodePort};

#[derive(Args)]
pub struct Demo {
    /// How many made-up people live in the region.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    people: u32,
    /// The same seed makes the same region.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// End when everything is settled instead of serving.
    #[arg(long)]
    once: bool,
    /// Where the data goes; a folder of an earlier demonstration is cleared.
    #[arg(long, default_value = "yibao-demo")]
    data: PathBuf,
    /// Where to serve afterwards.
    #[arg(long, default_value = "127.0.0.1:8420")]
    listen: SocketAddr,
}

impl Demo {
    pub fn run(self) -> Result<ExitCode> {
        let people = usize::try_from(self.people).unwrap_or(usize::MAX);
        let options = Options { people, seed: self.seed, data: self.data };
        let demonstration = run(&options)?;
        if !demonstration.is_clean {
            return Ok(ExitCode::from(2));
        }
        if self.once {
            demonstration.node.stop();
            return Ok(ExitCode::SUCCESS);
        }
        let (node, outboxes) = (demonstration.node, demonstration.outboxes);
        let driving: Vec<_> =
            outboxes.iter().map(|outbox| Arc::clone(outbox).start()).collect::<Result<_, _>>()?;
        let port = NodePort::new(node.clone(), options.data, outboxes);
        let mut server = HttpServer::start(Arc::new(port), demonstration.clock, self.listen)
            .inspect_err(|_| node.stop())?;
        println!("\nserving on http://{}; press Ctrl-C to stop", server.address());
        server.wait_for_signal();
        let stopped = server.stop();
        drop(driving);
        node.stop();
        stopped?;
        println!("stopped; everything acknowledged is on the disk");
        Ok(ExitCode::SUCCESS)
    }
}
