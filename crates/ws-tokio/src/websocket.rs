//! A connection.

mod facts;
mod parts;

use std::{
    future::poll_fn,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite};
use ws_endpoint::{
    Opened,
    driver::{Closed, Compress, Connection, Event, Limits, Message, Parts, Prepared, Shared},
};

use self::facts::Facts;
use crate::{
    Error, Reader, SendError, Writer,
    home::{Home, Lending, lending},
    link::Link,
    pump::Pump,
    tasks::Tasks,
};

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
    pub(crate) home: Home<S>,
    /// Behind a pointer, because most servers' connections have none.
    extras: Option<Box<Extras>>,
}

/// What few connections have.
#[derive(Debug, Default)]
struct Extras {
    facts: Option<Facts>,
    /// Who polls it as a stream and as a sink.
    tasks: Option<Box<Tasks>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> WebSocket<S> {
    /// A connection whose opening handshake took place elsewhere; bytes that came behind it must stand in the receiver's
    /// buffer already.
    pub fn from_connection(io: S, connection: Connection) -> Self {
        Self::new(io, connection, Some(lending))
    }

    /// A server's connection whose answer was sent elsewhere, by an HTTP server for one. It knows its subprotocol and its
    /// extensions; the request is dropped, so take it before if it is still needed. Bytes that came behind the request
    /// must stand in the receiver's buffer already.
    pub fn from_opened(io: S, opened: Opened) -> Self {
        Self::opened(io, opened, &[], false, Some(lending))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// The same as [`from_opened`](Self::from_opened) for a transport that is borrowed, or bound to its thread: no task can
    /// write on it for its owner, so that each [`send`](Self::send) costs a write. [`feed`](Self::feed) and the lent form
    /// do not.
    pub fn from_opened_local(io: S, opened: Opened) -> Self {
        Self::opened(io, opened, &[], false, None)
    }

    pub(crate) fn opened(
        io: S,
        opened: Opened,
        behind: &[u8],
        keeps_response: bool,
        lending: Option<Lending<S>>,
    ) -> Self {
        let Opened { mut connection, handshake } = opened;
        if !behind.is_empty() {
            connection.receiver().buffer().extend_from_slice(behind);
        }
        let mut socket = Self::new(io, connection, lending);
        let facts = Facts::new(handshake, keeps_response);
        socket.extras = facts.map(|facts| Box::new(Extras { facts: Some(facts), tasks: None }));
        socket
    }

    fn new(io: S, connection: Connection, lending: Option<Lending<S>>) -> Self {
        let Parts { receiver, sender, replies, lifecycle, .. } = connection.into_parts();
        let reader = Reader { io, pump: Pump::new(receiver, replies, lifecycle) };
        let link = Link { reader, writer: Writer::new(sender), lending };
        Self { home: Home::Own(Box::new(link)), extras: None }
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
        self.home.poll(cx, Link::poll_recv)
    }

    /// The next event: a message, a ping or a pong, lent.
    ///
    /// # Errors
    /// As for [`recv`](Self::recv).
    ///
    /// # Cancel safety
    /// Safe: nothing is lost when the future is dropped.
    pub async fn recv_event(&mut self) -> Option<Result<Event<'_>, Error>> {
        poll_fn(|cx| self.poll_home(cx)).await;
        let Link { reader, writer, .. } = self.link();
        reader.recv_event(writer).await
    }

    /// Sends a message: queues it, and writes everything that is queued.
    ///
    /// While more that has arrived waits to be received, nothing is written yet: the answers to messages that came together
    /// leave together, with the [`recv`](Self::recv) or `send` that has used up the input. Should the application do anything
    /// else first, they leave when its task next gives way to the runtime: in the next `await` that waits, whatever that waits
    /// for. So a message never waits for the peer, nor for the next use of the connection. It does wait for a task that
    /// computes for long without giving way; [`flush`](Self::flush) writes at once.
    ///
    /// Without a runtime of tokio, or over a transport that cannot be lent to a task of it
    /// ([`from_opened_local`](Self::from_opened_local)), it is written at once in every case.
    ///
    /// # Errors
    /// [`SendError::Unsent`] hands the message back when it cannot be queued; [`SendError::Ended`] when the connection
    /// ends while it is written. What goes wrong after this has returned is told by the next use.
    ///
    /// # Cancel safety
    /// The message is queued whole by the first poll. A future that is dropped after that has queued it; it is written by
    /// whatever is awaited next.
    pub fn send(&mut self, message: impl Into<Message>) -> impl Future<Output = Result<(), SendError>> {
        self.send_compressed(message, Compress::Default)
    }

    /// Sends a message with a hint for extensions, whether to compress it.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    pub fn send_compressed(
        &mut self,
        message: impl Into<Message>,
        compress: Compress,
    ) -> impl Future<Output = Result<(), SendError>> {
        let mut message = Some(message.into());
        poll_fn(move |cx| {
            self.poll_send(cx, |link, cx| Ok::<_, SendError>(link.queue(&mut message, compress, cx)?))
        })
    }

