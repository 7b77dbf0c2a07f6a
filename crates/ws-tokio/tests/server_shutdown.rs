//! The end of a server.

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use support::visitor::{Dial, REQUEST, Told, answer, connect, pair, pipes, refused};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::Instant,
};
use ws_tokio::{Server, ServerBuilder, WebSocket, endpoint::driver::CloseCode, http::StatusCode};

const LOCAL: &str = "127.0.0.1:0";
const LONG: Duration = Duration::from_secs(60);

async fn over_pipes<T: Send + 'static>(builder: ServerBuilder<T>) -> (Server<T>, Dial) {
    let (dial, pipe) = pipes();
    (builder.listener(pipe).start().await.expect("it listens"), dial)
}

/// Serves echoes in a task of its own.
fn echo(server: &Server) -> tokio::task::JoinHandle<()> {
    let server = server.clone();
    tokio::spawn(async move {
        let handler = |mut conn: ws_tokio::ServerConnection| async move {
            while let Some(message) = conn.socket.recv().await {
                conn.socket.send(message?).await?;
            }
            Ok::<_, ws_tokio::Error>(())
        };
        server.serve(handler).await;
    })
}

async fn closed_with<S>(mut client: WebSocket<S>) -> (u16, String)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    while let Some(Ok(_)) = client.recv().await {}
    let closed = client.closed().expect("closed");
    (closed.code, closed.reason.as_str().to_owned())
}

/// V17
#[tokio::test]
async fn shutdown_closes_everyone_and_is_idempotent() {
    let server = Server::builder().bind(LOCAL).await.expect("it listens");
    let serving = echo(&server);
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(connect(&server).await);
    }
    let waiting: Vec<_> = clients.into_iter().map(|client| tokio::spawn(closed_with(client))).collect();
    let (first, second) = tokio::join!(
        server.shutdown(CloseCode::SERVICE_RESTART, "back soon", LONG),
        server.shutdown(CloseCode::NORMAL, "another", LONG)
    );
    assert_eq!((first.answered, first.unanswered.len()), (20, 0));
    assert_eq!(first, second);
    assert_eq!(first, server.shutdown(CloseCode::NORMAL, "", LONG).await);
    for client in waiting {
        let (code, reason) = client.await.expect("no panic");
        assert!(
            [(1012, "back soon"), (1000, "another")].contains(&(code, reason.as_str())),
            "{code} {reason}"
        );
    }
    serving.await.expect("no panic");
    assert!(server.clients().is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_does_not_answer_is_reported_after_the_deadline() {
    let (server, dial) = over_pipes(Server::builder().close_timeout(None)).await;
    let serving = echo(&server);
    let mut silent = dial.dial();
    silent.write_all(REQUEST.as_bytes()).await.expect("written");
    assert!(answer(&mut silent).await.starts_with("HTTP/1.1 101 "));
    let polite = tokio::spawn(closed_with(dial.connect().await));
    while server.clients().len() < 2 {
        tokio::task::yield_now().await;
    }
    let before = Instant::now();
    let report = server.shutdown(CloseCode::GOING_AWAY, "bye", Duration::from_secs(7)).await;
    assert_eq!(before.elapsed(), Duration::from_secs(7));
    assert_eq!((report.answered, report.unanswered.len()), (1, 1));
    assert_eq!(report.unanswered[0].to_string(), "pipe");
    assert_eq!(polite.await.expect("no panic"), (1001, "bye".to_owned()));
    // It is dropped, and its handler has ended.
    serving.await.expect("no panic");
    let mut rest = Vec::new();
    silent.read_to_end(&mut rest).await.expect("the end");
    assert_eq!(rest, b"\x88\x05\x03\xe9bye");
    let again = server.shutdown(CloseCode::GOING_AWAY, "bye", LONG).await;
    assert_eq!((again.answered, again.unanswered.len()), (1, 1));
}

/// Each connection's own deadline counts as well.
#[tokio::test(start_paused = true)]
async fn a_peer_that_misses_its_own_deadline_has_not_answered() {
    let (server, dial) = over_pipes(Server::builder().close_timeout(Duration::from_secs(2))).await;
    let serving = echo(&server);
    let mut silent = dial.dial();
    silent.write_all(REQUEST.as_bytes()).await.expect("written");
    answer(&mut silent).await;
    while server.clients().is_empty() {
        tokio::task::yield_now().await;
    }
    let before = Instant::now();
    let report = server.shutdown(CloseCode::GOING_AWAY, "", LONG).await;
    assert_eq!((report.answered, report.unanswered.len()), (0, 1));
    assert_eq!(before.elapsed(), Duration::from_secs(2));
    serving.await.expect("no panic");
}

/// A handler that waits for something else than its connection cannot close it.
#[tokio::test(start_paused = true)]
async fn a_handler_that_is_busy_elsewhere_is_aborted_at_the_deadline() {
    let (server, dial) = over_pipes(Server::builder()).await;
    let ended = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&ended);
    let handles = server.clone();
    let serving = tokio::spawn(async move {
        handles
            .serve(move |conn| {
                let count = Arc::clone(&count);
                async move {
                    let _conn = conn;
                    std::future::pending::<()>().await;
                    count.fetch_add(1, Ordering::Relaxed);
                }
            })
            .await;
    });
    let mut client = dial.connect().await;
    while server.clients().is_empty() {
        tokio::task::yield_now().await;
    }
    let report = server.shutdown(CloseCode::GOING_AWAY, "", Duration::from_secs(3)).await;
    assert_eq!(report.unanswered.len(), 1);
    serving.await.expect("no panic");
    assert_eq!(ended.load(Ordering::Relaxed), 0);
    assert!(matches!(client.recv().await, Some(Err(_))));
}

