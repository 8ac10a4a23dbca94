//! Corrects an accepted claim: lines are taken out, and what was paid for them is given back.

use benefit::CategorySums;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Hash, Party, Text};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::accept_claim::{require_bureaus_two_keys, require_kept};
use super::adjudicate::{ClaimRecord, paid_by_funds, quote_remaining_claim, subject};
use super::foreign::{ForeignBill, foreign_fields, require_converted};
use super::rejection;
use super::table::{AcceptedRow, CLAIMS, ClaimRow, ClaimStanding, PAYOUTS, require_claim};
use crate::kernel::account::Account;
use crate::kernel::context::Context;
use crate::kernel::effect::EffectStatus;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting::{self, Entry};
use crate::kernel::receipt::{Outcome, amount_value};
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::visit::{self, Quote, Split, VisitSubject};
use crate::modules::voucher;

/// Corrects an accepted claim: lines that should not have been paid for are taken out, or all of
/// them. What remains is adjudicated again under the original plan versions and facts, on the
/// running amounts as they are now less the original's, and a bill in another currency at its
/// original rate. What was paid out too much is owed by the person and the funds have it back; what
/// was not paid out yet is paid out less. The invoices stay used: what was left out by mistake is
/// not added here.
///
/// Signed by the region's bureau with scopes `clerk` (who reviewed it) and `countersign` (who
/// sorted the lines again).
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrectClaim {
    /// The claim as it stands, which the bureau keeps and the ledger has the hash of.
    pub record: ClaimRecord,
    /// Why.
    pub reason: ClaimCorrection,
    /// The salted commitment over the lines and sums that remain.
    pub bill: Hash,
    /// The sorted lines that remain, in the region's currency; none when all are taken out.
    pub sums: CategorySums,
    /// What they come to in the bill's currency, where that is another one.
    #[serde(default)]
    pub foreign_total: Option<Amount>,
    /// The split that was reviewed.
    pub split: Split,
    /// The hash of the record afterwards.
    pub corrected: Hash,
}

/// Why a claim is corrected. A list, since no free text stands on the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClaimCorrection {
    /// Lines were read wrongly.
    WrongLines,
    /// The provider gave lines back to the person.
    GivenBackByProvider,
    /// The provider had settled with the insurance.
    SettledAlready,
    /// Somebody else has to pay.
    ThirdPartyPays,
    /// The issuer does not know the invoice.
    NotGenuine,
}

impl ClaimCorrection {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WrongLines => "wrong_lines",
            Self::GivenBackByProvider => "given_back_by_provider",
            Self::SettledAlready => "settled_already",
            Self::ThirdPartyPays => "third_party_pays",
            Self::NotGenuine => "not_genuine",
        }
    }
}

impl Kind for CorrectClaim {
    const NUMBER: u16 = 1107;
    const NAME: &'static str = "correct_claim";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let region = require_claim(state, &self.record.claim)?.region;
        require_bureaus_two_keys(context, state, region)
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let row = require_claim(state, &self.record.claim)?;
        let accepted = self.require_current(state, &row)?;
        require_kept(context, state, &row)?;
        let foreign = self.foreign(state, &row)?;
        self.require_less()?;
        let quoted = quote_remaining_claim(
            state,
            context.plans,
            &row,
            &self.record,
            &self.sums,
            context.time,
        )?;
        visit::require_same_split(&self.split, &quoted.split, quoted.currency)?;
        let record = ClaimRecord {
            bill: self.bill,
            sums: self.sums.clone(),
            foreign,
            parts: quoted.parts.clone(),
            ..self.record.clone()
        };
        require(record.hash() == self.corrected, || rejection::RECORD_OUTDATED.reject())?;
        let subject = subject(state, &row, &self.record.care)?;
        let back = self.give_back(context, state, (&subject, &accepted), &quoted)?;
        visit::set_running_amounts(context, state, &subject, &quoted.accumulators)?;
        let own = quoted.split.total.saturating_sub(paid_by_funds(&quoted.split));
        voucher::adjust_settlement(state, accepted.transaction_id, own)?;
        let corrected = AcceptedRow {
            record: self.corrected,
            total: quoted.split.total,
            paid: paid_by_funds(&quoted.split),
            owed_back: accepted.owed_back.saturating_add(back),
            ..accepted
        };
        let outcome = self.outcome(state, (&row, &subject), (&quoted, back))?;
        let outcome = match &foreign {
            Some(bill) => foreign_fields(state, outcome, row.region, bill)?,
            None => outcome,
        };
        CLAIMS.put(
            state,
            &self.record.claim,
            &ClaimRow { standing: ClaimStanding::Accepted(corrected), ..row },
        );
        Ok(outcome)
    }
}

