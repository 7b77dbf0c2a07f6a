//! The payload of a Close frame.

use core::fmt;

use crate::{CloseCode, InvalidCloseCode, Utf8Error, as_str};

/// What a Close frame carries when it is not empty: a status code and a reason (RFC 6455 section 5.5.1).
///
/// ```
/// use ws_frame::{CloseCode, ClosePayload};
///
/// let close = ClosePayload { code: CloseCode::NORMAL, reason: "bye" };
/// let mut out = [0; 125];
/// let n = close.encode(&mut out).unwrap();
/// assert_eq!(out[..n], *b"\x03\xe8bye");
/// assert_eq!(ClosePayload::parse(&out[..n]), Ok(Some(close)));
/// assert_eq!(ClosePayload::parse(&[]), Ok(None));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClosePayload<'a> {
    /// Why the connection closes, for programs.
    pub code: CloseCode,
    /// Why the connection closes, for people; at most [`MAX_REASON`](Self::MAX_REASON) bytes, often empty.
    pub reason: &'a str,
}

impl<'a> ClosePayload<'a> {
    /// The length in bytes of the longest reason: what is left of 125 behind the status code.
    pub const MAX_REASON: usize = 123;

    /// Reads the unmasked payload of a Close; `None` when it is empty.
    ///
    /// # Errors
    ///
    /// [`CloseError`]: half a status code, a status code that must not be sent, or a reason that is not UTF-8.
    pub fn parse(payload: &'a [u8]) -> Result<Option<Self>, CloseError> {
        match Self::parse_unvalidated(payload)? {
            Some((code, reason)) => {
                Ok(Some(Self { code, reason: as_str(reason).map_err(CloseError::Utf8)? }))
            }
            None => Ok(None),
        }
    }

    /// As [`parse`](Self::parse), but the reason is lent as it came, for a caller that has validation switched off.
    ///
    /// # Errors
    ///
    /// [`CloseError`]: half a status code, or a status code that must not be sent.
    pub fn parse_unvalidated(payload: &'a [u8]) -> Result<Option<(CloseCode, &'a [u8])>, CloseError> {
        match payload {
            [] => Ok(None),
            [_] => Err(CloseError::OneByte),
            &[high, low, ref reason @ ..] => match CloseCode::new(u16::from_be_bytes([high, low])) {
                Ok(code) => Ok(Some((code, reason))),
                Err(InvalidCloseCode(code)) => Err(CloseError::InvalidCode(code)),
            },
        }
    }

    /// Writes the payload at the start of `out` and gives its length.
    ///
    /// # Errors
    ///
    /// [`ReasonTooLong`] when the reason has more than [`MAX_REASON`](Self::MAX_REASON) bytes; `out` is untouched then.
    pub fn encode(&self, out: &mut [u8; 125]) -> Result<usize, ReasonTooLong> {
        let [high, low, rest @ ..] = out;
        let reason = self.reason.as_bytes();
        let Some(place) = rest.get_mut(..reason.len()) else {
            return Err(ReasonTooLong { len: reason.len() });
        };
        [*high, *low] = self.code.get().to_be_bytes();
        place.copy_from_slice(reason);
        Ok(2 + reason.len())
    }
}

/// The payload of the peer's Close is wrong. The connection fails with [`close_code`](Self::close_code).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseError {
    /// One byte, which is half a status code (RFC 6455 section 5.5.1).
    OneByte,
    /// A status code that must not be sent (RFC 6455 section 7.4).
    InvalidCode(u16),
    /// A reason that is not UTF-8 (RFC 6455 section 5.5.1); the offset counts from the start of the reason.
    Utf8(Utf8Error),
}

impl CloseError {
    /// The status code to close with: 1007 for a reason that is not UTF-8, else 1002.
    #[must_use]
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::OneByte | Self::InvalidCode(_) => CloseCode::PROTOCOL_ERROR,
            Self::Utf8(error) => error.close_code(),
        }
    }
}

impl fmt::Display for CloseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneByte => f.write_str("close frame of one byte"),
            Self::InvalidCode(code) => {
                write!(f, "close frame with status code {code}, which must not be sent")
            }
            Self::Utf8(_) => f.write_str("close frame with a reason that is not UTF-8"),
        }
    }
}

