//! The directory: what is kept, what is counted, and what the file alone gives away.

use std::slice;

use adapters::directory::activation::ACTIVATION_TRIES;
use adapters::directory::code::{code_digits, code_step};
use adapters::directory::{
    ActivationTry, BoundCard, CodeSeed, Directory, DirectoryKey, Dispute, DisputeKind,
    KeptApplication, KeptClaim, KeptDeskAct, NewInquiry, PIN_TRIES, Particulars, PinTry,
    RefusalReason, Request, RequestAnswer, Seen, UsedCode, WrittenAnswer,
};
use adapters::sqlite::Place;
use primitives::{Hash, PersonId, PublicKey, Text, Timestamp, VisitId};

const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);
const ONE: PersonId = PersonId([1; 16]);
const TWO: PersonId = PersonId([2; 16]);

fn directory() -> Directory {
    Directory::open(&Place::Memory, &DirectoryKey([7; 32])).expect("a directory in memory opens")
}

#[test]
fn people_and_cards_are_found_again_and_the_file_does_not_show_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("directory.sqlite");
    let place = Place::File(path.clone());
    let particulars = Particulars::new("欧阳晓", "11010519491231002X");
    let card = BoundCard {
        executor: "bank".parse().unwrap(),
        rail: Text::new("sandbox_bank").unwrap(),
        token: "token-of-a-card".parse().unwrap(),
        last_four: "4321".to_owned(),
    };
    let directory = Directory::open(&place, &DirectoryKey([7; 32])).unwrap();
    directory.put_people(&[(ONE, particulars.clone())]).unwrap();
    directory.put_cards(&[(ONE, card.clone())]).unwrap();
    assert_eq!(directory.person(ONE).unwrap(), Some(particulars));
    assert_eq!(directory.person(ONE).unwrap().unwrap().number_end, "002X");
    assert_eq!(directory.card(ONE).unwrap(), Some(card));
    assert!(directory.person(TWO).unwrap().is_none() && directory.card(TWO).unwrap().is_none());
    drop(directory);
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let holds = |words: &[u8]| bytes.windows(words.len()).any(|window| window == words);
        assert!(!holds("欧阳晓".as_bytes()) && !holds(b"002X") && !holds(b"token-of-a-card"));
    }
    let other = Directory::open(&place, &DirectoryKey([8; 32])).unwrap();
    assert!(other.person(ONE).is_err());
    assert!(other.forget_card(ONE).unwrap() && other.card(ONE).unwrap().is_none());
    assert!(!other.forget_card(ONE).unwrap());
}

#[test]
fn an_activation_counts_for_one_person_until_its_end_and_a_few_wrong_tries() {
    let (directory, index) = (directory(), Hash([5; 32]));
    let until = NOW.plus_millis(1_000);
    let tried = |code: &str, now| directory.try_activation(&index, code, now).unwrap();
    assert_eq!(tried("1234567890", NOW), ActivationTry::Wrong, "there is none");
    directory.put_activation(&index, "1234567890", until).unwrap();
    assert_eq!(tried("1234567890", NOW), ActivationTry::Right);
    assert_eq!(tried("1234567890", until), ActivationTry::Wrong);
    let other = Hash([6; 32]);
    assert_eq!(directory.try_activation(&other, "1234567890", NOW).unwrap(), ActivationTry::Wrong);
    directory.put_activation(&index, "0987654321", until).unwrap();
    for _ in 1..ACTIVATION_TRIES {
        assert_eq!(tried("1234567890", NOW), ActivationTry::Wrong);
    }
    assert_eq!(tried("0987654321", NOW), ActivationTry::Right, "one try is left");
    assert_eq!(tried("1234567890", NOW), ActivationTry::Wrong);
    assert_eq!(tried("0987654321", NOW), ActivationTry::Wrong, "void");
    directory.put_activation(&index, "1111111111", until).unwrap();
    directory.end_activation(&index).unwrap();
    assert_eq!(tried("1111111111", NOW), ActivationTry::Wrong, "used up");
}

const fn key() -> PublicKey {
    PublicKey::Ed25519([3; 32])
}

/// A code on the person's own phone.
const fn own(person: PersonId) -> UsedCode {
    UsedCode { person, shown_by: None, key: key() }
}

