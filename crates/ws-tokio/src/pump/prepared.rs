//! Messages that were prepared for many connections, on the spot.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::AsyncWrite;
use ws_endpoint::driver::Prepared;

use super::Pump;
use crate::{Writer, server::registry::Wire};

impl Pump {
    /// Writes a prepared message on the spot where nothing waits before it, without a copy; else queues it. Whether all of
    /// it has left; if not, [`poll_flush`](Self::poll_flush) goes on. A connection that cannot take it is closing.
    #[inline]
    pub(crate) fn write_prepared<S: AsyncWrite + Unpin>(
        &mut self,
        io: &mut S,
        writer: &mut Writer,
        message: &Prepared,
        cx: &mut Context<'_>,
    ) -> bool {
        let sender = &mut writer.sender;
        let Some(frame) = sender.pass(message) else {
            let _closing = writer.send_prepared(message);
            return false;
        };
        let mut io = Pin::new(io);
        let written = match io.as_mut().poll_write(cx, frame) {
            Poll::Ready(Ok(written)) => written,
            Poll::Pending => 0,
            Poll::Ready(Err(error)) => {
                sender.abandon();
                self.failure.get_or_insert(error);
                return false;
            }
        };
        sender.passed(message, written);
        if written < frame.len() || !matches!(io.poll_flush(cx), Poll::Ready(Ok(()))) {
            sender.outbox().set_unflushed(true); // what went wrong is found again by who flushes
            return false;
        }
        if let Some(remote) = &self.remote {
            remote.note(Wire::Boundary);
        }
        true
    }
}
