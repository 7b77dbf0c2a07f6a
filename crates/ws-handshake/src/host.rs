//! The grammar of a host and a port, as in `Host` and in a URI's authority (RFC 3986 section 3.2).

use crate::header;

/// Splits `host[:port]`, a host in brackets keeping them. An empty port counts as none (RFC 3986 section 3.2.3).
///
/// `None` when it is not a host and a port. User information is no part of it.
pub(crate) fn split(authority: &str) -> Option<(&str, Option<u16>)> {
    let host_end = match authority.strip_prefix('[') {
        Some(rest) => rest.find(']')? + 2,
        None => authority.bytes().position(|byte| !REG_NAME[usize::from(byte)]).unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at_checked(host_end)?;
    let is_host = if host.starts_with('[') { is_ip_literal(host) } else { !host.is_empty() };
    let port = match rest.as_bytes() {
        [] | [b':'] => None,
        [b':', digits @ ..] => Some(port(digits)?),
        _ => return None,
    };
    is_host.then_some((host, port))
}

/// Digits alone: a parser of numbers would take a sign.
fn port(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0_u16, |port, &digit| {
        let digit = digit.is_ascii_digit().then(|| u16::from(digit - b'0'))?;
        port.checked_mul(10)?.checked_add(digit)
    })
}

/// A host without the brackets of an IPv6 literal: what a resolver wants.
pub(crate) fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

fn is_ip_literal(host: &str) -> bool {
    let literal = without_brackets(host);
    let colons = literal.bytes().filter(|&b| b == b':').count();
    colons >= 2 && literal.bytes().all(|b| b.is_ascii_hexdigit() || b == b':' || b == b'.')
}

/// The bytes of a `reg-name` without percent-encoding, which no host on the network has.
static REG_NAME: [bool; 256] = header::table(b"-._~!$&'()*+,;=");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_split() {
        for (authority, host, port) in [
            ("example.com", "example.com", None),
            ("example.com:80", "example.com", Some(80)),
            ("example.com:", "example.com", None),
            ("127.0.0.1:65535", "127.0.0.1", Some(65535)),
            ("[::1]", "[::1]", None),
            ("[2001:db8::1]:8080", "[2001:db8::1]", Some(8080)),
            ("under_score", "under_score", None),
        ] {
            assert_eq!(split(authority), Some((host, port)));
        }
        assert_eq!(without_brackets("[::1]"), "::1");
        assert_eq!(without_brackets("example.com"), "example.com");
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for bad in [
            "",
            ":",
            ":80",
            "a b",
            "a/b",
            "user@host",
            "a:b",
            "a:+80",
            "a:65536",
            "a:1:2",
            "::1",
            "[",
            "[]",
            "[::1",
            "[::1]x",
            "[::1]8080",
            "[zz::1]",
            "[abc]",
            "ex%41mple",
            "a,b:c",
            "h\u{e9}",
            "a#b",
            "a?b",
            "a\\b",
        ] {
            assert_eq!(split(bad), None, "{bad:?}");
        }
    }
}
