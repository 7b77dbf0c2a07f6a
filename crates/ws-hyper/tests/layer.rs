//! Several endpoints and ordinary pages on one port.

mod support;

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use hyper::{Request, body::Incoming, server::conn::http1};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc::unbounded_channel,
};
use tower_layer::Layer as _;
use tower_service::Service;
use ws_hyper::{
    Address, Clients, Error, WebSocketLayer,
    endpoint::{
        ServerConfig, Subprotocols,
        driver::{CloseCode, Initiator},
        handshake::{OriginPolicy, Refusal},
    },
    http::{HeaderValue, Response, StatusCode, header, request::Parts},
};

use self::support::{Http, UPGRADE, client, echo, exchange, listen, page, pages, serve, tls};

fn echoing(path: &'static str) -> WebSocketLayer {
    WebSocketLayer::new(path, Arc::default(), |ws, _| echo(ws))
}

/// Greets with the path, and leaves.
fn greeting(matches: impl Fn(&Parts) -> bool + Send + Sync + 'static) -> WebSocketLayer {
    WebSocketLayer::new(matches, Arc::default(), |mut ws, request| async move {
        ws.send(request.uri().path()).await.unwrap();
        ws.close(CloseCode::NORMAL, "that was all").await.unwrap();
    })
}

#[tokio::test]
async fn two_endpoints_and_pages_share_a_port() {
    let address = listen(|| {
        echoing("/echo").layer(greeting(|head| head.uri.path().starts_with("/greet/")).layer(pages()))
    })
    .await;
    let mut http = Http::connect(address).await;
    for path in ["/", "/echo/", "/greet"] {
        assert_eq!(http.get(path).await.body, format!("page {path}\n"));
    }
    // The same connection of HTTP becomes a WebSocket.
    let mut ws = client("ws://localhost/echo", http.0.into_inner()).await;
    assert_eq!(exchange(&mut ws, "hello").await.as_text(), Some("hello"));

    let mut ws = client("ws://localhost/greet/you?loud", TcpStream::connect(address).await.unwrap()).await;
    assert_eq!(ws.recv().await.unwrap().unwrap().as_text(), Some("/greet/you"));
    assert!(ws.recv().await.is_none());
    assert_eq!(ws.closed().unwrap().initiator, Initiator::Peer);
}

#[tokio::test]
async fn a_path_may_be_made_while_the_program_runs() {
    let room = 7;
    let layer = WebSocketLayer::new(format!("/room/{room}"), Arc::default(), |ws, _| echo(ws));
    let address = listen(move || layer.clone().layer(pages())).await;
    let mut http = Http::connect(address).await;
    for path in ["/room/", "/room/70", "/room/7/"] {
        assert_eq!(http.get(path).await.body, format!("page {path}\n"));
    }
    let mut ws = client("ws://localhost/room/7?as=ada", http.0.into_inner()).await;
    assert_eq!(exchange(&mut ws, "hello").await.as_text(), Some("hello"));
}

#[tokio::test]
async fn the_same_over_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (near, far) = tls::over(near, listener.accept().await.unwrap().0).await;
    tokio::spawn(serve(far, echoing("/echo").layer(pages())));
    let mut http = Http::new(near);
    assert_eq!(http.get("/").await.body, "page /\n");
    let mut ws = client("wss://localhost/echo", http.0.into_inner()).await;
    assert_eq!(exchange(&mut ws, "hello").await.as_text(), Some("hello"));
}

#[tokio::test]
async fn a_plain_request_to_an_endpoint_is_told_to_upgrade() {
    let address = listen(|| echoing("/echo").layer(pages())).await;
    let mut http = Http::connect(address).await;
    let answer = http.get("/echo").await;
    assert_eq!(answer.status, 426);
    assert!(answer.has("connection: close, upgrade") && answer.has("upgrade: websocket"), "{answer:?}");
    http.end().await;
}

#[tokio::test]
async fn a_path_can_have_a_page_too() {
    let address = listen(|| echoing("/").share_path().layer(pages())).await;
    let mut http = Http::connect(address).await;
    assert_eq!(http.get("/").await.body, "page /\n");
    let mut ws = client("ws://localhost/", http.0.into_inner()).await;
    assert_eq!(exchange(&mut ws, "hello").await.as_text(), Some("hello"));
}

/// Who asks for a WebSocket elsewhere gets what is there; another kind of upgrade is the page's affair too.
#[tokio::test]
async fn upgrades_for_other_paths_go_on() {
    let address = listen(|| echoing("/echo").layer(pages())).await;
    let mut http = Http::connect(address).await;
    http.send(UPGRADE).await;
    assert_eq!(http.answer().await.body, "page /chat\n");
}

