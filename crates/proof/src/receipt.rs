//! The record that the ledger keeps of every executed transaction, and how a part of it is shown.
//!
//! The record's borsh bytes are a leaf of the receipt log. What the receipt says stands in it as
//! salted commitments, one per field; whoever holds the receipt's seed opens the fields he chooses
//! and no others. A salt is 32 bytes, so a commitment says nothing about its value.

use alloc::{
    collections::BTreeSet,
    string::{String, ToString},
    vec::Vec,
};
use borsh::{BorshDeserialize, BorshSerialize};
use core::{fmt, ops::Deref};
use primitives::{
    Amount, CivilDate, Currency, Hash, Party, Text, Timestamp, codec, detail, sha256_parts,
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{bounded, header::ChainId};

/// The version of the record's form that this code writes.
pub const RECEIPT_VERSION: u16 = 1;
/// The most fields a receipt may have.
pub const FIELDS_MAX: u32 = 64;
/// The most bytes a field's text may have.
pub const FIELD_TEXT_BYTES_MAX: usize = 256;
/// The most bytes a field's name may have.
pub const FIELD_NAME_BYTES_MAX: usize = 48;

const FIELD_TAG: &[u8] = b"yibao/field/v1";
const SALT_TAG: &[u8] = b"yibao/field-salt/v1";

/// What became of a transaction that was executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeCode {
    /// It happened.
    Accepted,
    /// It did not happen, for the reason of this stable code, and changed nothing.
    Rejected(u16),
}

/// What the ledger answers to one executed transaction; its bytes are a leaf of the receipt log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiptRecord {
    /// The version of this form; see [`RECEIPT_VERSION`].
    pub version: u16,
    /// The ledger.
    pub chain_id: ChainId,
    /// The block in which the transaction was executed.
    pub height: u64,
    /// The transaction's place in the block; the first is 0.
    pub index_in_block: u32,
    /// Block time.
    pub time: Timestamp,
    /// The transaction's id.
    pub transaction_id: Hash,
    /// The wire number of the transaction's kind.
    pub kind: u16,
    /// What became of it.
    pub outcome: OutcomeCode,
    /// A commitment per field, at most [`FIELDS_MAX`].
    #[borsh(deserialize_with = "bounded::read::<_, FIELDS_MAX, _>")]
    #[schemars(length(max = 64))]
    pub commitments: Vec<Hash>,
}

impl ReceiptRecord {
    /// The bytes that are a leaf of the receipt log.
    #[must_use]
    pub fn leaf(&self) -> Vec<u8> {
        codec::encode(self)
    }
}

/// The name of a field: 1 to 48 of `a-z`, `0-9`, `_` and `.`, starting with a letter.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, Serialize)]
#[serde(transparent)]
pub struct FieldName(String);

impl core::str::FromStr for FieldName {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'.'
        };
        let first = text.starts_with(|c: char| c.is_ascii_lowercase());
        if first && text.len() <= FIELD_NAME_BYTES_MAX && text.bytes().all(allowed) {
            Ok(Self(String::from(text)))
        } else {
            Err(detail!(
                "`{text}` is not a field name; use 1 to {most} of a-z, 0-9, _ and ., starting with a letter",
                text = text.escape_debug().to_string(),
                most = FIELD_NAME_BYTES_MAX
            )
            .into())
        }
    }
}

impl Deref for FieldName {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl BorshDeserialize for FieldName {
    fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
        let bytes = bounded::read_bytes(reader, FIELD_NAME_BYTES_MAX)?;
        core::str::from_utf8(&bytes)
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| borsh::io::Error::new(borsh::io::ErrorKind::InvalidData, "field name"))
    }
}

impl<'de> Deserialize<'de> for FieldName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <String as Deserialize>::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for FieldName {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "FieldName".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[a-z][a-z0-9_.]{0,47}$" })
    }
}

/// What a field says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "type", content = "value", deny_unknown_fields)]
pub enum FieldValue {
    /// Money.
    Amount(FieldAmount),
    /// A text that is not personal.
    Text(Text<FIELD_TEXT_BYTES_MAX>),
    /// A day.
    Date(CivilDate),
    /// An instant.
    Timestamp(Timestamp),
    /// An organisation or a person, by id.
    Party(Party),
    /// A hash or a commitment.
    Hash(Hash),
    /// A count or a wire number.
    Number(u64),
}

/// An amount with its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldAmount {
    /// How much.
    pub amount: Amount,
    /// Of what.
    pub currency: Currency,
}

