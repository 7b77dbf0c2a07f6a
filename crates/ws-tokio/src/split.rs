//! A connection in two halves for two tasks.

use std::{
    future::poll_fn,
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker, ready},
};

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, ReadHalf, WriteHalf};
use ws_endpoint::driver::{CloseCode, Closed, Delivery, Event, Message, Progress};

use crate::{Error, Reader, SendError, WebSocket, Writer, pump::Pump, websocket::Facts};

/// The receiving half of a split connection, for one task. It watches the deadlines, and answers pings and Closes by
/// itself, also while the other half's task does something else.
#[derive(Debug)]
pub struct OwnedReader<S> {
    io: ReadHalf<S>,
    pump: Pump,
    facts: Facts,
    shared: Arc<Shared<S>>,
}

/// The sending half of a split connection, for another task.
#[derive(Debug)]
pub struct OwnedWriter<S> {
    shared: Arc<Shared<S>>,
}

/// What both halves write to.
#[derive(Debug)]
struct Shared<S> {
    side: Mutex<WriteSide<S>>,
    tasks: Arc<Tasks>,
}

#[derive(Debug)]
struct WriteSide<S> {
    io: WriteHalf<S>,
    writer: Writer,
}

/// The tasks that wait for the transport to take more. It wakes one task only, the last that asked: so they ask as one.
#[derive(Debug, Default)]
struct Tasks {
    reader: Mutex<Option<Waker>>,
    writer: Mutex<Option<Waker>>,
}

