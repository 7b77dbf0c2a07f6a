//! A connection as a byte stream: joining, backpressure, the two ends.

mod support;

use std::{io::ErrorKind, task::Poll, time::Duration};

use support::{facing_raw, mock::mock, open, pair, pair_with, poll_once};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, copy_bidirectional, duplex},
    sync::oneshot,
    time::Instant,
};
use ws_testkit::{Frame, Rng, read_frames};
use ws_tokio::{
    ByteStreamOptions, Error, TextMessages,
    endpoint::{
        ConnectionOptions,
        driver::{CloseCode, Config, Expired, Fault},
        frame::Role,
    },
};

/// The typed error inside of an [`std::io::Error`].
fn inside(error: &std::io::Error) -> &Error {
    error.get_ref().and_then(|inner| inner.downcast_ref()).expect("one of ours")
}

fn bytes(len: usize, seed: u64) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    (0..len).map(|_| u8::try_from(rng.below(256)).unwrap_or(0)).collect()
}

#[tokio::test]
async fn reading_joins_messages_of_both_kinds() {
    let (ws, mut peer) = facing_raw(Role::Server, 1 << 16);
    let mut stream = ws.into_byte_stream();
    let frames = [
        Frame::text("one "),
        Frame::binary(""),
        Frame::binary("tw").unfinished(),
        Frame::ping("?"),
        Frame::continuation("o ").unfinished(),
        Frame::continuation(""),
        Frame::text("thr\u{e9}e"),
        Frame::close(1000, ""),
    ];
    peer.send_all(&frames).await;
    let mut read = String::new();
    stream.read_to_string(&mut read).await.expect("a clean end");
    assert_eq!(read, "one two thr\u{e9}e");
    assert_eq!(peer.rest().await, [Frame::pong("?"), Frame::close(1000, "")]);
    assert!(stream.closed().expect("the end").is_clean());
    assert_eq!(stream.read(&mut [0; 8]).await.expect("the end stays"), 0);
}

#[tokio::test]
async fn each_write_is_one_binary_message_of_bounded_length() {
    let (io, wire) = mock();
    let mut options = ByteStreamOptions::default();
    options.max_message_len = 5;
    let mut stream = open(io, Config::new(Role::Client)).into_byte_stream_with(options);
    assert_eq!(stream.write(b"one").await.expect("taken"), 3);
    assert_eq!(stream.write(b"").await.expect("taken"), 0);
    stream.write_all(b"two three").await.expect("taken");
    assert_eq!(wire.written(), b"", "nothing leaves before a flush, a read, or the mark");
    stream.flush().await.expect("written");
    let frames = read_frames(Role::Client, &wire.written());
    assert_eq!(frames, [Frame::binary("one"), Frame::binary("two t"), Frame::binary("hree")]);
    assert_eq!(wire.counts().1, 1, "in one write");
    stream.write_all(b"four").await.expect("taken");
    assert!(poll_once(stream.read_u8()).is_pending());
    assert_eq!(read_frames(Role::Client, &wire.written()), [Frame::binary("four")]);
}

#[tokio::test]
async fn writing_waits_at_the_mark() {
    let (io, wire) = mock();
    let mut options = ByteStreamOptions::default();
    options.high_water_mark = 100;
    let mut stream = open(io, Config::new(Role::Server)).into_byte_stream_with(options);
    wire.take(0);
    assert!(poll_once(stream.write_all(&[7; 98])).is_ready());
    assert_eq!(stream.get_ref().queued(), 100);
    for _ in 0..3 {
        assert!(poll_once(stream.write(b"more")).is_pending());
    }
    assert_eq!(stream.get_ref().queued(), 100, "it was not taken");
    wire.take(1);
    assert!(matches!(poll_once(stream.write(b"more")), Poll::Ready(Ok(4))));
    assert!(poll_once(stream.flush()).is_pending());
    wire.take(usize::MAX);
    stream.flush().await.expect("written");
    assert_eq!(read_frames(Role::Server, &wire.written()), [Frame::binary([7; 98]), Frame::binary("more")]);
}

