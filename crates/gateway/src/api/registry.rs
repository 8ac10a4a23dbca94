//! The import of the registry: the bureau's lists of people and what covers them. Lines are read by
//! themselves; the desk's own key signs the rows that they come to, and the identity authority's
//! signature is added here for the people whom the lines name.
//!
//! Invariants: only the region's bureau imports, by a key with a scope for it (test
//! `only_the_registration_office_imports`); a wrong line stops no other, and a list that is read
//! again enrols nobody twice (tests `a_registry_list_is_read_line_by_line`,
//! `a_list_that_is_imported_again_changes_nothing`); the authority signs only rows whose people it
//! has found by the name and number that came with them in the same request (test
//! `the_authority_signs_for_the_people_of_the_lines_alone`).

use std::collections::BTreeSet;

use adapters::directory::Particulars;
use adapters::identity::{Document, Identity, IdentityError, gb11643};
use axum::http::{Method, StatusCode};
use benefit::{AgeBand, PersonClass, PersonClasses, Sex};
use ledger::kernel::registry::Kind as _;
use ledger::modules::coverage::{
    self, AttestedFacts, CoverageTerms, ImportCoverages, ImportPersons, ImportedCoverage,
    ImportedPerson,
};
use ledger::modules::organisation::Scope;
use ledger::modules::person::{self, NewPerson};
use ledger::{Authorisation, Content};
use primitives::{
    CivilDate, Hash, OrganisationId, Period, PersonId, RegionId, SchemeId, detail, sha256_parts,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::desk_act::require_bureau;
use super::identity::IdentityDocument;
use super::lines::{
    LINES_MAX, LineProblem, RefusedRow, cell, classes, refused_rows, require_count, sex_of,
};
use super::machine::{execute, signed_too};
use super::objection::body_of;
use super::receipt::not_found;
use super::transaction::read_content;
use super::wallet::{random, unattested};
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::openapi::transaction_content;
use crate::problem::{Problem, code};
use crate::session::Session;
use crate::wallet::{Machine, Wallet};

/// The most bytes of a list that is read: 500 lines with long names.
const LIST_BYTES_MAX: usize = 512 * 1_024;
/// The most bytes of an import: 500 rows in hex, the names and numbers, and the signature.
const IMPORT_BYTES_MAX: usize = 640 * 1_024;

const LIST_RULE: &str = "the region's bureau, by a key with the scope `attest`";
const ORGANISATION: Parameter =
    Parameter::path("organisation", "the bureau's code", schema_of::<OrganisationId>);

/// The endpoints of the import.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "/v1/organisations/{organisation}/registry-lists",
        operation: "read_registry_list",
        summary: "Reads up to 500 lines of the registry: for each the row of `import_persons` or \
                  `import_coverages` that it comes to, that it stands there already, or what is wrong \
                  with it. With `enter`, people whom the identity register does not know are entered \
                  into it, where it takes a bureau's word",
        access: Access::Party { rule: LIST_RULE, handle: read_list },
        parameters: &[ORGANISATION],
        body: BodyKind::Json(schema_of::<RegistryList>, LIST_BYTES_MAX),
        answer: AnswerKind::Json(200, schema_of::<ReadRegistryList>),
        problems: &[code::NO_WALLET, code::NOT_YOURS, code::SCOPE_MISSING, code::UNAVAILABLE],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/organisations/{organisation}/registry-imports",
        operation: "import_registry",
        summary: "Puts a signed `import_persons` or `import_coverages` on the ledger with the identity \
                  authority's signature, keeps who the people are, and says which rows were refused and \
                  why; the same again gives the same answer",
        access: Access::Party { rule: LIST_RULE, handle: import },
        parameters: &[ORGANISATION],
        body: BodyKind::Signed(schema_of::<RegistryImport>, IMPORT_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<RegistryImported>),
        problems: &[
            code::NO_WALLET,
            code::NOT_YOURS,
            code::SCOPE_MISSING,
            code::CHANGE_INVALID,
            code::OTHER_PERSON,
            code::IDENTITY_UNCONFIRMED,
            code::SIGNATURE_INVALID,
            code::UNAVAILABLE,
        ],
    },
];

