//! The Synthea sample as bills: 27 synthetic patients, their cover over the years, 1,267 claims.
//!
//! A claim's charges become the lines of a bill; its encounter says the kind of care; the claim's
//! first insurer, or none, says whether it is brought to insurance at all.

use std::collections::BTreeMap;
use std::io::Read as _;

use anyhow::{Context as _, Result};
use benefit::bill::LineItem;
use benefit::decimal::Quantity;
use benefit::{Bill, Category, Sex, VisitType};
use primitives::{
    Amount, CivilDate, Currency, OrganisationId, Period, PersonId, RegionId, SchemeId, SlotId,
    VisitId, sha256_parts,
};

/// The sample's region: ISO 3166 number of the United States and FIPS code of Massachusetts.
pub const REGION: RegionId = RegionId(840_025);
/// Commercial insurance in the sample's region.
pub const SCHEME: SchemeId = SchemeId(840);

const NOT_INSURED: &str = "NO_INSURANCE";

/// The whole sample.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// The patients.
    pub patients: Vec<Patient>,
    /// Where charges arose: code and name. Places that the sample does not name are
    /// `other-provider`.
    pub providers: BTreeMap<OrganisationId, String>,
    /// The claims, by day.
    pub claims: Vec<Claim>,
}

/// A synthetic patient.
#[derive(Clone, Debug)]
pub struct Patient {
    /// The id on the ledger, derived from the sample's.
    pub id: PersonId,
    /// The synthetic name, only in directories.
    pub name: String,
    /// Sex.
    pub sex: Sex,
    /// The spans in which somebody insured the patient.
    pub cover: Vec<Period>,
}

/// A claim of the sample.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The visit id on the ledger, derived from the sample's.
    pub visit: VisitId,
    /// Whose.
    pub person: PersonId,
    /// Where.
    pub provider: OrganisationId,
    /// The kind of care.
    pub visit_type: VisitType,
    /// The day of service.
    pub day: CivilDate,
    /// Whether an insurer is named.
    pub insured: bool,
    /// The charges.
    pub bill: Bill,
}

type Row = BTreeMap<String, String>;

fn table(name: &str, bytes: &[u8]) -> Result<Vec<Row>> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes)
        .read_to_string(&mut text)
        .with_context(|| format!("`{name}` does not unpack"))?;
    csv::Reader::from_reader(text.as_bytes())
        .deserialize()
        .collect::<Result<_, _>>()
        .with_context(|| format!("`{name}` is not the table it should be"))
}

macro_rules! sample_table {
    ($name:literal) => {
        table($name, include_bytes!(concat!("../../../../samples/synthea-27/", $name, ".csv.gz")))
    };
}

fn field<'a>(row: &'a Row, name: &str) -> Result<&'a str> {
    row.get(name).map(String::as_str).with_context(|| format!("column `{name}` is missing"))
}

fn day(text: &str) -> Result<CivilDate> {
    let date = text.get(..10).unwrap_or(text);
    date.parse().with_context(|| format!("`{text}` does not begin with a day"))
}

fn id(meaning: &str, source: &str) -> [u8; 16] {
    let hash = sha256_parts(&[b"yibao/synthea/", meaning.as_bytes(), source.as_bytes()]);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.0[..16]);
    bytes
}

impl Sample {
    /// Reads the sample that is built in.
    ///
    /// # Errors
    /// Which table, row or column is not as it should be.
    pub fn read() -> Result<Self> {
        let patients = read_patients()?;
        let (providers, codes) = read_providers()?;
        let encounters: BTreeMap<String, String> = sample_table!("encounters")?
            .iter()
            .map(|row| Ok((field(row, "Id")?.to_owned(), field(row, "ENCOUNTERCLASS")?.to_owned())))
            .collect::<Result<_>>()?;
        let mut lines = read_lines()?;
        let mut claims = Vec::new();
        for row in sample_table!("claims")? {
            let source = field(&row, "Id")?;
            let Some((place, lines)) = lines.remove(source) else { continue };
            let class = encounters.get(field(&row, "APPOINTMENTID")?).map_or("", String::as_str);
            let first = lines.iter().map(|line| line.service_date).min();
            claims.push(Claim {
                visit: VisitId(id("visit", source)),
                person: PersonId(id("person", field(&row, "PATIENTID")?)),
                provider: codes.get(&place).copied().unwrap_or_else(other_provider),
                visit_type: visit_type(class),
                day: first.map_or_else(|| day(field(&row, "SERVICEDATE")?), Ok)?,
                insured: field(&row, "PRIMARYPATIENTINSURANCEID")? != "0",
                bill: Bill { currency: Currency::USD, lines, diagnosis_groups: Vec::new() },
            });
        }
        claims.sort_by_key(|claim| (claim.day, claim.visit));
        Ok(Self { patients, providers, claims })
    }
}

