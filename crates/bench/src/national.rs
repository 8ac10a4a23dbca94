//! The national interface: calls a second of many workplaces of one hospital, and a day of rows
//! reconciled. The shipped program serves, the played hospital's clients are on the same cores.

use std::fs;
use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use adapters::directory::DirectoryKey;
use adapters::hospital::Book;
use adapters::sqlite::Place;
use anyhow::{Context as _, Result, anyhow, bail};
use benefit::VisitType;
use gateway::nhsa::profile::Profile;
use his::counter::is_for_later;
use his::line::Line;
use his::message::{Answer, Moment, compose};
use his::money::Fen;
use his::setup::{Item, Patient, Patients, Setup};
use his::signer::Signer;
use node::signature::{Scheme, SecretKey, save_key, write_owned};
use primitives::{sha256, sha256_parts};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;

use crate::figures::{Bar, Figures};
use crate::http::{Served, program};
use crate::load::{self, Collector, Outcome};
use crate::region::{REGION, Region, Size};
use crate::settlement::{Maker, visit_id};
use crate::{in_process, process};

/// People of the demonstration in which calls are measured.
const PEOPLE: u32 = 1_000;
/// Workplaces that call at once.
const WORKPLACES: usize = 48;
/// How many messages a visit is; neighbouring workplaces are at different ones.
const MESSAGES: u32 = 6;
/// How long each load lasts.
const SECONDS: u64 = 20;
const SECONDS_QUICK: u64 = 5;
/// Calls a second that must be answered in time.
const PACE: u32 = 1_000;
/// Rows of a day that is reconciled.
const ROWS: usize = 100_000;
const ROWS_QUICK: usize = 10_000;
/// How often the same message is sent while the platform is busy.
const TRIES_MAX: u32 = 50;
const PAUSE: Duration = Duration::from_millis(5);
const MEBIBYTE: f64 = 1_048_576.0;

/// Takes the figures of the national interface.
///
/// # Errors
/// When something that is measured does not work.
pub fn measure(figures: &mut Figures, folder: &Path, is_quick: bool) -> Result<()> {
    calls(figures, folder, if is_quick { SECONDS_QUICK } else { SECONDS })?;
    day(figures, folder, if is_quick { ROWS_QUICK } else { ROWS })
}

fn calls(figures: &mut Figures, folder: &Path, seconds: u64) -> Result<()> {
    let folder = tempfile::tempdir_in(folder)?;
    let data = folder.path().join("demo");
    let people = PEOPLE.to_string();
    let made = Command::new(program()?)
        .args(["demo", "--once", "--people", &people, "--data"])
        .arg(&data)
        .output()?;
    if !made.status.success() {
        bail!("`yibao demo` does not come to its end: {}", String::from_utf8_lossy(&made.stdout));
    }
    let served = Served::start(&data)?;
    let house = data.join("hospital-1");
    let mut setup: Setup = read(&house.join("his.toml"))?;
    setup.url = format!("http://{}", served.address());
    let patients: Patients = read(&house.join(&setup.patients))?;
    let secret = fs::read_to_string(house.join(&setup.secret))?;
    let hospital =
        Hospital { setup: &setup, secret: secret.trim().as_bytes(), next: AtomicU64::new(0) };
    let before = process::resident_bytes(served.process());
    let spent = process::processor_seconds_of(served.process());
    let outcome = hospital.load(&patients.patient, Duration::from_secs(seconds), Some(PACE))?;
    figures.note("national/1k_calls", outcome.per_second, "calls/s", Bar::Told);
    figures.note("national/1k_p50", outcome.p50, "ms", Bar::Told);
    figures.note("national/1k_p99", outcome.p99, "ms", Bar::AtMost(100.0));
    let outcome = hospital.load(&patients.patient, Duration::from_secs(seconds), None)?;
    let bar = Bar::AtLeast(f64::from(PACE));
    figures.note("national/saturated_calls", outcome.per_second, "calls/s", bar);
    figures.note("national/saturated_p50", outcome.p50, "ms", Bar::Told);
    figures.note("national/saturated_p99", outcome.p99, "ms", Bar::Told);
    let grown = process::resident_bytes(served.process()).saturating_sub(before) as f64;
    let calls = hospital.next.load(Ordering::Relaxed) as f64;
    let spent = process::processor_seconds_of(served.process()) - spent;
    figures.note("national/processor_per_call", spent * 1e3 / calls, "ms", Bar::Told);
    figures.note("national/grown_per_call", grown / calls, "bytes", Bar::Told);
    Ok(())
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    toml::from_str(&text).with_context(|| path.display().to_string())
}

