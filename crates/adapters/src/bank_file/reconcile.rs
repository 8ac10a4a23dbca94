//! A day line by line: the bank's file, the ledger, and the books of providers.
//!
//! Invariant: every line of each of the three is either agreed on or in exactly one difference of
//! its pair (test `every_line_is_matched_or_named`).

use std::collections::{BTreeMap, HashMap, HashSet};

use primitives::{Amount, CivilDate, OrganisationId};

use super::{Direction, Movement};

/// What a file calls a line: the reference, and which way the money went.
pub type LineKey = (String, Direction);

/// What the ledger has of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerLine {
    /// Who is paid.
    pub provider: OrganisationId,
    /// How much was ordered.
    pub amount: Amount,
    /// Whether the bank was told to pay it: approved, and not refused by the bank.
    pub is_ordered: bool,
    /// The day on which the bank paid it, once that is recorded.
    pub paid: Option<CivilDate>,
    /// The day on which it came back, once that is recorded.
    pub returned: Option<CivilDate>,
}

impl LedgerLine {
    const fn recorded(&self, direction: Direction) -> Option<CivilDate> {
        match direction {
            Direction::Out => self.paid,
            Direction::Back => self.returned,
        }
    }
}

/// A line of a provider's own book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookLine {
    /// The reference on the payment.
    pub end_to_end: String,
    /// Received, or sent back.
    pub direction: Direction,
    /// How much.
    pub amount: Amount,
    /// On which day.
    pub day: CivilDate,
}

/// What does not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What.
    pub kind: DifferenceKind,
    /// The reference on the file that has the line.
    pub reference: String,
    /// About how much.
    pub amount: Amount,
    /// Whose payment or book it is, where one is known.
    pub provider: Option<OrganisationId>,
}

/// The kinds of difference, as the ledger names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DifferenceKind {
    /// The bank moved money under a reference that the ledger does not know.
    UnknownReference,
    /// The bank's file has the same movement twice.
    DuplicateLine,
    /// The bank moved another amount than the ledger ordered.
    WrongAmount,
    /// The bank moved it on another day than the ledger has.
    WrongDay,
    /// The ledger has it on that day, the bank's file does not.
    MissingAtBank,
    /// The bank moved money for a line that it was not to pay, or that it did not pay before.
    NotOrdered,
    /// The ledger ordered it and has not recorded it.
    NotRecorded,
    /// Bank and ledger agree, the provider's book does not have it.
    MissingInBook,
    /// The provider's book has another amount.
    BookAmount,
    /// The provider's book has it on another day.
    BookDay,
    /// The provider's book has a line that neither bank nor ledger has.
    OnlyInBook,
}

/// What the comparison of a day found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Movements of the bank's file on that day, payments and returns.
    pub lines: u32,
    /// What the bank paid.
    pub paid: Amount,
    /// What came back to the bank.
    pub returned: Amount,
    /// How many lines bank and ledger agree on.
    pub agreed: u32,
    /// What does not agree, the bank's lines first.
    pub differences: Vec<Difference>,
}

/// Compares a day. `ledger` has the lines of all batches by their reference; `books` those of the
/// providers that handed one in.
#[must_use]
pub fn reconcile(
    day: CivilDate,
    bank: &[Movement],
    ledger: &HashMap<String, LedgerLine>,
    books: &BTreeMap<OrganisationId, Vec<BookLine>>,
) -> Reconciled {
    let mut found = Reconciled::default();
    let mut seen: HashSet<(&str, Direction)> = HashSet::with_capacity(bank.len());
    let mut agreed: HashMap<(&str, Direction), &LedgerLine> = HashMap::with_capacity(bank.len());
    for movement in bank.iter().filter(|movement| movement.day == day) {
        found.count(movement);
        let line = ledger.get(&movement.end_to_end);
        let key = (movement.end_to_end.as_str(), movement.direction);
        let is_first = movement.end_to_end.is_empty() || seen.insert(key);
        match judge(movement, line, is_first) {
            None => {
                found.agreed = found.agreed.saturating_add(1);
                agreed.extend(line.map(|line| (key, line)));
            }
            Some(kind) => found.differences.push(Difference {
                kind,
                reference: movement.named().to_owned(),
                amount: movement.amount,
                provider: line.map(|line| line.provider),
            }),
        }
    }
    found.missing(day, ledger, &seen);
    for (provider, book) in books {
        found.compare_book(day, (*provider, book), &agreed, ledger);
    }
    found
}

