//! A message as a reader and a message as a writer.

mod support;

use std::{future::poll_fn, io::ErrorKind, task::Poll};

use support::{facing_raw, facing_raw_with, mock::mock, open, pair, poll_once};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, copy, copy_buf};
use ws_testkit::{Frame, read_frames};
use ws_tokio::{
    Error,
    endpoint::{
        driver::{self, Config, DataKind, Fault},
        frame::Role,
    },
};

fn inside(error: &std::io::Error) -> &Error {
    error.get_ref().and_then(|inner| inner.downcast_ref()).expect("one of ours")
}

#[tokio::test]
async fn a_message_is_read_as_it_arrives_and_ends_where_it_ends() {
    let (mut ws, mut peer) = facing_raw(Role::Server, 1 << 16);
    peer.send_all(&[Frame::text("sm\u{f6}").unfinished(), Frame::ping("?")]).await;
    let mut message = ws.next_message_reader().await.expect("not the end").expect("a message");
    assert_eq!(message.kind(), DataKind::Text);
    assert_eq!(message.fill_buf().await.expect("bytes"), "sm\u{f6}".as_bytes(), "before its end has come");
    assert!(!message.is_ended());
    message.consume(1);
    peer.send_all(&[Frame::continuation("").unfinished(), Frame::continuation("rg\u{e5}s")]).await;
    peer.send_all(&[Frame::binary(""), Frame::binary("next")]).await;
    let mut rest = String::new();
    message.read_to_string(&mut rest).await.expect("text");
    assert_eq!(rest, "m\u{f6}rg\u{e5}s");
    assert!(message.is_ended());
    assert_eq!(message.read(&mut [0; 8]).await.expect("the end stays"), 0);
    drop(message);
    for expected in [&b""[..], b"next"] {
        let mut message = ws.next_message_reader().await.expect("not the end").expect("a message");
        assert_eq!(message.kind(), DataKind::Binary);
        let mut all = Vec::new();
        message.read_to_end(&mut all).await.expect("read");
        assert_eq!(all, expected);
    }
    assert_eq!(peer.recv().await, Some(Frame::pong("?")));
    peer.send(Frame::close(1000, "")).await;
    assert!(ws.next_message_reader().await.is_none());
}

#[tokio::test]
async fn the_rest_of_a_message_that_is_left_is_passed_over_by_whatever_is_received_next() {
    // How far the message was read, and what receives next.
    for read in [0, 1, 3, 4, 6] {
        for next in 0..6 {
            let (io, wire) = mock();
            let mut ws = open(io, Config::new(Role::Server));
            let frames = [
                Frame::text("lef").unfinished(),
                Frame::continuation("tov").unfinished(),
                Frame::continuation("er"),
                Frame::text("next"),
            ];
            for frame in frames {
                wire.push(frame.by(Role::Client));
            }
            let mut message = ws.next_message_reader().await.expect("not the end").expect("a message");
            message.read_exact(&mut vec![0; read]).await.expect("read");
            drop(message);
            let received = match next {
                0 => ws.recv().await.expect("not the end").expect("a message").as_bytes().to_vec(),
                1 => {
                    let (rx, tx) = ws.halves();
                    rx.recv(tx).await.expect("not the end").expect("a message").as_bytes().to_vec()
                }
                2 => {
                    let part = ws.recv_part().await.expect("not the end").expect("a part");
                    assert!(part.first && part.last);
                    part.data.to_vec()
                }
                3 => match ws.recv_event().await.expect("not the end").expect("an event") {
                    driver::Event::Message(message) => message.as_bytes().to_vec(),
                    event => panic!("{event:?}"),
                },
                4 => {
                    let (rx, tx) = ws.halves();
                    poll_fn(|cx| {
                        rx.poll_event(tx, cx).map(|event| match event {
                            Some(Ok(driver::Event::Message(message))) => message.as_bytes().to_vec(),
                            event => panic!("{event:?}"),
                        })
                    })
                    .await
                }
                _ => {
                    let mut next = ws.next_message_reader().await.expect("not the end").expect("a message");
                    let mut all = Vec::new();
                    next.read_to_end(&mut all).await.expect("read");
                    all
                }
            };
            assert_eq!(received, b"next", "read {read}, next {next}");
            if next != 5 {
                assert!(poll_once(ws.recv()).is_pending());
            }
        }
    }
}

