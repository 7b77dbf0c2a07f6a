//! Work of extensions that is not done yet: computation on the blocking pool, waiting in place, long frames that others wait for.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::task::JoinHandle;
use ws_endpoint::{
    driver::{Finished, Job, JobId, SendError},
    extensions::{Direction, ExtensionError},
};

use crate::pump::Share;

/// What the extensions of one connection have under way. Their chains bound the number of jobs.
#[derive(Default)]
pub(crate) struct Jobs {
    /// Those that are under way.
    running: Vec<(JobId, Running)>,
    /// How one on a message to be sent has failed.
    pub(crate) unmade: Option<SendError>,
    /// While it goes on with a long frame, or waits to.
    pub(crate) share: Option<Share>,
}

enum Running {
    Blocking(JoinHandle<Finished>),
    Future(Pin<Box<dyn Future<Output = Finished> + Send>>),
}

impl Jobs {
    pub(crate) fn start(&mut self, id: JobId, job: Job) {
        let running = match job {
            Job::Blocking(run) => Running::Blocking(tokio::task::spawn_blocking(run)),
            Job::Future(future) => Running::Future(future),
        };
        self.running.push((id, running));
    }

    /// Whether there is nothing to be waited for or told any more.
    pub(crate) fn is_done(&self) -> bool {
        self.running.is_empty() && self.unmade.is_none() && self.share.is_none()
    }

    /// Whether there is one of this direction.
    pub(crate) fn has(&self, direction: Direction) -> bool {
        self.running.iter().any(|(id, _)| id.direction() == direction)
    }

    /// One that is done. A job that the runtime does not run to its end, as when it shuts down, has failed.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<(JobId, Finished)> {
        let mut at = 0;
        while let Some((_, running)) = self.running.get_mut(at) {
            let finished = match running {
                Running::Blocking(handle) => Pin::new(handle).poll(cx).map(|done| {
                    done.unwrap_or_else(|_| {
                        Finished::failed(ExtensionError::internal("the runtime has ended"))
                    })
                }),
                Running::Future(future) => future.as_mut().poll(cx),
            };
            if let Poll::Ready(finished) = finished {
                let (id, _) = self.running.swap_remove(at);
                return Poll::Ready((id, finished));
            }
            at += 1;
        }
        Poll::Pending
    }
}

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.running.iter().map(|(id, _)| id)).finish()
    }
}
