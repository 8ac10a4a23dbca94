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
//! signature = "hmac-sm3"             # or "sm2-envelope", "sha256-header"
//! link_is_protected = false          # true for those two, which do not cover the bill
//! sm2_key = "04..."                  # for "sm2-envelope": the system's public key, hex
//! sm2_previous_key = "04..."         # the one before,
//! previous_key_until = "2026-01-31"  # and the last day on which it is taken
//! machine_key = "keys/online.key"    # signs for the hospital: scopes settle and clerk; or, where
//! # edge_key = "ed25519:..."         # `yibao edge` in the hospital keeps that key, its public one
//! untraced_items = []                # codes of items that are sold without trace codes
//! [mobile]                           # bodies of mobile payment that are sealed, where they are:
//! app_id = "..."                     # whose they are, 16 characters or more
//! sm2_key = "04..."                  # signed with SM2 by this key; with SM3 if left out
//! previous_secret_until = "2026-01-31"  # the last day of the secret before, where there is one
//! refers = false                     # whether the bureau takes its word for referrals (2501)
//! maternity_group = 3                # the plan's group of births that are filed (2699)
//! [filed_groups]                     # chronic diseases, by the beginning of their code, for
//! M039 = 1                           # which it takes its word (2503), and the plan's group
//! [med_types]                        # which codes are taken, and what they are here
//! 11 = "outpatient"
//! 21 = "inpatient"
//! [diagnosis_groups]                 # which diagnoses, by the beginning of their code, are a
//! E11 = "diabetes"                   # group that the catalogue limits items to
//! ```

use std::collections::{BTreeMap, BTreeSet};

use benefit::VisitType;
use primitives::{CivilDate, PublicKey};
use serde::{Deserialize, Serialize};

use super::sealing::Sealing;
use super::signature::{Keys, sm2_key};

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
    /// SM2 over the sorted envelope without `input`, in `cainfo`.
    Sm2Envelope,
    /// Headers with SHA-256 over time, token and nonce.
    Sha256Header,
}

impl SchemeName {
    /// What cannot stand beside a scheme.
    ///
    /// # Errors
    /// The field and the remedy.
    pub fn check(self, link_is_protected: bool, has_sm2_key: bool) -> Result<(), String> {
        if self != Self::HmacSm3 && !link_is_protected {
            return Err("this `signature` does not cover the bill; protect the link, such as by mutual TLS, \
                        and write `link_is_protected = true`, or use `hmac-sm3`"
                .to_owned());
        }
        if (self == Self::Sm2Envelope) != has_sm2_key {
            return Err("`sm2_key` is needed for `signature = \"sm2-envelope\"`, and for no other; write it or \
                        leave it out"
                .to_owned());
        }
        Ok(())
    }
}

/// How bodies of mobile payment are sealed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MobileProfile {
    /// Whose they are: 16 characters or more, of which the first 16 go into the key.
    pub app_id: String,
    /// The public key by which they are signed with SM2; without it they are signed with SM3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sm2_key: Option<String>,
    /// The last day on which the secret before is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_secret_until: Option<CivilDate>,
}

impl MobileProfile {
    /// How they are sealed with these secrets.
    ///
    /// # Errors
    /// The field and the remedy.
    pub fn sealing(&self, keys: Keys) -> Result<Sealing, String> {
        let is_plain = |byte: u8| byte.is_ascii_graphic();
        if self.app_id.len() < APP_ID_MIN || !self.app_id.bytes().all(is_plain) {
            return Err(format!(
                "`mobile.app_id` must be {APP_ID_MIN} or more letters, digits and signs; write the one that the \
                 hospital's system sends as `appId`"
            ));
        }
        let point = self.sm2_key.as_deref().map(|key| sm2_point("mobile.sm2_key", key));
        Ok(Sealing { app_id: self.app_id.clone(), point: point.transpose()?, keys })
    }
}

/// The shortest name whose first characters make a key of SM4.
const APP_ID_MIN: usize = 16;

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
    /// Whether something else keeps messages from being changed on the way, such as a line of its
    /// own or mutual TLS in front: needed where the signature leaves `input` out.
    #[serde(default)]
    pub link_is_protected: bool,
    /// For SM2 over the envelope: the system's public key, 65 bytes in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sm2_key: Option<String>,
    /// The key before, which is still taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sm2_previous_key: Option<String>,
    /// The last day on which the key or secret before is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_key_until: Option<CivilDate>,
    /// The key with which the hospital signs on the ledger, in its folder here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine_key: Option<String>,
    /// Its public key, where the hospital's edge holds it and signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edge_key: Option<PublicKey>,
    /// Items by their codes that have no trace codes, such as old stock: they are sold in a
    /// settlement without.
    #[serde(default)]
    pub untraced_items: BTreeSet<String>,
    /// How bodies of mobile payment are sealed, where they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mobile: Option<MobileProfile>,
    /// Which kinds of care are taken under which code.
    pub med_types: BTreeMap<String, VisitType>,
    /// Whether the bureau takes this hospital's word for referrals (2501).
    #[serde(default)]
    pub refers: bool,
    /// For which chronic diseases, by the beginning of their code, the bureau takes this hospital's
    /// word (2503), and in which group of benefit, as the plan numbers them.
    #[serde(default)]
    pub filed_groups: BTreeMap<String, u8>,
    /// The group in which births are filed (2699), where the plan has a programme for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maternity_group: Option<u8>,
    /// Which group of the catalogue a diagnosis belongs to, by the beginning of its code: items
    /// that are limited to a group are in policy for those.
    #[serde(default)]
    pub diagnosis_groups: BTreeMap<String, String>,
}

