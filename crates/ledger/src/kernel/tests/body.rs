//! What any bytes do to any kind of the registry: nothing, or what the kind says. Never a panic.

extern crate std;

use self::std::println;
use super::funded;
use super::sample::{self, Dice};
use crate::kernel::context::{Context, PlanMemo};
use crate::kernel::overlay::Overlay;
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::{KindEntry, registry};
use crate::kernel::rejection::{Rejection, kernel as code};
use crate::kernel::transaction::{AUTHORISATIONS_MAX, VerifiedTransaction};
use crate::modules::organisation::OrganisationKind;
use crate::testing::{World, organisation, person, plans};
use alloc::{collections::BTreeSet, format, string::String, vec::Vec};
use primitives::{Party, codec};
use proof::receipt::ReceiptSeed;

/// How many sampled bodies each kind is tried with.
const SAMPLES: u64 = 60;

/// How many samples may be refused one after the other.
const ATTEMPTS: u64 = 200;

/// A world with funds, a plan and persons in it, and a transaction that everybody signed.
struct Bench {
    world: World,
    transaction: VerifiedTransaction,
    plans: PlanMemo,
}

impl Bench {
    fn new() -> Self {
        let mut world = funded();
        world.admit("insurer", OrganisationKind::Insurer, None);
        world.publish(&plans::source("70%", "2026-01-01", None), &[]);
        for number in 0..6 {
            world.enrol(number);
        }
        let content = super::moving(&mut world, 1);
        let mut parties: Vec<Party> = ["bureau", "authority", "regulator", "hospital", "insurer"]
            .map(|name| Party::Organisation(organisation(name)))
            .to_vec();
        parties.extend((0..6).map(|number| Party::Person(person(number))));
        assert!(parties.len() <= AUTHORISATIONS_MAX);
        let transaction = world.sign(&content, &parties);
        Self { world, transaction, plans: PlanMemo::default() }
    }

    fn run(&self, kind: &KindEntry, body: &[u8]) -> Result<Outcome, Rejection> {
        let context = Context {
            chain_id: self.world.ledger.chain_id(),
            height: 9,
            time: self.world.now,
            transaction: &self.transaction,
            validators: &self.world.ledger.tip().validators,
            plans: &self.plans,
        };
        let mut overlay = Overlay::new(self.world.ledger.state());
        kind.run(body, &context, &mut overlay)
    }
}

/// Says which body was tried when the test panics, so that it can be tried again.
struct Trying(String);

impl Trying {
    fn new(kind: &KindEntry, body: &[u8]) -> Self {
        Self(format!("kind {} `{}` with the body {body:02x?}", kind.number, kind.name))
    }
}

impl Drop for Trying {
    fn drop(&mut self) {
        if self::std::thread::panicking() {
            println!("{}", self.0);
        }
    }
}

/// The encoded body of a sample. A schema cannot say every rule between fields, so a few samples
/// may be refused; a field that never fits would be refused always.
fn sampled(kind: &KindEntry, seed: u64) -> Vec<u8> {
    let mut refusals = Vec::new();
    for attempt in 0..ATTEMPTS {
        let json = sample::body(kind, seed * ATTEMPTS + attempt);
        match (kind.body_from_json)(json.clone()) {
            Ok(bytes) => return bytes,
            Err(error) => refusals.push(format!("{error}: {json}")),
        }
    }
    panic!("`{}` does not read what its schema allows: {}", kind.name, refusals[0])
}

#[test]
fn every_kind_reads_what_its_schema_allows_and_writes_it_back() {
    for kind in registry().kinds() {
        for seed in 0..SAMPLES {
            let bytes = sampled(kind, seed);
            let json = (kind.body_to_json)(&bytes).expect("an encoded body is a body");
            assert_eq!((kind.body_from_json)(json), Ok(bytes), "`{}`", kind.name);
        }
    }
}

#[test]
fn every_kind_refuses_a_field_that_it_does_not_know() {
    for kind in registry().kinds() {
        let mut json = sample::body(kind, 0);
        let Some(object) = json.as_object_mut() else { continue };
        object.insert("a_field_that_nobody_has".into(), true.into());
        let error = (kind.body_from_json)(json).expect_err(kind.name);
        assert!(format!("{error}").contains("a_field_that_nobody_has"), "`{}`: {error}", kind.name);
    }
}

