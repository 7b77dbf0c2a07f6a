//! One side of a life: an application, its connection, and what the transport between them needs done.

use std::time::{Duration, Instant};

use bytes::Buf;
use ws_driver::{
    CloseCode, Connection, DataKind, Ending, Finished, JobId, Message, Progress, Role, SendError, Text, Wants,
};

use super::{
    Broken,
    network::{Read, Way},
    plan::Act,
};
use crate::{Call, Endpoint, Fault, Faults, Rng, Seen, whole_messages};

/// What one side has sent, by the queues that keep their order: messages wait for extensions, control frames pass them.
#[derive(Debug, Default)]
pub(super) struct Sent {
    pub(super) messages: Vec<Seen>,
    pub(super) pings: Vec<Vec<u8>>,
}

#[derive(Debug)]
pub(super) struct Side {
    role: Role,
    endpoint: Endpoint,
    acts: std::vec::IntoIter<(u64, Act)>,
    next: Option<(u64, Act)>,
    busy_until: u64,
    /// The message in parts that is open.
    open: Option<(DataKind, Vec<u8>)>,
    jobs: Vec<(u64, JobId, Finished)>,
    slowest_job: usize,
    deadline: Option<u64>,
    pub(super) sent: Sent,
    /// How many of what the peer has sent were received.
    pub(super) received: (usize, usize),
    /// Whether the transport was dropped by the application.
    pub(super) has_dropped: bool,
    pub(super) is_over: bool,
    memory: (usize, usize),
    pub(super) faults: Faults,
    /// What was read, where a call is to fail.
    was_read: Vec<u8>,
}

/// The clock of all lives begins here: a driver never asks what time it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    pub(super) start: Instant,
    pub(super) now: u64,
}

impl Clock {
    pub(super) fn instant(self) -> Instant {
        self.start + Duration::from_millis(self.now)
    }

    fn millis(self, instant: Instant) -> u64 {
        let since = instant.duration_since(self.start).as_micros().div_ceil(1_000);
        u64::try_from(since).unwrap_or(u64::MAX)
    }
}

impl Side {
    pub(super) fn new(role: Role, connection: Connection, acts: Vec<(u64, Act)>, slowest_job: usize) -> Self {
        let mut endpoint = Endpoint::over(role, connection);
        let longest = acts.iter().map(|(_, act)| act.len()).max().unwrap_or_default();
        let total: usize = acts.iter().map(|(_, act)| act.len()).sum();
        let mark = endpoint.connection.sender().limits().high_water_mark;
        let limit = endpoint.connection.receiver().limits().max_message_len;
        // To be sent: the mark, one message beyond it, frames' headers, what extensions still work on. Received: twice
        // the message that is in progress, and one read.
        let memory = (mark + 2 * longest + total / 4 + 16_384, 2 * limit + 200_000);
        let mut acts = acts.into_iter();
        let next = acts.next();
        Self {
            role,
            endpoint,
            acts,
            next,
            busy_until: 0,
            open: None,
            jobs: Vec::new(),
            slowest_job,
            deadline: None,
            sent: Sent::default(),
            received: (0, 0),
            has_dropped: false,
            is_over: false,
            memory,
            faults: Faults::none(),
            was_read: Vec::new(),
        }
    }

    /// Does everything that can be done now. Says whether anything was.
    pub(super) fn run(
        &mut self,
        clock: Clock,
        out: &mut Way,
        back: &mut Way,
        rng: &mut Rng,
    ) -> Result<bool, Broken> {
        if self.is_over || clock.now < self.busy_until {
            return Ok(false);
        }
        let mut moved = self.act(clock, out, back, rng)?;
        if self.has_dropped || clock.now < self.busy_until {
            return Ok(true);
        }
        moved |= self.read(clock, back, rng);
        moved |= self.work(clock, rng);
        moved |= self.write(clock, out, rng);
        if !moved {
            // Judged only when there is nothing left to read: an answer that has arrived counts.
            let deadline = self.endpoint.connection.poll_deadline(clock.instant());
            self.deadline = deadline.map(|at| clock.millis(at));
            let _progress = self.endpoint.advance();
            moved = self.write(clock, out, rng);
        }
        self.check_memory()?;
        // What an extension still works on comes out although the transport is gone.
        if self.endpoint.connection.wants() == Wants::NOTHING && self.endpoint.advance() == Progress::Closed {
            self.end(clock, out, back, rng)?;
            return Ok(true);
        }
        Ok(moved)
    }

