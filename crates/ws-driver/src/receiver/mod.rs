//! The receiving half of a connection.

mod control;
mod data;
mod incoming;
mod inflow;
mod memory;
mod parts;
mod pieces;
mod ready;
mod turn;
mod whole;

use std::sync::Arc;

use bytes::BytesMut;
use ws_extensions::Chain;
use ws_frame::{Header, Role, Rsv, Rules, Utf8Validator};

use self::{
    data::{Frame, Open},
    inflow::Inflow,
    memory::Memory,
    parts::Carry,
    ready::Ready,
};
pub use self::{incoming::Incoming, turn::Pause};
use crate::{Config, Delivery, Ending, Expired, Fault, Limits, Progress, Replies, Shared, round_trip::Mark};

/// The receiving half of a connection: bytes in, events out (RFC 6455 section 6.2).
///
/// The caller reads into [`buffer`](Self::buffer), calls [`advance`](Self::advance) until it says
/// [`Progress::NeedBytes`], and takes the [`event`](Self::event) each time that it says [`Progress::Ready`]. How the
/// stream is cut into reads never changes the events.
#[derive(Debug)]
pub struct Receiver {
    role: Role,
    auto_pong: bool,
    validate: bool,
    limits: Shared<Limits>,
    delivery: Delivery,
    /// What was read. Bytes before `at` are used up.
    buf: BytesMut,
    /// Where the next header stands, or the payload of the frame in progress, or what is lent.
    at: usize,
    /// The data frame whose payload is arriving.
    frame: Option<Frame>,
    /// The data message in progress.
    message: Option<Open>,
    /// The fragments of that message, when it must be joined.
    assembly: BytesMut,
    utf8: Utf8Validator,
    carry: Carry,
    inflow: Option<Box<Inflow>>,
    /// Bits that the extensions in use may set on a message's first frame.
    rsv: Rsv,
    ready: Ready,
    /// Behind a pointer, because a connection has it only at its end. Shared with what the other half is told of it.
    ending: Option<Arc<Ending>>,
    end_of_stream: bool,
    /// Whether a deadline has passed that nothing is waited for beyond.
    expired: bool,
    /// Whose `buf` is.
    memory: Memory,
    /// Where short owned payloads are copied to.
    arena: BytesMut,
    heard: bool,
    /// How many bytes were pending when it was last asked whether anything has arrived.
    waiting: usize,
    messaged: bool,
    /// The ping whose pong is waited for.
    pinged: Option<Mark>,
    /// Whether that pong has arrived.
    ponged: bool,
}

/// What one step of the parser came to.
enum Step {
    /// The parser went on: take another step.
    Again,
    Done(Progress),
}

impl Receiver {
    #[inline]
    pub(crate) fn new(config: &Config, chain: Option<Chain>, rsv: Rsv) -> Self {
        Self {
            role: config.role,
            auto_pong: config.auto_pong,
            validate: config.validate_utf8,
            limits: config.limits.clone(),
            delivery: config.delivery,
            buf: BytesMut::new(),
            at: 0,
            frame: None,
            message: None,
            assembly: BytesMut::new(),
            utf8: Utf8Validator::default(),
            carry: Carry::default(),
            inflow: chain.filter(|chain| !chain.is_empty()).map(|chain| Box::new(Inflow::new(chain))),
            rsv,
            ready: Ready::Nothing,
            ending: None,
            end_of_stream: false,
            expired: false,
            memory: Memory::Own,
            arena: BytesMut::new(),
            heard: false,
            waiting: 0,
            messaged: false,
            pinged: None,
            ponged: false,
        }
    }

    /// Uses up what was lent, and goes on to the next event.
    ///
    /// What it owes the other half it puts into `replies`: hand them to [`Sender::absorb`](crate::Sender::absorb)
    /// before the next wait. A fault of the peer is not an error here: the right Close is queued, and
    /// [`Progress::Closed`] comes behind all that was whole before it.
    #[inline]
    pub fn advance(&mut self, replies: &mut Replies) -> Progress {
        match self.take_whole() {
            Ok(Some(progress)) => progress,
            Ok(None) => self.advance_slowly(None, replies),
            Err(fault) => self.advance_slowly(Some(fault), replies),
        }
    }

    /// All other cases.
    #[inline(never)]
    fn advance_slowly(&mut self, fault: Option<Fault>, replies: &mut Replies) -> Progress {
        self.settle();
        if let Some(fault) = fault {
            self.fail(fault, replies);
        }
        if self.ending.is_some() {
            self.discard();
        }
        loop {
            match self.step(replies) {
                Ok(Step::Done(progress)) => return progress,
                Ok(Step::Again) => {}
                Err(fault) => {
                    self.fail(fault, replies);
                    self.discard();
                }
            }
        }
    }

    /// Says that the transport has no more bytes: behind all that was whole, the next advances lead to the end. Without
    /// a Close the connection has ended abnormally ([`Ending::Lost`]).
    pub fn end_of_stream(&mut self) {
        self.end_of_stream = true;
    }

