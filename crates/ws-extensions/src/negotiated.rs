//! What a negotiation ends with: the extensions in use, and a chain of them for each direction.

use std::sync::Arc;

use ws_frame::Rsv;

use crate::{
    chain::{Cell, Chain, SessionEnd},
    extension::Session,
    grammar::append,
    job::Direction,
    options::SessionOptions,
    params::Params,
};

/// The extensions in use on one connection.
#[derive(Debug, Default)]
pub struct Negotiated {
    /// The value of a server's `Sec-WebSocket-Extensions` header, if it answers anything. Never set for a client.
    pub header: Option<String>,
    /// What was agreed, in the order of the answer.
    pub agreed: Vec<(&'static str, Params)>,
    /// The way of received messages: the last extension of the answer comes first.
    pub incoming: Chain,
    /// The way of sent messages, in the order of the answer.
    pub outgoing: Chain,
    rsv: Rsv,
}

impl Negotiated {
    /// The names of the extensions in use, in the order of the answer.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.agreed.iter().map(|(name, _)| *name)
    }

    /// The reserved bits that the first frame of a message may carry: those of the extensions in use. Any other bit,
    /// and any at all on another frame, fails the connection (RFC 6455 section 5.2).
    pub const fn rsv(&self) -> Rsv {
        self.rsv
    }
}

/// A negotiation while the answer is gone through.
pub(crate) struct Negotiation {
    agreed: Vec<(&'static str, Params)>,
    bits: Vec<(&'static str, Rsv)>,
    incoming: Vec<Cell>,
    outgoing: Vec<Cell>,
    options: SessionOptions,
}

impl Negotiation {
    pub(crate) const fn new(options: SessionOptions) -> Self {
        Negotiation {
            agreed: Vec::new(),
            bits: Vec::new(),
            incoming: Vec::new(),
            outgoing: Vec::new(),
            options,
        }
    }

    /// The extension that has taken one of these bits.
    pub(crate) fn conflict(&self, rsv: Rsv) -> Option<&'static str> {
        self.bits.iter().find(|(_, taken)| taken.intersects(rsv)).map(|(name, _)| *name)
    }

    pub(crate) fn add(&mut self, name: &'static str, rsv: Rsv, params: Params, session: Session) {
        let Session { incoming, outgoing, on_close } = session;
        let end = Arc::new(SessionEnd::new(on_close));
        self.agreed.push((name, params));
        self.bits.push((name, rsv));
        self.incoming.push(Cell::new(name, rsv, Direction::Incoming, incoming, Arc::clone(&end)));
        self.outgoing.push(Cell::new(name, rsv, Direction::Outgoing, outgoing, end));
    }

    /// `answering` for a server, which has to write down what was agreed.
    pub(crate) fn finish(mut self, answering: bool) -> Negotiated {
        let mut header = String::new();
        if answering {
            self.agreed.iter().for_each(|(name, params)| append(&mut header, name, params));
        }
        self.incoming.reverse();
        // It lives as long as the connection.
        self.agreed.shrink_to_fit();
        Negotiated {
            header: Some(header).filter(|header| !header.is_empty()),
            rsv: self.bits.iter().fold(Rsv::NONE, |union, (_, rsv)| union | *rsv),
            incoming: Chain::new(Direction::Incoming, self.incoming, &self.options),
            outgoing: Chain::new(Direction::Outgoing, self.outgoing, &self.options),
            agreed: self.agreed,
        }
    }
}
