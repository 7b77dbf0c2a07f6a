//! One timer for each connection, armed once and moved lazily.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use tokio::time::{self, Sleep};

/// Wakes the task at a deadline, or before it: a deadline that has moved away is found out when the timer fires, so that
/// traffic never touches the timer.
#[derive(Debug, Default)]
pub(crate) struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    /// Now, as the runtime has it: virtual in tests.
    pub(crate) fn now() -> Instant {
        time::Instant::now().into_std()
    }

    /// Ready when it is worth looking at the deadlines again; else the task will be woken in time.
    pub(crate) fn poll(&mut self, deadline: Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = deadline.map(time::Instant::from_std) else {
            return Poll::Pending;
        };
        let sleep = match &mut self.sleep {
            Some(sleep) => sleep,
            none => none.insert(Box::pin(time::sleep_until(deadline))),
        };
        if sleep.deadline() > deadline || sleep.is_elapsed() {
            sleep.as_mut().reset(deadline);
        }
        sleep.as_mut().poll(cx)
    }
}
