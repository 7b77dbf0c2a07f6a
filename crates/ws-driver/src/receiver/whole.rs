//! The common case in one go: a message in one frame that is all there.

use ws_frame::{DataKind, Header, Masker, OpCode, Rules, Utf8Error, Utf8Validator, validate_utf8};

use super::{Ready, Receiver, data::BLOCK};
use crate::{Delivery, Fault, Progress};

impl Receiver {
    /// Goes on to the next message if that is the common case: in one frame, all there, within the limits, to be given
    /// whole, and for no extension. `None` for whatever is not, or breaks a rule of framing: it is left as it is.
    #[inline]
    pub(super) fn take_whole(&mut self) -> Result<Option<Progress>, Fault> {
        match self.ready {
            Ready::Frame { len, .. } => {
                self.at += len;
                self.ready = Ready::Nothing;
            }
            Ready::Nothing => {}
            _ => return Ok(None),
        }
        let between_messages = self.message.is_none() && self.frame.is_none() && self.ending.is_none();
        if !between_messages || self.inflow.is_some() || self.delivery != Delivery::Whole {
            return Ok(None);
        }
        if self.at >= self.buf.len() && !self.end_of_stream {
            self.buf.clear();
            self.at = 0;
            return Ok(Some(Progress::NeedBytes));
        }
        if self.take_short()? || self.take_any_len()? { Ok(Some(Progress::Ready)) } else { Ok(None) }
    }

    /// The same for a message of up to 64 KiB, whose header is a matter of a few bytes.
    #[inline]
    fn take_short(&mut self) -> Result<bool, Fault> {
        let masked = !self.role.masks();
        let Some(&[first, second, ref rest @ ..]) = self.buf.get(self.at..) else { return Ok(false) };
        let kind = match first {
            0x81 => DataKind::Text,
            0x82 => DataKind::Binary,
            _ => return Ok(false),
        };
        // Where the bit for the mask is not what it must be, this is beyond any length.
        let (len, len_len) = match second ^ u8::from(masked) << 7 {
            len @ ..126 => (usize::from(len), 0),
            126 => match rest.first_chunk().map(|bytes| u16::from_be_bytes(*bytes)) {
                Some(len @ 126..) => (usize::from(len), 2),
                _ => return Ok(false),
            },
            _ => return Ok(false),
        };
        let mask = match rest.get(len_len..).and_then(<[u8]>::first_chunk) {
            Some(key) if masked => Some(*key),
            None if masked => return Ok(false),
            _ => None,
        };
        let mask_len = if masked { 4 } else { 0 };
        self.take_frame(kind, 2 + len_len + mask_len, len, mask)
    }

    /// The same for a message of any length.
    #[inline(never)]
    fn take_any_len(&mut self) -> Result<bool, Fault> {
        let rules = Rules { role: self.role, rsv: self.rsv, message_open: false };
        let Ok(Some((header, header_len))) = Header::decode(self.pending(), rules) else { return Ok(false) };
        let Ok(len) = usize::try_from(header.len) else { return Ok(false) };
        if !header.fin || header.opcode.is_control() {
            return Ok(false);
        }
        let kind = if header.opcode == OpCode::Text { DataKind::Text } else { DataKind::Binary };
        self.take_frame(kind, header_len, len, header.mask)
    }

    /// Takes the frame behind this header, if all of it is there and it is not too long.
    #[inline]
    fn take_frame(
        &mut self,
        kind: DataKind,
        header_len: usize,
        len: usize,
        mask: Option<[u8; 4]>,
    ) -> Result<bool, Fault> {
        let start = self.at + header_len;
        let Some(payload) = self.buf.get_mut(start..).and_then(|rest| rest.get_mut(..len)) else {
            return Ok(false);
        };
        if len > self.limits.max_message_len || len > self.limits.max_frame_len {
            return Ok(false);
        }
        unmask(payload, mask, kind == DataKind::Text && self.validate)?;
        self.at = start;
        self.heard = true;
        self.messaged = true;
        self.ready = Ready::Frame { kind, len };
        Ok(true)
    }
}

/// From this length on a text is looked at in blocks.
const LONG: usize = 128;

/// Unmasks a payload, and checks that it is UTF-8 if it is `text`.
#[inline]
fn unmask(payload: &mut [u8], mask: Option<[u8; 4]>, text: bool) -> Result<(), Utf8Error> {
    let mut masker = mask.map(Masker::new);
    if text && payload.len() >= LONG {
        return unmask_text(payload, masker);
    }
    if let Some(masker) = &mut masker {
        masker.apply(payload);
    }
    if text { validate_utf8(payload) } else { Ok(()) }
}

/// The same for a long text, in blocks, so that both passes find each in the fastest cache. What is behind a bad block
/// stays as it is.
#[inline(never)]
fn unmask_text(payload: &mut [u8], mut masker: Option<Masker>) -> Result<(), Utf8Error> {
    let mut utf8 = Utf8Validator::default();
    for block in payload.chunks_mut(BLOCK) {
        if let Some(masker) = &mut masker {
            masker.apply(block);
        }
        utf8.push(block)?;
    }
    utf8.finish()
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
                let judged = validate_utf8(&text);
                assert_eq!(unmask(&mut payload, Some(key), true), judged, "{len} bytes");
                assert!(payload == text || judged.is_err());
                let mut payload = text.clone();
                assert_eq!(unmask(&mut payload, None, true), judged);
                assert_eq!(unmask(&mut payload, None, false), Ok(()));
                assert_eq!(payload, text);
            }
        }
    }
}
