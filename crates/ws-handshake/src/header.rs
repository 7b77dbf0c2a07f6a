//! Reading header fields: token lists, fields that occur once, and names in the case that people write them in.

use http::header::{HeaderMap, HeaderName, HeaderValue};

/// The header that carried the origin before RFC 6455 (version 8).
pub(crate) const SEC_WEBSOCKET_ORIGIN: HeaderName = HeaderName::from_static("sec-websocket-origin");

/// A field that occurs more often than once, or whose value is not text.
#[derive(Debug)]
pub(crate) struct NotOne;

/// The value of a field that may occur at most once.
pub(crate) fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, NotOne> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => text(value.as_bytes()).map(Some),
        (Some(_), Some(_)) => Err(NotOne),
    }
}

/// All values of a list field as one, as RFC 9110 section 5.3 says that they may be joined.
pub(crate) fn joined(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, NotOne> {
    join(headers.get_all(name).iter().map(HeaderValue::as_bytes))
}

/// The same for the lines of one field, wherever they were read.
pub(crate) fn join<'a>(mut lines: impl Iterator<Item = &'a [u8]>) -> Result<Option<String>, NotOne> {
    let Some(first) = lines.next() else { return Ok(None) };
    let mut list = text(first)?.to_owned();
    for line in lines {
        list.push_str(", ");
        list.push_str(text(line)?);
    }
    Ok(Some(list))
}

/// A value that is text: visible ASCII, spaces and tabs.
pub(crate) fn text(value: &[u8]) -> Result<&str, NotOne> {
    let visible = value.iter().all(|&byte| matches!(byte, b' '..=b'~' | b'\t'));
    if visible { core::str::from_utf8(value).map_err(|_| NotOne) } else { Err(NotOne) }
}

/// Whether the list field holds the token, in any case and on any of its lines.
pub(crate) fn list_contains<const N: usize>(headers: &HeaderMap, name: &HeaderName, token: &[u8; N]) -> bool {
    headers.get_all(name).iter().any(|line| line_contains(line.as_bytes(), token))
}

/// The same for one line of a list field.
pub(crate) fn line_contains<const N: usize>(line: &[u8], token: &[u8; N]) -> bool {
    // Most lines are nothing but the token.
    is_word(line, token) || line.split(|&b| b == b',').any(|member| is_word(trim(member), token))
}

/// Whether the text is this word of lower-case letters and hyphens, in any case. A control character might pass for a
/// hyphen, which no head holds.
#[inline]
pub(crate) fn is_word<const N: usize>(text: &[u8], word: &[u8; N]) -> bool {
    // The bit is all that an upper-case letter lacks, and no other byte becomes a letter by it. All bytes are compared at
    // once, as a word of known length lets the compiler do.
    let differs =
        |text: &[u8; N]| text.iter().zip(word).fold(0, |any, (byte, letter)| any | ((byte | 0x20) ^ letter));
    <&[u8; N]>::try_from(text).is_ok_and(|text| differs(text) == 0)
}

/// Optional white space is SP and HTAB (RFC 9110 section 5.6.3).
pub(crate) fn trim(mut member: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = member {
        member = rest;
    }
    member
}

/// `token` of RFC 9110 section 5.6.2.
pub(crate) fn is_token(text: &[u8]) -> bool {
    static TOKEN: [bool; 256] = table(b"!#$%&'*+-.^_`|~");
    !text.is_empty() && text.iter().all(|&byte| TOKEN[usize::from(byte)])
}

/// A class of bytes, by byte: letters, digits and these.
pub(crate) const fn table(others: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
}

/// Appends a name as RFC 6455 writes it: `Sec-WebSocket-Key`, `Host`. Any case would do (RFC 9110 section 5.1); this
/// one reads best in a capture, and suits a reader that is stricter than it should be.
pub(crate) fn write_name(name: &HeaderName, wire: &mut Vec<u8>) {
    let mut rest = name.as_str();
    if let Some(suffix) = rest.strip_prefix("sec-websocket-") {
        wire.extend_from_slice(b"Sec-WebSocket-");
        rest = suffix;
    }
    let mut starts_word = true;
    for byte in rest.bytes() {
        wire.push(if starts_word { byte.to_ascii_uppercase() } else { byte });
        starts_word = byte == b'-';
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::{CONNECTION, HOST, SEC_WEBSOCKET_KEY};

    fn headers(lines: &[&'static str]) -> HeaderMap {
        lines.iter().map(|line| (CONNECTION, HeaderValue::from_static(line))).collect()
    }

    #[test]
    fn a_list_is_searched_over_all_lines_and_in_any_case() {
        for lines in [
            &["upgrade"][..],
            &["Upgrade"],
            &["keep-alive, Upgrade"],
            &["keep-alive ,\tUPGRADE\t"],
            &["keep-alive", "close", " upgrade,"],
        ] {
            assert!(list_contains(&headers(lines), &CONNECTION, b"upgrade"), "{lines:?}");
        }
        for lines in [&[][..], &[""], &["upgrades"], &["up grade"], &["keep-alive"], &["\"upgrade\""]] {
            assert!(!list_contains(&headers(lines), &CONNECTION, b"upgrade"), "{lines:?}");
        }
    }

    #[test]
    fn names_are_written_as_the_rfc_writes_them() {
        let custom = HeaderName::from_static("x-request-id");
        for (name, text) in
            [(SEC_WEBSOCKET_KEY, "Sec-WebSocket-Key"), (HOST, "Host"), (custom, "X-Request-Id")]
        {
            let mut wire = Vec::new();
            write_name(&name, &mut wire);
            assert_eq!(wire, text.as_bytes());
        }
    }

    #[test]
    fn lines_are_joined_in_their_order() {
        assert_eq!(joined(&headers(&["a", "b, c"]), &CONNECTION).unwrap().as_deref(), Some("a, b, c"));
        assert!(joined(&headers(&[]), &CONNECTION).unwrap().is_none());
        assert!(single(&headers(&["a", "a"]), &CONNECTION).is_err());
    }
}