/// A line of the registry: cells of text.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegistryLine {
    /// The name as in the identity document.
    #[schemars(length(max = 200))]
    pub name: String,
    /// The 18 characters of the identity number, or a foreign document such as `JP:TK1234567`.
    #[schemars(length(max = 40))]
    pub number: String,
    /// The scheme's number, such as 310; nothing for a person without cover.
    #[serde(default)]
    pub scheme: String,
    /// The first day of the cover.
    #[serde(default)]
    pub from: String,
    /// Its last day; nothing for a cover without end.
    #[serde(default)]
    pub to: String,
    /// The first day after the waiting period; nothing for none.
    #[serde(default)]
    pub benefits_from: String,
    /// The classes that the person belongs to, such as `retired`, separated by spaces; nothing for
    /// the scheme's usual one.
    #[serde(default)]
    pub person_classes: String,
    /// How many years the person was covered without a gap before; nothing for none.
    #[serde(default)]
    pub unbroken_years: String,
    /// The birthday, where the document's number does not say it.
    #[serde(default)]
    pub born: String,
}

/// Lines of the registry.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegistryList {
    /// The lines, 1 to 500.
    #[schemars(length(min = 1, max = 500))]
    pub lines: Vec<RegistryLine>,
    /// Whether people are entered into the identity register who are not in it. Without it, nothing
    /// is changed anywhere, and such a line has no row yet.
    #[serde(default)]
    pub enter: bool,
}

/// What a list comes to, line by line in its order.
#[derive(Clone, Serialize, JsonSchema)]
pub struct ReadRegistryList {
    /// The lines.
    pub lines: Vec<ReadRegistryLine>,
}

/// What a line of the registry would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RegistryStep {
    /// A new person is enrolled, with the cover if there is one.
    Enrol,
    /// Somebody who is enrolled is covered.
    Cover,
    /// All of it stands there already.
    Nothing,
}

/// What a line comes to: what it does and the row for it, or what is wrong.
#[derive(Clone, Serialize, JsonSchema)]
pub struct ReadRegistryLine {
    /// What it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<RegistryStep>,
    /// The row of `import_persons`, once the person is in the identity register.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<ImportedPerson>,
    /// The row of `import_coverages`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cover: Option<ImportedCoverage>,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<LineProblem>,
}

impl ReadRegistryLine {
    const fn of(step: RegistryStep) -> Self {
        Self { step: Some(step), person: None, cover: None, problem: None }
    }
}

/// An import to be made.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegistryImport {
    /// An `import_persons` or `import_coverages`: its bytes in hex, or the content itself.
    #[schemars(schema_with = "transaction_content")]
    pub content: serde_json::Value,
    /// The desk's signature over the transaction's id.
    pub authorisations: Vec<Authorisation>,
    /// Who the rows are about, in their order.
    #[schemars(length(min = 1, max = 500))]
    pub people: Vec<IdentityDocument>,
}

/// An import that stands on the ledger.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RegistryImported {
    /// The number of its receipt.
    pub receipt: u64,
    /// The rows that were refused; all others were taken.
    pub refused: Vec<RefusedRow>,
}

fn identity(name: &str, number: &str) -> Identity {
    Identity { name: name.trim().to_owned(), number: number.trim().to_owned() }
}

fn read_list(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let wallet = require_bureau(call, session, &[Scope::Attest])?;
    let RegistryList { lines, enter } = call.json()?;
    require_count(lines.len())?;
    let today = call.today(wallet.region).ok_or_else(not_found)?;
    // A line that is wrong enters nobody into the register.
    let terms: Vec<Result<Option<CoverageTerms>, Problem>> =
        lines.iter().map(|line| terms(line, today)).collect();
    if enter {
        let whole = lines.iter().zip(&terms).filter(|(_, terms)| terms.is_ok());
        let people: Vec<Identity> =
            whole.map(|(line, _)| identity(&line.name, &line.number)).collect();
        wallet.authority.enter(&people).map_err(|error| unattested(&error))?;
    }
    let mut seen = BTreeSet::new();
    let mut read = Vec::with_capacity(lines.len());
    for (line, terms) in lines.iter().zip(terms) {
        let number = line.number.trim().to_owned();
        let told = terms.and_then(|terms| line_of(call, &wallet, line, terms)).and_then(|one| {
            let words = detail!("the person stands in the list before");
            let twice = || Problem::new(&code::FIELD_INVALID).at("number").with(words);
            if seen.insert(number) { Ok(one) } else { Err(twice()) }
        });
        read.push(match told {
            Ok(one) => one,
            Err(problem) if problem.status >= 500 => return Err(problem),
            Err(problem) => ReadRegistryLine {
                step: None,
                person: None,
                cover: None,
                problem: Some(LineProblem::of(call, &problem)),
            },
        });
    }
    Reply::json(&ReadRegistryList { lines: read })
}

