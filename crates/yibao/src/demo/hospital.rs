//! One hospital of the demonstration and the pharmacy next door speak the national interface, so
//! that a hospital's own system can be pointed at it; and such a system plays a small day there, at
//! which simulated people with phones pay by them.

use std::path::Path;
use std::sync::Arc;

use adapters::clock::Clock;
use adapters::effect::RailName;
use anyhow::{Context as _, Result};
use benefit::{Category, HospitalLevel, ItemClass, VisitType};
use gateway::nhsa::profile::{MobileProfile, Profile};
use his::book::Figures;
use his::played::Played;
use his::setup::{Item, MobileSetup, Patient, Patients, Setup};
use ledger::State;
use ledger::kernel::account::{Account, Books};
use ledger::kernel::posting;
use ledger::modules::person;
use node::outbox::Outbox;
use node::runtime::NodeHandle;
use node::signature::{Scheme, SecretKey, save_key, write_owned};
use primitives::{Amount, Currency, Hash, OrganisationId, Party, Text, UtcOffset, sha256_parts};

use super::bank::BANK_RAIL;
use super::founding::code;
use super::people::{self, WALLET_LIMIT};
use super::population::{EMPLOYEE, Population, REGION, Resident};
use super::year::PricedItem;
use crate::command;
use crate::command::his::{Urls, Wanted};
use crate::command::phones::{PHONES_FILE, keep_phones};
use crate::serving::folder::replace_file;
use crate::serving::hospital::{BOOK_KEY_FILE, MOBILE_SECRET_FILE, PROFILE_FILE, SECRET_FILE};
use crate::serving::payments::{OwnPayments, OwnRail};
use crate::serving::{HttpServer, NodePort, Upkeep, open_port};

/// A house that speaks the interface.
#[derive(Clone, Copy)]
pub struct House<'a> {
    /// Who it is on the ledger.
    pub organisation: OrganisationId,
    /// Its name.
    pub name: &'a str,
    /// Its code in a national list that has no such house.
    code: &'static str,
    /// The kinds of care that are taken, by the region's codes.
    med_types: &'static [(&'static str, VisitType)],
    /// Whether it is the pharmacy.
    is_pharmacy: bool,
}

/// The first hospital and the first pharmacy of a region.
///
/// # Errors
/// When there are none.
pub fn houses(population: &Population) -> Result<[House<'_>; 2]> {
    let mut providers = population.providers.iter();
    let hospital = providers.next().context("a region has a hospital")?;
    let pharmacy = providers.find(|one| one.level == HospitalLevel::Pharmacy);
    let pharmacy = pharmacy.context("a region has a pharmacy")?;
    Ok([
        House {
            organisation: hospital.code,
            name: &hospital.name,
            code: "H62010000001",
            med_types: &[
                ("11", VisitType::Outpatient),
                ("12", VisitType::Outpatient),
                ("21", VisitType::Inpatient),
            ],
            is_pharmacy: false,
        },
        House {
            organisation: pharmacy.code,
            name: &pharmacy.name,
            code: "P62010000001",
            med_types: &[("41", VisitType::Pharmacy)],
            is_pharmacy: true,
        },
    ])
}

/// Writes what a house needs in its folder.
///
/// # Errors
/// When it cannot be written.
pub fn found(folder: &Path, house: &House<'_>, seed: &Hash) -> Result<()> {
    let own = house.code.as_bytes();
    let derived =
        |meaning: &[u8]| sha256_parts(&[b"yibao/demo-hospital/v1", own, meaning, &seed.0]);
    let key = SecretKey::from_seed(Scheme::Ed25519, &derived(b"book").0);
    save_key(&folder.join(BOOK_KEY_FILE), &key)?;
    write_owned(&folder.join(SECRET_FILE), format!("{}\n", derived(b"secret")).as_bytes())?;
    let name: String = house.name.chars().take(20).collect();
    let mobile = (!house.is_pharmacy).then(|| MobileProfile {
        app_id: APP_ID.to_owned(),
        sm2_key: None,
        previous_secret_until: None,
    });
    if mobile.is_some() {
        let secret = format!("{}\n", derived(b"mobile"));
        write_owned(&folder.join(MOBILE_SECRET_FILE), secret.as_bytes())?;
    }
    let profile = Profile {
        mobile,
        refers: true,
        filed_groups: [("M039".to_owned(), 1)].into(),
        ..Profile::usual([house.code, &name, "keys/online.key"], house.med_types)
    };
    let text = toml::to_string(&profile).context("a profile has a form in TOML")?;
    Ok(replace_file(&folder.join(PROFILE_FILE), text.as_bytes())?)
}

/// Whose the hospital's sealed bodies of mobile payment are.
const APP_ID: &str = "YIBAODEMO0000000000000000000001";
/// Where the phones of simulated people lie.
const PHONES: &str = "phones";
/// How many of them there are.
const PHONES_MAX: usize = 60;

