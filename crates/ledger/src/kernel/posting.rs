//! Double entry: every entry moves one amount from one account to another, so the sum is always
//! zero.
//!
//! Two-phase amounts: [`hold`] sets an amount aside on a floored account or notes a claim that
//! waits for the outside world; [`post_hold`] moves it (wholly or partly), [`void_hold`] lets it
//! go. A hold that has expired can be voided but not posted.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Currency, Hash, OrganisationId, RegionId, Timestamp, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::account::{Account, AccountRow, Floor, HOLDS_PER_ACCOUNT_MAX, HeldAmount};
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::rejection::{Rejection, kernel as code, require};
use crate::kernel::table::Table;
use crate::readers::{Readers, readers_of_account};

const ACCOUNTS: Table<Account, AccountRow> = Table::new(0x0001);
const HOLDS: Table<Hash, Hold> = Table::new(0x0002);
/// The regions in which an organisation has books, sorted: at most one entry per region of the
/// ledger. Whoever asks for an organisation's balances needs it, since nothing enumerates accounts.
const REGIONS: Table<OrganisationId, Vec<RegionId>> = Table::new(0x0007);

/// One amount from one account to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// The account that gives.
    pub debit: Account,
    /// The account that gets.
    pub credit: Account,
    /// How much, in minor units; more than zero.
    pub amount: Amount,
}

/// An entry as it stands in a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
pub struct PostedEntry {
    /// What moved.
    #[serde(flatten)]
    pub entry: Entry,
    /// In which currency.
    pub currency: Currency,
}

/// A two-phase amount that waits. Its row goes away when it is posted or let go, and when it has
/// expired at the next hold on the same account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Hold {
    /// What would move.
    pub entry: Entry,
    /// In which currency.
    pub currency: Currency,
    /// From this instant of block time on it can only be voided.
    pub expires: Timestamp,
}

/// The row of an account, if it is open.
pub fn account(state: &(impl Read + ?Sized), account: &Account) -> Option<AccountRow> {
    ACCOUNTS.get(state, account)
}

/// Credits less debits of an account in minor units; zero where nothing was ever posted.
pub fn balance(state: &(impl Read + ?Sized), account: &Account) -> i128 {
    ACCOUNTS.get(state, account).map_or(0, |row| row.balance())
}

/// The bytes under which an account's row is kept; for state proofs.
#[must_use]
pub fn account_key(account: &Account) -> Vec<u8> {
    ACCOUNTS.key_bytes(account)
}

/// Who may read a row of this module besides those who see everything.
pub(crate) fn readers(key: &[u8]) -> Option<Readers> {
    let account = ACCOUNTS.key_of(key).map(|account| readers_of_account(&account));
    account.or_else(|| REGIONS.key_of(key).map(|own| Readers::Organisations(alloc::vec![own])))
}

/// The regions in which money has touched an organisation's books, sorted.
pub fn regions_of(state: &(impl Read + ?Sized), organisation: OrganisationId) -> Vec<RegionId> {
    REGIONS.get(state, &organisation).unwrap_or_default()
}

/// A two-phase amount that waits, by its id.
pub fn held(state: &(impl Read + ?Sized), id: &Hash) -> Option<Hold> {
    HOLDS.get(state, id)
}

/// Opens an account.
///
/// # Errors
/// `account_exists`.
pub fn open_account(
    state: &mut Overlay<'_>,
    account: Account,
    currency: Currency,
    floor: Floor,
) -> Result<(), Rejection> {
    require(!ACCOUNTS.has(state, &account), || code::ACCOUNT_EXISTS.reject())?;
    ACCOUNTS.put(state, &account, &AccountRow::open(currency, floor));
    Ok(())
}

/// Sets how far an account may fall. A floor above the present balance only stops further debits.
///
/// # Errors
/// `unknown_account`.
pub fn set_floor(state: &mut Overlay<'_>, account: Account, floor: Floor) -> Result<(), Rejection> {
    let mut row = ACCOUNTS.get(state, &account).ok_or_else(|| code::UNKNOWN_ACCOUNT.reject())?;
    row.floor = floor;
    ACCOUNTS.put(state, &account, &row);
    Ok(())
}

/// Accounts of the world outside, of claims and of what is under way open by themselves when money
/// first touches them. Accounts that belong to somebody are opened by their module.
fn row_or_open(
    state: &Overlay<'_>,
    account: &Account,
    currency: Currency,
) -> Result<AccountRow, Rejection> {
    let row = match ACCOUNTS.get(state, account) {
        Some(row) => row,
        None => match account {
            Account::Outside(_)
            | Account::ProviderDue(_)
            | Account::ProviderCash(_)
            | Account::OwedToPatients(_)
            | Account::Rail(_)
            | Account::Receivable(_)
            | Account::OwedToFund { .. }
            | Account::ExpectedByFund { .. }
            | Account::FamilyAccounts(_)
            | Account::OwedToRegion(_)
            | Account::AdvancedForRegion(_) => AccountRow::open(currency, Floor::None),
            Account::Deposit(_)
            | Account::DisputedWithRegion(_)
            | Account::ProviderPayable(_)
            | Account::ProviderInPayment(_)
            | Account::ProviderHeldBack(_) => {
                AccountRow::open(currency, Floor::AtLeast(Amount::ZERO))
            }
            Account::Fund { .. } | Account::PersonalAccount(_) => {
                return Err(code::UNKNOWN_ACCOUNT.reject());
            }
        },
    };
    require(row.currency == currency, || {
        code::CURRENCY_MISMATCH
            .with(detail!("the account keeps `{currency}`", currency = row.currency))
    })?;
    Ok(row)
}

