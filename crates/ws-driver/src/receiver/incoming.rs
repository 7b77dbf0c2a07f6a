//! A whole message, lent from where it arrived.

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};
use ws_frame::DataKind;

use super::{Ready, Receiver, memory::LARGE};
use crate::{Message, Payload, Text};

/// How much memory a run of short owned payloads shares.
const ARENA: usize = 16 * 1024;

/// A whole message, lent: its bytes are a slice of the buffer that they arrived in, unmasked and validated.
///
/// Looking at it costs nothing. [`into_message`](Self::into_message) makes it the caller's own.
pub struct Incoming<'a> {
    receiver: &'a mut Receiver,
    kind: DataKind,
}

impl<'a> Incoming<'a> {
    #[inline]
    pub(super) fn new(receiver: &'a mut Receiver) -> Option<Self> {
        let kind = match receiver.ready {
            Ready::Frame { kind, .. } => kind,
            _ => receiver.joined_kind()?,
        };
        Some(Self { receiver, kind })
    }

    /// Text or binary.
    #[inline]
    #[must_use]
    pub fn kind(&self) -> DataKind {
        self.kind
    }

    /// The payload.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        let receiver = &*self.receiver;
        match receiver.ready {
            Ready::Frame { len, .. } => receiver.lend(len),
            _ => &receiver.assembly,
        }
    }

    /// The text of a text message; a second pass over it, as [`Text::as_str`] says. `None` for a binary message, and for
    /// one that is not UTF-8 where validation is switched off.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self.kind {
            DataKind::Text => ws_frame::as_str(self.as_bytes()).ok(),
            DataKind::Binary => None,
        }
    }

    /// The message as the caller's own. Up to 23 bytes are held in the message itself, less than 16 KiB are copied into
    /// memory shared with their neighbours in the stream, and more are taken as they stand, without a copy.
    #[inline]
    #[must_use]
    pub fn into_message(self) -> Message {
        let (kind, validated) = (self.kind, self.receiver.validate);
        let payload = self.into_payload();
        match kind {
            DataKind::Text if validated => Message::Text(Text::validated(payload)),
            _ => Message::Binary(payload),
        }
    }

    /// The payload as the caller's own, see [`into_message`](Self::into_message).
    #[inline]
    #[must_use]
    pub fn into_payload(self) -> Payload {
        Payload::inline(self.as_bytes()).unwrap_or_else(|| self.into_shared())
    }

    /// A payload that is too long to be held in itself.
    #[inline(never)]
    fn into_shared(self) -> Payload {
        let receiver = self.receiver;
        match receiver.ready {
            Ready::Frame { len, .. } if len >= LARGE => {
                let payload = receiver.buf.split_to(receiver.at + len).split_off(receiver.at);
                receiver.at = 0;
                receiver.ready = Ready::Taken;
                payload.freeze().into()
            }
            Ready::Frame { len, .. } => {
                share(&receiver.buf[receiver.at..receiver.at + len], &mut receiver.arena).into()
            }
            _ => take(&mut receiver.assembly, &mut receiver.arena).into(),
        }
    }

    /// A frame with this header and the message as its payload, without a copy: the header is written over the one that
    /// the message came with. The message comes back where there is no room for that.
    pub(crate) fn into_frame(self, header: &[u8]) -> Result<Bytes, Self> {
        let at = self.receiver.at;
        let Ready::Frame { len, .. } = self.receiver.ready else { return Err(self) };
        let Some(start) = at.checked_sub(header.len()) else { return Err(self) };
        let receiver = self.receiver;
        receiver.buf[start..at].copy_from_slice(header);
        receiver.at = 0;
        receiver.ready = Ready::Taken;
        let mut frame = receiver.buf.split_to(at + len).freeze();
        frame.advance(start);
        Ok(frame)
    }
}

impl Receiver {
    /// The kind of the message that is ready, where it did not come in one frame.
    #[cold]
    fn joined_kind(&mut self) -> Option<DataKind> {
        match self.ready {
            Ready::Assembly { kind } => Some(kind),
            Ready::Inflow => self.inflow.as_mut()?.kind(),
            _ => None,
        }
    }
}

/// Takes a large payload, copies a short one.
fn take(data: &mut BytesMut, arena: &mut BytesMut) -> Bytes {
    if data.len() >= LARGE { data.split().freeze() } else { share(data, arena) }
}

/// Copies into memory that a run of payloads shares. It is used again when all of them are gone.
fn share(data: &[u8], arena: &mut BytesMut) -> Bytes {
    if arena.capacity() < data.len() {
        arena.reserve(ARENA.max(data.len()));
    }
    arena.extend_from_slice(data);
    arena.split().freeze()
}

impl From<Incoming<'_>> for Message {
    fn from(incoming: Incoming<'_>) -> Self {
        incoming.into_message()
    }
}

impl fmt::Debug for Incoming<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("kind", &self.kind).finish_non_exhaustive()
    }
}
