//! From sums, facts and running amounts to who pays how much, as the ledger does it.

use benefit::{Accumulators, Adjudication, CategorySums, Facts, Plan, adjudicate, split_stay};
use primitives::{Hash, codec, sha256};
use serde::{Deserialize, Serialize};

/// What is asked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    /// The plans in force on the days of the bill, the latest first.
    plans: Vec<NamedPlan>,
    /// The sorted bill.
    sums: CategorySums,
    /// What the rules ask, part by part. What accounts can pay counts in the first part; each
    /// further one has what is left of them.
    facts: Vec<Facts>,
    /// The running amounts before the bill.
    accumulators: Accumulators,
}

/// A plan by the name that the ledger has for it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedPlan {
    /// The hash that the plan must have.
    hash: Hash,
    /// Its compiled bytes in hex.
    bytes: String,
}

/// What is answered.
#[derive(Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(crate) enum Answer {
    /// The bill is split like this.
    Computed {
        /// The parts by date, each with the reasons for its amounts.
        parts: Vec<Adjudication>,
    },
    /// It cannot be split, for the reason of this stable word.
    Impossible {
        /// `form`, `long`, `plan` (the bytes are not the plan of that hash), `parts` (there are
        /// more or fewer than facts) or `rules` (the plan does not decide it).
        why: &'static str,
    },
}

impl Answer {
    pub const fn impossible(why: &'static str) -> Self {
        Self::Impossible { why }
    }
}

/// The answer to a question.
pub(crate) fn answer(question: &[u8]) -> Answer {
    let parts =
        serde_json::from_slice(question).map_err(|_| "form").and_then(|asked| parts(&asked));
    parts.map_or_else(Answer::impossible, |parts| Answer::Computed { parts })
}

impl NamedPlan {
    fn read(&self) -> Option<Plan> {
        let bytes = hex::decode(&self.bytes).ok()?;
        let is_named = sha256(&bytes) == self.hash;
        is_named.then(|| codec::decode(&bytes).ok()).flatten()
    }
}

/// The parts of the bill, each on what the one before left of accounts and added to the running
/// amounts.
fn parts(asked: &Question) -> Result<Vec<Adjudication>, &'static str> {
    let plans: Option<Vec<Plan>> = asked.plans.iter().map(NamedPlan::read).collect();
    let plans = plans.ok_or("plan")?;
    let plain: Vec<&Plan> = plans.iter().collect();
    let cut = split_stay(&plain, &asked.sums).map_err(|_| "rules")?;
    if cut.len() != asked.facts.len() {
        return Err("parts");
    }
    let mut running = asked.accumulators.clone();
    let first = asked.facts.first().ok_or("parts")?;
    let (mut own, mut family) = (first.personal_account, first.family_accounts.clone());
    let mut done = Vec::with_capacity(cut.len());
    for (part, facts) in cut.iter().zip(&asked.facts) {
        let plan = plain.get(part.plan).ok_or("plan")?;
        let mut facts = facts.clone();
        facts.personal_account = own;
        facts.family_accounts.clone_from(&family);
        let one = adjudicate(plan, &part.sums, &facts, &running).map_err(|_| "rules")?;
        running.apply(&one.changes).map_err(|_| "rules")?;
        one.spend(&mut own, &mut family);
        done.push(one);
    }
    Ok(done)
}
