//! The envelope around every message and every answer.

use primitives::{Hash, Timestamp, sha256};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::field::{Field, Form, Node, Record, instant};
use super::profile::{InfcodeForm, Profile};
use super::refusal::Refusal;
use super::upload;

/// The longest `input` in characters, as the interface says.
const INPUT_MAX: usize = 40_000;
/// The most bytes of a whole message, but for one with a file in it.
const MESSAGE_BYTES_MAX: usize = 256 * 1_024;
/// What answers without a hospital carry where the area stands.
const NO_AREA: &str = "000000";

/// The fields of a message beside `input`.
pub const ENVELOPE: Node = Node::one(
    "",
    &[
        Field::needed("infno", Form::Text(5), "交易编号"),
        Field::needed("msgid", Form::Text(30), "报文编号：机构编码12位、时间14位、顺序号4位"),
        Field::needed("mdtrtarea_admvs", Form::Text(6), "就医地区划").or("mdtrtarea_admdvs"),
        Field::optional("insuplc_admdvs", Form::Text(6), "参保地区划").or("insuplc_admvs"),
        Field::needed("recer_sys_code", Form::Text(10), "接收方系统代码"),
        Field::optional("dev_no", Form::Text(100), "设备编号"),
        Field::optional("dev_safe_info", Form::Text(2_000), "设备安全信息"),
        Field::optional("signtype", Form::Text(10), "签名类型"),
        Field::optional("cainfo", Form::Text(1_024), "数字签名"),
        Field::needed("infver", Form::Text(6), "接口版本"),
        Field::needed("opter_type", Form::Text(3), "经办人类别").of(&[
            ("1", "经办人"),
            ("2", "自助终端"),
            ("3", "移动终端"),
        ]),
        Field::needed("opter", Form::Text(30), "经办人"),
        Field::needed("opter_name", Form::Text(50), "经办人姓名"),
        Field::needed("inf_time", Form::Instant, "交易时间"),
        Field::needed("fixmedins_code", Form::Text(12), "定点医药机构编号"),
        Field::needed("fixmedins_name", Form::Text(20), "定点医药机构名称"),
        Field::optional("sign_no", Form::Text(30), "签到编号"),
    ],
);

/// A message of a hospital's system, as the national interface has it. Other members may be there.
#[derive(Deserialize, JsonSchema)]
pub struct NhsaMessage {
    /// The number of the transaction.
    #[serde(rename = "infno")]
    #[schemars(length(max = 5))]
    pub number: String,
    /// Names the message: the same again is answered by the same.
    #[schemars(length(equal = 30))]
    pub msgid: String,
    /// What is asked, as an object or as a JSON string of one; `contract/nhsa-messages.json` has
    /// the fields of each transaction.
    pub input: Value,
}

/// An answer to a hospital's system.
#[derive(Serialize, JsonSchema)]
pub struct NhsaAnswer {
    /// 0 when it was carried out, -1 when not; a number or a string by the hospital's profile.
    pub infcode: Value,
    /// Names the answer: area, time, serial number.
    pub inf_refmsgid: String,
    /// When the message came, `yyyyMMddHHmmssSSS`.
    pub refmsg_time: String,
    /// When it was answered.
    pub respond_time: String,
    /// What is wrong and what to do, in Chinese.
    pub err_msg: Option<String>,
    /// What was answered, as an object or a JSON string as the input was.
    pub output: Value,
}

/// A message whose envelope is as it should be.
pub struct Envelope {
    /// Its fields.
    pub fields: Record,
    /// What is asked.
    pub input: Value,
    /// Whether `input` came as a string; then `output` goes as one.
    pub is_text: bool,
    /// The hash of the whole message, by which the same message is known.
    pub digest: Hash,
}

