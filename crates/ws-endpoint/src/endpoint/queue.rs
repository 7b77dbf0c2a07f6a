//! What is sent before the connection is open.

use std::collections::VecDeque;

use ws_driver::{Limits, Message, Payload, SendError, Sender, Shared, Unsent};

/// What is sent before the connection is open. It leaves right behind the opening handshake, in order.
///
/// Its bound is that of the sender: below the high-water mark a message of any length is taken, up to the hard limit
/// beyond it what fits.
#[derive(Debug)]
pub(super) struct Queue {
    items: VecDeque<Queued>,
    bytes: usize,
    limits: Shared<Limits>,
}

#[derive(Debug)]
enum Queued {
    Message(Message),
    Ping(Payload),
    Pong(Payload),
}

/// What an item costs beside its payload, so that empty ones are bounded too. No header of a frame is longer.
const OVERHEAD: usize = size_of::<Queued>();

impl Queue {
    pub(super) fn new(limits: Shared<Limits>) -> Self {
        Self { items: VecDeque::new(), bytes: 0, limits }
    }

    pub(super) fn send(&mut self, message: Message) -> Result<(), Unsent<Message>> {
        match self.check_room(message.len()) {
            Ok(()) => {
                self.push(message.len(), Queued::Message(message));
                Ok(())
            }
            Err(error) => Err(Unsent { error, message }),
        }
    }

    pub(super) fn ping(&mut self, payload: &[u8]) -> Result<(), SendError> {
        self.control(payload, Queued::Ping)
    }

    pub(super) fn pong(&mut self, payload: &[u8]) -> Result<(), SendError> {
        self.control(payload, Queued::Pong)
    }

    fn control(&mut self, payload: &[u8], queued: fn(Payload) -> Queued) -> Result<(), SendError> {
        // RFC 6455 section 5.5.
        if payload.len() > 125 {
            return Err(SendError::ControlTooLong(payload.len()));
        }
        self.check_room(payload.len())?;
        self.push(payload.len(), queued(Payload::copy_from_slice(payload)));
        Ok(())
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Hands everything to the sender of the connection that is open now.
    pub(super) fn drain_into(self, sender: &mut Sender) {
        if self.items.is_empty() {
            return;
        }
        // What was taken here is taken there, even where an extension makes it longer.
        sender.limits_mut().max_queued_beyond_mark = Limits::UNLIMITED;
        for item in self.items {
            // An extension that fails has closed the connection, which reports it.
            let _closing = match item {
                Queued::Message(message) => sender.send(message).map_err(|unsent| unsent.error),
                Queued::Ping(payload) => sender.ping(&payload),
                Queued::Pong(payload) => sender.pong(&payload),
            };
        }
        *sender.limits_mut() = self.limits;
    }

    fn push(&mut self, len: usize, item: Queued) {
        self.bytes += len.saturating_add(OVERHEAD);
        self.items.push_back(item);
    }

    fn check_room(&self, len: usize) -> Result<(), SendError> {
        let (queued, mark) = (self.bytes, self.limits.high_water_mark);
        let limit = mark.saturating_add(self.limits.max_queued_beyond_mark);
        let full = queued >= mark && queued.saturating_add(len).saturating_add(OVERHEAD) > limit;
        if full { Err(SendError::Full { queued, limit }) } else { Ok(()) }
    }
}
