//! The electronic seal that signs the sheets of vouchers: a folder with its key and certificates.
//!
//! ```text
//! DIR/ORGANISATION/seal/seal.key   a P-256 key as `yibao keys` writes it, or PKCS#8 in PEM
//! DIR/ORGANISATION/seal/seal.pem   its certificate, and those up to a root
//! DIR/ORGANISATION/seal/seal.csr   the request for a certificate authority
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use document::{ElectronicSeal, SealError, sample_certificate, seal_request};
use gateway::api::status::SealStatus;
use node::signature::{Passphrase, Scheme, SecretKey, save_key_with};
use primitives::{CivilDate, OrganisationId};

use crate::command::input::{bad, read_text};
use crate::command::keys::read_key;

/// The seal's folder within an organisation's.
pub const SEAL_FOLDER: &str = "seal";
const KEY_FILE: &str = "seal.key";
const CERTIFICATE_FILE: &str = "seal.pem";
const REQUEST_FILE: &str = "seal.csr";
/// A key, or a few certificates.
const BYTES_MAX: u64 = 64 << 10;
/// How long a certificate of one's own making holds.
const SAMPLE_DAYS: i32 = 730;

/// Where the seal of an organisation lies in a data folder.
#[must_use]
pub fn seal_folder(data: &Path, organisation: OrganisationId) -> PathBuf {
    data.join(organisation.as_str()).join(SEAL_FOLDER)
}

/// The seal of a folder; `None` when there is no such folder.
///
/// # Errors
/// What is wrong with a file, and the remedy.
pub fn open_seal(folder: &Path) -> Result<Option<ElectronicSeal>> {
    if !folder.is_dir() {
        return Ok(None);
    }
    let (key, file) = (folder.join(KEY_FILE), folder.join(CERTIFICATE_FILE));
    let certificates = read_text("the certificates of the seal", &file, BYTES_MAX)?;
    let is_pem = fs::read(&key).is_ok_and(|bytes| bytes.starts_with(b"-----BEGIN"));
    let seal = if is_pem {
        ElectronicSeal::read(&read_text("the key of the seal", &key, BYTES_MAX)?, &certificates)
    } else {
        let pkcs8 = read_key(&key)?.to_pkcs8().ok_or_else(|| not_p256(&key))?;
        ElectronicSeal::of_pkcs8(&pkcs8, &certificates)
    };
    seal.map(Some).map_err(|error| {
        let wrong = if matches!(error, SealError::Key(_)) { &key } else { &file };
        bad(format!("`{}`: {error}", wrong.display()))
    })
}

fn not_p256(key: &Path) -> anyhow::Error {
    let shown = key.display();
    bad(format!("the key `{shown}` is of another scheme; a seal has a key of the scheme p256"))
}

/// Makes a seal in a folder: a key, the request for a certificate authority, and a certificate that
/// nobody vouches for, with which it is a sample until the authority's takes its place.
///
/// # Errors
/// When there is one already, or a file cannot be written.
pub fn make_seal(
    folder: &Path,
    organisation: &str,
    today: CivilDate,
    passphrase: Option<&Passphrase>,
) -> Result<()> {
    let shown = folder.display();
    if folder.join(KEY_FILE).exists() {
        return Err(bad(format!("there is a seal in `{shown}` already; name another folder")));
    }
    let key = SecretKey::generate(Scheme::P256)?;
    let pkcs8 = key.to_pkcs8().context("a key of the scheme p256 is one as PKCS#8 as well")?;
    let until = today.plus_days(SAMPLE_DAYS).context("the certificate's last day")?;
    let unusable = |error| bad(format!("`{organisation}` is no name for a certificate: {error}"));
    let request = seal_request(&pkcs8, organisation).map_err(unusable)?;
    let sample = sample_certificate(&pkcs8, organisation, (today, until)).map_err(unusable)?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make `{shown}`"))?;
    fs::write(folder.join(REQUEST_FILE), request)?;
    fs::write(folder.join(CERTIFICATE_FILE), sample)?;
    Ok(save_key_with(&folder.join(KEY_FILE), &key, passphrase)?)
}

/// What is told of a seal.
#[must_use]
pub fn seal_status(seal: &ElectronicSeal) -> SealStatus {
    let holder = seal.holder();
    SealStatus {
        name: holder.name,
        issuer: holder.issuer,
        expires: holder.until,
        is_sample: seal.is_sample(),
    }
}
