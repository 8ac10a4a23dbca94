//! The region that is measured: its organisations, its funds, and as many people as wanted.
//!
//! Everything comes from numbers, so that nothing of it has to be kept: person 17 has the same id
//! and the same keys in every run. None of them stands for a real person.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use adapters::clock::{Clock, SystemClock};
use anyhow::{Context as _, Result, bail};
use benefit::source::PlanSource;
use benefit::{AgeBand, IncomeClass, Payer, PersonClass, PersonClasses, Plan, Sex};
use ledger::Genesis;
use ledger::genesis::{GenesisKey, GenesisOrganisation, GenesisRegion};
use ledger::kernel::month::CalendarMonth;
use ledger::kernel::registry::Kind;
use ledger::modules::coverage::{AttestedFacts, CoverageTerms, ImportPersons, ImportedPerson};
use ledger::modules::fund::{
    AssignPayerFund, Contribute, CreditPersonalAccounts, CreditRow, CreditSource, OpenFund,
};
use ledger::modules::network::RegionSettings;
use ledger::modules::organisation::{AdmitOrganisation, AuthoriseKey, OrganisationKind, Scope};
use ledger::modules::person::{KeyGrade, NewKey, NewPerson};
use ledger::modules::plan::{ApprovePlan, DraftPlan, PlanBytes, PublishPlan, ReviewPlan};
use ledger::{Authorisation, Content, IdempotencyKey, Transaction};
use node::NodeHandle;
use node::signature::{Scheme, SecretKey, SoftwareAuthenticator, save_key};
use primitives::{
    Amount, CivilDate, Currency, FundId, Hash, OrganisationId, Party, Period, PersonId, PublicKey,
    RegionId, SchemeId, Text, Timestamp, UtcOffset, codec, sha256, sha256_parts,
};
use proof::header::{ChainId, Validator, ValidatorSet};
use proof::receipt::OutcomeCode;

use crate::ceiling::Mix;

/// The region of the plan file.
pub const REGION: RegionId = RegionId(620_100);
/// The rpId of passkeys.
pub const RP_ID: &str = "localhost";
/// The page on which they sign.
pub const PAGE: &str = "http://localhost:8420";
/// How many providers send settlements.
pub const PROVIDERS: u32 = 50;
/// The day of service: a plan is in force, whenever the benchmark runs.
pub const SERVICE_DAY: (i32, u8, u8) = (2026, 3, 2);

const PLAN: &str = include_str!("../../../plans/lanzhou-employee/2026-01-01.toml");
const ROWS_PER_BATCH: u64 = 400;
const DAY_MILLIS: u64 = 24 * 3_600 * 1_000;
/// What every fund starts with, in minor units.
const FUND_START: u64 = 4_000_000_000_000_000;
/// What every personal account starts with, in minor units.
const ACCOUNT_START: u64 = 30_000;

/// A party with a key.
pub struct Signer {
    party: Party,
    pen: Pen,
}

enum Pen {
    Key(SecretKey),
    Passkey(SoftwareAuthenticator),
}

/// A region under test, with limits so wide that none of them stops a load.
#[must_use]
pub fn region() -> GenesisRegion {
    GenesisRegion {
        region: REGION,
        bureau: organisation("bureau"),
        currency: Currency::CNY,
        settings: RegionSettings {
            utc_offset_minutes: UtcOffset(480),
            desk_payment_max: Amount::from_minor(5_000_000),
            desk_day_max: Amount::from_minor(10_000_000),
            pin_failures_max: 3,
            witnessed_cash_max: Amount::from_minor(100_000),
            emergency_contest_days: 30,
            objection_answer_days: 15,
            unlock_delay_hours: 24,
            claim_days_max: 36_500,
            effect_takeover_hours: 72,
        },
    }
}

impl Signer {
    /// The key of an organisation for this purpose.
    #[must_use]
    pub fn organisation(code: &str, purpose: &str, scheme: Scheme) -> Self {
        let party = Party::Organisation(organisation(code));
        Self { party, pen: Pen::Key(SecretKey::from_seed(scheme, &seed(party, purpose))) }
    }

    /// The person of this number, with a passkey.
    #[must_use]
    pub fn person(number: u64) -> Self {
        let party = Party::Person(person(number));
        let key = SecretKey::from_seed(Scheme::P256, &seed(party, "passkey"));
        let passkey = SoftwareAuthenticator::new(key, RP_ID, PAGE).expect("a P-256 key");
        Self { party, pen: Pen::Passkey(passkey) }
    }

