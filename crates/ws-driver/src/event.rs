//! What a receiver reports.

use ws_frame::{CloseCode, DataKind};

use crate::{Expired, Fault, Incoming, Text};

/// How far [`Receiver::advance`](crate::Receiver::advance) came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Progress {
    /// An event is ready: [`Receiver::event`](crate::Receiver::event) lends it.
    Ready,
    /// All that has arrived is used up: read more into [`Receiver::buffer`](crate::Receiver::buffer).
    NeedBytes,
    /// A message waits for deferred work of an extension: run the jobs, complete them, and go on.
    NeedJobs,
    /// The connection has ended: [`Receiver::ending`](crate::Receiver::ending) says how.
    Closed,
}

/// What has arrived, lent until the receiver is advanced.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A whole message.
    Message(Incoming<'a>),
    /// A part of a message, with [`Delivery::Parts`](crate::Delivery::Parts).
    Part(Part<'a>),
    /// A ping; its pong is queued already unless automatic pongs are off.
    Ping(&'a [u8]),
    /// A pong, asked for or not.
    Pong(&'a [u8]),
    /// The end: nothing comes behind it.
    Closed(&'a Ending),
    /// Nothing is ready: the receiver was not advanced, or not to [`Progress::Ready`].
    None,
}

/// A part of a message, validated; text is cut between characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// The kind of the message.
    pub kind: DataKind,
    /// The bytes; empty only where the message ends.
    pub data: &'a [u8],
    /// Whether this is the message's first part.
    pub first: bool,
    /// Whether this is the message's last part.
    pub last: bool,
}

/// How the receiving side of a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// The peer sent a Close: its code and reason, or neither.
    Close(Option<CloseReason>),
    /// We failed the connection.
    Failed(Fault),
    /// We dropped the transport when a deadline had passed.
    Expired(Expired),
    /// The transport ended without a Close.
    Lost,
}

/// The code and the reason in a Close (RFC 6455 section 5.5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseReason {
    /// The status code.
    pub code: CloseCode,
    /// Why, for a person to read; often empty.
    pub reason: Text,
}
