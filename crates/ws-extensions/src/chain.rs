//! One direction of the ordered pipeline.

mod cell;
mod flow;
mod slot;

use std::{collections::VecDeque, fmt};

use bytes::BytesMut;

pub(crate) use self::cell::{Cell, SessionEnd};
use self::slot::{Buffers, Slot, Stage};
use crate::{
    class::Class,
    error::ExtensionError,
    job::{Direction, Finished, Job, JobId},
    message::MessageHead,
    options::SessionOptions,
};

/// The extensions in use, as one direction of a connection passes through them.
///
/// Messages go in with [`begin`](Self::begin) and [`push`](Self::push), and come out at [`front`](Self::front) in
/// the order in which they went in, however long each took: every extension is given them in that order, and hands
/// each on as soon as it and all before it are done. Deferred work comes out of [`next_job`](Self::next_job) and goes
/// back into [`complete_job`](Self::complete_job). The chain does no I/O and starts no thread; the two chains of a
/// connection share no lock.
///
/// When an extension fails, messages ahead of the failed one come out as if nothing had happened, that one and all
/// behind it are dropped, and [`failure`](Self::failure) tells once the others are out. Nothing enters any more. The
/// other direction goes on.
///
/// A chain without extensions ([`Chain::default`]) is one branch: [`is_empty`](Self::is_empty), or `begin`, which
/// says [`Route::Direct`].
pub struct Chain {
    direction: Direction,
    /// In the order in which messages pass them.
    cells: Box<[Cell]>,
    /// The messages inside, the oldest first. Each has begun at least as many cells as the one behind it.
    slots: VecDeque<Slot>,
    /// How many messages have left, which is the number of the one in front.
    popped: u64,
    /// Work that waits to be fetched.
    jobs: VecDeque<(JobId, Job)>,
    /// How many jobs have been fetched and are not back.
    running: usize,
    /// What the messages inside hold, as of the last time each was looked at.
    held: usize,
    limits: Limits,
    buffers: Buffers,
    failure: Option<Box<Failure>>,
    failed: bool,
    closed: bool,
}

/// How a message has failed.
struct Failure {
    error: ExtensionError,
    /// What had passed all extensions by then, of a text.
    remains: Option<BytesMut>,
}

struct Limits {
    message: usize,
    jobs: usize,
    pending: usize,
}

/// Where the payload of a message goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Route {
    /// No extension touches it and nothing is ahead of it: the caller keeps the payload and does not
    /// [`push`](Chain::push) it.
    Direct,
    /// Into the chain, and out at its front.
    Queued,
}

/// The oldest message inside, when it has passed all extensions.
#[derive(Debug)]
pub struct Front<'a> {
    /// As the extensions have left it.
    pub head: MessageHead,
    /// What came out so far. The caller may take bytes out at any time, or wait for the whole.
    pub data: &'a mut BytesMut,
    /// Whether `data` ends the message; [`Chain::pop`] makes way for the next one then.
    pub finished: bool,
}

impl Chain {
    pub(crate) fn new(direction: Direction, cells: Vec<Cell>, options: &SessionOptions) -> Self {
        let limits =
            Limits { message: usize::MAX, jobs: options.max_jobs.max(1), pending: options.max_pending };
        let mut chain = Chain {
            direction,
            cells: cells.into_boxed_slice(),
            slots: VecDeque::new(),
            popped: 0,
            jobs: VecDeque::new(),
            running: 0,
            held: 0,
            limits,
            buffers: Buffers::default(),
            failure: None,
            failed: false,
            closed: false,
        };
        if direction == Direction::Incoming {
            chain.set_max_message_len(options.max_message_len);
        }
        chain
    }

    /// Whether no extension is in use: messages need not come here.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The classes of the extensions in use, in order, if all have one and nothing is inside: what comes out for a message
    /// that entered now depends on these and on the message, so that another chain's work on it will do.
    pub fn classes(&self) -> Option<impl Iterator<Item = Class> + Clone> {
        let comparable = self.is_idle() && !self.failed && !self.closed;
        (comparable && self.cells.iter().all(|cell| cell.class().is_some()))
            .then(|| self.cells.iter().filter_map(Cell::class))
    }

    /// Bounds what each extension makes of a message, from now on. `None` is no limit.
    ///
    /// The chain of [`SessionOptions::max_message_len`] is the incoming one; the outgoing one begins without a limit.
    pub const fn set_max_message_len(&mut self, limit: Option<usize>) {
        self.limits.message = match limit {
            Some(limit) => limit,
            None => usize::MAX,
        };
    }

    /// A message enters. `len` is the length of its payload, if it is known.
    ///
    /// The message before it must have had its last fragment, or the chain fails.
    pub fn begin(&mut self, head: MessageHead, len: Option<usize>) -> Route {
        if self.cells.is_empty() {
            return Route::Direct;
        }
        if self.failed || self.closed {
            return Route::Queued;
        }
        let at = self.slots.len();
        let unfinished = self.open().is_some();
        self.slots.push_back(Slot::new(head, len));
        let fault = if unfinished {
            "a message was begun before the one ahead of it was finished"
        } else if !self.may_bear(head) {
            "a message has reserved bits that no extension in use owns"
        } else {
            self.advance(at);
            return self.route(at, head);
        };
        self.fail(at - usize::from(unfinished), None, ExtensionError::internal(fault));
        Route::Queued
    }

