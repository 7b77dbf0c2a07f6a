//! The head reader: what it refuses, and that it does not matter how the stream is cut.

use bytes::BytesMut;
use http::{Request, Response, StatusCode};
use ws_handshake::{HeadError, HeadLimits, HeadReader};

const REQUEST: &str =
    "GET /chat?a=b HTTP/1.1\r\nHost: example.com\r\nX-A:  b \r\nX-A: \u{fc}\r\nEmpty:\r\n\r\n";
const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nX-A: b\r\n\r\n";

fn read_request(head: &[u8]) -> Result<Option<Request<()>>, HeadError> {
    HeadReader::new(HeadLimits::default()).read_request(&mut BytesMut::from(head))
}

fn read_response(head: &[u8]) -> Result<Option<Response<()>>, HeadError> {
    HeadReader::new(HeadLimits::default()).read_response(&mut BytesMut::from(head))
}

/// Reads with one byte more in every call; the result, and how many bytes it took.
fn one_byte_reads(head: &[u8], limits: HeadLimits) -> (Result<Option<String>, HeadError>, usize) {
    let mut reader = HeadReader::new(limits);
    let mut buf = BytesMut::new();
    for (i, &byte) in head.iter().enumerate() {
        buf.extend_from_slice(&[byte]);
        match reader.read_request(&mut buf) {
            Ok(None) => assert_eq!(buf.len(), i + 1, "nothing is taken before the head is whole"),
            result => return (result.map(|head| head.map(|head| format!("{head:?}"))), i + 1),
        }
    }
    (Ok(None), head.len())
}

#[test]
fn every_cut_of_a_request_gives_the_same_request_and_keeps_what_follows() {
    let stream = format!("{REQUEST}\u{0}\r\n\r\nframes");
    let whole = format!("{:?}", read_request(stream.as_bytes()).unwrap().unwrap());
    for first in 0..=stream.len() {
        for second in first..=stream.len() {
            let mut reader = HeadReader::new(HeadLimits::default());
            let mut buf = BytesMut::new();
            let mut requests = Vec::new();
            for part in [0..first, first..second, second..stream.len()] {
                buf.extend_from_slice(&stream.as_bytes()[part]);
                if requests.is_empty() {
                    requests.extend(reader.read_request(&mut buf).unwrap());
                }
            }
            assert_eq!(format!("{:?}", requests[0]), whole);
            assert_eq!(buf, &stream.as_bytes()[REQUEST.len()..]);
        }
    }
}

#[test]
fn every_cut_of_a_response_gives_the_same_response_and_keeps_what_follows() {
    let stream = format!("{RESPONSE}\u{1}\u{2}");
    let whole = format!("{:?}", read_response(stream.as_bytes()).unwrap().unwrap());
    for cut in 0..=stream.len() {
        let mut reader = HeadReader::new(HeadLimits::default());
        let mut buf = BytesMut::from(&stream[..cut]);
        let early = reader.read_response(&mut buf).unwrap();
        assert_eq!(early.is_some(), cut >= RESPONSE.len());
        buf.extend_from_slice(&stream.as_bytes()[cut..]);
        let response = early.or_else(|| reader.read_response(&mut buf).unwrap()).unwrap();
        assert_eq!(format!("{response:?}"), whole);
        assert_eq!(buf, "\u{1}\u{2}");
    }
}

#[test]
fn heads_follow_each_other_in_one_buffer() {
    let mut reader = HeadReader::new(HeadLimits::default());
    let mut buf = BytesMut::from(format!("{REQUEST}{REQUEST}").as_str());
    for _ in 0..2 {
        let request = reader.read_request(&mut buf).unwrap().unwrap();
        assert_eq!(request.uri(), "/chat?a=b");
        assert_eq!(request.headers()["host"], "example.com");
        assert_eq!(request.headers().get_all("x-a").iter().count(), 2);
        assert_eq!(request.headers()["x-a"], "b");
        assert_eq!(request.headers()["empty"], "");
    }
    assert!(buf.is_empty());
    assert!(reader.read_request(&mut buf).unwrap().is_none());
}

#[test]
fn kept_headers_do_not_keep_the_read_buffer() {
    let mut buf = BytesMut::with_capacity(4096);
    buf.extend_from_slice(REQUEST.as_bytes());
    let request = HeadReader::new(HeadLimits::default()).read_request(&mut buf).unwrap().unwrap();
    assert!(buf.try_reclaim(4096), "the whole buffer is free again");
    assert_eq!(request.headers()["host"], "example.com");
}

