//! A played hospital's day at the national interface of a gateway that dies and a network that
//! loses, doubles, delays and reorders, all of it from one seed: whatever happens, the hospital's
//! own book comes to zero against the platform, and to what stands on the ledger.
//!
//! `NHSA_SEED=n` runs one seed, `NHSA_SEEDS=n` as many from 0 on. What is not of the seed: which of
//! two clicks at the same instant is first.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use adapters::directory::BoundCard;
use gateway::{Chain as _, Port as _};
use his::HisError;
use his::care::Care;
use his::day::{Options, run};
use his::mistake::Mistake;
use his::money::Fen;
use his::phone::{Mobile, Phones, Says};
use his::played::Played;
use his::setup::{House, Item, MobileSetup, Patient, Setup};
use ledger::Authorisation;
use ledger::kernel::account::{Account, Books};
use ledger::kernel::effect::Effect;
use ledger::kernel::posting;
use ledger::modules::visit::SettleVisit;
use primitives::{FundId, Hash, OrganisationId, Party, PersonId, RegionId, Text, sha256};
use serde_json::json;

use crate::support::faults::{DRAWN, Fault, Faults, Memory};
use crate::support::hospital::{APP_ID, CODE, MOBILE_SECRET, SECRET};
use crate::support::keys::{public, sign};
use crate::support::wallets::{NEWCOMERS, joined_as};
use crate::support::{Ask, REGION, World, organisation};

/// How many days are played in the test command.
const SEEDS: u64 = 24;
/// How often each fault must have been met in them, or they tried nothing.
const MET_MIN: u32 = 60;
/// How often a hospital goes on with a day that was interrupted.
const RESTARTS_MAX: u32 = 40;

/// Who comes: each with a wallet, a card and 100.00 in the personal account.
struct People {
    world: Arc<World>,
    /// By the number of the identity card: who it is, and the name of the key.
    known: BTreeMap<String, (PersonId, String)>,
    /// From which receipt on the bank has not looked.
    looked: Mutex<u64>,
}

impl People {
    fn new(world: &Arc<World>) -> Self {
        let mut known = BTreeMap::new();
        for (at, identity) in NEWCOMERS.iter().enumerate() {
            let key = format!("newcomer-{at}");
            let person = joined_as(world, *identity, &key);
            insure(world, person, u8::try_from(at).unwrap());
            known.insert(identity.1.to_owned(), (person, key));
        }
        Self { world: Arc::clone(world), known, looked: Mutex::default() }
    }

    /// The bank has done what the ledger ordered, and says so.
    fn bank_works(&self) {
        let mut looked = self.looked.lock().unwrap();
        while let Some(placed) = self.world.port.receipt(*looked).unwrap() {
            *looked += 1;
            let receipt = &placed.receipt;
            for effect in receipt.effects.iter().filter(|one| one.executor.as_str() == "bank") {
                let reference = Effect::reference(receipt.record.transaction_id, effect.number);
                let result = json!({ "outcome": "done", "amount": effect.amount });
                let body = json!({
                    "effect": reference, "rail_reference": sha256(b"rail"), "result": result
                });
                self.world.accepted(&[organisation("bank")], "confirm_effect", body);
            }
        }
    }
}

/// Covers somebody, gives 100.00 and a card.
fn insure(world: &World, person: PersonId, batch: u8) {
    let year = json!({ "from": "2026-01-01", "to": "2026-12-31" });
    let bureau = [organisation("bureau")];
    let coverage = json!({
        "scheme": 310, "period": year,
        "facts": {
            "period": year, "age": { "from": 30, "below": 40 }, "sex": "female",
            "person_classes": ["active"]
        }
    });
    let body = json!({ "person": person, "region": REGION, "coverage": coverage });
    world.accepted(&bureau, "enrol_coverage", body);
    world.accepted(
        &bureau,
        "credit_personal_accounts",
        json!({
            "region": REGION, "source": "outside", "month": { "year": 2026, "month": 1 },
            "batch": 10 + batch, "rows": [{ "person": person, "amount": "10000" }]
        }),
    );
    let card = BoundCard {
        executor: "bank".parse().unwrap(),
        rail: Text::new("bank").unwrap(),
        token: format!("card:n{batch}").parse().unwrap(),
        last_four: "0000".to_owned(),
    };
    world.port.wallet().unwrap().directory.put_cards(&[(person, card)]).unwrap();
}

impl Phones for People {
    fn has(&self, number: &str) -> bool {
        self.known.contains_key(number)
    }

