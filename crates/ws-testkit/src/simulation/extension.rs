//! An extension that treats each message in one of the ways there are, as the message itself has it.

use bytes::{Bytes, BytesMut};
use ws_endpoint::{
    extensions::{
        Codec, Extension, ExtensionError, MessageHead, Offer, Output, Params, Plan, Refusal, Session,
        SessionOptions, Work,
    },
    frame::Rsv,
};

use crate::Rng;

/// Owns RSV2. Sets it on the messages that it changes; on those all bits are turned round.
#[derive(Debug)]
pub(super) struct Scramble {
    seed: u64,
}

impl Scramble {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed }
    }

    fn session(&self) -> Session {
        let outgoing = Outgoing(Rng::new(self.seed));
        Session::new(Incoming(Rng::new(!self.seed)), outgoing)
    }
}

impl Extension for Scramble {
    fn name(&self) -> &'static str {
        "scramble"
    }

    fn rsv(&self) -> Rsv {
        Rsv::RSV2
    }

    fn offer(&self, _: &SessionOptions) -> Option<Box<dyn Offer>> {
        Some(Box::new(Offered { params: [Params::new()], session: self.session() }))
    }

    fn accept(&self, _: &[Params], _: &SessionOptions) -> Option<(Params, Session)> {
        Some((Params::new(), self.session()))
    }
}

struct Offered {
    params: [Params; 1],
    session: Session,
}

impl Offer for Offered {
    fn params(&self) -> &[Params] {
        &self.params
    }

    fn activate(self: Box<Self>, _: &Params) -> Result<Session, Refusal> {
        Ok(self.session)
    }
}

struct Outgoing(Rng);

impl Codec for Outgoing {
    fn begin(&mut self, head: &mut MessageHead, _: Option<usize>) -> Plan {
        let plan = [Plan::Pass, Plan::Stream, Plan::Defer][self.0.below(3)];
        if plan != Plan::Pass {
            head.rsv |= Rsv::RSV2;
        }
        plan
    }

    fn push(&mut self, fragment: &[u8], _: bool, out: &mut Output<'_>) -> Result<(), ExtensionError> {
        push(fragment, out)
    }

    fn defer(&mut self, head: MessageHead, payload: Bytes, _: usize) -> Work {
        defer(&mut self.0, head, payload)
    }
}

struct Incoming(Rng);

impl Codec for Incoming {
    fn begin(&mut self, head: &mut MessageHead, _: Option<usize>) -> Plan {
        if !head.rsv.contains(Rsv::RSV2) {
            return Plan::Pass;
        }
        head.rsv = head.rsv.without(Rsv::RSV2);
        if self.0.once_in(2) { Plan::Stream } else { Plan::Defer }
    }

    fn push(&mut self, fragment: &[u8], _: bool, out: &mut Output<'_>) -> Result<(), ExtensionError> {
        push(fragment, out)
    }

    fn defer(&mut self, head: MessageHead, payload: Bytes, _: usize) -> Work {
        defer(&mut self.0, head, payload)
    }
}

fn push(fragment: &[u8], out: &mut Output<'_>) -> Result<(), ExtensionError> {
    let turned: Vec<u8> = fragment.iter().map(|byte| !byte).collect();
    out.extend_from_slice(&turned)
}

/// Work that takes the codec along, or none.
fn defer(rng: &mut Rng, head: MessageHead, payload: Bytes) -> Work {
    let turned = move || {
        let mut bytes = BytesMut::from(&payload[..]);
        bytes.iter_mut().for_each(|byte| *byte = !*byte);
        Ok((head, bytes.freeze()))
    };
    if rng.once_in(2) {
        Work::Concurrent(Box::new(turned))
    } else {
        Work::exclusive(move |codec| (codec, turned()))
    }
}
