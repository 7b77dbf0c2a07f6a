//! The grammar of `Sec-WebSocket-Extensions` (RFC 6455 section 9.1): linear, bounded, without state between calls.

use thiserror::Error;

use crate::params::{InvalidToken, Params, check_token, is_token_byte};

/// The most entries that [`parse`] accepts in one header.
pub const MAX_EXTENSIONS: usize = 16;

/// The most parameters that [`parse`] accepts in one entry.
pub const MAX_PARAMS: usize = 16;

/// Why a `Sec-WebSocket-Extensions` header was refused. A server answers 400, a client fails the handshake.
///
/// `at` counts bytes from the start of the header's value.
#[derive(Clone, Copy, Debug, Error, Eq, PartialEq)]
#[non_exhaustive]
pub enum HeaderError {
    /// A name or a value is missing, or begins with a byte that cannot be in a token.
    #[error("a token was expected at byte {at} of the extensions header")]
    ExpectedToken {
        /// Where the token should have begun.
        at: usize,
    },
    /// Something else than `,` or `;` follows an entry or a parameter.
    #[error("a comma or a semicolon was expected at byte {at} of the extensions header")]
    ExpectedSeparator {
        /// Where the separator should have been.
        at: usize,
    },
    /// A quoted value is not closed.
    #[error("the quoted value at byte {at} of the extensions header is not closed")]
    UnclosedQuote {
        /// Where the quotation mark stands.
        at: usize,
    },
    /// A quoted value is empty, or holds a byte that cannot be in a token (RFC 6455 section 9.1).
    #[error("the quoted value at byte {at} of the extensions header is not a token")]
    QuotedNotToken {
        /// Where the quotation mark stands.
        at: usize,
    },
    /// More entries than [`MAX_EXTENSIONS`].
    #[error("more than {MAX_EXTENSIONS} entries in the extensions header")]
    TooManyExtensions,
    /// More parameters in one entry than [`MAX_PARAMS`].
    #[error("more than {MAX_PARAMS} parameters in one entry of the extensions header")]
    TooManyParams,
}

/// Reads the value of a `Sec-WebSocket-Extensions` header: names with their parameters, in order.
///
/// Spaces and tabs may stand around `,` and `;` and at both ends, none around `=`. A quoted value is unescaped once,
/// pair by pair, and must be a token then. Nothing may be empty. Each byte is looked at once, and what is kept is a
/// copy of what was read. Several header lines are one header, joined by commas.
///
/// # Errors
/// [`HeaderError`], at the first byte that breaks the grammar or passes a bound. An empty header is an error too;
/// negotiation reads it as no header at all.
///
/// ```
/// let entries = ws_extensions::parse("permessage-deflate; server_max_window_bits=\"10\", x-trace")?;
/// assert_eq!(entries[0].0, "permessage-deflate");
/// assert!(entries[0].1.values("server_max_window_bits").eq([Some("10")]));
/// assert_eq!(entries[1], ("x-trace".to_owned(), ws_extensions::Params::new()));
/// # Ok::<(), ws_extensions::HeaderError>(())
/// ```
pub fn parse(header: impl AsRef<[u8]>) -> Result<Vec<(String, Params)>, HeaderError> {
    let mut cursor = Cursor { bytes: header.as_ref(), at: 0 };
    let mut entries = Vec::new();
    loop {
        if entries.len() == MAX_EXTENSIONS {
            return Err(HeaderError::TooManyExtensions);
        }
        cursor.skip_white_space();
        let name = cursor.token()?;
        entries.push((name, cursor.params()?));
        if !cursor.eat(b',') {
            return Ok(entries);
        }
    }
}

/// Writes the value of a `Sec-WebSocket-Extensions` header. The same entries give the same text each time.
///
/// # Errors
/// [`InvalidToken`] when a name is no token; parameters are tokens by construction.
///
/// ```
/// use ws_extensions::{Params, format};
///
/// let trace = Params::new().with("depth", Some("3"))?;
/// assert_eq!(format([("x-trace", &trace), ("x-seal", &Params::new())])?, "x-trace; depth=3, x-seal");
/// # Ok::<(), ws_extensions::InvalidToken>(())
/// ```
pub fn format<'a>(entries: impl IntoIterator<Item = (&'a str, &'a Params)>) -> Result<String, InvalidToken> {
    let mut header = String::new();
    for (name, params) in entries {
        check_token(name)?;
        append(&mut header, name, params);
    }
    Ok(header)
}

/// Adds one entry, whose name is known to be a token.
pub(crate) fn append(header: &mut String, name: &str, params: &Params) {
    if !header.is_empty() {
        header.push_str(", ");
    }
    header.push_str(name);
    for (key, value) in params.iter() {
        header.push_str("; ");
        header.push_str(key);
        if let Some(value) = value {
            header.push('=');
            header.push_str(value);
        }
    }
}

/// A place in the header; it only ever moves forward.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// `OWS` of RFC 9110 section 5.6.3.
    fn skip_white_space(&mut self) {
        while let Some(b' ' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn token(&mut self) -> Result<String, HeaderError> {
        let mut text = String::new();
        while let Some(byte) = self.peek().filter(|byte| is_token_byte(*byte)) {
            text.push(char::from(byte));
            self.at += 1;
        }
        if text.is_empty() { Err(HeaderError::ExpectedToken { at: self.at }) } else { Ok(text) }
    }

    /// What stands between an entry's name and the comma, or the end, behind it.
    fn params(&mut self) -> Result<Params, HeaderError> {
        let mut params = Params::new();
        loop {
            self.skip_white_space();
            match self.peek() {
                None | Some(b',') => return Ok(params),
                Some(b';') if params.len() == MAX_PARAMS => return Err(HeaderError::TooManyParams),
                Some(b';') => self.at += 1,
                Some(_) => return Err(HeaderError::ExpectedSeparator { at: self.at }),
            }
            self.skip_white_space();
            let name = self.token()?;
            let value = if self.eat(b'=') { Some(self.value()?) } else { None };
            params.push_checked(name, value);
        }
    }

    fn value(&mut self) -> Result<String, HeaderError> {
        let at = self.at;
        if !self.eat(b'"') {
            return self.token();
        }
        let mut text = String::new();
        loop {
            let byte = match self.next() {
                Some(b'"') if text.is_empty() => return Err(HeaderError::QuotedNotToken { at }),
                Some(b'"') => return Ok(text),
                Some(b'\\') => self.next(),
                byte => byte,
            };
            match byte {
                None => return Err(HeaderError::UnclosedQuote { at }),
                // RFC 6455 section 9.1: the value after unescaping MUST conform to the `token` ABNF.
                Some(byte) if !is_token_byte(byte) => return Err(HeaderError::QuotedNotToken { at }),
                Some(byte) => text.push(char::from(byte)),
            }
        }
    }
}

#[cfg(test)]
mod tests;
