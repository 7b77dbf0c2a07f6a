//! A whole message, owned.

use std::{fmt, ops::Deref};

use bytes::Bytes;
use ws_frame::{DataKind, Utf8Error};

use crate::Payload;

/// A whole message, owned (RFC 6455 section 5.6).
///
/// ```
/// use ws_driver::Message;
///
/// let message = Message::from("hello");
/// assert_eq!(message.as_text(), Some("hello"));
/// assert_eq!(message.as_bytes(), b"hello");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Message {
    /// UTF-8 text.
    Text(Text),
    /// Bytes.
    Binary(Payload),
}

impl Message {
    /// A text message.
    pub fn text(text: impl Into<Text>) -> Self {
        Self::Text(text.into())
    }

    /// A binary message.
    pub fn binary(bytes: impl Into<Payload>) -> Self {
        Self::Binary(bytes.into())
    }

    /// Text or binary.
    #[must_use]
    pub fn kind(&self) -> DataKind {
        match self {
            Self::Text(_) => DataKind::Text,
            Self::Binary(_) => DataKind::Binary,
        }
    }

    /// The payload's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(payload) => payload,
        }
    }

    /// The text, if this is a text message. See [`Text::as_str`] for what it costs.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.as_str()),
            Self::Binary(_) => None,
        }
    }

    /// The payload, whatever its kind.
    #[must_use]
    pub fn into_payload(self) -> Payload {
        match self {
            Self::Text(text) => text.0,
            Self::Binary(payload) => payload,
        }
    }

    /// The length of the payload in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Whether the payload is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<Text> for Message {
    fn from(text: Text) -> Self {
        Self::Text(text)
    }
}

impl From<&[u8]> for Message {
    fn from(bytes: &[u8]) -> Self {
        Self::Binary(bytes.into())
    }
}

impl<const N: usize> From<&[u8; N]> for Message {
    fn from(bytes: &[u8; N]) -> Self {
        Self::Binary(bytes.into())
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes.into())
    }
}

impl From<Bytes> for Message {
    fn from(bytes: Bytes) -> Self {
        Self::Binary(bytes.into())
    }
}

impl From<Payload> for Message {
    fn from(payload: Payload) -> Self {
        Self::Binary(payload)
    }
}

/// UTF-8 text, owned: a [`Payload`] that was validated.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Text(Payload);

impl Text {
    /// Checks that `payload` is UTF-8.
    ///
    /// # Errors
    /// Where the first byte stands that is not.
    pub fn from_utf8(payload: impl Into<Payload>) -> Result<Self, Utf8Error> {
        let payload = payload.into();
        ws_frame::validate_utf8(&payload)?;
        Ok(Self(payload))
    }

    /// A payload that the receiver has validated while it arrived.
    pub(crate) fn validated(payload: Payload) -> Self {
        Self(payload)
    }

    /// The text as a `str`.
    ///
    /// Costs a pass over the text (about 12 GB/s with the `simd` feature): without `unsafe` code the proof of
    /// its validity cannot be carried over. Call it once for each message, and use [`Text::as_bytes`] where
    /// bytes will do, as JSON parsers take them.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Every constructor has validated the bytes, so the fallback is never taken.
        ws_frame::as_str(&self.0).unwrap_or_default()
    }

    /// The text's bytes; costs nothing.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The payload that holds the text.
    #[must_use]
    pub fn into_payload(self) -> Payload {
        self.0
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Payload::copy_from_slice(text.as_bytes()))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.as_str().to_owned()
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_what_is_utf8() {
        for (data, offset) in
            [(&b"fine"[..], None), ("€".as_bytes(), None), (b"a\xff", Some(1)), (b"\xe2\x82", Some(2))]
        {
            let text = Text::from_utf8(data);
            assert_eq!(text.as_ref().err().map(|error| error.offset), offset);
            if let Ok(text) = text {
                assert_eq!(text.as_bytes(), data);
                assert_eq!(text.as_str().as_bytes(), data);
                assert_eq!(String::from(text.clone()).as_bytes(), data);
                assert_eq!(text.to_string(), *text);
            }
        }
    }

    #[test]
    fn a_message_has_a_kind_and_bytes() {
        let rows = [
            (Message::from("text"), DataKind::Text, &b"text"[..]),
            (Message::from(String::from("text")), DataKind::Text, b"text"),
            (Message::text("text"), DataKind::Text, b"text"),
            (Message::from(b"bytes"), DataKind::Binary, b"bytes"),
            (Message::from(&b"bytes"[..]), DataKind::Binary, b"bytes"),
            (Message::from(vec![1, 2]), DataKind::Binary, &[1, 2]),
            (Message::from(Bytes::from_static(b"bytes")), DataKind::Binary, b"bytes"),
            (Message::binary(Payload::new()), DataKind::Binary, b""),
        ];
        for (message, kind, data) in rows {
            assert_eq!((message.kind(), message.as_bytes()), (kind, data));
            assert_eq!((message.len(), message.is_empty()), (data.len(), data.is_empty()));
            assert_eq!(message.as_text().map(str::as_bytes), (kind == DataKind::Text).then_some(data));
            assert_eq!(message.into_payload(), data);
        }
    }
}