#[tokio::test]
async fn what_happens_before_chooses_refuses_and_hands_on() {
    let mut config = ServerConfig::default();
    config.subprotocols = Subprotocols::None;
    config.policy.origins = OriginPolicy::Listed(vec!["https://example.com".to_owned()]);
    let layer = WebSocketLayer::new("/chat", Arc::new(config), |mut ws, request| async move {
        let user = request.extensions().get::<String>().cloned().unwrap();
        ws.send(user).await.unwrap();
    })
    .before(|upgrade| {
        let cookie = upgrade.request().headers().get(header::COOKIE).and_then(|cookie| cookie.to_str().ok());
        let Some(user) = cookie.and_then(|cookie| cookie.strip_prefix("user=")).map(str::to_owned) else {
            return Err(Refusal::new(StatusCode::UNAUTHORIZED, "log in first"));
        };
        upgrade.extensions_mut().insert(user);
        let added = upgrade.add_header(header::SET_COOKIE, HeaderValue::from_static("seen=1"));
        added.map_err(|error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error))
    });
    let address = listen(move || layer.layer(pages())).await;
    for (line, status) in [
        ("Cookie: user=ada", 101),
        ("Cookie: user=ada\r\nOrigin: https://example.com", 101),
        ("Cookie: user=ada\r\nOrigin: https://evil.example", 403),
        ("Cookie: other=ada", 401),
    ] {
        let mut http = Http::connect(address).await;
        http.send(UPGRADE.replace("Host:", &format!("{line}\r\nHost:"))).await;
        let answer = http.answer().await;
        assert_eq!(answer.status, status, "{line}");
        assert_eq!(answer.has("set-cookie: seen=1"), status == 101, "{answer:?}");
        if status == 101 {
            assert_eq!(&http.bytes::<5>().await, b"\x81\x03ada");
        }
    }
}

#[tokio::test]
async fn who_asks_is_told_of_connections_that_do_not_open() {
    let (failed, mut failures) = unbounded_channel::<Error>();
    let layer = echoing("/chat").on_failed_upgrade(move |error| failed.send(error).unwrap());
    let (near, far) = tokio::io::duplex(4096);
    let http =
        http1::Builder::new().half_close(true).serve_connection(TokioIo::new(far), layer.layer(pages()));
    let mut http_client = Http::new(near);
    http_client.send(UPGRADE).await;
    tokio::io::AsyncWriteExt::shutdown(&mut http_client.0).await.unwrap();
    let (_, error) = tokio::join!(http.with_upgrades(), failures.recv());
    assert!(matches!(error, Some(Error::Left)), "{error:?}");
}

#[tokio::test]
async fn a_handler_that_panics_ends_its_connection_alone() {
    let layer = WebSocketLayer::new("/chat", Arc::default(), |mut ws, _| async move {
        while let Some(Ok(message)) = ws.recv().await {
            assert_ne!(message.as_text(), Some("panic"), "told to");
            ws.send(message).await.unwrap();
        }
    });
    let address = listen(move || layer.layer(pages())).await;
    let mut first = client("ws://localhost/chat", TcpStream::connect(address).await.unwrap()).await;
    let mut second = client("ws://localhost/chat", TcpStream::connect(address).await.unwrap()).await;
    first.send("panic").await.unwrap();
    assert!(first.recv().await.is_none());
    assert_eq!(first.closed().unwrap().code, 1011);
    assert_eq!(exchange(&mut second, "calm").await.as_text(), Some("calm"));
}

#[tokio::test]
async fn a_hook_that_panics_is_answered_500() {
    let layer = echoing("/chat").before(|_| panic!("told to"));
    let matching = greeting(|head| {
        assert_ne!(head.uri.path(), "/panic", "told to");
        false
    });
    let address = listen(move || layer.layer(matching.layer(pages()))).await;
    for path in ["/chat", "/panic"] {
        let mut http = Http::connect(address).await;
        http.send(UPGRADE.replace("/chat", path)).await;
        let answer = http.answer().await;
        assert_eq!((answer.status, &*answer.body), (500, "the server has failed\n"));
    }
    assert_eq!(Http::connect(address).await.get("/").await.status, 200);
}

