//! Transports that fail, each at the call that a test names: what both forms of a connection make of it.

mod support;

use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    net::TcpStream,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use support::{REQUEST, masked, pair, raw_client, read_frame, read_head};
use ws_sync::{
    Error, SendError, SharedTransport, Transport, WebSocket,
    endpoint::{
        ServerConfig,
        driver::{self, CloseCode, Fault, Message},
    },
};

const SHORT: Option<Duration> = Some(Duration::from_millis(50));

/// A call of a transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Read,
    Write,
    Shutdown,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy)]
enum Becomes {
    Error(io::ErrorKind),
    /// Nothing is taken, and that is no error.
    Nothing,
    Panic,
}

/// The calls that fail, in order.
type Plan = Arc<Mutex<VecDeque<(Call, Becomes)>>>;

/// TCP whose calls fail as planned.
#[derive(Debug)]
struct Faulty(TcpStream, Plan);

impl Faulty {
    fn call<T: Default>(
        &mut self,
        call: Call,
        run: impl FnOnce(&mut TcpStream) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut plan = self.1.lock().expect("not held in a panic");
        let is_planned = plan.front().is_some_and(|(planned, _)| *planned == call);
        let becomes = if is_planned { plan.pop_front() } else { None };
        drop(plan);
        match becomes {
            None => run(&mut self.0),
            Some((_, Becomes::Error(kind))) => Err(kind.into()),
            Some((_, Becomes::Nothing)) => Ok(T::default()),
            Some((_, Becomes::Panic)) => panic!("as planned"),
        }
    }
}

impl Read for Faulty {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.call(Call::Read, |tcp| tcp.read(buf))
    }
}

impl Write for Faulty {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.call(Call::Write, |tcp| tcp.write(buf))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for Faulty {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.set_read_timeout(timeout)
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.set_write_timeout(timeout)
    }

    fn shutdown(&mut self) -> io::Result<()> {
        self.call(Call::Shutdown, Transport::shutdown)
    }
}

impl SharedTransport for Faulty {
    fn try_clone(&self) -> io::Result<Self> {
        Ok(Self(self.0.try_clone()?, Arc::clone(&self.1)))
    }

    fn abort(&self) -> io::Result<()> {
        SharedTransport::abort(&self.0)
    }
}

/// A client as plain TCP, the server's connection with it, and what is to fail from now on.
fn open(config: ServerConfig) -> (TcpStream, WebSocket<Faulty>, Plan) {
    let (mut client, server) = pair();
    client.write_all(REQUEST).expect("sent");
    let plan = Plan::default();
    let server = Faulty(server, Arc::clone(&plan));
    let server = ws_sync::accept_with(server, &Arc::new(config)).expect("accepted");
    read_head(&mut client);
    (client, server, plan)
}

fn fail(plan: &Plan, calls: &[(Call, Becomes)]) {
    plan.lock().expect("not held in a panic").extend(calls);
}

/// What came of one message sent and of two received, by the whole connection or by its halves.
type Outcome = (Result<(), SendError>, [Option<Result<Message, Error>>; 2]);

fn send_and_receive(mut server: WebSocket<Faulty>, split: bool) -> Outcome {
    if split {
        let (mut reader, writer) = server.split().expect("halves");
        (writer.send("lost"), [reader.recv(), reader.recv()])
    } else {
        (server.send("lost"), [server.recv(), server.recv()])
    }
}

#[test]
fn a_write_that_fails_is_told_with_its_cause_to_who_sends_and_who_receives() {
    for (becomes, kind) in [
        (Becomes::Error(io::ErrorKind::BrokenPipe), io::ErrorKind::BrokenPipe),
        (Becomes::Error(io::ErrorKind::PermissionDenied), io::ErrorKind::PermissionDenied),
        (Becomes::Nothing, io::ErrorKind::WriteZero),
    ] {
        for split in [false, true] {
            let (client, server, plan) = open(ServerConfig::default());
            fail(&plan, &[(Call::Write, becomes)]);
            let (sent, ends) = send_and_receive(server, split);
            let is_it = |error: &Error| matches!(error, Error::Io(error) if error.kind() == kind);
            assert!(matches!(&sent, Err(SendError::Ended(error)) if is_it(error)), "{split} {sent:?}");
            assert!(matches!(&ends, [Some(Err(error)), None] if is_it(error)), "{split} {ends:?}");
            let error = Error::from(sent.expect_err("it was not sent"));
            assert!(is_it(&error), "{error}");
            drop(client);
        }
    }
}

