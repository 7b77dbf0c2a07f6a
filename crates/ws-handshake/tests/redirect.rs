//! Redirects: where they lead, and what is not told there.

use bytes::BytesMut;
use http::{HeaderName, HeaderValue, Response};
use proptest::prelude::*;
use ws_handshake::{
    ClientError, ClientRequest, ClientRequestError, Key, Redirect, RedirectError, Redirects, Version,
    is_redirect,
};

fn to(address: &str) -> ClientRequest {
    ClientRequest::new(address).unwrap()
}

fn answer(status: u16, location: &str) -> Response<()> {
    let location = HeaderValue::from_bytes(location.as_bytes()).unwrap();
    Response::builder().status(status).header("location", location).body(()).unwrap()
}

fn follow(from: &ClientRequest, location: &str) -> Redirect {
    from.redirected(&answer(302, location)).unwrap()
}

fn wire(request: ClientRequest) -> String {
    let handshake = request.start(Key::from_bytes([7; 16]), None).unwrap();
    String::from_utf8(handshake.request_bytes().to_vec()).unwrap()
}

/// A request with everything that is for one server alone, and more that is not.
fn loaded(address: &str) -> ClientRequest {
    [("authorization", "Bearer secret"), ("cookie", "a=secret"), ("cookie", "b=secret")]
        .into_iter()
        .chain([("proxy-authorization", "Basic secret"), ("host", "virtual.example"), ("x-app", "kept")])
        .try_fold(to(address), |request, (name, value)| request.header(name, value))
        .and_then(|request| request.basic_auth("user", "secret"))
        .and_then(|request| request.origin("https://app.example"))
        .and_then(|request| request.subprotocols(["chat", "v2"]))
        .unwrap()
        .version(Version::V8)
}

#[test]
fn targets_are_resolved_against_the_address() {
    let base = "wss://user:pw@example.com:8443/a/b?q";
    for (location, address) in [
        ("ws://other.example/x?y", "ws://other.example/x?y"),
        ("HTTPS://Other.Example:443", "wss://other.example/"),
        ("http://other.example:80/./a/../b/.", "ws://other.example/b/"),
        ("https://other.example?x/../y", "wss://other.example/?x/../y"),
        ("//other.example/x", "wss://other.example/x"),
        ("//[::1]:9/x", "wss://[::1]:9/x"),
        ("/x/../y?z", "wss://example.com:8443/y?z"),
        ("c", "wss://example.com:8443/a/c"),
        ("../../../c", "wss://example.com:8443/c"),
        ("?z", "wss://example.com:8443/a/b?z"),
        ("//other.example", "wss://other.example/"),
        ("/.//other.example", "wss://example.com:8443//other.example"),
        ("/\u{e9}?\u{df}", "wss://example.com:8443/%C3%A9?%C3%9F"),
        ("/back\\slash", "wss://example.com:8443/back\\slash"),
        ("ws+unix:/run/a.sock:/x/../y", "ws+unix:/run/a.sock:/x/../y"),
        ("ws+unix:///run/a.sock", "ws+unix:/run/a.sock:/"),
    ] {
        assert_eq!(follow(&to(base), location).request.address(), address, "{location}");
    }
    for (location, address) in [
        ("/x", "ws+unix:/run/a.sock:/x"),
        ("c?d", "ws+unix:/run/a.sock:/u/c?d"),
        ("ws://other.example", "ws://other.example/"),
        ("ws+unix:/run/b.sock:/x", "ws+unix:/run/b.sock:/x"),
    ] {
        assert_eq!(
            follow(&to("ws+unix:/run/a.sock:/u/v"), location).request.address(),
            address,
            "{location}"
        );
    }
}

