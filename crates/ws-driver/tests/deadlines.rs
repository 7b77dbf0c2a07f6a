//! Deadlines under virtual time: `now` is an argument, so nothing here waits.

use std::time::Duration;

use bytes::Buf;
use ws_driver::{Config, Ending, Event, Expired, Fault, Progress, Role, SendError, Timeouts, Wants};
use ws_testkit::{End, Endpoint, Frame, Hostility, Link, Seen};

fn server(change: impl FnOnce(&mut Timeouts)) -> Endpoint {
    let mut config = Config::new(Role::Server);
    change(&mut config.timeouts);
    Endpoint::with(config)
}

fn seconds(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

#[test]
fn silence_is_answered_with_a_ping_and_then_with_1011() {
    let mut server = server(|_| ());
    assert_eq!(server.wait(0), seconds(25));
    assert_eq!(server.wait(24), seconds(1));
    assert!(server.sent().is_empty());
    assert_eq!(server.wait(1), seconds(20));
    let pings = server.sent();
    assert_eq!((pings.len(), pings[0].opcode, pings[0].payload.len()), (1, 9, 4));
    assert_eq!(server.wait(19), seconds(1));
    assert_eq!(server.wait(1), seconds(5), "the closing handshake has begun");
    assert_eq!(server.sent(), [Frame::close(1011, "no answer to a ping")]);
    assert_eq!(server.end(), End::Failed(1011));
    assert_eq!(server.connection.receiver().ending(), Some(&Ending::Failed(Fault::PongTimeout)));
    assert_eq!(server.wait(5), None);
    assert_eq!(server.connection.wants(), Wants::NOTHING);
}

#[test]
fn anything_that_arrives_shows_that_the_peer_lives() {
    let whole = [Frame::pong(""), Frame::text("x"), Frame::ping("p")];
    let mut arrivals: Vec<Vec<u8>> = whole.iter().map(|frame| frame.by(Role::Client)).collect();
    arrivals.push(Frame::header(true, 0, 2, Some([0; 4]), 1000)); // with a payload that comes by and by
    arrivals.extend([vec![1], vec![2, 3]]);
    let mut server = server(|_| ());
    for bytes in arrivals {
        assert_eq!(server.wait(25), seconds(20));
        assert_eq!(server.sent().iter().filter(|frame| frame.opcode == 9).count(), 1);
        let _progress = server.read(&bytes);
        assert_eq!(server.wait(19), seconds(25), "after {bytes:?}");
        let _pong = server.write();
    }
}

/// A header or a ping that trickles in is a sign of life, once for each byte; that it is still there is none.
#[test]
fn what_has_long_been_there_is_no_sign_of_life() {
    let [ping, text] = [Frame::ping("half"), Frame::text("half")].map(|frame| frame.by(Role::Client));
    for bytes in [&ping[..8], &ping[..1], &text[..9], &text[..3]] {
        let mut server = server(|_| ());
        let _progress = server.read(bytes);
        assert_eq!(server.wait(10), seconds(25), "after {bytes:?}");
        assert_eq!(server.advance(), Progress::NeedBytes);
        assert_eq!(server.wait(25), seconds(20), "after {bytes:?}");
        assert_eq!(server.advance(), Progress::NeedBytes);
        assert_eq!(server.wait(20), seconds(5), "after {bytes:?}");
        assert_eq!(server.end(), End::Failed(1011));
    }
}

#[test]
fn bytes_that_were_read_and_not_yet_looked_at_count() {
    let mut server = server(|_| ());
    server.wait(25);
    server.connection.receiver().buffer().extend_from_slice(&Frame::pong("").by(Role::Client));
    assert_eq!(server.wait(60), seconds(25));
    assert_eq!(server.end(), End::Open);
}

#[test]
fn an_event_that_is_lent_survives_a_deadline() {
    let cases =
        [Frame::text("lent"), Frame::binary(vec![1; 20_000]), Frame::ping("lent"), Frame::pong("lent")];
    for frame in cases {
        for split in [false, true] {
            let mut server = server(|_| ());
            if split && frame.opcode < 3 {
                let _progress = server.read_frame(&Frame::new(frame.opcode, "").unfinished());
                let rest = Frame::continuation(&frame.payload).by(Role::Client);
                server.connection.receiver().buffer().extend_from_slice(&rest);
            } else {
                server.connection.receiver().buffer().extend_from_slice(&frame.by(Role::Client));
            }
            let more = Frame::text("behind").by(Role::Client);
            server.connection.receiver().buffer().extend_from_slice(&more);
            assert_eq!(server.connection.advance(), Progress::Ready);
            for silence in [1, 25, 20] {
                server.wait(silence);
                let _written = server.write();
            }
            assert_eq!(server.end(), End::Failed(1011));
            server.note();
            assert_eq!(server.seen.len(), 1);
            let _room = server.connection.receiver().buffer();
            assert_eq!(server.advance(), Progress::Closed);
            assert!(matches!(server.connection.event(), Event::Closed(Ending::Failed(Fault::PongTimeout))));
        }
    }
}

#[test]
fn a_closing_handshake_that_is_not_answered_ends_after_5_s() {
    let mut server = server(|_| ());
    server.connection.sender().close(ws_driver::CloseCode::NORMAL, "done").unwrap();
    assert_eq!(server.wait(3), seconds(5));
    assert_eq!(server.sent_close(), Some(Some(1000)));
    let _progress = server.read_frame(&Frame::text("still delivered"));
    assert_eq!(server.wait(4), seconds(1));
    assert_eq!(server.wait(1), None);
    assert_eq!(server.connection.wants(), Wants::NOTHING);
    assert_eq!(server.advance(), Progress::Closed);
    assert_eq!(server.connection.receiver().ending(), Some(&Ending::Expired(Expired::Close)));
    let closed = server.connection.closed().unwrap();
    assert_eq!((closed.code, closed.is_clean()), (1006, false));
    assert_eq!(server.seen, [Seen::text("still delivered")]);
}

#[test]
fn a_peer_that_does_not_close_its_transport_is_not_waited_for() {
    let mut client = Endpoint::new(Role::Client);
    client.connection.sender().close_without_code();
    let _close = client.write();
    let _progress = client.read_frame(&Frame::empty_close());
    assert_eq!(client.wait(0), seconds(5));
    assert_eq!(client.connection.wants(), Wants { read: true, ..Wants::NOTHING });
    assert_eq!(client.wait(5), None);
    assert_eq!(client.connection.wants(), Wants::NOTHING);
    assert!(client.connection.closed().unwrap().is_clean());
}

#[test]
fn idle_and_old_connections_are_closed_with_1001() {
    let mut server_idle = server(|timeouts| timeouts.idle = seconds(10));
    assert_eq!(server_idle.wait(8), seconds(2));
    let _progress = server_idle.read_frame(&Frame::ping("no message"));
    assert_eq!(server_idle.wait(1), seconds(1));
    let _progress = server_idle.read_frame(&Frame::text("a message"));
    assert_eq!(server_idle.wait(1), seconds(10));
    server_idle.connection.sender().write(ws_driver::DataKind::Text, b"ours").unwrap();
    let _written = server_idle.write();
    assert_eq!(server_idle.wait(9), seconds(10), "messages that are sent count");
    assert_eq!(server_idle.wait(10), seconds(5));
    assert_eq!(server_idle.sent(), [Frame::close(1001, "idle for too long")]);

    let mut server_old = server(|timeouts| timeouts.max_age = seconds(60));
    for _ in 0..5 {
        let _progress = server_old.read_frame(&Frame::text("busy"));
        server_old.wait(10);
    }
    assert_eq!(server_old.wait(10), seconds(5));
    assert_eq!(server_old.sent(), [Frame::close(1001, "maximum age reached")]);
    let _progress = server_old.read_frame(&Frame::close(1001, ""));
    assert_eq!(server_old.connection.closed().unwrap().initiator, ws_driver::Initiator::Local);
}

#[test]
fn a_peer_that_reads_nothing_is_dropped() {
    let mut server = server(|timeouts| timeouts.ping_after = None);
    assert_eq!(server.wait(0), None);
    server.connection.sender().write(ws_driver::DataKind::Binary, &[0; 100]).unwrap();
    assert_eq!(server.wait(5), seconds(30));
    server.connection.sender().outbox().advance(1);
    assert_eq!(server.wait(29), seconds(30), "there was progress");
    assert_eq!(server.wait(30), None);
    assert_eq!(server.connection.receiver().ending(), Some(&Ending::Expired(Expired::WriteStall)));
    assert_eq!(server.connection.wants(), Wants::NOTHING);
    assert_eq!(server.connection.sender().ping(b""), Err(SendError::Closed));
    assert_eq!(server.advance(), Progress::Closed);
    assert_eq!(server.connection.closed().unwrap().sent, None);
}

/// Pings keep two silent sides together; when one goes away without a word, the other notices.
#[test]
fn two_silent_sides_live_until_the_transport_dies() {
    for seed in 0..20 {
        let endpoints = [Role::Client, Role::Server].map(Endpoint::new);
        let [client, server] = endpoints;
        let mut link = Link::new(client, server, Hostility::DRIBBLE, seed);
        link.wait(3600);
        assert_eq!((link.client.end(), link.server.end()), (End::Open, End::Open));
        let pings =
            |endpoint: &Endpoint| endpoint.seen.iter().filter(|seen| matches!(seen, Seen::Ping(_))).count();
        assert!(pings(&link.client) + pings(&link.server) >= 100);
        // From here on nothing arrives, and nobody says so.
        for _ in 0..25 + 20 + 5 {
            link.client.wait(1);
        }
        assert_eq!(link.client.end(), End::Failed(1011));
        assert_eq!(link.client.connection.wants(), Wants::NOTHING);
    }
}

#[test]
fn without_timeouts_there_is_no_deadline() {
    let mut server = server(|timeouts| *timeouts = Timeouts::NONE);
    assert_eq!(server.wait(1_000_000), None);
    server.connection.sender().close_without_code();
    assert_eq!(server.wait(1_000_000), None);
    assert_eq!(server.end(), End::Open);
}
