//! Messages as tables of fields: validation, the contract and the guide read the same rows.

use std::collections::BTreeMap;

use base64ct::{Base64, Encoding as _};
use benefit::decimal::DecimalText;
use primitives::{Amount, CivilDate, Currency};
use serde_json::{Map, Value, json};

use super::refusal::Refusal;

/// A value of a code set and its meaning.
pub type Code = (&'static str, &'static str);

/// What a field's value looks like.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// Text of at most so many characters.
    Text(usize),
    /// A decimal number of at most so many digits, of which so many stand behind the point.
    Decimal(usize, usize),
    /// The same with a minus sign, where one is.
    Signed(usize, usize),
    /// At most so many bytes: as Base64, or as a list of their values, with or without sign.
    Bytes(usize),
    /// A day, `2026-01-31`; a time behind it is not looked at.
    Day,
    /// An instant of the region's clock, `2026-01-31 08:30:00`.
    Instant,
}

/// A field of a message.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Another spelling that is in use.
    pub alias: &'static str,
    /// What its value looks like.
    pub form: Form,
    /// Whether it must be there.
    pub is_needed: bool,
    /// The values that it may have; none for any.
    pub codes: &'static [Code],
    /// What it means, in Chinese.
    pub meaning: &'static str,
}

impl Field {
    /// A field that must be there.
    #[must_use]
    pub const fn needed(name: &'static str, form: Form, meaning: &'static str) -> Self {
        Self { name, alias: "", form, is_needed: true, codes: &[], meaning }
    }

    /// A field that may be left out.
    #[must_use]
    pub const fn optional(name: &'static str, form: Form, meaning: &'static str) -> Self {
        Self { name, alias: "", form, is_needed: false, codes: &[], meaning }
    }

    /// The same with a code set.
    #[must_use]
    pub const fn of(mut self, codes: &'static [Code]) -> Self {
        self.codes = codes;
        self
    }

    /// The same with a second spelling.
    #[must_use]
    pub const fn or(mut self, alias: &'static str) -> Self {
        self.alias = alias;
        self
    }

    fn described(&self) -> Value {
        let (form, length) = match self.form {
            Form::Text(length) => ("text", json!(length)),
            Form::Decimal(digits, decimals) => ("decimal", json!([digits, decimals])),
            Form::Signed(digits, decimals) => ("signed_decimal", json!([digits, decimals])),
            Form::Bytes(length) => ("bytes", json!(length)),
            Form::Day => ("day", Value::Null),
            Form::Instant => ("instant", Value::Null),
        };
        let mut row = json!({
            "name": self.name, "form": form, "needed": self.is_needed, "meaning": self.meaning
        });
        if let Some(members) = row.as_object_mut() {
            let codes: Map<_, _> =
                self.codes.iter().map(|(code, words)| ((*code).to_owned(), json!(words))).collect();
            let further = [
                ("length", length.clone(), !length.is_null()),
                ("alias", json!(self.alias), !self.alias.is_empty()),
                ("codes", Value::Object(codes), !self.codes.is_empty()),
            ];
            let given = further.into_iter().filter(|(.., is_given)| *is_given);
            members.extend(given.map(|(name, value, _)| (name.to_owned(), value)));
        }
        row
    }

    /// As a record spells its name; the first spelling where it has neither.
    fn spelling(&self, record: &Map<String, Value>) -> &'static str {
        let is_there = |name: &str| !name.is_empty() && record.contains_key(name);
        let is_other = !is_there(self.name) && is_there(self.alias);
        if is_other { self.alias } else { self.name }
    }

    /// The value as text, if it is there and of this form.
    fn read(&self, record: &Map<String, Value>, place: &str) -> Result<Option<String>, Refusal> {
        let spelling = self.spelling(record);
        let given = record.get(spelling);
        let path = if place.is_empty() { spelling.into() } else { format!("{place}.{spelling}") };
        let text = match given {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) => exact(&number.to_string()).ok_or_else(|| {
                Refusal::at(&path, "数字位数过多，JSON 数字无法准确传递；请改用字符串")
            })?,
            Some(Value::Array(list)) if matches!(self.form, Form::Bytes(_)) => {
                let bytes: Option<Vec<u8>> = list.iter().map(byte).collect();
                let wrong = || Refusal::at(&path, "数组应为字节（-128 至 255）；请改正后重发");
                Base64::encode_string(&bytes.ok_or_else(wrong)?)
            }
            Some(_) => return Err(Refusal::at(&path, "应为字符串或数字；请改正后重发")),
        };
        if text.is_empty() {
            let alias = if self.alias.is_empty() { "" } else { "，也可写作" };
            let missing = || {
                let words = format!("必填（{}{alias}{}）；请填写后重发", self.meaning, self.alias);
                Refusal::at(&path, words)
            };
            return if self.is_needed { Err(missing()) } else { Ok(None) };
        }
        let text = self.form.normal(&text).map_err(|words| Refusal::at(&path, words))?;
        if !self.codes.is_empty() && !self.codes.iter().any(|(code, _)| *code == text) {
            let codes: Vec<String> =
                self.codes.iter().map(|(code, words)| format!("{code} {words}")).collect();
            return Err(Refusal::at(&path, format!("代码不受理；可用：{}", codes.join("、"))));
        }
        Ok(Some(text))
    }
}

