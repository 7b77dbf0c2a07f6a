//! Connections that get the same messages.

use std::{fmt, sync::Arc, task::Waker};

use ws_endpoint::driver::{self, CloseCode, Prepared};

use super::{
    MemberId, MemberOptions, MemberStats, Subscription,
    member::{Fate, Member},
};
use crate::{Error, HandleSender, sync::Mutex, tasks::lock};

/// Connections that get the same messages. A clone is the same group.
///
/// A [`Prepared`] message is framed once, and compressed once for each class of connections; what waits for a member is a
/// reference to it. Sending queues it for each member and wakes those that wait: their tasks write, and a member with several
/// messages waiting writes them at once. Nobody waits for a slow member unless its [`SlowConsumer`](super::SlowConsumer) says
/// so. Every member gets the messages of concurrent senders in the same order.
///
/// A member is a connection with a task of its own ([`add`](Self::add)), or one that the caller drives
/// ([`subscribe`](Self::subscribe)). It leaves when its connection ends.
///
/// ```no_run
/// use ws_tokio::{Group, MemberOptions, SlowConsumer, endpoint::driver::Prepared};
///
/// # async fn example(ws: ws_tokio::WebSocket<tokio::net::TcpStream>) -> Result<(), ws_tokio::Error> {
/// let group = Group::new();
/// let mut handle = ws.spawn(16);
/// let id = group.add(&handle.sender(), MemberOptions::new(SlowConsumer::DropOldest))?;
/// while let Some(message) = handle.recv().await {
///     group.send_except(&Prepared::new(message?), id).await;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Group {
    pub(super) shared: Arc<Shared>,
}

#[derive(Default)]
pub(super) struct Shared {
    list: Mutex<List>,
}

#[derive(Default)]
struct List {
    members: Vec<Arc<Member>>,
    next: u64,
    stats: GroupStats,
    /// Memory for those that are woken, kept for the next time.
    wakers: Vec<Waker>,
}

/// What has become of the messages to a group since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct GroupStats {
    /// Messages that were queued, once for each member.
    pub queued: u64,
    /// Messages that were dropped because a member was slow.
    pub dropped: u64,
    /// The bytes in these.
    pub dropped_bytes: u64,
    /// Members that were closed because they were slow.
    pub closed: u64,
}

/// What became of one message to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Tally {
    /// Members that it was queued for.
    pub queued: usize,
    /// Members that do not get it, because they are slow.
    pub dropped: usize,
    /// Members that are closed, because they are slow.
    pub closed: usize,
}

impl Group {
    /// A group without members.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a connection with a task of its own a member. Its task writes what is sent to the group; when the group
    /// closes the member, it closes the connection. Being a member does not keep a connection open: one of its handles does.
    ///
    /// # Errors
    /// [`Error::Send`] when the connection is closing, or too much waits for it.
    pub fn add(&self, sender: &HandleSender, options: MemberOptions) -> Result<MemberId, Error> {
        let subscription = self.subscribe(options);
        let id = subscription.id();
        sender.join(subscription)?;
        Ok(id)
    }

    /// Makes a member of whoever takes its messages: a connection that the caller drives.
    #[must_use = "the member leaves when this is dropped"]
    pub fn subscribe(&self, options: MemberOptions) -> Subscription {
        let mut list = lock(&self.shared.list);
        let member = Arc::new(Member::new(MemberId(list.next), options));
        list.next += 1;
        member.set_place(list.members.len());
        list.members.push(Arc::clone(&member));
        drop(list);
        Subscription::new(self.clone(), member)
    }

    /// Sends a message to every member, in time linear in their number. Waits only for slow members with
    /// [`SlowConsumer::Wait`](super::SlowConsumer::Wait).
    ///
    /// # Cancel safety
    /// The message is queued for everyone by the first poll; a future that is dropped after that has sent it.
    pub async fn send(&self, message: &Prepared) -> Tally {
        self.send_to(message, None).await
    }

    /// The same, but for one member: who it came from.
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    pub async fn send_except(&self, message: &Prepared, except: MemberId) -> Tally {
        self.send_to(message, Some(except)).await
    }

    async fn send_to(&self, message: &Prepared, except: Option<MemberId>) -> Tally {
        let mut slow = Vec::new();
        let tally = self.shared.deliver(message, except, Some(&mut slow));
        for member in slow {
            member.wait().await;
        }
        tally
    }

