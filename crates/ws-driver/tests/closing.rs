//! The closing handshake, from both sides (RFC 6455 section 7).

use std::time::{Duration, Instant};

use bytes::Buf;
use ws_driver::{
    CloseCode, Closed, Config, Connection, DataKind, Ending, Initiator, Negotiated, Progress, Role,
    SendError, Wants,
};
use ws_testkit::{End, Endpoint, Frame, Hostility, Link, Seen};

fn closed(endpoint: &Endpoint) -> Closed {
    endpoint.connection.closed().expect("the connection has ended")
}

#[test]
fn code_and_reason_are_echoed() {
    let rows = [
        (Frame::empty_close(), 1005, "", None),
        (Frame::close(1000, ""), 1000, "", Some(1000)),
        (Frame::close(4999, "reason €"), 4999, "reason €", Some(4999)),
    ];
    for role in [Role::Server, Role::Client] {
        for (close, code, reason, sent) in &rows {
            let mut endpoint = Endpoint::new(role);
            assert_eq!(endpoint.read_frame(close), Progress::Closed);
            assert_eq!(endpoint.sent(), std::slice::from_ref(close));
            let closed = closed(&endpoint);
            assert_eq!((closed.code, closed.reason.as_str()), (*code, *reason));
            assert_eq!(closed.sent.map(|sent| sent.map(u16::from)), Some(*sent));
            assert_eq!(closed.initiator, Initiator::Peer);
            assert!(closed.is_clean());
        }
    }
}

#[test]
fn a_close_of_ours_is_sent_once_and_data_is_still_delivered() {
    let mut server = Endpoint::new(Role::Server);
    server.connection.sender().close(CloseCode::GOING_AWAY, "later").unwrap();
    server.connection.sender().close(CloseCode::NORMAL, "again").unwrap();
    server.connection.sender().close_without_code();
    assert_eq!(server.sent(), [Frame::close(1001, "later")]);
    assert_eq!(server.connection.closed(), None);
    let frames = [Frame::text("on its way"), Frame::ping("p"), Frame::close(1000, "fine")];
    assert_eq!(server.read_frames(&frames), Progress::Closed);
    assert_eq!(server.seen, [Seen::text("on its way"), Seen::ping("p")]);
    assert!(server.sent().is_empty(), "no pong and no second Close behind the first");
    let closed = closed(&server);
    assert_eq!((closed.code, closed.reason.as_str(), closed.initiator), (1000, "fine", Initiator::Local));
    assert_eq!(closed.sent, Some(Some(CloseCode::GOING_AWAY)));
    assert!(closed.is_clean());
}

#[test]
fn an_empty_close_of_ours_has_no_code() {
    let mut client = Endpoint::new(Role::Client);
    client.connection.sender().close_without_code();
    assert_eq!(client.sent(), [Frame::empty_close()]);
    let _progress = client.read_frame(&Frame::empty_close());
    let closed = closed(&client);
    assert_eq!((closed.code, closed.sent, closed.is_clean()), (1005, Some(None), true));
}

#[test]
fn nothing_is_sent_behind_a_close() {
    let mut server = Endpoint::new(Role::Server);
    server.connection.sender().close(CloseCode::NORMAL, "").unwrap();
    let sender = server.connection.sender();
    assert_eq!(sender.write(DataKind::Text, b""), Err(SendError::Closed));
    assert_eq!(sender.send("text".into()).map_err(|unsent| unsent.error), Err(SendError::Closed));
    assert_eq!(sender.ping(b""), Err(SendError::Closed));
    assert_eq!(sender.pong(b""), Err(SendError::Closed));
    assert_eq!(sender.start(DataKind::Text), Err(SendError::Closed));
    assert_eq!(sender.append(b""), Err(SendError::Closed));
    assert_eq!(sender.finish(), Err(SendError::Closed));
    assert_eq!(server.sent(), [Frame::close(1000, "")]);
}

#[test]
fn a_close_may_cut_a_message_in_parts_short() {
    let mut server = Endpoint::new(Role::Server);
    server.connection.sender().start(DataKind::Text).unwrap();
    server.connection.sender().append(b"begun").unwrap();
    let _progress = server.read_frame(&Frame::close(1001, ""));
    assert!(!server.connection.sender().is_mid_message());
    assert_eq!(server.connection.sender().append(b"more"), Err(SendError::Closed));
    assert_eq!(server.sent(), [Frame::text("begun").unfinished(), Frame::close(1001, "")]);
}

#[test]
fn pongs_leave_before_the_answer_to_a_close() {
    let mut server = Endpoint::new(Role::Server);
    let _progress = server.read_frames(&[Frame::ping("first"), Frame::empty_close(), Frame::ping("behind")]);
    assert_eq!(server.sent(), [Frame::pong("first"), Frame::empty_close()]);
    assert_eq!(server.seen, [Seen::ping("first")]);
}

#[test]
fn a_violation_while_closing_ends_without_a_second_close() {
    let mut server = Endpoint::new(Role::Server);
    server.connection.sender().close(CloseCode::NORMAL, "").unwrap();
    assert_eq!(server.sent_close(), Some(Some(1000)));
    let _progress = server.read(&[0xFF]);
    assert!(server.sent().is_empty());
    let closed = closed(&server);
    assert_eq!((closed.code, closed.sent), (1006, Some(Some(CloseCode::NORMAL))));
    assert_eq!((closed.initiator, closed.is_clean()), (Initiator::Local, false));
}

