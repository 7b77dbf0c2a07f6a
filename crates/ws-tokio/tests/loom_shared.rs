//! Groups under every order in which the threads of their senders and members can run.
//!
//! The files under test are the crate's own; their locks and what tokio has to tell tasks are loom's here, and so are the
//! threads. What is only counted in atomics is one step.
#![allow(dead_code, unreachable_pub, reason = "the files under test have more than is tested")]

#[path = "../src/broadcast/bell.rs"]
mod bell;
#[path = "support/every_order.rs"]
mod every_order;
#[path = "../src/broadcast/group.rs"]
mod group;
#[path = "../src/broadcast/member.rs"]
mod member;
#[path = "../src/broadcast/options.rs"]
mod options;

mod sync {
    pub(crate) use loom::sync::Mutex;

    pub(crate) use crate::every_order::Notify;
}

mod tasks {
    pub(crate) use crate::every_order::lock;
}

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bell::Bell;
use every_order::{join, lock, under_every_order};
use group::{Group, Tally};
use loom::{future::block_on, thread};
use member::{Member, MemberId, MemberStats, Next};
use options::{MemberOptions, SlowConsumer};
use ws_endpoint::driver::{CloseCode, Prepared};
use ws_tokio::Error;

/// A member of a group without a connection: what [`ws_tokio::Subscription`] does with the queue.
#[derive(Debug)]
struct Subscription {
    group: Group,
    member: Arc<Member>,
}

impl Subscription {
    fn new(group: Group, member: Arc<Member>) -> Self {
        Self { group, member }
    }

    fn id(&self) -> MemberId {
        self.member.id
    }

    /// The next message; `None` when none comes any more.
    fn recv(&self) -> Option<String> {
        block_on(poll_fn(|cx| match self.member.next(Some(cx)) {
            Next::Message(message) | Next::Last(message) => Poll::Ready(Some(text(&message))),
            Next::Close(..) | Next::Over => Poll::Ready(None),
            Next::Nothing => Poll::Pending,
        }))
    }

    fn recv_all(&self) -> Vec<String> {
        std::iter::from_fn(|| self.recv()).collect()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return; // loom's locks cannot be had any more
        }
        self.group.shared.remove(&self.member);
        self.member.abandon();
    }
}

/// Not part of these stories.
struct HandleSender;

impl HandleSender {
    fn join(&self, _: Subscription) -> Result<(), Error> {
        Err(Error::Lost)
    }
}

fn text(message: &Prepared) -> String {
    String::from_utf8_lossy(message.as_bytes()).into_owned()
}

fn of(slow: SlowConsumer, max_messages: usize) -> MemberOptions {
    let mut options = MemberOptions::new(slow);
    options.max_messages = max_messages;
    options
}

#[test]
fn a_member_that_waits_gets_every_message_and_the_end() {
    under_every_order(|| {
        let group = Group::new();
        let member = group.subscribe(of(SlowConsumer::Skip, 8));
        let sender = thread::spawn(move || {
            for message in ["a", "b"] {
                assert_eq!(group.try_send(&Prepared::new(message), None).queued, 1);
            }
            group.close(CloseCode::GOING_AWAY, "bye").expect("short");
            assert_eq!(group.count(), 0);
        });
        assert_eq!(member.recv_all(), ["a", "b"]);
        join(sender);
    });
}

#[test]
fn who_waits_for_a_slow_member_goes_on_as_soon_as_there_is_room() {
    under_every_order(|| {
        let group = Group::new();
        let member = group.subscribe(of(SlowConsumer::Wait, 1));
        let id = member.id();
        let sender = thread::spawn(move || {
            for message in ["a", "b"] {
                let tally = block_on(group.send(&Prepared::new(message)));
                assert_eq!((tally.queued, tally.dropped), (1, 0));
            }
            assert!(group.remove(id));
        });
        assert_eq!(member.recv_all(), ["a", "b"]);
        join(sender);
    });
}

#[test]
fn who_waits_for_a_member_that_goes_does_not_wait_for_ever() {
    let ways: [fn(&Group, Subscription) -> Option<Subscription>; 3] = [
        |_, member| {
            drop(member);
            None
        },
        |group, member| {
            assert!(group.remove(member.id()));
            Some(member)
        },
        |group, member| {
            group.close(CloseCode::GOING_AWAY, "bye").expect("short");
            Some(member)
        },
    ];
    for goes in ways {
        under_every_order(move || {
            let group = Group::new();
            let member = group.subscribe(of(SlowConsumer::Wait, 1));
            let others = group.clone();
            let sender = thread::spawn(move || {
                for message in ["a", "b"] {
                    block_on(others.send(&Prepared::new(message)));
                }
            });
            let left = goes(&group, member);
            join(sender); // though what is left takes nothing
            drop(left);
            assert_eq!(group.count(), 0);
        });
    }
}

#[test]
fn all_members_get_the_messages_of_two_senders_in_the_same_order() {
    under_every_order(|| {
        let group = Group::new();
        let members = [(); 2].map(|()| group.subscribe(of(SlowConsumer::Skip, 8)));
        let senders = ["a", "b"].map(|message| {
            let group = group.clone();
            thread::spawn(move || group.try_send(&Prepared::new(message), None))
        });
        let tallies = senders.map(join);
        assert!(tallies.iter().all(|Tally { queued, .. }| *queued == 2));
        group.close(CloseCode::NORMAL, "").expect("short");
        let [first, second] = members.each_ref().map(Subscription::recv_all);
        assert_eq!(first, second);
        assert_eq!(first.len(), 2);
    });
}

#[test]
fn a_slow_member_is_closed_once_whoever_finds_it_slow() {
    under_every_order(|| {
        let group = Group::new();
        let member = group.subscribe(of(SlowConsumer::Close, 1));
        let senders = ["a", "b"].map(|message| {
            let group = group.clone();
            thread::spawn(move || group.try_send(&Prepared::new(message), None))
        });
        let received = member.recv_all_or_close();
        let closed: usize = senders.map(join).iter().map(|tally| tally.closed).sum();
        assert_eq!(group.stats().closed, closed as u64);
        assert_eq!(group.count(), 1 - closed);
        assert!(received <= 2 && (closed == 0 || received < 2), "{received} received, {closed} closed");
    });
}

impl Subscription {
    /// How many messages come before it is closed, or two.
    fn recv_all_or_close(&self) -> usize {
        let mut received = 0;
        while received < 2 && self.recv().is_some() {
            received += 1;
        }
        received
    }
}

/// What [`ws_tokio::Subscription`] does with its bell: once it has seen the connection wait, it looks at it again when that has
/// rung. Meanwhile the future has moved to another task.
#[test]
fn a_bell_that_rings_while_it_gets_another_task_is_heard() {
    under_every_order(|| {
        let told = Arc::new(loom::sync::Mutex::new(false));
        let mut bell = Bell::default();
        let (rings, tells) = (bell.waker.clone(), Arc::clone(&told));
        let _quiet = bell.answer(&Context::from_waker(Waker::noop()));
        let connection = thread::spawn(move || {
            *lock(&tells) = true;
            rings.wake();
        });
        block_on(poll_fn(|cx| {
            let has_rung = bell.answer(cx);
            if has_rung && *lock(&told) { Poll::Ready(()) } else { Poll::Pending }
        }));
        join(connection);
    });
}
