//! Files that a bank sends, and the order that it is sent.

use std::collections::BTreeSet;

use adapters::bank_file::Message;
use adapters::bank_file::order::{BankAccount, Payment, PaymentOrder};
use adapters::bank_file::report::StatusReport;
use adapters::bank_file::sandbox::Play;
use adapters::bank_file::statement::Statement;
use primitives::{Amount, CivilDate, Currency, Timestamp};

const AT: Timestamp = Timestamp::from_millis(0);
const MONEY: Currency = Currency::CNY;

/// Whatever is read is written and read again as the same.
pub fn bank_file(bytes: &[u8]) -> bool {
    let statement = Statement::read(bytes, MONEY);
    if let Ok(read) = &statement {
        for message in [Message::Statement, Message::Notification] {
            let again = Statement::read(&read.to_xml(message, AT, MONEY), MONEY);
            assert_eq!(again.as_ref(), Ok(read), "a statement has one meaning");
        }
    }
    let report = StatusReport::read(bytes);
    if let Ok(read) = &report {
        let again = StatusReport::read(&read.to_xml(AT));
        assert_eq!(again.as_ref(), Ok(read), "a report has one meaning");
    }
    let order = PaymentOrder::read(bytes, MONEY);
    if let Ok(read) = &order {
        let again = PaymentOrder::read(&read.to_xml(), MONEY);
        assert_eq!(again.as_ref(), Ok(read), "an order has one meaning");
    }
    let is_read = statement.is_ok() || report.is_ok() || order.is_ok();
    assert!(!is_read || Message::of(bytes).is_ok(), "what is read is one of the messages");
    is_read
}

/// An order, and what a bank answers.
///
/// # Panics
/// When the constants here are not what they should be.
#[must_use]
pub fn examples() -> Vec<Vec<u8>> {
    let account = |name: &str| BankAccount {
        name: name.to_owned(),
        number: String::from("6200000000000001"),
        bank: String::from("102100099996"),
    };
    let payment = |line: u64| Payment {
        end_to_end: format!("YB620100-1-{line}"),
        amount: Amount::from_minor(100 + line),
        to: account("A & B"),
        purpose: String::from("2026-03"),
    };
    let day: CivilDate = "2026-03-31".parse().expect("a day");
    let order = PaymentOrder {
        id: String::from("YB620100-1"),
        made: AT,
        execute_on: day,
        currency: MONEY,
        from: account("C"),
        payments: (0..3).map(payment).collect(),
    };
    let play = Play {
        reject: BTreeSet::from([String::from("YB620100-1-0")]),
        give_back: BTreeSet::from([String::from("YB620100-1-1")]),
        day,
        back_day: day,
        at: AT,
    };
    let answer = play.answer(&order);
    let files = [Some(order.to_xml()), Some(answer.report), Some(answer.statement)];
    files.into_iter().chain([answer.notification]).flatten().collect()
}
