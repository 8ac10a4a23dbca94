//! Every checker can fail: a bug is planted, and the checker whose business it is finds it.

use benefit::Accumulators;
use ledger::kernel::account::{Account, AccountRow, RegionPair};
use ledger::kernel::effect::EffectStatus;
use ledger::kernel::posting::{Entry, PostedEntry, account, account_key};
use ledger::kernel::table::Table;
use ledger::modules::coverage::CoverageRow;
use ledger::modules::interregion::ItemRow;
use ledger::modules::interregion::view::PairRow;
use ledger::modules::visit::{EffectRow, SettlementRecord, VisitRow};
use ledger::{Effect, Receipt, State};
use primitives::{Amount, Currency, Hash, PersonId, VisitId, codec};
use proof::receipt::OutcomeCode;
use sim::check::Rule;
use sim::planted::{DeskBug, DiskBug, Lens, Planted, RailBug, Shown};
use sim::{Options, run};

const STEPS: u32 = 100;
/// In one of so many worlds the bug must show itself.
const SEEDS: u64 = 24;

/// Runs worlds with the bug until a rule breaks: it must be one of these.
fn found(bug: impl Fn() -> Planted, rules: &[Rule]) {
    for seed in 2_001..=2_000 + SEEDS {
        let planted = bug();
        if let Err(failure) = run(Options { seed, steps: STEPS, planted }) {
            let violation = &failure.violation;
            assert!(rules.contains(&violation.rule), "{rules:?} was expected, not {violation}");
            return;
        }
    }
    panic!("{rules:?} was not found in {SEEDS} worlds");
}

fn rail(bug: RailBug) -> impl Fn() -> Planted {
    move || Planted { rail: Some(bug), ..Planted::default() }
}

fn disk(bug: DiskBug) -> impl Fn() -> Planted {
    move || Planted { disk: Some(bug), ..Planted::default() }
}

fn desk(bug: DeskBug) -> impl Fn() -> Planted {
    move || Planted { desk: Some(bug), ..Planted::default() }
}

/// A bug of the ledger, as it would show itself: what the node shows is bent where it fits.
fn shown(bend: impl Fn(&mut Shown) + Send + Clone + 'static) -> impl Fn() -> Planted {
    move || Planted { lens: Some(Box::new(bend.clone()) as Lens), ..Planted::default() }
}

#[test]
fn a_rail_that_pays_twice_is_found_in_the_banks_books() {
    found(rail(RailBug::MovesTwice), &[Rule::EffectsAgree]);
}

#[test]
fn a_payment_under_another_reference_is_found_in_the_banks_books() {
    found(rail(RailBug::MovesUnderAnotherReference), &[Rule::EffectsAgree]);
}

#[test]
fn a_payment_that_is_made_and_reported_as_refused_is_found() {
    // A refund of what the ledger does not know to be paid may not come to an end either.
    found(rail(RailBug::SaysRefused), &[Rule::EffectsAgree, Rule::Quiescence]);
}

#[test]
fn a_rail_that_never_answers_leaves_payments_undone() {
    found(rail(RailBug::NeverAnswers), &[Rule::Quiescence]);
}

#[test]
fn a_panic_is_found() {
    found(rail(RailBug::Panics), &[Rule::StaysUp]);
}

#[test]
fn a_disk_that_lies_about_syncs_loses_what_was_acknowledged() {
    // What is left may have holes, which the node refuses to start from.
    found(disk(DiskBug::Lies), &[Rule::AcknowledgedKept, Rule::Recovery]);
}

#[test]
fn a_disk_that_comes_back_as_it_was_before_is_found_by_what_was_acknowledged() {
    // A history that did not come back older shows it at the start.
    found(disk(DiskBug::ComesBackOlder), &[Rule::AcknowledgedKept, Rule::Recovery]);
}

