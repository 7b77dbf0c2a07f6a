//! Where a connection's link is: with its owner, or lent to a task that writes.

mod flusher;

use std::{
    cell::OnceCell,
    fmt, mem,
    sync::{Arc, Mutex, OnceLock},
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
pub(crate) struct Hold<S>(Arc<Slot<S>>);

/// Where owner and flusher find the link.
pub(crate) struct Slot<S> {
    loan: Mutex<Loan<S>>,
    /// Who waits, where the transport takes no more.
    tasks: OnceLock<Tasks>,
}

struct Loan<S> {
    link: Option<Box<Link<S>>>,
    /// Whether a flusher will look, or waits for the transport.
    is_engaged: bool,
}

/// How far a link that is lent was polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waits,
    Done,
    /// The link is not in its slot.
    Away,
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
    pub(crate) fn with<T>(&mut self, mut using: impl FnMut(&mut Link<S>) -> T) -> T {
        loop {
            match self {
                Self::Own(link) => return using(link),
                Self::Lent(lent) => {
                    if let Some(link) = lent.aside.take() {
                        *self = Self::Own(link);
                    } else if let Some(link) = &mut lock(&lent.hold.0.loan).link {
                        return using(link);
                    } // There is no other case: who lends it leaves it there until they take it.
                }
            }
        }
    }

    /// Looks at the link where it is.
    pub(crate) fn look<T>(&self, look: impl Fn(&Link<S>) -> T) -> T {
        loop {
            match self {
                Self::Own(link) => return look(link),
                Self::Lent(lent) => {
                    if let Some(link) = lent.aside.get() {
                        return look(link);
                    }
                    if let Some(link) = &lock(&lent.hold.0.loan).link {
                        return look(link);
                    }
                }
            }
        }
    }

    /// Polls the link where it is, and takes it back as soon as nothing is owed any more.
    #[inline]
    pub(crate) fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut poll: impl FnMut(&mut Link<S>, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let mut polled = Poll::Pending;
        loop {
            match self {
                Self::Own(link) => return poll(link, cx),
                Self::Lent(lent) => {
                    if let Some(link) = lent.aside.take() {
                        *self = Self::Own(link);
                        continue;
                    }
                    // The result stays where it is: messages are not moved once more for each step on the way.
                    let (state, back) = lent.poll(cx, |link, cx| {
                        polled = poll(link, cx);
                        if polled.is_pending() { State::Waits } else { State::Done }
                    });
                    if let Some(link) = back {
                        *self = Self::Own(link);
                    }
                    if state != State::Away {
                        return polled;
                    }
                }
            }
        }
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
        loop {
            match *self {
                Self::Own(ref mut link) => return link,
                Self::Lent(ref mut lent) => {
                    if let Some(mut link) = lent.aside.take().or_else(|| lent.hold.0.take()) {
                        link.write();
                        *self = Self::Own(link);
                    }
                }
            }
        }
    }

    /// The same for references: until the link is used again nobody writes, as nobody knows how long they are kept.
    pub(crate) fn link_ref(&self) -> &Link<S> {
        match self {
            Self::Own(link) => link,
            Self::Lent(lent) => lent.aside.get_or_init(|| {
                loop {
                    if let Some(mut link) = lent.hold.0.take() {
                        link.write();
                        return link;
                    }
                }
            }),
        }
    }
}

impl<S> Lent<S> {
    /// Polls the link in its slot. Gives it back beside the result when nothing is owed any more.
    #[inline]
    fn poll(
        &self,
        cx: &mut Context<'_>,
        mut poll: impl FnMut(&mut Link<S>, &mut Context<'_>) -> State,
    ) -> (State, Option<Box<Link<S>>>) {
        let slot = &*self.hold.0;
        let mut loan = lock(&slot.loan);
        let state = loan.poll(cx, &mut poll);
        if !loan.is_owed() {
            drop(loan);
            return (state, slot.take());
        }
        if state == State::Waits {
            drop(loan);
            return self.poll_beside(cx, &mut poll);
        }
        (state, None)
    }

    /// The transport takes no more: who uses the connection waits beside the flusher. What happens wakes both, so that
    /// the flusher goes on if the user does not come back.
    #[cold]
    fn poll_beside(
        &self,
        cx: &mut Context<'_>,
        poll: &mut dyn FnMut(&mut Link<S>, &mut Context<'_>) -> State,
    ) -> (State, Option<Box<Link<S>>>) {
        let slot = &*self.hold.0;
        let tasks = slot.tasks.get_or_init(Tasks::default);
        tasks.reader.park(cx); // not under the lock, which what goes with a waker may want
        let mut loan = lock(&slot.loan);
        let state = loan.poll(&mut Context::from_waker(&tasks.both), poll);
        if loan.is_owed() {
            return (state, None);
        }
        drop(loan);
        (state, slot.take())
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
    #[inline]
    fn poll<F>(&mut self, cx: &mut Context<'_>, poll: &mut F) -> State
    where
        F: FnMut(&mut Link<S>, &mut Context<'_>) -> State + ?Sized,
    {
        self.link.as_mut().map_or(State::Away, |link| poll(link, cx))
    }

    /// Whether something waits to leave that a flusher was engaged for.
    fn is_owed(&mut self) -> bool {
        self.is_engaged && self.link.as_mut().is_some_and(|link| link.is_owing())
    }
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
