//! An extension of one's own whose work is deferred: it is done by the thread that waits for it.

mod support;

use std::{
    future::poll_fn,
    sync::mpsc,
    task::{Poll, Waker},
    thread,
};

use support::{echo, open_with};
use ws_sync::{
    Error, SendError, WebSocket,
    endpoint::{
        ClientConfig, ServerConfig,
        driver::{self, CloseCode, Fault},
        extensions::{
            Codec, Extension, ExtensionError, MessageHead, Offer, Outcome, Output, Params, Plan, Refusal,
            Registry, Session, SessionOptions, Work,
        },
        frame::Rsv,
    },
};

/// Of what kind the work on a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Exclusive,
    Concurrent,
    /// A future that another thread wakes.
    Future,
    /// None: only the mark is cleared.
    Nothing,
    Fails,
    /// These panic: the codec at once, and each kind of work.
    Codec,
    ExclusivePanics,
    ConcurrentPanics,
    FuturePanics,
}

const PANICKING: [Kind; 4] = [Kind::Codec, Kind::ExclusivePanics, Kind::ConcurrentPanics, Kind::FuturePanics];

const WORKING: [Kind; 3] = [Kind::Exclusive, Kind::Concurrent, Kind::Future];

/// Turns payloads round, and marks them with RSV1.
#[derive(Debug, Clone, Copy)]
struct Turn {
    incoming: Kind,
    outgoing: Kind,
}

impl Turn {
    fn session(self) -> Session {
        Session::new(
            Turner { kind: self.incoming, marks: false },
            Turner { kind: self.outgoing, marks: true },
        )
    }
}

impl Extension for Turn {
    fn name(&self) -> &'static str {
        "x-turn"
    }

    fn rsv(&self) -> Rsv {
        Rsv::RSV1
    }

    fn offer(&self, _: &SessionOptions) -> Option<Box<dyn Offer>> {
        Some(Box::new(Offered(*self, [Params::new()])))
    }

    fn accept(&self, _: &[Params], _: &SessionOptions) -> Option<(Params, Session)> {
        Some((Params::new(), self.session()))
    }
}

struct Offered(Turn, [Params; 1]);

impl Offer for Offered {
    fn params(&self) -> &[Params] {
        &self.1
    }

    fn activate(self: Box<Self>, _: &Params) -> Result<Session, Refusal> {
        Ok(self.0.session())
    }
}

struct Turner {
    kind: Kind,
    marks: bool,
}

impl Codec for Turner {
    fn begin(&mut self, head: &mut MessageHead, _: Option<usize>) -> Plan {
        if self.kind == Kind::Nothing {
            head.rsv = Rsv::NONE;
            return Plan::Pass;
        }
        if self.marks || head.rsv != Rsv::NONE { Plan::Defer } else { Plan::Pass }
    }

    fn push(&mut self, _: &[u8], _: bool, _: &mut Output<'_>) -> Result<(), ExtensionError> {
        Err(ExtensionError::internal("nothing is streamed"))
    }

    fn defer(&mut self, head: MessageHead, payload: bytes::Bytes, _: usize) -> Work {
        assert!(self.kind != Kind::Codec, "as it was told");
        let rsv = if self.marks { Rsv::RSV1 } else { Rsv::NONE };
        let turn = move || -> Outcome {
            Ok((head.with_rsv(rsv), payload.iter().rev().copied().collect::<Vec<_>>().into()))
        };
        match self.kind {
            Kind::Exclusive => Work::exclusive(move |codec| (codec, turn())),
            Kind::Concurrent => Work::concurrent(turn),
            Kind::Future => Work::future(woken_by_another_thread(turn)),
            Kind::Nothing | Kind::Fails => {
                Work::concurrent(|| Err(ExtensionError::corrupt("as it was told")))
            }
            Kind::ExclusivePanics => Work::exclusive(|_| panic!("as it was told")),
            Kind::Codec | Kind::ConcurrentPanics => Work::concurrent(|| panic!("as it was told")),
            Kind::FuturePanics => Work::future(async { panic!("as it was told") }),
        }
    }
}

/// Gives what was made when a thread of its own has made it, and not before.
async fn woken_by_another_thread(make: impl FnOnce() -> Outcome + Send + 'static) -> Outcome {
    let (wakers, woken) = mpsc::channel::<Waker>();
    let (made, results) = mpsc::channel();
    thread::spawn(move || {
        // It begins only when somebody waits.
        let waker = woken.recv().expect("a waker");
        made.send(make()).expect("wanted");
        waker.wake();
    });
    poll_fn(move |cx| match results.try_recv() {
        Ok(outcome) => Poll::Ready(outcome),
        Err(_) => {
            let _made_meanwhile = wakers.send(cx.waker().clone());
            Poll::Pending
        }
    })
    .await
}

/// A client and a server that have agreed on it; what each side does is said by itself.
fn open(client: Turn, server: Turn) -> (WebSocket<std::net::TcpStream>, WebSocket<std::net::TcpStream>) {
    let registry = |turn| {
        let mut extensions = Registry::new();
        extensions.register(turn).expect("registered");
        extensions
    };
    let mut client_config = ClientConfig::default();
    client_config.extensions = registry(client);
    let mut config = ServerConfig::default();
    config.extensions = registry(server);
    let (client, server) = open_with(client_config, config);
    assert_eq!((client.extensions(), server.extensions()), (&["x-turn"][..], &["x-turn"][..]));
    (client, server)
}

