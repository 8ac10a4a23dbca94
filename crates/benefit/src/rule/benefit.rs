//! `benefit`: a share of what is above a deductible, by tiers, up to caps.

use alloc::{string::String, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Detail, Rate, detail};

use super::{Operator, amount, base_capped, cap, capped, count_all};
use crate::{
    adjudication::TraceNote,
    allowance::{Allowance, FACTOR_ONE, Open},
    compile::Names,
    engine::{AdjudicationError, Numbers, Run, Turn, round_to_unit},
    plan::StepCheck,
    source::{Reading, StepSource},
    word::Payer,
};

/// The operator with its fields.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Benefit {
    pub payer: Payer,
    pub base_caps: Vec<Allowance>,
    pub deductibles: Vec<Allowance>,
    pub reports_deductible: bool,
    pub rates: Vec<RateRow>,
    pub on_excess: bool,
    pub position: Option<u8>,
    pub changes: Vec<RateChange>,
    pub caps: Vec<Allowance>,
}

/// One row of the table of rates: tiers by lower bound.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct RateRow {
    pub when: u16,
    pub tiers: Vec<(u64, Rate)>,
}

/// A change to rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct RateChange {
    pub when: u16,
    pub how: RateHow,
}

/// How a rate is changed; factors are parts per million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum RateHow {
    Add(Rate),
    Less(Rate),
    Factor(u32),
    SelfShareFactor(u32),
}

/// `rate * factor`, cut to parts per million, at most one.
fn times(rate: Rate, factor: u32) -> Rate {
    let product = u64::from(rate.ppm()).saturating_mul(u64::from(factor));
    let ppm = product.checked_div(u64::from(FACTOR_ONE)).unwrap_or(0);
    u32::try_from(ppm).ok().and_then(Rate::from_ppm).unwrap_or(Rate::ONE)
}

impl RateHow {
    fn change(self, rate: Rate) -> Rate {
        match self {
            Self::Add(points) => rate.plus(points),
            Self::Less(points) => {
                Rate::from_ppm(rate.ppm().saturating_sub(points.ppm())).unwrap_or(Rate::ZERO)
            }
            Self::Factor(factor) => times(rate, factor),
            Self::SelfShareFactor(factor) => times(rate.complement(), factor).complement(),
        }
    }
}

/// The money above the deductible, on the scale of the tiers.
struct Span {
    from: u64,
    to: u64,
}

impl Benefit {
    fn tiers<'a>(
        &'a self,
        run: &Run<'_>,
        turn: &Turn,
    ) -> Result<&'a [(u64, Rate)], AdjudicationError> {
        for row in &self.rates {
            if run.holds(row.when, turn)? {
                return Ok(&row.tiers);
            }
        }
        Ok(&[])
    }

    /// The changes that hold, as bits by their place.
    fn changes_that_hold(&self, run: &Run<'_>, turn: &Turn) -> Result<u32, AdjudicationError> {
        let mut held = 0_u32;
        for (at, change) in (0_u32..).zip(&self.changes) {
            held |= u32::from(run.holds(change.when, turn)?).checked_shl(at).unwrap_or(0);
        }
        Ok(held)
    }

    /// The rate after the changes that hold, each noted.
    fn changed(&self, run: &mut Run<'_>, turn: &Turn, listed: Rate, held: u32) -> Rate {
        let mut rate = listed;
        for (at, change) in (0_u8..).zip(&self.changes) {
            if held >> at & 1 == 0 {
                continue;
            }
            let before = rate;
            rate = change.how.change(before);
            if rate != before {
                run.note(turn, TraceNote::RateChanged { change: at, before, after: rate });
            }
        }
        rate
    }

    /// What the rates give of the money in the span.
    fn rated(&self, run: &mut Run<'_>, turn: &Turn, span: &Span) -> Result<u64, AdjudicationError> {
        let tiers = self.tiers(run, turn)?;
        let held = self.changes_that_hold(run, turn)?;
        let rounding = turn.rounding;
        let (mut benefit, mut exact) = (0_u64, 0_u128);
        for (at, (lower, listed)) in tiers.iter().enumerate() {
            let upper = tiers.get(at.saturating_add(1)).map(|next| next.0);
            let to = span.to.min(upper.unwrap_or(u64::MAX));
            let part = to.saturating_sub(span.from.max(*lower));
            if part == 0 {
                continue;
            }
            let rate = self.changed(run, turn, *listed, held);
            let shared = if rounding.of_person { rate.complement() } else { rate };
            let product = u128::from(part).saturating_mul(u128::from(shared.ppm()));
            exact = exact.saturating_add(product);
            let rounded = round_to_unit(product, rounding.unit, rounding.mode).min(part);
            let gives = if rounding.of_person { part.saturating_sub(rounded) } else { rounded };
            benefit = benefit.saturating_add(gives);
            let note = TraceNote::Tier {
                tier: u8::try_from(at).unwrap_or(u8::MAX),
                above: amount(*lower),
                below: upper.map(amount),
                part: amount(part),
                listed: *listed,
                rate,
                benefit: (!rounding.once).then_some(amount(gives)),
            };
            run.note(turn, note);
        }
        let whole = span.to.saturating_sub(span.from);
        if rounding.once && whole > 0 {
            let rounded = round_to_unit(exact, rounding.unit, rounding.mode).min(whole);
            benefit = if rounding.of_person { whole.saturating_sub(rounded) } else { rounded };
            run.note(turn, TraceNote::Rounded { benefit: amount(benefit) });
        }
        Ok(benefit)
    }

    /// The deductible that is taken, noted; the least that is open of all.
    fn deductible(&self, run: &mut Run<'_>, turn: &Turn, base: u64) -> Result<u64, AdjudicationError> {
        let mut least: Option<(u8, Open)> = None;
        for (at, allowance) in (0_u8..).zip(&self.deductibles) {
            if let Some(open) = allowance.open(run, turn)?
                && least.is_none_or(|(_, least)| open.open < least.open)
            {
                least = Some((at, open));
            }
        }
        let Some((deductible, open)) = least else { return Ok(0) };
        let taken = base.min(open.open);
        if base > 0 {
            if let Some(allowance) = self.deductibles.get(usize::from(deductible)) {
                allowance.tell(run, turn)?;
            }
            let (full, met) = (amount(open.full), amount(open.used));
            run.note(turn, TraceNote::Deductible { deductible, full, met, taken: amount(taken) });
        }
        Ok(taken)
    }
}

