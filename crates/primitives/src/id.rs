//! Typed ids. Ids of persons and visits are random and say nothing about anybody; ids of
//! organisations, regions, schemes and funds are public and readable.

use alloc::string::String;
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::detail;

/// An id of 16 random bytes, hex in JSON.
macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
        pub struct $name(pub [u8; 16]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl core::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                let mut bytes = [0_u8; 16];
                match hex::decode_to_slice(text, &mut bytes) {
                    Ok(()) if !text.bytes().any(|byte| byte.is_ascii_uppercase()) => Ok(Self(bytes)),
                    _ => Err(detail!("`{text}` is not an id; write 32 lower-case hex digits", text).into()),
                }
            }
        }
        string_form!($name, "^[0-9a-f]{32}$");
    };
}

/// Serde and schema of a type that is its `Display` and `FromStr` in JSON.
macro_rules! string_form {
    ($name:ident, $pattern:literal) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <String as Deserialize>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
        impl schemars::JsonSchema for $name {
            fn schema_name() -> alloc::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}

/// A small number as an id, a number in JSON.
macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize,
            BorshDeserialize, Serialize, Deserialize, schemars::JsonSchema,
        )]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

random_id!(
    /// One natural person on the ledger; random, never derived from anything about the person.
    PersonId
);
random_id!(
    /// One outpatient visit, stay or pharmacy purchase; random, chosen by the provider.
    VisitId
);
random_id!(
    /// One family insured together under one policy; random, chosen by the payer that insures it.
    FamilyId
);
number_id!(
    /// A pooling area by its six-digit administrative code (`admdvs`), such as 620100 for Lanzhou.
    RegionId(u32)
);
number_id!(
    /// A scheme by its NHSA code (`insutype`): 310 employee basic, 390 resident basic, ...
    SchemeId(u16)
);
number_id!(
    /// A fund within a region, numbered by the bureau.
    FundId(u16)
);
number_id!(
    /// A numbered slot of a person (chronic disease, programme, filing); its meaning is off the
    /// ledger.
    SlotId(u8)
);

/// An organisation by its public code: 1 to 16 of `a-z`, `0-9` and `-`, starting with a letter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize)]
pub struct OrganisationId([u8; 16]);

impl OrganisationId {
    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let text = core::str::from_utf8(&self.0).unwrap_or("");
        text.trim_end_matches('\0')
    }
}

impl core::str::FromStr for OrganisationId {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let plain =
            text.bytes().all(allowed) && text.starts_with(|first: char| first.is_ascii_lowercase());
        let mut bytes = [0_u8; 16];
        match bytes.get_mut(..text.len()) {
            Some(head) if plain => head.copy_from_slice(text.as_bytes()),
            _ => {
                return Err(detail!(
                    "`{text}` is not an organisation code; use 1 to 16 of a-z, 0-9 and -, starting with a letter",
                    text
                )
                .into());
            }
        }
        Ok(Self(bytes))
    }
}

impl BorshDeserialize for OrganisationId {
    fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
        let id = Self(<[u8; 16]>::deserialize_reader(reader)?);
        match id.as_str().parse::<Self>() {
            Ok(parsed) if parsed == id => Ok(id),
            _ => Err(borsh::io::Error::new(borsh::io::ErrorKind::InvalidData, "organisation code")),
        }
    }
}

impl fmt::Display for OrganisationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl fmt::Debug for OrganisationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
string_form!(OrganisationId, "^[a-z][a-z0-9-]{0,15}$");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organisation_codes_have_one_spelling() {
        assert_eq!("gansu-bureau".parse::<OrganisationId>().unwrap().as_str(), "gansu-bureau");
        for wrong in ["", "1a", "A", "a b", "seventeen-letters", "a\0"] {
            assert!(wrong.parse::<OrganisationId>().is_err(), "{wrong}");
        }
        let mut bytes = *b"ab\0d\0\0\0\0\0\0\0\0\0\0\0\0";
        assert!(borsh::from_slice::<OrganisationId>(&bytes).is_err());
        bytes[2] = b'c';
        assert!(borsh::from_slice::<OrganisationId>(&bytes).is_ok());
    }
}
