//! Clients that misbehave in their handshake, and applications that panic: nobody else notices.

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use support::visitor::{Dial, REQUEST, Told, answer, changed, connect, pair, pipes, refused, tcp};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Notify,
    time::{Instant, sleep},
};
use ws_testkit::Frame;
use ws_tokio::{
    AcceptError, Server, ServerBuilder, ServerConnection,
    endpoint::{driver::CloseCode, frame::Role},
    http::StatusCode,
};

const LOCAL: &str = "127.0.0.1:0";

async fn over_pipes<T: Send + 'static>(builder: ServerBuilder<T>) -> (Server<T>, Dial) {
    let (dial, pipe) = pipes();
    (builder.listener(pipe).start().await.expect("it listens"), dial)
}

/// V19
#[tokio::test]
async fn a_client_that_has_ended_its_side_is_dropped_quietly() {
    let told = Told::default();
    let release = Arc::new(Notify::new());
    let (asked, released) = (Arc::new(Notify::new()), Arc::clone(&release));
    let asks = Arc::clone(&asked);
    let server = Server::builder()
        .on_error(told.listen())
        .authorize(move |request, _| {
            let (asks, released) = (Arc::clone(&asks), Arc::clone(&released));
            async move {
                if request.headers().contains_key("x-slow") {
                    asks.notify_one();
                    released.notified().await;
                }
                Ok::<_, StatusCode>(())
            }
        })
        .bind(LOCAL)
        .await
        .expect("it listens");
    // While the application thinks; and with frames behind the request, too.
    for behind in [vec![], Frame::text("early").by(Role::Client)] {
        let mut stream = tcp(&server).await;
        let mut bytes = support::visitor::with_line("X-Slow: 1").into_bytes();
        bytes.extend(behind);
        stream.write_all(&bytes).await.expect("written");
        asked.notified().await;
        stream.shutdown().await.expect("ended");
        // A whole connection later the end has arrived.
        let (_client, conn) = tokio::join!(connect(&server), server.accept());
        assert!(conn.is_some());
        release.notify_one();
        let mut nothing = Vec::new();
        stream.read_to_end(&mut nothing).await.expect("the end");
        assert_eq!(nothing, b"", "it was answered");
    }
    told.until("client left").await;
    let (_client, conn) = pair(&server).await;
    assert_eq!(server.clients().len(), 1);
    drop(conn);
    assert_eq!(told.all().len(), 2, "{:?}", told.all());
}

/// One that ends its side with its request is dropped by the accept for one transport, too.
#[tokio::test]
async fn a_half_closed_transport_is_not_accepted() {
    let (mut near, far) = tokio::io::duplex(1 << 16);
    near.write_all(REQUEST.as_bytes()).await.expect("written");
    near.shutdown().await.expect("ended");
    assert!(matches!(ws_tokio::accept(far).await, Err(AcceptError::Left)));
    let mut nothing = Vec::new();
    near.read_to_end(&mut nothing).await.expect("the end");
    assert_eq!(nothing, b"");
}

/// A handshake has ten seconds in all, whatever trickles in.
#[tokio::test(start_paused = true)]
async fn a_request_that_trickles_is_refused_when_its_time_is_up() {
    let told = Told::default();
    let (server, dial) = over_pipes(Server::builder().on_error(told.listen())).await;
    let (mut read, mut write) = tokio::io::split(dial.dial());
    let trickles = tokio::spawn(async move {
        for byte in REQUEST.as_bytes() {
            sleep(Duration::from_secs(1)).await;
            if write.write_all(&[*byte]).await.is_err() {
                break;
            }
        }
    });
    let before = Instant::now();
    let mut text = Vec::new();
    read.read_to_end(&mut text).await.expect("the end");
    refused(&String::from_utf8(text).expect("text"), 408, "in time");
    let took = before.elapsed();
    assert!((Duration::from_secs(10)..=Duration::from_secs(12)).contains(&took), "{took:?}");
    drop(read);
    trickles.await.expect("no panic");
    told.until("408").await;
    // And others are served all the while.
    let _silent = dial.dial();
    let before = Instant::now();
    let (_client, conn) = tokio::join!(dial.connect(), server.accept());
    assert!(conn.is_some() && before.elapsed() < Duration::from_secs(1));
}

/// The deadline is the server's own as well.
#[tokio::test(start_paused = true)]
async fn a_hook_that_takes_too_long_is_answered_for() {
    let builder = Server::builder().handshake_timeout(Duration::from_secs(3));
    let (_server, dial) =
        over_pipes(builder.authorize(|_, _| std::future::pending::<Result<(), StatusCode>>())).await;
    let mut stream = dial.dial();
    stream.write_all(REQUEST.as_bytes()).await.expect("written");
    let before = Instant::now();
    refused(&answer(&mut stream).await, 503, "try again later");
    assert_eq!(before.elapsed(), Duration::from_secs(3));
}

