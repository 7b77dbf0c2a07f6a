//! Where a connection's link is: with its owner, or lent to a task that writes.

mod flusher;
mod round;

use std::{
    cell::OnceCell,
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, OnceLock},
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite};

use self::flusher::engage;
use crate::{
    link::Link,
    tasks::{Tasks, lock},
};

/// Where a connection's link is.
///
/// What [`send`](crate::WebSocket::send) has queued behind more input is written by the next receive that finds none. But
/// nobody knows whether there will be one: the application may wait for anything else, and then nobody polls the
/// connection. So the link is lent meanwhile: it stands in a slot where a task finds it that runs once the
/// application's gives way, and writes. The owner goes on using it there, and takes it back when nothing is owed
/// any more. By then most such tasks have not run yet; they find nothing, and end.
#[derive(Debug)]
pub(crate) enum Home<S> {
    /// With its owner, who owes nothing: what is queued leaves with the owner's next use.
    Own(Box<Link<S>>),
    /// In the slot, for as long as something is owed and a flusher is engaged for it.
    Lent(Lent<S>),
}

/// The owner's end of a link that is lent.
#[derive(Debug)]
pub(crate) struct Lent<S> {
    hold: Hold<S>,
    /// The link while references to it are out that nothing but the next use by `&mut` ends.
    aside: OnceCell<Box<Link<S>>>,
}

/// The owner's hold on the slot: when it goes, what is lent goes, and the transport with it.
struct Hold<S>(Arc<Slot<S>>);

/// Where owner and flusher find the link.
pub(crate) struct Slot<S> {
    loan: Mutex<Loan<S>>,
    /// Who waits, where the transport takes no more.
    tasks: OnceLock<Tasks>,
}

struct Loan<S> {
    /// There until the owner takes it.
    link: Option<Box<Link<S>>>,
    /// Whether a flusher will look, or waits for the transport.
    is_engaged: bool,
}

