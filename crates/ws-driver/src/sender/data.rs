//! Data messages: whole, and in parts.

use bytes::{Bytes, BytesMut};
use ws_extensions::{Compress, MessageHead};
use ws_frame::{DataKind, Header, Masker, OpCode, Rsv};

use super::{Sender, put_header};
use crate::{Incoming, Message, SendError, Unsent};

/// How much is copied and masked at a time, so that both passes find it in the fastest cache.
pub(super) const BLOCK: usize = 8 * 1024;

/// Payloads from this length on are queued as they stand; shorter ones are copied behind their header.
pub(super) const SEGMENT: usize = 4 * 1024;

/// Lent messages from this length on are taken out of the buffer they arrived in; others are copied.
const STOLEN: usize = 16 * 1024;

/// A message in parts.
#[derive(Debug)]
pub(super) struct InParts {
    /// What the next frame carries: the message's kind on the first, then [`OpCode::Continuation`].
    pub(super) opcode: OpCode,
    /// Whether it goes through the extensions.
    pub(super) queued: bool,
}

impl Sender {
    /// Queues a message, copied behind its header. For a caller that has a slice.
    ///
    /// The payload of [`DataKind::Text`] must be UTF-8 (RFC 6455 section 5.6); it is not checked again here.
    ///
    /// # Errors
    /// [`SendError::Closed`], [`SendError::Full`], [`SendError::MessageOpen`], [`SendError::Extension`].
    #[inline]
    pub fn write(&mut self, kind: DataKind, payload: &[u8]) -> Result<(), SendError> {
        self.write_compressed(kind, payload, Compress::Default)
    }

    /// Whether a message of this length may be sent now, as one frame and without a mask or extensions.
    #[inline]
    fn takes_as_is(&self, len: usize) -> bool {
        let ready = self.closing.is_none() && !self.abandoned && self.in_parts.is_none();
        let bare = self.chain.is_none() && !self.role.masks();
        let room = self.outbox.len() < self.limits.high_water_mark;
        ready && bare && room && len <= self.limits.max_sent_frame_len
    }

    /// The same with a hint for extensions, whether to compress this message.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    #[inline]
    pub fn write_compressed(
        &mut self,
        kind: DataKind,
        payload: &[u8],
        compress: Compress,
    ) -> Result<(), SendError> {
        if self.takes_as_is(payload.len()) {
            self.messaged = true;
            self.outbox.put_frame(kind.opcode(), payload);
            return Ok(());
        }
        self.write_hinted(MessageHead::new(kind).with_compress(compress), payload)
    }

    #[inline(never)]
    pub(super) fn write_hinted(&mut self, head: MessageHead, payload: &[u8]) -> Result<(), SendError> {
        self.check_ready(payload.len())?;
        self.messaged = true;
        if self.chain.is_some() && !self.enter(head, payload)? {
            return self.pump();
        }
        self.message(true, Rsv::NONE, head.kind.opcode(), payload);
        Ok(())
    }

    /// Queues a message that the caller gives away: a long payload is queued without a copy.
    ///
    /// # Errors
    /// As for [`write`](Self::write), with the message.
    pub fn send(&mut self, message: Message) -> Result<(), Unsent<Message>> {
        self.send_compressed(message, Compress::Default)
    }

    /// The same with a hint for extensions, whether to compress this message.
    ///
    /// # Errors
    /// As for [`write`](Self::write), with the message.
    pub fn send_compressed(&mut self, message: Message, compress: Compress) -> Result<(), Unsent<Message>> {
        if message.len() < SEGMENT || self.role.masks() || self.chain.is_some() {
            return match self.write_compressed(message.kind(), message.as_bytes(), compress) {
                Ok(()) => Ok(()),
                Err(error) => Err(Unsent { error, message }),
            };
        }
        if let Err(error) = self.check_ready(message.len()) {
            return Err(Unsent { error, message });
        }
        self.messaged = true;
        let opcode = message.kind().opcode();
        match message.into_payload().try_into_shared() {
            Ok(bytes) => self.segments(Rsv::NONE, opcode, bytes),
            Err(inline) => self.message(true, Rsv::NONE, opcode, &inline),
        }
        Ok(())
    }

    /// Queues a message that another half has lent: an echo without a copy where that pays.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    #[inline]
    pub fn forward(&mut self, incoming: Incoming<'_>) -> Result<(), SendError> {
        let payload = incoming.as_bytes();
        if payload.len() < STOLEN || self.role.masks() || self.chain.is_some() {
            return self.write(incoming.kind(), payload);
        }
        self.forward_in_place(incoming)
    }

    /// What came masked leaves room for the header that it goes with.
    fn forward_in_place(&mut self, incoming: Incoming<'_>) -> Result<(), SendError> {
        let len = incoming.as_bytes().len();
        self.check_ready(len)?;
        self.messaged = true;
        let opcode = incoming.kind().opcode();
        if len > self.limits.max_sent_frame_len {
            self.segments(Rsv::NONE, opcode, incoming.into_payload().into_bytes());
            return Ok(());
        }
        let mut bytes = [0; Header::MAX_LEN];
        let header = Header { fin: true, rsv: Rsv::NONE, opcode, mask: None, len: len as u64 };
        let header_len = header.encode(&mut bytes);
        match incoming.into_frame(&bytes[..header_len]) {
            Ok(frame) => self.outbox.segment(frame),
            Err(incoming) => self.segments(Rsv::NONE, opcode, incoming.into_payload().into_bytes()),
        }
        Ok(())
    }

