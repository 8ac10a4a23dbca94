//! A small world for tests: a region, its organisations, real Ed25519 keys, and one way to say
//! "given this world, this transaction is accepted" or "is rejected with this code".
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use alloc::{collections::BTreeMap, string::ToString, vec, vec::Vec};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey,
};
use primitives::{
    Amount, CivilDate, Currency, FundId, Hash, OrganisationId, Party, Period, PersonId, PublicKey,
    RegionId, SchemeId, Signature, SignatureError, Text, Timestamp, UtcOffset, Verifier, codec,
    sha256,
};
use proof::header::{Validator, ValidatorSet};

use crate::genesis::{Genesis, GenesisKey, GenesisOrganisation, GenesisRegion};
use crate::kernel::account::Account;
use crate::kernel::block::{Ledger, execute_block};
use crate::kernel::overlay::Overlay;
use crate::kernel::posting;
use crate::kernel::receipt::Receipt;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::Code;
use crate::kernel::transaction::{
    Authorisation, Content, IdempotencyKey, TRANSACTION_VERSION, Transaction, VerifiedTransaction,
};
use crate::modules::coverage::{AttestedFacts, CoverageTerms, EnrolCoverage};
use crate::modules::fund::{AssignPayerFund, Contribute, OpenFund};
use crate::modules::network::RegionSettings;
use crate::modules::organisation::{AdmitOrganisation, AuthoriseKey, OrganisationKind, Scope};
use crate::modules::person::{EnrolPerson, KeyGrade, NewKey, NewPerson};

pub(crate) mod passkey;
pub(crate) mod plans;

/// Checks Ed25519 and P-256 for real; the backends that ship are tested in `node`, where they live.
pub(crate) struct TestVerifier;

impl Verifier for TestVerifier {
    fn check_key(&self, key: &PublicKey) -> Result<(), SignatureError> {
        match key {
            PublicKey::Ed25519(bytes) if *bytes != [0; 32] => Ok(()),
            PublicKey::P256(bytes) if *bytes != [0; 64] => Ok(()),
            _ => Err(SignatureError::InvalidKey),
        }
    }
    fn verify_raw(
        &self,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8; 64],
    ) -> Result<(), SignatureError> {
        let checked = match key {
            PublicKey::Ed25519(bytes) => {
                UnparsedPublicKey::new(&ED25519, bytes).verify(message, signature)
            }
            PublicKey::P256(bytes) => {
                let point = [&[4], bytes.as_slice()].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            PublicKey::Sm2(_) => return Err(SignatureError::InvalidKey),
        };
        checked.map_err(|_| SignatureError::InvalidSignature)
    }
}

/// The key pair that belongs to a name.
pub(crate) fn pair(name: &str) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&sha256(name.as_bytes()).0).expect("a seed of 32 bytes")
}

/// The public key that belongs to a name: P-256 when it begins with `passkey:`, else Ed25519.
pub(crate) fn public(name: &str) -> PublicKey {
    if name.starts_with("passkey:") {
        return passkey::public(name);
    }
    PublicKey::Ed25519(pair(name).public_key().as_ref().try_into().expect("32 bytes"))
}

pub(crate) const REGION: RegionId = RegionId(620_100);
/// 2026-01-01T00:00:00Z.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);
pub(crate) const HOUR: u64 = 3_600_000;
pub(crate) const DAY: u64 = 24 * HOUR;

pub(crate) fn organisation(code: &str) -> OrganisationId {
    code.parse().expect("an organisation code")
}

pub(crate) fn person(number: u8) -> PersonId {
    PersonId([number; 16])
}

pub(crate) fn fen(minor: u64) -> Amount {
    Amount::from_minor(minor)
}

pub(crate) fn settings() -> RegionSettings {
    RegionSettings {
        utc_offset_minutes: UtcOffset(480),
        desk_payment_max: fen(50_000),
        desk_day_max: fen(100_000),
        pin_failures_max: 3,
        witnessed_cash_max: fen(30_000),
        emergency_contest_days: 30,
        objection_answer_days: 15,
        unlock_delay_hours: 24,
        claim_days_max: 366,
        effect_takeover_hours: 24,
    }
}

