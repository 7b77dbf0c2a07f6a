//! How much the extensions do before others have their turn.

use super::Receiver;

/// What has arrived is handed to extensions in pieces of this length while turns are taken. A byte of DEFLATE makes a
/// thousand at most (RFC 1951 section 3.2.5: a match of 258 bytes takes two bits at least), so that a piece makes half a MiB.
const PIECE: usize = 512;

/// What a piece counts beyond what was made of it: a message of a byte is work as well.
const EACH: usize = 1024;

/// Why [`Receiver::advance`](crate::Receiver::advance) has left bytes for another turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pause {
    /// As much was done as was allowed.
    Work,
    /// A frame has begun that is longer than what was allowed in this turn, or belongs to a message that has become long.
    Long,
}

/// What is left of a turn.
#[derive(Debug)]
pub(super) struct Turn {
    work: usize,
    longest: usize,
    pause: Option<Pause>,
}

impl Turn {
    /// How much of `arrived` the extensions are given now, of a frame of which `left` is left to be given. One of a message of
    /// which `much` was made already is as good as a long one, however short its fragments are.
    pub(super) fn piece(&mut self, arrived: usize, left: usize, much: bool) -> Option<usize> {
        let is_long = left > self.longest || (much && self.longest < usize::MAX);
        self.pause = if self.work == 0 { Some(Pause::Work) } else { is_long.then_some(Pause::Long) };
        self.pause.is_none().then(|| arrived.min(PIECE))
    }

    /// Counts a piece, of which so many bytes were made.
    pub(super) fn count(&mut self, made: usize) {
        self.work = self.work.saturating_sub(made.saturating_add(EACH));
    }
}

impl Receiver {
    /// Begins a turn of the incoming extensions, for who drives many connections on one thread: few bytes may be inflated
    /// to a great many.
    ///
    /// From here on [`advance`](Self::advance) hands what has arrived to them in pieces of 512 bytes, and pauses once they
    /// have made `work` bytes of it, where each piece counts a KiB more. A frame of which more than `longest` bytes are
    /// left is not gone on with at all, so that the caller can choose which connection does that next; nor is, unless that is
    /// [`usize::MAX`], any frame of a message of which 256 KiB were made. It says
    /// [`Progress::NeedBytes`](crate::Progress::NeedBytes) when it pauses, although there are some, and
    /// [`pause`](Self::pause) says why: nothing needs to be read before the next turn.
    ///
    /// Without turns everything that has arrived is handed over. Without extensions this does nothing.
    pub fn begin_turn(&mut self, work: usize, longest: usize) {
        if let Some(inflow) = &mut self.inflow {
            inflow.turn = Some(Turn { work: work.max(1), longest, pause: None });
        }
    }

    /// Why the last [`advance`](Self::advance) has left bytes for another turn, if it has.
    #[inline]
    #[must_use]
    pub fn pause(&self) -> Option<Pause> {
        self.inflow.as_ref()?.turn.as_ref()?.pause
    }
}
