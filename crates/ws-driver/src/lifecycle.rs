//! Deadlines, and the way a connection ends.

use std::time::{Duration, Instant};

use ws_frame::{CloseCode, Role};

use crate::{
    Ending, Expired, Fault, Receiver, Replies, SendError, Sender, Shared, Timeouts, round_trip::RoundTrip,
    tick::Tick,
};

/// What a connection wants of its transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wants {
    /// To read: messages, or behind the end whatever comes until the peer has closed, which is thrown away.
    pub read: bool,
    /// To write what is in the outbox.
    pub write: bool,
    /// To have its sending side shut down: nothing more will be written.
    pub shutdown: bool,
    /// To wait for deferred work of extensions, without which it does not go on.
    pub jobs: bool,
}

/// A Close with its header and mask: what remains to be written of a closing handshake when all else has left.
const LONGEST_CLOSE: u64 = 2 + 4 + 125;

impl Wants {
    /// Nothing: the transport can be dropped.
    pub const NOTHING: Self = Self { read: false, write: false, shutdown: false, jobs: false };
}

/// Deadlines, and the way a connection ends. It reads no clock: `now` comes in once for each batch, and what has
/// happened since the last time is taken to have happened then.
#[derive(Debug)]
pub struct Lifecycle {
    role: Role,
    timeouts: Shared<Timeouts>,
    opened: Instant,
    heard: Tick,
    messaged: Tick,
    pinged: Option<Tick>,
    closing: Option<Tick>,
    /// Since when bytes have waited without progress, and how many had been written then.
    stalled: Option<(Tick, u64)>,
    round_trip: RoundTrip,
    /// Whether traffic can only move the deadlines away: nothing is waited for that has to come before one of them.
    calm: bool,
    shut: bool,
    dropped: bool,
    /// Whether the caller does not read just now, and whether it did not until a moment ago.
    paused: bool,
    resumed: bool,
}

impl Lifecycle {
    #[inline]
    pub(crate) fn new(role: Role, timeouts: Shared<Timeouts>, now: Instant) -> Self {
        Self {
            role,
            timeouts,
            opened: now,
            heard: Tick::OPENED,
            messaged: Tick::OPENED,
            pinged: None,
            closing: None,
            stalled: None,
            round_trip: RoundTrip::default(),
            calm: false,
            shut: false,
            dropped: false,
            paused: false,
            resumed: false,
        }
    }

    /// Judges the deadlines at `now` and gives the next one, `None` when there is none.
    ///
    /// Read what is readable and write what can be written first, so that an answer that has arrived counts, and a
    /// caller that was busy elsewhere does not take its own silence for the peer's. Pings, the Close for an idle or aged
    /// connection, and failures are queued here; advance and write behind it.
    pub fn poll_deadline(
        &mut self,
        now: Instant,
        receiver: &mut Receiver,
        sender: &mut Sender,
        replies: &mut Replies,
    ) -> Option<Instant> {
        let now = Tick::new(self.opened, now);
        self.calm = false;
        self.observe(now, receiver, sender);
        if self.dropped {
            return None;
        }
        let stall = self.stalled.and_then(|(since, _)| since.after(self.timeouts.write_stall));
        if stall.is_some_and(|deadline| deadline <= now) {
            return self.drop_transport(Expired::WriteStall, receiver, sender);
        }
        if self.closing.is_none() {
            self.judge_open(now, receiver, sender, replies);
        }
        let next = match self.closing {
            Some(since) => since.after(self.timeouts.close),
            None => self.next_while_open(),
        };
        if self.closing.is_some() && next.is_some_and(|deadline| deadline <= now) {
            return self.drop_transport(Expired::Close, receiver, sender);
        }
        self.calm = self.closing.is_none() && self.pinged.is_none() && self.stalled.is_none();
        earliest([next, stall])?.instant(self.opened)
    }

    /// The common case of [`poll_deadline`](Self::poll_deadline), in few steps: whether the deadline that it gave last
    /// still stands, or one before it, and nothing was to be done at `now` if that has not come. What has happened since
    /// was taken note of then; otherwise nothing was.
    ///
    /// So it is while a connection is open, has written everything, and waits for no pong: traffic only moves its
    /// deadlines away.
    #[inline]
    pub fn is_calm(&mut self, now: Instant, receiver: &mut Receiver, sender: &mut Sender) -> bool {
        let outbox = sender.outbox();
        let written = outbox.is_empty() && !outbox.is_unflushed();
        let calm = self.calm && written && receiver.ending().is_none() && !sender.is_closing();
        if calm {
            self.observe_traffic(Tick::new(self.opened, now), receiver, sender);
        }
        calm
    }

