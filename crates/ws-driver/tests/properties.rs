//! The driver against an oracle that shares no code with it, for random streams and every way of cutting them.

use proptest::prelude::*;
use ws_driver::{Config, Delivery, Limits, Progress, Role, Scratch};
use ws_testkit::{Bounds, End, Endpoint, Frame, Hostility, Link, Oracle, Rng, Seen, streams};

/// What came of a stream.
#[derive(Debug, PartialEq)]
struct Outcome {
    seen: Vec<Seen>,
    end: End,
    answer: Option<Option<u16>>,
}

fn expected(role: Role, bounds: Bounds, stream: &[u8]) -> Outcome {
    let mut oracle = Oracle::judge(role, bounds, stream);
    oracle.end_of_stream();
    Outcome { answer: oracle.answer(), seen: oracle.seen, end: oracle.end }
}

fn outcome(endpoint: &mut Endpoint) -> Outcome {
    let _ended = endpoint.end_of_stream();
    let answer = endpoint.sent_close();
    Outcome { seen: std::mem::take(&mut endpoint.seen), end: endpoint.end(), answer }
}

fn driven<'a>(config: Config, pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut endpoint = Endpoint::with(config);
    for piece in pieces {
        let _progress = endpoint.read(piece);
    }
    outcome(&mut endpoint)
}

