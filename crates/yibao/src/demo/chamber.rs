//! The acts by which a region comes to life: organisations admitted, funds opened and filled, plans
//! published, people enrolled and covered, personal accounts credited.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use benefit::source::{CatalogueSource, PlanSource};
use benefit::{Catalogue, HospitalLevel, Payer, Plan};
use ledger::kernel::month::CalendarMonth;
use ledger::kernel::registry::Kind;
use ledger::modules::coverage::{ImportCoverages, ImportPersons, ImportedCoverage, ImportedPerson};
use ledger::modules::fund::{
    AssignPayerFund, Contribute, CreditPersonalAccounts, CreditRow, CreditSource, OpenFund,
};
use ledger::modules::organisation::{AdmitOrganisation, AuthoriseKey, OrganisationKind};
use ledger::modules::plan::{ApprovePlan, DraftPlan, PlanBytes, PublishPlan, ReviewPlan};
use ledger::modules::premium::{RegisterPremiums, RegisteredPremium, SeasonId};
use ledger::{Receipt, Transaction};
use node::runtime::NodeHandle;
use primitives::{
    Amount, CivilDate, FundId, Hash, OrganisationId, Party, PersonId, RegionId, SchemeId,
    Timestamp, codec, sha256, sha256_parts,
};
use proof::receipt::{FieldValue, OutcomeCode};

use super::actor::{Actor, Drafter};
use super::founding::{EVERY_SCOPE, Founders};
use crate::command::input::parse_toml;

/// How many rows a batch has.
const ROWS_PER_BATCH: usize = 400;
const YEAR_MILLIS: u64 = 365 * 24 * 3_600 * 1_000;

/// What every payer of the demonstration has in its fund, in minor units.
pub const FUND_OPENING: u64 = 2_000_000_000_000;

/// Everything the acts need.
pub struct Chamber<'a> {
    /// The node.
    pub node: &'a NodeHandle,
    /// Writes transactions.
    pub drafter: &'a Drafter,
    /// Who signs.
    pub founders: &'a Founders,
    /// The time.
    pub now: &'a (dyn Fn() -> Timestamp + Sync),
}

/// A plan file that is built in.
pub struct PlanFile {
    /// Its path in the project, for messages.
    pub path: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// The plan file of this path in the project, built in.
macro_rules! built_in {
    ($path:literal) => {
        $crate::demo::chamber::PlanFile {
            path: $path,
            text: include_str!(concat!("../../../../", $path)),
        }
    };
}
pub(super) use built_in;

impl PlanFile {
    /// The compiled plan.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn compile(&self) -> Result<Plan> {
        let source: PlanSource = parse_toml("the plan", Path::new(self.path), self.text)?;
        let plan = benefit::compile(&source, sha256(self.text.as_bytes()))
            .map_err(|error| anyhow::anyhow!("{}: {error}", self.path))?;
        Ok(plan)
    }
}

/// The compiled catalogue of a file's text.
///
/// # Errors
/// What is wrong with the file.
pub fn catalogue(text: &str) -> Result<(Catalogue, CatalogueSource)> {
    let source: CatalogueSource =
        parse_toml("the catalogue", Path::new("the program's own"), text)?;
    let compiled = Catalogue::compile(&source).map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok((compiled, source))
}

