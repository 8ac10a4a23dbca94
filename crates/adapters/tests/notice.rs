//! Notices: for those who asked, on one channel after the other until one reaches them.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod support;

use std::sync::{Arc, Mutex};

use adapters::{
    clock::{Clock, ManualClock},
    directory::DirectoryKey,
    notice::{
        About, Address, Arrival, Channel, Choice, CodeSent, CodeTry, DeliveryState, HandOverError,
        Message, Noted, Notice, NoticeBook, NoticePost, PHONE_CODE_TRIES, Phone, Phrase,
        SignedReport, Waits,
        push::{PushContact, PushLine, PushName, PushService, Subscription, WebPush, is_key},
        template::{
            Templates,
            simulated::{SimulatedProvider, TRAVEL_MILLIS},
        },
    },
    sqlite::Place,
};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use primitives::{Hash, PersonId, PublicKey, Timestamp, sha256};
use serde_json::Value;
use support::NOON;
use web_push_native::p256;

const ADA: PersonId = PersonId([1; 16]);
const BOB: PersonId = PersonId([2; 16]);
const WAITS: Waits = Waits { wallet: 5_000, push: 60_000, wechat: 120_000 };
const DAY_MAX: u32 = 3;
const DAY: u64 = 24 * 3_600_000;
const SERVICE: &str = "https://push.example";
const SECRET: Hash = Hash([9; 32]);
/// The key of the wallet in which Ada asks.
const OWN_KEY: PublicKey = PublicKey::Ed25519([5; 32]);
const OTHER_KEY: PublicKey = PublicKey::Ed25519([6; 32]);

/// A push service that says what it is told to say, and keeps what it got.
#[derive(Clone, Default)]
struct Line(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    got: Vec<http::Request<Vec<u8>>>,
    answers: Vec<Result<u16, HandOverError>>,
    /// What happens meanwhile, once.
    meanwhile: Option<Box<dyn FnOnce() + Send>>,
}

impl Line {
    /// The next answers; 201 after them.
    fn answer(&self, answers: &[Result<u16, HandOverError>]) {
        self.0.lock().unwrap().answers = answers.iter().rev().copied().collect();
    }

    /// Happens while the next request is on its way.
    fn meanwhile(&self, act: impl FnOnce() + Send + 'static) {
        self.0.lock().unwrap().meanwhile = Some(Box::new(act));
    }

    fn got(&self) -> Vec<http::Request<Vec<u8>>> {
        std::mem::take(&mut self.0.lock().unwrap().got)
    }
}

impl PushLine for Line {
    fn send(&self, request: http::Request<Vec<u8>>) -> Result<u16, HandOverError> {
        let meanwhile = self.0.lock().unwrap().meanwhile.take();
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
        let mut inner = self.0.lock().unwrap();
        inner.got.push(request);
        inner.answers.pop().unwrap_or(Ok(201))
    }
}

/// A browser: its key, its secret, and what it tells us.
struct Browser {
    key: p256::SecretKey,
    subscription: Subscription,
}

impl Browser {
    fn new(number: u8) -> Self {
        let key = p256::SecretKey::from_slice(&[number + 1; 32]).unwrap();
        let subscription = Subscription {
            endpoint: format!("{SERVICE}/browser/{number}"),
            key: key.public_key().to_sec1_bytes().to_vec(),
            secret: [number; 16],
        };
        Self { key, subscription }
    }

    fn read(&self, request: &http::Request<Vec<u8>>) -> Value {
        let secret = self.subscription.secret.into();
        let bytes = web_push_native::decrypt(request.body().clone(), &self.key, &secret).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }
}

/// A post with all channels, a push line and both simulated providers, at noon.
struct Bench {
    post: Arc<NoticePost>,
    clock: Arc<ManualClock>,
    line: Line,
    wechat: SimulatedProvider,
    sms: SimulatedProvider,
}

fn words(about: About, language: &str) -> Phrase {
    Phrase { title: format!("{} {language}", about.name()), body: "Open the wallet.".to_owned() }
}

fn push_name() -> PushName {
    PushName::new(&SECRET, &"mailto:notices@bureau.example".parse().unwrap()).unwrap()
}

fn web_push(line: &Line, clock: &Arc<dyn Clock>) -> WebPush {
    let services = vec![SERVICE.parse().unwrap()];
    WebPush::new(services, push_name(), Box::new(line.clone()), Arc::clone(clock))
}

fn book(place: &Place) -> NoticeBook {
    NoticeBook::open(place, &DirectoryKey([3; 32])).unwrap()
}