/// Today by the clock of the interface.
fn today() -> String {
    Moment::of_this_machine().today()
}

/// A hospital whose workplaces call.
struct Hospital<'a> {
    setup: &'a Setup,
    secret: &'a [u8],
    /// How many messages were numbered.
    next: AtomicU64,
}

/// One workplace during a load.
struct Workplace<'a> {
    hospital: &'a Hospital<'a>,
    line: Line,
    collector: std::sync::mpsc::Sender<load::Answer>,
    /// When the next call is due, and how long after it the next one.
    due: Option<(Instant, Duration)>,
    until: Instant,
    count: usize,
}

impl Hospital<'_> {
    /// Visits from their registration to their settlement at all workplaces for as long as this;
    /// with `per_second` each call at its own moment, else as fast as answers come. Everybody is a
    /// patient of one workplace.
    fn load(
        &self,
        patients: &[Patient],
        span: Duration,
        per_second: Option<u32>,
    ) -> Result<Outcome> {
        let collector = Collector::new();
        let begin = collector.begin();
        let count = thread::scope(|scope| {
            let workers: Vec<_> = (0..WORKPLACES)
                .map(|place| {
                    let sender = collector.sender();
                    scope.spawn(move || {
                        let own = patients.iter().skip(place).step_by(WORKPLACES);
                        let due = per_second.map(|rate| {
                            let between = Duration::from_secs(1) / rate;
                            let offset = between * u32::try_from(place).unwrap_or(0);
                            let own = between * u32::try_from(WORKPLACES).unwrap_or(1);
                            // Nobody registers everybody before anybody is charged.
                            let stage = u32::try_from(place).unwrap_or(0) % MESSAGES;
                            (begin + offset + own * stage, own)
                        });
                        let line = Line::new(
                            &self.setup.url,
                            &self.setup.fixmedins_code,
                            Signer::HmacSm3(self.secret.to_vec()),
                        )?;
                        let (collector, until) = (sender, begin + span);
                        let mut workplace =
                            Workplace { hospital: self, line, collector, due, until, count: 0 };
                        workplace.work(&own.collect::<Vec<_>>())?;
                        Ok::<_, anyhow::Error>(workplace.count)
                    })
                })
                .collect();
            let mut count = 0;
            for worker in workers {
                count += worker.join().map_err(|_| anyhow!("a workplace ended"))??;
            }
            Ok::<_, anyhow::Error>(count)
        })?;
        collector.finish(Vec::new(), count)
    }

    /// A message with a number of its own.
    fn message(&self, infno: &str, input: &Value) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let counter = u8::try_from(number / 1_000 % 10).unwrap_or(0);
        let place = (Moment::of_this_machine(), counter, number % 1_000);
        compose(self.setup, place, (infno, None), input).body
    }
}

