//! How connections end, and what each side is told.

mod support;

use std::io::ErrorKind;

use futures_util::{SinkExt, StreamExt, stream::FusedStream};
use support::{
    Raw, facing_raw, facing_raw_with,
    mock::{Mock, Wire, mock},
    open, pair, poll_once, shake_hands, tcp,
};
use tokio::io::AsyncReadExt;
use ws_testkit::{Frame, read_frames};
use ws_tokio::{
    Error, SendError, WebSocket,
    endpoint::{
        ConnectionOptions,
        driver::{self, CloseCode, Config, Initiator},
        frame::Role,
    },
};

const ROLES: [Role; 2] = [Role::Client, Role::Server];

fn facing_mock(role: Role) -> (WebSocket<Mock>, Wire) {
    let (io, wire) = mock();
    (open(io, Config::new(role)), wire)
}

/// What is received until the end, which is told once.
async fn receive_all(ws: &mut WebSocket<Mock>) -> (Vec<Vec<u8>>, Option<Error>) {
    let (mut messages, mut error) = (Vec::new(), None);
    while let Some(message) = ws.recv().await {
        assert!(error.is_none(), "nothing comes behind an error");
        match message {
            Ok(message) => messages.push(message.as_bytes().to_vec()),
            Err(end) => error = Some(end),
        }
    }
    assert!(ws.is_terminated());
    for _ in 0..3 {
        assert!(ws.recv().await.is_none());
    }
    (messages, error)
}

#[tokio::test]
async fn either_side_may_begin() {
    for client_begins in [true, false] {
        let (client, server) = pair(4096).await;
        let (mut begins, mut answers) = if client_begins { (client, server) } else { (server, client) };
        let code = CloseCode::new(4001).expect("a code");
        let (closed, end) = tokio::join!(begins.close(code, "enough"), answers.recv());
        assert!(end.is_none(), "{end:?}");
        let closed = closed.expect("clean").expect("the end");
        assert_eq!((closed.code, closed.reason.as_str()), (4001, "enough"));
        assert_eq!(
            (closed.sent, closed.initiator, closed.is_clean()),
            (Some(Some(code)), Initiator::Local, true)
        );
        let closed = answers.closed().expect("the end");
        assert_eq!((closed.code, closed.reason.as_str()), (4001, "enough"));
        assert_eq!(
            (closed.sent, closed.initiator, closed.is_clean()),
            (Some(Some(code)), Initiator::Peer, true)
        );
    }
}

#[tokio::test]
async fn both_sides_may_begin_at_once() {
    let (mut client, mut server) = pair(4096).await;
    let (near, far) = tokio::join!(
        client.close(CloseCode::NORMAL, "client"),
        server.close(CloseCode::GOING_AWAY, "server")
    );
    let (near, far) = (near.expect("clean").expect("the end"), far.expect("clean").expect("the end"));
    assert_eq!((near.code, near.reason.as_str(), near.initiator), (1001, "server", Initiator::Local));
    assert_eq!((far.code, far.reason.as_str(), far.initiator), (1000, "client", Initiator::Local));
}

#[tokio::test]
async fn an_empty_close_is_1005_and_answered_alike() {
    for role in ROLES {
        let (mut ws, mut peer) = facing_raw(role, 4096);
        peer.send(Frame::empty_close()).await;
        let watches = async {
            assert_eq!(peer.recv().await, Some(Frame::empty_close()));
            peer.shutdown().await;
        };
        let (end, ()) = tokio::join!(ws.recv(), watches);
        assert!(end.is_none());
        let closed = ws.closed().expect("the end");
        assert_eq!((closed.code, closed.sent, closed.is_clean()), (1005, Some(None), true));
    }
}

#[tokio::test]
async fn a_close_without_a_code_can_be_sent() {
    let (mut ws, mut peer) = facing_raw(Role::Server, 4096);
    let (rx, tx) = ws.halves();
    tx.sender().close_without_code();
    rx.flush(tx).await.expect("sent");
    assert_eq!(peer.recv().await, Some(Frame::empty_close()));
    peer.send(Frame::empty_close()).await;
    assert!(rx.recv(tx).await.is_none());
}

