//! A peer that does not read: bounds on what waits for it.

mod support;

use std::time::Duration;

use support::{Raw, facing_raw, facing_raw_with, mock::mock, open, poll_once};
use tokio::time::sleep;
use ws_testkit::{Frame, read_frames};
use ws_tokio::{
    SendError,
    endpoint::{
        driver::{self, Config, DataKind},
        frame::Role,
    },
};

/// A connection whose mark is low and whose deadlines are off.
fn narrow() -> Config {
    let mut config = Config::new(Role::Server);
    config.limits.high_water_mark = 1000;
    config.limits.max_queued_beyond_mark = 5000;
    config.timeouts = driver::Timeouts::NONE.into();
    config
}

#[tokio::test]
async fn feed_waits_at_the_mark_until_there_is_room() {
    let (io, wire) = mock();
    let mut ws = open(io, narrow());
    wire.take(0);
    for _ in 0..9 {
        assert!(poll_once(ws.feed(vec![7; 98])).is_ready(), "below the mark");
    }
    assert_eq!(ws.queued(), 900);
    assert!(poll_once(ws.feed(vec![7; 98])).is_pending(), "at the mark; but it is queued");
    assert_eq!(ws.queued(), 1000);
    assert!(poll_once(ws.flush()).is_pending());
    wire.take(50);
    assert!(poll_once(ws.feed(vec![7; 198])).is_pending(), "950 and 200 wait");
    wire.take(300);
    assert!(poll_once(ws.feed("")).is_ready());
    wire.take(usize::MAX);
    assert!(poll_once(ws.flush()).is_ready());
    let frames = read_frames(Role::Server, &wire.written());
    assert_eq!(frames.len(), 12);
    assert!(frames[..10].iter().all(|frame| frame.payload == [7; 98]));
}

#[tokio::test]
async fn a_message_of_any_length_is_taken_below_the_mark() {
    let (io, wire) = mock();
    let mut ws = open(io, narrow());
    wire.take(0);
    assert!(poll_once(ws.feed(vec![7; 1 << 20])).is_pending());
    assert_eq!(ws.queued(), (1 << 20) + 10);
    wire.take(usize::MAX);
    assert!(poll_once(ws.flush()).is_ready());
}

#[tokio::test]
async fn beyond_the_hard_limit_the_message_comes_back() {
    let (io, wire) = mock();
    let mut ws = open(io, narrow());
    wire.take(0);
    let mut queued = Vec::new();
    let unsent = loop {
        match poll_once(ws.send(format!("message {}", queued.len()))) {
            std::task::Poll::Pending => queued.push(Frame::text(format!("message {}", queued.len()))),
            std::task::Poll::Ready(Err(SendError::Unsent(unsent))) => break unsent,
            std::task::Poll::Ready(other) => panic!("{other:?}"),
        }
    };
    assert_eq!(unsent.message.as_text(), Some(&*format!("message {}", queued.len())));
    assert!(matches!(unsent.error, driver::SendError::Full { limit: 6000, .. }), "{:?}", unsent.error);
    assert!(ws.queued() <= 6000, "{}", ws.queued());
    wire.take(usize::MAX);
    ws.flush().await.expect("flushed");
    ws.send(unsent.message).await.expect("there is room again");
    queued.push(Frame::text(format!("message {}", queued.len())));
    assert_eq!(read_frames(Role::Server, &wire.written()), queued);
}

#[tokio::test]
async fn a_lent_recv_holds_back_above_the_mark() {
    let (io, wire) = mock();
    let mut ws = open(io, narrow());
    wire.take(0);
    for _ in 0..100 {
        wire.push(Frame::binary(vec![7; 500]).by(Role::Client));
    }
    let (rx, tx) = ws.halves();
    for _ in 0..2 {
        let message = poll_once(rx.recv(tx));
        let std::task::Poll::Ready(Some(Ok(message))) = message else { panic!("{message:?}") };
        tx.feed(message).expect("fed");
    }
    assert_eq!(tx.queued(), 1008);
    for _ in 0..3 {
        assert!(poll_once(rx.recv(tx)).is_pending(), "it writes first");
    }
    assert_eq!(wire.counts(), (2, 0), "and reads nothing meanwhile");
    wire.take(100);
    assert!(matches!(poll_once(rx.recv(tx)), std::task::Poll::Ready(Some(Ok(_)))));
}

#[tokio::test]
async fn an_echo_to_a_peer_that_never_reads_stays_bounded() {
    let (io, wire) = mock();
    let mut ws = open(io, narrow());
    wire.take(0);
    let frame = Frame::binary(vec![7; 500]).by(Role::Client);
    let (rx, tx) = ws.halves();
    for _ in 0..10_000 {
        wire.push(frame.clone());
        match poll_once(rx.recv(tx)) {
            std::task::Poll::Ready(Some(Ok(message))) => tx.feed(message).expect("fed"),
            std::task::Poll::Pending => {}
            std::task::Poll::Ready(end) => panic!("{end:?}"),
        }
        assert!(tx.queued() < 2000);
    }
}

