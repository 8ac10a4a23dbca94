//! Four organisations' nodes as processes of the shipped program, with a proxy between each two,
//! and everything that can be done to them.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adapters::clock::{Clock as _, SystemClock};
use anyhow::{Context as _, Result, bail, ensure};
use ledger::Genesis;
use ledger::genesis::{GenesisKey, GenesisOrganisation};
use ledger::kernel::block::PROTOCOL;
use ledger::modules::organisation::OrganisationKind;
use node::signature::Scheme;
use primitives::{Text, sha256_parts};
use proof::header::{ChainId, Validator, ValidatorSet};
use tokio::runtime::Handle;

use super::proxy::{Fault, Proxy};
use crate::http::{Served, program};
use crate::region::{EVERY_SCOPE, PAGE, REGION, RP_ID, Signer, organisation, region};

/// Who decides, in the order of their nodes.
pub const ORGANISATIONS: [&str; 4] = ["bureau", "insurer", "finance", "tax"];
/// Who governs.
pub const GOVERNING: [&str; 3] = ["bureau", "insurer", "finance"];
/// How many nodes there are.
pub const NODES: usize = ORGANISATIONS.len();
const CHAIN: &str = "network-qa-rehearsal";
const NODE_PORT: u16 = 7_410;
const DAY_MILLIS: u64 = 24 * 3_600 * 1_000;
/// A node that is told to stop has ended within this time: what systemd waits.
const STOPPED_WITHIN: Duration = Duration::from_secs(60);
const CLOCK: &str = include_str!("clock.c");

/// Where the gateways are that answer now.
pub type Places = Arc<Mutex<[Option<SocketAddr>; NODES]>>;

/// The network.
pub struct Cluster {
    folder: PathBuf,
    nodes: Vec<Member>,
    /// What lies between the first and the second of a pair, for what the first says.
    links: Vec<Vec<Option<Proxy>>>,
    places: Places,
    /// The library that sets a process's clock; none where no compiler is.
    clock: Option<PathBuf>,
    listen: Vec<SocketAddr>,
}

struct Member {
    data: PathBuf,
    clock: PathBuf,
    served: Option<Served>,
    is_paused: bool,
    /// The newest rules that the release knows that is installed there.
    protocol: u32,
}

/// The ledger's name.
#[must_use]
pub fn chain_id() -> ChainId {
    CHAIN.parse().expect("a short name")
}

/// The key with which an organisation signs transactions.
#[must_use]
pub fn signer(code: &str) -> Signer {
    Signer::organisation(code, "online", Scheme::Ed25519)
}

fn genesis() -> Genesis {
    let now = SystemClock.now();
    let expires = now.plus_millis(3_650 * DAY_MILLIS);
    let kinds = [
        OrganisationKind::Bureau,
        OrganisationKind::Insurer,
        OrganisationKind::FinanceAuthority,
        OrganisationKind::TaxAuthority,
    ];
    let members = ORGANISATIONS.iter().zip(kinds).map(|(code, kind)| GenesisOrganisation {
        organisation: organisation(code),
        kind,
        region: REGION,
        root_key: Signer::organisation(code, "root", Scheme::Ed25519).public_key(),
        keys: vec![GenesisKey {
            key: signer(code).public_key(),
            scopes: EVERY_SCOPE.to_vec(),
            expires,
        }],
    });
    // `network init` puts the members in its place.
    let validator = Validator {
        organisation: organisation("bureau"),
        key: signer("bureau").public_key(),
        power: 1,
    };
    let random = |what: &str| sha256_parts(&[what.as_bytes(), &now.millis().to_le_bytes()]);
    Genesis {
        chain_id: chain_id(),
        time: now,
        salt: random("salt"),
        secret: random("secret"),
        rp_id: Text::new(RP_ID).expect("a short text"),
        origins: vec![Text::new(PAGE).expect("a short text")],
        regions: vec![region()],
        organisations: members.collect(),
        governing: GOVERNING.map(organisation).to_vec(),
        validators: ValidatorSet::new(vec![validator]).expect("one validator with power"),
    }
}

fn yibao(arguments: &[&str]) -> Result<()> {
    let output = Command::new(program()?).args(arguments).output()?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "yibao {}: {error}", arguments.join(" "));
    Ok(())
}

fn path(path: &Path) -> Result<&str> {
    path.to_str().context("a path in UTF-8")
}

/// Sends a signal to a process.
fn send(signal: &str, process: u32) -> Result<()> {
    let sent = Command::new("kill").args([signal, &process.to_string()]).status()?;
    ensure!(sent.success(), "kill {signal} {process}");
    Ok(())
}

/// Compiles the library that sets a process's clock, where a compiler is.
fn clock_library(folder: &Path) -> Result<Option<PathBuf>> {
    let (source, library) = (folder.join("clock.c"), folder.join("clock.so"));
    fs::write(&source, CLOCK)?;
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(&source)
        .arg("-ldl")
        .status();
    Ok(compiled.is_ok_and(|status| status.success()).then_some(library))
}

