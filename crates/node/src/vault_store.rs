//! Encrypted bills in a folder, each under the commitment that the ledger knows.
//!
//! An envelope is opaque here: who can open it was decided when it was sealed (crate `vault`). So a
//! sum lies behind it in its file, and damage is named before a reader is handed what it cannot
//! open (test `a_damaged_envelope_is_named_and_not_handed_out`). The folder holds
//! `sealed/<commitment>` and, for finding them, `visit/<visit>/<commitment>`; the envelope is
//! written before its marker, so that whatever is listed is there. Who else was handed one is noted
//! by the day in `access/<commitment>/<day>_<organisation>`, for an audit with `_<audit>` behind.
//! Envelopes of before there were sums lie in `envelope/`, and are moved when the folder is opened.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use primitives::{CivilDate, Hash, OrganisationId, VisitId};

use crate::store::disk::make_folder;

/// The longest envelope, in bytes. A bill of 10,000 lines has about 3 MiB. Our own limit.
pub const ENVELOPE_BYTES_MAX: usize = 8 << 20;
/// The most envelopes of one visit: a long stay's daily lists and their corrections. Our own limit.
pub const ENVELOPES_PER_VISIT_MAX: usize = 2_000;

/// The envelopes of one organisation. Calls wait for the disk.
pub struct VaultStore {
    folder: PathBuf,
    /// Serialises writers, so that two of them do not pass the bound of a visit together.
    writer: Mutex<File>,
}

/// Writes while no other thread and no other process does.
struct Writer<'a> {
    folder: &'a Path,
    lock: MutexGuard<'a, File>,
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        // One that cannot be given back goes with the file.
        let _ = self.lock.unlock();
    }
}

impl Writer<'_> {
    /// Writes a file whole and durably: before and after a power cut there is the old one or the
    /// new one.
    fn write(&self, name: &Path, bytes: &[u8]) -> io::Result<()> {
        let (path, unfinished) = (self.folder.join(name), self.folder.join("writing"));
        // What a power cut left.
        match std::fs::remove_file(&unfinished) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = File::create_new(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        make_folder(parent(&path))?;
        std::fs::rename(&unfinished, &path)?;
        File::open(parent(&path))?.sync_all()
    }

    /// Makes an empty file durably, or leaves the one that is there.
    fn mark(&self, name: &Path) -> io::Result<()> {
        let path = self.folder.join(name);
        make_folder(parent(&path))?;
        OpenOptions::new().write(true).create(true).truncate(false).open(&path)?;
        File::open(parent(&path))?.sync_all()
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().expect("it lies in the vault's folder")
}

/// Why an envelope was not kept or found.
#[derive(Debug, thiserror::Error)]
pub enum VaultStoreError {
    /// The folder cannot be made or opened.
    #[error("the vault folder `{}` cannot be used: {cause}", folder.display())]
    Folder {
        /// Which folder.
        folder: PathBuf,
        /// The cause.
        #[source]
        cause: io::Error,
    },
    /// Reading or writing failed.
    #[error("the vault folder `{}` failed: {cause}", folder.display())]
    Storage {
        /// Which folder.
        folder: PathBuf,
        /// The cause.
        #[source]
        cause: io::Error,
    },
    /// The envelope is empty or longer than [`ENVELOPE_BYTES_MAX`].
    #[error(
        "an envelope has 1 to {ENVELOPE_BYTES_MAX} bytes and this one has {0}; split the document"
    )]
    Size(usize),
    /// The visit has [`ENVELOPES_PER_VISIT_MAX`] envelopes.
    #[error("a visit has at most {ENVELOPES_PER_VISIT_MAX} documents; put several into one")]
    TooMany,
    /// Another envelope is kept under the same commitment.
    #[error("another envelope is kept under commitment `{0}`; seal it with a new salt")]
    Taken(Hash),
    /// The file is not what was written.
    #[error(
        "the envelope under commitment `{commitment}` in `{}` is damaged; put the file of the last \
         backup there", folder.display()
    )]
    Damaged {
        /// The vault's folder.
        folder: PathBuf,
        /// Whose file it is.
        commitment: Hash,
    },
    /// There is no such envelope to replace.
    #[error("there is no envelope under commitment `{0}`")]
    Missing(Hash),
}

