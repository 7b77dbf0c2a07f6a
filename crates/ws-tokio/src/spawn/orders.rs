//! What the handles have asked of the task.

use std::collections::VecDeque;

use ws_endpoint::driver::{CloseCode, Limits, Message, Payload, Prepared, SendError, Unsent};

use crate::Subscription;

/// Something that a handle asks of the task.
#[derive(Debug)]
pub(super) enum Order {
    Send(Message),
    SendPrepared(Prepared),
    Join(Subscription),
    Ping(Payload),
    Close(CloseCode, String),
}

/// What the handles have asked and the task has not done yet.
#[derive(Debug)]
pub(super) struct Orders {
    waiting: VecDeque<Order>,
    /// What they weigh, those that the task has taken at once and not yet passed on included.
    bytes: usize,
    mark: usize,
    limit: usize,
    /// Orders that were ever given.
    pub(super) given: u64,
    /// How many of them have left for good, oldest first.
    pub(super) written: u64,
    /// Why an order could not be carried out.
    pub(super) failure: Option<SendError>,
    /// Nothing is taken any more.
    pub(super) over: bool,
    /// A Close was asked for: nothing is taken behind it.
    closing: bool,
    /// The transport is to be dropped.
    pub(super) terminated: bool,
}

/// What an order weighs beside its payload.
const OVERHEAD: usize = 64;

impl Order {
    pub(super) fn weight(&self) -> usize {
        OVERHEAD
            + match self {
                Self::Send(message) => message.len(),
                Self::SendPrepared(message) => message.len(),
                Self::Join(_) => 0,
                Self::Ping(payload) => payload.len(),
                Self::Close(_, reason) => reason.len(),
            }
    }
}

impl Orders {
    pub(super) fn new(limits: &Limits) -> Self {
        let mark = limits.high_water_mark.max(1);
        Self {
            waiting: VecDeque::new(),
            bytes: 0,
            mark,
            limit: mark.saturating_add(limits.max_queued_beyond_mark),
            given: 0,
            written: 0,
            failure: None,
            over: false,
            closing: false,
            terminated: false,
        }
    }

    pub(super) fn is_above_mark(&self) -> bool {
        self.bytes >= self.mark
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes a message: whatever it weighs below the mark, and above it to the hard limit, unless it is to be `polite`.
    pub(super) fn send(&mut self, message: Message, polite: bool) -> Result<(), Unsent<Message>> {
        let weight = message.len().saturating_add(OVERHEAD);
        let full = self.is_above_mark() && (polite || self.bytes.saturating_add(weight) > self.limit);
        let error = match (self.over || self.closing, full) {
            (true, _) => SendError::Closed,
            (_, true) => {
                SendError::Full { queued: self.bytes, limit: if polite { self.mark } else { self.limit } }
            }
            _ => {
                self.push(Order::Send(message));
                return Ok(());
            }
        };
        Err(Unsent { error, message })
    }

    /// Takes anything else, to the hard limit.
    pub(super) fn give(&mut self, order: Order) -> Result<(), SendError> {
        if self.over || self.closing {
            return Err(SendError::Closed);
        }
        if self.is_above_mark() && self.bytes.saturating_add(order.weight()) > self.limit {
            return Err(SendError::Full { queued: self.bytes, limit: self.limit });
        }
        self.push(order);
        Ok(())
    }

    /// Takes a Close, whatever waits: the first one, as there is one for each connection.
    pub(super) fn close(&mut self, code: CloseCode, reason: &str) {
        if !self.over && !std::mem::replace(&mut self.closing, true) {
            self.push(Order::Close(code, reason.to_owned()));
        }
    }

    fn push(&mut self, order: Order) {
        self.bytes += order.weight();
        self.given += 1;
        self.waiting.push_back(order);
    }

    /// Hands over everything that waits; `empty` serves what comes.
    pub(super) fn take(&mut self, empty: VecDeque<Order>) -> VecDeque<Order> {
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new(); // an idle connection holds none
            return VecDeque::new();
        }
        std::mem::replace(&mut self.waiting, empty)
    }

    /// So much of what was handed over has found room in the connection.
    pub(super) fn pass_on(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Nothing is taken any more, and what waits is lost.
    pub(super) fn end(&mut self) -> VecDeque<Order> {
        self.over = true;
        self.bytes = 0;
        std::mem::take(&mut self.waiting)
    }
}
