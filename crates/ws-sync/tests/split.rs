//! The halves of a connection in threads of their own.

mod support;

use std::{io::Write, thread, time::Duration};

use support::{masked, open, raw_client, read_frame};
use ws_sync::{
    Error, OwnedReader, SendError, SharedTransport,
    endpoint::{
        ClientConfig, ServerConfig,
        driver::{CloseCode, Expired, Fault, Message, Timeouts},
    },
};

const SHORT: Option<Duration> = Some(Duration::from_millis(50));

fn config(timeouts: impl FnOnce(&mut Timeouts)) -> ServerConfig {
    let mut config = ServerConfig::default();
    timeouts(&mut config.connection.timeouts);
    config
}

/// Receives until the end, in a thread of its own.
fn receive<S: SharedTransport + Send + 'static>(
    mut reader: OwnedReader<S>,
) -> thread::JoinHandle<(Vec<Message>, Option<Error>, OwnedReader<S>)> {
    thread::spawn(move || {
        let mut messages = Vec::new();
        let error = loop {
            match reader.recv() {
                Some(Ok(message)) => messages.push(message),
                Some(Err(error)) => break Some(error),
                None => break None,
            }
        };
        (messages, error, reader)
    })
}

#[test]
fn both_sides_send_more_than_the_sockets_hold_at_once() {
    let (client, server) = open();
    let sides = [client, server].map(|ws| {
        let (reader, writer) = ws.split().expect("halves");
        let received = receive(reader);
        let sent = thread::spawn({
            let writer = writer.clone();
            move || {
                for n in 0..16 {
                    writer.send(vec![n; 1 << 20]).expect("sent");
                }
            }
        });
        (received, sent, writer)
    });
    let [(at_client, client_sent, writer), (at_server, server_sent, _)] = sides;
    client_sent.join().expect("no panic");
    server_sent.join().expect("no panic");
    writer.close(CloseCode::NORMAL, "done").expect("sent");
    for received in [at_client, at_server] {
        let (messages, error, reader) = received.join().expect("no panic");
        assert!(error.is_none(), "{error:?}");
        assert!(messages.iter().zip(0..).all(|(message, n)| message.as_bytes() == vec![n; 1 << 20]));
        assert_eq!(messages.len(), 16);
        assert!(reader.closed().is_some_and(|closed| closed.is_clean() && closed.reason == "done"));
    }
    assert!(matches!(writer.send("late"), Err(SendError::Unsent(_))));
}

