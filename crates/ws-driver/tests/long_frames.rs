//! Frames that do not fit the read buffer: which memory they come in.

use std::time::Instant;

use bytes::Buf;
use ws_driver::{Config, Connection, Event, Negotiated, Progress, Receiver, Role, Scratch, Sender};
use ws_testkit::{Endpoint, Frame, Heap, Rng, Seen};

#[global_allocator]
static HEAP: Heap = Heap;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// A masked header of a frame of 64 KiB and more.
const HEADER: usize = 14;

/// What a thread may keep: the buffers that all connections share, and the one for long frames.
const SHARED: usize = 256 * KIB + MIB + 4 * KIB;

fn connection() -> Connection {
    Connection::new(Config::new(Role::Server), Negotiated::default(), Instant::now())
}

fn long_frame() -> Vec<u8> {
    frame(MIB)
}

fn frame(len: usize) -> Vec<u8> {
    Frame::binary(vec![1; len]).by(Role::Client)
}

/// Reads `wire` 64 KiB at a time, and waits after each read.
fn pump(
    connection: &mut Connection,
    scratch: &mut Scratch,
    wire: &[u8],
    mut on: impl FnMut(&mut Receiver, &mut Sender),
) {
    let mut rest = wire;
    while !rest.is_empty() {
        connection.attach(scratch);
        let buffer = connection.receiver().buffer();
        let (read, behind) = rest.split_at(rest.len().min(64 * KIB).min(buffer.capacity() - buffer.len()));
        buffer.extend_from_slice(read);
        rest = behind;
        while let Progress::Ready = connection.advance() {
            let (receiver, sender) = connection.halves();
            on(receiver, sender);
        }
        let outbox = connection.sender().outbox();
        outbox.advance(outbox.remaining());
        connection.detach(scratch);
    }
}

fn look(receiver: &mut Receiver, _: &mut Sender) {
    assert!(matches!(receiver.event(), Event::Message(message) if message.as_bytes()[MIB - 1] == 1));
}

fn forward(receiver: &mut Receiver, sender: &mut Sender) {
    if let Event::Message(message) = receiver.event() {
        sender.forward(message).unwrap();
    }
}

fn own(receiver: &mut Receiver, _: &mut Sender) {
    if let Event::Message(message) = receiver.event() {
        assert_eq!(message.into_message().len(), MIB);
    }
}

/// Who bounds a turn asks how much of what was read is only moved and checked: once of each frame, when it is known for a long one.
#[test]
fn the_beginning_of_a_long_frame_is_told_from_messages_and_from_the_rest() {
    let mut scratch = Scratch::default();
    let short = frame(KIB).repeat(60);
    // Of the second of 1 MiB the rest comes in the buffer that the first has left, the others have to grow their own.
    for long in [frame(100 * KIB), frame(MIB), frame(MIB), frame(4 * MIB)] {
        let mut connection = connection();
        let mut read = |wire: &mut &[u8]| {
            connection.attach(&mut scratch);
            let buffer = connection.receiver().buffer();
            let (read, behind) = wire.split_at(wire.len().min(buffer.capacity() - buffer.len()));
            buffer.extend_from_slice(read);
            *wire = behind;
            while let Progress::Ready = connection.advance() {}
            (read.len(), connection.receiver().begun())
        };
        assert_eq!(read(&mut &short[..]), (short.len(), 0));
        let mut rest = &long[..];
        let (len, begun) = read(&mut rest);
        assert_eq!(begun, len - HEADER, "a read has cut a frame of {} bytes", long.len());
        while !rest.is_empty() {
            assert_eq!(read(&mut rest).1, 0, "{} of {} bytes are to come", rest.len(), long.len());
        }
    }
}

#[test]
fn long_messages_that_follow_each_other_share_a_buffer() {
    let wire = long_frame();
    for on in [look as fn(&mut Receiver, &mut Sender), forward, own] {
        let (mut connection, mut scratch) = (connection(), Scratch::default());
        for _ in 0..3 {
            pump(&mut connection, &mut scratch, &wire, on);
        }
        Heap::forget_peak();
        let (before, held_before) = (Heap::calls(), Heap::held());
        for _ in 0..100 {
            pump(&mut connection, &mut scratch, &wire, on);
        }
        // What has arrived at the first wait is kept in memory of its own length until the next read.
        assert!(Heap::calls() - before <= 200, "{} allocations", Heap::calls() - before);
        assert!(
            Heap::peak() - held_before <= (80 * KIB).cast_signed(),
            "{} bytes",
            Heap::peak() - held_before
        );
    }
}

/// The messages are given away and kept: no memory is used twice, and no more is held than twice what has arrived.
#[test]
fn long_messages_that_are_kept_hold_twice_their_length_at_most() {
    let wire = long_frame();
    let (mut connection, mut scratch) = (connection(), Scratch::default());
    let mut kept = Vec::with_capacity(100);
    let before = Heap::held();
    for _ in 0..20 {
        pump(&mut connection, &mut scratch, &wire, |receiver, _| {
            if let Event::Message(message) = receiver.event() {
                kept.push(message.into_message());
            }
        });
    }
    assert!(kept.iter().all(|message| message.as_bytes() == [1; MIB]));
    let most = 20 * 2 * MIB + SHARED;
    assert!(Heap::held() - before <= most.cast_signed(), "{} bytes", Heap::held() - before);
}

