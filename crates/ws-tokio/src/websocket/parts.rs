//! Messages in parts.

use std::future::poll_fn;

use tokio::io::{AsyncRead, AsyncWrite};
use ws_endpoint::driver::{DataKind, Part};

use super::WebSocket;
use crate::{Error, link::Link};

/// Messages in parts, for payloads that do not fit memory.
impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// The next part of a message as it arrives; see [`Reader::recv_part`](crate::Reader::recv_part).
    ///
    /// # Errors
    /// As for [`recv`](Self::recv).
    ///
    /// # Cancel safety
    /// Safe: nothing is lost when the future is dropped, and a message half read is resumed.
    pub async fn recv_part(&mut self) -> Option<Result<Part<'_>, Error>> {
        poll_fn(|cx| self.poll_home(cx)).await;
        let Link { reader, writer, .. } = self.link();
        reader.recv_part(writer).await
    }

    /// Begins a message in parts, for payloads that do not fit memory; then [`send_part`](Self::send_part), and last
    /// [`finish`](Self::finish).
    ///
    /// # Errors
    /// [`Error::Send`] when another one is open, or the connection is closing.
    pub fn start(&mut self, kind: DataKind) -> Result<(), Error> {
        Ok(self.home.with(|link| link.writer.sender.start(kind))?)
    }

    /// Queues the next part of the message as a fragment, and waits while more is queued than the high-water mark allows.
    ///
    /// # Errors
    /// [`Error::Send`] when no message in parts is open; what [`flush`](Self::flush) gives.
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    pub async fn send_part(&mut self, part: &[u8]) -> Result<(), Error> {
        self.home.with(|link| link.writer.sender.append(part))?;
        let mark = self.home.look(|link| link.writer.sender.limits().high_water_mark);
        poll_fn(|cx| self.home.poll(cx, |link, cx| link.poll_flush(mark, cx))).await
    }

    /// Ends the message in parts, and writes everything that is queued.
    ///
    /// # Errors
    /// As for [`send_part`](Self::send_part).
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    pub async fn finish(&mut self) -> Result<(), Error> {
        self.home.with(|link| link.writer.sender.finish())?;
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
        self.home.with(|link| link.writer.sender.finish_with(part))?;
        self.flush().await
    }
}
