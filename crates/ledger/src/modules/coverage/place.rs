//! Places by their six-digit administrative codes: a province ends in four zeros, a city in two,
//! and a district or county in none.

use benefit::Place;
use primitives::RegionId;

/// A place, the city in which it lies, and the province.
pub(crate) const fn around(place: RegionId) -> [RegionId; 3] {
    [
        place,
        RegionId((place.0 / 100).saturating_mul(100)),
        RegionId((place.0 / 10_000).saturating_mul(10_000)),
    ]
}

/// Whether `inner` is `outer` or lies in it.
pub(super) fn contains(outer: RegionId, inner: RegionId) -> bool {
    around(inner).contains(&outer)
}

/// Where care in `care` is given, seen from the insured place `home`.
pub(super) fn seen_from(home: RegionId, care: RegionId) -> Place {
    if contains(home, care) {
        Place::Home
    } else if home.0 / 10_000 == care.0 / 10_000 {
        Place::Province
    } else {
        Place::Elsewhere
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_lies_in_its_city_and_province() {
        let (province, city, district) = (RegionId(620_000), RegionId(620_100), RegionId(620_102));
        for (home, care, place) in [
            (city, city, Place::Home),
            (city, district, Place::Home),
            (province, district, Place::Home),
            (district, city, Place::Province),
            (city, RegionId(621_100), Place::Province),
            (city, RegionId(110_000), Place::Elsewhere),
        ] {
            assert_eq!(seen_from(home, care), place, "{home} {care}");
        }
    }
}
