//! WebSockets in streams of HTTP/2.
#![cfg(feature = "http2")]

mod support;

use std::sync::Arc;

use axum::{Router, response::Response, routing::any};
use hyper::{
    Request,
    body::{Body, Incoming},
    client::conn::http2::{SendRequest, handshake},
    ext::Protocol,
    server::conn::http2,
    upgrade::Upgraded,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc::unbounded_channel,
    time::Instant,
};
use tower_layer::Layer as _;
use ws_hyper::{
    WebSocketLayer,
    axum::WebSocketUpgrade,
    endpoint::{
        ServerConfig,
        driver::{CloseCode, Config, Connection, Negotiated},
        frame::Role,
        handshake::{OriginPolicy, Refusal},
    },
    http::{self, Method, StatusCode, Version, header},
};
use ws_tokio::WebSocket;

use self::support::{echo, exchange, pages};

type Client = SendRequest<String>;

/// Serves one connection by a service that WebSockets stand in front of.
async fn connect(layer: WebSocketLayer) -> Client {
    let (near, far) = tokio::io::duplex(1 << 16);
    tokio::spawn(async move {
        let mut http = http2::Builder::new(TokioExecutor::new());
        http.enable_connect_protocol();
        http.serve_connection(TokioIo::new(far), layer.layer(pages())).await.is_ok()
    });
    client(TokioIo::new(near)).await
}

async fn client<I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static>(io: I) -> Client {
    let (mut client, connection) = handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(async move { connection.await.is_ok() });
    // Behind the first answer, it is known whether the server takes an extended CONNECT (RFC 8441 section 3).
    client.ready().await.unwrap();
    let page = Request::get("https://localhost/page").body(String::new()).unwrap();
    assert_eq!(client.send_request(page).await.unwrap().status(), 200);
    client
}

fn asking(path: &str) -> http::request::Builder {
    Request::builder()
        .method(Method::CONNECT)
        .uri(format!("https://localhost{path}"))
        .extension(Protocol::from_static("websocket"))
        .header(header::SEC_WEBSOCKET_VERSION, "13")
}

async fn ask(client: &mut Client, request: http::request::Builder) -> Response<Incoming> {
    client.send_request(request.body(String::new()).unwrap()).await.unwrap()
}

async fn open(response: Response<Incoming>) -> WebSocket<TokioIo<Upgraded>> {
    assert_eq!(response.status(), 200);
    let io = TokioIo::new(hyper::upgrade::on(response).await.unwrap());
    let now = Instant::now().into_std();
    WebSocket::from_connection(io, Connection::new(Config::new(Role::Client), Negotiated::default(), now))
}

fn echoing() -> WebSocketLayer {
    WebSocketLayer::new("/echo", Arc::default(), |ws, _| echo(ws))
}

#[tokio::test]
async fn streams_of_one_connection_are_pages_and_sockets() {
    let mut client = connect(echoing()).await;
    let response = ask(&mut client, asking("/echo")).await;
    for name in ["upgrade", "connection", "sec-websocket-accept", "content-length"] {
        assert!(!response.headers().contains_key(name), "{name}");
    }
    let mut first = open(response).await;
    let mut second = open(ask(&mut client, asking("/echo")).await).await;
    let long = "x".repeat(1 << 20);
    for text in ["hello", "", &long] {
        assert_eq!(exchange(&mut first, text).await.as_text(), Some(text));
        assert_eq!(exchange(&mut second, text).await.as_text(), Some(text));
    }
    let page = Request::get("https://localhost/page").body(String::new()).unwrap();
    assert_eq!(client.send_request(page).await.unwrap().status(), 200);
    let closed = first.close(CloseCode::new(4000).unwrap(), "bye").await.unwrap().unwrap();
    assert_eq!((closed.code, &*closed.reason), (4000, "bye"));
    assert_eq!(exchange(&mut second, "still here").await.as_text(), Some("still here"));
}

#[tokio::test]
async fn the_request_stays_as_it_came() {
    let (told, mut requests) = unbounded_channel();
    let layer = WebSocketLayer::new("/echo", Arc::default(), move |mut ws, request| {
        let told = told.clone();
        async move {
            assert!(ws.get_ref().tcp().is_none());
            assert_eq!(ws.subprotocol(), Some("chat"));
            told.send(request).unwrap();
            ws.close(CloseCode::NORMAL, "").await.unwrap();
        }
    })
    .before(|upgrade| {
        assert_eq!(upgrade.request().method(), Method::CONNECT);
        assert_eq!(upgrade.facts().host(), "localhost");
        upgrade.extensions_mut().insert(7_u8);
        Ok::<_, Refusal>(())
    });
    let mut client = connect(layer).await;
    let asked = asking("/echo?a=b").header(header::SEC_WEBSOCKET_PROTOCOL, "chat, other");
    let response = ask(&mut client, asked).await;
    assert_eq!(response.headers()[header::SEC_WEBSOCKET_PROTOCOL], "chat");
    assert!(open(response).await.recv().await.is_none());
    let request = requests.recv().await.unwrap();
    assert_eq!((request.method(), request.version()), (&Method::CONNECT, Version::HTTP_2));
    assert_eq!(request.uri(), "https://localhost/echo?a=b");
    assert_eq!(request.extensions().get(), Some(&7_u8));
    assert_eq!(request.extensions().get::<Protocol>().map(Protocol::as_str), Some("websocket"));
    let names: Vec<_> = request.headers().keys().map(header::HeaderName::as_str).collect();
    assert_eq!(names, ["sec-websocket-version", "sec-websocket-protocol"]);
}

