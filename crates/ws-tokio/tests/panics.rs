//! Keys, streams and readers of the caller's own that panic: their connection ends, no frame is cut, and no other connection
//! notices. What a server calls is in `server_faults` and `server_requests`, a client in `connect_panics`, extensions in
//! `extensions`.

mod support;

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _, future::BoxFuture, stream};
use support::{Raw, facing_raw, facing_raw_with, trap::Trap, visitor};
use tokio::{
    io::{AsyncRead, AsyncWriteExt as _, DuplexStream, ReadBuf},
    time::timeout,
};
use ws_testkit::Frame;
use ws_tokio::{
    Error, Server, ServerStream, WebSocket,
    endpoint::{
        driver::{CloseCode, Config, DataKind, MaskSource, Message, Prepared},
        frame::Role,
    },
};

const IN_TIME: Duration = Duration::from_secs(20);

type Client = WebSocket<DuplexStream>;
type Use = fn(&mut Client) -> BoxFuture<'_, ()>;

/// Each way to have a client write a frame of its own.
const WRITES: [(&str, Use); 11] = [
    ("send", |ws| Box::pin(async { ws.send("one").await.expect("sent") })),
    ("send of something long", |ws| Box::pin(async { ws.send(vec![1; 300_000]).await.expect("sent") })),
    ("send in fragments", |ws| {
        Box::pin(async {
            ws.start(DataKind::Binary).expect("started");
            ws.send_part(b"one").await.expect("sent");
        })
    }),
    ("feed", |ws| Box::pin(async { ws.feed("one").await.expect("queued") })),
    ("send_prepared", |ws| Box::pin(async { ws.send_prepared(&Prepared::new("one")).await.expect("sent") })),
    ("Sink", |ws| {
        Box::pin(async { futures_util::SinkExt::send(ws, Message::from("one")).await.expect("sent") })
    }),
    ("ping", |ws| Box::pin(async { ws.ping(b"one").await.expect("sent") })),
    ("pong", |ws| Box::pin(async { ws.pong(b"one").await.expect("sent") })),
    ("the answer to a ping", |ws| Box::pin(async { drop(ws.recv().await) })),
    ("close", |ws| Box::pin(async { drop(ws.close(CloseCode::NORMAL, "").await) })),
    ("message_writer", |ws| {
        Box::pin(async {
            let mut writer = ws.message_writer(DataKind::Text).expect("started");
            writer.write_all(b"one").await.expect("taken");
            writer.shutdown().await.expect("sent");
        })
    }),
];

/// A client whose keys are good until `trap` is sprung, and its peer.
fn masked(trap: &Trap) -> (Client, Raw<DuplexStream>) {
    let mut config = Config::new(Role::Client);
    let keys = trap.clone();
    config.mask_source = MaskSource::custom(move || {
        keys.spring();
        [1, 2, 3, 4]
    });
    facing_raw_with(config, 1 << 16)
}

#[tokio::test]
async fn keys_that_panic_end_their_own_connection_and_no_frame_is_cut() {
    let (mut other, mut other_peer) = facing_raw(Role::Client, 1 << 16);
    for (what, write) in WRITES {
        let trap = Trap::at(1);
        let (mut ws, mut peer) = masked(&trap);
        peer.send(Frame::ping("?")).await;
        let task = tokio::spawn(async move {
            ws.send("before").await.expect("sent");
            write(&mut ws).await;
        });
        let (ended, frames) = timeout(IN_TIME, async { tokio::join!(task, peer.rest()) }).await.expect(what);
        assert!(ended.expect_err(what).is_panic(), "{what}");
        assert_eq!(
            frames,
            [Frame::text("before")],
            "{what}: a part of a frame, or more than there was a key for"
        );
        assert!(trap.is_alone(), "{what}: something of it is kept");
        other.send("still here").await.expect("sent");
        assert_eq!(other_peer.recv().await, Some(Frame::text("still here")));
    }
}

