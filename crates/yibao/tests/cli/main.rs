//! The binary as people use it: its words and its exit codes.

#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod guide;
mod kit;
mod quote;
mod rails;
mod secrets;
mod serve;
mod simulate;
mod tx;
mod verify;
