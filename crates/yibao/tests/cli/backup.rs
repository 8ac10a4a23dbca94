//! `yibao backup` and `yibao restore`: copies of a folder that is served, brought back elsewhere,
//! and what may start from them.

use std::fs;
use std::path::{Path, PathBuf};

use node::signature::save_key;
use serde_json::Value;

use crate::kit::{Files, yibao};
use crate::serve::{Served, found, text, with_rails};
use crate::support::founding::{CHAIN, ORIGIN, key};

const AUTHOR: &str = "organisation:insurer";

/// A ledger of the insurer's, and transactions that open its funds.
struct Scene {
    files: Files,
    data: PathBuf,
    insurer: PathBuf,
}

impl Scene {
    fn new(has_rails: bool) -> Self {
        let files = Files::new();
        let data = files.at("data");
        if has_rails {
            with_rails(&files);
        } else {
            found(&data);
        }
        let insurer = files.at("insurer.key");
        save_key(&insurer, &key("insurer")).expect("a key file");
        Self { files, data, insurer }
    }

    /// A signed transaction that opens the insurer's fund of this number.
    fn open_fund(&self, number: u32) -> PathBuf {
        let tx = self.files.at(&format!("fund-{number}.json"));
        let body = format!(
            r#"{{"region": 620100, "fund": {number}, "owner": "insurer",
            "purpose": "commercial_supplement", "floor": "0"}}"#
        );
        let body = self.files.write(&format!("body-{number}.json"), &body);
        let make =
            ["tx", "make", "open_fund", "--author", AUTHOR, "--chain", CHAIN, "--body", &body];
        yibao(make.into_iter().chain(["-o", text(&tx)])).ok();
        let insurer = text(&self.insurer);
        yibao(["tx", "sign", text(&tx), "--key", insurer, "--party", AUTHOR]).ok();
        tx
    }

    /// Sends it; the receipt's place, and whether it had been there before.
    fn send(&self, served: &Served, tx: &Path) -> (u64, bool) {
        let insurer = text(&self.insurer);
        let said = yibao(["tx", "send", text(tx), "--url", served.url(), "--key", insurer]).ok();
        let answer: Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!(answer["receipt"]["outcome"]["status"], "accepted", "{answer}");
        let place = answer["receipt"]["id"].as_u64().expect("a place");
        (place, answer["is_duplicate"] == true)
    }

    fn backup(&self) -> String {
        yibao(["backup", text(&self.data), text(&self.backups())]).ok()
    }

    fn backups(&self) -> PathBuf {
        self.files.at("backups")
    }

    fn newest(&self) -> PathBuf {
        let backups = fs::read_dir(self.backups()).expect("backups").map(|one| one.expect("one"));
        let backups = backups.map(|one| one.path()).filter(|path| path.is_dir());
        backups.max().expect("a backup")
    }
}

fn origin(served: &Served) -> String {
    served.get("/log/checkpoint").1.lines().next().unwrap_or_default().to_owned()
}

fn verify(data: &Path) -> String {
    yibao(["verify", "chain", text(data)]).ok()
}

#[test]
fn a_backup_of_a_served_folder_is_restored_elsewhere_and_goes_on() {
    let scene = Scene::new(true);
    let served = Served::start(&scene.data, CHAIN);
    scene.send(&served, &scene.open_fund(1));
    let said = scene.backup();
    assert!(said.contains("  receipts  1, root ") && said.contains("all read back"), "{said}");
    scene.send(&served, &scene.open_fund(2));
    let said = scene.backup();
    assert!(said.contains("  receipts  2, root ") && !said.contains(" 0 B kept"), "{said}");
    let checkpoint = served.get("/log/checkpoint").1;
    served.stop("-TERM");

    let elsewhere = scene.files.at("elsewhere");
    let said = yibao(["restore", text(&scene.backups()), text(&elsewhere)]).ok();
    assert!(said.contains("  receipts  2, root "), "{said}");
    assert!(said.contains("--newest-copy") && said.contains("--state-loss"), "{said}");
    assert!(verify(&elsewhere).contains("  transactions  2 accepted"));
    for books in ["counter.sqlite", "bank.sqlite", "effects.sqlite", "outbox.sqlite", "rails.toml"]
    {
        assert!(elsewhere.join("insurer").join(books).exists(), "{books}");
    }
    yibao(["serve", "--listen", "127.0.0.1:0", "--data", text(&elsewhere)])
        .fails(1, &["as a restored backup has", "--newest-copy"]);
    let served = Served::start_with(&elsewhere, CHAIN, &["--newest-copy"]);
    assert_eq!(served.get("/log/checkpoint").1, checkpoint, "the log simply goes on");
    assert_eq!(scene.send(&served, &scene.open_fund(3)), (2, false));
    served.stop("-TERM");
    // From now on it is a folder like any other.
    Served::start(&elsewhere, CHAIN).stop("-TERM");
    assert!(verify(&elsewhere).contains("  transactions  3 accepted"));
}

