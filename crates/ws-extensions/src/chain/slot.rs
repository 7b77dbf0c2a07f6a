//! A message on its way through the chain, and the buffers that messages lie in.

use std::{collections::VecDeque, mem};

use bytes::BytesMut;

use crate::message::MessageHead;

/// What a message costs besides its payload, so that empty ones cannot be piled up for nothing.
const OVERHEAD: usize = 256;

/// A larger buffer is not kept for the next message.
const KEEP: usize = 64 * 1024;

/// How many buffers are kept: what flows is in one of them, few messages wait at a time.
const SPARES: usize = 4;

pub(super) struct Slot {
    pub(super) head: MessageHead,
    /// The length of the payload as it was announced.
    pub(super) len: Option<usize>,
    /// What lies in front of the next cell; collecting, what lies in front of the cell begun last.
    pub(super) data: BytesMut,
    /// How many bytes were written into `data`, those taken out again counted.
    pub(super) written: usize,
    /// How many cells have begun it.
    pub(super) entered: usize,
    pub(super) stage: Stage,
    /// A cell has done something else than let it pass.
    pub(super) touched: bool,
    /// Its job has the codec of the cell begun last.
    pub(super) exclusive: bool,
    /// The weight that stands in the chain's sum.
    pub(super) counted: usize,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stage {
    /// More fragments come. They flow through the cells that have begun it, into `data`.
    Flowing,
    /// More fragments come, and the cell begun last wants all of them.
    Collecting,
    /// The cell begun last has made a job of it.
    Working,
    /// `data` is all of it.
    Whole,
}

impl Slot {
    pub(super) fn new(head: MessageHead, len: Option<usize>) -> Self {
        let (data, stage) = (BytesMut::new(), Stage::Flowing);
        Slot { head, len, data, written: 0, entered: 0, stage, touched: false, exclusive: false, counted: 0 }
    }

    /// Whether more fragments come.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Flowing | Stage::Collecting)
    }

    /// Whether what is in `data` may go on.
    pub(super) fn flows(&self) -> bool {
        matches!(self.stage, Stage::Flowing | Stage::Whole)
    }

    /// What it holds now. A job is taken to hold what it was given.
    pub(super) fn weight(&self) -> usize {
        if self.stage == Stage::Working { self.counted } else { OVERHEAD.saturating_add(self.data.len()) }
    }
}

/// Buffers of messages that are gone, for those to come: in steady state a stream of messages allocates nothing.
#[derive(Default)]
pub(super) struct Buffers {
    spare: Vec<BytesMut>,
    /// Between two cells of the same flow.
    pub(super) between: [BytesMut; 2],
}

impl Buffers {
    /// An empty buffer, with room if one was kept.
    pub(super) fn take(&mut self) -> BytesMut {
        self.spare.pop().unwrap_or_default()
    }

    /// `written` tells what the capacity does not: a small rest of a buffer may keep all of a large one alive.
    pub(super) fn give(&mut self, mut buf: BytesMut, written: usize) {
        if (1..=KEEP).contains(&buf.capacity()) && written <= KEEP && self.spare.len() < SPARES {
            buf.clear();
            self.spare.push(buf);
        }
    }

    /// After a message: lets go of what only that one needed.
    pub(super) fn trim(&mut self) {
        for buf in self.between.iter_mut().filter(|buf| buf.capacity() > KEEP) {
            mem::take(buf);
        }
    }
}

/// Lets go of the room that a crowd of messages has needed.
pub(super) fn trim(slots: &mut VecDeque<Slot>) {
    const FEW: usize = 32;
    if slots.capacity() > 2 * FEW {
        slots.shrink_to(FEW);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_buffers_and_rests_of_them_are_not_kept() {
        let mut buffers = Buffers::default();
        buffers.give(BytesMut::with_capacity(KEEP + 1), 0);
        let mut large = BytesMut::zeroed(10 * KEEP);
        let rest = large.split_off(10 * KEEP - 100);
        buffers.give(rest, 10 * KEEP);
        assert_eq!(buffers.take().capacity(), 0);
        for _ in 0..10 {
            buffers.give(BytesMut::with_capacity(KEEP), KEEP);
        }
        assert_eq!(buffers.spare.len(), SPARES);
        assert_eq!(buffers.take().capacity(), KEEP);
    }

    #[test]
    fn the_room_of_a_crowd_is_let_go_of() {
        let mut slots = VecDeque::with_capacity(10_000);
        trim(&mut slots);
        assert!(slots.capacity() < 100);
    }
}