#[tokio::test]
async fn a_part_waits_at_the_mark_too() {
    let (io, wire) = mock();
    let mut ws = open(io, narrow());
    wire.take(0);
    ws.start(DataKind::Binary).expect("nothing is open");
    assert!(poll_once(ws.send_part(&[7; 900])).is_ready());
    assert!(poll_once(ws.send_part(&[7; 900])).is_pending());
    wire.take(usize::MAX);
    assert!(poll_once(ws.finish()).is_ready());
    let frames = read_frames(Role::Server, &wire.written());
    assert_eq!(frames.iter().map(|frame| frame.payload.len()).collect::<Vec<_>>(), [900, 900, 0]);
}

#[tokio::test]
async fn the_sending_half_of_a_split_waits_at_the_mark() {
    let (ws, mut peer) = facing_raw_with(narrow(), 100);
    let (mut rx, mut tx) = ws.split();
    let reader = tokio::spawn(async move { rx.recv().await });
    let writer = tokio::spawn(async move {
        for number in 0..200u8 {
            tx.feed(vec![number; 100]).await.expect("fed");
        }
        tx.flush().await.expect("flushed");
    });
    tokio::task::yield_now().await;
    for number in 0..200u8 {
        assert_eq!(peer.recv().await, Some(Frame::binary(vec![number; 100])));
    }
    writer.await.expect("no panic");
    drop(peer);
    assert!(reader.await.expect("no panic").expect("not a clean end").is_err());
}

#[tokio::test(start_paused = true)]
async fn of_pings_that_cannot_be_answered_the_newest_are_kept() {
    let (io, wire) = mock();
    let mut config = Config::new(Role::Server);
    config.timeouts = driver::Timeouts::NONE.into();
    let mut ws = open(io, config);
    wire.take(0);
    let mut last = 0;
    for _ in 0..100 {
        let pings: Vec<u8> = (0..100)
            .flat_map(|_| {
                last += 1;
                Frame::ping(format!("{last:0125}")).by(Role::Client)
            })
            .collect();
        wire.push(pings);
        assert!(poll_once(ws.recv()).is_pending());
        assert!(ws.queued() <= 64 * 127, "{}", ws.queued());
    }
    wire.take(usize::MAX);
    assert!(poll_once(ws.recv()).is_pending());
    assert!(poll_once(ws.recv()).is_pending());
    let pongs: Vec<u32> = read_frames(Role::Server, &wire.written())
        .iter()
        .map(|pong| {
            assert_eq!(pong.opcode, 10);
            std::str::from_utf8(&pong.payload).expect("text").parse().expect("a number")
        })
        .collect();
    assert_eq!(pongs.len(), 128, "64 in the queue and 64 behind it");
    assert_eq!(pongs[..64], (1..=64).collect::<Vec<_>>(), "those that were queued first");
    assert_eq!(pongs[64..], (10_000 - 63..=10_000).collect::<Vec<_>>(), "and the newest");
}

#[tokio::test]
async fn a_peer_that_reads_has_every_ping_answered_in_order() {
    let (mut ws, peer) = facing_raw(Role::Server, 1 << 16);
    let (read, write) = tokio::io::split(peer.io);
    let sends = async {
        let mut peer = Raw::new(tokio::io::join(tokio::io::empty(), write), Role::Client);
        for number in 0..5000 {
            peer.send(Frame::ping(number.to_string())).await;
        }
        peer
    };
    let reads = async {
        let mut peer = Raw::new(tokio::io::join(read, tokio::io::sink()), Role::Client);
        for number in 0..5000 {
            assert_eq!(peer.recv().await, Some(Frame::pong(number.to_string())));
        }
        peer
    };
    tokio::select! {
        biased;
        _peer = async { tokio::join!(sends, reads) } => {}
        end = ws.recv() => panic!("{end:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_is_received_while_another_cannot_be_sent() {
    let (ws, mut peer) = facing_raw_with(narrow(), 100);
    let (mut rx, mut tx) = ws.split();
    let writer = tokio::spawn(async move { tx.send(vec![7; 10_000]).await });
    sleep(Duration::from_secs(1)).await;
    peer.send(Frame::text("meanwhile")).await;
    let message = rx.recv().await.expect("not the end").expect("a message");
    assert_eq!(message.as_text(), Some("meanwhile"));
    assert_eq!(peer.recv().await, Some(Frame::binary(vec![7; 10_000])));
    writer.await.expect("no panic").expect("sent");
}