#[test]
fn cash_that_is_given_back_while_its_settlement_can_still_happen_is_missed_in_the_till() {
    // A refund of what was given back already never comes to an end.
    found(desk(DeskBug::GivesBackTooEarly), &[Rule::EffectsAgree, Rule::Quiescence]);
}

#[test]
fn something_done_with_somebody_elses_key_is_found() {
    found(desk(DeskBug::StealsKeys), &[Rule::Refused]);
}

#[test]
fn a_contribution_that_is_booked_anew_instead_of_sent_again_is_found() {
    found(desk(DeskBug::BooksTwice), &[Rule::KeyOnce]);
}

fn receipts(shown: &mut Shown) -> impl Iterator<Item = &mut Receipt> {
    shown.blocks.iter_mut().flat_map(|(_, receipts)| receipts)
}

fn settlements(shown: &mut Shown) -> impl Iterator<Item = &mut Receipt> {
    receipts(shown).filter(|receipt| receipt.record.kind == 705 && !receipt.witness.is_empty())
}

fn write(state: &mut State, key: &[u8], value: &[u8]) {
    state.commit([(key, Some(value))]);
}

/// Bends the row of the first of these keys that has one.
fn bend_row<K, V>(state: &mut State, prefix: u16, keys: &[K], bend: impl Fn(&mut V))
where
    K: borsh::BorshSerialize,
    V: borsh::BorshSerialize + borsh::BorshDeserialize,
{
    let table: Table<K, V> = Table::new(prefix);
    for key in keys {
        if let Some(mut row) = table.get(state, key) {
            bend(&mut row);
            write(state, &table.key_bytes(key), &codec::encode(&row));
        }
    }
}

fn records(shown: &mut Shown) -> Vec<SettlementRecord> {
    settlements(shown).filter_map(|receipt| codec::decode(&receipt.witness).ok()).collect()
}

#[test]
fn money_from_nowhere_is_found() {
    found(
        shown(|shown| {
            for record in records(shown) {
                let rich = Account::PersonalAccount(record.subject.person);
                let Some(row) = account(&shown.state, &rich) else { continue };
                let row = AccountRow { credits: row.credits + 1, ..row };
                write(&mut shown.state, &account_key(&rich), &codec::encode(&row));
            }
        }),
        &[Rule::MoneyConserved],
    );
}

#[test]
fn an_account_that_gives_what_it_does_not_have_is_found() {
    found(
        shown(|shown| {
            for receipt in receipts(shown).filter(|receipt| receipt.record.kind == 705) {
                let own = |posted: &&mut PostedEntry| {
                    matches!(posted.entry.debit, Account::PersonalAccount(_))
                };
                for posted in receipt.entries.iter_mut().filter(own) {
                    posted.entry.amount = Amount::from_minor(1_000_000_000);
                }
            }
        }),
        &[Rule::Floor],
    );
}

#[test]
fn an_entry_of_another_amount_is_found() {
    found(
        shown(|shown| {
            for receipt in receipts(shown).filter(|receipt| receipt.record.kind == 602) {
                for posted in &mut receipt.entries {
                    posted.entry.amount = posted.entry.amount.saturating_add(Amount::from_minor(1));
                }
            }
        }),
        &[Rule::MoneyConserved],
    );
}

#[test]
fn a_lost_running_amount_is_found() {
    found(
        shown(|shown| {
            let people: Vec<PersonId> =
                records(shown).iter().map(|record| record.subject.person).collect();
            bend_row(&mut shown.state, 0x0400, &people, |row: &mut CoverageRow| {
                for counters in &mut row.counters {
                    counters.accumulators = Accumulators::new();
                }
            });
        }),
        &[Rule::Accumulators],
    );
}

#[test]
fn a_settled_visit_that_is_open_again_is_found() {
    found(
        shown(|shown| {
            let visits: Vec<VisitId> = records(shown).iter().map(|record| record.visit).collect();
            bend_row(&mut shown.state, 0x0700, &visits, |row: &mut VisitRow| {
                *row = VisitRow::Cancelled;
            });
        }),
        &[Rule::SettledOnce],
    );
}

