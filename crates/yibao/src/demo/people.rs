//! Enrolment: the identity authority's word, keys or card, cover, slots, bank accounts.

use adapters::identity::{Identity, IdentityAuthority as _, Registry};
use anyhow::{Context as _, Result};
use benefit::IncomeClass;
use ledger::modules::coverage::{AssignSlot, AttestedFacts, CoverageTerms, ImportedPerson};
use ledger::modules::person::{KeyGrade, NewKey, NewPerson};
use node::signature::{Scheme, SecretKey, save_key};
use primitives::{Amount, CivilDate, Hash, Party, Period, PersonId, SlotId, sha256_parts};
use std::path::Path;
use vault::ReaderSecret;

use super::actor::{Actor, seed_of};
use super::chamber::commitment;
use super::desk::Patient;
use super::founding::RP_ID;
use super::population::{EMPLOYEE, REGION, Resident};
use crate::serving::wallet::{REGISTER_KEY_FILE, open_register};

/// The most one payment by a wallet of the demonstration may take, in minor units.
pub const WALLET_LIMIT: Amount = Amount::from_minor(50_000_000);
/// What those may pay at once who are careful: 200 yuan.
const CAREFUL_LIMIT: Amount = Amount::from_minor(20_000);
/// One in so many is careful.
const CAREFUL_ONE_IN: u8 = 64;
/// How many people the register takes in at once.
const IMPORT_AT_ONCE: usize = 500;

/// The simulated identity authority's register.
pub struct Authority(Registry);

impl Authority {
    /// Opens the register in the authority's folder.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(folder: &Path, seed: &Hash) -> Result<Self> {
        let secret = sha256_parts(&[b"yibao/demo-authority/v1", &seed.0]);
        let key = SecretKey::from_seed(Scheme::Ed25519, &secret.0);
        let file = folder.join(REGISTER_KEY_FILE);
        std::fs::create_dir_all(file.parent().unwrap_or(folder))?;
        save_key(&file, &key)?;
        open_register(folder).map(Self)
    }

    /// Registers people.
    ///
    /// # Errors
    /// When the register fails.
    pub fn register(&self, people: &[Identity]) -> Result<()> {
        for part in people.chunks(IMPORT_AT_ONCE) {
            self.0.import(part).context("the identity register")?;
        }
        Ok(())
    }

    /// The blind index of a registered person, with the commitment it was attested for.
    ///
    /// # Errors
    /// When name and number do not belong together.
    pub fn blind_index(&self, person: &Identity, commitment: &Hash) -> Result<Hash> {
        Ok(self.0.attest(person, commitment)?.statement.blind_index)
    }
}

/// What a person signs with: some a passkey, most a device key, those without a phone nothing.
///
/// # Errors
/// When a passkey cannot be made.
pub fn wallet(resident: &Resident, seed: &Hash, origin: &str) -> Result<Option<Actor>> {
    let party = Party::Person(resident.id);
    match (resident.has_phone, device_scheme(resident)) {
        (false, _) => Ok(None),
        (true, None) => Actor::with_passkey(party, seed, RP_ID, origin).map(Some),
        (true, Some(scheme)) => Ok(Some(Actor::from_seed(party, scheme, seed, "device"))),
    }
}

/// The scheme of the person's device key; `None` for those who have a passkey instead.
fn device_scheme(resident: &Resident) -> Option<Scheme> {
    match resident.id.0[0] % 3 {
        0 => None,
        1 => Some(Scheme::P256),
        _ => Some(Scheme::Ed25519),
    }
}

/// The secret of the person's device key, for those who have one.
#[must_use]
pub fn device_secret(resident: &Resident, seed: &Hash) -> Option<SecretKey> {
    let scheme = device_scheme(resident).filter(|_| resident.has_phone)?;
    let party = Party::Person(resident.id);
    Some(SecretKey::from_seed(scheme, &seed_of(party, seed, "device")))
}