/// A byte by its value; Java's bytes have a sign.
fn byte(value: &Value) -> Option<u8> {
    let value = value.as_i64()?;
    let signed = || i8::try_from(value).ok().map(i8::cast_unsigned);
    u8::try_from(value).ok().or_else(signed)
}

/// A JSON number as it was written; nothing where a float may have changed its digits.
fn exact(text: &str) -> Option<String> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (digits <= 15 && !text.contains(['e', 'E'])).then(|| text.to_owned())
}

impl std::fmt::Display for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(length) => write!(f, "字符 {length}"),
            Self::Decimal(digits, decimals) => write!(f, "数值 {digits},{decimals}"),
            Self::Signed(digits, decimals) => write!(f, "数值 {digits},{decimals}，可为负"),
            Self::Bytes(length) => write!(f, "字节 {length}"),
            Self::Day => f.write_str("日期"),
            Self::Instant => f.write_str("日期时间"),
        }
    }
}

impl Form {
    fn normal(self, text: &str) -> Result<String, String> {
        match self {
            Self::Text(length) if text.chars().count() > length => {
                Err(format!("超过 {length} 个字符；请缩短后重发"))
            }
            Self::Text(_) => Ok(text.to_owned()),
            Self::Decimal(digits, decimals) => decimal(text, digits, decimals).ok_or_else(|| {
                format!(
                    "应为不带符号的小数，最多 {digits} 位，其中小数 {decimals} 位；请改正后重发"
                )
            }),
            Self::Signed(digits, decimals) => {
                let (sign, number) =
                    text.strip_prefix('-').map_or(("", text), |number| ("-", number));
                let number = decimal(number, digits, decimals).ok_or_else(|| {
                    format!("应为小数，最多 {digits} 位，其中小数 {decimals} 位；请改正后重发")
                })?;
                Ok(format!("{sign}{number}"))
            }
            Self::Bytes(length) => {
                let wrong = |_| "不是 Base64；请改正后重发".to_owned();
                let bytes = Base64::decode_vec(text).map_err(wrong)?;
                if bytes.len() > length {
                    return Err(format!("超过 {length} 字节；请压缩或分次上传"));
                }
                Ok(text.to_owned())
            }
            Self::Day => {
                let day = text.get(..10).unwrap_or(text);
                let is_day = day.parse::<CivilDate>().is_ok();
                if is_day {
                    Ok(day.to_owned())
                } else {
                    Err("应为日期，如 2026-01-31".into())
                }
            }
            Self::Instant => {
                if instant(text).is_some() {
                    Ok(text.to_owned())
                } else {
                    Err("应为时间，如 2026-01-31 08:30:00".into())
                }
            }
        }
    }
}

/// The number without zeros that say nothing.
fn decimal(text: &str, digits: usize, decimals: usize) -> Option<String> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let part = part.trim_end_matches('0');
    let whole = match whole.trim_start_matches('0') {
        "" if !whole.is_empty() => "0",
        digits => digits,
    };
    let fits = whole.len() <= digits.saturating_sub(decimals) && part.len() <= decimals;
    if whole.is_empty() || !is_number(whole) || !is_number(part) || !fits {
        return None;
    }
    Some(if part.is_empty() { whole.to_owned() } else { format!("{whole}.{part}") })
}

