//! What the transport is asked for: how many reads and writes a batch of messages costs.

mod support;

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use support::{
    mock::{Mock, Wire, mock},
    open, poll_once,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ws_testkit::{Frame, read_frames};
use ws_tokio::{
    WebSocket,
    endpoint::{
        driver::{Config, DataKind, Message},
        frame::Role,
    },
};

/// Frames in one batch.
const BATCH: usize = 16;

fn facing_mock(role: Role) -> (WebSocket<Mock>, Wire) {
    let (io, wire) = mock();
    (open(io, Config::new(role)), wire)
}

/// Frames that come in one read.
fn batch(sender: Role, len: usize) -> (Vec<Frame>, Vec<u8>) {
    let frames: Vec<_> = (0..BATCH).map(|n| Frame::binary(vec![u8::try_from(n).unwrap_or(0); len])).collect();
    let bytes = frames.iter().flat_map(|frame| frame.by(sender)).collect();
    (frames, bytes)
}

/// Echoes until there is nothing to read.
fn echo_lent(ws: &mut WebSocket<Mock>) {
    let (rx, tx) = ws.halves();
    let echo = async {
        while let Some(message) = rx.recv(tx).await {
            tx.feed(message.expect("a message")).expect("fed");
        }
    };
    assert!(poll_once(echo).is_pending());
}

fn echo_fed(ws: &mut WebSocket<Mock>) {
    let echo = async {
        while let Some(message) = ws.recv().await {
            ws.feed(message.expect("a message")).await.expect("fed");
        }
    };
    assert!(poll_once(echo).is_pending());
}

fn echo_sent(ws: &mut WebSocket<Mock>) {
    let echo = async {
        while let Some(message) = ws.recv().await {
            ws.send(message.expect("a message")).await.expect("sent");
        }
    };
    assert!(poll_once(echo).is_pending());
}

#[tokio::test]
async fn a_batch_is_one_read_and_one_write() {
    for role in [Role::Server, Role::Client] {
        for (form, echo) in [("lent", echo_lent as fn(&mut _)), ("fed", echo_fed), ("sent", echo_sent)] {
            for len in [0, 16, 125, 1000, 4000] {
                let (mut ws, wire) = facing_mock(role);
                let (frames, bytes) = batch(role.peer(), len);
                for _ in 0..10 {
                    wire.push(bytes.clone());
                    echo(&mut ws);
                    assert_eq!(wire.counts(), (1, 1), "{form}, {role:?}, {len} bytes");
                    assert_eq!(read_frames(role, &wire.written()), frames);
                }
            }
        }
    }
}

#[tokio::test]
async fn a_short_write_costs_one_write_more_and_nothing_later() {
    for (form, echo) in [("lent", echo_lent as fn(&mut _)), ("fed", echo_fed), ("sent", echo_sent)] {
        let (mut ws, wire) = facing_mock(Role::Server);
        let (frames, bytes) = batch(Role::Client, 100);
        wire.take(333);
        wire.push(bytes.clone());
        echo(&mut ws);
        assert_eq!(wire.counts(), (1, 1), "{form}");
        echo(&mut ws);
        assert_eq!(wire.counts(), (0, 0), "{form}: nothing is tried that cannot be");
        wire.take(usize::MAX);
        echo(&mut ws);
        assert_eq!(wire.counts(), (0, 1), "{form}: the rest goes at once");
        assert_eq!(read_frames(Role::Server, &wire.written()), frames);
        for _ in 0..3 {
            wire.push(bytes.clone());
            echo(&mut ws);
            assert_eq!(wire.counts(), (1, 1), "{form}");
            assert_eq!(read_frames(Role::Server, &wire.written()), frames);
        }
    }
}

#[tokio::test]
async fn a_frame_cut_by_the_end_of_a_read_is_answered_with_the_next_batch() {
    let (mut ws, wire) = facing_mock(Role::Server);
    let (frames, bytes) = batch(Role::Client, 100);
    let (first, second) = bytes.split_at(bytes.len() - 50);
    wire.push(first);
    wire.push(second);
    echo_lent(&mut ws);
    assert_eq!(wire.counts(), (2, 2));
    assert_eq!(read_frames(Role::Server, &wire.written()), frames);
}

#[tokio::test]
async fn a_large_payload_leaves_with_its_header_in_one_vectored_write() {
    let (mut ws, wire) = facing_mock(Role::Server);
    let sent = poll_once(ws.send(vec![7; 1 << 20]));
    assert!(matches!(sent, Poll::Ready(Ok(()))));
    assert_eq!(wire.counts(), (0, 1));
    assert_eq!(wire.state().slices, [2]);
    assert_eq!(read_frames(Role::Server, &wire.written()), [Frame::binary(vec![7; 1 << 20])]);
}

/// Up to what the read buffer takes, a message is one read; a longer one is read into a buffer that doubles.
#[tokio::test]
async fn a_long_message_is_echoed_in_one_write_and_few_reads() {
    for (len, most) in [(4096, 1), (16 * 1024, 1), (64 * 1024, 1), (256 * 1024, 3), (1 << 20, 5)] {
        for kind in [DataKind::Binary, DataKind::Text] {
            let (mut ws, wire) = facing_mock(Role::Server);
            let frame = match kind {
                DataKind::Binary => Frame::binary(vec![b'x'; len]),
                DataKind::Text => Frame::text("x".repeat(len)),
            };
            for _ in 0..3 {
                wire.push(frame.by(Role::Client));
                for _turn in 0..2 {
                    echo_lent(&mut ws); // others may have theirs in between
                }
                let (reads, writes) = wire.counts();
                assert!(reads <= most, "{reads} reads for {len} bytes");
                assert_eq!(writes, 1, "{len} bytes");
                assert_eq!(read_frames(Role::Server, &wire.written()), std::slice::from_ref(&frame));
            }
        }
    }
}

#[tokio::test]
async fn small_messages_around_a_large_one_leave_in_the_same_write() {
    let (mut ws, wire) = facing_mock(Role::Server);
    let feeds = async {
        ws.feed("before").await.expect("fed");
        ws.feed(vec![7; 100_000]).await.expect("fed");
        ws.feed("behind").await.expect("fed");
        ws.flush().await.expect("flushed");
    };
    assert!(poll_once(feeds).is_ready());
    assert_eq!(wire.counts(), (0, 1));
    let frames = [Frame::text("before"), Frame::binary(vec![7; 100_000]), Frame::text("behind")];
    assert_eq!(read_frames(Role::Server, &wire.written()), frames);
}

#[tokio::test]
async fn short_writes_of_any_length_keep_order_across_segments() {
    for step in [1, 2, 3, 7, 1000, 4097] {
        let (mut ws, wire) = facing_mock(Role::Server);
        wire.state().step = step;
        let messages = [vec![1; 10], vec![2; 5000], vec![3; 20], vec![4; 9000], vec![5; 1]];
        let feeds = async {
            for message in &messages {
                ws.feed(message.clone()).await.expect("fed");
            }
            ws.flush().await.expect("flushed");
        };
        assert!(poll_once(feeds).is_ready());
        assert_eq!(read_frames(Role::Server, &wire.written()), messages.map(Frame::binary), "{step}");
    }
}

#[tokio::test]
async fn pings_and_messages_of_a_batch_are_answered_in_one_write() {
    let (mut ws, wire) = facing_mock(Role::Server);
    let frames = [Frame::ping("1"), Frame::text("a"), Frame::ping("2"), Frame::text("b")];
    wire.push(frames.iter().flat_map(|frame| frame.by(Role::Client)).collect::<Vec<_>>());
    echo_lent(&mut ws);
    assert_eq!(wire.counts(), (1, 1));
    let answers = [Frame::pong("1"), Frame::text("a"), Frame::pong("2"), Frame::text("b")];
    assert_eq!(read_frames(Role::Server, &wire.written()), answers);
}

#[tokio::test]
async fn a_text_lent_is_written_from_the_buffer_it_arrived_in() {
    let (mut ws, wire) = facing_mock(Role::Server);
    wire.push(Frame::text("hello").by(Role::Client));
    let (rx, tx) = ws.halves();
    let answers = async {
        let message = rx.recv(tx).await.expect("not the end").expect("a message");
        let text = message.as_text().expect("text").to_owned();
        tx.write(DataKind::Text, text.to_uppercase().as_bytes()).expect("written");
        tx.send(Message::from("and")).expect("sent");
        assert!(tx.queued() > 0);
        rx.flush(tx).await.expect("flushed");
    };
    assert!(poll_once(answers).is_ready());
    assert_eq!(read_frames(Role::Server, &wire.written()), [Frame::text("HELLO"), Frame::text("and")]);
}

/// A transport around another that counts what succeeds.
#[derive(Debug)]
struct Counted<S>(S, Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    reads: AtomicUsize,
    writes: AtomicUsize,
}

impl Counts {
    fn take(&self) -> (usize, usize) {
        (self.reads.swap(0, Relaxed), self.writes.swap(0, Relaxed))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.0).poll_read(cx, buf);
        self.1.reads.fetch_add(usize::from(read.is_ready()), Relaxed);
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.0).poll_write(cx, buf);
        self.1.writes.fetch_add(usize::from(written.is_ready()), Relaxed);
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.0).poll_write_vectored(cx, bufs);
        self.1.writes.fetch_add(usize::from(written.is_ready()), Relaxed);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
}

