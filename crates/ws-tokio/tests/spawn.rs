//! Connections with a task of their own.

mod support;

use std::{
    io,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use futures_util::StreamExt;
use support::{Raw, facing_raw, facing_raw_with, mock::mock, open, pair, poll_once};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, DuplexStream, ReadBuf, duplex},
    time::{Instant, sleep, timeout},
};
use ws_testkit::{Frame, Rng, read_frames};
use ws_tokio::{
    Error, Group, Handle, MemberOptions, SendError, SlowConsumer, SpawnOptions,
    endpoint::{
        driver::{self, CloseCode, Config, Expired, Message, Prepared},
        frame::Role,
    },
};

/// A spawned server with room for so many messages, and its peer.
fn spawned(capacity: usize) -> (Handle, Raw<DuplexStream>) {
    let (ws, peer) = facing_raw(Role::Server, 1 << 16);
    (ws.spawn(capacity), peer)
}

fn text(message: Option<Result<Message, Error>>) -> String {
    message.expect("not the end").expect("a message").as_text().expect("text").to_owned()
}

/// Lets the other tasks go on until they wait.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn pongs_leave_while_the_application_is_busy() {
    let (mut handle, mut peer) = spawned(8);
    for number in 0..5 {
        peer.send_all(&[Frame::text(format!("{number}")), Frame::ping(format!("?{number}"))]).await;
        assert_eq!(peer.recv().await, Some(Frame::pong(format!("?{number}"))));
    }
    for number in 0..5 {
        assert_eq!(text(handle.recv().await), format!("{number}"));
    }
}

#[tokio::test(start_paused = true)]
async fn deadlines_are_watched_while_the_application_is_busy() {
    let (mut handle, mut peer) = spawned(8);
    let began = Instant::now();
    assert!(peer.recv().await.is_some_and(|frame| frame.opcode == 9));
    assert_eq!(began.elapsed().as_secs(), 25);
    assert_eq!(peer.recv().await.expect("a Close").code(), Some(1011));
    assert_eq!(began.elapsed().as_secs(), 45);
    drop(peer);
    assert!(matches!(handle.recv().await, Some(Err(Error::Failed(driver::Fault::PongTimeout)))));
    assert!(handle.recv().await.is_none());
}

#[tokio::test]
async fn the_inbox_is_bounded_in_messages_and_in_bytes() {
    // Bounds in messages and bytes, and how many messages of 100 bytes fit.
    for (messages, bytes, fit) in [(3, 1 << 20, 3), (100, 250, 3), (0, 0, 1)] {
        let (io, wire) = mock();
        let mut options = SpawnOptions::new(messages);
        options.inbox_bytes = bytes;
        let (handle, task) = open(io, Config::new(Role::Server)).into_task(options);
        let (_sender, mut receiver) = handle.split();
        let mut task = pin!(task);
        for number in 0..10u8 {
            wire.push(Frame::binary([number; 100]).by(Role::Client));
        }
        assert!(poll_once(task.as_mut()).is_pending());
        assert!(poll_once(task.as_mut()).is_pending());
        assert_eq!(receiver.len(), fit);
        assert_eq!(wire.counts().0, fit, "nothing behind them is read");
        for number in 0..10u8 {
            assert_eq!(receiver.try_recv().expect("a message").as_bytes(), [number; 100]);
            assert!(poll_once(task.as_mut()).is_pending());
        }
        assert!(receiver.is_empty());
    }
}

#[tokio::test]
async fn room_in_the_inbox_wakes_the_task() {
    let (mut handle, mut peer) = spawned(2);
    let sends = tokio::spawn(async move {
        for number in 0..20_000 {
            peer.send(Frame::text(format!("{number}"))).await;
        }
        peer.send(Frame::close(1000, "")).await;
        peer.rest().await
    });
    for number in 0..20_000 {
        assert_eq!(text(handle.recv().await), format!("{number}"));
    }
    assert!(handle.recv().await.is_none());
    assert!(handle.closed().expect("the end").is_clean());
    assert_eq!(sends.await.expect("no panic"), [Frame::close(1000, "")]);
}

#[tokio::test(start_paused = true)]
async fn a_full_inbox_does_not_make_a_live_peer_look_dead() {
    let (mut handle, mut peer) = spawned(1);
    for number in 0..100 {
        peer.send(Frame::text(format!("{number}"))).await;
        sleep(Duration::from_secs(10)).await;
    }
    for number in 0..100 {
        assert_eq!(text(handle.recv().await), format!("{number}"));
    }
}

