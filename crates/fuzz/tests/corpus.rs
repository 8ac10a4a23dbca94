//! Every target with its corpus and bent copies of it, without any special build.

use fuzz::{TARGETS, corpus};

/// Bent copies of each input.
const COPIES: usize = 24;
/// All inputs and their copies of one target, at the most.
const RUNS_MAX: usize = 4_000;

/// One to three changes: a bit turned, a piece removed, doubled or taken from another input, a byte
/// put in.
fn bend(random: &mut fastrand::Rng, bytes: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bent = bytes.to_vec();
    for _ in 0..random.usize(1..4) {
        let length = bent.len();
        let at = random.usize(..length + 1);
        let end = (at + random.usize(..32)).min(length);
        match random.u8(..5) {
            0 if at < length => bent[at] ^= 1 << random.u8(..8),
            1 => drop(bent.drain(at..end)),
            2 => {
                let piece = bent[at..end].to_vec();
                bent.splice(at..at, piece);
            }
            3 if !other.is_empty() => {
                let from = random.usize(..other.len());
                let piece = other[from..(from + 16).min(other.len())].to_vec();
                bent.splice(at..end, piece);
            }
            _ => bent.insert(at, random.u8(..)),
        }
    }
    bent
}

#[test]
fn every_target_survives_its_corpus_and_what_is_bent_from_it() {
    for (name, run) in TARGETS {
        let mut inputs = corpus::inputs(name);
        inputs.push(Vec::new());
        let mut random = fastrand::Rng::with_seed(1);
        let copies = COPIES.min(RUNS_MAX / inputs.len());
        for place in 0..inputs.len() {
            run(&inputs[place]);
            for _ in 0..copies {
                let other = random.usize(..inputs.len());
                let bent = bend(&mut random, &inputs[place], &inputs[other]);
                let caught = std::panic::catch_unwind(|| run(&bent));
                // Save these bytes as a file of the target's corpus, and mend what they break.
                assert!(caught.is_ok(), "`{name}` with {}", hex::encode(&bent));
            }
        }
    }
}

/// A corpus in an old form would only test that old forms are refused.
#[test]
fn every_target_reads_something_of_its_corpus_and_refuses_something() {
    for (name, run) in TARGETS {
        let inputs = corpus::inputs(name);
        assert!(inputs.iter().any(|input| run(input)), "`{name}` reads no input");
        assert!(!run(&[0xff; 40]), "`{name}` reads anything");
    }
}

#[test]
fn every_corpus_belongs_to_a_target() {
    let folder = corpus::folder("");
    for entry in std::fs::read_dir(folder).expect("the corpora") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        assert!(fuzz::target(&name).is_some(), "no target is called `{name}`");
    }
}
