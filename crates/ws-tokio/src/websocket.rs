//! A connection.

use std::{
    future::poll_fn,
    task::{Context, Poll, ready},
};

use http::Response;
use tokio::io::{AsyncRead, AsyncWrite};
use ws_endpoint::{
    Agreed, Opened,
    driver::{
        self, Closed, Compress, Connection, DataKind, Event, Limits, Message, Part, Parts, Prepared, Shared,
        Unsent,
    },
};

use crate::{Error, Reader, SendError, Writer, pump::Pump, scratch, tasks::Tasks};

/// A WebSocket connection over any transport.
///
/// The simplest form is owned: [`recv`](Self::recv) and [`send`](Self::send). The fastest is lent:
/// [`halves`](Self::halves). For two tasks there is [`split`](Self::split). It is a
/// [`Stream`](futures_core::Stream) and a [`Sink`](futures_sink::Sink) of [`Message`]s, too.
///
/// Pings are answered while it is received from, and deadlines watched while any of its futures waits; a connection that
/// nobody polls does nothing. Every future may be dropped at any time: all state is in the connection.
///
/// ```no_run
/// # async fn example(mut ws: ws_tokio::WebSocket<tokio::net::TcpStream>) -> Result<(), ws_tokio::Error> {
/// while let Some(message) = ws.recv().await {
///     ws.send(message?).await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct WebSocket<S> {
    pub(crate) reader: Reader<S>,
    pub(crate) writer: Writer,
    /// Behind a pointer, because most servers' connections have none.
    facts: Option<Box<Facts>>,
    /// Who polls it as a stream and as a sink.
    pub(crate) tasks: Option<Box<Tasks>>,
}

/// What of the opening handshake is kept.
#[derive(Debug)]
struct Facts {
    subprotocol: Option<String>,
    extensions: Vec<&'static str>,
    response: Option<Response<()>>,
    url: Option<String>,
}

impl Facts {
    fn new(agreed: Agreed, keeps_response: bool) -> Option<Box<Self>> {
        let Agreed { subprotocol, extensions, response, .. } = agreed;
        let any = subprotocol.is_some() || !extensions.is_empty() || keeps_response;
        let response = keeps_response.then(|| response.into_response());
        any.then(|| Box::new(Self { subprotocol, extensions, response, url: None }))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// A connection whose opening handshake took place elsewhere; bytes that came behind it must stand in the receiver's
    /// buffer already.
    pub fn from_connection(io: S, connection: Connection) -> Self {
        let Parts { receiver, sender, replies, lifecycle, .. } = connection.into_parts();
        let pump = Pump::new(receiver, replies, lifecycle);
        Self { reader: Reader { io, pump }, writer: Writer::new(sender), facts: None, tasks: None }
    }

    /// A server's connection whose answer was sent elsewhere, by an HTTP server for one. It knows its subprotocol and its
    /// extensions; the request is dropped, so take it before if it is still needed. Bytes that came behind the request
    /// must stand in the receiver's buffer already.
    pub fn from_opened(io: S, opened: Opened) -> Self {
        Self::opened(io, opened, &[], false)
    }

    pub(crate) fn opened(io: S, opened: Opened, behind: &[u8], keeps_response: bool) -> Self {
        let Opened { mut connection, handshake } = opened;
        if !behind.is_empty() {
            connection.receiver().buffer().extend_from_slice(behind);
        }
        let mut socket = Self::from_connection(io, connection);
        socket.facts = Facts::new(handshake, keeps_response);
        socket
    }

    /// The next message. `None` after a clean close; [`closed`](Self::closed) tells more.
    ///
    /// What was queued with [`feed`](Self::feed) is written when all that has arrived was handed out.
    ///
    /// # Errors
    /// Once, when the connection has ended without a closing handshake; then `None`. [`Error::MidMessage`] while a
    /// message is received in parts.
    ///
    /// # Cancel safety
    /// Safe: nothing is lost when the future is dropped.
    pub async fn recv(&mut self) -> Option<Result<Message, Error>> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// [`recv`](Self::recv) as a poll, for streams of one's own.
    ///
    /// # Errors
    /// As for [`recv`](Self::recv).
    #[inline]
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, Error>>> {
        match ready!(self.reader.poll_message(&mut self.writer, false, cx)) {
            Some(Ok(())) => {
                let message = self.reader.lend().map(|message| Ok(message.into_message()));
                let Pump { receiver, replies, .. } = &mut self.reader.pump;
                scratch::release(receiver, &mut self.writer.sender, replies);
                Poll::Ready(message)
            }
            Some(Err(error)) => Poll::Ready(Some(Err(error))),
            None => Poll::Ready(None),
        }
    }

    /// The next part of a message as it arrives; see [`Reader::recv_part`].
    ///
    /// # Errors
    /// As for [`recv`](Self::recv).
    ///
    /// # Cancel safety
    /// Safe: nothing is lost when the future is dropped, and a message half read is resumed.
    pub async fn recv_part(&mut self) -> Option<Result<Part<'_>, Error>> {
        self.reader.recv_part(&mut self.writer).await
    }