#[test]
fn a_failure_of_ours_is_begun_by_us() {
    let mut server = Endpoint::new(Role::Server);
    let _progress = server.read(&[0xFF]);
    assert_eq!(closed(&server).initiator, Initiator::Local);
    let mut server = Endpoint::new(Role::Server);
    let _progress = server.end_of_stream();
    assert_eq!((closed(&server).initiator, closed(&server).sent), (Initiator::Peer, None));
}

#[test]
fn a_close_that_never_left_was_not_sent() {
    let mut client = Endpoint::new(Role::Client);
    let _progress = client.read_frame(&Frame::close(1000, ""));
    assert!(closed(&client).is_clean(), "it is on its way");
    let (_, sender) = client.connection.halves();
    sender.abandon();
    assert_eq!(closed(&client).sent, None);
    assert!(!closed(&client).is_clean());

    let mut client = Endpoint::new(Role::Client);
    let _progress = client.read_frame(&Frame::close(1000, ""));
    let _written = client.write();
    client.connection.sender().abandon();
    assert!(closed(&client).is_clean(), "it had left");
}

/// RFC 6455 section 7.1.1: the server closes TCP first, a client waits for it.
#[test]
fn the_server_ends_the_transport_first() {
    let mut server = Endpoint::new(Role::Server);
    let _progress = server.read_frame(&Frame::empty_close());
    assert_eq!(server.connection.wants(), Wants { write: true, ..Wants::NOTHING });
    let _written = server.write();
    assert_eq!(server.connection.wants(), Wants { shutdown: true, ..Wants::NOTHING });
    server.connection.shut();
    assert_eq!(server.connection.wants(), Wants::NOTHING);

    let mut client = Endpoint::new(Role::Client);
    let _progress = client.read_frame(&Frame::empty_close());
    assert_eq!(client.connection.wants(), Wants { read: true, write: true, ..Wants::NOTHING });
    let _written = client.write();
    assert_eq!(client.connection.wants(), Wants { read: true, ..Wants::NOTHING });
    let _progress = client.end_of_stream();
    assert_eq!(client.connection.wants(), Wants { shutdown: true, ..Wants::NOTHING });
    client.connection.shut();
    assert_eq!(client.connection.wants(), Wants::NOTHING);
    assert!(closed(&client).is_clean());
}

#[test]
fn a_side_that_fails_writes_its_close_and_reads_on_until_the_end() {
    for role in [Role::Server, Role::Client] {
        let mut endpoint = Endpoint::new(role);
        let _progress = endpoint.read(&[0xFF]);
        assert_eq!(endpoint.connection.wants(), Wants { read: true, write: true, ..Wants::NOTHING });
        let _written = endpoint.write();
        assert_eq!(endpoint.connection.wants(), Wants { read: true, shutdown: true, ..Wants::NOTHING });
        endpoint.connection.shut();
        assert_eq!(endpoint.connection.wants(), Wants { read: true, ..Wants::NOTHING });
        let _progress = endpoint.end_of_stream();
        assert_eq!(endpoint.connection.wants(), Wants::NOTHING);
    }
}

#[test]
fn both_may_close_at_once() {
    for seed in 0..50 {
        let mut link = Link::new(
            Endpoint::with(Config::new(Role::Client)),
            Endpoint::with(Config::new(Role::Server)),
            Hostility::DRIBBLE,
            seed,
        );
        link.client.connection.sender().close(CloseCode::NORMAL, "mine").unwrap();
        link.server.connection.sender().close(CloseCode::GOING_AWAY, "ours").unwrap();
        link.run();
        assert!(link.is_over());
        let (client, server) = (closed(&link.client), closed(&link.server));
        assert_eq!((client.code, server.code), (1001, 1000));
        assert_eq!((client.initiator, server.initiator), (Initiator::Local, Initiator::Local));
        assert!(client.is_clean() && server.is_clean());
        assert_eq!(link.client.end(), End::close(1001, "ours"));
    }
}

/// A peer that reads slowly is given the time that it takes, as long as it takes something.
#[test]
fn the_deadline_for_closing_counts_from_the_last_write() {
    let now = Instant::now();
    let mut connection = Connection::new(Config::new(Role::Server), Negotiated::default(), now);
    connection.sender().write(DataKind::Binary, &[0; 2000]).unwrap();
    connection.sender().close(CloseCode::NORMAL, "").unwrap();
    connection.poll_deadline(now);
    for seconds in (4..40).step_by(4) {
        connection.sender().outbox().advance(100);
        let now = now + Duration::from_secs(seconds);
        assert_eq!(connection.poll_deadline(now), Some(now + Duration::from_secs(5)));
    }
    let rest = connection.sender().outbox().remaining();
    connection.sender().outbox().advance(rest);
    let written = now + Duration::from_secs(40);
    assert_eq!(connection.poll_deadline(written), Some(written + Duration::from_secs(5)));
    assert_eq!(connection.poll_deadline(written + Duration::from_secs(5)), None);
    let ending = connection.receiver().ending();
    assert_eq!(ending, Some(&Ending::Expired(ws_driver::Expired::Close)));
}
