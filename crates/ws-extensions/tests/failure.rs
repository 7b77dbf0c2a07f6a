//! A failure keeps its place in the order, and ends its own direction only.

mod support;

use support::{Act::*, *};
use ws_extensions::{Chain, ExtensionError, Fault, Finished, MessageHead, Route};
use ws_frame::{CloseCode, DataKind, Rsv};

/// Every way to fail, with the code that the Close would have and a word of the reason.
const FAILURES: [(Act, CloseCode, &str); 11] = [
    (FailStream, CloseCode::INVALID_PAYLOAD, "as told"),
    (FailJob, CloseCode::INVALID_PAYLOAD, "as told"),
    (FailFuture, CloseCode::INVALID_PAYLOAD, "as told"),
    (PanicBegin, CloseCode::INTERNAL_ERROR, "at the beginning"),
    (PanicStream, CloseCode::INTERNAL_ERROR, "in the stream"),
    (PanicDefer, CloseCode::INTERNAL_ERROR, "instead of deferring"),
    (PanicExclusive, CloseCode::INTERNAL_ERROR, "with the codec"),
    (PanicConcurrent, CloseCode::INTERNAL_ERROR, "beside"),
    (PanicFuture, CloseCode::INTERNAL_ERROR, "while waiting"),
    (StealRsv, CloseCode::INTERNAL_ERROR, "reserved bits it does not own: RSV3"),
    (StealRsvLater, CloseCode::INTERNAL_ERROR, "reserved bits it does not own: RSV3"),
];

fn put_all(chain: &mut Chain, texts: &[&str]) {
    for text in texts {
        assert_eq!(put(chain, text), Route::Queued);
    }
}

#[test]
fn messages_ahead_come_out_and_messages_behind_are_dropped() {
    for around in [Stream, Exclusive, Concurrent, Future] {
        for (act, code, reason) in FAILURES {
            let first = Fake::new("a", &[Stream]);
            let failing = Fake::new("b", &[around, act, around]);
            let mut negotiated = negotiate([first, failing, Fake::new("c", &[around])], &options());
            for (chain, done) in [(&mut negotiated.outgoing, "1abc"), (&mut negotiated.incoming, "1cba")] {
                put_all(chain, &["1", "2", "3"]);
                settle(chain);
                assert_eq!(chain.failure(), None, "before the first message is out");
                assert_eq!(out(chain), [done], "{around:?} {act:?}");
                let error = chain.failure().unwrap();
                assert_eq!((error.extension(), error.close_code()), ("b", code), "{around:?} {act:?}");
                assert!(
                    error.to_string().starts_with("b: ") && error.to_string().contains(reason),
                    "{error}"
                );
                assert_eq!(chain.failure(), None, "told once");
                assert!(chain.is_idle() && chain.has_room());
                put_all(chain, &["4"]);
                assert!(chain.is_idle() && chain.next_job().is_none(), "nothing enters any more");
            }
        }
    }
}

#[test]
fn later_cells_are_not_called_for_a_failed_message() {
    for (act, ..) in FAILURES {
        let log = Log::default();
        let mut chain = outgoing([Fake::new("a", &[act]), Fake::new("b", &[Exclusive]).log(&log)]);
        put_all(&mut chain, &["1", "2"]);
        settle(&mut chain);
        assert!(chain.failure().is_some());
        // A stream fails in its course, when the next cell may have begun; that one gets nothing of it to work on.
        let allowed = usize::from(matches!(act, FailStream | PanicStream));
        let log = log.take();
        assert!(log.len() <= allowed, "{act:?} {log:?}");
    }
}

#[test]
fn an_earlier_failure_takes_the_place_of_a_later_one() {
    let mut chain = outgoing([Fake::new("a", &[FailJob, PanicConcurrent])]);
    put_all(&mut chain, &["1", "2", "3"]);
    let [first, second, third] = <[_; 3]>::try_from(jobs(&mut chain)).unwrap();
    chain.complete_job(second.0, run(second.1));
    assert_eq!(chain.failure(), None, "the first message may still come out");
    chain.complete_job(third.0, run(third.1));
    chain.complete_job(first.0, run(first.1));
    assert_eq!(chain.failure().unwrap().to_string(), "a: corrupt data: as told");
    assert_eq!(chain.failure(), None);
}

#[test]
fn a_second_completion_is_ignored() {
    let mut chain = outgoing([Fake::new("a", &[Concurrent])]);
    put_all(&mut chain, &["1", "2"]);
    let [one, two] = <[_; 2]>::try_from(jobs(&mut chain)).unwrap();
    chain.complete_job(one.0, run(one.1));
    chain.complete_job(one.0, Finished::failed(ExtensionError::internal("again")));
    assert_eq!(out(&mut chain), ["1a"]);
    chain.complete_job(one.0, Finished::failed(ExtensionError::internal("again")));
    chain.complete_job(two.0, run(two.1));
    assert_eq!(out(&mut chain), ["2a"]);
    assert_eq!(chain.failure(), None);
}

#[test]
fn a_dropped_message_is_not_waited_for() {
    let mut chain = outgoing([Fake::new("a", &[Concurrent, FailJob, Concurrent])]);
    put_all(&mut chain, &["1", "2", "3"]);
    let [one, two, three] = <[_; 3]>::try_from(jobs(&mut chain)).unwrap();
    chain.complete_job(two.0, run(two.1));
    // The third one's work goes on in vain.
    chain.complete_job(three.0, run(three.1));
    chain.complete_job(one.0, run(one.1));
    assert_eq!(out(&mut chain), ["1a"]);
    assert!(chain.failure().is_some() && chain.has_room());
}

