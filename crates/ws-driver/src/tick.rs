//! Moments in a connection's life, in one word each.

use std::{
    num::NonZeroU64,
    time::{Duration, Instant},
};

/// A moment, as nanoseconds since the connection was opened, counted from one. That lasts for 584 years, and an
/// `Option` of it takes no more room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tick(NonZeroU64);

impl Tick {
    pub(crate) const OPENED: Self = Self(NonZeroU64::MIN);

    pub(crate) fn new(opened: Instant, now: Instant) -> Self {
        let age = u64::try_from(now.saturating_duration_since(opened).as_nanos()).unwrap_or(u64::MAX);
        Self(NonZeroU64::MIN.saturating_add(age))
    }

    /// The moment that comes `timeout` later; `None` for never.
    pub(crate) fn after(self, timeout: Option<Duration>) -> Option<Self> {
        let timeout = u64::try_from(timeout?.as_nanos()).ok()?;
        self.0.checked_add(timeout).map(Self)
    }

    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.get().saturating_sub(earlier.0.get()))
    }

    /// The part of it that changes soonest.
    pub(crate) fn low_bytes(self) -> [u8; 4] {
        let [.., a, b, c, d] = self.0.get().to_be_bytes();
        [a, b, c, d]
    }

    pub(crate) fn instant(self, opened: Instant) -> Option<Instant> {
        opened.checked_add(Duration::from_nanos(self.0.get() - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_survives_the_way_there_and_back() {
        let opened = Instant::now();
        for age in [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(86_400 * 365)] {
            assert_eq!(Tick::new(opened, opened + age).instant(opened), Some(opened + age));
            assert_eq!(Tick::OPENED.after(Some(age)), Some(Tick::new(opened, opened + age)));
        }
        assert_eq!(Tick::OPENED.after(None), None);
        assert_eq!(Tick::OPENED.after(Some(Duration::MAX)), None);
        assert_eq!(Tick::new(opened + Duration::from_secs(1), opened), Tick::OPENED);
    }
}
