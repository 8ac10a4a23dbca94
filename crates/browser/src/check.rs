//! From a question to its answer.

use proof::policy::Policy;
use proof::receipt::Field;
use proof::voucher::{VerifiedVoucher, Voucher, VoucherError};
use serde::{Deserialize, Serialize};

use crate::signature::Ed25519;

/// What is asked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    /// Whom the asker trusts: C2SP policies, each of which suffices.
    policies: Vec<String>,
    /// The voucher.
    voucher: String,
}

/// What is answered.
#[derive(Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(crate) enum Answer {
    /// The voucher holds.
    Genuine {
        /// The log that issued it.
        log: String,
        /// Its place there.
        index: u64,
        /// How many entries the log had then.
        size: u64,
        /// How many facts are not shown.
        hidden: usize,
        /// What it shows.
        facts: Vec<Shown>,
    },
    /// It does not, for the reason of this stable word.
    Wrong {
        /// `changed`, `log`, `form`, `long`, `version` or `policy`.
        why: &'static str,
    },
}

/// A fact: its name, and what it says as a person reads it.
#[derive(Serialize)]
pub(crate) struct Shown {
    name: String,
    value: String,
}

impl Answer {
    pub const fn wrong(why: &'static str) -> Self {
        Self::Wrong { why }
    }
}

/// The answer to a question.
pub(crate) fn answer(question: &[u8]) -> Answer {
    let Ok(Question { policies, voucher }) = serde_json::from_slice(question) else {
        return Answer::wrong("form");
    };
    let policies: Result<Vec<Policy>, _> =
        policies.iter().map(|text| Policy::parse(text.as_bytes())).collect();
    let Ok(policies) = policies else { return Answer::wrong("policy") };
    let voucher = match Voucher::decode(voucher.as_bytes()) {
        Ok(voucher) => voucher,
        Err(error) => return Answer::wrong(why(&error)),
    };
    let judged = policies.iter().find_map(|policy| voucher.verify(policy, &Ed25519).ok());
    judged.map_or(Answer::wrong("log"), |verified| genuine(&verified))
}

fn genuine(verified: &VerifiedVoucher) -> Answer {
    let shown =
        |field: &Field| Shown { name: field.name.to_string(), value: field.value.to_string() };
    Answer::Genuine {
        log: verified.log.name().to_owned(),
        index: verified.index,
        size: verified.log_size,
        hidden: verified.record.commitments.len().saturating_sub(verified.fields.len()),
        facts: verified.fields.values().map(shown).collect(),
    }
}

const fn why(error: &VoucherError) -> &'static str {
    match error {
        VoucherError::TooLong => "long",
        VoucherError::Proof(_) | VoucherError::NotAVoucher | VoucherError::NotOpen(_) => "form",
        VoucherError::Version(_) => "version",
        VoucherError::Record
        | VoucherError::OpeningsOrder
        | VoucherError::Opening(_)
        | VoucherError::Inclusion(_) => "changed",
    }
}
