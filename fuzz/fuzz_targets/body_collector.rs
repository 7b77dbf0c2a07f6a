//! Any bytes behind any head that opened nothing: in every cutting the same body comes out of them, the one that a naive
//! reading finds, the same bytes are left for whoever comes behind it, and no more is held than the limit.
#![no_main]

use bytes::BytesMut;
use http::header::{CONTENT_LENGTH, HeaderValue, TRANSFER_ENCODING};
use http::{Response, StatusCode};
use libfuzzer_sys::fuzz_target;
use ws_fuzz::{Cuts, Input, Meter};
use ws_handshake::{BodyCollector, BodyLength, ResponseBody, body_length};

const STATUSES: [u16; 8] = [101, 199, 200, 204, 304, 403, 407, 503];

const LIMITS: [usize; 4] = [0, 1, 40, 64 * 1024];

/// Values as servers send them, well formed and not.
const LENGTHS: [&str; 8] = ["0", "5", "40", "41", "5, 5", "5, 6", "+5", "18446744073709551615"];

const CODINGS: [&str; 5] = ["chunked", "gzip, Chunked", "chunked, gzip", "gzip", ""];

/// What is held beside the body: what a reallocation holds twice, and small change.
const BESIDE: usize = 4 * 1024;

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let response = head(&mut input);
    let limit = input.one_of(&LIMITS);
    let cuts = Cuts::read(&mut input);
    let stream = input.rest();

    let framing = body_length(&response);
    assert_eq!(framing, naive_length(&response));
    let whole = collect(&response, limit, [stream]);
    assert_eq!(whole, naive_body(framing, limit, stream));
    let pieces = cuts.pieces(stream);
    assert_eq!(collect(&response, limit, pieces.iter().copied()), whole, "cut into {pieces:?}");
    assert_eq!(collect(&response, limit, stream.chunks(1)), whole, "byte by byte");

    let mut collector = BodyCollector::new(&response, limit);
    let mut bufs: Vec<_> = pieces.iter().map(|piece| BytesMut::from(*piece)).collect();
    let before = Meter::start();
    for buf in &mut bufs {
        let _in_progress = collector.receive(buf);
    }
    let held = Meter::peak().saturating_sub(before);
    assert!(held <= 3 * limit.min(stream.len()) + BESIDE, "{held} bytes are held for a limit of {limit}");
});

/// An answer with any status and any framing.
fn head(input: &mut Input<'_>) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(input.one_of(&STATUSES)).expect("they are statuses");
    for (name, values) in [(CONTENT_LENGTH, &LENGTHS[..]), (TRANSFER_ENCODING, &CODINGS[..])] {
        for _ in 0..input.below(3) {
            let value = match input.byte() {
                255 => HeaderValue::from_bytes(input.data()),
                known => HeaderValue::from_bytes(values[usize::from(known) % values.len()].as_bytes()),
            };
            if let Ok(value) = value {
                response.headers_mut().append(&name, value);
            }
        }
    }
    response
}

/// The body and what is left behind it. What comes after the end of the stream is nothing.
fn collect<'a>(
    response: &Response<()>,
    limit: usize,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (ResponseBody, Vec<u8>) {
    let mut collector = BodyCollector::new(response, limit);
    let mut buf = BytesMut::new();
    let mut body = None;
    for piece in pieces {
        buf.extend_from_slice(piece);
        let left = buf.len();
        let now = collector.receive(&mut buf);
        if body.is_some() {
            assert_eq!((&now, buf.len()), (&body, left), "over is over");
        }
        body = now;
    }
    let at_the_end = collector.end_of_stream();
    assert!(body.is_none_or(|body| body == at_the_end));
    assert!(at_the_end.bytes.len() <= limit);
    (at_the_end, buf.to_vec())
}

/// RFC 9112 section 6.3, for an answer to a GET.
fn naive_length(response: &Response<()>) -> BodyLength {
    let values = |name| {
        let lines: Vec<_> = response.headers().get_all(name).iter().map(HeaderValue::as_bytes).collect();
        lines.join(&b","[..])
    };
    let entries = |joined: &[u8]| {
        let entries = joined.split(|byte| *byte == b',');
        entries.map(|entry| strip(entry).to_ascii_lowercase()).collect::<Vec<_>>()
    };
    if matches!(response.status().as_u16(), 100..=199 | 204 | 304) {
        return BodyLength::Empty;
    }
    if response.headers().contains_key(TRANSFER_ENCODING) {
        let codings = entries(&values(TRANSFER_ENCODING));
        let is_chunked = codings.last().is_some_and(|last| last == b"chunked");
        return if is_chunked { BodyLength::Chunked } else { BodyLength::UntilEnd };
    }
    if !response.headers().contains_key(CONTENT_LENGTH) {
        return BodyLength::UntilEnd;
    }
    let lengths = entries(&values(CONTENT_LENGTH));
    let is_one = lengths.windows(2).all(|pair| pair[0] == pair[1]);
    let digits = lengths[0].iter().all(u8::is_ascii_digit);
    let len = String::from_utf8_lossy(&lengths[0]).parse().ok().filter(|_| is_one && digits);
    match len {
        None | Some(0) => BodyLength::Empty,
        Some(len) => BodyLength::Known(len),
    }
}

