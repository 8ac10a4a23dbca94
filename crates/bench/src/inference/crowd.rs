//! Crowds: the people who fit what somebody knows.

use std::collections::{BTreeMap, BTreeSet};

use primitives::PersonId;

/// A crowd of fewer people than this is called small.
pub const SMALL: usize = 5;

/// Who fits each key.
pub struct Crowds<K>(BTreeMap<K, BTreeSet<PersonId>>);

impl<K: Ord> Crowds<K> {
    /// The crowds of keys that people have.
    pub fn new(keys: impl IntoIterator<Item = (K, PersonId)>) -> Self {
        let mut crowds: BTreeMap<K, BTreeSet<PersonId>> = BTreeMap::new();
        for (key, person) in keys {
            crowds.entry(key).or_default().insert(person);
        }
        Self(crowds)
    }

    /// How many people fit this key.
    #[must_use]
    pub fn size(&self, key: &K) -> usize {
        self.0.get(key).map_or(0, BTreeSet::len)
    }

    /// How many people fit all of these keys.
    #[must_use]
    pub fn size_of_all(&self, keys: impl IntoIterator<Item = K>) -> usize {
        let mut crowds: Vec<&BTreeSet<PersonId>> = Vec::new();
        for key in keys {
            let Some(crowd) = self.0.get(&key) else { return 0 };
            crowds.push(crowd);
        }
        crowds.sort_by_key(|crowd| crowd.len());
        let Some((smallest, others)) = crowds.split_first() else { return 0 };
        let fits = |person: &&PersonId| others.iter().all(|crowd| crowd.contains(*person));
        smallest.iter().filter(fits).count()
    }

    /// How many people there are in all crowds together.
    #[must_use]
    pub fn people(&self) -> usize {
        self.0.values().flatten().collect::<BTreeSet<_>>().len()
    }
}

/// How large the crowds are that pieces of knowledge lead to.
pub struct Sizes(Vec<usize>);

impl Sizes {
    /// One size per piece of knowledge.
    #[must_use]
    pub fn new(mut sizes: Vec<usize>) -> Self {
        sizes.sort_unstable();
        Self(sizes)
    }

    /// Which share of them leads to one person.
    #[must_use]
    pub fn share_of_one(&self) -> f64 {
        self.share_below(2)
    }

    /// Which share of them leads to fewer people than this.
    #[must_use]
    pub fn share_below(&self, bound: usize) -> f64 {
        let below = self.0.partition_point(|size| *size < bound);
        below as f64 / self.0.len().max(1) as f64
    }

    /// The size in the middle.
    #[must_use]
    pub fn median(&self) -> usize {
        self.0.get(self.0.len() / 2).copied().unwrap_or(0)
    }

    /// The smallest one.
    #[must_use]
    pub fn least(&self) -> usize {
        self.0.first().copied().unwrap_or(0)
    }
}
