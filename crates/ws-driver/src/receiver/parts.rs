//! Messages in parts: what has arrived is given at once, text cut between characters.

use super::{Ready, Receiver, Step};
use crate::Progress;

/// The first bytes of a character that the end of a frame has cut, and then the rest of it.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Carry {
    bytes: [u8; 4],
    len: u8,
}

impl Carry {
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    fn push(&mut self, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(usize::from(self.len)) {
            *slot = byte;
            self.len += 1;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes that the character still lacks, told by its first byte (RFC 3629 section 3).
    fn missing(&self) -> usize {
        let len = match self.as_bytes().first() {
            None => return 0,
            Some(0xF0..) => 4,
            Some(0xE0..) => 3,
            Some(_) => 2,
        };
        len - usize::from(self.len)
    }
}

impl Receiver {
    /// Gives what is there of the message, unless there is nothing to give.
    pub(super) fn give_part(&mut self, complete: bool, last: bool) -> Step {
        let (Some(frame), Some(open)) = (&self.frame, &self.message) else { return Step::Again };
        let first = !open.parts_given;
        if !self.assembly.is_empty() {
            // Joined before the delivery was changed. The character that its end cuts goes on in `carry`.
            let cut = self.assembly.len().saturating_sub(open.assembly_cut);
            for byte in self.assembly.split_off(cut) {
                self.carry.push(byte);
            }
            if !self.assembly.is_empty() {
                return self.part_is(Ready::AssembledPart { first });
            }
        }
        let arrived = frame.done;
        let missing = self.carry.missing();
        if missing > 0 && arrived > 0 {
            let taken = missing.min(arrived);
            for &byte in &self.buf[self.at..self.at + taken] {
                self.carry.push(byte);
            }
            let last = last && taken == arrived;
            if taken == missing {
                self.use_up(taken);
                return self.part_is(Ready::CarriedPart { first, last });
            }
            self.use_up(taken);
            return if complete { Step::Again } else { self.starve() };
        }
        let pending = if last { 0 } else { self.utf8.pending().min(arrived) };
        let len = arrived - pending;
        if len > 0 || last {
            return self.part_is(Ready::Part { len, first, last });
        }
        if !complete {
            return self.starve();
        }
        for &byte in &self.buf[self.at..self.at + arrived] {
            self.carry.push(byte);
        }
        self.use_up(arrived);
        self.frame = None;
        Step::Again
    }

    /// Bytes that were held back for the next part are joined with the rest instead, before any was given.
    pub(super) fn uncarry(&mut self) {
        let carry = std::mem::take(&mut self.carry);
        self.assembly.extend_from_slice(carry.as_bytes());
    }

    fn part_is(&mut self, ready: Ready) -> Step {
        if let Some(open) = &mut self.message {
            open.parts_given = true;
        }
        self.messaged = true;
        self.ready = ready;
        Step::Done(Progress::Ready)
    }

    pub(super) fn settle_part(&mut self, len: usize, last: bool) {
        self.use_up(len);
        if last {
            self.end_message();
        }
    }

    pub(super) fn settle_carried(&mut self, last: bool) {
        self.carry = Carry::default();
        if last {
            self.end_message();
        }
    }
}
