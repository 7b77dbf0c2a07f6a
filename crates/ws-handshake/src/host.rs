//! The grammar of a host and a port, as in `Host` and in a URI's authority (RFC 3986 section 3.2).

use crate::header;

/// Splits `host[:port]`, a host in brackets keeping them. An empty port counts as none (RFC 3986 section 3.2.3).
///
/// `None` when it is not a host and a port. User information is no part of it.
pub(crate) fn split(authority: &str) -> Option<(&str, Option<u16>)> {
    // The only colons before the port's stand inside brackets.
    let host_end = match authority.strip_prefix('[') {
        Some(rest) => rest.find(']')? + 2,
        None => authority.as_bytes().iter().position(|&byte| byte == b':').unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at_checked(host_end)?;
    let port = match rest.strip_prefix(':') {
        Some("") => None,
        // `parse` would take a sign.
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => Some(digits.parse().ok()?),
        None if rest.is_empty() => None,
        _ => return None,
    };
    is_host(host).then_some((host, port))
}

/// A host without the brackets of an IPv6 literal: what a resolver wants.
pub(crate) fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

fn is_host(host: &str) -> bool {
    if let Some(literal) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        let colons = literal.bytes().filter(|&b| b == b':').count();
        return colons >= 2 && literal.bytes().all(|b| b.is_ascii_hexdigit() || b == b':' || b == b'.');
    }
    !host.is_empty() && host.bytes().all(|byte| REG_NAME[usize::from(byte)])
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