/// What the two regions owe each other, in both directions.
fn between() -> [RegionPair; 2] {
    let pair = RegionPair { insured: sim::region::REGION, care: sim::region::NEIGHBOUR };
    [pair, pair.reversed()]
}

#[test]
fn an_item_between_two_regions_of_another_amount_is_found() {
    found(
        shown(|shown| {
            let items = between().map(|pair| (1..=3).map(move |number: u64| (pair, number)));
            let items: Vec<(RegionPair, u64)> = items.into_iter().flatten().collect();
            bend_row(&mut shown.state, 0x0E04, &items, |row: &mut ItemRow| {
                row.item.amount = row.item.amount.saturating_add(Amount::from_minor(1));
            });
        }),
        &[Rule::BetweenRegions],
    );
}

#[test]
fn money_that_is_under_way_between_two_regions_and_forgotten_is_found() {
    found(
        shown(|shown| {
            bend_row(&mut shown.state, 0x0E03, &between(), |row: &mut PairRow| {
                row.under_way = Amount::ZERO;
            });
        }),
        &[Rule::BetweenRegions],
    );
}

#[test]
fn a_payment_that_stands_otherwise_than_its_executor_said_is_found() {
    found(
        shown(|shown| {
            let references: Vec<Hash> = receipts(shown)
                .flat_map(|receipt| {
                    let id = receipt.record.transaction_id;
                    receipt.effects.iter().map(move |effect| Effect::reference(id, effect.number))
                })
                .collect();
            bend_row(&mut shown.state, 0x0701, &references, |row: &mut EffectRow| {
                row.status = EffectStatus::Done;
            });
        }),
        &[Rule::EffectsAgree],
    );
}

#[test]
fn a_split_that_cannot_be_explained_again_is_found() {
    found(
        shown(|shown| {
            for receipt in settlements(shown) {
                let Ok(mut record) = codec::decode::<SettlementRecord>(&receipt.witness) else {
                    continue;
                };
                let Some(part) = record.parts.first_mut() else { continue };
                part.adjudication.deductible =
                    part.adjudication.deductible.saturating_add(Amount::from_minor(1));
                receipt.witness = codec::encode(&record);
            }
        }),
        &[Rule::Explanation],
    );
}

#[test]
fn a_rejected_transaction_that_moves_money_is_found() {
    found(
        shown(|shown| {
            for receipt in receipts(shown) {
                if receipt.record.outcome == OutcomeCode::Accepted {
                    continue;
                }
                let region = sim::region::REGION;
                let credit = Account::Fund { region, fund: sim::region::POOL };
                let (debit, amount) = (Account::Outside(region), Amount::from_minor(1));
                let entry = Entry { debit, credit, amount };
                receipt.entries = vec![PostedEntry { entry, currency: Currency::CNY }];
            }
        }),
        &[Rule::Refused],
    );
}

#[test]
fn a_receipt_that_is_swapped_for_another_is_found() {
    found(
        shown(|shown| {
            for (_, receipts) in &mut shown.blocks {
                receipts.reverse();
            }
        }),
        &[Rule::AppendOnly],
    );
}

#[test]
fn a_receipt_with_other_words_than_the_client_was_told_is_found() {
    found(
        shown(|shown| {
            for receipt in receipts(shown).filter(|receipt| receipt.record.kind == 701) {
                receipt.seed = Hash([9; 32]);
            }
        }),
        &[Rule::AcknowledgedKept],
    );
}

#[test]
fn every_bug_that_can_be_planted_in_the_code_has_its_place_there() {
    let (plants, root) = (sim::plants::all().unwrap(), sim::plants::root());
    assert!(plants.len() >= 20, "{} plants", plants.len());
    for plant in plants {
        let bent = plant.bend(&root).unwrap_or_else(|error| panic!("{error}"));
        assert_ne!(bent, std::fs::read_to_string(root.join(&plant.file)).unwrap());
    }
}
