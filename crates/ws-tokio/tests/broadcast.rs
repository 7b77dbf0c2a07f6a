//! One message to many connections.

mod support;

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use support::{
    Raw, facing_raw, facing_raw_with,
    mock::{Wire, mock},
    open, pair, poll_once,
};
use tokio::{io::DuplexStream, time::timeout};
use ws_testkit::{Frame, read_frames};
use ws_tokio::{
    Error, Group, Handle, MemberId, MemberOptions, SlowConsumer, Subscription,
    endpoint::{
        driver::{self, CloseCode, Config, DataKind, Prepared, Timeouts},
        frame::Role,
    },
};

/// Room for three messages, or a hundred bytes.
fn narrow(slow: SlowConsumer) -> MemberOptions {
    let mut options = MemberOptions::new(slow);
    options.max_messages = 3;
    options.max_bytes = 100;
    options
}

fn wide() -> MemberOptions {
    MemberOptions::new(SlowConsumer::Skip)
}

fn number(number: usize) -> Prepared {
    Prepared::new(format!("{number}"))
}

/// What waits for a member.
fn waiting(member: &mut Subscription) -> Vec<String> {
    let mut texts = Vec::new();
    while let Poll::Ready(Some(message)) = poll_once(member.next()) {
        texts.push(String::from_utf8(message.as_bytes().to_vec()).expect("text"));
    }
    texts
}

/// A spawned server that belongs to the group, over a transport that counts.
fn counted(group: &Group, options: MemberOptions) -> (Handle, Wire, MemberId) {
    let (io, wire) = mock();
    let mut config = Config::new(Role::Server);
    config.timeouts = Timeouts::NONE.into();
    let handle = open(io, config).spawn(1);
    let id = group.add(&handle.sender(), options).expect("open");
    (handle, wire, id)
}

/// Lets the other tasks go on until they wait.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_thousand_members_get_a_burst_in_one_write_each() {
    let group = Group::new();
    let members: Vec<_> = (0..1000).map(|_| counted(&group, wide())).collect();
    settle().await;
    assert_eq!(group.count(), 1000);
    for burst in 0..3 {
        for message in 0..10 {
            let tally = group.send(&number(burst * 10 + message)).await;
            assert_eq!((tally.queued, tally.dropped, tally.closed), (1000, 0, 0));
        }
        settle().await;
        let expected: Vec<_> =
            (0..10).map(|message| Frame::text(format!("{}", burst * 10 + message))).collect();
        for (_, wire, _) in &members {
            assert_eq!(wire.counts().1, 1);
            assert_eq!(read_frames(Role::Server, &wire.written()), expected);
        }
    }
    assert_eq!(group.stats().queued, 30_000);
    for (handle, _, _) in &members {
        handle.sender().close_now();
    }
    settle().await;
    assert_eq!(group.count(), 0, "they leave with their connections");
}

#[tokio::test]
async fn all_but_one_get_what_one_has_sent() {
    let group = Group::new();
    let members: Vec<_> = (0..5).map(|_| counted(&group, wide())).collect();
    let tally = group.send_except(&number(1), members[2].2).await;
    assert_eq!(tally.queued, 4);
    assert_eq!(group.try_send(&number(2), Some(members[3].2)).queued, 4);
    settle().await;
    for (place, (_, wire, _)) in members.iter().enumerate() {
        let texts: Vec<_> = match place {
            2 => vec![Frame::text("2")],
            3 => vec![Frame::text("1")],
            _ => vec![Frame::text("1"), Frame::text("2")],
        };
        assert_eq!(read_frames(Role::Server, &wire.written()), texts);
    }
}

/// Counts how often it is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_member_that_waits_is_woken_once_for_a_burst() {
    let group = Group::new();
    let mut member = group.subscribe(wide());
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    for round in 1..4 {
        assert!(pin!(member.next()).poll(&mut Context::from_waker(&waker)).is_pending());
        for message in 0..100 {
            group.try_send(&number(message), None);
        }
        assert_eq!(count.0.load(Ordering::Relaxed), round);
        assert_eq!(waiting(&mut member).len(), 100);
    }
}

