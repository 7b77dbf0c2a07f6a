//! The read buffer: lent while there is something to read, given back when nothing is pending.

use std::mem;

use bytes::BytesMut;

use super::{Ready, Receiver};
use crate::{Delivery, Scratch, scratch::give_back};

/// The least room that is offered to a read.
const LEAST_READ: usize = 4 * 1024;

/// A frame is read straight into a buffer that grows with what has arrived, and at first by this much.
const FIRST_GROWTH: usize = 64 * 1024;

/// Payloads from this length on are taken out of the buffer they arrived in; others are copied.
pub(super) const LARGE: usize = 16 * 1024;

/// What a scratch buffer may have grown to and still serve the next connection.
const LARGEST_SCRATCH: usize = 128 * 1024;

/// Of a frame that does not fit the room that there is, this much has arrived before it is moved to the spare buffer.
const LONG: usize = 32 * 1024;

/// Whose memory the read buffer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    /// The connection's own.
    Own,
    /// The thread's read buffer, until the next wait.
    Lent,
    /// The spare buffer of some thread, until the frame in progress has been used up.
    Spare,
}

impl Receiver {
    /// The read buffer, with room behind what is in it. The caller appends what it reads.
    ///
    /// Its memory grows with the bytes that have arrived, never with the length that a header announces: for a
    /// frame in progress it has room for what is missing, but for no more than 64 KiB or as much again as is there. Only
    /// the one long buffer that the connections of a [`Scratch`] share may have room for more.
    #[inline]
    pub fn buffer(&mut self) -> &mut BytesMut {
        if self.buf.is_empty() && self.frame.is_none() && self.buf.capacity() >= LEAST_READ {
            self.at = 0;
        } else {
            self.make_room();
        }
        &mut self.buf
    }

    #[inline(never)]
    fn make_room(&mut self) {
        let behind_the_end = self.ending.is_some() && matches!(self.ready, Ready::Nothing | Ready::Closed);
        let there = self.pending().len();
        if there == 0 || behind_the_end {
            self.buf.clear();
            self.at = 0;
        }
        let missing = match &self.frame {
            Some(frame) if self.delivery == Delivery::Whole => frame.left.saturating_sub(there),
            _ => 0,
        };
        let moves = self.at > 0 && self.room() < LEAST_READ;
        if moves {
            self.move_to_front();
        }
        // A frame in progress fills the room that there is before it gets more, but for what its own header leaves.
        let little = if moves { LEAST_READ } else { 1 };
        if missing == 0 && self.room() < LEAST_READ {
            self.grow(LEAST_READ);
        } else if self.room() < little {
            self.grow(missing.min(there.max(FIRST_GROWTH.saturating_sub(there))));
        }
    }

    /// Makes room for so much more, in memory of its own if the buffer was the spare one.
    fn grow(&mut self, len: usize) {
        self.buf.reserve(len);
        if self.memory == Memory::Spare {
            self.memory = Memory::Own;
        }
    }

    /// Whether all that has arrived was handed out: the next event has to be read, and what is lent just now is the last.
    #[must_use]
    #[inline]
    pub fn is_dry(&self) -> bool {
        let lent = match self.ready {
            Ready::Frame { len, .. }
            | Ready::Part { len, .. }
            | Ready::Ping { len }
            | Ready::Pong { len } => len,
            _ => 0,
        };
        self.pending().len() <= lent
    }

    /// Whether what fits the buffer belongs to the frame in progress, but for 4 KiB, and no extension works on it: such bytes
    /// cost little until the frame is whole. For who bounds what a connection does in one turn.
    #[must_use]
    #[inline]
    pub fn is_filling(&self) -> bool {
        self.missing() > self.room().saturating_sub(LEAST_READ)
    }

    /// How many bytes are pending of a long frame that does not fit the buffer in which it has begun; 0 of any other. That was read as anything else
    /// is, when nobody knew of the frame, and costs as little as the rest of it. For who bounds what a connection does in one
    /// turn.
    #[must_use]
    pub fn begun(&self) -> usize {
        // Behind its own header it stands until it is moved, to be filled.
        let begins = self.memory == Memory::Lent && self.at > 0;
        if begins && self.wants_spare() { self.pending().len() } else { 0 }
    }

    /// Whether a message comes in fragments, and the one in progress is not long. Each may be a byte, and costs as much as a
    /// message all the same. For who bounds what a connection does in one turn.
    #[must_use]
    #[inline]
    pub fn is_joining(&self) -> bool {
        match (&self.message, &self.frame) {
            (Some(open), Some(frame)) => {
                (open.fragments > 1 || !frame.fin) && frame.left < self.pending().len() + LEAST_READ
            }
            (message, _) => message.is_some(),
        }
    }

    /// How many bytes a frame in progress lacks that is to be given as a slice of the read buffer.
    fn missing(&self) -> usize {
        match &self.frame {
            Some(frame) if self.inflow.is_none() && self.delivery == Delivery::Whole => {
                frame.left.saturating_sub(self.pending().len())
            }
            _ => 0,
        }
    }

