//! How a header can be wrong.

use core::fmt;

use crate::{CloseCode, Rsv};

/// The peer broke a rule of framing (RFC 6455 section 5). The connection fails with [`close_code`](Self::close_code).
///
/// RFC 6455 closes this set, so it may be matched exhaustively.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FrameError {
    /// These reserved bits are set, and no extension in use owns them on such a frame (section 5.2).
    ReservedBits(Rsv),
    /// The opcode is one of 3 to 7 or 11 to 15 (section 5.2).
    ReservedOpcode(u8),
    /// A continuation, but no message is in progress (section 5.4).
    UnexpectedContinuation,
    /// A new text or binary message, but the one in progress is not finished (section 5.4).
    ExpectedContinuation,
    /// A control frame without FIN (section 5.5).
    FragmentedControl,
    /// A client sent a frame that is not masked (section 5.1).
    ExpectedMask,
    /// A server sent a masked frame (section 5.1).
    UnexpectedMask,
    /// A control frame of more than 125 bytes (section 5.5).
    ControlTooLong,
    /// A Close with one byte, which is half a status code (section 5.5.1).
    OneByteClose,
    /// A length that takes more bytes than it must (section 5.2).
    NonMinimalLength,
    /// A 64-bit length whose most significant bit is set (section 5.2).
    LengthTopBit,
}

impl FrameError {
    /// The status code to close with: 1002 for all of them (RFC 6455 section 7.4.1).
    #[must_use]
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::ReservedBits(_)
            | Self::ReservedOpcode(_)
            | Self::UnexpectedContinuation
            | Self::ExpectedContinuation
            | Self::FragmentedControl
            | Self::ExpectedMask
            | Self::UnexpectedMask
            | Self::ControlTooLong
            | Self::OneByteClose
            | Self::NonMinimalLength
            | Self::LengthTopBit => CloseCode::PROTOCOL_ERROR,
        }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReservedBits(rsv) => write!(f, "reserved bits set that no extension owns here: {rsv}"),
            Self::ReservedOpcode(bits) => write!(f, "reserved opcode {bits:#x}"),
            Self::UnexpectedContinuation => f.write_str("continuation frame, but no message is in progress"),
            Self::ExpectedContinuation => f.write_str("new message, but the one in progress is not finished"),
            Self::FragmentedControl => f.write_str("control frame without FIN"),
            Self::ExpectedMask => f.write_str("frame from a client is not masked"),
            Self::UnexpectedMask => f.write_str("frame from a server is masked"),
            Self::ControlTooLong => f.write_str("control frame of more than 125 bytes"),
            Self::OneByteClose => f.write_str("close frame of one byte"),
            Self::NonMinimalLength => f.write_str("payload length takes more bytes than it must"),
            Self::LengthTopBit => f.write_str("payload length has its most significant bit set"),
        }
    }
}

impl core::error::Error for FrameError {}
