//! The rails of the organisations whose folders lie here, and the outboxes that drive the payments
//! which the ledger orders on them.
//!
//! ```toml
//! # DIR/ORGANISATION/rails.toml; keys/execute.key beside it has the scope `execute`
//! [[rail]]
//! kind = "counter"             # tills; its books are counter.sqlite
//! name = "counter"             # what settlements call it
//! currency = "CNY"
//! utc_offset_minutes = 480     # in which its days begin
//! ```
//! A new rail is one variant of [`RailEntry`] and one arm of [`RailEntry::open`].

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use adapters::clock::Clock;
use adapters::effect::RailName;
use adapters::rail::card::CardBinding;
use adapters::rail::counter::Counter;
use adapters::rail::sandbox_bank::{SandboxBank, SandboxBankConfig};
use adapters::rail::{Rail, Style};
use adapters::sqlite::Place;
use anyhow::{Context as _, Result};
use benefit::decimal::DecimalText;
use node::outbox::{Outbox, OutboxConfig};
use node::runtime::NodeHandle;
use node::signature::{SecretKey, save_key};
use primitives::{Amount, Currency, OrganisationId, UtcOffset};
use serde::{Deserialize, Serialize};

use super::folder::replace_file;
use super::payments::{OwnPayments, OwnRail};
use crate::command::input::{bad, read_toml};
use crate::command::keys::read_key;

/// What an organisation's rails are, in its folder.
pub const RAILS_FILE: &str = "rails.toml";
/// The key that says what the rails did.
pub const EXECUTE_KEY_FILE: &str = "keys/execute.key";
const RAILS_BYTES_MAX: u64 = 64 << 10;

/// An organisation's rails as a file says them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RailsFile {
    #[serde(default)]
    rail: Vec<RailEntry>,
}

/// A rail as a file says it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum RailEntry {
    /// The simulated bank; its books are `bank.sqlite`.
    SandboxBank {
        /// What settlements call it.
        name: RailName,
        /// The currency of all accounts.
        currency: Currency,
        /// In which its days begin.
        utc_offset_minutes: UtcOffset,
        /// Whether it holds and captures, or pays and refunds.
        style: Style,
        /// The most that one order may move.
        payment_limit: DecimalText,
        /// The most that one account may pay in a day.
        daily_limit: DecimalText,
        /// Where tokens and declines come from.
        seed: u64,
    },
    /// Tills; their books are `counter.sqlite`. Money is paid back by a clerk's hand only.
    Counter {
        /// What settlements call it.
        name: RailName,
        /// The currency of the tills.
        currency: Currency,
        /// In which its days begin.
        utc_offset_minutes: UtcOffset,
    },
}

impl RailEntry {
    /// The entry of a simulated bank.
    #[must_use]
    pub fn sandbox_bank(name: RailName, config: &SandboxBankConfig) -> Self {
        let text = |amount: Amount| DecimalText(amount.to_decimal(config.currency));
        Self::SandboxBank {
            name,
            currency: config.currency,
            utc_offset_minutes: config.offset,
            style: config.style,
            payment_limit: text(config.payment_limit),
            daily_limit: text(config.daily_limit),
            seed: config.seed,
        }
    }

    const fn name(&self) -> &RailName {
        match self {
            Self::SandboxBank { name, .. } | Self::Counter { name, .. } => name,
        }
    }

    /// Whether it pays back by a clerk's hand only.
    const fn is_clerks(&self) -> bool {
        matches!(self, Self::Counter { .. })
    }

    /// The rail, and what its owner's people see of it.
    fn open(
        &self,
        folder: &Path,
        organisation: OrganisationId,
        clock: &Arc<dyn Clock>,
    ) -> Result<(Arc<dyn Rail>, OwnRail)> {
        let clock = Arc::clone(clock);
        Ok(match self {
            Self::SandboxBank {
                currency,
                utc_offset_minutes,
                style,
                payment_limit,
                daily_limit,
                seed,
                ..
            } => {
                let amount = |field: &str, text: &DecimalText| {
                    text.amount(*currency).map_err(|error| {
                        let file = folder.join(RAILS_FILE);
                        bad(format!("the rails `{}`, `{field}`: {error}", file.display()))
                    })
                };
                let config = SandboxBankConfig {
                    offset: *utc_offset_minutes,
                    payment_limit: amount("payment_limit", payment_limit)?,
                    daily_limit: amount("daily_limit", daily_limit)?,
                    ..SandboxBankConfig::new(*currency, *style, *seed)
                };
                let place = Place::File(folder.join("bank.sqlite"));
                let bank = Arc::new(SandboxBank::open(&place, config, clock)?);
                let (currency, offset) = (*currency, *utc_offset_minutes);
                let rail = Arc::new(bank.rail(organisation));
                let binding: Arc<dyn CardBinding> = Arc::clone(&rail) as _;
                let own = OwnRail { currency, offset, counter: None, binding: Some(binding) };
                (rail, own)
            }
            Self::Counter { currency, utc_offset_minutes, .. } => {
                let place = Place::File(folder.join("counter.sqlite"));
                let (currency, offset) = (*currency, *utc_offset_minutes);
                let counter = Arc::new(Counter::open(&place, currency, offset, clock)?);
                let tills = Some(Arc::clone(&counter));
                let own = OwnRail { currency, offset, counter: tills, binding: None };
                (counter, own)
            }
        })
    }
}

