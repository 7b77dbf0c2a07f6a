//! The sending half of a connection.

mod closing;
mod data;
mod outflow;
mod prepared;

use bytes::BytesMut;
use ws_extensions::Chain;
use ws_frame::{Header, Masker, OpCode, Role, Rsv};

use crate::{
    Config, Limits, MaskSource, Outbox, Replies, Scratch, SendError, Shared, closed::Sent, round_trip::Mark,
};
use data::InParts;

/// The sending half of a connection: messages in, bytes out (RFC 6455 section 6.1).
///
/// Everything is queued in the [`outbox`](Self::outbox), in order, and leaves with the caller's next write. Below the
/// high-water mark a message of any length is taken whole; see [`is_above_mark`](Self::is_above_mark).
#[derive(Debug)]
pub struct Sender {
    role: Role,
    limits: Shared<Limits>,
    masks: MaskSource,
    outbox: Outbox,
    /// The outgoing extensions, while there are any.
    chain: Option<Box<Chain>>,
    /// Whether a fragment of the chain's front message has been queued.
    front_started: bool,
    in_parts: Option<InParts>,
    closing: Option<Closing>,
    /// Whether the transport has failed.
    abandoned: bool,
    messaged: bool,
    /// The ping that was queued last, until it is taken note of.
    pinged: Option<Mark>,
}

/// The Close of this side.
#[derive(Debug)]
struct Closing {
    sent: Sent,
    /// The frame's payload, while it waits for messages that extensions still work on.
    waits: Option<Box<([u8; 125], usize)>>,
}

impl Sender {
    #[inline]
    pub(crate) fn new(config: Config, chain: Option<Chain>) -> Self {
        Self {
            role: config.role,
            limits: config.limits,
            masks: config.mask_source,
            outbox: Outbox::default(),
            chain: chain.filter(|chain| !chain.is_empty()).map(Box::new),
            front_started: false,
            in_parts: None,
            closing: None,
            abandoned: false,
            messaged: false,
            pinged: None,
        }
    }

