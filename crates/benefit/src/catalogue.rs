//! The catalogue of a place of care: which items are covered, how far, for whom, up to which price.

use alloc::{format, string::String, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{CivilDate, Currency, Hash, Period, Rate, RegionId, Rounding, codec, sha256};

use crate::{
    condition::{Field, SEX, VISIT_TYPE},
    decimal::UnitPrice,
    facts::AgeBand,
    source::{CatalogueSource, ItemSource, LimitedUseSource, PriceCapSource, Texts, in_language},
    word::{Category, HospitalLevel, ItemClass, Sex, VisitType},
};

/// The most items of a catalogue: the national drug list has about 280,000.
pub const ITEMS_MAX: usize = 1_000_000;

/// The most bytes of the words that say where a catalogue is from, in one language.
const SOURCE_BYTES_MAX: usize = 4_096;

/// What limited-use conditions may ask about a visit. Diagnosis groups stay at the edge: the ledger
/// never sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitFacts {
    /// What kind of care it is.
    pub visit_type: VisitType,
    /// The provider's level.
    pub hospital_level: HospitalLevel,
    /// The diagnosis groups of the visit, by the names that the catalogue uses.
    pub diagnosis_groups: Vec<String>,
    /// The age on the day of service.
    pub age: AgeBand,
    /// Sex.
    pub sex: Sex,
}

/// A catalogue: items in the order of code and first day of validity.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize)]
pub struct Catalogue {
    pub(crate) id: String,
    pub(crate) region: RegionId,
    pub(crate) currency: Currency,
    pub(crate) rounding: Rounding,
    pub(crate) unlisted: ItemClass,
    /// Where the items are from, by language.
    pub(crate) source: Texts,
    pub(crate) items: Vec<Item>,
}

/// One item over one span of days.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Item {
    pub code: String,
    pub valid: Period,
    pub class: ItemClass,
    pub category: Category,
    pub share: Rate,
    pub price_caps: Vec<PriceCap>,
    pub limited_use: Vec<LimitedUse>,
}

/// The highest price in policy at providers of some levels; no price means no cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct PriceCap {
    pub levels: u32,
    pub price: Option<UnitPrice>,
}

/// One way of use that is covered; a line is covered when one of them holds.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct LimitedUse {
    /// Allowed visit types and sexes, as in the conditions of plans.
    pub words: u64,
    pub age_from: u8,
    pub age_below: u8,
    pub diagnosis_groups: Vec<String>,
}

/// An entry of a catalogue as it is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The item's code.
    pub code: &'a str,
    /// The days on which the entry counts.
    pub valid: Period,
    /// The class.
    pub class: ItemClass,
    /// The category.
    pub category: Category,
    /// The first share of class B; none of the other classes.
    pub share: Rate,
    /// The highest price of one that is in policy; nothing for no cap.
    pub price_cap: Option<UnitPrice>,
    /// Whether it is covered in some ways of use only.
    pub is_limited: bool,
}

/// Why a catalogue is not valid: the item and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueError(String);

impl core::fmt::Display for CatalogueError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for CatalogueError {}

impl Catalogue {
    /// Reads a catalogue as people write it.
    ///
    /// # Errors
    /// The first item that is wrong, and why.
    pub fn compile(source: &CatalogueSource) -> Result<Self, CatalogueError> {
        let mut items = Vec::with_capacity(source.item.len());
        for one in &source.item {
            let item =
                item(one).map_err(|what| CatalogueError(format!("item `{}`: {what}", one.code)));
            items.push(item?);
        }
        items.sort_by(|a: &Item, b: &Item| (&a.code, a.valid.from).cmp(&(&b.code, b.valid.from)));
        let head = &source.catalogue;
        let catalogue = Self {
            id: head.id.clone(),
            region: head.region,
            currency: head.currency,
            rounding: head.rounding,
            unlisted: head.unlisted,
            source: head.source.texts().clone(),
            items,
        };
        catalogue.check().map_err(CatalogueError)?;
        Ok(catalogue)
    }

