//! Messages between a client and a server over blocking streams.

mod support;

use std::{io::Write, thread};

use support::{Dribble, REQUEST, echo, masked, open, open_over, raw_client, read_frame};
use ws_sync::{
    Error, SendError, Untimed,
    endpoint::{
        ClientConfig, Event, ServerConfig,
        driver::{CloseCode, Delivery, Fault, Initiator, Message},
    },
};

#[test]
fn messages_of_every_length_come_back() {
    let (mut client, server) = open();
    let server = echo(server);
    for len in [0, 1, 125, 126, 4095, 65_535, 65_536, 300_000, 1 << 20] {
        for message in [Message::from("ä".repeat(len / 2)), Message::from(vec![7; len])] {
            client.send(message.clone()).expect("sent");
            let back = client.recv().expect("open").expect("a message");
            assert!(back == message, "{len} bytes");
        }
    }
    let closed = client.close(CloseCode::NORMAL, "done").expect("closed").expect("an end");
    assert_eq!((closed.code, closed.is_clean(), closed.initiator), (1000, true, Initiator::Local));
    let server = server.join().expect("no panic");
    let closed = server.closed().expect("an end");
    assert_eq!((closed.code, closed.reason.as_str(), closed.initiator), (1000, "done", Initiator::Peer));
    assert!(client.recv().is_none(), "and stays at its end");
    assert!(matches!(client.send("late"), Err(SendError::Unsent(unsent)) if unsent.message == "late".into()));
}

#[test]
fn what_is_fed_leaves_in_order_with_the_next_wait() {
    let (mut client, server) = open();
    let server = echo(server);
    for n in 0..1000 {
        client.feed(n.to_string()).expect("queued");
    }
    assert!(client.queued() > 0, "below the mark nothing is written");
    for n in 0..1000 {
        assert_eq!(client.recv().expect("open").expect("a message"), n.to_string().into());
    }
    client.close(CloseCode::NORMAL, "").expect("closed");
    server.join().expect("no panic");
}

#[test]
fn what_is_fed_is_written_above_the_mark() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("ws://{}/", listener.local_addr().expect("an address"));
    let server = thread::spawn(move || {
        let (tcp, _) = listener.accept().expect("accepted");
        let mut server = ws_sync::accept(Untimed(tcp)).expect("accepted");
        let received: Vec<_> = (0..8).map(|_| server.recv().expect("open").expect("a message")).collect();
        for message in received {
            server.feed(message).expect("queued or sent");
            assert!(server.queued() <= 1 << 20, "above the mark it is written");
        }
        assert!(server.recv().is_none());
    });
    let mut client = ws_sync::connect(&address).expect("connected");
    let messages: Vec<_> = (0..8).map(|n| Message::from(vec![n; 200_000])).collect();
    for message in &messages {
        client.feed(message.clone()).expect("queued or sent");
        assert!(client.queued() <= 1 << 20, "above the mark it is written");
    }
    for message in messages {
        assert!(client.recv().expect("open").expect("a message") == message);
    }
    // A server without times ends the stream by being dropped.
    client.begin_close(CloseCode::NORMAL, "").expect("sent");
    server.join().expect("no panic");
    assert!(client.recv().is_none());
}

#[test]
fn pings_are_answered_and_their_pongs_named() {
    let (mut client, server) = open();
    let server = echo(server);
    let id = client.ping(b"now").expect("sent");
    match client.recv_event().expect("open").expect("an event") {
        Event::Open(_) => panic!("it was open before"),
        Event::Pong(pong) => assert_eq!((pong.payload, pong.ping), (&b"now"[..], Some(id))),
        other => panic!("{other:?}"),
    }
    assert!(matches!(client.ping(&[0; 126]), Err(Error::Send(_))));
    client.close(CloseCode::NORMAL, "").expect("closed");
    server.join().expect("no panic");
}

#[test]
fn more_pings_than_may_wait_are_all_answered() {
    let (mut raw, mut server) = raw_client(ServerConfig::default());
    let pings: Vec<u8> = (0..200u8).flat_map(|n| masked(0x89, &[n])).collect();
    raw.write_all(&pings).expect("sent");
    raw.write_all(&masked(0x88, &[])).expect("sent");
    let server = thread::spawn(move || server.recv().is_none());
    for n in 0..200 {
        assert_eq!(read_frame(&mut raw), (0x8A, vec![n]));
    }
    assert_eq!(read_frame(&mut raw), (0x88, Vec::new()));
    assert!(server.join().expect("no panic"));
}

#[test]
fn messages_that_still_arrive_are_received_while_closing() {
    let (mut client, mut server) = open();
    client.send("one").expect("sent");
    client.send("two").expect("sent");
    let answer = thread::spawn(move || {
        server.begin_close(CloseCode::GOING_AWAY, "soon").expect("sent");
        let rest: Vec<_> =
            std::iter::from_fn(|| server.recv()).map(|message| message.expect("a message")).collect();
        (rest, server.closed())
    });
    assert!(client.recv().is_none());
    assert_eq!(client.closed().map(|closed| closed.code), Some(1001));
    let (rest, closed) = answer.join().expect("no panic");
    assert_eq!(rest, ["one".into(), "two".into()]);
    assert!(closed.is_some_and(|closed| closed.is_clean()));
    assert!(matches!(client.begin_close(CloseCode::NORMAL, &"x".repeat(124)), Err(Error::Send(_)) | Ok(())));
}