/// A ledger with the region Lanzhou, the bureau `bureau`, the identity authority `authority`, the
/// regulator `regulator` and the provider `hospital`. The first three govern.
///
/// An organisation signs with the key named `CODE`; its root key is named `CODE-root`. A person
/// signs with the key named `person:ID` unless others are set in `keys`, several with a `+` between
/// them; a key whose name begins with `passkey:` signs as a passkey on the page `page`.
pub(crate) struct World {
    pub ledger: Ledger,
    pub now: Timestamp,
    pub keys: BTreeMap<Party, &'static str>,
    pub page: passkey::Page,
    pub receipts: Vec<Receipt>,
    counter: u64,
}

const EVERY_SCOPE: [Scope; 8] = [
    Scope::Govern,
    Scope::Settle,
    Scope::Countersign,
    Scope::Clerk,
    Scope::Attest,
    Scope::Publish,
    Scope::Treasury,
    Scope::Execute,
];

impl World {
    pub(crate) fn new() -> Self {
        let kinds = [
            ("bureau", OrganisationKind::Bureau),
            ("authority", OrganisationKind::IdentityAuthority),
            ("regulator", OrganisationKind::Regulator),
        ];
        let organisations = kinds.map(|(code, kind)| GenesisOrganisation {
            organisation: organisation(code),
            kind,
            region: REGION,
            root_key: public(&alloc::format!("{code}-root")),
            keys: vec![GenesisKey {
                key: public(code),
                scopes: EVERY_SCOPE.to_vec(),
                expires: START.plus_millis(700 * DAY),
            }],
        });
        let validator =
            Validator { organisation: organisation("bureau"), key: public("bureau"), power: 1 };
        let genesis = Genesis {
            chain_id: "test".parse().unwrap(),
            time: START,
            salt: sha256(b"salt"),
            secret: sha256(b"secret"),
            rp_id: Text::new("localhost").unwrap(),
            origins: vec![Text::new("http://localhost:8420").unwrap()],
            regions: vec![GenesisRegion {
                region: REGION,
                bureau: organisation("bureau"),
                currency: Currency::CNY,
                settings: settings(),
            }],
            organisations: organisations.to_vec(),
            governing: kinds.map(|(code, _)| organisation(code)).to_vec(),
            validators: ValidatorSet::new(vec![validator]).unwrap(),
        };
        let mut world = Self {
            ledger: genesis.ledger(),
            now: START,
            keys: BTreeMap::new(),
            page: passkey::Page { rp_id: "localhost", origin: "http://localhost:8420" },
            receipts: Vec::new(),
            counter: 0,
        };
        world.admit(
            "hospital",
            OrganisationKind::Provider,
            Some(benefit::HospitalLevel::TertiaryA),
        );
        world
    }

    /// The parties that govern.
    pub(crate) fn governing() -> [Party; 3] {
        ["bureau", "authority", "regulator"].map(|code| Party::Organisation(organisation(code)))
    }

    /// Admits an organisation and authorises its key for everything.
    pub(crate) fn admit(
        &mut self,
        code: &str,
        kind: OrganisationKind,
        level: Option<benefit::HospitalLevel>,
    ) {
        self.admit_in(REGION, code, kind, level);
    }

    /// The same in another region.
    pub(crate) fn admit_in(
        &mut self,
        region: RegionId,
        code: &str,
        kind: OrganisationKind,
        level: Option<benefit::HospitalLevel>,
    ) {
        let id = organisation(code);
        let root_key = public(&alloc::format!("{code}-root"));
        let admit = AdmitOrganisation { organisation: id, kind, region, level, root_key };
        self.accepted(&Self::governing(), &admit);
        let authorise = AuthoriseKey {
            organisation: id,
            key: public(code),
            scopes: EVERY_SCOPE.to_vec(),
            expires: self.now.plus_millis(700 * DAY),
        };
        let root: &'static str =
            alloc::boxed::Box::leak(alloc::format!("{code}-root").into_boxed_str());
        self.keys.insert(Party::Organisation(id), root);
        self.accepted(&[Party::Organisation(id)], &authorise);
        self.keys.remove(&Party::Organisation(id));
    }

