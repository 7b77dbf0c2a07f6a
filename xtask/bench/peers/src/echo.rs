//! Echoes over any `Stream` and `Sink` of messages, flushed once for each batch that was read.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Poll, ready};

use futures_core::Stream;
use futures_sink::Sink;

/// So many replies of [`batched`] go out together at most.
const BATCH: usize = 32;

/// Sends back what `reply` makes of each item until the connection ends.
///
/// Each reply is queued before the next item is read, and the queue is flushed before it waits: what `forward` of the
/// futures crate does, without the lock that splitting into halves takes.
///
/// # Errors
/// When the connection fails, or `reply` does.
pub async fn forward<S, M>(
    mut socket: S,
    mut reply: impl FnMut(S::Item) -> Result<Option<M>, S::Error>,
) -> Result<(), S::Error>
where
    S: Stream + Sink<M> + Unpin,
{
    let mut socket = Pin::new(&mut socket);
    poll_fn(move |cx| {
        loop {
            ready!(socket.as_mut().poll_ready(cx))?;
            match socket.as_mut().poll_next(cx) {
                Poll::Ready(Some(item)) => {
                    if let Some(message) = reply(item)? {
                        socket.as_mut().start_send(message)?;
                    }
                }
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Pending => {
                    ready!(socket.as_mut().poll_flush(cx))?;
                    return Poll::Pending;
                }
            }
        }
    })
    .await
}

/// Sends back what `reply` makes of each item until the connection ends.
///
/// It reads what can be read without waiting, then queues the replies and flushes once: for libraries that flush
/// whenever they are asked for the next message.
///
/// # Errors
/// When the connection fails, or `reply` does.
pub async fn batched<S, M>(
    mut socket: S,
    mut reply: impl FnMut(S::Item) -> Result<Option<M>, S::Error>,
) -> Result<(), S::Error>
where
    S: Stream + Sink<M> + Unpin,
{
    let mut socket = Pin::new(&mut socket);
    let mut replies = VecDeque::new();
    let mut ended = false;
    poll_fn(move |cx| {
        loop {
            let mut waiting = false;
            while !ended && !waiting && replies.len() < BATCH {
                match socket.as_mut().poll_next(cx) {
                    Poll::Ready(Some(item)) => replies.extend(reply(item)?),
                    Poll::Ready(None) => ended = true,
                    Poll::Pending => waiting = true,
                }
            }
            while !replies.is_empty() {
                ready!(socket.as_mut().poll_ready(cx))?;
                if let Some(message) = replies.pop_front() {
                    socket.as_mut().start_send(message)?;
                }
            }
            ready!(socket.as_mut().poll_flush(cx))?;
            if ended {
                return Poll::Ready(Ok(()));
            }
            if waiting {
                return Poll::Pending;
            }
        }
    })
    .await
}
