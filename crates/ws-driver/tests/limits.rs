//! Every bound, met and passed by one.

use bytes::Buf;
use ws_driver::{CloseCode, Config, DataKind, Delivery, Ending, Fault, Limits, Message, Role, SendError};
use ws_testkit::{End, Endpoint, Frame, Seen};

fn server(change: impl FnOnce(&mut Limits)) -> Endpoint {
    let mut config = Config::new(Role::Server);
    change(&mut config.limits);
    Endpoint::with(config)
}

fn announce(len: u64) -> Vec<u8> {
    Frame::header(true, 0, 2, Some([0; 4]), len)
}

#[test]
fn a_message_may_have_its_limit_and_not_one_byte_more() {
    let limited = || server(|limits| limits.max_message_len = 10);
    let mut whole = limited();
    let _progress = whole.read_frame(&Frame::binary([0; 10]));
    assert_eq!(whole.seen, [Seen::binary([0; 10])]);
    let _progress = whole.read(&announce(11));
    assert_eq!(whole.end(), End::Failed(1009), "from the header alone");
    let fault = Fault::MessageTooLong { limit: 10, actual: 11 };
    assert_eq!(whole.connection.receiver().ending(), Some(&Ending::Failed(fault)));

    let mut fragments = limited();
    for _ in 0..2 {
        let frames = [Frame::text("12345").unfinished(), Frame::continuation("12345")];
        let _progress = fragments.read_frames(&frames);
    }
    assert_eq!(fragments.seen.len(), 2, "each message counts for itself");
    let _progress = fragments.read_frames(&[Frame::text("12345").unfinished(), Frame::ping([0; 100])]);
    assert_eq!(fragments.end(), End::Open, "control frames do not count");
    let _progress = fragments.read_frame(&Frame::continuation("123456").unfinished());
    assert_eq!(fragments.end(), End::Failed(1009));
    assert!(fragments.connection.closed().is_some_and(|closed| closed.code == 1006 && !closed.is_clean()));
}

#[test]
fn a_message_in_parts_is_bounded_alike() {
    let mut server = server(|limits| limits.max_message_len = 10);
    server.connection.receiver().set_delivery(Delivery::Parts);
    let _progress = server.read_frame(&Frame::binary([0; 10]));
    assert_eq!(server.seen.len(), 1);
    let _progress = server.read_frames(&[Frame::binary([0; 9]).unfinished(), Frame::continuation([0; 2])]);
    assert_eq!(server.end(), End::Failed(1009));
}

#[test]
fn a_frame_may_have_its_limit_and_not_one_byte_more() {
    let mut server = server(|limits| limits.max_frame_len = 5);
    let frames = [Frame::text("12345").unfinished(), Frame::continuation("12345")];
    let _progress = server.read_frames(&frames);
    assert_eq!(server.seen.len(), 1);
    let _progress = server.read(&announce(6));
    assert_eq!(server.end(), End::Failed(1009));
}

#[test]
fn limits_change_while_the_connection_lives_and_can_be_off() {
    let mut server = server(|_| ());
    let _progress = server.read(&announce(64 << 20));
    assert_eq!(server.end(), End::Open);
    let mut server = self::server(|_| ());
    let _progress = server.read(&announce((64 << 20) + 1));
    assert_eq!(server.end(), End::Failed(1009), "the default");
    let mut server = self::server(|_| ());
    server.connection.receiver().limits_mut().max_message_len = Limits::UNLIMITED;
    let _progress = server.read(&announce(u64::MAX >> 1));
    assert_eq!(server.end(), End::Open);
    assert!(server.connection.receiver().buffer().capacity() <= 68 * 1024);
}

#[test]
fn fragments_are_counted_empty_ones_too() {
    let fragment =
        |n: usize| if n.is_multiple_of(2) { Frame::continuation("") } else { Frame::continuation("x") };
    for limit in [1, 2, 7] {
        let mut server = server(|limits| limits.max_fragments = limit);
        let message = |fragments: usize| {
            let first = Frame::binary("");
            if fragments == 1 {
                return vec![first];
            }
            let middle = (1..fragments - 1).map(|n| fragment(n).unfinished());
            [first.unfinished()].into_iter().chain(middle).chain([Frame::continuation("")]).collect()
        };
        for _ in 0..2 {
            let _progress = server.read_frames(&message(limit));
        }
        assert_eq!((server.seen.len(), server.end()), (2, End::Open), "{limit} fragments");
        let _progress = server.read_frames(&message(limit + 1));
        assert_eq!((server.seen.len(), server.end()), (2, End::Failed(1008)), "{limit} fragments and one");
    }
    assert_eq!(Limits::default().max_fragments, 131_072);
}

#[test]
fn as_many_pongs_as_may_wait_do_and_then_the_oldest_is_dropped() {
    let payload = |n: usize| n.to_string();
    let mut server = server(|_| ());
    // The first batch fills the outbox, which the peer does not read.
    for n in 0..64 {
        let _progress = server.read_frame(&Frame::ping(payload(n)));
    }
    assert!(server.connection.sender().must_flush());
    let queued = server.connection.sender().outbox().len();
    for n in 64..1000 {
        let _progress = server.read_frame(&Frame::ping(payload(n)));
    }
    assert_eq!(server.connection.sender().outbox().len(), queued);
    // What was queued leaves, and then the newest.
    let pongs: Vec<Frame> = (0..64).chain(936..1000).map(payload).map(Frame::pong).collect();
    assert_eq!(server.sent(), pongs);
    let _progress = server.read_frame(&Frame::ping("later"));
    assert_eq!(server.sent(), [Frame::pong("later")]);
}

