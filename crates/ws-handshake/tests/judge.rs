//! A head that is read and judged in one go: the same answers as from reading a request and checking it.

use bytes::BytesMut;
use proptest::prelude::*;
use ws_handshake::{HeadError, HeadLimits, HeadReader, OriginPolicy, ServerPolicy, check};

const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: example.com:8080\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nOrigin: http://example.com:8080\r\n\
    Sec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

/// What is made of a stream: the head, what the rules say, and what is left. Whether there was a head at all.
type Outcome = Result<Option<(String, bool, String, BytesMut)>, HeadError>;

fn in_two_steps(stream: &[u8], policy: &ServerPolicy) -> Outcome {
    let mut buf = BytesMut::from(stream);
    let Some(request) = HeadReader::new(policy.limits).read_request(&mut buf)? else { return Ok(None) };
    let verdict = check(&request, policy).map_err(|refusal| refusal.cause().unwrap());
    let has_upgrade = request.headers().contains_key("upgrade");
    Ok(Some((format!("{request:?}"), has_upgrade, format!("{verdict:?}"), buf)))
}

fn in_one_go(stream: &[u8], cut: usize, policy: &ServerPolicy) -> Outcome {
    let mut reader = HeadReader::new(policy.limits);
    let (first, second) = stream.split_at(cut.min(stream.len()));
    let mut buf = BytesMut::from(first);
    let judged = match reader.judge_request(&mut buf, policy)? {
        None => {
            assert_eq!(buf, first, "nothing is taken before the head is whole");
            buf.extend_from_slice(second);
            reader.judge_request(&mut buf, policy)?
        }
        some => {
            buf.extend_from_slice(second);
            some
        }
    };
    let Some(judged) = judged else { return Ok(None) };
    let seen = format!("{:?}", judged.head.request());
    let mut changed = judged.head.clone();
    changed.request_mut().extensions_mut().insert(42_u8);
    assert_eq!(changed.request().extensions().get(), Some(&42_u8));
    assert_eq!(format!("{:?}", judged.head.into_request()), seen);
    Ok(Some((seen, judged.has_upgrade, format!("{:?}", judged.verdict), buf)))
}

fn assert_same(stream: &[u8], policy: &ServerPolicy) {
    let wanted = in_two_steps(stream, policy);
    for cut in [0, 1, stream.len() / 2, stream.len()] {
        assert_eq!(
            in_one_go(stream, cut, policy),
            wanted,
            "{:?} cut at {cut}",
            stream.escape_ascii().to_string()
        );
    }
}

fn policies() -> Vec<ServerPolicy> {
    let default = ServerPolicy::default;
    vec![
        default(),
        ServerPolicy { path: Some("/chat".to_owned()), origins: OriginPolicy::SameHost, ..default() },
        ServerPolicy { versions: vec![], ..default() },
        ServerPolicy { limits: HeadLimits { max_headers: 3, ..HeadLimits::default() }, ..default() },
    ]
}

