//! The desk of every provider in one: takes visits through check-in, bill, quote, consent and
//! settlement, as their own systems would, on the real path.
//!
//! Visits go in waves: at most one of a person in each, so that every quote stands on what the
//! visit before it left behind.

use std::collections::BTreeMap;
use std::sync::Arc;

use benefit::{AgeBand, Bill, Catalogue, CategorySums, Sex, VisitFacts, VisitType};
use ledger::kernel::context::PlanMemo;
use ledger::modules::coverage;
use ledger::modules::visit::{
    CashLeg, CheckIn, Consent, Identification, QuoteRequest, RefundVisit, SettleVisit,
    SettlementRecord, Split, VisitSubject, quote, view,
};
use ledger::{Rejection, Transaction};
use node::runtime::{NodeHandle, SubmitResult};
use node::vault_store::VaultStore;
use primitives::{Amount, Hash, OrganisationId, Party, Timestamp, VisitId, codec, sha256_parts};
use proof::receipt::OutcomeCode;
use vault::{BillContent, Envelope, EnvelopeContext, ReaderKey};

use super::actor::{Actor, Drafter};
use super::bank::{Bank, Till};

/// A visit that is to be settled.
pub struct Visit {
    /// The random id on the ledger.
    pub id: VisitId,
    /// What it is about.
    pub subject: VisitSubject,
    /// Whose, as a place among the patients.
    pub patient: usize,
    /// What was charged.
    pub bill: Bill,
    /// Whether the personal account is to pay.
    pub use_personal_account: bool,
    /// Whether a line is given back afterwards.
    pub refund: bool,
}

/// A patient as the desk knows one.
pub struct Patient {
    /// The person's own key, if there is one; otherwise card and PIN.
    pub actor: Option<Actor>,
    /// Who can open the person's bills.
    pub reader: ReaderKey,
    /// The bank card, if one is bound.
    pub card: Option<adapters::rail::Token>,
    /// The age as attested.
    pub age: AgeBand,
    /// Sex.
    pub sex: Sex,
}

/// A provider as the demonstration runs it.
pub struct Provider {
    /// Its key for everything.
    pub actor: Arc<Actor>,
    /// Who can open its bills.
    pub reader: ReaderKey,
    /// Its vault.
    pub vault: VaultStore,
    /// Its till, where it has one.
    pub till: Option<Till>,
}

/// What all desks of a region share.
pub struct Desk<'a> {
    /// The node.
    pub node: &'a NodeHandle,
    /// Writes transactions.
    pub drafter: &'a Drafter,
    /// The bureau, which countersigns.
    pub bureau: &'a Actor,
    /// The bureau's desk, which checks the card's PIN.
    pub clerk: &'a Actor,
    /// Who can open the bureau's copy.
    pub bureau_reader: ReaderKey,
    /// The catalogue of the region's providers.
    pub catalogue: &'a Catalogue,
    /// The bank.
    pub bank: &'a Bank,
    /// The providers.
    pub providers: &'a BTreeMap<OrganisationId, Provider>,
    /// Everybody.
    pub patients: &'a [Patient],
    /// What the randomness of sealing comes from; nobody outside the demonstration knows it.
    pub secret: Hash,
    /// The clock's reading for new transactions.
    pub now: &'a (dyn Fn() -> Timestamp + Sync),
}

/// What became of a visit.
pub enum Settled {
    /// It is settled.
    Yes {
        /// The transaction that settled it.
        transaction_id: Hash,
        /// What was agreed.
        split: Split,
        /// The settlement, for a refund.
        record: Box<SettlementRecord>,
    },
    /// It was refused, for this reason by its stable name.
    Refused(&'static str),
}

/// How many visits are prepared at once.
const PREPARING_THREADS: usize = 24;

struct Prepared {
    at: usize,
    transaction: Transaction,
    split: Split,
}

impl Desk<'_> {
    /// Settles a wave of visits, at most one of a person; answers in their order.
    ///
    /// # Errors
    /// What a desk cannot work on with: a failing vault, bank or node.
    pub fn settle(&self, visits: &[Visit]) -> anyhow::Result<Vec<Settled>> {
        let now = (self.now)();
        let check_ins = visits.iter().map(|visit| self.check_in(visit, now)).collect();
        let mut answers: Vec<Option<Settled>> = Vec::with_capacity(visits.len());
        for answer in self.node.submit_all(check_ins) {
            answers.push(refusal(answer, self.node)?.map(Settled::Refused));
        }
        let open: Vec<usize> = (0..visits.len()).filter(|at| answers[*at].is_none()).collect();
        let prepared = self.prepare_all(visits, &open, now)?;
        let mut waiting = Vec::with_capacity(prepared.len());
        let mut transactions = Vec::with_capacity(prepared.len());
        for one in prepared {
            match one {
                Ok(one) => {
                    waiting.push((one.at, one.split));
                    transactions.push(one.transaction);
                }
                Err((at, rejection)) => answers[at] = Some(Settled::Refused(rejection.code.name)),
            }
        }
        let results = self.node.submit_all(transactions);
        for ((at, split), result) in waiting.into_iter().zip(results) {
            let due = split.cash;
            let settled = self.settled(result, split)?;
            if matches!(settled, Settled::Refused(_)) {
                self.hand_back(&visits[at], due)?;
            }
            answers[at] = Some(settled);
        }
        answers
            .into_iter()
            .map(|answer| answer.ok_or_else(|| anyhow::anyhow!("a visit was left without answer")))
            .collect()
    }

