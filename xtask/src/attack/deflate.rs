//! Compressed payloads, right and wrong ones, made by DEFLATE alone.

use anyhow::{anyhow, ensure};
use zlib_rs::{Deflate, DeflateFlush, Status};

/// The end of a flush, which a message leaves out (RFC 7692 section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Makes the payloads of one direction, whose window goes on from message to message.
pub(crate) struct Compressor(Deflate);

impl Compressor {
    pub(crate) fn new() -> Self {
        Self(Deflate::new(6, false, 15))
    }

    /// The payload of a message that inflates to `len` times `byte`. Made piece by piece: `len` may be huge.
    ///
    /// # Errors
    /// When the compressor fails.
    pub(crate) fn repeated(&mut self, byte: u8, len: usize) -> anyhow::Result<Vec<u8>> {
        let block = vec![byte; (1 << 20).min(len)];
        let mut payload = Vec::new();
        let mut left = len;
        while left > 0 {
            let size = left.min(block.len());
            left -= size;
            self.feed(&block[..size], DeflateFlush::NoFlush, &mut payload)?;
        }
        self.feed(&[], DeflateFlush::SyncFlush, &mut payload)?;
        ensure!(payload.ends_with(&TAIL), "a flush ends with an empty block");
        payload.truncate(payload.len() - TAIL.len());
        Ok(payload)
    }

    fn feed(&mut self, mut input: &[u8], flush: DeflateFlush, payload: &mut Vec<u8>) -> anyhow::Result<()> {
        let mut room = vec![0; 64 << 10];
        loop {
            let (read, made) = (self.0.total_in(), self.0.total_out());
            let status = self.0.compress(input, &mut room, flush).map_err(|error| anyhow!(error.as_str()))?;
            input = &input[usize::try_from(self.0.total_in() - read)?..];
            let made = usize::try_from(self.0.total_out() - made)?;
            payload.extend_from_slice(&room[..made]);
            let is_done = input.is_empty() && made < room.len();
            if is_done || matches!(status, Status::BufError | Status::StreamEnd) {
                return Ok(());
            }
        }
    }
}

/// A stored block of these bytes, final or not (RFC 1951 section 3.2.4).
pub(crate) fn stored(bytes: &[u8], is_final: bool) -> Vec<u8> {
    let len = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    let [low, high] = len.to_le_bytes();
    let mut block = vec![u8::from(is_final), low, high, !low, !high];
    block.extend_from_slice(&bytes[..usize::from(len)]);
    block
}

#[cfg(test)]
mod tests {
    use zlib_rs::{Inflate, InflateFlush};

    use super::*;

    #[test]
    fn payloads_inflate_to_what_was_asked_for() {
        let mut compressor = Compressor::new();
        let mut inflate = Inflate::new(false, 15);
        for len in [1, 100_000, 3 << 20] {
            let payload = [compressor.repeated(b'x', len).unwrap(), TAIL.to_vec()].concat();
            let before = inflate.total_out();
            let mut out = vec![0; len + 1];
            inflate.decompress(&payload, &mut out, InflateFlush::SyncFlush).unwrap();
            assert_eq!(inflate.total_out() - before, len as u64);
            assert!(out[..len].iter().all(|&byte| byte == b'x'));
        }
        assert!(Compressor::new().repeated(0, 3 << 20).unwrap().len() < (3 << 20) / 900, "a bomb");
    }

    #[test]
    fn a_stored_block_says_its_length_twice() {
        assert_eq!(stored(b"ab", true), b"\x01\x02\0\xfd\xffab");
    }
}
