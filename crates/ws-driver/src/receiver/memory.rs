//! The read buffer: lent while there is something to read, given back when nothing is pending.

use bytes::{Buf, BytesMut};

use super::Receiver;
use crate::{Delivery, Scratch};

/// The least room that is offered to a read.
const LEAST_READ: usize = 4 * 1024;

/// A frame is read straight into a buffer that grows with what has arrived, and at first by this much.
const FIRST_GROWTH: usize = 64 * 1024;

/// Payloads from this length on are taken out of the buffer they arrived in; shorter ones are copied.
pub(super) const LARGE: usize = 16 * 1024;

/// What a scratch buffer may have grown to and still serve the next connection.
const LARGEST_SCRATCH: usize = 128 * 1024;

impl Receiver {
    /// The read buffer, with room behind what is in it. The caller appends what it reads.
    ///
    /// Its memory grows with the bytes that have arrived, never with the length that a header announces: for a
    /// frame in progress it has room for what is missing, but for no more than 64 KiB or as much again as is there.
    pub fn buffer(&mut self) -> &mut BytesMut {
        let there = self.buf.len() - self.at;
        if there == 0 {
            self.buf.clear();
            self.at = 0;
        }
        let missing = match &self.frame {
            Some(frame) if self.delivery == Delivery::Whole => frame.left.saturating_sub(there),
            _ => 0,
        };
        let wanted = if missing > 0 { missing.min(there.max(FIRST_GROWTH)) } else { LEAST_READ };
        if self.buf.capacity() - self.buf.len() < wanted {
            self.buf.advance(self.at);
            self.at = 0;
            self.buf.reserve(wanted);
        }
        &mut self.buf
    }

    /// Lends the buffers to read into. A short rest that is pending moves into them; with a long one pending the
    /// connection keeps its own.
    #[inline]
    pub fn attach(&mut self, scratch: &mut Scratch) {
        let pending = &self.buf[self.at..];
        if self.lent || pending.len() >= LARGE {
            return;
        }
        let lent = scratch.read();
        lent.extend_from_slice(pending);
        self.buf = std::mem::take(lent);
        self.at = 0;
        self.lent = true;
        self.arena = std::mem::take(&mut scratch.arena);
    }

    /// Gives the lent buffers back before a wait. What is pending moves into memory of its own, of its own length;
    /// an idle connection is left with no buffer at all.
    #[inline]
    pub fn detach(&mut self, scratch: &mut Scratch) {
        if self.assembly.is_empty() && self.assembly.capacity() > 0 {
            self.assembly = BytesMut::new();
        }
        let pending = &self.buf[self.at..];
        let grown = self.buf.capacity() > LARGEST_SCRATCH;
        if !pending.is_empty() && (grown || !self.lent) {
            self.lent = false;
            return;
        }
        let own = if pending.is_empty() { BytesMut::new() } else { BytesMut::from(pending) };
        let buf = std::mem::replace(&mut self.buf, own);
        let arena = std::mem::take(&mut self.arena);
        self.at = 0;
        if std::mem::take(&mut self.lent) {
            scratch.arena = arena;
            if !grown {
                scratch.read = buf;
            }
        }
    }
}
