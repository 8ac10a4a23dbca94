//! `deploy/` and `docs/operate/deploy.md`, as far as a machine without a container engine can try
//! them: the page's commands are run, the nodes are started with the very command lines of the
//! compose file, the container file and the units, in folders and at addresses of this test, and
//! ports, addresses, files and rights have to agree with each other.

mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Permissions};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::guide::commands;
use crate::kit::{Files, Run, command, yibao};
use crate::network::wait_until;
use crate::serve::{Served, found, text};
use crate::support::founding::CHAIN;
use crate::support::{read, root};
use yaml::read_yaml;

const ORGANISATIONS: [&str; 4] = ["bureau", "finance", "insurer", "tax"];
const BETWEEN: &str = "between";
const PROGRAM: &str = "/usr/local/bin/yibao";

fn words(value: &Value) -> Vec<String> {
    let list = value.as_array().unwrap_or_else(|| panic!("{value} is a list"));
    list.iter().map(|one| one.as_str().expect("words").to_owned()).collect()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is a word"))
}

/// What stands behind an option of a command line.
fn option<'a>(arguments: &'a [String], name: &str) -> &'a str {
    let at = arguments.iter().position(|one| one == name);
    at.and_then(|at| arguments.get(at + 1)).unwrap_or_else(|| panic!("{name} in {arguments:?}"))
}

fn compose() -> Value {
    read_yaml(&read("deploy/compose.yaml"))
}

/// One organisation's part of the compose file.
struct Service {
    command: Vec<String>,
    /// The folder beside the compose file, and where the program finds it.
    volume: (String, String),
    secret: String,
    health: Vec<String>,
    value: Value,
}

fn service(compose: &Value, organisation: &str) -> Service {
    let value = compose["services"][organisation].clone();
    let volumes = words(&value["volumes"]);
    let [volume] = &volumes[..] else { panic!("{volumes:?}") };
    let (host, inside) = volume.split_once(':').expect("a folder and its place");
    let secrets = words(&value["secrets"]);
    let [secret] = &secrets[..] else { panic!("{secrets:?}") };
    let health = words(&value["healthcheck"]["test"]);
    assert_eq!((&*health[0], &*health[1]), ("CMD", "yibao"), "{health:?}");
    Service {
        command: words(&value["command"]),
        volume: (host.to_owned(), inside.to_owned()),
        secret: secret.clone(),
        health: health[2..].to_vec(),
        value,
    }
}

/// Instructions of the container file with what they say, continued lines joined.
fn container_file() -> Vec<(String, String)> {
    let text = read("deploy/Containerfile").replace("\\\n", " ");
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, rest) = line.split_once(' ').expect("an instruction says something");
            (name.to_owned(), rest.trim().to_owned())
        })
        .collect()
}

/// The last stage of the container file: what the image is.
fn image() -> BTreeMap<String, String> {
    let lines = container_file();
    let last = lines.iter().rposition(|(name, _)| name == "FROM").expect("an image");
    lines[last..].iter().cloned().collect()
}

fn listed(text: &str) -> Vec<String> {
    words(&serde_json::from_str(text).expect("a list as JSON"))
}

#[test]
fn the_compose_file_is_read_in_one_way() {
    let read = compose();
    let python = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
    let file = root().join("deploy/compose.yaml");
    // Where another reader is installed it must agree.
    let other = Command::new("python3").args(["-c", python, text(&file)]).output();
    if let Ok(other) = other
        && other.status.success()
    {
        let other: Value = serde_json::from_slice(&other.stdout).expect("JSON");
        assert_eq!(read, other);
    }
    let services = read["services"].as_object().expect("services");
    assert!(services.keys().map(String::as_str).eq(ORGANISATIONS), "{services:?}");
}

