//! The one binary: wiring, the command line, and the demonstration region.
//!
//! Reading order: [`command`] (one file per command), [`demo`], [`serving`] (a node behind its
//! gateway).

mod command;
mod demo;
mod serving;

use std::process::ExitCode;

use clap::Parser;
use command::input::BadInput;

fn main() -> ExitCode {
    let arguments = command::Arguments::parse();
    match arguments.run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("yibao: {error:#}");
            ExitCode::from(if error.is::<BadInput>() { 2 } else { 1 })
        }
    }
}
