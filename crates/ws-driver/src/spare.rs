//! A long buffer that connections take in turn.

use bytes::BytesMut;

/// A buffer for long frames, lent to one connection at a time.
///
/// The buffer of a frame in progress grows with what has arrived: it is made twice as long time and again, and most of what
/// has arrived is moved each time. Where a thread has received such a frame before, the next one finds a buffer here that
/// has room for all of it.
///
/// It stays known here while it is lent, by a second handle to the same memory, and is free again when every other handle is
/// gone: that of the connection, or of the message that was taken out of it and is kept. So there is never more than one,
/// lent or not, and of all peers that announce much and send little one holds what others have filled.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    /// Empty, and without room while the buffer is lent.
    handle: BytesMut,
    /// The room that it has when it is free; none if there is no buffer.
    len: usize,
    /// How often buffers were lent since this was of use.
    unused: u32,
}

/// The longest frame that there is a buffer for.
const LONGEST: usize = 1024 * 1024;

/// What it has room for beyond a frame's payload: the header of the next, and its first bytes.
const BEHIND: usize = 4 * 1024;

/// After so many batches without a long frame a free one is given back to the system.
const PATIENCE: u32 = 32;

impl Spare {
    /// The buffer for a frame of `len` bytes, unless it is lent or has room for less, or for more than twice as much: who
    /// keeps the message keeps all of it.
    pub(crate) fn take(&mut self, len: usize) -> Option<BytesMut> {
        let wanted = len.checked_add(BEHIND)?;
        if self.len < wanted || self.len / 2 > wanted || !self.is_free() {
            return None;
        }
        self.unused = 0;
        Some(self.handle.split_off(0))
    }

    /// The same where there is none or a shorter one, which is given up for it.
    pub(crate) fn make(&mut self, len: usize) -> Option<BytesMut> {
        if len > LONGEST || self.len >= len + BEHIND || !self.is_free() {
            return None;
        }
        let mut handle = BytesMut::with_capacity(len + BEHIND);
        let lent = handle.split_off(0);
        *self = Self { handle, len: lent.capacity(), unused: 0 };
        Some(lent)
    }

    /// Buffers are lent to a connection, for a batch that may or may not have a long frame.
    #[inline]
    pub(crate) fn note_batch(&mut self) {
        if self.len > 0 {
            self.grow_old();
        }
    }

    #[inline(never)]
    fn grow_old(&mut self) {
        self.unused = self.unused.saturating_add(1);
        if self.unused > PATIENCE && self.is_free() {
            *self = Self::default();
        }
    }

    /// Whether nobody else has a handle. Then the buffer is whole again.
    fn is_free(&mut self) -> bool {
        self.handle.try_reclaim(self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEN: usize = 100_000;

    #[test]
    fn the_buffer_is_lent_to_one_at_a_time() {
        let mut spare = Spare::default();
        assert!(spare.take(LEN).is_none(), "there is none at first");
        let first = spare.make(LEN).unwrap();
        assert!(first.capacity() >= LEN + BEHIND);
        assert!(spare.take(LEN).is_none());
        assert!(spare.make(2 * LEN).is_none(), "nor is there another one");
        let address = first.as_ptr();
        drop(first);
        let mut again = spare.take(LEN).unwrap();
        assert_eq!(again.as_ptr(), address);
        again.extend_from_slice(&[1; LEN]);
        let kept = again.split().freeze();
        drop(again);
        assert!(spare.take(LEN).is_none(), "a message is kept");
        drop(kept);
        let again = spare.take(LEN).unwrap();
        assert_eq!((again.as_ptr(), again.len()), (address, 0));
    }

    #[test]
    fn it_is_lent_for_frames_of_about_its_length() {
        let mut spare = Spare::default();
        drop(spare.make(LEN));
        for (len, fits) in
            [(LEN / 3, false), (LEN / 2 + 1, true), (LEN, true), (LEN + 1, false), (usize::MAX, false)]
        {
            assert_eq!(spare.take(len).is_some(), fits, "{len}");
        }
    }

    #[test]
    fn a_longer_one_takes_its_place_up_to_the_longest() {
        let mut spare = Spare::default();
        for (len, made) in [(LEN, true), (LEN - 1, false), (LONGEST, true), (LONGEST + 1, false)] {
            assert_eq!(spare.make(len).is_some(), made, "{len}");
        }
        assert_eq!(spare.len, LONGEST + BEHIND);
        assert!(spare.take(LONGEST).is_some());
    }

    #[test]
    fn what_is_not_used_is_given_back_unless_it_is_lent() {
        let mut spare = Spare::default();
        let lent = spare.make(LEN);
        (0..=PATIENCE).for_each(|_| spare.note_batch());
        assert!(spare.make(2 * LEN).is_none(), "it is known as long as it is lent");
        drop(lent);
        drop(spare.take(LEN).unwrap());
        (0..PATIENCE).for_each(|_| spare.note_batch());
        assert!(spare.len >= LEN);
        spare.note_batch();
        assert_eq!((spare.len, spare.handle.capacity()), (0, 0));
    }
}