    /// When something is to be done next, without anything that arrives.
    pub(super) fn wakes(&self, now: u64) -> Option<u64> {
        if self.is_over {
            return None;
        }
        if now < self.busy_until {
            return Some(self.busy_until);
        }
        let act = self.next.as_ref().map(|&(at, _)| at);
        let job = self.jobs.iter().map(|&(at, ..)| at).min();
        [act, job, self.deadline].into_iter().flatten().filter(|&at| at > now).min()
    }

    pub(super) fn ending(&mut self) -> Option<Ending> {
        self.endpoint.connection.receiver().ending().cloned()
    }

    /// What was received since the last time.
    pub(super) fn take_seen(&mut self) -> Vec<Seen> {
        std::mem::take(&mut self.endpoint.seen)
    }

    fn act(&mut self, clock: Clock, out: &mut Way, back: &mut Way, rng: &mut Rng) -> Result<bool, Broken> {
        let Some((at, act)) = &self.next else { return Ok(false) };
        if *at > clock.now {
            return Ok(false);
        }
        let sends = !matches!(act, Act::Busy(_) | Act::Close | Act::Drop);
        // What an extension holds of a message in parts leaves when the message is finished, and not before.
        let leaves = self.endpoint.connection.wants().write || !self.jobs.is_empty();
        let sender = self.endpoint.connection.sender();
        if sends && leaves && sender.is_above_mark() {
            return Ok(false); // it waits for room
        }
        let act = act.clone();
        self.next = self.acts.next();
        let sent = match act {
            Act::Send { kind, payload, owned } => {
                let sent = if owned {
                    sender.send(message(kind, &payload)).map_err(|unsent| unsent.error)
                } else {
                    sender.write(kind, &payload)
                };
                sent.map(|()| self.sent.messages.push(seen(kind, payload)))
            }
            Act::Start(kind) => sender.start(kind).map(|()| self.open = Some((kind, Vec::new()))),
            Act::Part(part) => sender.append(&part).map(|()| {
                if let Some((_, payload)) = &mut self.open {
                    payload.extend_from_slice(&part);
                }
            }),
            Act::Finish => sender.finish().map(|()| {
                self.sent.messages.extend(self.open.take().map(|(kind, payload)| seen(kind, payload)));
            }),
            Act::Ping(payload) => sender.ping(&payload).map(|()| self.sent.pings.push(payload)),
            Act::Busy(millis) => {
                self.busy_until = clock.now + millis;
                Ok(())
            }
            Act::Close => sender.close(CloseCode::NORMAL, "done"),
            Act::Drop => {
                self.has_dropped = true;
                out.reset();
                out.shut(clock.now, rng);
                back.reset();
                self.is_over = true;
                Ok(())
            }
        };
        match sent {
            Ok(()) | Err(SendError::Closed) => Ok(true),
            // A part of a message whose start came too late for this connection.
            Err(SendError::NoMessageOpen) if sender_is_closing(&mut self.endpoint) => Ok(true),
            Err(error) => Err(Broken::Refused(format!("{:?}: {error}", self.role))),
        }
    }

    fn read(&mut self, clock: Clock, back: &mut Way, rng: &mut Rng) -> bool {
        if !self.endpoint.connection.wants().read {
            return false;
        }
        match self.faults.strike(Call::Read) {
            Some(Fault::Nothing) => _ = self.endpoint.end_of_stream(),
            Some(_) => self.broken(),
            None => return self.take(back.read(clock.now, rng)),
        }
        true
    }

    fn take(&mut self, read: Read) -> bool {
        match read {
            Read::Bytes(bytes) => {
                if self.faults.are_planned() {
                    self.was_read.extend_from_slice(&bytes);
                }
                _ = self.endpoint.read(&bytes);
            }
            Read::End => _ = self.endpoint.end_of_stream(),
            Read::Nothing => return false,
        }
        true
    }