#[tokio::test]
async fn a_server_ends_tcp_first_and_a_client_waits_for_it() {
    for server_begins in [true, false] {
        let (mut server, mut peer) = facing_raw(Role::Server, 4096);
        if server_begins {
            server.begin_close(CloseCode::NORMAL, "").await.expect("sent");
            assert_eq!(peer.recv().await, Some(Frame::close(1000, "")));
            peer.send(Frame::close(1000, "")).await;
        } else {
            peer.send(Frame::close(1000, "")).await;
        }
        assert!(server.recv().await.is_none(), "without waiting for the client's end");
        if !server_begins {
            assert_eq!(peer.recv().await, Some(Frame::close(1000, "")));
        }
        assert_eq!(peer.recv().await, None, "the server has ended TCP");

        let (mut client, wire) = facing_mock(Role::Client);
        if !server_begins {
            assert!(poll_once(client.begin_close(CloseCode::NORMAL, "")).is_ready());
        }
        wire.push(Frame::close(1000, "").by(Role::Server));
        assert!(poll_once(client.recv()).is_pending(), "it waits");
        assert!(!wire.state().shut);
        wire.end(Ok(()));
        assert!(client.recv().await.is_none());
        assert_eq!(read_frames(Role::Client, &wire.written()), [Frame::close(1000, "")]);
        assert!(wire.state().shut);
    }
}

#[tokio::test]
async fn a_close_stands_behind_everything_that_was_queued() {
    let (mut ws, mut peer) = facing_raw(Role::Server, 100);
    let closes = async {
        ws.feed(vec![1; 1000]).await.expect("fed");
        ws.feed("last words").await.expect("fed");
        ws.close(CloseCode::NORMAL, "").await.expect("clean")
    };
    let reads = async {
        assert_eq!(peer.recv().await, Some(Frame::binary(vec![1; 1000])));
        assert_eq!(peer.recv().await, Some(Frame::text("last words")));
        assert_eq!(peer.recv().await, Some(Frame::close(1000, "")));
        peer.send(Frame::close(1000, "")).await;
        assert_eq!(peer.recv().await, None);
    };
    let (closed, ()) = tokio::join!(closes, reads);
    assert!(closed.expect("the end").is_clean());
}

#[tokio::test]
async fn behind_a_close_of_ours_messages_still_arrive() {
    let (mut ws, mut peer) = facing_raw(Role::Server, 4096);
    ws.begin_close(CloseCode::NORMAL, "").await.expect("sent");
    let frames = [
        Frame::text("one"),
        Frame::ping("?"),
        Frame::text("two"),
        Frame::close(1000, ""),
        Frame::text("three"),
    ];
    peer.send_all(&frames).await;
    for text in ["one", "two"] {
        assert_eq!(ws.recv().await.expect("not the end").expect("a message").as_text(), Some(text));
    }
    assert!(ws.recv().await.is_none(), "what stands behind a Close does not count");
    assert_eq!(peer.rest().await, [Frame::close(1000, "")], "and a ping is not answered behind ours");
}

#[tokio::test]
async fn a_second_close_sends_nothing_and_tells_the_same() {
    let (mut ws, mut peer) = facing_raw(Role::Server, 4096);
    ws.begin_close(CloseCode::NORMAL, "first").await.expect("sent");
    ws.begin_close(CloseCode::GOING_AWAY, "second").await.expect("nothing to send");
    peer.send(Frame::close(1000, "bye")).await;
    let first = ws.close(CloseCode::GOING_AWAY, "third").await.expect("clean").expect("the end");
    let second = ws.close(CloseCode::GOING_AWAY, "fourth").await.expect("clean").expect("the end");
    assert_eq!(first, second);
    assert_eq!((first.reason.as_str(), first.sent), ("bye", Some(Some(CloseCode::NORMAL))));
    assert_eq!(peer.rest().await, [Frame::close(1000, "first")]);
}

#[tokio::test]
async fn a_long_reason_is_refused_and_nothing_is_sent() {
    let (mut ws, mut peer) = facing_raw(Role::Server, 4096);
    let reason = "x".repeat(124);
    let error = ws.close(CloseCode::NORMAL, &reason).await.expect_err("too long");
    assert!(matches!(error, Error::Send(driver::SendError::ReasonTooLong(124))), "{error:?}");
    ws.send("still open").await.expect("sent");
    assert_eq!(peer.recv().await, Some(Frame::text("still open")));
}