impl Cluster {
    /// Founds a network in a folder and starts all nodes.
    ///
    /// # Errors
    /// When something cannot be written or started.
    pub fn found(folder: &Path, runtime: &Handle) -> Result<Self> {
        let file = folder.join("genesis.json");
        fs::write(&file, serde_json::to_vec(&genesis())?)?;
        // Addresses of their own: no connection of anybody takes a port while its node is down.
        let number = std::process::id();
        let [_, _, high, low] = number.to_be_bytes();
        let place =
            |node: usize| format!("127.{}.{low}.{}:{NODE_PORT}", high % 100 + 100, node + 1);
        let listen = (0..NODES).map(|node| place(node).parse()).collect::<Result<Vec<_>, _>>()?;
        let data = folder.join("network");
        let mut arguments = vec!["network", "init", "--genesis", path(&file)?];
        arguments.extend(["--data", path(&data)?]);
        let members: Vec<_> =
            ORGANISATIONS.iter().zip(&listen).map(|(code, at)| format!("{code}={at}")).collect();
        members.iter().for_each(|member| arguments.extend(["--member", member]));
        yibao(&arguments)?;
        let nodes = ORGANISATIONS.map(|code| Member {
            data: data.join(code),
            clock: folder.join(format!("{code}.clock")),
            served: None,
            is_paused: false,
            protocol: PROTOCOL,
        });
        let mut cluster = Self {
            folder: folder.to_owned(),
            nodes: nodes.into(),
            links: Vec::new(),
            places: Places::default(),
            clock: clock_library(folder)?,
            listen,
        };
        for from in 0..NODES {
            cluster.set_clock(from, 0)?;
            let links: Vec<_> = (0..NODES)
                .map(|to| {
                    let start = || runtime.block_on(Proxy::start(cluster.listen[to]));
                    (to != from).then(start).transpose()
                })
                .collect::<Result<_>>()?;
            cluster.lead_through(from, &links)?;
            cluster.links.push(links);
        }
        (0..NODES).try_for_each(|node| cluster.start(node, &[]))?;
        Ok(cluster)
    }

    /// Writes into a node's file that it reaches the others through these proxies.
    fn lead_through(&self, node: usize, links: &[Option<Proxy>]) -> Result<()> {
        let file = self.nodes[node].data.join("node/peers.toml");
        let mut table: toml::Table = toml::from_str(&fs::read_to_string(&file)?)?;
        let peers = table.get_mut("peer").and_then(toml::Value::as_array_mut);
        for peer in peers.context("peers")? {
            let code = peer.get("organisation").and_then(toml::Value::as_str);
            let to = ORGANISATIONS.iter().position(|one| Some(*one) == code);
            let link = to.and_then(|to| links[to].as_ref()).context("a peer of the network")?;
            let peer = peer.as_table_mut().context("a peer is a table")?;
            peer.insert("address".to_owned(), link.address().to_string().into());
        }
        Ok(fs::write(file, toml::to_string(&table)?)?)
    }

    /// Where the gateways answer.
    #[must_use]
    pub fn places(&self) -> Places {
        Arc::clone(&self.places)
    }

