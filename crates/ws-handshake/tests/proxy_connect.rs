//! Tunnels through HTTP proxies, and the addresses of proxies.

use bytes::{Buf, BytesMut};
use proptest::prelude::*;
use ws_handshake::{
    ConnectError, ConnectExchange, ConnectRequest, HeadError, HeadLimits, InvalidHeader,
    MAX_INTERIM_RESPONSES, ProxyAddress, ProxyAddressError, ProxyCredentials, ProxyError, ProxyExchange,
    ProxyKind, ProxyRequestError, ProxyStep,
};

fn asking() -> ConnectExchange {
    let mut exchange = ConnectRequest::new("example.com", 443).unwrap().start();
    exchange.output().clear();
    exchange
}

fn sent(request: ConnectRequest) -> String {
    String::from_utf8(request.start().output().to_vec()).unwrap()
}

/// Feeds the parts; what came out, and what is left for the tunnel.
fn run<'a>(parts: impl Iterator<Item = &'a [u8]>) -> (Result<ProxyStep, ConnectError>, BytesMut) {
    let (mut exchange, mut buf) = (asking(), BytesMut::new());
    let mut result = Ok(ProxyStep::NeedBytes);
    for part in parts {
        buf.extend_from_slice(part);
        if matches!(result, Ok(ProxyStep::NeedBytes)) {
            result = exchange.receive(&mut buf);
        }
    }
    (result, buf)
}

#[test]
fn a_connect_names_its_target_twice_and_always_with_the_port() {
    for (host, port, authority) in [
        ("example.com", 443, "example.com:443"),
        ("example.com", 80, "example.com:80"),
        ("192.0.2.1", 9000, "192.0.2.1:9000"),
        ("2001:db8::1", 443, "[2001:db8::1]:443"),
        ("[2001:db8::1]", 443, "[2001:db8::1]:443"),
    ] {
        assert_eq!(
            sent(ConnectRequest::new(host, port).unwrap()),
            format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n")
        );
    }
    for host in ["", "a b", "a:b", "a:", "a/b", "user@a", "[::1", "[a]", "[]", "a\r\nb", "h\u{e9}", "[::1]x"]
    {
        assert!(matches!(ConnectRequest::new(host, 1), Err(ProxyRequestError::Host)), "{host:?}");
    }
}

#[test]
fn the_proxy_s_headers_and_credentials_are_the_caller_s() {
    let request = || ConnectRequest::new("example.com", 443).unwrap();
    let credentials = ProxyCredentials::new("Aladdin", "open sesame");
    let basic = "\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n";
    let plain = request().credentials(&credentials).unwrap().header("x-a", "b").unwrap();
    let text = sent(plain);
    assert!(text.contains(basic) && text.contains("\r\nX-A: b\r\n"), "{text}");
    for request in [
        request().header("proxy-authorization", "Bearer x").unwrap().credentials(&credentials).unwrap(),
        request().credentials(&credentials).unwrap().header("proxy-authorization", "Bearer x").unwrap(),
    ] {
        let text = sent(request);
        assert!(text.contains("\r\nProxy-Authorization: Bearer x\r\n") && !text.contains("Basic"), "{text}");
    }
    for name in ["host", "content-length", "transfer-encoding"] {
        let error = request().header(name, "1").unwrap_err();
        assert!(matches!(error, ProxyRequestError::Header(InvalidHeader::Reserved(_))), "{name}");
    }
    assert!(matches!(
        request().header("x", "a\r\nb: c"),
        Err(ProxyRequestError::Header(InvalidHeader::Malformed(_)))
    ));
    for (user, password) in [("a:b", "c"), ("a", "b\r\n"), ("a\0", "b")] {
        let error = request().credentials(&ProxyCredentials::new(user, password)).unwrap_err();
        assert!(matches!(error, ProxyRequestError::Credentials), "{user:?} {password:?}");
    }
}

