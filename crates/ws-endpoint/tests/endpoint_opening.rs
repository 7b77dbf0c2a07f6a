//! An endpoint's opening handshake: what a driver with `http(request)`, `server()` and `client(url)` offers, each in a test
//! of its own.

mod support;

use std::{sync::Arc, time::Instant};

use bytes::Buf;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use support::{
    Fake,
    talk::{REQUEST, Talker, asked, client, client_of, open, request, server, server_of, talk},
};
use ws_endpoint::{
    AddExtensionError, ClientConfig, Endpoint, Failure, ServerConfig, SetHeaderError, State, Subprotocols,
    driver::{Progress, Wants},
    frame::Rsv,
    handshake::{Refusal, Version, is_upgrade},
};

#[test]
fn a_request_read_by_an_http_server_becomes_an_endpoint() {
    let now = Instant::now();
    let ask = Request::builder()
        .uri("/chat")
        .header("host", "example.com")
        .header("upgrade", "websocket")
        .header("connection", "Upgrade")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("sec-websocket-version", "13")
        .body("whatever the server has for a body")
        .expect("a request");
    let mut server = Talker::new(Endpoint::http(ask, &Arc::default(), now), now);
    assert_eq!(server.endpoint.state(), State::Connecting);
    assert_eq!(server.endpoint.request().map(|request| request.uri().path()), Some("/chat"));
    server.endpoint.receive(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"); // came behind the request already
    assert!(server.endpoint.start(now));
    server.listen();
    assert_eq!(server.seen(), ["open", "text Hello"]);
    let answer = server.written();
    assert!(answer.starts_with(b"HTTP/1.1 101 Switching Protocols\r\n"));
    assert!(answer.windows(28).any(|part| part == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));

    let mut server = Talker::new(Endpoint::http(Request::new(()), &Arc::default(), now), now);
    assert!(server.endpoint.start(now));
    server.listen();
    assert_eq!(server.seen().len(), 2, "what is not for a WebSocket is refused");
    assert!(server.written().starts_with(b"HTTP/1.1 426 "));
}

#[test]
fn a_server_reads_the_request_itself_and_shows_it() {
    let mut server = server();
    server.answers = false;
    let (mut server, answer) = asked(server, &format!("{REQUEST}X-Token: a\r\n\r\n"));
    assert_eq!((server.seen(), answer.as_str()), (vec!["request GET /chat".to_owned()], ""));
    let request = server.endpoint.request().expect("it has come");
    assert_eq!((request.method(), request.uri().path()), (&Method::GET, "/chat"));
    assert_eq!(request.headers()["x-token"], "a");
    assert!(is_upgrade(request));
    assert!(server.endpoint.upgrade().is_some_and(|upgrade| upgrade.upgrade().host() == "example.com"));
    let wants = server.endpoint.wants();
    assert_eq!(
        wants,
        Wants { jobs: true, ..Wants::NOTHING },
        "the caller decides, and nothing is read until then"
    );
    assert!(server.endpoint.start(server.now));
    server.listen();
    assert_eq!(server.seen(), ["open"]);
}

#[test]
fn a_server_may_be_started_before_the_request_has_come() {
    let mut server = server();
    server.answers = false;
    assert!(server.endpoint.start(server.now));
    let (mut server, answer) = asked(server, &format!("{REQUEST}\r\n"));
    assert_eq!(server.seen(), ["request GET /chat", "open"]);
    assert!(answer.starts_with("HTTP/1.1 101 "));
    assert!(!server.endpoint.start(server.now));
}

#[test]
fn a_client_of_an_address_sends_its_request() {
    let mut client = client();
    assert_eq!(client.endpoint.wants(), Wants { jobs: true, ..Wants::NOTHING });
    assert!(client.endpoint.start(client.now));
    let wire = String::from_utf8(client.written()).expect("a head is text");
    assert!(wire.starts_with("GET /chat?x=1 HTTP/1.1\r\nHost: example.com\r\n"), "{wire}");
    assert!(Endpoint::client("ftp://example.com/").is_err());
}

#[test]
fn a_request_for_a_page_is_told_from_one_for_a_websocket() {
    for (extra, upgrades) in [
        ("Upgrade: websocket\r\nConnection: keep-alive, upgrade\r\n", true),
        ("Upgrade: WebSocket\r\nConnection: Upgrade\r\n", true),
        ("Connection: close\r\n", false),
    ] {
        let mut server = server();
        server.answers = false;
        let rest =
            "Host: a\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
        let (mut server, _) = asked(server, &format!("GET / HTTP/1.1\r\n{extra}{rest}"));
        assert_eq!(server.seen(), ["request GET /"]);
        assert_eq!(server.endpoint.request().is_some_and(is_upgrade), upgrades, "{extra}");
        assert_eq!(server.endpoint.upgrade().is_some(), upgrades);
        assert!(
            server.endpoint.respond(&Response::new("a page\n"))
                && !server.endpoint.respond(&Response::new(""))
        );
        server.listen();
        assert_eq!(server.seen(), ["closed 1006"]);
        assert!(server.written().ends_with(b"\r\n\r\na page\n"));
    }
}

#[test]
fn versions_13_and_8_are_spoken_and_others_are_refused_with_both() {
    for (version, spoken) in [("13", Some(Version::V13)), ("8", Some(Version::V8)), ("7", None), ("14", None)]
    {
        let bytes = format!("{REQUEST}\r\n").replace("Version: 13", &format!("Version: {version}"));
        let (server, answer) = asked(server(), &bytes);
        assert_eq!(server.endpoint.version(), spoken);
        if spoken.is_none() {
            assert!(
                answer.starts_with("HTTP/1.1 400 ") && answer.contains("Sec-WebSocket-Version: 13, 8\r\n")
            );
        }
    }
}

#[test]
fn hixie_drafts_are_declined_with_a_sentence() {
    // The drafts before hybi-08 frame text alone and prove nothing with their handshake: no browser has spoken them since
    // 2012.
    let hixie_75 =
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nOrigin: http://a\r\n\r\n";
    let hixie_76 = hixie_75.replace(
        "\r\n\r\n",
        "\r\nSec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\n\
        Sec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n\r\n^n:ds[4U",
    );
    for bytes in [hixie_75, hixie_76.as_str()] {
        let (mut server, answer) = asked(server(), bytes);
        assert!(
            answer.starts_with("HTTP/1.1 400 ") && answer.contains("send 16 random bytes in base64, once"),
            "{answer}"
        );
        assert_eq!(server.seen().len(), 2);
    }
}

#[test]
fn start_sends_the_handshake_once() {
    let mut client = client();
    assert!(client.endpoint.start(client.now));
    let first = client.endpoint.outgoing().remaining();
    assert!(!client.endpoint.start(client.now));
    assert_eq!(client.endpoint.outgoing().remaining(), first);
    let (mut server, _) = asked(server(), &format!("{REQUEST}\r\n"));
    assert!(!server.endpoint.start(server.now));
    assert_eq!(server.endpoint.outgoing().remaining(), 0);
}

#[test]
fn headers_are_set_before_start_and_the_first_value_counts() {
    let (name, cookie) = (HeaderName::from_static("x-a"), HeaderName::from_static("set-cookie"));
    let value = HeaderValue::from_static;
    let (mut client, mut server) = (client(), server());
    for endpoint in [&mut client.endpoint, &mut server.endpoint] {
        for (name, text, taken) in
            [(&name, "1", true), (&name, "2", false), (&cookie, "a=1", true), (&cookie, "b=2", true)]
        {
            assert_eq!(endpoint.set_header(name.clone(), value(text)).expect("a header"), taken);
        }
        for reserved in ["upgrade", "connection", "sec-websocket-protocol", "content-length"] {
            let set = endpoint.set_header(HeaderName::from_static(reserved), value("x"));
            assert!(matches!(set, Err(SetHeaderError::Header(_) | SetHeaderError::Request(_))), "{reserved}");
        }
    }
    client.endpoint.start(client.now);
    assert!(!client.endpoint.set_header(HeaderName::from_static("x-late"), value("3")).expect("too late"));
    talk(&mut client, &mut server, 1000);
    let response = client.endpoint.response().expect("it is open").headers();
    let request = server.endpoint.request().expect("it is open").headers();
    for headers in [request, response] {
        assert_eq!(headers.get_all("x-a").iter().collect::<Vec<_>>(), ["1"]);
        assert_eq!(headers.get_all("set-cookie").iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
        assert!(!headers.contains_key("x-late"));
    }
}

#[test]
fn extensions_are_added_before_start() {
    let (mut client, mut server) = (client(), server());
    for talker in [&mut client, &mut server] {
        talker.endpoint.add_extension(Fake("x-one", Rsv::RSV1)).expect("added");
        let twice = talker.endpoint.add_extension(Fake("x-one", Rsv::RSV1));
        assert!(matches!(twice, Err(AddExtensionError::Register(_))), "{twice:?}");
    }
    client.endpoint.start(client.now);
    talk(&mut client, &mut server, 1000);
    assert_eq!(
        (client.endpoint.extensions(), server.endpoint.extensions()),
        (&["x-one"][..], &["x-one"][..])
    );
    let late = client.endpoint.add_extension(Fake("x-two", Rsv::RSV2));
    assert!(matches!(late, Err(AddExtensionError::Started)), "{late:?}");
}

#[test]
fn a_server_s_handshake_errors_are_answered_with_400_and_reported() {
    for (from, to) in
        [("dGhlIHNhbXBsZSBub25jZQ==", "short"), ("Version: 13", "Version: x"), ("Host: ", "Host: a b")]
    {
        let (mut server, answer) = asked(server(), &format!("{REQUEST}\r\n").replace(from, to));
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
        assert!(answer.contains("Content-Type: text/plain; charset=utf-8\r\n"), "{answer}");
        let seen = server.seen();
        assert!(seen[0].starts_with("failed: refused with 400") && seen[1] == "closed 1006", "{seen:?}");
        assert!(matches!(server.endpoint.failure(), Some(Failure::Refused(_))));
        assert!(server.endpoint.wants().read, "it lingers, so that the answer is read");
        server.endpoint.end_of_stream();
        server.listen();
        assert_eq!((server.progress, server.endpoint.wants()), (Progress::Closed, Wants::NOTHING));
    }
}

#[test]
fn a_client_s_handshake_errors_are_reported_and_end_it() {
    let good = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    let protocol = "upgrade\r\nSec-WebSocket-Protocol: ";
    let rows = [
        ("101 Switching Protocols", "200 OK", "answered 200 OK"),
        ("Upgrade: websocket", "Upgrade: h2c", "Upgrade header"),
        ("keep-alive, Upgrade", "close", "Connection header"),
        ("s3pP", "xxxx", "Sec-WebSocket-Accept"),
        ("Upgrade\r\nSec", &format!("{protocol}v3\r\nSec"), "not requested"),
        ("Upgrade\r\nSec", &format!("{protocol}\r\nSec"), "not one subprotocol"),
        ("Upgrade\r\nSec", "Upgrade\r\nSec-WebSocket-Extensions: x-one\r\nSec", "extensions"),
    ];
    let ask = || request("ws://a/").subprotocols(["v1"]).expect("a list").require_subprotocol(false);
    let started = || {
        let mut config = ClientConfig::default();
        config.extensions = ws_endpoint::extensions::Registry::new();
        let mut client = client_of(ask(), config);
        client.endpoint.start(client.now);
        client.written();
        client
    };
    let mut client = started();
    client.receive(good.as_bytes(), 7);
    assert_eq!((client.seen(), client.endpoint.subprotocol()), (vec!["open".to_owned()], None));
    for (from, to, why) in rows {
        assert!(good.contains(from));
        let mut client = started();
        client.receive(good.replacen(from, to, 1).as_bytes(), 7);
        let seen = client.seen();
        assert!(seen[0].starts_with("failed: ") && seen[0].contains(why), "{why}: {seen:?}");
        assert_eq!(seen[1], "closed 1006");
        assert_eq!(client.endpoint.wants(), Wants { shutdown: true, ..Wants::NOTHING });
    }
}

#[test]
fn a_client_shows_status_and_headers_of_the_answer() {
    let (opened, _) = open();
    let response = opened.endpoint.response().expect("it is open");
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert!(response.headers().contains_key("sec-websocket-accept"));
    let (mut client, mut server) = (client(), server());
    server.answers = false;
    client.endpoint.start(client.now);
    talk(&mut client, &mut server, 1000);
    let refusal =
        Refusal::new(StatusCode::UNAUTHORIZED, "log in").header("x-why", "because").expect("a header");
    server.endpoint.refuse(refusal).expect("a request waits");
    talk(&mut client, &mut server, 1000);
    let response = client.endpoint.response().expect("it was answered");
    assert_eq!(
        (response.status(), &response.headers()["x-why"]),
        (StatusCode::UNAUTHORIZED, &"because".parse().unwrap())
    );
    let again = server.endpoint.refuse(Refusal::new(StatusCode::FORBIDDEN, "no"));
    assert_eq!(again.expect_err("nothing waits").status(), StatusCode::FORBIDDEN);
}

#[test]
fn the_first_requested_subprotocol_that_is_supported_is_chosen() {
    for (supported, chosen) in [(&["b", "c"][..], Some("b")), (&["c", "b"], Some("b")), (&["d"], None)] {
        let mut config = ServerConfig::default();
        config.subprotocols = Subprotocols::Supported(supported.iter().map(ToString::to_string).collect());
        let ask = format!("{REQUEST}Sec-WebSocket-Protocol: a, b, c\r\n\r\n");
        let (server, answer) = asked(server_of(config), &ask);
        assert_eq!(server.endpoint.subprotocol(), chosen);
        assert_eq!(answer.contains("Sec-WebSocket-Protocol"), chosen.is_some());
    }
}

#[test]
fn credentials_in_the_address_are_sent_as_basic_authorization() {
    let mut client = client_of(request("ws://user:secret@example.com/"), ClientConfig::default());
    client.endpoint.start(client.now);
    let wire = String::from_utf8(client.written()).expect("a head is text");
    assert!(wire.contains("Authorization: Basic dXNlcjpzZWNyZXQ=\r\n"), "{wire}");
    assert!(!format!("{:?}", client.endpoint).contains("dXNlcjpzZWNyZXQ"), "and are not shown");
}
