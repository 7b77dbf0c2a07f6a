//! Futures that are dropped at each of their polls: nothing is lost, doubled or reordered.

mod support;

use support::{
    hostile::{hostile, polled, push},
    mock::Mock,
};
use ws_testkit::{Frame, Rng, read_frames};
use ws_tokio::{
    OwnedWriter, WebSocket,
    endpoint::{
        driver::{CloseCode, Compress, DataKind, Event, Prepared},
        frame::Role,
    },
};

/// The most polls that a future is given before it is dropped.
const POLLS: usize = 12;

/// Polls `flush` until it is done.
fn flush(ws: &mut WebSocket<Mock>) {
    polled(usize::MAX, ws.flush()).expect("done").expect("flushed");
}

fn texts() -> Vec<String> {
    (0..8).map(|number| format!("message {number} {}", "é".repeat(number))).collect()
}

fn text_frames() -> Vec<Frame> {
    texts().iter().map(Frame::text).collect()
}

#[tokio::test]
async fn recv_loses_nothing() {
    for role in [Role::Server, Role::Client] {
        for polls in 1..POLLS {
            let (mut ws, wire) = hostile(role);
            push(&wire, role.peer(), &text_frames());
            let mut received = Vec::new();
            while received.len() < texts().len() {
                if let Some(message) = polled(polls, ws.recv()) {
                    let message = message.expect("not the end").expect("a message");
                    received.push(message.as_text().expect("text").to_owned());
                }
            }
            assert_eq!(received, texts());
        }
    }
}

#[tokio::test]
async fn a_lent_recv_loses_nothing() {
    for polls in 1..POLLS {
        let (mut ws, wire) = hostile(Role::Server);
        push(&wire, Role::Client, &text_frames());
        let (rx, tx) = ws.halves();
        let mut received = 0;
        while received < texts().len() {
            if let Some(message) = polled(polls, rx.recv(tx)) {
                tx.feed(message.expect("not the end").expect("a message")).expect("fed");
                received += 1;
            }
        }
        flush(&mut ws);
        assert_eq!(read_frames(Role::Server, &wire.written()), text_frames());
    }
}

#[tokio::test]
async fn recv_part_loses_nothing() {
    let frames = [
        Frame::text("aé€").unfinished(),
        Frame::ping("?"),
        Frame::continuation("").unfinished(),
        Frame::continuation("😀 and more"),
        Frame::text(""),
        Frame::text("behind"),
    ];
    for polls in 1..POLLS {
        let (mut ws, wire) = hostile(Role::Server);
        push(&wire, Role::Client, &frames);
        let (mut messages, mut open) = (Vec::new(), Vec::new());
        while messages.len() < 3 {
            if let Some(part) = polled(polls, ws.recv_part()) {
                let part = part.expect("not the end").expect("a part");
                assert_eq!(part.first, open.is_empty());
                open.push(std::str::from_utf8(part.data).expect("cut between characters").to_owned());
                if part.last {
                    messages.push(open.drain(..).collect::<String>());
                }
            }
        }
        assert_eq!(messages, ["aé€😀 and more", "", "behind"]);
        flush(&mut ws);
        assert_eq!(read_frames(Role::Server, &wire.written()), [Frame::pong("?")]);
    }
}

#[tokio::test]
async fn recv_event_loses_nothing() {
    let frames = [Frame::ping("1"), Frame::text("2"), Frame::pong("3"), Frame::ping("4"), Frame::binary("5")];
    for polls in 1..POLLS {
        let (mut ws, wire) = hostile(Role::Server);
        push(&wire, Role::Client, &frames);
        let mut events = Vec::new();
        while events.len() < frames.len() {
            if let Some(event) = polled(polls, ws.recv_event()) {
                events.push(match event.expect("not the end").expect("an event") {
                    Event::Ping(data) => Frame::ping(data),
                    Event::Pong(data) => Frame::pong(data),
                    Event::Message(message) if message.kind() == DataKind::Text => {
                        Frame::text(message.as_bytes())
                    }
                    Event::Message(message) => Frame::binary(message.as_bytes()),
                    event => panic!("{event:?}"),
                });
            }
        }
        assert_eq!(events, frames);
        flush(&mut ws);
        assert_eq!(read_frames(Role::Server, &wire.written()), [Frame::pong("1"), Frame::pong("4")]);
    }
}