    fn answer(&self, number: &str, total: Fen, says: Says) -> Result<bool, String> {
        let (person, key) = &self.known[number];
        let (world, party) = (&self.world, Party::Person(*person));
        let signed = world.ask(&world.sign_in_with(party, key)).expect(201).json();
        let token = signed["token"].as_str().unwrap();
        let list = Ask::get(format!("/v1/persons/{person}/requests")).token(token);
        let list = world.ask(&list).expect(200).json();
        let is_it = |one: &&serde_json::Value| {
            let body: SettleVisit = serde_json::from_value(one["body"].clone()).unwrap();
            i64::try_from(body.split.total.minor()).unwrap() == total.0
        };
        let waiting = list["requests"].as_array().unwrap().iter().find(is_it);
        let Some(waiting) = waiting else { return Ok(false) };
        let id: Hash = waiting["request"].as_str().unwrap().parse().unwrap();
        let (what, body, status) = match says {
            Says::No => ("refusals", json!({ "reason": "wrong_bill" }), 204),
            Says::Yes => {
                let signature = sign(key, &id);
                let authorisation = Authorisation { party, key: public(key), signature };
                ("confirmations", json!({ "authorisation": authorisation }), 201)
            }
        };
        let ask = Ask::post(format!("/v1/requests/{id}/{what}"), &body).token(token);
        world.ask(&ask).expect(status);
        self.bank_works();
        Ok(true)
    }
}

fn setup() -> Setup {
    let item = |code: &str, price: &str| Item { code: code.to_owned(), price: price.to_owned() };
    Setup {
        url: "http://localhost".to_owned(),
        fixmedins_code: CODE.to_owned(),
        fixmedins_name: "省人民医院".to_owned(),
        area: REGION.to_string(),
        operator: "0012".to_owned(),
        operator_name: "收费员".to_owned(),
        secret: String::new(),
        signature: his::signer::Scheme::HmacSm3,
        patients: String::new(),
        book: String::new(),
        pharmacy: None,
        mobile: Some(MobileSetup {
            app_id: APP_ID.to_owned(),
            secret: String::new(),
            phones: String::new(),
        }),
        items: vec![item("X1", "18.60"), item("L1", "7.45")],
        // Sold without trace codes, so nothing that customers buy.
        ward_items: vec![item("X1", "18.60"), item("B1", "12.35"), item("L1", "7.45")],
    }
}

/// A day that has come to its end.
struct Day {
    played: Played,
    interrupted: u32,
    met: BTreeMap<Fault, u32>,
    trace: Vec<String>,
    /// What does not hold.
    broken: Vec<String>,
}

/// Plays the day of a seed in this folder, to its end and with everything that must hold.
fn play(seed: u64, folder: &Path) -> Day {
    let day = play_before(Memory::Whole, seed, folder).unwrap();
    assert!(day.broken.is_empty(), "seed {seed}: {:#?}", day.broken);
    day
}

/// Plays the day of a seed before such a gateway; why it cannot go on.
fn play_before(memory: Memory, seed: u64, folder: &Path) -> Result<Day, HisError> {
    let world = Arc::new(World::insured());
    let people = People::new(&world);
    let network = Faults::new(Arc::clone(&world), folder.join("nhsa.sqlite"), (memory, seed));
    let wire = Arc::new(network);
    let patients = NEWCOMERS
        .map(|(name, number)| Patient { name: name.to_owned(), number: number.to_owned() });
    let setup = setup();
    let house = House {
        wire: Arc::clone(&wire) as Arc<dyn his::wire::Wire>,
        setup: &setup,
        secret: SECRET,
        patients: &patients,
        mobile: Some(Mobile { secret: MOBILE_SECRET, phones: &people }),
    };
    let before = Standing::of(&world, &people);
    let book = folder.join("his-book");
    let options =
        Options { outpatients: 6, by_phone: 6, stays: 4, purchases: 4, counters: 1, seed };
    let mut interrupted = 0;
    let played = loop {
        match run(&house, &book, options) {
            Ok(played) => break played,
            Err(HisError::Line { .. } | HisError::Busy(_)) if interrupted < RESTARTS_MAX => {
                interrupted += 1;
            }
            Err(error) => return Err(error),
        }
    };
    wire.calm();
    people.bank_works();
    let mut broken = played.differences.clone();
    broken.extend(check((&world, &people), (&before, &played)));
    Ok(Day { played, interrupted, met: wire.met(), trace: wire.trace(), broken })
}

/// What stands on the ledger.
struct Standing {
    settled: usize,
    due: i128,
    cash: i128,
    sum: i128,
}

