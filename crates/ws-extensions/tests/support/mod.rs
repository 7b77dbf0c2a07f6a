//! A fake extension that does whatever its script says, and ways to drive a chain of them.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use bytes::{Bytes, BytesMut};
use ws_extensions::{
    Chain, Codec, Direction, Extension, ExtensionError, Finished, Job, JobId, MessageHead, Negotiated, Offer,
    Outcome, Output, Params, Plan, Refusal, Registry, Route, Session, SessionOptions, Work,
};
use ws_frame::{DataKind, Role, Rsv};

/// What a codec does with a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Act {
    Pass,
    Stream,
    Exclusive,
    Concurrent,
    Future,
    FailStream,
    FailJob,
    FailFuture,
    PanicBegin,
    PanicStream,
    PanicDefer,
    PanicExclusive,
    PanicConcurrent,
    PanicFuture,
    KeepRsv,
    StealRsv,
    StealRsvLater,
}

/// What has happened, in order: `begin a 0`, `close a`.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub fn add(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// Adds its name to every message that it works on. The n-th message of a direction meets the n-th act, and the
/// acts begin again when they are used up.
#[derive(Clone)]
pub struct Fake {
    pub name: &'static str,
    pub rsv: Rsv,
    pub incoming: Vec<Act>,
    pub outgoing: Vec<Act>,
    pub log: Log,
}

impl Fake {
    /// Does the same in both directions.
    pub fn new(name: &'static str, acts: &[Act]) -> Self {
        Fake { name, rsv: Rsv::NONE, incoming: acts.to_vec(), outgoing: acts.to_vec(), log: Log::default() }
    }

    pub fn rsv(mut self, rsv: Rsv) -> Self {
        self.rsv = rsv;
        self
    }

    pub fn log(mut self, log: &Log) -> Self {
        self.log = log.clone();
        self
    }

    fn session(&self) -> Session {
        let codec = |direction, acts: &[Act]| FakeCodec {
            name: self.name,
            rsv: self.rsv,
            direction,
            acts: acts.to_vec(),
            begun: 0,
            log: self.log.clone(),
        };
        let (log, name) = (self.log.clone(), self.name);
        let incoming = codec(Direction::Incoming, &self.incoming);
        let outgoing = codec(Direction::Outgoing, &self.outgoing);
        Session::new(incoming, outgoing).on_close(move || log.add(format!("close {name}")))
    }
}

impl Extension for Fake {
    fn name(&self) -> &'static str {
        self.name
    }

    fn rsv(&self) -> Rsv {
        self.rsv
    }

    fn offer(&self, _: &SessionOptions) -> Option<Box<dyn Offer>> {
        Some(Box::new(FakeOffer(self.clone())))
    }

    fn accept(&self, _: &[Params], _: &SessionOptions) -> Option<(Params, Session)> {
        Some((Params::new(), self.session()))
    }
}

struct FakeOffer(Fake);

impl Offer for FakeOffer {
    fn params(&self) -> &[Params] {
        const { &[Params::new()] }
    }

    fn activate(self: Box<Self>, _: &Params) -> Result<Session, Refusal> {
        Ok(self.0.session())
    }
}

struct FakeCodec {
    name: &'static str,
    rsv: Rsv,
    direction: Direction,
    acts: Vec<Act>,
    begun: usize,
    log: Log,
}

impl FakeCodec {
    fn act(&self) -> Act {
        self.acts[(self.begun - 1) % self.acts.len()]
    }

    fn marked(name: &str, head: MessageHead, payload: &[u8]) -> Outcome {
        let mut data = BytesMut::from(payload);
        data.extend_from_slice(name.as_bytes());
        Ok((head, data.freeze()))
    }
}

impl Codec for FakeCodec {
    fn begin(&mut self, head: &mut MessageHead, _: Option<usize>) -> Plan {
        self.log.add(format!("begin {} {}", self.name, self.begun));
        self.begun += 1;
        head.rsv = match (self.direction, self.act()) {
            (_, Act::Pass | Act::KeepRsv) => head.rsv,
            (_, Act::StealRsv) => head.rsv | Rsv::RSV3,
            (Direction::Incoming, _) => head.rsv.without(self.rsv),
            (Direction::Outgoing, _) => head.rsv | self.rsv,
        };
        match self.act() {
            Act::Pass => Plan::Pass,
            Act::PanicBegin => panic!("at the beginning"),
            Act::Stream | Act::FailStream | Act::PanicStream | Act::KeepRsv | Act::StealRsv => Plan::Stream,
            _ => Plan::Defer,
        }
    }

