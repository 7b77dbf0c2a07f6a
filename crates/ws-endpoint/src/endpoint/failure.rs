//! What can go wrong with an endpoint.

use thiserror::Error;
use ws_driver::{Ending, Expired, Fault};
use ws_extensions::RegisterError;
use ws_handshake::{ClientRequestError, InvalidHeader, Refusal};

use crate::ClientHandshakeError;

/// Why a connection did not open, or has ended without a closing handshake.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Failure {
    /// A server has refused the request, with this answer.
    #[error(transparent)]
    Refused(Refusal),
    /// The request cannot be made, or the server's answer does not open a connection.
    #[error("opening handshake failed: {0}")]
    Handshake(ClientHandshakeError),
    /// The deadline for the opening handshake has passed.
    #[error("opening handshake not finished within the deadline")]
    Timeout,
    /// The transport ended during the opening handshake.
    #[error("peer left during the opening handshake")]
    Left,
    /// This side failed the connection: the peer broke a rule, a limit was hit, or an extension failed.
    #[error("connection failed: {0}")]
    Fault(Fault),
    /// A deadline has passed, and the transport is to be dropped.
    #[error(transparent)]
    Expired(Expired),
    /// The transport ended without a Close.
    #[error("connection lost: the transport ended without a close")]
    Lost,
}

impl Failure {
    /// What went wrong on a connection that was open; nothing if a Close came.
    pub(super) fn of(ending: &Ending) -> Option<Self> {
        match ending {
            Ending::Close(_) => None,
            Ending::Failed(fault) => Some(Self::Fault(fault.clone())),
            Ending::Expired(expired) => Some(Self::Expired(*expired)),
            _ => Some(Self::Lost),
        }
    }
}

/// Why a header cannot be added.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SetHeaderError {
    /// It belongs to the handshake, or cannot be sent, or there are too many.
    #[error(transparent)]
    Header(#[from] InvalidHeader),
    /// It does not fit a client's request.
    #[error(transparent)]
    Request(#[from] ClientRequestError),
}

/// Why an extension cannot be added.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AddExtensionError {
    /// The opening handshake has negotiated the extensions already.
    #[error("the opening handshake is past: add extensions before it starts")]
    Started,
    /// Its name is taken, or is no token.
    #[error(transparent)]
    Register(#[from] RegisterError),
}
