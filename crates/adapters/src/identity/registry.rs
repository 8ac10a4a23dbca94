//! The embedded identity register: a simulator of the authority, fed by a list that the bureau
//! imports, for regions without a connected authority.
//!
//! Its face check is a simulation and says so: no face is recognised. A picture matches when it is,
//! byte for byte, the trial picture that was entered for the person; of that a keyed digest is kept
//! and nothing else, in a book of its own (test `no_picture_is_kept`).

use std::{collections::BTreeMap, fmt};

use aws_lc_rs::{
    hmac,
    signature::{Ed25519KeyPair, KeyPair},
};
use primitives::{Hash, PublicKey, Signature, Timestamp, sha256_parts};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::{
    identity::{
        Attestation, AttestedIndex, Document, DocumentError, FaceAttestation, Identity,
        IdentityAuthority, IdentityError, IndexRotation, MatchedFace, RotatedIndex,
        document::comparable_name,
    },
    sqlite::{Database, Place, Schema, Sql, StoreError},
};

const SCHEMA: Schema = Schema {
    name: "identity register",
    application_id: 0x7962_6964,
    version: 1,
    tables: &[
        "CREATE TABLE person (document TEXT PRIMARY KEY, name TEXT NOT NULL) STRICT",
        "CREATE TABLE attested (
            key_version INTEGER NOT NULL,
            blind_index BLOB NOT NULL CHECK (length(blind_index) = 32),
            document    TEXT NOT NULL REFERENCES person (document),
            PRIMARY KEY (key_version, blind_index)
        ) STRICT",
    ],
};

/// Beside the register, so that a register of an earlier build stays what it is.
const FACES: Schema = Schema {
    name: "register of trial faces",
    application_id: 0x7962_6661,
    version: 1,
    tables: &["CREATE TABLE face (
        document TEXT PRIMARY KEY,
        digest   BLOB NOT NULL CHECK (length(digest) = 32)
    ) STRICT"],
};

/// The most people imported at once.
pub const PEOPLE_PER_IMPORT_MAX: usize = 10_000;
/// The longest name, in bytes.
pub const NAME_BYTES_MAX: usize = 200;
/// The most pairs of a rotation in one page.
pub const ROTATIONS_PER_PAGE_MAX: u32 = 1_000;

/// The keys that only the authority holds. Shows itself nowhere.
#[derive(Clone)]
pub struct AuthorityKeys {
    /// The 32 secret bytes of the Ed25519 signing key.
    pub signing_seed: [u8; 32],
    /// The keys of the blind index by version; the highest version is used for new attestations,
    /// the others for rotation.
    pub index_keys: BTreeMap<u32, [u8; 32]>,
}

impl fmt::Debug for AuthorityKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthorityKeys(hidden)")
    }
}

/// The embedded register.
pub struct Registry {
    database: Database,
    faces: Database,
    signing: Ed25519KeyPair,
    public_key: PublicKey,
    index_keys: BTreeMap<u32, hmac::Key>,
    version: u32,
}

/// Why the register could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenRegistryError {
    /// No index key was given.
    #[error("the identity register needs an index key; give at least one in `index_keys`")]
    NoIndexKey,
    /// The signing key is not usable.
    #[error("the signing key of the identity register is not a usable Ed25519 key")]
    SigningKey,
    /// The file is another one or cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// People who were not in the register.
    pub added: u32,
    /// People who are under another name now.
    pub renamed: u32,
    /// People who were there already.
    pub unchanged: u32,
}