/// What the hospital's own system is set up with (`yibao his`).
pub const SETUP_FILE: &str = "his.toml";
const PATIENTS_FILE: &str = "his-patients.toml";
/// How many people it treats at the most: of employees and of others.
const PATIENTS: [usize; 2] = [600, 400];

/// Writes the files of a house's own system: who it is, what it charges, whom it treats. Nobody is
/// in both houses' files, so that what one charges does not hang on the other.
///
/// # Errors
/// When they cannot be written.
pub fn equip(
    data: &Path,
    (house, port): (&House<'_>, u16),
    items: &[PricedItem],
    population: &Population,
) -> Result<()> {
    let [_, pharmacy] = houses(population)?;
    let next_door = format!("../{}/{SETUP_FILE}", pharmacy.organisation.as_str());
    let is_pharmacy = house.is_pharmacy;
    let setup = Setup {
        url: format!("http://localhost:{port}"),
        fixmedins_code: house.code.to_owned(),
        fixmedins_name: house.name.chars().take(20).collect(),
        area: REGION.0.to_string(),
        operator: "0012".to_owned(),
        operator_name: "收费员".to_owned(),
        secret: SECRET_FILE.to_owned(),
        signature: his::signer::Scheme::HmacSm3,
        patients: PATIENTS_FILE.to_owned(),
        book: "his-book".to_owned(),
        pharmacy: (!is_pharmacy).then_some(next_door),
        mobile: (!is_pharmacy).then(|| MobileSetup {
            app_id: APP_ID.to_owned(),
            secret: MOBILE_SECRET_FILE.to_owned(),
            phones: format!("../{PHONES}/{PHONES_FILE}"),
        }),
        items: charged(items, if is_pharmacy { &USUAL[..2] } else { &USUAL }, USUAL_PRICE_MAX),
        ward_items: if is_pharmacy {
            Vec::new()
        } else {
            charged(items, &ON_A_WARD, WARD_PRICE_MAX)
        },
    };
    let patient =
        |one: &Resident| Patient { name: one.name.clone(), number: one.identity_number.clone() };
    let of = |is_employee: bool, most: usize| {
        let people = population.people.iter().enumerate();
        people
            .filter(move |(at, _)| at.is_multiple_of(PHARMACY_ONE_IN) == is_pharmacy)
            .filter(move |(_, one)| (one.scheme == EMPLOYEE) == is_employee)
            .take(most)
    };
    let [employees, others] = PATIENTS;
    let people = of(true, employees).chain(of(false, others));
    let patients = Patients { patient: people.map(|(_, one)| patient(one)).collect() };
    let folder = data.join(house.organisation.as_str());
    let text = toml::to_string(&setup).context("a hospital's setup has a form in TOML")?;
    replace_file(&folder.join(SETUP_FILE), text.as_bytes())?;
    let text = toml::to_string(&patients).context("patients have a form in TOML")?;
    Ok(write_owned(&folder.join(PATIENTS_FILE), text.as_bytes())?)
}

/// Writes down the phones of some of the hospital's patients: those with a device's key that may
/// spend as much as most, and no lock.
///
/// # Errors
/// When they cannot be written.
pub fn give_phones(data: &Path, population: &Population, state: &State, seed: &Hash) -> Result<()> {
    let people = population.people.iter().enumerate();
    let phones = people
        .filter(|(at, _)| !at.is_multiple_of(PHARMACY_ONE_IN))
        .filter_map(|(_, one)| {
            let key = people::device_secret(one, seed)?;
            let row = person::view::person(state, one.id).filter(|row| row.lock.is_none())?;
            let is_usual = |own: &person::PersonKey| {
                own.key == key.public_key() && own.payment_max == WALLET_LIMIT
            };
            let is_usual = row.keys.iter().any(is_usual);
            is_usual.then(|| (one.identity_number.clone(), Party::Person(one.id), key))
        })
        .take(PHONES_MAX);
    keep_phones(&data.join(PHONES), phones.collect())
}

/// Of how many people one goes to the pharmacy, and the others to the hospital.
const PHARMACY_ONE_IN: usize = 4;

/// What outpatients are usually charged; the first two are sold at a pharmacy as well.
const USUAL: [Category; 4] = [
    Category::WesternMedicine,
    Category::ChinesePatentMedicine,
    Category::Laboratory,
    Category::Consultation,
];

/// What is charged to those who stay, day by day.
const ON_A_WARD: [Category; 6] = [
    Category::Bed,
    Category::Nursing,
    Category::WesternMedicine,
    Category::Laboratory,
    Category::Imaging,
    Category::Treatment,
];

/// The dearest item of a day on a ward, in fen.
const WARD_PRICE_MAX: u64 = 40_000;

/// The dearest item of an outpatient's usual bill, in fen: such a bill comes to some 200 yuan, so
/// that the day leaves the region's shares as they are.
const USUAL_PRICE_MAX: u64 = 60_00;

/// What of these categories is charged to people of every age and illness, by code.
fn charged(items: &[PricedItem], usual: &[Category], price_max: u64) -> Vec<Item> {
    let is_usual = |one: &&PricedItem| {
        usual.contains(&one.category)
            && one.limited_use.is_empty()
            && one.class != ItemClass::C
            && one.price <= price_max
    };
    let mut items: Vec<Item> = items
        .iter()
        .filter(is_usual)
        .map(|one| Item {
            code: one.code.clone(),
            price: Amount::from_minor(one.price).to_decimal(Currency::CNY),
        })
        .collect();
    // An item whose share changed stands there once for each share.
    items.dedup_by(|one, other| one.code == other.code);
    items
}

/// Who comes in the demonstration's own small day: each mistake is made once.
const DAY: Wanted =
    Wanted { outpatients: 24, by_phone: 20, stays: 20, pharmacy: 20, counters: 2, seed: 0 };

/// Plays a small day of the hospital's own system over HTTP; whether its book comes to zero against
/// the platform, and to what the ledger's own accounts say.
///
/// # Errors
/// What keeps the day from going on.
pub fn play(
    data: &Path,
    population: &Population,
    (node, bank): (&NodeHandle, &Arc<Outbox>),
    (clock, seed): (&Arc<dyn Clock>, u64),
) -> Result<bool> {
    let listener = open_port(([127, 0, 0, 1], 0).into())?;
    let payments = vec![Arc::new(payments_of(bank)?)];
    let upkeep = Upkeep::new(data, node.clone(), payments, Arc::clone(clock))?;
    let driving = Arc::clone(bank).start()?;
    let port = NodePort::new(node, data.to_owned(), upkeep)?;
    let config = gateway::Config::default();
    let server = HttpServer::start(Arc::new(port), Arc::clone(clock), listener, config)?;
    let url = format!("http://{}", server.address());
    let houses = houses(population)?;
    let owed = || houses.map(|house| Owed::to(house.organisation, &node.view().state));
    let before = owed();
    let setup = data.join(houses[0].organisation.as_str()).join(SETUP_FILE);
    let played = command::his::play(
        &setup,
        Urls { hospital: Some(&url), phones: None },
        Wanted { seed, ..DAY },
    );
    server.stop()?;
    let played = played?;
    drop(driving);
    super::region::drain(std::slice::from_ref(bank))?;
    let is_in_order = played.iter().all(Played::is_in_order);
    for (house, (day, [before, after])) in
        houses.iter().zip(played.iter().zip(before.into_iter().zip(owed()).map(<[Owed; 2]>::from)))
    {
        let organisation = house.organisation;
        println!("\na hospital's own system, {organisation}, through the national interface");
        day.lines().iter().for_each(|line| println!("{line}"));
        let own: Figures = day.figures();
        let [funds, cash] =
            [i128::from(own.fund + own.account + own.relatives), i128::from(own.cash)];
        let agrees =
            after.funds - before.funds == funds && after.patients - before.patients == cash;
        println!(
            "  the ledger's accounts of {organisation} {}",
            if agrees { "moved by the same" } else { "DID NOT MOVE BY THE SAME" }
        );
        if !agrees {
            return Ok(false);
        }
    }
    Ok(is_in_order)
}

/// The bank's payments, as the gateway sees them.
fn payments_of(bank: &Arc<Outbox>) -> Result<OwnPayments> {
    let name: RailName = Text::new(BANK_RAIL).map_err(anyhow::Error::msg)?;
    let rail =
        OwnRail { currency: Currency::CNY, offset: UtcOffset(480), counter: None, binding: None };
    Ok(OwnPayments::new(Arc::clone(bank), [(name, rail)].into()))
}

/// The outbox of the region's bank.
///
/// # Errors
/// When there is none.
pub fn bank_of(outboxes: &[Arc<Outbox>]) -> Result<&Arc<Outbox>> {
    let bank = outboxes.iter().find(|one| one.organisation() == code("bank"));
    bank.context("a region has a bank")
}

/// What a provider is owed on the ledger, in minor units.
struct Owed {
    funds: i128,
    patients: i128,
}

impl Owed {
    fn to(organisation: OrganisationId, state: &State) -> Self {
        let books = Books::of(organisation, REGION);
        let balance = |account| posting::balance(state, &account);
        // What a rail collected, and what nobody did: both stand there.
        let patients = balance(Account::ProviderCash(books));
        Self { funds: balance(Account::ProviderDue(books)), patients }
    }
}
