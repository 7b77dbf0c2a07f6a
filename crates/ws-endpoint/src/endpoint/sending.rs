//! What an endpoint sends, whether it is open already or not, and how the caller ends it.

use http::Response;
use ws_driver::{CloseCode, DataKind, Initiator, Message, SendError, Unsent};
use ws_handshake::{Body, Refusal, RequestError, write_response};

use super::{Endpoint, Failure, PingId};

impl Endpoint {
    /// Queues a message. Before the connection is open it waits here, and leaves right behind the opening handshake.
    ///
    /// # Errors
    /// [`SendError::Closed`], [`SendError::Full`], [`SendError::MessageOpen`], [`SendError::Extension`]; each with the
    /// message.
    pub fn send(&mut self, message: impl Into<Message>) -> Result<(), Unsent<Message>> {
        let message = message.into();
        match (&mut self.connection, &mut self.opening) {
            (Some(connection), _) => connection.sender().send(message),
            (None, Some(opening)) => opening.queue.send(message),
            (None, None) => Err(Unsent { error: SendError::Closed, message }),
        }
    }

    /// Queues a text message.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    pub fn text(&mut self, text: &str) -> Result<(), SendError> {
        self.write(DataKind::Text, text.as_bytes(), || text.into())
    }

    /// Queues a binary message.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    pub fn binary(&mut self, payload: &[u8]) -> Result<(), SendError> {
        self.write(DataKind::Binary, payload, || payload.into())
    }

    /// An open connection copies the payload once; before that it is kept in a message of its own.
    fn write(
        &mut self,
        kind: DataKind,
        payload: &[u8],
        message: impl FnOnce() -> Message,
    ) -> Result<(), SendError> {
        match &mut self.connection {
            Some(connection) => connection.sender().write(kind, payload),
            None => self.send(message()).map_err(|unsent| unsent.error),
        }
    }

    /// Queues a ping of at most 125 bytes. [`Event::Pong`](crate::Event::Pong) names it when it is answered. Up to 64 are
    /// remembered; give each a payload of its own, so that none is taken for another.
    ///
    /// # Errors
    /// [`SendError::ControlTooLong`], [`SendError::Closed`], [`SendError::Full`].
    pub fn ping(&mut self, payload: &[u8]) -> Result<PingId, SendError> {
        match (&mut self.connection, &mut self.opening) {
            (Some(connection), _) => connection.sender().ping(payload)?,
            (None, Some(opening)) => opening.queue.ping(payload)?,
            (None, None) => return Err(SendError::Closed),
        }
        Ok(self.pings.sent(payload))
    }

    /// Queues a pong: an answer of the caller's own, or unsolicited.
    ///
    /// # Errors
    /// As for [`ping`](Self::ping).
    pub fn pong(&mut self, payload: &[u8]) -> Result<(), SendError> {
        match (&mut self.connection, &mut self.opening) {
            (Some(connection), _) => connection.sender().pong(payload),
            (None, Some(opening)) => opening.queue.pong(payload),
            (None, None) => Err(SendError::Closed),
        }
    }

    /// Queues a Close with a code and a reason of at most 123 bytes, behind everything that was sent. A second one sends
    /// nothing. Before the connection is open it ends here and now: a request that waits is answered with 503, what was
    /// queued is dropped, and [`Event::Closed`](crate::Event::Closed) says 1006, as for every connection that saw no Close.
    ///
    /// # Errors
    /// [`SendError::ReasonTooLong`].
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), SendError> {
        match &mut self.connection {
            Some(connection) => connection.sender().close(code, reason),
            None if reason.len() > 123 => Err(SendError::ReasonTooLong(reason.len())),
            None => {
                self.end_before_open();
                Ok(())
            }
        }
    }

    /// The same with a Close that has no code, which the peer reports as 1005.
    pub fn close_without_code(&mut self) {
        match &mut self.connection {
            Some(connection) => connection.sender().close_without_code(),
            None => self.end_before_open(),
        }
    }

    fn end_before_open(&mut self) {
        let asked = self.opening.as_ref().is_some_and(|opening| opening.is_asked());
        let answer = asked.then(|| write_response(Refusal::from(RequestError::Unavailable).response()));
        self.end_unopened(None, Initiator::Local, answer);
    }

    /// A server answers the request that has come with this refusal; the transport ends behind it.
    ///
    /// # Errors
    /// The refusal, when there is no request to answer.
    pub fn refuse(&mut self, refusal: Refusal) -> Result<(), Refusal> {
        if self.opening.as_ref().is_some_and(|opening| opening.is_asked()) {
            self.fail(Failure::Refused(refusal));
            Ok(())
        } else {
            Err(refusal)
        }
    }

    /// A server answers the request that has come with an ordinary response, a page say; the transport ends behind it.
    /// Whether there was one to answer.
    pub fn respond<B: Body>(&mut self, response: &Response<B>) -> bool {
        let asked = self.opening.as_ref().is_some_and(|opening| opening.is_asked());
        if asked {
            self.end_unopened(None, Initiator::Local, Some(write_response(response)));
        }
        asked
    }

    /// Bytes that wait to be written, in extensions too; before the connection is open what its queue takes in memory.
    #[must_use]
    pub fn queued(&self) -> usize {
        match (&self.connection, &self.opening) {
            (Some(connection), _) => self.head.len() + connection.queued(),
            (None, opening) => opening.as_ref().map_or(0, |opening| opening.queue.bytes()),
        }
    }

    /// Whether so much waits that the caller should write before it sends more. Sending goes on to work until the hard
    /// limit beyond the mark.
    #[must_use]
    pub fn is_above_mark(&self) -> bool {
        let queued = self.queued();
        self.limits().is_some_and(|limits| queued >= limits.high_water_mark)
    }
}
