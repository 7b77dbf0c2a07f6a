//! The opening handshake over blocking streams.

mod support;

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener},
    sync::Arc,
    thread,
    time::Instant,
};

use support::{REQUEST, pair, read_frame, read_head, request};
use ws_sync::{
    AcceptError, Connect, ConnectError, Upgrade, WebSocket,
    endpoint::{
        ClientHandshakeError, Endpoint,
        handshake::{ClientError, Refusal},
    },
    http::{HeaderName, HeaderValue, Response, StatusCode},
};

/// A server in a thread of its own that does this with its one request.
fn serve<T: Send + 'static>(
    mut serve: impl FnMut(Upgrade<std::net::TcpStream>) -> T + Send + 'static,
) -> (String, thread::JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("ws://{}/chat", listener.local_addr().expect("an address"));
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("accepted");
        serve(Upgrade::read(stream, &Arc::default()).expect("a request"))
    });
    (address, server)
}

#[test]
fn a_client_connects_by_its_address() {
    let (address, server) = serve(|mut upgrade| {
        assert_eq!(upgrade.request().uri().path(), "/chat");
        assert_eq!(upgrade.request().headers()["x-token"], "secret");
        upgrade.upgrade().expect("for a WebSocket").choose_subprotocol(Some("v2")).expect("requested");
        let (name, value) = (HeaderName::from_static("x-answer"), HeaderValue::from_static("42"));
        assert!(upgrade.set_header(name, value).expect("a header"));
        let mut ws = upgrade.accept().expect("accepted");
        ws.send("welcome").expect("sent");
        assert!(ws.recv().is_none());
    });
    let mut connect = Connect::new(&address).expect("an address");
    connect.request = connect
        .request
        .subprotocols(["v1", "v2"])
        .expect("a list")
        .header("x-token", "secret")
        .expect("a header");
    let mut ws = connect.open().expect("connected");
    assert_eq!(ws.subprotocol(), Some("v2"));
    assert_eq!(ws.response().expect("an answer").headers()["x-answer"], "42");
    assert!(ws.get_ref().tcp().expect("over TCP").nodelay().expect("known"));
    assert_eq!(ws.recv().expect("open").expect("a message"), "welcome".into());
    ws.close(ws_sync::endpoint::driver::CloseCode::NORMAL, "").expect("closed");
    server.join().expect("no panic");
}

#[test]
fn a_refusal_reaches_the_client_with_its_status_and_headers() {
    let (address, server) = serve(|upgrade| {
        let refusal = Refusal::new(StatusCode::UNAUTHORIZED, "log in first");
        let refusal = refusal.header("www-authenticate", "Basic").expect("a header");
        upgrade.refuse::<()>(refusal).expect_err("refused")
    });
    let error = ws_sync::connect(&address).expect_err("refused");
    let response = error.response().expect("an answer");
    assert_eq!(
        (response.status(), &response.headers()["www-authenticate"]),
        (StatusCode::UNAUTHORIZED, &HeaderValue::from_static("Basic"))
    );
    assert!(
        matches!(server.join().expect("no panic"), AcceptError::Refused(refusal) if refusal.status() == StatusCode::UNAUTHORIZED)
    );
}

#[test]
fn a_page_is_answered_as_a_page() {
    let (mut client, server) = pair();
    let server = thread::spawn(move || {
        let mut upgrade = Upgrade::read(server, &Arc::default()).expect("a request");
        assert!(upgrade.upgrade().is_none());
        upgrade.respond(&Response::new("a page\n")).expect("answered");
    });
    client.write_all(b"GET /page HTTP/1.1\r\nHost: a\r\n\r\n").expect("sent");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("an answer, and the end");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\na page\n"), "{answer}");
    drop(client);
    server.join().expect("no panic");
}

#[test]
fn a_bad_request_is_answered_and_then_an_error() {
    for (bytes, status) in [
        (&b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..], 426),
        (b"POST / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n", 405),
        (b"nonsense\r\n\r\n", 400),
    ] {
        let (mut client, server) = pair();
        let server = thread::spawn(move || ws_sync::accept(server).map(drop).expect_err("refused"));
        client.write_all(bytes).expect("sent");
        assert!(read_head(&mut client).starts_with(&format!("HTTP/1.1 {status} ")));
        drop(client);
        let error = server.join().expect("no panic");
        assert!(matches!(&error, AcceptError::Refused(refusal) if refusal.status() == status), "{error}");
    }
}

