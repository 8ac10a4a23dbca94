//! What a node keeps beside its blocks: plan files and catalogues by their hashes, and sealed bills
//! in the vault of the provider that wrote them.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, bail};
use benefit::Catalogue;
use benefit::source::{CatalogueSource, PlanSource};
use node::vault_store::{VaultStore, VaultStoreError};
use primitives::{Hash, OrganisationId, sha256};

use super::folder::{NODE_FOLDER, replace_file};
use crate::command::input::parse_toml;

/// Plan files in the node's folder, named by the hash of their text.
const PLANS: &str = "plans";
/// Catalogues in the node's folder, named by the hash of their items.
const CATALOGUES: &str = "catalogues";
/// An organisation's vault in its own folder.
const VAULT: &str = "vault";
/// How many plans, catalogues and open vaults stay in memory. Our own limit.
const KEPT_MAX: usize = 64;

/// Things by their keys, read once.
type Kept<K, T> = Mutex<BTreeMap<K, Arc<T>>>;

/// The library of a data folder.
pub struct Library {
    data: PathBuf,
    plans: Kept<Hash, PlanSource>,
    catalogues: Kept<Hash, Catalogue>,
    vaults: Kept<OrganisationId, VaultStore>,
}

/// The value of a key, made when it is not there. Making it twice at once does no harm.
fn kept<K: Ord + Copy, T>(
    kept: &Kept<K, T>,
    key: K,
    make: impl FnOnce() -> Result<Option<T>>,
) -> Result<Option<Arc<T>>> {
    let lock = || kept.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(value) = lock().get(&key) {
        return Ok(Some(Arc::clone(value)));
    }
    let Some(value) = make()?.map(Arc::new) else { return Ok(None) };
    let mut map = lock();
    if map.len() >= KEPT_MAX {
        map.pop_first();
    }
    map.insert(key, Arc::clone(&value));
    Ok(Some(value))
}

/// The text of a file; `None` when there is none.
fn text(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("`{}`", path.display())),
    }
}

fn file(data: &Path, folder: &str, hash: &Hash) -> PathBuf {
    data.join(NODE_FOLDER).join(folder).join(format!("{hash}.toml"))
}

fn keep(path: &Path, text: &str) -> Result<()> {
    replace_file(path, text.as_bytes())
        .with_context(|| format!("`{}` cannot be written", path.display()))
}

/// Keeps the file of a published plan, so that quotes can be explained with its words.
///
/// # Errors
/// When it cannot be written.
pub fn keep_plan(data: &Path, text: &str) -> Result<()> {
    keep(&file(data, PLANS, &sha256(text.as_bytes())), text)
}

/// Keeps the file of a published catalogue, so that bills can be sorted by it.
///
/// # Errors
/// When it cannot be written.
pub fn keep_catalogue(data: &Path, catalogue: &Catalogue, text: &str) -> Result<()> {
    keep(&file(data, CATALOGUES, &catalogue.hash()), text)
}

impl Library {
    /// The library of this data folder.
    #[must_use]
    pub fn new(data: PathBuf) -> Self {
        Self {
            data,
            plans: Mutex::default(),
            catalogues: Mutex::default(),
            vaults: Mutex::default(),
        }
    }

    /// The plan file with this hash.
    ///
    /// # Errors
    /// When it cannot be read, or is not the file of this hash any more.
    pub fn plan(&self, hash: Hash) -> Result<Option<Arc<PlanSource>>> {
        kept(&self.plans, hash, || {
            let path = file(&self.data, PLANS, &hash);
            let Some(text) = text(&path)? else { return Ok(None) };
            if sha256(text.as_bytes()) != hash {
                bail!("the plan `{}` was changed; put the published file there", path.display());
            }
            parse_toml("the plan", &path, &text).map(Some)
        })
    }

    /// Keeps a plan file; the same text again changes nothing.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_plan(&self, text: &str) -> Result<()> {
        keep_plan(&self.data, text)
    }

    /// The catalogue with this root.
    ///
    /// # Errors
    /// When it cannot be read, or is not the catalogue of this root any more.
    pub fn catalogue(&self, root: Hash) -> Result<Option<Arc<Catalogue>>> {
        kept(&self.catalogues, root, || {
            let path = file(&self.data, CATALOGUES, &root);
            let Some(text) = text(&path)? else { return Ok(None) };
            let source: CatalogueSource = parse_toml("the catalogue", &path, &text)?;
            let catalogue = Catalogue::compile(&source)
                .with_context(|| format!("the catalogue `{}`", path.display()))?;
            if catalogue.hash() != root {
                bail!(
                    "the catalogue `{}` was changed; put the published file there",
                    path.display()
                );
            }
            Ok(Some(catalogue))
        })
    }

    /// The vault of an organisation, made when it is missing.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn vault(&self, organisation: OrganisationId) -> Result<Arc<VaultStore>> {
        let open = || -> Result<Option<VaultStore>, VaultStoreError> {
            VaultStore::open(&self.data.join(organisation.as_str()).join(VAULT)).map(Some)
        };
        let vault = kept(&self.vaults, organisation, || Ok(open()?))?;
        vault.context("a vault that was just opened is there")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CATALOGUE: &str = "[catalogue]\nid = \"none\"\nregion = 620100\ncurrency = \"CNY\"\n";

    #[test]
    fn a_kept_file_is_found_by_its_hash_and_a_changed_one_is_refused() {
        let data = tempfile::tempdir().unwrap();
        let source: CatalogueSource = toml::from_str(CATALOGUE).unwrap();
        let catalogue = Catalogue::compile(&source).unwrap();
        keep_catalogue(data.path(), &catalogue, CATALOGUE).unwrap();
        let library = || Library::new(data.path().to_owned());
        let found = library().catalogue(catalogue.hash()).unwrap().unwrap();
        assert_eq!(*found, catalogue);
        assert!(library().catalogue(Hash::default()).unwrap().is_none());
        let path = file(data.path(), CATALOGUES, &catalogue.hash());
        fs::write(&path, CATALOGUE.replace("620100", "110100")).unwrap();
        let error = library().catalogue(catalogue.hash()).unwrap_err().to_string();
        assert!(error.contains("was changed"), "{error}");
    }

    #[test]
    fn a_plan_that_was_changed_is_not_used() {
        let data = tempfile::tempdir().unwrap();
        keep_plan(data.path(), "words").unwrap();
        let hash = sha256(b"words");
        fs::write(file(data.path(), PLANS, &hash), "other words").unwrap();
        let error = Library::new(data.path().to_owned()).plan(hash).unwrap_err().to_string();
        assert!(error.contains("was changed"), "{error}");
    }

    #[test]
    fn no_more_is_kept_in_memory_than_the_limit() {
        let map: Kept<usize, usize> = Mutex::default();
        for number in 0..200 {
            assert_eq!(*kept(&map, number, || Ok(Some(number))).unwrap().unwrap(), number);
        }
        assert_eq!(map.lock().unwrap().len(), KEPT_MAX);
        assert!(kept(&map, 999, || Ok(None)).unwrap().is_none());
    }
}
