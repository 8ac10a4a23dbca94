//! What a stranger's check takes: a voucher, and the whole chain.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use ledger::kernel::registry::Kind as _;
use ledger::modules::visit::SettleVisit;
use ledger::{Block, Transaction};
use node::NodeHandle;
use node::signature::{FastVerifier, Scheme, SecretKey};
use node::store::{BlockLog, Known, LogLimits, StoredBlock};
use node::verify::folder::ReadOnlyFolder;
use node::verify::{Evidence, VerifyReport, verify_chain};
use primitives::{PublicKey, Timestamp, codec, key};
use proof::note::{NoteKey, NoteSigner, SignatureType};
use proof::policy::{Policy, policy_text};
use proof::tlog_proof::TlogProof;
use proof::voucher::Voucher;

use crate::figures::{Bar, Figures};
use crate::process;
use crate::region::Region;

const ROUNDS: u32 = 2_000;
const WITNESSES: u8 = 4;
/// When the witnesses say that they signed; any time does.
const COSIGNED_AT: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// A witness of the log: an organisation that checks that the log only grows.
struct Witness {
    key: NoteKey,
    secret: SecretKey,
}

impl Witness {
    fn new(number: u8) -> Result<Self> {
        let secret = SecretKey::from_seed(Scheme::Ed25519, &[number; 32]);
        let PublicKey::Ed25519(public) = secret.public_key() else {
            bail!("a witness signs with Ed25519");
        };
        let name = format!("witness-{number}.example");
        let key = NoteKey::new(&name, SignatureType::CosignatureV1, public)
            .map_err(|error| anyhow!("{error}"))?;
        Ok(Self { key, secret })
    }
}

impl NoteSigner for Witness {
    type Error = std::convert::Infallible;

    fn key(&self) -> &NoteKey {
        &self.key
    }

    fn sign(&self, message: &[u8]) -> std::result::Result<[u8; 64], Self::Error> {
        Ok(self.secret.sign_raw(message))
    }
}

/// A voucher with all its fields and the cosignatures of four witnesses, decoded and verified under
/// a policy that wants all four.
///
/// # Errors
/// When it does not hold.
pub fn voucher(figures: &mut Figures, node: &NodeHandle, settled: &Transaction) -> Result<()> {
    let voucher = node.issue_voucher(&settled.content.id(), None)?.context("a settled visit")?;
    let mut proof = TlogProof::parse(voucher.encode().as_bytes())?;
    let witnesses = (1..=WITNESSES).map(Witness::new).collect::<Result<Vec<_>>>()?;
    for witness in &witnesses {
        proof.checkpoint.cosign(witness, COSIGNED_AT).map_err(|error| anyhow!("{error}"))?;
    }
    let text = proof.encode();
    let keys: Vec<NoteKey> = witnesses.into_iter().map(|witness| witness.key).collect();
    let policy = policy_text(node.log_key(), &keys, keys.len());
    let policy = Policy::parse(policy.as_bytes()).map_err(|error| anyhow!("{error}"))?;
    let begin = Instant::now();
    for _ in 0..ROUNDS {
        let decoded = Voucher::decode(black_box(text.as_bytes()))?;
        let verified = decoded.verify(&policy, &FastVerifier);
        let accepted = black_box(verified.map_err(|error| anyhow!("{error}"))?);
        ensure!(accepted.cosigners.len() == usize::from(WITNESSES), "a cosignature is missing");
    }
    let millis = begin.elapsed().as_secs_f64() * 1e3 / f64::from(ROUNDS);
    figures.note("voucher/verify_4_cosignatures", millis, "ms", Bar::AtMost(1.0));
    Ok(())
}

