//! Four organisations that order one ledger, all of their nodes on this machine.
//!
//! The region is brought to life by one organisation alone. Three more are let in and begin with
//! its snapshot, which is measured too; then the four decide together. Every node checks every
//! signature and executes every block, so that what is measured is four nodes' work on these cores:
//! the bound is 1 / (1/E + 4 x (S + 26 us) / cores), with E what the engine alone orders of
//! the same bytes ([`crate::empty`]) and S the signature time of a settlement, from the same run.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use bft::guard::Guard;
use bft::{Patience, Peer, PeerKey};
use ledger::Genesis;
use ledger::modules::network::{AdmitNode, Contact, Member, NodeRow, SetValidators};
use node::receipt_log::LogSigner;
use node::runtime::{BlockSigner, Network};
use node::signature::{Scheme, SecretKey};
use node::store::Folder;
use node::sync::{FetchConfig, fetch};
use node::{Node, NodeConfig, NodeHandle};
use primitives::{Hash, OrganisationId, Text, sha256};

use crate::ceiling::{Mix, STATE_MICROS};
use crate::empty;
use crate::figures::{Bar, Figures};
use crate::region::{self, Region, Size, must};
use crate::settlement::Maker;
use crate::{in_process, process};

/// Whose nodes they are; the first founds the ledger.
const MEMBERS: [&str; 4] = ["bureau", "finance", "identity", "hospital-0"];
/// After how long without a block an empty one is made.
const HEARTBEAT: Duration = Duration::from_secs(60);
/// Far longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(300);
/// For how long the network is watched while there is nothing to do.
const IDLE: Duration = Duration::from_secs(20);

/// The four places.
struct Four {
    folder: PathBuf,
    ports: Vec<u16>,
    genesis: Genesis,
}

fn block_key(number: usize) -> SecretKey {
    match number {
        0 => Region::block_key(),
        _ => SecretKey::from_seed(Scheme::Ed25519, &seed("blocks", number)),
    }
}

fn peer_key(number: usize) -> PeerKey {
    PeerKey::from_secret(seed("network", number))
}

fn seed(purpose: &str, number: usize) -> [u8; 32] {
    sha256(format!("yibao/bench-validator/v1 {purpose} {number}").as_bytes()).0
}

fn member(number: usize) -> OrganisationId {
    region::organisation(MEMBERS[number])
}

/// Ports of this machine that nobody uses.
pub fn free_ports(count: usize) -> Result<Vec<u16>> {
    let bound: Vec<_> =
        (0..count).map(|_| TcpListener::bind(("127.0.0.1", 0))).collect::<std::io::Result<_>>()?;
    Ok(bound.iter().map(|one| one.local_addr().map(|it| it.port())).collect::<Result<_, _>>()?)
}

/// The place of the node of this number among `ports`.
///
/// # Errors
/// When a name cannot be made.
pub fn place(folder: &Path, ports: &[u16], number: usize) -> Result<bft::Network> {
    let address = |number: usize| format!("127.0.0.1:{}", ports[number]);
    let others = (0..ports.len()).filter(|other| *other != number);
    let peers = others
        .map(|other| Ok(Peer { name: peer_key(other).name()?, address: address(other) }))
        .collect::<Result<_>>()?;
    let guard = folder.join(format!("votes-{number}"));
    if !guard.exists() {
        Guard::of_new_key(&guard)?;
    }
    Ok(bft::Network {
        peer_key: peer_key(number),
        listen: address(number),
        peers,
        folder: folder.join(format!("consensus-{number}")),
        guard,
        patience: Patience::default(),
    })
}

impl Four {
    fn data(&self, number: usize) -> PathBuf {
        self.folder.join(format!("data-{number}"))
    }

    fn node_folder(&self, number: usize) -> PathBuf {
        match number {
            0 => Region::node_folder(&self.folder),
            _ => self.data(number),
        }
    }

    fn config(&self, number: usize) -> Result<NodeConfig> {
        let log_key = SecretKey::from_seed(Scheme::Ed25519, &seed("log", number));
        let log = match number {
            0 => LogSigner::new("yibao.example/bench", Region::log_key())?,
            _ => LogSigner::new(&format!("yibao.example/{}", MEMBERS[number]), log_key)?,
        };
        let signer = BlockSigner::new(member(number), block_key(number));
        Ok(in_process::config(&self.node_folder(number), signer, log))
    }

