//! `yibao vault`: sealed bills. Seal and upload them, draw a sample of visits, grant its bills to
//! an auditor for a time, open them.
//!
//! Whoever opens bills has a reader's key. It follows from the secret in a key file, so that there
//! is one kind of file to keep safe.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use adapters::clock::{Clock as _, SystemClock};
use anyhow::{Result, anyhow};
use benefit::CategorySums;
use clap::{Args, Subcommand};
use ledger::modules::audit::draw;
use node::signature::SecretKey;
use primitives::{Hash, Text, Timestamp, VisitId, codec, sha256_parts};
use vault::grant::PURPOSE_BYTES_MAX;
use vault::rand_core::CryptoRng;
use vault::{BillContent, Envelope, EnvelopeContext, Grant, ReaderKey, ReaderSecret};

use super::client::{Answer, Client, Entry, Who};
use super::input::{bad, instant, read_bytes, read_json, read_text};
use super::keys::read_key;

/// A list of some hundred thousand visits.
const VISITS_BYTES_MAX: u64 = 16 << 20;
/// As long as a bill may be.
const BILL_BYTES_MAX: u64 = 4 << 20;

#[derive(Args)]
pub struct Vault {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Print the reader's key that belongs to a key file: what bills are sealed for.
    Reader {
        /// The key file, as `yibao keys new` makes it.
        file: PathBuf,
    },
    /// Seal a bill for its readers and upload it; print the commitment that the settlement carries.
    Put(Put),
    /// Draw a sample from a list of visits. The same list and seed give the same sample.
    Sample {
        /// The visits, one id per line, in any order.
        visits: PathBuf,
        /// How many to draw.
        #[arg(long, value_name = "COUNT")]
        size: usize,
        /// Any words, chosen and told before the list is known.
        #[arg(long, value_name = "WORDS")]
        seed: String,
    },
    /// Let an auditor open the bills of a sample for a time; print each visit with its bills.
    Grant(GrantSample),
    /// Open a bill and print it.
    Open(Open),
}

#[derive(Args)]
struct Put {
    /// The visit.
    visit: VisitId,
    /// The itemised bill, a JSON file.
    #[arg(long, value_name = "FILE")]
    bill: PathBuf,
    /// The category sums that the quote gave for it, a JSON file.
    #[arg(long, value_name = "FILE")]
    sums: PathBuf,
    /// Who can open it, by reader's key: provider, payer and person.
    #[arg(long = "for", value_name = "READER", required = true)]
    readers: Vec<ReaderKey>,
    #[command(flatten)]
    who: Who,
}

#[derive(Args)]
struct GrantSample {
    /// The sample: visits, one id per line.
    sample: PathBuf,
    /// The auditor's reader's key.
    #[arg(long, value_name = "READER")]
    to: ReaderKey,
    /// The last instant, such as 2026-03-31T16:00:00.000Z, at most 92 days from now.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    until: Timestamp,
    /// What for, without anything personal.
    #[arg(long, value_name = "WORDS", value_parser = purpose)]
    purpose: Text<PURPOSE_BYTES_MAX>,
    /// The key file of a reader that the bills were sealed for.
    #[arg(long, value_name = "KEYFILE")]
    reader: PathBuf,
    #[command(flatten)]
    who: Who,
}

#[derive(Args)]
struct Open {
    /// The visit.
    visit: VisitId,
    /// The bill's commitment.
    commitment: Hash,
    /// The key file of a reader that the bill was sealed for or granted to.
    #[arg(long, value_name = "KEYFILE")]
    reader: PathBuf,
    #[command(flatten)]
    who: Who,
}

fn purpose(text: &str) -> Result<Text<PURPOSE_BYTES_MAX>, String> {
    Text::new(text).map_err(|error| error.to_string())
}