/// Why a list was not imported; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A row is wrong.
    #[error("row {row}, field `number`: {cause}")]
    Number {
        /// Which row, from 1.
        row: usize,
        /// What is wrong.
        #[source]
        cause: DocumentError,
    },
    /// A name is empty or too long.
    #[error("row {row}, field `name`: a name has 1 to {NAME_BYTES_MAX} bytes")]
    Name {
        /// Which row, from 1.
        row: usize,
    },
    /// More rows than are taken at once.
    #[error("at most {PEOPLE_PER_IMPORT_MAX} people are imported at once; split the list")]
    TooMany,
    /// The register failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Registry {
    /// Opens the register, and makes it when it is new.
    ///
    /// # Errors
    /// Missing or unusable keys, or a file that is another one or cannot be opened.
    pub fn open(place: &Place, keys: &AuthorityKeys) -> Result<Self, OpenRegistryError> {
        let version = *keys.index_keys.keys().next_back().ok_or(OpenRegistryError::NoIndexKey)?;
        let signing = Ed25519KeyPair::from_seed_unchecked(&keys.signing_seed)
            .map_err(|_| OpenRegistryError::SigningKey)?;
        let public: [u8; 32] =
            signing.public_key().as_ref().try_into().map_err(|_| OpenRegistryError::SigningKey)?;
        let key = |bytes: &[u8; 32]| hmac::Key::new(hmac::HMAC_SHA256, bytes);
        Ok(Self {
            database: Database::open(place, &SCHEMA)?,
            faces: Database::open(&beside(place), &FACES)?,
            signing,
            public_key: PublicKey::Ed25519(public),
            index_keys: keys.index_keys.iter().map(|(v, bytes)| (*v, key(bytes))).collect(),
            version,
        })
    }

    /// Takes over a list of people from the bureau, all or none. Importing a list again is
    /// harmless; a person who is there under another name is renamed.
    ///
    /// # Errors
    /// The first row that is wrong.
    pub fn import(&self, people: &[Identity]) -> Result<Imported, ImportError> {
        if people.len() > PEOPLE_PER_IMPORT_MAX {
            return Err(ImportError::TooMany);
        }
        let mut rows = Vec::with_capacity(people.len());
        for (row, person) in (1..).zip(people) {
            let document: Document =
                person.number.parse().map_err(|cause| ImportError::Number { row, cause })?;
            let name = comparable_name(&person.name);
            if name.is_empty() || name.len() > NAME_BYTES_MAX {
                return Err(ImportError::Name { row });
            }
            rows.push((document.spelling(), name));
        }
        Ok(self.database.write(|tx| {
            let mut imported = Imported::default();
            for (document, name) in &rows {
                let count = import_row(tx, document, name, &mut imported)?;
                *count = count.saturating_add(1);
            }
            Ok(imported)
        })?)
    }

    /// Enters trial pictures, each in place of the one before; the documents need not be in the
    /// register yet.
    ///
    /// # Errors
    /// A document that is none, or when the register fails.
    pub fn enter_faces(&self, faces: &[(Document, Vec<u8>)]) -> Result<(), IdentityError> {
        let digest = |(document, picture): &(Document, Vec<u8>)| {
            let document = document.spelling();
            self.face_digest(&document, picture).map(|digest| (document, digest))
        };
        let rows = faces.iter().map(digest).collect::<Result<Vec<_>, _>>()?;
        Ok(self.faces.write(|tx| {
            let sql = "INSERT INTO face (document, digest) VALUES (?1, ?2)
                       ON CONFLICT (document) DO UPDATE SET digest = excluded.digest";
            for (document, digest) in &rows {
                tx.prepare_cached(sql)?.execute(params![document, Sql(*digest)])?;
            }
            Ok(())
        })?)
    }

    /// What is kept of a picture: nobody without the authority's first key can test a picture
    /// against it.
    fn face_digest(&self, document: &str, picture: &[u8]) -> Result<Hash, IdentityError> {
        let first = self.index_keys.values().next();
        let key = first.ok_or(IdentityError::UnknownKeyVersion(self.version))?;
        let mut context = hmac::Context::with_key(key);
        context.update(b"yibao/trial-face/v1/");
        context.update(&sha256_parts(&[document.as_bytes(), b"/", picture]).0);
        let tag = context.sign();
        let bytes = <[u8; 32]>::try_from(tag.as_ref());
        Ok(Hash(bytes.expect("HMAC-SHA-256 gives 32 bytes")))
    }

    fn blind_index(&self, version: u32, document: &str) -> Result<Hash, IdentityError> {
        let key = self.index_keys.get(&version).ok_or(IdentityError::UnknownKeyVersion(version))?;
        let mut context = hmac::Context::with_key(key);
        context.update(b"yibao/blind-index/v1/");
        context.update(document.as_bytes());
        let tag = context.sign();
        let bytes = <[u8; 32]>::try_from(tag.as_ref());
        Ok(Hash(bytes.expect("HMAC-SHA-256 gives 32 bytes")))
    }

    fn sign(&self, message: &Hash) -> Signature {
        let signature = self.signing.sign(message.as_bytes());
        let bytes = <[u8; 64]>::try_from(signature.as_ref());
        Signature::Ed25519(bytes.expect("an Ed25519 signature has 64 bytes"))
    }
}

/// Where the digests of trial faces are kept.
fn beside(place: &Place) -> Place {
    match place {
        Place::Memory => Place::Memory,
        Place::File(path) => Place::File(path.with_extension("faces.sqlite")),
    }
}

/// Under which name the register knows a document.
fn known_name(connection: &Connection, document: &str) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT name FROM person WHERE document = ?1")?
        .query_row([document], |row| row.get(0))
        .optional()
}

/// Notes that an index was attested.
fn note_index(
    connection: &Connection,
    (key_version, blind_index): (u32, Hash),
    document: &str,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO attested (key_version, blind_index, document) VALUES (?1, ?2, ?3)
               ON CONFLICT DO NOTHING";
    let mut note = connection.prepare_cached(sql)?;
    note.execute(params![key_version, Sql(blind_index), document]).map(|_| ())
}

/// Keeps one person; the count that this belongs to.
fn import_row<'a>(
    tx: &Transaction<'_>,
    document: &str,
    name: &str,
    imported: &'a mut Imported,
) -> rusqlite::Result<&'a mut u32> {
    let known = known_name(tx, document)?;
    if known.as_deref() == Some(name) {
        return Ok(&mut imported.unchanged);
    }
    tx.prepare_cached(
        "INSERT INTO person (document, name) VALUES (?1, ?2)
         ON CONFLICT (document) DO UPDATE SET name = excluded.name",
    )?
    .execute([document, name])?;
    Ok(if known.is_some() { &mut imported.renamed } else { &mut imported.added })
}

