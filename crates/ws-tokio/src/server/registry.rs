//! The open connections of a server, and how they are told to end.
//!
//! A connection is driven by its own task and by nobody else. So nobody closes it from outside: it finds an order when it
//! is about to wait, and whoever has left the order wakes it.

use std::{
    fmt, mem,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    task::{Context, Poll, Waker},
};

use tokio::{task::AbortHandle, time::Instant};
use ws_endpoint::driver::CloseCode;

use super::Address;
use crate::{
    sync::{Mutex, Notify},
    tasks::lock,
};

/// What a connection is told from outside.
#[derive(Debug)]
pub(crate) enum Order {
    /// To close, with this code and reason of at most 123 bytes.
    Close(CloseCode, Box<str>),
    /// To drop its transport.
    Drop,
}

/// How what was written on a transport so far ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Wire {
    /// With a whole frame: a Close could follow.
    Boundary,
    /// So that nothing can follow: inside of a frame, or the connection is over.
    Shut,
    /// With a Close.
    CloseSent,
}

/// All open connections of a server.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    state: Mutex<State>,
    /// Told whenever no connection is left.
    emptied: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// By slot; a free one is `None`.
    entries: Vec<Option<Arc<Entry>>>,
    free: Vec<u32>,
    len: usize,
    /// Given once the server shuts down: to those that come after it, too.
    last_order: Option<Arc<Order>>,
    /// Since then.
    answered: usize,
    unanswered: Vec<Address>,
}

/// What is known of a connection outside of its task. There are many: every byte counts.
pub(crate) struct Entry {
    pub(super) slot: u32,
    /// A [`Wire`].
    wire: AtomicU8,
    /// Whether its transport is seen off by a task of its own, which reports how it ended.
    seen_off: AtomicBool,
    pub(super) peer: Address,
    pub(super) path: Box<str>,
    pub(super) opened: Instant,
    inbox: Mutex<Inbox>,
    /// The task that `serve` has made for it.
    task: OnceLock<AbortHandle>,
    registry: Arc<Registry>,
}

#[derive(Debug, Default)]
struct Inbox {
    /// Whether there was any order.
    told: bool,
    order: Option<Arc<Order>>,
    waker: Option<Waker>,
}

/// The connection's own hold on its entry, which goes when this is dropped.
#[derive(Debug)]
pub(crate) struct Remote(Arc<Entry>);

impl Registry {
    /// Enters a connection. One that comes while the server shuts down is told at once.
    pub(super) fn enter(self: &Arc<Self>, peer: Address, path: &str) -> Remote {
        let mut state = lock(&self.state);
        let slot = state.free.pop().unwrap_or(u32::try_from(state.entries.len()).unwrap_or(u32::MAX));
        let entry = Arc::new(Entry {
            slot,
            wire: AtomicU8::new(Wire::Boundary as u8),
            seen_off: AtomicBool::new(false),
            peer,
            path: path.into(),
            opened: Instant::now(),
            inbox: Mutex::new(Inbox {
                told: state.last_order.is_some(),
                order: state.last_order.clone(),
                waker: None,
            }),
            task: OnceLock::new(),
            registry: Arc::clone(self),
        });
        let index = slot as usize;
        if index == state.entries.len() {
            state.entries.push(None);
        }
        if let Some(free) = state.entries.get_mut(index) {
            *free = Some(Arc::clone(&entry));
            state.len += 1;
        }
        Remote(entry)
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.state).len
    }

    /// All connections that are open now.
    pub(super) fn entries(&self) -> Vec<Arc<Entry>> {
        lock(&self.state).entries.iter().flatten().cloned().collect()
    }

    /// Tells all connections that are open now.
    pub(super) fn tell_all(&self, order: &Arc<Order>) {
        for entry in self.entries() {
            entry.tell(Arc::clone(order));
        }
    }

    /// Tells all connections, those to come too. What was told first stays for those to come.
    pub(super) fn tell_for_good(&self, order: &Arc<Order>) {
        lock(&self.state).last_order.get_or_insert_with(|| Arc::clone(order));
        self.tell_all(order);
    }

    /// Ready when no connection is left.
    pub(super) async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.len() == 0 {
                return;
            }
            emptied.await;
        }
    }

    /// How many have closed in order since the server shuts down, and who has not; those still open are among them.
    pub(super) fn outcome(&self) -> (usize, Vec<Address>) {
        let state = lock(&self.state);
        let open = state.entries.iter().flatten().map(|entry| entry.peer.clone());
        (state.answered, state.unanswered.iter().cloned().chain(open).collect())
    }

    /// The connection has ended. Only the first call for an entry counts.
    fn leave(&self, entry: &Entry, clean: bool) {
        let mut state = lock(&self.state);
        let slot = state.entries.get_mut(entry.slot as usize);
        let held = slot.and_then(|slot| slot.take_if(|held| std::ptr::eq(&**held, entry)));
        if held.is_none() {
            return;
        }
        state.free.push(entry.slot);
        state.len -= 1;
        if state.last_order.is_some() {
            if clean {
                state.answered += 1;
            } else {
                state.unanswered.push(entry.peer.clone());
            }
        }
        if state.len == 0 {
            // What a flood has made large does not stay.
            state.entries = Vec::new();
            state.free = Vec::new();
            drop(state);
            self.emptied.notify_waiters();
        }
    }
}

