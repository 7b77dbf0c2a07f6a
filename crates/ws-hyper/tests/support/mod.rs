//! What the tests of this crate share: HTTP servers to upgrade in, and a client that is driven by hand.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]

#[path = "../../../ws-tokio/tests/support/tls.rs"]
pub mod tls;

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use hyper::{
    Request, Response,
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};
use ws_hyper::{Error, WebSocket, endpoint::ServerConfig};
use ws_tokio::{Connect, endpoint::driver::Message};

/// A request for a WebSocket.
pub const UPGRADE: &str = "GET /chat?room=1 HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
                           Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// "hi" as a masked text frame.
pub const HI: &[u8] = &[0x81, 0x82, 0, 0, 0, 0, b'h', b'i'];

/// What is written to a server, and what it answers.
pub struct Http<S>(pub BufReader<S>);

/// An answer: its head, its names in lower case, and its body.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn has(&self, line: &str) -> bool {
        self.head.lines().any(|other| other.eq_ignore_ascii_case(line))
    }
}

impl Http<TcpStream> {
    pub async fn connect(address: SocketAddr) -> Self {
        Self::new(TcpStream::connect(address).await.expect("the server listens"))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Http<S> {
    pub fn new(io: S) -> Self {
        Self(BufReader::new(io))
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.expect("the server reads");
    }

    /// A request for a page, and its answer.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
        self.answer().await
    }

    pub async fn answer(&mut self) -> Answer {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(self.0.read_line(&mut head).await.expect("a line"), 0, "the server has left: {head}");
        }
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let head = head.to_ascii_lowercase();
        let len = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; len.map_or(0, |len| len.parse().expect("a length"))];
        self.0.read_exact(&mut body).await.expect("a body");
        Answer { status, head, body: String::from_utf8(body).expect("text") }
    }

    /// What comes next, of this length.
    pub async fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).await.expect("so many bytes");
        bytes
    }

    /// Waits until the server has left.
    pub async fn end(&mut self) {
        let mut rest = Vec::new();
        let _reset = self.0.read_to_end(&mut rest).await;
        assert!(rest.is_empty(), "{rest:?}");
    }
}

/// Serves each connection to a new port.
pub async fn listen<F, S>(service: F) -> SocketAddr
where
    F: Fn() -> S + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<String>, Error = Infallible> + Send + 'static,
    S::Future: Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, service()));
        }
    });
    address
}

/// Serves one connection.
pub async fn serve<I, S>(io: I, service: S)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<String>, Error = Infallible>,
{
    // How a client leaves is its own affair.
    let _left = http1::Builder::new().serve_connection(TokioIo::new(io), service).with_upgrades().await;
}

pub fn page(path: &str) -> Response<String> {
    Response::new(format!("page {path}\n"))
}

/// Pages.
pub fn pages()
-> impl Service<Request<Incoming>, Response = Response<String>, Error = Infallible, Future: Send> + Clone {
    service_fn(|request: Request<Incoming>| async move { Ok(page(request.uri().path())) })
}

/// What came of a request for a WebSocket.
pub type Opened = Result<(WebSocket, Request<()>), Error>;

/// Pages, and WebSockets for who asks for them, which come out of the channel.
pub fn upgrading(
    config: ServerConfig,
) -> (
    impl Service<Request<Incoming>, Response = Response<String>, Error = Infallible, Future: Send> + Clone,
    UnboundedReceiver<Opened>,
) {
    let config = Arc::new(config);
    let (opened, connections) = unbounded_channel();
    let service = service_fn(move |mut request: Request<Incoming>| {
        let (config, opened) = (Arc::clone(&config), opened.clone());
        async move {
            if !ws_hyper::is_upgrade(&request) && request.uri().path() != "/chat" {
                return Ok(page(request.uri().path()));
            }
            request.extensions_mut().insert(7_u8);
            Ok(match ws_hyper::upgrade(&mut request, &config) {
                Ok((response, upgrading)) => {
                    tokio::spawn(async move { opened.send(upgrading.with_request().await).is_ok() });
                    response
                }
                Err(refusal) => refusal.into_response(),
            })
        }
    });
    (service, connections)
}

/// Sends back what it receives.
pub async fn echo(mut ws: WebSocket) {
    while let Some(Ok(message)) = ws.recv().await {
        if ws.send(message).await.is_err() {
            break;
        }
    }
}

/// A client that is connected to an address on this transport.
pub async fn client<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    address: &str,
    io: S,
) -> ws_tokio::WebSocket<S> {
    Connect::new(address).expect("an address").over(io).await.expect("a connection")
}

/// Sends a message and receives one.
pub async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    ws: &mut ws_tokio::WebSocket<S>,
    text: &str,
) -> Message {
    ws.send(text).await.expect("sent");
    ws.recv().await.expect("open").expect("a message")
}

/// Any transport.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Io for S {}