    /// How the connection ended, once it has.
    #[inline]
    #[must_use]
    pub fn ending(&self) -> Option<&Ending> {
        self.ending.as_deref()
    }

    /// Whether messages come whole or in parts from here on. A message of which a part was given goes on in parts to
    /// its end; one that is half there is given from its beginning.
    #[inline]
    pub fn set_delivery(&mut self, delivery: Delivery) {
        self.delivery = delivery;
    }

    /// Whether a message has been given in part, and not yet its last part.
    #[inline]
    #[must_use]
    pub fn is_mid_message(&self) -> bool {
        if let Ready::Part { last: true, .. }
        | Ready::CarriedPart { last: true, .. }
        | Ready::InflowPart { last: true, .. } = self.ready
        {
            return false; // what is lent just now ends it
        }
        let open = self.message.as_ref().is_some_and(|message| message.parts_given);
        open || self.inflow.as_ref().is_some_and(|inflow| inflow.parts_given())
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The limits, to be changed while the connection lives. They hold from the next frame on.
    pub fn limits_mut(&mut self) -> &mut Shared<Limits> {
        &mut self.limits
    }

    /// Whether the stream has ended.
    #[inline]
    #[must_use]
    pub fn is_end_of_stream(&self) -> bool {
        self.end_of_stream
    }

    /// Whether anything has arrived since this was last asked: used up by now, or more than was pending then.
    #[inline]
    pub(crate) fn take_heard(&mut self) -> bool {
        let pending = self.pending().len();
        let more = pending > std::mem::replace(&mut self.waiting, pending);
        std::mem::take(&mut self.heard) || more
    }

    /// Whether a message has come since this was last asked.
    #[inline]
    pub(crate) fn take_messaged(&mut self) -> bool {
        std::mem::take(&mut self.messaged)
    }

    /// What has arrived and is not used up.
    #[inline]
    fn pending(&self) -> &[u8] {
        self.buf.get(self.at..).unwrap_or_default()
    }

    /// The first bytes of what is pending.
    #[inline]
    fn lend(&self, len: usize) -> &[u8] {
        self.buf.get(self.at..self.at.saturating_add(len)).unwrap_or_default()
    }

    /// Ends the connection for a reason of this side's own. What is lent just now stays so until the next advance.
    pub(crate) fn fail(&mut self, fault: Fault, replies: &mut Replies) {
        if self.ending.is_none() {
            replies.close(self.ending.insert(Arc::new(Ending::Failed(fault))));
        }
    }

    /// Ends the connection without another word, and without waiting for deferred work.
    pub(crate) fn expire(&mut self, expired: Expired) {
        self.ending.get_or_insert_with(|| Arc::new(Ending::Expired(expired)));
        self.expired = true;
    }

    /// Forgets what arrived behind the end (RFC 6455 section 5.5.1: behind a Close nothing counts).
    fn discard(&mut self) {
        self.at = self.buf.len();
        self.frame = None;
        self.message = None;
        self.assembly = BytesMut::new();
        if let Some(inflow) = &mut self.inflow {
            inflow.close(); // what entered whole still comes out
        }
    }

    #[inline]
    fn step(&mut self, replies: &mut Replies) -> Result<Step, Fault> {
        if self.inflow.is_some()
            && let Some(progress) = self.poll_inflow()?
        {
            return Ok(Step::Done(progress));
        }
        if self.ending.is_some() {
            return Ok(Step::Done(self.end(replies)));
        }
        if self.frame.is_some() {
            return self.take_payload();
        }
        let rules = Rules { role: self.role, rsv: self.rsv, message_open: self.message.is_some() };
        match Header::decode(self.pending(), rules)? {
            Some((header, len)) if header.opcode.is_control() => self.control(header, len, replies),
            Some((header, len)) => {
                self.begin_frame(&header)?;
                self.at += len;
                self.take_payload()
            }
            None => Ok(self.starve()),
        }
    }

    /// More bytes are needed, unless there are none.
    fn starve(&mut self) -> Step {
        if self.end_of_stream {
            self.ending = Some(Arc::new(Ending::Lost));
            self.discard();
            return Step::Again;
        }
        if self.at >= self.buf.len() {
            self.buf.clear();
            self.at = 0;
        }
        Step::Done(Progress::NeedBytes)
    }

    /// The end is given behind everything that extensions still work on.
    fn end(&mut self, replies: &mut Replies) -> Progress {
        self.inflow = None;
        if self.ready != Ready::Closed
            && let Some(ending) = self.ending.as_ref().filter(|ending| ***ending == Ending::Lost)
        {
            replies.close(ending);
        }
        self.ready = Ready::Closed;
        Progress::Closed
    }

    fn end_message(&mut self) {
        self.frame = None;
        self.message = None;
        self.utf8.reset();
    }
}