/// A role, and what its peer sends.
fn role_and_bytes() -> impl Strategy<Value = (Role, Vec<u8>)> {
    streams::role().prop_flat_map(|role| (Just(role), streams::bytes_for(role)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_oracle_however_the_stream_is_cut((role, bytes) in role_and_bytes(), cuts in streams::cuts()) {
        let expected = expected(role, Bounds::default(), &bytes);
        prop_assert_eq!(&driven(Config::new(role), [&bytes[..]]), &expected, "uncut");
        prop_assert_eq!(&driven(Config::new(role), streams::pieces(&bytes, &cuts)), &expected, "cut at {:?}", cuts);
        if bytes.len() <= 200 {
            for at in 0..=bytes.len() {
                let pieces = [&bytes[..at], &bytes[at..]];
                prop_assert_eq!(&driven(Config::new(role), pieces), &expected, "cut at {}", at);
            }
        }
        if bytes.len() <= 4096 {
            prop_assert_eq!(&driven(Config::new(role), bytes.chunks(1)), &expected, "byte by byte");
        }
    }

    #[test]
    fn a_violation_is_found_at_its_first_byte((role, bytes) in role_and_bytes()) {
        prop_assume!(bytes.len() <= 4096);
        let oracle = Oracle::judge(role, Bounds::default(), &bytes);
        let mut endpoint = Endpoint::new(role);
        for (at, byte) in bytes.iter().enumerate() {
            let ended = endpoint.read(&[*byte]) == Progress::Closed;
            let expected = oracle.end != End::Open && at + 1 >= oracle.consumed;
            prop_assert_eq!(ended, expected, "after byte {} of {}", at, oracle.consumed);
        }
    }

    #[test]
    fn parts_carry_what_whole_messages_do(
        (role, bytes) in role_and_bytes(),
        cuts in streams::cuts(),
        switches in proptest::collection::vec(any::<bool>(), 10),
    ) {
        let expected = expected(role, Bounds::default(), &bytes);
        let mut always = Config::new(role);
        always.delivery = Delivery::Parts;
        prop_assert_eq!(&driven(always, streams::pieces(&bytes, &cuts)), &expected, "parts");
        if bytes.len() <= 4096 {
            let mut always = Config::new(role);
            always.delivery = Delivery::Parts;
            prop_assert_eq!(&driven(always, bytes.chunks(1)), &expected, "parts byte by byte");
        }
        for one_byte in [false, true] {
            let mut endpoint = Endpoint::new(role);
            let pieces = if one_byte && bytes.len() <= 4096 {
                bytes.chunks(1).collect()
            } else {
                streams::pieces(&bytes, &cuts)
            };
            for (piece, parts) in pieces.into_iter().zip(switches.iter().cycle()) {
                let delivery = if *parts { Delivery::Parts } else { Delivery::Whole };
                endpoint.connection.receiver().set_delivery(delivery);
                let _progress = endpoint.read(piece);
            }
            prop_assert_eq!(&outcome(&mut endpoint), &expected, "switched");
        }
    }

    #[test]
    fn scratch_buffers_that_come_and_go_change_nothing(
        (role, bytes) in role_and_bytes(),
        cuts in streams::cuts(),
        moves in proptest::collection::vec(0..4u8, 12),
        owned in any::<bool>(),
    ) {
        let expected = expected(role, Bounds::default(), &bytes);
        let mut scratch = Scratch::default();
        let mut endpoint = Endpoint::new(role);
        let mut moves = moves.iter().cycle();
        let mut step = |endpoint: &mut Endpoint| match moves.next() {
            Some(0) => endpoint.swap_scratch(&mut scratch, true),
            Some(1) => endpoint.swap_scratch(&mut scratch, false),
            Some(2) => {
                endpoint.swap_scratch(&mut scratch, false);
                endpoint.swap_scratch(&mut scratch, true);
            }
            _ => {}
        };
        for piece in streams::pieces(&bytes, &cuts) {
            step(&mut endpoint);
            endpoint.connection.receiver().buffer().extend_from_slice(piece);
            step(&mut endpoint);
            while let Progress::Ready = endpoint.connection.advance() {
                step(&mut endpoint);
                if owned { endpoint.note_owned() } else { endpoint.note() }
                step(&mut endpoint);
            }
        }
        prop_assert_eq!(outcome(&mut endpoint), expected);
    }

    #[test]
    fn limits_hold_to_the_byte(
        (role, bytes) in role_and_bytes(),
        cuts in streams::cuts(),
        message in 0..60usize,
        frame in prop_oneof![Just(Limits::UNLIMITED), 0..60usize],
        fragments in prop_oneof![Just(Limits::UNLIMITED), 1..4usize],
        parts in any::<bool>(),
    ) {
        let bounds = Bounds { message: message as u64, frame: frame as u64, fragments };
        let expected = expected(role, bounds, &bytes);
        let mut config = Config::new(role);
        config.limits.max_message_len = message;
        config.limits.max_frame_len = frame;
        config.limits.max_fragments = fragments;
        config.delivery = if parts { Delivery::Parts } else { Delivery::Whole };
        prop_assert_eq!(driven(config, streams::pieces(&bytes, &cuts)), expected);
    }

    #[test]
    fn what_one_side_sends_the_other_reads(
        sent in proptest::collection::vec((streams::role(), any::<bool>(), streams::text(300), 0..70_000usize), 0..12),
        dribble in any::<bool>(),
        seed in any::<u64>(),
        frame_len in prop_oneof![3 => Just(Limits::UNLIMITED), 1 => 1..100usize],
    ) {
        let mut link = link(if dribble { Hostility::DRIBBLE } else { Hostility::NONE }, seed, frame_len);
        let mut expected = [Vec::new(), Vec::new()];
        let mut rng = Rng::new(seed);
        for (role, binary, text, padding) in sent {
            let message = if binary {
                let padding = if dribble { padding % 300 } else { padding };
                Seen::binary(vec![text.len().to_le_bytes()[0]; padding])
            } else {
                Seen::text(text)
            };
            let sends = match role {
                Role::Client => &mut link.client,
                Role::Server => &mut link.server,
            };
            sends.send(&message, &mut rng);
            expected[usize::from(role == Role::Client)].push(message);
            if rng.once_in(3) {
                link.run();
            }
        }
        link.client.connection.sender().close(ws_driver::CloseCode::NORMAL, "bye").unwrap();
        link.run();
        prop_assert!(link.is_over());
        prop_assert_eq!(&link.client.seen, &expected[0]);
        prop_assert_eq!(&link.server.seen, &expected[1]);
        let (client, server) = (link.client.connection.closed().unwrap(), link.server.connection.closed().unwrap());
        prop_assert!(client.is_clean() && server.is_clean());
        prop_assert_eq!((client.code, server.code, server.reason.as_str()), (1000, 1000, "bye"));
    }

    #[test]
    fn an_end_at_any_byte_loses_nothing_that_was_whole(
        messages in proptest::collection::vec(streams::text(30), 1..6),
        end in 0..200usize,
        seed in any::<u64>(),
    ) {
        let hostility = Hostility { end_after: Some(end), ..Hostility::DRIBBLE };
        let mut link = link(hostility, seed, Limits::UNLIMITED);
        let mut whole = 0;
        let mut wire = 0;
        for message in &messages {
            link.client.connection.sender().write(ws_driver::DataKind::Text, message.as_bytes()).unwrap();
        }
        link.client.connection.sender().close(ws_driver::CloseCode::NORMAL, "").unwrap();
        link.run();
        // The server sends nothing before the Close comes, so all bytes that move are the client's until then.
        for message in &messages {
            wire += Frame::text(message).by(Role::Client).len();
            whole += usize::from(wire <= end);
        }
        let expected: Vec<Seen> = messages.iter().take(whole).map(Seen::text).collect();
        prop_assert_eq!(&link.server.seen, &expected);
        let ends = [link.client.end(), link.server.end()];
        for end in ends {
            prop_assert!(matches!(end, End::Lost | End::Close(_)), "{:?}", end);
        }
    }
}

fn link(hostility: Hostility, seed: u64, frame_len: usize) -> Link {
    let endpoint = |role| {
        let mut config = Config::new(role);
        config.limits.max_sent_frame_len = frame_len;
        Endpoint::with(config)
    };
    Link::new(endpoint(Role::Client), endpoint(Role::Server), hostility, seed)
}

/// Noise is seldom a long legal stream, but it must never do harm.
#[test]
fn noise_never_panics() {
    let cases = if cfg!(debug_assertions) { 4096 } else { 100_000 };
    for seed in 0..cases {
        let mut rng = Rng::new(seed);
        let role = if rng.once_in(2) { Role::Client } else { Role::Server };
        let mut config = Config::new(role);
        config.delivery = if rng.once_in(2) { Delivery::Parts } else { Delivery::Whole };
        config.validate_utf8 = !rng.once_in(4);
        config.auto_pong = !rng.once_in(4);
        let mut endpoint = Endpoint::with(config);
        for _ in 0..rng.below(40) {
            let len = rng.below(12);
            let noise: Vec<u8> = (0..len).map(|_| rng.next_u64().to_le_bytes()[0]).collect();
            let _progress = endpoint.read(&noise);
            endpoint.wait(rng.next_u64() % 7);
            if rng.once_in(20) {
                let _progress = endpoint.end_of_stream();
            }
            if rng.once_in(3) {
                let _wire = endpoint.write();
            }
        }
    }
}