#[test]
fn work_that_was_not_fetched_is_dropped_with_its_message() {
    let mut chain = outgoing([Fake::new("a", &[Concurrent]), Fake::new("b", &[Stream, FailStream])]);
    put_all(&mut chain, &["1", "2", "3", "4"]);
    for _ in 0..2 {
        let (id, job) = chain.next_job().unwrap();
        chain.complete_job(id, run(job));
    }
    assert!(chain.next_job().is_none());
    assert_eq!(out(&mut chain), ["1ab"]);
    assert!(chain.failure().is_some());
}

#[test]
fn the_other_direction_goes_on() {
    let mut fake = Fake::new("a", &[Stream]);
    fake.incoming = vec![FailStream];
    let mut negotiated = negotiate([fake], &options());
    put_all(&mut negotiated.incoming, &["1"]);
    assert!(negotiated.incoming.failure().is_some());
    put_all(&mut negotiated.outgoing, &["1", "2"]);
    assert_eq!(out(&mut negotiated.outgoing), ["1a", "2a"]);
    assert_eq!(negotiated.outgoing.failure(), None);
}

#[test]
fn a_job_that_loses_its_codec_is_a_failure() {
    let mut chain = outgoing([Fake::new("a", &[Exclusive, Concurrent])]);
    put_all(&mut chain, &["1"]);
    let (exclusive, _) = chain.next_job().unwrap();
    let mut other = outgoing([Fake::new("b", &[Concurrent])]);
    put_all(&mut other, &["2"]);
    let (_, job) = other.next_job().unwrap();
    chain.complete_job(exclusive, run(job));
    assert_eq!(chain.failure().unwrap().close_code(), CloseCode::INTERNAL_ERROR);
}

#[test]
fn a_pool_that_goes_away_fails_its_jobs() {
    let mut chain = outgoing([Fake::new("a", &[Exclusive])]);
    put_all(&mut chain, &["1"]);
    let (id, job) = chain.next_job().unwrap();
    drop(job);
    chain.complete_job(id, Finished::failed(ExtensionError::internal("the pool has shut down")));
    assert_eq!(chain.failure().unwrap().to_string(), "a: the pool has shut down");
}

#[test]
fn reserved_bits_have_to_be_owned_and_cleared() {
    // An extension that leaves its bit on what was received.
    let mut incoming = negotiate([Fake::new("a", &[KeepRsv]).rsv(Rsv::RSV1)], &options()).incoming;
    let _ = incoming.begin(MessageHead::new(DataKind::Text).with_rsv(Rsv::RSV1), None);
    let error = incoming.failure().unwrap();
    assert_eq!((error.extension(), error.close_code()), ("a", CloseCode::INTERNAL_ERROR));

    // A bit that nobody owns, either way.
    let mut both = negotiate([Fake::new("a", &[Stream]).rsv(Rsv::RSV1)], &options());
    for (chain, rsv) in [(&mut both.incoming, Rsv::RSV2), (&mut both.outgoing, Rsv::RSV1)] {
        let _ = chain.begin(MessageHead::new(DataKind::Text).with_rsv(rsv), None);
        assert!(matches!(chain.failure().unwrap().fault(), Fault::Internal(_)));
    }

    // All in order: each sets its own, each clears its own.
    let fakes = [("a", Rsv::RSV1, Stream), ("b", Rsv::RSV2, Exclusive), ("c", Rsv::RSV3, Pass)];
    let fakes = fakes.map(|(name, rsv, act)| Fake::new(name, &[act]).rsv(rsv));
    let mut both = negotiate(fakes, &options());
    assert_eq!(both.rsv(), Rsv::RSV1 | Rsv::RSV2 | Rsv::RSV3);
    put_all(&mut both.outgoing, &["1"]);
    settle(&mut both.outgoing);
    let head = both.outgoing.front().unwrap().head;
    assert_eq!(head.rsv, Rsv::RSV1 | Rsv::RSV2);
    let _ = both.incoming.begin(head, None);
    both.incoming.push(b"1", true);
    settle(&mut both.incoming);
    assert_eq!(both.incoming.front().unwrap().head.rsv, Rsv::NONE);
}

#[test]
fn a_message_begun_inside_another_is_a_failure() {
    let mut chain = outgoing([Fake::new("a", &[Stream])]);
    put_all(&mut chain, &["1"]);
    assert_eq!(chain.begin(MessageHead::new(DataKind::Text), None), Route::Queued);
    chain.push(b"2", false);
    assert_eq!(chain.begin(MessageHead::new(DataKind::Text), None), Route::Queued);
    chain.push(b"3", true);
    assert_eq!(out(&mut chain), ["1a"]);
    let error = chain.failure().unwrap();
    assert_eq!((error.extension(), error.close_code()), ("", CloseCode::INTERNAL_ERROR));
}

#[test]
fn what_a_text_had_come_to_remains_until_its_failure_is_told() {
    for (kind, remains) in [(DataKind::Text, "abcde"), (DataKind::Binary, "")] {
        let mut negotiated = negotiate([Fake::new("a", &[Stream])], &options());
        for (chain, remains) in [(&mut negotiated.incoming, remains), (&mut negotiated.outgoing, "")] {
            chain.set_max_message_len(Some(5));
            assert_eq!(put(chain, "1"), Route::Queued);
            assert_eq!(chain.begin(MessageHead::new(kind), None), Route::Queued);
            chain.push(b"abc", false);
            chain.push(b"defg", false);
            assert_eq!(chain.remains(), b"", "before the first message is out");
            assert_eq!(out(chain), ["1a"]);
            assert_eq!(chain.remains(), remains.as_bytes());
            assert_eq!(chain.failure().unwrap().fault(), &Fault::TooBig { limit: 5 });
            assert_eq!(chain.remains(), b"");
        }
    }
}
