//! What tasks of different threads tell each other, under every order in which the threads can run.
//!
//! The files under test are the crate's own: who waits ([`slot`]), what was received and waits ([`inbox`]), what handles
//! have asked for ([`orders`]). Their locks are loom's here, and so are the threads. What the task and the handles do with
//! them stands below as it stands in `spawn/task.rs` and `spawn/handle.rs`, without the connection.
#![allow(dead_code, unreachable_pub, reason = "the files under test have more than is tested")]

#[path = "support/every_order.rs"]
mod every_order;
#[path = "../src/spawn/inbox.rs"]
mod inbox;
#[path = "../src/spawn/orders.rs"]
mod orders;
#[path = "../src/slot.rs"]
mod slot;

mod sync {
    pub(crate) use loom::sync::Mutex;
}

mod tasks {
    pub(crate) use crate::every_order::lock;
}

use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::atomic::AtomicBool,
    task::{Context, Poll, Wake, Waker},
};

use every_order::{join, lock, under_every_order};
use inbox::{Inbox, Room};
use loom::{
    future::block_on,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};
use orders::{Order, Orders};
use slot::Slot;
use ws_endpoint::driver::{Limits, Message};
use ws_tokio::{SpawnOptions, Subscription};

fn wait(poll: impl FnMut(&mut Context<'_>) -> Poll<()>) {
    block_on(poll_fn(poll));
}

fn ready_if(done: bool) -> Poll<()> {
    if done { Poll::Ready(()) } else { Poll::Pending }
}

/// Notes that it was woken.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Whether there is an order in which a task goes to sleep for ever: it has not seen what another thread did, and is not
/// woken for it.
fn misses(parks_first: bool) -> bool {
    let missed = std::sync::Arc::<AtomicBool>::default();
    let found = std::sync::Arc::clone(&missed);
    under_every_order(move || {
        let (slot, told) = (Arc::new(Slot::default()), Arc::new(Mutex::new(false)));
        let (wakes, tells) = (Arc::clone(&slot), Arc::clone(&told));
        let other = thread::spawn(move || {
            *lock(&tells) = true;
            wakes.wake();
        });
        let woken = std::sync::Arc::<Woken>::default();
        let waker = Waker::from(std::sync::Arc::clone(&woken));
        let cx = Context::from_waker(&waker);
        if parks_first {
            slot.park(&cx);
        }
        let seen = *lock(&told);
        if !parks_first {
            slot.park(&cx);
        }
        join(other);
        found.fetch_or(!seen && !woken.0.load(Ordering::SeqCst), Ordering::SeqCst);
    });
    missed.load(Ordering::SeqCst)
}

#[test]
fn who_parks_before_it_looks_misses_nothing() {
    assert!(!misses(true));
    assert!(misses(false), "the other way round it would be found");
}

/// The transport knows one waker, and either half of a connection may wait for it.
#[test]
fn an_event_that_two_tasks_wait_for_reaches_both() {
    under_every_order(|| {
        let shared = Arc::new((Slot::default(), Slot::default(), Mutex::new(false)));
        let (other, transport) = (Arc::clone(&shared), Arc::clone(&shared));
        let writer = thread::spawn(move || {
            wait(|cx| {
                other.1.park(cx);
                ready_if(*lock(&other.2))
            });
        });
        let transport = thread::spawn(move || {
            *lock(&transport.2) = true;
            transport.0.wake();
            transport.1.wake();
        });
        wait(|cx| {
            shared.0.park(cx);
            ready_if(*lock(&shared.2))
        });
        join(writer);
        join(transport);
    });
}

/// A connection with a task of its own.
struct Spawned {
    inbox: Mutex<Inbox>,
    orders: Mutex<Orders>,
    task: Slot,
    reader: Slot,
    handles: AtomicUsize,
    ended: Mutex<bool>,
}

impl Spawned {
    fn new(handles: usize) -> Arc<Self> {
        Arc::new(Self {
            inbox: Mutex::new(Inbox::new(SpawnOptions::new(1))),
            orders: Mutex::new(Orders::new(&Limits::default())),
            task: Slot::default(),
            reader: Slot::default(),
            handles: AtomicUsize::new(handles),
            ended: Mutex::new(false),
        })
    }

    /// The task: what comes goes into the inbox, and when nothing more comes that is told.
    fn receive(&self, mut coming: VecDeque<&'static str>) {
        wait(|cx| {
            self.task.park(cx);
            loop {
                if lock(&self.inbox).room() == Room::Full {
                    return Poll::Pending;
                }
                let Some(message) = coming.pop_front() else {
                    *lock(&self.ended) = true;
                    self.reader.wake();
                    return Poll::Ready(());
                };
                lock(&self.inbox).push(Message::from(message));
                self.reader.wake();
            }
        });
    }

    fn try_recv(&self) -> Option<Message> {
        let (message, wakes) = lock(&self.inbox).pop()?;
        if wakes {
            self.task.wake();
        }
        Some(message)
    }

    /// The handle: everything until the end.
    fn recv_all(&self) -> Vec<Message> {
        let mut received = Vec::new();
        wait(|cx| {
            loop {
                self.reader.park(cx);
                let ended = *lock(&self.ended); // first: what came is there before the end is told
                match self.try_recv() {
                    Some(message) => received.push(message),
                    None => return ready_if(ended),
                }
            }
        });
        received
    }

    fn send(&self, text: &str) {
        lock(&self.orders).send(Message::from(text), false).expect("there is room");
        self.task.wake();
    }

    fn leave(&self) {
        self.handles.fetch_sub(1, Ordering::AcqRel);
        self.task.wake();
    }

    /// The task: carries out orders until nobody gives any.
    fn carry_out(&self) -> usize {
        let mut done = 0;
        wait(|cx| {
            self.task.park(cx);
            let left = self.handles.load(Ordering::Acquire) == 0; // then no order comes behind those that are taken now
            let orders = lock(&self.orders).take(VecDeque::new());
            let weight = orders.iter().map(Order::weight).sum();
            done += orders.len();
            lock(&self.orders).pass_on(weight);
            ready_if(left)
        });
        done
    }
}

#[test]
fn a_full_inbox_holds_its_task_up_and_lets_it_go_on() {
    under_every_order(|| {
        let spawned = Spawned::new(1);
        let driven = Arc::clone(&spawned);
        let task = thread::spawn(move || driven.receive(["a", "b", "c"].into()));
        let received = spawned.recv_all();
        assert_eq!(received.iter().filter_map(Message::as_text).collect::<Vec<_>>(), ["a", "b", "c"]);
        join(task);
    });
}

#[test]
fn what_handles_have_sent_before_they_went_is_carried_out() {
    under_every_order(|| {
        let spawned = Spawned::new(2);
        let handles = ["a", "b"].map(|text| {
            let handle = Arc::clone(&spawned);
            thread::spawn(move || {
                handle.send(text);
                handle.leave();
            })
        });
        assert_eq!(spawned.carry_out(), 2);
        assert_eq!(lock(&spawned.orders).bytes(), 0);
        handles.into_iter().for_each(join);
    });
}