#[test]
fn a_target_that_cannot_be_used_is_refused() {
    use ClientRequestError::{Fragment, Host, Scheme, SocketPath, Uri};
    type Expected = fn(&RedirectError) -> bool;
    let table: &[(&str, Expected)] = &[
        ("ftp://example.com/", |e| matches!(e, RedirectError::Target(Scheme))),
        ("javascript:alert(1)", |e| matches!(e, RedirectError::Target(Scheme | Uri(_)))),
        ("file:/passwd", |e| matches!(e, RedirectError::Target(Scheme | Uri(_)))),
        ("example.com:80/", |e| matches!(e, RedirectError::Target(Scheme | Uri(_)))),
        ("ws:/x", |e| matches!(e, RedirectError::Target(Scheme | Uri(_)))),
        ("/x#y", |e| matches!(e, RedirectError::Target(Fragment))),
        ("#", |e| matches!(e, RedirectError::Target(Fragment))),
        ("ws://", |e| matches!(e, RedirectError::Target(Uri(_) | Host))),
        ("///x", |e| matches!(e, RedirectError::Target(Uri(_) | Host))),
        ("ws://example.com:99999/", |e| matches!(e, RedirectError::Target(Uri(_) | Host))),
        ("ws://ex%41mple.com/", |e| matches!(e, RedirectError::Target(Uri(_) | Host))),
        ("ws://b\u{fc}cher.example/", |e| matches!(e, RedirectError::Target(Uri(_) | Host))),
        ("/a b", |e| matches!(e, RedirectError::Target(Uri(_)))),
        ("/a\tb", |e| matches!(e, RedirectError::Target(Uri(_)))),
        ("ws+unix:", |e| matches!(e, RedirectError::Target(SocketPath))),
        ("ws+unix:/a%00b", |e| matches!(e, RedirectError::Target(SocketPath))),
        ("ws://user:pw@example.com/", |e| matches!(e, RedirectError::UserInfo)),
        ("//user@other.example/", |e| matches!(e, RedirectError::UserInfo)),
        ("ws://@example.com/", |e| matches!(e, RedirectError::UserInfo)),
        ("", |e| matches!(e, RedirectError::Location)),
    ];
    for (location, is_expected) in table {
        let error = to("ws://example.com/a").redirected(&answer(302, location)).unwrap_err();
        assert!(is_expected(&error), "{location:?}: {error:?}");
    }
    let error = to("ws+unix:/run/a.sock").redirected(&answer(302, "//host/x")).unwrap_err();
    assert!(matches!(error, RedirectError::Target(SocketPath)), "{error:?}");
}

#[test]
fn a_redirect_has_one_of_five_statuses_and_exactly_one_target() {
    let request = to("ws://example.com/");
    for status in [301, 302, 303, 307, 308] {
        let answer = answer(status, "/x");
        assert!(is_redirect(&answer));
        assert_eq!(request.redirected(&answer).unwrap().status, status);
    }
    for status in [101, 200, 201, 300, 304, 305, 306, 399, 401, 503] {
        let answer = answer(status, "/x");
        assert!(!is_redirect(&answer));
        let error = request.redirected(&answer).unwrap_err();
        assert!(matches!(error, RedirectError::NotARedirect(other) if other == status), "{error:?}");
    }
    let none = Response::builder().status(302).body(()).unwrap();
    assert!(!is_redirect(&none));
    assert!(matches!(request.redirected(&none), Err(RedirectError::Location)));
    let two =
        Response::builder().status(302).header("location", "/a").header("location", "/a").body(()).unwrap();
    assert!(matches!(request.redirected(&two), Err(RedirectError::Location)));
}

#[test]
fn what_is_for_one_server_stays_with_it() {
    // From, to, same server, TLS left.
    for (from, location, same, down) in [
        ("ws://example.com/a", "/b", true, false),
        ("ws://example.com/a", "ws://EXAMPLE.com:80/b", true, false),
        ("ws://example.com/a", "wss://example.com/b", true, false),
        ("ws://example.com:8080/a", "wss://example.com:8080/b", true, false),
        ("ws+unix:/a.sock:/x", "/y", true, false),
        ("ws+unix:/a.sock:/x", "ws+unix:/a.sock:/y", true, false),
        ("wss://example.com/a", "ws://example.com/b", true, true),
        ("wss://example.com/a", "http://example.com/b", true, true),
        ("wss://example.com/a", "ws://other.example/b", false, true),
        ("ws://example.com/a", "//other.example/b", false, false),
        ("ws://example.com/a", "ws://sub.example.com/b", false, false),
        ("ws://example.com/a", "ws://example.com.evil/b", false, false),
        ("ws://example.com/a", "ws://example.com:8080/b", false, false),
        ("ws://example.com:443/a", "wss://example.com/b", false, false),
        ("ws://localhost/a", "ws+unix:/a.sock:/b", false, false),
        ("ws+unix:/a.sock:/b", "ws://localhost/a", false, false),
        ("ws+unix:/a.sock:/b", "ws+unix:/b.sock:/b", false, false),
        ("wss://localhost/a", "ws+unix:/a.sock:/b", false, true),
    ] {
        let case = format!("{from} -> {location}");
        let redirect = follow(&loaded(from), location);
        assert_eq!((redirect.is_same_server, redirect.is_downgrade), (same, down), "{case}");
        let sent = wire(redirect.request);
        if same && !down {
            assert!(redirect.dropped.is_empty(), "{case}");
            for line in [
                "Authorization: Bearer secret",
                "Cookie: a=secret",
                "Cookie: b=secret",
                "Host: virtual.example",
            ] {
                assert!(sent.contains(&format!("\r\n{line}\r\n")), "{case}: {sent}");
            }
        } else {
            assert_eq!(
                redirect.dropped,
                ["authorization", "cookie", "proxy-authorization", "host"],
                "{case}"
            );
            assert!(!sent.contains("secret") && !sent.contains("c2VjcmV0"), "{case}: {sent}");
            assert!(!sent.contains("virtual.example"), "{case}: {sent}");
        }
        for line in [
            "X-App: kept",
            "Sec-WebSocket-Origin: https://app.example",
            "Sec-WebSocket-Version: 8",
            "Sec-WebSocket-Protocol: chat, v2",
        ] {
            assert!(sent.contains(&format!("\r\n{line}\r\n")), "{case}: {sent}");
        }
    }
}