/// Does what needs to know that the transport may be given to a task: known where a connection is made, and not where it
/// is used. Says whether it is done.
pub(crate) type Lending<S> = fn(Chore<'_, S>) -> bool;

/// What is done for an owner who has lent the link.
pub(crate) enum Chore<'a, S> {
    /// To spawn a task that looks into the slot.
    Engage(&'a Arc<Slot<S>>),
    /// To write what the transport takes at once.
    Write(&'a mut Link<S>),
}

/// Lends to tasks of the runtime that the caller runs on.
pub(crate) fn lending<S>(chore: Chore<'_, S>) -> bool
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    match chore {
        Chore::Engage(slot) => engage(slot),
        Chore::Write(link) => {
            link.write();
            true
        }
    }
}

impl<S> Home<S> {
    /// Uses the link where it is.
    pub(crate) fn with<T>(&mut self, using: impl FnOnce(&mut Link<S>) -> T) -> T {
        match self {
            Self::Own(link) => using(link),
            Self::Lent(lent) => using(lent.loan().link()),
        }
    }

    /// Looks at the link where it is.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Link<S>) -> T) -> T {
        match self {
            Self::Own(link) => look(link),
            Self::Lent(Lent { hold, aside }) => match aside.get() {
                Some(link) => look(link),
                None => look(lock(&hold.0.loan).link()),
            },
        }
    }

    /// Polls the link where it is, and takes it back as soon as nothing is owed any more.
    #[inline]
    pub(crate) fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut poll: impl FnMut(&mut Link<S>, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let lent = match self {
            Self::Own(link) => return poll(link, cx),
            Self::Lent(lent) => lent,
        };
        let mut loan = lent.loan();
        let polled = poll(loan.link(), cx);
        let owed = loan.is_owed();
        if owed && polled.is_ready() {
            return polled; // another message of the batch
        }
        drop(loan);
        self.settle(owed, polled, cx, &mut poll)
    }

    /// Goes on from a poll that waits, or behind which nothing is owed.
    #[inline(never)]
    fn settle<T>(
        &mut self,
        owed: bool,
        mut polled: Poll<T>,
        cx: &mut Context<'_>,
        poll: &mut dyn FnMut(&mut Link<S>, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let Self::Lent(lent) = self else { return polled };
        if owed {
            // Who waits beside a flusher is woken with it.
            polled = lent.poll_beside(cx, poll);
            if lent.loan().is_owed() {
                return polled;
            }
        }
        *self = Self::Own(lent.take());
        polled
    }

    /// Lends the link, and engages a flusher, which writes what is queued when the caller's task gives way. Says whether
    /// somebody will write it; if not, the link is still here.
    #[inline]
    pub(crate) fn lend(&mut self) -> bool {
        let Self::Own(link) = self else { return true };
        let Some(lending) = link.lending else { return false };
        let lent = Lent { hold: Hold::new(), aside: OnceCell::new() };
        if let Self::Own(link) = mem::replace(self, Self::Lent(lent))
            && let Self::Lent(Lent { hold: Hold(slot), .. }) = self
        {
            slot.put(link);
            if !lending(Chore::Engage(slot))
                && let Some(link) = slot.take()
            {
                *self = Self::Own(link);
            }
        }
        matches!(self, Self::Lent(_))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Home<S> {
    /// Takes the link back to use it as one's own. What is owed is written before, as far as the transport takes it.
    pub(crate) fn link(&mut self) -> &mut Link<S> {
        if let Self::Lent(lent) = self {
            lent.loan().link().write();
            *self = Self::Own(lent.take());
        }
        match self {
            Self::Own(link) => link,
            Self::Lent(_) => missing(),
        }
    }

    /// The same for references: until the link is used again nobody writes, as nobody knows how long they are kept.
    pub(crate) fn link_ref(&self) -> &Link<S> {
        match self {
            Self::Own(link) => link,
            Self::Lent(Lent { hold: Hold(slot), aside }) => aside.get_or_init(|| {
                lock(&slot.loan).link().write();
                slot.take().unwrap_or_else(|| missing())
            }),
        }
    }
}

impl<S> Lent<S> {
    /// Locks the slot, with the link in it.
    #[inline]
    fn loan(&mut self) -> MutexGuard<'_, Loan<S>> {
        let aside = self.aside.take();
        let mut loan = lock(&self.hold.0.loan);
        if aside.is_some() {
            loan.link = aside;
        }
        loan
    }

    /// Takes the link out of the slot; it is the owner's own from here on.
    fn take(&mut self) -> Box<Link<S>> {
        self.aside.take().or_else(|| self.hold.0.take()).unwrap_or_else(|| missing())
    }

    /// The transport takes no more: who uses the connection waits beside the flusher. What happens wakes both, so that
    /// the flusher goes on if the user does not come back.
    fn poll_beside<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: &mut dyn FnMut(&mut Link<S>, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let slot = &*self.hold.0;
        let tasks = slot.tasks.get_or_init(Tasks::default);
        tasks.reader.park(cx); // not under the lock, which what goes with a waker may want
        poll(lock(&slot.loan).link(), &mut Context::from_waker(&tasks.both))
    }
}

impl<S> Slot<S> {
    /// Leaves the link for a flusher that is about to be engaged.
    fn put(&self, link: Box<Link<S>>) {
        let mut loan = lock(&self.loan);
        loan.link = Some(link);
        loan.is_engaged = true;
    }

    /// Takes the link. A flusher that waits for it is woken, to find that there is nothing to do.
    fn take(&self) -> Option<Box<Link<S>>> {
        let link = lock(&self.loan).link.take();
        if let Some(tasks) = self.tasks.get() {
            tasks.writer.wake();
        }
        link
    }
}

impl<S> Loan<S> {
    /// The link, for its owner.
    #[inline]
    fn link(&mut self) -> &mut Link<S> {
        match &mut self.link {
            Some(link) => link,
            None => missing(),
        }
    }

    /// Whether something waits to leave that a flusher was engaged for.
    #[inline]
    fn is_owed(&mut self) -> bool {
        self.is_engaged && self.link.as_mut().is_some_and(|link| link.is_owing())
    }
}

/// The owner has not found the link where it was left, which no input and no order of threads brings about.
///
/// It is put into the slot in the call that makes it lent. It is taken out by its owner alone: to own it again, in the
/// same expression; to keep it aside, where each use looks first; or to drop it with all else. A flusher uses it in its
/// place, and panics there if at all. An empty slot cannot be had by types: to move out of what two share takes an
/// `Option`, and what lends `&mut` from the link has no error to give.
#[cold]
fn missing() -> ! {
    unreachable!("the link of a connection stays in its slot until its owner takes it")
}

impl<S> Hold<S> {
    fn new() -> Self {
        let loan = Mutex::new(Loan { link: None, is_engaged: false });
        Self(Arc::new(Slot { loan, tasks: OnceLock::new() }))
    }
}

impl<S> Drop for Hold<S> {
    fn drop(&mut self) {
        let Some(mut link) = self.0.take() else { return };
        if let Some(lending) = link.lending {
            lending(Chore::Write(&mut link));
        }
    }
}

impl<S> fmt::Debug for Hold<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold").finish_non_exhaustive()
    }
}