#[test]
fn a_read_that_fails_is_told_once_with_its_cause() {
    for split in [false, true] {
        let (client, mut server, plan) = open(ServerConfig::default());
        fail(&plan, &[(Call::Read, Becomes::Error(io::ErrorKind::ConnectionReset))]);
        let ends = if split {
            let (mut reader, writer) = server.split().expect("halves");
            let ends = [reader.recv(), reader.recv()];
            let late = writer.send("late").expect_err("it has ended");
            assert!(matches!(Error::from(late), Error::Send(driver::SendError::Closed)));
            ends
        } else {
            [server.recv(), server.recv()]
        };
        assert!(
            matches!(&ends, [Some(Err(Error::Io(error))), None] if error.kind() == io::ErrorKind::ConnectionReset),
            "{ends:?}"
        );
        drop(client);
    }
}

#[test]
fn calls_that_come_to_nothing_in_their_time_are_made_again() {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    for kind in [Interrupted, TimedOut, WouldBlock] {
        for split in [false, true] {
            let (mut client, mut server, plan) = open(ServerConfig::default());
            fail(&plan, &[Call::Write, Call::Read, Call::Shutdown].map(|call| (call, Becomes::Error(kind))));
            client.write_all(&[masked(0x81, b"hi"), masked(0x88, &[3, 232])].concat()).expect("sent");
            let serve = thread::spawn(move || {
                if split {
                    let (mut reader, writer) = server.split().expect("halves");
                    writer.send("sent").expect("sent");
                    ([reader.recv(), reader.recv()], reader.closed())
                } else {
                    server.send("sent").expect("sent");
                    ([server.recv(), server.recv()], server.closed())
                }
            });
            assert_eq!(read_frame(&mut client), (0x81, b"sent".to_vec()));
            assert_eq!(read_frame(&mut client), (0x88, vec![3, 232]));
            let end = client.read(&mut [0; 1]).expect("the end");
            assert_eq!(end, 0, "the server shuts down all the same");
            drop(client);
            let (received, closed) = serve.join().expect("no panic");
            assert!(
                matches!(&received, [Some(Ok(message)), None] if *message == "hi".into()),
                "{received:?}"
            );
            assert!(closed.is_some_and(|closed| closed.is_clean()), "{kind:?} {split}");
            assert!(plan.lock().expect("not held in a panic").is_empty(), "all of it has happened");
        }
    }
}

#[test]
fn a_shutdown_that_fails_behind_a_closing_handshake_takes_nothing_from_it() {
    for split in [false, true] {
        let (mut client, mut server, plan) = open(ServerConfig::default());
        fail(&plan, &[(Call::Shutdown, Becomes::Error(io::ErrorKind::NotConnected))]);
        client.write_all(&masked(0x88, &[3, 232])).expect("sent");
        client.shutdown(std::net::Shutdown::Write).expect("shut");
        let (end, closed) = if split {
            let (mut reader, _writer) = server.split().expect("halves");
            (reader.recv(), reader.closed())
        } else {
            (server.recv(), server.closed())
        };
        assert!(end.is_none(), "{end:?}");
        assert!(closed.is_some_and(|closed| closed.is_clean()));
    }
}

