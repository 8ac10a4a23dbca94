//! A ledger of three governing organisations and an insurer, with keys that everybody can compute.

use ledger::Genesis;
use ledger::genesis::{GenesisKey, GenesisOrganisation, GenesisRegion};
use ledger::modules::network::RegionSettings;
use ledger::modules::organisation::{OrganisationKind, Scope};
use node::signature::{Scheme, SecretKey};
use primitives::{Amount, Currency, OrganisationId, RegionId, Text, Timestamp, UtcOffset, sha256};
use proof::header::{Validator, ValidatorSet};

/// The name of the ledger.
pub const CHAIN: &str = "vectors";
/// The name of its receipt log.
pub const ORIGIN: &str = "yibao.example/vectors";
/// The region.
pub const REGION: RegionId = RegionId(620_100);
/// 2026-01-01T00:00:00Z.
pub const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// The Ed25519 key that belongs to a name.
pub fn key(name: &str) -> SecretKey {
    SecretKey::from_seed(Scheme::Ed25519, &sha256(name.as_bytes()).0)
}

/// The organisation of this code.
pub fn organisation(code: &str) -> OrganisationId {
    code.parse().expect("a short code")
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
    // Far enough that the machine's own clock does not overtake it.
    let expires = START.plus_millis(100 * 365 * 24 * 3_600_000);
    GenesisOrganisation {
        organisation: organisation(code),
        kind,
        region: REGION,
        root_key: key(&format!("{code}-root")).public_key(),
        keys: vec![GenesisKey { key: key(code).public_key(), scopes: scopes.to_vec(), expires }],
    }
}

/// What the ledger starts with.
pub fn genesis() -> Genesis {
    let validator = Validator {
        organisation: organisation("bureau"),
        key: key("bureau-blocks").public_key(),
        power: 1,
    };
    Genesis {
        chain_id: CHAIN.parse().expect("a short name"),
        time: START,
        salt: sha256(b"salt"),
        secret: sha256(b"secret"),
        rp_id: Text::new("localhost").expect("a short name"),
        origins: vec![Text::new("http://localhost:8420").expect("a short name")],
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
        organisations: vec![
            member("bureau", OrganisationKind::Bureau),
            member("authority", OrganisationKind::IdentityAuthority),
            member("regulator", OrganisationKind::Regulator),
            member("insurer", OrganisationKind::Insurer),
        ],
        governing: ["bureau", "authority", "regulator"].map(organisation).to_vec(),
        validators: ValidatorSet::new(vec![validator]).expect("one validator with power"),
    }
}
