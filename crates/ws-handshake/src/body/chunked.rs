//! The chunked transfer coding (RFC 9112 section 7.1).

use bytes::{Buf, BytesMut};

/// How many bytes of chunk extensions and trailers one body may have. Nobody sends any.
const MAX_ASIDE: usize = 16 * 1024;
/// The digits of the largest `u64`.
const MAX_SIZE_DIGITS: u8 = 16;

/// What the decoder found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    NeedBytes,
    /// So many bytes of the body are to be taken next; what was taken is to be [consumed](Chunked::consume).
    Data(u64),
    /// The last chunk and its trailers are taken.
    End,
    Malformed,
}

/// Takes everything but the body out of a chunked body. Line breaks are CR LF, as everywhere in this crate.
#[derive(Debug, Default)]
pub(super) struct Chunked {
    state: State,
    /// Bytes of extensions and trailers so far.
    aside: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Size { size: u64, digits: u8 },
    Extension { size: u64 },
    SizeEnd { size: u64 },
    Data { left: u64 },
    DataCr,
    DataLf,
    TrailerStart,
    Trailer,
    TrailerLf,
    EndLf,
    End,
    Malformed,
}

impl Default for State {
    fn default() -> Self {
        Self::Size { size: 0, digits: 0 }
    }
}

impl Chunked {
    /// Takes what stands in front of the body's next bytes.
    pub(super) fn advance(&mut self, buf: &mut BytesMut) -> Chunk {
        loop {
            match self.state {
                State::Data { left } => return Chunk::Data(left),
                State::End => return Chunk::End,
                State::Malformed => return Chunk::Malformed,
                _ => {}
            }
            let Some(&byte) = buf.first() else { return Chunk::NeedBytes };
            buf.advance(1);
            if matches!(self.state, State::Extension { .. } | State::TrailerStart | State::Trailer) {
                self.aside += 1;
            }
            self.state = if self.aside > MAX_ASIDE { State::Malformed } else { self.state.next(byte) };
        }
    }

    /// Bytes of the chunk that were taken.
    pub(super) fn consume(&mut self, len: u64) {
        if let State::Data { left } = &mut self.state {
            *left = left.saturating_sub(len);
            if *left == 0 {
                self.state = State::DataCr;
            }
        }
    }
}

impl State {
    fn next(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Size { digits: 1.., size }, b'\r') => Self::SizeEnd { size },
            // White space in front of an extension is bad, and to be read (RFC 9112 section 7.1.1).
            (Self::Size { digits: 1.., size }, b';' | b' ' | b'\t') => Self::Extension { size },
            (Self::Size { size, digits }, _) if digits < MAX_SIZE_DIGITS => match (byte as char).to_digit(16)
            {
                Some(digit) => Self::Size { size: size << 4 | u64::from(digit), digits: digits + 1 },
                None => Self::Malformed,
            },
            (Self::Extension { size }, b'\r') => Self::SizeEnd { size },
            (Self::SizeEnd { size: 0 }, b'\n') => Self::TrailerStart,
            (Self::SizeEnd { size }, b'\n') => Self::Data { left: size },
            (Self::DataCr, b'\r') => Self::DataLf,
            (Self::DataLf, b'\n') => Self::default(),
            (Self::TrailerStart, b'\r') => Self::EndLf,
            (Self::Trailer, b'\r') => Self::TrailerLf,
            (Self::TrailerLf, b'\n') => Self::TrailerStart,
            (Self::EndLf, b'\n') => Self::End,
            (Self::Extension { .. } | Self::TrailerStart | Self::Trailer, b'\n') => Self::Malformed,
            (Self::Extension { .. }, _) => self,
            (Self::TrailerStart | Self::Trailer, _) => Self::Trailer,
            _ => Self::Malformed,
        }
    }
}
