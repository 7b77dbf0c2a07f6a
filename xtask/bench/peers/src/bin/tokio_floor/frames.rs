//! Turning masked frames into their echo, in place (RFC 6455 section 5.2).

use std::ops::Range;

/// The length of a masking key.
pub(crate) const KEY: usize = 4;

/// What became of the frames in a buffer.
pub(crate) struct Batch {
    /// Where in the buffer the answer is.
    pub(crate) reply: Range<usize>,
    /// How much of the buffer the whole frames took.
    pub(crate) consumed: usize,
    /// Whether the last of them was a Close.
    pub(crate) close: bool,
}

/// Rewrites all whole frames at the beginning of `buffer` into unmasked ones, one behind the other.
pub(crate) fn reply(buffer: &mut [u8]) -> Batch {
    let mut batch = Batch { reply: KEY..KEY, consumed: 0, close: false };
    while !batch.close {
        let frame = &mut buffer[batch.consumed..];
        let len = needed(frame);
        if frame.len() < len {
            break;
        }
        batch.close = frame[0] & 0x0f == 8;
        unmask(&mut frame[..len]);
        // Without its key, a frame is shorter: the first one starts where the key made room, the others move up to it.
        let (from, to) = (batch.consumed + KEY, batch.consumed + len);
        if from != batch.reply.end {
            buffer.copy_within(from..to, batch.reply.end);
        }
        batch.reply.end += len - KEY;
        batch.consumed = to;
    }
    batch
}

/// How long the frame at the beginning of `bytes` is, as far as they tell: the whole of it, or as much as tells more.
pub(crate) fn needed(bytes: &[u8]) -> usize {
    let Some(&second) = bytes.get(1) else { return 2 };
    let header = header(second);
    let Some(extended) = bytes.get(2..header) else { return header };
    let payload = match extended.len() {
        0 => usize::from(second & 0x7f),
        _ => extended.iter().fold(0, |len, &byte| len << 8 | usize::from(byte)),
    };
    header + KEY + payload
}

/// The length of a header without its key, from its second byte.
fn header(second: u8) -> usize {
    match second & 0x7f {
        126 => 4,
        127 => 10,
        _ => 2,
    }
}

/// Unmasks a whole frame where it is, and moves its header over the key, right before the payload.
fn unmask(frame: &mut [u8]) {
    let header = header(frame[1]);
    let (head, payload) = frame.split_at_mut(header + KEY);
    let mut key = [0; 8];
    key[..KEY].copy_from_slice(&head[header..]);
    key.copy_within(..KEY, KEY);
    head[1] &= 0x7f;
    head.copy_within(..header, KEY);

    let word = u64::from_ne_bytes(key);
    let (words, tail) = payload.as_chunks_mut::<8>();
    for bytes in words {
        *bytes = (u64::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
    }
    for (byte, key) in tail.iter_mut().zip(key) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::{needed, reply};

    /// A masked frame and the answer to it.
    fn frame(opcode: u8, len: usize) -> (Vec<u8>, Vec<u8>) {
        let mut head = vec![0x80 | opcode];
        match len {
            0..126 => head.push(len as u8),
            126..65_536 => head.extend([126, (len >> 8) as u8, len as u8]),
            _ => {
                head.push(127);
                head.extend((len as u64).to_be_bytes());
            }
        }
        let payload: Vec<u8> = (0..len).map(|i| i as u8).collect();
        let key = [9, 8, 7, 6];
        let mut masked = head.clone();
        masked[1] |= 0x80;
        masked.extend(key);
        masked.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        head.extend(payload);
        (masked, head)
    }

    #[test]
    fn answers_every_whole_frame_and_leaves_the_rest() {
        let lens = [0, 1, 125, 126, 1024, 65_535, 65_536, 70_001];
        let (masked, echo): (Vec<_>, Vec<_>) = lens.iter().map(|&len| frame(2, len)).unzip();
        let mut buffer = masked.concat();
        let whole = buffer.len();
        buffer.extend(&frame(2, 300).0[..77]);
        let batch = reply(&mut buffer);
        assert!(!batch.close);
        assert_eq!(batch.consumed, whole);
        assert_eq!(buffer[batch.reply], echo.concat());
    }

    #[test]
    fn stops_behind_a_close() {
        let (close, answer) = frame(8, 2);
        let mut buffer = [close.clone(), frame(2, 16).0].concat();
        let batch = reply(&mut buffer);
        assert!(batch.close);
        assert_eq!(batch.consumed, close.len());
        assert_eq!(buffer[batch.reply], answer);
    }

    #[test]
    fn knows_what_is_missing_from_any_beginning() {
        for len in [0, 125, 126, 70_001] {
            let (masked, _) = frame(1, len);
            for cut in 0..masked.len() {
                let needed = needed(&masked[..cut]);
                assert!(cut < needed && needed <= masked.len(), "{len} bytes cut at {cut}: {needed}");
            }
            assert_eq!(needed(&masked), masked.len());
        }
    }
}
