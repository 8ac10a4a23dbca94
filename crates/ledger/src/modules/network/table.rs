//! Rows of the network's parameters.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, Currency, OrganisationId, RegionId, Text, UtcOffset};
use proof::header::ValidatorSet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::node::NodeRow;
use super::upgrade::UpgradeRow;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::table::Table;
use crate::readers::Readers;

pub(super) const NETWORK: Table<(), NetworkRow> = Table::new(0x0100);
pub(super) const REGIONS: Table<RegionId, RegionRow> = Table::new(0x0101);
/// All nodes, sorted by organisation: few, and looked through after every block.
pub(super) const NODES: Table<(), Vec<NodeRow>> = Table::new(0x0102);
/// Who decides, once a transaction has said so; before that, whom genesis names.
pub(super) const VALIDATORS: Table<(), ValidatorSet> = Table::new(0x0103);
pub(super) const UPGRADES: Table<(), UpgradeRow> = Table::new(0x0104);

/// What holds for the whole network.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct NetworkRow {
    /// Who governs; sorted. Bodies entitled by law to see all settlements.
    pub governing: Vec<OrganisationId>,
    /// The rpId of passkeys, one per network.
    pub rp_id: Text<253>,
    /// The web origins in which passkeys may sign.
    pub origins: Vec<Text<253>>,
}

/// A pooling area on the ledger.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RegionRow {
    /// Which organisation runs its public schemes and funds.
    pub bureau: OrganisationId,
    /// The currency of its funds.
    pub currency: Currency,
    /// Its calendar and limits.
    pub settings: RegionSettings,
}

/// A region's calendar and the limits that it sets itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegionSettings {
    /// Local time less UTC in minutes; "day", "month" and "year" are computed in it.
    pub utc_offset_minutes: UtcOffset,
    /// The most one payment by card and PIN at a desk may take from a person, in minor units.
    pub desk_payment_max: Amount,
    /// The most that card and PIN may take from a person on one day, in minor units.
    pub desk_day_max: Amount,
    /// How many wrong PINs block a card, 1 to 10.
    pub pin_failures_max: u8,
    /// The most cash that one payment may take over a counter when organisations alone agreed
    /// (identity card, emergency witness), in minor units; at most `desk_payment_max`.
    pub witnessed_cash_max: Amount,
    /// For how many days a consent that organisations alone gave may be contested, 1 to 365.
    pub emergency_contest_days: u16,
    /// After how many days the bureau may answer an objection in a silent provider's place, 1 to
    /// 365.
    pub objection_answer_days: u16,
    /// How long a person's own unlock waits, in hours, 0 to 168.
    pub unlock_delay_hours: u16,
    /// How many days after admission a visit may still be checked in (the filing limit), 1 to
    /// 40,000.
    pub claim_days_max: u16,
    /// After how many hours an unanswered cash leg may be taken over by the bureau, 1 to 720.
    pub effect_takeover_hours: u16,
}

/// For how many days after its end something is kept at the least, so that late claims and refunds
/// find it:
/// two years. A longer filing limit of the region makes it longer.
const KEPT_DAYS_MIN: i32 = 731;

impl RegionRow {
    /// The day that counts as "today" when what has ended long ago is put away: earlier than today
    /// where the region's filing limit is longer than two years.
    #[must_use]
    pub fn retention_day(&self, today: CivilDate) -> CivilDate {
        let longer = i32::from(self.settings.claim_days_max).saturating_sub(KEPT_DAYS_MIN).max(0);
        today.plus_days(longer.saturating_neg()).unwrap_or(today)
    }
}

/// Writes the parameters a ledger starts with. Only genesis calls this.
pub fn write_genesis(
    state: &mut Overlay<'_>,
    network: &NetworkRow,
    regions: &[(RegionId, RegionRow)],
) {
    NETWORK.put(state, &(), network);
    for (id, region) in regions {
        REGIONS.put(state, id, region);
    }
}

/// All of it is public: rules, nodes, who decides.
pub(super) fn readers(_: &dyn Read, key: &[u8]) -> Option<Readers> {
    let is_own = NETWORK.is_key(key)
        || REGIONS.is_key(key)
        || NODES.is_key(key)
        || VALIDATORS.is_key(key)
        || UPGRADES.is_key(key);
    is_own.then_some(Readers::Everybody)
}