#[test]
fn no_organisation_of_the_compose_file_reaches_what_is_anothers() {
    let compose = compose();
    let image = image();
    let (mut used, mut hosts) = (BTreeSet::new(), BTreeSet::new());
    assert_eq!(compose["networks"][BETWEEN]["internal"], true);
    for organisation in ORGANISATIONS {
        let Service { command, volume, secret, health, value } = service(&compose, organisation);
        assert_eq!(value["user"], format!("{}", image["USER"]));
        assert_eq!(value["read_only"], true);
        assert_eq!(words(&value["cap_drop"]), ["ALL"]);
        assert_eq!(words(&value["security_opt"]), ["no-new-privileges:true"]);
        assert!(value["mem_limit"].is_string() && value["pids_limit"].is_u64(), "{value}");
        assert_eq!(value["ulimits"]["core"], 0);

        // Its own folder, passphrase and network, which nobody else names.
        assert_eq!(option(&command, "--data"), volume.1);
        assert!(image["VOLUME"].contains(&format!("\"{}\"", volume.1)), "{image:?}");
        let environment = value["environment"].as_object().expect("an environment");
        let file = format!("/run/secrets/{secret}");
        assert_eq!(environment.len(), 1, "{environment:?}");
        assert_eq!(environment["YIBAO_PASSPHRASE_FILE"], *file, "a path, never a secret");
        let networks = value["networks"].as_object().expect("networks");
        assert!(networks.keys().map(String::as_str).eq([BETWEEN, organisation]), "{networks:?}");
        for own in [volume.0, secret, organisation.to_owned()] {
            assert!(used.insert(own.clone()), "`{own}` is named twice");
        }

        // Its gateway answers on its own network alone, and is published on this machine alone.
        let listen: SocketAddr = option(&command, "--listen").parse().expect("an address");
        assert_eq!(listen.ip().to_string(), word(&networks[organisation]["ipv4_address"]));
        assert_eq!(option(&health, "--url"), format!("http://{listen}"));
        let ports = words(&value["ports"]);
        let [port] = &ports[..] else { panic!("{ports:?}") };
        let (host, inside) = port.rsplit_once(':').expect("a port and its place");
        assert_eq!(inside, listen.port().to_string());
        let host: SocketAddr = host.parse().expect("an address");
        assert!(host.ip().is_loopback() && hosts.insert(host), "{host}");
        assert!(image["EXPOSE"].split(' ').any(|one| one == inside), "{image:?}");
        for (name, place) in networks {
            let address: IpAddr = word(&place["ipv4_address"]).parse().expect("an address");
            let subnet = word(&compose["networks"][name]["ipam"]["config"][0]["subnet"]);
            let net = subnet.strip_suffix(".0/24").expect("a network of 254 addresses");
            assert!(address.to_string().starts_with(&format!("{net}.")), "{address}, {subnet}");
            assert!(used.insert(address.to_string()), "{address} is there twice");
        }
    }
    let declared = |what: &str| compose[what].as_object().expect("a mapping").len();
    assert_eq!((declared("networks"), declared("secrets")), (5, 4));
    // The page names the same addresses and ports.
    let page = read("docs/operate/deploy.md");
    for organisation in ORGANISATIONS {
        let networks = &compose["services"][organisation]["networks"];
        let address = word(&networks[BETWEEN]["ipv4_address"]);
        assert!(page.contains(&format!("--member {organisation}={address}:7410")), "{address}");
    }
    for host in hosts {
        assert!(page.contains(&format!("http://{host}")), "{host}");
    }
}

