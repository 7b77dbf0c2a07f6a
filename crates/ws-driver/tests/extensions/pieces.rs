//! Long messages, which are laid aside in pieces while an extension makes them.

use ws_driver::{Delivery, Pause, Progress, Role};
use ws_extensions::SessionOptions;
use ws_testkit::{End, Endpoint, Frame, Heap, Seen};

use crate::{
    fake::{Fake, Way},
    turned,
};

/// What is laid aside at once.
const PIECE: usize = 256 * 1024;

/// Reads bytes in pieces of this length, turn by turn where turns are taken.
fn read_cut(server: &mut Endpoint, bytes: &[u8], cut: usize, turns: bool) -> Progress {
    let mut progress = Progress::NeedBytes;
    for bytes in bytes.chunks(cut) {
        progress = server.read(bytes);
        while turns && server.connection.receiver().pause().is_some() {
            server.connection.receiver().begin_turn(100_000, usize::MAX);
            progress = server.advance();
        }
    }
    progress
}

#[test]
fn a_message_of_any_length_arrives_however_it_is_cut() {
    let text = "A€Ä".repeat(PIECE);
    for len in [PIECE, PIECE + 1, 2 * PIECE + 100_000] {
        let len = (0..4).map(|more| len + more).find(|len| text.is_char_boundary(*len)).unwrap();
        let frame = turned(&text[..len]).by(Role::Client);
        let expected = Seen::text(text[..len].to_ascii_lowercase());
        for (cut, turns) in [(4096, false), (usize::MAX, false), (60_000, true)] {
            for delivery in [Delivery::Whole, Delivery::Parts] {
                let fake = Fake::new(Way::Stream, Way::Pass);
                let mut server = fake.server(|config, _| config.delivery = delivery);
                if turns {
                    server.connection.receiver().begin_turn(1, usize::MAX);
                }
                assert_eq!(read_cut(&mut server, &frame, cut, turns), Progress::NeedBytes);
                assert!(server.seen == [expected.clone()], "{len} bytes cut at {cut}, {delivery:?}");
                let _progress = server.read_frame(&turned("NEXT"));
                assert_eq!(server.seen.last(), Some(&Seen::text("next")));
            }
        }
    }
}

#[test]
fn a_long_message_is_given_from_its_beginning_when_parts_are_asked_for_in_its_middle() {
    let text = "A€Ä".repeat(PIECE);
    let frame = turned(&text).by(Role::Client);
    let mut server = Fake::new(Way::Stream, Way::Pass).server(|_, _| ());
    // The place is inside a character.
    let (before, behind) = frame.split_at(2 * PIECE + 1);
    assert_eq!(read_cut(&mut server, before, 10_000, false), Progress::NeedBytes);
    assert!(server.seen.is_empty());
    server.connection.receiver().set_delivery(Delivery::Parts);
    assert_eq!(read_cut(&mut server, behind, 10_000, false), Progress::NeedBytes);
    assert!(server.seen == [Seen::text(text.to_ascii_lowercase())]);
}

#[test]
fn text_is_refused_at_the_first_bad_byte_behind_what_was_laid_aside() {
    let mut text = "A".repeat(3 * PIECE).into_bytes();
    text[2 * PIECE + 5] = 0xff;
    let frame = Frame::text(&text).with_rsv(4).by(Role::Client);
    let mut server = Fake::new(Way::Stream, Way::Pass).server(|_, _| ());
    assert_eq!(read_cut(&mut server, &frame[..2 * PIECE], 4096, false), Progress::NeedBytes);
    assert_eq!(read_cut(&mut server, &frame[2 * PIECE..2 * PIECE + 100], 4096, false), Progress::Closed);
    assert_eq!((server.end(), server.seen.len()), (End::Failed(1007), 0));
}

/// What a message takes that is read in pieces of 4096 bytes, with what became of it.
fn taken(server: &mut Endpoint, frame: &[u8]) -> (usize, End) {
    let before = Heap::held();
    Heap::forget_peak();
    let _progress = read_cut(server, frame, 4096, false);
    (usize::try_from(Heap::peak() - before).unwrap(), server.end())
}

#[test]
fn what_is_too_long_takes_its_limit_and_a_piece_and_what_is_not_twice_that() {
    // The extension makes ten bytes of each.
    const LIMIT: usize = 20 * PIECE;
    let limited = || {
        Fake::new(Way::Bomb, Way::Pass).server(|config, options: &mut SessionOptions| {
            config.limits.max_message_len = LIMIT;
            options.max_message_len = Some(LIMIT);
        })
    };
    let frame = |len: usize| Frame::binary(vec![b'X'; len]).with_rsv(4).by(Role::Client);
    // Of a frame that an extension works on nothing stays behind what was read.
    let little = 2 * PIECE + 64 * 1024;

    let mut server = limited();
    let (taken_at_most, end) = taken(&mut server, &frame(LIMIT / 10));
    assert!(server.seen == [Seen::binary(vec![b'x'; LIMIT])], "{end:?}");
    assert!(taken_at_most < 2 * LIMIT + little, "{taken_at_most} bytes at the limit");

    let mut server = limited();
    let (taken_at_most, end) = taken(&mut server, &frame(LIMIT / 10 + 1));
    assert_eq!((end, server.seen.len()), (End::Failed(1009), 0));
    assert!(taken_at_most < LIMIT + little, "{taken_at_most} bytes behind the limit");
    assert!(taken_at_most > LIMIT - PIECE, "it came close to its limit");
    let before = Heap::held();
    drop(server);
    assert!(before - Heap::held() < 100_000, "what was laid aside went with the failure");
}

#[test]
fn what_was_laid_aside_goes_when_the_connection_ends_in_the_middle() {
    let mut server = Fake::new(Way::Stream, Way::Pass).server(|_, _| ());
    let frame = turned(&"A".repeat(4 * PIECE)).by(Role::Client);
    let before = Heap::held();
    let _progress = read_cut(&mut server, &frame[..4 * PIECE], 4096, false);
    assert!(Heap::held() - before > 3 * PIECE.cast_signed());
    let _progress = server.end_of_stream();
    assert_eq!(server.end(), End::Lost);
    assert!(Heap::held() - before < 100_000);
}

#[test]
fn a_message_of_which_much_was_made_waits_for_turns_as_a_long_frame_does() {
    let mut server = Fake::new(Way::Stream, Way::Pass).server(|_, _| ());
    server.connection.receiver().begin_turn(1 << 20, 1000);
    let begin = Frame::text("").with_rsv(4).unfinished();
    assert_eq!(server.read_frame(&begin), Progress::NeedBytes);
    let fragment = Frame::continuation("A".repeat(1000)).unfinished();
    for number in 0.. {
        server.connection.receiver().begin_turn(1 << 20, 1000);
        let _progress = server.read_frame(&fragment);
        let pause = server.connection.receiver().pause();
        if pause.is_some() {
            assert_eq!(pause, Some(Pause::Long));
            assert_eq!(number, PIECE / 1000, "fragments were read without a pause");
            break;
        }
    }
    server.connection.receiver().begin_turn(1 << 20, usize::MAX);
    assert_eq!(server.advance(), Progress::NeedBytes);
    assert_eq!(server.connection.receiver().pause(), None);
}