impl Bench {
    fn new() -> Self {
        Self::with(book(&Place::Memory))
    }

    fn with(book: NoticeBook) -> Self {
        let manual = Arc::new(ManualClock::at(NOON));
        let clock = Arc::clone(&manual) as Arc<dyn Clock>;
        let line = Line::default();
        let provider = |channel| SimulatedProvider::new(channel, &SECRET, Arc::clone(&clock), None);
        let (wechat, sms) = (provider(Channel::Wechat), provider(Channel::Sms));
        let templates = |channel, provider: &SimulatedProvider| {
            Arc::new(Templates::new(channel, Box::new(provider.clone()), &SECRET))
                as Arc<dyn Notice>
        };
        let channels = vec![
            Arc::new(web_push(&line, &clock)) as Arc<dyn Notice>,
            templates(Channel::Wechat, &wechat),
            templates(Channel::Sms, &sms),
        ];
        let post = Arc::new(NoticePost::new(book, channels, words, (WAITS, DAY_MAX), clock));
        Self { post, clock: manual, line, wechat, sms }
    }

    /// Ada wants everything.
    fn asked() -> Self {
        let bench = Self::new();
        bench.choose(true, true);
        bench.put(Address::Push(Browser::new(1).subscription));
        bench.put(Address::Sms("13900001234".parse().unwrap()));
        bench
    }

    fn choose(&self, wechat: bool, sms: bool) {
        let choice = Choice { language: "en".to_owned(), wechat, sms };
        self.post.choose(ADA, &choice, 0).unwrap();
    }

    fn put(&self, address: Address) -> Hash {
        self.post.book().put_address(ADA, (&address, Some(&OWN_KEY)), self.clock.now()).unwrap()
    }

    /// Something happened to Ada's protection.
    fn alarm(&self, id: &str) {
        let message = Message { about: About::Protection, all_ways: true, ..message(id) };
        assert!(self.post.note(&message).unwrap());
    }

    fn note(&self, id: &str) {
        assert!(self.post.note(&message(id)).unwrap());
    }

    /// Time passes, and a round is made.
    fn after(&self, millis: u64) {
        self.clock.advance_millis(millis);
        self.post.round().unwrap();
    }

    fn newest(&self) -> Noted {
        self.post.book().notices_of(ADA, self.clock.now()).unwrap().remove(0)
    }

    fn states(&self) -> Vec<(Channel, DeliveryState)> {
        self.newest().deliveries.iter().map(|one| (one.channel, one.state)).collect()
    }

    /// What reached push services, WeChat and phones so far.
    fn reached(&self) -> [usize; 3] {
        [self.line.0.lock().unwrap().got.len(), self.wechat.sent().len(), self.sms.sent().len()]
    }
}

fn message(id: &str) -> Message {
    Message { id: sha256(id.as_bytes()), to: ADA, about: About::Request, all_ways: false }
}

fn at(millis: u64) -> Timestamp {
    NOON.plus_millis(millis)
}

#[test]
fn nobody_is_told_anything_who_did_not_ask_for_it() {
    let bench = Bench::new();
    assert!(!bench.post.note(&message("a")).unwrap());
    bench.choose(true, true);
    bench.note("a");
    assert!(!bench.post.note(&message("a")).unwrap(), "the same again is no further one");
    assert!(!bench.post.note(&Message { to: BOB, ..message("b") }).unwrap());
    assert_eq!(bench.post.book().notices_of(ADA, bench.clock.now()).unwrap().len(), 1);
    bench.post.book().forget(ADA).unwrap();
    assert!(!bench.post.note(&message("c")).unwrap());
    assert!(bench.post.book().notices_of(ADA, bench.clock.now()).unwrap().is_empty());
    assert_eq!(bench.post.book().standing(ADA).unwrap(), None);
    bench.after(DAY);
    assert_eq!(bench.reached(), [0, 0, 0]);
}

#[test]
fn each_channel_waits_for_the_one_before() {
    let bench = Bench::asked();
    bench.note("a");
    bench.after(WAITS.wallet - 1);
    assert_eq!(bench.reached(), [0, 0, 0], "the open wallet comes first");
    bench.after(1);
    assert_eq!(bench.reached(), [1, 0, 0]);
    bench.after(WAITS.push - 1);
    assert_eq!(bench.reached(), [1, 0, 0]);
    // Nobody follows the account yet: the choice made Ada a follower.
    bench.after(1);
    assert_eq!(bench.reached(), [1, 1, 0]);
    let wechat = at(WAITS.wallet + WAITS.push);
    assert_eq!(bench.states()[1], (Channel::Wechat, DeliveryState::Handed(wechat)));
    // It arrives there, and no text message has to be paid for.
    bench.after(TRAVEL_MILLIS);
    let arrived = DeliveryState::Arrived(wechat.plus_millis(TRAVEL_MILLIS));
    assert_eq!(bench.states()[1], (Channel::Wechat, arrived));
    bench.after(DAY);
    assert_eq!(bench.reached(), [1, 1, 0]);
    let counted = bench.post.counted();
    assert_eq!(counted[0], (Channel::Push, [1, 0, 0]));
    assert_eq!(counted[1], (Channel::Wechat, [1, 1, 0]));
    assert_eq!(bench.post.waiting(), 0);
}

