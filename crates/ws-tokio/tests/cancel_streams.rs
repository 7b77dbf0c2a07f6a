//! Byte streams whose futures are dropped at each of their polls: nothing is lost, doubled or reordered.

mod support;

use support::hostile::{hostile, polled, push};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use ws_testkit::{Frame, read_frames};
use ws_tokio::{
    ByteStreamOptions,
    endpoint::{
        driver::{CloseCode, DataKind},
        frame::Role,
    },
};

/// The most polls that a future is given before it is dropped.
const POLLS: usize = 12;

#[tokio::test]
async fn a_byte_stream_loses_nothing_in_either_direction() {
    for role in [Role::Server, Role::Client] {
        for polls in 1..POLLS {
            let (ws, wire) = hostile(role);
            let mut options = ByteStreamOptions::default();
            options.high_water_mark = 10;
            let mut stream = ws.into_byte_stream_with(options);
            let frames = [
                Frame::text("one "),
                Frame::binary("two ").unfinished(),
                Frame::ping("?"),
                Frame::continuation("three"),
                Frame::close(1000, ""),
            ];
            push(&wire, role.peer(), &frames);
            wire.end(Ok(()));
            let (mut read, mut written) = (Vec::new(), Vec::new());
            let mut chunk = [0; 3];
            loop {
                let next = format!("<{}>", written.len());
                match polled(polls, stream.write(next.as_bytes())) {
                    Some(Ok(len)) => {
                        assert_eq!(len, next.len());
                        written.push(Frame::binary(next));
                    }
                    Some(Err(error)) => panic!("{error}"),
                    None => {}
                }
                _ = polled(polls, stream.flush());
                match polled(polls, stream.read(&mut chunk)) {
                    Some(Ok(len)) => read.extend_from_slice(&chunk[..len]),
                    Some(Err(error)) => panic!("{error}"),
                    None => {}
                }
                if read.len() == "one two three".len() {
                    break;
                }
            }
            assert_eq!(read, b"one two three");
            while polled(polls, stream.shutdown()).is_none() {}
            assert!(stream.closed().expect("the end").is_clean());
            let frames = read_frames(role, &wire.written());
            let (control, data): (Vec<_>, Vec<_>) = frames.into_iter().partition(|frame| frame.opcode >= 8);
            assert_eq!(data, written, "{polls}");
            assert_eq!(control, [Frame::pong("?"), Frame::close(1000, "")], "{polls}");
        }
    }
}

#[tokio::test]
async fn closing_a_byte_stream_is_done_once_and_waited_for_again() {
    for polls in 1..POLLS {
        let (ws, wire) = hostile(Role::Server);
        let mut stream = ws.into_byte_stream();
        push(&wire, Role::Client, &[Frame::binary("dropped"), Frame::close(1001, "bye")]);
        wire.end(Ok(()));
        let closed = loop {
            if let Some(closed) = polled(polls, stream.close(CloseCode::NORMAL, "done")) {
                break closed.expect("clean").expect("the end");
            }
        };
        assert_eq!((closed.code, closed.is_clean()), (1001, true));
        assert_eq!(read_frames(Role::Server, &wire.written()), [Frame::close(1000, "done")]);
    }
}

#[tokio::test]
async fn a_message_reader_loses_nothing() {
    let frames = [
        Frame::text("a\u{e9}\u{20ac}").unfinished(),
        Frame::ping("?"),
        Frame::continuation("").unfinished(),
        Frame::continuation("\u{1f600} and more"),
        Frame::text(""),
        Frame::binary("behind"),
    ];
    for polls in 1..POLLS {
        for split in [false, true] {
            let (ws, wire) = hostile(Role::Server);
            push(&wire, Role::Client, &frames);
            let messages = if split {
                let (mut rx, tx) = ws.split();
                let mut messages = Vec::new();
                while messages.len() < 3 {
                    let Some(message) = polled(polls, rx.next_message_reader()) else { continue };
                    let mut message = message.expect("not the end").expect("a message");
                    let mut all = Vec::new();
                    while polled(polls, read_on(&mut message, &mut all)).is_none() {}
                    messages.push((message.kind(), all));
                }
                drop(tx);
                messages
            } else {
                let mut ws = ws;
                let mut messages = Vec::new();
                while messages.len() < 3 {
                    let Some(message) = polled(polls, ws.next_message_reader()) else { continue };
                    let mut message = message.expect("not the end").expect("a message");
                    let mut all = Vec::new();
                    while polled(polls, read_on(&mut message, &mut all)).is_none() {}
                    messages.push((message.kind(), all));
                }
                messages
            };
            let expected = [
                (DataKind::Text, "a\u{e9}\u{20ac}\u{1f600} and more"),
                (DataKind::Text, ""),
                (DataKind::Binary, "behind"),
            ];
            assert_eq!(messages, expected.map(|(kind, text)| (kind, text.as_bytes().to_vec())), "{polls}");
        }
    }
}

/// Reads to the end; what was read before it is dropped stays.
async fn read_on(message: &mut (impl tokio::io::AsyncRead + Unpin), all: &mut Vec<u8>) {
    while message.read_buf(all).await.expect("read") > 0 {}
}

#[tokio::test]
async fn a_message_writer_sends_everything_once() {
    for polls in 1..POLLS {
        for split in [false, true] {
            let (ws, wire) = hostile(Role::Server);
            if split {
                let (_rx, mut tx) = ws.split();
                write_all(polls, tx.message_writer(DataKind::Binary).expect("open"));
                while polled(polls, tx.flush()).is_none() {}
            } else {
                let mut ws = ws;
                write_all(polls, ws.message_writer(DataKind::Binary).expect("open"));
                while polled(polls, ws.flush()).is_none() {}
            }
            let frames = read_frames(Role::Server, &wire.written());
            let payload: Vec<u8> = frames.iter().flat_map(|frame| frame.payload.iter().copied()).collect();
            assert_eq!(payload, (0..20).flat_map(|number| [number; 5]).collect::<Vec<_>>(), "{polls}");
            assert_eq!(frames.iter().filter(|frame| frame.fin).count(), 1);
            assert!(frames.last().expect("frames").fin);
        }
    }
}

/// Writes and flushes in futures that are dropped, and finishes.
fn write_all<W: tokio::io::AsyncWrite + Unpin>(polls: usize, mut message: W) {
    for number in 0..20 {
        let written = loop {
            if let Some(written) = polled(polls, message.write(&[number; 5])) {
                break written;
            }
        };
        assert_eq!(written.expect("taken"), 5);
        _ = polled(polls, message.flush());
    }
    while polled(polls, message.shutdown()).is_none() {}
}