    /// Sends a message to every member but `except`, and waits for nobody: a slow member that would be waited for does not
    /// get it.
    pub fn try_send(&self, message: &Prepared, except: Option<MemberId>) -> Tally {
        self.shared.deliver(message, except, None)
    }

    /// How many members there are.
    #[must_use]
    pub fn count(&self) -> usize {
        lock(&self.shared.list).members.len()
    }

    /// Removes a member; whether there was one. What waits for it still leaves, and its connection stays open. Takes time
    /// linear in the number of members; a member that ends by itself leaves in constant time.
    pub fn remove(&self, id: MemberId) -> bool {
        let Some(member) = self.shared.find(id) else { return false };
        let removed = self.shared.remove(&member);
        if let Some(waker) = member.end(None) {
            waker.wake();
        }
        removed
    }

    /// Closes every member's connection, behind what waits for it; the group is empty then. The reason is at most 123 bytes
    /// long.
    ///
    /// # Errors
    /// [`Error::Send`] for a longer one; nothing is closed.
    pub fn close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
        if reason.len() > 123 {
            return Err(driver::SendError::ReasonTooLong(reason.len()).into());
        }
        let members = std::mem::take(&mut lock(&self.shared.list).members);
        for member in members {
            if let Some(waker) = member.end(Some((code, reason))) {
                waker.wake();
            }
        }
        Ok(())
    }

    /// What has become of the messages to the group.
    #[must_use]
    pub fn stats(&self) -> GroupStats {
        lock(&self.shared.list).stats
    }

    /// What has become of the messages for one member, while it is one. Takes time linear in the number of members.
    #[must_use]
    pub fn member_stats(&self, id: MemberId) -> Option<MemberStats> {
        self.shared.find(id).map(|member| member.stats())
    }
}

impl Shared {
    /// Queues a message for each member but one, and wakes them. Those that are waited for go to `slow`; without it nobody
    /// is.
    fn deliver(
        &self,
        message: &Prepared,
        except: Option<MemberId>,
        mut slow: Option<&mut Vec<Arc<Member>>>,
    ) -> Tally {
        let mut tally = Tally::default();
        let mut list = lock(&self.list);
        let List { members, stats, wakers, .. } = &mut *list;
        let mut place = 0;
        while let Some(member) = members.get(place) {
            if Some(member.id) == except {
                place += 1;
                continue;
            }
            let (fate, waker) = member.deliver(message, slow.is_none());
            wakers.extend(waker);
            let stays = match fate {
                Fate::Queued { waits } => {
                    tally.queued += 1;
                    if waits && let Some(slow) = &mut slow {
                        slow.push(Arc::clone(member));
                    }
                    true
                }
                Fate::Replaced(messages, bytes) => {
                    tally.queued += 1;
                    stats.dropped += messages;
                    stats.dropped_bytes += bytes;
                    true
                }
                Fate::Dropped => {
                    tally.dropped += 1;
                    stats.dropped += 1;
                    stats.dropped_bytes += message.len() as u64;
                    true
                }
                Fate::Closed(messages, bytes) => {
                    tally.closed += 1;
                    stats.closed += 1;
                    stats.dropped += messages;
                    stats.dropped_bytes += bytes;
                    false
                }
                Fate::Over => false,
            };
            if stays {
                place += 1;
            } else {
                take_out(members, place);
            }
        }
        stats.queued += tally.queued as u64;
        let mut woken = std::mem::take(wakers);
        drop(list); // what goes with a waker may want the lock
        woken.drain(..).for_each(Waker::wake);
        let mut list = lock(&self.list);
        if list.wakers.capacity() < woken.capacity() {
            list.wakers = woken;
        }
        tally
    }

    fn find(&self, id: MemberId) -> Option<Arc<Member>> {
        lock(&self.list).members.iter().find(|member| member.id == id).map(Arc::clone)
    }

    /// Removes a member, in constant time; whether it was one.
    pub(super) fn remove(&self, member: &Arc<Member>) -> bool {
        let mut list = lock(&self.list);
        let place = member.place();
        let found = list.members.get(place).is_some_and(|found| Arc::ptr_eq(found, member));
        if found {
            take_out(&mut list.members, place);
        }
        found
    }
}

/// Takes out a member; the last one takes its place.
fn take_out(members: &mut Vec<Arc<Member>>, place: usize) {
    members.swap_remove(place);
    if let Some(moved) = members.get(place) {
        moved.set_place(place);
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("count", &self.count()).field("stats", &self.stats()).finish()
    }
}
