//! The client's side of the opening handshake.

use std::io;

use bytes::BytesMut;
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time,
};
use ws_endpoint::{
    ClientConfig, ClientHandshake, ClientHandshakeError,
    handshake::{ClientError, ClientRequest, ClientRequestError},
};

use crate::{ClientStream, WebSocket, timer::Timer};

/// Why a client has no connection.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address or the request is not valid.
    #[error(transparent)]
    Request(#[from] ClientRequestError),
    /// No TCP connection came about.
    #[error("cannot connect to {host} port {port}: {error}")]
    Tcp {
        /// The host.
        host: String,
        /// Its port.
        port: u16,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// TLS failed.
    #[error("TLS with {host} failed: {error}")]
    Tls {
        /// The host.
        host: String,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// The address begins with `wss`, and TLS is not compiled in.
    #[error("a wss address needs TLS: switch the feature `rustls` on, or connect over a stream of your own")]
    TlsUnavailable,
    /// The opening handshake failed.
    #[error("opening handshake failed: {0}")]
    Handshake(ClientHandshakeError),
    /// The transport failed during the opening handshake.
    #[error("transport failed during the opening handshake: {0}")]
    Io(#[from] io::Error),
    /// The server left during the opening handshake.
    #[error("server closed the transport during the opening handshake")]
    Left,
    /// The deadline for the opening handshake has passed.
    #[error("opening handshake not finished within the deadline")]
    Timeout,
}

impl From<ClientHandshakeError> for ConnectError {
    fn from(error: ClientHandshakeError) -> Self {
        match error {
            ClientHandshakeError::Request(error) => Self::Request(error),
            error => Self::Handshake(error),
        }
    }
}

impl ConnectError {
    /// The server's answer, if it was one other than 101.
    #[must_use]
    pub fn response(&self) -> Option<&http::Response<()>> {
        match self {
            Self::Handshake(ClientHandshakeError::Response(ClientError::UnexpectedStatus(response))) => {
                Some(response)
            }
            _ => None,
        }
    }
}

/// Connects to a `ws` or `wss` address, with everything at its default.
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

/// A connection to be opened, with what differs from the defaults.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use ws_tokio::Connect;
///
/// let mut connect = Connect::new("ws://127.0.0.1:9001/chat")?;
/// connect.request = connect.request.subprotocols(["chat.v1"])?.header("x-token", "secret")?;
/// connect.config.connection.limits.max_message_len = 1 << 20;
/// let mut ws = connect.open().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Connect {
    /// What is asked of the server.
    pub request: ClientRequest,
    /// How the connection behaves.
    pub config: ClientConfig,
    /// The TLS that a `wss` address uses; without one the platform's certificates are trusted.
    #[cfg(feature = "rustls")]
    pub tls: Option<std::sync::Arc<tokio_rustls::rustls::ClientConfig>>,
}

impl Connect {
    /// To this address: `ws`, `wss`, or their aliases `http` and `https`.
    ///
    /// # Errors
    /// [`ClientRequestError`] when it is not an address of a WebSocket.
    pub fn new(address: &str) -> Result<Self, ClientRequestError> {
        Ok(Self {
            request: ClientRequest::new(address)?,
            config: ClientConfig::default(),
            #[cfg(feature = "rustls")]
            tls: None,
        })
    }

    /// Connects: TCP, TLS for `wss`, the opening handshake, all under one deadline.
    ///
    /// # Errors
    /// [`ConnectError`].
    ///
    /// # Cancel safety
    /// A future that is dropped drops what there is of the connection.
    pub async fn open(self) -> Result<WebSocket<ClientStream>, ConnectError> {
        let timeout = self.config.handshake_timeout;
        let open = async {
            let transport = self.transport().await?;
            exchange(transport, self.request, &self.config).await
        };
        match timeout {
            None => open.await,
            Some(timeout) => time::timeout(timeout, open).await.map_err(|_| ConnectError::Timeout)?,
        }
    }

    /// The same over a transport of the caller's own, which is connected, and under TLS if it should be.
    ///
    /// # Errors
    /// [`ConnectError`].
    ///
    /// # Cancel safety
    /// As for [`open`](Self::open).
    pub async fn over<S>(self, transport: S) -> Result<WebSocket<S>, ConnectError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let open = exchange(transport, self.request, &self.config);
        match self.config.handshake_timeout {
            None => open.await,
            Some(timeout) => time::timeout(timeout, open).await.map_err(|_| ConnectError::Timeout)?,
        }
    }

    async fn transport(&self) -> Result<ClientStream, ConnectError> {
        let (host, port) = (self.request.host(), self.request.port());
        if self.request.is_tls() && cfg!(not(feature = "rustls")) {
            return Err(ConnectError::TlsUnavailable);
        }
        let refused = |error| ConnectError::Tcp { host: host.to_owned(), port, error };
        let tcp = TcpStream::connect((host, port)).await.map_err(refused)?;
        tcp.set_nodelay(true)?;
        #[cfg(feature = "rustls")]
        if self.request.is_tls() {
            let tls = crate::tls::connect(tcp, host, self.tls.clone()).await;
            return tls.map_err(|error| ConnectError::Tls { host: host.to_owned(), error });
        }
        Ok(ClientStream::Plain(tcp))
    }
}

/// The opening handshake.
async fn exchange<S>(
    mut transport: S,
    request: ClientRequest,
    config: &ClientConfig,
) -> Result<WebSocket<S>, ConnectError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut handshake = ClientHandshake::new(request, config)?;
    transport.write_all(handshake.request_bytes()).await?;
    transport.flush().await?;
    let mut buf = BytesMut::new();
    loop {
        buf.reserve(1024);
        if transport.read_buf(&mut buf).await? == 0 {
            return Err(ConnectError::Left);
        }
        if let Some(opened) = handshake.receive(&mut buf, Timer::now())? {
            return Ok(WebSocket::opened(transport, opened, &buf, true));
        }
    }
}
