//! The bank accounts of bureau and providers: a file that only those have who pay.
//!
//! ```toml
//! salt = "64 hex digits that nobody else has"
//! [from]
//! name = "..."
//! number = "..."
//! bank = "102100099996"
//! [providers.hospital-1]
//! name = "..."
//! number = "..."
//! bank = "..."
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use adapters::bank_file::order::BankAccount;
use anyhow::Result;
use ledger::modules::clearing::{LineRow, account_tag};
use primitives::{Hash, OrganisationId, sha256_parts};
use serde::Deserialize;

use crate::command::input::{bad, read_toml};

/// Some thousand accounts.
const FILE_BYTES_MAX: u64 = 4 << 20;
/// The longest name that ISO 20022 carries.
const NAME_LETTERS_MAX: usize = 140;
/// The longest account number that ISO 20022 carries.
const NUMBER_LETTERS_MAX: usize = 34;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    salt: Hash,
    from: AccountForm,
    providers: BTreeMap<OrganisationId, AccountForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountForm {
    name: String,
    number: String,
    bank: String,
}

/// Accounts by provider, and the salt of what the ledger says of them.
pub struct Accounts {
    salt: Hash,
    pub from: BankAccount,
    providers: BTreeMap<OrganisationId, BankAccount>,
}

impl Accounts {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self> {
        let form: Form = read_toml("the file of accounts", path, FILE_BYTES_MAX)?;
        let shown = path.display();
        let account = |name: String, form: AccountForm| {
            let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
            let fits = (1..=NAME_LETTERS_MAX).contains(&form.name.chars().count())
                && (1..=NUMBER_LETTERS_MAX).contains(&form.number.len())
                && digits(&form.number)
                && (1..=NUMBER_LETTERS_MAX).contains(&form.bank.len())
                && digits(&form.bank);
            // The number itself is not repeated.
            fits.then_some(BankAccount { name: form.name, number: form.number, bank: form.bank })
                .ok_or_else(|| {
                    bad(format!(
                        "the file of accounts `{shown}`, `{name}`: name has 1 to 140 letters, \
                         number and bank have 1 to 34 letters and digits without spaces; mend them"
                    ))
                })
        };
        let from = account(String::from("from"), form.from)?;
        let providers = form.providers.into_iter().map(|(provider, form)| {
            Ok((provider, account(format!("providers.{provider}"), form)?))
        });
        Ok(Self { salt: form.salt, from, providers: providers.collect::<Result<_>>()? })
    }

    /// A provider's account.
    pub fn of(&self, provider: OrganisationId) -> Result<&BankAccount> {
        self.providers.get(&provider).ok_or_else(|| {
            bad(format!(
                "the file of accounts has none of `{provider}`; add `[providers.{provider}]`"
            ))
        })
    }

    /// What the ledger says of a provider's account.
    pub fn tag(&self, provider: OrganisationId) -> Result<Hash> {
        let account = self.of(provider)?;
        Ok(account_tag(&self.salt, &format!("{}/{}", account.bank, account.number)))
    }

    /// What the ledger says of a reference of the bank.
    pub fn reference(&self, reference: &str) -> Hash {
        let salt = self.salt.as_bytes();
        sha256_parts(&[b"yibao/bank-reference/v1", salt, reference.as_bytes()])
    }

    /// The line pays to the account that this file has.
    pub fn require_same(&self, line: &LineRow) -> Result<()> {
        if self.tag(line.provider)? == line.account {
            return Ok(());
        }
        Err(bad(format!(
            "the batch pays `{}` to another account than the file of accounts has; ask the other \
             organisation which is right before anything is paid",
            line.provider
        )))
    }
}
