//! Any bytes as the head of a request or a response: every cutting gives the same verdict and leaves the same bytes.
//! Against httparse: what we accept, it accepts, and reads the same in it; what we refuse and it accepts breaks one of
//! our stricter rules.
#![no_main]

use bytes::BytesMut;
use http::{HeaderMap, Request, Response, Uri};
use libfuzzer_sys::fuzz_target;
use ws_fuzz::{Cuts, Input};
use ws_handshake::{ClientRequest, HeadError, HeadLimits, HeadReader, Key, ServerPolicy, check};

/// What a reader makes of a stream, and what it leaves of it.
type Read<T> = (Result<Option<T>, HeadError>, BytesMut);

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let bits = input.byte();
    let mut limits = HeadLimits::default();
    if bits & 2 != 0 {
        limits = HeadLimits { max_head: 200, max_headers: 4, max_request_line: 40 };
    }
    let cuts = Cuts::read(&mut input);
    let stream = input.rest();
    if bits & 1 == 0 {
        let request = every_cutting(&cuts, stream, limits, HeadReader::read_request);
        compare_request(stream, limits, &request);
        if let Ok(Some(request)) = &request.0 {
            serve(request);
        }
    } else {
        let response = every_cutting(&cuts, stream, limits, HeadReader::read_response);
        compare_response(stream, limits, &response);
        open(&cuts, stream);
    }
});

/// Reads the stream whole, in pieces and byte by byte.
fn every_cutting<T: std::fmt::Debug>(
    cuts: &Cuts,
    stream: &[u8],
    limits: HeadLimits,
    read: fn(&mut HeadReader, &mut BytesMut) -> Result<Option<T>, HeadError>,
) -> Read<T> {
    let run = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let (mut reader, mut buf) = (HeadReader::new(limits), BytesMut::new());
        let mut result = Ok(None);
        for piece in pieces {
            buf.extend_from_slice(piece);
            if let Ok(None) = result {
                result = read(&mut reader, &mut buf);
            }
        }
        (result, buf)
    };
    let whole = run(&mut std::iter::once(stream));
    let text = format!("{whole:?}");
    let pieces = cuts.pieces(stream);
    assert_eq!(format!("{:?}", run(&mut pieces.iter().copied())), text, "cut into {pieces:?}");
    assert_eq!(format!("{:?}", run(&mut stream.chunks(1))), text, "byte by byte");
    whole
}

fn compare_request(stream: &[u8], limits: HeadLimits, (ours, left): &Read<Request<()>>) {
    let mut slots = [httparse::EMPTY_HEADER; 128];
    let mut theirs = httparse::Request::new(&mut slots);
    match (ours, theirs.parse(stream)) {
        (Ok(Some(ours)), Ok(httparse::Status::Complete(len))) => {
            assert_eq!(left, &stream[len..]);
            keeps_rules(&stream[..len], limits, theirs.headers);
            assert!(!theirs.path.is_some_and(|path| path.contains('#')), "a target with a fragment");
            assert_eq!(Some(ours.method().as_str()), theirs.method);
            assert_eq!(Some(ours.uri()), theirs.path.and_then(|path| path.parse().ok()).as_ref());
            assert_eq!(ours.version() == http::Version::HTTP_11, theirs.version == Some(1));
            compare_headers(ours.headers(), theirs.headers);
        }
        (Ok(Some(ours)), theirs) => panic!("we accept {ours:?} which is {theirs:?}"),
        (Ok(None), Ok(httparse::Status::Complete(_))) => panic!("we miss a head's end"),
        (Err(error), Ok(httparse::Status::Complete(len))) => {
            let target = theirs.path.unwrap_or_default();
            let line = stream.split(|byte| *byte == b'\r').find(|line| !matches!(line, [] | [b'\n']));
            let line = line.unwrap_or_default();
            let by_rule = match error {
                HeadError::RequestLineTooLong { limit } => line.len() > *limit,
                // RFC 9112 section 3.2: no fragment; and what is no URI names nothing.
                HeadError::Target => target.contains('#') || target.parse::<Uri>().is_err(),
                // RFC 9112 section 2.2: one empty line may stand before a request.
                HeadError::StartLine => stream.starts_with(b"\r\n\r\n"),
                error => is_stricter(*error, &stream[..len], limits, theirs.headers),
            };
            assert!(by_rule, "{error:?} for {target:?} in {:?}", stream.escape_ascii().to_string());
        }
        (Ok(None) | Err(_), _) => {}
    }
}