/// The day and the milliseconds of that day of `2026-01-31 08:30:00`.
#[must_use]
pub fn instant(text: &str) -> Option<(CivilDate, u64)> {
    let (day, time) = text.split_once(' ')?;
    let mut parts = time.split(':').map(|part| {
        let is_two = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<u64>().ok().filter(|_| is_two)
    });
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let is_time = hour < 24 && minute < 60 && second < 60 && parts.next().is_none();
    let day = day.parse().ok()?;
    is_time.then_some((day, ((hour * 60 + minute) * 60 + second) * 1_000))
}

/// Fields of many messages.
pub(super) const PSN_NO: Field = Field::needed("psn_no", Form::Text(30), "人员编号");
pub(super) const MDTRT_ID: Field = Field::needed("mdtrt_id", Form::Text(30), "就诊 ID");
pub(super) const IPT_OTP_NO: Field = Field::needed("ipt_otp_no", Form::Text(30), "住院/门诊号");
pub(super) const CHRG_BCHNO: Field = Field::needed("chrg_bchno", Form::Text(30), "收费批次号");
pub(super) const INSUTYPE: Field = Field::needed("insutype", Form::Text(6), "险种类型");

/// A part of a message: one record, or a list of them.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// Its name; the envelope's own fields have none.
    pub name: &'static str,
    /// Whether it is a list.
    pub is_list: bool,
    /// Its fields. Others are not looked at: systems send many more than anybody reads.
    pub fields: &'static [Field],
}

impl Node {
    /// One record.
    #[must_use]
    pub const fn one(name: &'static str, fields: &'static [Field]) -> Self {
        Self { name, is_list: false, fields }
    }

    /// A list of records.
    #[must_use]
    pub const fn list(name: &'static str, fields: &'static [Field]) -> Self {
        Self { name, is_list: true, fields }
    }

    /// The rows of the table, for the contract.
    #[must_use]
    pub fn described(&self) -> Value {
        let fields: Vec<Value> = self.fields.iter().map(Field::described).collect();
        json!({ "node": self.name, "list": self.is_list, "fields": fields })
    }

    /// The records of this node in a message's input.
    ///
    /// # Errors
    /// The first field that is not as the table says, with the remedy.
    pub fn read(&self, input: &Value, records_max: usize) -> Result<Vec<Record>, Refusal> {
        let found = input.get(self.name);
        if !self.is_list {
            let one = found.and_then(Value::as_object).ok_or_else(|| {
                Refusal::at(self.name, "input 中缺少该节点，或不是对象；请补上后重发")
            })?;
            return Ok(vec![self.record(one, self.name)?]);
        }
        let list = found.and_then(Value::as_array).filter(|list| !list.is_empty());
        let list = list.ok_or_else(|| {
            Refusal::at(self.name, "input 中缺少该节点，或不是非空数组；请补上后重发")
        })?;
        if list.len() > records_max {
            let words = format!("超过 {records_max} 条；请分批上传");
            return Err(Refusal::at(self.name, words));
        }
        let record = |(at, one): (usize, &Value)| {
            let place = format!("{}[{at}]", self.name);
            let one = one.as_object().ok_or_else(|| Refusal::at(&place, "应为对象"))?;
            self.record(one, &place)
        };
        list.iter().enumerate().map(record).collect()
    }

    /// The fields of one record at this place of a message.
    ///
    /// # Errors
    /// The first field that is not as the table says, with the remedy.
    pub fn record(&self, given: &Map<String, Value>, place: &str) -> Result<Record, Refusal> {
        let (mut values, mut spellings) = (BTreeMap::new(), BTreeMap::new());
        for field in self.fields {
            let spelling = field.spelling(given);
            if spelling != field.name {
                spellings.insert(field.name, spelling);
            }
            if let Some(text) = field.read(given, place)? {
                values.insert(field.name, text);
            }
        }
        Ok(Record { place: place.to_owned(), values, spellings })
    }
}

/// A record that is as its table says.
#[derive(Clone)]
pub struct Record {
    place: String,
    values: BTreeMap<&'static str, String>,
    /// Fields that came under their second spelling.
    spellings: BTreeMap<&'static str, &'static str>,
}

impl Record {
    /// A field's value, if it is there.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The value of a needed field.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// The whole name of a field as it came, for refusals.
    #[must_use]
    pub fn path(&self, name: &str) -> String {
        let name = self.spellings.get(name).copied().unwrap_or(name);
        if self.place.is_empty() { name.to_owned() } else { format!("{}.{name}", self.place) }
    }

