//! The client's side: what it sends, and which answers it takes.

use bytes::BytesMut;
use http::header::AUTHORIZATION;
use ws_handshake::{
    ClientError, ClientHandshake, ClientRequest, ClientRequestError, HeadError, InvalidHeader, Key,
    MAX_ADDED_HEADERS, MAX_INTERIM_RESPONSES, Version,
};

const KEY: [u8; 16] = *b"the sample nonce";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

fn to(address: &str) -> ClientRequest {
    ClientRequest::new(address).unwrap()
}

fn start(request: ClientRequest, extensions: Option<&str>) -> ClientHandshake {
    request.start(Key::from_bytes(KEY), extensions.map(str::to_owned)).unwrap()
}

fn sent(request: ClientRequest) -> String {
    String::from_utf8(start(request, None).request_bytes().to_vec()).unwrap()
}

#[test]
fn the_request_is_written_as_the_rfc_has_it() {
    let request = to("ws://server.example.com/chat")
        .subprotocols(["chat", "superchat"])
        .and_then(|request| request.origin("http://example.com"))
        .and_then(|request| request.header("x-a", "b"))
        .unwrap();
    assert_eq!(
        start(request, Some("permessage-deflate; client_max_window_bits")).request_bytes(),
        "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nOrigin: http://example.com\r\n\
         Sec-WebSocket-Protocol: chat, superchat\r\n\
         Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\nX-A: b\r\n\r\n"
    );
}

#[test]
fn addresses_are_taken_apart() {
    for (address, tls, host, port, host_header, target) in [
        ("ws://example.com", false, "example.com", 80, "example.com", "/"),
        ("wss://example.com/", true, "example.com", 443, "example.com", "/"),
        ("http://example.com:80/a", false, "example.com", 80, "example.com", "/a"),
        ("https://example.com:443/a?b", true, "example.com", 443, "example.com", "/a?b"),
        ("ws://example.com:443", false, "example.com", 443, "example.com:443", "/"),
        ("WSS://EXAMPLE.com:8443?b=c", true, "example.com", 8443, "example.com:8443", "/?b=c"),
        ("ws://[2001:DB8::1]:9000/", false, "2001:db8::1", 9000, "[2001:db8::1]:9000", "/"),
        ("ws://[::1]", false, "::1", 80, "[::1]", "/"),
        ("ws://user:secret@example.com:/x", false, "example.com", 80, "example.com", "/x"),
        (
            "ws://example.com/stra\u{df}e?\u{e9}",
            false,
            "example.com",
            80,
            "example.com",
            "/stra%C3%9Fe?%C3%A9",
        ),
        ("ws://example.com/%23", false, "example.com", 80, "example.com", "/%23"),
    ] {
        let request = to(address);
        assert_eq!((request.is_tls(), request.host(), request.port()), (tls, host, port), "{address}");
        let scheme = if tls { "wss" } else { "ws" };
        assert_eq!(request.uri().unwrap(), format!("{scheme}://{host_header}{target}").as_str(), "{address}");
        let wire = sent(request);
        assert!(wire.starts_with(&format!("GET {target} HTTP/1.1\r\nHost: {host_header}\r\n")), "{wire}");
        let uri = address.parse().ok().filter(|_| address.is_ascii());
        if let Some(uri) = uri {
            assert_eq!(sent(ClientRequest::from_uri(&uri).unwrap()), wire);
        }
    }
}

#[test]
fn addresses_that_are_none_are_refused() {
    use ClientRequestError::{Credentials, Fragment, Host, Scheme, Uri};
    for (address, is_expected) in [
        ("ftp://example.com", (|e| matches!(e, Scheme)) as Expected<ClientRequestError>),
        ("wss+unix:/a", |e| matches!(e, Uri(_) | Scheme)),
        ("example.com", |e| matches!(e, Scheme)),
        ("/chat", |e| matches!(e, Scheme)),
        ("", |e| matches!(e, Uri(_))),
        ("ws://", |e| matches!(e, Uri(_))),
        ("ws:///chat", |e| matches!(e, Uri(_) | Host)),
        ("ws://:80/", |e| matches!(e, Uri(_) | Host)),
        ("ws://user@/", |e| matches!(e, Uri(_) | Host)),
        ("ws://example.com:99999/", |e| matches!(e, Uri(_) | Host)),
        ("ws://example.com:8x/", |e| matches!(e, Uri(_) | Host)),
        ("ws://[::1/", |e| matches!(e, Uri(_))),
        ("ws://ex ample.com/", |e| matches!(e, Uri(_))),
        ("ws://b\u{fc}cher.example/", |e| matches!(e, Uri(_) | Host)),
        ("ws://example.com/a b", |e| matches!(e, Uri(_))),
        ("ws://example.com/\r\nX: y", |e| matches!(e, Uri(_))),
        ("ws://example.com/\0", |e| matches!(e, Uri(_))),
        ("ws://example.com/#", |e| matches!(e, Fragment)),
        ("ws://example.com/a#b", |e| matches!(e, Fragment)),
        ("ws://us%3Aer:pw@example.com/", |e| matches!(e, Credentials)),
        ("ws://user:%0D%0A@example.com/", |e| matches!(e, Credentials)),
    ] {
        let error = ClientRequest::new(address).unwrap_err();
        assert!(is_expected(&error), "{address:?}: {error:?}");
    }
}

