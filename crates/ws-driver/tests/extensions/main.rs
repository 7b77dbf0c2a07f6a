//! Messages that go through extensions: their order, their failures, and what may pass them.

mod fake;
mod faults;
mod pieces;
mod turns;

use ws_driver::{
    Config, DataKind, Delivery, Ending, Fault, Initiator, Message, Progress, SendError, Text, Wants,
};
use ws_testkit::{End, Endpoint, Frame, Heap, Seen};

use fake::{Fake, Way, jobs, run};

#[global_allocator]
static HEAP: Heap = Heap;

fn server(incoming: Way, outgoing: Way) -> Endpoint {
    Fake::new(incoming, outgoing).server(|_, _| ())
}

/// A frame that the extension has been at.
fn turned(text: &str) -> Frame {
    Frame::text(text).with_rsv(0b100)
}

const WAYS: [Way; 5] = [Way::Pass, Way::Stream, Way::Concurrent, Way::Exclusive, Way::Alternate];

#[test]
fn messages_come_out_changed_and_in_order() {
    for way in WAYS {
        for delivery in [Delivery::Whole, Delivery::Parts] {
            let mut server = Fake::new(way, way).server(|config, _| config.delivery = delivery);
            let _progress = server.read_frames(&[
                turned("ONE"),
                Frame::text("TWO"),
                turned("THR").unfinished(),
                Frame::ping("between"),
                Frame::continuation("EE"),
                turned(""),
            ]);
            assert_eq!(server.run_jobs(), Progress::NeedBytes);
            let pings = server.seen.iter().filter(|seen| **seen == Seen::ping("between")).count();
            server.seen.retain(|seen| *seen != Seen::ping("between"));
            assert_eq!(pings, 1);
            let expected = ["one", "TWO", "three", ""].map(Seen::text);
            assert_eq!(server.seen, expected, "{way:?} {delivery:?}");
        }
    }
}

#[test]
fn messages_leave_changed_and_in_order() {
    for way in WAYS {
        for reversed in [false, true] {
            let mut server = server(way, way);
            let sender = server.connection.sender();
            sender.write(DataKind::Text, b"one").unwrap();
            sender.send(Message::from("two")).unwrap();
            sender.start(DataKind::Text).unwrap();
            sender.append(b"thr").unwrap();
            sender.finish_with(b"ee").unwrap();
            sender.write(DataKind::Binary, &[b'x'; 10_000]).unwrap();
            loop {
                let mut fetched = jobs(&mut server);
                if fetched.is_empty() {
                    break;
                }
                if reversed {
                    fetched.reverse();
                }
                for (id, job) in fetched {
                    server.connection.complete_job(id, run(job)).unwrap();
                }
            }
            let mut messages = Vec::<(u8, u8, Vec<u8>)>::new();
            for frame in server.sent() {
                match (frame.opcode, messages.last_mut()) {
                    (0, Some((_, _, payload))) => payload.extend(frame.payload),
                    _ => messages.push((frame.opcode, frame.rsv, frame.payload)),
                }
            }
            let payloads: Vec<_> = messages
                .iter()
                .map(|(opcode, rsv, data)| (*opcode, data.to_ascii_lowercase(), *rsv))
                .collect();
            let rsv = |n: usize| match way {
                Way::Pass => 0,
                Way::Alternate if n.is_multiple_of(2) => 0,
                _ => 4,
            };
            let expected = [
                (1, b"one".to_vec(), rsv(0)),
                (1, b"two".to_vec(), rsv(1)),
                (1, b"three".to_vec(), rsv(2)),
                (2, vec![b'x'; 10_000], rsv(3)),
            ];
            assert_eq!(payloads, expected, "{way:?}");
            assert!(
                messages
                    .iter()
                    .all(|(_, rsv, data)| *rsv == 0 || data.is_ascii() && *data == data.to_ascii_uppercase())
            );
        }
    }
}

