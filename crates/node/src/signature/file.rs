//! Secret keys in files: JSON, readable by the owner alone, and where somebody wants it only with a
//! passphrase.
//!
//! ```json
//! {"format":"yibao secret key 1","scheme":"ed25519","secret":"HEX","public":"ed25519:HEX"}
//! {"format":"yibao secret key 2","scheme":"ed25519","public":"ed25519:HEX",
//!  "sealed":{"kdf":"argon2id","memory_kib":65536,"passes":3,
//!            "salt":"HEX","nonce":"HEX","ciphertext":"HEX"}}
//! ```
//! The public key is there so that a person can see which key it is and so that a damaged file is
//! noticed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use primitives::PublicKey;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::passphrase::{Passphrase, SealError, Sealed};
use super::{Scheme, SecretKey};

const FORMAT: &str = "yibao secret key 1";
const SEALED_FORMAT: &str = "yibao secret key 2";
/// A key file is some 500 bytes; more is not read.
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
    /// Only a passphrase opens it, and there is none.
    #[error("key file `{}` is protected by a passphrase", .0.display())]
    Protected(PathBuf),
    /// The passphrase is another one.
    #[error(
        "the passphrase does not open key file `{}`, or somebody changed the file", .0.display()
    )]
    WrongPassphrase(PathBuf),
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
struct KeyForm {
    format: String,
    scheme: Scheme,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<Zeroizing<String>>,
    public: PublicKey,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<Sealed>,
}

/// A key file that was read.
#[derive(Debug)]
pub enum KeyFile {
    /// Its key lies open in it.
    Open(SecretKey),
    /// A passphrase opens it.
    Protected(ProtectedKey),
}

/// A key that a passphrase opens.
#[derive(Debug)]
pub struct ProtectedKey {
    path: PathBuf,
    scheme: Scheme,
    public: PublicKey,
    sealed: Sealed,
}

impl ProtectedKey {
    /// Which key it is, as the file says; it is certain only once the key was opened.
    #[must_use]
    pub const fn public_key(&self) -> PublicKey {
        self.public
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`KeyFileError::WrongPassphrase`], or [`KeyFileError::Damaged`].
    pub fn open(&self, passphrase: &Passphrase) -> Result<SecretKey, KeyFileError> {
        let damaged = |reason: &str| KeyFileError::Damaged {
            path: self.path.clone(),
            reason: reason.to_owned(),
        };
        let associated = associated(self.scheme, self.public);
        let bytes = self.sealed.open(passphrase, &associated).map_err(|error| match error {
            SealError::Refused => KeyFileError::WrongPassphrase(self.path.clone()),
            SealError::Damaged => damaged("`sealed` is not what this version writes"),
        })?;
        secret_key(self.scheme, &bytes, self.public).map_err(damaged)
    }
}

/// What is sealed along with the secret, so that nobody gives a file another key's name.
fn associated(scheme: Scheme, public: PublicKey) -> Vec<u8> {
    format!("{SEALED_FORMAT}\n{}\n{public}\n", scheme.name()).into_bytes()
}

fn secret_key(
    scheme: Scheme,
    bytes: &[u8; 32],
    public: PublicKey,
) -> Result<SecretKey, &'static str> {
    let key = SecretKey::from_bytes(scheme, bytes)
        .map_err(|_| "`secret` is not a key of its `scheme`")?;
    if key.public_key() == public { Ok(key) } else { Err("`public` does not belong to `secret`") }
}

/// The text of a key file, sealed where there is a passphrase.
fn text_of(
    key: &SecretKey,
    passphrase: Option<&Passphrase>,
) -> Result<Zeroizing<Vec<u8>>, getrandom::Error> {
    let (scheme, public) = (key.scheme(), key.public_key());
    let sealed = passphrase
        .map(|passphrase| Sealed::seal(key.as_bytes(), passphrase, &associated(scheme, public)))
        .transpose()?;
    let (format, secret) = match sealed {
        Some(_) => (SEALED_FORMAT, None),
        None => (FORMAT, Some(Zeroizing::new(hex::encode(key.as_bytes())))),
    };
    let form = KeyForm { format: format.to_owned(), scheme, secret, public, sealed };
    let mut text = Zeroizing::new(serde_json::to_vec(&form).expect("strings always serialise"));
    text.push(b'\n');
    Ok(text)
}

