//! Secret keys in files: JSON, readable by the owner alone.
//!
//! ```json
//! {"format":"yibao secret key 1","scheme":"ed25519","secret":"HEX","public":"ed25519:HEX"}
//! ```
//! The public key is there so that a person can see which key it is and so that a damaged file is
//! noticed.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use primitives::PublicKey;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Scheme, SecretKey};

const FORMAT: &str = "yibao secret key 1";
/// A key file is some 250 bytes; more is not read.
const FILE_BYTES_MAX: u64 = 4_096;

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file cannot be read or written.
    #[error("key file `{}`: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Others than the owner may read it.
    #[error("key file `{}` can be read by others; run `chmod 600` on it", .0.display())]
    Exposed(PathBuf),
    /// It is no key file, or it is damaged.
    #[error("key file `{}` is not readable: {reason}; restore it from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    format: String,
    scheme: Scheme,
    secret: Zeroizing<String>,
    public: PublicKey,
}

/// Writes a new key file that only its owner may read. An existing file is never overwritten: a
/// lost key cannot be made again.
///
/// # Errors
/// [`KeyFileError::File`], also when the file exists.
pub fn save_key(path: &Path, key: &SecretKey) -> Result<(), KeyFileError> {
    let form = KeyFile {
        format: FORMAT.to_owned(),
        scheme: key.scheme(),
        secret: Zeroizing::new(hex::encode(key.as_bytes())),
        public: key.public_key(),
    };
    let mut text = Zeroizing::new(serde_json::to_vec(&form).expect("strings always serialise"));
    text.push(b'\n');
    write_owned(path, &text).map_err(|source| KeyFileError::File { path: path.to_owned(), source })
}

/// Reads a key file.
///
/// # Errors
/// When it is missing, exposed to others, or damaged.
pub fn load_key(path: &Path) -> Result<SecretKey, KeyFileError> {
    let failed = |source| KeyFileError::File { path: path.to_owned(), source };
    let damaged =
        |reason: &str| KeyFileError::Damaged { path: path.to_owned(), reason: reason.to_owned() };
    let file = File::open(path).map_err(failed)?;
    if is_exposed(&file).map_err(failed)? {
        return Err(KeyFileError::Exposed(path.to_owned()));
    }
    let mut text = Zeroizing::new(Vec::new());
    file.take(FILE_BYTES_MAX).read_to_end(&mut text).map_err(failed)?;
    // The parser's own words would quote the file, and the file is a secret.
    let form: KeyFile =
        serde_json::from_slice(&text).map_err(|_| damaged("it is not the JSON of a key file"))?;
    if form.format != FORMAT {
        return Err(damaged("`format` is not one that this version knows"));
    }
    let mut bytes = Zeroizing::new([0; 32]);
    hex::decode_to_slice(form.secret.as_bytes(), bytes.as_mut())
        .map_err(|_| damaged("`secret` is not 64 hex digits"))?;
    let key = SecretKey::from_bytes(form.scheme, &bytes)
        .map_err(|_| damaged("`secret` is not a key of its `scheme`"))?;
    if key.public_key() != form.public {
        return Err(damaged("`public` does not belong to `secret`"));
    }
    Ok(key)
}

fn write_owned(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

#[cfg(unix)]
fn is_exposed(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(file.metadata()?.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_exposed(_: &File) -> io::Result<bool> {
    Ok(false)
}