    /// What has come and gone since the last time.
    #[inline]
    fn observe_traffic(&mut self, now: Tick, receiver: &mut Receiver, sender: &mut Sender) {
        self.measure_at(now, receiver, sender);
        if receiver.take_heard() {
            self.heard = now;
            self.pinged = None;
        }
        if receiver.take_messaged() | sender.take_messaged() {
            self.messaged = now;
        }
    }

    /// What has happened since the last time.
    fn observe(&mut self, now: Tick, receiver: &mut Receiver, sender: &mut Sender) {
        self.observe_traffic(now, receiver, sender);
        if std::mem::take(&mut self.resumed) | self.paused {
            self.heard = now;
            self.pinged = None;
        }
        let written = sender.outbox().written();
        let moved = self.stalled.map_or(0, |(_, before)| written.wrapping_sub(before));
        let drains = moved > 0 && !sender.outbox().is_empty() || moved > LONGEST_CLOSE;
        self.stalled = match self.stalled {
            _ if sender.outbox().is_empty() && !sender.outbox().is_unflushed() => None,
            Some((since, before)) if before == written => Some((since, before)),
            _ => Some((now, written)),
        };
        let closing = receiver.ending().is_some() || sender.is_closing();
        let failed = matches!(receiver.ending(), Some(Ending::Failed(_)));
        // While the peer still takes what stands before the Close, the closing handshake has hardly begun.
        if closing && (self.closing.is_none() || drains && !failed) {
            self.closing = Some(now);
        }
    }

    /// Pings, fails or closes an open connection whose time has come.
    fn judge_open(&mut self, now: Tick, receiver: &mut Receiver, sender: &mut Sender, replies: &mut Replies) {
        let passed = |since: Tick, timeout| since.after(timeout).is_some_and(|deadline| deadline <= now);
        if let Some(pinged) = self.pinged {
            if passed(pinged, self.timeouts.pong_within) {
                receiver.fail(Fault::PongTimeout, replies);
                sender.absorb(replies);
                self.closing = Some(now);
                return;
            }
        } else if !self.paused && passed(self.heard, self.timeouts.ping_after) {
            // With a queue so full that no ping fits, the deadline for a stalled write decides.
            let _full = self.ping_at(now, receiver, sender);
            self.pinged = Some(now);
        }
        let reason = if passed(Tick::OPENED, self.timeouts.max_age) {
            "maximum age reached"
        } else if passed(self.messaged, self.timeouts.idle) {
            "idle for too long"
        } else {
            return;
        };
        let _fits = sender.close(CloseCode::GOING_AWAY, reason);
        self.closing = Some(now);
    }

    fn next_while_open(&self) -> Option<Tick> {
        let alive = match self.pinged {
            _ if self.paused => None,
            Some(pinged) => pinged.after(self.timeouts.pong_within),
            None => self.heard.after(self.timeouts.ping_after),
        };
        earliest([alive, Tick::OPENED.after(self.timeouts.max_age), self.messaged.after(self.timeouts.idle)])
    }

    /// Queues a ping with a payload of its own at `now`, and measures how long its pong takes.
    ///
    /// # Errors
    /// [`SendError::Closed`], [`SendError::Full`].
    pub fn ping(
        &mut self,
        now: Instant,
        receiver: &mut Receiver,
        sender: &mut Sender,
    ) -> Result<(), SendError> {
        self.ping_at(Tick::new(self.opened, now), receiver, sender)
    }

    /// The moment is the payload: no other ping of the connection has it, and nothing has to be kept for that.
    fn ping_at(&mut self, now: Tick, receiver: &mut Receiver, sender: &mut Sender) -> Result<(), SendError> {
        sender.ping(&now.low_bytes())?;
        self.measure_at(now, receiver, sender);
        Ok(())
    }

