//! An order of mobile payment, from the upload of its charges to its end.
//!
//! ```text
//! saved (6201) -> waits for the person (6202) -> insurance paid, card asked -> done -> refunded
//!     |                    |                                    |
//!  revoked (6401)   refused, over, revoked (6401)      card refused: a claim of the hospital
//! ```
//!
//! Invariants: the book says what was asked, the ledger whether it happened; amounts are those that
//! the person saw, and nothing overwrites them; an order that was refused, is over or was revoked
//! is never paid (tests in `tests/api/nhsa_mobile.rs`).

use borsh::{BorshDeserialize, BorshSerialize};
use ledger::kernel::effect::EffectStatus;
use ledger::modules::visit::{self, SettlementRecord, Split, VisitRow};
use primitives::{Amount, Hash, codec};
use serde_json::{Value, json};

use super::ask::settled;
use super::clock_time;
use super::desk::{Message, VISIT, damaged};
use super::field::{Code, Field, Form, Node, Record};
use super::refusal::Refusal;
use super::split::funds_of;
use crate::api::request::{RequestStanding, standing_of};

const ORDER: &str = "order";
const TOKEN: &str = "order-token";

/// Where an order stands. The numbers are background knowledge.
const STATES: &[Code] = &[
    ("0", "已保存"),
    ("2", "结算中，待参保人在手机确认"),
    ("4", "医保支付完成，自费扣款中"),
    ("6", "结算完成"),
    ("7", "已退款"),
    ("12", "已撤销"),
    ("14", "异常"),
    ("15", "结算失败"),
];

/// What names an order, and shows that it is the hospital's.
pub(super) const PAY_ORD_ID: Field =
    Field::needed("payOrdId", Form::Text(30), "支付订单号，来自6201");
pub(super) const PAY_TOKEN: Field = Field::needed("payToken", Form::Text(30), "支付令牌，来自6201");
/// Whose order it is.
pub(super) const ORG_CODG: Field =
    Field::needed("orgCodg", Form::Text(12), "机构编码，与报文外层一致").or("org_codg");

/// An amount in fen, as mobile payment writes it.
pub(super) const FEN: Form = Form::Decimal(16, 0);

/// What asks about an order.
pub(super) const INPUT: Node = Node::one("data", &[ORG_CODG, PAY_ORD_ID, PAY_TOKEN]);

/// Where it stands.
pub(super) const OUTPUT: &[Node] = &[Node::one(
    "data",
    &[
        PAY_ORD_ID,
        Field::needed("medOrgOrd", Form::Text(30), "医疗机构订单号"),
        Field::needed("mdtrtId", Form::Text(30), "就诊 ID；对账（3201、3202）用"),
        Field::needed("ordStas", Form::Text(3), "订单状态").of(STATES),
        Field::needed("ordStasDscr", Form::Text(200), "订单状态说明与下一步"),
        Field::optional("setlType", Form::Text(4), "结算方式；下单后有").of(&[
            ("ALL", "医保与自费"),
            ("CASH", "仅自费"),
            ("HI", "仅医保"),
        ]),
        Field::optional("feeSumamt", FEN, "费用总额，分；下单后有，等于以下四项之和"),
        Field::optional("ownPayAmt", FEN, "现金支付，分"),
        Field::optional("psnAcctPay", FEN, "个人账户支出，分"),
        Field::optional("fundPay", FEN, "医保基金支付，分"),
        Field::optional("hospPartAmt", FEN, "医院负担，分"),
        Field::optional("setlId", Form::Text(30), "结算 ID；结算后有"),
        Field::optional("traceTime", Form::Instant, "结算时间；结算后有"),
    ],
)];

/// What an order comes to, in fen.
#[derive(Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct Figures {
    /// All of it.
    pub total: u64,
    /// What the person pays in cash.
    pub cash: u64,
    /// What the personal account pays.
    pub account: u64,
    /// What the funds pay.
    pub funds: u64,
    /// What the hospital bears.
    pub hospital: u64,
}

impl Figures {
    fn of(split: &Split) -> Self {
        let fen = |amount: Amount| amount.minor();
        let (funds, hospital) = funds_of(split);
        Self {
            total: fen(split.total),
            cash: fen(split.cash),
            account: fen(split.personal_account.saturating_add(split.family_accounts)),
            funds: fen(funds),
            hospital: fen(hospital),
        }
    }

    /// Which of insurance and cash pay.
    pub const fn kind(&self) -> &'static str {
        match (self.cash, self.funds + self.account) {
            (0, _) => "HI",
            (_, 0) => "CASH",
            _ => "ALL",
        }
    }
}