impl BorshDeserialize for FieldAmount {
    fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
        let (amount, currency) = <(Amount, Currency)>::deserialize_reader(reader)?;
        // A currency of unknown code or foreign scale would show a wrong number of decimals.
        if Currency::from_code(currency.code()) == Some(currency) {
            Ok(Self { amount, currency })
        } else {
            Err(borsh::io::Error::new(borsh::io::ErrorKind::InvalidData, "currency"))
        }
    }
}

impl fmt::Display for FieldValue {
    /// As a person reads it: `4.52 CNY`, `2026-03-31`, `organisation:gansu-bureau`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Amount(FieldAmount { amount, currency }) => {
                write!(f, "{} {currency}", amount.to_decimal(*currency))
            }
            Self::Text(text) => f.write_str(text),
            Self::Date(day) => fmt::Display::fmt(day, f),
            Self::Timestamp(time) => fmt::Display::fmt(time, f),
            Self::Party(party) => fmt::Display::fmt(party, f),
            Self::Hash(hash) => fmt::Display::fmt(hash, f),
            Self::Number(number) => fmt::Display::fmt(number, f),
        }
    }
}

/// One thing that a receipt says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// What it is about.
    pub name: FieldName,
    /// What it says.
    pub value: FieldValue,
}

impl Field {
    /// The commitment that a receipt holds of this field:
    /// `SHA-256("yibao/field/v1" || salt || len(name) || name || len(value) || value)`, lengths as
    /// four bytes little-endian, the value in borsh.
    #[must_use]
    pub fn commit(&self, salt: &[u8; 32]) -> Hash {
        let name = codec::encode(&self.name);
        let value = codec::encode(&codec::encode(&self.value));
        sha256_parts(&[FIELD_TAG, salt, &name, &value])
    }
}

/// What opens the fields of one receipt: 32 secret random bytes, one seed per receipt.
#[derive(Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ReceiptSeed(pub [u8; 32]);

impl fmt::Debug for ReceiptSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReceiptSeed(secret)")
    }
}

impl ReceiptSeed {
    /// The salt of the field at this place.
    #[must_use]
    pub fn salt(&self, index: u32) -> [u8; 32] {
        sha256_parts(&[SALT_TAG, &self.0, &index.to_le_bytes()]).0
    }

    /// The commitments of these fields, in their order.
    ///
    /// # Errors
    /// Too many fields, or a name that appears twice.
    pub fn commit(&self, fields: &[Field]) -> Result<Vec<Hash>, FieldsError> {
        check_fields(fields)?;
        Ok((0..).zip(fields).map(|(index, field)| field.commit(&self.salt(index))).collect())
    }

    /// The opening of the field at this place.
    #[must_use]
    pub fn open(&self, index: u32, field: Field) -> Opening {
        Opening { index, salt: self.salt(index), field }
    }
}

fn check_fields(fields: &[Field]) -> Result<(), FieldsError> {
    if u32::try_from(fields.len()).unwrap_or(u32::MAX) > FIELDS_MAX {
        return Err(FieldsError::TooMany);
    }
    let mut names = BTreeSet::new();
    match fields.iter().find(|field| !names.insert(&field.name)) {
        Some(field) => Err(FieldsError::Duplicate(field.name.clone())),
        None => Ok(()),
    }
}

/// Why a list of fields is not a receipt's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldsError {
    /// More than [`FIELDS_MAX`].
    TooMany,
    /// Two fields have this name.
    Duplicate(FieldName),
}

impl fmt::Display for FieldsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany => write!(f, "a receipt has at most {FIELDS_MAX} fields"),
            Self::Duplicate(name) => write!(f, "the field `{name}` appears twice; name it once"),
        }
    }
}
impl core::error::Error for FieldsError {}

/// One field shown: with the salt, its commitment can be computed again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// The place of the field's commitment in the record; the first is 0.
    pub index: u32,
    /// The salt, hex in JSON.
    #[serde(with = "hex_salt")]
    #[schemars(with = "Hash")]
    pub salt: [u8; 32],
    /// The field.
    pub field: Field,
}

impl Opening {
    /// Whether the record's commitment at this place is this field's.
    #[must_use]
    pub fn fits(&self, record: &ReceiptRecord) -> bool {
        let place = usize::try_from(self.index).unwrap_or(usize::MAX);
        record.commitments.get(place) == Some(&self.field.commit(&self.salt))
    }
}

mod hex_salt {
    use primitives::Hash;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        salt: &[u8; 32],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        Hash(*salt).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<[u8; 32], D::Error> {
        Hash::deserialize(deserializer).map(|hash| hash.0)
    }
}
