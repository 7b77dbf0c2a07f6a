//! `ws serve` as its clients see it.

mod support;

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Command,
};

use support::{Server, block_on, ws};
use ws_stack::{ClientStream, CloseCode, Connect, Message, WebSocket};

async fn client(server: &Server) -> WebSocket<ClientStream> {
    ws_stack::connect(&server.url).await.unwrap()
}

/// Opens a connection by hand, for what no client of ours does.
fn raw(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "));
    stream
}

fn exchange(server: &Server, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn messages_come_back_as_they_were() {
    for threads in ["1", "2"] {
        let server = Server::start(&["--threads", threads]);
        block_on(async {
            let mut connections = Vec::new();
            for _ in 0..4 {
                connections.push(client(&server).await);
            }
            for ws in &mut connections {
                for message in ["hello".into(), "".into(), vec![7; 300_000].into(), Message::from(b"\0\xff")]
                {
                    ws.send(message.clone()).await.unwrap();
                    assert_eq!(ws.recv().await.unwrap().unwrap(), message);
                }
            }
            for mut ws in connections {
                let closed = ws.close(CloseCode::NORMAL, "done").await.unwrap().unwrap();
                assert_eq!((closed.code, closed.is_clean()), (1000, true));
            }
        });
    }
}

#[test]
fn compression_is_answered_as_the_preset_says() {
    for (preset, answer) in [
        ("--deflate", "server_no_context_takeover; client_no_context_takeover"),
        ("--deflate=low-latency", "server_no_context_takeover; client_no_context_takeover"),
        ("--deflate=smallest", ""),
        ("--deflate=kept", ""),
        ("--deflate=small-contexts", "server_max_window_bits=12; client_max_window_bits=12"),
    ] {
        let server = Server::start(&[preset]);
        block_on(async {
            let mut ws = client(&server).await;
            let header = &ws.response().unwrap().headers()["sec-websocket-extensions"];
            let wanted = if answer.is_empty() { "".to_owned() } else { format!("; {answer}") };
            assert_eq!(header.to_str().unwrap(), format!("permessage-deflate{wanted}"), "{preset}");
            let message = Message::from("so much of the same, ".repeat(1000));
            for _ in 0..2 {
                ws.send(message.clone()).await.unwrap();
                assert_eq!(ws.recv().await.unwrap().unwrap(), message);
            }
        });
    }
}

#[test]
fn a_message_over_the_limit_closes_with_1009() {
    let server = Server::start(&["--max-message", "10"]);
    block_on(async {
        let mut ws = client(&server).await;
        ws.send("0123456789").await.unwrap();
        assert_eq!(ws.recv().await.unwrap().unwrap(), Message::from("0123456789"));
        ws.send("0123456789a").await.unwrap();
        assert!(ws.recv().await.is_none());
        assert_eq!(ws.closed().unwrap().code, 1009);
    });
}

#[test]
fn a_plain_get_gets_a_page() {
    let server = Server::start(&[]);
    let answer = exchange(&server, "GET /any HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let (head, page) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    for header in
        ["content-type: text/html", "connection: close", "content-security-policy: default-src 'none'"]
    {
        assert!(head.to_ascii_lowercase().contains(header), "{head}");
    }
    assert!(page.starts_with("<!doctype html>") && page.contains(&server.url));

    let answer = exchange(&server, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"), "{answer}");
}

#[test]
fn broadcast_reaches_everybody_in_one_order() {
    let server = Server::start(&["--mode", "broadcast", "--threads", "2"]);
    block_on(async {
        let mut members = Vec::new();
        for number in 0..5 {
            let mut ws = client(&server).await;
            // Its own message comes back when it is in the room.
            ws.send(format!("member {number}")).await.unwrap();
            assert_eq!(ws.recv().await.unwrap().unwrap().as_text(), Some(&*format!("member {number}")));
            members.push(ws);
        }
        for (number, ws) in members.iter_mut().enumerate() {
            for _ in number + 1..5 {
                ws.recv().await.unwrap().unwrap();
            }
        }
        for ws in &mut members {
            for text in ["a", "b", "c"] {
                ws.feed(text).await.unwrap();
            }
            ws.flush().await.unwrap();
        }
        let mut orders = Vec::new();
        for ws in &mut members {
            let mut order = String::new();
            for _ in 0..15 {
                order.push_str(ws.recv().await.unwrap().unwrap().as_text().unwrap());
            }
            orders.push(order);
        }
        orders.dedup();
        assert_eq!(orders.len(), 1, "{orders:?}");
        assert_eq!(orders[0].matches('a').count(), 5);

        let mut left = members.pop().unwrap();
        left.close(CloseCode::NORMAL, "").await.unwrap();
        for ws in &mut members {
            ws.send("still here").await.unwrap();
            while ws.recv().await.unwrap().unwrap().as_text() != Some("still here") {}
        }
    });
}

#[test]
fn broadcast_lets_go_of_who_does_not_read() {
    let server = Server::start(&["--mode", "broadcast"]);
    block_on(async {
        let mut slow = client(&server).await;
        slow.send("ready").await.unwrap();
        slow.recv().await.unwrap().unwrap();
        let mut busy = client(&server).await;
        let message = Message::from(vec![0; 64 << 10]);
        for _ in 0..1024 {
            busy.send(message.clone()).await.unwrap();
            assert_eq!(busy.recv().await.unwrap().unwrap(), message);
        }
        let mut received = 0;
        while let Some(message) = slow.recv().await {
            received += message.unwrap().len();
        }
        assert_eq!(slow.closed().unwrap().code, 1013);
        assert!(received < 1024 * message.len());
        busy.send("still here").await.unwrap();
        assert_eq!(busy.recv().await.unwrap().unwrap().as_text(), Some("still here"));
    });
}

#[cfg(unix)]
#[test]
fn a_signal_closes_with_1001_and_succeeds() {
    for (signal, args) in [
        ("INT", &[][..]),
        ("TERM", &["--threads", "2"]),
        ("INT", &["--mode", "broadcast"]),
        ("INT", &["--tls-self-signed"]),
    ] {
        let server = Server::start(args);
        if args == ["--tls-self-signed"] {
            // Nobody is connected: it just ends.
            server.signal(signal);
        } else {
            block_on(async {
                let mut connections = Vec::new();
                for _ in 0..4 {
                    connections.push(client(&server).await);
                }
                // A transport without a handshake holds nobody up.
                let _half_open = TcpStream::connect(server.address()).unwrap();
                server.signal(signal);
                for mut ws in connections {
                    assert!(ws.recv().await.is_none());
                    let closed = ws.closed().unwrap();
                    assert_eq!((closed.code, closed.is_clean()), (1001, true));
                }
            });
        }
        let (status, out, errors) = server.end();
        assert!(status.success(), "{status}");
        assert_eq!((&*out, &*errors), ("", ""));
    }
}

#[cfg(unix)]
#[test]
fn a_second_signal_does_not_wait() {
    let server = Server::start(&[]);
    let mut stream = raw(&server);
    server.signal("INT");
    let mut header = [0; 2];
    stream.read_exact(&mut header).unwrap();
    assert_eq!(header[0], 0x88, "a Close");
    server.signal("INT");
    let (status, ..) = server.end();
    assert_eq!(status.code(), Some(130));
}

#[cfg(unix)]
#[test]
fn failures_are_told_when_asked_for() {
    for (args, told) in [(&["--verbose"][..], true), (&[], false)] {
        let server = Server::start(args);
        let mut stream = raw(&server);
        let peer = stream.local_addr().unwrap();
        // A frame that is not masked: RFC 6455 section 5.1.
        stream.write_all(&[0x81, 0x00]).unwrap();
        let mut close = [0; 4];
        stream.read_exact(&mut close).unwrap();
        assert_eq!(close, [0x88, close[1], 0x03, 0xea], "a Close with 1002");
        drop(stream);
        server.signal("INT");
        let (_, _, errors) = server.end();
        assert_eq!(errors.contains(&format!("{peer}: connection failed: ")), told, "{errors}");
        assert_eq!(errors.is_empty(), !told);
    }
}

#[cfg(unix)]
#[test]
fn what_was_negotiated_is_told_when_asked_for() {
    for (args, told) in [
        (&["--verbose", "--deflate"][..], Some("open, subprotocol: none, extensions: permessage-deflate")),
        (&["--verbose"], Some("open, subprotocol: none, extensions: none")),
        (&["--deflate"], None),
    ] {
        let server = Server::start(args);
        let closed = block_on(async { client(&server).await.close(CloseCode::NORMAL, "").await });
        assert!(closed.unwrap().unwrap().is_clean());
        server.signal("INT");
        let (_, _, errors) = server.end();
        assert_eq!(told.is_some_and(|told| errors.contains(told)), told.is_some(), "{errors}");
        assert_eq!(errors.is_empty(), told.is_none(), "{errors}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_without_descriptors_goes_on_when_it_has_some_again() {
    // Eleven are the program's own, about.
    let server = Server::start_by(Command::new("sh").args(["-c", "ulimit -n 24; exec \"$0\" \"$@\""]), &[]);
    let mut waiting: Vec<_> = (0..40).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
    // The first is served whatever waits behind it.
    waiting[0].write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    waiting[0].read_to_string(&mut String::new()).unwrap();
    drop(waiting);
    block_on(async {
        let mut ws = client(&server).await;
        ws.send("hello").await.unwrap();
        assert_eq!(ws.recv().await.unwrap().unwrap(), Message::from("hello"));
    });
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let server = Server::start(&[]);
    let taken = server.address().to_string();
    for (args, error) in [
        (&["--listen", &*taken][..], "error: cannot listen on "),
        (&["--listen", &*taken, "--threads", "2"], "error: cannot listen on "),
        (&["--listen", "nowhere"], "error: \"nowhere\" is no address"),
        (&["--tls-cert", "Cargo.toml", "--tls-key", "Cargo.toml"], "error: no certificate in Cargo.toml"),
        (
            &["--tls-cert", "none.pem", "--tls-key", "none.pem"],
            "error: cannot read certificates from none.pem",
        ),
    ] {
        let output = ws(["serve"].iter().chain(args).copied()).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.starts_with(error) && errors.lines().count() == 1, "{errors}");
    }
}

#[test]
fn the_request_may_ask_for_anything_that_is_allowed() {
    let server = Server::start(&[]);
    block_on(async {
        let mut connect = Connect::new(&format!("{}chat?a=b", server.url)).unwrap();
        connect.request =
            connect.request.subprotocols(["one", "two"]).unwrap().origin("https://example.com").unwrap();
        let ws = connect.open().await.unwrap();
        assert_eq!(ws.subprotocol(), Some("one"));
    });
}