#[test]
fn malformed_requests_are_refused_with_their_status_in_any_cutting() {
    use HeadError::{ControlCharacter, Header, HttpVersion, LineBreak, StartLine, Target};
    let table: &[(&[u8], HeadError)] = &[
        (b"GET / HTTP/1.1\nHost: a\n\n", LineBreak),
        (b"GET / HTTP/1.1\r\nHost: a\n\r\n", LineBreak),
        (b"GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", LineBreak),
        (b"GET / HTTP/1.1\rHost: a\r\n\r\n", LineBreak),
        (b"\nGET / HTTP/1.1\r\n\r\n", LineBreak),
        (b"GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", ControlCharacter),
        (b"GET / HTTP/1.1\r\nHost: a\x7f\r\n\r\n", ControlCharacter),
        (b"\x16\x03\x01\x02\x00", ControlCharacter), // TLS
        (b"\r\n\r\nGET / HTTP/1.1\r\n\r\n", StartLine),
        (b"\r\n\r\n", StartLine),
        (b"GET /\r\n\r\n", StartLine), // HTTP/0.9
        (b"GET\r\n\r\n", StartLine),
        (b" GET / HTTP/1.1\r\n\r\n", StartLine),
        (b"GET  / HTTP/1.1\r\n\r\n", StartLine),
        (b"GET /  HTTP/1.1\r\n\r\n", StartLine),
        (b"GET / HTTP/1.1 \r\n\r\n", StartLine),
        (b"GET\t/\tHTTP/1.1\r\n\r\n", StartLine),
        (b"G@T / HTTP/1.1\r\n\r\n", StartLine),
        (b"GET / http/1.1\r\n\r\n", StartLine),
        (b"GET / HTTP/1\r\n\r\n", StartLine),
        (b"GET / HTTP/11.1\r\n\r\n", StartLine),
        (b"HTTP/1.1 200 OK\r\n\r\n", StartLine),
        (b"GET /a b HTTP/1.1\r\n\r\n", StartLine),
        (b"GET / HTTP/2.0\r\n\r\n", HttpVersion),
        (b"GET / HTTP/1.2\r\n\r\n", HttpVersion),
        (b"GET / HTTP/0.9\r\n\r\n", HttpVersion),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", HttpVersion),
        (b"GET /a#b HTTP/1.1\r\n\r\n", Target),
        (b"GET ws:// HTTP/1.1\r\n\r\n", Target),
        (b"GET http://[::1/ HTTP/1.1\r\n\r\n", Target),
        (b"GET a/b HTTP/1.1\r\n\r\n", Target),
        (b"GET /\xff HTTP/1.1\r\n\r\n", StartLine),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", Header),
        (b"GET / HTTP/1.1\r\nHo st: a\r\n\r\n", Header),
        (b"GET / HTTP/1.1\r\n: a\r\n\r\n", Header),
        (b"GET / HTTP/1.1\r\nHost\r\n\r\n", Header),
        (b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", Header),
        (b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", Header), // folded
        (b"GET / HTTP/1.1\r\nHost: a\r\n\tb: c\r\n\r\n", Header),
    ];
    for (head, error) in table {
        let text = head.escape_ascii();
        assert_eq!(read_request(head).unwrap_err(), *error, "{text}");
        let status = match error {
            HttpVersion => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            _ => StatusCode::BAD_REQUEST,
        };
        assert_eq!(error.status(), status, "{text}");
        assert_eq!(one_byte_reads(head, HeadLimits::default()).0, Err(*error), "{text}");
    }
}

#[test]
fn one_empty_line_before_a_request_is_passed_over() {
    let stream = format!("\r\n{REQUEST}rest");
    assert!(read_request(stream.as_bytes()).unwrap().is_some());
    let (result, len) = one_byte_reads(stream.as_bytes(), HeadLimits::default());
    assert!(result.unwrap().is_some());
    assert_eq!(len, REQUEST.len() + 2);
}

#[test]
fn malformed_responses_are_refused() {
    for head in [
        &b"HTTP/1.1\r\n\r\n"[..],
        b"HTTP/1.1 1O1 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 42\r\n\r\n",
        b"HTTP/1.1 099 No\r\n\r\n",
        b"HTTP/2.0 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\n\n",
        b"HTTP/1.1 101 Switching Protocols\r\nA : b\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nA: b\r\n c\r\n\r\n",
        b"\r\nHTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x50",
    ] {
        assert!(read_response(head).is_err(), "{}", head.escape_ascii());
    }
    assert_eq!(read_response(b"HTTP/1.1 200\r\n\r\n").unwrap().unwrap().status(), 200);
}

#[test]
fn limits_hold_before_the_head_is_whole_and_in_any_cutting() {
    let limits = HeadLimits::default();
    let headers = |count| format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(count));
    let value = |len| format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "b".repeat(len));
    let target = |len| format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(len));
    let overhead = value(0).len();
    for (head, error, status) in [
        (headers(limits.max_headers), None, 200),
        (headers(limits.max_headers + 1), Some(HeadError::TooManyHeaders { limit: 100 }), 431),
        (headers(100_000), Some(HeadError::TooManyHeaders { limit: 100 }), 431),
        (value(limits.max_head - overhead), None, 200),
        (value(limits.max_head - overhead + 1), Some(HeadError::TooLarge { limit: limits.max_head }), 431),
        (value(1024 * 1024), Some(HeadError::TooLarge { limit: limits.max_head }), 431),
        (target(limits.max_request_line - 14), None, 200),
        (target(limits.max_request_line - 13), Some(HeadError::RequestLineTooLong { limit: 8192 }), 414),
        (target(1024 * 1024), Some(HeadError::RequestLineTooLong { limit: 8192 }), 414),
    ] {
        assert_eq!(read_request(head.as_bytes()).err(), error);
        let (result, len) = one_byte_reads(head.as_bytes(), limits);
        assert_eq!(result.err(), error);
        assert!(len <= limits.max_head, "refused no later than at the limit");
        assert_eq!(error.map_or(200, |error| error.status().as_u16()), status);
    }
}

#[test]
fn an_error_comes_again_and_takes_nothing() {
    let mut reader = HeadReader::new(HeadLimits::default());
    for head in [&b"GET / HTTP/1.1\r\nA : b\r\n\r\n"[..], b"GET / HTTP/1.1\n"] {
        let mut buf = BytesMut::from(head);
        let error = reader.read_request(&mut buf).unwrap_err();
        assert_eq!(reader.read_request(&mut buf).unwrap_err(), error);
        assert_eq!(buf, head);
        reader = HeadReader::new(HeadLimits::default());
    }
}
