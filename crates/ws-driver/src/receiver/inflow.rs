//! Received messages on their way through the extensions.

use bytes::{Buf, BytesMut};
use ws_extensions::Chain;
use ws_frame::{DataKind, Utf8Validator};

use super::{Ready, Receiver, pieces::Pieces, turn::Turn};
use crate::{Delivery, Fault, Progress};

/// What has arrived is handed to extensions in pieces of this length where no turns are taken, each of which makes a MiB at
/// most: a long message is laid aside between them.
const AT_ONCE: usize = 1024;

/// The incoming chain of extensions, and the text that comes out of it.
#[derive(Debug)]
pub(super) struct Inflow {
    pub(super) chain: Chain,
    utf8: Utf8Validator,
    /// What was laid aside of the front message, which comes before what the chain has of it.
    pieces: Pieces,
    /// How many bytes were validated of what the chain has of the front message.
    checked: usize,
    parts_given: bool,
    /// What is left of this turn, where turns are taken.
    pub(super) turn: Option<Turn>,
}

impl Inflow {
    pub(super) fn new(chain: Chain) -> Self {
        let (utf8, pieces) = (Utf8Validator::default(), Pieces::default());
        Self { chain, utf8, pieces, checked: 0, parts_given: false, turn: None }
    }

    pub(super) fn parts_given(&self) -> bool {
        self.parts_given
    }

    /// The kind of the front message.
    pub(super) fn kind(&mut self) -> Option<DataKind> {
        Some(self.chain.front()?.head.kind)
    }

    /// The first `len` bytes of the front message.
    pub(super) fn lend(&mut self, len: usize) -> Option<&[u8]> {
        self.chain.front()?.data.get(..len)
    }

    /// How much of `arrived` enters the chain now, of a frame of which `left` is left; nothing before the next turn.
    pub(super) fn next_piece(&mut self, arrived: usize, left: usize) -> Option<usize> {
        match &mut self.turn {
            None => Some(arrived.min(AT_ONCE)),
            Some(turn) => turn.piece(arrived, left, !self.pieces.is_empty()),
        }
    }

    /// A piece enters the chain, and counts in this turn with what is made of it.
    pub(super) fn push(&mut self, piece: &[u8], last: bool) {
        let before = self.made();
        self.chain.push(piece, last);
        let made = self.made().saturating_sub(before);
        if let Some(turn) = &mut self.turn {
            turn.count(made);
        }
    }

    /// Nothing enters any more, and a message that is not whole is dropped.
    pub(super) fn close(&mut self) {
        self.chain.close();
        self.pieces = Pieces::default();
    }

    /// How much the chain has of the front message by now.
    fn made(&mut self) -> usize {
        self.chain.front().map_or(0, |front| front.data.len())
    }

    /// Takes the front message's bytes out to be lent, or puts their buffer back to be used again.
    fn swap(&mut self, lent: &mut BytesMut) {
        if let Some(front) = self.chain.front() {
            std::mem::swap(front.data, lent);
        }
    }

    fn pop(&mut self) {
        self.chain.pop();
        self.utf8.reset();
        self.checked = 0;
        self.parts_given = false;
    }

    /// How a message has failed inside of the chain: by its text, if that was wrong before.
    fn poll_failure(&mut self, validate: bool) -> Result<Option<Ready>, Fault> {
        if validate {
            self.utf8.push(self.chain.remains().get(self.checked..).unwrap_or_default())?;
        }
        self.chain.failure().map_or(Ok(None), |error| Err(error.into()))
    }

    /// What is ready at the end of the chain.
    fn poll(&mut self, validate: bool, delivery: Delivery) -> Result<Option<Ready>, Fault> {
        let Some(front) = self.chain.front() else {
            return self.poll_failure(validate);
        };
        let mut cut = 0;
        if validate && front.head.kind == DataKind::Text {
            self.utf8.push(&front.data[self.checked..])?;
            self.checked = front.data.len();
            cut = self.utf8.pending();
            if front.finished {
                self.utf8.finish()?;
            }
        }
        if delivery == Delivery::Parts || self.parts_given {
            self.checked += self.pieces.join(front.data); // from before the delivery was changed
            let len = front.data.len() - cut;
            if len > 0 || front.finished {
                let first = !std::mem::replace(&mut self.parts_given, true);
                return Ok(Some(Ready::InflowPart { len, first, last: front.finished }));
            }
        } else if front.finished {
            self.pieces.join(front.data);
            return Ok(Some(Ready::Inflow));
        } else if self.pieces.lay_aside(front.data) {
            self.checked = 0;
        }
        Ok(None)
    }
}

impl Receiver {
    /// What the extensions have finished; else whether to wait for them.
    pub(super) fn poll_inflow(&mut self) -> Result<Option<Progress>, Fault> {
        let Some(inflow) = &mut self.inflow else { return Ok(None) };
        match inflow.poll(self.validate, self.delivery) {
            Ok(Some(ready)) => {
                if ready == Ready::Inflow {
                    inflow.swap(&mut self.assembly);
                }
                self.messaged = true;
                self.ready = ready;
                Ok(Some(Progress::Ready))
            }
            Ok(None) if self.ending.is_some() => {
                // What is whole and stands behind unfinished work is waited for, but not for ever.
                Ok((!inflow.chain.is_idle() && !self.expired).then_some(Progress::NeedJobs))
            }
            Ok(None) => Ok((!inflow.chain.has_room()).then_some(Progress::NeedJobs)),
            Err(fault) => {
                self.inflow = None; // what is behind the fault is dropped, whoever still works on it
                Err(fault)
            }
        }
    }

    /// Whether messages may come through extensions: without, there is never deferred work.
    #[inline]
    #[must_use]
    pub fn is_extended(&self) -> bool {
        self.inflow.is_some()
    }

    /// The incoming extensions, while there are any.
    pub(crate) fn chain(&mut self) -> Option<&mut Chain> {
        self.inflow.as_mut().map(|inflow| &mut inflow.chain)
    }

    /// Whether messages are inside the extensions.
    pub(crate) fn is_working(&mut self) -> bool {
        self.chain().is_some_and(|chain| !chain.is_idle())
    }

    pub(super) fn pop_inflow(&mut self) {
        if let Some(inflow) = &mut self.inflow {
            inflow.swap(&mut self.assembly);
            inflow.pop();
        }
    }

    pub(super) fn settle_inflow_part(&mut self, len: usize, last: bool) {
        let Some(inflow) = &mut self.inflow else { return };
        if let Some(front) = inflow.chain.front() {
            front.data.advance(len.min(front.data.len()));
        }
        inflow.checked = inflow.checked.saturating_sub(len);
        if last {
            inflow.pop();
        }
    }
}