#[tokio::test(start_paused = true)]
async fn clients_in_their_handshake_are_told_503() {
    let asked = Arc::new(tokio::sync::Notify::new());
    let asks = Arc::clone(&asked);
    let builder = Server::builder().authorize(move |_, _| {
        asks.notify_one();
        std::future::pending::<Result<(), StatusCode>>()
    });
    let (server, dial) = over_pipes(builder).await;
    let (mut silent, mut half, mut asking) = (dial.dial(), dial.dial(), dial.dial());
    half.write_all(&REQUEST.as_bytes()[..40]).await.expect("written");
    asking.write_all(REQUEST.as_bytes()).await.expect("written");
    asked.notified().await;
    let answers = async { tokio::join!(answer(&mut silent), answer(&mut half), answer(&mut asking)) };
    let (report, answers) = tokio::join!(server.shutdown(CloseCode::GOING_AWAY, "", LONG), answers);
    for answer in [&answers.0, &answers.1, &answers.2] {
        refused(answer, 503, "try again later");
    }
    assert_eq!((report.answered, report.unanswered.len()), (0, 0));
    assert!(server.accept().await.is_none());
}

#[tokio::test]
async fn connections_that_nobody_has_taken_are_closed() {
    let server = Server::builder().bind(LOCAL).await.expect("it listens");
    let mut clients = Vec::new();
    for _ in 0..70 {
        // More than wait in the server's queue: the rest waits in its task.
        clients.push(tokio::spawn(closed_with(connect(&server).await)));
    }
    let report = server.shutdown(CloseCode::GOING_AWAY, "full", LONG).await;
    assert_eq!((report.answered, report.unanswered.len()), (70, 0));
    for client in clients {
        assert_eq!(client.await.expect("no panic"), (1001, "full".to_owned()));
    }
}

/// Nobody takes them, and they do not answer: what waits is dropped at the deadline.
#[tokio::test(start_paused = true)]
async fn at_the_deadline_nothing_waits_any_more() {
    let (server, dial) = over_pipes(Server::builder().close_timeout(None)).await;
    let mut silent = Vec::new();
    for _ in 0..80 {
        let mut stream = dial.dial();
        stream.write_all(REQUEST.as_bytes()).await.expect("written");
        assert!(answer(&mut stream).await.starts_with("HTTP/1.1 101 "));
        silent.push(stream);
    }
    let report = server.shutdown(CloseCode::GOING_AWAY, "", Duration::from_secs(3)).await;
    assert_eq!((report.answered, report.unanswered.len()), (0, 80));
    for mut stream in silent {
        stream.read_to_end(&mut Vec::new()).await.expect("the end");
    }
    assert!(server.accept().await.is_none());
    assert!(server.clients().is_empty());
}