impl Standing {
    fn of(world: &World, people: &People) -> Self {
        let view = world.port.view();
        let balance = |account| posting::balance(&view.state, &account);
        let region = RegionId(REGION);
        let books = |code: &str| Books::of(code.parse::<OrganisationId>().unwrap(), region);
        let own = books("hospital");
        let mut all = vec![
            Account::Outside(region),
            Account::Fund { region, fund: FundId(1) },
            Account::PersonalAccount(PersonId([1; 16])),
            Account::ProviderDue(own),
            Account::ProviderCash(own),
            Account::Receivable(own),
            Account::OwedToPatients(own),
            Account::Rail(books("bank")),
            Account::FamilyAccounts(region),
        ];
        all.extend(people.known.values().map(|(person, _)| Account::PersonalAccount(*person)));
        Self {
            settled: world.port.standing_settlements(),
            due: balance(Account::ProviderDue(own)),
            cash: balance(Account::ProviderCash(own)),
            sum: all.into_iter().map(balance).sum(),
        }
    }
}

/// Nothing is doubled, nothing is lost, and the ledger's books close; what does not hold.
fn check(
    (world, people): (&World, &People),
    (before, played): (&Standing, &Played),
) -> Vec<String> {
    let after = Standing::of(world, people);
    let own = played.figures();
    let stands: u64 = played.totals.values().map(|one| one.settled - one.undone).sum();
    let settled = after.settled - before.settled;
    let held = [
        ("settlements that stand", i128::try_from(settled).unwrap(), i128::from(stands)),
        (
            "what funds and accounts owe",
            after.due - before.due,
            i128::from(own.fund + own.account + own.relatives),
        ),
        ("what patients pay", after.cash - before.cash, i128::from(own.cash)),
        ("the sum of all accounts", after.sum, 0),
        ("the sum of all accounts at first", before.sum, 0),
    ];
    let broken = held.into_iter().filter(|(_, ledger, book)| ledger != book);
    broken.map(|(what, ledger, book)| format!("{what}: {ledger}, and not {book}")).collect()
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

#[test]
fn a_hospitals_day_comes_to_zero_whatever_happens_to_messages_and_gateway() {
    let one = number("NHSA_SEED");
    let end = number("NHSA_SEEDS").unwrap_or(SEEDS);
    let seeds = one.map_or(0..end, |seed| seed..seed + 1);
    let (next, days) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let folder = tempfile::tempdir().unwrap();
                    let again = format!(
                        "NHSA_SEED={seed} cargo test --release -p gateway --test api nhsa_day"
                    );
                    let _told = Told(&again);
                    let day = play(seed, folder.path());
                    days.lock().unwrap().push(day);
                }
            });
        }
    });
    let days = days.into_inner().unwrap();
    let mut met: BTreeMap<Fault, u32> = BTreeMap::new();
    for (fault, count) in days.iter().flat_map(|day| &day.met) {
        *met.entry(*fault).or_default() += count;
    }
    let interrupted: u32 = days.iter().map(|day| day.interrupted).sum();
    let messages: usize = days.iter().map(|day| day.trace.len()).sum();
    let made = |day: &Day| day.played.mistakes.keys().copied().collect::<Vec<_>>();
    let made: BTreeSet<(Care, Mistake)> = days.iter().flat_map(made).collect();
    println!(
        "{} days, {messages} messages, {met:?}, {interrupted} days gone on with, {} mistakes",
        days.len(),
        made.len()
    );
    if one.is_none() && end >= SEEDS {
        for fault in DRAWN {
            let count = met.get(&fault).copied().unwrap_or(0);
            assert!(count >= MET_MIN, "{fault:?} was met {count} times only");
        }
        assert!(interrupted > 0, "no day was interrupted");
        for care in Care::ALL {
            for mistake in Mistake::of(care) {
                assert!(made.contains(&(care, mistake)), "{mistake:?} of {care:?} was never made");
            }
        }
    }
}

/// Says by which command a day that fails is played again.
struct Told<'a>(&'a str);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("played again by: {}", self.0);
        }
    }
}

#[test]
fn a_seed_gives_the_same_day() {
    let traces = [(); 2].map(|()| {
        let folder = tempfile::tempdir().unwrap();
        let mut trace = play(3, folder.path()).trace;
        // Two clicks at once come in either order.
        trace.sort_unstable();
        trace
    });
    assert_eq!(traces[0], traces[1]);
}

/// What cannot fail shows nothing.
#[test]
fn a_gateway_that_forgets_is_found() {
    let found = |seed: &u64| {
        let folder = tempfile::tempdir().unwrap();
        let day = play_before(Memory::LostAtEachStart, *seed, folder.path());
        match day {
            Ok(day) => !day.broken.is_empty(),
            Err(error) => !matches!(error, HisError::Line { .. } | HisError::Busy(_)),
        }
    };
    assert!((0..4).all(|seed| found(&seed)), "a book that is lost goes unnoticed");
}