#[test]
fn the_image_holds_the_program_alone_and_everything_that_it_is_built_from_is_there() {
    let lines = container_file();
    let stages: Vec<&str> = lines
        .iter()
        .filter(|(name, _)| name == "FROM")
        .map(|(_, rest)| rest.split(' ').next().expect("an image"))
        .collect();
    let channel = read("rust-toolchain.toml");
    let channel =
        channel.split('"').nth(1).expect("a version").rsplit_once('.').expect("a version");
    assert!(stages.iter().any(|one| one.contains(&format!("rust:{}", channel.0))), "{stages:?}");
    assert!(read("web/package.json").contains("\"node\": \">=20"), "the image has Node 20");
    for (name, rest) in &lines {
        if name == "COPY" && !rest.starts_with("--from=") {
            assert_eq!(rest, ". .");
        }
    }
    let build = lines.iter().find(|(name, _)| name == "RUN").expect("it is built");
    for script in ["./scripts/setup", "./scripts/web"] {
        assert!(build.1.contains(script) && root().join(script).is_file(), "{build:?}");
    }
    assert!(read(".dockerignore").lines().any(|line| line == "target"));
    let image = image();
    assert_eq!(image["COPY"], format!("--from=build /source/target/release/yibao {PROGRAM}"));
    let (user, group) = image["USER"].split_once(':').expect("numbers");
    assert!(user.parse::<u32>().expect("a number") > 0 && group.parse::<u32>().expect("one") > 0);

    // It starts and is found well with what stands there.
    let files = Files::new();
    let data = files.at("data");
    found(&data);
    assert_eq!(listed(&image["ENTRYPOINT"]), ["yibao"]);
    let arguments = listed(&image["CMD"]);
    let listen: SocketAddr = option(&arguments, "--listen").parse().expect("an address");
    let (_, health) = image["HEALTHCHECK"].split_once("CMD ").expect("a command");
    let health = listed(health);
    assert_eq!(option(&health, "--url"), format!("http://127.0.0.1:{}", listen.port()));
    let place = option(&arguments, "--data").to_owned();
    let served = Served::run(command().args(at_places(
        &arguments,
        &[(&place, text(&data)), (&listen.to_string(), "127.0.0.1:0")],
    )));
    assert_eq!(served.chain(), CHAIN);
    is_healthy(&health[1..], served.url()).ok();
    let url = served.url().to_owned();
    served.stop("-TERM");
    assert_ne!(is_healthy(&health[1..], &url).code, 0);
}

/// A command line with other words in some places.
fn at_places(arguments: &[String], places: &[(&str, &str)]) -> Vec<String> {
    let put = |one: &String| {
        let place = places.iter().find(|(there, _)| one == there);
        place.map_or_else(|| one.clone(), |(_, here)| (*here).to_owned())
    };
    arguments.iter().map(put).collect()
}

fn is_healthy(health: &[String], url: &str) -> Run {
    yibao(at_places(health, &[(option(health, "--url"), url)]))
}

/// Runs commands of the page in a folder.
fn follow(script: &str, files: &Files, name: &str, variables: &[(&str, &str)]) -> Run {
    let script = files.write(name, script);
    let program = Path::new(env!("CARGO_BIN_EXE_yibao"));
    let folder = program.parent().expect("a program lies in a folder");
    let path = std::env::var("PATH").expect("a path");
    let run = Command::new("bash")
        .args(["-euo", "pipefail", &script])
        .current_dir(files.at(""))
        .env("PATH", format!("{}:{path}", folder.display()))
        .envs(variables.iter().copied())
        .output();
    run.expect("bash is there").into()
}

/// Addresses of this machine that nobody uses now.
fn free_addresses(count: usize) -> Vec<String> {
    let bound: Vec<_> =
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0").expect("a port")).collect();
    bound.iter().map(|one| one.local_addr().expect("an address").to_string()).collect()
}