    /// What a till took for a visit that was refused goes back over the counter.
    fn hand_back(&self, visit: &Visit, due: Amount) -> anyhow::Result<()> {
        let has_card = self.patients[visit.patient].card.is_some();
        match &self.provider(visit.subject.provider).till {
            Some(till) if !has_card && !due.is_zero() => till.give_back(due, visit.id),
            _ => Ok(()),
        }
    }

    fn settled(&self, result: SubmitResult, split: Split) -> anyhow::Result<Settled> {
        let submitted = match result {
            Err(node::runtime::SubmitError::Rejected(rejection)) => {
                return Ok(Settled::Refused(rejection.code.name));
            }
            other => other?,
        };
        let receipt = &submitted.receipt;
        match receipt.record.outcome {
            OutcomeCode::Accepted => Ok(Settled::Yes {
                transaction_id: receipt.record.transaction_id,
                split,
                record: Box::new(decode_record(&receipt.witness)?),
            }),
            OutcomeCode::Rejected(number) => {
                let code = self.node.registry().rejection(number);
                Ok(Settled::Refused(code.map_or("unknown", |code| code.name)))
            }
        }
    }

    fn provider(&self, code: OrganisationId) -> &Provider {
        self.providers.get(&code).expect("every visit's provider was admitted")
    }

    fn check_in(&self, visit: &Visit, now: Timestamp) -> Transaction {
        let provider = self.provider(visit.subject.provider);
        let has_phone = self.patients[visit.patient].actor.is_some();
        let body = CheckIn {
            visit: visit.id,
            subject: visit.subject.clone(),
            identification: if has_phone {
                Identification::WalletCode
            } else {
                Identification::Card
            },
            evidence: sha256_parts(&[b"yibao/demo-evidence/v1", &visit.id.0]),
        };
        self.drafter.transaction(now, &[provider.actor.as_ref()], &body)
    }

    /// Sorts, seals, quotes and signs, many visits at once.
    fn prepare_all(
        &self,
        visits: &[Visit],
        open: &[usize],
        now: Timestamp,
    ) -> anyhow::Result<Vec<Result<Prepared, (usize, Rejection)>>> {
        // Sealing waits for the disk more than for the processor.
        let workers = PREPARING_THREADS;
        let size = open.len().div_ceil(workers).max(1);
        std::thread::scope(|scope| {
            let parts: Vec<_> = open
                .chunks(size)
                .map(|part| {
                    scope.spawn(move || {
                        let plans = PlanMemo::default();
                        let one = |at: &usize| self.prepare(&plans, &visits[*at], *at, now);
                        part.iter().map(one).collect::<anyhow::Result<Vec<_>>>()
                    })
                })
                .collect();
            let mut all = Vec::with_capacity(open.len());
            for part in parts {
                all.extend(part.join().map_err(|_| anyhow::anyhow!("a desk stopped"))??);
            }
            Ok(all)
        })
    }

    fn prepare(
        &self,
        plans: &PlanMemo,
        visit: &Visit,
        at: usize,
        now: Timestamp,
    ) -> anyhow::Result<Result<Prepared, (usize, Rejection)>> {
        let provider = self.provider(visit.subject.provider);
        let patient = &self.patients[visit.patient];
        let facts = self.visit_facts(visit.subject.visit_type, patient, provider);
        let sorted = benefit::sort_lines(self.catalogue, &visit.bill, &facts)
            .map_err(|error| anyhow::anyhow!("{error}"))?;
        let quoted = match self.quote(plans, visit, &sorted.sums, now) {
            Ok(quoted) => quoted,
            Err(rejection) => return Ok(Err((at, rejection))),
        };
        let bill = self.seal(visit, &sorted.sums, provider, patient)?;
        let cash = self.cash_leg(visit, patient, provider, quoted.cash)?;
        let consent = if patient.actor.is_some() { Consent::OwnKey } else { Consent::DeskCard };
        let mut signers = vec![provider.actor.as_ref(), self.bureau];
        signers.push(patient.actor.as_ref().unwrap_or(self.clerk));
        if cash.as_ref().is_some_and(|leg| leg.executor != visit.subject.provider) {
            signers.push(self.bank.executor());
        }
        let body = SettleVisit {
            visit: visit.id,
            bill,
            sums: sorted.sums,
            use_personal_account: visit.use_personal_account,
            use_family_account: false,
            split: quoted.clone(),
            cash,
            consent,
        };
        let transaction = self.drafter.transaction(now, &signers, &body);
        Ok(Ok(Prepared { at, transaction, split: quoted }))
    }

