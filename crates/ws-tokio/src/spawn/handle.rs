//! The handles of a connection with a task of its own.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_core::{FusedStream, Stream};
use ws_endpoint::driver::{self, CloseCode, Closed, Message, Prepared, Unsent};

use super::{orders::Order, shared::Shared};
use crate::{Error, SendError, Subscription, tasks::lock};

/// A connection that has a task of its own: what is received waits here, what is sent is handed to the task.
///
/// While the application is busy elsewhere, the task answers pings, watches the deadlines and writes. When the inbox is
/// full, in messages or in bytes, it receives nothing more, so that the peer is held back; then the pings behind what was not
/// received stay unanswered too, as they cannot be seen before it. What may wait to be sent is bounded by the connection's
/// [`Limits`](driver::Limits), each message counted with 64 bytes beside its payload.
///
/// [`split`](Self::split) gives a half that sends, which can be cloned, and one that receives. The task ends with the
/// connection. When the receiving half is dropped, messages that arrive are dropped, and all else goes on. When every half is
/// dropped, what was sent still leaves, then a Close with 1001, and the closing handshake takes place under its deadline.
/// When the task dies, by a panic in an extension or with its runtime, the transport is dropped and the handles report
/// [`Error::Lost`].
#[derive(Debug)]
pub struct Handle {
    sender: HandleSender,
    receiver: HandleReceiver,
}

/// The half of a [`Handle`] that sends, for as many tasks as there are.
#[derive(Clone)]
pub struct HandleSender {
    outlet: Arc<Outlet>,
}

/// The half of a [`Handle`] that receives. It is a [`Stream`], too.
pub struct HandleReceiver {
    shared: Arc<Shared>,
    /// Whether the end was told.
    told: bool,
}

/// What the clones of a sender share.
struct Outlet {
    shared: Arc<Shared>,
}

impl Handle {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let receiver = HandleReceiver { shared: Arc::clone(&shared), told: false };
        Self { sender: HandleSender { outlet: Arc::new(Outlet { shared }) }, receiver }
    }

    /// The halves.
    #[must_use]
    pub fn split(self) -> (HandleSender, HandleReceiver) {
        (self.sender, self.receiver)
    }

    /// Another half that sends.
    #[must_use]
    pub fn sender(&self) -> HandleSender {
        self.sender.clone()
    }

    /// The next message; see [`HandleReceiver::recv`].
    ///
    /// # Errors
    /// As for [`WebSocket::recv`](crate::WebSocket::recv).
    ///
    /// # Cancel safety
    /// Safe: nothing is lost when the future is dropped.
    pub async fn recv(&mut self) -> Option<Result<Message, Error>> {
        self.receiver.recv().await
    }

    /// Sends a message; see [`HandleSender::send`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        self.sender.send(message).await
    }

    /// Sends a message if that needs no waiting; see [`HandleSender::try_send`].
    ///
    /// # Errors
    /// As there.
    pub fn try_send(&self, message: impl Into<Message>) -> Result<(), Unsent<Message>> {
        self.sender.try_send(message)
    }

    /// Waits until everything has left; see [`HandleSender::flush`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn flush(&self) -> Result<(), Error> {
        self.sender.flush().await
    }

    /// Closes the connection and waits for its end; see [`HandleSender::close`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn close(&self, code: CloseCode, reason: &str) -> Result<Option<Closed>, Error> {
        self.sender.close(code, reason).await
    }

    /// How long the peer took to answer the last ping; see [`HandleSender::rtt`].
    #[must_use]
    pub fn rtt(&self) -> Option<Duration> {
        self.sender.rtt()
    }

    /// How the connection ended, once it has.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.receiver.closed()
    }
}

