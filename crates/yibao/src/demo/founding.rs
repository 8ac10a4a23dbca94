//! What the demonstration's network starts with: its organisations, their keys, and genesis.

use std::collections::BTreeMap;

use ledger::Genesis;
use ledger::genesis::{GenesisKey, GenesisOrganisation, GenesisRegion};
use ledger::modules::network::RegionSettings;
use ledger::modules::organisation::{OrganisationKind, Scope};
use node::signature::{Scheme, SecretKey};
use primitives::{
    Amount, Currency, Hash, OrganisationId, Party, RegionId, Text, Timestamp, UtcOffset,
    sha256_parts,
};
use proof::header::{ChainId, Validator, ValidatorSet};

use super::actor::Actor;
use super::{population, synthea};

/// The rpId of passkeys in the demonstration.
pub const RP_ID: &str = "localhost";

/// The page on which passkeys sign: this machine's, on the port that the demonstration serves.
#[must_use]
pub fn origin(port: u16) -> String {
    format!("http://localhost:{port}")
}

/// How often a PIN may be wrong before the card pays no more.
pub const PIN_FAILURES_MAX: u8 = 3;

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

const YEAR_MILLIS: u64 = 365 * 24 * 3_600 * 1_000;

/// The purpose of the key of a bureau's desk. A machine holds the key that countersigns; whoever
/// sees a card, a PIN or an identity card signs with this one, so that the machine attests none of
/// them.
pub const CLERK: &str = "clerk";
/// What a bureau's daily key may do: everything but the desk's.
const MACHINE_SCOPES: [Scope; 7] = [
    Scope::Govern,
    Scope::Settle,
    Scope::Countersign,
    Scope::Attest,
    Scope::Publish,
    Scope::Treasury,
    Scope::Execute,
];

/// The organisations that are there from the start.
pub struct Founders {
    /// The bureau of the Chinese region.
    pub bureau: Actor,
    /// A second key of the bureau: plans are drafted, reviewed and approved by different people.
    pub reviewer: Actor,
    /// The finance authority, which approves plans and governs with the bureau.
    pub finance: Actor,
    /// The tax authority, which collects premiums.
    pub tax: Actor,
    /// The identity authority.
    pub identity: Actor,
    /// The bank.
    pub bank: Actor,
    /// The insurer of the American sample, bureau of its region.
    pub insurer: Actor,
    /// A second key of that insurer.
    pub insurer_reviewer: Actor,
    /// The keys of the bureaus' desks.
    clerks: [Actor; 2],
    roots: BTreeMap<OrganisationId, Actor>,
}

/// The code of an organisation, known to be well-formed.
#[must_use]
pub fn code(text: &str) -> OrganisationId {
    text.parse().expect("a short code of the source")
}

/// The organisations that are there from the start, by their codes.
pub const FOUNDERS: [&str; 6] = ["bureau", "finance", "tax", "identity", "bank", "insurer"];
/// What people call them.
pub const NAMES: [(&str, &str); 6] = [
    ("bureau", "示例市医疗保障事务中心"),
    ("finance", "示例市财政局"),
    ("tax", "国家税务总局示例市税务局"),
    ("identity", "示例身份认证中心"),
    ("bank", "示例银行"),
    ("insurer", "Example Health Insurance"),
];
/// Those of them that are bureaus, and have further keys.
pub const REVIEWED: [&str; 2] = ["bureau", "insurer"];

/// The purpose of the key with which an organisation does its daily work.
pub const ONLINE: &str = "online";
/// The purpose of the key that admits and revokes an organisation's other keys.
pub const ROOT: &str = "root";
/// The purpose of a second key: plans are drafted and reviewed by different people.
pub const REVIEWER: &str = "reviewer";

/// The secret of an organisation's key for a purpose, as [`Actor::from_seed`] makes it.
#[must_use]
pub fn secret(seed: &Hash, text: &str, purpose: &str) -> SecretKey {
    let party = Party::Organisation(code(text));
    SecretKey::from_seed(Scheme::Ed25519, &super::actor::seed_of(party, seed, purpose))
}

fn organisation(seed: &Hash, text: &str, purpose: &str) -> Actor {
    Actor::from_seed(Party::Organisation(code(text)), Scheme::Ed25519, seed, purpose)
}