/// Posts the entries, all or none: the caller discards the transaction on a rejection.
///
/// # Errors
/// `insufficient_balance`, `currency_mismatch`, `unknown_account`, `amount_overflow`,
/// `nothing_to_move`, `same_account`.
pub fn post(
    state: &mut Overlay<'_>,
    now: Timestamp,
    currency: Currency,
    entries: &[Entry],
) -> Result<(), Rejection> {
    for entry in entries {
        move_amount(state, now, currency, entry)?;
    }
    Ok(())
}

fn move_amount(
    state: &mut Overlay<'_>,
    now: Timestamp,
    currency: Currency,
    entry: &Entry,
) -> Result<(), Rejection> {
    require(!entry.amount.is_zero(), || code::NOTHING_TO_MOVE.reject())?;
    require(entry.debit != entry.credit, || code::SAME_ACCOUNT.reject())?;
    let mut debit = row_or_open(state, &entry.debit, currency)?;
    let mut credit = row_or_open(state, &entry.credit, currency)?;
    note_books(state, &entry.debit, &debit);
    note_books(state, &entry.credit, &credit);
    let amount = entry.amount.minor();
    require(debit.available_at(now) >= entry.amount, || code::INSUFFICIENT_BALANCE.reject())?;
    debit.debits =
        debit.debits.checked_add(amount).ok_or_else(|| code::AMOUNT_OVERFLOW.reject())?;
    credit.credits =
        credit.credits.checked_add(amount).ok_or_else(|| code::AMOUNT_OVERFLOW.reject())?;
    ACCOUNTS.put(state, &entry.debit, &debit);
    ACCOUNTS.put(state, &entry.credit, &credit);
    state.note_entry(PostedEntry { entry: *entry, currency });
    Ok(())
}

/// Notes the region of an account that money touches for the first time.
fn note_books(state: &mut Overlay<'_>, account: &Account, row: &AccountRow) {
    let Some(books) = account.books().filter(|_| row.debits == 0 && row.credits == 0) else {
        return;
    };
    let mut regions = regions_of(state, books.organisation);
    if let Err(at) = regions.binary_search(&books.region) {
        regions.insert(at, books.region);
        REGIONS.put(state, &books.organisation, &regions);
    }
}

/// Sets an amount aside until it is posted, voided or expired.
///
/// # Errors
/// As [`post`], and `hold_exists`, `too_many_holds`.
pub fn hold(
    state: &mut Overlay<'_>,
    now: Timestamp,
    id: Hash,
    currency: Currency,
    entry: Entry,
    expires: Timestamp,
) -> Result<(), Rejection> {
    require(!entry.amount.is_zero(), || code::NOTHING_TO_MOVE.reject())?;
    require(entry.debit != entry.credit, || code::SAME_ACCOUNT.reject())?;
    require(!HOLDS.has(state, &id), || code::HOLD_EXISTS.reject())?;
    let mut debit = row_or_open(state, &entry.debit, currency)?;
    row_or_open(state, &entry.credit, currency)?;
    if debit.floor != Floor::None {
        require(debit.available_at(now) >= entry.amount, || code::INSUFFICIENT_BALANCE.reject())?;
        let (waiting, expired) = debit.held.into_iter().partition(|held| now < held.expires);
        debit.held = waiting;
        forget(state, expired);
        require(debit.held.len() < HOLDS_PER_ACCOUNT_MAX, || code::TOO_MANY_HOLDS.reject())?;
        debit.held.push(HeldAmount { hold: id, amount: entry.amount, expires });
        ACCOUNTS.put(state, &entry.debit, &debit);
    }
    HOLDS.put(state, &id, &Hold { entry, currency, expires });
    Ok(())
}

/// Takes away the rows of holds that have expired: at most as many as an account carries.
fn forget(state: &mut Overlay<'_>, expired: Vec<HeldAmount>) {
    for held in expired {
        HOLDS.remove(state, &held.hold);
    }
}

fn pending(state: &Overlay<'_>, id: &Hash) -> Result<Hold, Rejection> {
    HOLDS.get(state, id).ok_or_else(|| code::HOLD_NOT_PENDING.reject())
}

fn release(state: &mut Overlay<'_>, id: &Hash, hold: &Hold) {
    if let Some(mut debit) = ACCOUNTS.get(state, &hold.entry.debit) {
        let before = debit.held.len();
        debit.held.retain(|held| held.hold != *id);
        if debit.held.len() != before {
            ACCOUNTS.put(state, &hold.entry.debit, &debit);
        }
    }
    HOLDS.remove(state, id);
}

/// Moves `amount` of a pending hold and lets the rest go.
///
/// # Errors
/// `hold_not_pending` (also after its expiry), `hold_exceeded`, and as [`post`].
pub fn post_hold(
    state: &mut Overlay<'_>,
    now: Timestamp,
    id: &Hash,
    amount: Amount,
) -> Result<(), Rejection> {
    let hold = pending(state, id)?;
    require(now < hold.expires, || code::HOLD_NOT_PENDING.with(detail!("it has expired")))?;
    require(amount <= hold.entry.amount, || code::HOLD_EXCEEDED.reject())?;
    release(state, id, &hold);
    move_amount(state, now, hold.currency, &Entry { amount, ..hold.entry })
}

/// Lets a pending hold go.
///
/// # Errors
/// `hold_not_pending`, also when it was posted or let go before.
pub fn void_hold(state: &mut Overlay<'_>, id: &Hash) -> Result<(), Rejection> {
    let hold = pending(state, id)?;
    release(state, id, &hold);
    Ok(())
}
