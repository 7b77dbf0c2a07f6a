//! What is known of a message before its payload.

use ws_frame::{DataKind, Rsv};

/// Kind, reserved bits and hints of a message, as they pass through the extensions.
///
/// Incoming, [`rsv`](Self::rsv) holds the bits of the message's first frame, and each extension clears its own.
/// Outgoing it begins empty, and an extension may set the bits that it owns.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct MessageHead {
    /// Text or binary.
    pub kind: DataKind,
    /// The reserved bits of the first frame (RFC 6455 section 5.2). Continuations carry none.
    pub rsv: Rsv,
    /// What the sender of the message asked for; [`Compress::Default`] on everything that was received.
    pub compress: Compress,
}

impl MessageHead {
    /// A message of this kind, without reserved bits and hints.
    pub const fn new(kind: DataKind) -> Self {
        MessageHead { kind, rsv: Rsv::NONE, compress: Compress::Default }
    }

    /// The same with these reserved bits.
    #[must_use]
    pub const fn with_rsv(mut self, rsv: Rsv) -> Self {
        self.rsv = rsv;
        self
    }

    /// The same with this hint.
    #[must_use]
    pub const fn with_compress(mut self, compress: Compress) -> Self {
        self.compress = compress;
        self
    }
}

/// Whether the sender wants a message compressed. An extension that does not compress ignores it.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Compress {
    /// As the extension sees fit: above its threshold, say.
    #[default]
    Default,
    /// Even where the extension would not by itself.
    Yes,
    /// Not this one: it is compressed already, or mixes secrets with what an attacker can choose.
    No,
}
