//! Bytes between a blocking stream and an endpoint: the one place that reads, writes and waits.

use std::{
    cell::RefCell,
    io::{self, IoSlice},
    time::{Duration, Instant},
};

use bytes::Buf;
use ws_endpoint::{
    Endpoint, Event,
    driver::{Ending, Progress, Wants},
};

use crate::{
    Error, Transport,
    jobs::{self, Unmade},
};

/// A read takes up to this much: a frame of 64 KiB with its header, and what stands before it.
const READ: usize = 68 * 1024;

/// How many segments go into one vectored write.
const SLICES: usize = 16;

/// How long it takes to look whether something has arrived.
const LOOK: Duration = Duration::from_millis(1);

thread_local! {
    /// What all connections of a thread read into, so that an idle one holds no buffer.
    static CHUNK: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A stream and the endpoint that it carries. All state is here.
#[derive(Debug)]
pub(crate) struct Pump<S> {
    pub(crate) io: S,
    pub(crate) endpoint: Endpoint,
    /// The next deadline, as it was judged last.
    due: Option<Instant>,
    /// The time that reads and writes were given last. Both at once, because those of TLS do both.
    given: Given,
    /// How the transport failed.
    failure: Option<io::Error>,
    unmade: Unmade,
    end_of_stream: bool,
    /// Whether the end was reported.
    reported: bool,
}

/// The time that calls of the stream are given: not known, or this.
type Given = Option<Option<Duration>>;

impl<S: Transport> Pump<S> {
    pub(crate) fn new(io: S, endpoint: Endpoint) -> Self {
        Self {
            io,
            endpoint,
            due: None,
            given: None,
            failure: None,
            unmade: Unmade::new(),
            end_of_stream: false,
            reported: false,
        }
    }

    /// Goes on until an event is ready, or the connection has ended and the transport was dealt with: then it is false.
    ///
    /// What is queued is written when the input has run dry: one read and one write for each batch.
    pub(crate) fn next(&mut self) -> bool {
        loop {
            match self.endpoint.advance(Instant::now()) {
                Progress::Ready => {
                    // A batch with more pings than pongs may wait.
                    if self.endpoint.connection().is_some_and(|connection| connection.sender().must_flush()) {
                        self.write();
                    }
                    return true;
                }
                Progress::Closed => {
                    self.end();
                    return false;
                }
                Progress::NeedBytes | Progress::NeedJobs => {
                    if !self.work() {
                        self.turn();
                    }
                }
            }
        }
    }

    /// Goes on until the connection is open, and a server's answer has left. Whether it is.
    pub(crate) fn open(&mut self) -> bool {
        while self.next() {
            if matches!(self.endpoint.event(), Event::Open(_)) {
                self.write();
                return true;
            }
        }
        false
    }

    /// Goes on to the next event that is wanted. Others are passed over; the end is reported once.
    pub(crate) fn next_wanted(&mut self, wanted: impl Fn(&Event<'_>) -> bool) -> Option<Result<(), Error>> {
        while self.next() {
            let event = self.endpoint.event();
            if !matches!(event, Event::Failed(_) | Event::Closed(_)) && wanted(&event) {
                return Some(Ok(()));
            }
        }
        self.report().map(Err)
    }

    /// The stream and the endpoint, for two threads.
    pub(crate) fn into_parts(self) -> (S, Endpoint) {
        (self.io, self.endpoint)
    }

    /// How the connection has ended, as an error where it is one; once.
    pub(crate) fn report(&mut self) -> Option<Error> {
        if std::mem::replace(&mut self.reported, true) {
            return None;
        }
        let io = self.failure.take();
        match self.endpoint.failure() {
            Some(failure) => Some(Error::new(failure, io)),
            None => self.unmade.get().cloned().map(Error::Send),
        }
    }

    /// How the transport failed.
    pub(crate) fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    /// Does the extensions' work that waits. Whether there was any.
    pub(crate) fn work(&mut self) -> bool {
        jobs::run(&mut self.endpoint, &self.unmade)
    }

    /// Writes what is queued, then waits for bytes or for a deadline.
    fn turn(&mut self) {
        self.write();
        self.judge();
        if self.endpoint.wants().read && self.endpoint.outgoing().remaining() == 0 {
            self.read();
        }
    }

    /// Behind the end: writes the last bytes, shuts down, and reads on until the peer has closed.
    fn end(&mut self) {
        loop {
            self.work();
            self.write();
            let wants = self.endpoint.wants();
            if wants.shutdown {
                match self.io.shutdown() {
                    Ok(()) => self.endpoint.shut(),
                    Err(error) if is_passing(&error) => {}
                    Err(_) => {
                        self.endpoint.transport_failed();
                        self.endpoint.shut();
                    }
                }
            } else if wants.read {
                self.read();
            } else if !wants.write {
                return;
            }
            self.judge();
        }
    }

    /// Writes until nothing waits. Gives up when the transport fails, or a deadline drops it.
    pub(crate) fn write(&mut self) {
        if self.endpoint.outgoing().has_remaining() {
            self.judge(); // begins to watch for a peer that takes nothing
        }
        while self.endpoint.outgoing().has_remaining() || self.endpoint.outgoing().is_unflushed() {
            match self.write_once() {
                Ok(()) => {}
                Err(error) if is_timeout(&error) => {
                    self.judge();
                    if self.endpoint.closed().is_some() && self.endpoint.wants() == Wants::NOTHING {
                        return; // it was dropped
                    }
                }
                Err(error) if is_passing(&error) => {}
                Err(error) => {
                    self.failure.get_or_insert(error);
                    self.endpoint.transport_failed();
                    return self.endpoint.outgoing().set_unflushed(false);
                }
            }
        }
    }

    /// Writes as much as the stream takes at once; flushes it when nothing is left.
    fn write_once(&mut self) -> io::Result<()> {
        self.give_time()?;
        let mut outgoing = self.endpoint.outgoing();
        if !outgoing.has_remaining() {
            self.io.flush()?;
            outgoing.set_unflushed(false);
            return Ok(());
        }
        let mut slices = [IoSlice::new(&[]); SLICES];
        let count = outgoing.chunks_vectored(&mut slices);
        let written = match &slices[..count] {
            [one] => self.io.write(one)?,
            slices => self.io.write_vectored(slices)?,
        };
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        outgoing.advance(written);
        outgoing.set_unflushed(true);
        Ok(())
    }

    /// Reads once, for as long as the next deadline allows.
    fn read(&mut self) {
        let read = CHUNK.with_borrow_mut(|chunk| {
            self.give_time()?;
            chunk.resize(READ, 0);
            let read = self.io.read(chunk)?;
            self.take(&chunk[..read]);
            Ok(())
        });
        if let Err(error) = read {
            self.read_failed(error);
        }
    }

    /// Gives the stream's calls the time that is left until the next deadline.
    fn give_time(&mut self) -> io::Result<()> {
        let time = remaining(self.due);
        if !is_near(self.given, time) {
            self.io.set_read_timeout(time)?;
            self.io.set_write_timeout(time)?;
            self.given = Some(time);
        }
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            self.end_of_stream = true;
            self.endpoint.end_of_stream();
        } else {
            self.endpoint.receive(bytes);
        }
    }

    fn read_failed(&mut self, error: io::Error) {
        if is_passing(&error) {
            return;
        }
        self.end_of_stream = true;
        self.failure.get_or_insert(error);
        self.endpoint.transport_failed();
    }

    /// Judges the deadlines. Before one is found to have passed it looks whether the peer has said something: the caller
    /// may have been busy elsewhere for long. One byte tells that it lives.
    fn judge(&mut self) {
        if self.due.is_some_and(|due| due <= Instant::now()) && !self.end_of_stream {
            let mut byte = [0];
            let look = self.io.set_read_timeout(Some(LOOK)).and_then(|()| self.io.read(&mut byte));
            self.given = None;
            match look {
                Ok(read) => self.take(&byte[..read]),
                Err(error) => self.read_failed(error),
            }
        }
        self.due = self.endpoint.poll_deadline(Instant::now());
    }

    /// Why something that was queued did not leave and never will. The causes themselves are kept for the report.
    pub(crate) fn write_error(&mut self) -> Option<Error> {
        if let Some(error) = self.unmade.get() {
            return Some(Error::Send(error.clone()));
        }
        if let Some(error) = &self.failure {
            return Some(Error::Io(io::Error::new(error.kind(), error.to_string())));
        }
        let connection = self.endpoint.connection()?;
        let abandoned = connection.sender().is_abandoned();
        match connection.receiver().ending() {
            Some(Ending::Expired(expired)) => Some(Error::Expired(*expired)),
            Some(Ending::Failed(fault)) if abandoned => Some(Error::Failed(fault.clone())),
            _ => abandoned.then_some(Error::Lost),
        }
    }
}

/// What is left until a deadline. Not zero, which would not be a time to a stream.
pub(crate) fn remaining(due: Option<Instant>) -> Option<Duration> {
    due.map(|due| due.saturating_duration_since(Instant::now()).max(LOOK))
}

/// Whether the time that was given last will do: it is not longer, and at least half as long. A call that ends too early
/// is made again, while one system call less is one for each batch.
fn is_near(given: Given, time: Option<Duration>) -> bool {
    match (given, time) {
        (Some(None), None) => true,
        (Some(Some(given)), Some(time)) => given <= time && given >= time / 2,
        _ => false,
    }
}

/// Whether a call has taken as long as it was allowed. Systems differ in the name.
pub(crate) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// Whether a call that has come to nothing is to be made again.
pub(crate) fn is_passing(error: &io::Error) -> bool {
    is_timeout(error) || error.kind() == io::ErrorKind::Interrupted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_given_again_when_it_is_too_long_or_much_too_short() {
        let seconds = |s| Some(Duration::from_secs(s));
        for (given, time, near) in [
            (None, None, false),
            (None, seconds(1), false),
            (Some(None), None, true),
            (Some(None), seconds(1), false),
            (Some(seconds(1)), None, false),
            (Some(seconds(10)), seconds(10), true),
            (Some(seconds(5)), seconds(10), true),
            (Some(seconds(4)), seconds(10), false),
            (Some(seconds(11)), seconds(10), false),
        ] {
            assert_eq!(is_near(given, time), near, "{given:?} {time:?}");
        }
        assert_eq!(remaining(Some(Instant::now())), Some(LOOK));
    }
}
