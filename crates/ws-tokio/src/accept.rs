//! The server's side of the opening handshake, for one transport.

mod error;
pub(crate) mod exchange;
mod first;
mod raw;
mod upgrade;

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use ws_endpoint::ServerConfig;

pub(crate) use self::first::answer_to;
pub use self::{
    error::AcceptError,
    first::{FirstRequest, PlainRequest},
    raw::NotUpgraded,
    upgrade::Upgrade,
};
use crate::WebSocket;

/// Accepts a connection on a transport, with everything at its default. Of TCP, set `TCP_NODELAY` before: what is
/// written is written in batches already.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:9001").await?;
/// let (stream, _) = listener.accept().await?;
/// stream.set_nodelay(true)?;
/// let mut ws = ws_tokio::accept(stream).await?;
/// ws.send("welcome").await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`AcceptError`]. A client that sent a bad request has been answered.
///
/// # Cancel safety
/// A future that is dropped drops the transport.
pub async fn accept<S>(transport: S) -> Result<WebSocket<S>, AcceptError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    accept_with(transport, &Arc::default()).await
}

/// The same with a config that the connections of a server share.
///
/// # Errors
/// As for [`accept`].
///
/// # Cancel safety
/// As for [`accept`].
pub async fn accept_with<S>(transport: S, config: &Arc<ServerConfig>) -> Result<WebSocket<S>, AcceptError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // In a box of its own, so that the handshake's state does not stay in the caller's future for as long as the
    // connection lives.
    Box::pin(async { Upgrade::read(transport, config).await?.accept().await }).await
}

/// [`accept`] for a transport that is borrowed, or bound to its thread; see [`WebSocket::from_opened_local`].
///
/// # Errors
/// As for [`accept`].
///
/// # Cancel safety
/// As for [`accept`].
pub async fn accept_local<S>(transport: S) -> Result<WebSocket<S>, AcceptError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    Box::pin(async { Upgrade::read(transport, &Arc::default()).await?.accept_local().await }).await
}
