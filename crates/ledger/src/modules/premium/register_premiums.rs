//! Registers who owes a premium.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, Party, PersonId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::payment::cover;
use super::record::{require_season, today};
use super::rejection;
use super::season::{PremiumSeason, SeasonId};
use super::table::{PaidItem, PremiumRecord, PremiumStanding, RECORDS};
use super::tally::put_record;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::coverage::{AttestedFacts, RowResults, check_rows};
use crate::modules::organisation::Scope;
use crate::modules::person::require_bureau;
use crate::modules::{network, person};

/// One person of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisteredPremium {
    /// Who.
    pub person: PersonId,
    /// The class of the season.
    pub class: u8,
    /// How many years before this one were missed.
    #[serde(default)]
    pub missed_years: u8,
    /// For a newborn: the last day on which nothing counts as missed.
    #[serde(default)]
    pub newborn_until: Option<CivilDate>,
    /// What is attested for the cover.
    pub facts: AttestedFacts,
}

/// Registers up to 500 persons who owe a premium; a person who stands on the list and has not paid
/// is registered anew. For whom nothing is due, cover follows at once. Signed by the region's
/// bureau with scope `attest`.
///
/// A row that is refused stops no other; the receipt's fields `refused.00` and following list such
/// rows as `ROW:CODE`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterPremiums {
    /// Which season.
    pub season: SeasonId,
    /// The rows, 1 to 500.
    #[schemars(length(min = 1, max = 500))]
    pub rows: Vec<RegisteredPremium>,
}

impl RegisteredPremium {
    fn register(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
        (season, terms): (SeasonId, &PremiumSeason),
    ) -> Result<(), Rejection> {
        person::view::require_person(state, self.person)?;
        let is_free = terms.class(self.class)?.amount.is_zero();
        let key = (season, self.person);
        let before = RECORDS.get(state, &key);
        let now = context.time;
        let is_open = before.as_ref().is_none_or(|record| {
            record.lock_at(now).is_none()
                && matches!(record.standing, PremiumStanding::Due | PremiumStanding::Locked(_))
        });
        require(is_open, || rejection::RECORD_IN_USE.reject())?;
        let mut record = PremiumRecord {
            class: self.class,
            facts: self.facts,
            missed_years: self.missed_years,
            newborn_until: self.newborn_until,
            standing: PremiumStanding::Due,
            locks: before.and_then(|record| record.locks),
        };
        if is_free {
            let from = terms.cover.from.max(today(context, state, season)?);
            let item = PaidItem {
                person: self.person,
                amount: Amount::ZERO,
                benefits_from: from,
                is_unbroken: true,
                from_account: Amount::ZERO,
            };
            cover(context, state, (season, terms), &record, &item)?;
            record.standing = PremiumStanding::Paid { payment: None, benefits_from: Some(from) };
        }
        put_record(state, key, &record, Amount::ZERO);
        Ok(())
    }
}

impl Kind for RegisterPremiums {
    const NUMBER: u16 = 902;
    const NAME: &'static str = "register_premiums";

    fn check(&self) -> Result<(), Rejection> {
        check_rows(self.rows.len())
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_bureau(context, state, self.season.region, Scope::Attest).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let terms = require_season(state, self.season)?;
        let mut results = RowResults::default();
        for row in &self.rows {
            // A row writes when nothing can refuse it any more, so a wrong one leaves no trace.
            results.note(&row.register(context, state, (self.season, &terms)));
        }
        let bureau = network::view::require_region(state, self.season.region)?.bureau;
        let concerns = [bureau, terms.collector].map(Party::Organisation);
        Ok(results.outcome("premiums_registered", concerns))
    }
}
