//! Signed notes and their keys, as C2SP signed-note says, with the two signature types that this
//! code knows: Ed25519 of the text (type 0x01) and the timestamped Ed25519 cosignature of a
//! witness (type 0x04, C2SP tlog-cosignature).

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;
use primitives::{PublicKey, Timestamp, Verifier, sha256_parts};

use crate::base64;

/// The longest note that is read, in bytes.
pub const NOTE_BYTES_MAX: usize = 262_144;
/// The most signatures that a note may carry.
pub const NOTE_SIGNATURES_MAX: usize = 64;

/// How a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignatureType {
    /// Ed25519 over the note's text: how logs sign.
    Ed25519,
    /// Ed25519 over `cosignature/v1`, the time and the text: how witnesses sign.
    CosignatureV1,
}

impl SignatureType {
    const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::CosignatureV1 => 0x04,
        }
    }

    /// The bytes that a key of this type signs.
    fn message(self, text: &str, seconds: u64) -> Vec<u8> {
        match self {
            Self::Ed25519 => text.as_bytes().to_vec(),
            Self::CosignatureV1 => format!("cosignature/v1\ntime {seconds}\n{text}").into_bytes(),
        }
    }
}

/// A public key under a name: who may sign notes, and how. Written as a vkey:
/// `example.com/log+530d903a+AekyeRrm56hA...`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NoteKey {
    name: String,
    signature_type: SignatureType,
    key: [u8; 32],
}

/// Why a text is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteKeyError {
    /// It is not made of a name, an id and a key with `+` between them.
    Form,
    /// The name is empty or has a space, a plus or a control character.
    Name,
    /// The id is not eight lower-case hex digits.
    Id,
    /// The key is not base64, or not 32 bytes behind its type.
    Key,
    /// The key signs in a way that this code does not know.
    Type(u8),
    /// The id is not that of this name and key, so one of them has a typing error.
    IdMismatch,
}

impl fmt::Display for NoteKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("a key is written `NAME+ID+BASE64`; copy the whole line"),
            Self::Name => {
                f.write_str("the key's name is empty or has a space, a plus or a control character")
            }
            Self::Id => f.write_str("the key's id must be eight lower-case hex digits"),
            Self::Key => f.write_str("the key's last part must be base64 of 33 bytes"),
            Self::Type(byte) => write!(
                f,
                "the key's signature type 0x{byte:02x} is not supported; use an Ed25519 key \
                 (0x01 for logs, 0x04 for witnesses)"
            ),
            Self::IdMismatch => {
                f.write_str("the key's id does not fit its name and key; copy the line again")
            }
        }
    }
}
impl core::error::Error for NoteKeyError {}

fn is_key_name(name: &str) -> bool {
    let allowed = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
    !name.is_empty() && name.chars().all(allowed)
}

impl NoteKey {
    /// The key of this name and type.
    ///
    /// # Errors
    /// [`NoteKeyError::Name`].
    pub fn new(
        name: &str,
        signature_type: SignatureType,
        key: [u8; 32],
    ) -> Result<Self, NoteKeyError> {
        if is_key_name(name) {
            Ok(Self { name: String::from(name), signature_type, key })
        } else {
            Err(NoteKeyError::Name)
        }
    }

    /// The same key under another name, which makes it another one for those who verify.
    ///
    /// # Errors
    /// [`NoteKeyError::Name`].
    pub fn renamed(&self, name: &str) -> Result<Self, NoteKeyError> {
        Self::new(name, self.signature_type, self.key)
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How the key signs.
    #[must_use]
    pub const fn signature_type(&self) -> SignatureType {
        self.signature_type
    }

    /// The key itself.
    #[must_use]
    pub const fn public_key(&self) -> PublicKey {
        PublicKey::Ed25519(self.key)
    }

    /// The id: the first four bytes of the SHA-256 of name, newline, type and key, big-endian.
    #[must_use]
    pub fn id(&self) -> u32 {
        let signature_type = [self.signature_type.byte()];
        let hash = sha256_parts(&[self.name.as_bytes(), b"\n", &signature_type, &self.key]);
        let [a, b, c, d, ..] = hash.0;
        u32::from_be_bytes([a, b, c, d])
    }
}

impl core::str::FromStr for NoteKey {
    type Err = NoteKeyError;
    fn from_str(text: &str) -> Result<Self, NoteKeyError> {
        let (name, rest) = text.split_once('+').ok_or(NoteKeyError::Form)?;
        let (id, key) = rest.split_once('+').ok_or(NoteKeyError::Form)?;
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if id.len() != 8 || !id.bytes().all(is_digit) {
            return Err(NoteKeyError::Id);
        }
        let bytes = base64::decode(key).ok_or(NoteKeyError::Key)?;
        let (byte, key) = bytes.split_first().ok_or(NoteKeyError::Key)?;
        let signature_type = match byte {
            0x01 => SignatureType::Ed25519,
            0x04 => SignatureType::CosignatureV1,
            other => return Err(NoteKeyError::Type(*other)),
        };
        let key = Self::new(name, signature_type, key.try_into().map_err(|_| NoteKeyError::Key)?)?;
        if format!("{:08x}", key.id()) == id { Ok(key) } else { Err(NoteKeyError::IdMismatch) }
    }
}

impl fmt::Display for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = Vec::from([self.signature_type.byte()]);
        bytes.extend(self.key);
        write!(f, "{}+{:08x}+{}", self.name, self.id(), base64::encode(&bytes))
    }
}