    /// Enrols the person of this number at home in [`REGION`], with a device key named `person:ID`
    /// that may pay 100,000 yuan at once and on a day.
    pub(crate) fn enrol(&mut self, number: u8) -> Party {
        let id = person(number);
        let party = Party::Person(id);
        let key = NewKey {
            key: public(&party.to_string()),
            grade: KeyGrade::Device,
            payment_max: fen(10_000_000),
            day_max: fen(10_000_000),
        };
        let new = NewPerson {
            id,
            commitment: sha256(&[number, 1]),
            blind_index: sha256(&[number, 2]),
            keys: vec![key],
        };
        let [bureau, authority, _] = Self::governing();
        self.accepted(&[bureau, authority], &EnrolPerson { region: REGION, person: new });
        party
    }

    /// Covers the person of this number, enrolled before, in a scheme at [`REGION`] from 2026 on,
    /// as an active employee between 30 and 60 until the end of 2027.
    pub(crate) fn cover(&mut self, number: u8, scheme: SchemeId) {
        let first = CivilDate::from_ymd(2026, 1, 1).unwrap();
        let facts = AttestedFacts {
            period: Period { from: first, to: CivilDate::from_ymd(2027, 12, 31) },
            age: benefit::AgeBand::new(30, 60).unwrap(),
            sex: benefit::Sex::Unstated,
            person_classes: benefit::PersonClasses::NONE.with(benefit::PersonClass::Active),
            income_class: benefit::IncomeClass::NONE,
            unbroken_years: 0,
            claim_free_years: 0,
            month_of_75: false,
            family: None,
        };
        let period = Period { from: first, to: None };
        let coverage = CoverageTerms { scheme, period, benefits_from: None, facts };
        let body = EnrolCoverage { person: person(number), region: REGION, coverage };
        self.accepted(&Self::governing()[..1], &body);
    }

    /// Opens the bureau's pooled fund of a scheme, which pays from this day on, with so much in it.
    pub(crate) fn pool(&mut self, scheme: SchemeId, fund: FundId, from: &str, minor: u64) {
        let bureau = &Self::governing()[..1];
        let purpose = benefit::Payer::PooledFund;
        let owner = organisation("bureau");
        let (year, floor) = (None, Amount::ZERO);
        let open = OpenFund { region: REGION, fund, owner, purpose, year, floor };
        self.accepted(bureau, &open);
        let (payer, from) = (purpose, from.parse().unwrap());
        let assign = AssignPayerFund { region: REGION, scheme, payer, from, fund: Some(fund) };
        self.accepted(bureau, &assign);
        let (amount, reference) = (fen(minor), sha256(b"contribution"));
        self.accepted(bureau, &Contribute { region: REGION, fund, amount, reference });
    }

    /// The content of a transaction; the first signer is the author.
    pub(crate) fn content<K: Kind>(&mut self, author: Party, kind: &K) -> Content {
        self.counter += 1;
        let random = sha256(&self.counter.to_le_bytes()).0;
        Content {
            version: TRANSACTION_VERSION,
            chain_id: self.ledger.chain_id(),
            author,
            idempotency_key: IdempotencyKey(random[..16].try_into().unwrap()),
            valid_until: self.now.plus_millis(HOUR),
            kind: K::NUMBER,
            body: codec::encode(kind),
        }
    }

