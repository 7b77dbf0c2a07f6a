//! Tunnels through SOCKS5 proxies.

use bytes::{Buf, BytesMut};
use proptest::prelude::*;
use ws_handshake::{
    ProxyCredentials, ProxyRequestError, ProxyStep, Socks5Error, Socks5Exchange, Socks5Refusal,
};

/// The request for `a:80`.
const REQUEST: &[u8] = b"\x05\x01\x00\x03\x01a\x00\x50";
/// User `u`, password `pw`.
const LOGIN: &[u8] = b"\x01\x01u\x02pw";
const NO_LOGIN: &[u8] = b"\x05\x00";
const OPEN: &[u8] = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x1f\x90";

fn asking(with_login: bool) -> Socks5Exchange {
    let credentials = ProxyCredentials::new("u", "pw");
    Socks5Exchange::new("a", 80, with_login.then_some(&credentials)).unwrap()
}

/// Plays the proxy's bytes, each part when nothing else is left to do: the outcome, all that was sent, what is left.
fn run<'a>(
    mut exchange: Socks5Exchange,
    mut parts: impl Iterator<Item = &'a [u8]>,
) -> (Result<(), Socks5Error>, Vec<u8>, BytesMut) {
    let (mut sent, mut buf) = (Vec::new(), BytesMut::new());
    let result = loop {
        match exchange.receive(&mut buf) {
            Ok(ProxyStep::Send) => {
                sent.push(exchange.output()[0]);
                exchange.output().advance(1);
            }
            Ok(ProxyStep::NeedBytes) => match parts.next() {
                Some(part) => buf.extend_from_slice(part),
                None => break Err(exchange.end_of_stream()),
            },
            Ok(ProxyStep::Open) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    assert_eq!(exchange.receive(&mut buf), Err(Socks5Error::Finished));
    assert_eq!(exchange.end_of_stream(), Socks5Error::Finished);
    for part in parts {
        buf.extend_from_slice(part);
    }
    (result, sent, buf)
}

#[test]
fn a_tunnel_opens_in_any_cutting_and_what_comes_through_it_stays() {
    let with_name = [&b"\x05\x00\x00\x03\xff"[..], &[b'n'; 255], b"\x00\x50"].concat();
    let with_ipv6 = [&b"\x05\x00\x00\x04"[..], &[0; 16], b"\x00\x50"].concat();
    for reply in [OPEN, b"\x05\x00\x00\x03\x00\x00\x00", &with_name, &with_ipv6] {
        for (login, before, sent) in [
            (false, NO_LOGIN, [b"\x05\x01\x00", REQUEST].concat()),
            (true, NO_LOGIN, [b"\x05\x02\x00\x02", REQUEST].concat()),
            (true, b"\x05\x02\x01\x00", [b"\x05\x02\x00\x02", LOGIN, REQUEST].concat()),
        ] {
            let bytes = [before, reply, b"\x05tunnel"].concat();
            for cut in 0..bytes.len() {
                let (first, second) = bytes.split_at(cut);
                let got = run(asking(login), [first, second].into_iter());
                assert_eq!(got, (Ok(()), sent.clone(), BytesMut::from("\x05tunnel")), "cut at {cut}");
            }
        }
    }
}

#[test]
fn names_are_resolved_by_the_proxy_and_addresses_go_as_addresses() {
    let longest = "n".repeat(255);
    for (host, port, request) in [
        ("example.com", 443, b"\x05\x01\x00\x03\x0bexample.com\x01\xbb".to_vec()),
        ("192.0.2.1", 80, b"\x05\x01\x00\x01\xc0\x00\x02\x01\x00\x50".to_vec()),
        ("2001:db8::1", 1, b"\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\0\x01".to_vec()),
        ("[::1]", 65535, b"\x05\x01\x00\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\xff\xff".to_vec()),
        (&longest, 80, [b"\x05\x01\x00\x03\xff", longest.as_bytes(), b"\x00\x50"].concat()),
    ] {
        let exchange = Socks5Exchange::new(host, port, None).unwrap();
        let (result, sent, _) = run(exchange, [NO_LOGIN, OPEN].into_iter());
        assert_eq!((result, &sent[3..]), (Ok(()), &request[..]), "{host}");
    }
}

#[test]
fn what_socks5_cannot_carry_is_refused_before_anything_is_sent() {
    let long = "n".repeat(256);
    let error = |host: &str, user: &str, password: &str| {
        Socks5Exchange::new(host, 1, Some(&ProxyCredentials::new(user, password))).err()
    };
    assert!(matches!(error(&long, "u", "p"), Some(ProxyRequestError::HostTooLong)));
    for host in ["", "a b", "a:1", "[::1", "a\0b"] {
        assert!(matches!(error(host, "u", "p"), Some(ProxyRequestError::Host)), "{host:?}");
    }
    for (user, password) in [("", "p"), (&*long, "p"), ("u", &*long)] {
        assert!(matches!(error("a", user, password), Some(ProxyRequestError::Credentials)));
    }
    assert!(error("a", "u", "").is_none() && error("a", &long[1..], &long[1..]).is_none());
}

#[test]
fn each_bad_answer_of_a_socks5_proxy_has_its_error() {
    use Socks5Error::*;
    let version = |found, expected| Version { expected, found };
    for (login, bytes, error) in [
        (false, &b"\x05\xff"[..], NoAcceptableMethod),
        (true, b"\x05\xff", NoAcceptableMethod),
        (false, b"\x05\x02", UnofferedMethod(2)),
        (true, b"\x05\x01", UnofferedMethod(1)),
        (false, b"\x05\x80", UnofferedMethod(0x80)),
        (false, b"\x04\x5a", version(4, 5)),
        (false, b"HTTP/1.1 400 Bad Request\r\n\r\n", version(72, 5)),
        (true, b"\x05\x02\x05\x00", version(5, 1)),
        (true, b"\x05\x02\x01\x01", AuthenticationFailed(1)),
        (true, b"\x05\x02\x01\xff", AuthenticationFailed(255)),
        (false, b"\x05\x00\x01\x00\x00\x01\x7f\x00\x00\x01\x00\x00", version(1, 5)),
        (false, b"\x05\x00\x05\x00\x00\x00", AddressType(0)),
        (false, b"\x05\x00\x05\x00\x00\x02\x00\x00", AddressType(2)),
        (false, b"", EndOfStream),
        (false, b"\x05", EndOfStream),
        (false, b"\x05\x00\x05\x00", EndOfStream),
        (false, b"\x05\x00\x05\x00\x00\x03", EndOfStream),
        (false, b"\x05\x00\x05\x00\x00\x03\x05abcde\x00", EndOfStream),
        (false, b"\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x00", EndOfStream),
    ] {
        for step in [1, 2, 3, 64] {
            assert_eq!(run(asking(login), bytes.chunks(step)).0, Err(error), "{bytes:?}");
        }
    }
}

#[test]
fn each_reply_code_is_told_by_its_name() {
    use Socks5Refusal::*;
    let named = [
        GeneralFailure,
        NotAllowed,
        NetworkUnreachable,
        HostUnreachable,
        ConnectionRefused,
        TtlExpired,
        CommandNotSupported,
        AddressTypeNotSupported,
    ];
    for code in 1..=255 {
        let refusal = named.get(usize::from(code) - 1).copied().unwrap_or(Other(code));
        // A refusal is told without waiting for an address that may never come.
        let answer = [5, 0, 5, code];
        assert_eq!(run(asking(false), [&answer[..]].into_iter()).0, Err(Socks5Error::Refused(refusal)));
    }
}

#[test]
fn a_password_is_sent_only_to_a_proxy_that_wants_one() {
    let (_, sent, _) = run(asking(true), [NO_LOGIN, OPEN].into_iter());
    assert!(!sent.windows(2).any(|part| part == b"pw"));
}

#[test]
fn who_answers_before_it_was_asked_waits() {
    let mut exchange = asking(false);
    let mut buf = BytesMut::from(&[NO_LOGIN, OPEN].concat()[..]);
    assert_eq!(exchange.receive(&mut buf), Ok(ProxyStep::Send));
    assert_eq!(buf.len(), NO_LOGIN.len() + OPEN.len(), "nothing is taken");
    exchange.output().clear();
    assert_eq!(exchange.receive(&mut buf), Ok(ProxyStep::Send));
    assert_eq!(exchange.receive(&mut buf), Ok(ProxyStep::Send));
    assert_eq!(buf, OPEN);
    exchange.output().clear();
    assert_eq!(exchange.receive(&mut buf), Ok(ProxyStep::Open));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_answer_panics_and_the_cutting_does_not_matter(
        start in prop::sample::select(vec![&b""[..], b"\x05\x00", b"\x05\x02\x01\x00", b"\x05\x00\x05\x00\x00", b"\x05\x02\x01\x00\x05\x00\x00"]),
        rest in prop::collection::vec(prop_oneof![0..6u8, any::<u8>()], 0..40),
        login in any::<bool>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let bytes = [start, &rest].concat();
        let (first, second) = bytes.split_at(cut.index(bytes.len() + 1));
        let whole = run(asking(login), [&bytes[..]].into_iter());
        prop_assert_eq!(&run(asking(login), [first, second].into_iter()), &whole);
        prop_assert_eq!(&run(asking(login), bytes.chunks(1)), &whole);
    }
}
