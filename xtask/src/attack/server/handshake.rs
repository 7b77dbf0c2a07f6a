//! Requests that are wrong in one thing each, and some that only look so.

use std::time::Duration;

use anyhow::ensure;

use super::super::peer::{Cut, Ending, header_value, talk};
use super::super::plan::{Attack, Bounds};
use super::super::wire::{By, REQUEST, TEXT, close, frame, request_changed, request_with};
use super::{PATIENCE, Server};

/// A request and the one status that answers it.
pub(super) fn row(name: &str, request: impl Into<Vec<u8>>, status: u16) -> Attack<Server> {
    let request = request.into();
    Attack::new(name, Bounds::SMALL, move |server: &Server| answered(server, &request, Cut::Whole, status))
}

/// Sends a request, with a message and a Close behind it, and looks at the answer.
fn answered(server: &Server, request: &[u8], cut: Cut, status: u16) -> anyhow::Result<String> {
    let frames = [frame(By::Client, TEXT, "pipelined"), close(By::Client, 1000, "")].concat();
    let seen = match cut {
        Cut::Whole => talk(server.address, request, &frames, cut, PATIENCE)?,
        // What is cut is the request; an answer other than 101 comes before its end.
        cut => talk(server.address, b"", request, cut, PATIENCE)?,
    };
    ensure!(seen.status == status, "answered {} instead of {status}", seen.status);
    ensure!(seen.is_framed, "the answer's body is not as long as it says");
    if status == 101 {
        ensure!(seen.frames == [(TEXT, b"pipelined".to_vec())], "no echo, but {:?}", seen.frames);
        ensure!(seen.ending == Ending::Close(Some(1000)), "ended with {:?}", seen.ending);
    } else {
        ensure!(seen.ending == Ending::Ended, "the answer was followed by {:?}", seen.ending);
        let connection = header_value(&seen.head, "connection").unwrap_or_default();
        ensure!(connection.contains("close"), "the answer does not say that the connection closes");
    }
    if let (400, Some(versions)) = (status, header_value(&seen.head, "sec-websocket-version")) {
        ensure!(versions == "13, 8", "the versions offered are {versions}");
        return Ok("400 with versions".to_owned());
    }
    Ok(status.to_string())
}

pub(super) fn attacks() -> Vec<Attack<Server>> {
    let mut rows = vec![
        row("a good request, frames in the same packet", REQUEST, 101),
        row("no request at all, but TLS", &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], 400),
        row("an HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        row("HTTP/1.0", REQUEST.replace("HTTP/1.1", "HTTP/1.0"), 505),
        row("HTTP/0.9", "GET /\r\n\r\n", 400),
        row("a POST", REQUEST.replace("GET ", "POST "), 405),
        row("a method that nobody knows", REQUEST.replace("GET ", "BREW "), 405),
        row("a method in lower case", REQUEST.replace("GET ", "get "), 405),
        // RFC 6455 section 4.1 shows one such.
        row(
            "a key with bits behind its end",
            request_changed("Sec-WebSocket-Key", "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEC=="),
            101,
        ),
        row("no Upgrade: a page", request_changed("Upgrade", ""), 200),
        row("a Content-Length of 0", request_with("Content-Length: 0"), 101),
        row("Upgrade and Connection as lists in any case", lists(), 101),
        row("Upgrade twice", request_with("Upgrade: websocket"), 101),
        row("Connection twice", request_with("Connection: keep-alive"), 101),
        row("an absolute target", REQUEST.replace("GET / ", "GET http://localhost/ "), 101),
        row(
            "a request line of 1 MiB",
            REQUEST.replace("GET / ", &format!("GET /{} ", "a".repeat(1 << 20))),
            414,
        ),
        row("a header of 1 MiB", request_with(&format!("A: {}", "b".repeat(1 << 20))), 431),
        row("100,000 headers", request_with(&["A: b"; 100_000].join("\r\n")), 431),
        row("101 headers", request_with(&["A: b"; 96].join("\r\n")), 431),
        row("100 headers", request_with(&["A: b"; 95].join("\r\n")), 101),
        row("a line without end", "a".repeat(1 << 20), 414),
    ];
    let bad_requests: Vec<(String, Vec<u8>)> = bad_requests()
        .into_iter()
        .map(|(name, request)| (name.to_owned(), request.into_bytes()))
        .chain(bad_bytes().into_iter().map(|(name, bytes)| (name.to_owned(), bytes.to_vec())))
        .collect();
    rows.extend(bad_requests.into_iter().map(|(name, request)| row(&name, request, 400)));
    rows.extend(worst_lists().into_iter().map(|(name, line, status)| row(name, request_with(&line), status)));
    rows.extend(dribbled());
    rows
}

