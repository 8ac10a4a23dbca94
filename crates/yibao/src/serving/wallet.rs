//! The wallet services of a bureau whose folder lies here, as its `wallet.toml` says them.
//!
//! ```toml
//! # DIR/BUREAU/wallet.toml; keys/directory.key beside it opens directory.sqlite
//! region = 620100
//! authority = "identity"            # its register and keys/register.key lie in DIR/identity/
//! machine_key = "keys/online.key"   # of both: scope attest; of the bureau countersign too
//! [passkey]
//! payment_max = "50000.00"
//! day_max = "100000.00"
//! [device]
//! payment_max = "1000.00"
//! day_max = "2000.00"
//! ```
//! How people are told of things, `[notices]` says (see `notices.rs`).
//! An organisation's `reader`, a line of hex, says for whom its bills are sealed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use adapters::clock::Clock;
use adapters::directory::{BoundCard, Directory, DirectoryKey};
use adapters::identity::{AuthorityKeys, Document, Registry};
use adapters::rail::Refusal;
use adapters::rail::card::{self, BindCard, BindCardError};
use adapters::sqlite::Place;
use anyhow::{Context as _, Result};
use benefit::decimal::DecimalText;
use gateway::payments::{PaymentNote, Payments as _};
use gateway::port::PortError;
use gateway::problem::Problem;
use gateway::wallet::{CardExecutor, KeyLimits, Machine, Wallet};
use ledger::modules::network;
use ledger::modules::visit::{CashLeg, RailKind};
use ledger::{Authorisation, Content, State};
use node::signature::SecretKey;
use primitives::{Currency, OrganisationId, Party, RegionId, Text, sha256_parts};
use serde::{Deserialize, Serialize};
use vault::{ReaderKey, ReaderSecret};

use super::notices::{NoticesFile, open_notices};
use super::payments::OwnPayments;
use super::rails::EXECUTE_KEY_FILE;
use crate::command::input::{bad, read_text, read_toml};
use crate::command::keys::read_key;
use crate::command::reader_of_key;

/// What a bureau does for wallets, in its folder.
pub const WALLET_FILE: &str = "wallet.toml";
/// Opens the directory.
pub const DIRECTORY_KEY_FILE: &str = "keys/directory.key";
/// What the authority's signing key and index keys come from.
pub const REGISTER_KEY_FILE: &str = "keys/register.key";
/// For whom an organisation's bills are sealed.
pub const READER_FILE: &str = "reader";
/// The name by which people know an organisation.
pub const NAME_FILE: &str = "name";

const REGISTER: &str = "register.sqlite";
/// In the authority's folder: trial pictures of faces, each named by an identity number, which the
/// simulated authority enters when it starts.
pub const FACES_FOLDER: &str = "faces";
/// The most bytes of a trial picture.
const FACE_BYTES_MAX: usize = 400 * 1_024;
const DIRECTORY: &str = "directory.sqlite";
/// The largest such file.
pub const WALLET_BYTES_MAX: u64 = 64 << 10;
const WORD_BYTES_MAX: u64 = 1_024;

/// The file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalletFile {
    /// The region whose people are served.
    pub region: RegionId,
    /// The identity authority whose register lies here.
    pub authority: OrganisationId,
    /// The key with which the machines of bureau and authority sign, in the folder of each.
    pub machine_key: String,
    /// What a new passkey may spend.
    pub passkey: LimitsText,
    /// What a new key of a device without passkeys may spend.
    pub device: LimitsText,
    /// How people are told of things.
    #[serde(default)]
    pub notices: NoticesFile,
}

/// What a key may spend, in the region's currency.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsText {
    /// By one payment.
    pub payment_max: DecimalText,
    /// On a day.
    pub day_max: DecimalText,
}

impl LimitsText {
    fn read(&self, currency: Currency) -> Result<KeyLimits, String> {
        let amount = |text: &DecimalText| text.amount(currency).map_err(|error| error.to_string());
        Ok(KeyLimits { payment_max: amount(&self.payment_max)?, day_max: amount(&self.day_max)? })
    }
}

/// A key that signs for its organisation by itself.
struct KeyMachine {
    organisation: OrganisationId,
    key: SecretKey,
}

impl Machine for KeyMachine {
    fn organisation(&self) -> OrganisationId {
        self.organisation
    }

    fn authorise(&self, content: &Content) -> Result<Authorisation, Problem> {
        let party = Party::Organisation(self.organisation);
        let signature = self.key.sign(&content.id());
        Ok(Authorisation { party, key: self.key.public_key(), signature })
    }
}

