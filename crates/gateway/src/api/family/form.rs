//! What is answered about families.

use ledger::modules::family::{
    AidRules, AidTerms, AidUse, BindMember, BindingGround, GrantAid, ProxyRules, RefusalReason,
    SendTransfer, TransferRules,
};
use ledger::modules::person::SetPaymentLimits;
use ledger::modules::premium::{PayPremiums, PayPremiumsFromAccounts};
use ledger::modules::visit::SettleVisit;
use primitives::{Amount, CivilDate, Hash, PersonId, RegionId, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::request::ContentHead;

/// A region's rules.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FamilyRules {
    /// Who may act with a member's own money and cover; left out where the region has not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<ProxyRules>,
    /// Whose account may pay whose share; left out where the region has not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aid: Option<AidRules>,
    /// Who sends money from wallet to wallet; left out where the region has not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer: Option<TransferRules>,
}

/// Where a person stands in the family account.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Family")]
pub struct FamilyView {
    /// The home region, whose rules count.
    pub region: RegionId,
    /// Today there.
    pub today: CivilDate,
    /// What was used up in this calendar month.
    pub month: MonthView,
    /// Whom the person may act for.
    pub members: Vec<BoundView>,
    /// Who may act for the person.
    pub payers: Vec<BoundView>,
    /// Children for whom the person applied, and where that stands.
    pub applications: Vec<ApplicationView>,
    /// Whom the person's account helps.
    pub helps: Vec<AidView>,
    /// Whose accounts help the person.
    pub helped_by: Vec<AidView>,
    /// Who checks faces for those who agree on the person's phone; left out where nobody does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub face_check: Option<FaceCheck>,
}

/// Who checks faces.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct FaceCheck {
    /// Whether it is no real authority and recognises no face; say so before a picture is taken.
    pub is_simulated: bool,
}

/// Meters of a calendar month. Unbinding gives nothing back.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(rename = "FamilyMonth")]
pub struct MonthView {
    /// How many members the person has bound.
    pub bound: u8,
    /// How many the region allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound_max: Option<u8>,
    /// How often the person was bound.
    pub was_bound: u8,
    /// How often the region allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was_bound_max: Option<u8>,
    /// From when on both begin anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub again_from: Option<CivilDate>,
}

/// Somebody of the family.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Relative {
    /// The id.
    pub person: PersonId,
    /// The name; empty where this node knows none.
    pub name: String,
}

/// A binding, seen from one side.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "BoundRelative")]
pub struct BoundView {
    /// The other side.
    #[serde(flatten)]
    pub relative: Relative,
    /// The relation by the region's number.
    pub relation: u8,
    /// On what it rests.
    pub ground: BindingGround,
    /// Since when.
    pub since: Timestamp,
    /// The last day, where documents took the place of consent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<CivilDate>,
    /// Whether it counts today; if not, the member agrees in person now.
    pub holds: bool,
}

/// What became of an application to act for a child, as far as it does not hold.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "ApplicationStanding")]
pub struct ApplicationView {
    /// For whom.
    #[serde(flatten)]
    pub relative: Relative,
    /// Where it stands.
    pub standing: ApplicationStanding,
}

/// Where an application stands.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(rename = "ApplicationState")]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum ApplicationStanding {
    /// The bureau has to decide.
    Waiting {
        /// The last day on which it may.
        until: CivilDate,
    },
    /// The bureau refused it; apply anew.
    Refused {
        /// Why.
        reason: RefusalReason,
        /// When.
        decided: Timestamp,
    },
    /// It was not decided in time; apply anew.
    Expired,
}

/// A grant of mutual aid, seen from one side.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "AidInForce")]
pub struct AidView {
    /// The other side.
    #[serde(flatten)]
    pub relative: Relative,
    /// Its number among the grants to the member.
    pub number: u32,
    /// What it says.
    pub terms: AidTerms,
    /// Since when.
    pub since: Timestamp,
    /// What it has paid in this calendar month.
    pub month_paid: Amount,
    /// What it has paid in this calendar year.
    pub year_paid: Amount,
    /// What its limits leave for one bill today.
    pub left: Amount,
    /// The last bills it paid for, oldest first.
    pub uses: Vec<AidUse>,
}

/// What a relative is asked to agree to.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "kind", content = "body", rename_all = "snake_case")]
pub enum FamilyAsked {
    /// The one who asks may act for the one who is asked.
    BindMember(BindMember),
    /// The account of the one who asks pays for the one who is asked.
    GrantAid(GrantAid),
    /// A settlement above the limits of the one who asks.
    SettleVisit(Box<SettleVisit>),
    /// Premiums above the limits, over a rail.
    PayPremiums(Box<PayPremiums>),
    /// Premiums above the limits, from accounts.
    PayPremiumsFromAccounts(PayPremiumsFromAccounts),
    /// A transfer above the limits.
    SendTransfer(SendTransfer),
    /// Limits that are to hold at once.
    SetPaymentLimits(SetPaymentLimits),
}

/// A request to a relative.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "FamilyRequest")]
pub struct FamilyRequestView {
    /// The id of the transaction that is asked for; compute it yourself from what you show.
    pub request: Hash,
    /// Who asks.
    pub payer: Relative,
    /// Who is asked.
    pub member: Relative,
    /// When it was sent.
    pub sent: Timestamp,
    /// From when on it can be agreed to no more.
    pub expires: Timestamp,
    /// The content's parts beside its body.
    pub head: ContentHead,
    /// What is asked.
    pub asked: FamilyAsked,
}

/// Requests to relatives.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FamilyRequestList {
    /// The requests.
    pub requests: Vec<FamilyRequestView>,
}