#[tokio::test]
async fn a_key_that_panics_in_one_half_leaves_the_other_half_its_messages() {
    let trap = Trap::at(0);
    let (ws, mut peer) = masked(&trap);
    let (mut rx, mut tx) = ws.split();
    let sends = tokio::spawn(async move {
        let _ = tx.send("one").await;
    });
    assert!(sends.await.expect_err("no key").is_panic());
    peer.send(Frame::text("for the reader")).await;
    let message = timeout(IN_TIME, rx.recv()).await.expect("in time").expect("not the end");
    assert_eq!(message.expect("a message").as_text(), Some("for the reader"));
    drop(rx);
    assert_eq!(timeout(IN_TIME, peer.recv()).await.expect("in time"), None);
    assert!(trap.is_alone());
}

#[tokio::test]
async fn a_key_that_panics_in_a_task_of_its_own_ends_what_its_handles_wait_for() {
    let trap = Trap::at(1);
    let (ws, mut peer) = masked(&trap);
    let mut handle = ws.spawn(8);
    handle.send("one").await.expect("handed over");
    assert_eq!(timeout(IN_TIME, peer.recv()).await.expect("in time"), Some(Frame::text("one")));
    handle.send("two").await.expect("handed over");
    let end = timeout(IN_TIME, handle.recv()).await.expect("in time");
    assert!(matches!(end, Some(Err(Error::Lost))), "{end:?}");
    assert!(handle.send("three").await.is_err());
    assert_eq!(timeout(IN_TIME, peer.rest()).await.expect("in time"), []);
    drop(handle);
    assert!(trap.is_alone());
}

/// A reader of the caller's own.
struct Unreadable;

impl AsyncRead for Unreadable {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        panic!("told to")
    }
}

type Runs = fn(WebSocket<ServerStream>) -> BoxFuture<'static, ()>;

/// What adapters of other crates, and our own, are given by their caller, where it panics.
const ADAPTED: [(&str, Runs); 6] = [
    ("a stream that is sent", |mut ws| {
        Box::pin(async move {
            let mut texts = stream::iter(0..).map(|number| {
                assert!(number < 3, "told to");
                Ok(Message::from(format!("{number}")))
            });
            ws.send_all(&mut texts).await.expect("sent");
        })
    }),
    ("what is done with each message", |ws| {
        Box::pin(ws.for_each(|message| async move { panic!("told to: {message:?}") }))
    }),
    ("what is made of each message", |ws| {
        Box::pin(async move {
            let (rx, tx) = ws.split();
            let made = rx.map(|message| -> Result<Message, Error> { panic!("told to: {message:?}") });
            made.forward(tx.sink_map_err(|error| panic!("{error}"))).await.expect("forwarded");
        })
    }),
    ("what follows one half", |ws| {
        Box::pin(async move {
            let (mut rx, _tx) = ws.split();
            let message = rx.recv().await;
            panic!("told to: {message:?}");
        })
    }),
    ("what is copied to a byte stream", |ws| {
        Box::pin(async move {
            let mut bytes = ws.into_byte_stream();
            tokio::io::copy(&mut Unreadable, &mut bytes).await.expect("copied");
        })
    }),
    ("what is copied to a message", |mut ws| {
        Box::pin(async move {
            let mut writer = ws.message_writer(DataKind::Binary).expect("started");
            tokio::io::copy(&mut Unreadable, &mut writer).await.expect("copied");
        })
    }),
];

#[tokio::test]
async fn what_panics_inside_of_an_adapter_ends_its_connection_with_1011_and_no_other() {
    let server = Server::builder().bind("127.0.0.1:0").await.expect("it listens");
    let (mut other, mut other_conn) = visitor::pair(&server).await;
    for (what, runs) in ADAPTED {
        let (mut client, conn) = visitor::pair(&server).await;
        let task = tokio::spawn(runs(conn.socket));
        client.send("hello").await.expect("sent");
        let ends = async { while let Some(Ok(_)) = client.recv().await {} };
        timeout(IN_TIME, ends).await.expect(what);
        assert!(task.await.expect_err(what).is_panic(), "{what}");
        assert_eq!(client.closed().expect(what).code, 1011, "{what}");
        drop(client);
        other.send("still here").await.expect("sent");
        let message = other_conn.socket.recv().await.expect("not the end");
        assert_eq!(message.expect("a message").as_text(), Some("still here"));
    }
    let alone = async {
        while server.clients().len() > 1 {
            tokio::task::yield_now().await;
        }
    };
    timeout(IN_TIME, alone).await.expect("a connection is left open");
}
