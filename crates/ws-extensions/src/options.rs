//! What a connection tells its extensions about itself.

use ws_frame::Role;

/// Role and limits of one connection, for its extensions and for the two [chains](crate::Chain).
///
/// ```
/// use ws_extensions::SessionOptions;
/// use ws_frame::Role;
///
/// let mut options = SessionOptions::new(Role::Server, Some(1 << 20));
/// options.max_jobs = 4;
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SessionOptions {
    /// Our side of the connection.
    pub role: Role,
    /// The most bytes that a received message may have, after the extensions have worked on it as well as before.
    /// `None` is no limit. Messages that are sent have no limit here: they are the application's own.
    pub max_message_len: Option<usize>,
    /// How many deferred jobs may be at work at once in each direction, 10 by default. At least one always may.
    pub max_jobs: usize,
    /// How many bytes each direction may hold for deferred work before [`Chain::has_room`](crate::Chain::has_room)
    /// says no. By default one message limit, or 64 MiB where messages have none.
    pub max_pending: usize,
}

impl SessionOptions {
    /// Options for a connection in this role with this limit for received messages.
    pub const fn new(role: Role, max_message_len: Option<usize>) -> Self {
        let max_pending = match max_message_len {
            Some(limit) => limit,
            None => 64 << 20,
        };
        SessionOptions { role, max_message_len, max_jobs: 10, max_pending }
    }
}
