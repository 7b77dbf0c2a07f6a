//! Waiting for one thing unless another happens first.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::Poll,
};

/// Waits for a future, unless `interrupt` is ready first: then the future is dropped. The interrupt is not polled again
/// once it was ready.
pub(crate) async fn unless<F, I>(future: F, mut interrupt: Pin<&mut I>) -> Result<F::Output, I::Output>
where
    F: Future,
    I: Future,
{
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Ok(output)),
        Poll::Pending => interrupt.as_mut().poll(cx).map(Err),
    })
    .await
}
