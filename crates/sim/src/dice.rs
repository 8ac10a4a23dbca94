//! All chance in a simulated world, drawn from its seed.
//!
//! Each part of the world has dice of its own ([`Dice::fork`]), so that one more draw in one part
//! does not change what happens in the others.

use primitives::sha256_parts;

/// A source of numbers that a seed determines.
#[derive(Clone, Debug)]
pub struct Dice {
    seed: u64,
    numbers: fastrand::Rng,
}

impl Dice {
    /// The dice of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, numbers: fastrand::Rng::with_seed(seed) }
    }

    /// Dice of their own for a part of the world; they depend on the seed and the name only.
    #[must_use]
    pub fn fork(&self, name: &str) -> Self {
        let hash =
            sha256_parts(&[b"yibao/sim-dice/v1", &self.seed.to_le_bytes(), name.as_bytes()]).0;
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&hash[..8]);
        Self::new(u64::from_le_bytes(bytes))
    }

    /// A number below `bound`, zero when that is zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.numbers.u64(0..bound) }
    }

    /// A number from `first` to `last`.
    pub fn between(&mut self, first: u64, last: u64) -> u64 {
        self.numbers.u64(first..=last.max(first))
    }

    /// A place in a list of this length, which must not be empty.
    pub fn place(&mut self, length: usize) -> usize {
        self.numbers.usize(0..length.max(1))
    }

    /// Yes, so many times of a thousand.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// One of a list, which must not be empty.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.place(list.len())]
    }

    /// 16 bytes, as for an id.
    pub fn bytes(&mut self) -> [u8; 16] {
        self.numbers.u128(..).to_le_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_forks_do_not_disturb_each_other() {
        let (mut one, mut other) = (Dice::new(7), Dice::new(7));
        let mut fork = other.fork("clients");
        fork.bytes();
        let draw = |dice: &mut Dice| (dice.below(1_000), dice.between(5, 9), dice.bytes());
        assert_eq!(draw(&mut one), draw(&mut other));
        assert_ne!(draw(&mut one.fork("disk")), draw(&mut one.fork("clients")));
        assert_eq!(one.below(0), 0);
    }
}
