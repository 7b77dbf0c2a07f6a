//! Pages of elsewhere: what a server that looks at origins lets in (RFC 6455 section 10.2).

use super::super::plan::Attack;
use super::super::wire::{request_changed, request_with};
use super::Server;
use super::handshake::row;

fn named(origin: &str, status: u16) -> Attack<Server> {
    let name = format!("origin {}", if origin.is_empty() { "empty" } else { origin });
    row(&name, request_with(&format!("Origin: {origin}")), status)
}

/// Against a server that lets in its own pages, and whose host is `localhost`.
pub(super) fn same_host() -> Vec<Attack<Server>> {
    let at = |host: &str, origin: &str| request_changed("Host", &format!("Host: {host}\r\nOrigin: {origin}"));
    let mut rows = vec![
        row("no origin", super::super::wire::REQUEST, 101),
        row("a port that both name", at("localhost:8080", "http://localhost:8080"), 101),
        row("a port that is the page's default", at("localhost:80", "http://localhost"), 101),
        row("another port", at("localhost:8080", "http://localhost:8081"), 403),
        row("the default port of the other scheme", at("localhost:443", "http://localhost"), 403),
        row("an IPv6 address", at("[::1]:8080", "http://[::1]:8080"), 101),
        row(
            "the same origin twice",
            request_with("Origin: http://localhost\r\nOrigin: http://localhost"),
            400,
        ),
        row(
            "an absolute target of another host than the page's",
            at("localhost", "http://localhost").replace("GET / ", "GET http://elsewhere.example/ "),
            403,
        ),
        row(
            "an absolute target of the page's host",
            at("localhost", "http://elsewhere.example").replace("GET / ", "GET http://elsewhere.example/ "),
            101,
        ),
    ];
    // RFC 3986 section 3.2.3: a port of no digits is the default one.
    for origin in
        ["http://localhost", "https://localhost", "http://LOCALHOST", "HTTP://localhost", "http://localhost:"]
    {
        rows.push(named(origin, 101));
    }
    for origin in [
        "",
        "null",
        "NULL",
        "localhost",
        "//localhost",
        "http://",
        "http:/localhost",
        "ws://localhost",
        "ftp://localhost",
        "file://localhost",
        "http://localhost.",
        "http://localhost/",
        "http://localhost:80:80",
        "http://localhost:8080",
        "http://localhost.elsewhere.example",
        "http://elsewhere.example/localhost",
        "http://elsewhere-localhost",
        "http://localhost@elsewhere.example",
        "http://elsewhere.example@localhost",
        "http://elsewhere.example#http://localhost",
        "http://localhost http://elsewhere.example",
        "http://elsewhere.example, http://localhost",
        "http://127.0.0.1",
        "http://local%68ost",
        "http://*",
    ] {
        rows.push(named(origin, 403));
    }
    rows
}

/// Against a server that lets in `https://example.com`, and nothing else that says who it is.
pub(super) fn listed() -> Vec<Attack<Server>> {
    let mut rows = vec![row("no origin", super::super::wire::REQUEST, 101)];
    for origin in ["https://example.com", "https://EXAMPLE.com"] {
        rows.push(named(origin, 101));
    }
    for origin in [
        "",
        "null",
        "http://example.com",
        "https://example.com:443",
        "https://example.com/",
        "https://example.com.elsewhere.example",
        "https://www.example.com",
        "https://notexample.com",
        "https://example.co",
        "https://localhost",
        "https://example.com https://elsewhere.example",
    ] {
        rows.push(named(origin, 403));
    }
    rows
}
