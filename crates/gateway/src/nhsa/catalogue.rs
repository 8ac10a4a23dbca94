//! The catalogue by which this hospital's bills are sorted, as it looks it up. The fields are those
//! that a catalogue here has: it knows codes, not names.
//!
//! Invariant: a version names the very bytes of a catalogue and the hospital's level, so whoever
//! has the version has the rows (test `a_version_that_is_known_brings_nothing_again`).

use std::sync::Arc;

use benefit::catalogue::Entry;
use benefit::{Catalogue, Category, HospitalLevel, ItemClass};
use serde_json::{Map, Value, json};

use super::desk::Message;
use super::field::{Code, Field, Form, Node, Record};
use super::refusal::Refusal;
use crate::api::quote::catalogue_of;

/// The scheme whose catalogue is asked for where none is named: employees'.
const USUAL_SCHEME: &str = "310";
/// The most characters of a version.
const VERSION_CHARACTERS: usize = 20;

/// Which scheme's catalogue.
pub(super) const INSUTYPE: Field =
    Field::optional("insutype", Form::Text(6), "险种类型；不填为 310 职工基本医疗保险");
/// Which version of it.
pub(super) const VER: Field = Field::needed("ver", Form::Text(20), "目录版本号");

/// An entry, in a file and on a page.
pub(super) const LINE: Node = Node::one(
    "目录文件（1301等）",
    &[
        Field::needed("med_list_codg", Form::Text(50), "医疗目录编码"),
        Field::needed("med_chrgitm_type", Form::Text(6), "医疗收费项目类别：本平台的分类")
            .of(CATEGORIES),
        Field::needed("chrgitm_lv", Form::Text(3), "收费项目等级").of(LEVELS),
        Field::needed("selfpay_prop", Form::Decimal(7, 6), "先行自付比例；甲类为 0，自费为 1"),
        Field::optional("pric_uplmt_amt", Form::Decimal(16, 6), "本机构等级的定价上限；空为不限"),
        Field::needed("lmt_used_flag", Form::Text(3), "限制使用标志")
            .of(&[("0", "不限"), ("1", "限定的就医、年龄、性别或诊断以外为自费")]),
        Field::needed("begndate", Form::Day, "开始日期"),
        Field::optional("enddate", Form::Day, "结束日期；空为长期"),
        VER,
    ],
);

const LEVELS: &[Code] = &[("01", "甲类"), ("02", "乙类"), ("03", "自费")];

const CATEGORIES: &[Code] = &[
    ("1", "西药"),
    ("2", "中成药"),
    ("3", "中药饮片"),
    ("4", "检查"),
    ("5", "化验"),
    ("6", "影像"),
    ("7", "治疗"),
    ("8", "手术"),
    ("9", "麻醉"),
    ("10", "护理"),
    ("11", "床位"),
    ("12", "材料"),
    ("13", "诊察"),
    ("14", "挂号"),
    ("15", "血液"),
    ("16", "康复"),
    ("17", "口腔"),
    ("18", "假体与辅具"),
    ("19", "产科"),
    ("20", "新生儿"),
    ("21", "膳食"),
    ("22", "救护车"),
    ("23", "预防"),
    ("24", "其他"),
];

/// A catalogue as this hospital sees it today.
pub(super) struct Listed {
    catalogue: Arc<Catalogue>,
    level: HospitalLevel,
    /// Its version.
    pub version: String,
}

impl Listed {
    /// That of the scheme in `insutype`.
    ///
    /// # Errors
    /// When there is none here.
    pub fn of(message: &Message<'_>, record: &Record) -> Result<Self, Refusal> {
        let scheme = message.scheme(record, record.get("insutype").unwrap_or(USUAL_SCHEME))?;
        let (provider, region) = (message.institution.organisation(), message.wallet()?.region);
        let place = (region, scheme, message.today());
        let (root, catalogue, level) = catalogue_of(message.call, provider, place)?;
        let root: String = root.to_string().chars().take(VERSION_CHARACTERS - 3).collect();
        let version = format!("{root}-{:02}", level.number());
        Ok(Self { catalogue, level, version })
    }

    /// Its entries in these categories.
    pub fn entries(&self, categories: &[Category]) -> impl Iterator<Item = Entry<'_>> {
        let entries = self.catalogue.entries(self.level);
        entries.filter(move |entry| categories.contains(&entry.category))
    }

    /// An entry as a record of [`LINE`].
    pub fn record(&self, entry: &Entry<'_>) -> Map<String, Value> {
        let level = match entry.class {
            ItemClass::A => "01",
            ItemClass::B => "02",
            ItemClass::C => "03",
        };
        let share = match entry.class {
            ItemClass::C => "1.000000".to_owned(),
            ItemClass::A | ItemClass::B => {
                let ppm = entry.share.ppm();
                format!("{}.{:06}", ppm / 1_000_000, ppm % 1_000_000)
            }
        };
        let values = [
            ("med_list_codg", json!(entry.code)),
            ("med_chrgitm_type", json!(entry.category.number().to_string())),
            ("chrgitm_lv", json!(level)),
            ("selfpay_prop", json!(share)),
            ("pric_uplmt_amt", json!(entry.price_cap.map(|price| price.to_string()))),
            ("lmt_used_flag", json!(if entry.is_limited { "1" } else { "0" })),
            ("begndate", json!(entry.valid.from)),
            ("enddate", json!(entry.valid.to)),
            ("ver", json!(self.version)),
        ];
        values.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
    }

    /// The same as a line of a file.
    pub fn line(&self, entry: &Entry<'_>) -> String {
        let record = self.record(entry);
        let text = |field: &Field| record.get(field.name).and_then(Value::as_str).unwrap_or("");
        let values: Vec<&str> = LINE.fields.iter().map(text).collect();
        format!("{}\r\n", values.join("\t"))
    }
}
