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
        let wide = self.wide();
        let len = data.len();
        let (chunks, tail) = data.as_chunks_mut::<8>();
        for chunk in chunks {
            *chunk = (u64::from_le_bytes(*chunk) ^ wide).to_le_bytes();
        }
        // Eight bytes are two turns of the key, so the tail starts where the whole did.
        for (byte, key) in tail.iter_mut().zip(wide.to_le_bytes()) {
            *byte ^= key;
        }
        self.turn(len);
    }

    /// Masks or unmasks the next part of the payload, from `src` to `dst`, which is one pass instead of two when the
    /// payload must be copied anyhow.
    ///
    /// The two have equal lengths; should they not, what both have is processed, and the rest of `dst` stays as it is.
    #[inline]
    pub fn copy(&mut self, src: &[u8], dst: &mut [u8]) {
        let wide = self.wide();
        let len = src.len().min(dst.len());
        let (from, from_tail) = src[..len].as_chunks::<8>();
        let (to, to_tail) = dst[..len].as_chunks_mut::<8>();
        for (from, to) in from.iter().zip(to) {
            *to = (u64::from_le_bytes(*from) ^ wide).to_le_bytes();
        }
        for ((from, to), key) in from_tail.iter().zip(to_tail).zip(wide.to_le_bytes()) {
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
