//! Envelopes: content sealed under one fresh key, and that key wrapped for every reader.
//!
//! **What is promised.** Without one of the readers' private keys, nobody learns the content or
//! changes an envelope unnoticed; an envelope opens only for the visit and commitment that it was
//! sealed for; and one envelope has one content for all its readers, because the content key is
//! committed to.
//!
//! **What a deadline or a revocation is worth.** A grant's deadline stands under the reader's own
//! wrap and cannot be moved by anybody else, and [`Envelope::open`] keeps to it. But whoever has
//! once opened an envelope knows what was in it, and a program of one's own need not keep to a
//! deadline. So the store drops ended grants ([`Envelope::drop_ended`]), hands nothing out to their
//! readers, and notes every hand-out. [`Envelope::revoke`] takes a reader's wrap away: from then on
//! the stored envelope is shut to him, an older copy of it is not. To shut out somebody who may
//! hold a copy, content that is still worth hiding would have to be sealed anew, and the copy
//! cannot be called back.

use alloc::{string::ToString, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305,
    aead::{Aead, AeadInOut, Payload},
};
use core::fmt;
use hpke::{
    Deserializable, OpModeR, OpModeS, Serializable, aead::ChaCha20Poly1305, kdf::HkdfSha256,
    kem::X25519HkdfSha256, rand_core::CryptoRng, single_shot_open, single_shot_seal_with_rng,
};
use primitives::{Detail, Hash, Timestamp, VisitId, codec, detail, sha256_parts};
use zeroize::Zeroizing;

use crate::{
    bill::{BILL_BYTES_MAX, BillContent, SUMS_BYTES_MAX},
    grant::{Grant, GrantedKey, Terms},
    padding::{pad, padded_len, unpad},
    reader::{ReaderKey, ReaderSecret},
};

/// The version of the envelope's form that this code writes.
pub const ENVELOPE_VERSION: u16 = 1;
/// The most readers of one envelope, grantees included.
pub const READERS_MAX: usize = 64;
/// The longest content: a bill, its sums and their salt.
pub const CONTENT_BYTES_MAX: usize = BILL_BYTES_MAX + SUMS_BYTES_MAX + 64;
/// The longest encoded envelope, in bytes.
pub const ENVELOPE_BYTES_MAX: usize = 5 * 1_024 * 1_024;

const KEY_TAG: &[u8] = b"yibao/envelope-key/v1";
const HINT_TAG: &[u8] = b"yibao/envelope-hint/v1";
const WRAP_INFO: &[u8] = b"yibao/envelope-wrap/v1";
const TAG_BYTES: usize = 16;

/// What an envelope belongs to; whoever opens it knows this from the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize)]
pub struct EnvelopeContext {
    /// The visit.
    pub visit: VisitId,
    /// The commitment to bill and sums that the ledger holds ([`crate::commit_bill`]).
    pub commitment: Hash,
}

/// The content key, wrapped for one reader.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
struct Wrap {
    /// By which the reader finds it, and nobody who does not know the reader's key.
    hint: [u8; 16],
    terms: Option<Terms>,
    encapsulated: [u8; 32],
    sealed: [u8; 48],
}

/// Sealed content with the wrapped keys of its readers.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Envelope {
    version: u16,
    nonce: [u8; 24],
    key_commitment: Hash,
    wraps: Vec<Wrap>,
    ciphertext: Vec<u8>,
}

/// Why an envelope is not sealed, opened or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvelopeError {
    /// The content is longer than allowed.
    TooLarge {
        /// How many bytes are allowed.
        bytes_max: usize,
    },
    /// No reader is named, so nobody could ever open it.
    NoReaders,
    /// More than [`READERS_MAX`].
    TooManyReaders,
    /// A reader is named twice, or can open it without a grant already.
    DuplicateReader(ReaderKey),
    /// A reader's key is not one of X25519.
    ReaderKey(ReaderKey),
    /// The bytes are not an envelope.
    Form,
    /// The envelope's form is newer than this program.
    Version(u16),
    /// The envelope is not for this reader.
    NotAReader,
    /// The reader's grant has ended.
    Expired {
        /// The last instant at which it was valid.
        valid_until: Timestamp,
    },
    /// A grant would be over before it begins.
    GrantInThePast,
    /// Somebody who opens by a grant may not grant to others.
    GranteeMayNotGrant,
    /// The envelope was changed, or belongs to another visit or commitment.
    Tampered,
    /// The bill inside is not the one that the ledger's commitment names.
    Commitment,
}