    fn push(&mut self, fragment: &[u8], last: bool, out: &mut Output<'_>) -> Result<(), ExtensionError> {
        match self.act() {
            Act::FailStream => return Err(ExtensionError::corrupt("as told")),
            Act::PanicStream => panic!("in the stream"),
            _ => out.extend_from_slice(fragment)?,
        }
        if last { out.extend_from_slice(self.name.as_bytes()) } else { Ok(()) }
    }

    fn defer(&mut self, head: MessageHead, payload: Bytes, _: usize) -> Work {
        let name = self.name;
        match self.act() {
            Act::Exclusive => Work::exclusive(move |codec| (codec, Self::marked(name, head, &payload))),
            Act::PanicExclusive => Work::exclusive(|_| panic!("with the codec")),
            Act::Concurrent => Work::concurrent(move || Self::marked(name, head, &payload)),
            Act::StealRsvLater => {
                Work::concurrent(move || Self::marked(name, head.with_rsv(Rsv::RSV3), &payload))
            }
            Act::FailJob => Work::concurrent(|| Err(ExtensionError::corrupt("as told"))),
            Act::PanicConcurrent => Work::concurrent(|| panic!("beside")),
            Act::Future => Work::future(async move {
                YieldOnce(false).await.then(|| Self::marked(name, head, &payload)).unwrap()
            }),
            Act::FailFuture => Work::future(async { Err(ExtensionError::corrupt("as told")) }),
            Act::PanicFuture => Work::future(async { panic!("while waiting") }),
            _ => panic!("instead of deferring"),
        }
    }
}

/// Is pending at first, so that a future really is polled to its end.
struct YieldOnce(bool);

impl Future for YieldOnce {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<bool> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(true) } else { Poll::Pending }
    }
}

pub fn options() -> SessionOptions {
    SessionOptions::new(Role::Server, Some(1 << 20))
}

/// The extensions as a server has them in use, in this order.
pub fn negotiate(extensions: impl IntoIterator<Item = Fake>, options: &SessionOptions) -> Negotiated {
    let mut registry = Registry::new();
    extensions.into_iter().for_each(|extension| registry.register(extension).unwrap());
    let header = registry.names().collect::<Vec<_>>().join(", ");
    registry.respond(Some(&header), options).unwrap()
}

pub fn outgoing(extensions: impl IntoIterator<Item = Fake>) -> Chain {
    negotiate(extensions, &options()).outgoing
}

/// Puts a message in, in fragments of three bytes.
pub fn put(chain: &mut Chain, text: &str) -> Route {
    let route = chain.begin(MessageHead::new(DataKind::Text), Some(text.len()));
    if route == Route::Queued {
        text.as_bytes().chunks(3).for_each(|fragment| chain.push(fragment, false));
        chain.push(b"", true);
    }
    route
}

/// Takes out what has come out.
pub fn out(chain: &mut Chain) -> Vec<String> {
    let mut messages = Vec::new();
    while let Some(front) = chain.front().filter(|front| front.finished) {
        messages.push(String::from_utf8(front.data.to_vec()).unwrap());
        chain.pop();
    }
    messages
}

/// Runs a job to its end, whichever kind it is.
pub fn run(job: Job) -> Finished {
    let mut future = match job.run() {
        Ok(finished) => return finished,
        Err(Job::Future(future)) => future,
        Err(Job::Blocking(_)) => unreachable!("a blocking job runs at once"),
    };
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(finished) = future.as_mut().poll(&mut context) {
            return finished;
        }
    }
}

/// All jobs that wait to be fetched.
pub fn jobs(chain: &mut Chain) -> Vec<(JobId, Job)> {
    std::iter::from_fn(|| chain.next_job()).collect()
}

/// Runs jobs until there are none.
pub fn settle(chain: &mut Chain) {
    while let Some((id, job)) = chain.next_job() {
        chain.complete_job(id, run(job));
    }
}
