//! The client's side of the opening handshake.

use std::{
    io,
    net::{TcpStream, ToSocketAddrs},
    path::{Path, PathBuf},
    time::Instant,
};

use thiserror::Error;
use ws_endpoint::{
    ClientConfig, ClientHandshakeError, Endpoint, Failure,
    handshake::{ClientError, ClientRequest, ClientRequestError, Key},
};

use crate::{ClientStream, Transport, WebSocket, pump::Pump};

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
    /// The Unix socket cannot be connected to.
    #[error("cannot connect to the Unix socket {}: {error}", path.display())]
    Unix {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// TLS cannot be set up for this host.
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
    /// The transport failed during the opening handshake; TLS too, when the peer does not prove who it is.
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
/// let mut ws = ws_sync::connect("ws://127.0.0.1:9001/")?;
/// ws.send("hello")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ConnectError`].
pub fn connect(address: &str) -> Result<WebSocket<ClientStream>, ConnectError> {
    Connect::new(address)?.open()
}

/// A connection to be opened, with what differs from the defaults.
///
/// ```no_run
/// use ws_sync::Connect;
///
/// let mut connect = Connect::new("ws://127.0.0.1:9001/chat")?;
/// connect.request = connect.request.subprotocols(["chat.v1"])?.header("x-token", "secret")?;
/// connect.config.connection.limits.max_message_len = 1 << 20;
/// let mut ws = connect.open()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
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
    pub tls: Option<std::sync::Arc<rustls::ClientConfig>>,
}

impl Connect {
    /// To this address: `ws`, `wss`, their aliases `http` and `https`, or `ws+unix` where there are Unix sockets.
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

    /// Connects: TCP to one of the host's addresses after the other, TLS for `wss`, the opening handshake, all under one
    /// deadline. Finding the addresses is the system's, which cannot be given a time. For a proxy, open the tunnel with
    /// [`ProxyExchange`](ws_endpoint::handshake::ProxyExchange) and go on [`over`](Self::over) it.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub fn open(mut self) -> Result<WebSocket<ClientStream>, ConnectError> {
        if self.request.is_tls() && cfg!(not(feature = "rustls")) {
            return Err(ConnectError::TlsUnavailable);
        }
        if let Some(path) = self.request.socket_path() {
            let stream = unix(path).map_err(|error| ConnectError::Unix { path: path.to_owned(), error })?;
            return self.over(stream);
        }
        let deadline = self.config.handshake_timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let tcp = self.tcp(deadline)?;
        tcp.set_nodelay(true)?;
        if let Some(deadline) = deadline {
            self.config.handshake_timeout = Some(deadline.saturating_duration_since(Instant::now()));
        }
        let stream = self.secure(tcp)?;
        self.over(stream)
    }

    /// The same over a stream of the caller's own, which is connected, and under TLS if it should be.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub fn over<S: Transport>(self, stream: S) -> Result<WebSocket<S>, ConnectError> {
        let key = Key::generate().map_err(ClientHandshakeError::Random)?;
        let mut pump = Pump::new(stream, Endpoint::client_with(self.request, self.config, key));
        pump.endpoint.start(Instant::now());
        if pump.open() { Ok(WebSocket { pump }) } else { Err(error(pump)) }
    }

    fn tcp(&self, deadline: Option<Instant>) -> Result<TcpStream, ConnectError> {
        let (host, port) = (self.request.host(), self.request.port());
        let refused = |error| ConnectError::Tcp { host: host.to_owned(), port, error };
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in (host, port).to_socket_addrs().map_err(refused)? {
            let tcp = match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                None => TcpStream::connect(address),
                Some(left) if left.is_zero() => return Err(ConnectError::Timeout),
                Some(left) => TcpStream::connect_timeout(&address, left),
            };
            match tcp {
                Ok(tcp) => return Ok(tcp),
                Err(error) => last = error,
            }
        }
        Err(if last.kind() == io::ErrorKind::TimedOut { ConnectError::Timeout } else { refused(last) })
    }

    #[cfg(feature = "rustls")]
    fn secure(&self, tcp: TcpStream) -> Result<ClientStream, ConnectError> {
        if !self.request.is_tls() {
            return Ok(ClientStream::Plain(tcp));
        }
        let host = self.request.host();
        crate::tls::secure(tcp, host, self.tls.clone())
            .map_err(|error| ConnectError::Tls { host: host.to_owned(), error })
    }

    #[cfg(not(feature = "rustls"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "with TLS it needs both")]
    fn secure(&self, tcp: TcpStream) -> Result<ClientStream, ConnectError> {
        Ok(ClientStream::Plain(tcp))
    }
}

#[cfg(unix)]
fn unix(path: &Path) -> io::Result<ClientStream> {
    std::os::unix::net::UnixStream::connect(path).map(ClientStream::Unix)
}

#[cfg(not(unix))]
fn unix(_: &Path) -> io::Result<ClientStream> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Why it did not open.
fn error<S: Transport>(mut pump: Pump<S>) -> ConnectError {
    let io = pump.take_failure();
    match (pump.endpoint.into_failure(), io) {
        (Some(Failure::Handshake(error)), _) => error.into(),
        (Some(Failure::Timeout), _) => ConnectError::Timeout,
        (_, Some(io)) => ConnectError::Io(io),
        _ => ConnectError::Left,
    }
}