#[test]
fn a_slow_member_is_treated_as_its_options_say() {
    use SlowConsumer::{Close, DropOldest, Skip, Wait};
    // Five messages by a sender that does not wait. What the member finds, what the group has counted.
    for (slow, found, dropped, closed) in [
        (Wait, &["0", "1", "2"][..], 2, 0),
        (Skip, &["0", "1", "2"], 2, 0),
        (DropOldest, &["2", "3", "4"], 2, 0),
        (Close, &[], 4, 1),
    ] {
        let group = Group::new();
        let mut member = group.subscribe(narrow(slow));
        let mut other = group.subscribe(wide());
        for message in 0..5 {
            group.try_send(&number(message), None);
        }
        assert_eq!(member.stats().dropped, dropped, "{slow:?}");
        assert_eq!(member.stats().dropped_bytes, dropped, "{slow:?}");
        assert_eq!(member.stats().waiting, found.len());
        assert_eq!(group.member_stats(member.id()).is_some(), slow != Close, "who is closed has left");
        let stats = group.stats();
        assert_eq!((stats.dropped, stats.dropped_bytes, stats.closed), (dropped, dropped, closed));
        assert_eq!(waiting(&mut member), found, "{slow:?}");
        assert_eq!(waiting(&mut other), ["0", "1", "2", "3", "4"], "the others get everything");
        match slow {
            Close => assert_eq!(member.close(), Some((CloseCode::TRY_AGAIN_LATER, "too slow"))),
            _ => {
                group.try_send(&number(5), None);
                assert_eq!(waiting(&mut member), ["5"], "there is room again");
            }
        }
    }
}

#[test]
fn the_bound_in_bytes_holds_too() {
    let group = Group::new();
    let mut member = group.subscribe(narrow(SlowConsumer::DropOldest));
    let long = Prepared::new("x".repeat(1000));
    group.try_send(&number(0), None);
    group.try_send(&long, None);
    assert_eq!(member.stats().waiting_bytes, 1001, "below the bound a message of any length is taken");
    group.try_send(&number(1), None);
    assert_eq!(waiting(&mut member), ["1"], "until it was dropped, there was no room");
    assert_eq!(member.stats().dropped_bytes, 1001);
}

#[tokio::test]
async fn who_sends_waits_for_a_member_that_is_waited_for() {
    let group = Group::new();
    let mut member = group.subscribe(narrow(SlowConsumer::Wait));
    for message in 0..3 {
        assert!(poll_once(group.send(&number(message))).is_ready());
    }
    // Beyond the bound: the message is queued, its sender waits.
    let message = number(3);
    let mut sends = pin!(group.send(&message));
    for _ in 0..3 {
        assert!(poll_once(sends.as_mut()).is_pending());
    }
    assert_eq!(member.next().await.expect("a message").as_bytes(), b"0");
    assert!(poll_once(sends.as_mut()).is_pending(), "it is full still");
    assert_eq!(member.next().await.expect("a message").as_bytes(), b"1");
    let Poll::Ready(tally) = poll_once(sends.as_mut()) else { panic!("there is room") };
    assert_eq!((tally.queued, tally.dropped), (1, 0));
    assert_eq!(waiting(&mut member), ["2", "3"]);
    // Whoever does not wait for it fills it to twice its bound.
    for message in 0..8 {
        _ = poll_once(group.send(&number(message)));
    }
    assert_eq!(waiting(&mut member), ["0", "1", "2", "3", "4", "5"]);
    assert_eq!(group.stats().dropped, 2);
}

#[tokio::test]
async fn a_member_that_leaves_is_waited_for_no_longer() {
    for leave in 0..3 {
        let group = Group::new();
        let mut member = Some(group.subscribe(narrow(SlowConsumer::Wait)));
        let id = member.as_ref().expect("a member").id();
        for message in 0..3 {
            group.send(&number(message)).await;
        }
        let message = number(3);
        let mut sends = pin!(group.send(&message));
        assert!(poll_once(sends.as_mut()).is_pending());
        match leave {
            0 => member = None,
            1 => assert!(group.remove(id)),
            _ => group.close(CloseCode::GOING_AWAY, "").expect("short"),
        }
        assert!(poll_once(sends.as_mut()).is_ready());
        assert_eq!(group.count(), 0);
        assert!(!group.remove(id));
        drop(member);
    }
}

#[tokio::test]
async fn a_removed_member_gets_what_waited_and_stays_open() {
    let group = Group::new();
    let (handle, wire, id) = counted(&group, wide());
    settle().await;
    group.send(&number(1)).await;
    assert!(group.remove(id));
    assert_eq!(group.send(&number(2)).await.queued, 0);
    settle().await;
    handle.send("open").await.expect("sent");
    handle.flush().await.expect("written");
    assert_eq!(read_frames(Role::Server, &wire.written()), [Frame::text("1"), Frame::text("open")]);
    let mut member = group.subscribe(wide());
    group.send(&number(3)).await;
    group.remove(member.id());
    assert_eq!(member.next().await.expect("a message").as_bytes(), b"3");
    assert!(member.next().await.is_none());
    assert_eq!(member.close(), None);
}

