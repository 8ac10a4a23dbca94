//! A region's rules of the proxy and of mutual aid: two sets, since they come from different
//! decrees and people confuse the two.

use alloc::vec::Vec;
use benefit::VisitType;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Detail, Text, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use crate::kernel::rejection::{Code, Rejection, require};

/// How many kinds of relation a region has at the most. Our own limit: it bounds the row.
const RELATIONS_MAX: usize = 32;
/// How many members a payer has at the most, whatever a region sets. Our own limit: it bounds the
/// payer's row.
const MEMBERS_MAX: u8 = 32;
/// How many payers a member has at the most. Our own limit: it bounds the member's row.
pub(super) const PAYERS_MAX: usize = 16;
/// How many visit types may be left out at the most. Our own limit: it bounds the row.
const VISIT_TYPES_MAX: usize = 32;
/// The longest time for a bureau to decide: a year.
const APPLICATION_DAYS_MAX: u16 = 366;

/// A kind of relation that a region accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Relation {
    /// Its number within the set of rules.
    pub number: u8,
    /// Its name: `spouse`, `parent`, `child`, `sibling`, `grandparent`, `grandchild` or another.
    pub name: Text<32>,
}

/// Who may act with a member's own money and cover.
///
/// > 每人每月最多绑定 5 名家庭成员，同一成员每月最多被绑定 2 次；16 周岁以下上传证明材料审核，16 周岁及以上人脸识别；
/// > 双方均可解绑。 — Gansu Provincial People's Hospital, notice on the family account
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProxyRules {
    /// The relations that may be bound, in the order of their numbers.
    #[schemars(length(min = 1, max = 32))]
    pub relations: Vec<Relation>,
    /// How many members a payer may bind in a calendar month, 1 to 32.
    #[schemars(range(min = 1, max = 32))]
    pub members_per_payer_per_month_max: u8,
    /// How often a member may be bound in a calendar month, 1 or more.
    #[schemars(range(min = 1))]
    pub bindings_per_member_per_month_max: u8,
    /// How many members a payer may have at once, 1 to 32.
    #[schemars(range(min = 1, max = 32))]
    pub members_per_payer_max: u8,
    /// From which age on a member agrees in person; below it the bureau decides on documents.
    pub own_consent_age: u8,
    /// Within how many days the bureau decides on an application, 1 to 366.
    #[schemars(range(min = 1, max = 366))]
    pub application_days_max: u16,
    /// The most that a proxy may agree to for one bill; above it the member agrees in person.
    pub payment_max: Amount,
    /// Kinds of care for which no proxy is accepted; best none.
    #[serde(default)]
    #[schemars(length(max = 32))]
    pub excluded_visit_types: Vec<VisitType>,
    /// Where the rules come from: the decree's number and date.
    pub source: Text<200>,
}

/// Whose account may pay whose share, and how much.
///
/// > 职工医保个人账户……可用于支付参保人员配偶、父母、子女……在定点医疗机构就医发生的由个人负担的医疗费用。 — State
/// > Council General Office 2021 no. 14; 近亲属范围扩大 — NHSA, 2024
///
/// The premium of relatives is a use of the account as well (healthcare security administration of
/// Sichuan, 2025-07-04).
///
/// Whether the own account or the shared ones pay first is the order of the plan's steps, with
/// their words and their dates.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AidRules {
    /// The relations between which aid is given, in the order of their numbers.
    #[schemars(length(min = 1, max = 32))]
    pub relations: Vec<Relation>,
    /// How many members a payer may help at once, 1 to 32.
    #[schemars(range(min = 1, max = 32))]
    pub members_per_payer_max: u8,
    /// How many accounts may pay for one bill, 1 to 16.
    #[schemars(range(min = 1, max = 16))]
    pub accounts_per_bill_max: u8,
    /// Below which age no agreement of the member is asked; 0 for none.
    pub direct_below_age: u8,
    /// Whether a grant may pay premiums.
    #[serde(default)]
    pub pays_premiums: bool,
    /// The most that a grant may offer for one bill or premium.
    pub bill_max: Amount,
    /// The most that a grant may offer in a calendar month.
    pub month_max: Amount,
    /// The most that a grant may offer in a calendar year.
    pub year_max: Amount,
    /// Where the rules come from: the decree's number and date.
    pub source: Text<200>,
}

/// Relations are some, and in the order of their numbers.
///
/// # Errors
/// `invalid_family_rules`.
pub(super) fn require_relations(relations: &[Relation]) -> Result<(), Rejection> {
    let ascending =
        relations.iter().zip(relations.iter().skip(1)).all(|(a, b)| a.number < b.number);
    require((1..=RELATIONS_MAX).contains(&relations.len()) && ascending, || {
        invalid(detail!("`relations` are 1 to 32 in the order of their numbers"))
    })
}

/// Limits of a bill, a month and a year are not zero and none is below the one before.
///
/// # Errors
/// With this code.
pub(super) fn require_rising(limits: [Amount; 3], code: Code) -> Result<(), Rejection> {
    let [bill, month, year] = limits;
    require(!bill.is_zero() && bill <= month && month <= year, || {
        code.with(detail!("`bill_max`, `month_max` and `year_max` rise and are not zero"))
    })
}

fn invalid(why: Detail) -> Rejection {
    rejection::INVALID_RULES.with(why)
}

/// The relation is one of these.
///
/// # Errors
/// `relation_not_accepted`, with the number.
pub(super) fn require_relation(relations: &[Relation], number: u8) -> Result<(), Rejection> {
    require(relations.iter().any(|one| one.number == number), || {
        rejection::RELATION_NOT_ACCEPTED.with(number)
    })
}

impl ProxyRules {
    /// What can be said of the rules alone.
    ///
    /// # Errors
    /// `invalid_family_rules`, naming the field.
    pub(super) fn check(&self) -> Result<(), Rejection> {
        require_relations(&self.relations)?;
        let most = 1..=MEMBERS_MAX;
        let counts = most.contains(&self.members_per_payer_per_month_max)
            && most.contains(&self.members_per_payer_max)
            && self.bindings_per_member_per_month_max > 0;
        require(counts, || {
            invalid(detail!(
                "a payer has 1 to 32 members, 1 to 32 new ones a month; a member is bound at least once"
            ))
        })?;
        require((1..=APPLICATION_DAYS_MAX).contains(&self.application_days_max), || {
            invalid(detail!("`application_days_max` lies between 1 and 366"))
        })?;
        require(self.excluded_visit_types.len() <= VISIT_TYPES_MAX, || {
            invalid(detail!("`excluded_visit_types` are 32 at the most"))
        })
    }
}

impl AidRules {
    /// What can be said of the rules alone.
    ///
    /// # Errors
    /// `invalid_family_rules`, naming the field.
    pub(super) fn check(&self) -> Result<(), Rejection> {
        require_relations(&self.relations)?;
        let accounts = usize::from(self.accounts_per_bill_max);
        let counts = (1..=MEMBERS_MAX).contains(&self.members_per_payer_max)
            && (1..=benefit::FAMILY_GRANTS_MAX).contains(&accounts);
        require(counts, || {
            invalid(detail!("a payer helps 1 to 32 members, 1 to 16 accounts pay for a bill"))
        })?;
        require_rising([self.bill_max, self.month_max, self.year_max], rejection::INVALID_RULES)
    }
}
