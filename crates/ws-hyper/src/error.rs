//! Why an upgrade that was answered did not become a connection.

use thiserror::Error;

/// Why a request that was accepted did not become a connection.
///
/// None of these is worth more than a line in a log: mostly the client has left before its answer was sent.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The HTTP server did not hand the connection over: the client has left, the answer was not sent as it was made,
    /// or the server does not serve upgrades.
    #[error("the HTTP server did not hand the connection over: {0}")]
    NotHandedOver(#[from] hyper::Error),
    /// The HTTP server did not hand the connection over within the config's
    /// [`handshake_timeout`](ws_endpoint::ServerConfig::handshake_timeout).
    #[error("the HTTP server did not hand the connection over in time")]
    Timeout,
    /// The client had ended its side of the transport when the connection opened, and had sent nothing.
    #[error("client left during the opening handshake")]
    Left,
    /// The transport is not of the type that was asked for.
    #[error("the transport is of another type: ask for the one that the HTTP server reads from")]
    OtherTransport,
}