    /// Queues an unsolicited ping, which the peer must answer with the same payload (RFC 6455 section 5.5.2). It
    /// passes messages that extensions still work on, and may stand between the parts of a message. The time until its
    /// pong arrives is measured; see [`Lifecycle::rtt`](crate::Lifecycle::rtt).
    ///
    /// # Errors
    /// [`SendError::ControlTooLong`] above 125 bytes, [`SendError::Closed`], [`SendError::Full`].
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), SendError> {
        self.control(OpCode::Ping, payload)?;
        self.pinged = Some(Mark::of(payload));
        Ok(())
    }

    /// Queues a pong: an answer of the caller's own, or unsolicited (RFC 6455 section 5.5.3).
    ///
    /// # Errors
    /// As for [`ping`](Self::ping).
    pub fn pong(&mut self, payload: &[u8]) -> Result<(), SendError> {
        self.control(OpCode::Pong, payload)
    }

    fn control(&mut self, opcode: OpCode, payload: &[u8]) -> Result<(), SendError> {
        if payload.len() > 125 {
            return Err(SendError::ControlTooLong(payload.len()));
        }
        self.check_open()?;
        self.check_room(payload.len())?;
        self.frame(true, Rsv::NONE, opcode, payload);
        Ok(())
    }

    /// Takes over what the receiving half owes: pongs while there is room for them, and the Close.
    ///
    /// With as many pongs in the outbox as may wait, the rest stays in `replies`; write, and absorb again.
    #[inline]
    pub fn absorb(&mut self, replies: &mut Replies) {
        if !replies.is_empty() {
            self.absorb_all(replies);
        }
    }

    fn absorb_all(&mut self, replies: &mut Replies) {
        if self.has_sent_close() {
            replies.drop_pongs(); // nothing is sent behind a Close (RFC 6455 section 5.5.1)
        }
        while !self.must_flush()
            && let Some((payload, len)) = replies.next_pong()
        {
            self.frame(true, Rsv::NONE, OpCode::Pong, &payload[..len]);
            self.outbox.count_pong();
        }
        if let Some(close) = replies.take_close() {
            replies.drop_pongs();
            self.close_for(&close);
        }
    }

    /// Whether a write should come before the next event is taken: pongs fill their bound.
    #[inline]
    #[must_use]
    pub fn must_flush(&self) -> bool {
        let pongs = self.outbox.pongs();
        pongs > 0 && pongs >= self.limits.max_pending_pongs
    }

    /// The bytes to be written. A caller that has written some says so with [`bytes::Buf::advance`].
    #[inline]
    pub fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// Lends the buffer to write small frames into.
    #[inline]
    pub fn attach(&mut self, scratch: &mut Scratch) {
        self.outbox.attach(scratch);
    }

    /// Whether there is a buffer to write small frames into.
    #[inline]
    #[must_use]
    pub fn has_buffer(&self) -> bool {
        self.outbox.has_buffer()
    }

    /// Gives the buffer back when nothing waits in it, and what extensions keep for the next message.
    #[inline]
    pub fn detach(&mut self, scratch: &mut Scratch) {
        if let Some(chain) = &mut self.chain {
            chain.shrink();
        }
        self.outbox.detach(scratch);
    }

    /// Whether the Close waits for messages that extensions still work on.
    #[must_use]
    pub fn is_close_waiting(&self) -> bool {
        self.closing.as_ref().is_some_and(|closing| closing.waits.is_some())
    }

    /// Bytes that wait: in the outbox, and in extensions.
    #[inline]
    #[must_use]
    pub fn queued(&self) -> usize {
        self.outbox.len() + self.chain.as_ref().map_or(0, |chain| chain.pending_bytes())
    }

    /// Whether so much waits that the caller should flush before it sends more. Sending goes on to work until the hard
    /// limit beyond the mark.
    #[must_use]
    #[inline]
    pub fn is_above_mark(&self) -> bool {
        self.queued() >= self.limits.high_water_mark
    }

    /// The limits.
    #[inline]
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The limits, to be changed while the connection lives.
    pub fn limits_mut(&mut self) -> &mut Shared<Limits> {
        &mut self.limits
    }

    /// Whether a message has been sent since this was last asked.
    #[inline]
    pub(crate) fn take_messaged(&mut self) -> bool {
        std::mem::take(&mut self.messaged)
    }

    /// The ping that was queued since this was last asked.
    #[inline]
    pub(crate) fn take_pinged(&mut self) -> Option<Mark> {
        self.pinged.take()
    }

    #[inline]
    pub(crate) fn has_pinged(&self) -> bool {
        self.pinged.is_some()
    }

    #[inline]
    fn check_open(&self) -> Result<(), SendError> {
        if self.closing.is_some() || self.abandoned { Err(SendError::Closed) } else { Ok(()) }
    }

    #[inline]
    fn check_room(&self, len: usize) -> Result<(), SendError> {
        let (queued, mark) = (self.queued(), self.limits.high_water_mark);
        if queued < mark {
            return Ok(());
        }
        let limit = mark.saturating_add(self.limits.max_queued_beyond_mark);
        if queued.saturating_add(len) > limit { Err(SendError::Full { queued, limit }) } else { Ok(()) }
    }

    /// Queues one frame, with a copy of `payload` behind its header; a client masks the copy.
    #[inline]
    fn frame(&mut self, fin: bool, rsv: Rsv, opcode: OpCode, payload: &[u8]) {
        let mask = self.mask();
        let header = Header { fin, rsv, opcode, mask, len: payload.len() as u64 };
        let cork = self.outbox.cork(Header::MAX_LEN + payload.len());
        put_header(cork, &header);
        match mask {
            None => cork.extend_from_slice(payload),
            Some(key) => {
                let mut masker = Masker::new(key);
                for block in payload.chunks(data::BLOCK) {
                    let start = cork.len();
                    cork.extend_from_slice(block);
                    masker.apply(&mut cork[start..]);
                }
            }
        }
    }

    #[inline]
    fn mask(&mut self) -> Option<[u8; 4]> {
        self.role.masks().then(|| self.masks.key())
    }
}

/// Puts a header behind what is queued, where there must be room for it.
fn put_header(cork: &mut BytesMut, header: &Header) {
    let mut bytes = [0; Header::MAX_LEN];
    let len = header.encode(&mut bytes);
    cork.extend_from_slice(&bytes[..len]);
}
