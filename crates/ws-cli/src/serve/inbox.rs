//! What waits for one member of a room: a queue with a bound.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use ws_stack::Message;

/// The bound, in bytes. As with a connection's own queue, a message is taken whole whenever the queue is below it.
const BOUND: usize = 16 << 20;

/// What a message costs beside its payload.
const OVERHEAD: usize = size_of::<Message>();

/// A member's queue. When it is full the member is too slow, and is let go.
#[derive(Debug, Default)]
pub(super) struct Inbox(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    messages: VecDeque<Message>,
    cost: usize,
    overrun: bool,
    waiting: Option<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    waker: Waker,
    /// Whether messages are wanted, or the overrun alone.
    messages: bool,
}

/// What a member is to do next.
#[derive(Debug, PartialEq)]
pub(super) enum Delivery {
    /// Send this.
    Message(Message),
    /// Leave: the queue was full.
    Overrun,
}

impl Inbox {
    /// Queues a message. `false` when the member is not one any more.
    pub(super) fn push(&self, message: &Message) -> bool {
        let mut queue = self.lock();
        if queue.cost >= BOUND {
            queue.overrun = true;
            // What it will never read need not be kept.
            queue.messages = VecDeque::new();
        }
        if !queue.overrun {
            queue.cost += message.len() + OVERHEAD;
            queue.messages.push_back(message.clone());
        }
        let overrun = queue.overrun;
        let waiting = queue.waiting.take_if(|waiting| waiting.messages || overrun);
        drop(queue);
        if let Some(waiting) = waiting {
            waiting.waker.wake();
        }
        !overrun
    }

    /// The next delivery. Without `room` to send it, messages stay where they are.
    pub(super) fn poll(&self, room: bool, cx: &Context<'_>) -> Poll<Delivery> {
        let mut queue = self.lock();
        if queue.overrun {
            return Poll::Ready(Delivery::Overrun);
        }
        if let Some(message) = room.then(|| queue.messages.pop_front()).flatten() {
            queue.cost -= message.len() + OVERHEAD;
            if queue.messages.is_empty() {
                // An idle member holds no memory for a burst of long ago.
                queue.messages = VecDeque::new();
            }
            return Poll::Ready(Delivery::Message(message));
        }
        queue.waiting = Some(Waiting { waker: cx.waker().clone(), messages: room });
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl std::task::Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn messages_come_in_order_and_wake_once() {
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        let cx = Context::from_waker(&waker);
        let inbox = Inbox::default();
        assert!(inbox.poll(true, &cx).is_pending());
        assert!(inbox.push(&"a".into()) && inbox.push(&"b".into()));
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert!(inbox.poll(false, &cx).is_pending());
        for text in ["a", "b"] {
            assert_eq!(inbox.poll(true, &cx), Poll::Ready(Delivery::Message(text.into())));
        }
        assert!(inbox.poll(true, &cx).is_pending());
        assert_eq!(inbox.lock().cost, 0);
    }

    #[test]
    fn a_full_queue_lets_the_member_go_and_its_messages_too() {
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        let cx = Context::from_waker(&waker);
        let inbox = Inbox::default();
        let large = Message::from(vec![0; BOUND - OVERHEAD]);
        // Nobody is woken for messages that there is no room for, but everybody for the overrun.
        assert!(inbox.poll(false, &cx).is_pending());
        assert!(inbox.push(&large));
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
        assert!(!inbox.push(&"one more".into()));
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert_eq!(inbox.poll(true, &cx), Poll::Ready(Delivery::Overrun));
        assert!(inbox.lock().messages.is_empty());
        assert!(!inbox.push(&"and another".into()));
    }

    #[test]
    fn small_messages_are_bounded_too() {
        let inbox = Inbox::default();
        let taken = (0..).take_while(|_| inbox.push(&"".into())).count();
        assert_eq!(taken, BOUND.div_ceil(OVERHEAD));
    }
}
