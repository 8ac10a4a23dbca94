//! The tables of all messages as programs and people read them.

use serde_json::{Value, json};

use super::envelope::ENVELOPE;
use super::field::Node;
use super::{TRANSACTIONS, WITH_VARIANT, catalogue, reconcile_details};

/// The lines of files that go to and fro.
static FILES: &[Node] = &[reconcile_details::LINE, reconcile_details::RESULT_LINE, catalogue::LINE];

/// The tables of all messages, for clients and their makers.
#[must_use]
pub fn messages() -> Value {
    let described = |nodes: &[Node]| nodes.iter().map(Node::described).collect::<Vec<_>>();
    let transactions: Vec<Value> = TRANSACTIONS
        .iter()
        .map(|one| {
            json!({
                "infno": one.number, "name": one.name,
                "variant": WITH_VARIANT.contains(&one.number).then(|| format!("{}A", one.number)),
                "input": described(one.input), "output": described(one.output)
            })
        })
        .collect();
    json!({
        "about": "the messages of the national interface at POST /nhsa/v1; see docs/guide/hospital-it.md",
        "envelope": ENVELOPE.described()["fields"],
        "files": described(FILES),
        "transactions": transactions
    })
}

/// The same as a page to read, in Chinese as its readers are.
#[must_use]
pub fn reference() -> String {
    let mut page = String::from(
        "# 报文字段\n\n由字段表生成（`make contract`），校验所用的也是同一张表。说明见 [hospital-it.md](hospital-it.md)。\n",
    );
    page.push_str("\n## 报文外层\n\n");
    write_fields(&mut page, &ENVELOPE);
    page.push_str("\n## 文件\n\nUTF-8 文本（或只含一个文本的 ZIP），一行一笔，各列按表中次序，以制表符分隔，没有表头。\n");
    for file in FILES {
        page.push_str(&format!("\n{}\n\n", file.name));
        write_fields(&mut page, file);
    }
    for one in TRANSACTIONS {
        page.push_str(&format!("\n## {} {}\n", one.number, one.name));
        for (what, nodes) in [("输入", one.input), ("输出", one.output)] {
            for node in nodes {
                let list = if node.is_list { "（数组）" } else { "" };
                page.push_str(&format!("\n{what} `{}`{list}\n\n", node.name));
                write_fields(&mut page, node);
            }
        }
    }
    page
}

fn write_fields(page: &mut String, node: &Node) {
    page.push_str("| 字段 | 类型 | 必填 | 含义 |\n|---|---|---|---|\n");
    for field in node.fields {
        let needed = if field.is_needed { "是" } else { "" };
        let codes: Vec<String> =
            field.codes.iter().map(|(code, words)| format!("{code} {words}")).collect();
        let alias = match field.alias {
            "" => String::new(),
            alias => format!("（或 `{alias}`）"),
        };
        let meaning = [&[field.meaning.to_owned()], codes.as_slice()].concat().join("；");
        let (name, form) = (field.name, field.form);
        page.push_str(&format!("| `{name}`{alias} | {form} | {needed} | {meaning} |\n"));
    }
}
