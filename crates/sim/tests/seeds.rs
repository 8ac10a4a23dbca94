//! A bounded number of worlds in the test command; `cargo run --release -p sim` runs more.

use std::ops::Range;

use sim::machine::End;
use sim::{Options, Report, run};

const STEPS: u32 = 120;

/// Every world of these seeds holds every rule, and together they see what the simulator is for.
fn hold(seeds: Range<u64>) {
    let mut all = Report::default();
    for seed in seeds {
        match run(Options::new(seed, STEPS)) {
            Ok(report) => all.add(&report),
            Err(failure) => panic!("seed {seed} breaks a rule\n{failure}"),
        }
    }
    println!("{all}");
    assert_seen(&all);
}

fn assert_seen(all: &Report) {
    let ends = [
        End::PowerCut,
        End::Killed,
        End::Stopped,
        End::FailedSync,
        End::FailedSyncAndReboot,
        End::DiskFull,
    ];
    for end in ends {
        assert!(all.ends.contains_key(&end), "no life ended by {end:?}");
    }
    for kind in
        ["settle_visit", "refund_visit", "supersede_settlement", "take_deposit", "retry_effect"]
    {
        assert!(all.kinds.contains_key(kind), "no `{kind}` was accepted");
    }
    for code in ["insufficient_balance", "record_mismatch", "split_outdated", "person_locked"] {
        assert!(all.rejections.contains_key(code), "nothing was rejected as `{code}`");
    }
    for payment in ["debit Collect Failed", "credit Collect Done", "counter Refund Done"] {
        assert!(all.payment_ends.contains_key(payment), "no payment ended as `{payment}`");
    }
    assert!(all.torn_blocks > 0 && all.failed_starts > 0 && all.outboxes_killed > 0);
    assert!(all.attacks > 0 && all.settled > 0 && all.changed > 0);
}

#[test]
fn the_first_worlds_hold_every_rule() {
    hold(1..56);
}

#[test]
fn the_second_worlds_hold_every_rule() {
    hold(56..111);
}

#[test]
fn the_third_worlds_hold_every_rule() {
    hold(111..166);
}

#[test]
fn the_fourth_worlds_hold_every_rule() {
    hold(166..221);
}

#[test]
fn a_seed_gives_the_same_run_every_time() {
    for seed in [1_001, 1_002, 1_003] {
        let report =
            || run(Options::new(seed, STEPS)).unwrap_or_else(|failure| panic!("{failure}"));
        let (one, other) = (report(), report());
        assert_eq!(one, other, "seed {seed} gave two runs");
        assert!(one.settled > 0);
    }
}
