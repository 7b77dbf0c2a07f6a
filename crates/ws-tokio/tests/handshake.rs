//! The opening handshake over a transport: what is accepted, what is refused and how, and what a client is told.

mod support;

use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    net::TcpListener,
};
use ws_testkit::Frame;
use ws_tokio::{
    AcceptError, Connect, ConnectError, FirstRequest, Upgrade, WebSocket,
    endpoint::{
        ClientHandshakeError, ServerConfig, Subprotocols,
        frame::Role,
        handshake::{Refusal, RequestError, ResponseError},
    },
    http::{HeaderName, HeaderValue, Response, StatusCode},
};

const REQUEST: &str = "GET /chat?x=1 HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\n\
    Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\nOrigin: http://example.com\r\n\
    Sec-WebSocket-Protocol: chat.v1, chat.v2\r\n\r\n";

/// What a server that knows nothing but the defaults answers to this request.
async fn answer_to(request: impl Into<Vec<u8>>) -> (String, Result<WebSocket<DuplexStream>, AcceptError>) {
    let (mut near, far) = duplex(1 << 20);
    let request = request.into();
    let talks = async {
        near.write_all(&request).await.expect("written");
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") && near.read_buf(&mut answer).await.expect("readable") > 0 {}
        if !answer.starts_with(b"HTTP/1.1 101") {
            near.read_to_end(&mut answer).await.expect("the end");
        }
        drop(near);
        String::from_utf8(answer).expect("text")
    };
    tokio::join!(talks, ws_tokio::accept(far))
}

/// The same request with one line changed.
fn changed(line: &str, to: &str) -> String {
    let start = REQUEST.find(line).expect("a line of the request");
    let end = start + REQUEST[start..].find("\r\n").expect("its end") + 2;
    format!("{}{to}{}", &REQUEST[..start], &REQUEST[end..])
}

