//! Where the parts of a message come from: a connection, or the receiving half of one.

use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite};
use ws_endpoint::driver::{Event, Part};

use crate::{
    Error, OwnedReader, WebSocket,
    link::Link,
    tasks::{Tasks, lock},
};

/// Where the parts of a message come from.
pub trait PartSource: Unpin {
    /// Goes on to the next part.
    fn poll_next_part(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<(), Error>>>;

    /// Looks at the part that is lent.
    fn with_part<T>(&mut self, look: impl FnOnce(Option<Part<'_>>) -> T) -> T;

    /// Whether a message may begin here: none was received in part, or its rest is passed over.
    ///
    /// # Errors
    /// [`Error::MidMessage`].
    fn check_between(&mut self) -> Result<(), Error>;

    /// Passes over the rest of the message that is received in part, if there is one.
    fn skip_rest(&mut self);
}

impl<S: AsyncRead + AsyncWrite + Unpin> Link<S> {
    /// The part that is lent.
    pub(crate) fn part(&mut self) -> Option<Part<'_>> {
        match self.reader.pump.receiver.event() {
            Event::Part(part) => Some(part),
            _ => None,
        }
    }

    /// Goes on to the next part for one of two tasks. Says whether the other one should look, too.
    fn poll_part_of_two(&mut self, tasks: &Tasks) -> (Poll<Option<Result<(), Error>>>, bool) {
        let before = self.outlook();
        let part = self.reader.poll_part(&mut self.writer, false, &mut Context::from_waker(&tasks.both));
        (part, self.outlook() != before)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> PartSource for WebSocket<S> {
    fn poll_next_part(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<(), Error>>> {
        ready!(self.poll_home(cx));
        let Link { reader, writer, .. } = self.link();
        reader.poll_part(writer, true, cx)
    }

    fn with_part<T>(&mut self, look: impl FnOnce(Option<Part<'_>>) -> T) -> T {
        look(self.link().part())
    }

    fn check_between(&mut self) -> Result<(), Error> {
        let pump = &self.link().reader.pump;
        if pump.receiver.is_mid_message() && !pump.skips { Err(Error::MidMessage) } else { Ok(()) }
    }

    fn skip_rest(&mut self) {
        let pump = &mut self.link().reader.pump;
        pump.skips = pump.receiver.is_mid_message();
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> PartSource for OwnedReader<S> {
    fn poll_next_part(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<(), Error>>> {
        let (socket, tasks) = self.shared();
        tasks.reader.park(cx);
        let (part, changed) = lock(socket).link().poll_part_of_two(tasks);
        if changed {
            tasks.writer.wake();
        }
        part
    }

    fn with_part<T>(&mut self, look: impl FnOnce(Option<Part<'_>>) -> T) -> T {
        lock(self.shared().0).with_part(look)
    }

    fn check_between(&mut self) -> Result<(), Error> {
        lock(self.shared().0).check_between()
    }

    fn skip_rest(&mut self) {
        lock(self.shared().0).skip_rest();
    }
}
