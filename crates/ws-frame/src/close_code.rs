//! Status codes of the closing handshake.

use core::fmt;

/// What is reported when a Close came without a status code (RFC 6455 section 7.1.5); never sent.
pub const NO_STATUS: u16 = 1005;

/// What is reported when the connection ended without a Close (RFC 6455 section 7.1.5); never sent.
pub const ABNORMAL: u16 = 1006;

/// A status code that may be sent in a Close (RFC 6455 section 7.4): one of 1000 to 1003, 1007 to 1014, 3000 to 4999.
///
/// 1012 to 1014 are later entries of the registry of section 11.7. 3000 to 3999 are for libraries and frameworks, 4000
/// to 4999 for private use. 1004 has no meaning yet; 1005, 1006 and 1015 are reported and never sent.
///
/// ```
/// use ws_frame::CloseCode;
///
/// assert_eq!(CloseCode::new(1000), Ok(CloseCode::NORMAL));
/// assert_eq!(CloseCode::GOING_AWAY.to_string(), "1001 going away");
/// assert!(CloseCode::new(1005).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// The purpose of the connection has been fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// The server goes down, or the browser leaves the page.
    pub const GOING_AWAY: Self = Self(1001);
    /// The peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// A kind of data that this end cannot accept.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// Data that is not what its type says, such as text that is not UTF-8.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// A message against this end's policy, when no other code fits.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// A message too big to process.
    pub const TOO_BIG: Self = Self(1009);
    /// The client wanted an extension that the server did not agree to.
    pub const MANDATORY_EXTENSION: Self = Self(1010);
    /// The server met a condition that keeps it from fulfilling the request.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// The server restarts; a client may come back after a random delay.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// The server is overloaded; come back later, or to another address.
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// A gateway got an invalid answer from the server behind it.
    pub const BAD_GATEWAY: Self = Self(1014);

    /// The status code with this number.
    ///
    /// # Errors
    ///
    /// [`InvalidCloseCode`] when it must not be sent.
    #[inline]
    pub const fn new(code: u16) -> Result<Self, InvalidCloseCode> {
        match code {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Ok(Self(code)),
            _ => Err(InvalidCloseCode(code)),
        }
    }

    /// The number.
    #[inline]
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// What the code means, in a few words of lower case.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self.0 {
            1000 => "normal closure",
            1001 => "going away",
            1002 => "protocol error",
            1003 => "unsupported data",
            1007 => "invalid payload data",
            1008 => "policy violation",
            1009 => "message too big",
            1010 => "mandatory extension",
            1011 => "internal error",
            1012 => "service restart",
            1013 => "try again later",
            1014 => "bad gateway",
            3000..=3999 => "library or framework",
            _ => "private use",
        }
    }
}

/// The number and its [`meaning`](CloseCode::meaning), as in `1000 normal closure`.
impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.meaning())
    }
}

impl From<CloseCode> for u16 {
    #[inline]
    fn from(code: CloseCode) -> Self {
        code.0
    }
}

impl TryFrom<u16> for CloseCode {
    type Error = InvalidCloseCode;

    #[inline]
    fn try_from(code: u16) -> Result<Self, Self::Error> {
        Self::new(code)
    }
}

/// This number is no status code that may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InvalidCloseCode(pub u16);

impl fmt::Display for InvalidCloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "close code {} must not be sent: use 1000-1003, 1007-1014 or 3000-4999", self.0)
    }
}

impl core::error::Error for InvalidCloseCode {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_sendable_codes_are_valid() {
        let mut valid: Vec<u16> = [1000, 1001, 1002, 1003].to_vec();
        valid.extend([1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014]);
        valid.extend(3000..5000);
        for number in 0..=u16::MAX {
            match CloseCode::new(number) {
                Ok(code) => {
                    assert!(valid.contains(&number), "{number}");
                    assert_eq!((code.get(), u16::from(code)), (number, number));
                    assert_eq!(CloseCode::try_from(number), Ok(code));
                }
                Err(error) => {
                    assert!(!valid.contains(&number), "{number}");
                    assert_eq!(error, InvalidCloseCode(number));
                }
            }
        }
        assert!(CloseCode::new(NO_STATUS).is_err());
        assert!(CloseCode::new(ABNORMAL).is_err());
    }

    #[test]
    fn constants_are_valid_and_have_names() {
        let named = [
            (CloseCode::NORMAL, "1000 normal closure"),
            (CloseCode::GOING_AWAY, "1001 going away"),
            (CloseCode::PROTOCOL_ERROR, "1002 protocol error"),
            (CloseCode::UNSUPPORTED_DATA, "1003 unsupported data"),
            (CloseCode::INVALID_PAYLOAD, "1007 invalid payload data"),
            (CloseCode::POLICY_VIOLATION, "1008 policy violation"),
            (CloseCode::TOO_BIG, "1009 message too big"),
            (CloseCode::MANDATORY_EXTENSION, "1010 mandatory extension"),
            (CloseCode::INTERNAL_ERROR, "1011 internal error"),
            (CloseCode::SERVICE_RESTART, "1012 service restart"),
            (CloseCode::TRY_AGAIN_LATER, "1013 try again later"),
            (CloseCode::BAD_GATEWAY, "1014 bad gateway"),
            (CloseCode(3000), "3000 library or framework"),
            (CloseCode(4999), "4999 private use"),
        ];
        for (code, name) in named {
            assert_eq!(CloseCode::new(code.get()), Ok(code));
            assert_eq!(code.to_string(), name);
        }
    }

    #[test]
    fn codes_are_ordered_by_number() {
        assert!(CloseCode::NORMAL < CloseCode::GOING_AWAY);
    }
}
