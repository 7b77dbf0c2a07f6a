//! How a member of a group is treated.

/// How a member of a [`Group`](super::Group) is treated: what may wait for it, and what happens when that is too much.
///
/// What waits is shared by all members, so that a message costs each of them a few words. Beside it up to 64 KiB wait in the
/// connection itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberOptions {
    /// Messages that may wait for the member: 256. At least 1.
    pub max_messages: usize,
    /// Bytes that may wait for it: 1 MiB. Below the bound a message of any length is taken whole.
    pub max_bytes: usize,
    /// What happens when one of them is reached.
    pub slow: SlowConsumer,
}

/// What happens to a member of a group that takes messages more slowly than they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SlowConsumer {
    /// Who sends waits for it, and so does everybody behind. A sender that does not wait may fill the queue to twice its
    /// bounds; beyond that the new message is dropped.
    ///
    /// A task that sends to the group must not be the one that drives such a member, unless it leaves itself out:
    /// it would wait for itself. Members that were [spawned](crate::WebSocket::spawn) have a task of their own.
    Wait,
    /// The new message is dropped: it sees what is oldest.
    Skip,
    /// The oldest message that waits is dropped: it sees what is newest.
    DropOldest,
    /// Everything that waits is dropped, and the connection is closed with 1013 (try again later).
    Close,
}

impl MemberOptions {
    /// The defaults, with this answer to slowness.
    #[must_use]
    pub fn new(slow: SlowConsumer) -> Self {
        Self { max_messages: 256, max_bytes: 1 << 20, slow }
    }
}
