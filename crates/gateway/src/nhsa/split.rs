//! What a bill comes to, in the interface's fields. Components are computed; the sum of the funds
//! follows the region's profile.

use benefit::{Explanation, ItemClass, Payer, SortedLine};
use ledger::modules::visit::{Split, VisitSubject};
use primitives::{Amount, Hash, SchemeId};
use serde_json::{Value, json};

use super::desk::{KnownLine, Message, bill_of};
use super::field::{Field, Form, INSUTYPE, MDTRT_ID, PSN_NO, yuan};
use super::profile::Profile;
use super::refusal::Refusal;
use super::statement::{CLEARING_TYPES, clearing_of};
use crate::api::quote::sorted_bill;
use crate::call::Call;

/// The longest `setl_proc_info`.
const WORDS_MAX: usize = 4_000;

const MONEY: Form = Form::Decimal(16, 2);

/// What is said of a line.
pub(super) const LINE_OUTPUT: &[Field] = &[
    Field::needed("feedetl_sn", Form::Text(30), "费用明细流水号"),
    Field::needed("det_item_fee_sumamt", MONEY, "明细项目费用总额"),
    Field::needed("cnt", Form::Decimal(16, 4), "数量"),
    Field::needed("pric", Form::Decimal(16, 6), "单价"),
    Field::needed("selfpay_prop", Form::Decimal(5, 4), "自付比例：全自费与先行自付之和占总额"),
    Field::needed("fulamt_ownpay_amt", MONEY, "全自费金额"),
    Field::needed("overlmt_amt", MONEY, "超限价金额"),
    Field::needed("preselfpay_amt", MONEY, "先行自付金额"),
    Field::needed("inscp_scp_amt", MONEY, "符合政策范围金额"),
    Field::needed("chrgitm_lv", Form::Text(3), "收费项目等级：01 甲类、02 乙类、03 自费"),
];

/// The figures of a settlement.
pub(super) const FIGURES: &[Field] = &[
    MDTRT_ID,
    Field::optional("setl_id", Form::Text(30), "结算 ID；预结算没有"),
    PSN_NO,
    Field::needed("psn_name", Form::Text(50), "人员姓名"),
    INSUTYPE,
    Field::needed("clr_type", Form::Text(6), "清算类别").of(CLEARING_TYPES),
    Field::needed("clr_optins", Form::Text(6), "清算经办机构，即参保地区划"),
    Field::optional("setl_time", Form::Instant, "结算时间；预结算没有"),
    Field::needed("medins_setl_id", Form::Text(30), "医药机构结算 ID，即报文编号"),
    Field::needed("medfee_sumamt", MONEY, "医疗费总额"),
    Field::needed("fulamt_ownpay_amt", MONEY, "全自费金额"),
    Field::needed("overlmt_selfpay", MONEY, "超限价自费费用"),
    Field::needed("preselfpay_amt", MONEY, "先行自付金额"),
    Field::needed("inscp_scp_amt", MONEY, "符合政策范围金额"),
    Field::needed("act_pay_dedc", MONEY, "实际支付起付线"),
    Field::needed("hifp_pay", MONEY, "基本医疗保险统筹基金支出"),
    Field::needed("pool_prop_selfpay", Form::Decimal(5, 4), "基本医疗保险统筹基金支付比例"),
    Field::needed("cvlserv_pay", MONEY, "公务员医疗补助资金支出"),
    Field::needed("hifes_pay", MONEY, "企业补充医疗保险基金支出"),
    Field::needed("hifmi_pay", MONEY, "居民大病保险资金支出"),
    Field::needed("hifob_pay", MONEY, "职工大额医疗费用补助基金支出"),
    Field::needed("maf_pay", MONEY, "医疗救助基金支出"),
    Field::needed("oth_pay", MONEY, "其他支出"),
    Field::needed("fund_pay_sumamt", MONEY, "基金支付总额；是否含个人账户见机构配置"),
    Field::needed("psn_part_amt", MONEY, "个人负担总金额"),
    Field::needed("acct_pay", MONEY, "个人账户支出"),
    Field::needed("acct_mulaid_pay", MONEY, "个人账户共济支付金额"),
    Field::needed("psn_cash_pay", MONEY, "个人现金支出"),
    Field::needed("hosp_part_amt", MONEY, "医院负担金额"),
    Field::optional("exp_content", Form::Text(200), EXTENDED),
];

/// What `exp_content` is.
const EXTENDED: &str =
    "扩展内容：JSON，`transaction_id` 为该结算在共享账本上的交易编号，凭此可独立核验；预结算没有";