#[tokio::test]
async fn a_good_request_is_answered_101() {
    let (answer, accepted) = answer_to(REQUEST).await;
    assert!(answer.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{answer}");
    assert!(answer.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{answer}");
    let ws = accepted.expect("accepted");
    assert_eq!(ws.subprotocol(), Some("chat.v1"));
    assert!(ws.extensions().is_empty() && ws.response().is_none());
}

#[tokio::test]
async fn each_bad_request_has_its_status_and_is_told_why() {
    let cases = [
        (changed("Upgrade: ", ""), 426, "\r\nUpgrade: websocket\r\n"),
        (changed("Upgrade: ", ""), 426, "\r\nSec-WebSocket-Version: 13, 8\r\n"),
        (changed("Upgrade: ", "Upgrade: h2c\r\n"), 400, "Upgrade"),
        (changed("Connection: ", "Connection: close\r\n"), 400, "Connection"),
        (changed("Sec-WebSocket-Key: ", ""), 400, "Sec-WebSocket-Key"),
        (changed("Sec-WebSocket-Version: ", "Sec-WebSocket-Version: 12\r\n"), 400, "Version: 13, 8\r\n"),
        (changed("Host: ", ""), 400, "Host"),
        (changed("Sec-WebSocket-Protocol: ", "Sec-WebSocket-Protocol: a,,b\r\n"), 400, "Protocol"),
        (changed("Sec-WebSocket-Protocol: ", "Sec-WebSocket-Extensions: x;;\r\n"), 400, "Extensions"),
        (changed("Origin: ", "Content-Length: 5\r\n"), 400, "body"),
        (changed("GET ", "POST / HTTP/1.1\r\n"), 405, "\r\nAllow: GET\r\n"),
        (changed("GET ", "GET / HTTP/1.0\r\n"), 505, "HTTP/1.1"),
        ("nonsense\r\n\r\n".to_owned(), 400, ""),
        (changed("Origin: ", &format!("X: {}\r\n", "x".repeat(20_000))), 431, ""),
        (changed("Origin: ", &"X: x\r\n".repeat(101)), 431, ""),
        (changed("GET ", &format!("GET /{} HTTP/1.1\r\n", "x".repeat(9000))), 414, ""),
    ];
    for (request, status, says) in cases {
        let (answer, refused) = answer_to(request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {answer}");
        assert!(answer.contains(says), "{says}: {answer}");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(head.contains("Connection: close"), "{head}");
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
        assert!(body.len() > 10, "{body}");
        match refused {
            Err(AcceptError::Refused(refusal)) => assert_eq!(refusal.status().as_u16(), status),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_head_without_an_end_is_refused_at_its_limit() {
    let (near, far) = duplex(1 << 16);
    let (mut read, mut write) = tokio::io::split(near);
    let sends = async {
        // The server stops reading: so this ends when the transport does.
        let mut head = b"GET / HTTP/1.1\r\nX: ".to_vec();
        while write.write_all(&head).await.is_ok() {
            head = vec![b'x'; 1000];
        }
    };
    let reads = async {
        let mut answer = String::new();
        read.read_to_string(&mut answer).await.expect("text");
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    };
    let ((), (), accepted) = tokio::join!(sends, reads, ws_tokio::accept(far));
    assert!(matches!(accepted, Err(AcceptError::Refused(_))));
}

#[tokio::test]
async fn a_request_may_come_a_byte_at_a_time() {
    let (mut near, far) = duplex(1);
    let mut bytes = REQUEST.as_bytes().to_vec();
    bytes.extend(Frame::text("hello").by(Role::Client));
    let sends = async {
        let (mut read, mut write) = tokio::io::split(&mut near);
        let reads = async {
            let mut answer = Vec::new();
            while !answer.ends_with(b"\r\n\r\n") {
                read.read_buf(&mut answer).await.expect("an answer");
            }
        };
        let (sent, ()) = tokio::join!(write.write_all(&bytes), reads);
        sent.expect("written");
    };
    let serves = async {
        let mut ws = ws_tokio::accept(far).await.expect("accepted");
        let message = ws.recv().await.expect("not the end").expect("a message");
        assert_eq!(message.as_text(), Some("hello"));
    };
    tokio::join!(sends, serves);
}

#[tokio::test]
async fn a_client_that_leaves_is_not_answered() {
    for sent in ["", "GET / HTT"] {
        let (mut near, far) = duplex(1000);
        near.write_all(sent.as_bytes()).await.expect("written");
        drop(near);
        assert!(matches!(ws_tokio::accept(far).await, Err(AcceptError::Left)));
    }
}

async fn read(request: &str) -> (DuplexStream, Upgrade<DuplexStream>) {
    let (mut near, far) = duplex(1 << 16);
    near.write_all(request.as_bytes()).await.expect("written");
    let upgrade = Upgrade::read(far, &Arc::default()).await.expect("a request");
    (near, upgrade)
}

#[tokio::test]
async fn a_request_is_inspected_and_accepted() {
    let (mut near, mut upgrade) = read(REQUEST).await;
    assert_eq!(upgrade.request().uri(), "/chat?x=1");
    assert_eq!(upgrade.request().headers()["origin"], "http://example.com");
    assert_eq!(upgrade.facts().subprotocols(), ["chat.v1", "chat.v2"]);
    upgrade.choose_subprotocol(Some("chat.v2")).expect("it was requested");
    let error = upgrade.choose_subprotocol(Some("chat.v3")).expect_err("it was not");
    assert!(matches!(error, ResponseError::UnrequestedSubprotocol(_)), "{error:?}");
    let cookie = HeaderName::from_static("set-cookie");
    upgrade.add_header(cookie.clone(), HeaderValue::from_static("a=1")).expect("a header");
    upgrade.add_header(cookie, HeaderValue::from_static("b=2")).expect("another");
    let accept = HeaderName::from_static("sec-websocket-accept");
    let error = upgrade.add_header(accept, HeaderValue::from_static("x")).expect_err("not the caller's");
    assert!(matches!(error, ResponseError::Header(_)), "{error:?}");
    let mut ws = upgrade.accept().await.expect("accepted");
    assert_eq!(ws.subprotocol(), Some("chat.v2"));
    ws.send("welcome").await.expect("sent");
    let mut answer = vec![0; 1000];
    let mut len = 0;
    while !answer[..len].ends_with(b"welcome") {
        len += near.read(&mut answer[len..]).await.expect("readable");
    }
    let answer = String::from_utf8_lossy(&answer[..len]);
    assert!(answer.contains("Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n"), "{answer}");
    assert!(answer.contains("Sec-WebSocket-Protocol: chat.v2\r\n"), "{answer}");
}

#[tokio::test]
async fn more_headers_than_can_be_sent_are_refused_when_they_are_added() {
    let (_near, mut upgrade) = read(REQUEST).await;
    let name = HeaderName::from_static("x-more");
    let mut added = 0;
    while upgrade.add_header(name.clone(), HeaderValue::from_static("x")).is_ok() {
        added += 1;
        assert!(added < 10_000, "there is a limit");
    }
    assert!(upgrade.accept().await.is_ok(), "and what was added fits");
}

#[tokio::test]
async fn a_request_is_refused_with_any_answer() {
    let (mut near, upgrade) = read(REQUEST).await;
    let refusal = Refusal::new(StatusCode::UNAUTHORIZED, "log in first")
        .header("www-authenticate", "Basic")
        .expect("a header");
    let refuses = async {
        let error = upgrade.refuse::<()>(refusal).await.expect_err("refused");
        assert!(matches!(error, AcceptError::Refused(refusal) if refusal.status() == 401));
    };
    let reads = async {
        let mut answer = String::new();
        near.read_to_string(&mut answer).await.expect("text");
        assert!(answer.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{answer}");
        assert!(
            answer.contains("Www-Authenticate: Basic\r\n") && answer.ends_with("log in first\n"),
            "{answer}"
        );
        drop(near);
    };
    tokio::join!(refuses, reads);
}

#[tokio::test]
async fn a_refusal_is_read_by_a_client_that_is_still_sending() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let serves = async {
        let (stream, _) = listener.accept().await.expect("a client");
        ws_tokio::accept(stream).await.is_err()
    };
    let sends = async {
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("connected");
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("written");
        stream.write_all(&[b'x'; 30_000]).await.expect("written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("not reset");
        assert!(answer.starts_with("HTTP/1.1 426 "), "{answer}");
    };
    let (refused, ()) = tokio::join!(serves, sends);
    assert!(refused);
}

#[tokio::test]
async fn the_first_request_may_be_a_plain_one() {
    let (mut near, far) = duplex(1 << 16);
    near.write_all(b"GET /page HTTP/1.1\r\nHost: example.com\r\n\r\n").await.expect("written");
    let first = FirstRequest::read(far, &Arc::default()).await.expect("a request");
    let FirstRequest::Plain(plain) = first else { panic!("{first:?}") };
    assert_eq!(plain.request().uri(), "/page");
    let response = Response::builder().header("content-type", "text/plain").body("a page\n".to_owned());
    let response = response.expect("a response");
    let reads = async {
        let mut answer = String::new();
        near.read_to_string(&mut answer).await.expect("text");
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\na page\n"),
            "{answer}"
        );
        drop(near);
    };
    let (answered, ()) = tokio::join!(plain.respond(&response), reads);
    answered.expect("written");

    let (mut near, far) = duplex(1 << 16);
    near.write_all(REQUEST.as_bytes()).await.expect("written");
    let first = FirstRequest::read(far, &Arc::default()).await.expect("a request");
    let FirstRequest::Upgrade(upgrade) = first else { panic!("{first:?}") };
    assert!(upgrade.accept().await.is_ok());

    let (mut near, far) = duplex(1 << 16);
    near.write_all(changed("Sec-WebSocket-Key: ", "").as_bytes()).await.expect("written");
    near.shutdown().await.expect("shut down");
    let error = FirstRequest::read(far, &Arc::default()).await.expect_err("a bad upgrade");
    let AcceptError::Refused(refusal) = error else { panic!("{error:?}") };
    assert_eq!(refusal.cause(), Some(RequestError::InvalidKey));
}

#[tokio::test]
async fn path_and_subprotocols_are_the_servers_choice() {
    let mut config = ServerConfig::default();
    config.policy.path = Some("/chat".to_owned());
    config.subprotocols = Subprotocols::Supported(vec!["chat.v2".to_owned()]);
    let config = Arc::new(config);
    for (path, subprotocol) in [("/chat", Some("chat.v2")), ("/other", None)] {
        let mut connect = Connect::new(&format!("ws://example.com{path}")).expect("an address");
        connect.request = connect.request.subprotocols(["chat.v1", "chat.v2"]).expect("subprotocols");
        let (near, far) = duplex(4096);
        let (client, server) = tokio::join!(connect.over(near), ws_tokio::accept_with(far, &config));
        match subprotocol {
            Some(_) => {
                assert_eq!(client.expect("connected").subprotocol(), subprotocol);
                assert_eq!(server.expect("accepted").subprotocol(), subprotocol);
            }
            None => {
                let error = client.expect_err("another path");
                assert_eq!(error.response().expect("an answer").status(), 404);
                assert!(matches!(server, Err(AcceptError::Refused(_))));
            }
        }
    }
}

/// What a client makes of these bytes as its answer.
async fn connect_to(answer: &[u8]) -> Result<WebSocket<DuplexStream>, ConnectError> {
    let (near, mut far) = duplex(1 << 16);
    let answers = async {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            far.read_buf(&mut request).await.expect("a request");
        }
        far.write_all(answer).await.expect("written");
        drop(far);
    };
    let connect = Connect::new("ws://example.com/").expect("an address");
    tokio::join!(connect.over(near), answers).0
}

#[tokio::test]
async fn a_client_is_told_what_is_wrong_with_the_answer() {
    let upgrade = "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    let handshake = |error: &ConnectError| match error {
        ConnectError::Refused { .. } => "UnexpectedStatus".to_owned(),
        ConnectError::Handshake(ClientHandshakeError::Response(error)) => format!("{error:?}"),
        error => panic!("{error:?}"),
    };
    let cases = [
        ("HTTP/1.1 401 x\r\nContent-Length: 0\r\n\r\n".to_owned(), "UnexpectedStatus"),
        ("HTTP/1.1 302 x\r\nLocation: ws://elsewhere/\r\n\r\n".to_owned(), "UnexpectedStatus"),
        ("HTTP/1.1 200 OK\r\n\r\n<html>".to_owned(), "UnexpectedStatus"),
        ("HTTP/1.0 101 x\r\n\r\n".to_owned(), "HttpVersion"),
        ("HTTP/1.1 101 x\r\nConnection: Upgrade\r\n\r\n".to_owned(), "BadUpgrade"),
        (format!("{upgrade}\r\n"), "BadAccept"),
        (format!("{upgrade}Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"), "BadAccept"),
        ("SSH-2.0-OpenSSH\r\n\r\n".to_owned(), "Head"),
        (format!("HTTP/1.1 101 x\r\nX: {}", "x".repeat(20_000)), "Head"),
        ("HTTP/1.1 100 Continue\r\n\r\n".repeat(100), "TooManyInterimResponses"),
    ];
    for (answer, expected) in cases {
        let error = connect_to(answer.as_bytes()).await.expect_err("no connection");
        assert!(handshake(&error).starts_with(expected), "{expected}: {error:?}");
        assert_eq!(error.response().is_some(), expected == "UnexpectedStatus");
        assert!(!error.to_string().is_empty());
    }
    assert!(matches!(connect_to(b"").await, Err(ConnectError::Left)));
    assert!(matches!(connect_to(b"HTTP/1.1 101 x\r\n").await, Err(ConnectError::Left)));
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_before_anything_is_sent() {
    for address in ["", "example.com", "ftp://example.com/", "ws://", "ws://example.com/#top", "ws://a b/"] {
        let error = ws_tokio::connect(address).await.expect_err("no address");
        assert!(matches!(error, ConnectError::Request(_)), "{address}: {error:?}");
    }
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_an_error_of_tcp() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let error = ws_tokio::connect(&format!("ws://127.0.0.1:{port}/")).await.expect_err("nobody is there");
    let ConnectError::Tcp { host, port: named, .. } = error else { panic!("{error:?}") };
    assert_eq!((host.as_str(), named), ("127.0.0.1", port));
}

#[cfg(not(feature = "rustls-no-provider"))]
#[tokio::test]
async fn wss_without_tls_is_an_error_that_says_so() {
    let error = ws_tokio::connect("wss://127.0.0.1:1/").await.expect_err("no TLS");
    assert!(matches!(error, ConnectError::TlsUnavailable), "{error:?}");
}

#[tokio::test]
async fn an_ipv6_address_is_connected_to() {
    let Ok(listener) = TcpListener::bind("[::1]:0").await else { return };
    let port = listener.local_addr().expect("an address").port();
    let address = format!("ws://[::1]:{port}/");
    let serves = async {
        let (stream, _) = listener.accept().await.expect("a client");
        ws_tokio::accept(stream).await
    };
    let (client, server) = tokio::join!(ws_tokio::connect(&address), serves);
    client.expect("connected");
    server.expect("accepted");
}

#[tokio::test]
async fn what_a_client_asks_for_arrives() {
    let mut connect = Connect::new("ws://user:secret@example.com:8080/a/b?c=d").expect("an address");
    connect.request = connect.request.header("x-token", "1").expect("a header");
    let (near, far) = duplex(4096);
    let serves = async {
        let upgrade = Upgrade::read(far, &Arc::default()).await.expect("a request");
        assert_eq!(upgrade.request().uri(), "/a/b?c=d");
        let headers = upgrade.request().headers();
        assert_eq!(headers["host"], "example.com:8080");
        assert_eq!(headers["x-token"], "1");
        assert_eq!(headers["authorization"], "Basic dXNlcjpzZWNyZXQ=");
        upgrade.accept().await
    };
    let (client, server) = tokio::join!(connect.over(near), serves);
    assert!(client.is_ok() && server.is_ok());
}
