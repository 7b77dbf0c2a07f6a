//! Telling all connections of a thread to end, and knowing when they have.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};

use tokio::sync::Notify;

/// One for each worker. A connection costs one waker here, and a poll no lock: idle connections are many, and busy ones
/// are polled often.
#[derive(Debug, Default)]
pub(super) struct Stop {
    stopping: AtomicBool,
    watches: Mutex<Watches>,
    idle: Notify,
}

#[derive(Debug, Default)]
struct Watches {
    /// By slot; a free one is `None`.
    wakers: Vec<Option<Waker>>,
    free: Vec<u32>,
    alive: usize,
}

/// A connection's view of its worker's [`Stop`].
#[derive(Debug)]
pub(super) struct Watch {
    stop: Arc<Stop>,
    slot: Option<u32>,
}

impl Stop {
    /// For a connection of this worker.
    pub(super) fn watch(self: &Arc<Self>) -> Watch {
        self.lock().alive += 1;
        Watch { stop: Arc::clone(self), slot: None }
    }

    /// Tells all connections, those to come too.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        let mut watches = self.lock();
        let wakers: Vec<_> = watches.wakers.iter_mut().filter_map(Option::take).collect();
        drop(watches);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Ready when no watch is left.
    pub(super) async fn idle(&self) {
        loop {
            let idle = self.idle.notified();
            if self.lock().alive == 0 {
                return;
            }
            idle.await;
        }
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, Watches> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    /// Ready when the connection is to end. Remembers the waker of the first call: a watch stays within one task.
    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.stop.is_stopping() {
            return Poll::Ready(());
        }
        if self.slot.is_some() {
            return Poll::Pending;
        }
        let mut watches = self.stop.lock();
        // Under the lock: whoever stops now finds the waker, or we find that it has stopped.
        if self.stop.is_stopping() {
            return Poll::Ready(());
        }
        let slot = match watches.free.pop() {
            Some(slot) => slot,
            None => match u32::try_from(watches.wakers.len()) {
                Ok(slot) => {
                    watches.wakers.push(None);
                    slot
                }
                // No machine has that many connections.
                Err(_) => return Poll::Ready(()),
            },
        };
        watches.wakers[slot as usize] = Some(cx.waker().clone());
        self.slot = Some(slot);
        Poll::Pending
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watches = self.stop.lock();
        if let Some(slot) = self.slot {
            watches.wakers[slot as usize] = None;
            watches.free.push(slot);
        }
        watches.alive -= 1;
        if watches.alive == 0 {
            drop(watches);
            self.stop.idle.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test]
    async fn a_watch_is_ready_from_the_stop_on() {
        let stop = Arc::new(Stop::default());
        let cx = Context::from_waker(Waker::noop());
        let mut watch = stop.watch();
        assert!(watch.poll(&cx).is_pending() && watch.poll(&cx).is_pending());
        stop.stop();
        assert!(watch.poll(&cx).is_ready() && watch.poll(&cx).is_ready());
        assert!(stop.watch().poll(&cx).is_ready());
    }

    #[tokio::test]
    async fn waiting_connections_are_woken_and_counted() {
        let stop = Arc::new(Stop::default());
        let mut watches: Vec<_> = (0..3).map(|_| stop.watch()).collect();
        let waiting: Vec<_> = watches
            .drain(..)
            .map(|mut watch| tokio::spawn(async move { poll_fn(|cx| watch.poll(cx)).await }))
            .collect();
        tokio::task::yield_now().await;
        assert_eq!(stop.lock().wakers.iter().flatten().count(), 3);
        stop.stop();
        stop.idle().await;
        for task in waiting {
            task.await.unwrap();
        }
    }

    #[tokio::test]
    async fn slots_are_used_again() {
        let stop = Arc::new(Stop::default());
        let cx = Context::from_waker(Waker::noop());
        for _ in 0..100 {
            assert!(stop.watch().poll(&cx).is_pending());
        }
        assert_eq!(stop.lock().wakers.len(), 1);
        stop.idle().await;
    }
}
