//! What clients and servers have in common.

use std::time::Duration;

use ws_driver::{Config, Delivery, Limits, MaskSource, Shared, Timeouts};
use ws_extensions::SessionOptions;
use ws_frame::Role;

/// How an open connection behaves, whichever side it is. The defaults are those of [`ws_driver::Config`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionOptions {
    /// Bounds on memory.
    pub limits: Shared<Limits>,
    /// How long we wait for the peer.
    pub timeouts: Shared<Timeouts>,
    /// Whether received pings are answered.
    pub auto_pong: bool,
    /// Whether text and close reasons are checked to be UTF-8.
    pub validate_utf8: bool,
    /// Whether messages are handed over whole or in parts.
    pub delivery: Delivery,
}

impl Default for ConnectionOptions {
    fn default() -> Self {
        Self {
            limits: Shared::default(),
            timeouts: Shared::default(),
            auto_pong: true,
            validate_utf8: true,
            delivery: Delivery::Whole,
        }
    }
}

impl ConnectionOptions {
    pub(crate) fn config(&self, role: Role, mask_source: MaskSource) -> Config {
        let mut config = Config::sharing(role, self.limits.clone(), self.timeouts.clone());
        config.auto_pong = self.auto_pong;
        config.validate_utf8 = self.validate_utf8;
        config.delivery = self.delivery;
        config.mask_source = mask_source;
        config
    }

    /// What extensions are told of the connection.
    pub(crate) fn session(&self, role: Role) -> SessionOptions {
        let limit = self.limits.max_message_len;
        let mut options = SessionOptions::new(role, (limit != Limits::UNLIMITED).then_some(limit));
        options.max_jobs = self.limits.max_extension_jobs;
        options
    }
}

/// permessage-deflate and nothing else.
#[cfg(feature = "deflate")]
pub(crate) fn with_deflate(options: ws_deflate::Options) -> ws_extensions::Registry {
    let mut registry = ws_extensions::Registry::new();
    // The first name cannot be taken, and this one is a token.
    let _registered = registry.register(ws_deflate::PermessageDeflate::new(options));
    registry
}

/// The time that an opening handshake may take by default.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_told_the_limits() {
        let mut options = ConnectionOptions::default();
        let told = options.session(Role::Server);
        assert_eq!((told.max_message_len, told.max_jobs), (Some(64 << 20), 10));
        options.limits.max_message_len = Limits::UNLIMITED;
        options.limits.max_extension_jobs = 3;
        let told = options.session(Role::Client);
        assert_eq!((told.role, told.max_message_len, told.max_jobs), (Role::Client, None, 3));
    }
}
