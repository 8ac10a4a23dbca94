//! A voucher to make sheets of, and the programs that read them.
//!
//! `PICTURES=folder` keeps the sheets to look at.

#![allow(dead_code, reason = "each test program uses a part")]

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::process::Command;

use document::{Language, VoucherSheet};
use primitives::{
    Amount, Currency, Hash, OrganisationId, Party, PersonId, Text, Timestamp, UtcOffset,
};
use proof::checkpoint::{Checkpoint, SignedCheckpoint};
use proof::log::{leaf_hash, node_hash};
use proof::note::{NoteKey, NoteSigner, SignatureType};
use proof::receipt::{
    Field, FieldAmount, FieldValue, OutcomeCode, RECEIPT_VERSION, ReceiptRecord, ReceiptSeed,
};
use proof::voucher::Voucher;

/// A sheet is made of a voucher that somebody else has checked, so any signature will do.
struct AnySigner(NoteKey);

impl NoteSigner for AnySigner {
    type Error = Infallible;
    fn key(&self) -> &NoteKey {
        &self.0
    }
    fn sign(&self, _: &[u8]) -> Result<[u8; 64], Infallible> {
        Ok([7; 64])
    }
}

pub const ORIGIN: &str = "yibao.example/demo";
pub const PAGE: &str = "https://yibao.example/verify";

pub fn field(name: &str, value: FieldValue) -> Field {
    Field { name: name.parse().expect("a name"), value }
}

pub fn settlement(currency: Currency, unit: u64) -> Vec<Field> {
    let money = |minor: u64| {
        let amount = Amount::from_minor(minor * unit);
        FieldValue::Amount(FieldAmount { amount, currency })
    };
    let hospital: OrganisationId = "hospital-1".parse().expect("a code");
    let day = |text: &str| FieldValue::Date(text.parse().expect("a day"));
    vec![
        field("visit", FieldValue::Hash(Hash([0x11; 32]))),
        field("provider", FieldValue::Party(Party::Organisation(hospital))),
        field("person", FieldValue::Party(Party::Person(PersonId([0x42; 16])))),
        field("region", FieldValue::Number(620_100)),
        field("scheme", FieldValue::Number(310)),
        field("service_from", day("2026-03-29")),
        field("service_to", day("2026-03-31")),
        field("bill", FieldValue::Hash(Hash([0xb1; 32]))),
        field("consent", FieldValue::Text(Text::new("own_key").expect("a text"))),
        field("total", money(1_268_035)),
        field("self_paid", money(12_000)),
        field("over_cap", money(0)),
        field("class_b_share", money(35_000)),
        field("in_policy", money(1_221_035)),
        field("deductible", money(50_000)),
        field("pooled_fund", money(995_380)),
        field("critical_illness", money(41_500)),
        field("personal_account", money(100_000)),
        field("cash", money(131_155)),
    ]
}

/// A voucher of these fields, at place 1 of a log of two receipts.
pub fn voucher(fields: &[Field], outcome: OutcomeCode) -> Voucher {
    let seed = ReceiptSeed([0x5e; 32]);
    let record = ReceiptRecord {
        version: RECEIPT_VERSION,
        chain_id: "gansu-demo".parse().expect("a name"),
        height: 812,
        index_in_block: 3,
        time: Timestamp::from_millis(1_774_944_300_123),
        transaction_id: Hash([0x77; 32]),
        kind: 504,
        outcome,
        commitments: seed.commit(fields).expect("few fields"),
    };
    let other = leaf_hash(b"another receipt");
    let root = node_hash(&other, &leaf_hash(&record.leaf()));
    let key = NoteKey::new(ORIGIN, SignatureType::Ed25519, [9; 32]).expect("a key");
    let checkpoint = SignedCheckpoint::sign(&Checkpoint::new(ORIGIN, 2, root), &AnySigner(key));
    let openings =
        (0_u32..).zip(fields).map(|(index, field)| seed.open(index, field.clone())).collect();
    let checkpoint = checkpoint.expect("a checkpoint");
    Voucher::issue(record, openings, 1, vec![other], checkpoint).expect("a voucher")
}

pub fn sheet(voucher: &Voucher, language: Language) -> VoucherSheet<'_> {
    VoucherSheet {
        voucher,
        index: 1,
        language,
        offset: UtcOffset(480),
        kind: "结算就诊",
        provider: Some("兰州市示范第一人民医院"),
        person: Some("王小明"),
        explanation: None,
        check_page: Some(PAGE),
        seal: None,
    }
}

/// The sheet as a file that other programs read.
pub fn written(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(format!("{name}.pdf"));
    std::fs::write(&path, bytes).expect("a file");
    if let Some(kept) = std::env::var_os("PICTURES") {
        std::fs::create_dir_all(&kept).expect("a folder to keep sheets in");
        let kept = Path::new(&kept).join(format!("{name}.pdf"));
        std::fs::write(kept, bytes).expect("a sheet that is kept");
    }
    (folder, path)
}

pub fn run(program: &str, arguments: &[&str], file: &Path, more: &[&str]) -> String {
    let out = Command::new(program).args(arguments).arg(file).args(more).output();
    let out = out.unwrap_or_else(|error| panic!("`{program}` of poppler-utils: {error}"));
    assert!(out.status.success(), "{program}: {}", String::from_utf8_lossy(&out.stderr));
    assert!(out.stderr.is_empty(), "{program}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).expect("text")
}

/// The text of the sheet without spaces and line ends.
pub fn text_of(name: &str, bytes: &[u8]) -> String {
    let (_folder, path) = written(name, bytes);
    let text = run("pdftotext", &["-q"], &path, &["-"]);
    text.chars().filter(|one| !one.is_whitespace()).collect()
}