    /// An amount of yuan, in fen.
    ///
    /// # Errors
    /// When it is larger than any amount.
    pub fn amount(&self, name: &str) -> Result<Amount, Refusal> {
        let text = DecimalText(self.text(name).to_owned());
        let wrong = |_| Refusal::at(self.path(name), "金额过大或不是两位小数的元；请改正后重发");
        text.amount(Currency::CNY).map_err(wrong)
    }

    /// An amount of yuan that may be negative, in fen.
    ///
    /// # Errors
    /// When it is larger than any amount.
    pub fn signed_amount(&self, name: &str) -> Result<i128, Refusal> {
        let text = self.text(name);
        let (sign, number) = text.strip_prefix('-').map_or((1, text), |number| (-1, number));
        let number = DecimalText(number.to_owned()).amount(Currency::CNY);
        let wrong = |_| Refusal::at(self.path(name), "金额过大或不是两位小数的元；请改正后重发");
        Ok(sign * i128::from(number.map_err(wrong)?.minor()))
    }

    /// A day.
    ///
    /// # Errors
    /// When it is none, which its table excludes.
    pub fn day(&self, name: &str) -> Result<CivilDate, Refusal> {
        let wrong = |_| Refusal::at(self.path(name), "应为日期，如 2026-01-31");
        self.text(name).parse().map_err(wrong)
    }
}

/// Fen as yuan with two decimals.
#[must_use]
pub fn yuan(amount: Amount) -> String {
    let fen = amount.minor();
    format!("{}.{:02}", fen / 100, fen % 100)
}

/// Fen as yuan with two decimals, with a minus sign where they are less than none.
#[must_use]
pub fn signed_yuan(fen: i128) -> String {
    let (sign, size) = (if fen < 0 { "-" } else { "" }, fen.unsigned_abs());
    format!("{sign}{}.{:02}", size / 100, size % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: Node = Node::one(
        "data",
        &[
            Field::needed("sum", Form::Decimal(16, 2), "总额"),
            Field::optional("kind", Form::Text(3), "类别").of(&[("11", "门诊")]),
            Field::optional("area", Form::Text(6), "区划").or("areas"),
        ],
    );

    fn read(data: Value) -> Result<Record, String> {
        let mut found = TABLE.read(&json!({ "data": data }), 1).map_err(|one| one.words())?;
        Ok(found.remove(0))
    }

    #[test]
    fn a_number_has_one_form() {
        for (given, form) in [("0", "0"), ("00", "0"), ("0.00", "0"), ("007.10", "7.1")] {
            assert_eq!(decimal(given, 16, 4).as_deref(), Some(form), "{given}");
        }
        assert_eq!(decimal(".5", 16, 4), None);
    }

    #[test]
    fn amounts_become_fen_exactly_or_are_refused_by_name() {
        for (given, fen) in [
            (json!("0.1"), 10),
            (json!(0.29), 29),
            (json!(1234), 123_400),
            (json!("1.500"), 150),
            (json!("00.05"), 5),
            (json!("0012"), 1_200),
            (json!("99999999999999.99"), 9_999_999_999_999_999),
        ] {
            assert_eq!(
                read(json!({ "sum": given })).ok().unwrap().amount("sum").unwrap().minor(),
                fen
            );
        }
        for given in [
            json!("1.005"),
            json!(-1),
            json!("-1"),
            json!("1e3"),
            json!(0.1 + 0.2),
            json!("1,000"),
            json!("."),
            json!(99_999_999_999_999.98_f64),
            json!([1]),
            json!("999999999999999"),
        ] {
            let words = read(json!({ "sum": given })).err().unwrap();
            assert!(words.contains("data.sum") && words.contains('；'), "{given} {words}");
        }
        assert!(read(json!({})).err().unwrap().contains("必填"));
    }

    #[test]
    fn codes_lengths_and_both_spellings() {
        assert!(read(json!({ "sum": 1, "kind": "12" })).err().unwrap().contains("11 门诊"));
        assert!(read(json!({ "sum": 1, "area": "6201000" })).err().unwrap().contains("6 个字符"));
        let one = read(json!({ "sum": 1, "kind": 11, "areas": "620100" })).ok().unwrap();
        assert_eq!((one.text("kind"), one.text("area")), ("11", "620100"));
        assert!(
            instant("2026-01-31 08:30:00").is_some() && instant("2026-01-31 8:30:00").is_none()
        );
    }
}