#[tokio::test]
async fn what_came_before_the_end_is_received_beyond_the_bound() {
    let (mut handle, mut peer) = spawned(1);
    peer.send_all(&[Frame::text("1"), Frame::text("2"), Frame::text("3"), Frame::close(1001, "bye")]).await;
    for number in 1..=3 {
        assert_eq!(text(handle.recv().await), format!("{number}"));
    }
    assert!(handle.recv().await.is_none());
    assert_eq!(handle.closed().expect("the end").code, 1001);
}

#[tokio::test]
async fn messages_of_many_senders_leave_whole_and_in_the_order_of_each() {
    let (handle, mut peer) = spawned(1);
    let tasks: Vec<_> = (0..4)
        .map(|task| {
            let sender = handle.sender();
            tokio::spawn(async move {
                for number in 0..500 {
                    sender.send(format!("{task} {number}")).await.expect("sent");
                }
                sender.flush().await.expect("written");
            })
        })
        .collect();
    let mut next = [0; 4];
    for _ in 0..2000 {
        let frame = peer.recv().await.expect("a frame");
        let text = String::from_utf8(frame.payload).expect("text");
        let (task, number) = text.split_once(' ').expect("two numbers");
        let task: usize = task.parse().expect("a number");
        assert_eq!(number.parse(), Ok(next[task]));
        next[task] += 1;
    }
    for task in tasks {
        task.await.expect("no panic");
    }
}

#[tokio::test]
async fn what_waits_to_be_sent_is_bounded() {
    let (io, wire) = mock();
    let mut config = Config::new(Role::Server);
    config.limits.high_water_mark = 1000;
    config.limits.max_queued_beyond_mark = 2000;
    config.timeouts = driver::Timeouts::NONE.into();
    let handle = open(io, config).spawn(1);
    wire.take(0);
    let mut sent = 0;
    while handle.try_send(vec![7; 100]).is_ok() {
        sent += 1;
        settle().await;
        assert!(sent < 100);
    }
    let unsent = handle.try_send("too much").expect_err("above the mark");
    assert!(matches!(unsent.error, driver::SendError::Full { limit: 1000, .. }), "{unsent:?}");
    assert_eq!(unsent.message.as_text(), Some("too much"));
    let unsent = loop {
        match poll_once(handle.send(vec![7; 100])) {
            Poll::Pending => sent += 1,
            Poll::Ready(Err(SendError::Unsent(unsent))) => break unsent,
            Poll::Ready(other) => panic!("{other:?}"),
        }
        assert!(sent < 100);
    };
    assert!(matches!(unsent.error, driver::SendError::Full { limit: 3000, .. }), "{unsent:?}");
    assert!(handle.sender().queued() <= 3000);
    wire.take(usize::MAX);
    handle.flush().await.expect("written");
    handle.send(unsent.message).await.expect("there is room");
    sent += 1;
    handle.flush().await.expect("written");
    assert_eq!(read_frames(Role::Server, &wire.written()), vec![Frame::binary([7; 100]); sent]);
}

#[tokio::test]
async fn sending_waits_above_the_mark_until_there_is_room() {
    let mut config = Config::new(Role::Server);
    config.limits.high_water_mark = 500;
    let (ws, mut peer) = facing_raw_with(config, 100);
    let handle = ws.spawn(1);
    let sender = handle.sender();
    let sends = tokio::spawn(async move {
        for number in 0..200u8 {
            sender.send(vec![number; 100]).await.expect("sent");
        }
        sender.flush().await
    });
    settle().await;
    assert!(!sends.is_finished());
    assert!(handle.sender().queued() <= 1000);
    for number in 0..200u8 {
        assert_eq!(peer.recv().await, Some(Frame::binary([number; 100])));
    }
    sends.await.expect("no panic").expect("written");
}

#[tokio::test]
async fn a_burst_leaves_in_one_write() {
    let (io, wire) = mock();
    let handle = open(io, Config::new(Role::Server)).spawn(1);
    settle().await;
    for number in 0..50 {
        handle.try_send(format!("{number}")).expect("room");
    }
    handle.sender().ping(b"?").expect("room");
    handle.flush().await.expect("written");
    assert_eq!(wire.counts().1, 1);
    assert_eq!(read_frames(Role::Server, &wire.written()).len(), 51);
}

