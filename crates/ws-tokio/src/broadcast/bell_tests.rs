//! A bell by itself; `tests/loom_shared.rs` has it under every order of threads, which is why this stands beside it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Wake, Waker},
};

use super::bell::Bell;

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_bell_wakes_its_task_and_remembers_it_once() {
    let mut bell = Bell::default();
    bell.waker.wake_by_ref(); // for nobody
    let tasks = [Arc::new(Count::default()), Arc::new(Count::default())];
    for task in &tasks {
        let waker = Waker::from(Arc::clone(task));
        let cx = Context::from_waker(&waker);
        bell.answer(&cx);
        bell.waker.wake_by_ref();
        assert!(bell.answer(&cx) && !bell.answer(&cx));
    }
    assert!(tasks.iter().all(|task| task.0.load(Ordering::Relaxed) == 1));
}
