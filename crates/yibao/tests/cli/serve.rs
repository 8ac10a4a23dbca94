//! `yibao serve` from a founded folder: answers over HTTP, takes a transaction from `yibao tx
//! send`, stops on a signal, and leaves a chain that `yibao verify chain` finds whole.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

use node::signature::save_key;
use serde_json::Value;

use crate::kit::{Files, command, yibao};
use crate::support::founding::{CHAIN, ORIGIN, genesis, key};
use crate::tx::OPEN_FUND;

/// Writes the data folder of this ledger before its first block, as `yibao serve` reads it.
pub fn found(data: &Path) {
    let node = data.join("node");
    fs::create_dir_all(node.join("genesis")).expect("a folder");
    fs::create_dir_all(node.join("keys")).expect("a folder");
    let genesis = serde_json::to_vec_pretty(&genesis()).expect("a genesis has a form in JSON");
    fs::write(node.join("genesis/genesis.json"), genesis).expect("a file");
    fs::write(node.join("organisation"), "bureau\n").expect("a file");
    fs::write(node.join("origin"), format!("{ORIGIN}\n")).expect("a file");
    save_key(&node.join("keys/blocks.key"), &key("bureau-blocks")).expect("a key file");
    save_key(&node.join("keys/log.key"), &key("log")).expect("a key file");
}

/// A served data folder.
pub struct Served {
    child: Child,
    out: BufReader<ChildStdout>,
    /// Reads the log, so that the program never waits for somebody to read it.
    log: Option<JoinHandle<String>>,
    url: String,
    chain: String,
}

impl Served {
    /// Serves a data folder on a free port.
    pub fn start(data: &Path, chain: &str) -> Self {
        Self::start_with(data, chain, &[])
    }

    /// The same with further options.
    pub fn start_with(data: &Path, chain: &str, options: &[&str]) -> Self {
        Self::start_in(data, chain, options, &[])
    }

    /// The same with further options and environment variables.
    pub fn start_in(
        data: &Path,
        chain: &str,
        options: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let mut serve = command();
        serve
            .envs(variables.iter().copied())
            .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--data"])
            .arg(data)
            .args(options);
        let served = Self::run(&mut serve);
        assert_eq!(served.chain, chain);
        served
    }

    /// Runs a command that serves on a free port of this machine.
    pub fn run(serve: &mut Command) -> Self {
        let mut child =
            serve.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut errors = child.stderr.take().expect("a pipe");
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            errors.read_to_string(&mut log).expect("text");
            log
        });
        let mut line = String::new();
        out.read_line(&mut line).expect("a line");
        let url = line.split_whitespace().last().unwrap_or_default().to_owned();
        let words = line.strip_prefix("serving `").and_then(|line| line.split_once("` on http://"));
        let (chain, address) = words.unwrap_or_else(|| panic!("{line}"));
        assert!(address.starts_with("127.0.0.1:"), "{line}");
        let chain = chain.to_owned();
        Self { child, out, log: Some(log), url, chain }
    }

    /// The ledger that it said it serves.
    pub fn chain(&self) -> &str {
        &self.chain
    }

    /// Where it answers.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Reads a public page.
    pub fn get(&self, path: &str) -> (u16, String) {
        read_at(&self.url, path)
    }

    /// Tells it to stop; its last words and its log.
    pub fn stop(mut self, signal: &str) -> (String, String) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().expect("`kill` is there");
        assert!(sent.success());
        let mut out = String::new();
        self.out.read_to_string(&mut out).expect("text");
        let log = self.log.take().expect("a log").join().expect("a log is text");
        let status = self.child.wait().expect("it ends");
        assert!(status.success(), "{status}: {out}{log}");
        (out, log)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // A test that failed leaves no process behind; one that ended is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads a public page of the gateway at this address.
