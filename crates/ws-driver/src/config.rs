//! What a connection is allowed to do, and how long it may take.

use std::time::Duration;

use ws_frame::Role;

use crate::{MaskSource, Shared};

/// How one connection behaves. The defaults are those of a careful endpoint; every field can be changed.
///
/// ```
/// use ws_driver::{Config, Limits, Role};
///
/// let mut config = Config::new(Role::Server);
/// config.limits.max_message_len = 1 << 20;
/// config.limits.max_fragments = Limits::UNLIMITED;
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Config {
    /// Which side of the connection this is.
    pub role: Role,
    /// Bounds on what the peer and the caller may make us hold.
    pub limits: Shared<Limits>,
    /// How long we wait for the peer.
    pub timeouts: Shared<Timeouts>,
    /// Whether a received ping is answered by a pong with the same payload (RFC 6455 section 5.5.2). On by
    /// default; when off, the answer is the caller's.
    pub auto_pong: bool,
    /// Whether text messages and close reasons are checked to be UTF-8 (RFC 6455 section 8.1). On by default;
    /// when off, text is handed over as [`Message::Binary`](crate::Message::Binary).
    pub validate_utf8: bool,
    /// Whether messages are handed over whole or in parts, until changed by
    /// [`Receiver::set_delivery`](crate::Receiver::set_delivery).
    pub delivery: Delivery,
    /// Where a client's masking keys come from.
    pub mask_source: MaskSource,
}

impl Config {
    /// The defaults for `role`.
    #[must_use]
    pub fn new(role: Role) -> Self {
        Self::sharing(role, Shared::default(), Shared::default())
    }

    /// The defaults for `role` but for the settings that many connections share: no allocation.
    #[inline]
    #[must_use]
    pub fn sharing(role: Role, limits: Shared<Limits>, timeouts: Shared<Timeouts>) -> Self {
        Self {
            role,
            limits,
            timeouts,
            auto_pong: true,
            validate_utf8: true,
            delivery: Delivery::Whole,
            mask_source: MaskSource::Os,
        }
    }
}

/// How received messages are handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delivery {
    /// Each message at once, when all of it has arrived.
    #[default]
    Whole,
    /// Parts of messages as their bytes arrive, validated, text cut between characters. Costs no memory beyond
    /// the read buffer.
    Parts,
}

/// Bounds on memory. [`Limits::UNLIMITED`] switches one off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest message that is received, in bytes, after extensions have undone their work: 64 MiB. A longer
    /// one fails the connection with 1009, from its header where that tells. In [`Delivery::Parts`] it bounds
    /// each message all the same.
    pub max_message_len: usize,
    /// The longest frame that is received, in bytes: no limit of its own, so the message limit.
    pub max_frame_len: usize,
    /// The most fragments of one message, empty ones counted: 131,072. One more fails with 1008.
    pub max_fragments: usize,
    /// The most automatic pongs that wait to be written: 64. Only a peer that does not read can fill them; then
    /// the oldest is dropped, so that the newest ping is always answered (RFC 6455 section 5.5.3).
    pub max_pending_pongs: usize,
    /// Bytes waiting to be sent above which a sender should wait: 1 MiB. Below the mark a message of any length
    /// is taken whole.
    pub high_water_mark: usize,
    /// Bytes waiting to be sent beyond the mark at which sending fails: 64 MiB.
    pub max_queued_beyond_mark: usize,
    /// The longest frame that is sent: no limit. A longer message is sent in fragments of this length.
    pub max_sent_frame_len: usize,
    /// Jobs of extensions that may be at work at once in each direction: 10. At that bound nothing more is read, or taken
    /// to be sent, until one is done. Fixed when the connection opens.
    pub max_extension_jobs: usize,
}

impl Limits {
    /// No limit, where one is switched off by name.
    pub const UNLIMITED: usize = usize::MAX;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message_len: 64 << 20,
            max_frame_len: Self::UNLIMITED,
            max_fragments: 131_072,
            max_pending_pongs: 64,
            high_water_mark: 1 << 20,
            max_queued_beyond_mark: 64 << 20,
            max_sent_frame_len: Self::UNLIMITED,
            max_extension_jobs: 10,
        }
    }
}

/// How long we wait for the peer; `None` is for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// From the first Close of either side until the transport has ended: 5 s, then it is dropped. As long as the peer
    /// takes what stands queued before our Close it is counted anew with each write.
    pub close: Option<Duration>,
    /// Silence of the peer after which it is sent a ping: 25 s.
    pub ping_after: Option<Duration>,
    /// From that ping until anything arrives: 20 s, then the connection fails with 1011.
    pub pong_within: Option<Duration>,
    /// How long bytes may wait to be sent while the peer takes none: 30 s, then the transport is dropped.
    pub write_stall: Option<Duration>,
    /// How long a connection may go without a data message in either direction: off. Then it is closed with 1001.
    pub idle: Option<Duration>,
    /// How old a connection may become: off. Then it is closed with 1001.
    pub max_age: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            close: Some(Duration::from_secs(5)),
            ping_after: Some(Duration::from_secs(25)),
            pong_within: Some(Duration::from_secs(20)),
            write_stall: Some(Duration::from_secs(30)),
            idle: None,
            max_age: None,
        }
    }
}

impl Timeouts {
    /// No deadline at all.
    pub const NONE: Self = Self {
        close: None,
        ping_after: None,
        pong_within: None,
        write_stall: None,
        idle: None,
        max_age: None,
    };
}
