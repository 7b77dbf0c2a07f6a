//! Where a connection comes from, and where a server listens.

use std::{fmt, net::SocketAddr, path::PathBuf, sync::Arc};

/// An end of a transport: where a client connects from, or where a server listens.
///
/// ```
/// use ws_tokio::Address;
///
/// let address = Address::Tcp(([127, 0, 0, 1], 9001).into());
/// assert_eq!(address.to_string(), "127.0.0.1:9001");
/// assert_eq!(address.ip().map(|ip| ip.is_loopback()), Some(true));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// TCP: host and port. Of a client behind a proxy it is the proxy's.
    Tcp(SocketAddr),
    /// A Unix socket; the path that it is bound to, which clients' mostly are not.
    Unix(Option<Arc<PathBuf>>),
    /// What a [`Listener`](crate::Listener) of the caller's own calls it.
    Other(Arc<str>),
}

impl Address {
    /// Host and port, of TCP.
    #[must_use]
    pub fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            _ => None,
        }
    }

    /// The IP address, of TCP.
    #[must_use]
    pub fn ip(&self) -> Option<std::net::IpAddr> {
        self.tcp().map(|address| address.ip())
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(Some(path)) => write!(f, "unix:{}", path.display()),
            Self::Unix(None) => f.write_str("unix:"),
            Self::Other(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_as_they_are_written() {
        let path = Arc::new(PathBuf::from("/run/chat.sock"));
        for (address, shown) in [
            (Address::Tcp(([10, 0, 0, 1], 80).into()), "10.0.0.1:80"),
            (Address::Unix(Some(path)), "unix:/run/chat.sock"),
            (Address::Unix(None), "unix:"),
            (Address::Other("pipe 7".into()), "pipe 7"),
        ] {
            assert_eq!(address.to_string(), shown);
        }
    }
}
