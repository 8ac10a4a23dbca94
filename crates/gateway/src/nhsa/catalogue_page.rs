//! 1312: the catalogue page by page, or one item. Pages belong together by their version: where the
//! catalogue changed in between, the next page says so.

use serde_json::{Value, json};

use super::catalogue::{INSUTYPE, LINE, Listed, VER};
use super::catalogue_file::all_categories;
use super::desk::Message;
use super::field::{Field, Form, Node, Record};
use super::refusal::Refusal;
use super::{Run, Transaction};

/// The most entries of a page.
const PAGE_MAX: usize = 100;

const INPUT: Node = Node::one(
    "data",
    &[
        Field::optional("hilist_code", Form::Text(50), "医保目录编码；不填为全部"),
        INSUTYPE,
        Field::optional("ver", Form::Text(20), "目录版本号；第2页起必填，取自第1页"),
        Field::needed("page_num", Form::Decimal(6, 0), "当前页数，从1起"),
        Field::needed("page_size", Form::Decimal(3, 0), "本页数据量，1至100"),
    ],
);

const OUTPUT: &[Node] = &[
    Node::one(
        "page",
        &[
            VER,
            Field::needed("pages", Form::Decimal(6, 0), "总页数"),
            Field::needed("recordCounts", Form::Decimal(10, 0), "总数据量"),
            Field::needed("memo", Form::Text(200), "说明"),
        ],
    ),
    Node::list("data", LINE.fields),
];

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "1312",
    name: "医保目录信息查询",
    input: &[INPUT],
    output: OUTPUT,
    run: Run::Answer(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    let count = |name: &str| record.text(name).parse::<usize>().unwrap_or_default();
    let (page, size) = (count("page_num"), count("page_size"));
    if page == 0 {
        return Err(Refusal::at(record.path("page_num"), "从1起；请改正后重发"));
    }
    if size == 0 || size > PAGE_MAX {
        let words = format!("应为1至{PAGE_MAX}；请改正后重发");
        return Err(Refusal::at(record.path("page_size"), words));
    }
    let listed = Listed::of(message, record)?;
    match record.get("ver") {
        None if page > 1 => {
            let words = "第2页起必填；请填写第1页返回的版本号";
            return Err(Refusal::at(record.path("ver"), words));
        }
        Some(version) if version != listed.version => {
            let words = format!("目录已更新为 {}；请从第1页重新查询", listed.version);
            return Err(Refusal::at(record.path("ver"), words));
        }
        _ => {}
    }
    let categories = all_categories();
    let code = record.get("hilist_code");
    let found = listed.entries(&categories);
    let found: Vec<_> = found.filter(|one| code.is_none_or(|code| one.code == code)).collect();
    let pages = found.len().div_ceil(size);
    let words = match (found.len(), page > pages) {
        (0, _) => "没有符合条件的项目",
        (_, true) => "已超过最后一页",
        _ => "成功",
    };
    let rows = found.iter().skip((page - 1).saturating_mul(size)).take(size);
    Ok(json!({
        "page": {
            "ver": listed.version, "pages": pages.to_string(),
            "recordCounts": found.len().to_string(), "memo": words
        },
        "data": rows.map(|entry| listed.record(entry)).collect::<Vec<_>>()
    }))
}