#[test]
fn what_was_seen_in_the_wallet_goes_no_further() {
    let bench = Bench::asked();
    bench.note("a");
    bench.clock.advance_millis(2_000);
    let sequence = bench.newest().sequence;
    bench.post.book().mark_seen(BOB, sequence, bench.clock.now()).unwrap();
    assert_eq!(bench.newest().seen, None, "nobody else sees it");
    bench.post.book().mark_seen(ADA, sequence, bench.clock.now()).unwrap();
    bench.after(DAY);
    bench.post.book().mark_seen(ADA, sequence, bench.clock.now()).unwrap();
    assert_eq!(bench.newest().seen, Some(at(2_000)), "the first time counts");
    assert_eq!(bench.reached(), [0, 0, 0]);

    // The same after a channel took it.
    bench.note("b");
    bench.after(WAITS.wallet);
    assert_eq!(bench.reached(), [1, 0, 0]);
    bench.post.book().mark_seen(ADA, u64::MAX, bench.clock.now()).unwrap();
    bench.after(DAY);
    assert_eq!(bench.reached(), [1, 0, 0]);
}

#[test]
fn a_notice_of_a_time_that_comes_shows_itself_then_unless_it_was_taken_back() {
    let bench = Bench::asked();
    let (one, two) = (message("comes back"), message("was claimed"));
    assert!(bench.post.note_at(&one, at(DAY)).unwrap());
    assert!(!bench.post.note_at(&one, at(DAY)).unwrap(), "the same again is no further one");
    assert!(bench.post.note_at(&two, at(DAY)).unwrap());
    bench.note("meanwhile");
    let shown = || bench.post.book().notices_of(ADA, bench.clock.now()).unwrap().len();
    assert_eq!(shown(), 1);
    bench.post.book().mark_seen(ADA, u64::MAX, bench.clock.now()).unwrap();
    bench.post.take_back(&two.id).unwrap();
    bench.after(DAY - 1);
    assert_eq!((shown(), bench.reached()), (1, [0, 0, 0]));
    bench.after(1);
    assert_eq!(shown(), 2, "what was seen before it does not hide it");
    // What has come is told and not taken back any more.
    bench.post.take_back(&one.id).unwrap();
    bench.after(WAITS.wallet);
    assert_eq!((shown(), bench.reached()), (2, [1, 0, 0]));
}

#[test]
fn a_browser_says_that_it_showed_a_notice() {
    let bench = Bench::asked();
    bench.note("a");
    bench.after(WAITS.wallet);
    let shown = Browser::new(1).read(&bench.line.got()[0]);
    assert_eq!(shown["title"], "request en");
    assert_eq!(shown["about"], "request");
    let reference: Hash = shown["reference"].as_str().unwrap().parse().unwrap();
    bench.clock.advance_millis(500);
    let arrived = |channel, reference| bench.post.arrived(channel, reference, true).unwrap();
    assert_eq!(arrived(Channel::Sms, &reference), Arrival::Unknown, "of its own channel alone");
    assert_eq!(arrived(Channel::Push, &reference), Arrival::Noted(Channel::Push));
    assert_eq!(arrived(Channel::Push, &reference), Arrival::Known);
    assert_eq!(arrived(Channel::Push, &sha256(b"guessed")), Arrival::Unknown);
    let arrived = DeliveryState::Arrived(at(WAITS.wallet + 500));
    assert_eq!(bench.states(), [(Channel::Push, arrived)]);
    bench.after(DAY);
    assert_eq!(bench.reached(), [0, 0, 0]);
}

