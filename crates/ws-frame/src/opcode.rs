//! What a frame carries: opcodes, and the two kinds of messages.

/// The opcode of a frame (RFC 6455 section 5.2, registry in section 11.8).
///
/// The ten other values of the four bits are reserved; a frame that uses one is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum OpCode {
    /// A later fragment of the message in progress.
    Continuation = 0x0,
    /// A text message, or the first fragment of one.
    Text = 0x1,
    /// A binary message, or the first fragment of one.
    Binary = 0x2,
    /// Begins or answers the closing handshake.
    Close = 0x8,
    /// Asks for a pong.
    Ping = 0x9,
    /// Answers a ping, or tells that one is alive.
    Pong = 0xA,
}

impl OpCode {
    /// The opcode with these four bits; `None` for a reserved one, and for anything above 15.
    ///
    /// ```
    /// # use ws_frame::OpCode;
    /// assert_eq!(OpCode::from_bits(0x9), Some(OpCode::Ping));
    /// assert_eq!(OpCode::from_bits(0x3), None);
    /// ```
    #[inline]
    #[must_use]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return None,
        })
    }

    /// The four bits on the wire.
    #[inline]
    #[must_use]
    pub const fn bits(self) -> u8 {
        self as u8
    }

    /// Close, ping or pong: at most 125 bytes, never fragmented, allowed between the fragments of a message (RFC 6455
    /// section 5.5).
    #[inline]
    #[must_use]
    pub const fn is_control(self) -> bool {
        // "Control frames are identified by opcodes where the most significant bit of the opcode is 1."
        self.bits() & 0x8 != 0
    }

    /// Text, binary or continuation: part of a message (RFC 6455 section 5.6).
    #[inline]
    #[must_use]
    pub const fn is_data(self) -> bool {
        !self.is_control()
    }
}

/// The kind of a message: what the opcode of its first frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataKind {
    /// The message is valid UTF-8.
    Text,
    /// Any bytes; the application knows what they mean.
    Binary,
}

impl DataKind {
    /// The opcode of the first frame of such a message.
    #[inline]
    #[must_use]
    pub const fn opcode(self) -> OpCode {
        match self {
            Self::Text => OpCode::Text,
            Self::Binary => OpCode::Binary,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_those_of_the_registry() {
        let known = [
            (0, OpCode::Continuation),
            (1, OpCode::Text),
            (2, OpCode::Binary),
            (8, OpCode::Close),
            (9, OpCode::Ping),
            (10, OpCode::Pong),
        ];
        for bits in 0..=u8::MAX {
            let expected = known.iter().find(|(value, _)| *value == bits).map(|(_, opcode)| *opcode);
            assert_eq!(OpCode::from_bits(bits), expected, "{bits}");
            if let Some(opcode) = expected {
                assert_eq!(opcode.bits(), bits);
                assert_eq!(opcode.is_control(), bits >= 8);
                assert_eq!(opcode.is_data(), bits < 8);
            }
        }
    }

    #[test]
    fn a_kind_knows_its_opcode() {
        assert_eq!(DataKind::Text.opcode(), OpCode::Text);
        assert_eq!(DataKind::Binary.opcode(), OpCode::Binary);
    }
}