#[tokio::test]
async fn closing_the_group_closes_every_connection_behind_what_waits() {
    let group = Group::new();
    let mut peers: Vec<(Handle, Raw<DuplexStream>)> = (0..20)
        .map(|_| {
            let (ws, peer) = facing_raw(Role::Server, 1 << 16);
            let handle = ws.spawn(1);
            group.add(&handle.sender(), wide()).expect("open");
            (handle, peer)
        })
        .collect();
    settle().await;
    assert!(matches!(
        group.close(CloseCode::GOING_AWAY, &"x".repeat(124)),
        Err(Error::Send(driver::SendError::ReasonTooLong(124)))
    ));
    group.send(&number(1)).await;
    group.close(CloseCode::GOING_AWAY, "bye").expect("short");
    assert_eq!(group.count(), 0);
    for (handle, peer) in &mut peers {
        assert_eq!(peer.recv().await, Some(Frame::text("1")));
        assert_eq!(peer.recv().await, Some(Frame::close(1001, "bye")));
        peer.send(Frame::close(1001, "bye")).await;
        assert!(handle.recv().await.is_none());
        assert!(handle.closed().expect("the end").is_clean());
    }
}

#[tokio::test]
async fn a_connection_that_has_ended_cannot_be_added() {
    let group = Group::new();
    let (handle, _wire, _) = counted(&group, wide());
    handle.sender().close_now();
    settle().await;
    assert_eq!(group.count(), 0);
    let refused = group.add(&handle.sender(), wide());
    assert!(matches!(refused, Err(Error::Send(driver::SendError::Closed))));
    assert_eq!(group.count(), 0);
}

#[tokio::test]
async fn what_waits_for_a_peer_that_does_not_read_is_bounded() {
    for slow in [SlowConsumer::Skip, SlowConsumer::DropOldest] {
        let group = Group::new();
        let mut options = MemberOptions::new(slow);
        options.max_messages = 50;
        let (_handle, wire, id) = counted(&group, options);
        let (_other, other_wire, _) = counted(&group, wide());
        wire.take(0);
        settle().await;
        let message = Prepared::new(vec![7; 1000]);
        for _ in 0..1000 {
            group.send(&message).await;
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        }
        settle().await;
        let stats = group.member_stats(id).expect("a member");
        assert_eq!((stats.waiting, stats.waiting_bytes), (50, 50_000));
        wire.take(usize::MAX);
        settle().await;
        let frames = read_frames(Role::Server, &wire.written()).len() as u64;
        assert_eq!(frames + stats.dropped, 1000, "{slow:?}");
        assert!((50 + 60..50 + 70).contains(&frames), "64 KiB wait in the connection: {frames}");
        assert_eq!(read_frames(Role::Server, &other_wire.written()).len(), 1000, "the other one missed none");
    }
}

#[tokio::test]
async fn a_slow_peer_is_closed_with_1013() {
    let group = Group::new();
    let (ws, mut peer) = facing_raw(Role::Server, 1000);
    let mut handle = ws.spawn(1);
    group.add(&handle.sender(), narrow(SlowConsumer::Close)).expect("open");
    settle().await;
    let message = Prepared::new(vec![7; 10_000]);
    while group.count() > 0 {
        group.send(&message).await;
        settle().await;
        assert!(group.stats().queued < 100);
    }
    let close = loop {
        let frame = peer.recv().await.expect("a frame");
        if frame.opcode == 8 {
            break frame;
        }
        assert_eq!(frame, Frame::binary([7; 10_000]));
    };
    assert_eq!(close, Frame::close(1013, "too slow"));
    peer.send(Frame::close(1013, "")).await;
    assert!(handle.recv().await.is_none());
    assert_eq!(group.stats().closed, 1);
}

