//! UTF-8: whole texts, and the error.

mod validator;

use core::fmt;

use crate::CloseCode;

pub use validator::Utf8Validator;

/// Text is not valid UTF-8 (RFC 3629). The connection fails with [`close_code`](Self::close_code).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Utf8Error {
    /// Where the first bad byte is, counted from the start of the message: the first byte after which no text whatever
    /// could have made it valid. When the message ends inside a character, this is its length.
    pub offset: u64,
}

impl Utf8Error {
    /// The status code to close with: 1007 (RFC 6455 section 8.1).
    #[must_use]
    pub const fn close_code(self) -> CloseCode {
        CloseCode::INVALID_PAYLOAD
    }
}

impl fmt::Display for Utf8Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "text is not valid UTF-8 at byte {}", self.offset)
    }
}

impl core::error::Error for Utf8Error {}

/// Checks one whole text. For a text in parts there is [`Utf8Validator`].
///
/// ```
/// use ws_frame::{Utf8Error, validate_utf8};
///
/// assert_eq!(validate_utf8("κόσμε".as_bytes()), Ok(()));
/// assert_eq!(validate_utf8(b"ok\xff"), Err(Utf8Error { offset: 2 }));
/// ```
///
/// # Errors
///
/// [`Utf8Error`] with the offset of the first bad byte.
#[inline]
pub fn validate_utf8(bytes: &[u8]) -> Result<(), Utf8Error> {
    if is_short_ascii(bytes) { Ok(()) } else { as_str(bytes).map(|_| ()) }
}

/// Checks one whole text and lends it as a `str`.
///
/// ```
/// assert_eq!(ws_frame::as_str(b"Hello"), Ok("Hello"));
/// ```
///
/// # Errors
///
/// [`Utf8Error`] with the offset of the first bad byte.
#[inline]
pub fn as_str(bytes: &[u8]) -> Result<&str, Utf8Error> {
    check(bytes).map_err(|fault| match fault {
        Fault::Bad { at } => Utf8Error { offset: at as u64 },
        Fault::Incomplete { .. } => Utf8Error { offset: bytes.len() as u64 },
    })
}

/// Why bytes are no whole text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The byte at `at` cannot be.
    Bad { at: usize },
    /// All is well up to a character that starts at `start` and goes on behind the end.
    Incomplete { start: usize },
}

/// Below this length a look for ASCII comes first: most short texts are, and validators have their start-up costs.
const SHORT: usize = 128;

/// Whether `bytes` are short and all ASCII, which makes them valid.
#[inline]
fn is_short_ascii(bytes: &[u8]) -> bool {
    const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
    if bytes.len() >= SHORT {
        return false;
    }
    // The last chunk of each size overlaps the others, so that there is no tail.
    if let Some(last) = bytes.last_chunk() {
        let join = |all, chunk: &[u8; 8]| all | u64::from_le_bytes(*chunk);
        return bytes.as_chunks().0.iter().fold(u64::from_le_bytes(*last), join) & HIGH_BITS == 0;
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return (u32::from_le_bytes(*first) | u32::from_le_bytes(*last)) & HIGH_BITS as u32 == 0;
    }
    bytes.iter().fold(0, |all, byte| all | byte) < 0x80
}

/// Below this length the validator of `core` is quicker, which starts with less ado.
#[cfg(feature = "simd")]
const SIMD_MIN: usize = 32;

/// The text in `bytes`, or what is wrong with it.
#[inline]
fn check(bytes: &[u8]) -> Result<&str, Fault> {
    #[cfg(feature = "simd")]
    if bytes.len() >= SIMD_MIN {
        return simdutf8::compat::from_utf8(bytes)
            .map_err(|error| fault(bytes, error.valid_up_to(), error.error_len()));
    }
    core::str::from_utf8(bytes).map_err(|error| fault(bytes, error.valid_up_to(), error.error_len()))
}

/// Finds the byte at which the text went wrong. Validators tell where the bad character starts and how many of its
/// bytes to skip, which are those before the bad byte, or the bad byte itself when it starts no character.
#[cold]
fn fault(bytes: &[u8], start: usize, skip: Option<usize>) -> Fault {
    let starts_character = bytes.get(start).is_some_and(|byte| matches!(byte, 0xC2..=0xF4));
    match skip {
        None => Fault::Incomplete { start },
        Some(len) if starts_character => Fault::Bad { at: start + len },
        Some(_) => Fault::Bad { at: start },
    }
}
