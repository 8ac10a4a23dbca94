//! Money paid before a stay is settled.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Party, VisitId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cash::CashLeg;
use super::consent::{Consent, Whose};
use super::money::{Order, order};
use super::table::{DEPOSITS_MAX, Deposit, DepositSource, VISITS, VisitRow};
use super::update_running_bill::is_stay;
use super::{rejection, view};
use crate::kernel::account::{Account, Books};
use crate::kernel::context::Context;
use crate::kernel::effect::EffectAction;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting::{self, Entry};
use crate::kernel::receipt::Outcome;
use crate::kernel::receipt::amount_value;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;
use crate::modules::organisation::{self, Scope};

/// Where a deposit comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[serde(rename_all = "snake_case")]
pub enum DepositFrom {
    /// The personal account.
    PersonalAccount,
    /// A rail.
    Rail(CashLeg),
}

/// Takes a deposit for a stay. It stays the person's until the settlement, which uses it or gives
/// it back.
/// Signed by the provider with scope `clerk`, and by the form of consent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeDeposit {
    /// Which stay.
    pub visit: VisitId,
    /// How much, in minor units of the region's currency.
    pub amount: Amount,
    /// Where it comes from.
    pub from: DepositFrom,
    /// Who agrees, and how.
    pub consent: Consent,
}

impl Kind for TakeDeposit {
    const NUMBER: u16 = 704;
    const NAME: &'static str = "take_deposit";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let open = view::require_open(state, self.visit)?;
        organisation::view::require_signed(context, state, open.subject.provider, Scope::Clerk)
            .map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let mut open = view::require_open(state, self.visit)?;
        let subject = open.subject.clone();
        require(is_stay(subject.visit_type), || rejection::NOT_A_STAY.reject())?;
        require(open.deposits.len() < DEPOSITS_MAX, || rejection::TOO_MANY_DEPOSITS.reject())?;
        let currency = network::view::require_region(state, subject.region)?.currency;
        let concerns = [Party::Organisation(subject.provider), Party::Person(subject.person)];
        let mut outcome = Outcome::event("deposit_taken", concerns)
            .with("amount", amount_value(self.amount, currency));
        let deposit = Account::Deposit(self.visit);
        let who = Whose::of(&subject);
        let source = match &self.from {
            DepositFrom::PersonalAccount => {
                self.consent.require(context, state, who, self.amount, (Amount::ZERO, None))?;
                let debit = Account::PersonalAccount(subject.person);
                let entry = Entry { debit, credit: deposit, amount: self.amount };
                posting::post(state, context.time, currency, &[entry])?;
                DepositSource::PersonalAccount
            }
            DepositFrom::Rail(leg) => {
                let cash = (self.amount, Some(leg));
                self.consent.require(context, state, who, Amount::ZERO, cash)?;
                leg.require_executor(context, state, subject.provider)?;
                let new = Order {
                    visit: self.visit,
                    parties: (&subject).into(),
                    executor: leg.executor,
                    rail: alloc::string::String::from(&*leg.rail),
                    authorisation: leg.authorisation,
                    action: EffectAction::Collect,
                    amount: self.amount,
                    currency,
                    original: None,
                    entry: (Account::Rail(Books::of(leg.executor, subject.region)), deposit),
                };
                DepositSource::Rail(order(context, state, &mut outcome, new)?)
            }
        };
        open.deposits.push(Deposit { amount: self.amount, source });
        VISITS.put(state, &self.visit, &VisitRow::Open(open));
        Ok(outcome)
    }
}