/// The machine of an organisation with the key in this file.
///
/// # Errors
/// When the key cannot be read.
pub(super) fn key_machine(organisation: OrganisationId, file: &Path) -> Result<Arc<dyn Machine>> {
    Ok(Arc::new(KeyMachine { organisation, key: read_key(file)? }))
}

/// A bank that takes money from bound cards, with what drives its payments.
struct BankMachine {
    machine: KeyMachine,
    payments: Arc<OwnPayments>,
}

impl Machine for BankMachine {
    fn organisation(&self) -> OrganisationId {
        self.machine.organisation()
    }

    fn authorise(&self, content: &Content) -> Result<Authorisation, Problem> {
        self.machine.authorise(content)
    }
}

impl CardExecutor for BankMachine {
    fn cash_leg(&self, what: &[u8], card: &BoundCard) -> Result<CashLeg, PortError> {
        // The salt follows from the bank's secret, so that asking again notes nothing new.
        let secret = self.machine.key.as_bytes();
        let salt = sha256_parts(&[b"yibao/card-leg/v1", secret, what]);
        let note = PaymentNote::Later { from: card.token.clone() };
        let authorisation = self.payments.record_authorisation(&card.rail, note, salt)?;
        let rail = Text::new(&card.rail).map_err(PortError::Failed)?;
        Ok(CashLeg {
            executor: self.machine.organisation,
            rail,
            kind: RailKind::Bound,
            authorisation,
        })
    }

    fn bind_card(&self, request: &BindCard) -> Result<BoundCard, BindCardError> {
        let (rail, binding) =
            self.payments.binding().ok_or(BindCardError::Refused(Refusal::CardUnknown))?;
        let card::BoundCard { token, last_four } = binding.bind_card(request)?;
        let executor = self.machine.organisation;
        Ok(BoundCard { executor, rail: rail.clone(), token, last_four })
    }
}

/// What an authority's keys come from: one secret, so that there is one file to keep safe.
#[must_use]
pub fn authority_keys(secret: &SecretKey) -> AuthorityKeys {
    let derived = |meaning: &[u8]| {
        sha256_parts(&[b"yibao/identity-register/v1", meaning, secret.as_bytes()]).0
    };
    AuthorityKeys {
        signing_seed: derived(b"signing"),
        index_keys: BTreeMap::from([(1, derived(b"index"))]),
    }
}

/// The directory of a bureau's folder, made when it is new.
///
/// # Errors
/// When key or file cannot be used.
pub fn open_directory(folder: &Path) -> Result<Directory> {
    let secret = read_key(&folder.join(DIRECTORY_KEY_FILE))?;
    let key = sha256_parts(&[b"yibao/directory/v1", secret.as_bytes()]);
    let place = Place::File(folder.join(DIRECTORY));
    Directory::open(&place, &DirectoryKey(key.0))
        .with_context(|| format!("the directory in `{}` cannot be opened", folder.display()))
}

/// The register of an authority's folder, made when it is new.
///
/// # Errors
/// When key or file cannot be used.
pub fn open_register(folder: &Path) -> Result<Registry> {
    let keys = authority_keys(&read_key(&folder.join(REGISTER_KEY_FILE))?);
    let register = Registry::open(&Place::File(folder.join(REGISTER)), &keys)
        .with_context(|| format!("the register in `{}` cannot be opened", folder.display()))?;
    enter_faces(&register, &folder.join(FACES_FOLDER))?;
    Ok(register)
}

/// Enters the trial pictures of a folder, if there is one.
fn enter_faces(register: &Registry, folder: &Path) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    let mut faces: Vec<(Document, Vec<u8>)> = Vec::new();
    let read = || format!("the trial pictures in `{}` cannot be read", folder.display());
    for entry in fs::read_dir(folder).with_context(read)? {
        let path = entry.with_context(read)?.path();
        let number = path.file_stem().unwrap_or_default().to_string_lossy();
        let document = number
            .parse()
            .map_err(|words| bad(format!("the trial picture `{}`: {words}", path.display())))?;
        let picture = fs::read(&path).with_context(read)?;
        if picture.len() > FACE_BYTES_MAX {
            let kib = FACE_BYTES_MAX / 1_024;
            return Err(bad(format!("the trial picture `{}`: at most {kib} KiB", path.display())));
        }
        faces.push((document, picture));
    }
    register.enter_faces(&faces).context("the trial pictures are not entered")
}

