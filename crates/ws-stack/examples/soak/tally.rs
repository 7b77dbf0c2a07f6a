//! What all clients have seen together.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What all clients have seen together.
#[derive(Default)]
pub(crate) struct Tally {
    /// Lives that have ended.
    lives: AtomicU64,
    /// Transports that are open.
    open: AtomicU64,
    /// Messages and pings that must be answered.
    asked: AtomicU64,
    /// Those that were, with the same bytes.
    answered: AtomicU64,
    /// The bytes of their payloads.
    bytes: AtomicU64,
    failed: AtomicU64,
}

impl Tally {
    pub(crate) fn asks(&self, count: usize) {
        self.asked.fetch_add(count as u64, Relaxed);
    }

    pub(crate) fn is_answered(&self, len: usize) {
        self.answered.fetch_add(1, Relaxed);
        self.bytes.fetch_add(len as u64, Relaxed);
    }

    pub(crate) fn begins(&self) {
        self.open.fetch_add(1, Relaxed);
    }

    pub(crate) fn ends(&self) {
        self.open.fetch_sub(1, Relaxed);
        self.lives.fetch_add(1, Relaxed);
    }

    /// Notes that the life of this seed was not as it should be.
    pub(crate) fn fails(&self, seed: u64, why: &str) {
        self.failed.fetch_add(1, Relaxed);
        println!("failed {seed} {}", why.replace('\n', " "));
    }

    pub(crate) fn print(&self) {
        let Self { lives, open, asked, answered, bytes, failed } = self;
        let [lives, open, asked, answered, bytes, failed] =
            [lives, open, asked, answered, bytes, failed].map(|count| count.load(Relaxed));
        println!("tally {lives} {open} {asked} {answered} {bytes} {failed}");
    }
}
