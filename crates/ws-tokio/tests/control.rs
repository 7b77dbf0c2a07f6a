//! Pings and their round trips, pauses, and the ways to end, in each form of the API.

mod support;

use std::{future::poll_fn, io, time::Duration};

use support::{
    facing_raw, facing_raw_with,
    mock::{Mock, Wire, mock},
    open, poll_once,
};
use tokio::time::{advance, sleep, timeout};
use ws_testkit::{Frame, read_frames};
use ws_tokio::{
    Error, SendError, WebSocket,
    endpoint::{
        driver::{self, CloseCode, Compress, Config, DataKind, Event, Initiator},
        frame::Role,
    },
};

fn server() -> (WebSocket<Mock>, Wire) {
    let (io, wire) = mock();
    (open(io, Config::new(Role::Server)), wire)
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[tokio::test]
async fn each_half_sends_pongs_parts_and_empty_closes() {
    let (mut ws, wire) = server();
    ws.pong(b"1").await.expect("sent");
    ws.halves().1.pong(b"2").expect("queued");
    ws.start(DataKind::Text).expect("nothing is open");
    ws.send_part(b"one ").await.expect("sent");
    ws.finish_with(b"two").await.expect("sent");
    ws.send_compressed("plain", Compress::No).await.expect("sent");
    assert!(matches!(ws.pong(&[0; 126]).await, Err(Error::Send(driver::SendError::ControlTooLong(126)))));
    let (_reader, mut writer) = ws.split();
    writer.pong(b"3").await.expect("sent");
    writer.send_compressed("plain", Compress::No).await.expect("sent");
    writer.close_without_code().await.expect("sent");
    let late = writer.send_compressed("late", Compress::No).await;
    assert!(matches!(late, Err(SendError::Unsent(unsent)) if unsent.message.as_text() == Some("late")));
    let frames = [
        Frame::pong("1"),
        Frame::pong("2"),
        Frame::text("one ").unfinished(),
        Frame::continuation("two"),
        Frame::text("plain"),
        Frame::pong("3"),
        Frame::text("plain"),
        Frame::empty_close(),
    ];
    assert_eq!(read_frames(Role::Server, &wire.written()), frames);
}

#[tokio::test(start_paused = true)]
async fn an_empty_close_is_a_closing_handshake() {
    let (mut ws, mut peer) = facing_raw(Role::Client, 1000);
    let answers = async {
        assert_eq!(peer.recv().await, Some(Frame::empty_close()));
        peer.send(Frame::empty_close()).await;
        peer.shutdown().await;
    };
    let (closed, ()) = tokio::join!(ws.close_without_code(), answers);
    let closed = closed.expect("clean").expect("the end");
    assert!(closed.is_clean());
    assert_eq!((closed.code, closed.initiator), (1005, Initiator::Local));
}

#[tokio::test(start_paused = true)]
async fn pings_of_every_kind_are_measured() {
    let (mut ws, mut peer) = facing_raw(Role::Server, 1000);
    assert_eq!(ws.rtt(), None);
    let answers = async {
        for delay in [70, 30, 50] {
            let ping = peer.recv().await.expect("a ping");
            assert_eq!(ping.opcode, 9);
            sleep(millis(delay)).await;
            peer.send(Frame::pong(&ping.payload)).await;
        }
        peer
    };
    let asks = async {
        ws.ping(b"mine").await.expect("sent");
        let event = ws.recv_event().await.expect("not the end").expect("an event");
        assert!(matches!(event, Event::Pong(b"mine")));
        assert_eq!(ws.rtt(), Some(millis(70)));
        let (rx, tx) = ws.halves();
        tx.ping(b"lent").expect("queued");
        let event =
            poll_fn(|cx| rx.poll_event(tx, cx).map(|event| matches!(event, Some(Ok(Event::Pong(_))))));
        assert!(event.await);
        assert_eq!(rx.rtt(), Some(millis(30)));
        // The keepalive's, while messages are waited for.
        assert!(timeout(millis(26_000), ws.recv()).await.is_err());
        assert_eq!(ws.rtt(), Some(millis(50)));
    };
    let (peer, ()) = tokio::join!(answers, asks);
    drop(peer);
}

#[tokio::test(start_paused = true)]
async fn a_half_waits_for_its_pong_while_the_other_receives() {
    let (ws, mut peer) = facing_raw(Role::Server, 1000);
    let (mut reader, mut writer) = ws.split();
    let receives = tokio::spawn(async move {
        let message = reader.recv().await.expect("not the end").expect("a message");
        assert_eq!(message.as_text(), Some("between"));
        assert!(reader.recv().await.is_none());
        reader.rtt()
    });
    let answers = async {
        let ping = peer.recv().await.expect("a ping");
        peer.send(Frame::text("between")).await;
        sleep(millis(40)).await;
        peer.send_all(&[Frame::pong("another's"), Frame::pong(&ping.payload)]).await;
    };
    let (time, ()) = tokio::join!(writer.round_trip(), answers);
    assert_eq!(time.expect("answered"), millis(40));
    assert_eq!(writer.rtt(), Some(millis(40)));
    // One that the peer leaves without an answer.
    let leaves = async {
        assert!(peer.recv().await.is_some_and(|frame| frame.opcode == 9));
        peer.send(Frame::close(1000, "")).await;
    };
    let (unanswered, ()) = tokio::join!(writer.round_trip(), leaves);
    assert!(matches!(unanswered, Err(Error::Lost)));
    peer.shutdown().await;
    assert_eq!(receives.await.expect("no panic"), Some(millis(40)));
}

#[tokio::test(start_paused = true)]
async fn a_paused_connection_hands_out_nothing_and_lives() {
    let (mut ws, mut peer) = facing_raw(Role::Server, 1000);
    peer.send_all(&[Frame::text("one"), Frame::text("two")]).await;
    assert_eq!(ws.recv().await.expect("not the end").expect("a message").as_text(), Some("one"));
    ws.pause();
    assert!(ws.is_paused());
    ws.feed("queued").await.expect("fed");
    let paused = timeout(Duration::from_secs(5000), ws.recv()).await;
    assert!(paused.is_err(), "nothing comes, and no keepalive ends it");
    assert_eq!(peer.recv().await, Some(Frame::text("queued")), "what was queued is written");
    ws.resume();
    assert!(!ws.is_paused());
    assert_eq!(ws.recv().await.expect("not the end").expect("a message").as_text(), Some("two"));
    // The silence counts again.
    let pinged = timeout(Duration::from_secs(26), async {
        tokio::select! { _ = ws.recv() => None, frame = peer.recv() => frame }
    });
    assert!(pinged.await.expect("in time").is_some_and(|frame| frame.opcode == 9));
}

#[tokio::test(start_paused = true)]
async fn a_paused_connection_finds_its_end() {
    let (mut ws, mut peer) = facing_raw(Role::Server, 1000);
    ws.pause();
    peer.send_all(&[Frame::text("dropped"), Frame::close(1001, "bye")]).await;
    assert!(timeout(millis(100), ws.recv()).await.is_err());
    let closed = ws.close(CloseCode::NORMAL, "").await.expect("clean").expect("the end");
    assert_eq!((closed.code, closed.is_clean(), ws.is_paused()), (1001, true, false));

    let (mut ws, wire) = server();
    ws.pause();
    ws.feed("x").await.expect("fed");
    wire.fail_writes(io::ErrorKind::BrokenPipe);
    wire.end(Ok(()));
    assert!(matches!(ws.recv().await, Some(Err(Error::Io(_)))));

    let (ws, _peer) = facing_raw_with(Config::new(Role::Server), 10);
    let (mut reader, mut writer) = ws.split();
    reader.pause();
    assert!(reader.is_paused());
    assert!(poll_once(writer.send("more than the pipe takes")).is_pending());
    let stalled = reader.recv().await;
    assert!(matches!(stalled, Some(Err(Error::Expired(driver::Expired::WriteStall)))), "{stalled:?}");
}

#[tokio::test(start_paused = true)]
async fn where_messages_are_refused_control_frames_are_answered() {
    for split in [false, true] {
        let (mut ws, mut peer) = facing_raw(Role::Server, 1000);
        let talks = async {
            peer.send(Frame::ping("?")).await;
            assert_eq!(peer.recv().await, Some(Frame::pong("?")));
            advance(Duration::from_secs(10)).await;
            peer.send(Frame::text("half of a message").unfinished()).await;
            assert_eq!(peer.recv().await, Some(Frame::close(1008, "no messages are taken")));
            peer.send_all(&[Frame::continuation("rest"), Frame::close(1008, "")]).await;
        };
        let refuses = async {
            match split {
                false => ws.refuse_messages().await,
                true => ws.split().0.refuse_messages().await,
            }
        };
        let (closed, ()) = tokio::join!(refuses, talks);
        let closed = closed.expect("clean").expect("the end");
        assert!(closed.is_clean());
        assert_eq!(closed.initiator, Initiator::Local);
    }
    let (mut ws, mut peer) = facing_raw(Role::Server, 1000);
    peer.send(Frame::close(1000, "done")).await;
    let closed = ws.refuse_messages().await.expect("clean").expect("the end");
    assert_eq!((closed.reason.as_str(), closed.initiator), ("done", Initiator::Peer));
    let (mut ws, peer) = facing_raw(Role::Server, 1000);
    drop(peer);
    assert!(matches!(ws.refuse_messages().await, Err(Error::Lost)));
}

#[tokio::test]
async fn at_the_hard_limit_what_can_be_written_is_written_first() {
    let full = || {
        let (io, wire) = mock();
        let mut config = Config::new(Role::Server);
        (config.limits.high_water_mark, config.limits.max_queued_beyond_mark) = (100, 0);
        let mut ws = open(io, config);
        ws.halves().1.send(vec![0; 150]).expect("below the mark it is taken whole");
        assert!(ws.is_above_mark());
        assert_eq!(ws.queued(), 154);
        (ws, wire)
    };
    let (mut ws, wire) = full();
    ws.send("more").await.expect("sent");
    assert_eq!((ws.queued(), wire.written().len()), (0, 154 + 6));
    let (mut ws, _wire) = full();
    ws.feed("more").await.expect("fed");
    assert_eq!(ws.queued(), 6, "the first was written to make room");
    let (ws, wire) = full();
    let (_reader, mut writer) = ws.split();
    assert!(writer.is_above_mark());
    writer.send("more").await.expect("sent");
    assert_eq!((writer.queued(), wire.written().len()), (0, 154 + 6));
    let (mut ws, wire) = full();
    wire.take(0);
    let refused = ws.send("more").await;
    let Err(SendError::Unsent(unsent)) = refused else { panic!("{refused:?}") };
    assert!(matches!(unsent.error, driver::SendError::Full { queued: 154, limit: 100 }));
    assert_eq!(unsent.message.as_text(), Some("more"));
}

#[tokio::test]
async fn what_is_received_can_be_polled_for() {
    let (mut ws, wire) = server();
    let frames = ["one", "two", "three"].map(|text| Frame::text(text).by(Role::Client));
    wire.push([&frames[0][..], &frames[1], &frames[2], &Frame::new(3, "").by(Role::Client)].concat());
    wire.end(Ok(()));
    let owned = poll_fn(|cx| ws.poll_recv(cx)).await.expect("not the end").expect("a message");
    assert_eq!(owned.as_text(), Some("one"));
    let (rx, tx) = ws.halves();
    let lent = |message: Option<Result<driver::Incoming<'_>, Error>>| {
        message.map(|message| message.map(|message| message.as_bytes().to_vec()).ok())
    };
    assert_eq!(poll_fn(|cx| rx.poll_recv(tx, cx).map(lent)).await, Some(Some(b"two".to_vec())));
    let event = |event: Option<Result<Event<'_>, Error>>| matches!(event, Some(Ok(Event::Message(_))));
    assert!(poll_fn(|cx| rx.poll_event(tx, cx).map(event)).await);
    assert_eq!(poll_fn(|cx| rx.poll_recv(tx, cx).map(lent)).await, Some(None), "the fault");
    assert_eq!(poll_fn(|cx| rx.poll_recv(tx, cx).map(lent)).await, None);
}
