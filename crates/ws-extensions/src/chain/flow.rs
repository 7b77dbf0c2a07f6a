//! How messages move from cell to cell.
//!
//! A message enters a cell when the one ahead of it was given to that cell as a whole, and the codec is not away with
//! an exclusive job. So every cell sees all messages in order, and what several messages make beside each other comes
//! out in order again.

use std::mem;

use bytes::BytesMut;
use ws_frame::{DataKind, Rsv};

use super::{
    Chain, Failure, Route,
    slot::{Slot, Stage},
};
use crate::{
    codec::Plan,
    error::ExtensionError,
    job::{Direction, Finished, Job, JobId},
    message::MessageHead,
};

/// Which cell failed, and how.
type CellResult = Result<(), (usize, ExtensionError)>;

impl Chain {
    /// The message that fragments belong to: the last one, while it is not complete.
    pub(super) fn open(&self) -> Option<usize> {
        self.slots.back().filter(|slot| slot.is_open()).map(|_| self.slots.len() - 1)
    }

    /// The place of the message that this job works on.
    pub(super) fn working(&self, id: JobId) -> Option<usize> {
        let at = usize::try_from(id.message.checked_sub(self.popped)?).ok()?;
        let slot = self.slots.get(at)?;
        let waits = slot.stage == Stage::Working && slot.entered == id.cell + 1;
        (waits && id.direction == self.direction).then_some(at)
    }

    /// Incoming, the frame rule lets the bits of the extensions in use pass; outgoing, no extension was at it yet.
    pub(super) fn may_bear(&self, head: MessageHead) -> bool {
        let owned = match self.direction {
            Direction::Incoming => self.cells.iter().fold(Rsv::NONE, |union, cell| union | cell.rsv()),
            Direction::Outgoing => Rsv::NONE,
        };
        owned.contains(head.rsv)
    }

    /// Decides, and takes the message out again if it need not be here.
    pub(super) fn route(&mut self, at: usize, head: MessageHead) -> Route {
        let passed = |slot: &Slot| slot.entered == self.cells.len() && !slot.touched && slot.head == head;
        if at == 0 && self.slots.front().is_some_and(passed) {
            self.slots.clear();
            return Route::Direct;
        }
        self.recount(at);
        Route::Queued
    }

    /// Lets the message at this place go as far as it can. Says whether it moved.
    pub(super) fn advance(&mut self, at: usize) -> bool {
        let mut moved = false;
        while self.may_enter(at) {
            moved = true;
            if let Err((cell, error)) = self.enter(at) {
                self.fail(at, Some(cell), error);
            }
        }
        moved
    }

    /// The same for those behind it, until one has to stay: the ones behind that one wait for it.
    pub(super) fn advance_from(&mut self, at: usize) {
        self.advance(at);
        self.recount(at);
        let mut next = at + 1;
        while self.advance(next) {
            self.recount(next);
            next += 1;
        }
    }

    fn may_enter(&self, at: usize) -> bool {
        let Some(slot) = self.slots.get(at).filter(|slot| slot.flows()) else { return false };
        let ahead = at.checked_sub(1).and_then(|ahead| self.slots.get(ahead));
        self.cells.get(slot.entered).is_some_and(super::Cell::is_home)
            && ahead.is_none_or(|ahead| ahead.entered > slot.entered)
    }

    /// Begins the message at the next cell, and gives it what is there already.
    fn enter(&mut self, at: usize) -> CellResult {
        let Some(slot) = self.slots.get_mut(at) else { return Ok(()) };
        let index = slot.entered;
        let Some(cell) = self.cells.get_mut(index) else { return Ok(()) };
        let whole = slot.stage == Stage::Whole;
        let len = match whole {
            true => Some(slot.data.len()),
            false => slot.len.filter(|_| !slot.touched),
        };
        let plan = cell.begin(&mut slot.head, len).map_err(|error| (index, error))?;
        slot.entered += 1;
        slot.touched |= plan != Plan::Pass;
        match plan {
            Plan::Pass => Ok(()),
            Plan::Stream if !whole && slot.data.is_empty() => Ok(()),
            Plan::Stream => {
                let input = mem::replace(&mut slot.data, self.buffers.take());
                let pushed = cell.push(&input, whole, &mut slot.data, self.limits.message);
                self.buffers.give(input, mem::replace(&mut slot.written, slot.data.len()));
                pushed.map_err(|error| (index, error))
            }
            Plan::Defer if whole => self.defer(at),
            Plan::Defer => {
                slot.stage = Stage::Collecting;
                Ok(())
            }
        }
    }

