//! The closed lists of words that bills, facts and plans share. Numbers are stored on the ledger
//! and never reused; names are what files and JSON say.

use alloc::{format, string::String, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Detail, detail};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An enum of words, each with a stable number and a name.
macro_rules! words {
    ($(#[$doc:meta])* $title:literal $name:ident { $($(#[$item:meta])* $word:ident = $number:literal $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$item])* $word,)+ }

        impl $name {
            /// Every word of the list, by number.
            pub const ALL: &'static [Self] = &[$(Self::$word),+];

            /// The stable number.
            #[must_use]
            pub const fn number(self) -> u8 {
                match self { $(Self::$word => $number,)+ }
            }

            /// The name in files and JSON.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$word => $text,)+ }
            }

            /// The word of this number, if there is one.
            #[must_use]
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$word),)+ _ => None }
            }

            /// The word of this name, if there is one.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$word),)+ _ => None }
            }

            /// A one at the place of the number, for sets of words in 32 bits.
            #[must_use]
            pub const fn bit(self) -> u32 {
                1_u32 << self.number()
            }
        }

        impl BorshSerialize for $name {
            fn serialize<W: borsh::io::Write>(&self, writer: &mut W) -> borsh::io::Result<()> {
                BorshSerialize::serialize(&self.number(), writer)
            }
        }

        impl BorshDeserialize for $name {
            fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
                Self::from_number(u8::deserialize_reader(reader)?).ok_or_else(|| {
                    borsh::io::Error::new(borsh::io::ErrorKind::InvalidData, concat!("unknown ", $title))
                })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as Deserialize>::deserialize(deserializer)?;
                Self::from_name(&text).ok_or_else(|| {
                    let known: Vec<String> =
                        Self::ALL.iter().map(|word| format!("`{}`", word.name())).collect();
                    serde::de::Error::custom(detail!(
                        "`{name}` is not known; write one of {known}",
                        name = text,
                        known
                    ))
                })
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> alloc::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "enum": [$($text),+] })
            }
        }
    };
}

words! {
    /// What kind of care a bill is for (`med_type`).
    "visit type" VisitType {
        /// Ordinary outpatient care (11).
        Outpatient = 1 "outpatient",
        /// Emergency care without admission (13).
        Emergency = 2 "emergency",
        /// Outpatient care for a filed chronic special disease (14).
        ChronicSpecial = 3 "chronic_special",
        /// Outpatient care under an outpatient pool of its own (15).
        OutpatientPooled = 4 "outpatient_pooled",
        /// A stay (21).
        Inpatient = 5 "inpatient",
        /// A purchase at a pharmacy (41).
        Pharmacy = 6 "pharmacy",
        /// Outpatient maternity care (51).
        MaternityOutpatient = 7 "maternity_outpatient",
        /// A stay for a birth (52).
        MaternityInpatient = 8 "maternity_inpatient",
        /// Outpatient care for a recognised work injury.
        WorkInjuryOutpatient = 9 "work_injury_outpatient",
        /// A stay for a recognised work injury (22).
        WorkInjuryInpatient = 10 "work_injury_inpatient",
        /// A procedure with admission and discharge on one day.
        DayCase = 11 "day_case",
        /// Check-ups, vaccinations and other preventive care.
        Preventive = 12 "preventive",
        /// Care without appointment that is no emergency.
        UrgentCare = 13 "urgent_care",
        /// Care at the person's home.
        HomeCare = 14 "home_care",
        /// Dental care.
        Dental = 15 "dental",
        /// Emergency care that ends in an admission.
        EmergencyInpatient = 16 "emergency_inpatient",
    }
}

words! {
    /// The level of the provider, which deductibles, rates and price caps depend on.
    "hospital level" HospitalLevel {
        /// Level three, grade A.
        TertiaryA = 1 "tertiary_a",
        /// Level three, other grades.
        Tertiary = 2 "tertiary",
        /// Level two.
        Secondary = 3 "secondary",
        /// Level one.
        Primary = 4 "primary",
        /// Community health centre, township hospital or village clinic.
        Community = 5 "community",
        /// A pharmacy.
        Pharmacy = 6 "pharmacy",
        /// A provider without a level, also any provider where levels do not exist.
        Unrated = 7 "unrated",
    }
}

words! {
    /// Where the care was given, seen from the insured place.
    "place of care" Place {
        /// In the insured place itself.
        Home = 1 "home",
        /// Elsewhere in the same province.
        Province = 2 "province",
        /// In another province.
        Elsewhere = 3 "elsewhere",
        /// Abroad.
        Abroad = 4 "abroad",
    }
}

words! {
    /// The registration under which a person is treated away from home.
    "filing" Filing {
        /// None is needed: care at home.
        NotNeeded = 1 "not_needed",
        /// The person lives elsewhere for long.
        LongTerm = 2 "long_term",
        /// A provider at home referred the person.
        Referral = 3 "referral",
        /// An emergency away from home.
        Emergency = 4 "emergency",
        /// One would have been needed and there is none.
        Unfiled = 5 "unfiled",
    }
}