fn compare_response(stream: &[u8], limits: HeadLimits, (ours, left): &Read<Response<()>>) {
    let mut slots = [httparse::EMPTY_HEADER; 128];
    let mut theirs = httparse::Response::new(&mut slots);
    match (ours, theirs.parse(stream)) {
        (Ok(Some(ours)), Ok(httparse::Status::Complete(len))) => {
            assert_eq!(left, &stream[len..]);
            keeps_rules(&stream[..len], limits, theirs.headers);
            assert_eq!(Some(ours.status().as_u16()), theirs.code);
            assert_eq!(ours.version() == http::Version::HTTP_11, theirs.version == Some(1));
            compare_headers(ours.headers(), theirs.headers);
        }
        (Ok(Some(ours)), theirs) => panic!("we accept {ours:?} which is {theirs:?}"),
        (Ok(None), Ok(httparse::Status::Complete(_))) => panic!("we miss a head's end"),
        (Err(error), Ok(httparse::Status::Complete(len))) => {
            let by_rule = match error {
                // RFC 9110 section 15: a status is a number from 100 on. An empty line stands before no response.
                HeadError::StartLine => theirs.code < Some(100) || stream.starts_with(b"\r\n"),
                error => is_stricter(*error, &stream[..len], limits, theirs.headers),
            };
            assert!(by_rule, "{error:?} in {:?}", stream.escape_ascii().to_string());
        }
        (Ok(None) | Err(_), _) => {}
    }
}

/// Whether a head that httparse accepts breaks the rule of ours that this error stands for.
fn is_stricter(error: HeadError, head: &[u8], limits: HeadLimits, headers: &[httparse::Header<'_>]) -> bool {
    match error {
        HeadError::TooLarge { limit } => limit == limits.max_head && head.len() > limit,
        HeadError::TooManyHeaders { limit } => limit == limits.max_headers && headers.len() > limit,
        // RFC 9112 section 2.2 lets a recipient refuse a bare LF, and asks it to refuse a bare CR.
        HeadError::LineBreak => {
            let bare_lf = head.iter().enumerate().any(|(at, byte)| {
                *byte == b'\n' && at.checked_sub(1).is_none_or(|before| head[before] != b'\r')
            });
            bare_lf || head.windows(2).any(|pair| pair[0] == b'\r' && pair[1] != b'\n')
        }
        // RFC 9110 section 5.5: control characters have no place in a field.
        HeadError::ControlCharacter => {
            head.iter().any(|byte| byte.is_ascii_control() && !b"\r\n\t".contains(byte))
        }
        _ => false,
    }
}

/// A head that we accept breaks none of the stricter rules.
fn keeps_rules(head: &[u8], limits: HeadLimits, headers: &[httparse::Header<'_>]) {
    let HeadLimits { max_head, max_headers, .. } = limits;
    for error in [
        HeadError::TooLarge { limit: max_head },
        HeadError::TooManyHeaders { limit: max_headers },
        HeadError::LineBreak,
        HeadError::ControlCharacter,
    ] {
        assert!(!is_stricter(error, head, limits, headers), "{error:?} was let through");
    }
}

/// The same fields in the same order of each name, with the same values.
fn compare_headers(ours: &HeaderMap, theirs: &[httparse::Header<'_>]) {
    assert_eq!(ours.len(), theirs.len());
    for name in ours.keys() {
        let same = theirs.iter().filter(|header| header.name.eq_ignore_ascii_case(name.as_str()));
        assert!(ours.get_all(name).iter().map(|value| value.as_bytes()).eq(same.map(|header| header.value)));
    }
}

/// The server's check of what was read gives an answer to every request.
fn serve(request: &Request<()>) {
    match check(request, &ServerPolicy::default()) {
        Ok(upgrade) => assert_eq!(upgrade.accept().response().status(), 101),
        Err(refusal) => {
            let status = refusal.response().status();
            assert!(status.is_client_error() || status.is_server_error());
        }
    }
}

/// The client's check of an answer says the same in every cutting.
fn open(cuts: &Cuts, stream: &[u8]) {
    let run = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let request = ClientRequest::new("ws://a/").and_then(|request| request.subprotocols(["chat"]));
        let request = request.expect("the address and the name are good");
        let key = Key::from_bytes(*b"the sample nonce");
        let mut client = request.start(key, Some("x".to_owned())).expect("the offer is a token");
        let mut buf = BytesMut::new();
        let mut result = Ok(None);
        for piece in pieces {
            buf.extend_from_slice(piece);
            if let Ok(None) = result {
                result = client.receive(&mut buf);
            }
        }
        format!("{result:?} {buf:?}")
    };
    let whole = run(&mut std::iter::once(stream));
    assert_eq!(run(&mut cuts.pieces(stream).into_iter()), whole);
    assert_eq!(run(&mut stream.chunks(1)), whole);
}
