//! The gateway on a light node: it says what a full one says, believes no lies, and is told what
//! concerns its organisation and nothing else.

use std::sync::{Arc, Mutex};

use adapters::clock::ManualClock;
use gateway::Chain as _;
use gateway::port::{Order, Trouble};
use ledger::kernel::account::{Account, Books};
use ledger::kernel::posting;
use ledger::modules::{coverage, network, person as persons, visit};
use ledger::{Event, Genesis};
use light::link::{Link, Listener, SignsIn};
use light::question::{Answer, Place, Question, RowAnswer, RowQuestion};
use light::{LightConfig, LightNode, Peer, PeerError, Service, TrustRoot};
use primitives::{Amount, Hash, OrganisationId, PersonId, PublicKey, Signature, VisitId};
use serde_json::json;

use crate::support::insured::{VISIT, settle};
use crate::support::keys::{TestVerifier, public, sign};
use crate::support::light_port::{CHOICE, Direct};
use crate::support::{Ask, DAY, LedgerPort, REGION, START, World, genesis, organisation, person};

/// Everything here is asked again of gateways on a light node of the bureau: a reader of a full and
/// of a light gateway cannot tell them apart.
#[test]
fn the_suite_passes_on_a_light_node() {
    if std::env::var_os(CHOICE).is_some() {
        return;
    }
    let suite = std::process::Command::new(std::env::current_exe().unwrap())
        .env(CHOICE, "light")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&suite.stdout);
    assert!(suite.status.success(), "{said}");
    assert!(said.contains("test result: ok."), "{said}");
}

#[test]
fn a_hospital_settles_and_looks_back_on_a_light_node_of_its_own() {
    let world = World::insured().on_light_node_of("hospital");
    let receipt = settle(&world, VISIT);
    assert_eq!(receipt["events"], json!(["visit_settled"]));
    let token = world.token(organisation("hospital"));
    let get = |path: &str| world.ask(&Ask::get(path).token(&token));
    let settled = get(&format!("/v1/visits/{VISIT}")).expect(200).json();
    assert_eq!(settled["record"]["transaction_id"], receipt["transaction_id"]);
    let again = get(&format!("/v1/receipts/{}", receipt["id"])).expect(200).json();
    assert_eq!(again, receipt);
    get(&format!("/v1/receipts/{}/voucher", receipt["id"])).expect(200);
    get(&format!("/v1/proofs/visit/{VISIT}")).expect(200);
    // The visit is over, and so is the look into the person's rows.
    let planned = json!({ "visit": VISIT, "sums": settled["record"]["sums"] });
    world.ask(&Ask::post("/v1/quotes", &planned).token(&token)).problem(409, "bills_closed");
    // What is another's is not even asked about in other words.
    let other = VisitId([7; 16]);
    world.check_in_at(other, "other");
    get(&format!("/v1/visits/{other}")).problem(403, "not_yours");
    // Persons sign in at their bureau: this node may not look up their keys.
    world.ask(&world.sign_in_with(person(1), &person(1).to_string())).problem(403, "not_yours");
}

fn service(world: &World) -> Service {
    Service::new(world.port.clone()).unwrap()
}

