//! Premiums that personal accounts pay: once, from the right account, within the grant's limits in
//! its month and year, and back to where they came from.

use std::collections::{BTreeMap, BTreeSet};

use ledger::State;
use ledger::kernel::account::Account;
use ledger::kernel::posting::{self, Entry};
use ledger::modules::family::{AidMeter, AidTerms, GrantAid, RevokeAid, view as families};
use ledger::modules::premium::{
    CancelPremium, LockPremium, PayPremiumsFromAccounts, PremiumSource, PremiumStanding,
    ReleasePremium, SeasonId, view as premiums,
};
use primitives::{Amount, CivilDate, Hash, Party, PersonId, Timestamp};
use proof::receipt::FieldValue;

use super::{Executed, Rule, Scope, Violation, require};
use crate::region::{OFFSET, PREMIUMS, REGION};

/// How long a lock lasts, in milliseconds.
const LOCK_MILLIS: u64 = 20 * 60_000;

/// A premium that an account paid.
#[derive(Clone, Copy)]
struct Paid {
    transaction: Hash,
    owner: PersonId,
    source: PremiumSource,
    amount: Amount,
    day: CivilDate,
}

/// A grant as it was given, and everything it paid and got back.
struct Grant {
    payer: PersonId,
    terms: AidTerms,
    is_revoked: bool,
    /// By the day of the payment, what was paid on it less what came back of it.
    paid: BTreeMap<CivilDate, u64>,
}

impl Grant {
    /// What it paid in the days that `is_in` holds for.
    fn sum(&self, is_in: impl Fn(CivilDate) -> bool) -> u64 {
        self.paid.iter().filter(|(day, _)| is_in(**day)).map(|(_, amount)| amount).sum()
    }

    fn month(&self, of: CivilDate) -> u64 {
        self.sum(|day| (day.year(), day.month()) == (of.year(), of.month()))
    }

    fn year(&self, of: CivilDate) -> u64 {
        self.sum(|day| day.year() == of.year())
    }
}

type Record = (SeasonId, PersonId);

/// Everything about premiums that blocks and receipts say.
#[derive(Default)]
pub struct PremiumCheck {
    paid: BTreeMap<Record, Paid>,
    locks: BTreeMap<Record, (Party, Timestamp)>,
    grants: BTreeMap<(PersonId, u32), Grant>,
    touched: BTreeSet<Record>,
}

impl PremiumCheck {
    pub(super) fn accepted(&mut self, executed: &Executed<'_>) -> Result<(), Violation> {
        if let Some(body) = executed.body::<GrantAid>() {
            self.granted(executed, &body)?;
        } else if let Some(body) = executed.body::<RevokeAid>() {
            let own = self.grants.iter_mut();
            let own =
                own.filter(|((member, _), one)| *member == body.member && one.payer == body.payer);
            own.for_each(|(_, one)| one.is_revoked = true);
        } else if let Some(body) = executed.body::<LockPremium>() {
            self.locked(executed, &body)?;
        } else if let Some(body) = executed.body::<ReleasePremium>() {
            self.locks.remove(&(body.season, body.person));
        } else if let Some(body) = executed.body::<PayPremiumsFromAccounts>() {
            self.paid(executed, &body)?;
        } else if let Some(body) = executed.body::<CancelPremium>() {
            self.cancelled(executed, &body)?;
        }
        Ok(())
    }

    fn granted(&mut self, executed: &Executed<'_>, body: &GrantAid) -> Result<(), Violation> {
        let number = executed.receipt.fields.iter().find_map(|field| match field.value {
            FieldValue::Number(number) if &*field.name == "grant" => u32::try_from(number).ok(),
            _ => None,
        });
        let number = number.ok_or_else(|| {
            Violation::new(Rule::PremiumOnce, "a grant was given and its number not said")
        })?;
        let grant = Grant {
            payer: body.payer,
            terms: body.terms.clone(),
            is_revoked: false,
            paid: BTreeMap::new(),
        };
        let before = self.grants.insert((body.member, number), grant);
        require(Rule::PremiumOnce, before.is_none(), || format!("grant {number} was given twice"))
    }

    /// Nobody but its payer gets at a record that is locked.
    fn require_free(
        &self,
        executed: &Executed<'_>,
        of: Record,
        payer: Party,
    ) -> Result<(), Violation> {
        let held = self.locks.get(&of).filter(|(_, until)| executed.time < *until);
        let is_free = held.is_none_or(|(holder, _)| *holder == payer);
        require(Rule::PremiumOnce, is_free, || {
            format!("receipt {} takes a premium that another has locked", executed.index)
        })
    }

