//! The hospitals that speak the national interface at this node, as the `nhsa.toml` in the folder
//! of each says. A hospital hosts its key here, or operates the node itself (decision record 0028).
//!
//! ```text
//! DIR/HOSPITAL/nhsa.toml         what its region and system do differently
//! DIR/HOSPITAL/nhsa-secret       what its system signs messages with: a line nobody else may read
//! DIR/HOSPITAL/nhsa-secret-previous  the one before, to a day that nhsa.toml says
//! DIR/HOSPITAL/nhsa-mobile-secret    what sealed bodies of mobile payment are made with, where
//!                                nhsa.toml has `[mobile]`; one before as above
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
use gateway::nhsa::signature::Keys;
use gateway::nhsa::signer::{EdgeKey, Signer};
use primitives::{CivilDate, sha256_parts};

use super::wallet::{key_machine, organisation_folders};
use crate::command::input::{bad, read_text, read_toml};
use crate::command::keys::read_key;
use crate::command::passphrase::is_exposed;

/// What a hospital's region and system do differently.
pub const PROFILE_FILE: &str = "nhsa.toml";
/// What its system signs with.
pub const SECRET_FILE: &str = "nhsa-secret";
/// What it signed with before.
const PREVIOUS_SECRET_FILE: &str = "nhsa-secret-previous";
/// What sealed bodies of mobile payment are made with.
pub const MOBILE_SECRET_FILE: &str = "nhsa-mobile-secret";
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
        let signer = match (&profile.machine_key, &profile.edge_key) {
            (Some(file), _) => Signer::Hosted(key_machine(organisation, &folder.join(file))?),
            (None, Some(key)) => Signer::Edge(EdgeKey::new(organisation, *key)),
            (None, None) => return Err(in_file("it names no key".to_owned())),
        };
        let keys = match profile.sm2_keys().map_err(in_file)? {
            Some(keys) => keys,
            None => read_secrets(&folder, &OF_MESSAGES, profile.previous_key_until)?,
        };
        let sealing = match &profile.mobile {
            Some(mobile) => {
                let secrets = read_secrets(&folder, &OF_MOBILE, mobile.previous_secret_until)?;
                Some(mobile.sealing(secrets).map_err(in_file)?)
            }
            None => None,
        };
        let key = read_key(&folder.join(BOOK_KEY_FILE))?;
        let key = sha256_parts(&[b"yibao/hospital-book/v1", key.as_bytes()]);
        let book = Book::open(&Place::File(folder.join(BOOK)), &DirectoryKey(key.0));
        let book = book.with_context(|| {
            format!("the hospital's book in `{}` cannot be opened", folder.display())
        })?;
        let code = profile.fixmedins_code.clone();
        let app = sealing.as_ref().map(|sealing| sealing.app_id.clone());
        let institution = Institution::new(profile, signer, keys, book).with_sealing(sealing);
        let institution = Arc::new(institution);
        for name in [Some(code), app].into_iter().flatten() {
            if found.insert(name.clone(), Arc::clone(&institution)).is_some() {
                let words = format!("another hospital here has the code `{name}` as well");
                return Err(in_file(words));
            }
        }
    }
    Ok(found)
}

/// Where a secret is, the one before, and what says how long that is taken.
struct SecretFiles {
    current: &'static str,
    previous: &'static str,
    until: &'static str,
}

/// That of the messages' signatures.
const OF_MESSAGES: SecretFiles = SecretFiles {
    current: SECRET_FILE,
    previous: PREVIOUS_SECRET_FILE,
    until: "previous_key_until",
};
/// That of the sealed bodies of mobile payment.
const OF_MOBILE: SecretFiles = SecretFiles {
    current: MOBILE_SECRET_FILE,
    previous: "nhsa-mobile-secret-previous",
    until: "mobile.previous_secret_until",
};

/// The secret, and the one before where one takes the other's place.
fn read_secrets(folder: &Path, files: &SecretFiles, until: Option<CivilDate>) -> Result<Keys> {
    let SecretFiles { current, previous, until: field } = files;
    let path = folder.join(previous);
    let previous = match (path.is_file(), until) {
        (true, Some(until)) => Some((read_secret(&path)?, until)),
        (false, None) => None,
        (true, None) => {
            return Err(bad(format!(
                "the secret before is in `{}`; write `{field}`, the last day on which it is taken, \
                 into `{PROFILE_FILE}`, or remove the file",
                path.display()
            )));
        }
        (false, Some(_)) => {
            return Err(bad(format!(
                "`{field}` stands in `{PROFILE_FILE}`, and there is no `{}`; write the secret before \
                 there, or remove the line",
                path.display()
            )));
        }
    };
    Ok(Keys { current: read_secret(&folder.join(current))?, previous })
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

    fn write(path: &Path, text: &str, mode: u32) {
        fs::write(path, text).expect("a file");
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its mode");
    }

    #[test]
    fn a_secret_before_needs_its_last_day_and_the_day_needs_the_secret() {
        let folder = tempfile::tempdir().expect("a folder");
        let long = |name: &str| format!("synthetic secret of a test hospital, {name}");
        write(&folder.path().join(SECRET_FILE), &long("new"), 0o600);
        let profile = |line: &str| -> Profile {
            let text = format!(
                "fixmedins_code = \"H62010000001\"\nfixmedins_name = \"n\"\ninfcode = \"number\"\n\
                 fund_pay_includes_account = false\narea_spelling = \"admvs\"\nsignature = \"hmac-sm3\"\n\
                 machine_key = \"k\"\n{line}\n[med_types]\n11 = \"outpatient\"\n"
            );
            toml::from_str(&text).expect("a profile")
        };
        let dated = profile("previous_key_until = \"2026-01-31\"");
        let read = |profile: &Profile| {
            read_secrets(folder.path(), &OF_MESSAGES, profile.previous_key_until)
        };
        assert!(read(&profile("")).expect("one secret").previous.is_none());
        let told = |profile: &Profile| read(profile).map(drop).unwrap_err().to_string();
        assert!(told(&dated).contains("nhsa-secret-previous"));
        write(&folder.path().join(PREVIOUS_SECRET_FILE), &long("old"), 0o600);
        assert!(told(&profile("")).contains("previous_key_until"));
        let keys = read(&dated).expect("both");
        assert_eq!(keys.current, long("new").as_bytes());
        assert_eq!(keys.previous.expect("the one before").0, long("old").as_bytes());
        write(&folder.path().join(PREVIOUS_SECRET_FILE), "short", 0o600);
        assert!(told(&dated).contains("openssl rand"));
    }

    #[test]
    fn a_secret_that_others_may_read_or_guess_is_refused_with_the_remedy() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(SECRET_FILE);
        let read = |text: &str, mode: u32| {
            write(&path, text, mode);
            read_secret(&path).map_err(|error| error.to_string())
        };
        let long = "synthetic secret of a test hospital";
        assert_eq!(read(&format!("{long}\n"), 0o600), Ok(long.as_bytes().to_vec()));
        assert!(read(long, 0o644).unwrap_err().contains("chmod 600"));
        assert!(read("short", 0o600).unwrap_err().contains("openssl rand"));
    }
}
