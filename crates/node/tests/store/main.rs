//! The store against disks that fail: whatever was acknowledged is there, nothing is half-applied.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

mod crash;
mod damage;
mod folder;
mod snapshots;
mod tiles;
mod world;