    fn locked(&mut self, executed: &Executed<'_>, body: &LockPremium) -> Result<(), Violation> {
        let of = (body.season, body.person);
        self.require_free(executed, of, body.payer)?;
        require(Rule::PremiumOnce, !self.paid.contains_key(&of), || {
            format!("receipt {} locks a premium that is paid", executed.index)
        })?;
        // Whoever has the lock prolongs nothing by asking again.
        let held = self.locks.get(&of).filter(|(_, until)| executed.time < *until);
        let until = held.map_or(executed.time.plus_millis(LOCK_MILLIS), |(_, until)| *until);
        self.locks.insert(of, (body.payer, until));
        Ok(())
    }

    fn paid(
        &mut self,
        executed: &Executed<'_>,
        body: &PayPremiumsFromAccounts,
    ) -> Result<(), Violation> {
        let index = executed.index;
        let mut expected = Vec::new();
        for item in &body.items {
            let of = (body.season, item.person);
            require(Rule::PremiumOnce, !self.paid.contains_key(&of), || {
                format!("receipt {index} pays a premium that is paid")
            })?;
            self.require_free(executed, of, Party::Person(body.payer))?;
            let day = executed.time.day(OFFSET);
            let owner = self.owner(executed, (body.payer, item.person), item.source)?;
            if let PremiumSource::FamilyAccount { grant } = item.source {
                self.require_limits(index, (item.person, grant), (day, item.amount))?;
            }
            expected.extend(way(item.source, owner, item.amount));
            let transaction = executed.content.id();
            let (source, amount) = (item.source, item.amount);
            self.paid.insert(of, Paid { transaction, owner, source, amount, day });
            self.locks.remove(&of);
            self.touched.insert(of);
        }
        require_entries(executed, &expected)
    }

    /// Whose account it is, if it is the payer's to use.
    fn owner(
        &self,
        executed: &Executed<'_>,
        (payer, person): (PersonId, PersonId),
        source: PremiumSource,
    ) -> Result<PersonId, Violation> {
        let index = executed.index;
        let (owner, may) = match source {
            PremiumSource::PersonalAccount => (payer, payer == person),
            PremiumSource::FamilyAccount { grant } => {
                let row = self.grants.get(&(person, grant));
                let owner = row.map(|row| row.payer).ok_or_else(|| {
                    Violation::new(Rule::Refused, format!("receipt {index}: nobody gave {grant}"))
                })?;
                (owner, payer == owner || payer == person)
            }
        };
        require(Rule::Refused, may, || {
            format!("receipt {index}: an account paid that is not its payer's to use")
        })?;
        Ok(owner)
    }

    /// The grant is in force and its limits of bill, month and year hold with this payment.
    fn require_limits(
        &mut self,
        index: u64,
        of: (PersonId, u32),
        (day, amount): (CivilDate, Amount),
    ) -> Result<(), Violation> {
        let Some(grant) = self.grants.get_mut(&of) else { return Ok(()) };
        *grant.paid.entry(day).or_default() += amount.minor();
        let terms = &grant.terms;
        let holds = !grant.is_revoked
            && terms.purpose.is_for_premiums()
            && terms.until.is_none_or(|until| day <= until)
            && amount <= terms.bill_max
            && grant.month(day) <= terms.month_max.minor()
            && grant.year(day) <= terms.year_max.minor();
        require(Rule::PremiumOnce, holds, || {
            format!("receipt {index}: a grant pays more than it offers, or not any more")
        })
    }

    fn cancelled(
        &mut self,
        executed: &Executed<'_>,
        body: &CancelPremium,
    ) -> Result<(), Violation> {
        let of = (body.season, body.person);
        let paid = self.paid.remove(&of).ok_or_else(|| {
            let words = format!("receipt {} gives back what is not paid", executed.index);
            Violation::new(Rule::PremiumOnce, words)
        })?;
        if let PremiumSource::FamilyAccount { grant } = paid.source
            && let Some(grant) = self.grants.get_mut(&(body.person, grant))
            && let Some(on_day) = grant.paid.get_mut(&paid.day)
        {
            *on_day = on_day.saturating_sub(paid.amount.minor());
        }
        self.touched.insert(of);
        let mut expected = way(paid.source, paid.owner, paid.amount);
        expected.reverse();
        for entry in &mut expected {
            (entry.debit, entry.credit) = (entry.credit, entry.debit);
        }
        require_entries(executed, &expected)
    }