#[tokio::test]
async fn what_is_sent_behind_a_close_comes_back() {
    let (mut ws, mut peer) = facing_raw(Role::Server, 4096);
    ws.begin_close(CloseCode::NORMAL, "").await.expect("sent");
    for end in [false, true] {
        if end {
            peer.send(Frame::close(1000, "")).await;
            assert!(ws.recv().await.is_none());
        }
        let error = ws.send("too late").await.expect_err("closing");
        let SendError::Unsent(unsent) = error else { panic!("{error:?}") };
        assert_eq!((unsent.message.as_text(), unsent.error), (Some("too late"), driver::SendError::Closed));
        assert!(matches!(ws.feed("too late").await, Err(SendError::Unsent(_))));
        let error = ws.ping(b"").await.expect_err("closing");
        assert!(matches!(error, Error::Send(driver::SendError::Closed)), "{error:?}");
        assert!(ws.start(driver::DataKind::Text).is_err());
    }
    assert_eq!(peer.rest().await, [Frame::close(1000, "")]);
}

#[tokio::test]
async fn a_peer_that_broke_a_rule_reads_why_while_it_is_still_sending() {
    let (near, far) = tcp().await;
    let mut ws = open(near, Config::new(Role::Server));
    let mut peer = Raw::new(far, Role::Client);
    let breaks = async {
        peer.send(Frame::text("fine")).await;
        peer.send(Frame::new(3, "")).await;
        for _ in 0..100 {
            peer.send(Frame::binary(vec![7; 10_000])).await; // it has not noticed yet
        }
        let close = peer.recv().await.expect("a Close");
        assert_eq!(close.code(), Some(1002));
        assert_eq!(peer.recv().await, None);
        peer.shutdown().await;
    };
    let receives = async {
        assert!(ws.recv().await.expect("not the end").is_ok());
        let error = ws.recv().await.expect("not a clean end").expect_err("a broken rule");
        assert!(matches!(error, Error::Failed(_)), "{error:?}");
        assert!(ws.recv().await.is_none());
    };
    tokio::join!(receives, breaks);
    let closed = ws.closed().expect("the end");
    assert_eq!((closed.code, closed.sent), (1006, Some(Some(CloseCode::PROTOCOL_ERROR))));
    assert_eq!((closed.initiator, closed.is_clean()), (Initiator::Local, false));
}

#[tokio::test]
async fn an_end_without_a_close_is_lost_at_each_state() {
    for role in ROLES {
        let whole = Frame::text("whole").by(role.peer());
        let cut = Frame::text("cut off").by(role.peer());
        let open_message = Frame::text("open").unfinished().by(role.peer());
        let ping = Frame::ping("cut off").by(role.peer());
        for rest in [&[][..], &cut[..1], &cut[..cut.len() - 1], &open_message, &ping[..3]] {
            for closing in [false, true] {
                let (mut ws, wire) = facing_mock(role);
                if closing {
                    ws.begin_close(CloseCode::NORMAL, "").await.expect("sent");
                }
                wire.push([&whole, rest].concat());
                wire.end(Ok(()));
                let (messages, error) = receive_all(&mut ws).await;
                assert_eq!(messages, [b"whole"]);
                assert!(matches!(error, Some(Error::Lost)), "{error:?}");
                let closed = ws.closed().expect("the end");
                assert_eq!((closed.code, closed.is_clean()), (1006, false));
                let initiator = if closing { Initiator::Local } else { Initiator::Peer };
                assert_eq!((closed.initiator, closed.sent.is_some()), (initiator, closing));
                assert!(wire.state().shut, "the transport is ended");
                assert!(matches!(ws.send("more").await, Err(SendError::Unsent(_))));
                assert!(ws.close(CloseCode::NORMAL, "").await.is_ok(), "the end was told already");
            }
        }
    }
}

