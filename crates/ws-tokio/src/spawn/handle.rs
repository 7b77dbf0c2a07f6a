//! The handles of a connection with a task of its own.

mod receiver;
mod sender;

use std::{sync::Arc, time::Duration};

use ws_endpoint::driver::{CloseCode, Closed, Message, Unsent};

pub use self::{receiver::HandleReceiver, sender::HandleSender};
use super::shared::Shared;
use crate::{Error, SendError};

/// A connection that has a task of its own: what is received waits here, what is sent is handed to the task.
///
/// While the application is busy elsewhere, the task answers pings, watches the deadlines and writes. When the inbox is
/// full, in messages or in bytes, it receives nothing more, so that the peer is held back; then the pings behind what was not
/// received stay unanswered too, as they cannot be seen before it. What may wait to be sent is bounded by the connection's
/// [`Limits`](ws_endpoint::driver::Limits), each message counted with 64 bytes beside its payload.
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

impl Handle {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { sender: HandleSender::new(Arc::clone(&shared)), receiver: HandleReceiver::new(shared) }
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
