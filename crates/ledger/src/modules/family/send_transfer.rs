//! Sends money to a relative's wallet.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, PersonId, RegionId, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::binding::Pair;
use super::rejection;
use super::rules::require_relation;
use super::table::{TRANSFER_LISTS, TRANSFER_RULES};
use super::transfer::{DayCount, Transfer, enter, require_taken_there};
use super::transfer_rules::{TransferRules, clock};
use super::view::is_family;
use crate::kernel::account::Account;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting::{self, Entry};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, kernel, require};
use crate::modules::coverage::{self, Coverage, Standing};
use crate::modules::network::{self, RegionRow};
use crate::modules::person;

const DAY_MILLIS: u64 = 24 * 3_600_000;

/// Sends money from the own personal account to a relative's. It waits, held on the sender's
/// account, until the receiver claims it; unclaimed, it is the sender's again at the end of the
/// region's term, and nobody has to do anything for that. Signed by the sender's own key, within
/// its limits.
///
/// The two are relatives where one may act for the other, or one's account helps the other. What
/// the sender is to the receiver is one of the region's relations. The receiver is insured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendTransfer {
    /// Whose account gives.
    pub sender: PersonId,
    /// Whose account gets.
    pub receiver: PersonId,
    /// What the sender is to the receiver, by the number of the sender's region.
    pub relation: u8,
    /// How much, in minor units.
    pub amount: Amount,
}

/// The sender's home, and what holds there now.
struct Here {
    home: RegionId,
    region: RegionRow,
    today: CivilDate,
}

impl SendTransfer {
    const fn pair(&self) -> Pair {
        Pair { payer: self.sender, member: self.receiver }
    }

    /// The region's limits leave this transfer; gives how many the day has with it.
    fn require_within(
        &self,
        context: &Context<'_>,
        state: &Overlay<'_>,
        (here, rules): (&Here, &TransferRules),
    ) -> Result<DayCount, Rejection> {
        let most = rules.transfer_max;
        require(self.amount <= most, || {
            let most = (most, here.region.currency);
            rejection::TRANSFER_ABOVE_LIMIT.with(detail!("at most {most}", most))
        })?;
        let offset = here.region.settings.utc_offset_minutes;
        if let Some(night) = rules.night.filter(|night| night.covers(context.time, offset)) {
            let (from, until) = (clock(night.from_minute), clock(night.until_minute));
            let words = detail!("nothing is sent from {from} to {until}", from, until);
            return Err(rejection::TRANSFER_AT_NIGHT.with(words));
        }
        let list = TRANSFER_LISTS.get(state, &self.sender).unwrap_or_default();
        let sent = DayCount::on(list.day, here.today);
        let most = rules.transfers_per_day_max;
        require(sent < most, || {
            let next = here.today.plus_days(1).unwrap_or(here.today);
            let words = detail!("{sent} of {most} today, again from {next}", sent, most, next);
            rejection::TRANSFER_DAY_LIMIT.with(words)
        })?;
        Ok(DayCount { day: here.today, count: sent.saturating_add(1) })
    }

    /// The receiver is insured, related, and where money from here may go.
    fn require_receiver(
        &self,
        state: &Overlay<'_>,
        (here, rules): (&Here, &TransferRules),
    ) -> Result<(), Rejection> {
        let receiver = person::view::require_person(state, self.receiver)?;
        require(is_family(state, (self.sender, self.receiver), here.today), || {
            rejection::TRANSFER_TO_STRANGER.reject()
        })?;
        require_relation(&rules.relations, self.relation)?;
        if receiver.region != here.home {
            require_taken_there(state, (here.home, rules), receiver.region, here.today)?;
        }
        let row = coverage::view::coverage(state, self.receiver);
        // Cover that waits or rests counts: the money may be for the premium that mends it.
        let is_over =
            |one: &Coverage| matches!(one.standing_on(here.today), Standing::Ended { .. });
        let is_insured = row.is_some_and(|row| row.coverages.iter().any(|one| !is_over(one)));
        require(is_insured, || rejection::RECEIVER_NOT_INSURED.reject())
    }
}

impl Kind for SendTransfer {
    const NUMBER: u16 = 1010;
    const NAME: &'static str = "send_transfer";

    fn check(&self) -> Result<(), Rejection> {
        self.pair().check()?;
        require(!self.amount.is_zero(), || kernel::NOTHING_TO_MOVE.reject())
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        person::view::require_key(context, state, self.sender, Amount::ZERO).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let home = person::view::require_person(state, self.sender)?.region;
        let region = RegionRow::clone(&*network::view::require_region(state, home)?);
        let today = context.day(region.settings.utc_offset_minutes);
        let here = Here { home, region, today };
        let rules = TRANSFER_RULES
            .shared(state, &home)
            .ok_or_else(|| rejection::TRANSFERS_NOT_OFFERED.with(home))?;
        self.require_receiver(state, (&here, &rules))?;
        let day = self.require_within(context, state, (&here, &rules))?;
        let used = person::view::require_key(context, state, self.sender, self.amount)?;
        person::view::note_key_spending(state, &used)?;
        let (id, currency) = (context.transaction.id(), here.region.currency);
        let term = u64::from(rules.claim_days).saturating_mul(DAY_MILLIS);
        let transfer = Transfer {
            sender: self.sender,
            receiver: self.receiver,
            relation: self.relation,
            amount: self.amount,
            currency,
            region: home,
            sent: context.time,
            until: context.time.plus_millis(term),
            ended: None,
        };
        let debit = Account::PersonalAccount(self.sender);
        let credit = Account::FamilyAccounts(home);
        let entry = Entry { debit, credit, amount: self.amount };
        posting::hold(state, context.time, id, currency, entry, transfer.until)?;
        enter(state, (id, &transfer), day)?;
        Ok(transfer.told((id, "transfer_sent"), state))
    }
}
