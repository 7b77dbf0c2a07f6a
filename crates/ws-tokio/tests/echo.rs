//! Messages of every length and kind, in every form of the API, over every transport.

mod support;

use std::sync::Arc;

use bytes::BytesMut;
use futures_util::{SinkExt, StreamExt};
use support::{Raw, pair, shake_hands, tcp};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex},
    net::TcpListener,
};
use ws_testkit::Frame;
use ws_tokio::{
    Connect, Error, WebSocket,
    endpoint::{
        ConnectionOptions, ServerConfig, ServerHandshake,
        driver::{CloseCode, Closed, DataKind, Event, Initiator, Message},
        frame::Role,
    },
};

/// The forms that an echo may take.
#[derive(Debug, Clone, Copy)]
enum Form {
    Owned,
    Fed,
    Lent,
    Split,
    Sink,
    SplitSink,
}

const FORMS: [Form; 6] = [Form::Owned, Form::Fed, Form::Lent, Form::Split, Form::Sink, Form::SplitSink];

/// Where the encoding of the length changes, and where buffers end.
const LENS: [usize; 11] = [0, 1, 23, 24, 125, 126, 4096, 16_384, 65_535, 65_536, 300_000];

async fn echo<S>(form: Form, mut ws: WebSocket<S>) -> Option<Closed>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match form {
        Form::Owned => {
            while let Some(message) = ws.recv().await {
                ws.send(message.expect("a message")).await.expect("sent");
            }
        }
        Form::Fed => {
            while let Some(message) = ws.recv().await {
                ws.feed(message.expect("a message")).await.expect("fed");
            }
        }
        Form::Lent => {
            let (rx, tx) = ws.halves();
            while let Some(message) = rx.recv(tx).await {
                tx.feed(message.expect("a message")).expect("fed");
            }
        }
        Form::Split => {
            let (mut rx, mut tx) = ws.split();
            while let Some(message) = rx.recv().await {
                tx.send(message.expect("a message")).await.expect("sent");
            }
            ws = rx.reunite(tx).expect("of one connection");
        }
        Form::Sink => {
            while let Some(message) = StreamExt::next(&mut ws).await {
                SinkExt::send(&mut ws, message.expect("a message")).await.expect("sent");
            }
        }
        Form::SplitSink => {
            let (mut rx, mut tx) = ws.split();
            while let Some(message) = StreamExt::next(&mut rx).await {
                SinkExt::send(&mut tx, message.expect("a message")).await.expect("sent");
            }
            return rx.closed();
        }
    }
    ws.closed()
}

fn message(kind: DataKind, len: usize) -> Message {
    match kind {
        DataKind::Text => Message::from("aé€😀".chars().cycle().take(len).collect::<String>()),
        DataKind::Binary => Message::from((0..=255u8).cycle().take(len).collect::<Vec<_>>()),
    }
}

/// One side talks, the other echoes.
async fn talk<A, B>(form: Form, mut talker: WebSocket<A>, echoer: WebSocket<B>)
where
    A: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    let talks = async move {
        for len in LENS {
            for kind in [DataKind::Text, DataKind::Binary] {
                let sent = message(kind, len);
                talker.send(sent.clone()).await.expect("sent");
                let back = talker.recv().await.expect("not the end").expect("a message");
                assert!(back == sent, "{form:?}: {kind:?} of {len} came back as {} bytes", back.len());
            }
        }
        for number in 0..100 {
            talker.feed(format!("message {number}")).await.expect("fed");
        }
        talker.ping(b"in between").await.expect("a ping");
        for number in 0..100 {
            let back = talker.recv().await.expect("not the end").expect("a message");
            assert_eq!(back.as_text(), Some(&*format!("message {number}")), "{form:?}");
        }
        let pong = talker.recv_event().await.expect("not the end").expect("an event");
        assert!(matches!(pong, Event::Pong(b"in between")), "{form:?}");
        let closed = talker.close(CloseCode::NORMAL, "done").await.expect("closed").expect("the end");
        assert!(closed.is_clean());
        assert_eq!((closed.code, closed.reason.as_str(), closed.initiator), (1000, "done", Initiator::Local));
        assert!(talker.recv().await.is_none());
    };
    let ((), closed) = tokio::join!(talks, echo(form, echoer));
    let closed = closed.expect("the end");
    assert!(closed.is_clean(), "{form:?}");
    assert_eq!((closed.code, closed.reason.as_str(), closed.initiator), (1000, "done", Initiator::Peer));
    assert_eq!(closed.sent, Some(Some(CloseCode::NORMAL)));
}

