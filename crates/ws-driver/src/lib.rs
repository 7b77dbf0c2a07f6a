//! One open WebSocket connection as a state machine (RFC 6455 sections 5 to 7): bytes in, events out, bytes out,
//! deadlines. It does no I/O, reads no clock, spawns nothing and logs nothing, so that it serves any runtime and
//! every test can be replayed.
//!
//! A [`Connection`] is two halves. The [`Receiver`] is read into and lends [`Event`]s; the [`Sender`] takes messages and
//! fills an [`Outbox`] that is written from. What the first owes the second, pongs and the answer to a Close, travels in
//! a plain value, [`Replies`]. [`Lifecycle`] keeps the deadlines and knows how a connection ends.
//!
//! ```
//! use std::{io::{self, Read, Write}, time::Instant};
//!
//! use bytes::Buf;
//! use ws_driver::{Connection, Event, Progress};
//!
//! /// Echoes every message until the connection has ended.
//! fn echo(mut connection: Connection, mut transport: impl Read + Write) -> io::Result<()> {
//!     let mut chunk = [0; 4096];
//!     loop {
//!         while let Progress::Ready = connection.advance() {
//!             let (receiver, sender) = connection.halves();
//!             if let Event::Message(message) = receiver.event() {
//!                 sender.forward(message).map_err(io::Error::other)?;
//!             }
//!         }
//!         connection.poll_deadline(Instant::now());
//!         let wants = connection.wants();
//!         if wants.write {
//!             let written = transport.write(connection.sender().outbox().chunk())?;
//!             connection.sender().outbox().advance(written);
//!         } else if wants.shutdown {
//!             connection.shut(); // and shut the transport down
//!         } else if wants.read {
//!             match transport.read(&mut chunk)? {
//!                 0 => connection.end_of_stream(),
//!                 n => connection.receiver().buffer().extend_from_slice(&chunk[..n]),
//!             }
//!         } else {
//!             return Ok(());
//!         }
//!     }
//! }
//! ```
//!
//! # Features
//!
//! - `simd`: validates UTF-8 with SIMD instructions, see `ws-frame`. What is accepted stays the same.
//!
//! # What is not here
//!
//! The opening handshake (`ws-handshake`), its composition with this crate (`ws-endpoint`), I/O (`ws-tokio`).
#![forbid(unsafe_code)]

mod closed;
mod config;
mod connection;
mod event;
mod fault;
mod lifecycle;
mod mask;
mod message;
mod outbox;
mod payload;
mod prepared;
mod receiver;
mod replies;
mod round_trip;
mod scratch;
mod sender;
mod shared;
mod spare;
mod tick;

pub use self::{
    closed::{Closed, Initiator},
    config::{Config, Delivery, Limits, Timeouts},
    connection::{Connection, Parts},
    event::{CloseReason, Ending, Event, Part, Progress},
    fault::{Expired, Fault, SendError, Unsent},
    lifecycle::{Lifecycle, Wants},
    mask::MaskSource,
    message::{Message, Text},
    outbox::Outbox,
    payload::{INLINE, Payload},
    prepared::Prepared,
    receiver::{Incoming, Pause, Receiver},
    replies::Replies,
    scratch::Scratch,
    sender::Sender,
    shared::Shared,
};
pub use ws_extensions::{Compress, Finished, Job, JobId, Negotiated};
pub use ws_frame::{
    ABNORMAL, CloseCode, CloseError, DataKind, FrameError, InvalidCloseCode, NO_STATUS, Role, Utf8Error,
};
