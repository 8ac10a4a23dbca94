//! A light node of an insurer beside the bureau's full node, by the commands of
//! `docs/operate/light.md`.

use std::fs;
use std::path::Path;

use node::signature::save_key;
use serde_json::Value;

use crate::kit::{Files, command, yibao};
use crate::network::{free_address, wait_until, wait_until_at};
use crate::serve::{Served, found, signed, text};
use crate::support::founding::{CHAIN, key};

fn network(node: &Served) -> (u16, Value) {
    let (status, said) = node.get("/v1/network");
    (status, serde_json::from_str(&said).expect("JSON"))
}

#[test]
fn an_insurer_follows_settles_and_checks_on_a_light_node() {
    let files = Files::new();
    let data = files.at("bureau");
    found(&data);
    let door = free_address();
    let options = ["--light-nodes", door.as_str()];
    let bureau = Served::start_with(&data, CHAIN, &options);
    let invitation = files.at("invitation.json");
    let invite = ["light", "invite", "--data", text(&data), "--address", &door];
    let said = yibao([&invite[..], &["-o", text(&invitation)]].concat()).ok();
    let root = said.split_whitespace().find(|word| word.len() == 65).expect("a hash");
    let root = root.trim_end_matches(';');
    assert!(!fs::read_to_string(&invitation).expect("a file").contains("secret"), "nothing secret");

    let light = files.at("light");
    let join = |root: &str| {
        let join = ["light", "join", "--invitation", text(&invitation), "--root", root];
        yibao([&join[..], &["--organisation", "insurer", "--data", text(&light)]].concat())
    };
    join(&"0".repeat(64)).fails(2, &["the trust root of the invitation is", "ask who invited you"]);
    join(root).ok();
    join(root).fails(2, &["exists", "--data"]);
    // Before the ledger knows its key it is told nothing.
    let stranger = Served::start(&light, CHAIN);
    assert_eq!(network(&stranger).0, 503);
    let online = files.at("online.key");
    save_key(&online, &key("insurer")).expect("a key file");
    let early = ["get", "/v1/receipts", "--url", stranger.url(), "--key", text(&online)];
    let early = yibao([&early[..], &["--party", "organisation:insurer"]].concat());
    early.fails(1, &["cannot say which ledger it serves", "try again later"]);
    let (_, log) = stranger.stop("-TERM");
    assert!(log.contains("the headers are not followed"), "{log}");
    assert!(!log.contains("panicked"), "{log}");

    let (request, own) = (light.join("authorise-key.json"), files.at("insurer-root.key"));
    save_key(&own, &key("insurer-root")).expect("a key file");
    let party = ["--key", text(&own), "--party", "organisation:insurer"];
    yibao([&["tx", "sign", text(&request)][..], &party].concat()).ok();
    yibao(["tx", "send", text(&request), "--url", bureau.url(), "--key", text(&online)]).ok();

    let node = Served::start(&light, CHAIN);
    let height = network(&bureau).1["height"].as_u64();
    wait_until(&node, "it follows", |said| said["height"].as_u64() >= height);
    // Through its own gateway the insurer opens a fund and looks back.
    let (tx, insurer) = signed(&files);
    let send = ["tx", "send", text(&tx), "--key", text(&insurer), "--url"];
    yibao([&send[..], &[node.url()]].concat()).ok();
    let ask = |path: &str| {
        let ask = ["get", path, "--url", node.url(), "--key", text(&insurer)];
        let answer = yibao([&ask[..], &["--party", "organisation:insurer"]].concat()).ok();
        serde_json::from_str::<Value>(&answer).expect("JSON")
    };
    let list = ask("/v1/receipts");
    let kinds: Vec<_> = list["receipts"].as_array().expect("a list").iter().collect();
    assert!(kinds.iter().any(|one| one["kind"] == "open_fund"), "{list}");
    assert!(kinds.iter().any(|one| one["kind"] == "authorise_key"), "{list}");
    let both = [network(&bureau).1, network(&node).1];
    assert_eq!(both[0]["state_root"], both[1]["state_root"]);
    assert_eq!(both[0]["validators"], both[1]["validators"]);

    // Its full node is gone, and it says so; it comes back, and the light node goes on by itself.
    let before = bureau.url().replace("http://", "");
    bureau.stop("-TERM");
    let gone = yibao([
        "get",
        "/v1/receipts",
        "--url",
        node.url(),
        "--key",
        text(&insurer),
        "--party",
        "organisation:insurer",
    ]);
    gone.fails(1, &["unavailable"]);
    let bureau = Served::start_with(&data, CHAIN, &options);
    assert_ne!(bureau.url(), before);
    wait_until(&node, "it goes on", |said| said["height"].as_u64() >= height);
    assert!(ask("/v1/receipts")["receipts"].as_array().expect("a list").len() >= 2);
    node.stop("-TERM");

    // An operator runs it beside another clinic's, in one process.
    let other = files.at("regulator");
    let beside = ["--organisation", "regulator", "--data", text(&other)];
    let join = ["light", "join", "--invitation", text(&invitation), "--root", root];
    yibao([&join[..], &beside].concat()).ok();
    fs::remove_file(other.join("light/keys/sign-in.key")).expect("a file");
    // Any online key of the organisation signs in.
    save_key(&other.join("light/keys/sign-in.key"), &key("regulator")).expect("a key file");
    let [one, two] = [free_address(), free_address()];
    let clinic =
        |data: &str, at: &str| format!("[[clinic]]\ndata = \"{data}\"\nlisten = \"{at}\"\n");
    let both = clinic(text(&light), &one) + &clinic(text(&other), &two);
    let list = files.write("clinics.toml", &both);
    let hosted = Served::run(command().args(["light", "host", &list]));
    wait_until(&hosted, "the first follows", |said| said["height"].as_u64() >= height);
    let second = format!("http://{two}");
    wait_until_at(&second, "the second follows", |said| said["height"].as_u64() >= height);
    let get = |url: &str, code: &str, key: &Path| {
        let party = format!("organisation:{code}");
        yibao(["get", "/v1/receipts", "--url", url, "--key", text(key), "--party", &party])
    };
    assert!(get(hosted.url(), "insurer", &insurer).ok().contains("open_fund"));
    let regulator = files.at("regulator.key");
    save_key(&regulator, &key("regulator")).expect("a key file");
    assert!(!get(&second, "regulator", &regulator).ok().contains("open_fund"));
    hosted.stop("-TERM");
    let twice =
        files.write("twice.toml", &(clinic(text(&light), &one) + &clinic(text(&light), &two)));
    yibao(["light", "host", &twice]).fails(2, &["is named twice", "name each folder once"]);
    let none = files.write("none.toml", &clinic(text(&data), &one));
    yibao(["light", "host", &none]).fails(2, &["is no light node's", "yibao light join"]);
    bureau.stop("-TERM");
    let wrong =
        yibao(["serve", "--data", text(&light), "--light-nodes", &door, "--listen", "127.0.0.1:0"]);
    wrong.fails(2, &["a light node signs no blocks", "--light-nodes"]);
}