impl Workplace<'_> {
    fn work(&mut self, patients: &[&Patient]) -> Result<()> {
        for (visit, patient) in (0_u64..).zip(patients.iter().cycle()) {
            if Instant::now() >= self.until {
                return Ok(());
            }
            self.visit(patient, visit)?;
        }
        Ok(())
    }

    /// Asks something when it is due, and measures until the final answer is there.
    fn ask(&mut self, infno: &str, input: &Value) -> Result<Answer> {
        let begin = match &mut self.due {
            Some((due, between)) => {
                load::wait_until(*due);
                let begin = *due;
                *due += *between;
                begin
            }
            None => Instant::now(),
        };
        let body = self.hospital.message(infno, input);
        for _ in 0..TRIES_MAX {
            let reply = self.line.send(&body)?;
            if is_for_later(&reply) {
                thread::sleep(PAUSE);
                continue;
            }
            let at = Instant::now();
            let waited = at.duration_since(begin);
            self.collector.send(load::Answer { waited, at, refused: None })?;
            self.count += 1;
            return Ok(Answer::read(infno, reply.text())?.done()?);
        }
        bail!("the platform stays busy with {infno}")
    }

    fn visit(&mut self, patient: &Patient, number: u64) -> Result<()> {
        let Patient { name, number: card } = patient;
        let certificate = json!({ "mdtrt_cert_type": "02", "mdtrt_cert_no": card });
        let mut data = certificate.clone();
        data["psn_name"] = json!(name);
        let known = self.ask("1101", &json!({ "data": data }))?;
        let insured = known.rows("insuinfo").iter().find(|row| row["psn_insu_stas"] == "1");
        let Some(scheme) = insured.map(|row| row["insutype"].clone()) else { return Ok(()) };
        let mut shown = certificate;
        shown["psn_no"] = json!(known.text_at("/baseinfo/psn_no")?);
        shown["insutype"] = scheme;
        let mut data = shown.clone();
        data["begntime"] = json!(today());
        data["ipt_otp_no"] = json!("MZ0001");
        data["med_type"] = json!("11");
        let visit = self.ask("2201", &json!({ "data": data }))?.text_at("/data/mdtrt_id")?;
        let described = json!({
            "mdtrtinfo": {
                "mdtrt_id": visit, "psn_no": shown["psn_no"], "med_type": "11", "begntime": today()
            },
            "diseinfo": [{
                "diag_type": "1", "diag_srt_no": 1, "diag_code": "Z00.000",
                "diag_name": "一般性医学检查", "diag_dept": "A03", "diag_time": today(),
                "vali_flag": "1"
            }]
        });
        self.ask("2203", &described)?;
        let items = &self.hospital.setup.items;
        let first = usize::try_from(number).unwrap_or(0);
        let charged: Vec<&Item> = items.iter().cycle().skip(first % items.len()).take(3).collect();
        let line = |(serial, item): (u32, &&Item)| {
            json!({
                "feedetl_sn": serial.to_string(), "mdtrt_id": visit, "psn_no": shown["psn_no"],
                "chrg_bchno": "B1", "fee_ocur_time": today(), "med_list_codg": item.code,
                "cnt": 1, "pric": item.price, "det_item_fee_sumamt": item.price
            })
        };
        let lines: Vec<Value> = (1..).zip(&charged).map(line).collect();
        self.ask("2204", &json!({ "feedetail": lines }))?;
        let total: Fen = charged.iter().filter_map(|item| Fen::parse(&item.price)).sum();
        let mut data = shown;
        for (field, value) in [
            ("mdtrt_id", visit.as_str()),
            ("med_type", "11"),
            ("medfee_sumamt", &total.text()),
            ("psn_setlway", "01"),
            ("chrg_bchno", "B1"),
            ("acct_used_flag", "0"),
        ] {
            data[field] = json!(value);
        }
        let claim = json!({ "data": data });
        self.ask("2206", &claim)?;
        self.ask("2207", &claim).map(drop)
    }
}

