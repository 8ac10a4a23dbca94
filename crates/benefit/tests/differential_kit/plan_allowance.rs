//! Random allowances for random plans: every feature of section 8 of the guide.

use super::{
    plan_text::{Frame, when},
    random::Random,
};

/// What an allowance is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Use {
    Cap,
    Limit,
    /// Never without an amount.
    Deductible,
    /// The amount of a step: never without an amount, and every person has it.
    Amount,
}

/// `FIELD = [...]` in so many of a hundred cases, else nothing.
pub fn allowances(
    field: &str,
    frame: &Frame,
    per_slot: bool,
    percent: u64,
    random: &mut Random,
) -> String {
    if !random.chance(percent) {
        return String::new();
    }
    let for_what = if field == "deductibles" { Use::Deductible } else { Use::Cap };
    let count = if random.chance(75) { 1 } else { 2 };
    let all: Vec<String> =
        (0..count).map(|_| allowance(frame, per_slot, for_what, random)).collect();
    format!("{field} = [{}]\n", all.join(", "))
}

/// One allowance as an inline table; limits more often grow with the bill.
pub fn allowance(frame: &Frame, per_slot: bool, for_what: Use, random: &mut Random) -> String {
    let mut fields = Vec::new();
    if random.chance(40) {
        fields.push(format!("amount = {:?}", amount(frame, for_what, random)));
    } else {
        fields.push(format!("amounts = [{}]", rows(frame, per_slot, for_what, random)));
    }
    if random.chance(70) {
        let own = for_what == Use::Amount;
        let names = if own { frame.own(per_slot) } else { frame.named("money", per_slot) };
        fields.push(format!("counts = {:?}", random.pick(&names)));
    }
    if random.chance(25) {
        let count = random.between(1, 3);
        let all: Vec<String> = (0..count).map(|_| change(frame, per_slot, random)).collect();
        fields.push(format!("changes = [{}]", all.join(", ")));
    }
    if random.chance(20) {
        fields.push(format!("repeat = {}", repeat(frame, per_slot, random)));
    }
    if random.chance(15) {
        fields.push(format!("grow = {}", grow(frame, random)));
    }
    format!("{{ {} }}", fields.join(", "))
}

fn amount(frame: &Frame, for_what: Use, random: &mut Random) -> String {
    if matches!(for_what, Use::Cap | Use::Limit) && random.chance(8) {
        String::from("none")
    } else {
        random.money(frame.currency)
    }
}

fn rows(frame: &Frame, per_slot: bool, for_what: Use, random: &mut Random) -> String {
    let mut rows = Vec::new();
    for _ in 0..random.below(3) {
        let when = when(frame, per_slot, 100, random);
        let body = if per_slot && random.chance(40) {
            String::from("of_slot = true")
        } else {
            row(frame, for_what, random)
        };
        rows.push(format!("{{ {when}{body} }}"));
    }
    rows.push(format!("{{ {} }}", row(frame, for_what, random)));
    rows.join(", ")
}

fn row(frame: &Frame, for_what: Use, random: &mut Random) -> String {
    let mut text = format!("amount = {:?}", amount(frame, for_what, random));
    if text.ends_with("\"none\"") {
        return text;
    }
    if random.chance(12) {
        text.push_str(", per_day = true");
    }
    if random.chance(if for_what == Use::Limit { 50 } else { 12 }) {
        let above = random.money(frame.currency);
        text.push_str(&format!(
            ", plus = {{ share = {:?}, of_charged_above = {above:?} }}",
            random.rate()
        ));
    }
    text
}

fn change(frame: &Frame, per_slot: bool, random: &mut Random) -> String {
    let when = when(frame, per_slot, 70, random);
    let what = match random.below(3) {
        0 => format!("factor = {:?}", random.factor()),
        1 => format!("add = {:?}", random.money(frame.currency)),
        _ => format!("less = {:?}", random.money(frame.currency)),
    };
    format!("{{ {when}{what} }}")
}

fn repeat(frame: &Frame, per_slot: bool, random: &mut Random) -> String {
    let of = *random.pick(&frame.named("visits", per_slot));
    if random.chance(40) {
        let less = random.money(frame.currency);
        let floor = if random.chance(60) {
            format!(", floor = {:?}", random.money(frame.currency))
        } else {
            String::new()
        };
        return format!("{{ of = {of:?}, less = {less:?}{floor} }}");
    }
    let mut visit = 1;
    let mut rows = Vec::new();
    for _ in 0..random.between(1, 3) {
        visit += random.between(1, 2);
        let what = if random.chance(60) {
            format!("factor = {:?}", random.factor())
        } else {
            format!("amount = {:?}", random.money(frame.currency))
        };
        rows.push(format!("{{ visit = {visit}, {what} }}"));
    }
    format!("{{ of = {of:?}, from = [{}] }}", rows.join(", "))
}

fn grow(frame: &Frame, random: &mut Random) -> String {
    let mut fields = vec![format!("per_unbroken_year = {:?}", random.money(frame.currency))];
    if random.chance(60) {
        fields.push(format!("after = {}", random.below(5)));
    }
    if random.chance(60) {
        fields.push(format!("per_claim_free_year = {:?}", random.money(frame.currency)));
    }
    if random.chance(60) {
        fields.push(format!("at_most = {:?}", random.money(frame.currency)));
    }
    if random.chance(60) {
        fields.push(format!("at_most_share = {:?}", random.rate()));
    }
    format!("{{ {} }}", fields.join(", "))
}
