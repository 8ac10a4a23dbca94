//! Change: what was paid beyond an effect's amount goes back. What a rail refuses to give back, as
//! a till that is short does, is owed until a clerk has handed it out.
//!
//! Invariant: change goes back once (test
//! `change_that_a_short_till_refuses_waits_for_a_clerk_and_goes_back_once`).

use adapters::effect::{Effect as RailEffect, OutboxRecord};
use adapters::rail::{Action, Reference, Token, Verdict};
use adapters::sqlite::{Json, Sql};
use ledger::Effect;
use ledger::kernel::effect::EffectAction;
use primitives::Hash;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::book::{Book, BookError, OpenEffect, OpenReason};
use super::failure::OutboxFailure;
use super::follower::{AT_ONCE, Outbox};

/// Change that a rail refused to give back and that a clerk hands out now.
struct HandedChange {
    effect: Hash,
    /// The order that was refused last.
    refused: RailEffect,
    /// How many orders were refused.
    tries: u32,
    till: Token,
}

impl Outbox {
    /// Gives change that a rail refused to give back, and that a clerk hands out now, to the rail
    /// again: a refusal is final, so each try has a reference of its own.
    pub(super) fn order_change(&self) -> Result<(), OutboxFailure> {
        let (mut orders, mut noted) = (Vec::new(), Vec::new());
        for handed in self.book.list_handed_change(AT_ONCE)? {
            let HandedChange { effect, refused: mut again, tries, till } = handed;
            again.order.reference = Reference::of_effect(&effect, tries);
            if let Action::Refund { to, .. } = &mut again.order.action {
                *to = self.clerk_rails.contains(&again.rail).then_some(till);
            }
            noted.push((effect, again.order.reference));
            orders.push(again);
        }
        self.book.note_change_orders(&noted)?;
        self.submit(&orders)
    }

    /// What became of change: what the rail refuses waits for a clerk.
    pub(super) fn note_change(
        &self,
        effect: &Hash,
        record: &OutboxRecord,
        verdict: &Verdict,
    ) -> Result<(), OutboxFailure> {
        let reference = record.effect.order.reference;
        match verdict {
            Verdict::Done(_) => {
                tracing::info!(%effect, %reference, "what was paid too much went back");
                self.book.note_change_done(effect)?;
            }
            Verdict::Refused(refusal) => {
                tracing::error!(
                    %effect, %reference, %refusal,
                    "what was paid too much could not be given back; a clerk must hand it out"
                );
                self.book.note_change_refused(effect, &record.effect)?;
            }
        }
        Ok(())
    }
}

impl Book {
    /// Notes that a rail refused to give change back: a clerk has to hand it out. What was refused
    /// before the present try is known already.
    fn note_change_refused(&self, effect: &Hash, refused: &RailEffect) -> Result<(), BookError> {
        self.database.write(|tx| {
            let tries = tx
                .prepare_cached("SELECT tries FROM owed_change WHERE reference = ?1")?
                .query_row([Sql(*effect)], |row| row.get::<_, u32>(0))
                .optional()?
                .unwrap_or(0);
            if refused.order.reference != Reference::of_effect(effect, tries) {
                return Ok(0);
            }
            tx.execute(
                "INSERT OR REPLACE INTO owed_change VALUES (?1, ?2, ?3, NULL)",
                params![Sql(*effect), Json(refused), tries.saturating_add(1)],
            )
        })?;
        Ok(())
    }

    /// Notes that the change of this effect went back.
    fn note_change_done(&self, effect: &Hash) -> Result<(), BookError> {
        self.database.write(|tx| {
            tx.execute("DELETE FROM owed_change WHERE reference = ?1", [Sql(*effect)])
        })?;
        Ok(())
    }

    /// Change that clerks hand out and that has no word yet.
    fn list_handed_change(&self, limit: u32) -> Result<Vec<HandedChange>, BookError> {
        Ok(self.database.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT reference, refused, tries, till FROM owed_change
                     WHERE till IS NOT NULL LIMIT ?1",
                )?
                .query_map([limit], handed_of)?
                .collect()
        })?)
    }

    /// Notes by which orders change goes back, before the rails are told.
    fn note_change_orders(&self, orders: &[(Hash, Reference)]) -> Result<(), BookError> {
        self.each(orders, |tx, (effect, reference)| {
            tx.prepare_cached("INSERT OR IGNORE INTO rail_order VALUES (?1, ?2, 0)")?
                .execute(params![Sql(reference.0), Sql(*effect)])
        })
    }
}

/// Change that is owed, as a refund of the collection.
fn owed_of(row: &Row<'_>) -> rusqlite::Result<OpenEffect> {
    let reference = row.get::<_, Sql<Hash>>(0)?.0;
    let mut effect = row.get::<_, Json<Effect>>(1)?.0;
    if let Action::Refund { amount, .. } = row.get::<_, Json<RailEffect>>(2)?.0.order.action {
        effect.amount = amount;
    }
    effect.action = EffectAction::Refund;
    effect.original = Some(reference);
    Ok(OpenEffect { reference, effect, reason: OpenReason::Clerk, till: None })
}

/// Change that waits for a clerk, oldest first.
pub(super) fn list_owed(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<OpenEffect>> {
    connection
        .prepare_cached(
            "SELECT reference, effect, refused FROM owed_change
             JOIN effect USING (reference) WHERE owed_change.till IS NULL
             ORDER BY sequence LIMIT ?1",
        )?
        .query_map([limit], owed_of)?
        .collect()
}

fn handed_of(row: &Row<'_>) -> rusqlite::Result<HandedChange> {
    let till: String = row.get(3)?;
    Ok(HandedChange {
        effect: row.get::<_, Sql<Hash>>(0)?.0,
        refused: row.get::<_, Json<RailEffect>>(1)?.0,
        tries: row.get(2)?,
        till: till.parse().ok().ok_or_else(|| {
            let words = "not a till".into();
            rusqlite::Error::FromSqlConversionFailure(3, rusqlite::types::Type::Text, words)
        })?,
    })
}
