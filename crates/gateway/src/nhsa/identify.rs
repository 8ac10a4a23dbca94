//! 1101: who stands at the counter, and what covers them. The code of a wallet counts once; an
//! identity number needs the name with it.

use adapters::identity::Identity;
use benefit::Sex;
use ledger::modules::coverage;
use ledger::modules::coverage::Coverage;
use primitives::{PersonId, UtcOffset};
use serde_json::{Value, json};

use super::desk::{KnownPerson, Message};
use super::field::{Field, Form, INSUTYPE, Node, Record};
use super::profile::AreaSpelling;
use super::refusal::Refusal;
use super::{CLOCK_MINUTES, Run, Transaction};
use crate::api::code::use_shown_code;
use crate::api::identity::Tries;
use crate::api::person::{CoverageStanding, standing_on};
use crate::api::wallet;
use crate::session::limit::Place;

/// Kinds of certificate that are taken.
pub(super) const CERTIFICATES: &[(&str, &str)] =
    &[("01", "医保电子凭证动态码"), ("02", "居民身份证")];

/// What somebody shows, and had shown when they were identified.
pub(super) const CERT_TYPE: Field =
    Field::needed("mdtrt_cert_type", Form::Text(3), "就诊凭证类型").of(CERTIFICATES);
pub(super) const CERT_NO: Field =
    Field::needed("mdtrt_cert_no", Form::Text(50), "就诊凭证编号，与1101相同");

const INPUT: Node = Node::one(
    "data",
    &[
        Field::needed("mdtrt_cert_type", Form::Text(3), "就诊凭证类型").of(CERTIFICATES),
        Field::needed("mdtrt_cert_no", Form::Text(50), "就诊凭证编号：动态码14位，或身份证号"),
        Field::optional("psn_name", Form::Text(50), "人员姓名；凭身份证时必填"),
        Field::optional("certno", Form::Text(50), "证件号码"),
        Field::optional("begntime", Form::Day, "开始时间"),
    ],
);

const OUTPUT: &[Node] = &[
    Node::one(
        "baseinfo",
        &[
            Field::needed("psn_no", Form::Text(30), "人员编号，仅在本机构有效"),
            Field::needed("psn_name", Form::Text(50), "人员姓名"),
            Field::optional("certno", Form::Text(50), "证件号码；凭动态码时只有后四位"),
            Field::needed("gend", Form::Text(6), "性别：1 男、2 女、9 未说明"),
        ],
    ),
    Node::list(
        "insuinfo",
        &[
            INSUTYPE,
            Field::needed("psn_insu_stas", Form::Text(6), "人员参保状态：1 正常、2 暂停、4 终止"),
            Field::needed("psn_insu_date", Form::Day, "参保日期"),
            Field::needed("insuplc_admdvs", Form::Text(6), "参保地区划"),
        ],
    ),
    Node::list("idetinfo", &[]),
];

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "1101",
    name: "人员信息获取",
    input: &[INPUT],
    output: OUTPUT,
    run: Run::Answer(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    let person = identified(message, record)?;
    let known = message.wallet()?.directory.person(person)?;
    let known = known.ok_or_else(|| nobody(record))?;
    let number = message.keep_person(&KnownPerson {
        person,
        name: known.name.clone(),
        certificate: record.text("mdtrt_cert_type").to_owned(),
        shown: message.name("shown", record.text("mdtrt_cert_no").as_bytes()),
        day: message.today(),
    })?;
    let row = coverage::view::coverage(&message.call.view.state, person);
    let coverages = row.map(|row| row.coverages).unwrap_or_default();
    let sex = coverages.iter().flat_map(|one| &one.facts).next_back().map(|facts| facts.sex);
    let insured: Vec<Value> = coverages.iter().map(|one| insurance(message, one)).collect();
    let certificate = match record.text("mdtrt_cert_type") {
        "02" => record.text("mdtrt_cert_no").to_owned(),
        _ => known.number_end,
    };
    Ok(json!({
        "baseinfo": {
            "psn_no": number, "psn_name": known.name, "certno": certificate, "gend": gender(sex),
            "naty": null, "brdy": null, "age": null
        },
        "insuinfo": insured,
        "idetinfo": []
    }))
}

const fn gender(sex: Option<Sex>) -> &'static str {
    match sex {
        Some(Sex::Male) => "1",
        Some(Sex::Female) => "2",
        Some(Sex::Unstated) | None => "9",
    }
}

/// Whose certificate it is.
fn identified(message: &Message<'_>, record: &Record) -> Result<PersonId, Refusal> {
    let call = message.call;
    let party = primitives::Party::Organisation(message.institution.organisation());
    let number = record.text("mdtrt_cert_no");
    // A hospital's system is one address for all its counters: who mistypes keeps nobody else
    // waiting.
    let workplace = Place::within(party, "workplace", message.envelope.fields.text("opter"));
    if record.text("mdtrt_cert_type") == "01" {
        return Ok(use_shown_code(call, workplace, number)?.0.person);
    }
    let name = record.get("psn_name").ok_or_else(|| {
        Refusal::at(record.path("psn_name"), "凭身份证时必填；请按证件填写姓名后重发")
    })?;
    let identity = Identity { name: name.to_owned(), number: number.to_owned() };
    let tries = Tries::of(call, (party, workplace), &identity)
        .map_err(|_| Refusal::for_now("姓名与证件号不符的次数过多；请稍后再试"))?;
    let found = wallet::identified(call, &*message.wallet()?, &identity)?;
    found.ok_or_else(|| {
        tries.failed();
        nobody(record)
    })
}

fn nobody(record: &Record) -> Refusal {
    let words = "姓名与证件号不符，或此人未在本统筹区参保；请核对证件后重发";
    Refusal::at(record.path("mdtrt_cert_no"), words)
}

fn insurance(message: &Message<'_>, one: &Coverage) -> Value {
    let today = message.call.instant().day(UtcOffset(CLOCK_MINUTES));
    let standing = match standing_on(one, today) {
        CoverageStanding::Active => "1",
        CoverageStanding::NotYet | CoverageStanding::Waiting | CoverageStanding::Suspended => "2",
        CoverageStanding::Ended => "4",
    };
    let area = match message.institution.profile.area_spelling {
        AreaSpelling::Admvs => "insuplc_admvs",
        AreaSpelling::Admdvs => "insuplc_admdvs",
    };
    json!({
        // The balance is the person's own: the wallet shows it, and no desk asks for it.
        "balc": null,
        "insutype": one.scheme.0.to_string(),
        "psn_type": null,
        "psn_insu_stas": standing,
        "psn_insu_date": one.period.from,
        "paus_insu_date": null,
        "cvlserv_flag": "0",
        (area): one.region.0.to_string(),
        "emp_name": null
    })
}