    /// The party.
    #[must_use]
    pub const fn party(&self) -> Party {
        self.party
    }

    /// Writes the key of an organisation into a file.
    ///
    /// # Errors
    /// When it cannot be written, or is a passkey.
    pub fn save(&self, path: &Path) -> Result<()> {
        match &self.pen {
            Pen::Key(key) => Ok(save_key(path, key)?),
            Pen::Passkey(_) => bail!("a passkey stays where it is"),
        }
    }

    /// The public key.
    #[must_use]
    pub const fn public_key(&self) -> PublicKey {
        match &self.pen {
            Pen::Key(key) => key.public_key(),
            Pen::Passkey(passkey) => passkey.public_key(),
        }
    }

    /// The signature of a message.
    #[must_use]
    pub fn authorise(&self, message: &Hash) -> Authorisation {
        let signature = match &self.pen {
            Pen::Key(key) => key.sign(message),
            Pen::Passkey(passkey) => passkey.assert(message),
        };
        Authorisation { party: self.party, key: self.public_key(), signature }
    }
}

/// The id of the person of this number.
#[must_use]
pub fn person(number: u64) -> PersonId {
    let hash = sha256_parts(&[b"yibao/bench-person/v1", &number.to_le_bytes()]);
    let mut id = [0; 16];
    id.copy_from_slice(&hash.0[..16]);
    PersonId(id)
}

fn seed(party: Party, purpose: &str) -> [u8; 32] {
    sha256_parts(&[b"yibao/bench-key/v1", party.to_string().as_bytes(), purpose.as_bytes()]).0
}

/// The organisation of this code.
#[must_use]
pub fn organisation(code: &str) -> OrganisationId {
    code.parse().expect("codes of the benchmark are well-formed")
}

/// Which region is measured.
#[derive(Clone, Copy)]
pub struct Size {
    /// How many people it has.
    pub people: u64,
    /// How many schemes with a fund of their own; people are spread evenly.
    pub funds: u16,
    /// How the organisations sign.
    pub mix: Mix,
}

/// Everybody who signs for an organisation.
pub struct Region {
    /// What it is like.
    pub size: Size,
    /// The ledger's name.
    pub chain_id: ChainId,
    /// The bureau, which countersigns.
    pub bureau: Signer,
    /// The providers.
    pub providers: Vec<Signer>,
    reviewer: Signer,
    finance: Signer,
    identity: Signer,
    roots: Vec<Signer>,
}

fn provider_code(number: u32) -> String {
    format!("hospital-{number}")
}

impl Region {
    /// The region of this size.
    #[must_use]
    pub fn new(size: Size) -> Self {
        let scheme = size.mix.scheme();
        let codes: Vec<String> = (0..PROVIDERS).map(provider_code).collect();
        let all = |purpose: &str, scheme| -> Vec<Signer> {
            codes.iter().map(|code| Signer::organisation(code, purpose, scheme)).collect()
        };
        Self {
            size,
            chain_id: "bench".parse().expect("a short name"),
            bureau: Signer::organisation("bureau", "online", scheme),
            reviewer: Signer::organisation("bureau", "reviewer", scheme),
            finance: Signer::organisation("finance", "online", scheme),
            identity: Signer::organisation("identity", "online", scheme),
            providers: all("online", scheme),
            roots: all("root", Scheme::Ed25519),
        }
    }

    /// The authority that knows who people are.
    #[must_use]
    pub const fn identity(&self) -> &Signer {
        &self.identity
    }

    /// Those who govern.
    #[must_use]
    pub const fn governing(&self) -> [&Signer; 2] {
        [&self.bureau, &self.finance]
    }

    /// The scheme of the person of this number.
    #[must_use]
    pub fn scheme(&self, person: u64) -> SchemeId {
        let place = u16::try_from(person % u64::from(self.size.funds)).unwrap_or(0);
        SchemeId(310 + place)
    }

    fn schemes(&self) -> impl Iterator<Item = SchemeId> {
        (0..self.size.funds).map(|place| SchemeId(310 + place))
    }

    /// The key that certifies blocks of one organisation alone.
    #[must_use]
    pub fn block_key() -> SecretKey {
        SecretKey::from_seed(Scheme::Ed25519, &sha256(b"yibao/bench-block-key").0)
    }