/// A hospital with so many settlements on one day, and its file of them reconciled.
fn day(figures: &mut Figures, folder: &Path, rows: usize) -> Result<()> {
    let folder = tempfile::tempdir_in(folder)?;
    let data = folder.path();
    let size = Size { people: 100_000, funds: 20, mix: crate::ceiling::Mix::Ed25519 };
    let region = Region::new(size);
    let genesis = region.found(data)?;
    let node = in_process::open(data, &genesis)?;
    region.settle_in(&node)?;
    let mut maker = Maker::of_first_provider(&region);
    let transactions = maker.make(&node, rows)?;
    in_process::saturate(&node, &in_process::encoded(&transactions))?;
    drop(transactions);
    node.stop();
    drop(node);
    let (mut setup, secret) = equip(&region, data, rows)?;
    let served = Served::start(data)?;
    setup.url = format!("http://{}", served.address());
    let hospital = Hospital { setup: &setup, secret: &secret, next: AtomicU64::new(0) };
    let line = Line::new(&setup.url, &setup.fixmedins_code, Signer::HmacSm3(secret.clone()))?;
    // What the platform has is told as differences from an empty file.
    let Reconciled { differences: missing, .. } = reconcile(&hospital, &line, "")?;
    let own = own_rows(&missing);
    if own.lines().count() != rows {
        bail!("the platform states {} rows of {rows}", own.lines().count());
    }
    let before = process::resident_bytes(served.process());
    let spent = process::processor_seconds_of(served.process());
    let Reconciled { answer, differences, took } = reconcile(&hospital, &line, &own)?;
    let spent = process::processor_seconds_of(served.process()) - spent;
    let words = answer.text_at("/fileinfo/stmt_rslt_dscr")?;
    if !differences.is_empty() || !words.contains('平') {
        bail!("the day does not come to zero: {words}");
    }
    let scale = ROWS as f64 / rows as f64;
    let seconds: f64 = took.iter().map(Duration::as_secs_f64).sum();
    figures.note("national/day_100k_rows", seconds * scale, "s", Bar::AtMost(5.0));
    for (infno, took) in ["9101", "3202", "9102"].iter().zip(took) {
        let name = format!("national/day_100k_rows/{infno}");
        figures.note(&name, took.as_secs_f64() * scale, "s", Bar::Told);
    }
    figures.note("national/day_100k_rows/processor", spent * scale, "s", Bar::Told);
    let peak = process::peak_bytes(served.process());
    figures.note(
        "national/day_100k_rows/grown",
        peak.saturating_sub(before) as f64 / MEBIBYTE,
        "MiB",
        Bar::AtMost(256.0),
    );
    Ok(())
}

/// The files by which the first provider speaks the interface at this node, and its book with every
/// visit as one that was registered there.
fn equip(region: &Region, data: &Path, visits: usize) -> Result<(Setup, Vec<u8>)> {
    let key = |meaning: &str| SecretKey::from_seed(Scheme::Ed25519, &sha256(meaning.as_bytes()).0);
    let [bureau, identity, house] =
        ["bureau", "identity", "hospital-0"].map(|name| data.join(name));
    for (folder, signer) in
        [(&bureau, &region.bureau), (&identity, region.identity()), (&house, &region.providers[0])]
    {
        fs::create_dir_all(folder.join("keys"))?;
        signer.save(&folder.join("keys/online.key"))?;
    }
    save_key(&bureau.join("keys/directory.key"), &key("directory"))?;
    save_key(&identity.join("keys/register.key"), &key("register"))?;
    let limits = "payment_max = \"1000.00\"\nday_max = \"2000.00\"\n";
    let wallet = format!(
        "region = {}\nauthority = \"identity\"\nmachine_key = \"keys/online.key\"\n[passkey]\n{limits}\
         [device]\n{limits}",
        REGION.0
    );
    fs::write(bureau.join("wallet.toml"), wallet)?;
    let (secret, code) = ("a secret of the benchmark's hospital, which has none", "H62010000001");
    write_owned(&house.join("nhsa-secret"), secret.as_bytes())?;
    let profile =
        Profile::usual([code, "示范医院", "keys/online.key"], &[("11", VisitType::Outpatient)]);
    fs::write(house.join("nhsa.toml"), toml::to_string(&profile)?)?;
    let own = key("book");
    save_key(&house.join("keys/nhsa.key"), &own)?;
    let sealing = sha256_parts(&[b"yibao/hospital-book/v1", own.as_bytes()]);
    let book = Book::open(&Place::File(house.join("nhsa.sqlite")), &DirectoryKey(sealing.0))?;
    enter_visits(&book, visits)?;
    let setup = Setup {
        url: String::new(),
        fixmedins_code: code.to_owned(),
        fixmedins_name: "示范医院".to_owned(),
        area: REGION.0.to_string(),
        operator: "0012".to_owned(),
        operator_name: "收费员".to_owned(),
        secret: String::new(),
        signature: his::signer::Scheme::HmacSm3,
        patients: String::new(),
        book: String::new(),
        pharmacy: None,
        mobile: None,
        items: Vec::new(),
        ward_items: Vec::new(),
    };
    Ok((setup, secret.as_bytes().to_vec()))
}

