//! The WebSocket stack: a client and a server (RFC 6455), strict, bounded and fast, in small crates that can be taken one
//! by one. This crate is all of them under one name; it holds no logic of its own.
//!
//! # A client in ten lines
//!
//! ```no_run
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let mut ws = ws_stack::connect("ws://127.0.0.1:9001/").await?;
//!     ws.send("hello").await?;
//!     while let Some(message) = ws.recv().await {
//!         println!("{:?}", message?);
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # A server in ten
//!
//! ```no_run
//! #[tokio::main]
//! async fn main() -> Result<(), ws_stack::BindError> {
//!     let server = ws_stack::Server::builder().bind("127.0.0.1:9001").await?;
//!     server.serve(|mut conn| async move {
//!         while let Some(Ok(message)) = conn.socket.recv().await {
//!             let _ = conn.socket.send(message).await;
//!         }
//!     }).await;
//!     Ok(())
//! }
//! ```
//!
//! [`ServerBuilder`] has the rest: addresses, Unix sockets, TLS, who is accepted and what they are answered, limits,
//! deadlines. [`Server::clients`] are the open connections, [`Server::shutdown`] closes them under a deadline.
//!
//! # A client with options
//!
//! [`Connect`] is a builder that can be awaited: headers, subprotocols, redirects, proxies, TLS, deadlines. [`Reconnect`]
//! makes a client of it that comes back by itself.
//!
//! ```no_run
//! # async fn example() -> Result<(), ws_stack::BoxError> {
//! use ws_stack::{Connect, Reconnect};
//!
//! let connect = Connect::new("wss://example.com/feed")?.header("x-token", "secret")?.proxy_from_env()?;
//! let mut connections = Reconnect::new(connect).on_open(async |mut ws| {
//!     ws.send("subscribe: news").await?;
//!     Ok(ws)
//! });
//! while let Some(ws) = connections.next().await {
//!     let mut ws = ws?;
//!     while let Some(Ok(message)) = ws.recv().await {
//!         println!("{message:?}");
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Messages
//!
//! [`Message`] is [`Text`] or a binary [`Payload`]; strings, vectors, slices and `Bytes` turn into one. `recv` gives
//! `None` after a clean close, and [`WebSocket::closed`] says who closed and why. Everything else that ends a connection
//! is one [`Error`].
//!
//! # The fast form
//!
//! [`WebSocket::halves`] lends messages from the buffer that they arrived in, and sends without a flush of its own:
//! replies to one batch of messages leave in one write.
//!
//! ```no_run
//! # async fn example(mut ws: ws_stack::WebSocket<tokio::net::TcpStream>) -> Result<(), ws_stack::Error> {
//! let (rx, tx) = ws.halves();
//! while let Some(message) = rx.recv(tx).await {
//!     tx.feed(message?)?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Two tasks
//!
//! [`WebSocket::split`] gives an owned half to each of two tasks. The reader answers pings and Closes by itself.
//!
//! # Inspecting a request before it is accepted
//!
//! [`ServerBuilder::authorize`] is asked about each request. Who listens themselves has [`accept`], and
//! [`Upgrade::read`], which gives the request; then [`accept`](Upgrade::accept) it, with a subprotocol or headers of your choice,
//! or [`refuse`](Upgrade::refuse) it with any status.
//!
//! # Inside another HTTP server
//!
//! With the feature `hyper`, connections open inside a server of hyper 1, beside its pages and on the same port; with
//! `axum`, in a handler of axum. `ws_stack::hyper` shows how.
//!
//! # Limits and deadlines
//!
//! Every bound has a default and can be changed: [`Limits`], [`Timeouts`], and for the handshake [`ServerConfig`] and
//! [`ClientConfig`]. Nothing that a peer sends makes a connection hold more than its limits say.
//!
//! # Compression
//!
//! With the feature `deflate`, [`connect`] offers permessage-deflate, and a server answers it after
//! [`ServerConfig::set_deflate`]. [`deflate::Options`] chooses between memory, speed and size; its docs have a table. A
//! message with secrets in it can be sent uncompressed: [`WebSocket::send_compressed`].
//!
//! # Without tokio
//!
//! With the feature `sync`, `ws_stack::sync` is the client and the server over blocking streams. [`endpoint`] is a client and a
//! server without I/O: bytes in, events out, bytes out, deadlines. Runtimes build on it, and so can you.
//!
//! # Features
//!
//! - `deflate` (default): permessage-deflate (RFC 7692). The one feature that changes what is on the wire: clients offer it
//!   unless told not to. Servers answer it when it is switched on.
//! - `simd` (default): SIMD validation of UTF-8, chosen at run time; needs no build flags.
//! - `tokio` (default): the client and the server on tokio.
//! - `rustls`: `wss` by rustls with ring, trusting the platform's certificates unless told otherwise, and for servers.
//! - `rustls-no-provider`: the same without ring: the application installs a provider of cryptography, or names one to
//!   `TlsOptions`.
//! - `rustls-webpki-roots`: `TlsOptions` can trust Mozilla's authorities, compiled in.
//! - `rustls-native-roots`: `TlsOptions` can trust the authorities that the system's store lists, read as files.
//! - `self-signed`: certificates that nobody has signed, for development.
//! - `hyper`: upgrades inside HTTP servers of hyper 1, and a layer of tower, as `ws_stack::hyper`.
//! - `sync`: the client and the server over blocking streams, without tokio, as `ws_stack::sync`.
//! - `axum`: the extractor for axum 0.8, as `ws_stack::hyper::axum`.
//! - `http2`: WebSockets in streams of HTTP/2 (RFC 8441), inside HTTP servers of hyper 1.
#![forbid(unsafe_code)]