#[tokio::test]
async fn what_is_not_read_holds_the_peer_back() {
    let (io, wire) = mock();
    let mut stream = open(io, Config::new(Role::Server)).into_byte_stream();
    for number in 0..100u8 {
        wire.push(Frame::binary([number; 1000]).by(Role::Client));
    }
    assert_eq!(stream.fill_buf().await.expect("bytes"), [0; 1000]);
    for _ in 0..10 {
        assert_eq!(stream.fill_buf().await.expect("bytes").len(), 1000);
        stream.flush().await.expect("nothing to do");
        assert!(poll_once(stream.shutdown()).is_pending());
    }
    assert_eq!(wire.counts().0, 1, "nothing more is read");
    stream.consume(999);
    assert_eq!(stream.read_u8().await.expect("a byte"), 0);
    assert_eq!(stream.read_u8().await.expect("a byte"), 1);
    assert_eq!(wire.counts().0, 1);
}

#[tokio::test]
async fn shutting_down_is_a_closing_handshake() {
    for role in [Role::Client, Role::Server] {
        let (ws, mut peer) = facing_raw(role, 1 << 16);
        let mut stream = ws.into_byte_stream();
        stream.write_all(b"last").await.expect("taken");
        let peer = async {
            assert_eq!(peer.recv().await, Some(Frame::binary("last")));
            assert_eq!(peer.recv().await, Some(Frame::close(1000, "")));
            peer.send_all(&[Frame::ping("?"), Frame::close(1000, "bye")]).await;
            peer.shutdown().await;
            assert_eq!(peer.rest().await, [], "nothing is sent behind a Close");
        };
        let (shut, ()) = tokio::join!(stream.shutdown(), peer);
        shut.expect("a clean end");
        stream.shutdown().await.expect("once more");
        assert!(stream.closed().expect("the end").is_clean());
        assert_eq!(stream.read(&mut [0; 8]).await.expect("the end"), 0);
        let error = stream.write(b"more").await.expect_err("closed");
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    }
}