#[test]
fn pongs_that_are_held_back_come_when_there_is_room_without_another_read() {
    let mut server = server(|limits| limits.max_pending_pongs = 2);
    let pings: Vec<Frame> = ["1", "2", "3", "4"].map(Frame::ping).to_vec();
    let _progress = server.read_frames(&pings);
    let mut wire = Vec::new();
    while server.connection.wants().write {
        let outbox = server.connection.sender().outbox();
        wire.extend_from_slice(&outbox.copy_to_bytes(outbox.remaining()));
    }
    let pongs: Vec<Frame> = ["1", "2", "3", "4"].map(Frame::pong).to_vec();
    assert_eq!(ws_testkit::read_frames(Role::Server, &wire), pongs);
}

#[test]
fn one_pong_may_always_wait() {
    let mut server = server(|limits| limits.max_pending_pongs = 0);
    let _progress = server.read_frames(&["1", "2"].map(Frame::ping));
    assert_eq!(server.sent(), ["1", "2"].map(Frame::pong));
}

#[test]
fn below_the_mark_a_message_of_any_length_is_taken() {
    let mut server = server(|limits| {
        limits.high_water_mark = 100;
        limits.max_queued_beyond_mark = 50;
    });
    let sender = server.connection.sender();
    sender.write(DataKind::Binary, &[0; 97]).unwrap();
    assert_eq!((sender.queued(), sender.is_above_mark()), (99, false));
    sender.write(DataKind::Binary, &[0; 10_000]).unwrap();
    assert!(sender.is_above_mark());
    let full = SendError::Full { queued: sender.queued(), limit: 150 };
    assert_eq!(sender.write(DataKind::Binary, b""), Err(full.clone()));
    let unsent = sender.send(Message::from(vec![7; 5000])).unwrap_err();
    assert_eq!((unsent.error, unsent.message.len()), (full.clone(), 5000), "the message is handed back");
    assert_eq!(sender.ping(b""), Err(full.clone()));
    assert_eq!(sender.start(DataKind::Text), Err(full));
    sender.close(CloseCode::NORMAL, "").unwrap();
    assert_eq!(server.sent().len(), 3, "a Close always fits");
}

#[test]
fn beyond_the_mark_the_hard_limit_may_be_met_but_not_passed() {
    let mut server = server(|limits| {
        limits.high_water_mark = 100;
        limits.max_queued_beyond_mark = 50;
    });
    let sender = server.connection.sender();
    sender.write(DataKind::Binary, &[0; 98]).unwrap();
    assert_eq!(sender.queued(), 100);
    assert!(sender.is_above_mark());
    assert_eq!(sender.write(DataKind::Binary, &[0; 51]), Err(SendError::Full { queued: 100, limit: 150 }));
    sender.write(DataKind::Binary, &[0; 50]).unwrap();
    assert_eq!(sender.write(DataKind::Binary, b""), Err(SendError::Full { queued: 152, limit: 150 }));
    sender.outbox().advance(100);
    sender.write(DataKind::Binary, &[0; 1000]).unwrap();
}

#[test]
fn control_payloads_may_have_125_bytes_and_reasons_123() {
    let mut server = server(|_| ());
    let sender = server.connection.sender();
    sender.ping(&[1; 125]).unwrap();
    sender.pong(&[1; 125]).unwrap();
    assert_eq!(sender.ping(&[1; 126]), Err(SendError::ControlTooLong(126)));
    assert_eq!(sender.pong(&[1; 126]), Err(SendError::ControlTooLong(126)));
    let reason = "é".repeat(62);
    assert_eq!(sender.close(CloseCode::NORMAL, &reason), Err(SendError::ReasonTooLong(124)));
    assert!(!sender.is_closing());
    sender.close(CloseCode::NORMAL, &"r".repeat(123)).unwrap();
    assert_eq!(server.sent().len(), 3);
}

/// Who bounds a turn asks what the next bytes cost: those of short fragments cost most.
#[test]
fn short_fragments_are_told_from_messages_and_long_frames() {
    let mut server = server(|_| {});
    let mut is_joining = |bytes: &[u8]| {
        let _progress = server.read(bytes);
        server.connection.receiver().is_joining()
    };
    let by = |frame: Frame| frame.by(Role::Client);
    let message = by(Frame::binary([7; 1000]));
    assert!(!is_joining(&message));
    assert!(!is_joining(&message[..500]), "a read has cut a message in one frame");
    assert!(!is_joining(&message[500..]));
    let fragment = by(Frame::binary("7").unfinished());
    assert!(is_joining(&fragment[..6]), "a read has cut a fragment");
    assert!(is_joining(&fragment[6..]));
    assert!(is_joining(&by(Frame::continuation("7").unfinished())));
    let long = by(Frame::continuation(vec![7; 1 << 20]).unfinished());
    assert!(!is_joining(&long[..1000]));
    assert!(is_joining(&long[1000..]), "nobody knows what comes behind it");
    assert!(!is_joining(&by(Frame::continuation(""))));
}
