//! Upgrades inside a server of hyper, over HTTP/1.1.

mod support;

use std::{convert::Infallible, sync::Arc};

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::{
    io::{AsyncWriteExt as _, duplex},
    net::{TcpListener, TcpStream},
    sync::{mpsc::unbounded_channel, oneshot},
    time::{Duration, Instant},
};
use ws_hyper::{
    Error, Upgrade,
    endpoint::{ServerConfig, driver::CloseCode, handshake::Refusal},
    http::{HeaderValue, Response, StatusCode, header},
};
use ws_tokio::Connect;

use self::support::{HI, Http, UPGRADE, client, exchange, listen, page, serve, tls, upgrading};

#[tokio::test]
async fn a_connection_that_asks_pages_first_upgrades_then() {
    let (service, mut connections) = upgrading(ServerConfig::default());
    let address = listen(move || service.clone()).await;
    let mut http = Http::connect(address).await;
    for path in ["/", "/other"] {
        assert_eq!(http.get(path).await.body, format!("page {path}\n"));
    }
    http.send(UPGRADE).await;
    let answer = http.answer().await;
    assert_eq!(answer.status, 101);
    for line in
        ["upgrade: websocket", "connection: upgrade", "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]
    {
        assert!(answer.has(line), "{line} is not in {answer:?}");
    }
    assert!(
        !answer.head.contains("content-length") && !answer.head.contains("transfer-encoding"),
        "{answer:?}"
    );
    let (mut ws, _) = connections.recv().await.unwrap().unwrap();
    ws.send("hello").await.unwrap();
    assert_eq!(&http.bytes::<7>().await, b"\x81\x05hello");
}

#[tokio::test]
async fn frames_in_the_packet_of_the_request_are_kept() {
    let (service, mut connections) = upgrading(ServerConfig::default());
    let address = listen(move || service.clone()).await;
    let mut http = Http::connect(address).await;
    http.send([UPGRADE.as_bytes(), HI, HI, &HI[..3]].concat()).await;
    let (mut ws, _) = connections.recv().await.unwrap().unwrap();
    http.send(&HI[3..]).await;
    for _ in 0..3 {
        assert_eq!(ws.recv().await.unwrap().unwrap().as_text(), Some("hi"));
    }
}

#[tokio::test]
async fn the_request_stays_with_the_connection() {
    let (service, mut connections) = upgrading(ServerConfig::default());
    let address = listen(move || service.clone()).await;
    let mut http = Http::connect(address).await;
    http.send(UPGRADE.replace("Host:", "Cookie: a=b\r\nHost:")).await;
    let (_ws, request) = connections.recv().await.unwrap().unwrap();
    assert_eq!(request.uri(), "/chat?room=1");
    assert_eq!(request.method(), "GET");
    assert_eq!(request.headers()[header::COOKIE], "a=b");
    assert_eq!(request.extensions().get(), Some(&7_u8), "what middleware has put there");
}

#[tokio::test]
async fn each_broken_rule_has_its_status_and_ends_the_connection() {
    let (service, _connections) = upgrading(ServerConfig::default());
    let address = listen(move || service.clone()).await;
    for (change, to, status, line) in [
        ("Upgrade: websocket", "X: y", 426, "sec-websocket-version: 13, 8"),
        ("Upgrade: websocket", "X: y", 426, "upgrade: websocket"),
        ("Upgrade: websocket", "Upgrade: h2c", 400, "connection: close"),
        ("GET", "POST", 405, "allow: GET"),
        ("Version: 13", "Version: 12", 400, "sec-websocket-version: 13, 8"),
        ("dGhl", "", 400, "connection: close"),
        ("Host: localhost", "Content-Length: 8\r\nHost: localhost", 400, "connection: close"),
        ("Host: localhost", "X: y", 400, "connection: close"),
        ("Connection: keep-alive, Upgrade", "Connection: keep-alive", 400, "connection: close"),
        ("HTTP/1.1", "HTTP/1.0", 505, "connection: close, keep-alive"),
    ] {
        let mut http = Http::connect(address).await;
        http.send(UPGRADE.replacen(change, to, 1)).await;
        http.send(HI).await; // nothing behind it may count as a request
        let answer = http.answer().await;
        assert_eq!(answer.status, status, "{change} -> {to}: {answer:?}");
        assert!(answer.has(line), "{change} -> {to}: {line} is not in {answer:?}");
        assert!(answer.body.ends_with('\n'), "{answer:?}");
        http.end().await;
    }
}

#[tokio::test]
async fn a_request_can_be_inspected_and_refused() {
    let (opened, mut connections) = unbounded_channel();
    let service = service_fn(move |mut request: Request<Incoming>| {
        let opened = opened.clone();
        async move {
            let mut accept = || {
                let mut upgrade = Upgrade::new(&mut request, &Arc::default())?;
                if upgrade.request().uri().path() != "/chat" {
                    return Err(Refusal::new(StatusCode::FORBIDDEN, "not there"));
                }
                let asked = upgrade.facts().subprotocols().to_vec();
                upgrade.extensions_mut().insert(asked);
                upgrade
                    .choose_subprotocol(Some("b"))
                    .map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "b"))?;
                upgrade.add_header(header::SET_COOKIE, HeaderValue::from_static("c=d")).unwrap();
                assert_eq!(upgrade.subprotocol(), Some("b"));
                upgrade.accept()
            };
            Ok::<_, Infallible>(match accept() {
                Ok((response, upgrading)) => {
                    assert_eq!(upgrading.request().unwrap().uri().path(), "/chat");
                    tokio::spawn(async move { opened.send(upgrading.with_request().await).is_ok() });
                    response
                }
                Err(refusal) => refusal.into_response(),
            })
        }
    });
    let address = listen(move || service.clone()).await;
    let request = ws_tokio::endpoint::handshake::ClientRequest::new("ws://localhost/chat").unwrap();
    let mut connect = Connect::new("ws://localhost/chat").unwrap();
    connect.request = request.subprotocols(["a", "b"]).unwrap();
    let ws = connect.over(TcpStream::connect(address).await.unwrap()).await.unwrap();
    assert_eq!(ws.subprotocol(), Some("b"));
    assert_eq!(ws.response().unwrap().headers()[header::SET_COOKIE], "c=d");
    let (served, request) = connections.recv().await.unwrap().unwrap();
    assert_eq!(served.subprotocol(), Some("b"));
    assert_eq!(request.extensions().get::<Vec<String>>().unwrap(), &["a", "b"]);

    let mut http = Http::connect(address).await;
    http.send(UPGRADE.replace("/chat", "/elsewhere")).await;
    let answer = http.answer().await;
    assert_eq!((answer.status, &*answer.body), (403, "not there\n"));
}

