//! What is sent while more that has arrived waits: it leaves together, and never waits for the application.

mod support;

use std::{
    cell::RefCell,
    future::{pending, poll_fn},
    io,
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll},
};

use futures_util::{SinkExt, StreamExt};
use support::{
    hostile::polled,
    mock::{Mock, Wire, mock},
    open, poll_once,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex},
    runtime::{Builder, Runtime},
    task::{JoinHandle, yield_now},
};
use ws_testkit::{Frame, Rng, read_frames};
use ws_tokio::{
    Connect, Error, SpawnOptions, WebSocket,
    endpoint::{
        ConnectionOptions,
        driver::{CloseCode, Compress, Config, DataKind, Event, Message, Prepared},
        frame::Role,
    },
};

fn texts(count: usize) -> Vec<Frame> {
    (0..count).map(|number| Frame::text(format!("message {number}"))).collect()
}

/// A server's connection to which these frames come in one read.
fn facing(frames: &[Frame]) -> (WebSocket<Mock>, Wire) {
    facing_with(Config::new(Role::Server), frames)
}

fn facing_with(config: Config, frames: &[Frame]) -> (WebSocket<Mock>, Wire) {
    let (io, wire) = mock();
    if !frames.is_empty() {
        wire.push(bytes(frames));
    }
    (open(io, config), wire)
}

fn bytes(frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(|frame| frame.by(Role::Client)).collect()
}

async fn recv(ws: &mut WebSocket<Mock>) -> Message {
    ws.recv().await.expect("not the end").expect("a message")
}

/// Receives a message and answers it.
async fn answer(ws: &mut WebSocket<Mock>) {
    let message = recv(ws).await;
    ws.send(message).await.expect("sent");
}

fn written(wire: &Wire) -> Vec<Frame> {
    read_frames(Role::Server, &wire.state().written)
}

/// Waits until as much as these frames has been written, for a million turns, and checks that it is these.
async fn until_written(wire: &Wire, frames: &[Frame], what: &str) {
    let len = frames.iter().map(|frame| frame.by(Role::Server).len()).sum();
    for _ in 0..1_000_000 {
        if wire.state().written.len() >= len {
            break;
        }
        yield_now().await;
    }
    assert_eq!(written(wire), frames, "{what}");
}

/// A runtime with one thread, and one with two.
fn runtimes() -> [Runtime; 2] {
    [Builder::new_current_thread(), Builder::new_multi_thread()]
        .map(|mut builder| builder.worker_threads(2).enable_all().build().expect("a runtime"))
}

type Task = JoinHandle<()>;

#[tokio::test]
async fn an_echo_of_a_batch_costs_one_read_and_one_write() {
    type Way = fn(WebSocket<Mock>) -> Task;
    let prepared = |mut ws: WebSocket<Mock>| {
        tokio::spawn(async move {
            while let Some(Ok(message)) = ws.recv().await {
                ws.send_prepared(&Prepared::new(message)).await.expect("sent");
            }
        })
    };
    let ways: [(&str, Way); 4] = [
        ("send", |mut ws| {
            tokio::spawn(async move {
                while let Some(Ok(message)) = ws.recv().await {
                    ws.send(message).await.expect("sent");
                }
            })
        }),
        ("send_compressed", |mut ws| {
            tokio::spawn(async move {
                while let Some(Ok(message)) = ws.recv().await {
                    ws.send_compressed(message, Compress::No).await.expect("sent");
                }
            })
        }),
        ("send_prepared", prepared),
        ("a stream", |mut ws| {
            tokio::spawn(async move {
                while let Some(Ok(message)) = ws.next().await {
                    ws.send(message).await.expect("sent");
                }
            })
        }),
    ];
    for (name, way) in ways {
        let (ws, wire) = facing(&[]);
        let task = way(ws);
        for batch in 1..4 {
            wire.push(bytes(&texts(16)));
            until_written(&wire, &vec![texts(16); batch].concat(), name).await;
            assert_eq!(wire.counts(), (1, 1), "{name}, batch {batch}");
        }
        task.abort();
    }
}

