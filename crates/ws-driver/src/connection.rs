//! Both halves of a connection.

use std::time::{Duration, Instant};

use ws_extensions::{Chain, Finished, Job, JobId, Negotiated};
use ws_frame::Rsv;

use crate::{
    Closed, Config, Event, Lifecycle, Limits, Progress, Receiver, Replies, Scratch, SendError, Sender, Wants,
};

/// One open connection: bytes in, events out, bytes out, deadlines. It does no I/O and reads no clock.
///
/// ```
/// use std::time::Instant;
///
/// use bytes::Buf;
/// use ws_driver::{Config, Connection, Event, Negotiated, Progress, Role};
///
/// let mut server = Connection::new(Config::new(Role::Server), Negotiated::default(), Instant::now());
/// server.receiver().buffer().extend_from_slice(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
/// while let Progress::Ready = server.advance() {
///     let (receiver, sender) = server.halves();
///     if let Event::Message(message) = receiver.event() {
///         sender.forward(message)?; // an echo
///     }
/// }
/// assert_eq!(server.sender().outbox().chunk(), b"\x81\x05Hello");
/// # Ok::<(), ws_driver::SendError>(())
/// ```
#[derive(Debug)]
pub struct Connection {
    parts: Parts,
}

/// The parts of a [`Connection`], for an I/O layer that keeps them in different places.
#[derive(Debug)]
pub struct Parts {
    /// The receiving half.
    pub receiver: Receiver,
    /// The sending half.
    pub sender: Sender,
    /// What the first owes the second.
    pub replies: Replies,
    /// Deadlines and the end.
    pub lifecycle: Lifecycle,
}

impl Connection {
    /// A connection whose opening handshake has ended at `now`, with the extensions that it agreed on.
    #[must_use]
    pub fn new(config: Config, negotiated: Negotiated, now: Instant) -> Self {
        let rsv = negotiated.rsv();
        let Negotiated { incoming, outgoing, .. } = negotiated;
        Self::with_chains(config, Some(incoming), Some(outgoing), rsv, now)
    }

    /// The same where no extension was agreed on. Most servers' connections begin so, by the thousand: nothing is
    /// allocated, and nothing made that is not kept.
    #[inline]
    #[must_use]
    pub fn without_extensions(config: Config, now: Instant) -> Self {
        Self::with_chains(config, None, None, Rsv::NONE, now)
    }

    #[inline]
    fn with_chains(
        config: Config,
        incoming: Option<Chain>,
        outgoing: Option<Chain>,
        rsv: Rsv,
        now: Instant,
    ) -> Self {
        Self {
            parts: Parts {
                receiver: Receiver::new(&config, incoming, rsv),
                lifecycle: Lifecycle::new(config.role, config.timeouts.clone(), now),
                sender: Sender::new(config, outgoing),
                replies: Replies::default(),
            },
        }
    }

    /// The halves.
    #[inline]
    pub fn halves(&mut self) -> (&mut Receiver, &mut Sender) {
        (&mut self.parts.receiver, &mut self.parts.sender)
    }

    /// The receiving half.
    #[inline]
    pub fn receiver(&mut self) -> &mut Receiver {
        &mut self.parts.receiver
    }

    /// The sending half.
    #[inline]
    pub fn sender(&mut self) -> &mut Sender {
        &mut self.parts.sender
    }

    /// Lends the buffers of this thread before a read.
    pub fn attach(&mut self, scratch: &mut Scratch) {
        self.parts.receiver.attach(scratch);
        self.parts.sender.attach(scratch);
        self.parts.replies.attach(scratch);
    }

    /// Gives back before a wait what is empty of them.
    pub fn detach(&mut self, scratch: &mut Scratch) {
        self.parts.receiver.detach(scratch);
        self.parts.sender.detach(scratch);
        self.parts.replies.detach(scratch);
    }

    /// Goes on to the next event, and passes on what the halves owe each other.
    #[inline]
    pub fn advance(&mut self) -> Progress {
        let Parts { receiver, sender, replies, .. } = &mut self.parts;
        let progress = receiver.advance(replies);
        sender.absorb(replies);
        progress
    }