#[test]
fn pings_and_pongs_pass_messages_that_are_worked_on() {
    let mut server = server(Way::Concurrent, Way::Concurrent);
    server.connection.sender().write(DataKind::Text, b"slow").unwrap();
    server.connection.sender().ping(b"quick").unwrap();
    let _progress = server.read_frames(&[turned("SLOW"), Frame::ping("p"), Frame::pong("q")]);
    assert_eq!(server.seen, [Seen::ping("p"), Seen::pong("q")]);
    assert_eq!(server.sent(), [Frame::ping("quick"), Frame::pong("p")]);
    let _progress = server.run_jobs();
    assert_eq!(server.seen[2..], [Seen::text("slow")]);
    assert_eq!(server.sent(), [turned("SLOW")]);
}

#[test]
fn a_close_waits_for_messages_that_are_worked_on() {
    for way in [Way::Concurrent, Way::Exclusive] {
        let mut server = server(Way::Pass, way);
        server.connection.sender().write(DataKind::Text, b"first").unwrap();
        server.connection.sender().write(DataKind::Text, b"second").unwrap();
        server.connection.sender().close(ws_driver::CloseCode::NORMAL, "").unwrap();
        assert_eq!(server.connection.sender().write(DataKind::Text, b""), Err(SendError::Closed));
        let _progress = server.read_frame(&Frame::ping("answered still"));
        assert_eq!(server.sent(), [Frame::pong("answered still")]);
        assert!(server.connection.sender().is_close_waiting());
        while let Some((id, job)) = server.connection.next_job() {
            server.connection.complete_job(id, run(job)).unwrap();
        }
        assert_eq!(server.sent(), [turned("FIRST"), turned("SECOND"), Frame::close(1000, "")], "{way:?}");
        let _progress = server.read_frame(&Frame::ping("not any more"));
        assert!(server.sent().is_empty());
    }
}

#[test]
fn the_answer_to_a_close_waits_too_and_the_transport_is_kept_until_then() {
    let fake = Fake::new(Way::Concurrent, Way::Concurrent);
    let mut server = fake.server(|_, _| ());
    server.connection.sender().write(DataKind::Text, b"ours").unwrap();
    let progress = server.read_frames(&[turned("THEIRS"), Frame::close(1000, "done")]);
    assert_eq!(progress, Progress::NeedJobs);
    assert_eq!(server.connection.wants(), Wants { jobs: true, ..Wants::NOTHING });
    let fetched = jobs(&mut server);
    assert_eq!(fetched.len(), 2);
    assert_eq!(server.connection.wants(), Wants { jobs: true, ..Wants::NOTHING });
    for (id, job) in fetched {
        server.connection.complete_job(id, run(job)).unwrap();
    }
    assert_eq!(server.advance(), Progress::Closed);
    assert_eq!(server.seen, [Seen::text("theirs")]);
    assert!(server.connection.wants().write);
    assert_eq!(server.sent(), [turned("OURS"), Frame::close(1000, "done")]);
    assert_eq!(server.connection.wants(), Wants { shutdown: true, ..Wants::NOTHING });
    server.connection.shut();
    assert_eq!(server.connection.wants(), Wants::NOTHING);
    assert!(server.connection.closed().unwrap().is_clean());
    assert_eq!(fake.sessions_closed(), 1, "both directions have let go of the session");
}

#[test]
fn a_job_that_never_comes_back_does_not_hold_up_the_end() {
    let mut server = server(Way::Concurrent, Way::Concurrent);
    server.connection.sender().write(DataKind::Text, b"ours").unwrap();
    let _progress = server.read_frames(&[turned("A"), turned("B"), Frame::empty_close()]);
    let mut fetched = jobs(&mut server);
    let (first, job) = fetched.remove(0);
    server.connection.complete_job(first, run(job)).unwrap();
    assert_eq!(server.advance(), Progress::NeedJobs);
    assert_eq!(server.seen, [Seen::text("a")], "what stands before it comes out");
    server.wait(0);
    server.wait(5);
    assert_eq!(server.advance(), Progress::Closed);
    assert_eq!(server.connection.wants(), Wants::NOTHING);
    let closed = server.connection.closed().unwrap();
    assert_eq!((closed.code, closed.sent, closed.is_clean()), (1005, None, false), "the Close never left");
    for (id, job) in fetched {
        let _late = server.connection.complete_job(id, run(job));
    }
    assert_eq!(server.advance(), Progress::Closed);
    assert!(server.write().is_empty());
}

