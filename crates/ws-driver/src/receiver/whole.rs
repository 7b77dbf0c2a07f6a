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

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts around each length at which something is done differently, good, and bad at each interesting place.
    #[test]
    fn text_is_judged_as_if_it_were_in_one_piece() {
        let key = [1, 2, 3, 4];
        let mask =
            |text: &[u8]| -> Vec<u8> { text.iter().zip(key.iter().cycle()).map(|(a, b)| a ^ b).collect() };
        for len in [0, 1, LONG - 1, LONG, LONG + 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 5] {
            let ascii = vec![b'x'; len];
            let places =
                [0, 1, LONG, BLOCK - 2, BLOCK - 1, BLOCK, 2 * BLOCK - 1, 2 * BLOCK, len.saturating_sub(3)];
            let changed = places.into_iter().filter(|place| place + 3 <= len).flat_map(|place| {
                ["€".as_bytes(), b"\xe2\x82\x28", b"x\xffx"].map(|change| {
                    let mut text = ascii.clone();
                    text[place..place + 3].copy_from_slice(change);
                    text
                })
            });
            for text in changed.chain([ascii.clone()]) {
                let mut payload = mask(&text);
                assert_eq!(unmask(&mut payload, Some(key), true), validate_utf8(&text), "{len} bytes");
                assert_eq!(payload, text);
                assert_eq!(unmask(&mut payload, None, true), validate_utf8(&text));
                assert_eq!(unmask(&mut payload, None, false), Ok(()));
                assert_eq!(payload, text);
            }
        }
    }
}