#[test]
fn a_request_is_judged_as_in_two_steps_whatever_stands_in_it() {
    for (from, to) in [
        ("", ""),
        ("GET", "POST"),
        ("GET", "get"),
        ("GET", "\r\nGET"),
        ("/chat", "/chat?x=1"),
        ("/chat", "http://example.com:8080/chat?x"),
        ("/chat", "ftp://a/chat"),
        ("/chat", "*"),
        ("/chat", "/a#b"),
        ("/chat", "/\"{|}^"),
        ("/chat", "//a/b"),
        ("/chat", "chat"),
        ("HTTP/1.1", "HTTP/1.0"),
        ("HTTP/1.1", "HTTP/2.0"),
        ("Host: ", "HOST:\t "),
        ("Host: example.com:8080", "Host: a b"),
        ("Host: example.com:8080", "X: y"),
        ("Upgrade: websocket\r\n", ""),
        ("Upgrade: websocket", "upgrade: h2c\r\nUPGRADE: h3 , WebSocket"),
        ("Upgrade: websocket", "Upgrade: web socket"),
        ("Connection: Upgrade", "Connection: keep-alive,upgrade"),
        ("Connection: Upgrade", "Connection: close"),
        ("Sec-WebSocket-Key", "Sec-WebSocket-Keys"),
        (
            "dGhlIHNhbXBsZSBub25jZQ==",
            "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ),
        ("dGhlIHNhbXBsZSBub25jZQ==", "\u{e9}"),
        ("Version: 13", "Version: 8\r\nSec-WebSocket-Origin: http://old.example"),
        ("Version: 13", "Version: 13, 8"),
        ("Origin: http://example.com:8080", "Origin: http://other.example"),
        ("Origin: http://example.com:8080", "Origin: \u{fc}"),
        ("chat, superchat", "chat\r\nsec-websocket-protocol: chat"),
        ("chat, superchat", "b\r\nX-A: 1\r\nSec-WebSocket-Protocol: c"),
        ("permessage-deflate", "a; b=\"c\", d\r\nSec-WebSocket-Extensions: e"),
        ("permessage-deflate", "\u{e9}"),
        ("\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n"),
        ("\r\n\r\n", "\r\nContent-Length: 1\r\n\r\nx"),
        ("\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("\r\n\r\n", "\r\n folded\r\n\r\n"),
        ("\r\n\r\n", "\r\nA : b\r\n\r\n"),
        ("\r\n\r\n", "\n\n"),
        ("\r\n\r\n", "\r\n\r\n\u{81}\u{80}frames"),
        ("\r\n\r\n", ""),
    ] {
        let stream = REQUEST.replacen(from, to, 1);
        for policy in policies() {
            assert_same(stream.as_bytes(), &policy);
        }
    }
}

#[test]
fn each_line_break_is_judged_as_in_two_steps() {
    let policy = ServerPolicy::default();
    for stream in [REQUEST.to_owned(), format!("\r\n{REQUEST}"), "GET / HTTP/1.1\r\n\r\n".to_owned()] {
        for (at, _) in stream.match_indices("\r\n") {
            for broken in ["\n", "\r", "\r\r\n", "\n\n", "\r\n\n", " \r\n", "\r\n\r\n", "\r\n ", "\r\n\t", ""]
            {
                let mut stream = stream.clone();
                stream.replace_range(at..at + 2, broken);
                assert_same(stream.as_bytes(), &policy);
            }
        }
    }
}

#[test]
fn each_limit_is_met_as_in_two_steps() {
    let exact = HeadLimits { max_head: REQUEST.len(), max_headers: 8, max_request_line: 18 };
    for (limits, fits) in [
        (exact, true),
        (HeadLimits { max_head: exact.max_head - 1, ..exact }, false),
        (HeadLimits { max_headers: exact.max_headers - 1, ..exact }, false),
        (HeadLimits { max_request_line: exact.max_request_line - 1, ..exact }, false),
    ] {
        let policy = ServerPolicy { limits, ..ServerPolicy::default() };
        assert_eq!(in_one_go(REQUEST.as_bytes(), REQUEST.len(), &policy).is_ok(), fits, "{limits:?}");
        assert_same(REQUEST.as_bytes(), &policy);
        assert_same(format!("{REQUEST}behind").as_bytes(), &policy);
    }
}

#[test]
fn a_head_beyond_what_is_usual_is_judged_the_same() {
    let limits = HeadLimits { max_head: 1 << 20, max_headers: 40_000, max_request_line: 1 << 20 };
    let policy = ServerPolicy { limits, ..ServerPolicy::default() };
    for more in [33, 100, 9_000, 30_000] {
        let lines: String = (0..more).map(|n| format!("X-{n}: {n}\r\n")).collect();
        assert_same(REQUEST.replacen("Host", &format!("{lines}Host"), 1).as_bytes(), &policy);
    }
    for long in [40_000, 70_000] {
        let path = format!("/{}", "a".repeat(long));
        assert_same(REQUEST.replacen("/chat", &path, 1).as_bytes(), &policy);
        let line = format!("{}: x\r\nHost", "a".repeat(long));
        assert_same(REQUEST.replacen("Host", &line, 1).as_bytes(), &policy);
    }
}

#[test]
fn a_request_that_is_kept_does_not_keep_the_read_buffer() {
    let mut buf = BytesMut::with_capacity(4096);
    buf.extend_from_slice(format!("{REQUEST}behind").as_bytes());
    let policy = ServerPolicy::default();
    let judged = HeadReader::new(policy.limits).judge_request(&mut buf, &policy).unwrap().unwrap();
    let request = judged.head.into_request();
    assert!(buf.try_reclaim(4096 - buf.len()), "the whole buffer is free again");
    assert_eq!((request.headers()["host"].as_bytes(), &buf[..]), (&b"example.com:8080"[..], &b"behind"[..]));
}

proptest! {
    #[test]
    fn a_request_with_bytes_changed_is_judged_as_in_two_steps(
        changes in prop::collection::vec((0..REQUEST.len(), any::<u8>()), 1..4),
        policy in 0..4_usize,
    ) {
        let mut stream = REQUEST.as_bytes().to_vec();
        for (at, byte) in changes {
            stream[at] = byte;
        }
        assert_same(&stream, &policies()[policy]);
    }
}