#[tokio::test]
async fn answers_to_messages_that_come_alone_are_written_before_send_returns() {
    let (mut ws, wire) = facing(&[]);
    for number in 1..4 {
        wire.push(Frame::text("alone").by(Role::Client));
        answer(&mut ws).await;
        assert_eq!(written(&wire).len(), number);
        assert_eq!(ws.queued(), 0);
    }
}

type Meanwhile = fn(&mut WebSocket<Mock>);

/// What an application may do behind a reply before it waits for something else, for ever.
const MEANWHILE: [(&str, Meanwhile); 10] = [
    ("nothing", |_| {}),
    ("receives the next", |ws| assert!(poll_once(ws.recv()).is_ready())),
    ("receives the next as a stream", |ws| assert!(poll_once(ws.next()).is_ready())),
    ("receives all and begins to wait for more", |ws| while poll_once(ws.recv()).is_ready() {}),
    ("receives the next as an event", |ws| {
        assert!(matches!(poll_once(ws.recv_event()), Poll::Ready(Some(Ok(Event::Message(_))))));
    }),
    ("receives the next in parts", |ws| assert!(poll_once(ws.recv_part()).is_ready())),
    ("looks", |ws| {
        assert!(ws.queued() > 0 && !ws.is_above_mark() && ws.closed().is_none() && ws.rtt().is_none());
        assert!(!ws.is_paused() && ws.subprotocol().is_none());
    }),
    ("looks at the transport", |ws| _ = ws.get_ref()),
    ("takes the halves", |ws| _ = ws.halves()),
    ("pauses", WebSocket::pause),
];

#[test]
fn a_reply_leaves_though_the_application_waits_for_something_else_for_ever() {
    for runtime in runtimes() {
        for (name, meanwhile) in MEANWHILE {
            let (mut ws, wire) = facing(&texts(3));
            let task = runtime.spawn(async move {
                answer(&mut ws).await;
                meanwhile(&mut ws);
                pending::<()>().await;
            });
            runtime.block_on(until_written(&wire, &texts(1), name));
            task.abort();
        }
    }
}

#[tokio::test]
async fn a_reply_leaves_as_soon_as_a_full_transport_has_room() {
    for (name, meanwhile) in MEANWHILE {
        if ["looks at the transport", "takes the halves"].contains(&name) {
            continue; // what is lent to the application cannot be written on for it
        }
        let (mut ws, wire) = facing(&texts(3));
        wire.take(0);
        let task = tokio::spawn(async move {
            answer(&mut ws).await;
            let lends = ["receives the next as an event", "receives the next in parts"].contains(&name);
            if lends {
                assert!(poll_once(ws.recv_event()).is_pending(), "the reply is written first");
            } else {
                meanwhile(&mut ws);
            }
            pending::<()>().await;
        });
        for room in 1..=Frame::text("message 0").by(Role::Server).len() {
            for _ in 0..10 {
                yield_now().await;
            }
            assert_eq!(wire.state().written.len(), room - 1, "{name}");
            wire.take(1);
        }
        until_written(&wire, &texts(1), name).await;
        task.abort();
    }
}

#[test]
fn without_a_runtime_a_reply_leaves_at_once() {
    let (mut ws, wire) = facing(&texts(3));
    for number in 1..3 {
        assert!(poll_once(answer(&mut ws)).is_ready());
        assert_eq!(written(&wire), texts(number));
    }
}

