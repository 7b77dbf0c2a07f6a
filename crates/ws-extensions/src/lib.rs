//! WebSocket extensions as plug-ins: header grammar, negotiation, RSV ownership and an ordered pipeline.
//!
//! An [`Extension`] is registered once, in a [`Registry`]. For each connection it is negotiated by the
//! `Sec-WebSocket-Extensions` header (RFC 6455 section 9.1), and then works on whole messages, one [`Codec`] for each
//! direction. There is no I/O here, no thread and no clock.
//!
//! # Negotiation
//!
//! ```text
//! client                                                 server
//! Registry::offer ──> ClientOffer::header ──request──>  Registry::respond ──> Negotiated { header, .. }
//! Negotiated <── ClientOffer::activate <──response────────────────────────────────────┘
//! ```
//!
//! The client offers what is registered, in that order. The server asks its extensions, in the order of its own
//! registry, whether they take what was offered under their names; two that own the same reserved bit are never both
//! taken. The client checks that it gets only what it offered, each once, with parameters that the extension accepts.
//! Malformed headers are refused, never guessed at.
//!
//! # Messages
//!
//! [`Negotiated`] has a [`Chain`] for each direction. Outgoing messages pass the extensions in the order of the
//! answer, incoming ones against it. A codec says of each message whether it [passes](Plan::Pass) untouched, is worked
//! on [as it comes](Plan::Stream), or is [deferred](Plan::Defer) to a [`Job`] that may run anywhere and take its time.
//! Messages come out in order all the same. What an extension makes of a message ends at the message limit, what it
//! holds at the bounds of [`SessionOptions`], and a panic in it at its own direction of its own connection.
//!
//! # A whole extension
//!
//! ```
//! use bytes::Bytes;
//! use ws_extensions::*;
//! use ws_frame::{DataKind, Role, Rsv};
//!
//! /// Turns every bit of a message round.
//! struct Invert;
//!
//! impl Extension for Invert {
//!     fn name(&self) -> &'static str { "x-invert" }
//!     fn rsv(&self) -> Rsv { Rsv::RSV2 }
//!     fn offer(&self, _: &SessionOptions) -> Option<Box<dyn Offer>> { Some(Box::new(Plain([Params::new()]))) }
//!     fn accept(&self, _: &[Params], _: &SessionOptions) -> Option<(Params, Session)> {
//!         Some((Params::new(), Session::new(Incoming, Outgoing)))
//!     }
//! }
//!
//! struct Plain([Params; 1]);
//!
//! impl Offer for Plain {
//!     fn params(&self) -> &[Params] { &self.0 }
//!     fn activate(self: Box<Self>, response: &Params) -> Result<Session, Refusal> {
//!         if !response.is_empty() { return Err(Refusal::new("takes no parameters")); }
//!         Ok(Session::new(Incoming, Outgoing))
//!     }
//! }
//!
//! fn invert(fragment: &[u8], out: &mut Output<'_>) -> Result<(), ExtensionError> {
//!     fragment.iter().try_for_each(|byte| out.extend_from_slice(&[!byte]))
//! }
//!
//! struct Outgoing;
//!
//! impl Codec for Outgoing {
//!     fn begin(&mut self, head: &mut MessageHead, _: Option<usize>) -> Plan {
//!         head.rsv = head.rsv | Rsv::RSV2; // tells the peer that this message is inverted
//!         Plan::Stream
//!     }
//!     fn push(&mut self, fragment: &[u8], _: bool, out: &mut Output<'_>) -> Result<(), ExtensionError> {
//!         invert(fragment, out)
//!     }
//! }
//!
//! struct Incoming;
//!
//! impl Codec for Incoming {
//!     fn begin(&mut self, head: &mut MessageHead, _: Option<usize>) -> Plan {
//!         let inverted = head.rsv.contains(Rsv::RSV2);
//!         head.rsv = head.rsv.without(Rsv::RSV2);
//!         if inverted { Plan::Stream } else { Plan::Pass }
//!     }
//!     fn push(&mut self, fragment: &[u8], _: bool, out: &mut Output<'_>) -> Result<(), ExtensionError> {
//!         invert(fragment, out)
//!     }
//! }
//!
//! let mut registry = Registry::new();
//! registry.register(Invert)?;
//! let offer = registry.offer(&SessionOptions::new(Role::Client, Some(1 << 20)));
//! let server = registry.respond(offer.header(), &SessionOptions::new(Role::Server, Some(1 << 20)))?;
//! let client = offer.activate(server.header.as_deref())?;
//!
//! let (mut sent, mut received) = (client.outgoing, server.incoming);
//! assert_eq!(sent.begin(MessageHead::new(DataKind::Binary), Some(2)), Route::Queued);
//! sent.push(b"\x00\xf0", true);
//! let wire = sent.front().expect("nothing was deferred");
//! assert_eq!((wire.head.rsv, &wire.data[..]), (Rsv::RSV2, &b"\xff\x0f"[..]));
//! assert_eq!(received.begin(wire.head, Some(2)), Route::Queued);
//! received.push(wire.data, true);
//! assert_eq!(&received.front().expect("nothing was deferred").data[..], b"\x00\xf0");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is not done
//!
//! Extensions see messages, not frames: one that needs the frames' boundaries, or control frames, has no place here.
//! An extension cannot be taken out of a connection that is open.
#![forbid(unsafe_code)]

mod chain;
mod class;
mod client;
mod codec;
mod contain;
mod error;
mod extension;
mod grammar;
mod job;
mod message;
mod negotiated;
mod options;
mod output;
mod params;
mod registry;

pub use chain::{Chain, Front, Route};
pub use class::Class;
pub use client::{ClientOffer, NegotiationError};
pub use codec::{Codec, ExclusiveWork, Outcome, Plan, Work};
pub use error::{ExtensionError, Fault};
pub use extension::{Extension, Offer, Refusal, Session};
pub use grammar::{HeaderError, MAX_EXTENSIONS, MAX_PARAMS, format, parse};
pub use job::{Direction, Finished, Job, JobId};
pub use message::{Compress, MessageHead};
pub use negotiated::Negotiated;
pub use options::SessionOptions;
pub use output::Output;
pub use params::{InvalidToken, Params};
pub use registry::{RegisterError, Registry};