/// An order in the book.
#[derive(Clone, BorshSerialize, BorshDeserialize)]
pub(super) struct Order {
    /// The number of its visit.
    pub mdtrt_id: String,
    /// The hospital's own number of it.
    pub own_number: String,
    /// Whose it is.
    pub psn_no: String,
    /// A hash of what was uploaded.
    pub uploaded: Hash,
    /// Whether the personal account pays.
    pub uses_account: bool,
    /// What was done with it.
    pub step: Step,
}

/// What was done with an order.
#[derive(Clone, Copy, BorshSerialize, BorshDeserialize)]
pub(super) enum Step {
    /// Its charges were uploaded.
    Saved,
    /// The person was asked for this transaction.
    Placed(Hash, Figures),
    /// It was taken back.
    Revoked,
}

/// Where an order stands, by book and ledger.
pub(super) enum Stage {
    /// Charges only.
    Saved,
    /// The person is asked.
    Waiting,
    /// It is settled.
    Settled(Settlement),
    /// Taken back.
    Revoked,
    /// It was not settled, and never will be; why.
    Failed(&'static str),
}

/// What became of an order that was settled.
pub(super) struct Settlement {
    /// `setl_id`.
    pub setl_id: String,
    /// When, by the interface's clock.
    pub time: String,
    /// Where the cash stands.
    pub cash: EffectStatus,
    /// Whether all of it was given back.
    pub is_refunded: bool,
}

impl Order {
    /// The number under which an order of the hospital's is kept.
    pub fn number(message: &Message<'_>, own_number: &str) -> String {
        message.name(ORDER, own_number.as_bytes())
    }

    /// What shows that somebody got the answer to its upload.
    pub fn token(message: &Message<'_>, number: &str) -> String {
        message.name(TOKEN, number.as_bytes())
    }

    /// An order that was uploaded.
    pub fn get(message: &Message<'_>, number: &str) -> Result<Option<Self>, Refusal> {
        let kept = message.institution.book.get(ORDER, number)?;
        kept.map(|bytes| codec::decode(&bytes)).transpose().map_err(damaged)
    }

    /// Enters it under its number.
    pub fn keep(&self, message: &Message<'_>, number: &str) -> Result<(), Refusal> {
        Ok(message.institution.book.put(ORDER, number, &codec::encode(self))?)
    }

    /// The order that a message names, of this hospital and with its token.
    fn of(message: &Message<'_>, record: &Record) -> Result<Self, Refusal> {
        require_own(message, record)?;
        let number = record.text("payOrdId");
        let found = Self::get(message, number)?.ok_or_else(|| {
            Refusal::at(record.path("payOrdId"), "本机构没有该支付订单；请核对，或先做6201")
        })?;
        if record.text("payToken") == Self::token(message, number) {
            return Ok(found);
        }
        Err(Refusal::at(record.path("payToken"), "不是该支付订单的令牌；请填写6201返回的令牌"))
    }

    /// Where it stands.
    pub fn stage(&self, message: &Message<'_>) -> Result<Stage, Refusal> {
        let (id, figures) = match self.step {
            Step::Revoked => return Ok(Stage::Revoked),
            Step::Saved if self.is_open(message)? => return Ok(Stage::Saved),
            Step::Saved => return Ok(Stage::Failed("该就诊已在窗口结算或撤销；请勿再下单")),
            Step::Placed(id, figures) => (id, figures),
        };
        if let Some(found) = settled(message, id)? {
            let record: SettlementRecord =
                codec::decode(&found.receipt.witness).map_err(damaged)?;
            let seen = message.call.any_visit(record.visit).ok();
            let now = seen.and_then(|seen| seen.record);
            return Ok(Stage::Settled(Settlement {
                setl_id: message.settlement_number(&record.transaction_id),
                time: clock_time(found.receipt.record.time),
                cash: if figures.cash == 0 { EffectStatus::Done } else { cash(message, &record) },
                is_refunded: now.is_none_or(|one| one.sums.total().is_zero()),
            }));
        }
        let request = message.wallet()?.directory.request(&id)?;
        let standing = request.map(|one| standing_of(message.call, &one)).transpose()?;
        Ok(match standing {
            Some(RequestStanding::Waiting) if self.is_open(message)? => Stage::Waiting,
            Some(RequestStanding::Refused { .. }) => {
                Stage::Failed("参保人在手机上拒绝；请核对费用，重新上传（6201）或到窗口结算")
            }
            Some(RequestStanding::Waiting | RequestStanding::Withdrawn) => {
                Stage::Failed("费用已变更，或已在窗口结算或撤销；本订单不再结算")
            }
            _ => Stage::Failed("参保人逾期未确认；请撤销（6401）后重新上传（6201）"),
        })
    }

