//! The halves of a connection, for two threads or more.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError},
    time::Instant,
};

use bytes::Buf;
use ws_endpoint::{
    Endpoint, Event, PingId,
    driver::{CloseCode, Closed, Ending, Message, Progress, Wants},
};

use crate::{
    Error, SendError, SharedTransport,
    jobs::{self, Unmade},
    pump::{is_passing, remaining},
};

/// How much is read, and written, at a time.
const CHUNK: usize = 64 * 1024;

/// The receiving half: it answers pings and Closes, and keeps the deadlines, while [`recv`](Self::recv) waits. Let a thread
/// do that until the end.
#[derive(Debug)]
pub struct OwnedReader<S> {
    io: S,
    shared: Arc<Shared<S>>,
    chunk: Vec<u8>,
    due: Option<Instant>,
    reported: bool,
}

/// The sending half. A clone sends on the same connection.
#[derive(Debug)]
pub struct OwnedWriter<S> {
    shared: Arc<Shared<S>>,
}

impl<S> Clone for OwnedWriter<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

/// What the halves share. Who takes both locks takes the output first; neither a read nor a write happens under the
/// endpoint's, so that a peer that takes nothing does not keep us from receiving.
#[derive(Debug)]
struct Shared<S> {
    endpoint: Mutex<Endpoint>,
    output: Mutex<(S, Vec<u8>)>,
    unmade: Unmade,
    /// How the transport failed.
    failure: OnceLock<io::Error>,
}

pub(crate) fn halves<S: SharedTransport>(
    io: S,
    mut endpoint: Endpoint,
) -> io::Result<(OwnedReader<S>, OwnedWriter<S>)> {
    let output = Mutex::new((io.try_clone()?, Vec::new()));
    pause(&mut endpoint, true);
    let (endpoint, unmade, failure) = (Mutex::new(endpoint), Unmade::new(), OnceLock::new());
    let shared = Arc::new(Shared { endpoint, output, unmade, failure });
    let writer = OwnedWriter { shared: Arc::clone(&shared) };
    let reader = OwnedReader { io, shared, chunk: Vec::new(), due: None, reported: false };
    Ok((reader, writer))
}

/// While nobody receives, the peer's silence is not its own.
fn pause(endpoint: &mut Endpoint, paused: bool) {
    if let Some(connection) = endpoint.connection() {
        connection.set_paused(paused);
    }
}

impl<S> Shared<S> {
    fn endpoint(&self) -> MutexGuard<'_, Endpoint> {
        self.endpoint.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The transport has failed. The first failure is the cause of what follows.
    fn fail(&self, endpoint: &mut Endpoint, error: io::Error) {
        self.failure.get_or_init(|| error);
        endpoint.transport_failed();
    }

    /// How the transport failed, for each half.
    fn failure(&self) -> Option<io::Error> {
        self.failure.get().map(|error| io::Error::new(error.kind(), error.to_string()))
    }

    /// Why something that was queued did not leave and never will.
    fn write_error(&self) -> Option<Error> {
        if let Some(error) = self.unmade.get() {
            return Some(Error::Send(error.clone()));
        }
        let mut endpoint = self.endpoint();
        let connection = endpoint.connection()?;
        connection.sender().is_abandoned().then(|| match connection.receiver().ending() {
            Some(Ending::Expired(expired)) => Error::Expired(*expired),
            Some(Ending::Failed(fault)) => Error::Failed(fault.clone()),
            _ => self.failure().map_or(Error::Lost, Error::Io),
        })
    }
}

impl<S: SharedTransport> Shared<S> {
    /// Writes what is queued, unless another thread is at it: that one goes on until nothing waits.
    fn write_unless_busy(&self) {
        while self.endpoint().outgoing().has_remaining() {
            match self.output.try_lock() {
                Ok(mut output) => self.write_all(&mut output),
                Err(TryLockError::Poisoned(output)) => self.write_all(&mut output.into_inner()),
                Err(TryLockError::WouldBlock) => return,
            }
        }
    }

