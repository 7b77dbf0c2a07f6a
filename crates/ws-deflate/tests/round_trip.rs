//! Whatever was agreed on and however messages are cut, what comes out is what went in.

mod support;

use proptest::prelude::*;
use support::{COMPRESSED, connect, cut, noise, oracle, pass, prose};
use ws_deflate::{Level, MemoryLevel, Options, Strategy as Kind, Takeover, WindowBits};
use ws_extensions::{Chain, Compress, MessageHead, Route};
use ws_frame::{DataKind, Rsv};

fn window() -> impl Strategy<Value = WindowBits> {
    (8..=15u8).prop_map(|bits| WindowBits::new(bits).unwrap())
}

fn takeover() -> impl Strategy<Value = Takeover> {
    prop::sample::select(vec![Takeover::Keep, Takeover::Reset])
}

fn options() -> impl Strategy<Value = Options> {
    let kinds = vec![Kind::Default, Kind::Filtered, Kind::HuffmanOnly, Kind::Rle, Kind::Fixed];
    let compressor = (0..=9u8, 1..=9u8, prop::sample::select(kinds), 0..3_000usize);
    let limits = (takeover(), takeover(), window(), window());
    (compressor, limits, any::<[bool; 2]>(), 0..2_000usize).prop_map(
        |((level, memory, kind, chunk), (own, peer, own_bits, peer_bits), [closed, defer], size)| {
            let mut options = Options::new()
                .level(Level::new(level).unwrap())
                .memory_level(MemoryLevel::new(memory).unwrap())
                .strategy(kind)
                .chunk_size(chunk)
                .threshold(size)
                .takeover(own)
                .peer_takeover(peer)
                .window_bits(own_bits)
                .peer_window_bits(peer_bits)
                .limits_optional();
            if closed {
                options = options.refuse_window_limit();
            }
            if defer { options.defer_from(size) } else { options }
        },
    )
}

/// A message, its hint, and where it is cut by the sender and by the frames.
type Message = (Vec<u8>, Compress, Vec<usize>, Vec<usize>);