impl Entry {
    /// Leaves an order for the connection, and wakes it.
    pub(super) fn tell(&self, order: Arc<Order>) {
        let waker = {
            let mut inbox = lock(&self.inbox);
            inbox.told = true;
            inbox.order = Some(order);
            inbox.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The task that drives the connection, to be ended when it does not answer.
    pub(super) fn set_task(&self, task: AbortHandle) {
        let _once = self.task.set(task);
    }

    /// Ends the task that drives the connection, where the server has made it.
    pub(super) fn abort(&self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }

    /// Whether it was ever told anything: that its application fails then is no wonder.
    pub(super) fn was_told(&self) -> bool {
        lock(&self.inbox).told
    }

    /// How what was written so far ends.
    pub(super) fn wire(&self) -> Wire {
        match self.wire.load(Ordering::Relaxed) {
            wire if wire == Wire::Boundary as u8 => Wire::Boundary,
            wire if wire == Wire::CloseSent as u8 => Wire::CloseSent,
            _ => Wire::Shut,
        }
    }

    /// An order that the connection has not found yet.
    pub(super) fn take_order(&self) -> Option<Arc<Order>> {
        lock(&self.inbox).order.take()
    }

    /// From here on a task of its own sees the transport off; the connection itself is gone.
    pub(super) fn is_seen_off(&self) {
        self.seen_off.store(true, Ordering::Relaxed);
    }

    /// The transport was seen off.
    pub(super) fn was_seen_off(&self, clean: bool) {
        self.registry.leave(self, clean);
    }
}

impl Remote {
    pub(super) fn entry(&self) -> &Arc<Entry> {
        &self.0
    }

    /// An order, once; else the task is woken when there is one.
    pub(crate) fn poll_order(&self, cx: &Context<'_>) -> Poll<Arc<Order>> {
        let mut inbox = lock(&self.0.inbox);
        if let Some(order) = inbox.order.take() {
            return Poll::Ready(order);
        }
        if !inbox.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            let before = inbox.waker.replace(cx.waker().clone());
            drop(inbox); // what goes with a waker may want the lock
            drop(before);
        }
        Poll::Pending
    }

    /// Notes how what was written so far ends.
    #[inline]
    pub(crate) fn note(&self, wire: Wire) {
        self.0.wire.store(wire as u8, Ordering::Relaxed);
    }

    /// The connection has ended, by a closing handshake or otherwise.
    pub(crate) fn ended(&self, clean: bool) {
        self.note(Wire::Shut);
        self.0.registry.leave(&self.0, clean);
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        if !self.0.seen_off.load(Ordering::Relaxed) {
            self.ended(false);
        }
        let waker = mem::take(&mut lock(&self.0.inbox).waker);
        drop(waker);
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("peer", &self.peer).field("path", &self.path).finish_non_exhaustive()
    }
}
