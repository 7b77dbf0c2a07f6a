//! Deferred work of extensions: done here and now, since the thread waits for it anyway.

use std::{
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

use ws_endpoint::{
    Endpoint,
    driver::{Finished, Job, SendError},
};

/// How work on a message to be sent has failed. Its Close ends the connection as any other does, so that nothing else
/// tells that the message never left.
pub(crate) type Unmade = OnceLock<SendError>;

/// Does all the work that waits. Whether there was any.
pub(crate) fn run(endpoint: &mut Endpoint, unmade: &Unmade) -> bool {
    let mut any = false;
    while let Some((id, job)) = endpoint.next_job() {
        any = true;
        let finished = match job {
            Job::Blocking(run) => run(),
            Job::Future(future) => wait(future),
        };
        // A failure has queued its Close. Behind the first nothing is sent any more.
        if let Err(error) = endpoint.complete_job(id, finished) {
            unmade.get_or_init(|| error);
        }
    }
    any
}

/// Waits for a future by parking the thread.
fn wait(mut future: Pin<Box<dyn Future<Output = Finished> + Send>>) -> Finished {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(finished) => return finished,
            Poll::Pending => thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
