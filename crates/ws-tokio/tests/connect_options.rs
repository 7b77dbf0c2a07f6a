//! The options of a client: each of them shows in what is sent, or in what happens.

mod support;

use std::{
    future::pending,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use support::{AbortOnDrop, Raw};
use tokio::{
    io::{AsyncReadExt, DuplexStream, duplex},
    net::TcpListener,
    time::Instant,
};
use ws_testkit::Frame;
use ws_tokio::{
    Connect, ConnectError, Error, Reconnect, Step,
    endpoint::{
        driver::{CloseCode, Limits, MaskSource, Timeouts},
        frame::Role,
        handshake::Version,
    },
};

fn connect() -> Connect {
    Connect::new("ws://example.com/chat").expect("an address")
}

/// The head of the request that is sent.
async fn request_of(connect: Connect) -> String {
    let (near, mut far) = duplex(4096);
    let reads = async {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            far.read_buf(&mut head).await.expect("a request");
        }
        drop(far);
        String::from_utf8(head).expect("text")
    };
    let (head, opened) = tokio::join!(reads, connect.over(near));
    assert!(matches!(opened, Err(ConnectError::Left)), "{opened:?}");
    head
}

/// A server on a port of its own that accepts each client and then says hello. It counts the connections it has.
async fn greeter() -> (u16, Arc<AtomicUsize>, AbortOnDrop) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let live = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&live);
    let serves = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let counts = Arc::clone(&counts);
            counts.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                if let Ok(mut ws) = ws_tokio::accept(stream).await {
                    _ = ws.send("hello").await;
                    while ws.recv().await.is_some() {}
                }
                counts.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    (port, live, AbortOnDrop(serves))
}

#[tokio::test]
async fn every_option_of_the_request_is_sent() {
    let asked = connect()
        .header("x-token", "secret")
        .and_then(|connect| connect.origin("https://example.com"))
        .and_then(|connect| connect.subprotocols(["b", "a"]))
        .and_then(|connect| connect.basic_auth("user", "secret"))
        .expect("options");
    let head = request_of(asked.clone()).await;
    for line in [
        "GET /chat HTTP/1.1",
        "X-Token: secret",
        "Origin: https://example.com",
        "Sec-WebSocket-Protocol: b, a",
        "Authorization: Basic dXNlcjpzZWNyZXQ=",
        "Sec-WebSocket-Version: 13",
    ] {
        assert!(head.contains(&format!("{line}\r\n")), "{line}: {head}");
    }
    let head = request_of(asked.version(Version::V8)).await;
    assert!(head.contains("Sec-WebSocket-Version: 8\r\n"), "{head}");
    assert!(head.contains("Sec-WebSocket-Origin: https://example.com\r\n"), "{head}");
}

#[tokio::test]
async fn extensions_are_offered_as_told() {
    assert!(!request_of(connect().without_extensions()).await.contains("Sec-WebSocket-Extensions"));
    #[cfg(feature = "deflate")]
    {
        use ws_tokio::endpoint::deflate::Options;
        let head = request_of(connect()).await;
        assert!(
            head.contains("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"),
            "{head}"
        );
        let head = request_of(connect().deflate(Options::small_contexts())).await;
        assert!(head.contains("server_max_window_bits=12"), "{head}");
    }
}

/// A connection with these options, and a peer that is driven by hand.
async fn opened(connect: Connect) -> (ws_tokio::WebSocket<DuplexStream>, Raw<DuplexStream>) {
    let (near, far) = duplex(1 << 16);
    let mut peer = Raw::new(far, Role::Server);
    let (client, ()) = tokio::join!(connect.over(near), peer.accept());
    (client.expect("connected"), peer)
}

#[tokio::test(start_paused = true)]
async fn limits_and_masking_keys_are_those_that_were_given() {
    let mut limits = Limits::default();
    limits.max_message_len = 3;
    let masked = connect().limits(limits).mask_source(|| MaskSource::custom(|| [1, 2, 3, 4]));
    let (mut ws, mut peer) = opened(masked.clone()).await;
    ws.send("\0\0\0\0").await.expect("sent");
    let mut frame = [0; 10];
    peer.io.read_exact(&mut frame).await.expect("a frame");
    assert_eq!(frame, [0x81, 0x84, 1, 2, 3, 4, 1, 2, 3, 4]);
    peer.send(Frame::text("four")).await;
    assert!(matches!(ws.recv().await, Some(Err(Error::Failed(_)))));
}

#[tokio::test(start_paused = true)]
async fn timeouts_are_those_that_were_given() {
    let mut timeouts = Timeouts::default();
    timeouts.close = Some(Duration::from_secs(2));
    let (mut ws, _peer) = opened(connect().timeouts(timeouts)).await;
    let start = Instant::now();
    assert!(ws.close(CloseCode::NORMAL, "").await.is_err(), "nobody answers");
    assert_eq!(start.elapsed().as_secs(), 2);
}

