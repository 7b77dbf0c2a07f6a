//! How an endpoint ended, and what its transport is still needed for when it never opened.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use ws_driver::{Closed, Initiator, Role, Wants};
use ws_handshake::{Refusal, RequestError, write_response};

use super::{Endpoint, Failure, Ready};

/// How much of what comes behind a refusal is read at a time, to be thrown away.
const READ: usize = 4096;

/// How it ended, what of that was told, and the farewell of a connection that never opened: the answer leaves, the
/// sending side is shut down, and what the peer still sends is thrown away for a moment, because a transport that is
/// dropped with unread bytes may forget what was written.
#[derive(Debug, Default)]
pub(super) struct End {
    failure: Option<Failure>,
    closed: Option<Closed>,
    told_failure: bool,
    told_closed: bool,
    /// Whether an answer is on its way that the peer should be able to read.
    lingers: bool,
    /// For how long.
    timeout: Option<Duration>,
    since: Option<Instant>,
    buf: BytesMut,
    end_of_stream: bool,
    shut: bool,
    dropped: bool,
}

impl End {
    pub(super) fn new(failure: Option<Failure>, closed: Closed) -> Self {
        Self { failure, closed: Some(closed), ..Self::default() }
    }

    pub(super) fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    pub(super) fn into_failure(self) -> Option<Failure> {
        self.failure
    }

    pub(super) fn closed(&self) -> Option<&Closed> {
        self.closed.as_ref()
    }

    /// The event that is told next: what went wrong, then the end.
    pub(super) fn next(&mut self) -> Ready {
        if self.failure.is_some() && !std::mem::replace(&mut self.told_failure, true) {
            Ready::Failed
        } else if self.closed.is_some() && !std::mem::replace(&mut self.told_closed, true) {
            Ready::Closed
        } else {
            Ready::Nothing
        }
    }

    pub(super) fn buffer(&mut self) -> &mut BytesMut {
        self.buf.clear();
        self.buf.reserve(READ);
        &mut self.buf
    }

    pub(super) fn end_of_stream(&mut self) {
        self.end_of_stream = true;
    }

    pub(super) fn shut(&mut self) {
        self.shut = true;
    }

    pub(super) fn is_dropped(&self) -> bool {
        self.dropped
    }

    /// Judges how long the peer takes to leave.
    pub(super) fn poll_deadline(&mut self, now: Instant) -> Option<Instant> {
        let since = *self.since.get_or_insert(now);
        let deadline = since.checked_add(self.timeout?)?;
        self.dropped |= deadline <= now;
        (!self.dropped && self.wants(false) != Wants::NOTHING).then_some(deadline)
    }

    pub(super) fn wants(&self, written: bool) -> Wants {
        if self.dropped {
            return Wants::NOTHING;
        }
        let read = self.lingers && !self.end_of_stream;
        Wants { read, write: !written, shutdown: written && !self.shut, jobs: false }
    }
}

impl Endpoint {
    /// It will not open, for this reason.
    pub(super) fn fail(&mut self, failure: Failure) {
        let answer = match &failure {
            Failure::Refused(refusal) => Some(write_response(refusal.response())),
            Failure::Timeout if self.role == Role::Server => Some(self.answer_to_silence()),
            _ => None,
        };
        let initiator = if matches!(failure, Failure::Left) { Initiator::Peer } else { Initiator::Local };
        self.end_unopened(Some(failure), initiator, answer);
    }

    /// Who has sent no request is told so; who has waits for us.
    fn answer_to_silence(&self) -> Bytes {
        let asked = self.opening.as_ref().is_some_and(|opening| opening.is_asked());
        let error = if asked { RequestError::Unavailable } else { RequestError::Timeout };
        write_response(Refusal::from(error).response())
    }

    /// Ends a connection that never opened. Without an answer nothing more is written.
    pub(super) fn end_unopened(
        &mut self,
        failure: Option<Failure>,
        initiator: Initiator,
        answer: Option<Bytes>,
    ) {
        let Some(opening) = self.opening.take() else { return };
        let mut end = End::new(failure, Closed::before_open(initiator));
        end.lingers = answer.is_some();
        end.timeout = opening.timeouts.close;
        end.end_of_stream = opening.end_of_stream;
        self.head = answer.unwrap_or_default();
        self.owed = None;
        self.end = Some(Box::new(end));
    }
}
