//! A small generator of random numbers that gives the same numbers on every machine.

use primitives::{Amount, CivilDate, Currency};

/// SplitMix64: every seed gives its own sequence.
#[derive(Clone)]
pub struct Random(u64);

impl Random {
    /// The sequence of this seed and this number within it.
    pub fn new(seed: u64, number: u64) -> Self {
        let mut random = Self(seed ^ number.wrapping_mul(0xD134_2543_DE82_EF95));
        random.next();
        random
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `bound - 1`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// From `from` to `to`, both in it.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to - from + 1)
    }

    /// A place in a list of this length.
    pub fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(u64::try_from(length).unwrap())).unwrap()
    }

    /// True in this many of a hundred cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let place = self.place(list.len());
        &list[place]
    }

    /// `least` to `most` different entries of the list, in its order.
    pub fn some<T: Clone>(&mut self, list: &[T], least: usize, most: usize) -> Vec<T> {
        let most = most.min(list.len());
        let least = least.min(most);
        let count = least + self.place(most - least + 1);
        let mut left = count;
        let mut chosen = Vec::new();
        for (at, entry) in list.iter().enumerate() {
            if self.place(list.len() - at) < left {
                chosen.push(entry.clone());
                left -= 1;
            }
        }
        chosen
    }

    /// Minor units of every size from nothing to a hundred thousand of the currency, often round.
    pub fn minor(&mut self, currency: Currency) -> u64 {
        let scale = u32::from(currency.scale());
        let digits = u32::try_from(self.between(0, u64::from(4 + scale))).unwrap();
        let size = 10_u64.pow(digits);
        let value = self.between(0, size.saturating_mul(10));
        match self.below(12) {
            0 => 0,
            1 | 2 => value / size * size,
            3 => value / 100 * 100,
            _ => value,
        }
    }

    pub fn amount(&mut self, currency: Currency) -> Amount {
        Amount::from_minor(self.minor(currency))
    }

    /// An amount of money as plans write it.
    pub fn money(&mut self, currency: Currency) -> String {
        self.amount(currency).to_decimal(currency)
    }

    /// A rate as plans write it.
    pub fn rate(&mut self) -> String {
        match self.below(4) {
            0 => format!("{}%", self.between(0, 100)),
            1 => format!("{}.{:04}%", self.below(100), self.below(10_000)),
            2 => format!("0.{:06}", self.below(1_000_000)),
            _ => format!("{}%", self.between(10, 20) * 5),
        }
    }

    /// A factor as plans write it: mostly between a half and one and a half.
    pub fn factor(&mut self) -> String {
        match self.below(5) {
            0 => String::from("0.5"),
            1 => format!("1.{:06}", self.below(1_000_000)),
            2 => format!("0.{:06}", self.below(1_000_000)),
            3 => format!("{}", self.below(4)),
            _ => format!("0.{}", self.between(6, 9)),
        }
    }

    /// A day up to `days` after `first`.
    pub fn day(&mut self, first: CivilDate, days: u64) -> CivilDate {
        first.plus_days(i32::try_from(self.below(days)).unwrap()).unwrap()
    }
}
