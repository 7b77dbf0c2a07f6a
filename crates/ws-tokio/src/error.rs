//! What can go wrong on an open connection.

use std::io;

use thiserror::Error;
use ws_endpoint::driver::{self, Expired, Fault, Message, Unsent};

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
    /// A message was received in part; go on with `recv_part` until its last part.
    #[error("a message was received in part: receive its last part first")]
    MidMessage,
    /// The peer closed the connection inside of a message that is read as it arrives: what was read is not all of it.
    #[error("connection closed inside of a message: its end is missing")]
    Truncated,
}

impl Error {
    /// The same once more, for a second one who asks how it ended. Of a failure of the transport kind and text remain.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Failed(fault) => Self::Failed(fault.clone()),
            Self::Expired(expired) => Self::Expired(*expired),
            Self::Lost => Self::Lost,
            Self::Io(error) => Self::Io(io::Error::new(error.kind(), error.to_string())),
            Self::Send(error) => Self::Send(error.clone()),
            Self::MidMessage => Self::MidMessage,
            Self::Truncated => Self::Truncated,
        }
    }
}

/// For byte streams, which know no other errors: the error itself is inside, the kind says what it means for a stream.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error {
            Error::Io(error) => return error,
            Error::Failed(_) => io::ErrorKind::InvalidData,
            Error::Expired(_) => io::ErrorKind::TimedOut,
            Error::Lost | Error::Truncated => io::ErrorKind::UnexpectedEof,
            Error::Send(driver::SendError::Closed) => io::ErrorKind::BrokenPipe,
            Error::Send(_) | Error::MidMessage => io::ErrorKind::InvalidInput,
        };
        Self::new(kind, error)
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
