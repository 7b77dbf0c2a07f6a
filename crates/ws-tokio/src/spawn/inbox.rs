//! What was received and waits for the application.

use std::collections::VecDeque;

use ws_endpoint::driver::Message;

use super::SpawnOptions;

/// What was received and waits for the application.
#[derive(Debug)]
pub(super) struct Inbox {
    messages: VecDeque<Message>,
    bytes: usize,
    options: SpawnOptions,
    /// Whether the task waits for room.
    blocked: bool,
    /// Whether nobody takes anything any more.
    left: bool,
}

/// What the task does with the next message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Free,
    /// The task is woken when there is room.
    Full,
    /// There is nobody to take it.
    Left,
}

impl Inbox {
    pub(super) fn new(options: SpawnOptions) -> Self {
        Self { messages: VecDeque::new(), bytes: 0, options, blocked: false, left: false }
    }

    fn is_full(&self) -> bool {
        self.messages.len() >= self.options.inbox_messages.max(1)
            || self.bytes >= self.options.inbox_bytes.max(1)
    }

    pub(super) fn room(&mut self) -> Room {
        self.blocked = self.is_full() && !self.left;
        match (self.left, self.blocked) {
            (true, _) => Room::Left,
            (_, true) => Room::Full,
            _ => Room::Free,
        }
    }

    pub(super) fn push(&mut self, message: Message) {
        if !self.left {
            self.bytes += message.len();
            self.messages.push_back(message);
        }
    }

    /// The oldest message, and whether the task waits for the room that it leaves.
    pub(super) fn pop(&mut self) -> Option<(Message, bool)> {
        let message = self.messages.pop_front()?;
        self.bytes -= message.len();
        if self.messages.is_empty() && self.messages.capacity() > KEPT {
            self.messages = VecDeque::new();
        }
        let wakes = self.blocked && !self.is_full();
        if wakes {
            self.blocked = false;
        }
        Some((message, wakes))
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// Nobody takes anything any more.
    pub(super) fn leave(&mut self) -> VecDeque<Message> {
        self.left = true;
        self.bytes = 0;
        std::mem::take(&mut self.messages)
    }
}

/// The longest empty queue that is kept.
const KEPT: usize = 64;
