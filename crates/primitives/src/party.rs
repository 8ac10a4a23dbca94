//! Who acts: an organisation or a person.

use alloc::string::String;
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    detail,
    id::{OrganisationId, PersonId},
};

/// A party that signs, owns an account, or is concerned by an event.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    BorshSerialize,
    BorshDeserialize
)]
pub enum Party {
    /// An admitted organisation.
    Organisation(OrganisationId),
    /// An enrolled person.
    Person(PersonId),
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organisation(id) => write!(f, "organisation:{id}"),
            Self::Person(id) => write!(f, "person:{id}"),
        }
    }
}

impl core::str::FromStr for Party {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("organisation", id)) => id.parse().map(Self::Organisation),
            Some(("person", id)) => id.parse().map(Self::Person),
            _ => Err(detail!(
                "`{text}` is not a party; write `organisation:CODE` or `person:ID`",
                text
            )
            .into()),
        }
    }
}

impl Serialize for Party {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Party {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <String as Deserialize>::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

crate::text::string_schema!(
    Party,
    "Party",
    "`organisation:CODE` or `person:ID`",
    "^(organisation:[a-z][a-z0-9-]{0,15}|person:[0-9a-f]{32})$"
);