impl From<EnvelopeError> for Detail {
    fn from(error: EnvelopeError) -> Self {
        use EnvelopeError as Error;
        match error {
            Error::TooLarge { bytes_max } => detail!(
                "the document is too large; at most {most} bytes are allowed",
                most = bytes_max
            ),
            Error::NoReaders => detail!("nobody could open the envelope; name a reader"),
            Error::TooManyReaders => {
                detail!("an envelope has at most {most} readers", most = READERS_MAX)
            }
            Error::DuplicateReader(key) => {
                detail!("the reader `{key}` can open it already", key = key.to_string())
            }
            Error::ReaderKey(key) => {
                detail!("`{key}` is not a usable reader's key", key = key.to_string())
            }
            Error::Form => detail!("the file is not an envelope; it may be cut or damaged"),
            Error::Version(version) => {
                detail!("the envelope has form {version}, which needs a newer program", version)
            }
            Error::NotAReader => {
                detail!("the envelope is not for this reader; ask for a grant")
            }
            Error::Expired { valid_until } => {
                detail!("the grant ended at {valid_until}; ask for a new one", valid_until)
            }
            Error::GrantInThePast => {
                detail!("the grant would have ended already; choose a later `valid_until`")
            }
            Error::GranteeMayNotGrant => {
                detail!("whoever opens by a grant may not grant to others; ask a first reader")
            }
            Error::Tampered => detail!("the envelope was changed or belongs to another visit"),
            Error::Commitment => {
                detail!("the bill inside is not the one that the ledger names")
            }
        }
    }
}

impl fmt::Display for EnvelopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Detail::from(*self).fmt(f)
    }
}
impl core::error::Error for EnvelopeError {}

type ContentKey = Zeroizing<[u8; 32]>;

impl Envelope {
    /// Seals content for these readers, each of whom can open it without end.
    ///
    /// # Errors
    /// Content above [`CONTENT_BYTES_MAX`], no readers, too many, one named twice, or a key that
    /// is none.
    pub fn seal(
        content: &[u8],
        context: &EnvelopeContext,
        readers: &[ReaderKey],
        randomness: &mut impl CryptoRng,
    ) -> Result<Self, EnvelopeError> {
        let too_large = EnvelopeError::TooLarge { bytes_max: CONTENT_BYTES_MAX };
        if content.len() > CONTENT_BYTES_MAX {
            return Err(too_large);
        }
        if readers.is_empty() {
            return Err(EnvelopeError::NoReaders);
        }
        let mut key = ContentKey::default();
        randomness.fill_bytes(key.as_mut());
        let mut nonce = [0_u8; 24];
        randomness.fill_bytes(&mut nonce);
        let key_commitment = sha256_parts(&[KEY_TAG, key.as_ref()]);
        let mut ciphertext = pad(content).ok_or(too_large)?;
        let associated = codec::encode(&(ENVELOPE_VERSION, context, key_commitment));
        XChaCha20Poly1305::new(&(*key).into())
            .encrypt_in_place(&nonce.into(), &associated, &mut ciphertext)
            .map_err(|_| too_large)?;
        let mut envelope = Self {
            version: ENVELOPE_VERSION,
            nonce,
            key_commitment,
            wraps: Vec::new(),
            ciphertext,
        };
        for reader in readers {
            let wrap = envelope.wrap(&key, context, *reader, None, randomness)?;
            envelope.insert(*reader, wrap)?;
        }
        Ok(envelope)
    }

    /// The content, for a reader at this time.
    ///
    /// # Errors
    /// [`EnvelopeError::NotAReader`], [`EnvelopeError::Expired`], or [`EnvelopeError::Tampered`]
    /// when the envelope was changed or the context is another.
    pub fn open(
        &self,
        reader: &ReaderSecret,
        context: &EnvelopeContext,
        now: Timestamp,
    ) -> Result<Vec<u8>, EnvelopeError> {
        let (key, _) = self.unwrap_key(reader, context, now)?;
        let associated = codec::encode(&(self.version, context, self.key_commitment));
        let payload = Payload { msg: &self.ciphertext, aad: &associated };
        let padded = XChaCha20Poly1305::new(&(*key).into())
            .decrypt(&self.nonce.into(), payload)
            .map_err(|_| EnvelopeError::Tampered)?;
        unpad(padded).ok_or(EnvelopeError::Tampered)
    }

    /// The bill inside, for a reader at this time, if it is the one that the ledger's commitment
    /// names.
    ///
    /// # Errors
    /// Those of [`Envelope::open`], or [`EnvelopeError::Commitment`].
    pub fn open_bill(
        &self,
        reader: &ReaderSecret,
        context: &EnvelopeContext,
        now: Timestamp,
    ) -> Result<BillContent, EnvelopeError> {
        BillContent::decode(&self.open(reader, context, now)?, context.commitment)
    }