/// However many announce much and stop, the buffers that others have filled are not theirs to keep.
#[test]
fn whoever_announces_much_and_stops_holds_little() {
    const COUNT: usize = 100;
    let (mut honest, mut scratch) = (connection(), Scratch::default());
    let wire = long_frame();
    let before = Heap::held();
    let mut stalled = Vec::with_capacity(COUNT);
    for _ in 0..COUNT {
        pump(&mut honest, &mut scratch, &wire, look);
        let mut connection = connection();
        pump(&mut connection, &mut scratch, &wire[..64 * KIB], look);
        stalled.push(connection);
    }
    let most = COUNT * 2 * 64 * KIB + SHARED;
    assert!(Heap::held() - before <= most.cast_signed(), "{} bytes", Heap::held() - before);
    drop(stalled);
    pump(&mut honest, &mut scratch, &wire, look);
    assert!(Heap::held() - before <= SHARED.cast_signed(), "{} bytes", Heap::held() - before);
}

/// Up to 1 MiB: that is all that a thread keeps of long frames, and of those that are longer by a byte it keeps nothing.
#[test]
fn the_shared_buffer_has_a_greatest_length() {
    for (len, kept) in [(300 * KIB, 300 * KIB), (MIB, MIB), (MIB + 1, 0), (4 * MIB, 0)] {
        let (mut connection, mut scratch) = (connection(), Scratch::default());
        let before = Heap::held();
        pump(&mut connection, &mut scratch, &frame(len), |receiver, _| {
            assert!(matches!(receiver.event(), Event::Message(message) if message.as_bytes().len() == len));
        });
        let held = usize::try_from(Heap::held() - before).unwrap();
        assert!((kept..=kept + 128 * KIB).contains(&held), "{held} bytes after a frame of {len}");
    }
}

#[test]
fn the_buffer_is_given_back_when_no_more_long_frames_come() {
    let (mut connection, mut scratch) = (connection(), Scratch::default());
    let before = Heap::held();
    pump(&mut connection, &mut scratch, &long_frame(), forward);
    assert!(Heap::held() - before > MIB.cast_signed());
    let short = Frame::text("short").by(Role::Client);
    for _ in 0..50 {
        pump(&mut connection, &mut scratch, &short, forward);
    }
    assert!(Heap::held() - before <= (128 * KIB).cast_signed(), "{} bytes", Heap::held() - before);
}

/// Two connections of a thread whose buffers come and go, in frames of lengths around every bound, under random reads.
#[test]
fn long_frames_come_whole_through_whatever_buffers_they_do() {
    for seed in 0..12 {
        let mut rng = Rng::new(seed);
        let mut scratch = Scratch::default();
        let mut ends: Vec<_> = (0..2).map(|_| End::new(&mut rng)).collect();
        while ends.iter().any(|end| end.read < end.wire.len()) {
            let turn = rng.below(ends.len());
            ends[turn].read(&mut scratch, &mut rng);
        }
        for end in ends {
            assert_eq!(end.endpoint.seen, end.sent, "seed {seed}");
        }
    }
}

/// A connection, what it is sent, and how much of that it has read.
struct End {
    endpoint: Endpoint,
    sent: Vec<Seen>,
    wire: Vec<u8>,
    read: usize,
}

impl End {
    fn new(rng: &mut Rng) -> Self {
        const LENGTHS: [usize; 7] = [100, 20 * KIB, 68 * KIB, 70 * KIB, 130 * KIB, 300 * KIB, MIB + 1];
        let (mut sent, mut wire) = (Vec::new(), Vec::new());
        for number in 0..6 {
            let len = LENGTHS[rng.below(LENGTHS.len())] + rng.below(100);
            let text: Vec<u8> = "é€.".bytes().cycle().take(len / 6 * 6).collect();
            let (frame, seen) = if rng.once_in(2) {
                (Frame::text(&text), Seen::Text(text))
            } else {
                let payload = vec![number; len];
                (Frame::binary(&payload), Seen::Binary(payload))
            };
            sent.push(seen);
            wire.extend(frame.by(Role::Client));
            if rng.once_in(3) {
                sent.push(Seen::Ping(b"p".to_vec()));
                wire.extend(Frame::ping("p").by(Role::Client));
            }
        }
        Self { endpoint: Endpoint::new(Role::Server), sent, wire, read: 0 }
    }

    /// One read, and perhaps a wait.
    fn read(&mut self, scratch: &mut Scratch, rng: &mut Rng) {
        if !rng.once_in(4) {
            self.endpoint.swap_scratch(scratch, true);
        }
        let buffer = self.endpoint.connection.receiver().buffer();
        let room = buffer.capacity() - buffer.len();
        let rest = &self.wire[self.read..];
        let len = rest.len().min(room).min(1 + rng.below(200 * KIB));
        buffer.extend_from_slice(&rest[..len]);
        self.read += len;
        while let Progress::Ready = self.endpoint.connection.advance() {
            if rng.once_in(2) { self.endpoint.note_owned() } else { self.endpoint.note() }
        }
        if rng.once_in(2) {
            self.endpoint.swap_scratch(scratch, false);
        }
    }
}
