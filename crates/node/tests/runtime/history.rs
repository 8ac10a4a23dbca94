//! The history can be made again from the blocks at any time.

use std::path::Path;

use benefit::{CategorySums, VisitType};
use ledger::modules::visit::{Consent, SettlementRecord, VisitSubject};
use node::history::{BlockReceipts, History, HistoryReader};
use node::runtime::{Direction, SnapshotPace, Threads};
use primitives::{CivilDate, Hash, PersonId, SchemeId, Timestamp, VisitId, codec};

use crate::world::{
    INSURERS, Place, REGION, START, contribute, insurer, open_fund, organisation, party,
};

fn now() -> Timestamp {
    START.plus_millis(1_000)
}

fn config(place: &Place) -> node::NodeConfig {
    let mut config = place.config(Threads::Caller);
    config.snapshots = SnapshotPace { blocks: 10, bytes: u64::MAX, at_stop: false };
    config
}

fn fill(place: &Place) {
    let (node, _) = place.try_open(config(place)).unwrap();
    for number in 1..=INSURERS {
        node.submit(open_fund(number, now())).unwrap();
        for nth in 1..5 {
            node.submit(contribute(number, nth, nth, now())).unwrap();
            // Rejected in its block: the reference was booked before.
            let mut again = contribute(number, nth, nth, now()).content;
            again.idempotency_key.0[0] ^= 1;
            node.submit(crate::world::sign(again, &[&insurer(number)])).unwrap();
        }
    }
}

/// Everything that the history says.
fn dump(path: &Path) -> Vec<String> {
    let reader = HistoryReader::new(path);
    let progress = reader.progress().unwrap();
    let mut lines = vec![format!("{progress:?}")];
    for index in 0..progress.receipts {
        let receipt = reader.receipt_at(index).unwrap().unwrap();
        let id = receipt.record.transaction_id;
        let found = reader.receipt_by_transaction(&id).unwrap().unwrap();
        assert_eq!((found.index, &found.receipt), (index, &receipt));
        lines.push(format!("{receipt:?}"));
    }
    for code in (1..=INSURERS).map(insurer).chain(["bureau".to_owned(), "nobody".to_owned()]) {
        let all = reader.receipts_of(&party(&code), Direction::OldestFirst, None, 999).unwrap();
        let places: Vec<u64> = all.iter().map(|placed| placed.index).collect();
        lines.push(format!("{code}: {places:?}"));
    }
    assert_eq!(reader.receipt_at(progress.receipts).unwrap(), None);
    lines
}

fn remove(path: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let _ = std::fs::remove_file(name);
    }
}

#[test]
fn a_history_that_was_deleted_is_made_again_equal() {
    let place = Place::new();
    fill(&place);
    let before = dump(&place.history());
    assert_eq!(before.len(), 1 + 72 + 10);
    remove(&place.history());
    let (node, report) = place.try_open(config(&place)).unwrap();
    assert_eq!((report.snapshot_height, report.blocks_replayed), (70, 72));
    assert_eq!(node.view().tip.height, 72);
    drop(node);
    assert_eq!(dump(&place.history()), before);
    let (_, report) = place.try_open(config(&place)).unwrap();
    assert_eq!(report.blocks_replayed, 2, "from the snapshot again");
}

#[test]
fn a_history_that_is_behind_the_snapshot_is_filled_up() {
    let place = Place::new();
    fill(&place);
    let before = dump(&place.history());
    // An older history: what a loss of power may leave of what was not made durable.
    let old = place.folder.path().join("old.sqlite");
    let mut history = History::open(&old, crate::world::genesis().hash()).unwrap();
    let (node, _) = place.try_open(config(&place)).unwrap();
    let header = |height| node.header(height).unwrap().unwrap().0;
    for height in 1..=30 {
        let receipt = node.receipt_at(height - 1).unwrap().unwrap();
        let value_id = header(height).value_id();
        let receipts = &[receipt][..];
        history
            .append(&[node::history::BlockReceipts { height, value_id, receipts, handover: None }])
            .unwrap();
    }
    drop((history, node));
    remove(&place.history());
    std::fs::rename(&old, place.history()).unwrap();
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(place.folder.path().join(format!("old.sqlite{suffix}")));
    }
    let (_, report) = place.try_open(config(&place)).unwrap();
    assert!(!report.is_history_new);
    assert_eq!(report.blocks_replayed, 72);
    assert_eq!(dump(&place.history()), before);
}

