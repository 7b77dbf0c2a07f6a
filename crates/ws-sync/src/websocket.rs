//! A connection.

use std::{
    io,
    time::{Duration, Instant},
};

use http::Response;
use ws_endpoint::{
    Endpoint, Event, PingId,
    driver::{CloseCode, Closed, Incoming, Message, Sender},
};

use crate::{Error, OwnedReader, OwnedWriter, SendError, SharedTransport, Transport, pump::Pump, split};

/// A WebSocket connection over a blocking stream.
///
/// Its methods block the thread that calls them. Pings are answered and deadlines kept while one of them waits: a
/// connection that nobody calls does nothing.
///
/// ```no_run
/// # fn example(mut ws: ws_sync::WebSocket<std::net::TcpStream>) -> Result<(), ws_sync::Error> {
/// while let Some(message) = ws.recv() {
///     ws.send(message?)?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct WebSocket<S> {
    pub(crate) pump: Pump<S>,
}

impl<S: Transport> WebSocket<S> {
    /// A connection over a stream, with an endpoint that was set up elsewhere. One that has not started starts here: its
    /// opening handshake takes place with the first call that waits.
    pub fn from_endpoint(io: S, mut endpoint: Endpoint) -> Self {
        endpoint.start(Instant::now());
        Self { pump: Pump::new(io, endpoint) }
    }

    /// The next message. `None` after a clean close; [`closed`](Self::closed) tells more.
    ///
    /// What was queued with [`feed`](Self::feed) is written when all that has arrived was handed out.
    ///
    /// # Errors
    /// Once, when the connection has ended without a closing handshake; then `None`.
    pub fn recv(&mut self) -> Option<Result<Message, Error>> {
        let next = self.pump.next_wanted(|event| matches!(event, Event::Message(_)))?;
        match (next, self.pump.endpoint.event()) {
            (Ok(()), Event::Message(message)) => Some(Ok(message.into_message())),
            (Ok(()), _) => None,
            (Err(error), _) => Some(Err(error)),
        }
    }

    /// The next message, lent from the buffer that it arrived in, and the sender to answer it with: nothing is copied to
    /// look at it, and the answers to one batch of messages leave in one write.
    ///
    /// ```no_run
    /// # fn example(mut ws: ws_sync::WebSocket<std::net::TcpStream>) -> Result<(), ws_sync::Error> {
    /// while let Some(lent) = ws.recv_lent() {
    ///     let (message, sender) = lent?;
    ///     sender.forward(message)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`recv`](Self::recv).
    pub fn recv_lent(&mut self) -> Option<Result<(Incoming<'_>, &mut Sender), Error>> {
        if self.pump.endpoint.is_above_mark() {
            self.pump.write(); // who only forwards never calls anything else
        }
        if let Err(error) = self.pump.next_wanted(|event| matches!(event, Event::Message(_)))? {
            return Some(Err(error));
        }
        match self.pump.endpoint.lend() {
            (Event::Message(message), Some(sender)) => Some(Ok((message, sender))),
            _ => None,
        }
    }

    /// The next event: a message or a part of one, a ping, a pong; lent.
    ///
    /// # Errors
    /// As for [`recv`](Self::recv).
    pub fn recv_event(&mut self) -> Option<Result<Event<'_>, Error>> {
        if let Err(error) = self.pump.next_wanted(|_| true)? {
            return Some(Err(error));
        }
        Some(Ok(self.pump.endpoint.event()))
    }

    /// Sends a message: queues it, then writes everything that is queued.
    ///
    /// # Errors
    /// [`SendError::Unsent`] hands the message back when it cannot be queued; [`SendError::Ended`] when the connection
    /// ends while it is written.
    pub fn send(&mut self, message: impl Into<Message>) -> Result<(), SendError> {
        self.pump.endpoint.send(message)?;
        Ok(self.flush()?)
    }

    /// Queues a message, and writes only when more is queued than the high-water mark allows. It leaves with the next
    /// [`recv`](Self::recv), [`send`](Self::send) or [`flush`](Self::flush).
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    pub fn feed(&mut self, message: impl Into<Message>) -> Result<(), SendError> {
        self.pump.endpoint.send(message)?;
        if self.pump.endpoint.is_above_mark() {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes everything that is queued, extensions' work included.
    ///
    /// # Errors
    /// When the transport fails, or a deadline passes; [`Error::Send`] when an extension fails on a message.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.pump.work();
        self.pump.write();
        self.pump.write_error().map_or(Ok(()), Err)
    }

    /// Sends a ping of up to 125 bytes. [`Event::Pong`] of [`recv_event`](Self::recv_event) names it when it is answered.
    ///
    /// # Errors
    /// [`Error::Send`] when it cannot be queued; what [`flush`](Self::flush) gives.
    pub fn ping(&mut self, payload: &[u8]) -> Result<PingId, Error> {
        let id = self.pump.endpoint.ping(payload)?;
        self.flush()?;
        Ok(id)
    }

    /// Closes the connection: sends a Close, waits for the peer's under the close deadline, and ends the transport.
    /// Messages that still arrive are dropped; to receive them, use [`begin_close`](Self::begin_close) and
    /// [`recv`](Self::recv).
    ///
    /// # Errors
    /// [`Error::Send`] for a reason above 123 bytes. Once, when the connection ends without a closing handshake.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<Option<Closed>, Error> {
        self.pump.endpoint.close(code, reason)?;
        match self.pump.next_wanted(|_| false) {
            Some(Err(error)) => Err(error),
            _ => Ok(self.closed()),
        }
    }

    /// Sends a Close and does not wait for the answer: nothing can be sent any more, messages still arrive.
    ///
    /// # Errors
    /// [`Error::Send`] for a reason above 123 bytes; what [`flush`](Self::flush) gives.
    pub fn begin_close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.pump.endpoint.close(code, reason)?;
        self.flush()
    }

    /// Drops the transport without a Close; the peer reports 1006.
    pub fn close_now(self) {
        drop(self);
    }

    /// Splits into two halves for two threads, one that receives and one that sends.
    ///
    /// # Errors
    /// When the system gives no second handle of the stream; the connection is dropped.
    pub fn split(self) -> io::Result<(OwnedReader<S>, OwnedWriter<S>)>
    where
        S: SharedTransport,
    {
        let (io, endpoint) = self.pump.into_parts();
        split::halves(io, endpoint)
    }

    /// How the connection ended, once it has: codes, reason, who began.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.pump.endpoint.closed()
    }

    /// The subprotocol in use.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.pump.endpoint.subprotocol()
    }

    /// The names of the extensions in use.
    #[must_use]
    pub fn extensions(&self) -> &[&'static str] {
        self.pump.endpoint.extensions()
    }

    /// The server's answer to the opening handshake.
    #[must_use]
    pub fn response(&self) -> Option<&Response<()>> {
        self.pump.endpoint.response()
    }

    /// Bytes that wait to be sent.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.pump.endpoint.queued()
    }

    /// How long the peer took to answer the last ping that it has answered.
    #[must_use]
    pub fn rtt(&self) -> Option<Duration> {
        self.pump.endpoint.rtt()
    }

    /// The endpoint, for what is not offered here: the request, messages in parts, hints for extensions, limits. What is
    /// sent there is written by [`flush`](Self::flush).
    pub fn endpoint(&mut self) -> &mut Endpoint {
        &mut self.pump.endpoint
    }

    /// The stream.
    pub fn get_ref(&self) -> &S {
        &self.pump.io
    }
}