#[test]
fn after_a_stated_loss_the_log_has_another_name_and_old_vouchers_stay_valid() {
    let scene = Scene::new(true);
    let served = Served::start(&scene.data, CHAIN);
    scene.send(&served, &scene.open_fund(1));
    scene.backup();
    let lost = scene.open_fund(2);
    scene.send(&served, &lost);
    let voucher = scene.files.at("lost.tlog-proof");
    let path = "/v1/receipts/1/voucher";
    let insurer = text(&scene.insurer);
    let get = ["get", path, "--url", served.url(), "--key", insurer, "--party", AUTHOR];
    yibao(get.into_iter().chain(["-o", text(&voucher)])).ok();
    assert_eq!(origin(&served), ORIGIN);
    served.stop("-TERM");

    let left = scene.files.at("left");
    yibao(["restore", text(&scene.newest()), text(&left)]).ok();
    let both = ["--newest-copy", "--state-loss"];
    yibao(["serve", "--data", text(&left)].into_iter().chain(both)).fails(2, &["cannot be used"]);
    let served = Served::start_with(&left, CHAIN, &["--state-loss"]);
    assert_eq!(origin(&served), format!("{ORIGIN}/2-from-1"));
    // What was lost is sent again, and happens in its old place of another log.
    assert_eq!(scene.send(&served, &lost), (1, false));
    served.stop("-TERM");
    let policy = left.join("trust-policy-1.txt");
    let before = fs::read_to_string(&policy).expect("the policy of the earlier log");
    assert!(before.contains(&format!("log {ORIGIN}+")), "{before}");
    let now = fs::read_to_string(left.join("trust-policy.txt")).expect("a policy");
    assert!(now.contains(&format!("log {ORIGIN}/2-from-1+")), "{now}");
    yibao(["verify", "voucher", text(&voucher), "--trust", text(&policy)]).ok();
    let losses = fs::read_to_string(left.join("node/losses.json")).expect("the loss");
    let losses: Value = serde_json::from_str(&losses).expect("JSON");
    assert_eq!((&losses[0]["origin"], &losses[0]["end"]["receipts"]), (&ORIGIN.into(), &1.into()));

    // Stated once, it is no question any more; stated again, it is the same loss or another one.
    let served = Served::start(&left, CHAIN);
    assert_eq!(origin(&served), format!("{ORIGIN}/2-from-1"));
    served.stop("-TERM");
    verify(&left);
    // Nothing is signed under another name than before.
    fs::write(left.join("node/origin"), format!("{ORIGIN}\n")).expect("a file");
    yibao(["serve", "--listen", "127.0.0.1:0", "--data", text(&left)])
        .fails(1, &["signed its log as", "2-from-1", "put it back"]);
}

#[test]
fn newer_blocks_that_the_old_folder_still_has_come_along() {
    let scene = Scene::new(false);
    let served = Served::start(&scene.data, CHAIN);
    scene.send(&served, &scene.open_fund(1));
    scene.backup();
    scene.send(&served, &scene.open_fund(2));
    scene.send(&served, &scene.open_fund(3));
    served.stop("-TERM");
    let whole = scene.files.at("whole");
    let newer = ["--newer-from", text(&scene.data)];
    let newest = scene.newest();
    let restore = ["restore", text(&newest), text(&whole)];
    let said = yibao(restore.into_iter().chain(newer)).ok();
    assert!(said.contains("  newer     2 blocks"), "{said}");
    assert!(said.contains("nothing that was signed is missing"), "{said}");
    let served = Served::start(&whole, CHAIN);
    assert_eq!(scene.send(&served, &scene.open_fund(4)), (3, false));
    served.stop("-TERM");
    assert!(verify(&whole).contains("  transactions  4 accepted"));
}

