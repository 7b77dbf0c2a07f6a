//! An echo that writes its header over the one that a message came with, wherever the stream is cut.

use std::time::Instant;

use bytes::Buf;
use ws_driver::{Config, Connection, Event, Negotiated, Progress, Role, Scratch};
use ws_testkit::Frame;

/// What a server sends that gets `wire` in pieces of `step` bytes and forwards every message.
fn echo(wire: &[u8], step: usize, max_sent_frame_len: usize) -> Vec<u8> {
    let mut config = Config::new(Role::Server);
    config.limits.max_sent_frame_len = max_sent_frame_len;
    let mut connection = Connection::new(config, Negotiated::default(), Instant::now());
    let mut scratch = Scratch::default();
    let mut sent = Vec::new();
    for piece in wire.chunks(step) {
        let (receiver, sender) = connection.halves();
        receiver.attach(&mut scratch);
        sender.attach(&mut scratch);
        receiver.buffer().extend_from_slice(piece);
        while let Progress::Ready = connection.advance() {
            let (receiver, sender) = connection.halves();
            if let Event::Message(message) = receiver.event() {
                sender.forward(message).unwrap();
            }
        }
        let outbox = connection.sender().outbox();
        while outbox.has_remaining() {
            sent.extend_from_slice(outbox.chunk());
            outbox.advance(outbox.chunk().len());
        }
        let (receiver, sender) = connection.halves();
        receiver.detach(&mut scratch);
        sender.detach(&mut scratch);
    }
    sent
}

fn frames() -> Vec<Frame> {
    [0, 16, 16_383, 16_384, 16_385, 3, 65_535, 65_536, 1 << 20, 20_000, 5]
        .into_iter()
        .enumerate()
        .map(|(at, len)| {
            let payload: Vec<u8> = (0..len).map(|n| b'a' + (n % 26) as u8).collect();
            if at % 2 == 0 { Frame::text(payload) } else { Frame::binary(payload) }
        })
        .collect()
}

#[test]
fn every_cutting_gives_the_same_echo() {
    let frames = frames();
    let wire: Vec<u8> = frames.iter().flat_map(|frame| frame.by(Role::Client)).collect();
    let expected: Vec<u8> = frames.iter().flat_map(|frame| frame.by(Role::Server)).collect();
    for step in [997, 16_384, 16_392, 65_536, 70_000, usize::MAX] {
        assert!(echo(&wire, step, usize::MAX) == expected, "in pieces of {step}");
    }
}

#[test]
fn a_long_echo_is_sent_in_fragments_where_frames_are_bounded() {
    let payload = vec![7; 40_000];
    let sent = echo(&Frame::binary(payload.clone()).by(Role::Client), usize::MAX, 30_000);
    let fragments = [
        Frame::binary(&payload[..30_000]).unfinished().by(Role::Server),
        Frame::continuation(&payload[30_000..]).by(Role::Server),
    ];
    assert!(sent == fragments.concat());
}
