//! An extension of one's own whose work is deferred, from the registry to the wire.

mod support;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use support::{
    Raw,
    mock::{Mock, Wire, mock},
    poll_once,
};
use tokio::{
    io::{DuplexStream, duplex},
    runtime::Handle,
    sync::Semaphore,
    task::yield_now,
    time::{Duration, Instant, sleep, timeout},
};
use ws_testkit::{Frame, read_frames};
use ws_tokio::{
    Connect, Error, SendError, WebSocket,
    endpoint::{
        ServerConfig,
        driver::{self, CloseCode, Config, Connection, Expired, Fault},
        extensions::{
            Codec, Extension, ExtensionError, MessageHead, Offer, Output, Params, Plan, Refusal, Registry,
            Session, SessionOptions, Work,
        },
        frame::{Role, Rsv},
    },
};

/// What the work on a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Concurrent,
    Exclusive,
    Future,
    /// A future that never ends.
    Never,
    Panics,
    ExclusivePanics,
    FuturePanics,
    /// No work: the codec itself panics, on every message but those that begin with `fine`.
    CodecPanics,
}

/// Turns payloads round, and marks them with RSV1. Work on a payload that begins with `slow` waits until the gate
/// opens, that on one with `open` opens it.
#[derive(Clone)]
struct Turn {
    incoming: Kind,
    outgoing: Kind,
    gate: Arc<Semaphore>,
    /// How much work has come before the gate.
    waiting: Arc<AtomicUsize>,
}

impl Turn {
    fn new(incoming: Kind, outgoing: Kind) -> Self {
        Self { incoming, outgoing, gate: Arc::new(Semaphore::new(0)), waiting: Arc::default() }
    }

    fn open_gate(&self) {
        self.gate.add_permits(1000);
    }

    fn session(&self) -> Session {
        let codec = |kind, marks| {
            let (gate, waiting) = (Arc::clone(&self.gate), Arc::clone(&self.waiting));
            Turner { kind, marks, gate, waiting }
        };
        Session::new(codec(self.incoming, false), codec(self.outgoing, true))
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
        Some(Box::new(Offered(self.clone(), [Params::default()])))
    }

