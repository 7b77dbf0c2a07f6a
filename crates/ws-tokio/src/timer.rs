//! One timer for each connection, armed once and moved lazily.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Instant,
};

use tokio::time::{self, Sleep};

/// Wakes the task at a deadline, or before it: a deadline that has moved away is found out when the timer fires, so that
/// traffic never touches the timer.
#[derive(Debug, Default)]
pub(crate) struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
    /// When that fires, and whom it wakes. To know it here saves a look at the timer, which is elsewhere in memory.
    armed: Option<(Instant, Waker)>,
}

impl Timer {
    /// Now, as the runtime has it: virtual in tests.
    pub(crate) fn now() -> Instant {
        time::Instant::now().into_std()
    }

    /// Whether the moment has come that it was armed for.
    #[inline]
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.armed.as_ref().is_some_and(|(at, _)| *at <= now)
    }

    /// Whether the task will be woken at the moment that it was armed for, if that has not come; there may be none.
    #[inline]
    pub(crate) fn is_armed(&self, cx: &Context<'_>) -> bool {
        self.armed.as_ref().is_none_or(|(_, waker)| waker.will_wake(cx.waker()))
    }

    /// Ready when it is worth looking at the deadlines again; else the task will be woken in time.
    pub(crate) fn poll(&mut self, deadline: Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = deadline.map(time::Instant::from_std) else {
            self.armed = None;
            return Poll::Pending;
        };
        let sleep = match &mut self.sleep {
            Some(sleep) => sleep,
            none => none.insert(Box::pin(time::sleep_until(deadline))),
        };
        if sleep.deadline() > deadline || sleep.is_elapsed() {
            sleep.as_mut().reset(deadline);
        }
        self.armed = Some((sleep.deadline().into_std(), cx.waker().clone()));
        sleep.as_mut().poll(cx)
    }
}