#[tokio::test]
async fn what_is_sent_is_queued_whole_by_the_first_poll_and_not_before() {
    for role in [Role::Server, Role::Client] {
        for polls in 0..POLLS {
            let (mut ws, wire) = hostile(role);
            for (number, text) in texts().into_iter().enumerate() {
                match number % 4 {
                    0 => _ = polled(polls, ws.send(text)),
                    1 => _ = polled(polls, ws.feed(text)),
                    2 => _ = polled(polls, ws.ping(text.as_bytes())),
                    _ => _ = polled(polls, ws.send_compressed(text, Compress::No)),
                }
                _ = polled(polls, ws.flush());
            }
            flush(&mut ws);
            let expected: Vec<_> = texts()
                .iter()
                .enumerate()
                .map(|(number, text)| if number % 4 == 2 { Frame::ping(text) } else { Frame::text(text) })
                .collect();
            let written = read_frames(role, &wire.written());
            assert_eq!(written, if polls == 0 { Vec::new() } else { expected }, "{polls}");
        }
    }
}

#[tokio::test]
async fn parts_are_sent_once() {
    for polls in 1..POLLS {
        let (mut ws, wire) = hostile(Role::Server);
        ws.start(DataKind::Text).expect("nothing is open");
        for part in ["one ", "two ", "three"] {
            _ = polled(polls, ws.send_part(part.as_bytes()));
        }
        _ = polled(polls, ws.finish());
        flush(&mut ws);
        let frames = [
            Frame::text("one ").unfinished(),
            Frame::continuation("two ").unfinished(),
            Frame::continuation("three").unfinished(),
            Frame::continuation(""),
        ];
        assert_eq!(read_frames(Role::Server, &wire.written()), frames);
    }
}

#[tokio::test]
async fn close_is_sent_once_and_waited_for_again() {
    for role in [Role::Server, Role::Client] {
        for polls in 1..POLLS {
            let (mut ws, wire) = hostile(role);
            assert!(polled(polls, ws.feed("before")).is_none_or(|fed| fed.is_ok()));
            push(&wire, role.peer(), &[Frame::text("dropped"), Frame::close(1001, "bye")]);
            wire.end(Ok(()));
            let closed = loop {
                if let Some(closed) = polled(polls, ws.close(CloseCode::NORMAL, "done")) {
                    break closed.expect("clean").expect("the end");
                }
            };
            assert_eq!((closed.code, closed.reason.as_str(), closed.is_clean()), (1001, "bye", true));
            let frames = [Frame::text("before"), Frame::close(1000, "done")];
            assert_eq!(read_frames(role, &wire.written()), frames, "{polls}");
        }
    }
}

#[tokio::test]
async fn an_error_is_told_once_however_often_it_is_asked_for() {
    for polls in 1..POLLS {
        let (mut ws, wire) = hostile(Role::Server);
        push(&wire, Role::Client, &[Frame::text("fine"), Frame::new(3, "")]);
        wire.end(Ok(()));
        let mut seen = Vec::new();
        let errors = loop {
            match polled(polls, ws.recv()) {
                None => {}
                Some(Some(Ok(message))) => seen.push(message),
                Some(Some(Err(error))) => break error,
                Some(None) => panic!("the error was lost"),
            }
        };
        assert!(matches!(errors, ws_tokio::Error::Failed(_)));
        assert_eq!(seen.len(), 1);
        assert!(polled(usize::MAX, ws.recv()).expect("done").is_none());
        let written = read_frames(Role::Server, &wire.written());
        assert_eq!((written.len(), written[0].code()), (1, Some(1002)));
    }
}