#[test]
fn a_code_counts_once_within_a_minute_of_its_time() {
    let directory = directory();
    let seed = directory.new_code(own(ONE), NOW).unwrap();
    let step = code_step(NOW);
    let digits = |step| code_digits(&seed.secret, step);
    let used = |digits, now| directory.use_code(seed.number, digits, now).unwrap();
    assert_eq!(used(digits(step + 2), NOW), None, "of the future");
    assert_eq!(used(digits(step), NOW.plus_millis(120_000)), None, "two minutes old");
    assert_eq!(used(digits(step), NOW.plus_millis(60_000)), Some(own(ONE)));
    assert_eq!(used(digits(step), NOW.plus_millis(60_000)), None, "used");
    assert_eq!(used(digits(step - 1), NOW), None, "older than a used one");
    assert_eq!(used(digits(step + 1), NOW), Some(own(ONE)), "the phone's clock is ahead");
    assert_eq!(directory.use_code(1, digits(step), NOW).unwrap(), None, "no such wallet");
}

#[test]
fn the_oldest_of_too_many_codes_gives_way() {
    let directory = directory();
    let seeds: Vec<_> =
        (0..9).map(|at| directory.new_code(own(ONE), NOW.plus_millis(at)).unwrap()).collect();
    let step = code_step(NOW);
    let is_there = |at: usize| {
        let digits = code_digits(&seeds[at].secret, step);
        directory.use_code(seeds[at].number, digits, NOW).unwrap().is_some()
    };
    assert!(!is_there(0) && is_there(1) && is_there(8));
}

#[test]
fn a_relatives_phone_shows_a_code_of_its_own_that_takes_nobodys_place() {
    let directory = directory();
    let mine = directory.new_code(own(ONE), NOW).unwrap();
    let shown = UsedCode { person: ONE, shown_by: Some(TWO), key: key() };
    let seeds: Vec<_> =
        (1..10).map(|at| directory.new_code(shown, NOW.plus_millis(at)).unwrap()).collect();
    let step = code_step(NOW);
    let used = |seed: &CodeSeed| {
        directory.use_code(seed.number, code_digits(&seed.secret, step), NOW).unwrap()
    };
    assert_eq!(used(&mine), Some(own(ONE)));
    assert_eq!((used(&seeds[0]), used(&seeds[8])), (None, Some(shown)));
}

#[test]
fn the_right_pin_gives_the_secret_and_too_many_wrong_ones_erase_it() {
    let directory = directory();
    let pin = directory.new_pin(ONE, &[1; 32]).unwrap();
    let tried = |verifier: u8| directory.try_pin(&pin.id, &[verifier; 32]).unwrap();
    assert!(tried(1) == PinTry::Right(pin.secret));
    for left in (1..PIN_TRIES).rev() {
        assert!(tried(2) == PinTry::Wrong { left });
    }
    assert!(tried(1) == PinTry::Right(pin.secret), "a right one starts the count again");
    for _ in 1..PIN_TRIES {
        assert!(tried(2) != PinTry::Blocked);
    }
    assert!(tried(2) == PinTry::Blocked);
    assert!(tried(1) == PinTry::Blocked, "gone for good");
    assert!(directory.try_pin(&[9; 16], &[1; 32]).unwrap() == PinTry::Blocked, "no such PIN");
}

fn request(id: u8, visit: u8, person: PersonId) -> Request {
    Request {
        id: Hash([id; 32]),
        visit: VisitId([visit; 16]),
        person,
        asked: person,
        provider: "hospital".parse().expect("an organisation's id"),
        content: vec![1, 2],
        signed: vec![3],
        bill: b"bill".to_vec(),
        sent: NOW.plus_millis(u64::from(id)),
        expires: NOW.plus_millis(1_000),
        answer: None,
    }
}

