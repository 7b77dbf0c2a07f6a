//! What the handles of a connection with a task tell, besides messages.

mod support;

use futures_util::{StreamExt, stream::FusedStream};
use support::{Raw, facing_raw, facing_raw_with, poll_once};
use tokio::io::DuplexStream;
use ws_testkit::Frame;
use ws_tokio::{
    Error, Handle, SendError,
    endpoint::{
        driver::{self, CloseCode, Config},
        frame::Role,
    },
};

fn spawned(capacity: usize) -> (Handle, Raw<DuplexStream>) {
    let (ws, peer) = facing_raw(Role::Server, 1 << 16);
    (ws.spawn(capacity), peer)
}

#[tokio::test]
async fn every_handle_tells_how_the_connection_ended() {
    let (handle, mut peer) = spawned(8);
    let (sender, mut receiver) = handle.split();
    assert!(sender.closed().is_none() && receiver.closed().is_none() && !sender.is_ended());
    peer.send(Frame::close(4000, "enough")).await;
    assert!(receiver.recv().await.is_none());
    assert_eq!(sender.closed(), receiver.closed());
    let closed = sender.closed().expect("the end");
    assert_eq!((closed.code, closed.reason.as_str(), closed.is_clean()), (4000, "enough", true));
    assert!(sender.is_ended());
}

#[tokio::test]
async fn a_ping_that_is_too_long_is_refused_and_the_next_one_leaves() {
    let (handle, mut peer) = spawned(8);
    let (sender, _receiver) = handle.split();
    assert_eq!(sender.ping(&[0; 126]), Err(driver::SendError::ControlTooLong(126)));
    sender.ping(&[7; 125]).expect("it may have 125 bytes");
    assert_eq!(peer.recv().await, Some(Frame::ping(vec![7; 125])));
}

#[tokio::test]
async fn the_mark_is_seen_and_who_waits_for_room_is_told_of_the_end() {
    let mut config = Config::new(Role::Server);
    config.limits.high_water_mark = 100;
    let (ws, peer) = facing_raw_with(config, 10);
    let (sender, mut receiver) = ws.spawn(8).split();
    assert!(!sender.is_above_mark());
    let waiting = {
        let mut waits = Box::pin(sender.send(vec![0; 1000]));
        assert!(poll_once(waits.as_mut()).is_pending());
        assert!(sender.is_above_mark() && sender.queued() >= 1000);
        waits
    };
    drop(peer);
    let end = receiver.recv().await;
    assert!(matches!(end, Some(Err(_))), "{end:?}");
    let told = waiting.await;
    assert!(matches!(&told, Err(SendError::Ended(Error::Lost | Error::Io(_)))), "{told:?}");
    let late = sender.flush().await;
    assert!(matches!(late, Err(Error::Lost | Error::Io(_))), "{late:?}");
}

#[tokio::test]
async fn the_receiving_half_is_a_stream_that_knows_its_end() {
    let (handle, mut peer) = spawned(8);
    let (_sender, mut receiver) = handle.split();
    peer.send_all(&[Frame::text("one"), Frame::text("two"), Frame::close(1000, "")]).await;
    let mut texts = Vec::new();
    while !receiver.is_terminated() {
        let Some(message) = receiver.next().await else { continue };
        texts.push(message.expect("a message").as_text().expect("text").to_owned());
    }
    assert_eq!(texts, ["one", "two"]);
    assert!(receiver.next().await.is_none());
}

#[tokio::test]
async fn a_message_that_cannot_be_sent_is_told_by_the_flush_behind_it() {
    let (handle, mut peer) = spawned(8);
    let (sender, _receiver) = handle.split();
    sender.close(CloseCode::NORMAL, &"x".repeat(124)).await.expect_err("the reason is too long");
    sender.begin_close(CloseCode::NORMAL, "").expect("it fits");
    assert_eq!(peer.recv().await, Some(Frame::close(1000, "")));
    let refused = sender.send("late").await;
    assert!(matches!(refused, Err(SendError::Unsent(unsent)) if unsent.message == "late".into()));
    sender.flush().await.expect("all that was taken has left");
}

#[tokio::test]
async fn what_is_shown_counts_and_shows_no_message() {
    let (handle, mut peer) = spawned(8);
    peer.send_all(&[Frame::text("secret"), Frame::ping("")]).await;
    assert_eq!(peer.recv().await, Some(Frame::pong("")));
    let shown = format!("{handle:?}");
    assert!(shown.contains("waiting: 1") && shown.contains("queued: 0"), "{shown}");
    let (sender, receiver) = handle.split();
    for shown in [format!("{sender:?}"), format!("{receiver:?}")] {
        assert!(!shown.contains("secret"), "{shown}");
    }
}