#[tokio::test]
async fn what_arrives_while_shutting_down_is_read_first() {
    let (ws, mut peer) = facing_raw(Role::Server, 1 << 16);
    let (mut read, mut write) = tokio::io::split(ws.into_byte_stream());
    let shuts = tokio::spawn(async move { write.shutdown().await });
    assert_eq!(peer.recv().await, Some(Frame::close(1000, "")));
    peer.send_all(&[Frame::binary("on its"), Frame::binary(" way"), Frame::close(1000, "")]).await;
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert!(!shuts.is_finished(), "there is something to be read");
    let mut rest = Vec::new();
    read.read_to_end(&mut rest).await.expect("a clean end");
    assert_eq!(rest, b"on its way");
    shuts.await.expect("no panic").expect("a clean end");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_beside_unread_bytes_ends_at_its_deadline() {
    let (ws, mut peer) = facing_raw(Role::Server, 1 << 16);
    let mut stream = ws.into_byte_stream();
    peer.send_all(&[Frame::binary("unread"), Frame::close(1000, "")]).await;
    let began = Instant::now();
    let error = stream.shutdown().await.expect_err("not clean");
    assert_eq!(began.elapsed().as_secs(), 5);
    assert!(matches!(inside(&error), Error::Expired(Expired::Close)), "{error:?}");
    assert_eq!(stream.buffer(), b"unread", "nothing is lost all the same");
}

#[tokio::test]
async fn close_drops_what_still_comes() {
    let (ws, mut peer) = facing_raw(Role::Client, 1 << 16);
    let mut stream = ws.into_byte_stream();
    peer.send_all(&[Frame::binary("unread"), Frame::binary("and more"), Frame::close(1001, "")]).await;
    assert_eq!(stream.read_u8().await.expect("a byte"), b'u');
    peer.shutdown().await;
    let closed = stream.close(CloseCode::NORMAL, "enough").await.expect("clean").expect("the end");
    assert!(closed.is_clean());
    assert_eq!(stream.read(&mut [0; 8]).await.expect("the end"), 0);
}

#[tokio::test]
async fn an_end_that_is_not_clean_is_an_error_of_both_sides() {
    type Judge = fn(&Error) -> bool;
    let rows: [(&[Frame], ErrorKind, Judge); 4] = [
        (&[Frame::binary("data")], ErrorKind::UnexpectedEof, |error| matches!(error, Error::Lost)),
        (&[Frame::binary("data"), Frame::new(3, "")], ErrorKind::InvalidData, |error| {
            matches!(error, Error::Failed(Fault::Frame(_)))
        }),
        (&[Frame::text("data"), Frame::text(b"\xff")], ErrorKind::InvalidData, |error| {
            matches!(error, Error::Failed(Fault::Utf8(_)))
        }),
        (&[Frame::binary("data").unfinished(), Frame::close(1000, "")], ErrorKind::UnexpectedEof, |error| {
            matches!(error, Error::Truncated)
        }),
    ];
    for (frames, kind, judge) in rows {
        let (io, wire) = mock();
        let mut stream = open(io, Config::new(Role::Server)).into_byte_stream();
        wire.push(frames.iter().flat_map(|frame| frame.by(Role::Client)).collect::<Vec<_>>());
        wire.end(Ok(()));
        let mut read = Vec::new();
        let error = stream.read_to_end(&mut read).await.expect_err("not clean");
        assert_eq!(read, b"data", "what was whole comes first");
        assert!(error.kind() == kind && judge(inside(&error)), "{error:?}");
        for error in [
            stream.read_u8().await.expect_err("still not clean"),
            stream.write(b"more").await.expect_err("nor here"),
            stream.flush().await.expect_err("nor here"),
            stream.shutdown().await.expect_err("nor here"),
        ] {
            assert!(error.kind() == kind && judge(inside(&error)), "{error:?}");
        }
    }
}

#[tokio::test]
async fn a_failed_transport_keeps_its_kind() {
    let (io, wire) = mock();
    let mut stream = open(io, Config::new(Role::Server)).into_byte_stream();
    wire.end(Err(ErrorKind::ConnectionReset));
    for _ in 0..2 {
        assert_eq!(stream.read_u8().await.expect_err("reset").kind(), ErrorKind::ConnectionReset);
    }
}

#[tokio::test]
async fn text_is_refused_where_that_was_asked_for() {
    let (ws, mut peer) = facing_raw(Role::Server, 1 << 16);
    let mut options = ByteStreamOptions::default();
    options.text = TextMessages::Refused;
    let mut stream = ws.into_byte_stream_with(options);
    peer.send_all(&[Frame::binary("fine"), Frame::text("not")]).await;
    let mut read = Vec::new();
    let error = stream.read_to_end(&mut read).await.expect_err("refused");
    assert_eq!((read.as_slice(), error.kind()), (&b"fine"[..], ErrorKind::InvalidData));
    assert_eq!(peer.recv().await.expect("a Close").code(), Some(1003));
    assert_eq!(stream.write(b"more").await.expect_err("over").kind(), ErrorKind::InvalidData);
}

#[tokio::test]
async fn a_pause_ends_where_the_connection_is_handed_on() {
    let (mut ws, mut peer) = facing_raw(Role::Server, 1 << 16);
    ws.pause();
    peer.send_all(&[Frame::text("one"), Frame::text("two")]).await;
    let mut stream = ws.into_byte_stream();
    let mut three = [0; 3];
    assert!(matches!(stream.read_exact(&mut three).await, Ok(3)));
    let mut ws = stream.into_inner();
    ws.pause();
    let message = ws.spawn(1).recv().await.expect("not the end").expect("a message");
    assert_eq!(message.as_text(), Some("two"));
}

#[tokio::test]
async fn dropping_the_stream_drops_the_transport() {
    let (ws, mut peer) = facing_raw(Role::Server, 1 << 16);
    let mut stream = ws.into_byte_stream();
    stream.write_all(b"unflushed").await.expect("taken");
    drop(stream);
    assert_eq!(peer.rest().await, [], "no Close, as the caller did not ask for one");
}

#[tokio::test]
async fn the_connection_can_be_taken_out_again() {
    let (mut client, server) = pair(1 << 16).await;
    let mut stream = server.into_byte_stream();
    client.send(&b"bytes"[..]).await.expect("sent");
    client.send("a message").await.expect("sent");
    assert_eq!(stream.read_u8().await.expect("a byte"), b'b');
    assert_eq!(stream.buffer(), b"ytes");
    let mut server = stream.into_inner();
    let message = server.recv().await.expect("not the end").expect("a message");
    assert_eq!(message.as_text(), Some("a message"));
    server.send("an answer").await.expect("sent");
    assert_eq!(client.recv().await.expect("not the end").expect("a message").as_text(), Some("an answer"));
}

#[tokio::test]
async fn a_tunnel_carries_both_directions_to_their_ends() {
    let (client, server) = pair(1000).await;
    let (near, mut app) = duplex(300);
    let (far, mut service) = duplex(300);
    let (up, down) = (bytes(100_000, 1), bytes(50_000, 2));
    let tunnels = [(client, near), (server, far)].map(|(ws, mut plain)| {
        tokio::spawn(async move { copy_bidirectional(&mut ws.into_byte_stream(), &mut plain).await })
    });
    let (asked, answered) = (up.clone(), down.clone());
    let app = tokio::spawn(async move {
        let (mut read, mut write) = tokio::io::split(&mut app);
        let writes = async {
            write.write_all(&asked).await.expect("written");
            write.flush().await.expect("flushed");
        };
        let mut answer = vec![0; answered.len()];
        tokio::join!(writes, async { read.read_exact(&mut answer).await.expect("read") });
        assert_eq!(answer, answered);
        app.shutdown().await.expect("shut down");
        assert_eq!(app.read(&mut [0; 8]).await.expect("the end"), 0);
    });
    let mut request = vec![0; up.len()];
    let (mut read, mut write) = tokio::io::split(&mut service);
    tokio::join!(async { read.read_exact(&mut request).await.expect("read") }, async {
        write.write_all(&down).await.expect("written");
    });
    assert_eq!(request, up);
    assert_eq!(service.read(&mut [0; 8]).await.expect("the end"), 0);
    service.shutdown().await.expect("shut down");
    app.await.expect("no panic");
    for (tunnel, copied) in tunnels.into_iter().zip([(&down, &up), (&up, &down)]) {
        let copied = (copied.0.len() as u64, copied.1.len() as u64);
        assert_eq!(tunnel.await.expect("no panic").expect("clean ends"), copied);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_halves_are_busy_in_two_tasks() {
    for round in 0..10 {
        let mut options = ConnectionOptions::default();
        options.limits.high_water_mark = 500;
        let (client, server) = pair_with(1 + usize::try_from(round).unwrap_or(0) * 31, options).await;
        let tasks = [(client, 2 * round, 2 * round + 1), (server, 2 * round + 1, 2 * round)].map(
            |(ws, sends, receives)| {
                let mut options = ByteStreamOptions::default();
                options.high_water_mark = 200;
                let (mut read, mut write) = tokio::io::split(ws.into_byte_stream_with(options));
                let (all, received) = oneshot::channel();
                let writer = tokio::spawn(async move {
                    for chunk in bytes(20_000, sends).chunks(170) {
                        write.write_all(chunk).await.expect("written");
                    }
                    write.flush().await.expect("flushed");
                    received.await.expect("the reader lives"); // a Close ends both directions
                    write.shutdown().await.expect("clean");
                });
                let reader = tokio::spawn(async move {
                    let mut some = vec![0; 20_000];
                    read.read_exact(&mut some).await.expect("read");
                    assert!(some == bytes(20_000, receives));
                    all.send(()).expect("the writer lives");
                    assert_eq!(read.read(&mut some).await.expect("a clean end"), 0);
                });
                [writer, reader]
            },
        );
        for task in tasks.into_iter().flatten() {
            let soon = Duration::from_secs(20);
            tokio::time::timeout(soon, task).await.expect("nothing is left behind").expect("no panic");
        }
    }
}
