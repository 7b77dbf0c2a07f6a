//! The list of subprotocols that a client asks for (RFC 6455 sections 1.9, 4.1 and 11.3.4).

use std::collections::HashSet;

use crate::header::{is_token, trim};

/// How many subprotocols one handshake may ask for. More would only make a server hold more than the head itself.
pub const MAX_SUBPROTOCOLS: usize = 128;

/// A list of subprotocols that RFC 6455 does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubprotocolError {
    /// The list, or one of its members, is empty.
    #[error("a subprotocol in the list is empty")]
    Empty,
    /// A member is not a token (RFC 9110 section 5.6.2).
    #[error("a subprotocol is not a token: letters, digits and !#$%&'*+-.^_`|~ only")]
    NotToken,
    /// A member occurs twice.
    #[error("a subprotocol occurs twice in the list")]
    Duplicate,
    /// More than [`MAX_SUBPROTOCOLS`].
    #[error("more than {MAX_SUBPROTOCOLS} subprotocols")]
    TooMany,
}

/// Reads a `Sec-WebSocket-Protocol` list: each member a token, none twice, at least one. Linear in the list's length.
///
/// ```
/// use ws_handshake::{SubprotocolError, parse_subprotocols};
///
/// assert_eq!(parse_subprotocols("chat, superchat"), Ok(vec!["chat", "superchat"]));
/// assert_eq!(parse_subprotocols("chat, chat"), Err(SubprotocolError::Duplicate));
/// ```
///
/// # Errors
///
/// [`SubprotocolError`] says which rule the list breaks; the first broken one counts.
pub fn parse_subprotocols(list: &str) -> Result<Vec<&str>, SubprotocolError> {
    collect(list.split(',').map(|member| {
        // Bytes are cut off at ASCII white space only, so what is left is text still.
        core::str::from_utf8(trim(member.as_bytes())).unwrap_or_default()
    }))
}

/// Checks a list that a caller gives or a peer sent, and keeps its order.
pub(crate) fn collect<'a>(members: impl Iterator<Item = &'a str>) -> Result<Vec<&'a str>, SubprotocolError> {
    let mut list = Vec::new();
    let mut seen = HashSet::new();
    for member in members {
        if list.len() == MAX_SUBPROTOCOLS {
            return Err(SubprotocolError::TooMany);
        }
        if member.is_empty() {
            return Err(SubprotocolError::Empty);
        }
        if !is_token(member.as_bytes()) {
            return Err(SubprotocolError::NotToken);
        }
        // RFC 6455 section 4.1 point 10: the elements must all be unique.
        if !seen.insert(member) {
            return Err(SubprotocolError::Duplicate);
        }
        list.push(member);
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use SubprotocolError::{Duplicate, Empty, NotToken, TooMany};

    #[test]
    fn lists_are_read_in_order() {
        for (list, members) in [
            ("chat", &["chat"][..]),
            ("b,a", &["b", "a"]),
            ("a ,\tb\t , c", &["a", "b", "c"]),
            ("v1.wamp+json!", &["v1.wamp+json!"]),
            ("a, A", &["a", "A"]),
        ] {
            assert_eq!(parse_subprotocols(list).unwrap(), members);
        }
    }

    #[test]
    fn broken_lists_are_refused() {
        for (list, error) in [
            ("", Empty),
            (" ", Empty),
            (",", Empty),
            ("a,", Empty),
            (",a", Empty),
            ("a,,b", Empty),
            ("a b", NotToken),
            ("a;b", NotToken),
            ("\"a\"", NotToken),
            ("\u{e4}", NotToken),
            ("a\u{b}", NotToken),
            ("a, b, a", Duplicate),
        ] {
            assert_eq!(parse_subprotocols(list), Err(error), "{list:?}");
        }
    }

    #[test]
    fn the_count_is_bounded() {
        let list: Vec<_> = (0..=MAX_SUBPROTOCOLS).map(|n| format!("p{n}")).collect();
        assert_eq!(parse_subprotocols(&list.join(",")), Err(TooMany));
        assert!(parse_subprotocols(&list[1..].join(",")).is_ok());
    }

    #[test]
    fn the_worst_lists_of_64_kib_have_one_answer() {
        let size = 64 * 1024;
        for (list, result) in [
            (" ".repeat(size), Err(Empty)),
            (format!("a{}", " ".repeat(size)), Ok(1)),
            (format!("a{}b", " ".repeat(size)), Err(NotToken)),
            (",".repeat(size), Err(Empty)),
            ("a,".repeat(size / 2), Err(Duplicate)),
            ("a".repeat(size), Ok(1)),
        ] {
            assert_eq!(parse_subprotocols(&list).map(|members| members.len()), result);
        }
    }
}