/// What a line comes to.
fn line_of(
    call: &Call,
    wallet: &Wallet,
    line: &RegistryLine,
    terms: Option<CoverageTerms>,
) -> Result<ReadRegistryLine, Problem> {
    let who = identity(&line.name, &line.number);
    // What the bureau keeps of the identity record stays with it; the ledger has this commitment.
    let commitment = sha256_parts(&[b"yibao/identity-record/v1", &random::<32>()?]);
    let attested = match wallet.authority.attest(&who, &commitment) {
        Ok(attested) => attested,
        Err(IdentityError::NoMatch) => {
            let is_free = wallet.authority.is_free(&who).map_err(|error| unattested(&error))?;
            let new = ReadRegistryLine::of(RegistryStep::Enrol);
            return if is_free { Ok(new) } else { Err(unattested(&IdentityError::NoMatch)) };
        }
        Err(error) => return Err(unattested(&error)),
    };
    let blind_index = attested.statement.blind_index;
    let Some(person) = person::view::by_blind_index(&call.view.state, &blind_index) else {
        let person =
            NewPerson { id: PersonId(random()?), commitment, blind_index, keys: Vec::new() };
        let row = ImportedPerson { person, coverage: terms };
        return Ok(ReadRegistryLine {
            person: Some(row),
            ..ReadRegistryLine::of(RegistryStep::Enrol)
        });
    };
    person::view::require_person(&call.view.state, person)
        .map_err(|rejection| Problem::rejected(&rejection))?;
    let Some(coverage) = terms.filter(|terms| !is_covered(call, wallet.region, person, terms))
    else {
        return Ok(ReadRegistryLine::of(RegistryStep::Nothing));
    };
    let row = ImportedCoverage { person, coverage };
    Ok(ReadRegistryLine { cover: Some(row), ..ReadRegistryLine::of(RegistryStep::Cover) })
}

/// Whether the cover stands there as the line says it, or within a longer one.
fn is_covered(call: &Call, region: RegionId, person: PersonId, terms: &CoverageTerms) -> bool {
    let row = coverage::view::coverage(&call.view.state, person).unwrap_or_default();
    row.coverages.iter().any(|one| {
        let is_same = one.region == region && one.scheme == terms.scheme;
        let reaches = match (one.period.to, terms.period.to) {
            (None, _) => true,
            (Some(there), Some(said)) => there >= said,
            (Some(_), None) => false,
        };
        is_same && one.period.from <= terms.period.from && reaches
    })
}

/// The cover of a line, if it names one.
fn terms(line: &RegistryLine, today: CivilDate) -> Result<Option<CoverageTerms>, Problem> {
    let document: Result<Document, _> = line.number.trim().parse();
    document.map_err(|error| unattested(&error.into()))?;
    let invalid = |field: &str, words| Problem::new(&code::FIELD_INVALID).at(field).with(words);
    let scheme = cell::<u16>("scheme", &line.scheme)?.map(SchemeId);
    let from = cell::<CivilDate>("from", &line.from)?;
    let to = cell("to", &line.to)?;
    let benefits_from = cell("benefits_from", &line.benefits_from)?;
    let classes = classes(&line.person_classes)?;
    let unbroken_years = cell("unbroken_years", &line.unbroken_years)?.unwrap_or(0);
    let born = cell("born", &line.born)?;
    let Some(scheme) = scheme else {
        let is_empty = from.is_none() && to.is_none() && benefits_from.is_none();
        let words = detail!("name the scheme of this cover");
        return if is_empty { Ok(None) } else { Err(invalid("scheme", words)) };
    };
    let from = from.ok_or_else(|| invalid("from", detail!("write the first day of the cover")))?;
    let period = Period { from, to };
    if !period.is_ordered() {
        return Err(invalid("to", detail!("the cover ends before it begins")));
    }
    if benefits_from.is_some_and(|day| !period.contains(day)) {
        return Err(invalid("benefits_from", detail!("the day lies outside the cover")));
    }
    let facts = facts(line, period, (born, classes, unbroken_years), (scheme, today))?;
    Ok(Some(CoverageTerms { scheme, period, benefits_from, facts }))
}