#[test]
fn four_organisations_are_founded_by_the_page_and_started_by_the_compose_file() {
    let files = Files::new();
    let (page, compose) = (read("docs/operate/deploy.md"), compose());
    let (before, after) = page.split_once("\n## 4a.").expect("nodes are started on the page");
    let mut script = commands(before);
    for (organisation, address) in ORGANISATIONS.iter().zip(free_addresses(4)) {
        let place = word(&compose["services"][organisation]["networks"][BETWEEN]["ipv4_address"]);
        script = script.replace(&format!("{place}:7410"), &address);
    }
    let deploy = root().join("deploy");
    follow(&script, &files, "found.sh", &[("DEPLOY", text(&deploy))]).ok();

    let mut nodes = Vec::new();
    for organisation in ORGANISATIONS {
        let Service { command: arguments, volume, secret, health, .. } =
            service(&compose, organisation);
        let folder = files.at(&volume.0);
        let file = word(&compose["secrets"][&secret]["file"]);
        let passphrase = files.at(file);
        assert_eq!(mode(&passphrase), 0o600);
        let listen = option(&arguments, "--listen").to_owned();
        let places = [(&*volume.1, text(&folder)), (&*listen, "127.0.0.1:0")];
        let arguments = at_places(&arguments, &places);
        if nodes.is_empty() {
            yibao(&arguments).fails(2, &["blocks.key` is protected", "YIBAO_PASSPHRASE_FILE"]);
        }
        let mut serve = command();
        serve.args(arguments).env("YIBAO_PASSPHRASE_FILE", &passphrase);
        let served = Served::run(&mut serve);
        assert_eq!(served.chain(), "gansu");
        is_healthy(&health, served.url()).ok();
        nodes.push(served);
    }
    let urls: Vec<&str> = nodes.iter().map(Served::url).collect();
    let said = follow(&commands(after), &files, "try.sh", &[("URLS", &urls.join(" "))]).ok();
    assert_eq!(said.matches("4 organisations").count(), 4, "{said}");
    assert!(said.contains("fund_opened"), "{said}");
    let root_of = |node: &Served| {
        let said: Value = serde_json::from_str(&node.get("/v1/network").1).expect("JSON");
        (said["height"].clone(), said["state_root"].clone())
    };
    let (height, state) = root_of(&nodes[2]);
    for node in &nodes {
        wait_until(node, "all have it", |said| said["height"] == height);
        assert_eq!(root_of(node).1, state);
    }
    for node in nodes {
        node.stop("-TERM");
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

/// Sections of a unit: names and values, as often as they are said.
fn unit(name: &str) -> BTreeMap<String, Vec<(String, String)>> {
    let (mut sections, mut section) = (BTreeMap::<_, Vec<_>>::new(), String::new());
    for line in read(&format!("deploy/systemd/{name}")).lines() {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name.to_owned();
            assert!(sections.insert(section.clone(), Vec::new()).is_none(), "[{name}] twice");
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("{name}: `{line}`"));
        let is_name = key.chars().all(|one| one.is_ascii_alphanumeric());
        assert!(is_name && !line.ends_with('\\'), "{name}: `{line}`");
        sections.get_mut(&section).expect("a section").push((key.to_owned(), value.to_owned()));
    }
    sections
}

fn values<'a>(unit: &'a [(String, String)], key: &str) -> Vec<&'a str> {
    unit.iter().filter(|(name, _)| name == key).map(|(_, value)| &**value).collect()
}

/// A unit's only command, for the bureau.
fn exec_start(service: &[(String, String)], environment: &BTreeMap<String, String>) -> Vec<String> {
    let commands = values(service, "ExecStart");
    let [line] = &commands[..] else { panic!("{commands:?}") };
    let mut arguments = Vec::new();
    for one in line.split(' ') {
        let one = one.replace("%i", "bureau");
        match (one.strip_prefix("${"), one.strip_prefix('$')) {
            (Some(name), _) => arguments.push(environment[name.trim_end_matches('}')].clone()),
            (None, Some(name)) => {
                arguments.extend(environment[name].split_whitespace().map(str::to_owned));
            }
            (None, None) => arguments.push(one),
        }
    }
    arguments
}

