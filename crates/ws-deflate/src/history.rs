//! The end of what was inflated: the LZ77 sliding window that the next message may refer to.

/// The last bytes of a direction, in a ring that is never larger than the agreed window, nor than what has come.
///
/// Between two messages this is all that there is to know of an inflater, at a tenth of its memory for a window of 12
/// bits. So connections keep this, and share inflaters.
#[derive(Default)]
pub(crate) struct History {
    ring: Vec<u8>,
    /// Where the oldest byte lies, once the ring is full.
    oldest: usize,
}

impl History {
    /// Adds what was inflated, `window` being how many bytes are remembered.
    pub(crate) fn push(&mut self, bytes: &[u8], window: usize) {
        let (_, mut bytes) = bytes.split_at(bytes.len().saturating_sub(window));
        if bytes.len() == window {
            self.clear();
        }
        let room = window.saturating_sub(self.ring.len());
        if room > 0 {
            let (fits, rest) = bytes.split_at(room.min(bytes.len()));
            if fits.len() > self.ring.capacity() - self.ring.len() {
                // Doubles as a vector does, but not past the window.
                let wanted = (self.ring.len() + fits.len()).max(2 * self.ring.len()).min(window);
                self.ring.reserve_exact(wanted - self.ring.len());
            }
            self.ring.extend_from_slice(fits);
            bytes = rest;
        }
        while !bytes.is_empty() {
            let Some(space) = self.ring.get_mut(self.oldest..).filter(|space| !space.is_empty()) else {
                self.oldest = 0;
                if self.ring.is_empty() {
                    return;
                }
                continue;
            };
            let (now, later) = bytes.split_at(bytes.len().min(space.len()));
            if let Some(space) = space.get_mut(..now.len()) {
                space.copy_from_slice(now);
            }
            self.oldest += now.len();
            bytes = later;
        }
    }

    /// The older part and the newer one.
    pub(crate) fn parts(&self) -> [&[u8]; 2] {
        let (newer, older) = self.ring.split_at_checked(self.oldest).unwrap_or((&self.ring, &[]));
        [older, newer]
    }

    /// Forgets everything, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.ring.clear();
        self.oldest = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_last_bytes_are_remembered(
            window in 1..40usize,
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..12),
        ) {
            let (mut history, mut all) = (History::default(), Vec::new());
            for piece in pieces {
                history.push(&piece, window);
                all.extend_from_slice(&piece);
                prop_assert_eq!(history.parts().concat(), &all[all.len().saturating_sub(window)..]);
                prop_assert!(history.ring.capacity() <= window.max(8));
            }
            history.clear();
            prop_assert!(history.parts().concat().is_empty());
        }
    }
}
