//! The demonstration as a network: this process is the bureau's node, and the other organisations
//! run `yibao serve` beside it, and a hospital its light node. While visits are settled one of them
//! is killed and comes back; in the end all must stand at the same height with the same root.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ::light::TrustRoot;
use ::light::link::Listener;
use adapters::clock::Clock;
use anyhow::{Context as _, Result, anyhow};
use ledger::Genesis;
use node::runtime::NodeHandle;
use node::signature::FastVerifier;
use primitives::{Hash, OrganisationId};
use proof::cosign::voucher_policy;
use proof::header::{Validator, ValidatorSet};
use proof::policy::Policy;

use super::LOG_ORIGIN;
use super::founding::{self, ONLINE, code};
use crate::serving::chain::NodeChain;
use crate::serving::folder::policies;
use crate::serving::light;
use crate::serving::network::{Member, peer_at};

/// Those who validate, in the order in which they join; the first one is this process. All are
/// public bodies that may see every settlement: the insurer is the bureau of the American sample.
const VALIDATORS: [&str; 5] = ["bureau", "finance", "insurer", "tax", "identity"];
/// Who follows with a light node.
const LIGHT: &str = "hospital-1";
/// Where the other organisations' data folders are.
const FOLDER: &str = "network";
/// What a node says beside its output, in its data folder.
const LOG_FILE: &str = "log.txt";
/// After how many receipts an organisation's node is killed.
const KILLED_AFTER: u64 = 150;
/// After how many more it is started again.
const BACK_AFTER: u64 = 40;
/// How often the table is printed.
const TABLE_EVERY: Duration = Duration::from_secs(2);
/// After how long without a block the demonstration is given up: a network that nobody asks
/// anything makes one in every minute.
const STILL_AFTER: Duration = Duration::from_secs(180);
/// How long the nodes may take to stand at the same height in the end.
const EQUAL_WITHIN: Duration = Duration::from_secs(120);

/// The organisations of a network that is being demonstrated.
pub struct Network {
    members: Vec<Member>,
    data: PathBuf,
}

/// Ports of this machine that nobody has now.
fn free_ports(count: usize) -> io::Result<Vec<u16>> {
    let bound: Vec<_> =
        (0..count).map(|_| TcpListener::bind(("127.0.0.1", 0))).collect::<io::Result<_>>()?;
    bound.iter().map(|one| Ok(one.local_addr()?.port())).collect()
}

impl Network {
    /// So many organisations with keys from this seed, each reached on a free port.
    ///
    /// # Errors
    /// When the system gives no ports.
    pub fn new(count: usize, seed: &Hash, data: &Path) -> Result<Self> {
        let ports = free_ports(count)?;
        let number = seed.to_string();
        let number = number.get(..8).unwrap_or(&number);
        let members = VALIDATORS.iter().zip(ports).map(|(name, port)| Member {
            organisation: code(name),
            block_key: match *name {
                "bureau" => founding::secret(seed, name, ONLINE),
                name => founding::secret(seed, name, "blocks"),
            },
            log_key: founding::secret(seed, name, "log"),
            origin: format!("{LOG_ORIGIN}/{name}-{number}"),
            network_key: founding::secret(seed, name, "network"),
            address: format!("127.0.0.1:{port}"),
        });
        Ok(Self { members: members.collect(), data: data.to_owned() })
    }

    /// The validators that the genesis names.
    #[must_use]
    pub fn validators(&self) -> ValidatorSet {
        let validator = |member: &Member| Validator {
            organisation: member.organisation,
            key: member.block_key.public_key(),
            power: 1,
        };
        let list = self.members.iter().map(validator).collect();
        ValidatorSet::new(list).expect("each founder is there once, with power")
    }

    /// Writes everybody's folder and starts the other organisations' nodes.
    ///
    /// # Errors
    /// When a folder cannot be written or a node does not start.
    pub fn start(self, genesis: &Genesis) -> Result<Running> {
        let mut nodes = Vec::new();
        for (number, member) in self.members.iter().enumerate() {
            let others =
                self.members.iter().filter(|other| other.organisation != member.organisation);
            let others = others.map(Member::peer).collect::<Result<_>>()?;
            if number == 0 {
                member.keep_peers(&self.data, others)?;
            } else {
                let folder = self.data.join(FOLDER).join(member.organisation.as_str());
                member.found(&folder, genesis, others)?;
                nodes.push(Process::start(member.organisation, folder, false)?);
            }
        }
        Ok(Running { nodes: Arc::new(Mutex::new(nodes)), watcher: None, door: None })
    }
}

