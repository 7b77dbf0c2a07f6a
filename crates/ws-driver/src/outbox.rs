//! Bytes on their way to the transport.

use std::{collections::VecDeque, io::IoSlice, mem};

use bytes::{Buf, Bytes, BytesMut};
use ws_frame::{Header, OpCode};

use crate::{Scratch, scratch::give_back};

/// Bytes on their way to the transport: small frames one behind the other, large payloads as segments of their own.
///
/// It is a [`Buf`], so `write_vectored` takes it whole and [`Buf::advance`] says what was written. Nothing is
/// held while it is empty.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Finished segments, oldest first. Behind a pointer, because only large payloads make any.
    segments: Option<Box<Segments>>,
    /// Bytes in `segments`.
    segmented: usize,
    /// Small frames behind all segments.
    cork: BytesMut,
    /// How much of the cork has been written.
    written: usize,
    /// Pongs queued since the outbox was last empty.
    pongs: u32,
    /// Bytes written so far, modulo 2^64.
    total: u64,
    unflushed: bool,
}

/// A list of segments.
pub(crate) type Segments = VecDeque<Bytes>;

/// What of a scratch cork is kept for the next connection.
const LARGEST_SCRATCH: usize = 256 * 1024;

impl Outbox {
    /// Room for `len` more bytes behind what is queued, to be filled by the caller.
    #[inline]
    pub(crate) fn cork(&mut self, len: usize) -> &mut BytesMut {
        if self.cork.capacity() - self.cork.len() < len {
            self.make_room(len);
        }
        &mut self.cork
    }

    /// Queues a message in one frame without a mask (RFC 6455 section 5.2), with a copy of `payload`.
    #[inline]
    pub(crate) fn put_frame(&mut self, opcode: OpCode, payload: &[u8]) {
        let cork = self.cork(Header::MAX_LEN + payload.len());
        let first = 0x80 | opcode.bits();
        // A copy of as many bytes as are known beforehand is no call.
        match u16::try_from(payload.len()) {
            Ok(len @ ..126) => cork.extend_from_slice(&[first, len.to_be_bytes()[1]]),
            Ok(len) => {
                let [high, low] = len.to_be_bytes();
                cork.extend_from_slice(&[first, 126, high, low]);
            }
            Err(_) => {
                cork.extend_from_slice(&[first, 127]);
                cork.extend_from_slice(&(payload.len() as u64).to_be_bytes());
            }
        }
        cork.extend_from_slice(payload);
    }

    #[cold]
    fn make_room(&mut self, len: usize) {
        if self.written > 0 {
            self.cork.advance(self.written);
            self.written = 0;
        }
        self.cork.reserve(len);
    }

    /// Counts what was written of a frame that never stood here, and queues what is left of it.
    #[inline]
    pub(crate) fn pass(&mut self, frame: &Bytes, written: usize) {
        let written = written.min(frame.len());
        self.total = self.total.wrapping_add(written as u64);
        if written < frame.len() {
            self.segment(frame.slice(written..));
        }
    }

    /// Queues `payload` without copying it.
    pub(crate) fn segment(&mut self, payload: Bytes) {
        if payload.is_empty() {
            return;
        }
        if self.written < self.cork.len() {
            self.cork.advance(self.written);
            self.push(self.cork.len());
        } else {
            self.cork.clear();
        }
        self.written = 0;
        self.segmented += payload.len();
        self.segments.get_or_insert_default().push_back(payload);
    }

    fn push(&mut self, corked: usize) {
        self.segmented += corked;
        let frames = self.cork.split_to(corked).freeze();
        self.segments.get_or_insert_default().push_back(frames);
    }

    /// Uses up so much of the segments, and gives what goes beyond them.
    fn advance_segments(&mut self, mut count: usize) -> usize {
        let Some(segments) = &mut self.segments else { return count };
        while let Some(front) = segments.front_mut() {
            let step = count.min(front.len());
            self.segmented -= step;
            count -= step;
            front.advance(step);
            if !front.is_empty() {
                break;
            }
            segments.pop_front();
        }
        count
    }

    pub(crate) fn count_pong(&mut self) {
        self.pongs = self.pongs.saturating_add(1);
    }

    /// Pongs that may still wait: those queued since the outbox was last empty.
    #[inline]
    #[must_use]
    pub fn pongs(&self) -> usize {
        usize::try_from(self.pongs).unwrap_or(usize::MAX)
    }

