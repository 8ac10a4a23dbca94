//! Which schemes exclude each other.

use primitives::SchemeId;

/// The basic schemes (`insutype`): employee 310, retired cadre 340, resident 390, and the former
/// rural cooperative 380 and urban resident 391. One person has one area in one year (bureau
/// practice; 380 and 391 are background knowledge).
pub const BASIC: [SchemeId; 5] =
    [SchemeId(310), SchemeId(340), SchemeId(380), SchemeId(390), SchemeId(391)];

/// The scheme that stands for all that exclude each other: a person has one place in each family at
/// a time. A scheme that is not a basic one is a family of its own.
pub(super) fn family(scheme: SchemeId) -> SchemeId {
    if BASIC.contains(&scheme) { SchemeId(310) } else { scheme }
}