#[tokio::test]
async fn closing_lets_out_what_was_sent_and_lets_in_what_still_comes() {
    let (mut handle, mut peer) = spawned(8);
    handle.send("last").await.expect("sent");
    let sender = handle.sender();
    let closes = tokio::spawn(async move { sender.close(CloseCode::NORMAL, "done").await });
    assert_eq!(peer.recv().await, Some(Frame::text("last")));
    assert_eq!(peer.recv().await, Some(Frame::close(1000, "done")));
    let unsent = handle.try_send("too late").expect_err("closing");
    assert_eq!(unsent.error, driver::SendError::Closed);
    assert_eq!(handle.sender().ping(b""), Err(driver::SendError::Closed));
    peer.send_all(&[Frame::text("on its way"), Frame::close(1000, "")]).await;
    let closed = closes.await.expect("no panic").expect("clean").expect("the end");
    assert!(closed.is_clean());
    assert_eq!(text(handle.recv().await), "on its way");
    assert!(handle.recv().await.is_none());
    assert!(handle.sender().is_ended());
    handle.sender().begin_close(CloseCode::NORMAL, "again").expect("nothing to do");
    assert!(handle.close(CloseCode::NORMAL, &"x".repeat(124)).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_end_that_is_not_clean_is_told_to_every_handle() {
    let (mut handle, mut peer) = spawned(8);
    let waits = handle.sender();
    let waits = tokio::spawn(async move { waits.close(CloseCode::NORMAL, "").await });
    assert_eq!(peer.recv().await, Some(Frame::close(1000, "")));
    let end = waits.await.expect("no panic");
    assert!(matches!(end, Err(Error::Expired(Expired::Close))), "{end:?}");
    assert!(matches!(handle.recv().await, Some(Err(Error::Expired(Expired::Close)))));
    assert!(handle.recv().await.is_none());
    assert!(matches!(handle.flush().await, Ok(())), "all was written");
    assert!(matches!(handle.send("late").await, Err(SendError::Unsent(_))));
}

#[tokio::test]
async fn closing_now_drops_the_transport() {
    let (mut handle, mut peer) = spawned(8);
    settle().await;
    handle.sender().close_now();
    assert_eq!(peer.rest().await, []);
    assert!(matches!(handle.recv().await, Some(Err(Error::Lost))));
}

#[tokio::test]
async fn handles_that_are_all_dropped_close_the_connection() {
    let (handle, mut peer) = spawned(8);
    peer.send(Frame::text("unread")).await;
    settle().await;
    handle.try_send("last").expect("room");
    let (sender, receiver) = handle.split();
    let clone = sender.clone();
    drop(sender);
    drop(receiver);
    peer.send_all(&[Frame::text("dropped"), Frame::ping("?")]).await;
    assert_eq!(peer.recv().await, Some(Frame::text("last")));
    assert_eq!(peer.recv().await, Some(Frame::pong("?")), "one of them is left");
    clone.try_send("very last").expect("room");
    drop(clone);
    assert_eq!(peer.recv().await, Some(Frame::text("very last")));
    assert_eq!(peer.recv().await, Some(Frame::close(1001, "")));
    peer.send_all(&[Frame::text("dropped"), Frame::close(1001, "")]).await;
    assert_eq!(peer.rest().await, []);
}

#[tokio::test]
async fn a_receiving_half_goes_on_without_senders() {
    let (handle, mut peer) = spawned(8);
    let (sender, mut receiver) = handle.split();
    sender.try_send("last").expect("room");
    drop(sender);
    assert_eq!(peer.recv().await, Some(Frame::text("last")));
    peer.send_all(&[Frame::text("1"), Frame::text("2"), Frame::close(1000, "")]).await;
    assert_eq!(text(receiver.next().await), "1");
    assert_eq!(text(receiver.recv().await), "2");
    assert!(receiver.next().await.is_none());
    assert!(receiver.closed().expect("the end").is_clean());
}

#[tokio::test]
async fn a_task_that_dies_is_told_to_every_handle() {
    let (ws, _peer) = facing_raw(Role::Server, 1 << 16);
    let (mut handle, task) = ws.into_task(SpawnOptions::new(8));
    let task = tokio::spawn(task);
    handle.try_send("unwritten").expect("room");
    let sender = handle.sender();
    let waits = tokio::spawn(async move { sender.close(CloseCode::NORMAL, "").await });
    task.abort();
    assert!(matches!(handle.recv().await, Some(Err(Error::Lost))));
    assert!(matches!(waits.await.expect("no panic"), Err(Error::Lost)));
    assert!(matches!(handle.flush().await, Err(Error::Lost)));
    assert!(matches!(handle.send("late").await, Err(SendError::Unsent(_))));
}

#[tokio::test(start_paused = true)]
async fn the_round_trip_time_is_there_for_every_handle() {
    let (handle, mut peer) = spawned(8);
    assert_eq!(handle.rtt(), None);
    handle.sender().ping(b"?").expect("room");
    assert_eq!(peer.recv().await, Some(Frame::ping("?")));
    sleep(Duration::from_millis(40)).await;
    peer.send(Frame::pong("?")).await;
    settle().await;
    assert_eq!(handle.rtt(), Some(Duration::from_millis(40)));
    assert_eq!(handle.sender().rtt(), handle.rtt());
}

/// A transport that panics when it is written to.
struct Panics(DuplexStream);

impl AsyncRead for Panics {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Panics {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        panic!("as it is told")
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_panic_ends_that_connection_and_no_handle_hangs() {
    let (near, mut far) = duplex(100);
    let group = Group::new();
    let mut handle = open(Panics(near), Config::new(Role::Server)).spawn(1);
    let id = group.add(&handle.sender(), MemberOptions::new(SlowConsumer::Wait)).expect("open");
    let (other, mut peer) = spawned(1);
    group.add(&other.sender(), MemberOptions::new(SlowConsumer::Wait)).expect("open");
    settle().await;
    assert_eq!(group.send(&Prepared::new("news")).await.queued, 2);
    settle().await;
    assert!(matches!(handle.recv().await, Some(Err(Error::Lost))));
    assert!(matches!(handle.close(CloseCode::NORMAL, "").await, Err(Error::Lost)));
    assert!(group.member_stats(id).is_none(), "it has left the group");
    assert_eq!(far.read(&mut [0]).await.expect("the end"), 0, "the transport was dropped");
    assert_eq!(peer.recv().await, Some(Frame::text("news")), "the other one has noticed nothing");
}

#[tokio::test]
async fn a_message_that_was_received_in_part_is_passed_over() {
    let (mut ws, mut peer) = facing_raw(Role::Server, 1 << 16);
    peer.send(Frame::text("in part").unfinished()).await;
    assert!(ws.recv_part().await.is_some());
    let mut handle = ws.spawn(8);
    peer.send_all(&[Frame::continuation("rest"), Frame::text("next")]).await;
    assert_eq!(text(handle.recv().await), "next");
}

#[tokio::test]
async fn a_future_of_a_handle_may_be_dropped_at_any_poll() {
    for drops in 1..6 {
        let mut config = Config::new(Role::Server);
        config.limits.high_water_mark = 100;
        let (ws, mut peer) = facing_raw_with(config, 50);
        let mut handle = ws.spawn(2);
        let mut rng = Rng::new(drops);
        let echo = tokio::spawn(async move {
            let mut seen = Vec::new();
            while let Some(frame) = peer.recv().await {
                if frame.opcode == 8 {
                    peer.send(frame).await;
                } else {
                    seen.push(frame.clone());
                    peer.send(frame).await;
                }
            }
            seen
        });
        let (mut sent, mut received) = (Vec::new(), Vec::new());
        while received.len() < 200 {
            if sent.len() < 200 {
                let message = Frame::text(format!("{:>20}", sent.len()));
                let text = String::from_utf8(message.payload.clone()).expect("text");
                // Handed over by the first poll, whether it is given more of them or not.
                let polls = rng.below(3) + 1;
                if rng.once_in(2) {
                    let prepared = Prepared::new(text);
                    _ = polled(polls, handle.sender().send_prepared(&prepared)).await;
                } else {
                    _ = polled(polls, handle.send(text)).await;
                }
                sent.push(message);
            }
            _ = polled(rng.below(3), handle.flush()).await;
            if let Some(message) = polled(rng.below(3) + 1, handle.recv()).await {
                received.push(Frame::text(message.expect("not the end").expect("a message").as_bytes()));
            }
        }
        _ = polled(1, handle.close(CloseCode::NORMAL, "")).await;
        handle.close(CloseCode::NORMAL, "").await.expect("clean");
        assert_eq!(received, sent);
        assert_eq!(timeout(Duration::from_secs(20), echo).await.expect("soon").expect("no panic"), sent);
    }
}

/// Polls so many times, with turns for others in between, and drops.
async fn polled<F: Future>(times: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..times {
        if let Poll::Ready(output) = std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
            return Some(output);
        }
        tokio::task::yield_now().await;
    }
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spawned_connections_talk_on_two_threads() {
    for round in 0..10 {
        let (client, server) = pair(100 + round * 50).await;
        let tasks = [client, server].map(|ws| {
            let (sender, mut receiver) = ws.spawn(3).split();
            tokio::spawn(async move {
                let sends = tokio::spawn(async move {
                    for number in 0..2000 {
                        sender.send(format!("{number}")).await.expect("sent");
                    }
                    sender.flush().await.expect("written");
                    sender
                });
                for number in 0..2000 {
                    assert_eq!(text(receiver.recv().await), format!("{number}"));
                }
                (sends.await.expect("no panic"), receiver)
            })
        });
        let mut halves = Vec::new();
        for task in tasks {
            halves.push(timeout(Duration::from_secs(20), task).await.expect("soon").expect("no panic"));
        }
        let closed = halves[0].0.close(CloseCode::NORMAL, "").await.expect("clean").expect("the end");
        assert!(closed.is_clean());
    }
}
