//! What a connection holds: nothing before there is a message, nothing after one unless contexts are kept, and the
//! window alone of what is inflated.

mod support;

use support::{bits, compress, decompress, prose, registry};
use ws_deflate::{Options, Takeover};
use ws_extensions::{MessageHead, Negotiated, Registry, SessionOptions};
use ws_frame::{DataKind, Role};
use ws_testkit::Heap;

#[global_allocator]
static HEAP: Heap = Heap;

/// A registered server, and the ends of `connections` that it accepted.
fn servers(options: Options, connections: usize) -> (Registry, Vec<Negotiated>) {
    let registry = registry(options);
    let session = SessionOptions::new(Role::Server, None);
    let offer = Some("permessage-deflate; client_max_window_bits");
    let accepted = (0..connections).map(|_| registry.respond(offer, &session).unwrap()).collect();
    (registry, accepted)
}

/// Lets every connection receive and send messages, enough to fill each window, and give back its buffers.
fn talk(connections: &mut [Negotiated]) {
    let text = prose(7, 40_000);
    for connection in connections {
        let payload = compress(&mut connection.outgoing, &text);
        compress(&mut connection.outgoing, &text);
        // What it has compressed reads as well as what a peer has, if it is the first message.
        assert_eq!(decompress(&mut connection.incoming, &payload).unwrap(), text);
        connection.incoming.shrink();
        connection.outgoing.shrink();
    }
}

/// Bytes per connection, before and after messages.
fn cost(options: Options) -> (isize, isize) {
    const CONNECTIONS: usize = 4;
    // What a connection without extensions has in any case.
    let plain = CONNECTIONS * size_of::<Negotiated>();
    let before = Heap::held() + plain as isize;
    let (registry, mut connections) = servers(options.pool_size(0), CONNECTIONS);
    let idle = Heap::held() - before;
    talk(&mut connections);
    let used = Heap::held() - before;
    drop((registry, connections));
    assert_eq!(Heap::held() + plain as isize, before, "something was not given back");
    (idle / CONNECTIONS as isize, used / CONNECTIONS as isize)
}

#[test]
fn connections_cost_what_the_documentation_says() {
    let fast = |options: Options| options.level(ws_deflate::Level::LOW_LATENCY);
    let keep = fast(Options::smallest());
    let own = Options::new().takeover(Takeover::Keep);
    let theirs = Options::new().peer_takeover(Takeover::Keep);
    let table = [
        ("nothing kept", Options::new(), 0),
        ("ours, 15 bits", own, 381_000),
        ("theirs, 15 bits", theirs, 33_000),
        ("theirs, 12 bits", theirs.peer_window_bits(bits(12)), 4_200),
        ("both, 15 bits", keep, 414_000),
        ("both, 12 bits", keep.window_bits(bits(12)).peer_window_bits(bits(12)), 276_000),
        ("both, 12 bits, memory level 5", fast(Options::small_contexts()), 170_000),
        (
            "both, 9 bits, memory level 1",
            keep.window_bits(bits(9))
                .peer_window_bits(bits(9))
                .memory_level(ws_deflate::MemoryLevel::new(1).unwrap()),
            138_000,
        ),
    ];
    let plain = cost(fast(Options::new())).1;
    assert!(plain <= 1_000, "{plain} bytes for a connection that keeps nothing");
    for (setting, options, most) in table {
        let (idle, used) = cost(fast(options));
        println!("{setting}: {idle} bytes before, {used} after, {} of them contexts", used - plain);
        assert!(idle < 1_000, "{setting}: {idle} bytes before any message");
        assert!(used - plain <= most, "{setting}: {} bytes", used - plain);
        assert!(used - plain >= most * 9 / 10, "{setting}: only {} bytes, correct the table", used - plain);
    }
}

