//! The binary as people use it: its words and its exit codes.

#[path = "../support/mod.rs"]
mod support;

mod backup;
mod bad_input;
mod breach;
mod deploy;
mod edge;
mod guide;
mod his;
mod kit;
mod light;
mod network;
mod observing;
mod quote;
mod rails;
mod serve;
mod simulate;
mod tx;
mod verify;
