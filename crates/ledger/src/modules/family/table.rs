//! Rows of families: what a person bound and may use, bindings, applications, grants.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, Hash, PersonId, RegionId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::aid::AidTerms;
use super::decide_binding::RefusalReason;
use super::month::{AidMeter, MonthCount};
use super::rules::{AidRules, ProxyRules};
use super::transfer::{Transfer, TransferList};
use super::transfer_rules::TransferRules;
use crate::kernel::overlay::Read;
use crate::kernel::table::Table;
use crate::readers::Readers;

pub(super) const PROXY_RULES: Table<RegionId, ProxyRules> = Table::new(0x0A00);
pub(super) const AID_RULES: Table<RegionId, AidRules> = Table::new(0x0A01);
pub(super) const FAMILIES: Table<PersonId, FamilyRow> = Table::new(0x0A02);
/// By payer and member.
pub(super) const BINDINGS: Table<(PersonId, PersonId), Binding> = Table::new(0x0A03);
/// By payer and member.
pub(super) const APPLICATIONS: Table<(PersonId, PersonId), BindingApplication> = Table::new(0x0A04);
/// By member and the grant's number of this member, never reused; a revoked one stays, because a
/// refund goes back to its payer.
pub(super) const GRANTS: Table<(PersonId, u32), AidGrant> = Table::new(0x0A05);

/// What the bureau refused last, by payer and member, until they apply again.
pub(super) const REFUSALS: Table<(PersonId, PersonId), BindingRefusal> = Table::new(0x0A06);

/// A region's rules of transfers between wallets.
pub(super) const TRANSFER_RULES: Table<RegionId, TransferRules> = Table::new(0x0A07);
/// By the transaction that sent it.
pub(super) const TRANSFERS: Table<Hash, Transfer> = Table::new(0x0A08);
pub(super) const TRANSFER_LISTS: Table<PersonId, TransferList> = Table::new(0x0A09);

/// How many uses of a grant its payer can look up. Our own limit: it bounds the row.
pub(super) const USES_MAX: usize = 12;

/// What one person has to do with families: one small row, so that whoever asks knows where to
/// look.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct FamilyRow {
    /// How many members the person bound in a month.
    pub bound: Option<MonthCount>,
    /// How often the person was bound in a month.
    pub was_bound: Option<MonthCount>,
    /// Whom the person may act for.
    pub members: Vec<PersonId>,
    /// Who may act for the person.
    pub payers: Vec<PersonId>,
    /// For whom the person has applied and waits, or was refused or not answered in time.
    pub applied_for: Vec<PersonId>,
    /// Whom the person's account helps, with the number of the grant.
    pub helps: Vec<(PersonId, u32)>,
    /// The grants that help the person and are not revoked, by number.
    pub grants: Vec<u32>,
    /// The number of the last grant to the person.
    pub last_grant: u32,
}

/// A binding: the payer may act for the member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Binding {
    /// The relation by the region's number.
    pub relation: u8,
    /// How the member agreed.
    pub ground: BindingGround,
    /// Since when, by block time.
    pub since: Timestamp,
    /// The last day on which it counts, where documents took the place of consent.
    pub until: Option<CivilDate>,
}

/// On what a binding rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BindingGround {
    /// The member's own key.
    OwnKey,
    /// The member's face, checked by an identity authority.
    Face,
    /// The member's identity card at a desk of the bureau.
    Desk,
    /// Documents that the bureau reviewed: the member is too young to agree in person.
    Documents,
}

impl Binding {
    /// Whether it counts on this day.
    #[must_use]
    pub fn holds_on(&self, day: CivilDate) -> bool {
        self.until.is_none_or(|until| day <= until)
    }
}

/// An application to bind a member who is too young to agree in person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct BindingApplication {
    /// The relation by the region's number.
    pub relation: u8,
    /// A salted commitment to the documents, which the bureau's desk holds encrypted.
    pub documents: Hash,
    /// The last day on which the bureau may decide.
    pub until: CivilDate,
}

/// An application that the bureau refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct BindingRefusal {
    /// Why.
    pub reason: RefusalReason,
    /// When, by block time.
    pub decided: Timestamp,
}

/// A grant of mutual aid.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct AidGrant {
    /// Whose account pays.
    pub payer: PersonId,
    /// The region whose rules and calendar count: the member's home when it was given.
    pub region: RegionId,
    /// What it says.
    pub terms: AidTerms,
    /// When it was given, by block time.
    pub since: Timestamp,
    /// When it was revoked, if it was.
    pub revoked: Option<Timestamp>,
    /// What it has paid in month and year.
    pub meter: Option<AidMeter>,
    /// The last bills it paid for, oldest first, at most [`USES_MAX`].
    pub uses: Vec<AidUse>,
}

/// A bill of which a grant paid a part, or a premium, as its payer may know it: no provider, no
/// kind of care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AidUse {
    /// The transaction that settled the bill or paid the premium.
    pub settlement: Hash,
    /// The day of payment in the region's calendar.
    pub day: CivilDate,
    /// What the grant paid.
    pub paid: Amount,
    /// What came back of it.
    pub returned: Amount,
}

/// Who may read them: everybody the rules, the home bureau who is bound to whom. Which relative's
/// account helps is no provider's business.
pub(super) fn readers(state: &dyn Read, key: &[u8]) -> Option<Readers> {
    if PROXY_RULES.is_key(key) || AID_RULES.is_key(key) || TRANSFER_RULES.is_key(key) {
        return Some(Readers::Everybody);
    }
    if let Some(id) = TRANSFERS.key_of(key) {
        // Ids are hashes of transactions: who knows one that is no transfer learns nothing.
        return Some(
            TRANSFERS
                .get(state, &id)
                .map_or(Readers::Everybody, |one| Readers::HomeBureaus([one.sender, one.receiver])),
        );
    }
    let two = BINDINGS.key_of(key).or_else(|| APPLICATIONS.key_of(key));
    let two = two.or_else(|| REFUSALS.key_of(key)).map(|(one, _)| one);
    let two = two.or_else(|| TRANSFER_LISTS.key_of(key));
    let own = FAMILIES.key_of(key).or(two).or_else(|| GRANTS.key_of(key).map(|(own, _)| own));
    own.map(Readers::HomeBureau)
}
