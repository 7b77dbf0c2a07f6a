//! Messages with two faults: the one that comes first counts, however they are cut.

use ws_driver::{Delivery, Role};
use ws_testkit::{End, Frame, Seen};

use crate::fake::{Fake, Way};

/// How a message ends that has this payload, of each byte of which ten are made, where 35 may be. It arrives in pieces of
/// `cut` bytes.
fn end(frame: &Frame, cut: usize, delivery: Delivery, turns: bool) -> End {
    let mut server = Fake::new(Way::Bomb, Way::Pass).server(|config, options| {
        config.delivery = delivery;
        config.limits.max_message_len = 35;
        options.max_message_len = Some(35);
    });
    for piece in frame.by(Role::Client).chunks(cut) {
        if turns {
            server.connection.receiver().begin_turn(1, usize::MAX);
        }
        let _progress = server.read(piece);
    }
    for _ in 0..10 {
        server.connection.receiver().begin_turn(1, usize::MAX);
        let _progress = server.advance();
    }
    let whole = |seen: &Seen| matches!(seen, Seen::Text(_) | Seen::Binary(_));
    assert!(!server.seen.iter().any(whole), "{:?}", server.seen);
    server.end()
}

#[test]
fn a_message_that_is_too_long_and_no_text_ends_by_what_comes_first() {
    for (payload, code) in [
        (&b"\xffaaaaa"[..], 1007),
        (b"aa\xffaaa", 1007),
        (b"aaa\xff", 1007), // five bytes of it are within the limit
        (b"aaaa\xff", 1009),
        (b"aaaaaaaaa", 1009),
    ] {
        for cut in 1..20 {
            for (delivery, turns) in [
                (Delivery::Whole, false),
                (Delivery::Whole, true),
                (Delivery::Parts, false),
                (Delivery::Parts, true),
            ] {
                let text = Frame::text(payload).with_rsv(0b100);
                let told = format!("{payload:?} in pieces of {cut}, {delivery:?}, turns: {turns}");
                assert_eq!(end(&text, cut, delivery, turns), End::Failed(code), "{told}");
                let binary = Frame::binary(payload).with_rsv(0b100);
                assert_eq!(end(&binary, cut, delivery, turns), End::Failed(1009), "{told}");
            }
        }
    }
}

#[test]
fn text_that_is_not_validated_is_only_too_long() {
    let mut server = Fake::new(Way::Bomb, Way::Pass).server(|config, options| {
        config.validate_utf8 = false;
        options.max_message_len = Some(35);
        config.limits.max_message_len = 35;
    });
    let _progress = server.read_frame(&Frame::text(b"\xffaaaaa").with_rsv(0b100));
    assert_eq!(server.end(), End::Failed(1009));
}
