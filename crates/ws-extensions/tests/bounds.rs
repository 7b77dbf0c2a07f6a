//! What a chain makes and holds has bounds, and what it holds it uses again.

mod support;

use bytes::{Bytes, BytesMut};
use support::{Act::*, Fake, jobs, negotiate, options, out, put, run, settle};
use ws_extensions::{
    Chain, Codec, Extension, ExtensionError, Fault, MessageHead, Offer, Output, Params, Plan, Registry,
    Route, Session, SessionOptions, Work,
};
use ws_frame::{CloseCode, DataKind, Role, Rsv};

/// Makes a thousand bytes of each; what it does with errors and limits is its own affair.
#[derive(Clone, Copy)]
enum Bomb {
    Stream,
    Ignoring,
    Deferred,
}

impl Extension for Bomb {
    fn name(&self) -> &'static str {
        "bomb"
    }

    fn rsv(&self) -> Rsv {
        Rsv::NONE
    }

    fn offer(&self, _: &SessionOptions) -> Option<Box<dyn Offer>> {
        None
    }

    fn accept(&self, _: &[Params], _: &SessionOptions) -> Option<(Params, Session)> {
        Some((Params::new(), Session::new(*self, *self)))
    }
}

impl Codec for Bomb {
    fn begin(&mut self, _: &mut MessageHead, _: Option<usize>) -> Plan {
        if matches!(self, Bomb::Deferred) { Plan::Defer } else { Plan::Stream }
    }

    fn push(&mut self, fragment: &[u8], _: bool, out: &mut Output<'_>) -> Result<(), ExtensionError> {
        for _ in fragment {
            let written = out.write_with(1000, |room| Ok(room.len()));
            if !matches!(self, Bomb::Ignoring) {
                written?;
            }
        }
        Ok(())
    }

    fn defer(&mut self, head: MessageHead, payload: Bytes, _: usize) -> Work {
        Work::concurrent(move || Ok((head, vec![0; payload.len() * 1000].into())))
    }
}

fn bombs(bomb: Bomb, limit: usize) -> Chain {
    let mut registry = Registry::new();
    registry.register(bomb).unwrap();
    registry.respond(Some("bomb"), &SessionOptions::new(Role::Server, Some(limit))).unwrap().incoming
}

fn light(chain: &mut Chain, fuse: usize) {
    assert_eq!(chain.begin(MessageHead::new(DataKind::Binary), None), Route::Queued);
    for _ in 0..fuse {
        chain.push(b"!", false);
    }
    chain.push(b"", true);
    settle(chain);
}

/// Streams short messages, and leaves long ones to the default of [`Codec::defer`].
struct Doubling;

impl Codec for Doubling {
    fn begin(&mut self, _: &mut MessageHead, len: Option<usize>) -> Plan {
        if len.is_some_and(|len| len < 10) { Plan::Stream } else { Plan::Defer }
    }

    fn push(&mut self, fragment: &[u8], _: bool, out: &mut Output<'_>) -> Result<(), ExtensionError> {
        // The result of the second one alone would not be enough.
        let _ = out.extend_from_slice(fragment);
        let _ = out.extend_from_slice(fragment);
        Ok(())
    }
}

impl Extension for Doubling {
    fn name(&self) -> &'static str {
        "doubling"
    }

    fn rsv(&self) -> Rsv {
        Rsv::NONE
    }

    fn offer(&self, _: &SessionOptions) -> Option<Box<dyn Offer>> {
        None
    }

    fn accept(&self, _: &[Params], _: &SessionOptions) -> Option<(Params, Session)> {
        Some((Params::new(), Session::new(Doubling, Doubling)))
    }
}

#[test]
fn a_streaming_codec_can_defer_what_is_long() {
    let mut registry = Registry::new();
    registry.register(Doubling).unwrap();
    let options = SessionOptions::new(Role::Server, Some(40));
    let mut chain = registry.respond(Some("doubling"), &options).unwrap().incoming;
    for (text, jobs) in [("short", 0), ("a long message", 1), ("short", 0), ("exactly twenty bytes", 1)] {
        assert_eq!(put(&mut chain, text), Route::Queued);
        let waiting = support::jobs(&mut chain);
        assert_eq!(waiting.len(), jobs);
        waiting.into_iter().for_each(|(id, job)| chain.complete_job(id, run(job)));
        let doubled = match jobs {
            0 => "shosho rtrt".replace(' ', ""),
            _ => text.repeat(2),
        };
        assert_eq!(out(&mut chain), [doubled]);
    }
    assert_eq!(put(&mut chain, "just a little too long"), Route::Queued);
    settle(&mut chain);
    assert_eq!(chain.failure().unwrap().fault(), &Fault::TooBig { limit: 40 });
}