    fn visit_facts(
        &self,
        visit_type: VisitType,
        patient: &Patient,
        provider: &Provider,
    ) -> VisitFacts {
        let view = self.node.view();
        let level = match provider.actor.party {
            Party::Organisation(code) => {
                ledger::modules::organisation::view::organisation(&view.state, code)
                    .and_then(|row| row.level)
            }
            Party::Person(_) => None,
        };
        VisitFacts {
            visit_type,
            hospital_level: level.unwrap_or(benefit::HospitalLevel::Unrated),
            diagnosis_groups: Vec::new(),
            age: patient.age,
            sex: patient.sex,
        }
    }

    fn quote(
        &self,
        plans: &PlanMemo,
        visit: &Visit,
        sums: &CategorySums,
        now: Timestamp,
    ) -> Result<Split, Rejection> {
        let view = self.node.view();
        let subject = &visit.subject;
        let (person, region) = (subject.person, subject.region);
        let request = QuoteRequest {
            subject,
            sums,
            use_personal_account: visit.use_personal_account,
            personal_account: view::personal_account(&view.state, person, now),
            family_accounts: Vec::new(),
            accumulators: coverage::view::running_amounts(
                &view.state,
                person,
                region,
                subject.scheme,
            ),
            keep_plans_of: &[],
            keep_facts: false,
        };
        Ok(quote(&view.state, plans, request)?.split)
    }

    /// Seals the itemised bill for provider, bureau and person; gives the commitment.
    fn seal(
        &self,
        visit: &Visit,
        sums: &CategorySums,
        provider: &Provider,
        patient: &Patient,
    ) -> anyhow::Result<Hash> {
        let seed = |meaning: &[u8]| {
            sha256_parts(&[b"yibao/demo-vault/v2", &self.secret.0, meaning, &visit.id.0]).0
        };
        let content = BillContent {
            salt: seed(b"salt"),
            bill: serde_json::to_vec(&visit.bill)?,
            sums: codec::encode(sums),
        };
        let commitment = content.commitment();
        let context = EnvelopeContext { visit: visit.id, commitment };
        let readers = [provider.reader, self.bureau_reader, patient.reader];
        let mut randomness = vault::randomness(seed(b"randomness"));
        let envelope = Envelope::seal(&content.encode()?, &context, &readers, &mut randomness)?;
        provider.vault.put(visit.id, commitment, &envelope.encode())?;
        Ok(commitment)
    }

    fn cash_leg(
        &self,
        visit: &Visit,
        patient: &Patient,
        provider: &Provider,
        due: Amount,
    ) -> anyhow::Result<Option<CashLeg>> {
        if due.is_zero() {
            return Ok(None);
        }
        match (&patient.card, &provider.till) {
            (Some(card), _) => self.bank.later(card, &visit.id.0).map(Some),
            (None, Some(till)) => till.take(due, visit.id).map(Some),
            (None, None) => anyhow::bail!("neither card nor till for `{}`", visit.subject.provider),
        }
    }

    /// Gives the last row of a settled bill back, once its cash is confirmed.
    ///
    /// # Errors
    /// When the node fails.
    pub fn refund(&self, record: &SettlementRecord) -> anyhow::Result<Option<&'static str>> {
        let now = (self.now)();
        let plans = PlanMemo::default();
        let mut rows = record.sums.rows().to_vec();
        rows.pop();
        let remaining = CategorySums::new(rows).map_err(|words| anyhow::anyhow!(words))?;
        let split = match self.quote_refund(&plans, record, &remaining, now) {
            Ok(split) => split,
            Err(rejection) => return Ok(Some(rejection.code.name)),
        };
        let provider = self.provider(record.subject.provider);
        let body = RefundVisit {
            original: record.clone(),
            bill: sha256_parts(&[b"yibao/demo-remaining/v1", &record.visit.0]),
            remaining,
            split,
            cash: None,
            consent: None,
        };
        let signers = [provider.actor.as_ref(), self.bureau];
        let transaction = self.drafter.transaction(now, &signers, &body);
        refusal(self.node.submit(transaction), self.node)
    }

    fn quote_refund(
        &self,
        plans: &PlanMemo,
        record: &SettlementRecord,
        remaining: &CategorySums,
        now: Timestamp,
    ) -> Result<Split, Rejection> {
        ledger::modules::visit::quote_remaining(
            &self.node.view().state,
            plans,
            record,
            remaining,
            now,
        )
    }
}

/// The stable name of the reason for which a transaction was refused, or `None` when it was
/// accepted.
fn refusal(result: SubmitResult, node: &NodeHandle) -> anyhow::Result<Option<&'static str>> {
    match result {
        Ok(submitted) => Ok(match submitted.receipt.record.outcome {
            OutcomeCode::Accepted => None,
            OutcomeCode::Rejected(number) => {
                let code = node.registry().rejection(number);
                Some(code.map_or("unknown", |code| code.name))
            }
        }),
        Err(node::runtime::SubmitError::Rejected(rejection)) => Ok(Some(rejection.code.name)),
        Err(error) => Err(error.into()),
    }
}

fn decode_record(witness: &[u8]) -> anyhow::Result<SettlementRecord> {
    codec::decode(witness).map_err(|error| anyhow::anyhow!("a settlement's record: {error}"))
}
