//! Data frames: their headers against the limits, their payloads as they arrive.

use ws_extensions::{MessageHead, Route};
use ws_frame::{DataKind, Header, Masker, OpCode};

use super::{Ready, Receiver, Step};
use crate::{Delivery, Fault, Progress};

/// How much is unmasked and validated at a time, so that both passes find it in the fastest cache.
pub(super) const BLOCK: usize = 8 * 1024;

/// A data frame whose payload is arriving; its next byte is, or will be, `buf[at]`.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) fin: bool,
    /// Bytes of the payload that are not used up.
    pub(super) left: usize,
    /// How many of those are there, unmasked and validated.
    pub(super) done: usize,
    masker: Option<Masker>,
}

/// A data message that has begun.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) kind: DataKind,
    /// How many have begun.
    pub(super) fragments: usize,
    /// What its frames' headers have announced.
    len: u64,
    /// Whether it goes through the extensions.
    queued: bool,
    /// Whether its text is checked here, and not behind the extensions.
    validated: bool,
    pub(super) parts_given: bool,
    /// Bytes at the end of the assembly that begin a character and do not end it.
    pub(super) assembly_cut: usize,
}

impl Receiver {
    /// Judges a data frame's header by the limits, before anything is buffered for it.
    #[inline]
    pub(super) fn begin_frame(&mut self, header: &Header) -> Result<(), Fault> {
        self.heard = true;
        if header.len > self.limits.max_frame_len as u64 {
            return Err(Fault::FrameTooLong { limit: self.limits.max_frame_len, actual: header.len });
        }
        match &mut self.message {
            None => {
                self.check_message_len(header.len)?;
                self.begin_message(header);
            }
            Some(open) => {
                open.fragments += 1;
                // The top bit of each length is clear, so a sum that overflows takes more than a lifetime.
                open.len = open.len.saturating_add(header.len);
                let (fragments, len) = (open.fragments, open.len);
                if fragments > self.limits.max_fragments {
                    return Err(Fault::TooManyFragments { limit: self.limits.max_fragments });
                }
                self.check_message_len(len)?;
            }
        }
        let left = usize::try_from(header.len)
            .map_err(|_| Fault::MessageTooLong { limit: self.limits.max_message_len, actual: header.len })?;
        self.frame = Some(Frame { fin: header.fin, left, done: 0, masker: header.mask.map(Masker::new) });
        Ok(())
    }

    #[inline]
    fn check_message_len(&self, actual: u64) -> Result<(), Fault> {
        let limit = self.limits.max_message_len;
        if actual > limit as u64 { Err(Fault::MessageTooLong { limit, actual }) } else { Ok(()) }
    }

    #[inline]
    fn begin_message(&mut self, header: &Header) {
        let kind = if header.opcode == OpCode::Text { DataKind::Text } else { DataKind::Binary };
        let queued = match &mut self.inflow {
            None => false,
            Some(inflow) => {
                let len = if header.fin { usize::try_from(header.len).ok() } else { None };
                // It may have been changed since the last message.
                inflow.chain.set_max_message_len(Some(self.limits.max_message_len));
                inflow.chain.begin(MessageHead::new(kind).with_rsv(header.rsv), len) == Route::Queued
            }
        };
        let validated = self.validate && kind == DataKind::Text && !queued;
        self.message = Some(Open {
            kind,
            fragments: 1,
            len: header.len,
            queued,
            validated,
            parts_given: false,
            assembly_cut: 0,
        });
    }

    /// Unmasks and validates what has arrived of the frame's payload, and passes it on.
    #[inline]
    pub(super) fn take_payload(&mut self) -> Result<Step, Fault> {
        let (Some(frame), Some(open)) = (&mut self.frame, &mut self.message) else {
            return Ok(Step::Again);
        };
        let arrived = frame.left.min(self.buf.len().saturating_sub(self.at));
        let complete = arrived == frame.left;
        let last = complete && frame.fin;
        if arrived > frame.done {
            self.heard = true;
            let fresh = &mut self.buf[self.at + frame.done..self.at + arrived];
            for block in fresh.chunks_mut(BLOCK) {
                if let Some(masker) = &mut frame.masker {
                    masker.apply(block);
                }
                if open.validated {
                    self.utf8.push(block)?;
                }
            }
        }
        frame.done = arrived;
        if last && open.validated {
            self.utf8.finish()?; // a character that the message's end cuts (RFC 6455 section 8.1)
        }
        if open.queued {
            return Ok(self.pass_to_extensions(complete, last));
        }
        if self.delivery == Delivery::Parts || open.parts_given {
            return Ok(self.give_part(complete, last));
        }
        if frame.fin && open.fragments == 1 {
            if !complete {
                return Ok(self.starve());
            }
            let kind = open.kind;
            self.end_message();
            return Ok(self.give(Ready::Frame { kind, len: arrived }));
        }
        let kind = open.kind;
        open.assembly_cut = self.utf8.pending();
        if !self.carry.is_empty() {
            self.uncarry();
        }
        self.assembly.extend_from_slice(&self.buf[self.at..self.at + arrived]);
        self.use_up(arrived);
        if last {
            self.end_message();
            return Ok(self.give(Ready::Assembly { kind }));
        }
        Ok(if complete { Step::Again } else { self.starve() })
    }

    #[inline]
    pub(super) fn give(&mut self, ready: Ready) -> Step {
        self.messaged = true;
        self.ready = ready;
        Step::Done(Progress::Ready)
    }

    /// `len` bytes at the start of the frame's payload are used up; a frame without any left has ended.
    pub(super) fn use_up(&mut self, len: usize) {
        self.at += len;
        if let Some(frame) = &mut self.frame {
            frame.left -= len;
            frame.done -= len;
            if frame.left == 0 {
                self.frame = None;
            }
        }
    }

    /// Hands what has arrived to the extensions, or a piece of it where they take turns.
    fn pass_to_extensions(&mut self, complete: bool, last: bool) -> Step {
        let (Some(frame), Some(inflow)) = (&self.frame, &mut self.inflow) else {
            return Step::Again;
        };
        let (arrived, mut given, mut last) = (frame.done, frame.done, last);
        if arrived > 0 || last {
            let Some(piece) = inflow.next_piece(arrived, frame.left) else {
                return Step::Done(Progress::NeedBytes);
            };
            given = piece;
            last &= given == arrived;
            inflow.push(&self.buf[self.at..self.at + given], last);
        }
        self.use_up(given);
        if last {
            self.frame = None;
            self.message = None;
        }
        // The extensions' output is looked at before more is read.
        if complete || arrived > 0 { Step::Again } else { self.starve() }
    }
}