#[test]
fn a_request_waits_for_its_person_until_it_is_answered_or_over() {
    let directory = directory();
    let (first, second, other) = (request(1, 1, ONE), request(2, 1, ONE), request(3, 2, ONE));
    directory.put_request(&first).unwrap();
    directory.put_request(&first).unwrap();
    let open = |person, now| directory.open_requests(person, now).unwrap();
    assert_eq!(open(ONE, NOW), std::slice::from_ref(&first));
    assert!(open(TWO, NOW).is_empty() && open(ONE, first.expires).is_empty());
    directory.put_request(&second).unwrap();
    directory.put_request(&other).unwrap();
    assert_eq!(open(ONE, NOW), [other.clone(), second.clone()], "the newest first");
    let for_another = Request { asked: TWO, ..request(4, 3, ONE) };
    directory.put_request(&for_another).unwrap();
    assert_eq!(open(TWO, NOW), [for_another], "a relative is asked");
    assert_eq!(open(ONE, NOW).len(), 2);
    let found = directory.request(&first.id).unwrap().unwrap();
    assert_eq!(found.answer, Some(RequestAnswer::Withdrawn), "another took its place");
    let refused = RequestAnswer::Refused { reason: RefusalReason::WrongBill };
    assert!(directory.answer_request(&second.id, refused).unwrap());
    assert!(!directory.answer_request(&second.id, RequestAnswer::Withdrawn).unwrap());
    assert_eq!(directory.request(&second.id).unwrap().unwrap().answer, Some(refused));
    assert_eq!(open(ONE, NOW), [other]);
    let mut late = request(9, 9, TWO);
    late.sent = NOW.plus_millis(8 * 24 * 3_600_000);
    directory.put_request(&late).unwrap();
    assert!(directory.request(&first.id).unwrap().is_none(), "kept for a week");
}

#[test]
fn a_dispute_waits_until_it_is_taken_off_and_its_words_are_forgotten_after_two_years() {
    let directory = directory();
    let hospital = "hospital".parse().unwrap();
    let visit = VisitId([2; 16]);
    let dispute = |kind: DisputeKind, id: u8, later: u64| Dispute {
        kind,
        id: Hash([id; 32]),
        visit,
        person: ONE,
        provider: hospital,
        statement: vec![id],
        raised: NOW.plus_millis(later),
        answer: None,
    };
    for (kind, other) in [
        (DisputeKind::Objection, DisputeKind::Contest),
        (DisputeKind::Contest, DisputeKind::Objection),
    ] {
        let first = 10 + u8::from(kind == DisputeKind::Contest) * 10;
        let (newer, older) = (dispute(kind, first, 1), dispute(kind, first + 1, 0));
        for one in [&newer, &older] {
            directory.put_dispute(one).unwrap();
            directory.put_dispute(&Dispute { statement: vec![], ..one.clone() }).unwrap();
        }
        let open = |provider| directory.open_disputes(kind, provider).unwrap();
        assert_eq!(open(Some(hospital)), [older.clone(), newer.clone()]);
        assert!(open(Some("clinic".parse().unwrap())).is_empty());
        assert_eq!(directory.disputes_of(kind, visit).unwrap(), [newer.clone(), older.clone()]);
        let answer = |id: u8| WrittenAnswer { id: Hash([id; 32]), statement: vec![id, id] };
        directory.write_answer(&newer.id, &answer(3)).unwrap();
        directory.write_answer(&newer.id, &answer(4)).unwrap();
        let answered = Dispute { answer: Some(answer(4)), ..newer.clone() };
        assert_eq!(directory.dispute(&newer.id).unwrap(), Some(answered));
        directory.close_dispute(&newer.id).unwrap();
        assert_eq!(open(None), slice::from_ref(&older));
        directory.close_dispute(&older.id).unwrap();
        assert!(directory.disputes_of(other, visit).unwrap().iter().all(|one| one.kind == other));
    }
    assert!(directory.dispute(&Hash([5; 32])).unwrap().is_none());
    // After two years nobody needs the words; to the instant.
    let years = 2 * 365 * 24 * 3_600_000;
    directory.put_dispute(&dispute(DisputeKind::Contest, 30, years + 1)).unwrap();
    for (id, is_kept) in [(10, true), (11, false), (20, true), (21, false)] {
        assert_eq!(directory.dispute(&Hash([id; 32])).unwrap().is_some(), is_kept, "{id}");
    }
}

#[test]
fn a_confirmed_bill_is_kept_under_its_commitment_for_a_year() {
    let (directory, commitment) = (directory(), Hash([5; 32]));
    assert!(directory.bill(&commitment).unwrap().is_none());
    directory.put_bill(&commitment, b"bill", NOW).unwrap();
    directory.put_bill(&commitment, b"other", NOW).unwrap();
    assert_eq!(directory.bill(&commitment).unwrap().as_deref(), Some(&b"bill"[..]));
    let later = NOW.plus_millis((365 * 24 + 1) * 3_600_000);
    directory.put_bill(&Hash([6; 32]), b"new", later).unwrap();
    assert!(directory.bill(&commitment).unwrap().is_none());
}

