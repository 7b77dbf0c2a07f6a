//! What must never happen.

use ws_driver::{Ending, Role};

/// A promise that a life has broken.
#[derive(Debug)]
pub enum Broken {
    /// The opening handshake between two of us failed.
    Handshake(String),
    /// Something was received that was not sent, or not in its place.
    Received {
        /// Who has received it.
        role: Role,
        /// The how manieth message, ping or pong it was.
        index: usize,
        /// What is wrong.
        what: String,
    },
    /// Nothing went wrong, and yet something that was sent did not arrive.
    Missing {
        /// Who should have received it.
        role: Role,
        /// What arrived, and what was sent.
        counts: (usize, usize),
    },
    /// Messages that had arrived whole were not delivered, although their transport has failed only behind them.
    Undelivered {
        /// Who should have received them.
        role: Role,
        /// How many were delivered, and how many had arrived.
        counts: (usize, usize),
    },
    /// A side ended in a way that nothing in this life explains.
    Ending {
        /// Whose.
        role: Role,
        /// How.
        ending: Option<Ending>,
    },
    /// A message was refused although there was room and the connection was open.
    Refused(String),
    /// A side held more than its limits allow.
    Memory {
        /// Which.
        role: Role,
        /// What it held, and what it may hold.
        bytes: (usize, usize),
    },
    /// Nothing will ever happen again, and a side still waits.
    Stuck(Role),
    /// It goes on for too long.
    Endless,
    /// Something came behind the end.
    AfterTheEnd(Role),
}
