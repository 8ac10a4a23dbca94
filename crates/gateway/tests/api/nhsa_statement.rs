//! Statements over the national interface: a hospital's sums and rows against the ledger's.

use std::io::{Cursor, Read as _, Write as _};

use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::nhsa::{charged, claim, identified, line, registration};
use crate::support::World;
use crate::support::hospital::message;

const DAY_MILLIS: u64 = 24 * 3_600_000;

/// Settles 400.00 of person 1 (300.00 in class A, 100.00 in class B); `setlinfo`.
fn settled(world: &World) -> Value {
    let (known, id) = charged(world);
    world.carried_out(5, "2207", &claim(&known, &id, "400"))["setlinfo"].clone()
}

/// Settles another 50.00 of the same person, with these serial numbers from the first on.
fn settled_again(world: &World, first: u16) -> Value {
    let known = identified(world, first);
    let registered = world.carried_out(first + 1, "2201", &registration(&known));
    let id = registered["data"]["mdtrt_id"].clone();
    let lines = json!({ "feedetail": [line(&known, &id, "1", "X1", "50")] });
    world.carried_out(first + 2, "2204", &lines);
    world.carried_out(first + 3, "2207", &claim(&known, &id, "50"))["setlinfo"].clone()
}

pub fn totals(days: [&str; 2], [total, funds, account]: [&str; 3], count: u32) -> Value {
    json!({ "data": {
        "insutype": "310", "clr_type": "11", "setl_optins": "620100", "stmt_begndate": days[0],
        "stmt_enddate": days[1], "medfee_sumamt": total, "fund_pay_sumamt": funds,
        "acct_pay": account, "fixmedins_setl_cnt": count
    } })
}

#[test]
fn sums_of_a_day_are_compared_with_the_ledgers_and_each_difference_is_named() {
    let world = World::insured();
    let info = settled(&world);
    let day = &info["setl_time"].as_str().unwrap()[..10];
    assert_eq!((&info["clr_type"], &info["clr_optins"]), (&json!("11"), &json!("620100")));
    let same = world.carried_out(10, "3201", &totals([day, day], ["400", "145.00", "0"], 1));
    assert_eq!(same["stmtinfo"]["stmt_rslt"], "0", "{same}");
    let other = world.carried_out(11, "3201", &totals([day, day], ["401.00", "100", "-1"], 2));
    let told = &other["stmtinfo"];
    assert_eq!((&told["stmt_rslt"], &told["medfee_sumamt"]), (&json!("1"), &json!("400.00")));
    let words = told["stmt_rslt_dscr"].as_str().unwrap();
    for part in [
        "医疗费总额 机构 401.00 平台 400.00 相差 1.00",
        "基金支付总额 机构 100.00 平台 145.00 相差 -45.00",
        "个人账户支付 机构 -1.00 平台 0.00",
        "结算笔数 机构 2 平台 1",
    ] {
        assert!(words.contains(part), "{words}");
    }
    // Another clearing type, another insurance, and other days have nothing.
    let with = |field: &str, value: &str| {
        let mut input = totals([day, day], ["0", "0", "0"], 0);
        input["data"][field] = json!(value);
        input
    };
    for (serial, (field, value)) in (20..).zip([("clr_type", "21"), ("insutype", "390")]) {
        let told = world.carried_out(serial, "3201", &with(field, value));
        assert_eq!(told["stmtinfo"]["stmt_rslt"], "0", "{field}: {told}");
    }
    let early = world.carried_out(22, "3201", &totals(["2025-12-11", "2026-01-09"], ["0"; 3], 0));
    assert_eq!(early["stmtinfo"]["stmt_rslt"], "0", "{early}");
    for (serial, (field, value, remedy)) in (30..).zip([
        ("clr_type", "9", "11 门诊"),
        ("insutype", "x", "310"),
        ("setl_optins", "620200", "620100"),
        ("stmt_enddate", "2020-01-01", "开始日期"),
        ("stmt_begndate", "2020-01-01", "31 天"),
        ("medfee_sumamt", "--1", "小数"),
    ]) {
        let words = world.refused(serial, "3201", &with(field, value));
        let named = if field == "stmt_begndate" { "stmt_enddate" } else { field };
        assert!(words.starts_with(&format!("data.{named}：")), "{words}");
        assert!(words.contains(remedy), "{words}");
    }
}

