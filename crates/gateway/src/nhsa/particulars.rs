//! What a visit is for, as the hospital said it: kept sealed, and never on the ledger. Diagnoses
//! count as groups of the catalogue, by the hospital's profile.

use primitives::{CivilDate, codec};
use serde_json::{Value, json};

use super::desk::{Message, damaged};
use super::refusal::Refusal;

/// The most diagnoses of a visit.
pub(super) const DIAGNOSES_MAX: usize = 50;

const DESCRIPTION: &str = "description";
const DISCHARGED: &str = "discharged";

impl Message<'_> {
    /// Enters what a visit is for, as it was said.
    ///
    /// # Errors
    /// When the book fails.
    pub fn keep_description(&self, number: &str, input: &Value) -> Result<(), Refusal> {
        Ok(self.institution.book.put(DESCRIPTION, number, input.to_string().as_bytes())?)
    }

    /// Under which kind of care a visit was described, if it was.
    ///
    /// # Errors
    /// When the book fails.
    pub fn described_kind(&self, number: &str) -> Result<Option<String>, Refusal> {
        let Some(input) = self.description(number)? else { return Ok(None) };
        let kind = input.pointer("/mdtrtinfo/med_type");
        let text = |kind: &Value| kind.as_str().map_or_else(|| kind.to_string(), str::to_owned);
        Ok(kind.map(text))
    }

    /// Enters on which day a stay ended, or that it goes on.
    ///
    /// # Errors
    /// When the book fails.
    pub fn keep_discharged(&self, number: &str, day: Option<CivilDate>) -> Result<(), Refusal> {
        Ok(self.institution.book.put(DISCHARGED, number, &codec::encode(&day))?)
    }

    /// On which day a stay ended, if it did.
    ///
    /// # Errors
    /// When the book fails.
    pub fn discharged(&self, number: &str) -> Result<Option<CivilDate>, Refusal> {
        let kept = self.institution.book.get(DISCHARGED, number)?;
        let day = kept.map(|bytes| codec::decode(&bytes)).transpose().map_err(damaged)?;
        Ok(day.flatten())
    }

    /// Enters one more part of what a visit is for; its diagnoses take the place of earlier ones.
    ///
    /// # Errors
    /// When the book fails.
    pub fn describe(&self, number: &str, part: &str, input: &Value) -> Result<(), Refusal> {
        let mut described = self.description(number)?.unwrap_or_else(|| json!({}));
        for name in [part, "diseinfo"] {
            described[name] = input[name].clone();
        }
        self.keep_description(number, &described)
    }

    fn description(&self, number: &str) -> Result<Option<Value>, Refusal> {
        let kept = self.institution.book.get(DESCRIPTION, number)?;
        kept.map(|bytes| serde_json::from_slice(&bytes)).transpose().map_err(damaged)
    }

    /// The catalogue's groups of the diagnoses with which a visit was described.
    ///
    /// # Errors
    /// When the book fails.
    pub fn diagnosis_groups(&self, number: &str) -> Result<Vec<String>, Refusal> {
        Ok(self.groups_of(&self.description(number)?.unwrap_or_default()))
    }

    /// The catalogue's groups of the diagnoses in `diseinfo`.
    pub(super) fn groups_of(&self, described: &Value) -> Vec<String> {
        let diagnoses = described["diseinfo"].as_array().cloned().unwrap_or_default();
        let valid = diagnoses.iter().filter(|one| {
            !matches!(&one["vali_flag"], Value::String(flag) if flag == "0")
                && one["vali_flag"] != 0
        });
        let codes: Vec<&str> = valid.filter_map(|one| one["diag_code"].as_str()).collect();
        let groups = self.institution.profile.diagnosis_groups.iter();
        let mut groups: Vec<String> = groups
            .filter(|(start, _)| codes.iter().any(|code| code.starts_with(start.as_str())))
            .map(|(_, group)| group.clone())
            .collect();
        groups.sort();
        groups.dedup();
        groups
    }
}