/// Where envelopes without a sum lay.
const UNSUMMED: &str = "envelope";

fn envelope_name(commitment: &str) -> PathBuf {
    Path::new("sealed").join(commitment)
}

fn access_folder(commitment: &Hash) -> PathBuf {
    Path::new("access").join(commitment.to_string())
}

fn visit_folder(visit: VisitId) -> PathBuf {
    Path::new("visit").join(visit.to_string())
}

impl VaultStore {
    /// Opens the folder, and makes it when it is missing.
    ///
    /// # Errors
    /// [`VaultStoreError::Folder`], or envelopes of an earlier form that cannot be moved.
    pub fn open(folder: &Path) -> Result<Self, VaultStoreError> {
        let fail = |cause| VaultStoreError::Folder { folder: folder.to_owned(), cause };
        make_folder(folder).map_err(fail)?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let writer = Mutex::new(options.open(folder.join("lock")).map_err(fail)?);
        let opened = Self { folder: folder.to_owned(), writer };
        opened.give_sums()?;
        Ok(opened)
    }

    fn writer(&self) -> Result<Writer<'_>, VaultStoreError> {
        let lock = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        lock.lock().map_err(|cause| self.failed(cause))?;
        Ok(Writer { folder: &self.folder, lock })
    }

    /// Moves envelopes of the form without sums. Each is there in one form at any time; one that
    /// was moved and not yet taken away is moved again.
    fn give_sums(&self) -> Result<(), VaultStoreError> {
        let writer = self.writer()?;
        let give = || {
            for commitment in names(&self.folder.join(UNSUMMED))? {
                let unsummed = self.folder.join(UNSUMMED).join(&commitment);
                let envelope = std::fs::read(&unsummed)?;
                writer.write(&envelope_name(&commitment), &with_sum(&envelope))?;
                std::fs::remove_file(unsummed)?;
            }
            Ok(())
        };
        give().map_err(|cause| self.failed(cause))
    }

    /// Keeps an envelope durably. The same bytes again are no error.
    ///
    /// # Errors
    /// A size out of bounds, a commitment that is taken, or a failing disk.
    pub fn put(
        &self,
        visit: VisitId,
        commitment: Hash,
        envelope: &[u8],
    ) -> Result<(), VaultStoreError> {
        check_size(envelope)?;
        let writer = self.writer()?;
        let listed = self.list_by_visit(visit)?;
        if !listed.contains(&commitment) && listed.len() >= ENVELOPES_PER_VISIT_MAX {
            return Err(VaultStoreError::TooMany);
        }
        match self.get(&commitment)? {
            Some(kept) if kept == envelope => {}
            Some(_) => return Err(VaultStoreError::Taken(commitment)),
            None => {
                let name = envelope_name(&commitment.to_string());
                let written = writer.write(&name, &with_sum(envelope));
                written.map_err(|cause| self.failed(cause))?;
            }
        }
        let marker = visit_folder(visit).join(commitment.to_string());
        writer.mark(&marker).map_err(|cause| self.failed(cause))
    }

    /// Lets `change` put the same document for other readers in the place of the envelope: one of
    /// them was added or taken away. With `None` it stays as it is. Old or new is there at any
    /// time, never neither, and no other writer comes between reading and writing.
    ///
    /// # Errors
    /// A size out of bounds, no envelope under this commitment, or a failing disk.
    pub fn change(
        &self,
        commitment: Hash,
        change: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>,
    ) -> Result<(), VaultStoreError> {
        let writer = self.writer()?;
        let kept = self.get(&commitment)?.ok_or(VaultStoreError::Missing(commitment))?;
        let Some(envelope) = change(&kept) else { return Ok(()) };
        check_size(&envelope)?;
        let written = writer.write(&envelope_name(&commitment.to_string()), &with_sum(&envelope));
        written.map_err(|cause| self.failed(cause))
    }

    /// Notes durably that an organisation was handed the envelope on this day, and for which audit.
    ///
    /// # Errors
    /// A failing disk.
    pub fn note_access(
        &self,
        commitment: Hash,
        day: CivilDate,
        organisation: OrganisationId,
        audit: Option<u32>,
    ) -> Result<(), VaultStoreError> {
        // The day first, so that the notes are sorted; neither it nor a code has a `_`.
        let audit = audit.map_or_else(String::new, |number| format!("_{number}"));
        let note = access_folder(&commitment).join(format!("{day}_{organisation}{audit}"));
        self.writer()?.mark(&note).map_err(|cause| self.failed(cause))
    }

    /// Who was handed the envelope on which day, and for which audit, oldest first.
    ///
    /// # Errors
    /// A failing disk.
    pub fn accesses(
        &self,
        commitment: Hash,
    ) -> Result<Vec<(CivilDate, OrganisationId, Option<u32>)>, VaultStoreError> {
        let note = |name: &String| {
            let mut words = name.split('_');
            let (day, organisation) = (words.next()?, words.next()?);
            let audit = words.next().map(str::parse).transpose().ok()?;
            Some((day.parse().ok()?, organisation.parse().ok()?, audit))
        };
        let names = names(&self.folder.join(access_folder(&commitment)));
        let names = names.map_err(|cause| self.failed(cause))?;
        let mut notes: Vec<_> = names.iter().filter_map(note).collect();
        notes.sort();
        Ok(notes)
    }

    /// The envelope under this commitment, if there is one.
    ///
    /// # Errors
    /// A failing disk, or a file that is longer than any envelope.
    pub fn get(&self, commitment: &Hash) -> Result<Option<Vec<u8>>, VaultStoreError> {
        let path = self.folder.join(envelope_name(&commitment.to_string()));
        let Some(file) = read_bounded(&path).map_err(|cause| self.failed(cause))? else {
            return Ok(None);
        };
        if file.len() > FILE_BYTES_MAX {
            return Err(VaultStoreError::Size(file.len()));
        }
        let damaged =
            || VaultStoreError::Damaged { folder: self.folder.clone(), commitment: *commitment };
        without_sum(&file).map(|bytes| Some(bytes.to_vec())).ok_or_else(damaged)
    }

    /// The commitments of a visit's envelopes, sorted.
    ///
    /// # Errors
    /// A failing disk.
    pub fn list_by_visit(&self, visit: VisitId) -> Result<Vec<Hash>, VaultStoreError> {
        let names = names(&self.folder.join(visit_folder(visit)));
        let names = names.map_err(|cause| self.failed(cause))?;
        let mut commitments: Vec<Hash> =
            names.iter().filter_map(|name| name.parse().ok()).collect();
        commitments.sort();
        Ok(commitments)
    }

    fn failed(&self, cause: io::Error) -> VaultStoreError {
        VaultStoreError::Storage { folder: self.folder.clone(), cause }
    }
}