    /// A part of the payload of the message that was begun last; the final one has `last` set.
    ///
    /// Nothing happens when that message was dropped, or goes [directly](Route::Direct).
    pub fn push(&mut self, fragment: &[u8], last: bool) {
        if let Some(at) = self.open() {
            if let Err((cell, error)) = self.feed(at, fragment, last) {
                self.fail(at, Some(cell), error);
            }
            self.advance(at);
            self.recount(at);
        }
    }

    /// The oldest message inside, if it has passed all extensions, whole or so far.
    pub fn front(&mut self) -> Option<Front<'_>> {
        let cells = self.cells.len();
        let slot = self.slots.front_mut().filter(|slot| slot.entered == cells && slot.flows())?;
        Some(Front { head: slot.head, finished: slot.stage == Stage::Whole, data: &mut slot.data })
    }

    /// The message in front is done with. Does nothing unless it is [finished](Front::finished).
    pub fn pop(&mut self) {
        if !self.front().is_some_and(|front| front.finished) {
            return;
        }
        if let Some(slot) = self.slots.pop_front() {
            self.popped += 1;
            self.held -= slot.counted;
            self.buffers.give(slot.data, slot.written);
        }
        if self.slots.is_empty() {
            slot::trim(&mut self.slots);
        }
    }

    /// Why this direction is over: once, after every message ahead of the failure was popped.
    pub fn failure(&mut self) -> Option<ExtensionError> {
        if self.slots.is_empty() { Some(self.failure.take()?.error) } else { None }
    }

    /// What a received text had come to when it failed, and [`front`](Self::front) has not shown yet, once every message
    /// ahead of it was popped; nothing otherwise.
    ///
    /// Who checks that text is UTF-8 finds here what was wrong before the failure: otherwise it would depend on how the
    /// message was cut which of two faults is found. It is let go of by [`failure`](Self::failure).
    pub fn remains(&self) -> &[u8] {
        let failure = self.failure.as_deref().filter(|_| self.slots.is_empty());
        failure.and_then(|failure| failure.remains.as_deref()).unwrap_or_default()
    }

    /// The next piece of deferred work, unless as many as allowed are running.
    pub fn next_job(&mut self) -> Option<(JobId, Job)> {
        if self.running >= self.limits.jobs {
            return None;
        }
        let next = self.jobs.pop_front()?;
        self.running += 1;
        Some(next)
    }

    /// Runs on the spot what deferred work only computes. Work that waits for something stays for
    /// [`next_job`](Self::next_job).
    pub fn run_jobs(&mut self) {
        while matches!(self.jobs.front(), Some((_, Job::Blocking(_))))
            && let Some((id, job)) = self.next_job()
            && let Ok(done) = job.run()
        {
            self.complete_job(id, done);
        }
    }

    /// Deferred work is done. Ignored when it was done before, or nobody waits for it any more.
    pub fn complete_job(&mut self, id: JobId, done: Finished) {
        if let Some(at) = self.working(id) {
            self.running -= 1;
            if let Err(error) = self.resume(at, id.cell, done) {
                self.fail(at, Some(id.cell), error);
            }
            self.advance_from(at);
            self.release();
        }
    }

    /// Whether the chain takes more: fewer jobs are unfinished and fewer bytes held than their bounds. While it does
    /// not, the caller should not read from the peer, or take messages from the application.
    ///
    /// Held bytes say no only while the chain can get rid of some without new input, by a job that comes back or a
    /// message that is popped.
    pub fn has_room(&self) -> bool {
        let unfinished = self.jobs.len() + self.running;
        let (held, poppable) = match self.slots.front() {
            // The caller may have taken bytes out of the front.
            Some(slot) => (self.held - slot.counted + slot.weight(), slot.stage == Stage::Whole),
            None => (0, false),
        };
        unfinished < self.limits.jobs && (held < self.limits.pending || !(poppable || unfinished > 0))
    }

    /// How many bytes the messages inside hold.
    #[inline]
    pub const fn pending_bytes(&self) -> usize {
        self.held
    }

    /// Whether nothing is inside: all messages were popped, or dropped because of a failure.
    pub fn is_idle(&self) -> bool {
        self.slots.is_empty()
    }

    /// Nothing enters any more. A message whose last fragment has not come never will be whole and is dropped;
    /// the others come out. Each session is released as soon as nothing can reach it.
    ///
    /// Before a Close is sent, wait until the outgoing chain [is idle](Self::is_idle): what was accepted goes first.
    pub fn close(&mut self) {
        if !self.closed {
            self.closed = true;
            if self.open().is_some()
                && let Some(slot) = self.slots.pop_back()
            {
                self.held -= slot.counted;
            }
        }
        self.release();
    }

    /// Whether [`close`](Self::close) was called and all sessions are released in this direction.
    pub fn is_closed(&self) -> bool {
        self.closed && self.cells.iter().all(Cell::is_released)
    }

    /// Gives back what is kept for the next message: its place, and buffers of up to 64 KiB each. For a connection that
    /// falls silent.
    pub fn shrink(&mut self) {
        self.buffers = Buffers::default();
        if self.slots.is_empty() {
            self.slots = VecDeque::new();
        } else {
            slot::trim(&mut self.slots);
        }
    }
}

/// No extension in use.
impl Default for Chain {
    fn default() -> Self {
        let options = SessionOptions::new(ws_frame::Role::Client, None);
        Chain::new(Direction::Outgoing, Vec::new(), &options)
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain")
            .field("direction", &self.direction)
            .field("extensions", &self.cells.iter().map(Cell::name).collect::<Vec<_>>())
            .field("messages", &self.slots.len())
            .field("failed", &self.failed)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}
