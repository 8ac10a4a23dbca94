//! What one client, one party or all of them together may take of the gateway.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use gateway::Config;
use gateway::session::limit::Rate;
use serde_json::json;

use crate::support::hospital::{message, signed_at};
use crate::support::insured::{VISIT, sealed};
use crate::support::{Ask, World, id_of, organisation, person};

const SLOW: Rate = Rate { per_second: 1, burst: 3 };

fn asks(world: &World, token: &str, times: usize) {
    for _ in 0..times {
        world.ask(&Ask::get("/v1/session").token(token)).expect(200);
    }
}

fn is_refused(world: &World, token: &str) {
    let answer = world.ask(&Ask::get("/v1/session").token(token));
    assert_eq!(answer.header("retry-after"), "1");
    answer.problem(429, "too_many_requests");
}

#[test]
fn a_person_asks_so_often_with_all_its_sessions_and_others_are_not_kept_out() {
    let world = World::with_config(Config { person_rate: SLOW, ..Config::default() });
    let (first, second) = (world.token(person(1)), world.token(person(1)));
    asks(&world, &first, 2);
    asks(&world, &second, 1);
    is_refused(&world, &first);
    is_refused(&world, &second);
    asks(&world, &world.token(person(2)), 3);
    asks(&world, &world.token(organisation("hospital")), 10);
    world.clock.advance_millis(1_000);
    asks(&world, &first, 1);
    is_refused(&world, &second);
}

#[test]
fn a_session_asks_so_often_and_another_of_the_same_party_goes_on() {
    let config = Config {
        session_rate: SLOW,
        organisation_rate: Rate { burst: 5, ..SLOW },
        ..Config::default()
    };
    let world = World::with_config(config);
    let hospital = organisation("hospital");
    let (first, second) = (world.token(hospital), world.token(hospital));
    asks(&world, &first, 3);
    is_refused(&world, &first);
    asks(&world, &second, 2);
    // The organisation has had its five.
    is_refused(&world, &second);
    asks(&world, &world.token(organisation("other")), 3);
}

#[test]
fn without_a_session_an_address_asks_so_often_and_whoever_is_signed_in_is_not_kept_out() {
    let config = Config { address_rate: Rate { burst: 4, ..SLOW }, ..Config::default() };
    let world = World::with_config(config);
    // Signing in takes two requests.
    let token = world.token(person(1));
    world.ask(&Ask::get("/v1/network")).expect(200);
    // A guess of a token counts as well.
    let guess = Ask::get("/v1/session").token(&"0".repeat(64));
    world.ask(&guess).problem(401, "session_ended");
    world.ask(&guess).problem(429, "too_many_requests");
    world.ask(&Ask::get("/v1/network")).problem(429, "too_many_requests");
    asks(&world, &token, 10);
    world.clock.advance_millis(1_000);
    world.ask(&Ask::get("/v1/network")).expect(200);
}

#[test]
fn a_hospitals_system_counts_by_the_hospital_and_strangers_by_their_address() {
    let config = Config {
        address_rate: SLOW,
        organisation_rate: Rate { burst: 5, ..SLOW },
        ..Config::default()
    };
    let world = World::with_config(config);
    let input = json!({ "signIn": { "opter_no": "0012", "mac": "", "ip": "" } });
    let sign_in = |serial| world.nhsa(&message(serial, "9001", &input));
    let code = |ask: &Ask| world.ask(ask).expect(200).json()["infcode"].clone();
    for serial in 1..=5 {
        assert_eq!(code(&sign_in(serial)), 0, "more than an address may ask");
    }
    // The hospital has had its five: this passes by itself, and the same message may come again.
    let often = world.ask(&sign_in(6)).expect(200).json();
    assert!(often["err_msg"].as_str().unwrap().contains("请稍后"), "{often}");
    world.clock.advance_millis(1_000);
    assert_eq!(code(&sign_in(6)), 0);
    // Strangers are refused before anything of theirs is read, and say nothing of the hospital.
    let stranger = signed_at(message(7, "9001", &input).to_string().as_bytes(), 0);
    for _ in 0..3 {
        assert_eq!(code(&stranger), -1);
    }
    assert_eq!(world.ask(&stranger).expect(429).json()["infcode"], -1);
}

#[test]
fn operators_see_a_node_that_has_too_much_to_do() {
    let world = World::with_config(Config { requests_max: 0, ..Config::default() });
    world.ask(&Ask::get("/v1/network")).problem(503, "overloaded");
    world.ask(&Ask::get("/health/live")).expect(204);
    world.ask(&Ask::get("/health/ready")).expect(204);
    let text = world.ask(&Ask::get("/metrics")).expect(200).text();
    let refused = "yibao_gateway_requests_total{operation=\"get_network\",status=\"503\"} 1";
    assert!(text.contains(refused), "{text}");
}

#[test]
fn transactions_on_their_way_leave_room_for_readers() {
    let world = World::with_config(Config { submissions_max: 1, ..Config::default() });
    let token = world.token(person(1));
    let lock = |number| {
        let body = json!({ "person": id_of(person(number)), "by": "own_key" });
        let content = world.content(person(number), "lock_person", body);
        world.submit(&content, &[person(number)])
    };
    let first = lock(1).token(&token);
    world.port.park();
    let first = world.start(&first);
    while world.gateway.in_flight.count() == 0 {
        std::thread::yield_now();
    }
    let second = lock(2).token(&world.token(person(2)));
    let refused = world.ask(&second);
    assert_eq!(refused.header("retry-after"), "1");
    refused.problem(503, "overloaded");
    asks(&world, &token, 1);
    world.port.go_on();
    world.wait(first).unwrap().expect(201);
    // What was refused has not happened, and may be sent again as it is.
    world.ask(&second).expect(201);
}

