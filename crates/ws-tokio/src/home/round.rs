//! One task that looks after all that was lent on a thread in one turn.

use std::{
    cell::RefCell,
    collections::VecDeque,
    mem,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use tokio::runtime::{Handle, Id};

use crate::tasks::lock;

/// What a round looks after.
pub(super) trait Debtor: Send + Sync {
    /// Writes what is owed. Where the transport takes no more, a task of its own waits for it.
    fn settle(self: Arc<Self>);

    /// Leaves what is owed to a task of its own.
    fn settle_alone(self: Arc<Self>);
}

/// Those on one thread who owe something since the task was spawned that looks after them.
///
/// When it runs, most have paid, because their owners have received on: tasks of their own would have been spawned for
/// nothing. One task for all who are handled in a turn of the runtime costs each of them an entry in a list.
struct Round {
    runtime: Id,
    debtors: Mutex<Debtors>,
}

#[derive(Default)]
struct Debtors {
    list: VecDeque<Arc<dyn Debtor>>,
    /// Whether a task will look at the list.
    is_expected: bool,
}

thread_local! {
    /// The round of the runtime that this thread has worked for last.
    static ROUND: RefCell<Option<Arc<Round>>> = const { RefCell::new(None) };
}

/// How many entries a list has room for that is kept for the next visit.
const KEPT: usize = 64;

/// Sees to it that a task of the runtime that the caller runs on looks after a debtor. Says whether there is a runtime;
/// one that shuts down is as good as none to whoever then looks whether a task is engaged.
pub(super) fn join(debtor: Arc<dyn Debtor>) -> bool {
    let Ok(handle) = Handle::try_current() else { return false };
    let visit = ROUND.with_borrow_mut(|round| {
        let id = handle.id();
        let round = match round {
            Some(round) if round.runtime == id => round,
            _ => round.insert(Arc::new(Round { runtime: id, debtors: Mutex::default() })),
        };
        let mut debtors = lock(&round.debtors);
        debtors.list.push_back(debtor);
        let is_expected = mem::replace(&mut debtors.is_expected, true);
        (!is_expected).then(|| Visit(Some(Arc::clone(round))))
    });
    if let Some(visit) = visit {
        handle.spawn(visit);
    }
    true
}

impl Round {
    /// Those who have joined so far; for who comes later there is another visit.
    fn debtors(&self) -> Rest {
        let mut debtors = lock(&self.debtors);
        debtors.is_expected = false;
        Rest(mem::take(&mut debtors.list))
    }

    /// Leaves the memory of a list to the next visit.
    fn keep(&self, list: VecDeque<Arc<dyn Debtor>>) {
        let mut debtors = lock(&self.debtors);
        if debtors.list.capacity() == 0 && list.capacity() <= KEPT {
            debtors.list = list;
        }
    }
}

/// The task that looks after those who have joined, and ends.
struct Visit(Option<Arc<Round>>);

impl Future for Visit {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if let Some(round) = self.0.take() {
            let mut rest = round.debtors();
            while let Some(debtor) = rest.0.pop_front() {
                debtor.settle();
            }
            round.keep(mem::take(&mut rest.0));
        }
        Poll::Ready(())
    }
}

impl Drop for Visit {
    /// A runtime that shuts down drops the task before it has run.
    fn drop(&mut self) {
        if let Some(round) = self.0.take() {
            drop(round.debtors());
        }
    }
}

/// Those who are still to be visited. One before them may panic in its transport, or the runtime shut down.
struct Rest(VecDeque<Arc<dyn Debtor>>);

impl Drop for Rest {
    fn drop(&mut self) {
        for debtor in self.0.drain(..) {
            debtor.settle_alone();
        }
    }
}
