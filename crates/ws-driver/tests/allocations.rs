//! What is allocated, and how much is held: a counting allocator around everything.

use std::time::Instant;

use bytes::Buf;
use ws_driver::{
    Config, Connection, DataKind, Event, Limits, Message, Negotiated, Payload, Progress, Receiver, Role,
    Scratch, Sender, Shared, Timeouts,
};
use ws_testkit::{Frame, Heap};

#[global_allocator]
static HEAP: Heap = Heap;

const BATCH: usize = 16;
const WARM_UP: usize = 1_000;
const MEASURED: usize = if cfg!(debug_assertions) { 20_000 } else { 100_000 };

thread_local! {
    /// Settings as connections share them.
    static SETTINGS: (Shared<Limits>, Shared<Timeouts>) = (Shared::default(), Shared::default());
}

fn connection(role: Role) -> Connection {
    let mut config = Config::new(role);
    (config.limits, config.timeouts) = SETTINGS.with(Clone::clone);
    Connection::new(config, Negotiated::default(), Instant::now())
}

/// Reads `wire` as an I/O layer does, batch by batch, hands each message to `on`, and writes what is queued.
fn pump(
    connection: &mut Connection,
    scratch: &mut Scratch,
    wire: &[u8],
    mut on: impl FnMut(&mut Receiver, &mut Sender),
) {
    let mut rest = wire;
    loop {
        while let Progress::Ready = connection.advance() {
            let (receiver, sender) = connection.halves();
            on(receiver, sender);
        }
        let outbox = connection.sender().outbox();
        outbox.advance(outbox.remaining());
        if rest.is_empty() {
            connection.detach(scratch);
            return;
        }
        connection.attach(scratch);
        let buffer = connection.receiver().buffer();
        let len = rest.len().min(buffer.capacity() - buffer.len());
        buffer.extend_from_slice(&rest[..len]);
        rest = &rest[len..];
    }
}

/// Every size that is spoken of, as text and as binary, in both roles.
fn rows() -> impl Iterator<Item = (Role, usize, Frame)> {
    [Role::Server, Role::Client].into_iter().flat_map(|role| {
        [16, 125, 1024, 16 * 1024].into_iter().flat_map(move |len| {
            [Frame::text(vec![b'x'; len]), Frame::binary(vec![0xFF; len])].map(|frame| (role, len, frame))
        })
    })
}

fn forward(receiver: &mut Receiver, sender: &mut Sender) {
    if let Event::Message(message) = receiver.event() {
        sender.forward(message).unwrap();
    }
}

fn send_owned(receiver: &mut Receiver, sender: &mut Sender) {
    if let Event::Message(message) = receiver.event() {
        sender.send(message.into_message()).unwrap();
    }
}

#[test]
fn a_lent_echo_allocates_nothing() {
    for (role, len, frame) in rows() {
        let mut connection = connection(role);
        let mut scratch = Scratch::default();
        let wire = frame.by(role.peer()).repeat(BATCH);
        for _ in 0..WARM_UP.div_ceil(BATCH) {
            pump(&mut connection, &mut scratch, &wire, forward);
        }
        let before = Heap::calls();
        for _ in 0..MEASURED / BATCH {
            pump(&mut connection, &mut scratch, &wire, forward);
        }
        assert_eq!(Heap::calls() - before, 0, "{role:?}, {len} bytes, opcode {}", frame.opcode);
    }
}

/// Pings and messages in fragments are no exception: one buffer for each batch joins the fragments.
#[test]
fn pings_and_fragments_allocate_next_to_nothing() {
    let mut connection = connection(Role::Server);
    let mut scratch = Scratch::default();
    let frames =
        [Frame::text("ab").unfinished(), Frame::ping("p"), Frame::continuation("cd"), Frame::ping("q")];
    let wire: Vec<u8> = frames.iter().flat_map(|frame| frame.by(Role::Client)).collect();
    let wire = wire.repeat(BATCH);
    for _ in 0..100 {
        pump(&mut connection, &mut scratch, &wire, forward);
    }
    let before = Heap::calls();
    for _ in 0..100 {
        pump(&mut connection, &mut scratch, &wire, forward);
    }
    let batches = 100;
    assert!(Heap::calls() - before <= 2 * batches, "{} for {batches} batches", Heap::calls() - before);
}

