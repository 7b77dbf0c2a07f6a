//! Ending a client that reconnects, from elsewhere.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Waker},
};

/// Tells a [`Reconnect`](super::Reconnect) to stop. Clones stop the same one.
#[derive(Debug, Clone, Default)]
pub struct StopHandle(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    is_stopped: bool,
    waits: Option<Waker>,
}

impl StopHandle {
    /// Ends it: what waits in [`next`](super::Reconnect::next) gets `None`, and so does everybody after. An attempt under
    /// way is dropped. A connection that was handed out is its owner's, and goes on.
    pub fn stop(&self) {
        let waker = {
            let mut state = self.state();
            state.is_stopped = true;
            state.waits.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    /// Whether it was told to stop.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.state().is_stopped
    }

    /// The same, and if not, wakes this task when it is.
    pub(super) fn poll_stopped(&self, cx: &Context<'_>) -> bool {
        let mut state = self.state();
        if !state.is_stopped {
            match &mut state.waits {
                Some(waker) => waker.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
        }
        state.is_stopped
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
