//! Stories that are lived under every order in which their threads can run: what the tests with loom share.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::Pin,
    sync::PoisonError,
    task::{Context, Poll, Waker},
};

use loom::{
    sync::{Mutex, MutexGuard},
    thread,
};

/// How often a thread is interrupted where it could go on: all orders with more of that are many, and show no more.
const INTERRUPTIONS: usize = 2;

pub fn under_every_order(story: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(INTERRUPTIONS);
    model.check(story);
}

pub fn join<T>(thread: thread::JoinHandle<T>) -> T {
    thread.join().expect("no panic")
}

/// What the crate has as `tasks::lock`.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What tokio promises of its `Notify`, on a lock of loom's: so a thread can be interrupted before each call of it, which it
/// cannot be before one of the original.
#[derive(Debug, Default)]
pub struct Notify(Mutex<Listeners>);

#[derive(Debug, Default)]
struct Listeners {
    /// How often everybody was told.
    rounds: usize,
    /// One was told while nobody listened.
    permit: bool,
    /// Those that listen, in the order in which they came.
    waiting: BTreeMap<u64, Option<Waker>>,
    /// Those that were told alone, and have not found out yet.
    told: BTreeSet<u64>,
    next: u64,
}

impl Notify {
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells those that listen, and those that have only said that they would.
    pub fn notify_waiters(&self) {
        let mut listeners = lock(&self.0);
        listeners.rounds += 1;
        let waiting = std::mem::take(&mut listeners.waiting);
        drop(listeners);
        waiting.into_values().flatten().for_each(Waker::wake);
    }

    /// Tells the first that listens, or else the next that will.
    pub fn notify_one(&self) {
        let mut listeners = lock(&self.0);
        let Some((number, waker)) = listeners.waiting.pop_first() else {
            listeners.permit = true;
            return;
        };
        listeners.told.insert(number);
        drop(listeners);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub fn notified(&self) -> Notified<'_> {
        Notified { notify: self, round: lock(&self.0).rounds, number: None }
    }
}

/// Who listens, from the first [`enable`](Self::enable) or poll on.
#[derive(Debug)]
pub struct Notified<'a> {
    notify: &'a Notify,
    /// How often everybody had been told when this was made.
    round: usize,
    number: Option<u64>,
}

impl Notified<'_> {
    pub fn enable(self: Pin<&mut Self>) -> bool {
        self.get_mut().listen(None)
    }

    /// Whether it was told.
    fn listen(&mut self, waker: Option<&Waker>) -> bool {
        let mut listeners = lock(&self.notify.0);
        if listeners.rounds != self.round {
            return true;
        }
        let number = match self.number {
            Some(number) if listeners.told.remove(&number) => {
                self.number = None;
                return true;
            }
            Some(number) => number,
            None if std::mem::take(&mut listeners.permit) => return true,
            None => {
                listeners.next += 1;
                *self.number.insert(listeners.next)
            }
        };
        listeners.waiting.insert(number, waker.cloned());
        false
    }
}

impl Future for Notified<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.get_mut().listen(Some(cx.waker())) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Notified<'_> {
    fn drop(&mut self) {
        let Some(number) = self.number.filter(|_| !std::thread::panicking()) else { return };
        let mut listeners = lock(&self.notify.0);
        listeners.waiting.remove(&number);
        let passes_on = listeners.told.remove(&number);
        drop(listeners);
        if passes_on {
            self.notify.notify_one();
        }
    }
}
