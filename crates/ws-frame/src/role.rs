//! The two ends of a connection.

/// The end of a connection that one is: who masks, and who must not, depends on it (RFC 6455 section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The end that opened the connection.
    Client,
    /// The end that accepted it.
    Server,
}

impl Role {
    /// The role of the other end.
    ///
    /// ```
    /// # use ws_frame::Role;
    /// assert_eq!(Role::Client.peer(), Role::Server);
    /// ```
    #[inline]
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    /// Whether this end masks the frames it sends: "a client MUST mask all frames that it sends to the server", and
    /// "a server MUST NOT mask any frames that it sends to the client" (RFC 6455 section 5.1).
    ///
    /// ```
    /// # use ws_frame::Role;
    /// assert!(Role::Client.masks());
    /// assert!(!Role::Server.masks());
    /// ```
    #[inline]
    #[must_use]
    pub const fn masks(self) -> bool {
        matches!(self, Self::Client)
    }
}