#[test]
fn a_history_of_another_ledger_or_of_another_form_is_made_anew() {
    let place = Place::new();
    fill(&place);
    let before = dump(&place.history());
    let mut history = History::open(&place.history(), Hash([1; 32])).unwrap();
    assert!(history.was_of_another_ledger());
    history
        .append(&[BlockReceipts {
            height: 1,
            value_id: Hash::default(),
            receipts: &[],
            handover: None,
        }])
        .unwrap();
    drop(history);
    let (_, report) = place.try_open(config(&place)).unwrap();
    assert!(report.is_history_new);
    assert_eq!(dump(&place.history()), before);

    for bytes in [&b"this is a letter and no database, however long it may be"[..], &[]] {
        remove(&place.history());
        std::fs::write(place.history(), bytes).unwrap();
        place.try_open(config(&place)).unwrap();
        assert_eq!(dump(&place.history()), before);
    }
    remove(&place.history());
    let foreign = rusqlite::Connection::open(place.history()).unwrap();
    foreign.execute_batch("CREATE TABLE receipt (a)").unwrap();
    drop(foreign);
    place.try_open(config(&place)).unwrap();
    assert_eq!(dump(&place.history()), before);
}

#[test]
fn a_block_that_does_not_follow_is_not_taken_in() {
    let place = Place::new();
    let mut history = History::open(&place.history(), Hash::default()).unwrap();
    let value_id = primitives::sha256(b"block");
    let block =
        |height| node::history::BlockReceipts { height, value_id, receipts: &[], handover: None };
    history.append(&[block(1), block(2)]).unwrap();
    for wrong in [[block(2), block(3)], [block(3), block(5)]] {
        assert!(history.append(&wrong).is_err());
        assert_eq!(history.progress().height, 2);
    }
    drop(history);
    assert_eq!(HistoryReader::new(&place.history()).progress().unwrap().height, 2);
}

fn settlement(visit: VisitId, bill: u8) -> SettlementRecord {
    let subject = VisitSubject {
        person: PersonId([1; 16]),
        provider: organisation("hospital"),
        region: REGION,
        scheme: SchemeId(310),
        visit_type: VisitType::Outpatient,
        admitted: CivilDate::from_ymd(2026, 3, 1).unwrap(),
        diagnosis_group: 0,
    };
    SettlementRecord {
        visit,
        subject,
        transaction_id: Hash([9; 32]),
        bill: Hash([bill; 32]),
        sums: CategorySums::default(),
        parts: Vec::new(),
        consent: Consent::OwnKey,
        use_personal_account: false,
        use_family_account: false,
        collected: Vec::new(),
    }
}

#[test]
fn a_settlement_is_found_by_its_visit_as_it_was_changed_last() {
    let place = Place::new();
    fill(&place);
    let plain = HistoryReader::new(&place.history()).receipt_at(0).unwrap().unwrap();
    let path = place.folder.path().join("other.sqlite");
    let mut history = History::open(&path, Hash::default()).unwrap();
    // Two visits whose index keys are the same.
    let (one, mut other) = (VisitId([7; 16]), VisitId([7; 16]));
    other.0[15] = 8;
    let records = [settlement(one, 1), settlement(other, 2), settlement(one, 3)];
    for (height, record) in (1..).zip(&records) {
        let mut receipt = (*plain).clone();
        receipt.witness = codec::encode(record);
        let receipts = [plain.clone(), std::sync::Arc::new(receipt)];
        let block = BlockReceipts {
            height,
            value_id: Hash::default(),
            receipts: &receipts,
            handover: None,
        };
        history.append(&[block]).unwrap();
    }
    let reader = HistoryReader::new(&path);
    assert_eq!(reader.settlement(one).unwrap().unwrap(), records[2]);
    assert_eq!(reader.settlement(other).unwrap().unwrap(), records[1]);
    assert_eq!(reader.settlement(VisitId([6; 16])).unwrap(), None);
    history.clear().unwrap();
    assert_eq!(reader.settlement(one).unwrap(), None);
}
