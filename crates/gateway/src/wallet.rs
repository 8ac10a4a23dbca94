//! What a bureau does by itself for the wallets that its gateway serves: it knows who people are,
//! registers first keys together with the identity authority, and countersigns settlements whose
//! bills it has sorted again.
//!
//! Invariants: nothing is signed here but what this program has computed or checked itself in the
//! same request; a person's own signature is never made here.

use std::collections::BTreeMap;
use std::sync::Arc;

use adapters::directory::{BoundCard, Directory, DirectoryError};
use adapters::identity::IdentityAuthority;
use adapters::notice::NoticePost;
use adapters::notice::push::WebPush;
use adapters::rail::card::{BindCard, BindCardError};
use ledger::modules::person::{self, KeyGrade};
use ledger::modules::visit::CashLeg;
use ledger::{Authorisation, Content};
use primitives::{Amount, OrganisationId, PersonId, RegionId};
use vault::{ReaderKey, ReaderSecret};

use crate::call::Call;
use crate::port::{PortError, Rows};
use crate::problem::{Problem, code};

/// The machine of an organisation, which signs by itself.
pub trait Machine: Send + Sync {
    /// Whose it is.
    fn organisation(&self) -> OrganisationId;

    /// The organisation's signature over a transaction's id.
    ///
    /// # Errors
    /// Where the key is held elsewhere: whoever holds it does not answer, or does not sign this.
    fn authorise(&self, content: &Content) -> Result<Authorisation, Problem>;
}

/// A machine that takes money from bound cards.
pub trait CardExecutor: Machine {
    /// Notes that money for this is to be taken from this card once the ledger orders it; the same
    /// bytes again give the same leg.
    ///
    /// # Errors
    /// When it is not kept.
    fn cash_leg(&self, what: &[u8], card: &BoundCard) -> Result<CashLeg, PortError>;

    /// Binds a card of this bank after a test authorisation; the same request gives the same card.
    ///
    /// # Errors
    /// The bank's refusal, or that no answer came.
    fn bind_card(&self, request: &BindCard) -> Result<BoundCard, BindCardError>;
}

/// What a new key may spend, in minor units of the region's currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyLimits {
    /// By one payment.
    pub payment_max: Amount,
    /// On a day.
    pub day_max: Amount,
}

/// How the bureau tells people of things.
pub struct Notices {
    /// What is told, and by which channel.
    pub post: Arc<NoticePost>,
    /// The channel of browsers, where the operator named push services.
    pub push: Option<Arc<WebPush>>,
}

/// What the bureau of a region does for wallets.
pub struct Wallet {
    /// The region whose people it serves.
    pub region: RegionId,
    /// What the bureau knows of people.
    pub directory: Directory,
    /// Who knows who people are.
    pub authority: Arc<dyn IdentityAuthority>,
    /// Signs for the bureau, with scopes `attest` and `countersign`.
    pub bureau: Arc<dyn Machine>,
    /// Signs for the identity authority, with scope `attest`.
    pub identity: Arc<dyn Machine>,
    /// Those who take money from bound cards, by their organisations.
    pub executors: BTreeMap<OrganisationId, Arc<dyn CardExecutor>>,
    /// For whom an organisation's sealed bills are sealed.
    pub readers: BTreeMap<OrganisationId, ReaderKey>,
    /// Opens what is sealed for the bureau, where its machine holds that key: audits read bills.
    pub bureau_reader: Option<ReaderSecret>,
    /// How people are told of things.
    pub notices: Notices,
    /// What a new passkey may spend.
    pub passkey_limits: KeyLimits,
    /// What a new key of a device without passkeys may spend.
    pub device_limits: KeyLimits,
}

impl Wallet {
    /// Whether somebody is at home in the region that is served here.
    #[must_use]
    pub fn serves(&self, state: &Arc<dyn Rows>, person: PersonId) -> bool {
        person::view::person(state, person).is_some_and(|row| row.region == self.region)
    }

    /// The leg by which money for this comes from a person's bound card, and who takes it.
    ///
    /// # Errors
    /// `no_bound_card`; when it is not kept.
    pub fn card_leg(
        &self,
        person: PersonId,
        what: &[u8],
    ) -> Result<(&dyn CardExecutor, CashLeg), Problem> {
        let none = || Problem::new(&code::NO_BOUND_CARD);
        let card = self.directory.card(person)?.ok_or_else(none)?;
        let executor = self.executors.get(&card.executor).ok_or_else(none)?;
        Ok((&**executor, executor.cash_leg(what, &card)?))
    }

    /// What a new key of this grade may spend.
    #[must_use]
    pub const fn limits(&self, grade: KeyGrade) -> KeyLimits {
        match grade {
            KeyGrade::Passkey => self.passkey_limits,
            KeyGrade::Device => self.device_limits,
        }
    }
}

impl Call {
    /// The wallet services.
    ///
    /// # Errors
    /// `no_wallet_here` when this gateway serves none.
    pub fn wallet(&self) -> Result<Arc<Wallet>, Problem> {
        self.gateway.port.wallet().ok_or_else(|| Problem::new(&code::NO_WALLET))
    }
}

impl From<DirectoryError> for Problem {
    fn from(error: DirectoryError) -> Self {
        tracing::error!(%error, "the directory failed");
        Self::new(&code::INTERNAL)
    }
}
