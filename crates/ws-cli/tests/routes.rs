//! `ws connect` where the way to the server leads over others: proxies and redirects.

mod support;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    thread::{self, JoinHandle},
};

use support::{Outcome, Server, connect, peer, ws};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A proxy for one tunnel, which leads to `server` whatever it is asked for: its port, and the request it got.
fn proxy(server: SocketAddr) -> (u16, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut head = String::new();
        let mut reader = BufReader::new(client.try_clone().unwrap());
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(reader.read_line(&mut head).unwrap(), 0, "{head}");
        }
        let server = TcpStream::connect(server).unwrap();
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
        let (there, back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        let up = thread::spawn(move || pass_on(reader, there));
        pass_on(server, back);
        up.join().unwrap();
        head
    });
    (port, thread)
}

fn pass_on(mut from: impl Read, mut to: TcpStream) {
    // Either side may end as it likes.
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

/// `ws connect` with these variables of the environment, and no other that names a proxy.
fn connect_in(environment: &[(&str, &str)], args: &[&str]) -> Outcome {
    let mut command = ws(["connect"].iter().chain(args).copied());
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    let mut child = command.envs(environment.iter().copied()).spawn().unwrap();
    // A client that has ended early takes no more.
    let _ = child.stdin.take().unwrap().write_all(b"hello\n");
    let output = child.wait_with_output().unwrap();
    Outcome {
        status: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        errors: String::from_utf8(output.stderr).unwrap(),
    }
}

fn is_echoed(outcome: &Outcome) {
    assert_eq!((outcome.status, &*outcome.out), (Some(0), "hello\n"), "{}", outcome.errors);
}

#[test]
fn a_named_proxy_is_used_even_for_this_machine() {
    let server = Server::start(&[]);
    let (port, proxy) = proxy(server.address());
    is_echoed(&connect(&["--proxy", &format!("http://me:pw@127.0.0.1:{port}"), &server.url], b"hello\n"));
    let request = proxy.join().unwrap();
    assert!(request.starts_with(&format!("CONNECT {} HTTP/1.1\r\n", server.address())), "{request}");
    assert!(request.to_lowercase().contains("proxy-authorization: basic "), "{request}");
}

#[test]
fn the_environment_names_a_proxy() {
    let server = Server::start(&[]);
    let (port, proxy) = proxy(server.address());
    let address = format!("http://127.0.0.1:{port}");
    is_echoed(&connect_in(&[("http_proxy", &address)], &["ws://server.example/"]));
    assert!(proxy.join().unwrap().starts_with("CONNECT server.example:80 "));
}

#[test]
fn no_proxy_is_used_when_told_so() {
    let environment = [("http_proxy", "http://127.0.0.1:1")];
    let through = connect_in(&environment, &["ws://server.invalid/"]);
    assert_eq!(through.status, Some(2));
    assert!(through.errors.contains("port 1") && through.errors.contains("127.0.0.1"), "{}", through.errors);
    let directly = connect_in(&environment, &["--no-proxy", "ws://server.invalid/"]);
    assert_eq!(directly.status, Some(2));
    assert!(directly.errors.contains("cannot find the address of server.invalid"), "{}", directly.errors);
}

#[test]
fn a_proxy_that_refuses_is_told_with_what_may_help() {
    let (url, peer) = answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_owned());
    let proxy = url.replace("ws:", "http:");
    let outcome = connect(&["--proxy", &proxy, "ws://server.example/"], b"");
    peer.join().unwrap();
    assert_eq!(outcome.status, Some(2));
    assert!(outcome.errors.contains("403") && outcome.errors.contains("--no-proxy"), "{}", outcome.errors);
}

#[test]
fn redirects_are_followed_when_told_so() {
    let server = Server::start(&[]);
    let answer = format!("HTTP/1.1 302 Found\r\nLocation: {}\r\n\r\n", server.url);
    let (url, peer) = answering(answer.clone());
    is_echoed(&connect(&["--max-redirects", "1", &url], b"hello\n"));
    peer.join().unwrap();

    let (url, peer) = answering(answer);
    let outcome = connect(&[&url], b"hello\n");
    peer.join().unwrap();
    assert_eq!(outcome.status, Some(2));
    assert!(outcome.errors.contains("--max-redirects"), "{}", outcome.errors);
}

/// A server that gives one answer to one request.
fn answering(answer: String) -> (String, JoinHandle<()>) {
    peer(async move |mut stream: tokio::net::TcpStream| {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
}
