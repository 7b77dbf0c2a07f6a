//! How a server's connections behave.

use std::time::Duration;

use ws_endpoint::{
    ServerConfig,
    driver::{Limits, Timeouts},
};

use super::ServerBuilder;

/// How the connections behave. The defaults are those of [`ServerConfig`].
impl<T: Send + 'static> ServerBuilder<T> {
    /// Changes whatever else the config has: extensions, versions, limits of the head. Origins are not set here.
    #[must_use]
    pub fn configure(mut self, change: impl FnOnce(&mut ServerConfig)) -> Self {
        change(&mut self.config);
        self
    }

    /// Answers permessage-deflate with these options. By default messages are not compressed.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn deflate(mut self, options: ws_endpoint::deflate::Options) -> Self {
        self.config.set_deflate(options);
        self
    }

    /// Bounds on memory.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.config.connection.limits = limits.into();
        self
    }

    /// The longest message that is received, in bytes: 64 MiB.
    #[must_use]
    pub fn max_message_len(mut self, max: usize) -> Self {
        self.config.connection.limits.max_message_len = max;
        self
    }

    /// From accepting a transport to its answer: 10 s, TLS included, whatever trickles in. `None` is for ever.
    #[must_use]
    pub fn handshake_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.config.handshake_timeout = timeout.into();
        self
    }

    /// Silence after which a client is sent a ping: 25 s; and how long anything may take to arrive then: 20 s. `None` for
    /// the first switches the keepalive off.
    #[must_use]
    pub fn keepalive(
        mut self,
        ping_after: impl Into<Option<Duration>>,
        pong_within: impl Into<Option<Duration>>,
    ) -> Self {
        let timeouts: &mut Timeouts = &mut self.config.connection.timeouts;
        (timeouts.ping_after, timeouts.pong_within) = (ping_after.into(), pong_within.into());
        self
    }

    /// How long a connection may go without a message in either direction before it is closed with 1001: off.
    #[must_use]
    pub fn idle_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.config.connection.timeouts.idle = timeout.into();
        self
    }

    /// How old a connection may become before it is closed with 1001: off.
    #[must_use]
    pub fn max_age(mut self, age: impl Into<Option<Duration>>) -> Self {
        self.config.connection.timeouts.max_age = age.into();
        self
    }

    /// How long a closing handshake may take before the transport is dropped: 5 s.
    #[must_use]
    pub fn close_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.config.connection.timeouts.close = timeout.into();
        self
    }
}
