//! Messages come out in the order in which they went in, however long each took.

mod support;

use support::{Act::*, *};
use ws_extensions::{Chain, Compress, MessageHead, Route};
use ws_frame::{DataKind, Rsv};

#[test]
fn an_empty_chain_is_one_branch() {
    let mut chain = Chain::default();
    assert!(chain.is_empty() && chain.is_idle() && chain.has_room());
    assert_eq!(put(&mut chain, "hello"), Route::Direct);
    assert!(chain.front().is_none() && chain.next_job().is_none() && chain.failure().is_none());
    chain.push(b"stray", true);
    chain.pop();
    assert!(chain.is_idle() && !chain.is_closed());
    chain.close();
    assert!(chain.is_closed());
}

#[test]
fn outgoing_passes_in_the_order_of_the_answer_and_incoming_against_it() {
    for act in [Stream, Exclusive, Concurrent, Future] {
        let fakes = ["a", "b", "c"].map(|name| Fake::new(name, &[act]));
        let mut negotiated = negotiate(fakes, &options());
        for (chain, expected) in [(&mut negotiated.outgoing, "-abc"), (&mut negotiated.incoming, "-cba")] {
            assert_eq!(put(chain, "-"), Route::Queued);
            settle(chain);
            assert_eq!(out(chain), [expected], "{act:?}");
            assert!(chain.is_idle());
        }
    }
}

#[test]
fn what_all_let_pass_goes_directly() {
    let mut chain = outgoing([Fake::new("a", &[Pass]), Fake::new("b", &[Pass, Pass, Stream])]);
    assert_eq!(put(&mut chain, "one"), Route::Direct);
    assert_eq!(put(&mut chain, "two"), Route::Direct);
    assert_eq!(put(&mut chain, "three"), Route::Queued);
    // Not while something is ahead.
    assert_eq!(put(&mut chain, "four"), Route::Queued);
    assert_eq!(out(&mut chain), ["threeb", "four"]);
    assert_eq!(put(&mut chain, "five"), Route::Direct);
}

#[test]
fn a_changed_head_is_not_direct() {
    let marker = Fake::new("a", &[KeepRsv]).rsv(Rsv::RSV1);
    let mut negotiated = negotiate([marker, Fake::new("b", &[Stream]).rsv(Rsv::RSV2)], &options());
    let head = MessageHead::new(DataKind::Binary).with_compress(Compress::Yes);
    assert_eq!(negotiated.outgoing.begin(head, None), Route::Queued);
    let front = negotiated.outgoing.front().unwrap();
    assert_eq!(front.head, head.with_rsv(Rsv::RSV2));
}

#[test]
fn a_stream_comes_out_while_it_goes_in() {
    let mut chain = outgoing([Fake::new("a", &[Stream]), Fake::new("b", &[Pass]), Fake::new("c", &[Stream])]);
    assert_eq!(chain.begin(MessageHead::new(DataKind::Text), None), Route::Queued);
    for fragment in ["one", "", "two"] {
        chain.push(fragment.as_bytes(), false);
        let front = chain.front().unwrap();
        assert!(!front.finished);
        assert_eq!(front.data.split(), fragment);
    }
    chain.pop();
    assert!(!chain.is_idle(), "only a finished message can be popped");
    chain.push(b"three", true);
    assert_eq!(out(&mut chain), ["threeac"]);
    chain.push(b"stray", false);
    assert!(chain.is_idle());
}

#[test]
fn a_slow_first_and_a_fast_second_keep_their_order() {
    for (slow, fast) in [(Concurrent, Stream), (Concurrent, Pass), (Future, Concurrent), (Concurrent, Future)]
    {
        let mut chain = outgoing([Fake::new("a", &[slow, fast])]);
        assert_eq!(put(&mut chain, "1"), Route::Queued);
        assert_eq!(put(&mut chain, "2"), Route::Queued);
        let mut waiting = jobs(&mut chain);
        waiting.reverse();
        let last = waiting.len() - 1;
        for (at, (id, job)) in waiting.into_iter().enumerate() {
            assert_eq!(out(&mut chain), [""; 0], "before the slow one is done");
            assert_eq!((id.direction(), at <= last), (ws_extensions::Direction::Outgoing, true));
            chain.complete_job(id, run(job));
        }
        let second = if fast == Pass { "2" } else { "2a" };
        assert_eq!(out(&mut chain), ["1a", second], "{slow:?} {fast:?}");
    }
}

#[test]
fn concurrent_work_lets_the_next_message_enter_and_exclusive_work_does_not() {
    let log = Log::default();
    for (act, entered) in [(Exclusive, 1), (Concurrent, 3), (Future, 3)] {
        let mut chain = outgoing([Fake::new("a", &[act]).log(&log)]);
        for text in ["1", "2", "3"] {
            assert_eq!(put(&mut chain, text), Route::Queued);
        }
        assert_eq!(log.take().len(), entered, "{act:?}");
        assert_eq!(jobs(&mut chain).len(), entered);
        drop(chain);
        log.take();
    }
}

