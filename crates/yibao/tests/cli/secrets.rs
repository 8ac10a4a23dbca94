//! Key files with a passphrase, and that secrets stand nowhere where others could read them: not in
//! arguments, not in the environment, not in what is printed or logged, not in the data folder.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use gateway::session::challenge::sign_in_message;
use serde_json::{Value, json};

use crate::kit::{Files, Run, command, yibao};
use crate::serve::{found, text};
use crate::support::founding::{CHAIN, key};

const FIRST: &str = "one rather long passphrase";
const SECOND: &str = "another rather long passphrase";

/// Runs the binary with this on its standard input.
fn with_input(arguments: &[&str], input: &str) -> Run {
    let mut child = command()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A run that needs no passphrase may be over before it reads one.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("it ends").into()
}

/// A file that only its owner may read.
fn private(files: &Files, name: &str, content: &str) -> String {
    let path = files.write(name, content);
    fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).expect("own file");
    path
}

/// Runs the binary with files for the old and the new passphrase.
fn with_files(arguments: &[&str], old: Option<&str>, new: Option<&str>) -> Run {
    let mut command = command();
    command.args(arguments).stdin(Stdio::null());
    let named = [("YIBAO_PASSPHRASE_FILE", old), ("YIBAO_NEW_PASSPHRASE_FILE", new)];
    for (name, file) in named {
        if let Some(file) = file {
            command.env(name, file);
        }
    }
    // In a session of its own, so that there is no terminal to ask.
    setsid(command).output().expect("the binary runs").into()
}

/// The same command in a session without a terminal.
fn setsid(command: Command) -> Command {
    let mut outer = Command::new("setsid");
    outer.arg("--wait").arg(command.get_program()).args(command.get_args());
    outer.env_clear().current_dir(command.get_current_dir().expect("a folder"));
    outer.env("PATH", std::env::var("PATH").unwrap_or_default());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            outer.env(name, value);
        }
    }
    outer
}

#[test]
fn a_passphrase_comes_from_a_descriptor_or_a_file_and_is_changed_and_taken_away() {
    let files = Files::new();
    let path = files.at("desk.key");
    let file = text(&path);
    let (first, second) = (private(&files, "1", FIRST), private(&files, "2", SECOND));
    let new = ["keys", "new", "--protect", "--new-passphrase-fd", "0", file];
    let public = with_input(&new, &format!("{FIRST}\nnot looked at")).ok();
    assert_eq!(yibao(["keys", "show", file]).ok(), public, "no passphrase is needed to see it");
    let reader = ["vault", "reader", file];
    let from_descriptor = ["--passphrase-fd", "0", "vault", "reader", file];
    let shown = with_input(&from_descriptor, FIRST).ok();
    assert_eq!(with_files(&reader, Some(&first), None).ok(), shown);
    with_input(&from_descriptor, SECOND).fails(2, &["does not open key file", "desk.key"]);
    with_input(&from_descriptor, "").fails(2, &["file descriptor 0", "its first line is empty"]);
    with_files(&reader, None, None).fails(2, &["--passphrase-fd", "YIBAO_PASSPHRASE_FILE"]);
    // Changed, in one step.
    let protect = ["keys", "protect", file];
    with_files(&protect, Some(&first), Some(&second)).ok();
    with_files(&reader, Some(&first), None).fails(2, &["does not open key file"]);
    assert_eq!(with_files(&reader, Some(&second), None).ok(), shown);
    // Taken away.
    let unprotect = ["keys", "unprotect", file];
    with_files(&unprotect, Some(&first), None).fails(2, &["does not open key file"]);
    with_files(&unprotect, Some(&second), None).ok();
    assert_eq!(with_files(&reader, None, None).ok(), shown);
}

#[test]
fn a_passphrase_that_is_short_missing_or_open_to_others_is_refused_and_nothing_is_changed() {
    let files = Files::new();
    let path = files.at("desk.key");
    let file = text(&path);
    yibao(["keys", "new", file]).ok();
    let before = fs::read_to_string(file).expect("a file");
    let protect = ["keys", "protect", file];
    let short = private(&files, "short", "eleven char");
    with_files(&protect, None, Some(&short)).fails(2, &["at least 12 characters"]);
    with_files(&protect, None, None).fails(2, &["no terminal", "YIBAO_NEW_PASSPHRASE_FILE"]);
    let open = files.write("open", FIRST);
    fs::set_permissions(&open, PermissionsExt::from_mode(0o644)).expect("own file");
    with_files(&protect, None, Some(&open)).fails(2, &["read by others", "chmod 600"]);
    with_files(&protect, None, Some("/nowhere")).fails(2, &["/nowhere", "YIBAO_NEW_PASSPHRASE"]);
    let binary = private(&files, "binary", "");
    fs::write(&binary, b"\xff\xfe twelve or more").expect("a file");
    with_files(&protect, None, Some(&binary)).fails(2, &["not UTF-8"]);
    assert_eq!(fs::read_to_string(file).expect("a file"), before);
}

