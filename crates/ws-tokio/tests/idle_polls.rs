//! Waiting costs nothing: a task that waits for several sides of one connection is not woken by itself.

mod support;

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Wake, Waker},
};

use futures_util::{Sink, Stream};
use support::{mock::mock, open};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ws_testkit::Frame;
use ws_tokio::{
    Group, MemberOptions, SlowConsumer, SpawnOptions,
    endpoint::{
        driver::{Config, Prepared},
        frame::Role,
    },
};

/// Counts how often it is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Polls as long as that wakes the task, at most a hundred times. How often it was polled.
fn polls(mut poll: impl FnMut(&mut Context<'_>)) -> usize {
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    poll(&mut Context::from_waker(&waker)); // and then something else has woken it
    for polls in 1..100 {
        let before = count.0.load(Ordering::Relaxed);
        poll(&mut Context::from_waker(&waker));
        if count.0.load(Ordering::Relaxed) == before {
            return polls;
        }
    }
    100
}

#[tokio::test]
async fn closing_a_sink_beside_a_stream_goes_to_sleep() {
    let (io, _wire) = mock();
    let mut ws = open(io, Config::new(Role::Client));
    let polls = polls(|cx| {
        assert!(Pin::new(&mut ws).poll_close(cx).is_pending());
        assert!(Pin::new(&mut ws).poll_next(cx).is_pending());
    });
    assert!(polls <= 3, "{polls}");
}

#[tokio::test]
async fn shutting_a_byte_stream_down_beside_reading_it_goes_to_sleep() {
    let (io, _wire) = mock();
    let mut stream = open(io, Config::new(Role::Client)).into_byte_stream();
    let mut byte = [0];
    let polls = polls(|cx| {
        assert!(Pin::new(&mut stream).poll_shutdown(cx).is_pending());
        assert!(Pin::new(&mut stream).poll_read(cx, &mut ReadBuf::new(&mut byte)).is_pending());
    });
    assert!(polls <= 3, "{polls}");
}

#[tokio::test]
async fn a_write_that_waits_beside_a_read_goes_to_sleep() {
    let (io, wire) = mock();
    let mut stream = open(io, Config::new(Role::Client)).into_byte_stream();
    wire.take(0);
    let mut byte = [0];
    let mut fill = Context::from_waker(Waker::noop());
    while Pin::new(&mut stream).poll_write(&mut fill, &[7; 10_000]).is_ready() {}
    let polls = polls(|cx| {
        assert!(Pin::new(&mut stream).poll_write(cx, b"more").is_pending());
        assert!(Pin::new(&mut stream).poll_flush(cx).is_pending());
        assert!(Pin::new(&mut stream).poll_read(cx, &mut ReadBuf::new(&mut byte)).is_pending());
    });
    assert!(polls <= 3, "{polls}");
}

#[tokio::test]
async fn a_task_of_a_connection_goes_to_sleep() {
    for full in [false, true] {
        let (io, wire) = mock();
        let (handle, mut task) = open(io, Config::new(Role::Server)).into_task(SpawnOptions::new(1));
        let group = Group::new();
        group.add(&handle.sender(), MemberOptions::new(SlowConsumer::Skip)).expect("open");
        if full {
            wire.push([Frame::text("1"), Frame::text("2")].map(|frame| frame.by(Role::Client)).concat());
            wire.take(0);
            for _ in 0..200 {
                handle.try_send(vec![7; 10_000]).ok();
                group.try_send(&Prepared::new(vec![7; 10_000]), None);
            }
        }
        let polls = polls(|cx| assert!(Pin::new(&mut task).poll(cx).is_pending()));
        assert!(polls <= 3, "{polls}");
    }
}
