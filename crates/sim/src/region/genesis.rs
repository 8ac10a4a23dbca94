//! What the simulated ledger starts with.

use ledger::Genesis;
use ledger::genesis::{GenesisKey, GenesisOrganisation, GenesisRegion};
use ledger::modules::network::RegionSettings;
use ledger::modules::organisation::{OrganisationKind, Scope};
use primitives::{Amount, Currency, Party, RegionId, Text, sha256};
use proof::header::{Validator, ValidatorSet};

use super::{DAY_MILLIS, NEIGHBOUR, OFFSET, REGION, Region, START};
use crate::actor::{Actor, SharedActor, organisation};

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

/// After how many hours an unanswered cash leg may be taken over.
pub const TAKEOVER_HOURS: u16 = 72;

/// The most cash over a counter to which organisations alone agree.
pub const WITNESSED_CASH_MAX: Amount = Amount::from_minor(30_000);

/// The key that certifies blocks.
#[must_use]
pub fn block_key() -> Actor {
    Actor::new(Party::Organisation(organisation(super::BUREAU)), "blocks")
}

impl Region {
    /// The genesis, just before the first block.
    ///
    /// # Panics
    /// When a literal of this crate is malformed.
    #[must_use]
    pub fn genesis(&self) -> Genesis {
        let organisations = [
            (&self.bureau, OrganisationKind::Bureau, REGION),
            (&self.neighbour, OrganisationKind::Bureau, NEIGHBOUR),
            (&self.finance, OrganisationKind::FinanceAuthority, REGION),
            (&self.identity, OrganisationKind::IdentityAuthority, REGION),
            (&self.bank, OrganisationKind::Bank, REGION),
        ];
        let regions = [REGION, NEIGHBOUR].map(|region| GenesisRegion {
            region,
            bureau: super::bureau_code(region),
            currency: Currency::CNY,
            settings: settings(),
        });
        let validator = Validator {
            organisation: organisation(super::BUREAU),
            key: block_key().public_key(),
            power: 1,
        };
        let mut governing = vec![organisation(super::BUREAU), organisation("finance")];
        governing.sort();
        Genesis {
            chain_id: self.chain_id,
            time: START,
            salt: sha256(b"the salt of the simulated region"),
            secret: sha256(b"the secret of the simulated region"),
            rp_id: Text::new("localhost").expect("a short text"),
            origins: vec![Text::new("http://localhost:8420").expect("a short text")],
            regions: regions.into(),
            organisations: organisations
                .map(|(actor, kind, region)| self.founder(actor, kind, region))
                .to_vec(),
            governing,
            validators: ValidatorSet::new(vec![validator]).expect("one validator with power"),
        }
    }

    fn founder(
        &self,
        actor: &SharedActor,
        kind: OrganisationKind,
        region: RegionId,
    ) -> GenesisOrganisation {
        let Party::Organisation(code) = actor.party else {
            unreachable!("founders are organisations")
        };
        let keys = [actor, &self.reviewer, &self.neighbour_reviewer];
        let keys = keys.into_iter().filter(|one| one.party == actor.party);
        let expires = START.plus_millis(700 * DAY_MILLIS);
        let keys = keys.map(|one| GenesisKey {
            key: one.public_key(),
            scopes: EVERY_SCOPE.to_vec(),
            expires,
        });
        GenesisOrganisation {
            organisation: code,
            kind,
            region,
            root_key: Actor::new(actor.party, "root").public_key(),
            keys: keys.collect(),
        }
    }
}

fn settings() -> RegionSettings {
    RegionSettings {
        utc_offset_minutes: OFFSET,
        desk_payment_max: Amount::from_minor(50_000),
        desk_day_max: Amount::from_minor(100_000),
        pin_failures_max: 3,
        witnessed_cash_max: WITNESSED_CASH_MAX,
        emergency_contest_days: 30,
        objection_answer_days: 15,
        unlock_delay_hours: 2,
        claim_days_max: 366,
        effect_takeover_hours: TAKEOVER_HOURS,
    }
}
