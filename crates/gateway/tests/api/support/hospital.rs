//! `hospital` speaks the national interface: its messages, signed as its system signs them.

use adapters::clock::Clock as _;
use adapters::directory::DirectoryKey;
use adapters::hospital::Book;
use adapters::sqlite::Place;
use benefit::VisitType;
use gateway::nhsa::profile::Profile;
use gateway::nhsa::sealing::Sealing;
use gateway::nhsa::signature::Keys;
use gateway::nhsa::signer::Signer;
use gateway::nhsa::{Institution, TRANSACTIONS};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sm3::Sm3;

use super::wallets::KeyMachine;
use super::{Ask, REGION, World};

/// Its code in the national list.
pub const CODE: &str = "H62010000001";
/// Whose its sealed bodies are.
pub const APP_ID: &str = "APP0000000000000000000000000001";
/// What they are sealed with.
pub const MOBILE_SECRET: &[u8] = b"synthetic secret of mobile payment";
/// What its messages are signed with.
pub const SECRET: &[u8] = b"synthetic secret of a test hospital";

const OLD_SECRET: &[u8] = b"synthetic secret before the other";

pub fn institution() -> Institution {
    institution_at(&Place::Memory)
}

/// The same with its book in this place.
pub fn institution_at(place: &Place) -> Institution {
    signed_at_place(place, Signer::Hosted(std::sync::Arc::new(KeyMachine("hospital"))))
}

/// The same, for which somebody else signs.
pub fn institution_signed_by(signer: Signer) -> Institution {
    signed_at_place(&Place::Memory, signer)
}

fn signed_at_place(place: &Place, signer: Signer) -> Institution {
    let kinds = [
        ("11", VisitType::Outpatient),
        ("12", VisitType::Outpatient),
        ("21", VisitType::Inpatient),
        ("41", VisitType::Pharmacy),
    ];
    let profile = Profile {
        untraced_items: ["B1".to_owned()].into(),
        refers: true,
        filed_groups: [("M039".to_owned(), 1)].into(),
        maternity_group: Some(3),
        diagnosis_groups: [("E11".to_owned(), "diabetes".to_owned())].into(),
        ..Profile::usual([CODE, "省人民医院", "none: the test signs"], &kinds)
    };
    let book = Book::open(place, &DirectoryKey([4; 32])).unwrap();
    let until = "2026-01-10".parse().unwrap();
    let keys = Keys { current: SECRET.to_vec(), previous: Some((OLD_SECRET.to_vec(), until)) };
    Institution::new(profile, signer, keys, book).with_sealing(Some(sealing(MOBILE_SECRET)))
}

/// How its bodies of mobile payment are sealed, with this secret.
pub fn sealing(secret: &[u8]) -> Sealing {
    let keys = Keys { current: secret.to_vec(), previous: None };
    Sealing { app_id: APP_ID.to_owned(), point: None, keys }
}

/// A message as the hospital's system writes it; the serial number makes its `msgid`.
pub fn message(serial: u16, number: &str, input: &Value) -> Value {
    json!({
        "infno": number, "msgid": format!("{CODE}20260110083000{serial:04}"),
        "mdtrtarea_admvs": REGION.to_string(), "insuplc_admdvs": REGION.to_string(),
        "recer_sys_code": "YBXT", "infver": "V1.0", "opter_type": "1", "opter": "0012",
        "opter_name": "收费员", "inf_time": "2026-01-10 08:30:00", "fixmedins_code": CODE,
        "fixmedins_name": "省人民医院", "input": input
    })
}

/// The request with these bytes, signed at this instant.
pub fn signed_at(bytes: &[u8], millis: u64) -> Ask {
    signed_by(SECRET, "/nhsa/v1", bytes, millis)
}

/// The same to another address.
pub fn signed_to(path: &str, bytes: &[u8], millis: u64) -> Ask {
    signed_by(SECRET, path, bytes, millis)
}

/// The same, signed with the secret before.
pub fn signed_before(bytes: &[u8], millis: u64) -> Ask {
    signed_by(OLD_SECRET, "/nhsa/v1", bytes, millis)
}

fn signed_by(secret: &[u8], path: &str, bytes: &[u8], millis: u64) -> Ask {
    let mut mac = Hmac::<Sm3>::new_from_slice(secret).unwrap();
    mac.update(format!("{millis}\n").as_bytes());
    mac.update(bytes);
    let tag = hex::encode_upper(mac.finalize().into_bytes());
    let ask = Ask { method: "POST", body: bytes.to_vec(), ..Ask::get(path) };
    ask.with("content-type", "application/json")
        .with("x-ca-key", CODE)
        .with("x-ca-signature", format!("{millis}:{tag}"))
}

/// An answer has what the table of its transaction promises to those who read the contract.
#[track_caller]
fn require_described(number: &str, output: &Value) {
    let plain = number.trim_end_matches('A');
    let one = TRANSACTIONS.iter().find(|one| one.number == plain).unwrap();
    assert_eq!(output.is_null(), one.output.is_empty(), "{number}: {output}");
    for node in one.output {
        let found = &output[node.name];
        let records = match found.as_array() {
            Some(list) if node.is_list => list.iter().collect(),
            _ => vec![found],
        };
        for (record, field) in
            records.iter().flat_map(|one| node.fields.iter().map(move |field| (one, field)))
        {
            let text = record[field.name].as_str().map(str::to_owned);
            let is_there = text.is_some_and(|text| !text.is_empty());
            assert!(
                is_there || !field.is_needed,
                "{number} {}.{}: {record}",
                node.name,
                field.name
            );
        }
    }
}

impl World {
    /// The signed request with this message.
    pub fn nhsa(&self, message: &Value) -> Ask {
        signed_at(message.to_string().as_bytes(), self.clock.now().millis())
    }

    /// What the interface answers to it.
    pub fn told(&self, message: &Value) -> Value {
        self.ask(&self.nhsa(message)).expect(200).json()
    }

    /// The output of a message that is carried out.
    #[track_caller]
    pub fn carried_out(&self, serial: u16, number: &str, input: &Value) -> Value {
        let answer = self.told(&message(serial, number, input));
        assert_eq!((&answer["infcode"], &answer["err_msg"]), (&json!(0), &Value::Null), "{answer}");
        require_described(number, &answer["output"]);
        answer["output"].clone()
    }

    /// What is said of a message that is refused.
    #[track_caller]
    pub fn refused(&self, serial: u16, number: &str, input: &Value) -> String {
        let answer = self.told(&message(serial, number, input));
        assert_eq!((&answer["infcode"], &answer["output"]), (&json!(-1), &Value::Null), "{answer}");
        answer["err_msg"].as_str().unwrap().to_owned()
    }
}
