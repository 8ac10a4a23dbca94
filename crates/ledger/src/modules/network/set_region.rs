//! Changes a region's settings.

use alloc::sync::Arc;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Party, RegionId, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{REGIONS, RegionSettings};
use super::{rejection, require_governing, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};

/// Changes a region's calendar and limits. Signed by the governing set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRegion {
    /// The region.
    pub region: RegionId,
    /// Its new settings, all of them.
    pub settings: RegionSettings,
}

/// What any settings must keep to.
pub(super) fn check_settings(settings: &RegionSettings) -> Result<(), Rejection> {
    let offset = settings.utc_offset_minutes.0;
    require((-720..=840).contains(&offset), || rejection::INVALID_OFFSET.with(offset))?;
    let ranges = [
        ("pin_failures_max", u16::from(settings.pin_failures_max), 1, 10),
        ("emergency_contest_days", settings.emergency_contest_days, 1, 365),
        ("objection_answer_days", settings.objection_answer_days, 1, 365),
        ("unlock_delay_hours", settings.unlock_delay_hours, 0, 168),
        ("claim_days_max", settings.claim_days_max, 1, 40_000),
        ("effect_takeover_hours", settings.effect_takeover_hours, 1, 720),
    ];
    for (field, value, least, most) in ranges {
        require((least..=most).contains(&value), || {
            rejection::INVALID_SETTING.with(detail!(
                "`{field}` is {value}; use {least} to {most}",
                field,
                value,
                least,
                most
            ))
        })?;
    }
    require(settings.desk_payment_max <= settings.desk_day_max, || {
        rejection::INVALID_SETTING.with(detail!("`desk_payment_max` is above `desk_day_max`"))
    })?;
    require(settings.witnessed_cash_max <= settings.desk_payment_max, || {
        rejection::INVALID_SETTING.with(detail!("`witnessed_cash_max` is above `desk_payment_max`"))
    })
}

impl Kind for SetRegion {
    const NUMBER: u16 = 102;
    const NAME: &'static str = "set_region";

    fn check(&self) -> Result<(), Rejection> {
        check_settings(&self.settings)
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_governing(context, state)
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        let mut row = Arc::unwrap_or_clone(view::require_region(state, self.region)?);
        row.settings = self.settings.clone();
        REGIONS.put(state, &self.region, &row);
        Ok(Outcome::event("region_changed", [Party::Organisation(row.bureau)]))
    }
}
