//! Deadlines under virtual time: each passes without anything arriving, whatever the application waits for.

mod support;

use std::{sync::Arc, time::Duration};

use support::{facing_raw, facing_raw_with, mock::mock, open, pair_with, poll_once};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    time::{Instant, advance, sleep},
};
use ws_testkit::{Frame, read_frames};
use ws_tokio::{
    AcceptError, Connect, ConnectError, Error, SendError, Step, WebSocket,
    endpoint::{
        ConnectionOptions, ServerConfig,
        driver::{CloseCode, Config, Expired, Fault, Initiator, Timeouts},
        frame::Role,
        handshake::RequestError,
    },
};

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// How many whole seconds have passed since then.
fn since(start: Instant) -> u64 {
    start.elapsed().as_secs()
}

fn with(change: impl FnOnce(&mut Timeouts)) -> Config {
    let mut config = Config::new(Role::Server);
    change(&mut config.timeouts);
    config
}

type Ws = WebSocket<DuplexStream>;

async fn expect_error(ws: &mut Ws) -> Error {
    let error = ws.recv().await.expect("not a clean end").expect_err("the end");
    assert!(ws.recv().await.is_none(), "the end is told once");
    assert!(ws.recv().await.is_none());
    error
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_told_408_after_ten_seconds() {
    let start = Instant::now();
    let (mut near, far) = duplex(4096);
    let accepts = async {
        let error = ws_tokio::accept(far).await.expect_err("no request came");
        let AcceptError::Refused(refusal) = error else { panic!("{error:?}") };
        assert_eq!(refusal.cause(), Some(RequestError::Timeout));
    };
    let waits = async {
        let mut answer = String::new();
        near.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert_eq!(since(start), 10);
        drop(near);
    };
    tokio::join!(accepts, waits);
    assert_eq!(since(start), 10);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_trickles_in_has_no_more_time() {
    let start = Instant::now();
    let (mut near, far) = duplex(4096);
    let accepts = async {
        assert!(matches!(ws_tokio::accept(far).await, Err(AcceptError::Refused(_))));
        assert_eq!(since(start), 12, "ten seconds, and two for a client that does not leave");
    };
    let trickles = async {
        for byte in b"GET / HTTP/1.1\r\nHost: example.com\r\n" {
            if near.write_all(&[*byte]).await.is_err() {
                break;
            }
            sleep(secs(1)).await;
        }
    };
    tokio::join!(accepts, trickles);
}

#[tokio::test(start_paused = true)]
async fn the_time_for_a_request_is_an_option() {
    let start = Instant::now();
    let mut config = ServerConfig::default();
    config.handshake_timeout = Some(secs(3));
    let (near, far) = duplex(4096);
    let accepts = async { ws_tokio::accept_with(far, &Arc::new(config)).await.is_err() };
    let leaves = async {
        sleep(secs(4)).await;
        drop(near);
    };
    let (refused, ()) = tokio::join!(accepts, leaves);
    assert!(refused);
    assert_eq!(since(start), 4);
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_given_up_after_ten_seconds() {
    let start = Instant::now();
    let (near, _far) = duplex(4096);
    let connected = Connect::new("ws://example.com/").expect("an address").over(near).await;
    assert!(matches!(connected, Err(ConnectError::Timeout { step: Step::Handshake })));
    assert_eq!(since(start), 10);
}

#[tokio::test(start_paused = true)]
async fn silence_is_asked_after_and_an_answer_is_enough() {
    let (mut ws, mut peer) = facing_raw(Role::Server, 4096);
    let start = Instant::now();
    let answers = async {
        for round in 1..=4 {
            assert!(peer.recv().await.is_some_and(|frame| frame.opcode == 9));
            assert_eq!(since(start), 25 * round);
            peer.send(Frame::pong("")).await;
        }
        peer.send(Frame::text("done")).await;
    };
    let (message, ()) = tokio::join!(ws.recv(), answers);
    assert_eq!(message.expect("not the end").expect("a message").as_text(), Some("done"));
}

#[tokio::test(start_paused = true)]
async fn any_frame_counts_as_an_answer() {
    let (mut ws, mut peer) = facing_raw(Role::Server, 4096);
    let start = Instant::now();
    let answers = async {
        assert!(peer.recv().await.is_some_and(|frame| frame.opcode == 9));
        sleep(secs(19)).await;
        peer.send(Frame::text("busy")).await;
        assert!(peer.recv().await.is_some_and(|frame| frame.opcode == 9));
        assert_eq!(since(start), 25 + 19 + 25);
    };
    let receives = async {
        assert!(ws.recv().await.expect("not the end").is_ok());
        assert!(poll_once(ws.recv()).is_pending());
        ws.recv().await
    };
    tokio::select! {
        end = receives => panic!("{end:?}"),
        () = answers => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_answer_is_failed_with_1011() {
    let (mut ws, mut peer) = facing_raw(Role::Server, 4096);
    let start = Instant::now();
    let watches = async {
        assert!(peer.recv().await.is_some_and(|frame| frame.opcode == 9));
        let close = peer.recv().await.expect("a Close");
        assert_eq!((close.opcode, close.code(), since(start)), (8, Some(1011), 45));
        assert_eq!(peer.recv().await, None, "and the end");
        peer
    };
    let (error, _peer) = tokio::join!(expect_error(&mut ws), watches);
    assert!(matches!(error, Error::Failed(Fault::PongTimeout)), "{error:?}");
    assert_eq!(since(start), 50, "it lingers for as long as a closing handshake may take");
    let closed = ws.closed().expect("the end");
    assert_eq!((closed.code, closed.sent), (1006, Some(Some(CloseCode::INTERNAL_ERROR))));
    assert_eq!((closed.initiator, closed.is_clean()), (Initiator::Local, false));
}

#[tokio::test(start_paused = true)]
async fn a_peer_is_not_dead_while_its_pong_lies_in_the_transport() {
    for lent in [false, true] {
        let (mut ws, mut peer) = facing_raw(Role::Server, 4096);
        let pinged = async {
            assert!(peer.recv().await.is_some_and(|frame| frame.opcode == 9));
            peer.send(Frame::pong("")).await;
        };
        tokio::select! {
            biased;
            () = pinged => {}
            end = ws.recv() => panic!("{end:?}"),
        }
        advance(secs(60)).await; // the application is busy
        peer.send(Frame::text("still here")).await;
        let (rx, tx) = ws.halves();
        if lent {
            let message = rx.recv(tx).await.expect("not the end").expect("alive");
            assert_eq!(message.as_text(), Some("still here"));
        } else {
            let message = ws.recv().await.expect("not the end").expect("alive");
            assert_eq!(message.as_text(), Some("still here"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_slowly_is_not_dead_while_it_is_sent_to() {
    let (mut ws, mut peer) = facing_raw(Role::Server, 1000);
    let start = Instant::now();
    let sends = async {
        ws.send(vec![7; 30_000]).await.expect("sent, slowly");
        assert!(since(start) > 200, "{}", since(start));
        ws
    };
    // It answers at once, and its answers wait: who sends does not read.
    let reads = async {
        let mut left = 30_000;
        let mut bytes = vec![0; 1000];
        while left > 0 {
            sleep(secs(10)).await;
            let read = peer.io.read(&mut bytes).await.expect("bytes");
            peer.send(Frame::pong("")).await;
            left -= read.min(left);
        }
        peer
    };
    let (mut ws, mut peer) = tokio::join!(sends, reads);
    peer.send(Frame::text("done")).await;
    let done = ws.recv().await.expect("not the end").expect("alive");
    assert_eq!(done.as_text(), Some("done"));
}

#[tokio::test(start_paused = true)]
async fn a_flush_watches_for_pongs_too() {
    // The peer takes a byte now and then, and says nothing.
    let (io, wire) = mock();
    let mut ws = open(io, Config::new(Role::Server));
    wire.take(10);
    let start = Instant::now();
    let drips = async {
        loop {
            sleep(secs(5)).await;
            wire.take(1);
        }
    };
    tokio::select! {
        sent = ws.send(vec![7; 1000]) => {
            let error = sent.expect_err("nobody answers");
            assert!(matches!(error, SendError::Ended(Error::Failed(Fault::PongTimeout))), "{error:?}");
        }
        () = drips => {}
    }
    assert_eq!(since(start), 50, "25 to the ping, 20 for the pong, 5 for the Close");
    let end = ws.recv().await.expect("not a clean end").expect_err("the end");
    assert!(matches!(end, Error::Failed(Fault::PongTimeout)), "{end:?}");
    assert!(ws.recv().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_close_that_is_not_answered_expires_after_five_seconds() {
    for begin in [false, true] {
        let (mut ws, mut peer) = facing_raw(Role::Server, 4096);
        let start = Instant::now();
        let error = if begin {
            ws.begin_close(CloseCode::NORMAL, "").await.expect("sent");
            ws.recv().await.expect("not a clean end").expect_err("the end")
        } else {
            ws.close(CloseCode::NORMAL, "").await.expect_err("no answer came")
        };
        assert!(matches!(error, Error::Expired(Expired::Close)), "{error:?}");
        assert_eq!(since(start), 5);
        assert!(ws.recv().await.is_none());
        let closed = ws.closed().expect("the end");
        assert_eq!((closed.code, closed.initiator, closed.is_clean()), (1006, Initiator::Local, false));
        assert_eq!(peer.recv().await, Some(Frame::close(1000, "")));
        drop(ws);
        assert_eq!(peer.recv().await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_goes_on_sending_does_not_put_the_close_off() {
    let (mut ws, mut peer) = facing_raw(Role::Server, 4096);
    let start = Instant::now();
    let talks = async {
        loop {
            peer.send(Frame::text("and another thing")).await;
            sleep(secs(1)).await;
        }
    };
    tokio::select! {
        end = ws.close(CloseCode::NORMAL, "") => {
            assert!(matches!(end, Err(Error::Expired(Expired::Close))), "{end:?}");
        }
        () = talks => {}
    }
    assert_eq!(since(start), 5);
}

#[tokio::test(start_paused = true)]
async fn a_client_waits_five_seconds_for_the_server_to_end_tcp() {
    let (mut ws, mut peer) = facing_raw(Role::Client, 4096);
    let start = Instant::now();
    peer.send(Frame::close(1000, "")).await;
    assert!(ws.recv().await.is_none());
    assert_eq!(since(start), 5);
    assert!(ws.closed().expect("the end").is_clean());
}

/// Waits in one of the ways that there are for the end of a connection whose peer takes nothing.
async fn stall(form: usize, mut ws: Ws) {
    let payload = vec![7; 100_000];
    let error = match form {
        0 => ws.send(payload).await.expect_err("nobody reads"),
        1 => {
            ws.set_limits({
                let mut limits = Config::new(Role::Server).limits;
                limits.high_water_mark = 1000;
                limits
            });
            ws.feed(payload).await.expect_err("nobody reads")
        }
        2 => {
            ws.feed(payload).await.expect("below the mark");
            ws.flush().await.expect_err("nobody reads").into()
        }
        3 => {
            ws.feed(payload).await.expect("below the mark");
            ws.recv().await.expect("not a clean end").expect_err("the end").into()
        }
        _ => {
            let (mut rx, mut tx) = ws.split();
            let (received, sent) = tokio::join!(rx.recv(), tx.send(payload));
            let end = received.expect("not a clean end").expect_err("the end");
            assert!(matches!(end, Error::Expired(Expired::WriteStall)), "{end:?}");
            assert!(rx.recv().await.is_none());
            let error = sent.expect_err("nobody reads");
            assert!(matches!(error, SendError::Ended(Error::Expired(Expired::WriteStall))), "{error:?}");
            assert!(matches!(tx.send("more").await, Err(SendError::Unsent(_))));
            return;
        }
    };
    assert!(matches!(error, SendError::Ended(Error::Expired(Expired::WriteStall))), "{form}: {error:?}");
    if form != 3 {
        let end = ws.recv().await.expect("not a clean end").expect_err("the end");
        assert!(matches!(end, Error::Expired(Expired::WriteStall)), "{form}: {end:?}");
    }
    assert!(ws.recv().await.is_none());
    assert!(matches!(ws.send("more").await, Err(SendError::Unsent(_))), "nothing is sent behind the end");
    assert_eq!(ws.queued(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_is_dropped_after_thirty_seconds() {
    for form in 0..5 {
        let (ws, _peer) = facing_raw(Role::Server, 1000);
        let start = Instant::now();
        stall(form, ws).await;
        assert_eq!(since(start), 30, "{form}");
    }
}

#[cfg(feature = "rustls")]
#[tokio::test(start_paused = true)]
async fn bytes_that_stand_in_the_buffers_of_tls_are_watched_too() {
    let (near, far) = duplex(256);
    let (_near, far) = support::tls::over(near, far).await;
    let mut ws = open(far, with(|timeouts| timeouts.ping_after = None));
    let start = Instant::now();
    let error = ws.send(vec![7; 10_000]).await.expect_err("nobody reads");
    assert!(matches!(error, SendError::Ended(Error::Expired(Expired::WriteStall))), "{error:?}");
    assert_eq!(since(start), 30);
    assert!(ws.recv().await.is_some_and(|end| end.is_err()));
    assert!(ws.recv().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn the_sending_half_alone_watches_for_a_stall() {
    let (ws, _peer) = facing_raw(Role::Server, 1000);
    let start = Instant::now();
    let (rx, mut tx) = ws.split();
    drop(rx);
    let error = tx.send(vec![7; 100_000]).await.expect_err("nobody reads");
    assert!(matches!(error, SendError::Ended(Error::Expired(Expired::WriteStall))), "{error:?}");
    assert_eq!(since(start), 30);
}

#[tokio::test(start_paused = true)]
async fn progress_puts_a_stall_off() {
    let (mut ws, mut peer) = facing_raw_with(with(|timeouts| timeouts.ping_after = None), 1000);
    let start = Instant::now();
    let reads = async {
        let mut bytes = vec![0; 500];
        for _ in 0..10 {
            sleep(secs(29)).await;
            peer.io.read_exact(&mut bytes).await.expect("bytes");
        }
        let mut rest = vec![0; 10_004 - 5000];
        peer.io.read_exact(&mut rest).await.expect("bytes");
        assert_eq!(since(start), 290);
    };
    let (sent, ()) = tokio::join!(ws.send(vec![7; 10_000]), reads);
    sent.expect("sent");
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_with_1001() {
    let (mut ws, mut peer) = facing_raw_with(with(|timeouts| timeouts.idle = Some(secs(60))), 4096);
    let start = Instant::now();
    let watches = async {
        sleep(secs(20)).await;
        peer.send(Frame::text("one message")).await;
        let mut close = peer.recv().await.expect("a frame");
        while close.opcode == 9 {
            peer.send(Frame::pong("")).await; // which is no message
            close = peer.recv().await.expect("a frame");
        }
        assert_eq!((close.code(), since(start)), (Some(1001), 80));
        peer.send(close).await;
        peer
    };
    let receives = async {
        assert!(ws.recv().await.expect("not the end").is_ok());
        assert!(ws.recv().await.is_none(), "a closing handshake is no error");
    };
    let ((), _peer) = tokio::join!(receives, watches);
    let closed = ws.closed().expect("the end");
    assert_eq!((closed.code, closed.initiator), (1001, Initiator::Local));
}

#[tokio::test(start_paused = true)]
async fn an_old_connection_is_closed_with_1001() {
    let (mut ws, mut peer) = facing_raw_with(with(|timeouts| timeouts.max_age = Some(secs(100))), 4096);
    let start = Instant::now();
    let talks = async {
        let close = loop {
            tokio::select! {
                frame = peer.recv() => break frame.expect("a Close"),
                () = sleep(secs(7)) => peer.send(Frame::text("busy")).await,
            }
        };
        assert_eq!((close.code(), since(start)), (Some(1001), 100));
        peer.send(close).await;
        peer
    };
    let receives = async { while ws.recv().await.transpose().expect("no error").is_some() {} };
    let ((), _peer) = tokio::join!(receives, talks);
    assert_eq!(ws.closed().expect("the end").sent, Some(Some(CloseCode::GOING_AWAY)));
}

#[tokio::test(start_paused = true)]
async fn without_deadlines_nothing_ever_happens() {
    let (mut ws, mut peer) = facing_raw_with(with(|timeouts| *timeouts = Timeouts::NONE), 4096);
    let waits = async {
        sleep(secs(1_000_000)).await;
        peer.send(Frame::text("hello")).await;
    };
    let (message, ()) = tokio::join!(ws.recv(), waits);
    assert_eq!(message.expect("not the end").expect("a message").as_text(), Some("hello"));
    assert!(poll_once(peer.recv()).is_pending(), "nothing was sent");
}

#[tokio::test(start_paused = true)]
async fn two_of_us_keep_each_other_alive() {
    let (mut client, mut server) = pair_with(4096, ConnectionOptions::default()).await;
    let ends = sleep(secs(10_000));
    tokio::select! {
        end = client.recv() => panic!("{end:?}"),
        end = server.recv() => panic!("{end:?}"),
        () = ends => {}
    }
    let (sent, received) = tokio::join!(client.send("hello"), server.recv());
    sent.expect("sent");
    assert_eq!(received.expect("not the end").expect("a message").as_text(), Some("hello"));
}

#[tokio::test(start_paused = true)]
async fn both_tasks_of_a_split_may_be_parked_when_a_deadline_passes() {
    let (ws, mut peer) = facing_raw(Role::Server, 1000);
    let (mut rx, mut tx) = ws.split();
    let reader = tokio::spawn(async move { rx.recv().await });
    let writer = tokio::spawn(async move {
        let closed = tx.close(CloseCode::NORMAL, "").await;
        (closed, tx)
    });
    assert_eq!(peer.recv().await, Some(Frame::close(1000, "")));
    let start = Instant::now();
    let end = reader.await.expect("no panic").expect("not a clean end").expect_err("the end");
    assert!(matches!(end, Error::Expired(Expired::Close)), "{end:?}");
    assert_eq!(since(start), 5);
    let (closed, tx) = writer.await.expect("no panic");
    closed.expect("the Close was sent");
    assert_eq!(tx.closed().expect("the end").code, 1006);
}

#[tokio::test(start_paused = true)]
async fn a_close_of_one_half_is_watched_by_the_other_that_was_parked_before() {
    let (ws, _peer) = facing_raw_with(with(|timeouts| timeouts.ping_after = None), 1000);
    let (mut rx, mut tx) = ws.split();
    let start = Instant::now();
    let reader = tokio::spawn(async move { rx.recv().await });
    sleep(secs(100)).await;
    tx.close(CloseCode::NORMAL, "").await.expect("sent");
    let end = reader.await.expect("no panic").expect("not a clean end").expect_err("the end");
    assert!(matches!(end, Error::Expired(Expired::Close)), "{end:?}");
    assert_eq!(since(start), 105);
}

#[tokio::test(start_paused = true)]
async fn what_is_written_at_a_deadline_is_whole() {
    let (io, wire) = mock();
    let mut ws = open(io, Config::new(Role::Server));
    tokio::select! {
        end = ws.recv() => panic!("{end:?}"),
        () = sleep(secs(26)) => {}
    }
    assert_eq!(read_frames(Role::Server, &wire.written())[0].opcode, 9);
}
