//! What one half of a connection owes the other.

use std::{collections::VecDeque, sync::Arc};

use crate::{Ending, Scratch};

/// What of a buffer for pongs is kept for the next connection: more than as many as may wait by default.
const LARGEST_SCRATCH: usize = 16 * 1024;

/// What the receiving half owes the sending half: pongs within their bound, at most one Close.
///
/// [`Receiver::advance`](crate::Receiver::advance) fills it, [`Sender::absorb`](crate::Sender::absorb) empties it. It is
/// a plain value, so that a connection in one task passes it on without a lock, and two tasks share it behind one.
#[derive(Debug, Default)]
pub struct Replies {
    /// How many pongs are owed.
    count: u32,
    /// Whether the buffer goes back to where it was lent from.
    lent: bool,
    /// Behind a pointer, because connections take one in turn.
    pongs: Option<Box<Pongs>>,
    /// How the receiving half has ended, which says whether and what Close answers it. Shared with that half.
    close: Option<Arc<Ending>>,
}

/// Pongs one behind the other, each a length byte and its payload.
#[derive(Debug, Default)]
pub(crate) struct Pongs(VecDeque<u8>);

impl Replies {
    /// Whether nothing is owed.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.count == 0 && self.close.is_none()
    }

    /// Lends a buffer for pongs, if there is none, so that answering pings allocates nothing in the long run.
    #[inline]
    pub fn attach(&mut self, scratch: &mut Scratch) {
        if self.pongs.is_none() {
            self.pongs = scratch.pongs.take();
            self.lent = true;
        }
    }

    /// Gives the buffer back while nothing is owed, so that an idle connection holds none.
    #[inline]
    pub fn detach(&mut self, scratch: &mut Scratch) {
        if self.count > 0 {
            return;
        }
        self.lent = false;
        if let Some(pongs) = self.pongs.take()
            && pongs.0.capacity() <= LARGEST_SCRATCH
        {
            scratch.pongs = Some(pongs);
        }
    }

    /// Queues a pong. Above `max` the oldest is dropped (RFC 6455 section 5.5.3).
    pub(crate) fn pong(&mut self, payload: &[u8], max: usize) {
        let pongs = &mut self.pongs.get_or_insert_default().0;
        while usize::try_from(self.count).is_ok_and(|count| count >= max.max(1)) {
            drop_oldest(pongs, &mut self.count);
        }
        // A control payload is at most 125 bytes.
        let len = u8::try_from(payload.len()).unwrap_or(125);
        pongs.push_back(len);
        pongs.extend(&payload[..usize::from(len)]);
        self.count = self.count.saturating_add(1);
    }

    /// The oldest pong's payload.
    pub(crate) fn next_pong(&mut self) -> Option<([u8; 125], usize)> {
        let pongs = &mut self.pongs.as_mut()?.0;
        let len = usize::from(pongs.pop_front()?);
        let mut payload = [0; 125];
        for (byte, next) in payload.iter_mut().zip(pongs.drain(..len)) {
            *byte = next;
        }
        self.count -= 1;
        if self.count == 0 && !self.lent {
            self.pongs = None; // nothing is held while nothing is owed
        }
        Some((payload, len))
    }

    pub(crate) fn drop_pongs(&mut self) {
        if let Some(pongs) = &mut self.pongs {
            pongs.0.clear();
        }
        self.count = 0;
    }

    /// The receiving half has ended. The first end counts: after its Close there is nothing more to say.
    pub(crate) fn close(&mut self, ending: &Arc<Ending>) {
        self.close.get_or_insert_with(|| Arc::clone(ending));
    }

    pub(crate) fn take_close(&mut self) -> Option<Arc<Ending>> {
        self.close.take()
    }
}

fn drop_oldest(pongs: &mut VecDeque<u8>, count: &mut u32) {
    if let Some(len) = pongs.pop_front() {
        pongs.drain(..usize::from(len));
    }
    *count = count.saturating_sub(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(replies: &mut Replies) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| replies.next_pong().map(|(payload, len)| payload[..len].to_vec())).collect()
    }

    #[test]
    fn pongs_leave_in_order() {
        let mut replies = Replies::default();
        for payload in [&b"a"[..], b"", b"ccc"] {
            replies.pong(payload, 64);
        }
        assert_eq!(drain(&mut replies), [b"a".to_vec(), b"".to_vec(), b"ccc".to_vec()]);
        assert!(replies.is_empty());
    }

    #[test]
    fn the_oldest_is_dropped_beyond_the_bound() {
        let mut replies = Replies::default();
        for n in 0..10u8 {
            replies.pong(&[n; 125], 3);
        }
        assert_eq!(drain(&mut replies), [[7; 125], [8; 125], [9; 125]]);
    }

    #[test]
    fn a_lent_buffer_is_given_back_when_nothing_is_owed() {
        let (mut replies, mut scratch) = (Replies::default(), Scratch::default());
        replies.attach(&mut scratch);
        replies.pong(b"?", 64);
        replies.detach(&mut scratch);
        assert!(scratch.pongs.is_none(), "not while something is owed");
        assert_eq!(drain(&mut replies), [b"?".to_vec()]);
        replies.detach(&mut scratch);
        assert!(replies.pongs.is_none() && scratch.pongs.is_some());
        let mut other = Replies::default();
        other.attach(&mut scratch);
        assert!(other.pongs.is_some() && other.is_empty());
    }

    #[test]
    fn the_first_close_counts() {
        let mut replies = Replies::default();
        replies.close(&Arc::new(Ending::Close(None)));
        replies.close(&Arc::new(Ending::Lost));
        assert_eq!(replies.take_close().as_deref(), Some(&Ending::Close(None)));
        assert!(replies.is_empty());
    }
}
