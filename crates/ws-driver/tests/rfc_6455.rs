//! Rules of RFC 6455 about every kind of frame at once, read off the bytes.

use ws_driver::{CloseCode, Config, DataKind, Message, Role};
use ws_testkit::{Endpoint, Frame};

/// An endpoint that has sent frames of every kind: messages, empty, whole and in parts, large enough for every form of
/// length, a ping, a pong that answers one, and a Close.
fn wire_of_everything(config: Config) -> Vec<u8> {
    let mut endpoint = Endpoint::with(config);
    let sender = endpoint.connection.sender();
    sender.write(DataKind::Text, b"text").unwrap();
    sender.write(DataKind::Binary, b"").unwrap();
    sender.write(DataKind::Binary, &[1; 200]).unwrap();
    sender.send(Message::from(vec![2; 70_000])).unwrap();
    sender.start(DataKind::Text).unwrap();
    sender.append(b"part").unwrap();
    sender.finish().unwrap();
    sender.ping(&[3; 125]).unwrap();
    let _progress = endpoint.read_frame(&Frame::ping([4; 125]));
    let mut wire = endpoint.write();
    endpoint.connection.sender().close(CloseCode::NORMAL, &"r".repeat(123)).unwrap();
    wire.extend(endpoint.write());
    wire
}

/// First byte, mask bit and length of each frame.
fn headers(mut wire: &[u8]) -> Vec<(u8, bool, usize)> {
    let mut headers = Vec::new();
    while let [first, second, rest @ ..] = wire {
        let extended = [0, 2, 8][usize::from((second & 127).saturating_sub(125))];
        let len = match extended {
            0 => usize::from(second & 127),
            _ => rest[..extended].iter().fold(0, |len, &byte| len << 8 | usize::from(byte)),
        };
        let is_masked = second & 128 != 0;
        headers.push((*first, is_masked, len));
        wire = &rest[extended + if is_masked { 4 } else { 0 } + len..];
    }
    assert!(wire.is_empty(), "whole frames");
    headers
}

/// What was sent, as first bytes and lengths.
const EVERYTHING: [(u8, usize); 9] = [
    (0x81, 4),
    (0x82, 0),
    (0x82, 200),
    (0x82, 70_000),
    (0x01, 4),
    (0x80, 0),
    (0x89, 125),
    (0x8A, 125),
    (0x88, 125),
];

/// Section 5.1.
#[test]
fn every_kind_of_frame_is_masked_by_a_client_and_by_no_server() {
    for (role, is_masked) in [(Role::Client, true), (Role::Server, false)] {
        let expected: Vec<_> = EVERYTHING.iter().map(|&(first, len)| (first, is_masked, len)).collect();
        assert_eq!(headers(&wire_of_everything(Config::new(role))), expected, "{role:?}");
    }
}

/// Section 5.2.
#[test]
fn no_reserved_bit_is_sent_without_an_extension() {
    for role in [Role::Client, Role::Server] {
        for (first, ..) in headers(&wire_of_everything(Config::new(role))) {
            assert_eq!(first & 0x70, 0, "{first:#04x}");
        }
    }
}

/// Section 5.4: whatever frames are cut to, control frames are not.
#[test]
fn control_frames_are_whole_however_short_frames_are_to_be() {
    for role in [Role::Client, Role::Server] {
        let mut config = Config::new(role);
        config.limits.max_sent_frame_len = 100;
        let headers = headers(&wire_of_everything(config));
        let (control, data): (Vec<_>, Vec<_>) = headers.iter().partition(|(first, ..)| first & 8 != 0);
        let control: Vec<_> = control.into_iter().map(|(first, _, len)| (first, len)).collect();
        assert_eq!(control, EVERYTHING[6..]);
        assert!(data.iter().all(|&(_, _, len)| len <= 100) && data.len() > 700, "data is cut");
    }
}