/// An application fails when it sends on a connection that was told to close, and drops it. Its client is told all the
/// same.
#[tokio::test]
async fn a_connection_that_is_dropped_during_the_shutdown_is_seen_off() {
    for polled in [false, true] {
        let server = Server::builder().bind(LOCAL).await.expect("it listens");
        let (client, mut conn) = pair(&server).await;
        let client = tokio::spawn(closed_with(client));
        let drops = async {
            if polled {
                assert!(support::poll_once(conn.socket.recv()).is_pending());
            }
            drop(conn);
        };
        let (report, ()) = tokio::join!(server.shutdown(CloseCode::GOING_AWAY, "bye", LONG), drops);
        assert_eq!((report.answered, report.unanswered), (1, vec![]), "polled: {polled}");
        assert_eq!(client.await.expect("no panic"), (1001, "bye".to_owned()), "polled: {polled}");
    }
}

/// Clients come, talk and go all the while; nobody is forgotten.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_under_load_forgets_nobody() {
    let told = Told::default();
    let server = Server::builder().on_error(told.listen()).bind(LOCAL).await.expect("it listens");
    let serving = echo(&server);
    let opened = Arc::new(AtomicUsize::new(0));
    let mut clients = Vec::new();
    for number in 0..30 {
        let (server, opened) = (server.clone(), Arc::clone(&opened));
        clients.push(tokio::spawn(async move {
            // Every third one leaves after a while; connecting anew goes on until the server is gone.
            loop {
                let Some(address) = server.local_addrs().first().and_then(ws_tokio::Address::tcp) else {
                    return;
                };
                let connect = ws_tokio::Connect::new(&format!("ws://{address}/")).expect("an address");
                let Ok(mut client) = connect.open().await else { continue };
                opened.fetch_add(1, Ordering::Relaxed);
                let mut left = if number % 3 == 0 { 5 } else { usize::MAX };
                while left > 0 && client.send("x".repeat(number)).await.is_ok() {
                    match client.recv().await {
                        Some(Ok(message)) => assert_eq!(message.as_bytes().len(), number),
                        _ => break,
                    }
                    left -= 1;
                }
                if left > 0 {
                    while let Some(Ok(_)) = client.recv().await {}
                    let closed = client.closed().expect("closed");
                    assert_eq!(closed.code, 1001, "{closed:?}");
                    return;
                }
                let _ended = client.close(CloseCode::NORMAL, "").await;
            }
        }));
    }
    while opened.load(Ordering::Relaxed) < 100 {
        tokio::task::yield_now().await;
    }
    let report = server.shutdown(CloseCode::GOING_AWAY, "load", Duration::from_secs(30)).await;
    assert!(report.answered >= 15, "{report:?}");
    assert_eq!(report.unanswered, [], "{:?}", told.all());
    for client in clients {
        client.await.expect("no panic");
    }
    serving.await.expect("no panic");
}

/// What is queued when the shutdown comes still arrives.
#[tokio::test]
async fn what_was_sent_before_arrives_before_the_close() {
    let server = Server::builder().bind(LOCAL).await.expect("it listens");
    let (mut client, mut conn) = pair(&server).await;
    let sends = async {
        for number in 0..100 {
            conn.socket.feed(format!("{number}")).await.expect("queued");
        }
        while let Some(Ok(_)) = conn.socket.recv().await {}
    };
    let receives = async {
        let mut received = 0;
        while let Some(Ok(_)) = client.recv().await {
            received += 1;
        }
        received
    };
    let (report, (), received) =
        tokio::join!(server.shutdown(CloseCode::GOING_AWAY, "", LONG), sends, receives);
    assert_eq!((report.answered, received), (1, 100));
}

/// A future of the shutdown that is dropped has stopped the server all the same.
#[tokio::test]
async fn a_dropped_shutdown_goes_on_when_it_is_called_again() {
    let server = Server::builder().bind(LOCAL).await.expect("it listens");
    let (client, mut conn) = pair(&server).await;
    assert!(support::poll_once(server.shutdown(CloseCode::GOING_AWAY, "", LONG)).is_pending());
    assert!(server.local_addrs().is_empty());
    let client = tokio::spawn(closed_with(client));
    let (report, _) = tokio::join!(server.shutdown(CloseCode::GOING_AWAY, "", LONG), conn.socket.recv());
    assert_eq!(report.answered, 1);
    assert_eq!(client.await.expect("no panic").0, 1001);
}
