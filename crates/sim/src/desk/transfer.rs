//! Money from wallet to wallet: sent to relatives here and next door, claimed, taken back, left
//! lying until it comes back, sent too often, too much and at night.

use ledger::modules::family::{ClaimTransfer, WithdrawTransfer, view as families};
use ledger::modules::person::Actor as By;
use primitives::{Amount, Hash, PersonId};

use super::Intent;
use crate::actor::{Draft, SharedActor};
use crate::job::Persistence;
use crate::region::premiums::{TRANSFER_MAX, send};
use crate::world::World;

impl World {
    /// Somebody does something with money from wallet to wallet.
    pub(super) fn move_between_wallets(&mut self) {
        match self.dice.below(10) {
            0..5 => self.send_some(),
            5..8 => self.claim_some(),
            8 => self.withdraw_some(),
            // In a hurry: both phones at once, and the same twice.
            _ => {
                self.claim_some();
                self.withdraw_some();
                self.claim_some();
            }
        }
    }

    /// A resident and a relative whose account helps; now and then a stranger.
    fn some_two(&mut self) -> (usize, PersonId, SharedActor) {
        let resident = self.dice.place(self.region.residents.len());
        let id = self.region.residents[resident].id;
        let grants = self.with_state(|state| {
            let numbers = families::family(state, id).grants;
            let grants = numbers.iter().filter_map(|one| families::grant(state, id, *one));
            grants.map(|grant| grant.payer).collect::<Vec<_>>()
        });
        let payer = if grants.is_empty() || self.dice.chance(100) {
            self.dice.pick(&self.region.people).id
        } else {
            *self.dice.pick(&grants)
        };
        let person = self.region.people.iter().find(|one| one.id == payer);
        let actor = person.map(|one| SharedActor::clone(&one.actor));
        let actor = actor.unwrap_or_else(|| SharedActor::clone(&self.region.stranger));
        (resident, payer, actor)
    }

    fn send_some(&mut self) {
        let (resident, relative, actor) = self.some_two();
        let own = SharedActor::clone(&self.region.residents[resident].actor);
        let id = self.region.residents[resident].id;
        let is_back = self.dice.chance(200);
        let (sender, receiver, signer) =
            if is_back { (id, relative, own) } else { (relative, id, actor) };
        let amount = Amount::from_minor(self.dice.between(1, TRANSFER_MAX + TRANSFER_MAX / 20));
        for _ in 0..self.dice.between(1, 3) {
            let draft = Draft::new(&send(sender, receiver, amount), &[&signer]);
            self.offer(Intent::Premium, draft, Persistence::Once);
        }
    }

    /// A transfer of a resident's lists, waiting or not.
    fn some_transfer(&mut self) -> Option<(Hash, PersonId, PersonId)> {
        let resident = self.dice.place(self.region.residents.len());
        let id = self.region.residents[resident].id;
        let lists = self.with_state(|state| families::transfers(state, id));
        let all: Vec<Hash> = lists.sent.iter().chain(&lists.received).copied().collect();
        // The last ones still wait.
        let newest = all.len().saturating_sub(1);
        let is_last = self.dice.chance(700);
        let place = if is_last { newest } else { self.dice.place(all.len().max(1)) };
        let transfer = *all.get(place)?;
        let row = self.with_state(|state| families::transfer(state, transfer))?;
        Some((transfer, row.sender, row.receiver))
    }

    fn actor_of(&self, person: PersonId) -> Option<SharedActor> {
        let all = self.region.people.iter().chain(&self.region.residents);
        let mut own = all.filter(|one| one.id == person);
        own.next().map(|one| SharedActor::clone(&one.actor))
    }

    fn claim_some(&mut self) {
        let Some((transfer, _, receiver)) = self.some_transfer() else { return };
        let Some(actor) = self.actor_of(receiver) else { return };
        let body = ClaimTransfer { transfer, receiver, actor: By::OwnKey };
        self.offer(Intent::Premium, Draft::new(&body, &[&actor]), Persistence::Once);
    }

    fn withdraw_some(&mut self) {
        let Some((transfer, sender, _)) = self.some_transfer() else { return };
        let Some(actor) = self.actor_of(sender) else { return };
        let body = WithdrawTransfer { transfer, sender, actor: By::OwnKey };
        self.offer(Intent::Premium, Draft::new(&body, &[&actor]), Persistence::Once);
    }

    /// Somebody takes what waits for another, as if it had been sent to them.
    pub(super) fn claim_anothers_transfer(&mut self) -> Option<usize> {
        let (transfer, sender, receiver) = self.some_transfer()?;
        let thieves = self.region.people.iter().filter(|one| ![sender, receiver].contains(&one.id));
        let thieves: Vec<_> = thieves.map(|one| (one.id, SharedActor::clone(&one.actor))).collect();
        let (thief, actor) = self.dice.pick(&thieves).clone();
        let receiver = if self.dice.chance(500) { thief } else { receiver };
        let body = ClaimTransfer { transfer, receiver, actor: By::OwnKey };
        self.forbidden("money was claimed that was sent to another", Draft::new(&body, &[&actor]))
    }
}
