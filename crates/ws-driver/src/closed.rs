//! How a connection ended, all things considered.

use ws_frame::{ABNORMAL, CloseCode, NO_STATUS};

use crate::{Ending, Text};

/// Who began the closing handshake, or failed the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Initiator {
    /// This side.
    Local,
    /// The peer, or the transport.
    Peer,
}

/// How a connection ended, as RFC 6455 section 7.1.5 reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Closed {
    /// The peer's status code, 1005 for a Close without one, 1006 if no Close came.
    pub code: u16,
    /// The peer's reason.
    pub reason: Text,
    /// What we sent: `None` for no Close at all, or one that never left, `Some(None)` for a Close without a code.
    pub sent: Option<Option<CloseCode>>,
    /// Who began.
    pub initiator: Initiator,
}

impl Closed {
    pub(crate) fn new(ending: &Ending, sent: Option<Sent>) -> Self {
        let (code, reason) = match ending {
            Ending::Close(Some(close)) => (close.code.get(), close.reason.clone()),
            Ending::Close(None) => (NO_STATUS, Text::default()),
            _ => (ABNORMAL, Text::default()),
        };
        let initiator = match (ending, sent) {
            (_, Some(sent)) => sent.initiator,
            (Ending::Expired(_) | Ending::Failed(_), None) => Initiator::Local,
            (_, None) => Initiator::Peer,
        };
        let sent = sent.filter(|sent| !sent.lost).map(|sent| sent.code);
        Self { code, reason, sent, initiator }
    }

    /// The end of a connection whose opening handshake did not open it: 1006, and no Close in either direction.
    #[must_use]
    pub fn before_open(initiator: Initiator) -> Self {
        Self { code: ABNORMAL, reason: Text::default(), sent: None, initiator }
    }

    /// Whether a Close went both ways (RFC 6455 section 7.1.4).
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.code != ABNORMAL && self.sent.is_some()
    }
}

/// The Close that this side sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) code: Option<CloseCode>,
    pub(crate) initiator: Initiator,
    /// Whether the transport was gone before it had left.
    pub(crate) lost: bool,
}

impl Sent {
    pub(crate) fn new(code: Option<CloseCode>, initiator: Initiator) -> Self {
        Self { code, initiator, lost: false }
    }
}