    fn accept(&self, _: &[Params], _: &SessionOptions) -> Option<(Params, Session)> {
        Some((Params::default(), self.session()))
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
    gate: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

fn turned(payload: &[u8]) -> Bytes {
    payload.iter().rev().copied().collect::<Vec<_>>().into()
}

impl Codec for Turner {
    fn begin(&mut self, head: &mut MessageHead, _: Option<usize>) -> Plan {
        match self.kind {
            Kind::CodecPanics if self.marks || head.rsv != Rsv::NONE => Plan::Stream,
            _ if self.marks || head.rsv != Rsv::NONE => Plan::Defer,
            _ => Plan::Pass,
        }
    }

    fn push(&mut self, data: &[u8], _: bool, out: &mut Output<'_>) -> Result<(), ExtensionError> {
        assert!(data.starts_with(b"fine"), "as it should");
        out.extend_from_slice(data)
    }

    fn defer(&mut self, head: MessageHead, payload: Bytes, _: usize) -> Work {
        let head = head.with_rsv(if self.marks { Rsv::RSV1 } else { Rsv::NONE });
        let made = turned(&payload);
        let plain = if self.marks { payload } else { made.clone() };
        let (waits, opens) = (plain.starts_with(b"slow"), plain.starts_with(b"open"));
        let (gate, waiting) = (Arc::clone(&self.gate), Arc::clone(&self.waiting));
        let passes = async move {
            if waits {
                waiting.fetch_add(1, Ordering::SeqCst);
                gate.acquire().await.map_err(|_| ExtensionError::internal("no gate"))?.forget();
            }
            if opens {
                gate.add_permits(1000);
            }
            Ok((head, made))
        };
        match self.kind {
            Kind::Concurrent => {
                let runtime = Handle::current();
                Work::concurrent(move || runtime.block_on(passes))
            }
            Kind::Exclusive => {
                let runtime = Handle::current();
                Work::exclusive(move |codec| (codec, runtime.block_on(passes)))
            }
            Kind::Future => Work::future(passes),
            Kind::Never => Work::future(std::future::pending()),
            Kind::Panics => Work::concurrent(|| panic!("as it should")),
            Kind::ExclusivePanics => Work::exclusive(|_| panic!("as it should")),
            Kind::FuturePanics | Kind::CodecPanics => Work::future(async { panic!("as it should") }),
        }
    }
}

/// A frame as the extension makes it.
fn turned_frame(text: &str) -> Frame {
    Frame::text(turned(text.as_bytes())).with_rsv(0b100)
}

type Pipe = WebSocket<DuplexStream>;

/// A client and a server that have agreed on the extension in an opening handshake.
async fn pair(turn: &Turn) -> (Pipe, Pipe) {
    let mut extensions = Registry::new();
    extensions.register(turn.clone()).expect("registered");
    let mut config = ServerConfig::default();
    config.extensions = extensions.clone();
    let config = Arc::new(config);
    let mut connect = Connect::new("ws://example.com/").expect("an address");
    connect.config.extensions = extensions;
    let (near, far) = duplex(1000);
    let (client, server) = tokio::join!(connect.over(near), ws_tokio::accept_with(far, &config));
    let (client, server) = (client.expect("connected"), server.expect("accepted"));
    assert_eq!((client.extensions(), server.extensions()), (&["x-turn"][..], &["x-turn"][..]));
    (client, server)
}

/// An open connection of this role that has agreed on the extension.
fn using<S>(role: Role, io: S, turn: &Turn) -> WebSocket<S>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let mut extensions = Registry::new();
    extensions.register(turn.clone()).expect("registered");
    let options = SessionOptions::new(role, Some(1 << 20));
    let negotiated = match role {
        Role::Server => extensions.respond(Some("x-turn"), &options).expect("an offer"),
        Role::Client => extensions.offer(&options).activate(Some("x-turn")).expect("an answer"),
    };
    let now = Instant::now().into_std();
    WebSocket::from_connection(io, Connection::new(Config::new(role), negotiated, now))
}

fn facing_mock(turn: &Turn) -> (WebSocket<Mock>, Wire) {
    let (io, wire) = mock();
    (using(Role::Server, io, turn), wire)
}

fn facing_raw(turn: &Turn) -> (Pipe, Raw<DuplexStream>) {
    facing_raw_as(Role::Server, turn)
}

fn facing_raw_as(role: Role, turn: &Turn) -> (Pipe, Raw<DuplexStream>) {
    let (near, far) = duplex(1 << 16);
    (using(role, near, turn), Raw::new(far, role.peer()))
}

const WORKING: [Kind; 3] = [Kind::Concurrent, Kind::Exclusive, Kind::Future];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_keep_their_order_through_every_kind_of_work() {
    for incoming in WORKING {
        for outgoing in WORKING {
            let (mut client, mut server) = pair(&Turn::new(incoming, outgoing)).await;
            let echo = async {
                while let Some(message) = server.recv().await {
                    server.feed(message.expect("a message")).await.expect("fed");
                }
                assert!(server.closed().expect("the end").is_clean());
            };
            let talks = async {
                for number in 0..30 {
                    client.feed(format!("message {number}")).await.expect("fed");
                    client.feed(vec![number; usize::from(number)]).await.expect("fed");
                }
                client.flush().await.expect("flushed");
                for number in 0..30 {
                    let text = client.recv().await.expect("not the end").expect("a message");
                    assert_eq!(
                        text.as_text(),
                        Some(&*format!("message {number}")),
                        "{incoming:?} {outgoing:?}"
                    );
                    let bytes = client.recv().await.expect("not the end").expect("a message");
                    assert_eq!(bytes.as_bytes(), vec![number; usize::from(number)]);
                }
                client.close(CloseCode::NORMAL, "").await.expect("clean");
            };
            tokio::join!(echo, talks);
        }
    }
}

#[tokio::test]
async fn a_slow_message_is_not_passed_by_a_fast_one() {
    for kind in [Kind::Concurrent, Kind::Future] {
        for incoming in [true, false] {
            let other = Kind::Exclusive;
            let turn = if incoming { Turn::new(kind, other) } else { Turn::new(other, kind) };
            if incoming {
                let (mut ws, mut peer) = facing_raw(&turn);
                peer.send_all(&[turned_frame("slow"), turned_frame("fast"), turned_frame("open")]).await;
                for text in ["slow", "fast", "open"] {
                    let message = ws.recv().await.expect("not the end").expect("a message");
                    assert_eq!(message.as_text(), Some(text), "{kind:?}");
                }
            } else {
                let (mut ws, mut peer) = facing_raw(&turn);
                ws.feed("slow").await.expect("fed");
                ws.feed("fast").await.expect("fed");
                ws.send("open").await.expect("sent");
                for text in ["slow", "fast", "open"] {
                    assert_eq!(peer.recv().await, Some(turned_frame(text)), "{kind:?}");
                }
            }
        }
    }
}

/// A wait has a limit, far beyond what anything here takes.
const LONG: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_deferred_messages_is_bounded_and_holds_up_nobody_else() {
    const FLOODED: usize = 8;
    const MESSAGES: usize = 300;
    let most = FLOODED * Config::new(Role::Server).limits.max_extension_jobs;
    let turn = Turn::new(Kind::Concurrent, Kind::Concurrent);
    let text = |number| format!("slow {number}{}", " ".repeat(1000));
    let (mut sent, mut received) = (Vec::new(), Vec::new());
    for _ in 0..FLOODED {
        let (mut ws, mut peer) = facing_raw(&turn);
        let frames: Vec<_> = (0..MESSAGES).map(|number| turned_frame(&text(number))).collect();
        sent.push(tokio::spawn(async move {
            peer.send_all(&frames).await;
            peer
        }));
        received.push(tokio::spawn(async move {
            for number in 0..MESSAGES {
                let message = ws.recv().await.expect("not the end").expect("a message");
                assert_eq!(message.as_text(), Some(&*text(number)));
            }
        }));
    }
    let full = async {
        while turn.waiting.load(Ordering::SeqCst) < most {
            yield_now().await;
        }
    };
    timeout(LONG, full).await.expect("each has as many jobs as it may");

    // Somebody else, whose messages are deferred as well, while all of that waits.
    let (mut client, mut server) = pair(&turn).await;
    let talks = async {
        for number in 0..20 {
            client.send(format!("number {number}")).await.expect("sent");
            let message = server.recv().await.expect("not the end").expect("a message");
            assert_eq!(message.as_text(), Some(&*format!("number {number}")));
        }
    };
    timeout(LONG, talks).await.expect("others have their work done meanwhile");
    assert_eq!(turn.waiting.load(Ordering::SeqCst), most, "no more than allowed");
    assert!(sent.iter().all(|sent| !sent.is_finished()), "nothing more is read than there is room for");

    turn.gate.add_permits(FLOODED * MESSAGES);
    for received in received {
        timeout(LONG, received).await.expect("everything comes out").expect("in order");
    }
    for sent in sent {
        timeout(LONG, sent).await.expect("everything is read").expect("sent");
    }
}

#[tokio::test]
async fn a_send_is_done_when_the_message_has_left() {
    for kind in WORKING {
        let turn = Turn::new(Kind::Future, kind);
        let (mut ws, wire) = facing_mock(&turn);
        {
            let mut send = std::pin::pin!(ws.send("slow"));
            for _ in 0..3 {
                assert!(poll_once(send.as_mut()).is_pending(), "{kind:?}");
                yield_now().await;
            }
            assert_eq!(wire.written(), []);
            turn.open_gate();
            send.await.expect("sent");
        }
        assert_eq!(read_frames(Role::Server, &wire.written()), [turned_frame("slow")]);
        assert_eq!(ws.queued(), 0);
    }
}

#[tokio::test]
async fn a_close_waits_for_what_was_accepted() {
    for kind in WORKING {
        let turn = Turn::new(Kind::Future, kind);
        let (mut ws, mut peer) = facing_raw(&turn);
        ws.feed("slow").await.expect("fed");
        ws.feed("second").await.expect("fed");
        let opens = async {
            assert!(poll_once(peer.recv()).is_pending(), "nothing goes before");
            turn.open_gate();
            assert_eq!(peer.recv().await, Some(turned_frame("slow")));
            assert_eq!(peer.recv().await, Some(turned_frame("second")));
            assert_eq!(peer.recv().await, Some(Frame::close(1000, "bye")));
            peer.send(Frame::close(1000, "")).await;
        };
        let (closed, ()) = tokio::join!(ws.close(CloseCode::NORMAL, "bye"), opens);
        assert!(closed.expect("clean").expect("the end").is_clean(), "{kind:?}");
    }
}

#[tokio::test]
async fn messages_that_came_whole_before_a_close_are_received() {
    let turn = Turn::new(Kind::Future, Kind::Future);
    let (mut ws, mut peer) = facing_raw(&turn);
    peer.send_all(&[turned_frame("slow"), turned_frame("second"), Frame::close(1000, "")]).await;
    assert!(poll_once(ws.recv()).is_pending());
    turn.open_gate();
    for text in ["slow", "second"] {
        let message = ws.recv().await.expect("not the end").expect("a message");
        assert_eq!(message.as_text(), Some(text));
    }
    assert!(ws.recv().await.is_none());
    assert!(ws.closed().expect("the end").is_clean());
}

#[tokio::test]
async fn pings_are_answered_while_work_goes_on() {
    let turn = Turn::new(Kind::Future, Kind::Future);
    let (mut ws, mut peer) = facing_raw(&turn);
    peer.send_all(&[turned_frame("slow"), Frame::ping("1")]).await;
    ws.feed("slow too").await.expect("fed");
    tokio::select! {
        biased;
        message = ws.recv() => panic!("{message:?}"),
        pong = peer.recv() => assert_eq!(pong, Some(Frame::pong("1"))),
    }
    turn.open_gate();
    assert_eq!(ws.recv().await.expect("not the end").expect("a message").as_text(), Some("slow"));
    ws.flush().await.expect("flushed");
    assert_eq!(peer.recv().await, Some(turned_frame("slow too")));
}

#[tokio::test(start_paused = true)]
async fn work_that_never_ends_does_not_hold_up_the_end() {
    // Outgoing, while this side closes.
    let (mut ws, _peer) = facing_raw(&Turn::new(Kind::Future, Kind::Never));
    let start = Instant::now();
    ws.feed("never").await.expect("fed");
    let error = ws.close(CloseCode::NORMAL, "").await.expect_err("it never leaves");
    assert!(matches!(error, Error::Expired(Expired::Close)), "{error:?}");
    assert_eq!(start.elapsed().as_secs(), 5);
    assert!(ws.recv().await.is_none());
    assert!(ws.flush().await.is_err());

    // Outgoing, while the peer closes.
    let (mut ws, mut peer) = facing_raw(&Turn::new(Kind::Future, Kind::Never));
    let start = Instant::now();
    ws.feed("never").await.expect("fed");
    peer.send(Frame::close(1000, "")).await;
    assert!(ws.recv().await.is_none());
    assert_eq!(start.elapsed().as_secs(), 5);
    assert!(!ws.closed().expect("the end").is_clean(), "our Close never left");
    assert!(ws.flush().await.is_err(), "nor what was queued");

    // Incoming.
    let (mut ws, mut peer) = facing_raw(&Turn::new(Kind::Never, Kind::Future));
    let start = Instant::now();
    peer.send_all(&[turned_frame("never"), Frame::close(1000, "")]).await;
    let end = ws.recv().await;
    assert!(!matches!(end, Some(Ok(_))), "{end:?}");
    assert!(ws.recv().await.is_none());
    assert_eq!(start.elapsed().as_secs(), 5);

    // Incoming, when the transport is lost.
    let (mut ws, peer) = facing_raw(&Turn::new(Kind::Never, Kind::Future));
    let mut peer = peer;
    peer.send(turned_frame("never")).await;
    drop(peer);
    let end = ws.recv().await.expect("not a clean end").expect_err("lost");
    assert!(matches!(end, Error::Lost), "{end:?}");
    assert!(ws.recv().await.is_none());

    // A flush in one task of a split, a close in the other.
    let (ws, _peer) = facing_raw(&Turn::new(Kind::Future, Kind::Never));
    let (mut rx, mut tx) = ws.split();
    let reader = tokio::spawn(async move { rx.recv().await });
    tx.feed("never").await.expect("fed");
    let error = tx.close(CloseCode::NORMAL, "").await.expect_err("it never leaves");
    assert!(matches!(error, Error::Expired(Expired::Close)), "{error:?}");
    assert!(reader.await.expect("no panic").expect("not a clean end").is_err());
}

/// Each way to panic, in each role.
fn panics() -> impl Iterator<Item = (Role, Kind)> {
    let kinds = [Kind::Panics, Kind::ExclusivePanics, Kind::FuturePanics, Kind::CodecPanics];
    [Role::Client, Role::Server].into_iter().flat_map(move |role| kinds.map(|kind| (role, kind)))
}

#[tokio::test]
async fn a_panic_on_a_received_message_is_1011() {
    for (role, kind) in panics() {
        let (mut ws, mut peer) = facing_raw_as(role, &Turn::new(kind, Kind::Future));
        peer.send_all(&[Frame::text("untouched"), turned_frame("boom"), Frame::text("behind")]).await;
        let message = ws.recv().await.expect("not the end").expect("a message");
        assert_eq!(message.as_text(), Some("untouched"));
        let watches = async {
            assert_eq!(peer.recv().await.expect("a Close").code(), Some(1011));
            peer.shutdown().await;
        };
        let (end, ()) = tokio::join!(ws.recv(), watches);
        let error = end.expect("not a clean end").expect_err("it panicked");
        assert!(matches!(error, Error::Failed(Fault::Extension(_))), "{role:?} {kind:?} {error:?}");
        assert!(ws.recv().await.is_none());
    }
}

#[tokio::test]
async fn what_a_handle_could_not_send_is_told_by_its_flush() {
    for (role, kind) in panics() {
        let (ws, mut peer) = facing_raw_as(role, &Turn::new(Kind::Future, kind));
        let mut handle = ws.spawn(1);
        handle.send("boom").await.expect("handed over");
        let closes = async {
            assert_eq!(peer.recv().await.expect("a Close").code(), Some(1011));
            peer.send(Frame::close(1011, "")).await;
            peer.shutdown().await;
        };
        let (flushed, ()) = tokio::join!(handle.flush(), closes);
        let told = matches!(flushed, Err(Error::Send(driver::SendError::Extension(_))));
        assert!(told, "it never left: {kind:?} {flushed:?}");
        assert!(handle.recv().await.is_none_or(|end| end.is_err()));
        assert!(handle.flush().await.is_err(), "and never will");
    }
}

#[tokio::test]
async fn what_is_shown_of_work_is_its_number_and_no_message() {
    let turn = Turn::new(Kind::Future, Kind::Future);
    let (mut ws, mut peer) = facing_raw(&turn);
    peer.send(turned_frame("slow secret")).await;
    assert!(poll_once(ws.recv()).is_pending());
    let shown = format!("{ws:?}");
    assert!(shown.contains("JobId") && shown.contains("Incoming"), "{shown}");
    turn.open_gate();
    assert_eq!(ws.recv().await.expect("not the end").expect("a message").as_text(), Some("slow secret"));
}

#[tokio::test]
async fn a_codec_that_panics_ends_its_own_connection_only() {
    let turn = Turn::new(Kind::Future, Kind::CodecPanics);
    let [(mut ws, mut peer), (mut other, mut other_peer)] = [facing_raw(&turn), facing_raw(&turn)];
    let refused = ws.send("boom").await;
    let Err(SendError::Unsent(unsent)) = refused else { panic!("{refused:?}") };
    assert!(matches!(unsent.error, driver::SendError::Extension(_)));
    assert_eq!(unsent.message.as_text(), Some("boom"));
    assert!(ws.flush().await.is_ok(), "the Close that says so");
    assert_eq!(peer.recv().await.expect("a Close").code(), Some(1011));
    other.send("fine").await.expect("sent");
    assert_eq!(other_peer.recv().await.map(|frame| frame.payload), Some(b"fine".to_vec()));
}

#[tokio::test]
async fn a_panic_on_a_message_to_be_sent_is_1011() {
    // A codec that panics hands the message back: `a_codec_that_panics_ends_its_own_connection_only`.
    for (role, kind) in panics().filter(|(_, kind)| *kind != Kind::CodecPanics) {
        for split in [false, true] {
            let (ws, mut peer) = facing_raw_as(role, &Turn::new(Kind::Future, kind));
            let (mut rx, mut tx) = ws.split();
            let answers = async {
                assert_eq!(peer.recv().await.expect("a Close").code(), Some(1011));
                peer.send(Frame::close(1011, "")).await;
                peer.shutdown().await;
            };
            let error = if split {
                tokio::join!(tx.send("boom"), answers).0
            } else {
                let mut ws = rx.reunite(tx).expect("of one connection");
                let error = tokio::join!(ws.send("boom"), answers).0;
                (rx, tx) = ws.split();
                error
            };
            let error = error.expect_err("it panicked");
            assert!(
                matches!(error, SendError::Ended(Error::Send(driver::SendError::Extension(_)))),
                "{error:?}"
            );
            let end = rx.recv().await.expect("not a clean end").expect_err("told here, too");
            assert!(matches!(end, Error::Send(driver::SendError::Extension(_))), "{end:?}");
            assert!(rx.recv().await.is_none());
            let closed = tx.closed().expect("the end");
            assert_eq!((closed.code, closed.sent), (1011, Some(Some(CloseCode::INTERNAL_ERROR))));
        }
    }
}

#[tokio::test]
async fn either_half_of_a_split_has_deferred_work_done() {
    for kind in WORKING {
        for parked in [true, false] {
            let (ws, mut peer) = facing_raw(&Turn::new(Kind::Future, kind));
            let (mut rx, mut tx) = ws.split();
            let reader = parked.then(|| tokio::spawn(async move { rx.recv().await }));
            yield_now().await;
            tx.feed("first").await.expect("fed");
            tx.send("second").await.expect("sent");
            assert_eq!(peer.recv().await, Some(turned_frame("first")), "{kind:?}");
            assert_eq!(peer.recv().await, Some(turned_frame("second")), "{kind:?}");
            if let Some(reader) = reader {
                peer.send(turned_frame("back")).await;
                let back = reader.await.expect("no panic").expect("not the end").expect("a message");
                assert_eq!(back.as_text(), Some("back"));
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_is_not_dead_while_its_messages_are_worked_on() {
    let turn = Turn::new(Kind::Future, Kind::Future);
    let (mut ws, mut peer) = facing_raw(&turn);
    for number in 0..20 {
        peer.send(turned_frame(&format!("slow {number}"))).await;
    }
    let answers = async {
        for _ in 0..10 {
            assert!(
                peer.recv().await.is_some_and(|frame| frame.opcode == 9),
                "it is not read from, but asked after"
            );
            peer.send(Frame::pong("")).await;
        }
        turn.open_gate();
        sleep(Duration::from_secs(1000)).await;
    };
    let receives = async {
        for number in 0..20 {
            let message = ws.recv().await.expect("not the end").expect("alive");
            assert_eq!(message.as_text(), Some(&*format!("slow {number}")));
        }
    };
    tokio::select! {
        () = receives => {}
        () = answers => panic!("the messages are there"),
    }
}

#[tokio::test]
async fn a_session_ends_when_the_connection_is_dropped() {
    struct Ends(Arc<Semaphore>);
    impl Extension for Ends {
        fn name(&self) -> &'static str {
            "x-ends"
        }
        fn rsv(&self) -> Rsv {
            Rsv::NONE
        }
        fn offer(&self, _: &SessionOptions) -> Option<Box<dyn Offer>> {
            None
        }
        fn accept(&self, _: &[Params], _: &SessionOptions) -> Option<(Params, Session)> {
            let (ends, codec) = (Arc::clone(&self.0), Turn::new(Kind::Future, Kind::Future).session());
            let session = Session { incoming: codec.incoming, outgoing: codec.outgoing, on_close: None };
            Some((Params::default(), session.on_close(move || ends.add_permits(1))))
        }
    }
    let ended = Arc::new(Semaphore::new(0));
    let mut extensions = Registry::new();
    extensions.register(Ends(Arc::clone(&ended))).expect("registered");
    let options = SessionOptions::new(Role::Server, None);
    for closes in [false, true] {
        let negotiated = extensions.respond(Some("x-ends"), &options).expect("an offer");
        let (io, wire) = mock();
        let now = Instant::now().into_std();
        let connection = Connection::new(Config::new(Role::Server), negotiated, now);
        let mut ws = WebSocket::from_connection(io, connection);
        assert!(poll_once(ws.recv()).is_pending());
        if closes {
            wire.push(Frame::close(1000, "").by(Role::Client));
            assert!(ws.recv().await.is_none());
            assert_eq!(ended.available_permits(), 2, "at the end");
        }
        drop(ws);
        assert_eq!(ended.available_permits(), 1 + usize::from(closes), "once");
    }
}
