//! Files of ISO 20022: written, read back, and refused when they are not as they should be.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::{BTreeMap, BTreeSet, HashMap};

use adapters::bank_file::order::{BankAccount, Payment, PaymentOrder};
use adapters::bank_file::reconcile::{BookLine, DifferenceKind, LedgerLine, Reconciled, reconcile};
use adapters::bank_file::report::StatusReport;
use adapters::bank_file::sandbox::Play;
use adapters::bank_file::statement::Statement;
use adapters::bank_file::{Direction, FileError, FileProblem, Message, Movement};
use primitives::{Amount, CivilDate, Currency, OrganisationId, Timestamp};

/// 2026-03-31, noon in China.
const NOON: Timestamp = Timestamp::from_millis(1_774_929_600_000);

fn day(text: &str) -> CivilDate {
    text.parse().unwrap()
}

fn fen(minor: u64) -> Amount {
    Amount::from_minor(minor)
}

fn account(name: &str) -> BankAccount {
    let (number, bank) = (String::from("6222000011112222"), String::from("102100099996"));
    BankAccount { name: name.to_owned(), number, bank }
}

fn payment(line: u16, minor: u64) -> Payment {
    Payment {
        end_to_end: format!("YB620100-1-{line}"),
        amount: fen(minor),
        to: account("医院 & <Söhne>"),
        purpose: String::from("2026-02"),
    }
}

fn order() -> PaymentOrder {
    PaymentOrder {
        id: String::from("YB620100-1"),
        made: NOON,
        execute_on: day("2026-03-31"),
        currency: Currency::CNY,
        from: account("医保中心"),
        payments: vec![payment(0, 19_096), payment(1, 95_000), payment(2, 1)],
    }
}

fn play(reject: &[&str], give_back: &[&str]) -> Play {
    let set = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect::<BTreeSet<_>>();
    Play {
        reject: set(reject),
        give_back: set(give_back),
        day: day("2026-03-31"),
        back_day: day("2026-04-01"),
        at: NOON,
    }
}

fn read(xml: &str) -> Result<Statement, FileError> {
    Statement::read(xml.as_bytes(), Currency::CNY)
}

