//! How long to wait before the next attempt.

use std::time::Duration;

/// The waiting times of a [`Reconnect`](super::Reconnect): they double with each failure up to a maximum, and each is drawn
/// evenly between nothing and that, so that the clients of a server that comes back do not come back at once.
///
/// ```
/// use std::time::Duration;
/// use ws_tokio::Backoff;
///
/// let mut backoff = Backoff::default();
/// backoff.max = Duration::from_secs(20);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backoff {
    /// The longest wait before the second attempt, and after the loss of a connection that had settled: 1 s.
    pub initial: Duration,
    /// The longest wait ever, `Retry-After` aside: 60 s.
    pub max: Duration,
    /// How long a connection must have lived for the waits to begin small again: 10 s. A server that accepts and hangs up
    /// is not asked ever faster.
    pub settled_after: Duration,
    /// The most of a server's `Retry-After` that is heeded: 10 minutes.
    pub max_retry_after: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            initial: Duration::from_secs(1),
            max: Duration::from_secs(60),
            settled_after: Duration::from_secs(10),
            max_retry_after: Duration::from_secs(600),
        }
    }
}

impl Backoff {
    /// The wait after so many failures in a row; `random` is drawn evenly from all numbers.
    pub(super) fn delay(&self, failures: u32, random: u64) -> Duration {
        let factor = 1u32.checked_shl(failures).unwrap_or(u32::MAX);
        let most = self.initial.saturating_mul(factor).min(self.max);
        let nanos = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX);
        // The upper half of the product is below the first factor, in the ratio of the second to all numbers.
        let product = u128::from(nanos) * u128::from(random);
        Duration::from_nanos(u64::try_from(product >> 64).unwrap_or(nanos))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_maximum() {
        let backoff = Backoff::default();
        let most = |failures| (backoff.delay(failures, u64::MAX).as_secs_f64()).round();
        let waits: Vec<_> = (0..8).map(most).collect();
        assert_eq!(waits, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]);
        assert_eq!((most(31), most(32), most(u32::MAX)), (60.0, 60.0, 60.0));
    }

    #[test]
    fn a_wait_is_anything_between_nothing_and_its_maximum() {
        let backoff = Backoff::default();
        assert_eq!(backoff.delay(3, 0), Duration::ZERO);
        assert_eq!(backoff.delay(3, 1 << 63), Duration::from_secs(4));
        assert!(backoff.delay(3, u64::MAX) < Duration::from_secs(8));
    }

    #[test]
    fn absurd_durations_do_not_overflow() {
        let backoff = Backoff { initial: Duration::MAX, max: Duration::MAX, ..Backoff::default() };
        assert!(backoff.delay(u32::MAX, u64::MAX) > Duration::from_secs(1 << 32));
    }
}