impl CorrectClaim {
    /// The claim stands as the record says, and no payout of it is on its way.
    fn require_current(
        &self,
        state: &Overlay<'_>,
        row: &ClaimRow,
    ) -> Result<AcceptedRow, Rejection> {
        let ClaimStanding::Accepted(accepted) = row.standing else {
            return Err(rejection::NOT_ACCEPTED.reject());
        };
        require(self.record.hash() == accepted.record, || rejection::RECORD_OUTDATED.reject())?;
        let last = accepted.payout.and_then(|reference| PAYOUTS.get(state, &reference));
        let is_pending = last.is_some_and(|payout| payout.status == EffectStatus::Pending);
        require(!is_pending, || rejection::PAYOUT_PENDING.reject())?;
        Ok(accepted)
    }

    /// Something is taken out and nothing put in. The lines of a bill in another currency are
    /// rounded anew, so that one may come to a little more: of such a bill the sum is looked at,
    /// and that funds do not pay more ([`Self::give_back`]).
    fn require_less(&self) -> Result<(), Rejection> {
        let Self { record, sums, .. } = self;
        let is_less = match (record.foreign, self.foreign_total) {
            (Some(original), Some(total)) => total < original.total,
            _ => visit::takes_out(sums, &record.sums),
        };
        require(is_less, || rejection::CORRECTION_RAISES.reject())
    }

    /// What remains of a bill in another currency, at its original rate.
    fn foreign(
        &self,
        state: &Overlay<'_>,
        row: &ClaimRow,
    ) -> Result<Option<ForeignBill>, Rejection> {
        match (self.record.foreign, self.foreign_total) {
            (None, None) => Ok(None),
            (Some(original), Some(total)) => {
                let bill = ForeignBill { total, ..original };
                require_converted(state, row.region, &bill, &self.sums)?;
                Ok(Some(bill))
            }
            (Some(_), None) | (None, Some(_)) => Err(rejection::CONVERSION_DIFFERS.reject()),
        }
    }

    /// Funds have back what they paid too much. Gives what the person owes for it.
    fn give_back(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
        (subject, accepted): (&VisitSubject, &AcceptedRow),
        quoted: &Quote,
    ) -> Result<Amount, Rejection> {
        let less = accepted.paid.checked_sub(paid_by_funds(&quoted.split));
        let less = less.ok_or_else(|| rejection::CORRECTION_RAISES.reject())?;
        let owed = Account::OwedToPatients(subject.books());
        let taken = visit::entries_to(state, subject, &self.record.parts, owed)?;
        let given = visit::entries_to(state, subject, &quoted.parts, owed)?;
        let mut entries = visit::net_entries(&taken, &given);
        let last = accepted.payout.and_then(|reference| PAYOUTS.get(state, &reference));
        let is_paid = last.is_some_and(|payout| payout.status == EffectStatus::Done);
        let back = if is_paid { less } else { Amount::ZERO };
        if !back.is_zero() {
            let debit = Account::Receivable(subject.books());
            entries.push(Entry { debit, credit: owed, amount: back });
        }
        posting::post(state, context.time, quoted.currency, &entries)?;
        Ok(back)
    }

    fn outcome(
        &self,
        state: &Overlay<'_>,
        (row, subject): (&ClaimRow, &VisitSubject),
        (quoted, back): (&Quote, Amount),
    ) -> Result<Outcome, Rejection> {
        let mut concerns = visit::paying_organisations(state, subject, &self.record.parts)?;
        concerns.extend([Party::Organisation(subject.provider), Party::Person(row.person)]);
        let reason =
            Text::new(self.reason.name()).map_err(|words| rejection::UNKNOWN_CLAIM.with(words))?;
        let outcome = Outcome::event("claim_corrected", concerns)
            .with("claim", FieldValue::Hash(self.record.claim))
            .with("person", FieldValue::Party(Party::Person(row.person)))
            .with("reason", FieldValue::Text(reason))
            .with("bill", FieldValue::Hash(self.bill))
            .with("owed_back", amount_value(back, quoted.currency));
        Ok(visit::split_fields(outcome, &quoted.split, quoted.currency))
    }
}
