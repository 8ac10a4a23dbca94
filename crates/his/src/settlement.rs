//! A settlement with what goes wrong with it, whatever it is of.

use std::thread;

use serde_json::{Value, json};

use crate::HisError;
use crate::counter::is_for_later;
use crate::encounter::Encounter;
use crate::message::Answer;
use crate::mistake::Mistake;
use crate::money::Fen;
use crate::wire::Cut;

/// What became of a settlement.
pub enum Ended {
    /// It is settled.
    Settled(Answer),
    /// It was reversed, and what was opened is closed: it is to be opened, charged and settled
    /// anew.
    Closed,
}

impl Encounter<'_, '_> {
    /// Settles what this claims.
    pub fn settle(&mut self, claim: &Value) -> Result<Ended, HisError> {
        let infno = self.plan.care.settlement();
        match self.plan.mistake {
            Some(Mistake::WrongTotal) => {
                let mut wrong = claim.clone();
                wrong["data"]["medfee_sumamt"] = json!((self.total() + Fen(1)).text());
                self.refused("settle-wrong", (infno, &wrong), "medfee_sumamt")?;
            }
            Some(Mistake::AccountAtTheDesk) => {
                let mut wrong = claim.clone();
                wrong["data"]["acct_used_flag"] = json!("1");
                self.refused("settle-account", (infno, &wrong), "acct_used_flag")?;
            }
            Some(Mistake::ClickedTwice) => self.click_twice(claim)?,
            Some(Mistake::SettledTwice) => return self.settle_twice(claim),
            Some(Mistake::MessageLost) => {
                let body = self.write("settle", infno, claim)?;
                self.cut(body, &[Cut::Halfway])?;
            }
            Some(Mistake::AnswerLost) => {
                let body = self.write("settle", infno, claim)?;
                self.cut(body, &[Cut::BeforeTheAnswer, Cut::WithinTheAnswer])?;
            }
            Some(Mistake::AnswerLostReversed) => {
                return self.settle_reversed(claim, &[Cut::BeforeTheAnswer, Cut::WithinTheAnswer]);
            }
            Some(Mistake::MessageLostReversed) => {
                return self.settle_reversed(claim, &[Cut::Halfway]);
            }
            Some(Mistake::Restarted) => {
                if let Some(body) = self.write("settle", infno, claim)? {
                    self.counter.line.send(&body)?;
                    self.counter.restart()?;
                }
            }
            _ => {}
        }
        self.settle_as("settle", claim).map(Ended::Settled)
    }

    /// Settles under this name.
    pub fn settle_as(&mut self, name: &str, claim: &Value) -> Result<Answer, HisError> {
        self.ask(name, self.plan.care.settlement(), claim)?.done()
    }

    /// Sends the same message twice at once.
    fn click_twice(&mut self, claim: &Value) -> Result<(), HisError> {
        let body = self.write("settle", self.plan.care.settlement(), claim)?;
        let Some(body) = body else { return Ok(()) };
        let line = &self.counter.line;
        let replies = thread::scope(|scope| {
            let clicks = [(); 2].map(|()| scope.spawn(|| line.send(&body)));
            clicks.map(|click| click.join().expect("sending does not panic"))
        });
        let settled = self.complete("settle")?;
        for reply in replies {
            let reply = reply?;
            self.expect(is_for_later(&reply) || reply.text() == settled.text, || {
                "the second click was answered by something else".to_owned()
            });
        }
        Ok(())
    }

    /// Sends the same settlement under two numbers at once; gives the one that settled.
    fn settle_twice(&mut self, claim: &Value) -> Result<Ended, HisError> {
        let (names, infno) = (["settle", "settle-2"], self.plan.care.settlement());
        let bodies = [self.write(names[0], infno, claim)?, self.write(names[1], infno, claim)?];
        let line = &self.counter.line;
        thread::scope(|scope| {
            for body in bodies.iter().flatten() {
                scope.spawn(|| line.send(body));
            }
        });
        let [one, two] = [self.complete(names[0])?, self.complete(names[1])?];
        let (settled, other) = if one.is_done { (one, two) } else { (two, one) };
        // The interface refuses it where the other was quicker, and the ledger where they met.
        self.expect_refused(&other, "已结算");
        settled.done().map(Ended::Settled)
    }

    /// A settlement whose line broke is reversed, asked for, and made anew: on the same visit where
    /// it had not happened, on a new one where it had.
    fn settle_reversed(&mut self, claim: &Value, places: &[Cut]) -> Result<Ended, HisError> {
        let infno = self.plan.care.settlement();
        let body = self.write("settle", infno, claim)?;
        self.cut(body, places)?;
        self.reverse("settle", infno)?;
        let first = self.complete("settle")?;
        let again = self.ask("settle-again", infno, claim)?;
        let is_lost = places == [Cut::Halfway];
        self.expect(!(is_lost && first.is_done), || "what never came was settled".to_owned());
        if again.is_done {
            self.expect(!first.is_done, || "settled twice, in spite of the reversal".to_owned());
            return Ok(Ended::Settled(again));
        }
        self.expect(!is_lost, || format!("the visit is closed: {}", again.words));
        Ok(Ended::Closed)
    }
}