impl Profile {
    /// A hospital with this code, name and key whose system speaks the interface as the national
    /// standard has it, signs by HMAC-SM3, and takes these codes of care.
    #[must_use]
    pub fn usual(
        [fixmedins_code, fixmedins_name, machine_key]: [&str; 3],
        med_types: &[(&str, VisitType)],
    ) -> Self {
        let [fixmedins_code, fixmedins_name, machine_key] =
            [fixmedins_code, fixmedins_name, machine_key].map(str::to_owned);
        Self {
            fixmedins_code,
            fixmedins_name,
            infcode: InfcodeForm::Number,
            fund_pay_includes_account: false,
            area_spelling: AreaSpelling::Admdvs,
            statement: StatementScope::Interface,
            signature: SchemeName::HmacSm3,
            link_is_protected: false,
            sm2_key: None,
            sm2_previous_key: None,
            previous_key_until: None,
            machine_key: Some(machine_key),
            edge_key: None,
            untraced_items: BTreeSet::new(),
            mobile: None,
            med_types: med_types.iter().map(|(code, kind)| ((*code).to_owned(), *kind)).collect(),
            refers: false,
            filed_groups: BTreeMap::new(),
            maternity_group: None,
            diagnosis_groups: BTreeMap::new(),
        }
    }

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
        if self.machine_key.is_some() == self.edge_key.is_some() {
            return Err("`machine_key` names the key that is hosted here, `edge_key` the one that the hospital's edge \
                        holds; write one of them"
                .to_owned());
        }
        if self.edge_key.is_some() && self.signature != SchemeName::HmacSm3 {
            return Err(
                "an edge signs its messages by `hmac-sm3`; write that with `edge_key`".to_owned()
            );
        }
        self.signature.check(self.link_is_protected, self.sm2_key.is_some())?;
        if self.sm2_previous_key.is_some() && self.sm2_key.is_none() {
            return Err(
                "`sm2_previous_key` goes with `sm2_key`; write both or leave it out".to_owned()
            );
        }
        Ok(())
    }

    /// The keys of SM2 that are named, where the signature is by such.
    ///
    /// # Errors
    /// The field and the remedy.
    pub fn sm2_keys(&self) -> Result<Option<Keys>, String> {
        let Some(current) = &self.sm2_key else { return Ok(None) };
        let current = sm2_point("sm2_key", current)?;
        let previous = match (&self.sm2_previous_key, self.previous_key_until) {
            (Some(key), Some(until)) => Some((sm2_point("sm2_previous_key", key)?, until)),
            (None, None) => None,
            _ => {
                return Err(
                    "`sm2_previous_key` and `previous_key_until` come together; write both or none"
                        .to_owned(),
                );
            }
        };
        Ok(Some(Keys { current, previous }))
    }
}

/// The 64 bytes of a public key of SM2 in this field.
///
/// # Errors
/// The field and the remedy.
pub fn sm2_point(field: &str, text: &str) -> Result<Vec<u8>, String> {
    let bytes = hex::decode(text).unwrap_or_default();
    let point = bytes.strip_prefix(&[4]).filter(|point| sm2_key(point).is_some());
    point.map(<[u8]>::to_vec).ok_or_else(|| {
        format!(
            "`{field}` must be a public key of SM2: `04` and two coordinates, 130 hex digits; `openssl pkey -pubin \
             -outform DER -in key.pem | tail -c 65 | xxd -p -c 65` gives it"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // The public key of `nhsa::signature`'s tests, which OpenSSL made.
    const KEY: &str = "046f6ac94f410ee26717d8b328cfa4f4fab23c85cc7e85c285f55759014456a81f\
                       c327e4c30bcabf5584c1c04c0c597b044f15796bd3fb5a5030a273e8cf56fc39";

    fn profile(lines: &str) -> Profile {
        let text = format!(
            "fixmedins_code = \"H62010000001\"\nfixmedins_name = \"n\"\ninfcode = \"number\"\n\
             fund_pay_includes_account = false\narea_spelling = \"admvs\"\nmachine_key = \"k\"\n{lines}\n\
             [med_types]\n11 = \"outpatient\"\n"
        );
        toml::from_str(&text).unwrap()
    }

    #[test]
    fn a_signature_that_leaves_the_bill_out_needs_a_protected_link() {
        assert_eq!(profile("signature = \"hmac-sm3\"").check(), Ok(()));
        let weak = profile("signature = \"sha256-header\"").check().unwrap_err();
        assert!(weak.contains("link_is_protected"), "{weak}");
        let good = profile("signature = \"sha256-header\"\nlink_is_protected = true");
        assert_eq!(good.check(), Ok(()));
    }

    #[test]
    fn keys_of_sm2_are_points_and_the_one_before_has_its_last_day() {
        let sm2 = |lines: &str| {
            profile(&format!("signature = \"sm2-envelope\"\nlink_is_protected = true\n{lines}"))
        };
        assert!(sm2("").check().unwrap_err().contains("sm2_key"));
        let one = sm2(&format!("sm2_key = \"{KEY}\""));
        assert_eq!(one.check(), Ok(()));
        assert!(one.sm2_keys().unwrap().unwrap().previous.is_none());
        let before = format!("sm2_key = \"{KEY}\"\nsm2_previous_key = \"{KEY}\"");
        assert!(sm2(&before).sm2_keys().is_err_and(|words| words.contains("previous_key_until")));
        let both = sm2(&format!("{before}\nprevious_key_until = \"2026-01-31\""));
        assert!(both.sm2_keys().unwrap().unwrap().previous.is_some());
        for wrong in ["04", &KEY[2..], &KEY.replace("6f6a", "6f6b")] {
            let keys = sm2(&format!("sm2_key = \"{wrong}\"")).sm2_keys();
            assert!(keys.is_err_and(|words| words.contains("openssl pkey")), "{wrong}");
        }
    }
}