fn inquiry(key: u8, person: PersonId) -> NewInquiry {
    NewInquiry {
        key: [key; 16],
        person,
        organisation: "hospital".parse().expect("an organisation's id"),
        visit: Some(VisitId([1; 16])),
        request: Some(Hash([2; 32])),
        statement: b"charged twice".to_vec(),
        raised: NOW,
    }
}

#[test]
fn an_inquiry_is_kept_once_waits_for_one_answer_and_is_forgotten_after_two_years() {
    let directory = directory();
    let (first, other) = (inquiry(1, ONE), inquiry(1, TWO));
    let number = directory.put_inquiry(&first).unwrap().unwrap();
    assert_eq!(directory.put_inquiry(&first).unwrap(), Some(number), "the same is kept once");
    let second = directory.put_inquiry(&other).unwrap().unwrap();
    assert_ne!(number, second, "a key is a person's own");
    let hospital = first.organisation;
    let kept = directory.inquiry(number).unwrap().unwrap();
    assert_eq!((kept.number, &kept.asked, &kept.answer), (number, &first, &None));
    let waiting: Vec<u64> =
        directory.open_inquiries(hospital).unwrap().iter().map(|one| one.number).collect();
    assert_eq!(waiting, [number, second], "the oldest first");
    assert!(directory.open_inquiries("bureau".parse().unwrap()).unwrap().is_empty());

    let later = NOW.plus_millis(60_000);
    assert!(directory.answer_inquiry(&kept, b"once only", later).unwrap());
    assert!(!directory.answer_inquiry(&kept, b"again", later).unwrap());
    let own = directory.inquiries_of(ONE).unwrap();
    assert_eq!(own[0].answer, Some((later, b"once only".to_vec())));
    assert_eq!(own.len(), 1);

    for key in 2..=20 {
        assert!(directory.put_inquiry(&inquiry(key, TWO)).unwrap().is_some());
    }
    assert_eq!(directory.put_inquiry(&inquiry(21, TWO)).unwrap(), None, "twenty wait");
    let years_later = NewInquiry { raised: NOW.plus_millis(731 * 24 * 3_600_000), ..first };
    directory.put_inquiry(&NewInquiry { key: [9; 16], ..years_later }).unwrap();
    assert!(directory.inquiry(number).unwrap().is_none());
}

#[test]
fn the_latest_request_of_a_visit_is_the_one_that_was_sent_last() {
    let directory = directory();
    for id in 1..=2 {
        directory.put_request(&request(id, 1, ONE)).unwrap();
    }
    let latest = directory.latest_request(VisitId([1; 16])).unwrap().unwrap();
    assert_eq!(latest.id, Hash([2; 32]));
    assert!(directory.latest_request(VisitId([2; 16])).unwrap().is_none());
}

#[test]
fn what_waits_for_an_answer_about_a_visit_is_withdrawn_once() {
    let directory = directory();
    directory.put_request(&request(1, 1, ONE)).unwrap();
    directory.put_request(&request(2, 2, ONE)).unwrap();
    let visit = VisitId([1; 16]);
    assert!(directory.withdraw_requests(visit).unwrap());
    assert!(!directory.withdraw_requests(visit).unwrap());
    let answer = |id| directory.request(&Hash([id; 32])).unwrap().unwrap().answer;
    assert_eq!((answer(1), answer(2)), (Some(RequestAnswer::Withdrawn), None));
}

#[test]
fn the_documents_of_an_application_wait_until_it_is_decided_and_are_forgotten_after_half_a_year() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("directory.sqlite");
    let application = |id: u8, raised| KeptApplication {
        id: Hash([id; 32]),
        payer: ONE,
        member: TWO,
        documents: Hash([id; 32]),
        statement: b"household register".to_vec(),
        raised,
    };
    let first = application(1, NOW);
    let directory = Directory::open(&Place::File(path.clone()), &DirectoryKey([7; 32])).unwrap();
    directory.put_application(&first).unwrap();
    directory.put_application(&KeptApplication { statement: vec![], ..first.clone() }).unwrap();
    assert_eq!(directory.application(&first.id).unwrap(), Some(first.clone()));
    let listed = KeptApplication { statement: vec![], ..first.clone() };
    assert_eq!(directory.open_applications().unwrap(), [listed], "a list has no documents");
    let file = std::fs::read(&path).unwrap();
    assert!(!file.windows(9).any(|bytes| bytes == b"household"), "they are sealed");
    directory.close_application(&first.id).unwrap();
    assert_eq!(directory.open_applications().unwrap(), []);
    assert!(directory.application(&first.id).unwrap().is_some(), "kept for questions");
    let later = application(2, NOW.plus_millis(181 * 24 * 3_600_000));
    directory.put_application(&later).unwrap();
    assert_eq!(directory.application(&first.id).unwrap(), None);
    directory.forget_application(&later.id).unwrap();
    assert_eq!(directory.application(&later.id).unwrap(), None);
}

