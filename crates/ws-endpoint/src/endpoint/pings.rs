//! Pings that wait for their pong.

use std::collections::VecDeque;

use ws_driver::Payload;

use super::PingId;

/// How many pings are remembered. Of more than that the oldest is forgotten; its pong comes without a name then.
const MAX_PINGS: usize = 64;

/// The pings that were sent and not answered, oldest first.
#[derive(Debug, Default)]
pub(super) struct Pings {
    next: u64,
    waiting: VecDeque<(PingId, Payload)>,
}

impl Pings {
    /// Remembers a ping that is about to be sent.
    pub(super) fn sent(&mut self, payload: &[u8]) -> PingId {
        let id = PingId(self.next);
        self.next += 1;
        if self.waiting.len() == MAX_PINGS {
            self.waiting.pop_front();
        }
        self.waiting.push_back((id, Payload::copy_from_slice(payload)));
        id
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The ping that a pong answers: the oldest one with its payload. Older ones are forgotten, because a peer answers
    /// in order and may leave out all but the newest (RFC 6455 section 5.5.3).
    pub(super) fn answered(&mut self, payload: &[u8]) -> Option<PingId> {
        let at = self.waiting.iter().position(|(_, sent)| sent == payload)?;
        let id = self.waiting.drain(..=at).next_back().map(|(id, _)| id);
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new(); // nothing is held while nothing is waited for
        }
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pong_names_the_oldest_ping_with_its_payload() {
        let mut pings = Pings::default();
        let [a, b, again] = [b"a", b"b", b"a"].map(|payload| pings.sent(payload));
        assert_eq!(pings.answered(b"c"), None);
        assert_eq!(pings.answered(b"a"), Some(a));
        assert_eq!(pings.answered(b"a"), Some(again), "the one between them was left out by the peer");
        assert_eq!(pings.answered(b"b"), None, "and is not {b:?} any more");
        assert!(pings.is_empty());
    }

    #[test]
    fn pings_without_answer_are_remembered_within_a_bound() {
        let mut pings = Pings::default();
        let ids: Vec<_> = (0..=MAX_PINGS).map(|n| pings.sent(&n.to_be_bytes())).collect();
        assert_eq!(pings.waiting.len(), MAX_PINGS);
        assert_eq!(pings.answered(&0_usize.to_be_bytes()), None);
        assert_eq!(pings.answered(&1_usize.to_be_bytes()), Some(ids[1]));
    }
}