#[test]
fn an_incoming_failure_comes_behind_the_messages_ahead_of_it() {
    let mut stream = server(Way::StreamFails, Way::Pass);
    let progress = stream.read_frames(&[turned("FINE"), turned("BAD!"), turned("DROPPED")]);
    assert_eq!(progress, Progress::Closed);
    assert_eq!(stream.end(), End::Failed(1007));
    assert_eq!(stream.seen, [Seen::text("fine")]);
    assert_eq!(stream.sent(), [Frame::close(1007, "extension failed")]);

    let mut deferred = server(Way::JobFails, Way::Pass);
    let progress = deferred.read_frames(&[turned("FINE"), turned("BAD!"), turned("DROPPED")]);
    assert_eq!(progress, Progress::NeedBytes);
    let mut fetched = jobs(&mut deferred);
    fetched.reverse();
    for (id, job) in fetched {
        deferred.connection.complete_job(id, run(job)).unwrap();
    }
    assert_eq!(deferred.advance(), Progress::Closed);
    assert_eq!(deferred.end(), End::Failed(1011));
    assert_eq!(deferred.seen, [Seen::text("fine")]);
    assert_eq!(deferred.sent_close(), Some(Some(1011)));
    let ending = deferred.connection.receiver().ending();
    assert!(matches!(ending, Some(Ending::Failed(Fault::Extension(error))) if error.extension() == "fake"));
}

#[test]
fn an_outgoing_failure_is_told_once_and_closes_with_1011() {
    let mut stream = server(Way::Pass, Way::StreamFails);
    stream.connection.sender().write(DataKind::Text, b"fine").unwrap();
    let failed = stream.connection.sender().write(DataKind::Text, b"bad!");
    assert!(matches!(failed, Err(SendError::Extension(_))), "{failed:?}");
    assert_eq!(stream.connection.sender().write(DataKind::Text, b"more"), Err(SendError::Closed));
    assert_eq!(stream.sent(), [turned("FINE"), Frame::close(1007, "extension failed")]);
    let _progress = stream.read_frames(&[Frame::text("the other direction goes on"), Frame::close(1007, "")]);
    assert_eq!(stream.seen, [Seen::text("the other direction goes on")]);
    let closed = stream.connection.closed().unwrap();
    assert_eq!((closed.initiator, closed.is_clean()), (Initiator::Local, true));

    let mut deferred = server(Way::Pass, Way::JobFails);
    for text in ["fine", "bad!", "dropped"] {
        deferred.connection.sender().write(DataKind::Text, text.as_bytes()).unwrap();
    }
    let mut told = 0;
    for (id, job) in jobs(&mut deferred) {
        told += usize::from(deferred.connection.complete_job(id, run(job)).is_err());
    }
    assert_eq!(told, 1);
    assert_eq!(deferred.sent(), [turned("FINE"), Frame::close(1011, "extension failed")]);
}

#[test]
fn a_close_behind_a_failure_leaves_all_the_same() {
    let mut server = server(Way::Pass, Way::JobFails);
    server.connection.sender().write(DataKind::Text, b"bad!").unwrap();
    server.connection.sender().close(ws_driver::CloseCode::GOING_AWAY, "").unwrap();
    for (id, job) in jobs(&mut server) {
        let _told = server.connection.complete_job(id, run(job));
    }
    assert_eq!(server.sent(), [Frame::close(1001, "")]);
}

#[test]
fn the_message_limit_holds_behind_the_extension_and_may_change() {
    let limited = |config: &mut Config, options: &mut ws_extensions::SessionOptions| {
        config.limits.max_message_len = 100;
        options.max_message_len = Some(100);
    };
    let mut server = Fake::new(Way::Bomb, Way::Pass).server(limited);
    let _progress = server.read_frame(&turned("0123456789"));
    assert_eq!(server.seen.len(), 1, "exactly at the limit");
    let _progress = server.read_frame(&turned("01234567890"));
    assert_eq!(server.end(), End::Failed(1009));

    let mut server = Fake::new(Way::Bomb, Way::Pass).server(limited);
    server.connection.receiver().limits_mut().max_message_len = 200;
    let _progress = server.read_frame(&turned("01234567890123456789"));
    assert_eq!((server.seen.len(), server.end()), (1, End::Open));
    let _progress = server.read_frame(&turned("012345678901234567890"));
    assert_eq!(server.end(), End::Failed(1009));
}

