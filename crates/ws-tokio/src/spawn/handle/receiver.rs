//! The half that receives.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_core::{FusedStream, Stream};
use ws_endpoint::driver::{Closed, Message};

use crate::{Error, spawn::shared::Shared, tasks::lock};

/// The half of a [`Handle`](crate::Handle) that receives. It is a [`Stream`], too.
pub struct HandleReceiver {
    shared: Arc<Shared>,
    /// Whether the end was told.
    told: bool,
}

impl HandleReceiver {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, told: false }
    }

    /// The next message. `None` after a clean close.
    ///
    /// # Errors
    /// Once, when the connection has ended without a closing handshake; then `None`.
    ///
    /// # Cancel safety
    /// Safe: nothing is lost when the future is dropped.
    pub async fn recv(&mut self) -> Option<Result<Message, Error>> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    fn poll_recv(&mut self, cx: &Context<'_>) -> Poll<Option<Result<Message, Error>>> {
        if let Some(message) = self.try_recv() {
            return Poll::Ready(Some(Ok(message)));
        }
        self.shared.reader.park(cx);
        let ended = self.shared.end().is_some(); // first: what came is there before the end is told
        if let Some(message) = self.try_recv() {
            return Poll::Ready(Some(Ok(message)));
        }
        if !ended {
            return Poll::Pending;
        }
        let error = self.shared.end().and_then(|end| end.error.as_ref()).filter(|_| !self.told);
        let error = error.map(Error::again);
        self.told = true;
        Poll::Ready(error.map(Err))
    }

    /// The next message, if there is one.
    pub fn try_recv(&mut self) -> Option<Message> {
        let (message, wakes) = lock(&self.shared.inbox).pop()?;
        if wakes {
            self.shared.task.wake();
        }
        Some(message)
    }

    /// Messages that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.shared.inbox).len()
    }

    /// Whether no message waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How the connection ended, once it has; messages may still wait.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.shared.end()?.closed.clone()
    }
}

impl Drop for HandleReceiver {
    fn drop(&mut self) {
        let unread = lock(&self.shared.inbox).leave();
        drop(unread);
        self.shared.leave();
    }
}

impl Stream for HandleReceiver {
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_recv(cx)
    }
}

impl FusedStream for HandleReceiver {
    fn is_terminated(&self) -> bool {
        self.told && self.is_empty()
    }
}

impl fmt::Debug for HandleReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandleReceiver").field("waiting", &self.len()).finish_non_exhaustive()
    }
}
