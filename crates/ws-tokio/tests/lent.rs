//! The lent form: what its calls say when there is no message, and what it lends besides.

mod support;

use std::{
    future::poll_fn,
    task::{Context, Poll, Waker},
};

use support::{
    facing_raw,
    mock::{Mock, Wire, mock},
    open,
};
use ws_testkit::{Frame, read_frames};
use ws_tokio::{
    Error, Reader, WebSocket, Writer,
    endpoint::{
        driver::{Config, Event, Fault},
        frame::Role,
    },
};

fn server() -> (WebSocket<Mock>, Wire) {
    let (io, wire) = mock();
    (open(io, Config::new(Role::Server)), wire)
}

/// A way to receive: whether there was something, or how the connection ended.
type Receive = fn(&mut Reader<Mock>, &mut Writer, &mut Context<'_>) -> Poll<Option<Result<(), Error>>>;

const WAYS: [(&str, Receive); 5] = [
    ("recv", |rx, tx, cx| std::pin::pin!(rx.recv(tx)).poll(cx).map(|got| got.map(|got| got.map(drop)))),
    ("recv_part", |rx, tx, cx| {
        std::pin::pin!(rx.recv_part(tx)).poll(cx).map(|got| got.map(|got| got.map(drop)))
    }),
    ("recv_event", |rx, tx, cx| {
        std::pin::pin!(rx.recv_event(tx)).poll(cx).map(|got| got.map(|got| got.map(drop)))
    }),
    ("poll_recv", |rx, tx, cx| rx.poll_recv(tx, cx).map(|got| got.map(|got| got.map(drop)))),
    ("poll_event", |rx, tx, cx| rx.poll_event(tx, cx).map(|got| got.map(|got| got.map(drop)))),
];

#[tokio::test]
async fn each_way_of_receiving_waits_receives_and_tells_the_end_once() {
    for (name, receive) in WAYS {
        for clean in [true, false] {
            let (mut ws, wire) = server();
            let (rx, tx) = ws.halves();
            let mut next = || receive(rx, tx, &mut Context::from_waker(Waker::noop()));
            assert!(next().is_pending(), "{name}");
            wire.push(Frame::text("hello").by(Role::Client));
            assert!(matches!(next(), Poll::Ready(Some(Ok(())))), "{name}");
            wire.push(if clean { Frame::close(1000, "") } else { Frame::new(3, "") }.by(Role::Client));
            wire.end(Ok(()));
            let end = next();
            if clean {
                assert!(matches!(end, Poll::Ready(None)), "{name}: {end:?}");
            } else {
                assert!(
                    matches!(end, Poll::Ready(Some(Err(Error::Failed(Fault::Frame(_)))))),
                    "{name}: {end:?}"
                );
            }
            assert!(matches!(next(), Poll::Ready(None)), "{name}: told once");
            let code = if clean { 1000 } else { 1002 };
            assert_eq!(
                read_frames(Role::Server, &wire.written()).pop().and_then(|frame| frame.code()),
                Some(code)
            );
        }
    }
}

#[tokio::test]
async fn inside_of_a_message_in_parts_only_its_parts_are_given() {
    for (name, receive) in WAYS {
        let (mut ws, wire) = server();
        wire.push(Frame::text("in ").unfinished().by(Role::Client));
        let (rx, tx) = ws.halves();
        assert!(!rx.recv_part(tx).await.expect("not the end").expect("a part").last);
        wire.push(Frame::continuation("parts").by(Role::Client));
        let got = receive(rx, tx, &mut Context::from_waker(Waker::noop()));
        if name == "recv_part" {
            assert!(matches!(got, Poll::Ready(Some(Ok(())))), "{got:?}");
        } else {
            assert!(matches!(got, Poll::Ready(Some(Err(Error::MidMessage)))), "{name}: {got:?}");
            let last = rx.recv_part(tx).await.expect("not the end").expect("a part");
            assert_eq!((last.data, last.last), (&b"parts"[..], true), "{name}: nothing was passed over");
        }
    }
}

#[tokio::test]
async fn an_event_is_lent_as_it_came() {
    let (mut ws, wire) = server();
    for frame in [Frame::ping("?"), Frame::pong("!"), Frame::binary("data")] {
        wire.push(frame.by(Role::Client));
    }
    let (rx, tx) = ws.halves();
    let mut seen = Vec::new();
    for _ in 0..3 {
        let event = poll_fn(|cx| {
            rx.poll_event(tx, cx).map(|event| {
                event.map(|event| match event.expect("an event") {
                    Event::Ping(data) => Frame::ping(data),
                    Event::Pong(data) => Frame::pong(data),
                    Event::Message(message) => Frame::binary(message.as_bytes()),
                    other => panic!("{other:?}"),
                })
            })
        });
        seen.push(event.await.expect("not the end"));
    }
    assert_eq!(seen, [Frame::ping("?"), Frame::pong("!"), Frame::binary("data")]);
}

#[tokio::test]
async fn limits_are_changed_and_the_transport_is_seen_through_the_reader() {
    let (mut ws, mut peer) = facing_raw(Role::Server, 4096);
    let (rx, tx) = ws.halves();
    peer.send(Frame::binary(vec![0; 11])).await;
    assert_eq!(rx.recv(tx).await.expect("not the end").expect("a message").as_bytes().len(), 11);
    rx.limits_mut().max_message_len = 10;
    peer.send(Frame::binary(vec![0; 11])).await;
    let end = async { rx.recv(tx).await.expect("not a clean end").expect_err("too long") };
    let watches = async {
        assert_eq!(peer.recv().await.expect("a Close").code(), Some(1009));
        peer.shutdown().await;
    };
    let (end, ()) = tokio::join!(end, watches);
    assert!(matches!(end, Error::Failed(Fault::MessageTooLong { .. })), "{end:?}");
    let pipe: &tokio::io::DuplexStream = ws.halves().0.get_ref();
    assert!(format!("{pipe:?}").contains("DuplexStream"));
}