    /// Begins jobs, and ends those whose time has come, in the order in which it comes.
    fn work(&mut self, clock: Clock, rng: &mut Rng) -> bool {
        let mut moved = false;
        while let Some((id, job)) = self.endpoint.connection.next_job() {
            moved = true;
            if let Ok(done) = job.run() {
                self.jobs.push((clock.now + rng.below(self.slowest_job + 1) as u64, id, done));
            }
        }
        while let Some(i) = self.jobs.iter().position(|&(at, ..)| at <= clock.now) {
            moved = true;
            let (_, id, done) = self.jobs.swap_remove(i);
            let _failed = self.endpoint.connection.complete_job(id, done);
            let _progress: Progress = self.endpoint.advance();
        }
        moved
    }

    fn write(&mut self, clock: Clock, out: &mut Way, rng: &mut Rng) -> bool {
        let wants = self.endpoint.connection.wants();
        if wants.write {
            let fault = self.faults.strike(Call::Write);
            if !matches!(fault, None | Some(Fault::Short)) {
                self.broken(); // that nothing is taken is an error to who writes
                return true;
            }
            let outbox = self.endpoint.connection.sender().outbox();
            if fault.is_some() && !outbox.chunk().is_empty() {
                if let Some(taken) = out.write(clock.now, &outbox.chunk()[..1], rng) {
                    outbox.advance(taken);
                }
                return true;
            }
            match out.write(clock.now, outbox.chunk(), rng) {
                Some(0) => false,
                Some(taken) => {
                    outbox.advance(taken);
                    true
                }
                None => {
                    self.broken();
                    true
                }
            }
        } else if wants.shutdown {
            if self.faults.strike(Call::Shutdown).is_some() {
                self.broken();
            } else {
                out.shut(clock.now, rng);
            }
            self.endpoint.connection.shut();
            true
        } else {
            false
        }
    }

    /// How many messages have arrived whole, as far as that was watched.
    pub(super) fn arrived(&self) -> Option<usize> {
        self.faults.are_planned().then(|| whole_messages(self.role.peer(), &self.was_read))
    }

    /// The transport is broken: what it had received is read, and then it is over.
    fn broken(&mut self) {
        self.endpoint.transport_failed();
    }

    fn check_memory(&mut self) -> Result<(), Broken> {
        let queued = self.endpoint.connection.sender().queued();
        let buffered = self.endpoint.connection.receiver().buffer().capacity();
        let role = self.role;
        for bytes in [(queued, self.memory.0), (buffered, self.memory.1)] {
            if bytes.0 > bytes.1 {
                return Err(Broken::Memory { role, bytes });
            }
        }
        Ok(())
    }

    /// The transport is dropped, and nothing may come any more.
    fn end(&mut self, clock: Clock, out: &mut Way, back: &mut Way, rng: &mut Rng) -> Result<(), Broken> {
        self.is_over = true;
        out.shut(clock.now, rng);
        back.reset();
        let before = self.endpoint.seen.len();
        let progress = self.endpoint.read(b"\x81\x00");
        if progress != Progress::Closed || self.endpoint.seen.len() != before {
            return Err(Broken::AfterTheEnd(self.role));
        }
        Ok(())
    }
}

impl Act {
    fn len(&self) -> usize {
        match self {
            Self::Send { payload, .. } | Self::Part(payload) | Self::Ping(payload) => payload.len(),
            _ => 0,
        }
    }
}

fn sender_is_closing(endpoint: &mut Endpoint) -> bool {
    endpoint.connection.sender().is_closing()
}

fn message(kind: DataKind, payload: &[u8]) -> Message {
    match kind {
        DataKind::Text => Text::from_utf8(payload).map_or_else(|_| Message::from(payload), Message::text),
        DataKind::Binary => Message::from(payload),
    }
}

fn seen(kind: DataKind, payload: Vec<u8>) -> Seen {
    match kind {
        DataKind::Text => Seen::Text(payload),
        DataKind::Binary => Seen::Binary(payload),
    }
}