#[test]
fn messages_pass_in_order_through_every_kind_of_work() {
    for incoming in WORKING {
        for outgoing in WORKING {
            let turn = Turn { incoming, outgoing };
            let (mut client, server) = open(turn, turn);
            let server = echo(server);
            for n in 0..20 {
                client.feed(format!("message {n}")).expect("queued");
            }
            for n in 0..20 {
                let message = client.recv().expect("open").expect("a message");
                assert_eq!(message, format!("message {n}").into(), "{turn:?}");
            }
            let closed = client.close(CloseCode::NORMAL, "").expect("closed");
            assert!(closed.is_some_and(|closed| closed.is_clean()), "{turn:?}");
            server.join().expect("no panic");
        }
    }
}

#[test]
fn what_is_sent_has_left_changed_when_send_returns() {
    for outgoing in WORKING {
        let turn = Turn { incoming: Kind::Nothing, outgoing };
        let (mut client, mut server) = open(turn, turn);
        client.send("abc").expect("sent");
        assert_eq!(client.queued(), 0, "{outgoing:?}");
        // The server clears the mark and leaves the rest as it came.
        let message = server.recv().expect("open").expect("a message");
        assert_eq!(message, "cba".into(), "{outgoing:?}");
    }
}

#[test]
fn the_halves_of_a_connection_do_the_work_as_well() {
    for kind in WORKING {
        let turn = Turn { incoming: kind, outgoing: kind };
        let (client, server) = open(turn, turn);
        let server = echo(server);
        let (mut reader, writer) = client.split().expect("halves");
        let sender = thread::spawn(move || {
            for n in 0..20 {
                let message = format!("message {n}");
                let sent = if n % 2 == 0 { writer.send(message) } else { writer.feed(message) };
                sent.expect("sent");
            }
            writer.flush().expect("sent");
            writer
        });
        for n in 0..20 {
            let message = reader.recv().expect("open").expect("a message");
            assert_eq!(message, format!("message {n}").into(), "{kind:?}");
        }
        sender.join().expect("no panic").close(CloseCode::NORMAL, "").expect("sent");
        assert!(reader.recv().is_none());
        assert!(reader.closed().is_some_and(|closed| closed.is_clean()), "{kind:?}");
        server.join().expect("no panic");
    }
}

#[test]
fn work_that_fails_on_what_was_received_closes_with_its_code() {
    let fails = Turn { incoming: Kind::Fails, outgoing: Kind::Concurrent };
    let works = Turn { incoming: Kind::Concurrent, outgoing: Kind::Concurrent };
    let (mut client, mut server) = open(works, fails);
    client.send("abc").expect("sent");
    let server = thread::spawn(move || (server.recv(), server.recv()));
    assert!(client.recv().is_none(), "the server has sent a Close, and it was answered");
    assert_eq!(client.closed().map(|closed| closed.code), Some(1007));
    let (end, behind) = server.join().expect("no panic");
    assert!(matches!(end, Some(Err(Error::Failed(Fault::Extension(_))))), "{end:?}");
    assert!(behind.is_none(), "it is reported once");
}

#[test]
fn work_that_fails_on_what_is_sent_is_told_and_closes_with_its_code() {
    let fails = Turn { incoming: Kind::Concurrent, outgoing: Kind::Fails };
    let works = Turn { incoming: Kind::Concurrent, outgoing: Kind::Concurrent };
    let is_told = |error: &Error| matches!(error, Error::Send(driver::SendError::Extension(_)));
    for split in [false, true] {
        let (mut client, server) = open(fails, works);
        let server = echo(server);
        let (sent, ends, late) = if split {
            let (mut reader, writer) = client.split().expect("halves");
            (writer.send("abc"), [reader.recv(), reader.recv()], writer.send("late"))
        } else {
            (client.send("abc"), [client.recv(), client.recv()], client.send("late"))
        };
        assert!(matches!(&sent, Err(SendError::Ended(error)) if is_told(error)), "{sent:?}");
        assert!(matches!(&ends, [Some(Err(error)), None] if is_told(error)), "told here too, once: {ends:?}");
        assert!(matches!(late, Err(SendError::Unsent(_))), "{late:?}");
        let closed = server.join().expect("no panic").closed().expect("the end");
        assert_eq!(closed.code, 1007);
    }
}

/// The extension's fault and not the peer's, who is told so.
#[test]
fn a_panic_of_an_extension_is_1011_in_either_role_and_unwinds_nobody() {
    let works = Turn { incoming: Kind::Concurrent, outgoing: Kind::Concurrent };
    let turns = |kind| [Turn { incoming: kind, ..works }, Turn { outgoing: kind, ..works }];
    for panics in PANICKING.into_iter().flat_map(turns) {
        for client_panics in [true, false] {
            let (client, server) = if client_panics { (panics, works) } else { (works, panics) };
            let (mut client, mut server) = open(client, server);
            let echoes = thread::spawn(move || {
                while let Some(Ok(message)) = server.recv() {
                    let _told = server.send(message);
                }
                while server.recv().is_some() {}
                server.closed().expect("the end")
            });
            let _told = client.send("abc");
            while client.recv().is_some() {}
            let (client, server) = (client.closed().expect("the end"), echoes.join().expect("no panic"));
            let (panicked, other) = if client_panics { (client, server) } else { (server, client) };
            assert_eq!(panicked.sent, Some(Some(CloseCode::INTERNAL_ERROR)), "{panics:?} {client_panics}");
            assert_eq!(other.code, 1011, "{panics:?} {client_panics}");
        }
    }
}
