//! Allowances and rates, from the file to their compiled form.

use alloc::{format, string::String, vec, vec::Vec};
use primitives::Rate;

use super::names::{Names, factor};
use crate::{
    allowance::{Allowance, Change, Grow, How, Plus, Repeat, Row, RowAmount},
    decimal::DecimalText,
    rule::benefit::{RateChange, RateHow, RateRow},
    source::{
        AllowanceSource, AmountChange, AmountRow, GrowSource, RateChange as RateChangeSource,
        RateRow as RateRowSource, RepeatSource, StepSource,
    },
};

/// Exactly one of several ways to say it.
fn exactly_one<T>(ways: impl IntoIterator<Item = Option<T>>, names: &str) -> Result<T, String> {
    let mut said = ways.into_iter().flatten();
    match (said.next(), said.next()) {
        (Some(one), None) => Ok(one),
        _ => Err(format!("exactly one of {names} is needed")),
    }
}

impl Names<'_> {
    /// The field `amount` of a step that needs it.
    pub(crate) fn amount_field(&mut self, step: &StepSource) -> Result<Allowance, String> {
        let source = step.amount.as_ref().ok_or("`amount` is missing")?;
        self.allowance(source).map_err(|message| format!("`amount`: {message}"))
    }

    /// A list of allowances.
    pub(crate) fn allowances(
        &mut self,
        field: &str,
        sources: &[AllowanceSource],
    ) -> Result<Vec<Allowance>, String> {
        let each = (1_u32..).zip(sources).map(|(number, source)| {
            self.allowance(source).map_err(|message| format!("`{field}` {number}: {message}"))
        });
        each.collect()
    }

    fn allowance(&mut self, source: &AllowanceSource) -> Result<Allowance, String> {
        let rows = match (&source.amount, source.amounts.as_slice()) {
            (Some(amount), []) => {
                let row = AmountRow { amount: Some(amount.clone()), ..AmountRow::default() };
                vec![self.row(&row)?]
            }
            (None, [_, ..]) => {
                let rows: Result<Vec<Row>, String> =
                    source.amounts.iter().map(|row| self.row(row)).collect();
                rows?
            }
            _ => return Err(String::from("exactly one of `amount` and `amounts` is needed")),
        };
        let changes: Result<Vec<Change>, String> =
            source.changes.iter().map(|change| self.change(change)).collect();
        Ok(Allowance {
            rows,
            counts: self.accumulator_field("counts", source.counts.as_deref())?,
            changes: changes?,
            repeat: source.repeat.as_ref().map(|repeat| self.repeat(repeat)).transpose()?,
            grow: source.grow.as_ref().map(|grow| self.grow(grow)).transpose()?,
        })
    }

    fn row(&mut self, source: &AmountRow) -> Result<Row, String> {
        let amount = match (&source.amount, source.of_slot) {
            (None, true) => RowAmount::OfSlot,
            (Some(text), false) if text.0 == "none" => RowAmount::Unlimited,
            (Some(text), false) => RowAmount::Fixed(self.money("amount", text)?),
            _ => return Err(String::from("a row needs either `amount` or `of_slot = true`")),
        };
        if amount == RowAmount::Unlimited && (source.per_day || source.plus.is_some()) {
            return Err(String::from("a row with `none` has neither `per_day` nor `plus`"));
        }
        let plus = match &source.plus {
            Some(plus) => Some(Plus {
                share: plus.share,
                above: self.money("of_charged_above", &plus.of_charged_above)?,
            }),
            None => None,
        };
        let when = self.condition(source.when.as_ref())?;
        Ok(Row { when, amount, per_day: source.per_day, plus })
    }

    fn change(&mut self, source: &AmountChange) -> Result<Change, String> {
        let factor = source.factor.as_ref().map(|text| factor("factor", text).map(How::Factor));
        let add = source.add.as_ref().map(|text| self.money("add", text).map(How::Add));
        let less = source.less.as_ref().map(|text| self.money("less", text).map(How::Less));
        let how = exactly_one([factor, add, less], "`factor`, `add`, `less`")??;
        Ok(Change { when: self.condition(source.when.as_ref())?, how })
    }

    fn repeat(&self, source: &RepeatSource) -> Result<Repeat, String> {
        let of = self.accumulator(&source.of).map_err(|message| format!("`repeat`: {message}"))?;
        match (&source.less, source.from.as_slice()) {
            (Some(less), []) => {
                let floor = source.floor.as_ref();
                let floor = floor.map_or(Ok(0), |text| self.money("repeat.floor", text))?;
                Ok(Repeat::Down { of, less: self.money("repeat.less", less)?, floor })
            }
            (None, [_, ..]) if source.floor.is_none() => {
                let rows = source.from.iter().map(|row| {
                    let factor =
                        row.factor.as_ref().map(|text| factor("factor", text).map(How::Factor));
                    let amount = row.amount.as_ref();
                    let amount = amount.map(|text| self.money("amount", text).map(How::Exactly));
                    Ok((row.visit, exactly_one([factor, amount], "`factor`, `amount`")??))
                });
                Ok(Repeat::From { of, rows: rows.collect::<Result<_, String>>()? })
            }
            _ => {
                Err(String::from("`repeat` needs either `from`, or `less` with or without `floor`"))
            }
        }
    }

    fn grow(&self, source: &GrowSource) -> Result<Grow, String> {
        let money = |field, text: &Option<DecimalText>, none| {
            text.as_ref().map_or(Ok(none), |text| self.money(field, text))
        };
        Ok(Grow {
            per_unbroken_year: money("grow.per_unbroken_year", &source.per_unbroken_year, 0)?,
            after: source.after,
            per_claim_free_year: money("grow.per_claim_free_year", &source.per_claim_free_year, 0)?,
            at_most: money("grow.at_most", &source.at_most, u64::MAX)?,
            at_most_share: source.at_most_share,
        })
    }

    /// A table of rates.
    pub(crate) fn rates(&mut self, sources: &[RateRowSource]) -> Result<Vec<RateRow>, String> {
        let each = (1_u32..).zip(sources).map(|(number, source)| {
            self.rate_row(source).map_err(|message| format!("`rates` {number}: {message}"))
        });
        each.collect()
    }

    fn rate_row(&mut self, source: &RateRowSource) -> Result<RateRow, String> {
        let tiers: Vec<(u64, Rate)> = match (source.rate, source.tiers.as_slice()) {
            (Some(rate), []) => vec![(0, rate)],
            (None, [_, ..]) => {
                let tiers = source.tiers.iter();
                let tiers = tiers.map(|tier| Ok((self.money("above", &tier.above)?, tier.rate)));
                tiers.collect::<Result<_, String>>()?
            }
            _ => return Err(String::from("a row needs either `rate` or `tiers`")),
        };
        Ok(RateRow { when: self.condition(source.when.as_ref())?, tiers })
    }

    /// Changes to rates.
    pub(crate) fn rate_changes(
        &mut self,
        sources: &[RateChangeSource],
    ) -> Result<Vec<RateChange>, String> {
        let each = (1_u32..).zip(sources).map(|(number, source)| {
            self.rate_change(source)
                .map_err(|message| format!("`rate_changes` {number}: {message}"))
        });
        each.collect()
    }

    fn rate_change(&mut self, source: &RateChangeSource) -> Result<RateChange, String> {
        let times = source.factor.as_ref().map(|text| factor("factor", text).map(RateHow::Factor));
        let share = source.self_share_factor.as_ref();
        let share =
            share.map(|text| factor("self_share_factor", text).map(RateHow::SelfShareFactor));
        let add = source.add.map(|points| Ok(RateHow::Add(points)));
        let less = source.less.map(|points| Ok(RateHow::Less(points)));
        let ways = [times, share, add, less];
        let how = exactly_one(ways, "`add`, `less`, `factor`, `self_share_factor`")??;
        Ok(RateChange { when: self.condition(source.when.as_ref())?, how })
    }
}
