//! Two tasks on two threads drive one connection: no wake-up is lost, whoever finds the transport ready.

mod support;

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use support::{pair_with, shake_hands, tcp};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::oneshot,
    time::timeout,
};
use ws_testkit::Rng;
use ws_tokio::{
    WebSocket,
    endpoint::{
        ConnectionOptions,
        driver::{CloseCode, Message},
    },
};

/// How many messages go each way.
const MESSAGES: usize = 300;

/// Long enough for the slowest machine; a lost wake-up would last until the keepalive.
const SOON: Duration = Duration::from_secs(20);

/// A mark so low that the sending half has to wait again and again.
fn narrow() -> ConnectionOptions {
    let mut options = ConnectionOptions::default();
    options.limits.high_water_mark = 200;
    options
}

fn messages(seed: u64) -> Vec<Message> {
    let mut rng = Rng::new(seed);
    (0..MESSAGES).map(|_| vec![u8::try_from(rng.below(256)).unwrap_or(0); rng.below(300)].into()).collect()
}

/// Sends in one task, receives in another; one side closes when it has sent and received everything.
async fn talk<S>(ws: WebSocket<S>, sends: u64, receives: u64, closes: bool)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut rx, mut tx) = ws.split();
    let (all, received) = oneshot::channel();
    let writer = tokio::spawn(async move {
        let mut rng = Rng::new(sends);
        for message in messages(sends) {
            match rng.below(4) {
                0 => tx.send(message).await.expect("sent"),
                1 => {
                    // Not behind the message: with the last one the peer has all, and may close.
                    tx.ping(b"?").await.expect("a ping");
                    tx.feed(message).await.expect("fed");
                }
                _ => tx.feed(message).await.expect("fed"),
            }
            if rng.once_in(8) {
                tokio::task::yield_now().await;
            }
        }
        tx.flush().await.expect("flushed");
        received.await.expect("the reader lives");
        if closes {
            tx.close(CloseCode::NORMAL, "").await.expect("sent");
        }
    });
    // It receives to the end, so that the peer's last pings and pongs have somewhere to go.
    for expected in messages(receives) {
        let message = rx.recv().await.expect("not the end").expect("a message");
        assert!(message == expected);
    }
    all.send(()).expect("the writer lives");
    assert!(rx.recv().await.is_none());
    assert!(rx.closed().expect("the end").is_clean());
    writer.await.expect("no panic");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_directions_are_busy_over_a_narrow_pipe() {
    for round in 0..12 {
        let (client, server) = pair_with(1 + usize::try_from(round).unwrap_or(0) * 17, narrow()).await;
        let client = tokio::spawn(talk(client, 2 * round, 2 * round + 1, round % 2 == 0));
        let server = tokio::spawn(talk(server, 2 * round + 1, 2 * round, round % 2 == 1));
        timeout(SOON, client).await.expect("no task is left behind").expect("no panic");
        timeout(SOON, server).await.expect("no task is left behind").expect("no panic");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_directions_are_busy_over_tcp() {
    for round in 0..10 {
        let (near, far) = tcp().await;
        let (client, server) = shake_hands(near, far, narrow()).await;
        let client = tokio::spawn(talk(client, 2 * round, 2 * round + 1, round % 2 == 0));
        let server = tokio::spawn(talk(server, 2 * round + 1, 2 * round, round % 2 == 1));
        timeout(SOON, client).await.expect("no task is left behind").expect("no panic");
        timeout(SOON, server).await.expect("no task is left behind").expect("no panic");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_and_a_sink_are_busy_on_two_threads() {
    for round in 0..10 {
        let (client, server) = pair_with(1 + usize::try_from(round).unwrap_or(0) * 11, narrow()).await;
        let tasks = [(client, 2 * round, 2 * round + 1), (server, 2 * round + 1, 2 * round)].map(
            |(ws, sends, receives)| {
                let (mut sink, mut stream) = StreamExt::split(ws);
                let writer = tokio::spawn(async move {
                    for message in messages(sends) {
                        sink.feed(message).await.expect("fed");
                    }
                    sink.flush().await.expect("flushed");
                    sink
                });
                let reader = tokio::spawn(async move {
                    for expected in messages(receives) {
                        let message = stream.next().await.expect("not the end").expect("a message");
                        assert!(message == expected);
                    }
                });
                (writer, reader)
            },
        );
        let mut sinks = Vec::new();
        for (writer, reader) in tasks {
            timeout(SOON, reader).await.expect("no task is left behind").expect("no panic");
            sinks.push(timeout(SOON, writer).await.expect("no task is left behind").expect("no panic"));
        }
    }
}
