//! `yibao tx`: write, sign, look at and send transactions.
//!
//! Reading order: [`Tx`], `file` (a transaction on its way between people), `send` (the way to a
//! gateway).

mod file;
mod send;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use adapters::clock::{Clock as _, SystemClock};
use anyhow::Result;
use clap::{Args, Subcommand};
use gateway::openapi::stand_alone_schema;
use gateway::problem::{Language, words};
use ledger::kernel::registry::{Kind, KindEntry};
use ledger::kernel::transaction::TRANSACTION_VERSION;
use ledger::modules::plan::DraftPlan;
use ledger::{Content, IdempotencyKey, Registry, registry};
use node::signature::SecretKey;
use primitives::{Hash, Party, codec};
use proof::header::ChainId;

use super::input::{bad, read_json};
use super::keys::read_key;
use super::language::{self, language};
use file::TransactionFile;

/// The body of a transaction in JSON is at most some hundred kilobytes.
const BODY_BYTES_MAX: u64 = 4 << 20;
const DAY_MINUTES: u64 = 1_440;

#[derive(Args)]
pub struct Tx {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the kinds of transaction.
    Kinds {
        /// The language of the titles: zh-Hans, zh-Hant, en or de.
        #[arg(long, value_name = "LANGUAGE", value_parser = language)]
        lang: Option<Language>,
    },
    /// Print the JSON schema of a kind's body.
    Schema {
        /// The kind, such as `settle_visit`.
        kind: String,
    },
    /// Write a transaction that is ready to be signed.
    Make(Make),
    /// Add a party's signature to a transaction file.
    Sign {
        /// The transaction; the signature is added to it.
        file: PathBuf,
        /// The key file.
        #[arg(long, value_name = "KEYFILE")]
        key: PathBuf,
        /// Whose key it is: `organisation:CODE` or `person:ID`.
        #[arg(long)]
        party: Party,
    },
    /// Say what a transaction file holds and whether its signatures are valid.
    Show {
        /// The transaction.
        file: PathBuf,
        /// The language of the title: zh-Hans, zh-Hant, en or de.
        #[arg(long, value_name = "LANGUAGE", value_parser = language)]
        lang: Option<Language>,
    },
    /// Put a signed transaction on a ledger and print its receipt.
    Send(send::Send),
}

#[derive(Args)]
struct Make {
    /// The kind, such as `settle_visit`.
    kind: String,
    /// Who brings it: `organisation:CODE` or `person:ID`.
    #[arg(long, value_name = "PARTY")]
    author: Party,
    /// The body, a JSON file; `yibao tx schema KIND` says its form.
    #[arg(long, value_name = "FILE")]
    body: PathBuf,
    /// The name of the ledger.
    #[arg(long, value_name = "CHAIN")]
    chain: ChainId,
    /// For how many minutes it may be executed, at most 7 days.
    #[arg(long, value_name = "MINUTES", default_value_t = 1_440,
          value_parser = clap::value_parser!(u64).range(1..=10_080))]
    valid_minutes: u64,
    /// The file to write; it must not exist yet. Printed when left out.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Tx {
    pub fn run(self) -> Result<ExitCode> {
        match self.action {
            Action::Kinds { lang } => kinds(lang.unwrap_or_else(language::of_environment)),
            Action::Schema { kind } => {
                let registry = registry();
                let schema = stand_alone_schema(find_kind(&registry, &kind)?);
                println!("{}", serde_json::to_string_pretty(&schema)?);
            }
            Action::Make(make) => make.run()?,
            Action::Sign { file, key, party } => sign(&file, &key, party)?,
            Action::Show { file, lang } => {
                return show(&file, lang.unwrap_or_else(language::of_environment));
            }
            Action::Send(send) => return send.run(),
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn kinds(language: Language) {
    for kind in registry().kinds() {
        let title = words::kind(language, kind.name);
        println!("{:>4}  {:<12}  {:<26}  {title}", kind.number, kind.module, kind.name);
    }
}

fn find_kind<'a>(registry: &'a Registry, name: &str) -> Result<&'a KindEntry> {
    registry.by_name(name).ok_or_else(|| {
        bad(format!("there is no kind of transaction `{name}`; `yibao tx kinds` lists them all"))
    })
}

impl Make {
    fn run(self) -> Result<()> {
        let registry = registry();
        let kind = find_kind(&registry, &self.kind)?;
        let form: serde_json::Value = read_json("the body", &self.body, BODY_BYTES_MAX)?;
        let body = (kind.body_from_json)(form).map_err(|error| {
            let shown = self.body.display();
            bad(format!(
                "the body `{shown}`, {error}; `yibao tx schema {}` says its form",
                self.kind
            ))
        })?;
        let form = (self.chain, self.author, self.valid_minutes);
        let file = draft(form, kind.number, body)?;
        let id = file.content.id();
        match &self.output {
            Some(path) => {
                file.write_new(path)?;
                println!(
                    "transaction {id} is in `{}`; sign it with `yibao tx sign`",
                    path.display()
                );
            }
            None => print!("{}", file.to_text()),
        }
        Ok(())
    }
}

