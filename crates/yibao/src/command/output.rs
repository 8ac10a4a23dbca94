//! Files that commands write for their user.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::Result;
use node::signature::write_owned;

use super::input::bad;

/// Writes a file that must not be there yet and that its owner alone may read.
///
/// # Errors
/// When it is there, or cannot be written.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let shown = path.display();
    write_owned(path, bytes).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => bad(format!("the file `{shown}` exists already; name another")),
        _ => bad(format!("the file `{shown}` cannot be written: {error}")),
    })
}