#[tokio::test]
async fn both_halves_of_a_split_may_be_dropped_at_any_poll() {
    for polls in 1..POLLS {
        let (ws, wire) = hostile(Role::Server);
        push(&wire, Role::Client, &text_frames());
        let (mut rx, mut tx) = ws.split();
        let mut received = Vec::new();
        for (number, text) in texts().into_iter().enumerate() {
            if number % 2 == 0 {
                _ = polled(polls, tx.send(text));
            } else {
                _ = polled(polls, tx.feed(text));
            }
            if let Some(message) = polled(polls, rx.recv()) {
                received.push(message.expect("not the end").expect("a message"));
            }
            _ = polled(polls, tx.flush());
        }
        while received.len() < texts().len() {
            if let Some(message) = polled(polls, rx.recv()) {
                received.push(message.expect("not the end").expect("a message"));
            }
        }
        let received: Vec<_> = received.iter().filter_map(|message| message.as_text()).collect();
        assert_eq!(received, texts());
        _ = polled(polls, tx.ping(b"?"));
        _ = polled(polls, tx.close(CloseCode::NORMAL, ""));
        let mut ws = rx.reunite(tx).expect("of one connection");
        flush(&mut ws);
        let mut frames = text_frames();
        frames.extend([Frame::ping("?"), Frame::close(1000, "")]);
        assert_eq!(read_frames(Role::Server, &wire.written()), frames);
    }
}

#[tokio::test]
async fn any_mixture_of_dropped_futures_keeps_both_directions_whole() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let (mut ws, wire) = hostile(Role::Client);
        wire.state().step = 1 + rng.below(40);
        push(&wire, Role::Server, &text_frames());
        let (mut received, mut sent) = (Vec::new(), Vec::new());
        while received.len() < texts().len() || sent.len() < 20 {
            let polls = rng.below(POLLS);
            match rng.below(5) {
                0 if sent.len() < 20 => {
                    let text = format!("sent {}", sent.len());
                    _ = polled(polls, ws.send(text.as_str()));
                    if polls > 0 {
                        sent.push(Frame::text(text));
                    }
                }
                1 if sent.len() < 20 => {
                    let text = format!("fed {}", sent.len());
                    _ = polled(polls, ws.feed(text.as_str()));
                    if polls > 0 {
                        sent.push(Frame::text(text));
                    }
                }
                2 => _ = polled(polls, ws.flush()),
                _ => {
                    if let Some(message) = polled(polls, ws.recv()) {
                        let message = message.expect("not the end").expect("a message");
                        received.push(message.as_text().expect("text").to_owned());
                    }
                }
            }
        }
        flush(&mut ws);
        assert_eq!(received, texts(), "seed {seed}");
        assert_eq!(read_frames(Role::Client, &wire.written()), sent, "seed {seed}");
    }
}