#[test]
fn a_push_is_read_by_its_browser_alone_and_signed_with_the_bureaus_name() {
    let bench = Bench::asked();
    bench.note("a");
    bench.after(WAITS.wallet);
    let request = bench.line.got().remove(0);
    assert_eq!(request.uri(), "https://push.example/browser/1");
    assert_eq!(request.method(), "POST");
    assert_eq!(request.headers()["content-encoding"], "aes128gcm");
    assert_eq!(request.headers()["ttl"], "86400");
    let stranger = Browser::new(2);
    let secret = stranger.subscription.secret.into();
    assert!(web_push_native::decrypt(request.body().clone(), &stranger.key, &secret).is_err());
    let plain = String::from_utf8_lossy(request.body());
    assert!(!plain.contains("request") && !plain.contains("wallet"));

    let name = request.headers()["authorization"].to_str().unwrap();
    let (token, key) = name.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
    assert_eq!(key, push_name().key());
    let decode = |text: &str| Base64UrlUnpadded::decode_vec(text).unwrap();
    assert!(is_key(&decode(key)));
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, decode(key));
    public.verify(signed.as_bytes(), &decode(signature)).unwrap();
    let claims: Value = serde_json::from_slice(&decode(signed.split_once('.').unwrap().1)).unwrap();
    assert_eq!(claims["aud"], SERVICE);
    assert_eq!(claims["sub"], "mailto:notices@bureau.example");
    let expires = claims["exp"].as_u64().unwrap() - bench.clock.now().millis() / 1_000;
    assert!((1..=24 * 3_600).contains(&expires));
}

#[test]
fn a_push_goes_only_to_services_that_the_operator_named() {
    let serves = |service: &str, endpoint: &str| {
        let services = vec![service.parse::<PushService>().unwrap()];
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(NOON));
        WebPush::new(services, push_name(), Box::new(Line::default()), clock).knows(endpoint)
    };
    assert!(serves(SERVICE, "https://push.example/x?y=1"));
    assert!(serves(SERVICE, "https://PUSH.example/x"));
    assert!(serves("https://*.push.example", "https://eu.push.example/x"));
    assert!(serves("http://127.0.0.1:9", "http://127.0.0.1:9/x"));
    for other in [
        "http://push.example/x",
        "https://push.example.evil.example/x",
        "https://evilpush.example/x",
        "https://push.example@127.0.0.1/x",
        "https://push.example:8443/x",
        "https://127.0.0.1/x",
        "https:push.example/x",
        "/x",
        "",
        &format!("{SERVICE}/{}", "x".repeat(1_024)),
    ] {
        assert!(!serves(SERVICE, other), "{other}");
    }
    for other in ["https://push.example/x", "https://.push.example/x", "https://evilpush.example"] {
        assert!(!serves("https://*.push.example", other), "{other}");
    }
    for wrong in ["push.example", "http://push.example", "https://push.example/path", "ftp://a", ""]
    {
        assert!(wrong.parse::<PushService>().is_err(), "{wrong}");
    }

    // What stands in the book from an earlier configuration is not sent to either.
    let bench = Bench::asked();
    let elsewhere = Browser::new(1).subscription;
    let endpoint = String::from("https://10.0.0.1/admin");
    bench.put(Address::Push(Subscription { endpoint, ..elsewhere }));
    bench.note("a");
    bench.after(WAITS.wallet);
    let got = bench.line.got();
    assert_eq!(got.len(), 1);
    assert_eq!(got[0].uri().host(), Some("push.example"));
    assert_eq!(bench.post.book().standing(ADA).unwrap().unwrap().browsers.len(), 1);
}

#[test]
fn a_push_service_can_complain_where_the_world_reaches_it() {
    for good in ["mailto:notices@bureau.example", "https://bureau.example/notices"] {
        good.parse::<PushContact>().unwrap();
    }
    for wrong in [
        "mailto:postmaster@localhost",
        "mailto:bureau.example",
        "mailto:@bureau.example",
        "https://localhost/",
        "https://127.0.0.1/",
        "http://bureau.example/",
        "notices@bureau.example",
        "",
    ] {
        assert!(wrong.parse::<PushContact>().is_err(), "{wrong}");
    }
}

#[test]
fn a_browser_that_is_gone_is_forgotten_and_the_next_channel_does_not_wait() {
    for status in [404, 410] {
        let bench = Bench::asked();
        bench.line.answer(&[Ok(status)]);
        bench.note("a");
        bench.after(WAITS.wallet);
        assert!(bench.post.book().standing(ADA).unwrap().unwrap().browsers.is_empty());
        assert_eq!(bench.states(), [(Channel::Push, DeliveryState::Failed)]);
        bench.after(1);
        assert_eq!(bench.reached(), [1, 1, 0]);
    }
    // One of two browsers is enough; another sender's name forgets nobody.
    let bench = Bench::asked();
    bench.put(Address::Push(Browser::new(2).subscription));
    bench.line.answer(&[Ok(410), Ok(201)]);
    bench.note("a");
    bench.after(WAITS.wallet);
    assert_eq!(bench.states(), [(Channel::Push, DeliveryState::Handed(at(WAITS.wallet)))]);
    assert_eq!(bench.post.book().standing(ADA).unwrap().unwrap().browsers.len(), 1);
    bench.line.answer(&[Ok(403)]);
    bench.note("b");
    bench.after(WAITS.wallet);
    assert_eq!(bench.states(), [(Channel::Push, DeliveryState::Failed)]);
    assert_eq!(bench.post.book().standing(ADA).unwrap().unwrap().browsers.len(), 1);
}

