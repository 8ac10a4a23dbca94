//! Notices: once per id, on every channel a person has, read by nobody else.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod support;

use std::sync::Arc;

use adapters::{
    clock::{Clock, ManualClock},
    notice::{
        BODY_BYTES_MAX, Channel, INBOX_PAGE_MAX, Message, Notice, NoticeBook, NoticeError,
        SUBJECT_BYTES_MAX,
    },
    sqlite::Place,
};
use primitives::{PersonId, sha256};
use support::NOON;

const ADA: PersonId = PersonId([1; 16]);
const BOB: PersonId = PersonId([2; 16]);

fn book() -> (NoticeBook, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(NOON));
    let book = NoticeBook::open(&Place::Memory, Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
    (book, clock)
}

fn message(id: &str, to: PersonId) -> Message {
    Message {
        id: sha256(id.as_bytes()),
        to,
        subject: String::from("A desk used your card and PIN"),
        body: String::from("If it was not you, object within 30 days."),
    }
}

#[test]
fn a_notice_reaches_every_channel_once() {
    let (book, clock) = book();
    book.set_channels(ADA, &[Channel::Email, Channel::Sms, Channel::Wallet, Channel::Sms]).unwrap();
    let first = book.send(&message("a", ADA)).unwrap();
    let channels: Vec<Channel> = first.iter().map(|delivery| delivery.channel).collect();
    assert_eq!(channels, [Channel::Wallet, Channel::Sms, Channel::Email]);
    assert!(first.iter().all(|delivery| delivery.delivered_at == NOON));
    clock.advance_millis(1);
    book.set_channels(ADA, &[]).unwrap();
    assert_eq!(book.send(&message("a", ADA)).unwrap(), first, "sent again, nothing changes");
    assert_eq!(book.inbox(ADA, None, 10).unwrap().len(), 1);
    let second = book.send(&message("b", ADA)).unwrap();
    assert_eq!(second.len(), 1, "only the wallet is left");
}

#[test]
fn another_notice_under_the_same_id_is_refused() {
    let (book, _) = book();
    book.send(&message("a", ADA)).unwrap();
    let mut other = message("a", ADA);
    other.body.push('!');
    assert!(matches!(book.send(&other), Err(NoticeError::OtherNotice(id)) if id == other.id));
    assert!(matches!(book.send(&message("a", BOB)), Err(NoticeError::OtherNotice(_))));
    assert!(book.inbox(BOB, None, 10).unwrap().is_empty());
}

#[test]
fn reading_is_noted_once_and_only_for_the_person() {
    let (book, clock) = book();
    let notice = message("a", ADA);
    book.send(&notice).unwrap();
    assert!(!book.mark_read(BOB, &notice.id).unwrap());
    assert_eq!(book.deliveries(&notice.id).unwrap()[0].read_at, None);
    clock.advance_millis(5);
    assert!(book.mark_read(ADA, &notice.id).unwrap());
    clock.advance_millis(5);
    assert!(book.mark_read(ADA, &notice.id).unwrap());
    let read_at = Some(NOON.plus_millis(5));
    assert_eq!(book.deliveries(&notice.id).unwrap()[0].read_at, read_at);
    assert_eq!(book.inbox(ADA, None, 1).unwrap()[0].read_at, read_at);
    assert!(!book.mark_read(ADA, &sha256(b"unknown")).unwrap());
    assert!(book.deliveries(&sha256(b"unknown")).unwrap().is_empty());
}

#[test]
fn the_inbox_is_paged_newest_first() {
    let (book, _) = book();
    for number in 0..INBOX_PAGE_MAX + 5 {
        book.send(&message(&format!("{number}"), ADA)).unwrap();
        book.send(&message(&format!("other {number}"), BOB)).unwrap();
    }
    let first = book.inbox(ADA, None, u32::MAX).unwrap();
    assert_eq!(first.len(), usize::try_from(INBOX_PAGE_MAX).unwrap());
    assert_eq!(first[0].id, sha256(format!("{}", INBOX_PAGE_MAX + 4).as_bytes()));
    let rest = book.inbox(ADA, Some(first.last().unwrap().sequence), u32::MAX).unwrap();
    assert_eq!(rest.len(), 5);
    assert_eq!(rest[4].id, sha256(b"0"));
    assert!(book.inbox(ADA, Some(rest[4].sequence), 10).unwrap().is_empty());
}

#[test]
fn lengths_are_named() {
    let (book, _) = book();
    let check = |subject: usize, body: usize| {
        let notice = Message {
            subject: "x".repeat(subject),
            body: "x".repeat(body),
            ..message(&format!("{subject} {body}"), ADA)
        };
        match book.send(&notice) {
            Ok(_) => None,
            Err(NoticeError::Length { field, found, .. }) => Some((field, found)),
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(check(SUBJECT_BYTES_MAX, BODY_BYTES_MAX), None);
    assert_eq!(check(0, 1), Some(("subject", 0)));
    assert_eq!(check(1, 0), Some(("body", 0)));
    assert_eq!(check(SUBJECT_BYTES_MAX + 1, 1), Some(("subject", SUBJECT_BYTES_MAX + 1)));
    assert_eq!(check(1, BODY_BYTES_MAX + 1), Some(("body", BODY_BYTES_MAX + 1)));
}

#[test]
fn notices_are_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("notices.sqlite"));
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(NOON));
    let notice = message("a", ADA);
    NoticeBook::open(&place, Arc::clone(&clock)).unwrap().send(&notice).unwrap();
    let book = NoticeBook::open(&place, clock).unwrap();
    let inbox = book.inbox(ADA, None, 1).unwrap();
    assert_eq!((&inbox[0].subject, &inbox[0].body), (&notice.subject, &notice.body));
}
