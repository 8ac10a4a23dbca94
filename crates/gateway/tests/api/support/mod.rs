//! A region on a real ledger behind a real gateway, and requests to it.

pub mod events;
pub mod faults;
pub mod hospital;
pub mod insured;
pub mod keys;
pub mod ledger_port;
pub mod light_port;
pub mod payments;
pub mod wallets;

use std::sync::Arc;

use adapters::clock::{Clock as _, ManualClock};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use gateway::{Chain as _, Config, Gateway};
use keys::{Passkey, public, sign};
use ledger::{Authorisation, Content, Genesis, IdempotencyKey, Transaction};
pub use ledger_port::{LedgerPort, START};
use primitives::{Hash, Party, PersonId, PublicKey, codec, sha256};
use serde_json::{Value, json};
use tower_service::Service as _;

pub const DAY: u64 = 24 * 3_600_000;
pub const REGION: u32 = 620_100;
pub const PAGE_ORIGIN: &str = "http://localhost:8420";

/// Everybody in the test region.
pub struct World {
    pub port: Arc<LedgerPort>,
    pub clock: Arc<ManualClock>,
    pub gateway: Arc<Gateway>,
    /// Sits behind a passkey.
    pub passkey: Passkey,
    pub router: Router,
    runtime: tokio::runtime::Runtime,
    counter: std::sync::atomic::AtomicU64,
    /// Stops the node on which the gateway stands.
    pub stop: Box<dyn Fn() + Send + Sync>,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Ask {
    pub method: &'static str,
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// What came back.
pub struct Answered {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Ask {
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), headers: Vec::new(), body: Vec::new() }
    }

    pub fn delete(path: impl Into<String>) -> Self {
        Self { method: "DELETE", ..Self::get(path) }
    }

    pub fn put(path: impl Into<String>, body: &[u8]) -> Self {
        Self::bytes("PUT", path, body)
    }

    pub fn bytes(method: &'static str, path: impl Into<String>, body: &[u8]) -> Self {
        let ask = Self { method, body: body.to_vec(), ..Self::get(path) };
        ask.with("content-type", "application/octet-stream")
    }

    pub fn post(path: impl Into<String>, body: &Value) -> Self {
        let ask = Self { method: "POST", body: body.to_string().into_bytes(), ..Self::get(path) };
        ask.with("content-type", "application/json")
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn token(self, token: &str) -> Self {
        self.with("authorization", format!("Bearer {token}"))
    }
}

impl Answered {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// It is a problem document with this status and code.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Value {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text());
        let problem = self.json();
        assert_eq!((self.status, problem["code"].as_str()), (status, Some(code)), "{problem}");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("/problems/{code}"));
        assert!(!problem["remedy"].as_str().unwrap().is_empty(), "{problem}");
        problem
    }
}

pub fn person(number: u8) -> Party {
    Party::Person(PersonId([number; 16]))
}

/// A person's id as text.
pub fn id_of(party: Party) -> String {
    party.to_string().replace("person:", "")
}

pub fn organisation(code: &str) -> Party {
    Party::Organisation(code.parse().unwrap())
}

/// The name of a party's key.
fn key_name(party: Party) -> String {
    match party {
        Party::Organisation(code) => code.to_string(),
        Party::Person(_) => party.to_string(),
    }
}

const SCOPES: [&str; 8] =
    ["govern", "settle", "countersign", "clerk", "attest", "publish", "treasury", "execute"];

pub fn genesis() -> Genesis {
    let kinds = [
        ("bureau", "bureau"),
        ("authority", "identity_authority"),
        ("regulator", "regulator"),
        ("auditor", "auditor"),
    ];
    let expires = START.plus_millis(700 * DAY);
    let organisations = kinds.map(|(code, kind)| {
        json!({
            "organisation": code, "kind": kind, "region": REGION,
            "root_key": public(&format!("{code}-root")),
            "keys": [{ "key": public(code), "scopes": SCOPES, "expires": expires }]
        })
    });
    let genesis = json!({
        "chain_id": "test",
        "time": START,
        "salt": sha256(b"salt"),
        "secret": sha256(b"secret"),
        "rp_id": "localhost",
        "origins": [PAGE_ORIGIN],
        "regions": [{
            "region": REGION, "bureau": "bureau", "currency": "CNY",
            "settings": {
                "utc_offset_minutes": 480, "desk_payment_max": "50000", "desk_day_max": "100000",
                "pin_failures_max": 3, "witnessed_cash_max": "30000", "emergency_contest_days": 30,
                "objection_answer_days": 15, "unlock_delay_hours": 24,
                "claim_days_max": 400, "effect_takeover_hours": 24
            }
        }],
        "organisations": organisations,
        "governing": ["bureau", "authority", "regulator"],
        "validators": [{ "organisation": "bureau", "key": public("bureau"), "power": 1 }]
    });
    serde_json::from_value(genesis).unwrap()
}

