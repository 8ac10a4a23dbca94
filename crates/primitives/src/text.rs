//! Text with a bound, and the schema helper of types that are strings in JSON.

use alloc::{format, string::String};
use borsh::{BorshDeserialize, BorshSerialize};
use core::{fmt, ops::Deref};
use serde::{Deserialize, Deserializer, Serialize};

use crate::detail;

/// A text of at most `MAX` bytes of UTF-8 without control characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, Serialize)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    /// The text, if it keeps the bound and has no control character.
    ///
    /// # Errors
    /// The sentence to show.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.len() > MAX {
            return Err(detail!(
                "the text has {count} bytes; at most {most} are allowed",
                count = text.len(),
                most = MAX
            )
            .into());
        }
        if text.chars().any(char::is_control) {
            return Err(detail!("the text has a control character; remove it").into());
        }
        Ok(Self(String::from(text)))
    }
}

impl<const MAX: usize> Deref for Text<MAX> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<const MAX: usize> BorshDeserialize for Text<MAX> {
    fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
        let text = String::deserialize_reader(reader)?;
        Self::new(&text).map_err(|_| {
            borsh::io::Error::new(borsh::io::ErrorKind::InvalidData, "text out of bounds")
        })
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Text<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&<String as Deserialize>::deserialize(deserializer)?)
            .map_err(serde::de::Error::custom)
    }
}

impl<const MAX: usize> schemars::JsonSchema for Text<MAX> {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        format!("Text{MAX}").into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "maxLength": MAX })
    }
}

/// Gives a type that is a string in JSON its name, description and pattern in the schema.
macro_rules! string_schema {
    ($type:ty, $name:literal, $description:literal, $pattern:literal) => {
        impl schemars::JsonSchema for $type {
            fn schema_name() -> alloc::borrow::Cow<'static, str> {
                $name.into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string", "description": $description, "pattern": $pattern
                })
            }
        }
    };
}
pub(crate) use string_schema;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_bound_in_every_way_in() {
        assert!(Text::<3>::new("abc").is_ok());
        assert!(Text::<3>::new("abcd").is_err());
        assert!(Text::<9>::new("a\nb").is_err());
        assert!(serde_json::from_str::<Text<3>>("\"abcd\"").is_err());
        let long = borsh::to_vec("abcd").unwrap();
        assert!(borsh::from_slice::<Text<3>>(&long).is_err());
    }
}
