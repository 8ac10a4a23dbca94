//! The chain of headers, followed from a trust root.
//!
//! Each header is certified by the validators whom the one before it named, so that whoever knows
//! one header, or the validators of genesis, needs to trust nobody for those that follow. The value
//! ids of all of them are kept, 32 bytes each, so that an older header can be recognised.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use borsh::{BorshDeserialize, BorshSerialize};
use ledger::{Genesis, Tip};
use primitives::{Hash, Timestamp, Verifier, codec};
use proof::header::{Certificate, CertificateError, ChainId, HEADER_VERSION, Header, ValidatorSet};
use serde::{Deserialize, Serialize};

/// After how many headers the place is written down; those behind it are asked for again.
const KEEP_EVERY: u64 = 64;
const IDS_FILE: &str = "headers.ids";
const PLACE_FILE: &str = "headers.place";
const ID_BYTES: u64 = 32;

/// Where a light node begins: a block, or the genesis, that its operator has compared with what
/// another organisation reads out, and who certifies the block behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustRoot {
    /// The ledger.
    pub chain_id: ChainId,
    /// The block's height; 0 for the genesis.
    pub height: u64,
    /// Its value id; all zero for the genesis.
    pub value_id: Hash,
    /// Its time, or genesis time.
    pub time: Timestamp,
    /// Who certifies the next block.
    pub validators: ValidatorSet,
}

impl TrustRoot {
    /// The root of a ledger that begins with this genesis.
    #[must_use]
    pub fn of_genesis(genesis: &Genesis) -> Self {
        Self::at(genesis.chain_id, genesis.ledger().tip())
    }

    /// The root at the block behind which a ledger stands.
    #[must_use]
    pub fn at(chain_id: ChainId, tip: &Tip) -> Self {
        let (height, value_id, time) = (tip.height, tip.value_id, tip.time);
        Self { chain_id, height, value_id, time, validators: tip.validators.clone() }
    }

    /// What two people compare: the SHA-256 of all of it.
    #[must_use]
    pub fn fingerprint(&self) -> Hash {
        let Self { chain_id, height, value_id, time, validators } = self;
        primitives::sha256_parts(&[
            b"yibao/trust-root/v1",
            &codec::encode(&(chain_id, height, value_id, time, validators)),
        ])
    }
}

/// Why a header is not the next one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// It does not continue the last one.
    #[error("header {height} does not continue the chain: its {what} is another")]
    Breaks {
        /// Its height.
        height: u64,
        /// In which part.
        what: &'static str,
    },
    /// Its certificate does not make it final.
    #[error("header {height} is not final: {cause}")]
    NotFinal {
        /// Its height.
        height: u64,
        /// Why.
        cause: CertificateError,
    },
    /// It names validators that were not told, or others than were told.
    #[error("header {height} names validators whom nobody tells")]
    Validators {
        /// Its height.
        height: u64,
    },
}

/// Where the followed chain stands.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
struct Standing {
    chain_id: ChainId,
    /// The trust root's height: ids are kept of those behind it.
    root: u64,
    root_id: Hash,
    height: u64,
    value_id: Hash,
    time: Timestamp,
    validators: ValidatorSet,
    /// The last header; none at the trust root.
    last: Option<Header>,
}

/// The headers that are believed.
#[derive(Debug)]
pub struct Headers {
    standing: Standing,
    ids: Vec<Hash>,
    kept: Option<Kept>,
}

/// Where they are written down.
#[derive(Debug)]
struct Kept {
    ids: File,
    place: PathBuf,
    /// How many ids are in the file.
    written: usize,
}

impl Headers {
    /// The chain from a trust root on, kept in memory only.
    #[must_use]
    pub fn new(root: &TrustRoot) -> Self {
        let standing = Standing {
            chain_id: root.chain_id,
            root: root.height,
            root_id: root.value_id,
            height: root.height,
            value_id: root.value_id,
            time: root.time,
            validators: root.validators.clone(),
            last: None,
        };
        Self { standing, ids: Vec::new(), kept: None }
    }

