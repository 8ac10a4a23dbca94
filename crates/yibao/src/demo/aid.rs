//! Families of the made-up region: the rules of proxy, mutual aid and transfers, who may act for
//! whom, whose account helps whom, and money that goes from wallet to wallet.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, Result};
use ledger::kernel::account::Account;
use ledger::kernel::posting;
use ledger::modules::family;
use ledger::modules::family::{
    Agreement, AidPurpose, AidRules, AidTerms, BindMember, ClaimTransfer, GrantAid, NightStop,
    ProxyRules, Relation, SendTransfer, SetAidRules, SetProxyRules, SetTransferRules,
    TransferRules, WithdrawTransfer,
};
use ledger::modules::person::{self, Actor as By};
use node::signature::{Scheme, save_key};
use primitives::{Amount, Text, UtcOffset};
use serde::Serialize;

use super::actor::Actor;
use super::chamber::Chamber;
use super::founding::CLERK;
use super::people;
use super::population::{Population, REGION, Resident};
use super::region::{Cast, Stage};
use super::wallets;

/// The relations of the made-up region. A household does not say who is whose parent, so the
/// demonstration calls them near relatives.
const RELATIONS: [(u8, &str); 7] = [
    (1, "spouse"),
    (2, "parent"),
    (3, "child"),
    (4, "sibling"),
    (5, "grandparent"),
    (6, "grandchild"),
    (7, "near_relative"),
];
const NEAR_RELATIVE: u8 = 7;
/// Where the made-up region's numbers come from.
const PROXY_SOURCE: &str =
    "甘肃省人民医院家庭账户办法（每月绑定5人，每人每月被绑定2次，16周岁以下审核材料）";
const AID_SOURCE: &str = "国办发〔2021〕14号；近亲属共济；限额为示例";
const TRANSFER_SOURCE: &str =
    "医保钱包：每日3笔、每笔2000元以内，23:00至6:00不办理，逾期未领取自动退回；一天的期限为示例";
/// How much a relative sends, and how many do.
const SENT: Amount = yuan(1);
const TRANSFERS_MAX: usize = 6;
/// From which age on a member agrees in person.
const OWN_CONSENT_AGE: u8 = 16;

const fn yuan(amount: u64) -> Amount {
    Amount::from_minor(amount * 100)
}

fn relations() -> Result<Vec<Relation>> {
    let relation = |(number, name): (u8, &str)| {
        Ok(Relation { number, name: Text::new(name).map_err(anyhow::Error::msg)? })
    };
    RELATIONS.into_iter().map(relation).collect()
}

fn proxy_rules() -> Result<ProxyRules> {
    Ok(ProxyRules {
        relations: relations()?,
        members_per_payer_per_month_max: 5,
        bindings_per_member_per_month_max: 2,
        members_per_payer_max: 20,
        own_consent_age: OWN_CONSENT_AGE,
        application_days_max: 30,
        payment_max: yuan(20_000),
        excluded_visit_types: Vec::new(),
        source: Text::new(PROXY_SOURCE).map_err(anyhow::Error::msg)?,
    })
}

fn aid_rules() -> Result<AidRules> {
    Ok(AidRules {
        relations: relations()?,
        members_per_payer_max: 7,
        accounts_per_bill_max: 3,
        direct_below_age: OWN_CONSENT_AGE,
        pays_premiums: true,
        bill_max: yuan(5_000),
        month_max: yuan(10_000),
        year_max: yuan(50_000),
        source: Text::new(AID_SOURCE).map_err(anyhow::Error::msg)?,
    })
}

fn transfer_rules() -> Result<TransferRules> {
    Ok(TransferRules {
        relations: relations()?,
        transfers_per_day_max: 3,
        transfer_max: yuan(2_000),
        night: Some(NightStop { from_minute: 23 * 60, until_minute: 6 * 60 }),
        claim_days: 1,
        to_other_regions: true,
        source: Text::new(TRANSFER_SOURCE).map_err(anyhow::Error::msg)?,
    })
}

fn terms() -> AidTerms {
    AidTerms {
        relation: NEAR_RELATIVE,
        purpose: AidPurpose::CareAndPremiums,
        visit_types: Vec::new(),
        bill_max: yuan(500),
        month_max: yuan(1_000),
        year_max: yuan(6_000),
        rank: 0,
        until: None,
    }
}

