//! One of two connections that talk.

use std::collections::VecDeque;

use bytes::Buf;
use ws_driver::{CloseCode, DataKind, Message, Role, SendError, Wants};
use ws_testkit::{Endpoint, Seen};

use crate::Input;

/// How pings of a script begin, and so the pongs that answer them. Those that keep a connection alive are shorter, and may
/// hold any bytes: what time it is.
pub(super) const PING: &[u8] = b"ping ";

/// How pongs of a script begin, which answer nothing.
pub(super) const PONG: &[u8] = b"pong ";

/// One of the two.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) role: Role,
    pub(super) endpoint: Endpoint,
    /// What was accepted for sending, whole.
    pub(super) sent: Vec<Seen>,
    /// The message in parts.
    open: Option<(DataKind, Vec<u8>)>,
    /// On its way to the other side.
    pub(super) wire: VecDeque<u8>,
    /// All that was ever written.
    pub(super) written: Vec<u8>,
    /// Whether nothing more will be written.
    pub(super) shut: bool,
    /// Whether it was told that the other side has ended.
    told: bool,
}

impl Side {
    pub(super) fn new(role: Role, endpoint: Endpoint) -> Self {
        Self {
            role,
            endpoint,
            sent: Vec::new(),
            open: None,
            wire: VecDeque::new(),
            written: Vec::new(),
            shut: false,
            told: false,
        }
    }

    /// Sends whatever the script wants. What is refused is not noted, so it must leave no trace.
    pub(super) fn act(&mut self, input: &mut Input<'_>) {
        let sender = self.endpoint.connection.sender();
        let (accepted, sent) = match input.below(8) {
            0 => {
                let text = input.text();
                (sender.write(DataKind::Text, text.as_bytes()).is_ok(), Seen::text(text))
            }
            1 => {
                let data = input.data();
                (sender.send(Message::from(data)).is_ok(), Seen::binary(data))
            }
            2 => {
                let kind = input.one_of(&[DataKind::Text, DataKind::Binary]);
                if sender.start(kind).is_ok() {
                    self.open = Some((kind, Vec::new()));
                }
                return;
            }
            3 | 4 => return self.part(input),
            5 => {
                let data = control(PING, input);
                (sender.ping(&data).is_ok(), Seen::Ping(data))
            }
            6 => {
                let data = control(PONG, input);
                (sender.pong(&data).is_ok(), Seen::Pong(data))
            }
            _ => return self.close(input),
        };
        if accepted {
            self.sent.push(sent);
        }
    }

    fn part(&mut self, input: &mut Input<'_>) {
        let sender = self.endpoint.connection.sender();
        let (last, part) = (input.byte() & 1 != 0, input.text());
        let done = if last { sender.finish_with(part.as_bytes()) } else { sender.append(part.as_bytes()) };
        if done.is_err() {
            return;
        }
        let Some((_, data)) = &mut self.open else { panic!("a part of no message was accepted") };
        data.extend_from_slice(part.as_bytes());
        if last && let Some((kind, data)) = self.open.take() {
            self.sent.push(if kind == DataKind::Text { Seen::Text(data) } else { Seen::Binary(data) });
        }
    }

    fn close(&mut self, input: &mut Input<'_>) {
        let sender = self.endpoint.connection.sender();
        let code = input.one_of(&[1000, 3000, 4000]) + u16::from(input.byte());
        let Ok(code) = CloseCode::new(code) else { return sender.close_without_code() };
        let reason = input.text();
        // RFC 6455 section 5.5: 125 bytes, two of them for the code.
        let refused = Err(SendError::ReasonTooLong(reason.len()));
        assert_eq!(sender.close(code, &reason), if reason.len() > 123 { refused } else { Ok(()) });
    }

    /// Writes up to `most` bytes, or shuts down where nothing will be written any more. Says whether anything moved.
    pub(super) fn write(&mut self, most: usize) -> bool {
        let wants = self.endpoint.connection.wants();
        if wants.write {
            let outbox = self.endpoint.connection.sender().outbox();
            let len = outbox.chunk().len().min(most);
            self.written.extend_from_slice(&outbox.chunk()[..len]);
            self.wire.extend(&outbox.chunk()[..len]);
            outbox.advance(len);
            let _progress = self.endpoint.advance(); // pongs that waited for room
            return len > 0;
        }
        // Who wants nothing any more drops the transport, which ends it for the other side too.
        (wants.shutdown || wants == Wants::NOTHING) && self.shut_down()
    }

    fn shut_down(&mut self) -> bool {
        self.endpoint.connection.shut();
        !std::mem::replace(&mut self.shut, true)
    }

    /// Nothing more arrives.
    pub(super) fn end(&mut self) -> bool {
        let news = !std::mem::replace(&mut self.told, true);
        if news {
            let _progress = self.endpoint.end_of_stream();
        }
        let shuts = self.endpoint.connection.wants().shutdown && self.shut_down();
        news || shuts
    }
}

/// The payload of a control frame: at most 125 bytes.
fn control(tag: &[u8], input: &mut Input<'_>) -> Vec<u8> {
    let data = input.data();
    [tag, &data[..data.len().min(125 - tag.len())]].concat()
}
