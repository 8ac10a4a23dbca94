//! The receipt log against the recursive definitions of RFC 6962 and against the published vectors
//! of the Certificate Transparency projects.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::{cell::RefCell, collections::BTreeMap, convert::Infallible};

use primitives::{Hash, codec};
use proof::{
    log::{
        Frontier, MakeProofError, Nodes, ProofError, empty_root, leaf_hash, node_hash,
        prove_consistency, prove_inclusion, root_at, root_of, verify_consistency, verify_inclusion,
    },
    tile::{Tile, TiledNodes, TiledNodesError, Tiles, decode_entries, encode_entries, encode_tile},
};

/// The leaves of the published vectors (certificate-transparency `merkle_tree_test`, also in
/// transparency-dev/merkle), which both projects use for RFC 6962.
const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];

/// The roots over the first one to eight of them.
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// Leaf number (from 1), size and path of the published inclusion proofs.
const INCLUSION: [(u64, u64, &[&str]); 5] = [
    (1, 1, &[]),
    (
        1,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        &[
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (3, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        2,
        5,
        &[
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
];

/// Old size, new size and path of the published consistency proofs.
const CONSISTENCY: [(u64, u64, &[&str]); 5] = [
    (1, 1, &[]),
    (
        1,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        &[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        &[
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
    (
        6,
        7,
        &[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
];

fn hash(hex: &str) -> Hash {
    hex.parse().unwrap()
}

fn hashes(list: &[&str]) -> Vec<Hash> {
    list.iter().map(|hex| hash(hex)).collect()
}

/// RFC 6962 section 2.1, word for word and slowly: `MTH`, `PATH` and `PROOF`.
struct Naive {
    leaves: Vec<Hash>,
    known: RefCell<BTreeMap<(usize, usize), Hash>>,
}

fn split(count: usize) -> usize {
    count.next_power_of_two() / 2
}

impl Naive {
    fn new(leaves: Vec<Hash>) -> Self {
        Self { leaves, known: RefCell::default() }
    }

    fn counted(count: u32) -> Self {
        Self::new((0..count).map(|number| leaf_hash(&number.to_le_bytes())).collect())
    }

    fn mth(&self, start: usize, end: usize) -> Hash {
        match end - start {
            0 => return empty_root(),
            1 => return self.leaves[start],
            _ => {}
        }
        if let Some(known) = self.known.borrow().get(&(start, end)) {
            return *known;
        }
        let middle = start + split(end - start);
        let hash = node_hash(&self.mth(start, middle), &self.mth(middle, end));
        self.known.borrow_mut().insert((start, end), hash);
        hash
    }

    fn path(&self, m: usize, start: usize, end: usize) -> Vec<Hash> {
        if end - start == 1 {
            return Vec::new();
        }
        let k = split(end - start);
        if m < k {
            let mut path = self.path(m, start, start + k);
            path.push(self.mth(start + k, end));
            path
        } else {
            let mut path = self.path(m - k, start + k, end);
            path.push(self.mth(start, start + k));
            path
        }
    }

    fn subproof(&self, m: usize, start: usize, end: usize, known: bool) -> Vec<Hash> {
        if m == end - start {
            return if known { Vec::new() } else { vec![self.mth(start, end)] };
        }
        let k = split(end - start);
        if m <= k {
            let mut path = self.subproof(m, start, start + k, known);
            path.push(self.mth(start + k, end));
            path
        } else {
            let mut path = self.subproof(m - k, start + k, end, false);
            path.push(self.mth(start, start + k));
            path
        }
    }
}

impl Nodes for Naive {
    type Error = Infallible;
    fn subtree(&self, height: u8, index: u64) -> Result<Hash, Infallible> {
        let start = usize::try_from(index << height).unwrap();
        let end = start + (1 << height);
        assert!(end <= self.leaves.len(), "only subtrees inside the log are asked for");
        Ok(self.mth(start, end))
    }
}

#[test]
fn the_published_roots_and_proofs_come_out() {
    let entries: Vec<Vec<u8>> = LEAVES.iter().map(|leaf| hex::decode(leaf).unwrap()).collect();
    assert_eq!(
        root_of::<&[u8]>([]),
        hash("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    );
    for (count, root) in (1..).zip(ROOTS) {
        assert_eq!(root_of(&entries[..count]), hash(root), "{count} leaves");
    }
    let tree = Naive::new(entries.iter().map(|entry| leaf_hash(entry)).collect());
    let root = |size: u64| hash(ROOTS[usize::try_from(size).unwrap() - 1]);
    for (number, size, path) in INCLUSION {
        let path = hashes(path);
        let index = number - 1;
        let leaf = tree.leaves[usize::try_from(index).unwrap()];
        assert_eq!(prove_inclusion(&tree, index, size), Ok(path.clone()));
        assert_eq!(verify_inclusion(leaf, index, size, root(size), &path), Ok(()));
        corrupt_inclusion(leaf, index, size, root(size), &path);
    }
    for (old, new, path) in CONSISTENCY {
        let path = hashes(path);
        assert_eq!(prove_consistency(&tree, old, new), Ok(path.clone()));
        assert_eq!(verify_consistency(old, root(old), new, root(new), &path), Ok(()));
        if !path.is_empty() {
            corrupt_consistency(old, root(old), new, root(new), &path);
        }
    }
}

/// The corruptions that the reference implementations try: each must be refused.
fn corrupt_inclusion(leaf: Hash, index: u64, size: u64, root: Hash, path: &[Hash]) {
    let other = hash("abacaba000000000000000000000000000000000000000000060061e00123456");
    let refused = |leaf, index, size, root, path: &[Hash], what: &str| {
        assert!(verify_inclusion(leaf, index, size, root, path).is_err(), "{what}");
    };
    for wrong in [index.wrapping_sub(1), index + 1, index ^ 2] {
        refused(leaf, wrong, size, root, path, "index");
    }
    refused(leaf, index, size * 2, root, path, "doubled size");
    refused(leaf, index, size / 2, root, path, "halved size");
    refused(other, index, size, root, path, "leaf");
    refused(leaf, index, size, other, path, "root");
    refused(leaf, index, size, empty_root(), path, "empty root");
    refused(leaf, index, size, root, &[path, &[root]].concat(), "trailing hash");
    refused(leaf, index, size, root, &[&[root], path].concat(), "leading hash");
    for place in 0..path.len() {
        let mut bent = path.to_vec();
        bent[place].0[0] ^= 8;
        refused(leaf, index, size, root, &bent, "bent hash");
    }
    if let Some((_, shorter)) = path.split_last() {
        refused(leaf, index, size, root, shorter, "missing hash");
    }
}

fn corrupt_consistency(old: u64, old_root: Hash, new: u64, new_root: Hash, path: &[Hash]) {
    let refused = |old, old_root, new, new_root, path: &[Hash], what: &str| {
        assert!(verify_consistency(old, old_root, new, new_root, path).is_err(), "{what}");
    };
    for wrong in [old - 1, old + 1, old ^ 2] {
        refused(wrong, old_root, new, new_root, path, "old size");
    }
    refused(old, old_root, new * 2, new_root, path, "doubled size");
    refused(old, old_root, new / 2, new_root, path, "halved size");
    refused(old, new_root, new, old_root, path, "swapped roots");
    refused(old, empty_root(), new, new_root, path, "old root");
    refused(old, old_root, new, empty_root(), path, "new root");
    refused(old, old_root, new, new_root, &[], "empty proof");
    for extra in [old_root, new_root, path[0]] {
        refused(old, old_root, new, new_root, &[path, &[extra]].concat(), "trailing hash");
        refused(old, old_root, new, new_root, &[&[extra], path].concat(), "leading hash");
    }
    refused(old, old_root, new, new_root, &path[..path.len() - 1], "missing hash");
    for place in 0..path.len() {
        let mut bent = path.to_vec();
        bent[place].0[31] ^= 16;
        refused(old, old_root, new, new_root, &bent, "bent hash");
    }
}

#[test]
fn frontier_matches_the_recursive_definition() {
    let tree = Naive::counted(300);
    let mut frontier = Frontier::new();
    for size in 0..=300_usize {
        assert_eq!(frontier.size(), size as u64);
        assert_eq!(frontier.root(), tree.mth(0, size), "size {size}");
        assert_eq!(root_at(&tree, size as u64), Ok(tree.mth(0, size)));
        let bytes = codec::encode(&frontier);
        assert_eq!(bytes.len(), 12 + 32 * size.count_ones() as usize);
        assert_eq!(codec::decode::<Frontier>(&bytes).unwrap(), frontier);
        if size < 300 {
            frontier.push(tree.leaves[size]);
        }
    }
    let mut bytes = codec::encode(&frontier);
    bytes[0] ^= 1;
    assert!(codec::decode::<Frontier>(&bytes).is_err(), "size and peaks must agree");
}

#[test]
fn every_inclusion_proof_up_to_130_leaves_is_the_recursive_one_and_holds_at_its_place_only() {
    let tree = Naive::counted(131);
    for size in 1..=130_usize {
        let root = tree.mth(0, size);
        for index in 0..size {
            let path = prove_inclusion(&tree, index as u64, size as u64).unwrap();
            assert_eq!(path, tree.path(index, 0, size), "leaf {index} of {size}");
            for other in 0..size {
                let held =
                    verify_inclusion(tree.leaves[index], other as u64, size as u64, root, &path);
                assert_eq!(held.is_ok(), other == index, "leaf {index} of {size} at {other}");
            }
        }
        assert_eq!(
            prove_inclusion(&tree, size as u64, size as u64),
            Err(MakeProofError::OutOfRange)
        );
    }
    let none = verify_inclusion(tree.leaves[0], 0, 0, empty_root(), &[]);
    assert_eq!(none, Err(ProofError::OutOfRange));
}

#[test]
fn every_consistency_proof_up_to_130_leaves_is_the_recursive_one() {
    let tree = Naive::counted(131);
    for new in 0..=130_usize {
        let new_root = tree.mth(0, new);
        for old in 0..=new {
            let old_root = tree.mth(0, old);
            let path = prove_consistency(&tree, old as u64, new as u64).unwrap();
            if old > 0 {
                assert_eq!(path, tree.subproof(old, 0, new, true), "{old} to {new}");
            }
            let check = |old: usize, old_root, new_root, path: &[Hash]| {
                verify_consistency(old as u64, old_root, new as u64, new_root, path)
            };
            assert_eq!(check(old, old_root, new_root, &path), Ok(()), "{old} to {new}");
            let mut other = old_root;
            other.0[5] ^= 1;
            assert!(check(old, other, new_root, &path).is_err(), "{old} to {new}: old root");
            if old > 0 {
                let mut other = new_root;
                other.0[5] ^= 1;
                assert!(check(old, old_root, other, &path).is_err(), "{old} to {new}: new root");
                assert!(check(old - 1, old_root, new_root, &path).is_err());
            }
            assert!(check(old, old_root, new_root, &[&path[..], &[new_root]].concat()).is_err());
        }
        let back = prove_consistency(&tree, new as u64 + 1, new as u64);
        assert_eq!(back, Err(MakeProofError::OutOfRange));
    }
}

/// Tiles as files would hold them.
#[derive(Default)]
struct Files(BTreeMap<String, Vec<u8>>);

impl Tiles for Files {
    type Error = String;
    fn tile(&self, tile: Tile) -> Result<Vec<Hash>, String> {
        let bytes = self.0.get(&tile.path()).ok_or_else(|| tile.path())?;
        tile.decode(bytes).map_err(|error| error.to_string())
    }
}

/// Stores the log's tiles from what the frontier reports.
fn store(leaves: &[Hash]) -> (Files, Frontier) {
    let mut levels: BTreeMap<u8, Vec<Hash>> = BTreeMap::new();
    let mut frontier = Frontier::new();
    for leaf in leaves {
        frontier.push_with(*leaf, |entry| {
            let level = levels.entry(entry.level).or_default();
            assert_eq!(level.len() as u64, entry.index, "hashes come in order");
            level.push(entry.hash);
        });
    }
    let mut files = Files::default();
    for tile in Tile::all(frontier.size()) {
        let row = &levels[&tile.level()];
        let start = tile.index() as usize * 256;
        let hashes = &row[start..start + usize::from(tile.width())];
        files.0.insert(tile.path(), encode_tile(hashes));
    }
    (files, frontier)
}

#[test]
fn proofs_from_tiles_on_disk_hold_for_a_log_of_70_000() {
    let leaves: Vec<Hash> = (0..70_000_u32).map(|n| leaf_hash(&n.to_le_bytes())).collect();
    let (files, frontier) = store(&leaves);
    let nodes = TiledNodes::new(&files, frontier.size());
    assert_eq!(root_at(&nodes, 70_000), Ok(frontier.root()));
    for index in [0, 1, 255, 256, 257, 65_535, 65_536, 69_887, 69_888, 69_998, 69_999_usize] {
        let path = prove_inclusion(&nodes, index as u64, 70_000).unwrap();
        let held = verify_inclusion(leaves[index], index as u64, 70_000, frontier.root(), &path);
        assert_eq!(held, Ok(()), "leaf {index}");
    }
    for old in [1, 2, 255, 256, 257, 1_000, 65_535, 65_536, 65_537, 69_999, 70_000_u64] {
        let old_root = store(&leaves[..old as usize]).1.root();
        assert_eq!(root_at(&nodes, old), Ok(old_root));
        let path = prove_consistency(&nodes, old, 70_000).unwrap();
        let held = verify_consistency(old, old_root, 70_000, frontier.root(), &path);
        assert_eq!(held, Ok(()), "from {old}");
    }
    assert_eq!(nodes.subtree(0, 70_000), Err(TiledNodesError::OutOfRange));
    assert_eq!(nodes.subtree(16, 1), Err(TiledNodesError::OutOfRange));
    assert_eq!(nodes.subtree(7, u64::MAX), Err(TiledNodesError::OutOfRange));
}

#[test]
fn a_missing_or_cut_tile_is_an_error_and_not_a_wrong_proof() {
    let leaves: Vec<Hash> = (0..600_u32).map(|n| leaf_hash(&n.to_le_bytes())).collect();
    let (mut files, _) = store(&leaves);
    files.0.get_mut("tile/0/002.p/88").unwrap().pop();
    let held = prove_inclusion(&TiledNodes::new(&files, 600), 520, 600);
    let cut = "the tile has 2815 bytes; it should have 2816".to_owned();
    assert_eq!(held, Err(MakeProofError::Nodes(TiledNodesError::Tiles(cut))));
    files.0.get_mut("tile/0/002.p/88").unwrap().push(0);
    files.0.remove("tile/0/001");
    let held = prove_inclusion(&TiledNodes::new(&files, 600), 300, 600);
    let missing = TiledNodesError::Tiles("tile/0/001".to_owned());
    assert_eq!(held, Err(MakeProofError::Nodes(missing)));
}

#[test]
fn tiles_are_numbered_and_named_as_tlog_tiles_says() {
    let path = |level, index, width| Tile::new(level, index, width).unwrap().path();
    assert_eq!(path(0, 1_234_067, 256), "tile/0/x001/x234/067");
    assert_eq!(path(1, 0, 17), "tile/1/000.p/17");
    assert_eq!(path(0, 1_000, 5), "tile/0/x001/000.p/5");
    assert_eq!(Tile::new(0, 7, 256).unwrap().entries_path(), "tile/entries/007");
    // The specification's example: a tree of 70,000 leaves.
    let tiles: Vec<Tile> = Tile::all(70_000).collect();
    let count = |level, partial| {
        tiles.iter().filter(|tile| tile.level() == level && tile.is_partial() == partial).count()
    };
    assert_eq!((count(0, false), count(1, false), count(2, false)), (273, 1, 0));
    let partial: Vec<String> =
        tiles.iter().filter(|tile| tile.is_partial()).map(|tile| tile.path()).collect();
    assert_eq!(partial, ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]);
    let paths: Vec<String> = Tile::all(256).map(Tile::path).collect();
    assert_eq!(paths, ["tile/0/000", "tile/1/000.p/1"]);
    assert_eq!(Tile::all(0).count(), 0);
}

#[test]
fn a_tile_path_has_one_spelling() {
    for tile in [(0, 0, 256), (0, 999, 1), (3, 1_234_067, 255), (7, u64::MAX, 256)] {
        let tile = Tile::new(tile.0, tile.1, tile.2).unwrap();
        assert_eq!(Tile::from_path(&tile.path()), Ok(tile));
    }
    for wrong in [
        "",
        "tile/0/0",
        "tile/00/000",
        "tile/8/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/07",
        "tile/0/001/000",
        "tile/0/x000/001",
        "tile/0/x001",
        "tile/0/+01",
        "tile/0/x99999999999999999999/000",
        "/tile/0/000",
        "tile/entries/000",
    ] {
        assert!(Tile::from_path(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn entry_bundles_round_trip_and_refuse_cut_input() {
    let entries: [&[u8]; 3] = [b"", b"abc", &[7; 300]];
    let bytes = encode_entries(&entries).unwrap();
    assert_eq!(&bytes[..7], b"\0\0\0\x03abc");
    assert_eq!(decode_entries(&bytes).unwrap(), entries);
    for end in 1..bytes.len() {
        if ![2, 7].contains(&end) {
            assert!(decode_entries(&bytes[..end]).is_none(), "cut at {end}");
        }
    }
    assert!(encode_entries(&[vec![0; 65_535]]).is_some());
    assert!(encode_entries(&[vec![0; 65_536]]).is_none());
    assert!(decode_entries(&[0; 2 * 257]).is_none(), "257 empty entries");
}
