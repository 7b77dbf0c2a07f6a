//! The end of a member's queue that its connection holds.

use std::{
    fmt,
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite};
use ws_endpoint::driver::{CloseCode, Incoming, Prepared};

use super::{
    Group, MemberId, MemberStats,
    bell::Bell,
    member::{Member, Next},
};
use crate::{Error, Reader, Writer};

/// Messages of a group wait in the member's queue while as much as this waits in the connection.
const MARK: usize = 64 * 1024;

/// A member of a [`Group`], for a connection that the caller drives. When it is dropped, the member leaves the group.
///
/// [`recv`](Self::recv) does it all: it receives like [`Reader::recv`], and writes what is sent to the group meanwhile.
///
/// ```no_run
/// # use ws_tokio::{Group, MemberOptions, SlowConsumer, endpoint::driver::Prepared};
/// # async fn example(group: Group, mut ws: ws_tokio::WebSocket<tokio::net::TcpStream>) -> Result<(), ws_tokio::Error> {
/// let mut member = group.subscribe(MemberOptions::new(SlowConsumer::Close));
/// let (rx, tx) = ws.halves();
/// while let Some(message) = member.recv(rx, tx).await {
///     let message = Prepared::new(message?.into_message());
///     group.send(&message).await; // to everyone, this member included
/// }
/// # Ok(())
/// # }
/// ```
pub struct Subscription {
    group: Group,
    member: Arc<Member>,
    /// The Close that the group asked for.
    close: Option<(CloseCode, String)>,
    /// Whether nothing comes any more.
    over: bool,
    /// Whether the last look stopped at the mark.
    held: bool,
    /// What the connection wakes while [`recv`](Self::recv) waits; made when it first does.
    bell: Option<Bell>,
}

impl Subscription {
    pub(super) fn new(group: Group, member: Arc<Member>) -> Self {
        Self { group, member, close: None, over: false, held: false, bell: None }
    }

    /// Which member this is.
    #[must_use]
    pub fn id(&self) -> MemberId {
        self.member.id
    }

    /// What has become of its messages.
    #[must_use]
    pub fn stats(&self) -> MemberStats {
        self.member.stats()
    }