#[tokio::test]
async fn over_a_transport_of_one_thread_a_reply_leaves_at_once() {
    let (near, far) = duplex(4096);
    let (near, far) = (Rc::new(RefCell::new(near)), Rc::new(RefCell::new(far)));
    let connect = Connect::new("ws://example.com/").expect("an address");
    let connect = connect.over_local(Bound(Rc::clone(&near)));
    let (client, server) = tokio::join!(connect, ws_tokio::accept_local(Bound(Rc::clone(&far))));
    let (mut client, mut server) = (client.expect("connected"), server.expect("accepted"));
    for text in ["1", "2", "3"] {
        client.feed(text).await.expect("fed");
    }
    client.flush().await.expect("written");
    for text in ["1", "2", "3"] {
        let message = server.recv().await.expect("not the end").expect("a message");
        server.send(message).await.expect("sent");
        let back = poll_once(client.recv());
        assert!(matches!(back, Poll::Ready(Some(Ok(message))) if message.as_text() == Some(text)));
    }
}

#[tokio::test]
async fn one_task_looks_after_all_that_owe_a_reply_in_one_turn() {
    let metrics = tokio::runtime::Handle::current().metrics();
    for _ in 0..3 {
        let mut connections: Vec<_> = (0..200).map(|_| facing(&texts(3))).collect();
        for (ws, _) in &mut connections {
            answer(ws).await;
        }
        assert_eq!(metrics.num_alive_tasks(), 1);
        for (_, wire) in &connections {
            until_written(wire, &texts(1), "a reply").await;
        }
        yield_now().await;
        assert_eq!(metrics.num_alive_tasks(), 0);
    }
}

/// A transport whose first write panics.
struct Panics {
    io: Mock,
    once: bool,
}

impl AsyncRead for Panics {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Panics {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        assert!(std::mem::replace(&mut self.once, true), "the panic of a transport that the test asks for");
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn a_transport_that_panics_keeps_no_other_connection_from_its_reply() {
    let mut connections: Vec<_> = (0..3).map(|_| facing(&texts(3))).collect();
    let (io, bad) = mock();
    bad.push(bytes(&texts(3)));
    let mut ws = open(Panics { io, once: false }, Config::new(Role::Server));
    answer(&mut connections[0].0).await;
    let message = ws.recv().await.expect("not the end").expect("a message");
    ws.send(message).await.expect("sent");
    answer(&mut connections[1].0).await;
    answer(&mut connections[2].0).await;
    for (_, wire) in &connections {
        until_written(wire, &texts(1), "a reply").await;
    }
    // What its task has not written is left to the next use.
    assert_eq!(written(&bad), []);
    ws.flush().await.expect("written");
    assert_eq!(written(&bad), texts(1));
}

/// A transport that cannot leave its thread.
struct Bound(Rc<RefCell<DuplexStream>>);

impl AsyncRead for Bound {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_read(cx, buf)
    }
}

impl AsyncWrite for Bound {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_shutdown(cx)
    }
}

#[test]
fn a_runtime_that_ends_leaves_the_reply_to_the_next_use() {
    let (mut ws, wire) = facing(&texts(3));
    let [first, _] = runtimes();
    first.block_on(answer(&mut ws));
    assert_eq!(written(&wire), []);
    // Here the task that would write goes, and has not run.
    drop(first);
    let [second, _] = runtimes();
    second.block_on(async {
        answer(&mut ws).await;
        answer(&mut ws).await;
    });
    assert_eq!(written(&wire), texts(3));
}

#[test]
fn a_runtime_that_has_ended_is_as_good_as_none() {
    let (mut ws, wire) = facing(&texts(3));
    let [runtime, _] = runtimes();
    let handle = runtime.handle().clone();
    drop(runtime);
    let _inside = handle.enter();
    assert!(poll_once(answer(&mut ws)).is_ready());
    assert_eq!(written(&wire), texts(1));
}

#[tokio::test]
async fn a_connection_that_is_dropped_behind_a_reply_writes_it_and_ends() {
    for room in [usize::MAX, 0] {
        for turns in [0, 5] {
            let (mut ws, wire) = facing(&texts(3));
            wire.take(room);
            answer(&mut ws).await;
            for _ in 0..turns {
                yield_now().await; // the task that writes has begun
            }
            drop(ws);
            assert!(wire.state().dropped, "at once");
            assert_eq!(written(&wire), if room > 0 { texts(1) } else { Vec::new() });
            wire.take(usize::MAX);
            yield_now().await;
            assert_eq!(
                tokio::runtime::Handle::current().metrics().num_alive_tasks(),
                0,
                "no task stays behind"
            );
        }
    }
}

