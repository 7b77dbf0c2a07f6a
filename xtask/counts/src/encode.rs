//! Sending: a message into the outbox, and out of it again.

use std::hint::black_box;
use std::time::Instant;

use bytes::Buf as _;
use ws_endpoint::driver::{
    Config, Connection, Event, Incoming, Message, Negotiated, Progress, Scratch, SendError, Sender,
};
use ws_endpoint::frame::{DataKind, Role};

use crate::case::{Case, Run, repeat};
use crate::material::{binary, frame};

/// Messages of one batch: they leave in one write.
const BATCH: usize = 16;

const BATCHES: usize = 16;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for len in [16, 125, 1 << 10, 16 << 10] {
        for (name, role) in [("server", Role::Server), ("client", Role::Client)] {
            cases.push(Case::new(format!("encode/write/{name}/{len}"), move || {
                let payload = binary(len);
                Ok(batches(role, move |sender| sender.write(DataKind::Binary, &payload).is_ok()))
            }));
            cases.push(Case::new(format!("encode/send/{name}/{len}"), move || {
                let payload = bytes::Bytes::from(binary(len));
                Ok(batches(role, move |sender| sender.send(Message::Binary(payload.clone().into())).is_ok()))
            }));
        }
        cases.push(Case::new(format!("encode/echo/{len}"), move || {
            Ok(echo(&frame(Role::Server, DataKind::Binary, &binary(len)), Sender::forward))
        }));
        cases.push(Case::new(format!("encode/echo-owned/{len}"), move || {
            let send = |sender: &mut Sender, message: Incoming<'_>| {
                sender.send(message.into_message()).map_err(|unsent| unsent.error)
            };
            Ok(echo(&frame(Role::Server, DataKind::Binary, &binary(len)), send))
        }));
    }
    cases
}

/// Sends messages by batches. A run gives the number of messages.
fn batches(role: Role, mut send: impl FnMut(&mut Sender) -> bool + 'static) -> Run {
    let mut connection = Connection::new(Config::new(role), Negotiated::default(), Instant::now());
    let mut scratch = Scratch::default();
    let mut run = repeat(BATCHES, move || {
        connection.attach(&mut scratch);
        let sender = connection.sender();
        for _ in 0..BATCH {
            black_box(send(sender));
        }
        write(sender);
        connection.detach(&mut scratch);
    });
    Box::new(move || run() * BATCH)
}

/// Receives messages by batches and sends them back, as an echo server does. A run gives the number of messages.
fn echo(
    frame: &[u8],
    mut send: impl FnMut(&mut Sender, Incoming<'_>) -> Result<(), SendError> + 'static,
) -> Run {
    let batch = BATCH.min((64 << 10) / frame.len()).max(1);
    let input = frame.repeat(batch);
    let mut connection = Connection::new(Config::new(Role::Server), Negotiated::default(), Instant::now());
    let mut scratch = Scratch::default();
    let mut run = repeat(BATCHES, move || {
        connection.attach(&mut scratch);
        connection.receiver().buffer().extend_from_slice(&input);
        while let Progress::Ready = connection.advance() {
            let (receiver, sender) = connection.halves();
            if let Event::Message(message) = receiver.event() {
                black_box(send(sender, message).is_ok());
            }
        }
        write(connection.sender());
        connection.detach(&mut scratch);
    });
    Box::new(move || run() * batch)
}

/// A transport that takes everything.
fn write(sender: &mut Sender) {
    while sender.outbox().has_remaining() {
        let len = black_box(sender.outbox().chunk()).len();
        sender.outbox().advance(len);
    }
}
