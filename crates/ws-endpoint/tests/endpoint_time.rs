//! How the stream is cut, where it ends, and how long things take, never surprises an endpoint.

mod support;

use std::time::Duration;

use bytes::Buf;
use support::talk::{Talker, client, client_of, request, server, talk};
use ws_endpoint::{
    ClientConfig, Failure,
    driver::{CloseCode, Progress, Wants},
};

/// What each side writes in a conversation, opening handshake included.
fn conversation() -> [Vec<u8>; 2] {
    let (mut client, mut server) = (fixed_client(), server());
    for talker in [&mut client, &mut server] {
        talker.endpoint.text("häppily €uro 𝄞").expect("queued");
        talker.endpoint.ping(b"now").expect("queued");
        talker.endpoint.binary(&[7; 300]).expect("queued");
    }
    client.endpoint.start(client.now);
    let asked = client.written();
    server.receive(&asked, 1000);
    let answered = server.written();
    client.receive(&answered, 1000);
    client.endpoint.close(CloseCode::NORMAL, "bye").expect("queued");
    let said = client.written();
    server.receive(&said, 1000);
    [[asked, said].concat(), [answered, server.written()].concat()]
}

/// A client whose key, and so the answer, is always the same.
fn fixed_client() -> Talker {
    client_of(request("ws://example.com/chat?x=1"), ClientConfig::default())
}

/// Its request.
fn fixed_request() -> Vec<u8> {
    let mut client = fixed_client();
    client.endpoint.start(client.now);
    client.written()
}

#[test]
fn every_cutting_of_the_stream_gives_the_same_events() {
    let [to_server, to_client] = conversation();
    let run = |role: &str, pieces: &[&[u8]]| {
        let (mut talker, bytes) = match role {
            "client" => (fixed_client(), to_client.len()),
            _ => (server(), to_server.len()),
        };
        talker.answers = role == "server"; // one that was started early answers by itself
        if !talker.answers {
            talker.endpoint.start(talker.now);
        }
        assert_eq!(pieces.iter().map(|piece| piece.len()).sum::<usize>(), bytes);
        for piece in pieces {
            talker.endpoint.receive(piece);
            talker.listen();
        }
        assert_eq!(talker.progress, Progress::Closed);
        talker.seen()
    };
    for (role, bytes, first) in [
        ("client", &to_client, "open"),
        ("server", &to_server, "request GET /chat?x=1"),
        ("server started early", &to_server, "request GET /chat?x=1"),
    ] {
        let whole = run(role, &[bytes]);
        assert_eq!((whole[0].as_str(), whole.last().map(String::as_str)), (first, Some("closed 1000 bye")));
        assert!(whole.contains(&"text häppily €uro 𝄞".to_owned()) && whole.len() >= 5, "{whole:?}");
        for at in 0..=bytes.len() {
            assert_eq!(run(role, &[&bytes[..at], &bytes[at..]]), whole, "{role} cut at {at}");
        }
        for step in [1, 2, 3, 5, 7, 11, 64] {
            assert_eq!(
                run(role, &bytes.chunks(step).collect::<Vec<_>>()),
                whole,
                "{role} in pieces of {step}"
            );
        }
    }
}

#[test]
fn a_stream_that_ends_anywhere_is_reported_once() {
    let [to_server, to_client] = conversation();
    for (bytes, is_client) in [(&to_client, true), (&to_server, false)] {
        let open_at = bytes.windows(4).position(|part| part == b"\r\n\r\n").expect("a head") + 4;
        for len in 0..bytes.len() {
            let mut talker = if is_client { fixed_client() } else { server() };
            talker.answers = !is_client;
            if is_client {
                talker.endpoint.start(talker.now);
            }
            talker.receive(&bytes[..len], 1000);
            talker.endpoint.end_of_stream();
            talker.listen();
            let seen = talker.seen();
            let why = match len < open_at {
                true => "failed: peer left during the opening handshake",
                false => "failed: connection lost: the transport ended without a close",
            };
            assert_eq!(seen[seen.len() - 2..], [why, "closed 1006"], "{len} of {}", bytes.len());
            assert_eq!(seen.iter().filter(|event| event.starts_with("failed")).count(), 1);
            talker.written();
            assert_eq!(talker.endpoint.wants(), Wants::NOTHING, "nothing more is wanted at {len}");
        }
    }
}

#[test]
fn nobody_is_answered_who_left_before_the_answer() {
    let mut server = server();
    server.answers = false;
    server.receive(&fixed_request(), 1000);
    server.endpoint.end_of_stream();
    assert!(server.endpoint.start(server.now));
    server.listen();
    assert_eq!(server.seen()[1..], ["failed: peer left during the opening handshake", "closed 1006"]);
    assert!(server.written().is_empty());
}