/// What every unit of ours has, so that a program that was taken over can do little.
const HARDENED: [(&str, &str); 24] = [
    ("DynamicUser", "yes"),
    ("User", "yibao-%i"),
    ("StateDirectoryMode", "0700"),
    ("UMask", "0077"),
    ("LimitCORE", "0"),
    ("NoNewPrivileges", "yes"),
    ("CapabilityBoundingSet", ""),
    ("ProtectSystem", "strict"),
    ("ProtectHome", "yes"),
    ("PrivateTmp", "yes"),
    ("PrivateDevices", "yes"),
    ("ProtectClock", "yes"),
    ("ProtectHostname", "yes"),
    ("ProtectControlGroups", "yes"),
    ("ProtectKernelLogs", "yes"),
    ("ProtectKernelModules", "yes"),
    ("ProtectKernelTunables", "yes"),
    ("ProtectProc", "invisible"),
    ("RestrictNamespaces", "yes"),
    ("RestrictRealtime", "yes"),
    ("RestrictSUIDSGID", "yes"),
    ("LockPersonality", "yes"),
    ("MemoryDenyWriteExecute", "yes"),
    ("SystemCallArchitectures", "native"),
];

const UNITS: [&str; 3] = ["yibao@.service", "yibao-backup@.service", "yibao-backup@.timer"];

/// The environment of the bureau's unit, as its file says it.
fn environment() -> BTreeMap<String, String> {
    let text = read("deploy/systemd/bureau.env");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let pair = |line: &str| line.split_once('=').map(|(key, value)| (key.into(), value.into()));
    lines.map(|line| pair(line).expect("a variable")).collect()
}

#[test]
fn the_units_start_a_node_and_back_it_up_with_what_stands_in_them() {
    let files = Files::new();
    let (data, backups) = (files.at("data"), files.at("backups"));
    found(&data);
    let credentials = files.at("credentials");
    fs::create_dir(&credentials).expect("a folder");
    let passphrase = credentials.join("passphrase");
    fs::write(&passphrase, "words that nobody else knows\n").expect("a file");
    fs::set_permissions(&passphrase, Permissions::from_mode(0o600)).expect("own file");
    for key in ["blocks", "log"] {
        let key = data.join(format!("node/keys/{key}.key"));
        let mut protect = command();
        protect.args(["keys", "protect", text(&key)]);
        let protect = protect.env("YIBAO_NEW_PASSPHRASE_FILE", &passphrase).output();
        Run::from(protect.expect("the binary runs")).ok();
    }
    let unit = unit("yibao@.service");
    let service = &unit["Service"];
    let environment = environment();
    environment["YIBAO_LISTEN"].parse::<SocketAddr>().expect("an address");
    let arguments = exec_start(service, &environment);
    let state =
        format!("/var/lib/{}", values(service, "StateDirectory")[0].replace("%i", "bureau"));
    assert_eq!((&*arguments[0], option(&arguments, "--data")), (PROGRAM, &*state));
    assert_eq!(values(service, "Environment"), ["YIBAO_PASSPHRASE_FILE=%d/passphrase"]);
    assert_eq!(values(service, "LoadCredential"), ["passphrase:/etc/yibao/%i.passphrase"]);
    assert_eq!(values(service, "EnvironmentFile"), ["/etc/yibao/%i.env"]);
    let places = [(&*state, text(&data)), (&*environment["YIBAO_LISTEN"], "127.0.0.1:0")];
    let arguments = at_places(&arguments[1..], &places);

    // systemd lets the unit's user in by an ACL, which makes a file look readable by a group.
    fs::set_permissions(&passphrase, Permissions::from_mode(0o440)).expect("own file");
    let mut serve = command();
    serve.args(&arguments).env("YIBAO_PASSPHRASE_FILE", &passphrase);
    let refused = Run::from(serve.output().expect("the binary runs"));
    refused.fails(2, &["passphrase` that YIBAO_PASSPHRASE_FILE names", "chmod 600"]);
    serve.env("CREDENTIALS_DIRECTORY", files.at(""));
    Run::from(serve.output().expect("the binary runs")).fails(2, &["can be read by others"]);
    serve.env("CREDENTIALS_DIRECTORY", &credentials);
    fs::set_permissions(&passphrase, Permissions::from_mode(0o444)).expect("own file");
    Run::from(serve.output().expect("the binary runs")).fails(2, &["can be read by others"]);
    fs::set_permissions(&passphrase, Permissions::from_mode(0o440)).expect("own file");
    let served = Served::run(&mut serve);
    assert_eq!(served.chain(), CHAIN);

    let backup = &self::unit("yibao-backup@.service")["Service"];
    let arguments = exec_start(backup, &environment);
    let states: Vec<String> = values(backup, "StateDirectory")[0]
        .split(' ')
        .map(|one| format!("/var/lib/{}", one.replace("%i", "bureau")))
        .collect();
    assert_eq!(arguments[0], PROGRAM);
    assert_eq!(arguments[2..], states);
    assert_eq!(states[0], state);
    fs::create_dir(&backups).expect("a folder, as systemd makes it");
    let places = [(&*states[0], text(&data)), (&*states[1], text(&backups))];
    yibao(at_places(&arguments[1..], &places)).ok();
    let made = fs::read_dir(&backups).expect("a folder").map(|one| one.expect("an entry").path());
    assert_eq!(made.filter(|path| path.join("backup.json").is_file()).count(), 1);
    served.stop(&format!("-{}", values(service, "KillSignal")[0].trim_start_matches("SIG")));
}

