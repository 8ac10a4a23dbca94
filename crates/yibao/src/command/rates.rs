//! `yibao rates`: publish the rates of a table, line by line. What is wrong with a line stops no
//! other; each is a transaction of its own.
//!
//! ```csv
//! day,currency,per,price,source,correction
//! 2026-11-03,JPY,100,4.8123,中国外汇交易中心人民币汇率中间价,
//! ```
//! The desk's page takes the same table.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use ledger::modules::exchange::PublishExchangeRate;
use node::signature::SecretKey;
use primitives::{Currency, OrganisationId, Party};
use proof::header::ChainId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{Client, Entry, Request, Who};
use super::input::{bad, printable, read_text};
use super::tx::signed;

/// Some thousand lines.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// A year's working days of nearly twenty currencies.
const LINES_MAX: usize = 5_000;

#[derive(Args)]
pub struct Rates {
    /// The table: `day,currency,per,price,source` and, where a rate takes the place of another,
    /// `correction` (`copied_wrongly` or `source_corrected`).
    file: PathBuf,
    /// The currency in which all are priced.
    #[arg(long, value_name = "CODE", default_value = "CNY")]
    priced_in: String,
    #[command(flatten)]
    who: Who,
}

/// A line as it is written.
#[derive(Debug, Deserialize)]
struct Line {
    day: String,
    currency: String,
    per: String,
    price: String,
    source: String,
    #[serde(default)]
    correction: String,
}

/// The number of each line, with what it says or why it says nothing.
type Lines = Vec<(usize, Result<PublishExchangeRate, String>)>;

/// Reads a line into what is signed.
fn rate(
    line: &Line,
    (publisher, priced_in): (OrganisationId, Currency),
) -> Result<PublishExchangeRate, String> {
    let field = |name: &str, value: &str| format!("`{name}`: `{}`", printable(value));
    let per: u32 = line.per.trim().parse().map_err(|_| field("per", &line.per))?;
    let correction = line.correction.trim();
    let body = json!({
        "publisher": publisher,
        "currency": line.currency.trim().to_uppercase(),
        "priced_in": priced_in,
        "day": line.day.trim().replace('/', "-"),
        "rate": { "per": per, "price": line.price.trim() },
        "source": line.source.trim(),
        "correction": (!correction.is_empty()).then_some(correction),
    });
    serde_json::from_value(body).map_err(|error| error.to_string())
}

/// All lines of a table; the first line names the columns.
fn lines(text: &str, by: (OrganisationId, Currency)) -> Result<Lines> {
    // Spreadsheets mark UTF-8.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let head = reader.headers().map_err(|error| bad(format!("the table: {error}")))?.clone();
    for column in ["day", "currency", "per", "price", "source"] {
        if !head.iter().any(|one| one == column) {
            return Err(bad(format!("the table's first line has no column `{column}`")));
        }
    }
    let mut lines = Lines::new();
    for record in reader.records() {
        if lines.len() == LINES_MAX {
            return Err(bad(format!("the table has more than {LINES_MAX} lines; take two")));
        }
        // The head is line 1; a record knows where it begins.
        let next = lines.len().saturating_add(2);
        let (number, line) = match record {
            Ok(record) => {
                let at = record.position().and_then(|place| usize::try_from(place.line()).ok());
                let line = record.deserialize(Some(&head)).map_err(|error| error.to_string());
                (at.unwrap_or(next), line)
            }
            Err(error) => (next, Err(error.to_string())),
        };
        lines.push((number, line.and_then(|line: Line| rate(&line, by))));
    }
    Ok(lines)
}

/// Whoever publishes, signed in.
struct Publisher {
    client: Client,
    chain: ChainId,
    party: Party,
    key: SecretKey,
}

