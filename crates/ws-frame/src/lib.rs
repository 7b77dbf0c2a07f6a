//! WebSocket frames (RFC 6455 section 5) without I/O and without allocation: header codec, masking,
//! incremental UTF-8, close codes.
//!
//! Everything here is a plain value or a small state machine over byte slices. The crate knows one frame at a time
//! and the rules it must keep; messages, buffers, extensions and connections are built on top of it.
//!
//! | to | use |
//! | --- | --- |
//! | read and write the header of a frame | [`Header`], under the [`Rules`] of who receives |
//! | mask and unmask a payload | [`Masker`] |
//! | check text as it arrives | [`Utf8Validator`]; [`validate_utf8`] and [`as_str`] for one whole text |
//! | read and write the payload of a Close | [`ClosePayload`], [`CloseCode`] |
//!
//! # Example
//!
//! Every frame in a buffer, as a server reads it:
//!
//! ```
//! use ws_frame::{FrameError, Header, Masker, OpCode, Role, Rsv, Rules};
//!
//! /// Hands over the whole frames in `buf`, unmasked in place, and says how many bytes they took.
//! fn frames(buf: &mut [u8], mut on: impl FnMut(Header, &[u8])) -> Result<usize, FrameError> {
//!     let mut rules = Rules { role: Role::Server, rsv: Rsv::NONE, message_open: false };
//!     let mut used = 0;
//!     while let Some((header, header_len)) = Header::decode(&buf[used..], rules)? {
//!         let rest = &mut buf[used + header_len..];
//!         let Ok(len) = usize::try_from(header.len) else { break };
//!         let Some(payload) = rest.get_mut(..len) else { break }; // the frame is not all there yet
//!         if let Some(key) = header.mask {
//!             Masker::new(key).apply(payload);
//!         }
//!         if !header.opcode.is_control() {
//!             rules.message_open = !header.fin;
//!         }
//!         on(header, payload);
//!         used += header_len + len;
//!     }
//!     Ok(used)
//! }
//!
//! // "Hello", masked, from RFC 6455 section 5.7.
//! let mut buf = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
//! let used = frames(&mut buf, |header, payload| {
//!     assert_eq!((header.opcode, payload), (OpCode::Text, &b"Hello"[..]));
//! });
//! assert_eq!(used, Ok(11));
//! ```
//!
//! # Features
//!
//! - `simd`: validates UTF-8 with SIMD instructions, chosen at run time. Needs `std`. What is accepted and what is
//!   refused stays the same.
//!
//! Without features the crate needs neither `std` nor `alloc`.
//!
//! # What is not here
//!
//! Limits on lengths, the joining of fragments, and masking keys: the caller knows its memory and its source of
//! randomness.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod close_code;
mod close_payload;
mod error;
mod header;
mod mask;
mod opcode;
mod role;
mod rsv;
mod rules;
mod utf8;

pub use close_code::{ABNORMAL, CloseCode, InvalidCloseCode, NO_STATUS};
pub use close_payload::{CloseError, ClosePayload, ReasonTooLong};
pub use error::FrameError;
pub use header::Header;
pub use mask::Masker;
pub use opcode::{DataKind, OpCode};
pub use role::Role;
pub use rsv::Rsv;
pub use rules::Rules;
pub use utf8::{Utf8Error, Utf8Validator, as_str, validate_utf8};
