use core::fmt;
use core::str::FromStr;

use percent_encoding::percent_decode_str;

use crate::host;

/// How a proxy is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProxyKind {
    /// HTTP CONNECT over TCP.
    Http,
    /// HTTP CONNECT over TLS to the proxy.
    Https,
    /// SOCKS5. Names are resolved by the proxy, whether the scheme was `socks5` or `socks5h`.
    Socks5,
}

impl ProxyKind {
    /// The port where such a proxy is expected: 80, 443, 1080.
    #[must_use]
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
            Self::Socks5 => 1080,
        }
    }

    fn scheme(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks5 => "socks5",
        }
    }
}

/// An address that is not one of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyAddressError {
    /// The scheme is none of `http`, `https`, `socks5`, `socks5h`.
    #[error("a proxy's address starts with http://, https://, socks5:// or socks5h://")]
    Scheme,
    /// The host or the port is missing or not valid.
    #[error("the proxy's address names no valid host and port")]
    Host,
    /// A path, a query or a fragment, which a proxy does not have.
    #[error("a proxy's address ends behind the port")]
    Path,
}

/// A user's name and password for a proxy. Debug output shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyCredentials {
    pub(super) user: Vec<u8>,
    pub(super) password: Vec<u8>,
}

impl ProxyCredentials {
    /// What of it can be sent depends on the kind of the proxy, and is checked when the exchange begins.
    #[must_use]
    pub fn new(user: impl Into<Vec<u8>>, password: impl Into<Vec<u8>>) -> Self {
        Self { user: user.into(), password: password.into() }
    }
}

impl fmt::Debug for ProxyCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProxyCredentials(..)")
    }
}

/// Where a proxy is, and who asks it: `http://user:password@proxy.example:3128`.
///
/// [`Display`](fmt::Display) leaves the credentials out, and debug output hides them.
///
/// ```
/// use ws_handshake::{ProxyAddress, ProxyKind};
///
/// let proxy = ProxyAddress::parse("socks5h://user:p%40ss@proxy.example")?;
/// assert_eq!(proxy.kind(), ProxyKind::Socks5);
/// assert_eq!((proxy.host(), proxy.port()), ("proxy.example", 1080));
/// assert_eq!(proxy.to_string(), "socks5://proxy.example:1080");
/// # Ok::<(), ws_handshake::ProxyAddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyAddress {
    kind: ProxyKind,
    /// An IPv6 literal in brackets.
    host: String,
    port: u16,
    credentials: Option<ProxyCredentials>,
}

impl ProxyAddress {
    /// Reads `scheme://user:password@host:port`. Without a scheme it is `http`, as environment variables often have it;
    /// the port is the [default one](ProxyKind::default_port) where it is missing. User and password are percent-decoded.
    ///
    /// # Errors
    ///
    /// [`ProxyAddressError`] for another scheme, a host or port that is none, and for anything behind them but a slash.
    pub fn parse(address: &str) -> Result<Self, ProxyAddressError> {
        let (kind, rest) = match address.split_once("://") {
            None => (ProxyKind::Http, address),
            Some((scheme, rest)) => {
                let is = |name: &str| scheme.eq_ignore_ascii_case(name);
                let kind = if is("http") {
                    ProxyKind::Http
                } else if is("https") {
                    ProxyKind::Https
                } else if is("socks5") || is("socks5h") {
                    ProxyKind::Socks5
                } else {
                    return Err(ProxyAddressError::Scheme);
                };
                (kind, rest)
            }
        };
        // A password with a slash in it is percent-encoded: the first one ends the authority (RFC 3986 section 3.2).
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if !matches!(path, "" | "/") {
            return Err(ProxyAddressError::Path);
        }
        let (user_info, authority) = match authority.rsplit_once('@') {
            Some((user_info, authority)) => (Some(user_info), authority),
            None => (None, authority),
        };
        let (host, port) = host::split(authority).ok_or(ProxyAddressError::Host)?;
        let credentials = user_info.map(|user_info| {
            let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
            let decode = |text| percent_decode_str(text).collect::<Vec<u8>>();
            ProxyCredentials::new(decode(user), decode(password))
        });
        let port = port.unwrap_or(kind.default_port());
        Ok(Self { kind, host: host.to_ascii_lowercase(), port, credentials })
    }

    /// The same address with other credentials.
    #[must_use]
    pub fn with_credentials(mut self, credentials: ProxyCredentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// How the proxy is spoken to.
    #[must_use]
    pub fn kind(&self) -> ProxyKind {
        self.kind
    }

    /// Whether the transport to the proxy itself is TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.kind == ProxyKind::Https
    }

    /// The proxy's host: an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        host::without_brackets(&self.host)
    }

    /// The proxy's port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Who asks the proxy.
    #[must_use]
    pub fn credentials(&self) -> Option<&ProxyCredentials> {
        self.credentials.as_ref()
    }
}

impl FromStr for ProxyAddress {
    type Err = ProxyAddressError;

    fn from_str(address: &str) -> Result<Self, ProxyAddressError> {
        Self::parse(address)
    }
}

impl fmt::Display for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.kind.scheme(), self.host, self.port)
    }
}