    /// Lets one more reader open, for a purpose and a time. The content stays as it is; its key is
    /// wrapped once more. A second grant to the same reader takes the place of the first.
    ///
    /// # Errors
    /// Those of [`Envelope::open`] for the opener, who must be one of the first readers; a grant
    /// that is over; a reader who can open without a grant; too many readers; a key that is none.
    pub fn grant(
        &mut self,
        opener: &ReaderSecret,
        context: &EnvelopeContext,
        grant: &Grant,
        now: Timestamp,
        randomness: &mut impl CryptoRng,
    ) -> Result<(), EnvelopeError> {
        let granted = self.grant_key(opener, context, grant, now, randomness)?;
        self.add_grant(granted)
    }

    /// What [`Envelope::grant`] would add, for an envelope that is stored elsewhere.
    ///
    /// # Errors
    /// As [`Envelope::grant`], but for what [`Envelope::add_grant`] finds.
    pub fn grant_key(
        &self,
        opener: &ReaderSecret,
        context: &EnvelopeContext,
        grant: &Grant,
        now: Timestamp,
        randomness: &mut impl CryptoRng,
    ) -> Result<GrantedKey, EnvelopeError> {
        let (key, terms) = self.unwrap_key(opener, context, now)?;
        if terms.is_some() {
            return Err(EnvelopeError::GranteeMayNotGrant);
        }
        if grant.valid_until < now {
            return Err(EnvelopeError::GrantInThePast);
        }
        let terms = Terms { purpose: grant.purpose.clone(), valid_until: grant.valid_until };
        let wrap = self.wrap(&key, context, grant.reader, Some(terms.clone()), randomness)?;
        let Wrap { encapsulated, sealed, .. } = wrap;
        Ok(GrantedKey { reader: grant.reader, terms, encapsulated, sealed })
    }

    /// Adds the key of a grantee; content and first readers stay as they are. A second grant to the
    /// same reader takes the place of the first.
    ///
    /// # Errors
    /// A reader who can open without a grant; too many readers.
    pub fn add_grant(&mut self, granted: GrantedKey) -> Result<(), EnvelopeError> {
        let GrantedKey { reader, terms, encapsulated, sealed } = granted;
        self.revoke_grant(&reader);
        let hint = self.hint(&reader);
        self.insert(reader, Wrap { hint, terms: Some(terms), encapsulated, sealed })
    }

    /// Takes a grantee's key away, and says whether there was one. First readers stay.
    pub fn revoke_grant(&mut self, reader: &ReaderKey) -> bool {
        self.wrap_of(reader).is_some_and(|wrap| wrap.terms.is_some()) && self.revoke(reader)
    }

    /// Takes the keys away of all grantees whose time is over, and says how many they were.
    pub fn drop_ended(&mut self, now: Timestamp) -> usize {
        let before = self.wraps.len();
        self.wraps.retain(|wrap| wrap.terms.as_ref().is_none_or(|terms| now <= terms.valid_until));
        before.saturating_sub(self.wraps.len())
    }

    /// Takes a reader's key away, and says whether there was one. What that is worth, the
    /// module's documentation says.
    pub fn revoke(&mut self, reader: &ReaderKey) -> bool {
        let hint = self.hint(reader);
        let before = self.wraps.len();
        self.wraps.retain(|wrap| wrap.hint != hint);
        self.wraps.len() < before
    }

    /// How many readers it has, grantees included, expired ones too.
    #[must_use]
    pub fn reader_count(&self) -> usize {
        self.wraps.len()
    }

    /// Whether there is a key for this reader, expired or not.
    #[must_use]
    pub fn is_for(&self, reader: &ReaderKey) -> bool {
        self.wrap_of(reader).is_some()
    }

    /// The last instant at which a grantee may be handed the envelope; `None` for a reader without
    /// a deadline and for whoever is no reader.
    #[must_use]
    pub fn grant_end(&self, reader: &ReaderKey) -> Option<Timestamp> {
        Some(self.wrap_of(reader)?.terms.as_ref()?.valid_until)
    }