impl Publisher {
    /// Publishes one; why not, in the gateway's words.
    fn publish(&self, rate: &PublishExchangeRate) -> Result<Result<(), String>> {
        let (body, idempotency_key) = signed(self.chain, self.party, &self.key, rate)?;
        let answer = self.client.ask(&Request {
            path: "/v1/transactions",
            body: Some(&body),
            idempotency_key: Some(&idempotency_key),
        })?;
        if answer.is_good() {
            return Ok(Ok(()));
        }
        let said = answer.json();
        let word = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default();
        let words = if word("detail").is_empty() { word("title") } else { word("detail") };
        Ok(Err(format!("{words} ({})", word("code"))))
    }
}

impl Rates {
    pub fn run(self) -> Result<ExitCode> {
        let (party, key) = self.who.signer()?;
        let Party::Organisation(publisher) = party else {
            return Err(bad("`--party`: an organisation publishes; write `organisation:CODE`"));
        };
        let priced_in = Currency::from_code(&self.priced_in)
            .ok_or_else(|| bad(format!("`--priced-in`: `{}` is no currency", self.priced_in)))?;
        let text = read_text("the table", &self.file, FILE_BYTES_MAX)?;
        let lines = lines(&text, (publisher, priced_in))?;
        let chain = self.who.chain_id()?;
        let client = match self.who.enter()? {
            Entry::In(client) => client,
            Entry::Refused(answer) => return Ok(answer.refused("the gateway does not let you in")),
        };
        let publisher = Publisher { client, chain, party, key };
        let (mut published, mut refused) = (0_u32, 0_u32);
        for (number, line) in lines {
            let said = match &line {
                Ok(rate) => publisher.publish(rate).map_err(|error| {
                    error.context(format!(
                        "line {number} may be published or not; send the table again: what is \
                         published is refused, and counts once; only a correction would be \
                         published again"
                    ))
                })?,
                Err(words) => Err(words.clone()),
            };
            match said {
                Ok(()) => {
                    published = published.saturating_add(1);
                    println!("line {number}: published");
                }
                Err(words) => {
                    refused = refused.saturating_add(1);
                    println!("line {number}: NOT PUBLISHED: {words}");
                }
            }
        }
        publisher.client.sign_out();
        println!("{published} published, {refused} not");
        Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]
    use primitives::CivilDate;

    use super::*;

    fn by() -> (OrganisationId, Currency) {
        ("finance".parse().unwrap(), Currency::CNY)
    }

    #[test]
    fn a_wrong_line_stops_no_other_and_says_its_number() {
        let table = "\u{feff}day,currency,per,price,source,correction\n\
                     2026/11/03,jpy,100,4.8123,\"a source, named\",\n\
                     2026-11-03,JPY,hundred,4.8123,a source,\n\
                     2026-13-03,JPY,100,4.8123,a source,\n\
                     2026-11-03,YEN,100,4.8123,a source,\n\
                     2026-11-03,JPY,100,4.81234567,a source,\n\
                     2026-11-03,JPY,100,4.8123,a source,because\n\
                     2026-11-03,JPY\n\
                     2026-11-04,USD,1,7.0851,a source,copied_wrongly\n";
        let lines = lines(table, by()).unwrap();
        let wrong: Vec<usize> =
            lines.iter().filter(|(_, line)| line.is_err()).map(|(number, _)| *number).collect();
        assert_eq!((lines.len(), wrong), (8, vec![3, 4, 5, 6, 7, 8]));
        let first = lines[0].1.as_ref().unwrap();
        assert_eq!(first.day, CivilDate::from_ymd(2026, 11, 3).unwrap());
        assert_eq!((first.rate.per, &*first.source), (100, "a source, named"));
        assert!(first.correction.is_none() && lines[7].1.as_ref().unwrap().correction.is_some());
        assert_eq!(lines[1].1.as_ref().unwrap_err(), "`per`: `hundred`");
    }

    #[test]
    fn a_table_without_a_column_names_it() {
        let error = lines("day,currency,per,price\n", by()).unwrap_err().to_string();
        assert!(error.contains("`source`"), "{error}");
    }
}