impl Envelope {
    /// Reads a message of this hospital.
    ///
    /// # Errors
    /// The field that is wrong and the remedy.
    pub fn read(body: &[u8], profile: &Profile) -> Result<Self, Refusal> {
        let not_json = |_| Refusal::new("报文不是 JSON；请按 UTF-8 编码的 JSON 对象发送");
        let message: Value = serde_json::from_slice(body).map_err(not_json)?;
        let members = message.as_object();
        let members = members.ok_or_else(|| Refusal::new("报文应为 JSON 对象；请改正后重发"))?;
        let fields = ENVELOPE.record(members, "")?;
        if fields.text("fixmedins_code") != profile.fixmedins_code {
            return Err(Refusal::at("fixmedins_code", "与签名所用机构编码不一致；请改正后重发"));
        }
        check_msgid(fields.text("msgid"), profile)?;
        let has_file = fields.text("infno") == upload::NUMBER;
        if body.len() > MESSAGE_BYTES_MAX && !has_file {
            let words = format!("报文超过 {MESSAGE_BYTES_MAX} 字节；请分批发送");
            return Err(Refusal::at("input", words));
        }
        let check_length = |characters| if has_file { Ok(()) } else { check_length(characters) };
        let (input, is_text) = match members.get("input") {
            Some(Value::String(text)) => {
                check_length(text.chars().count())?;
                let wrong = |_| Refusal::at("input", "字符串内容不是 JSON；请改正后重发");
                (serde_json::from_str(text).map_err(wrong)?, true)
            }
            Some(input) => {
                check_length(input.to_string().chars().count())?;
                (input.clone(), false)
            }
            None => (Value::Null, false),
        };
        if !input.is_object() {
            return Err(Refusal::at("input", "必填，应为对象或对象的 JSON 字符串；请补上后重发"));
        }
        Ok(Self { fields, input, is_text, digest: sha256(body) })
    }

    /// The message's number.
    #[must_use]
    pub fn msgid(&self) -> &str {
        self.fields.text("msgid")
    }
}

fn check_length(characters: usize) -> Result<(), Refusal> {
    if characters > INPUT_MAX {
        return Err(Refusal::at("input", format!("超过 {INPUT_MAX} 个字符；请分批上传")));
    }
    Ok(())
}

/// Twelve characters of the hospital, the time, four digits of a serial number.
fn check_msgid(msgid: &str, profile: &Profile) -> Result<(), Refusal> {
    let wrong =
        || Refusal::at("msgid", "应为机构编码12位+yyyyMMddHHmmss+4位顺序号；请用新编号重发");
    let rest = msgid.strip_prefix(&profile.fixmedins_code).ok_or_else(wrong)?;
    let is_digits = rest.len() == 18 && rest.bytes().all(|byte| byte.is_ascii_digit());
    let time = rest.get(..14).filter(|_| is_digits).ok_or_else(wrong)?;
    let part = |from: usize, to: usize| time.get(from..to).unwrap_or_default();
    let text = format!(
        "{}-{}-{} {}:{}:{}",
        part(0, 4),
        part(4, 6),
        part(6, 8),
        part(8, 10),
        part(10, 12),
        part(12, 14)
    );
    if instant(&text).is_some() { Ok(()) } else { Err(wrong()) }
}

/// What an answer needs beside its content.
pub struct Answering<'a> {
    /// Of the hospital, where it is known.
    pub profile: Option<&'a Profile>,
    /// The message, where it could be read.
    pub envelope: Option<&'a Envelope>,
    /// When it came and when it is answered, in the region's clock.
    pub times: [Timestamp; 2],
    /// Ten digits.
    pub serial: u64,
}

impl Answering<'_> {
    /// The bytes of an answer.
    #[must_use]
    pub fn bytes(&self, result: Result<Value, &Refusal>) -> Vec<u8> {
        let [came, answered] = self.times.map(compact);
        let area = self.envelope.map_or(NO_AREA, |one| one.fields.text("mdtrtarea_admvs"));
        let second: String = answered.chars().take(14).collect();
        let code = if result.is_ok() { 0 } else { -1 };
        let is_text = self.profile.is_some_and(|one| one.infcode == InfcodeForm::Text);
        let output = result.as_ref().ok().filter(|output| !output.is_null());
        let output = output.map_or(Value::Null, |output| {
            let goes_as_text = self.envelope.is_some_and(|one| one.is_text);
            if goes_as_text { Value::String(output.to_string()) } else { output.clone() }
        });
        let answer = NhsaAnswer {
            infcode: if is_text { json!(code.to_string()) } else { json!(code) },
            inf_refmsgid: format!("{area:0>6}{second}{:010}", self.serial % 10_000_000_000),
            refmsg_time: came,
            respond_time: answered,
            err_msg: result.err().map(Refusal::words),
            output,
        };
        serde_json::to_vec(&answer).unwrap_or_default()
    }
}

/// An instant as `yyyyMMddHHmmssSSS`.
fn compact(instant: Timestamp) -> String {
    instant.to_string().chars().filter(char::is_ascii_digit).collect()
}
