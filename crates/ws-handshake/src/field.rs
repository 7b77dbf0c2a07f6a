//! Header fields that a caller adds to a request or an answer.

use http::header::{HeaderMap, HeaderName, HeaderValue};

/// How many headers a caller may add to one request or answer.
///
/// Far more than any peer takes, and far fewer than a [`HeaderMap`] holds: it panics when it is asked for too many.
pub const MAX_ADDED_HEADERS: usize = 1024;

/// A header that a caller cannot add.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidHeader {
    /// The handshake sets it itself, or it would declare a body.
    #[error("the header {0} belongs to the handshake and cannot be set")]
    Reserved(HeaderName),
    /// Name or value cannot be sent: the name is no token, or the value holds CR, LF, NUL or another control character.
    #[error("the name or the value of a header cannot be sent")]
    Malformed(#[source] http::Error),
    /// More than [`MAX_ADDED_HEADERS`].
    #[error("more than {MAX_ADDED_HEADERS} headers have been added")]
    TooMany,
}

/// The field that a caller gives, unless it is one of ours.
pub(crate) fn parse<N, V>(
    name: N,
    value: V,
    reserved: &[HeaderName],
) -> Result<(HeaderName, HeaderValue), InvalidHeader>
where
    N: TryInto<HeaderName, Error: Into<http::Error>>,
    V: TryInto<HeaderValue, Error: Into<http::Error>>,
{
    let name = name.try_into().map_err(|error| InvalidHeader::Malformed(error.into()))?;
    let value = value.try_into().map_err(|error| InvalidHeader::Malformed(error.into()))?;
    if reserved.contains(&name) { Err(InvalidHeader::Reserved(name)) } else { Ok((name, value)) }
}

/// Appends a field within the bound.
pub(crate) fn append(
    headers: &mut HeaderMap,
    name: HeaderName,
    value: HeaderValue,
) -> Result<(), InvalidHeader> {
    if headers.len() >= MAX_ADDED_HEADERS {
        return Err(InvalidHeader::TooMany);
    }
    headers.try_append(name, value).map(drop).map_err(|_| InvalidHeader::TooMany)
}

/// A field's value that every peer reads: visible ASCII and white space, not empty.
pub(crate) fn visible(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(text).ok().filter(|value| !value.is_empty() && value.to_str().is_ok())
}