impl core::error::Error for CloseError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Utf8(error) => Some(error),
            Self::OneByte | Self::InvalidCode(_) => None,
        }
    }
}

/// The reason of a Close does not fit: a control frame carries at most 125 bytes (RFC 6455 section 5.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReasonTooLong {
    /// The length of the reason in bytes.
    pub len: usize,
}

impl fmt::Display for ReasonTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "close reason of {} bytes: at most {} fit", self.len, ClosePayload::MAX_REASON)
    }
}

impl core::error::Error for ReasonTooLong {}

#[cfg(test)]
mod tests {
    use super::*;
    use core::error::Error as _;

    type Parsed = Result<Option<(CloseCode, &'static str)>, CloseError>;

    #[test]
    fn payloads_of_every_shape() {
        let normal = CloseCode::NORMAL;
        let bad_text = |offset| Err(CloseError::Utf8(Utf8Error { offset }));
        let table: [(&[u8], Parsed); 11] = [
            (b"", Ok(None)),
            (b"\x03", Err(CloseError::OneByte)),
            (b"\x03\xe8", Ok(Some((normal, "")))),
            (b"\x03\xe8bye", Ok(Some((normal, "bye")))),
            (b"\x03\xe8\xce\xba", Ok(Some((normal, "κ")))),
            (b"\x03\xe8\xce", bad_text(1)),
            (b"\x03\xe8ab\xff", bad_text(2)),
            (b"\x03\xed", Err(CloseError::InvalidCode(1005))),
            (b"\x03\xee\xff", Err(CloseError::InvalidCode(1006))),
            (b"\x00\x00", Err(CloseError::InvalidCode(0))),
            (b"\x13\x88", Err(CloseError::InvalidCode(5000))),
        ];
        for (payload, expected) in table {
            let parsed =
                ClosePayload::parse(payload).map(|close| close.map(|close| (close.code, close.reason)));
            assert_eq!(parsed, expected, "{payload:x?}");
        }
    }

    #[test]
    fn unvalidated_reasons_are_lent_as_they_came() {
        let parsed = ClosePayload::parse_unvalidated(b"\x03\xe8ab\xff");
        assert_eq!(parsed, Ok(Some((CloseCode::NORMAL, &b"ab\xff"[..]))));
        assert_eq!(ClosePayload::parse_unvalidated(b""), Ok(None));
        assert_eq!(ClosePayload::parse_unvalidated(b"\x03"), Err(CloseError::OneByte));
        assert_eq!(ClosePayload::parse_unvalidated(b"\x03\xed"), Err(CloseError::InvalidCode(1005)));
    }

    #[test]
    fn every_code_and_length_of_reason_comes_back() {
        let reason = "x".repeat(125);
        for code in (0..=u16::MAX).filter_map(|code| CloseCode::new(code).ok()) {
            let close = ClosePayload { code, reason: &reason[..usize::from(code.get()) % 124] };
            let mut out = [0; 125];
            let len = close.encode(&mut out).unwrap();
            assert_eq!(ClosePayload::parse(&out[..len]), Ok(Some(close)));
        }
        for len in [124, 125] {
            let mut out = [7; 125];
            let close = ClosePayload { code: CloseCode::NORMAL, reason: &reason[..len] };
            assert_eq!(close.encode(&mut out), Err(ReasonTooLong { len }));
            assert_eq!(out, [7; 125]);
        }
    }

    #[test]
    fn errors_know_their_code_and_their_cause() {
        let utf8 = CloseError::Utf8(Utf8Error { offset: 3 });
        assert_eq!(utf8.close_code(), CloseCode::INVALID_PAYLOAD);
        assert!(utf8.source().is_some());
        for error in [CloseError::OneByte, CloseError::InvalidCode(1005)] {
            assert_eq!(error.close_code(), CloseCode::PROTOCOL_ERROR);
            assert!(error.source().is_none());
        }
        assert!(CloseError::InvalidCode(1005).to_string().contains("1005"));
        assert_eq!(ReasonTooLong { len: 124 }.to_string(), "close reason of 124 bytes: at most 123 fit");
    }
}
