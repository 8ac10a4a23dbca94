//! `yibao edge`: a process inside a hospital that speaks the national interface to its system, and
//! goes on when the line to the platform is cut.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use ::ledger::modules::organisation::{AuthoriseKey, Scope};
use adapters::clock::{Clock, SystemClock};
use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use edge::EdgeError;
use edge::house::HouseKeys;
use edge::ledger::Ledger;
use edge::page::{EdgeStatus, filled, text};
use edge::server::Edge as Server;
use edge::setup::{HospitalSetup, Setup};
use gateway::nhsa::profile::{InfcodeForm, MobileProfile, SchemeName, sm2_point};
use gateway::nhsa::signature::Keys;
use gateway::problem::Language;
use node::signature::{Scheme, SecretKey, save_key, write_owned};
use primitives::Party;

use super::input::{bad, read_toml};
use super::keys::read_key;
use super::language::{language, of_environment};
use super::tx::write_transaction;
use crate::serving::folder::{operator, replace_file};
use crate::serving::hospital::read_secret;
use crate::serving::light::{is_light, open_light, trust_root};

const SETUP_BYTES_MAX: u64 = 1 << 20;
/// What the platform knows the hospital by.
const SECRET_FILE: &str = "platform-secret";
/// What the hospital's system signs with, where it is another secret.
const HIS_SECRET_FILE: &str = "his-secret";
/// What sealed bodies of mobile payment are made with, where the edge is to sign for them.
const MOBILE_SECRET_FILE: &str = "mobile-secret";
/// Signs what is taken, and opens the book.
const KEY_FILE: &str = "keys/edge.key";
/// Signs for the hospital on the ledger.
const LEDGER_KEY_FILE: &str = "keys/ledger.key";
/// The transaction that makes that key count.
const KEY_REQUEST_FILE: &str = "authorise-key.json";
/// For how long it asks to count, in milliseconds: a year.
const KEY_MILLIS: u64 = 365 * 24 * 3_600_000;

/// Stands inside a hospital, passes its system's messages on, and goes on when the line is cut.
#[derive(Args)]
pub struct Edge {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Write the file of an edge and the folder of a hospital; again with another hospital, to add
    /// it.
    Init(Init),
    /// Answer the hospital's system until told to stop.
    Serve(Serve),
    /// Say how an edge is. Exit code 0: in order. 1: somebody should look. 3: it does not answer.
    Status(Status),
}

#[derive(Args)]
struct Init {
    /// The edge's file.
    #[arg(value_name = "FILE", default_value = "edge.toml")]
    file: PathBuf,
    /// Where the platform is.
    #[arg(long, value_name = "URL", default_value = "http://localhost:8420")]
    platform: String,
    /// The hospital's code in the national list.
    #[arg(long)]
    code: String,
    /// Its name there.
    #[arg(long)]
    name: String,
    /// The file with the secret by which the platform knows the hospital; it is copied.
    #[arg(long, value_name = "FILE")]
    secret: PathBuf,
    /// Whose sealed bodies of mobile payment are passed on, where there are such.
    #[arg(long, value_name = "APP_ID")]
    mobile_app_id: Option<String>,
    /// The file with the secret that seals them; it is copied. An edge that signs on the ledger
    /// must read what it signs for.
    #[arg(long, value_name = "FILE", requires = "mobile_app_id")]
    mobile_secret: Option<PathBuf>,
    /// The platform writes `infcode` as a text.
    #[arg(long)]
    infcode_text: bool,
    /// The data folder of the hospital's light node, as `yibao light join` made it: then the edge
    /// signs for the hospital on the ledger by a key of its own, and looks up what the platform
    /// says.
    #[arg(long, value_name = "DIR")]
    ledger: Option<PathBuf>,
}