/// The whole chain of a data folder: its signatures alone, everything checked, and everything but
/// the signatures under a trusted checkpoint. The node must be stopped.
///
/// # Errors
/// When it diverges.
pub fn chain(figures: &mut Figures, data: &Path, kept: &Kept, live: &str) -> Result<()> {
    let folder = Region::node_folder(data);
    let transactions = transactions(&folder)?;
    let signed: usize = transactions.iter().map(|one| one.authorisations.len()).sum();
    let settled = transactions.iter().filter(|one| one.content.kind == SettleVisit::NUMBER).count();
    let alone = signed as f64 / seconds_of_signatures(&transactions);
    drop(transactions);
    let (all, _) = verified(&folder, Evidence::default())?;
    let mut trusting = Evidence::default();
    let policy = Policy::parse(kept.policy.as_bytes()).map_err(|error| anyhow!("{error}"))?;
    trusting
        .trust_before("the checkpoint", kept.checkpoint.as_bytes(), &policy)
        .map_err(|error| anyhow!("{error}"))?;
    let (trusted, report) = verified(&folder, trusting)?;
    ensure!(report.signatures_unchecked > 0, "the checkpoint is over no transaction");
    let note = |figures: &mut Figures, name: &str, value, unit| {
        figures.note(&format!("verify_chain/{name}"), value, unit, Bar::Told);
    };
    note(figures, "signatures_alone", alone, "1/s");
    note(figures, "signatures", signed as f64 / all, "1/s");
    note(figures, "settlements", settled as f64 / all, "settlements/s");
    note(figures, "from_checkpoint/settlements", settled as f64 / trusted, "settlements/s");
    let (own, of) = ("verify_chain/signatures", "verify_chain/signatures_alone");
    figures.ratio("ratio/verify_chain/to_signatures_alone", own, of, Bar::AtLeast(0.85));
    let trusting = "verify_chain/from_checkpoint/settlements";
    figures.ratio("ratio/verify_chain/from_checkpoint_to_live", trusting, live, Bar::AtLeast(3.0));
    Ok(())
}

/// What an auditor kept of a ledger.
pub struct Kept {
    policy: String,
    checkpoint: String,
}

impl Kept {
    /// What the node gives now.
    ///
    /// # Errors
    /// When it cannot sign.
    pub fn of(node: &NodeHandle) -> Result<Self> {
        let checkpoint = node.checkpoint().map_err(|error| anyhow!("{error}"))?.encode();
        Ok(Self { policy: policy_text(node.log_key(), &[], 0), checkpoint })
    }
}

fn verified(folder: &Path, evidence: Evidence) -> Result<(f64, VerifyReport)> {
    let begin = Instant::now();
    let report = verify_chain(folder, evidence, |_| {}).map_err(|error| anyhow!("{error}"))?;
    Ok((begin.elapsed().as_secs_f64(), report))
}

/// All transactions of a chain.
fn transactions(folder: &Path) -> Result<Vec<Transaction>> {
    let disk = Arc::new(ReadOnlyFolder::new(folder));
    let (log, _) = BlockLog::open(disk, LogLimits::default(), [0; 32], Known::default())?;
    let mut all = Vec::new();
    for height in 1..=log.last_height() {
        let stored: StoredBlock =
            codec::decode(&log.read(height)?).map_err(|error| anyhow!("{error}"))?;
        let block: Block = codec::decode(&stored.block).map_err(|error| anyhow!("{error}"))?;
        all.extend(block.transactions);
    }
    Ok(all)
}

/// How long all cores take for the signatures and nothing else.
fn seconds_of_signatures(transactions: &[Transaction]) -> f64 {
    let next = AtomicUsize::new(0);
    let check = |one: &Transaction| {
        let id = one.content.id();
        for signed in &one.authorisations {
            let verdict = key::verify(&FastVerifier, &signed.key, &id, &signed.signature);
            black_box(verdict).expect("the chain was written by a node");
        }
    };
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..process::cores() {
            scope.spawn(|| {
                while let Some(one) = transactions.get(next.fetch_add(1, Ordering::Relaxed)) {
                    check(one);
                }
            });
        }
    });
    begin.elapsed().as_secs_f64()
}