#[tokio::test]
async fn no_task_stays_behind_a_batch() {
    for room in [usize::MAX, 0] {
        let (mut ws, wire) = facing(&texts(3));
        wire.take(room);
        answer(&mut ws).await;
        answer(&mut ws).await;
        yield_now().await;
        wire.take(usize::MAX);
        answer(&mut ws).await;
        assert!(poll_once(ws.recv()).is_pending());
        yield_now().await;
        assert_eq!(written(&wire), texts(3));
        assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
    }
}

#[tokio::test]
async fn a_failed_write_is_told_by_the_next_use() {
    let (mut ws, wire) = facing(&texts(3));
    wire.fail_writes(io::ErrorKind::BrokenPipe);
    answer(&mut ws).await;
    yield_now().await;
    let sent = ws.send("behind").await.expect_err("the transport has failed");
    assert!(matches!(sent, ws_tokio::SendError::Unsent(_)), "{sent:?}");
    // What had come before is still received.
    assert_eq!(recv(&mut ws).await, Message::from("message 1"));
    assert_eq!(recv(&mut ws).await, Message::from("message 2"));
    let error = ws.recv().await.expect("not a clean end").expect_err("an error");
    assert!(matches!(&error, Error::Io(error) if error.kind() == io::ErrorKind::BrokenPipe), "{error:?}");
    assert!(ws.recv().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_is_dropped_though_the_application_is_elsewhere() {
    let (mut ws, wire) = facing(&texts(3));
    wire.take(0);
    answer(&mut ws).await;
    tokio::time::sleep(std::time::Duration::from_secs(40)).await;
    let error = ws.recv().await.expect("not a clean end").expect_err("an error");
    assert!(matches!(error, Error::Expired(_)), "{error:?}");
    assert_eq!(ws.queued(), 0);
}

#[tokio::test]
async fn above_the_mark_send_waits_for_the_transport() {
    let mut config = Config::new(Role::Server);
    config.limits.high_water_mark = 20;
    let (mut ws, wire) = facing_with(config, &texts(3));
    wire.take(0);
    answer(&mut ws).await;
    let message = recv(&mut ws).await;
    let mut sends = pin!(ws.send(message));
    assert!(poll_once(poll_fn(|cx| sends.as_mut().poll(cx))).is_pending());
    yield_now().await;
    assert!(poll_once(poll_fn(|cx| sends.as_mut().poll(cx))).is_pending());
    wire.take(usize::MAX);
    sends.await.expect("sent");
    assert_eq!(written(&wire), texts(2));
}

#[tokio::test]
async fn what_is_sent_in_any_way_leaves_in_order() {
    let mut frames = texts(4);
    frames.insert(1, Frame::ping("theirs"));
    frames.push(Frame::close(1000, "bye"));
    for turns in [0, 1] {
        let (mut ws, wire) = facing(&frames);
        let mut expected = Vec::new();
        answer(&mut ws).await;
        expected.push(Frame::text("message 0"));
        for _ in 0..turns {
            yield_now().await;
        }
        ws.send_prepared(&Prepared::new("prepared")).await.expect("sent");
        ws.feed("fed").await.expect("fed");
        ws.send("sent").await.expect("sent");
        ws.send_compressed("compressed", Compress::Yes).await.expect("sent");
        ws.feed_prepared(&Prepared::new("prepared and fed")).await.expect("fed");
        expected.extend(["prepared", "fed", "sent", "compressed", "prepared and fed"].map(Frame::text));
        ws.ping(b"ours").await.expect("sent");
        expected.push(Frame::ping("ours"));
        answer(&mut ws).await;
        expected.extend([Frame::pong("theirs"), Frame::text("message 1")]);
        ws.start(DataKind::Text).expect("nothing is open");
        ws.send_part(b"in ").await.expect("sent");
        ws.finish_with(b"parts").await.expect("sent");
        expected.extend([Frame::text("in ").unfinished(), Frame::continuation("parts")]);
        answer(&mut ws).await;
        expected.push(Frame::text("message 2"));
        SinkExt::send(&mut ws, "a sink's".into()).await.expect("sent");
        expected.push(Frame::text("a sink's"));
        wire.end(Ok(()));
        let closed = ws.close(CloseCode::NORMAL, "done").await.expect("clean").expect("the end");
        expected.push(Frame::close(1000, "done"));
        assert!(closed.is_clean());
        assert_eq!(written(&wire), expected);
    }
}

#[tokio::test]
async fn a_sink_that_is_flushed_has_written_what_was_sent_before() {
    let (mut ws, wire) = facing(&texts(3));
    answer(&mut ws).await;
    SinkExt::<Message>::flush(&mut ws).await.expect("written");
    assert_eq!(written(&wire), texts(1));
}

#[tokio::test]
async fn a_connection_with_a_reply_under_way_may_take_any_other_form() {
    type Form = fn(WebSocket<Mock>) -> Task;
    let forms: [(&str, Form); 5] = [
        ("halves", |mut ws| {
            tokio::spawn(async move {
                let (rx, tx) = ws.halves();
                while let Some(Ok(message)) = rx.recv(tx).await {
                    tx.feed(message).expect("fed");
                }
            })
        }),
        ("split", |ws| {
            let (mut rx, mut tx) = ws.split();
            tokio::spawn(async move {
                while let Some(Ok(message)) = rx.recv().await {
                    tx.send(message).await.expect("sent");
                }
            })
        }),
        ("a task", |ws| {
            let (mut handle, task) = ws.into_task(SpawnOptions::new(4));
            tokio::spawn(task);
            tokio::spawn(async move {
                while let Some(Ok(message)) = handle.recv().await {
                    handle.send(message).await.expect("sent");
                }
            })
        }),
        ("events", |mut ws| {
            tokio::spawn(async move {
                while let Some(Ok(Event::Message(message))) = ws.recv_event().await {
                    let message = message.into_message();
                    ws.send(message).await.expect("sent");
                }
            })
        }),
        ("parts", |mut ws| {
            tokio::spawn(async move {
                while let Some(Ok(part)) = ws.recv_part().await {
                    assert!(part.first && part.last);
                    let text = std::str::from_utf8(part.data).expect("text").to_owned();
                    ws.send(text).await.expect("sent");
                }
            })
        }),
    ];
    for (name, form) in forms {
        for room in [usize::MAX, 0] {
            let (mut ws, wire) = facing(&texts(5));
            wire.take(room);
            answer(&mut ws).await;
            let task = form(ws);
            yield_now().await;
            wire.take(usize::MAX);
            until_written(&wire, &texts(5), name).await;
            task.abort();
        }
    }
}

#[tokio::test]
async fn an_echo_over_a_transport_that_keeps_it_waiting_comes_to_its_end() {
    for seed in 0..50 {
        let mut rng = Rng::new(seed);
        let (mut ws, wire) = facing(&[]);
        wire.state().stutters = rng.once_in(2);
        wire.state().step = 1 + rng.below(100);
        let echo = tokio::spawn(async move {
            while let Some(message) = ws.recv().await {
                ws.send(message.expect("a message")).await.expect("sent");
            }
        });
        for round in 1..10 {
            wire.take(rng.below(300));
            wire.push(bytes(&texts(10)));
            for _ in 0..rng.below(10) {
                yield_now().await;
            }
            wire.take(usize::MAX);
            until_written(&wire, &vec![texts(10); round].concat(), "an echo").await;
        }
        echo.abort();
    }
}

#[tokio::test]
async fn futures_dropped_at_any_poll_beside_the_task_that_writes_lose_nothing() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let (mut ws, wire) = facing(&[]);
        wire.state().stutters = rng.once_in(2);
        wire.state().step = 1 + rng.below(40);
        let sent = texts(40);
        for batch in sent.chunks(1 + rng.below(20)) {
            wire.push(bytes(batch));
        }
        let (mut received, mut answers) = (Vec::new(), Vec::new());
        while answers.len() < sent.len() {
            let polls = rng.below(8);
            match rng.below(8) {
                0 => _ = polled(polls, ws.flush()),
                1 => yield_now().await,
                2 => _ = polled(polls, ws.ping(b"")),
                3 if polls > 0 && answers.len() < received.len() => {
                    _ = polled(polls, ws.feed(format!("message {}", answers.len())));
                    answers.push(());
                }
                4..6 if polls > 0 && answers.len() < received.len() => {
                    _ = polled(polls, ws.send(format!("message {}", answers.len())));
                    answers.push(());
                }
                _ => {
                    if let Some(message) = polled(polls, ws.recv()) {
                        received.push(message.expect("not the end").expect("a message"));
                    }
                }
            }
        }
        assert!(received.iter().map(|message| Frame::text(message.as_bytes())).eq(sent.iter().cloned()));
        ws.flush().await.expect("written");
        let mut written = written(&wire);
        written.retain(|frame| *frame != Frame::ping(""));
        assert_eq!(written, sent, "seed {seed}");
    }
}

