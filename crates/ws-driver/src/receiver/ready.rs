//! What is lent, and how it is used up.

use ws_frame::DataKind;

use super::{Incoming, Receiver};
use crate::{Event, Part};

/// What [`Receiver::event`] lends; its bytes are used up by the next advance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ready {
    Nothing,
    /// A message that is one frame: `buf[at..at + len]`.
    Frame {
        kind: DataKind,
        len: usize,
    },
    /// A message joined from fragments.
    Assembly {
        kind: DataKind,
    },
    /// A message that came through the extensions; its bytes stand in `assembly` while it is lent.
    Inflow,
    /// A part in the read buffer.
    Part {
        len: usize,
        first: bool,
        last: bool,
    },
    /// A part that was joined before the delivery was changed.
    AssembledPart {
        first: bool,
    },
    /// A part that is one character, cut by a frame's end.
    CarriedPart {
        first: bool,
        last: bool,
    },
    /// A part of what came through the extensions.
    InflowPart {
        len: usize,
        first: bool,
        last: bool,
    },
    Ping {
        len: usize,
    },
    Pong {
        len: usize,
    },
    /// The payload was taken out of the buffer as it was lent.
    Taken,
    Closed,
}

impl Receiver {
    /// The event that is ready, lent until the next advance.
    #[inline]
    pub fn event(&mut self) -> Event<'_> {
        if let Ready::Frame { .. } = self.ready {
            return self.message().map_or(Event::None, Event::Message);
        }
        self.other_event()
    }

    /// The message that is ready, lent until the next advance; `None` if it is another event, or none.
    #[inline]
    pub fn message(&mut self) -> Option<Incoming<'_>> {
        Incoming::new(self)
    }

    /// Whether the event that is ready is a whole message.
    #[inline]
    #[must_use]
    pub fn has_message(&self) -> bool {
        matches!(self.ready, Ready::Frame { .. } | Ready::Assembly { .. } | Ready::Inflow)
    }

    fn other_event(&mut self) -> Event<'_> {
        match self.ready {
            Ready::Nothing | Ready::Taken => Event::None,
            Ready::Frame { .. } | Ready::Assembly { .. } | Ready::Inflow => {
                self.message().map_or(Event::None, Event::Message)
            }
            Ready::Part { .. }
            | Ready::AssembledPart { .. }
            | Ready::CarriedPart { .. }
            | Ready::InflowPart { .. } => match self.part() {
                Some(part) => Event::Part(part),
                None => Event::None,
            },
            Ready::Ping { len } => Event::Ping(self.lend(len)),
            Ready::Pong { len } => Event::Pong(self.lend(len)),
            Ready::Closed => self.ending().map_or(Event::None, Event::Closed),
        }
    }

    /// Uses up what was lent.
    #[inline]
    pub(super) fn settle(&mut self) {
        match std::mem::replace(&mut self.ready, Ready::Nothing) {
            Ready::Nothing | Ready::Taken => {}
            Ready::Assembly { .. } | Ready::AssembledPart { .. } => self.assembly.clear(),
            Ready::Inflow => self.pop_inflow(),
            Ready::Part { len, last, .. } => self.settle_part(len, last),
            Ready::CarriedPart { last, .. } => self.settle_carried(last),
            Ready::InflowPart { len, last, .. } => self.settle_inflow_part(len, last),
            Ready::Frame { len, .. } | Ready::Ping { len } | Ready::Pong { len } => self.at += len,
            Ready::Closed => self.ready = Ready::Closed,
        }
    }

    /// The part that is ready.
    fn part(&mut self) -> Option<Part<'_>> {
        let kind = match self.ready {
            Ready::InflowPart { .. } => self.inflow.as_mut()?.kind()?,
            _ => self.message.as_ref()?.kind,
        };
        let (data, first, last) = match self.ready {
            Ready::Part { len, first, last } => (self.lend(len), first, last),
            Ready::AssembledPart { first } => (&self.assembly[..], first, false),
            Ready::CarriedPart { first, last } => (self.carry.as_bytes(), first, last),
            Ready::InflowPart { len, first, last } => (self.inflow.as_mut()?.lend(len)?, first, last),
            _ => return None,
        };
        Some(Part { kind, data, first, last })
    }
}