/// A transaction that nobody has signed yet, with a fresh key against doing it twice.
fn draft(
    (chain_id, author, valid_minutes): (ChainId, Party, u64),
    kind: u16,
    body: Vec<u8>,
) -> Result<TransactionFile> {
    let mut key = [0_u8; 16];
    getrandom::fill(&mut key)
        .map_err(|error| anyhow::anyhow!("the system gives no randomness: {error}"))?;
    let validity = Duration::from_secs(valid_minutes * 60);
    let content = Content {
        version: TRANSACTION_VERSION,
        chain_id,
        author,
        idempotency_key: IdempotencyKey(key),
        valid_until: SystemClock.now().plus_millis(validity.as_millis() as u64),
        kind,
        body,
    };
    Ok(TransactionFile { content, authorisations: Vec::new() })
}

/// Writes a transaction of this kind, ready to be signed within a day, into a new file.
///
/// # Errors
/// When the file exists or cannot be written.
pub fn write_transaction<K: Kind>(
    chain_id: ChainId,
    author: Party,
    kind: &K,
    path: &std::path::Path,
) -> Result<Hash> {
    let file = draft((chain_id, author, DAY_MINUTES), K::NUMBER, codec::encode(kind))?;
    file.write_new(path)?;
    Ok(file.content.id())
}

/// A transaction of this kind by one party, signed, as a gateway takes it; with its key against
/// doing it twice.
///
/// # Errors
/// When the system gives no randomness.
pub fn signed<K: Kind>(
    chain_id: ChainId,
    party: Party,
    key: &SecretKey,
    kind: &K,
) -> Result<(String, String)> {
    let mut file = draft((chain_id, party, DAY_MINUTES), K::NUMBER, codec::encode(kind))?;
    file.sign(party, key)?;
    Ok((file.to_text(), file.idempotency_key().to_string()))
}

fn sign(path: &std::path::Path, key: &std::path::Path, party: Party) -> Result<()> {
    let key = read_key(key)?;
    let mut file = TransactionFile::read(path)?;
    let registry = registry();
    let kind = registry.by_number(file.content.kind).map_or("unknown", |kind| kind.name);
    let id = file.content.id();
    file.sign(party, &key)?;
    file.replace(path)?;
    println!(
        "{party} signed `{kind}`, transaction {id}, for the ledger `{}`",
        file.content.chain_id
    );
    Ok(())
}

/// The plan that a transaction drafts: its hashes are those that `yibao simulate-plan` prints.
fn drafted(content: &Content) -> Option<benefit::Plan> {
    if content.kind != DraftPlan::NUMBER {
        return None;
    }
    let draft: DraftPlan = codec::decode(&content.body).ok()?;
    codec::decode(&draft.plan.0).ok()
}

fn show(path: &std::path::Path, language: Language) -> Result<ExitCode> {
    let file = TransactionFile::read(path)?;
    let content = &file.content;
    let registry = registry();
    let kind = registry.by_number(content.kind).ok_or_else(|| {
        let (shown, number) = (path.display(), content.kind);
        bad(format!(
            "the transaction `{shown}` is of kind {number}, which this version does not know"
        ))
    })?;
    let body = (kind.body_to_json)(&content.body).ok_or_else(|| {
        let (shown, name) = (path.display(), kind.name);
        bad(format!("the transaction `{shown}`: its body is not one of `{name}`; make it anew"))
    })?;
    println!("{}", words::kind(language, kind.name));
    println!("  kind             {}", kind.name);
    println!("  transaction      {}", content.id());
    println!("  ledger           {}", content.chain_id);
    println!("  author           {}", content.author);
    println!("  valid until      {}", content.valid_until);
    println!("  idempotency key  {}", file.idempotency_key());
    if let Some(plan) = drafted(content) {
        println!("  plan             {}, compiled from file {}", plan.hash(), plan.source_hash());
    }
    let mut are_valid = true;
    for one in &file.authorisations {
        match file.check(one) {
            Ok(()) => println!("  signed by        {} with {}", one.party, one.key),
            Err(error) => {
                are_valid = false;
                println!("  NOT VALID        {}: {error}", one.party);
            }
        }
    }
    if file.authorisations.is_empty() {
        println!("  signed by        nobody yet");
    }
    println!("{}", serde_json::to_string_pretty(&body)?);
    Ok(if are_valid { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