#[tokio::test]
async fn parts_that_were_received_by_hand_are_not_passed_over() {
    let (mut ws, mut peer) = facing_raw(Role::Server, 1 << 16);
    let left = [Frame::text("a").unfinished(), Frame::continuation("b")];
    let by_hand = [Frame::text("c").unfinished(), Frame::continuation("d")];
    peer.send_all(&[left, by_hand].concat()).await;
    drop(ws.next_message_reader().await);
    assert_eq!(ws.recv_part().await.expect("not the end").expect("a part").data, b"c");
    assert!(matches!(ws.recv().await, Some(Err(Error::MidMessage))));
    assert!(matches!(ws.next_message_reader().await, Some(Err(Error::MidMessage))));
    assert_eq!(ws.recv_part().await.expect("not the end").expect("a part").data, b"d");
}

#[tokio::test]
async fn a_connection_that_ends_inside_of_a_message_is_an_error() {
    type Judge = fn(&Error) -> bool;
    let rows: [(&[Frame], ErrorKind, Judge); 3] = [
        (&[], ErrorKind::UnexpectedEof, |error| matches!(error, Error::Lost)),
        (&[Frame::close(1000, "")], ErrorKind::UnexpectedEof, |error| matches!(error, Error::Truncated)),
        (&[Frame::continuation(b"\xff")], ErrorKind::InvalidData, |error| {
            matches!(error, Error::Failed(Fault::Utf8(_)))
        }),
    ];
    for (frames, kind, judge) in rows {
        let (io, wire) = mock();
        let mut ws = open(io, Config::new(Role::Server));
        wire.push(Frame::text("begun").unfinished().by(Role::Client));
        wire.push(frames.iter().flat_map(|frame| frame.by(Role::Client)).collect::<Vec<_>>());
        wire.end(Ok(()));
        let mut message = ws.next_message_reader().await.expect("not the end").expect("a message");
        let mut read = Vec::new();
        let error = message.read_to_end(&mut read).await.expect_err("not all of it");
        assert!(error.kind() == kind && judge(inside(&error)), "{error:?}");
        assert_eq!(read, b"begun");
        let error = message.read_u8().await.expect_err("it stays an error");
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        drop(message);
        assert!(ws.recv().await.is_none(), "the error was told");
    }
}

#[tokio::test]
async fn a_short_message_leaves_in_one_frame_when_it_is_finished() {
    for (writes, expected) in [(&["one ", "two"][..], "one two"), (&[], "")] {
        let (io, wire) = mock();
        let mut ws = open(io, Config::new(Role::Client));
        let mut message = ws.message_writer(DataKind::Text).expect("open");
        for write in writes {
            message.write_all(write.as_bytes()).await.expect("taken");
        }
        assert_eq!(wire.written(), b"");
        message.shutdown().await.expect("finished");
        message.finish().await.expect("once more");
        let error = message.write(b"more").await.expect_err("finished");
        assert!(matches!(inside(&error), Error::Send(driver::SendError::NoMessageOpen)));
        assert_eq!(read_frames(Role::Client, &wire.written()), [Frame::text(expected)]);
        drop(message);
        ws.send("next").await.expect("sent");
        assert_eq!(read_frames(Role::Client, &wire.written()), [Frame::text("next")]);
    }
}

