//! One message while it is inflated: DEFLATE without a wrapper, and what RFC 7692 adds to it.

use std::mem;

use ws_extensions::{ExtensionError, Fault, Output};
use zlib_rs::{Inflate, InflateFlush, Status};

use crate::{deflater::TAIL, history::History};

/// The window of an inflater. Its memory is the same for every size, and it reads what was made with less.
const BITS: u8 = 15;

/// Room for what is expected to make nothing.
const LITTLE: usize = 64;

/// How often in a row the inflater may say that it got no further before it is taken to be stuck. Between two blocks
/// it says so once.
const PATIENCE: u8 = 4;

/// An inflater together with the end of what it has made.
///
/// Nothing but the [`History`] is left of it when a message is over, so that connections share them.
pub(crate) struct InflateStream {
    inflate: Inflate,
    history: History,
    /// How many bytes are remembered.
    window: usize,
    /// Nothing has come since the stream began, or began again behind a final block.
    fresh: bool,
}

impl Default for InflateStream {
    fn default() -> Self {
        let inflate = Inflate::new(false, BITS);
        InflateStream { inflate, history: History::default(), window: 0, fresh: true }
    }
}

/// What one call of the inflater has done.
struct Step {
    read: usize,
    made: usize,
    /// There may be more to come without more input.
    full: bool,
    ended: bool,
}

impl InflateStream {
    /// Exchanges what it remembers for what a connection does.
    pub(crate) const fn swap_history(&mut self, history: &mut History) {
        mem::swap(&mut self.history, history);
    }

    /// Begins a message that may refer back to what is remembered, and will remember as much as `window`.
    pub(crate) fn begin(&mut self, window: usize) -> Result<(), ExtensionError> {
        self.window = window;
        self.restart()
    }

    /// Remembers nothing any more.
    pub(crate) fn forget(&mut self) {
        self.history.clear();
    }

    /// Takes in all of the input, or fails. There is room for `wanted` bytes at first, and twice as much each time that was too
    /// little, up to `most`.
    pub(crate) fn inflate(
        &mut self,
        mut input: &[u8],
        mut wanted: usize,
        most: usize,
        out: &mut Output<'_>,
    ) -> Result<(), ExtensionError> {
        let mut stuck = 0;
        loop {
            let step = self.step(input, wanted, out)?;
            input = input.get(step.read..).unwrap_or_default();
            self.fresh &= step.read == 0;
            if step.ended {
                self.restart()?;
            }
            if input.is_empty() && !step.full {
                return Ok(());
            }
            if step.full {
                wanted = wanted.saturating_mul(2).min(most);
            }
            stuck = if step.read == 0 && step.made == 0 && !step.ended { stuck + 1 } else { 0 };
            if stuck > PATIENCE {
                return Err(ExtensionError::internal("the inflater is stuck"));
            }
        }
    }

    /// The message has come to its end: it is complete if, with the tail behind it, a block ends there
    /// (RFC 7692 section 7.2.2).
    pub(crate) fn finish(&mut self, out: &mut Output<'_>) -> Result<(), ExtensionError> {
        // The end of a block is told by the call after the one that has reached it.
        self.inflate(&[], LITTLE, LITTLE, out)?;
        // Some senders end with a final block and leave out the empty one that the tail belongs to.
        if self.fresh {
            return Ok(());
        }
        // One byte more than the tail: an inflater that has come to the end of a block leaves it.
        let mut probe = [0; TAIL.len() + 1];
        probe.iter_mut().zip(TAIL).for_each(|(to, from)| *to = from);
        let ends = match self.step(&probe, LITTLE, out) {
            Ok(step) => step.read == TAIL.len() && step.made == 0 && !step.ended,
            // What the tail makes is none of the message, which cannot be too long by that.
            Err(error) if matches!(error.fault(), Fault::TooBig { .. }) => false,
            Err(error) => return Err(error),
        };
        if ends { Ok(()) } else { Err(ExtensionError::corrupt("the message ends within a block")) }
    }

    fn step(&mut self, input: &[u8], wanted: usize, out: &mut Output<'_>) -> Result<Step, ExtensionError> {
        let InflateStream { inflate, history, window, .. } = self;
        let before = inflate.total_in();
        let (mut full, mut status) = (false, Ok(Status::Ok));
        let made = out.write_with(wanted, |room| {
            let start = inflate.total_out();
            status = inflate.decompress(input, room, InflateFlush::Block);
            let made = usize::try_from(inflate.total_out() - start).unwrap_or(usize::MAX);
            full = made >= room.len();
            history.push(room.get(..made).unwrap_or_default(), *window);
            Ok(made)
        })?;
        // A message that is damaged behind its limit is too long first of all, as it is when that part comes later.
        // And what exactly the inflater trips over depends on how the message was cut, so that is not told.
        let status = status.map_err(|_| ExtensionError::corrupt("the message is not valid DEFLATE"))?;
        let read = usize::try_from(inflate.total_in() - before).unwrap_or(usize::MAX);
        Ok(Step { read, made, full, ended: status == Status::StreamEnd })
    }

    /// A final block ends itself and not the message, let alone the window (RFC 7692 section 7.2.3.4): what follows
    /// begins at the next byte.
    fn restart(&mut self) -> Result<(), ExtensionError> {
        self.inflate.reset(false);
        self.fresh = true;
        for part in self.history.parts() {
            self.inflate.set_dictionary(part).map_err(|error| ExtensionError::internal(error.as_str()))?;
        }
        Ok(())
    }
}
