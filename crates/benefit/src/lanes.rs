//! Lanes: the money of a bill by group and slot, in four cells each, with what was charged and what
//! nobody has paid yet.
//!
//! Invariant: taking a payment out lowers the sum of what is left by exactly the payment.

use primitives::SlotId;

use crate::{
    condition::bit64,
    engine::AdjudicationError,
    facts::Facts,
    plan::{Content, Group},
    sums::{CategorySums, SumKey, SumRow},
};

/// The most lanes of a bill.
pub const LANES_MAX: usize = 16;

/// The cells of a lane: in policy, class B share, over cap, self-paid.
type Cells = [u64; 4];

#[derive(Clone, Copy, Debug, Default)]
struct Lane {
    group: u8,
    slot: u8,
    charged: Cells,
    left: Cells,
}

/// All lanes of a bill, by group and slot.
#[derive(Clone, Debug)]
pub(crate) struct Lanes {
    lanes: [Lane; LANES_MAX],
    len: usize,
}

impl Group {
    fn takes(&self, key: &SumKey, slot_group: Option<u64>) -> bool {
        let category = self.categories == 0 || self.categories & key.category.bit() != 0;
        let class = self.classes == 0 || self.classes & key.class.bit() != 0;
        let programme_bit = 1_u32.checked_shl(u32::from(key.programme)).unwrap_or(0);
        let programme = self.programmes == 0 || self.programmes & programme_bit != 0;
        let slot =
            self.slot_groups == 0 || slot_group.is_some_and(|group| self.slot_groups & group != 0);
        let with = self.with_slot.is_none_or(|with| with == (key.slot.0 != 0));
        category && class && programme && slot && with
    }
}

impl Lanes {
    /// Puts the rows into lanes.
    pub(crate) fn fill(
        plan: &Content,
        sums: &CategorySums,
        facts: &Facts,
    ) -> Result<Self, AdjudicationError> {
        let mut lanes = Self { lanes: [Lane::default(); LANES_MAX], len: 0 };
        for row in sums.rows() {
            let (group, slot) = Self::place(plan, &row.key, facts)?;
            lanes.lane(group, slot)?.add(row);
        }
        Ok(lanes)
    }

    fn place(plan: &Content, key: &SumKey, facts: &Facts) -> Result<(u8, u8), AdjudicationError> {
        let programme_bit = 1_u32.checked_shl(u32::from(key.programme)).unwrap_or(0);
        if key.programme != 0 && plan.programmes & programme_bit == 0 {
            return Err(AdjudicationError::UnknownProgramme(key.programme));
        }
        let slot_group = match key.slot {
            SlotId(0) => None,
            slot => match facts.slot(slot) {
                Some(fact) => Some(bit64(fact.group)),
                None => return Err(AdjudicationError::UnknownSlot(slot)),
            },
        };
        for (number, group) in (0_u8..).zip(&plan.groups) {
            if group.takes(key, slot_group) {
                return Ok((number, if group.per_slot { key.slot.0 } else { 0 }));
            }
        }
        Ok((u8::try_from(plan.groups.len()).unwrap_or(u8::MAX), 0))
    }

    /// The lane of this group and slot, made in its place if it is new.
    fn lane(&mut self, group: u8, slot: u8) -> Result<&mut Lane, AdjudicationError> {
        let used = self.lanes.get(..self.len).unwrap_or(&[]);
        let found = used.binary_search_by_key(&(group, slot), |lane| (lane.group, lane.slot));
        let at = match found {
            Ok(at) => at,
            Err(at) => {
                let len = self.len.saturating_add(1);
                let tail = self.lanes.get_mut(at..len).ok_or(AdjudicationError::TooManyLanes)?;
                tail.rotate_right(1);
                if let Some(new) = tail.first_mut() {
                    *new = Lane { group, slot, ..Lane::default() };
                }
                self.len = len;
                at
            }
        };
        self.lanes.get_mut(at).ok_or(AdjudicationError::TooManyLanes)
    }

    fn all(&self) -> &[Lane] {
        self.lanes.get(..self.len).unwrap_or(&[])
    }

    fn selected(&self, lanes: u16) -> impl Iterator<Item = &Lane> {
        self.all()
            .iter()
            .zip(0_u32..)
            .filter(move |(_, at)| lanes >> at & 1 == 1)
            .map(|(lane, _)| lane)
    }

    fn mask(&self, keep: impl Fn(&Lane) -> bool) -> u16 {
        let lanes = self.all().iter().zip(0_u32..);
        lanes.fold(0, |mask, (lane, at)| mask | (u16::from(keep(lane)) << at))
    }

    /// The lanes of these groups.
    pub(crate) fn of_groups(&self, groups: u8) -> u16 {
        self.mask(|lane| groups >> lane.group & 1 == 1)
    }

    /// Those of the lanes that have this slot.
    pub(crate) fn of_slot(&self, lanes: u16, slot: SlotId) -> u16 {
        lanes & self.mask(|lane| lane.slot == slot.0)
    }

    /// The next slot among the lanes.
    pub(crate) fn next_slot(&self, lanes: u16, before: SlotId) -> Option<SlotId> {
        self.selected(lanes).map(|lane| lane.slot).filter(|slot| *slot > before.0).min().map(SlotId)
    }