#[test]
fn a_service_that_does_not_answer_is_asked_again_with_growing_pauses() {
    let bench = Bench::asked();
    bench.line.answer(&[Err(HandOverError::Silent), Ok(503), Ok(429)]);
    bench.note("a");
    bench.after(WAITS.wallet);
    assert_eq!(bench.states(), [(Channel::Push, DeliveryState::Trying)]);
    for (pause, tries) in [(10_000, 2), (20_000, 3), (40_000, 4)] {
        bench.after(pause - 1);
        assert_eq!(bench.reached()[0], tries - 1);
        bench.after(1);
        assert_eq!(bench.reached()[0], tries);
    }
    assert!(matches!(bench.states()[0].1, DeliveryState::Handed(_)));

    bench.post.book().mark_seen(ADA, bench.newest().sequence, bench.clock.now()).unwrap();

    // One that stays silent is left, after four tries, for the next channel.
    bench.line.answer(&[Err(HandOverError::Silent); 9]);
    bench.note("b");
    for pause in [WAITS.wallet, 10_000, 20_000, 40_000] {
        bench.after(pause);
    }
    assert_eq!(bench.reached()[0], 8);
    assert_eq!(bench.states(), [(Channel::Push, DeliveryState::Failed)]);
    assert_eq!(bench.reached()[1], 0);
    bench.after(1);
    assert_eq!(bench.reached()[1], 1);
}

#[test]
fn a_text_message_is_carried_once_and_its_receipt_counts_only_from_its_provider() {
    let bench = Bench::new();
    bench.choose(false, true);
    bench.put(Address::Sms("13900001234".parse().unwrap()));
    bench.sms.be_silent(1);
    bench.note("a");
    bench.after(WAITS.wallet);
    assert_eq!(bench.reached(), [0, 0, 0]);
    bench.after(10_000);
    assert_eq!(bench.reached(), [0, 0, 1]);
    let sent = bench.sms.sent();
    assert_eq!(sent[0].to, "+8613900001234");
    assert_eq!(sent[0].template, "yibao.request.en");
    assert_eq!(sent[0].words, "request en\tOpen the wallet.");

    use adapters::notice::template::Provider as _;
    bench.clock.advance_millis(TRAVEL_MILLIS);
    let report = bench.sms.reports(bench.clock.now()).remove(0);
    let turned = String::from_utf8(report.body.clone()).unwrap().replace("true", "false");
    let forged = SignedReport { body: turned.into_bytes(), signature: report.signature.clone() };
    let unsigned = SignedReport { signature: "00".repeat(32), ..report.clone() };
    for wrong in [&forged, &unsigned, &SignedReport { signature: String::new(), ..report.clone() }]
    {
        assert_eq!(bench.post.take_report(Channel::Sms, wrong).unwrap(), None);
    }
    assert!(matches!(bench.states()[0].1, DeliveryState::Handed(_)));
    let taken = bench.post.take_report(Channel::Sms, &report).unwrap();
    assert_eq!(taken, Some(Arrival::Noted(Channel::Sms)));
    assert_eq!(bench.post.take_report(Channel::Sms, &report).unwrap(), Some(Arrival::Known));
    assert_eq!(bench.states(), [(Channel::Sms, DeliveryState::Arrived(bench.clock.now()))]);
}

#[test]
fn a_phone_that_is_off_or_nobodys_is_said_so() {
    let bench = Bench::new();
    bench.choose(false, true);
    bench.put(Address::Sms("13900000001".parse().unwrap()));
    bench.note("a");
    bench.after(WAITS.wallet);
    bench.after(TRAVEL_MILLIS);
    assert_eq!(bench.states(), [(Channel::Sms, DeliveryState::Failed)]);
    bench.put(Address::Sms("13900000000".parse().unwrap()));
    bench.note("b");
    bench.after(WAITS.wallet);
    assert_eq!(bench.states(), [(Channel::Sms, DeliveryState::Failed)]);
    assert_eq!(bench.post.book().standing(ADA).unwrap().unwrap().phone_end, None);
    assert_eq!(bench.post.counted()[2], (Channel::Sms, [1, 0, 2]));
}