    pub(super) fn compare(&mut self, state: &State, scope: Scope) -> Result<(), Violation> {
        let touched = std::mem::take(&mut self.touched);
        match scope {
            Scope::Touched => touched.iter().try_for_each(|of| self.compare_record(state, of))?,
            Scope::All => self.paid.keys().try_for_each(|of| self.compare_record(state, of))?,
        }
        self.grants.iter().try_for_each(|(of, grant)| self.compare_grant(state, *of, grant))?;
        let fund = Account::Fund { region: REGION, fund: PREMIUMS };
        let taken: i128 = self.paid.values().map(|one| i128::from(one.amount.minor())).sum();
        let balance = posting::balance(state, &fund);
        require(Rule::MoneyConserved, balance == taken, || {
            format!("the fund of premiums has {balance}, {taken} were paid and kept")
        })
    }

    fn compare_record(&self, state: &State, of: &Record) -> Result<(), Violation> {
        let standing = premiums::record(state, of.0, of.1).map(|record| record.standing);
        let payment = match standing {
            Some(PremiumStanding::Paid { payment, .. }) => payment,
            _ => None,
        };
        let known = self.paid.get(of).map(|paid| paid.transaction);
        require(Rule::PremiumOnce, payment == known, || {
            format!("a premium stands at {standing:?}, and its receipts say {known:?}")
        })
    }

    /// The meters are what was paid less what came back, in the last month and year of a payment.
    fn compare_grant(
        &self,
        state: &State,
        (member, number): (PersonId, u32),
        grant: &Grant,
    ) -> Result<(), Violation> {
        let row = families::grant(state, member, number);
        let last = grant.paid.keys().next_back();
        let (Some(row), Some(last)) = (row, last) else { return Ok(()) };
        let (month, year) = AidMeter::on(row.meter, *last);
        let own = (grant.month(*last), grant.year(*last));
        require(Rule::PremiumOnce, (month.minor(), year.minor()) == own, || {
            format!("a grant's meters are {month:?} and {year:?}, its receipts say {own:?}")
        })
    }
}

/// The entries by which a premium is paid.
fn way(source: PremiumSource, owner: PersonId, amount: Amount) -> Vec<Entry> {
    let (own, fund) =
        (Account::PersonalAccount(owner), Account::Fund { region: REGION, fund: PREMIUMS });
    let through = Account::FamilyAccounts(REGION);
    let entry = |debit, credit| Entry { debit, credit, amount };
    match source {
        PremiumSource::PersonalAccount => vec![entry(own, fund)],
        PremiumSource::FamilyAccount { .. } => vec![entry(own, through), entry(through, fund)],
    }
}

