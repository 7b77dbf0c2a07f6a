//! The header of a frame, to and from bytes.

use crate::{FrameError, OpCode, Rsv, Rules};

/// The header of a frame (RFC 6455 section 5.2).
///
/// ```text
///  0               1               2 ..          up to 10 ..      up to 14
/// +-+-+-+-+-------+-+-------------+-------------+-----------------+
/// |F|R|R|R| opcode|M| 7-bit length| the length  | masking key     | payload ..
/// |I|S|S|S|       |A|             | when 126 or | when MASK is    |
/// |N|V|V|V|       |S| 126: 16 bit | 127: 2 or 8 | set: 4 bytes    |
/// | |1|2|3|       |K| 127: 64 bit | bytes       |                 |
/// +-+-+-+-+-------+-+-------------+-------------+-----------------+
/// ```
///
/// ```
/// use ws_frame::{Header, OpCode, Role, Rsv, Rules};
///
/// let header = Header { fin: true, rsv: Rsv::NONE, opcode: OpCode::Binary, mask: None, len: 256 };
/// let mut out = [0; Header::MAX_LEN];
/// let n = header.encode(&mut out);
/// assert_eq!(out[..n], [0x82, 126, 0x01, 0x00]);
///
/// let rules = Rules { role: Role::Client, rsv: Rsv::NONE, message_open: false };
/// assert_eq!(Header::decode(&out[..n], rules), Ok(Some((header, n))));
/// assert_eq!(Header::decode(&out[..n - 1], rules), Ok(None)); // one byte is missing
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Header {
    /// Whether this is the last fragment of its message; always set on a control frame.
    pub fin: bool,
    /// The reserved bits that are set.
    pub rsv: Rsv,
    /// What the frame carries.
    pub opcode: OpCode,
    /// The masking key, in the order of the wire, when the payload is masked.
    pub mask: Option<[u8; 4]>,
    /// The length of the payload in bytes, at most 2^63 - 1.
    pub len: u64,
}

impl Header {
    /// The length of the longest header: two bytes, a 64-bit length, a masking key.
    pub const MAX_LEN: usize = 14;

    /// Decodes the header at the start of `buf` and judges it by `rules`; gives it with its own length.
    ///
    /// `None` means that more bytes are needed. Every check is made as soon as its byte is there, in the order of the
    /// bytes: a header that is wrong is refused on its first byte where that suffices, and how the stream is cut never
    /// changes the error. Costs the same whatever follows the header in `buf`.
    ///
    /// # Errors
    ///
    /// The first rule that the frame breaks, as [`FrameError`].
    #[inline]
    pub fn decode(buf: &[u8], rules: Rules) -> Result<Option<(Self, usize)>, FrameError> {
        match Self::decode_plain(buf, rules) {
            Some(found) => Ok(Some(found)),
            None => Self::decode_any(buf, rules),
        }
    }

    /// Nearly all headers of nearly all streams: a message in one frame, of at most 65535 bytes, without reserved bits, that
    /// keeps the rules and is all there. It is compiled into the caller's loop; `None` says only that it is not that.
    #[inline(always)]
    fn decode_plain(buf: &[u8], rules: Rules) -> Option<(Self, usize)> {
        let &[first, second, ref behind @ ..] = buf else { return None };
        let opcode = match first {
            0x81 => OpCode::Text,
            0x82 => OpCode::Binary,
            _ => return None,
        };
        let masked = rules.role.peer().masks();
        if rules.message_open || masked != (second & 0x80 != 0) {
            return None;
        }
        let with_key = |len, behind: &[u8], header_len| {
            let (mask, header_len) =
                if masked { (Some(*behind.first_chunk()?), header_len + 4) } else { (None, header_len) };
            Some((Self { fin: true, rsv: Rsv::NONE, opcode, mask, len }, header_len))
        };
        match second & 0x7F {
            len @ ..126 => with_key(u64::from(len), behind, 2),
            126 => {
                let (len, behind) = behind.split_first_chunk()?;
                let len = u64::from(u16::from_be_bytes(*len));
                if len < 126 { None } else { with_key(len, behind, 4) }
            }
            _ => None,
        }
    }