#[tokio::test]
async fn a_client_is_awaited_and_knows_what_was_agreed() {
    let (port, _, _server) = greeter().await;
    let connect = Connect::new(&format!("http://user:secret@127.0.0.1:{port}/chat?x=1"))
        .and_then(|connect| connect.subprotocols(["a"]))
        .expect("an address")
        .nodelay(false);
    let mut ws = connect.await.expect("connected");
    assert_eq!(ws.url(), Some(&*format!("ws://127.0.0.1:{port}/chat?x=1")));
    assert_eq!(ws.subprotocol(), Some("a"));
    assert_eq!(ws.response().expect("kept").status(), 101);
    assert!(ws.extensions().is_empty());
    assert!(!ws.get_ref().tcp().expect("TCP").nodelay().expect("an option"));
    assert_eq!(ws.get_ref().peer_addr().expect("a peer").port(), port);
    assert_eq!(ws.recv().await.expect("not the end").expect("a message").as_text(), Some("hello"));
}

#[tokio::test]
async fn a_resolver_of_the_callers_is_asked_for_names_only() {
    let (port, _, _server) = greeter().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&asked);
    let resolver = move |host: String, port: u16| {
        counts.fetch_add(1, Ordering::Relaxed);
        // Nobody listens at the first: the race goes on.
        let found = vec![([0u16, 0, 0, 0, 0, 0, 0, 1], port).into(), ([127, 0, 0, 1], port).into()];
        async move { if host == "service.test" { Ok(found) } else { Err(io::ErrorKind::NotFound.into()) } }
    };
    for (host, expected) in [("service.test", 1), ("127.0.0.1", 1)] {
        let connect = Connect::new(&format!("ws://{host}:{port}/")).expect("an address");
        let mut ws = connect.resolver(resolver.clone()).await.expect("connected");
        assert!(ws.recv().await.expect("not the end").is_ok());
        assert_eq!(asked.load(Ordering::Relaxed), expected, "{host}");
    }
    let connect = Connect::new(&format!("ws://other.test:{port}/")).expect("an address");
    let error = connect.clone().resolver(resolver).await.expect_err("no address");
    assert!(matches!(&error, ConnectError::Resolve { host, .. } if host == "other.test"), "{error:?}");
    let error = connect.resolver(async |_, _| Ok(Vec::new())).await.expect_err("no address");
    assert!(matches!(error, ConnectError::Resolve { .. }), "{error:?}");
}

#[tokio::test]
async fn the_last_hook_changes_the_request_or_gives_up() {
    let hooked = connect().on_request(async |request| {
        tokio::task::yield_now().await;
        Ok(request.header("x-token", "fresh")?)
    });
    assert!(request_of(hooked).await.contains("X-Token: fresh\r\n"));
    let (near, _far) = duplex(4096);
    let gives_up = connect().on_request(async |_| Err("no token".into()));
    let error = gives_up.over(near).await.expect_err("given up");
    assert!(matches!(error, ConnectError::Hook(_)) && error.to_string().ends_with("no token"), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_passes_names_what_was_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let here = move |_: String, _: u16| async move { Ok(vec![address]) };
    let secs = |secs| Some(Duration::from_secs(secs));
    let cases = [
        (connect().on_request(async |_| pending().await), Step::Hook, 10),
        (connect().resolver(async |_, _| pending().await), Step::Resolve, 10),
        (connect().resolver(here), Step::Handshake, 10),
        (connect().resolver(here).handshake_timeout(secs(3)), Step::Handshake, 3),
        (connect().resolver(here).handshake_timeout(None), Step::Handshake, 30),
        (connect().resolver(here).handshake_timeout(None).total_timeout(secs(50)), Step::Handshake, 50),
        #[cfg(feature = "rustls")]
        (Connect::new("wss://example.com/").expect("an address").resolver(here), Step::Tls, 10),
    ];
    for (connect, expected, after) in cases {
        let start = Instant::now();
        let error = connect.await.expect_err("nobody answers");
        let ConnectError::Timeout { step } = error else { panic!("{expected}: {error:?}") };
        assert_eq!((step, start.elapsed().as_secs()), (expected, after));
        assert_eq!(error.to_string(), format!("{expected} not finished within the deadline"));
    }
}

#[tokio::test]
async fn a_client_that_is_dropped_at_any_poll_leaves_nothing_open() {
    let (port, live, _server) = greeter().await;
    let mut opened = 0;
    for polls in 0.. {
        let connect = Connect::new(&format!("ws://service.test:{port}/")).expect("an address");
        let connect = connect
            .on_request(async |request| {
                tokio::task::yield_now().await;
                Ok(request)
            })
            .resolver(async |_, port| {
                tokio::task::yield_now().await;
                Ok(vec![([127, 0, 0, 1], port).into()])
            });
        let mut future = Box::pin(connect.open());
        let mut left = polls;
        let outcome = std::future::poll_fn(|cx| {
            if left == 0 {
                return std::task::Poll::Ready(None);
            }
            left -= 1;
            future.as_mut().poll(cx).map(Some)
        })
        .await;
        drop(future);
        if let Some(ws) = outcome {
            let mut ws = ws.expect("connected");
            assert!(ws.recv().await.expect("not the end").is_ok());
            opened += 1;
            if opened == 2 {
                assert!(polls > 4, "each step was cut: {polls}");
                break;
            }
        }
    }
    let all_gone = async {
        while live.load(Ordering::SeqCst) > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), all_gone).await.expect("nothing is left open");
}

