//! Masking and unmasking.

/// Masks or unmasks a payload, which is the same (RFC 6455 section 5.3): exclusive or of byte `i` with byte `i % 4` of
/// the masking key.
///
/// The payload may come in parts of any length: where in the key the next byte stands is carried from call to call.
///
/// ```
/// use ws_frame::Masker;
///
/// let mut payload = *b"\x7f\x9f\x4d\x51\x58";
/// let mut masker = Masker::new([0x37, 0xfa, 0x21, 0x3d]);
/// let (first, second) = payload.split_at_mut(3);
/// masker.apply(first);
/// masker.apply(second);
/// assert_eq!(&payload, b"Hello");
/// ```
#[derive(Debug, Clone)]
pub struct Masker {
    /// The key, turned so that its lowest byte is the one of the next byte of payload.
    key: u32,
}

impl Masker {
    /// A masker at the start of a payload. A key of zeros is legal and changes nothing.
    #[inline]
    #[must_use]
    pub const fn new(key: [u8; 4]) -> Self {
        Self { key: u32::from_le_bytes(key) }
    }

    /// Masks or unmasks the next part of the payload, in place.
    #[inline]
    pub fn apply(&mut self, data: &mut [u8]) {
        if data.len() < LONG {
            self.apply_chunks(data);
        } else {
            self.apply_long(data);
        }
    }

    /// Masks or unmasks the next part of the payload, from `src` to `dst`, which is one pass instead of two when the
    /// payload must be copied anyhow.
    ///
    /// The two have equal lengths; should they not, what both have is processed, and the rest of `dst` stays as it is.
    #[inline]
    pub fn copy(&mut self, src: &[u8], dst: &mut [u8]) {
        let len = src.len().min(dst.len());
        let (src, dst) = (&src[..len], &mut dst[..len]);
        if len < LONG {
            self.copy_chunks(src, dst);
        } else {
            self.copy_long(src, dst);
        }
    }

    #[inline(never)]
    fn apply_long(&mut self, data: &mut [u8]) {
        let (start, aligned) = data.split_at_mut(until_aligned(data));
        self.apply_chunks(start);
        self.apply_chunks(aligned);
    }

    #[inline(never)]
    fn copy_long(&mut self, src: &[u8], dst: &mut [u8]) {
        let start = until_aligned(dst);
        self.copy_chunks(&src[..start], &mut dst[..start]);
        self.copy_chunks(&src[start..], &mut dst[start..]);
    }

    #[inline]
    fn apply_chunks(&mut self, data: &mut [u8]) {
        let len = data.len();
        let wide = self.wide();
        let (chunks, tail) = data.as_chunks_mut::<8>();
        for chunk in chunks {
            *chunk = (u64::from_le_bytes(*chunk) ^ wide).to_le_bytes();
        }
        // Whole chunks are whole turns of the key, so the tail starts where the part did. It has at most one chunk of
        // each size.
        let (fours, tail) = tail.as_chunks_mut::<4>();
        if let [four, ..] = fours {
            *four = (u32::from_le_bytes(*four) ^ self.key).to_le_bytes();
        }
        for (byte, key) in tail.iter_mut().zip(self.key.to_le_bytes()) {
            *byte ^= key;
        }
        self.turn(len);
    }

    #[inline]
    fn copy_chunks(&mut self, src: &[u8], dst: &mut [u8]) {
        let len = src.len();
        let wide = self.wide();
        let (from, src) = src.as_chunks::<8>();
        let (to, dst) = dst.as_chunks_mut::<8>();
        for (from, to) in from.iter().zip(to) {
            *to = (u64::from_le_bytes(*from) ^ wide).to_le_bytes();
        }
        let (from, src) = src.as_chunks::<4>();
        let (to, dst) = dst.as_chunks_mut::<4>();
        if let ([from, ..], [to, ..]) = (from, to) {
            *to = (u32::from_le_bytes(*from) ^ self.key).to_le_bytes();
        }
        for ((from, to), key) in src.iter().zip(dst).zip(self.key.to_le_bytes()) {
            *to = from ^ key;
        }
        self.turn(len);
    }

    /// The key twice.
    #[inline]
    fn wide(&self) -> u64 {
        u64::from(self.key) << 32 | u64::from(self.key)
    }

    /// Turns the key past `len` bytes.
    #[inline]
    fn turn(&mut self, len: usize) {
        self.key = self.key.rotate_right((len as u32 & 3) * 8);
    }
}

/// From this length on it pays to write to aligned addresses: a payload seldom starts at one, being behind a header.
const LONG: usize = 256;

/// How many bytes there are before the first aligned address.
fn until_aligned(data: &[u8]) -> usize {
    data.as_ptr().align_offset(32).min(data.len())
}
