//! Residents, relatives and the bureau's counter: premiums that accounts pay, go back and are
//! locked; accounts that begin and cease to help.

use ledger::modules::family::{BindingSide, RevokeAid, view as families};
use ledger::modules::person::Actor as By;
use ledger::modules::premium::{
    AccountPremium, CancelPremium, LockPremium, PayPremiumsFromAccounts, PremiumSource, SeasonId,
};
use primitives::{Amount, Party};

use super::Intent;
use crate::actor::{Draft, SharedActor, organisation};
use crate::job::Persistence;
use crate::region::premiums::season;
use crate::region::{BUREAU, PREMIUM, SEASONS};
use crate::world::World;

impl World {
    /// Somebody does something about a premium.
    pub(super) fn look_after_premium(&mut self) {
        let resident = self.dice.place(self.region.residents.len());
        let season = season(*self.dice.pick(&SEASONS));
        match self.dice.below(10) {
            0..5 => self.pay_from_account(season, resident),
            5 | 6 => self.give_premium_back(season, resident),
            7 => self.lock_premium(season, resident),
            8 => self.end_some_aid(resident),
            _ => self.help_resident(resident),
        }
    }

    /// The account of a relative, by the relative or the resident, or the own one; now and then two
    /// at once, of which one pays.
    fn pay_from_account(&mut self, season: SeasonId, resident: usize) {
        let times = if self.dice.chance(250) { 2 } else { 1 };
        for _ in 0..times {
            let (payer, source) = self.source(resident);
            let draft = self.account_payment(season, resident, (&payer, source));
            self.offer(Intent::Premium, draft, Persistence::Once);
        }
    }

    fn source(&mut self, resident: usize) -> (SharedActor, PremiumSource) {
        let own = SharedActor::clone(&self.region.residents[resident].actor);
        let id = self.region.residents[resident].id;
        let grants = self.with_state(|state| families::family(state, id).grants);
        if grants.is_empty() || self.dice.chance(200) {
            return (own, PremiumSource::PersonalAccount);
        }
        let grant = *self.dice.pick(&grants);
        let source = PremiumSource::FamilyAccount { grant };
        let payer = self.with_state(|state| families::grant(state, id, grant)).map(|row| row.payer);
        let relative = self.region.people.iter().find(|one| Some(one.id) == payer);
        let relative = relative.map(|one| SharedActor::clone(&one.actor));
        (relative.filter(|_| self.dice.chance(500)).unwrap_or(own), source)
    }

    fn account_payment(
        &self,
        season: SeasonId,
        resident: usize,
        (payer, source): (&SharedActor, PremiumSource),
    ) -> Draft {
        let Party::Person(id) = payer.party else { unreachable!("accounts are persons'") };
        let person = self.region.residents[resident].id;
        let amount = Amount::from_minor(PREMIUM);
        let items = vec![AccountPremium { person, repair_years: 0, amount, source }];
        Draft::new(&PayPremiumsFromAccounts { season, payer: id, items }, &[payer])
    }

    fn give_premium_back(&mut self, season: SeasonId, resident: usize) {
        let one = &self.region.residents[resident];
        let body = CancelPremium { season, person: one.id, actor: By::OwnKey };
        let draft = Draft::new(&body, &[&one.actor]);
        self.offer(Intent::Premium, draft, Persistence::Once);
    }

    /// The bureau's counter serves somebody, for one of them.
    fn lock_premium(&mut self, season: SeasonId, resident: usize) {
        let payer = self.dice.pick(&self.region.people).actor.party;
        let person = self.region.residents[resident].id;
        let body = LockPremium { season, person, payer, channel: organisation(BUREAU) };
        let draft = Draft::new(&body, &[&self.region.bureau]);
        self.offer(Intent::Premium, draft, Persistence::Once);
    }

    fn help_resident(&mut self, resident: usize) {
        let payer = self.dice.place(self.region.people.len());
        let month = self.dice.between(1, 3);
        let year = self.dice.between(month, 2 * month);
        let (payer, member) = (&self.region.people[payer], &self.region.residents[resident]);
        let draft = self.region.grant(payer, member, [month, year]);
        self.offer(Intent::Premium, draft, Persistence::Once);
    }

    fn end_some_aid(&mut self, resident: usize) {
        let one = &self.region.residents[resident];
        let member = one.id;
        let grant = self.with_state(|state| {
            let number = *families::family(state, member).grants.first()?;
            families::grant(state, member, number)
        });
        let Some(grant) = grant else { return };
        let (payer, side) = (grant.payer, BindingSide::Member);
        let body = RevokeAid { payer, member, side, actor: By::OwnKey };
        let draft = Draft::new(&body, &[&one.actor]);
        self.offer(Intent::Premium, draft, Persistence::Once);
    }

    /// Somebody uses a grant that is another's, or pays another's premium from the own account.
    pub(super) fn pay_with_anothers_grant(&mut self) -> Option<usize> {
        let resident = self.dice.place(self.region.residents.len());
        let person = self.region.residents[resident].id;
        let thief = (resident + 1) % self.region.residents.len();
        let thief = SharedActor::clone(&self.region.residents[thief].actor);
        let grants = self.with_state(|state| families::family(state, person).grants);
        let source = match grants.first() {
            Some(grant) if self.dice.chance(700) => PremiumSource::FamilyAccount { grant: *grant },
            _ => PremiumSource::PersonalAccount,
        };
        let season = season(*self.dice.pick(&SEASONS));
        let draft = self.account_payment(season, resident, (&thief, source));
        self.forbidden("a premium was paid from an account that is not the payer's to use", draft)
    }
}
