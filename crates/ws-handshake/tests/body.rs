//! The body of an answer that opened nothing.

use bytes::BytesMut;
use http::Response;
use proptest::prelude::*;
use ws_handshake::{BodyCollector, BodyLength, DEFAULT_BODY_LIMIT, ResponseBody, body_length};

fn response(status: u16, headers: &[(&str, &str)]) -> Response<()> {
    let start = Response::builder().status(status);
    headers.iter().fold(start, |response, (name, value)| response.header(*name, *value)).body(()).unwrap()
}

fn chunked() -> Response<()> {
    response(400, &[("transfer-encoding", "chunked")])
}

/// The body, the end of the stream behind the parts, and what was left in the buffer.
fn collect<'a>(
    response: &Response<()>,
    limit: usize,
    parts: impl Iterator<Item = &'a [u8]>,
) -> (String, bool, BytesMut) {
    let (mut collector, mut buf) = (BodyCollector::new(response, limit), BytesMut::new());
    let mut body = collector.receive(&mut buf);
    for part in parts {
        buf.extend_from_slice(part);
        body = collector.receive(&mut buf);
    }
    let ResponseBody { bytes, is_truncated, .. } = body.unwrap_or_else(|| collector.end_of_stream());
    assert!(bytes.len() <= limit);
    assert_eq!(collector.receive(&mut BytesMut::new()), Some(collector.end_of_stream()), "it comes again");
    (String::from_utf8(bytes.to_vec()).unwrap(), is_truncated, buf)
}

#[test]
fn the_end_of_a_body_is_where_the_head_says() {
    use BodyLength::{Chunked, Empty, Known, UntilEnd};
    for (status, headers, length) in [
        (400, &[][..], UntilEnd),
        (400, &[("content-length", "0")], Empty),
        (400, &[("content-length", "12")], Known(12)),
        (400, &[("content-length", "12"), ("content-length", "12")], Known(12)),
        (400, &[("content-length", "12, 12")], Known(12)),
        (400, &[("content-length", "18446744073709551615")], Known(u64::MAX)),
        (400, &[("content-length", "18446744073709551616")], Empty),
        (400, &[("content-length", "12, 13")], Empty),
        (400, &[("content-length", "+12")], Empty),
        (400, &[("content-length", "0x12")], Empty),
        (400, &[("content-length", "")], Empty),
        (400, &[("transfer-encoding", "Chunked")], Chunked),
        (400, &[("transfer-encoding", "gzip,\tchunked ")], Chunked),
        (400, &[("transfer-encoding", "gzip"), ("transfer-encoding", "chunked")], Chunked),
        (400, &[("transfer-encoding", "chunked, gzip")], UntilEnd),
        (400, &[("transfer-encoding", "chunked"), ("content-length", "5")], Chunked),
        (101, &[("content-length", "12")], Empty),
        (204, &[("content-length", "12")], Empty),
        (304, &[("transfer-encoding", "chunked")], Empty),
        (407, &[("content-length", "12")], Known(12)),
    ] {
        assert_eq!(body_length(&response(status, headers)), length, "{status} {headers:?}");
    }
}

