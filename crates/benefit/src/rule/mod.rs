//! The operators: one file each. A new one is a file and a line in the list below; its place in the
//! list is its number in compiled plans, so new ones come last.

use alloc::string::String;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::Detail;

use crate::{
    adjudication::TraceNote,
    allowance::Allowance,
    compile::Names,
    engine::{AdjudicationError, Numbers, Run, Turn},
    plan::StepCheck,
    source::StepSource,
};

/// What an operator must say about itself.
pub(crate) trait Operator: Sized {
    /// The `kind` in plan files.
    const KIND: &'static str;
    /// The fields of a step that belong to it, beyond those of every step.
    const FIELDS: &'static [&'static str];
    /// Whether it only counts: its base may then exceed what is left, and it needs no words.
    const ONLY_COUNTS: bool = false;

    /// Reads its fields; the text of the error names the field.
    fn compile(source: &StepSource, names: &mut Names<'_>) -> Result<Self, String>;
    /// Checks what the types do not say.
    fn check(&self, check: &StepCheck<'_>) -> Result<(), Detail>;
    /// Does what it is for.
    fn run(&self, run: &mut Run<'_>, turn: &Turn) -> Result<Numbers, AdjudicationError>;
    /// The accumulator of what was charged, if it has one.
    fn charged_counts(&self) -> Option<u8> {
        None
    }
}

macro_rules! operators {
    ($($file:ident $name:ident),+ $(,)?) => {
        $(pub(crate) mod $file;)+
        $(pub(crate) use $file::$name;)+

        /// An operator with its fields.
        #[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
        pub(crate) enum Rule { $($name($name)),+ }

        impl Rule {
            /// Every `kind` and the fields that belong to it.
            pub(crate) const KINDS: &'static [(&'static str, &'static [&'static str])] =
                &[$(($name::KIND, $name::FIELDS)),+];

            pub(crate) fn compile(source: &StepSource, names: &mut Names<'_>) -> Result<Self, String> {
                match source.kind.as_str() {
                    $($name::KIND => $name::compile(source, names).map(Self::$name),)+
                    other => Err(unknown_kind(other)),
                }
            }

            pub(crate) fn kind(&self) -> &'static str {
                match self { $(Self::$name(_) => $name::KIND),+ }
            }

            pub(crate) fn only_counts(&self) -> bool {
                match self { $(Self::$name(_) => $name::ONLY_COUNTS),+ }
            }

            pub(crate) fn check(&self, check: &StepCheck<'_>) -> Result<(), Detail> {
                match self { $(Self::$name(rule) => rule.check(check)),+ }
            }

            pub(crate) fn charged_counts(&self) -> Option<u8> {
                match self { $(Self::$name(rule) => rule.charged_counts()),+ }
            }

            #[inline]
            pub(crate) fn run(
                &self,
                run: &mut Run<'_>,
                turn: &Turn,
            ) -> Result<Numbers, AdjudicationError> {
                match self { $(Self::$name(rule) => rule.run(run, turn)),+ }
            }
        }
    };
}

operators! {
    benefit Benefit,
    fixed Fixed,
    copay Copay,
    limit Limit,
    personal_account PersonalAccount,
    family_account FamilyAccount,
    count Count,
}

fn unknown_kind(kind: &str) -> String {
    let known: alloc::vec::Vec<&str> = Rule::KINDS.iter().map(|(kind, _)| *kind).collect();
    alloc::format!("`{kind}` is not a kind of step; use one of {}", known.join(", "))
}

/// Cuts `amount` down to what every allowance leaves open, and writes down every cut.
fn cap(
    run: &mut Run<'_>,
    turn: &Turn,
    caps: &[Allowance],
    amount: u64,
    note: fn(u8, Cut) -> TraceNote,
) -> Result<u64, AdjudicationError> {
    let mut rest = amount;
    for (number, cap) in (0_u8..).zip(caps) {
        let Some(open) = cap.open(run, turn)? else { continue };
        if rest > open.open {
            let cut = rest.saturating_sub(open.open);
            cap.tell(run, turn)?;
            run.note(turn, note(number, Cut { limit: open.full, used: open.used, cut }));
            rest = open.open;
        }
    }
    Ok(rest)
}

/// What a cap cut off.
struct Cut {
    limit: u64,
    used: u64,
    cut: u64,
}

fn base_capped(cap: u8, cut: Cut) -> TraceNote {
    TraceNote::BaseCapped {
        cap,
        limit: amount(cut.limit),
        used: amount(cut.used),
        cut: amount(cut.cut),
    }
}

fn capped(cap: u8, cut: Cut) -> TraceNote {
    TraceNote::Capped {
        cap,
        limit: amount(cut.limit),
        used: amount(cut.used),
        cut: amount(cut.cut),
    }
}

/// Adds the same amount to what is used up of several allowances.
fn count_all(
    run: &mut Run<'_>,
    turn: &Turn,
    allowances: &[Allowance],
    amount: u64,
) -> Result<(), AdjudicationError> {
    allowances.iter().try_for_each(|allowance| allowance.count(run, turn, amount))
}

const fn amount(minor: u64) -> primitives::Amount {
    primitives::Amount::from_minor(minor)
}