/// At the cap the slowest gives way, but not before it has had its second.
#[tokio::test(start_paused = true)]
async fn of_too_many_handshakes_the_slowest_give_way() {
    let told = Told::default();
    let (server, dial) = over_pipes(Server::builder().max_handshakes(10).on_error(told.listen())).await;
    let silent: Vec<_> = (0..35).map(|_| dial.dial()).collect();
    let before = Instant::now();
    let (_client, conn) = tokio::join!(dial.connect(), server.accept());
    assert!(conn.is_some());
    // Three times ten had to be waited for, a second each time.
    let took = before.elapsed();
    assert!((Duration::from_secs(2)..Duration::from_secs(4)).contains(&took), "{took:?}");
    let gave_way = told.all().iter().filter(|told| told.contains("gave way")).count();
    assert!((25..=26).contains(&gave_way), "{gave_way}");
    // Honest clients that come all at once do not harm each other.
    drop(silent);
    let clients: Vec<_> = (0..50)
        .map(|_| {
            let dial = dial.clone();
            tokio::spawn(async move { dial.connect().await })
        })
        .collect();
    let before = Instant::now();
    for _ in 0..50 {
        assert!(server.accept().await.is_some());
    }
    assert!(before.elapsed() < Duration::from_millis(100), "{:?}", before.elapsed());
    for client in clients {
        client.await.expect("accepted");
    }
}

/// Serves: a text "panic" is one, everything else comes back.
fn serve_and_panic(server: &Server) {
    let server = server.clone();
    tokio::spawn(async move {
        server
            .serve(|mut conn: ServerConnection| {
                assert!(conn.request.uri().path() != "/at-once", "at once");
                async move {
                    while let Some(message) = conn.socket.recv().await {
                        let message = message?;
                        assert!(message.as_text() != Some("panic"), "as asked");
                        conn.socket.send(message).await?;
                    }
                    Ok::<_, ws_tokio::Error>(())
                }
            })
            .await;
    });
}

#[tokio::test]
async fn a_panic_in_a_handler_ends_its_connection_with_1011_and_no_other() {
    let told = Told::default();
    let server = Server::builder().on_error(told.listen()).bind(LOCAL).await.expect("it listens");
    serve_and_panic(&server);
    let mut other = connect(&server).await;
    let mut client = connect(&server).await;
    client.send("hello").await.expect("sent");
    assert_eq!(client.recv().await.expect("not the end").expect("a message").as_text(), Some("hello"));
    client.send("panic").await.expect("sent");
    assert!(client.recv().await.is_none());
    let closed = client.closed().expect("closed");
    assert_eq!((closed.code, closed.is_clean()), (1011, true));
    told.until("a hook or a handler panicked: as asked").await;

    // A closure that panics before there is a future.
    let stream = tcp(&server).await;
    let connect = ws_tokio::Connect::new("ws://example.com/at-once").expect("an address");
    let mut client = connect.over(stream).await.expect("accepted");
    assert!(client.recv().await.is_none());
    assert_eq!(client.closed().expect("closed").code, 1011);
    told.until("panicked: at once").await;

    other.send("still here").await.expect("sent");
    assert_eq!(other.recv().await.expect("not the end").expect("a message").as_text(), Some("still here"));
    drop(client);
    while server.clients().len() > 1 {
        tokio::task::yield_now().await;
    }
}

/// How long anything may take that takes no time by itself.
const LONG: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hooks_and_handlers_that_panic_under_load_harm_nobody_else() {
    const CLIENTS: usize = 200;
    let told = Told::default();
    let server = Server::builder()
        .authorize(|request, _| async move {
            assert!(request.uri().path() != "/authorize", "authorize, as asked");
            Ok::<_, StatusCode>(())
        })
        .add_headers(|request, _| assert!(request.uri().path() != "/header", "a header, as asked"))
        .on_error(told.listen())
        .bind(LOCAL)
        .await
        .expect("it listens");
    serve_and_panic(&server);
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..CLIENTS {
        let server = server.clone();
        clients.spawn(async move {
            let path = ["/authorize", "/header", "/at-once", "/panic", "/honest"][number % 5];
            if number % 5 < 2 {
                let request = changed("GET ", &format!("GET {path} HTTP/1.1\r\n"));
                refused(&support::visitor::ask(&server, request).await, 500, "");
                return;
            }
            let connect = ws_tokio::Connect::new(&format!("ws://example.com{path}")).expect("an address");
            let mut client = connect.over(tcp(&server).await).await.expect("accepted");
            if path == "/honest" {
                for number in 0..50 {
                    let text = format!("message {number}");
                    client.send(text.as_str()).await.expect("sent");
                    let echo = client.recv().await.expect("not the end").expect("an echo");
                    assert_eq!(echo.as_text(), Some(&*text));
                }
                client.close(CloseCode::NORMAL, "").await.expect("clean");
            } else {
                // The connection may have ended before this is sent.
                let _ended = client.send("panic").await;
                assert!(client.recv().await.is_none());
                assert_eq!(client.closed().expect("closed").code, 1011, "{path}");
            }
        });
    }
    let all = async {
        while let Some(done) = clients.join_next().await {
            done.expect("each client sees what it is to see");
        }
        while !server.clients().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, all).await.expect("nobody is held up, and nobody left behind");
    for fault in ["authorize, as asked", "a header, as asked", "at once", "panicked: as asked"] {
        let count = told.all().iter().filter(|told| told.contains(fault)).count();
        assert!(count >= CLIENTS / 5, "{fault}: {count} of {}", CLIENTS / 5);
    }
}

