//! A connection, and what it has reported.

use std::time::{Duration, Instant};

use bytes::Buf;
use ws_driver::{
    Config, Connection, DataKind, Ending, Event, Message, Negotiated, Part, Progress, Role, Scratch, Text,
};

use crate::{End, Frame, Rng, Seen, read_frames};

/// A connection that is driven by hand: bytes go in, what it reports is written down.
///
/// Messages in parts are joined, and the parts are checked on the way: marked first and last where they should be,
/// never empty but at the end, text cut between characters.
#[derive(Debug)]
pub struct Endpoint {
    /// The connection itself.
    pub connection: Connection,
    /// What it has reported.
    pub seen: Vec<Seen>,
    /// How many parts of messages it has given.
    pub parts: usize,
    /// Whether every whole message is sent back.
    pub echoes: bool,
    /// What time it is.
    pub now: Instant,
    /// The message that is given in parts.
    open: Option<(DataKind, Vec<u8>)>,
    role: Role,
    validates: bool,
}

impl Endpoint {
    /// A connection with the defaults.
    #[must_use]
    pub fn new(role: Role) -> Self {
        Self::with(Config::new(role))
    }

    /// A connection with this configuration.
    #[must_use]
    pub fn with(config: Config) -> Self {
        Self::negotiated(config, Negotiated::default())
    }

    /// A connection with extensions.
    #[must_use]
    pub fn negotiated(config: Config, negotiated: Negotiated) -> Self {
        let (role, validates, now) = (config.role, config.validate_utf8, Instant::now());
        Self {
            connection: Connection::new(config, negotiated, now),
            seen: Vec::new(),
            parts: 0,
            echoes: false,
            now,
            open: None,
            role,
            validates,
        }
    }

    /// A connection that was opened elsewhere.
    #[must_use]
    pub fn over(role: Role, connection: Connection) -> Self {
        Self { connection, ..Self::new(role) }
    }

    /// Reads these bytes, and goes on as far as they lead.
    pub fn read(&mut self, bytes: &[u8]) -> Progress {
        self.connection.receiver().buffer().extend_from_slice(bytes);
        self.advance()
    }

    /// Reads a frame of the peer's.
    pub fn read_frame(&mut self, frame: &Frame) -> Progress {
        self.read(&frame.by(self.role.peer()))
    }

    /// Reads the frames of the peer's at once.
    pub fn read_frames(&mut self, frames: &[Frame]) -> Progress {
        let bytes: Vec<u8> = frames.iter().flat_map(|frame| frame.by(self.role.peer())).collect();
        self.read(&bytes)
    }

    /// The stream ends.
    pub fn end_of_stream(&mut self) -> Progress {
        self.connection.end_of_stream();
        self.advance()
    }

    /// Goes on until bytes or jobs are needed, or the connection has ended.
    pub fn advance(&mut self) -> Progress {
        loop {
            match self.connection.advance() {
                Progress::Ready => self.note(),
                progress => return progress,
            }
        }
    }

    /// Writes down the event that is ready.
    ///
    /// # Panics
    /// When there is none, when it comes behind the end, or when a part is marked or cut wrongly.
    pub fn note(&mut self) {
        let (receiver, sender) = self.connection.halves();
        match receiver.event() {
            Event::Message(message) => {
                assert!(self.open.is_none(), "a whole message inside of one in parts");
                let data = message.as_bytes().to_vec();
                let kind = message.kind();
                if self.validates && kind == DataKind::Text {
                    assert_eq!(message.as_text().map(str::as_bytes), Some(&data[..]));
                }
                if self.echoes {
                    let _refused_when_closing = sender.forward(message);
                }
                self.seen.push(seen(kind, data));
            }
            Event::Part(part) => {
                self.parts += 1;
                let done = join(&mut self.open, part, self.validates);
                self.seen.extend(done);
            }
            Event::Ping(data) => self.seen.push(Seen::ping(data)),
            Event::Pong(data) => self.seen.push(Seen::pong(data)),
            event => panic!("ready, but {event:?}"),
        }
    }

    /// Writes down the event that is ready, a message taken as the caller's own.
    ///
    /// # Panics
    /// As for [`note`](Self::note).
    pub fn note_owned(&mut self) {
        match self.connection.event() {
            Event::Message(message) => {
                let message = message.into_message();
                assert!(self.validates || message.kind() == DataKind::Binary, "text that was not checked");
                self.seen.push(seen(message.kind(), message.as_bytes().to_vec()));
            }
            _ => self.note(),
        }
    }

