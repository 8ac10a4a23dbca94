//! Deductibles, caps, limits and fixed amounts in words.

use alloc::{format, string::String, vec::Vec};
use primitives::Amount;

use super::{Said, Teller};
use crate::{
    decimal::DecimalText,
    source::{AllowanceSource, AmountChange, AmountRow, GrowSource, RepeatRow, RepeatSource},
};

impl Teller<'_> {
    /// Money as the language writes it; what is no amount stays as the file has it.
    pub(super) fn money(&self, text: &DecimalText) -> String {
        let currency = self.source.plan.currency;
        match text.amount(currency) {
            Ok(amount) => self.messages.money(amount, currency),
            Err(_) if text.0 == "none" => self.word("no_limit"),
            Err(_) => text.0.clone(),
        }
    }

    /// All that an allowance says: its amounts by conditions, what changes them, how far it is used
    /// up.
    pub(super) fn allowance(&self, what: &str, one: &AllowanceSource) -> Vec<Said> {
        let counted = one.counts.as_ref().map(|id| self.accumulator(id));
        let when = |condition: String| {
            let pieces: Vec<String> = counted.iter().cloned().chain([condition]).collect();
            let pieces: Vec<String> = pieces.into_iter().filter(|one| !one.is_empty()).collect();
            self.joined(&pieces)
        };
        let name = self.word(what);
        let mut all = Vec::new();
        if let Some(amount) = &one.amount {
            let text = self.money(amount);
            all.push(Said { what: name.clone(), when: when(String::new()), text });
        }
        let otherwise = if one.amounts.len() > 1 { "otherwise" } else { "" };
        all.extend(one.amounts.iter().map(|row| Said {
            what: name.clone(),
            when: when(self.condition(row.when.as_ref(), otherwise)),
            text: self.amount_row(row),
        }));
        all.extend(one.changes.iter().map(|change| Said {
            what: self.of(&name, "change_of"),
            when: when(self.condition(change.when.as_ref(), "")),
            text: self.amount_change(change),
        }));
        if let Some(repeat) = &one.repeat {
            let what = self.of(&name, "repeat_of");
            let when = when(self.accumulator(&repeat.of));
            all.push(Said { what, when, text: self.repeat(repeat) });
        }
        if let Some(grow) = &one.grow {
            let what = self.of(&name, "growth_of");
            all.push(Said { what, when: when(String::new()), text: self.growth(grow) });
        }
        all
    }

    fn of(&self, name: &str, key: &str) -> String {
        let mut values = self.values();
        values.text("name", name);
        values.fill("compare", key)
    }

    fn amount_row(&self, row: &AmountRow) -> String {
        let mut pieces = Vec::new();
        if row.of_slot {
            pieces.push(self.word("of_slot"));
        }
        if let Some(amount) = &row.amount {
            let amount = self.money(amount);
            pieces.push(if row.per_day { self.with_amount("per_day", amount) } else { amount });
        }
        if let Some(plus) = &row.plus {
            let mut values = self.values();
            values.text("share", self.messages.rate(plus.share));
            values.text("above", self.money(&plus.of_charged_above));
            pieces.push(values.fill("compare", "plus"));
        }
        self.joined(&pieces)
    }

    fn with_amount(&self, key: &str, amount: String) -> String {
        let mut values = self.values();
        values.text("amount", amount);
        values.fill("compare", key)
    }

    /// "times 0.5", "100 yuan more".
    fn how(&self, key: &str, value: &DecimalText) -> String {
        let mut values = self.values();
        if key == "factor" {
            values.text("factor", self.messages.decimal(&value.0));
        } else {
            values.text("amount", self.money(value));
        }
        values.fill("how", key)
    }

    fn amount_change(&self, change: &AmountChange) -> String {
        let all = [("factor", &change.factor), ("add", &change.add), ("less", &change.less)];
        let told = all.into_iter().filter_map(|(key, value)| Some(self.how(key, value.as_ref()?)));
        self.joined(&told.collect::<Vec<String>>())
    }

    fn repeat(&self, repeat: &RepeatSource) -> String {
        let row = |row: &RepeatRow| {
            let all = [("factor", &row.factor), ("exactly", &row.amount)];
            let how =
                all.into_iter().filter_map(|(key, value)| Some(self.how(key, value.as_ref()?)));
            let mut values = self.values();
            values.text("number", format!("{}", row.visit));
            values.text("how", self.joined(&how.collect::<Vec<String>>()));
            values.fill("compare", "from_visit")
        };
        let mut pieces: Vec<String> = repeat.from.iter().map(row).collect();
        if let Some(less) = &repeat.less {
            let none = self.messages.money(Amount::ZERO, self.source.plan.currency);
            let mut values = self.values();
            values.text("amount", self.money(less));
            values.text("floor", repeat.floor.as_ref().map_or(none, |floor| self.money(floor)));
            pieces.push(values.fill("how", "down"));
        }
        self.joined(&pieces)
    }

    fn growth(&self, grow: &GrowSource) -> String {
        let mut pieces = Vec::new();
        if let Some(amount) = &grow.per_unbroken_year {
            let mut values = self.values();
            values.text("amount", self.money(amount));
            values.text("years", format!("{}", grow.after));
            pieces.push(values.fill("compare", "per_unbroken_year"));
        }
        for (key, amount) in
            [("per_claim_free_year", &grow.per_claim_free_year), ("at_most", &grow.at_most)]
        {
            if let Some(amount) = amount {
                pieces.push(self.with_amount(key, self.money(amount)));
            }
        }
        if let Some(share) = grow.at_most_share {
            pieces.push(self.with_amount("at_most", self.messages.rate(share)));
        }
        self.joined(&pieces)
    }
}