#[tokio::test]
async fn what_is_no_websocket_is_refused_or_goes_on() {
    let mut config = ServerConfig::default();
    config.policy.origins = OriginPolicy::SameHost;
    let mut client = connect(WebSocketLayer::new("/echo", Arc::new(config), |ws, _| echo(ws))).await;
    let asking_plainly = |uri: &str| Request::builder().uri(uri.to_owned());
    for (request, status) in [
        (asking_plainly("https://localhost/echo"), 505),
        (asking("/echo").extension(Protocol::from_static("connect-udp")), 501),
        (asking("/echo").header(header::ORIGIN, "https://evil.example"), 403),
        (asking("/echo").header(header::ORIGIN, "https://localhost"), 200),
        (asking("/echo").header(header::SEC_WEBSOCKET_PROTOCOL, ","), 400),
        (asking("/echo").header(header::SEC_WEBSOCKET_VERSION, "14"), 400),
        (asking("/echo").header(header::SEC_WEBSOCKET_KEY, "not used here"), 200),
        (asking("/elsewhere"), 200),
    ] {
        let text = format!("{request:?}");
        let response = ask(&mut client, request).await;
        assert_eq!(response.status(), status, "{text}");
        assert_eq!(response.headers().get(header::CONNECTION), None);
    }
}

/// The stream's end is no Close, and the connection of HTTP/2 goes on.
#[tokio::test]
async fn a_stream_that_ends_without_a_close_is_lost() {
    let (told, mut ends) = unbounded_channel();
    let layer = WebSocketLayer::new("/echo", Arc::default(), move |mut ws, _| {
        let told = told.clone();
        async move {
            while let Some(received) = ws.recv().await {
                match received {
                    Ok(message) if message.as_text() == Some("drop me") => return,
                    received => told.send(received.map_err(|error| error.to_string())).unwrap(),
                }
            }
        }
    });
    let mut client = connect(layer).await;
    let mut ws = open(ask(&mut client, asking("/echo")).await).await;
    ws.send("drop me").await.unwrap();
    assert!(matches!(ws.recv().await.unwrap(), Err(ws_tokio::Error::Lost)));
    let mut ws = open(ask(&mut client, asking("/echo")).await).await;
    ws.send("hello").await.unwrap();
    assert_eq!(ends.recv().await.unwrap().unwrap().as_text(), Some("hello"));
    drop(ws);
    let error = ends.recv().await.unwrap().unwrap_err();
    assert_eq!(error, ws_tokio::Error::Lost.to_string());
}

#[tokio::test]
async fn a_path_may_have_a_page_too() {
    let mut client = connect(echoing().share_path()).await;
    let page = Request::get("https://localhost/echo").body(String::new()).unwrap();
    let response = client.send_request(page).await.unwrap();
    assert!(!response.body().is_end_stream(), "a page");
    let mut ws = open(ask(&mut client, asking("/echo")).await).await;
    assert_eq!(exchange(&mut ws, "hello").await.as_text(), Some("hello"));
}

#[tokio::test]
async fn an_application_of_axum_takes_both_versions() {
    async fn handler(upgrade: Option<WebSocketUpgrade>) -> Response {
        match upgrade {
            Some(upgrade) => upgrade.protocols(["chat"]).on_upgrade(echo),
            None => Response::new("a page\n".into()),
        }
    }
    let app = Router::new().fallback(any(handler));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let mut http2 = client(TokioIo::new(TcpStream::connect(address).await.unwrap())).await;
    let mut ws = open(ask(&mut http2, asking("/chat")).await).await;
    assert_eq!(exchange(&mut ws, "hello").await.as_text(), Some("hello"));
    let mut ws = support::client("ws://localhost/chat", TcpStream::connect(address).await.unwrap()).await;
    assert_eq!(exchange(&mut ws, "hello").await.as_text(), Some("hello"));
}

/// Only an extended CONNECT asks for a WebSocket over HTTP/2; a plain one asks for a tunnel.
#[test]
fn an_upgrade_is_known_by_its_protocol() {
    let mut request = asking("/").body(()).unwrap();
    assert!(ws_hyper::is_upgrade(&request));
    request.extensions_mut().insert(Protocol::from_static("connect-udp"));
    assert!(!ws_hyper::is_upgrade(&request));
    request.extensions_mut().clear();
    assert!(!ws_hyper::is_upgrade(&request));
    *request.version_mut() = Version::HTTP_2;
    let refusal = ws_hyper::upgrade(&mut request, &Arc::default()).unwrap_err();
    assert_eq!(refusal.status(), StatusCode::HTTP_VERSION_NOT_SUPPORTED);
}