#[test]
fn a_peer_that_breaks_a_rule_is_told_and_reported_once() {
    let (mut raw, mut server) = raw_client(ServerConfig::default());
    raw.write_all(&masked(0x81, b"whole")).expect("sent");
    raw.write_all(b"\x81\x02no").expect("sent"); // not masked
    let server = thread::spawn(move || {
        let events: Vec<_> = std::iter::from_fn(|| server.recv()).collect();
        (events, server.closed())
    });
    let (first, payload) = read_frame(&mut raw);
    assert_eq!((first, &payload[..2]), (0x88, &1002u16.to_be_bytes()[..]));
    drop(raw);
    let (events, closed) = server.join().expect("no panic");
    assert!(matches!(&events[..], [Ok(_), Err(Error::Failed(Fault::Frame(_)))]), "{events:?}");
    assert_eq!(closed.map(|closed| (closed.code, closed.is_clean())), Some((1006, false)));
}

#[test]
fn a_transport_that_ends_or_is_dropped_is_a_loss() {
    let (client, mut server) = open();
    client.close_now();
    assert!(matches!(server.recv(), Some(Err(Error::Lost | Error::Io(_)))));
    assert!(server.recv().is_none());
    assert!(server.flush().is_err(), "what is queued then goes nowhere");
}

#[test]
fn parts_are_handed_over_as_they_arrive() {
    let (mut client, mut server) = open();
    server.endpoint().connection().expect("open").receiver().set_delivery(Delivery::Parts);
    let sender = client.endpoint().connection().expect("open").sender();
    sender.write(ws_sync::endpoint::driver::DataKind::Text, b"whole").expect("queued");
    client.flush().expect("sent");
    match server.recv_event().expect("open").expect("an event") {
        Event::Part(part) => assert_eq!((part.data, part.first, part.last), (&b"whole"[..], true, true)),
        other => panic!("{other:?}"),
    }
}

#[cfg(unix)]
#[test]
fn unix_sockets_are_streams_as_well() {
    let (client, server) = std::os::unix::net::UnixStream::pair().expect("a pair");
    let (mut client, server) = open_over(client, server, ClientConfig::default(), ServerConfig::default());
    let server = echo(server);
    client.send("hello").expect("sent");
    assert_eq!(client.recv().expect("open").expect("a message"), "hello".into());
    assert!(client.close(CloseCode::NORMAL, "").expect("closed").is_some_and(|closed| closed.is_clean()));
    server.join().expect("no panic");
}

#[test]
fn any_stream_will_do_boxed_or_without_times() {
    let (client, server) = support::pair();
    let client: Box<dyn ws_sync::Transport + Send> = Box::new(client);
    let (mut client, server) =
        open_over(client, Untimed(server), ClientConfig::default(), ServerConfig::default());
    let server = echo(server);
    client.send("hello").expect("sent");
    assert_eq!(client.recv().expect("open").expect("a message"), "hello".into());
    // A server ends the stream first (RFC 6455 section 7.1.1); one that cannot does it by being dropped.
    client.begin_close(CloseCode::NORMAL, "").expect("sent");
    drop(server.join().expect("no panic"));
    assert!(client.recv().is_none());
    assert!(client.closed().is_some_and(|closed| closed.is_clean()));
}

#[test]
fn a_stream_of_a_client_carries_a_server_as_well() {
    let (client, server) = support::pair();
    let server = ws_sync::ClientStream::Plain(server);
    let (mut client, mut server) =
        open_over(client, server, ClientConfig::default(), ServerConfig::default());
    let messages = [Message::from(vec![1; 300_000]), Message::from(vec![2; 300_000])];
    let sent = messages.clone();
    let server = thread::spawn(move || {
        for message in sent {
            server.feed(message).expect("queued");
        }
        server.flush().expect("sent");
        server
    });
    for message in messages {
        assert!(client.recv().expect("open").expect("a message") == message);
    }
    drop(server.join().expect("no panic"));
}

#[test]
fn however_the_stream_dribbles_the_same_bytes_are_answered() {
    let frames = [
        masked(0x01, b"in "),
        masked(0x89, b"?"),
        masked(0x80, b"parts"),
        masked(0x82, &[1, 2, 3]),
        masked(0x88, &[3, 232, b'b', b'y', b'e']),
    ];
    let input = [REQUEST, &frames.concat()].concat();
    let run = |step, timeouts| {
        let stream = Dribble::new(&input, step, timeouts);
        let mut server = ws_sync::accept(stream).expect("accepted");
        let mut seen = Vec::new();
        while let Some(message) = server.recv() {
            let message = message.expect("a message");
            seen.push(message.clone());
            server.feed(message).expect("queued");
        }
        assert!(server.get_ref().shut, "a server ends the stream first");
        (seen, server.get_ref().output.clone())
    };
    let (seen, output) = run(usize::MAX, 0);
    assert_eq!(seen, [Message::from("in parts"), Message::from(&[1, 2, 3])]);
    assert!(output.ends_with(b"\x88\x05\x03\xe8bye"));
    for step in [1, 2, 3, 7, 64] {
        for timeouts in [0, 1, 3] {
            let (again, written) = run(step, timeouts);
            assert_eq!(again, seen, "pieces of {step}");
            // Where a pong stands among the answers depends on what came with it.
            assert_eq!(written.len(), output.len(), "pieces of {step}");
        }
    }
}

#[cfg(feature = "deflate")]
#[test]
fn compressed_messages_come_back_and_are_smaller() {
    let mut config = ServerConfig::default();
    config.set_deflate(ws_sync::endpoint::deflate::Options::default());
    let (mut client, server) = support::open_with(ClientConfig::default(), config);
    assert_eq!(client.extensions(), ["permessage-deflate"]);
    let server = echo(server);
    let text = "the same again, ".repeat(10_000);
    client.feed(text.as_str()).expect("queued");
    assert!(client.queued() < text.len() / 10);
    assert_eq!(client.recv().expect("open").expect("a message"), text.into());
    client.close(CloseCode::NORMAL, "").expect("closed");
    server.join().expect("no panic");
}
