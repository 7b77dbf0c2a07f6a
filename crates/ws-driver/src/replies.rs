//! What one half of a connection owes the other.

use std::collections::VecDeque;

use ws_frame::CloseCode;

use crate::CloseReason;

/// What the receiving half owes the sending half: pongs within their bound, at most one Close.
///
/// [`Receiver::advance`](crate::Receiver::advance) fills it, [`Sender::absorb`](crate::Sender::absorb) empties it. It is
/// a plain value, so that a connection in one task passes it on without a lock, and two tasks share it behind one.
#[derive(Debug, Default)]
pub struct Replies {
    /// Pongs one behind the other, each a length byte and its payload.
    pongs: VecDeque<u8>,
    count: usize,
    /// Behind a pointer, because a connection has it only at its end.
    close: Option<Box<CloseReply>>,
}

/// The Close that the receiving half asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CloseReply {
    /// The answer to the peer's Close: the same code and reason, or none.
    Echo(Option<CloseReason>),
    /// The peer is told why the connection fails.
    Fail(CloseCode, &'static str),
    /// None: the transport has ended, nothing more can be sent.
    Lost,
}

impl Replies {
    /// Whether nothing is owed.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.count == 0 && self.close.is_none()
    }

    /// Queues a pong. Above `max` the oldest is dropped (RFC 6455 section 5.5.3).
    pub(crate) fn pong(&mut self, payload: &[u8], max: usize) {
        while self.count >= max.max(1) {
            self.drop_oldest();
        }
        // A control payload is at most 125 bytes.
        let len = u8::try_from(payload.len()).unwrap_or(125);
        self.pongs.push_back(len);
        self.pongs.extend(&payload[..usize::from(len)]);
        self.count += 1;
    }

    fn drop_oldest(&mut self) {
        if let Some(len) = self.pongs.pop_front() {
            self.pongs.drain(..usize::from(len));
            self.count -= 1;
        }
    }

    /// The oldest pong's payload.
    pub(crate) fn next_pong(&mut self) -> Option<([u8; 125], usize)> {
        let len = usize::from(self.pongs.pop_front()?);
        let mut payload = [0; 125];
        for (byte, next) in payload.iter_mut().zip(self.pongs.drain(..len)) {
            *byte = next;
        }
        self.count -= 1;
        if self.count == 0 {
            self.pongs = VecDeque::new(); // nothing is held while nothing is owed
        }
        Some((payload, len))
    }

    pub(crate) fn drop_pongs(&mut self) {
        self.pongs = VecDeque::new();
        self.count = 0;
    }

    /// The first Close counts: after it there is nothing more to say.
    pub(crate) fn close(&mut self, close: CloseReply) {
        self.close.get_or_insert_with(|| Box::new(close));
    }

    pub(crate) fn take_close(&mut self) -> Option<CloseReply> {
        self.close.take().map(|close| *close)
    }
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
    fn the_first_close_counts() {
        let mut replies = Replies::default();
        replies.close(CloseReply::Fail(CloseCode::TOO_BIG, ""));
        replies.close(CloseReply::Echo(None));
        assert_eq!(replies.take_close(), Some(CloseReply::Fail(CloseCode::TOO_BIG, "")));
        assert!(replies.is_empty());
    }
}