/// What a bureau does for wallets, if the folder of one says so.
///
/// # Errors
/// What is wrong with a file.
pub fn open_wallet(
    data: &Path,
    state: &State,
    payments: &[Arc<OwnPayments>],
    clock: &Arc<dyn Clock>,
) -> Result<Option<Arc<Wallet>>> {
    let folders = organisation_folders(data)?;
    let Some((bureau, folder)) = folders.iter().find(|(_, one)| one.join(WALLET_FILE).is_file())
    else {
        return Ok(None);
    };
    let path = folder.join(WALLET_FILE);
    let file: WalletFile = read_toml("the wallet services", &path, WALLET_BYTES_MAX)?;
    let in_file = |words: String| bad(format!("the wallet services `{}`: {words}", path.display()));
    let region = network::view::region(state, file.region).ok_or_else(|| {
        in_file(format!("the ledger has no region {}; name its own", file.region))
    })?;
    let limits = |text: &LimitsText| text.read(region.currency).map_err(&in_file);
    let authority_folder = data.join(file.authority.as_str());
    let readers = readers(&folders)?;
    let machine =
        |organisation, folder: &Path| key_machine(organisation, &folder.join(&file.machine_key));
    let secret = read_key(&folder.join(DIRECTORY_KEY_FILE))?;
    Ok(Some(Arc::new(Wallet {
        region: file.region,
        directory: open_directory(folder)?,
        authority: Arc::new(open_register(&authority_folder)?),
        bureau: machine(*bureau, folder)?,
        identity: machine(file.authority, &authority_folder)?,
        executors: executors(data, payments)?,
        bureau_reader: bureau_reader(*bureau, (folder, &file.machine_key), &readers)?,
        readers,
        notices: open_notices(folder, &file.notices, &secret, clock)?,
        passkey_limits: limits(&file.passkey)?,
        device_limits: limits(&file.device)?,
    })))
}

/// What opens the bureau's copies of sealed bills, where they are sealed for the machine's own key.
fn bureau_reader(
    bureau: OrganisationId,
    (folder, machine_key): (&Path, &str),
    readers: &BTreeMap<OrganisationId, ReaderKey>,
) -> Result<Option<ReaderSecret>> {
    let secret = reader_of_key(&read_key(&folder.join(machine_key))?);
    let is_for_it = readers.get(&bureau) == Some(&secret.key());
    Ok(is_for_it.then_some(secret))
}

/// The folders in a data folder that are named as organisations are.
pub(super) fn organisation_folders(
    data: &Path,
) -> Result<Vec<(OrganisationId, std::path::PathBuf)>> {
    let entries = fs::read_dir(data)
        .with_context(|| format!("the data folder `{}` cannot be read", data.display()))?;
    let mut folders = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if let Ok(organisation) = name.parse()
            && path.is_dir()
        {
            folders.push((organisation, path));
        }
    }
    folders.sort();
    Ok(folders)
}

/// Those among the owners of rails that take money from bound cards: whoever has no till.
fn executors(
    data: &Path,
    payments: &[Arc<OwnPayments>],
) -> Result<BTreeMap<OrganisationId, Arc<dyn CardExecutor>>> {
    let mut found: BTreeMap<OrganisationId, Arc<dyn CardExecutor>> = BTreeMap::new();
    for own in payments.iter().filter(|own| own.rails().iter().any(|rail| !rail.has_tills)) {
        let organisation = own.organisation();
        let key = read_key(&data.join(organisation.as_str()).join(EXECUTE_KEY_FILE))?;
        let machine = KeyMachine { organisation, key };
        found.insert(organisation, Arc::new(BankMachine { machine, payments: Arc::clone(own) }));
    }
    Ok(found)
}

fn readers(
    folders: &[(OrganisationId, std::path::PathBuf)],
) -> Result<BTreeMap<OrganisationId, ReaderKey>> {
    let mut found = BTreeMap::new();
    for (organisation, folder) in folders {
        let path = folder.join(READER_FILE);
        if path.is_file() {
            let text = read_text("the reader's key", &path, WORD_BYTES_MAX)?;
            let key = text.trim().parse();
            let key = key.map_err(|words| bad(format!("`{}`: {words}", path.display())))?;
            found.insert(*organisation, key);
        }
    }
    Ok(found)
}

/// The names by which people know the organisations whose folders lie here.
///
/// # Errors
/// When a folder cannot be read.
pub fn organisation_names(data: &Path) -> Result<BTreeMap<OrganisationId, String>> {
    let mut names = BTreeMap::new();
    for (organisation, folder) in organisation_folders(data)? {
        let path = folder.join(NAME_FILE);
        if path.is_file() {
            let name = read_text("the organisation's name", &path, WORD_BYTES_MAX)?;
            names.insert(organisation, name.trim().to_owned());
        }
    }
    Ok(names)
}
