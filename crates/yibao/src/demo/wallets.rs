//! What the demonstration's bureau needs to serve wallets: a directory, the files that say who
//! signs, and a few people who have no wallet yet and may join.

use std::fs;
use std::path::Path;

use adapters::directory::{BoundCard, Particulars};
use adapters::effect::RailName;
use adapters::identity::Identity;
use anyhow::{Context as _, Result};
use benefit::decimal::DecimalText;
use node::signature::{Scheme, SecretKey, save_key};
use primitives::{CivilDate, Hash, PersonId, Text, Timestamp, UtcOffset, sha256_parts};
use serde::Serialize;

use super::bank::BANK_RAIL;
use super::founding::code;
use super::people::Authority;
use super::population::{EMPLOYEE, Population, REGION, Resident};
use crate::command::input::read_toml;
use crate::serving::folder::replace_file;
use crate::serving::notices::NoticesFile;
use crate::serving::wallet::{
    DIRECTORY_KEY_FILE, LimitsText, WALLET_BYTES_MAX, WALLET_FILE, WalletFile, open_directory,
};

/// How many people without a wallet are named in the folder.
const NEWCOMERS: usize = 40;
/// How many children are named in the folder, for whom somebody may apply to act.
const CHILDREN: usize = 8;
/// Below this age somebody is a child whatever the band that is attested.
const CHILD_BELOW: u8 = 14;
/// From this age on somebody opens a wallet alone.
const ADULT: u8 = 18;
/// For how long an activation code of the demonstration counts, in milliseconds.
const ACTIVATION_MILLIS: u64 = 90 * 24 * 3_600_000;

/// Somebody who may join: what is on the identity card, and the code of the bureau's letter.
#[derive(Serialize)]
struct Newcomer {
    name: String,
    number: String,
    activation: String,
    /// The person's id on the ledger, for looking things up.
    party: String,
}

#[derive(Serialize)]
struct Newcomers<'a> {
    newcomer: &'a [Newcomer],
}

/// A child for whom somebody may apply to act.
#[derive(Serialize)]
struct Child {
    name: String,
    number: String,
    /// The child's id on the ledger, for looking things up.
    party: String,
}

#[derive(Serialize)]
struct Children {
    child: Vec<Child>,
}

/// Writes the files of the bureau's wallet services.
///
/// # Errors
/// When they cannot be written.
pub fn found(bureau: &Path, seed: &Hash) -> Result<()> {
    let secret = sha256_parts(&[b"yibao/demo-directory/v1", &seed.0]);
    let key = SecretKey::from_seed(Scheme::Ed25519, &secret.0);
    save_key(&bureau.join(DIRECTORY_KEY_FILE), &key)?;
    let limits = |payment: &str, day: &str| LimitsText {
        payment_max: DecimalText(payment.to_owned()),
        day_max: DecimalText(day.to_owned()),
    };
    let file = WalletFile {
        region: REGION,
        authority: code("identity"),
        machine_key: "keys/online.key".to_owned(),
        passkey: limits("50000.00", "100000.00"),
        device: limits("1000.00", "2000.00"),
        // So soon that somebody may watch it.
        notices: NoticesFile {
            contact: Some("mailto:notices@bureau.example".to_owned()),
            simulated: true,
            wallet_wait_seconds: 4,
            push_wait_seconds: 15,
            wechat_wait_seconds: 15,
            ..NoticesFile::default()
        },
    };
    write(bureau, &file)
}

/// Lets pushes go to one more service.
///
/// # Errors
/// When the file cannot be read or written.
pub fn push_to(bureau: &Path, service: String) -> Result<()> {
    let path = bureau.join(WALLET_FILE);
    let mut file: WalletFile = read_toml("the wallet services", &path, WALLET_BYTES_MAX)?;
    file.notices.push_services.push(service);
    write(bureau, &file)
}

fn write(bureau: &Path, file: &WalletFile) -> Result<()> {
    let text = toml::to_string(file).context("the wallet services have a form in TOML")?;
    Ok(replace_file(&bureau.join(WALLET_FILE), text.as_bytes())?)
}

/// Those of the region who may join: grown up, without a key, the insured employees first, because
/// they have a personal account.
#[must_use]
pub fn newcomers(population: &Population, day: CivilDate) -> Vec<usize> {
    let may_join = |one: &Resident| !one.has_phone && one.age_on(day) >= ADULT;
    let mut places: Vec<usize> =
        (0..population.people.len()).filter(|at| may_join(&population.people[*at])).collect();
    places.sort_by_key(|at| (population.people[*at].scheme != EMPLOYEE, *at));
    places.truncate(NEWCOMERS);
    places
}

/// Enters everybody and their cards into the bureau's directory.
///
/// # Errors
/// When the directory fails.
pub fn enter(
    bureau: &Path,
    population: &Population,
    cards: &[(PersonId, adapters::rail::card::BoundCard)],
) -> Result<()> {
    let directory = open_directory(bureau)?;
    let people: Vec<(PersonId, Particulars)> = population
        .people
        .iter()
        .map(|one| (one.id, Particulars::new(&one.name, &one.identity_number)))
        .collect();
    directory.put_people(&people)?;
    let rail: RailName = Text::new(BANK_RAIL).map_err(anyhow::Error::msg)?;
    let known = cards.iter().map(|(person, card)| {
        let (token, last_four) = (card.token.clone(), card.last_four.clone());
        (*person, BoundCard { executor: code("bank"), rail: rail.clone(), token, last_four })
    });
    let cards: Vec<_> = known.collect();
    Ok(directory.put_cards(&cards)?)
}

/// Gives newcomers their activation codes, and writes down who they are.
///
/// # Errors
/// When directory or register fail, or the file cannot be written.
pub fn invite(
    (bureau, family): (&Path, &Path),
    population: &Population,
    places: &[usize],
    authority: &Authority,
    (seed, now): (&Hash, Timestamp),
) -> Result<()> {
    let directory = open_directory(bureau)?;
    let mut written = Vec::with_capacity(places.len());
    for place in places {
        let one = &population.people[*place];
        let identity = Identity { name: one.name.clone(), number: one.identity_number.clone() };
        let blind_index = authority.blind_index(&identity, &Hash::default())?;
        let random = sha256_parts(&[b"yibao/demo-activation/v1", &seed.0, &one.id.0]).0;
        let activation: String = random.iter().take(10).map(|byte| digit(*byte)).collect();
        let expires = now.plus_millis(ACTIVATION_MILLIS);
        directory.put_activation(&blind_index, &activation, expires)?;
        written.push(Newcomer {
            name: identity.name,
            number: identity.number,
            activation,
            party: format!("person:{}", one.id),
        });
    }
    fs::create_dir_all(family)?;
    let text = toml::to_string(&Newcomers { newcomer: &written })?;
    fs::write(family.join("newcomers.toml"), text)?;
    let text = toml::to_string(&children(population, now.day(UtcOffset(480))))?;
    Ok(fs::write(family.join("children.toml"), text)?)
}

/// Some children of the region.
fn children(population: &Population, today: CivilDate) -> Children {
    let young = population.people.iter().filter(|one| one.age_on(today) < CHILD_BELOW);
    let child = young.take(CHILDREN).map(|one| Child {
        name: one.name.clone(),
        number: one.identity_number.clone(),
        party: format!("person:{}", one.id),
    });
    Children { child: child.collect() }
}

fn digit(byte: u8) -> char {
    char::from(b'0' + byte % 10)
}
