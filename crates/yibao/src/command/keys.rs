//! `yibao keys`: make and look at keys.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use node::signature::{KeyFileError, Scheme, SecretKey, load_key, save_key};

use super::input::bad;

#[derive(Args)]
pub struct Keys {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a new secret key in a file that only you can read, and print its public key.
    New {
        /// `ed25519` (organisations), `p256` (persons) or `sm2` (national cryptography).
        #[arg(long, default_value = "ed25519", value_parser = scheme)]
        scheme: Scheme,
        /// The file; it must not exist yet.
        file: PathBuf,
    },
    /// Print the public key of a key file.
    Show {
        /// The file.
        file: PathBuf,
    },
}

fn scheme(name: &str) -> Result<Scheme, String> {
    let all = [Scheme::Ed25519, Scheme::P256, Scheme::Sm2];
    let found = all.into_iter().find(|scheme| scheme.name() == name);
    found.ok_or_else(|| "this scheme is not known; use ed25519, p256 or sm2".to_owned())
}

/// Reads a key file.
///
/// # Errors
/// What is wrong with it, and the remedy.
pub fn read_key(file: &Path) -> Result<SecretKey> {
    load_key(file).map_err(|error| match error {
        KeyFileError::File { path, source } if source.kind() == std::io::ErrorKind::NotFound => {
            let shown = path.display();
            bad(format!(
                "the key file `{shown}` does not exist; make one with `yibao keys new {shown}`"
            ))
        }
        other => bad(other.to_string()),
    })
}

impl Keys {
    pub fn run(self) -> Result<ExitCode> {
        match self.action {
            Action::New { scheme, file } => {
                let key = SecretKey::generate(scheme)?;
                save_key(&file, &key).map_err(|error| match error {
                    KeyFileError::File { path, source }
                        if source.kind() == std::io::ErrorKind::AlreadyExists =>
                    {
                        let shown = path.display();
                        bad(format!("the key file `{shown}` exists already; a key is never overwritten, name another file"))
                    }
                    other => bad(other.to_string()),
                })?;
                println!("{}", key.public_key());
            }
            Action::Show { file } => println!("{}", read_key(&file)?.public_key()),
        }
        Ok(ExitCode::SUCCESS)
    }
}
