//! Who signed two things at once, and what shows it: a file of lines beside the node's own votes,
//! so that whoever runs the node can hand it to the others.
//!
//! Invariant: what was seen is there after a restart, and a line that is none is left alone (test
//! `who_signed_two_things_is_known_after_a_restart`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use consensus::Equivocation;
use primitives::OrganisationId;
use proof::header::ChainId;
use serde_json::{Value, json};

/// The file's name, beside the node's votes.
pub(crate) const ACCUSATIONS_FILE: &str = "equivocations.jsonl";
/// The file does not grow beyond so many bytes: a liar must not fill the disk.
const BYTES_MAX: u64 = 4 << 20;

/// What was seen.
#[derive(Debug)]
pub(crate) struct Accusations {
    path: PathBuf,
    chain_id: ChainId,
    /// The last block at which each did it.
    accused: BTreeMap<OrganisationId, u64>,
}

impl Accusations {
    /// What was seen before.
    pub(crate) fn open(path: &Path, chain_id: ChainId) -> Self {
        let bytes = fs::read(path).unwrap_or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::error!(%error, path = %path.display(), "who was accused is not known");
            }
            Vec::new()
        });
        let mut accused = BTreeMap::new();
        for line in bytes.split(|byte| *byte == b'\n') {
            let Ok(line) = serde_json::from_slice::<Value>(line) else { continue };
            let who = line.get("organisation").and_then(Value::as_str).map(str::parse);
            let height = line.get("height").and_then(Value::as_u64);
            if let (Some(Ok(who)), Some(height)) = (who, height) {
                note(&mut accused, who, height);
            }
        }
        Self { path: path.to_owned(), chain_id, accused }
    }

    /// Who, and at which block last.
    pub(crate) fn accused(&self) -> BTreeMap<OrganisationId, u64> {
        self.accused.clone()
    }

    /// Keeps what shows it. The node goes on when the disk does not take it: the log has said it.
    pub(crate) fn note(&mut self, equivocations: &[Equivocation]) {
        let known = self.accused.clone();
        for one in equivocations {
            note(&mut self.accused, one.organisation, one.height);
        }
        if let Err(error) = self.append(equivocations, &known) {
            tracing::error!(%error, path = %self.path.display(), "what shows it is not kept");
        }
    }

    /// The first thing of an organisation is kept however full the file is.
    fn append(
        &self,
        equivocations: &[Equivocation],
        known: &BTreeMap<OrganisationId, u64>,
    ) -> io::Result<()> {
        let mut file = File::options().create(true).append(true).open(&self.path)?;
        let mut length = file.metadata()?.len();
        let mut known: BTreeSet<OrganisationId> = known.keys().copied().collect();
        for one in equivocations {
            // A line that a power cut left half ends here.
            let line = format!("\n{}\n", line(self.chain_id, one));
            length = length.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX));
            if known.insert(one.organisation) || length <= BYTES_MAX {
                file.write_all(line.as_bytes())?;
            }
        }
        file.sync_data()
    }
}

fn note(accused: &mut BTreeMap<OrganisationId, u64>, who: OrganisationId, height: u64) {
    let last = accused.entry(who).or_default();
    *last = (*last).max(height);
}

fn line(chain_id: ChainId, one: &Equivocation) -> Value {
    let Equivocation { organisation, height, round, step, signed } = one;
    let signed = signed.each_ref().map(|said| {
        json!({
            "value_id": said.value, "valid_round": said.valid_round, "signature": said.signature
        })
    });
    json!({
        "chain_id": chain_id, "organisation": organisation, "height": height, "round": round, "step": step.name(),
        "signed": signed
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use consensus::{SignedStep, SignedValue};
    use primitives::{Hash, Signature};

    use super::*;

    #[test]
    fn who_signed_two_things_is_known_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(ACCUSATIONS_FILE);
        let chain_id: ChainId = "test".parse().unwrap();
        let mut accusations = Accusations::open(&path, chain_id);
        assert!(accusations.accused().is_empty());
        let said = |value| SignedValue {
            value,
            valid_round: None,
            signature: Signature::Ed25519([7; 64]),
        };
        let one = |who: &str, height| Equivocation {
            organisation: who.parse().unwrap(),
            height,
            round: 2,
            step: SignedStep::Prevote,
            signed: [said(None), said(Some(Hash([1; 32])))],
        };
        accusations.note(&[one("tax", 9), one("tax", 5)]);
        let mut file = File::options().append(true).open(&path).unwrap();
        file.write_all(b"half a li").unwrap();
        let there = Accusations::open(&path, chain_id).accused();
        assert_eq!(there, BTreeMap::from([("tax".parse().unwrap(), 9)]));
        // What comes after the half line is not lost with it.
        Accusations::open(&path, chain_id).note(&[one("finance", 11)]);
        let there = Accusations::open(&path, chain_id).accused();
        let both = [("finance".parse().unwrap(), 11), ("tax".parse().unwrap(), 9)];
        assert_eq!(there, BTreeMap::from(both));
        let text = fs::read_to_string(&path).unwrap();
        let first = text.lines().find(|line| !line.is_empty()).unwrap();
        let first: Value = serde_json::from_str(first).unwrap();
        assert_eq!(first["chain_id"], "test");
        assert_eq!((&first["step"], &first["round"]), (&json!("prevote"), &json!(2)));
        assert_eq!(first["signed"][0]["value_id"], Value::Null);
        assert_eq!(first["signed"][1]["value_id"], json!("01".repeat(32)));
    }

    #[test]
    fn a_liar_does_not_fill_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(ACCUSATIONS_FILE);
        File::create(&path).unwrap().set_len(BYTES_MAX - 1).unwrap();
        let mut accusations = Accusations::open(&path, "test".parse().unwrap());
        let signed =
            SignedValue { value: None, valid_round: None, signature: Signature::Ed25519([7; 64]) };
        let one = Equivocation {
            organisation: "tax".parse().unwrap(),
            height: 1,
            round: 0,
            step: SignedStep::Precommit,
            signed: [signed.clone(), signed],
        };
        // The first of each is kept in any case, and no more.
        accusations.note(std::slice::from_ref(&one));
        let length = fs::metadata(&path).unwrap().len();
        accusations.note(&[one.clone(), one]);
        assert_eq!(fs::metadata(&path).unwrap().len(), length);
        let there = Accusations::open(&path, "test".parse().unwrap());
        assert_eq!(there.accused().len(), 1);
    }
}