pub fn governing() -> [Party; 3] {
    ["bureau", "authority", "regulator"].map(organisation)
}

impl World {
    /// The region Lanzhou with the hospitals `hospital` and `other`, persons 1 (a device key), 2 (a
    /// device key) and 3 (a passkey).
    pub fn new() -> Self {
        Self::with_config(Config::default())
    }

    pub fn with_config(config: Config) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let port = Arc::new(LedgerPort::new(&genesis(), Arc::clone(&clock)));
        let (dynamic, stop) = light_port::chosen(&port, &genesis());
        let gateway = Gateway::new(dynamic, clock.clone(), config).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let router = gateway::router(Arc::clone(&gateway), None);
        let passkey = Passkey::generate();
        let counter = std::sync::atomic::AtomicU64::new(0);
        let world = Self { port, clock, gateway, passkey, router, runtime, counter, stop };
        world.admit("hospital");
        world.admit("other");
        world.admit_kind("bank", "bank");
        for number in [1, 2] {
            world.enrol(number, public(&person(number).to_string()), "device");
        }
        world.enrol(3, world.passkey.public(), "passkey");
        world
    }

    /// The same world behind a gateway on a light node of this organisation.
    pub fn on_light_node_of(mut self, organisation: &str) -> Self {
        let light = light_port::LightPort::of(&self.port, &genesis(), organisation);
        let config = Config::default();
        self.gateway = Gateway::new(Arc::new(light), self.clock.clone(), config).unwrap();
        self.router = gateway::router(Arc::clone(&self.gateway), None);
        self
    }

    fn admit(&self, code: &str) {
        self.admit_kind(code, "provider");
    }

    fn admit_kind(&self, code: &str, kind: &str) {
        self.admit_in(code, kind, REGION);
    }

    /// Admits an organisation of this region with a key for everything.
    pub fn admit_in(&self, code: &str, kind: &str, region: u32) {
        let mut body = json!({
            "organisation": code, "kind": kind, "region": region,
            "root_key": public(&format!("{code}-root"))
        });
        if kind == "provider" {
            body["level"] = json!("tertiary_a");
        }
        self.accepted(&governing(), "admit_organisation", body);
        let expires = START.plus_millis(700 * DAY);
        let body = json!({
            "organisation": code, "key": public(code), "scopes": SCOPES, "expires": expires
        });
        let content = self.content(organisation(code), "authorise_key", body);
        let root = vec![self.authorise(&content, organisation(code), &format!("{code}-root"))];
        self.execute(Transaction { content, authorisations: root });
    }

    fn enrol(&self, number: u8, key: PublicKey, grade: &str) {
        self.accepted(
            &[organisation("bureau"), organisation("authority")],
            "enrol_person",
            json!({
                "region": REGION,
                "person": {
                    "id": PersonId([number; 16]),
                    "commitment": sha256(&[number, 1]),
                    "blind_index": sha256(&[number, 2]),
                    "keys": [{
                        "key": key, "grade": grade, "payment_max": "100000", "day_max": "200000"
                    }]
                }
            }),
        );
    }

    /// The content of a transaction.
    pub fn content(&self, author: Party, kind: &str, body: Value) -> Content {
        let kind = self.port.registry().by_name(kind).unwrap();
        let number = self.counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let random = sha256(&number.to_le_bytes()).0;
        Content {
            version: 1,
            chain_id: self.port.chain_id(),
            author,
            idempotency_key: IdempotencyKey(random[..16].try_into().unwrap()),
            valid_until: self.clock.now().plus_millis(DAY),
            kind: kind.number,
            body: (kind.body_from_json)(body).unwrap_or_else(|error| panic!("{error}")),
        }
    }

    pub fn authorise(&self, content: &Content, party: Party, key: &str) -> Authorisation {
        Authorisation { party, key: public(key), signature: sign(key, &content.id()) }
    }

    /// The content signed by these parties.
    pub fn sign(&self, content: &Content, signers: &[Party]) -> Transaction {
        let authorise = |party: &Party| self.authorise(content, *party, &key_name(*party));
        let authorisations = signers.iter().map(authorise).collect();
        let mut transaction = Transaction { content: content.clone(), authorisations };
        transaction.sort_authorisations();
        transaction
    }

    #[track_caller]
    pub fn execute(&self, transaction: Transaction) -> u64 {
        let submitted = self.port.execute(transaction).unwrap();
        let record = &submitted.receipt.receipt.record;
        if let proof::receipt::OutcomeCode::Rejected(number) = record.outcome {
            let code = self.port.registry().rejection(number).unwrap();
            let detail = &submitted.receipt.receipt.rejection_detail;
            panic!("rejected: {} {detail:?}", code.name);
        }
        submitted.receipt.index
    }

    /// Executes a transaction without the gateway; the first signer is the author. Its receipt's
    /// id.
    #[track_caller]
    pub fn accepted(&self, signers: &[Party], kind: &str, body: Value) -> u64 {
        let content = self.content(signers[0], kind, body);
        self.execute(self.sign(&content, signers))
    }

    /// The body of a submission of this content, signed by these parties.
    pub fn submission(&self, content: &Content, signers: &[Party]) -> Value {
        let transaction = self.sign(content, signers);
        json!({
            "content": hex::encode(codec::encode(content)),
            "authorisations": transaction.authorisations
        })
    }

    /// The request that submits this content, signed by these parties.
    pub fn submit(&self, content: &Content, signers: &[Party]) -> Ask {
        let key = serde_json::to_value(content.idempotency_key).unwrap();
        Ask::post("/v1/transactions", &self.submission(content, signers))
            .with("idempotency-key", key.as_str().unwrap())
    }

    /// Sends a request and reads the whole answer.
    pub fn ask(&self, ask: &Ask) -> Answered {
        self.runtime.block_on(self.send(ask.clone()))
    }

    /// Sends a request; the answer may be waited for later.
    pub fn start(&self, ask: &Ask) -> tokio::task::JoinHandle<Answered> {
        self.runtime.spawn(Self::exchange(self.router.clone(), ask.clone()))
    }

    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    async fn send(&self, ask: Ask) -> Answered {
        Self::exchange(self.router.clone(), ask).await
    }

    /// Sends a request to a gateway and reads the whole answer.
    pub async fn exchange(router: Router, ask: Ask) -> Answered {
        let response = Self::respond(router, ask).await;
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answered { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    async fn respond(mut router: Router, ask: Ask) -> axum::response::Response {
        let mut request = Request::builder().method(ask.method).uri(&ask.path);
        for (name, value) in &ask.headers {
            request = request.header(*name, value);
        }
        let request = request.body(Body::from(ask.body)).unwrap();
        router.call(request).await.unwrap()
    }

    /// Opens a stream.
    pub fn stream(&self, ask: &Ask) -> axum::response::Response {
        self.runtime.block_on(Self::respond(self.router.clone(), ask.clone()))
    }

    /// A challenge for a party, and the message to sign.
    pub fn challenge(&self, party: Party) -> (String, Hash) {
        let ask = Ask::post("/v1/sessions/challenges", &json!({ "party": party }));
        let answer = self.ask(&ask).expect(201).json();
        let message = answer["message"].as_str().unwrap().parse().unwrap();
        (answer["challenge"].as_str().unwrap().to_owned(), message)
    }

    /// The request that signs a party in with the key of this name.
    pub fn sign_in_with(&self, party: Party, key: &str) -> Ask {
        let (challenge, message) = self.challenge(party);
        Ask::post(
            "/v1/sessions",
            &json!({
                "party": party, "challenge": challenge, "key": public(key),
                "signature": sign(key, &message)
            }),
        )
    }

    /// Signs a party in and gives its token.
    #[track_caller]
    pub fn token(&self, party: Party) -> String {
        let answer = self.ask(&self.sign_in_with(party, &key_name(party))).expect(201).json();
        answer["token"].as_str().unwrap().to_owned()
    }
}
