//! 9102: a file goes out. The answer is the file itself; what is refused is an envelope.

use super::desk::Message;
use super::field::{Field, Form, Node, Record};
use super::refusal::Refusal;
use super::{Run, Transaction};

const INPUT: Node = Node::one(
    "fsDownloadIn",
    &[
        Field::needed("file_qury_no", Form::Text(30), "文件查询号，来自3202或9101"),
        Field::needed("filename", Form::Text(200), "文件名，与文件查询号一起返回的"),
        Field::optional("fixmedins_code", Form::Text(12), "医药机构编号"),
    ],
);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "9102",
    name: "文件下载",
    input: &[INPUT],
    output: &[],
    run: Run::File(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Vec<u8>, Refusal> {
    let file = message.stored_file(record)?;
    if file.name != record.text("filename") {
        let words = "与该文件查询号的文件名不一致；请按3202或9101返回的填写";
        return Err(Refusal::at(record.path("filename"), words));
    }
    Ok(file.bytes)
}
