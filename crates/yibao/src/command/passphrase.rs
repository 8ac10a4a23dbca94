//! Where passphrases of key files come from: a file descriptor, a file that the environment names,
//! or a person at the terminal. Never an argument: arguments are seen by everybody on the machine.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::Result;
use clap::Args;
use node::signature::Passphrase;
use zeroize::Zeroizing;

use super::input::bad;

/// Names the file with the passphrase.
const FILE_VARIABLE: &str = "YIBAO_PASSPHRASE_FILE";
/// Where systemd puts what a unit's `LoadCredential=` names.
const CREDENTIALS_VARIABLE: &str = "CREDENTIALS_DIRECTORY";
/// Names the file with the passphrase that is to be.
const NEW_FILE_VARIABLE: &str = "YIBAO_NEW_PASSPHRASE_FILE";
const BYTES_MAX: u64 = 4_096;

/// Where passphrases come from when nobody is to be asked.
#[derive(Args, Clone, Debug, Default)]
pub struct PassphraseOptions {
    /// Read the passphrase of protected key files from this open file descriptor, its first line;
    /// else the file that YIBAO_PASSPHRASE_FILE names is read, else the terminal is asked.
    #[arg(long, global = true, value_name = "FD", hide_short_help = true)]
    passphrase_fd: Option<u16>,
}

static OPTIONS: OnceLock<PassphraseOptions> = OnceLock::new();
/// One passphrase opens all key files of a command, where it was not typed.
static GIVEN: OnceLock<Passphrase> = OnceLock::new();

impl PassphraseOptions {
    /// Keeps them for all key files of this process.
    pub fn keep(self) {
        let _ = OPTIONS.set(self);
    }
}

/// The passphrase of a protected key file.
///
/// # Errors
/// When there is none and nobody to ask, or what was given is none.
pub fn passphrase_of(file: &Path) -> Result<Passphrase> {
    if let Some(given) = GIVEN.get() {
        return Ok(given.clone());
    }
    let descriptor = OPTIONS.get().and_then(|options| options.passphrase_fd);
    match unasked(descriptor, FILE_VARIABLE)? {
        Some(text) => {
            let given = Passphrase::given(text).map_err(|error| bad(error.to_string()))?;
            Ok(GIVEN.get_or_init(|| given).clone())
        }
        None => {
            let text = ask(&format!("passphrase of {}: ", file.display())).map_err(|_| {
                bad(format!(
                    "the key file `{}` is protected by a passphrase; start this at a terminal, or name where the passphrase is with --passphrase-fd or {FILE_VARIABLE}",
                    file.display()
                ))
            })?;
            Passphrase::given(text).map_err(|error| bad(error.to_string()))
        }
    }
}

/// A passphrase with which a key file is to be protected; at the terminal it is asked for twice.
///
/// # Errors
/// When there is none and nobody to ask, or it is too short or too long.
pub fn new_passphrase(descriptor: Option<u16>, file: &Path) -> Result<Passphrase> {
    let text = match unasked(descriptor, NEW_FILE_VARIABLE)? {
        Some(text) => text,
        None => {
            let nobody = |_: io::Error| {
                bad(format!(
                    "there is no terminal to ask for the new passphrase; name where it is with --new-passphrase-fd or {NEW_FILE_VARIABLE}"
                ))
            };
            let shown = file.display();
            let text = ask(&format!("new passphrase of {shown}: ")).map_err(nobody)?;
            let again = ask("the same once more: ").map_err(nobody)?;
            if *text != *again {
                return Err(bad("the two are not the same; nothing was changed, try again"));
            }
            text
        }
    };
    Passphrase::chosen(text).map_err(|error| bad(error.to_string()))
}

fn ask(words: &str) -> io::Result<Zeroizing<String>> {
    rpassword::prompt_password(words).map(Zeroizing::new)
}

/// A passphrase that is there without asking anybody.
fn unasked(descriptor: Option<u16>, variable: &str) -> Result<Option<Zeroizing<String>>> {
    if let Some(descriptor) = descriptor {
        let path = PathBuf::from(format!("/dev/fd/{descriptor}"));
        let line = File::open(&path).and_then(first_line);
        return line.map(Some).map_err(|error| {
            bad(format!("file descriptor {descriptor} cannot be read for a passphrase: {error}"))
        });
    }
    let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()) else {
        return Ok(None);
    };
    let shown = Path::new(&path).display();
    let failed =
        |error: io::Error| bad(format!("the file `{shown}` that {variable} names: {error}"));
    let file = File::open(&path).map_err(failed)?;
    let allowed = if is_credential(Path::new(&path)) { READ_BY_GROUP } else { 0 };
    if others_may(&file).map_err(failed)? & !allowed != 0 {
        return Err(bad(format!(
            "the file `{shown}` that {variable} names can be read by others; run `chmod 600` on it"
        )));
    }
    first_line(file).map(Some).map_err(failed)
}

/// The first line of a file, without its end. Bytes behind it are never looked at.
fn first_line(file: File) -> io::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(BYTES_MAX).unwrap_or(0)));
    file.take(BYTES_MAX).read_to_end(&mut bytes)?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "its first line is not UTF-8 text");
    let line = std::str::from_utf8(line).map_err(|_| wrong())?;
    if line.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "its first line is empty"));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

/// Whether systemd handed this file to this process. It lets the user of a unit in by an ACL, whose
/// mask looks like a group that may read; nobody else comes into the folder.
fn is_credential(path: &Path) -> bool {
    let folder = std::env::var_os(CREDENTIALS_VARIABLE).filter(|folder| !folder.is_empty());
    folder.is_some_and(|folder| path.parent() == Some(Path::new(&folder)))
}

/// Whether others than its owner may do anything with this file.
///
/// # Errors
/// When the system does not say.
pub fn is_exposed(file: &File) -> io::Result<bool> {
    Ok(others_may(file)? != 0)
}

const READ_BY_GROUP: u32 = 0o040;

/// What the group and all others may do with this file, as bits of its mode.
#[cfg(unix)]
fn others_may(file: &File) -> io::Result<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = file.metadata()?;
    Ok(if metadata.is_file() { metadata.permissions().mode() & 0o077 } else { 0 })
}

/// Nothing is known of it here.
#[cfg(not(unix))]
fn others_may(_: &File) -> io::Result<u32> {
    Ok(0)
}