    fn set_place(&self, node: usize, place: Option<SocketAddr>) {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)[node] = place;
    }

    /// Starts a node that is down.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start(&mut self, node: usize, options: &[&str]) -> Result<()> {
        let log = File::options().create(true).append(true).open(self.log(node))?;
        let member = &mut self.nodes[node];
        let mut command = Command::new(program()?);
        command.stderr(log).env("YIBAO_LOG", "info").env("YIBAO_QA_CLOCK", &member.clock);
        if let Some(library) = &self.clock {
            command.env("LD_PRELOAD", library);
        }
        let protocol = member.protocol.to_string();
        let options = [options, &["--rehearse-protocol", &protocol]].concat();
        let served = Served::run(command, &member.data, &options)
            .with_context(|| format!("the node of {}", ORGANISATIONS[node]))?;
        let place = served.address();
        member.served = Some(served);
        self.set_place(node, Some(place));
        Ok(())
    }

    /// Ends a node without a warning.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill(&mut self, node: usize) -> Result<()> {
        self.set_place(node, None);
        self.nodes[node].is_paused = false;
        match self.nodes[node].served.take() {
            Some(mut served) => served.kill(),
            None => Ok(()),
        }
    }

    /// Tells a node to stop while the others go on; it has to end in order.
    ///
    /// # Errors
    /// When it does not, or takes too long.
    pub fn stop_one(&mut self, node: usize) -> Result<()> {
        self.set_place(node, None);
        let served = self.nodes[node].served.take();
        served.context("the node is up")?.stop_within(STOPPED_WITHIN)
    }

    /// A release that knows these rules lies on a node's machine, for when it starts again.
    pub fn install(&mut self, node: usize, protocol: u32) {
        self.nodes[node].protocol = protocol;
    }

    /// The newest rules that every node's release knows.
    #[must_use]
    pub fn protocol(&self) -> u32 {
        self.nodes.iter().map(|member| member.protocol).min().unwrap_or(PROTOCOL)
    }

    /// Tells a node to stop that cannot go on, since its release is too old; it has to say so.
    ///
    /// # Errors
    /// When it ended as if all were well, or does not say what to do.
    pub fn end_late(&mut self, node: usize) -> Result<()> {
        self.set_place(node, None);
        let served = self.nodes[node].served.take();
        let status = served.context("the node is up")?.end_within(STOPPED_WITHIN)?;
        let log = fs::read_to_string(self.log(node))?;
        let says = "install a newer release and start it on the same data folder";
        ensure!(!status.success() && log.contains(says), "{status}, and no word of the upgrade");
        Ok(())
    }

    fn log(&self, node: usize) -> PathBuf {
        self.folder.join(format!("{}.log", ORGANISATIONS[node]))
    }

    fn process(&self, node: usize) -> Result<u32> {
        let served = self.nodes[node].served.as_ref();
        Ok(served.context("the node is up")?.process())
    }

    /// Stops a process where it is, as a machine that is suspended.
    ///
    /// # Errors
    /// When it cannot be.
    pub fn pause(&mut self, node: usize) -> Result<()> {
        send("-STOP", self.process(node)?)?;
        self.nodes[node].is_paused = true;
        Ok(())
    }

    /// What one node says to another has this fault from now on.
    pub fn set_link(&self, from: usize, to: usize, fault: Fault) {
        if let Some(link) = &self.links[from][to] {
            link.set(fault);
        }
    }

    /// Every link between these nodes and the others has this fault, in both directions.
    pub fn part(&self, side: &[usize], fault: Fault) {
        for (from, to) in (0..NODES).flat_map(|from| (0..NODES).map(move |to| (from, to))) {
            if side.contains(&from) != side.contains(&to) {
                self.set_link(from, to, fault);
            }
        }
    }

    /// Whether processes' clocks can be set.
    #[must_use]
    pub const fn has_clocks(&self) -> bool {
        self.clock.is_some()
    }

    /// A node's clock is so far ahead of this machine's from now on, also while it runs.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_clock(&self, node: usize, ahead_millis: i64) -> Result<()> {
        let mut options = File::options();
        let file =
            options.create(true).truncate(false).write(true).open(&self.nodes[node].clock)?;
        Ok(file.write_all_at(&ahead_millis.to_ne_bytes(), 0)?)
    }

    /// Copies a node's data folder while it runs.
    ///
    /// # Errors
    /// When the copy fails.
    pub fn back_up(&self, node: usize) -> Result<()> {
        let to = self.folder.join(format!("{}-backups", ORGANISATIONS[node]));
        yibao(&["backup", path(&self.nodes[node].data)?, path(&to)?])
    }

    /// A node's disk is gone: its folder is made anew from the last backup and started as the
    /// operator's page says.
    ///
    /// # Errors
    /// When it does not come up again.
    pub fn lose_disk(&mut self, node: usize) -> Result<()> {
        self.kill(node)?;
        let data = self.nodes[node].data.clone();
        fs::remove_dir_all(&data)?;
        let from = self.folder.join(format!("{}-backups", ORGANISATIONS[node]));
        yibao(&["restore", path(&from)?, path(&data)?])
    }

    /// Mends every link, sets all clocks right, lets paused processes go on and starts those that
    /// are down.
    ///
    /// # Errors
    /// When one does not come up.
    pub fn heal(&mut self) -> Result<()> {
        for node in 0..NODES {
            self.set_clock(node, 0)?;
            for to in 0..NODES {
                self.set_link(node, to, Fault::None);
            }
            if self.nodes[node].is_paused {
                send("-CONT", self.process(node)?)?;
                self.nodes[node].is_paused = false;
            }
            if self.nodes[node].served.is_none() {
                self.start(node, &[])?;
            }
        }
        Ok(())
    }

    /// Whether a node's process ended by itself.
    ///
    /// # Errors
    /// When one did.
    pub fn check_processes(&mut self) -> Result<()> {
        for (node, member) in self.nodes.iter_mut().enumerate() {
            if let Some(served) = &mut member.served
                && served.is_over()?
            {
                bail!("the node of {} ended by itself; see its log", ORGANISATIONS[node]);
            }
        }
        Ok(())
    }

    /// No node says of another that it signed two things at once: none did.
    ///
    /// # Errors
    /// When one does.
    pub fn check_accusations(&self) -> Result<()> {
        for (node, name) in ORGANISATIONS.iter().enumerate() {
            let log = fs::read_to_string(self.log(node))?;
            let accuses = log.lines().find(|line| line.contains("signed two things at once"));
            ensure!(accuses.is_none(), "{name} accuses: {}", accuses.unwrap_or_default());
        }
        Ok(())
    }

    /// Tells all nodes to stop and gives their data folders.
    pub fn stop(mut self) -> Vec<PathBuf> {
        let end = |member: &mut Member| {
            drop(member.served.take());
            member.data.clone()
        };
        self.nodes.iter_mut().map(end).collect()
    }
}

impl Drop for Cluster {
    /// A process that is stopped does not hear that it is to end.
    fn drop(&mut self) {
        for node in 0..NODES {
            if self.nodes[node].is_paused {
                drop(self.kill(node));
            }
        }
    }
}