#[test]
fn steady_messages_allocate_next_to_nothing() {
    let (_registry, mut connections) = servers(Options::new(), 1);
    let text = prose(3, 4_000);
    let connection = &mut connections[0];
    let head = MessageHead::new(DataKind::Text);
    for round in 0..200 {
        let before = Heap::calls();
        assert_eq!(connection.outgoing.begin(head, Some(text.len())), ws_extensions::Route::Queued);
        connection.outgoing.push(&text, true);
        let payload = connection.outgoing.front().unwrap().data.clone();
        connection.outgoing.pop();
        assert_eq!(connection.incoming.begin(support::COMPRESSED, None), ws_extensions::Route::Queued);
        connection.incoming.push(&payload, true);
        assert_eq!(connection.incoming.front().unwrap().data[..], text);
        connection.incoming.pop();
        if round > 10 {
            assert!(
                Heap::calls() - before <= 1,
                "the copy above is one, the rest is {}",
                Heap::calls() - before
            );
        }
    }
}

#[test]
fn an_aborted_message_holds_nothing() {
    let before = Heap::held();
    let (registry, mut connections) = servers(Options::new().pool_size(0), 10);
    let idle = Heap::held();
    for connection in &mut connections {
        let _ = connection.outgoing.begin(MessageHead::new(DataKind::Text), None);
        connection.outgoing.push(b"the first part", false);
        let _ = connection.incoming.begin(support::COMPRESSED, None);
        connection.incoming.push(&[0xf2, 0x48, 0x05], false);
        assert!(Heap::held() > idle + 48_000);
        connection.incoming.close();
        connection.outgoing.close();
        connection.incoming.shrink();
        connection.outgoing.shrink();
    }
    assert!(Heap::held() <= idle + 10 * 1_000, "{} bytes", Heap::held() - idle);
    drop((registry, connections));
    assert_eq!(Heap::held(), before);
}

#[test]
fn a_long_message_in_parts_keeps_memory_flat() {
    const PART: usize = 64 * 1024;
    let (_registry, mut servers) = servers(Options::new(), 2);
    let (mut there, mut here) = (servers.remove(0), servers.remove(0));
    let part = prose(11, PART);
    let mut received = 0;
    let _ = there.outgoing.begin(MessageHead::new(DataKind::Binary), None);
    let _ = here.incoming.begin(support::COMPRESSED, None);
    let before = Heap::held();
    Heap::forget_peak();
    for round in 0..=256 {
        let last = round == 256;
        there.outgoing.push(if last { &[] } else { &part }, last);
        let payload = there.outgoing.front().unwrap().data.split();
        here.incoming.push(&payload, last);
        let data = here.incoming.front().unwrap().data.split();
        assert_eq!(data, if last { &[][..] } else { &part }, "each part can be read when it is there");
        received += data.len();
    }
    assert_eq!(received, 256 * PART);
    assert!(Heap::peak() - before < 1 << 20, "{} bytes at the peak", Heap::peak() - before);
}

#[test]
fn a_message_that_is_refused_is_dropped_at_once() {
    const LIMIT: usize = 1 << 20;
    let (_registry, mut servers) = servers(Options::new(), 2);
    let (mut there, mut here) = (servers.remove(0), servers.remove(0));
    let payload = compress(&mut there.outgoing, &vec![0; 16 * LIMIT]);
    here.incoming.set_max_message_len(Some(LIMIT));
    let before = Heap::held();
    Heap::forget_peak();
    let _ = here.incoming.begin(support::COMPRESSED, Some(payload.len()));
    here.incoming.push(&payload, true);
    // Neither what was made of it nor the inflater waits for the end of the connection.
    assert!(Heap::held() - before < 1_000, "{} bytes are held", Heap::held() - before);
    // A buffer that doubles is there twice for a moment.
    assert!(Heap::peak() - before < 4 * LIMIT as isize, "{} bytes at the peak", Heap::peak() - before);
    assert_eq!(here.incoming.failure().unwrap().close_code(), ws_frame::CloseCode::TOO_BIG);
}