#[test]
fn a_length_is_told_only_where_it_is_known() {
    for (act, jobs) in [(Pass, 0), (Stream, 1), (Concurrent, 0)] {
        let mut registry = Registry::new();
        registry.register(Fake::new("a", &[act])).unwrap();
        registry.register(Doubling).unwrap();
        let mut chain = registry.respond(Some("a, doubling"), &options()).unwrap().outgoing;
        assert_eq!(put(&mut chain, "short"), Route::Queued);
        if act == Concurrent {
            let (id, job) = chain.next_job().unwrap();
            chain.complete_job(id, run(job));
        }
        // Doubling streams what it knows to be short, and defers the rest.
        assert_eq!(support::jobs(&mut chain).len(), jobs, "{act:?}");
    }
}

#[test]
fn a_bomb_stops_at_the_limit() {
    for bomb in [Bomb::Stream, Bomb::Ignoring, Bomb::Deferred] {
        let mut chain = bombs(bomb, 5000);
        // The limit is that of a message, not of all of them.
        for _ in 0..3 {
            light(&mut chain, 5);
            assert_eq!(chain.front().unwrap().data.len(), 5000);
            chain.pop();
        }
        light(&mut chain, 6);
        let error = chain.failure().unwrap();
        assert_eq!(error.fault(), &Fault::TooBig { limit: 5000 });
        assert_eq!((error.extension(), error.close_code()), ("bomb", CloseCode::TOO_BIG));
    }
}

#[test]
fn taking_bytes_out_on_the_way_does_not_move_the_limit() {
    let mut chain = bombs(Bomb::Stream, 5000);
    assert_eq!(chain.begin(MessageHead::new(DataKind::Binary), None), Route::Queued);
    for _ in 0..5 {
        chain.push(b"!", false);
        assert_eq!(chain.front().unwrap().data.split().len(), 1000);
    }
    chain.push(b"!", true);
    assert!(chain.front().is_none());
    assert_eq!(chain.failure().unwrap().close_code(), CloseCode::TOO_BIG);
}

#[test]
fn the_limit_may_change_while_the_connection_lives() {
    let mut chain = bombs(Bomb::Stream, 1000);
    chain.set_max_message_len(None);
    light(&mut chain, 2000);
    assert_eq!(chain.front().unwrap().data.len(), 2_000_000);
    chain.pop();
    chain.set_max_message_len(Some(1000));
    light(&mut chain, 2);
    assert!(chain.failure().is_some());
}

#[test]
fn what_is_sent_has_no_limit_here() {
    let mut registry = Registry::new();
    registry.register(Bomb::Stream).unwrap();
    let options = SessionOptions::new(Role::Server, Some(1000));
    let mut chain = registry.respond(Some("bomb"), &options).unwrap().outgoing;
    light(&mut chain, 50);
    assert_eq!(chain.front().unwrap().data.len(), 50_000);
}

#[test]
fn jobs_have_a_bound() {
    let mut options = options();
    options.max_jobs = 3;
    let mut chain = negotiate([Fake::new("a", &[Concurrent])], &options).outgoing;
    let room = ["1", "2", "3", "4", "5"].map(|text| {
        let room = chain.has_room();
        assert_eq!(put(&mut chain, text), Route::Queued);
        room
    });
    assert_eq!(room, [true, true, true, false, false]);
    // A caller that goes on nevertheless gets no more of them at once.
    let [one, two, three] = <[_; 3]>::try_from(jobs(&mut chain)).unwrap();
    chain.complete_job(two.0, run(two.1));
    let four = chain.next_job().unwrap();
    assert!(chain.next_job().is_none() && !chain.has_room());
    for (id, job) in [one, three, four] {
        chain.complete_job(id, run(job));
    }
    assert!(chain.has_room());
    settle(&mut chain);
    assert_eq!(out(&mut chain), ["1a", "2a", "3a", "4a", "5a"]);
}

#[test]
fn at_least_one_job_may_run() {
    let mut options = options();
    options.max_jobs = 0;
    let mut chain = negotiate([Fake::new("a", &[Exclusive])], &options).outgoing;
    assert!(chain.has_room());
    assert_eq!(put(&mut chain, "1"), Route::Queued);
    settle(&mut chain);
    assert_eq!(out(&mut chain), ["1a"]);
}

#[test]
fn held_bytes_have_a_bound() {
    let mut options = options();
    options.max_pending = 10_000;
    let mut chain = negotiate([Fake::new("a", &[Exclusive])], &options).outgoing;
    assert_eq!(put(&mut chain, &"1".repeat(4000)), Route::Queued);
    assert!(chain.has_room());
    assert_eq!(put(&mut chain, &"2".repeat(4000)), Route::Queued);
    assert!(chain.has_room());
    assert_eq!(put(&mut chain, &"3".repeat(4000)), Route::Queued);
    assert!(!chain.has_room());
    settle(&mut chain);
    assert!(!chain.has_room(), "they are still here");
    chain.pop();
    assert!(chain.has_room());
    assert_eq!(put(&mut chain, &"4".repeat(4000)), Route::Queued);
    assert!(!chain.has_room());
    chain.front().unwrap().data.truncate(1000);
    assert!(chain.has_room(), "what was taken out does not count");
}

