//! The versions of the protocol that can be spoken.

/// A value of `Sec-WebSocket-Version` (RFC 6455 section 11.3.5).
///
/// The frames of both are the same. A client that asks for version 8, the draft before the RFC, names its origin in
/// `Sec-WebSocket-Origin`; there is no other difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Version {
    /// RFC 6455.
    #[default]
    V13,
    /// The drafts hybi-08 to hybi-12.
    V8,
}

impl Version {
    /// The version as it stands in the header.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V13 => "13",
            Self::V8 => "8",
        }
    }

    /// The version that a header's value names, if it is one of ours.
    pub(crate) fn from_header(value: &[u8]) -> Option<Self> {
        [Self::V13, Self::V8].into_iter().find(|version| version.as_str().as_bytes() == value)
    }
}
