//! `yibao verify audit`: the unpacked evidence of an audit, without any server.
//!
//! What is checked: every file is the one that the manifest names, and there is no other; list and
//! seed draw exactly these settlements, and the seed is the hash of the enclosed block; each
//! voucher holds under the policy and says of bill and amounts what the record says; bill, salt and
//! sums open the record's commitment; what was found follows from record and computed split.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail, ensure};
use gateway::api::audit::PACK_FORMAT;
use ledger::modules::audit::{AuditTerms, draw, seed_words};
use ledger::modules::visit::{SettlementRecord, Split};
use node::signature::FastVerifier;
use primitives::{Hash, VisitId, codec, sha256};
use proof::header::Header;
use proof::policy::Policy;
use proof::receipt::FieldValue;
use proof::voucher::Voucher;
use serde::Deserialize;

use super::read_policy;
use crate::command::input::{bad, parse_json, read_bytes};

/// The longest file of a pack: a bill of 20,000 lines with its reasons.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// How deep folders lie in a pack.
const DEPTH_MAX: usize = 3;
const MANIFEST: &str = "manifest.json";

#[derive(Deserialize)]
struct Manifest {
    format: String,
    audit: Case,
    block: Block,
    seed: String,
    files: BTreeMap<String, Hash>,
}

#[derive(Deserialize)]
struct Case {
    audit: u32,
    terms: AuditTerms,
}

#[derive(Deserialize)]
struct Block {
    header: Header,
    value_id: Hash,
}

/// What came out, as far as it is checked here.
#[derive(Deserialize)]
struct Found {
    outcome: String,
}

#[derive(Deserialize)]
struct Computed {
    split: Split,
    sums: benefit::CategorySums,
}

/// Checks a folder; prints what was checked.
///
/// # Errors
/// What cannot be read, or does not hold.
pub(super) fn audit(folder: &Path, trust: &Path) -> Result<ExitCode> {
    let (policy, _) = read_policy(trust)?;
    let pack = Pack::read(folder)?;
    let holds = || format!("the evidence in `{}` does NOT hold", folder.display());
    let drawn = pack.check_draw().with_context(holds)?;
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for (place, visit) in (1..).zip(&drawn) {
        let name = format!("settlements/{place:03}-{visit}");
        let outcome = pack.check_settlement(&name, *visit, &policy);
        let outcome = outcome.with_context(|| name.clone()).with_context(holds)?;
        *outcomes.entry(outcome).or_default() += 1;
    }
    println!("the evidence holds");
    println!(
        "  audit        {}, for: {}",
        pack.manifest.audit.audit, &*pack.manifest.audit.terms.purpose
    );
    println!("  files        {}, each as the manifest names it", pack.files.len());
    println!(
        "  drawn        {} of {} settlements, by `{}`",
        drawn.len(),
        pack.list()?.len(),
        pack.manifest.seed
    );
    for (outcome, count) in outcomes {
        println!("  {outcome:<12} {count}");
    }
    Ok(ExitCode::SUCCESS)
}

/// An unpacked pack.
struct Pack {
    folder: PathBuf,
    manifest: Manifest,
    files: BTreeMap<String, Vec<u8>>,
}

