//! A connection in two halves for two tasks.

mod control;

use std::{
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use ws_endpoint::driver::{self, CloseCode, Closed, Compress, Message, Prepared, Unsent};

use crate::{
    Error, SendError, WebSocket,
    tasks::{Tasks, lock},
};

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
    tasks: Tasks,
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
        let shared = Arc::new(Shared { socket: Mutex::new(self), tasks: Tasks::default() });
        (OwnedReader { shared: Arc::clone(&shared) }, OwnedWriter { shared })
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
        let Shared { socket, tasks } = &*self.shared;
        tasks.reader.park(cx);
        let (received, changed) = lock(socket).link().poll_next_of_two(tasks);
        if changed {
            tasks.writer.wake();
        }
        received
    }

    /// How the connection ended, once it has.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        lock(&self.shared.socket).closed()
    }

    /// The connection, and who waits for it.
    pub(crate) fn shared(&self) -> (&Mutex<WebSocket<S>>, &Tasks) {
        (&self.shared.socket, &self.shared.tasks)
    }

    /// Whether the end was reported.
    pub(crate) fn is_reported(&self) -> bool {
        lock(&self.shared.socket).link().reader.pump.is_reported()
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
        self.queue_or_write(message.into(), Compress::Default).await?;
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
        self.queue_or_write(message.into(), Compress::Default).await?;
        Ok(poll_fn(|cx| self.poll_room(cx)).await?)
    }

    /// Sends a message that was prepared for many connections: queues it, then writes everything that is queued.
    ///
    /// # Errors
    /// As for [`WebSocket::send_prepared`].
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    pub async fn send_prepared(&mut self, message: &Prepared) -> Result<(), Error> {
        lock(&self.shared.socket).link().writer.send_prepared(message)?;
        self.flush().await
    }

    /// Queues a message that was prepared for many connections, as [`feed`](Self::feed) does one's own.
    ///
    /// # Errors
    /// As for [`WebSocket::send_prepared`].
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    pub async fn feed_prepared(&mut self, message: &Prepared) -> Result<(), Error> {
        lock(&self.shared.socket).link().writer.send_prepared(message)?;
        poll_fn(|cx| self.poll_room(cx)).await
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

    /// How the connection ended, once it has.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        lock(&self.shared.socket).closed()
    }

    /// The connection, and who waits for it.
    pub(crate) fn shared(&self) -> (&Mutex<WebSocket<S>>, &Tasks) {
        (&self.shared.socket, &self.shared.tasks)
    }

    pub(crate) fn queue(&self, message: Message) -> Result<(), Unsent<Message>> {
        lock(&self.shared.socket).link().writer.send(message)
    }

    /// The same; at the hard limit, what the transport takes is written first.
    async fn queue_or_write(&mut self, message: Message, compress: Compress) -> Result<(), Unsent<Message>> {
        let queued = lock(&self.shared.socket).link().writer.send_compressed(message, compress);
        let Err(Unsent { error: driver::SendError::Full { .. }, message }) = queued else { return queued };
        // An error of the transport makes the second try fail, too.
        poll_fn(|cx| Poll::Ready(self.poll_flush(usize::MAX, cx).is_ready())).await;
        lock(&self.shared.socket).link().writer.send_compressed(message, compress)
    }

    pub(crate) fn begin_close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
        lock(&self.shared.socket).link().writer.close(code, reason)?;
        self.shared.tasks.reader.wake(); // it watches the deadline for the answer
        Ok(())
    }

    /// Waits until less is queued than the high-water mark.
    pub(crate) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let mark = {
            let mut socket = lock(&self.shared.socket);
            let writer = &socket.link().writer;
            if !writer.is_above_mark() {
                return Poll::Ready(Ok(()));
            }
            writer.sender.limits().high_water_mark
        };
        self.poll_flush(mark, cx)
    }

    /// Writes until fewer than `mark` bytes wait, or none.
    pub(crate) fn poll_flush(&mut self, mark: usize, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let Shared { socket, tasks } = &*self.shared;
        tasks.writer.park(cx);
        let (flushed, changed) = lock(socket).link().poll_flush_of_two(mark, tasks);
        if changed {
            tasks.reader.wake();
        }
        if flushed.is_ready() {
            tasks.writer.leave(); // it waits for nothing
        }
        flushed
    }
}

impl<S> Drop for OwnedReader<S> {
    fn drop(&mut self) {
        self.shared.tasks.reader.leave();
    }
}

impl<S> Drop for OwnedWriter<S> {
    fn drop(&mut self) {
        self.shared.tasks.writer.leave();
        self.shared.tasks.reader.wake(); // it writes what is still queued
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