/// Another organisation's node, in a process of its own.
struct Process {
    organisation: OrganisationId,
    folder: PathBuf,
    /// It keeps headers only.
    is_light: bool,
    /// The process and where its gateway answers.
    running: Option<(Child, String)>,
}

impl Process {
    fn start(organisation: OrganisationId, folder: PathBuf, is_light: bool) -> Result<Self> {
        let mut process = Self { organisation, folder, is_light, running: None };
        process.run()?;
        Ok(process)
    }

    fn run(&mut self) -> Result<()> {
        let program = std::env::current_exe().context("this program's own file")?;
        let log = File::options().create(true).append(true).open(self.folder.join(LOG_FILE))?;
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .context("another organisation's node does not start")?;
        let output = child.stdout.take().context("the node's output")?;
        let line = BufReader::new(output).lines().map_while(Result::ok).find_map(|line| {
            line.split_once(" on http://").map(|(_, address)| format!("http://{address}"))
        });
        let Some(address) = line else {
            let _ = child.wait();
            let folder = self.folder.display();
            return Err(anyhow!("the node in `{folder}` ended; try `yibao serve --data {folder}`"));
        };
        self.running = Some((child, address));
        Ok(())
    }

    /// Ends it as a power cut would.
    fn kill(&mut self) {
        if let Some((mut child, _)) = self.running.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Height and root, if it answers.
    fn stand(&self) -> Option<(u64, String)> {
        let (_, address) = self.running.as_ref()?;
        let mut answer = ureq::get(format!("{address}/v1/network")).call().ok()?;
        let text = answer.body_mut().read_to_string().ok()?;
        let network: serde_json::Value = serde_json::from_str(&text).ok()?;
        Some((network["height"].as_u64()?, network["state_root"].as_str()?.to_owned()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A network that runs.
pub struct Running {
    nodes: Arc<Mutex<Vec<Process>>>,
    watcher: Option<(Arc<AtomicBool>, JoinHandle<Result<()>>)>,
    /// Where the hospital's light node asks this process.
    door: Option<Listener>,
}

fn own_stand(node: &NodeHandle) -> (u64, u64, String) {
    let view = node.view();
    (view.tip.height, view.tip.log.size(), view.state.root().to_string())
}

fn print_table(node: &NodeHandle, nodes: &[Process], begin: Instant) {
    let (height, receipts, _) = own_stand(node);
    let mut line = format!("  [{:>5.1} s] bureau {height}", begin.elapsed().as_secs_f64());
    for process in nodes {
        let stand = process.stand().map_or_else(|| "down".to_owned(), |(at, _)| at.to_string());
        line = format!("{line} | {} {stand}", process.organisation);
    }
    println!("{line} | {receipts} receipts");
}

/// The newest receipt's voucher, checked offline as somebody does who trusts the organisations
/// together and none of them alone; whether it holds.
fn tell_cosigners(node: &NodeHandle) -> Result<bool> {
    let tip = node.view().tip.clone();
    let newest = tip.log.size().checked_sub(1).map(|last| node.receipt_at(last)).transpose()?;
    let Some(newest) = newest.flatten() else { return Ok(false) };
    let policy = voucher_policy(node.log_key(), node.chain_id(), &tip.validators);
    let policy = Policy::parse(policy.as_bytes())?;
    let voucher = node.issue_voucher(&newest.record.transaction_id, None)?;
    let proved = voucher.map(|voucher| voucher.verify(&policy, &FastVerifier)).transpose();
    match proved {
        Ok(Some(proved)) if !proved.cosigners.is_empty() => {
            let who: Vec<_> = proved.cosigners.iter().map(|one| one.name.as_str()).collect();
            println!(
                "  a voucher of the last receipt holds offline, cosigned by {}",
                who.join(", ")
            );
            Ok(true)
        }
        Ok(_) => {
            println!("  NOBODY ELSE COSIGNED A VOUCHER");
            Ok(false)
        }
        Err(error) => {
            println!("  A VOUCHER DOES NOT HOLD: {error}");
            Ok(false)
        }
    }
}

impl Running {
    /// Starts the light node of a hospital, which asks this process's node; it is told nothing
    /// until the hospital is admitted.
    ///
    /// # Errors
    /// When its folder cannot be written or it does not start.
    pub fn start_light_node(
        &mut self,
        node: &NodeHandle,
        data: &Path,
        (genesis, seed): (&Genesis, &Hash),
        clock: &Arc<dyn Clock>,
    ) -> Result<()> {
        let chain = Arc::new(NodeChain::new(node.clone(), data)?);
        let door = light::open_door(data, chain, clock, "127.0.0.1:0")?;
        let folder = data.join(FOLDER).join(LIGHT);
        let peer = peer_at(data, code("bureau"), &door.address().to_string())?;
        let policy = policies(data, node)?.into_iter().next().unwrap_or_default();
        let key = founding::secret(seed, LIGHT, ONLINE);
        let root = TrustRoot::of_genesis(genesis);
        light::found(&folder, code(LIGHT), &root, (vec![peer], &policy), &key)?;
        let process = Process::start(code(LIGHT), folder, true)?;
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner).push(process);
        self.door = Some(door);
        Ok(())
    }

    /// Shows where everybody stands, kills the last organisation's node after a while, and starts
    /// it again later.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn watch(&mut self, node: &NodeHandle) -> Result<()> {
        let (nodes, node) = (Arc::clone(&self.nodes), node.clone());
        let is_done = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&is_done);
        let watch = move || {
            let begin = Instant::now();
            let (mut killed_at, mut is_back) = (None, false);
            let mut moved = (0, begin);
            while !end.load(Ordering::Acquire) {
                std::thread::park_timeout(TABLE_EVERY);
                let mut nodes = nodes.lock().unwrap_or_else(PoisonError::into_inner);
                let (height, receipts, _) = own_stand(&node);
                if height != moved.0 {
                    moved = (height, Instant::now());
                } else if moved.1.elapsed() > STILL_AFTER {
                    print_table(&node, &nodes, begin);
                    println!("  THE NETWORK STANDS STILL; each node's {LOG_FILE} says why");
                    // Whoever waits for an answer is told that there will be none.
                    node.stop();
                    return Ok(());
                }
                let mut full = nodes.iter_mut().filter(|one| !one.is_light);
                let Some(last) = full.next_back() else { continue };
                match killed_at {
                    None if receipts >= KILLED_AFTER => {
                        last.kill();
                        killed_at = Some(receipts);
                        println!("  `{}` is killed (-9) at height {height}", last.organisation);
                    }
                    Some(at) if !is_back && receipts >= at + BACK_AFTER => {
                        last.run()?;
                        is_back = true;
                        println!("  `{}` is started again at height {height}", last.organisation);
                    }
                    _ => {}
                }
                print_table(&node, &nodes, begin);
            }
            Ok(())
        };
        let thread = std::thread::Builder::new().name("watch".to_owned()).spawn(watch)?;
        self.watcher = Some((is_done, thread));
        Ok(())
    }

    /// Whether all stand at the same height with the same root, after the one that was killed is
    /// back.
    ///
    /// # Errors
    /// When a node does not start again.
    pub fn prove(&mut self, node: &NodeHandle) -> Result<bool> {
        if let Some((is_done, thread)) = self.watcher.take() {
            is_done.store(true, Ordering::Release);
            thread.thread().unpark();
            thread.join().map_err(|_| anyhow!("the watch over the nodes panicked"))??;
        }
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        for process in nodes.iter_mut().filter(|one| one.running.is_none()) {
            process.run()?;
        }
        let begin = Instant::now();
        println!("\nnetwork");
        while begin.elapsed() < EQUAL_WITHIN {
            let (height, _, root) = own_stand(node);
            let stands: Vec<_> = nodes.iter().map(Process::stand).collect();
            let is_equal = |stand: &Option<(u64, String)>| {
                stand.as_ref().is_some_and(|(at, there)| (*at, there) == (height, &root))
            };
            if stands.iter().all(is_equal) {
                println!("  bureau      height {height}  root {root}");
                for (process, (at, there)) in nodes.iter().zip(stands.into_iter().flatten()) {
                    let how = if process.is_light { "  (light: proofs only)" } else { "" };
                    let name = process.organisation.as_str();
                    println!("  {name:<11} height {at}  root {there}{how}");
                }
                let full = nodes.iter().filter(|one| !one.is_light).count() + 1;
                println!("  {full} organisations, one ledger, and a hospital that checks it");
                return tell_cosigners(node);
            }
            std::thread::park_timeout(Duration::from_millis(200));
        }
        print_table(node, &nodes, begin);
        println!("  THE ORGANISATIONS DO NOT STAND AT THE SAME ROOT");
        Ok(false)
    }
}
