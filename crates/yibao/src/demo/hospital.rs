//! One hospital of the demonstration speaks the national interface, so that a hospital's own system
//! can be pointed at it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use benefit::VisitType;
use gateway::nhsa::profile::{AreaSpelling, InfcodeForm, Profile, SchemeName, StatementScope};
use node::signature::{Scheme, SecretKey, save_key, write_owned};
use primitives::{Hash, sha256_parts};

use crate::serving::folder::replace_file;
use crate::serving::hospital::{BOOK_KEY_FILE, PROFILE_FILE, SECRET_FILE};

/// Its code in a national list that has no such hospital.
pub const NATIONAL_CODE: &str = "H62010000001";

/// The kinds of care that are taken, by the region's codes.
const MED_TYPES: [(&str, VisitType); 3] =
    [("11", VisitType::Outpatient), ("12", VisitType::Outpatient), ("21", VisitType::Inpatient)];

/// Writes what a hospital needs in its folder.
///
/// # Errors
/// When it cannot be written.
pub fn found(folder: &Path, name: &str, seed: &Hash) -> Result<()> {
    let derived = |meaning: &[u8]| sha256_parts(&[b"yibao/demo-hospital/v1", meaning, &seed.0]);
    let key = SecretKey::from_seed(Scheme::Ed25519, &derived(b"book").0);
    save_key(&folder.join(BOOK_KEY_FILE), &key)?;
    write_owned(&folder.join(SECRET_FILE), format!("{}\n", derived(b"secret")).as_bytes())?;
    let profile = Profile {
        fixmedins_code: NATIONAL_CODE.to_owned(),
        fixmedins_name: name.chars().take(20).collect(),
        infcode: InfcodeForm::Number,
        fund_pay_includes_account: false,
        area_spelling: AreaSpelling::Admdvs,
        statement: StatementScope::Interface,
        signature: SchemeName::HmacSm3,
        machine_key: "keys/online.key".to_owned(),
        med_types: MED_TYPES.map(|(code, kind)| (code.to_owned(), kind)).into(),
        diagnosis_groups: BTreeMap::new(),
    };
    let text = toml::to_string(&profile).context("a profile has a form in TOML")?;
    Ok(replace_file(&folder.join(PROFILE_FILE), text.as_bytes())?)
}
