//! The hospitals that speak the national interface at this node, as the `nhsa.toml` in the folder
//! of each says. A hospital hosts its key here, or operates the node itself (decision record 0028).
//!
//! ```text
//! DIR/HOSPITAL/nhsa.toml         what its region and system do differently
//! DIR/HOSPITAL/nhsa-secret       what its system signs messages with, a line of text
//! DIR/HOSPITAL/nhsa.sqlite       what it remembers, sealed
//! DIR/HOSPITAL/keys/nhsa.key     opens nhsa.sqlite
//! ```

use std::collections::BTreeMap;
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

fn read_secret(path: &Path) -> Result<Vec<u8>> {
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