#[test]
fn what_is_given_back_next_day_is_a_row_of_that_day_and_what_was_reversed_is_none() {
    let world = World::insured();
    let info = settled(&world);
    let first = info["setl_time"].as_str().unwrap()[..10].to_owned();
    world.clock.advance_millis(DAY_MILLIS);
    let undo = json!({ "data": {
        "setl_id": info["setl_id"], "mdtrt_id": info["mdtrt_id"], "psn_no": info["psn_no"]
    } });
    let undone = world.carried_out(40, "2208", &undo);
    let second = undone["setlinfo"]["setl_time"].as_str().unwrap()[..10].to_owned();
    assert!(second > first, "{second}");
    let result = |serial, days, sums, count| {
        let told = world.carried_out(serial, "3201", &totals(days, sums, count));
        assert_eq!(told["stmtinfo"]["stmt_rslt"], "0", "{told}");
    };
    result(41, [&first, &first], ["400", "145", "0"], 1);
    result(42, [&second, &second], ["-400", "-145.00", "0"], 1);
    result(43, [&first, &second], ["0", "0", "0"], 2);
    // One that was reversed is on neither side.
    let again = settled_again(&world, 50);
    let reverse = json!({ "data": {
        "psn_no": again["psn_no"], "omsgid": again["medins_setl_id"], "oinfno": "2207"
    } });
    result(60, [&second, &second], ["-350", "-145", "0"], 2);
    world.carried_out(61, "2601", &reverse);
    result(62, [&second, &second], ["-400", "-145", "0"], 1);
}

fn packed(text: &str) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("detail.txt", SimpleFileOptions::default()).unwrap();
    writer.write_all(text.as_bytes()).unwrap();
    writer.finish().unwrap().into_inner()
}

/// What 9102 gives for what 3202 named.
fn downloaded(world: &World, serial: u16, file: &Value) -> Vec<u8> {
    let asked = json!({ "fsDownloadIn": {
        "file_qury_no": file["file_qury_no"], "filename": file["filename"]
    } });
    let answer = world.ask(&world.nhsa(&message(serial, "9102", &asked))).expect(200);
    assert_eq!(answer.header("content-type"), "application/octet-stream", "{}", answer.text());
    answer.body.clone()
}

fn unpacked(bytes: &[u8]) -> String {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut text = String::new();
    archive.by_index(0).unwrap().read_to_string(&mut text).unwrap();
    text
}

fn row(info: &Value, flag: &str, total: &str, funds: &str) -> String {
    let [setl, visit, person] =
        ["setl_id", "mdtrt_id", "psn_no"].map(|name| info[name].as_str().unwrap());
    format!("{setl}\t{visit}\t{person}\t{total}\t{funds}\t0\t{flag}\r\n")
}

fn details(day: &str, file: &Value, [total, funds, cash]: [&str; 3], count: u32) -> Value {
    json!({ "data": {
        "setl_optins": "620100", "file_qury_no": file["data"]["file_qury_no"],
        "stmt_begndate": day, "stmt_enddate": day, "medfee_sumamt": total,
        "fund_pay_sumamt": funds, "cash_payamt": cash, "fixmedins_setl_cnt": count
    } })
}

fn uploaded(world: &World, serial: u16, content: &Value) -> Value {
    let file = json!({ "fsUploadIn": { "in": content, "filename": "detail.zip" } });
    world.carried_out(serial, "9101", &file)
}

