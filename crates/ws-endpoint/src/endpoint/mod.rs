//! One connection from the first byte of its opening handshake to its end.

mod ending;
mod event;
mod failure;
mod opening;
mod outgoing;
mod pings;
mod queue;
mod sending;
mod setup;

use std::time::Instant;

use bytes::{Bytes, BytesMut};
use ws_driver::{
    Connection, Event as Received, Finished, Job, JobId, Progress, Role, SendError, Sender, Wants,
};

use self::{
    ending::End,
    opening::{Opening, Stage, Step},
    pings::Pings,
};
pub use self::{
    event::{Event, PingId, Pong, State},
    failure::{AddExtensionError, Failure, SetHeaderError},
    outgoing::Outgoing,
};
use crate::{Agreed, Opened};

/// One connection from the first byte of its opening handshake to its end: bytes in, events out, bytes out, deadlines.
///
/// It is made by [`client`](Self::client), [`server`](Self::server) or [`http`](Self::http), and begins with
/// [`start`](Self::start). Whatever drives it does the same four things until [`wants`](Self::wants) asks for nothing
/// more: it writes [`outgoing`](Self::outgoing), reads into [`buffer`](Self::buffer), takes events with
/// [`advance`](Self::advance) and [`event`](Self::event), and judges deadlines with
/// [`poll_deadline`](Self::poll_deadline).
///
/// What is sent before the connection is open is queued, within the bounds of its
/// [`Limits`](ws_driver::Limits), and leaves right behind the opening handshake.
///
/// ```
/// use std::{io::{self, Read, Write}, time::Instant};
///
/// use bytes::Buf;
/// use ws_endpoint::{Endpoint, Event, driver::Progress};
///
/// /// Prints every message until the connection has ended.
/// fn run(mut endpoint: Endpoint, mut transport: impl Read + Write) -> io::Result<()> {
///     endpoint.start(Instant::now());
///     let mut chunk = [0; 4096];
///     loop {
///         while let Progress::Ready = endpoint.advance(Instant::now()) {
///             match endpoint.event() {
///                 Event::Message(message) => println!("{:?}", message.into_message()),
///                 Event::Failed(failure) => println!("{failure}"),
///                 _ => {}
///             }
///         }
///         endpoint.poll_deadline(Instant::now());
///         let wants = endpoint.wants();
///         if wants.write {
///             let written = transport.write(endpoint.outgoing().chunk())?;
///             endpoint.outgoing().advance(written);
///         } else if wants.shutdown {
///             endpoint.shut(); // and shut the transport down
///         } else if wants.read {
///             match transport.read(&mut chunk)? {
///                 0 => endpoint.end_of_stream(),
///                 n => endpoint.receive(&chunk[..n]),
///             }
///         } else {
///             return Ok(());
///         }
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Endpoint {
    role: Role,
    /// Until the connection is open, or will never be.
    opening: Option<Box<Opening>>,
    connection: Option<Connection>,
    agreed: Option<Box<Agreed>>,
    /// What of the opening handshake is to be written.
    head: Bytes,
    unflushed: bool,
    /// Whether all that was read is used up.
    dry: bool,
    ready: Ready,
    /// The event that comes next, whatever has arrived.
    owed: Option<Ready>,
    pings: Pings,
    end: Option<Box<End>>,
}

/// What [`Endpoint::event`] lends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ready {
    Nothing,
    Request,
    Open,
    Connection,
    Pong(PingId),
    Failed,
    Closed,
}

impl Endpoint {
    /// Begins: a client sends its request, a server answers the one that has come, or will as soon as it comes. Whether this
    /// call did it; a second one does nothing.
    pub fn start(&mut self, now: Instant) -> bool {
        let Some(opening) = &mut self.opening else { return false };
        match opening.start(now) {
            Ok((false, _)) => false,
            Ok((true, bytes)) => {
                self.head = bytes;
                if opening.is_asked() {
                    let step = opening.step(now);
                    self.take(step);
                }
                true
            }
            Err(failure) => {
                self.fail(failure);
                false
            }
        }
    }