words! {
    /// Whether the provider has a contract with the payer.
    "network" Network {
        /// It has one.
        In = 1 "in",
        /// It has none.
        Out = 2 "out",
    }
}

words! {
    /// Sex, where an item is limited to one.
    "sex" Sex {
        /// Female.
        Female = 1 "female",
        /// Male.
        Male = 2 "male",
        /// Not stated; satisfies no condition on sex.
        Unstated = 3 "unstated",
    }
}

words! {
    /// A class a person belongs to; several may hold at once.
    "person class" PersonClass {
        /// Employed and insured as employee.
        Active = 0 "active",
        /// Retired.
        Retired = 1 "retired",
        /// Insured as resident.
        Resident = 2 "resident",
        /// Student.
        Student = 3 "student",
        /// Child.
        Child = 4 "child",
        /// Newborn in the year of birth.
        Newborn = 5 "newborn",
        /// Receives the minimum living allowance.
        LowIncome = 6 "low_income",
        /// Just above the minimum living allowance.
        NearLowIncome = 7 "near_low_income",
        /// In extreme poverty: no income, no supporter.
        ExtremelyPoor = 8 "extremely_poor",
        /// Back in poverty, or close to it, by the bureau's monitoring.
        BackInPoverty = 9 "back_in_poverty",
        /// Orphan.
        Orphan = 10 "orphan",
        /// Severely disabled.
        SeverelyDisabled = 11 "severely_disabled",
        /// In poverty because of illness, recognised by the bureau.
        IllnessPoor = 12 "illness_poor",
        /// Civil servant with the supplement for civil servants.
        CivilServant = 13 "civil_servant",
        /// Member of an enterprise supplement.
        EnterpriseSupplement = 14 "enterprise_supplement",
        /// Retired cadre.
        RetiredCadre = 15 "retired_cadre",
        /// Disabled soldier.
        DisabledSoldier = 16 "disabled_soldier",
        /// In flexible employment, insured as employee on own account.
        FlexibleEmployment = 17 "flexible_employment",
        /// Unemployed with benefit.
        Unemployed = 18 "unemployed",
        /// Insured through somebody else.
        Dependant = 19 "dependant",
        /// Of the age group with a scheme of its own (Japan: 75 and over).
        LateElderly = 20 "late_elderly",
        /// Holds a commercial supplement sold with the region's support.
        CommercialSupplement = 21 "commercial_supplement",
        /// Member of a mutual pool.
        MutualPool = 22 "mutual_pool",
        /// Insured for maternity.
        MaternityInsured = 23 "maternity_insured",
        /// With a recognised work injury.
        WorkInjured = 24 "work_injured",
    }
}

words! {
    /// The class of an item in the catalogue.
    "item class" ItemClass {
        /// Wholly in policy.
        A = 1 "A",
        /// In policy after a first share.
        B = 2 "B",
        /// Not covered, or not in the catalogue.
        C = 3 "C",
    }
}

words! {
    /// The category of a service on a bill.
    "category" Category {
        /// Western medicine.
        WesternMedicine = 1 "western_medicine",
        /// Chinese patent medicine.
        ChinesePatentMedicine = 2 "chinese_patent_medicine",
        /// Chinese herbal medicine.
        HerbalMedicine = 3 "herbal_medicine",
        /// Examination.
        Examination = 4 "examination",
        /// Laboratory test.
        Laboratory = 5 "laboratory",
        /// Imaging.
        Imaging = 6 "imaging",
        /// Treatment.
        Treatment = 7 "treatment",
        /// Surgery.
        Surgery = 8 "surgery",
        /// Anaesthesia.
        Anaesthesia = 9 "anaesthesia",
        /// Nursing.
        Nursing = 10 "nursing",
        /// Bed.
        Bed = 11 "bed",
        /// Material.
        Material = 12 "material",
        /// Consultation.
        Consultation = 13 "consultation",
        /// Registration.
        Registration = 14 "registration",
        /// Blood.
        Blood = 15 "blood",
        /// Rehabilitation.
        Rehabilitation = 16 "rehabilitation",
        /// Dental care.
        Dental = 17 "dental",
        /// Prosthesis or aid.
        Prosthesis = 18 "prosthesis",
        /// Care around a birth.
        MaternityCare = 19 "maternity_care",
        /// Care of a newborn.
        NewbornCare = 20 "newborn_care",
        /// Meals.
        Meals = 21 "meals",
        /// Ambulance.
        Ambulance = 22 "ambulance",
        /// Prevention.
        Prevention = 23 "prevention",
        /// Anything else.
        Other = 24 "other",
    }
}

