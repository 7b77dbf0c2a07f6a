//! What leaves: frames, masks, messages in parts.

use bytes::Buf;
use ws_driver::{Config, DataKind, Limits, MaskSource, Message, Payload, Role, SendError};
use ws_testkit::{Endpoint, Frame, read_frames};

fn client_with_keys() -> Endpoint {
    let mut config = Config::new(Role::Client);
    let mut next = 0u8;
    config.mask_source = MaskSource::custom(move || {
        next += 1;
        [next, 0, next, 0]
    });
    Endpoint::with(config)
}

#[test]
fn headers_are_as_short_as_they_can_be() {
    for (len, header) in [
        (0, vec![0x82, 0]),
        (125, vec![0x82, 125]),
        (126, vec![0x82, 126, 0, 126]),
        (65_535, vec![0x82, 126, 0xFF, 0xFF]),
        (65_536, vec![0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
    ] {
        let payload = vec![7; len];
        for owned in [false, true] {
            let mut server = Endpoint::new(Role::Server);
            let sender = server.connection.sender();
            match owned {
                false => sender.write(DataKind::Binary, &payload).unwrap(),
                true => sender.send(Message::from(payload.clone())).unwrap(),
            }
            assert_eq!(server.write(), [&header[..], &payload].concat(), "{len} bytes, owned: {owned}");
        }
    }
}

/// RFC 6455 section 5.3: a fresh key for each frame, empty and control frames too.
#[test]
fn each_frame_of_a_client_has_a_key_of_its_own() {
    let mut client = client_with_keys();
    let sender = client.connection.sender();
    sender.write(DataKind::Text, b"one").unwrap();
    sender.write(DataKind::Binary, b"").unwrap();
    sender.ping(b"two").unwrap();
    sender.start(DataKind::Binary).unwrap();
    sender.append(b"three").unwrap();
    sender.finish().unwrap();
    sender.send(Message::from(vec![4; 10_000])).unwrap();
    sender.close_without_code();
    let frames = [
        Frame::text("one"),
        Frame::binary(""),
        Frame::ping("two"),
        Frame::binary("three").unfinished(),
        Frame::continuation(""),
        Frame::binary([4; 10_000]),
        Frame::empty_close(),
    ];
    let mut expected = Vec::new();
    for (frame, key) in frames.iter().zip(1u8..) {
        expected.extend(frame.bytes(Some([key, 0, key, 0])));
    }
    assert_eq!(client.write(), expected);
}

#[test]
fn keys_of_the_system_are_not_repeated() {
    let mut client = Endpoint::new(Role::Client);
    let mut keys = Vec::new();
    for _ in 0..1000 {
        client.connection.sender().write(DataKind::Binary, &[0; 4]).unwrap();
        keys.push(client.write()[2..6].to_vec());
    }
    keys.sort_unstable();
    keys.dedup();
    assert!(keys.len() > 990);
}

#[test]
fn the_callers_buffers_are_not_changed() {
    let data = vec![0x55; 20_000];
    let mut client = client_with_keys();
    let sender = client.connection.sender();
    sender.write(DataKind::Binary, &data).unwrap();
    assert!(data.iter().all(|byte| *byte == 0x55));
    let shared = Payload::from(data);
    let kept = shared.clone();
    sender.send(Message::Binary(shared)).unwrap();
    assert!(kept.iter().all(|byte| *byte == 0x55));
    let _written = client.write();
    assert!(kept.iter().all(|byte| *byte == 0x55));
}

#[test]
fn long_messages_are_cut_into_frames() {
    for role in [Role::Client, Role::Server] {
        for len in [0, 99, 100, 101, 200, 201, 5000, 30_000] {
            let payload = vec![b'x'; len];
            let ways: [fn(&mut Endpoint, &[u8]); 4] = [
                |endpoint, data| endpoint.connection.sender().write(DataKind::Text, data).unwrap(),
                |endpoint, data| {
                    let text = String::from_utf8(data.to_vec()).unwrap();
                    endpoint.connection.sender().send(Message::from(text)).unwrap();
                },
                |endpoint, data| {
                    endpoint.connection.sender().start(DataKind::Text).unwrap();
                    endpoint.connection.sender().finish_with(data).unwrap();
                },
                |endpoint, data| {
                    let mut other = Endpoint::new(Role::Server);
                    other
                        .connection
                        .receiver()
                        .buffer()
                        .extend_from_slice(&Frame::text(data).by(Role::Client));
                    assert_eq!(other.connection.advance(), ws_driver::Progress::Ready);
                    let ws_driver::Event::Message(message) = other.connection.event() else { panic!() };
                    endpoint.connection.sender().forward(message).unwrap();
                },
            ];
            for send in ways {
                let mut config = Config::new(role);
                config.limits.max_sent_frame_len = 100;
                let mut endpoint = Endpoint::with(config);
                send(&mut endpoint, &payload);
                let frames = endpoint.sent();
                let count = len.div_ceil(100).max(1);
                assert_eq!(frames.len(), count, "{len} bytes");
                for (n, frame) in frames.iter().enumerate() {
                    assert_eq!((frame.opcode, frame.fin), (u8::from(n == 0), n + 1 == count));
                    assert!(frame.payload.len() <= 100);
                }
                let joined: Vec<u8> = frames.into_iter().flat_map(|frame| frame.payload).collect();
                assert_eq!(joined, payload);
            }
        }
    }
}

#[test]
fn parts_that_are_empty_send_nothing_but_the_end() {
    let mut server = Endpoint::new(Role::Server);
    let sender = server.connection.sender();
    sender.start(DataKind::Text).unwrap();
    sender.append(b"").unwrap();
    sender.append(b"x").unwrap();
    sender.append(b"").unwrap();
    sender.finish().unwrap();
    sender.start(DataKind::Binary).unwrap();
    sender.finish().unwrap();
    assert_eq!(server.sent(), [Frame::text("x").unfinished(), Frame::continuation(""), Frame::binary("")]);
}

#[test]
fn messages_in_parts_are_used_in_order() {
    let mut server = Endpoint::new(Role::Server);
    let sender = server.connection.sender();
    assert_eq!(sender.append(b""), Err(SendError::NoMessageOpen));
    assert_eq!(sender.append(b"x"), Err(SendError::NoMessageOpen));
    assert_eq!(sender.finish(), Err(SendError::NoMessageOpen));
    sender.start(DataKind::Text).unwrap();
    assert!(sender.is_mid_message());
    assert_eq!(sender.start(DataKind::Text), Err(SendError::MessageOpen));
    assert_eq!(sender.write(DataKind::Text, b""), Err(SendError::MessageOpen));
    let unsent = sender.send(Message::from("back")).unwrap_err();
    assert_eq!((unsent.error, unsent.message), (SendError::MessageOpen, Message::from("back")));
    sender.ping(b"").unwrap();
    sender.finish_with(b"done").unwrap();
    assert!(!sender.is_mid_message());
    assert_eq!(server.sent(), [Frame::ping(""), Frame::text("done")]);
}

/// Frames that are copied and payloads that are not, taken by the transport in steps of every length.
#[test]
fn short_writes_change_nothing() {
    let mut expected = Vec::new();
    for step in [1, 2, 3, 100, 4096, 5000, usize::MAX] {
        let mut server = Endpoint::new(Role::Server);
        let mut wire = Vec::new();
        for n in 0..20u8 {
            let sender = server.connection.sender();
            sender.write(DataKind::Binary, &[n; 10]).unwrap();
            sender.send(Message::from(vec![n; 4096])).unwrap();
            sender.ping(&[n]).unwrap();
            let outbox = sender.outbox();
            let taken = outbox.chunk().len().min(step);
            wire.extend_from_slice(&outbox.chunk()[..taken]);
            outbox.advance(taken);
            if step == 1 {
                let frames = [Frame::binary([n; 10]), Frame::binary([n; 4096]), Frame::ping([n])];
                expected.extend(frames);
            }
        }
        while server.connection.sender().outbox().has_remaining() {
            let outbox = server.connection.sender().outbox();
            let taken = outbox.chunk().len().min(step);
            wire.extend_from_slice(&outbox.chunk()[..taken]);
            outbox.advance(taken);
        }
        assert_eq!(read_frames(Role::Server, &wire), expected, "{step} bytes at a time");
        assert_eq!(server.connection.sender().queued(), 0);
    }
}

#[test]
fn a_frame_limit_of_nothing_still_sends() {
    let mut config = Config::new(Role::Server);
    config.limits.max_sent_frame_len = 0;
    config.limits.max_message_len = Limits::UNLIMITED;
    let mut server = Endpoint::with(config);
    server.connection.sender().write(DataKind::Text, b"ab").unwrap();
    server.connection.sender().send(Message::from(vec![1; 5000])).unwrap();
    let frames = server.sent();
    assert_eq!(frames.len(), 5002);
    assert!(frames.iter().all(|frame| frame.payload.len() == 1));
}
