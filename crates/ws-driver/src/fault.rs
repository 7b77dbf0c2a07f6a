//! Why a connection was failed.

use thiserror::Error;
use ws_extensions::ExtensionError;
use ws_frame::{CloseCode, CloseError, FrameError, Utf8Error};

/// Why this side failed the connection (RFC 6455 section 7.1.7). Each knows the close code that was sent for it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// The peer sent a frame that breaks a rule of framing: 1002.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The peer's Close has a bad payload: 1002, or 1007 for a reason that is not UTF-8.
    #[error(transparent)]
    Close(#[from] CloseError),
    /// The peer sent text that is not UTF-8: 1007.
    #[error("text message: {0}")]
    Utf8(#[from] Utf8Error),
    /// A message is longer than allowed: 1009.
    #[error("message of {actual} bytes or more is over the limit of {limit} bytes")]
    MessageTooLong {
        /// [`Limits::max_message_len`](crate::Limits::max_message_len).
        limit: usize,
        /// The length as far as it is known.
        actual: u64,
    },
    /// A frame is longer than allowed: 1009.
    #[error("frame of {actual} bytes is over the limit of {limit} bytes")]
    FrameTooLong {
        /// [`Limits::max_frame_len`](crate::Limits::max_frame_len).
        limit: usize,
        /// The length that the frame's header announces.
        actual: u64,
    },
    /// A message has more fragments than allowed: 1008.
    #[error("message has more fragments than the limit of {limit}")]
    TooManyFragments {
        /// [`Limits::max_fragments`](crate::Limits::max_fragments).
        limit: usize,
    },
    /// An extension could not process a message: 1007, 1009 or 1011, as it says.
    #[error(transparent)]
    Extension(#[from] ExtensionError),
    /// The peer sent nothing, not even a pong, for too long: 1011.
    #[error("no answer to a ping within the deadline")]
    PongTimeout,
}

impl Fault {
    /// The close code that tells the peer.
    #[must_use]
    pub fn close_code(&self) -> CloseCode {
        match self {
            Self::Frame(error) => error.close_code(),
            Self::Close(error) => error.close_code(),
            Self::Utf8(error) => error.close_code(),
            Self::MessageTooLong { .. } | Self::FrameTooLong { .. } => CloseCode::TOO_BIG,
            Self::TooManyFragments { .. } => CloseCode::POLICY_VIOLATION,
            Self::Extension(error) => error.close_code(),
            Self::PongTimeout => CloseCode::INTERNAL_ERROR,
        }
    }

    /// What the Close says for a person to read.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Frame(_) | Self::Close(_) => "protocol error",
            Self::Utf8(_) => "text is not UTF-8",
            Self::MessageTooLong { .. } => "message too long",
            Self::FrameTooLong { .. } => "frame too long",
            Self::TooManyFragments { .. } => "too many fragments",
            Self::Extension(_) => "extension failed",
            Self::PongTimeout => "no answer to a ping",
        }
    }
}

/// A deadline after which the transport is dropped without another word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Expired {
    /// The closing handshake was not finished in time.
    #[error("closing handshake not finished within the deadline")]
    Close,
    /// The peer took none of the bytes that wait for it.
    #[error("peer reads nothing: no progress in sending within the deadline")]
    WriteStall,
}

/// What a caller's request to send came to. The connection is as it was before.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SendError {
    /// A Close was sent, or the connection has ended: nothing can be sent any more.
    #[error("connection is closing or closed")]
    Closed,
    /// The queue is full; wait until it is below its mark.
    #[error("{queued} bytes wait to be sent, at the limit of {limit}: flush first")]
    Full {
        /// Bytes that wait.
        queued: usize,
        /// The mark and what is allowed beyond it.
        limit: usize,
    },
    /// A message in parts was started and not finished.
    #[error("a message in parts is open: finish it first")]
    MessageOpen,
    /// There is no message in parts to go on with.
    #[error("no message in parts is open: start one first")]
    NoMessageOpen,
    /// The payload of a ping or pong is longer than 125 bytes (RFC 6455 section 5.5).
    #[error("payload of a ping or pong is {0} bytes, at most 125 are allowed")]
    ControlTooLong(usize),
    /// The reason of a Close is longer than 123 bytes (RFC 6455 section 5.5).
    #[error("reason of a close is {0} bytes, at most 123 are allowed")]
    ReasonTooLong(usize),
    /// An extension failed on a message to be sent; nothing can be sent any more but a Close.
    #[error(transparent)]
    Extension(#[from] ExtensionError),
}

/// A [`SendError`] and the message that was not sent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{error}")]
pub struct Unsent<M> {
    /// Why.
    #[source]
    pub error: SendError,
    /// What was not sent.
    pub message: M,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_has_its_close_code_and_says_what_happened() {
        let utf8 = Utf8Error { offset: 7 };
        let rows: [(Fault, u16, &str); 11] = [
            (FrameError::ExpectedMask.into(), 1002, "frame from a client is not masked"),
            (CloseError::OneByte.into(), 1002, "close frame of one byte"),
            (CloseError::Utf8(utf8).into(), 1007, "close frame with a reason that is not UTF-8"),
            (utf8.into(), 1007, "text message: text is not valid UTF-8 at byte 7"),
            (
                Fault::MessageTooLong { limit: 3, actual: 5 },
                1009,
                "message of 5 bytes or more is over the limit of 3 bytes",
            ),
            (
                Fault::FrameTooLong { limit: 3, actual: 5 },
                1009,
                "frame of 5 bytes is over the limit of 3 bytes",
            ),
            (Fault::TooManyFragments { limit: 3 }, 1008, "message has more fragments than the limit of 3"),
            (ExtensionError::corrupt("x").into(), 1007, "corrupt data: x"),
            (ExtensionError::too_big(3).into(), 1009, "message longer than the limit of 3 bytes"),
            (ExtensionError::internal("x").into(), 1011, "x"),
            (Fault::PongTimeout, 1011, "no answer to a ping within the deadline"),
        ];
        for (fault, code, text) in rows {
            assert_eq!((fault.close_code().get(), fault.to_string().as_str()), (code, text));
        }
    }

    #[test]
    fn an_unsent_message_says_why() {
        let unsent = Unsent { error: SendError::Closed, message: () };
        assert_eq!(unsent.to_string(), SendError::Closed.to_string());
        assert!(std::error::Error::source(&unsent).is_some());
    }
}