pub fn read_at(url: &str, path: &str) -> (u16, String) {
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    let agent: ureq::Agent = config.into();
    let mut response = agent.get(format!("{url}{path}")).call().expect("an answer");
    let text = response.body_mut().read_to_string().expect("text");
    (response.status().as_u16(), text)
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// A signed transaction that opens the insurer's fund.
pub fn signed(files: &Files) -> (PathBuf, PathBuf) {
    let (tx, insurer) = (files.at("tx.json"), files.at("insurer.key"));
    save_key(&insurer, &key("insurer")).expect("a key file");
    let body = files.write("body.json", OPEN_FUND);
    let author = "organisation:insurer";
    let make = [
        "tx",
        "make",
        "open_fund",
        "--author",
        author,
        "--chain",
        "vectors",
        "--body",
        &body,
        "-o",
    ];
    yibao(make.into_iter().chain([text(&tx)])).ok();
    yibao(["tx", "sign", text(&tx), "--key", text(&insurer), "--party", author]).ok();
    (tx, insurer)
}

#[test]
fn a_data_folder_is_served_used_stopped_and_verified() {
    let files = Files::new();
    let data = files.at("data");
    found(&data);
    let served = Served::start(&data, CHAIN);
    assert_eq!(served.get("/health/live").0, 204);
    assert_eq!(served.get("/health/ready").0, 204);
    let (status, contract) = served.get("/v1/openapi.json");
    let contract: Value = serde_json::from_str(&contract).expect("JSON");
    assert_eq!((status, contract["openapi"].as_str()), (200, Some("3.1.0")));
    assert!(served.get("/metrics").1.contains("yibao_node_disk_bytes"));
    assert_eq!(served.get("/v1/receipts").0, 401);
    let (status, checkpoint) = served.get("/log/checkpoint");
    assert_eq!((status, checkpoint.lines().next()), (200, Some("yibao.example/vectors")));

    let (tx, insurer) = signed(&files);
    let send = || yibao(["tx", "send", text(&tx), "--url", &served.url, "--key", text(&insurer)]);
    let answer: Value = serde_json::from_str(&send().ok()).expect("JSON");
    assert_eq!(answer["receipt"]["outcome"]["status"], "accepted");
    assert_eq!(answer["receipt"]["events"][0], "fund_opened");
    assert_eq!(answer["is_duplicate"], false);
    let again: Value = serde_json::from_str(&send().ok()).expect("JSON");
    assert_eq!(
        (&again["is_duplicate"], &again["receipt"]),
        (&Value::Bool(true), &answer["receipt"])
    );

    // The same content anew is another transaction, which the ledger rejects.
    fs::remove_file(&tx).expect("the file");
    fs::remove_file(&insurer).expect("the file");
    signed(&files);
    let refused = send();
    refused.fails(1, &["the transaction did not happen", "exists already"]);
    assert!(refused.err.contains("code"), "{}", refused.err);
    let stranger = files.at("stranger.key");
    yibao(["keys", "new", text(&stranger)]).ok();
    yibao(["tx", "send", text(&tx), "--url", &served.url, "--key", text(&stranger)])
        .fails(1, &["does not let you in"]);

    yibao(["serve", "--listen", "127.0.0.1:0", "--data", text(&data)])
        .fails(1, &["is in use by another node", "stop that node"]);
    let (out, log) = served.stop("-TERM");
    assert!(out.contains("stopped; everything acknowledged is on the disk"), "{out}");
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).expect("one JSON object per line");
        assert!(line["level"].is_string(), "{line}");
    }
    assert!(!log.contains("insurer"), "parties do not stand in the log: {log}");

    // It comes up again with what it had, and goes down by ctrl-c as well.
    let served = Served::start(&data, CHAIN);
    let checkpoint = served.get("/log/checkpoint").1;
    assert!(checkpoint.lines().nth(1).is_some_and(|size| size != "0"), "{checkpoint}");
    served.stop("-INT");
    let report = yibao(["verify", "chain", text(&data)]).ok();
    for words in [
        "the chain is whole",
        "  ledger        vectors",
        "  transactions  1 accepted, ",
        "  receipt log   ",
    ] {
        assert!(report.contains(words), "`{words}` is not in: {report}");
    }
    damage(&data);
    let run = yibao(["verify", "chain", text(&data.join("node"))]);
    assert_eq!(run.code, 1, "{}{}", run.out, run.err);
    assert!(
        run.err.contains("the chain is NOT whole") && run.err.contains("block 1"),
        "{}",
        run.err
    );
}

/// Changes a byte in the middle of the first block.
fn damage(data: &Path) {
    let blocks = data.join("node/blocks");
    let segment = fs::read_dir(&blocks).expect("segments").next().expect("one").expect("a file");
    let mut bytes = fs::read(segment.path()).expect("a segment");
    bytes[400] ^= 1;
    fs::write(segment.path(), bytes).expect("a segment");
}

#[test]
fn a_port_in_use_is_named_with_the_remedy() {
    let files = Files::new();
    let data = files.at("data");
    found(&data);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let port = address.port().to_string();
    let run = yibao(["serve", "--data", text(&data), "--listen", &address.to_string()]);
    run.fails(1, &[&format!("port {port}"), "is in use", "choose another with --listen"]);
}

#[test]
fn a_folder_that_cannot_be_served_says_what_it_lacks() {
    let files = Files::new();
    let data = files.at("data");
    let serve = || yibao(["serve", "--listen", "127.0.0.1:0", "--data", text(&data)]);
    serve().fails(2, &["holds no ledger", "yibao demo"]);
    found(&data);
    let upgrade = ["serve", "--data", text(&data), "--rehearse-protocol", "2"];
    yibao(upgrade).fails(2, &["ends with `-rehearsal`", "this one is `vectors`"]);
    let keys = data.join("node/keys");
    fs::rename(keys.join("log.key"), keys.join("other.key")).expect("a key");
    serve().fails(2, &["log.key` does not exist", "yibao keys new"]);
    fs::rename(keys.join("other.key"), keys.join("log.key")).expect("a key");
    fs::copy(keys.join("log.key"), keys.join("blocks.key")).expect("a key");
    serve().fails(2, &["blocks.key` is not the key with which `bureau` certifies blocks"]);
    fs::write(data.join("node/organisation"), "Not A Code\n").expect("a file");
    serve().fails(2, &["organisation`"]);
    fs::write(data.join("node/genesis/genesis.json"), "{\"chain_id\":5}").expect("a file");
    fs::write(data.join("node/organisation"), "bureau\n").expect("a file");
    serve().fails(2, &["the genesis `", "`chain_id`"]);
}

