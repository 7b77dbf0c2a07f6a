//! What an endpoint reports, and the state that it is in.

use http::Request;
use ws_driver::{Closed, Event as Received, Incoming, Part};

use super::Failure;
use crate::Agreed;

/// What has happened, lent until the endpoint is advanced.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A server has received a request, of whatever kind: [`start`](crate::Endpoint::start) answers it, unless that was
    /// called before; [`refuse`](crate::Endpoint::refuse) and [`respond`](crate::Endpoint::respond) answer otherwise.
    Request(&'a Request<()>),
    /// The opening handshake has ended well.
    Open(&'a Agreed),
    /// A whole message.
    Message(Incoming<'a>),
    /// A part of a message, with [`Delivery::Parts`](ws_driver::Delivery::Parts).
    Part(Part<'a>),
    /// A ping; its pong is queued already unless automatic pongs are off.
    Ping(&'a [u8]),
    /// A pong, asked for or not.
    Pong(Pong<'a>),
    /// Something went wrong; [`Closed`](Self::Closed) follows. At most once.
    Failed(&'a Failure),
    /// The end: nothing comes behind it.
    Closed(&'a Closed),
    /// Nothing is ready: the endpoint was not advanced, or not to [`Progress::Ready`](ws_driver::Progress::Ready).
    None,
}

impl<'a> Event<'a> {
    /// What an open connection reports. Its end is told by the endpoint.
    pub(super) fn of(event: Received<'a>, ping: Option<PingId>) -> Self {
        match event {
            Received::Message(message) => Self::Message(message),
            Received::Part(part) => Self::Part(part),
            Received::Ping(payload) => Self::Ping(payload),
            Received::Pong(payload) => Self::Pong(Pong { payload, ping }),
            _ => Self::None,
        }
    }
}

/// A pong that has arrived (RFC 6455 section 5.5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pong<'a> {
    /// Its payload.
    pub payload: &'a [u8],
    /// The ping of the caller's that it answers. None for a pong that nobody asked for, and for the answer to a ping that
    /// was sent to keep the connection alive.
    pub ping: Option<PingId>,
}

/// Names a ping that was sent, so that its pong can be told from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PingId(pub(super) u64);

/// Where a connection stands. As a number it is what other drivers call the ready state.
///
/// ```
/// use ws_endpoint::State;
///
/// assert_eq!(State::NotStarted as i8, -1);
/// assert!(State::Open < State::Closed);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i8)]
pub enum State {
    /// A client whose request was not sent yet: -1.
    NotStarted = -1,
    /// The opening handshake is under way: 0.
    Connecting = 0,
    /// Open: 1.
    Open = 1,
    /// This side has sent a Close, and the peer has not yet: 2.
    Closing = 2,
    /// It has ended, or has not opened: 3.
    Closed = 3,
}
