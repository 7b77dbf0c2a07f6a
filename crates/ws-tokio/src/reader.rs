//! The receiving half of a connection that is not split.

use std::{
    future::poll_fn,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::io::{AsyncRead, AsyncWrite};
use ws_endpoint::driver::{CloseCode, Closed, Delivery, Event, Incoming, Limits, Part, Progress, Receiver};

use crate::{Error, Writer, pump::Pump};

/// The receiving half of a [`WebSocket`](crate::WebSocket) that is lent by [`halves`](crate::WebSocket::halves), and
/// what drives both halves: while it waits it writes what is queued, answers pings and watches the deadlines.
#[derive(Debug)]
pub struct Reader<S> {
    pub(crate) io: S,
    pub(crate) pump: Pump,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Reader<S> {
    /// The next message, lent from the buffer that it arrived in. `None` after a clean close.
    ///
    /// While more waits to be sent than the high-water mark allows, it writes, reads nothing and hands out nothing: a peer
    /// that does not read is not read from. Two sides that both answer so, with more than their marks queued for each
    /// other, end at the deadline for a peer that takes nothing; one of them then wants a higher mark.
    ///
    /// # Errors
    /// Once, when the connection has ended without a closing handshake; then `None`. [`Error::MidMessage`] while a
    /// message is received in parts.
    ///
    /// # Cancel safety
    /// Safe: nothing is lost when the future is dropped.
    pub async fn recv(&mut self, writer: &mut Writer) -> Option<Result<Incoming<'_>, Error>> {
        if let Err(error) = poll_fn(|cx| self.poll_message(writer, true, cx)).await? {
            return Some(Err(error));
        }
        self.lend().map(Ok)
    }

    /// The next part of a message as it arrives, validated, text cut between characters; for messages that do not fit
    /// memory. Of a message that has begun to arrive, the first part is all that is there.
    ///
    /// # Errors
    /// As for [`recv`](Self::recv).
    ///
    /// # Cancel safety
    /// Safe: nothing is lost when the future is dropped, and a message half read is resumed.
    pub async fn recv_part(&mut self, writer: &mut Writer) -> Option<Result<Part<'_>, Error>> {
        if let Err(error) = poll_fn(|cx| self.poll_part(writer, true, cx)).await? {
            return Some(Err(error));
        }
        match self.pump.receiver.event() {
            Event::Part(part) => Some(Ok(part)),
            _ => None,
        }
    }

    /// The next event: a message, a ping or a pong.
    ///
    /// # Errors
    /// As for [`recv`](Self::recv).
    ///
    /// # Cancel safety
    /// Safe: nothing is lost when the future is dropped.
    pub async fn recv_event(&mut self, writer: &mut Writer) -> Option<Result<Event<'_>, Error>> {
        if let Err(error) = self.want_whole() {
            return Some(Err(error));
        }
        if let Err(error) = poll_fn(|cx| self.poll_until(is_no_part, writer, true, cx)).await? {
            return Some(Err(error));
        }
        self.pump.note(writer); // a pong, say
        Some(Ok(self.pump.receiver.event()))
    }

    /// Writes everything that is queued.
    ///
    /// # Errors
    /// When the transport fails, or a deadline passes.
    ///
    /// # Cancel safety
    /// Safe: what is not written stays queued.
    pub async fn flush(&mut self, writer: &mut Writer) -> Result<(), Error> {
        poll_fn(|cx| self.poll_flush(writer, 0, cx)).await
    }

    /// [`recv`](Self::recv) as a poll, for streams of one's own.
    ///
    /// # Errors
    /// As for [`recv`](Self::recv).
    #[inline]
    pub fn poll_recv(
        &mut self,
        writer: &mut Writer,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Incoming<'_>, Error>>> {
        match ready!(self.poll_message(writer, true, cx)) {
            Some(Ok(())) => Poll::Ready(self.lend().map(Ok)),
            Some(Err(error)) => Poll::Ready(Some(Err(error))),
            None => Poll::Ready(None),
        }
    }

    /// [`recv_event`](Self::recv_event) as a poll.
    ///
    /// # Errors
    /// As for [`recv`](Self::recv).
    pub fn poll_event(
        &mut self,
        writer: &mut Writer,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Event<'_>, Error>>> {
        if let Err(error) = self.want_whole() {
            return Poll::Ready(Some(Err(error)));
        }
        match ready!(self.poll_until(is_no_part, writer, true, cx)) {
            Some(Ok(())) => {
                self.pump.note(writer); // a pong, say
                Poll::Ready(Some(Ok(self.pump.receiver.event())))
            }
            Some(Err(error)) => Poll::Ready(Some(Err(error))),
            None => Poll::Ready(None),
        }
    }

    /// Passes over control frames until the end, and closes with 1008 when a message comes.
    pub(crate) fn poll_refuse(&mut self, writer: &mut Writer, cx: &mut Context<'_>) -> Poll<()> {
        self.pump.receiver.set_delivery(Delivery::Parts);
        while let Progress::Ready = ready!(self.pump.poll_event(&mut self.io, writer, cx)) {
            if matches!(self.pump.receiver.event(), Event::Message(_) | Event::Part(_)) {
                // Does nothing if a Close was sent before.
                let _fits = writer.sender.close(CloseCode::POLICY_VIOLATION, "no messages are taken");
            }
            self.pump.note(writer);
        }
        Poll::Ready(())
    }

    /// How long the peer took to answer the last ping; see [`WebSocket::rtt`](crate::WebSocket::rtt).
    #[must_use]
    pub fn rtt(&self) -> Option<Duration> {
        self.pump.lifecycle.rtt()
    }

    /// Stops receiving; see [`WebSocket::pause`](crate::WebSocket::pause).
    pub fn pause(&mut self) {
        if !self.pump.is_over() {
            self.pump.lifecycle.set_paused(true);
        }
    }

    /// Receives again.
    pub fn resume(&mut self) {
        self.pump.lifecycle.set_paused(false);
    }

    /// Whether receiving is paused.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.pump.lifecycle.is_paused()
    }

    /// How the connection ended, once it has.
    #[must_use]
    pub fn closed(&self, writer: &Writer) -> Option<Closed> {
        self.pump.receiver.ending().map(|ending| writer.sender.closed(ending))
    }

    /// The limits on what is received, to be changed while the connection lives.
    pub fn limits_mut(&mut self) -> &mut Limits {
        self.pump.receiver.limits_mut()
    }

    /// The transport.
    pub fn get_ref(&self) -> &S {
        &self.io
    }

    /// Goes on to the next whole message.
    #[inline]
    pub(crate) fn poll_message(
        &mut self,
        writer: &mut Writer,
        holds: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(), Error>>> {
        if let Err(error) = self.want_whole() {
            return Poll::Ready(Some(Err(error)));
        }
        self.poll_until(|receiver| receiver.has_message(), writer, holds, cx)
    }

    /// Goes on to the next part of a message.
    pub(crate) fn poll_part(
        &mut self,
        writer: &mut Writer,
        holds: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(), Error>>> {
        self.pump.receiver.set_delivery(Delivery::Parts);
        let skips = self.pump.skips;
        let wanted =
            |receiver: &mut Receiver| matches!(receiver.event(), Event::Part(part) if part.first || !skips);
        let part = ready!(self.poll_until(wanted, writer, holds, cx));
        self.pump.skips = false;
        Poll::Ready(part)
    }

    /// The message that [`poll_message`](Self::poll_message) came to.
    #[inline]
    pub(crate) fn lend(&mut self) -> Option<Incoming<'_>> {
        self.pump.receiver.message()
    }

    #[inline]
    fn want_whole(&mut self) -> Result<(), Error> {
        if self.pump.receiver.is_mid_message() && !self.pump.skips {
            return Err(Error::MidMessage);
        }
        self.pump.receiver.set_delivery(Delivery::Whole);
        Ok(())
    }

    /// Goes on to the next event that is wanted; others are passed over.
    #[inline]
    fn poll_until(
        &mut self,
        wanted: impl Fn(&mut Receiver) -> bool,
        writer: &mut Writer,
        holds: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(), Error>>> {
        loop {
            if holds && writer.sender.is_above_mark() {
                ready!(self.poll_below_mark(writer, cx));
            }
            match ready!(self.pump.poll_event(&mut self.io, writer, cx)) {
                Progress::Ready if wanted(&mut self.pump.receiver) => return Poll::Ready(Some(Ok(()))),
                Progress::Ready => self.pump.note(writer), // a pong, say
                _ => return Poll::Ready(self.pump.report().map(Err)),
            }
        }
    }

    #[cold]
    fn poll_below_mark(&mut self, writer: &mut Writer, cx: &mut Context<'_>) -> Poll<()> {
        let mark = writer.sender.limits().high_water_mark;
        // What goes wrong in writing is reported by the end.
        self.poll_flush(writer, mark, cx).map(drop)
    }

    /// Writes until fewer than `mark` bytes wait, or none.
    pub(crate) fn poll_flush(
        &mut self,
        writer: &mut Writer,
        mark: usize,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        self.pump.poll_flush(&mut self.io, writer, mark, cx)
    }
}

/// Whether what is ready is a whole message or a control frame.
fn is_no_part(receiver: &mut Receiver) -> bool {
    !matches!(receiver.event(), Event::Part(_))
}