impl Pack {
    /// Reads every file, each as the manifest names it.
    fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(MANIFEST);
        let text = read_bytes("the manifest", &path, FILE_BYTES_MAX)?;
        let text = String::from_utf8(text).map_err(|_| bad("the manifest is not text"))?;
        let manifest: Manifest = parse_json("the manifest", &path, &text)?;
        if manifest.format != PACK_FORMAT {
            return Err(bad(format!("`{}` is no manifest of `{PACK_FORMAT}`", path.display())));
        }
        let mut there = BTreeSet::new();
        list_files(folder, "", DEPTH_MAX, &mut there)?;
        there.remove(MANIFEST);
        let mut files = BTreeMap::new();
        for (name, hash) in &manifest.files {
            ensure!(there.remove(name), "`{name}` is NOT there");
            let bytes = read_bytes("a file", &folder.join(name), FILE_BYTES_MAX)?;
            ensure!(sha256(&bytes) == *hash, "`{name}` is NOT what the manifest names");
            files.insert(name.clone(), bytes);
        }
        if let Some(name) = there.first() {
            bail!("`{name}` is NOT in the manifest");
        }
        Ok(Self { folder: folder.to_owned(), manifest, files })
    }

    fn bytes(&self, name: &str) -> Result<&[u8]> {
        self.files.get(name).map(Vec::as_slice).with_context(|| format!("`{name}` is NOT there"))
    }

    fn json<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Result<T> {
        let text = std::str::from_utf8(self.bytes(name)?)?;
        parse_json("a file", &self.folder.join(name), text)
    }

    fn list(&self) -> Result<BTreeSet<VisitId>> {
        let text = std::str::from_utf8(self.bytes("list.txt")?)?;
        let visits = text
            .lines()
            .map(|line| line.parse().map_err(|error| bad(format!("list.txt: {error}"))));
        visits.collect()
    }

    /// What list and seed draw.
    fn check_draw(&self) -> Result<Vec<VisitId>> {
        let Manifest { audit, block, seed, .. } = &self.manifest;
        ensure!(block.header.value_id() == block.value_id, "the block has another hash");
        ensure!(*seed == seed_words(&block.value_id, audit.audit), "the seed is of another block");
        let drawn = draw(&self.list()?, usize::from(audit.terms.size), seed);
        let folders: BTreeSet<&str> = self
            .files
            .keys()
            .filter_map(|name| name.strip_prefix("settlements/")?.split_once('/'))
            .map(|(folder, _)| folder)
            .collect();
        let wanted: Vec<String> =
            (1..).zip(&drawn).map(|(place, visit)| format!("{place:03}-{visit}")).collect();
        let wanted: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
        ensure!(folders == wanted, "list and seed draw other settlements");
        Ok(drawn)
    }

    /// What was found of a settlement, once all that stands beside it holds.
    fn check_settlement(&self, name: &str, visit: VisitId, policy: &Policy) -> Result<String> {
        let file = |end: &str| format!("{name}/{end}");
        let record: SettlementRecord = self.json(&file("record.json"))?;
        ensure!(record.visit == visit, "the record is of another visit");
        let subject = &record.subject;
        let terms = &self.manifest.audit.terms;
        let fits = subject.provider == terms.provider
            && (terms.from..=terms.to).contains(&subject.admitted);
        ensure!(fits, "the record is of another provider or another time");
        self.check_voucher(&file("voucher.tlog-proof"), &record, policy)?;
        if self.files.contains_key(&file("bill.json")) {
            let salt: Hash = std::str::from_utf8(self.bytes(&file("salt.txt"))?)?
                .trim()
                .parse()
                .map_err(|error| bad(format!("salt.txt: {error}")))?;
            let sums = codec::encode(&record.sums);
            let commitment = vault::commit_bill(&salt.0, self.bytes(&file("bill.json"))?, &sums);
            ensure!(commitment == record.bill, "bill, salt and sums do not open the commitment");
        }
        let Found { outcome } = self.json(&file("found.json"))?;
        let is_same = if self.files.contains_key(&file("computed.json")) {
            let computed: Computed = self.json(&file("computed.json"))?;
            let settled = Split::of(&record.parts).context("the amounts do not add up")?;
            computed.split == settled && computed.sums == record.sums
        } else {
            false
        };
        // The same amounts may come about by other steps; other amounts are never the same.
        ensure!(is_same || outcome != "same", "what was found does not follow from the amounts");
        Ok(outcome)
    }

    fn check_voucher(&self, name: &str, record: &SettlementRecord, policy: &Policy) -> Result<()> {
        let voucher = Voucher::decode(self.bytes(name)?)?;
        let verified = voucher.verify(policy, &FastVerifier).context("the voucher is NOT valid")?;
        let transaction = verified.record.transaction_id;
        ensure!(transaction == record.transaction_id, "the voucher is of another settlement");
        let field = |name: &str| verified.fields.values().find(|field| &*field.name == name);
        let bill = field("bill").map(|field| &field.value);
        let is_bill = bill == Some(&FieldValue::Hash(record.bill));
        ensure!(is_bill, "the voucher has another bill");
        let split = Split::of(&record.parts).context("the amounts do not add up")?;
        let own = [
            ("total", split.total),
            ("in_policy", split.in_policy),
            ("personal_account", split.personal_account),
            ("cash", split.cash),
        ];
        let shares = split.payers.iter().map(|share| (share.payer.name(), share.amount));
        for (name, amount) in own.into_iter().chain(shares) {
            let said = field(name).map(|field| &field.value);
            let is_it = matches!(said, Some(FieldValue::Amount(said)) if said.amount == amount);
            ensure!(is_it, "the voucher says another amount of `{name}`");
        }
        Ok(())
    }
}

/// The files in a folder by their names from its top.
fn list_files(
    folder: &Path,
    prefix: &str,
    depth: usize,
    found: &mut BTreeSet<String>,
) -> Result<()> {
    ensure!(depth > 0, "`{}` lies deeper than a pack does", folder.display());
    for entry in fs::read_dir(folder).with_context(|| format!("`{}`", folder.display()))? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            list_files(&entry.path(), &format!("{name}/"), depth - 1, found)?;
        } else {
            found.insert(name);
        }
    }
    Ok(())
}
