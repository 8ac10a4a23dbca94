//! Adjudications of one core: a five-row outpatient bill under the plan of Lanzhou's employees.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Result, anyhow};
use benefit::{Accumulators, Facts, HospitalLevel, PersonClass, VisitType, adjudicate};
use primitives::{Amount, SchemeId};

use crate::figures::{Bar, Figures};
use crate::{region, settlement};

const ROUNDS: u32 = 1_000_000;

/// Takes the figure.
///
/// # Errors
/// When the plan does not load or does not decide.
pub fn measure(figures: &mut Figures) -> Result<()> {
    let plan = region::plan(SchemeId(310))?;
    let sums = settlement::sums();
    let mut facts = Facts::new(VisitType::Outpatient, HospitalLevel::TertiaryA);
    facts.person_classes = [PersonClass::Active].into_iter().collect();
    facts.use_personal_account = true;
    facts.personal_account = Amount::from_minor(30_000);
    let accumulators = Accumulators::default();
    let begin = Instant::now();
    for _ in 0..ROUNDS {
        let answer = adjudicate(&plan, black_box(&sums), black_box(&facts), &accumulators);
        black_box(answer).map_err(|error| anyhow!("{error}"))?;
    }
    let per_second = f64::from(ROUNDS) / begin.elapsed().as_secs_f64();
    figures.note("adjudications/one_core", per_second, "1/s", Bar::AtLeast(1e6));
    Ok(())
}