    fn open(&self, number: usize) -> Result<NodeHandle> {
        let place = place(&self.folder, &self.ports, number)?;
        let network = Network { place, whose: BTreeMap::new(), heartbeat: HEARTBEAT };
        let disk = Folder::open(self.node_folder(number))?;
        Ok(Node::open_with(disk, &self.genesis, self.config(number)?, Some(network))?.0)
    }

    /// Lets a node in.
    fn admit(&self, region: &Region, founder: &NodeHandle, number: usize) -> Result<()> {
        let contact = Contact {
            name: Hash(peer_key(number).name()?.0),
            address: Text::new(&format!("127.0.0.1:{}", self.ports[number]))
                .map_err(|error| anyhow!("{error}"))?,
        };
        let node = NodeRow {
            organisation: member(number),
            contact: Some(contact),
            key: block_key(number).public_key(),
            renew_by: None,
        };
        let admit = AdmitNode { node };
        let at = u64::try_from(number)?;
        must(founder, vec![region.sign(&region.governing(), "admit node", at, &admit)])
    }

    /// Begins with the founder's snapshot.
    fn fetch(&self, figures: &mut Figures, number: usize) -> Result<()> {
        let config = self.config(number)?;
        let fetching = FetchConfig {
            network: place(&self.folder, &self.ports, number)?,
            history: config.history,
            log: config.log,
            randomness: config.randomness,
            patience: DEADLINE,
        };
        let begin = Instant::now();
        let disk = Folder::open(self.node_folder(number))?;
        let fetched = fetch(disk, &self.genesis, &fetching, |_| {})?;
        if number == 1 {
            let seconds = begin.elapsed().as_secs_f64();
            let mebibytes = fetched.bytes as f64 / f64::from(1 << 20);
            figures.note("network/sync/snapshot", mebibytes, "MiB", Bar::Told);
            figures.note("network/sync/seconds", seconds, "s", Bar::Told);
            figures.note("network/sync/rows", fetched.rows as f64 / seconds, "rows/s", Bar::Told);
        }
        Ok(())
    }
}

/// Takes the figures of a network of four.
///
/// # Errors
/// When something that is measured does not work.
pub fn measure(figures: &mut Figures, folder: &Path, is_quick: bool) -> Result<()> {
    let folder = tempfile::tempdir_in(folder)?;
    // Each person once: what is signed beforehand does not know what was settled meanwhile.
    let people = if is_quick { 12_000 } else { 100_000 };
    let region = Region::new(Size { people, funds: 20, mix: Mix::Ed25519 });
    let genesis = region.found(folder.path())?;
    let (saturating, seconds) = if is_quick { (4_000, 5) } else { (20_000, 15) };
    // One organisation alone brings the region to life, and checks the visits in.
    let founder = in_process::open(folder.path(), &genesis)?;
    region.settle_in(&founder)?;
    let mut maker = Maker::new(&region);
    let (slow, fast) = (200_u32, 1_000_u32);
    let saturated = in_process::encoded(&maker.make(&founder, saturating)?);
    let at = |rate: u32| usize::try_from(rate * seconds);
    let paced_slow = in_process::encoded(&maker.make(&founder, at(slow)?)?);
    let paced_fast = in_process::encoded(&maker.make(&founder, at(fast)?)?);
    founder.stop();
    drop(founder);

    let ports = free_ports(MEMBERS.len())?;
    let four = Four { folder: folder.path().to_owned(), ports, genesis };
    let founder = four.open(0)?;
    (0..MEMBERS.len()).try_for_each(|number| four.admit(&region, &founder, number))?;
    (1..MEMBERS.len()).try_for_each(|number| four.fetch(figures, number))?;
    let others = (1..MEMBERS.len()).map(|number| four.open(number)).collect::<Result<Vec<_>>>()?;
    let mut nodes = vec![founder];
    nodes.extend(others);
    all_at(&nodes, nodes[0].view().tip.height)?;
    let present = nodes[0].view().tip.validators.hash();
    let members =
        (0..MEMBERS.len()).map(|number| Member { organisation: member(number), power: 1 });
    let four_decide = SetValidators { present, members: members.collect() };
    must(&nodes[0], vec![region.sign(&region.governing(), "validators", 0, &four_decide)])?;
    all_at(&nodes, nodes[0].view().tip.height)?;

    let before = process::processor_seconds();
    let outcome = in_process::saturate_all(&nodes, &saturated)?;
    let spent = process::processor_seconds() - before;
    let each = spent * 1e6 / (saturated.len() * nodes.len()) as f64;
    figures.note("network/processor_per_settlement_and_node", each, "us", Bar::Told);
    figures.note("network/settlements", outcome.per_second, "settlements/s", Bar::Told);
    figures.note("network/saturated_p50", outcome.p50, "ms", Bar::Told);
    figures.note("network/saturated_p99", outcome.p99, "ms", Bar::Told);
    for (rate, paced, most) in [(slow, &paced_slow, 300.0), (fast, &paced_fast, 1_500.0)] {
        let outcome = in_process::pace_all(&nodes, paced, rate)?;
        figures.note(&format!("network/{rate}_per_s_p50"), outcome.p50, "ms", Bar::Told);
        figures.note(&format!("network/{rate}_per_s_p99"), outcome.p99, "ms", Bar::AtMost(most));
    }
    idle(figures, &nodes)?;
    let tips: Vec<_> = nodes.iter().map(|node| node.view().tip.clone()).collect();
    ensure!(tips.iter().all(|tip| *tip == tips[0]), "the four have the same ledger");
    nodes.iter().for_each(NodeHandle::stop);
    drop(nodes);

    let bytes = saturated.iter().map(Vec::len).sum::<usize>() / saturated.len().max(1);
    let rate = empty::settlements_per_second(folder.path(), bytes, Duration::from_secs(8))?;
    figures.note("network/engine_alone", rate, "settlements/s", Bar::Told);
    compare(figures);
    Ok(())
}

