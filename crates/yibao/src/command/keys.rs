//! `yibao keys`: make keys, look at them, and protect their files with a passphrase.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use node::signature::{
    KeyFile, KeyFileError, Scheme, SecretKey, read_key_file, replace_key, save_key_with,
};

use super::input::bad;
use super::passphrase::{new_passphrase, passphrase_of};

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
        /// Protect the file with a passphrase, which is asked for.
        #[arg(long)]
        protect: bool,
        /// Read the passphrase from this open file descriptor instead; the file that
        /// YIBAO_NEW_PASSPHRASE_FILE names does as well.
        #[arg(long, value_name = "FD", requires = "protect")]
        new_passphrase_fd: Option<u16>,
        /// The file; it must not exist yet.
        file: PathBuf,
    },
    /// Print the public key of a key file; a protected one is not opened for it.
    Show {
        /// The file.
        file: PathBuf,
    },
    /// Protect a key file with a passphrase, or change the one it has.
    Protect {
        /// Read the new passphrase from this open file descriptor instead of asking; the file that
        /// YIBAO_NEW_PASSPHRASE_FILE names does as well.
        #[arg(long, value_name = "FD")]
        new_passphrase_fd: Option<u16>,
        /// The file.
        file: PathBuf,
    },
    /// Take the passphrase of a key file away: whoever may read the file then has the key.
    Unprotect {
        /// The file.
        file: PathBuf,
    },
}

fn scheme(name: &str) -> Result<Scheme, String> {
    let all = [Scheme::Ed25519, Scheme::P256, Scheme::Sm2];
    let found = all.into_iter().find(|scheme| scheme.name() == name);
    found.ok_or_else(|| "this scheme is not known; use ed25519, p256 or sm2".to_owned())
}

/// Reads a key file; a protected one is opened with the passphrase that was given or is asked for.
///
/// # Errors
/// What is wrong with it, and the remedy.
pub fn read_key(file: &Path) -> Result<SecretKey> {
    match read_file(file)? {
        KeyFile::Open(key) => Ok(key),
        KeyFile::Protected(protected) => {
            protected.open(&passphrase_of(file)?).map_err(|error| bad(error.to_string()))
        }
    }
}

fn read_file(file: &Path) -> Result<KeyFile> {
    read_key_file(file).map_err(|error| match error {
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
            Action::New { scheme, protect, new_passphrase_fd, file } => {
                let passphrase =
                    protect.then(|| new_passphrase(new_passphrase_fd, &file)).transpose()?;
                let key = SecretKey::generate(scheme)?;
                let saved = save_key_with(&file, &key, passphrase.as_ref());
                saved.map_err(|error| match error {
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
            Action::Show { file } => {
                let public = match read_file(&file)? {
                    KeyFile::Open(key) => key.public_key(),
                    KeyFile::Protected(protected) => protected.public_key(),
                };
                println!("{public}");
            }
            Action::Protect { new_passphrase_fd, file } => {
                let key = read_key(&file)?;
                let passphrase = new_passphrase(new_passphrase_fd, &file)?;
                replace_key(&file, &key, Some(&passphrase))?;
                println!("{} is protected; without its passphrase the key is lost", file.display());
            }
            Action::Unprotect { file } => {
                let key = read_key(&file)?;
                replace_key(&file, &key, None)?;
                println!("{} opens without a passphrase", file.display());
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
