//! Two tasks that drive one connection.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use tokio::io::{AsyncRead, AsyncWrite};
use ws_endpoint::driver::Message;

use crate::{Error, link::Link};

/// The tasks that wait for one connection: one that receives and one that sends. Transport, timer and jobs know one
/// waker each, and either task may wait for them: so they wake both.
#[derive(Debug)]
pub(crate) struct Tasks {
    pub(crate) reader: Arc<Slot>,
    pub(crate) writer: Arc<Slot>,
    pub(crate) both: Waker,
}

pub(crate) use crate::slot::Slot;

struct Both(Arc<Slot>, Arc<Slot>);

/// What one task does without any event outside, and the other may wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outlook {
    queued: usize,
    closing: bool,
    over: bool,
    measuring: bool,
}

impl Outlook {
    /// What those look at who do not wait for what is queued.
    pub(crate) fn but_for_queue(self) -> Self {
        Self { queued: 0, ..self }
    }
}

impl Default for Tasks {
    fn default() -> Self {
        let (reader, writer) = (Arc::<Slot>::default(), Arc::<Slot>::default());
        let both = Waker::from(Arc::new(Both(Arc::clone(&reader), Arc::clone(&writer))));
        Self { reader, writer, both }
    }
}

impl Wake for Both {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.wake();
        self.1.wake();
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Link<S> {
    /// Receives for one of two tasks. Says whether the other one should look, too.
    pub(crate) fn poll_next_of_two(&mut self, tasks: &Tasks) -> (Poll<Option<Result<Message, Error>>>, bool) {
        let before = self.outlook();
        let received = self.poll_recv(&mut Context::from_waker(&tasks.both));
        (received, self.outlook() != before)
    }

    /// Receives control frames only, for one of two tasks. Says whether the other one should look, too.
    pub(crate) fn poll_refuse_of_two(&mut self, tasks: &Tasks) -> (Poll<Option<Error>>, bool) {
        let before = self.outlook();
        let ended = self.poll_refuse(&mut Context::from_waker(&tasks.both));
        (ended, self.outlook() != before)
    }

    /// Waits for the pong of the newest ping, for one of two tasks that does not read.
    pub(crate) fn poll_pong_of_two(&mut self, tasks: &Tasks) -> (Poll<Result<Duration, Error>>, bool) {
        let (flushed, changed) = self.poll_flush_of_two(0, tasks);
        let polled = match flushed {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ if self.reader.pump.is_over() => Poll::Ready(Err(Error::Lost)),
            _ if self.reader.pump.lifecycle.is_measuring() => Poll::Pending,
            _ => Poll::Ready(self.reader.rtt().ok_or(Error::Lost)),
        };
        (polled, changed)
    }

    /// Writes for one of two tasks, until fewer than `mark` bytes wait, or none. Says whether the other one should look,
    /// too: it does not wait for what is queued.
    pub(crate) fn poll_flush_of_two(
        &mut self,
        mark: usize,
        tasks: &Tasks,
    ) -> (Poll<Result<(), Error>>, bool) {
        let before = self.outlook().but_for_queue();
        let flushed = self.poll_flush(mark, &mut Context::from_waker(&tasks.both));
        (flushed, self.outlook().but_for_queue() != before)
    }

    pub(crate) fn outlook(&self) -> Outlook {
        let sender = &self.writer.sender;
        Outlook {
            queued: sender.queued(),
            closing: sender.is_closing(),
            over: sender.is_abandoned() || self.reader.pump.is_over(),
            measuring: self.reader.pump.lifecycle.is_measuring(),
        }
    }
}

/// A panic of another thread under the lock leaves bytes queued or not, and nothing half done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