fn message() -> impl Strategy<Value = Message> {
    let data = prop_oneof![
        3 => (any::<u64>(), 0..6_000usize).prop_map(|(seed, len)| prose(seed, len)),
        1 => (any::<u64>(), 0..6_000usize).prop_map(|(seed, len)| noise(seed, len)),
        1 => (any::<u8>(), 0..80_000usize).prop_map(|(byte, len)| vec![byte; len]),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    let hint = prop::sample::select(vec![Compress::Default, Compress::Yes, Compress::No]);
    let cuts = || prop::collection::vec(any::<usize>(), 0..4);
    (data, hint, cuts(), cuts())
}

/// Sends a message from one chain to the other. Gives the compressed payload, if it was compressed.
fn send(from: &mut Chain, to: &mut Chain, (data, hint, sent, received): &Message) -> Option<Vec<u8>> {
    let head = MessageHead::new(DataKind::Text).with_compress(*hint);
    let (head, made) = pass(from, head, &cut(data, sent)).unwrap();
    let payload = made.concat();
    if head.rsv.is_empty() {
        assert_eq!(payload, *data);
        assert_eq!(to.begin(head, Some(data.len())), Route::Direct);
        return None;
    }
    assert_eq!(head.rsv, Rsv::RSV1);
    assert_ne!(*hint, Compress::No);
    let (head, made) = pass(to, COMPRESSED, &cut(&payload, received)).unwrap();
    assert!(head.rsv.is_empty());
    assert_eq!(made.concat(), *data);
    Some(payload)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn what_comes_out_is_what_went_in(
        (client, server) in (options(), options()),
        messages in prop::collection::vec((any::<bool>(), message()), 1..12),
    ) {
        let (mut client, mut server, _) = connect(client, server);
        for (down, message) in messages {
            let (from, to) = match down {
                true => (&mut server.outgoing, &mut client.incoming),
                false => (&mut client.outgoing, &mut server.incoming),
            };
            send(from, to, &message);
            prop_assert!(from.is_idle() && to.is_idle());
        }
    }

    /// Checked with an inflater of another make: the distances are within the agreed window, 256 bytes too, and the
    /// window's contents are the messages that were sent compressed, and no others.
    #[test]
    fn nothing_refers_back_further_than_agreed(
        bits in window(),
        level in 0..=9u8,
        takeover in takeover(),
        messages in prop::collection::vec(message(), 1..6),
    ) {
        let level = Level::new(level).unwrap();
        let options = Options::new().level(level).takeover(takeover).window_bits(bits).threshold(0);
        let (mut client, mut server, _) = connect(options, Options::smallest());
        let mut window = Vec::new();
        for mut message in messages {
            message.0.truncate(20_000);
            let Some(payload) = send(&mut client.outgoing, &mut server.incoming, &message) else { continue };
            let inflated = oracle::inflate(&window, &payload).expect("a valid stream");
            prop_assert_eq!(&inflated.data[window.len()..], &message.0[..]);
            prop_assert!(inflated.distance <= bits.bytes(), "{} bytes back", inflated.distance);
            if takeover == Takeover::Keep {
                // A peer that forgets all but the agreed window still reads the next one.
                window = inflated.data[inflated.data.len().saturating_sub(bits.bytes())..].to_vec();
            }
        }
    }
}

/// The property above, on data that has something to find at every distance and at each level.
#[test]
fn a_window_of_eight_bits_is_never_left() {
    for level in 1..=9 {
        for kind in [Kind::Default, Kind::Filtered, Kind::Rle, Kind::Fixed] {
            let options = Options::new()
                .level(Level::new(level).unwrap())
                .strategy(kind)
                .takeover(Takeover::Keep)
                .window_bits(WindowBits::MIN);
            let (mut client, _, answer) = connect(options, Options::smallest());
            assert!(answer.ends_with("client_max_window_bits=8"), "{answer}");
            let (mut known, mut farthest) = (Vec::new(), 0);
            for period in (200..300).step_by(6).chain([400, 511, 512, 513]) {
                let data = noise(period as u64, period).repeat(4);
                let payload = support::compress(&mut client.outgoing, &data);
                let inflated = oracle::inflate(&known, &payload).unwrap();
                assert_eq!(inflated.data[known.len()..], data);
                farthest = farthest.max(inflated.distance);
                known = inflated.data[inflated.data.len() - 256..].to_vec();
            }
            assert!(farthest <= 250, "level {level}, {kind:?}: {farthest} bytes back");
            assert!(
                kind == Kind::Rle || farthest > 200,
                "level {level}, {kind:?}: {farthest} bytes back only"
            );
        }
    }
}

/// Jobs that come back in any order, where no context is kept: messages keep theirs.
#[test]
fn deferred_messages_keep_their_order() {
    let options = Options::new().defer_from(100);
    let (mut client, mut server, _) = connect(options.takeover(Takeover::Reset), options);
    let texts: Vec<Vec<u8>> = (0..8).map(|seed| prose(seed, 2_000)).collect();
    for text in &texts {
        let head = MessageHead::new(DataKind::Text);
        assert_eq!(client.outgoing.begin(head, Some(text.len())), Route::Queued);
        client.outgoing.push(text, true);
    }
    let mut jobs: Vec<_> = std::iter::from_fn(|| client.outgoing.next_job()).collect();
    assert_eq!(jobs.len(), texts.len(), "they run beside each other");
    let middle = jobs.remove(4);
    jobs.push(middle);
    for (id, job) in jobs.into_iter().rev() {
        client.outgoing.complete_job(id, job.run().unwrap());
    }
    for text in &texts {
        let front = client.outgoing.front().unwrap();
        assert!(front.finished);
        assert_eq!(front.head.rsv, Rsv::RSV1);
        let payload = front.data.split();
        client.outgoing.pop();
        assert_eq!(support::decompress(&mut server.incoming, &payload).unwrap(), *text);
    }
    // Where it is kept, one at a time.
    let (mut client, ..) = connect(options.takeover(Takeover::Keep), options.peer_takeover(Takeover::Keep));
    for text in &texts {
        let _ = client.outgoing.begin(MessageHead::new(DataKind::Text), Some(text.len()));
        client.outgoing.push(text, true);
    }
    assert_eq!(std::iter::from_fn(|| client.outgoing.next_job()).count(), 1);
}