/// `exp_content` of what this transaction did on the ledger: whoever has it can have it proved.
pub(super) fn extended(transaction: &Hash) -> Value {
    json!(json!({ "transaction_id": transaction }).to_string())
}

/// What each fund pays.
pub(super) const DETAIL: &[Field] = &[
    Field::needed("fund_pay_type", Form::Text(6), "基金支付类型"),
    Field::needed("fund_pay_type_name", Form::Text(100), "基金支付类型名称"),
    Field::needed("inscp_scp_amt", MONEY, "符合政策范围金额"),
    Field::needed("fund_payamt", MONEY, "基金支付金额"),
    Field::needed("setl_proc_info", Form::Text(WORDS_MAX), "结算过程信息：逐步说明"),
];

/// What becomes of each of these lines.
///
/// # Errors
/// When they cannot be sorted.
pub(super) fn lines_of(
    call: &Call,
    subject: &VisitSubject,
    lines: &[KnownLine],
    diagnosis_groups: &[String],
) -> Result<Vec<Value>, Refusal> {
    let (_, sorted) = sorted_bill(call, subject, bill_of(lines, diagnosis_groups)?)?;
    Ok(lines.iter().zip(&sorted).map(|(line, sorted)| line_of(line, sorted)).collect())
}

fn line_of(line: &KnownLine, sorted: &SortedLine) -> Value {
    let amount = Amount::from_minor(line.amount);
    let own = sorted.self_paid.saturating_add(sorted.class_b_share);
    let level = match sorted.class {
        ItemClass::A => "01",
        ItemClass::B => "02",
        ItemClass::C => "03",
    };
    json!({
        "feedetl_sn": line.feedetl_sn,
        "det_item_fee_sumamt": yuan(amount),
        "cnt": line.quantity,
        "pric": line.price,
        "selfpay_prop": share(own, amount),
        "fulamt_ownpay_amt": yuan(sorted.self_paid),
        "overlmt_amt": yuan(sorted.over_cap),
        "preselfpay_amt": yuan(sorted.class_b_share),
        "inscp_scp_amt": yuan(sorted.in_policy),
        "chrgitm_lv": level
    })
}

/// A part of a whole with four decimals, the rest cut off.
fn share(part: Amount, whole: Amount) -> String {
    let whole = u128::from(whole.minor()).max(1);
    let parts = u128::from(part.minor()) * 10_000 / whole;
    format!("{}.{:04}", parts / 10_000, parts % 10_000)
}

/// What a settlement is about, for its answer.
pub(super) struct Settled<'a> {
    /// `mdtrt_id`.
    pub mdtrt_id: &'a str,
    /// `setl_id`, once it is settled.
    pub setl_id: Option<String>,
    /// The transaction that settled it.
    pub transaction: Option<Hash>,
    /// `psn_no`.
    pub psn_no: &'a str,
    /// The name.
    pub name: &'a str,
    /// What the visit is about.
    pub subject: &'a VisitSubject,
    /// When it was settled, as the interface writes it.
    pub time: Option<String>,
}

