//! Deadlines that are met at the last moment: nothing ends before its time is up. That it ends then is shown elsewhere;
//! `docs/reliability/bounds.md` has both for each bound.

mod support;

use std::time::Duration;

use support::{facing_raw, raw::Raw};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    time::{Instant, sleep},
};
use ws_testkit::Frame;
use ws_tokio::{
    Connect,
    endpoint::{driver::CloseCode, frame::Role},
};

const REQUEST: &[u8] =
    b"GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// A moment before so many seconds.
fn just_before(seconds: u64) -> Duration {
    Duration::from_secs(seconds) - Duration::from_millis(1)
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_whole_just_in_time_is_accepted() {
    let (mut near, far) = duplex(4096);
    let asks = async {
        near.write_all(&REQUEST[..REQUEST.len() - 1]).await.expect("most of a request");
        sleep(just_before(10)).await;
        near.write_all(b"\n").await.expect("the rest");
        let mut answer = [0; 13];
        near.read_exact(&mut answer).await.expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 101 ");
    };
    let (accepted, ()) = tokio::join!(ws_tokio::accept(far), asks);
    assert!(accepted.is_ok(), "{accepted:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_just_in_time_opens_the_connection() {
    // The time of a hop, and without one that of all of them.
    for (hop, seconds) in [(Some(Duration::from_secs(10)), 10), (None, 30)] {
        let (near, far) = duplex(4096);
        let connect = Connect::new("ws://example.com/").expect("an address").handshake_timeout(hop);
        let answers = async {
            sleep(just_before(seconds)).await;
            let mut server = Raw::new(far, Role::Server);
            server.accept().await;
            server
        };
        let (opened, _server) = tokio::join!(connect.over(near), answers);
        assert!(opened.is_ok(), "{opened:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_close_that_is_answered_just_in_time_is_clean() {
    let (mut ws, mut peer) = facing_raw(Role::Server, 4096);
    let start = Instant::now();
    let answers = async {
        assert_eq!(peer.recv().await, Some(Frame::close(1000, "")));
        sleep(just_before(5)).await;
        peer.send(Frame::close(1000, "")).await;
    };
    let (closed, ()) = tokio::join!(ws.close(CloseCode::NORMAL, ""), answers);
    assert!(closed.is_ok(), "{closed:?}");
    assert!(ws.closed().expect("the end").is_clean());
    assert_eq!(start.elapsed().as_secs(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_pong_that_comes_just_in_time_is_enough() {
    let (mut ws, mut peer) = facing_raw(Role::Server, 4096);
    let answers = async {
        let ping = peer.recv().await.expect("a ping");
        assert_eq!(ping.opcode, 9);
        sleep(just_before(20)).await;
        peer.send(Frame::pong(ping.payload)).await;
        peer.send(Frame::text("still here")).await;
    };
    let (received, ()) = tokio::join!(ws.recv(), answers);
    assert_eq!(received.expect("a message").expect("no error").as_text(), Some("still here"));
}
