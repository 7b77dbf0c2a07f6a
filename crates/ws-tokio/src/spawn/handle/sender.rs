//! The half that sends.

use std::{fmt, sync::Arc, time::Duration};

use ws_endpoint::driver::{self, CloseCode, Closed, Message, Prepared, Unsent};

use crate::{
    Error, SendError, Subscription,
    spawn::{orders::Order, shared::Shared},
    tasks::lock,
};

/// The half of a [`Handle`](crate::Handle) that sends, for as many tasks as there are.
#[derive(Clone)]
pub struct HandleSender {
    outlet: Arc<Outlet>,
}

/// What the clones of a sender share.
struct Outlet {
    shared: Arc<Shared>,
}

impl HandleSender {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { outlet: Arc::new(Outlet { shared }) }
    }

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

impl Drop for Outlet {
    fn drop(&mut self) {
        self.shared.leave();
    }
}

impl fmt::Debug for HandleSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandleSender").field("queued", &self.queued()).finish_non_exhaustive()
    }
}
