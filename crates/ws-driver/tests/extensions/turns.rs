//! Extensions that take turns: how much is done in one, and that it changes nothing else.

use ws_driver::{Delivery, Pause, Progress};
use ws_testkit::{Endpoint, Frame, Seen};

use crate::{
    fake::{Fake, Way},
    turned,
};

/// Goes on turn by turn, and gives how many there were.
fn turns(server: &mut Endpoint, work: usize, why: Pause) -> usize {
    let mut count = 1;
    while let Some(pause) = server.connection.receiver().pause() {
        assert_eq!(pause, why);
        server.connection.receiver().begin_turn(work, usize::MAX);
        assert_eq!(server.advance(), Progress::NeedBytes);
        count += 1;
        assert!(count < 1000, "it does not come to an end");
    }
    count
}

#[test]
fn a_turn_ends_when_enough_was_made_and_the_next_one_goes_on() {
    // A piece has 512 bytes and counts a KiB more than what is made of it.
    for (len, work, expected) in [
        (512, 1, 1),
        (513, 1, 2),
        (5120, 1, 10),
        (5120, 1536, 10),
        (5120, 1537, 5),
        (5120, 1 << 20, 1),
        (0, 1, 1),
    ] {
        for delivery in [Delivery::Whole, Delivery::Parts] {
            let mut server = Fake::new(Way::Stream, Way::Pass).server(|config, _| config.delivery = delivery);
            server.connection.receiver().begin_turn(work, usize::MAX);
            let _progress = server.read_frame(&turned(&"A".repeat(len)));
            // One more turn sees that nothing is left, where the last piece has used it up.
            assert_eq!(turns(&mut server, work, Pause::Work), expected, "{len} bytes, {work} a turn");
            assert_eq!(server.seen, [Seen::text("a".repeat(len))]);
        }
    }
}

#[test]
fn small_messages_are_work_as_well() {
    let mut server = Fake::new(Way::Stream, Way::Pass).server(|_, _| ());
    server.connection.receiver().begin_turn(10 * 1024, usize::MAX);
    let _progress = server.read_frames(&vec![turned(""); 100]);
    assert_eq!(server.seen.len(), 10);
    assert_eq!(turns(&mut server, 10 * 1024, Pause::Work), 10);
    assert_eq!(server.seen.len(), 100);
}

#[test]
fn a_long_frame_waits_for_a_turn_that_allows_it() {
    let mut server = Fake::new(Way::Stream, Way::Pass).server(|_, _| ());
    server.connection.receiver().begin_turn(1 << 20, 100);
    let _progress = server.read_frames(&[turned(&"A".repeat(100)), turned(&"B".repeat(101))]);
    assert_eq!(server.seen, [Seen::text("a".repeat(100))]);
    assert_eq!(server.connection.receiver().pause(), Some(Pause::Long));
    server.connection.receiver().begin_turn(1 << 20, 100);
    assert_eq!(server.advance(), Progress::NeedBytes);
    assert_eq!((server.seen.len(), server.connection.receiver().pause()), (1, Some(Pause::Long)));
    server.connection.receiver().begin_turn(1, 101);
    assert_eq!(server.advance(), Progress::NeedBytes);
    assert_eq!((server.seen.len(), server.connection.receiver().pause()), (2, None));
}

#[test]
fn what_no_extension_touches_knows_no_turns() {
    let mut server = Fake::new(Way::Pass, Way::Pass).server(|_, _| ());
    server.connection.receiver().begin_turn(1, 0);
    let _progress = server.read_frames(&[Frame::text("one"), Frame::ping(""), Frame::text("two")]);
    assert_eq!(server.seen, [Seen::text("one"), Seen::ping(""), Seen::text("two")]);
    assert_eq!(server.connection.receiver().pause(), None);
}

#[test]
fn the_end_of_the_stream_waits_for_the_turns_before_it() {
    let mut server = Fake::new(Way::Stream, Way::Pass).server(|_, _| ());
    server.connection.receiver().begin_turn(1, usize::MAX);
    let _progress = server.read_frame(&turned(&"A".repeat(2000)));
    assert_eq!(server.end_of_stream(), Progress::NeedBytes);
    for _ in 0..10 {
        server.connection.receiver().begin_turn(1, usize::MAX);
        let _progress = server.advance();
    }
    assert_eq!(server.seen, [Seen::text("a".repeat(2000))]);
    assert_eq!(server.advance(), Progress::Closed);
}
