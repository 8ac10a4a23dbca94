//! `yibao edge`: a served demonstration, the edge before it, and the played hospital before that,
//! each a process of its own; the cable between edge and platform is pulled, and the edge killed.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use his::line::Line;
use his::message::{Answer, compose};
use his::setup::{Patient, Patients, Setup};
use his::signer::Signer;
use serde_json::{Value, json};

use crate::kit::{Files, command, yibao};
use crate::network::free_address;
use crate::serve::{Served, text};

const HOUSES: [(&str, &str, &str); 2] =
    [("hospital-1", "H62010000001", "示范医院"), ("pharmacy-1", "P62010000001", "示范药店")];

/// A cable that is pulled after so many messages, and by hand.
struct Cable {
    address: SocketAddr,
    is_pulled: Arc<AtomicBool>,
    /// How many messages may still go through before it is pulled.
    left: Arc<AtomicUsize>,
    /// Whether somebody on the way changes what the platform says of the cash.
    is_forged: Arc<AtomicBool>,
}

impl Cable {
    fn to(platform: &str) -> Self {
        let platform: SocketAddr =
            platform.strip_prefix("http://").expect("an address").parse().expect("an address");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let is_pulled = Arc::new(AtomicBool::new(false));
        let left = Arc::new(AtomicUsize::new(usize::MAX));
        let is_forged = Arc::new(AtomicBool::new(false));
        let (pulled, counted) = (Arc::clone(&is_pulled), Arc::clone(&left));
        let forged = Arc::clone(&is_forged);
        std::thread::spawn(move || {
            for from in listener.incoming().filter_map(Result::ok) {
                if pulled.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok(to) = TcpStream::connect(platform) else { continue };
                let (back, forth) =
                    (to.try_clone().expect("a socket"), from.try_clone().expect("a socket"));
                let (pulled, counted) = (Arc::clone(&pulled), Arc::clone(&counted));
                std::thread::spawn(move || carry(forth, to, &pulled, &counted));
                let forged = Arc::clone(&forged);
                std::thread::spawn(move || {
                    let (mut from, mut to) = (back, from);
                    let mut buffer = vec![0; 1 << 20];
                    while let Ok(count @ 1..) = from.read(&mut buffer) {
                        let part = &mut buffer[..count];
                        if forged.load(Ordering::SeqCst) {
                            forge(part);
                        }
                        if to.write_all(part).is_err() {
                            break;
                        }
                    }
                    let _ = to.shutdown(Shutdown::Both);
                });
            }
        });
        Self { address, is_pulled, left, is_forged }
    }

    fn plug_in(&self) {
        self.left.store(usize::MAX, Ordering::SeqCst);
        self.is_pulled.store(false, Ordering::SeqCst);
    }
}

/// Changes the first digit of what the person pays.
fn forge(part: &mut [u8]) {
    const FIELD: &[u8] = b"psn_cash_pay";
    let Some(at) = part.windows(FIELD.len()).position(|window| window == FIELD) else { return };
    if let Some(digit) = part[at..].iter_mut().find(|byte| byte.is_ascii_digit()) {
        *digit = if *digit == b'9' { b'8' } else { *digit + 1 };
    }
}

