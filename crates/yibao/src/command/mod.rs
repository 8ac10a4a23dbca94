//! The command line: one file per command, one line in [`Command`].
//!
//! Exit codes: 0 when it was done, 1 when it was tried and the answer is no, 2 when what was handed
//! in cannot be used ([`input`]). `status` has one more, 3: something needs attention at once.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

mod ask;
mod backup;
mod clearing;
mod client;
mod demo;
mod edge;
pub mod his;
pub mod input;
pub mod keys;
mod language;
mod light;
mod network;
mod output;
pub mod passphrase;
pub mod phones;
pub mod quote;
mod rates;
mod restore;
mod seal;
mod serve;
mod simulate_plan;
mod status;
mod tx;
mod vault;
mod verifier;
mod verify;
mod voucher;

pub use vault::reader_of_key;
pub use verify::{check_voucher, print_voucher};

/// Settles medical insurance on a ledger that nobody can rewrite unseen.
#[derive(Parser)]
#[command(name = "yibao", version, about, arg_required_else_help = true)]
pub struct Arguments {
    #[command(flatten)]
    passphrase: passphrase::PassphraseOptions,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start a made-up region, settle a year of its visits, and keep serving it.
    Demo(demo::Demo),
    /// Serve an existing data folder.
    Serve(serve::Serve),
    /// Found a ledger of several organisations.
    Network(network::Network),
    /// Nodes that keep headers only and ask others for what concerns their organisation.
    Light(light::Light),
    /// Play a hospital's day against the national interface of a served demonstration.
    His(his::His),
    /// Stand inside a hospital: pass its system's messages on, and go on when the line is cut.
    Edge(edge::Edge),
    /// Copy a data folder while it is served.
    Backup(backup::Backup),
    /// Make a data folder from a backup, as it is or as it was at an earlier block.
    Restore(restore::Restore),
    /// Say how a node is: what needs attention, funds, queue, payments outside, backup, keys.
    Status(status::Status),
    /// Split a bill under a plan, without any ledger, and say why.
    Quote(quote::Quote),
    /// Say what a changed plan would have cost, on old bills, before it is published.
    SimulatePlan(simulate_plan::SimulatePlan),
    /// Write, sign and send a transaction.
    Tx(tx::Tx),
    /// Pay providers: statements, batches, the bank's files, a day's close.
    Clearing(clearing::Clearing),
    /// Publish the rates of exchange of a table; a wrong line stops no other.
    Rates(rates::Rates),
    /// Read something from a gateway by its path, signed in with a key or not.
    Get(ask::Get),
    /// Send JSON to a gateway by its path, such as a bill that is to be quoted.
    Post(ask::Post),
    /// Make keys, look at them, and protect their files with a passphrase.
    Keys(keys::Keys),
    /// Make the electronic seal that signs the sheets of vouchers, and look at it.
    Seal(seal::Seal),
    /// Seal, sample, grant and open itemised bills.
    Vault(vault::Vault),
    /// Check a voucher, the evidence of an audit or a whole chain, offline.
    Verify(verify::Verify),
    /// Print a voucher as a PDF, or take it apart for other people's verifiers.
    Voucher(voucher::Voucher),
}

impl Arguments {
    /// Runs the command.
    ///
    /// # Errors
    /// What went wrong, in words for the person at the terminal.
    pub fn run(self) -> Result<ExitCode> {
        self.passphrase.keep();
        match self.command {
            Command::Demo(demo) => demo.run(),
            Command::Serve(serve) => serve.run(),
            Command::Network(network) => network.run(),
            Command::Light(light) => light.run(),
            Command::His(his) => his.run(),
            Command::Edge(edge) => edge.run(),
            Command::Backup(backup) => backup.run(),
            Command::Restore(restore) => restore.run(),
            Command::Status(status) => status.run(),
            Command::Quote(quote) => quote.run(),
            Command::SimulatePlan(simulate) => simulate.run(),
            Command::Tx(tx) => tx.run(),
            Command::Clearing(clearing) => clearing.run(),
            Command::Rates(rates) => rates.run(),
            Command::Get(get) => get.run(),
            Command::Post(post) => post.run(),
            Command::Keys(keys) => keys.run(),
            Command::Seal(seal) => seal.run(),
            Command::Vault(vault) => vault.run(),
            Command::Verify(verify) => verify.run(),
            Command::Voucher(voucher) => voucher.run(),
        }
    }
}
