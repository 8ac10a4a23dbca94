//! A small ledger for tests: a bureau, an authority, a regulator and eight insurers with funds.

use std::path::PathBuf;
use std::sync::Arc;

use adapters::clock::ManualClock;
use ledger::genesis::{GenesisKey, GenesisOrganisation, GenesisRegion};
use ledger::kernel::registry::Kind;
use ledger::kernel::transaction::TRANSACTION_VERSION;
use ledger::modules::fund::{Contribute, OpenFund};
use ledger::modules::network::RegionSettings;
use ledger::modules::organisation::{OrganisationKind, Scope};
use ledger::{Authorisation, Content, Genesis, IdempotencyKey, Transaction};
use node::receipt_log::LogSigner;
use node::runtime::{BlockSigner, NodeConfig, OpenError, OpenReport, SnapshotPace, Threads};
use node::signature::{Scheme, SecretKey};
use node::store::{Disk, LogLimits};
use node::{MempoolLimits, Node, NodeHandle};
use primitives::{
    Amount, Currency, FundId, Hash, OrganisationId, Party, RegionId, Text, Timestamp, UtcOffset,
    codec, sha256,
};
use proof::header::{Validator, ValidatorSet};
use tempfile::TempDir;

pub const REGION: RegionId = RegionId(620_100);
/// 2026-01-01T00:00:00Z.
pub const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);
pub const HOUR: u64 = 3_600_000;
pub const DAY: u64 = 24 * HOUR;
pub const INSURERS: u16 = 8;
pub const ORIGIN: &str = "yibao.example/test";

pub fn key(name: &str) -> SecretKey {
    SecretKey::from_seed(Scheme::Ed25519, &sha256(name.as_bytes()).0)
}

pub fn organisation(code: &str) -> OrganisationId {
    code.parse().unwrap()
}

pub fn insurer(number: u16) -> String {
    format!("insurer-{number}")
}

pub fn party(code: &str) -> Party {
    Party::Organisation(organisation(code))
}

fn member(code: &str, kind: OrganisationKind) -> GenesisOrganisation {
    let scopes = [
        Scope::Govern,
        Scope::Settle,
        Scope::Countersign,
        Scope::Clerk,
        Scope::Attest,
        Scope::Publish,
        Scope::Treasury,
        Scope::Execute,
    ];
    GenesisOrganisation {
        organisation: organisation(code),
        kind,
        region: REGION,
        root_key: key(&format!("{code}-root")).public_key(),
        keys: vec![GenesisKey {
            key: key(code).public_key(),
            scopes: scopes.to_vec(),
            expires: START.plus_millis(700 * DAY),
        }],
    }
}

pub fn genesis() -> Genesis {
    let mut organisations = vec![
        member("bureau", OrganisationKind::Bureau),
        member("authority", OrganisationKind::IdentityAuthority),
        member("regulator", OrganisationKind::Regulator),
    ];
    let insurers = (1..=INSURERS).map(|number| member(&insurer(number), OrganisationKind::Insurer));
    organisations.extend(insurers);
    let validator = Validator {
        organisation: organisation("bureau"),
        key: key("bureau-blocks").public_key(),
        power: 1,
    };
    Genesis {
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
            settings: RegionSettings {
                utc_offset_minutes: UtcOffset(480),
                desk_payment_max: Amount::from_minor(50_000),
                desk_day_max: Amount::from_minor(100_000),
                pin_failures_max: 3,
                witnessed_cash_max: Amount::from_minor(30_000),
                emergency_contest_days: 30,
                objection_answer_days: 15,
                unlock_delay_hours: 24,
                claim_days_max: 365,
                effect_takeover_hours: 24,
            },
        }],
        organisations,
        governing: ["bureau", "authority", "regulator"].map(organisation).to_vec(),
        validators: ValidatorSet::new(vec![validator]).unwrap(),
    }
}

