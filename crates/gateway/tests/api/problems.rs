//! Everything that goes wrong is a problem document.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use gateway::problem::{Language, code, words};
use gateway::web::{WebFile, web_app};
use serde_json::json;

use crate::support::{Ask, World, organisation, person};

#[test]
fn unknown_addresses_and_methods_are_problems() {
    let world = World::new();
    for path in ["/nothing", "/v1/nothing", "/v1/persons", "/log/nothing", "/v1//session"] {
        world.ask(&Ask::get(path)).problem(404, "not_found");
    }
    let wrong = world.ask(&Ask::delete("/v1/network"));
    assert!(wrong.header("allow").contains("GET"), "{}", wrong.header("allow"));
    wrong.problem(405, "method_not_allowed");
}

#[test]
fn a_body_must_be_json_of_the_right_size_type_and_depth() {
    let world = World::new();
    let post = |body: Vec<u8>| Ask { body, ..Ask::post("/v1/sessions/challenges", &json!({})) };
    world.ask(&post(b"{\"party\":".to_vec())).problem(400, "malformed_json");
    world
        .ask(&post(format!("{{\"party\":\"{}\"}} x", person(1)).into_bytes()))
        .problem(400, "malformed_json");
    world.ask(&post(Vec::new())).problem(400, "malformed_json");
    world.ask(&post(b"\xff\xfe".to_vec())).problem(400, "malformed_json");
    let deep = [b"{\"party\":".to_vec(), vec![b'['; 5_000]].concat();
    world.ask(&post(deep)).problem(422, "invalid_field");
    world.ask(&post(vec![b' '; 65 * 1024])).problem(413, "body_too_large");
    let mut untyped = post(b"{}".to_vec());
    untyped.headers.clear();
    world.ask(&untyped).problem(415, "unsupported_media_type");
    let form = untyped.with("content-type", "application/x-www-form-urlencoded");
    world.ask(&form).problem(415, "unsupported_media_type");
    let charset = Ask::post("/v1/sessions/challenges", &json!({ "party": person(1) }));
    let mut charset = charset;
    charset.headers = vec![("content-type", "Application/JSON; charset=utf-8".to_owned())];
    world.ask(&charset).expect(201);
}

#[test]
fn deep_json_is_refused_where_any_json_is_read() {
    let world = World::new();
    let token = world.token(person(1));
    let nested = format!("{}{}", "[".repeat(2_000), "]".repeat(2_000));
    let body =
        format!("{{\"author\":\"{}\",\"kind\":\"lock_person\",\"body\":{nested}}}", person(1));
    let mut ask = Ask::post("/v1/transactions/prepare", &json!({})).token(&token);
    ask.body = body.into_bytes();
    world.ask(&ask).problem(400, "json_too_deep");
}

#[test]
fn a_wrong_field_is_named_with_its_path() {
    let world = World::new();
    let post = |body| world.ask(&Ask::post("/v1/sessions/challenges", &body));
    let problem = post(json!({ "party": "somebody" })).problem(422, "invalid_field");
    assert_eq!(problem["field"], "party");
    let problem = post(json!({})).problem(422, "invalid_field");
    assert!(problem["detail"].as_str().unwrap().contains("缺少字段 `party`"), "{problem}");
    let problem = post(json!({ "party": person(1), "x": 1 })).problem(422, "invalid_field");
    assert_eq!(problem["field"], "x");
}

#[test]
fn long_addresses_and_headers_are_refused() {
    let mut world = World::new();
    let long = format!("/v1/kinds/{}", "x".repeat(3_000));
    world.ask(&Ask::get(long)).problem(414, "address_too_long");
    let heavy = Ask::get("/v1/network").with("x-long", "x".repeat(17_000));
    world.ask(&heavy).problem(431, "headers_too_large");
    let mut many = Ask::get("/v1/network");
    const NAMES: [&str; 3] = ["x-a", "x-b", "x-c"];
    for number in 0..70 {
        many.headers.push((NAMES[number % 3], number.to_string()));
    }
    world.ask(&many).problem(431, "headers_too_large");
    let page = WebFile { path: "index.html", plain: b"<!doctype html>", brotli: None, gzip: None };
    let web = Some(web_app(&[page], false));
    world.router = gateway::router(Arc::clone(&world.gateway), web);
    world.ask(&Ask::get("/")).expect(200);
    let heavy = Ask::get("/").with("x-long", "x".repeat(17_000));
    world.ask(&heavy).problem(431, "headers_too_large");
}

