//! Grants mutual aid.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, PersonId};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::agreement::{Agreement, require_standing, today_of};
use super::aid::AidTerms;
use super::binding::Pair;
use super::rejection;
use super::rules::{PAYERS_MAX, require_relation};
use super::table::{AID_RULES, AidGrant, FAMILIES, GRANTS};
use super::view::family;
use crate::kernel::account::Account;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting;
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::{network, person};

/// Lets the payer's personal account pay a member's share of bills, or premiums, within limits.
/// Signed by the payer's key and by the member; where the two are bound, or the member is below the
/// region's age, the payer's key is enough. A lock of the payer freezes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantAid {
    /// Whose account pays.
    pub payer: PersonId,
    /// For whom.
    pub member: PersonId,
    /// What it offers.
    pub terms: AidTerms,
    /// How the member agrees.
    pub agreement: Agreement,
}

impl Kind for GrantAid {
    const NUMBER: u16 = 1007;
    const NAME: &'static str = "grant_aid";

    fn check(&self) -> Result<(), Rejection> {
        Pair { payer: self.payer, member: self.member }.check()?;
        self.terms.check()
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        person::view::require_key(context, state, self.payer, Amount::ZERO)?;
        self.agreement.require(context, state, self.member)
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let (payer, member) = (self.payer, self.member);
        let home = person::view::require_person(state, member)?.region;
        let rules =
            AID_RULES.shared(state, &home).ok_or_else(|| rejection::AID_NOT_OFFERED.with(home))?;
        let region = network::view::require_region(state, home)?;
        let today = today_of(context, state, member)?;
        if self.agreement == Agreement::Standing {
            require_standing(state, (payer, member), rules.direct_below_age, today)?;
        }
        require_relation(&rules.relations, self.terms.relation)?;
        self.terms.require_within(&rules, region.currency)?;
        require(self.terms.until.is_none_or(|until| today <= until), || {
            rejection::INVALID_AID_TERMS.with(primitives::detail!("`until` is over"))
        })?;
        let account = posting::account(state, &Account::PersonalAccount(payer));
        require(account.is_some_and(|row| row.credits > 0), || rejection::NO_ACCOUNT.reject())?;
        let number = self.enter(state, usize::from(rules.members_per_payer_max))?;
        let grant = AidGrant {
            payer,
            region: home,
            terms: self.terms.clone(),
            since: context.time,
            revoked: None,
            meter: None,
            uses: alloc::vec::Vec::new(),
        };
        GRANTS.put(state, &(member, number), &grant);
        let concerns = Pair { payer, member }.concerns(state);
        Ok(Outcome::event("aid_granted", concerns)
            .with("grant", FieldValue::Number(u64::from(number))))
    }
}

impl GrantAid {
    /// Enters the grant with both, and gives its number.
    fn enter(&self, state: &mut Overlay<'_>, most: usize) -> Result<u32, Rejection> {
        let mut payer = family(state, self.payer);
        let helps = payer.helps.iter().any(|(member, _)| *member == self.member);
        require(!helps, || rejection::AID_EXISTS.reject())?;
        require(payer.helps.len() < most, || rejection::TOO_MANY_HELPED.with(most))?;
        let mut member = family(state, self.member);
        require(member.grants.len() < PAYERS_MAX, || rejection::TOO_MANY_PAYERS.with(PAYERS_MAX))?;
        member.last_grant = member.last_grant.saturating_add(1);
        member.grants.push(member.last_grant);
        payer.helps.push((self.member, member.last_grant));
        FAMILIES.put(state, &self.payer, &payer);
        FAMILIES.put(state, &self.member, &member);
        Ok(member.last_grant)
    }
}
