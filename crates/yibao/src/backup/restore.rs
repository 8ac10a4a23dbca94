//! A data folder made from a backup: as it was, or as it was at an earlier block, and with the
//! newer blocks that another folder of the same ledger still has.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use node::backup::{
    BlocksEnd, Salvaged, Until, bring_blocks, end_of, forget_behind, height_at, salvage, sum_into,
};
use node::store::LogLimits;

use super::{FileSum, MANIFEST_FILE, Manifest, backups_in};
use crate::command::input::bad;
use crate::serving::NODE_FOLDER;

/// What to restore.
pub struct Request<'a> {
    /// A backup, or a folder of backups, of which the newest is taken.
    pub backup: &'a Path,
    /// The data folder to be made.
    pub data: &'a Path,
    /// Up to where.
    pub until: Until,
    /// A data folder of the same ledger, whole or damaged, whose newer blocks come along.
    pub newer: Option<&'a Path>,
}

/// What was restored.
pub struct Restored {
    /// The backup.
    pub backup: PathBuf,
    /// What it says of itself.
    pub manifest: Manifest,
    /// Where the blocks end now.
    pub end: BlocksEnd,
    /// What the other folder gave.
    pub salvaged: Option<Salvaged>,
}

/// Makes a data folder from a backup. It appears whole or not at all.
///
/// # Errors
/// What is damaged in the backup, or cannot be written.
pub fn restore(request: &Request<'_>) -> Result<Restored> {
    let backup = find(request.backup)?;
    let manifest = Manifest::read(&backup)?;
    let data = request.data;
    let is_free =
        !data.exists() || fs::read_dir(data).is_ok_and(|mut inside| inside.next().is_none());
    if !is_free {
        let words = "is there already; name a folder that is not, or an empty one";
        return Err(bad(format!("`{}` {words}", data.display())));
    }
    let part = beside(data);
    if part.exists() {
        fs::remove_dir_all(&part)
            .with_context(|| format!("`{}` cannot be removed", part.display()))?;
    }
    let made = fill(request, &backup, &manifest, &part);
    let (end, salvaged) = match made {
        Ok(made) => made,
        Err(error) => {
            let _ = fs::remove_dir_all(&part);
            return Err(error);
        }
    };
    if data.exists() {
        fs::remove_dir(data).with_context(|| format!("`{}` cannot be replaced", data.display()))?;
    }
    let above = data.parent().filter(|above| !above.as_os_str().is_empty());
    fs::rename(&part, data)
        .and_then(|()| File::open(above.unwrap_or(Path::new(".")))?.sync_all())
        .with_context(|| format!("`{}` cannot be named", data.display()))?;
    Ok(Restored { backup, manifest, end, salvaged })
}

fn find(folder: &Path) -> Result<PathBuf> {
    if folder.join(MANIFEST_FILE).is_file() {
        return Ok(folder.to_owned());
    }
    backups_in(folder)?.pop().ok_or_else(|| {
        bad(format!(
            "`{}` is no backup and holds none: there is no `{MANIFEST_FILE}`; name the folder that `yibao backup` wrote to",
            folder.display()
        ))
    })
}

/// Where a folder is made before it gets its name.
fn beside(data: &Path) -> PathBuf {
    let mut name = data.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    data.with_file_name(name)
}

fn fill(
    request: &Request<'_>,
    backup: &Path,
    manifest: &Manifest,
    part: &Path,
) -> Result<(BlocksEnd, Option<Salvaged>)> {
    for file in &manifest.files {
        copy_checked(backup, part, file)?;
    }
    let node = part.join(NODE_FOLDER);
    if request.until == Until::End {
        let end = end_of(&node)?;
        if end != manifest.end {
            bail!("the blocks of `{}` are not those that its list names", backup.display());
        }
    } else {
        let from = backup.join(NODE_FOLDER);
        let height = height_at(&from, request.until)?;
        let blocks = node.join("blocks");
        if blocks.exists() {
            fs::remove_dir_all(&blocks)
                .with_context(|| format!("`{}` cannot be removed", blocks.display()))?;
        }
        bring_blocks(&from, &node, height)?;
        forget_behind(&node, height)?;
    }
    let newer = request.newer.map(|newer| salvage(&node, &node_in(newer), LogLimits::default()));
    Ok((end_of(&node)?, newer.transpose()?))
}

/// The node's folder in a data folder, or the folder itself.
fn node_in(folder: &Path) -> PathBuf {
    let inner = folder.join(NODE_FOLDER);
    if inner.is_dir() { inner } else { folder.to_owned() }
}

/// Copies a file of a backup and compares its sum.
fn copy_checked(backup: &Path, part: &Path, file: &FileSum) -> Result<()> {
    let is_inside = !file.path.split('/').any(|name| name == ".." || name.is_empty());
    if !is_inside {
        return Err(bad(format!("the backup's list names the file `{}`", file.path)));
    }
    let (source, target) = (backup.join(&file.path), part.join(&file.path));
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("`{}` cannot be made", folder.display()))?;
    }
    let (bytes, sum) = copy_summed(&source, &target)
        .with_context(|| format!("`{}` of the backup cannot be copied", source.display()))?;
    if bytes != file.bytes || sum != file.blake3 {
        bail!(
            "`{}` is damaged: it is not the file that was backed up; restore another backup",
            source.display()
        );
    }
    Ok(())
}

fn copy_summed(source: &Path, target: &Path) -> io::Result<(u64, String)> {
    let mut from = File::open(source)?;
    let mut to = File::create_new(target)?;
    to.set_permissions(from.metadata()?.permissions())?;
    let sum = sum_into(&mut from, &mut to)?;
    to.sync_all()?;
    Ok(sum)
}