fn lists() -> String {
    request_changed("Upgrade", "upgrade: h2c, WEBSOCKET")
        .replace("Connection: Upgrade", "connection: a,,\tUPGRADE")
}

/// Each is answered with 400.
fn bad_requests() -> Vec<(&'static str, String)> {
    vec![
        ("another Upgrade", request_changed("Upgrade", "Upgrade: h2c")),
        ("no Connection", request_changed("Connection", "")),
        ("Connection without upgrade", request_changed("Connection", "Connection: close")),
        ("no Host", request_changed("Host", "")),
        ("an empty Host", request_changed("Host", "Host:")),
        ("Host twice", request_with("Host: localhost")),
        ("a Host that is none", request_changed("Host", "Host: a/b@c")),
        ("a Host with a port that is none", request_changed("Host", "Host: localhost:http")),
        ("no key", request_changed("Sec-WebSocket-Key", "")),
        ("an empty key", request_changed("Sec-WebSocket-Key", "Sec-WebSocket-Key:")),
        ("a short key", request_changed("Sec-WebSocket-Key", "Sec-WebSocket-Key: c2hvcnQ=")),
        ("a long key", request_changed("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQAA")),
        (
            "a key that is no base64",
            request_changed("Sec-WebSocket-Key", "Sec-WebSocket-Key: ****************======**"),
        ),
        ("a key twice", request_with("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")),
        ("no version", request_changed("Sec-WebSocket-Version", "")),
        (
            "a version that is not spoken",
            request_changed("Sec-WebSocket-Version", "Sec-WebSocket-Version: 7"),
        ),
        (
            "a version with a leading zero",
            request_changed("Sec-WebSocket-Version", "Sec-WebSocket-Version: 013"),
        ),
        ("a version twice", request_with("Sec-WebSocket-Version: 13")),
        ("Origin twice", request_with("Origin: null\r\nOrigin: null")),
        ("a body of 5 bytes", request_with("Content-Length: 5")),
        ("a body of -1 bytes", request_with("Content-Length: -1")),
        ("two lengths of a body", request_with("Content-Length: 0\r\nContent-Length: 9")),
        ("a chunked body", request_with("Transfer-Encoding: chunked")),
        ("an empty subprotocol", request_with("Sec-WebSocket-Protocol: a,,b")),
        ("a subprotocol twice", request_with("Sec-WebSocket-Protocol: a, a")),
        ("a subprotocol that is no token", request_with("Sec-WebSocket-Protocol: a b")),
        ("129 subprotocols", request_with(&numbered("Sec-WebSocket-Protocol", 129))),
        ("17 extensions", request_with(&numbered("Sec-WebSocket-Extensions", 17))),
        ("17 parameters", request_with(&format!("Sec-WebSocket-Extensions: a{}", ";b".repeat(17)))),
        ("an extension that is no token", request_with("Sec-WebSocket-Extensions: a b")),
        ("a quoted value without end", request_with("Sec-WebSocket-Extensions: a; b=\"c")),
        ("a target with a fragment", REQUEST.replace("GET / ", "GET /a#b ")),
        ("a target without a slash", REQUEST.replace("GET / ", "GET a/b ")),
        ("a target of a star", REQUEST.replace("GET / ", "GET * ")),
        ("a target of another scheme", REQUEST.replace("GET / ", "GET ftp://localhost/ ")),
        ("a target with credentials", REQUEST.replace("GET / ", "GET http://a@localhost/ ")),
        ("a target with a space", REQUEST.replace("GET / ", "GET /a b ")),
        ("two spaces", REQUEST.replace("GET / ", "GET  / ")),
        ("lines that end with LF", REQUEST.replace("\r\n", "\n")),
        ("a folded line", request_with("A: b\r\n c")),
        ("a space before a colon", request_with("A : b")),
        ("a line without a colon", request_with("A")),
        ("a name that is none", request_with("A(b): c")),
        ("two empty lines first", format!("\r\n\r\n{REQUEST}")),
    ]
}