    /// Bytes that wait.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.segmented + self.cork.len() - self.written
    }

    /// Whether nothing waits.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes written so far, modulo 2^64: tells whether there was progress.
    #[inline]
    pub(crate) fn written(&self) -> u64 {
        self.total
    }

    /// Whether written bytes may still stand in a buffer of the transport's own, as those of TLS do.
    #[inline]
    #[must_use]
    pub fn is_unflushed(&self) -> bool {
        self.unflushed
    }

    /// Says whether they do. Until they have left, the deadline for a peer that takes nothing is watched, although nothing
    /// waits here. For a transport without such a buffer there is nothing to say.
    #[inline]
    pub fn set_unflushed(&mut self, unflushed: bool) {
        self.unflushed = unflushed;
    }

    /// Forgets everything that waits.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    #[inline]
    pub(crate) fn has_buffer(&self) -> bool {
        self.cork.capacity() > 0
    }

    /// Lends a buffer to write small frames into, if nothing waits.
    #[inline]
    pub(crate) fn attach(&mut self, scratch: &mut Scratch) {
        if self.is_empty() && self.cork.capacity() == 0 {
            mem::swap(&mut self.cork, scratch.cork());
            if self.segments.is_none() {
                self.segments = scratch.segments.take();
            }
        }
    }

    /// Gives the buffer back when nothing waits, so that an idle connection holds none.
    #[inline]
    pub(crate) fn detach(&mut self, scratch: &mut Scratch) {
        if !self.is_empty() {
            return;
        }
        if let Some(segments) = self.segments.take() {
            scratch.keep_segments(segments);
        }
        if self.cork.capacity() > LARGEST_SCRATCH {
            self.cork = BytesMut::new();
        } else if self.cork.capacity() > 0 {
            self.cork.clear();
            give_back(&mut self.cork, &mut scratch.cork);
        }
    }
}

impl Buf for Outbox {
    #[inline]
    fn remaining(&self) -> usize {
        self.len()
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        let front = self.segments.as_ref().and_then(|segments| segments.front());
        front.map_or(&self.cork[self.written..], |segment| segment)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let cork = &self.cork[self.written..];
        let chunks = self.segments.iter().flat_map(|segments| segments.iter()).map(|segment| &segment[..]);
        let chunks = chunks.chain((!cork.is_empty()).then_some(cork));
        slices.iter_mut().zip(chunks).map(|(slice, chunk)| *slice = IoSlice::new(chunk)).count()
    }

    #[inline]
    fn advance(&mut self, count: usize) {
        assert!(count <= self.len(), "advanced past the end of what was queued");
        self.total = self.total.wrapping_add(count as u64);
        let count = if self.segmented > 0 { self.advance_segments(count) } else { count };
        self.written += count;
        if self.written == self.cork.len() && self.segmented == 0 {
            self.cork.clear();
            self.written = 0;
            self.pongs = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a transport would see that takes `step` bytes at a time.
    fn written(outbox: &mut Outbox, step: usize) -> Vec<u8> {
        let mut wire = Vec::new();
        while outbox.has_remaining() {
            let mut slices = [IoSlice::new(&[]); 8];
            let count = outbox.chunks_vectored(&mut slices);
            let chunk: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.iter().copied()).collect();
            assert!(chunk.starts_with(outbox.chunk()), "both views begin alike");
            let taken = step.min(chunk.len());
            wire.extend_from_slice(&chunk[..taken]);
            outbox.advance(taken);
        }
        wire
    }

    #[test]
    fn corked_and_segmented_bytes_keep_their_order() {
        for step in [1, 2, 3, 7, 100] {
            let mut outbox = Outbox::default();
            outbox.cork(2).extend_from_slice(b"ab");
            outbox.segment(Bytes::from_static(b"cde"));
            outbox.segment(Bytes::from_static(b"f"));
            outbox.cork(3).extend_from_slice(b"ghi");
            assert_eq!(outbox.len(), 9);
            outbox.advance(1);
            outbox.cork(1).extend_from_slice(b"j");
            assert_eq!(written(&mut outbox, step), b"bcdefghij");
            assert!(outbox.is_empty());
        }
    }

    #[test]
    fn a_partly_written_cork_goes_on_behind_a_segment() {
        let mut outbox = Outbox::default();
        outbox.cork(3).extend_from_slice(b"abc");
        outbox.advance(2);
        outbox.segment(Bytes::from_static(b"de"));
        assert_eq!(written(&mut outbox, 10), b"cde");
    }

    #[test]
    fn a_lent_cork_is_given_back_when_nothing_waits() {
        let mut scratch = Scratch::default();
        let mut outbox = Outbox::default();
        outbox.attach(&mut scratch);
        assert_eq!(scratch.cork.capacity(), 0);
        outbox.cork(1).extend_from_slice(b"x");
        outbox.detach(&mut scratch);
        assert_eq!(scratch.cork.capacity(), 0, "not while something waits");
        outbox.advance(1);
        outbox.detach(&mut scratch);
        assert!(scratch.cork.capacity() > 0);
        assert_eq!(outbox.cork.capacity(), 0);
    }
}