    /// Every header, right or wrong.
    #[inline(never)]
    fn decode_any(buf: &[u8], rules: Rules) -> Result<Option<(Self, usize)>, FrameError> {
        let &[first, second, ref rest @ ..] = buf else {
            return match buf {
                [first, ..] => rules.check_first(*first).map(|_| None),
                [] => Ok(None),
            };
        };
        let opcode = rules.check_first(first)?;
        rules.check_second(opcode, second)?;
        let short = second & 0x7F;
        let (len, extra) = if short < 126 {
            (u64::from(short), 0)
        } else {
            match extended_len(short, rest)? {
                Some(found) => found,
                None => return Ok(None),
            }
        };
        let (mask, extra) = if second & 0x80 == 0 {
            (None, extra)
        } else {
            match rest.get(extra..).and_then(<[u8]>::first_chunk) {
                Some(key) => (Some(*key), extra + 4),
                None => return Ok(None),
            }
        };
        let header = Self { fin: first & 0x80 != 0, rsv: Rsv::from_first_byte(first), opcode, mask, len };
        Ok(Some((header, 2 + extra)))
    }

    /// Encodes the header at the start of `out` and gives the number of bytes written, which is
    /// [`encoded_len`](Self::encoded_len). The length takes as few bytes as it can, as it MUST.
    ///
    /// What is written is what the fields say: that they keep the rules is the sender's part.
    #[inline]
    pub fn encode(&self, out: &mut [u8; Self::MAX_LEN]) -> usize {
        out[0] = u8::from(self.fin) << 7 | self.rsv.bits() << 4 | self.opcode.bits();
        let mask_bit = u8::from(self.mask.is_some()) << 7;
        let [_, second, rest @ ..] = out;
        let at = match self.len {
            len @ 0..=125 => {
                *second = mask_bit | len as u8;
                2
            }
            len @ 126..=0xFFFF => {
                *second = mask_bit | 126;
                rest[..2].copy_from_slice(&(len as u16).to_be_bytes());
                4
            }
            len => {
                *second = mask_bit | 127;
                rest[..8].copy_from_slice(&len.to_be_bytes());
                10
            }
        };
        match self.mask {
            Some(key) => {
                out[at..at + 4].copy_from_slice(&key);
                at + 4
            }
            None => at,
        }
    }

    /// The number of bytes that [`encode`](Self::encode) writes: 2 to 14.
    #[inline]
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        let len = match self.len {
            0..=125 => 2,
            126..=0xFFFF => 4,
            _ => 10,
        };
        if self.mask.is_some() { len + 4 } else { len }
    }
}

/// The length in `rest`, the bytes behind the first two, with the number of bytes it takes.
///
/// RFC 6455 section 5.2: "in all cases, the minimal number of bytes MUST be used to encode the length", and of 64 bits
/// "the most significant bit MUST be 0".
#[inline]
fn extended_len(short: u8, rest: &[u8]) -> Result<Option<(u64, usize)>, FrameError> {
    if short == 126 {
        return match rest.first_chunk() {
            Some(bytes) => match u16::from_be_bytes(*bytes) {
                ..126 => Err(FrameError::NonMinimalLength),
                len => Ok(Some((u64::from(len), 2))),
            },
            None => Ok(None),
        };
    }
    match rest.first_chunk() {
        Some(bytes) => match u64::from_be_bytes(*bytes) {
            ..=0xFFFF => Err(FrameError::NonMinimalLength),
            len if len >> 63 != 0 => Err(FrameError::LengthTopBit),
            len => Ok(Some((len, 8))),
        },
        None => check_partial_len(rest).map(|()| None),
    }
}

/// Judges the first bytes of a 64-bit length that is not all there.
#[cold]
fn check_partial_len(rest: &[u8]) -> Result<(), FrameError> {
    if rest.first().is_some_and(|byte| byte & 0x80 != 0) {
        return Err(FrameError::LengthTopBit);
    }
    // With six bytes of zero the length fits 16 bits, whatever the last two are.
    if rest.starts_with(&[0; 6]) {
        return Err(FrameError::NonMinimalLength);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Role;

    /// All first two bytes, lengths at the bounds, and every place where the header may be cut.
    #[test]
    fn the_plain_way_never_says_anything_else_than_the_other() {
        let mut plain = 0;
        for (role, message_open) in
            [Role::Server, Role::Client].into_iter().flat_map(|role| [(role, false), (role, true)])
        {
            let rules = Rules { role, rsv: Rsv::RSV1, message_open };
            for start in 0..=u16::MAX {
                for len in [[0, 125], [0, 126], [255, 255]] {
                    let bytes = [&start.to_be_bytes()[..], &len, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]].concat();
                    for end in [0, 1, 2, 3, 4, 5, 6, 7, 8, 14] {
                        let Some(found) = Header::decode_plain(&bytes[..end], rules) else { continue };
                        assert_eq!(Header::decode_any(&bytes[..end], rules), Ok(Some(found)));
                        plain += 1;
                    }
                }
            }
        }
        // By opcode and 7-bit length: 126 short ones cut nowhere too early, and the 16-bit ones.
        assert_eq!(plain, 2 * (126 * 3 * (4 + 8) + 2 * (2 + 6)));
    }
}
