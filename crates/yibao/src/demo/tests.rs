//! A small demonstration from beginning to end, and what its ledger must never hold.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ledger::modules::visit::SettlementRecord;
use node::runtime::Direction;
use primitives::{Party, codec};

use super::*;

fn demonstration(data: &Path) -> Demonstration {
    let options = Options { people: 40, seed: 3, data: data.to_owned() };
    run(&options).expect("the demonstration runs")
}

/// Every file below a folder, with its bytes.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path())
    {
        if entry.is_dir() {
            found.extend(files(&entry));
        } else {
            let bytes = fs::read(&entry).expect("a file");
            found.push((entry, bytes));
        }
    }
    found
}

fn contains(bytes: &[u8], text: &str) -> bool {
    let wanted = text.as_bytes();
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// What no validator may read: names, identity numbers, names of items, what charges were for.
fn secrets() -> BTreeSet<String> {
    let mut secrets = BTreeSet::new();
    let today = SystemClock.now().day(UtcOffset(480));
    for resident in population::Population::generate(40, 3, last_day(today)).people {
        secrets.insert(resident.name);
        secrets.insert(resident.identity_number);
    }
    let sample = synthea::Sample::read().expect("the sample is built in");
    secrets.extend(sample.patients.iter().map(|patient| patient.name.clone()));
    let lines = sample.claims.iter().flat_map(|claim| &claim.bill.lines);
    secrets.extend(lines.map(|line| line.name.clone()));
    let text = include_str!("../../../../plans/lanzhou-employee/catalogue.toml");
    let (_, items) = chamber::catalogue(text).expect("the built-in catalogue");
    secrets.extend(items.item.iter().map(|item| item.name.clone()));
    secrets.retain(|secret| secret.len() >= 6);
    secrets
}

/// Words that would name a disease if a rule, a slot or a group were called after one.
const DISEASE_WORDS: [&str; 10] = [
    "diabetes",
    "tumour",
    "cancer",
    "dialysis",
    "hypertension",
    "tuberculosis",
    "糖尿病",
    "肿瘤",
    "透析",
    "高血压",
];

#[test]
fn the_books_close_and_the_ledger_names_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("demo");
    let demonstration = demonstration(&data);
    assert!(demonstration.is_clean);
    a_provider_sees_its_own_visits_only(&demonstration.node);
    demonstration.node.stop();
    drop(demonstration);
    // Published plans and catalogues lie beside the ledger: they are public and about nobody.
    let public = |path: &Path| {
        path.ancestors().any(|part| part.ends_with("plans") || part.ends_with("catalogues"))
    };
    let mut node_files = files(&data.join("node"));
    node_files.retain(|(path, _)| !public(path));
    assert!(node_files.len() > 3, "the node keeps blocks, tiles and a history");
    let secrets = secrets();
    assert!(secrets.len() > 100);
    for (path, bytes) in &node_files {
        for secret in secrets.iter().map(String::as_str).chain(DISEASE_WORDS) {
            assert!(!contains(bytes, secret), "`{}` holds `{secret}`", path.display());
        }
    }
}

/// Everything that concerns a provider is about visits at that provider.
fn a_provider_sees_its_own_visits_only(node: &NodeHandle) {
    let hospital = code("hospital-1");
    let party = Party::Organisation(hospital);
    let receipts = node
        .receipts_of(&party, Direction::OldestFirst, None, 10_000)
        .expect("the history answers");
    let mut seen = 0;
    for placed in receipts.iter().filter(|placed| !placed.receipt.witness.is_empty()) {
        let record: SettlementRecord =
            codec::decode(&placed.receipt.witness).expect("a settlement record");
        assert_eq!(record.subject.provider, hospital);
        seen += 1;
    }
    assert!(seen > 0, "the hospital settled something");
}

#[test]
fn a_folder_that_is_no_demonstration_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("thesis.txt");
    fs::write(&file, "years of work").expect("a file");
    let error = fresh_folder(folder.path()).expect_err("it is not ours");
    assert!(error.to_string().contains("name another folder with --data"));
    assert!(file.exists());
}