#[test]
fn text_is_checked_behind_the_extension() {
    for delivery in [Delivery::Whole, Delivery::Parts] {
        let mut server = Fake::new(Way::Stream, Way::Pass).server(|config, _| config.delivery = delivery);
        for (n, byte) in turned("A€Ä").by(ws_driver::Role::Client).into_iter().enumerate() {
            assert_eq!(server.read(&[byte]), Progress::NeedBytes, "byte {n}");
        }
        assert_eq!(server.seen, [Seen::text("a€Ä")]);
        let bad = Frame::text(b"A\xc3B").with_rsv(4).unfinished();
        assert_eq!(server.read_frame(&bad), Progress::Closed, "before the message has ended");
        assert_eq!(server.end(), End::Failed(1007));
    }
}

#[test]
fn messages_from_an_extension_can_be_owned() {
    let mut server = server(Way::Stream, Way::Pass);
    for len in [3, 30, 30_000] {
        let text = "A".repeat(len);
        server.connection.receiver().buffer().extend_from_slice(&turned(&text).by(ws_driver::Role::Client));
        assert_eq!(server.connection.advance(), Progress::Ready);
        server.note_owned();
        assert_eq!(server.seen.pop(), Some(Seen::Text(text.to_lowercase().into_bytes())));
    }
    let text: Text = "kept".into();
    assert_eq!(text, "kept");
}

#[test]
fn bits_of_extensions_are_refused_where_they_do_not_belong() {
    for (frames, case) in [
        (vec![Frame::text("").with_rsv(0b010)], "a bit of nobody"),
        (vec![Frame::text("").with_rsv(0b110)], "among them a bit of nobody"),
        (vec![turned("").unfinished(), Frame::continuation("").with_rsv(0b100)], "on a continuation"),
        (vec![Frame::ping("").with_rsv(0b100)], "on a ping"),
    ] {
        let mut server = server(Way::Stream, Way::Stream);
        let _progress = server.read_frames(&frames);
        assert_eq!(server.end(), End::Failed(1002), "{case}");
    }
}

#[test]
fn a_full_pipeline_pushes_back() {
    let mut server = Fake::new(Way::Concurrent, Way::Concurrent).server(|_, options| options.max_jobs = 2);
    let frames = ["A", "B", "C", "D"].map(turned);
    assert_eq!(server.read_frames(&frames), Progress::NeedJobs);
    assert_eq!(server.connection.wants(), Wants { jobs: true, ..Wants::NOTHING });
    assert_eq!(server.run_jobs(), Progress::NeedBytes);
    assert_eq!(server.seen, ["a", "b", "c", "d"].map(Seen::text));
    assert!(server.connection.wants().read);
}

#[test]
fn long_messages_are_cut_into_frames_behind_the_extension() {
    for way in [Way::Pass, Way::Stream, Way::Concurrent] {
        let mut server = Fake::new(Way::Pass, way).server(|config, _| config.limits.max_sent_frame_len = 4);
        server.connection.sender().write(DataKind::Text, b"abcdefghij").unwrap();
        let _progress = server.run_jobs();
        let frames = server.sent();
        assert_eq!(frames.iter().map(|frame| frame.payload.len()).collect::<Vec<_>>(), [4, 4, 2], "{way:?}");
        assert_eq!(frames.iter().map(|frame| frame.opcode).collect::<Vec<_>>(), [1, 0, 0]);
        assert_eq!(frames.iter().map(|frame| frame.fin).collect::<Vec<_>>(), [false, false, true]);
        assert!(frames[1..].iter().all(|frame| frame.rsv == 0));
    }
}
