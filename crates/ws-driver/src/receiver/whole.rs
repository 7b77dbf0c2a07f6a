//! The common case in one go: a message in one frame that is all there.

use ws_frame::{DataKind, Header, Masker, OpCode, Rules, Utf8Error, validate_utf8};

use super::{Ready, Receiver, data::BLOCK};
use crate::{Delivery, Fault};

impl Receiver {
    /// Goes on to the next message if that is the common case: in one frame, all there, within the limits, to be given
    /// whole, and for no extension. Whatever is not, or breaks a rule of framing, is left as it is.
    #[inline]
    pub(super) fn take_whole(&mut self) -> Result<bool, Fault> {
        match self.ready {
            Ready::Frame { len, .. } => {
                self.at += len;
                self.ready = Ready::Nothing;
            }
            Ready::Nothing => {}
            _ => return Ok(false),
        }
        let between_messages = self.message.is_none() && self.frame.is_none() && self.ending.is_none();
        if !between_messages || self.inflow.is_some() || self.delivery != Delivery::Whole {
            return Ok(false);
        }
        let rules = Rules { role: self.role, rsv: self.rsv, message_open: false };
        let Ok(Some((header, header_len))) = Header::decode(self.pending(), rules) else { return Ok(false) };
        let most = self.limits.max_message_len.min(self.limits.max_frame_len);
        let Ok(len) = usize::try_from(header.len) else { return Ok(false) };
        if !header.fin || header.opcode.is_control() || len > most {
            return Ok(false);
        }
        let start = self.at + header_len;
        let Some(payload) = self.buf.get_mut(start..).and_then(|rest| rest.get_mut(..len)) else {
            return Ok(false);
        };
        let kind = if header.opcode == OpCode::Text { DataKind::Text } else { DataKind::Binary };
        unmask(payload, header.mask, kind == DataKind::Text && self.validate)?;
        self.at = start;
        self.heard = true;
        self.messaged = true;
        self.ready = Ready::Frame { kind, len };
        Ok(true)
    }
}

/// From this length on a look for ASCII pays that stops at the first byte that is none.
const LONG: usize = 128;

/// Unmasks a payload, and checks that it is UTF-8 if it is `text`.
#[inline]
fn unmask(payload: &mut [u8], mask: Option<[u8; 4]>, text: bool) -> Result<(), Utf8Error> {
    let mut masker = mask.map(Masker::new);
    if !text || payload.len() < LONG {
        if let Some(masker) = &mut masker {
            masker.apply(payload);
        }
        return if text { validate_utf8(payload) } else { Ok(()) };
    }
    unmask_text(payload, masker)
}

/// The same for a long text, in blocks, so that both passes find each in the fastest cache. Most texts are ASCII.
fn unmask_text(payload: &mut [u8], mut masker: Option<Masker>) -> Result<(), Utf8Error> {
    let mut ascii = 0;
    let mut done = 0;
    for block in payload.chunks_mut(BLOCK) {
        if let Some(masker) = &mut masker {
            masker.apply(block);
        }
        if ascii == done && block.is_ascii() {
            ascii += block.len();
        }
        done += block.len();
    }
    let rest = payload.get(ascii..).unwrap_or_default();
    if rest.is_empty() {
        return Ok(());
    }
    validate_utf8(rest).map_err(|error| Utf8Error { offset: error.offset + ascii as u64 })
}