/// Writes down an organisation's rails, so that whoever serves the data folder drives them.
///
/// # Errors
/// When it cannot be written, or there is another key already.
pub fn keep_rails(folder: &Path, key: &SecretKey, rails: Vec<RailEntry>) -> Result<()> {
    let path = folder.join(RAILS_FILE);
    let text = toml::to_string(&RailsFile { rail: rails }).context("rails have a form in TOML")?;
    let key_file = folder.join(EXECUTE_KEY_FILE);
    fs::create_dir_all(key_file.parent().unwrap_or(folder))
        .and_then(|()| replace_file(&path, text.as_bytes()))
        .with_context(|| format!("`{}` cannot be written", path.display()))?;
    Ok(save_key(&key_file, key)?)
}

/// Opens the payments of all organisations of a data folder that have rails. Their outboxes do
/// nothing before they are started. After a stated loss of blocks, their books go on from what is
/// left.
///
/// # Errors
/// What is wrong with an organisation's rails, key or books.
pub fn open_payments(
    data: &Path,
    node: &NodeHandle,
    clock: &Arc<dyn Clock>,
    is_after_loss: bool,
) -> Result<Vec<Arc<OwnPayments>>> {
    let entries = fs::read_dir(data)
        .with_context(|| format!("the data folder `{}` cannot be read", data.display()))?;
    let mut folders = Vec::new();
    for entry in entries {
        let folder = entry?.path();
        if folder.join(RAILS_FILE).is_file() {
            folders.push(folder);
        }
    }
    folders.sort();
    let open = |folder: &PathBuf| open_in(folder, node, clock, is_after_loss).map(Arc::new);
    folders.iter().map(open).collect()
}

fn open_in(
    folder: &Path,
    node: &NodeHandle,
    clock: &Arc<dyn Clock>,
    is_after_loss: bool,
) -> Result<OwnPayments> {
    let path = folder.join(RAILS_FILE);
    let file: RailsFile = read_toml("the rails", &path, RAILS_BYTES_MAX)?;
    let in_file = |words: String| bad(format!("the rails `{}`: {words}", path.display()));
    let code = folder.file_name().unwrap_or_default().to_string_lossy();
    let organisation: OrganisationId =
        code.parse().map_err(|error| in_file(format!("the folder's name: {error}")))?;
    let key = read_key(&folder.join(EXECUTE_KEY_FILE))?;
    let mut rails: BTreeMap<RailName, Arc<dyn Rail>> = BTreeMap::new();
    let mut own_rails = BTreeMap::new();
    for entry in &file.rail {
        let (rail, own) = entry.open(folder, organisation, clock)?;
        own_rails.insert(entry.name().clone(), own);
        if rails.insert(entry.name().clone(), rail).is_some() {
            let words = format!("the name `{}` is there twice; rename one", &**entry.name());
            return Err(in_file(words));
        }
    }
    let clerk_rails: BTreeSet<RailName> =
        file.rail.iter().filter(|one| one.is_clerks()).map(|one| one.name().clone()).collect();
    let config = OutboxConfig {
        organisation,
        book: Place::File(folder.join("effects.sqlite")),
        outbox: Place::File(folder.join("outbox.sqlite")),
        rails,
        clerk_rails,
        clock: Arc::clone(clock),
        key,
        is_after_loss,
    };
    let outbox = Outbox::open(node.clone(), config)
        .with_context(|| format!("the outbox in `{}` cannot be opened", folder.display()))?;
    Ok(OwnPayments::new(Arc::new(outbox), own_rails))
}