/// What is the matter with a line of the bank's file, if anything.
fn judge(movement: &Movement, line: Option<&LedgerLine>, is_first: bool) -> Option<DifferenceKind> {
    let Some(line) = line else { return Some(DifferenceKind::UnknownReference) };
    if !is_first {
        return Some(DifferenceKind::DuplicateLine);
    }
    let may_move = match movement.direction {
        Direction::Out => line.is_ordered,
        Direction::Back => line.paid.is_some(),
    };
    if !may_move {
        return Some(DifferenceKind::NotOrdered);
    }
    if movement.amount != line.amount {
        return Some(DifferenceKind::WrongAmount);
    }
    match line.recorded(movement.direction) {
        None => Some(DifferenceKind::NotRecorded),
        Some(day) if day != movement.day => Some(DifferenceKind::WrongDay),
        Some(_) => None,
    }
}

impl Movement {
    /// The reference by which people find it: ours, or where it has none the bank's.
    #[must_use]
    pub fn named(&self) -> &str {
        if self.end_to_end.is_empty() { &self.bank_reference } else { &self.end_to_end }
    }
}

impl Reconciled {
    fn count(&mut self, movement: &Movement) {
        self.lines = self.lines.saturating_add(1);
        let sum = match movement.direction {
            Direction::Out => &mut self.paid,
            Direction::Back => &mut self.returned,
        };
        *sum = sum.saturating_add(movement.amount);
    }

    /// What the ledger has of that day and the bank does not.
    fn missing(
        &mut self,
        day: CivilDate,
        ledger: &HashMap<String, LedgerLine>,
        seen: &HashSet<(&str, Direction)>,
    ) {
        let mut missing = Vec::new();
        for (reference, line) in ledger {
            for direction in [Direction::Out, Direction::Back] {
                let is_there = seen.contains(&(reference.as_str(), direction));
                if line.recorded(direction) == Some(day) && !is_there {
                    missing.push(Difference {
                        kind: DifferenceKind::MissingAtBank,
                        reference: reference.clone(),
                        amount: line.amount,
                        provider: Some(line.provider),
                    });
                }
            }
        }
        missing.sort_by(|a, b| a.reference.cmp(&b.reference));
        self.differences.extend(missing);
    }

    fn compare_book(
        &mut self,
        day: CivilDate,
        (provider, book): (OrganisationId, &[BookLine]),
        agreed: &HashMap<(&str, Direction), &LedgerLine>,
        ledger: &HashMap<String, LedgerLine>,
    ) {
        let mut has: HashSet<(&str, Direction)> = HashSet::with_capacity(book.len());
        for line in book {
            let key = (line.end_to_end.as_str(), line.direction);
            let is_first = has.insert(key);
            let own = agreed.get(&key).filter(|one| one.provider == provider);
            let kind = match own {
                Some(_) if !is_first => Some(DifferenceKind::OnlyInBook),
                Some(one) if one.amount != line.amount => Some(DifferenceKind::BookAmount),
                Some(_) if line.day != day => Some(DifferenceKind::BookDay),
                Some(_) => None,
                // A line of another day, or one that bank and ledger do not agree on themselves.
                None if line.day != day || is_known(ledger, provider, line) => None,
                None => Some(DifferenceKind::OnlyInBook),
            };
            self.differences.extend(kind.map(|kind| Difference {
                kind,
                reference: line.end_to_end.clone(),
                amount: line.amount,
                provider: Some(provider),
            }));
        }
        let mut missing: Vec<_> = agreed
            .iter()
            .filter(|(key, line)| line.provider == provider && !has.contains(*key))
            .map(|((reference, _), line)| Difference {
                kind: DifferenceKind::MissingInBook,
                reference: (*reference).to_owned(),
                amount: line.amount,
                provider: Some(provider),
            })
            .collect();
        missing.sort_by(|a, b| a.reference.cmp(&b.reference));
        self.differences.extend(missing);
    }
}

/// Whether a line of a book is one of the provider's on the ledger at all.
fn is_known(
    ledger: &HashMap<String, LedgerLine>,
    provider: OrganisationId,
    line: &BookLine,
) -> bool {
    ledger.get(&line.end_to_end).is_some_and(|known| known.provider == provider)
}
