//! `ws connect` in a pipe.

mod support;

use std::io::Write;

use support::{Client, Server, connect, peer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use ws_stack::{CloseCode, Initiator, Upgrade};

const NORMAL: &str = "closed: 1000 (normal closure)\n";

#[test]
fn each_line_is_a_message_and_each_message_a_line() {
    let server = Server::start(&[]);
    let outcome = connect(&[&server.url], "hello\n\n\u{fc}\r\nlast".as_bytes());
    assert_eq!(
        (outcome.status, &*outcome.out, &*outcome.errors),
        (Some(0), "hello\n\n\u{fc}\nlast\n", NORMAL)
    );
    let outcome = connect(&[&server.url], b"");
    assert_eq!((outcome.status, &*outcome.out, &*outcome.errors), (Some(0), "", NORMAL));
}

#[test]
fn much_input_comes_back_whole() {
    let server = Server::start(&[]);
    let mut input: String = (0..20_000).map(|number| format!("line {number}\n")).collect();
    for letter in ["a", "b", "c"] {
        input.push_str(&letter.repeat(3 << 20));
        input.push('\n');
    }
    let outcome = connect(&[&server.url], input.as_bytes());
    assert_eq!((outcome.status, &*outcome.errors), (Some(0), NORMAL));
    assert!(outcome.out == input, "{} bytes of {}", outcome.out.len(), input.len());
}

#[test]
fn control_characters_are_escaped() {
    let server = Server::start(&[]);
    let outcome = connect(&[&server.url], b"a\x1b[31mb\x07\tc\rd\x7f\n");
    assert_eq!(outcome.out, "a\\u{1b}[31mb\\u{7}\tc\\rd\\u{7f}\n");

    let (url, peer) = peer(async |stream| {
        let mut ws = ws_stack::accept(stream).await.unwrap();
        ws.close(CloseCode::NORMAL, "\x1b[2Jbye\n").await.unwrap();
    });
    let outcome = connect(&[&url, "--wait", "60"], b"");
    peer.join().unwrap();
    assert_eq!(outcome.errors, "closed: 1000 (normal closure) \\u{1b}[2Jbye\\n\n");
}

#[test]
fn binary_messages_are_hex() {
    let server = Server::start(&[]);
    let outcome = connect(&[&server.url, "--binary"], b"\xff\x00a\n");
    assert_eq!((outcome.status, &*outcome.out), (Some(0), "binary, 3 bytes: ff0061\n"));
    let outcome = connect(&[&server.url], b"ok\n\xff\nnever sent\n");
    assert_eq!((outcome.status, &*outcome.out), (Some(1), "ok\n"));
    assert!(outcome.errors.contains("not UTF-8: send it with --binary"), "{}", outcome.errors);
}

#[test]
fn the_exit_status_tells_the_close() {
    for (code, status) in [(1000, 0), (1001, 0), (1002, 1), (1008, 1), (1011, 1), (3000, 1), (4999, 1)] {
        let (url, peer) = peer(async move |stream| {
            let mut ws = ws_stack::accept(stream).await.unwrap();
            ws.close(CloseCode::new(code).unwrap(), "why").await.unwrap();
        });
        let outcome = connect(&[&url, "--wait", "60"], b"");
        peer.join().unwrap();
        assert_eq!(outcome.status, Some(status), "{code}");
        assert!(outcome.errors.starts_with(&format!("closed: {code} (")), "{}", outcome.errors);
        assert!(outcome.errors.ends_with(") why\n"), "{}", outcome.errors);
    }
}

#[test]
fn ends_without_a_code_are_told_apart() {
    for (bytes, status, line) in [
        (&[0x88, 0][..], 0, "closed: 1005 (no status)\n"),
        (&[], 1, "closed: 1006 (abnormal closure); connection lost: "),
        (&[0x83, 0], 1, "closed: 1006 (abnormal closure); connection failed: "),
    ] {
        let (url, peer) = peer(async move |mut stream: tokio::net::TcpStream| {
            let ws = ws_stack::accept_local(&mut stream).await.unwrap();
            ws.close_now();
            stream.write_all(bytes).await.unwrap();
            stream.shutdown().await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
        });
        let outcome = connect(&[&url, "--wait", "60"], b"");
        peer.join().unwrap();
        assert_eq!(outcome.status, Some(status), "{}", outcome.errors);
        assert!(outcome.errors.starts_with(line), "{}", outcome.errors);
    }
}

#[test]
fn a_wait_leaves_the_close_to_the_server() {
    let (url, peer) = peer(async |stream| {
        let mut ws = ws_stack::accept(stream).await.unwrap();
        assert_eq!(ws.recv().await.unwrap().unwrap().as_text(), Some("question"));
        ws.send("answer").await.unwrap();
        ws.close(CloseCode::NORMAL, "").await.unwrap().unwrap().initiator
    });
    let outcome = connect(&[&url, "--wait", "60"], b"question\n");
    assert_eq!(peer.join().unwrap(), Initiator::Local);
    assert_eq!((outcome.status, &*outcome.out, &*outcome.errors), (Some(0), "answer\n", NORMAL));
}

#[test]
fn a_wait_that_is_over_closes() {
    let (url, peer) = peer(async |stream| {
        let mut ws = ws_stack::accept(stream).await.unwrap();
        assert!(ws.recv().await.is_none());
        ws.closed().unwrap().initiator
    });
    let outcome = connect(&[&url, "--wait", "1"], b"");
    assert_eq!(peer.join().unwrap(), Initiator::Peer);
    assert_eq!((outcome.status, &*outcome.errors), (Some(0), NORMAL));
}

#[cfg(target_os = "linux")]
#[test]
fn an_input_that_cannot_be_read_is_a_failure_behind_a_clean_close() {
    let server = Server::start(&[]);
    let output =
        support::ws(["connect", &server.url]).stdin(std::fs::File::open(".").unwrap()).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("cannot read standard input: ") && errors.contains("1000"), "{errors}");
}

