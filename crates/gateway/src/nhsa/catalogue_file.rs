//! 1301 to 1315: a part of the catalogue as a file for 9102, where it is another version than the
//! one that the hospital has. A part of which there is nothing here says so.

use benefit::Category;
use serde_json::{Value, json};

use super::catalogue::{INSUTYPE, Listed, VER};
use super::desk::Message;
use super::field::{Field, Form, Node, Record};
use super::file::{StoredFile, packed};
use super::refusal::Refusal;
use super::{Run, Transaction, clock_time};

const INPUT: Node = Node::one(
    "data",
    &[Field::needed("ver", Form::Text(20), "本机构现有的版本号；第一次下载填 0"), INSUTYPE],
);

const OUTPUT: Node = Node::one(
    "data",
    &[
        Field::optional("file_qury_no", Form::Text(30), "文件查询号，供9102下载；没有行时为空"),
        Field::optional("filename", Form::Text(200), "文件名"),
        Field::optional("dld_end_time", Form::Instant, "下载截止时间"),
        Field::needed("data_cnt", Form::Decimal(10, 0), "数据量（行）"),
        VER,
        Field::needed("memo", Form::Text(200), "说明"),
    ],
);

const fn download(number: &'static str, name: &'static str) -> Transaction {
    Transaction { number, name, input: &[INPUT], output: &[OUTPUT], run: Run::Answer(run) }
}

pub(super) static MEDICINES: Transaction = download("1301", "西药中成药目录下载");
pub(super) static HERBS: Transaction = download("1302", "中药饮片目录下载");
pub(super) static PREPARATIONS: Transaction = download("1303", "医疗机构制剂目录下载");
pub(super) static SERVICES: Transaction = download("1305", "医疗服务项目目录下载");
pub(super) static MATERIALS: Transaction = download("1306", "医用耗材目录下载");
pub(super) static DIAGNOSES: Transaction = download("1307", "疾病与诊断目录下载");
pub(super) static OPERATIONS: Transaction = download("1308", "手术操作目录下载");
pub(super) static CHRONIC_DISEASES: Transaction = download("1309", "门诊慢特病种目录下载");
pub(super) static DISEASES_PAID_BY_CASE: Transaction = download("1310", "按病种付费病种目录下载");
pub(super) static DAY_SURGERY: Transaction = download("1311", "日间手术治疗病种目录下载");
pub(super) static TUMOURS: Transaction = download("1313", "肿瘤形态学目录下载");
pub(super) static CHINESE_DISEASES: Transaction = download("1314", "中医疾病目录下载");
pub(super) static CHINESE_SYNDROMES: Transaction = download("1315", "中医证候目录下载");

/// Which categories of our catalogue a part has; one that is not here has none.
const PARTS: &[(&str, &[Category])] = &[
    ("1301", &[Category::WesternMedicine, Category::ChinesePatentMedicine]),
    ("1302", &[Category::HerbalMedicine]),
    ("1305", SERVICE_CATEGORIES),
    ("1306", &[Category::Material, Category::Prosthesis]),
];

const SERVICE_CATEGORIES: &[Category] = &[
    Category::Examination,
    Category::Laboratory,
    Category::Imaging,
    Category::Treatment,
    Category::Surgery,
    Category::Anaesthesia,
    Category::Nursing,
    Category::Bed,
    Category::Consultation,
    Category::Registration,
    Category::Blood,
    Category::Rehabilitation,
    Category::Dental,
    Category::MaternityCare,
    Category::NewbornCare,
    Category::Meals,
    Category::Ambulance,
    Category::Prevention,
    Category::Other,
];

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    let number = message.envelope.fields.text("infno");
    let listed = Listed::of(message, record)?;
    let empty = |words: &str| {
        Ok(json!({ "data": {
            "file_qury_no": null, "filename": null, "dld_end_time": null, "data_cnt": "0",
            "ver": listed.version, "memo": words
        } }))
    };
    let part = PARTS.iter().find(|(part, _)| *part == number);
    let Some((_, categories)) = part else {
        return empty("本平台不维护这类目录，没有数据；请使用国家公布的目录");
    };
    if record.text("ver") == listed.version {
        return empty("已是最新版本，没有更新");
    }
    let text: String = listed.entries(categories).map(|entry| listed.line(&entry)).collect();
    let count = text.lines().count();
    if count == 0 {
        return empty("本统筹区的目录中没有这类项目");
    }
    let name = format!("{number}_{}.txt", listed.version);
    let file = StoredFile { bytes: packed(&name, &text)?, name: name.replace(".txt", ".zip") };
    let (query, until) = message.keep_file(&file)?;
    Ok(json!({ "data": {
        "file_qury_no": query, "filename": file.name, "dld_end_time": clock_time(until),
        "data_cnt": count.to_string(), "ver": listed.version,
        "memo": "请用9102下载；整份替换本机构的旧版本"
    } }))
}

/// Every category that a part of the catalogue has.
pub(super) fn all_categories() -> Vec<Category> {
    PARTS.iter().flat_map(|(_, categories)| categories.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_category_is_in_one_part() {
        let mut all = all_categories();
        assert_eq!(all.len(), Category::ALL.len());
        all.sort_by_key(|category| category.number());
        all.dedup();
        assert_eq!(all, Category::ALL);
    }
}
