//! What a header is judged by.

use crate::{FrameError, OpCode, Role, Rsv};

/// What the next frame may be: the rules that [`Header::decode`](crate::Header::decode) applies.
///
/// It is a plain value, made anew or changed before every frame. Control frames leave `message_open` as it is; a data
/// frame sets it to `!header.fin`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rules {
    /// Who receives: a server wants every frame masked, a client none (RFC 6455 section 5.1).
    pub role: Role,
    /// The reserved bits that may be set on the first frame of a message: the union of those of the extensions in use.
    pub rsv: Rsv,
    /// Whether a message has begun whose last fragment has not come yet.
    pub message_open: bool,
}

impl Rules {
    /// Judges the first byte of a frame, FIN, reserved bits and opcode.
    ///
    /// The order of the checks is fixed, so that a frame with several faults has one error.
    #[inline]
    pub(crate) fn check_first(self, byte: u8) -> Result<OpCode, FrameError> {
        let bits = byte & 0x0F;
        // RFC 6455 section 5.2: "If a nonzero value is received and none of the negotiated extensions defines the
        // meaning of such a nonzero value, the receiving endpoint MUST _Fail the WebSocket Connection_."
        let rsv = Rsv::from_first_byte(byte);
        if !rsv.is_empty() {
            // The two opcodes that begin a message are the only ones on which an extension may set a bit.
            let allowed = if matches!(bits, 0x1 | 0x2) { self.rsv } else { Rsv::NONE };
            if !allowed.contains(rsv) {
                return Err(FrameError::ReservedBits(rsv.without(allowed)));
            }
        }
        // RFC 6455 section 5.2: "If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket
        // Connection_."
        let Some(opcode) = OpCode::from_bits(bits) else {
            return Err(FrameError::ReservedOpcode(bits));
        };
        if opcode.is_control() {
            // RFC 6455 section 5.5: control frames "MUST NOT be fragmented".
            if byte & 0x80 == 0 {
                return Err(FrameError::FragmentedControl);
            }
        } else if self.message_open != matches!(opcode, OpCode::Continuation) {
            // RFC 6455 section 5.4: fragments of one message come one after the other, the first alone with an opcode
            // other than 0; without an extension that says otherwise, messages are never interleaved.
            return Err(if self.message_open {
                FrameError::ExpectedContinuation
            } else {
                FrameError::UnexpectedContinuation
            });
        }
        Ok(opcode)
    }

    /// Judges the second byte of a frame, MASK and the 7-bit length, which is enough to refuse a control frame that is
    /// too long before its extended length has come.
    #[inline]
    pub(crate) fn check_second(self, opcode: OpCode, byte: u8) -> Result<(), FrameError> {
        let masked = byte & 0x80 != 0;
        // RFC 6455 section 5.1: "The server MUST close the connection upon receiving a frame that is not masked"; "A
        // client MUST close a connection if it detects a masked frame."
        if masked != self.role.peer().masks() {
            return Err(if masked { FrameError::UnexpectedMask } else { FrameError::ExpectedMask });
        }
        if opcode.is_control() {
            match byte & 0x7F {
                // RFC 6455 section 5.5: "All control frames MUST have a payload length of 125 bytes or less".
                126.. => return Err(FrameError::ControlTooLong),
                // RFC 6455 section 5.5.1: if there is a body, its first two bytes are the status code.
                1 if matches!(opcode, OpCode::Close) => return Err(FrameError::OneByteClose),
                _ => {}
            }
        }
        Ok(())
    }
}
