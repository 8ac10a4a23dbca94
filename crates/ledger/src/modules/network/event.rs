//! What this module tells those whom it concerns. Names are never reused.

crate::kernel::receipt::events! {
    "region_opened", "a region was opened", "its bureau";
    "region_changed", "a region's settings changed", "its bureau";
    "web_origins_changed", "the pages on which passkeys may sign changed", "the governing set";
    "governing_set_changed", "other organisations govern from now on", "the new governing set";
    "node_admitted", "a node was let into the network, or what is known of it changed", "its organisation and the governing set";
    "node_removed", "a node is not in the network any more", "its organisation and the governing set";
    "node_key_rotated", "a node signs with another key", "its organisation";
    "validators_changed", "other organisations, or with other weights, decide from the next block on", "the validators before and after, and the governing set";
    "upgrade_scheduled", "new rules hold from a block on", "the governing set";
    "upgrade_withdrawn", "an upgrade was taken back", "the governing set";
}
