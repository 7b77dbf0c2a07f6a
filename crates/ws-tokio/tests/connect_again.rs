//! The client that comes back: when it tries again, how long it waits, and when it stops.

mod support;

use std::{
    collections::VecDeque,
    future::pending,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt, StreamExt};
use support::AbortOnDrop;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::{Instant, timeout},
};
use ws_tokio::{Backoff, Connect, ConnectError, Reconnect, Step, endpoint::driver::CloseCode};

/// What a server does with its next client.
#[derive(Clone, Copy)]
enum Does {
    /// Accepts, says hello, and stays until the client leaves.
    Accepts,
    /// Accepts and hangs up.
    HangsUp,
    /// Answers with this head.
    Answers(&'static str),
    /// Says nothing.
    Hangs,
}
use Does::{Accepts, Answers, Hangs, HangsUp};

/// A server that does these, one for each client, and the last for ever.
struct Server {
    port: u16,
    /// When each client came, in whole seconds from the start.
    clients: Arc<Mutex<Vec<u64>>>,
    _task: AbortOnDrop,
}

impl Server {
    async fn start(script: &[Does]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let clients = Arc::new(Mutex::new(Vec::new()));
        let (notes, start) = (Arc::clone(&clients), Instant::now());
        let mut script: VecDeque<_> = script.iter().copied().collect();
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                // Waits are a little below the second that they are drawn from.
                let seconds = (start.elapsed() + Duration::from_millis(100)).as_secs();
                notes.lock().expect("no panic").push(seconds);
                let does = if script.len() > 1 { script.pop_front() } else { script.front().copied() };
                tokio::spawn(async move {
                    match does.expect("a script") {
                        Accepts => {
                            let mut ws = ws_tokio::accept(stream).await?;
                            ws.send("hello").await?;
                            while let Some(message) = ws.recv().await {
                                ws.send(message?).await?;
                            }
                        }
                        HangsUp => ws_tokio::accept(stream).await?.close_now(),
                        Answers(head) => {
                            stream.read_buf(&mut Vec::with_capacity(4096)).await?;
                            stream.write_all(head.as_bytes()).await?;
                        }
                        Hangs => pending().await,
                    }
                    Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
                });
            }
        });
        Self { port, clients, _task: AbortOnDrop(task) }
    }

    /// A client whose waits are as long as they may be.
    fn client(&self) -> Reconnect {
        let connect = Connect::new(&format!("ws://127.0.0.1:{}/", self.port)).expect("an address");
        Reconnect::new(connect).random_source(|| u64::MAX)
    }

    fn clients(&self) -> Vec<u64> {
        self.clients.lock().expect("no panic").clone()
    }
}

