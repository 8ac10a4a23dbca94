//! A region's rules of transfers between wallets.

use alloc::{format, string::String, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Detail, Text, Timestamp, UtcOffset, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::rules::{Relation, require_relations};
use crate::kernel::account::HOLDS_PER_ACCOUNT_MAX;
use crate::kernel::rejection::{Rejection, require};

/// How many minutes a day has.
const DAY_MINUTES: u16 = 1_440;

/// Who may send money from the own personal account to whose, how often, how much, and when.
///
/// > 医保钱包：开通后添加亲属，将本人个人账户资金转账至亲属钱包，用于就医购药、参保缴费；每日3笔、每笔2000元以内，夜间不办理，
/// > 对方逾期未领取的自动退回。 — national medical-insurance wallet, since the end of 2024
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferRules {
    /// The relations between which money is sent, in the order of their numbers.
    #[schemars(length(min = 1, max = 32))]
    pub relations: Vec<Relation>,
    /// How many transfers a person may send on a day, 1 to 8. What is taken back or comes back
    /// counts too.
    #[schemars(range(min = 1, max = 8))]
    pub transfers_per_day_max: u8,
    /// The most of one transfer.
    pub transfer_max: Amount,
    /// When nothing is sent; left out for never. What waits is claimed at any hour.
    #[serde(default)]
    pub night: Option<NightStop>,
    /// After how many days unclaimed money comes back by itself, 1 to 15; so many days and so many
    /// transfers a day that no more than 16 wait at once.
    #[schemars(range(min = 1, max = 15))]
    pub claim_days: u8,
    /// Whether money is sent to people of other regions that have such rules too.
    pub to_other_regions: bool,
    /// Where the rules come from: the decree's number and date.
    pub source: Text<200>,
}

/// When nothing is sent, by the region's own clock. It may go over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NightStop {
    /// From this minute of the day on, 0 to 1,439: 1,380 is 23:00.
    #[schemars(range(max = 1439))]
    pub from_minute: u16,
    /// Until this minute of the day, 0 to 1,439: 360 is 06:00, at which it may be sent again.
    #[schemars(range(max = 1439))]
    pub until_minute: u16,
}

impl NightStop {
    /// Whether nothing is sent at this instant.
    #[must_use]
    pub fn covers(&self, now: Timestamp, offset: UtcOffset) -> bool {
        let start = Timestamp::start_of(now.day(offset), offset).millis();
        let minute = now.millis().saturating_sub(start).checked_div(60_000).unwrap_or(0);
        let (from, until) = (u64::from(self.from_minute), u64::from(self.until_minute));
        if from < until {
            (from..until).contains(&minute)
        } else {
            minute >= from || minute < until
        }
    }
}

/// A minute of the day as clocks show it.
pub(super) fn clock(minute: u16) -> String {
    let (hour, rest) = (minute.checked_div(60), minute.checked_rem(60));
    format!("{:02}:{:02}", hour.unwrap_or(0), rest.unwrap_or(0))
}

fn invalid(why: Detail) -> Rejection {
    rejection::INVALID_RULES.with(why)
}

impl TransferRules {
    /// What can be said of the rules alone.
    ///
    /// # Errors
    /// `invalid_family_rules`, naming the field.
    pub(super) fn check(&self) -> Result<(), Rejection> {
        require_relations(&self.relations)?;
        require(!self.transfer_max.is_zero(), || invalid(detail!("`transfer_max` is not zero")))?;
        let (count, days) = (self.transfers_per_day_max, self.claim_days);
        // On the day on which the first ones come back, as many may have been sent again.
        let waiting = usize::from(count).saturating_mul(usize::from(days).saturating_add(1));
        require(count > 0 && days > 0 && waiting <= HOLDS_PER_ACCOUNT_MAX, || {
            invalid(detail!(
                "`transfers_per_day_max` times one more than `claim_days` is 2 to 16: more do not wait at once"
            ))
        })?;
        let is_night = |night: NightStop| {
            night.from_minute < DAY_MINUTES
                && night.until_minute < DAY_MINUTES
                && night.from_minute != night.until_minute
        };
        require(self.night.is_none_or(is_night), || {
            invalid(detail!("`night` is from one minute of the day to another, 0 to 1439"))
        })
    }
}
