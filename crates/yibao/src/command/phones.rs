//! The phones of simulated people: what stands in for those who pay at a played hospital. Each is a
//! wallet of its own that signs in at the gateway as its person, computes the settlement again from
//! what it shows, and signs or refuses it; the hospital has no part in it.
//!
//! ```toml
//! # DIR/phones/phones.toml, of a demonstration: nobody else's keys lie in a file like this
//! [[phone]]
//! number = "..."          # the number of the person's identity card
//! party = "person:..."    # who it is on the ledger
//! key = "1.key"           # what the phone signs with, beside this file
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, anyhow, bail};
use his::money::Fen;
use his::phone::{Phones, Says};
use ledger::kernel::registry::Kind as _;
use ledger::kernel::transaction::TRANSACTION_VERSION;
use ledger::modules::visit::SettleVisit;
use ledger::{Authorisation, Content, IdempotencyKey};
use node::signature::{SecretKey, save_key, write_owned};
use primitives::{Hash, Party, Timestamp, codec};
use proof::header::ChainId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use ureq::http::Uri;

use super::client::{Client, Entry, Request};
use super::input::read_toml;
use super::keys::read_key;

/// The file with the phones of a demonstration.
pub const PHONES_FILE: &str = "phones.toml";
const PHONES_BYTES_MAX: u64 = 1 << 20;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PhonesFile {
    #[serde(default)]
    phone: Vec<PhoneEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PhoneEntry {
    number: String,
    party: Party,
    key: String,
}

/// Somebody with a phone.
struct Person {
    party: Party,
    key: SecretKey,
    /// The wallet, once it is signed in.
    client: Mutex<Option<Arc<Client>>>,
}

/// The people whose phones are in a file.
pub struct SimulatedPeople {
    url: Uri,
    chain_id: ChainId,
    people: BTreeMap<String, Person>,
}

/// Writes the phones of simulated people into a folder, by their card numbers.
///
/// # Errors
/// When they cannot be written.
pub fn keep_phones(folder: &Path, phones: Vec<(String, Party, SecretKey)>) -> Result<()> {
    fs::create_dir_all(folder)?;
    let mut file = PhonesFile { phone: Vec::with_capacity(phones.len()) };
    for (at, (number, party, key)) in (1..).zip(phones) {
        let name = format!("{at}.key");
        save_key(&folder.join(&name), &key)?;
        file.phone.push(PhoneEntry { number, party, key: name });
    }
    let text = toml::to_string(&file).context("phones have a form in TOML")?;
    Ok(write_owned(&folder.join(PHONES_FILE), text.as_bytes())?)
}

/// What a phone shows of a request, as far as it is signed or told apart.
#[derive(Deserialize)]
struct Shown {
    request: Hash,
    head: Head,
    body: SettleVisit,
}

#[derive(Deserialize)]
struct Head {
    author: Party,
    idempotency_key: IdempotencyKey,
    valid_until: Timestamp,
}

impl SimulatedPeople {
    /// The people of a file, whose wallets speak to this gateway.
    ///
    /// # Errors
    /// What is wrong with a file, or when no gateway answers.
    pub fn open(file: &Path, url: &str) -> Result<Self> {
        let url: Uri = url.parse().with_context(|| format!("`{url}` is no address"))?;
        let chain_id = Client::new(&url)?.chain_id()?;
        let phones: PhonesFile = read_toml("the phones", file, PHONES_BYTES_MAX)?;
        let folder = file.parent().unwrap_or_else(|| Path::new("."));
        let person = |entry: PhoneEntry| {
            let key = read_key(&folder.join(entry.key))?;
            Ok((entry.number, Person { party: entry.party, key, client: Mutex::default() }))
        };
        let people = phones.phone.into_iter().map(person).collect::<Result<_>>()?;
        Ok(Self { url, chain_id, people })
    }

    /// A person's wallet, signed in.
    fn client(&self, person: &Person) -> Result<Arc<Client>> {
        let mut known = person.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*known {
            return Ok(Arc::clone(client));
        }
        let client =
            match Client::new(&self.url)?.sign_in(self.chain_id, person.party, &person.key)? {
                Entry::In(client) => Arc::new(client),
                Entry::Refused(answer) => bail!("it may not sign in: {}", answer.json()["detail"]),
            };
        *known = Some(Arc::clone(&client));
        Ok(client)
    }

    /// Answers the newest settlement of this total that waits for somebody.
    fn answered(&self, person: &Person, total: Fen, says: Says) -> Result<bool> {
        let client = self.client(person)?;
        let Party::Person(id) = person.party else { bail!("a phone is a person's") };
        let list = client.read(&format!("/v1/persons/{id}/requests"))?;
        if !list.is_good() {
            bail!("it is not told what waits: {}", list.json()["detail"]);
        }
        let mut waiting: Vec<Shown> = serde_json::from_value(list.json()["requests"].take())
            .context("what waits has another form")?;
        let total = u64::try_from(total.0).unwrap_or_default();
        waiting.retain(|shown| shown.body.split.total.minor() == total);
        let Some(shown) = waiting.first() else { return Ok(false) };
        let (what, body) = match says {
            Says::No => ("refusals", json!({ "reason": "wrong_bill" })),
            Says::Yes => ("confirmations", self.confirmation(person, shown)?),
        };
        let (path, body) = (format!("/v1/requests/{}/{what}", shown.request), body.to_string());
        let said =
            client.ask(&Request { path: &path, body: Some(&body), idempotency_key: None })?;
        if said.is_good() {
            return Ok(true);
        }
        bail!("its answer is not taken: {}", said.json()["detail"])
    }

    /// The person's signature over the settlement as the phone shows it.
    fn confirmation(&self, person: &Person, shown: &Shown) -> Result<Value> {
        let content = Content {
            version: TRANSACTION_VERSION,
            chain_id: self.chain_id,
            author: shown.head.author,
            idempotency_key: shown.head.idempotency_key,
            valid_until: shown.head.valid_until,
            kind: SettleVisit::NUMBER,
            body: codec::encode(&shown.body),
        };
        let id = content.id();
        if id != shown.request {
            return Err(anyhow!("it shows another settlement than it is asked to sign"));
        }
        let (key, signature) = (person.key.public_key(), person.key.sign(&id));
        let authorisation = Authorisation { party: person.party, key, signature };
        Ok(json!({ "authorisation": authorisation }))
    }
}

impl Phones for SimulatedPeople {
    fn has(&self, number: &str) -> bool {
        self.people.contains_key(number)
    }

    fn answer(&self, number: &str, total: Fen, says: Says) -> Result<bool, String> {
        let Some(person) = self.people.get(number) else { return Ok(false) };
        self.answered(person, total, says).map_err(|error| format!("{error:#}"))
    }
}