#[tokio::test]
async fn a_loop_of_ones_own_receives_and_writes_what_the_group_is_sent() {
    let group = Group::new();
    let mut peers = Vec::new();
    for _ in 0..10 {
        let (mut ws, peer) = facing_raw(Role::Server, 1 << 16);
        let mut member = group.subscribe(wide());
        let group = group.clone();
        let task = tokio::spawn(async move {
            let (rx, tx) = ws.halves();
            while let Some(message) = member.recv(rx, tx).await {
                let message = Prepared::new(message.expect("a message").into_message());
                group.send_except(&message, member.id()).await;
            }
            ws.closed().expect("the end")
        });
        peers.push((peer, task));
    }
    for sender in 0..10 {
        peers[sender].0.send(Frame::text(format!("from {sender}"))).await;
        for (place, (peer, _)) in peers.iter_mut().enumerate() {
            if place != sender {
                assert_eq!(peer.recv().await, Some(Frame::text(format!("from {sender}"))));
            }
        }
    }
    group.close(CloseCode::GOING_AWAY, "").expect("short");
    for (mut peer, task) in peers {
        assert_eq!(peer.recv().await, Some(Frame::close(1001, "")));
        peer.send(Frame::close(1001, "")).await;
        assert!(task.await.expect("no panic").is_clean());
    }
}

#[tokio::test]
async fn a_burst_leaves_a_loop_of_ones_own_in_one_write_and_is_held_back_above_the_mark() {
    let (io, wire) = mock();
    let mut config = Config::new(Role::Server);
    config.timeouts = Timeouts::NONE.into();
    let mut ws = open(io, config);
    let group = Group::new();
    let mut member = group.subscribe(wide());
    let (rx, tx) = ws.halves();
    for message in 0..20 {
        group.send(&number(message)).await;
    }
    assert!(poll_once(member.recv(rx, tx)).is_pending());
    assert_eq!(wire.counts().1, 1);
    assert_eq!(read_frames(Role::Server, &wire.written()).len(), 20);
    wire.take(0);
    for _ in 0..100 {
        group.send(&Prepared::new(vec![7; 1000])).await;
    }
    assert!(poll_once(member.recv(rx, tx)).is_pending());
    assert!((65_536..67_000).contains(&tx.queued()), "{}", tx.queued());
    assert_eq!(member.stats().waiting, 100 - 66);
    wire.take(usize::MAX);
    assert!(poll_once(member.recv(rx, tx)).is_pending());
    assert_eq!(read_frames(Role::Server, &wire.written()).len(), 100, "all of it, without another wake-up");
    assert!(!member.feed(tx));
    group.send(&number(0)).await;
    assert!(member.feed(tx));
}

#[tokio::test]
async fn what_a_group_is_sent_is_written_without_a_look_at_the_input() {
    let (io, wire) = mock();
    let mut config = Config::new(Role::Server);
    config.timeouts = Timeouts::NONE.into();
    let mut ws = open(io, config);
    let group = Group::new();
    let mut member = group.subscribe(wide());
    let (rx, tx) = ws.halves();
    let mut future = pin!(member.recv(rx, tx));
    assert!(poll_once(future.as_mut()).is_pending());
    // Whoever looks for input leaves a waker.
    let reader = wire.state().reader.take();
    assert!(reader.is_some());
    for sent in 1..=5 {
        group.send(&number(sent)).await;
        assert!(poll_once(future.as_mut()).is_pending());
        assert_eq!(wire.counts().1, 1);
        assert!(wire.state().reader.is_none());
    }
    wire.state().reader = reader;
    // Both at once: neither is lost.
    group.send(&number(6)).await;
    wire.push(Frame::text("in").by(Role::Client));
    let Poll::Ready(Some(Ok(message))) = poll_once(future.as_mut()) else { panic!("a message is there") };
    assert_eq!(message.as_text(), Some("in"));
    assert_eq!(read_frames(Role::Server, &wire.written()).len(), 6);
}

#[tokio::test]
async fn what_a_group_is_sent_waits_until_a_message_in_parts_is_finished() {
    let (mut ws, mut peer) = facing_raw(Role::Server, 1 << 16);
    let group = Group::new();
    let mut member = group.subscribe(wide());
    let (rx, tx) = ws.halves();
    tx.sender().start(DataKind::Binary).expect("nothing is open");
    tx.sender().append(b"part").expect("open");
    group.send(&number(1)).await;
    assert!(poll_once(member.recv(rx, tx)).is_pending());
    assert_eq!(peer.recv().await, Some(Frame::binary("part").unfinished()));
    assert_eq!(member.stats().waiting, 1);
    tx.sender().finish().expect("open");
    assert!(poll_once(member.recv(rx, tx)).is_pending());
    assert_eq!(peer.recv().await, Some(Frame::continuation("")));
    assert_eq!(peer.recv().await, Some(Frame::text("1")));
}

