//! Golden messages of the national interface: every transaction, accepted and refused, as a
//! hospital's system would send it and as it is answered here. They are written to
//! `contract/nhsa-golden.json` with `UPDATE=1` and read before they are committed. Persons are
//! synthetic; what differs from run to run stands as `<name of the field>`.

use std::collections::BTreeSet;
use std::{env, fs};

use base64ct::{Base64, Encoding as _};
use gateway::nhsa::TRANSACTIONS;
use serde_json::{Value, json};

use crate::nhsa::{charged, claim, identified, line, registration};
use crate::nhsa_catalogue::{page, since};
use crate::nhsa_filing::{birth, chronic, referral};
use crate::nhsa_mobile::{about, bank_says, confirmed, refund, upload};
use crate::nhsa_sale::sale;
use crate::nhsa_statement::totals;
use crate::nhsa_stay::{admission, diagnoses, discharge, line as stay_line, of, settlement};
use crate::support::World;
use crate::support::hospital::message;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../contract/nhsa-golden.json");

/// Fields whose values differ from run to run: they come of randomness or of the ledger's time.
const CHANGING: [&str; 13] = [
    "exp_content",
    "mdtrt_cert_no",
    "ecToken",
    "setl_id",
    "setlId",
    "setl_time",
    "traceTime",
    "refdTime",
    "dld_end_time",
    "dld_endtime",
    "in",
    "stmt_begndate",
    "stmt_enddate",
];

/// What was sent and answered.
struct Tape<'a> {
    world: &'a World,
    serial: u16,
    messages: Vec<Value>,
}

impl Tape<'_> {
    fn keep(&mut self, number: &str, input: &Value, answer: (&str, Value)) {
        let mut row = json!({ "infno": number, "input": input });
        row[answer.0] = answer.1;
        masked(&mut row);
        self.messages.push(row);
    }

    /// A message that is carried out; before it, the same without its first needed field, which is
    /// refused.
    fn both(&mut self, number: &str, input: &Value) -> Value {
        self.refused(number, &without_a_field(number, input));
        self.serial += 1;
        let output = self.world.carried_out(self.serial, number, input);
        self.keep(number, input, ("output", output.clone()));
        output
    }

    fn refused(&mut self, number: &str, input: &Value) {
        self.serial += 1;
        let words = self.world.refused(self.serial, number, input);
        self.keep(number, input, ("err_msg", json!(words)));
    }

    /// A file that is fetched.
    fn file(&mut self, input: &Value) {
        self.refused("9102", &without_a_field("9102", input));
        self.serial += 1;
        let answer = self.world.ask(&self.world.nhsa(&message(self.serial, "9102", input)));
        assert!(answer.expect(200).body.starts_with(b"PK"));
        self.keep(
            "9102",
            input,
            ("output", json!("<the file itself: a ZIP archive with one text>")),
        );
    }
}

/// The same without the first field that it must have.
fn without_a_field(number: &str, input: &Value) -> Value {
    let node = TRANSACTIONS.iter().find(|one| one.number == number).unwrap().input[0];
    let field = node.fields.iter().find(|field| field.is_needed).unwrap();
    let mut less = input.clone();
    let record = if node.is_list { &mut less[node.name][0] } else { &mut less[node.name] };
    let members = record.as_object_mut().unwrap();
    members.remove(field.name);
    members.remove(field.alias);
    less
}

fn masked(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                match value {
                    Value::String(text) if CHANGING.contains(&name.as_str()) => {
                        *text = format!("<{name}>");
                    }
                    other => masked(other),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(masked),
        _ => {}
    }
}