#[tokio::test]
async fn a_read_that_fails_is_told_once_behind_what_was_whole() {
    for role in ROLES {
        let (mut ws, wire) = facing_mock(role);
        wire.push([Frame::text("1").by(role.peer()), Frame::text("2").by(role.peer())].concat());
        wire.push(Frame::text("3").by(role.peer()));
        wire.end(Err(ErrorKind::ConnectionReset));
        let (messages, error) = receive_all(&mut ws).await;
        assert_eq!(messages, [b"1", b"2", b"3"]);
        assert!(
            matches!(&error, Some(Error::Io(error)) if error.kind() == ErrorKind::ConnectionReset),
            "{error:?}"
        );
        assert_eq!(ws.closed().expect("the end").code, 1006);
    }
}

#[tokio::test]
async fn a_reset_behind_both_closes_is_no_error() {
    let (mut ws, wire) = facing_mock(Role::Client);
    ws.begin_close(CloseCode::NORMAL, "").await.expect("sent");
    wire.push(Frame::close(1000, "").by(Role::Server));
    wire.end(Err(ErrorKind::ConnectionReset));
    let (messages, error) = receive_all(&mut ws).await;
    assert!(messages.is_empty() && error.is_none(), "{error:?}");
    assert!(ws.closed().expect("the end").is_clean());
}

#[tokio::test]
async fn what_came_before_a_write_failed_is_received() {
    for role in ROLES {
        for silent in [false, true] {
            let (mut ws, wire) = facing_mock(role);
            wire.push(Frame::text("1").by(role.peer()));
            wire.push([Frame::text("2").by(role.peer()), Frame::text("3").by(role.peer())].concat());
            if !silent {
                wire.end(Err(ErrorKind::ConnectionReset));
            }
            wire.fail_writes(ErrorKind::BrokenPipe);
            let error = ws.send("answer").await.expect_err("broken");
            assert!(
                matches!(&error, SendError::Ended(Error::Io(error)) if error.kind() == ErrorKind::BrokenPipe),
                "{error:?}"
            );
            let (messages, error) = receive_all(&mut ws).await;
            assert_eq!(messages, [b"1", b"2", b"3"]);
            assert!(
                matches!(&error, Some(Error::Io(error)) if error.kind() == ErrorKind::BrokenPipe),
                "the first failure, {error:?}"
            );
            assert!(matches!(ws.send("more").await, Err(SendError::Unsent(_))));
        }
    }
}

#[tokio::test]
async fn a_peers_close_is_told_although_the_answer_cannot_be_written() {
    let (mut ws, wire) = facing_mock(Role::Server);
    wire.push(Frame::close(1001, "gone").by(Role::Client));
    wire.fail_writes(ErrorKind::BrokenPipe);
    let (_, error) = receive_all(&mut ws).await;
    assert!(error.is_none(), "{error:?}");
    let closed = ws.closed().expect("the end");
    assert_eq!((closed.code, closed.reason.as_str()), (1001, "gone"));
    assert!(!closed.is_clean(), "no Close went the other way");
}

#[tokio::test]
async fn a_peer_that_ends_its_half_behind_its_close_is_still_answered() {
    for role in ROLES {
        let (mut ws, mut peer) = facing_raw(role, 4096);
        peer.send(Frame::close(1000, "bye")).await;
        peer.shutdown().await;
        assert!(ws.recv().await.is_none());
        assert_eq!(peer.rest().await, [Frame::close(1000, "bye")]);
        assert!(ws.closed().expect("the end").is_clean());
    }
}

#[tokio::test]
async fn a_half_closed_peer_is_written_no_more_and_the_transport_ends() {
    let (mut ws, mut peer) = facing_raw(Role::Server, 4096);
    ws.feed("queued").await.expect("fed");
    peer.send(Frame::text("last")).await;
    peer.shutdown().await;
    let last = ws.recv().await.expect("not the end").expect("a message");
    assert_eq!(last.as_text(), Some("last"));
    let error = ws.recv().await.expect("not a clean end").expect_err("lost");
    assert!(matches!(error, Error::Lost), "{error:?}");
    let mut rest = Vec::new();
    peer.io.read_to_end(&mut rest).await.expect("the end of TCP");
}

#[tokio::test]
async fn a_transport_dropped_at_once_is_1006_for_the_peer() {
    let (client, mut server) = pair(4096).await;
    client.close_now();
    let error = server.recv().await.expect("not a clean end").expect_err("lost");
    assert!(matches!(error, Error::Lost), "{error:?}");
    assert_eq!(server.closed().expect("the end").code, 1006);
}

