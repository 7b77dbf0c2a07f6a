//! Connecting: from an address to an open connection.

mod builder;
mod bypass;
mod deadline;
mod environment;
mod error;
mod exchange;
mod open;
mod options;
mod proxy;
mod race;
mod route;
mod tunnel;

use tokio::io::{AsyncRead, AsyncWrite};
use ws_endpoint::{
    ClientConfig,
    handshake::{ClientRequest, ClientRequestError},
};

use self::options::Options;
pub use self::{
    environment::ProxyEnvironmentError,
    error::{ConnectError, Step},
    tunnel::ProxyFailure,
};
use crate::{ClientStream, WebSocket, home::lending};

/// Connects to a `ws`, `wss` or `ws+unix` address, with everything at its default.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut ws = ws_tokio::connect("ws://127.0.0.1:9001/").await?;
/// ws.send("hello").await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`ConnectError`].
///
/// # Cancel safety
/// A future that is dropped drops what there is of the connection.
pub async fn connect(address: &str) -> Result<WebSocket<ClientStream>, ConnectError> {
    Connect::new(address)?.open().await
}

/// A connection to be opened, with what differs from the defaults. Await it, or call [`open`](Self::open).
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use ws_tokio::Connect;
///
/// let mut ws = Connect::new("wss://example.com/chat")?
///     .subprotocols(["chat.v1"])?
///     .header("x-token", "secret")?
///     .handshake_timeout(Some(Duration::from_secs(5)))
///     .await?;
/// ws.send("hello").await?;
/// # Ok(())
/// # }
/// ```
///
/// # What happens
///
/// The host's addresses are looked up and raced (RFC 8305): the families take turns, each attempt has 250 ms for itself,
/// the first connection wins. Then TLS for `wss`, then the opening handshake. Each hop has
/// [`handshake_timeout`](Self::handshake_timeout) and all of them together [`total_timeout`](Self::total_timeout);
/// [`ConnectError::Timeout`] names the [`Step`] that was waited for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Connect {
    /// What is asked of the server.
    pub request: ClientRequest,
    /// How the connection behaves.
    pub config: ClientConfig,
    /// The TLS that a `wss` address uses; without one the platform's certificates are trusted.
    #[cfg(feature = "rustls-no-provider")]
    pub tls: Option<std::sync::Arc<tokio_rustls::rustls::ClientConfig>>,
    options: Options,
}

impl Connect {
    /// To this address: `ws`, `wss`, their aliases `http` and `https`, or `ws+unix`.
    ///
    /// # Errors
    /// [`ClientRequestError`] when it is not an address of a WebSocket.
    pub fn new(address: &str) -> Result<Self, ClientRequestError> {
        Ok(Self::to(ClientRequest::new(address)?))
    }

    /// With a request that was made already.
    #[must_use]
    pub fn to(request: ClientRequest) -> Self {
        Self {
            request,
            config: ClientConfig::default(),
            #[cfg(feature = "rustls-no-provider")]
            tls: None,
            options: Options::default(),
        }
    }

    /// Connects: TCP or a Unix socket, TLS for `wss`, the opening handshake, all under the deadlines.
    ///
    /// # Errors
    /// [`ConnectError`].
    ///
    /// # Cancel safety
    /// A future that is dropped drops what there is of the connection.
    pub async fn open(self) -> Result<WebSocket<ClientStream>, ConnectError> {
        open::open(self).await
    }

    /// The opening handshake over a transport of the caller's own, which is connected, and under TLS if it should be.
    ///
    /// A redirect is not followed: it would lead to another transport.
    ///
    /// # Errors
    /// [`ConnectError`].
    ///
    /// # Cancel safety
    /// As for [`open`](Self::open).
    pub async fn over<S>(self, transport: S) -> Result<WebSocket<S>, ConnectError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        open::over(self, transport, Some(lending)).await
    }

    /// The same over a transport that is borrowed, or bound to its thread; see
    /// [`WebSocket::from_opened_local`].
    ///
    /// # Errors
    /// [`ConnectError`].
    ///
    /// # Cancel safety
    /// As for [`open`](Self::open).
    pub async fn over_local<S>(self, transport: S) -> Result<WebSocket<S>, ConnectError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        open::over(self, transport, None).await
    }
}