#[test]
fn every_transaction_has_golden_messages_accepted_and_refused() {
    let world = World::insured();
    let mut tape = Tape { world: &world, serial: 1_000, messages: Vec::new() };
    session_and_catalogue(&mut tape);
    outpatient(&mut tape);
    stay(&mut tape);
    mobile(&mut tape);
    let has = |number: &str, part: &str| {
        tape.messages.iter().any(|one| one["infno"] == number && one.get(part).is_some())
    };
    let lacking: Vec<&str> = TRANSACTIONS
        .iter()
        .map(|one| one.number)
        .filter(|number| !has(number, "output") || !has(number, "err_msg"))
        .collect();
    assert_eq!(lacking, [""; 0]);
    let words: BTreeSet<&str> =
        tape.messages.iter().filter_map(|one| one["err_msg"].as_str()).collect();
    assert!(words.iter().all(|words| words.contains('：')), "each names its field: {words:?}");
    let text = format!(
        "{}\n",
        serde_json::to_string_pretty(&json!({
            "about": "golden messages of the national interface: what is sent as `input`, and what is answered \
                      as `output` or `err_msg`; synthetic persons; <name> stands for what differs from run to run",
            "messages": tape.messages
        }))
        .unwrap()
    );
    if env::var_os("UPDATE").is_some() {
        fs::write(FILE, &text).unwrap();
    }
    let committed = fs::read_to_string(FILE).unwrap_or_default();
    assert!(text == committed, "{FILE} is another; UPDATE=1 writes it anew, read it then");
}

fn session_and_catalogue(tape: &mut Tape<'_>) {
    let session = json!({ "signIn": { "opter_no": "0012", "mac": "00-00", "ip": "10.0.0.8" } });
    let signed = tape.both("9001", &session);
    let number = signed["signinoutb"]["sign_no"].clone();
    let out = json!({ "signOut": { "sign_no": number, "opter_no": "0012" } });
    tape.both("9002", &out);
    tape.refused("9002", &out);
    for one in TRANSACTIONS.iter().filter(|one| one.number.starts_with("13")) {
        match one.number {
            "1312" => tape.both("1312", &page(1, &Value::Null)),
            number => tape.both(number, &since(&json!("0"))),
        };
    }
    tape.refused("1312", &page(2, &json!("old")));
}

fn outpatient(tape: &mut Tape<'_>) {
    let world = tape.world;
    let (known, id) = charged(world);
    // What brought the person there, once more for the tape.
    let shown = json!({
        "mdtrt_cert_type": "01", "mdtrt_cert_no": crate::support::wallets::shown_code(world)
    });
    let told = tape.both("1101", &json!({ "data": shown }));
    assert_eq!(told["baseinfo"]["psn_no"], known.1);
    let known = (shown, known.1);
    let of_person = json!({ "data": { "psn_no": known.1 } });
    let claim_to = json!({ "data": {
        "psn_no": known.1, "insutype": "310", "med_type": "11", "begntime": "2026-01-10"
    } });
    tape.both("2001", &claim_to);
    tape.both("5206", &of_person);
    tape.both("2503", &chronic(&known));
    tape.refused("2503", &chronic(&known));
    tape.both("2699", &birth(&known));
    tape.both("2501", &referral(&known));
    tape.both("5301", &of_person);
    let undone = tape.both("2201", &registration(&known))["data"]["mdtrt_id"].clone();
    tape.both("2204", &json!({ "feedetail": [line(&known, &undone, "1", "X1", "10.00")] }));
    let batch = json!({ "data": { "mdtrt_id": undone, "chrg_bchno": "B1", "psn_no": known.1 } });
    tape.both("2205", &batch);
    let visit =
        json!({ "data": { "psn_no": known.1, "mdtrt_id": undone, "ipt_otp_no": "MZ0001" } });
    tape.both("2202", &visit);
    let described = json!({
        "mdtrtinfo": {
            "mdtrt_id": id, "psn_no": known.1, "med_type": "11", "begntime": "2026-01-10"
        },
        "diseinfo": [{
            "diag_type": "1", "diag_srt_no": 1, "diag_code": "J00", "diag_name": "普通感冒",
            "diag_dept": "A03", "diag_time": "2026-01-10 09:00:00", "vali_flag": "1"
        }]
    });
    tape.both("2203", &described);
    tape.both("2206", &claim(&known, &id, "400.00"));
    tape.refused("2207", &claim(&known, &id, "401.00"));
    let info = tape.both("2207", &claim(&known, &id, "400.00"))["setlinfo"].clone();
    sales_and_statements(tape, &info);
    let undo = json!({ "data": { "setl_id": info["setl_id"], "mdtrt_id": id, "psn_no": known.1 } });
    tape.both("2208", &undo);
    tape.refused("2208", &undo);
    let reverse = json!({ "data": {
        "psn_no": known.1, "omsgid": message(9_000, "2207", &json!({}))["msgid"], "oinfno": "2207"
    } });
    tape.both("2601", &reverse);
}