fn no_randomness(error: getrandom::Error) -> io::Error {
    io::Error::other(format!("the operating system gives no random bytes: {error}"))
}

/// Writes a new key file that only its owner may read. An existing file is never overwritten: a
/// lost key cannot be made again.
///
/// # Errors
/// [`KeyFileError::File`], also when the file exists.
pub fn save_key(path: &Path, key: &SecretKey) -> Result<(), KeyFileError> {
    save_key_with(path, key, None)
}

/// The same; with a passphrase, only that opens the file.
///
/// # Errors
/// As [`save_key`].
pub fn save_key_with(
    path: &Path,
    key: &SecretKey,
    passphrase: Option<&Passphrase>,
) -> Result<(), KeyFileError> {
    let written =
        text_of(key, passphrase).map_err(no_randomness).and_then(|text| write_owned(path, &text));
    written.map_err(|source| KeyFileError::File { path: path.to_owned(), source })
}

/// Writes a key file anew with another passphrase or without one. The old or the new file is there
/// at any time, never a part of one. What the old file's blocks still hold on the disk is the
/// disk's business.
///
/// # Errors
/// [`KeyFileError::File`].
pub fn replace_key(
    path: &Path,
    key: &SecretKey,
    passphrase: Option<&Passphrase>,
) -> Result<(), KeyFileError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let replace = || -> io::Result<()> {
        let text = text_of(key, passphrase).map_err(no_randomness)?;
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => write_owned(&new, &text)?,
        }
        fs::rename(&new, path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    };
    replace().map_err(|source| KeyFileError::File { path: path.to_owned(), source })
}

/// Reads a key file whose key lies open in it.
///
/// # Errors
/// When it is missing, exposed to others, damaged, or protected by a passphrase.
pub fn load_key(path: &Path) -> Result<SecretKey, KeyFileError> {
    match read_key_file(path)? {
        KeyFile::Open(key) => Ok(key),
        KeyFile::Protected(_) => Err(KeyFileError::Protected(path.to_owned())),
    }
}

/// Reads a key file.
///
/// # Errors
/// When it is missing, exposed to others, or damaged.
pub fn read_key_file(path: &Path) -> Result<KeyFile, KeyFileError> {
    let failed = |source| KeyFileError::File { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    if is_exposed(&file).map_err(failed)? {
        return Err(KeyFileError::Exposed(path.to_owned()));
    }
    let mut text = Zeroizing::new(Vec::new());
    file.take(FILE_BYTES_MAX).read_to_end(&mut text).map_err(failed)?;
    parse_key_file(path, &text)
}

/// The key file that this text is; `path` is its name in errors.
///
/// # Errors
/// [`KeyFileError::Damaged`], which never quotes the text.
pub fn parse_key_file(path: &Path, text: &[u8]) -> Result<KeyFile, KeyFileError> {
    let damaged =
        |reason: &str| KeyFileError::Damaged { path: path.to_owned(), reason: reason.to_owned() };
    // The parser's own words would quote the file, and the file is a secret.
    let form: KeyForm =
        serde_json::from_slice(text).map_err(|_| damaged("it is not the JSON of a key file"))?;
    let KeyForm { format, scheme, secret, public, sealed } = form;
    match (format.as_str(), secret, sealed) {
        (FORMAT, Some(secret), None) => {
            let mut bytes = Zeroizing::new([0; 32]);
            hex::decode_to_slice(secret.as_bytes(), bytes.as_mut())
                .map_err(|_| damaged("`secret` is not 64 hex digits"))?;
            Ok(KeyFile::Open(secret_key(scheme, &bytes, public).map_err(damaged)?))
        }
        (SEALED_FORMAT, None, Some(sealed)) => {
            let path = path.to_owned();
            Ok(KeyFile::Protected(ProtectedKey { path, scheme, public, sealed }))
        }
        (FORMAT | SEALED_FORMAT, ..) => Err(damaged("its fields are not those of its `format`")),
        _ => Err(damaged("`format` is not one that this version knows")),
    }
}

/// Writes a new file that its owner alone may read, durably.
///
/// # Errors
/// When it is there already or cannot be written.
pub fn write_owned(path: &Path, text: &[u8]) -> io::Result<()> {
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