    /// Lets a fragment flow through the cells that have begun its message.
    pub(super) fn feed(&mut self, at: usize, fragment: &[u8], last: bool) -> CellResult {
        let Some(slot) = self.slots.get_mut(at) else { return Ok(()) };
        if slot.data.capacity() == 0 {
            (slot.data, slot.written) = (self.buffers.take(), 0);
        }
        let before = slot.data.len();
        let begun = self.cells.iter_mut().take(slot.entered).enumerate();
        let mut streams = begun.filter(|(_, cell)| cell.plan == Plan::Stream).peekable();
        if streams.peek().is_none() {
            slot.data.extend_from_slice(fragment);
        }
        let [here, there] = &mut self.buffers.between;
        let (mut here, mut there): (&mut BytesMut, &mut BytesMut) = (here, there);
        let mut first = true;
        while let Some((index, cell)) = streams.next() {
            let input = if first { fragment } else { &**here };
            if input.is_empty() && !last {
                break;
            }
            let out = match streams.peek() {
                None => &mut slot.data,
                Some(_) => {
                    there.clear();
                    &mut *there
                }
            };
            cell.push(input, last, out, self.limits.message).map_err(|error| (index, error))?;
            mem::swap(&mut here, &mut there);
            first = false;
        }
        slot.written = slot.written.saturating_add(slot.data.len() - before);
        if !last {
            return Ok(());
        }
        self.buffers.trim();
        if mem::replace(&mut slot.stage, Stage::Whole) == Stage::Collecting { self.defer(at) } else { Ok(()) }
    }

    /// Makes a job of the message, whose payload the cell begun last has asked for.
    fn defer(&mut self, at: usize) -> CellResult {
        let Some(slot) = self.slots.get_mut(at) else { return Ok(()) };
        let index = slot.entered - 1;
        let Some(cell) = self.cells.get_mut(index) else { return Ok(()) };
        let weight = slot.weight();
        let payload = mem::take(&mut slot.data).freeze();
        let work = cell.defer(slot.head, payload, self.limits.message).map_err(|error| (index, error))?;
        let id = JobId { direction: self.direction, message: self.popped + at as u64, cell: index };
        self.jobs.push_back((id, Job::new(work, &mut cell.codec)));
        cell.working += 1;
        self.held = self.held - slot.counted + weight;
        (slot.stage, slot.exclusive, slot.counted) = (Stage::Working, !cell.is_home(), weight);
        Ok(())
    }

    /// Takes back what a job has made.
    pub(super) fn resume(&mut self, at: usize, index: usize, done: Finished) -> Result<(), ExtensionError> {
        let (Some(slot), Some(cell)) = (self.slots.get_mut(at), self.cells.get_mut(index)) else {
            return Ok(());
        };
        cell.working -= 1;
        // Whatever happens below, it is no job any more.
        slot.stage = Stage::Whole;
        let exclusive = mem::take(&mut slot.exclusive);
        if exclusive {
            cell.codec = done.codec;
        }
        let (head, payload) = done.outcome?;
        if exclusive && !cell.is_home() {
            return Err(ExtensionError::internal("the job did not bring back its codec"));
        }
        if payload.len() > self.limits.message {
            return Err(ExtensionError::too_big(self.limits.message));
        }
        cell.check_rsv(slot.head.rsv, head.rsv, true)?;
        // What else the job's payload keeps alive is not known, so its buffer is not kept.
        (slot.head, slot.data, slot.written) = (head, BytesMut::from(payload), usize::MAX);
        Ok(())
    }

    /// The message at this place has failed: it goes, with all behind it, whatever is done with them just now.
    pub(super) fn fail(&mut self, at: usize, cell: Option<usize>, error: ExtensionError) {
        let name = cell.and_then(|cell| self.cells.get(cell)).map_or("", super::Cell::name);
        let remains = self.remains_of(at);
        // An earlier failure than one that waits to be told takes its place.
        self.failure = Some(Box::new(Failure { error: error.named(name), remains }));
        self.failed = true;
        let kept = self.popped + at as u64;
        self.jobs.retain(|(id, _)| id.message < kept);
        for slot in self.slots.drain(at..) {
            self.held -= slot.counted;
            if let Some(cell) = self.cells.get_mut(slot.entered.wrapping_sub(1))
                && slot.stage == Stage::Working
            {
                cell.working -= 1;
            }
        }
        let unfinished: usize = self.cells.iter().map(|cell| cell.working).sum();
        self.running = unfinished - self.jobs.len();
        self.release();
    }

    /// What of a received text has passed all extensions. Other bytes cannot be wrong.
    fn remains_of(&mut self, at: usize) -> Option<BytesMut> {
        let cells = self.cells.len();
        let slot = self.slots.get_mut(at).filter(|slot| slot.entered == cells && slot.flows())?;
        let is_judged = self.direction == Direction::Incoming && slot.head.kind == DataKind::Text;
        is_judged.then(|| mem::take(&mut slot.data))
    }

    /// After [`close`](Chain::close): lets go of the sessions that no message can reach any more.
    pub(super) fn release(&mut self) {
        if !self.closed {
            return;
        }
        let passed = self.slots.back().map_or(usize::MAX, |slot| slot.entered);
        for cell in self.cells.iter_mut().take(passed).filter(|cell| cell.working == 0) {
            cell.release();
        }
    }

    /// Brings the sum of what is held up to date.
    pub(super) fn recount(&mut self, at: usize) {
        if let Some(slot) = self.slots.get_mut(at) {
            let weight = slot.weight();
            self.held = self.held - slot.counted + weight;
            slot.counted = weight;
        }
    }
}