#[test]
fn a_ledger_is_restored_up_to_a_block_or_a_time() {
    let scene = Scene::new(false);
    let served = Served::start(&scene.data, CHAIN);
    for number in 1..=4 {
        scene.send(&served, &scene.open_fund(number));
    }
    served.stop("-TERM");
    // Block time begins in the past and catches up a day per block; the funds are the last ones.
    let said = scene.backup();
    let blocks = said.split_once("  blocks    ").and_then(|(_, rest)| rest.split_once(','));
    let last: u64 = blocks.and_then(|(number, _)| number.parse().ok()).expect("a height");
    let (second, none) = (last - 2, last + 5);
    let backups = scene.backups();
    let part = |name: &str, options: &[&str]| {
        let to = scene.files.at(name);
        let restore = ["restore", text(&backups), text(&to)];
        (yibao(restore.into_iter().chain(options.iter().copied())), to)
    };
    let (run, two) = part("two", &["--height", &second.to_string()]);
    let said = run.ok();
    assert!(said.contains(&format!("  blocks    {second}, the last ")), "{said}");
    assert!(verify(&two).contains("  transactions  2 accepted"));
    let time = said.lines().find_map(|line| line.split_once(" at ")).expect("a time").1.to_owned();
    let (run, to) = part("time", &["--time", &time]);
    run.ok();
    assert!(verify(&to).contains(&format!("  blocks        {second}, ")));
    let (run, to) = part("none", &["--height", &none.to_string()]);
    run.fails(1, &[&format!("there is no block {none}; the last one is {last}")]);
    assert!(!to.exists(), "nothing half-done is left");
    let (run, _) = part("early", &["--time", "2020-01-01T00:00:00.000Z"]);
    run.fails(1, &["the first block is of "]);
    let (run, _) = part("when", &["--time", "yesterday"]);
    run.fails(2, &["--time"]);
    Served::start_with(&two, CHAIN, &["--newest-copy"]).stop("-TERM");
}

#[test]
fn a_damaged_backup_or_one_of_another_form_is_not_restored() {
    let scene = Scene::new(false);
    let served = Served::start(&scene.data, CHAIN);
    scene.send(&served, &scene.open_fund(1));
    scene.backup();
    served.stop("-TERM");
    let (backup, to) = (scene.newest(), scene.files.at("to"));
    let restore = || yibao(["restore", text(&backup), text(&to)]);
    let manifest = fs::read_to_string(backup.join("backup.json")).expect("a list");
    let list: Value = serde_json::from_str(&manifest).expect("JSON");
    for file in list["files"].as_array().expect("files") {
        let path = backup.join(file["path"].as_str().expect("a path"));
        let whole = fs::read(&path).expect("a file");
        if whole.is_empty() {
            continue;
        }
        let mut damaged = whole.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        fs::write(&path, &damaged).expect("a file");
        restore().fails(1, &[text(&path), "is damaged", "restore another backup"]);
        fs::write(&path, &whole[..whole.len() - 1]).expect("a file");
        restore().fails(1, &[text(&path), "is damaged"]);
        fs::write(&path, &whole).expect("a file");
        assert!(!to.exists() && !scene.files.at("to.part").exists());
    }
    let newer = manifest.replace("yibao backup 1", "yibao backup 2");
    fs::write(backup.join("backup.json"), newer).expect("a list");
    restore().fails(2, &["`yibao backup 2`", "restore it with the version that made it"]);
    fs::write(backup.join("backup.json"), &manifest).expect("a list");
    fs::create_dir(&to).expect("a folder");
    fs::write(to.join("something"), "else").expect("a file");
    restore().fails(2, &["is there already", "an empty one"]);
    fs::remove_file(to.join("something")).expect("the file");
    restore().ok();
    yibao(["restore", "docs", text(&scene.files.at("x"))]).fails(2, &["is no backup"]);
    yibao(["backup", "docs", text(&scene.files.at("x"))]).fails(2, &["is no data folder"]);
    let inside = scene.data.join("backups");
    yibao(["backup", text(&scene.data), text(&inside)]).fails(2, &["inside the data folder"]);
}
