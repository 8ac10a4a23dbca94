//! A network of processes on this machine: `yibao demo --orgs 4`, and one that grows by the
//! commands of `yibao network`.

use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use node::signature::save_key;
use serde_json::Value;

use crate::kit::{Files, Run, yibao};
use crate::serve::{Served, found, read_at, text};
use crate::support::founding::{CHAIN, genesis, key};
use crate::tx::OPEN_FUND;

/// Far more than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

#[test]
fn four_organisations_settle_one_falls_and_comes_back_and_all_have_the_same_root() {
    let files = Files::new();
    let data = files.at("demo");
    let arguments = ["demo", "--orgs", "4", "--once", "--people", "12", "--data", text(&data)];
    let said = yibao(arguments).ok();
    for words in [
        "is killed (-9)",
        "is started again",
        "4 organisations, one ledger",
        "light: proofs only",
        "holds offline, cosigned by",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(said.contains("the books close to zero"), "{said}");
}

/// Waits until what a node says of the network is so.
#[track_caller]
pub fn wait_until(node: &Served, what: &str, holds: impl Fn(&Value) -> bool) {
    wait_until_at(node.url(), what, holds);
}

/// The same of the gateway at this address.
#[track_caller]
pub fn wait_until_at(url: &str, what: &str, holds: impl Fn(&Value) -> bool) {
    let end = Instant::now() + DEADLINE;
    loop {
        let (_, said) = read_at(url, "/v1/network");
        let said: Value = serde_json::from_str(&said).expect("JSON");
        if holds(&said) {
            return;
        }
        assert!(Instant::now() < end, "{what}: {said}");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// A port of this machine that nobody has now.
pub fn free_address() -> String {
    let bound = TcpListener::bind("127.0.0.1:0").expect("a port");
    bound.local_addr().expect("an address").to_string()
}

/// Those who govern sign a transaction file, and it is sent.
#[track_caller]
fn decide(files: &Files, node: &Served, file: &Path) -> Run {
    for code in ["bureau", "authority", "regulator"] {
        let path = files.at(&format!("{code}.key"));
        if !path.exists() {
            save_key(&path, &key(code)).expect("a key file");
        }
        let party = format!("organisation:{code}");
        yibao(["tx", "sign", text(file), "--key", text(&path), "--party", &party]).ok();
    }
    let bureau = files.at("bureau.key");
    yibao(["tx", "send", text(file), "--url", node.url(), "--key", text(&bureau)])
}

#[test]
fn one_organisation_invites_three_others_and_becomes_one_of_four() {
    let files = Files::new();
    let data = files.at("bureau");
    found(&data);
    let author = ["--author", "organisation:bureau"];
    let invitation = files.at("invitation.json");
    let invite = |address: &str| {
        let output = ["-o", text(&invitation)];
        let invite = ["network", "invite", "--data", text(&data), "--address", address];
        yibao([&invite[..], &output].concat())
    };
    let address = free_address();
    invite(&address).fails(2, &["is alone", "yibao network open"]);
    yibao(["network", "open", "--data", text(&data), "--listen", &address]).ok();
    let said = invite(&address).ok();
    let hash = genesis().hash().to_string();
    assert!(said.contains(&hash), "{said}");
    let mut bureau = Served::start(&data, CHAIN);
    let height = |node: &Served| {
        let said: Value = serde_json::from_str(&node.get("/v1/network").1).expect("JSON");
        said["height"].as_u64().expect("a height")
    };

    let mut nodes = Vec::new();
    for code in ["authority", "insurer", "regulator"] {
        let folder = files.at(code);
        let address = free_address();
        let join = |genesis: &str| {
            let join = ["network", "join", "--organisation", code, "--address", &address];
            let from = ["--invitation", text(&invitation), "--genesis", genesis];
            yibao([&join[..], &from, &["--data", text(&folder)]].concat())
        };
        let other = "0".repeat(64);
        join(&other).fails(2, &["the genesis of the invitation is", "ask who invited you"]);
        join(&hash).ok();
        join(&hash).fails(2, &["exists", "--data"]);
        // The last one begins with a snapshot of the founder, the others with the first block.
        let is_last = code == "regulator";
        if !is_last {
            nodes.push(Served::start(&folder, CHAIN));
        }
        let change = files.at(&format!("admit-{code}.json"));
        let request = folder.join("admit-node.json");
        let admit = ["network", "admit", text(&request), "--url", bureau.url()];
        yibao([&admit[..], &author, &["-o", text(&change)]].concat()).ok();
        decide(&files, &bureau, &change).ok();
        if is_last {
            let sync = || yibao(["network", "sync", "--data", text(&folder)]);
            sync().fails(1, &["the ledger is young", "yibao serve"]);
            // A node that stops in order leaves a snapshot. The others have all blocks before.
            let last = height(&bureau);
            for node in &nodes {
                wait_until(node, "it follows", |said| said["height"].as_u64() >= Some(last));
            }
            bureau.stop("-TERM");
            bureau = Served::start(&data, CHAIN);
            let said = sync().ok();
            assert!(said.contains("proved from the genesis over 0 changes"), "{said}");
            sync().fails(1, &["has a ledger already"]);
            nodes.push(Served::start(&folder, CHAIN));
            // A light node that is invited from there begins where it did.
            let light = files.at("light.json");
            let invite = ["light", "invite", "--data", text(&folder), "--address", &address];
            let said = yibao([&invite[..], &["-o", text(&light)]].concat()).ok();
            assert!(said.contains("the first blocks are not here"), "{said}");
            let root: Value =
                serde_json::from_slice(&std::fs::read(&light).expect("a file")).expect("JSON");
            let height = root["root"]["height"].as_u64().expect("a height");
            assert!(height > 1 && said.contains(&format!("begins at block {height}")), "{said}");
        }
    }
    let all = height(&bureau);
    for node in &nodes {
        wait_until(node, "it fetches the ledger", |said| said["height"].as_u64() >= Some(all));
    }
    let validators = |name: &str, changes: &[&str]| {
        let file = files.at(name);
        let change = ["network", "validators", "--url", bureau.url(), "-o", text(&file)];
        (yibao([&change[..], changes, &author].concat()), file)
    };
    validators("none.json", &[]).0.fails(2, &["--add", "--remove"]);
    validators("not.json", &["--remove", "insurer"]).0.fails(2, &["`insurer` is no validator"]);
    // Two could not go on without one of them.
    let (made, two) = validators("two.json", &["--add", "authority"]);
    made.ok();
    decide(&files, &bureau, &two).fails(1, &["without `authority` the others have 1 of 2"]);
    let others = ["--add", "authority", "--add", "insurer", "--add", "regulator"];
    let (made, four) = validators("four.json", &others);
    made.ok();
    decide(&files, &bureau, &four).ok();
    // An upgrade far ahead is shown, and changes nothing yet.
    let upgrade = files.at("upgrade.json");
    let schedule = ["network", "upgrade", "--height", "1000", "--url", nodes[1].url()];
    yibao([&schedule[..], &author, &["-o", text(&upgrade)]].concat()).ok();
    decide(&files, &nodes[0], &upgrade).ok();
    wait_until(&bureau, "it hears of it", |said| said["upgrade"]["height"] == 1_000);
    let said = yibao(["network", "status", "--url", bureau.url()]).ok();
    for words in ["number 1; from block 1000 on number 2", "4 organisations", "bureau "] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(said.matches(" signed the last block").count() >= 3, "{said}");

    // Whoever keeps vouchers asks two of them for the policy: they name the same cosigners.
    let names = |node: &Served| {
        let said = yibao(["network", "policy", "--url", node.url()]).ok();
        let lines = said.lines().filter(|line| !line.starts_with("log "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(names(&bureau).len(), 6, "four, their group and the quorum");
    assert_eq!(names(&bureau), names(&nodes[0]));
    assert!(names(&bureau).contains(&"quorum witnesses".to_owned()));

    // The founder stops, and three of four go on.
    bureau.stop("-TERM");
    let body = files.write("body.json", OPEN_FUND);
    let open = files.at("open.json");
    let make = ["tx", "make", "open_fund", "--author", "organisation:insurer", "--body", &body];
    yibao([&make[..], &["--chain", CHAIN, "-o", text(&open)]].concat()).ok();
    let insurer = files.at("insurer.key");
    save_key(&insurer, &key("insurer")).expect("a key file");
    let party = "organisation:insurer";
    yibao(["tx", "sign", text(&open), "--key", text(&insurer), "--party", party]).ok();
    yibao(["tx", "send", text(&open), "--url", nodes[1].url(), "--key", text(&insurer)]).ok();
    let last = height(&nodes[1]);
    for node in &nodes {
        wait_until(node, "all have it", |said| said["height"].as_u64() >= Some(last));
    }
    for node in nodes {
        node.stop("-TERM");
    }
    let checked = yibao(["verify", "chain", text(&files.at("insurer"))]).ok();
    assert!(checked.contains(&last.to_string()), "{checked}");
    let begun = yibao(["verify", "chain", text(&files.at("regulator"))]);
    begun.fails(2, &["the first block here is", "a node that has all blocks"]);
    // Alone it is no node of this ledger any more.
    std::fs::remove_file(data.join("node/peers.toml")).expect("a file");
    let alone = yibao(["serve", "--data", text(&data), "--listen", "127.0.0.1:0"]);
    alone.fails(2, &["certified by authority, bureau, insurer, regulator", "yibao network"]);
}
