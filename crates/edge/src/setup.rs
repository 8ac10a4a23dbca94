//! Who is served, and within which bounds, as `edge.toml` says.

use gateway::nhsa::profile::{InfcodeForm, SchemeName};
use serde::{Deserialize, Serialize};

use crate::EdgeError;

/// The edge's own file.
///
/// ```toml
/// platform = "http://127.0.0.1:8420"  # where the interface of the platform is
/// listen = "127.0.0.1:8430"           # where the hospital's system finds the edge
/// timeout_seconds = 10                # a platform that takes longer counts as cut off
/// probe_seconds = 2                   # how often a line that is cut is tried
/// [[hospital]]
/// folder = "edge-hospital-1"          # its keys, secrets and book; beside this file
/// fixmedins_code = "H62010000001"
/// fixmedins_name = "示范医院"
/// infcode = "number"                  # or "text": as the platform's profile has it
/// yuan_per_person_and_day_max = 2000  # what is taken of one person without the line
/// bills_max = 5000                    # how many bills wait at the most
/// mobile_app_id = "..."               # whose sealed bodies of mobile payment are passed on
/// mobile_sm2_key = "04..."            # signed with SM2 by this key; with SM3 if left out
/// signature = "hmac-sm3"              # or "sm2-envelope", "sha256-header": how its system signs
/// link_is_protected = false           # true for those two, which do not cover the bill
/// sm2_key = "04..."                   # for "sm2-envelope": its system's public key, hex
/// ledger = "ledger-hospital-1"        # the folder of its light node (`yibao light join`)
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// Where the platform is.
    pub platform: String,
    /// Where the edge answers.
    pub listen: String,
    /// How long the platform may take, in seconds.
    #[serde(default = "ten")]
    pub timeout_seconds: u64,
    /// How often a line that is cut is tried, in seconds.
    #[serde(default = "two")]
    pub probe_seconds: u64,
    /// Who is served.
    #[serde(rename = "hospital")]
    pub hospitals: Vec<HospitalSetup>,
}

const fn ten() -> u64 {
    10
}

const fn two() -> u64 {
    2
}

/// One hospital.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HospitalSetup {
    /// Its folder.
    pub folder: String,
    /// Its code in the national list.
    pub fixmedins_code: String,
    /// Its name there.
    pub fixmedins_name: String,
    /// How `infcode` is written.
    pub infcode: InfcodeForm,
    /// What is taken of one person in a day without the line, in yuan.
    pub yuan_per_person_and_day_max: u64,
    /// How many bills wait for the line at the most.
    pub bills_max: u64,
    /// Whose sealed bodies of mobile payment are passed on, as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mobile_app_id: Option<String>,
    /// The key by which they are signed with SM2; with SM3 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mobile_sm2_key: Option<String>,
    /// How its system signs messages.
    #[serde(default = "usual")]
    pub signature: SchemeName,
    /// Whether something else keeps messages from being changed on the way to the edge.
    #[serde(default)]
    pub link_is_protected: bool,
    /// For SM2 over the envelope: its system's public key, 65 bytes in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sm2_key: Option<String>,
    /// The folder of its light node, beside this file: then the edge signs for it on the ledger,
    /// and looks up what the platform says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<String>,
}

const fn usual() -> SchemeName {
    SchemeName::HmacSm3
}

/// The most hospitals of one edge.
pub const HOSPITALS_MAX: usize = 1_000;

impl Setup {
    /// What cannot be in such a file.
    ///
    /// # Errors
    /// The field and the remedy.
    pub fn check(&self) -> Result<(), EdgeError> {
        let wrong = |words: String| Err(EdgeError::Setup(words));
        let address = self.platform.strip_prefix("http://").unwrap_or_default();
        if address.is_empty() || address.contains('/') {
            return wrong(format!(
                "`platform`: `{}` is no address; write `http://HOST:PORT`, and have TLS ended on this machine",
                self.platform
            ));
        }
        for (field, seconds) in
            [("timeout_seconds", self.timeout_seconds), ("probe_seconds", self.probe_seconds)]
        {
            if !(1..=600).contains(&seconds) {
                return wrong(format!("`{field}`: write seconds from 1 to 600"));
            }
        }
        if self.hospitals.is_empty() || self.hospitals.len() > HOSPITALS_MAX {
            return wrong(format!("`hospital`: name from 1 to {HOSPITALS_MAX} hospitals"));
        }
        for (at, one) in self.hospitals.iter().enumerate() {
            let (code, place) = (&one.fixmedins_code, format!("hospital[{at}]"));
            if code.len() != 12 || !code.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return wrong(format!("`{place}.fixmedins_code` must be 12 letters and digits"));
            }
            let signed = one.signature.check(one.link_is_protected, one.sm2_key.is_some());
            signed.map_err(|words| EdgeError::Setup(format!("{place}: {words}")))?;
            let others = self.hospitals.iter().take(at);
            if others.clone().any(|other| other.fixmedins_code == *code) {
                return wrong(format!(
                    "`{place}.fixmedins_code`: `{code}` stands twice; remove one"
                ));
            }
            if others.clone().any(|other| other.folder == one.folder) {
                let folder = &one.folder;
                return wrong(format!(
                    "`{place}.folder`: `{folder}` is another hospital's; name one of its own"
                ));
            }
        }
        Ok(())
    }
}