#[tokio::test]
async fn every_form_echoes_everything_over_a_narrow_pipe() {
    for form in FORMS {
        let (client, server) = pair(1000).await;
        talk(form, client, server).await;
        let (client, server) = pair(1000).await;
        talk(form, server, client).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_form_echoes_everything_over_tcp() {
    for form in FORMS {
        for server_talks in [false, true] {
            let (near, far) = tcp().await;
            let (client, server) = shake_hands(near, far, ConnectionOptions::default()).await;
            if server_talks {
                talk(form, server, client).await;
            } else {
                talk(form, client, server).await;
            }
        }
    }
}

#[cfg(feature = "rustls")]
#[tokio::test]
async fn every_form_echoes_everything_over_tls() {
    for form in FORMS {
        for server_talks in [false, true] {
            let (near, far) = duplex(1 << 16);
            let (near, far) = support::tls::over(near, far).await;
            let (client, server) = shake_hands(near, far, ConnectionOptions::default()).await;
            if server_talks {
                talk(form, server, client).await;
            } else {
                talk(form, client, server).await;
            }
        }
    }
}

#[tokio::test]
async fn sixteen_mebibytes_come_back_whole() {
    for form in [Form::Owned, Form::Lent, Form::Split] {
        let (near, far) = tcp().await;
        let (mut client, server) = shake_hands(near, far, ConnectionOptions::default()).await;
        let sent = message(DataKind::Binary, 16 << 20);
        let talks = async {
            client.send(sent.clone()).await.expect("sent");
            let back = client.recv().await.expect("not the end").expect("a message");
            assert!(back == sent, "{form:?}");
            client.close(CloseCode::NORMAL, "").await.expect("closed");
        };
        tokio::join!(talks, echo(form, server));
    }
}

#[tokio::test]
async fn two_tasks_talk_both_ways_at_once() {
    let (near, far) = tcp().await;
    let (client, server) = shake_hands(near, far, ConnectionOptions::default()).await;
    let both = [client, server].map(|ws| {
        let (mut rx, mut tx) = ws.split();
        let sends = tokio::spawn(async move {
            for number in 0..2000u32 {
                let len = usize::try_from(number).expect("small") * 7 % 5000;
                tx.send(vec![number.to_be_bytes()[3]; len]).await.expect("sent");
            }
            tx.send("end").await.expect("sent");
            tx
        });
        let receives = tokio::spawn(async move {
            let mut count = 0u32;
            loop {
                let message = rx.recv().await.expect("not the end").expect("a message");
                if message.as_text() == Some("end") {
                    return (count, rx);
                }
                let wanted = count.to_be_bytes()[3];
                assert!(message.as_bytes().iter().all(|byte| *byte == wanted));
                count += 1;
            }
        });
        (sends, receives)
    });
    for (sends, receives) in both {
        let (tx, (count, rx)) = (sends.await.expect("no panic"), receives.await.expect("no panic"));
        assert_eq!(count, 2000);
        assert!(rx.reunite(tx).is_ok());
    }
}

#[tokio::test]
async fn a_message_in_parts_is_sent_and_received_in_parts() {
    let (mut client, mut server) = pair(4096).await;
    let text: String = "aé€😀".repeat(20_000);
    let sends = async {
        client.start(DataKind::Text).expect("nothing is open");
        for part in text.as_bytes().chunks(777) {
            client.send_part(part).await.expect("sent");
        }
        client.ping(b"").await.expect("a ping may stand between the parts");
        client.finish().await.expect("sent");
        client.send("behind").await.expect("sent");
        client
    };
    let receives = async {
        let (mut whole, mut parts) = (Vec::new(), 0);
        loop {
            let part = server.recv_part().await.expect("not the end").expect("a part");
            assert_eq!(part.first, parts == 0);
            assert!(std::str::from_utf8(part.data).is_ok(), "cut between characters");
            whole.extend_from_slice(part.data);
            parts += 1;
            if part.last {
                break;
            }
            let whole = server.recv().await.expect("not the end");
            assert!(matches!(whole, Err(Error::MidMessage)), "{whole:?}");
        }
        assert!(parts > 10);
        assert!(whole == text.as_bytes());
        let behind = server.recv().await.expect("not the end").expect("a message");
        assert_eq!(behind.as_text(), Some("behind"));
    };
    tokio::join!(sends, receives);
}

#[tokio::test]
async fn fragments_and_what_stands_between_them_are_received() {
    let (mut server, mut peer) = support::facing_raw(Role::Server, 4096);
    let frames = [
        Frame::text("He").unfinished(),
        Frame::ping("1"),
        Frame::continuation("").unfinished(),
        Frame::continuation("llo"),
        Frame::binary("behind"),
    ];
    peer.send_all(&frames).await;
    let hello = server.recv().await.expect("not the end").expect("a message");
    assert_eq!(hello.as_text(), Some("Hello"));
    let behind = server.recv().await.expect("not the end").expect("a message");
    assert_eq!(behind.as_bytes(), b"behind");
    assert!(support::poll_once(server.recv()).is_pending());
    assert_eq!(peer.recv().await, Some(Frame::pong("1")));
}

#[tokio::test]
async fn frames_behind_the_head_are_not_lost() {
    for cut in [false, true] {
        let (mut near, far) = duplex(4096);
        let request = b"GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
        let mut bytes = request.to_vec();
        bytes.extend(Frame::text("early").by(Role::Client));
        let (first, second) = bytes.split_at(if cut { bytes.len() - 3 } else { bytes.len() });
        near.write_all(first).await.expect("written");
        let mut server = ws_tokio::accept(far).await.expect("accepted");
        near.write_all(second).await.expect("written");
        let early = server.recv().await.expect("not the end").expect("a message");
        assert_eq!(early.as_text(), Some("early"));
    }
}

#[tokio::test]
async fn frames_behind_the_answer_are_not_lost() {
    let (near, mut far) = duplex(4096);
    let answers = async {
        let mut request = BytesMut::new();
        let mut handshake = ServerHandshake::new(Arc::default());
        let accepted = loop {
            far.read_buf(&mut request).await.expect("a request");
            if let Some(request) = handshake.receive(&mut request).expect("no refusal") {
                break request.accept().expect("accepted");
            }
        };
        let mut bytes = accepted.response_bytes().to_vec();
        bytes.extend(Frame::text("early").by(Role::Server));
        bytes.extend(Frame::close(1000, "").by(Role::Server));
        far.write_all(&bytes).await.expect("written");
        far
    };
    let connects = Connect::new("ws://example.com/").expect("an address").over(near);
    let (client, far) = tokio::join!(connects, answers);
    let mut client = client.expect("connected");
    let early = client.recv().await.expect("not the end").expect("a message");
    assert_eq!(early.as_text(), Some("early"));
    let mut peer = Raw::new(far, Role::Server);
    let ends = async {
        assert_eq!(peer.recv().await, Some(Frame::close(1000, "")));
        peer.shutdown().await;
    };
    let (end, ()) = tokio::join!(client.recv(), ends);
    assert!(end.is_none());
}

#[tokio::test]
async fn an_address_is_connected_to_over_tcp() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("ws://{}/chat?x=1", listener.local_addr().expect("an address"));
    let serves = async {
        let (stream, _) = listener.accept().await.expect("a client");
        let config = Arc::new(ServerConfig::default());
        echo(Form::Lent, ws_tokio::accept_with(stream, &config).await.expect("accepted")).await
    };
    let connects = async {
        let mut ws = ws_tokio::connect(&address).await.expect("connected");
        assert!(ws.get_ref().tcp().expect("TCP").nodelay().expect("an option"));
        assert_eq!(ws.response().expect("kept").status(), 101);
        ws.send("hello").await.expect("sent");
        assert_eq!(ws.recv().await.expect("not the end").expect("a message"), Message::from("hello"));
        ws.close(CloseCode::GOING_AWAY, "").await.expect("closed")
    };
    let (server, client) = tokio::join!(serves, connects);
    assert_eq!(server.expect("the end").code, 1001);
    assert_eq!(client.expect("the end").code, 1001);
}

#[cfg(feature = "rustls")]
mod wss {
    use tokio_rustls::TlsAcceptor;
    use ws_tokio::ConnectError;

    use super::*;

    #[tokio::test]
    async fn tls_ends_with_its_close_notify() {
        let (client_config, server_config) = support::tls::configs();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let serves = async {
            let (stream, _) = listener.accept().await.expect("a client");
            let tls = TlsAcceptor::from(server_config).accept(stream).await.expect("TLS");
            let mut ws = ws_tokio::accept(tls).await.expect("accepted");
            while let Some(message) = ws.recv().await {
                ws.send(message.expect("a message")).await.expect("sent");
            }
            assert!(ws.closed().expect("the end").is_clean());
            ws
        };
        let connects = async {
            let mut connect = Connect::new(&format!("wss://localhost:{port}/")).expect("an address");
            connect.tls = Some(client_config);
            let mut ws = connect.open().await.expect("connected");
            ws.send("hello").await.expect("sent");
            assert_eq!(ws.recv().await.expect("not the end").expect("a message"), Message::from("hello"));
            // The server's close_notify, not the end of TCP, is what this waits for.
            ws.close(CloseCode::NORMAL, "").await.expect("closed without an error of TLS");
            assert!(ws.recv().await.is_none());
        };
        tokio::join!(serves, connects);
    }

    #[tokio::test]
    async fn an_end_without_close_notify_and_without_a_close_is_an_error_once() {
        let (near, far) = duplex(1 << 16);
        let (near, far) = support::tls::over(near, far).await;
        let (mut client, server) = shake_hands(near, far, ConnectionOptions::default()).await;
        server.close_now();
        let error = client.recv().await.expect("not a clean end").expect_err("cut off");
        assert!(
            matches!(&error, Error::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof),
            "{error:?}"
        );
        assert!(client.recv().await.is_none());
        assert_eq!(client.closed().expect("the end").code, 1006);
    }

    #[tokio::test]
    async fn a_certificate_that_nobody_trusts_is_an_error_of_tls() {
        let (_, server_config) = support::tls::configs();
        let (other_client, _) = support::tls::configs();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let serves = async {
            let (stream, _) = listener.accept().await.expect("a client");
            TlsAcceptor::from(server_config).accept(stream).await
        };
        let connects = async {
            let mut connect = Connect::new(&format!("wss://localhost:{port}/")).expect("an address");
            connect.tls = Some(other_client);
            connect.open().await
        };
        let (served, connected) = tokio::join!(serves, connects);
        assert!(served.is_err());
        assert!(matches!(connected, Err(ConnectError::Tls { ref host, .. }) if host == "localhost"));
    }
}
