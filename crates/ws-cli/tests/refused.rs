//! `ws connect` where there is no connection to be had: a reason, what may help, and exit status 2.

mod support;

use support::{Outcome, Server, connect, peer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn refused(outcome: &Outcome) -> &str {
    assert_eq!((outcome.status, &*outcome.out), (Some(2), ""), "{}", outcome.errors);
    let error = outcome.errors.strip_prefix("error: ").unwrap();
    assert_eq!(error.lines().count(), 1, "{error}");
    error.trim_end()
}

#[test]
fn a_bad_address_is_explained() {
    for (url, help) in [
        ("127.0.0.1:9001", "try ws://127.0.0.1:9001"),
        ("localhost", "try ws://localhost"),
        ("ftp://localhost/", "ws://"),
        ("ws://", "ws://: "),
        ("ws://a b/", "not a valid URI"),
        ("ws://localhost/#there", "fragment"),
        ("\x1b[2J", "\\u{1b}[2J"),
    ] {
        let outcome = connect(&["--", url], b"");
        assert!(refused(&outcome).contains(help), "{outcome:?}");
    }
}

#[test]
fn bad_options_are_explained() {
    for args in [
        &["-H", "Upgrade: other"][..],
        &["-s", "a b"],
        &["-H", "no colon"],
        &["--auth", "me"],
        &["--wait", "-1"],
    ] {
        let outcome = connect(&[&["ws://localhost/"], args].concat(), b"");
        assert_eq!(outcome.status, Some(2));
        assert!(outcome.errors.starts_with("error: "), "{}", outcome.errors);
    }
}

#[test]
fn no_server_is_no_connection() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", taken.local_addr().unwrap());
    drop(taken);
    let outcome = connect(&[&url], b"hello\n");
    assert!(refused(&outcome).ends_with("is the server running?"), "{outcome:?}");
}

#[test]
fn an_answer_other_than_101_comes_with_what_may_help() {
    for (answer, told, help) in [
        ("HTTP/1.1 401 Unauthorized\r\n\r\n", "401", "--auth USER:PASSWORD"),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "403", "-o ORIGIN"),
        ("HTTP/1.1 404 Not Found\r\n\r\n", "404", "another one"),
        ("HTTP/1.1 302 Found\r\nLocation: wss://example.com/\r\n\r\n", "302", "wss://example.com/"),
        ("HTTP/1.1 503 Service Unavailable\r\n\r\n", "503", "later"),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", "answer's", "Upgrade"),
        ("SSH-2.0-OpenSSH_9.6\r\n\r\n", "cannot be read", "is it an HTTP server"),
        ("", "closed the transport", "try wss://"),
    ] {
        let (url, peer) = peer(async move |mut stream: tokio::net::TcpStream| {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        let outcome = connect(&[&url], b"hello\n");
        peer.join().unwrap();
        let error = refused(&outcome);
        assert!(error.contains(told) && error.contains(help), "{error}");
    }
}

#[test]
fn a_subprotocol_that_the_server_does_not_speak_is_told() {
    let (url, peer) = peer(async |stream| {
        let mut upgrade = ws_stack::Upgrade::read(stream, &Default::default()).await.unwrap();
        upgrade.choose_subprotocol(None).unwrap();
        upgrade.accept().await.unwrap();
    });
    let outcome = connect(&[&url, "-s", "chat"], b"");
    peer.join().unwrap();
    assert!(refused(&outcome).contains("none of the requested subprotocols"), "{outcome:?}");
}

#[test]
fn plain_text_to_a_server_under_tls_is_told() {
    let server = Server::start(&["--tls-self-signed"]);
    let outcome = connect(&[&server.url.replace("wss", "ws")], b"");
    assert!(refused(&outcome).contains("wss://") || refused(&outcome).contains("without TLS"), "{outcome:?}");
    let server = Server::start(&[]);
    let outcome = connect(&["-n", &server.url.replace("ws:", "wss:")], b"");
    assert!(refused(&outcome).contains("try ws://"), "{outcome:?}");
}
