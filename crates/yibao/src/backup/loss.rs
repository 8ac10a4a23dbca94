//! When newer blocks are gone for good: the operator states it, and the ledger goes on from what is
//! left without contradicting anything that was signed.
//!
//! Whoever holds a checkpoint or a voucher over the lost receipts could otherwise show two logs of
//! the same name that differ. So the log goes on under another name, which says where it begins:
//! `yibao.example/gansu` becomes `yibao.example/gansu/2-from-5678`, the second log, when receipts
//! 5678 and later are lost. Nothing is signed under the earlier name any more; vouchers under it
//! stay valid, those of lost receipts as well: they are what the lost receipts can be made again
//! from.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use node::backup::{BlocksEnd, end_of, forget_behind};
use node::store::{Folder, Mark};
use primitives::Timestamp;
use serde::{Deserialize, Serialize};

use crate::command::input::{bad, read_json};
use crate::serving::NODE_FOLDER;
use crate::serving::folder::{ORIGIN_FILE, replace_file};

/// What was lost, in the node's folder.
pub const LOSSES_FILE: &str = "losses.json";
const LOSSES_BYTES_MAX: u64 = 1 << 20;
/// What was signed last before a loss, beside `signed`.
const SIGNED: &str = "signed";

/// A loss, as the operator stated it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loss {
    /// When it was stated.
    pub stated: Timestamp,
    /// The number of the log that goes on from here; the first one was 1.
    pub number: usize,
    /// The name of the log until then.
    pub origin: String,
    /// What is left.
    pub end: BlocksEnd,
    /// Over how many receipts the log was signed under its earlier name; `None` when the folder did
    /// not say.
    pub signed: Option<u64>,
}

/// The losses of a node, oldest first.
///
/// # Errors
/// When they cannot be read.
pub fn losses(node: &Path) -> Result<Vec<Loss>> {
    let path = node.join(LOSSES_FILE);
    if !path.exists() {
        return Ok(Vec::new());
    }
    read_json("the stated losses", &path, LOSSES_BYTES_MAX)
}

/// Writes down that everything behind the last block of this data folder is lost, and lets its log
/// go on under another name. Stating the same loss again changes nothing.
///
/// # Errors
/// When the folder holds no ledger, a damaged one, or cannot be written.
pub fn state_loss(data: &Path, now: Timestamp) -> Result<Loss> {
    let node = data.join(NODE_FOLDER);
    if !node.is_dir() {
        let words = "is no data folder: there is no `node` in it";
        return Err(bad(format!("`{}` {words}", data.display())));
    }
    let disk = Folder::open(&node)?;
    let end = end_of(&node)?;
    let path = node.join(ORIGIN_FILE);
    let origin = fs::read_to_string(&path)
        .with_context(|| format!("`{}` cannot be read", path.display()))?;
    let mark = Mark::new(Arc::new(disk)).read().ok().flatten();
    let mark = mark.map(|signed| signed.checkpoint().clone());
    let mut all = losses(&node)?;
    // Stated before, and interrupted perhaps.
    let known = all.last().filter(|last| last.end.value_id == end.value_id).cloned();
    let loss = known.unwrap_or_else(|| Loss {
        stated: now,
        number: all.len() + 2,
        origin: origin.trim().to_owned(),
        signed: mark.as_ref().map(|mark| mark.size),
        end,
    });
    if all.last() != Some(&loss) {
        all.push(loss.clone());
        write(&node.join(LOSSES_FILE), &serde_json::to_vec_pretty(&all)?)?;
    }
    // The name first: under the earlier one nothing is signed any more, whatever comes between.
    let name = loss.next_origin();
    write(&path, format!("{name}\n").as_bytes())?;
    if mark.is_none_or(|mark| mark.origin != name) && node.join(SIGNED).exists() {
        let before = node.join(format!("{SIGNED}-before-{}", loss.number));
        fs::rename(node.join(SIGNED), &before)
            .with_context(|| format!("`{}` cannot be named", before.display()))?;
    }
    forget_behind(&node, loss.end.height)?;
    Ok(loss)
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    replace_file(path, bytes).with_context(|| format!("`{}` cannot be written", path.display()))
}

impl Loss {
    /// The name of the log from now on.
    #[must_use]
    pub fn next_origin(&self) -> String {
        format!("{}/{}-from-{}", first_name(&self.origin), self.number, self.end.receipts)
    }
}

/// The name that the log had before its first loss.
fn first_name(origin: &str) -> &str {
    let is_number = |text: &str| text.parse::<u64>().is_ok();
    match origin.rsplit_once('/') {
        Some((name, last))
            if last.split_once("-from-").is_some_and(|(a, b)| is_number(a) && is_number(b)) =>
        {
            name
        }
        _ => origin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_loss_does_not_make_the_name_longer() {
        assert_eq!(first_name("yibao.example/gansu"), "yibao.example/gansu");
        assert_eq!(first_name("yibao.example/gansu/2-from-12"), "yibao.example/gansu");
        assert_eq!(first_name("yibao.example/2-from-afar"), "yibao.example/2-from-afar");
    }
}