    /// The catalogue of a place that has no list: everything is in policy.
    #[must_use]
    pub fn open(region: RegionId, currency: Currency) -> Self {
        let (rounding, unlisted) = (Rounding::HalfUp, ItemClass::A);
        let id = String::from("open");
        Self { id, region, currency, rounding, unlisted, source: Texts::new(), items: Vec::new() }
    }

    fn check(&self) -> Result<(), String> {
        if self.id.is_empty() || self.id.len() > 64 || self.items.len() > ITEMS_MAX {
            return Err(format!(
                "`id` needs 1 to 64 characters, and there are at most {ITEMS_MAX} items"
            ));
        }
        let long =
            |(tag, text): (&String, &String)| tag.len() > 16 || text.len() > SOURCE_BYTES_MAX;
        if self.source.len() > 8 || self.source.iter().any(long) {
            return Err(format!(
                "`source` has at most 8 languages and {SOURCE_BYTES_MAX} bytes in each"
            ));
        }
        if self.unlisted == ItemClass::B {
            return Err(String::from("`unlisted` must be `A` or `C`"));
        }
        for item in &self.items {
            item.check().map_err(|what| format!("item `{}`: {what}", item.code))?;
        }
        for (one, next) in self.items.iter().zip(self.items.iter().skip(1)) {
            if one.code > next.code || (one.code == next.code && one.valid.from > next.valid.from) {
                return Err(format!("item `{}` is out of order", next.code));
            }
            if one.code == next.code && one.valid.overlaps(&next.valid) {
                return Err(format!("item `{}` is there twice for the same day", one.code));
            }
        }
        Ok(())
    }

    /// The name of the catalogue.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The region of the place of care.
    #[must_use]
    pub const fn region(&self) -> RegionId {
        self.region
    }

    /// The currency of price caps and of the bills that it sorts.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// How many entries there are.
    #[must_use]
    pub fn items_len(&self) -> usize {
        self.items.len()
    }

    /// The catalogue of these bytes, as [`Self::hash`] takes them; `None` for other bytes.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        type Fields = (String, RegionId, Currency, Rounding, ItemClass, Texts, Vec<Item>);
        let (id, region, currency, rounding, unlisted, source, items): Fields =
            codec::decode(bytes).ok()?;
        let catalogue = Self { id, region, currency, rounding, unlisted, source, items };
        catalogue.check().is_ok().then_some(catalogue)
    }

    /// The hash that names the catalogue: SHA-256 of its bytes.
    #[must_use]
    pub fn hash(&self) -> Hash {
        sha256(&codec::encode(self))
    }

    /// Where the items are from, for readers of this language; empty when nothing is said.
    #[must_use]
    pub fn source(&self, language: &str) -> &str {
        in_language(&self.source, language)
    }

    /// The entries as providers of this level look them up, by code and first day.
    pub fn entries(&self, level: HospitalLevel) -> impl Iterator<Item = Entry<'_>> {
        self.items.iter().map(move |item| Entry {
            code: &item.code,
            valid: item.valid,
            class: item.class,
            category: item.category,
            share: item.share,
            price_cap: item.price_cap(level),
            is_limited: !item.limited_use.is_empty(),
        })
    }

    /// The entry of this code on this day; `Err` says whether the code is there for other days.
    pub(crate) fn find(&self, code: &str, day: CivilDate) -> Result<&Item, bool> {
        let first = self.items.partition_point(|item| item.code.as_str() < code);
        let same =
            self.items.get(first..).unwrap_or(&[]).iter().take_while(|item| item.code == code);
        let mut known = false;
        for item in same {
            known = true;
            if item.valid.contains(day) {
                return Ok(item);
            }
        }
        Err(known)
    }
}

