//! Deferred work on its way out of the pipeline and back.

use std::{fmt, pin::Pin};

use crate::{
    codec::{Codec, Outcome, Work},
    contain::{Contained, contain},
    error::ExtensionError,
};

/// The way that a message goes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Direction {
    /// From the peer to the application.
    Incoming,
    /// From the application to the peer.
    Outgoing,
}

/// Names a [`Job`] of one connection. It is never used again, and says which of the two chains the job belongs to.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct JobId {
    pub(crate) direction: Direction,
    /// The number of the message in its direction; it enters each cell once.
    pub(crate) message: u64,
    pub(crate) cell: usize,
}

impl JobId {
    /// The direction whose chain takes the completion.
    pub const fn direction(self) -> Direction {
        self.direction
    }
}

/// A piece of deferred work for the I/O layer to run: [inline](Self::run), on another thread, or as a task.
///
/// What comes of it goes to [`Chain::complete_job`](crate::Chain::complete_job). A panic inside is a
/// [`Finished`] too.
pub enum Job {
    /// Computes. May take long, may block.
    Blocking(Box<dyn FnOnce() -> Finished + Send>),
    /// Waits.
    Future(Pin<Box<dyn Future<Output = Finished> + Send>>),
}

impl Job {
    /// Runs a blocking job here and now.
    ///
    /// # Errors
    /// The job itself, when it is a future and has to be polled.
    pub fn run(self) -> Result<Finished, Job> {
        match self {
            Job::Blocking(run) => Ok(run()),
            Job::Future(_) => Err(self),
        }
    }

    /// The job for this work. `codec` is what exclusive work takes along.
    pub(crate) fn new(work: Work, codec: &mut Option<Box<dyn Codec>>) -> Self {
        match work {
            Work::Exclusive(run) => {
                let codec = codec.take();
                Job::Blocking(Box::new(move || {
                    let Some(codec) = codec else {
                        return Finished::failed(ExtensionError::internal("the codec is not there"));
                    };
                    match contain(|| run(codec)) {
                        Ok((codec, outcome)) => Finished { codec: Some(codec), outcome },
                        Err(error) => Finished::failed(error),
                    }
                }))
            }
            Work::Concurrent(run) => Job::Blocking(Box::new(move || Finished {
                codec: None,
                outcome: contain(run).unwrap_or_else(Err),
            })),
            Work::Future(future) => {
                let outcome = Contained(future);
                Job::Future(Box::pin(async move { Finished { codec: None, outcome: outcome.await } }))
            }
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Job::Blocking(_) => "Blocking",
            Job::Future(_) => "Future",
        })
    }
}

/// What came of a [`Job`].
pub struct Finished {
    pub(crate) codec: Option<Box<dyn Codec>>,
    pub(crate) outcome: Outcome,
}

impl Finished {
    /// For a job that could not be run to its end, because the pool it was on has gone, say.
    pub const fn failed(error: ExtensionError) -> Self {
        Finished { codec: None, outcome: Err(error) }
    }
}

impl fmt::Debug for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finished").field("outcome", &self.outcome).finish_non_exhaustive()
    }
}
