//! WebSocket on tokio: client and server over any `AsyncRead + AsyncWrite`, with the timers that a connection needs.
//!
//! A client:
//!
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut ws = ws_tokio::connect("ws://127.0.0.1:9001/").await?;
//! ws.send("hello").await?;
//! while let Some(message) = ws.recv().await {
//!     println!("{:?}", message?);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A server:
//!
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), ws_tokio::BindError> {
//! let server = ws_tokio::Server::builder().bind("127.0.0.1:9001").await?;
//! server
//!     .serve(|mut conn| async move {
//!         while let Some(message) = conn.socket.recv().await {
//!             conn.socket.send(message?).await?;
//!         }
//!         Ok::<_, ws_tokio::Error>(())
//!     })
//!     .await;
//! # Ok(())
//! # }
//! ```
//!
//! [`accept`] and [`Upgrade`] are the same for one transport, for those who listen themselves.
//!
//! # What a connection does by itself
//!
//! While it receives, a [`WebSocket`] answers pings and Closes. While it waits for anything, it sends a ping of its own
//! after 25 s of silence, fails after 20 s without an answer, drops a peer that takes nothing for 30 s, and gives a
//! closing handshake 5 s. All of these are options. A connection that nobody polls does nothing, and one that is only
//! sent to finds its peer's pings when it is next received from: where that may take long, give it to two tasks with
//! [`WebSocket::split`], or a task of its own with [`WebSocket::spawn`].
//!
//! It reads and writes once for each batch of messages, into buffers that all connections of a thread take in turn, so
//! that an idle one holds none.
//!
//! # Connecting
//!
//! [`Connect`] is a client's builder: what is asked of the server, redirects, proxies, TLS, an own resolver or an own
//! stream. Each hop has 10 s, all of them 30 s. [`ConnectError`] says what failed, and
//! [`is_transient`](ConnectError::is_transient) whether the same may succeed later. [`Reconnect`] makes a client of it
//! that comes back, with waits that grow.
//!
//! # Features
//!
//! - `simd`: validates UTF-8 with SIMD instructions, see `ws-frame`. What is accepted stays the same.
//! - `deflate`: permessage-deflate (RFC 7692): clients offer it unless told not to, servers answer it when it is switched on.
//! - `rustls`: `wss` by rustls with ring, trusting the platform's certificates unless told otherwise, and for servers.
//! - `rustls-no-provider`: the same without ring: the application installs a provider of cryptography, or names one to
//!   `TlsOptions`.
//! - `rustls-webpki-roots`: `TlsOptions` can trust Mozilla's authorities, compiled in.
//! - `rustls-native-roots`: `TlsOptions` can trust the authorities that the system's store lists, read as files.
//! - `self-signed`: certificates that nobody has signed, made by rcgen, for development.
#![forbid(unsafe_code)]

mod accept;
mod broadcast;
mod byte_stream;
mod connect;
mod control;
mod error;
mod home;
mod jobs;
mod link;
mod message_reader;
mod message_writer;
mod pump;
mod race;
mod reader;
mod reconnect;
mod scratch;
mod server;
mod slot;
mod spawn;
mod split;
mod stream;
mod sync;
mod tasks;
mod timer;
#[cfg(feature = "rustls-no-provider")]
mod tls;
mod transport;
mod websocket;
mod writer;

#[cfg(feature = "self-signed")]
pub use self::server::SelfSigned;
#[cfg(feature = "rustls")]
pub use self::server::{TlsConfigError, tls_config};
#[cfg(feature = "rustls-no-provider")]
pub use self::tls::TlsOptions;
pub use self::{
    accept::{
        AcceptError, FirstRequest, NotUpgraded, PlainRequest, Upgrade, accept, accept_local, accept_with,
    },
    broadcast::{Group, GroupStats, MemberId, MemberOptions, MemberStats, SlowConsumer, Subscription, Tally},
    byte_stream::{ByteStream, ByteStreamOptions, TextMessages},
    connect::{Connect, ConnectError, ProxyEnvironmentError, ProxyFailure, Step, connect},
    error::{Error, SendError},
    message_reader::MessageReader,
    message_writer::MessageWriter,
    reader::Reader,
    reconnect::{Backoff, Reconnect, StopHandle},
    server::{
        Address, Answer, BindError, Client, ClientError, Clients, Listener, Outcome, Server, ServerBuilder,
        ServerConnection, ServerError, ServerStream, Shutdown,
    },
    spawn::{ConnectionTask, Handle, HandleReceiver, HandleSender, SpawnOptions},
    split::{OwnedReader, OwnedWriter, ReuniteError},
    transport::{ClientStream, OtherStream},
    websocket::WebSocket,
    writer::Writer,
};
pub use http;
#[cfg(feature = "rustls-no-provider")]
pub use tokio_rustls::rustls;
pub use ws_endpoint as endpoint;
