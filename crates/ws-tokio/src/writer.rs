//! The sending half of a connection that is not split.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use tokio::io::AsyncWrite;
use ws_endpoint::driver::{
    CloseCode, Compress, DataKind, Incoming, Message, Outbox, Prepared, SendError, Sender, Unsent,
};

use crate::scratch;

/// How many segments go into one vectored write.
const SLICES: usize = 16;

/// The sending half of a [`WebSocket`](crate::WebSocket) that is lent by [`halves`](crate::WebSocket::halves): everything
/// is queued, and leaves when the reading half has used up its input, or is flushed.
#[derive(Debug)]
pub struct Writer {
    pub(crate) sender: Sender,
}

impl Writer {
    pub(crate) fn new(sender: Sender) -> Self {
        Self { sender }
    }

    /// Queues a message that was just received: an echo, without a copy where that pays.
    ///
    /// # Errors
    /// [`SendError::Full`] at the hard limit, [`SendError::Closed`], [`SendError::MessageOpen`],
    /// [`SendError::Extension`].
    #[inline]
    pub fn feed(&mut self, message: Incoming<'_>) -> Result<(), SendError> {
        self.sender.forward(message)
    }

    /// Queues a message, copied behind its header. Text must be UTF-8; it is not checked again.
    ///
    /// # Errors
    /// As for [`feed`](Self::feed).
    #[inline]
    pub fn write(&mut self, kind: DataKind, payload: &[u8]) -> Result<(), SendError> {
        self.sender.write(kind, payload)
    }

    /// Queues a message that the caller gives away; a long payload is not copied.
    ///
    /// # Errors
    /// As for [`feed`](Self::feed), with the message.
    pub fn send(&mut self, message: impl Into<Message>) -> Result<(), Unsent<Message>> {
        self.send_compressed(message, Compress::Default)
    }

    /// The same with a hint for extensions, whether to compress the message.
    ///
    /// # Errors
    /// As for [`feed`](Self::feed), with the message.
    pub fn send_compressed(
        &mut self,
        message: impl Into<Message>,
        compress: Compress,
    ) -> Result<(), Unsent<Message>> {
        self.attach();
        self.sender.send_compressed(message.into(), compress)
    }

    /// Queues a message that was prepared for many connections.
    ///
    /// # Errors
    /// As for [`feed`](Self::feed).
    pub fn send_prepared(&mut self, message: &Prepared) -> Result<(), SendError> {
        self.attach();
        self.sender.send_prepared(message)
    }

    /// Queues a ping.
    ///
    /// # Errors
    /// [`SendError::ControlTooLong`] above 125 bytes, [`SendError::Full`], [`SendError::Closed`].
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), SendError> {
        self.sender.ping(payload)
    }

    /// Queues a pong: unsolicited, or the answer to a ping where automatic pongs are off.
    ///
    /// # Errors
    /// As for [`ping`](Self::ping).
    pub fn pong(&mut self, payload: &[u8]) -> Result<(), SendError> {
        self.sender.pong(payload)
    }

    /// Queues an empty Close, which the peer reports as 1005.
    pub fn close_without_code(&mut self) {
        self.sender.close_without_code();
    }

    /// Queues a Close; receive on until the peer has answered it.
    ///
    /// # Errors
    /// [`SendError::ReasonTooLong`] above 123 bytes.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), SendError> {
        self.sender.close(code, reason)
    }

    /// Whether so much waits that [`Reader::recv`](crate::Reader::recv) writes before it hands out more, and a caller that
    /// goes on regardless heads for the hard limit.
    #[must_use]
    pub fn is_above_mark(&self) -> bool {
        self.sender.is_above_mark()
    }

    /// Bytes that wait to be sent.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.sender.queued()
    }

    /// The driver's half: messages in parts, hints for extensions, limits.
    pub fn sender(&mut self) -> &mut Sender {
        &mut self.sender
    }

    /// Lends the write buffer of this thread, unless there is one.
    #[inline]
    pub(crate) fn attach(&mut self) {
        if !self.sender.has_buffer() {
            scratch::attach_sender(&mut self.sender);
        }
    }

    /// Whether there is anything to be written or flushed, or taken note of.
    #[inline]
    pub(crate) fn has_unwritten(&mut self) -> bool {
        let outbox = self.sender.outbox();
        !outbox.is_empty() || outbox.is_unflushed() || self.sender.is_closing()
    }

    /// Writes what is queued, in as few calls as the transport allows, and flushes it. Ready when all of it has left.
    pub(crate) fn poll_write<S: AsyncWrite + Unpin>(
        &mut self,
        io: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let outbox = self.sender.outbox();
        while outbox.has_remaining() {
            let io = Pin::new(&mut *io);
            let written = if outbox.chunk().len() < outbox.remaining() && io.is_write_vectored() {
                ready!(poll_write_vectored(io, outbox, cx))?
            } else {
                ready!(io.poll_write(cx, outbox.chunk()))?
            };
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            outbox.advance(written);
            outbox.set_unflushed(true);
        }
        if outbox.is_unflushed() {
            ready!(Pin::new(io).poll_flush(cx))?;
            outbox.set_unflushed(false);
        }
        Poll::Ready(Ok(()))
    }
}

/// Writes several segments in one call.
#[inline(never)]
fn poll_write_vectored<S: AsyncWrite>(
    io: Pin<&mut S>,
    outbox: &Outbox,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    let mut slices = [IoSlice::new(&[]); SLICES];
    let count = outbox.chunks_vectored(&mut slices);
    io.poll_write_vectored(cx, &slices[..count])
}
