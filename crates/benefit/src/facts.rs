//! What rules may ask about a person and a visit. The ledger keeps nothing more precise than this.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, SlotId, detail};
use serde::{Deserialize, Serialize};

use crate::word::{
    Filing, HospitalLevel, IncomeClass, Network, PersonClasses, Place, Sex, VisitType,
};

/// The most slots and the most family grants that facts may name.
pub const SLOTS_MAX: usize = 16;
/// The most family-account grants that facts may offer.
pub const FAMILY_GRANTS_MAX: usize = 16;

/// An age in full years as a band: `from` is in it, `below` is not.
///
/// The ledger stores attested bands only. The edge may say an exact age as a band of one year. A
/// condition that a band does not decide is an error, never a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, Serialize, schemars::JsonSchema)]
pub struct AgeBand {
    from: u8,
    below: u8,
}

/// A numbered slot of the person: what the plan needs to know of it, and nothing that names a
/// disease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlotFact {
    /// The slot, 1 or more.
    pub slot: SlotId,
    /// The benefit group of the slot, as the plan numbers them in `slot_groups`.
    pub group: u8,
    /// An amount of the slot's own (the cap on a programme's certificate), if it has one.
    #[serde(default)]
    pub amount: Option<Amount>,
}

/// Money that a family-account grant offers for this bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FamilyGrant {
    /// The number by which the caller knows the grant.
    pub grant: u32,
    /// The least of the holder's balance and of every limit of the grant that applies to the bill.
    pub available: Amount,
}

/// What rules may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// What kind of care it is.
    pub visit_type: VisitType,
    /// The provider's level.
    pub hospital_level: HospitalLevel,
    /// Where the care was given.
    #[serde(default = "home")]
    pub place: Place,
    /// The filing under which it was given.
    #[serde(default = "not_needed")]
    pub filing: Filing,
    /// Whether the provider is in the payer's network.
    #[serde(default = "in_network")]
    pub network: Network,
    /// The age on the day of service (of admission, for a stay).
    #[serde(default)]
    pub age: AgeBand,
    /// Sex.
    #[serde(default = "unstated")]
    pub sex: Sex,
    /// Every class the person belongs to; retired people have `retired` among them.
    #[serde(default)]
    pub person_classes: PersonClasses,
    /// The income class, 0 for none.
    #[serde(default)]
    pub income_class: IncomeClass,
    /// Years insured without a break.
    #[serde(default)]
    pub unbroken_years: u8,
    /// Years in a row before this one in which nothing was claimed.
    #[serde(default)]
    pub claim_free_years: u8,
    /// The diagnosis group as the plan numbers them, 0 for none. Never a diagnosis.
    #[serde(default)]
    pub diagnosis_group: u8,
    /// The person's slots that lines of this bill name.
    #[serde(default)]
    #[schemars(length(max = 16))]
    pub slots: Vec<SlotFact>,
    /// Whether the service falls in the month of the 75th birthday (and the birthday is not its
    /// first day).
    #[serde(default)]
    pub month_of_75: bool,
    /// Whether the person is insured together with a family whose accumulators are given.
    #[serde(default)]
    pub in_family: bool,
    /// Days of the stay that fall into this adjudication; 1 for a visit without a stay.
    #[serde(default = "one_day")]
    pub days: u16,
    /// Whether the person wants the personal account to pay (`acct_used_flag`).
    #[serde(default)]
    pub use_personal_account: bool,
    /// What the personal account can pay.
    #[serde(default)]
    pub personal_account: Amount,
    /// Family-account grants in the order in which they pay.
    #[serde(default)]
    #[schemars(length(max = 16))]
    pub family_accounts: Vec<FamilyGrant>,
}

const fn home() -> Place {
    Place::Home
}
const fn not_needed() -> Filing {
    Filing::NotNeeded
}
const fn in_network() -> Network {
    Network::In
}
const fn unstated() -> Sex {
    Sex::Unstated
}
const fn one_day() -> u16 {
    1
}

impl Facts {
    /// The facts of a visit of this type at a provider of this level, at home, about a person of
    /// whom nothing else is known.
    #[must_use]
    pub fn new(visit_type: VisitType, hospital_level: HospitalLevel) -> Self {
        Self {
            visit_type,
            hospital_level,
            place: home(),
            filing: not_needed(),
            network: in_network(),
            age: AgeBand::default(),
            sex: unstated(),
            person_classes: PersonClasses::NONE,
            income_class: IncomeClass::NONE,
            unbroken_years: 0,
            claim_free_years: 0,
            diagnosis_group: 0,
            slots: Vec::new(),
            month_of_75: false,
            in_family: false,
            days: one_day(),
            use_personal_account: false,
            personal_account: Amount::ZERO,
            family_accounts: Vec::new(),
        }
    }

