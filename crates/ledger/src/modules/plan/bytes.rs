//! The bytes of a compiled plan in a body: hex in JSON.

use alloc::{borrow::Cow, string::String, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A compiled plan (`benefit::Plan` in borsh), as `yibao` compiles it from a plan file.
#[derive(Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PlanBytes(pub Vec<u8>);

impl core::fmt::Debug for PlanBytes {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "PlanBytes({} bytes)", self.0.len())
    }
}

impl Serialize for PlanBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for PlanBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str> as Deserialize>::deserialize(deserializer)?;
        let plain = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        hex::decode(text.as_bytes()).ok().filter(|_| plain).map(Self).ok_or_else(|| {
            serde::de::Error::custom(primitives::detail!(
                "write the compiled plan as lower-case hex, two digits a byte"
            ))
        })
    }
}

impl JsonSchema for PlanBytes {
    fn schema_name() -> Cow<'static, str> {
        "PlanBytes".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": String::from("a compiled plan as lower-case hex"),
            "pattern": "^([0-9a-f]{2})*$"
        })
    }
}