    /// Those of the lanes whose group has at least this much left here, over the lanes given.
    pub(crate) fn of_groups_with(&self, lanes: u16, parts: u8, at_least: u64) -> u16 {
        lanes
            & self.mask(|lane| {
                let group = self.of_groups(1_u8.checked_shl(u32::from(lane.group)).unwrap_or(0));
                self.left(lanes & group, parts) >= at_least
            })
    }

    /// What is left in the cells.
    pub(crate) fn left(&self, lanes: u16, parts: u8) -> u64 {
        self.selected(lanes).fold(0, |sum, lane| sum.saturating_add(of_parts(&lane.left, parts)))
    }

    /// What was charged in the cells.
    pub(crate) fn charged(&self, lanes: u16, parts: u8) -> u64 {
        self.selected(lanes).fold(0, |sum, lane| sum.saturating_add(of_parts(&lane.charged, parts)))
    }

    /// What is left in all cells.
    pub(crate) fn all_left(&self) -> u64 {
        self.left(u16::MAX, u8::MAX)
    }

    /// What was charged by part.
    pub(crate) fn parts(&self) -> Cells {
        [1, 2, 4, 8].map(|part| self.charged(u16::MAX, part))
    }

    /// Takes a payment out of the cells, in proportion to what is left in them.
    pub(crate) fn take(&mut self, lanes: u16, parts: u8, amount: u64) {
        let total = self.left(lanes, parts);
        if amount == 0 || total == 0 {
            return;
        }
        let (mut before, mut taken) = (0_u64, 0_u64);
        let len = self.len;
        for (lane, at) in self.lanes.iter_mut().take(len).zip(0_u32..) {
            if lanes >> at & 1 == 0 {
                continue;
            }
            for (cell, part) in lane.left.iter_mut().zip(0_u32..) {
                if parts >> part & 1 == 0 || *cell == 0 {
                    continue;
                }
                before = before.saturating_add(*cell);
                let until = proportion(amount, before, total);
                *cell = cell.saturating_sub(until.saturating_sub(taken));
                taken = until;
            }
        }
    }
}

/// `floor(amount * part / total)`.
fn proportion(amount: u64, part: u64, total: u64) -> u64 {
    if part == total {
        return amount;
    }
    if amount == total {
        return part;
    }
    let quotient = match amount.checked_mul(part) {
        Some(product) => return product.checked_div(total).unwrap_or(0),
        None => u128::from(amount).saturating_mul(u128::from(part)).checked_div(u128::from(total)),
    };
    quotient.and_then(|quotient| u64::try_from(quotient).ok()).unwrap_or(amount)
}

fn of_parts(cells: &Cells, parts: u8) -> u64 {
    let chosen = cells.iter().zip(0_u32..).filter(|(_, part)| parts >> part & 1 == 1);
    chosen.fold(0, |sum, (cell, _)| sum.saturating_add(*cell))
}

impl Lane {
    fn add(&mut self, row: &SumRow) {
        let parts = [row.in_policy, row.class_b_share, row.over_cap, row.self_paid];
        for ((charged, left), part) in self.charged.iter_mut().zip(&mut self.left).zip(parts) {
            // The total of the sums fits 64 bits, so no part of it can exceed them.
            *charged = charged.saturating_add(part.minor());
            *left = *charged;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_is_taken_in_proportion_and_exactly() {
        for (cells, amount) in [
            ([3, 3, 3, 0], 1),
            ([3, 3, 3, 0], 5),
            ([1, 0, 7, 2], 10),
            ([u64::MAX / 2, 1, 2, 3], 99),
        ] {
            let lane = Lane { group: 0, slot: 0, charged: cells, left: cells };
            let mut lanes = Lanes { lanes: [lane; LANES_MAX], len: 1 };
            let before = lanes.all_left();
            lanes.take(1, 0b1111, amount);
            assert_eq!(lanes.all_left(), before - amount, "{cells:?}");
        }
        let thirds = [10, 10, 10, 0];
        let lane = Lane { group: 0, slot: 0, charged: thirds, left: thirds };
        let mut lanes = Lanes { lanes: [lane; LANES_MAX], len: 1 };
        lanes.take(1, 0b0111, 10);
        assert_eq!(lanes.lanes[0].left, [7, 7, 6, 0]);
    }

    #[test]
    fn lanes_are_kept_in_the_order_of_group_and_slot_up_to_their_bound() {
        let mut lanes = Lanes { lanes: [Lane::default(); LANES_MAX], len: 0 };
        for (group, slot) in [(2, 0), (0, 3), (0, 1), (1, 0), (0, 3)] {
            lanes.lane(group, slot).unwrap().left = [1, 0, 0, 0];
        }
        let order: alloc::vec::Vec<_> =
            lanes.all().iter().map(|lane| (lane.group, lane.slot)).collect();
        assert_eq!(order, [(0, 1), (0, 3), (1, 0), (2, 0)]);
        assert_eq!(lanes.next_slot(u16::MAX, SlotId(1)), Some(SlotId(3)));
        for slot in 10..22 {
            lanes.lane(0, slot).unwrap();
        }
        assert!(lanes.lane(0, 99).is_err());
        assert!(lanes.lane(2, 0).is_ok());
    }
}
