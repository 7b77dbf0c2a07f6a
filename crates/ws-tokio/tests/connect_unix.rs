//! `ws+unix:` addresses.
#![cfg(unix)]

mod support;

use std::{io, path::PathBuf, sync::Arc};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixListener,
};
use ws_tokio::{ClientStream, Connect, ConnectError, Upgrade};

/// A path for a socket, which nobody else uses.
fn path(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("ws-tokio-{}-{name}.sock", std::process::id()));
    _ = std::fs::remove_file(&path);
    path
}

/// The socket's file goes with the test.
struct Socket(PathBuf, UnixListener);

impl Socket {
    fn bind(name: &str) -> Self {
        let path = path(name);
        let listener = UnixListener::bind(&path).expect("a socket");
        Self(path, listener)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        _ = std::fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn a_unix_socket_is_connected_to() {
    let socket = Socket::bind("connects");
    for (suffix, target) in [("", "/"), (":/chat?x=1", "/chat?x=1")] {
        let serves = async {
            let (stream, _) = socket.1.accept().await.expect("a client");
            let upgrade = Upgrade::read(stream, &Arc::default()).await.expect("a request");
            assert_eq!(upgrade.request().uri(), target);
            assert_eq!(upgrade.request().headers()["host"], "localhost");
            let mut ws = upgrade.accept().await.expect("accepted");
            ws.send("hello").await.expect("sent");
            ws
        };
        let address = format!("ws+unix:{}{suffix}", socket.0.display());
        let (client, _server) = tokio::join!(ws_tokio::connect(&address), serves);
        let mut client = client.expect("connected");
        assert_eq!(client.recv().await.expect("not the end").expect("a message").as_text(), Some("hello"));
        assert!(client.url().expect("an address").starts_with("ws+unix:/"));
        let stream = client.get_ref();
        assert!(matches!(stream, ClientStream::Unix(_)) && stream.tcp().is_none());
        assert_eq!(stream.peer_addr().expect_err("no TCP").kind(), io::ErrorKind::Unsupported);
    }
}

#[tokio::test]
async fn a_socket_that_is_not_there_is_an_error_that_names_it() {
    let path = path("missing");
    let error = ws_tokio::connect(&format!("ws+unix:{}", path.display())).await.expect_err("no socket");
    let ConnectError::Socket { path: named, error: cause } = &error else { panic!("{error:?}") };
    assert_eq!((named, cause.kind()), (&path, io::ErrorKind::NotFound));
    assert!(error.to_string().contains("missing.sock") && error.is_transient(), "{error}");
}

#[tokio::test]
async fn credentials_do_not_follow_a_redirect_to_a_socket() {
    let socket = Socket::bind("redirect");
    let other = Socket::bind("other");
    let path = other.0.display().to_string();
    let redirects = async {
        let (mut stream, _) = socket.1.accept().await.expect("a client");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_buf(&mut head).await.expect("a request");
        }
        assert!(String::from_utf8_lossy(&head).contains("Bearer 1"));
        let answer = format!("HTTP/1.1 307 x\r\nLocation: ws+unix:{path}:/b\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.expect("written");
    };
    let accepts = async {
        let (stream, _) = other.1.accept().await.expect("a client");
        let upgrade = Upgrade::read(stream, &Arc::default()).await.expect("a request");
        assert_eq!(upgrade.request().uri(), "/b");
        assert!(!upgrade.request().headers().contains_key("authorization"));
        upgrade.accept().await.expect("accepted")
    };
    let connect = Connect::new(&format!("ws+unix:{}", socket.0.display())).expect("an address");
    let connect = connect.header("authorization", "Bearer 1").expect("a header").follow_redirects(1);
    let (client, (), _server) = tokio::join!(connect.open(), redirects, accepts);
    assert_eq!(client.expect("connected").url(), Some(&*format!("ws+unix:{path}:/b")));
}