impl fmt::Debug for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Somebody who signs notes. The private key stays behind this trait.
pub trait NoteSigner {
    /// Why signing failed.
    type Error;

    /// The public key that goes with the private one.
    fn key(&self) -> &NoteKey;

    /// The Ed25519 signature of exactly these bytes.
    ///
    /// # Errors
    /// Those of the place where the private key is kept.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Self::Error>;
}

/// Why a note could not be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignNoteError<E> {
    /// The key is for the other signature type.
    Type,
    /// The text is no note.
    Note(NoteError),
    /// The signer failed.
    Signer(E),
}

impl<E: fmt::Display> fmt::Display for SignNoteError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type => f.write_str("a log signs with a 0x01 key and a witness with a 0x04 key"),
            Self::Note(error) => fmt::Display::fmt(error, f),
            Self::Signer(error) => fmt::Display::fmt(error, f),
        }
    }
}
impl<E: fmt::Debug + fmt::Display> core::error::Error for SignNoteError<E> {}

/// One signature line of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    name: String,
    /// Key id and signature, as the line has them; at least five bytes.
    bytes: Vec<u8>,
}

impl NoteSignature {
    /// The name of the key that is said to have signed.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn is_by(&self, key: &NoteKey) -> bool {
        self.name == key.name && self.bytes.starts_with(&key.id().to_be_bytes())
    }

    /// When the witness says it signed, in seconds since 1970; zero for the plain type. `None`
    /// when the signature is not valid.
    fn verify(&self, key: &NoteKey, text: &str, verifier: &impl Verifier) -> Option<u64> {
        let (_, body) = self.bytes.split_first_chunk::<4>()?;
        let (seconds, raw) = match key.signature_type {
            SignatureType::Ed25519 => (0, body),
            SignatureType::CosignatureV1 => {
                let (seconds, raw) = body.split_first_chunk::<8>()?;
                (u64::from_be_bytes(*seconds), raw)
            }
        };
        if seconds > i64::MAX.unsigned_abs() {
            return None;
        }
        let message = key.signature_type.message(text, seconds);
        verifier.verify_raw(&key.public_key(), &message, raw.try_into().ok()?).ok()?;
        Some(seconds)
    }
}

/// A text with the signatures under it. The text means nothing until a trusted key's signature is
/// checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// Why bytes are not a signed note, or a note is not to be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoteError {
    /// More than [`NOTE_BYTES_MAX`].
    TooLong,
    /// Not UTF-8, or with control characters other than newlines.
    NotText,
    /// No blank line with signature lines behind it, or no newline at the end.
    NoSignatures,
    /// More than [`NOTE_SIGNATURES_MAX`].
    TooManySignatures,
    /// This line, counted from 1, is not a signature.
    SignatureLine(usize),
    /// A signature under the name of a trusted key does not fit.
    InvalidSignature(String),
}

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the signed text has more than {NOTE_BYTES_MAX} bytes"),
            Self::NotText => f.write_str("the signed text is not plain text"),
            Self::NoSignatures => {
                f.write_str("the signed text has no signatures behind a blank line; it may be cut")
            }
            Self::TooManySignatures => {
                write!(f, "the signed text has more than {NOTE_SIGNATURES_MAX} signatures")
            }
            Self::SignatureLine(line) => {
                write!(f, "line {line} of the signed text is not a signature line")
            }
            Self::InvalidSignature(name) => {
                write!(f, "the signature of `{name}` does not fit; the text was changed")
            }
        }
    }
}
impl core::error::Error for NoteError {}

/// A text that may be signed: it ends in a newline and has no other control character.
fn check_text(text: &str) -> Result<(), NoteError> {
    if text.len() > NOTE_BYTES_MAX {
        return Err(NoteError::TooLong);
    }
    let is_allowed = |c: char| c == '\n' || c >= ' ';
    if text.ends_with('\n') && text.chars().all(is_allowed) {
        Ok(())
    } else {
        Err(NoteError::NotText)
    }
}

