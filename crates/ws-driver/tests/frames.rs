//! What bytes mean: one row for each rule of framing, with what is delivered and what is sent for it.

use ws_driver::{Config, Delivery, Ending, Event, Fault, FrameError, Progress, Role};
use ws_testkit::{End, Endpoint, Frame, Seen};

/// A name, what a client sends, what the server delivers, how it ends.
type Row = (&'static str, Vec<u8>, Vec<Seen>, End);

fn bytes(frames: impl IntoIterator<Item = Frame>) -> Vec<u8> {
    frames.into_iter().flat_map(|frame| frame.by(Role::Client)).collect()
}

/// A message before the frame and one behind it: the first is delivered, the second is not.
fn around(frame: Vec<u8>) -> Vec<u8> {
    [bytes([Frame::text("before")]), frame, bytes([Frame::text("behind")])].concat()
}

fn violation(name: &'static str, frame: Vec<u8>, code: u16) -> Row {
    (name, around(frame), vec![Seen::text("before")], End::Failed(code))
}

fn fine(name: &'static str, frames: impl IntoIterator<Item = Frame>, seen: Vec<Seen>) -> Row {
    (name, bytes(frames), seen, End::Open)
}

/// A masked header with these first bytes, and a key of zeros.
fn raw(header: &[u8]) -> Vec<u8> {
    [header, &[0; 4]].concat()
}

fn rows() -> Vec<Row> {
    let opened = |frame: Frame| bytes([Frame::text("open").unfinished(), frame]);
    let mut rows = vec![
        // RFC 6455 section 5.7.
        fine("text", [Frame::text("Hello")], vec![Seen::text("Hello")]),
        fine(
            "several frames",
            [Frame::text("a"), Frame::binary("b")],
            vec![Seen::text("a"), Seen::binary("b")],
        ),
        fine(
            "fragments",
            [Frame::text("Hel").unfinished(), Frame::continuation("lo")],
            vec![Seen::text("Hello")],
        ),
        fine(
            "empty fragments",
            [Frame::binary("").unfinished(), Frame::continuation("").unfinished(), Frame::continuation("x")],
            vec![Seen::binary("x")],
        ),
        fine("empty messages", [Frame::text(""), Frame::binary("")], vec![Seen::text(""), Seen::binary("")]),
        fine(
            "control frames between fragments",
            [Frame::text("a").unfinished(), Frame::ping("p"), Frame::pong("q"), Frame::continuation("b")],
            vec![Seen::ping("p"), Seen::pong("q"), Seen::text("ab")],
        ),
        fine("a pong that nobody asked for", [Frame::pong("x")], vec![Seen::pong("x")]),
        fine("a ping of 125 bytes", [Frame::ping([7; 125])], vec![Seen::ping([7; 125])]),
        fine(
            "a character cut by a frame's end",
            [Frame::text(b"\xe2\x82").unfinished(), Frame::ping(""), Frame::continuation(b"\xac")],
            vec![Seen::ping(""), Seen::text("€")],
        ),
        (
            "an all-zero masking key",
            [raw(&[0x81, 0x82]), b"ok".to_vec()].concat(),
            vec![Seen::text("ok")],
            End::Open,
        ),
        // Masking, reserved bits, opcodes.
        violation("no mask", Frame::text("x").by(Role::Server), 1002),
        violation("a ping without a mask", Frame::ping("").by(Role::Server), 1002),
        violation("an unexpected continuation", bytes([Frame::continuation("x")]), 1002),
        violation("a new message inside of one", opened(Frame::text("x")), 1002),
        violation("a new binary message inside of one", opened(Frame::binary("")), 1002),
        violation("a reserved bit inside of a message", opened(Frame::continuation("").with_rsv(4)), 1002),
        // Control frames.
        violation("a ping in fragments", bytes([Frame::ping("").unfinished()]), 1002),
        violation("a pong in fragments", bytes([Frame::pong("").unfinished()]), 1002),
        violation("a Close in fragments", bytes([Frame::empty_close().unfinished()]), 1002),
        violation("a ping of 126 bytes", vec![0x89, 0xFE], 1002),
        violation("a pong of 64-bit length", vec![0x8A, 0xFF], 1002),
        violation("a Close of 126 bytes", vec![0x88, 0xFE], 1002),
        violation("a Close of one byte", vec![0x88, 0x81], 1002),
        // Lengths.
        violation("16 bits for a length of 125", raw(&[0x82, 0xFE, 0, 125]), 1002),
        violation("64 bits for a length of 65,535", raw(&[0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]), 1002),
        violation("the top bit of a length", vec![0x82, 0xFF, 0x80], 1002),
        violation("a length of 2^63 - 1", raw(&[0x82, 0xFF, 0x7F, 255, 255, 255, 255, 255, 255, 255]), 1009),
        violation("a length of 2^53", raw(&[0x82, 0xFF, 0, 0x20, 0, 0, 0, 0, 0, 0]), 1009),
        // Text.
        violation("a byte that is never UTF-8", bytes([Frame::text(b"a\xff")]), 1007),
        violation("an overlong form", bytes([Frame::text(b"\xc0\xaf")]), 1007),
        violation("a surrogate", bytes([Frame::text(b"\xed\xa0\x80")]), 1007),
        violation("above U+10FFFF", bytes([Frame::text(b"\xf4\x90\x80\x80")]), 1007),
        violation("a character cut by the message's end", bytes([Frame::text(b"\xe2\x82")]), 1007),
        violation("bad text in a fragment", bytes([Frame::text(b"\xff").unfinished()]), 1007),
        (
            "a character cut, and not gone on with",
            bytes([Frame::text(b"\xe2\x82").unfinished(), Frame::continuation(b"\x28").unfinished()]),
            vec![],
            End::Failed(1007),
        ),
        // Closing.
        (
            "an empty Close",
            around(bytes([Frame::empty_close()])),
            vec![Seen::text("before")],
            End::Close(None),
        ),
        (
            "a Close with a reason",
            around(bytes([Frame::close(3000, "bye €")])),
            vec![Seen::text("before")],
            End::close(3000, "bye €"),
        ),
        (
            "a Close of 125 bytes",
            bytes([Frame::close(1000, "r".repeat(123))]),
            vec![],
            End::close(1000, "r".repeat(123)),
        ),
        (
            "a Close inside of a message",
            bytes([Frame::text("open").unfinished(), Frame::close(1001, "")]),
            vec![],
            End::close(1001, ""),
        ),
        violation("a reason that is not UTF-8", bytes([Frame::close(1000, b"\xff")]), 1007),
        violation("a reason that ends inside a character", bytes([Frame::close(1000, b"\xe2\x82")]), 1007),
    ];
    for rsv in 1..8 {
        rows.push(violation("reserved bits on text", bytes([Frame::text("").with_rsv(rsv)]), 1002));
        rows.push(violation("reserved bits on a ping", bytes([Frame::ping("").with_rsv(rsv)]), 1002));
        rows.push(violation("reserved bits on a Close", bytes([Frame::empty_close().with_rsv(rsv)]), 1002));
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        rows.push(violation("a reserved opcode", bytes([Frame::new(opcode, "")]), 1002));
    }
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, u16::MAX] {
        rows.push(violation("a code that must not be sent", bytes([Frame::close(code, "")]), 1002));
    }
    for code in
        [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
    {
        rows.push(("a code", bytes([Frame::close(code, "")]), vec![], End::close(code, "")));
    }
    rows
}

fn check(row: &Row, delivery: Delivery, step: usize) {
    let (name, bytes, seen, end) = row;
    let mut config = Config::new(Role::Server);
    config.delivery = delivery;
    let mut server = Endpoint::with(config);
    for piece in bytes.chunks(step) {
        let _progress = server.read(piece);
    }
    let reported = server.end();
    assert_eq!((&server.seen, &reported), (seen, end), "{name}, {step} bytes at a time, {delivery:?}");
    let answer = match end {
        End::Close(close) => Some(close.as_ref().map(|(code, _)| *code)),
        End::Failed(code) => Some(Some(*code)),
        _ => None,
    };
    assert_eq!(server.sent_close(), answer, "{name}");
    let Some(closed) = server.connection.closed() else {
        assert_eq!(end, &End::Open, "{name}");
        return;
    };
    // RFC 6455 section 7.1.5: the code of the peer's Close, whatever we have sent.
    let (code, clean) = match end {
        End::Close(Some((code, _))) => (*code, true),
        End::Close(None) => (1005, true),
        _ => (1006, false),
    };
    assert_eq!((closed.code, closed.is_clean()), (code, clean), "{name}");
    assert_eq!(closed.sent.map(|sent| sent.map(u16::from)), answer, "{name}");
}

#[test]
fn every_row_however_it_is_cut() {
    for row in rows() {
        for delivery in [Delivery::Whole, Delivery::Parts] {
            for step in [1, 2, 3, 7, usize::MAX] {
                check(&row, delivery, step);
            }
        }
    }
}

#[test]
fn a_client_refuses_what_is_masked() {
    for frame in [Frame::text("x"), Frame::ping(""), Frame::empty_close()] {
        let mut client = Endpoint::new(Role::Client);
        let _progress = client.read(&frame.by(Role::Client));
        assert_eq!(client.end(), End::Failed(1002));
        let ending = client.connection.receiver().ending();
        assert_eq!(ending, Some(&Ending::Failed(Fault::Frame(FrameError::UnexpectedMask))));
    }
}

#[test]
fn all_masking_keys_are_undone() {
    for key in [[0; 4], [255; 4], [1, 2, 3, 4], [0, 0, 0, 1]] {
        for len in [0, 1, 3, 4, 5, 31, 32, 33, 255, 256, 257, 9000] {
            let frame = Frame::binary(vec![0xA5; len]);
            let mut server = Endpoint::new(Role::Server);
            let _progress = server.read(&frame.bytes(Some(key)));
            assert_eq!(server.seen, [Seen::binary(frame.payload)]);
        }
    }
}

#[test]
fn the_end_comes_once_and_stays() {
    let mut server = Endpoint::new(Role::Server);
    assert_eq!(server.read(&[0xFF]), Progress::Closed);
    let first = server.connection.receiver().ending().cloned();
    for _ in 0..3 {
        assert_eq!(server.read_frame(&Frame::text("behind")), Progress::Closed);
        assert!(matches!(server.connection.event(), Event::Closed(_)));
    }
    assert_eq!(server.end_of_stream(), Progress::Closed);
    assert_eq!(server.connection.receiver().ending().cloned(), first);
    assert!(server.seen.is_empty());
    assert_eq!(server.sent(), [Frame::close(1002, "protocol error")]);
}

/// A failing side reads on, so that the transport does not forget its Close; what it reads is not kept.
#[test]
fn a_flood_behind_the_end_is_not_kept() {
    for frame in [vec![0xFF], Frame::empty_close().by(Role::Client)] {
        let mut server = Endpoint::new(Role::Server);
        let _progress = server.read(&frame);
        for advances in [true, false] {
            for _ in 0..1000 {
                server.connection.receiver().buffer().extend_from_slice(&[0; 4096]);
                if advances {
                    let _progress = server.advance();
                }
            }
            assert!(server.connection.receiver().buffer().capacity() < 64 * 1024);
        }
    }
}

#[test]
fn an_end_of_stream_delivers_what_is_whole_and_is_lost() {
    let stream = bytes([Frame::text("whole"), Frame::text("half")]);
    let whole = Frame::text("whole").by(Role::Client).len();
    for end in 0..stream.len() {
        let mut server = Endpoint::new(Role::Server);
        server.connection.receiver().buffer().extend_from_slice(&stream[..end]);
        assert_eq!(server.end_of_stream(), Progress::Closed);
        assert_eq!(server.seen.len(), usize::from(end >= whole), "after {end} bytes");
        assert_eq!(server.end(), End::Lost);
        let closed = server.connection.closed().unwrap();
        assert_eq!((closed.code, closed.sent, closed.is_clean()), (1006, None, false));
        assert!(server.connection.sender().ping(b"").is_err(), "nobody is there to read it");
    }
}

#[test]
fn without_validation_text_is_bytes() {
    let mut config = Config::new(Role::Server);
    config.validate_utf8 = false;
    let mut server = Endpoint::with(config);
    for frame in [Frame::text(b"\xff"), Frame::text(b"\xe2\x82")] {
        server.connection.receiver().buffer().extend_from_slice(&frame.by(Role::Client));
        assert_eq!(server.connection.advance(), Progress::Ready);
        if let Event::Message(message) = server.connection.event() {
            assert_eq!(message.as_text(), None);
        }
        server.note_owned();
        assert_eq!(server.seen.pop(), Some(Seen::Binary(frame.payload)));
    }
    let _progress = server.read_frame(&Frame::close(1000, b"\xff"));
    assert_eq!(server.end(), End::close(1000, ""), "a reason that is no text is not shown");
    assert_eq!(server.sent(), [Frame::close(1000, "")], "nor sent back");
}

#[test]
fn pings_are_answered_in_order_or_left_to_the_caller() {
    let pings = ["1", "", "three"].map(Frame::ping);
    let mut server = Endpoint::new(Role::Server);
    let _progress = server.read_frames(&pings);
    assert_eq!(server.seen, ["1", "", "three"].map(Seen::ping));
    assert_eq!(server.sent(), ["1", "", "three"].map(Frame::pong));

    let mut config = Config::new(Role::Server);
    config.auto_pong = false;
    let mut server = Endpoint::with(config);
    let _progress = server.read_frames(&pings);
    assert_eq!(server.seen, ["1", "", "three"].map(Seen::ping));
    assert!(server.sent().is_empty());
}

/// The offset counts from the start of the message, whatever was given of it before.
#[test]
fn an_error_in_text_tells_the_same_place_however_it_is_cut() {
    let stream = bytes([Frame::text("abcdef€").unfinished(), Frame::continuation(b"gh\xff!")]);
    for delivery in [Delivery::Whole, Delivery::Parts] {
        for at in 0..=stream.len() {
            let mut config = Config::new(Role::Server);
            config.delivery = delivery;
            let mut server = Endpoint::with(config);
            let _progress = server.read(&stream[..at]);
            let _progress = server.read(&stream[at..]);
            let Some(Ending::Failed(Fault::Utf8(error))) = server.connection.receiver().ending() else {
                panic!("not failed");
            };
            assert_eq!(error.offset, 11, "cut at {at}, {delivery:?}");
        }
    }
}

/// What a caller does to the buffer is its own affair, but no reason to panic.
#[test]
fn a_buffer_that_was_emptied_by_the_caller_does_no_harm() {
    let stream = bytes([Frame::text("a"), Frame::binary(vec![1; 20_000]), Frame::ping("p")]);
    for delivery in [Delivery::Whole, Delivery::Parts] {
        for at in [1, 5, 7, 8, 9, 30, 10_000, 20_020, stream.len()] {
            for lent in [false, true] {
                let mut config = Config::new(Role::Server);
                config.delivery = delivery;
                let mut server = Endpoint::with(config);
                server.connection.receiver().buffer().extend_from_slice(&stream[..at]);
                let mut progress = server.connection.advance();
                if !lent {
                    while progress == Progress::Ready {
                        progress = server.connection.advance();
                    }
                }
                server.connection.receiver().buffer().clear();
                if let Event::Message(message) = server.connection.event() {
                    let _whatever = message.into_message();
                }
                server.connection.receiver().buffer().extend_from_slice(b"\x81");
                while server.connection.advance() == Progress::Ready {}
                server.connection.end_of_stream();
                while server.connection.advance() == Progress::Ready {}
            }
        }
    }
}
