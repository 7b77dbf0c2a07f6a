//! The task that writes what the owner of a connection has left behind.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    runtime,
};

use super::Slot;
use crate::tasks::{Tasks, lock};

/// Writes what it finds in the slot, and ends.
struct Flusher<S> {
    slot: Arc<Slot<S>>,
    /// Whether it has told so.
    is_done: bool,
}

/// Spawns a flusher on the runtime that the caller runs on.
pub(super) fn engage<S>(slot: &Arc<Slot<S>>) -> bool
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Ok(runtime) = runtime::Handle::try_current() else { return false };
    runtime.spawn(Flusher { slot: Arc::clone(slot), is_done: false });
    // A runtime that shuts down has dropped it at once. On another thread it may have done its work already.
    let mut loan = lock(&slot.loan);
    loan.is_engaged || !loan.link.as_mut().is_some_and(|link| link.is_owing())
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Flusher<S> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let slot = &*this.slot;
        let mut changed = false;
        let mut loan = lock(&slot.loan);
        // What goes wrong is told by the owner's next use.
        let mut flushed = match &mut loan.link {
            Some(link) => link.poll_flush(0, cx).map(drop),
            None => Poll::Ready(()),
        };
        if flushed.is_pending() {
            drop(loan); // what goes with a waker may want the lock
            let tasks = slot.tasks.get_or_init(Tasks::default);
            tasks.writer.park(cx);
            loan = lock(&slot.loan);
            flushed = Poll::Ready(());
            if let Some(link) = &mut loan.link {
                let (polled, news) = link.poll_flush_of_two(0, tasks);
                (flushed, changed) = (polled.map(drop), news);
            }
        }
        this.is_done = flushed.is_ready();
        loan.is_engaged = !this.is_done;
        drop(loan);
        if let Some(tasks) = slot.tasks.get() {
            if this.is_done {
                tasks.writer.leave();
            }
            if this.is_done || changed {
                tasks.reader.wake();
            }
        }
        flushed
    }
}

impl<S> Drop for Flusher<S> {
    fn drop(&mut self) {
        if !self.is_done {
            lock(&self.slot.loan).is_engaged = false;
        }
    }
}