impl Note {
    /// Reads a note. Nothing in it is to be believed yet.
    ///
    /// # Errors
    /// What is wrong with its form.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong);
        }
        let whole = core::str::from_utf8(bytes).map_err(|_| NoteError::NotText)?;
        // The text ends at the last empty line; it keeps its own newline.
        let (text, lines) = whole.rsplit_once("\n\n").ok_or(NoteError::NoSignatures)?;
        let text = format!("{text}\n");
        check_text(&text)?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::NoSignatures)?;
        let first_line = text.matches('\n').count().saturating_add(2);
        let mut signatures = Vec::new();
        for (number, line) in (first_line..).zip(lines.split('\n')) {
            if signatures.len() >= NOTE_SIGNATURES_MAX {
                return Err(NoteError::TooManySignatures);
            }
            signatures.push(parse_signature(line).ok_or(NoteError::SignatureLine(number))?);
        }
        Ok(Self { text, signatures })
    }

    /// The note as [`Note::parse`] reads it.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut encoded = format!("{}\n", self.text);
        for signature in &self.signatures {
            let bytes = base64::encode(&signature.bytes);
            encoded.push_str(&format!("\u{2014} {} {bytes}\n", signature.name));
        }
        encoded
    }

    /// The text, its last newline included.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, as they stand there.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// A note of this text, which ends in a newline, signed by a log's key (type 0x01).
    ///
    /// # Errors
    /// A text that is no note, a key of another type, or those of the signer.
    pub fn sign<S: NoteSigner>(text: &str, signer: &S) -> Result<Self, SignNoteError<S::Error>> {
        check_text(text).map_err(SignNoteError::Note)?;
        let mut note = Self { text: text.to_string(), signatures: Vec::new() };
        note.add(signer, SignatureType::Ed25519, 0)?;
        Ok(note)
    }

    /// Adds the cosignature of a witness (type 0x04) made at this time, which counts in seconds.
    ///
    /// # Errors
    /// A key of another type, too many signatures, or those of the signer.
    pub fn cosign<S: NoteSigner>(
        &mut self,
        signer: &S,
        time: Timestamp,
    ) -> Result<(), SignNoteError<S::Error>> {
        let seconds = time.millis().checked_div(1_000).unwrap_or(0);
        self.add(signer, SignatureType::CosignatureV1, seconds)
    }

    /// Takes this key's signature over from another note of the same text; whether it is here now.
    pub fn take_signature(
        &mut self,
        other: &Self,
        key: &NoteKey,
        verifier: &impl Verifier,
    ) -> bool {
        if self.signatures.iter().any(|one| one.is_by(key)) {
            return true;
        }
        let mut theirs = other.signatures.iter().filter(|one| one.is_by(key));
        let valid = theirs.find(|one| one.verify(key, &self.text, verifier).is_some());
        let has_room = self.signatures.len() < NOTE_SIGNATURES_MAX;
        valid.filter(|_| has_room).is_some_and(|one| {
            self.signatures.push(one.clone());
            true
        })
    }

    fn add<S: NoteSigner>(
        &mut self,
        signer: &S,
        signature_type: SignatureType,
        seconds: u64,
    ) -> Result<(), SignNoteError<S::Error>> {
        let key = signer.key();
        if key.signature_type != signature_type {
            return Err(SignNoteError::Type);
        }
        if self.signatures.len() >= NOTE_SIGNATURES_MAX {
            return Err(SignNoteError::Note(NoteError::TooManySignatures));
        }
        let message = signature_type.message(&self.text, seconds);
        let raw = signer.sign(&message).map_err(SignNoteError::Signer)?;
        let mut bytes = key.id().to_be_bytes().to_vec();
        if signature_type == SignatureType::CosignatureV1 {
            bytes.extend(seconds.to_be_bytes());
        }
        bytes.extend(raw);
        self.signatures.push(NoteSignature { name: key.name.clone(), bytes });
        Ok(())
    }

    /// Whether this key signed the note; if it is a witness's, when (zero otherwise). `None` when
    /// no signature bears its name and id.
    ///
    /// # Errors
    /// [`NoteError::InvalidSignature`] when a signature bears its name and id and does not fit:
    /// such a note is not to be believed at all.
    pub fn signed_by(
        &self,
        key: &NoteKey,
        verifier: &impl Verifier,
    ) -> Result<Option<Timestamp>, NoteError> {
        let mut signed = None;
        for signature in self.signatures.iter().filter(|signature| signature.is_by(key)) {
            let seconds = signature
                .verify(key, &self.text, verifier)
                .ok_or_else(|| NoteError::InvalidSignature(key.name.clone()))?;
            signed = Some(Timestamp::from_millis(seconds.saturating_mul(1_000)));
        }
        Ok(signed)
    }
}

fn parse_signature(line: &str) -> Option<NoteSignature> {
    let (name, bytes) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let bytes = base64::decode(bytes)?;
    (is_key_name(name) && bytes.len() >= 5)
        .then(|| NoteSignature { name: String::from(name), bytes })
}