/// Nobody waits for a row of them, only for all of them.
fn enter_visits(book: &Book, visits: usize) -> Result<()> {
    let mark = book.mark();
    for number in 0..visits {
        let visit = visit_id(u64::try_from(number).unwrap_or(0));
        book.put("visit", &book.name("visit", &visit.0), b"of the benchmark")?;
    }
    Ok(book.keep(mark)?)
}

/// What a comparison answered.
struct Reconciled {
    answer: Answer,
    /// The file of what differs.
    differences: String,
    /// How long 9101, 3202 and 9102 took.
    took: [Duration; 3],
}

/// Sends a file (9101), has it compared (3202) and takes what differs (9102).
fn reconcile(hospital: &Hospital<'_>, line: &Line, rows: &str) -> Result<Reconciled> {
    let ask = |infno: &str, input: &Value| -> Result<(Answer, Duration)> {
        let message = hospital.message(infno, input);
        let begin = Instant::now();
        let reply = line.send(&message)?;
        let took = begin.elapsed();
        Ok((Answer::read(infno, reply.text())?.done()?, took))
    };
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("rows.txt", SimpleFileOptions::default())?;
    archive.write_all(rows.as_bytes())?;
    let bytes = archive.finish()?.into_inner();
    let upload = json!({
        "fsUploadIn": { "in": his::statement::base64(&bytes), "filename": "rows.zip" }
    });
    let (uploaded, upload_took) = ask("9101", &upload)?;
    let number = uploaded.text_at("/data/file_qury_no")?;
    let sum = |at: usize| -> Fen {
        rows.lines().filter_map(|row| row.split('\t').nth(at).and_then(Fen::parse)).sum()
    };
    let (answer, compare_took) = ask(
        "3202",
        &json!({ "data": {
            "setl_optins": REGION.0.to_string(), "stmt_begndate": today(), "stmt_enddate": today(),
            "file_qury_no": number, "medfee_sumamt": sum(3).text(), "fund_pay_sumamt": sum(4).text(),
            "cash_payamt": "0", "fixmedins_setl_cnt": rows.lines().count().to_string()
        } }),
    )?;
    let download = json!({ "fsDownloadIn": {
        "file_qury_no": answer.text_at("/fileinfo/file_qury_no")?,
        "filename": answer.text_at("/fileinfo/filename")?
    } });
    let message = hospital.message("9102", &download);
    let begin = Instant::now();
    let reply = line.send(&message)?;
    let took = [upload_took, compare_took, begin.elapsed()];
    let mut archive = zip::ZipArchive::new(Cursor::new(&reply.bytes))?;
    let mut differences = String::new();
    archive.by_index(0)?.read_to_string(&mut differences)?;
    Ok(Reconciled { answer, differences, took })
}

/// The hospital's rows, from what the platform said was missing in it.
fn own_rows(missing: &str) -> String {
    let row = |line: &str| {
        let values: Vec<&str> = line.split('\t').collect();
        let [psn_no, visit, setl, _, _, flag, _, total, funds, account] = values.as_slice() else {
            return String::new();
        };
        format!("{setl}\t{visit}\t{psn_no}\t{total}\t{funds}\t{account}\t{flag}\r\n")
    };
    missing.lines().map(row).collect()
}