#[test]
fn frames_that_come_with_the_request_are_not_lost() {
    let (mut client, server) = pair();
    client.write_all(&[REQUEST, &support::masked(0x81, b"early")].concat()).expect("sent");
    let mut server = ws_sync::accept(server).expect("accepted");
    assert_eq!(server.recv().expect("open").expect("a message"), "early".into());
    read_head(&mut client);
    server.send("back").expect("sent");
    assert_eq!(read_frame(&mut client), (0x81, b"back".to_vec()));
}

#[test]
fn who_leaves_during_the_handshake_is_an_error_on_the_other_side() {
    let (mut client, server) = pair();
    client.write_all(&REQUEST[..50]).expect("sent");
    client.shutdown(Shutdown::Write).expect("shut");
    assert!(matches!(ws_sync::accept(server), Err(AcceptError::Left)));
    let (client, mut server) = pair();
    let server = thread::spawn(move || drop(read_head(&mut server)));
    assert!(matches!(request().over(client), Err(ConnectError::Left | ConnectError::Io(_))));
    server.join().expect("no panic");
}

#[test]
fn an_answer_that_does_not_fit_fails_the_handshake() {
    let (client, mut server) = pair();
    let server = thread::spawn(move || {
        read_head(&mut server);
        let answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        server.write_all(answer).expect("sent");
    });
    let error = request().over(client).expect_err("not our key");
    assert!(
        matches!(error, ConnectError::Handshake(ClientHandshakeError::Response(ClientError::BadAccept))),
        "{error}"
    );
    server.join().expect("no panic");
}

#[test]
fn what_cannot_be_connected_to_says_why() {
    assert!(matches!(ws_sync::connect("ftp://example.com/"), Err(ConnectError::Request(_))));
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let error = ws_sync::connect(&format!("ws://127.0.0.1:{port}/")).expect_err("nobody listens");
    assert!(matches!(&error, ConnectError::Tcp { port: tried, .. } if *tried == port), "{error}");
    #[cfg(not(feature = "rustls"))]
    assert!(matches!(ws_sync::connect("wss://127.0.0.1/"), Err(ConnectError::TlsUnavailable)));
}

#[cfg(unix)]
#[test]
fn an_address_may_be_a_unix_socket() {
    let path = std::env::temp_dir().join(format!("ws-sync-{}.sock", std::process::id()));
    let listener = std::os::unix::net::UnixListener::bind(&path).expect("a socket");
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("accepted");
        let upgrade = Upgrade::read(stream, &Arc::default()).expect("a request");
        let asked = upgrade.request().uri().to_string();
        let mut ws = upgrade.accept().expect("accepted");
        ws.send("hello").expect("sent");
        asked
    });
    let mut ws = ws_sync::connect(&format!("ws+unix:{}:/chat?x=1", path.display())).expect("connected");
    assert_eq!(ws.recv().expect("open").expect("a message"), "hello".into());
    assert!(ws.get_ref().tcp().is_none());
    assert_eq!(server.join().expect("no panic"), "/chat?x=1");
    std::fs::remove_file(&path).expect("removed");
    let gone = ws_sync::connect(&format!("ws+unix:{}:/", path.display())).expect_err("gone");
    assert!(matches!(gone, ConnectError::Unix { .. }), "{gone}");
}

#[test]
fn an_endpoint_set_up_elsewhere_starts_here() {
    let (client, server) = pair();
    let server = thread::spawn(move || {
        let endpoint = Endpoint::server(&Arc::default(), Instant::now());
        WebSocket::from_endpoint(server, endpoint).recv().expect("open").expect("a message")
    });
    let mut endpoint = Endpoint::client("ws://example.com/").expect("an address");
    endpoint.text("queued before it was open").expect("queued");
    let mut client = WebSocket::from_endpoint(client, endpoint);
    assert!(matches!(client.recv(), None | Some(Err(_))), "the server leaves");
    assert_eq!(server.join().expect("no panic"), "queued before it was open".into());
}
