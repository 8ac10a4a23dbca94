//! `yibao verify audit`: the unpacked evidence of an audit, without any server.
//!
//! What is checked: every file is the one that the manifest names, and there is no other; list and
//! seed draw exactly these settlements, and the seed is the hash of the enclosed block; each
//! voucher holds under the policy and says of visit, provider, person, cover, days, bill and
//! amounts what the record says; bill, salt and sums open the record's commitment, without which a
//! settlement can only be open; and the settlement is computed again from its lines by the
//! enclosed catalogue and plan on the enclosed running amounts: what was found must follow from
//! that, and `computed.json` must be it. What cannot be computed is said by name.
//!
//! That a catalogue belongs to a plan version, and what had been used up before, are the word of
//! whoever made the pack; plans are those that the records name by their hashes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use benefit::{Bill, Catalogue, CategorySums, Plan, VisitFacts, sort_lines};
use gateway::api::audit::{PACK_FORMAT, PackInputs};
use ledger::modules::audit::{AuditTerms, draw, seed_words};
use ledger::modules::visit::{Part, SettlementRecord, Split, recompute};
use node::signature::FastVerifier;
use primitives::{Hash, Party, VisitId, codec, sha256};
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
    left_out: BTreeMap<String, u64>,
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
    open: Option<String>,
}

#[derive(Deserialize)]
struct Computed {
    split: Split,
    sums: CategorySums,
    parts: Vec<Part>,
}