/// The same, with bytes that are no text.
fn bad_bytes() -> [(&'static str, &'static [u8]); 5] {
    [
        ("a bare CR", b"GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n"),
        ("a bare LF", b"GET / HTTP/1.1\r\nHost: a\nB: c\r\n\r\n"),
        ("a NUL", b"GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"),
        ("a DEL", b"GET / HTTP/1.1\r\nHost: a\x7fb\r\n\r\n"),
        ("a target that is not UTF-8", b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n"),
    ]
}

fn numbered(name: &str, count: usize) -> String {
    let list: Vec<_> = (0..count).map(|number| format!("x{number}")).collect();
    format!("{name}: {}", list.join(","))
}

/// Lists as long as a head can be, in the shapes that cost most where reading is not linear.
fn worst_lists() -> Vec<(&'static str, String, u16)> {
    const LEN: usize = 15 << 10;
    let quoted = |body: String| format!("Sec-WebSocket-Extensions: a; b=\"{body}");
    vec![
        ("15 KiB of spaces in a subprotocol", format!("Sec-WebSocket-Protocol: a{}b", " ".repeat(LEN)), 400),
        ("15 KiB of commas in subprotocols", format!("Sec-WebSocket-Protocol: {}", ",".repeat(LEN)), 400),
        ("15 KiB of commas in Connection", format!("Connection: {}", ",".repeat(LEN)), 101),
        ("15 KiB of backslashes without end", quoted("\\".repeat(LEN)), 400),
        ("15 KiB of quoted pairs without end", quoted("\\a".repeat(LEN / 2)), 400),
        ("15 KiB of semicolons", format!("Sec-WebSocket-Extensions: a{}", ";".repeat(LEN)), 400),
        ("15 KiB of spaces in an extension", format!("Sec-WebSocket-Extensions: a{};", " ".repeat(LEN)), 400),
        ("15 KiB of one token", format!("Sec-WebSocket-Extensions: {}", "a".repeat(LEN)), 101),
    ]
}

/// Heads that come a byte at a time: the cost is that of the reads, and no more.
fn dribbled() -> Vec<Attack<Server>> {
    let bounds = Bounds::SMALL.cpu(Duration::from_millis(400)).time(Duration::from_secs(4));
    let long = request_with(&format!("A: {}", "b".repeat(20 << 10)));
    let lines = request_with(&["A:"; 99].join("\r\n"));
    let byte_by_byte = |name: &str, request: String, status| {
        Attack::new(name, bounds, move |server: &Server| {
            answered(server, request.as_bytes(), Cut::Bytes, status)
        })
    };
    vec![
        byte_by_byte("20 KiB of head, a byte at a time", long, 431),
        byte_by_byte("103 lines, a byte at a time", lines, 431),
        Attack::new("half a head, and then the end", Bounds::SMALL, |server: &Server| {
            let head = &REQUEST.as_bytes()[..40];
            let stream = super::super::peer::connect(server.address)?;
            std::io::Write::write_all(&mut &stream, head)?;
            stream.shutdown(std::net::Shutdown::Write)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            let read = std::io::Read::read(&mut &stream, &mut [0; 64])?;
            ensure!(read == 0, "{read} bytes came");
            Ok("the end".to_owned())
        }),
    ]
}