const BUSY: &str = "HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn it_tries_again_with_waits_that_double() {
    let server = Server::start(&[Answers(BUSY), Answers(BUSY), Answers(BUSY), Answers(BUSY), Accepts]).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&told);
    let mut client = server.client().on_failure(move |error, wait| {
        assert_eq!(error.response().expect("an answer").status(), 503);
        notes.lock().expect("no panic").push(wait.as_secs_f32().round());
    });
    let mut ws = client.next().await.expect("not stopped").expect("connected");
    assert!(ws.recv().await.expect("not the end").is_ok());
    assert_eq!(server.clients(), [0, 1, 3, 7, 15]);
    assert_eq!(*told.lock().expect("no panic"), [1.0, 2.0, 4.0, 8.0]);
    assert_eq!(client.failures(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_settled_is_replaced_soon() {
    let server = Server::start(&[Answers(BUSY), Answers(BUSY), Accepts]).await;
    let mut client = server.client();
    for _ in 0..3 {
        let mut ws = client.next().await.expect("not stopped").expect("connected");
        tokio::time::sleep(Duration::from_secs(20)).await;
        ws.close(CloseCode::NORMAL, "").await.expect("closed");
    }
    // Each lives 20 s, and the next one comes at most a second later.
    assert_eq!(server.clients(), [0, 1, 3, 24, 45]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_accepts_and_hangs_up_is_not_asked_ever_faster() {
    let server = Server::start(&[HangsUp]).await;
    let mut client = server.client();
    for _ in 0..6 {
        let mut ws = client.next().await.expect("not stopped").expect("connected");
        assert!(matches!(ws.recv().await, Some(Err(_))));
    }
    assert_eq!(server.clients(), [0, 1, 3, 7, 15, 31]);
}

#[tokio::test(start_paused = true)]
async fn some_answers_end_it_and_some_do_not() {
    for (status, again) in [
        (400, false),
        (401, false),
        (403, false),
        (404, false),
        (200, false),
        (302, false),
        (408, true),
        (425, true),
        (429, true),
        (500, true),
        (502, true),
        (503, true),
    ] {
        let head: &str = format!("HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n").leak();
        let server = Server::start(&[Answers(head), Accepts]).await;
        let mut client = server.client();
        match client.next().await.expect("not stopped") {
            Ok(_) => assert!(again, "{status}"),
            Err(error) => {
                assert_eq!(error.response().expect("an answer").status().as_u16(), status);
                assert!(!again, "{status}");
                assert!(client.next().await.is_none(), "it has given up");
            }
        }
    }
    // What is no WebSocket server does not become one.
    let server = Server::start(&[Answers("SSH-2.0\r\n\r\n"), Accepts]).await;
    assert!(matches!(server.client().next().await, Some(Err(ConnectError::Handshake(_)))));
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_heeded_within_bounds() {
    const WAIT: &str = "HTTP/1.1 429 x\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n";
    const UNTIL: &str = "HTTP/1.1 503 x\r\nDate: Wed, 21 Oct 2015 07:28:00 GMT\r\n\
        Retry-After: Wed, 21 Oct 2015 07:28:30 GMT\r\nContent-Length: 0\r\n\r\n";
    const A_YEAR: &str = "HTTP/1.1 503 x\r\nRetry-After: 31536000\r\nContent-Length: 0\r\n\r\n";
    let server = Server::start(&[Answers(WAIT), Answers(UNTIL), Answers(A_YEAR), Accepts]).await;
    let mut client = server.client().random_source(|| 0);
    client.next().await.expect("not stopped").expect("connected");
    assert_eq!(server.clients(), [0, 7, 37, 637]);
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_and_a_port_that_is_closed_are_tried_again() {
    let server = Server::start(&[Hangs, Accepts]).await;
    let mut steps = Vec::new();
    let (notes, mut told) = tokio::sync::mpsc::unbounded_channel();
    let mut client = server.client().on_failure(move |error, _| {
        let step = if let ConnectError::Timeout { step } = error { Some(*step) } else { None };
        notes.send(step).expect("somebody listens");
    });
    client.next().await.expect("not stopped").expect("connected");
    while let Ok(step) = told.try_recv() {
        steps.push(step);
    }
    assert_eq!((steps, server.clients()), (vec![Some(Step::Handshake)], vec![0, 11]));

    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("ws://{}/", closed.local_addr().expect("an address"));
    drop(closed);
    let start = Instant::now();
    let mut client = Reconnect::new(Connect::new(&address).expect("an address")).max_failures(3);
    let error = client.random_source(|| u64::MAX).next().await.expect("not stopped").expect_err("nobody");
    assert!(matches!(error, ConnectError::Tcp { .. }), "{error:?}");
    assert_eq!(start.elapsed().as_secs_f32().round(), 3.0, "after the first, the second, and no more");
    client = Reconnect::new(Connect::new(&address).expect("an address")).retry_if(|_| false);
    assert!(matches!(client.next().await, Some(Err(ConnectError::Tcp { .. }))));
    assert!(client.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn it_stops_when_told_wherever_it_is() {
    // Before it begins, while it waits, while it connects, and while somebody has a connection of it.
    for (script, after) in [(Accepts, 0), (Answers(BUSY), 40), (Hangs, 4), (Accepts, 40)] {
        let server = Server::start(&[script]).await;
        let mut client = server.client();
        let handle = client.stop_handle();
        assert!(!handle.is_stopped());
        let stops = async {
            tokio::time::sleep(Duration::from_secs(after)).await;
            handle.stop();
        };
        let start = Instant::now();
        let runs = async {
            tokio::task::yield_now().await;
            while let Some(ws) = client.next().await {
                let mut ws = ws.expect("connected");
                while start.elapsed().as_secs() < after {
                    ws.send("still here").await.expect("its connection is not touched");
                    ws.recv().await.expect("not the end").expect("a message");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        };
        tokio::join!(stops, runs);
        assert_eq!(start.elapsed().as_secs(), after);
        assert!(handle.clone().is_stopped() && client.next().await.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_next_that_is_dropped_is_gone_on_with() {
    let server = Server::start(&[Hangs, Answers(BUSY), Accepts]).await;
    let mut client = server.client();
    let ws = loop {
        if let Ok(next) = timeout(Duration::from_millis(70), client.next()).await {
            break next;
        }
    };
    ws.expect("not stopped").expect("connected");
    // 10 s of silence, a wait of 1 s, a refusal, a wait of 2 s: nothing was begun twice.
    assert_eq!(server.clients(), [0, 11, 13]);
}

/// The panic is the caller's own, but who catches it has a client that goes on.
#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_is_a_failure_for_who_catches_it() {
    type With = fn(Reconnect, Arc<AtomicBool>) -> Reconnect;
    let hooks: [(&str, &[Does], With); 5] = [
        ("on_open", &[Accepts], |client, calm| {
            client.on_open(move |ws| {
                assert!(calm.swap(true, Ordering::Relaxed), "told to");
                async { Ok(ws) }
            })
        }),
        ("what on_open awaits", &[Accepts], |client, calm| {
            client.on_open(move |ws| {
                let calm = Arc::clone(&calm);
                async move {
                    tokio::task::yield_now().await;
                    assert!(calm.swap(true, Ordering::Relaxed), "told to");
                    Ok(ws)
                }
            })
        }),
        ("retry_if", &[Answers(BUSY), Accepts], |client, calm| {
            client.retry_if(move |_| {
                assert!(calm.swap(true, Ordering::Relaxed), "told to");
                true
            })
        }),
        ("on_failure", &[Answers(BUSY), Accepts], |client, calm| {
            client.on_failure(move |_, _| assert!(calm.swap(true, Ordering::Relaxed), "told to"))
        }),
        ("random_source", &[Answers(BUSY), Accepts], |client, calm| {
            client.random_source(move || {
                assert!(calm.swap(true, Ordering::Relaxed), "told to");
                u64::MAX
            })
        }),
    ];
    for (hook, script, with) in hooks {
        let server = Server::start(script).await;
        let mut client = with(server.client(), Arc::default());
        let panicked = AssertUnwindSafe(client.next()).catch_unwind().await.expect_err(hook);
        assert_eq!(panicked.downcast_ref(), Some(&"told to"), "{hook}: the hook's own panic comes out");
        let next = timeout(Duration::from_secs(60), client.next()).await.expect(hook);
        let mut ws = next.expect("not stopped").expect("connected");
        assert!(ws.recv().await.expect("not the end").is_ok(), "{hook}");
        assert_eq!(server.clients().len(), 2, "{hook}");
        assert!(server.clients()[1] >= 1, "{hook}: not at once");
    }
}

#[tokio::test(start_paused = true)]
async fn each_connection_is_prepared_before_it_is_handed_out() {
    let server = Server::start(&[HangsUp, Accepts]).await;
    let mut client = server.client().on_open(async |mut ws| {
        ws.recv().await.ok_or("closed")??;
        ws.send("subscribe").await?;
        Ok(ws)
    });
    for _ in 0..2 {
        let mut ws = client.next().await.expect("not stopped").expect("connected");
        assert_eq!(ws.recv().await.expect("not the end").expect("a message").as_text(), Some("subscribe"));
    }
    // The first was lost while it was prepared.
    assert_eq!(server.clients().len(), 3);

    let server = Server::start(&[Accepts]).await;
    let mut client = server.client().on_open(async |_| Err("wrong password".into()));
    let error = client.next().await.expect("not stopped").expect_err("of the hook's own");
    assert!(
        matches!(error, ConnectError::Hook(_)) && error.to_string().contains("wrong password"),
        "{error}"
    );
    assert!(client.next().await.is_none());

    let mut client = server.client().max_failures(1).on_open(async |_| pending().await);
    let start = Instant::now();
    let error = client.next().await.expect("not stopped").expect_err("too late");
    assert!(matches!(error, ConnectError::Timeout { step: Step::Hook }), "{error:?}");
    assert_eq!(start.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn it_is_a_stream_of_connections() {
    let server = Server::start(&[Accepts]).await;
    let mut backoff = Backoff::default();
    backoff.initial = Duration::ZERO;
    let connections = server.client().backoff(backoff);
    let handle = connections.stop_handle();
    let mut seen = 0;
    let mut connections = std::pin::pin!(connections);
    while let Some(ws) = StreamExt::next(&mut connections).await {
        ws.expect("connected").close_now();
        seen += 1;
        if seen == 3 {
            handle.stop();
        }
    }
    assert_eq!(seen, 3);
}

#[tokio::test]
async fn the_waits_of_two_clients_differ() {
    let draw = || {
        let (notes, told) = std::sync::mpsc::channel();
        let connect =
            Connect::new("ws://127.0.0.1:1/").expect("an address").resolver(async |_, _| pending().await);
        let client = Reconnect::new(connect.on_request(async |_| Err(std::io::Error::other("no").into())));
        let client = client.on_failure(move |_, wait| notes.send(wait).expect("somebody listens"));
        (client, told)
    };
    let mut waits = std::collections::HashSet::new();
    for _ in 0..4 {
        let (mut client, told) = draw();
        _ = support::poll_once(client.next());
        waits.insert(told.recv().expect("a wait"));
    }
    assert!(waits.len() > 1 && waits.iter().all(|wait| *wait < Duration::from_secs(1)), "{waits:?}");
}
