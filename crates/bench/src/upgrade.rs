//! A data folder that an earlier release left is opened with this one: the same root, settled on,
//! and the whole chain verified. `--make` writes such a folder with this release.

use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use benefit::Payer;
use clap::Parser;
use ledger::modules::fund::Contribute;
use node::NodeHandle;
use primitives::{Amount, FundId, sha256};
use serde_json::{Value, json};

use crate::ceiling::Mix;
use crate::http::{self, Served};
use crate::in_process;
use crate::region::{REGION, Region, Size, must};
use crate::settlement::Maker;
use crate::tree::copy_tree;

/// Opens a data folder of an earlier release with the shipped program.
#[derive(Parser)]
pub struct Options {
    /// The data folder, with `expected.json` beside its `node`.
    #[arg(long, default_value = "crates/bench/fixtures/data-1")]
    fixture: PathBuf,
    /// Writes the folder with this release instead; an earlier release's stays as it is.
    #[arg(long)]
    make: bool,
    /// Where a copy is worked on.
    #[arg(long, default_value = "target/bench")]
    folder: PathBuf,
}

const PEOPLE: u64 = 3;
const EXPECTED_FILE: &str = "expected.json";
/// A fund of the first scheme, as [`Region`] numbers them.
fn fund() -> FundId {
    FundId(310 * 32 + u16::from(Payer::PooledFund.number()))
}

/// Runs the drill, or writes what it needs.
///
/// # Errors
/// What is not as it was left.
pub fn run(options: &Options) -> Result<()> {
    if options.make {
        return make(&options.fixture);
    }
    fs::create_dir_all(&options.folder)?;
    let folder = tempfile::tempdir_in(&options.folder)?;
    let data = folder.path().join("data");
    copy_tree(&options.fixture, &data)?;
    // What a repository does not keep.
    for key in fs::read_dir(data.join("node/keys"))? {
        fs::set_permissions(key?.path(), Permissions::from_mode(0o600))?;
    }
    let expected: Value = serde_json::from_slice(&fs::read(data.join(EXPECTED_FILE))?)?;
    ensure!(verified(&data)?.contains(root(&expected)?), "the chain has another root");
    let region = region();
    let genesis = serde_json::from_slice(&fs::read(data.join("node/genesis/genesis.json"))?)?;
    let node = in_process::open(&data, &genesis)?;
    ensure!(figures(&node) == expected, "{} instead of {expected}", figures(&node));
    go_on(&region, &node)?;
    let after = figures(&node);
    node.stop();
    drop(node);
    ensure!(after != expected, "nothing happened");
    let served = Served::start(&data)?;
    drop(served);
    ensure!(verified(&data)?.contains(root(&after)?), "the chain has another root afterwards");
    println!(
        "the data folder of an earlier release has its root, was settled on from block {}, and its \
         chain verifies",
        expected["height"]
    );
    Ok(())
}

fn region() -> Region {
    Region::new(Size { people: PEOPLE, funds: 1, mix: Mix::Ed25519 })
}

/// Where a node stands, as `expected.json` says it.
fn figures(node: &NodeHandle) -> Value {
    let view = node.view();
    json!({
        "height": view.tip.height,
        "receipts": view.tip.log.size(),
        "receipt_log_root": view.tip.log.root(),
        "state_root": view.state.root(),
    })
}

fn root(figures: &Value) -> Result<&str> {
    figures.get("state_root").and_then(Value::as_str).context("a state root")
}

/// A contribution: the keys of the genesis are good for ten years.
fn go_on(region: &Region, node: &NodeHandle) -> Result<()> {
    let body = Contribute {
        region: REGION,
        fund: fund(),
        amount: Amount::from_minor(100),
        reference: sha256(b"after the upgrade"),
    };
    must(node, vec![region.sign(&[&region.bureau], "after the upgrade", 1, &body)])
}

/// What `verify chain` of the shipped program says of a folder.
fn verified(data: &Path) -> Result<String> {
    let output = Command::new(http::program()?).args(["verify", "chain"]).arg(data).output()?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "verify chain: {error}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A small folder without what a start makes anew, and without the zeros ahead of the blocks.
fn make(data: &Path) -> Result<()> {
    ensure!(!data.exists(), "`{}` is there: releases' folders are never changed", data.display());
    let region = region();
    let genesis = region.found(data)?;
    let node = in_process::open(data, &genesis)?;
    region.settle_in(&node)?;
    must(&node, Maker::new(&region).make(&node, usize::try_from(PEOPLE)?)?)?;
    let expected = figures(&node);
    node.stop();
    fs::write(data.join(EXPECTED_FILE), serde_json::to_vec_pretty(&expected)?)?;
    let node = data.join("node");
    for name in ["history.sqlite", "history.sqlite-wal", "history.sqlite-shm", "lock"] {
        let _ = fs::remove_file(node.join(name));
    }
    for entry in fs::read_dir(node.join("blocks"))? {
        let path = entry?.path();
        let used = fs::read(&path)?.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        OpenOptions::new().write(true).open(&path)?.set_len(used as u64)?;
    }
    println!("`{}` stands for this release: {expected}", data.display());
    Ok(())
}
