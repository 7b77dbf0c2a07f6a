//! Who woke a task: its connection, or somebody else.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Wake, Waker},
};

use crate::{sync::Mutex, tasks::lock};

/// What a connection wakes instead of its task: it wakes the task, and remembers that it was the connection.
///
/// A task that takes from a group and from a connection is woken by the group, mostly. To look at the connection then, at its input, its
/// deadlines and its timer, costs more than to queue the message.
#[derive(Debug)]
pub(super) struct Bell {
    ring: Arc<Ring>,
    /// What rings.
    pub(super) waker: Waker,
    /// The task that is woken, as it was seen last: to be compared without the lock.
    task: Option<Waker>,
}

#[derive(Debug, Default)]
struct Ring {
    rung: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Default for Bell {
    fn default() -> Self {
        let ring = Arc::<Ring>::default();
        Self { waker: Waker::from(Arc::clone(&ring)), ring, task: None }
    }
}

impl Bell {
    /// Wakes this task from now on. Whether it has rung since it was answered last; what happens behind this rings again, and
    /// wakes the task again.
    pub(super) fn answer(&mut self, cx: &Context<'_>) -> bool {
        if self.task.as_ref().is_none_or(|task| !task.will_wake(cx.waker())) {
            self.task = Some(cx.waker().clone());
            let before = lock(&self.ring.task).replace(cx.waker().clone());
            drop(before); // not under the lock
        }
        self.ring.rung.swap(false, Ordering::AcqRel)
    }
}

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Before the task is woken: it may look at once.
        self.rung.store(true, Ordering::Release);
        let task = lock(&self.task).clone();
        if let Some(task) = task {
            task.wake();
        }
    }
}