#[test]
fn user_information_counts_as_authorization() {
    for from in
        [to("ws://user:secret@example.com/a"), to("ws://example.com/a").basic_auth("user", "secret").unwrap()]
    {
        let kept = follow(&from, "b");
        assert!(wire(kept.request).contains("\r\nAuthorization: Basic dXNlcjpzZWNyZXQ=\r\n"));
        let crossed = follow(&from, "//other.example/b");
        assert_eq!(crossed.dropped, ["authorization"]);
        // And coming back does not bring it back.
        let back = follow(&crossed.request, "ws://example.com/b");
        assert!(back.dropped.is_empty());
        assert!(!wire(back.request).contains("Authorization"));
    }
}

#[test]
fn the_caller_may_set_again_what_was_dropped_and_take_out_more() {
    let redirect = follow(&loaded("wss://example.com/"), "wss://other.example/");
    let request = redirect.request.header("authorization", "Bearer other").unwrap();
    let sent = wire(request.without_header(&HeaderName::from_static("x-app")));
    assert!(sent.contains("\r\nAuthorization: Bearer other\r\n") && !sent.contains("X-App"), "{sent}");
    let sent =
        wire(loaded("ws://a").without_header(&http::header::ORIGIN).without_header(&http::header::HOST));
    assert!(sent.contains("\r\nHost: a\r\n") && !sent.contains("Origin"), "{sent}");
}

#[test]
fn one_redirect_more_than_the_limit_fails() {
    for (mut redirects, limit) in [(Redirects::default(), 10), (Redirects::new(1), 1), (Redirects::new(0), 0)]
    {
        let mut request = to("ws://example.com/");
        for hop in 0..limit {
            assert_eq!(redirects.followed(), hop);
            request = redirects.follow(&request, &answer(302, &format!("/{hop}"))).unwrap().request;
        }
        assert!(matches!(redirects.follow(&request, &answer(200, "/")), Err(RedirectError::NotARedirect(_))));
        let error = redirects.follow(&request, &answer(302, "/")).unwrap_err();
        assert!(matches!(error, RedirectError::TooMany { limit: told } if told == limit));
        assert_eq!(redirects.followed(), limit);
    }
}

#[test]
fn the_answer_of_a_failed_handshake_is_followed() {
    let request = to("ws://example.com/old/");
    let mut handshake = request.clone().start(Key::from_bytes([7; 16]), None).unwrap();
    let mut buf =
        BytesMut::from("HTTP/1.1 308 Permanent Redirect\r\nLocation: ../new\r\nContent-Length: 0\r\n\r\n");
    let Err(ClientError::UnexpectedStatus(answer)) = handshake.receive(&mut buf) else {
        panic!("not redirected")
    };
    assert_eq!(request.redirected(&answer).unwrap().request.address(), "ws://example.com/new");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_location_nothing_secret_leaves_the_server(
        location in prop_oneof![
            "[a-z0-9/:.?#@%\\\\\\[\\]-]{0,24}",
            "(ws|wss|http|https|ws\\+unix)?:?/{0,3}(example\\.com|example\\.org|user@example\\.com)?(:80|:443|:8)?[/a-z.?]{0,8}",
            "[ -~\u{80}-\u{ff}]{0,24}",
        ],
    ) {
        let request = loaded("wss://user:secret@example.com/a/b");
        let Ok(redirect) = request.redirected(&answer(301, &location)) else { return Ok(()) };
        let address = redirect.request.address();
        let stays = address.starts_with("wss://example.com/");
        prop_assert_eq!(redirect.is_same_server && !redirect.is_downgrade, stays, "{}", address);
        prop_assert_eq!(redirect.dropped.is_empty(), stays);
        let sent = wire(redirect.request.clone());
        prop_assert_eq!(sent.contains("secret"), stays, "{}", sent);
        // Where it leads is an address like any other.
        prop_assert_eq!(ClientRequest::new(&address).unwrap().uri().unwrap(), redirect.request.uri().unwrap());
    }
}