/// What is attested of a person for a cover; of one without end until the end of a year.
fn facts(
    line: &RegistryLine,
    period: Period,
    (born, classes, unbroken_years): (Option<CivilDate>, Option<PersonClasses>, u8),
    (scheme, today): (SchemeId, CivilDate),
) -> Result<AttestedFacts, Problem> {
    let citizen = gb11643::parse(line.number.trim()).ok();
    let born = born.or_else(|| citizen.as_ref().map(gb11643::CitizenNumber::birth_date));
    let born = born.ok_or_else(|| {
        let words = detail!("the number does not say the birthday, so write it here");
        Problem::new(&code::FIELD_INVALID).at("born").with(words)
    })?;
    // What was true when a cover of years ago began is not what is true now.
    let year = period.from.year().max(today.year());
    let until = period.to.or_else(|| CivilDate::from_ymd(year, 12, 31));
    let at = period.from.max(today).min(until.unwrap_or(today));
    Ok(AttestedFacts {
        period: Period { from: period.from, to: until },
        age: AgeBand::around(u8::try_from(born.years_until(at)).unwrap_or(u8::MAX)),
        sex: citizen.as_ref().map_or(Sex::Unstated, |number| sex_of(number.as_str())),
        person_classes: classes.unwrap_or_else(|| usual_classes(scheme)),
        income_class: benefit::IncomeClass::NONE,
        unbroken_years,
        claim_free_years: 0,
        month_of_75: false,
        family: None,
    })
}

/// Whom a scheme usually insures.
fn usual_classes(SchemeId(scheme): SchemeId) -> PersonClasses {
    match scheme {
        310 => PersonClasses::NONE.with(PersonClass::Active),
        390 => PersonClasses::NONE.with(PersonClass::Resident),
        _ => PersonClasses::NONE,
    }
}

/// The rows of an import, as far as this gateway has to know them.
enum Rows {
    Persons(Vec<ImportedPerson>),
    Covers(Vec<ImportedCoverage>),
}

impl Rows {
    fn of(call: &Call, content: &Content, here: RegionId) -> Result<Self, Problem> {
        let invalid = || Problem::new(&code::CHANGE_INVALID).at("content");
        let (region, rows) = match content.kind {
            ImportPersons::NUMBER => {
                let ImportPersons { region, rows } = body_of(call, content)?;
                (region, Self::Persons(rows))
            }
            ImportCoverages::NUMBER => {
                let ImportCoverages { region, rows } = body_of(call, content)?;
                (region, Self::Covers(rows))
            }
            _ => return Err(invalid()),
        };
        if region == here { Ok(rows) } else { Err(invalid()) }
    }

    const fn len(&self) -> usize {
        match self {
            Self::Persons(rows) => rows.len(),
            Self::Covers(rows) => rows.len(),
        }
    }
}

/// Whom each row is about: the one whom the authority finds by the name and number that came with
/// it, and nobody else.
fn people_of(
    call: &Call,
    wallet: &Wallet,
    rows: &Rows,
    people: &[IdentityDocument],
) -> Result<Vec<PersonId>, Problem> {
    let other = |at: usize| Problem::new(&code::OTHER_PERSON).at(format!("people[{at}].number"));
    let each = people.iter().enumerate().map(|(at, one)| {
        let attested = wallet.authority.attest(&identity(&one.name, &one.number), &Hash::default());
        let index = attested.map_err(|error| unattested(&error))?.statement.blind_index;
        let person = match rows {
            Rows::Persons(rows) => rows
                .get(at)
                .filter(|row| row.person.blind_index == index && row.person.keys.is_empty())
                .map(|row| row.person.id),
            Rows::Covers(rows) => {
                let found = person::view::by_blind_index(&call.view.state, &index);
                rows.get(at).map(|row| row.person).filter(|person| found == Some(*person))
            }
        };
        person.ok_or_else(|| other(at))
    });
    each.collect()
}

fn import(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let wallet = require_bureau(call, session, &[Scope::Attest])?;
    let RegistryImport { content, mut authorisations, people } = call.json()?;
    let content = read_content(call, content)?;
    let rows = Rows::of(call, &content, wallet.region)?;
    let is_whole = rows.len() == people.len() && rows.len() <= LINES_MAX;
    if content.author != session.party || !is_whole {
        return Err(Problem::new(&code::CHANGE_INVALID).at("content"));
    }
    let ids = people_of(call, &wallet, &rows, &people)?;
    let mut authority: Vec<&dyn Machine> = Vec::new();
    if matches!(rows, Rows::Persons(_)) {
        authorisations.retain(|one| one.party == session.party);
        authority.push(&*wallet.identity);
    }
    let placed = execute(call, signed_too(content, authorisations, &authority)?)?;
    let refused = refused_rows(call, &placed.receipt);
    let gone: BTreeSet<u32> = refused.iter().map(|one| one.row).collect();
    let taken = (0_u32..).zip(ids).zip(&people).filter(|((row, _), _)| !gone.contains(row));
    let known: Vec<(PersonId, Particulars)> = taken
        .map(|((_, id), one)| (id, Particulars::new(one.name.trim(), one.number.trim())))
        .collect();
    wallet.directory.put_people(&known)?;
    let imported = RegistryImported { receipt: placed.index, refused };
    Ok(Reply::json(&imported)?.status(StatusCode::CREATED))
}
