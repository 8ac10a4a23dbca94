//! A transaction on its way between people: JSON, in the form in which a gateway takes it.
//!
//! ```json
//! {"content":"HEX","authorisations":[{"party":"organisation:CODE","key":"...","signature":{...}}]}
//! ```

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use ledger::kernel::transaction::AUTHORISATIONS_MAX;
use ledger::{Authorisation, Content, Transaction};
use node::signature::{FastVerifier, SecretKey};
use primitives::{Party, SignatureError, VisitId, codec, key};
use serde::{Deserialize, Serialize};

use crate::command::input::{bad, read_json};

/// Content of at most 512 KiB in hex, and signatures.
const FILE_BYTES_MAX: u64 = 4 << 20;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    content: String,
    authorisations: Vec<Authorisation>,
}

/// A transaction file.
pub struct TransactionFile {
    /// What is signed.
    pub content: Content,
    /// By whom so far.
    pub authorisations: Vec<Authorisation>,
}

impl TransactionFile {
    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(path: &Path) -> Result<Self> {
        let form: Form = read_json("the transaction", path, FILE_BYTES_MAX)?;
        let wrong = || {
            let shown = path.display();
            bad(format!(
                "the transaction `{shown}`, `content`: this is not the content of a transaction in hex; \
                 make it anew with `yibao tx make`"
            ))
        };
        let bytes = hex::decode(&form.content).map_err(|_| wrong())?;
        let content: Content = codec::decode(&bytes).map_err(|_| wrong())?;
        Ok(Self { content, authorisations: form.authorisations })
    }

    /// The file's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let form = Form {
            content: hex::encode(codec::encode(&self.content)),
            authorisations: self.authorisations.clone(),
        };
        let mut text = serde_json::to_string_pretty(&form).expect("strings always serialise");
        text.push('\n');
        text
    }

    /// Writes a file that does not exist yet.
    ///
    /// # Errors
    /// When it exists or cannot be written.
    pub fn write_new(&self, path: &Path) -> Result<()> {
        let shown = path.display();
        let opened = OpenOptions::new().write(true).create_new(true).open(path);
        let mut file = opened.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => {
                bad(format!("the file `{shown}` exists already; name another with -o"))
            }
            _ => bad(format!("the file `{shown}` cannot be written: {error}")),
        })?;
        file.write_all(self.to_text().as_bytes()).with_context(|| format!("writing `{shown}`"))
    }

    /// Puts this in the place of a file, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn replace(&self, path: &Path) -> Result<()> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let part = path.with_file_name(name);
        let shown = path.display();
        fs::write(&part, self.to_text())
            .and_then(|()| fs::rename(&part, path))
            .with_context(|| format!("writing `{shown}`"))
    }

    /// The author's key against doing it twice, in hex.
    #[must_use]
    pub fn idempotency_key(&self) -> VisitId {
        // Visit ids have the same form: 16 bytes as 32 lower-case hex digits.
        VisitId(self.content.idempotency_key.0)
    }

    /// Adds a party's signature with a key; one that it gave before with the same key is replaced.
    ///
    /// # Errors
    /// When nobody more may sign.
    pub fn sign(&mut self, party: Party, key: &SecretKey) -> Result<()> {
        let place = (party, key.public_key());
        self.authorisations.retain(|one| (one.party, one.key) != place);
        if self.authorisations.len() >= AUTHORISATIONS_MAX {
            let words =
                format!("the transaction has {AUTHORISATIONS_MAX} signatures, which is the most");
            return Err(bad(words));
        }
        let signature = key.sign(&self.content.id());
        self.authorisations.push(Authorisation { party, key: key.public_key(), signature });
        self.authorisations.sort_by_key(|one| (one.party, one.key));
        Ok(())
    }

    /// Whether a signature is valid; whether its key is registered is for the ledger to say.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn check(&self, one: &Authorisation) -> Result<(), SignatureError> {
        key::verify(&FastVerifier, &one.key, &self.content.id(), &one.signature).map(|_| ())
    }

    /// The transaction, as [`Transaction::verify`] wants it.
    #[must_use]
    pub fn transaction(&self) -> Transaction {
        let (content, authorisations) = (self.content.clone(), self.authorisations.clone());
        Transaction::signed_by(content, authorisations)
    }
}