#[derive(Args)]
struct Serve {
    /// The edge's file.
    #[arg(value_name = "FILE", default_value = "edge.toml")]
    file: PathBuf,
    /// Where to answer, where it is not the address in the file; with port 0 the system chooses.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

#[derive(Args)]
struct Status {
    /// Where the edge answers.
    #[arg(long, value_name = "URL", default_value = "http://localhost:8430")]
    url: String,
    /// Print one JSON object instead of words.
    #[arg(long)]
    json: bool,
    /// The language: zh-Hans, zh-Hant, en or de; the terminal's when left out.
    #[arg(long, value_name = "TAG", value_parser = language)]
    lang: Option<Language>,
}

impl Edge {
    pub fn run(self) -> Result<ExitCode> {
        match self.action {
            Action::Init(init) => init.run(),
            Action::Serve(serve) => serve.run(),
            Action::Status(status) => status.run(),
        }
    }
}

fn in_file(file: &Path) -> impl Fn(EdgeError) -> anyhow::Error {
    move |error| match error {
        EdgeError::Setup(words) => bad(format!("the edge's file `{}`: {words}", file.display())),
        other => other.into(),
    }
}

fn folder_of(file: &Path) -> &Path {
    file.parent().unwrap_or_else(|| Path::new("."))
}

impl Init {
    fn run(self) -> Result<ExitCode> {
        let secret = read_secret(&self.secret)?;
        let mobile_secret = self.mobile_secret.as_deref().map(read_secret).transpose()?;
        let hospital = HospitalSetup {
            folder: self.code.clone(),
            fixmedins_code: self.code,
            fixmedins_name: self.name,
            infcode: if self.infcode_text { InfcodeForm::Text } else { InfcodeForm::Number },
            yuan_per_person_and_day_max: 2_000,
            bills_max: 5_000,
            mobile_app_id: self.mobile_app_id,
            mobile_sm2_key: None,
            signature: SchemeName::HmacSm3,
            link_is_protected: false,
            sm2_key: None,
            ledger: self.ledger.as_deref().map(light_folder).transpose()?,
        };
        let ledger = hospital.ledger.clone().map(PathBuf::from);
        let folder = folder_of(&self.file).join(&hospital.folder);
        let mut setup = match self.file.exists() {
            true => read_toml("the edge's file", &self.file, SETUP_BYTES_MAX)?,
            false => Setup {
                platform: self.platform,
                listen: "127.0.0.1:8430".to_owned(),
                timeout_seconds: 10,
                probe_seconds: 2,
                hospitals: Vec::new(),
            },
        };
        setup.hospitals.push(hospital);
        setup.check().map_err(in_file(&self.file))?;
        if folder.exists() {
            return Err(bad(format!(
                "the folder `{}` exists already; a hospital's keys are never overwritten, move it away",
                folder.display()
            )));
        }
        fs::create_dir_all(folder.join("keys")).context("the hospital's folder")?;
        write_owned(&folder.join(SECRET_FILE), &secret).context("the hospital's secret")?;
        if let Some(secret) = mobile_secret {
            let file = folder.join(MOBILE_SECRET_FILE);
            write_owned(&file, &secret).context("the secret of mobile payment")?;
        }
        let key = SecretKey::generate(Scheme::Ed25519)?;
        save_key(&folder.join(KEY_FILE), &key)?;
        let text = toml::to_string(&setup)?;
        replace_file(&self.file, text.as_bytes()).context("the edge's file")?;
        println!("{} {}", folder.display(), key.public_key());
        ledger.map_or(Ok(()), |ledger| ask_for_key(&folder, &ledger))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The folder of a light node as it is written down.
fn light_folder(data: &Path) -> Result<String> {
    if !is_light(data) {
        let shown = data.display();
        return Err(bad(format!("`{shown}` is no light node's; make one with `yibao light join`")));
    }
    let path = data.canonicalize().context("the light node's folder")?;
    path.to_str().map(str::to_owned).ok_or_else(|| bad("the light node's folder has no plain name"))
}

/// Makes the key by which the hospital signs, and the transaction that makes it count.
fn ask_for_key(folder: &Path, ledger: &Path) -> Result<()> {
    let key = SecretKey::generate(Scheme::Ed25519)?;
    save_key(&folder.join(LEDGER_KEY_FILE), &key)?;
    let organisation = operator(ledger)?;
    let request = AuthoriseKey {
        organisation,
        key: key.public_key(),
        scopes: vec![Scope::Settle, Scope::Clerk],
        expires: SystemClock.now().plus_millis(KEY_MILLIS),
    };
    let (author, file) = (Party::Organisation(organisation), folder.join(KEY_REQUEST_FILE));
    write_transaction(trust_root(ledger)?.chain_id, author, &request, &file)?;
    let file = file.display();
    println!("let the ledger know the key: the root key of `{organisation}` signs");
    println!("  yibao tx sign {file} --key ROOT_KEY --party {author}");
    println!("  yibao tx send {file} --url GATEWAY --key ONLINE_KEY");
    println!(
        "and have the platform write it into the hospital's nhsa.toml, in place of `machine_key`:"
    );
    println!("  edge_key = \"{}\"", key.public_key());
    Ok(())
}

impl Serve {
    fn run(self) -> Result<ExitCode> {
        let setup: Setup = read_toml("the edge's file", &self.file, SETUP_BYTES_MAX)?;
        let listen = self.listen.map_or_else(|| setup.listen.parse(), Ok);
        let listen = listen.map_err(|_| {
            bad(format!(
                "the edge's file `{}`: `listen` must be an address of this machine and a port, such \
                 as 127.0.0.1:8430",
                self.file.display()
            ))
        })?;
        let beside = folder_of(&self.file);
        let edge = Server::open(&setup, beside, |hospital, folder| {
            let keys = keys(hospital, folder, beside);
            keys.map_err(|error| EdgeError::Setup(format!("{error:#}")))
        });
        let edge = edge.map_err(in_file(&self.file))?;
        let say = |address| {
            println!("edge of {} on http://{address}", setup.platform);
            // Whoever started this may wait for the line.
            let _ = std::io::stdout().flush();
        };
        edge.serve(listen, say).map_err(in_file(&self.file))?;
        println!("stopped; everything that was taken is on the disk");
        Ok(ExitCode::SUCCESS)
    }
}

fn keys(setup: &HospitalSetup, folder: &Path, beside: &Path) -> Result<HouseKeys> {
    let platform = read_secret(&folder.join(SECRET_FILE))?;
    let his = folder.join(HIS_SECRET_FILE);
    let current = match &setup.sm2_key {
        Some(key) => sm2_point("sm2_key", key).map_err(bad)?,
        None if his.exists() => read_secret(&his)?,
        None => platform.clone(),
    };
    let own = read_key(&folder.join(KEY_FILE))?;
    let secret = folder.join(MOBILE_SECRET_FILE);
    let mobile = match &setup.mobile_app_id {
        Some(app_id) if secret.exists() => {
            let (app_id, sm2_key) = (app_id.clone(), setup.mobile_sm2_key.clone());
            let mobile = MobileProfile { app_id, sm2_key, previous_secret_until: None };
            let keys = Keys { current: read_secret(&secret)?, previous: None };
            Some(mobile.sealing(keys).map_err(bad)?)
        }
        Some(_) if setup.ledger.is_some() => {
            return Err(bad(format!(
                "the edge signs for `{}` on the ledger, and cannot read its sealed messages of \
                 mobile payment; write what seals them into `{}`, or remove `mobile_app_id`",
                setup.fixmedins_code,
                secret.display()
            )));
        }
        _ => None,
    };
    let ledger =
        setup.ledger.as_ref().map(|data| ledger(&beside.join(data), folder)).transpose()?;
    Ok(HouseKeys { his: Keys { current, previous: None }, platform, own, ledger, mobile })
}

/// The hospital's light node, and its key.
fn ledger(data: &Path, folder: &Path) -> Result<Ledger> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (chain, _) = open_light(data, &clock)?;
    let key = read_key(&folder.join(LEDGER_KEY_FILE))?;
    Ok(Ledger { chain, organisation: operator(data)?, key })
}

impl Status {
    fn run(self) -> Result<ExitCode> {
        let language = self.lang.unwrap_or_else(of_environment);
        let asked = ureq::get(format!("{}/status.json", self.url.trim_end_matches('/'))).call();
        let answer = asked.ok().and_then(|mut one| one.body_mut().read_to_string().ok());
        let status = answer.and_then(|text| serde_json::from_str::<EdgeStatus>(&text).ok());
        let Some(status) = status else {
            eprintln!("yibao: {}", filled(language, "silent", &[("url", self.url)]));
            return Ok(ExitCode::from(3));
        };
        if self.json {
            println!("{}", serde_json::to_string(&status)?);
        } else {
            println!("{}", text(language, "title"));
            for (what, how) in status.rows(language) {
                let gap = if how.is_empty() { "" } else { ": " };
                println!("  {what}{gap}{how}");
            }
        }
        Ok(ExitCode::from(u8::from(status.needs_attention())))
    }
}
