//! 3506: something that was sold comes back. A trace code comes back only where it was sold.

use serde_json::Value;

use super::desk::Message;
use super::field::Record;
use super::refusal::Refusal;
use super::sale::{INPUT, OUTPUT, codes_of, done, sale_day};
use super::trace::CODES;
use super::{Run, Transaction};

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "3506",
    name: "商品销售退货",
    input: &[INPUT, CODES],
    output: &[OUTPUT],
    run: Run::Answer(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    let codes = codes_of(message, record)?;
    sale_day(message, record)?;
    let _one_sale = message.one_sale();
    for code in &codes {
        if message.sold(code)? == 0 {
            // The code itself is not said again: answers are kept.
            let words = "所列追溯码中有一个在本机构没有销售，或已退货；请核对追溯码";
            return Err(Refusal::at(record.path("drug_trac_codg"), words));
        }
    }
    message.keep_sale(record)?;
    message.keep_traces(
        (&codes, message.envelope.msgid()),
        true,
        record.text("trdn_flag") == "1",
    )?;
    Ok(done())
}
