use crate::host;

/// Which pages of a browser may connect (RFC 6455 sections 4.2.2 and 10.2).
///
/// A browser names the page's origin and no page can change that, so a check keeps other sites from connecting with the
/// visitor's cookies. Other clients name what they like, or nothing: a request without an origin always passes, and the
/// check is no authentication.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OriginPolicy {
    /// No check.
    #[default]
    Any,
    /// The origin's host and port must be those that the request was sent to. For a server whose transport is not TLS,
    /// or whose TLS ends at a proxy: either scheme passes.
    SameHost,
    /// As [`SameHost`](Self::SameHost), and the page must have come over TLS. For a server whose TLS ends here.
    SameHostOverTls,
    /// One of these, such as `https://example.com`, compared whole and in any case.
    Listed(Vec<String>),
}

impl OriginPolicy {
    /// Whether a request to `host` (`example.com` or `example.com:8080`) from `origin` passes.
    ///
    /// ```
    /// use ws_handshake::OriginPolicy;
    ///
    /// let policy = OriginPolicy::SameHost;
    /// assert!(policy.permits(Some("https://example.com"), "example.com"));
    /// assert!(!policy.permits(Some("https://evil.example"), "example.com"));
    /// assert!(!policy.permits(Some("null"), "example.com"));
    /// assert!(policy.permits(None, "example.com"));
    /// ```
    #[must_use]
    pub fn permits(&self, origin: Option<&str>, host: &str) -> bool {
        let Some(origin) = origin else { return true };
        match self {
            Self::Any => true,
            Self::SameHost => is_same_host(origin, host, false),
            Self::SameHostOverTls => is_same_host(origin, host, true),
            Self::Listed(list) => list.iter().any(|listed| listed.eq_ignore_ascii_case(origin)),
        }
    }
}

fn is_same_host(origin: &str, host: &str, over_tls: bool) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let default_port = match scheme.to_ascii_lowercase().as_str() {
        "https" => 443,
        "http" if !over_tls => 80,
        _ => return false,
    };
    let (Some((origin_host, origin_port)), Some((host, port))) = (host::split(authority), host::split(host))
    else {
        return false;
    };
    // A port that is left out is the default of the page's scheme: behind a proxy ours may be another one.
    let is_same_port = origin_port.unwrap_or(default_port) == port.unwrap_or(default_port);
    is_same_port && origin_host.eq_ignore_ascii_case(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_host_is_exact_in_host_and_port() {
        for (origin, host, plain, tls) in [
            ("http://example.com", "example.com", true, false),
            ("https://example.com", "example.com", true, true),
            ("https://example.com:443", "example.com", true, true),
            ("https://example.com", "example.com:443", true, true),
            ("http://EXAMPLE.com", "example.COM", true, false),
            ("HTTPS://example.com", "example.com", true, true),
            ("https://[::1]:8443", "[::1]:8443", true, true),
            ("https://example.com:8443", "example.com", false, false),
            ("https://example.com", "example.com:8443", false, false),
            ("http://example.com", "example.com:443", false, false),
            ("https://www.example.com", "example.com", false, false),
            ("https://example.com.evil.example", "example.com", false, false),
            ("https://evilexample.com", "example.com", false, false),
            ("https://example.com/", "example.com", false, false),
            ("https://example.com@evil.example", "example.com", false, false),
            ("https://user@example.com", "example.com", false, false),
            ("https://example.com https://evil.example", "example.com", false, false),
            ("chrome-extension://example.com", "example.com", false, false),
            ("file://", "example.com", false, false),
            ("null", "example.com", false, false),
            ("", "example.com", false, false),
            ("example.com", "example.com", false, false),
        ] {
            assert_eq!(OriginPolicy::SameHost.permits(Some(origin), host), plain, "{origin} -> {host}");
            assert_eq!(
                OriginPolicy::SameHostOverTls.permits(Some(origin), host),
                tls,
                "{origin} -> {host}, TLS"
            );
        }
    }

    #[test]
    fn listed_origins_are_compared_whole() {
        let policy = OriginPolicy::Listed(vec!["https://example.com".to_owned(), "null".to_owned()]);
        for (origin, permitted) in [
            (Some("https://example.com"), true),
            (Some("https://Example.com"), true),
            (Some("null"), true),
            (None, true),
            (Some("https://example.com:443"), false),
            (Some("http://example.com"), false),
            (Some("https://example.com.evil.example"), false),
        ] {
            assert_eq!(policy.permits(origin, "other.example"), permitted, "{origin:?}");
        }
    }
}