    /// The next message of the connection, lent as by [`Reader::recv`], while what is sent to the group is written to it.
    /// When the group closes the member, the connection is closed.
    ///
    /// # Errors
    /// As for [`Reader::recv`].
    ///
    /// # Cancel safety
    /// Safe: nothing is lost when the future is dropped.
    pub async fn recv<'a, S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        reader: &'a mut Reader<S>,
        writer: &mut Writer,
    ) -> Option<Result<Incoming<'a>, Error>> {
        let rings = self.bell.get_or_insert_default().waker.clone();
        // Whether this future has seen the connection wait. Nobody else can have touched it since.
        let mut waits = false;
        let received = poll_fn(|cx| {
            let has_rung = self.bell.get_or_insert_default().answer(cx);
            let mut is_quiet = waits && !has_rung;
            let mut rings = Context::from_waker(&rings);
            loop {
                let mut has_left = false;
                if is_quiet {
                    let Reader { io, pump } = &mut *reader;
                    self.poll_feed_by(writer, Some(cx), |writer, message| {
                        has_left = pump.write_prepared(io, writer, message, &mut rings);
                    });
                } else {
                    self.poll_feed(writer, Some(cx));
                }
                if is_quiet && !self.over && !writer.sender.is_closing() {
                    // The connection has nothing to tell: to write is all there is to do.
                    if has_left {
                        return Poll::Pending;
                    }
                    match reader.poll_flush(writer, 0, &mut rings) {
                        Poll::Ready(Ok(())) if self.goes_on(writer) => continue,
                        Poll::Ready(Ok(())) | Poll::Pending => return Poll::Pending,
                        Poll::Ready(Err(_)) => {} // it is told by the end of the connection
                    }
                }
                (is_quiet, waits) = (false, true);
                let received = reader.poll_message(writer, true, &mut rings);
                if received.is_ready() || !self.goes_on(writer) {
                    return received;
                }
            }
        });
        if let Err(error) = received.await? {
            return Some(Err(error));
        }
        reader.lend().map(Ok)
    }

    /// Queues what waits in a connection, up to 64 KiB at a time: receive from it, or flush it, and call this again. While a
    /// message in parts is open there, nothing is queued behind it. When the group has closed the member, a Close is queued. Whether anything was.
    pub fn feed(&mut self, writer: &mut Writer) -> bool {
        self.poll_feed(writer, None)
    }

    /// The next message that was sent to the group, for who sends it by other means, or waits for other things as well.
    /// `None` when the group has closed the member, which is told by [`close`](Self::close), or removed it.
    ///
    /// ```no_run
    /// # use ws_tokio::{Subscription, Reader, Writer};
    /// # async fn example(mut member: Subscription, rx: &mut Reader<tokio::net::TcpStream>, tx: &mut Writer) -> Result<(), ws_tokio::Error> {
    /// loop {
    ///     let has_room = tx.queued() < 64 * 1024; // else what is sent to the group waits where its bounds hold
    ///     tokio::select! {
    ///         message = rx.recv(tx) => match message {
    ///             Some(message) => println!("{} bytes", message?.as_bytes().len()),
    ///             None => return Ok(()),
    ///         },
    ///         Some(message) = member.next(), if has_room => {
    ///             tx.send_prepared(&message)?;
    ///             member.feed(tx); // the rest of a burst leaves with it
    ///         }
    ///     }
    /// }
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// Safe: nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Prepared> {
        poll_fn(|cx| match self.take(Some(cx)) {
            Next::Message(message) | Next::Last(message) => Poll::Ready(Some(message)),
            Next::Nothing => Poll::Pending,
            Next::Close(..) | Next::Over => Poll::Ready(None),
        })
        .await
    }

    /// The code and the reason with which the group wants the connection closed.
    #[must_use]
    pub fn close(&self) -> Option<(CloseCode, &str)> {
        self.close.as_ref().map(|(code, reason)| (*code, reason.as_str()))
    }

    /// Whether nothing comes any more.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// Whether something may wait that the connection has room for now.
    pub(crate) fn goes_on(&self, writer: &Writer) -> bool {
        self.held && has_room(writer)
    }

    /// Queues what waits while the connection has room. Whether anything was.
    pub(crate) fn poll_feed(&mut self, writer: &mut Writer, cx: Option<&Context<'_>>) -> bool {
        self.poll_feed_by(writer, cx, queue)
    }

    /// The same, but that `single` does it with a message that comes alone.
    #[inline]
    fn poll_feed_by(
        &mut self,
        writer: &mut Writer,
        cx: Option<&Context<'_>>,
        single: impl FnOnce(&mut Writer, &Prepared),
    ) -> bool {
        let mut fed = false;
        loop {
            self.held = !self.over && !has_room(writer);
            if self.held {
                return fed;
            }
            match self.take(cx) {
                Next::Message(message) => queue(writer, &message),
                Next::Last(message) => {
                    if fed {
                        queue(writer, &message);
                    } else {
                        single(writer, &message);
                    }
                    return true;
                }
                Next::Close(code, reason) => _ = writer.close(code, &reason),
                Next::Over | Next::Nothing => return fed,
            }
            fed = true;
        }
    }

    fn take(&mut self, cx: Option<&Context<'_>>) -> Next {
        if self.over {
            return Next::Over;
        }
        let next = self.member.next(cx);
        if let Next::Close(code, reason) = &next {
            self.close = Some((*code, reason.clone()));
        }
        self.over = matches!(next, Next::Close(..) | Next::Over);
        next
    }
}

/// Queues a message. A connection that cannot take it is closing: its task will see the end.
fn queue(writer: &mut Writer, message: &Prepared) {
    let _closing = writer.send_prepared(message);
}

/// Whether the connection takes a message now: few bytes wait in it, and no message in parts is open.
fn has_room(writer: &Writer) -> bool {
    let sender = &writer.sender;
    sender.queued() < MARK && !sender.is_above_mark() && !sender.is_mid_message()
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.group.shared.remove(&self.member);
        self.member.abandon();
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("id", &self.id())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
