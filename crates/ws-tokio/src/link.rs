//! A transport, and everything that drives it.

use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite};
use ws_endpoint::driver::{self, Closed, Compress, Message, Progress, Unsent};

use crate::{Error, Reader, Writer, home::Lending, pump::Pump, scratch};

/// Messages from this length on are moved, as the driver queues them without a copy where it can; shorter ones are always copied.
const COPIED: usize = 4 * 1024;

/// A transport, and everything that drives it: what of a connection is with its owner, or lent as a whole.
#[derive(Debug)]
pub(crate) struct Link<S> {
    pub(crate) reader: Reader<S>,
    pub(crate) writer: Writer,
    /// How it is lent, if it can be.
    pub(crate) lending: Option<Lending<S>>,
}

impl<S> Link<S> {
    /// Whether anything waits to leave.
    pub(crate) fn is_owing(&mut self) -> bool {
        let sender = &mut self.writer.sender;
        sender.queued() > 0 || sender.outbox().is_unflushed()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Link<S> {
    /// Goes on to the next message, and makes it the caller's own.
    #[inline]
    pub(crate) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, Error>>> {
        match ready!(self.reader.poll_message(&mut self.writer, false, cx)) {
            Some(Ok(())) => {
                let message = self.reader.lend().map(|message| Ok(message.into_message()));
                let Pump { receiver, replies, .. } = &mut self.reader.pump;
                if receiver.is_dry() {
                    scratch::release(receiver, &mut self.writer.sender, replies);
                }
                Poll::Ready(message)
            }
            Some(Err(error)) => Poll::Ready(Some(Err(error))),
            None => Poll::Ready(None),
        }
    }

    /// Queues a message, if there is one to be queued. Says whether there was. At the hard limit, what the transport takes is
    /// written first.
    ///
    /// A short one is copied from where it stands: to move it here costs as much as that.
    #[inline]
    pub(crate) fn queue(
        &mut self,
        message: &mut Option<Message>,
        compress: Compress,
        cx: &mut Context<'_>,
    ) -> Result<bool, Unsent<Message>> {
        let Some(short) = message.as_ref().filter(|message| message.len() < COPIED) else {
            return message.take().map_or(Ok(false), |message| self.queue_moved(message, compress, cx));
        };
        self.writer.attach();
        match self.writer.sender.write_compressed(short.kind(), short.as_bytes(), compress) {
            Ok(()) => {
                *message = None;
                Ok(true)
            }
            Err(error) => match message.take() {
                Some(message) => self.queue_again(Unsent { error, message }, compress, cx),
                None => Ok(false),
            },
        }
    }

    /// Queues a message that is not copied.
    fn queue_moved(
        &mut self,
        message: Message,
        compress: Compress,
        cx: &mut Context<'_>,
    ) -> Result<bool, Unsent<Message>> {
        match self.writer.send_compressed(message, compress) {
            Ok(()) => Ok(true),
            Err(unsent) => self.queue_again(unsent, compress, cx),
        }
    }

    #[cold]
    fn queue_again(
        &mut self,
        unsent: Unsent<Message>,
        compress: Compress,
        cx: &mut Context<'_>,
    ) -> Result<bool, Unsent<Message>> {
        let Unsent { error: driver::SendError::Full { .. }, message } = unsent else { return Err(unsent) };
        // An error of the transport makes the second try fail, too.
        let _written = self.poll_flush(usize::MAX, cx);
        self.writer.send_compressed(message, compress).map(|()| true)
    }

    /// Whether what was just queued may leave with the answers to more that has arrived, and is not handed out yet.
    #[inline]
    pub(crate) fn has_more(&self) -> bool {
        let pump = &self.reader.pump;
        !pump.receiver.is_dry() && !self.writer.is_above_mark() && !pump.is_over()
    }

    /// Writes what the transport takes now.
    pub(crate) fn write(&mut self) {
        let Reader { io, pump } = &mut self.reader;
        let _blocked = pump.poll_write(io, &mut self.writer, &mut Context::from_waker(Waker::noop()));
        scratch::detach_sender(&mut self.writer.sender);
    }

    /// Writes until fewer than `mark` bytes wait, or none.
    pub(crate) fn poll_flush(&mut self, mark: usize, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.reader.poll_flush(&mut self.writer, mark, cx)
    }

    /// Writes while more is queued than the high-water mark allows.
    pub(crate) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if !self.writer.is_above_mark() {
            return Poll::Ready(Ok(()));
        }
        let mark = self.writer.sender.limits().high_water_mark;
        self.poll_flush(mark, cx)
    }

    /// Goes on to the next event of any kind.
    pub(crate) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Progress> {
        self.reader.pump.poll_event(&mut self.reader.io, &mut self.writer, cx)
    }

    /// Passes over what still comes until the end. Gives the end where it is an error, once.
    pub(crate) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Option<Error>> {
        while let Progress::Ready = ready!(self.poll_event(cx)) {}
        Poll::Ready(self.reader.pump.report())
    }

    /// Receives control frames only. Gives the end where it is an error, once.
    pub(crate) fn poll_refuse(&mut self, cx: &mut Context<'_>) -> Poll<Option<Error>> {
        ready!(self.reader.poll_refuse(&mut self.writer, cx));
        Poll::Ready(self.reader.pump.report())
    }

    /// How the connection ended, once it has.
    pub(crate) fn closed(&self) -> Option<Closed> {
        self.reader.closed(&self.writer)
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;

    use super::*;
    use crate::WebSocket;

    #[test]
    fn a_connection_is_small() {
        let (link, socket) = (size_of::<Link<TcpStream>>(), size_of::<WebSocket<TcpStream>>());
        println!("{link} bytes in a box, {socket} in place");
        assert!(link <= 632, "{link} bytes: what the allocator rounds up to 640");
        assert!(socket <= 24, "{socket} bytes");
    }
}