    /// The bytes to store.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads stored bytes. What is inside is believed only when it opens.
    ///
    /// # Errors
    /// [`EnvelopeError::Form`] or [`EnvelopeError::Version`].
    pub fn decode(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        if bytes.len() > ENVELOPE_BYTES_MAX {
            return Err(EnvelopeError::TooLarge { bytes_max: ENVELOPE_BYTES_MAX });
        }
        if let Some((version, _)) = bytes.split_first_chunk::<2>()
            && u16::from_le_bytes(*version) != ENVELOPE_VERSION
        {
            return Err(EnvelopeError::Version(u16::from_le_bytes(*version)));
        }
        let envelope: Self = codec::decode(bytes).map_err(|_| EnvelopeError::Form)?;
        // Sorted, each once: so an envelope has one encoding and a reader one wrap.
        let is_sorted = envelope.wraps.is_sorted_by(|one, next| one.hint < next.hint);
        let longest = u64::try_from(CONTENT_BYTES_MAX).map(padded_len).unwrap_or(0);
        let padded = envelope.ciphertext.len().saturating_sub(TAG_BYTES);
        let fits = u64::try_from(padded).is_ok_and(|padded| padded <= longest);
        if is_sorted && fits && envelope.wraps.len() <= READERS_MAX {
            Ok(envelope)
        } else {
            Err(EnvelopeError::Form)
        }
    }

    fn hint(&self, reader: &ReaderKey) -> [u8; 16] {
        let hash = sha256_parts(&[HINT_TAG, &self.nonce, &reader.0]);
        let (hint, _) = hash.0.split_first_chunk().expect("a hash has 32 bytes");
        *hint
    }

    fn wrap_of(&self, reader: &ReaderKey) -> Option<&Wrap> {
        let hint = self.hint(reader);
        self.wraps.iter().find(|wrap| wrap.hint == hint)
    }

    /// What a wrap is bound to besides the reader's key.
    fn wrap_binding(&self, context: &EnvelopeContext, terms: Option<&Terms>) -> Vec<u8> {
        codec::encode(&(self.version, context, self.key_commitment, self.nonce, terms))
    }

    /// The content key wrapped for a reader.
    fn wrap(
        &self,
        key: &ContentKey,
        context: &EnvelopeContext,
        reader: ReaderKey,
        terms: Option<Terms>,
        randomness: &mut impl CryptoRng,
    ) -> Result<Wrap, EnvelopeError> {
        let public = reader.to_public().ok_or(EnvelopeError::ReaderKey(reader))?;
        let (encapsulated, sealed) =
            single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
                &OpModeS::Base,
                &public,
                WRAP_INFO,
                key.as_ref(),
                &self.wrap_binding(context, terms.as_ref()),
                randomness,
            )
            .map_err(|_| EnvelopeError::ReaderKey(reader))?;
        let sealed = sealed.try_into().map_err(|_| EnvelopeError::ReaderKey(reader))?;
        let (hint, encapsulated) = (self.hint(&reader), encapsulated.to_bytes().into());
        Ok(Wrap { hint, terms, encapsulated, sealed })
    }

    /// Adds a reader's key in its place.
    fn insert(&mut self, reader: ReaderKey, wrap: Wrap) -> Result<(), EnvelopeError> {
        if self.is_for(&reader) {
            return Err(EnvelopeError::DuplicateReader(reader));
        }
        if self.wraps.len() >= READERS_MAX {
            return Err(EnvelopeError::TooManyReaders);
        }
        let place = self.wraps.partition_point(|other| other.hint < wrap.hint);
        self.wraps.insert(place, wrap);
        Ok(())
    }

    fn unwrap_key(
        &self,
        reader: &ReaderSecret,
        context: &EnvelopeContext,
        now: Timestamp,
    ) -> Result<(ContentKey, Option<&Terms>), EnvelopeError> {
        let wrap = self.wrap_of(&reader.key()).ok_or(EnvelopeError::NotAReader)?;
        let terms = wrap.terms.as_ref();
        let encapsulated =
            Deserializable::from_bytes(&wrap.encapsulated).map_err(|_| EnvelopeError::Tampered)?;
        let opened = single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            reader.private(),
            &encapsulated,
            WRAP_INFO,
            &wrap.sealed,
            &self.wrap_binding(context, terms),
        )
        .map(Zeroizing::new)
        .map_err(|_| EnvelopeError::Tampered)?;
        let mut key = ContentKey::default();
        match opened.as_chunks::<32>() {
            ([only], []) => key.copy_from_slice(only),
            _ => return Err(EnvelopeError::Tampered),
        }
        if sha256_parts(&[KEY_TAG, key.as_ref()]) != self.key_commitment {
            return Err(EnvelopeError::Tampered);
        }
        // The deadline is looked at last: only now is it known to be the granted one.
        match terms {
            Some(Terms { valid_until, .. }) if *valid_until < now => {
                Err(EnvelopeError::Expired { valid_until: *valid_until })
            }
            _ => Ok((key, terms)),
        }
    }
}