#[test]
fn a_transport_that_panics_in_one_thread_leaves_the_others_to_go_on() {
    let (mut client, server, plan) = open(ServerConfig::default());
    let (mut reader, writer) = server.split().expect("halves");
    let panics = |plan: &Plan| fail(plan, &[(Call::Write, Becomes::Panic)]);
    panics(&plan);
    let unlucky = writer.clone();
    thread::spawn(move || unlucky.send("one")).join().expect_err("it panics");
    writer.send("two").expect("sent");
    assert_eq!(read_frame(&mut client), (0x81, b"one".to_vec()), "what was queued is not lost");
    assert_eq!(read_frame(&mut client), (0x81, b"two".to_vec()));
    client.write_all(&masked(0x89, b"?")).expect("sent");
    client.write_all(&masked(0x81, b"three")).expect("sent");
    client.write_all(&masked(0x88, &[])).expect("sent");
    assert_eq!(reader.recv().expect("open").expect("a message"), "three".into());
    let reader = thread::spawn(move || reader.recv().is_none());
    assert_eq!(read_frame(&mut client), (0x8A, b"?".to_vec()));
    assert_eq!(read_frame(&mut client), (0x88, Vec::new()));
    drop(client);
    assert!(reader.join().expect("no panic"));
}

#[test]
fn a_peer_that_breaks_a_rule_is_told_however_it_is_received() {
    type Receive = fn(WebSocket<TcpStream>) -> [Option<Error>; 2];
    let forms: [Receive; 4] = [
        |mut server| [(); 2].map(|()| server.recv().and_then(Result::err)),
        |mut server| [(); 2].map(|()| server.recv_lent().and_then(Result::err)),
        |mut server| [(); 2].map(|()| server.recv_event().and_then(Result::err)),
        |server| {
            let (mut reader, _writer) = server.split().expect("halves");
            [(); 2].map(|()| reader.recv().and_then(Result::err))
        },
    ];
    for receive in forms {
        let (mut raw, server) = raw_client(ServerConfig::default());
        raw.write_all(b"\x81\x02no").expect("sent"); // not masked
        let server = thread::spawn(move || receive(server));
        let (first, payload) = read_frame(&mut raw);
        assert_eq!((first, &payload[..2]), (0x88, &1002u16.to_be_bytes()[..]));
        drop(raw);
        let ends = server.join().expect("no panic");
        assert!(matches!(&ends, [Some(Error::Failed(Fault::Frame(_))), None]), "{ends:?}");
    }
}

#[test]
fn who_is_stuck_in_a_write_hears_that_the_peer_does_not_answer() {
    for split in [false, true] {
        let mut config = ServerConfig::default();
        let timeouts = &mut config.connection.timeouts;
        (timeouts.ping_after, timeouts.pong_within, timeouts.close) = (SHORT, SHORT, SHORT);
        timeouts.write_stall = None;
        let (raw, mut server) = raw_client(config);
        let (sent, end) = if split {
            let (mut reader, writer) = server.split().expect("halves");
            let reader = thread::spawn(move || reader.recv());
            (writer.send(vec![0; 64 << 20]), reader.join().expect("no panic"))
        } else {
            (server.send(vec![0; 64 << 20]), server.recv())
        };
        let is_it = |error: &Error| matches!(error, Error::Failed(Fault::PongTimeout));
        assert!(matches!(&sent, Err(SendError::Ended(error)) if is_it(error)), "{split} {sent:?}");
        assert!(matches!(&end, Some(Err(error)) if is_it(error)), "{split} {end:?}");
        drop(raw);
    }
}

#[test]
fn a_close_that_nobody_can_be_told_of_is_a_loss() {
    let (client, server, plan) = open(ServerConfig::default());
    fail(&plan, &[(Call::Write, Becomes::Error(io::ErrorKind::BrokenPipe))]);
    let (mut reader, writer) = server.split().expect("halves");
    let told = writer.close(CloseCode::NORMAL, "");
    assert!(matches!(&told, Err(Error::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe), "{told:?}");
    assert!(matches!(reader.recv(), Some(Err(Error::Io(_)))));
    assert!(reader.closed().is_some_and(|closed| !closed.is_clean()));
    drop(client);
}