#[test]
fn messages_that_cost_money_have_a_limit_a_day() {
    let bench = Bench::new();
    bench.choose(false, true);
    bench.put(Address::Sms("13900001234".parse().unwrap()));
    for number in 0..=DAY_MAX {
        bench.note(&format!("{number}"));
        bench.after(WAITS.wallet);
    }
    assert_eq!(bench.sms.sent().len(), DAY_MAX as usize);
    assert!(bench.states().is_empty(), "the wallet has it");
    bench.clock.advance_millis(DAY);
    bench.note("tomorrow");
    bench.after(WAITS.wallet);
    assert_eq!(bench.sms.sent().len(), DAY_MAX as usize + 1);
}

#[test]
fn what_a_provider_took_counts_and_what_it_refused_does_not() {
    let bench = Bench::new();
    bench.choose(false, true);
    // Nobody's number is refused, a phone that is off is paid for.
    for (round, (number, sent)) in
        [("13900000000", 0), ("13900000001", 3), ("13900001234", 3)].into_iter().enumerate()
    {
        for notice in 0..=DAY_MAX {
            bench.put(Address::Sms(number.parse().unwrap()));
            bench.note(&format!("{round} {notice}"));
            bench.after(WAITS.wallet);
            bench.after(TRAVEL_MILLIS);
        }
        assert_eq!(bench.sms.sent().len(), sent, "{number}");
    }
}

#[test]
fn a_phone_counts_once_its_owner_has_written_the_code_back() {
    let bench = Bench::new();
    bench.choose(false, true);
    let book = bench.post.book();
    let phone: Phone = "13900001234".parse().unwrap();
    let new_code = || match book.new_phone_code(ADA, &phone, bench.clock.now()).unwrap() {
        CodeSent::Send { code, .. } => Some(code),
        CodeSent::TooMany => None,
    };
    let attempt = |code: &str| book.try_phone_code(ADA, code, bench.clock.now()).unwrap();
    assert_eq!(attempt("123456"), CodeTry::None);
    let code = new_code().unwrap();
    assert_eq!(code.len(), 6);
    assert_eq!(attempt("12345"), CodeTry::Wrong { left: PHONE_CODE_TRIES - 1 });
    assert_eq!(book.try_phone_code(BOB, &code, NOON).unwrap(), CodeTry::None);
    assert_eq!(attempt(&code), CodeTry::Right);
    assert_eq!(attempt(&code), CodeTry::None, "once");
    let standing = book.standing(ADA).unwrap().unwrap();
    assert_eq!(standing.phone_end.as_deref(), Some("1234"));

    // Tried too often, or too late, it does not count any more.
    let code = new_code().unwrap();
    for left in (0..PHONE_CODE_TRIES).rev() {
        assert_eq!(attempt("12345"), CodeTry::Wrong { left });
    }
    assert_eq!(attempt(&code), CodeTry::None);
    let code = new_code().unwrap();
    bench.clock.advance_millis(10 * 60_000);
    assert_eq!(attempt(&code), CodeTry::None);
    // Whoever writes other people's numbers does not send them codes all day.
    assert!(new_code().is_some() && new_code().is_some() && new_code().is_none());
    // Off and on again gives no further ones, and what was sent counts no more.
    bench.clock.advance_millis(DAY);
    let code = new_code().unwrap();
    let choice = book.choice(ADA).unwrap().unwrap();
    for _ in 1..5 {
        book.forget(ADA).unwrap();
        assert_eq!(attempt(&code), CodeTry::None);
        book.choose(ADA, &choice, 0).unwrap();
        assert!(new_code().is_some());
    }
    book.forget(ADA).unwrap();
    book.choose(ADA, &choice, 0).unwrap();
    assert!(new_code().is_none());
    bench.clock.advance_millis(DAY);
    book.prune(bench.clock.now()).unwrap();
    assert!(new_code().is_some());
}

#[test]
fn a_code_has_a_template_of_its_own_and_its_report_is_no_strangers() {
    let bench = Bench::new();
    bench.choose(false, true);
    let phone: Phone = "13900001234".parse().unwrap();
    let new = bench.post.book().new_phone_code(ADA, &phone, bench.clock.now()).unwrap();
    let CodeSent::Send { code, reference } = new else { panic!("the first of the day is sent") };
    let phrase = Phrase { title: "code".to_owned(), body: code };
    bench.post.send_code(&phone, reference, (phrase, "de")).unwrap();
    assert_eq!(bench.sms.sent()[0].template, "yibao.code.de");
    use adapters::notice::template::Provider as _;
    bench.clock.advance_millis(TRAVEL_MILLIS);
    let report = bench.sms.reports(bench.clock.now()).remove(0);
    assert_eq!(bench.post.take_report(Channel::Sms, &report).unwrap(), Some(Arrival::Known));
    assert_eq!(bench.post.arrived(Channel::Push, &reference, true).unwrap(), Arrival::Unknown);
}

