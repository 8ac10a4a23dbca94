//! The one binary: wiring, the command line, and the demonstration region.
//!
//! Reading order: [`command`] (one file per command), [`demo`], [`simulation`] (what a changed plan
//! would have cost), [`serving`] (a node behind its gateway), [`backup`] (copies of a data folder).

mod backup;
mod command;
mod demo;
mod serving;
mod simulation;

use std::panic;
use std::process::ExitCode;

use clap::Parser;
use command::input::BadInput;

/// Blocks are made by one thread and let go by another; the usual allocator is slow at that
/// (decision record 0012).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a shell reports of a program that ended because nobody reads its output any more.
const BROKEN_PIPE: i32 = 141;

/// Whoever reads the output may stop reading, as `head` does: that ends the program and is no
/// failure of it. The standard library panics there.
fn end_with_the_reader() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let words = info.payload().downcast_ref::<String>();
        if words.is_some_and(|words| {
            words.starts_with("failed printing to stdout") && words.contains("os error 32")
        }) {
            std::process::exit(BROKEN_PIPE);
        }
        usual(info);
    }));
}

fn main() -> ExitCode {
    end_with_the_reader();
    let arguments = command::Arguments::parse();
    match arguments.run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("yibao: {error:#}");
            ExitCode::from(if error.is::<BadInput>() { 2 } else { 1 })
        }
    }
}