impl Vault {
    pub fn run(self) -> Result<ExitCode> {
        match self.action {
            Action::Reader { file } => println!("{}", reader_of(&file)?.key()),
            Action::Put(put) => return put.run(),
            Action::Sample { visits, size, seed } => {
                for visit in draw(&read_visits(&visits)?, size, &seed) {
                    println!("{visit}");
                }
            }
            Action::Grant(grant) => return grant.run(),
            Action::Open(open) => return open.run(),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The reader whose secret follows from a key file's.
fn reader_of(file: &Path) -> Result<ReaderSecret> {
    Ok(reader_of_key(&read_key(file)?))
}

/// The reader whose secret follows from this key's.
#[must_use]
pub fn reader_of_key(key: &SecretKey) -> ReaderSecret {
    ReaderSecret::from_seed(&sha256_parts(&[b"yibao/reader-of-key/v1", key.as_bytes()]).0)
}

fn read_visits(file: &Path) -> Result<BTreeSet<VisitId>> {
    let text = read_text("the list of visits", file, VISITS_BYTES_MAX)?;
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let visits = lines.map(|(number, line): (usize, _)| {
        let first = line.split_whitespace().next().unwrap_or_default();
        first.parse().map_err(|error| {
            let shown = file.display();
            bad(format!("the list of visits `{shown}`, line {number}: {error}"))
        })
    });
    visits.collect()
}

fn random() -> Result<[u8; 32]> {
    let mut random = [0; 32];
    getrandom::fill(&mut random)
        .map_err(|error| anyhow!("the system gives no randomness: {error}"))?;
    Ok(random)
}

/// Signs in, does this, and signs out.
fn signed_in(who: &Who, run: impl FnOnce(&Client) -> Result<ExitCode>) -> Result<ExitCode> {
    match who.enter()? {
        Entry::In(client) => {
            let done = run(&client);
            client.sign_out();
            done
        }
        Entry::Refused(answer) => Ok(answer.refused("the gateway does not let you in")),
    }
}

fn bill_path(visit: VisitId, commitment: Hash) -> String {
    format!("/v1/visits/{visit}/bills/{commitment}")
}

impl Put {
    fn run(self) -> Result<ExitCode> {
        let bill = read_bytes("the bill", &self.bill, BILL_BYTES_MAX)?;
        let sums: CategorySums = read_json("the sums", &self.sums, BILL_BYTES_MAX)?;
        let content = BillContent { salt: random()?, bill, sums: codec::encode(&sums) };
        let commitment = content.commitment();
        let context = EnvelopeContext { visit: self.visit, commitment };
        let bytes = content.encode().map_err(|error| bad(error.to_string()))?;
        let envelope =
            Envelope::seal(&bytes, &context, &self.readers, &mut vault::randomness(random()?));
        let envelope = envelope.map_err(|error| bad(error.to_string()))?.encode();
        signed_in(&self.who, |client| {
            let answer = client.send_bytes("PUT", &bill_path(self.visit, commitment), envelope)?;
            if !answer.is_good() {
                return Ok(answer.refused("the bill is not kept"));
            }
            println!("{commitment}");
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// An envelope, or the answer of a gateway that does not give it.
fn fetch(client: &Client, path: &str) -> Result<Result<Envelope, Answer>> {
    let answer = client.read(path)?;
    if !answer.is_good() {
        return Ok(Err(answer));
    }
    let envelope = Envelope::decode(&answer.body);
    envelope.map(Ok).map_err(|error| anyhow!("what the gateway gave for `{path}`: {error}"))
}

impl GrantSample {
    fn run(self) -> Result<ExitCode> {
        let visits = read_visits(&self.sample)?;
        let reader = reader_of(&self.reader)?;
        let mut random = vault::randomness(random()?);
        signed_in(&self.who, |client| {
            for visit in visits {
                let answer = client.read(&format!("/v1/visits/{visit}/bills"))?;
                if !answer.is_good() {
                    return Ok(answer.refused(&format!("the bills of visit `{visit}`")));
                }
                for commitment in commitments(&answer)? {
                    if let Some(answer) =
                        self.grant_bill(client, visit, commitment, &reader, &mut random)?
                    {
                        return Ok(answer.refused(&format!("a bill of visit `{visit}`")));
                    }
                    println!("{visit} {commitment}");
                }
            }
            Ok(ExitCode::SUCCESS)
        })
    }

    /// Grants one bill; an answer means that the gateway refused.
    fn grant_bill(
        &self,
        client: &Client,
        visit: VisitId,
        commitment: Hash,
        reader: &ReaderSecret,
        random: &mut impl CryptoRng,
    ) -> Result<Option<Answer>> {
        let path = bill_path(visit, commitment);
        let envelope = match fetch(client, &path)? {
            Ok(envelope) => envelope,
            Err(answer) => return Ok(Some(answer)),
        };
        let context = EnvelopeContext { visit, commitment };
        let grant =
            Grant { reader: self.to, purpose: self.purpose.clone(), valid_until: self.until };
        let granted = envelope.grant_key(reader, &context, &grant, SystemClock.now(), random);
        let granted = granted.map_err(|error| bad(format!("visit `{visit}`: {error}")))?;
        let answer = client.send_bytes("POST", &format!("{path}/grants"), granted.encode())?;
        Ok((!answer.is_good()).then_some(answer))
    }
}

fn commitments(answer: &Answer) -> Result<Vec<Hash>> {
    let list = answer.json().get("commitments").cloned().unwrap_or_default();
    serde_json::from_value(list).map_err(|_| anyhow!("the gateway gave no list of bills"))
}

impl Open {
    fn run(self) -> Result<ExitCode> {
        let reader = reader_of(&self.reader)?;
        let (visit, commitment) = (self.visit, self.commitment);
        // Whose own bill it is needs no grant, and then the gateway does not look at the reader.
        let path = format!("{}?reader={}", bill_path(visit, commitment), reader.key());
        signed_in(&self.who, |client| {
            let envelope = match fetch(client, &path)? {
                Ok(envelope) => envelope,
                Err(answer) => return Ok(answer.refused("the bill is not given")),
            };
            let context = EnvelopeContext { visit, commitment };
            let content = envelope.open_bill(&reader, &context, SystemClock.now());
            let content = content.map_err(|error| bad(error.to_string()))?;
            println!("{}", String::from_utf8_lossy(&content.bill).trim_end());
            Ok(ExitCode::SUCCESS)
        })
    }
}
