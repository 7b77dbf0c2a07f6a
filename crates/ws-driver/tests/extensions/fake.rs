//! An extension that does to each message what the message itself asks for.

use std::{
    iter::repeat_n,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::{Bytes, BytesMut};
use ws_driver::{Config, Finished, Job, JobId, Negotiated, Role};
use ws_extensions::{
    Codec, Direction, Extension, ExtensionError, MessageHead, Offer, Outcome, Output, Params, Plan, Registry,
    Session, SessionOptions, Work,
};
use ws_frame::Rsv;
use ws_testkit::Endpoint;

/// What is done to messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Pass,
    Stream,
    Concurrent,
    Exclusive,
    /// Streams, and fails on a message that contains `!`.
    StreamFails,
    /// Defers, and fails on a message that contains `!`.
    JobFails,
    /// Every second message is deferred, the others pass.
    Alternate,
    /// Makes ten bytes of each.
    Bomb,
}

/// Owns RSV1; turns upper case into lower case and back, and says when its sessions end.
#[derive(Clone, Debug)]
pub(crate) struct Fake {
    pub(crate) incoming: Way,
    pub(crate) outgoing: Way,
    pub(crate) closed: Arc<AtomicUsize>,
}

impl Fake {
    pub(crate) fn new(incoming: Way, outgoing: Way) -> Self {
        Self { incoming, outgoing, closed: Arc::default() }
    }

    /// A server that uses it.
    pub(crate) fn server(&self, change: impl FnOnce(&mut Config, &mut SessionOptions)) -> Endpoint {
        let mut config = Config::new(Role::Server);
        let mut options = SessionOptions::new(Role::Server, Some(config.limits.max_message_len));
        change(&mut config, &mut options);
        let mut registry = Registry::new();
        registry.register(self.clone()).unwrap();
        let negotiated: Negotiated = registry.respond(Some("fake"), &options).unwrap();
        Endpoint::negotiated(config, negotiated)
    }

    pub(crate) fn sessions_closed(&self) -> usize {
        self.closed.load(Ordering::Relaxed)
    }
}

impl Extension for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn rsv(&self) -> Rsv {
        Rsv::RSV1
    }

    fn offer(&self, _: &SessionOptions) -> Option<Box<dyn Offer>> {
        None
    }

    fn accept(&self, _: &[Params], _: &SessionOptions) -> Option<(Params, Session)> {
        let codec = |direction, way| FakeCodec { direction, way, begun: 0 };
        let closed = Arc::clone(&self.closed);
        let session = Session::new(
            codec(Direction::Incoming, self.incoming),
            codec(Direction::Outgoing, self.outgoing),
        );
        Some((Params::new(), session.on_close(move || _ = closed.fetch_add(1, Ordering::Relaxed))))
    }
}

struct FakeCodec {
    direction: Direction,
    way: Way,
    begun: usize,
}

impl FakeCodec {
    fn turn(&self, byte: u8) -> u8 {
        match self.direction {
            Direction::Incoming => byte.to_ascii_lowercase(),
            Direction::Outgoing => byte.to_ascii_uppercase(),
        }
    }
}

impl Codec for FakeCodec {
    fn begin(&mut self, head: &mut MessageHead, _: Option<usize>) -> Plan {
        self.begun += 1;
        let passes = match self.way {
            Way::Pass => true,
            Way::Alternate => self.begun % 2 == 1,
            _ => false,
        };
        match self.direction {
            Direction::Incoming if head.rsv.is_empty() => return Plan::Pass,
            Direction::Incoming => head.rsv = head.rsv.without(Rsv::RSV1),
            Direction::Outgoing if passes => return Plan::Pass,
            Direction::Outgoing => head.rsv |= Rsv::RSV1,
        }
        match self.way {
            Way::Concurrent | Way::Exclusive | Way::JobFails | Way::Alternate => Plan::Defer,
            _ => Plan::Stream,
        }
    }

    fn push(&mut self, fragment: &[u8], _: bool, out: &mut Output<'_>) -> Result<(), ExtensionError> {
        if self.way == Way::StreamFails && fragment.contains(&b'!') {
            return Err(ExtensionError::corrupt("an exclamation"));
        }
        let times = if self.way == Way::Bomb { 10 } else { 1 };
        let made: Vec<u8> = fragment.iter().flat_map(|byte| repeat_n(self.turn(*byte), times)).collect();
        out.extend_from_slice(&made)
    }

    fn defer(&mut self, head: MessageHead, payload: Bytes, _: usize) -> Work {
        let turned: BytesMut = payload.iter().map(|byte| self.turn(*byte)).collect();
        let fails = self.way == Way::JobFails && payload.contains(&b'!');
        let outcome: Outcome =
            if fails { Err(ExtensionError::internal("an exclamation")) } else { Ok((head, turned.freeze())) };
        match self.way {
            Way::Exclusive => Work::exclusive(move |codec| (codec, outcome)),
            _ => Work::concurrent(move || outcome),
        }
    }
}

/// Jobs that were fetched and not run.
pub(crate) fn jobs(endpoint: &mut Endpoint) -> Vec<(JobId, Job)> {
    std::iter::from_fn(|| endpoint.connection.next_job()).collect()
}

pub(crate) fn run(job: Job) -> Finished {
    job.run().unwrap_or_else(|_| panic!("none of the fake's jobs waits"))
}
