//! What each target is given first: its committed corpus, and what the repository holds anyway.

use std::fs;
use std::path::{Path, PathBuf};

use ledger::{Seeds, State};
use primitives::{Hash, codec};
use serde_json::Value;

use crate::{bank, disk};

/// The committed inputs of a target; those that a crash left are among them.
#[must_use]
pub fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All inputs of a target: those of its folder, then those made from vectors, samples and plans.
///
/// # Panics
/// When a file of the repository cannot be read.
#[must_use]
pub fn inputs(target: &str) -> Vec<Vec<u8>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder(target))
        .map(|entries| entries.map(|entry| entry.expect("an entry").path()).collect())
        .unwrap_or_default();
    files.sort();
    let mut inputs: Vec<Vec<u8>> = files.iter().map(|file| read(file)).collect();
    inputs.extend(made(target));
    inputs
}

fn made(target: &str) -> Vec<Vec<u8>> {
    match target {
        "note" | "tlog_proof" | "voucher" => vouchers().to_vec(),
        "checkpoint" => vouchers().iter().map(|voucher| checkpoint_in(voucher)).collect(),
        "policy" => vec![sample("vectors/voucher", "policy.txt")],
        "transaction" => vectors("transactions", "content_bytes", &[0]),
        "body" => bodies(),
        "body_json" => bodies_json(),
        "signature" => signatures(),
        "plan" => {
            ["lanzhou-employee", "us-massachusetts"].iter().flat_map(|plan| plans(plan)).collect()
        }
        "adjudication" => adjudications(),
        "catalogue" => ["lanzhou-employee", "us-massachusetts"]
            .map(|plan| sample(&format!("plans/{plan}"), "catalogue.toml"))
            .to_vec(),
        "state_proof" => state_proofs(),
        "snapshot" => vec![disk::without_sum(&disk::fixture(disk::SNAPSHOT))],
        "bank_file" => bank::examples(),
        "bill" => ["bill-outpatient.json", "bill-stay.json", "bill-us.json"]
            .map(|name| sample("samples", name))
            .to_vec(),
        _ => Vec::new(),
    }
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("`{}`: {error}", path.display()))
}

fn sample(folder: &str, name: &str) -> Vec<u8> {
    read(&root().join(folder).join(name))
}

fn vouchers() -> [Vec<u8>; 2] {
    ["closed.tlog-proof", "open.tlog-proof"].map(|name| sample("vectors/voucher", name))
}

/// What stands behind the first empty line of a voucher.
fn checkpoint_in(voucher: &[u8]) -> Vec<u8> {
    let line = voucher.windows(2).position(|two| two == b"\n\n").expect("an empty line");
    voucher[line + 2..].to_vec()
}

/// That a row is there, and that one is not.
fn state_proofs() -> Vec<Vec<u8>> {
    let (salt, secret) = (Hash([1; 32]), Hash([2; 32]));
    let mut state = State::new(Seeds { salt, secret });
    let keys: Vec<[u8; 1]> = (0..64).map(|key| [key]).collect();
    state.commit(keys.iter().map(|key| (&key[..], Some(&b"value"[..]))));
    [&b"\x07"[..], b"nobody"].map(|key| codec::encode(&state.prove(key))).to_vec()
}

fn plans(name: &str) -> Vec<Vec<u8>> {
    let folder = root().join("plans").join(name);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder of plans")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .filter(|path| !path.ends_with("catalogue.toml"))
        .collect();
    files.sort();
    files.iter().map(|file| read(file)).collect()
}

fn vector_file(name: &str) -> Vec<Value> {
    let bytes = sample("vectors", &format!("{name}.json"));
    let file: Value = serde_json::from_slice(&bytes).expect("vectors are JSON");
    file.get("vectors").and_then(Value::as_array).cloned().expect("a list of vectors")
}

fn text<'a>(vector: &'a Value, field: &str) -> &'a str {
    vector.get(field).and_then(Value::as_str).expect("a text in a vector")
}

/// Bytes in a field of vectors, with further bytes behind them.
fn vectors(file: &str, field: &str, behind: &[u8]) -> Vec<Vec<u8>> {
    let one = |vector: &Value| {
        let mut bytes = hex::decode(text(vector, field)).expect("hex in a vector");
        // The length of an empty list of signatures.
        bytes.extend(behind.iter().flat_map(|count| u32::from(*count).to_le_bytes()));
        bytes
    };
    vector_file(file).iter().map(one).collect()
}

/// The place of a vector's kind in the registry.
fn place(vector: &Value) -> Option<u8> {
    let kinds = ledger::registry();
    let place = kinds.kinds().iter().position(|kind| kind.name == text(vector, "kind"))?;
    u8::try_from(place).ok()
}

fn bodies() -> Vec<Vec<u8>> {
    let vectors = vector_file("transactions");
    let one = |vector: &Value| {
        let body = hex::decode(text(vector, "body_bytes")).expect("hex in a vector");
        Some([vec![place(vector)?], body].concat())
    };
    vectors.iter().filter_map(one).collect()
}

fn bodies_json() -> Vec<Vec<u8>> {
    let vectors = vector_file("transactions");
    let one = |vector: &Value| {
        let body = vector.get("body")?.to_string().into_bytes();
        Some([vec![place(vector)?], body].concat())
    };
    vectors.iter().filter_map(one).collect()
}

/// Splits of one plan, with no running amounts before.
fn adjudications() -> Vec<Vec<u8>> {
    let vectors = vector_file("adjudications");
    let bytes =
        |vector: &Value, field: &str| hex::decode(text(vector, field)).expect("hex in a vector");
    let one = |vector: &Value| {
        let plan = vector.get("plans")?.get(0)?;
        let none = vec![0; 4];
        Some([
            bytes(plan, "bytes"),
            bytes(vector, "sums_bytes"),
            bytes(vector, "facts_bytes"),
            none,
        ])
    };
    vectors.iter().filter_map(one).map(|parts| parts.concat()).collect()
}

fn signatures() -> Vec<Vec<u8>> {
    let vectors = vector_file("signatures");
    let one = |vector: &Value| {
        let key = vector.get("key").cloned()?;
        let key: primitives::PublicKey = serde_json::from_value(key).ok()?;
        let signature = vector.get("signature").cloned()?;
        let signature: primitives::Signature = serde_json::from_value(signature).ok()?;
        Some(codec::encode(&(key, signature)))
    };
    vectors.iter().filter_map(one).collect()
}