    /// The same content signed by these parties.
    pub(crate) fn sign(&self, content: &Content, signers: &[Party]) -> VerifiedTransaction {
        let id = content.id();
        let authorisations = signers
            .iter()
            .flat_map(|party| {
                let default = match party {
                    Party::Organisation(code) => code.to_string(),
                    Party::Person(_) => party.to_string(),
                };
                let names = self.keys.get(party).map_or(default, |name| (*name).to_string());
                let names: Vec<_> = names.split('+').map(|name| (*party, name.into())).collect();
                names
            })
            .map(|(party, name): (Party, alloc::string::String)| {
                let signature = if name.starts_with("passkey:") {
                    passkey::assertion(&name, &id, &self.page)
                } else {
                    let raw = pair(&name).sign(id.as_bytes());
                    Signature::Ed25519(raw.as_ref().try_into().expect("64 bytes"))
                };
                Authorisation { party, key: public(&name), signature }
            })
            .collect();
        let mut transaction = Transaction { content: content.clone(), authorisations };
        transaction.sort_authorisations();
        transaction
            .verify(&TestVerifier, self.ledger.registry())
            .expect("signatures made for this content are valid")
    }

    /// Executes one transaction as a block of its own, a second later, and checks that the ledger
    /// still sums to zero.
    pub(crate) fn execute(&mut self, transaction: VerifiedTransaction) -> Receipt {
        self.now = self.now.plus_millis(1_000);
        let (_, mut receipts) = execute_block(&mut self.ledger, self.now, &[transaction]);
        let receipt = receipts.pop().expect("one receipt per transaction");
        for event in &receipt.events {
            assert!(crate::modules::event(&event.name).is_some(), "{} is not declared", event.name);
        }
        self.receipts.push(receipt.clone());
        receipt
    }

    /// The transaction is accepted.
    #[track_caller]
    pub(crate) fn accepted<K: Kind>(&mut self, signers: &[Party], kind: &K) -> Receipt {
        let content = self.content(signers[0], kind);
        let transaction = self.sign(&content, signers);
        let receipt = self.execute(transaction);
        if let proof::receipt::OutcomeCode::Rejected(number) = receipt.record.outcome {
            let code = self.ledger.registry().rejection(number).expect("a declared rejection");
            panic!("`{}` was rejected: {}: {}", K::NAME, code.name, receipt.rejection_words());
        }
        receipt
    }

    /// The transaction is rejected with this code and changes no row.
    #[track_caller]
    pub(crate) fn rejected<K: Kind>(&mut self, signers: &[Party], kind: &K, code: Code) -> Receipt {
        let content = self.content(signers[0], kind);
        let transaction = self.sign(&content, signers);
        let before: BTreeMap<Hash, Vec<u8>> = self.rows();
        let receipt = self.execute(transaction);
        let proof::receipt::OutcomeCode::Rejected(number) = receipt.record.outcome else {
            panic!("`{}` was accepted, `{}` was expected", K::NAME, code.name);
        };
        let got = self.ledger.registry().rejection(number).expect("a declared rejection");
        assert_eq!(got.name, code.name, "detail: {:?}", receipt.rejection_detail);
        assert!(before == self.rows(), "a rejected transaction changed a row");
        receipt
    }

    fn rows(&self) -> BTreeMap<Hash, Vec<u8>> {
        self.ledger.state().entries().map(|(key, value)| (key, value.to_vec())).collect()
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, millis: u64) {
        let mut left = millis;
        while left > 0 {
            let step = left.min(DAY);
            self.now = self.now.plus_millis(step);
            execute_block(&mut self.ledger, self.now, &[]);
            left -= step;
        }
    }

    /// Writes rows past every rule: for what a test needs and another module would have written.
    pub(crate) fn write(&mut self, change: impl FnOnce(&mut Overlay<'_>)) {
        let mut state = self.ledger.state().clone();
        let mut overlay = Overlay::new(self.ledger.state());
        change(&mut overlay);
        overlay.keep_transaction();
        let writes = overlay.into_writes();
        state.commit(writes.iter().map(|(key, value)| (key.as_slice(), value.as_deref())));
        self.ledger = Ledger::new(self.ledger.chain_id(), state, self.ledger.tip().clone());
    }

    /// Credits less debits of an account; zero for one that is not open.
    pub(crate) fn balance(&self, account: Account) -> i128 {
        posting::balance(self.ledger.state(), &account)
    }
}
