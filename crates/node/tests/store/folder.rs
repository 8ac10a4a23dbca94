//! A real folder.

use crate::world::{Node, assert_same, world_at};
use node::store::{Folder, FolderError};

#[test]
fn a_node_comes_back_from_a_real_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made").join("when-missing");
    for stop in [3, 11, 12, 27] {
        let mut node = Node::start(Folder::open(&path).unwrap()).unwrap();
        node.run(stop, |_| {}).unwrap();
        let snapshot = node.snapshot();
        node.store.begin_snapshot(snapshot).unwrap();
    }
    let node = Node::start(Folder::open(&path).unwrap()).unwrap();
    assert_eq!(node.replayed_after, 27, "the folder was let go only when the snapshot was whole");
    assert_same(&node.world, &world_at(27));
}

#[test]
fn two_nodes_cannot_use_one_folder() {
    let folder = tempfile::tempdir().unwrap();
    let first = Folder::open(folder.path()).unwrap();
    let error = Folder::open(folder.path()).unwrap_err();
    assert!(matches!(error, FolderError::InUse(_)));
    assert!(error.to_string().contains("in use by another node"), "{error}");
    drop(first);
    assert!(Folder::open(folder.path()).is_ok());
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let error = Folder::open(file.join("below")).unwrap_err();
    assert!(error.to_string().contains("file/below"), "{error}");
}
