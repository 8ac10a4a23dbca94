//! 9101: a file comes in, for a transaction that reads it (3202). It is kept sealed, for some days.

use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};

use super::desk::{Message, damaged};
use super::field::{Field, Form, Node, Record};
use super::file::{FILE_MESSAGE_BYTES_MAX, StoredFile};
use super::refusal::Refusal;
use super::{Run, Transaction};

const INPUT: Node = Node::one(
    "fsUploadIn",
    &[
        Field::needed("in", Form::Bytes(FILE_MESSAGE_BYTES_MAX), "文件内容：Base64，或字节数组"),
        Field::needed("filename", Form::Text(200), "文件名"),
        Field::optional("fixmedins_code", Form::Text(12), "医药机构编号"),
    ],
);

const OUTPUT: Node = Node::one(
    "data",
    &[
        Field::needed("file_qury_no", Form::Text(30), "文件查询号"),
        Field::needed("filename", Form::Text(200), "文件名"),
        Field::needed("fixmedins_code", Form::Text(12), "医药机构编号"),
    ],
);

pub(super) const NUMBER: &str = "9101";

pub(super) static TRANSACTION: Transaction = Transaction {
    number: NUMBER,
    name: "文件上传",
    input: &[INPUT],
    output: &[OUTPUT],
    run: Run::Answer(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    let bytes = Base64::decode_vec(record.text("in")).map_err(damaged)?;
    let name = record.text("filename");
    let (number, _) = message.keep_file(&StoredFile { name: name.to_owned(), bytes })?;
    let code = message.envelope.fields.text("fixmedins_code");
    Ok(json!({ "data": {
        "file_qury_no": number, "filename": name, "fixmedins_code": code
    } }))
}
