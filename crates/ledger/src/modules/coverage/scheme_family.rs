//! Which schemes exclude each other.

use primitives::SchemeId;

/// The basic schemes (`insutype`): employee 310, retired cadre 340, resident 390, and the former
/// rural cooperative 380 and urban resident 391. One person has one area in one year (bureau
/// practice; 380 and 391 are background knowledge).
const BASIC: [u16; 5] = [310, 340, 380, 390, 391];

/// The scheme that stands for all that exclude each other: a person has one place in each family at
/// a time. A scheme that is not a basic one is a family of its own.
pub(super) fn family(scheme: SchemeId) -> SchemeId {
    if BASIC.contains(&scheme.0) { SchemeId(310) } else { scheme }
}