#[test]
fn a_problem_speaks_the_readers_language_and_names_the_request() {
    let world = World::new();
    for language in Language::ALL {
        let ask = Ask::get("/v1/session").with("accept-language", language.tag());
        let answer = world.ask(&ask);
        assert_eq!(answer.header("content-language"), language.tag());
        let id = answer.header("x-request-id").to_owned();
        let problem = answer.problem(401, "session_missing");
        let expected = words::of(language, "session_missing");
        assert_eq!(problem["title"], expected.title);
        assert_eq!(problem["remedy"], expected.remedy);
        assert_eq!(problem["instance"], format!("urn:yibao:request:{id}"));
    }
}

#[test]
fn every_answer_carries_the_security_headers() {
    let world = World::new();
    for path in ["/", "/v1/network", "/v1/session", "/nothing", "/metrics"] {
        let answer = world.ask(&Ask::get(path));
        for (name, part) in [
            ("content-security-policy", "default-src 'none'"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert!(answer.header(name).contains(part), "{path} {name}: {}", answer.header(name));
        }
        assert_eq!(answer.header("strict-transport-security"), "");
    }
    let config = gateway::Config { is_behind_tls: true, ..gateway::Config::default() };
    let answer = World::with_config(config).ask(&Ask::get("/v1/network"));
    assert_eq!(answer.header("strict-transport-security"), "max-age=31536000");
}

#[test]
fn more_requests_than_allowed_at_once_are_told_to_come_again() {
    let world =
        World::with_config(gateway::Config { requests_max: 1, ..gateway::Config::default() });
    let token = world.token(person(1));
    let id = person(1).to_string().replace("person:", "");
    let body = json!({ "person": id, "by": "own_key" });
    let content = world.content(person(1), "lock_person", body);
    let ask = world.submit(&content, &[person(1)]).token(&token);
    world.port.park();
    let first = world.start(&ask);
    while world.gateway.in_flight.count() == 0 {
        std::thread::yield_now();
    }
    let second = world.ask(&Ask::get("/v1/network"));
    assert_eq!(second.header("retry-after"), "1");
    second.problem(503, "overloaded");
    world.port.go_on();
    world.wait(first).unwrap().expect(201);
    world.ask(&Ask::get("/v1/network")).expect(200);
}

#[test]
fn bodies_share_a_bounded_room() {
    let config = gateway::Config { body_bytes_max: 32 * 1024, ..gateway::Config::default() };
    let world = World::with_config(config);
    let post = |bytes: usize| {
        let ask = Ask::post("/v1/sessions/challenges", &json!({}));
        world.ask(&Ask { body: vec![b' '; bytes], ..ask })
    };
    // Again and again: the room is free once a request is answered.
    for _ in 0..3 {
        post(30 * 1024).problem(400, "malformed_json");
    }
    post(40 * 1024).problem(503, "overloaded");
}

#[test]
fn work_that_nobody_waits_for_any_more_keeps_its_place_and_its_room() {
    // One request at once, or the body of one.
    for (requests_max, body_bytes_max) in [(1, 1 << 20), (64, 1_024)] {
        let config = gateway::Config { requests_max, body_bytes_max, ..gateway::Config::default() };
        let world = World::with_config(config);
        let ask = world.sign_in_with(person(1), "a stranger");
        let busy = world.port.keep_busy();
        let client = world.start(&ask);
        while !busy.is_waited_for() {
            std::thread::yield_now();
        }
        client.abort();
        assert!(world.wait(client).is_err(), "the client went away");
        for _ in 0..3 {
            world.ask(&ask).problem(503, "overloaded");
        }
        drop(busy);
        while world.ask(&ask).status == 503 {
            std::thread::yield_now();
        }
    }
}

#[test]
fn the_node_is_live_while_it_is_not_ready() {
    let world = World::new();
    world.ask(&Ask::get("/health/ready")).expect(204);
    world.port.park();
    world.ask(&Ask::get("/health/live")).expect(204);
    world.ask(&Ask::get("/health/ready")).problem(503, "unavailable");
}

#[test]
fn figures_count_what_happened_and_name_nobody() {
    let world = World::new();
    let token = world.token(organisation("hospital"));
    world.ask(&Ask::get("/v1/session").token(&token)).expect(200);
    world.ask(&Ask::get("/v1/session")).problem(401, "session_missing");
    let text = world.ask(&Ask::get("/metrics")).expect(200).text();
    for line in [
        "yibao_gateway_requests_total{operation=\"get_session\",status=\"200\"} 1",
        "yibao_gateway_requests_total{operation=\"get_session\",status=\"401\"} 1",
        "yibao_gateway_sessions 1",
        "yibao_node_ready 1",
        "# TYPE yibao_node_waiting_transactions gauge",
        "# TYPE yibao_node_blocks counter",
        "yibao_node_blocks_total 7",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("hospital") && !text.contains("person:"), "{text}");
}

#[test]
fn a_server_on_a_socket_answers_keeps_slow_clients_out_and_stops_in_order() {
    let config = gateway::Config {
        header_timeout: std::time::Duration::from_millis(200),
        ..gateway::Config::default()
    };
    let world = World::with_config(config.clone());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let gateway = std::sync::Arc::clone(&world.gateway);
    let (server, address) = world.wait(async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = gateway::router(gateway, None);
        let stopped = async {
            let _ = stopped.await;
        };
        (tokio::spawn(gateway::serve(listener, router, config, stopped)), address)
    });
    let talk = |request: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    };
    let answer = talk("GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    // A client that never ends its headers is let go.
    let answer = talk("GET /health/live HTTP/1.1\r\nhost: localh");
    assert!(!answer.contains("200 OK"), "{answer}");
    let answer = talk("this is not http\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    stop.send(()).unwrap();
    world.wait(server).unwrap().unwrap();
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_body_that_does_not_come_or_breaks_off_is_a_problem() {
    let config = gateway::Config {
        body_timeout: std::time::Duration::from_millis(200),
        ..gateway::Config::default()
    };
    let world = World::with_config(config.clone());
    let (_stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let gateway = std::sync::Arc::clone(&world.gateway);
    let address = world.wait(async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = gateway::router(gateway, None);
        tokio::spawn(gateway::serve(listener, router, config, async {
            let _ = stopped.await;
        }));
        address
    });
    let head = "POST /v1/sessions/challenges HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
                content-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    let mut slow = TcpStream::connect(address).unwrap();
    slow.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("body_too_slow"), "{answer}");
    let mut cut = TcpStream::connect(address).unwrap();
    cut.write_all(head.as_bytes()).unwrap();
    cut.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    cut.read_to_string(&mut answer).unwrap();
    assert!(answer.is_empty() || answer.contains("body_incomplete"), "{answer}");
}

#[test]
fn beside_a_web_app_the_api_keeps_its_own_addresses() {
    use tower_service::Service as _;
    let world = World::new();
    let page = axum::Router::new().fallback(|| async { "the app" });
    let mut router = gateway::router(std::sync::Arc::clone(&world.gateway), Some(page));
    let mut get = |path: &str| {
        let request = axum::http::Request::get(path).body(axum::body::Body::empty()).unwrap();
        world.wait(async {
            let response = router.call(request).await.unwrap();
            let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
            String::from_utf8(body.to_vec()).unwrap()
        })
    };
    for path in ["/", "/wallet/home", "/assets/app.js"] {
        assert_eq!(get(path), "the app");
    }
    for path in ["/v1/nothing", "/log/nothing", "/v1/session"] {
        assert!(get(path).contains("\"code\":"), "{path}");
    }
}

#[test]
fn gateway_problems_have_distinct_names_that_no_rejection_has() {
    use gateway::Chain as _;
    let world = World::new();
    let mut names: Vec<&str> = code::ALL.iter().map(|code| code.name).collect();
    names.extend(world.port.registry().rejections().iter().map(|code| code.name));
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}
