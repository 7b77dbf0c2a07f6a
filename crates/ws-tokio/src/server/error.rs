//! What goes wrong in a server.

use std::io;

use thiserror::Error;

use super::Address;
use crate::AcceptError;

/// Why a server does not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BindError {
    /// There is nowhere to listen.
    #[error("the server listens nowhere: give it an address, a path or a listener")]
    Nowhere,
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address as it was given.
        address: String,
        /// Why.
        source: io::Error,
    },
}

/// What goes wrong while a server serves: it goes on, and tells
/// [`on_error`](crate::ServerBuilder::on_error).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The system gives no connection, for want of descriptors or memory most likely. The server tries again soon.
    #[error("cannot accept a connection on {listener}: {source}")]
    Accept {
        /// Where it listens.
        listener: Address,
        /// Why.
        source: io::Error,
    },
    /// A client's opening handshake has failed.
    #[error("{peer}: {source}")]
    Handshake {
        /// The client.
        peer: Address,
        /// Why.
        source: AcceptError,
    },
    /// A client's opening handshake was the slowest of too many, and gave way.
    #[error("{peer}: gave way during the opening handshake, of which too many were under way")]
    Crowded {
        /// The client.
        peer: Address,
    },
    /// A hook or a handler has panicked; the client was answered with 500, or sent a Close with 1011.
    #[error("{peer}: a hook or a handler panicked: {message}")]
    Panicked {
        /// The client.
        peer: Address,
        /// What the panic said.
        message: String,
    },
    /// A handler has given an error.
    #[error("{peer}: {source}")]
    Handler {
        /// The client.
        peer: Address,
        /// The error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