#[tokio::test]
async fn a_flush_sends_what_there_is_as_a_fragment() {
    let (io, wire) = mock();
    let mut ws = open(io, Config::new(Role::Server));
    let mut message = ws.message_writer(DataKind::Text).expect("open");
    for part in [b"caf".as_slice(), b"\xc3", b"\xa9"] {
        message.write_all(part).await.expect("taken");
        message.flush().await.expect("written");
    }
    message.flush().await.expect("nothing to do");
    message.finish().await.expect("finished");
    let frames = [
        Frame::text("caf").unfinished(),
        Frame::continuation(b"\xc3").unfinished(),
        Frame::continuation(b"\xa9").unfinished(),
        Frame::continuation(""),
    ];
    assert_eq!(read_frames(Role::Server, &wire.written()), frames);
}

#[tokio::test]
async fn fragments_grow_with_the_message() {
    const LEN: usize = 100 << 20;
    let (io, wire) = mock();
    let mut ws = open(io, Config::new(Role::Server));
    let mut message = ws.message_writer(DataKind::Binary).expect("open");
    let chunk = vec![7; 100_000];
    let (mut frames, mut len, mut left) = (0, 0, LEN);
    let mut count = |bytes: &[u8]| {
        for frame in read_frames(Role::Server, bytes) {
            frames += 1;
            len += frame.payload.len();
            assert!(frame.payload.len() <= 1 << 20);
        }
    };
    while left > 0 {
        let taken = message.write(&chunk[..left.min(chunk.len())]).await.expect("taken");
        left -= taken;
        count(&wire.written());
    }
    message.finish().await.expect("finished");
    count(&wire.written());
    assert_eq!(len, LEN);
    assert!(frames < 1600, "{frames}");
}

#[tokio::test]
async fn text_that_is_not_utf8_is_refused_where_it_is_written() {
    let (io, wire) = mock();
    let mut ws = open(io, Config::new(Role::Server));
    let mut message = ws.message_writer(DataKind::Text).expect("open");
    message.write_all(b"fine \xe2").await.expect("taken");
    let error = message.finish().await.expect_err("it ends inside of a character");
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    let error = message.write_all(b"\xffmore").await.expect_err("not UTF-8");
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    message.write_all(b"\x82\xac").await.expect("the refused bytes left no trace");
    message.finish().await.expect("finished");
    assert_eq!(read_frames(Role::Server, &wire.written()), [Frame::text("fine \u{20ac}")]);
}

#[tokio::test]
async fn a_message_given_up_is_never_taken_for_the_whole() {
    // Whether anything has left; what the peer sees.
    for (flushed, expected) in [
        (false, vec![]),
        (true, vec![Frame::binary("begun").unfinished(), Frame::close(1011, "message given up")]),
    ] {
        let (io, wire) = mock();
        let mut ws = open(io, Config::new(Role::Server));
        let mut message = ws.message_writer(DataKind::Binary).expect("open");
        message.write_all(b"begun").await.expect("taken");
        if flushed {
            message.flush().await.expect("written");
        }
        drop(message);
        _ = poll_once(ws.flush());
        assert_eq!(read_frames(Role::Server, &wire.written()), expected);
        assert_eq!(ws.send("next").await.is_err(), flushed);
    }
}

#[tokio::test]
async fn a_message_given_up_by_a_half_closes_as_well() {
    let (io, wire) = mock();
    let (_reader, mut half) = open(io, Config::new(Role::Server)).split();
    let mut message = half.message_writer(DataKind::Text).expect("open");
    message.write_all(b"begun").await.expect("taken");
    message.flush().await.expect("written");
    drop(message);
    _ = poll_once(half.flush());
    let expected = [Frame::text("begun").unfinished(), Frame::close(1011, "message given up")];
    assert_eq!(read_frames(Role::Server, &wire.written()), expected);
    assert!(half.send("next").await.is_err());
}

#[tokio::test]
async fn a_writer_is_refused_while_another_message_is_open_or_behind_a_close() {
    let (io, _wire) = mock();
    let mut ws = open(io, Config::new(Role::Server));
    ws.start(DataKind::Text).expect("nothing is open");
    let refused = ws.message_writer(DataKind::Text).map(drop);
    assert!(matches!(refused, Err(Error::Send(driver::SendError::MessageOpen))));
    ws.begin_close(driver::CloseCode::NORMAL, "").await.expect("sent");
    let refused = ws.message_writer(DataKind::Text).map(drop);
    assert!(matches!(refused, Err(Error::Send(driver::SendError::Closed))));
}