mod error;

pub use self::error::BoxError;
pub use ws_endpoint as endpoint;
#[cfg(feature = "deflate")]
pub use ws_endpoint::deflate;
pub use ws_endpoint::{
    ClientConfig, ConnectionOptions, ServerConfig, Subprotocols, UpgradeRequest, driver,
    driver::{
        CloseCode, CloseReason, Closed, DataKind, Delivery, Event, Expired, Fault, Incoming, Initiator,
        Limits, MaskSource, Message, Part, Payload, Prepared, Role, Text, Timeouts, Unsent,
    },
    extensions, frame, handshake,
    handshake::{ClientRequest, Refusal},
};
#[cfg(feature = "hyper")]
pub use ws_hyper as hyper;
#[cfg(feature = "sync")]
pub use ws_sync as sync;
#[cfg(feature = "self-signed")]
pub use ws_tokio::SelfSigned;
#[cfg(feature = "tokio")]
pub use ws_tokio::{
    AcceptError, ByteStream, ByteStreamOptions, ClientStream, Connect, ConnectError, ConnectionTask, Error,
    FirstRequest, Group, GroupStats, Handle, HandleReceiver, HandleSender, MemberId, MemberOptions,
    MemberStats, MessageReader, MessageWriter, OtherStream, OwnedReader, OwnedWriter, PlainRequest, Reader,
    ReuniteError, SendError, SlowConsumer, SpawnOptions, Subscription, Tally, TextMessages, Upgrade,
    WebSocket, Writer, accept, accept_local, accept_with, connect, http,
};
#[cfg(feature = "tokio")]
pub use ws_tokio::{
    Address, Answer, BindError, Client, ClientError, Clients, Listener, NotUpgraded, Outcome, Server,
    ServerBuilder, ServerConnection, ServerError, ServerStream, Shutdown,
};
#[cfg(feature = "tokio")]
pub use ws_tokio::{Backoff, ProxyEnvironmentError, ProxyFailure, Reconnect, Step, StopHandle};
#[cfg(feature = "rustls")]
pub use ws_tokio::{TlsConfigError, tls_config};
#[cfg(feature = "rustls-no-provider")]
pub use ws_tokio::{TlsOptions, rustls};
