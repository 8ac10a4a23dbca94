//! A bounded number of worlds in the test command; `cargo run --release -p sim` runs more.

use sim::fault::{Call, Fault};
use sim::machine::End;
use sim::many::{cores, run_many};
use sim::{Options, Report, run};

const SEEDS: u64 = 500;
const STEPS: u32 = 120;
/// So often every fault has really happened in them: one that never meets anybody tests nothing.
const FAULT_COUNT_MIN: u64 = 80;

#[test]
fn five_hundred_worlds_hold_every_rule_and_meet_every_fault() {
    match run_many(1..SEEDS + 1, STEPS, cores(), |_| ()) {
        Ok(all) => {
            println!("{all}");
            assert_seen(&all);
            assert_faults(&all);
        }
        Err(failure) => panic!("seed {} breaks a rule\n{failure}", failure.seed),
    }
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
    for kind in [
        "settle_visit",
        "refund_visit",
        "supersede_settlement",
        "take_deposit",
        "retry_effect",
        "lock_premium",
        "pay_premiums_from_accounts",
        "cancel_premium",
        "grant_aid",
        "revoke_aid",
        "send_transfer",
        "claim_transfer",
        "withdraw_transfer",
        "close_interregion_month",
        "answer_interregion_statement",
        "end_item_dispute",
        "approve_payout",
        "record_payout_results",
        "confirm_region_payment",
    ] {
        assert!(all.kinds.contains_key(kind), "no `{kind}` was accepted");
    }
    for code in [
        "insufficient_balance",
        "record_mismatch",
        "split_outdated",
        "person_locked",
        "premium_already_paid",
        "premium_locked",
        "transfer_to_stranger",
        "transfer_above_limit",
        "transfer_day_limit_reached",
        "transfer_at_night",
        "transfer_claimed",
        "transfer_came_back",
        "interregion_answer_not_due",
        "exceeds_payment_under_way",
    ] {
        assert!(all.rejections.contains_key(code), "nothing was rejected as `{code}`");
    }
    for payment in ["debit Collect Failed", "credit Collect Done", "counter Refund Done"] {
        assert!(all.payment_ends.contains_key(payment), "no payment ended as `{payment}`");
    }
    assert!(all.torn_blocks > 0 && all.failed_starts > 0 && all.swept_operations > 0);
    assert!(all.attacks > 0 && all.settled > 0 && all.changed > 0);
}

fn assert_faults(all: &Report) {
    for fault in Fault::ALL {
        let count = all.faults.count(fault);
        assert!(count >= FAULT_COUNT_MIN, "{fault:?} happened only {count} times");
    }
    // What the node does to every folder, and so where the power can be cut.
    for (folder, calls) in [
        ("blocks", &[Call::Create, Call::Write, Call::Sync, Call::SyncFolder, Call::Read][..]),
        ("snapshots", &[Call::Create, Call::Write, Call::Sync, Call::Rename, Call::Remove]),
        ("receipts", &[Call::Create, Call::Write, Call::Sync, Call::Rename, Call::SyncFolder]),
        ("signed", &[Call::Create, Call::Write, Call::Sync, Call::Rename, Call::SyncFolder]),
        ("genesis", &[Call::Create, Call::Open, Call::Read, Call::SyncFolder]),
    ] {
        for call in calls {
            let cuts = all.faults.cuts(*call, folder);
            assert!(cuts > 0, "no power cut met {call:?} in `{folder}`");
        }
    }
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
