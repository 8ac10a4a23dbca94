//! 2303: what the settlement of a stay would come to. Nothing is kept.

use serde_json::Value;

use super::desk::{Care, Message};
use super::field::{INSUTYPE, MDTRT_ID, Node, PSN_NO, Record};
use super::identify::{CERT_NO, CERT_TYPE};
use super::preview::{
    ACCT_USED_FLAG, Claimed, INVONO, MEDFEE_SUMAMT, OUTPUT, PSN_SETLWAY, SUMS, preview,
};
use super::refusal::Refusal;
use super::{Run, Transaction};

/// What is asked of the settlement of a stay and of its preview.
pub(super) const INPUT: Node = Node::one(
    "data",
    &[
        PSN_NO,
        CERT_TYPE,
        CERT_NO,
        MEDFEE_SUMAMT,
        PSN_SETLWAY,
        MDTRT_ID,
        ACCT_USED_FLAG,
        INSUTYPE,
        INVONO,
        SUMS[0],
        SUMS[1],
        SUMS[2],
        SUMS[3],
    ],
);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "2303",
    name: "住院预结算",
    input: &[INPUT],
    output: OUTPUT,
    run: Run::Answer(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    preview(message, record, &Claimed::read(message, record, Care::Stay)?)
}