/// The names in a folder; none when there is no such folder.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// A file's bytes, and one more than [`FILE_BYTES_MAX`] of a longer one.
fn read_bounded(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(u64::try_from(FILE_BYTES_MAX + 1).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// How long the sum behind an envelope is, in bytes.
const SUM_BYTES: usize = 32;
/// The longest file of an envelope, in bytes.
const FILE_BYTES_MAX: usize = ENVELOPE_BYTES_MAX + SUM_BYTES;

/// An envelope as its file keeps it.
fn with_sum(envelope: &[u8]) -> Vec<u8> {
    [envelope, blake3::hash(envelope).as_bytes()].concat()
}

/// The envelope of a file that is whole.
fn without_sum(file: &[u8]) -> Option<&[u8]> {
    let (envelope, sum) = file.split_last_chunk::<SUM_BYTES>()?;
    (blake3::hash(envelope).as_bytes() == sum).then_some(envelope)
}

const fn check_size(envelope: &[u8]) -> Result<(), VaultStoreError> {
    if envelope.is_empty() || envelope.len() > ENVELOPE_BYTES_MAX {
        return Err(VaultStoreError::Size(envelope.len()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::sha256;

    fn visit(number: u8) -> VisitId {
        VisitId([number; 16])
    }

    fn open() -> (tempfile::TempDir, VaultStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = VaultStore::open(&folder.path().join("vault")).unwrap();
        (folder, store)
    }

    #[test]
    fn envelopes_are_found_by_commitment_and_by_visit_after_opening_again() {
        let (folder, store) = open();
        let (one, two) = (sha256(b"one"), sha256(b"two"));
        store.put(visit(1), one, b"sealed one").unwrap();
        store.put(visit(1), two, b"sealed two").unwrap();
        store.put(visit(2), sha256(b"three"), b"sealed three").unwrap();
        drop(store);
        let store = VaultStore::open(&folder.path().join("vault")).unwrap();
        assert_eq!(store.get(&one).unwrap().unwrap(), b"sealed one");
        let mut both = [one, two];
        both.sort();
        assert_eq!(store.list_by_visit(visit(1)).unwrap(), both);
        assert_eq!(store.list_by_visit(visit(9)).unwrap(), []);
        assert_eq!(store.get(&sha256(b"none")).unwrap(), None);
    }

    #[test]
    fn the_same_envelope_twice_is_kept_once_and_another_one_is_refused() {
        let (_folder, store) = open();
        let commitment = sha256(b"one");
        store.put(visit(1), commitment, b"sealed").unwrap();
        store.put(visit(1), commitment, b"sealed").unwrap();
        let other = store.put(visit(1), commitment, b"changed");
        assert!(matches!(other, Err(VaultStoreError::Taken(taken)) if taken == commitment));
        assert_eq!(store.get(&commitment).unwrap().unwrap(), b"sealed");
        assert_eq!(store.list_by_visit(visit(1)).unwrap(), [commitment]);
    }

    #[test]
    fn an_envelope_is_changed_for_other_readers_but_only_where_one_is() {
        let (_folder, store) = open();
        let commitment = sha256(b"one");
        let mut more = |kept: &[u8]| Some([kept, b" for more readers"].concat());
        let missing = store.change(commitment, &mut more);
        assert!(matches!(missing, Err(VaultStoreError::Missing(_))));
        store.put(visit(1), commitment, b"sealed").unwrap();
        store.change(commitment, &mut more).unwrap();
        store.change(commitment, &mut |_| None).unwrap();
        assert_eq!(store.get(&commitment).unwrap().unwrap(), b"sealed for more readers");
        let emptied = store.change(commitment, &mut |_| Some(Vec::new()));
        assert!(matches!(emptied, Err(VaultStoreError::Size(0))));
    }

    #[test]
    fn changes_at_the_same_time_lose_nothing() {
        let (folder, store) = open();
        let commitment = sha256(b"one");
        store.put(visit(1), commitment, b"sealed").unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                // Each as another process would.
                let path = folder.path().join("vault");
                scope.spawn(move || {
                    let store = VaultStore::open(&path).unwrap();
                    let mut more = |kept: &[u8]| Some([kept, b"+"].concat());
                    store.change(commitment, &mut more).unwrap();
                });
            }
        });
        assert_eq!(store.get(&commitment).unwrap().unwrap(), b"sealed++++");
    }

    #[test]
    fn accesses_are_noted_once_a_day_and_by_envelope() {
        let (folder, store) = open();
        let day = |day| CivilDate::from_ymd(2026, 3, day).unwrap();
        let (auditor, bureau) = ("auditor".parse().unwrap(), "bureau".parse().unwrap());
        let (one, two) = (sha256(b"one"), sha256(b"two"));
        for (commitment, day, organisation, audit) in [
            (one, day(2), auditor, Some(7)),
            (one, day(2), auditor, Some(7)),
            (one, day(2), auditor, None),
            (one, day(1), bureau, None),
            (two, day(3), bureau, None),
        ] {
            store.note_access(commitment, day, organisation, audit).unwrap();
        }
        drop(store);
        let store = VaultStore::open(&folder.path().join("vault")).unwrap();
        let noted = [(day(1), bureau, None), (day(2), auditor, None), (day(2), auditor, Some(7))];
        assert_eq!(store.accesses(one).unwrap(), noted);
        assert_eq!(store.accesses(sha256(b"none")).unwrap(), []);
    }

    #[test]
    fn envelopes_without_sums_get_theirs_when_the_folder_is_opened() {
        let (folder, store) = open();
        let (one, two) = (sha256(b"one"), sha256(b"two"));
        store.put(visit(1), one, b"sealed one").unwrap();
        store.put(visit(1), two, b"sealed two").unwrap();
        drop(store);
        // As an earlier version left them, the second one after a power cut in the middle.
        let vault = folder.path().join("vault");
        let place = |part: &str, name: Hash| vault.join(part).join(name.to_string());
        std::fs::create_dir_all(vault.join("envelope")).unwrap();
        std::fs::write(place("envelope", one), b"sealed one").unwrap();
        std::fs::write(place("envelope", two), b"sealed two").unwrap();
        std::fs::remove_file(place("sealed", one)).unwrap();
        let store = VaultStore::open(&vault).unwrap();
        assert_eq!(store.get(&one).unwrap().unwrap(), b"sealed one");
        assert_eq!(store.get(&two).unwrap().unwrap(), b"sealed two");
        assert_eq!(store.list_by_visit(visit(1)).unwrap().len(), 2);
        assert!(!place("envelope", one).exists() && !place("envelope", two).exists());
    }

    #[test]
    fn a_damaged_envelope_is_named_and_not_handed_out() {
        let (folder, store) = open();
        let commitment = sha256(b"one");
        store.put(visit(1), commitment, b"sealed").unwrap();
        let path = folder.path().join(format!("vault/sealed/{commitment}"));
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut turned = whole.clone();
            turned[at] ^= 1;
            for damaged in [&turned[..], &whole[..at]] {
                std::fs::write(&path, damaged).unwrap();
                let error = store.get(&commitment).unwrap_err().to_string();
                assert!(error.contains(&commitment.to_string()), "{error}");
                let again = store.put(visit(1), commitment, b"sealed");
                assert!(matches!(again, Err(VaultStoreError::Damaged { .. })));
            }
        }
        std::fs::write(&path, whole).unwrap();
        assert_eq!(store.get(&commitment).unwrap().unwrap(), b"sealed");
    }

    #[test]
    fn sizes_are_bounded() {
        let (_folder, store) = open();
        let long = vec![7; ENVELOPE_BYTES_MAX + 1];
        for (envelope, size) in [(&[][..], 0), (&long[..], long.len())] {
            let refused = store.put(visit(1), sha256(b"one"), envelope);
            assert!(matches!(refused, Err(VaultStoreError::Size(is)) if is == size));
        }
        store.put(visit(1), sha256(b"one"), &long[1..]).unwrap();
        assert_eq!(store.get(&sha256(b"one")).unwrap().unwrap().len(), ENVELOPE_BYTES_MAX);
    }

    #[test]
    fn a_visit_holds_a_bounded_number_of_envelopes() {
        let (folder, store) = open();
        let markers = folder.path().join(format!("vault/visit/{}", visit(1)));
        std::fs::create_dir_all(&markers).unwrap();
        for number in 0..ENVELOPES_PER_VISIT_MAX {
            std::fs::write(markers.join(sha256(&number.to_le_bytes()).to_string()), []).unwrap();
        }
        let refused = store.put(visit(1), sha256(b"one more"), b"sealed");
        assert!(matches!(refused, Err(VaultStoreError::TooMany)));
        assert_eq!(store.get(&sha256(b"one more")).unwrap(), None);
        store.put(visit(1), sha256(&0_usize.to_le_bytes()), b"sealed").unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), b"no folder").unwrap();
        let error = VaultStore::open(&folder.path().join("file")).err().unwrap();
        assert!(error.to_string().contains("file"));
    }
}