    /// The chain as this folder has it, or from the trust root on when it has none of this root.
    ///
    /// # Errors
    /// When the folder cannot be read or written.
    pub fn open(root: &TrustRoot, folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mut headers = Self::new(root);
        let place = folder.join(PLACE_FILE);
        let path = folder.join(IDS_FILE);
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let ids: Vec<Hash> = bytes.as_chunks().0.iter().copied().map(Hash).collect();
        let standing = std::fs::read(&place).ok().and_then(|bytes| codec::decode(&bytes).ok());
        let standing = standing.filter(|kept: &Standing| {
            let count =
                usize::try_from(kept.height.saturating_sub(kept.root)).unwrap_or(usize::MAX);
            let last = count.checked_sub(1).map_or(Some(kept.root_id), |at| ids.get(at).copied());
            (kept.chain_id, kept.root, kept.root_id) == (root.chain_id, root.height, root.value_id)
                && last == Some(kept.value_id)
        });
        if let Some(standing) = standing {
            let count = standing.height.saturating_sub(standing.root);
            headers.ids = ids;
            headers.ids.truncate(usize::try_from(count).unwrap_or(usize::MAX));
            headers.standing = standing;
        }
        let written = headers.ids.len();
        file.set_len(u64::try_from(written).unwrap_or(u64::MAX).saturating_mul(ID_BYTES))?;
        file.seek(SeekFrom::End(0))?;
        headers.kept = Some(Kept { ids: file, place, written });
        Ok(headers)
    }

    /// The ledger's name.
    #[must_use]
    pub const fn chain_id(&self) -> ChainId {
        self.standing.chain_id
    }

    /// The last header's height.
    #[must_use]
    pub const fn height(&self) -> u64 {
        self.standing.height
    }

    /// The last header; none at the trust root.
    #[must_use]
    pub const fn last(&self) -> Option<&Header> {
        self.standing.last.as_ref()
    }

    /// Who certifies the next header.
    #[must_use]
    pub const fn validators(&self) -> &ValidatorSet {
        &self.standing.validators
    }

    /// The value id of the block at this height, if it is known.
    #[must_use]
    pub fn value_id(&self, height: u64) -> Option<Hash> {
        let behind = height.checked_sub(self.standing.root)?;
        match behind.checked_sub(1) {
            Some(at) => self.ids.get(usize::try_from(at).ok()?).copied(),
            None => (height > 0).then_some(self.standing.root_id),
        }
    }

    /// Takes the next header in. `named` are the validators whom it names, when these are others
    /// than before.
    ///
    /// # Errors
    /// Why it is not the next one; then nothing changes.
    pub fn accept(
        &mut self,
        header: &Header,
        certificate: &Certificate,
        named: Option<&ValidatorSet>,
        verifier: &(impl Verifier + ?Sized),
    ) -> Result<(), HeaderError> {
        let (known, height) = (&self.standing, header.height);
        let last_size = known.last.as_ref().map_or(0, |last| last.receipt_log_size);
        let rules = [
            ("version", header.version == HEADER_VERSION),
            ("ledger", header.chain_id == known.chain_id),
            ("height", known.height.checked_add(1) == Some(height)),
            ("parent", header.parent == known.value_id),
            ("time", header.time >= known.time),
            ("receipt log", header.receipt_log_size >= last_size),
        ];
        if let Some((what, _)) = rules.into_iter().find(|(_, holds)| !holds) {
            return Err(HeaderError::Breaks { height, what });
        }
        known
            .validators
            .verify_certificate(header, certificate, verifier)
            .map_err(|cause| HeaderError::NotFinal { height, cause })?;
        let next = if header.next_validators == known.validators.hash() {
            None
        } else {
            let told = named.filter(|named| named.hash() == header.next_validators);
            Some(told.cloned().ok_or(HeaderError::Validators { height })?)
        };
        let known = &mut self.standing;
        if let Some(next) = next {
            known.validators = next;
        }
        (known.height, known.time, known.value_id) = (height, header.time, certificate.value_id);
        known.last = Some(header.clone());
        self.ids.push(certificate.value_id);
        Ok(())
    }

    /// Whether so many headers came since that the place should be written down.
    #[must_use]
    pub fn is_due(&self) -> bool {
        let written = self.kept.as_ref().map_or(usize::MAX, |kept| kept.written);
        let behind = self.ids.len().saturating_sub(written);
        u64::try_from(behind).unwrap_or(0) >= KEEP_EVERY
    }

    /// Writes down where the chain stands, so that the next start goes on from here.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&mut self) -> io::Result<()> {
        let Some(kept) = &mut self.kept else { return Ok(()) };
        let new = self.ids.get(kept.written..).unwrap_or_default();
        let bytes: Vec<u8> = new.iter().flat_map(|id| id.0).collect();
        kept.ids.write_all(&bytes)?;
        kept.ids.sync_data()?;
        kept.written = self.ids.len();
        let next = kept.place.with_extension("next");
        let mut file = File::create(&next)?;
        file.write_all(&codec::encode(&self.standing))?;
        file.sync_data()?;
        std::fs::rename(next, &kept.place)
    }
}
