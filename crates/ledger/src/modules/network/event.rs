//! What this module tells those whom it concerns. Names are never reused.

crate::kernel::receipt::events! {
    "region_opened", "a region was opened", "its bureau";
    "region_changed", "a region's settings changed", "its bureau";
    "web_origins_changed", "the pages on which passkeys may sign changed", "the governing set";
    "governing_set_changed", "other organisations govern from now on", "the new governing set";
}
