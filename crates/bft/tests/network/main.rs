//! Four engines with a small ledger in memory each: on this machine's loopback, and in worlds whose
//! time, network and disks are simulated.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod keys;
mod ledger;
mod lies;
mod world;
mod worlds;

use std::io::{Read as _, Write as _};
use std::time::Duration;

use world::World;

#[test]
fn four_validators_decide_the_same_blocks_and_nothing_while_there_is_nothing() {
    let mut world = World::new(4);
    for node in 0..4 {
        world.start(node);
    }
    for number in 0..20_u8 {
        world.submit(usize::from(number) % 4, vec![number; 40]);
    }
    world.wait_for_payloads(&[0, 1, 2, 3], 20);
    world.assert_same_blocks();
    // All are certified by more than two thirds, which our own verifier checks.
    world.assert_certified(0);
    // Nothing waits, so no block comes by itself before the heartbeat, which is an hour here.
    let height = world.height(0);
    world.stays_at(height, Duration::from_millis(700));
}

#[test]
fn three_of_four_go_on_and_the_fourth_catches_up() {
    let mut world = World::new(4);
    for node in 0..4 {
        world.start(node);
    }
    world.submit(0, vec![1; 10]);
    world.wait_for_payloads(&[0, 1, 2, 3], 1);
    world.kill(3);
    for number in 2..12_u8 {
        world.submit(usize::from(number) % 3, vec![number; 10]);
    }
    world.wait_for_payloads(&[0, 1, 2], 11);
    world.start(3);
    world.submit(1, vec![99; 10]);
    world.wait_for_payloads(&[0, 1, 2, 3], 12);
    world.assert_same_blocks();
    world.assert_certified(3);
}

#[test]
fn two_of_four_decide_nothing_and_go_on_when_a_third_is_back() {
    let mut world = World::new(4);
    for node in 0..4 {
        world.start(node);
    }
    world.submit(0, vec![1; 10]);
    world.wait_for_payloads(&[0, 1, 2, 3], 1);
    world.kill(2);
    world.kill(3);
    let height = world.height(0);
    world.submit(0, vec![2; 10]);
    world.stays_at(height, Duration::from_millis(1_500));
    world.start(2);
    world.wait_for_payloads(&[0, 1, 2], 2);
    world.start(3);
    world.submit(0, vec![3; 10]);
    world.wait_for_payloads(&[0, 1, 2, 3], 3);
    world.assert_same_blocks();
}

#[test]
fn a_stranger_is_not_let_in() {
    let mut world = World::new(4);
    for node in 0..4 {
        world.start(node);
    }
    world.submit(0, vec![1; 10]);
    world.wait_for_payloads(&[0, 1, 2, 3], 1);
    let stranger = world.start_stranger();
    world.submit(1, vec![2; 10]);
    world.wait_for_payloads(&[0, 1, 2, 3], 2);
    world.stays_at_as(stranger, 0, Duration::from_millis(1_500));
}

#[test]
fn silence_and_garbage_hold_nobody_up() {
    let mut world = World::new(4);
    for node in 0..4 {
        world.start(node);
    }
    let silent: Vec<_> = (0..30).map(|_| world.connect(0)).collect();
    let mut loud = world.connect(1);
    loud.write_all(&[0xff; 4_096]).unwrap();
    world.submit(0, vec![1; 10]);
    world.wait_for_payloads(&[0, 1, 2, 3], 1);
    // Whoever says what is no greeting is not answered.
    assert_eq!(loud.read(&mut [0; 16]).unwrap_or(0), 0);
    // A node that comes back is heard although the others' connections are still there.
    world.kill(0);
    world.start(0);
    world.submit(0, vec![2; 10]);
    world.wait_for_payloads(&[0, 1, 2, 3], 2);
    drop(silent);
    // Nor do more strangers than a node hears at once keep a peer out that comes back.
    let crowd: Vec<_> = (0..200).map(|_| world.connect(0)).collect();
    world.kill(3);
    world.kill(2);
    world.start(2);
    world.submit(2, vec![3; 10]);
    world.wait_for_payloads(&[0, 1, 2], 3);
    drop(crowd);
}