/// Every option of every command that takes a value, with what the help calls the value.
fn options(commands: &[&str], found: &mut BTreeSet<(String, String)>) {
    let help = yibao(commands.iter().copied().chain(["--help"])).ok();
    for line in help.lines().map(str::trim).filter(|line| line.starts_with('-')) {
        let mut words = line.split_whitespace().skip_while(|word| !word.starts_with("--"));
        let (name, value) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if value.starts_with('<') {
            found.insert((name.to_owned(), value.to_owned()));
        }
    }
    let list = help.split("\nCommands:\n").nth(1).unwrap_or_default();
    for line in list.lines().take_while(|line| !line.is_empty()) {
        let is_new = line.starts_with("  ") && !line.starts_with("   ");
        let Some(name) = line.split_whitespace().next().filter(|_| is_new) else { continue };
        if name != "help" {
            options(&[commands, &[name]].concat(), found);
        }
    }
}

#[test]
fn no_option_of_any_command_takes_a_secret() {
    let mut found = BTreeSet::new();
    options(&[], &mut found);
    let names: BTreeSet<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    for known in ["--data", "--key", "--passphrase-fd", "--new-passphrase-fd"] {
        assert!(names.contains(known), "the help was read: {found:?}");
    }
    let secret = ["pass", "secret", "token", "pin", "key"];
    let is_reference = |value: &str| ["<FD>", "<KEYFILE>", "<FILE>"].contains(&value);
    for (name, value) in &found {
        let is_suspect = secret
            .iter()
            .any(|word| name.trim_start_matches('-').split('-').any(|part| part.contains(word)));
        assert!(!is_suspect || is_reference(value), "{name} {value}");
    }
}

/// Everything in a folder, as one heap of bytes.
fn everything_in(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.extend(everything_in(&path));
        } else {
            all.extend(fs::read(&path).expect("a file"));
        }
    }
    all
}

fn contains(heap: &[u8], text: &str) -> bool {
    heap.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Signs the insurer in, as a client does; its token.
fn sign_in(url: &str) -> String {
    let post = |path: &str, body: &Value| -> Value {
        let sent = ureq::post(format!("{url}{path}")).header("content-type", "application/json");
        let mut answer = sent.send(body.to_string()).expect("an answer");
        serde_json::from_str(&answer.body_mut().read_to_string().expect("text")).expect("JSON")
    };
    let party = "organisation:insurer";
    let asked = post("/v1/sessions/challenges", &json!({ "party": party }));
    let challenge = asked["challenge"].as_str().expect("a challenge");
    let chain = CHAIN.parse().expect("a name");
    let message = sign_in_message(chain, party.parse().expect("a party"), challenge);
    let signature = key("insurer").sign(&message);
    let answer = post(
        "/v1/sessions",
        &json!({
            "party": party, "challenge": challenge, "key": key("insurer").public_key(),
            "signature": signature
        }),
    );
    answer["token"].as_str().expect("a token").to_owned()
}

#[test]
fn a_served_node_with_protected_keys_shows_its_secrets_nowhere() {
    let files = Files::new();
    let data = files.at("data");
    found(&data);
    let passphrase = private(&files, "passphrase", FIRST);
    for name in ["blocks", "log"] {
        let file = data.join(format!("node/keys/{name}.key"));
        with_files(&["keys", "protect", text(&file)], None, Some(&passphrase)).ok();
    }
    let serve = ["serve", "--listen", "127.0.0.1:0", "--data", text(&data)];
    with_files(&serve, None, None).fails(2, &["blocks.key", "protected by a passphrase"]);
    let mut child = command()
        .args(serve)
        .env("YIBAO_PASSPHRASE_FILE", &passphrase)
        .env("YIBAO_LOG", "trace")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut log = child.stderr.take().expect("a pipe");
    let log = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        log.read_to_end(&mut bytes).expect("a log");
        bytes
    });
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    let url = line.split_whitespace().last().expect("an address").to_owned();
    let process = format!("/proc/{}", child.id());
    let shown = ["cmdline", "environ"].map(|file| fs::read(format!("{process}/{file}")));
    let [arguments, environment] = shown.map(|bytes| bytes.expect("the system tells it"));
    let token = sign_in(&url);
    let bearer = format!("Bearer {token}");
    let mut asked = ureq::get(format!("{url}/v1/session")).header("authorization", &bearer).call();
    asked.as_mut().expect("an answer").body_mut().read_to_string().expect("text");
    let insurer = private(&files, "unused", "");
    fs::remove_file(&insurer).expect("own file");
    node::signature::save_key(Path::new(&insurer), &key("insurer")).expect("a key file");
    let who = ["--url", &url, "--key", &insurer, "--party", "organisation:insurer"];
    let client = yibao(["get", "/v1/session"].iter().chain(&who));
    let stop = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(stop.expect("`kill` is there").success());
    out.read_to_string(&mut line).expect("text");
    assert!(child.wait().expect("it ends").success(), "{line}");
    let log = log.join().expect("a log");
    assert!(contains(&log, "get_session"), "the log says what happened");
    let secret = |name: &str| hex::encode(key(name).as_bytes());
    let secrets =
        [FIRST.to_owned(), token, secret("bureau-blocks"), secret("log"), secret("insurer")];
    let places = [
        ("the arguments", arguments),
        ("the environment", environment),
        ("the log", log),
        ("the output", line.into_bytes()),
        ("the client's output", [client.out.as_bytes(), client.err.as_bytes()].concat()),
        ("the data folder", everything_in(&data)),
    ];
    for (place, heap) in &places {
        for secret in &secrets {
            assert!(
                !contains(heap, secret),
                "{place} shows a secret that begins `{}`",
                &secret[..6]
            );
        }
    }
}
