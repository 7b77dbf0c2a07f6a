//! A connection in two halves for two tasks.

use std::{
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
};

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use ws_endpoint::driver::{CloseCode, Closed, Message, Unsent};

use crate::{Error, SendError, WebSocket};

/// The receiving half of a split connection, for one task. While it waits it watches the deadlines, and answers pings
/// and Closes by itself, also while the other half's task does something else.
///
/// When it is dropped nothing is received any more; what the other half sends still leaves.
pub struct OwnedReader<S> {
    shared: Arc<Shared<S>>,
}

/// The sending half of a split connection, for another task.
///
/// When it is dropped the other half receives on, and writes what is still queued.
pub struct OwnedWriter<S> {
    shared: Arc<Shared<S>>,
}

/// The connection. Either task drives all of it, whoever is polled.
struct Shared<S> {
    /// Locked for as long as a poll takes, never across an await.
    socket: Mutex<WebSocket<S>>,
    tasks: Arc<Tasks>,
    /// Wakes both tasks. Transport, timer and jobs know one waker each, and either task may wait for them.
    both: Waker,
}

/// The tasks that wait.
#[derive(Debug, Default)]
struct Tasks {
    reader: Mutex<Option<Waker>>,
    writer: Mutex<Option<Waker>>,
}

/// What one task does without any event outside and the other may wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Outlook {
    queued: usize,
    closing: bool,
    over: bool,
}

/// The halves belong to different connections.
#[derive(Error)]
#[error("the halves belong to different connections")]
pub struct ReuniteError<S>(
    /// The halves, as they were.
    pub Box<(OwnedReader<S>, OwnedWriter<S>)>,
);

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Splits the connection for two tasks. Costs a lock for each message; one task that does both is better off with
    /// [`halves`](Self::halves).
    pub fn split(self) -> (OwnedReader<S>, OwnedWriter<S>) {
        let tasks = Arc::<Tasks>::default();
        let both = Waker::from(Arc::clone(&tasks));
        let shared = Arc::new(Shared { socket: Mutex::new(self), tasks, both });
        (OwnedReader { shared: Arc::clone(&shared) }, OwnedWriter { shared })
    }

    fn outlook(&self) -> Outlook {
        let sender = &self.writer.sender;
        Outlook {
            queued: sender.queued(),
            closing: sender.is_closing(),
            over: sender.is_abandoned() || self.reader.pump.is_over(),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> OwnedReader<S> {
    /// The next message. `None` after a clean close.
    ///
    /// # Errors
    /// As for [`WebSocket::recv`].
    ///
    /// # Cancel safety
    /// Safe: nothing is lost when the future is dropped.
    pub async fn recv(&mut self) -> Option<Result<Message, Error>> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    pub(crate) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, Error>>> {
        let Shared { socket, tasks, both } = &*self.shared;
        park(&tasks.reader, cx);
        let mut socket = lock(socket);
        let before = socket.outlook();
        let received = socket.poll_recv(&mut Context::from_waker(both));
        let after = socket.outlook();
        drop(socket);
        if before != after {
            wake(&tasks.writer);
        }
        received
    }

    /// How the connection ended, once it has.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        lock(&self.shared.socket).closed()
    }

    /// Whether the end was reported.
    pub(crate) fn is_reported(&self) -> bool {
        lock(&self.shared.socket).reader.pump.is_reported()
    }

    /// Puts the halves together again.
    ///
    /// # Errors
    /// Gives both back when they belong to different connections.
    pub fn reunite(self, writer: OwnedWriter<S>) -> Result<WebSocket<S>, ReuniteError<S>> {
        if !Arc::ptr_eq(&self.shared, &writer.shared) {
            return Err(ReuniteError(Box::new((self, writer))));
        }
        let shared = Arc::clone(&self.shared);
        drop(self);
        drop(writer);
        match Arc::try_unwrap(shared) {
            Ok(shared) => Ok(shared.socket.into_inner().unwrap_or_else(PoisonError::into_inner)),
            // There are two halves and no way to make a third.
            Err(shared) => {
                let reader = OwnedReader { shared: Arc::clone(&shared) };
                Err(ReuniteError(Box::new((reader, OwnedWriter { shared }))))
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> OwnedWriter<S> {
    /// Sends a message: queues it, then writes everything that is queued.
    ///
    /// # Errors
    /// As for [`WebSocket::send`].
    ///
    /// # Cancel safety
    /// The message is queued whole by the first poll; what is dropped after that is written by whatever either half
    /// awaits next.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<(), SendError> {
        self.queue(message.into())?;
        self.flush().await.map_err(SendError::Ended)
    }

    /// Queues a message, and waits only while more is queued than the high-water mark allows. It is written by the next
    /// [`send`](Self::send) or [`flush`](Self::flush), or when the other half looks for messages.
    ///
    /// # Errors
    /// As for [`WebSocket::send`].
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    pub async fn feed(&mut self, message: impl Into<Message>) -> Result<(), SendError> {
        self.queue(message.into())?;
        Ok(poll_fn(|cx| self.poll_room(cx)).await?)
    }

    /// Writes everything that is queued.
    ///
    /// # Errors
    /// As for [`WebSocket::flush`].
    ///
    /// # Cancel safety
    /// Safe: what is not written stays queued.
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_flush(0, cx)).await
    }

    /// Sends a ping of up to 125 bytes.
    ///
    /// # Errors
    /// As for [`WebSocket::ping`].
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    pub async fn ping(&mut self, payload: &[u8]) -> Result<(), Error> {
        lock(&self.shared.socket).writer.ping(payload)?;
        self.flush().await
    }

    /// Sends a Close. The other half receives what still comes, and then `None`.
    ///
    /// # Errors
    /// As for [`WebSocket::begin_close`].
    ///
    /// # Cancel safety
    /// The Close is queued by the first poll.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.begin_close(code, reason)?;
        self.flush().await
    }

    /// How the connection ended, once it has.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        lock(&self.shared.socket).closed()
    }

    pub(crate) fn queue(&self, message: Message) -> Result<(), Unsent<Message>> {
        lock(&self.shared.socket).writer.send(message)
    }

    pub(crate) fn begin_close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
        lock(&self.shared.socket).writer.close(code, reason)?;
        wake(&self.shared.tasks.reader); // it watches the deadline for the answer
        Ok(())
    }

    /// Waits until less is queued than the high-water mark.
    pub(crate) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let mark = {
            let mut socket = lock(&self.shared.socket);
            if !socket.writer.sender.is_above_mark() {
                return Poll::Ready(Ok(()));
            }
            socket.writer.sender.limits_mut().high_water_mark
        };
        self.poll_flush(mark, cx)
    }

    /// Writes until fewer than `mark` bytes wait, or none.
    pub(crate) fn poll_flush(&mut self, mark: usize, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let Shared { socket, tasks, both } = &*self.shared;
        park(&tasks.writer, cx);
        let mut socket = lock(socket);
        let WebSocket { reader, writer, .. } = &mut *socket;
        let before = (writer.sender.is_closing(), reader.pump.is_over());
        let flushed = reader.poll_flush(writer, mark, &mut Context::from_waker(both));
        let after = (writer.sender.is_closing(), reader.pump.is_over());
        drop(socket);
        if before != after {
            wake(&tasks.reader);
        }
        if flushed.is_ready() {
            leave(&tasks.writer); // it waits for nothing
        }
        flushed
    }
}