#[test]
fn an_owned_echo_allocates_once_in_a_batch_at_most() {
    for (role, len, frame) in rows() {
        let mut connection = connection(role);
        let mut scratch = Scratch::default();
        let wire = frame.by(role.peer()).repeat(BATCH);
        for _ in 0..WARM_UP.div_ceil(BATCH) {
            pump(&mut connection, &mut scratch, &wire, send_owned);
        }
        let before = Heap::calls();
        let batches = MEASURED / BATCH;
        for _ in 0..batches {
            pump(&mut connection, &mut scratch, &wire, send_owned);
        }
        let count = Heap::calls() - before;
        println!("{role:?}, {len} bytes, opcode {}: {count} in {batches} batches", frame.opcode);
        assert!(count <= batches, "{role:?}, {len} bytes: {count} in {batches} batches");
    }
}

/// Messages that the application keeps for the length of a batch share their memory.
#[test]
fn messages_that_are_kept_share_their_memory() {
    let mut connection = connection(Role::Server);
    let mut scratch = Scratch::default();
    let wire = Frame::binary([7; 1000]).by(Role::Client).repeat(BATCH);
    let mut kept: Vec<Message> = Vec::with_capacity(BATCH);
    let mut worst = 0;
    for round in 0..200 {
        let before = Heap::calls();
        pump(&mut connection, &mut scratch, &wire, |receiver, _| {
            if let Event::Message(message) = receiver.event() {
                kept.push(message.into_message());
            }
        });
        if round > 10 {
            worst = worst.max(Heap::calls() - before);
        }
        assert_eq!(kept.len(), BATCH);
        kept.clear();
    }
    assert!(worst <= 1, "{worst} in one batch");
}

#[test]
fn a_length_that_is_announced_is_not_allocated() {
    for header in
        [Frame::header(true, 0, 2, Some([0; 4]), 1 << 62), Frame::header(false, 0, 2, Some([0; 4]), 1 << 62)]
    {
        let mut config = Config::new(Role::Server);
        config.limits.max_message_len = Limits::UNLIMITED;
        let mut connection = Connection::new(config, Negotiated::default(), Instant::now());
        Heap::forget_peak();
        let before = Heap::held();
        for byte in header {
            connection.receiver().buffer().extend_from_slice(&[byte]);
            assert_eq!(connection.advance(), Progress::NeedBytes);
        }
        let _room = connection.receiver().buffer();
        assert!(Heap::peak() - before <= 68 * 1024, "{} bytes", Heap::peak() - before);
    }
}

#[test]
fn the_buffer_grows_with_what_has_arrived() {
    const LEN: usize = 1 << 20;
    for step in [997, 4096, 65_536] {
        let mut connection = connection(Role::Server);
        let wire = Frame::binary(vec![1; LEN]).by(Role::Client);
        let mut received = 0;
        Heap::forget_peak();
        let before = Heap::held();
        let mut rest = &wire[..];
        while !rest.is_empty() {
            let buffer = connection.receiver().buffer();
            let room = buffer.capacity() - buffer.len();
            assert!(room > 0, "there is always room");
            let len = rest.len().min(step).min(room);
            buffer.extend_from_slice(&rest[..len]);
            received += len;
            rest = &rest[len..];
            let _progress = connection.advance();
            let most = (68 * 1024).max(2 * received).cast_signed();
            assert!(Heap::peak() - before <= most, "{} bytes for {received} received", Heap::peak() - before);
        }
    }
}

#[test]
fn a_buffer_that_has_just_grown_is_kept_over_a_wait() {
    let mut connection = connection(Role::Server);
    let mut scratch = Scratch::default();
    let wire = Frame::binary(vec![1; 1 << 20]).by(Role::Client);
    let mut rest = &wire[..];
    connection.attach(&mut scratch);
    while wire.len() - rest.len() < 200 * 1024 {
        let buffer = connection.receiver().buffer();
        let (read, behind) = rest.split_at(buffer.capacity() - buffer.len());
        buffer.extend_from_slice(read);
        rest = behind;
        assert_eq!(connection.advance(), Progress::NeedBytes);
    }
    let _grown = connection.receiver().buffer();
    let before = Heap::calls();
    connection.detach(&mut scratch);
    connection.attach(&mut scratch);
    let buffer = connection.receiver().buffer();
    assert!(buffer.capacity() > buffer.len());
    assert!(Heap::calls() - before <= 1, "{} allocations", Heap::calls() - before); // the read buffer of the others
}

