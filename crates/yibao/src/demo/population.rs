//! A made-up Chinese region from a seed: households, people, hospitals of four levels and
//! pharmacies.
//!
//! Nobody in it is real: names are put together from lists, and identity numbers begin with an area
//! code that no place has, so that no number can be anybody's.

use std::collections::BTreeSet;

use benefit::{AgeBand, HospitalLevel, PersonClass, PersonClasses, Sex};
use fastrand::Rng;
use primitives::{CivilDate, OrganisationId, PersonId, RegionId, SchemeId};

/// The made-up region stands where Lanzhou is, so that its plans apply.
pub const REGION: RegionId = RegionId(620_100);
/// Employee basic.
pub const EMPLOYEE: SchemeId = SchemeId(310);
/// Resident basic.
pub const RESIDENT: SchemeId = SchemeId(390);

/// An area code that is not given to any place.
const AREA_OF_NOBODY: u32 = 999_901;

const SURNAMES: [&str; 24] = [
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "马", "朱", "胡", "郭",
    "何", "林", "罗", "高", "欧阳", "司马", "㑇", "贠",
];
const GIVEN: [&str; 32] = [
    "伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明",
    "超", "秀英", "霞", "平", "刚", "桂英", "玉兰", "建国", "子轩", "雨桐", "浩然", "思远", "若曦",
    "沐阳", "一诺", "晓",
];

/// A made-up person.
#[derive(Clone, Debug)]
pub struct Resident {
    /// The household the person lives in, by its number.
    pub household: u32,
    /// The random id on the ledger.
    pub id: PersonId,
    /// The name, only in directories.
    pub name: String,
    /// A well-formed identity number of nobody, only in directories.
    pub identity_number: String,
    /// The day of birth, only in directories.
    pub born: CivilDate,
    /// Sex.
    pub sex: Sex,
    /// The scheme the person is insured in.
    pub scheme: SchemeId,
    /// The classes that the bureau attests.
    pub classes: PersonClasses,
    /// Years insured without a break.
    pub unbroken_years: u8,
    /// What comes into the personal account in a month, in fen.
    pub account_month: u64,
    /// Slot groups of filed chronic special diseases, as the plan numbers them.
    pub chronic_groups: Vec<u8>,
    /// Whether the person has a phone with a key, or uses card and PIN at the desk.
    pub has_phone: bool,
}

/// A made-up provider.
#[derive(Clone, Debug)]
pub struct ProviderSeed {
    /// The code on the ledger.
    pub code: OrganisationId,
    /// The name that people see.
    pub name: String,
    /// Its level.
    pub level: HospitalLevel,
}

/// A made-up region.
#[derive(Clone, Debug)]
pub struct Population {
    /// Everybody, household by household.
    pub people: Vec<Resident>,
    /// Hospitals and pharmacies.
    pub providers: Vec<ProviderSeed>,
    /// How many households there are.
    pub households: u32,
}

impl Resident {
    /// The age in full years on a day.
    #[must_use]
    pub fn age_on(&self, day: CivilDate) -> u8 {
        u8::try_from(self.born.years_until(day)).unwrap_or(u8::MAX)
    }

    /// The band that the bureau attests for a day.
    #[must_use]
    pub fn band_on(&self, day: CivilDate) -> AgeBand {
        AgeBand::around(self.age_on(day))
    }
}

impl Population {
    /// The region of this many people from this seed; the same seed gives the same region.
    #[must_use]
    pub fn generate(people: usize, seed: u64, today: CivilDate) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut everybody = Vec::with_capacity(people);
        let mut household = 0_u32;
        let mut numbers = BTreeSet::new();
        while everybody.len() < people {
            let mut members = household_of(&mut rng, today);
            // By the id, so that the generator goes on as it would: one household in three.
            let is_supplemented = members.first().is_some_and(|head| head.id.0[3] % 3 == 0);
            for one in &mut members {
                one.household = household;
                if is_supplemented {
                    one.classes = one.classes.with(PersonClass::CommercialSupplement);
                }
                while !numbers.insert(one.identity_number.clone()) {
                    one.identity_number = identity_number(&mut rng, one.born, one.sex);
                }
            }
            everybody.extend(members);
            household += 1;
        }
        everybody.truncate(people);
        Self { people: everybody, providers: providers(people), households: household }
    }
}

/// One household: a couple or a single, perhaps a parent, perhaps children.
fn household_of(rng: &mut Rng, today: CivilDate) -> Vec<Resident> {
    let head_age = rng.u8(24..78);
    let employee = rng.u8(0..100) < if head_age < 60 { 48 } else { 30 };
    let poor = rng.u8(0..100) < 4;
    let mut members = vec![resident(rng, today, head_age, employee, poor)];
    if rng.u8(0..100) < 72 {
        let age = head_age.saturating_add(rng.u8(0..6)).saturating_sub(3).max(20);
        let works = rng.u8(0..100) < if employee { 60 } else { 22 };
        members.push(resident(rng, today, age, works, poor));
    }
    if (26..60).contains(&head_age) {
        for _ in 0..[0, 1, 1, 1, 2, 2][rng.usize(0..6)] {
            let age = rng.u8(0..head_age - 22).min(22);
            members.push(resident(rng, today, age, false, poor));
        }
        if rng.u8(0..100) < 28 {
            let age = head_age.saturating_add(rng.u8(22..32)).min(96);
            let retired = rng.u8(0..100) < 45;
            members.push(resident(rng, today, age, retired, poor));
        }
    }
    members
}

