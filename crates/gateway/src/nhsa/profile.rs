//! What a hospital's region and system do differently: data, in one file for each hospital.
//!
//! ```toml
//! # DIR/HOSPITAL/nhsa.toml
//! fixmedins_code = "H62010000001"    # the hospital's code in the national list
//! fixmedins_name = "示范医院"
//! infcode = "number"                 # or "text"
//! fund_pay_includes_account = false  # whether fund_pay_sumamt counts the personal account in
//! area_spelling = "admvs"            # or "admdvs": of the areas in answers
//! statement = "interface"            # or "all": of which settlements 3201 and 3202 are
//! signature = "hmac-sm3"
//! machine_key = "keys/online.key"    # signs for the hospital: scopes settle and clerk
//! untraced_items = []                # codes of items that are sold without trace codes
//! [med_types]                        # which codes are taken, and what they are here
//! 11 = "outpatient"
//! 21 = "inpatient"
//! [diagnosis_groups]                 # which diagnoses, by the beginning of their code, are a
//! E11 = "diabetes"                   # group that the catalogue limits items to
//! ```

use std::collections::{BTreeMap, BTreeSet};

use benefit::VisitType;
use serde::{Deserialize, Serialize};

/// How `infcode` is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InfcodeForm {
    /// A JSON number.
    Number,
    /// A JSON string.
    Text,
}

/// How area fields are spelt in answers; both are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AreaSpelling {
    /// `insuplc_admvs`.
    Admvs,
    /// `insuplc_admdvs`.
    Admdvs,
}

/// Which settlements a statement (3201, 3202) is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatementScope {
    /// Those of visits that were registered through this interface.
    #[default]
    Interface,
    /// All of the hospital, those of its desks as well.
    All,
}

/// The schemes of signature that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SchemeName {
    /// A header with an HMAC-SM3 over time and body.
    HmacSm3,
}

/// The file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The hospital's code in the national list, 12 characters.
    pub fixmedins_code: String,
    /// Its name there.
    pub fixmedins_name: String,
    /// How `infcode` is written.
    pub infcode: InfcodeForm,
    /// Whether `fund_pay_sumamt` counts the personal account in.
    pub fund_pay_includes_account: bool,
    /// How area fields are spelt in answers.
    pub area_spelling: AreaSpelling,
    /// Which settlements a statement is about; those through the interface if it is left out.
    #[serde(default)]
    pub statement: StatementScope,
    /// How messages are signed.
    pub signature: SchemeName,
    /// The key with which the hospital signs on the ledger, in its folder.
    pub machine_key: String,
    /// Items by their codes that have no trace codes, such as old stock: they are sold in a
    /// settlement without.
    #[serde(default)]
    pub untraced_items: BTreeSet<String>,
    /// Which kinds of care are taken under which code.
    pub med_types: BTreeMap<String, VisitType>,
    /// Which group of the catalogue a diagnosis belongs to, by the beginning of its code: items
    /// that are limited to a group are in policy for those.
    #[serde(default)]
    pub diagnosis_groups: BTreeMap<String, String>,
}

impl Profile {
    /// What cannot be in such a file.
    ///
    /// # Errors
    /// The field and the remedy.
    pub fn check(&self) -> Result<(), String> {
        let code = self.fixmedins_code.as_str();
        if code.len() != 12 || !code.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err("`fixmedins_code` must be 12 letters and digits".to_owned());
        }
        if self.med_types.is_empty() {
            return Err("`med_types` must name at least one code".to_owned());
        }
        Ok(())
    }
}