fn sales_and_statements(tape: &mut Tape<'_>, info: &Value) {
    let code = json!(["81234567890123456789"]);
    tape.both("3505", &sale("P1", info, &code));
    tape.refused("3505", &sale("P2", info, &json!(["6901234567892"])));
    tape.both("3506", &sale("R1", info, &code));
    let day = &info["setl_time"].as_str().unwrap()[..10];
    tape.both("3201", &totals([day, day], ["400", "145.00", "0"], 1));
    let text = |name: &str| info[name].as_str().unwrap().to_owned();
    let row = [
        text("setl_id"),
        text("mdtrt_id"),
        text("psn_no"),
        "400.00".to_owned(),
        "145.00".to_owned(),
        "0".to_owned(),
        "0".to_owned(),
    ];
    let file = Base64::encode_string(row.join("\t").as_bytes());
    let file = tape.both("9101", &json!({ "fsUploadIn": { "in": file, "filename": "rows.txt" } }));
    let details = json!({ "data": {
        "setl_optins": "620100", "stmt_begndate": day, "stmt_enddate": day,
        "medfee_sumamt": "400", "fund_pay_sumamt": "145.00", "cash_payamt": "255.00",
        "fixmedins_setl_cnt": 1, "file_qury_no": file["data"]["file_qury_no"]
    } });
    let result = tape.both("3202", &details)["fileinfo"].clone();
    tape.file(&json!({ "fsDownloadIn": {
        "file_qury_no": result["file_qury_no"], "filename": result["filename"]
    } }));
}

fn stay(tape: &mut Tape<'_>) {
    let known = identified(tape.world, 2_000);
    let undone = tape.both("2401", &admission(&known, "E11.900"))["result"]["mdtrt_id"].clone();
    tape.both("2404", &of(&known, &undone));
    let admitted = tape.both("2401", &admission(&known, "E11.900"));
    let id = admitted["result"]["mdtrt_id"].clone();
    let day = "2026-01-07";
    let lines = [("1", "X1"), ("2", "B1")].map(|item| stay_line(&known, &id, item, day, "100"));
    tape.both("2301", &json!({ "feedetail": lines }));
    let undo = json!({ "data": [{ "feedetl_sn": "2", "mdtrt_id": id, "psn_no": known.1 }] });
    tape.both("2302", &undo);
    let changed = json!({
        "adminfo": { "mdtrt_id": id, "psn_no": known.1, "begntime": "2026-01-06 08:30:00", "med_type": "21", "adm_bed": "12" },
        "diseinfo": diagnoses("E11.900")
    });
    tape.both("2403", &changed);
    tape.both("2303", &settlement(&known, &id, "100"));
    tape.refused("2304", &settlement(&known, &id, "100"));
    tape.both("2402", &discharge(&known, &id, "2026-01-09", "E11.900"));
    tape.both("2405", &of(&known, &id));
    tape.both("2402", &discharge(&known, &id, "2026-01-09", "E11.900"));
    let info = tape.both("2304", &settlement(&known, &id, "100"))["setlinfo"].clone();
    let undo = json!({ "data": { "mdtrt_id": id, "psn_no": known.1, "setl_id": info["setl_id"] } });
    tape.both("2305", &undo);
}

fn mobile(tape: &mut Tape<'_>) {
    let world = tape.world;
    let known = identified(world, 3_000);
    let order = about(&tape.both("6201", &upload(&known, "DD0001")));
    tape.refused("6203", &refund(&order));
    tape.both("6401", &order);
    tape.refused("6202", &order);
    let order = about(&tape.both("6201", &upload(&known, "DD0002")));
    let placed = tape.both("6202", &order);
    let receipt = confirmed(world);
    let cash = &placed["data"]["ownPayAmt"];
    bank_says(world, &receipt, &json!({ "outcome": "done", "amount": cash }));
    tape.both("6301", &order);
    let mut all = refund(&order);
    all["data"]["totlRefdAmt"] = placed["data"]["feeSumamt"].clone();
    tape.both("6203", &all);
    tape.refused("6401", &order);
}