    /// Sends a message in one of the ways that there are, or a ping or a pong.
    ///
    /// # Panics
    /// When it is refused.
    pub fn send(&mut self, message: &Seen, rng: &mut Rng) {
        let sender = self.connection.sender();
        let (kind, data) = match message {
            Seen::Text(data) => (DataKind::Text, data),
            Seen::Binary(data) => (DataKind::Binary, data),
            Seen::Ping(data) => return sender.ping(data).expect("a ping is taken"),
            Seen::Pong(data) => return sender.pong(data).expect("a pong is taken"),
        };
        let sent = match rng.below(3) {
            0 => sender.write(kind, data),
            1 => sender.send(owned(kind, data)).map_err(|unsent| unsent.error),
            _ => sender.start(kind).and_then(|()| {
                let mut rest = &data[..];
                while !rest.is_empty() && !rng.once_in(4) {
                    let (part, behind) = rest.split_at(1 + rng.below(rest.len()));
                    sender.append(part)?;
                    rest = behind;
                }
                sender.finish_with(rest)
            }),
        };
        sent.expect("a message is taken");
    }

    /// How the receiving side has ended.
    #[must_use]
    pub fn end(&mut self) -> End {
        match self.connection.receiver().ending() {
            None => End::Open,
            Some(Ending::Close(None)) => End::Close(None),
            Some(Ending::Close(Some(close))) => End::close(close.code.get(), close.reason.as_str()),
            Some(Ending::Failed(fault)) => End::Failed(fault.close_code().get()),
            Some(Ending::Lost) => End::Lost,
            Some(_) => End::Expired,
        }
    }

    /// All bytes that wait to be written, as if the transport took them at once.
    pub fn write(&mut self) -> Vec<u8> {
        let mut wire = Vec::new();
        loop {
            let outbox = self.connection.sender().outbox();
            if outbox.is_empty() {
                // What was held back for want of room comes now.
                if self.connection.wants().write { continue } else { return wire }
            }
            let chunk = outbox.chunk();
            wire.extend_from_slice(chunk);
            let len = chunk.len();
            outbox.advance(len);
        }
    }

    /// The frames that wait to be written.
    pub fn sent(&mut self) -> Vec<Frame> {
        read_frames(self.role, &self.write())
    }

    /// The code of the Close among the frames that wait to be written; `Some(None)` for an empty one.
    ///
    /// # Panics
    /// When something stands behind the Close.
    pub fn sent_close(&mut self) -> Option<Option<u16>> {
        let frames = self.sent();
        let at = frames.iter().position(|frame| frame.opcode == 8)?;
        assert_eq!(at + 1, frames.len(), "nothing is sent behind a Close");
        Some(frames[at].code())
    }

    /// The transport has failed: nothing more is written, and what was read is all there is.
    pub fn transport_failed(&mut self) {
        let connection = std::mem::replace(
            &mut self.connection,
            Connection::new(Config::new(self.role), Negotiated::default(), self.now),
        );
        let mut parts = connection.into_parts();
        parts.lifecycle.transport_failed(&mut parts.sender);
        self.connection = parts.into();
        let _ended = self.end_of_stream();
    }

    /// Lets time pass, and judges the deadlines.
    pub fn wait(&mut self, seconds: u64) -> Option<Duration> {
        self.now += Duration::from_secs(seconds);
        self.connection.poll_deadline(self.now).map(|next| next - self.now)
    }

    /// Runs all deferred work, in order, and goes on.
    pub fn run_jobs(&mut self) -> Progress {
        loop {
            let progress = self.advance();
            let Some((id, job)) = self.connection.next_job() else { return progress };
            if let Ok(done) = job.run() {
                let _failed = self.connection.complete_job(id, done);
            }
        }
    }

    /// Scratch buffers come, or go.
    pub fn swap_scratch(&mut self, scratch: &mut Scratch, attach: bool) {
        let (receiver, sender) = self.connection.halves();
        if attach {
            receiver.attach(scratch);
            sender.attach(scratch);
        } else {
            receiver.detach(scratch);
            sender.detach(scratch);
        }
    }
}

fn owned(kind: DataKind, data: &[u8]) -> Message {
    match kind {
        DataKind::Text => Message::text(Text::from_utf8(data).expect("text")),
        DataKind::Binary => Message::from(data.to_vec()),
    }
}

/// A whole message.
fn seen(kind: DataKind, data: Vec<u8>) -> Seen {
    match kind {
        DataKind::Text => Seen::Text(data),
        DataKind::Binary => Seen::Binary(data),
    }
}

/// Adds a part to the message that is open; gives it when it is done.
fn join(open: &mut Option<(DataKind, Vec<u8>)>, part: Part<'_>, validates: bool) -> Option<Seen> {
    assert_eq!(part.first, open.is_none(), "the first part, and no other, is marked so");
    assert!(part.last || !part.data.is_empty(), "an empty part in the middle");
    let (kind, data) = open.get_or_insert((part.kind, Vec::new()));
    assert_eq!(*kind, part.kind);
    if validates && part.kind == DataKind::Text {
        assert!(std::str::from_utf8(part.data).is_ok(), "cut inside a character");
    }
    data.extend_from_slice(part.data);
    if !part.last {
        return None;
    }
    open.take().map(|(kind, data)| seen(kind, data))
}