#[test]
fn an_explicit_header_wins_over_the_address_and_the_address_over_basic_auth() {
    let value = |request: ClientRequest| {
        start(request, None)
            .request()
            .headers()
            .get(AUTHORIZATION)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    let plain = "ws://example.com/";
    let user_info = "ws://us%20er:p%40ss:word@example.com/";
    assert_eq!(value(to(plain)), None);
    let from_option = to(plain).basic_auth("Aladdin", "open sesame").unwrap();
    assert_eq!(value(from_option).as_deref(), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    let from_address = to(user_info).basic_auth("other", "").unwrap();
    assert_eq!(value(from_address).as_deref(), Some("Basic dXMgZXI6cEBzczp3b3Jk"));
    assert_eq!(value(to("ws://user@example.com")).as_deref(), Some("Basic dXNlcjo="));
    let explicit =
        to(user_info).basic_auth("other", "").and_then(|r| r.header("authorization", "Bearer x")).unwrap();
    assert_eq!(value(explicit).as_deref(), Some("Bearer x"));
    assert!(to(plain).basic_auth("a:b", "").is_err());
}

#[test]
fn passwords_stay_out_of_addresses_and_debug_output() {
    let request = to("ws://user:secret@example.com/").header("authorization", "Bearer hidden").unwrap();
    let request = request.header("cookie", "secret").unwrap();
    let text = format!("{request:?}");
    assert!(
        !text.contains("secret") && !text.contains("hidden") && !text.contains("dXNlcjpzZWNyZXQ="),
        "{text}"
    );
    let handshake = start(to("ws://user:secret@example.com/"), None);
    assert_eq!(handshake.request().uri(), "ws://example.com/");
    assert!(!format!("{handshake:?}").contains("dXNlcjpzZWNyZXQ="), "{handshake:?}");
}

#[test]
fn the_handshake_s_own_headers_cannot_be_set() {
    for name in [
        "Upgrade",
        "connection",
        "Sec-WebSocket-Key",
        "sec-websocket-version",
        "sec-websocket-extensions",
        "sec-websocket-protocol",
        "sec-websocket-accept",
        "content-length",
        "transfer-encoding",
    ] {
        let error = to("ws://example.com").header(name, "1").unwrap_err();
        assert!(matches!(error, ClientRequestError::Header(InvalidHeader::Reserved(_))), "{name}");
    }
    for (name, value) in [("x y", "a"), ("", "a"), ("x-a", "b\r\nc: d"), ("x-a", "\0"), ("x\n", "a")] {
        let error = to("ws://example.com").header(name, value).unwrap_err();
        assert!(
            matches!(error, ClientRequestError::Header(InvalidHeader::Malformed(_))),
            "{name:?}: {value:?}"
        );
    }
    assert!(matches!(
        to("ws://a").origin("https://b\u{fc}cher.example").unwrap_err(),
        ClientRequestError::Origin
    ));
    assert!(matches!(to("ws://a").header("host", "b/c").unwrap_err(), ClientRequestError::Host));
}

#[test]
fn the_count_of_added_headers_is_bounded() {
    let mut request = to("ws://example.com");
    for n in 0..MAX_ADDED_HEADERS {
        request = request.header(format!("x-{n}").as_str(), "1").unwrap();
    }
    assert_eq!(sent(request.clone()).matches("\r\nX-").count(), MAX_ADDED_HEADERS);
    let error = request.header("one-more", "1").unwrap_err();
    assert!(matches!(error, ClientRequestError::Header(InvalidHeader::TooMany)));
}

#[test]
fn host_and_origin_are_replaced_and_other_headers_repeated() {
    let request = to("ws://example.com")
        .header("host", "first.example")
        .and_then(|request| request.header("host", "other.example:1"))
        .and_then(|request| request.header("origin", "https://first.example"))
        .and_then(|request| request.origin("https://other.example"))
        .and_then(|request| request.header("cookie", "a=b"))
        .and_then(|request| request.header("cookie", "c=d"))
        .unwrap();
    assert_eq!(request.host(), "example.com", "where to connect stays");
    let wire = sent(request.clone());
    assert!(
        wire.contains("\r\nHost: other.example:1\r\n")
            && wire.contains("\r\nOrigin: https://other.example\r\n")
    );
    assert!(wire.contains("\r\nCookie: a=b\r\nCookie: c=d\r\n") && !wire.contains("first"));

    let wire = sent(request.version(Version::V8));
    assert!(wire.contains("\r\nSec-WebSocket-Version: 8\r\n"));
    assert!(
        wire.contains("\r\nSec-WebSocket-Origin: https://other.example\r\n") && !wire.contains("\r\nOrigin")
    );
}

#[test]
fn subprotocols_and_extensions_are_checked_before_they_are_sent() {
    for bad in [&["a", "a"][..], &[""], &["a b"], &["a,b"], &["a\r\n"]] {
        let error = to("ws://a").subprotocols(bad.iter().copied()).unwrap_err();
        assert!(matches!(error, ClientRequestError::Subprotocols(_)), "{bad:?}");
    }
    let none = to("ws://a").subprotocols(["a"]).and_then(|request| request.subprotocols([""; 0])).unwrap();
    assert!(!sent(none).contains("Protocol"));
    for bad in ["", "a\r\nb: c", "a\0", "\u{e4}"] {
        let error = to("ws://a").start(Key::from_bytes(KEY), Some(bad.to_owned())).unwrap_err();
        assert!(matches!(error, ClientRequestError::InvalidExtensions), "{bad:?}");
    }
}

fn answer(lines: &str) -> String {
    format!("HTTP/1.1 101 Switching Protocols\r\n{lines}\r\n")
}

fn good(more: &str) -> String {
    answer(&format!("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {ACCEPT}\r\n{more}"))
}

fn asking() -> ClientHandshake {
    start(to("ws://a").subprotocols(["chat", "v2"]).unwrap().require_subprotocol(false), Some("foo, bar"))
}

#[test]
fn good_answers_open_the_connection_in_any_cutting() {
    for (text, subprotocol, extensions) in [
        (good(""), None, None),
        (good("Sec-WebSocket-Protocol: v2\r\n"), Some("v2"), None),
        (
            good("Sec-WebSocket-Extensions: foo\r\nSec-WebSocket-Extensions: bar; a=1\r\n"),
            None,
            Some("foo, bar; a=1"),
        ),
        (
            answer(&format!(
                "upgrade: WebSocket\r\nconnection: keep-alive, UPGRADE\r\nsec-websocket-accept:{ACCEPT}\r\n"
            )),
            None,
            None,
        ),
        (
            format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n{}", good("")),
            None,
            None,
        ),
        (good("Content-Length: 5\r\n"), None, None),
        (
            format!("{}{}", "HTTP/1.1 102 Processing\r\n\r\n".repeat(MAX_INTERIM_RESPONSES), good("")),
            None,
            None,
        ),
    ] {
        for cut in 0..text.len() {
            let mut handshake = asking();
            let mut buf = BytesMut::from(&text[..cut]);
            assert!(handshake.receive(&mut buf).unwrap().is_none());
            buf.extend_from_slice(&text.as_bytes()[cut..]);
            buf.extend_from_slice(b"\x81\x02hi");
            let opened = handshake.receive(&mut buf).unwrap().unwrap();
            assert_eq!(opened.subprotocol.as_deref(), subprotocol);
            assert_eq!(opened.extensions.as_deref(), extensions);
            assert_eq!(opened.response.status(), 101);
            assert_eq!(buf, &b"\x81\x02hi"[..], "the first frame is not lost");
            assert!(matches!(handshake.receive(&mut buf), Err(ClientError::Finished)));
        }
    }
}

/// Whether an error is the one that is expected.
type Expected<E> = fn(&E) -> bool;

#[test]
fn each_bad_answer_has_its_error() {
    use ClientError::*;
    let upgrade = "Upgrade: websocket\r\n";
    let connection = "Connection: Upgrade\r\n";
    let accept = format!("Sec-WebSocket-Accept: {ACCEPT}\r\n");
    let table: &[(String, Expected<ClientError>)] = &[
        (answer(&format!("{connection}{accept}")), |e| matches!(e, BadUpgrade)),
        (answer(&format!("Upgrade: h2c\r\n{connection}{accept}")), |e| matches!(e, BadUpgrade)),
        (answer(&format!("Upgrade: websocket, h2c\r\n{connection}{accept}")), |e| matches!(e, BadUpgrade)),
        (good(upgrade), |e| matches!(e, BadUpgrade)),
        (answer(&format!("{upgrade}{accept}")), |e| matches!(e, BadConnection)),
        (answer(&format!("{upgrade}Connection: close\r\n{accept}")), |e| matches!(e, BadConnection)),
        (answer(&format!("{upgrade}{connection}")), |e| matches!(e, BadAccept)),
        (answer(&format!("{upgrade}{connection}Sec-WebSocket-Accept:\r\n")), |e| matches!(e, BadAccept)),
        (answer(&format!("{upgrade}{connection}{}", accept.to_lowercase())), |e| matches!(e, BadAccept)),
        (answer(&format!("{upgrade}{connection}Sec-WebSocket-Accept: {ACCEPT}=\r\n")), |e| {
            matches!(e, BadAccept)
        }),
        (good(&accept), |e| matches!(e, BadAccept)),
        (good("Sec-WebSocket-Protocol:\r\n"), |e| matches!(e, InvalidSubprotocol)),
        (good("Sec-WebSocket-Protocol: chat, v2\r\n"), |e| matches!(e, InvalidSubprotocol)),
        (good("Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat\r\n"), |e| {
            matches!(e, InvalidSubprotocol)
        }),
        (good("Sec-WebSocket-Protocol: Chat\r\n"), |e| matches!(e, UnrequestedSubprotocol(s) if s == "Chat")),
        (good("Sec-WebSocket-Extensions: \u{e4}\r\n"), |e| matches!(e, InvalidExtensions)),
        (good("").replace("HTTP/1.1", "HTTP/1.0"), |e| matches!(e, HttpVersion)),
        (good("").replace("HTTP/1.1", "HTTP/2.0"), |e| matches!(e, Head(HeadError::HttpVersion))),
        (good("").replace("\r\n", "\n"), |e| matches!(e, Head(HeadError::LineBreak))),
        (good(&"A: b\r\n".repeat(100)), |e| matches!(e, Head(HeadError::TooManyHeaders { limit: 100 }))),
        (good(&format!("A: {}\r\n", "b".repeat(16 * 1024))), |e| {
            matches!(e, Head(HeadError::TooLarge { .. }))
        }),
        ("HTTP/1.1 102 Processing\r\n\r\n".repeat(MAX_INTERIM_RESPONSES + 1), |e| {
            matches!(e, TooManyInterimResponses)
        }),
        ("SSH-2.0-OpenSSH\r\n\r\n".to_owned(), |e| matches!(e, Head(HeadError::StartLine))),
    ];
    for (text, is_expected) in table {
        for step in [1, text.len()] {
            let mut handshake = asking();
            let mut buf = BytesMut::new();
            let mut parts = text.as_bytes().chunks(step);
            let error = loop {
                buf.extend_from_slice(parts.next().expect("an error before the end"));
                match handshake.receive(&mut buf) {
                    Ok(opened) => assert!(opened.is_none(), "{text}"),
                    Err(error) => break error,
                }
            };
            assert!(is_expected(&error), "{text}: {error:?}");
            assert!(matches!(handshake.receive(&mut buf), Err(Finished)));
        }
    }
}

#[test]
fn another_status_is_handed_over_with_its_headers_and_the_body_stays() {
    for (status, text) in [
        (401, "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nno"),
        (302, "HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\nno"),
        (200, "HTTP/1.0 200 OK\r\n\r\nno"),
    ] {
        let mut buf = BytesMut::from(text);
        let Err(ClientError::UnexpectedStatus(response)) = asking().receive(&mut buf) else {
            panic!("{text}")
        };
        assert_eq!(response.status(), status);
        assert!(response.headers().len() <= 2);
        assert_eq!(buf, "no");
    }
}

#[test]
fn only_what_was_requested_may_be_answered() {
    let receive = |request: ClientRequest, more: &str| {
        start(request, None).receive(&mut BytesMut::from(good(more).as_str())).map(Option::unwrap)
    };
    let chosen = receive(to("ws://a"), "Sec-WebSocket-Protocol: chat\r\n");
    assert!(matches!(chosen, Err(ClientError::UnrequestedSubprotocol(_))));
    let extended = receive(to("ws://a"), "Sec-WebSocket-Extensions: foo\r\n");
    assert!(matches!(extended, Err(ClientError::UnrequestedExtensions)));
    let asking = to("ws://a").subprotocols(["chat"]).unwrap();
    assert!(matches!(receive(asking.clone(), ""), Err(ClientError::MissingSubprotocol)));
    assert_eq!(receive(asking.require_subprotocol(false), "").unwrap().subprotocol, None);
}