#[test]
fn a_body_cut_off_anywhere_or_continued_is_malformed_for_every_kind() {
    let bench = Bench::new();
    for kind in registry().kinds() {
        for seed in 0..SAMPLES {
            let bytes = sampled(kind, seed);
            for length in 0..bytes.len() {
                let _trying = Trying::new(kind, &bytes[..length]);
                let rejection = bench.run(kind, &bytes[..length]).unwrap_err();
                assert_eq!(rejection.code, code::MALFORMED_BODY, "`{}`", kind.name);
                assert!(kind.registers(&bytes[..length]).is_empty());
                assert_eq!((kind.body_to_json)(&bytes[..length]), None);
            }
            for further in [0, 1, 255] {
                let longer = [bytes.as_slice(), &[further]].concat();
                let _trying = Trying::new(kind, &longer);
                let rejection = bench.run(kind, &longer).unwrap_err();
                assert_eq!(rejection.code, code::MALFORMED_BODY, "`{}`", kind.name);
            }
        }
    }
}

/// Runs it: whatever comes of it is declared, and an outcome can be committed to.
fn try_body(bench: &Bench, kind: &KindEntry, declared: &BTreeSet<u16>, body: &[u8]) {
    let _trying = Trying::new(kind, body);
    let _ = kind.registers(body);
    match bench.run(kind, body) {
        Ok(outcome) => {
            ReceiptSeed([7; 32]).commit(&outcome.fields).expect("fewer than 64 fields, each once");
        }
        Err(rejection) => assert!(declared.contains(&rejection.code.number), "{rejection}"),
    }
}

#[test]
fn no_bytes_make_any_kind_panic() {
    let bench = Bench::new();
    let registry = registry();
    let declared: BTreeSet<u16> = registry.rejections().iter().map(|code| code.number).collect();
    for kind in registry.kinds() {
        let mut dice = Dice::new(kind.name, 1);
        for seed in 0..SAMPLES {
            let mut bytes = sampled(kind, seed);
            try_body(&bench, kind, &declared, &bytes);
            for _ in 0..20 {
                if bytes.is_empty() {
                    break;
                }
                let place = dice.below(bytes.len());
                bytes[place] = dice.next().to_le_bytes()[0];
                try_body(&bench, kind, &declared, &bytes);
            }
        }
        for _ in 0..500 {
            let length = dice.below(300);
            let bytes: Vec<u8> = (0..length).map(|_| dice.next().to_le_bytes()[0]).collect();
            try_body(&bench, kind, &declared, &bytes);
        }
    }
}

#[test]
fn a_list_that_claims_to_be_huge_is_malformed_and_costs_nothing() {
    // Borsh writes a list's length first: four bytes that promise four billion elements.
    let bench = Bench::new();
    for kind in registry().kinds() {
        for padding in 0..64 {
            let mut bytes = alloc::vec![0; padding];
            bytes.extend_from_slice(&[255; 40]);
            let _trying = Trying::new(kind, &bytes);
            let _ = bench.run(kind, &bytes);
        }
    }
}

#[test]
fn every_kind_commits() {
    // Also: numbers and names are unique and sorted, and each kind belongs to its module's hundred.
    let registry = registry();
    let bench = Bench::new();
    let mut names = BTreeSet::new();
    for module in crate::modules::MODULES {
        for kind in (module.kinds)() {
            assert_eq!(kind.number / 100, module.number, "`{}`", kind.name);
            assert_eq!(kind.module, module.name, "`{}`", kind.name);
            assert!(names.insert(kind.name), "`{}` is named twice", kind.name);
            assert!(registry.by_number(kind.number).is_some_and(|one| one.name == kind.name));
            assert!(registry.by_name(kind.name).is_some_and(|one| one.number == kind.number));
        }
        for code in module.rejections {
            assert_eq!(code.number / 100, module.number, "`{}`", code.name);
        }
    }
    let codes: BTreeSet<&str> = registry.rejections().iter().map(|code| code.name).collect();
    assert_eq!(codes.len(), registry.rejections().len(), "rejections have names of their own");
    // The bench's own transaction is of a kind that commits to a field.
    let content = bench.transaction.content();
    let kind = registry.by_number(content.kind).unwrap();
    let outcome = bench.run(kind, &content.body).unwrap();
    assert_eq!(ReceiptSeed([1; 32]).commit(&outcome.fields).unwrap().len(), 1);
    assert_eq!(codec::encode(&outcome.fields[0].name).len(), 4 + "amount".len());
}

#[test]
fn rejections_speak_plainly() {
    for code in registry().rejections() {
        let words = code.words;
        let first = words.chars().next().unwrap();
        assert!(!first.is_uppercase() && !words.ends_with('.'), "{words}");
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        assert!(code.name.bytes().all(plain), "{}", code.name);
        assert_eq!(format!("{}", code.reject()), words);
        assert_eq!(format!("{}", code.with("`x` is 3")), format!("{words}: `x` is 3"));
    }
}
