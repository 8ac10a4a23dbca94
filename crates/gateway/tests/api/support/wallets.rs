//! The wallet services of the test region: a register with a person who has no wallet, a directory,
//! and machines with real keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use adapters::clock::{Clock, ManualClock};
use adapters::directory::{BoundCard, Directory, DirectoryKey, Particulars, UsedCode};
use adapters::identity::{AuthorityKeys, Identity, Registry};
use adapters::notice::push::{PushLine, PushName, WebPush};
use adapters::notice::template::{Templates, simulated::SimulatedProvider};
use adapters::notice::{Channel, HandOverError, Notice, NoticeBook, NoticePost, Waits};
use adapters::rail::Style;
use adapters::rail::card::{self, BindCard, BindCardError, CardBinding as _, CardNumber};
use adapters::rail::sandbox_bank::{NewCustomer, SandboxBank, SandboxBankConfig, SandboxRail};
use adapters::sqlite::Place;
use gateway::api::notice::notice_words;
use gateway::port::{Port as _, PortError};
use gateway::problem::Problem;
use gateway::wallet::{CardExecutor, KeyLimits, Machine, Notices, Wallet};
use ledger::modules::visit::{CashLeg, RailKind};
use ledger::{Authorisation, Content};
use primitives::{
    Amount, CivilDate, Currency, Hash, OrganisationId, Party, PersonId, RegionId, Text, Timestamp,
    VisitId, codec, sha256, sha256_parts,
};
use serde_json::{Value, json};
use vault::{ReaderSecret, commit_bill};

use super::insured::bill;
use super::keys::{public, sign};
use super::{Ask, REGION, World, key_name, organisation, person};

/// Somebody in the register who is not enrolled. The number is the standard's own example.
pub const NAME: &str = "欧阳晓";
pub const NUMBER: &str = "11010519491231002X";
/// Everybody in the register who is not enrolled; the numbers of the others are made up.
pub const NEWCOMERS: [(&str, &str); 4] = [
    (NAME, NUMBER),
    ("测试甲", "620105194912310038"),
    ("测试乙", "620105194912310054"),
    ("测试丙", "620105194912310070"),
];
/// The trial picture of the first of them.
pub const FACE: &[u8] = &[0xff, 0xd8, 0xff, 0xe0, 1, 2, 3];
/// The code of the bureau's letter.
pub const ACTIVATION: &str = "1234567890";
/// The salt of the bill that is sent.
const SALT: [u8; 32] = [5; 32];