#[cfg(feature = "rustls")]
#[tokio::test]
async fn a_batch_is_one_read_and_one_write_over_tls() {
    let counts = Arc::new(Counts::default());
    let (near, far) = tokio::io::duplex(1 << 20);
    let far = Counted(far, Arc::clone(&counts));
    let (near, far) = support::tls::over(near, far).await;
    let mut client = open(near, Config::new(Role::Client));
    let mut server = open(far, Config::new(Role::Server));
    counts.take();
    for _ in 0..10 {
        for number in 0..BATCH {
            client.feed(format!("message {number}")).await.expect("fed");
        }
        client.flush().await.expect("flushed");
        let (rx, tx) = server.halves();
        let echo = async {
            while let Some(message) = rx.recv(tx).await {
                tx.feed(message.expect("a message")).expect("fed");
            }
        };
        assert!(poll_once(echo).is_pending());
        assert_eq!(counts.take(), (1, 1));
        for number in 0..BATCH {
            let message = client.recv().await.expect("not the end").expect("a message");
            assert_eq!(message.as_text(), Some(&*format!("message {number}")));
        }
    }
}

#[tokio::test]
async fn a_batch_is_one_read_and_one_write_in_a_split() {
    let counts = Arc::new(Counts::default());
    let (near, far) = tokio::io::duplex(1 << 20);
    let mut client = open(near, Config::new(Role::Client));
    let server = open(Counted(far, Arc::clone(&counts)), Config::new(Role::Server));
    let (mut rx, mut tx) = server.split();
    for _ in 0..10 {
        for number in 0..BATCH {
            client.feed(format!("message {number}")).await.expect("fed");
        }
        client.flush().await.expect("flushed");
        let echo = async {
            while let Some(message) = rx.recv().await {
                tx.feed(message.expect("a message")).await.expect("fed");
            }
        };
        assert!(poll_once(echo).is_pending());
        assert_eq!(counts.take(), (1, 1));
        for _ in 0..BATCH {
            client.recv().await.expect("not the end").expect("a message");
        }
    }
}
