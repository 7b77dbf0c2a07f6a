//! Both sides of the opening handshake in memory, however it is cut, and what they agree on.

mod support;

use std::{sync::Arc, time::Instant};

use bytes::{Buf, BytesMut};
use http::{HeaderName, HeaderValue, StatusCode};
use support::Fake;
use ws_endpoint::{
    AnyRequest, ClientConfig, ClientHandshake, ClientHandshakeError, Opened, ServerConfig, ServerHandshake,
    Subprotocols, UpgradeRequest,
    driver::{Event, Progress},
    frame::{Role, Rsv},
    handshake::{ClientError, ClientRequest, InvalidHeader, Key, MAX_ADDED_HEADERS, ResponseError},
};

fn request() -> ClientRequest {
    ClientRequest::new("ws://example.com/chat?x=1").expect("an address")
}

/// Feeds bytes in steps to something that says when it has enough.
fn feed<T, E>(
    mut bytes: &[u8],
    step: usize,
    mut receive: impl FnMut(&mut BytesMut) -> Result<Option<T>, E>,
) -> Result<(T, BytesMut), E> {
    let mut buf = BytesMut::new();
    loop {
        let (next, rest) = bytes.split_at(step.min(bytes.len()));
        assert!(!next.is_empty(), "all bytes were given");
        buf.extend_from_slice(next);
        bytes = rest;
        if let Some(done) = receive(&mut buf)? {
            buf.extend_from_slice(bytes);
            return Ok((done, buf));
        }
    }
}

/// The whole handshake; gives the client and the server.
fn open(
    request: ClientRequest,
    client: &ClientConfig,
    server: ServerConfig,
    step: usize,
    change: impl FnOnce(&mut UpgradeRequest),
) -> (Opened, Opened) {
    let now = Instant::now();
    let mut client = ClientHandshake::new(request, client).expect("a request");
    let mut handshake = ServerHandshake::new(Arc::new(server));
    let (mut upgrade, rest) =
        feed(client.request_bytes(), step, |buf| handshake.receive(buf)).expect("no refusal");
    assert!(rest.is_empty());
    change(&mut upgrade);
    let accepted = upgrade.accept().expect("accepted");
    let (opened, rest) =
        feed(&accepted.response_bytes(), step, |buf| client.receive(buf, now)).expect("connected");
    assert!(rest.is_empty());
    (opened, accepted.open(now))
}

