//! `Sec-WebSocket-Key` and the proof that the server read it (RFC 6455 sections 4.1, 4.2.2 and 11.3).

use core::fmt;
use core::str::FromStr;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderValue;
use sha1::{Digest, Sha1};

/// The suffix that only a WebSocket server appends to a key (RFC 6455 section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The length of 16 bytes in base64.
const KEY_LEN: usize = 24;
/// The length of a SHA-1 digest, 20 bytes, in base64.
pub(crate) const ACCEPT_LEN: usize = 28;

/// A valid `Sec-WebSocket-Key`: 16 bytes in base64, 24 characters.
///
/// A client draws a new one for every handshake with [`Key::generate`]; a server parses the one that it was sent.
///
/// ```
/// use ws_handshake::{Key, accept_key};
///
/// // The example of RFC 6455 section 1.3.
/// let key: Key = "dGhlIHNhbXBsZSBub25jZQ==".parse()?;
/// assert_eq!(key, Key::from_bytes(*b"the sample nonce"));
/// assert_eq!(accept_key(&key).as_str(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// # Ok::<(), ws_handshake::InvalidKey>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key([u8; KEY_LEN]);

impl Key {
    /// A key from 16 random bytes of the operating system, as RFC 6455 section 4.1 asks for.
    ///
    /// # Errors
    ///
    /// [`RandomSourceError`] when the operating system gives no random bytes.
    pub fn generate() -> Result<Self, RandomSourceError> {
        Self::draw(getrandom::fill)
    }

    fn draw(fill: impl FnOnce(&mut [u8]) -> Result<(), getrandom::Error>) -> Result<Self, RandomSourceError> {
        let mut nonce = [0; 16];
        fill(&mut nonce).map_err(RandomSourceError)?;
        Ok(Self::from_bytes(nonce))
    }

    /// The key of these 16 bytes: for a source of randomness of your own, and for tests that replay.
    #[must_use]
    pub fn from_bytes(nonce: [u8; 16]) -> Self {
        Self(base64(&nonce))
    }

    /// The key as it stands in the header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        ascii(&self.0)
    }

    pub(crate) fn header_value(&self) -> HeaderValue {
        header_value(&self.0)
    }
}

impl FromStr for Key {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        Self::try_from(text.as_bytes())
    }
}

/// The key in a header's value.
impl TryFrom<&[u8]> for Key {
    type Error = InvalidKey;

    fn try_from(value: &[u8]) -> Result<Self, InvalidKey> {
        let is_digit = |byte: u8| byte.is_ascii_alphanumeric() | (byte == b'+') | (byte == b'/');
        let key: [u8; KEY_LEN] = value.try_into().map_err(|_| InvalidKey)?;
        // RFC 6455 section 4.2.1 point 5: when decoded, 16 bytes in length. That is 22 characters and their padding. The
        // bits that the last one has beyond the 16 bytes may be anything, since some clients draw the characters
        // themselves; both sides compute the accept key from the text, so they agree all the same.
        match key.split_last_chunk() {
            // All at once, and not up to the first that is none, as the compiler can do in few steps.
            Some((digits, b"==")) if digits.iter().fold(true, |all, &byte| all & is_digit(byte)) => {
                Ok(Self(key))
            }
            _ => Err(InvalidKey),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.as_str()).finish()
    }
}

/// The value of `Sec-WebSocket-Accept`, made by [`accept_key`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AcceptKey([u8; ACCEPT_LEN]);

impl AcceptKey {
    /// The value as it stands in the header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        ascii(&self.0)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; ACCEPT_LEN] {
        &self.0
    }

    pub(crate) fn header_value(&self) -> HeaderValue {
        header_value(&self.0)
    }
}

impl fmt::Display for AcceptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for AcceptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AcceptKey").field(&self.as_str()).finish()
    }
}

/// The answer to `key`: base64 of SHA-1 of the key followed by the protocol's GUID (RFC 6455 section 4.2.2).
#[must_use]
pub fn accept_key(key: &Key) -> AcceptKey {
    let digest = Sha1::new().chain_update(key.0).chain_update(GUID).finalize();
    AcceptKey(base64(&digest))
}

/// A `Sec-WebSocket-Key` that is not 16 bytes in base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key is 16 bytes in base64, which is 24 characters")]
pub struct InvalidKey;

/// The operating system gave no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes: {0}")]
pub struct RandomSourceError(getrandom::Error);

/// Base64 (RFC 4648 section 4) of bytes whose text has `LEN` characters; were it not so, the text would stay zeros.
fn base64<const LEN: usize>(bytes: &[u8]) -> [u8; LEN] {
    let mut text = [0; LEN];
    let written = STANDARD.encode_slice(bytes, &mut text);
    debug_assert_eq!(written, Ok(LEN), "the text is as long as the base64 of the bytes");
    text
}

fn ascii(text: &[u8]) -> &str {
    core::str::from_utf8(text).unwrap_or_default()
}

fn header_value(text: &[u8]) -> HeaderValue {
    // Base64 holds visible ASCII only, which every header value may hold.
    HeaderValue::from_bytes(text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_key_is_the_one_of_the_rfc() {
        for (key, accept) in [
            ("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            ("x3JJHMbDL1EzLkh9GBhXDw==", "HSmrc0sMlYUkAGmm5OPpG2HaGWk="),
        ] {
            assert_eq!(accept_key(&key.parse().unwrap()).as_str(), accept);
        }
    }

    #[test]
    fn a_key_is_exactly_sixteen_bytes_in_base64() {
        for good in ["AAAAAAAAAAAAAAAAAAAAAA==", "++++++++++//////////+A==", "AAAAAAAAAAAAAAAAAAAAAB=="] {
            assert_eq!(good.parse::<Key>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "AAAA",
            "AAAAAAAAAAAAAAAAAAAAAA",         // no padding
            "AAAAAAAAAAAAAAAAAAAAAA=",        // half of it
            "AAAAAAAAAAAAAAAAAAAAAAA=",       // 17 bytes
            "AAAAAAAAAAAAAAAAAAAAAAAA",       // 18 bytes
            "AAAAAAAAAAAAAAAAAAAAAA===",      // too long
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAA==", // 20 bytes
            "AAAAAAAAAA AAAAAAAAAAA==",
            "AAAAAAAAAA-_AAAAAAAAAA==", // the URL alphabet
            "AAAAAAAAAAAAAAAAAAAA====",
            "=AAAAAAAAAAAAAAAAAAAAA==",
            "AAAAAAAAAAAAAAAAAAAä==",
        ] {
            assert_eq!(bad.parse::<Key>(), Err(InvalidKey), "{bad:?}");
        }
    }

    #[test]
    fn a_key_is_all_that_was_drawn_and_none_comes_of_a_source_that_fails() {
        let drawn = Key::draw(|nonce| {
            nonce.copy_from_slice(b"the sample nonce");
            Ok(())
        });
        assert_eq!(drawn, Ok(Key::from_bytes(*b"the sample nonce")));
        let failed = Key::draw(|_| Err(getrandom::Error::UNSUPPORTED)).unwrap_err();
        assert!(failed.to_string().starts_with("the operating system gave no random bytes"), "{failed}");
    }

    #[test]
    fn generated_keys_differ_and_parse() {
        let (one, two) = (Key::generate().unwrap(), Key::generate().unwrap());
        assert_ne!(one, two);
        assert_eq!(one.as_str().parse(), Ok(one));
    }
}