pub struct KeyMachine(pub &'static str);

impl Machine for KeyMachine {
    fn organisation(&self) -> OrganisationId {
        self.0.parse().unwrap()
    }

    fn authorise(&self, content: &Content) -> Result<Authorisation, Problem> {
        let party = Party::Organisation(self.organisation());
        let signature = sign(self.0, &content.id());
        Ok(Authorisation { party, key: public(self.0), signature })
    }
}

/// A simulated bank behind a real key.
struct TestBank {
    machine: KeyMachine,
    rail: SandboxRail,
}

impl Machine for TestBank {
    fn organisation(&self) -> OrganisationId {
        self.machine.organisation()
    }

    fn authorise(&self, content: &Content) -> Result<Authorisation, Problem> {
        self.machine.authorise(content)
    }
}

/// The cards of the bank's customers, in this order: person 1's four, and one of somebody else.
pub const CARDS: [&str; 5] =
    ["999000000000000", "999000000000001", "999000000000002", "999000000000003", "999000000000004"];

/// The bank: of person 1's cards the first is good, then there are an expired, a blocked and an
/// empty one.
fn bank(now: Timestamp) -> TestBank {
    let clock = Arc::new(ManualClock::at(now));
    let config = SandboxBankConfig::new(Currency::CNY, Style::PayAndRefund, 1);
    let bank = Arc::new(SandboxBank::open(&Place::Memory, config, clock).unwrap());
    let customer = |holder: &str, minor| NewCustomer {
        holder: holder.to_owned(),
        opening: Amount::from_minor(minor),
    };
    let own = [100, 100, 100, 0].map(|minor| customer("陈玉兰", minor));
    let customers = [own.as_slice(), &[customer("别人", 100)]].concat();
    let opened = bank.open_accounts(&customers).unwrap();
    for (customer, payload) in opened.iter().zip(CARDS) {
        assert_eq!(customer.card, CardNumber::from_payload(payload).unwrap());
    }
    let day = CivilDate::from_ymd(2025, 12, 31).unwrap();
    bank.set_last_day(&opened[1].card, day).unwrap();
    bank.set_blocked(&opened[2].card, true).unwrap();
    let rail = bank.rail("bank".parse().unwrap());
    TestBank { machine: KeyMachine("bank"), rail }
}

impl CardExecutor for TestBank {
    fn bind_card(&self, request: &BindCard) -> Result<BoundCard, BindCardError> {
        let card::BoundCard { token, last_four } = self.rail.bind_card(request)?;
        let rail = Text::new("bank").unwrap();
        Ok(BoundCard { executor: self.organisation(), rail, token, last_four })
    }

    fn cash_leg(&self, what: &[u8], card: &BoundCard) -> Result<CashLeg, PortError> {
        let token = card.token.as_str().as_bytes();
        let parts = [b"leg".as_slice(), what, token];
        Ok(CashLeg {
            executor: self.organisation(),
            rail: Text::new("bank").unwrap(),
            kind: RailKind::Bound,
            authorisation: sha256_parts(&parts),
        })
    }
}

/// The push service that browsers of the tests name, and what it got.
pub const PUSH_SERVICE: &str = "https://push.example";

/// A push service that takes everything.
struct PushDouble;

impl PushLine for PushDouble {
    fn send(&self, _: axum::http::Request<Vec<u8>>) -> Result<u16, HandOverError> {
        Ok(201)
    }
}

/// The secret of the simulated providers.
pub const PROVIDER_SECRET: Hash = Hash([8; 32]);

/// Notices by browsers, WeChat and text messages; the latter two are simulated.
fn notices(clock: &Arc<ManualClock>) -> Notices {
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    let book = NoticeBook::open(&Place::Memory, &DirectoryKey([4; 32])).unwrap();
    let contact = "mailto:notices@bureau.example".parse().unwrap();
    let name = PushName::new(&Hash([6; 32]), &contact).unwrap();
    let services = vec![PUSH_SERVICE.parse().unwrap()];
    let push = Arc::new(WebPush::new(services, name, Box::new(PushDouble), Arc::clone(&clock)));
    let simulated = |channel| {
        let provider = SimulatedProvider::new(channel, &PROVIDER_SECRET, Arc::clone(&clock), None);
        Arc::new(Templates::new(channel, Box::new(provider), &PROVIDER_SECRET)) as Arc<dyn Notice>
    };
    let channels = vec![
        Arc::clone(&push) as Arc<dyn Notice>,
        simulated(Channel::Wechat),
        simulated(Channel::Sms),
    ];
    let waits = Waits { wallet: 5_000, push: 60_000, wechat: 60_000 };
    let post = NoticePost::new(book, channels, notice_words, (waits, 10), clock);
    Notices { post: Arc::new(post), push: Some(push) }
}

/// The services, with person 1 in the directory.
pub fn wallet(clock: &Arc<ManualClock>) -> Wallet {
    let now = clock.now();
    let keys = AuthorityKeys { signing_seed: [1; 32], index_keys: BTreeMap::from([(1, [2; 32])]) };
    let register = Registry::open(&Place::Memory, &keys).unwrap();
    let newcomers = NEWCOMERS
        .map(|(name, number)| Identity { name: name.to_owned(), number: number.to_owned() });
    register.import(&newcomers).unwrap();
    register.enter_faces(&[(NUMBER.parse().unwrap(), FACE.to_vec())]).unwrap();
    let directory = Directory::open(&Place::Memory, &DirectoryKey([3; 32])).unwrap();
    for newcomer in &newcomers {
        let attested =
            adapters::identity::IdentityAuthority::attest(&register, newcomer, &Hash::default());
        let index = attested.unwrap().statement.blind_index;
        directory.put_activation(&index, ACTIVATION, now.plus_millis(90 * super::DAY)).unwrap();
    }
    let one = PersonId([1; 16]);
    directory.put_people(&[(one, Particulars::new("陈玉兰", NUMBER))]).unwrap();
    let card = BoundCard {
        executor: "bank".parse().unwrap(),
        rail: Text::new("bank").unwrap(),
        token: "card:1".parse().unwrap(),
        last_four: "4321".to_owned(),
    };
    directory.put_cards(&[(one, card)]).unwrap();
    let reader = |seed: u8| ReaderSecret::from_seed(&[seed; 32]).key();
    let limits = |payment, day| KeyLimits {
        payment_max: Amount::from_minor(payment),
        day_max: Amount::from_minor(day),
    };
    let bank: Arc<dyn CardExecutor> = Arc::new(bank(now));
    Wallet {
        region: RegionId(REGION),
        directory,
        authority: Arc::new(register),
        bureau: Arc::new(KeyMachine("bureau")),
        identity: Arc::new(KeyMachine("authority")),
        executors: BTreeMap::from([(bank.organisation(), bank)]),
        readers: BTreeMap::from([
            ("hospital".parse().unwrap(), reader(1)),
            ("bureau".parse().unwrap(), reader(2)),
        ]),
        bureau_reader: Some(ReaderSecret::from_seed(&[2; 32])),
        notices: notices(clock),
        passkey_limits: limits(500_000, 1_000_000),
        device_limits: limits(100_000, 200_000),
    }
}

/// What the newcomer writes to join.
pub fn identity_check() -> Value {
    json!({ "name": NAME, "number": NUMBER, "activation": ACTIVATION })
}

/// The newcomer opens a wallet and is enrolled by it.
pub fn joined(world: &World) -> PersonId {
    joined_as(world, (NAME, NUMBER), "newcomer")
}

/// The same of one of the newcomers, with the key of this name.
pub fn joined_as(world: &World, (name, number): (&str, &str), key: &str) -> PersonId {
    let check = json!({ "name": name, "number": number, "activation": ACTIVATION });
    let checked = world.ask(&Ask::post("/v1/wallets/checks", &check)).expect(201).json();
    let body = json!({
        "ticket": checked["ticket"], "key": public(key), "grade": "device",
        "pin_verifier": sha256(b"made of the PIN")
    });
    world.ask(&Ask::post("/v1/wallets", &body)).expect(201);
    checked["person"].as_str().unwrap().parse().unwrap()
}

/// The code that person 1's wallet shows now.
pub fn shown_code(world: &World) -> String {
    use adapters::directory::code::{code_digits, code_step};
    let now = world.clock.now();
    let one =
        UsedCode { person: PersonId([1; 16]), shown_by: None, key: public(&key_name(person(1))) };
    let seed = world.port.wallet().unwrap().directory.new_code(one, now).unwrap();
    format!("{} {:06}", seed.number, code_digits(&seed.secret, code_step(now)))
}

/// How the cash part of a request is taken.
#[derive(Clone, Copy)]
pub enum Cash {
    Till,
    BoundCard,
}

/// A request for an open visit of person 1, not sent yet: its content and what a desk sends.
pub fn new_request(world: &World, visit: VisitId, cash: Cash) -> (Content, Value) {
    new_request_to(world, visit, cash, &json!({ "form": "own_key" }))
}

/// The same with this consent.
pub fn new_request_to(
    world: &World,
    visit: VisitId,
    cash: Cash,
    consent: &Value,
) -> (Content, Value) {
    let token = world.token(organisation("hospital"));
    let asked = json!({ "visit": visit, "bill": bill(), "use_personal_account": true });
    let quoted = world.ask(&Ask::post("/v1/quotes", &asked).token(&token)).expect(200).json();
    let cash = match cash {
        Cash::Till => {
            json!({ "executor": "hospital", "rail": "counter", "authorisation": sha256(b"till") })
        }
        Cash::BoundCard => {
            let path = format!("/v1/visits/{visit}/cash-legs");
            let payer = consent.get("payer").cloned().unwrap_or_default();
            let asked = json!({ "payer": payer });
            world.ask(&Ask::post(path, &asked).token(&token)).expect(201).json()
        }
    };
    let text = bill().to_string();
    let sums = serde_json::from_value::<benefit::CategorySums>(quoted["sums"].clone()).unwrap();
    let commitment = commit_bill(&SALT, text.as_bytes(), &codec::encode(&sums));
    let body = json!({
        "visit": visit, "bill": commitment, "sums": quoted["sums"], "use_personal_account": true,
        "split": quoted["split"], "consent": consent, "cash": cash
    });
    let mut content = world.content(organisation("hospital"), "settle_visit", body);
    content.valid_until = adapters::clock::Clock::now(&*world.clock).plus_millis(15 * 60_000);
    let sent = sent(world, &content, &text);
    (content, sent)
}

/// What a desk sends for a content.
pub fn sent(world: &World, content: &Content, bill: &str) -> Value {
    let signed = world.authorise(content, organisation("hospital"), "hospital");
    json!({
        "content": hex::encode(codec::encode(content)), "authorisations": [signed],
        "bill": bill, "salt": Hash(SALT)
    })
}

/// Sends a request for an open visit of person 1.
pub fn send_request(world: &World, visit: VisitId) -> Content {
    let (content, body) = new_request(world, visit, Cash::Till);
    let ask = Ask::post(format!("/v1/visits/{visit}/requests"), &body);
    world.ask(&ask.token(&world.token(organisation("hospital")))).expect(201);
    content
}

/// What person 1 sends to confirm.
pub fn confirmation(world: &World, content: &Content) -> Value {
    let party = person(1);
    json!({ "authorisation": world.authorise(content, party, &party.to_string()) })
}

/// Person 1 confirms a request for an open visit: it is settled, its bill is kept, and the till has
/// taken the money.
pub fn confirm_visit(world: &World, visit: VisitId) {
    take_collected(world, &confirm_untaken(world, visit));
}

/// Settles it likewise, but the till has not said yet what came of what was ordered; its receipt.
pub fn confirm_untaken(world: &World, visit: VisitId) -> Value {
    let content = send_request(world, visit);
    let path = format!("/v1/requests/{}/confirmations", content.id());
    let ask = Ask::post(path, &confirmation(world, &content));
    world.ask(&ask.token(&world.token(person(1)))).expect(201).json()["receipt"].clone()
}

/// The till says that it took what a receipt orders.
pub fn take_collected(world: &World, receipt: &Value) {
    for effect in receipt["effects"].as_array().unwrap() {
        let body = json!({
            "effect": effect["reference"], "rail_reference": sha256(b"rail"),
            "result": { "outcome": "done", "amount": effect["amount"] }
        });
        world.accepted(&[organisation("hospital")], "confirm_effect", body);
    }
}

/// A settled visit as somebody sees it.
pub fn settled(world: &World, visit: VisitId) -> Value {
    let ask = Ask::get(format!("/v1/visits/{visit}"));
    world.ask(&ask.token(&world.token(organisation("hospital")))).expect(200).json()
}

/// What is sent of a content whose body has a statement: the content by its author, signed by
/// these.
pub fn stated(world: &World, content: &Content, signers: &[Party], statement: &str) -> Value {
    let mut body = world.submission(content, signers);
    body["statement"] = json!(statement);
    body["salt"] = json!(Hash(SALT));
    body
}

/// The commitment to a statement.
pub fn commit_statement(statement: &str) -> Hash {
    sha256_parts(&[b"yibao/statement/v1", &SALT, statement.as_bytes()])
}

/// An objection of person 1 to a settled visit, not raised yet: its content and what is sent.
pub fn new_objection(world: &World, visit: VisitId) -> (Content, Value) {
    let statement = json!({ "reason": "twice", "lines": [2], "words": "两次" }).to_string();
    let body = json!({
        "original": settled(world, visit)["record"], "by": "own_key",
        "statement": commit_statement(&statement)
    });
    let content = world.content(person(1), "object_to_settlement", body);
    let sent = stated(world, &content, &[person(1)], &statement);
    (content, sent)
}

/// Raises it; the id of its transaction.
pub fn object(world: &World, visit: VisitId) -> Hash {
    let (content, body) = new_objection(world, visit);
    let ask = Ask::post(format!("/v1/visits/{visit}/objections"), &body);
    world.ask(&ask.token(&world.token(person(1)))).expect(201);
    content.id()
}

/// An answer of `hospital`, not written yet.
pub fn new_answer(world: &World, visit: VisitId, answer: &str) -> (Content, Value) {
    let statement = json!({ "words": "已核对" }).to_string();
    let body = json!({
        "original": settled(world, visit)["record"], "answer": answer,
        "statement": commit_statement(&statement)
    });
    let content = world.content(organisation("hospital"), "answer_objection", body);
    let sent = stated(world, &content, &[organisation("hospital")], &statement);
    (content, sent)
}

/// A refund by `hospital` that leaves the first line, not made yet.
pub fn new_refund(world: &World, visit: VisitId) -> (Content, Value) {
    let mut remaining = bill();
    remaining["lines"].as_array_mut().unwrap().truncate(1);
    refund_to(world, visit, &remaining)
}

/// A refund by `hospital` that leaves this bill.
pub fn refund_to(world: &World, visit: VisitId, remaining: &Value) -> (Content, Value) {
    let token = world.token(organisation("hospital"));
    let asked = json!({ "remaining": visit, "bill": remaining });
    let quoted = world.ask(&Ask::post("/v1/quotes", &asked).token(&token)).expect(200).json();
    let text = remaining.to_string();
    let sums = serde_json::from_value::<benefit::CategorySums>(quoted["sums"].clone()).unwrap();
    let commitment = commit_bill(&SALT, text.as_bytes(), &codec::encode(&sums));
    let body = json!({
        "original": settled(world, visit)["record"], "bill": commitment, "remaining": sums,
        "split": quoted["split"]
    });
    let content = world.content(organisation("hospital"), "refund_visit", body);
    let mut sent = sent(world, &content, &text);
    sent["reason"] = json!("药品已退回");
    (content, sent)
}