#[tokio::test]
async fn a_sink_that_is_closed_closes_the_connection() {
    let (client, mut server) = pair(4096).await;
    let (mut sink, mut stream) = StreamExt::split(client);
    let closes = async {
        sink.send("last".into()).await.expect("sent");
        SinkExt::close(&mut sink).await.expect("clean");
    };
    let receives = async {
        let last = server.next().await.expect("not the end").expect("a message");
        assert_eq!(last.as_text(), Some("last"));
        assert!(server.next().await.is_none());
        assert!(server.is_terminated());
    };
    let end = async { stream.next().await };
    let ((), (), end) = tokio::join!(closes, receives, end);
    assert!(end.is_none());
}

#[tokio::test(start_paused = true)]
async fn stream_and_sink_may_be_polled_by_two_tasks() {
    let (ws, mut peer) = facing_raw(Role::Server, 100);
    let (mut sink, mut stream) = StreamExt::split(ws);
    let reader = tokio::spawn(async move {
        let mut count = 0;
        while let Some(message) = stream.next().await {
            message.expect("a message");
            count += 1;
        }
        count
    });
    tokio::task::yield_now().await;
    // The sink waits for the transport, and with it for the deadlines; the stream's task must learn of both.
    let writer = tokio::spawn(async move {
        sink.send(vec![1; 1000].into()).await.expect("sent");
        sink
    });
    assert_eq!(peer.recv().await, Some(Frame::binary(vec![1; 1000])));
    let mut sink = writer.await.expect("no panic");
    for _ in 0..3 {
        assert!(peer.recv().await.is_some_and(|frame| frame.opcode == 9), "the keepalive goes on");
        peer.send_all(&[Frame::pong(""), Frame::text("hello")]).await;
    }
    let closer = tokio::spawn(async move { SinkExt::close(&mut sink).await });
    assert_eq!(peer.recv().await, Some(Frame::close(1000, "")));
    peer.send(Frame::close(1000, "")).await;
    closer.await.expect("no panic").expect("clean");
    assert_eq!(reader.await.expect("the stream ends, too"), 3);
}

#[tokio::test]
async fn either_half_closes_and_both_learn_of_it() {
    let (client, server) = pair(4096).await;
    let ((mut client_rx, mut client_tx), (mut server_rx, mut server_tx)) = (client.split(), server.split());
    let serves = async {
        while let Some(message) = server_rx.recv().await {
            server_tx.send(message.expect("a message")).await.expect("sent");
        }
        assert!(matches!(server_tx.send("late").await, Err(SendError::Unsent(_))));
    };
    let sends = async {
        client_tx.send("1").await.expect("sent");
        client_tx.close(CloseCode::NORMAL, "bye").await.expect("sent");
        assert!(matches!(client_tx.send("late").await, Err(SendError::Unsent(_))));
    };
    let receives = async {
        assert_eq!(client_rx.recv().await.expect("not the end").expect("a message").as_text(), Some("1"));
        assert!(client_rx.recv().await.is_none());
    };
    tokio::join!(serves, sends, receives);
    for closed in [client_rx.closed(), client_tx.closed(), server_rx.closed(), server_tx.closed()] {
        let closed = closed.expect("the end");
        assert_eq!((closed.code, closed.reason.as_str(), closed.is_clean()), (1000, "bye", true));
    }
}

#[tokio::test]
async fn without_its_sending_half_a_connection_receives_and_answers() {
    let (ws, mut peer) = facing_raw(Role::Server, 4096);
    let (mut rx, mut tx) = ws.split();
    let reader = tokio::spawn(async move {
        let message = rx.recv().await.expect("not the end").expect("a message");
        assert_eq!(message.as_text(), Some("hello"));
        rx.recv().await.is_none()
    });
    tokio::task::yield_now().await;
    tx.feed("queued").await.expect("fed");
    drop(tx);
    assert_eq!(peer.recv().await, Some(Frame::text("queued")), "what was queued leaves");
    peer.send_all(&[Frame::ping("?"), Frame::text("hello"), Frame::close(1000, "")]).await;
    assert_eq!(peer.rest().await, [Frame::pong("?"), Frame::close(1000, "")]);
    assert!(reader.await.expect("no panic"));
}

