//! Turns of the extensions: how much is inflated at once, and by which connection of a thread.
//!
//! A KiB that has arrived may be inflated to a MiB, so what counts in a turn is what comes out. But who only lets others
//! have their turn makes all who send bombs hold a message at its limit, each inflated a little further every time. So of
//! the connections of a thread one at a time goes on with a long frame, over as many turns as it takes, and other long ones
//! wait until that is done. Short ones, and whatever is not compressed, never wait for it.
//!
//! Nobody has to give that place back: who makes no headway while another looks a few times has lost it. A connection that
//! is dropped, moves to another thread, or is not received from any more holds nobody up.

use std::{
    cell::Cell,
    pin::pin,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll},
};

use tokio::task;
use ws_endpoint::driver::Pause;

use super::{FILLING, Pump, TURN};

/// How much extensions make in one turn, in bytes.
const WORK: usize = 128 * 1024;

/// Frames of which so many bytes are left at most do not wait for a place, unless much was made of their message already.
const SHORT: usize = 1024;

/// How often a place is found as it was before it is free. More than twice: a runtime may poll its tasks in one order and
/// then in the other, so that one of them looks twice before the next has had a turn.
const PATIENCE: u8 = 4;

/// Who goes on with a long frame on a thread, and how often it did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    /// Nobody when 0.
    holder: u64,
    turns: u64,
}

thread_local! {
    static PLACE: Cell<Place> = const { Cell::new(Place { holder: 0, turns: 0 }) };
}

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A connection that has, or waits for, the place.
#[derive(Debug)]
pub(crate) struct Share {
    id: u64,
    /// What was found when it was last looked at, and how often in a row.
    found: Place,
    times: u8,
}

impl Default for Share {
    fn default() -> Self {
        Self { id: NEXT.fetch_add(1, Ordering::Relaxed), found: Place::default(), times: 0 }
    }
}

impl Share {
    /// Takes the place for another turn, unless somebody else has it and gets on.
    fn take(&mut self) -> bool {
        let place = PLACE.get();
        if place.holder != 0 && place.holder != self.id {
            self.times = if place == self.found { self.times.saturating_add(1) } else { 1 };
            self.found = place;
            if self.times < PATIENCE {
                return false;
            }
        }
        PLACE.set(Place { holder: self.id, turns: place.turns.wrapping_add(1) });
        true
    }

    fn leave(&self) {
        let place = PLACE.get();
        if place.holder == self.id {
            PLACE.set(Place { holder: 0, ..place });
        }
    }
}

impl Pump {
    /// Others have had their turn.
    pub(super) fn begin_turn(&mut self) {
        self.turn = 0;
        self.receiver.begin_turn(WORK, SHORT);
    }

    /// Whether as much was read as a turn may, now that it is known what it was: the beginning of a long frame counts as
    /// little as the rest, which then follows at once, and not behind a copy of what there is.
    #[inline(never)]
    pub(super) fn is_turn_over(&mut self) -> bool {
        let begun = self.receiver.begun();
        let spared = u32::try_from(begun - begun / FILLING).unwrap_or(0);
        self.turn = self.turn.saturating_sub(spared);
        self.turn >= TURN
    }

    /// The extensions have paused: ready when they may go on at once.
    #[inline(never)]
    pub(super) fn poll_share(&mut self, pause: Pause, cx: &mut Context<'_>) -> Poll<()> {
        if pause == Pause::Long && self.jobs.get_or_insert_default().share.get_or_insert_default().take() {
            self.receiver.begin_turn(WORK, usize::MAX);
            return Poll::Ready(());
        }
        self.poll_yield(cx)
    }

    /// Lets others have their turn.
    pub(super) fn poll_yield(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.begin_turn();
        let _yielded = pin!(task::yield_now()).poll(cx);
        Poll::Pending
    }

    /// Nothing more has arrived, of a long message or at all. As long as something has, the place is kept: if it changed hands
    /// between two reads, bombs that take several would grow side by side.
    #[inline]
    pub(super) fn leave_place(&mut self) {
        if self.jobs.is_some() {
            self.leave_share();
        }
    }

    #[inline(never)]
    fn leave_share(&mut self) {
        let Some(jobs) = &mut self.jobs else { return };
        if let Some(share) = jobs.share.take() {
            share.leave();
        }
        if jobs.is_done() {
            self.jobs = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_the_place_until_it_leaves() {
        let (mut first, mut second) = (Share::default(), Share::default());
        for _ in 0..100 {
            assert!(first.take());
            assert!(!second.take() && !second.take(), "the order of turns may be reversed");
        }
        second.leave();
        assert!(first.take() && !second.take(), "who has not got it cannot leave it");
        first.leave();
        assert!(second.take() && !first.take());
    }

    #[test]
    fn who_makes_no_headway_loses_the_place_and_to_one_other_only() {
        let (mut gone, mut second, mut third) = (Share::default(), Share::default(), Share::default());
        assert!(gone.take());
        let looks = (1..=PATIENCE).map(|_| (second.take(), third.take())).collect::<Vec<_>>();
        assert!(looks[..looks.len() - 1].iter().all(|looks| *looks == (false, false)), "{looks:?}");
        assert_eq!(looks.last(), Some(&(true, false)));
        assert!(second.take() && !third.take() && !gone.take());
    }
}