    /// The buffer to read into, with room behind what is in it.
    pub fn buffer(&mut self) -> &mut BytesMut {
        self.dry = false;
        match (&mut self.connection, &mut self.opening, &mut self.end) {
            (Some(connection), ..) => connection.receiver().buffer(),
            (None, Some(opening), _) => opening.buffer(),
            (None, None, end) => end.get_or_insert_default().buffer(),
        }
    }

    /// Takes bytes that were read, for a caller that has them elsewhere.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.buffer().extend_from_slice(bytes);
    }

    /// Says that the transport has no more bytes.
    pub fn end_of_stream(&mut self) {
        self.dry = false;
        match (&mut self.connection, &mut self.opening, &mut self.end) {
            (Some(connection), ..) => connection.end_of_stream(),
            (None, Some(opening), _) => opening.end_of_stream = true,
            (None, None, Some(end)) => end.end_of_stream(),
            (None, None, None) => {}
        }
    }

    /// Says that the transport has failed: nothing more can be written. What came before is received.
    pub fn transport_failed(&mut self) {
        self.head = Bytes::new();
        if let Some(connection) = &mut self.connection {
            connection.sender().abandon();
        }
        self.end_of_stream();
    }

    /// Uses up what was lent, and goes on to the next event. [`Progress::NeedJobs`] stands for a caller who has yet to
    /// start, too. The clock is looked at when the opening handshake ends: once for each batch is enough.
    ///
    /// How the stream is cut into reads never changes the events. A fault of the peer is not an error here: the right
    /// answer is queued, and [`Event::Failed`] comes behind all that was whole before it, then [`Event::Closed`].
    pub fn advance(&mut self, now: Instant) -> Progress {
        if self.connection.is_some() && self.owed.is_none() {
            return self.advance_open();
        }
        loop {
            if let Some(ready) = self.owed.take() {
                self.ready = ready;
                return Progress::Ready;
            }
            let Some(opening) = &mut self.opening else { return self.advance_end() };
            let step = opening.step(now);
            self.ready = Ready::Nothing;
            self.dry = matches!(step, Step::NeedBytes);
            match step {
                Step::NeedBytes => return Progress::NeedBytes,
                Step::Waits => return Progress::NeedJobs,
                step => self.take(step),
            }
        }
    }

    fn advance_open(&mut self) -> Progress {
        let Some(connection) = &mut self.connection else { return self.advance_end() };
        match connection.advance() {
            Progress::Ready => {
                self.ready = match connection.event() {
                    Received::Pong(payload) if !self.pings.is_empty() => {
                        self.pings.answered(payload).map_or(Ready::Connection, Ready::Pong)
                    }
                    _ => Ready::Connection,
                };
                Progress::Ready
            }
            Progress::Closed => self.advance_end(),
            progress => {
                self.ready = Ready::Nothing;
                self.dry = progress == Progress::NeedBytes;
                progress
            }
        }
    }

    /// Goes on to what is left to tell of the end.
    fn advance_end(&mut self) -> Progress {
        if let (None, Some(connection)) = (&self.end, &mut self.connection) {
            let failure = connection.receiver().ending().and_then(Failure::of);
            self.end = connection.closed().map(|closed| Box::new(End::new(failure, closed)));
        }
        self.ready = self.end.as_mut().map_or(Ready::Nothing, |end| end.next());
        if self.ready == Ready::Nothing { Progress::Closed } else { Progress::Ready }
    }

    /// The event that is ready, lent until the next advance.
    pub fn event(&mut self) -> Event<'_> {
        self.lend().0
    }

    /// The event that is ready, and the sender to answer it with while it is lent: an echo without a copy. There is one
    /// once the connection is open.
    pub fn lend(&mut self) -> (Event<'_>, Option<&mut Sender>) {
        let Self { connection, opening, agreed, end, .. } = self;
        let (receiver, sender) = match connection.as_mut().map(Connection::halves) {
            Some((receiver, sender)) => (Some(receiver), Some(sender)),
            None => (None, None),
        };
        let event = match self.ready {
            Ready::Nothing => None,
            Ready::Request => opening.as_ref().and_then(|opening| opening.request()).map(Event::Request),
            Ready::Open => agreed.as_deref().map(Event::Open),
            Ready::Connection => receiver.map(|receiver| Event::of(receiver.event(), None)),
            Ready::Pong(ping) => receiver.map(|receiver| Event::of(receiver.event(), Some(ping))),
            Ready::Failed => end.as_ref().and_then(|end| end.failure()).map(Event::Failed),
            Ready::Closed => end.as_ref().and_then(|end| end.closed()).map(Event::Closed),
        };
        (event.unwrap_or(Event::None), sender)
    }

    /// The bytes to be written.
    pub fn outgoing(&mut self) -> Outgoing<'_> {
        let Self { head, connection, unflushed, .. } = self;
        let outbox = connection.as_mut().map(|connection| connection.sender().outbox());
        Outgoing { head, outbox, unflushed }
    }

    /// Judges the deadlines at `now` and gives the next one, `None` when there is none. Read what is readable and write
    /// what can be written first; advance and write behind it.
    pub fn poll_deadline(&mut self, now: Instant) -> Option<Instant> {
        if let Some(connection) = &mut self.connection {
            // The opening handshake's last bytes are waited for like those of a frame.
            let waits = self.unflushed || !self.head.is_empty();
            connection.sender().outbox().set_unflushed(waits);
            return connection.poll_deadline(now);
        }
        if let Some(deadline) = self.opening.as_ref().map(|opening| opening.deadline) {
            if deadline.is_none_or(|deadline| now < deadline) {
                return deadline;
            }
            self.fail(Failure::Timeout);
        }
        let due = self.end.as_mut().and_then(|end| end.poll_deadline(now));
        if due.is_none() && self.end.as_ref().is_some_and(|end| end.is_dropped()) {
            self.head = Bytes::new();
        }
        due
    }

    /// What is wanted of the transport. Bytes are wanted once all that were read are used up: a caller who takes no events
    /// is not read for. [`Wants::jobs`] stands for a caller who has yet to start, too.
    pub fn wants(&mut self) -> Wants {
        let mut wants = match (&mut self.connection, &self.opening, &self.end) {
            (Some(connection), ..) => {
                let wants = connection.wants();
                Wants { read: wants.read && (self.dry || self.end.is_some()), ..wants }
            }
            (None, Some(opening), _) => opening.wants(self.dry),
            (None, None, Some(end)) => end.wants(self.head.is_empty()),
            (None, None, None) => Wants::NOTHING,
        };
        if !self.head.is_empty() && wants != Wants::NOTHING {
            wants.write = true;
            wants.shutdown = false;
        }
        wants
    }

    /// Says that the transport's sending side was shut down.
    pub fn shut(&mut self) {
        match (&mut self.connection, &mut self.end) {
            (Some(connection), _) => connection.shut(),
            (None, Some(end)) => end.shut(),
            (None, None) => {}
        }
    }

    /// The next piece of deferred work of an extension.
    pub fn next_job(&mut self) -> Option<(JobId, Job)> {
        self.connection.as_mut()?.next_job()
    }

    /// Deferred work is done: advance, and write.
    ///
    /// # Errors
    /// [`SendError::Extension`] when an extension has failed on a message to be sent; the Close that says so is queued.
    pub fn complete_job(&mut self, id: JobId, done: Finished) -> Result<(), SendError> {
        self.connection.as_mut().map_or(Ok(()), |connection| connection.complete_job(id, done))
    }

    /// Takes what a step of the opening handshake came to: there is an event, or the end, behind it.
    fn take(&mut self, step: Step) {
        match step {
            Step::NeedBytes | Step::Waits => {}
            Step::Request => self.owed = Some(Ready::Request),
            Step::Opened(bytes, opened) => self.open(bytes, *opened),
            Step::Failed(failure) => self.fail(failure),
        }
    }

    /// The opening handshake has ended well.
    fn open(&mut self, bytes: Bytes, opened: Opened) {
        let Opened { mut connection, handshake } = opened;
        if let Some(opening) = self.opening.take() {
            if !opening.buf.is_empty() {
                connection.receiver().buffer().extend_from_slice(&opening.buf);
            }
            if opening.end_of_stream {
                connection.end_of_stream();
            }
            opening.queue.drain_into(connection.sender());
        }
        if !bytes.is_empty() {
            self.head = bytes;
        }
        self.connection = Some(connection);
        self.agreed = Some(Box::new(handshake));
        self.owed = Some(Ready::Open);
    }
}
