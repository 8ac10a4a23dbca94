//! One hospital of the demonstration speaks the national interface, so that a hospital's own system
//! can be pointed at it; and such a system plays a small day there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use adapters::clock::Clock;
use anyhow::{Context as _, Result};
use benefit::{Category, ItemClass, VisitType};
use gateway::nhsa::profile::{AreaSpelling, InfcodeForm, Profile, SchemeName, StatementScope};
use his::book::Figures;
use his::day::Options;
use his::setup::{Item, Patient, Patients, Setup};
use ledger::State;
use ledger::kernel::account::{Account, Books};
use ledger::kernel::posting;
use node::runtime::NodeHandle;
use node::signature::{Scheme, SecretKey, save_key, write_owned};
use primitives::{Amount, Currency, Hash, OrganisationId, sha256_parts};

use super::population::{EMPLOYEE, Population, REGION, Resident};
use super::year::PricedItem;
use crate::command;
use crate::serving::folder::replace_file;
use crate::serving::hospital::{BOOK_KEY_FILE, PROFILE_FILE, SECRET_FILE};
use crate::serving::{HttpServer, NodePort, Upkeep, open_port};

/// Its code in a national list that has no such hospital.
pub const NATIONAL_CODE: &str = "H62010000001";

/// The kinds of care that are taken, by the region's codes.
const MED_TYPES: [(&str, VisitType); 3] =
    [("11", VisitType::Outpatient), ("12", VisitType::Outpatient), ("21", VisitType::Inpatient)];

/// Writes what a hospital needs in its folder.
///
/// # Errors
/// When it cannot be written.
pub fn found(folder: &Path, name: &str, seed: &Hash) -> Result<()> {
    let derived = |meaning: &[u8]| sha256_parts(&[b"yibao/demo-hospital/v1", meaning, &seed.0]);
    let key = SecretKey::from_seed(Scheme::Ed25519, &derived(b"book").0);
    save_key(&folder.join(BOOK_KEY_FILE), &key)?;
    write_owned(&folder.join(SECRET_FILE), format!("{}\n", derived(b"secret")).as_bytes())?;
    let profile = Profile {
        fixmedins_code: NATIONAL_CODE.to_owned(),
        fixmedins_name: name.chars().take(20).collect(),
        infcode: InfcodeForm::Number,
        fund_pay_includes_account: false,
        area_spelling: AreaSpelling::Admdvs,
        statement: StatementScope::Interface,
        signature: SchemeName::HmacSm3,
        link_is_protected: false,
        sm2_key: None,
        sm2_previous_key: None,
        previous_key_until: None,
        machine_key: "keys/online.key".to_owned(),
        med_types: MED_TYPES.map(|(code, kind)| (code.to_owned(), kind)).into(),
        untraced_items: BTreeSet::new(),
        diagnosis_groups: BTreeMap::new(),
    };
    let text = toml::to_string(&profile).context("a profile has a form in TOML")?;
    Ok(replace_file(&folder.join(PROFILE_FILE), text.as_bytes())?)
}

/// What the hospital's own system is set up with (`yibao his`).
pub const SETUP_FILE: &str = "his.toml";
const PATIENTS_FILE: &str = "his-patients.toml";
/// How many people it treats at the most: of employees and of others.
const PATIENTS: [usize; 2] = [600, 400];