#[test]
fn what_protects_a_wallet_is_told_all_ways_at_once() {
    let bench = Bench::asked();
    // Seen by whoever holds the device, shown there, and beyond the day's limit.
    for number in 0..=DAY_MAX {
        bench.alarm(&format!("{number}"));
        bench.post.book().mark_seen(ADA, u64::MAX, bench.clock.now()).unwrap();
        bench.after(0);
        let shown = Browser::new(1).read(&bench.line.got()[0]);
        let reference: Hash = shown["reference"].as_str().unwrap().parse().unwrap();
        bench.post.arrived(Channel::Push, &reference, true).unwrap();
        bench.after(1);
        bench.after(TRAVEL_MILLIS);
        let sent = number as usize + 1;
        assert_eq!(bench.reached(), [0, sent, sent]);
    }
    bench.after(DAY);
    assert_eq!(bench.reached(), [0, DAY_MAX as usize + 1, DAY_MAX as usize + 1], "once each");
    assert_eq!(bench.post.waiting(), 0);
}

#[test]
fn a_browser_is_told_for_as_long_as_the_key_that_asked_in_it_counts() {
    let bench = Bench::new();
    bench.choose(false, false);
    let book = bench.post.book();
    let put = |number, key| {
        let address = Address::Push(Browser::new(number).subscription);
        book.put_address(ADA, (&address, Some(key)), NOON).unwrap()
    };
    let (own, other) = (put(1, &OWN_KEY), put(2, &OTHER_KEY));
    assert_eq!(book.keep_browsers_of(BOB, &[]).unwrap(), 0);
    assert_eq!(book.keep_browsers_of(ADA, &[OWN_KEY, OTHER_KEY]).unwrap(), 0);
    assert_eq!(book.keep_browsers_of(ADA, &[OWN_KEY]).unwrap(), 1);
    assert_eq!(book.standing(ADA).unwrap().unwrap().browsers, [own]);
    assert!(!book.remove_address(ADA, &other).unwrap());
    // The same browser belongs to the key that asked last.
    assert_eq!(put(1, &OTHER_KEY), own);
    assert_eq!(book.keep_browsers_of(ADA, &[OWN_KEY]).unwrap(), 1);
}

#[test]
fn what_is_seen_while_another_is_on_its_way_is_not_sent() {
    let bench = Bench::asked();
    bench.note("a");
    bench.note("b");
    let (post, now) = (Arc::clone(&bench.post), bench.clock.now());
    bench.line.meanwhile(move || post.book().mark_seen(ADA, u64::MAX, now).unwrap());
    bench.after(WAITS.wallet);
    assert_eq!(bench.reached(), [1, 0, 0]);
    assert!(bench.states().is_empty());
}

#[test]
fn an_address_that_cannot_be_opened_holds_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("notices.sqlite"));
    let other = NoticeBook::open(&place, &DirectoryKey([4; 32])).unwrap();
    let choice = Choice { language: "en".to_owned(), wechat: false, sms: false };
    other.choose(BOB, &choice, 0).unwrap();
    let address = Address::Push(Browser::new(2).subscription);
    other.put_address(BOB, (&address, Some(&OTHER_KEY)), NOON).unwrap();
    drop(other);
    let bench = Bench::with(book(&place));
    bench.choose(false, false);
    bench.put(Address::Push(Browser::new(1).subscription));
    assert!(bench.post.note(&Message { to: BOB, ..message("b") }).unwrap());
    bench.note("a");
    bench.after(WAITS.wallet);
    assert_eq!(bench.line.got().len(), 1);
    assert!(matches!(bench.states()[..], [(Channel::Push, DeliveryState::Handed(_))]));
}