#[test]
fn fragments_cost_no_memory_of_their_own() {
    const COUNT: usize = 131_072;
    for len in [0, 1] {
        let mut connection = connection(Role::Server);
        let mut scratch = Scratch::default();
        let fragment = Frame::continuation(vec![b'x'; len]).unfinished().by(Role::Client).repeat(1024);
        pump(&mut connection, &mut scratch, &[], forward);
        let first = Frame::binary(vec![b'x'; len]).unfinished().by(Role::Client);
        pump(&mut connection, &mut scratch, &first, forward);
        Heap::forget_peak();
        let before = Heap::held();
        for _ in 0..COUNT / 1024 - 1 {
            pump(&mut connection, &mut scratch, &fragment, forward);
        }
        let held_now = Heap::held() - before;
        assert!(held_now <= (2 * COUNT * len).cast_signed(), "{held_now} bytes for {COUNT} of {len}");
        assert!(
            Heap::peak() - before <= (3 * COUNT * len).cast_signed() + 4096,
            "{} bytes",
            Heap::peak() - before
        );
        assert_eq!(connection.closed(), None);
    }
}

#[test]
fn an_idle_connection_holds_no_buffer() {
    drop(connection(Role::Server)); // makes the shared settings
    for role in [Role::Server, Role::Client] {
        for echo in [forward as fn(&mut Receiver, &mut Sender), send_owned] {
            let before = Heap::held();
            let mut connection = connection(role);
            assert_eq!(Heap::held() - before, 0, "a new one");
            let mut scratch = Scratch::default();
            let peer = role.peer();
            let large = Frame::binary(vec![1; 1 << 20]);
            let traffic = [
                Frame::text("short").by(peer),
                Frame::ping("p").by(peer),
                [Frame::text("in ").unfinished().by(peer), Frame::continuation("fragments").by(peer)]
                    .concat(),
                large.by(peer),
                [Frame::binary(vec![1; 40_000]).unfinished().by(peer), Frame::continuation("x").by(peer)]
                    .concat(),
                Frame::text(vec![b'x'; 20_000]).by(peer),
            ];
            for wire in &traffic {
                for piece in wire.chunks(1000) {
                    pump(&mut connection, &mut scratch, piece, echo);
                }
            }
            connection.sender().write(DataKind::Binary, &[0; 100_000]).unwrap();
            connection.sender().send(Message::Binary(Payload::from(vec![0; 100_000]))).unwrap();
            pump(&mut connection, &mut scratch, &[], echo);
            drop(scratch);
            drop(traffic);
            drop(large);
            assert_eq!(Heap::held() - before, 0, "{role:?}");
        }
    }
}

/// A short rest does not keep a large buffer.
#[test]
fn a_short_rest_is_kept_in_little_memory() {
    for lends in [true, false] {
        let mut connection = connection(Role::Server);
        let mut scratch = Scratch::default();
        let wire = [Frame::binary(vec![1; 1 << 20]).by(Role::Client), vec![0x82, 0x85, 0]].concat();
        let before = Heap::held();
        if lends {
            pump(&mut connection, &mut scratch, &wire, forward);
        } else {
            connection.receiver().buffer().extend_from_slice(&wire);
            assert_eq!(connection.advance(), Progress::Ready);
            assert_eq!(connection.advance(), Progress::NeedBytes);
            connection.receiver().detach(&mut scratch);
        }
        drop(scratch);
        assert!(Heap::held() - before <= 16, "{} bytes are held", Heap::held() - before);
    }
}

#[test]
fn a_connection_is_small() {
    let size = size_of::<Connection>();
    println!("Connection: {size}, Receiver: {}, Sender: {}", size_of::<Receiver>(), size_of::<Sender>());
    assert!(size <= 536, "{size} bytes");
    assert!(size_of::<Message>() <= 40);
}
