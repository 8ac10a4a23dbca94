//! The hospitals that speak the national interface at this node, as the `nhsa.toml` in the folder
//! of each says. A hospital hosts its key here, or operates the node itself (decision record 0028).
//!
//! ```text
//! DIR/HOSPITAL/nhsa.toml         what its region and system do differently
//! DIR/HOSPITAL/nhsa-secret       what its system signs messages with: a line nobody else may read
//! DIR/HOSPITAL/nhsa.sqlite       what it remembers, sealed
//! DIR/HOSPITAL/keys/nhsa.key     opens nhsa.sqlite
//! ```

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use adapters::directory::DirectoryKey;
use adapters::hospital::Book;
use adapters::sqlite::Place;
use anyhow::{Context as _, Result};
use gateway::nhsa::Institution;
use gateway::nhsa::profile::Profile;
use primitives::sha256_parts;

use super::wallet::{key_machine, organisation_folders};
use crate::command::input::{bad, read_text, read_toml};
use crate::command::keys::read_key;
use crate::command::passphrase::is_exposed;

/// What a hospital's region and system do differently.
pub const PROFILE_FILE: &str = "nhsa.toml";
/// What its system signs with.
pub const SECRET_FILE: &str = "nhsa-secret";
/// Opens its book.
pub const BOOK_KEY_FILE: &str = "keys/nhsa.key";

const BOOK: &str = "nhsa.sqlite";
const PROFILE_BYTES_MAX: u64 = 64 << 10;
const SECRET_BYTES_MAX: u64 = 1_024;
/// A shorter secret could be guessed.
const SECRET_BYTES_MIN: usize = 32;

/// The hospitals of a data folder, by their codes in the national list.
///
/// # Errors
/// What is wrong with a file.
pub fn open_institutions(data: &Path) -> Result<BTreeMap<String, Arc<Institution>>> {
    let mut found = BTreeMap::new();
    for (organisation, folder) in organisation_folders(data)? {
        let path = folder.join(PROFILE_FILE);
        if !path.is_file() {
            continue;
        }
        let profile: Profile = read_toml("the interface's profile", &path, PROFILE_BYTES_MAX)?;
        let in_file = |words| bad(format!("the profile `{}`: {words}", path.display()));
        profile.check().map_err(in_file)?;
        let machine = key_machine(organisation, &folder.join(&profile.machine_key))?;
        let secret = read_secret(&folder.join(SECRET_FILE))?;
        let key = read_key(&folder.join(BOOK_KEY_FILE))?;
        let key = sha256_parts(&[b"yibao/hospital-book/v1", key.as_bytes()]);
        let book = Book::open(&Place::File(folder.join(BOOK)), &DirectoryKey(key.0));
        let book = book.with_context(|| {
            format!("the hospital's book in `{}` cannot be opened", folder.display())
        })?;
        let code = profile.fixmedins_code.clone();
        let institution = Arc::new(Institution::new(profile, machine, secret, book));
        if found.insert(code.clone(), institution).is_some() {
            return Err(in_file(format!("another hospital here has the code `{code}` as well")));
        }
    }
    Ok(found)
}

/// Reads what a hospital's system signs with.
///
/// # Errors
/// When others may read it, or it could be guessed; with the remedy.
pub fn read_secret(path: &Path) -> Result<Vec<u8>> {
    if File::open(path).is_ok_and(|file| is_exposed(&file).unwrap_or(true)) {
        let path = path.display();
        return Err(bad(format!("`{path}` can be read by others; run `chmod 600` on it")));
    }
    let text = read_text("the interface's secret", path, SECRET_BYTES_MAX)?;
    let secret = text.trim();
    if secret.len() < SECRET_BYTES_MIN {
        return Err(bad(format!(
            "`{}` is shorter than {SECRET_BYTES_MIN} characters; write a random one, such as `openssl rand \
             -hex 32` gives",
            path.display()
        )));
    }
    Ok(secret.as_bytes().to_vec())
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_that_others_may_read_or_guess_is_refused_with_the_remedy() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(SECRET_FILE);
        let read = |text: &str, mode: u32| {
            fs::write(&path, text).expect("a file");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("its mode");
            read_secret(&path).map_err(|error| error.to_string())
        };
        let long = "synthetic secret of a test hospital";
        assert_eq!(read(&format!("{long}\n"), 0o600), Ok(long.as_bytes().to_vec()));
        assert!(read(long, 0o644).unwrap_err().contains("chmod 600"));
        assert!(read("short", 0o600).unwrap_err().contains("openssl rand"));
    }
}
