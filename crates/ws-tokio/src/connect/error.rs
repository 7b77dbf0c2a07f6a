//! Why a client has no connection.

use std::{fmt, io, path::PathBuf};

use bytes::Bytes;
use http::{Response, StatusCode};
use thiserror::Error;
use ws_endpoint::{
    ClientHandshakeError,
    handshake::{ClientError, ClientRequestError, RedirectError},
};

use super::ProxyFailure;

/// Why a client has no connection.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address or the request is not valid.
    #[error(transparent)]
    Request(#[from] ClientRequestError),
    /// The name of the host has no address that could be found.
    #[error("cannot find the address of {host}: {error}")]
    Resolve {
        /// The host.
        host: String,
        /// What the resolver says.
        #[source]
        error: io::Error,
    },
    /// The Unix socket of a `ws+unix` address cannot be connected to.
    #[error("cannot connect to the socket {}: {error}", .path.display())]
    Socket {
        /// The path of the socket.
        path: PathBuf,
        /// What the system says; `Unsupported` where there are no Unix sockets.
        #[source]
        error: io::Error,
    },
    /// No TCP connection came about, with any of the host's addresses.
    #[error("cannot connect to {host} port {port}: {error}")]
    Tcp {
        /// The host.
        host: String,
        /// Its port.
        port: u16,
        /// What the system says about the address that failed first.
        #[source]
        error: io::Error,
    },
    /// A proxy opened no tunnel to the server. Failing to reach the proxy itself is [`Resolve`](Self::Resolve),
    /// [`Tcp`](Self::Tcp) or [`Tls`](Self::Tls) with its host.
    #[error("no tunnel through the proxy {proxy}: {error}")]
    Proxy {
        /// The proxy's address, without credentials.
        proxy: String,
        /// Why.
        #[source]
        error: ProxyFailure,
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
    /// The address begins with `wss`, or that of the proxy with `https`, and TLS is not compiled in.
    #[error(
        "a wss address and an https proxy need TLS: switch the feature `rustls` on, or connect over a stream of your own"
    )]
    TlsUnavailable,
    /// The opening handshake failed.
    #[error("opening handshake failed: {0}")]
    Handshake(ClientHandshakeError),
    /// The server answered, and not with 101.
    #[error("the server answered {} instead of 101", .response.status())]
    Refused {
        /// Status, headers, and as much of the body as [`Connect::max_body_len`](crate::Connect::max_body_len) and the
        /// deadline allowed.
        response: Box<Response<Bytes>>,
        /// Whether there was more of the body, or may have been.
        truncated: bool,
    },
    /// A redirect could not be followed.
    #[error(transparent)]
    Redirect(#[from] RedirectError),
    /// A hook of the caller's refused to go on, or failed.
    #[error("a hook gave up the connection: {0}")]
    Hook(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The transport failed during the opening handshake.
    #[error("transport failed during the opening handshake: {0}")]
    Io(#[from] io::Error),
    /// The server left during the opening handshake.
    #[error("server closed the transport during the opening handshake")]
    Left,
    /// A deadline has passed: that of a hop, or that of all of them.
    #[error("{step} not finished within the deadline")]
    Timeout {
        /// What was waited for.
        step: Step,
    },
}

/// What a client waits for while it connects, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// A hook of the caller's.
    Hook,
    /// The addresses of a host.
    Resolve,
    /// A TCP connection, or one to a Unix socket.
    Connect,
    /// A proxy that is to open a tunnel.
    Proxy,
    /// TLS.
    Tls,
    /// The server's answer to the request.
    Handshake,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hook => "a hook",
            Self::Resolve => "name resolution",
            Self::Connect => "connecting",
            Self::Proxy => "the exchange with the proxy",
            Self::Tls => "the TLS handshake",
            Self::Handshake => "opening handshake",
        })
    }
}

impl From<ClientHandshakeError> for ConnectError {
    fn from(error: ClientHandshakeError) -> Self {
        match error {
            ClientHandshakeError::Request(error) => Self::Request(error),
            ClientHandshakeError::Response(ClientError::UnexpectedStatus(response)) => {
                Self::Refused { response: Box::new(response.map(|()| Bytes::new())), truncated: true }
            }
            error => Self::Handshake(error),
        }
    }
}

impl ConnectError {
    /// The server's answer, if it was one other than 101, with its body as far as it was read.
    #[must_use]
    pub fn response(&self) -> Option<&Response<Bytes>> {
        match self {
            Self::Refused { response, .. } => Some(response),
            _ => None,
        }
    }
    /// Whether the same may succeed later: no network, nobody who listens, a server that is overloaded or restarts, a
    /// deadline that passed. Statuses of 5xx, 408, 425 and 429 are; other answers are not, nor is what the caller or the
    /// server does wrong. A hook's error is when it is one of this crate, or of I/O.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Resolve { .. } | Self::Tcp { .. } => true,
            Self::Socket { error, .. } => error.kind() != io::ErrorKind::Unsupported,
            Self::Io(_) | Self::Left | Self::Timeout { .. } => true,
            Self::Proxy { error, .. } => error.is_transient(),
            Self::Tls { error, .. } => is_of_transport(error),
            Self::Refused { response, .. } => is_temporary(response.status()),
            Self::Handshake(error) => matches!(error, ClientHandshakeError::Random(_)),
            Self::Hook(error) => match error.downcast_ref::<Self>() {
                Some(error) => error.is_transient(),
                None => {
                    error.is::<crate::Error>() || error.is::<crate::SendError>() || error.is::<io::Error>()
                }
            },
            Self::Request(_) | Self::Redirect(_) | Self::TlsUnavailable => false,
        }
    }
}

pub(super) fn is_temporary(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429)
}

/// Whether TLS failed because the transport below did: a certificate does not get better by itself.
fn is_of_transport(error: &io::Error) -> bool {
    !matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other)
}