#[test]
fn rows_are_compared_one_by_one_and_a_file_names_what_differs() {
    let world = World::insured();
    let one = settled(&world);
    let day = one["setl_time"].as_str().unwrap()[..10].to_owned();
    let two = settled_again(&world, 50);
    let three = settled_again(&world, 60);
    // All the same, as Base64 of an archive.
    let [funds_two, funds_three] =
        [&two, &three].map(|info| info["fund_pay_sumamt"].as_str().unwrap().to_owned());
    let cents = |text: &str| text.replace('.', "").parse::<i64>().unwrap();
    let funds = 14_500 + cents(&funds_two) + cents(&funds_three);
    let yuan = |fen: i64| format!("{}.{:02}", fen / 100, fen % 100);
    let text = [
        row(&one, "0", "400.00", "145.00"),
        row(&two, "0", "50", &funds_two),
        row(&three, "0", "50.00", &funds_three),
    ]
    .concat();
    let base64 = json!(Base64::encode_string(&packed(&text)));
    let file = uploaded(&world, 70, &base64);
    let input = details(&day, &file, ["500", &yuan(funds), &yuan(50_000 - funds)], 3);
    let same = world.carried_out(71, "3202", &input);
    assert_eq!(same["fileinfo"]["stmt_rslt"], "0", "{same}");
    assert_eq!(unpacked(&downloaded(&world, 72, &same["fileinfo"])), "");
    // One missing, one twice, one with another sum, one that never was; as plain bytes with signs.
    let mut never = two.clone();
    never["setl_id"] = json!("0");
    let text = [
        row(&one, "0", "399.00", "145.00"),
        row(&two, "0", "50", &funds_two),
        row(&two, "0", "50", &funds_two),
        row(&never, "1", "10", "0"),
    ]
    .concat();
    let bytes: Vec<i8> = packed(&text).into_iter().map(u8::cast_signed).collect();
    let file = uploaded(&world, 73, &json!(bytes));
    let sums = 14_500 + 2 * cents(&funds_two);
    let input = details(&day, &file, ["489", &yuan(sums), "0"], 4);
    let told = world.carried_out(74, "3202", &input);
    let words = told["fileinfo"]["stmt_rslt_dscr"].as_str().unwrap();
    assert!(words.contains("平台多 1 笔，机构多 2 笔，数据不一致 1 笔"), "{words}");
    assert!(words.contains("现金支付金额 机构 0.00"), "{words}");
    let bytes = downloaded(&world, 75, &told["fileinfo"]);
    assert_eq!(downloaded(&world, 75, &told["fileinfo"]), bytes);
    let text = unpacked(&bytes);
    let found = |info: &Value| -> Vec<&str> {
        let id = info["setl_id"].as_str().unwrap();
        let line = text.lines().find(|line| line.split('\t').nth(2) == Some(id)).unwrap();
        line.split('\t').collect()
    };
    assert_eq!(text.lines().count(), 4, "{text}");
    let differs = found(&one);
    assert_eq!(
        (differs[3], differs[4], differs[5]),
        (one["medins_setl_id"].as_str().unwrap(), "103", "0")
    );
    assert!(differs[6].contains("机构 399.00 平台 400.00"), "{}", differs[6]);
    assert_eq!(differs[7], "400.00");
    assert_eq!(found(&two)[4], "102");
    assert!(found(&two)[6].contains("重复"));
    assert_eq!((found(&never)[4], found(&never)[5], found(&never)[7]), ("102", "1", "-10.00"));
    assert_eq!(found(&three)[4], "101");
}

#[test]
fn a_file_that_is_not_as_it_should_be_is_refused_by_the_line_and_forgotten_after_a_week() {
    let world = World::insured();
    let info = settled(&world);
    let day = info["setl_time"].as_str().unwrap()[..10].to_owned();
    let good = row(&info, "0", "400.00", "145.00");
    let refused = |serial: u16, text: &str, sums: [&str; 3], count| {
        let file = uploaded(&world, serial, &json!(Base64::encode_string(text.as_bytes())));
        world.refused(serial + 1, "3202", &details(&day, &file, sums, count))
    };
    let sums = ["400", "145", "255"];
    let cut = refused(70, &format!("{good}1\t2\t3\n"), sums, 2);
    assert!(cut.starts_with("第2行：应有 7 列"), "{cut}");
    let odd = refused(72, &good.replace("400.00", "4OO"), sums, 1);
    assert!(odd.starts_with("第1行.medfee_sumamt："), "{odd}");
    let flag = refused(74, &row(&info, "2", "400.00", "145.00"), sums, 1);
    assert!(flag.contains("refd_setl_flag") && flag.contains("1 撤销"), "{flag}");
    assert!(refused(76, &good, ["401", "145", "255"], 1).starts_with("data.medfee_sumamt："));
    assert!(refused(78, &good, sums, 2).starts_with("data.fixmedins_setl_cnt："));
    for (serial, content) in (80..).zip([json!("%"), json!([256]), json!([1.5]), json!({})]) {
        let file = json!({ "fsUploadIn": { "in": content, "filename": "detail.zip" } });
        assert!(world.refused(serial, "9101", &file).starts_with("fsUploadIn.in："));
    }
    let file = uploaded(&world, 90, &json!(Base64::encode_string(good.as_bytes())));
    world.carried_out(91, "3202", &details(&day, &file, sums, 1));
    let ask = |number: &Value, name: &str| json!({ "fsDownloadIn": { "file_qury_no": number, "filename": name } });
    let number = &file["data"]["file_qury_no"];
    assert!(world.refused(92, "9102", &ask(number, "other")).contains("filename"));
    assert!(world.refused(93, "9102", &ask(&json!("0"), "detail.zip")).contains("file_qury_no"));
    assert_eq!(downloaded(&world, 94, &file["data"]), good.as_bytes());
    world.clock.advance_millis(7 * DAY_MILLIS + 1);
    uploaded(&world, 95, &json!(Base64::encode_string(b"next")));
    assert!(world.refused(96, "9102", &ask(number, "detail.zip")).contains("已过期"));
}