/// Without spaces and tabs around it.
fn strip(mut entry: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = entry {
        entry = rest;
    }
    entry
}

/// The body of a stream that is over, and what is left of the stream.
fn naive_body(framing: BodyLength, limit: usize, stream: &[u8]) -> (ResponseBody, Vec<u8>) {
    let (bytes, is_truncated, taken) = match framing {
        BodyLength::Empty => (Vec::new(), false, 0),
        BodyLength::Known(len) => {
            let len = usize::try_from(len).unwrap_or(usize::MAX);
            let taken = len.min(limit).min(stream.len());
            (stream[..taken].to_vec(), taken < len, taken)
        }
        BodyLength::UntilEnd => {
            let taken = limit.min(stream.len());
            (stream[..taken].to_vec(), taken < stream.len(), taken)
        }
        BodyLength::Chunked => naive_chunks(limit, stream),
        other => panic!("{other:?} is new"),
    };
    let mut body = ResponseBody::default();
    (body.bytes, body.is_truncated) = (bytes.into(), is_truncated);
    (body, stream[taken..].to_vec())
}

/// RFC 9112 section 7.1: the bytes, whether there is more of them, and how far they were read.
fn naive_chunks(limit: usize, stream: &[u8]) -> (Vec<u8>, bool, usize) {
    let (mut bytes, mut at) = (Vec::new(), 0);
    loop {
        let line = match Line::read(stream, at, Line::is_size) {
            Ok(line) => line,
            Err(at) => return (bytes, true, at),
        };
        at = line.end;
        let digits = line.text.split(|byte| b"; \t".contains(byte)).next().unwrap_or_default();
        let size = digits.iter().fold(0u64, |size, digit| {
            size << 4 | u64::from((*digit as char).to_digit(16).expect("the line was looked at"))
        });
        if size == 0 {
            break;
        }
        let room = limit - bytes.len();
        let take = usize::try_from(size).unwrap_or(usize::MAX).min(room).min(stream.len() - at);
        bytes.extend_from_slice(&stream[at..at + take]);
        at += take;
        if (take as u64) < size {
            return (bytes, true, at);
        }
        for expected in *b"\r\n" {
            match stream.get(at) {
                None => return (bytes, true, at),
                Some(byte) if *byte != expected => return (bytes, true, at + 1),
                Some(_) => at += 1,
            }
        }
    }
    loop {
        match Line::read(stream, at, |_, _| true) {
            Err(at) => return (bytes, true, at),
            Ok(line) if line.text.is_empty() => return (bytes, false, line.end),
            Ok(line) => at = line.end,
        }
    }
}

/// A line of a chunked body, that ends in CR LF.
struct Line<'a> {
    text: &'a [u8],
    end: usize,
}

impl<'a> Line<'a> {
    /// The line at `at`, of which each byte may stand behind those before it; or where the reading ends: behind the first
    /// byte that may not, or at the end of the stream.
    fn read(stream: &'a [u8], at: usize, may_stand: fn(&[u8], u8) -> bool) -> Result<Self, usize> {
        let mut now = at;
        loop {
            let text = &stream[at..now];
            match stream.get(now) {
                None => return Err(now),
                Some(b'\r') if may_stand(text, b'\r') => {
                    return match stream.get(now + 1) {
                        None => Err(now + 1),
                        Some(b'\n') => Ok(Self { text, end: now + 2 }),
                        Some(_) => Err(now + 2),
                    };
                }
                Some(b'\n') => return Err(now + 1),
                Some(byte) if !may_stand(text, *byte) => return Err(now + 1),
                Some(_) => now += 1,
            }
        }
    }

    /// Up to sixteen digits, at least one, then whatever an extension is.
    fn is_size(before: &[u8], byte: u8) -> bool {
        if before.iter().any(|byte| b"; \t".contains(byte)) {
            return true;
        }
        match byte {
            b';' | b' ' | b'\t' | b'\r' => !before.is_empty(),
            digit => digit.is_ascii_hexdigit() && before.len() < 16,
        }
    }
}