#[test]
fn the_handshake_carries_what_was_asked_for() {
    let (url, peer) = peer(async |stream| {
        let upgrade = Upgrade::read(stream, &Default::default()).await.unwrap();
        let headers = upgrade.request().headers().clone();
        let mut ws = upgrade.accept().await.unwrap();
        ws.close(CloseCode::NORMAL, "").await.unwrap();
        headers
    });
    let outcome = connect(
        &[
            &url,
            "-H",
            "X-A: 1:2",
            "-H",
            "x-b:3",
            "-o",
            "https://example.com",
            "-s",
            "one",
            "-s",
            "two",
            "--auth",
            "me:pass word",
        ],
        b"",
    );
    assert_eq!(outcome.status, Some(0), "{}", outcome.errors);
    let headers = peer.join().unwrap();
    for (name, value) in [
        ("x-a", "1:2"),
        ("x-b", "3"),
        ("origin", "https://example.com"),
        ("sec-websocket-protocol", "one, two"),
        ("authorization", "Basic bWU6cGFzcyB3b3Jk"),
    ] {
        assert_eq!(headers[name], value);
    }
}

#[test]
fn pings_are_shown_when_asked_for() {
    for (args, shown) in [(&["-P"][..], "ping: a\\u{1b}b\npong: c\ndone\n"), (&[], "done\n")] {
        let (url, peer) = peer(async |stream| {
            let mut ws = ws_stack::accept(stream).await.unwrap();
            ws.ping(b"a\x1bb").await.unwrap();
            ws.pong(b"c").await.unwrap();
            ws.send("done").await.unwrap();
            ws.close(CloseCode::NORMAL, "").await.unwrap();
        });
        let outcome = connect(&[&[&*url, "--wait", "60"], args].concat(), b"");
        peer.join().unwrap();
        assert_eq!(outcome.out, shown);
    }
}

#[test]
fn a_closed_output_ends_it_without_a_failure() {
    let server = Server::start(&["--mode", "broadcast"]);
    let mut client = Client::start(&[&server.url]);
    client.write("first\n");
    assert_eq!(client.line(), "first");
    client.stdout = None;
    // Until it is gone: a program that another test starts right now may hold the pipe for a moment.
    let mut stdin = client.stdin.take().unwrap();
    while stdin.write_all(b"more\n").is_ok() {}
    let outcome = client.end();
    assert_eq!((outcome.status, &*outcome.errors), (Some(0), NORMAL));
}

#[cfg(unix)]
#[test]
fn a_signal_closes_the_connection() {
    let server = Server::start(&[]);
    for signal in ["INT", "TERM"] {
        let mut client = Client::start(&[&server.url]);
        client.write("hello\n");
        assert_eq!(client.line(), "hello");
        client.signal(signal);
        let outcome = client.end();
        assert_eq!((outcome.status, &*outcome.errors), (Some(0), NORMAL));
    }
}

#[cfg(unix)]
#[test]
fn a_second_signal_does_not_wait_for_the_server() {
    let (sender, told) = std::sync::mpsc::channel();
    let (done, ended) = tokio::sync::oneshot::channel();
    let (url, peer) = peer(async move |mut stream: tokio::net::TcpStream| {
        let mut ws = ws_stack::accept_local(&mut stream).await.unwrap();
        ws.send("hello").await.unwrap();
        ws.close_now();
        // The Close is read and left without an answer.
        stream.read_exact(&mut [0; 8]).await.unwrap();
        sender.send(()).unwrap();
        ended.await.unwrap();
    });
    let mut client = Client::start(&[&url]);
    assert_eq!(client.line(), "hello");
    client.signal("INT");
    told.recv().unwrap();
    client.signal("INT");
    let outcome = client.end();
    done.send(()).unwrap();
    peer.join().unwrap();
    assert_eq!(outcome.status, Some(1));
    assert_eq!(outcome.errors, "closed: 1006 (abnormal closure); interrupted\n");
}