fn rows(service: &Service, who: &str, visit: Option<VisitId>, key: Vec<u8>) -> RowAnswer {
    let height = service.chain().view().tip.height;
    let question = Question::Rows { height, rows: vec![RowQuestion { key, visit }] };
    match service.answer(who.parse().unwrap(), question) {
        Answer::Rows(mut rows) => rows.pop().unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_hospital_is_told_what_concerns_it_and_nothing_else() {
    let world = World::insured();
    let other = VisitId([7; 16]);
    world.check_in_at(other, "other");
    let service = service(&world);
    let id = PersonId([1; 16]);
    let is_told =
        |who: &str, visit, key: Vec<u8>| rows(&service, who, visit, key) != RowAnswer::NotYours;
    let of_person = [
        persons::view::person_key(id),
        coverage::view::coverage_key(id),
        posting::account_key(&Account::PersonalAccount(id)),
    ];
    for key in of_person {
        assert!(is_told("hospital", Some(VISIT), key.clone()), "while the visit is open");
        assert!(!is_told("hospital", None, key.clone()), "not without a visit");
        assert!(!is_told("hospital", Some(other), key.clone()), "not for another's visit");
        assert!(!is_told("bank", Some(VISIT), key.clone()), "nobody else for this visit");
        assert!(is_told("regulator", None, key), "who governs sees everything");
    }
    let strangers = persons::view::person_key(PersonId([2; 16]));
    assert!(!is_told("hospital", Some(VISIT), strangers), "a visit is of one person");
    let visits = |one| visit::view::visit_key(one);
    assert!(is_told("hospital", None, visits(VISIT)) && !is_told("hospital", None, visits(other)));
    let due = |code: &str| {
        let books = Books::of(code.parse().unwrap(), primitives::RegionId(REGION));
        posting::account_key(&Account::ProviderDue(books))
    };
    assert!(is_told("hospital", None, due("hospital")) && !is_told("hospital", None, due("other")));
    assert!(is_told("bank", None, network::view::network_key()), "rules are public");
    assert!(
        !is_told("hospital", Some(VISIT), [&[0x0a, 0x02][..], &id.0].concat()),
        "relatives are not"
    );
    assert!(!is_told("hospital", None, vec![0x03, 0x01, 9]), "what nobody names is told nobody");
    // Once it is settled, its provider knows its visit and no longer its patient.
    settle(&world, VISIT);
    assert!(is_told("hospital", None, visits(VISIT)) && !is_told("other", None, visits(VISIT)));
    assert!(!is_told("hospital", Some(VISIT), persons::view::person_key(id)));
    // Lists and records: one's own.
    let list = |who: &str, party| {
        let (order, size) = (false, service.chain().view().tip.receipts);
        let question =
            Question::Receipts { party, newest_first: order, after: None, limit: 200, size };
        service.answer(who.parse().unwrap(), question)
    };
    assert_eq!(list("hospital", person(1)), Answer::NotYours);
    assert_eq!(list("hospital", organisation("other")), Answer::NotYours);
    let Answer::Receipts(own) = list("hospital", organisation("hospital")) else { panic!() };
    assert!(!own.is_empty());
    for proven in own {
        let told = proven.receipt;
        assert_eq!(told.concerns, [organisation("hospital")]);
        let whom = |event: &Event| event.concerns == [organisation("hospital")];
        assert!(told.events.iter().all(whom), "{:?}", told.events);
    }
    let record = |who: &str| service.answer(who.parse().unwrap(), Question::Settlement(VISIT));
    assert!(matches!(record("hospital"), Answer::Settlement(Some(_))));
    assert_eq!(record("other"), Answer::Settlement(None));
    let mut elsewhere = 0;
    for index in 0..world.port.view().tip.receipts {
        let size = world.port.view().tip.receipts;
        let question = Question::Receipt { place: Place::Index(index), size };
        let Answer::Receipt(told) = service.answer("other".parse().unwrap(), question) else {
            panic!()
        };
        let concerns = world.port.receipt(index).unwrap().unwrap().receipt.concerns.clone();
        assert_eq!(told.is_some(), concerns.contains(&organisation("other")), "{index}");
        elsewhere += usize::from(told.is_none());
    }
    assert!(elsewhere > 10, "most receipts are not its business");
}

type Change = Box<dyn Fn(&Question, Answer) -> Answer + Send + Sync>;

/// Says what another says, changed.
struct Liar {
    honest: Direct,
    change: Change,
}

impl Peer for Liar {
    fn ask(&self, question: &Question) -> Result<Answer, PeerError> {
        Ok((self.change)(question, self.honest.ask(question)?))
    }

    fn name(&self) -> String {
        "a liar".to_owned()
    }
}

fn direct(world: &World) -> Direct {
    Direct { service: service(world), organisation: "bureau".parse().unwrap() }
}

fn light(peers: Vec<Arc<dyn Peer>>, folder: Option<std::path::PathBuf>) -> LightNode<TestVerifier> {
    let config = LightConfig {
        root: TrustRoot::of_genesis(&genesis()),
        peers,
        folder,
        policies: Vec::new(),
        clock: Arc::new(ManualClock::at(START.plus_millis(10 * DAY))),
        seed: 1,
    };
    LightNode::open(config, TestVerifier).unwrap()
}

fn account_of_one() -> Vec<u8> {
    posting::account_key(&Account::PersonalAccount(PersonId([1; 16])))
}

fn is_about(question: &Question, key: &[u8]) -> bool {
    matches!(question, Question::Rows { rows, .. } if rows.iter().any(|row| row.key == key))
}

#[test]
fn a_lying_peer_is_found_out() {
    let world = World::insured();
    settle(&world, VISIT);
    let key = account_of_one();
    let truth = world.port.view().rows().read(&key).unwrap().to_vec();
    let last = world.port.view().tip.receipts - 1;
    type Lie = fn(&Question, Answer) -> Answer;
    // Each lie, and what it is about.
    let lies: [(&str, Lie); 8] = [
        ("headers", |_, answer| match answer {
            Answer::Headers(mut all) => {
                all.iter_mut().for_each(|one| one.header.state_root = Hash([1; 32]));
                Answer::Headers(all)
            }
            other => other,
        }),
        ("headers", |_, answer| match answer {
            Answer::Headers(mut all) => {
                for one in &mut all {
                    one.header.state_root = Hash([1; 32]);
                    one.certificate.value_id = one.header.value_id();
                }
                Answer::Headers(all)
            }
            other => other,
        }),
        ("parameters", |question, answer| match answer {
            Answer::Rows(mut rows) if is_about(question, &network::view::network_key()) => {
                if let Some(RowAnswer::Row(Some(value), _)) = rows.first_mut() {
                    value[0] ^= 1;
                }
                Answer::Rows(rows)
            }
            other => other,
        }),
        ("row", |question, answer| match answer {
            Answer::Rows(mut rows) if is_about(question, &account_of_one()) => {
                if let Some(RowAnswer::Row(Some(value), _)) = rows.first_mut() {
                    value[0] ^= 1;
                }
                Answer::Rows(rows)
            }
            other => other,
        }),
        ("row", |question, answer| match answer {
            Answer::Rows(mut rows) if is_about(question, &account_of_one()) => {
                if let Some(RowAnswer::Row(value, proof)) = rows.first_mut() {
                    (*value, proof.blind) = (None, None);
                }
                Answer::Rows(rows)
            }
            other => other,
        }),
        ("receipt", |_, answer| match answer {
            Answer::Receipt(Some(mut proven)) => {
                proven.receipt.record.kind += 1;
                Answer::Receipt(Some(proven))
            }
            other => other,
        }),
        ("receipt", |_, answer| match answer {
            Answer::Receipt(Some(mut proven)) => {
                proven.receipt.fields.pop();
                Answer::Receipt(Some(proven))
            }
            other => other,
        }),
        ("settlement", |_, answer| match answer {
            Answer::Settlement(Some(mut record)) => {
                record.use_personal_account = !record.use_personal_account;
                Answer::Settlement(Some(record))
            }
            other => other,
        }),
    ];
    for (about, lie) in lies {
        let liar = || Arc::new(Liar { honest: direct(&world), change: Box::new(lie) });
        let alone = light(vec![liar()], None);
        if about == "headers" {
            assert!(matches!(alone.follow(), Err(PeerError::Lie { .. })), "{about}");
            assert_eq!(alone.height(), 0);
        } else if about == "parameters" {
            // It does not even begin to stand where the network's parameters are not proved.
            assert!(matches!(alone.follow(), Err(PeerError::Lie { .. })), "{about}");
            let view = alone.view();
            assert_eq!((view.tip.height, view.rows().read(&key)), (0, None));
            assert!(matches!(view.state.trouble(), Some(Trouble::Unreachable(_))));
        } else {
            alone.follow().unwrap();
            let view = alone.view();
            let read = view.rows().read(&key).map(<[u8]>::to_vec);
            match about {
                "row" => {
                    assert_eq!(read, None);
                    let trouble = view.state.trouble();
                    assert!(matches!(trouble, Some(Trouble::Unreachable(_))), "{trouble:?}");
                }
                "receipt" => assert!(alone.receipt(last).is_err()),
                _ => assert!(alone.settlement(VISIT).is_err()),
            }
        }
        // Beside an honest one it does no harm.
        let both = light(vec![liar(), Arc::new(direct(&world))], None);
        both.follow().unwrap();
        assert_eq!(both.height(), world.port.view().tip.height);
        assert_eq!(both.view().rows().read(&key), Some(&truth[..]));
        assert_eq!(
            both.receipt(last).unwrap().unwrap().receipt,
            world.port.receipt(last).unwrap().unwrap().receipt
        );
        assert!(both.settlement(VISIT).unwrap().is_some());
    }
}

#[test]
fn a_light_node_goes_on_where_it_stood_and_knows_old_headers_again() {
    let world = World::insured();
    let folder = tempfile::tempdir().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let peer = |world: &World| -> Arc<dyn Peer> {
        let asked = Arc::clone(&asked);
        let change = move |question: &Question, answer| {
            if let Question::Headers { from, .. } = question {
                asked.lock().unwrap().push(*from);
            }
            answer
        };
        Arc::new(Liar { honest: direct(world), change: Box::new(change) })
    };
    let open = || light(vec![peer(&world)], Some(folder.path().to_owned()));
    let height = world.port.view().tip.height;
    let node = open();
    node.follow().unwrap();
    assert_eq!(node.height(), height);
    node.stop();
    drop(node);
    asked.lock().unwrap().clear();
    world.port.pass_day();
    let node = open();
    assert!(node.height() >= height, "what was believed is written down");
    node.follow().unwrap();
    assert_eq!(node.height(), height + 1);
    assert!(asked.lock().unwrap().iter().all(|from| *from > height));
    for height in [1, height, height + 1] {
        let own = node.header(height).unwrap().unwrap();
        assert_eq!(own.header, world.port.header(height).unwrap().unwrap().header);
    }
    assert!(node.header(height + 2).unwrap().is_none());
    // A folder of another root is not believed.
    let other = Genesis { time: START.plus_millis(1), ..genesis() };
    let root = TrustRoot { time: other.time, height: 7, ..TrustRoot::of_genesis(&other) };
    let headers = light::headers::Headers::open(&root, folder.path()).unwrap();
    assert_eq!(headers.height(), 7);
}

#[test]
fn who_begins_at_a_later_block_believes_what_is_proved_from_there_on() {
    let world = World::insured();
    settle(&world, VISIT);
    // The genesis is not asked for again, and older headers are not known.
    let view = world.port.view();
    let height = view.tip.height;
    let signed = world.port.header(height).unwrap().unwrap();
    let (value_id, time) = (signed.header.value_id(), view.tip.time);
    let root = TrustRoot { height, value_id, time, ..TrustRoot::of_genesis(&genesis()) };
    let config = LightConfig {
        root,
        peers: vec![Arc::new(direct(&world))],
        folder: None,
        policies: Vec::new(),
        clock: Arc::new(ManualClock::at(START.plus_millis(10 * DAY))),
        seed: 1,
    };
    let node = LightNode::open(config, TestVerifier).unwrap();
    world.port.pass_day();
    while node.height() < height + 1 {
        node.follow().unwrap();
    }
    assert!(node.header(height - 1).unwrap().is_none());
    // What happened before is proved by what comes after.
    let own = node.view().rows().read(&account_of_one()).unwrap().to_vec();
    assert_eq!(own, world.port.view().rows().read(&account_of_one()).unwrap());
    let last = world.port.view().tip.receipts - 1;
    assert!(node.receipt(last).unwrap().is_some());
}

/// Signs in with the key of this name.
struct Named(String);

impl SignsIn for Named {
    fn key(&self) -> PublicKey {
        public(&self.0)
    }

    fn sign(&self, message: &Hash) -> Signature {
        sign(&self.0, message)
    }
}

struct Door {
    listener: Listener,
    clock: Arc<ManualClock>,
}

const DOOR_KEY: [u8; 32] = [5; 32];

impl Door {
    fn of(port: Arc<LedgerPort>) -> Self {
        let clock = Arc::new(ManualClock::at(START.plus_millis(DAY)));
        let service = Service::new(port).unwrap();
        let listener = Listener::start(service, "127.0.0.1:0", DOOR_KEY, clock.clone()).unwrap();
        Self { listener, clock }
    }

    fn link(&self, organisation: &str, key: &str, door: [u8; 32]) -> Link {
        let name = light::link::name_of(door).unwrap();
        let address = self.listener.address().to_string();
        let organisation: OrganisationId = organisation.parse().unwrap();
        let signer = Arc::new(Named(key.to_owned()));
        Link::to((name, address), "test".parse().unwrap(), organisation, signer)
    }
}

#[test]
fn a_page_is_full_though_newer_receipts_came_than_are_believed() {
    let world = World::insured();
    let service = service(&world);
    let size = world.port.view().tip.receipts - 3;
    let question = Question::Receipts {
        party: organisation("bureau"),
        newest_first: true,
        after: None,
        limit: 2,
        size,
    };
    let Answer::Receipts(page) = service.answer("bureau".parse().unwrap(), question) else {
        panic!()
    };
    assert_eq!(page.len(), 2);
    assert!(page.iter().all(|one| one.index < size));
}

#[test]
fn only_who_proves_an_organisations_key_is_answered_and_only_while_it_counts() {
    let world = World::new();
    let door = Door::of(world.port.clone());
    let question = Question::Headers { from: 1, wait: false };
    let own = door.link("hospital", "hospital", DOOR_KEY);
    assert!(matches!(own.ask(&question), Ok(Answer::Headers(headers)) if headers.len() > 3));
    for (organisation, key, node) in [
        ("hospital", "other", DOOR_KEY),
        ("hospital", "hospital-root", DOOR_KEY),
        ("nobody", "hospital", DOOR_KEY),
        // Another node in the place of the one that was named.
        ("hospital", "hospital", [6; 32]),
    ] {
        let asked = door.link(organisation, key, node).ask(&question);
        assert!(asked.is_err(), "{organisation} {key}");
    }
    // What a wire carries is not what another handshake signed.
    assert!(matches!(own.ask(&question), Ok(Answer::Headers(_))), "the same connection again");
    door.clock.advance_millis(700 * DAY);
    assert!(own.ask(&question).is_err(), "an expired key ends its connections");
}

#[test]
fn a_hundred_light_organisations_with_forty_thousand_keys_follow_one_full_node() {
    const ORGANISATIONS: usize = 100;
    const KEYS: usize = 400;
    let mut genesis = genesis();
    let expires = START.plus_millis(700 * DAY);
    let code = |number: usize| format!("doctors-{number}");
    let key = |number: usize, doctor: usize| format!("{}-{doctor}", code(number));
    for number in 0..ORGANISATIONS {
        let keys: Vec<_> = (0..KEYS)
            .map(|doctor| json!({ "key": public(&key(number, doctor)), "scopes": ["clerk"], "expires": expires }))
            .collect();
        let one = json!({
            "organisation": code(number), "kind": "provider", "region": REGION,
            "root_key": public(&format!("{}-root", code(number))),
            "keys": keys
        });
        genesis.organisations.push(serde_json::from_value(one).unwrap());
    }
    let clock = Arc::new(ManualClock::at(START));
    let port = Arc::new(LedgerPort::new(&genesis, clock));
    port.pass_day();
    let door = Door::of(port.clone());
    let root = TrustRoot::of_genesis(&genesis);
    let open = |number: usize| {
        // Whichever of its doctors' keys signs in.
        let link = door.link(&code(number), &key(number, number * 3 % KEYS), DOOR_KEY);
        let config = LightConfig {
            root: root.clone(),
            peers: vec![Arc::new(link)],
            folder: None,
            policies: Vec::new(),
            clock: Arc::new(ManualClock::at(START.plus_millis(DAY))),
            seed: 1,
        };
        LightNode::open(config, TestVerifier).unwrap()
    };
    let nodes: Vec<LightNode<TestVerifier>> = (0..ORGANISATIONS).map(open).collect();
    port.pass_day();
    for (number, node) in nodes.iter().enumerate() {
        while node.height() < 2 {
            node.follow().unwrap();
        }
        let view = node.view();
        let own = primitives::Party::Organisation(code(number).parse().unwrap());
        let registered = gateway::session::registered::registered;
        let last = public(&key(number, KEYS - 1));
        assert!(registered(view.rows(), own, last, START).is_some(), "{:?}", view.state.trouble());
        let books = Books::of(code(number).parse().unwrap(), primitives::RegionId(REGION));
        assert!(posting::account(view.rows(), &Account::ProviderDue(books)).is_none());
        assert_eq!(view.state.trouble(), None);
        assert!(node.receipts_of(own, Order::OldestFirst, None, 10).unwrap().is_empty());
    }
    let (connections, organisations) = door.listener.connected();
    assert!(organisations == ORGANISATIONS && connections >= ORGANISATIONS, "{connections}");
}

#[test]
fn relatives_who_help_stay_unknown_to_a_provider_that_rehearses() {
    // What is asked of the full node because rows are not for the provider is told without them.
    let state = World::insured().port.view();
    let region = primitives::RegionId(REGION);
    let helps = |from, to| posting::PostedEntry {
        entry: posting::Entry { debit: from, credit: to, amount: Amount::from_minor(5) },
        currency: primitives::Currency::CNY,
    };
    let helper = Account::PersonalAccount(PersonId([2; 16]));
    let family = Account::FamilyAccounts(region);
    let books = Books::of("hospital".parse().unwrap(), region);
    let due = helps(family, Account::ProviderDue(books));
    let entries = vec![helps(helper, family), due];
    let told = |who: &str| {
        ledger::readers::entries_for(state.rows(), who.parse().unwrap(), entries.clone())
    };
    assert_eq!(told("hospital"), [due]);
    assert_eq!(told("bureau").len(), 2);
}