#[test]
fn what_many_threads_send_arrives_whole_and_once() {
    let (client, server) = open();
    let (reader, writer) = client.split().expect("halves");
    let replies = receive(reader);
    let (server_reader, _server_writer) = server.split().expect("halves");
    let received = receive(server_reader);
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let writer = writer.clone();
            thread::spawn(move || {
                for n in 0..250 {
                    let message = format!("{thread} {n} {}", "x".repeat(n));
                    let sent = if n % 2 == 0 { writer.send(message) } else { writer.feed(message) };
                    sent.expect("sent");
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic");
    }
    writer.close(CloseCode::NORMAL, "").expect("sent");
    let (messages, error, _) = received.join().expect("no panic");
    assert!(error.is_none(), "{error:?}");
    let mut next = [0; 4];
    for message in &messages {
        let mut words = message.as_text().expect("text").split(' ');
        let mut number = || words.next().and_then(|word| word.parse::<usize>().ok()).expect("a number");
        let (thread, n) = (number(), number());
        assert_eq!((n, words.next().map(str::len)), (next[thread], Some(n)), "of thread {thread}");
        next[thread] += 1;
    }
    assert_eq!(next, [250; 4]);
    assert!(replies.join().expect("no panic").1.is_none());
}

#[test]
fn the_reading_half_answers_pings_while_nobody_sends() {
    let (mut raw, server) = raw_client(ServerConfig::default());
    let (reader, writer) = server.split().expect("halves");
    let received = receive(reader);
    for n in 0..100 {
        raw.write_all(&masked(0x89, &[n])).expect("sent");
        assert_eq!(read_frame(&mut raw), (0x8A, vec![n]));
    }
    writer.ping(b"ours").expect("sent");
    assert_eq!(read_frame(&mut raw), (0x89, b"ours".to_vec()));
    raw.write_all(&masked(0x88, &[3, 232])).expect("sent");
    assert_eq!(read_frame(&mut raw), (0x88, vec![3, 232]));
    let (_, error, reader) = received.join().expect("no panic");
    assert!(error.is_none() && reader.closed().is_some_and(|closed| closed.is_clean()), "{error:?}");
    assert_eq!(writer.queued(), 0);
}

#[test]
fn the_reading_half_answers_more_pings_than_may_wait() {
    let (mut raw, server) = raw_client(ServerConfig::default());
    let pings: Vec<u8> = (0..200u8).flat_map(|n| masked(0x89, &[n])).collect();
    raw.write_all(&[pings, masked(0x88, &[])].concat()).expect("sent");
    let (reader, _writer) = server.split().expect("halves");
    let received = receive(reader);
    for n in 0..200 {
        assert_eq!(read_frame(&mut raw), (0x8A, vec![n]));
    }
    assert_eq!(read_frame(&mut raw), (0x88, Vec::new()));
    drop(raw);
    let (_, error, reader) = received.join().expect("no panic");
    assert!(error.is_none() && reader.closed().is_some_and(|closed| closed.is_clean()), "{error:?}");
}

#[test]
fn what_is_fed_is_written_above_the_mark() {
    let (client, server) = open();
    let (reader, _server_writer) = server.split().expect("halves");
    let received = receive(reader);
    let (_client_reader, writer) = client.split().expect("halves");
    writer.feed(vec![1; 100_000]).expect("queued");
    assert!(writer.queued() > 100_000, "below the mark nothing is written");
    writer.feed(vec![2; 1 << 20]).expect("sent");
    assert_eq!(writer.queued(), 0, "above it all is");
    writer.close(CloseCode::NORMAL, "").expect("sent");
    let (messages, error, _) = received.join().expect("no panic");
    assert!(error.is_none(), "{error:?}");
    assert_eq!(messages, [Message::from(vec![1; 100_000]), Message::from(vec![2; 1 << 20])]);
}

#[cfg(unix)]
#[test]
fn a_connection_over_a_unix_socket_has_halves() {
    let (client, server) = std::os::unix::net::UnixStream::pair().expect("a pair");
    let (client, server) =
        support::open_over(client, server, ClientConfig::default(), ServerConfig::default());
    let server = support::echo(server);
    let (reader, writer) = client.split().expect("halves");
    let peer = reader.get_ref().peer_addr().expect("an address");
    assert!(peer.is_unnamed(), "the stream is at hand");
    let received = receive(reader);
    writer.send("hello").expect("sent");
    writer.close(CloseCode::NORMAL, "").expect("sent");
    let (messages, error, reader) = received.join().expect("no panic");
    assert!(error.is_none(), "{error:?}");
    assert_eq!(messages, ["hello".into()]);
    assert!(reader.closed().is_some_and(|closed| closed.is_clean()));
    server.join().expect("no panic");
    let mut stream = reader.get_ref();
    assert!(stream.write(b"late").is_err(), "at the end both directions are");
}

#[test]
fn a_peer_that_reads_nothing_is_dropped_whether_somebody_receives_or_not() {
    for receives in [false, true] {
        let (raw, server) = raw_client(config(|timeouts| timeouts.write_stall = SHORT));
        let (mut reader, writer) = server.split().expect("halves");
        let end = if receives {
            let received = receive(reader);
            let sent = writer.send(vec![0; 64 << 20]);
            assert!(matches!(sent, Err(SendError::Ended(_))), "{sent:?}");
            received.join().expect("no panic").1
        } else {
            let sent = writer.send(vec![0; 64 << 20]);
            assert!(matches!(sent, Err(SendError::Ended(Error::Expired(Expired::WriteStall)))), "{sent:?}");
            reader.recv().and_then(Result::err)
        };
        assert!(matches!(end, Some(Error::Expired(Expired::WriteStall))), "{end:?}");
        drop(raw);
    }
}

#[test]
fn a_silent_peer_fails_the_reading_half() {
    let (mut raw, server) = raw_client(config(|timeouts| {
        (timeouts.ping_after, timeouts.pong_within, timeouts.close) = (SHORT, SHORT, SHORT);
    }));
    let (reader, writer) = server.split().expect("halves");
    let received = receive(reader);
    assert_eq!(read_frame(&mut raw).0, 0x89);
    let (first, payload) = read_frame(&mut raw);
    assert_eq!((first, &payload[..2]), (0x88, &1011u16.to_be_bytes()[..]));
    let (_, error, _) = received.join().expect("no panic");
    assert!(matches!(error, Some(Error::Failed(Fault::PongTimeout))), "{error:?}");
    assert!(writer.send("late").is_err());
}

#[test]
fn a_transport_that_is_lost_ends_both_halves() {
    let (raw, server) = raw_client(ServerConfig::default());
    let (reader, writer) = server.split().expect("halves");
    let received = receive(reader);
    drop(raw);
    let (_, error, mut reader) = received.join().expect("no panic");
    assert!(matches!(error, Some(Error::Lost | Error::Io(_))), "{error:?}");
    assert!(reader.recv().is_none(), "it is reported once");
    assert!(writer.send("late").is_err());
}