    /// The event that is ready; see [`Receiver::event`].
    #[inline]
    pub fn event(&mut self) -> Event<'_> {
        self.parts.receiver.event()
    }

    /// Says that the transport has no more bytes; see [`Receiver::end_of_stream`].
    pub fn end_of_stream(&mut self) {
        self.parts.receiver.end_of_stream();
    }

    /// Judges the deadlines; see [`Lifecycle::poll_deadline`].
    pub fn poll_deadline(&mut self, now: Instant) -> Option<Instant> {
        let Parts { receiver, sender, replies, lifecycle } = &mut self.parts;
        lifecycle.poll_deadline(now, receiver, sender, replies)
    }

    /// How long the peer took to answer the last ping; see [`Lifecycle::rtt`].
    #[must_use]
    pub fn rtt(&self) -> Option<Duration> {
        self.parts.lifecycle.rtt()
    }

    /// Says that the caller does not read for a while, or reads again; see [`Lifecycle::set_paused`].
    pub fn set_paused(&mut self, paused: bool) {
        self.parts.lifecycle.set_paused(paused);
    }

    /// What is wanted of the transport; see [`Lifecycle::wants`].
    pub fn wants(&mut self) -> Wants {
        let Parts { receiver, sender, replies, lifecycle } = &mut self.parts;
        sender.absorb(replies);
        lifecycle.wants(receiver, sender)
    }

    /// Says that the transport's sending side was shut down.
    pub fn shut(&mut self) {
        self.parts.lifecycle.shut();
    }

    /// How the connection ended, once it has.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        let Parts { receiver, sender, .. } = &self.parts;
        receiver.ending().map(|ending| sender.closed(ending))
    }

    /// Whether a Close was asked for, by either side; nothing more can be sent.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.parts.sender.is_closing()
    }

    /// Bytes that wait to be sent; see [`Sender::queued`].
    #[must_use]
    pub fn queued(&self) -> usize {
        self.parts.sender.queued()
    }

    /// The limits of what is sent; see [`Sender::limits`].
    #[must_use]
    pub fn limits(&self) -> &Limits {
        self.parts.sender.limits()
    }

    /// The next piece of deferred work of an extension, of either direction.
    pub fn next_job(&mut self) -> Option<(JobId, Job)> {
        let Parts { receiver, sender, .. } = &mut self.parts;
        receiver.next_job().or_else(|| sender.next_job())
    }

    /// Deferred work is done: advance, and write.
    ///
    /// # Errors
    /// [`SendError::Extension`] when an extension has failed on a message to be sent; the Close that says so is queued.
    pub fn complete_job(&mut self, id: JobId, done: Finished) -> Result<(), SendError> {
        let Parts { receiver, sender, .. } = &mut self.parts;
        match id.direction() {
            ws_extensions::Direction::Incoming => {
                receiver.complete_job(id, done);
                Ok(())
            }
            ws_extensions::Direction::Outgoing => sender.complete_job(id, done),
        }
    }

    /// The parts.
    #[must_use]
    #[inline]
    pub fn into_parts(self) -> Parts {
        self.parts
    }
}

impl From<Parts> for Connection {
    fn from(parts: Parts) -> Self {
        Self { parts }
    }
}

impl Receiver {
    /// The next piece of deferred work on a received message.
    pub fn next_job(&mut self) -> Option<(JobId, Job)> {
        self.chain()?.next_job()
    }

    /// Deferred work on a received message is done.
    pub fn complete_job(&mut self, id: JobId, done: Finished) {
        if let Some(chain) = self.chain() {
            chain.complete_job(id, done);
        }
    }
}

impl Sender {
    /// The next piece of deferred work on a message to be sent.
    pub fn next_job(&mut self) -> Option<(JobId, Job)> {
        self.chain()?.next_job()
    }

    /// Deferred work on a message to be sent is done; what it was waiting for is queued.
    ///
    /// # Errors
    /// [`SendError::Extension`] when the extension has failed; the Close that says so is queued.
    pub fn complete_job(&mut self, id: JobId, done: Finished) -> Result<(), SendError> {
        if let Some(chain) = self.chain() {
            chain.complete_job(id, done);
        }
        self.pump()
    }
}
