//! Keeps a panic in an extension from ending more than its own connection.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use crate::{codec::Outcome, error::ExtensionError};

/// Runs code of an extension; a panic becomes an error.
///
/// What it has touched is not used again: the direction is over with that error, which is why unwind safety may be
/// asserted here.
pub(crate) fn contain<T>(run: impl FnOnce() -> T) -> Result<T, ExtensionError> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| {
        let text = said(payload.as_ref());
        ExtensionError::internal(format!("the extension panicked: {text}"))
    })
}

fn said(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&'static str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

/// A future of an extension; a panic becomes its outcome.
pub(crate) struct Contained(pub(crate) Pin<Box<dyn Future<Output = Outcome> + Send>>);

impl Future for Contained {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        contain(|| self.0.as_mut().poll(context)).unwrap_or_else(|error| Poll::Ready(Err(error)))
    }
}
