//! How long the peer takes to answer a ping.

use std::{
    num::{NonZeroU32, NonZeroU64},
    time::Duration,
};

use crate::tick::Tick;

/// What is remembered of a ping's payload, so that its pong is known (RFC 6455 section 5.5.3: it carries the same).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark(NonZeroU32);

impl Mark {
    /// A hash (FNV-1a). That another payload has the same deceives nobody: a peer that wants to answer early can.
    pub(crate) fn of(payload: &[u8]) -> Self {
        let hash = payload
            .iter()
            .fold(0x811C_9DC5, |hash: u32, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
        Self(NonZeroU32::MIN.saturating_add(hash))
    }
}

/// The ping that is measured just now, and the last measurement.
#[derive(Debug, Default)]
pub(crate) struct RoundTrip {
    sent: Option<Tick>,
    /// In microseconds.
    last: Option<NonZeroU32>,
}

impl RoundTrip {
    /// A ping was sent. One that was sent before and is not answered is given up: a peer need answer the newest only.
    pub(crate) fn begin(&mut self, now: Tick) {
        self.sent = Some(now);
    }

    /// Its pong has arrived.
    pub(crate) fn end(&mut self, now: Tick) {
        if let Some(sent) = self.sent.take() {
            let micros = now.since(sent).as_micros().clamp(1, u32::MAX.into());
            self.last = u32::try_from(micros).ok().and_then(NonZeroU32::new);
        }
    }

    pub(crate) fn is_measuring(&self) -> bool {
        self.sent.is_some()
    }

    pub(crate) fn last(&self) -> Option<Duration> {
        self.last.map(|micros| Duration::from_micros(NonZeroU64::from(micros).get()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_that_differ_have_different_marks() {
        let payloads: [&[u8]; 6] = [b"", b"\0", b"\0\0", b"a", b"b", b"ab"];
        for (index, one) in payloads.iter().enumerate() {
            for (other_index, other) in payloads.iter().enumerate() {
                assert_eq!(Mark::of(one) == Mark::of(other), index == other_index);
            }
        }
    }

    #[test]
    fn the_newest_ping_is_measured() {
        let opened = std::time::Instant::now();
        let at = |millis| Tick::new(opened, opened + Duration::from_millis(millis));
        let mut trip = RoundTrip::default();
        trip.end(at(1));
        assert_eq!(trip.last(), None, "a pong that nobody has asked for");
        trip.begin(at(10));
        trip.begin(at(20));
        trip.end(at(50));
        trip.end(at(90));
        assert_eq!(trip.last(), Some(Duration::from_millis(30)));
        trip.begin(at(100));
        trip.end(at(100));
        assert_eq!(trip.last(), Some(Duration::from_micros(1)), "never none");
    }
}
