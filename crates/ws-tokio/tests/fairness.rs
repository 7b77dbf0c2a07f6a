//! What a connection does in one turn of its task is bounded, whatever its peer sends.

mod support;

use std::{
    future::poll_fn,
    io,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex};
use ws_testkit::Frame;
use ws_tokio::endpoint::{driver::Config, frame::Role};

/// A transport that counts what is read from it.
struct Counted {
    io: DuplexStream,
    read: Arc<AtomicUsize>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, buf);
        self.read.fetch_add(buf.filled().len() - before, Ordering::Relaxed);
        read
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// How many bytes are read in each turn of a task that receives all of `flood`, and then a Close.
async fn turns(flood: &[u8]) -> Vec<usize> {
    let len = flood.len();
    let (mut near, io) = duplex(2 * len);
    near.write_all(flood).await.expect("written");
    near.write_all(&Frame::close(1000, "").by(Role::Client)).await.expect("written");

    let read = Arc::new(AtomicUsize::new(0));
    let mut ws = support::open(Counted { io, read: Arc::clone(&read) }, Config::new(Role::Server));
    let (mut turns, mut before) = (Vec::new(), 0);
    loop {
        let mut recv = pin!(ws.recv());
        let received = poll_fn(|cx| {
            let polled = recv.as_mut().poll(cx);
            let now = read.load(Ordering::Relaxed);
            turns.push(now - before);
            before = now;
            polled
        });
        match received.await {
            Some(message) => drop(message.expect("a message")),
            None => break,
        }
    }
    assert!(before > len, "all of it was read");
    turns
}

async fn largest_turn(flood: Vec<u8>) -> usize {
    turns(&flood).await.into_iter().max().unwrap_or_default()
}

#[tokio::test]
async fn one_turn_reads_a_bounded_number_of_bytes_of_a_flood() {
    let pong = Frame::pong("").by(Role::Client);
    let most = largest_turn(pong.repeat((2 << 20) / pong.len())).await;
    assert!(most <= 256 << 10, "{most} bytes in one turn");
}

#[tokio::test]
async fn less_is_read_in_one_turn_of_fragments() {
    let begins = Frame::binary("x").unfinished().by(Role::Client);
    let goes_on = Frame::continuation("x").unfinished().by(Role::Client).repeat(100_000);
    let ends = Frame::continuation("").by(Role::Client);
    let turns = turns(&[begins, goes_on, ends].concat()).await;
    let (first, others) = turns.split_first().expect("a turn");
    assert!(*first <= 128 << 10, "{first} bytes before it is known what comes");
    assert!(others.iter().all(|read| *read <= 16 << 10), "{others:?}");
}

#[tokio::test]
async fn more_is_read_in_one_turn_of_a_long_frame_but_not_without_bound() {
    let most = largest_turn(Frame::binary(vec![7; 8 << 20]).by(Role::Client)).await;
    assert!(most > 256 << 10, "{most} bytes in one turn: each one costs a look at every other connection");
    assert!(most <= 6 << 20, "{most} bytes in one turn");
}

/// To put aside for a turn of the others what has come of it would be to copy it.
#[tokio::test]
async fn a_long_frame_that_is_all_there_is_received_in_one_turn() {
    for len in [100 << 10, 256 << 10] {
        let frame = Frame::binary(vec![7; len]).by(Role::Client);
        let turns = turns(&frame).await;
        assert!(turns[0] >= frame.len(), "{len} bytes: {turns:?}");
    }
}
