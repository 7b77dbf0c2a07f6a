//! How long the peer takes to answer a ping, and what a pause does to the deadlines.

use std::time::{Duration, Instant};

use bytes::Buf;
use ws_driver::{Config, Connection, Ending, Event, Fault, Negotiated, Progress, Role};
use ws_testkit::{Frame, read_frames};

/// A server in virtual time.
struct Server {
    connection: Connection,
    now: Instant,
}

impl Server {
    fn new() -> Self {
        let now = Instant::now();
        Self { connection: Connection::new(Config::new(Role::Server), Negotiated::default(), now), now }
    }

    /// So much later; what is queued then.
    fn later(&mut self, time: Duration) -> Vec<Frame> {
        self.now += time;
        self.connection.poll_deadline(self.now);
        let outbox = self.connection.sender().outbox();
        read_frames(Role::Server, &outbox.copy_to_bytes(outbox.remaining()))
    }

    fn read(&mut self, frame: &Frame) {
        self.connection.receiver().buffer().extend_from_slice(&frame.by(Role::Client));
        while let Progress::Ready = self.connection.advance() {
            assert!(matches!(self.connection.event(), Event::Pong(_)));
        }
    }
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn a_ping_of_the_keepalive_is_measured() {
    let mut server = Server::new();
    assert_eq!(server.connection.rtt(), None);
    let pings = server.later(Duration::from_secs(25));
    assert_eq!((pings.len(), pings[0].opcode), (1, 9));
    server.now += millis(70);
    server.read(&Frame::pong(&pings[0].payload));
    assert!(server.later(Duration::ZERO).is_empty());
    assert_eq!(server.connection.rtt(), Some(millis(70)));
    let again = server.later(Duration::from_secs(25));
    assert_ne!(again, pings, "each ping has a payload of its own");
    assert_eq!(server.connection.rtt(), Some(millis(70)), "the last one that was answered");
}

#[test]
fn a_ping_of_the_caller_is_measured_by_its_payload() {
    let mut server = Server::new();
    server.connection.sender().ping(b"caller").unwrap();
    assert_eq!(server.later(Duration::ZERO), [Frame::ping("caller")]);
    server.now += millis(5);
    server.read(&Frame::pong("unasked"));
    server.later(millis(5));
    assert_eq!(server.connection.rtt(), None, "that was another's");
    server.read(&Frame::pong("caller"));
    server.later(millis(10));
    assert_eq!(server.connection.rtt(), Some(millis(20)));
    server.read(&Frame::pong("caller"));
    server.later(millis(10));
    assert_eq!(server.connection.rtt(), Some(millis(20)), "a pong counts once");
}

/// RFC 6455 section 5.5.3: a peer may answer the newest ping only.
#[test]
fn the_newest_of_several_pings_is_measured() {
    for answers_all in [true, false] {
        let mut server = Server::new();
        for payload in [b"one", b"two"] {
            server.connection.sender().ping(payload).unwrap();
            server.later(millis(10));
        }
        if answers_all {
            server.read(&Frame::pong("one"));
        }
        server.later(millis(10));
        server.read(&Frame::pong("two"));
        server.later(Duration::ZERO);
        assert_eq!(server.connection.rtt(), Some(millis(10)));
    }
}

#[test]
fn while_reading_is_paused_no_pong_is_missed() {
    let now = Instant::now();
    let connection = Connection::new(Config::new(Role::Server), Negotiated::default(), now);
    let mut parts = connection.into_parts();
    let mut at = |seconds: u64, pause: Option<bool>| {
        if let Some(paused) = pause {
            parts.lifecycle.set_paused(paused);
        }
        let now = now + Duration::from_secs(seconds);
        let due =
            parts.lifecycle.poll_deadline(now, &mut parts.receiver, &mut parts.sender, &mut parts.replies);
        let queued = parts.sender.outbox().remaining();
        parts.sender.outbox().advance(queued);
        (due.map(|due| (due - now).as_secs()), queued > 0, parts.receiver.ending().cloned())
    };
    assert_eq!(at(25, None), (Some(20), true, None), "a ping, and 20 s for its pong");
    assert_eq!(at(26, Some(true)), (None, false, None));
    assert_eq!(at(5000, None), (None, false, None));
    assert_eq!(at(9000, Some(false)), (Some(25), false, None), "the silence counts from here");
    assert_eq!(at(9025, None), (Some(20), true, None));
    assert_eq!(at(9045, None).2, Some(Ending::Failed(Fault::PongTimeout)));
}