/// A way to send something, polled so many times and dropped, and what must leave by it.
type Way<T> = (&'static str, fn(&mut T, usize), fn() -> Vec<Frame>);

const OWN: [Way<WebSocket<Mock>>; 9] = [
    ("pong", |ws, polls| _ = polled(polls, ws.pong(b"p")), || vec![Frame::pong("p")]),
    ("send_prepared", |ws, polls| _ = polled(polls, ws.send_prepared(&prepared())), text),
    ("feed_prepared", |ws, polls| _ = polled(polls, ws.feed_prepared(&prepared())), text),
    (
        "finish_with",
        |ws, polls| {
            if polls > 0 {
                ws.start(DataKind::Text).expect("nothing is open");
            }
            _ = polled(polls, ws.finish_with(b"a text that is longer than the mark"));
        },
        text,
    ),
    ("flush", |ws, polls| _ = polled(polls, ws.flush()), Vec::new),
    (
        "lent flush",
        |ws, polls| {
            let (rx, tx) = ws.halves();
            _ = polled(polls, rx.flush(tx));
        },
        Vec::new,
    ),
    (
        "begin_close",
        |ws, polls| _ = polled(polls, ws.begin_close(CloseCode::NORMAL, "")),
        || vec![Frame::close(1000, "")],
    ),
    (
        "close_without_code",
        |ws, polls| _ = polled(polls, ws.close_without_code()),
        || vec![Frame::empty_close()],
    ),
    ("refuse_messages", |ws, polls| _ = polled(polls, ws.refuse_messages()), Vec::new),
];

const HALF: [Way<OwnedWriter<Mock>>; 5] = [
    ("pong", |half, polls| _ = polled(polls, half.pong(b"p")), || vec![Frame::pong("p")]),
    ("send_prepared", |half, polls| _ = polled(polls, half.send_prepared(&prepared())), text),
    ("feed_prepared", |half, polls| _ = polled(polls, half.feed_prepared(&prepared())), text),
    ("send_compressed", |half, polls| _ = polled(polls, half.send_compressed(TEXT, Compress::No)), text),
    (
        "close_without_code",
        |half, polls| _ = polled(polls, half.close_without_code()),
        || vec![Frame::empty_close()],
    ),
];

const TEXT: &str = "a text that is longer than the mark";

fn prepared() -> Prepared {
    Prepared::new(TEXT)
}

fn text() -> Vec<Frame> {
    vec![Frame::text(TEXT)]
}

#[tokio::test]
async fn each_way_of_sending_queues_once_by_its_first_poll() {
    for (name, way, frames) in OWN {
        for polls in 0..60 {
            let (mut ws, wire) = hostile(Role::Server);
            _ = polled(polls.min(3), ws.feed("before"));
            let before = if polls == 0 { Vec::new() } else { vec![Frame::text("before")] };
            way(&mut ws, polls);
            flush(&mut ws);
            let expected = if polls == 0 { before } else { [before, frames()].concat() };
            assert_eq!(read_frames(Role::Server, &wire.written()), expected, "{name}, {polls} polls");
        }
    }
    for (name, way, frames) in HALF {
        for polls in 0..60 {
            let (ws, wire) = hostile(Role::Server);
            let (reader, mut writer) = ws.split();
            way(&mut writer, polls);
            flush(&mut reader.reunite(writer).expect("of one connection"));
            let expected = if polls == 0 { Vec::new() } else { frames() };
            assert_eq!(read_frames(Role::Server, &wire.written()), expected, "{name}, {polls} polls");
        }
    }
}

#[tokio::test]
async fn a_round_trip_that_is_dropped_has_sent_one_ping() {
    for polls in 1..POLLS {
        let (ws, wire) = hostile(Role::Server);
        let (mut reader, mut writer) = ws.split();
        assert!(polled(polls, writer.round_trip()).is_none(), "nobody answers");
        polled(usize::MAX, writer.flush()).expect("done").expect("flushed");
        let pings = read_frames(Role::Server, &wire.written());
        assert_eq!((pings.len(), pings[0].opcode), (1, 9));
        push(&wire, Role::Client, &[Frame::pong(&pings[0].payload)]);
        while reader.rtt().is_none() {
            assert!(polled(polls, reader.recv()).is_none(), "no message");
        }
    }
}

#[tokio::test]
async fn lent_parts_and_events_lose_nothing() {
    for polls in 1..POLLS {
        let (mut ws, wire) = hostile(Role::Client);
        push(&wire, Role::Server, &[Frame::text("in "), Frame::ping("?"), Frame::text("order")]);
        let (rx, tx) = ws.halves();
        let mut seen = String::new();
        while seen.len() < 4 {
            if let Some(event) = polled(polls, rx.recv_event(tx)) {
                match event.expect("not the end").expect("an event") {
                    Event::Message(message) => seen.push_str(message.as_text().expect("text")),
                    Event::Ping(payload) => seen.push_str(std::str::from_utf8(payload).expect("text")),
                    event => panic!("{event:?}"),
                }
            }
        }
        assert_eq!(seen, "in ?");
        while seen.len() < 9 {
            if let Some(part) = polled(polls, rx.recv_part(tx)) {
                let part = part.expect("not the end").expect("a part");
                seen.push_str(std::str::from_utf8(part.data).expect("text"));
            }
        }
        assert_eq!(seen, "in ?order");
    }
}

#[tokio::test]
async fn messages_are_refused_once_however_often_that_is_dropped() {
    for split in [false, true] {
        for polls in 1..POLLS {
            let (mut ws, wire) = hostile(Role::Server);
            push(&wire, Role::Client, &[Frame::ping("?"), Frame::text("no"), Frame::close(1008, "")]);
            let closed = if split {
                let (mut reader, _writer) = ws.split();
                std::iter::repeat_with(|| polled(polls, reader.refuse_messages())).flatten().next()
            } else {
                std::iter::repeat_with(|| polled(polls, ws.refuse_messages())).flatten().next()
            };
            assert!(closed.expect("the end").expect("clean").expect("an end").is_clean());
            let frames = [Frame::pong("?"), Frame::close(1008, "no messages are taken")];
            assert_eq!(read_frames(Role::Server, &wire.written()), frames, "{polls} polls");
        }
    }
}
