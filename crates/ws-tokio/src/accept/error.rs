//! Why a transport did not become a connection.

use std::io;

use thiserror::Error;
use ws_endpoint::handshake::{Refusal, ResponseError};

/// Why a transport did not become a connection.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// The request was refused, and the client was told with this answer.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The answer cannot be made from what the caller gave.
    #[error(transparent)]
    Response(#[from] ResponseError),
    /// The client left before its request was complete, or had ended its side when it was to be accepted.
    #[error("client left during the opening handshake")]
    Left,
    /// The transport failed.
    #[error("transport failed during the opening handshake: {0}")]
    Io(#[from] io::Error),
}
