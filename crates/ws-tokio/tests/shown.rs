//! What a log may show: what kind of thing it is and where it stands, and nothing that a peer has said.

mod support;

use futures_util::{SinkExt, StreamExt, stream::FusedStream};
use support::{Raw, facing_raw, pair, visitor};
use tokio::net::TcpStream;
use ws_testkit::Frame;
use ws_tokio::{
    ConnectError, Error, SendError, Server, ServerStream, Step,
    endpoint::{
        ClientHandshakeError,
        driver::{self, Message},
        frame::Role,
        handshake::{ClientError, ClientRequest},
    },
    http::{Response, StatusCode},
};

const LOCAL: &str = "127.0.0.1:0";

#[tokio::test]
async fn a_server_and_its_clients_show_where_they_are() {
    let server = Server::builder().bind(LOCAL).await.expect("it listens");
    let (_client, conn) = visitor::pair(&server).await;
    let address = server.local_addrs()[0].to_string();
    let shown = format!("{server:?}");
    assert!(shown.contains(&address) && shown.contains("clients: 1"), "{shown}");
    let clients = server.clients();
    let client = clients.iter().next().expect("one");
    let shown = format!("{client:?}");
    assert!(shown.contains("/chat") && shown.contains(&conn.peer_addr.to_string()), "{shown}");
    let shown = format!("{:?}", conn.socket.get_ref());
    assert_eq!(shown, "ServerStream(Tcp)");
    assert_eq!(server.url("/chat"), Some(format!("ws://{address}/chat")));
}

#[cfg(unix)]
#[tokio::test]
async fn a_stream_of_a_server_shows_its_kind() {
    let (unix, _other) = tokio::net::UnixStream::pair().expect("a pair");
    let stream = ServerStream::from(unix);
    assert_eq!(format!("{stream:?}"), "ServerStream(Unix)");
    assert!(stream.unix().is_some() && stream.tcp().is_none());
    let stream = ServerStream::new(tokio::io::duplex(10).0);
    assert_eq!(format!("{stream:?}"), "ServerStream(Other)");
    assert!(stream.unix().is_none() && stream.tcp().is_none());
    let (near, _far) = support::tcp().await;
    let stream: ServerStream = TcpStream::into(near);
    #[cfg(feature = "rustls-no-provider")]
    assert!(stream.tls().is_none());
    assert!(stream.tcp().is_some() && stream.unix().is_none());
}

#[tokio::test]
async fn halves_show_nothing_of_what_they_carry() {
    let (one, other) = pair(4096).await;
    let ((one_rx, _one_tx), (_other_rx, other_tx)) = (one.split(), other.split());
    assert_eq!(format!("{one_rx:?} {other_tx:?}"), "OwnedReader { .. } OwnedWriter { .. }");
    let error = one_rx.reunite(other_tx).expect_err("of two connections");
    assert_eq!(format!("{error:?}"), "ReuniteError { .. }");
}

#[tokio::test]
async fn the_halves_are_a_stream_and_a_sink_that_know_their_end() {
    let (ws, mut peer): (_, Raw<_>) = facing_raw(Role::Server, 4096);
    let (mut stream, mut sink) = ws.split();
    sink.send(Message::from("last")).await.expect("sent");
    SinkExt::close(&mut sink).await.expect("sent");
    assert_eq!(peer.recv().await, Some(Frame::text("last")));
    assert_eq!(peer.recv().await, Some(Frame::close(1000, "")));
    assert!(!stream.is_terminated());
    peer.send_all(&[Frame::text("still comes"), Frame::close(1000, "")]).await;
    let message = StreamExt::next(&mut stream).await.expect("not the end").expect("a message");
    assert_eq!(message.as_text(), Some("still comes"));
    assert!(!stream.is_terminated());
    assert!(StreamExt::next(&mut stream).await.is_none());
    assert!(stream.is_terminated());
    SinkExt::close(&mut sink).await.expect("closed already");
}

#[test]
fn a_step_that_takes_too_long_is_named() {
    for (step, name) in [
        (Step::Hook, "a hook"),
        (Step::Resolve, "name resolution"),
        (Step::Connect, "connecting"),
        (Step::Proxy, "the exchange with the proxy"),
        (Step::Tls, "the TLS handshake"),
        (Step::Handshake, "opening handshake"),
    ] {
        let error = ConnectError::Timeout { step };
        assert_eq!(error.to_string(), format!("{name} not finished within the deadline"));
        assert!(error.is_transient(), "{step:?}");
    }
}

#[test]
fn errors_of_the_handshake_keep_their_kind() {
    let request = ClientRequest::new("ftp://example.com/").expect_err("no WebSocket");
    let error = ConnectError::from(ClientHandshakeError::Request(request));
    assert!(matches!(error, ConnectError::Request(_)) && !error.is_transient(), "{error}");

    for (status, transient) in [(StatusCode::NOT_FOUND, false), (StatusCode::SERVICE_UNAVAILABLE, true)] {
        let answer =
            Response::builder().status(status).header("retry-after", "1").body(()).expect("an answer");
        let answer = ClientError::UnexpectedStatus(Box::new(answer));
        let error = ConnectError::from(ClientHandshakeError::Response(answer));
        let ConnectError::Refused { response, truncated: true } = &error else { panic!("{error:?}") };
        assert_eq!(
            (response.status(), &response.headers()["retry-after"]),
            (status, &"1".parse().expect("a value"))
        );
        assert_eq!(error.is_transient(), transient, "{status}");
    }
    // What a hook gives is judged by what it was.
    for (inner, transient) in [(ConnectError::Left, true), (ConnectError::TlsUnavailable, false)] {
        assert_eq!(ConnectError::Hook(Box::new(inner)).is_transient(), transient);
    }
    assert!(ConnectError::Hook(Box::new(Error::Lost)).is_transient());
}

#[test]
fn an_error_of_sending_becomes_one_of_the_connection() {
    let ended = Error::from(SendError::Ended(Error::Truncated));
    assert!(matches!(ended, Error::Truncated));
    let unsent = driver::Unsent { message: Message::from("it"), error: driver::SendError::Closed };
    let error = Error::from(SendError::from(unsent));
    assert!(matches!(error, Error::Send(driver::SendError::Closed)));
}
