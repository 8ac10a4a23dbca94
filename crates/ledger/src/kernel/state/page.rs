//! The tree above the buckets.
//!
//! A page covers four levels of the binary trie: its children, 2 to 16 of them in one allocation,
//! are buckets that cover 1 to 8 of the 16 values of the next four bits (a nibble), or a bucket or
//! page that covers one. Next to each child stands its hash, and the hash of the inner node whose
//! right half begins with it, so that a block rehashes only the nodes it touched.

use alloc::{sync::Arc, vec, vec::Vec};
use primitives::Hash;

use super::BUCKET_ENTRIES_MAX;
use super::bucket::{Bucket, Write};
use super::proof::node_hash;

/// The nibbles of a page: the bits of one level of pages.
const NIBBLES: u8 = 16;
/// Stands for a hash that is still to be computed.
const UNHASHED: Hash = Hash([0; 32]);

/// A bucket, or a page of more than [`BUCKET_ENTRIES_MAX`] rows.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Bucket(Bucket),
    Page(Page),
}

/// Bit `n` of `starts` says that a child begins at nibble `n`.
#[derive(Clone, Debug)]
pub(super) struct Page {
    starts: u16,
    children: Arc<[Child]>,
}

#[derive(Clone, Debug)]
struct Child {
    hash: Hash,
    /// The hash of the inner node whose right half begins here; unused in the first child.
    fork: Hash,
    node: Node,
}

/// Part of a page: `width` nibbles from `start`, a power of two, aligned.
#[derive(Clone, Copy)]
struct Span {
    start: u8,
    width: u8,
}

impl Default for Node {
    fn default() -> Self {
        Self::Bucket(Bucket::default())
    }
}

impl Node {
    /// The hash of the node, from what the page keeps.
    pub(super) fn hash(&self, secret: &Hash) -> Hash {
        match self {
            Self::Bucket(bucket) => bucket.hash(secret),
            Self::Page(page) => page.span_hash(Span::WHOLE),
        }
    }

    /// The value of a row below.
    pub(super) fn get(&self, key_hash: &[u8; 32]) -> Option<&[u8]> {
        let mut node = self;
        let mut level = 0_usize;
        loop {
            match node {
                Self::Bucket(bucket) => return bucket.get(key_hash),
                Self::Page(page) => node = &page.child(nibble(key_hash, level))?.node,
            }
            level = level.saturating_add(1);
        }
    }

    /// Merges sorted writes, all of which belong below this node at this level of pages, and says
    /// by how many rows the node grew. Hashes below the node are up to date afterwards.
    pub(super) fn update(&mut self, secret: &Hash, level: usize, writes: &[Write<'_>]) -> i64 {
        match self {
            Self::Bucket(bucket) => {
                let old = bucket.count();
                *bucket = bucket.with(writes);
                let change = growth(old, bucket.count());
                if bucket.count() > BUCKET_ENTRIES_MAX {
                    *self = arranged(secret, level, vec![(0, Child::of(core::mem::take(self)))]);
                }
                change
            }
            Self::Page(page) => {
                let (change, reshaped, dirty) = page.update(secret, level, writes);
                if reshaped {
                    let pieces = page.starts().zip(page.children.iter().cloned()).collect();
                    *self = arranged(secret, level, pieces);
                } else {
                    page.rehash(Span::WHOLE, dirty);
                }
                change
            }
        }
    }

    /// Collects the hashes beside the way to a key, and the pairs of the bucket at its end.
    pub(super) fn prove(
        &self,
        secret: &Hash,
        key_hash: &[u8; 32],
        siblings: &mut Vec<Hash>,
    ) -> Vec<(Hash, Hash)> {
        let mut node = self;
        let mut level = 0_usize;
        loop {
            match node {
                Self::Bucket(bucket) => return bucket.pairs(secret),
                Self::Page(page) => {
                    let nibble = nibble(key_hash, level);
                    page.siblings(nibble, siblings);
                    node = &page.child(nibble).expect("some child covers every nibble").node;
                }
            }
            level = level.saturating_add(1);
        }
    }

    fn bucket(&self) -> Option<&Bucket> {
        match self {
            Self::Bucket(bucket) => Some(bucket),
            Self::Page(_) => None,
        }
    }
}

impl Child {
    fn of(node: Node) -> Self {
        Self { hash: UNHASHED, fork: UNHASHED, node }
    }
}

impl Page {
    fn starts(&self) -> impl Iterator<Item = u8> {
        let starts = self.starts;
        (0..NIBBLES).filter(move |nibble| starts & bit(*nibble) != 0)
    }