    /// Takes note at `now` of a ping that is about to leave, or a pong that has just been read, so that
    /// [`rtt`](Self::rtt) is exact. [`poll_deadline`](Self::poll_deadline) does it too, as of its own moment.
    pub fn measure(&mut self, now: Instant, receiver: &mut Receiver, sender: &mut Sender) {
        self.measure_at(Tick::new(self.opened, now), receiver, sender);
    }

    #[inline]
    fn measure_at(&mut self, now: Tick, receiver: &mut Receiver, sender: &mut Sender) {
        if receiver.take_ponged() {
            self.round_trip.end(now);
        }
        if let Some(ping) = sender.take_pinged() {
            self.round_trip.begin(now);
            receiver.expect_pong(ping);
        }
    }

    /// Whether there is anything to [`measure`](Self::measure).
    #[must_use]
    #[inline]
    pub fn has_news(receiver: &Receiver, sender: &Sender) -> bool {
        receiver.has_ponged() || sender.has_pinged()
    }

    /// How long the peer took to answer the last ping that it has answered: one of the keepalive, or the caller's.
    ///
    /// A pong answers the newest ping if it carries the same payload; an older one is not waited for any more
    /// (RFC 6455 section 5.5.3). To the microsecond, and as exact as the `now` that
    /// [`measure`](Self::measure) or [`poll_deadline`](Self::poll_deadline) was given behind the queueing of the ping and the
    /// reading of the pong.
    #[must_use]
    pub fn rtt(&self) -> Option<Duration> {
        self.round_trip.last()
    }

    /// Whether a ping is waiting for its pong.
    #[must_use]
    pub fn is_measuring(&self) -> bool {
        self.round_trip.is_measuring()
    }

    /// Says that the caller does not read for a while, or reads again. Meanwhile no ping is sent and no pong missed; the
    /// silence of the peer counts from the moment at which it is read from again. The other deadlines go on.
    pub fn set_paused(&mut self, paused: bool) {
        self.calm = false;
        self.resumed |= self.paused && !paused;
        self.paused = paused;
    }

    /// Whether the caller does not read.
    #[must_use]
    #[inline]
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    fn drop_transport(
        &mut self,
        expired: Expired,
        receiver: &mut Receiver,
        sender: &mut Sender,
    ) -> Option<Instant> {
        self.dropped = true;
        receiver.expire(expired);
        sender.abandon();
        None
    }

    /// What the connection wants of its transport now.
    ///
    /// At the end a Close is written first. Then a server shuts down (RFC 6455 section 7.1.1: it closes TCP first),
    /// while a client reads until it has. A side that failed the connection shuts down and reads on, so that what
    /// the peer was still sending does not make the transport forget the Close.
    #[must_use]
    pub fn wants(&self, receiver: &mut Receiver, sender: &mut Sender) -> Wants {
        if self.dropped {
            return Wants::NOTHING;
        }
        let write = !sender.outbox().is_empty();
        let eof = receiver.is_end_of_stream();
        let (lingers, shuts_first) = match receiver.ending() {
            None => {
                let room = receiver.chain().is_none_or(|chain| chain.has_room());
                let jobs = !room || sender.is_close_waiting();
                return Wants { read: !eof && room, write, shutdown: false, jobs };
            }
            Some(Ending::Close(_)) => (self.role == Role::Client, self.role == Role::Server),
            Some(Ending::Failed(_)) => (true, true),
            Some(Ending::Expired(_) | Ending::Lost) => {
                return Wants { shutdown: !self.shut, jobs: receiver.is_working(), ..Wants::NOTHING };
            }
        };
        let written = !write && sender.has_sent_close();
        let shutdown = written && !self.shut && (shuts_first || eof);
        let jobs = receiver.is_working() || sender.is_close_waiting();
        Wants { read: !eof && lingers, write, shutdown, jobs }
    }

    /// Says that the transport's sending side was shut down.
    pub fn shut(&mut self) {
        self.shut = true;
    }

    /// Says that the transport failed: nothing more is wanted of it.
    pub fn transport_failed(&mut self, sender: &mut Sender) {
        self.calm = false;
        self.dropped = true;
        sender.abandon();
    }

    /// Whether the transport is to be dropped without another word.
    #[must_use]
    pub fn is_dropped(&self) -> bool {
        self.dropped
    }
}

fn earliest<const N: usize>(deadlines: [Option<Tick>; N]) -> Option<Tick> {
    deadlines.into_iter().flatten().min()
}