/// Both servers hand over the socket itself, with the bytes that they have read.
#[tokio::test]
async fn tcp_comes_out_as_it_went_in() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for is_auto in [false, true] {
        let (service, mut connections) = upgrading(ServerConfig::default());
        let mut http = Http::connect(listener.local_addr().unwrap()).await;
        let peer = http.0.get_ref().local_addr().unwrap();
        let io = TokioIo::new(listener.accept().await.unwrap().0);
        tokio::spawn(async move {
            if is_auto {
                let builder = auto::Builder::new(TokioExecutor::new());
                builder.serve_connection_with_upgrades(io, service).await.is_ok()
            } else {
                http1::Builder::new().serve_connection(io, service).with_upgrades().await.is_ok()
            }
        });
        http.send([UPGRADE.as_bytes(), HI].concat()).await;
        let (mut ws, _) = connections.recv().await.unwrap().unwrap();
        let tcp = ws.get_ref().tcp().expect("TCP");
        assert_eq!(tcp.peer_addr().unwrap(), peer);
        assert!(tcp.nodelay().unwrap());
        assert_eq!(ws.recv().await.unwrap().unwrap().as_text(), Some("hi"));
    }
}

#[tokio::test]
async fn over_tls_pages_and_sockets_share_a_port() {
    let (service, mut connections) = upgrading(ServerConfig::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (near, far) = tls::over(near, listener.accept().await.unwrap().0).await;
    tokio::spawn(serve(far, service));
    let mut http = Http::new(near);
    assert_eq!(http.get("/").await.body, "page /\n");
    let mut ws = client("wss://localhost/chat", http.0.into_inner()).await;
    let (mut served, _) = connections.recv().await.unwrap().unwrap();
    assert!(served.get_ref().tcp().is_none());
    served.send("hello").await.unwrap();
    assert_eq!(ws.recv().await.unwrap().unwrap().as_text(), Some("hello"));
}

/// A stream of one's own comes out as its own type; asked for as another, it is an error.
#[tokio::test]
async fn a_stream_can_be_had_as_what_it_is() {
    for is_right in [true, false] {
        let (done, is_done) = oneshot::channel();
        let done = std::sync::Mutex::new(Some(done));
        let service = service_fn(move |mut request: Request<Incoming>| {
            let (response, upgrading) = ws_hyper::upgrade(&mut request, &Arc::default()).unwrap();
            let done = done.lock().unwrap().take().unwrap();
            tokio::spawn(async move {
                if is_right {
                    let (mut ws, request) = upgrading.over::<tokio::io::DuplexStream>().await.unwrap();
                    assert_eq!(request.uri().path(), "/chat");
                    ws.send("typed").await.unwrap();
                    done.send(None)
                } else {
                    done.send(upgrading.over::<TcpStream>().await.err())
                }
            });
            async move { Ok::<_, Infallible>(response) }
        });
        let (near, far) = duplex(4096);
        tokio::spawn(serve(far, service));
        let mut ws = client("ws://localhost/chat", near).await;
        if is_right {
            assert_eq!(ws.recv().await.unwrap().unwrap().as_text(), Some("typed"));
        }
        let error = is_done.await.unwrap();
        assert_eq!(matches!(error, Some(Error::OtherTransport)), !is_right, "{error:?}");
    }
}

/// A client that leaves behind its request: hyper notices it itself, or it is told to let it be.
#[tokio::test]
async fn half_closed_clients_end_quietly() {
    for half_close in [false, true] {
        let (service, mut connections) = upgrading(ServerConfig::default());
        let (mut near, far) = duplex(4096);
        near.write_all(UPGRADE.as_bytes()).await.unwrap();
        near.shutdown().await.unwrap();
        let http = http1::Builder::new().half_close(half_close).serve_connection(TokioIo::new(far), service);
        let (ended, opened) = tokio::join!(http.with_upgrades(), connections.recv());
        match (half_close, opened) {
            // Hyper itself has noticed that nobody is there, and may not have asked for an answer at all.
            (false, None | Some(Err(_))) => {}
            (true, Some(Err(Error::Left))) => assert!(ended.is_ok(), "{ended:?}"),
            (_, opened) => panic!("half close {half_close}: {opened:?}"),
        }
    }
}

/// What was sent before the end counts.
#[tokio::test]
async fn a_half_closed_client_that_said_something_is_heard() {
    let (service, mut connections) = upgrading(ServerConfig::default());
    let (mut near, far) = duplex(4096);
    near.write_all(&[UPGRADE.as_bytes(), HI].concat()).await.unwrap();
    near.shutdown().await.unwrap();
    let http = http1::Builder::new().half_close(true).serve_connection(TokioIo::new(far), service);
    let (_, opened) = tokio::join!(http.with_upgrades(), connections.recv());
    let (mut ws, _) = opened.unwrap().unwrap();
    assert_eq!(ws.recv().await.unwrap().unwrap().as_text(), Some("hi"));
    assert!(ws.recv().await.unwrap().is_err(), "the transport has ended without a Close");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_sent_in_time_opens_nothing() {
    let (opened, connections) = oneshot::channel();
    let opened = std::sync::Mutex::new(Some(opened));
    let service = service_fn(move |mut request: Request<Incoming>| {
        let (response, upgrading) = ws_hyper::upgrade(&mut request, &Arc::default()).unwrap();
        let opened = opened.lock().unwrap().take().unwrap();
        tokio::spawn(async move { opened.send(upgrading.await).is_ok() });
        async move {
            std::future::pending::<()>().await;
            Ok::<_, Infallible>(response)
        }
    });
    let (mut near, far) = duplex(4096);
    let began = Instant::now();
    tokio::spawn(serve(far, service));
    near.write_all(UPGRADE.as_bytes()).await.unwrap();
    assert!(matches!(connections.await.unwrap(), Err(Error::Timeout)));
    assert_eq!(began.elapsed().as_secs(), 10);
}

#[tokio::test]
async fn an_answer_that_is_replaced_opens_nothing() {
    let (opened, connections) = oneshot::channel();
    let opened = std::sync::Mutex::new(Some(opened));
    let service = service_fn(move |mut request: Request<Incoming>| {
        if let Some(opened) = opened.lock().unwrap().take() {
            let (_, upgrading) = ws_hyper::upgrade(&mut request, &Arc::default()).unwrap();
            tokio::spawn(async move { opened.send(upgrading.await).is_ok() });
        }
        let page = page(request.uri().path());
        async move { Ok::<_, Infallible>(page) }
    });
    let (near, far) = duplex(4096);
    tokio::spawn(serve(far, service));
    let mut http = Http::new(near);
    http.send(UPGRADE).await;
    assert_eq!(http.answer().await.body, "page /chat\n");
    drop(http);
    // Hyper hands over what is left when the connection has ended.
    let error = connections.await.unwrap().expect_err("it was not told");
    assert!(matches!(error, Error::NotHandedOver(_) | Error::Left), "{error:?}");
}

#[test]
fn a_server_that_keeps_its_connections_answers_500() {
    let mut request = Request::get("/chat")
        .header("host", "localhost")
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .body(())
        .unwrap();
    let refusal = ws_hyper::upgrade(&mut request, &Arc::default()).unwrap_err();
    assert_eq!(refusal.status(), StatusCode::INTERNAL_SERVER_ERROR);
    // Its own mistakes are told first.
    request.headers_mut().remove("sec-websocket-key");
    let refusal = ws_hyper::upgrade(&mut request, &Arc::default()).unwrap_err();
    assert_eq!(refusal.status(), StatusCode::BAD_REQUEST);
}

/// Hyper's graceful shutdown ends connections between two pages; those that were handed over go on.
#[tokio::test]
async fn graceful_shutdown_leaves_open_connections_alone() {
    let (service, mut connections) = upgrading(ServerConfig::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let graceful = GracefulShutdown::new();
    let (mut idle, mut ws) = (None, None);
    for is_socket in [false, true] {
        let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let io = TokioIo::new(listener.accept().await.unwrap().0);
        let builder = auto::Builder::new(TokioExecutor::new());
        let connection = builder.serve_connection_with_upgrades(io, service.clone());
        tokio::spawn(graceful.watch(connection.into_owned()));
        if is_socket {
            ws = Some(client("ws://localhost/chat", near).await);
        } else {
            let mut http = Http::new(near);
            assert_eq!(http.get("/").await.status, 200);
            idle = Some(http);
        }
    }
    let (mut served, _) = connections.recv().await.unwrap().unwrap();
    tokio::time::timeout(Duration::from_secs(30), graceful.shutdown()).await.expect("nothing holds it up");
    idle.unwrap().end().await;
    let mut ws = ws.unwrap();
    tokio::spawn(async move {
        let message = served.recv().await.unwrap().unwrap();
        served.send(message).await.unwrap();
        served.close(CloseCode::GOING_AWAY, "shutting down").await
    });
    assert_eq!(exchange(&mut ws, "still here").await.as_text(), Some("still here"));
    assert!(ws.recv().await.is_none());
    assert_eq!(ws.closed().unwrap().code, 1001);
}

/// The answer can have any type of body.
#[test]
fn an_answer_is_a_response_like_any_other() {
    let response: Response<String> = Refusal::new(StatusCode::FORBIDDEN, "no").into_response();
    let _full: Response<http_body_util::Full<bytes::Bytes>> = response.map(Into::into);
}