#[test]
fn an_order_is_the_same_bytes_each_time_and_is_read_as_it_was_written() {
    let xml = order().to_xml();
    assert_eq!(xml, order().to_xml());
    let text = String::from_utf8(xml.clone()).unwrap();
    for part in [
        "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09",
        "<NbOfTxs>3</NbOfTxs>",
        "<CtrlSum>1140.97</CtrlSum>",
        "<InstdAmt Ccy=\"CNY\">950.00</InstdAmt>",
        "<CreDtTm>2026-03-31T04:00:00Z</CreDtTm>",
        "医院 &amp; &lt;Söhne&gt;",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let back = PaymentOrder::read(&xml, Currency::CNY).unwrap();
    assert_eq!(PaymentOrder { made: NOON, ..back }, order());
    assert_eq!(Message::of(&xml), Ok(Message::Order));
    assert!(!format!("{:?}", order()).contains("6222"), "no number of an account is shown");
}

#[test]
fn an_order_whose_sum_is_not_its_payments_is_refused() {
    let text = String::from_utf8(order().to_xml()).unwrap().replace("950.00", "951.00");
    let error = PaymentOrder::read(text.as_bytes(), Currency::CNY).unwrap_err();
    assert_eq!(error.problem, FileProblem::Sum(114_197, 114_097));
}

#[test]
fn the_played_bank_accepts_refuses_pays_and_gives_back() {
    let answer = play(&["YB620100-1-2"], &["YB620100-1-1"]).answer(&order());
    let report = StatusReport::read(&answer.report).unwrap();
    assert_eq!((report.order.as_str(), &report.refused), ("YB620100-1", &None));
    let refused = report.payments.iter().map(|one| one.refused.as_deref());
    assert_eq!(refused.collect::<Vec<_>>(), [None, None, Some("AC04")]);
    let paid = Statement::read(&answer.statement, Currency::CNY).unwrap();
    let amounts = paid.movements.iter().map(|one| (one.direction, one.amount.minor()));
    assert_eq!(amounts.collect::<Vec<_>>(), [(Direction::Out, 19_096), (Direction::Out, 95_000)]);
    let notification = answer.notification.unwrap();
    assert_eq!(Message::of(&notification), Ok(Message::Notification));
    let back = Statement::read(&notification, Currency::CNY).unwrap();
    assert_eq!(back.movements.len(), 1);
    let one = &back.movements[0];
    assert_eq!((one.direction, one.day), (Direction::Back, day("2026-04-01")));
    assert_eq!(one.reason.as_deref(), Some("AC01"));
    assert_ne!(one.bank_reference, paid.movements[1].bank_reference);
    let later = Statement::read(&answer.later_statement.unwrap(), Currency::CNY).unwrap();
    assert_eq!(later.movements, back.movements);
    assert!(String::from_utf8(answer.statement).unwrap().contains("SANDBOX"));
}

/// A statement as a bank writes it: a prefix, a batch booking, something pending, a plain booking.
const FOREIGN: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!-- export 7 -->
<b:Document xmlns:b="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">
 <b:BkToCstmrStmt><b:GrpHdr><b:MsgId>M</b:MsgId></b:GrpHdr><b:Stmt><b:Id>S-1</b:Id>
  <b:Acct><b:Id><b:IBAN>DE02120300000000202051</b:IBAN></b:Id></b:Acct>
  <b:Ntry><b:Amt Ccy="CNY">3.50000</b:Amt><b:CdtDbtInd>DBIT</b:CdtDbtInd><b:Sts><b:Cd>BOOK</b:Cd></b:Sts>
   <b:BookgDt><b:DtTm>2026-03-31T09:00:00+08:00</b:DtTm></b:BookgDt><b:AcctSvcrRef>R1</b:AcctSvcrRef>
   <b:NtryDtls>
    <b:TxDtls><b:Refs><b:EndToEndId>A&amp;B</b:EndToEndId></b:Refs><b:Amt Ccy="CNY">1.25</b:Amt></b:TxDtls>
    <b:TxDtls><b:Refs><b:EndToEndId><![CDATA[C]]>&#68;</b:EndToEndId></b:Refs><b:Amt Ccy="CNY">2.25</b:Amt></b:TxDtls>
   </b:NtryDtls></b:Ntry>
  <b:Ntry><b:Amt Ccy="CNY">9</b:Amt><b:CdtDbtInd>DBIT</b:CdtDbtInd><b:Sts><b:Cd>PDNG</b:Cd></b:Sts></b:Ntry>
  <b:Ntry><b:Amt Ccy="CNY">7</b:Amt><b:CdtDbtInd>CRDT</b:CdtDbtInd><b:Sts><b:Cd>BOOK</b:Cd></b:Sts>
   <b:BookgDt><b:Dt>2026-03-31</b:Dt></b:BookgDt></b:Ntry>
 </b:Stmt></b:BkToCstmrStmt>
</b:Document>
"#;

#[test]
fn a_statement_is_read_as_banks_write_it() {
    let statement = read(FOREIGN).unwrap();
    let got: Vec<_> = statement
        .movements
        .iter()
        .map(|one| (one.end_to_end.as_str(), one.bank_reference.as_str(), one.amount.minor()))
        .collect();
    assert_eq!(got, [("A&B", "R1#0", 125), ("CD", "R1#1", 225), ("", "S-1#2", 700)]);
    assert_eq!(statement.movements[2].direction, Direction::Back);
    assert_eq!(statement.movements[2].named(), "S-1#2");
    let with_mark = format!("\u{feff}{FOREIGN}");
    assert_eq!(read(&with_mark).unwrap(), statement);
}

#[test]
fn what_is_wrong_is_named_by_line_and_element() {
    let entry = "Document/BkToCstmrStmt/Stmt/Ntry";
    let wrong = |from: &str, to: &str, line: usize, place: &str, words: &str| {
        assert!(FOREIGN.contains(from), "{from}");
        let error = read(&FOREIGN.replacen(from, to, 1)).unwrap_err();
        assert_eq!((error.line, error.element.as_str()), (line, place), "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(!error.to_string().contains("DE0212"), "{error}");
    };
    let amount = format!("{entry}/Amt");
    for (text, words) in [
        ("3.505", "at most 2 decimals"),
        ("-3.50", "no amount of CNY"),
        ("3,50", "no amount of CNY"),
        ("", "no amount of CNY"),
        ("0.00", "no amount of CNY"),
        ("99999999999999999999", "no amount of CNY"),
        ("3.51", "the parts of this booking are 350"),
    ] {
        let place = if text == "3.51" { entry } else { &amount };
        let line = if text == "3.51" { 11 } else { 6 };
        wrong("3.50000", text, line, place, words);
    }
    wrong("Ccy=\"CNY\">3.5", "Ccy=\"EUR\">3.5", 6, &amount, "the account keeps CNY");
    wrong(" Ccy=\"CNY\">3.5", ">3.5", 6, &amount, "the account keeps CNY");
    wrong("DBIT", "OUT", 6, &format!("{entry}/CdtDbtInd"), "one of DBIT, CRDT");
    wrong("BOOK", "DONE", 6, &format!("{entry}/Sts/Cd"), "one of BOOK");
    wrong("2026-03-31T", "31.03.2026", 7, &format!("{entry}/BookgDt/DtTm"), "write YYYY-MM-DD");
    wrong("<b:Dt>2026-03-31</b:Dt>", "", 14, entry, "`Ntry/BookgDt` is missing");
    wrong("camt.053.001.08", "camt.053.001.02", 3, "Document", "export camt.053.001.08");
    wrong("</b:Stmt>", "</b:Stm>", 15, "Document/BkToCstmrStmt/Stmt", "not closed");
}

#[test]
fn a_hostile_file_is_refused_before_it_grows() {
    let refused = |text: &str| read(text).unwrap_err().problem;
    let laughs = FOREIGN.replacen(
        "<b:Document",
        "<!DOCTYPE b [<!ENTITY a \"ha\"><!ENTITY c \"&a;&a;\">]><b:Document",
        1,
    );
    assert_eq!(refused(&laughs), FileProblem::DocumentType);
    assert_eq!(refused(&FOREIGN.replacen("A&amp;B", "&a;", 1)), FileProblem::Entity);
    assert_eq!(refused(&FOREIGN.replacen("A&amp;B", "&#x110000;", 1)), FileProblem::Entity);
    let long = "x".repeat(141);
    assert_eq!(refused(&FOREIGN.replacen("A&amp;B", &long, 1)), FileProblem::TooLong(140));
    let long = "x".repeat(1_025);
    assert_eq!(refused(&FOREIGN.replacen("A&amp;B", &long, 1)), FileProblem::TooLong(1_024));
    let deep = "<b:X>".repeat(30);
    assert_eq!(refused(&FOREIGN.replacen("A&amp;B", &deep, 1)), FileProblem::TooDeep(24));
    for (text, words) in [
        ("", "empty"),
        ("{}", "export"),
        (&FOREIGN[..FOREIGN.len() - 20], "cut off"),
        ("<Document", "cut off"),
        ("<Other xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"/>", "export"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let error = Statement::read(b"<Document>\n\xff", Currency::CNY).unwrap_err();
    assert_eq!((error.line, error.to_string().contains("UTF-8")), (2, true), "{error}");
    let report = order().to_xml();
    assert!(StatusReport::read(&report).unwrap_err().to_string().contains("pain.002.001.10"));
}

#[test]
fn a_report_that_says_too_little_is_refused() {
    let answer = play(&["YB620100-1-0"], &[]).answer(&order());
    let text = String::from_utf8(answer.report).unwrap();
    let read = |text: &str| StatusReport::read(text.as_bytes());
    for (from, to, words) in [
        ("<TxSts>RJCT</TxSts>", "", "`TxSts` is missing"),
        ("<OrgnlEndToEndId>YB620100-1-0</OrgnlEndToEndId>", "", "`OrgnlEndToEndId` is missing"),
        ("<OrgnlMsgId>YB620100-1</OrgnlMsgId>", "", "`OrgnlMsgId` is missing"),
        ("RJCT", "NOPE", "`NOPE` is not one of"),
        ("AC04", "ac-04", "external reason codes"),
    ] {
        let error = read(&text.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let silent = text.replacen("<Cd>AC04</Cd>", "", 1);
    assert_eq!(read(&silent).unwrap().payments[0].refused.as_deref(), Some("NARR"));
    let whole = text.replacen("<GrpSts>PART", "<GrpSts>RJCT", 1);
    assert_eq!(read(&whole).unwrap().refused.as_deref(), Some("NARR"));
}

fn hospital() -> OrganisationId {
    "hospital-1".parse().unwrap()
}

fn movement(line: u16, minor: u64) -> Movement {
    Movement {
        end_to_end: format!("YB620100-1-{line}"),
        bank_reference: format!("R{line}"),
        amount: fen(minor),
        day: day("2026-03-31"),
        direction: Direction::Out,
        reason: None,
    }
}

/// Lines 0 to 9 of 100, 101, ... fen, all recorded as paid on the day.
fn ledger() -> HashMap<String, LedgerLine> {
    let line = |number: u16| LedgerLine {
        provider: hospital(),
        amount: fen(100 + u64::from(number)),
        is_ordered: true,
        paid: Some(day("2026-03-31")),
        returned: None,
    };
    (0..10).map(|number| (format!("YB620100-1-{number}"), line(number))).collect()
}

fn bank() -> Vec<Movement> {
    (0..10).map(|number| movement(number, 100 + u64::from(number))).collect()
}

fn book() -> BTreeMap<OrganisationId, Vec<BookLine>> {
    let line = |one: Movement| BookLine {
        end_to_end: one.end_to_end,
        direction: one.direction,
        amount: one.amount,
        day: one.day,
    };
    BTreeMap::from([(hospital(), bank().into_iter().map(line).collect())])
}

fn compared(
    bank: &[Movement],
    ledger: &HashMap<String, LedgerLine>,
    books: &BTreeMap<OrganisationId, Vec<BookLine>>,
) -> Reconciled {
    reconcile(day("2026-03-31"), bank, ledger, books)
}

fn kinds(found: &Reconciled) -> Vec<(DifferenceKind, String)> {
    let names = |reference: &str| reference.replace("YB620100-1-", "");
    found.differences.iter().map(|one| (one.kind, names(&one.reference))).collect()
}

#[test]
fn a_day_on_which_all_three_agree_has_no_difference() {
    let found = compared(&bank(), &ledger(), &book());
    assert_eq!(found.differences, []);
    assert_eq!((found.lines, found.agreed, found.paid), (10, 10, fen(1_045)));
    let none = reconcile(day("2026-04-01"), &bank(), &ledger(), &book());
    assert_eq!(none, Reconciled::default());
}

#[test]
fn every_line_is_matched_or_named() {
    use DifferenceKind as Kind;
    let (mut bank, mut ledger, mut books) = (bank(), ledger(), book());
    bank.push(movement(1, 101));
    bank.push(Movement { end_to_end: String::from("GAS BILL"), ..movement(90, 5) });
    bank.push(Movement { end_to_end: String::new(), ..movement(91, 5) });
    bank[2].amount = fen(999);
    ledger.get_mut("YB620100-1-3").unwrap().paid = Some(day("2026-03-30"));
    bank.retain(|one| one.end_to_end != "YB620100-1-4");
    ledger.get_mut("YB620100-1-5").unwrap().is_ordered = false;
    ledger.get_mut("YB620100-1-6").unwrap().paid = None;
    let own = books.get_mut(&hospital()).unwrap();
    own.retain(|one| one.end_to_end != "YB620100-1-7");
    let line = |own: &mut Vec<BookLine>, number: usize| {
        own.iter().position(|one| one.end_to_end == format!("YB620100-1-{number}")).unwrap()
    };
    let at = line(own, 8);
    own[at].amount = fen(1);
    let at = line(own, 9);
    own[at].day = day("2026-04-01");
    own.push(BookLine { end_to_end: String::from("GIFT"), ..own[0].clone() });
    let twice = own[0].clone();
    own.push(twice);
    let back = Movement { direction: Direction::Back, ..movement(6, 106) };
    bank.push(back);
    let found = compared(&bank, &ledger, &books);
    let named = |kind, reference: &str| (kind, reference.to_owned());
    assert_eq!(
        kinds(&found),
        [
            named(Kind::WrongAmount, "2"),
            named(Kind::WrongDay, "3"),
            named(Kind::NotOrdered, "5"),
            named(Kind::NotRecorded, "6"),
            named(Kind::DuplicateLine, "1"),
            named(Kind::UnknownReference, "GAS BILL"),
            named(Kind::UnknownReference, "R91"),
            named(Kind::NotOrdered, "6"),
            named(Kind::MissingAtBank, "4"),
            named(Kind::BookAmount, "8"),
            named(Kind::BookDay, "9"),
            named(Kind::OnlyInBook, "GIFT"),
            named(Kind::OnlyInBook, "0"),
            named(Kind::MissingInBook, "7"),
        ]
    );
    let of_bank = found.differences.iter().take(8).count();
    assert_eq!(usize::try_from(found.agreed).unwrap() + of_bank, bank.len());
    assert_eq!(usize::try_from(found.lines).unwrap(), bank.len());
}

#[test]
fn a_payment_that_came_back_is_two_movements_and_both_agree() {
    let mut ledger = ledger();
    ledger.get_mut("YB620100-1-0").unwrap().returned = Some(day("2026-03-31"));
    let mut bank = bank();
    bank.push(Movement { direction: Direction::Back, ..movement(0, 100) });
    let found = compared(&bank, &ledger, &BTreeMap::new());
    assert_eq!((found.differences.len(), found.returned), (0, fen(100)));
    bank.pop();
    let found = compared(&bank, &ledger, &BTreeMap::new());
    assert_eq!(kinds(&found), [(DifferenceKind::MissingAtBank, String::from("0"))]);
}