/// What came out of one settlement.
struct Checked {
    outcome: String,
    /// Why it was not computed here; `None` when it was.
    not_computed: Option<String>,
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
    let enclosed = pack.enclosed().with_context(holds)?;
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    let mut not_computed: BTreeMap<String, usize> = BTreeMap::new();
    for (place, visit) in (1..).zip(&drawn) {
        let name = format!("settlements/{place:03}-{visit}");
        let checked = pack.check_settlement(&name, *visit, (&policy, &enclosed));
        let Checked { outcome, not_computed: why } =
            checked.with_context(|| name.clone()).with_context(holds)?;
        *outcomes.entry(outcome).or_default() += 1;
        if let Some(why) = why {
            *not_computed.entry(why).or_default() += 1;
        }
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
    let left: usize = not_computed.values().sum();
    println!("  computed     {} here again, from lines, catalogue and plan", drawn.len() - left);
    for (why, count) in not_computed {
        println!("  not computed {count}: {why}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Plans and catalogues of a pack, each the one of its name.
struct Enclosed {
    plans: BTreeMap<Hash, Arc<Plan>>,
    catalogues: BTreeMap<Hash, Catalogue>,
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

    /// The enclosed plans and catalogues.
    fn enclosed(&self) -> Result<Enclosed> {
        let (mut plans, mut catalogues) = (BTreeMap::new(), BTreeMap::new());
        for (name, bytes) in &self.files {
            let named = |folder: &str| -> Option<Hash> {
                name.strip_prefix(folder)?.strip_suffix(".bin")?.parse().ok()
            };
            if let Some(hash) = named("plans/") {
                let plan: Plan = codec::decode(bytes).map_err(|error| bad(format!("{error}")))?;
                ensure!(plan.hash() == hash, "`{name}` is another plan");
                plans.insert(hash, Arc::new(plan));
            } else if let Some(root) = named("catalogues/") {
                let catalogue = Catalogue::decode(bytes);
                let catalogue = catalogue.with_context(|| format!("`{name}` is no catalogue"))?;
                ensure!(catalogue.hash() == root, "`{name}` is another catalogue");
                catalogues.insert(root, catalogue);
            }
        }
        Ok(Enclosed { plans, catalogues })
    }

    /// What was found of a settlement, once all that stands beside it holds.
    fn check_settlement(
        &self,
        name: &str,
        visit: VisitId,
        (policy, enclosed): (&Policy, &Enclosed),
    ) -> Result<Checked> {
        let file = |end: &str| format!("{name}/{end}");
        let record: SettlementRecord = self.json(&file("record.json"))?;
        ensure!(record.visit == visit, "the record is of another visit");
        let subject = &record.subject;
        let terms = &self.manifest.audit.terms;
        let fits = subject.provider == terms.provider
            && (terms.from..=terms.to).contains(&subject.admitted);
        ensure!(fits, "the record is of another provider or another time");
        self.check_voucher(&file("voucher.tlog-proof"), &record, policy)?;
        let Found { outcome, open } = self.json(&file("found.json"))?;
        if outcome != "open" || self.files.contains_key(&file("bill.json")) {
            self.check_bill(name, &record)?;
        }
        if outcome == "open" {
            let why = open.context("`found.json` does not say why it is open")?;
            return Ok(Checked { outcome, not_computed: Some(why_open(&why).to_owned()) });
        }
        let computed: Computed = self.json(&file("computed.json"))?;
        let is_same = computed.parts == record.parts && computed.sums == record.sums;
        // Other steps or amounts are never the same.
        ensure!(is_same == (outcome == "same"), "what was found does not follow from the amounts");
        let split = Split::of(&computed.parts).context("the amounts do not add up")?;
        ensure!(computed.split == split, "the computed split is not that of its parts");
        let inputs: PackInputs = self.json(&file("inputs.json"))?;
        let Some(catalogue) = enclosed.catalogues.get(&inputs.catalogue) else {
            let left = format!("catalogues/{}.bin", inputs.catalogue);
            ensure!(self.manifest.left_out.contains_key(&left), "`{left}` is NOT there");
            let why = "the catalogue was left out, for the size of the pack".to_owned();
            return Ok(Checked { outcome, not_computed: Some(why) });
        };
        let bill: Bill = self.json(&file("bill.json"))?;
        let (sums, parts) = compute(&record, (&bill, catalogue), &inputs, &enclosed.plans)?;
        let is_it = sums == computed.sums && parts == computed.parts;
        ensure!(is_it, "the lines give something else here than the pack says");
        Ok(Checked { outcome, not_computed: None })
    }

    /// The bill is the one that was settled.
    fn check_bill(&self, name: &str, record: &SettlementRecord) -> Result<()> {
        let bill = format!("{name}/bill.json");
        let salt = std::str::from_utf8(self.bytes(&format!("{name}/salt.txt"))?)?;
        let salt: Hash = salt.trim().parse().map_err(|error| bad(format!("salt.txt: {error}")))?;
        let sums = codec::encode(&record.sums);
        let commitment = vault::commit_bill(&salt.0, self.bytes(&bill)?, &sums);
        ensure!(commitment == record.bill, "bill, salt and sums do not open the commitment");
        Ok(())
    }

    fn check_voucher(&self, name: &str, record: &SettlementRecord, policy: &Policy) -> Result<()> {
        let voucher = Voucher::decode(self.bytes(name)?)?;
        let verified = voucher.verify(policy, &FastVerifier).context("the voucher is NOT valid")?;
        let transaction = verified.record.transaction_id;
        ensure!(transaction == record.transaction_id, "the voucher is of another settlement");
        let field = |name: &str| verified.fields.values().find(|field| &*field.name == name);
        let subject = &record.subject;
        let (first, last) = record.sums.span().context("the record has no line")?;
        let facts = [
            ("visit", FieldValue::Hash(sha256(&record.visit.0))),
            ("provider", FieldValue::Party(Party::Organisation(subject.provider))),
            ("person", FieldValue::Party(Party::Person(subject.person))),
            ("region", FieldValue::Number(u64::from(subject.region.0))),
            ("scheme", FieldValue::Number(u64::from(subject.scheme.0))),
            ("service_from", FieldValue::Date(first)),
            ("service_to", FieldValue::Date(last)),
            ("bill", FieldValue::Hash(record.bill)),
        ];
        for (name, value) in facts {
            let is_it = field(name).is_some_and(|field| field.value == value);
            ensure!(is_it, "the voucher has another `{name}`");
        }
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

/// A settlement once more from its lines, by the ledger's own engine.
fn compute(
    record: &SettlementRecord,
    (bill, catalogue): (&Bill, &Catalogue),
    inputs: &PackInputs,
    plans: &BTreeMap<Hash, Arc<Plan>>,
) -> Result<(CategorySums, Vec<Part>)> {
    let first = record.parts.first().context("the record has no part")?;
    let facts = VisitFacts {
        visit_type: record.subject.visit_type,
        hospital_level: first.facts.hospital_level,
        // The bill says them.
        diagnosis_groups: Vec::new(),
        age: first.facts.age,
        sex: first.facts.sex,
    };
    let sorted = sort_lines(catalogue, bill, &facts).map_err(|error| bad(format!("{error}")))?;
    let parts = recompute(record, &sorted.sums, &inputs.before, plans);
    let parts = parts.map_err(|rejection| bad(format!("it cannot be computed: {rejection}")))?;
    Ok((sorted.sums, parts))
}

/// Why a settlement was not computed, in words.
fn why_open(why: &str) -> &str {
    match why {
        "bill_missing" => "no bill is kept for it",
        "catalogue_missing" => "the catalogue of its plan is not kept",
        "amounts_of_family" => "a family shares the running amounts that it stands on",
        "amounts_of_claim" => "a claim for a bill paid in full moved the running amounts before",
        "amounts_of_difference" => "a booked difference moved the running amounts before",
        "refused" => "the rules do not take its lines",
        other => other,
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