    fn room(&self) -> usize {
        self.buf.capacity() - self.buf.len()
    }

    /// Makes room of what is used up. A frame in progress is moved once at most: then it stands in front.
    fn move_to_front(&mut self) {
        if self.at > 0 {
            let (start, len) = (self.at.min(self.buf.len()), self.pending().len());
            self.buf.copy_within(start.., 0);
            self.buf.truncate(len);
            self.at = 0;
        }
    }

    /// Lends the buffers to read into. A short rest that is pending moves into them; with a long one pending the
    /// connection keeps its own, or gets the spare one if that has room for all of the frame in progress.
    #[inline]
    pub fn attach(&mut self, scratch: &mut Scratch) {
        if self.memory != Memory::Own || self.pending().len() > LARGE {
            return self.attach_spare(scratch);
        }
        let lent = scratch.read();
        let pending = self.pending();
        if pending.is_empty() {
            mem::swap(&mut self.buf, lent);
        } else {
            lent.extend_from_slice(pending);
            self.buf = mem::take(lent);
        }
        self.at = 0;
        self.memory = Memory::Lent;
        mem::swap(&mut self.arena, &mut scratch.arena);
    }

    /// Moves a long frame in progress into the spare buffer, if that is free or, with half of the frame there, can be made.
    #[inline(never)]
    fn attach_spare(&mut self, scratch: &mut Scratch) {
        if !self.wants_spare() {
            return;
        }
        let (there, missing) = (self.pending().len(), self.missing());
        let len = there.saturating_add(missing);
        let mut spare = scratch.spare.take(len);
        if spare.is_none() && there >= missing && self.room() < LEAST_READ {
            spare = scratch.spare.make(len);
        }
        let Some(mut spare) = spare else { return };
        spare.extend_from_slice(self.pending());
        let buf = mem::replace(&mut self.buf, spare);
        self.at = 0;
        if mem::replace(&mut self.memory, Memory::Spare) == Memory::Lent {
            give_back(&mut self.arena, &mut scratch.arena);
            if buf.capacity() <= LARGEST_SCRATCH {
                scratch.read = buf;
            }
        }
    }

    /// Whether a frame in progress is long and does not fit the room that there is.
    #[inline]
    fn wants_spare(&self) -> bool {
        self.frame.is_some() && self.pending().len() >= LONG && self.missing() > self.room()
    }

    /// Whether the buffers were lent, and not yet given back, and [`attach`](Self::attach) has nothing to add.
    #[inline]
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.memory == Memory::Lent && !self.wants_spare()
    }

    /// Uses up what was lent, once the caller has made it its own, and gives the buffers back if nothing more is
    /// pending. Whether that is so.
    pub fn release(&mut self, scratch: &mut Scratch) -> bool {
        self.settle();
        let dry = self.pending().is_empty();
        if dry {
            self.detach(scratch);
        }
        dry
    }

    /// Gives the lent buffers back before a wait. What is pending moves into memory of its own, of its own length;
    /// an idle connection is left with no buffer at all.
    #[inline]
    pub fn detach(&mut self, scratch: &mut Scratch) {
        if self.assembly.is_empty() && self.assembly.capacity() > 0 {
            self.assembly = BytesMut::new();
        }
        if let Some(inflow) = &mut self.inflow {
            inflow.chain.shrink();
        }
        let lent = self.memory == Memory::Lent;
        if lent && self.pending().is_empty() && self.buf.capacity() <= LARGEST_SCRATCH {
            self.memory = Memory::Own;
            self.at = 0;
            give_back(&mut self.buf, &mut scratch.read);
            give_back(&mut self.arena, &mut scratch.arena);
        } else {
            self.detach_pending(scratch);
        }
    }

    #[inline(never)]
    fn detach_pending(&mut self, scratch: &mut Scratch) {
        // The spare buffer that was lent for this frame is filled before it is given up.
        if self.memory == Memory::Spare && self.missing() > 0 && self.pending().len() >= LONG {
            return;
        }
        let arena = mem::take(&mut self.arena);
        let lent = mem::replace(&mut self.memory, Memory::Own) == Memory::Lent;
        if lent {
            scratch.arena = arena;
        }
        let (pending, capacity) = (self.pending(), self.buf.capacity());
        let lendable = lent && capacity <= LARGEST_SCRATCH;
        // A buffer of its own that is filled to the half stays, as one is that has just grown; of less it costs less to keep a
        // copy.
        if !lendable && !pending.is_empty() && pending.len() >= capacity / 2 {
            return;
        }
        let own = if pending.is_empty() { BytesMut::new() } else { BytesMut::from(pending) };
        let buf = mem::replace(&mut self.buf, own);
        self.at = 0;
        if lendable {
            scratch.read = buf;
        }
    }
}