#[test]
fn an_invoice_has_one_tag_however_it_is_written_and_nobody_else_has_it() {
    let directory = directory();
    let tag = directory.invoice_tag("62060121", "00a1 23");
    for (issuer, number) in [("6206 0121", "00A123"), ("６２０６０１２１", "００Ａ１-２３")]
    {
        assert_eq!(directory.invoice_tag(issuer, number), tag, "{issuer} {number}");
    }
    for (issuer, number) in [("62060121", "00A124"), ("6206012", "100A123"), ("", "6206012100A123")]
    {
        assert_ne!(directory.invoice_tag(issuer, number), tag, "{issuer} {number}");
    }
    let other = Directory::open(&Place::Memory, &DirectoryKey([8; 32])).unwrap();
    assert_ne!(other.invoice_tag("62060121", "00A123"), tag);
}

#[test]
fn a_claim_waits_until_it_is_closed_and_its_photographs_are_forgotten_after_two_years() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("directory.sqlite");
    let claim = |id: u8, raised| KeptClaim {
        id: Hash([id; 32]),
        person: ONE,
        statement: b"emergency room".to_vec(),
        raised,
    };
    let directory = Directory::open(&Place::File(path.clone()), &DirectoryKey([7; 32])).unwrap();
    let (closed, open) = (claim(1, NOW), claim(2, NOW.plus_millis(1)));
    for one in [&closed, &open] {
        directory.put_claim(one, b"photographed").unwrap();
    }
    directory.put_claim(&KeptClaim { person: TWO, ..closed.clone() }, b"another").unwrap();
    assert_eq!(directory.claim(&closed.id).unwrap(), Some(closed.clone()));
    assert_eq!(directory.open_claims().unwrap(), [closed.clone(), open.clone()]);
    let shown = directory.claim_photographs(&closed.id).unwrap();
    assert_eq!(shown.as_deref(), Some(b"photographed".as_slice()));
    let record = Hash([9; 32]);
    directory.put_review(&record, b"reviewed").unwrap();
    assert_eq!(directory.review(&record).unwrap().as_deref(), Some(b"reviewed".as_slice()));
    assert_eq!(directory.review(&closed.id).unwrap(), None);
    let file = std::fs::read(&path).unwrap();
    for words in [b"emergency".as_slice(), b"photographed", b"reviewed"] {
        assert!(!file.windows(words.len()).any(|bytes| bytes == words), "they are sealed");
    }
    directory.close_claim(&closed.id).unwrap();
    assert_eq!(directory.open_claims().unwrap(), std::slice::from_ref(&open));
    let later = claim(3, NOW.plus_millis(731 * 24 * 3_600_000));
    directory.put_claim(&later, b"photographed").unwrap();
    assert_eq!(directory.claim_photographs(&closed.id).unwrap(), None);
    assert!(directory.claim(&closed.id).unwrap().is_some(), "what was said stays");
    assert!(directory.claim_photographs(&open.id).unwrap().is_some(), "it still waits");
    directory.forget_claim(&later.id).unwrap();
    assert_eq!(directory.claim(&later.id).unwrap(), None);
}

#[test]
fn why_a_desk_did_something_is_found_by_its_person_and_forgotten_when_it_was_refused() {
    let directory = directory();
    let act = |id: u8, person: PersonId, later: u64| KeptDeskAct {
        id: Hash([id; 32]),
        person,
        statement: vec![id],
        done: NOW.plus_millis(later),
    };
    for one in [act(1, ONE, 0), act(2, ONE, 1), act(3, TWO, 2)] {
        directory.put_desk_act(&one).unwrap();
        directory.put_desk_act(&one).unwrap();
    }
    assert_eq!(directory.desk_acts(ONE).unwrap(), [act(2, ONE, 1), act(1, ONE, 0)]);
    directory.forget_desk_act(&Hash([2; 32])).unwrap();
    assert_eq!(directory.desk_acts(ONE).unwrap(), [act(1, ONE, 0)]);
    // After five years nobody needs it.
    let years = 5 * 365 * 24 * 3_600_000;
    directory.put_desk_act(&act(4, TWO, years)).unwrap();
    assert_eq!(directory.desk_acts(ONE).unwrap(), [act(1, ONE, 0)], "to the instant");
    directory.put_desk_act(&act(5, TWO, years + 1)).unwrap();
    assert_eq!(directory.desk_acts(ONE).unwrap(), []);
}