#[test]
fn secrets_stay_out_of_debug_output() {
    let proxy = ProxyAddress::parse("http://user:secret@proxy.example").unwrap();
    let request = ConnectRequest::new("a", 1).unwrap().credentials(proxy.credentials().unwrap()).unwrap();
    let request = request.header("cookie", "hidden").unwrap();
    let socks = ProxyAddress::parse("socks5://user:secret@proxy.example").unwrap();
    let texts = [
        format!("{proxy:?} {proxy} {request:?}"),
        format!("{:?}", request.start()),
        format!("{:?} {:?}", ProxyExchange::new(&proxy, "a", 1), ProxyExchange::new(&socks, "a", 1)),
    ];
    for text in texts {
        for secret in ["secret", "hidden", "dXNlcjpzZWNyZXQ"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[test]
fn any_2xx_opens_the_tunnel_and_takes_nothing_of_it_in_any_cutting() {
    for head in [
        "HTTP/1.1 200 Connection established\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nVia: 1.1 proxy\r\n\r\n",
        // RFC 9110 section 9.3.6: a length in the answer is to be ignored.
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ] {
        let text = format!("{head}\x16\x03tunnel\r\n\r\n");
        for cut in 0..text.len() {
            let (first, second) = text.as_bytes().split_at(cut);
            let (result, rest) = run([first, second].into_iter());
            assert_eq!(result.unwrap(), ProxyStep::Open, "{head:?} cut at {cut}");
            assert_eq!(rest, "\x16\x03tunnel\r\n\r\n", "{head:?} cut at {cut}");
        }
    }
}

#[test]
fn the_answer_is_at_hand_and_the_exchange_over() {
    let mut exchange = asking();
    let mut buf = BytesMut::from("HTTP/1.1 200 OK\r\nVia: 1.1 proxy\r\n\r\n");
    assert!(exchange.response().is_none());
    assert_eq!(exchange.receive(&mut buf).unwrap(), ProxyStep::Open);
    assert_eq!(exchange.response().unwrap().headers()["via"], "1.1 proxy");
    assert!(matches!(exchange.receive(&mut buf), Err(ConnectError::Finished)));
    assert!(matches!(exchange.end_of_stream(), ConnectError::Finished));
}

#[test]
fn each_bad_answer_of_an_http_proxy_has_its_error() {
    type Expected = fn(&ConnectError) -> bool;
    let table: &[(String, Expected)] = &[
        (
            "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\nContent-Length: 2\r\n\r\n".into(),
            |e| matches!(e, ConnectError::AuthenticationRequired(answer) if answer.headers()["proxy-authenticate"] == "Basic"),
        ),
        (
            "HTTP/1.1 403 Forbidden\r\n\r\n".into(),
            |e| matches!(e, ConnectError::Refused(a) if a.status() == 403),
        ),
        ("HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n".into(), |e| matches!(e, ConnectError::Refused(_))),
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n".into(), |e| {
            matches!(e, ConnectError::Refused(_))
        }),
        ("HTTP/1.1 999 What\r\n\r\n".into(), |e| matches!(e, ConnectError::Refused(_))),
        ("HTTP/1.1 100 Continue\r\n\r\n".repeat(MAX_INTERIM_RESPONSES + 1), |e| {
            matches!(e, ConnectError::TooManyInterimResponses)
        }),
        ("HTTP/2.0 200 OK\r\n\r\n".into(), |e| matches!(e, ConnectError::Head(HeadError::HttpVersion))),
        ("SSH-2.0-OpenSSH\r\n\r\n".into(), |e| matches!(e, ConnectError::Head(HeadError::StartLine))),
        ("HTTP/1.1 200 OK\n\n".into(), |e| matches!(e, ConnectError::Head(HeadError::LineBreak))),
        ("\x16\x03\x01\x02".into(), |e| matches!(e, ConnectError::Head(HeadError::ControlCharacter))),
        (format!("HTTP/1.1 200 OK\r\n{}", "A: b\r\n".repeat(101)), |e| {
            matches!(e, ConnectError::Head(HeadError::TooManyHeaders { .. }))
        }),
        (format!("HTTP/1.1 200 {}", "a".repeat(16 * 1024)), |e| {
            matches!(e, ConnectError::Head(HeadError::TooLarge { .. }))
        }),
    ];
    for (text, is_expected) in table {
        for step in [1, text.len()] {
            let (result, _) = run(text.as_bytes().chunks(step));
            let error = result.unwrap_err();
            assert!(is_expected(&error), "{text:.60?}: {error:?}");
        }
    }
    let (result, body) = run([&b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\nno"[..]].into_iter());
    assert!(matches!(result, Err(ConnectError::Refused(_))));
    assert_eq!(body, "no", "the body is still to be read");
}

#[test]
fn limits_and_the_end_of_the_stream() {
    let limits = HeadLimits { max_head: 20, ..HeadLimits::default() };
    let mut exchange = ConnectRequest::new("a", 1).unwrap().limits(limits).start();
    let mut buf = BytesMut::from("HTTP/1.1 200 Connection established\r\n\r\n");
    // Who answers before it was asked waits.
    assert_eq!(exchange.receive(&mut buf).unwrap(), ProxyStep::Send);
    exchange.output().advance(10);
    assert_eq!(exchange.receive(&mut buf).unwrap(), ProxyStep::Send);
    exchange.output().clear();
    assert!(matches!(exchange.receive(&mut buf), Err(ConnectError::Head(HeadError::TooLarge { limit: 20 }))));
    let mut cut = asking();
    assert_eq!(cut.receive(&mut BytesMut::from("HTTP/1.1 200 OK\r\n")).unwrap(), ProxyStep::NeedBytes);
    assert!(matches!(cut.end_of_stream(), ConnectError::EndOfStream));
    assert!(matches!(cut.receive(&mut BytesMut::new()), Err(ConnectError::Finished)));
}

#[test]
fn a_proxy_s_address_is_taken_apart() {
    use ProxyKind::{Http, Https, Socks5};
    for (address, kind, host, port, shown) in [
        ("http://proxy.example", Http, "proxy.example", 80, "http://proxy.example:80"),
        ("https://proxy.example/", Https, "proxy.example", 443, "https://proxy.example:443"),
        ("SOCKS5://Proxy.Example", Socks5, "proxy.example", 1080, "socks5://proxy.example:1080"),
        ("socks5h://[::1]:9050", Socks5, "::1", 9050, "socks5://[::1]:9050"),
        ("proxy.example:3128", Http, "proxy.example", 3128, "http://proxy.example:3128"),
        ("http://us%40er:p%3Ass@10.0.0.1:8080", Http, "10.0.0.1", 8080, "http://10.0.0.1:8080"),
    ] {
        let proxy: ProxyAddress = address.parse().unwrap();
        assert_eq!((proxy.kind(), proxy.host(), proxy.port()), (kind, host, port), "{address}");
        assert_eq!((proxy.is_tls(), proxy.to_string().as_str()), (kind == Https, shown));
        assert_eq!(proxy.credentials().is_some(), address.contains('@'));
    }
    let credentials = |address| ProxyAddress::parse(address).unwrap().credentials().cloned().unwrap();
    assert_eq!(credentials("http://us%40er:p%3Ass@a"), ProxyCredentials::new("us@er", "p:ss"));
    assert_eq!(credentials("http://user@a"), ProxyCredentials::new("user", ""));
    assert_eq!(credentials("user:a:b@c:1"), ProxyCredentials::new("user", "a:b"));
    let other = ProxyAddress::parse("http://a").unwrap().with_credentials(ProxyCredentials::new("b", "c"));
    assert_eq!(other.credentials(), Some(&ProxyCredentials::new("b", "c")));
}

#[test]
fn an_address_that_is_no_proxy_s_is_refused() {
    use ProxyAddressError::{Host, Path, Scheme};
    for (address, error) in [
        ("", Host),
        ("http://", Host),
        ("http://user:pw@", Host),
        ("http://:80", Host),
        ("http://a:99999", Host),
        ("http://a b", Host),
        ("http://a\r\nb", Host),
        ("http://[::1", Host),
        ("a:b:c", Host),
        ("ftp://a", Scheme),
        ("socks4://a", Scheme),
        ("ws://a", Scheme),
        ("http://a/path", Path),
        ("http://a?b", Path),
        ("http://a#b", Path),
        ("http://user:p/w@a", Path),
    ] {
        assert_eq!(ProxyAddress::parse(address), Err(error), "{address:?}");
    }
}

#[test]
fn an_exchange_begins_as_the_address_says() {
    for (address, start) in [
        (
            "http://user:pw@p",
            &b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\nProxy-Authorization: Basic "[..],
        ),
        ("https://p", b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n"),
        ("socks5://p", b"\x05\x01\x00"),
        ("socks5h://user:pw@p", b"\x05\x02\x00\x02"),
    ] {
        let mut exchange = ProxyExchange::new(&address.parse().unwrap(), "example.com", 443).unwrap();
        assert!(exchange.output().starts_with(start), "{address}");
        let ended = exchange.end_of_stream();
        assert_eq!(matches!(ended, ProxyError::Socks5(_)), address.starts_with("socks"), "{ended:?}");
    }
    let colon = ProxyAddress::parse("http://a%3Ab:c@p").unwrap();
    assert!(matches!(ProxyExchange::new(&colon, "a", 1), Err(ProxyRequestError::Credentials)));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_answer_of_a_proxy_panics_and_the_cutting_does_not_matter(
        text in "(HTTP/1\\.[01] (100|200|407|5..) [a-zA-Z]{0,5}\r\n)?([A-Za-z-]{0,6}: [ -~]{0,6}\r\n){0,3}(\r\n)?[\r\n -~]{0,9}",
        cut in any::<prop::sample::Index>(),
    ) {
        let bytes = text.as_bytes();
        let (first, second) = bytes.split_at(cut.index(bytes.len() + 1));
        let whole = run([bytes].into_iter());
        for other in [run([first, second].into_iter()), run(bytes.chunks(1))] {
            prop_assert_eq!(format!("{:?}", other.0), format!("{:?}", whole.0));
            prop_assert!(whole.0.is_err() || other.1 == whole.1);
        }
    }

    #[test]
    fn whatever_is_set_for_a_proxy_no_line_break_reaches_it(
        host in "\\PC{0,12}|[a-z\r\n\0:@/]{0,8}", user in any::<String>(), password in any::<String>(),
        name in "[a-z\r\n -]{0,6}", value in "[ -~\r\n\0]{0,9}",
    ) {
        let Ok(request) = ConnectRequest::new(&host, 443).or_else(|_| ConnectRequest::new("a", 443)) else {
            panic!("a is a host")
        };
        let request = request.clone().credentials(&ProxyCredentials::new(user, password)).unwrap_or(request);
        let request = request.clone().header(name.as_str(), value.as_str()).unwrap_or(request);
        let request = request.clone().header("proxy-authorization", value.as_str()).unwrap_or(request);
        let wire = sent(request);
        let head = wire.strip_suffix("\r\n\r\n").unwrap();
        prop_assert!(head.split("\r\n").all(|line| !line.is_empty() && !line.contains(['\r', '\n', '\0'])), "{:?}", wire);
        prop_assert!(head.split("\r\n").count() <= 4, "{:?}", wire);
    }
}