#[tokio::test]
async fn writing_waits_above_the_mark() {
    let (io, wire) = mock();
    let mut config = Config::new(Role::Server);
    config.limits.high_water_mark = 100_000;
    config.timeouts = driver::Timeouts::NONE.into();
    let mut ws = open(io, config);
    wire.take(0);
    let mut message = ws.message_writer(DataKind::Binary).expect("open");
    let mut taken = 0;
    while let Poll::Ready(written) = poll_once(message.write(&[7; 30_000])) {
        taken += written.expect("taken");
        assert!(taken < 300_000);
    }
    assert!(taken >= 100_000, "{taken}");
    assert!(poll_once(message.finish()).is_pending());
    wire.take(usize::MAX);
    message.finish().await.expect("finished");
    let frames = read_frames(Role::Server, &wire.written());
    assert_eq!(frames.iter().map(|frame| frame.payload.len()).sum::<usize>(), taken);
    assert!(frames.last().expect("frames").fin);
}

#[tokio::test]
async fn a_message_is_written_in_one_task_while_another_receives_and_answers_pings() {
    let mut config = Config::new(Role::Server);
    config.limits.max_message_len = driver::Limits::UNLIMITED;
    let (ws, mut peer) = facing_raw_with(config, 1 << 16);
    let (mut rx, mut tx) = ws.split();
    let writes = tokio::spawn(async move {
        let mut message = tx.message_writer(DataKind::Binary).expect("open");
        copy(&mut tokio::io::repeat(7).take(3 << 20), &mut message).await.expect("written");
        message.finish().await.expect("finished");
    });
    let reads = tokio::spawn(async move {
        let mut message = rx.next_message_reader().await.expect("not the end").expect("a message");
        let mut all = String::new();
        message.read_to_string(&mut all).await.expect("read");
        drop(message);
        assert!(rx.next_message_reader().await.is_none(), "a clean end");
        all
    });
    peer.send_all(&[Frame::text("both ").unfinished(), Frame::ping("?")]).await;
    let (mut len, mut ponged) = (0, false);
    loop {
        let frame = peer.recv().await.expect("not the end");
        if frame.opcode == 10 {
            assert!(!frame.fin || len < 3 << 20, "between two fragments");
            ponged = true;
            peer.send(Frame::continuation("ways")).await;
            continue;
        }
        len += frame.payload.len();
        if frame.fin {
            break;
        }
    }
    assert!(ponged);
    assert_eq!(len, 3 << 20);
    writes.await.expect("no panic");
    peer.send(Frame::close(1000, "")).await;
    assert_eq!(reads.await.expect("no panic"), "both ways");
}

#[tokio::test]
async fn what_a_writer_sends_a_reader_gets() {
    for (kind, len) in [(DataKind::Binary, 0), (DataKind::Binary, 10_000_000), (DataKind::Text, 3000000)] {
        let (mut client, mut server) = pair(50_000).await;
        let data: Vec<u8> = match kind {
            DataKind::Text => "gr\u{fc}\u{df} \u{20ac}\u{1f600} ".bytes().cycle().take(len).collect(),
            DataKind::Binary => (0..=255).cycle().take(len).collect(),
        };
        let expected = data.clone();
        let writes = tokio::spawn(async move {
            let mut message = client.message_writer(kind).expect("open");
            copy_buf(&mut data.as_slice(), &mut message).await.expect("written");
            message.finish().await.expect("finished");
            drop(message);
            client
        });
        let mut message = server.next_message_reader().await.expect("not the end").expect("a message");
        assert_eq!(message.kind(), kind);
        let mut all = Vec::new();
        copy_buf(&mut message, &mut all).await.expect("read");
        assert!(all == expected);
        drop(writes.await.expect("no panic"));
    }
}