#[test]
fn what_a_job_has_made_counts() {
    let mut chain = bombs(Bomb::Deferred, 10_000);
    for _ in 0..2 {
        assert_eq!(chain.begin(MessageHead::new(DataKind::Binary), None), Route::Queued);
        chain.push(&[b'!'; 10], true);
    }
    let [one, two] = <[_; 2]>::try_from(jobs(&mut chain)).unwrap();
    assert!(chain.has_room());
    chain.complete_job(two.0, run(two.1));
    assert!(!chain.has_room(), "it waits behind the first");
    chain.complete_job(one.0, run(one.1));
    assert_eq!(out(&mut chain).len(), 2);
    assert!(chain.has_room());
}

#[test]
fn what_waiting_messages_grow_to_counts() {
    let mut registry = Registry::new();
    registry.register(Bomb::Stream).unwrap();
    registry.register(Fake::new("a", &[Exclusive, Pass])).unwrap();
    let mut options = options();
    options.max_pending = 15_000;
    let mut chain = registry.respond(Some("a, bomb"), &options).unwrap().incoming;
    for _ in 0..2 {
        assert_eq!(chain.begin(MessageHead::new(DataKind::Binary), None), Route::Queued);
        chain.push(&[b'!'; 10], true);
    }
    assert!(chain.has_room());
    settle(&mut chain);
    assert!(!chain.has_room());
    chain.pop();
    assert!(chain.has_room());
}

#[test]
fn a_dropped_job_takes_no_place_from_others() {
    let mut options = options();
    options.max_jobs = 3;
    let first = Fake::new("a", &[Stream, Stream, Stream, Stream, FailJob, Concurrent]);
    let then = Fake::new("b", &[Exclusive, Concurrent, Concurrent, Concurrent]);
    let mut chain = negotiate([first, then], &options).outgoing;
    for text in ["1", "2", "3", "4", "5", "6"] {
        assert_eq!(put(&mut chain, text), Route::Queued);
    }
    let [exclusive, failing, _dropped] = <[_; 3]>::try_from(jobs(&mut chain)).unwrap();
    chain.complete_job(failing.0, run(failing.1));
    chain.complete_job(exclusive.0, run(exclusive.1));
    assert_eq!(jobs(&mut chain).len(), 3);
}

#[test]
fn empty_messages_are_not_free() {
    let mut options = options();
    options.max_pending = 10_000;
    let mut chain = negotiate([Fake::new("a", &[Exclusive])], &options).outgoing;
    let mut count = 0;
    while chain.has_room() {
        assert_eq!(put(&mut chain, ""), Route::Queued);
        count += 1;
        assert!(count < 100);
    }
    settle(&mut chain);
    assert_eq!(out(&mut chain), vec!["a"; count]);
    assert!(chain.has_room());
}

#[test]
fn a_message_in_progress_never_blocks_itself() {
    let mut options = options();
    options.max_pending = 100;
    for act in [Stream, Exclusive, Concurrent] {
        let mut chain = negotiate([Fake::new("a", &[act])], &options).outgoing;
        assert_eq!(chain.begin(MessageHead::new(DataKind::Binary), None), Route::Queued);
        for _ in 0..100 {
            chain.push(&[b'-'; 100], false);
            assert!(chain.has_room(), "{act:?}: only its own end can make room");
        }
        chain.push(b"", true);
        assert!(!chain.has_room());
        settle(&mut chain);
        assert_eq!(out(&mut chain)[0].len(), 10_001);
        assert!(chain.has_room());
    }
}

/// The buffer that a message came in, as a number.
fn place(data: &BytesMut) -> usize {
    data.as_ptr() as usize
}

#[test]
fn a_stream_of_messages_uses_the_same_buffers_again() {
    let names = ["a", "b", "c"];
    let mut chain = negotiate(names.map(|name| Fake::new(name, &[Stream])), &options()).outgoing;
    let mut message = |len: usize| {
        assert_eq!(chain.begin(MessageHead::new(DataKind::Binary), Some(len)), Route::Queued);
        chain.push(&vec![b'-'; len], true);
        let front = chain.front().unwrap();
        assert_eq!(front.data.len(), len + 3);
        let place = place(front.data);
        chain.pop();
        place
    };
    let first = message(16 * 1024);
    for len in (0..1000).map(|number| number * 16) {
        assert_eq!(message(len), first);
    }
}
