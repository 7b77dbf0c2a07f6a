//! What the tests of this crate share.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]

pub mod hostile;
pub mod mock;
pub mod proxy;
pub mod raw;
#[cfg(feature = "rustls")]
pub mod tls;
pub mod trap;
pub mod visitor;

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, duplex},
    net::{TcpListener, TcpStream},
    time::Instant,
};
use ws_tokio::{
    Connect, WebSocket,
    endpoint::{
        ConnectionOptions, ServerConfig,
        driver::{Config, Connection, Negotiated},
        frame::Role,
    },
};

pub use self::raw::Raw;

/// A client and a server that have been through the opening handshake over a pipe of this size.
pub async fn pair(size: usize) -> (WebSocket<DuplexStream>, WebSocket<DuplexStream>) {
    pair_with(size, ConnectionOptions::default()).await
}

pub async fn pair_with(
    size: usize,
    options: ConnectionOptions,
) -> (WebSocket<DuplexStream>, WebSocket<DuplexStream>) {
    let (near, far) = duplex(size);
    shake_hands(near, far, options).await
}

/// The opening handshake over two ends of a transport.
pub async fn shake_hands<C, S>(
    client: C,
    server: S,
    options: ConnectionOptions,
) -> (WebSocket<C>, WebSocket<S>)
where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut connect = Connect::new("ws://example.com/").expect("an address");
    connect.config.connection = options.clone();
    let mut config = ServerConfig::default();
    config.connection = options;
    let config = Arc::new(config);
    let (client, server) = tokio::join!(connect.over(client), ws_tokio::accept_with(server, &config));
    (client.expect("the client is connected"), server.expect("the server has accepted"))
}

/// Two ends of a TCP connection.
pub async fn tcp() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (near, far) = tokio::join!(TcpStream::connect(address), listener.accept());
    (near.expect("connected"), far.expect("accepted").0)
}

/// An open connection without a handshake.
pub fn open<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(io: S, config: Config) -> WebSocket<S> {
    let now = Instant::now().into_std();
    WebSocket::from_connection(io, Connection::new(config, Negotiated::default(), now))
}

/// An open connection with the defaults and a peer that is driven by hand, over a pipe of this size.
pub fn facing_raw(role: Role, size: usize) -> (WebSocket<DuplexStream>, Raw<DuplexStream>) {
    facing_raw_with(Config::new(role), size)
}

pub fn facing_raw_with(config: Config, size: usize) -> (WebSocket<DuplexStream>, Raw<DuplexStream>) {
    let (near, far) = duplex(size);
    let peer = Raw::new(far, config.role.peer());
    (open(near, config), peer)
}

/// Polls once, without anybody to wake.
pub fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// A task that ends with its test.
pub struct AbortOnDrop(pub tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