#[test]
fn exclusive_work_takes_one_message_after_the_other() {
    let mut chain = outgoing([Fake::new("a", &[Exclusive]), Fake::new("b", &[Exclusive])]);
    for text in ["1", "2", "3"] {
        assert_eq!(put(&mut chain, text), Route::Queued);
    }
    let mut seen = Vec::new();
    // 1 at a; then 1 at b and 2 at a; and so on: never more than one in a cell.
    for width in [1, 2, 2, 1] {
        let batch = jobs(&mut chain);
        assert_eq!(batch.len(), width);
        batch.into_iter().for_each(|(id, job)| chain.complete_job(id, run(job)));
        seen.extend(out(&mut chain));
    }
    assert_eq!(seen, ["1ab", "2ab", "3ab"]);
}

#[test]
fn a_message_is_handed_on_as_soon_as_it_and_all_before_it_are_done() {
    let log = Log::default();
    let first = Fake::new("a", &[Concurrent]);
    let mut chain = outgoing([first, Fake::new("b", &[Stream]).log(&log)]);
    for text in ["1", "2", "3"] {
        assert_eq!(put(&mut chain, text), Route::Queued);
    }
    let [one, two, three] = <[_; 3]>::try_from(jobs(&mut chain)).unwrap();
    chain.complete_job(two.0, run(two.1));
    assert_eq!(log.take(), [""; 0]);
    chain.complete_job(one.0, run(one.1));
    assert_eq!(log.take(), ["begin b 0", "begin b 1"]);
    assert_eq!(out(&mut chain), ["1ab", "2ab"]);
    chain.complete_job(three.0, run(three.1));
    assert_eq!(log.take(), ["begin b 2"]);
    assert_eq!(out(&mut chain), ["3ab"]);
}

#[test]
fn fragments_wait_behind_work_and_then_flow() {
    let mut chain = outgoing([Fake::new("a", &[Exclusive, Stream])]);
    assert_eq!(put(&mut chain, "1"), Route::Queued);
    assert_eq!(chain.begin(MessageHead::new(DataKind::Text), None), Route::Queued);
    chain.push(b"2", false);
    chain.push(b"+", false);
    assert!(chain.front().is_none());
    settle(&mut chain);
    assert_eq!(out(&mut chain), ["1a"]);
    let front = chain.front().unwrap();
    assert_eq!((&**front.data, front.finished), (&b"2+"[..], false));
    chain.push(b"2", true);
    assert_eq!(out(&mut chain), ["2+2a"]);
}

#[test]
fn every_act_behind_every_other_keeps_the_order() {
    let acts = [Pass, Stream, Exclusive, Concurrent, Future];
    for first in acts {
        for second in acts {
            for third in acts {
                let mut chain =
                    outgoing([Fake::new("a", &[first, second]), Fake::new("b", &[third, first, second])]);
                let texts: Vec<String> = (0..7).map(|number| number.to_string()).collect();
                let mut seen = Vec::new();
                for text in &texts {
                    match put(&mut chain, text) {
                        Route::Direct => seen.push(text.clone()),
                        Route::Queued => seen.extend(out(&mut chain)),
                    }
                }
                settle(&mut chain);
                seen.extend(out(&mut chain));
                let order: Vec<&str> = seen.iter().map(|text| text.trim_end_matches(['a', 'b'])).collect();
                assert_eq!(order, texts, "{first:?} {second:?} {third:?}");
                assert!(chain.is_idle());
            }
        }
    }
}

#[test]
fn the_directions_are_independent() {
    let mut negotiated = negotiate([Fake::new("a", &[Exclusive])], &options());
    let (incoming, outgoing) = (&mut negotiated.incoming, &mut negotiated.outgoing);
    assert_eq!(put(incoming, "in"), Route::Queued);
    assert_eq!(put(outgoing, "out"), Route::Queued);
    let (id, job) = incoming.next_job().unwrap();
    settle(outgoing);
    assert_eq!(out(outgoing), ["outa"]);
    // A job is taken back by its own chain only.
    let (_, again) = (put(outgoing, "more"), outgoing.next_job().unwrap());
    assert_ne!(id, again.0);
    outgoing
        .complete_job(id, ws_extensions::Finished::failed(ws_extensions::ExtensionError::internal("stray")));
    incoming.complete_job(id, run(job));
    outgoing.complete_job(again.0, run(again.1));
    assert_eq!((out(incoming), out(outgoing)), (vec!["ina".to_owned()], vec!["morea".to_owned()]));
}

#[test]
fn both_chains_may_go_to_threads_of_their_own() {
    let negotiated = negotiate([Fake::new("a", &[Stream, Exclusive])], &options());
    let both = [negotiated.incoming, negotiated.outgoing].map(|mut chain| {
        std::thread::spawn(move || {
            for text in ["1", "2", "3"] {
                assert_eq!(put(&mut chain, text), Route::Queued);
            }
            settle(&mut chain);
            out(&mut chain)
        })
    });
    for thread in both {
        assert_eq!(thread.join().unwrap(), ["1a", "2a", "3a"]);
    }
}
