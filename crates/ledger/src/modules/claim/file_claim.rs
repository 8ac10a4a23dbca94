//! Files a claim for bills that were paid in full.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{CivilDate, Hash, Party, PersonId, RegionId, SchemeId, detail};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::claimant::{require_claimant, require_payee};
use super::rejection;
use super::table::{CLAIMANTS, CLAIMS, CLAIMS_LISTED_MAX, ClaimRow, ClaimStanding, INVOICES};
use super::view;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::person::Actor;
use crate::modules::{coverage, network};

/// How many invoices one claim has at the most. Our own limit: it bounds the row.
const INVOICES_MAX: usize = 16;

/// Claims for the bills of one visit or stay that were paid in full. Who gave the care, and for
/// what, lies with the documents; here are a commitment to them and the tags of the invoices,
/// hashes under a key of the bureau, by which no invoice is paid for twice. Signed by whoever
/// speaks for the person: own key, guardian, or a desk of the bureau; where the region's rules say
/// so, also by a relative who is bound to act for the person.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileClaim {
    /// Whose bills.
    pub person: PersonId,
    /// Who speaks for the person.
    pub by: Actor,
    /// The insured place.
    pub region: RegionId,
    /// The scheme that is to pay.
    pub scheme: SchemeId,
    /// The first day of service.
    pub from: CivilDate,
    /// The last day of service.
    pub to: CivilDate,
    /// The tags of the invoices, ascending: 1 to 16.
    #[schemars(length(min = 1, max = 16))]
    pub invoices: Vec<Hash>,
    /// A salted commitment to the documents and to what is said of them.
    pub documents: Hash,
    /// To whom the money goes: a guardian of the person, or, left out, the person.
    #[serde(default)]
    pub payee: Option<PersonId>,
}

/// 1 to 16 tags, ascending.
///
/// # Errors
/// `invalid_invoice_list`.
pub(super) fn check_invoices(tags: &[Hash]) -> Result<(), Rejection> {
    let holds = (1..=INVOICES_MAX).contains(&tags.len()) && tags.is_sorted_by(|a, b| a < b);
    require(holds, || rejection::INVOICE_LIST.reject())
}

/// The invoices are in no other claim than this one, if one is named.
///
/// # Errors
/// `invoice_claimed`, `invoice_used`, with the invoice's tag.
pub(super) fn require_free(
    state: &Overlay<'_>,
    region: RegionId,
    tags: &[Hash],
    own: Option<&Hash>,
) -> Result<(), Rejection> {
    for tag in tags {
        let Some(claim) = INVOICES.get(state, &(region, *tag)) else { continue };
        if own == Some(&claim) {
            continue;
        }
        let waits = CLAIMS.get(state, &claim).is_some_and(|one| one.is_waiting());
        let code = if waits { rejection::INVOICE_CLAIMED } else { rejection::INVOICE_USED };
        return Err(code.with(tag));
    }
    Ok(())
}

impl ClaimRow {
    /// Whether the bureau has to decide.
    #[must_use]
    pub const fn is_waiting(&self) -> bool {
        matches!(self.standing, ClaimStanding::Waiting)
    }
}

impl Kind for FileClaim {
    const NUMBER: u16 = 1102;
    const NAME: &'static str = "file_claim";

    fn check(&self) -> Result<(), Rejection> {
        require(self.from <= self.to, || rejection::SERVICE_DATES.reject())?;
        check_invoices(&self.invoices)
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let of = (self.person, self.region);
        require_claimant(context, state, of, self.by).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let rules = view::require_rules(state, self.region)?;
        let region = network::view::require_region(state, self.region)?;
        let today = context.day(region.settings.utc_offset_minutes);
        require(self.to <= today, || rejection::SERVICE_DATES.with(self.to))?;
        let last = self.to.plus_days(i32::from(rules.filing_days_max));
        require(last.is_none_or(|last| today <= last), || match last {
            Some(last) => rejection::FILED_TOO_LATE.with(detail!("until {until}", until = last)),
            None => rejection::FILED_TOO_LATE.reject(),
        })?;
        let (person, scheme) = (self.person, self.scheme);
        coverage::view::require_active_coverage(state, person, self.region, scheme, self.from)?;
        require_free(state, self.region, &self.invoices, None)?;
        let payee = require_payee(state, person, self.payee, today)?;
        let filed_by = require_claimant(context, state, (person, self.region), self.by)?;
        let id = context.transaction.id();
        self.list(state, id, rules.open_claims_per_person_max)?;
        let days = i32::from(rules.decision_days_max);
        let row = ClaimRow {
            person,
            region: self.region,
            scheme,
            from: self.from,
            to: self.to,
            invoices: self.invoices.clone(),
            documents: self.documents,
            filed: context.time,
            filed_by,
            payee,
            until: today.plus_days(days).unwrap_or(today),
            standing: ClaimStanding::Waiting,
        };
        for tag in &self.invoices {
            INVOICES.put(state, &(self.region, *tag), &id);
        }
        CLAIMS.put(state, &id, &row);
        let concerns = [Party::Person(person), Party::Organisation(region.bureau)];
        Ok(Outcome::event("claim_filed", concerns)
            .with("service_from", FieldValue::Date(self.from))
            .with("service_to", FieldValue::Date(self.to))
            .with("decided_until", FieldValue::Date(row.until)))
    }
}

impl FileClaim {
    /// Adds the claim to the person's list, where the oldest closed one gives way.
    fn list(&self, state: &mut Overlay<'_>, id: Hash, open_max: u8) -> Result<(), Rejection> {
        let key = (self.region, self.person);
        let mut list = CLAIMANTS.get(state, &key).unwrap_or_default();
        let waits = |state: &Overlay<'_>, one: &Hash| {
            CLAIMS.get(state, one).is_some_and(|claim| claim.is_waiting())
        };
        let open = list.iter().filter(|one| waits(state, one)).count();
        require(open < usize::from(open_max), || rejection::TOO_MANY_CLAIMS.reject())?;
        if list.len() >= CLAIMS_LISTED_MAX
            && let Some(at) = list.iter().position(|one| !waits(state, one))
        {
            list.remove(at);
        }
        list.push(id);
        CLAIMANTS.put(state, &key, &list);
        Ok(())
    }
}