/// It is called in the task of the connection that has not opened.
#[tokio::test]
async fn who_panics_when_told_of_a_connection_that_did_not_open_harms_no_other() {
    let (called, mut calls) = unbounded_channel();
    let layer = echoing("/chat").on_failed_upgrade(move |error| {
        called.send(()).unwrap();
        panic!("told to: {error}");
    });
    let service = layer.clone();
    let address = listen(move || service.layer(pages())).await;
    let mut other = client("ws://localhost/chat", TcpStream::connect(address).await.unwrap()).await;
    for _ in 0..3 {
        let (near, far) = tokio::io::duplex(4096);
        let mut http = http1::Builder::new();
        let http = http.half_close(true).serve_connection(TokioIo::new(far), layer.layer(pages()));
        let mut http_client = Http::new(near);
        http_client.send(UPGRADE).await;
        tokio::io::AsyncWriteExt::shutdown(&mut http_client.0).await.unwrap();
        let both = async { tokio::join!(http.with_upgrades(), calls.recv()) };
        let (_, call) = tokio::time::timeout(Duration::from_secs(20), both).await.expect("in time");
        assert!(call.is_some());
        assert_eq!(exchange(&mut other, "still here").await.as_text(), Some("still here"));
    }
    let mut next = client("ws://localhost/chat", TcpStream::connect(address).await.unwrap()).await;
    assert_eq!(exchange(&mut next, "hello").await.as_text(), Some("hello"));
}

/// A service of tower, with another type of body.
#[derive(Clone)]
struct Tower(Arc<Mutex<u8>>);

impl Service<Request<Incoming>> for Tower {
    type Response = Response<http_body_util::Full<bytes::Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        *self.0.lock().unwrap() += 1;
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        std::future::ready(Ok(page(request.uri().path()).map(Into::into)))
    }
}

#[tokio::test]
async fn it_is_a_service_of_tower_around_one_of_tower() {
    let polled = Arc::default();
    let service = TowerToHyperService::new(echoing("/echo").layer(Tower(Arc::clone(&polled))));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut http = Http::connect(listener.local_addr().unwrap()).await;
    let io = TokioIo::new(listener.accept().await.unwrap().0);
    tokio::spawn(http1::Builder::new().serve_connection(io, service).with_upgrades());
    assert_eq!(http.get("/").await.body, "page /\n");
    let mut ws = client("ws://localhost/echo", http.0.into_inner()).await;
    assert_eq!(exchange(&mut ws, "hello").await.as_text(), Some("hello"));
    assert_eq!(*polled.lock().unwrap(), 2, "readiness is the inner service's");
}

#[tokio::test]
async fn handlers_know_the_peer_s_address() {
    let layer = WebSocketLayer::new("/chat", Arc::default(), |mut ws, _| async move {
        let address = ws.get_ref().tcp().and_then(|tcp| tcp.peer_addr().ok());
        ws.send(address.map_or_else(String::new, |address| address.to_string())).await.unwrap();
    });
    let address = listen(move || layer.layer(pages())).await;
    let tcp = TcpStream::connect(address).await.unwrap();
    let ours = tcp.local_addr().unwrap().to_string();
    let mut ws = client("ws://localhost/chat", tcp).await;
    assert_eq!(ws.recv().await.unwrap().unwrap().as_text(), Some(&*ours));
}

/// hyper is told to stop first, then the connections that it has handed over.
#[tokio::test]
async fn all_endpoints_shut_down_together() {
    let clients = Clients::default();
    let echo = echoing("/echo").clients(&clients);
    let deaf = WebSocketLayer::new("/deaf", Arc::default(), |ws, _| async move {
        let _held = ws;
        std::future::pending::<()>().await;
    });
    let deaf = deaf.clients(&clients);
    let address = listen(move || echo.layer(deaf.layer(pages()))).await;
    let open = async |path| {
        let tcp = TcpStream::connect(address).await.unwrap();
        let from = tcp.local_addr().unwrap();
        (client(&format!("ws://localhost{path}"), tcp).await, Address::Tcp(from))
    };
    let (mut first, at) = open("/echo?a=b").await;
    assert_eq!(exchange(&mut first, "hello").await.as_text(), Some("hello"));
    let known: Vec<_> = clients.iter().collect();
    assert_eq!((known.len(), known[0].peer_addr(), known[0].path()), (1, &at, "/echo"));

    let (mut second, deaf_at) = open("/deaf").await;
    while clients.len() < 2 {
        tokio::task::yield_now().await;
    }
    let (shutdown, _) = tokio::join!(
        clients.shutdown(CloseCode::SERVICE_RESTART, "back soon", Duration::from_millis(50)),
        async {
            assert!(first.recv().await.is_none());
            assert_eq!(first.closed().unwrap().code, 1012);
        },
    );
    assert_eq!((shutdown.answered, shutdown.unanswered), (1, vec![deaf_at]));

    // Who comes late is told at once.
    let (mut late, _) = open("/echo").await;
    assert!(late.recv().await.is_none());
    assert_eq!(late.closed().unwrap().code, 1012);
    second.send("nobody hears this").await.unwrap();
}