#[test]
fn bodies_are_read_within_the_limit_in_any_cutting() {
    let known = response(400, &[("content-length", "5")]);
    let until_end = response(400, &[]);
    let empty = response(204, &[]);
    // Body, limit, what comes; the text, whether truncated, what is left.
    for (response, limit, wire, text, is_truncated, left) in [
        (&known, 9, "hello", "hello", false, ""),
        (&known, 5, "hello", "hello", false, ""),
        (&known, 9, "hello and more", "hello", false, " and more"),
        (&known, 4, "hello", "hell", true, "o"),
        (&known, 0, "hello", "", true, "hello"),
        (&known, 9, "hel", "hel", true, ""),
        (&known, 9, "", "", true, ""),
        (&until_end, 9, "hello", "hello", false, ""),
        (&until_end, 5, "hello", "hello", false, ""),
        (&until_end, 4, "hello", "hell", true, "o"),
        (&until_end, 0, "", "", false, ""),
        (&empty, 9, "more", "", false, "more"),
        (&chunked(), 99, "5\r\nhello\r\n0\r\n\r\nmore", "hello", false, "more"),
        (&chunked(), 99, "2\r\nhe\r\n3;a=b\r\nllo\r\n00 \r\nX: y\r\nZ:\r\n\r\n", "hello", false, ""),
        (&chunked(), 5, "5\r\nhello\r\n0\r\n\r\n", "hello", false, ""),
        (&chunked(), 4, "5\r\nhello\r\n0\r\n\r\n", "hell", true, "o\r\n0\r\n\r\n"),
        (&chunked(), 5, "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "hello", true, "!\r\n0\r\n\r\n"),
        (&chunked(), 99, "A\r\n0123456789\r\n0\r\n\r\n", "0123456789", false, ""),
        (&chunked(), 99, "0\r\n\r\n", "", false, ""),
        (&chunked(), 99, "5\r\nhello\r\n0\r\n\r", "hello", true, ""),
        (&chunked(), 99, "5\r\nhel", "hel", true, ""),
        (&chunked(), 3, "ffffffffffffffff\r\nhello", "hel", true, "lo"),
    ] {
        for cut in 0..=wire.len() {
            let (first, second) = wire.as_bytes().split_at(cut);
            let got = collect(response, limit, [first, second].into_iter());
            assert_eq!(got, (text.to_owned(), is_truncated, left.into()), "{wire:?} cut at {cut}");
        }
        let got = collect(response, limit, wire.as_bytes().chunks(1));
        assert_eq!(got, (text.to_owned(), is_truncated, left.into()), "{wire:?} byte by byte");
    }
}

#[test]
fn a_malformed_chunk_ends_the_body() {
    let endless_extension = format!("1;{}", "a".repeat(64 * 1024));
    let endless_trailers = format!("0\r\n{}", "a: b\r\n".repeat(16 * 1024));
    for bad in [
        "\r\n",
        "x\r\n",
        "-1\r\n",
        ";a\r\n",
        " 1\r\n",
        "1\nA",
        "1\rA",
        "1;a\nA",
        "1\r\nAB",
        "1\r\nA\rB",
        "1\r\nA\n",
        "10000000000000000\r\n",
        "00000000000000001\r\nA",
        "0\r\nX: y\n\r\n",
        "0\r\n\n",
        &endless_extension,
        &endless_trailers,
    ] {
        let wire = format!("2\r\nok\r\n{bad}");
        let (mut collector, mut buf) = (BodyCollector::new(&chunked(), 99), BytesMut::from(&wire[..]));
        let body = collector.receive(&mut buf).unwrap_or_else(|| panic!("{bad:.40?} is waited for"));
        assert!(body.bytes.starts_with(b"ok") && body.bytes.len() <= 3 && body.is_truncated, "{bad:.40?}");
    }
}

#[test]
fn memory_stays_at_the_limit_whatever_is_announced() {
    let response = response(500, &[("content-length", "18446744073709551615")]);
    let mut collector = BodyCollector::new(&response, DEFAULT_BODY_LIMIT);
    let part = [b'a'; 1000];
    let body = loop {
        let mut buf = BytesMut::from(&part[..]);
        if let Some(body) = collector.receive(&mut buf) {
            break body;
        }
        assert!(buf.is_empty());
    };
    assert_eq!((body.bytes.len(), body.is_truncated), (64 * 1024, true));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn chunks_come_out_as_they_went_in(
        parts in prop::collection::vec("[a-z\r\n]{1,20}", 0..6),
        limit in 0..80usize,
        step in 1..30usize,
    ) {
        let mut wire: String = parts.iter().map(|part| format!("{:x}\r\n{part}\r\n", part.len())).collect();
        wire.push_str("0\r\n\r\n");
        let whole = parts.concat();
        let (text, is_truncated, left) = collect(&chunked(), limit, wire.as_bytes().chunks(step));
        prop_assert_eq!(&text, &whole[..limit.min(whole.len())]);
        prop_assert_eq!(is_truncated, whole.len() > limit);
        prop_assert!(is_truncated || left.is_empty());
    }

    #[test]
    fn no_body_panics_and_the_cutting_does_not_matter(
        wire in "([0-9a-f]{0,2}[;a ]?\r?\n?[ -~]{0,3}\r?\n?){0,6}",
        limit in 0..20usize,
        cut in any::<prop::sample::Index>(),
    ) {
        let bytes = wire.as_bytes();
        let (first, second) = bytes.split_at(cut.index(bytes.len() + 1));
        for response in [chunked(), response(400, &[("content-length", "7")]), response(400, &[])] {
            let whole = collect(&response, limit, [bytes].into_iter());
            prop_assert_eq!(&collect(&response, limit, [first, second].into_iter()), &whole);
            prop_assert_eq!(&collect(&response, limit, bytes.chunks(1)), &whole);
        }
    }
}
