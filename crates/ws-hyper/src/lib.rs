//! WebSockets inside an HTTP server of somebody else: [hyper] 1, anything that is a [tower] service, [axum].
//!
//! One port serves pages and WebSockets, over HTTP and HTTPS: the HTTP server reads the requests, and hands over the
//! connections of those that ask for a WebSocket. What it has read behind the request, the first frames, is kept.
//!
//! # In a service of hyper
//!
//! ```no_run
//! use std::{convert::Infallible, sync::Arc};
//!
//! use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
//! use hyper_util::rt::TokioIo;
//! use ws_hyper::WebSocket;
//!
//! async fn serve(mut request: Request<Incoming>) -> Result<Response<String>, Infallible> {
//!     if request.uri().path() != "/echo" {
//!         return Ok(Response::new("a page\n".to_owned()));
//!     }
//!     Ok(match ws_hyper::upgrade(&mut request, &Arc::default()) {
//!         Ok((response, upgrading)) => {
//!             tokio::spawn(async move { echo(upgrading.await?).await });
//!             response
//!         }
//!         Err(refusal) => refusal.into_response(), // 426 for a plain request
//!     })
//! }
//!
//! async fn echo(mut ws: WebSocket) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//!     while let Some(message) = ws.recv().await {
//!         ws.send(message?).await?;
//!     }
//!     Ok(())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! loop {
//!     let io = TokioIo::new(listener.accept().await?.0);
//!     let connection = http1::Builder::new().serve_connection(io, service_fn(serve));
//!     tokio::spawn(connection.with_upgrades());
//! }
//! # }
//! ```
//!
//! [`Upgrade`] lets a request be inspected before it is accepted. [`WebSocketLayer`] puts endpoints in front of a service of
//! hyper or tower. With the feature `axum`, the module `axum` has the extractor.
//!
//! # What to know
//!
//! - Serve with upgrades: `with_upgrades()`, or `serve_connection_with_upgrades` of hyper-util.
//! - hyper reads requests: its limits and deadlines hold until the answer is sent, ours from then on. Set
//!   `header_read_timeout` and its timer.
//! - The [config](endpoint::ServerConfig) has the origins that may connect: any, unless it says otherwise. Browsers send
//!   cookies to wherever a page of any site connects to.
//! - A refusal ends the connection behind it: what follows an upgrade may be frames, and is no request.
//! - A client that has left when its connection would open gives no connection, but [`Error::Left`].
//! - Graceful shutdown of hyper ends connections between requests, and leaves WebSockets open: they are yours.
//!   [`Clients`] knows them, counts them, and closes them under a deadline.
//! - TCP gets `TCP_NODELAY`; for any other transport, set it before.
//!
//! # HTTP/2
//!
//! With the feature `http2`, a WebSocket opens in a stream of an HTTP/2 connection (RFC 8441), by the same functions. Tell
//! hyper to announce it: `enable_connect_protocol()` of its builder for HTTP/2. A plain request over HTTP/2 to an endpoint
//! is refused with 505, as are all without the feature; browsers then connect over HTTP/1.1, if the server does not announce
//! it.
//!
//! # Features
//!
//! - `axum`: the extractor for axum 0.8, on axum-core.
//! - `deflate`: permessage-deflate (RFC 7692), answered when the config switches it on.
//! - `http2`: WebSockets in streams of HTTP/2 (RFC 8441).
//!
//! [hyper]: https://docs.rs/hyper
//! [tower]: https://docs.rs/tower
//! [axum]: https://docs.rs/axum
#![forbid(unsafe_code)]

#[cfg(feature = "axum")]
pub mod axum;
mod error;
mod head;
#[cfg(feature = "http2")]
mod http2;
mod layer;
mod matcher;
mod service;
mod transport;
mod upgrade;
mod upgrading;

pub use self::{
    error::Error,
    head::is_upgrade,
    layer::WebSocketLayer,
    matcher::Matcher,
    service::{ResponseFuture, WebSocketService},
    transport::WebSocket,
    upgrade::{Upgrade, upgrade},
    upgrading::Upgrading,
};
pub use http;
pub use ws_endpoint as endpoint;
pub use ws_tokio::{Address, Clients, ServerStream, Shutdown};
