//! The server's check: each rule with its status, in its order, and the answers.

use http::{HeaderValue, Request, StatusCode};
use ws_handshake::{
    HeadError, OriginPolicy, Refusal, RequestError, ServerPolicy, SubprotocolError, Upgrade, Version, check,
    is_upgrade, write_response,
};

const VALID: &[(&str, &str)] = &[
    ("host", "example.com"),
    ("upgrade", "websocket"),
    ("connection", "Upgrade"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("sec-websocket-version", "13"),
];

/// Headers replaced, removed (`None`) or, behind a `+`, added.
type Changes<'a> = &'a [(&'a str, Option<&'a str>)];

/// A valid request but for the changes.
fn request(target: &str, changes: Changes<'_>) -> Request<()> {
    let mut request = Request::builder().uri(target);
    let changed = |name: &str| changes.iter().any(|(changed, _)| *changed == name);
    for (name, value) in VALID.iter().filter(|(name, _)| !changed(name)) {
        request = request.header(*name, *value);
    }
    for (name, value) in changes.iter().filter_map(|(name, value)| Some((name, (*value)?))) {
        request =
            request.header(name.trim_start_matches('+'), HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    request.body(()).unwrap()
}

fn accepted(changes: Changes<'_>) -> Upgrade {
    check(&request("/chat", changes), &ServerPolicy::default()).unwrap()
}

fn refused(request: &Request<()>, policy: &ServerPolicy) -> RequestError {
    check(request, policy).unwrap_err().cause().unwrap()
}

#[test]
fn a_valid_request_is_accepted_with_what_it_says() {
    let upgrade = accepted(&[
        ("+sec-websocket-protocol", Some("chat, superchat")),
        ("+sec-websocket-protocol", Some("v1")),
        ("+sec-websocket-extensions", Some("permessage-deflate")),
        ("+sec-websocket-extensions", Some("foo; a=\"b\"")),
        ("+origin", Some("https://example.com")),
    ]);
    assert_eq!(upgrade.key().as_str(), "dGhlIHNhbXBsZSBub25jZQ==");
    assert_eq!(upgrade.version(), Version::V13);
    assert_eq!(upgrade.host(), "example.com");
    assert_eq!(upgrade.subprotocols(), ["chat", "superchat", "v1"]);
    assert_eq!(upgrade.extensions(), Some("permessage-deflate, foo; a=\"b\""));
    assert_eq!(upgrade.origin(), Some("https://example.com"));

    let upgrade = accepted(&[]);
    assert_eq!((upgrade.subprotocols().len(), upgrade.extensions(), upgrade.origin()), (0, None, None));
}

#[test]
fn headers_are_lists_compared_in_any_case() {
    for changes in [
        &[("connection", Some("keep-alive, UPGRADE"))][..],
        &[("connection", Some("keep-alive")), ("connection", Some("upgrade"))],
        &[("connection", Some(&format!("{}upgrade", ", ".repeat(32 * 1024))))],
        &[("upgrade", Some("WebSocket"))],
        &[("upgrade", Some("h2c, websocket"))],
        &[("upgrade", Some("websocket")), ("upgrade", Some("websocket"))],
        &[("+content-length", Some("0"))],
    ] {
        accepted(changes);
    }
}

#[test]
fn each_broken_rule_has_its_error_and_its_status() {
    use RequestError::*;
    use SubprotocolError::{Duplicate, Empty, NotToken, TooMany};
    let many = (0..129).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let long_spaces = format!("a{}b", " ".repeat(64 * 1024));
    let table: &[(Changes<'_>, RequestError, u16)] = &[
        (&[("upgrade", None)], MissingUpgrade, 426),
        (&[("upgrade", None), ("connection", None)], MissingUpgrade, 426),
        (&[("upgrade", Some("h2c"))], InvalidUpgrade, 400),
        (&[("upgrade", Some(""))], InvalidUpgrade, 400),
        (&[("upgrade", Some("websocket2"))], InvalidUpgrade, 400),
        (&[("connection", None)], InvalidConnection, 400),
        (&[("connection", Some("keep-alive"))], InvalidConnection, 400),
        (&[("host", None)], InvalidHost, 400),
        (&[("host", Some(""))], InvalidHost, 400),
        (&[("host", Some("a/b"))], InvalidHost, 400),
        (&[("host", Some("user@a"))], InvalidHost, 400),
        (&[("host", Some("a:b"))], InvalidHost, 400),
        (&[("host", Some("\u{e4}"))], InvalidHost, 400),
        (&[("+host", Some("example.com"))], InvalidHost, 400),
        (&[("+content-length", Some("5"))], Body, 400),
        (&[("+content-length", Some("-0"))], Body, 400),
        (&[("+content-length", Some("0")), ("+content-length", Some("1"))], Body, 400),
        (&[("+transfer-encoding", Some("chunked"))], Body, 400),
        (&[("+transfer-encoding", Some("identity"))], Body, 400),
        (&[("sec-websocket-key", None)], InvalidKey, 400),
        (&[("sec-websocket-key", Some(""))], InvalidKey, 400),
        (&[("sec-websocket-key", Some("c2hvcnQ="))], InvalidKey, 400),
        (&[("sec-websocket-key", Some("dGhlIHNhbXBsZSBub25jZQAA=="))], InvalidKey, 400),
        (&[("+sec-websocket-key", Some("dGhlIHNhbXBsZSBub25jZQ=="))], InvalidKey, 400),
        (&[("sec-websocket-version", None)], UnsupportedVersion, 400),
        (&[("sec-websocket-version", Some("7"))], UnsupportedVersion, 400),
        (&[("sec-websocket-version", Some("013"))], UnsupportedVersion, 400),
        (&[("sec-websocket-version", Some("13, 8"))], UnsupportedVersion, 400),
        (&[("+sec-websocket-version", Some("13"))], UnsupportedVersion, 400),
        (&[("+sec-websocket-protocol", Some(""))], InvalidSubprotocols(Empty), 400),
        (&[("+sec-websocket-protocol", Some("a,,b"))], InvalidSubprotocols(Empty), 400),
        (&[("+sec-websocket-protocol", Some("a b"))], InvalidSubprotocols(NotToken), 400),
        (&[("+sec-websocket-protocol", Some(&long_spaces))], InvalidSubprotocols(NotToken), 400),
        (
            &[("+sec-websocket-protocol", Some("a")), ("+sec-websocket-protocol", Some("a"))],
            InvalidSubprotocols(Duplicate),
            400,
        ),
        (&[("+sec-websocket-protocol", Some(&many))], InvalidSubprotocols(TooMany), 400),
        (&[("+sec-websocket-protocol", Some("\u{e4}"))], SubprotocolsNotText, 400),
        (&[("+sec-websocket-extensions", Some("\u{e4}"))], InvalidExtensions, 400),
        (&[("+origin", Some("\u{e4}"))], InvalidOrigin, 400),
        (&[("+origin", Some("null")), ("+origin", Some("null"))], InvalidOrigin, 400),
        (
            &[("+sec-websocket-origin", Some("null")), ("+sec-websocket-origin", Some("null"))],
            InvalidOrigin,
            400,
        ),
    ];
    for (changes, error, status) in table {
        let request = request("/", changes);
        assert_eq!(refused(&request, &ServerPolicy::default()), *error, "{changes:?}");
        assert_eq!(error.status(), *status, "{changes:?}");
    }
}

#[test]
fn methods_versions_of_http_and_targets() {
    for method in ["POST", "HEAD", "PUT", "CONNECT", "OPTIONS", "get", "BREW"] {
        let mut request = request("/", &[("upgrade", None)]);
        *request.method_mut() = method.parse().unwrap();
        let refusal = check(&request, &ServerPolicy::default()).unwrap_err();
        assert_eq!(refusal.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(refusal.response().headers()["allow"], "GET");
        assert!(!is_upgrade(&request));
    }
    for version in
        [http::Version::HTTP_09, http::Version::HTTP_10, http::Version::HTTP_2, http::Version::HTTP_3]
    {
        let mut request = request("/", &[]);
        *request.version_mut() = version;
        assert_eq!(refused(&request, &ServerPolicy::default()), RequestError::HttpVersion);
    }
    for (target, host) in [
        ("/", "example.com"),
        ("//a/b", "example.com"),
        ("http://other.example/chat", "other.example"),
        ("wss://other.example:8443?a=b", "other.example:8443"),
    ] {
        let upgrade = check(&request(target, &[]), &ServerPolicy::default()).unwrap();
        assert_eq!(upgrade.host(), host);
    }
    for target in
        ["*", "example.com:80", "ftp://example.com/", "http://user@example.com/", "http://example.com:99999/"]
    {
        assert_eq!(
            refused(&request(target, &[]), &ServerPolicy::default()),
            RequestError::Target,
            "{target}"
        );
    }
}

#[test]
fn the_first_broken_rule_counts() {
    let mut changes = vec![
        ("upgrade", Some("h2c")),
        ("sec-websocket-key", None),
        ("sec-websocket-version", Some("7")),
        ("+sec-websocket-protocol", Some("")),
        ("+sec-websocket-extensions", Some("\u{e4}")),
        ("+origin", Some("https://evil.example")),
    ];
    let policy = ServerPolicy {
        path: Some("/chat".to_owned()),
        origins: OriginPolicy::SameHost,
        ..ServerPolicy::default()
    };
    let mut post = request("/", &changes);
    *post.method_mut() = http::Method::POST;
    assert_eq!(refused(&post, &policy), RequestError::Method);
    for error in [RequestError::InvalidUpgrade, RequestError::InvalidKey, RequestError::UnsupportedVersion] {
        assert_eq!(refused(&request("/", &changes), &policy), error);
        changes.remove(0);
    }
    assert_eq!(refused(&request("/", &changes), &policy), RequestError::Path);
    for error in [
        RequestError::InvalidSubprotocols(SubprotocolError::Empty),
        RequestError::InvalidExtensions,
        RequestError::OriginNotPermitted,
    ] {
        assert_eq!(refused(&request("/chat", &changes), &policy), error);
        changes.remove(0);
    }
    assert!(check(&request("/chat", &changes), &policy).is_ok());
}

#[test]
fn a_path_is_compared_with_what_stands_before_the_question_mark() {
    let policy = ServerPolicy { path: Some("/chat".to_owned()), ..ServerPolicy::default() };
    for target in ["/chat", "/chat?", "/chat?a=/b", "http://example.com/chat"] {
        assert!(check(&request(target, &[]), &policy).is_ok(), "{target}");
    }
    for target in ["/", "/chat/", "/Chat", "/chat%20", "//chat", "/a?/chat"] {
        let refusal = check(&request(target, &[]), &policy).unwrap_err();
        assert_eq!(refusal.status(), StatusCode::NOT_FOUND, "{target}");
    }
}

#[test]
fn version_8_is_spoken_unless_the_policy_says_otherwise() {
    let changes = [
        ("sec-websocket-version", Some("8")),
        ("+sec-websocket-origin", Some("https://example.com")),
        ("+origin", Some("https://other.example")),
    ];
    let upgrade = accepted(&changes);
    assert_eq!((upgrade.version(), upgrade.origin()), (Version::V8, Some("https://example.com")));
    assert_eq!(accepted(&changes[1..]).origin(), Some("https://other.example"));
    assert_eq!(accepted(&[changes[0], changes[2]]).origin(), Some("https://other.example"));

    let refusal =
        check(&request("/", &[("sec-websocket-version", Some("9"))]), &ServerPolicy::default()).unwrap_err();
    assert_eq!(refusal.response().headers()["sec-websocket-version"], "13, 8");
    let only_13 = ServerPolicy { versions: vec![Version::V13], ..ServerPolicy::default() };
    let refusal = check(&request("/", &changes), &only_13).unwrap_err();
    assert_eq!(refusal.cause(), Some(RequestError::UnsupportedVersion));
    assert_eq!(refusal.response().headers()["sec-websocket-version"], "13");
}

#[test]
fn requests_of_the_drafts_before_version_7_are_refused() {
    let none = [("sec-websocket-key", None), ("sec-websocket-version", None), ("upgrade", Some("WebSocket"))];
    // hixie-75 has no key at all, hixie-76 has two.
    let two = [
        ("+sec-websocket-key1", Some("4 @1  46546xW%0l 1 5")),
        ("+sec-websocket-key2", Some("12998 5 Y3 1")),
    ];
    for changes in [none.to_vec(), [none.as_slice(), &two].concat()] {
        assert_eq!(refused(&request("/", &changes), &ServerPolicy::default()), RequestError::InvalidKey);
    }
}

#[test]
fn a_request_is_one_for_a_websocket_by_its_method_and_two_headers() {
    for (changes, is_one) in [
        (&[][..], true),
        (&[("connection", Some("keep-alive, UPGRADE")), ("upgrade", Some("WebSocket"))], true),
        (&[("connection", Some("keep-alive"))], false),
        (&[("connection", None)], false),
        (&[("upgrade", Some("h2c"))], false),
        (&[("upgrade", None)], false),
        // What is wrong with the rest is for `check` to tell.
        (&[("sec-websocket-key", None), ("sec-websocket-version", Some("7"))], true),
    ] {
        assert_eq!(is_upgrade(&request("/", changes)), is_one, "{changes:?}");
    }
}

#[test]
fn a_refusal_is_a_whole_response_that_says_why() {
    let refusal = check(&request("/", &[("upgrade", None)]), &ServerPolicy::default()).unwrap_err();
    let body = "this address speaks WebSocket: connect with a WebSocket client\n";
    assert_eq!(
        write_response(refusal.response()),
        format!(
            "HTTP/1.1 426 Upgrade Required\r\nConnection: close, Upgrade\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13, 8\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    );
    assert_eq!(refusal.to_string(), format!("refused with 426 Upgrade Required: {}", body.trim_end()));
}

#[test]
fn every_error_is_answered_with_a_framed_status_and_a_reason() {
    let limit = 1;
    for (error, status) in [
        (RequestError::Head(HeadError::TooLarge { limit }), 431),
        (RequestError::Head(HeadError::TooManyHeaders { limit }), 431),
        (RequestError::Head(HeadError::RequestLineTooLong { limit }), 414),
        (RequestError::Head(HeadError::LineBreak), 400),
        (RequestError::Head(HeadError::ControlCharacter), 400),
        (RequestError::Head(HeadError::StartLine), 400),
        (RequestError::Head(HeadError::Target), 400),
        (RequestError::Head(HeadError::Header), 400),
        (RequestError::Head(HeadError::HttpVersion), 505),
        (RequestError::HttpVersion, 505),
        (RequestError::Method, 405),
        (RequestError::MissingUpgrade, 426),
        (RequestError::InvalidUpgrade, 400),
        (RequestError::InvalidConnection, 400),
        (RequestError::Target, 400),
        (RequestError::InvalidHost, 400),
        (RequestError::Body, 400),
        (RequestError::InvalidKey, 400),
        (RequestError::UnsupportedVersion, 400),
        (RequestError::Path, 404),
        (RequestError::InvalidSubprotocols(SubprotocolError::Empty), 400),
        (RequestError::SubprotocolsNotText, 400),
        (RequestError::InvalidExtensions, 400),
        (RequestError::InvalidOrigin, 400),
        (RequestError::OriginNotPermitted, 403),
        (RequestError::Timeout, 408),
        (RequestError::Unavailable, 503),
    ] {
        let refusal = Refusal::from(error);
        assert_eq!((refusal.status().as_u16(), refusal.cause()), (status, Some(error)));
        let response = refusal.into_response();
        let headers = response.headers();
        assert!(headers["connection"].to_str().unwrap().starts_with("close"));
        assert_eq!(headers["content-type"], "text/plain; charset=utf-8");
        assert_eq!(headers["content-length"], response.body().len().to_string().as_str());
        assert!(response.body().len() > 20 && response.body().ends_with('\n'));
        assert_eq!(headers.contains_key("allow"), status == 405);
        assert_eq!(headers.contains_key("upgrade"), status == 426);
    }
}

#[test]
fn a_refusal_of_one_s_own() {
    let refusal =
        Refusal::new(StatusCode::UNAUTHORIZED, "log in").header("www-authenticate", "Basic").unwrap();
    assert_eq!(refusal.cause(), None);
    assert_eq!(refusal.response().headers()["www-authenticate"], "Basic");
    for reserved in ["connection", "Content-Length", "transfer-encoding"] {
        assert!(Refusal::new(StatusCode::FORBIDDEN, "no").header(reserved, "1").is_err());
    }
    assert!(Refusal::new(StatusCode::FORBIDDEN, "no").header("x-a", "b\r\nc: d").is_err());
    assert_eq!(Refusal::new(StatusCode::SWITCHING_PROTOCOLS, "no").status(), 500);
}

#[test]
fn the_answer_s_headers_stand_in_their_order() {
    let upgrade = accepted(&[
        ("+sec-websocket-protocol", Some("chat")),
        ("+sec-websocket-extensions", Some("permessage-deflate")),
    ]);
    let answer = upgrade
        .accept()
        .header("set-cookie", "a=b")
        .and_then(|answer| answer.header("set-cookie", "c=d"))
        .and_then(|answer| answer.extensions("permessage-deflate"))
        .and_then(|answer| answer.subprotocol("chat"))
        .unwrap()
        .response();
    assert_eq!(
        write_response(&answer),
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\
         Sec-WebSocket-Extensions: permessage-deflate\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n\r\n"
    );
}

#[test]
fn the_answer_s_bytes_are_those_of_its_response() {
    let upgrade = accepted(&[
        ("+sec-websocket-protocol", Some("chat")),
        ("+sec-websocket-extensions", Some("permessage-deflate")),
    ]);
    for (answer, lines) in [
        (upgrade.accept(), 5),
        (upgrade.accept().subprotocol("chat").unwrap(), 6),
        (upgrade.accept().extensions("permessage-deflate").unwrap(), 6),
        (upgrade.accept().header("x-a", "b").unwrap().header("x-a", "c").unwrap(), 7),
    ] {
        let answer = answer.finish();
        let bytes = answer.bytes();
        assert_eq!(bytes, write_response(&answer.response()));
        assert_eq!(bytes.windows(2).filter(|end| end == b"\r\n").count(), lines, "{bytes:?}");
    }
}

#[test]
fn what_the_client_did_not_ask_for_cannot_be_answered() {
    let upgrade = accepted(&[("+sec-websocket-protocol", Some("chat"))]);
    assert!(upgrade.accept().subprotocol("Chat").is_err());
    assert!(upgrade.accept().subprotocol("").is_err());
    assert!(upgrade.accept().extensions("permessage-deflate").is_err());
    let upgrade = accepted(&[("+sec-websocket-extensions", Some("foo"))]);
    for bad in ["", "foo\r\nx: y", "foo\0"] {
        assert!(upgrade.accept().extensions(bad).is_err());
    }
    for name in [
        "upgrade",
        "Connection",
        "sec-websocket-accept",
        "sec-websocket-protocol",
        "sec-websocket-extensions",
        "content-length",
        "transfer-encoding",
        "b\u{e4}d",
        "bad name",
        "bad\r\n",
        "",
    ] {
        assert!(upgrade.accept().header(name, "1").is_err(), "{name:?}");
    }
}
