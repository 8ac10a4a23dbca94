//! Random conditions for random plans, with every field of section 7 of the guide.

use super::{
    plan_text::{DIAGNOSIS_GROUPS, Frame, INCOME_CLASSES, SLOT_GROUPS},
    random::Random,
};
use benefit::word::{Filing, HospitalLevel, Network, PersonClass, Place, Sex};

/// The fields of a condition, without the braces.
pub fn condition(frame: &Frame, per_slot: bool, random: &mut Random) -> String {
    let count = if random.chance(70) { 1 } else { 2 };
    let mut kinds: Vec<u64> = Vec::new();
    let mut fields: Vec<String> = Vec::new();
    while fields.len() < count {
        let kind = random.below(18);
        if kinds.contains(&kind) {
            continue;
        }
        let field = if kind < 11 {
            fact(frame, kind, random)
        } else {
            number(frame, kind, per_slot, random)
        };
        kinds.push(kind);
        fields.extend(field);
    }
    fields.join(", ")
}

fn fact(frame: &Frame, kind: u64, random: &mut Random) -> Option<String> {
    macro_rules! words {
        ($list:expr, $most:literal) => {{
            let words = random.some($list, 1, $most);
            words.iter().map(|word| word.name()).collect::<Vec<&str>>()
        }};
    }
    Some(match kind {
        0 => format!("visit_types = {:?}", words!(&frame.visit_types, 3)),
        1 => format!("hospital_levels = {:?}", words!(HospitalLevel::ALL, 4)),
        2 => format!("places = {:?}", words!(Place::ALL, 3)),
        3 => format!("filings = {:?}", words!(Filing::ALL, 3)),
        4 => format!("networks = {:?}", words!(Network::ALL, 1)),
        5 => format!("sexes = {:?}", words!(Sex::ALL, 2)),
        6 => format!("person_classes = {:?}", words!(PersonClass::ALL, 6)),
        7 => format!("person_classes_not = {:?}", words!(PersonClass::ALL, 4)),
        8 => format!("income_classes = {:?}", random.some(&INCOME_CLASSES, 1, 2)),
        9 => format!("diagnosis_groups = {:?}", random.some(&DIAGNOSIS_GROUPS, 1, 2)),
        _ => format!("slot_groups = {:?}", random.some(&SLOT_GROUPS, 1, 2)),
    })
}

/// A condition on an age, on years or on a running amount; none when the plan has no such amount.
fn number(frame: &Frame, kind: u64, per_slot: bool, random: &mut Random) -> Option<String> {
    let bounds = |from: String, below: String, random: &mut Random| match random.below(3) {
        0 => format!("from = {from}"),
        1 => format!("below = {below}"),
        _ => format!("from = {from}, below = {below}"),
    };
    Some(match kind {
        11 => {
            let from = random.below(8) * 10;
            match random.below(3) {
                0 => format!("age_from = {from}"),
                1 => format!("age_below = {}", from + 10),
                _ => format!("age_from = {from}, age_below = {}", from + 20),
            }
        }
        12 => format!("unbroken_years_from = {}", random.between(1, 8)),
        13 => format!("unbroken_years_below = {}", random.between(9, 11)),
        14 => format!("month_of_75 = {}", random.chance(50)),
        15 => format!("in_family = {}", random.chance(50)),
        16 => {
            let of = *random.pick(&frame.named("visits", per_slot));
            let from = random.between(1, 3);
            let below = from + random.between(1, 3);
            let bounds = bounds(from.to_string(), below.to_string(), random);
            format!("visit_number = {{ of = {of:?}, {bounds} }}")
        }
        _ if random.chance(40) => {
            let monthly = frame.named("times", per_slot);
            if monthly.is_empty() {
                return None;
            }
            let (of, within) = (*random.pick(&monthly), random.between(2, 12));
            let least = random.between(1, (within - 1).min(3));
            format!("months_reached = {{ of = {of:?}, within = {within}, at_least = {least} }}")
        }
        _ if random.chance(80) => {
            let of = *random.pick(&frame.named("money", per_slot));
            let (first, second) = (random.minor(frame.currency), random.minor(frame.currency));
            let text = |minor| {
                let amount = primitives::Amount::from_minor(minor);
                format!("{:?}", amount.to_decimal(frame.currency))
            };
            let (low, high) = (first.min(second), first.max(second).saturating_add(1));
            let bounds = bounds(text(low), text(high), random);
            format!("accumulated = {{ of = {of:?}, {bounds} }}")
        }
        _ => {
            let mut names = frame.named("visits", per_slot);
            names.extend(frame.named("times", per_slot));
            let of = *random.pick(&names);
            let bounds = bounds(String::from("\"1\""), String::from("\"3\""), random);
            format!("accumulated = {{ of = {of:?}, {bounds} }}")
        }
    })
}
