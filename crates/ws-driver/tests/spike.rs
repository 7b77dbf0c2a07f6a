//! The shapes that the driver was made for: an echo lent and owned, halves in two threads, a message in parts while
//! another is received.

use std::{
    sync::{Mutex, mpsc},
    thread,
    time::Instant,
};

use bytes::Buf;
use ws_driver::{Config, Connection, DataKind, Event, Message, Negotiated, Parts, Progress, Replies, Role};
use ws_testkit::{Endpoint, Frame, Seen, read_frames};

fn server() -> Connection {
    Connection::new(Config::new(Role::Server), Negotiated::default(), Instant::now())
}

fn written(connection: &mut Connection) -> Vec<Frame> {
    let mut wire = Vec::new();
    while connection.sender().outbox().has_remaining() {
        let outbox = connection.sender().outbox();
        let chunk = outbox.chunk().to_vec();
        outbox.advance(chunk.len());
        wire.extend(chunk);
    }
    read_frames(Role::Server, &wire)
}

/// Messages of each size at which something is done differently: in place, copied, taken.
fn messages() -> Vec<Frame> {
    let sizes = [0, 1, 23, 24, 125, 126, 4095, 4096, 16_383, 16_384, 16_385, 65_535, 65_536, 100_000];
    let payload = |len| vec![b'm'; len];
    sizes.iter().flat_map(|&len| [Frame::text(payload(len)), Frame::binary(payload(len))]).collect()
}

fn sent_by_client(frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(|frame| frame.by(Role::Client)).collect()
}

#[test]
fn an_echo_that_is_lent() {
    let mut server = server();
    let messages = messages();
    server.receiver().buffer().extend_from_slice(&sent_by_client(&messages));
    while let Progress::Ready = server.advance() {
        let (receiver, sender) = server.halves();
        if let Event::Message(message) = receiver.event() {
            sender.forward(message).unwrap();
        }
    }
    assert_eq!(written(&mut server), messages);
}

#[test]
fn an_echo_that_is_owned() {
    let mut server = server();
    let messages = messages();
    server.receiver().buffer().extend_from_slice(&sent_by_client(&messages));
    let mut kept: Vec<Message> = Vec::new();
    while let Progress::Ready = server.advance() {
        if let Event::Message(message) = server.event() {
            kept.push(message.into_message());
        }
    }
    for message in kept {
        server.sender().send(message).unwrap();
    }
    assert_eq!(written(&mut server), messages);
}

#[test]
fn one_that_was_not_looked_at_is_used_up() {
    let mut server = server();
    server.receiver().buffer().extend_from_slice(&sent_by_client(&messages()));
    let mut count = 0;
    while let Progress::Ready = server.advance() {
        count += 1;
    }
    assert_eq!((count, server.advance()), (messages().len(), Progress::NeedBytes));
    assert!(matches!(server.event(), Event::None));
}

#[test]
fn the_same_event_is_lent_as_often_as_it_is_asked_for() {
    let mut server = server();
    server.receiver().buffer().extend_from_slice(&Frame::text("twice").by(Role::Client));
    assert_eq!(server.advance(), Progress::Ready);
    for _ in 0..2 {
        let Event::Message(message) = server.event() else { panic!("no message") };
        assert_eq!(message.as_text(), Some("twice"));
    }
    let Event::Message(message) = server.event() else { panic!("no message") };
    assert_eq!(message.into_message(), Message::from("twice"));
    assert_eq!(server.advance(), Progress::NeedBytes);
}

/// The halves in two threads: the reading one owns receiver and deadlines, the writing one the sender, and what the
/// first owes the second is in a mutex, taken once for each batch.
#[test]
fn halves_in_two_threads() {
    const BATCHES: usize = 50;
    let Parts { mut receiver, mut sender, replies, .. } = server().into_parts();
    let replies = Mutex::new(replies);
    let (wake, woken) = mpsc::channel();
    let frames = thread::scope(|scope| {
        scope.spawn(|| {
            let wake = wake; // dropped at the end, so that the writing half ends too
            let mut own = Replies::default();
            let mut messages = 0;
            for n in 0..BATCHES {
                let batch =
                    [Frame::ping(n.to_string()), Frame::text("to read"), Frame::ping(format!("{n}+"))];
                receiver.buffer().extend_from_slice(&sent_by_client(&batch));
                while let Progress::Ready = receiver.advance(&mut own) {
                    messages += usize::from(matches!(receiver.event(), Event::Message(_)));
                }
                own = std::mem::replace(&mut *replies.lock().unwrap(), own);
                assert!(own.is_empty(), "the writing half has taken what it was owed");
                wake.send(false).unwrap();
                while !replies.lock().unwrap().is_empty() {
                    thread::yield_now();
                }
            }
            assert_eq!(messages, BATCHES);
            receiver.buffer().extend_from_slice(&Frame::close(1000, "bye").by(Role::Client));
            assert_eq!(receiver.advance(&mut own), Progress::Closed);
            *replies.lock().unwrap() = own;
            wake.send(true).unwrap();
        });
        let mut wire = Vec::new();
        sender.start(DataKind::Text).unwrap();
        while let Ok(closing) = woken.recv() {
            if !closing {
                sender.append(b"part").unwrap();
            }
            sender.absorb(&mut replies.lock().unwrap());
            let outbox = sender.outbox();
            wire.extend_from_slice(&outbox.copy_to_bytes(outbox.remaining()));
        }
        read_frames(Role::Server, &wire)
    });
    let mut expected = Vec::new();
    for n in 0..BATCHES {
        let part = if n == 0 { Frame::text("part") } else { Frame::continuation("part") };
        expected.extend([part.unfinished(), Frame::pong(n.to_string()), Frame::pong(format!("{n}+"))]);
    }
    expected.push(Frame::close(1000, "bye"));
    assert_eq!(frames, expected);
}

#[test]
fn a_message_in_parts_while_others_are_received() {
    let mut server = Endpoint::new(Role::Server);
    server.connection.sender().start(DataKind::Text).unwrap();
    server.connection.sender().append(b"first ").unwrap();
    let _progress = server.read_frames(&[Frame::text("meanwhile").unfinished(), Frame::ping("1")]);
    server.connection.sender().append(b"second ").unwrap();
    let _progress = server.read_frames(&[Frame::continuation("!"), Frame::ping("2")]);
    server.connection.sender().ping(b"ours").unwrap();
    server.connection.sender().finish_with(b"third").unwrap();
    assert_eq!(
        server.sent(),
        [
            Frame::text("first ").unfinished(),
            Frame::pong("1"),
            Frame::continuation("second ").unfinished(),
            Frame::pong("2"),
            Frame::ping("ours"),
            Frame::continuation("third"),
        ]
    );
    assert_eq!(server.seen, [Seen::ping("1"), Seen::text("meanwhile!"), Seen::ping("2")]);
}
