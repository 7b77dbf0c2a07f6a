//! What a connection reports, in a form that does not care who has found it out.

/// One event, owned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A whole text message; bytes, so that it can be compared with what is no text.
    Text(Vec<u8>),
    /// A whole binary message.
    Binary(Vec<u8>),
    /// A ping.
    Ping(Vec<u8>),
    /// A pong.
    Pong(Vec<u8>),
}

impl Seen {
    /// A text message.
    pub fn text(data: impl AsRef<[u8]>) -> Self {
        Self::Text(data.as_ref().to_vec())
    }

    /// A binary message.
    pub fn binary(data: impl AsRef<[u8]>) -> Self {
        Self::Binary(data.as_ref().to_vec())
    }

    /// A ping.
    pub fn ping(data: impl AsRef<[u8]>) -> Self {
        Self::Ping(data.as_ref().to_vec())
    }

    /// A pong.
    pub fn pong(data: impl AsRef<[u8]>) -> Self {
        Self::Pong(data.as_ref().to_vec())
    }
}

/// How the receiving side of a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It has not.
    Open,
    /// The peer sent a Close: code and reason, or neither.
    Close(Option<(u16, String)>),
    /// The peer broke a rule: the code of the Close that this side sends.
    Failed(u16),
    /// The stream ended without a Close.
    Lost,
    /// A deadline has passed.
    Expired,
}

impl End {
    /// A Close with a code and a reason.
    pub fn close(code: u16, reason: impl Into<String>) -> Self {
        Self::Close(Some((code, reason.into())))
    }
}
