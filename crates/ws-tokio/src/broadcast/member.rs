//! What waits for one member of a group.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Waker},
};

use ws_endpoint::driver::{CloseCode, Prepared};

use super::{MemberOptions, SlowConsumer};
use crate::{
    sync::{Mutex, Notify},
    tasks::lock,
};

/// Names a member of a [`Group`](super::Group). It is never used again by the same group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub(super) u64);

/// What has become of the messages for one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MemberStats {
    /// Messages that wait.
    pub waiting: usize,
    /// Bytes that wait.
    pub waiting_bytes: usize,
    /// Messages that were queued for it, those that were dropped again included.
    pub queued: u64,
    /// Messages that were dropped because it was slow.
    pub dropped: u64,
    /// The bytes in these.
    pub dropped_bytes: u64,
}

/// A member of a group: a queue with the group at one end and the connection's task at the other.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: MemberId,
    options: MemberOptions,
    /// Where the group's list has it; changed under the lock of the list.
    place: AtomicUsize,
    queue: Mutex<Queue>,
    /// Who waits for room.
    room: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    messages: VecDeque<Prepared>,
    stats: MemberStats,
    /// Who waits for messages.
    waker: Option<Waker>,
    /// Nothing comes behind what waits.
    over: bool,
    /// The Close that comes behind what waits.
    close: Option<(CloseCode, String)>,
}

/// What became of a message.
#[derive(Debug)]
pub(super) enum Fate {
    /// It is queued. Its sender waits for the member, if so.
    Queued {
        waits: bool,
    },
    /// It took the place of older ones: so many bytes in so many messages.
    Replaced(u64, u64),
    Dropped,
    /// The member is closed instead, and what waited was dropped.
    Closed(u64, u64),
    /// The member takes nothing any more.
    Over,
}

/// What the connection finds.
#[derive(Debug)]
pub(super) enum Next {
    Message(Prepared),
    /// The same, and nothing waits behind it; the task will be woken when something does.
    Last(Prepared),
    /// The connection is to be closed.
    Close(CloseCode, String),
    /// The member was removed, and this was all.
    Over,
    /// Nothing waits; the task will be woken.
    Nothing,
}

/// The longest empty queue that is kept.
const KEPT: usize = 64;

impl Queue {
    fn is_full(&self, options: &MemberOptions, times: usize) -> bool {
        self.stats.waiting >= options.max_messages.max(1).saturating_mul(times)
            || self.stats.waiting_bytes >= options.max_bytes.max(1).saturating_mul(times)
    }

    fn push(&mut self, message: &Prepared) {
        self.stats.waiting += 1;
        self.stats.waiting_bytes += message.len();
        self.stats.queued += 1;
        self.messages.push_back(message.clone());
    }

    fn pop(&mut self) -> Option<Prepared> {
        let message = self.messages.pop_front()?;
        self.stats.waiting -= 1;
        self.stats.waiting_bytes -= message.len();
        Some(message)
    }

    fn count_dropped(&mut self, messages: u64, bytes: u64) {
        self.stats.dropped += messages;
        self.stats.dropped_bytes += bytes;
    }

    /// Nothing waits: `cx` is woken when something does.
    fn rest(&mut self, cx: Option<&Context<'_>>) {
        if self.messages.capacity() > KEPT {
            self.messages.shrink_to(KEPT);
        }
        if let Some(cx) = cx
            && self.waker.as_ref().is_none_or(|waker| !waker.will_wake(cx.waker()))
        {
            self.waker = Some(cx.waker().clone());
        }
    }

    /// Drops the oldest messages while `too_many`: their number and bytes.
    fn drop_oldest(&mut self, mut too_many: impl FnMut(&Self) -> bool) -> (u64, u64) {
        let (mut messages, mut bytes) = (0, 0);
        while too_many(self)
            && let Some(message) = self.pop()
        {
            messages += 1;
            bytes += message.len() as u64;
        }
        self.count_dropped(messages, bytes);
        (messages, bytes)
    }
}

impl Member {
    pub(super) fn new(id: MemberId, options: MemberOptions) -> Self {
        let (place, queue, room) = (AtomicUsize::new(0), Mutex::default(), Notify::default());
        Self { id, options, place, queue, room }
    }

