//! Parameters of one extension, as they stand in an offer or in a response.

use std::fmt;

use thiserror::Error;

/// A name or a value that is no `token` of RFC 9110 section 5.6.2, and so cannot stand in the header.
#[derive(Clone, Debug, Error, Eq, PartialEq)]
#[error("{0:?} is not a token")]
pub struct InvalidToken(pub String);

/// The parameters of one entry of `Sec-WebSocket-Extensions`, in order.
///
/// A parameter is a flag (no value) or has a text for its value. A name may stand more than once: whether that means
/// something is for the extension to say, so [`values`](Params::values) gives all of them in order. Names and values
/// are tokens always (RFC 6455 section 9.1 wants it of quoted values too), so what is serialized needs no quotes and
/// cannot break out of its header.
///
/// ```
/// use ws_extensions::Params;
///
/// let params = Params::new().with("client_max_window_bits", None)?.with("server_max_window_bits", Some("10"))?;
/// assert_eq!(params.to_string(), "client_max_window_bits; server_max_window_bits=10");
/// assert!(params.values("server_max_window_bits").eq([Some("10")]));
/// assert!(params.contains("client_max_window_bits"));
/// # Ok::<(), ws_extensions::InvalidToken>(())
/// ```
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Params(Vec<(String, Option<String>)>);

impl Params {
    /// No parameters.
    pub const fn new() -> Self {
        Params(Vec::new())
    }

    /// The same with one parameter more: `None` for a flag, `Some` for a value.
    ///
    /// # Errors
    /// [`InvalidToken`] when the name or the value is no token.
    pub fn with(mut self, name: &str, value: Option<&str>) -> Result<Self, InvalidToken> {
        self.push(name, value)?;
        Ok(self)
    }

    /// Adds one parameter behind the others: `None` for a flag, `Some` for a value.
    ///
    /// # Errors
    /// [`InvalidToken`] when the name or the value is no token; nothing was added then.
    pub fn push(&mut self, name: &str, value: Option<&str>) -> Result<(), InvalidToken> {
        for text in [Some(name), value].into_iter().flatten() {
            check_token(text)?;
        }
        self.push_checked(name.to_owned(), value.map(str::to_owned));
        Ok(())
    }

    /// For the parser, which has seen that both are tokens.
    pub(crate) fn push_checked(&mut self, name: String, value: Option<String>) {
        self.0.push((name, value));
    }

    /// All values of the parameter of this name, in order; a flag counts as `None`. Names are compared byte by byte.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Option<&'a str>> {
        self.iter().filter(move |(key, _)| *key == name).map(|(_, value)| value)
    }

    /// Whether a parameter of this name is there.
    pub fn contains(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }

    /// All parameters in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_deref()))
    }

    /// How many parameters there are, repeated ones counted.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The text that stands behind the name in the header: `flag; name=value`.
impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, value)) in self.iter().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            f.write_str(name)?;
            if let Some(value) = value {
                write!(f, "={value}")?;
            }
        }
        Ok(())
    }
}

pub(crate) fn check_token(text: &str) -> Result<(), InvalidToken> {
    if !text.is_empty() && text.bytes().all(is_token_byte) {
        Ok(())
    } else {
        Err(InvalidToken(text.to_owned()))
    }
}

/// `tchar` of RFC 9110 section 5.6.2, the same set as RFC 2616's `token`, which RFC 6455 builds on.
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_token_is_refused_and_leaves_nothing() {
        let mut params = Params::new();
        for bad in ["", " ", "a b", "a=b", "a;b", "a,b", "\"a\"", "a\r\nEvil: 1", "\0", "ä", "(", "@"] {
            assert_eq!(params.push(bad, None), Err(InvalidToken(bad.to_owned())));
            assert_eq!(params.push("fine", Some(bad)), Err(InvalidToken(bad.to_owned())));
        }
        assert!(params.is_empty());
    }

    #[test]
    fn repeated_names_keep_their_order() {
        let params = Params::new().with("a", Some("1")).unwrap().with("b", None).unwrap();
        let params = params.with("a", None).unwrap().with("a", Some("2")).unwrap();
        assert!(params.values("a").eq([Some("1"), None, Some("2")]));
        assert_eq!(params.len(), 4);
        assert!(!params.contains("A"));
        assert_eq!(params.to_string(), "a=1; b; a; a=2");
    }
}