#[test]
fn a_push_service_that_is_slow_or_silent_is_left_in_peace_for_a_while() {
    let bench = Bench::asked();
    for id in ["a", "b", "c"] {
        bench.note(id);
    }
    let clock = Arc::clone(&bench.clock);
    bench.line.meanwhile(move || clock.advance_millis(2_001));
    bench.after(WAITS.wallet);
    assert_eq!(bench.line.got().len(), 1, "the others do not wait for it");
    bench.after(10_000);
    assert_eq!(bench.line.got().len(), 2);
    bench.line.answer(&[Err(HandOverError::Silent)]);
    bench.note("d");
    bench.note("e");
    bench.after(WAITS.wallet);
    assert_eq!(bench.line.got().len(), 1);
    bench.after(10_000);
    assert_eq!(bench.line.got().len(), 2);
}

#[test]
fn a_stop_does_not_wait_for_a_push_service() {
    let bench = Bench::asked();
    bench.note("a");
    bench.clock.advance_millis(WAITS.wallet);
    let (reached, is_reached) = std::sync::mpsc::channel();
    let (answer, answered) = std::sync::mpsc::channel::<()>();
    bench.line.meanwhile(move || {
        reached.send(()).unwrap();
        let _ = answered.recv();
    });
    let handle = bench.post.start().unwrap();
    is_reached.recv().unwrap();
    // The service answers only after this: a stop that waited for it would never end.
    drop(handle);
    drop(answer);
}

#[test]
fn every_push_has_the_same_length() {
    let bench = Bench::asked();
    for (id, about) in About::ALL.into_iter().enumerate() {
        bench.post.note(&Message { about, ..message(&id.to_string()) }).unwrap();
    }
    bench.after(WAITS.wallet);
    let lengths: Vec<usize> = bench.line.got().iter().map(|one| one.body().len()).collect();
    assert_eq!(lengths.len(), About::ALL.len());
    // The header of RFC 8188 with a key of 65 bytes, the end of the record, and the tag.
    assert!(lengths.iter().all(|length| *length == 512 + 86 + 1 + 16), "{lengths:?}");
}

#[test]
fn the_place_in_the_receipt_log_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("notices.sqlite"));
    assert_eq!(book(&place).next_receipt().unwrap(), None);
    for next in [7, 9] {
        book(&place).set_next_receipt(next).unwrap();
        assert_eq!(book(&place).next_receipt().unwrap(), Some(next));
    }
}

#[test]
fn the_book_is_there_after_a_restart_and_forgets_after_90_days() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("notices.sqlite"));
    let choice = Choice { language: "de".to_owned(), wechat: false, sms: true };
    {
        let book = book(&place);
        book.choose(ADA, &choice, 0).unwrap();
        book.note(&message("a"), NOON, NOON).unwrap();
        let address = Address::Sms("13900001234".parse().unwrap());
        book.put_address(ADA, (&address, None), NOON).unwrap();
    }
    let bytes = std::fs::read(folder.path().join("notices.sqlite")).unwrap();
    assert!(!bytes.windows(11).any(|window| window == b"13900001234"), "the number is sealed");
    let book = book(&place);
    assert!(book.has_asked(ADA) && !book.has_asked(BOB));
    book.choose(ADA, &choice, 9).unwrap();
    assert_eq!(book.asked_since(ADA), Some(0), "the first time counts");
    let standing = book.standing(ADA).unwrap().unwrap();
    assert_eq!(standing.choice, choice);
    assert_eq!(standing.phone_end.as_deref(), Some("1234"));
    assert_eq!(book.notices_of(ADA, NOON).unwrap()[0].message, message("a"));
    let later = NOON.plus_millis(90 * DAY + 1);
    book.prune(later).unwrap();
    book.note(&message("b"), later, later).unwrap();
    let left = book.notices_of(ADA, later).unwrap();
    assert_eq!(left.iter().map(|one| one.message).collect::<Vec<_>>(), [message("b")]);
    let other = NoticeBook::open(&place, &DirectoryKey([4; 32])).unwrap();
    assert!(other.standing(ADA).is_err(), "another key opens nothing");
}

#[test]
fn the_oldest_browser_goes_when_there_are_too_many() {
    let bench = Bench::new();
    bench.choose(false, false);
    let first = bench.put(Address::Push(Browser::new(1).subscription));
    for number in 2..=9 {
        bench.clock.advance_millis(1);
        bench.put(Address::Push(Browser::new(number).subscription));
    }
    let again = bench.put(Address::Push(Browser::new(9).subscription));
    let browsers = bench.post.book().standing(ADA).unwrap().unwrap().browsers;
    assert_eq!(browsers.len(), 8);
    assert!(!browsers.contains(&first) && browsers.contains(&again));
    assert!(bench.post.book().remove_address(ADA, &again).unwrap());
    assert!(!bench.post.book().remove_address(ADA, &again).unwrap());
    assert!(!bench.post.book().remove_address(BOB, &browsers[1]).unwrap());
}