/// The folder with the keys of two relatives, for the guide.
const RELATIVES: &str = "relatives";

/// Who the two are.
#[derive(Serialize)]
struct RelativesFile {
    payer: String,
    member: String,
}

/// A payer with a phone and money, and another of the household.
struct Pair<'a> {
    payer: usize,
    member: usize,
    actors: (&'a Actor, Option<&'a Actor>),
}

impl Stage<'_> {
    /// Sets the rules of both, and lets some households use them: with the member's own key where
    /// there is one, at the desk where there is none, directly for children.
    ///
    /// # Errors
    /// What the demonstration cannot go on with.
    pub(super) fn families(
        &self,
        chamber: &Chamber<'_>,
        population: &Population,
        cast: &Cast,
    ) -> Result<()> {
        let bureau = &self.founders.bureau;
        chamber.act(&[bureau], &SetProxyRules { region: REGION, rules: proxy_rules()? })?;
        chamber.act(&[bureau], &SetAidRules { region: REGION, rules: aid_rules()? })?;
        // The demonstration may begin at night; the night begins when its own transfers are made.
        let rules = TransferRules { night: None, ..transfer_rules()? };
        chamber.act(&[bureau], &SetTransferRules { region: REGION, rules })?;
        let clerk = Actor::from_seed(bureau.party, Scheme::Ed25519, &self.seed, CLERK);
        let today = self.now().day(UtcOffset(480));
        let pairs = self.pairs(population, cast);
        let resident = |at: usize| &population.people[at];
        // What is attested is a band: below it everybody is a child.
        let is_child =
            |one: &Resident| one.band_on(today).lies_in(0, OWN_CONSENT_AGE) == Some(true);
        let (mut binds, mut grants) = (Vec::new(), Vec::new());
        for pair in &pairs {
            let (payer, member) = (resident(pair.payer).id, resident(pair.member).id);
            let (first, other) = pair.actors;
            let signers = |agreement| match (agreement, other) {
                (Agreement::OwnKey, Some(other)) => vec![first, other],
                (Agreement::Desk, _) => vec![first, &clerk],
                _ => vec![first],
            };
            let agreement = match other {
                _ if is_child(resident(pair.member)) => Agreement::Standing,
                Some(_) => Agreement::OwnKey,
                None => Agreement::Desk,
            };
            if agreement != Agreement::Standing {
                let relation = NEAR_RELATIVE;
                binds.push((signers(agreement), BindMember { payer, member, relation, agreement }));
            }
            // Who is bound, or a child, is helped without being asked again.
            let agreement = Agreement::Standing;
            grants
                .push((signers(agreement), GrantAid { payer, member, terms: terms(), agreement }));
        }
        let bound = count(&chamber.try_all(&binds)?);
        let granted = count(&chamber.try_all(&grants)?);
        // A key of a device can be written down; a passkey stays in its phone.
        let key = |at: usize| people::device_secret(resident(at), &self.seed);
        let both = |pair: &&Pair<'_>| key(pair.payer).is_some() && key(pair.member).is_some();
        let kept = pairs.iter().filter(|pair| pair.actors.1.is_some()).find(both);
        if let Some(pair) = kept {
            self.keep_relatives(resident(pair.payer), resident(pair.member))?;
        }
        println!("\nfamilies");
        println!("  {} may act for a relative, {} accounts help one", bound.0, granted.0);
        for (reason, count) in bound.1.iter().chain(&granted.1) {
            println!("    {count} refused: {reason}");
        }
        // The two whose keys lie in the folder have their day's count for who tries the guide.
        let is_kept = |pair: &Pair<'_>| kept.is_some_and(|kept| kept.payer == pair.payer);
        let senders: Vec<&Pair<'_>> = pairs.iter().filter(|pair| !is_kept(pair)).collect();
        self.transfers(chamber, (&senders, &clerk), population)?;
        let night = SetTransferRules { region: REGION, rules: transfer_rules()? };
        chamber.act(&[bureau], &night).map(|_| ())
    }

    /// Sends money to relatives: one claims it, with the own key or at a desk, and one sender takes
    /// it back. What became of all is counted at the end ([`super::tally`]).
    fn transfers(
        &self,
        chamber: &Chamber<'_>,
        (pairs, clerk): (&[&Pair<'_>], &Actor),
        population: &Population,
    ) -> Result<()> {
        let today = self.now().day(UtcOffset(480));
        let resident = |at: usize| &population.people[at];
        let send = |pair: &Pair<'_>| SendTransfer {
            sender: resident(pair.payer).id,
            receiver: resident(pair.member).id,
            relation: NEAR_RELATIVE,
            amount: SENT,
        };
        let can_send = |pair: &&Pair<'_>| {
            let view = self.node.view();
            let account = Account::PersonalAccount(resident(pair.payer).id);
            let two = (resident(pair.payer).id, resident(pair.member).id);
            posting::balance(&view.state, &account) >= i128::from(SENT.minor()) * 2
                && family::view::is_family(&view.state, two, today)
        };
        let able: Vec<&Pair<'_>> =
            pairs.iter().copied().filter(can_send).take(TRANSFERS_MAX).collect();
        let sends: Vec<_> =
            able.iter().copied().map(|pair| (vec![pair.actors.0], send(pair))).collect();
        let mut ends = Vec::new();
        for (at, (pair, sent)) in able.iter().copied().zip(chamber.try_all(&sends)?).enumerate() {
            let Ok(receipt) = sent else { continue };
            let transfer = receipt.record.transaction_id;
            let SendTransfer { sender, receiver, .. } = send(pair);
            if at.is_multiple_of(2) {
                let (signer, actor) = match pair.actors.1 {
                    Some(own) => (own, By::OwnKey),
                    None => (clerk, By::Desk),
                };
                chamber.act(&[signer], &ClaimTransfer { transfer, receiver, actor })?;
            } else {
                let actor = By::OwnKey;
                ends.push((vec![pair.actors.0], WithdrawTransfer { transfer, sender, actor }));
            }
        }
        chamber.try_all(&ends).map(|_| ())
    }

    /// Keeps the keys of two relatives, of whom the first may act for the second and helps.
    fn keep_relatives(&self, payer: &Resident, member: &Resident) -> Result<()> {
        let folder = self.data.join(RELATIVES);
        fs::create_dir_all(&folder)?;
        for (who, file) in [(payer, "payer.key"), (member, "member.key")] {
            let key = people::device_secret(who, &self.seed).context("a phone has a key")?;
            save_key(&folder.join(file), &key)?;
        }
        let (payer, member) = (payer.id.to_string(), member.id.to_string());
        let text = toml::to_string(&RelativesFile { payer, member })?;
        Ok(fs::write(folder.join("relatives.toml"), text)?)
    }

    /// In each household one with a phone and money, and the others.
    fn pairs<'a>(&self, population: &Population, cast: &'a Cast) -> Vec<Pair<'a>> {
        let view = self.node.view();
        let balance = |at: usize| {
            let account = Account::PersonalAccount(population.people[at].id);
            posting::balance(&view.state, &account)
        };
        let mut households: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        // Who may join finds the own family as empty as everything else.
        let newcomers = wallets::newcomers(population, self.last_day);
        let is_free = |one: &Resident| {
            person::view::person(&view.state, one.id).is_some_and(|row| row.lock.is_none())
        };
        let staying = population.people.iter().enumerate();
        for (at, one) in staying.filter(|(at, one)| !newcomers.contains(at) && is_free(one)) {
            households.entry(one.household).or_default().push(at);
        }
        let actor = |at: usize| cast.patients[at].actor.as_ref();
        let mut pairs = Vec::new();
        for places in households.values() {
            let with_money = places.iter().copied().filter(|at| balance(*at) > 0);
            let Some((payer, first)) = with_money
                .filter_map(|at| Some((at, actor(at)?)))
                .max_by_key(|(at, _)| balance(*at))
            else {
                continue;
            };
            let others = places.iter().copied().filter(|at| *at != payer).take(3);
            pairs.extend(others.map(|member| Pair {
                payer,
                member,
                actors: (first, actor(member)),
            }));
        }
        pairs
    }
}

/// How many were accepted, and why the others were not.
fn count<T>(answers: &[Result<T, &'static str>]) -> (usize, BTreeMap<&'static str, u64>) {
    let mut reasons = BTreeMap::new();
    for reason in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        *reasons.entry(*reason).or_default() += 1;
    }
    (answers.iter().filter(|answer| answer.is_ok()).count(), reasons)
}
