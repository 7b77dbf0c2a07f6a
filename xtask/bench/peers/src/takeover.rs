//! Compression as the load generator asks for it.

/// Whether both sides keep their context from message to message (RFC 7692 section 7.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takeover {
    /// Both do.
    Keep,
    /// Neither does.
    Reset,
}

impl Takeover {
    /// The value of `Sec-WebSocket-Extensions` that agrees to it.
    pub fn parameters(self) -> &'static str {
        match self {
            Self::Keep => "permessage-deflate",
            Self::Reset => "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        }
    }
}