impl<S> Drop for OwnedReader<S> {
    fn drop(&mut self) {
        leave(&self.shared.tasks.reader);
    }
}

impl<S> Drop for OwnedWriter<S> {
    fn drop(&mut self) {
        leave(&self.shared.tasks.writer);
        wake(&self.shared.tasks.reader); // it writes what is still queued
    }
}

impl<S> fmt::Debug for OwnedReader<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedReader").finish_non_exhaustive()
    }
}

impl<S> fmt::Debug for OwnedWriter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedWriter").finish_non_exhaustive()
    }
}

impl<S> fmt::Debug for ReuniteError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReuniteError").finish_non_exhaustive()
    }
}

/// A panic of another thread under the lock leaves bytes queued or not, and nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes who is to be woken; before it looks, so that nothing is missed in between.
fn park(slot: &Mutex<Option<Waker>>, cx: &Context<'_>) {
    let mut slot = lock(slot);
    if slot.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
        return;
    }
    let before = slot.replace(cx.waker().clone());
    drop(slot); // what goes with a waker may want the lock
    drop(before);
}

fn leave(slot: &Mutex<Option<Waker>>) -> Option<Waker> {
    lock(slot).take()
}

fn wake(slot: &Mutex<Option<Waker>>) {
    if let Some(waker) = leave(slot) {
        waker.wake();
    }
}

impl Wake for Tasks {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        wake(&self.reader);
        wake(&self.writer);
    }
}
