//! A region's rules of claims after full cash payment.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Text, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::foreign::{ForeignClaimRules, RATE_DAYS_BACK_MAX};
use super::rejection;
use crate::kernel::rejection::{Rejection, require};

/// The longest time for filing, in days. Our own limit: with it running amounts of the service
/// dates are still there when the bureau decides.
const FILING_DAYS_MAX: u16 = 366;
/// The longest time for deciding, in days. Our own limit.
const DECISION_DAYS_MAX: u16 = 366;
/// The most claims of a person that wait at once. Our own limit: it bounds the row.
pub(super) const OPEN_CLAIMS_MAX: u8 = 16;

/// Until when people claim for bills that they paid in full, and the bureau decides.
///
/// The figures are data of the region with their source; the demo's are parameters of the demo.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimRules {
    /// How many days after the last day of service a claim is filed at the latest, 1 to 366.
    #[schemars(range(min = 1, max = 366))]
    pub filing_days_max: u16,
    /// Within how many days the bureau decides, 1 to 366. A late decision still counts.
    #[schemars(range(min = 1, max = 366))]
    pub decision_days_max: u16,
    /// How many claims of a person may wait at once, 1 to 16.
    #[schemars(range(min = 1, max = 16))]
    pub open_claims_per_person_max: u8,
    /// Whether a relative who is bound as a proxy claims for a member. The money still goes to the
    /// member or the member's guardian.
    #[serde(default)]
    pub proxies_claim: bool,
    /// By whose rates bills in other currencies are taken; left out where they are not.
    #[serde(default)]
    pub foreign: Option<ForeignClaimRules>,
    /// Where the rules come from: the decree's number and date.
    pub source: Text<200>,
}

impl ClaimRules {
    /// What can be said of the rules alone.
    ///
    /// # Errors
    /// `invalid_claim_rules`.
    pub(super) fn check(&self) -> Result<(), Rejection> {
        let holds = (1..=FILING_DAYS_MAX).contains(&self.filing_days_max)
            && (1..=DECISION_DAYS_MAX).contains(&self.decision_days_max)
            && (1..=OPEN_CLAIMS_MAX).contains(&self.open_claims_per_person_max);
        require(holds, || {
            rejection::INVALID_RULES
                .with(detail!("days lie between 1 and 366, claims at once between 1 and 16"))
        })?;
        let days_back = self.foreign.map_or(0, |foreign| foreign.rate_days_back_max);
        require(days_back <= RATE_DAYS_BACK_MAX, || {
            rejection::INVALID_RULES.with(detail!(
                "a rate is from at most {most} days before",
                most = usize::from(RATE_DAYS_BACK_MAX)
            ))
        })
    }
}