/// An application that echoes, and now and then does something else first: it must not be possible to tell from outside.
async fn echo_with_pauses<S>(mut ws: WebSocket<S>, seed: u64)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut rng = Rng::new(seed);
    while let Some(message) = ws.recv().await {
        let message = message.expect("a message");
        match rng.below(40) {
            0 => yield_now().await,
            1 => _ = ws.queued(),
            2 => _ = polled(1, ws.flush()),
            3 => _ = ws.get_ref(),
            4 => ws.feed("").await.expect("fed"),
            5 => _ = polled(1, ws.ping(b"")),
            _ => {}
        }
        ws.send(message).await.expect("sent");
        if rng.once_in(50) {
            yield_now().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_messages_come_back_in_order_past_pauses_of_the_application() {
    const COUNT: usize = 100_000;
    for (seed, tcp) in [(1, false), (2, true)] {
        let count = if tcp { COUNT } else { COUNT / 10 };
        let options = ConnectionOptions::default();
        let echo = if tcp {
            let (near, far) = support::tcp().await;
            let (client, server) = support::shake_hands(near, far, options).await;
            let echo = tokio::spawn(echo_with_pauses(server, seed));
            talk(client, count, seed).await;
            echo
        } else {
            let (client, server) = support::pair_with(5000, options).await;
            let echo = tokio::spawn(echo_with_pauses(server, seed));
            talk(client, count, seed).await;
            echo
        };
        echo.await.expect("no panic");
    }
}

/// Sends so many messages in batches, and looks at what comes back.
async fn talk<S>(client: WebSocket<S>, count: usize, seed: u64)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let payload = |number: usize| vec![number.to_le_bytes()[0]; number * 7 % 300 + 1];
    let (mut rx, mut tx) = client.split();
    let sends = tokio::spawn(async move {
        let mut rng = Rng::new(seed);
        for number in 0..count {
            tx.feed(payload(number)).await.expect("fed");
            if rng.once_in(30) {
                tx.flush().await.expect("written");
            }
        }
        tx.flush().await.expect("written");
        tx
    });
    let mut number = 0;
    while number < count {
        let message = rx.recv().await.expect("not the end").expect("a message");
        if !message.is_empty() {
            assert_eq!(message.as_bytes(), payload(number), "message {number}");
            number += 1;
        }
    }
    let mut ws = rx.reunite(sends.await.expect("no panic")).expect("of one connection");
    ws.close(CloseCode::NORMAL, "").await.expect("closed");
}
