//! Prepared messages, by each way of sending.

mod support;

use support::{
    mock::{Mock, mock},
    open, poll_once,
};
use ws_testkit::Frame;
use ws_tokio::{
    Error, SendError, WebSocket,
    endpoint::{
        driver::{self, CloseCode, Config, Prepared},
        frame::Role,
    },
};

#[tokio::test]
async fn each_way_of_sending_takes_a_prepared_message() {
    for message in [Prepared::new("text"), Prepared::new(vec![1; 100_000]), Prepared::new("")] {
        let (io, wire) = mock();
        let mut ws = open(io, Config::new(Role::Server));
        ws.send_prepared(&message).await.expect("sent");
        ws.feed_prepared(&message).await.expect("fed");
        ws.halves().1.send_prepared(&message).expect("queued");
        ws.flush().await.expect("flushed");
        let (_reader, mut writer) = ws.split();
        writer.feed_prepared(&message).await.expect("fed");
        writer.send_prepared(&message).await.expect("sent");
        let opcode = if message.kind() == driver::DataKind::Text { 1 } else { 2 };
        let frame = Frame::new(opcode, message.as_bytes()).by(Role::Server);
        assert_eq!(wire.written(), frame.repeat(5));
    }
}

#[tokio::test]
async fn a_prepared_message_waits_for_room_as_any_other() {
    let waits = |ws: &mut WebSocket<Mock>| {
        let message = Prepared::new(vec![0; 100]);
        let flags = [poll_once(ws.feed_prepared(&message)), poll_once(ws.feed_prepared(&message))];
        flags.map(|poll| poll.is_pending())
    };
    let (io, wire) = mock();
    wire.take(0);
    let mut config = Config::new(Role::Server);
    config.limits.high_water_mark = 150;
    let mut ws = open(io, config);
    assert_eq!(waits(&mut ws), [false, true]);
    wire.take(usize::MAX);
    ws.flush().await.expect("flushed");
    assert_eq!(wire.written().len(), 2 * 102);
}

#[tokio::test]
async fn a_prepared_message_is_refused_behind_a_close() {
    let (io, _wire) = mock();
    let mut ws = open(io, Config::new(Role::Server));
    ws.begin_close(CloseCode::NORMAL, "").await.expect("sent");
    let refused = ws.send_prepared(&Prepared::new("late")).await;
    assert!(matches!(refused, Err(Error::Send(driver::SendError::Closed))));
    assert!(matches!(ws.send("late").await, Err(SendError::Unsent(_))));
}