/// Where a node of a test lives, and its time.
pub struct Place {
    pub folder: TempDir,
    pub clock: Arc<ManualClock>,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, clock: Arc::new(ManualClock::at(START.plus_millis(1_000))) }
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn history(&self) -> PathBuf {
        self.folder.path().join("history.sqlite")
    }

    pub fn config(&self, threads: Threads) -> NodeConfig {
        NodeConfig {
            signer: BlockSigner::new(organisation("bureau"), key("bureau-blocks")),
            log_signer: LogSigner::new(ORIGIN, key("log")).unwrap(),
            clock: self.clock.clone(),
            history: self.history(),
            randomness: [7; 32],
            mempool: MempoolLimits::default(),
            log: LogLimits { segment_bytes: 64 << 10, zeros_bytes: 16 << 10 },
            snapshots: SnapshotPace { blocks: u64::MAX, bytes: u64::MAX, at_stop: false },
            blocks_kept: None,
            is_newest_copy: false,
            protocol: ledger::kernel::block::PROTOCOL,
            threads,
        }
    }

    /// A node with threads of its own, in the folder.
    pub fn open(&self) -> (NodeHandle, OpenReport) {
        self.try_open(self.config(Threads::Own { checking: 2 })).unwrap()
    }

    /// A node that the test drives, in the folder.
    pub fn driven(&self) -> NodeHandle {
        self.try_open(self.config(Threads::Caller)).unwrap().0
    }

    pub fn try_open(&self, config: NodeConfig) -> Result<(NodeHandle, OpenReport), OpenError> {
        let disk = node::store::Folder::open(self.data()).unwrap();
        Node::open(disk, &genesis(), config)
    }

    /// A node that the test drives, on this disk.
    pub fn open_on(&self, disk: impl Disk) -> Result<(NodeHandle, OpenReport), OpenError> {
        Node::open(disk, &genesis(), self.config(Threads::Caller))
    }
}

/// The content of a transaction by an organisation, its key drawn from `number`.
pub fn content<K: Kind>(author: &str, number: u64, now: Timestamp, kind: &K) -> Content {
    let random = sha256(&codec::encode(&(author, number))).0;
    Content {
        version: TRANSACTION_VERSION,
        chain_id: "test".parse().unwrap(),
        author: party(author),
        idempotency_key: IdempotencyKey(random[..16].try_into().unwrap()),
        valid_until: now.plus_millis(HOUR),
        kind: K::NUMBER,
        body: codec::encode(kind),
    }
}

pub fn sign(content: Content, signers: &[&str]) -> Transaction {
    let id = content.id();
    let authorisations = signers.iter().map(|code| {
        let key = key(code);
        Authorisation { party: party(code), key: key.public_key(), signature: key.sign(&id) }
    });
    let mut transaction = Transaction { authorisations: authorisations.collect(), content };
    transaction.sort_authorisations();
    transaction
}

/// Opens the fund of this insurer.
pub fn open_fund(number: u16, now: Timestamp) -> Transaction {
    let owner = insurer(number);
    let kind = OpenFund {
        region: REGION,
        fund: FundId(number),
        owner: organisation(&owner),
        purpose: benefit::Payer::CommercialSupplement,
        year: None,
        floor: Amount::ZERO,
    };
    sign(content(&owner, 0, now, &kind), &[&owner])
}

/// Pays `amount` into the fund of this insurer, for the `nth` time.
pub fn contribute(number: u16, nth: u64, amount: u64, now: Timestamp) -> Transaction {
    let owner = insurer(number);
    let reference = sha256(&codec::encode(&("payment", number, nth)));
    let amount = Amount::from_minor(amount);
    let kind = Contribute { region: REGION, fund: FundId(number), amount, reference };
    sign(content(&owner, nth, now, &kind), &[&owner])
}

pub fn id_of(transaction: &Transaction) -> Hash {
    transaction.content.id()
}

/// The fund's balance in the node's view.
pub fn balance(node: &NodeHandle, number: u16) -> i128 {
    let account = ledger::kernel::account::Account::Fund { region: REGION, fund: FundId(number) };
    let view = node.view();
    ledger::kernel::posting::balance(&view.state, &account)
}