impl From<StoreError> for IdentityError {
    fn from(error: StoreError) -> Self {
        Self::Storage(Box::new(error))
    }
}

impl IdentityAuthority for Registry {
    fn attest(&self, person: &Identity, commitment: &Hash) -> Result<Attestation, IdentityError> {
        let document = person.number.parse::<Document>()?.spelling();
        let name = comparable_name(&person.name);
        let blind_index = self.blind_index(self.version, &document)?;
        let is_match = self.database.write(|tx| {
            if known_name(tx, &document)?.as_deref() != Some(name.as_str()) {
                return Ok(false);
            }
            note_index(tx, (self.version, blind_index), &document)?;
            Ok(true)
        })?;
        if !is_match {
            return Err(IdentityError::NoMatch);
        }
        let statement =
            AttestedIndex { key_version: self.version, blind_index, commitment: *commitment };
        Ok(Attestation { statement, signature: self.sign(&statement.message()) })
    }

    fn is_free(&self, person: &Identity) -> Result<bool, IdentityError> {
        let document = person.number.parse::<Document>()?.spelling();
        let name = comparable_name(&person.name);
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            return Ok(false);
        }
        let known = self.database.read(|connection| known_name(connection, &document))?;
        Ok(known.is_none())
    }

    fn enter(&self, people: &[Identity]) -> Result<(), IdentityError> {
        let mut rows = Vec::with_capacity(people.len());
        for person in people {
            let Ok(document) = person.number.parse::<Document>() else { continue };
            let (document, name) = (document.spelling(), comparable_name(&person.name));
            if !name.is_empty() && name.len() <= NAME_BYTES_MAX {
                rows.push((self.blind_index(self.version, &document)?, document, name));
            }
        }
        // In one transaction, the indices that are attested next as well: else each of them is made
        // durable by itself.
        Ok(self.database.write(|tx| {
            for (blind_index, document, name) in &rows {
                tx.prepare_cached("INSERT OR IGNORE INTO person (document, name) VALUES (?1, ?2)")?
                    .execute([document, name])?;
                if known_name(tx, document)?.as_deref() == Some(name.as_str()) {
                    note_index(tx, (self.version, *blind_index), document)?;
                }
            }
            Ok(())
        })?)
    }

    fn check_face(
        &self,
        person: &Identity,
        picture: &[u8],
        (transaction, now): (&Hash, Timestamp),
    ) -> Result<FaceAttestation, IdentityError> {
        let document = person.number.parse::<Document>()?.spelling();
        let name = comparable_name(&person.name);
        let known = self.database.read(|connection| known_name(connection, &document))?;
        if known.as_deref() != Some(name.as_str()) {
            return Err(IdentityError::NoMatch);
        }
        let entered = self.faces.read(|connection| {
            let sql = "SELECT digest FROM face WHERE document = ?1";
            let row = connection.prepare_cached(sql)?.query_row([&document], |row| row.get(0));
            Ok(row.optional()?.map(|Sql(digest): Sql<Hash>| digest))
        })?;
        let entered = entered.ok_or(IdentityError::NoFace)?;
        if self.face_digest(&document, picture)? != entered {
            return Err(IdentityError::FaceDiffers);
        }
        let statement = MatchedFace {
            key_version: self.version,
            blind_index: self.blind_index(self.version, &document)?,
            transaction: *transaction,
            checked: now,
        };
        Ok(FaceAttestation { statement, signature: self.sign(&statement.message()) })
    }

    fn is_simulated(&self) -> bool {
        true
    }

    fn public_key(&self) -> PublicKey {
        self.public_key
    }

    fn rotate(
        &self,
        from: u32,
        to: u32,
        after: Option<Hash>,
        limit: u32,
    ) -> Result<Vec<IndexRotation>, IdentityError> {
        // An unknown version is told before the register is asked.
        self.blind_index(from, "")?;
        self.blind_index(to, "")?;
        let limit = limit.min(ROTATIONS_PER_PAGE_MAX);
        let page: Vec<(Hash, String)> = self.database.read(|connection| {
            let mut people = connection.prepare_cached(
                "SELECT blind_index, document FROM attested
                 WHERE key_version = ?1 AND (?2 IS NULL OR blind_index > ?2)
                 ORDER BY blind_index LIMIT ?3",
            )?;
            people
                .query_map(params![from, after.map(Sql), limit], |row| {
                    Ok((row.get::<_, Sql<Hash>>(0)?.0, row.get(1)?))
                })?
                .collect()
        })?;
        let rotate = |(old_index, document): (Hash, String)| {
            let new_index = self.blind_index(to, &document)?;
            let statement = RotatedIndex { from, to, old_index, new_index };
            Ok(IndexRotation { statement, signature: self.sign(&statement.message()) })
        };
        page.into_iter().map(rotate).collect()
    }
}