words! {
    /// Who pays a part of a bill, apart from the person's own and family accounts and cash.
    "payer" Payer {
        /// The basic pooled fund; elsewhere the insurer.
        PooledFund = 1 "pooled_fund",
        /// The employees' large-amount fund.
        LargeAmount = 2 "large_amount",
        /// The residents' critical-illness insurance.
        CriticalIllness = 3 "critical_illness",
        /// The supplement for civil servants.
        CivilServantSupplement = 4 "civil_servant_supplement",
        /// An enterprise's supplement.
        EnterpriseSupplement = 5 "enterprise_supplement",
        /// Medical assistance.
        MedicalAssistance = 6 "medical_assistance",
        /// A commercial supplement.
        CommercialSupplement = 7 "commercial_supplement",
        /// A mutual pool.
        MutualPool = 8 "mutual_pool",
        /// A second public programme.
        SecondProgramme = 9 "second_programme",
        /// The maternity fund.
        Maternity = 10 "maternity",
        /// The work-injury fund.
        WorkInjury = 11 "work_injury",
        /// The provider itself, which waives the part.
        HospitalBorne = 12 "hospital_borne",
        /// The government.
        Government = 13 "government",
        /// Somebody else whom the plan names.
        Other = 14 "other",
    }
}

/// An income class, numbered by the plan that names it; 0 when none is attested.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[derive(BorshSerialize, Serialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct IncomeClass(#[schemars(range(max = 31))] u8);

impl IncomeClass {
    /// No class is attested.
    pub const NONE: Self = Self(0);

    /// The class of this number, 0 to 31.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        if number < 32 { Some(Self(number)) } else { None }
    }

    /// The number, 0 to 31.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// A one at the place of the number.
    #[must_use]
    pub const fn bit(self) -> u32 {
        1_u32 << self.0
    }
}

impl BorshDeserialize for IncomeClass {
    fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
        Self::from_number(u8::deserialize_reader(reader)?)
            .ok_or_else(|| borsh::io::Error::new(borsh::io::ErrorKind::InvalidData, "income class"))
    }
}

impl<'de> Deserialize<'de> for IncomeClass {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_number(<u8 as Deserialize>::deserialize(deserializer)?).ok_or_else(|| {
            serde::de::Error::custom(detail!("an income class is a number from 0 to 31"))
        })
    }
}

/// A set of person classes; a list of names in JSON.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize)]
pub struct PersonClasses(u32);

impl PersonClasses {
    /// No class.
    pub const NONE: Self = Self(0);

    /// The set with this class in it.
    #[must_use]
    pub const fn with(self, class: PersonClass) -> Self {
        Self(self.0 | class.bit())
    }

    /// Whether the class is in the set.
    #[must_use]
    pub const fn contains(self, class: PersonClass) -> bool {
        self.0 & class.bit() != 0
    }

    /// The set as bits.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The classes of the set, by number.
    pub fn iter(self) -> impl Iterator<Item = PersonClass> {
        PersonClass::ALL.iter().copied().filter(move |class| self.contains(*class))
    }
}

impl FromIterator<PersonClass> for PersonClasses {
    fn from_iter<T: IntoIterator<Item = PersonClass>>(classes: T) -> Self {
        classes.into_iter().fold(Self::NONE, Self::with)
    }
}

impl core::fmt::Debug for PersonClasses {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl BorshDeserialize for PersonClasses {
    fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
        let set = Self(u32::deserialize_reader(reader)?);
        if set.iter().collect::<Self>() == set {
            return Ok(set);
        }
        Err(borsh::io::Error::new(borsh::io::ErrorKind::InvalidData, "unknown person class"))
    }
}

impl Serialize for PersonClasses {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for PersonClasses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(<Vec<PersonClass> as Deserialize>::deserialize(deserializer)?.into_iter().collect())
    }
}

impl schemars::JsonSchema for PersonClasses {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "PersonClasses".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let items = generator.subschema_for::<PersonClass>();
        schemars::json_schema!({ "type": "array", "items": items, "uniqueItems": true })
    }
}

impl From<Payer> for Detail {
    fn from(payer: Payer) -> Self {
        Self::word("payer", payer.name())
    }
}

impl From<VisitType> for Detail {
    fn from(visit_type: VisitType) -> Self {
        Self::word("visit_type", visit_type.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn words_keep_their_number_and_name_both_ways() {
        for payer in Payer::ALL {
            assert_eq!(Payer::from_number(payer.number()), Some(*payer));
            assert_eq!(Payer::from_name(payer.name()), Some(*payer));
            let bytes = borsh::to_vec(payer).unwrap();
            assert_eq!(borsh::from_slice::<Payer>(&bytes).unwrap(), *payer);
        }
        assert!(borsh::from_slice::<Payer>(&[200]).is_err());
    }

    #[test]
    fn an_unknown_word_is_answered_with_the_known_ones() {
        let error = serde_json::from_str::<Place>("\"mars\"").unwrap_err().to_string();
        assert!(
            error.contains("`mars` is not known; write one of `home`, `province`, `elsewhere`"),
            "{error}"
        );
    }

    #[test]
    fn person_classes_are_a_list_of_names() {
        let set: PersonClasses =
            [PersonClass::Retired, PersonClass::LowIncome].into_iter().collect();
        let json = serde_json::to_string(&set).unwrap();
        assert_eq!(json, "[\"retired\",\"low_income\"]");
        assert_eq!(serde_json::from_str::<PersonClasses>(&json).unwrap(), set);
        assert!(borsh::from_slice::<PersonClasses>(&[255, 255, 255, 255]).is_err());
    }
}