fn require_entries(executed: &Executed<'_>, expected: &[Entry]) -> Result<(), Violation> {
    let posted: Vec<Entry> = executed.receipt.entries.iter().map(|posted| posted.entry).collect();
    require(Rule::MoneyConserved, posted == expected, || {
        format!("receipt {} posts {posted:?} for premiums, not {expected:?}", executed.index)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use ledger::kernel::posting::PostedEntry;
    use ledger::kernel::registry::Kind;
    use ledger::modules::family::{Agreement, AidPurpose};
    use ledger::modules::person::Actor;
    use ledger::modules::premium::AccountPremium;
    use ledger::{Content, Receipt};
    use primitives::Currency;
    use proof::receipt::Field;

    use super::super::example::{content, executed, receipt};
    use super::*;
    use crate::region::premiums::season;

    const OWNER: PersonId = PersonId([1; 16]);
    const MEMBER: PersonId = PersonId([2; 16]);
    const STRANGER: PersonId = PersonId([3; 16]);
    const FROM_RELATIVE: PremiumSource = PremiumSource::FamilyAccount { grant: 1 };

    fn payment(payer: PersonId, source: PremiumSource) -> PayPremiumsFromAccounts {
        let amount = Amount::from_minor(9_000);
        let item = AccountPremium { person: MEMBER, repair_years: 0, amount, source };
        PayPremiumsFromAccounts { season: season(2026), payer, items: vec![item] }
    }

    fn accepted<K: Kind>(body: &K, key: u8, entries: Vec<Entry>) -> (Content, Receipt) {
        let content = content(body, key);
        let mut receipt = receipt(&content);
        let posted = |entry| PostedEntry { entry, currency: Currency::CNY };
        receipt.entries = entries.into_iter().map(posted).collect();
        (content, receipt)
    }

    fn see(check: &mut PremiumCheck, (content, receipt): &(Content, Receipt)) -> Result<(), Rule> {
        check.accepted(&executed(content, receipt, 2)).map_err(|violation| violation.rule)
    }

    fn paid(payer: PersonId, key: u8) -> (Content, Receipt) {
        let entries = way(FROM_RELATIVE, OWNER, Amount::from_minor(9_000));
        accepted(&payment(payer, FROM_RELATIVE), key, entries)
    }

    /// The owner's account helps the member with one premium a month.
    fn helped() -> PremiumCheck {
        let mut check = PremiumCheck::default();
        let most = Amount::from_minor(9_000);
        let terms = AidTerms {
            relation: 1,
            purpose: AidPurpose::Premiums,
            visit_types: Vec::new(),
            bill_max: most,
            month_max: most,
            year_max: most,
            rank: 0,
            until: None,
        };
        let agreement = Agreement::OwnKey;
        let body = GrantAid { payer: OWNER, member: MEMBER, terms, agreement };
        let (content, mut receipt) = accepted(&body, 1, Vec::new());
        let (name, value) = ("grant".parse().unwrap(), FieldValue::Number(1));
        receipt.fields = vec![Field { name, value }];
        see(&mut check, &(content, receipt)).unwrap();
        check
    }

    fn back(owner: PersonId, key: u8) -> (Content, Receipt) {
        let body = CancelPremium { season: season(2026), person: MEMBER, actor: Actor::OwnKey };
        let mut entries = way(FROM_RELATIVE, owner, Amount::from_minor(9_000));
        entries.reverse();
        for entry in &mut entries {
            (entry.debit, entry.credit) = (entry.credit, entry.debit);
        }
        accepted(&body, key, entries)
    }

    #[test]
    fn a_premium_that_is_paid_twice_is_seen() {
        let mut check = helped();
        assert_eq!(see(&mut check, &paid(MEMBER, 2)), Ok(()));
        assert_eq!(see(&mut check, &paid(OWNER, 3)), Err(Rule::PremiumOnce));
    }

    #[test]
    fn a_premium_goes_back_to_where_it_came_from_and_once() {
        let mut check = helped();
        see(&mut check, &paid(MEMBER, 2)).unwrap();
        assert_eq!(see(&mut check, &back(STRANGER, 3)), Err(Rule::MoneyConserved));
        let mut check = helped();
        see(&mut check, &paid(MEMBER, 2)).unwrap();
        assert_eq!(see(&mut check, &back(OWNER, 3)), Ok(()));
        assert_eq!(see(&mut check, &back(OWNER, 4)), Err(Rule::PremiumOnce));
        // What came back may be paid again: the month has it once.
        assert_eq!(see(&mut check, &paid(MEMBER, 5)), Ok(()));
    }

    #[test]
    fn a_grant_that_pays_more_than_it_offers_or_for_a_stranger_is_seen() {
        let mut check = helped();
        let next = season(2027);
        see(&mut check, &paid(MEMBER, 2)).unwrap();
        let (mut second, entries) =
            (payment(MEMBER, FROM_RELATIVE), way(FROM_RELATIVE, OWNER, Amount::from_minor(9_000)));
        second.season = next;
        let more = accepted(&second, 3, entries);
        assert_eq!(see(&mut check, &more), Err(Rule::PremiumOnce));
        assert_eq!(see(&mut helped(), &paid(STRANGER, 2)), Err(Rule::Refused));
        let own = way(PremiumSource::PersonalAccount, STRANGER, Amount::from_minor(9_000));
        let foreign = accepted(&payment(STRANGER, PremiumSource::PersonalAccount), 2, own);
        assert_eq!(see(&mut helped(), &foreign), Err(Rule::Refused));
    }

    #[test]
    fn a_lock_that_keeps_nobody_out_is_seen() {
        let mut check = helped();
        let lock = LockPremium {
            season: season(2026),
            person: MEMBER,
            payer: Party::Person(STRANGER),
            channel: crate::actor::organisation(crate::region::BUREAU),
        };
        see(&mut check, &accepted(&lock, 2, Vec::new())).unwrap();
        assert_eq!(see(&mut check, &paid(MEMBER, 3)), Err(Rule::PremiumOnce));
    }
}