    /// Writes what is queued, waiting for whoever is at it.
    fn write(&self) {
        // What is queued between the last look and the end of the lock is looked at again.
        while self.endpoint().outgoing().has_remaining() {
            self.write_all(&mut self.output.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn write_all(&self, output: &mut (S, Vec<u8>)) {
        let (io, chunk) = output;
        loop {
            let mut endpoint = self.endpoint();
            let due = endpoint.poll_deadline(Instant::now());
            if is_dropped(&mut endpoint) {
                let _gone = io.abort(); // the other half waits in a read
                return;
            }
            chunk.clear();
            let outgoing = endpoint.outgoing();
            chunk.extend(outgoing.chunk().iter().take(CHUNK));
            drop(endpoint);
            if chunk.is_empty() {
                return;
            }
            let written = io.set_write_timeout(remaining(due)).and_then(|()| io.write(chunk));
            let mut endpoint = self.endpoint();
            match written {
                Ok(written) if written > 0 => {
                    // A connection that was dropped meanwhile has nothing queued any more.
                    let queued = endpoint.outgoing().remaining();
                    endpoint.outgoing().advance(written.min(queued));
                }
                Err(error) if is_passing(&error) => {}
                failed => {
                    self.fail(&mut endpoint, failed.err().unwrap_or(io::ErrorKind::WriteZero.into()));
                    let _gone = io.abort();
                    return;
                }
            }
        }
    }
}

impl<S: SharedTransport> OwnedReader<S> {
    /// The next message. `None` after a clean close; [`closed`](Self::closed) tells more.
    ///
    /// # Errors
    /// Once, when the connection has ended without a closing handshake; then `None`.
    pub fn recv(&mut self) -> Option<Result<Message, Error>> {
        pause(&mut self.shared.endpoint(), false);
        let message = self.next();
        pause(&mut self.shared.endpoint(), true);
        match message {
            Some(message) => Some(Ok(message)),
            None if std::mem::replace(&mut self.reported, true) => None,
            None => {
                let error = self.shared.endpoint().failure().map(|it| Error::new(it, self.shared.failure()));
                error.or_else(|| self.shared.unmade.get().cloned().map(Error::Send)).map(Err)
            }
        }
    }

    /// How the connection ended, once it has: codes, reason, who began.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.shared.endpoint().closed()
    }

    /// The stream.
    pub fn get_ref(&self) -> &S {
        &self.io
    }

    fn next(&mut self) -> Option<Message> {
        loop {
            let mut endpoint = self.shared.endpoint();
            let progress = endpoint.advance(Instant::now());
            let worked = jobs::run(&mut endpoint, &self.shared.unmade);
            if progress == Progress::Ready {
                if let Event::Message(message) = endpoint.event() {
                    return Some(message.into_message());
                }
                // A batch with more pings than pongs may wait.
                let full = endpoint.connection().is_some_and(|connection| connection.sender().must_flush());
                drop(endpoint);
                if full {
                    self.shared.write_unless_busy();
                }
                continue;
            }
            let wants = endpoint.wants();
            drop(endpoint);
            if progress == Progress::Closed && wants == Wants::NOTHING {
                let _gone = self.io.abort(); // the other half may wait in a write
                return None;
            }
            if !worked {
                self.turn();
            }
        }
    }

    /// Writes what is queued, then waits for bytes or for a deadline. Behind the end it shuts down, and reads on.
    fn turn(&mut self) {
        self.shared.write_unless_busy();
        let mut endpoint = self.shared.endpoint();
        let mut look = self.due.is_some_and(|due| due <= Instant::now());
        if !look {
            // Before a deadline is found to have passed, it is looked whether the peer has said something.
            self.due = endpoint.poll_deadline(Instant::now());
        }
        let wants = endpoint.wants();
        drop(endpoint);
        if wants.shutdown && !wants.write {
            let shut = self.shared.output.lock().unwrap_or_else(PoisonError::into_inner).0.shutdown();
            let mut endpoint = self.shared.endpoint();
            match shut {
                Err(error) if is_passing(&error) => {}
                _ => endpoint.shut(),
            }
        } else if wants.read {
            self.read();
        } else if wants.write {
            // Another thread is at it: it comes back when it is done, or when a deadline has passed.
            self.shared.write();
        } else {
            look = true;
        }
        if look {
            self.due = self.shared.endpoint().poll_deadline(Instant::now());
        }
    }

    fn read(&mut self) {
        self.chunk.resize(CHUNK, 0);
        let read = self.io.set_read_timeout(remaining(self.due)).and_then(|()| self.io.read(&mut self.chunk));
        let mut endpoint = self.shared.endpoint();
        match read {
            Ok(0) => endpoint.end_of_stream(),
            Ok(read) => endpoint.receive(self.chunk.get(..read).unwrap_or_default()),
            Err(error) if is_passing(&error) => {}
            Err(error) => self.shared.fail(&mut endpoint, error),
        }
    }
}

impl<S: SharedTransport> OwnedWriter<S> {
    /// Sends a message: queues it, then writes everything that is queued.
    ///
    /// # Errors
    /// [`SendError::Unsent`] hands the message back when it cannot be queued; [`SendError::Ended`] when the connection
    /// ends while it is written.
    pub fn send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        self.shared.endpoint().send(message)?;
        Ok(self.flush()?)
    }

    /// Queues a message, and writes only when more is queued than the high-water mark allows.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    pub fn feed(&self, message: impl Into<Message>) -> Result<(), SendError> {
        let mut endpoint = self.shared.endpoint();
        endpoint.send(message)?;
        let above = endpoint.is_above_mark();
        drop(endpoint);
        if above {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes everything that is queued, extensions' work included.
    ///
    /// # Errors
    /// When the transport fails, or a deadline passes; [`Error::Send`] when an extension fails on a message.
    pub fn flush(&self) -> Result<(), Error> {
        jobs::run(&mut self.shared.endpoint(), &self.shared.unmade);
        self.shared.write();
        self.shared.write_error().map_or(Ok(()), Err)
    }

    /// Sends a ping of up to 125 bytes.
    ///
    /// # Errors
    /// [`Error::Send`] when it cannot be queued; what [`flush`](Self::flush) gives.
    pub fn ping(&self, payload: &[u8]) -> Result<PingId, Error> {
        let id = self.shared.endpoint().ping(payload)?;
        self.flush()?;
        Ok(id)
    }

    /// Sends a Close. The reading half receives what still arrives, and then the end.
    ///
    /// # Errors
    /// [`Error::Send`] for a reason above 123 bytes; what [`flush`](Self::flush) gives.
    pub fn close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.shared.endpoint().close(code, reason)?;
        self.flush()
    }

    /// Bytes that wait to be sent.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.shared.endpoint().queued()
    }
}

/// Whether a deadline has ended it, so that the stream is to go without another word.
fn is_dropped(endpoint: &mut Endpoint) -> bool {
    endpoint.closed().is_some_and(|closed| !closed.is_clean()) && endpoint.wants() == Wants::NOTHING
}