impl Founders {
    /// The founders with keys from this seed.
    #[must_use]
    pub fn new(seed: &Hash) -> Self {
        let roots = FOUNDERS.map(|text| (code(text), organisation(seed, text, ROOT)));
        Self {
            bureau: organisation(seed, "bureau", ONLINE),
            reviewer: organisation(seed, "bureau", REVIEWER),
            finance: organisation(seed, "finance", ONLINE),
            tax: organisation(seed, "tax", ONLINE),
            identity: organisation(seed, "identity", ONLINE),
            bank: organisation(seed, "bank", ONLINE),
            insurer: organisation(seed, "insurer", ONLINE),
            insurer_reviewer: organisation(seed, "insurer", REVIEWER),
            clerks: REVIEWED.map(|text| organisation(seed, text, CLERK)),
            roots: roots.into(),
        }
    }

    /// Those who govern, with the keys that may.
    #[must_use]
    pub fn governing(&self) -> [&Actor; 3] {
        [&self.bureau, &self.finance, &self.insurer]
    }

    /// The genesis of the demonstration, just before its first block.
    #[must_use]
    pub fn genesis(
        &self,
        chain_id: ChainId,
        seed: &Hash,
        (time, origin): (Timestamp, &str),
    ) -> Genesis {
        let kinds = [
            (&self.bureau, OrganisationKind::Bureau, population::REGION),
            (&self.finance, OrganisationKind::FinanceAuthority, population::REGION),
            (&self.tax, OrganisationKind::TaxAuthority, population::REGION),
            (&self.identity, OrganisationKind::IdentityAuthority, population::REGION),
            (&self.bank, OrganisationKind::Bank, population::REGION),
            (&self.insurer, OrganisationKind::Bureau, synthea::REGION),
        ];
        let expires = time.plus_millis(YEAR_MILLIS);
        let organisations =
            kinds.map(|(actor, kind, region)| self.founder(actor, kind, region, expires));
        let validator = Validator { organisation: code("bureau"), key: self.bureau.key, power: 1 };
        Genesis {
            chain_id,
            time,
            salt: sha256_parts(&[b"yibao/demo-salt/v1", &seed.0]),
            secret: sha256_parts(&[b"yibao/demo-secret/v1", &seed.0]),
            rp_id: text(RP_ID),
            origins: vec![text(origin)],
            regions: vec![
                region(population::REGION, "bureau", Currency::CNY, UtcOffset(480), 3_650),
                region(synthea::REGION, "insurer", Currency::USD, UtcOffset(-300), 40_000),
            ],
            organisations: organisations.to_vec(),
            governing: vec![code("bureau"), code("finance"), code("insurer")],
            validators: ValidatorSet::new(vec![validator]).expect("one validator with power"),
        }
    }

    fn founder(
        &self,
        actor: &Actor,
        kind: OrganisationKind,
        region: RegionId,
        expires: Timestamp,
    ) -> GenesisOrganisation {
        let Party::Organisation(organisation) = actor.party else {
            unreachable!("founders are organisations")
        };
        let [first_clerk, second_clerk] = &self.clerks;
        let more: [(&Actor, &[Scope]); 4] = [
            (&self.reviewer, &[Scope::Publish]),
            (&self.insurer_reviewer, &[Scope::Publish]),
            (first_clerk, &[Scope::Clerk]),
            (second_clerk, &[Scope::Clerk]),
        ];
        let more = more.into_iter().filter(|(one, _)| one.party == actor.party);
        let daily: &[Scope] =
            if kind == OrganisationKind::Bureau { &MACHINE_SCOPES } else { &EVERY_SCOPE };
        let keys = [(actor, daily)].into_iter().chain(more).map(|(signer, scopes)| GenesisKey {
            key: signer.key,
            scopes: scopes.to_vec(),
            expires,
        });
        GenesisOrganisation {
            organisation,
            kind,
            region,
            root_key: self.roots[&organisation].key,
            keys: keys.collect(),
        }
    }
}

fn text<const MAX: usize>(words: &str) -> Text<MAX> {
    Text::new(words).expect("a short text of the source")
}

fn region(
    region: RegionId,
    bureau: &str,
    currency: Currency,
    utc_offset_minutes: UtcOffset,
    claim_days_max: u16,
) -> GenesisRegion {
    GenesisRegion {
        region,
        bureau: code(bureau),
        currency,
        settings: RegionSettings {
            utc_offset_minutes,
            desk_payment_max: Amount::from_minor(5_000_000),
            desk_day_max: Amount::from_minor(10_000_000),
            pin_failures_max: PIN_FAILURES_MAX,
            witnessed_cash_max: Amount::from_minor(100_000),
            emergency_contest_days: 30,
            objection_answer_days: 15,
            unlock_delay_hours: 24,
            claim_days_max,
            effect_takeover_hours: 72,
        },
    }
}