/// Carries what the edge sends. The message with which the cable is pulled arrives, and its answer
/// does not: nobody knows what became of it.
fn carry(mut from: TcpStream, mut to: TcpStream, pulled: &AtomicBool, left: &AtomicUsize) {
    let mut buffer = [0; 64 << 10];
    while let Ok(count) = from.read(&mut buffer) {
        let part = &buffer[..count];
        if count == 0 || pulled.load(Ordering::SeqCst) || to.write_all(part).is_err() {
            break;
        }
        if part.starts_with(b"POST /nhsa/v1 ") && left.fetch_sub(1, Ordering::SeqCst) == 1 {
            pulled.store(true, Ordering::SeqCst);
            let _ = from.shutdown(Shutdown::Both);
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// A running edge; killed like by a power failure when it is dropped.
struct Edge {
    child: Child,
    url: String,
}

impl Edge {
    fn start(file: &Path) -> Self {
        let mut child = command()
            .args(["edge", "serve", text(file), "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let url = line.split_whitespace().last().unwrap_or_default().to_owned();
        assert!(url.starts_with("http://127.0.0.1:"), "{line}");
        Self { child, url }
    }

    /// How it is; of the hospital.
    fn status(&self) -> (bool, Value) {
        let run = yibao(["edge", "status", "--url", &self.url, "--json"]);
        assert!(run.code <= 1, "{}{}", run.out, run.err);
        let mut status: Value = serde_json::from_str(&run.out).expect("JSON");
        (status["is_up"] == true, status["hospitals"][0].take())
    }

    fn wait_for(&self, holds: impl Fn(bool, &Value) -> bool) -> Value {
        let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
        loop {
            let (is_up, status) = self.status();
            if holds(is_up, &status) {
                return status;
            }
            assert!(std::time::Instant::now() < until, "{is_up} {status}");
        }
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The hospital's system on its way through the edge.
fn his(data: &Path, edge: &Edge, platform: &Served) -> Command {
    let mut command = command();
    let setup = data.join("hospital-1/his.toml");
    // As many as there were on this day before: the statement is of all of them.
    command
        .args(["his", text(&setup), "--url", &edge.url, "--phones-url", platform.url()])
        .args(["--outpatients", "70", "--by-phone", "12", "--stays", "24", "--pharmacy", "18"])
        .args(["--counters", "4", "--seed", "9"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The edge of both houses; the hospital has its own light node and key, as
/// `docs/operate/edge.md` says.
fn init(files: &Files, data: &Path, door: &str) -> PathBuf {
    let (file, invitation) = (files.at("edge/edge.toml"), files.at("edge/invitation.json"));
    fs::create_dir(files.at("edge")).expect("a folder");
    let invite = ["light", "invite", "--data", text(data), "--address", door, "-o"];
    let said = yibao(invite.into_iter().chain([text(&invitation)])).ok();
    let root = said.split_whitespace().find(|word| word.len() == 65).expect("a hash");
    let light = files.at("edge/light");
    let join = ["light", "join", "--invitation", text(&invitation), "--data", text(&light)];
    let whose = ["--organisation", "hospital-1", "--root", root.trim_end_matches(';')];
    yibao(join.into_iter().chain(whose)).ok();
    let mut own_key = None;
    for (folder, code, name) in HOUSES {
        let secret = data.join(folder).join("nhsa-secret");
        let init = ["edge", "init", text(&file), "--code", code, "--name", name, "--secret"];
        let (mobile, sealing) = (app_id(data), data.join(folder).join("nhsa-mobile-secret"));
        let ledger = if folder == "hospital-1" {
            vec!["--ledger", text(&light), "--mobile-app-id", &mobile]
        } else {
            vec![]
        };
        let mobile =
            if ledger.is_empty() { vec![] } else { vec!["--mobile-secret", text(&sealing)] };
        let more = ledger.into_iter().chain(mobile);
        let said = yibao(init.into_iter().chain([text(&secret)]).chain(more)).ok();
        let key = said.lines().find_map(|line| line.trim().strip_prefix("edge_key = "));
        own_key = own_key.or(key.map(str::to_owned));
    }
    let again = ["edge", "init", text(&file), "--code", HOUSES[0].1, "--name", "x", "--secret"];
    let secret = data.join("hospital-1/nhsa-secret");
    yibao(again.into_iter().chain([text(&secret)])).fails(2, &["stands twice"]);
    // The platform no longer has a key of the hospital's.
    let profile = data.join("hospital-1/nhsa.toml");
    let text = fs::read_to_string(&profile).expect("a profile");
    let line = format!("edge_key = {}", own_key.expect("a key"));
    let changed = text.replace("machine_key = \"keys/online.key\"", &line);
    assert_ne!(text, changed);
    fs::write(&profile, changed).expect("a file");
    file
}

/// The name under which the hospital's bodies of mobile payment are sealed.
fn app_id(data: &Path) -> String {
    let setup = his_setup(data, "hospital-1");
    setup.mobile.expect("the hospital is paid by phone").app_id
}

/// The file of a house's own system.
fn his_setup(data: &Path, folder: &str) -> Setup {
    let text = fs::read_to_string(data.join(folder).join("his.toml")).expect("a file");
    toml::from_str(&text).expect("TOML")
}

/// A key that signs nothing else, and its public key, as OpenSSL names both.
const HIS_KEY: [&str; 2] = [
    "2d17a903fb44439cb7b327a7b3f5408e68e1011150ef346d146e32a13a246efc",
    "04c089f31d86d7eca0fb330914a944ebf08a67f6c10b2685326f8cfb0349076cd\
     b2a0e8ead7478e5aa3236db0eb95c38d2f7f416f3b5c71f1f122a31b75eb34795",
];

/// The hospital's system signs with SM2, and the pharmacy's with SHA-256, towards the edge: there
/// the link is protected by other means.
fn sign_otherwise(data: &Path, edge: &Path) {
    let file = fs::read_to_string(edge).expect("a file");
    let mut houses = file.split("[[hospital]]");
    let head = houses.next().expect("a head");
    let [hospital, pharmacy] = [houses.next(), houses.next()].map(|one| one.expect("a house"));
    let signed = |house: &str, by: &str| {
        let plain = "signature = \"hmac-sm3\"\nlink_is_protected = false\n";
        let other = house.replace(plain, &format!("signature = {by}\nlink_is_protected = true\n"));
        assert_ne!(house, other);
        other
    };
    let key = format!("\"sm2-envelope\"\nsm2_key = \"{}\"", HIS_KEY[1]);
    let (hospital, pharmacy) = (signed(hospital, &key), signed(pharmacy, "\"sha256-header\""));
    let changed = format!("{head}[[hospital]]{hospital}[[hospital]]{pharmacy}");
    fs::write(edge, changed).expect("a file");
    let key = data.join("hospital-1/his-key");
    fs::write(&key, HIS_KEY[0]).expect("a file");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("a file");
    let other =
        [("hospital-1", "sm2-envelope", "his-key"), ("pharmacy-1", "sha256-header", "nhsa-secret")];
    for (folder, signature, secret) in other {
        let path = data.join(folder).join("his.toml");
        let text = fs::read_to_string(&path).expect("a file");
        let changed = text
            .replace("signature = \"hmac-sm3\"", &format!("signature = \"{signature}\""))
            .replacen("secret = \"nhsa-secret\"", &format!("secret = \"{secret}\""), 1);
        assert_ne!(text, changed);
        fs::write(&path, changed).expect("a file");
    }
}

/// Whoever signs for mobile payment must be able to read it.
fn cannot_sign_what_it_cannot_read(files: &Files, edge: &Path) {
    let secret = files.at("edge/H62010000001/mobile-secret");
    let aside = files.at("edge/aside");
    fs::rename(&secret, &aside).expect("a file");
    yibao(["edge", "serve", text(edge)])
        .fails(2, &["cannot read its sealed messages", "mobile-secret"]);
    fs::rename(&aside, &secret).expect("a file");
}

/// Both sign as the platform knows them again.
fn sign_as_before(data: &Path) {
    for folder in ["hospital-1", "pharmacy-1"] {
        let path = data.join(folder).join("his.toml");
        let text = fs::read_to_string(&path).expect("a file");
        let lines = text.lines().map(|line| match line {
            _ if line.starts_with("signature = ") => "signature = \"hmac-sm3\"",
            "secret = \"his-key\"" => "secret = \"nhsa-secret\"",
            other => other,
        });
        fs::write(&path, lines.collect::<Vec<_>>().join("\n")).expect("a file");
    }
}

/// The ledger learns both keys of the edge: its light node's, and the one that signs.
fn authorise(files: &Files, data: &Path, platform: &Served) {
    let keys = data.join("hospital-1/keys");
    for request in ["edge/light/authorise-key.json", "edge/H62010000001/authorise-key.json"] {
        let request = files.at(request);
        let root = keys.join("root.key");
        let party = ["--key", text(&root), "--party", "organisation:hospital-1"];
        yibao(["tx", "sign", text(&request)].into_iter().chain(party)).ok();
        let online = keys.join("online.key");
        yibao(["tx", "send", text(&request), "--url", platform.url(), "--key", text(&online)]).ok();
    }
}

/// Called by a test that has a demonstration's folder.
pub fn the_cable_is_pulled_and_nothing_is_lost_or_doubled(files: &Files, data: &Path) {
    let door = free_address();
    let file = init(files, data, &door);
    let platform = Served::start_with(data, "yibao-demo", &["--light-nodes", &door]);
    authorise(files, data, &platform);
    let cable = Cable::to(platform.url());
    let setup = fs::read_to_string(&file).expect("a file");
    let by_cable = setup.replace("localhost:8420", &cable.address.to_string());
    assert_ne!(setup, by_cable);
    fs::write(&file, by_cable).expect("a file");
    sign_otherwise(data, &file);
    cannot_sign_what_it_cannot_read(files, &file);
    let edge = Edge::start(&file);
    let mut desk = Desk::open(data, &edge, 0);
    desk.meets_everybody();
    cable.left.store(240, Ordering::SeqCst);
    let day = his(data, &edge, &platform).spawn().expect("the binary runs");
    // In the middle of the day the cable is pulled, and bills are taken all the same.
    edge.wait_for(|is_up, one| !is_up && one["bills"].as_u64() >= Some(3));
    // A power failure at the edge: the hospital's day stops.
    drop(edge);
    let stopped = day.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&stopped.stderr);
    assert!(stopped.status.code() == Some(1) && said.contains("go on with the day"), "{said}");

    let edge = Edge::start(&file);
    let (_, before) = edge.status();
    assert!(before["bills"].as_u64() >= Some(3), "nothing that was taken is lost: {before}");
    let met = desk;
    let mut desk = Desk::open(data, &edge, met.serial);
    (desk.psn_no, desk.number, desk.insutype) = (met.psn_no, met.number, met.insutype);
    desk.sign_no = met.sign_no;
    desk.is_answered_by_the_same_bytes(data);
    desk.meets_a_stranger_and_somebody();
    let conflict = desk.goes_on_without_the_line();
    let told = yibao(["edge", "status", "--url", &edge.url]);
    assert_eq!(told.code, 1, "{}{}", told.out, told.err);
    assert!(told.out.contains("does not answer since"), "{}", told.out);

    cable.plug_in();
    edge.wait_for(|is_up, one| is_up && one["waiting"] == 0);
    desk.mends(&conflict, &edge);
    let out = his(data, &edge, &platform).output().expect("the binary runs");
    let said = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success(), "{said}{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(said.matches("which had been interrupted").count(), 1, "{said}");
    assert_eq!(said.matches("differences: 0").count(), HOUSES.len(), "{said}");
    let status = edge.wait_for(|is_up, one| is_up && one["waiting"] == 0);
    assert_eq!(status["conflicts"], json!([]), "{status}");
    assert_eq!(status["compared"]["is_same"], true, "{status}");
    // Every answer about a settlement was looked up on the ledger, by the hospital's own node.
    let proved = edge.wait_for(|_, one| one["ledger"]["waiting"] == 0)["ledger"].take();
    assert!(proved["proved"].as_u64() >= Some(60), "{proved}");
    assert_eq!((&proved["overdue"], &proved["differing"]), (&json!([]), &json!([])), "{proved}");
    desk.is_told_another_sum_and_finds_out(&cable, &edge);
    drop(edge);
    // The key is the edge's: without it nobody signs for the hospital.
    sign_as_before(data);
    desk.line = desk_line(data, platform.url());
    desk.refused(
        "2201",
        &json!({ "data": desk.shown() }),
        &["前置机未在时限内签名", "以原报文重发"],
    );
    let (_, log) = platform.stop("-TERM");
    assert!(!log.contains("panicked"), "{log}");
    let profile = data.join("hospital-1/nhsa.toml");
    let text = fs::read_to_string(&profile).expect("a profile");
    let hosted = text.lines().map(|line| match line.starts_with("edge_key") {
        true => "machine_key = \"keys/online.key\"",
        false => line,
    });
    fs::write(&profile, hosted.collect::<Vec<_>>().join("\n")).expect("a file");
}

/// A counter of the hospital that is played by hand.
struct Desk {
    setup: Setup,
    line: Line,
    serial: u64,
    patients: Vec<Patient>,
    /// Somebody whom the edge knows, and the scheme.
    psn_no: String,
    number: String,
    insutype: String,
    /// The sign-in that the platform gave while the line was there.
    sign_no: String,
}

/// A bill that the platform will refuse.
struct Conflict {
    mdtrt_id: String,
    setl_id: String,
}

/// A line of the hospital's system to this address, signed as its file says.
fn desk_line(data: &Path, url: &str) -> Line {
    let setup = his_setup(data, "hospital-1");
    let secret = fs::read_to_string(data.join("hospital-1").join(&setup.secret)).expect("a file");
    let signer = Signer::new(setup.signature, secret.trim().as_bytes()).expect("a secret");
    Line::new(url, HOUSES[0].1, signer).expect("an address")
}

impl Desk {
    fn open(data: &Path, edge: &Edge, serial: u64) -> Self {
        let setup = his_setup(data, "hospital-1");
        let patients = data.join("hospital-1").join(&setup.patients);
        let patients = fs::read_to_string(patients).expect("a file");
        let patients: Patients = toml::from_str(&patients).expect("TOML");
        let line = desk_line(data, &edge.url);
        let (psn_no, number, insutype, sign_no) = Default::default();
        let patients = patients.patient;
        Self { setup, line, serial, patients, psn_no, number, insutype, sign_no }
    }

    /// Everybody shows the card; whom the platform insures is the one who is treated here.
    fn meets_everybody(&mut self) {
        let signed = self.done("9001", &json!({ "signIn": { "opter_no": "1" } }));
        self.sign_no = signed.text_at("/signinoutb/sign_no").expect("a number");
        for patient in self.patients.clone() {
            let shown = json!({
                "mdtrt_cert_type": "02", "mdtrt_cert_no": patient.number,
                "psn_name": patient.name
            });
            let known = self.done("1101", &json!({ "data": shown }));
            let row = known.rows("insuinfo").iter().find(|row| row["psn_insu_stas"] == "1");
            let Some(row) = row else { continue };
            row["insutype"].as_str().expect("a scheme").clone_into(&mut self.insutype);
            self.psn_no = known.text_at("/baseinfo/psn_no").expect("a number");
            self.number = patient.number;
        }
    }

    /// Without the line, the edge says of when its word is.
    fn meets_a_stranger_and_somebody(&mut self) {
        let patient = self.patients.iter().find(|one| one.number == self.number);
        let patient = patient.expect("one of them").clone();
        let shown = |number: &str, name: &str| {
            json!({ "data": {
            "mdtrt_cert_type": "02", "mdtrt_cert_no": number, "psn_name": name
        } })
        };
        let known = self.done("1101", &shown(&patient.number, &patient.name));
        assert_eq!(known.text_at("/baseinfo/psn_no").ok().as_ref(), Some(&self.psn_no));
        assert!(known.text_at("/baseinfo/exp_content").is_ok_and(|it| it.contains("截至")));
        self.refused("1101", &shown(&patient.number, "某"), &["姓名与证件号不符"]);
        self.refused("1101", &shown("110101199001011237", "某"), &["未曾核验", "请稍后"]);
    }

    fn ask(&mut self, infno: &str, input: &Value) -> Answer {
        self.ask_under(None, infno, input)
    }

    fn ask_under(&mut self, sign_no: Option<&str>, infno: &str, input: &Value) -> Answer {
        self.serial += 1;
        let place = (self.line.now(), 9, self.serial);
        let message = compose(&self.setup, place, (infno, sign_no), input);
        let reply = self.line.send(&message.body).expect("an answer");
        Answer::read(infno, reply.text()).expect("an envelope")
    }

    fn done(&mut self, infno: &str, input: &Value) -> Answer {
        self.ask(infno, input).done().unwrap_or_else(|error| panic!("{infno}: {error}"))
    }

    fn refused(&mut self, infno: &str, input: &Value, words: &[&str]) {
        let answer = self.ask(infno, input);
        let is_told = words.iter().all(|word| answer.words.contains(word));
        assert!(!answer.is_done && is_told, "{infno}: {}", answer.text);
    }

    /// What was answered without the line is answered so after the power failure as well.
    fn is_answered_by_the_same_bytes(&self, data: &Path) {
        let folder = data.join("hospital-1/his-book");
        let journals = (0..4).map(|one| folder.join(format!("counter-{one}.jsonl")));
        let rows: Vec<Value> = journals
            .flat_map(|path| {
                let text = fs::read_to_string(path).expect("a journal");
                let rows = text.lines().map(|row| serde_json::from_str(row).expect("JSON"));
                rows.collect::<Vec<Value>>()
            })
            .collect();
        let answered = rows.iter().filter(|row| {
            let answer = row["answer"].as_str().unwrap_or_default();
            row["what"] == "answered" && answer.contains("\"setl_stas\":\"待结算\"")
        });
        let mut count = 0;
        for row in answered {
            let sent = rows.iter().find(|one| one["what"] == "sent" && one["step"] == row["step"]);
            let body = sent.and_then(|sent| sent["body"].as_str()).expect("it was sent");
            assert_eq!(self.line.send(body).expect("an answer").text(), row["answer"]);
            count += 1;
        }
        assert!(count >= 3, "{count} were taken");
    }

    fn shown(&self) -> Value {
        json!({
            "psn_no": self.psn_no, "mdtrt_cert_type": "02", "mdtrt_cert_no": self.number,
            "insutype": self.insutype, "med_type": "11", "begntime": self.line.now().today(),
            "ipt_otp_no": "EDGE1"
        })
    }

    fn line(&self, mdtrt_id: &str, (serial, code): (&str, &str), yuan: &str) -> Value {
        json!({ "feedetail": [{
            "feedetl_sn": serial, "mdtrt_id": mdtrt_id, "psn_no": self.psn_no,
            "chrg_bchno": "B1", "fee_ocur_time": self.line.now().today(), "med_list_codg": code, "cnt": 1,
            "pric": yuan, "det_item_fee_sumamt": yuan
        }] })
    }

    fn claim(&self, mdtrt_id: &str, yuan: &str) -> Value {
        let mut data = self.shown();
        data["mdtrt_id"] = json!(mdtrt_id);
        for (field, value) in [
            ("medfee_sumamt", yuan),
            ("psn_setlway", "01"),
            ("chrg_bchno", "B1"),
            ("acct_used_flag", "0"),
        ] {
            data[field] = json!(value);
        }
        json!({ "data": data })
    }

    /// Somebody on the line changes what the platform answers: the ledger says otherwise. Once all
    /// is given back, nothing is left to ask about.
    fn is_told_another_sum_and_finds_out(&mut self, cable: &Cable, edge: &Edge) {
        let opened = self.done("2201", &json!({ "data": self.shown() }));
        let mdtrt_id = opened.text_at("/data/mdtrt_id").expect("a number");
        self.done("2204", &self.line(&mdtrt_id, ("1", "ZJ007"), "10"));
        cable.is_forged.store(true, Ordering::SeqCst);
        let settled = self.done("2207", &self.claim(&mdtrt_id, "10"));
        cable.is_forged.store(false, Ordering::SeqCst);
        let msgid = settled.text_at("/setlinfo/medins_setl_id").expect("the message's number");
        let setl_id = settled.text_at("/setlinfo/setl_id").expect("a number");
        let said = settled.text_at("/setlinfo/psn_cash_pay").expect("a sum");
        let found = edge.wait_for(|_, one| one["ledger"]["differing"] != json!([]));
        let one = &found["ledger"]["differing"][0];
        assert_eq!(one["field"], "psn_cash_pay", "{one}");
        assert_eq!((&one["said"], &one["claimed"]["setl_id"]), (&json!(said), &json!(setl_id)));
        assert_ne!(one["proved"], one["said"]);
        let told = yibao(["edge", "status", "--url", &edge.url]);
        assert_eq!(told.code, 1, "{}{}", told.out, told.err);
        assert!(told.out.contains("the ledger proves"), "{}", told.out);
        // Reversed, it is in no statement of the day either.
        let data = json!({ "psn_no": self.psn_no, "omsgid": msgid, "oinfno": "2207" });
        self.done("2601", &json!({ "data": data }));
        edge.wait_for(|_, one| one["ledger"]["differing"] == json!([]));
    }

    fn named(&self, mdtrt_id: &str, setl_id: &str) -> Value {
        json!({ "data": { "psn_no": self.psn_no, "mdtrt_id": mdtrt_id, "setl_id": setl_id } })
    }

    /// Without the line: what cannot be done is refused with the remedy, what goes beyond the cap
    /// as well, and a bill is taken that the platform will not settle.
    fn goes_on_without_the_line(&mut self) -> Conflict {
        let signed = self.done("9001", &json!({ "signIn": { "opter_no": "1" } }));
        let number = signed.text_at("/signinoutb/sign_no").expect("a number");
        assert!(number.starts_with("ED"), "{number}");
        let days = json!({ "data": { "page_num": 1, "page_size": 2 } });
        self.refused("1312", &days, &["线路中断", "请稍后以原报文重发"]);
        let opened = self.done("2201", &json!({ "data": self.shown() }));
        let mdtrt_id = opened.text_at("/data/mdtrt_id").expect("a number");
        self.done("2204", &self.line(&mdtrt_id, ("1", "ZJ007"), "2001"));
        let dear = self.claim(&mdtrt_id, "2001");
        self.refused("2207", &dear, &["medfee_sumamt", "2000 元", "线路恢复"]);
        let all = json!({ "data": {
            "psn_no": self.psn_no, "mdtrt_id": mdtrt_id, "chrg_bchno": "0000"
        } });
        self.done("2205", &all);
        self.done("2204", &self.line(&mdtrt_id, ("1", "ZJ007"), "10"));
        let mut claim = self.claim(&mdtrt_id, "10");
        claim["data"]["acct_used_flag"] = json!("1");
        self.refused("2207", &claim, &["acct_used_flag", "个人账户"]);
        // A sum of the hospital's own that the edge cannot check, and the platform does.
        let mut claim = self.claim(&mdtrt_id, "10");
        claim["data"]["preselfpay_amt"] = json!("9.99");
        let taken = self.done("2207", &claim);
        assert!(taken.is_to_be_settled(), "{}", taken.text);
        let setl_id = taken.text_at("/setlinfo/setl_id").expect("a number");
        self.refused("5203", &self.named(&mdtrt_id, &setl_id), &["待结算"]);
        self.refused("2208", &self.named(&mdtrt_id, &setl_id), &["须联网办理"]);
        self.signs_out_of_the_platform_without_the_line();
        Conflict { mdtrt_id, setl_id }
    }

    /// The sign-in that the platform gave is over at once, although the platform hears of it later.
    fn signs_out_of_the_platform_without_the_line(&mut self) {
        let sign_no = self.sign_no.clone();
        let card = json!({ "data": self.shown() });
        assert!(self.ask_under(Some(&sign_no), "2201", &card).is_done, "it is open");
        let out = json!({ "signOut": { "sign_no": sign_no, "opter_no": "1" } });
        self.done("9002", &out);
        self.is_signed_out();
        self.refused("9002", &out, &["sign_no", "已签退"]);
    }

    /// Nothing new is taken under the sign-in that is over.
    fn is_signed_out(&mut self) {
        let (sign_no, card) = (self.sign_no.clone(), json!({ "data": self.shown() }));
        let late = self.ask_under(Some(&sign_no), "2201", &card);
        assert!(!late.is_done && late.words.contains("9001"), "{}", late.text);
    }

    /// The conflict is told by the platform's words, and is over once the visit is undone.
    fn mends(&mut self, Conflict { mdtrt_id, setl_id }: &Conflict, edge: &Edge) {
        self.is_signed_out();
        let words = ["平台未予结算", "preselfpay_amt"];
        self.refused("5203", &self.named(mdtrt_id, setl_id), &words);
        let (_, status) = edge.status();
        let conflicts = status["conflicts"].as_array().expect("a list").clone();
        assert_eq!(conflicts.len(), 1, "{status}");
        assert!(conflicts[0]["words"].as_str().is_some_and(|it| it.contains("preselfpay_amt")));
        assert_eq!(conflicts[0]["number"], setl_id.as_str());
        // The visit is as it was before the bill, under the edge's number: it is undone.
        let visit = json!({ "data": {
            "psn_no": self.psn_no, "mdtrt_id": mdtrt_id, "ipt_otp_no": "EDGE1"
        } });
        self.done("2202", &visit);
        self.refused("2204", &self.line(mdtrt_id, ("2", "ZJ007"), "10"), &["mdtrt_id"]);
    }
}