#[test]
fn a_gateway_that_is_not_there_or_not_http_is_said() {
    let files = Files::new();
    let (tx, insurer) = signed(&files);
    let send = |url: &str| yibao(["tx", "send", text(&tx), "--url", url, "--key", text(&insurer)]);
    send("https://localhost:1").fails(2, &["`--url`", "http only"]);
    send("localhost").fails(2, &["`--url`", "such as http://localhost:8420"]);
    // Nobody listens on port 1.
    send("http://127.0.0.1:1").fails(1, &["does not answer"]);
}

const RAILS: &str = "[[rail]]\nkind = \"counter\"\nname = \"counter\"\ncurrency = \"CNY\"\nutc_offset_minutes = 480\n
[[rail]]\nkind = \"sandbox_bank\"\nname = \"bank\"\ncurrency = \"CNY\"\nutc_offset_minutes = 480\nstyle = \"pay_and_refund\"
payment_limit = \"500.00\"\ndaily_limit = \"5000.00\"\nseed = 1\n";

/// A founded folder in which the insurer has rails.
pub fn with_rails(files: &Files) -> PathBuf {
    let data = files.at("data");
    found(&data);
    fs::create_dir_all(data.join("insurer/keys")).expect("a folder");
    save_key(&data.join("insurer/keys/execute.key"), &key("insurer")).expect("a key file");
    fs::write(data.join("insurer/rails.toml"), RAILS).expect("a file");
    data
}

#[test]
fn payments_outside_are_driven_for_every_organisation_with_rails() {
    let files = Files::new();
    let data = with_rails(&files);
    let served = Served::start(&data, CHAIN);
    assert!(served.get("/metrics").1.contains("yibao_node_open_effects 0"));
    let (_, log) = served.stop("-TERM");
    let driven = |line: &str| line.contains("payments outside") && line.contains("\"outboxes\":1");
    assert!(log.lines().any(driven), "{log}");
    for books in ["counter.sqlite", "bank.sqlite", "effects.sqlite", "outbox.sqlite"] {
        assert!(data.join("insurer").join(books).exists(), "{books}");
    }
}

#[test]
fn rails_that_cannot_be_driven_are_named() {
    let files = Files::new();
    let data = with_rails(&files);
    let rails = data.join("insurer/rails.toml");
    let serve = || yibao(["serve", "--listen", "127.0.0.1:0", "--data", text(&data)]);
    for (from, to, words) in [
        ("\"counter\"\nname", "\"purse\"\nname", &["`rail[0]", "purse", "counter"][..]),
        ("\"500.00\"", "500.0", &["`rail[1]", "written as text"]),
        ("\"500.00\"", "\"5.001\"", &["`payment_limit`", "at most 2 digits"]),
        ("\"bank\"", "\"counter\"", &["the name `counter` is there twice"]),
        ("\"CNY\"", "\"RMB\"", &["`rail[0]", "RMB"]),
    ] {
        fs::write(&rails, RAILS.replacen(from, to, 1)).expect("a file");
        let mut words = words.to_vec();
        words.push("the rails `");
        serve().fails(2, &words);
    }
    fs::write(&rails, RAILS).expect("a file");
    fs::remove_file(data.join("insurer/keys/execute.key")).expect("the key");
    serve().fails(2, &["execute.key` does not exist"]);
}

#[test]
fn a_demonstration_is_served_again_and_verified() {
    let files = Files::new();
    let data = files.at("demo");
    let said = yibao(["demo", "--once", "--people", "12", "--data", text(&data)]).ok();
    assert!(said.contains("the books close to zero"), "{said}");
    let (voucher, policy) = (data.join("voucher.tlog-proof"), data.join("trust-policy.txt"));
    let verified = yibao(["verify", "voucher", text(&voucher), "--trust", text(&policy)]).ok();
    assert!(verified.contains("  ledger       yibao-demo"), "{verified}");
    let served = Served::start(&data, "yibao-demo");
    assert_eq!(served.get("/health/ready").0, 204);
    assert!(served.get("/metrics").1.contains("yibao_node_open_effects 0"));
    served.stop("-TERM");
    let report = yibao(["verify", "chain", text(&data)]).ok();
    assert!(report.contains("USD: ") && report.contains("CNY: "), "{report}");
    assert_eq!(report.matches(", sum 0").count(), 2, "{report}");
}