impl Chamber<'_> {
    fn draft<K: Kind>(&self, signers: &[&Actor], kind: &K) -> Transaction {
        self.drafter.transaction((self.now)(), signers, kind)
    }

    /// Executes transactions of which none may be refused.
    fn must(&self, transactions: Vec<Transaction>) -> Result<Vec<Arc<Receipt>>> {
        let mut receipts = Vec::with_capacity(transactions.len());
        for result in self.node.submit_all(transactions) {
            let receipt = result?.receipt;
            if let OutcomeCode::Rejected(number) = receipt.record.outcome {
                let name =
                    self.node.registry().rejection(number).map_or("unknown", |code| code.name);
                let detail = receipt.rejection_words();
                bail!("the demonstration's own transaction was refused: {name} {detail}");
            }
            receipts.push(receipt);
        }
        Ok(receipts)
    }

    /// Executes transactions of which some may be refused, each by its signers; gives the stable
    /// names of the reasons.
    ///
    /// # Errors
    /// When the node fails.
    pub fn try_all<K: Kind>(
        &self,
        acts: &[(Vec<&Actor>, K)],
    ) -> Result<Vec<Result<Arc<Receipt>, &'static str>>> {
        let drafts = acts.iter().map(|(signers, kind)| self.draft(signers, kind)).collect();
        let submitted = self.node.submit_all(drafts).into_iter().map(|result| {
            let receipt = result?.receipt;
            Ok(match receipt.record.outcome {
                OutcomeCode::Accepted => Ok(receipt),
                OutcomeCode::Rejected(number) => {
                    Err(self.node.registry().rejection(number).map_or("unknown", |code| code.name))
                }
            })
        });
        submitted.collect()
    }

    /// Executes one transaction that may not be refused.
    ///
    /// # Errors
    /// Why it was refused.
    pub fn act<K: Kind>(&self, signers: &[&Actor], kind: &K) -> Result<Arc<Receipt>> {
        let mut receipts = self.must(vec![self.draft(signers, kind)])?;
        receipts.pop().context("one receipt per transaction")
    }

    /// Admits organisations of one kind and authorises a key of each for everything.
    ///
    /// # Errors
    /// Why it was refused.
    pub fn admit(
        &self,
        region: RegionId,
        kind: OrganisationKind,
        members: &[(&Actor, &Actor, Option<HospitalLevel>)],
    ) -> Result<()> {
        let code = |actor: &Actor| match actor.party {
            Party::Organisation(code) => Ok(code),
            Party::Person(_) => bail!("only organisations are admitted"),
        };
        let mut admissions = Vec::new();
        for (root, _, level) in members {
            let body = AdmitOrganisation {
                organisation: code(root)?,
                kind,
                region,
                level: *level,
                root_key: root.key,
            };
            admissions.push(self.draft(&self.founders.governing(), &body));
        }
        self.must(admissions)?;
        let expires = (self.now)().plus_millis(YEAR_MILLIS);
        let mut keys = Vec::new();
        for (root, online, _) in members {
            let body = AuthoriseKey {
                organisation: code(root)?,
                key: online.key,
                scopes: EVERY_SCOPE.to_vec(),
                expires,
            };
            keys.push(self.draft(&[root], &body));
        }
        self.must(keys).map(|_| ())
    }

    /// Opens a fund for each payer, fills it, and says from which day it pays in each scheme.
    ///
    /// # Errors
    /// Why it was refused.
    pub fn open_funds(
        &self,
        bureau: &Actor,
        region: RegionId,
        schemes: &[SchemeId],
        from: CivilDate,
        owners: &BTreeMap<Payer, &Actor>,
    ) -> Result<()> {
        for payer in Payer::ALL.iter().filter(|payer| **payer != Payer::HospitalBorne) {
            let owner = owners.get(payer).copied().unwrap_or(bureau);
            let Party::Organisation(code) = owner.party else {
                bail!("an owner is an organisation")
            };
            let fund = FundId(u16::from(payer.number()));
            let open = OpenFund {
                region,
                fund,
                owner: code,
                purpose: *payer,
                year: None,
                floor: Amount::ZERO,
            };
            let contribute = Contribute {
                region,
                fund,
                amount: Amount::from_minor(FUND_OPENING),
                reference: sha256(&codec::encode(&(region, fund))),
            };
            self.act(&[owner], &open)?;
            self.act(&[owner], &contribute)?;
            for scheme in schemes {
                let assign = AssignPayerFund {
                    region,
                    scheme: *scheme,
                    payer: *payer,
                    from,
                    fund: Some(fund),
                };
                let both = [bureau, owner];
                let signers = if code == organisation_of(bureau)? { &both[..1] } else { &both[..] };
                self.act(signers, &assign)?;
            }
        }
        Ok(())
    }

    /// Takes a plan from draft to publication, by three different keys.
    ///
    /// # Errors
    /// Why it was refused.
    pub fn publish(
        &self,
        bureau: &Actor,
        reviewer: &Actor,
        file: &PlanFile,
        version: u16,
        catalogue_root: Hash,
    ) -> Result<()> {
        let plan = file.compile()?;
        let (region, scheme, hash) = (plan.region(), plan.scheme(), plan.hash());
        let Party::Organisation(approver) = self.founders.finance.party else {
            bail!("the approver is an organisation")
        };
        let draft = DraftPlan {
            region,
            scheme,
            version,
            plan: PlanBytes(codec::encode(&plan)),
            catalogue_root,
            supersedes: Vec::new(),
        };
        self.act(&[bureau], &draft).with_context(|| file.path.to_owned())?;
        self.act(&[reviewer], &ReviewPlan { region, scheme, version, hash })?;
        let approve = ApprovePlan { region, scheme, version, hash, approver };
        self.act(&[&self.founders.finance], &approve)?;
        self.act(&[bureau], &PublishPlan { region, scheme, version, hash }).map(|_| ())
    }

    /// Enrols people in batches, signed by bureau and identity authority; gives how many rows were
    /// refused.
    ///
    /// # Errors
    /// When a whole batch was refused.
    pub fn enrol(
        &self,
        bureau: &Actor,
        region: RegionId,
        people: Vec<ImportedPerson>,
    ) -> Result<u64> {
        let mut batches = Vec::new();
        let mut people = people.into_iter().peekable();
        while people.peek().is_some() {
            let rows = people.by_ref().take(ROWS_PER_BATCH).collect();
            let body = ImportPersons { region, rows };
            batches.push(self.draft(&[bureau, &self.founders.identity], &body));
        }
        Ok(self.must(batches)?.iter().map(|receipt| refused_rows(receipt)).sum())
    }

    /// Registers who owes a premium; gives how many rows were refused.
    ///
    /// # Errors
    /// When a whole batch was refused.
    pub fn register_premiums(
        &self,
        bureau: &Actor,
        season: SeasonId,
        rows: &[RegisteredPremium],
    ) -> Result<u64> {
        let batches = rows
            .chunks(ROWS_PER_BATCH)
            .map(|part| self.draft(&[bureau], &RegisterPremiums { season, rows: part.to_vec() }));
        Ok(self.must(batches.collect())?.iter().map(|receipt| refused_rows(receipt)).sum())
    }

    /// Adds further coverages; gives how many rows were refused.
    ///
    /// # Errors
    /// When a whole batch was refused.
    pub fn cover(
        &self,
        bureau: &Actor,
        region: RegionId,
        rows: Vec<ImportedCoverage>,
    ) -> Result<u64> {
        let mut refused = 0;
        for part in rows.chunks(ROWS_PER_BATCH) {
            let body = ImportCoverages { region, rows: part.to_vec() };
            refused += refused_rows(&*self.act(&[bureau], &body)?);
        }
        Ok(refused)
    }

    /// Credits personal accounts for a month.
    ///
    /// # Errors
    /// When a whole batch was refused.
    pub fn credit(
        &self,
        bureau: &Actor,
        region: RegionId,
        month: CalendarMonth,
        rows: &[(PersonId, Amount)],
    ) -> Result<()> {
        let mut batches = Vec::new();
        for (batch, part) in (1..).zip(rows.chunks(ROWS_PER_BATCH)) {
            let rows =
                part.iter().map(|(person, amount)| CreditRow { person: *person, amount: *amount });
            let body = CreditPersonalAccounts {
                region,
                source: CreditSource::Outside,
                month,
                batch,
                rows: rows.collect(),
            };
            batches.push(self.draft(&[bureau], &body));
        }
        self.must(batches).map(|_| ())
    }

    /// Executes many acts of one kind by the same signers, none of which may be refused.
    ///
    /// # Errors
    /// Why one was refused.
    pub fn act_all<K: Kind>(&self, signers: &[&Actor], kinds: &[K]) -> Result<()> {
        for part in kinds.chunks(1_000) {
            self.must(part.iter().map(|kind| self.draft(signers, kind)).collect())?;
        }
        Ok(())
    }
}

fn refused_rows(receipt: &Receipt) -> u64 {
    let field = receipt.fields.iter().find(|field| &*field.name == "refused");
    match field.map(|field| &field.value) {
        Some(FieldValue::Number(count)) => *count,
        _ => 0,
    }
}

/// A salted commitment of the demonstration: the salt is kept with what it hides.
#[must_use]
pub fn commitment(meaning: &str, id: PersonId, secret: &str) -> Hash {
    let salt = sha256_parts(&[b"yibao/demo-salt/v1", meaning.as_bytes(), &id.0]);
    sha256_parts(&[b"yibao/demo-commitment/v1", &salt.0, secret.as_bytes()])
}

/// The code of an organisation that acts.
///
/// # Errors
/// When it is a person.
pub fn organisation_of(actor: &Actor) -> Result<OrganisationId> {
    match actor.party {
        Party::Organisation(code) => Ok(code),
        Party::Person(_) => bail!("a person is no organisation"),
    }
}
