//! Sessions end once, as soon as nothing can reach them.

mod support;

use std::sync::Arc;

use support::{Act::*, *};
use ws_extensions::{
    Chain, Codec, Extension, ExtensionError, MessageHead, Offer, Output, Params, Plan, Registry, Route,
    Session, SessionOptions,
};
use ws_frame::{DataKind, Rsv};

fn put_all(chain: &mut Chain, texts: &[&str]) {
    for text in texts {
        assert_eq!(put(chain, text), Route::Queued);
    }
}

#[test]
fn idle_sessions_are_released_at_once_and_end_when_both_directions_are_closed() {
    let log = Log::default();
    let mut negotiated = negotiate(["a", "b"].map(|name| Fake::new(name, &[Stream]).log(&log)), &options());
    negotiated.outgoing.close();
    assert!(negotiated.outgoing.is_closed() && !negotiated.incoming.is_closed());
    assert_eq!(log.take(), [""; 0]);
    negotiated.incoming.close();
    assert!(negotiated.incoming.is_closed());
    let mut closed = log.take();
    closed.sort();
    assert_eq!(closed, ["close a", "close b"]);
    negotiated.incoming.close();
    negotiated.outgoing.close();
    drop(negotiated);
    assert_eq!(log.take(), [""; 0], "closing again does nothing");
}

#[test]
fn what_was_accepted_comes_out_after_close() {
    for act in [Stream, Exclusive, Concurrent, Future] {
        let mut chain = outgoing([Fake::new("a", &[act]), Fake::new("b", &[act])]);
        put_all(&mut chain, &["1", "2"]);
        chain.close();
        assert_eq!(put(&mut chain, "3"), Route::Queued);
        settle(&mut chain);
        assert!(chain.is_closed() && !chain.is_idle());
        assert_eq!(out(&mut chain), ["1ab", "2ab"], "{act:?}");
        assert!(chain.is_idle());
    }
}

#[test]
fn an_early_session_ends_before_a_late_one() {
    let log = Log::default();
    let fakes = [Fake::new("a", &[Concurrent]), Fake::new("b", &[Concurrent])].map(|fake| fake.log(&log));
    let mut negotiated = negotiate(fakes, &options());
    negotiated.incoming.close();
    let chain = &mut negotiated.outgoing;
    put_all(chain, &["1", "2"]);
    chain.close();
    let mut steps = Vec::new();
    log.take();
    // Both at a; the second one is done first, which frees nobody; then both are at b.
    let [one, two] = <[_; 2]>::try_from(jobs(chain)).unwrap();
    for (id, job) in [two, one] {
        chain.complete_job(id, run(job));
        steps.push((log.take(), chain.is_closed()));
    }
    for (id, job) in jobs(chain) {
        chain.complete_job(id, run(job));
        steps.push((log.take(), chain.is_closed()));
    }
    let line = |text: &str| text.split_terminator(',').map(str::to_owned).collect::<Vec<_>>();
    let expected = [
        (line(""), false),
        (line("begin b 0,begin b 1,close a"), false),
        (line(""), false),
        (line("close b"), true),
    ];
    assert_eq!(steps, expected);
    assert_eq!(out(chain), ["1ab", "2ab"]);
}

#[test]
fn a_job_that_never_ends_holds_its_session_only_until_a_failure_drops_it() {
    let log = Log::default();
    let mut negotiated = negotiate([Fake::new("a", &[FailJob, Exclusive]).log(&log)], &options());
    negotiated.incoming.close();
    let chain = &mut negotiated.outgoing;
    put_all(chain, &["1", "2"]);
    let [failing, endless] = <[_; 2]>::try_from(jobs(chain)).unwrap();
    chain.close();
    assert!(!chain.is_closed());
    log.take();
    chain.complete_job(failing.0, run(failing.1));
    assert!(chain.is_closed() && chain.is_idle());
    assert_eq!(log.take(), ["close a"]);
    assert!(chain.failure().is_some());
    // When it comes back after all, it changes nothing.
    chain.complete_job(endless.0, run(endless.1));
    assert!(chain.is_closed() && chain.is_idle());
}

#[test]
fn a_message_that_will_never_be_whole_is_dropped() {
    for act in [Stream, Exclusive] {
        let mut chain = outgoing([Fake::new("a", &[act])]);
        put_all(&mut chain, &["1"]);
        settle(&mut chain);
        assert_eq!(chain.begin(MessageHead::new(DataKind::Text), Some(100)), Route::Queued);
        chain.push(b"2", false);
        chain.close();
        chain.push(b"2", true);
        assert!(chain.is_closed());
        assert_eq!(out(&mut chain), ["1a"], "{act:?}");
        assert!(chain.is_idle() && chain.failure().is_none());
    }
}

#[test]
fn a_dropped_connection_ends_its_sessions_once() {
    let log = Log::default();
    let mut negotiated =
        negotiate(["a", "b"].map(|name| Fake::new(name, &[Exclusive]).log(&log)), &options());
    put_all(&mut negotiated.outgoing, &["1"]);
    let (_, job) = negotiated.outgoing.next_job().unwrap();
    log.take();
    drop(negotiated.outgoing);
    assert_eq!(log.take(), [""; 0], "the other half is there");
    drop(negotiated.incoming);
    let mut closed = log.take();
    closed.sort();
    assert_eq!(closed, ["close a", "close b"]);
    drop(job);
    assert_eq!(log.take(), [""; 0]);
}

/// Panics wherever an end can.
struct Grenade(Arc<Log>);

impl Extension for Grenade {
    fn name(&self) -> &'static str {
        "grenade"
    }

    fn rsv(&self) -> Rsv {
        Rsv::NONE
    }

    fn offer(&self, _: &SessionOptions) -> Option<Box<dyn Offer>> {
        None
    }

    fn accept(&self, _: &[Params], _: &SessionOptions) -> Option<(Params, Session)> {
        let log = Arc::clone(&self.0);
        let session = Session::new(Pin, Pin).on_close(move || {
            log.add("close");
            panic!("at the end")
        });
        Some((Params::new(), session))
    }
}

struct Pin;

impl Codec for Pin {
    fn begin(&mut self, _: &mut MessageHead, _: Option<usize>) -> Plan {
        Plan::Pass
    }

    fn push(&mut self, _: &[u8], _: bool, _: &mut Output<'_>) -> Result<(), ExtensionError> {
        Ok(())
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "dropped");
    }
}

#[test]
fn a_panic_at_the_end_stays_inside() {
    let log = Arc::new(Log::default());
    let mut registry = Registry::new();
    registry.register(Grenade(Arc::clone(&log))).unwrap();
    for by_close in [true, false] {
        let mut negotiated = registry.respond(Some("grenade"), &options()).unwrap();
        if by_close {
            negotiated.incoming.close();
            negotiated.outgoing.close();
            assert!(negotiated.incoming.is_closed() && negotiated.outgoing.is_closed());
        }
        drop(negotiated);
        assert_eq!(log.take(), ["close"]);
    }
}
