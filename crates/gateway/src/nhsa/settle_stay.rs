//! 2304: a stay is settled once the patient is discharged: `settle_visit`, as an outpatient visit.

use serde_json::Value;

use super::desk::{Care, Message};
use super::field::Record;
use super::preview::{Claimed, OUTPUT};
use super::preview_stay::INPUT;
use super::refusal::Refusal;
use super::settle::settle;
use super::{Run, Transaction};

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "2304",
    name: "住院结算",
    input: &[INPUT],
    output: OUTPUT,
    run: Run::OfVisit(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    let claimed = Claimed::read(message, record, Care::Stay)?;
    if message.discharged(record.text("mdtrt_id"))?.is_none() {
        let words = "尚未办理出院；请先做2402出院办理";
        return Err(Refusal::at(record.path("mdtrt_id"), words));
    }
    settle(message, record, &claimed)
}