    /// Whether its visit is open on the ledger.
    pub fn is_open(&self, message: &Message<'_>) -> Result<bool, Refusal> {
        let visit = message.visit_numbered(&self.mdtrt_id)?.visit;
        let seen = message.call.any_visit(visit);
        Ok(seen.is_ok_and(|seen| matches!(seen.row, VisitRow::Open(_))))
    }

    /// The answer to everything that is asked about it.
    pub fn told(&self, message: &Message<'_>, number: &str) -> Result<Value, Refusal> {
        let stage = self.stage(message)?;
        let (state, words) = stage.told();
        let mut data = json!({
            "payOrdId": number, "medOrgOrd": self.own_number, "mdtrtId": self.mdtrt_id,
            "ordStas": state, "ordStasDscr": words
        });
        if let Step::Placed(_, figures) = &self.step {
            data["setlType"] = json!(figures.kind());
            for (name, fen) in [
                ("feeSumamt", figures.total),
                ("ownPayAmt", figures.cash),
                ("psnAcctPay", figures.account),
                ("fundPay", figures.funds),
                ("hospPartAmt", figures.hospital),
            ] {
                data[name] = json!(fen.to_string());
            }
        }
        if let Stage::Settled(settlement) = stage {
            data["setlId"] = json!(settlement.setl_id);
            data["traceTime"] = json!(settlement.time);
        }
        Ok(json!({ "data": data }))
    }

    /// It as the person is asked for this.
    pub fn placed(self, id: Hash, split: &Split) -> Self {
        Self { step: Step::Placed(id, Figures::of(split)), ..self }
    }
}

impl Stage {
    /// Its state and what to do next.
    fn told(&self) -> (&'static str, &'static str) {
        match self {
            Self::Saved => ("0", "费用已上传；请下单（6202）"),
            Self::Waiting => ("2", "已发送至参保人手机，待其确认；请稍后查询（6301）"),
            Self::Settled(one) if one.is_refunded => ("7", "已全额退款"),
            Self::Settled(one) => match one.cash {
                EffectStatus::Pending => ("4", "医保已支付，自费部分正在扣款；请稍后查询（6301）"),
                EffectStatus::Done => ("6", "结算完成"),
                EffectStatus::Failed | EffectStatus::Replaced => {
                    ("14", "医保已支付，自费扣款失败，记为参保人欠费；请在窗口补收，或退款（6203）")
                }
            },
            Self::Revoked => ("12", "已撤销；需要时请重新上传（6201）"),
            Self::Failed(why) => ("15", why),
        }
    }
}

/// Where the cash of a settlement stands by the last order to collect it.
fn cash(message: &Message<'_>, record: &SettlementRecord) -> EffectStatus {
    let state = &message.call.view.state;
    let latest = |reference: &Hash| {
        let mut row = visit::view::effect(state, reference)?;
        while let Some(next) = row.replaced_by {
            row = visit::view::effect(state, &next)?;
        }
        Some(row.status)
    };
    let mut found: Vec<EffectStatus> = record.collected.iter().filter_map(latest).collect();
    let is_there = |status| found.contains(&status);
    if is_there(EffectStatus::Pending) {
        return EffectStatus::Pending;
    }
    if is_there(EffectStatus::Failed) {
        return EffectStatus::Failed;
    }
    found.pop().unwrap_or(EffectStatus::Done)
}

/// The hospital in `orgCodg` is the one that signed.
///
/// # Errors
/// When it is another one.
pub(super) fn require_own(message: &Message<'_>, record: &Record) -> Result<(), Refusal> {
    if record.text("orgCodg") == message.institution.profile.fixmedins_code {
        return Ok(());
    }
    Err(Refusal::at(record.path("orgCodg"), "与签名所用机构编码不一致；请改正后重发"))
}

/// Does something about the order that a message names, while nobody else works on its visit.
///
/// # Errors
/// When there is no such order, or those of what is done.
pub(super) fn of_order(
    message: &Message<'_>,
    record: &Record,
    run: impl FnOnce(&Message<'_>, Order, &str) -> Result<Value, Refusal>,
) -> Result<Value, Refusal> {
    let number = record.text("payOrdId");
    let mdtrt_id = Order::of(message, record)?.mdtrt_id;
    message.alone(VISIT, &mdtrt_id, |message| run(message, Order::of(message, record)?, number))
}
