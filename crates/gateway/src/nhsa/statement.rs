//! The platform's own statement of a hospital's settlements in some days, read from the ledger's
//! receipts: one row for each settlement, and one for what was given back of it.
//!
//! What 2601 reversed stands on the ledger as a settlement and its refund; for the hospital it has
//! not happened, so neither is a row.

use std::collections::BTreeMap;

use benefit::VisitType;
use ledger::Receipt;
use ledger::kernel::registry::Kind as _;
use ledger::modules::visit::{SettleVisit, SettlementRecord, Split};
use primitives::{CivilDate, Party, PersonId, RegionId, SchemeId, UtcOffset, VisitId, codec};
use proof::receipt::OutcomeCode;
use serde_json::Value;

use super::CLOCK_MINUTES;
use super::desk::{Message, damaged};
use super::field::{Field, Form, Record, signed_yuan};
use super::profile::StatementScope;
use super::refusal::Refusal;
use super::split::fund_pay;
use crate::port::{IndexedReceipt, Order};

/// The most days of one statement.
const DAYS_MAX: i64 = 31;
/// The most rows of one statement.
pub(super) const ROWS_MAX: usize = 200_000;
/// How many receipts are read at once.
const PAGE: usize = 1_000;

/// Kinds of clearing.
pub(super) const CLEARING_TYPES: &[(&str, &str)] =
    &[("11", "门诊"), ("21", "住院"), ("41", "药店购药"), ("51", "生育")];

/// Of what a statement is asked.
pub(super) const CLR_TYPE: Field =
    Field::needed("clr_type", Form::Text(6), "清算类别").of(CLEARING_TYPES);
pub(super) const SETL_OPTINS: Field =
    Field::needed("setl_optins", Form::Text(6), "结算经办机构，即参保地区划");
pub(super) const BEGINS: Field = Field::needed("stmt_begndate", Form::Day, "对账开始日期");
pub(super) const ENDS: Field = Field::needed("stmt_enddate", Form::Day, "对账结束日期");

/// Sums of money in fen, with their sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    /// `medfee_sumamt`.
    pub total: i128,
    /// `fund_pay_sumamt`, as the profile has it.
    pub funds: i128,
    /// `acct_pay`.
    pub account: i128,
    /// `psn_cash_pay`.
    pub cash: i128,
}

impl Sums {
    /// The sum of both.
    pub const fn plus(self, other: Self) -> Self {
        Self {
            total: self.total + other.total,
            funds: self.funds + other.funds,
            account: self.account + other.account,
            cash: self.cash + other.cash,
        }
    }

    const fn minus(self, other: Self) -> Self {
        Self {
            total: self.total - other.total,
            funds: self.funds - other.funds,
            account: self.account - other.account,
            cash: self.cash - other.cash,
        }
    }
}

/// What differs between a sum of the hospital's and the platform's, by the sum's name: nothing
/// where they are the same.
pub(super) fn difference(name: &str, theirs: i128, ours: i128) -> Option<String> {
    (theirs != ours).then(|| {
        let (theirs, ours, apart) =
            (signed_yuan(theirs), signed_yuan(ours), signed_yuan(theirs - ours));
        format!("{name} 机构 {theirs} 平台 {ours} 相差 {apart}")
    })
}

/// What is stated.
pub(super) struct Asked {
    first: CivilDate,
    last: CivilDate,
    region: RegionId,
    scheme: Option<SchemeId>,
    clearing: Option<String>,
}

impl Asked {
    /// Reads of what a message wants a statement.
    ///
    /// # Errors
    /// Days in the wrong order or too many, or another bureau's settlements.
    pub fn read(message: &Message<'_>, record: &Record) -> Result<Self, Refusal> {
        let [first, last] = [record.day("stmt_begndate")?, record.day("stmt_enddate")?];
        let days = i64::from(last.days()) - i64::from(first.days()) + 1;
        if !(1..=DAYS_MAX).contains(&days) {
            let words = format!("应不早于开始日期，且一次最多 {DAYS_MAX} 天；请改正或分段对账");
            return Err(Refusal::at(record.path("stmt_enddate"), words));
        }
        let served = message.wallet()?.region;
        if record.text("setl_optins") != served.0.to_string() {
            let words = format!("本节点只结算 {} 参保人；请改正后重发", served.0);
            return Err(Refusal::at(record.path("setl_optins"), words));
        }
        let scheme = record.get("insutype").map(|text| message.scheme(record, text));
        Ok(Self {
            first,
            last,
            region: served,
            scheme: scheme.transpose()?,
            clearing: record.get("clr_type").map(str::to_owned),
        })
    }

    fn covers(&self, record: &SettlementRecord) -> bool {
        let subject = &record.subject;
        subject.region == self.region
            && self.scheme.is_none_or(|scheme| scheme == subject.scheme)
            && self.clearing.as_deref().is_none_or(|kind| kind == clearing_of(subject.visit_type))
    }
}

/// A row of the statement.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Whose, here.
    pub psn_no: String,
    /// The visit.
    pub mdtrt_id: String,
    /// The settlement.
    pub setl_id: String,
    /// Whether it is what was given back.
    pub is_refund: bool,
    /// How much; of a refund, less than none.
    pub sums: Sums,
}

