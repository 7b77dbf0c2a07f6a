//! Where the parts of a message go: a connection, or the sending half of one.

use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};
use ws_endpoint::driver::{CloseCode, Sender};

use crate::{Error, OwnedWriter, WebSocket, scratch, tasks::lock};

/// Where the parts of a message go.
pub trait PartSink: Unpin {
    /// Queues something.
    fn with_sender<T>(&mut self, queue: impl FnOnce(&mut Sender) -> T) -> T;

    /// Writes until fewer bytes wait than the high-water mark allows, and what else leaves without waiting.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>>;

    /// Writes everything that is queued.
    fn poll_written(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>>;

    /// Closes the connection in the middle of a message.
    fn give_up(&mut self, code: CloseCode, reason: &str);
}

impl<S: AsyncRead + AsyncWrite + Unpin> PartSink for WebSocket<S> {
    fn with_sender<T>(&mut self, queue: impl FnOnce(&mut Sender) -> T) -> T {
        let sender = &mut self.link().writer.sender;
        scratch::attach_sender(sender);
        queue(sender)
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let link = self.link();
        let mark = link.writer.sender.limits().high_water_mark;
        link.poll_flush(mark, cx)
    }

    fn poll_written(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.link().poll_flush(0, cx)
    }

    fn give_up(&mut self, code: CloseCode, reason: &str) {
        let _fits = self.link().writer.close(code, reason);
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> PartSink for OwnedWriter<S> {
    fn with_sender<T>(&mut self, queue: impl FnOnce(&mut Sender) -> T) -> T {
        lock(self.shared().0).with_sender(queue)
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let mark = lock(self.shared().0).link().writer.sender.limits().high_water_mark;
        OwnedWriter::poll_flush(self, mark, cx)
    }

    fn poll_written(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        OwnedWriter::poll_flush(self, 0, cx)
    }

    fn give_up(&mut self, code: CloseCode, reason: &str) {
        let _fits = self.begin_close(code, reason);
    }
}
