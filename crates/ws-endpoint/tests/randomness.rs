//! Keys and masks: fresh for each handshake and for each frame (RFC 6455 sections 4.1 and 5.3), whatever the frame and the thread.

use std::{collections::HashSet, thread, time::Instant};

use bytes::Buf;
use ws_endpoint::{
    ClientConfig, ClientHandshake,
    driver::{CloseCode, Config, Connection, DataKind, Negotiated},
    frame::{Header, Role, Rsv, Rules},
    handshake::{ClientRequest, Key},
};

const MANY: usize = 10_000;

/// Of so many random numbers of 32 bits two are the same once in a hundred runs, and three pairs once in millions.
const FEWEST: usize = MANY - 2;

#[test]
fn each_handshake_has_a_key_of_its_own() {
    let request = ClientRequest::new("ws://example.com/").expect("an address");
    let config = ClientConfig::default();
    let keys: HashSet<_> = (0..MANY)
        .map(|_| {
            let handshake = ClientHandshake::new(request.clone(), &config).expect("a request");
            let key = handshake.request().headers()["sec-websocket-key"].clone();
            // Which it is only when it is 16 bytes in base64.
            Key::try_from(key.as_bytes()).expect("a key").as_str().to_owned()
        })
        .collect();
    assert_eq!(keys.len(), MANY);
    // No byte of the sixteen is always the same: each character of the text takes every value of its six bits.
    for at in 0..21 {
        let seen: HashSet<_> = keys.iter().map(|key| key.as_bytes()[at]).collect();
        assert_eq!(seen.len(), 64, "character {at}");
    }
}

/// The masks of all frames that wait to be sent.
fn masks(connection: &mut Connection) -> Vec<[u8; 4]> {
    let mut wire = Vec::new();
    while !connection.sender().outbox().is_empty() {
        let outbox = connection.sender().outbox();
        let len = outbox.chunk().len();
        wire.extend_from_slice(outbox.chunk());
        outbox.advance(len);
    }
    let (mut masks, mut rest) = (Vec::new(), &wire[..]);
    let mut message_open = false;
    while !rest.is_empty() {
        let rules = Rules { role: Role::Server, rsv: Rsv::NONE, message_open };
        let (header, len) = Header::decode(rest, rules).expect("a good frame").expect("a whole one");
        message_open = if header.opcode.is_control() { message_open } else { !header.fin };
        masks.push(header.mask.expect("a client masks"));
        rest = &rest[len + usize::try_from(header.len).expect("short")..];
    }
    masks
}

/// So many frames of every kind, and their masks.
fn frames(count: usize) -> Vec<[u8; 4]> {
    let mut config = Config::new(Role::Client);
    let mut limits = *config.limits;
    limits.max_sent_frame_len = 10;
    config.limits = limits.into();
    let mut connection = Connection::new(config, Negotiated::default(), Instant::now());
    let mut seen = Vec::new();
    while seen.len() < count - 1 {
        let sender = connection.sender();
        match seen.len() % 4 {
            0 => sender.write(DataKind::Text, b"in three frames, or more").expect("sent"),
            1 => sender.ping(b"?").expect("sent"),
            2 => sender.pong(b"").expect("sent"),
            _ => sender.write(DataKind::Binary, &[]).expect("sent"),
        }
        seen.extend(masks(&mut connection));
    }
    connection.sender().close(CloseCode::NORMAL, "done").expect("sent");
    seen.extend(masks(&mut connection));
    seen
}

#[test]
fn each_frame_of_a_client_has_a_mask_of_its_own_in_every_thread() {
    let threads = [(); 4].map(|()| thread::spawn(|| frames(MANY / 4)));
    let masks: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect();
    assert!(masks.len() >= MANY);
    let different: HashSet<_> = masks.iter().collect();
    assert!(different.len() >= FEWEST + masks.len() - MANY, "{} of {}", different.len(), masks.len());
    for at in 0..4 {
        let seen: HashSet<_> = masks.iter().map(|mask| mask[at]).collect();
        assert_eq!(seen.len(), 256, "byte {at} takes every value");
    }
}