    /// The key that signs its receipt log.
    #[must_use]
    pub fn log_key() -> SecretKey {
        SecretKey::from_seed(Scheme::Ed25519, &sha256(b"yibao/bench-log-key").0)
    }

    fn genesis(&self, now: Timestamp) -> Genesis {
        let members = [
            (vec![&self.bureau, &self.reviewer], OrganisationKind::Bureau),
            (vec![&self.finance], OrganisationKind::FinanceAuthority),
            (vec![&self.identity], OrganisationKind::IdentityAuthority),
        ];
        let expires = now.plus_millis(3_650 * DAY_MILLIS);
        let organisations = members.map(|(signers, kind)| {
            let Party::Organisation(code) = signers[0].party else {
                unreachable!("an organisation")
            };
            let root = Signer::organisation(&code.to_string(), "root", Scheme::Ed25519);
            let keys = signers.iter().map(|signer| GenesisKey {
                key: signer.public_key(),
                scopes: EVERY_SCOPE.to_vec(),
                expires,
            });
            GenesisOrganisation {
                organisation: code,
                kind,
                region: REGION,
                root_key: root.public_key(),
                keys: keys.collect(),
            }
        });
        let key = Self::block_key().public_key();
        let validator = Validator { organisation: organisation("bureau"), key, power: 1 };
        Genesis {
            chain_id: self.chain_id,
            time: now,
            salt: sha256(b"the salt of the benchmark"),
            secret: sha256(b"the secret of the benchmark"),
            rp_id: Text::new(RP_ID).expect("a short text"),
            origins: vec![Text::new(PAGE).expect("a short text")],
            regions: vec![region()],
            organisations: organisations.to_vec(),
            governing: vec![organisation("bureau"), organisation("finance")],
            validators: ValidatorSet::new(vec![validator]).expect("one validator with power"),
        }
    }

