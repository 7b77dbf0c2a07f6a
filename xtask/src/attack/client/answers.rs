//! Answers to the opening handshake that are wrong in one thing each: the client gives up, with exit status 2.

use std::time::Duration;

use super::super::plan::{Attack, Bounds};
use super::super::wire::{By, close};
use super::stage::{Ended, Stage, answer};

pub(super) const BOUNDS: Bounds = Bounds::SMALL.cpu(Duration::from_millis(40)).memory(1 << 20);

/// An answer, made from the right `Sec-WebSocket-Accept`, that no client takes.
fn refused(name: &str, make: impl Fn(&str) -> String + 'static) -> Attack<Stage> {
    Attack::new(name, BOUNDS, move |stage: &Stage| {
        stage.play(|play| {
            let answer = make(play.accept());
            play.send(answer.as_bytes())?;
            play.expect(Ended::Dropped, 2)
        })
    })
}

/// The right answer with something replaced.
fn replaced(name: &str, from: &'static str, to: &'static str) -> Attack<Stage> {
    refused(name, move |accept| answer(accept, "").replace(from, to))
}

/// The right answer with lines more.
fn with(name: &str, lines: impl Into<String>) -> Attack<Stage> {
    let lines = lines.into();
    refused(name, move |accept| answer(accept, &lines))
}

/// The right answer with lines more, which is taken.
fn taken(name: &str, lines: &'static str) -> Attack<Stage> {
    Attack::new(name, BOUNDS, move |stage: &Stage| {
        stage.play(|play| {
            play.open(lines)?;
            play.send(&close(By::Server, 1000, ""))?;
            play.expect(Ended::Closed(1000), 0)
        })
    })
}

pub(super) fn attacks() -> Vec<Attack<Stage>> {
    let mut rows = vec![
        taken("a good answer", ""),
        taken("lines that nobody knows", "Server: x\r\nSet-Cookie: a=b\r\n"),
        taken("a Content-Length on a 101", "Content-Length: 7\r\n"),
        replaced("no Upgrade", "Upgrade: websocket\r\n", ""),
        replaced("another Upgrade", "Upgrade: websocket", "Upgrade: h2c"),
        replaced("no Connection", "Connection: Upgrade\r\n", ""),
        replaced("another Connection", "Connection: Upgrade", "Connection: close"),
        replaced("HTTP/1.0", "HTTP/1.1", "HTTP/1.0"),
        replaced("HTTP/2.0", "HTTP/1.1", "HTTP/2.0"),
        replaced("status 200", "101 Switching Protocols", "200 OK\r\nContent-Length: 0"),
        replaced("status 426", "101 Switching Protocols", "426 Upgrade Required\r\nContent-Length: 0"),
        replaced(
            "a redirect",
            "101 Switching Protocols",
            "302 Found\r\nContent-Length: 0\r\nLocation: ws://127.0.0.1:1/",
        ),
        replaced("a status that is none", "101 Switching Protocols", "1O1 Switching Protocols"),
        replaced("lines that end with LF", "\r\n", "\n"),
        replaced("a space before a colon", "Upgrade: websocket", "Upgrade : websocket"),
        refused("no accept", |accept| {
            answer(accept, "").replace(&format!("Sec-WebSocket-Accept: {accept}\r\n"), "")
        }),
        refused("a wrong accept", |_| answer("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "")),
        refused("an accept in another case", |accept| answer(&accept.to_lowercase(), "")),
        refused("an accept twice", |accept| answer(accept, &format!("Sec-WebSocket-Accept: {accept}\r\n"))),
        with("a subprotocol that was not requested", "Sec-WebSocket-Protocol: chat\r\n"),
        with("an empty subprotocol", "Sec-WebSocket-Protocol:\r\n"),
        with("an extension that was not offered", "Sec-WebSocket-Extensions: foo\r\n"),
        with("an extension twice", "Sec-WebSocket-Extensions: permessage-deflate, permessage-deflate\r\n"),
        with("an empty list of extensions", "Sec-WebSocket-Extensions: ,\r\n"),
        with("a folded line", "A: b\r\n c\r\n"),
        with("a NUL", "A: b\0c\r\n"),
        with("101 headers", "A: b\r\n".repeat(98)),
        with("a header of 1 MiB", format!("A: {}\r\n", "b".repeat(1 << 20))),
        refused("another protocol", |_| "SSH-2.0-OpenSSH_9.6\r\n\r\n".to_owned()),
        refused("TLS", |_| "\u{15}\u{3}\u{1}\0\u{2}\u{2}\u{50}".to_owned() + &" ".repeat(64)),
        refused("interim answers without end", |_| "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(10_000)),
        refused("frames instead of an answer", |_| "\u{1}\u{5}Hello".repeat(3000)),
    ];
    for parameter in [
        "server_max_window_bits=7",
        "server_max_window_bits=16",
        "server_max_window_bits",
        "client_max_window_bits",
        "client_max_window_bits=08",
        "server_no_context_takeover=1",
        "server_no_context_takeover; server_no_context_takeover",
        "foo",
        "server_max_window_bits=\"9",
    ] {
        let line = format!("Sec-WebSocket-Extensions: permessage-deflate; {parameter}\r\n");
        rows.push(with(&format!("permessage-deflate with {parameter}"), line));
    }
    rows.push(Attack::new("the end one byte before the answer's", BOUNDS, |stage: &Stage| {
        stage.play(|play| {
            let answer = answer(play.accept(), "");
            play.send(&answer.as_bytes()[..answer.len() - 1])?;
            play.leave();
            play.expect(Ended::Dropped, 2)
        })
    }));
    rows
}