    /// Sends a message that was prepared for many connections, as [`send`](Self::send) does one's own.
    ///
    /// # Errors
    /// As for [`ping`](Self::ping).
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    pub async fn send_prepared(&mut self, message: &Prepared) -> Result<(), Error> {
        let mut message = Some(message);
        poll_fn(|cx| {
            self.poll_send(cx, |link, _| match message.take() {
                Some(message) => Ok::<_, Error>(link.writer.send_prepared(message).map(|()| true)?),
                None => Ok(false),
            })
        })
        .await
    }

    /// Queues, then writes what is queued, or leaves that to a flusher where more has arrived. `queue` is asked at each
    /// poll, and says whether it has queued something: later polls wait on for what the first has begun to write.
    #[inline]
    fn poll_send<E: From<Error>>(
        &mut self,
        cx: &mut Context<'_>,
        mut queue: impl FnMut(&mut Link<S>, &mut Context<'_>) -> Result<bool, E>,
    ) -> Poll<Result<(), E>> {
        let mut lends = false;
        let sent = self.home.poll(cx, |link, cx| {
            lends = queue(link, cx)? && link.has_more();
            if lends { Poll::Ready(Ok(())) } else { link.poll_flush(0, cx).map_err(E::from) }
        });
        if !lends || self.home.lend() {
            return sent;
        }
        self.home.poll(cx, |link, cx| link.poll_flush(0, cx).map_err(E::from))
    }

    /// Queues a message, and waits only while more is queued than the high-water mark allows. It is written by the next
    /// [`recv`](Self::recv), [`send`](Self::send) or [`flush`](Self::flush), and not before: for messages that need not
    /// leave yet.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    pub fn feed(&mut self, message: impl Into<Message>) -> impl Future<Output = Result<(), SendError>> {
        let mut message = Some(message.into());
        poll_fn(move |cx| {
            self.home.poll(cx, |link, cx| {
                link.queue(&mut message, Compress::Default, cx)?;
                link.poll_room(cx).map_err(SendError::Ended)
            })
        })
    }

    /// Queues a message that was prepared for many connections, as [`feed`](Self::feed) does one's own.
    ///
    /// # Errors
    /// As for [`ping`](Self::ping).
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    pub async fn feed_prepared(&mut self, message: &Prepared) -> Result<(), Error> {
        self.home.with(|link| link.writer.send_prepared(message))?;
        poll_fn(|cx| self.home.poll(cx, Link::poll_room)).await
    }

    /// Writes everything that is queued.
    ///
    /// # Errors
    /// When the transport fails, or a deadline passes.
    ///
    /// # Cancel safety
    /// Safe: what is not written stays queued.
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.home.poll(cx, |link, cx| link.poll_flush(0, cx))).await
    }

    /// How the connection ended, once it has: codes, reason, who began.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.home.look(Link::closed)
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
        let Link { reader, writer, .. } = self.link();
        (reader, writer)
    }

    /// Who polls it as a stream and as a sink; to be given back behind the poll.
    pub(crate) fn take_tasks(&mut self) -> Box<Tasks> {
        self.extras.get_or_insert_default().tasks.take().unwrap_or_default()
    }

    pub(crate) fn give_tasks(&mut self, tasks: Box<Tasks>) {
        self.extras.get_or_insert_default().tasks = Some(tasks);
    }

    /// Bytes that wait to be sent: headers and payloads queued here, and payloads that extensions still work on. What the
    /// transport has taken is not counted.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.home.look(|link| link.writer.queued())
    }

    /// Whether so much waits that [`feed`](Self::feed) would: the high-water mark is reached.
    #[must_use]
    pub fn is_above_mark(&self) -> bool {
        self.home.look(|link| link.writer.is_above_mark())
    }

    /// Changes the limits while the connection lives.
    pub fn set_limits(&mut self, limits: impl Into<Shared<Limits>>) {
        let limits = limits.into();
        self.home.with(|link| {
            *link.reader.pump.receiver.limits_mut() = limits.clone();
            *link.writer.sender.limits_mut() = limits.clone();
        });
    }

    /// The transport.
    pub fn get_ref(&self) -> &S {
        &self.link_ref().reader.io
    }

    /// The link, to be used as one's own.
    pub(crate) fn link(&mut self) -> &mut Link<S> {
        self.home.link()
    }

    pub(crate) fn link_ref(&self) -> &Link<S> {
        self.home.link_ref()
    }

    /// Takes the link back, once what was sent through it while it was lent has been written: whoever lends parts of it to the
    /// application cannot leave it to a flusher meanwhile.
    pub(crate) fn poll_home(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.home {
            Home::Own(_) => Poll::Ready(()),
            // What goes wrong is told by the end.
            Home::Lent(_) => self.home.poll(cx, |link, cx| link.poll_flush(0, cx).map(drop)),
        }
    }
}