#[test]
fn any_cut_of_the_handshake_opens_both_sides() {
    for step in [1, 2, 3, 7, 50, 10_000] {
        let (mut client, mut server) =
            open(request(), &ClientConfig::default(), ServerConfig::default(), step, |_| {});
        client.connection.sender().send("hello".into()).expect("sent");
        server.connection.receiver().buffer().extend_from_slice(client.connection.sender().outbox().chunk());
        assert_eq!(server.connection.advance(), Progress::Ready);
        assert!(
            matches!(server.connection.event(), Event::Message(message) if message.as_bytes() == b"hello")
        );
        assert_eq!(server.handshake.request.uri(), "/chat?x=1");
        assert_eq!(client.handshake.response.status(), StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!((client.handshake.subprotocol, server.handshake.subprotocol), (None, None));
    }
}

#[test]
fn both_sides_know_the_same_answer_afterwards() {
    let (client, server) =
        open(request(), &ClientConfig::default(), ServerConfig::default(), 10_000, |upgrade| {
            let header = (HeaderName::from_static("x-room"), HeaderValue::from_static("12"));
            upgrade.add_header(header.0, header.1).expect("a header that may be added");
        });
    let (made, read) = (&server.handshake.response, &client.handshake.response);
    assert_eq!(made.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(made.headers()["x-room"], "12");
    assert_eq!(made.headers(), read.headers());
    assert!(format!("{made:?}").contains("x-room"), "{made:?}");
}

#[test]
fn bytes_behind_either_head_stay_in_the_buffer() {
    let mut client = ClientHandshake::new(request(), &ClientConfig::default()).expect("a request");
    let mut buf = BytesMut::from(&client.request_bytes()[..]);
    buf.extend_from_slice(b"frames");
    let mut server = ServerHandshake::new(Arc::default());
    let upgrade = server.receive(&mut buf).expect("no refusal").expect("a request");
    assert_eq!(buf, "frames");
    let mut buf = BytesMut::from(&upgrade.accept().expect("accepted").response_bytes()[..]);
    buf.extend_from_slice(b"frames");
    client.receive(&mut buf, Instant::now()).expect("connected").expect("an answer");
    assert_eq!(buf, "frames");
    let again = client.receive(&mut buf, Instant::now()).expect_err("it is over");
    assert!(matches!(again, ClientHandshakeError::Response(ClientError::Finished)), "{again:?}");
}

#[test]
fn a_given_key_makes_the_same_request_again() {
    let with_key = || {
        let key = Key::from_bytes(*b"the sample nonce");
        ClientHandshake::with_key(request(), &ClientConfig::default(), key).expect("a request")
    };
    assert_eq!(with_key().request_bytes(), with_key().request_bytes());
    assert!(with_key().request().headers().contains_key("sec-websocket-key"));
    let other = ClientHandshake::new(request(), &ClientConfig::default()).expect("a request");
    assert_ne!(with_key().request_bytes(), other.request_bytes(), "else each handshake has a key of its own");
}

#[test]
fn the_server_chooses_among_what_was_requested() {
    let supported = |names: &[&str]| Subprotocols::Supported(names.iter().map(ToString::to_string).collect());
    let cases = [
        (Subprotocols::FirstRequested, Some("v1")),
        (supported(&["v2", "v1"]), Some("v1")),
        (supported(&["v3", "v2"]), Some("v2")),
        (supported(&["v3"]), None),
        (Subprotocols::None, None),
    ];
    for (subprotocols, expected) in cases {
        let mut config = ServerConfig::default();
        config.subprotocols = subprotocols;
        let request = request().subprotocols(["v1", "v2"]).expect("subprotocols").require_subprotocol(false);
        let (client, server) = open(request, &ClientConfig::default(), config, 100, |_| {});
        assert_eq!(client.handshake.subprotocol.as_deref(), expected);
        assert_eq!(server.handshake.subprotocol.as_deref(), expected);
    }
}

#[test]
fn the_caller_may_choose_instead_but_only_what_was_requested() {
    for chosen in [Some("v2"), None] {
        let request = request().subprotocols(["v1", "v2"]).expect("subprotocols").require_subprotocol(false);
        let (client, _) = open(request, &ClientConfig::default(), ServerConfig::default(), 100, |upgrade| {
            assert_eq!(upgrade.subprotocol(), Some("v1"));
            let error = upgrade.choose_subprotocol(Some("v3")).expect_err("it was not requested");
            assert!(matches!(error, ResponseError::UnrequestedSubprotocol(name) if name == "v3"));
            assert_eq!(upgrade.subprotocol(), Some("v1"), "nothing has changed");
            upgrade.choose_subprotocol(chosen).expect("one that was");
        });
        assert_eq!(client.handshake.subprotocol.as_deref(), chosen);
    }
}

#[test]
fn added_headers_arrive_and_those_of_the_handshake_cannot_be_added() {
    let (client, _) = open(request(), &ClientConfig::default(), ServerConfig::default(), 100, |upgrade| {
        let name = HeaderName::from_static("x-number");
        for value in ["1", "2"] {
            upgrade.add_header(name.clone(), HeaderValue::from_static(value)).expect("a header");
        }
        for name in
            ["upgrade", "connection", "sec-websocket-accept", "sec-websocket-extensions", "content-length"]
        {
            let added = upgrade.add_header(HeaderName::from_static(name), HeaderValue::from_static("x"));
            assert!(matches!(added, Err(ResponseError::Header(InvalidHeader::Reserved(_)))), "{name}");
        }
    });
    let numbers: Vec<_> = client.handshake.response.headers().get_all("x-number").iter().collect();
    assert_eq!(numbers, ["1", "2"]);
}

#[test]
fn headers_that_are_too_many_are_refused_when_they_are_added() {
    let client = ClientHandshake::new(request(), &ClientConfig::default()).expect("a request");
    let mut buf = BytesMut::from(&client.request_bytes()[..]);
    let mut server = ServerHandshake::new(Arc::default());
    let mut upgrade = server.receive(&mut buf).expect("no refusal").expect("a request");
    let mut add = || upgrade.add_header(HeaderName::from_static("x"), HeaderValue::from_static("x"));
    for _ in 0..MAX_ADDED_HEADERS {
        add().expect("a header");
    }
    assert!(matches!(add(), Err(ResponseError::Header(InvalidHeader::TooMany))));
    upgrade.accept().expect("what was added can be sent");
}

#[test]
fn a_request_without_upgrade_is_plain_where_the_caller_wants_it() {
    let page = b"GET /page HTTP/1.1\r\nHost: example.com\r\n\r\n";
    let mut server = ServerHandshake::new(Arc::default());
    let plain = server.receive_any(&mut BytesMut::from(&page[..])).expect("no refusal").expect("a request");
    assert!(matches!(plain, AnyRequest::Plain(request) if request.uri() == "/page"));
    let mut server = ServerHandshake::new(Arc::default());
    let refusal = server.receive(&mut BytesMut::from(&page[..])).expect_err("not for a WebSocket");
    assert_eq!(refusal.status(), StatusCode::UPGRADE_REQUIRED);
    let client = ClientHandshake::new(request(), &ClientConfig::default()).expect("a request");
    let mut server = ServerHandshake::new(Arc::default());
    let upgrade = server.receive_any(&mut BytesMut::from(&client.request_bytes()[..])).expect("no refusal");
    assert!(matches!(upgrade, Some(AnyRequest::Upgrade(_))));
}

#[test]
fn malformed_extensions_are_refused_with_400_and_why() {
    let bytes = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Extensions: x; =\r\n\r\n";
    let mut server = ServerHandshake::new(Arc::default());
    let refused = match server.receive(&mut BytesMut::from(&bytes[..])) {
        Ok(Some(upgrade)) => upgrade.accept().map(drop).expect_err("malformed"),
        Ok(None) => panic!("the request is whole"),
        Err(refusal) => refusal,
    };
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert!(refused.response().body().contains("Sec-WebSocket-Extensions"), "{refused}");
}

fn with_extensions(names: &[&'static str]) -> (ClientConfig, ServerConfig) {
    let (mut client, mut server) = (ClientConfig::default(), ServerConfig::default());
    for &name in names {
        client.extensions.register(Fake(name, Rsv::RSV1)).expect("registered");
        server.extensions.register(Fake(name, Rsv::RSV1)).expect("registered");
    }
    (client, server)
}

#[test]
fn both_sides_use_what_was_agreed_on() {
    let (client, server) = with_extensions(&["x-one", "x-two"]);
    let (client, server) = open(request(), &client, server, 100, |_| {});
    // Both want the same reserved bit: the first that is registered has it.
    assert_eq!(client.handshake.extensions, ["x-one"]);
    assert_eq!(server.handshake.extensions, ["x-one"]);
    assert_eq!(client.handshake.response.headers()["sec-websocket-extensions"], "x-one");
}

#[test]
fn without_a_common_extension_the_connection_has_none() {
    for (client_names, server_names) in
        [(&["x-one"][..], &["x-two"][..]), (&[], &["x-one"]), (&["x-one"], &[])]
    {
        let (client, _) = with_extensions(client_names);
        let (_, server) = with_extensions(server_names);
        let (client, server) = open(request(), &client, server, 100, |_| {});
        assert!(client.handshake.extensions.is_empty() && server.handshake.extensions.is_empty());
        assert!(!client.handshake.response.headers().contains_key("sec-websocket-extensions"));
    }
}

#[test]
fn an_extension_that_was_not_offered_fails_the_handshake() {
    for (offers, answer) in
        [(&["x-one"][..], "x-two"), (&["x-one"], "x-one, x-one"), (&["x-one"], "x-one; y=;")]
    {
        let (config, _) = with_extensions(offers);
        let mut client = ClientHandshake::new(request(), &config).expect("a request");
        let mut buf = BytesMut::from(&client.request_bytes()[..]);
        let mut server = ServerHandshake::new(Arc::default());
        let upgrade = server.receive(&mut buf).expect("no refusal").expect("a request");
        let answered = upgrade.upgrade().accept().extensions(answer).expect("it can be sent").response();
        let bytes = ws_endpoint::handshake::write_response(&answered);
        let error =
            client.receive(&mut BytesMut::from(&bytes[..]), Instant::now()).expect_err("not acceptable");
        assert!(matches!(error, ClientHandshakeError::Extensions(_)), "{answer}: {error:?}");
    }
}

#[test]
fn the_options_reach_the_connection() {
    let mut config = ServerConfig::default();
    config.connection.limits.max_message_len = 3;
    let (mut client, mut server) = open(request(), &ClientConfig::default(), config, 100, |_| {});
    client.connection.sender().send("four".into()).expect("sent");
    server.connection.receiver().buffer().extend_from_slice(client.connection.sender().outbox().chunk());
    assert_eq!(server.connection.advance(), Progress::Closed);
    assert_eq!(
        server.connection.closed().expect("the end").sent.flatten().map(ws_endpoint::frame::CloseCode::get),
        Some(1009)
    );
}

#[test]
fn a_source_of_masks_is_asked_for_each_connection() {
    let mut config = ClientConfig::default();
    let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    config.set_mask_source(move || {
        counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        support::fixed_masks([1, 2, 3, 4])
    });
    for count in 1..=2 {
        let (mut client, _) = open(request(), &config, ServerConfig::default(), 100, |_| {});
        client.connection.sender().send("\0\0\0\0".into()).expect("sent");
        let frame = client.connection.sender().outbox().chunk().to_vec();
        assert_eq!(frame[2..], [1, 2, 3, 4, 1, 2, 3, 4]);
        assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), count);
    }
}

#[test]
fn roles_are_told_to_the_extensions() {
    let (client, server) = with_extensions(&["x-one"]);
    support::ROLES.with_borrow_mut(Vec::clear);
    open(request(), &client, server, 100, |_| {});
    support::ROLES.with_borrow(|roles| assert_eq!(roles[..], [Role::Client, Role::Server]));
}