fn resident(rng: &mut Rng, today: CivilDate, age: u8, employee: bool, poor: bool) -> Resident {
    let sex = if rng.bool() { Sex::Female } else { Sex::Male };
    let days_back = i32::from(age) * 365 + i32::from(age) / 4 + rng.i32(1..360);
    let born = today.plus_days(-days_back).unwrap_or(today);
    let retirement = if sex == Sex::Female { 55 } else { 60 };
    let mut classes = PersonClasses::NONE;
    let scheme = if employee {
        let class = if age >= retirement { PersonClass::Retired } else { PersonClass::Active };
        classes = classes.with(class);
        if rng.u8(0..100) < 12 {
            classes = classes.with(PersonClass::CivilServant);
        }
        EMPLOYEE
    } else {
        classes = classes.with(PersonClass::Resident);
        match age {
            0 => classes = classes.with(PersonClass::Newborn).with(PersonClass::Child),
            1..6 => classes = classes.with(PersonClass::Child),
            6..23 => classes = classes.with(PersonClass::Student),
            _ => {}
        }
        RESIDENT
    };
    if poor {
        let class = if rng.bool() { PersonClass::LowIncome } else { PersonClass::ExtremelyPoor };
        classes = classes.with(class);
    }
    let chronic = u32::from(age) > 35 + u32::from(rng.u8(0..45));
    let chronic_groups = match chronic {
        false => Vec::new(),
        true if rng.u8(0..100) < 20 => vec![1, 2],
        true => vec![1 + rng.u8(0..2)],
    };
    Resident {
        household: 0,
        id: PersonId(rng.u128(..).to_le_bytes()),
        name: format!("{}{}", pick(rng, &SURNAMES), pick(rng, &GIVEN)),
        identity_number: identity_number(rng, born, sex),
        born,
        sex,
        scheme,
        classes,
        unbroken_years: rng.u8(0..15).min(age),
        account_month: if employee { rng.u64(9_000..38_000) } else { 0 },
        chronic_groups,
        has_phone: (14..72).contains(&age) && rng.u8(0..100) < 90,
    }
}

fn pick<'a>(rng: &mut Rng, words: &[&'a str]) -> &'a str {
    words[rng.usize(0..words.len())]
}

/// Area, birth date, order number (odd for men) and the check digit of GB 11643.
fn identity_number(rng: &mut Rng, born: CivilDate, sex: Sex) -> String {
    let order = rng.u32(0..499) * 2 + u32::from(sex == Sex::Male);
    let body =
        format!("{AREA_OF_NOBODY}{:04}{:02}{:02}{order:03}", born.year(), born.month(), born.day());
    let digit = adapters::identity::gb11643::check_digit(&body)
        .expect("seventeen digits were just written");
    format!("{body}{digit}")
}

/// One tertiary-A hospital per 40,000 people and so on, at least one of each level.
fn providers(people: usize) -> Vec<ProviderSeed> {
    let plan: [(HospitalLevel, &str, &str, usize); 6] = [
        (HospitalLevel::TertiaryA, "hospital", "市第一人民医院", 40_000),
        (HospitalLevel::Tertiary, "tertiary", "市第二人民医院", 30_000),
        (HospitalLevel::Secondary, "district", "区人民医院", 15_000),
        (HospitalLevel::Primary, "township", "镇卫生院", 5_000),
        (HospitalLevel::Community, "clinic", "社区卫生服务站", 2_500),
        (HospitalLevel::Pharmacy, "pharmacy", "大药房", 2_000),
    ];
    let mut providers = Vec::new();
    for (level, code, name, per) in plan {
        for number in 1..=(people / per).clamp(1, 200) {
            providers.push(ProviderSeed {
                code: format!("{code}-{number}").parse().expect("a short code"),
                name: format!("示范{name}（{number}）"),
                level,
            });
        }
    }
    providers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn today() -> CivilDate {
        CivilDate::from_ymd(2026, 11, 21).expect("a day")
    }

    #[test]
    fn the_same_seed_gives_the_same_region() {
        let (one, two) =
            (Population::generate(500, 7, today()), Population::generate(500, 7, today()));
        let ids = |region: &Population| region.people.iter().map(|one| one.id).collect::<Vec<_>>();
        assert_eq!(ids(&one), ids(&two));
        assert_ne!(ids(&one), ids(&Population::generate(500, 8, today())));
        assert_eq!(one.people.len(), 500);
    }

    #[test]
    fn a_third_of_the_households_has_the_commercial_supplement_together() {
        let people = Population::generate(2_000, 1, today()).people;
        let has = |one: &Resident| one.classes.contains(PersonClass::CommercialSupplement);
        let insured: BTreeSet<u32> =
            people.iter().filter(|one| has(one)).map(|one| one.household).collect();
        assert!(people.iter().all(|one| has(one) == insured.contains(&one.household)));
        let share = people.iter().filter(|one| has(one)).count() * 100 / people.len();
        assert!((25..42).contains(&share), "{share} %");
    }

    #[test]
    fn nobody_has_the_identity_number_of_somebody_else() {
        let people = Population::generate(20_000, 1, today()).people;
        let numbers: BTreeSet<&str> =
            people.iter().map(|one| one.identity_number.as_str()).collect();
        assert_eq!(numbers.len(), people.len());
    }

    #[test]
    fn a_band_holds_the_age_and_begins_where_bands_begin() {
        for one in Population::generate(2_000, 1, today()).people {
            let (band, age) = (one.band_on(today()), one.age_on(today()));
            assert!(band.from() <= age && age < band.below(), "{age} in {band:?}");
            assert!(benefit::facts::BAND_STARTS.contains(&band.from()));
        }
    }

    #[test]
    fn identity_numbers_are_well_formed_and_of_nobody() {
        for one in Population::generate(300, 3, today()).people {
            let parsed = adapters::identity::gb11643::parse(&one.identity_number);
            assert!(parsed.is_ok(), "{parsed:?}");
            assert!(one.identity_number.starts_with("999901"));
        }
    }
}