#[test]
fn the_units_are_hardened_and_systemd_reads_them() {
    for name in &UNITS[..2] {
        let unit = unit(name);
        let service = &unit["Service"];
        for (key, value) in HARDENED {
            assert_eq!(values(service, key), [value], "{name}: {key}");
        }
        let filters = values(service, "SystemCallFilter");
        assert_eq!(filters, ["@system-service", "~@privileged"], "{name}");
        assert_eq!(values(service, "MemoryMax").len(), 1, "{name}");
    }
    let node = unit("yibao@.service");
    let once = |key: &str| values(&node["Service"], key).join(" ");
    // Exit code 2 is what cannot be used; to try again does not help.
    assert_eq!((&*once("Restart"), &*once("RestartPreventExitStatus")), ("on-failure", "2"));
    assert_eq!(values(&node["Install"], "WantedBy"), ["multi-user.target"]);
    let page = read("docs/operate/deploy.md");
    for file in ["Containerfile", "compose.yaml", "genesis-template.json", "systemd/bureau.env"] {
        assert!(root().join("deploy").join(file).is_file(), "{file}");
        let short = file.rsplit('/').next().expect("a name");
        assert!(page.contains(short), "the page does not name `{file}`");
    }

    // Where systemd is installed it reads them itself.
    let files = Files::new();
    let here = |name: &str| -> PathBuf {
        let text = read(&format!("deploy/systemd/{name}"));
        PathBuf::from(files.write(name, &text.replace(PROGRAM, env!("CARGO_BIN_EXE_yibao"))))
    };
    let paths = UNITS.map(here);
    let analyze = |arguments: &[&str], paths: &[&PathBuf]| {
        let run = Command::new("systemd-analyze").args(arguments).args(paths).output();
        run.ok().map(Run::from)
    };
    let instances: Vec<PathBuf> =
        UNITS.iter().map(|name| paths[0].with_file_name(name.replace('@', "@bureau"))).collect();
    let Some(verified) =
        analyze(&["verify", "--man=no"], &[&instances[0], &instances[1], &instances[2]])
    else {
        return;
    };
    assert_eq!((verified.code, &*verified.err), (0, ""), "{}", verified.out);
    for path in &paths[..2] {
        // From 0 to 100: what a service could do to the machine if it were taken over.
        let security = ["security", "--offline=yes", "--threshold=20", "--no-pager"];
        analyze(&security, &[path]).expect("it is there").ok();
    }
}