    /// Writes a data folder as `yibao serve` reads it, its ledger before the first block.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn found(&self, data: &Path) -> Result<Genesis> {
        let node = data.join("node");
        fs::create_dir_all(node.join("genesis"))?;
        fs::create_dir_all(node.join("keys"))?;
        let genesis = self.genesis(SystemClock.now());
        fs::write(node.join("genesis/genesis.json"), serde_json::to_vec(&genesis)?)?;
        fs::write(node.join("organisation"), "bureau\n")?;
        fs::write(node.join("origin"), "yibao.example/bench\n")?;
        save_key(&node.join("keys/blocks.key"), &Self::block_key())?;
        save_key(&node.join("keys/log.key"), &Self::log_key())?;
        Ok(genesis)
    }

    /// Where the node of a data folder keeps its files.
    #[must_use]
    pub fn node_folder(data: &Path) -> PathBuf {
        data.join("node")
    }

    /// A signed transaction; the first signer is the author, `number` makes its key against doing
    /// it twice.
    pub fn sign<K: Kind>(
        &self,
        signers: &[&Signer],
        meaning: &str,
        number: u64,
        kind: &K,
    ) -> Transaction {
        let hash =
            sha256_parts(&[b"yibao/bench-key/v1", meaning.as_bytes(), &number.to_le_bytes()]);
        let mut key = [0; 16];
        key.copy_from_slice(&hash.0[..16]);
        let content = Content {
            version: ledger::kernel::transaction::TRANSACTION_VERSION,
            chain_id: self.chain_id,
            author: signers[0].party,
            idempotency_key: IdempotencyKey(key),
            valid_until: SystemClock.now().plus_millis(6 * DAY_MILLIS),
            kind: K::NUMBER,
            body: codec::encode(kind),
        };
        let id = content.id();
        let authorisations = signers.iter().map(|signer| signer.authorise(&id)).collect();
        Transaction::signed_by(content, authorisations)
    }

    /// Brings the region to life on a new node.
    ///
    /// # Errors
    /// When the ledger refuses something.
    pub fn settle_in(&self, node: &NodeHandle) -> Result<()> {
        self.admit(node)?;
        for scheme in self.schemes() {
            self.open_scheme(node, scheme)?;
        }
        self.enrol(node)?;
        self.credit(node)
    }

    fn admit(&self, node: &NodeHandle) -> Result<()> {
        let pairs = || (0_u64..).zip(self.roots.iter().zip(&self.providers));
        let code = |signer: &Signer| match signer.party {
            Party::Organisation(code) => code,
            Party::Person(_) => unreachable!("an organisation"),
        };
        let admissions = pairs().map(|(number, (root, _))| {
            let body = AdmitOrganisation {
                organisation: code(root),
                kind: OrganisationKind::Provider,
                region: REGION,
                level: Some(benefit::HospitalLevel::TertiaryA),
                root_key: root.public_key(),
            };
            self.sign(&[&self.bureau, &self.finance], "admit", number, &body)
        });
        must(node, admissions.collect())?;
        let expires = SystemClock.now().plus_millis(300 * DAY_MILLIS);
        let keys = pairs().map(|(number, (root, online))| {
            let body = AuthoriseKey {
                organisation: code(root),
                key: online.public_key(),
                scopes: EVERY_SCOPE.to_vec(),
                expires,
            };
            self.sign(&[root], "key", number, &body)
        });
        must(node, keys.collect())
    }

    /// A scheme with the plan of Lanzhou's employees and funds of its own for every payer in it.
    fn open_scheme(&self, node: &NodeHandle, scheme: SchemeId) -> Result<()> {
        let plan = plan(scheme)?;
        let number = u64::from(scheme.0);
        let (region, version, hash) = (REGION, 1, plan.hash());
        let act = |transaction| must(node, vec![transaction]);
        let draft = DraftPlan {
            region,
            scheme,
            version,
            plan: PlanBytes(codec::encode(&plan)),
            catalogue_root: Hash::default(),
            supersedes: Vec::new(),
        };
        act(self.sign(&[&self.bureau], "draft", number, &draft))?;
        let review = ReviewPlan { region, scheme, version, hash };
        act(self.sign(&[&self.reviewer], "review", number, &review))?;
        let approver = organisation("finance");
        let approve = ApprovePlan { region, scheme, version, hash, approver };
        act(self.sign(&[&self.finance], "approve", number, &approve))?;
        let publish = PublishPlan { region, scheme, version, hash };
        act(self.sign(&[&self.bureau], "publish", number, &publish))?;
        let from = day(2026, 1, 1);
        for payer in Payer::ALL.iter().filter(|payer| **payer != Payer::HospitalBorne) {
            let fund = FundId(scheme.0 * 32 + u16::from(payer.number()));
            let place = u64::from(fund.0);
            let open = OpenFund {
                region,
                fund,
                owner: organisation("bureau"),
                purpose: *payer,
                year: None,
                floor: Amount::ZERO,
            };
            act(self.sign(&[&self.bureau], "open fund", place, &open))?;
            let reference = sha256(&place.to_le_bytes());
            let amount = Amount::from_minor(FUND_START);
            let contribute = Contribute { region, fund, amount, reference };
            act(self.sign(&[&self.bureau], "contribute", place, &contribute))?;
            let fund = Some(fund);
            let assign = AssignPayerFund { region, scheme, payer: *payer, from, fund };
            act(self.sign(&[&self.bureau], "assign", place, &assign))?;
        }
        Ok(())
    }

    /// Enrols everybody, without any cover.
    ///
    /// # Errors
    /// When the ledger refuses somebody.
    pub fn enrol_uncovered(&self, node: &NodeHandle) -> Result<()> {
        self.enrol_as(node, |number| ImportedPerson { coverage: None, ..self.import(number) })
    }

    fn enrol(&self, node: &NodeHandle) -> Result<()> {
        self.enrol_as(node, |number| self.import(number))
    }

    fn enrol_as(
        &self,
        node: &NodeHandle,
        import: impl Fn(u64) -> ImportedPerson + Sync,
    ) -> Result<()> {
        let batch = |number: u64| {
            let first = number * ROWS_PER_BATCH;
            let last = (first + ROWS_PER_BATCH).min(self.size.people);
            let rows = (first..last).map(&import).collect();
            let body = ImportPersons { region: REGION, rows };
            self.sign(&[&self.bureau, &self.identity], "import", number, &body)
        };
        self.in_batches(node, batch)
    }

    fn import(&self, number: u64) -> ImportedPerson {
        let signer = Signer::person(number);
        let id = person(number);
        let limit = Amount::from_minor(1_000_000_000);
        let key = NewKey {
            key: signer.public_key(),
            grade: KeyGrade::Passkey,
            payment_max: limit,
            day_max: limit,
        };
        let person = NewPerson {
            id,
            commitment: sha256_parts(&[b"commitment", &id.0]),
            blind_index: sha256_parts(&[b"blind index", &id.0]),
            keys: vec![key],
        };
        let facts = AttestedFacts {
            period: Period { from: day(2026, 1, 1), to: Some(day(2026, 12, 31)) },
            age: AgeBand::new(30, 60).unwrap_or_default(),
            sex: Sex::Unstated,
            person_classes: PersonClasses::NONE.with(PersonClass::Active),
            income_class: IncomeClass::NONE,
            unbroken_years: 0,
            claim_free_years: 0,
            month_of_75: false,
            family: None,
        };
        let period = Period { from: day(2026, 1, 1), to: None };
        let scheme = self.scheme(number);
        let coverage = CoverageTerms { scheme, period, benefits_from: None, facts };
        ImportedPerson { person, coverage: Some(coverage) }
    }

    fn credit(&self, node: &NodeHandle) -> Result<()> {
        let batch = |number: u64| {
            let first = number * ROWS_PER_BATCH;
            let last = (first + ROWS_PER_BATCH).min(self.size.people);
            let amount = Amount::from_minor(ACCOUNT_START);
            let rows = (first..last).map(|number| CreditRow { person: person(number), amount });
            let body = CreditPersonalAccounts {
                region: REGION,
                source: CreditSource::Outside,
                month: CalendarMonth { year: 2026, month: 1 },
                batch: u32::try_from(number).unwrap_or(u32::MAX) + 1,
                rows: rows.collect(),
            };
            self.sign(&[&self.bureau], "credit", number, &body)
        };
        self.in_batches(node, batch)
    }

    /// Makes batches on all cores and submits them, a hundred at a time.
    fn in_batches(
        &self,
        node: &NodeHandle,
        make: impl Fn(u64) -> Transaction + Sync,
    ) -> Result<()> {
        let batches = self.size.people.div_ceil(ROWS_PER_BATCH);
        let mut next = 0;
        while next < batches {
            let until = (next + 100).min(batches);
            let make = &make;
            let half = next + (until - next) / 2;
            let transactions = thread::scope(|scope| {
                let first = scope.spawn(move || (next..half).map(make).collect::<Vec<_>>());
                let second: Vec<_> = (half..until).map(make).collect();
                let mut all = first.join().expect("a thread that only signs");
                all.extend(second);
                all
            });
            must(node, transactions)?;
            next = until;
        }
        Ok(())
    }
}