    /// Begins a message in parts (RFC 6455 section 5.4): then [`append`](Self::append) as often as wanted, then
    /// [`finish`](Self::finish). Control frames may be queued in between, other messages not.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    pub fn start(&mut self, kind: DataKind) -> Result<(), SendError> {
        self.start_compressed(kind, Compress::Default)
    }

    /// The same with a hint for extensions, whether to compress this message.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    pub fn start_compressed(&mut self, kind: DataKind, compress: Compress) -> Result<(), SendError> {
        self.check_ready(0)?;
        self.messaged = true;
        let head = MessageHead::new(kind).with_compress(compress);
        let queued = self.begin_outgoing(head, None);
        self.in_parts = Some(InParts { opcode: kind.opcode(), queued });
        Ok(())
    }

    /// Queues the next part of the message as a fragment of its own. An empty part sends nothing.
    ///
    /// # Errors
    /// [`SendError::NoMessageOpen`], [`SendError::Closed`], [`SendError::Full`], [`SendError::Extension`].
    pub fn append(&mut self, part: &[u8]) -> Result<(), SendError> {
        if part.is_empty() && self.in_parts.is_some() { Ok(()) } else { self.part(part, false) }
    }

    /// Ends the message with an empty fragment.
    ///
    /// # Errors
    /// As for [`append`](Self::append).
    pub fn finish(&mut self) -> Result<(), SendError> {
        self.part(&[], true)
    }

    /// Ends the message with its last part.
    ///
    /// # Errors
    /// As for [`append`](Self::append).
    pub fn finish_with(&mut self, part: &[u8]) -> Result<(), SendError> {
        self.part(part, true)
    }

    /// Whether a message in parts has been started and not finished.
    #[must_use]
    pub fn is_mid_message(&self) -> bool {
        self.in_parts.is_some()
    }

    fn part(&mut self, part: &[u8], last: bool) -> Result<(), SendError> {
        self.check_open()?;
        let Some(open) = &mut self.in_parts else { return Err(SendError::NoMessageOpen) };
        let (opcode, queued) = (open.opcode, open.queued);
        self.check_room(part.len())?;
        self.messaged = true;
        if queued {
            if last {
                self.in_parts = None;
            }
            self.push(part, last);
            return self.pump();
        }
        self.in_parts = (!last).then_some(InParts { opcode: OpCode::Continuation, queued: false });
        self.message(last, Rsv::NONE, opcode, part);
        Ok(())
    }

    #[inline]
    pub(super) fn check_ready(&self, len: usize) -> Result<(), SendError> {
        self.check_open()?;
        if self.in_parts.is_some() {
            return Err(SendError::MessageOpen);
        }
        self.check_room(len)
    }

    /// Queues a message or a part of one, in fragments where a frame may not be as long.
    #[inline]
    pub(super) fn message(&mut self, fin: bool, rsv: Rsv, opcode: OpCode, payload: &[u8]) {
        if payload.len() <= self.limits.max_sent_frame_len {
            return self.frame(fin, rsv, opcode, payload);
        }
        self.fragments(fin, rsv, opcode, payload);
    }

    fn fragments(&mut self, fin: bool, rsv: Rsv, opcode: OpCode, payload: &[u8]) {
        let step = self.limits.max_sent_frame_len.max(1);
        let count = payload.len().div_ceil(step);
        for (index, fragment) in payload.chunks(step).enumerate() {
            let (opcode, rsv) = if index == 0 { (opcode, rsv) } else { (OpCode::Continuation, Rsv::NONE) };
            self.frame(fin && index + 1 == count, rsv, opcode, fragment);
        }
    }

    /// Queues a long payload without a copy, in fragments where a frame may not be as long. Servers only: theirs is
    /// not masked.
    pub(super) fn segments(&mut self, rsv: Rsv, opcode: OpCode, mut payload: Bytes) {
        let (mut rsv, mut opcode) = (rsv, opcode);
        loop {
            let fragment = payload.split_to(payload.len().min(self.limits.max_sent_frame_len.max(1)));
            let fin = payload.is_empty();
            self.frame_header(fin, rsv, opcode, fragment.len());
            self.outbox.segment(fragment);
            if fin {
                return;
            }
            (rsv, opcode) = (Rsv::NONE, OpCode::Continuation);
        }
    }

    /// Queues a payload that extensions have made; a long one without a copy, unless it must be cut.
    pub(super) fn made(&mut self, fin: bool, rsv: Rsv, opcode: OpCode, payload: &mut BytesMut) {
        if payload.len() < SEGMENT || payload.len() > self.limits.max_sent_frame_len {
            self.message(fin, rsv, opcode, payload);
            payload.clear();
            return;
        }
        let mut payload = payload.split();
        if let Some(key) = self.frame_header(fin, rsv, opcode, payload.len()) {
            Masker::new(key).apply(&mut payload);
        }
        self.outbox.segment(payload.freeze());
    }

    fn frame_header(&mut self, fin: bool, rsv: Rsv, opcode: OpCode, len: usize) -> Option<[u8; 4]> {
        let mask = self.mask();
        let header = Header { fin, rsv, opcode, mask, len: len as u64 };
        put_header(self.outbox.cork(Header::MAX_LEN), &header);
        mask
    }
}