/// Writes the files of the hospital's own system: who it is, what it charges, whom it treats.
///
/// # Errors
/// When they cannot be written.
pub fn equip(
    folder: &Path,
    (name, port): (&str, u16),
    items: &[PricedItem],
    population: &Population,
) -> Result<()> {
    let setup = Setup {
        url: format!("http://localhost:{port}"),
        fixmedins_code: NATIONAL_CODE.to_owned(),
        fixmedins_name: name.chars().take(20).collect(),
        area: REGION.0.to_string(),
        operator: "0012".to_owned(),
        operator_name: "收费员".to_owned(),
        secret: SECRET_FILE.to_owned(),
        patients: PATIENTS_FILE.to_owned(),
        book: "his-book".to_owned(),
        items: charged(items),
    };
    let patient =
        |one: &Resident| Patient { name: one.name.clone(), number: one.identity_number.clone() };
    let of = |is_employee: bool, most: usize| {
        let people = population.people.iter();
        people.filter(move |one| (one.scheme == EMPLOYEE) == is_employee).take(most)
    };
    let [employees, others] = PATIENTS;
    let people = of(true, employees).chain(of(false, others));
    let patients = Patients { patient: people.map(patient).collect() };
    let text = toml::to_string(&setup).context("a hospital's setup has a form in TOML")?;
    replace_file(&folder.join(SETUP_FILE), text.as_bytes())?;
    let text = toml::to_string(&patients).context("patients have a form in TOML")?;
    Ok(write_owned(&folder.join(PATIENTS_FILE), text.as_bytes())?)
}

/// The dearest item of an outpatient's usual bill, in fen: such a bill comes to some 200 yuan, so
/// that the day leaves the region's shares as they are.
const USUAL_PRICE_MAX: u64 = 60_00;

/// What is usually charged to outpatients of every age.
fn charged(items: &[PricedItem]) -> Vec<Item> {
    let is_usual = |one: &&PricedItem| {
        let usual = [
            Category::WesternMedicine,
            Category::ChinesePatentMedicine,
            Category::Laboratory,
            Category::Consultation,
        ];
        usual.contains(&one.category)
            && one.limited_use.is_empty()
            && one.class != ItemClass::C
            && one.price <= USUAL_PRICE_MAX
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

/// How many outpatients come to the demonstration's own small day.
const OUTPATIENTS: u32 = 24;

/// Plays a small day of the hospital's own system over HTTP; whether its book comes to zero against
/// the platform, and to what the ledger's own accounts say.
///
/// # Errors
/// What keeps the day from going on.
pub fn play(
    data: &Path,
    organisation: OrganisationId,
    node: &NodeHandle,
    (clock, seed): (&Arc<dyn Clock>, u64),
) -> Result<bool> {
    let listener = open_port(([127, 0, 0, 1], 0).into())?;
    let upkeep = Upkeep::new(data, node.clone(), Vec::new(), Arc::clone(clock))?;
    let port = NodePort::new(node.clone(), data.to_owned(), upkeep)?;
    let config = gateway::Config::default();
    let server = HttpServer::start(Arc::new(port), Arc::clone(clock), listener, config)?;
    let url = format!("http://{}", server.address());
    let before = Owed::to(organisation, &node.view().state);
    let options = Options { outpatients: OUTPATIENTS, counters: 2, seed };
    let setup = data.join(organisation.as_str()).join(SETUP_FILE);
    let played = command::his::play(&setup, Some(url), options);
    server.stop()?;
    let played = played?;
    println!("\na hospital's own system, {organisation}, through the national interface");
    played.lines().iter().for_each(|line| println!("{line}"));
    let after = Owed::to(organisation, &node.view().state);
    let own: Figures = played.figures();
    let [funds, cash] = [i128::from(own.fund + own.account + own.relatives), i128::from(own.cash)];
    let agrees = after.funds - before.funds == funds && after.patients - before.patients == cash;
    println!(
        "  the ledger's accounts of the hospital {}",
        if agrees { "moved by the same" } else { "DID NOT MOVE BY THE SAME" }
    );
    Ok(played.is_in_order() && agrees)
}

/// What a provider is owed on the ledger, in minor units.
struct Owed {
    funds: i128,
    patients: i128,
}

impl Owed {
    fn to(organisation: OrganisationId, state: &State) -> Self {
        let books = Books::of(organisation, REGION);
        let balance = |account| posting::account(state, &account).map_or(0, |row| row.balance());
        // A claim is a debit.
        let patients = -balance(Account::Receivable(books));
        Self { funds: balance(Account::ProviderDue(books)), patients }
    }
}