#[test]
fn an_erased_wallet_leaves_who_it_was_and_nothing_of_others() {
    let directory = directory();
    let card = BoundCard {
        executor: "bank".parse().unwrap(),
        rail: Text::new("sandbox_bank").unwrap(),
        token: "token-of-a-card".parse().unwrap(),
        last_four: "4321".to_owned(),
    };
    let who = Particulars::new("欧阳晓", "11010519491231002X");
    for person in [ONE, TWO] {
        directory.put_people(&[(person, who.clone())]).unwrap();
        directory.put_cards(&[(person, card.clone())]).unwrap();
    }
    directory.note_ward(ONE, TWO).unwrap();
    let pin = directory.new_pin(ONE, &[1; 32]).unwrap();
    let shown = directory.new_code(own(ONE), NOW).unwrap();
    directory.erase_wallet(ONE).unwrap();
    directory.erase_wallet(ONE).unwrap();
    assert!(directory.card(ONE).unwrap().is_none() && directory.wards_of(ONE).unwrap().is_empty());
    assert!(matches!(directory.try_pin(&pin.id, &[1; 32]).unwrap(), PinTry::Blocked));
    let digits = code_digits(&shown.secret, code_step(NOW));
    assert!(directory.use_code(shown.number, digits, NOW).unwrap().is_none());
    assert_eq!(directory.person(ONE).unwrap(), Some(who));
    assert_eq!(directory.card(TWO).unwrap(), Some(card));
}

#[test]
fn a_provider_finds_the_visits_again_that_its_desks_opened() {
    let directory = directory();
    let (house, other) = ("house".parse().unwrap(), "other".parse().unwrap());
    let visit = |number| VisitId([number; 16]);
    let seen = |evidence, provider| Seen { provider, person: ONE, shown_by: Some(TWO), evidence };
    directory.note_seen(&seen(Hash([1; 32]), &house), NOW).unwrap();
    directory.note_seen(&seen(Hash([2; 32]), &house), NOW).unwrap();
    // Another house that learned of the evidence does not get at who showed the code.
    let elsewhere = Seen { shown_by: None, ..seen(Hash([1; 32]), &other) };
    directory.note_received(visit(9), &elsewhere, NOW).unwrap();
    assert_eq!(directory.reception(visit(9)).unwrap().unwrap().shown_by, None);
    let received = Seen { shown_by: None, ..seen(Hash([1; 32]), &house) };
    directory.note_received(visit(1), &received, NOW.plus_millis(1)).unwrap();
    let found = directory.reception(visit(1)).unwrap().unwrap();
    assert_eq!((found.person, found.shown_by), (ONE, Some(TWO)));
    // The same again changes nothing, and without evidence it is received as well.
    directory.note_received(visit(1), &received, NOW.plus_millis(2)).unwrap();
    let unseen = Seen { evidence: Hash([0; 32]), ..received };
    directory.note_received(visit(2), &unseen, NOW.plus_millis(3)).unwrap();
    let visits = |provider| -> Vec<VisitId> {
        directory.receptions(provider).unwrap().iter().map(|one| one.visit).collect()
    };
    assert_eq!((visits(&house), visits(&other)), (vec![visit(2), visit(1)], vec![visit(9)]));
    // Whoever was seen and not received is forgotten after a day.
    directory.note_seen(&seen(Hash([3; 32]), &house), NOW.plus_millis(25 * 3_600_000)).unwrap();
    let late = Seen { evidence: Hash([2; 32]), ..received };
    directory.note_received(visit(3), &late, NOW.plus_millis(25 * 3_600_000)).unwrap();
    assert_eq!(directory.reception(visit(3)).unwrap().unwrap().shown_by, None);
    directory.forget_receptions(&[visit(1), visit(2)]).unwrap();
    assert_eq!(visits(&house), vec![visit(3)]);
}
