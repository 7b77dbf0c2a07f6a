//! An echo over any `Stream` and `Sink` of messages, flushed once for each batch that was read.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Poll, ready};

use futures_core::Stream;
use futures_sink::Sink;

/// Sends back what `reply` makes of each item until the connection ends.
///
/// Messages are queued for as long as more can be read without waiting, and flushed before it waits: what `forward`
/// of the futures crate does, without the lock that splitting into halves takes.
///
/// # Errors
/// When the connection fails, or `reply` does.
pub async fn echo<S, M>(
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
