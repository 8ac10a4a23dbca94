//! The folder of a demonstration: cleared only when it is one and nobody works in it, and the keys
//! that lie in it for trying things out by hand.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use node::signature::{SecretKey, save_key};
use node::store::Folder;
use primitives::CivilDate;
use serde::Serialize;

use crate::command::input::bad;
use crate::serving::NODE_FOLDER;

/// A file by which a folder of the demonstration is known; only such a folder is made anew.
const MARK: &str = "this-is-a-yibao-demo";
const MARK_WORDS: &str = "made by `yibao demo`, which clears this folder at every start

Everything in here is a demonstration: the people are made up, and the keys in the folders `keys`
and `family` lie there for everybody to try things out with. Never use one of them elsewhere.
";
/// Where the keys of one made-up family lie.
pub const FAMILY: &str = "family";
/// What a node's folder is locked by; it stays while the rest is cleared.
const LOCK: &str = "lock";

/// Makes the folder anew, unless something else lies in it or a node works in it; gives the
/// node's folder, locked.
///
/// # Errors
/// What lies in the folder, or that it cannot be cleared.
pub fn fresh(data: &Path) -> Result<Folder> {
    let shown = data.display();
    let is_empty = || fs::read_dir(data).is_ok_and(|mut entries| entries.next().is_none());
    if data.exists() && !data.is_dir() {
        return Err(bad(format!("`{shown}` is not a folder; name another with --data")));
    }
    if data.exists() && !is_empty() && !data.join(MARK).exists() {
        return Err(bad(format!(
            "`{shown}` holds something that is not a demonstration; name another folder with --data"
        )));
    }
    fs::create_dir_all(data).with_context(|| format!("cannot make `{shown}`"))?;
    fs::write(data.join(MARK), MARK_WORDS)?;
    let node = Folder::open(data.join(NODE_FOLDER))?;
    clear(data, &[MARK, NODE_FOLDER]).with_context(|| format!("cannot clear `{shown}`"))?;
    clear(node.path(), &[LOCK]).with_context(|| format!("cannot clear `{shown}`"))?;
    Ok(node)
}

/// Removes everything in a folder but these.
fn clear(folder: &Path, but: &[&str]) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if but.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Writes a key of an organisation into its folder.
///
/// # Errors
/// When it cannot be written.
pub fn keep_key(data: &Path, organisation: &str, purpose: &str, key: &SecretKey) -> Result<()> {
    let keys = data.join(organisation).join("keys");
    fs::create_dir_all(&keys)?;
    Ok(save_key(&keys.join(format!("{purpose}.key")), key)?)
}

/// A member of the family whose keys are there to try things out with.
#[derive(Serialize)]
pub struct Member {
    /// The made-up name.
    pub name: String,
    /// Who it is on the ledger, as `--party` wants it.
    pub party: String,
    /// The scheme by which the member is insured, by its number.
    pub scheme: u16,
    /// The key file, for those with a key on a phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

#[derive(Serialize)]
struct Family<'a> {
    day: String,
    member: &'a [Member],
}

/// Writes down a family: who they are, the keys of those who have one, and the last day of the
/// demonstration, on which something more may happen.
///
/// # Errors
/// When it cannot be written.
pub fn keep_family(
    data: &Path,
    day: CivilDate,
    members: Vec<(Member, Option<SecretKey>)>,
) -> Result<()> {
    let folder = data.join(FAMILY);
    fs::create_dir_all(&folder)?;
    let mut written = Vec::new();
    for (number, (mut member, key)) in (1..).zip(members) {
        if let Some(key) = key {
            let file = format!("{number}.key");
            save_key(&folder.join(&file), &key)?;
            member.key = Some(file);
        }
        written.push(member);
    }
    let text = toml::to_string(&Family { day: day.to_string(), member: &written })?;
    Ok(fs::write(folder.join("family.toml"), text)?)
}
