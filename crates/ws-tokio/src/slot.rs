//! Where a task says that it waits.

use std::task::{Context, Waker};

use crate::{sync::Mutex, tasks::lock};

/// Who is to be woken: one task, which parks here before it looks for what it waits for, while others change that and wake
/// it then. `tests/loom_wakers.rs` shows under every order of threads that nothing is missed.
#[derive(Debug, Default)]
pub(crate) struct Slot(Mutex<Option<Waker>>);

impl Slot {
    /// Notes who is to be woken; before it looks, so that nothing is missed in between.
    pub(crate) fn park(&self, cx: &Context<'_>) {
        let mut slot = lock(&self.0);
        if slot.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            return;
        }
        let before = slot.replace(cx.waker().clone());
        drop(slot); // what goes with a waker may want the lock
        drop(before);
    }

    /// Nobody waits here any more.
    pub(crate) fn leave(&self) {
        let waker = lock(&self.0).take();
        drop(waker);
    }

    pub(crate) fn wake(&self) {
        let waker = lock(&self.0).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
