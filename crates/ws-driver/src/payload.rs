//! The bytes of a message, owned.

use std::{fmt, ops::Deref};

use bytes::Bytes;

/// How many bytes a [`Payload`] holds in itself; a longer one shares a reference-counted buffer.
pub const INLINE: usize = 23;

/// The bytes of a message, owned: up to [`INLINE`] of them in place, more in a shared buffer.
///
/// A clone costs a copy of 32 bytes or a reference count, never a copy of the payload. A shared payload may
/// share its buffer with its neighbours in the stream, so that keeping one of them keeps up to 16 KiB alive;
/// `Bytes::copy_from_slice` makes one that stands alone.
///
/// ```
/// use ws_driver::Payload;
///
/// let payload = Payload::from(vec![1, 2, 3]);
/// assert_eq!(payload.len(), 3);
/// assert_eq!(&payload[..], [1, 2, 3]);
/// ```
#[derive(Clone)]
pub struct Payload(Repr);

#[derive(Clone)]
enum Repr {
    Inline { len: u8, data: [u8; INLINE] },
    Shared(Bytes),
}

impl Payload {
    /// An empty payload.
    #[must_use]
    pub const fn new() -> Self {
        Self(Repr::Inline { len: 0, data: [0; INLINE] })
    }

    /// A payload with a copy of `data`: in place if it is short, else in a buffer of its own.
    #[must_use]
    pub fn copy_from_slice(data: &[u8]) -> Self {
        Self::inline(data).unwrap_or_else(|| Self(Repr::Shared(Bytes::copy_from_slice(data))))
    }

    /// A payload that holds `data` in itself, if it is short enough.
    #[inline]
    pub(crate) fn inline(data: &[u8]) -> Option<Self> {
        let mut inline = [0; INLINE];
        inline.get_mut(..data.len())?.copy_from_slice(data);
        #[expect(clippy::cast_possible_truncation, reason = "the length is at most INLINE, which fits")]
        let len = data.len() as u8;
        Some(Self(Repr::Inline { len, data: inline }))
    }

    /// The bytes.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { len, data } => &data[..usize::from(*len)],
            Repr::Shared(bytes) => bytes,
        }
    }

    /// The bytes as a reference-counted buffer. An inline payload is copied into a new one.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        match self.0 {
            Repr::Inline { len, data } => Bytes::copy_from_slice(&data[..usize::from(len)]),
            Repr::Shared(bytes) => bytes,
        }
    }

    /// The shared buffer behind a long payload; a short one is given back.
    pub(crate) fn try_into_shared(self) -> Result<Bytes, Self> {
        match self.0 {
            Repr::Shared(bytes) => Ok(bytes),
            inline @ Repr::Inline { .. } => Err(Self(inline)),
        }
    }
}

impl Default for Payload {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for Payload {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl AsRef<[u8]> for Payload {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self(Repr::Shared(bytes))
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Repr::Shared(bytes.into()))
    }
}

impl From<String> for Payload {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<&[u8]> for Payload {
    fn from(bytes: &[u8]) -> Self {
        Self::copy_from_slice(bytes)
    }
}

impl<const N: usize> From<&[u8; N]> for Payload {
    fn from(bytes: &[u8; N]) -> Self {
        Self::copy_from_slice(bytes)
    }
}

impl From<Payload> for Bytes {
    fn from(payload: Payload) -> Self {
        payload.into_bytes()
    }
}

impl From<Payload> for Vec<u8> {
    fn from(payload: Payload) -> Self {
        match payload.0 {
            Repr::Inline { len, data } => data[..usize::from(len)].to_vec(),
            Repr::Shared(bytes) => bytes.into(),
        }
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Payload {}

impl std::hash::Hash for Payload {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl<T: AsRef<[u8]> + ?Sized> PartialEq<T> for Payload
where
    T: PlainBytes,
{
    fn eq(&self, other: &T) -> bool {
        self.as_bytes() == other.as_ref()
    }
}

/// What a payload compares with, beside itself.
pub trait PlainBytes {}
impl PlainBytes for [u8] {}
impl PlainBytes for &[u8] {}
impl<const N: usize> PlainBytes for [u8; N] {}
impl<const N: usize> PlainBytes for &[u8; N] {}
impl PlainBytes for Vec<u8> {}
impl PlainBytes for Bytes {}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.as_bytes().escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_in_and_out_keeps_the_bytes() {
        for len in [0, 1, INLINE - 1, INLINE, INLINE + 1, 1000] {
            let data: Vec<u8> = (0..=255).cycle().take(len).collect();
            let payloads = [
                Payload::copy_from_slice(&data),
                Payload::from(&data[..]),
                Payload::from(data.clone()),
                Payload::from(Bytes::from(data.clone())),
            ];
            for payload in payloads {
                assert_eq!(payload, data);
                assert_eq!(payload, payload.clone());
                assert_eq!(payload.as_bytes(), data);
                assert_eq!(Payload::inline(&data).is_some(), len <= INLINE);
                assert_eq!(Vec::from(payload.clone()), data);
                assert_eq!(payload.into_bytes(), data);
            }
        }
        assert!(Payload::default().is_empty());
    }

    #[test]
    fn equal_bytes_are_equal_wherever_they_lie() {
        let hash = |payload: &Payload| {
            use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
            BuildHasherDefault::<DefaultHasher>::default().hash_one(payload)
        };
        let (inline, shared) = (Payload::from(b"same"), Payload::from(Bytes::from_static(b"same")));
        assert_eq!(inline, shared);
        assert_eq!(hash(&inline), hash(&shared));
        assert_ne!(inline, Payload::from(b"other"));
        assert_eq!(format!("{inline:?}"), "b\"same\"");
    }

    #[test]
    fn a_payload_is_as_small_as_what_it_shares() {
        assert_eq!(size_of::<Payload>(), size_of::<Bytes>());
    }
}