/// What the four take of the processor while there is nothing to do, and that they make no blocks.
fn idle(figures: &mut Figures, nodes: &[NodeHandle]) -> Result<()> {
    let height = nodes[0].view().tip.height;
    all_at(nodes, height)?;
    let height = nodes[0].view().tip.height;
    let before = process::processor_seconds();
    std::thread::sleep(IDLE);
    let spent = process::processor_seconds() - before;
    let share = spent / IDLE.as_secs_f64() / nodes.len() as f64 * 100.0;
    figures.note("network/idle_processor_per_node", share, "%", Bar::AtMost(1.0));
    let blocks = nodes[0].view().tip.height - height;
    figures.note("network/idle_blocks", blocks as f64, "blocks", Bar::AtMost(0.0));
    Ok(())
}

fn compare(figures: &mut Figures) {
    let (Some(ceiling), Some(engine), Some(rate)) = (
        figures.get("ceiling/ed25519/signatures_only"),
        figures.get("network/engine_alone"),
        figures.get("network/settlements"),
    ) else {
        return;
    };
    let cores = process::cores() as f64;
    // The ceiling is that of all cores: a settlement's signatures take so long on one of them.
    let signatures = cores / ceiling;
    let one_node = signatures + STATE_MICROS / 1e6;
    let bound = 1.0 / (1.0 / engine + 4.0 * one_node / cores);
    figures.note("network/bound", bound, "settlements/s", Bar::Told);
    figures.note("ratio/network/to_bound", rate / bound, "x", Bar::AtLeast(0.65));
    // With a machine of these cores for each node, three quarters of this load fall away.
    let apart = 1.0 / (1.0 / engine + one_node / cores);
    let projected = rate / bound * apart;
    figures.note("network/projected_one_node_per_machine", projected, "settlements/s", Bar::Told);
}

/// Waits until all have the same last block, of this height at the least.
fn all_at(nodes: &[NodeHandle], height: u64) -> Result<()> {
    let end = Instant::now() + DEADLINE;
    loop {
        let tips: Vec<_> = nodes.iter().map(|node| node.view().tip.clone()).collect();
        if tips[0].height >= height && tips.iter().all(|tip| *tip == tips[0]) {
            return Ok(());
        }
        ensure!(Instant::now() < end, "the nodes do not come to the same block");
        std::thread::sleep(Duration::from_millis(20));
    }
}
