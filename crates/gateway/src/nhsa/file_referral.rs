//! 2501: a hospital refers somebody to care elsewhere: `record_filing`. Where the care takes place
//! stands on the ledger, why does not.

use benefit::Filing;
use ledger::modules::coverage::RecordFiling;
use primitives::RegionId;
use serde_json::Value;

use super::desk::Message;
use super::field::{Field, Form, INSUTYPE, Node, PSN_NO, Record};
use super::filing::{BEGNDATE, ENDDATE, Filer, OUTPUT, TEL, free};
use super::refusal::Refusal;
use super::{Run, Transaction};

const INPUT: Node = Node::one(
    "refmedin",
    &[
        PSN_NO,
        INSUTYPE,
        TEL,
        Field::needed(
            "mdtrtarea_admdvs",
            Form::Text(6),
            "转往就医地区划；省级或市级码代表其全部地区",
        )
        .or("mdtrtarea_admvs"),
        Field::needed("diag_code", Form::Text(20), "诊断代码"),
        Field::needed("diag_name", Form::Text(100), "诊断名称"),
        Field::optional("dise_cond_dscr", Form::Text(2_000), "疾病病情描述"),
        Field::optional("reflin_medins_no", Form::Text(12), "转往医院编号"),
        Field::optional("reflin_medins_name", Form::Text(200), "转往医院名称"),
        Field::needed("hosp_agre_refl_flag", Form::Text(3), "医院同意转院标志")
            .of(&[("1", "同意")]),
        Field::needed("refl_rea", Form::Text(100), "转院原因"),
        Field::optional("refl_opnn", Form::Text(200), "转院意见"),
        BEGNDATE,
        ENDDATE,
    ],
);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "2501",
    name: "转院备案",
    input: &[INPUT],
    output: &[OUTPUT],
    run: Run::Answer(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    let filer = Filer::read(message, record)?;
    if !message.institution.profile.refers {
        let words = "经办机构未委托本机构办理转院备案；请参保人到经办机构办理";
        return Err(Refusal::at(record.path("hosp_agre_refl_flag"), words));
    }
    let home = filer.coverage.region;
    let place = record.text("mdtrtarea_admdvs").parse().ok().map(RegionId);
    let place = place.filter(|place| *place != home).ok_or_else(|| {
        let words = format!("应为参保地 {} 以外的六位区划；请改正后重发", home.0);
        Refusal::at(record.path("mdtrtarea_admdvs"), words)
    })?;
    let commitment = filer.commitment(message);
    filer.file(message, record, &format!("referral/{}", place.0), || {
        let taken = filer.coverage.filings.iter().map(|one| one.number);
        RecordFiling {
            person: filer.person,
            region: home,
            scheme: filer.coverage.scheme,
            number: free(taken.collect()),
            filing: Filing::Referral,
            place,
            period: filer.period,
            commitment,
        }
    })
}