#[tokio::test]
async fn a_loop_of_ones_own_may_choose_between_both() {
    let (mut ws, mut peer) = facing_raw(Role::Server, 1 << 16);
    let group = Group::new();
    let mut member = group.subscribe(wide());
    let sender = group.clone();
    let task = tokio::spawn(async move {
        let (rx, tx) = ws.halves();
        let mut received = Vec::new();
        loop {
            tokio::select! {
                message = rx.recv(tx) => match message {
                    Some(message) => received.push(message.expect("a message").as_bytes().to_vec()),
                    None => return received,
                },
                Some(message) = member.next() => {
                    tx.send_prepared(&message).expect("queued");
                    member.feed(tx);
                }
            }
        }
    });
    for round in 0..10 {
        sender.send(&number(round)).await;
        peer.send(Frame::text("up")).await;
        assert_eq!(peer.recv().await, Some(Frame::text(format!("{round}"))));
    }
    peer.send(Frame::close(1000, "")).await;
    assert_eq!(task.await.expect("no panic"), vec![b"up".to_vec(); 10]);
    assert_eq!(group.count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_members_see_concurrent_senders_in_the_same_order() {
    const SENDERS: usize = 4;
    const MESSAGES: usize = 300;
    let group = Group::new();
    let mut readers = Vec::new();
    for _ in 0..20 {
        let (mut client, server) = pair(200).await;
        let handle = server.spawn(1);
        let mut options = MemberOptions::new(SlowConsumer::Wait);
        options.max_messages = 10;
        group.add(&handle.sender(), options).expect("open");
        readers.push(tokio::spawn(async move {
            let mut seen = Vec::new();
            while seen.len() < SENDERS * MESSAGES {
                let message = client.recv().await.expect("not the end").expect("a message");
                seen.push(message.as_text().expect("text").to_owned());
            }
            drop(handle);
            seen
        }));
    }
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let group = group.clone();
            tokio::spawn(async move {
                for message in 0..MESSAGES {
                    let tally = group.send(&Prepared::new(format!("{sender} {message}"))).await;
                    assert_eq!((tally.queued, tally.dropped), (20, 0));
                }
            })
        })
        .collect();
    for sender in senders {
        timeout(Duration::from_secs(60), sender).await.expect("soon").expect("no panic");
    }
    let mut orders = Vec::new();
    for reader in readers {
        orders.push(timeout(Duration::from_secs(60), reader).await.expect("soon").expect("no panic"));
    }
    assert!(orders.iter().all(|order| *order == orders[0]));
    for sender in 0..SENDERS {
        let prefix = format!("{sender} ");
        let own: Vec<_> = orders[0].iter().filter_map(|text| text.strip_prefix(&prefix)).collect();
        assert!(own.iter().enumerate().all(|(place, number)| number.parse() == Ok(place)));
    }
}

#[tokio::test]
async fn a_prepared_message_is_sent_by_one_handle_too() {
    let (ws, mut peer) = facing_raw_with(Config::new(Role::Server), 1 << 16);
    let handle = ws.spawn(1);
    let message = number(1);
    handle.sender().send_prepared(&message).await.expect("sent");
    handle.send("2").await.expect("sent");
    assert_eq!(peer.recv().await, Some(Frame::text("1")));
    assert_eq!(peer.recv().await, Some(Frame::text("2")));
}

#[tokio::test]
async fn a_member_may_drop_its_futures_at_any_poll() {
    for polls in 1..6 {
        let (io, wire) = mock();
        wire.state().stutters = true;
        wire.state().step = 7;
        let mut ws = open(io, Config::new(Role::Server));
        let group = Group::new();
        let mut member = group.subscribe(wide());
        for byte in (0..10).flat_map(|number| Frame::text(format!("{number}")).by(Role::Client)) {
            wire.push([byte]);
        }
        let (rx, tx) = ws.halves();
        let mut received = 0;
        let mut sent = 0;
        for _ in 0..2000 {
            if sent < 20 {
                group.send(&number(sent)).await;
                sent += 1;
            }
            let mut future = pin!(member.recv(rx, tx));
            for _ in 0..polls {
                if let Poll::Ready(message) = poll_once(future.as_mut()) {
                    let message = message.expect("not the end").expect("a message");
                    assert_eq!(message.as_bytes(), format!("{received}").as_bytes());
                    received += 1;
                    break;
                }
            }
        }
        assert_eq!((received, sent), (10, 20));
        let expected: Vec<_> = (0..20).map(|number| Frame::text(format!("{number}"))).collect();
        assert_eq!(read_frames(Role::Server, &wire.written()), expected, "{polls}");
    }
}
