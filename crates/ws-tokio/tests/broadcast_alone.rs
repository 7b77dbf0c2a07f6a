//! A message to a member that has nothing else to write: it is written on the spot, and what does not leave is queued.

mod support;

use std::{io, pin::pin, task::Poll};

use support::{
    mock::{Mock, Wire, mock},
    open, poll_once,
};
use ws_testkit::{Frame, read_frames};
use ws_tokio::{
    Error, Group, MemberOptions, SlowConsumer, WebSocket,
    endpoint::{
        driver::{CloseCode, Config, Prepared, Timeouts},
        frame::Role,
    },
};

fn server() -> (WebSocket<Mock>, Wire, Group) {
    let (io, wire) = mock();
    let mut config = Config::new(Role::Server);
    config.timeouts = Timeouts::NONE.into();
    (open(io, config), wire, Group::new())
}

fn options() -> MemberOptions {
    MemberOptions::new(SlowConsumer::Skip)
}

#[tokio::test]
async fn what_a_transport_does_not_take_leaves_before_what_is_sent_next() {
    // Shorter than what is copied, and longer.
    for len in [0, 5, 5000] {
        let [first, second] = ["a", "b"].map(|text| Frame::text(text.repeat(len)));
        let whole = first.by(Role::Server).len();
        for room in (0..=whole.min(9)).chain([whole / 2, whole - 1, whole]) {
            let (mut ws, wire, group) = server();
            let mut member = group.subscribe(options());
            let (rx, tx) = ws.halves();
            let mut future = pin!(member.recv(rx, tx));
            assert!(poll_once(future.as_mut()).is_pending());
            wire.take(room);
            group.send(&Prepared::new("a".repeat(len))).await;
            assert!(poll_once(future.as_mut()).is_pending());
            assert_eq!(wire.state().written.len(), room);
            group.send(&Prepared::new("b".repeat(len))).await;
            assert!(poll_once(future.as_mut()).is_pending());
            wire.take(usize::MAX);
            assert!(poll_once(future.as_mut()).is_pending());
            assert_eq!(read_frames(Role::Server, &wire.written()), [first.clone(), second.clone()], "{room}");
        }
    }
}

#[tokio::test]
async fn a_member_whose_frames_are_masked_has_them_queued() {
    let (io, wire) = mock();
    let mut config = Config::new(Role::Client);
    config.timeouts = Timeouts::NONE.into();
    let (mut ws, group) = (open(io, config), Group::new());
    let mut member = group.subscribe(options());
    let (rx, tx) = ws.halves();
    let mut future = pin!(member.recv(rx, tx));
    assert!(poll_once(future.as_mut()).is_pending());
    for text in ["one", "two"] {
        group.send(&Prepared::new(text)).await;
        assert!(poll_once(future.as_mut()).is_pending());
        assert_eq!(read_frames(Role::Client, &wire.written()), [Frame::text(text)]);
    }
}

#[tokio::test]
async fn a_transport_that_fails_ends_the_connection_with_its_reason() {
    // What the transport has to tell comes behind the failure, or with it.
    for at_once in [false, true] {
        let (mut ws, wire, group) = server();
        let mut member = group.subscribe(options());
        let (rx, tx) = ws.halves();
        {
            let mut future = pin!(member.recv(rx, tx));
            assert!(poll_once(future.as_mut()).is_pending());
            wire.fail_writes(io::ErrorKind::ConnectionReset);
            group.send(&Prepared::new("lost")).await;
            let told = if at_once { Poll::Pending } else { poll_once(future.as_mut()) };
            wire.end(Ok(()));
            let told = if told.is_pending() { poll_once(future.as_mut()) } else { told };
            let Poll::Ready(Some(Err(Error::Io(error)))) = told else { panic!("the failure is told") };
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        }
        assert!(matches!(poll_once(member.recv(rx, tx)), Poll::Ready(None)));
    }
}

#[tokio::test]
async fn a_close_of_the_group_comes_behind_the_message_and_waits_for_its_answer() {
    let (mut ws, wire, group) = server();
    let mut member = group.subscribe(options());
    let (rx, tx) = ws.halves();
    let mut future = pin!(member.recv(rx, tx));
    assert!(poll_once(future.as_mut()).is_pending());
    group.send(&Prepared::new("last")).await;
    group.close(CloseCode::GOING_AWAY, "").expect("short");
    assert!(poll_once(future.as_mut()).is_pending());
    let expected = [Frame::text("last"), Frame::close(1001, "")];
    assert_eq!(read_frames(Role::Server, &wire.written()), expected);
    wire.push(Frame::close(1001, "").by(Role::Client));
    wire.end(Ok(()));
    assert!(matches!(poll_once(future.as_mut()), Poll::Ready(None)));
}