#[tokio::test]
async fn without_its_receiving_half_a_connection_sends_and_closes() {
    let (ws, mut peer) = facing_raw(Role::Server, 100);
    let (rx, mut tx) = ws.split();
    drop(rx);
    let sends = async move {
        tx.send(vec![1; 1000]).await.expect("sent");
        tx.close(CloseCode::NORMAL, "").await.expect("sent");
    };
    let ((), frames) = tokio::join!(sends, peer.rest());
    assert_eq!(frames, [Frame::binary(vec![1; 1000]), Frame::close(1000, "")]);
}

#[tokio::test]
async fn the_sending_half_learns_of_an_end_that_the_other_finds() {
    let (ws, peer) = facing_raw(Role::Server, 100);
    let (mut rx, mut tx) = ws.split();
    let writer = tokio::spawn(async move { tx.send(vec![1; 10_000]).await });
    tokio::task::yield_now().await;
    let reader = tokio::spawn(async move { rx.recv().await });
    tokio::task::yield_now().await;
    drop(peer);
    assert!(reader.await.expect("no panic").expect("not a clean end").is_err());
    assert!(writer.await.expect("no panic").is_err());
}

#[tokio::test(start_paused = true)]
async fn a_writer_is_not_left_behind_by_a_peer_that_fails() {
    let (ws, mut peer) = facing_raw(Role::Server, 100);
    let (mut rx, mut tx) = ws.split();
    let writer = tokio::spawn(async move { tx.send(vec![1; 10_000]).await });
    let reader = tokio::spawn(async move { rx.recv().await });
    tokio::task::yield_now().await;
    peer.send(Frame::new(5, "")).await; // a broken rule, from a peer that reads nothing
    let end = reader.await.expect("no panic").expect("not a clean end").expect_err("a broken rule");
    assert!(matches!(end, Error::Failed(_)), "{end:?}");
    let error = writer.await.expect("no panic").expect_err("it never left");
    assert!(matches!(error, SendError::Ended(Error::Failed(_))), "{error:?}");
}

#[tokio::test]
async fn halves_of_two_connections_stay_apart() {
    let ((one, other), (near, far)) = (pair(100).await, pair(100).await);
    let ((one_rx, _one_tx), (near_rx, near_tx)) = (one.split(), near.split());
    let error = one_rx.reunite(near_tx).expect_err("of two connections");
    assert_eq!(error.to_string(), "the halves belong to different connections");
    let (_one_rx, near_tx) = *error.0;
    assert!(near_rx.reunite(near_tx).is_ok());
    drop((other, far));
}

#[tokio::test]
async fn a_closed_tcp_connection_is_closed_on_both_sides() {
    let (near, far) = tcp().await;
    let (mut client, mut server) = shake_hands(near, far, ConnectionOptions::default()).await;
    let serves = async { server.recv().await.is_none() };
    let (closed, end) = tokio::join!(client.close(CloseCode::NORMAL, ""), serves);
    assert!(closed.expect("clean").expect("the end").is_clean() && end);
    let mut byte = [0];
    assert_eq!(client.get_ref().try_read(&mut byte).expect("the end"), 0);
}

#[tokio::test]
async fn a_close_beyond_the_limits_of_a_frame_fails_with_its_own_code() {
    let cases: [(Vec<u8>, u16); 4] = [
        (Frame::new(8, [3]).by(Role::Client), 1002),
        (Frame::new(8, [0x03, 0xED]).by(Role::Client), 1002),
        (Frame::close(1000, [0xFF]).by(Role::Client), 1007),
        (Frame::new(8, vec![0; 126]).by(Role::Client), 1002),
    ];
    for (bytes, code) in cases {
        let mut config = Config::new(Role::Server);
        config.timeouts.close = None;
        let (mut ws, mut peer) = facing_raw_with(config, 4096);
        tokio::io::AsyncWriteExt::write_all(&mut peer.io, &bytes).await.expect("written");
        let watches = async {
            assert_eq!(peer.recv().await.expect("a Close").code(), Some(code));
            peer.shutdown().await;
        };
        let (end, ()) = tokio::join!(ws.recv(), watches);
        assert!(matches!(end, Some(Err(Error::Failed(_)))), "{end:?}");
        assert_eq!(ws.closed().expect("the end").code, 1006);
    }
}
