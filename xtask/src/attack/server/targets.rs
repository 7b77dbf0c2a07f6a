//! What is asked for, and of whom: targets, hosts, and headers that stand there more than once (RFC 9112 section 3.2).

use super::super::plan::Attack;
use super::super::wire::{REQUEST, request_changed, request_with};
use super::Server;
use super::handshake::row;

fn target(target: &str, status: u16) -> Attack<Server> {
    row(&format!("target {target}"), REQUEST.replace("GET / ", &format!("GET {target} ")), status)
}

pub(super) fn attacks() -> Vec<Attack<Server>> {
    let mut rows = Vec::new();
    for taken in [
        "/?",
        "/a?b=c%20d",
        "/a//b/../c",
        "//localhost/",
        "/%00",
        "http://localhost",
        "http://localhost:80/a?b",
        "https://localhost/",
        "http://elsewhere.example/",
        "HTTP://localhost/",
    ] {
        rows.push(target(taken, 101));
    }
    // A parser of heads takes most of these, and one of addresses refuses them.
    for refused in [
        "/<script>",
        "/a`b",
        "/a>b",
        "/a#",
        "localhost:80",
        "localhost",
        "?a",
        "%2f",
        "\\",
        "http:",
        "http://",
        "http:///a",
        "http://localhost:port/",
        "http://localhost:65536/",
        "http://localhost:-1/",
        "http://[::1/",
        "http://[x]/",
        "http://a b/",
        "http://localhost/#a",
        "http://:80/",
        "http://@localhost/",
        "http://a:b@localhost/",
        "mailto:a@localhost",
        "file://localhost/etc/passwd",
        "1http://localhost/",
    ] {
        rows.push(target(refused, 400));
    }
    for host in [
        "localhost, elsewhere.example",
        "localhost elsewhere.example",
        "http://localhost",
        "a@localhost",
        "localhost/",
        "localhost:65536",
        "localhost:-1",
        "localhost:80:80",
        "[::1",
        "::1",
        "[x]",
        "local%zzhost",
    ] {
        rows.push(row(&format!("Host: {host}"), request_changed("Host", &format!("Host: {host}")), 400));
    }
    for (name, line, status) in [
        ("Host twice, and different", "Host: elsewhere.example", 400),
        ("a second version", "Sec-WebSocket-Version: 8", 400),
        ("a second key", "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==", 400),
        // RFC 9110 section 8.6: the same value twice is that value.
        ("the same length of no body twice", "Content-Length: 0\r\nContent-Length: 0", 101),
        ("a length in hexadecimal", "Content-Length: 0x0", 400),
        ("a length with a sign", "Content-Length: +0", 400),
        ("a length that overflows", "Content-Length: 18446744073709551616", 400),
        ("a length and chunks", "Content-Length: 0\r\nTransfer-Encoding: chunked", 400),
        ("an encoding that nobody knows", "Transfer-Encoding: xchunked", 400),
        ("an encoding that is none", "Transfer-Encoding: identity", 400),
        ("a name twice in two cases", "HOST: localhost", 400),
    ] {
        rows.push(row(name, request_with(line), status));
    }
    rows
}