    pub(super) fn place(&self) -> usize {
        self.place.load(Ordering::Relaxed)
    }

    pub(super) fn set_place(&self, place: usize) {
        self.place.store(place, Ordering::Relaxed);
    }

    /// Queues a message, or does what the policy says; `polite`, nobody waits. With whoever is to be woken.
    pub(super) fn deliver(&self, message: &Prepared, polite: bool) -> (Fate, Option<Waker>) {
        let mut queue = lock(&self.queue);
        if queue.over || queue.close.is_some() {
            return (Fate::Over, None);
        }
        let options = &self.options;
        let mut fate = Fate::Queued { waits: false };
        if queue.is_full(options, 1) {
            fate = match options.slow {
                SlowConsumer::Wait if !polite && !queue.is_full(options, 2) => Fate::Queued { waits: true },
                SlowConsumer::Wait | SlowConsumer::Skip => {
                    queue.count_dropped(1, message.len() as u64);
                    return (Fate::Dropped, None);
                }
                SlowConsumer::DropOldest => {
                    let (messages, bytes) = queue.drop_oldest(|queue| queue.is_full(options, 1));
                    Fate::Replaced(messages, bytes)
                }
                SlowConsumer::Close => {
                    let (messages, bytes) = queue.drop_oldest(|_| true);
                    queue.messages = VecDeque::new();
                    queue.count_dropped(1, message.len() as u64);
                    queue.close = Some((CloseCode::TRY_AGAIN_LATER, "too slow".to_owned()));
                    return (Fate::Closed(messages + 1, bytes + message.len() as u64), queue.waker.take());
                }
            };
        }
        queue.push(message);
        (fate, queue.waker.take())
    }

    /// The next message for the connection. Where there is none, `cx` is woken when one comes.
    pub(super) fn next(&self, cx: Option<&Context<'_>>) -> Next {
        let mut queue = lock(&self.queue);
        let was_full = queue.is_full(&self.options, 1);
        if let Some(message) = queue.pop() {
            let makes_room = was_full && !queue.is_full(&self.options, 1);
            let is_last = queue.messages.is_empty() && !queue.over && queue.close.is_none();
            if is_last {
                queue.rest(cx); // so that the lock is taken once for a single message
            }
            drop(queue);
            if makes_room {
                self.room.notify_waiters();
            }
            return if is_last { Next::Last(message) } else { Next::Message(message) };
        }
        if let Some((code, reason)) = queue.close.take() {
            queue.over = true;
            return Next::Close(code, reason);
        }
        if queue.over {
            return Next::Over;
        }
        queue.rest(cx);
        Next::Nothing
    }

    /// Nothing comes behind what waits, or only this Close. With whoever is to be woken.
    pub(super) fn end(&self, close: Option<(CloseCode, &str)>) -> Option<Waker> {
        let mut queue = lock(&self.queue);
        if !queue.over && queue.close.is_none() {
            queue.close = close.map(|(code, reason)| (code, reason.to_owned()));
            queue.over = queue.close.is_none();
        }
        let waker = queue.waker.take();
        drop(queue);
        self.room.notify_waiters();
        waker
    }

    /// The connection is gone, and what waits with it.
    pub(super) fn abandon(&self) {
        let mut queue = lock(&self.queue);
        queue.over = true;
        queue.close = None;
        queue.stats.waiting = 0;
        queue.stats.waiting_bytes = 0;
        let lost = (std::mem::take(&mut queue.messages), queue.waker.take());
        drop(queue);
        drop(lost); // not under the lock
        self.room.notify_waiters();
    }

    /// Waits until there is room, or nothing is taken any more.
    pub(super) async fn wait(&self) {
        loop {
            let mut room = std::pin::pin!(self.room.notified());
            room.as_mut().enable();
            if !self.is_waited_for() {
                return;
            }
            room.await;
        }
    }

    fn is_waited_for(&self) -> bool {
        let queue = lock(&self.queue);
        !queue.over && queue.close.is_none() && queue.is_full(&self.options, 1)
    }

    pub(super) fn stats(&self) -> MemberStats {
        lock(&self.queue).stats
    }
}
