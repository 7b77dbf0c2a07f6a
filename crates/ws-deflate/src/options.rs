//! What an endpoint wants of its compression.

use crate::settings::{Level, MemoryLevel, Strategy, Takeover, WindowBits};

/// How an endpoint compresses, and what it asks of its peer; for clients and servers alike.
///
/// By default a client offers `permessage-deflate; client_max_window_bits` and keeps its context. A server keeps
/// none, neither its own nor the client's, so that a silent connection costs nothing. Both compress from 1 KiB up, on
/// level 5.
///
/// ```
/// use ws_deflate::{Level, Options, Takeover};
///
/// let options = Options::new().level(Level::SMALLEST).takeover(Takeover::Keep).threshold(256);
/// # let _ = options;
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Options {
    pub(crate) level: Level,
    pub(crate) memory_level: MemoryLevel,
    pub(crate) strategy: Strategy,
    pub(crate) chunk_size: usize,
    pub(crate) threshold: usize,
    pub(crate) takeover: Option<Takeover>,
    pub(crate) peer_takeover: Option<Takeover>,
    pub(crate) window_bits: WindowBits,
    pub(crate) peer_window_bits: WindowBits,
    pub(crate) peer_may_limit_window: bool,
    pub(crate) limits_optional: bool,
    pub(crate) defer_from: Option<usize>,
    pub(crate) pool_size: usize,
}

/// Below this, making output takes more calls than bytes.
const MIN_CHUNK: usize = 64;

impl Options {
    /// The defaults.
    pub const fn new() -> Self {
        Options {
            level: Level::DEFAULT,
            memory_level: MemoryLevel::DEFAULT,
            strategy: Strategy::Default,
            chunk_size: 16 * 1024,
            threshold: 1024,
            takeover: None,
            peer_takeover: None,
            window_bits: WindowBits::MAX,
            peer_window_bits: WindowBits::MAX,
            peer_may_limit_window: true,
            limits_optional: false,
            defer_from: None,
            pool_size: 16,
        }
    }

    /// The defaults on level 1: a third of the time for each message, and a quarter more bytes.
    pub const fn low_latency() -> Self {
        Self::new().level(Level::LOW_LATENCY)
    }

    /// The fewest bytes: level 7, contexts kept in both directions. A connection holds about 413 KB.
    pub const fn smallest() -> Self {
        Self::new().level(Level::SMALLEST).takeover(Takeover::Keep).peer_takeover(Takeover::Keep)
    }

    /// The suggested form of kept contexts: windows of 12 bits in both directions, memory level 5. A connection holds
    /// 170 KB, and small messages that resemble each other get nearly as small as with larger windows.
    pub const fn small_contexts() -> Self {
        let mut options = Self::new().takeover(Takeover::Keep).peer_takeover(Takeover::Keep);
        (options.window_bits, options.peer_window_bits) = (WindowBits::SUGGESTED, WindowBits::SUGGESTED);
        options.memory_level = MemoryLevel::SUGGESTED;
        options
    }

    /// How much work goes into compressing.
    #[must_use]
    pub const fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// How much memory a compressor takes for the block that it is at.
    #[must_use]
    pub const fn memory_level(mut self, level: MemoryLevel) -> Self {
        self.memory_level = level;
        self
    }

    /// What kind of data to expect.
    #[must_use]
    pub const fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// The most bytes that are made in one step, 16 KiB by default and 64 at least. A message that breaks the limit
    /// is found out within one such step.
    #[must_use]
    pub const fn chunk_size(mut self, bytes: usize) -> Self {
        self.chunk_size = if bytes < MIN_CHUNK { MIN_CHUNK } else { bytes };
        self
    }

    /// The shortest message that is compressed, 1 KiB by default.
    ///
    /// Not looked at while a context is kept: there small messages gain most. Nor for a message in parts, whose
    /// length is not known when it begins. An empty message is left as it is in any case.
    #[must_use]
    pub const fn threshold(mut self, bytes: usize) -> Self {
        self.threshold = bytes;
        self
    }

    /// Whether we keep our context, unless the peer asks us not to. By default a client does, a server does not.
    ///
    /// A client that resets says so in its offer (`client_no_context_takeover`), a server in its answer.
    #[must_use]
    pub const fn takeover(mut self, takeover: Takeover) -> Self {
        self.takeover = Some(takeover);
        self
    }

    /// Whether the peer may keep its context. [`Takeover::Reset`] is a limit that the peer has to grant; a server
    /// sets it by default, a client does not.
    #[must_use]
    pub const fn peer_takeover(mut self, takeover: Takeover) -> Self {
        self.peer_takeover = Some(takeover);
        self
    }

    /// The largest window that we compress with, 15 bits by default. Less takes less memory, on the other side too,
    /// and less is found.
    #[must_use]
    pub const fn window_bits(mut self, bits: WindowBits) -> Self {
        self.window_bits = bits;
        self
    }

    /// The largest window that the peer should compress with, 15 bits by default.
    ///
    /// A client asks for it, and refuses an answer that does not grant it. A server asks where the client has said
    /// that it can be asked (RFC 7692 section 7.1.2.2), and otherwise accepts what it is sent, at the price of 32 KiB
    /// for a kept context.
    #[must_use]
    pub const fn peer_window_bits(mut self, bits: WindowBits) -> Self {
        self.peer_window_bits = bits;
        self
    }

    /// Leaves `client_max_window_bits` out of a client's offer: no server can limit our window then.
    #[must_use]
    pub const fn refuse_window_limit(mut self) -> Self {
        self.peer_may_limit_window = false;
        self
    }

    /// Adds a second entry to a client's offer, without limits on the server: one that cannot keep to
    /// [`peer_takeover`](Self::peer_takeover) or [`peer_window_bits`](Self::peer_window_bits) may take that one
    /// (RFC 7692 section 5.1 and 7.1.2.1).
    #[must_use]
    pub const fn limits_optional(mut self) -> Self {
        self.limits_optional = true;
        self
    }

    /// Messages of at least this many bytes, as they come in, are not worked on where the connection is driven but
    /// given to [a job](ws_extensions::Job). Never by default, and never a message in parts.
    ///
    /// How many jobs a connection may have at a time is
    /// [`SessionOptions::max_jobs`](ws_extensions::SessionOptions::max_jobs). Where no context is kept they run beside
    /// each other.
    #[must_use]
    pub const fn defer_from(mut self, bytes: usize) -> Self {
        self.defer_from = Some(bytes);
        self
    }

    /// How many compressors of each window size, and how many inflaters, are kept for the next message of whichever
    /// connection; 16 of each by default. More than threads that compress at the same time are of no use.
    #[must_use]
    pub const fn pool_size(mut self, size: usize) -> Self {
        self.pool_size = size;
        self
    }

    /// Whether a message of this length, counted before we have worked on it, is deferred.
    pub(crate) fn defers(&self, len: Option<usize>) -> bool {
        matches!((len, self.defer_from), (Some(len), Some(from)) if len >= from)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_deferred_is_known_to_be_long() {
        assert!(!Options::new().defers(Some(usize::MAX)));
        let options = Options::new().defer_from(10);
        let deferred = [None, Some(9), Some(10)].map(|len| options.defers(len));
        assert_eq!(deferred, [false, false, true]);
    }

    #[test]
    fn a_step_makes_more_than_the_mark_at_the_end_of_a_flush() {
        assert_eq!(Options::new().chunk_size(0).chunk_size, MIN_CHUNK);
        assert_eq!(Options::new().chunk_size(1 << 20).chunk_size, 1 << 20);
    }
}