#[tokio::test]
async fn the_answer_is_seen_before_anything_is_sent_and_leaving_then_sends_nothing() {
    let (ws, mut peer) = opened(connect()).await;
    assert_eq!(ws.response().expect("kept").headers()["upgrade"], "websocket");
    ws.close_now();
    assert_eq!(peer.recv().await, None);
}

#[tokio::test]
async fn secrets_are_not_in_debug_output() {
    let connect = Connect::new("ws://user:secret@example.com/").expect("an address");
    let connect = connect
        .header("authorization", "Bearer secret")
        .and_then(|connect| connect.header("cookie", "secret"))
        .and_then(|connect| connect.basic_auth("user", "secret"))
        .expect("headers")
        .proxy("http://user:secret@proxy.test".parse().expect("a proxy"))
        .proxy_header("proxy-authorization", "Bearer secret")
        .expect("a header");
    let shown = format!("{connect:?} {:?}", Reconnect::new(connect.clone()));
    assert!(shown.contains("example.com") && shown.contains("proxy.test"), "{shown}");
    // In base64, too.
    assert!(
        !shown.contains("secret") && !shown.contains("c2VjcmV0") && !shown.contains("dXNlcjpz"),
        "{shown}"
    );
}

#[test]
fn a_client_and_its_futures_may_go_to_another_thread() {
    fn sends<T: Send>(value: T) -> T {
        value
    }
    fn shares<T: Send + Sync + Clone + 'static>(_: &T) {}
    let connect = connect();
    shares(&connect);
    drop(sends(connect.clone().open()));
    drop(sends(connect.clone().into_future()));
    let mut again = sends(Reconnect::new(connect));
    shares(&again.stop_handle());
    drop(sends(again.next()));
}

#[tokio::test(start_paused = true)]
async fn a_connector_of_the_callers_makes_each_transport() {
    let (notes, mut asked) = tokio::sync::mpsc::unbounded_channel();
    let connector = move |host, port| {
        let (near, far) = duplex(4096);
        tokio::spawn(async move { ws_tokio::accept(far).await.expect("a request").send("hello").await });
        notes.send((host, port)).expect("somebody listens");
        async { Ok(near) }
    };
    // Its transports are spoken to as they are, without TLS.
    let connect = Connect::new("wss://example.com:8443/").expect("an address").connector(connector);
    let mut connections = Reconnect::new(connect);
    for _ in 0..2 {
        let mut ws = connections.next().await.expect("not stopped").expect("connected");
        assert_eq!(ws.recv().await.expect("not the end").expect("a message").as_text(), Some("hello"));
        assert!(ws.get_ref().tcp().is_none() && ws.get_ref().peer_addr().is_err());
        assert_eq!(asked.try_recv(), Ok(("example.com".to_owned(), 8443)));
    }

    let refuses = async |_, _| Err::<DuplexStream, _>(io::ErrorKind::ConnectionRefused.into());
    let error = connect_over(refuses).await;
    assert!(matches!(&error, ConnectError::Tcp { host, port: 80, .. } if host == "example.com"), "{error:?}");
    assert!(error.is_transient());
    let start = Instant::now();
    let error = connect_over(async |_, _| pending::<io::Result<DuplexStream>>().await).await;
    assert!(matches!(error, ConnectError::Timeout { step: Step::Connect }), "{error:?}");
    assert_eq!(start.elapsed().as_secs(), 10);
}

async fn connect_over<R>(connector: impl Fn(String, u16) -> R + Send + Sync + 'static) -> ConnectError
where
    R: Future<Output = io::Result<DuplexStream>> + Send + 'static,
{
    connect().connector(connector).await.expect_err("not connected")
}