/// What a settlement record comes to.
fn sums_of(message: &Message<'_>, record: &SettlementRecord) -> Result<Sums, Refusal> {
    let split = Split::of(&record.parts).ok_or_else(|| damaged(()))?;
    let funds = fund_pay(&message.institution.profile, &split);
    Ok(Sums {
        total: i128::from(split.total.minor()),
        funds: i128::from(funds.minor()),
        account: i128::from(split.personal_account.minor()),
        cash: i128::from(split.cash.minor()),
    })
}

fn record_in(receipt: &Receipt) -> Result<Option<SettlementRecord>, Refusal> {
    if receipt.record.outcome != OutcomeCode::Accepted || receipt.witness.is_empty() {
        return Ok(None);
    }
    codec::decode(&receipt.witness).map(Some).map_err(damaged)
}

/// The rows of a statement, in no order.
///
/// # Errors
/// When there are too many, or the ledger cannot be read.
pub(super) fn rows(message: &Message<'_>, asked: &Asked) -> Result<Vec<Row>, Refusal> {
    let (port, own) = (&message.call.gateway.port, message.institution.organisation());
    let mut statement = Statement { message, rows: Vec::new(), waiting: BTreeMap::new() };
    let mut after = None;
    'pages: loop {
        let page =
            port.chain().receipts_of(Party::Organisation(own), Order::NewestFirst, after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = Some(last.index);
        for one in &page {
            let day = one.receipt.record.time.day(UtcOffset(CLOCK_MINUTES));
            if day < asked.first {
                break 'pages;
            }
            if day > asked.last {
                continue;
            }
            if let Some(record) = record_in(&one.receipt)?
                && record.subject.provider == own
                && asked.covers(&record)
            {
                statement.add(one, &record)?;
            }
        }
    }
    statement.finish()
}

/// A statement on its way: receipts come newest first, so that a refund comes before what it was
/// taken from.
struct Statement<'a> {
    message: &'a Message<'a>,
    rows: Vec<Row>,
    /// Refunds whose settlement did not come yet: their rows.
    waiting: BTreeMap<VisitId, Waiting>,
}

struct Waiting {
    row: usize,
    receipt: u64,
    person: PersonId,
}

impl Statement<'_> {
    fn add(&mut self, one: &IndexedReceipt, record: &SettlementRecord) -> Result<(), Refusal> {
        let (message, visit) = (self.message, record.visit);
        let mdtrt_id = message.name("visit", &visit.0);
        if message.institution.profile.statement == StatementScope::Interface
            && !message.is_own_visit(&mdtrt_id)?
        {
            return Ok(());
        }
        let sums = sums_of(message, record)?;
        self.resolve(visit, sums);
        if self.rows.len() == ROWS_MAX {
            let words = format!("该期间超过 {ROWS_MAX} 笔结算；请缩短对账期间");
            return Err(Refusal::at("data.stmt_begndate", words));
        }
        let is_refund = one.receipt.record.kind != SettleVisit::NUMBER;
        if is_refund {
            let person = record.subject.person;
            let waiting = Waiting { row: self.rows.len(), receipt: one.index, person };
            self.waiting.insert(visit, waiting);
        }
        let row = Row {
            psn_no: message.person_number(record.subject.person),
            mdtrt_id,
            setl_id: message.settlement_number(&record.transaction_id),
            is_refund,
            sums,
        };
        self.rows.push(row);
        Ok(())
    }

    /// What stood before a refund is known now: the row is what the refund changed.
    fn resolve(&mut self, visit: VisitId, before: Sums) {
        if let Some(waiting) = self.waiting.remove(&visit)
            && let Some(row) = self.rows.get_mut(waiting.row)
        {
            row.sums = row.sums.minus(before);
        }
    }

    fn finish(mut self) -> Result<Vec<Row>, Refusal> {
        // What was settled before these days is found among the person's own receipts.
        for (visit, waiting) in std::mem::take(&mut self.waiting) {
            let before = self.before(visit, &waiting)?;
            self.waiting.insert(visit, waiting);
            self.resolve(visit, before);
        }
        let message = self.message;
        let mut rows = Vec::with_capacity(self.rows.len());
        for row in self.rows {
            if !message.is_reversed(&row.setl_id)? {
                rows.push(row);
            }
        }
        Ok(rows)
    }

    fn before(&self, visit: VisitId, waiting: &Waiting) -> Result<Sums, Refusal> {
        let (port, party) = (&self.message.call.gateway.port, Party::Person(waiting.person));
        let mut after = Some(waiting.receipt);
        loop {
            let page = port.chain().receipts_of(party, Order::NewestFirst, after, PAGE)?;
            let last = page.last().ok_or_else(|| damaged(()))?;
            after = Some(last.index);
            for one in &page {
                if let Some(record) = record_in(&one.receipt)?.filter(|one| one.visit == visit) {
                    return sums_of(self.message, &record);
                }
            }
        }
    }
}

impl Message<'_> {
    /// The number of the message that settled a visit, as the hospital was answered.
    pub(super) fn settled_by(&self, mdtrt_id: &str) -> Result<String, Refusal> {
        let output = self.settlement(mdtrt_id)?;
        let number = output.as_ref().and_then(|one| one.pointer("/setlinfo/medins_setl_id"));
        Ok(number.and_then(Value::as_str).unwrap_or_default().to_owned())
    }
}

/// The clearing type of a kind of care.
pub(super) const fn clearing_of(kind: VisitType) -> &'static str {
    match kind {
        VisitType::Inpatient => "21",
        VisitType::Pharmacy => "41",
        VisitType::MaternityOutpatient | VisitType::MaternityInpatient => "51",
        _ => "11",
    }
}