impl HandleSender {
    /// Sends a message: hands it to the task, and waits only while more waits to be sent than the high-water mark allows. The
    /// task writes it without being asked.
    ///
    /// # Errors
    /// [`SendError::Unsent`] with the message at the hard limit, or when the connection is closing; [`SendError::Ended`] when
    /// it ends while this waits.
    ///
    /// # Cancel safety
    /// The message is handed over whole by the first poll; a future that is dropped after that has sent it.
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        let message = message.into();
        self.hand_over(|shared| lock(&shared.orders).send(message, false))?;
        Ok(self.room().await?)
    }

    /// Sends a message that was prepared for many connections.
    ///
    /// # Errors
    /// [`Error::Send`] where [`send`](Self::send) gives [`SendError::Unsent`]; how the connection ended while this waits.
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    pub async fn send_prepared(&self, message: &Prepared) -> Result<(), Error> {
        let order = Order::SendPrepared(message.clone());
        self.hand_over(|shared| lock(&shared.orders).give(order))?;
        self.room().await
    }

    /// Waits until less waits than the high-water mark allows.
    async fn room(&self) -> Result<(), Error> {
        let room = |shared: &Shared| match shared.end() {
            Some(_) => Some(Err(ended(shared))),
            None => (!lock(&shared.orders).is_above_mark()).then_some(Ok(())),
        };
        self.shared().wait(room).await
    }

    /// Lets the task write what is sent to a group.
    pub(crate) fn join(&self, subscription: Subscription) -> Result<(), driver::SendError> {
        self.hand_over(|shared| {
            let mut orders = lock(&shared.orders);
            orders.give(Order::Join(subscription))
        })
    }

    /// Sends a message if that needs no waiting.
    ///
    /// # Errors
    /// [`Full`](driver::SendError::Full) above the high-water mark, [`Closed`](driver::SendError::Closed); with the message.
    pub fn try_send(&self, message: impl Into<Message>) -> Result<(), Unsent<Message>> {
        let message = message.into();
        self.hand_over(|shared| lock(&shared.orders).send(message, true))
    }

    /// Sends a ping of up to 125 bytes.
    ///
    /// # Errors
    /// [`ControlTooLong`](driver::SendError::ControlTooLong), [`Full`](driver::SendError::Full) at the hard limit,
    /// [`Closed`](driver::SendError::Closed).
    pub fn ping(&self, payload: &[u8]) -> Result<(), driver::SendError> {
        if payload.len() > 125 {
            return Err(driver::SendError::ControlTooLong(payload.len()));
        }
        self.hand_over(|shared| lock(&shared.orders).give(Order::Ping(payload.into())))
    }

    /// How long the peer took to answer the last ping that it has answered, one of [`ping`](Self::ping) or of the
    /// keepalive; `None` before the first one. While the inbox is full no pong can be seen.
    #[must_use]
    pub fn rtt(&self) -> Option<Duration> {
        self.shared().rtt()
    }

    /// Waits until everything that was sent before has been written to the transport.
    ///
    /// # Errors
    /// When the connection ends before that, or something could not be sent.
    ///
    /// # Cancel safety
    /// Safe: what is not written stays queued.
    pub async fn flush(&self) -> Result<(), Error> {
        let given = lock(&self.shared().orders).given;
        let written = |shared: &Shared| {
            let orders = lock(&shared.orders);
            if let Some(failure) = &orders.failure {
                return Some(Err(Error::Send(failure.clone())));
            }
            if orders.written >= given {
                return Some(Ok(()));
            }
            drop(orders);
            shared.end().is_some().then(|| Err(ended(shared)))
        };
        self.shared().wait(written).await
    }

    /// Closes the connection behind what was sent, and waits for its end. What still arrives comes to the receiving half.
    ///
    /// # Errors
    /// [`Error::Send`] for a reason above 123 bytes; how the connection has ended, if not with a closing handshake.
    ///
    /// # Cancel safety
    /// The Close is handed over by the first poll; call it again to go on waiting.
    pub async fn close(&self, code: CloseCode, reason: &str) -> Result<Option<Closed>, Error> {
        self.begin_close(code, reason)?;
        let end = |shared: &Shared| {
            let end = shared.end()?;
            Some(end.error.as_ref().map_or_else(|| Ok(end.closed.clone()), |error| Err(error.again())))
        };
        self.shared().wait(end).await
    }

    /// Sends a Close behind what was sent, and does not wait. On a connection that has ended it does nothing.
    ///
    /// # Errors
    /// [`Error::Send`] for a reason above 123 bytes.
    pub fn begin_close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
        if reason.len() > 123 {
            return Err(driver::SendError::ReasonTooLong(reason.len()).into());
        }
        lock(&self.shared().orders).close(code, reason);
        self.shared().task.wake();
        Ok(())
    }

    /// Drops the transport without a Close; the peer reports 1006.
    pub fn close_now(&self) {
        lock(&self.shared().orders).terminated = true;
        self.shared().task.wake();
    }

    /// How the connection ended, once it has.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.shared().end()?.closed.clone()
    }

    /// Whether the connection has ended, and its task with it.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.shared().end().is_some()
    }

    /// Bytes that wait for the connection to take them; it has up to a high-water mark of its own.
    #[must_use]
    pub fn queued(&self) -> usize {
        lock(&self.shared().orders).bytes()
    }

    /// Whether [`send`](Self::send) would wait.
    #[must_use]
    pub fn is_above_mark(&self) -> bool {
        lock(&self.shared().orders).is_above_mark()
    }

    fn shared(&self) -> &Shared {
        &self.outlet.shared
    }

    fn hand_over<E>(&self, order: impl FnOnce(&Shared) -> Result<(), E>) -> Result<(), E> {
        order(self.shared())?;
        self.shared().task.wake();
        Ok(())
    }
}

