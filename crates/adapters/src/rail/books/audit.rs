//! The audit of books: everything is added up again from the entries and compared.

use rusqlite::Connection;

/// What an audit found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// How many orders were decided, refused ones included.
    pub orders: u64,
    /// How many entries there are.
    pub entries: u64,
    /// The sum of all accounts, debits less credits, in minor units; zero in sound books.
    pub sum: i64,
    /// What is wrong, a sentence each; empty in sound books.
    pub problems: Vec<String>,
}

impl Audit {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.sum == 0 && self.problems.is_empty()
    }
}

/// A question whose answer is the list of orders or accounts that break a rule, and the rule.
/// Most of them the tables refuse as well; the audit does not rely on it.
const RULES: [(&str, &str); 9] = [
    (
        "account `{}` has a balance other than its entries",
        "SELECT a.name FROM account a WHERE
           a.debits <> (SELECT coalesce(sum(amount), 0) FROM entry WHERE debit = a.id) OR
           a.credits <> (SELECT coalesce(sum(amount), 0) FROM entry WHERE credit = a.id)",
    ),
    (
        "account `{}` is overdrawn",
        "SELECT name FROM account WHERE (kind = 'debit_floor' AND debits < credits)
           OR (kind = 'credit_floor' AND credits < debits)",
    ),
    (
        "reference `{}` has more than one order",
        "SELECT lower(hex(reference)) FROM order_record GROUP BY owner, reference
           HAVING count(*) > 1",
    ),
    (
        "order {} was refused and has an entry",
        "SELECT o.id FROM order_record o JOIN entry e ON e.order_id = o.id WHERE o.is_done = 0",
    ),
    (
        "order {} moves another amount than was decided",
        "SELECT o.id FROM order_record o JOIN entry e ON e.order_id = o.id
           WHERE o.amount <> e.amount",
    ),
    (
        "order {} was carried out and has no entry",
        "SELECT o.id FROM order_record o LEFT JOIN entry e ON e.order_id = o.id
           WHERE o.is_done = 1 AND o.action IN ('pay', 'capture', 'refund', 'pay_out')
             AND e.order_id IS NULL",
    ),
    (
        "order {} gave back another amount than its refunds say",
        "SELECT o.id FROM order_record o WHERE o.refunded <>
           (SELECT coalesce(sum(r.amount), 0) FROM order_record r WHERE r.original = o.id)",
    ),
    ("order {} gave back more than it took", "SELECT id FROM order_record WHERE refunded > amount"),
    (
        "entry {} belongs to no order",
        "SELECT order_id FROM entry WHERE order_id NOT IN (SELECT id FROM order_record)",
    ),
];

pub(super) fn run(connection: &Connection) -> rusqlite::Result<Audit> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let count = |sql: &str| number(sql).map(|count| u64::try_from(count).unwrap_or(0));
    let mut problems = Vec::new();
    for (words, sql) in RULES {
        let mut statement = connection.prepare(sql)?;
        let found = statement.query_map([], |row| row.get::<_, rusqlite::types::Value>(0))?;
        for value in found {
            problems.push(words.replace("{}", &text(value?)));
        }
    }
    Ok(Audit {
        orders: count("SELECT count(*) FROM order_record")?,
        entries: count("SELECT count(*) FROM entry")?,
        sum: number("SELECT coalesce(sum(debits), 0) - coalesce(sum(credits), 0) FROM account")?,
        problems,
    })
}

fn text(value: rusqlite::types::Value) -> String {
    match value {
        rusqlite::types::Value::Integer(number) => number.to_string(),
        rusqlite::types::Value::Text(text) => text,
        _ => String::from("?"),
    }
}
