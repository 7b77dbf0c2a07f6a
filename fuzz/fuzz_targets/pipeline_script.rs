//! Extensions that pass, stream, defer, fail and panic as a script says, driven in any order: messages come out whole
//! and in order up to the first that fails, no direction hangs, and each session is closed once.
#![no_main]

// The same extensions that the tests of the crate use.
#[path = "../../crates/ws-extensions/tests/support/mod.rs"]
mod support;

use std::sync::Once;

use libfuzzer_sys::fuzz_target;
use support::{Act, Fake, Log, negotiate, options, run};
use ws_extensions::{Chain, ExtensionError, Finished, Job, JobId, MessageHead, Route};
use ws_frame::DataKind;
use ws_fuzz::Input;

/// More steps find nothing that fewer do not, and take their time.
const STEPS: usize = 100;

const NAMES: [&str; 3] = ["a", "b", "c"];

/// More of what goes well than of what does not.
const ACTS: [Act; 16] = [
    Act::Pass,
    Act::Pass,
    Act::Stream,
    Act::Stream,
    Act::Exclusive,
    Act::Exclusive,
    Act::Concurrent,
    Act::Concurrent,
    Act::Future,
    Act::Future,
    Act::FailStream,
    Act::FailJob,
    Act::FailFuture,
    Act::PanicStream,
    Act::PanicExclusive,
    Act::PanicFuture,
];

fuzz_target!(|data: &[u8]| {
    contain_panics_of_fakes();
    let mut input = Input::new(data);
    let incoming = input.byte() & 1 != 0;
    let log = Log::default();
    let mut cells: Vec<(&str, Vec<Act>)> = Vec::new();
    for name in &NAMES[..=input.below(NAMES.len())] {
        cells.push((name, (0..=input.below(5)).map(|_| input.one_of(&ACTS)).collect()));
    }
    let negotiated = negotiate(cells.iter().map(|(name, acts)| Fake::new(name, acts).log(&log)), &options());
    let (chain, other) = match incoming {
        true => (negotiated.incoming, negotiated.outgoing),
        false => (negotiated.outgoing, negotiated.incoming),
    };
    if incoming {
        cells.reverse();
    }

    let mut script =
        Script { chain, fetched: Vec::new(), done: Vec::new(), messages: Vec::new(), seen: Vec::new() };
    for _ in 0..STEPS {
        if input.is_empty() {
            break;
        }
        script.step(&mut input);
    }
    script.settle();
    let (whole, failing) = expected(&cells, &script.messages);
    assert_eq!(script.seen, whole);
    assert_eq!(script.chain.failure().map(|error| error.extension()), failing);
    assert!(script.chain.is_idle() && script.chain.has_room());
    assert_eq!(script.chain.pending_bytes(), 0);
    script.chain.close();
    assert!(script.chain.is_closed());

    log.take();
    drop((script, other));
    let mut ends = log.take();
    ends.sort();
    assert_eq!(ends, NAMES[..cells.len()].iter().map(|name| format!("close {name}")).collect::<Vec<_>>());
});

/// What comes out when all runs to its end: a message with the name of each cell that worked on it, up to the first
/// that fails, and the cell that it fails in.
fn expected<'a>(cells: &[(&'a str, Vec<Act>)], messages: &[String]) -> (Vec<String>, Option<&'a str>) {
    let mut whole = Vec::new();
    for (number, message) in messages.iter().enumerate() {
        let mut text = message.clone();
        for (name, acts) in cells {
            match acts[number % acts.len()] {
                Act::Pass => {}
                Act::Stream | Act::Exclusive | Act::Concurrent | Act::Future => text.push_str(name),
                _ => return (whole, Some(name)),
            }
        }
        whole.push(text);
    }
    (whole, None)
}

struct Script {
    chain: Chain,
    fetched: Vec<(JobId, Job)>,
    done: Vec<(JobId, Finished)>,
    messages: Vec<String>,
    seen: Vec<String>,
}

impl Script {
    fn step(&mut self, input: &mut Input<'_>) {
        let step = input.byte();
        let which = usize::from(step >> 3);
        match step & 7 {
            0 | 1 => self.put(which),
            2 => self.fetched.extend(self.chain.next_job()),
            3 if !self.fetched.is_empty() => {
                let (id, job) = self.fetched.swap_remove(which % self.fetched.len());
                self.done.push((id, run(job)));
            }
            4 if !self.done.is_empty() => {
                let (id, finished) = self.done.swap_remove(which % self.done.len());
                self.chain.complete_job(id, finished);
            }
            5 if !self.done.is_empty() => {
                let (id, finished) = self.done.swap_remove(which % self.done.len());
                self.chain.complete_job(id, finished);
                // A second completion is nobody's.
                self.chain.complete_job(id, Finished::failed(ExtensionError::internal("once more")));
            }
            6 => self.pop(),
            7 => self.chain.shrink(),
            _ => {}
        }
    }

    /// A message enters, in fragments of some length.
    fn put(&mut self, len: usize) {
        let text = format!("<{:03}>", self.messages.len());
        self.messages.push(text.clone());
        match self.chain.begin(MessageHead::new(DataKind::Text), (len & 1 == 0).then_some(text.len())) {
            Route::Direct => self.seen.push(text),
            Route::Queued => {
                text.as_bytes().chunks(len / 2 + 1).for_each(|fragment| self.chain.push(fragment, false));
                self.chain.push(b"", true);
            }
        }
    }

    fn pop(&mut self) {
        if let Some(front) = self.chain.front().filter(|front| front.finished) {
            self.seen.push(String::from_utf8_lossy(front.data).into_owned());
            self.chain.pop();
        }
    }

    /// Runs all that is left, the latest first.
    fn settle(&mut self) {
        loop {
            self.fetched.extend(std::iter::from_fn(|| self.chain.next_job()));
            self.done.extend(self.fetched.drain(..).map(|(id, job)| (id, run(job))));
            let Some((id, finished)) = self.done.pop() else { break };
            self.chain.complete_job(id, finished);
            self.pop();
        }
        while self.chain.front().is_some() {
            self.pop();
        }
    }
}

/// The hook of the fuzzer ends the process at every panic; those of the fakes are for the chain to contain.
fn contain_panics_of_fakes() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let abort = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let is_fake =
                panic.location().is_some_and(|location| location.file().ends_with("support/mod.rs"));
            if !is_fake {
                abort(panic);
            }
        }));
    });
}