/// The halves belong to different connections.
#[derive(Debug, Error)]
#[error("the halves belong to different connections")]
pub struct ReuniteError<S>(
    /// The halves, as they were.
    pub Box<(OwnedReader<S>, OwnedWriter<S>)>,
);

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Splits the connection for two tasks. Costs a lock for each batch; one task that does both is better off with
    /// [`halves`](Self::halves).
    pub fn split(self) -> (OwnedReader<S>, OwnedWriter<S>) {
        let Self { reader: Reader { io, pump }, writer, facts } = self;
        let (read, write) = tokio::io::split(io);
        let side = Mutex::new(WriteSide { io: write, writer });
        let shared = Arc::new(Shared { side, tasks: Arc::default() });
        (OwnedReader { io: read, pump, facts, shared: Arc::clone(&shared) }, OwnedWriter { shared })
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
        if self.pump.receiver.is_mid_message() {
            return Poll::Ready(Some(Err(Error::MidMessage)));
        }
        self.pump.receiver.set_delivery(Delivery::Whole);
        loop {
            match ready!(self.poll_event(cx)) {
                Progress::Ready => {}
                _ => return Poll::Ready(self.pump.report().map(Err)),
            }
            if let Event::Message(message) = self.pump.receiver.event() {
                return Poll::Ready(Some(Ok(message.into_message())));
            }
        }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Progress> {
        let Shared { side, tasks } = &*self.shared;
        register(&tasks.reader, cx);
        let mut side = lock(side);
        let WriteSide { io, writer } = &mut *side;
        let both = Waker::from(Arc::clone(tasks));
        let mut io = Joined { read: &mut self.io, write: io, both: &both };
        self.pump.poll_event(&mut io, writer, cx)
    }

    /// How the connection ended, once it has.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        let side = lock(&self.shared.side);
        self.pump.receiver.ending().map(|ending| side.writer.sender.closed(ending))
    }

    /// Puts the halves together again.
    ///
    /// # Errors
    /// Gives both back when they belong to different connections.
    pub fn reunite(self, writer: OwnedWriter<S>) -> Result<WebSocket<S>, ReuniteError<S>> {
        if !Arc::ptr_eq(&self.shared, &writer.shared) {
            return Err(ReuniteError(Box::new((self, writer))));
        }
        drop(writer);
        let Self { io, pump, facts, shared } = self;
        match Arc::try_unwrap(shared) {
            Ok(shared) => {
                let side = shared.side.into_inner().unwrap_or_else(PoisonError::into_inner);
                let io = io.unsplit(side.io);
                Ok(WebSocket { reader: Reader { io, pump }, writer: side.writer, facts })
            }
            // There are two halves and no way to make a third.
            Err(shared) => {
                let writer = OwnedWriter { shared: Arc::clone(&shared) };
                Err(ReuniteError(Box::new((Self { io, pump, facts, shared }, writer))))
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
        lock(&self.shared.side).writer.send(message)?;
        self.flush().await.map_err(SendError::Ended)
    }

    /// Queues a message, and waits only while more is queued than the high-water mark allows.
    ///
    /// # Errors
    /// As for [`WebSocket::send`].
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    pub async fn feed(&mut self, message: impl Into<Message>) -> Result<(), SendError> {
        let mark = {
            let mut side = lock(&self.shared.side);
            side.writer.send(message)?;
            if !side.writer.sender.is_above_mark() {
                return Ok(());
            }
            side.writer.sender.limits_mut().high_water_mark
        };
        Ok(poll_fn(|cx| self.poll_flush(mark, cx)).await?)
    }

    /// Writes everything that is queued.
    ///
    /// # Errors
    /// When the transport fails.
    ///
    /// # Cancel safety
    /// Safe: what is not written stays queued.
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_flush(0, cx)).await
    }

    fn poll_flush(&mut self, mark: usize, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let Shared { side, tasks } = &*self.shared;
        register(&tasks.writer, cx);
        let mut side = lock(side);
        let WriteSide { io, writer } = &mut *side;
        let both = Waker::from(Arc::clone(tasks));
        match writer.poll_write(io, &mut Context::from_waker(&both)) {
            Poll::Ready(Ok(())) if writer.sender.is_abandoned() => {
                Poll::Ready(Err(Error::Send(ws_endpoint::driver::SendError::Closed)))
            }
            Poll::Ready(Ok(())) => Poll::Ready(Ok(())),
            Poll::Ready(Err(error)) => {
                writer.sender.abandon();
                wake(&tasks.reader);
                Poll::Ready(Err(Error::Io(error)))
            }
            Poll::Pending if writer.queued() < mark => Poll::Ready(Ok(())),
            Poll::Pending => {
                wake(&tasks.reader); // it watches the deadline for a peer that takes nothing
                Poll::Pending
            }
        }
    }

    /// Sends a ping of up to 125 bytes.
    ///
    /// # Errors
    /// As for [`WebSocket::ping`].
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    pub async fn ping(&mut self, payload: &[u8]) -> Result<(), Error> {
        lock(&self.shared.side).writer.ping(payload)?;
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
        lock(&self.shared.side).writer.close(code, reason)?;
        wake(&self.shared.tasks.reader); // it watches the deadline for the answer
        self.flush().await
    }
}

/// A panic of another thread under the lock leaves bytes queued or not, and nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn register(slot: &Mutex<Option<Waker>>, cx: &Context<'_>) {
    let mut slot = lock(slot);
    match &mut *slot {
        Some(waker) => waker.clone_from(cx.waker()),
        none => *none = Some(cx.waker().clone()),
    }
}

fn wake(slot: &Mutex<Option<Waker>>) {
    let waker = lock(slot).take();
    if let Some(waker) = waker {
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

/// Both halves of the transport while the reader drives them; writes wake both tasks.
struct Joined<'a, S> {
    read: &'a mut ReadHalf<S>,
    write: &'a mut WriteHalf<S>,
    both: &'a Waker,
}

impl<S: AsyncRead> AsyncRead for Joined<'_, S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.read).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite> AsyncWrite for Joined<'_, S> {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let mut cx = Context::from_waker(self.both);
        Pin::new(&mut *self.write).poll_write(&mut cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut cx = Context::from_waker(self.both);
        Pin::new(&mut *self.write).poll_write_vectored(&mut cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.write.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut cx = Context::from_waker(self.both);
        Pin::new(&mut *self.write).poll_flush(&mut cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut cx = Context::from_waker(self.both);
        Pin::new(&mut *self.write).poll_shutdown(&mut cx)
    }
}
