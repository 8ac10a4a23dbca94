//! Who the hospital is, whom it treats and what it charges, as its own files say.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::HisError;
use crate::money::Fen;
use crate::phone::Mobile;
use crate::signer::Scheme;
use crate::wire::Wire;

/// The hospital's own file.
///
/// ```toml
/// url = "http://localhost:8420"
/// fixmedins_code = "H62010000001"
/// fixmedins_name = "示范医院"
/// area = "620100"                # where care is given and people are insured
/// operator = "0012"
/// operator_name = "收费员"
/// secret = "nhsa-secret"         # a file that only its owner may read; beside this one
/// signature = "hmac-sm3"         # or "sm2-envelope" (the secret is a key), "sha256-header"
/// patients = "his-patients.toml" # [[patient]] with name and number
/// book = "his-book"              # where it keeps its own book
/// pharmacy = "../pharmacy-1/his.toml"  # the pharmacy next door, if there is one: such a file
/// [mobile]                       # mobile payment, where the hospital has it
/// app_id = "..."                 # whose sealed bodies are; agreed with the platform
/// secret = "nhsa-mobile-secret"  # what seals them
/// phones = "../phones/phones.toml"  # the phones of simulated people, who pay by them
/// [[item]]                       # what outpatients or customers are charged
/// code = "XY001"
/// price = "18.60"
/// [[ward_item]]                  # what those who stay are charged; the same if there is none
/// code = "CW001"
/// price = "60.00"
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// Where the interface is.
    pub url: String,
    /// The hospital's code in the national list.
    pub fixmedins_code: String,
    /// Its name there.
    pub fixmedins_name: String,
    /// The area's code.
    pub area: String,
    /// The clerk's number.
    pub operator: String,
    /// The clerk's name.
    pub operator_name: String,
    /// The file with the secret that messages are signed with.
    pub secret: String,
    /// How messages are signed.
    #[serde(default)]
    pub signature: Scheme,
    /// The file with those whom the hospital treats.
    pub patients: String,
    /// The folder of its book.
    pub book: String,
    /// The file of the pharmacy that is played as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pharmacy: Option<String>,
    /// How it is paid by phone, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mobile: Option<MobileSetup>,
    /// What it charges.
    #[serde(rename = "item")]
    pub items: Vec<Item>,
    /// What it charges those who stay, where that is something else.
    #[serde(rename = "ward_item", default, skip_serializing_if = "Vec::is_empty")]
    pub ward_items: Vec<Item>,
}

/// How a hospital is paid by phone.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MobileSetup {
    /// Whose sealed bodies are.
    pub app_id: String,
    /// The file with what seals them.
    pub secret: String,
    /// The file with the phones of simulated people.
    pub phones: String,
}

/// A hospital that is played, with what its files hold.
pub struct House<'a> {
    /// How it reaches the platform.
    pub wire: Arc<dyn Wire>,
    /// Who it is.
    pub setup: &'a Setup,
    /// What its messages are signed with.
    pub secret: &'a [u8],
    /// Whom it treats.
    pub patients: &'a [Patient],
    /// How it is paid by phone, where it is.
    pub mobile: Option<Mobile<'a>>,
}

/// Something that is charged.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its code in the catalogue.
    pub code: String,
    /// The price of one in yuan.
    pub price: String,
}

/// The file with those whom the hospital treats.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patients {
    /// They.
    pub patient: Vec<Patient>,
}

/// Somebody with an identity card.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patient {
    /// The name on it.
    pub name: String,
    /// The number on it.
    pub number: String,
}

impl Setup {
    /// What those who stay are charged.
    #[must_use]
    pub fn ward_items(&self) -> &[Item] {
        if self.ward_items.is_empty() { &self.items } else { &self.ward_items }
    }

    /// What cannot be in such a file.
    ///
    /// # Errors
    /// The field and the remedy.
    pub fn check(&self) -> Result<(), HisError> {
        let wrong = |words: String| Err(HisError::Setup(words));
        if self.fixmedins_code.len() != 12 {
            return wrong("`fixmedins_code`: write the 12 characters of the national list".into());
        }
        if self.items.len() < 2 {
            return wrong("`item`: name at least two items with code and price".into());
        }
        for item in self.items.iter().chain(&self.ward_items) {
            if Fen::parse(&item.price).is_none_or(|price| price.0 <= 0) {
                let (code, price) = (&item.code, &item.price);
                return wrong(format!(
                    "`item` `{code}`: the price `{price}` is not in yuan above zero"
                ));
            }
        }
        Ok(())
    }
}