    /// Which child covers a nibble.
    fn index(&self, nibble: u8) -> usize {
        let up_to = self.starts & (u16::MAX >> NIBBLES.saturating_sub(nibble).saturating_sub(1));
        usize::try_from(up_to.count_ones()).unwrap_or(0).saturating_sub(1)
    }

    fn child(&self, nibble: u8) -> Option<&Child> {
        self.children.get(self.index(nibble))
    }

    /// Whether one child alone covers the span.
    fn is_single(&self, span: Span) -> bool {
        (self.starts & span.mask()).count_ones() <= 1
    }

    /// Applies writes to the children. Says by how many rows they grew, whether buckets have to be
    /// split or joined, and which nibbles' children have a new hash.
    fn update(&mut self, secret: &Hash, level: usize, writes: &[Write<'_>]) -> (i64, bool, u16) {
        let starts: Vec<u8> = self.starts().collect();
        let ends = starts.iter().skip(1).copied().chain([NIBBLES]);
        let (mut change, mut reshaped, mut dirty) = (0_i64, false, 0_u16);
        let mut rest = writes;
        let children = Arc::make_mut(&mut self.children);
        for ((child, start), end) in children.iter_mut().zip(&starts).zip(ends) {
            let mine = rest.partition_point(|write| nibble(&write.key_hash, level) < end);
            let (mine, later) = rest.split_at(mine);
            rest = later;
            if mine.is_empty() {
                continue;
            }
            dirty |= bit(*start);
            let grown = match &mut child.node {
                Node::Bucket(bucket) => {
                    let old = bucket.count();
                    *bucket = bucket.with(mine);
                    let grown = growth(old, bucket.count());
                    reshaped |= grown < 0 || bucket.count() > BUCKET_ENTRIES_MAX;
                    grown
                }
                page @ Node::Page(_) => {
                    let grown = page.update(secret, level.saturating_add(1), mine);
                    reshaped |= page.bucket().is_some();
                    grown
                }
            };
            change = change.saturating_add(grown);
            // An overfull bucket is about to be split, so its hash would be thrown away.
            let final_form = child.node.bucket().is_none_or(|b| b.count() <= BUCKET_ENTRIES_MAX);
            if final_form {
                child.hash = child.node.hash(secret);
            }
        }
        (change, reshaped, dirty)
    }

    /// Brings the inner nodes above dirty children up to date and returns the span's hash.
    fn rehash(&mut self, span: Span, dirty: u16) -> Hash {
        if self.is_single(span) || dirty & span.mask() == 0 {
            return self.span_hash(span);
        }
        let (left, right) = span.halves();
        let hash = node_hash(&self.rehash(left, dirty), &self.rehash(right, dirty));
        let at = self.index(right.start);
        if let Some(child) = Arc::make_mut(&mut self.children).get_mut(at) {
            child.fork = hash;
        }
        hash
    }

    /// The hash of the node that covers a span.
    fn span_hash(&self, span: Span) -> Hash {
        let child = if self.is_single(span) {
            self.child(span.start).map(|child| child.hash)
        } else {
            self.child(span.halves().1.start).map(|child| child.fork)
        };
        child.expect("some child covers every nibble")
    }

    fn siblings(&self, nibble: u8, siblings: &mut Vec<Hash>) {
        let mut span = Span::WHOLE;
        while !self.is_single(span) {
            let (left, right) = span.halves();
            let (way, beside) = if nibble < right.start { (left, right) } else { (right, left) };
            siblings.push(self.span_hash(beside));
            span = way;
        }
    }
}

/// The one canonical node of these children, which together cover a page at this level. A bucket
/// among them may be overfull, and neighbours may be few enough to be one bucket.
fn arranged(secret: &Hash, level: usize, pieces: Vec<(u8, Child)>) -> Node {
    let mut out = Vec::with_capacity(usize::from(NIBBLES));
    arrange(secret, level, Span::WHOLE, pieces, &mut out);
    if let [(_, child)] = out.as_mut_slice()
        && child.node.bucket().is_some()
    {
        return core::mem::take(&mut child.node);
    }
    let starts = out.iter().fold(0_u16, |starts, (start, _)| starts | bit(*start));
    let mut page = Page { starts, children: out.into_iter().map(|(_, child)| child).collect() };
    page.rehash(Span::WHOLE, u16::MAX);
    Node::Page(page)
}

fn arrange(
    secret: &Hash,
    level: usize,
    span: Span,
    mut pieces: Vec<(u8, Child)>,
    out: &mut Vec<(u8, Child)>,
) {
    let buckets: Option<Vec<&Bucket>> =
        pieces.iter().map(|(_, child)| child.node.bucket()).collect();
    let count = buckets.as_ref().map(|buckets| {
        buckets.iter().fold(0_usize, |sum, bucket| sum.saturating_add(bucket.count()))
    });
    if let (Some(buckets), Some(0..=BUCKET_ENTRIES_MAX)) = (&buckets, count)
        && buckets.len() > 1
    {
        let node = Node::Bucket(Bucket::joined(buckets.iter().copied()));
        pieces = vec![(span.start, Child { hash: node.hash(secret), ..Child::of(node) })];
    }
    let overfull = count.is_some_and(|count| count > BUCKET_ENTRIES_MAX);
    let (left, right) = span.halves();
    match pieces.as_mut_slice() {
        [(_, child)] if !overfull => {
            if child.hash == UNHASHED {
                child.hash = child.node.hash(secret);
            }
            out.append(&mut pieces);
        }
        [(_, child)] if span.width == 1 => {
            let inner = vec![(0, Child::of(core::mem::take(&mut child.node)))];
            let node = arranged(secret, level.saturating_add(1), inner);
            out.push((span.start, Child { hash: node.hash(secret), ..Child::of(node) }));
        }
        [(_, child)] => {
            let Node::Bucket(bucket) = &child.node else {
                unreachable!("only buckets are overfull")
            };
            let halves = bucket.split(|key_hash| nibble(key_hash, level) < right.start);
            let piece = |span: Span, half| vec![(span.start, Child::of(Node::Bucket(half)))];
            arrange(secret, level, left, piece(left, halves.0), out);
            arrange(secret, level, right, piece(right, halves.1), out);
        }
        _ => {
            let later = pieces.partition_point(|(start, _)| *start < right.start);
            let later = pieces.split_off(later);
            arrange(secret, level, left, pieces, out);
            arrange(secret, level, right, later, out);
        }
    }
}

impl Span {
    const WHOLE: Self = Self { start: 0, width: NIBBLES };

