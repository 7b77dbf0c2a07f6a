//! What is not a message: pings, pauses, and the end.

use std::{future::poll_fn, time::Duration};

use tokio::io::{AsyncRead, AsyncWrite};
use ws_endpoint::driver::{CloseCode, Closed};

use crate::{Error, WebSocket, link::Link};

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Sends a ping of up to 125 bytes. Its pong comes as an event of [`recv_event`](Self::recv_event), and the time until
    /// then is [`rtt`](Self::rtt).
    ///
    /// # Errors
    /// [`Error::Send`] when it cannot be queued; what [`flush`](Self::flush) gives.
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    pub async fn ping(&mut self, payload: &[u8]) -> Result<(), Error> {
        self.home.with(|link| link.writer.ping(payload))?;
        self.flush().await
    }

    /// Sends a pong of up to 125 bytes: unsolicited, or the answer to a ping where automatic pongs are off
    /// (RFC 6455 section 5.5.3).
    ///
    /// # Errors
    /// As for [`ping`](Self::ping).
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    pub async fn pong(&mut self, payload: &[u8]) -> Result<(), Error> {
        self.home.with(|link| link.writer.pong(payload))?;
        self.flush().await
    }

    /// How long the peer took to answer the last ping that it has answered, ours or one of the keepalive; `None` before
    /// the first one.
    ///
    /// Measured from the write of the ping to the read of a pong with the same payload. Where messages stand before that
    /// pong in the same read, the time that the application takes for these counts too.
    #[must_use]
    pub fn rtt(&self) -> Option<Duration> {
        self.home.look(|link| link.reader.rtt())
    }

    /// Stops receiving: until [`resume`](Self::resume), [`recv`](Self::recv) and its like wait, and hand out nothing, not
    /// even what has arrived. The transport fills, and the peer has to wait in turn.
    ///
    /// What is queued is still written, and deadlines are watched while a future waits; but no ping is sent and no pong
    /// missed, as nothing could be read of it. Receiving goes on by itself once a Close was sent or the connection has
    /// failed, so that its end is found. That the peer has closed or gone is not seen before.
    pub fn pause(&mut self) {
        self.home.with(|link| link.reader.pause());
    }

    /// Receives again; the peer's silence counts from here. Does nothing unless paused.
    pub fn resume(&mut self) {
        self.home.with(|link| link.reader.resume());
    }

    /// Whether receiving is paused.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.home.look(|link| link.reader.is_paused())
    }

    /// Closes the connection: sends a Close, waits for the peer's under the close deadline, and ends the transport.
    /// Messages that still arrive are dropped; to receive them, use [`begin_close`](Self::begin_close) and
    /// [`recv`](Self::recv).
    ///
    /// What is queued is written first. As long as the peer takes some of it the deadline moves on.
    ///
    /// # Errors
    /// [`Error::Send`] for a reason above 123 bytes. Once, when the connection ends without a closing handshake.
    ///
    /// # Cancel safety
    /// The Close is queued by the first poll; call it again to go on waiting.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<Option<Closed>, Error> {
        self.home.with(|link| link.writer.close(code, reason))?;
        self.end().await
    }

    /// The same with an empty Close, which the peer reports as 1005 (RFC 6455 section 7.1.5).
    ///
    /// # Errors
    /// Once, when the connection ends without a closing handshake.
    ///
    /// # Cancel safety
    /// As for [`close`](Self::close).
    pub async fn close_without_code(&mut self) -> Result<Option<Closed>, Error> {
        self.home.with(|link| link.writer.close_without_code());
        self.end().await
    }

    async fn end(&mut self) -> Result<Option<Closed>, Error> {
        let error = poll_fn(|cx| self.home.poll(cx, Link::poll_end)).await;
        error.map_or_else(|| Ok(self.closed()), Err)
    }

    /// Sends a Close and does not wait for the answer: nothing can be sent any more, messages still arrive.
    ///
    /// # Errors
    /// [`Error::Send`] for a reason above 123 bytes; what [`flush`](Self::flush) gives.
    ///
    /// # Cancel safety
    /// The Close is queued by the first poll.
    pub async fn begin_close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.home.with(|link| link.writer.close(code, reason))?;
        self.flush().await
    }

    /// Receives nothing but control frames until the connection has ended: for an application that only sends, and has
    /// the halves in two tasks, or that waits for the peer to leave. Pings and a Close are answered.
    ///
    /// A message is refused: the connection is closed with 1008 from its first byte, and nothing of it is kept.
    ///
    /// # Errors
    /// Once, when the connection ends without a closing handshake.
    ///
    /// # Cancel safety
    /// Safe: call it again to go on.
    pub async fn refuse_messages(&mut self) -> Result<Option<Closed>, Error> {
        let error = poll_fn(|cx| self.home.poll(cx, Link::poll_refuse)).await;
        error.map_or_else(|| Ok(self.closed()), Err)
    }

    /// Drops the transport without a Close; the peer reports 1006.
    pub fn close_now(self) {
        drop(self);
    }
}
