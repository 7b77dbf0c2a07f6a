//! Where a connection comes from, and where a server listens.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

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
    pub fn ip(&self) -> Option<IpAddr> {
        self.tcp().map(|address| address.ip())
    }

    /// What a client on this machine connects to. Who listens on all addresses is met on this machine's own.
    pub(super) fn url(&self, scheme: &str, path: &str) -> Option<String> {
        match self {
            Self::Tcp(address) => {
                let mut address = *address;
                match address.ip() {
                    IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
                    IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
                    _ => {}
                }
                Some(format!("{scheme}://{address}{path}"))
            }
            // A client speaks TLS over TCP only, and the path of the socket ends at a colon.
            Self::Unix(Some(socket)) if scheme == "ws" => {
                let socket = socket.to_str().filter(|socket| !socket.contains([':', '%', '?', '#']))?;
                Some(format!("ws+unix:{socket}:{path}"))
            }
            _ => None,
        }
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

    #[test]
    fn a_client_of_this_machine_is_told_where_to_connect() {
        let tcp = |address: &str| Address::Tcp(address.parse().unwrap());
        let unix = |path: &str| Address::Unix(Some(Arc::new(PathBuf::from(path))));
        for (address, scheme, url) in [
            (tcp("127.0.0.1:80"), "ws", Some("ws://127.0.0.1:80/a")),
            (tcp("0.0.0.0:81"), "wss", Some("wss://127.0.0.1:81/a")),
            (tcp("[::]:82"), "ws", Some("ws://[::1]:82/a")),
            (unix("run/ws.sock"), "ws", Some("ws+unix:run/ws.sock:/a")),
            (unix("run/ws.sock"), "wss", None),
            (unix("run/w:s.sock"), "ws", None),
            (Address::Unix(None), "ws", None),
            (Address::Other("pipe".into()), "ws", None),
        ] {
            assert_eq!(address.url(scheme, "/a").as_deref(), url, "{address}");
        }
    }
}