#[test]
fn json_counts_as_large_as_it_becomes() {
    let world = World::with_config(Config { body_bytes_max: 1 << 20, ..Config::default() });
    let token = world.token(person(1));
    let ask = |items: usize| {
        let body =
            format!("{{\"content\":[{}0],\"authorisations\":[]}}", "{\"\":0},".repeat(items));
        let mut ask = Ask::post("/v1/transactions/rehearse", &json!({})).token(&token);
        ask.body = body.into_bytes();
        world.ask(&ask)
    };
    // 14 KiB that become a megabyte.
    ask(2_000).problem(413, "body_too_large");
    ask(1_000).problem(422, "invalid_field");
}

#[test]
fn large_answers_that_nobody_reads_take_a_bounded_room() {
    let config = Config { answer_bytes_max: 300 * 1_024, ..Config::default() };
    let world = World::insured_with(config);
    let token = world.token(organisation("hospital"));
    let (commitment, envelope, _) = sealed(VISIT, &vec![b'a'; 200 * 1_024]);
    let path = format!("/v1/visits/{VISIT}/bills/{commitment}");
    world.ask(&Ask::put(&path, &envelope.encode()).token(&token)).expect(204);
    let get = Ask::get(&path).token(&token);
    let unread = world.stream(&get);
    let second = world.ask(&get);
    assert_eq!(second.header("retry-after"), "1");
    second.problem(503, "overloaded");
    // Small answers go on.
    asks(&world, &token, 1);
    drop(unread);
    for _ in 0..3 {
        world.ask(&get).expect(200);
    }
}

/// A gateway on a port of this machine, until this is dropped.
struct Server {
    address: SocketAddr,
    _stop: tokio::sync::oneshot::Sender<()>,
}

fn serve(world: &World, config: Config) -> Server {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let gateway = Arc::clone(&world.gateway);
    let address = world.wait(async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = gateway::router(gateway, None);
        let stopped = async {
            let _ = stopped.await;
        };
        tokio::spawn(gateway::serve(listener, router, config, stopped));
        address
    });
    Server { address, _stop: stop }
}

impl Server {
    fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).unwrap()
    }

    /// Whether a new connection is answered on, or closed without a word.
    fn answers(&self) -> bool {
        let mut stream = self.connect();
        let request = b"GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        let mut answer = String::new();
        match stream.write_all(request).and_then(|()| stream.read_to_string(&mut answer)) {
            Ok(_) => answer.starts_with("HTTP/1.1 204"),
            Err(error) => {
                let kinds = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
                assert!(kinds.contains(&error.kind()), "{error}");
                false
            }
        }
    }
}

#[test]
fn an_address_has_so_many_connections_and_gets_back_those_that_end() {
    let config = Config { connections_per_address_max: 2, ..Config::default() };
    let world = World::with_config(config.clone());
    let server = serve(&world, config);
    let mut held: Vec<TcpStream> = (0..2).map(|_| server.connect()).collect();
    // The connections are accepted in order, so these two are counted by now or before this one.
    assert!(!server.answers());
    held.pop();
    while !server.answers() {
        std::thread::yield_now();
    }
}

#[test]
fn a_trusted_proxy_has_as_many_connections_as_it_likes() {
    let trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    let config = Config { connections_per_address_max: 1, trusted_proxies, ..Config::default() };
    let world = World::with_config(config.clone());
    let server = serve(&world, config);
    let _held: Vec<TcpStream> = (0..8).map(|_| server.connect()).collect();
    assert!(server.answers());
}

#[test]
fn whoever_says_nothing_or_a_letter_at_a_time_is_let_go() {
    let header_timeout = Duration::from_millis(100);
    let config = Config { connections_per_address_max: 3, header_timeout, ..Config::default() };
    let world = World::with_config(config.clone());
    let server = serve(&world, config);
    let idle = server.connect();
    let mut begun = server.connect();
    begun.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: ").unwrap();
    // One that was answered and stays silent.
    let mut answered = server.connect();
    answered.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    // It says a letter whenever it can, and that does not help it.
    while !server.answers() {
        let _ = begun.write_all(b"a");
    }
    for mut stream in [idle, answered] {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 204"), "{rest:?}");
    }
}

#[test]
fn whoever_asks_for_much_and_reads_nothing_is_let_go() {
    let write_timeout = Duration::from_millis(100);
    let config = Config { connections_per_address_max: 1, write_timeout, ..Config::default() };
    let world = World::with_config(config.clone());
    let server = serve(&world, config);
    let mut greedy = server.connect();
    // More than the system's own buffers hold.
    let request = b"GET /v1/openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(100);
    greedy.write_all(&request).unwrap();
    while !server.answers() {
        std::thread::yield_now();
    }
    let asked = 100 * world.gateway.contract.len();
    let mut got = Vec::new();
    let _ = greedy.read_to_end(&mut got);
    assert!(got.len() < asked / 2, "{} of {asked} bytes went out", got.len());
}