/// A first key with the demonstration's limits.
#[must_use]
pub fn first_key(actor: &Actor, is_passkey: bool, payment_max: Amount) -> NewKey {
    NewKey {
        key: actor.key,
        grade: if is_passkey { KeyGrade::Passkey } else { KeyGrade::Device },
        payment_max,
        day_max: WALLET_LIMIT,
    }
}

/// Who can open a person's bills.
#[must_use]
pub fn reader_of(id: PersonId, seed: &Hash) -> ReaderSecret {
    ReaderSecret::from_seed(&sha256_parts(&[b"yibao/demo-reader/v1", &seed.0, &id.0]).0)
}

/// The row by which a resident is enrolled and covered.
///
/// # Errors
/// When the authority does not know the person.
pub fn row(
    authority: &Authority,
    resident: &Resident,
    actor: Option<&Actor>,
    last_day: CivilDate,
) -> Result<ImportedPerson> {
    let identity =
        Identity { name: resident.name.clone(), number: resident.identity_number.clone() };
    let commitment = commitment("identity", resident.id, &resident.identity_number);
    let blind_index = authority.blind_index(&identity, &commitment)?;
    let is_passkey = device_scheme(resident).is_none();
    let is_careful = resident.id.0[2].is_multiple_of(CAREFUL_ONE_IN);
    let limit = if is_careful { CAREFUL_LIMIT } else { WALLET_LIMIT };
    let keys = actor.map(|actor| first_key(actor, is_passkey, limit)).into_iter().collect();
    let person = NewPerson { id: resident.id, commitment, blind_index, keys };
    Ok(ImportedPerson { person, coverage: Some(terms(resident, last_day)) })
}

fn terms(resident: &Resident, last_day: CivilDate) -> CoverageTerms {
    let year = last_day.year();
    let day = |year, month, day| CivilDate::from_ymd(year, month, day).unwrap_or(last_day);
    // Some residents paid their premium late: covered from March, benefits from June.
    let late = resident.scheme != EMPLOYEE && resident.id.0[1].is_multiple_of(32);
    let from = if late { day(year, 3, 1) } else { day(year - 1, 1, 1) };
    CoverageTerms {
        scheme: resident.scheme,
        period: Period { from, to: Some(day(year, 12, 31)) },
        benefits_from: late.then(|| day(year, 6, 1)),
        facts: AttestedFacts {
            period: Period { from: day(year - 1, 1, 1), to: Some(day(year, 12, 31)) },
            age: resident.band_on(last_day),
            sex: resident.sex,
            person_classes: resident.classes,
            income_class: IncomeClass::NONE,
            unbroken_years: if late { 0 } else { resident.unbroken_years },
            claim_free_years: 0,
            month_of_75: false,
            family: None,
        },
    }
}

/// The slots of a resident's filed chronic diseases.
#[must_use]
pub fn slots(resident: &Resident, last_day: CivilDate) -> Vec<AssignSlot> {
    let from = CivilDate::from_ymd(last_day.year(), 1, 1).unwrap_or(last_day);
    let to = CivilDate::from_ymd(last_day.year(), 12, 31);
    let slot = |(number, group): (u8, &u8)| AssignSlot {
        person: resident.id,
        region: REGION,
        scheme: resident.scheme,
        slot: SlotId(number),
        group: *group,
        amount: None,
        period: Period { from, to },
        commitment: commitment("slot", resident.id, "what the slot means is off the ledger"),
    };
    (1..).zip(&resident.chronic_groups).map(slot).collect()
}

/// A patient as the desks know one.
///
/// # Errors
/// When a passkey cannot be made.
pub fn patient(
    resident: &Resident,
    (seed, origin): (&Hash, &str),
    last_day: CivilDate,
) -> Result<Patient> {
    Ok(Patient {
        actor: wallet(resident, seed, origin)?,
        reader: reader_of(resident.id, seed).key(),
        card: None,
        age: resident.band_on(last_day),
        sex: resident.sex,
    })
}
