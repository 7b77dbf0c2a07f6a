//! The grammar of a host and a port, as in `Host` and in a URI's authority (RFC 3986 section 3.2).

use crate::header;

/// Splits `host[:port]`, a host in brackets keeping them. An empty port counts as none (RFC 3986 section 3.2.3).
///
/// `None` when it is not a host and a port. User information is no part of it.
pub(crate) fn split(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host_len, port) = measure(authority.as_bytes())?;
    Some((authority.get(..host_len)?, port))
}

/// The same for bytes of which nothing is known, with the host's length. Those of a host and a port are ASCII.
pub(crate) fn measure(authority: &[u8]) -> Option<(usize, Option<u16>)> {
    let is_literal = authority.starts_with(b"[");
    let host_len = match is_literal {
        true => authority.iter().position(|&byte| byte == b']')? + 1,
        false => authority.iter().position(|&byte| !REG_NAME[usize::from(byte)]).unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at_checked(host_len)?;
    let is_host = if is_literal { is_ip_literal(host) } else { !host.is_empty() };
    let port = match rest {
        [] | [b':'] => None,
        [b':', digits @ ..] => Some(port(digits)?),
        _ => return None,
    };
    is_host.then_some((host_len, port))
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

/// Whether this is an IPv6 address in brackets, by its characters.
fn is_ip_literal(host: &[u8]) -> bool {
    let [b'[', literal @ .., b']'] = host else { return false };
    let colons = literal.iter().filter(|&&b| b == b':').count();
    colons >= 2 && literal.iter().all(|&b| b.is_ascii_hexdigit() || b == b':' || b == b'.')
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