#[test]
fn a_request_that_does_not_come_in_time_is_answered_with_408() {
    let mut server = server();
    let start = server.now;
    let due = start + Duration::from_secs(10);
    assert_eq!(server.endpoint.poll_deadline(start), Some(due));
    server.receive(b"GET / HTTP/1.1\r\n", 1);
    assert_eq!(
        server.endpoint.poll_deadline(due - Duration::from_nanos(1)),
        Some(due),
        "whatever trickles in"
    );
    let gone = due + Duration::from_secs(5);
    assert_eq!(server.endpoint.poll_deadline(due), Some(gone), "the answer has the time of a close");
    server.listen();
    assert_eq!(server.seen(), ["failed: opening handshake not finished within the deadline", "closed 1006"]);
    assert!(server.written().starts_with(b"HTTP/1.1 408 Request Timeout\r\n"));
    assert!(server.endpoint.wants().read);
    server.endpoint.receive(b"what comes behind it is thrown away");
    server.listen();
    assert_eq!((server.progress, server.seen().len()), (Progress::Closed, 0));
    assert_eq!(server.endpoint.poll_deadline(gone), None);
    assert_eq!(server.endpoint.wants(), Wants::NOTHING);
}

#[test]
fn a_caller_who_does_not_decide_in_time_is_decided_for() {
    let mut server = server();
    server.answers = false;
    server.receive(&fixed_request(), 1000);
    server.endpoint.poll_deadline(server.now + Duration::from_secs(10));
    server.listen();
    assert!(matches!(server.endpoint.failure(), Some(Failure::Timeout)));
    assert!(server.written().starts_with(b"HTTP/1.1 503 Service Unavailable\r\n"));
}

#[test]
fn an_answer_that_does_not_come_in_time_ends_a_client() {
    let mut client = client();
    assert_eq!(client.endpoint.poll_deadline(client.now), None, "it has not started");
    let start = client.now + Duration::from_secs(3600);
    client.endpoint.start(start);
    let due = start + Duration::from_secs(10);
    assert_eq!(client.endpoint.poll_deadline(start), Some(due));
    client.written();
    client.receive(b"HTTP/1.1 101 Switching", 1);
    assert_eq!(client.endpoint.poll_deadline(due), Some(due + Duration::from_secs(5)), "to shut down");
    client.listen();
    assert!(matches!(client.endpoint.failure(), Some(Failure::Timeout)));
    assert_eq!(client.endpoint.wants(), Wants { shutdown: true, ..Wants::NOTHING });
}

#[test]
fn an_open_connection_keeps_its_deadlines_from_the_time_it_opened() {
    let (mut client, mut server) = (client(), server());
    server.now += Duration::from_secs(7);
    client.now = server.now;
    client.endpoint.start(client.now);
    talk(&mut client, &mut server, 1000);
    for talker in [&mut client, &mut server] {
        let ping = talker.now + Duration::from_secs(25);
        assert_eq!(talker.endpoint.poll_deadline(talker.now), Some(ping));
        assert!(!talker.endpoint.wants().write);
        let pong = ping + Duration::from_secs(20);
        assert_eq!(talker.endpoint.poll_deadline(ping), Some(pong));
        assert!(talker.endpoint.wants().write, "a ping of its own");
        talker.written();
        talker.endpoint.poll_deadline(pong);
        talker.listen();
        let why = "failed: connection failed: no answer to a ping within the deadline";
        assert_eq!(talker.seen().last_chunk::<2>(), Some(&[why.to_owned(), "closed 1006".to_owned()]));
    }
}

#[test]
fn the_time_that_a_peer_takes_to_answer_is_measured() {
    let (mut client, mut server) = (client(), server());
    client.endpoint.start(client.now);
    talk(&mut client, &mut server, 1000);
    client.endpoint.poll_deadline(client.now);
    assert_eq!(client.endpoint.rtt(), None);
    let pinged = client.now + Duration::from_secs(25);
    client.endpoint.poll_deadline(pinged);
    talk(&mut client, &mut server, 1000);
    client.endpoint.poll_deadline(pinged + Duration::from_millis(30));
    assert_eq!(client.endpoint.rtt(), Some(Duration::from_millis(30)));
}

#[test]
fn an_answer_that_nobody_reads_is_not_waited_for() {
    let mut server = server();
    let asked = fixed_request();
    server.receive(&asked, 1000);
    let head = server.endpoint.outgoing().remaining();
    assert!(head > 0, "the answer waits");
    server.endpoint.poll_deadline(server.now);
    server.endpoint.outgoing().advance(1);
    server.endpoint.poll_deadline(server.now + Duration::from_secs(31));
    server.listen();
    assert_eq!(
        server.seen()[2..],
        [
            "failed: peer reads nothing: no progress in sending within the deadline".to_owned(),
            "closed 1006".to_owned()
        ]
    );
    assert_eq!(server.endpoint.wants(), Wants::NOTHING);
}

#[test]
fn a_transport_that_fails_ends_it_behind_what_had_come() {
    for opened in [false, true] {
        let (mut client, mut server) = (client(), server());
        client.endpoint.start(client.now);
        if opened {
            talk(&mut client, &mut server, 1000);
            server.endpoint.text("last").expect("queued");
            client.endpoint.receive(&server.written());
            client.endpoint.text("lost").expect("queued");
        }
        client.endpoint.transport_failed();
        client.listen();
        let expected: &[&str] = match opened {
            true => &["open", "text last", "failed: connection lost: the transport ended without a close"],
            false => &["failed: peer left during the opening handshake"],
        };
        assert_eq!(client.seen(), [expected, &["closed 1006"]].concat());
        assert_eq!(client.endpoint.outgoing().remaining(), 0);
    }
}
