//! A small demonstration from beginning to end, and what its ledger must never hold.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use aho_corasick::AhoCorasick;
use ledger::modules::visit::SettlementRecord;
use node::runtime::Direction;
use primitives::{Party, codec};

use super::*;

fn demonstration(data: &Path, people: usize) -> Demonstration {
    let options =
        Options { people, seed: 3, data: data.to_owned(), page_port: 8420, organisations: 1 };
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
    let demonstration = demonstration(&data, 40);
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
    let unwanted: Vec<&str> = secrets.iter().map(String::as_str).chain(DISEASE_WORDS).collect();
    // All at once: one after the other took minutes of each run of the tests.
    let search = AhoCorasick::new(&unwanted).expect("a few hundred words");
    assert!(search.is_match(&format!("before{}after", unwanted[0])), "it finds what is there");
    for (path, bytes) in &node_files {
        if let Some(found) = search.find(bytes) {
            panic!("`{}` holds `{}`", path.display(), unwanted[found.pattern().as_usize()]);
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
fn every_payment_has_its_word_and_the_shares_are_those_of_a_region() {
    let folder = tempfile::tempdir().expect("a folder");
    let demonstration = demonstration(&folder.path().join("demo"), 400);
    demonstration.node.stop();
    assert!(demonstration.is_clean);
    assert_eq!(demonstration.reading.pending, 0);
    let ordered = |outbox: &Arc<Outbox>| outbox.open_count().expect("the book answers");
    assert_eq!(demonstration.outboxes.iter().map(ordered).sum::<u64>(), 0);
    let tally = &demonstration.reading.visits[&Currency::CNY];
    // More than an outbox takes at one step.
    assert!(tally.settled.count > 4 * 256, "{tally:?}");
    assert!(tally.refunded.count > 0, "{tally:?}");
    assert!(tally.failed.contains_key("insufficient_funds"), "{tally:?}");
    assert!(tally.receivable.net() > 0, "{tally:?}");
    assert_eq!(tally.unaccounted(), 0);
    let transfers = &demonstration.reading.transfers;
    assert!(transfers.claimed.count > 0 && transfers.back.count > 0, "{transfers:?}");
    assert!(transfers.add_up(), "{transfers:?}");
    let refusals = &demonstration.refusals;
    assert_eq!(refusals.refunds, BTreeMap::new());
    for reason in [
        "person_locked",
        "pin_blocked",
        "unknown_person",
        "insufficient_balance",
        "key_payment_limit_reached",
    ] {
        assert!(refusals.visits.contains_key(reason), "`{reason}` is not in {refusals:?}");
    }
    let own = ["personal_account", "cash"];
    let funds = tally.sources.keys().filter(|source| !own.contains(source));
    let share = |minor: i128| minor * 100 / tally.charged();
    let funds = share(funds.map(|source| tally.net(source)).sum());
    let cash = share(tally.net("cash") + tally.receivable.net());
    assert!((50..=75).contains(&funds), "funds pay {funds} %: {tally:?}");
    assert!((20..=40).contains(&cash), "people pay {cash} % in cash: {tally:?}");
}

#[test]
fn two_demonstrations_of_one_seed_share_people_but_no_key_and_no_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let nodes = [&one, &two].map(|data| demonstration(data, 5).node);
    assert_ne!(nodes[0].log_key().name(), nodes[1].log_key().name());
    let read = |data: &Path, file: &str| fs::read_to_string(data.join(file)).expect("a file");
    for file in ["trust-policy.txt", "bureau/keys/online.key", "node/keys/log.key"] {
        assert_ne!(read(&one, file), read(&two, file), "{file}");
    }
    let error = crate::command::check_voucher(
        &one.join("voucher.tlog-proof"),
        &two.join("trust-policy.txt"),
    );
    assert!(error.is_err(), "a voucher of one ledger is none of the other's");
    nodes.iter().for_each(NodeHandle::stop);
}

#[test]
fn a_folder_in_which_a_node_works_is_not_cleared() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("demo");
    let node = folder::fresh(&data).expect("a new folder");
    fs::create_dir_all(data.join("bank")).expect("a folder");
    fs::write(data.join("bank/books"), "money").expect("a file");
    fs::write(data.join("node/history"), "blocks").expect("a file");
    let error = folder::fresh(&data).expect_err("a node holds it");
    assert!(error.to_string().contains("in use by another node"), "{error}");
    assert!(data.join("bank/books").exists() && data.join("node/history").exists());
    drop(node);
    folder::fresh(&data).expect("nobody holds it any more");
    assert!(!data.join("bank").exists() && !data.join("node/history").exists());
}

#[test]
fn a_folder_that_is_no_demonstration_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("thesis.txt");
    fs::write(&file, "years of work").expect("a file");
    let error = folder::fresh(folder.path()).expect_err("it is not ours");
    assert!(error.to_string().contains("name another folder with --data"));
    assert!(error.is::<crate::command::input::BadInput>(), "{error:?}");
    assert!(file.exists());
}