    /// What is known of this slot, if anything.
    #[must_use]
    pub fn slot(&self, slot: SlotId) -> Option<&SlotFact> {
        self.slots.iter().find(|fact| fact.slot == slot)
    }
}

/// The ages at which a band that is attested begins: those at which one of the regions' plans
/// decides anew.
pub const BAND_STARTS: [u8; 14] = [0, 1, 6, 14, 18, 35, 45, 50, 60, 65, 70, 75, 80, 90];

impl AgeBand {
    /// Any age.
    pub const ANY: Self = Self { from: 0, below: u8::MAX };

    /// The band from `from` up to but not with `below`; `None` when it holds no age.
    #[must_use]
    pub const fn new(from: u8, below: u8) -> Option<Self> {
        if from < below { Some(Self { from, below }) } else { None }
    }

    /// Exactly this age, at most 254.
    #[must_use]
    pub fn exactly(age: u8) -> Self {
        let from = age.min(u8::MAX.saturating_sub(1));
        Self { from, below: from.saturating_add(1) }
    }

    /// The band that is attested of somebody of this age: between the ages at which one of the
    /// regions' plans decides anew.
    #[must_use]
    pub fn around(age: u8) -> Self {
        let from = BAND_STARTS.iter().rev().find(|start| **start <= age).copied().unwrap_or(0);
        let below = BAND_STARTS.iter().find(|start| **start > age).copied().unwrap_or(u8::MAX);
        Self::new(from, below).unwrap_or(Self::ANY)
    }

    /// The youngest age of the band.
    #[must_use]
    pub const fn from(self) -> u8 {
        self.from
    }

    /// The age that is just too old for the band.
    #[must_use]
    pub const fn below(self) -> u8 {
        self.below
    }

    /// Whether every age of the band (`Some(true)`), none (`Some(false)`) or only some (`None`) are
    /// at least `from` and below `below`.
    #[must_use]
    pub const fn lies_in(self, from: u8, below: u8) -> Option<bool> {
        if self.from >= from && self.below <= below {
            Some(true)
        } else if self.below <= from || self.from >= below {
            Some(false)
        } else {
            None
        }
    }
}

impl Default for AgeBand {
    fn default() -> Self {
        Self::ANY
    }
}

impl BorshDeserialize for AgeBand {
    fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
        let (from, below) = <(u8, u8)>::deserialize_reader(reader)?;
        Self::new(from, below).ok_or_else(|| {
            borsh::io::Error::new(borsh::io::ErrorKind::InvalidData, "empty age band")
        })
    }
}

impl<'de> Deserialize<'de> for AgeBand {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Text {
            from: u8,
            below: u8,
        }
        let text = Text::deserialize(deserializer)?;
        Self::new(text.from, text.below).ok_or_else(|| {
            serde::de::Error::custom(detail!("an age band needs `from` below `below`"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_decides_only_what_all_its_ages_agree_on() {
        let band = AgeBand::new(60, 70).unwrap();
        assert_eq!(band.lies_in(60, 255), Some(true));
        assert_eq!(band.lies_in(70, 255), Some(false));
        assert_eq!(band.lies_in(65, 255), None);
        assert_eq!(AgeBand::exactly(65).lies_in(65, 66), Some(true));
        assert_eq!(AgeBand::ANY.lies_in(0, 255), Some(true));
        assert_eq!(AgeBand::new(5, 5), None);
        assert!(borsh::from_slice::<AgeBand>(&[5, 5]).is_err());
    }

    #[test]
    fn facts_are_short_in_json_and_keep_their_defaults() {
        let facts: Facts = serde_json::from_str(
            r#"{"visit_type":"inpatient","hospital_level":"tertiary_a","person_classes":["retired"]}"#,
        )
        .unwrap();
        assert_eq!((facts.place, facts.age, facts.days), (Place::Home, AgeBand::ANY, 1));
        let bytes = borsh::to_vec(&facts).unwrap();
        assert_eq!(borsh::from_slice::<Facts>(&bytes).unwrap(), facts);
        assert!(serde_json::from_str::<Facts>(r#"{"visit_type":"inpatient"}"#).is_err());
    }
}
