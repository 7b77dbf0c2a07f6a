//! What can go wrong on an open connection.

use std::io;

use thiserror::Error;
use ws_endpoint::{
    Failure,
    driver::{self, Expired, Fault, Message, Unsent},
};

/// Why a connection has ended without a closing handshake, or a request was not carried out.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// We failed the connection: the peer broke a rule, a limit was hit, or an extension failed. The fault knows the
    /// close code that the peer was sent.
    #[error("connection failed: {0}")]
    Failed(#[from] Fault),
    /// A deadline has passed, and the transport was dropped.
    #[error(transparent)]
    Expired(#[from] Expired),
    /// The transport ended without a Close.
    #[error("connection lost: the transport ended without a close")]
    Lost,
    /// The transport failed.
    #[error("transport failed: {0}")]
    Io(#[from] io::Error),
    /// The caller asked for something that cannot be sent now.
    #[error(transparent)]
    Send(#[from] driver::SendError),
}

impl Error {
    /// What a failed connection came to. That the transport was lost says less than how.
    pub(crate) fn new(failure: &Failure, io: Option<io::Error>) -> Self {
        match failure {
            Failure::Fault(fault) => Self::Failed(fault.clone()),
            Failure::Expired(expired) => Self::Expired(*expired),
            _ => io.map_or(Self::Lost, Self::Io),
        }
    }
}

/// Why a message was not sent, or not all of it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SendError {
    /// Nothing of the message was sent; here it is.
    #[error("{0}")]
    Unsent(#[from] Unsent<Message>),
    /// The message was queued, and then the connection ended.
    #[error(transparent)]
    Ended(#[from] Error),
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Unsent(unsent) => Self::Send(unsent.error),
            SendError::Ended(error) => error,
        }
    }
}
