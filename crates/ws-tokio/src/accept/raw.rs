//! Requests that another HTTP server has read.

use std::sync::Arc;

use bytes::BytesMut;
use http::Request;
use tokio::io::{AsyncRead, AsyncWrite};
use ws_endpoint::{ServerConfig, UpgradeRequest, handshake::Refusal};

use super::{AcceptError, Upgrade, exchange::Exchange};

/// A request that another HTTP server has read, and that does not become a connection: what to answer, and everything as
/// it was given.
#[derive(Debug)]
#[non_exhaustive]
pub struct NotUpgraded<S> {
    /// The transport, on which nothing was written.
    pub transport: S,
    /// The request.
    pub request: Request<()>,
    /// The answer; the transport ends behind it.
    pub refusal: Refusal,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Upgrade<S> {
    /// A request that another HTTP server has read, its transport, and what was read behind the request: the client's
    /// first frames perhaps, so none of it may be lost. Nothing is written yet; [`accept`](Self::accept) answers 101.
    ///
    /// A path that is not ours is for the caller to pass on: look at the request first, or at
    /// [`NotUpgraded::refusal`] afterwards.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use ws_tokio::{AcceptError, Upgrade, WebSocket, http::Request};
    /// # use tokio::net::TcpStream;
    /// async fn upgrade(
    ///     stream: TcpStream,
    ///     request: Request<()>,
    ///     read_behind_it: &[u8],
    /// ) -> Result<WebSocket<TcpStream>, AcceptError> {
    ///     match Upgrade::from_request(stream, request, read_behind_it, &Arc::default()) {
    ///         Ok(upgrade) => upgrade.accept().await,
    ///         Err(not_upgraded) => not_upgraded.respond().await,
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// [`NotUpgraded`] for a request that asks for no WebSocket, or breaks a rule.
    pub fn from_request(
        transport: S,
        request: Request<()>,
        behind: &[u8],
        config: &Arc<ServerConfig>,
    ) -> Result<Self, Box<NotUpgraded<S>>> {
        match UpgradeRequest::check(request, Arc::clone(config)) {
            Ok(request) => {
                let mut exchange = Exchange::new(transport, config);
                exchange.buf = BytesMut::from(behind);
                Ok(Self::new(exchange, request))
            }
            Err(refused) => {
                let (request, refusal) = (refused.request, refused.refusal);
                Err(Box::new(NotUpgraded { transport, request, refusal }))
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> NotUpgraded<S> {
    /// Sends the answer, and ends the transport.
    ///
    /// # Errors
    /// Always: [`AcceptError::Refused`] with the answer, or what went wrong in sending it.
    ///
    /// # Cancel safety
    /// A future that is dropped drops the transport.
    pub async fn respond<T>(self: Box<Self>) -> Result<T, AcceptError> {
        let exchange = Exchange::until(self.transport, None);
        exchange.refuse(self.refusal).await
    }
}