    fn mask(self) -> u16 {
        let width = u16::MAX >> NIBBLES.saturating_sub(self.width);
        width << self.start
    }

    fn halves(self) -> (Self, Self) {
        let width = self.width >> 1;
        let right = Self { start: self.start.saturating_add(width), width };
        (Self { start: self.start, width }, right)
    }
}

fn bit(nibble: u8) -> u16 {
    1_u16.checked_shl(u32::from(nibble)).unwrap_or(0)
}

/// Four bits of a key hash, most significant first; the end of the hash reads as zeros.
fn nibble(key_hash: &[u8; 32], level: usize) -> u8 {
    let byte = key_hash.get(level >> 1).copied().unwrap_or(0);
    if level & 1 == 0 { byte >> 4 } else { byte & 0x0f }
}

fn growth(old: usize, new: usize) -> i64 {
    let old = i64::try_from(old).unwrap_or(i64::MAX);
    i64::try_from(new).unwrap_or(i64::MAX).saturating_sub(old)
}

/// All rows below a node, in the order of their key hashes.
pub(super) struct Entries<'a> {
    bucket: Option<(&'a Bucket, usize)>,
    above: Vec<core::slice::Iter<'a, Child>>,
}

impl<'a> Entries<'a> {
    pub(super) fn new(node: &'a Node) -> Self {
        let mut entries = Self { bucket: None, above: Vec::new() };
        entries.enter(node);
        entries
    }

    fn enter(&mut self, node: &'a Node) {
        match node {
            Node::Bucket(bucket) => self.bucket = Some((bucket, 0)),
            Node::Page(page) => self.above.push(page.children.iter()),
        }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = (Hash, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((bucket, at)) = self.bucket {
                if let Some(row) = bucket.row(at) {
                    self.bucket = Some((bucket, at.saturating_add(1)));
                    return Some(row);
                }
                self.bucket = None;
            }
            match self.above.last_mut()?.next() {
                Some(child) => self.enter(&child.node),
                None => {
                    self.above.pop();
                }
            }
        }
    }
}