/// The hooks of the handshake are in `server_requests`; these are those behind it and in front of it.
#[tokio::test]
async fn a_panic_in_a_header_the_acceptor_or_the_log_harms_nobody_else() {
    let told = Told::default();
    let (listen, calls) = (told.listen(), AtomicUsize::new(0));
    let server = Server::builder()
        .acceptor(move |stream| {
            let call = calls.fetch_add(1, Ordering::SeqCst);
            assert!(call != 0, "an acceptor's closure");
            async move {
                assert!(call != 1, "an acceptor's future");
                Ok(stream)
            }
        })
        .add_headers(|request, _| assert!(request.uri().path() != "/header", "a header's fault"))
        .on_error(move |error| {
            listen(error);
            panic!("the log's own");
        })
        .bind(LOCAL)
        .await
        .expect("it listens");
    for says in ["an acceptor's closure", "an acceptor's future"] {
        let mut stream = tcp(&server).await;
        _ = stream.write_all(REQUEST.as_bytes()).await;
        assert_eq!(answer(&mut stream).await, "");
        told.until(says).await;
    }
    let (mut client, mut conn) = pair(&server).await;
    let mut stream = tcp(&server).await;
    stream.write_all(changed("GET ", "GET /header HTTP/1.1\r\n").as_bytes()).await.expect("written");
    refused(&answer(&mut stream).await, 500, "");
    told.until("a header's fault").await;
    client.send("still here").await.expect("sent");
    assert_eq!(
        conn.socket.recv().await.expect("not the end").expect("a message").as_text(),
        Some("still here")
    );
}

/// A task of the application's own that panics.
#[tokio::test]
async fn a_panic_outside_of_serve_is_told_to_the_client_as_well() {
    let server = Server::builder().bind(LOCAL).await.expect("it listens");
    let (mut client, conn) = pair(&server).await;
    let task = tokio::spawn(async move {
        let _conn = conn;
        panic!("on its own");
    });
    assert!(client.recv().await.is_none());
    assert_eq!(client.closed().expect("closed").code, 1011);
    assert!(task.await.expect_err("it panics").is_panic());
}

/// A Close inside of a frame would be a part of its payload.
#[tokio::test]
async fn a_panic_in_the_middle_of_a_frame_writes_nothing_more() {
    let (server, dial) = over_pipes(Server::builder()).await;
    let (mut client, conn) = tokio::join!(dial.connect(), server.accept());
    let mut conn = conn.expect("a connection");
    let task = tokio::spawn(async move {
        let sends = conn.socket.send(vec![0; 1 << 20]);
        // Longer than what the pipe takes: some of it has left.
        assert!(support::poll_once(sends).is_ready(), "in the middle");
    });
    assert!(task.await.expect_err("it panics").is_panic());
    assert!(matches!(client.recv().await, Some(Err(ws_tokio::Error::Lost))));
}

#[tokio::test]
async fn an_error_of_a_handler_is_told() {
    let told = Told::default();
    let server = Server::builder().on_error(told.listen()).bind(LOCAL).await.expect("it listens");
    let serving = server.clone();
    tokio::spawn(async move {
        serving
            .serve(|mut conn| async move {
                conn.socket.recv().await;
                Err::<(), _>("no such room")
            })
            .await;
    });
    let mut client = connect(&server).await;
    client.send("x").await.expect("sent");
    told.until("no such room").await;
    assert!(matches!(client.recv().await, Some(Err(_))), "it was left without a Close");
    let report = server.shutdown(CloseCode::GOING_AWAY, "", Duration::from_secs(5)).await;
    assert_eq!((report.answered, report.unanswered.len()), (0, 0));
}
