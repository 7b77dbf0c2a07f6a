//! A server that listens: where, for whom, and what it knows of them.

mod support;

use std::{io, task::Poll, time::Duration};

use support::visitor::{Pipes, Told, ask, connect, pair, pipes, with_line};
use tokio::net::{TcpListener, TcpStream};
use ws_tokio::{
    Address, BindError, Connect, Error, Listener, Server, ServerStream,
    endpoint::driver::{CloseCode, Limits},
    http::StatusCode,
};

const LOCAL: &str = "127.0.0.1:0";

/// V1
#[tokio::test]
async fn a_server_without_a_listener_does_not_start() {
    let error = Server::builder().start().await.expect_err("it listens nowhere");
    assert!(matches!(error, BindError::Nowhere), "{error}");
}

#[tokio::test]
async fn an_address_in_use_is_named_in_the_error() {
    let taken = TcpListener::bind(LOCAL).await.expect("a port");
    let address = taken.local_addr().expect("an address");
    let error = Server::builder().bind(address).await.expect_err("it is taken");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

/// V2
#[tokio::test]
async fn several_addresses_and_listeners_serve_at_once() {
    let own = TcpListener::bind(LOCAL).await.expect("a port");
    let (dial, pipe) = pipes();
    let server = Server::builder()
        .backlog(16)
        .listen("localhost:0")
        .listen(LOCAL)
        .listener(own)
        .listener(pipe)
        .start()
        .await
        .expect("it listens");
    let addresses = server.local_addrs();
    assert_eq!(addresses.len(), 4);
    for address in addresses.iter().filter_map(Address::tcp) {
        assert!(address.ip().is_loopback() && address.port() != 0, "{address}");
        let connect = Connect::new(&format!("ws://{address}/")).expect("an address");
        let (client, conn) = tokio::join!(connect.open(), server.accept());
        let local = client.expect("accepted").get_ref().local_addr().expect("an address");
        assert_eq!(conn.expect("a connection").peer_addr, Address::Tcp(local));
    }
    let (_client, conn) = tokio::join!(dial.connect(), server.accept());
    assert_eq!(conn.expect("a connection").peer_addr.to_string(), "pipe");
}

/// V15
#[tokio::test]
async fn a_connection_comes_with_its_request_and_what_authorized_it() {
    let server = Server::builder()
        .authorize(|request, peer| async move {
            assert!(peer.ip().is_some_and(|ip| ip.is_loopback()));
            let user = request.headers().get("x-user").and_then(|user| user.to_str().ok());
            user.map(str::to_owned).ok_or(StatusCode::UNAUTHORIZED)
        })
        .bind(LOCAL)
        .await
        .expect("it listens");
    let (answer, conn) = tokio::join!(ask(&server, with_line("X-User: ali")), server.accept());
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    let conn = conn.expect("a connection");
    assert_eq!(conn.data, "ali");
    assert_eq!(conn.request.uri(), "/chat?room=1");
    assert_eq!(conn.request.headers()["host"], "example.com");
    assert_eq!(conn.into_socket().subprotocol(), Some("chat.v1"));
}

/// V16
#[tokio::test]
async fn clients_are_counted_shown_and_closed() {
    let server = Server::builder().bind(LOCAL).await.expect("it listens");
    assert!(server.clients().is_empty());
    let (mut first, mut first_here) = pair(&server).await;
    let (mut second, mut second_here) = pair(&server).await;
    let clients = server.clients();
    assert_eq!(clients.len(), 2);
    for client in clients.iter() {
        assert_eq!(client.path(), "/chat");
        assert!(client.age() < Duration::from_secs(60));
        assert!([&first_here.peer_addr, &second_here.peer_addr].contains(&client.peer_addr()));
    }

    // One of them, which waits for a message.
    let one = clients.iter().find(|client| *client.peer_addr() == first_here.peer_addr).expect("the first");
    one.close(CloseCode::POLICY_VIOLATION, "enough");
    let (closed, ended) = tokio::join!(first.recv(), first_here.socket.recv());
    assert!(closed.is_none() && ended.is_none());
    let closed = first.closed().expect("closed");
    assert_eq!((closed.code, closed.reason.as_str()), (1008, "enough"));
    assert_eq!(clients.len(), 1, "an ended connection is none, even if it is still held");

    // All of them.
    clients.close_all(CloseCode::SERVICE_RESTART, "");
    let (closed, ended) = tokio::join!(second.recv(), second_here.socket.recv());
    assert!(closed.is_none() && ended.is_none());
    assert_eq!(second.closed().expect("closed").code, 1012);
    assert!(clients.is_empty());

    // And new ones are accepted.
    let (_third, mut third_here) = pair(&server).await;
    assert_eq!(clients.len(), 1);
    clients.iter().for_each(|client| client.close_now());
    assert!(matches!(third_here.socket.recv().await, Some(Err(Error::Io(_)))));
    drop(third_here);
    assert!(clients.is_empty());
}

/// An order reaches a connection in whatever it waits, and in both halves.
#[tokio::test]
async fn a_close_from_outside_reaches_split_halves_and_writers() {
    let server = Server::builder().bind(LOCAL).await.expect("it listens");
    let (mut client, conn) = pair(&server).await;
    let (mut reader, mut writer) = conn.socket.split();
    let told = async {
        server.clients().close_all(CloseCode::GOING_AWAY, "bye");
        client.recv().await
    };
    let (closed, ended) = tokio::join!(told, reader.recv());
    assert!(closed.is_none() && ended.is_none());
    assert!(writer.send("late").await.is_err());

    let (mut client, mut conn) = pair(&server).await;
    let flood = async {
        // The client reads nothing: this ends only because it is told to.
        loop {
            if let Err(error) = conn.socket.send(vec![0; 1 << 16]).await {
                return error;
            }
        }
    };
    let drops = async {
        while conn_is_flowing(&server) {
            tokio::task::yield_now().await;
        }
        server.clients().iter().for_each(|client| client.close_now());
    };
    let (error, ()) = tokio::join!(flood, drops);
    assert!(error.to_string().contains("transport"), "{error}");
    drop(conn);
    while let Some(Ok(_)) = client.recv().await {}
}

/// Whether the one connection is younger than a moment: its first writes have filled the transport by then.
fn conn_is_flowing(server: &Server) -> bool {
    server.clients().iter().all(|client| client.age() < Duration::from_millis(50))
}

/// A connection with a task of its own is driven by that.
#[tokio::test]
async fn a_close_from_outside_reaches_a_spawned_connection() {
    let server = Server::builder().bind(LOCAL).await.expect("it listens");
    let (mut client, conn) = pair(&server).await;
    let _handle = conn.socket.spawn(16);
    let report = server.shutdown(CloseCode::GOING_AWAY, "", Duration::from_secs(10));
    let (report, closed) = tokio::join!(report, client.recv());
    assert_eq!(report.answered, 1, "{report:?}");
    assert!(closed.is_none());
    assert_eq!(client.closed().expect("closed").code, 1001);
}

/// Cancellation: a future of `accept` may be dropped at any poll.
#[tokio::test]
async fn a_dropped_accept_loses_no_connection() {
    let server = Server::builder().bind(LOCAL).await.expect("it listens");
    let clients: Vec<_> = (0..20)
        .map(|_| {
            let server = server.clone();
            tokio::spawn(async move { connect(&server).await })
        })
        .collect();
    let mut accepted = 0;
    while accepted < 20 {
        if let Poll::Ready(conn) = support::poll_once(server.accept()) {
            accepted += usize::from(conn.is_some());
        }
        tokio::task::yield_now().await;
    }
    for client in clients {
        client.await.expect("accepted");
    }
}

/// V18
#[tokio::test]
async fn a_server_that_has_shut_down_listens_nowhere() {
    let server = Server::builder().bind(LOCAL).await.expect("it listens");
    let address = server.local_addrs()[0].tcp().expect("a TCP address");
    assert!(TcpStream::connect(address).await.is_ok());
    let report = server.shutdown(CloseCode::GOING_AWAY, "", Duration::from_secs(5)).await;
    assert_eq!((report.answered, report.unanswered.len()), (0, 0));
    assert!(server.local_addrs().is_empty());
    assert!(TcpStream::connect(address).await.is_err());
    assert!(server.accept().await.is_none());
}

/// A server that nobody holds any more accepts nobody; who is connected stays so.
#[tokio::test]
async fn a_dropped_server_leaves_its_connections_open() {
    let server = Server::builder().bind(LOCAL).await.expect("it listens");
    let address = server.local_addrs()[0].tcp().expect("a TCP address");
    let (mut client, mut conn) = pair(&server).await;
    drop(server);
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    client.send("still here").await.expect("sent");
    let message = conn.socket.recv().await.expect("not the end").expect("a message");
    assert_eq!(message.as_text(), Some("still here"));
}

/// V20
#[tokio::test]
async fn transports_have_no_delay() {
    let server = Server::builder().bind(LOCAL).await.expect("it listens");
    let (_client, conn) = pair(&server).await;
    assert!(conn.socket.get_ref().tcp().expect("TCP").nodelay().expect("an option"));
}

/// V20: no idle timeout, unless it is asked for.
#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_only_where_that_was_asked_for() {
    for (timeout, age, says) in [
        (None, None, None),
        (Some(600), None, Some("idle for too long")),
        (None, Some(600), Some("maximum age reached")),
    ] {
        let (dial, pipe) = pipes();
        let server = Server::builder()
            .idle_timeout(timeout.map(Duration::from_secs))
            .max_age(age.map(Duration::from_secs))
            .listener(pipe)
            .start()
            .await
            .expect("it listens");
        tokio::spawn(async move {
            server
                .serve(|mut conn| async move {
                    conn.socket.recv().await;
                })
                .await;
        });
        let mut client = dial.connect().await;
        let waits = tokio::time::timeout(Duration::from_secs(6000), client.recv()).await;
        match says {
            None => assert!(waits.is_err(), "it is closed: {waits:?}"),
            Some(reason) => {
                assert!(matches!(waits, Ok(None)), "{waits:?}");
                let closed = client.closed().expect("closed");
                assert_eq!((closed.code, closed.reason.as_str()), (1001, reason));
            }
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_is_served_and_its_file_goes() {
    use tokio::net::UnixStream;

    let path = std::env::temp_dir().join(format!("ws-server-{}.sock", std::process::id()));
    // What a server left behind that has ended without notice.
    drop(std::os::unix::net::UnixListener::bind(&path).expect("a socket"));
    let server = Server::builder().unix(&path).start().await.expect("it listens");
    assert_eq!(server.local_addrs()[0].to_string(), format!("unix:{}", path.display()));
    let error = Server::builder().unix(&path).start().await.expect_err("somebody listens");
    assert!(error.to_string().contains("ws-server-"), "{error}");

    let stream = UnixStream::connect(&path).await.expect("connected");
    let connect = Connect::new("ws://localhost/").expect("an address");
    let (client, conn) = tokio::join!(connect.over(stream), server.accept());
    let (mut client, mut conn) = (client.expect("accepted"), conn.expect("a connection"));
    assert_eq!(conn.peer_addr, Address::Unix(None));
    let cred = conn.socket.get_ref().unix().expect("a Unix socket").peer_cred().expect("credentials");
    assert_eq!(cred.pid(), i32::try_from(std::process::id()).ok());
    client.send("hello").await.expect("sent");
    assert_eq!(conn.socket.recv().await.expect("not the end").expect("a message").as_text(), Some("hello"));
    let sends = async { conn.socket.send(vec![7; 300_000]).await.expect("sent") };
    let (received, ()) = tokio::join!(client.recv(), sends);
    assert!(received.expect("not the end").expect("a message").as_bytes() == vec![7; 300_000]);

    let gone = tokio::join!(
        server.shutdown(CloseCode::GOING_AWAY, "", Duration::from_secs(5)),
        async { while conn.socket.recv().await.is_some() {} },
        async { while client.recv().await.is_some() {} }
    );
    assert_eq!(gone.0.answered, 1);
    assert!(!path.exists());
}

#[tokio::test(start_paused = true)]
async fn a_system_without_descriptors_is_told_and_tried_again() {
    let told = Told::default();
    let (dial, pipe) = pipes();
    let server = Server::builder().on_error(told.listen()).listener(pipe).start().await.expect("it listens");
    for kind in [24, 23, 12] {
        dial.fail(io::Error::from_raw_os_error(kind)); // EMFILE, ENFILE, ENOMEM
    }
    dial.fail(io::ErrorKind::ConnectionAborted.into());
    let before = tokio::time::Instant::now();
    let (_client, conn) = tokio::join!(dial.connect(), server.accept());
    assert!(conn.is_some());
    assert_eq!(told.all().len(), 3, "{:?}", told.all());
    assert!(told.all()[0].starts_with("cannot accept a connection on pipes: "), "{:?}", told.all());
    assert!(before.elapsed() >= Duration::from_millis(300), "it spins");
}

/// A listener whose first calls panic: at once, and in what is awaited.
struct Panics(Pipes, usize);

impl Listener for Panics {
    fn accept(&mut self) -> impl Future<Output = io::Result<(ServerStream, Address)>> + Send {
        self.1 += 1;
        assert!(self.1 != 1, "at once");
        async {
            assert!(self.1 != 2, "while it waits");
            self.0.accept().await
        }
    }

    fn local_addr(&self) -> Address {
        self.0.local_addr()
    }
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_panics_is_told_of_and_tried_again() {
    let told = Told::default();
    let (dial, pipes) = pipes();
    let builder = Server::builder().on_error(told.listen()).listener(Panics(pipes, 0));
    let server = builder.start().await.expect("it listens");
    let before = tokio::time::Instant::now();
    let (_client, conn) = tokio::join!(dial.connect(), server.accept());
    assert!(conn.is_some());
    assert_eq!(
        told.all(),
        ["at once", "while it waits"]
            .map(|what| format!("cannot accept a connection on pipes: the listener panicked: {what}"))
    );
    assert!(before.elapsed() >= Duration::from_millis(200), "it spins");
}

/// The configuration of each connection is the server's.
#[tokio::test]
async fn limits_are_those_of_the_builder() {
    let mut limits = Limits::default();
    limits.max_message_len = 10;
    for builder in [Server::builder().max_message_len(10), Server::builder().limits(limits)] {
        let server = builder.bind(LOCAL).await.expect("it listens");
        let (mut client, mut conn) = pair(&server).await;
        client.send("eleven bytes").await.expect("sent");
        let (ended, closed) = tokio::join!(conn.socket.recv(), client.recv());
        assert!(matches!(ended, Some(Err(Error::Failed(_)))), "{ended:?}");
        assert!(closed.is_none());
        assert_eq!(client.closed().expect("closed").code, 1009);
    }
}