/// Every scope, in the order of the contract.
pub const EVERY_SCOPE: [Scope; 8] = [
    Scope::Govern,
    Scope::Settle,
    Scope::Countersign,
    Scope::Clerk,
    Scope::Attest,
    Scope::Publish,
    Scope::Treasury,
    Scope::Execute,
];

fn day(year: i32, month: u8, day: u8) -> CivilDate {
    CivilDate::from_ymd(year, month, day).expect("a day of the calendar")
}

/// The day of service of every settlement.
#[must_use]
pub fn service_day() -> CivilDate {
    let (year, month, of_month) = SERVICE_DAY;
    day(year, month, of_month)
}

/// The plan, as a scheme of its own.
///
/// # Errors
/// When it does not compile.
pub fn plan(scheme: SchemeId) -> Result<Plan> {
    let text = PLAN.replace("scheme = 310", &format!("scheme = {}", scheme.0));
    let source: PlanSource = toml::from_str(&text).context("the plan of Lanzhou's employees")?;
    benefit::compile(&source, sha256(text.as_bytes())).map_err(|error| anyhow::anyhow!("{error}"))
}

/// Executes transactions of which none may be refused.
///
/// # Errors
/// Why one was.
pub fn must(node: &NodeHandle, transactions: Vec<Transaction>) -> Result<()> {
    for result in node.submit_all(transactions) {
        let receipt = result?.receipt;
        if let OutcomeCode::Rejected(number) = receipt.record.outcome {
            let name = node.registry().rejection(number).map_or("unknown", |code| code.name);
            let detail = receipt.rejection_words();
            bail!("the benchmark's own transaction was refused: {name} {detail}");
        }
        if let Some(field) = receipt.fields.iter().find(|field| field.name.starts_with("refused."))
        {
            bail!("the benchmark's own rows were refused: {:?}", field.value);
        }
    }
    Ok(())
}

/// The clock of every measured node.
#[must_use]
pub fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}