impl Operator for Benefit {
    const KIND: &'static str = "benefit";
    const FIELDS: &'static [&'static str] = &[
        "payer", "base_caps", "deductibles", "reports_deductible", "rates", "reading", "position",
        "rate_changes", "caps",
    ];

    fn compile(source: &StepSource, names: &mut Names<'_>) -> Result<Self, String> {
        let payer = names.payer(source)?;
        let has_tiers = source.rates.iter().any(|row| !row.tiers.is_empty());
        if has_tiers && source.reading.is_none() {
            return Err(String::from(
                "`reading` is missing: say whether tier bounds are `absolute` or `on_excess`; the difference is money",
            ));
        }
        Ok(Self {
            payer,
            base_caps: names.allowances("base_caps", &source.base_caps)?,
            deductibles: names.allowances("deductibles", &source.deductibles)?,
            reports_deductible: source.reports_deductible.unwrap_or(payer == Payer::PooledFund),
            rates: names.rates(&source.rates)?,
            on_excess: source.reading == Some(Reading::OnExcess),
            position: names.accumulator_field("position", source.position.as_deref())?,
            changes: names.rate_changes(&source.rate_changes)?,
            caps: names.allowances("caps", &source.caps)?,
        })
    }

    fn check(&self, check: &StepCheck<'_>) -> Result<(), Detail> {
        check.allowances("base_caps", &self.base_caps)?;
        check.allowances("deductibles", &self.deductibles)?;
        check.allowances("caps", &self.caps)?;
        check.money("position", self.position)?;
        check.table("rates", self.rates.iter().map(|row| row.when), true)?;
        check.at_most("rate_changes", self.changes.len(), 16)?;
        for change in &self.changes {
            check.condition(change.when)?;
            if let RateHow::Factor(factor) | RateHow::SelfShareFactor(factor) = change.how {
                check.factor(factor)?;
            }
        }
        for row in &self.rates {
            check.at_most("tiers", row.tiers.len(), 16)?;
            let ascending = row.tiers.iter().zip(row.tiers.iter().skip(1)).all(|(a, b)| a.0 < b.0);
            if row.tiers.first().is_none_or(|first| first.0 != 0) || !ascending {
                return Err(detail!("`tiers` must begin `above` 0 and ascend"));
            }
            row.tiers.iter().try_for_each(|(above, _)| check.amount("above", *above))?;
        }
        Ok(())
    }

    fn run(&self, run: &mut Run<'_>, turn: &Turn) -> Result<Numbers, AdjudicationError> {
        let base = cap(run, turn, &self.base_caps, turn.base, base_capped)?;
        let deductible = self.deductible(run, turn, base)?;
        let eligible = base.saturating_sub(deductible);
        let position = self.position.map_or(0, |position| run.value(position, turn.slot));
        let from = if self.on_excess { position } else { position.saturating_add(deductible) };
        let span = Span { from, to: from.saturating_add(eligible) };
        let rated = self.rated(run, turn, &span)?.min(turn.base);
        let paid = cap(run, turn, &self.caps, rated, capped)?;

        count_all(run, turn, &self.base_caps, base)?;
        count_all(run, turn, &self.deductibles, deductible)?;
        if let Some(position) = self.position {
            run.add(position, turn.slot, if self.on_excess { eligible } else { base })?;
        }
        count_all(run, turn, &self.caps, paid)?;
        if self.reports_deductible {
            run.deductible = run.deductible.saturating_add(deductible);
        }
        run.pay(turn, self.payer, paid);
        let cut = turn.base.saturating_sub(base).saturating_add(rated.saturating_sub(paid));
        Ok(Numbers { deductible, self_share: eligible.saturating_sub(rated), cut, paid })
    }
}