    /// The next event: a message, a ping or a pong, lent.
    ///
    /// # Errors
    /// As for [`recv`](Self::recv).
    ///
    /// # Cancel safety
    /// Safe: nothing is lost when the future is dropped.
    pub async fn recv_event(&mut self) -> Option<Result<Event<'_>, Error>> {
        self.reader.recv_event(&mut self.writer).await
    }

    /// Sends a message: queues it, then writes everything that is queued.
    ///
    /// Each costs a write. Where several are sent in a row, or answers to messages that came together,
    /// [`feed`](Self::feed) leaves them to be written at once.
    ///
    /// # Errors
    /// [`SendError::Unsent`] hands the message back when it cannot be queued; [`SendError::Ended`] when the connection
    /// ends while it is written.
    ///
    /// # Cancel safety
    /// The message is queued whole by the first poll. A future that is dropped after that has queued it; it is written by
    /// whatever is awaited next.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<(), SendError> {
        self.queue(message.into(), Compress::Default).await?;
        self.flush().await.map_err(SendError::Ended)
    }

    /// Queues a message, and waits only while more is queued than the high-water mark allows. It is written by the next
    /// [`recv`](Self::recv), [`send`](Self::send) or [`flush`](Self::flush).
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    pub async fn feed(&mut self, message: impl Into<Message>) -> Result<(), SendError> {
        self.queue(message.into(), Compress::Default).await?;
        Ok(self.room().await?)
    }

    /// Waits while more is queued than the high-water mark allows.
    async fn room(&mut self) -> Result<(), Error> {
        if self.writer.sender.is_above_mark() {
            let mark = self.writer.sender.limits().high_water_mark;
            poll_fn(|cx| self.reader.poll_flush(&mut self.writer, mark, cx)).await?;
        }
        Ok(())
    }

    /// Sends a message that was prepared for many connections: queues it, then writes everything that is queued.
    ///
    /// # Errors
    /// As for [`ping`](Self::ping).
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    pub async fn send_prepared(&mut self, message: &Prepared) -> Result<(), Error> {
        self.writer.send_prepared(message)?;
        self.flush().await
    }

    /// Queues a message that was prepared for many connections, as [`feed`](Self::feed) does one's own.
    ///
    /// # Errors
    /// As for [`ping`](Self::ping).
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    pub async fn feed_prepared(&mut self, message: &Prepared) -> Result<(), Error> {
        self.writer.send_prepared(message)?;
        self.room().await
    }

    /// Sends a message with a hint for extensions, whether to compress it.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    pub async fn send_compressed(
        &mut self,
        message: impl Into<Message>,
        compress: Compress,
    ) -> Result<(), SendError> {
        self.queue(message.into(), compress).await?;
        self.flush().await.map_err(SendError::Ended)
    }

    /// Queues a message. At the hard limit, what the transport takes is written first.
    async fn queue(&mut self, message: Message, compress: Compress) -> Result<(), Unsent<Message>> {
        match self.writer.send_compressed(message, compress) {
            Err(Unsent { error: driver::SendError::Full { .. }, message }) => {
                // An error of the transport makes the second try fail, too.
                poll_fn(|cx| {
                    Poll::Ready(self.reader.poll_flush(&mut self.writer, usize::MAX, cx).is_ready())
                })
                .await;
                self.writer.send_compressed(message, compress)
            }
            queued => queued,
        }
    }

    /// Writes everything that is queued.
    ///
    /// # Errors
    /// When the transport fails, or a deadline passes.
    ///
    /// # Cancel safety
    /// Safe: what is not written stays queued.
    pub async fn flush(&mut self) -> Result<(), Error> {
        self.reader.flush(&mut self.writer).await
    }

    /// Begins a message in parts, for payloads that do not fit memory; then [`send_part`](Self::send_part), and last
    /// [`finish`](Self::finish).
    ///
    /// # Errors
    /// [`Error::Send`] when another one is open, or the connection is closing.
    pub fn start(&mut self, kind: DataKind) -> Result<(), Error> {
        Ok(self.writer.sender.start(kind)?)
    }

    /// Queues the next part of the message as a fragment, and waits while more is queued than the high-water mark allows.
    ///
    /// # Errors
    /// [`Error::Send`] when no message in parts is open; what [`flush`](Self::flush) gives.
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    pub async fn send_part(&mut self, part: &[u8]) -> Result<(), Error> {
        self.writer.sender.append(part)?;
        let mark = self.writer.sender.limits().high_water_mark;
        poll_fn(|cx| self.reader.poll_flush(&mut self.writer, mark, cx)).await
    }

    /// Ends the message in parts, and writes everything that is queued.
    ///
    /// # Errors
    /// As for [`send_part`](Self::send_part).
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    pub async fn finish(&mut self) -> Result<(), Error> {
        self.writer.sender.finish()?;
        self.flush().await
    }

    /// Ends the message in parts with its last part, and writes everything that is queued: one fragment less than
    /// [`send_part`](Self::send_part) and [`finish`](Self::finish).
    ///
    /// # Errors
    /// As for [`send_part`](Self::send_part).
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    pub async fn finish_with(&mut self, part: &[u8]) -> Result<(), Error> {
        self.writer.sender.finish_with(part)?;
        self.flush().await
    }

    /// How the connection ended, once it has: codes, reason, who began.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.reader.closed(&self.writer)
    }

    /// The halves, for one task that does both at once without copies: the reader hands out messages lent from its buffer,
    /// and drives the writer while it waits.
    ///
    /// ```no_run
    /// # async fn example(mut ws: ws_tokio::WebSocket<tokio::net::TcpStream>) -> Result<(), ws_tokio::Error> {
    /// let (rx, tx) = ws.halves();
    /// while let Some(message) = rx.recv(tx).await {
    ///     tx.feed(message?)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn halves(&mut self) -> (&mut Reader<S>, &mut Writer) {
        (&mut self.reader, &mut self.writer)
    }

    /// The subprotocol in use.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.facts.as_ref()?.subprotocol.as_deref()
    }

    /// The names of the extensions in use.
    #[must_use]
    pub fn extensions(&self) -> &[&'static str] {
        self.facts.as_ref().map_or(&[], |facts| &facts.extensions)
    }

    /// The server's answer to the opening handshake; kept by clients only.
    #[must_use]
    pub fn response(&self) -> Option<&Response<()>> {
        self.facts.as_ref()?.response.as_ref()
    }

    /// The address that the connection was opened with, behind all redirects; kept by clients only. Without user
    /// information, its scheme `ws`, `wss` or `ws+unix`.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.facts.as_ref()?.url.as_deref()
    }

    pub(crate) fn set_url(&mut self, url: String) {
        if let Some(facts) = &mut self.facts {
            facts.url = Some(url);
        }
    }

    /// Bytes that wait to be sent: headers and payloads queued here, and payloads that extensions still work on. What the
    /// transport has taken is not counted.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.writer.queued()
    }

    /// Whether so much waits that [`feed`](Self::feed) would: the high-water mark is reached.
    #[must_use]
    pub fn is_above_mark(&self) -> bool {
        self.writer.is_above_mark()
    }

    /// Changes the limits while the connection lives.
    pub fn set_limits(&mut self, limits: impl Into<Shared<Limits>>) {
        let limits = limits.into();
        *self.reader.pump.receiver.limits_mut() = limits.clone();
        *self.writer.sender.limits_mut() = limits;
    }

    /// The transport.
    pub fn get_ref(&self) -> &S {
        &self.reader.io
    }
}
