//! The task that writes what the owner of a connection has left behind.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    runtime::Handle,
};

use super::{
    Slot,
    round::{self, Debtor},
};
use crate::tasks::{Tasks, lock};

/// Writes what it finds in the slot, waits for the transport where that takes no more, and ends.
struct Flusher<S> {
    slot: Arc<Slot<S>>,
    /// Whether it has told so.
    is_done: bool,
}

/// Has a task of the runtime that the caller runs on look into the slot. Says whether what is owed there will be written.
pub(super) fn engage<S>(slot: &Arc<Slot<S>>) -> bool
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    if !round::join(Arc::clone(slot) as Arc<dyn Debtor>) {
        return false;
    }
    // A runtime that shuts down has dropped the task at once. On another thread it may have done its work already.
    let mut loan = lock(&slot.loan);
    loan.is_engaged || !loan.link.as_mut().is_some_and(|link| link.is_owing())
}

impl<S> Debtor for Slot<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    fn settle(self: Arc<Self>) {
        let mut loan = lock(&self.loan);
        loan.is_engaged = false; // nor does a transport that panics leave it engaged
        if !loan.link.as_mut().is_some_and(|link| link.is_owing()) {
            return;
        }
        // An owner who waits beside has to be told. This is asked under the lock, under which the owner's waker was given to
        // the transport, if it was.
        let waits = self.tasks.get().is_some();
        let cx = &mut Context::from_waker(Waker::noop());
        if waits || loan.link.as_mut().is_some_and(|link| link.poll_flush(0, cx).is_pending()) {
            loan.is_engaged = true;
            drop(loan);
            self.settle_alone();
        }
    }

    fn settle_alone(self: Arc<Self>) {
        let flusher = Flusher { slot: self, is_done: false };
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(flusher);
        }
    }
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