fn other_provider() -> OrganisationId {
    "other-provider".parse().expect("a short code")
}

fn visit_type(class: &str) -> VisitType {
    match class {
        "emergency" => VisitType::Emergency,
        "inpatient" => VisitType::Inpatient,
        "urgentcare" => VisitType::UrgentCare,
        "wellness" => VisitType::Preventive,
        _ => VisitType::Outpatient,
    }
}

fn read_providers() -> Result<(BTreeMap<OrganisationId, String>, BTreeMap<String, OrganisationId>)>
{
    let mut providers = BTreeMap::from([(other_provider(), String::from("Other providers"))]);
    let mut codes = BTreeMap::new();
    for (number, row) in sample_table!("organizations")?.iter().enumerate() {
        let code: OrganisationId =
            format!("us-provider-{}", number + 1).parse().map_err(anyhow::Error::msg)?;
        providers.insert(code, field(row, "NAME")?.to_owned());
        codes.insert(field(row, "Id")?.to_owned(), code);
    }
    Ok((providers, codes))
}

fn read_patients() -> Result<Vec<Patient>> {
    let uninsured: Option<String> = sample_table!("payers")?
        .iter()
        .find(|row| row.get("NAME").is_some_and(|name| name == NOT_INSURED))
        .and_then(|row| row.get("Id").cloned());
    let mut cover: BTreeMap<String, Vec<(CivilDate, CivilDate)>> = BTreeMap::new();
    for row in sample_table!("payer_transitions")? {
        if Some(field(&row, "PAYER")?) != uninsured.as_deref() {
            let span = (day(field(&row, "START_YEAR")?)?, day(field(&row, "END_YEAR")?)?);
            cover.entry(field(&row, "PATIENT")?.to_owned()).or_default().push(span);
        }
    }
    sample_table!("patients")?
        .iter()
        .map(|row| {
            let source = field(row, "Id")?;
            Ok(Patient {
                id: PersonId(id("person", source)),
                name: format!("{} {}", field(row, "FIRST")?, field(row, "LAST")?),
                sex: if field(row, "GENDER")? == "F" { Sex::Female } else { Sex::Male },
                cover: spans(cover.remove(source).unwrap_or_default()),
            })
        })
        .collect()
}

/// Joins spans that touch; the last one stays open.
fn spans(mut list: Vec<(CivilDate, CivilDate)>) -> Vec<Period> {
    list.sort();
    let mut joined: Vec<(CivilDate, CivilDate)> = Vec::new();
    for (from, to) in list {
        match joined.last_mut() {
            Some(last) if from.days() <= last.1.days() + 1 => last.1 = last.1.max(to),
            _ => joined.push((from, to)),
        }
    }
    joined.into_iter().map(|(from, to)| Period { from, to: Some(to) }).collect()
}

/// The charges of every claim with the place where they arose.
fn read_lines() -> Result<BTreeMap<String, (String, Vec<LineItem>)>> {
    let mut lines: BTreeMap<String, (String, Vec<LineItem>)> = BTreeMap::new();
    for row in sample_table!("claims_transactions")? {
        if field(&row, "TYPE")? != "CHARGE" {
            continue;
        }
        let place = field(&row, "PLACEOFSERVICE")?.to_owned();
        let (_, list) =
            lines.entry(field(&row, "CLAIMID")?.to_owned()).or_insert((place, Vec::new()));
        let amount = field(&row, "AMOUNT")?;
        let code = field(&row, "PROCEDURECODE")?;
        list.push(LineItem {
            line_no: u32::try_from(list.len()).unwrap_or(u32::MAX).saturating_add(1),
            item_code: if code.is_empty() { String::from("unlisted") } else { code.to_owned() },
            name: field(&row, "NOTES")?.to_owned(),
            service_date: day(field(&row, "FROMDATE")?)?,
            quantity: Quantity::from_units(Quantity::UNIT),
            unit_price: None,
            amount: Amount::from_decimal(amount, Currency::USD)
                .with_context(|| format!("charge `{amount}`"))?,
            category: Some(Category::Other),
            programme: 0,
            slot: SlotId(0),
        });
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_sample_is_read() {
        let sample = Sample::read().expect("the sample is built in");
        assert_eq!((sample.patients.len(), sample.claims.len()), (27, 1_267));
        let cents: u64 = sample
            .claims
            .iter()
            .flat_map(|claim| &claim.bill.lines)
            .map(|line| line.amount.minor())
            .sum();
        assert_eq!(cents, 109_240_273);
        let without = sample.claims.iter().filter(|claim| !claim.insured).count();
        assert_eq!(without, 216);
        let longest = sample.patients.iter().map(|patient| patient.cover.len()).max();
        assert!(longest <= Some(16), "coverage rows hold sixteen spans: {longest:?}");
    }
}