/// `setlinfo` and `setldetail`.
pub(super) fn answer(
    message: &Message<'_>,
    settled: &Settled<'_>,
    split: &Split,
    explanation: Option<&Explanation>,
) -> Value {
    let paid = |payer: Payer| {
        let share = split.payers.iter().find(|share| share.payer == payer);
        share.map_or(Amount::ZERO, |share| share.amount)
    };
    let sum = |parts: &[Amount]| parts.iter().copied().fold(Amount::ZERO, Amount::saturating_add);
    let (hospital, pool) = (paid(Payer::HospitalBorne), paid(Payer::PooledFund));
    let funds = all_funds(split);
    let named = sum(&NAMED.map(paid));
    let account = split.personal_account;
    let told = fund_pay(&message.institution.profile, split);
    let above = split.in_policy.saturating_sub(split.deductible);
    let info = json!({
        "mdtrt_id": settled.mdtrt_id, "setl_id": settled.setl_id, "psn_no": settled.psn_no,
        "psn_name": settled.name, "insutype": settled.subject.scheme.0.to_string(),
        "clr_type": clearing_of(settled.subject.visit_type),
        "clr_optins": settled.subject.region.0.to_string(),
        "setl_time": settled.time,
        "medins_setl_id": message.envelope.msgid(),
        "medfee_sumamt": yuan(split.total),
        "fulamt_ownpay_amt": yuan(split.self_paid),
        "overlmt_selfpay": yuan(split.over_cap),
        "preselfpay_amt": yuan(split.class_b_share),
        "inscp_scp_amt": yuan(split.in_policy),
        "act_pay_dedc": yuan(split.deductible),
        "hifp_pay": yuan(pool),
        "pool_prop_selfpay": share(pool, above),
        "cvlserv_pay": yuan(paid(Payer::CivilServantSupplement)),
        "hifes_pay": yuan(paid(Payer::EnterpriseSupplement)),
        "hifmi_pay": yuan(paid(Payer::CriticalIllness)),
        "hifob_pay": yuan(paid(Payer::LargeAmount)),
        "maf_pay": yuan(paid(Payer::MedicalAssistance)),
        "oth_pay": yuan(funds.saturating_sub(named)),
        "fund_pay_sumamt": yuan(told),
        "psn_part_amt": yuan(sum(&[account, split.family_accounts, split.cash])),
        "acct_pay": yuan(account),
        "acct_mulaid_pay": yuan(split.family_accounts),
        "psn_cash_pay": yuan(split.cash),
        "hosp_part_amt": yuan(hospital),
        "exp_content": settled.transaction.as_ref().map(extended)
    });
    let words = explanation.map(words).unwrap_or_default();
    let detail = split.payers.iter().map(|share| {
        let (code, name) = fund(share.payer, settled.subject.scheme);
        json!({
            "fund_pay_type": code, "fund_pay_type_name": name,
            "inscp_scp_amt": yuan(split.in_policy), "fund_payamt": yuan(share.amount),
            "setl_proc_info": words
        })
    });
    json!({ "setlinfo": info, "setldetail": detail.collect::<Vec<_>>() })
}

/// What the funds pay, without the personal account.
fn all_funds(split: &Split) -> Amount {
    let paid = split.payers.iter().filter(|share| share.payer != Payer::HospitalBorne);
    paid.map(|share| share.amount).fold(Amount::ZERO, Amount::saturating_add)
}

/// What the funds pay and what the hospital bears.
pub(super) fn funds_of(split: &Split) -> (Amount, Amount) {
    let borne = split.payers.iter().filter(|share| share.payer == Payer::HospitalBorne);
    let borne = borne.map(|share| share.amount).fold(Amount::ZERO, Amount::saturating_add);
    (all_funds(split), borne)
}

/// `fund_pay_sumamt` as the hospital's region has it.
pub(super) fn fund_pay(profile: &Profile, split: &Split) -> Amount {
    let funds = all_funds(split);
    if profile.fund_pay_includes_account {
        funds.saturating_add(split.personal_account)
    } else {
        funds
    }
}

/// The payers with a field of their own.
const NAMED: [Payer; 6] = [
    Payer::PooledFund,
    Payer::CivilServantSupplement,
    Payer::EnterpriseSupplement,
    Payer::CriticalIllness,
    Payer::LargeAmount,
    Payer::MedicalAssistance,
];

/// The explanation as one text.
fn words(explanation: &Explanation) -> String {
    let steps = explanation.steps.iter().map(|step| {
        let sentences = step.sentences.join("；");
        format!("{}：{sentences}", step.title)
    });
    let all: Vec<String> = std::iter::once(explanation.headline.clone()).chain(steps).collect();
    all.join("\n").chars().take(WORDS_MAX).collect()
}

/// Residents' schemes have a pool of their own.
const RESIDENT: SchemeId = SchemeId(390);

/// The code and name of the fund that pays for a payer in a scheme.
pub(super) const fn fund(payer: Payer, scheme: SchemeId) -> (&'static str, &'static str) {
    match payer {
        Payer::PooledFund if scheme.0 == RESIDENT.0 => ("390100", "城乡居民基本医疗保险统筹基金"),
        Payer::PooledFund => ("310100", "职工基本医疗保险统筹基金"),
        Payer::CivilServantSupplement => ("320100", "公务员医疗补助基金"),
        Payer::LargeAmount => ("330100", "大额医疗费用补助基金"),
        Payer::EnterpriseSupplement => ("370100", "企业补充医疗保险基金"),
        Payer::CriticalIllness => ("390200", "城乡居民大病医疗保险资金"),
        Payer::Maternity => ("510100", "生育基金"),
        Payer::MedicalAssistance => ("610100", "医疗救助基金"),
        Payer::CommercialSupplement => ("620100", "特惠保补偿"),
        Payer::HospitalBorne => ("630100", "医院减免金额"),
        _ => ("999997", "其他基金"),
    }
}