/// Why nothing can be sent to a connection that has ended.
fn ended(shared: &Shared) -> Error {
    let error = shared.end().and_then(|end| end.error.as_ref());
    error.map_or(Error::Send(driver::SendError::Closed), Error::again)
}

impl HandleReceiver {
    /// The next message. `None` after a clean close.
    ///
    /// # Errors
    /// Once, when the connection has ended without a closing handshake; then `None`.
    ///
    /// # Cancel safety
    /// Safe: nothing is lost when the future is dropped.
    pub async fn recv(&mut self) -> Option<Result<Message, Error>> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    fn poll_recv(&mut self, cx: &Context<'_>) -> Poll<Option<Result<Message, Error>>> {
        if let Some(message) = self.try_recv() {
            return Poll::Ready(Some(Ok(message)));
        }
        self.shared.reader.park(cx);
        let ended = self.shared.end().is_some(); // first: what came is there before the end is told
        if let Some(message) = self.try_recv() {
            return Poll::Ready(Some(Ok(message)));
        }
        if !ended {
            return Poll::Pending;
        }
        let error = self.shared.end().and_then(|end| end.error.as_ref()).filter(|_| !self.told);
        let error = error.map(Error::again);
        self.told = true;
        Poll::Ready(error.map(Err))
    }

    /// The next message, if there is one.
    pub fn try_recv(&mut self) -> Option<Message> {
        let (message, wakes) = lock(&self.shared.inbox).pop()?;
        if wakes {
            self.shared.task.wake();
        }
        Some(message)
    }

    /// Messages that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.shared.inbox).len()
    }

    /// Whether no message waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How the connection ended, once it has; messages may still wait.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.shared.end()?.closed.clone()
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.shared.leave();
    }
}

impl Drop for HandleReceiver {
    fn drop(&mut self) {
        let unread = lock(&self.shared.inbox).leave();
        drop(unread);
        self.shared.leave();
    }
}

impl Stream for HandleReceiver {
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_recv(cx)
    }
}

impl FusedStream for HandleReceiver {
    fn is_terminated(&self) -> bool {
        self.told && self.is_empty()
    }
}

impl fmt::Debug for HandleSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandleSender").field("queued", &self.queued()).finish_non_exhaustive()
    }
}

impl fmt::Debug for HandleReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandleReceiver").field("waiting", &self.len()).finish_non_exhaustive()
    }
}
