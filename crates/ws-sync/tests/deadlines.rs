//! Deadlines are kept although every call blocks. The times are short and real, and each test waits for what they end.

mod support;

use std::{
    io::{self, Read, Write},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use support::{pair, raw_client, read_frame, read_head, request};
use ws_sync::{
    AcceptError, ConnectError, Error, SendError, Transport, WebSocket,
    endpoint::{
        Endpoint, ServerConfig,
        driver::{CloseCode, Expired, Fault, Timeouts},
    },
    http::Request,
};

const SHORT: Option<Duration> = Some(Duration::from_millis(50));

fn config(timeouts: impl FnOnce(&mut Timeouts)) -> ServerConfig {
    let mut config = ServerConfig::default();
    timeouts(&mut config.connection.timeouts);
    config
}

#[test]
fn a_request_that_trickles_in_is_answered_with_408() {
    let (mut client, server) = pair();
    let mut config = ServerConfig::default();
    config.handshake_timeout = SHORT;
    config.connection.timeouts.close = SHORT;
    let start = Instant::now();
    let server = thread::spawn(move || ws_sync::accept_with(server, &Arc::new(config)).map(drop));
    client.write_all(b"GET / HTTP/1.1\r\n").expect("sent");
    assert!(read_head(&mut client).starts_with("HTTP/1.1 408 "));
    let refused = server.join().expect("no panic");
    assert!(matches!(refused, Err(AcceptError::Timeout)), "{refused:?}");
    assert!(start.elapsed() >= SHORT.expect("a time"));
}

#[test]
fn a_server_that_does_not_answer_is_not_waited_for() {
    let (client, server) = pair();
    let mut connect = request();
    connect.config.handshake_timeout = SHORT;
    assert!(matches!(connect.over(client), Err(ConnectError::Timeout)));
    drop(server);
}

#[test]
fn a_peer_that_does_not_answer_a_ping_fails_with_1011() {
    let (mut raw, mut server) = raw_client(config(|timeouts| {
        (timeouts.ping_after, timeouts.pong_within, timeouts.close) = (SHORT, SHORT, SHORT);
    }));
    let server = thread::spawn(move || server.recv());
    assert_eq!(read_frame(&mut raw).0, 0x89);
    let (first, payload) = read_frame(&mut raw);
    assert_eq!((first, &payload[..2]), (0x88, &1011u16.to_be_bytes()[..]));
    let end = server.join().expect("no panic");
    assert!(matches!(end, Some(Err(Error::Failed(Fault::PongTimeout)))), "{end:?}");
}

#[test]
fn a_peer_that_answers_pings_is_kept() {
    let (mut raw, mut server) = raw_client(config(|timeouts| {
        (timeouts.ping_after, timeouts.pong_within) = (SHORT, Some(Duration::from_secs(20)));
    }));
    let server = thread::spawn(move || (server.recv(), server.closed(), server.rtt()));
    for _ in 0..3 {
        let (first, payload) = read_frame(&mut raw);
        assert_eq!(first, 0x89);
        raw.write_all(&support::masked(0x8A, &payload)).expect("sent");
    }
    raw.write_all(&support::masked(0x88, &[3, 232])).expect("sent");
    let (end, closed, rtt) = server.join().expect("no panic");
    assert!(end.is_none(), "{end:?}");
    assert!(closed.is_some_and(|closed| closed.is_clean()));
    assert!(rtt.is_some(), "and is measured");
}

#[test]
fn a_close_that_is_not_answered_ends_all_the_same() {
    let (mut raw, mut server) = raw_client(config(|timeouts| timeouts.close = SHORT));
    let end = server.close(CloseCode::NORMAL, "");
    assert!(matches!(end, Err(Error::Expired(Expired::Close))), "{end:?}");
    assert_eq!(read_frame(&mut raw), (0x88, vec![3, 232]));
    assert_eq!(server.closed().map(|closed| closed.code), Some(1006));
}

#[test]
fn a_client_does_not_wait_for_ever_for_the_server_to_end_the_stream() {
    let (client, mut raw) = pair();
    let server = thread::spawn(move || {
        let ws = ws_sync::accept(raw.try_clone().expect("a clone")).expect("accepted");
        let mut close = [0; 8];
        raw.read_exact(&mut close).expect("a close");
        raw.write_all(&[0x88, 0]).expect("sent");
        (close[0], ws, raw) // both stay until they are looked at
    });
    let mut connect = request();
    connect.config.connection.timeouts.close = SHORT;
    let mut ws = connect.over(client).expect("connected");
    let closed = ws.close(CloseCode::NORMAL, "").expect("closed").expect("an end");
    assert!(closed.is_clean(), "both have sent a Close");
    assert_eq!(server.join().expect("no panic").0, 0x88);
}

#[test]
fn a_peer_that_reads_nothing_is_dropped() {
    let (raw, mut server) = raw_client(config(|timeouts| timeouts.write_stall = SHORT));
    let end = server.send(vec![0; 64 << 20]);
    assert!(matches!(end, Err(SendError::Ended(Error::Expired(Expired::WriteStall)))), "{end:?}");
    assert!(matches!(server.recv(), Some(Err(Error::Expired(Expired::WriteStall)))));
    drop(raw);
}

/// A stream whose peer takes nothing for a while, but speaks.
struct Stuck {
    /// How many writes take as long as they may, and come to nothing.
    writes: usize,
    time: Duration,
    output: Vec<u8>,
}

impl Read for Stuck {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let next = &support::masked(0x8A, b"")[..1.min(buf.len())]; // never all of a pong
        buf[..next.len()].copy_from_slice(next);
        Ok(next.len())
    }
}

impl Write for Stuck {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if self.writes > 0 {
            self.writes -= 1;
            let until = Instant::now() + self.time;
            while Instant::now() < until {
                thread::park_timeout(self.time); // as the system does
            }
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.output.extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for Stuck {
    fn set_read_timeout(&mut self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.time = timeout.expect("there is a deadline");
        Ok(())
    }

    fn shutdown(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn who_waits_to_write_hears_that_the_peer_lives() {
    let config = config(|timeouts| {
        (timeouts.ping_after, timeouts.pong_within) =
            (Some(Duration::from_millis(10)), Some(Duration::from_millis(10)));
        timeouts.write_stall = Some(Duration::from_secs(20));
    });
    let ask = Request::builder()
        .uri("/chat")
        .header("host", "example.com")
        .header("upgrade", "websocket")
        .header("connection", "Upgrade")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("sec-websocket-version", "13")
        .body(())
        .expect("a request");
    let mut endpoint = Endpoint::http(ask, &Arc::new(config), Instant::now());
    endpoint.start(Instant::now());
    let stream = Stuck { writes: 8, time: Duration::ZERO, output: Vec::new() };
    let mut ws = WebSocket::from_endpoint(stream, endpoint);
    ws.send("at last").expect("sent");
    assert_eq!(ws.get_ref().writes, 0);
    assert!(ws.get_ref().output.ends_with(b"\x81\x07at last"), "no ping, and no close");
}

#[test]
fn an_idle_connection_is_closed_with_1001() {
    let (mut raw, mut server) = raw_client(config(|timeouts| timeouts.idle = SHORT));
    let server = thread::spawn(move || (server.recv(), server.closed()));
    let (first, payload) = read_frame(&mut raw);
    assert_eq!((first, &payload[..2]), (0x88, &1001u16.to_be_bytes()[..]));
    raw.write_all(&support::masked(0x88, &payload[..2])).expect("sent");
    let (end, closed) = server.join().expect("no panic");
    assert!(end.is_none() && closed.is_some_and(|closed| closed.is_clean()));
}