impl Item {
    fn check(&self) -> Result<(), String> {
        if self.code.is_empty() || self.code.len() > 50 {
            return Err(String::from("`code` needs 1 to 50 characters"));
        }
        if !self.valid.is_ordered() {
            return Err(String::from("`valid.from` lies behind `valid.to`"));
        }
        if self.class != ItemClass::B && self.share != Rate::ZERO {
            return Err(String::from("`share` is for class B only"));
        }
        if self.price_caps.len() > 16 || self.limited_use.len() > 16 {
            return Err(String::from("there are more than 16 price caps or ways of use"));
        }
        for way in &self.limited_use {
            if way.age_from >= way.age_below || way.diagnosis_groups.len() > 64 {
                return Err(String::from(
                    "`age_from` must be below `age_below`, with at most 64 groups",
                ));
            }
        }
        Ok(())
    }

    /// The highest price of one that is in policy at a provider of this level.
    pub(crate) fn price_cap(&self, level: HospitalLevel) -> Option<UnitPrice> {
        let found = self.price_caps.iter().find(|cap| cap.levels & level.bit() != 0);
        found.and_then(|cap| cap.price)
    }
}

fn item(source: &ItemSource) -> Result<Item, String> {
    if (source.class == ItemClass::B) != source.share.is_some() {
        return Err(String::from("class B needs `share`, the other classes have none"));
    }
    let caps: Result<Vec<PriceCap>, String> = source.price_caps.iter().map(price_cap).collect();
    Ok(Item {
        code: source.code.clone(),
        valid: source.valid,
        class: source.class,
        category: source.category,
        share: source.share.unwrap_or_default(),
        price_caps: caps?,
        limited_use: source.limited_use.iter().map(limited_use).collect(),
    })
}

fn price_cap(source: &PriceCapSource) -> Result<PriceCap, String> {
    let levels = source.hospital_levels.iter().fold(0, |all, level| all | level.bit());
    let price = match source.price.0.as_str() {
        "none" => None,
        text => Some(UnitPrice::parse(text)?),
    };
    Ok(PriceCap { levels: if levels == 0 { u32::MAX } else { levels }, price })
}

fn limited_use(source: &LimitedUseSource) -> LimitedUse {
    let allow = |words: u64, field: Field, bits: u64| {
        if bits == 0 { words } else { (words & !field.mask()) | bits }
    };
    let visit_types =
        source.visit_types.iter().fold(0, |all, word| all | VISIT_TYPE.bit(word.number()));
    let sexes = source.sexes.iter().fold(0, |all, word| all | SEX.bit(word.number()));
    LimitedUse {
        words: allow(allow(u64::MAX, VISIT_TYPE, visit_types), SEX, sexes),
        age_from: source.age_from.unwrap_or(0),
        age_below: source.age_below.unwrap_or(u8::MAX),
        diagnosis_groups: source.diagnosis_groups.clone(),
    }
}

impl LimitedUse {
    /// Whether this way of use holds; `None` when the age band leaves it open.
    pub(crate) fn holds(&self, facts: &VisitFacts) -> Option<bool> {
        let words = VISIT_TYPE.bit(facts.visit_type.number()) | SEX.bit(facts.sex.number());
        let groups = &self.diagnosis_groups;
        let diagnosis =
            groups.is_empty() || facts.diagnosis_groups.iter().any(|group| groups.contains(group));
        if words & !self.words != 0 || !diagnosis {
            return Some(false);
        }
        facts.age.lies_in(self.age_from, self.age_below)
    }
}

impl BorshDeserialize for Catalogue {
    fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
        let catalogue = Self {
            id: String::deserialize_reader(reader)?,
            region: RegionId::deserialize_reader(reader)?,
            currency: Currency::deserialize_reader(reader)?,
            rounding: Rounding::deserialize_reader(reader)?,
            unlisted: ItemClass::deserialize_reader(reader)?,
            source: Texts::deserialize_reader(reader)?,
            items: Vec::deserialize_reader(reader)?,
        };
        let checked = catalogue.check();
        checked.map_err(|what| borsh::io::Error::new(borsh::io::ErrorKind::InvalidData, what))?;
        Ok(catalogue)
    }
}
