//! How a spawned connection behaves.

/// How a connection with a task of its own behaves. What waits to be sent is bounded by the connection's own
/// [`Limits`](ws_endpoint::driver::Limits): the high-water mark, and what is allowed beyond it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpawnOptions {
    /// Received messages that may wait for the application; at that bound nothing more is received. At least 1.
    pub inbox_messages: usize,
    /// Bytes of received messages that may wait: 1 MiB. Below the bound a message of any length is taken whole.
    pub inbox_bytes: usize,
}

impl SpawnOptions {
    /// The defaults, with room for so many received messages.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { inbox_messages: capacity, inbox_bytes: 1 << 20 }
    }
}
