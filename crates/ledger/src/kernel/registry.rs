//! Kinds of transaction, and the one list of them.

use alloc::{boxed::Box, string::String, string::ToString, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{PublicKey, codec, detail};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, de::DeserializeOwned};

use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::rejection::{Code, Rejection, kernel as code};

/// A kind of transaction: its body is the type itself.
///
/// The type's doc comment and those of its fields become the contract's descriptions.
pub trait Kind:
    BorshSerialize + BorshDeserialize + Serialize + DeserializeOwned + JsonSchema + PartialEq + 'static
{
    /// The wire number, never reused: module number * 100 + number within the module.
    const NUMBER: u16;
    /// The stable name, `verb_noun`.
    const NAME: &'static str;

    /// The public keys that the body registers. They are checked (on the curve, canonical, not of
    /// small order) together with the signatures, before the transaction may stand in a block.
    /// Nothing for a kind that never registers any: its bodies need not be decoded for that.
    const REGISTERS: Option<fn(&Self) -> Vec<PublicKey>> = None;

    /// What can be said of the body alone.
    ///
    /// # Errors
    /// The first rule that does not hold.
    fn check(&self) -> Result<(), Rejection> {
        Ok(())
    }

    /// Whether these signers may do this.
    ///
    /// # Errors
    /// Which signature or right is missing.
    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection>;

    /// Does it. On a rejection nothing of it remains.
    ///
    /// # Errors
    /// Why it may not happen.
    fn execute(&self, context: &Context<'_>, state: &mut Overlay<'_>)
    -> Result<Outcome, Rejection>;
}

/// A kind behind function pointers, so that everything else is generic over the registry.
pub struct KindEntry {
    /// The module it belongs to.
    pub module: &'static str,
    /// The wire number.
    pub number: u16,
    /// The stable name.
    pub name: &'static str,
    /// The JSON schema of the body.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// The encoded body of a JSON body; the error names the field.
    pub body_from_json: fn(serde_json::Value) -> Result<Vec<u8>, FieldError>,
    /// The JSON body of an encoded one.
    pub body_to_json: fn(&[u8]) -> Option<serde_json::Value>,
    registers: Option<Registers>,
    run: fn(&[u8], &Context<'_>, &mut Overlay<'_>) -> Result<Outcome, Rejection>,
}

/// Why a JSON body does not fit its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The path of the field, such as `sums[0].in_policy`; `.` for the body itself.
    pub field: String,
    /// What is wrong with it.
    pub words: String,
}

impl core::fmt::Display for FieldError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "`{}`: {}", self.field, self.words)
    }
}

impl core::error::Error for FieldError {}

impl KindEntry {
    /// The entry of a kind.
    #[must_use]
    pub fn of<K: Kind>(module: &'static str) -> Self {
        Self {
            module,
            number: K::NUMBER,
            name: K::NAME,
            schema: |generator| generator.subschema_for::<K>(),
            body_from_json: |value| {
                serde_path_to_error::deserialize::<_, K>(value)
                    .map(|body| codec::encode(&body))
                    .map_err(|error| FieldError {
                        field: error.path().to_string(),
                        words: error.inner().to_string(),
                    })
            },
            body_to_json: |bytes| {
                codec::decode::<K>(bytes).ok().and_then(|body| serde_json::to_value(body).ok())
            },
            registers: K::REGISTERS.map(|_| -> Registers { registered::<K> }),
            run: |bytes, context, state| {
                let body: K = codec::decode(bytes).map_err(|error| unreadable(&error))?;
                require_canonical(&body, bytes)?;
                body.check()?;
                body.authorize(context, state)?;
                body.execute(context, state)
            },
        }
    }

    /// The public keys that an encoded body registers; none for a body that does not decode.
    #[must_use]
    pub fn registers(&self, body: &[u8]) -> Vec<PublicKey> {
        self.registers.map(|registers| registers(body)).unwrap_or_default()
    }

    /// Decodes, checks, authorises and executes.
    ///
    /// # Errors
    /// Why it may not happen; the caller then discards the transaction's writes.
    pub fn run(
        &self,
        body: &[u8],
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        (self.run)(body, context, state)
    }
}

/// The public keys that an encoded body registers.
type Registers = fn(&[u8]) -> Vec<PublicKey>;

fn registered<K: Kind>(body: &[u8]) -> Vec<PublicKey> {
    let (Some(registers), Ok(body)) = (K::REGISTERS, codec::decode::<K>(body)) else {
        return Vec::new();
    };
    registers(&body)
}

fn unreadable(error: &borsh::io::Error) -> Rejection {
    code::MALFORMED_BODY.with(detail!("the reader says `{message}`", message = error.to_string()))
}

/// A body whose re-encoding differs would have two ids for one meaning.
fn require_canonical<K: BorshSerialize>(body: &K, bytes: &[u8]) -> Result<(), Rejection> {
    if codec::encode(body) == bytes { Ok(()) } else { Err(code::MALFORMED_BODY.reject()) }
}

/// All kinds, by number.
pub struct Registry {
    kinds: Box<[KindEntry]>,
    rejections: Box<[Code]>,
}

impl Registry {
    /// A registry of these kinds and rejections, sorted by number.
    ///
    /// # Panics
    /// When a number or a name is used twice: that is a mistake in the source.
    #[must_use]
    pub fn new(mut kinds: Vec<KindEntry>, mut rejections: Vec<Code>) -> Self {
        kinds.sort_by_key(|kind| kind.number);
        rejections.sort_by_key(|code| code.number);
        assert!(
            kinds.is_sorted_by(|a, b| a.number < b.number && a.name != b.name),
            "a kind's wire number is used twice"
        );
        assert!(
            rejections.is_sorted_by(|a, b| a.number < b.number),
            "a rejection's wire number is used twice"
        );
        Self { kinds: kinds.into_boxed_slice(), rejections: rejections.into_boxed_slice() }
    }

    /// The kind with this wire number.
    #[must_use]
    pub fn by_number(&self, number: u16) -> Option<&KindEntry> {
        let at = self.kinds.binary_search_by_key(&number, |kind| kind.number).ok()?;
        self.kinds.get(at)
    }

    /// The kind with this name.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&KindEntry> {
        self.kinds.iter().find(|kind| kind.name == name)
    }

    /// All kinds, by number.
    #[must_use]
    pub fn kinds(&self) -> &[KindEntry] {
        &self.kinds
    }

    /// All rejections, by number.
    #[must_use]
    pub fn rejections(&self) -> &[Code] {
        &self.rejections
    }

    /// The rejection with this wire number.
    #[must_use]
    pub fn rejection(&self, number: u16) -> Option<&Code> {
        let at = self.rejections.binary_search_by_key(&number, |code| code.number).ok()?;
        self.rejections.get(at)
    }
}

/// The registry of this release.
#[must_use]
pub fn registry() -> Registry {
    let mut kinds = Vec::new();
    let mut rejections = code::ALL.to_vec();
    for module in crate::modules::MODULES {
        kinds.extend((module.kinds)());
        rejections.extend_from_slice(module.rejections);
    }
    Registry::new(kinds, rejections)
}
