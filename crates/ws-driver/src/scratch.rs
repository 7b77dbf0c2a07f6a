//! Buffers that connections take in turn.

use std::mem;

use bytes::BytesMut;

use crate::{outbox::Segments, replies::Pongs, spare::Spare};

/// Buffers that many connections take in turn, one set for each thread: an idle connection holds none.
///
/// Before a read, [`Receiver::attach`](crate::Receiver::attach), [`Sender::attach`](crate::Sender::attach) and
/// [`Replies::attach`](crate::Replies::attach) lend them to a connection; before a wait, `detach` gives back what is empty.
/// They are made when they are first lent, 100 KiB in all, and are not zeroed. Without them everything works the same, in
/// buffers of each connection's own.
///
/// Frames of up to 1 MiB that do not fit the read buffer have one more to share, of their own length: it is made when half of
/// such a frame has arrived, and given back to the system when no more of them come.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(crate) read: BytesMut,
    pub(crate) cork: BytesMut,
    pub(crate) arena: BytesMut,
    /// A buffer for pongs, empty.
    pub(crate) pongs: Option<Box<Pongs>>,
    /// The list of an outbox's segments, empty.
    pub(crate) segments: Option<Box<Segments>>,
    /// For frames that do not fit the read buffer.
    pub(crate) spare: Spare,
}

/// How many segments the list has room for that is kept for the next connection: as many as a batch.
const SEGMENTS: usize = 64;

/// A read takes up to this much: a frame of 64 KiB with its header, and what stands before it.
const READ: usize = 68 * 1024;

/// Small frames of one batch are written together from this much.
const CORK: usize = 16 * 1024;

impl Scratch {
    /// The read buffer, made whole again where payloads were taken out of it and are gone by now.
    pub(crate) fn read(&mut self) -> &mut BytesMut {
        self.spare.note_batch();
        self.read.clear();
        if self.read.capacity() < READ {
            self.read.reserve(READ);
        }
        &mut self.read
    }

    /// Keeps an empty list of segments for the next connection.
    pub(crate) fn keep_segments(&mut self, mut segments: Box<Segments>) {
        if segments.capacity() > SEGMENTS {
            segments.shrink_to(SEGMENTS);
        }
        self.segments = Some(segments);
    }

    pub(crate) fn cork(&mut self) -> &mut BytesMut {
        if self.cork.capacity() < CORK {
            self.cork.reserve(CORK);
        }
        &mut self.cork
    }
}

/// Puts a buffer where the next connection finds it, and leaves none behind.
#[inline]
pub(crate) fn give_back(lent: &mut BytesMut, place: &mut BytesMut) {
    mem::swap(lent, place);
    if lent.capacity() > 0 {
        *lent = BytesMut::new(); // another connection had to make its own in the meantime
    }
}
