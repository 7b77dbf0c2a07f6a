//! One extension's place in a chain.

use std::{
    mem,
    sync::{Arc, Mutex},
};

use bytes::{Bytes, BytesMut};
use ws_frame::Rsv;

use crate::{
    class::Class,
    codec::{Codec, Plan, Work},
    contain::contain,
    error::ExtensionError,
    job::Direction,
    message::MessageHead,
    output::Output,
};

pub(crate) struct Cell {
    name: &'static str,
    /// The reserved bits that the extension owns.
    rsv: Rsv,
    direction: Direction,
    /// Away while exclusive work has it.
    pub(super) codec: Option<Box<dyn Codec>>,
    end: Option<Arc<SessionEnd>>,
    /// What it said of the message begun last.
    pub(super) plan: Plan,
    /// How many bytes it has made of that message.
    made: usize,
    /// How many of its jobs are unfinished.
    pub(super) working: usize,
}

impl Cell {
    pub(crate) fn new(
        name: &'static str,
        rsv: Rsv,
        direction: Direction,
        codec: Box<dyn Codec>,
        end: Arc<SessionEnd>,
    ) -> Self {
        let (codec, end, plan) = (Some(codec), Some(end), Plan::Pass);
        Cell { name, rsv, direction, codec, end, plan, made: 0, working: 0 }
    }

    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    pub(super) const fn rsv(&self) -> Rsv {
        self.rsv
    }

    /// Whether the codec is there to take a message.
    pub(super) const fn is_home(&self) -> bool {
        self.codec.is_some()
    }

    /// The class of its codec, while it is there.
    pub(super) fn class(&self) -> Option<Class> {
        let codec = self.codec.as_ref()?;
        contain(|| codec.class()).ok().flatten()
    }

    pub(super) fn begin(
        &mut self,
        head: &mut MessageHead,
        len: Option<usize>,
    ) -> Result<Plan, ExtensionError> {
        let before = head.rsv;
        let codec = self.codec.as_mut().ok_or_else(away)?;
        let plan = contain(|| codec.begin(head, len))?;
        (self.plan, self.made) = (plan, 0);
        self.check_rsv(before, head.rsv, plan != Plan::Defer)?;
        Ok(plan)
    }

    pub(super) fn push(
        &mut self,
        fragment: &[u8],
        last: bool,
        out: &mut BytesMut,
        limit: usize,
    ) -> Result<(), ExtensionError> {
        let codec = self.codec.as_mut().ok_or_else(away)?;
        let start = out.len();
        let mut output = Output::resumed(out, limit, self.made);
        contain(|| codec.push(fragment, last, &mut output))??;
        output.check()?;
        self.made += out.len() - start;
        Ok(())
    }

    pub(super) fn defer(
        &mut self,
        head: MessageHead,
        payload: Bytes,
        limit: usize,
    ) -> Result<Work, ExtensionError> {
        let codec = self.codec.as_mut().ok_or_else(away)?;
        contain(|| codec.defer(head, payload, limit))
    }

    /// RFC 6455 section 5.2: a reserved bit means what the extension that owns it has defined, and nothing else. So
    /// an extension may change its own ones only; and once it is `done` with an incoming message its bits are
    /// cleared, or they would be mistaken for a message that nobody has read.
    pub(super) fn check_rsv(&self, before: Rsv, after: Rsv, done: bool) -> Result<(), ExtensionError> {
        let changed = before.without(after) | after.without(before);
        if !self.rsv.contains(changed) {
            return Err(ExtensionError::internal(format!(
                "changed reserved bits it does not own: {changed}"
            )));
        }
        if done && self.direction == Direction::Incoming && after.intersects(self.rsv) {
            return Err(ExtensionError::internal(format!("left its reserved bits on a message: {after}")));
        }
        Ok(())
    }

    /// This direction is done with the session.
    pub(super) fn release(&mut self) {
        let (codec, end) = (self.codec.take(), self.end.take());
        // A failure here has nobody left to tell.
        let _ = contain(move || drop(codec));
        drop(end);
    }

    pub(crate) const fn is_released(&self) -> bool {
        self.end.is_none()
    }
}

impl Drop for Cell {
    fn drop(&mut self) {
        self.release();
    }
}

#[cold]
fn away() -> ExtensionError {
    ExtensionError::internal("the codec is not there")
}

/// Runs a session's end when both directions have let go of it.
pub(crate) struct SessionEnd {
    /// Never locked: the mutex only lets two threads hold what is in it.
    run: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl SessionEnd {
    pub(crate) const fn new(run: Option<Box<dyn FnOnce() + Send>>) -> Self {
        SessionEnd { run: Mutex::new(run) }
    }
}

impl Drop for SessionEnd {
    fn drop(&mut self) {
        let run = self.run.get_mut().map(mem::take).unwrap_or_default();
        if let Some(run) = run {
            let _ = contain(run);
        }
    }
}
