//! What the task and the handles of a connection share.

use std::{
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;
use ws_endpoint::driver::{Closed, Limits};

use super::{SpawnOptions, inbox::Inbox, orders::Orders};
use crate::{
    Error,
    tasks::{Slot, lock},
};

/// What the task and the handles of a connection share. Locks are held for a few instructions, never across an await.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) inbox: Mutex<Inbox>,
    pub(super) orders: Mutex<Orders>,
    /// The task, while it waits.
    pub(super) task: Slot,
    /// Who waits for messages.
    pub(super) reader: Slot,
    /// Who waits for room, for what was sent to leave, or for the end.
    pub(super) progress: Notify,
    /// Halves that are not dropped.
    halves: AtomicUsize,
    /// The last round-trip time in microseconds and one; none is 0.
    rtt: AtomicU64,
    end: OnceLock<End>,
}

/// How the connection has ended.
#[derive(Debug)]
pub(super) struct End {
    pub(super) closed: Option<Closed>,
    pub(super) error: Option<Error>,
}

impl Shared {
    pub(super) fn new(options: SpawnOptions, limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            inbox: Mutex::new(Inbox::new(options)),
            orders: Mutex::new(Orders::new(limits)),
            task: Slot::default(),
            reader: Slot::default(),
            progress: Notify::new(),
            halves: AtomicUsize::new(2),
            rtt: AtomicU64::new(0),
            end: OnceLock::new(),
        })
    }

    /// One of the two halves is dropped, the sending one with its last clone.
    pub(super) fn leave(&self) {
        self.halves.fetch_sub(1, Ordering::AcqRel);
        self.task.wake();
    }

    /// Whether both are.
    pub(super) fn is_left(&self) -> bool {
        self.halves.load(Ordering::Acquire) == 0
    }

    pub(super) fn rtt(&self) -> Option<Duration> {
        self.rtt.load(Ordering::Relaxed).checked_sub(1).map(Duration::from_micros)
    }

    pub(super) fn set_rtt(&self, rtt: Option<Duration>) {
        let micros =
            rtt.map_or(0, |rtt| u64::try_from(rtt.as_micros()).unwrap_or(u64::MAX).saturating_add(1));
        self.rtt.store(micros, Ordering::Relaxed);
    }

    pub(super) fn end(&self) -> Option<&End> {
        self.end.get()
    }

    /// Says how the connection has ended; the first time counts.
    pub(super) fn finish(&self, closed: Option<Closed>, error: Option<Error>) {
        if self.end.set(End { closed, error }).is_ok() {
            let lost = lock(&self.orders).end();
            drop(lost); // not under the lock
            self.reader.wake();
            self.progress.notify_waiters();
        }
    }

    /// Waits until `done` gives something, looking again whenever the task has made progress.
    pub(super) async fn wait<T>(&self, mut done: impl FnMut(&Self) -> Option<T>) -> T {
        if let Some(result) = done(self) {
            return result; // mostly so, and then nobody has to be put on a list
        }
        loop {
            let mut progress = std::pin::pin!(self.progress.notified());
            progress.as_mut().enable();
            if let Some(result) = done(self) {
                return result;
            }
            progress.await;
        }
    }
}
